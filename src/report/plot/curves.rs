//! Accuracy over epochs.
//!
//! In: records of runs, finished or not. Out: a figure with one panel for each, all from 0 to 100 %;
//! a dashed line stands where learning something new begins, lighter ones at every further task. Where
//! several things are learned one by one, *old* is what pre-training knew under either protocol, *new* are
//! those learned so far, and what is still to come has a line of its own.

use plotters::backend::DrawingBackend;
use plotters::style::RGBColor;

use super::PlotError;
use super::axes::{Axes, Scale};
use super::canvas::{Canvas, DASHES, Figure};
use super::legend::{Key, Legend};
use super::panels::{PanelGrid, PanelPlace, Title, Y_NAME_LEFT};
use super::style::{ALL, INK, NEW, OLD, TEST, TO_COME, TRAIN, Type};
use crate::continual::{Accuracies, TestSamples};
use crate::report::{EpochLine, PhaseName, RunRecord, Summary};

const LIGHT: RGBColor = RGBColor(0xAA, 0xAA, 0xAA);
/// Up to so many epochs each is marked with a dot.
const MOST_DOTS: usize = 30;

/// What a line in a panel shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// Training samples, of plain training: in continual learning they are of another mix in every task.
    Training,
    /// Test samples of plain training.
    Test,
    All,
    Old,
    /// What is new; where several things are learned, those that have been so far.
    New,
    /// Of several things to be learned, those that have not been.
    ToCome,
}

/// A line in a panel.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Curve {
    of: Of,
    name: &'static str,
    colour: RGBColor,
}

// In the order of drawing: what matters more comes on top.
const CURVES: [Curve; 6] = [
    Curve {
        of: Of::Training,
        name: "training samples",
        colour: TRAIN,
    },
    Curve {
        of: Of::Test,
        name: "test samples",
        colour: TEST,
    },
    Curve {
        of: Of::ToCome,
        name: "still to come",
        colour: TO_COME,
    },
    Curve {
        of: Of::All,
        name: "all test samples",
        colour: ALL,
    },
    Curve {
        of: Of::Old,
        name: "old",
        colour: OLD,
    },
    Curve {
        of: Of::New,
        name: "new (of several, those learned so far)",
        colour: NEW,
    },
];

impl Curve {
    /// Accuracy in percent after an epoch, if there is any that can be drawn.
    fn value(self, run: &RunRecord, epoch: &EpochLine) -> Option<f64> {
        let recorded = |key: &str| epoch.accuracy.get(key).copied();
        let (task, several) = (epoch.task, several(run, &epoch.tasks));
        let value = match self.of {
            Of::Training if epoch.phase == PhaseName::Train => Some(epoch.train_accuracy),
            Of::Training => None,
            Of::Test => recorded("test"),
            Of::All => recorded("all"),
            // Where old grows while several are learned, *old* is still what pre-training knew.
            Of::Old if several && run.old_grows() => mean_of(run, &epoch.tasks, 0..1),
            Of::Old => recorded("old"),
            Of::New if !several => recorded("new"),
            Of::New => mean_of(run, &epoch.tasks, 1..task + 1),
            Of::ToCome if several => mean_of(run, &epoch.tasks, task + 1..epoch.tasks.len()),
            Of::ToCome => None,
        }?;
        value.is_finite().then_some(value * 1e2)
    }

    /// The same of the pre-trained network of a run that did no pre-training of its own.
    fn before(self, run: &RunRecord) -> Option<f64> {
        let Some(Summary::Learn(summary)) = &run.summary else {
            return None;
        };
        let Accuracies { old, new, all } = summary.accuracy.before;
        let first = summary.matrix.rows().first();
        let first = first.filter(|row| several(run, row));
        let value = match (self.of, first) {
            (Of::Old, Some(row)) if run.old_grows() => mean_of(run, row, 0..1),
            (Of::Old, _) => Some(old),
            (Of::All, _) => Some(all),
            (Of::New, None) => Some(new),
            (Of::ToCome, Some(row)) => mean_of(run, row, 1..row.len()),
            _ => None,
        }?;
        value.is_finite().then_some(value * 1e2)
    }

    fn is_in(self, panel: &Panel<'_>) -> bool {
        let mut epochs = panel.run.epochs.iter();
        panel.from_before && self.before(panel.run).is_some()
            || epochs.any(|epoch| self.value(panel.run, epoch).is_some())
    }
}

/// Whether a run learns several new things and these are its accuracies on each task.
fn several(run: &RunRecord, accuracies: &[f64]) -> bool {
    run.learns_several() && accuracies.len() == run.start.tasks.len()
}

