//! Several quantities of runs of plain training, one row a run.
//!
//! In: records of runs, and what is asked for of them. Out: where each panel stands; those in a column share
//! their y axis. The panels of a single run stand in two columns, as large as they can be.

use plotters::backend::DrawingBackend;

use super::super::PlotError;
use super::super::axes::Frame;
use super::super::canvas::{Canvas, Figure};
use super::super::legend::{Key, Legend};
use super::super::panels::{WIDTH, title_above, title_height};
use super::super::style::Type;
use super::accuracy::{AccuracyPanel, legend_entries};
use super::quantities::Quantity;
use super::{CurvesOf, chosen_entry, title};
use crate::report::RunRecord;

/// Left of each panel: numbers and the name of its y axis.
const LEFT: f64 = 124.0;
/// From the left edge of a panel to the middle of the y axis's name.
const NAME_LEFT: f64 = LEFT - 24.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 20.0;
/// Below a panel: numbers and the name of the x axis.
const BOTTOM: f64 = 96.0;
/// Below the legend.
const LEGEND_GAP: f64 = 20.0;

/// A figure with everything in its place.
#[derive(Debug)]
pub(in super::super) struct Rows<'a> {
    /// One a run.
    rows: Vec<Row<'a>>,
    /// From left to right.
    shown: Vec<Shown>,
    legend: Legend,
    /// Where it begins.
    legend_top: f64,
}

#[derive(Debug)]
struct Row<'a> {
    panel: AccuracyPanel<'a>,
    title: Vec<(String, Type)>,
    /// What the title stands above.
    below_title: Frame,
    /// One for each of what is shown.
    frames: Vec<Frame>,
}

#[derive(Debug)]
enum Shown {
    Accuracy,
    Other(Quantity),
}

impl<'a> Rows<'a> {
    /// Puts everything in its place.
    pub fn new(runs: &'a [RunRecord], of: &[CurvesOf]) -> Self {
        let columns = match (runs.len(), of.len()) {
            (1, several) => several.min(2),
            (_, several) => several,
        };
        let height = match columns {
            1 => 720.0,
            2 => 420.0,
            _ => 340.0,
        };
        let mut bottom = TOP;
        let mut rows = Vec::new();
        for run in runs {
            let title = title(run).lines(WIDTH - LEFT - RIGHT);
            let top = bottom + title_height(&title);
            let frames = (0..of.len()).map(|index| {
                let (row, column) = ((index / columns) as f64, index % columns);
                frame(column, columns, top + row * (height + BOTTOM), height)
            });
            let frames: Vec<Frame> = frames.collect();
            let lowest = frames.last().map_or(top, |frame| frame.bottom);
            rows.push(Row {
                panel: AccuracyPanel::new(run),
                title,
                below_title: Frame::new(LEFT, top, WIDTH - RIGHT, lowest),
                frames,
            });
            bottom = lowest + BOTTOM;
        }
        let shown = of.iter().map(|of| match of {
            CurvesOf::Accuracy => Shown::Accuracy,
            of => Shown::Other(Quantity::new(*of, runs)),
        });
        let shown: Vec<Shown> = shown.collect();
        let panels: Vec<&AccuracyPanel<'_>> = rows.iter().map(|row| &row.panel).collect();
        let mut entries = entries(&panels, &shown);
        entries.extend(chosen_entry(runs));
        Rows {
            legend: Legend::new(entries, WIDTH - 2.0 * RIGHT),
            rows,
            shown,
            legend_top: bottom,
        }
    }
}

/// Where a panel stands.
fn frame(column: usize, columns: usize, top: f64, height: f64) -> Frame {
    let width = (WIDTH - RIGHT) / columns as f64;
    let left = column as f64 * width + LEFT;
    Frame::new(left, top, (column + 1) as f64 * width, top + height)
}

/// What everything means, each once.
fn entries(panels: &[&AccuracyPanel<'_>], shown: &[Shown]) -> Vec<(Key, String)> {
    let mut entries: Vec<(Key, String)> = Vec::new();
    for shown in shown {
        let more = match shown {
            Shown::Accuracy => legend_entries(panels),
            Shown::Other(quantity) => quantity.entries(),
        };
        for entry in more {
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
    }
    entries
}

impl Figure for Rows<'_> {
    fn size(&self) -> (f64, f64) {
        (WIDTH, self.legend_top + self.legend.height() + LEGEND_GAP)
    }

    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        for row in &self.rows {
            title_above(canvas, row.below_title, &row.title)?;
            for (shown, frame) in self.shown.iter().zip(&row.frames) {
                match shown {
                    Shown::Accuracy => row.panel.draw(canvas, *frame, Some(NAME_LEFT))?,
                    Shown::Other(quantity) => {
                        quantity.draw(canvas, row.panel.run, *frame, NAME_LEFT)?;
                    }
                }
            }
        }
        self.legend.draw(canvas, WIDTH / 2.0, self.legend_top)
    }
}
