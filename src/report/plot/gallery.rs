//! Small rasters side by side.
//!
//! In: rows of rasters on one time grid. Out: a figure with a frame for each, names of rows and columns, and a remark above
//! each frame that says in words what its colour says.

use plotters::backend::DrawingBackend;
use plotters::style::RGBColor;

use super::PlotError;
use super::axes::{Axes, Frame, Scale};
use super::canvas::{Align, Canvas, Figure};
use super::legend::{Key, Legend};
use super::style::{NEW, OLD, QUIET, TICK_SIZE, Type};
use crate::ids::TimeStep;
use crate::spikes::{SpikeRaster, TimeGrid};

/// Rasters in rows and columns.
#[derive(Debug, Clone, PartialEq)]
pub struct GalleryFigure {
    /// What stands on top.
    pub title: String,
    /// The time grid of all; there may be none where there is no row.
    pub grid: Option<TimeGrid>,
    /// Steps that a spike stands for.
    pub steps_a_mark: usize,
    /// What one unit is called.
    pub unit_name: String,
    /// What the colours mean: right, and wrong.
    pub legend: [String; 2],
    /// Above the columns.
    pub column_names: Vec<String>,
    /// From the top down.
    pub rows: Vec<GalleryRow>,
}

/// Rasters side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct GalleryRow {
    /// Left of them.
    pub name: String,
    /// One for each column; `None` leaves its frame empty.
    pub cells: Vec<Option<GalleryCell>>,
}

/// One raster.
#[derive(Debug, Clone, PartialEq)]
pub struct GalleryCell {
    /// The spikes.
    pub spikes: SpikeRaster,
    /// Above it.
    pub remark: String,
    /// Whether it is what it should be.
    pub is_right: bool,
}

const WIDTH: f64 = 1600.0;
/// Left of the first column: the row's name, the unit's name, numbers.
const LEFT: f64 = 150.0;
const RIGHT: f64 = 40.0;
const GAP: f64 = 40.0;
/// More columns make the figure wider instead of frames narrower.
const NARROWEST: f64 = 190.0;
const HEIGHT: f64 = 210.0;
const TOP: f64 = 24.0;
/// From a remark to its frame.
const REMARK_GAP: f64 = 12.0;
/// Between two rows.
const ROW_GAP: f64 = 22.0;
/// Below the lowest row.
const BOTTOM: f64 = 92.0;
const LEGEND_GAP: f64 = 20.0;
/// What stands in an empty frame.
const EMPTY: &str = "nothing";

/// A figure with everything in its place.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    figure: &'a GalleryFigure,
    grid: TimeGrid,
    title: Vec<String>,
    columns: Vec<Vec<String>>,
    /// Frames, row by row.
    rows: Vec<Vec<Axes>>,
    legend: Legend,
    size: (f64, f64),
}

impl<'a> Layout<'a> {
    /// Puts everything in its place.
    pub fn new(figure: &'a GalleryFigure) -> Result<Self, PlotError> {
        let nothing = |reason: &str| Err(PlotError::NothingToDraw(reason.to_string()));
        let Some(grid) = figure.grid.filter(|_| !figure.rows.is_empty()) else {
            return nothing("there is no row of rasters");
        };
        let columns = figure.column_names.len();
        if columns == 0 || figure.rows.iter().any(|row| row.cells.len() != columns) {
            return nothing("a row has not as many rasters as there are columns");
        }
        let cells = figure
            .rows
            .iter()
            .flat_map(|row| row.cells.iter().flatten());
        for cell in cells.clone() {
            if cell.spikes.steps() != grid.steps() {
                return nothing("a raster has not as many steps as the time grid");
            }
        }
        let units = cells.map(|cell| cell.spikes.units()).max().unwrap_or(1);
        let gaps = GAP * (columns - 1) as f64;
        let wide = ((WIDTH - LEFT - RIGHT - gaps) / columns as f64).max(NARROWEST);
        let width = LEFT + RIGHT + gaps + wide * columns as f64;
        let title = Type::TITLE.wrap(&figure.title, width - LEFT - RIGHT, 3);
        let kind = Type::LABEL.bold();
        let names = figure.column_names.iter();
        let names: Vec<Vec<String>> = names.map(|name| kind.wrap(name, wide, 3)).collect();
        let lines = names.iter().map(Vec::len).max().unwrap_or(1);
        let mut top = TOP + title.len() as f64 * Type::TITLE.line() + 14.0;
        top += lines as f64 * kind.line();
        let mut rows = Vec::new();
        for _ in &figure.rows {
            top += Type::REMARK.line() + REMARK_GAP;
            let frames = (0..columns).map(|column| {
                let left = LEFT + column as f64 * (wide + GAP);
                Axes {
                    frame: Frame::new(left, top, left + wide, top + HEIGHT),
                    x: Scale::new(grid.start_s(TimeStep(0)), grid.max_time_s()),
                    y: Scale::units(units),
                }
            });
            rows.push(frames.collect());
            top += HEIGHT + ROW_GAP;
        }
        let entries = [OLD, NEW].into_iter().zip(&figure.legend);
        let entries = entries.map(|(colour, text)| (Key::Box(colour), text.clone()));
        let legend = Legend::new(entries.collect(), width - LEFT - RIGHT);
        let height = top - ROW_GAP + BOTTOM + legend.height() + LEGEND_GAP;
        Ok(Layout {
            figure,
            grid,
            title,
            columns: names,
            rows,
            legend,
            size: (width, height),
        })
    }

