//! Plots.
//!
//! In: records of runs, the spikes of a sample on its way through a network, and a sound on its way
//! through the ear. Out: one PNG or SVG file each. A figure lays itself out in pixels and draws on a canvas, which stands before
//! both of plotters' backends; a PNG is drawn at twice its size and averaged down, so that thin
//! marks come out smooth. No system font is read: DejaVu Sans is linked in.

mod axes;
mod before_after;
mod canvas;
mod cochleagram;
mod colour_map;
mod comparison;
mod confusion;
mod curves;
mod frequencies;
mod gallery;
mod heat_map;
mod histogram;
mod legend;
mod lines;
mod marks;
mod matrix;
mod panels;
mod raster;
mod rates;
mod style;
mod traces;

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

pub use before_after::{BeforeAfterFigure, BeforeAfterPanel};
pub use cochleagram::CochleagramFigure;
pub use curves::CurvesOf;
pub use gallery::{GalleryCell, GalleryFigure, GalleryRow};
pub use lines::{LineAxis, LineFigure, LinePanel, LineStyle, Point, Series};
pub use marks::Mark;
pub use matrix::{MatrixFigure, MatrixPanel};
pub use raster::{RasterFigure, RasterPanel};
pub use rates::RatesFigure;
pub use traces::{TraceFigure, TraceRow};

use super::RunRecord;
use canvas::Target;

/// What can go wrong with a plot.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PlotError {
    /// The file's name ends in neither .png nor .svg.
    #[error("{}: plots are written as .png or .svg", .0.display())]
    UnknownFormat(PathBuf),
    /// The name of a page that plays ends in neither .html nor .htm.
    #[error("{}: pages are written as .html", .0.display())]
    NoPage(PathBuf),
    /// There is nothing that could be shown.
    #[error("there is nothing to draw: {0}")]
    NothingToDraw(String),
    /// Drawing did not work out.
    #[error("the plot could not be drawn: {0}")]
    Drawing(String),
    /// The file system said no.
    #[error("cannot write {}: {source}", path.display())]
    CannotWrite {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Draws spikes: one panel for each layer on a common time axis, rates beside and below.
///
/// # Errors
/// [`PlotError`]; a figure without panels, or with one of another number of time bins than its grid,
/// is [`PlotError::NothingToDraw`].
pub fn raster(figure: &RasterFigure, path: &Path) -> Result<(), PlotError> {
    let target = Target::new(path)?;
    target.write(&raster::Layout::new(figure)?)
}

/// Draws a recording, the energy of the basilar membrane's motion by channel, and the spikes: three
/// panels on a common time axis.
///
/// # Errors
/// [`PlotError`]; [`PlotError::NothingToDraw`] without samples, channels or time bins, or if the parts
/// of the figure do not fit each other.
pub fn cochleagram(figure: &CochleagramFigure, path: &Path) -> Result<(), PlotError> {
    let target = Target::new(path)?;
    target.write(&cochleagram::Layout::new(figure)?)
}

/// Draws states of single neurons over time: one row a neuron on a common time axis.
///
/// # Errors
/// [`PlotError`]; [`PlotError::NothingToDraw`] without rows or with more than 40, and if the parts of the figure
/// do not fit each other.
pub fn traces(figure: &TraceFigure, path: &Path) -> Result<(), PlotError> {
    let target = Target::new(path)?;
    target.write(&traces::Layout::new(figure)?)
}

/// Draws how learned numbers are spread over neurons before and after training, one panel for each.
///
/// # Errors
/// [`PlotError`]; [`PlotError::NothingToDraw`] without panels or with more than 60.
pub fn before_after(figure: &BeforeAfterFigure, path: &Path) -> Result<(), PlotError> {
    let target = Target::new(path)?;
    target.write(&before_after::Layout::new(figure)?)
}

/// Draws firing rates by layer and class, and how they are spread over neurons.
///
/// # Errors
/// [`PlotError`]; [`PlotError::NothingToDraw`] without layers or classes, or with more than 30 or 200.
pub fn rates(figure: &RatesFigure, path: &Path) -> Result<(), PlotError> {
    let target = Target::new(path)?;
    target.write(&rates::Layout::new(figure)?)
}

/// Checks that a file's name ends in a format that plots are written in, before long work is done for
/// it.
///
/// # Errors
/// [`PlotError::UnknownFormat`].
pub fn check_format(path: &Path) -> Result<(), PlotError> {
    Target::new(path).map(|_| ())
}

/// Draws accuracy over epochs, one panel for each run; runs that are not over are drawn as far as
/// they go. Where all runs are of plain training, there is one row for each, with all of [`CurvesOf`] that is
/// recorded of any.
///
/// # Errors
/// [`PlotError`]; [`PlotError::NothingToDraw`] if no run has an epoch.
pub fn curves(runs: &[RunRecord], path: &Path) -> Result<(), PlotError> {
    let target = Target::new(path)?;
    target.write(&curves::Layout::new(runs, None)?)
}

/// The same of what is asked for alone.
///
/// # Errors
/// [`PlotError`]; [`PlotError::NothingToDraw`] if no run has an epoch, or if something that is asked for is not
/// recorded of any run, or not drawn of continual learning, of which that is all but accuracy.
pub fn curves_of(runs: &[RunRecord], of: &[CurvesOf], path: &Path) -> Result<(), PlotError> {
    let target = Target::new(path)?;
    target.write(&curves::Layout::new(runs, Some(of))?)
}

/// Draws which classes were taken for which at the end, one panel for each run.
///
/// # Errors
/// [`PlotError`]; [`PlotError::NothingToDraw`] without runs, and for a run that is not over.
pub fn confusion(runs: &[RunRecord], path: &Path) -> Result<(), PlotError> {
    let target = Target::new(path)?;
    target.write(&confusion::Layout::new(runs)?)
}

/// Draws the accuracies of continual-learning runs at the end as bars side by side, with marks
/// where they were before anything new was learned.
///
/// # Errors
/// [`PlotError`]; [`PlotError::NothingToDraw`] without runs, and for a run that is not over or not
/// one of continual learning.
pub fn comparison(runs: &[RunRecord], path: &Path) -> Result<(), PlotError> {
    let target = Target::new(path)?;
    target.write(&comparison::Layout::new(runs)?)
}

/// Draws lines and points in panels.
///
/// # Errors
/// [`PlotError`]; [`PlotError::NothingToDraw`] without any point.
pub fn lines(figure: &LineFigure, path: &Path) -> Result<(), PlotError> {
    let target = Target::new(path)?;
    target.write(&lines::Layout::new(figure)?)
}

/// Draws matrices of percentages as heat maps, one panel for each.
///
/// # Errors
/// [`PlotError`]; [`PlotError::NothingToDraw`] without a matrix, or if names and rows do not fit.
pub fn matrix(figure: &MatrixFigure, path: &Path) -> Result<(), PlotError> {
    let target = Target::new(path)?;
    target.write(&matrix::Layout::new(figure)?)
}

/// Draws rasters in rows and columns, on a common time grid.
///
/// # Errors
/// [`PlotError`]; [`PlotError::NothingToDraw`] without rows, or if rows, columns and steps do not fit.
pub fn gallery(figure: &GalleryFigure, path: &Path) -> Result<(), PlotError> {
    let target = Target::new(path)?;
    target.write(&gallery::Layout::new(figure)?)
}