/// Accuracy on the test samples of some tasks together.
fn mean_of(run: &RunRecord, accuracies: &[f64], tasks: std::ops::Range<usize>) -> Option<f64> {
    let tests = run.start.tasks.get(tasks.clone())?.iter();
    let tests: Vec<f64> = tests.map(|task| task.test as f64).collect();
    let right = accuracies.get(tasks)?.iter().zip(&tests);
    let right: f64 = right.map(|(accuracy, tests)| accuracy * tests).sum();
    let all: f64 = tests.iter().sum();
    (all > 0.0).then(|| right / all)
}

/// A figure with everything in its place.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    panels: Vec<Panel<'a>>,
    grid: PanelGrid,
}

#[derive(Debug)]
struct Panel<'a> {
    run: &'a RunRecord,
    /// Epochs, counted over all tasks, after which a task begins; the first begins learning.
    tasks: Vec<usize>,
    /// Where a run learns from the first epoch on: whether what its pre-trained network could do is drawn
    /// as epoch 0.
    from_before: bool,
}

impl<'a> Layout<'a> {
    /// Puts everything in its place.
    pub fn new(runs: &'a [RunRecord]) -> Result<Self, PlotError> {
        if runs.iter().all(|run| run.epochs.is_empty()) {
            let names: Vec<&str> = runs.iter().map(|run| run.name.as_str()).collect();
            return Err(PlotError::NothingToDraw(match names.as_slice() {
                [] => "no run was given".to_string(),
                names => format!("no epoch is recorded of {}", names.join(", ")),
            }));
        }
        let columns = match runs.len() {
            4 => 2,
            runs => runs.min(3),
        };
        let height = match columns {
            1 => 720.0,
            2 => 500.0,
            _ => 380.0,
        };
        let titles = runs.iter().map(|run| {
            let over = if run.summary.is_some() {
                ""
            } else {
                " (unfinished)"
            };
            Title {
                name: format!("{}{over}", run.name),
                remark: samples(run),
            }
        });
        let titles: Vec<Title> = titles.collect();
        let panels = runs.iter().map(|run| Panel {
            run,
            tasks: task_starts(&run.epochs),
            from_before: learns_at_once(run),
        });
        let panels: Vec<Panel<'a>> = panels.collect();
        let grid = PanelGrid::new(&titles, columns, height, |width| {
            Legend::new(legend_entries(&panels), width)
        });
        Ok(Layout { panels, grid })
    }
}

/// Whether a run did no pre-training of its own, and says what its pre-trained network could do.
fn learns_at_once(run: &RunRecord) -> bool {
    let first = run.epochs.first().map(|epoch| epoch.phase);
    first == Some(PhaseName::Learn) && matches!(run.summary, Some(Summary::Learn(_)))
}

/// How many samples stand behind the curves.
fn samples(run: &RunRecord) -> String {
    let count = |samples: usize| match samples {
        1 => "1 test sample".to_string(),
        samples => format!("{samples} test samples"),
    };
    match run.test_samples() {
        // The curves count as old what pre-training knew, and as new all that was learned since.
        Some(TestSamples { all, .. }) if run.old_grows() => {
            let tests: Vec<usize> = run.start.tasks.iter().map(|task| task.test).collect();
            let TestSamples { old, new, .. } = TestSamples::of_tasks(&tests, false, all);
            format!("{}: {old} old, at the end {new} new", count(all))
        }
        Some(TestSamples { old, new, all }) if old + new == all => {
            format!("{}: {old} old, {new} new", count(all))
        }
        Some(TestSamples { old, new, all }) => {
            format!("{} (at the end {old} old, {new} new)", count(all))
        }
        None => match run.start.tasks.first() {
            Some(task) if task.test > 0 => {
                format!("{} training samples, {}", task.train, count(task.test))
            }
            Some(task) => format!("{} training samples, no test samples", task.train),
            None => String::new(),
        },
    }
}

/// Epochs after which a new task is learned.
fn task_starts(epochs: &[EpochLine]) -> Vec<usize> {
    let pairs = epochs.windows(2).enumerate();
    let starts = pairs.filter(|(_, pair)| {
        pair[1].phase == PhaseName::Learn
            && (pair[0].phase != PhaseName::Learn || pair[0].task != pair[1].task)
    });
    let starts = starts.map(|(index, _)| index + 1);
    // A run from a pre-trained network learns from the first epoch on.
    let at_once = epochs
        .first()
        .is_some_and(|epoch| epoch.phase == PhaseName::Learn);
    at_once.then_some(0).into_iter().chain(starts).collect()
}

