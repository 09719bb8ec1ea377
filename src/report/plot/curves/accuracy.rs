//! Accuracy over epochs in one panel.
//!
//! In: the record of a run, finished or not. Out: curves from 0 to 100 %; a dashed line stands where learning
//! something new begins, lighter ones at every further task. Where several things are learned one by one,
//! *old* is what pre-training knew under either protocol, *new* are those learned so far, and what is still to
//! come has a line of its own. In plain training a thin line stands at the epoch whose network was picked, and
//! a mark shows what that network came to on the test samples where no curve does.

use plotters::backend::DrawingBackend;
use plotters::style::RGBColor;

use super::super::PlotError;
use super::super::axes::{Axes, Frame, Scale};
use super::super::canvas::{Canvas, DASHES};
use super::super::legend::Key;
use super::super::lines::LineStyle;
use super::super::marks::Mark;
use super::super::style::{ALL, INK, NEW, OLD, QUIET, TEST, TO_COME, TRAIN, Type};
use crate::continual::Accuracies;
use crate::report::{EpochLine, PhaseName, PickedNote, RunRecord, Summary, TrainSummary};
use crate::train::Select;

const LIGHT: RGBColor = RGBColor(0xAA, 0xAA, 0xAA);
/// Where there are validation samples, there are no old ones.
const VALIDATION: RGBColor = OLD;
/// Up to so many epochs each is marked with a dot.
pub(super) const MOST_DOTS: usize = 30;
/// How large the mark of a test at the end is.
const MARK_SIZE: f64 = 9.0;

