//! Panels in rows, all of one size, over one legend.
//!
//! In: titles, a number of columns and the height of a panel. Out: where each panel and its title stand,
//! and the size of the figure, which is always as wide, so that type is equally large in figures that
//! are shown equally wide.

use plotters::backend::DrawingBackend;

use super::PlotError;
use super::axes::Frame;
use super::canvas::{Align, Canvas};
use super::legend::Legend;
use super::style::Type;

/// How wide every figure of panels is.
pub(super) const WIDTH: f64 = 1600.0;
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

/// What stands above a panel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Title {
    /// Its name.
    pub name: String,
    /// What else is to be known, in smaller type; may be empty.
    pub remark: String,
}

impl Title {
    /// Lines with their type, no wider than that.
    pub fn lines(&self, width: f64) -> Vec<(String, Type)> {
        let mut lines = Vec::new();
        for (text, kind) in [(&self.name, Type::TITLE), (&self.remark, Type::REMARK)] {
            if !text.is_empty() {
                let wrapped = kind.wrap(text, width, 3).into_iter();
                lines.extend(wrapped.map(|line| (line, kind)));
            }
        }
        lines
    }
}

/// Where a panel stands.
#[derive(Debug, Clone)]
pub(super) struct PanelPlace {
    /// What it is drawn in.
    pub frame: Frame,
    /// Whether it is in the first column, which has the y axis's numbers and name.
    pub leftmost: bool,
    title: Vec<(String, Type)>,
}

impl PanelGrid {
    /// A panel for each title, so many side by side and so high.
    pub fn new(
        titles: &[Title],
        columns: usize,
        height: f64,
        legend: impl FnOnce(f64) -> Legend,
    ) -> Self {
        Self::below(TOP, titles, columns, height, legend)
    }

    /// The same with its first title so far down.
    pub fn below(
        top: f64,
        titles: &[Title],
        columns: usize,
        height: f64,
        legend: impl FnOnce(f64) -> Legend,
    ) -> Self {
        let columns = columns.max(1);
        let width = panel_width(columns);
        let mut panels = Vec::new();
        let mut bottom = top;
        for row in titles.chunks(columns) {
            let titles: Vec<_> = row.iter().map(|title| title.lines(width)).collect();
            // As high as the highest title of the row.
            let highest = titles.iter().map(|lines| lines_height(lines));
            let top = bottom + highest.fold(0.0, f64::max) + TITLE_GAP;
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
        let legend = legend(WIDTH - LEFT - RIGHT);
        PanelGrid {
            panels,
            size: (WIDTH, bottom + legend.height() + LEGEND_GAP),
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
        title_above(canvas, self.frame, &self.title)
    }
}

/// How wide a panel is with so many side by side.
pub(super) fn panel_width(columns: usize) -> f64 {
    let gaps = GAP * columns.saturating_sub(1) as f64;
    (WIDTH - LEFT - RIGHT - gaps) / columns.max(1) as f64
}

/// Lines of a title above a frame, each in its type.
pub(super) fn title_above<B: DrawingBackend>(
    canvas: &mut Canvas<'_, B>,
    frame: Frame,
    lines: &[(String, Type)],
) -> Result<(), PlotError> {
    let mut y = frame.top - TITLE_GAP - lines_height(lines);
    for (line, kind) in lines {
        let middle = (frame.centre().0, y + kind.line() / 2.0);
        canvas.text(line, middle, Align::Middle, *kind)?;
        y += kind.line();
    }
    Ok(())
}

/// How high lines of a title are.
fn lines_height(lines: &[(String, Type)]) -> f64 {
    lines.iter().map(|(_, kind)| kind.line()).sum()
}

/// How high a title of such lines is, with what separates it from its panel.
pub(super) fn title_height(lines: &[(String, Type)]) -> f64 {
    lines_height(lines) + TITLE_GAP
}