fn legend_entries(panels: &[Panel<'_>]) -> Vec<(Key, String)> {
    // Old and new first, then all: the order that tables have.
    let order = [4, 5, 2, 3, 1, 0].map(|index| CURVES[index]);
    let drawn = order
        .into_iter()
        .filter(|curve| panels.iter().any(|panel| curve.is_in(panel)));
    let several = panels.iter().any(|panel| panel.run.learns_several());
    let mut entries: Vec<(Key, String)> = drawn
        .map(|curve| match curve.of {
            Of::New if !several => (Key::Line(curve.colour), "new".to_string()),
            Of::ToCome => (Key::Dashes(curve.colour), curve.name.to_string()),
            _ => (Key::Line(curve.colour), curve.name.to_string()),
        })
        .collect();
    let most_tasks = panels.iter().map(|panel| panel.tasks.len()).max();
    let begins = panels.iter().any(|panel| panel.starts().next().is_some());
    if begins {
        entries.push((Key::Dashes(INK), "learning begins".to_string()));
    }
    if most_tasks > Some(1) {
        entries.push((Key::Dashes(LIGHT), "next task".to_string()));
    }
    entries
}

impl Panel<'_> {
    /// The places of [`Panel::tasks`] that have an epoch before them.
    fn starts(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let starts = self.tasks.iter().copied().enumerate();
        starts.filter(|(_, epoch)| *epoch > 0 || self.from_before)
    }

    fn axes(&self, place: &PanelPlace) -> Axes {
        let first = if self.from_before { -0.5 } else { 0.5 };
        Axes {
            frame: place.frame,
            x: Scale::new(first, self.run.epochs.len().max(1) as f64 + 0.5),
            y: Scale::new(0.0, 100.0),
        }
    }

    fn draw<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        place: &PanelPlace,
    ) -> Result<(), PlotError> {
        place.draw_title(canvas)?;
        let (axes, frame) = (self.axes(place), place.frame);
        let (epochs, percents) = (axes.x_ticks(true), axes.y.ticks(5, false));
        axes.grid(canvas, &[], &percents)?;
        for (index, epoch) in self.starts() {
            let x = axes.x_place(epoch as f64 + 0.5);
            let (colour, width) = if index == 0 { (INK, 2.5) } else { (LIGHT, 2.0) };
            canvas.dashes((x, frame.top), (x, frame.bottom), colour, width)?;
        }
        // Under the curves, as accuracy on what is new is 0 for long.
        axes.edges(canvas)?;
        for curve in CURVES {
            self.draw_curve(canvas, &axes, curve)?;
        }
        if self.run.epochs.is_empty() {
            axes.remark(canvas, "no epoch yet")?;
        } else {
            axes.x_labels(canvas, &epochs, "epoch")?;
        }
        if place.leftmost {
            axes.y_labels(canvas, &percents)?;
            let name = [("accuracy (%)".to_string(), Type::LABEL)];
            axes.y_name(canvas, &name, Y_NAME_LEFT)?;
        }
        Ok(())
    }

    fn draw_curve<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        axes: &Axes,
        curve: Curve,
    ) -> Result<(), PlotError> {
        let epochs = &self.run.epochs;
        let points = epochs.iter().enumerate().map(|(index, epoch)| {
            let value = curve.value(self.run, epoch)?;
            Some(axes.place(index as f64 + 1.0, value))
        });
        let before = self.from_before.then(|| {
            let value = curve.before(self.run)?;
            Some(axes.place(0.0, value))
        });
        let points: Vec<Option<(f64, f64)>> = before.into_iter().chain(points).collect();
        // Where a value is missing, the line has a gap.
        for stretch in points.split(Option::is_none) {
            let stretch: Vec<(f64, f64)> = stretch.iter().copied().flatten().collect();
            match curve.of {
                Of::ToCome => canvas.dashed_path(&stretch, curve.colour, 3.0, DASHES)?,
                // Below the others and wider, so that it is seen where it coincides with one of them.
                Of::All => canvas.path(&stretch, curve.colour, 9.0)?,
                _ => canvas.path(&stretch, curve.colour, 4.0)?,
            }
            if epochs.len() <= MOST_DOTS || stretch.len() == 1 {
                let radius = if curve.of == Of::All { 9.0 } else { 6.0 };
                for point in stretch {
                    canvas.dot(point, radius, curve.colour)?;
                }
            }
        }
        Ok(())
    }
}

impl Figure for Layout<'_> {
    fn size(&self) -> (f64, f64) {
        self.grid.size()
    }

    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        for (panel, place) in self.panels.iter().zip(&self.grid.panels) {
            panel.draw(canvas, place)?;
        }
        self.grid.draw_legend(canvas)
    }
}
