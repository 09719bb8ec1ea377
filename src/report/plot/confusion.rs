//! Which classes were taken for which.
//!
//! In: records of finished runs. Out: a figure with one heat map for each, every row in percent of
//! its class's samples, and a colour bar.

use ndarray::{Array2, Axis};
use plotters::backend::DrawingBackend;

use super::PlotError;
use super::axes::{Axes, Frame, Scale};
use super::canvas::{Align, Canvas, Figure};
use super::heat_map::{BAR_WIDTH, NOTHING, Names, WIDEST_NAME, colour, draw_bar, outline};
use super::panels::{title_above, title_height};
use super::style::{INK, PAPER, TICK_SIZE, Type};
use crate::report::{RunRecord, Summary};

/// More classes than these cannot be told apart in a figure.
const MOST_CLASSES: usize = 400;
/// Up to so many classes counts are written into the cells.
const MOST_COUNTED: usize = 12;
const GAP: f64 = 40.0;
const TOP: f64 = 24.0;
/// A figure with everything in its place.
#[derive(Debug)]
pub(super) struct Layout {
    panels: Vec<Panel>,
    bar: Axes,
    size: (f64, f64),
}

#[derive(Debug)]
struct Panel {
    title: Vec<String>,
    classes: Classes,
    frame: Frame,
    names: Names,
}

/// A run's matrix and the names of its rows and columns.
#[derive(Debug)]
struct Classes {
    counts: Array2<u32>,
    names: Vec<String>,
}

impl Classes {
    fn of(run: &RunRecord) -> Result<Self, PlotError> {
        let confusion = match &run.summary {
            Some(Summary::Learn(summary)) => summary.confusion.after.counts(),
            Some(Summary::Train(summary)) => summary.confusion.counts(),
            None => {
                let reason = format!("{} is not over", run.name);
                return Err(PlotError::NothingToDraw(reason));
            }
        };
        let names = &run.start.data.class_names;
        // A network may have more readouts than the data has classes.
        let found = confusion.indexed_iter().filter(|(_, count)| **count > 0);
        let found = found.map(|((row, column), _)| row.max(column) + 1).max();
        let classes = found.unwrap_or(0).max(names.len());
        if !(1..=MOST_CLASSES).contains(&classes) {
            let reason = format!(
                "{} has {classes} classes, and 1 to {MOST_CLASSES} are drawn",
                run.name
            );
            return Err(PlotError::NothingToDraw(reason));
        }
        let count = |place: (usize, usize)| confusion.get(place).copied().unwrap_or(0);
        let name = |class: usize| {
            names
                .get(class)
                .cloned()
                .unwrap_or_else(|| class.to_string())
        };
        let short = |name: String| Type::TICK.shorten(&name, WIDEST_NAME);
        Ok(Classes {
            counts: Array2::from_shape_fn((classes, classes), count),
            names: (0..classes).map(|class| short(name(class))).collect(),
        })
    }

    fn len(&self) -> usize {
        self.names.len()
    }

    /// Percentage of samples that were taken for what they are.
    fn accuracy(&self) -> Option<f64> {
        let sum =
            |counts: &mut dyn Iterator<Item = &u32>| counts.map(|c| u64::from(*c)).sum::<u64>();
        let all = sum(&mut self.counts.iter());
        let right = sum(&mut self.counts.diag().iter());
        (all > 0).then(|| right as f64 / all as f64 * 1e2)
    }

    /// Every `n`-th name only is written where they would run into each other.
    fn name_every(&self, cell: f64) -> usize {
        ((TICK_SIZE * 1.05 / cell).ceil() as usize).max(1)
    }
}

