//! An experiment that writes its record as it goes.
//!
//! In: an experiment with its data, and a folder. Out: the folder with records, summary, networks and memory.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use crate::arguments::command_line;
use crate::failure::Failure;
use crate::output::LearnBars;
use respike::continual::{
    Experiment, LearningData, Outcome, Progress, Start, TestSamples, run as run_experiment,
};
use respike::dataset::Dataset;
use respike::report::{
    Begun, DataNote, Description, EpochLine, LearnSummary, RecordLine, Replace, RunFolder,
    RunFolderError, StartLine, Summary, TaskNote,
};
use respike::train::Checkpoint;

const PRETRAINED: &str = "pretrained.safetensors";
const LEARNED: &str = "learned.safetensors";

/// An experiment whose folder is complete.
pub(crate) struct Recorded {
    pub(crate) summary: LearnSummary,
    /// What was computed, unless the same run had come to its end there before.
    pub(crate) made: Option<Made>,
}

/// What was computed.
pub(crate) struct Made {
    pub(super) outcome: Outcome,
    pub(super) write_s: f64,
}

impl Recorded {
    /// The network after pre-training and the one at the end.
    pub(crate) fn networks(self, out: &Path) -> Result<[Checkpoint; 2], Failure> {
        match self.made {
            Some(made) => Ok([made.outcome.pretrained, made.outcome.learned]),
            None => Ok([
                Checkpoint::load(&out.join(PRETRAINED))?,
                Checkpoint::load(&out.join(LEARNED))?,
            ]),
        }
    }
}

/// Runs an experiment and writes its folder: records, summary, networks and memory. If the same run has
/// come to its end there before, nothing is run.
///
/// Nothing is written before everything is known to fit.
pub(crate) fn run_recorded(
    experiment: &Experiment,
    data: &Dataset,
    files: Vec<String>,
    start: Start,
    (out, replace): (&Path, Replace),
    bars: &mut LearnBars,
) -> Result<Recorded, Failure> {
    let note = DataNote::of(data, files);
    run_noted(experiment, data.into(), note, start, (out, replace), bars)
}

/// The same of data with test samples of its own, too, which is noted as it says.
pub(super) fn run_noted(
    experiment: &Experiment,
    data: LearningData<'_>,
    data_note: DataNote,
    start: Start,
    (out, replace): (&Path, Replace),
    bars: &mut LearnBars,
) -> Result<Recorded, Failure> {
    let spec = start.network().spec().clone();
    let mut folder: Option<RunFolder> = None;
    let mut trouble: Option<RunFolderError> = None;
    let (mut test_samples, mut finished, mut write_s) = (None, None, 0.0);
    let outcome = run_experiment(experiment, data, start, &mut |progress| {
        bars.show(&progress);
        let writing = Instant::now();
        let written = match (&progress, &mut folder) {
            (Progress::Planned(plan), _) => {
                test_samples = Some(TestSamples::of(plan));
                let settings = Description::Learn(experiment.clone());
                let tasks = TaskNote::of(plan);
                let start = StartLine::new(
                    command_line(),
                    experiment.seed,
                    spec.clone(),
                    settings,
                    data_note.clone(),
                    tasks,
                );
                RunFolder::begin(out, start, replace).map(|begun| match begun {
                    Begun::Anew(begun) => folder = Some(begun),
                    Begun::Finished(summary) => finished = Some(*summary),
                })
            }
            (Progress::Epoch(record), Some(folder)) => {
                folder.add(&RecordLine::Epoch(EpochLine::from(*record)))
            }
            _ => Ok(()),
        };
        write_s += writing.elapsed().as_secs_f64();
        match written {
            Ok(()) if finished.is_some() => ControlFlow::Break(()),
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                trouble = Some(error);
                ControlFlow::Break(())
            }
        }
    });
    bars.finish();
    if let Some(error) = trouble {
        return Err(error.into());
    }
    if let Some(Summary::Learn(summary)) = finished {
        let (summary, made) = (*summary, None);
        return Ok(Recorded { summary, made });
    }
    let outcome = outcome?;
    let writing = Instant::now();
    // A run that came to its end told its plan first.
    let folder = folder.expect("a planned run has a folder");
    let test_samples = test_samples.expect("a planned run has tests");
    outcome.pretrained.save(&folder.file(PRETRAINED))?;
    outcome.learned.save(&folder.file(LEARNED))?;
    if let Some(memory) = &outcome.memory {
        memory.save(&folder.file("memory.safetensors"))?;
    }
    let summary = LearnSummary::new(experiment, &outcome, test_samples);
    folder.end(Summary::Learn(Box::new(summary.clone())))?;
    write_s += writing.elapsed().as_secs_f64();
    let made = Some(Made { outcome, write_s });
    Ok(Recorded { summary, made })
}
