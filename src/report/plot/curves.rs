//! Accuracy over epochs.
//!
//! In: records of runs, finished or not. Out: a figure with one panel for each, all from 0 to 100 %;
//! a dashed line stands where learning something new begins, lighter ones at every further task.

use plotters::backend::DrawingBackend;
use plotters::style::RGBColor;

use super::PlotError;
use super::axes::{Axes, Scale};
use super::canvas::{Canvas, Figure};
use super::legend::{Key, Legend};
use super::panels::{PanelGrid, PanelPlace, Y_NAME_LEFT};
use super::style::{ALL, INK, NEW, OLD, TEST, TRAIN, Type};
use crate::continual::Accuracies;
use crate::report::{EpochLine, PhaseName, RunRecord, Summary};

const LIGHT: RGBColor = RGBColor(0xAA, 0xAA, 0xAA);
/// Up to so many epochs each is marked with a dot.
const MOST_DOTS: usize = 30;

/// A line in a panel.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Curve {
    /// Its key among the accuracies of an epoch; `None` for accuracy on training samples.
    key: Option<&'static str>,
    name: &'static str,
    colour: RGBColor,
}

// In the order of drawing: what matters more comes on top.
const CURVES: [Curve; 5] = [
    Curve {
        key: None,
        name: "training samples",
        colour: TRAIN,
    },
    Curve {
        key: Some("test"),
        name: "test samples",
        colour: TEST,
    },
    Curve {
        key: Some("all"),
        name: "all test samples",
        colour: ALL,
    },
    Curve {
        key: Some("old"),
        name: "old",
        colour: OLD,
    },
    Curve {
        key: Some("new"),
        name: "new",
        colour: NEW,
    },
];

impl Curve {
    /// Accuracy in percent, if there is any that can be drawn.
    fn value(self, epoch: &EpochLine) -> Option<f64> {
        let value = match self.key {
            Some(key) => *epoch.accuracy.get(key)?,
            // Training accuracy is of another mix of samples in every task, so it is drawn for
            // plain training only.
            None if epoch.phase == PhaseName::Train => epoch.train_accuracy,
            None => return None,
        };
        value.is_finite().then_some(value * 1e2)
    }

    fn is_in(self, run: &RunRecord) -> bool {
        run.epochs.iter().any(|epoch| self.value(epoch).is_some())
    }
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
    /// Where a run learns from the first epoch on: what its pre-trained network could do, drawn as
    /// epoch 0.
    before: Option<Accuracies>,
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
        let panel_size = match columns {
            1 => (1420.0, 720.0),
            2 => (760.0, 520.0),
            _ => (560.0, 430.0),
        };
        let titles = runs.iter().map(|run| {
            let over = if run.summary.is_some() {
                ""
            } else {
                " (unfinished)"
            };
            format!("{}{over}", run.name)
        });
        let titles: Vec<String> = titles.collect();
        let panels = runs.iter().map(|run| Panel {
            run,
            tasks: task_starts(&run.epochs),
            before: before_learning(run),
        });
        let panels: Vec<Panel<'a>> = panels.collect();
        let grid = PanelGrid::new(&titles, columns, panel_size, |width| {
            Legend::new(legend_entries(&panels), width)
        });
        Ok(Layout { panels, grid })
    }
}

/// Accuracies of the pre-trained network of a run that did no pre-training of its own.
fn before_learning(run: &RunRecord) -> Option<Accuracies> {
    match (run.epochs.first()?.phase, run.summary.as_ref()?) {
        (PhaseName::Learn, Summary::Learn(summary)) => Some(summary.accuracy.before),
        _ => None,
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
    let runs = || panels.iter().map(|panel| panel.run);
    // Old and new first, then all: the order that tables have.
    let order = [3, 4, 2, 1, 0].map(|index| CURVES[index]);
    let drawn = order
        .into_iter()
        .filter(|curve| runs().any(|run| curve.is_in(run)));
    let mut entries: Vec<(Key, String)> = drawn
        .map(|curve| (Key::Line(curve.colour), curve.name.to_string()))
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
        starts.filter(|(_, epoch)| *epoch > 0 || self.before.is_some())
    }

    fn axes(&self, place: &PanelPlace) -> Axes {
        let first = if self.before.is_some() { -0.5 } else { 0.5 };
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
            let value = curve.value(epoch)?;
            Some(axes.place(index as f64 + 1.0, value))
        });
        let before = self.before.and_then(|before| {
            let value = match curve.key? {
                "old" => before.old,
                "new" => before.new,
                "all" => before.all,
                _ => return None,
            };
            let place = value.is_finite().then(|| axes.place(0.0, value * 1e2));
            Some(place)
        });
        let points: Vec<Option<(f64, f64)>> = before.into_iter().chain(points).collect();
        // Where a value is missing, the line has a gap.
        for stretch in points.split(Option::is_none) {
            let stretch: Vec<(f64, f64)> = stretch.iter().copied().flatten().collect();
            canvas.path(&stretch, curve.colour, 4.0)?;
            if epochs.len() <= MOST_DOTS || stretch.len() == 1 {
                for point in stretch {
                    canvas.dot(point, 6.0, curve.colour)?;
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
