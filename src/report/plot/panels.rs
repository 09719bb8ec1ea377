//! Panels in rows, all of one size, over one legend.
//!
//! In: titles, a number of columns and the size of a panel. Out: where each panel and its title stand,
//! and the size of the figure.

use plotters::backend::DrawingBackend;

use super::PlotError;
use super::axes::Frame;
use super::canvas::{Align, Canvas};
use super::legend::Legend;
use super::style::Type;

/// Left of the first column: numbers and the name of the y axis.
const LEFT: f64 = 140.0;
const RIGHT: f64 = 40.0;
const GAP: f64 = 44.0;
const TOP: f64 = 20.0;
/// From a title to its panel.
const TITLE_GAP: f64 = 14.0;
/// Below a panel: numbers and the name of the x axis.
const BOTTOM: f64 = 92.0;
/// Below the legend.
const LEGEND_GAP: f64 = 20.0;

/// From the left edge of a panel in the first column to the middle of the y axis's name.
pub(super) const Y_NAME_LEFT: f64 = LEFT - 36.0;

/// Where everything stands.
#[derive(Debug)]
pub(super) struct PanelGrid {
    /// From left to right, row by row.
    pub panels: Vec<PanelPlace>,
    legend: Legend,
    size: (f64, f64),
}

/// Where a panel stands.
#[derive(Debug, Clone)]
pub(super) struct PanelPlace {
    /// What it is drawn in.
    pub frame: Frame,
    /// Whether it is in the first column, which has the y axis's numbers and name.
    pub leftmost: bool,
    title: Vec<String>,
}

impl PanelGrid {
    /// A panel for each title, so many side by side.
    pub fn new(
        titles: &[String],
        columns: usize,
        (width, height): (f64, f64),
        legend: impl FnOnce(f64) -> Legend,
    ) -> Self {
        let whole_width = LEFT + columns as f64 * (width + GAP) - GAP + RIGHT;
        let mut panels = Vec::new();
        let mut bottom = TOP;
        for row in titles.chunks(columns.max(1)) {
            let titles = row.iter().map(|title| Type::TITLE.wrap(title, width, 2));
            let titles: Vec<Vec<String>> = titles.collect();
            // As high as the highest title of the row.
            let lines = titles.iter().map(Vec::len).max().unwrap_or(1);
            let top = bottom + title_height(lines);
            for (column, title) in titles.into_iter().enumerate() {
                let left = LEFT + column as f64 * (width + GAP);
                panels.push(PanelPlace {
                    frame: Frame::new(left, top, left + width, top + height),
                    leftmost: column == 0,
                    title,
                });
            }
            bottom = top + height + BOTTOM;
        }
        let legend = legend(whole_width - LEFT - RIGHT);
        PanelGrid {
            panels,
            size: (whole_width, bottom + legend.height() + LEGEND_GAP),
            legend,
        }
    }

    /// Width and height of the figure.
    pub fn size(&self) -> (f64, f64) {
        self.size
    }

    /// Draws the legend below the panels.
    pub fn draw_legend<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
    ) -> Result<(), PlotError> {
        let (width, height) = self.size;
        let middle = (LEFT + width - RIGHT) / 2.0;
        let top = height - LEGEND_GAP - self.legend.height();
        self.legend.draw(canvas, middle, top)
    }
}

impl PanelPlace {
    /// Draws the title.
    pub fn draw_title<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
    ) -> Result<(), PlotError> {
        title_above(canvas, self.frame, &self.title, |_| Type::TITLE)
    }
}

/// Lines of a title above a frame, each in the type that belongs to its number.
pub(super) fn title_above<B: DrawingBackend>(
    canvas: &mut Canvas<'_, B>,
    frame: Frame,
    lines: &[String],
    kind: impl Fn(usize) -> Type,
) -> Result<(), PlotError> {
    let mut y = frame.top - TITLE_GAP - (lines.len() as f64 - 0.5) * Type::TITLE.line();
    for (index, line) in lines.iter().enumerate() {
        canvas.text(line, (frame.centre().0, y), Align::Middle, kind(index))?;
        y += Type::TITLE.line();
    }
    Ok(())
}

/// How high a title of so many lines is, with what separates it from its panel.
pub(super) fn title_height(lines: usize) -> f64 {
    lines as f64 * Type::TITLE.line() + TITLE_GAP
}