/// What a line in a panel shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// Training samples, of plain training: in continual learning they are of another mix in every task.
    Training,
    /// Samples that plain training kept out to see how good it gets.
    Validation,
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
const CURVES: [Curve; 7] = [
    Curve {
        of: Of::Training,
        name: "training samples",
        colour: TRAIN,
    },
    Curve {
        of: Of::Validation,
        name: "validation samples",
        colour: VALIDATION,
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
            Of::Training if epoch.phase == PhaseName::Train => epoch.train_accuracy,
            Of::Training => None,
            Of::Validation => recorded("validation"),
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

    /// Whether it is joined over an epoch: not every epoch of plain training need be tested.
    fn skips(self, epoch: &EpochLine) -> bool {
        match self.of {
            Of::Validation => !epoch.accuracy.contains_key("validation"),
            Of::Test => !epoch.accuracy.contains_key("test"),
            _ => false,
        }
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

    fn is_in(self, panel: &AccuracyPanel<'_>) -> bool {
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

/// What is drawn of a run.
#[derive(Debug)]
pub(super) struct AccuracyPanel<'a> {
    /// The run.
    pub run: &'a RunRecord,
    /// Epochs, counted over all tasks, after which a task begins; the first begins learning.
    tasks: Vec<usize>,
    /// Where a run learns from the first epoch on: whether what its pre-trained network could do is drawn
    /// as epoch 0.
    from_before: bool,
}

/// Whether a run did no pre-training of its own, and says what its pre-trained network could do.
fn learns_at_once(run: &RunRecord) -> bool {
    let first = run.epochs.first().map(|epoch| epoch.phase);
    first == Some(PhaseName::Learn) && matches!(run.summary, Some(Summary::Learn(_)))
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

/// What the curves and lines of some panels mean.
pub(super) fn legend_entries(panels: &[&AccuracyPanel<'_>]) -> Vec<(Key, String)> {
    // Old and new first, then all: the order that tables have.
    let order = [5, 6, 3, 4, 0, 1, 2].map(|index| CURVES[index]);
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
    if panels.iter().any(|panel| tested_once(panel.run).is_some()) {
        let key = Key::Series(TEST, LineStyle::None, Some(Mark::Diamond));
        entries.push((key, "test samples, at the end".to_string()));
    }
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

fn trained(run: &RunRecord) -> Option<(&TrainSummary, &PickedNote)> {
    match &run.summary {
        Some(Summary::Train(summary)) => Some((summary, summary.picked.as_ref()?)),
        _ => None,
    }
}

/// The epoch whose network was picked, 1 first, where it need not be the last one.
pub(super) fn chosen_epoch(run: &RunRecord) -> Option<usize> {
    let (_, picked) = trained(run)?;
    let is_chosen = picked.by != Select::Last.to_string();
    (is_chosen && (1..=run.epochs.len()).contains(&picked.epoch)).then_some(picked.epoch)
}

/// The epoch whose network was picked and its accuracy in percent on test samples, where that was not tested as
/// it came.
fn tested_once(run: &RunRecord) -> Option<(usize, f64)> {
    let (summary, picked) = trained(run)?;
    let epoch = run.epochs.get(picked.epoch.checked_sub(1)?)?;
    let accuracy = summary.test_accuracy.filter(|value| value.is_finite())?;
    (!epoch.accuracy.contains_key("test")).then_some((picked.epoch, accuracy * 1e2))
}

/// A thin line at the epoch whose network was picked.
pub(super) fn draw_chosen<B: DrawingBackend>(
    canvas: &mut Canvas<'_, B>,
    axes: &Axes,
    run: &RunRecord,
) -> Result<(), PlotError> {
    let Some(epoch) = chosen_epoch(run) else {
        return Ok(());
    };
    let x = axes.x_place(epoch as f64);
    let Frame { top, bottom, .. } = axes.frame;
    canvas.line((x, top), (x, bottom), QUIET, 2.0)
}

impl<'a> AccuracyPanel<'a> {
    /// What there is of a run.
    pub fn new(run: &'a RunRecord) -> Self {
        AccuracyPanel {
            run,
            tasks: task_starts(&run.epochs),
            from_before: learns_at_once(run),
        }
    }

    /// The places of [`AccuracyPanel::tasks`] that have an epoch before them.
    fn starts(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let starts = self.tasks.iter().copied().enumerate();
        starts.filter(|(_, epoch)| *epoch > 0 || self.from_before)
    }

    /// Draws it, and where `named`, the numbers of its y axis, and what they are so far left of it.
    pub fn draw<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        frame: Frame,
        named: Option<f64>,
    ) -> Result<(), PlotError> {
        let first = if self.from_before { -0.5 } else { 0.5 };
        let axes = Axes {
            frame,
            x: Scale::new(first, self.run.epochs.len().max(1) as f64 + 0.5),
            y: Scale::new(0.0, 100.0),
        };
        let (epochs, percents) = (axes.x_ticks(true), axes.y.ticks(5, false));
        axes.grid(canvas, &[], &percents)?;
        for (index, epoch) in self.starts() {
            let x = axes.x_place(epoch as f64 + 0.5);
            let (colour, width) = if index == 0 { (INK, 2.5) } else { (LIGHT, 2.0) };
            canvas.dashes((x, frame.top), (x, frame.bottom), colour, width)?;
        }
        draw_chosen(canvas, &axes, self.run)?;
        // Under the curves, as accuracy on what is new is 0 for long.
        axes.edges(canvas)?;
        for curve in CURVES {
            self.draw_curve(canvas, &axes, curve)?;
        }
        if let Some((epoch, accuracy)) = tested_once(self.run) {
            let place = axes.place(epoch as f64, accuracy);
            canvas.mark(place, MARK_SIZE, Mark::Diamond, TEST)?;
        }
        if self.run.epochs.is_empty() {
            axes.remark(canvas, "no epoch yet")?;
        } else {
            axes.x_labels(canvas, &epochs, "epoch")?;
        }
        if let Some(away) = named {
            axes.y_labels(canvas, &percents)?;
            let name = [("accuracy (%)".to_string(), Type::LABEL)];
            axes.y_name(canvas, &name, away)?;
        }
        Ok(())
    }

    fn draw_curve<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        axes: &Axes,
        curve: Curve,
    ) -> Result<(), PlotError> {
        let epochs = self.run.epochs.iter().enumerate();
        let epochs = epochs.filter(|(_, epoch)| !curve.skips(epoch));
        let points = epochs.map(|(index, epoch)| {
            let value = curve.value(self.run, epoch)?;
            Some(axes.place(index as f64 + 1.0, value))
        });
        let before = self.from_before.then(|| {
            let value = curve.before(self.run)?;
            Some(axes.place(0.0, value))
        });
        let points: Vec<Option<(f64, f64)>> = before.into_iter().chain(points).collect();
        let few = points.len() <= MOST_DOTS + usize::from(self.from_before);
        // Where a value is missing, the line has a gap.
        for stretch in points.split(Option::is_none) {
            let stretch: Vec<(f64, f64)> = stretch.iter().copied().flatten().collect();
            match curve.of {
                Of::ToCome => canvas.dashed_path(&stretch, curve.colour, 3.0, DASHES)?,
                // Below the others and wider, so that it is seen where it coincides with one of them.
                Of::All => canvas.path(&stretch, curve.colour, 9.0)?,
                _ => canvas.path(&stretch, curve.colour, 4.0)?,
            }
            if few || stretch.len() == 1 {
                let radius = if curve.of == Of::All { 9.0 } else { 6.0 };
                for point in stretch {
                    canvas.dot(point, radius, curve.colour)?;
                }
            }
        }
        Ok(())
    }
}