impl Layout {
    /// Puts everything in its place.
    pub fn new(runs: &[RunRecord]) -> Result<Self, PlotError> {
        if runs.is_empty() {
            return Err(PlotError::NothingToDraw("no run was given".into()));
        }
        let classes = runs
            .iter()
            .map(Classes::of)
            .collect::<Result<Vec<_>, _>>()?;
        let columns = match runs.len() {
            4 => 2,
            runs => runs.min(3),
        };
        let most = classes.iter().map(Classes::len).max().unwrap_or(1);
        // The smallest side at which names need not be left out and counts fit, within limits.
        let cell = if most <= MOST_COUNTED { 58.0 } else { 36.0 };
        let side = (cell * most as f64).clamp(480.0, 1150.0);
        let side = if runs.len() == 1 {
            side.max(720.0)
        } else {
            side
        };

        let names_width = classes.iter().flat_map(|classes| &classes.names);
        let names_width = names_width
            .map(|name| Type::TICK.width(name))
            .fold(0.0, f64::max);
        let level = classes.iter().all(|classes| level(classes, side));
        let names = Names {
            width: names_width,
            height: if level { TICK_SIZE } else { names_width },
            level,
        };
        let (left, below) = (names.left(), names.below());
        let titles = runs.iter().zip(&classes).map(|(run, classes)| {
            let mut lines = Type::TITLE.wrap(&run.name, side, 2);
            lines.push(match classes.accuracy() {
                Some(accuracy) => format!("accuracy {accuracy:.1} %"),
                None => "no samples".to_string(),
            });
            lines
        });
        let titles: Vec<Vec<String>> = titles.collect();
        let title_lines = titles.iter().map(Vec::len).max().unwrap_or(1);
        let title_height = title_height(title_lines);

        let panels = titles.into_iter().zip(classes).enumerate();
        let panels = panels.map(|(index, (title, classes))| {
            let (row, column) = ((index / columns) as f64, (index % columns) as f64);
            let left = left + column * (left + side + GAP);
            let top = TOP + title_height + row * (title_height + side + below + 20.0);
            Panel {
                title,
                classes,
                frame: Frame::new(left, top, left + side, top + side),
                names,
            }
        });
        let panels: Vec<Panel> = panels.collect();
        let right = columns as f64 * (left + side + GAP);
        let rows = runs.len().div_ceil(columns) as f64;
        let bottom = TOP + rows * (title_height + side + below + 20.0) - 20.0;
        let top = TOP + title_height;
        let bar = Axes {
            frame: Frame::new(right, top, right + BAR_WIDTH, top + side),
            x: Scale::new(0.0, 1.0),
            y: Scale::new(0.0, 100.0),
        };
        Ok(Layout {
            panels,
            bar,
            size: (right + BAR_WIDTH + 120.0, bottom),
        })
    }
}

/// Whether class names fit side by side.
fn level(classes: &Classes, side: f64) -> bool {
    let cell = side / classes.len() as f64;
    let mut widths = classes.names.iter().map(|name| Type::TICK.width(name));
    widths.all(|width| width + 10.0 <= cell)
}

impl Panel {
    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        let frame = self.frame;
        let last = self.title.len().saturating_sub(1);
        title_above(canvas, frame, &self.title, |line| match line == last {
            true => Type::LABEL,
            false => Type::TITLE,
        })?;
        self.draw_cells(canvas)?;
        outline(canvas, frame)?;
        self.draw_names(canvas)
    }

    fn cell(&self, row: usize, column: usize) -> Frame {
        let side = self.frame.width() / self.classes.len() as f64;
        let left = self.frame.left + column as f64 * side;
        let top = self.frame.top + row as f64 * side;
        Frame::new(left, top, left + side, top + side)
    }

    fn draw_cells<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        let counts = &self.classes.counts;
        let largest = counts.iter().max().copied().unwrap_or(0).to_string();
        let cell = self.frame.width() / self.classes.len() as f64;
        // One size for all counts, at which the largest one fits.
        let fitting = (cell - 10.0) / Type::new(100.0, INK).width(&largest).max(1.0) * 100.0;
        let size = fitting.min(TICK_SIZE);
        let counted = self.classes.len() <= MOST_COUNTED && size >= 8.0;
        for (row, shares) in counts.axis_iter(Axis(0)).enumerate() {
            let samples: u64 = shares.iter().map(|count| u64::from(*count)).sum();
            for (column, count) in shares.iter().enumerate() {
                let share = f64::from(*count) / samples.max(1) as f64;
                let fill = if samples == 0 { NOTHING } else { colour(share) };
                let cell = self.cell(row, column);
                canvas.area(cell, fill)?;
                if counted && *count > 0 {
                    let ink = if share > 0.65 { PAPER } else { INK };
                    let kind = Type::new(size, ink);
                    canvas.text(&count.to_string(), cell.centre(), Align::Middle, kind)?;
                }
            }
        }
        Ok(())
    }

    fn draw_names<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        let frame = self.frame;
        let names = &self.classes.names;
        let every = self.classes.name_every(frame.width() / names.len() as f64);
        for (index, name) in names.iter().enumerate().step_by(every) {
            let (x, y) = self.cell(index, index).centre();
            self.names.draw_row(canvas, frame, y, name)?;
            self.names.draw_column(canvas, frame, x, name)?;
        }
        let axes = ("true class", "predicted class");
        self.names.draw_axes(canvas, frame, axes)
    }
}

impl Figure for Layout {
    fn size(&self) -> (f64, f64) {
        self.size
    }

    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        for panel in &self.panels {
            panel.draw(canvas)?;
        }
        draw_bar(canvas, &self.bar, "share of the true class (%)")
    }
}
