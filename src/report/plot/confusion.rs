//! Which classes were taken for which.
//!
//! In: records of finished runs. Out: a figure with one heat map for each, coloured by percent of the
//! true class's samples, with counts in the cells and marks at classes that were new, and a colour bar.

use ndarray::{Array2, Axis};
use plotters::backend::DrawingBackend;

use super::PlotError;
use super::axes::{Axes, Frame, Scale};
use super::canvas::{Align, Canvas, Figure};
use super::heat_map::{BAR_WIDTH, NOTHING, Names, WIDEST_NAME, borders, colour, draw_bar, outline};
use super::panels::{Title, title_above, title_height};
use super::style::{INK, NEW, PAPER, TICK_SIZE, Type};
use crate::report::{RunRecord, Summary};

/// More classes than these cannot be told apart in a figure.
const MOST_CLASSES: usize = 400;
/// Limits of a panel's side.
const SIDES: (f64, f64) = (480.0, 2000.0);
/// Smaller type than this can't be read.
const SMALLEST_TYPE: f64 = 12.0;
/// What stands behind the name of a new class.
const NEW_MARK: &str = "\u{a0}*";
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
    title: Vec<(String, Type)>,
    classes: Classes,
    frame: Frame,
    names: Names,
}

/// A run's matrix and the names of its rows and columns.
#[derive(Debug)]
struct Classes {
    counts: Array2<u32>,
    names: Vec<String>,
    /// Whether each was learned after pre-training.
    new: Vec<bool>,
    /// Whether these are training samples, for want of others.
    of_training: bool,
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
        let new_names = run.new_classes();
        let new = |class: usize| {
            names
                .get(class)
                .is_some_and(|name| new_names.contains(&name))
        };
        let short = |class: usize| match new(class) {
            true => {
                let kind = Type::TICK.bold();
                kind.shorten(&name(class), WIDEST_NAME - kind.width(NEW_MARK)) + NEW_MARK
            }
            false => Type::TICK.shorten(&name(class), WIDEST_NAME),
        };
        Ok(Classes {
            counts: Array2::from_shape_fn((classes, classes), count),
            names: (0..classes).map(short).collect(),
            new: (0..classes).map(new).collect(),
            of_training: matches!(&run.summary, Some(Summary::Train(summary)) if summary.test_accuracy.is_none()),
        })
    }

    /// How the name of a class is set.
    fn kind(&self, class: usize) -> Type {
        match self.new[class] {
            true => Type::TICK.bold().coloured(NEW),
            false => Type::TICK,
        }
    }

    /// How wide the widest name is.
    fn names_width(&self) -> f64 {
        let widths = self.names.iter().enumerate();
        let widths = widths.map(|(class, name)| self.kind(class).width(name));
        widths.fold(0.0, f64::max)
    }

    /// The width of the largest count in type of size 1.
    fn widest_count(&self) -> f64 {
        let largest = self.counts.iter().max().copied().unwrap_or(0).to_string();
        Type::new(100.0, INK).width(&largest).max(1.0) / 100.0
    }

    /// The type size at which all counts fit into cells of that side, if they can be read then.
    fn count_size(&self, side: f64) -> Option<f64> {
        let cell = side / self.len() as f64;
        let size = ((cell - 8.0) / self.widest_count())
            .min(TICK_SIZE)
            .min(0.8 * cell);
        (size >= SMALLEST_TYPE).then_some(size)
    }

    /// How large a panel must be for names not to be left out, and counts to be read.
    fn side(&self) -> f64 {
        let cell = (self.widest_count() * 16.0 + 9.0).max(TICK_SIZE * 1.05 + 1.0);
        let roomy = if self.len() <= 12 { 58.0 } else { 0.0 };
        self.len() as f64 * cell.max(roomy)
    }

    /// What stands below a run's name.
    fn remark(&self, side: f64) -> String {
        let samples: u64 = self.counts.iter().map(|count| u64::from(*count)).sum();
        let mut remark = match (self.accuracy(), self.of_training) {
            (None, _) => "no samples".to_string(),
            (Some(right), false) => format!("accuracy {right:.1} % of {samples} test samples"),
            (Some(right), true) => format!(
                "accuracy {right:.1} % of {samples} training samples, as there were none to test with"
            ),
        };
        if self.new.contains(&true) {
            remark += "; *\u{a0}new\u{a0}classes";
        }
        if self.count_size(side).is_none() {
            remark += "; counts are too many to be written here, and are in summary.json";
        }
        remark
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
        let needed = classes.iter().map(Classes::side).fold(0.0, f64::max);
        let least = if runs.len() == 1 { 720.0 } else { SIDES.0 };
        let side = needed.clamp(least, SIDES.1);

        let names_width = classes.iter().map(Classes::names_width).fold(0.0, f64::max);
        let level = classes.iter().all(|classes| level(classes, side));
        let names = Names {
            width: names_width,
            height: if level { TICK_SIZE } else { names_width },
            level,
        };
        let (left, below) = (names.left(), names.below());
        let titles = runs.iter().zip(&classes).map(|(run, classes)| {
            let title = Title {
                name: run.name.clone(),
                remark: classes.remark(side),
            };
            title.lines(side)
        });
        let titles: Vec<_> = titles.collect();
        let highest = titles.iter().map(|lines| title_height(lines));
        let title_height = highest.fold(0.0, f64::max);

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
    classes.names_width() + 10.0 <= cell
}

impl Panel {
    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        let frame = self.frame;
        title_above(canvas, frame, &self.title)?;
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
        let size = self.classes.count_size(self.frame.width());
        let mut written = Vec::new();
        for (row, shares) in counts.axis_iter(Axis(0)).enumerate() {
            let samples: u64 = shares.iter().map(|count| u64::from(*count)).sum();
            for (column, count) in shares.iter().enumerate() {
                let share = f64::from(*count) / samples.max(1) as f64;
                let fill = if samples == 0 { NOTHING } else { colour(share) };
                let cell = self.cell(row, column);
                canvas.area(cell, fill)?;
                if let Some(size) = size.filter(|_| *count > 0) {
                    let ink = if share > 0.65 { PAPER } else { INK };
                    written.push((count.to_string(), cell.centre(), Type::new(size, ink)));
                }
            }
        }
        borders(canvas, self.frame, counts.dim())?;
        for (count, middle, kind) in written {
            canvas.text(&count, middle, Align::Middle, kind)?;
        }
        Ok(())
    }

    fn draw_names<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        let frame = self.frame;
        let names = &self.classes.names;
        let every = self.classes.name_every(frame.width() / names.len() as f64);
        for (index, name) in names.iter().enumerate().step_by(every) {
            let (x, y) = self.cell(index, index).centre();
            let name = (name.as_str(), self.classes.kind(index));
            self.names.draw_row(canvas, frame, y, name)?;
            self.names.draw_column(canvas, frame, x, name)?;
        }
        let axes = match self.classes.count_size(frame.width()) {
            Some(_) => (
                "true class",
                "predicted class (number of samples; empty: 0)",
            ),
            None => ("true class", "predicted class"),
        };
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