    fn draw_cell<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        axes: &Axes,
        cell: Option<&GalleryCell>,
    ) -> Result<(), PlotError> {
        axes.grid(canvas, &axes.x_ticks(false), &[])?;
        let Some(cell) = cell else {
            axes.edges(canvas)?;
            return axes.remark(canvas, EMPTY);
        };
        let colour = if cell.is_right { OLD } else { NEW };
        self.draw_spikes(canvas, axes, &cell.spikes, colour)?;
        axes.edges(canvas)?;
        let kind = Type::REMARK.coloured(colour);
        let place = (
            axes.frame.centre().0,
            axes.frame.top - REMARK_GAP - kind.line() / 2.0,
        );
        let remark = kind.shorten(&cell.remark, axes.frame.width() + GAP / 2.0);
        canvas.text(&remark, place, Align::Middle, kind)
    }

    fn draw_spikes<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        axes: &Axes,
        spikes: &SpikeRaster,
        colour: RGBColor,
    ) -> Result<(), PlotError> {
        let frame = axes.frame;
        let step_s = self.grid.step_ms() / 1e3;
        let steps = self.figure.steps_a_mark.clamp(1, self.grid.steps());
        let width = axes.x_place(step_s * steps as f64) - axes.x_place(0.0);
        // A gap between marks while there is room for one; nothing gets too thin to be seen.
        let width = (0.8 * width).max(1.0);
        let height = (0.8 * frame.height() / spikes.units() as f64).max(1.0);
        for step in (0..spikes.steps()).map(TimeStep) {
            let left = axes.x_place(self.grid.start_s(step));
            for unit in spikes.active(step) {
                let y = axes.y_place(-(unit.0 as f64));
                let mark = Frame::new(
                    left,
                    (y - height / 2.0).max(frame.top),
                    (left + width).min(frame.right),
                    (y + height / 2.0).min(frame.bottom),
                );
                canvas.area(mark, colour)?;
            }
        }
        Ok(())
    }
}

impl Figure for Layout<'_> {
    fn size(&self) -> (f64, f64) {
        self.size
    }

    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        let (width, height) = self.size;
        let middle = (LEFT + width - RIGHT) / 2.0;
        let mut y = TOP + Type::TITLE.line() / 2.0;
        for line in &self.title {
            canvas.text(line, (middle, y), Align::Middle, Type::TITLE)?;
            y += Type::TITLE.line();
        }
        let kind = Type::LABEL.bold();
        let first = self.rows.first().into_iter().flatten();
        for (axes, lines) in first.zip(&self.columns) {
            // The last line stands just above the remarks.
            let bottom = axes.frame.top - REMARK_GAP - Type::REMARK.line();
            let mut y = bottom - (lines.len() as f64 - 0.5) * kind.line();
            for line in lines {
                canvas.text(line, (axes.frame.centre().0, y), Align::Middle, kind)?;
                y += kind.line();
            }
        }
        for (row, frames) in self.figure.rows.iter().zip(&self.rows) {
            for (axes, cell) in frames.iter().zip(&row.cells) {
                self.draw_cell(canvas, axes, cell.as_ref())?;
            }
            if let Some(axes) = frames.first() {
                axes.y_labels(canvas, &axes.unit_ticks())?;
                let unit = Type::new(TICK_SIZE, QUIET);
                let names = [
                    (kind.shorten(&row.name, HEIGHT), kind),
                    (unit.shorten(&self.figure.unit_name, HEIGHT), unit),
                ];
                axes.y_name(canvas, &names, LEFT - 30.0)?;
            }
        }
        for axes in self.rows.last().into_iter().flatten() {
            axes.x_labels(canvas, &axes.x_ticks(false), "time (s)")?;
        }
        let top = height - LEGEND_GAP - self.legend.height();
        self.legend.draw(canvas, middle, top)
    }
}
