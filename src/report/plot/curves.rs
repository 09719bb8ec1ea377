//! Learning curves.
//!
//! In: records of runs, finished or not. Out: accuracy over epochs, one panel a run; for runs of plain training
//! also the loss, the firing rates and the norms of the gradients, as far as they are recorded, one row a run.

mod accuracy;
mod quantities;
mod rows;

use plotters::backend::DrawingBackend;

use super::PlotError;
use super::canvas::{Canvas, Figure};
use super::legend::{Key, Legend};
use super::panels::{PanelGrid, Title, Y_NAME_LEFT};
use super::style::QUIET;
use crate::continual::TestSamples;
use crate::report::{RunRecord, TaskNote};
use accuracy::{AccuracyPanel, chosen_epoch, legend_entries};
use rows::Rows;

/// What learning curves show over epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CurvesOf {
    /// Accuracy on training, validation and test samples.
    Accuracy,
    /// The mean loss on training samples; on a logarithmic axis where it changes tenfold.
    Loss,
    /// The firing rate of each hidden layer on training samples, in Hz.
    Activity,
    /// The norm of the gradient of each hidden layer and of the readout, on a logarithmic axis.
    Gradients,
}

impl CurvesOf {
    /// All of them, in the order in which they are drawn.
    pub const ALL: [CurvesOf; 4] = [
        CurvesOf::Accuracy,
        CurvesOf::Loss,
        CurvesOf::Activity,
        CurvesOf::Gradients,
    ];

    fn name(self) -> &'static str {
        match self {
            CurvesOf::Accuracy => "accuracy",
            CurvesOf::Loss => "loss",
            CurvesOf::Activity => "activity",
            CurvesOf::Gradients => "gradients",
        }
    }
}

/// A figure with everything in its place.
#[derive(Debug)]
pub(super) enum Layout<'a> {
    /// Accuracy alone.
    Panels(Panels<'a>),
    /// Several quantities of each run.
    Rows(Rows<'a>),
}

impl<'a> Layout<'a> {
    /// Puts everything that is recorded in its place, or of that what is asked for.
    pub fn new(runs: &'a [RunRecord], asked: Option<&[CurvesOf]>) -> Result<Self, PlotError> {
        if runs.iter().all(|run| run.epochs.is_empty()) {
            let names: Vec<&str> = runs.iter().map(|run| run.name.as_str()).collect();
            return Err(PlotError::NothingToDraw(match names.as_slice() {
                [] => "no run was given".to_string(),
                names => format!("no epoch is recorded of {}", names.join(", ")),
            }));
        }
        match chosen(runs, asked)?.as_slice() {
            [CurvesOf::Accuracy] => Ok(Layout::Panels(Panels::new(runs))),
            of => Ok(Layout::Rows(Rows::new(runs, of))),
        }
    }
}

/// What is drawn of runs: what is asked for and recorded of any. Of continual learning that is accuracy, as its
/// epochs train on another mix of samples in every task.
fn chosen(runs: &[RunRecord], asked: Option<&[CurvesOf]>) -> Result<Vec<CurvesOf>, PlotError> {
    let learns = runs.iter().find(|run| run.experiment().is_some());
    let mut of = Vec::new();
    for one in CurvesOf::ALL {
        let is_asked = asked.is_some_and(|asked| asked.contains(&one));
        let missing = match (one, learns) {
            (CurvesOf::Accuracy, _) => None,
            (_, Some(run)) => Some(format!(
                "the {} of {}, a run of continual learning, of which accuracy alone is drawn",
                one.name(),
                run.name
            )),
            (one, None) => {
                let is_there = runs.iter().any(|run| quantities::is_recorded(run, one));
                (!is_there).then(|| format!("{} is not recorded of any of these runs", one.name()))
            }
        };
        match (missing, asked.is_none() || is_asked) {
            (None, true) => of.push(one),
            (Some(missing), true) if is_asked => return Err(PlotError::NothingToDraw(missing)),
            _ => {}
        }
    }
    match of.is_empty() {
        true => Err(PlotError::NothingToDraw("nothing was asked for".into())),
        false => Ok(of),
    }
}

/// What stands above what is drawn of a run.
fn title(run: &RunRecord) -> Title {
    let over = if run.summary.is_some() {
        ""
    } else {
        " (unfinished)"
    };
    Title {
        name: format!("{}{over}", run.name),
        remark: samples(run),
    }
}

/// What the line at the epoch whose network was picked means, if there is one.
fn chosen_entry(runs: &[RunRecord]) -> Option<(Key, String)> {
    let chosen = runs.iter().any(|run| chosen_epoch(run).is_some());
    chosen.then(|| (Key::Tick(QUIET), "picked epoch".to_string()))
}

/// One panel a run.
#[derive(Debug)]
pub(super) struct Panels<'a> {
    panels: Vec<AccuracyPanel<'a>>,
    grid: PanelGrid,
}

impl<'a> Panels<'a> {
    fn new(runs: &'a [RunRecord]) -> Self {
        let columns = match runs.len() {
            4 => 2,
            runs => runs.min(3),
        };
        let height = match columns {
            1 => 720.0,
            2 => 500.0,
            _ => 380.0,
        };
        let titles: Vec<Title> = runs.iter().map(title).collect();
        let panels: Vec<AccuracyPanel<'a>> = runs.iter().map(AccuracyPanel::new).collect();
        let grid = PanelGrid::new(&titles, columns, height, |width| {
            let panels: Vec<&AccuracyPanel<'_>> = panels.iter().collect();
            let mut entries = legend_entries(&panels);
            entries.extend(chosen_entry(runs));
            Legend::new(entries, width)
        });
        Panels { panels, grid }
    }

    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        for (panel, place) in self.panels.iter().zip(&self.grid.panels) {
            place.draw_title(canvas)?;
            let named = place.leftmost.then_some(Y_NAME_LEFT);
            panel.draw(canvas, place.frame, named)?;
        }
        self.grid.draw_legend(canvas)
    }
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
            Some(task) => samples_of_training(run, task, &count(task.test)),
            None => String::new(),
        },
    }
}

/// The same of plain training, and which epoch was picked.
fn samples_of_training(run: &RunRecord, task: &TaskNote, tests: &str) -> String {
    let mut parts = vec![format!("{} training samples", task.train)];
    if task.validation > 0 {
        parts.push(format!("{} validation samples", task.validation));
    }
    parts.push(match task.test {
        0 => "no test samples".to_string(),
        _ => tests.to_string(),
    });
    let picked = chosen_epoch(run).map(|epoch| format!("; epoch {epoch} was picked"));
    parts.join(", ") + &picked.unwrap_or_default()
}

impl Figure for Layout<'_> {
    fn size(&self) -> (f64, f64) {
        match self {
            Layout::Panels(panels) => panels.grid.size(),
            Layout::Rows(rows) => rows.size(),
        }
    }

    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        match self {
            Layout::Panels(panels) => panels.draw(canvas),
            Layout::Rows(rows) => rows.draw(canvas),
        }
    }
}
