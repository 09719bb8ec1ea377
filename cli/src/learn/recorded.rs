//! An experiment that writes its record as it goes.
//!
//! In: an experiment with its data, and a folder. Out: the folder with records, summary, networks and memory.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use crate::arguments::command_line;
use crate::failure::Failure;
use crate::interrupt::something_is_kept;
use crate::output::{LearnBars, note};
use respike::continual::{
    Experiment, LearningData, Outcome, Progress, SavedLearner, Start, TestSamples, prepare,
    run as run_experiment,
};
use respike::dataset::Dataset;
use respike::report::{
    Begun, DataNote, Description, EpochLine, LEARNER, LearnSummary, PhaseName, RecordLine, Replace,
    RunFolder, RunFolderError, StartLine, Summary, TaskNote,
};
use respike::train::{Checkpoint, StartedFrom};

const PRETRAINED: &str = "pretrained.safetensors";
const LEARNED: &str = "learned.safetensors";

/// What a run begins with, and where that comes from if it is not its own.
pub(crate) struct Begins {
    pub(crate) start: Start,
    pub(crate) from: Option<StartedFrom>,
}

impl From<Start> for Begins {
    fn from(start: Start) -> Self {
        Begins { start, from: None }
    }
}

impl Begins {
    /// With what lies in a file.
    pub(crate) fn with(start: Start, file: &Path) -> Self {
        let file = file.display().to_string();
        let from = StartedFrom::new(file, start.network());
        let from = match &start {
            Start::Learner { state, .. } => from.of_learner(state.fingerprint()),
            _ => from,
        };
        Begins {
            start,
            from: Some(from),
        }
    }
}

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
    start: Begins,
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
    Begins { start, from }: Begins,
    (out, replace): (&Path, Replace),
    bars: &mut LearnBars,
) -> Result<Recorded, Failure> {
    let plan = prepare(experiment, data, &start)?;
    let line = StartLine::new(
        command_line(),
        experiment.seed,
        start.network().spec().clone(),
        Description::Learn(experiment.clone()),
        data_note,
        TaskNote::of(&plan),
    )
    .with_start(from.clone());
    let begun = RunFolder::begin(out, line.clone(), replace)?;
    let (mut folder, start) = match begun {
        Begun::Finished(summary) => {
            let Summary::Learn(summary) = *summary else {
                return Err(RunFolderError::OtherRun(out.to_path_buf()).into());
            };
            let (summary, made) = (*summary, None);
            return Ok(Recorded { summary, made });
        }
        Begun::Anew(folder) => (folder, start),
        Begun::CutOff(folder, record) => {
            match left_behind(&folder, &record.start, experiment, data.dataset(), &start) {
                Ok((start, done)) => {
                    let was_done = |epoch: &&EpochLine| match epoch.phase {
                        PhaseName::Learn => epoch.task <= done,
                        _ => true,
                    };
                    let epochs: Vec<EpochLine> =
                        record.epochs.iter().filter(was_done).cloned().collect();
                    note(&format!(
                        "the run goes on after task {done} of {}",
                        plan.tasks.len() - 1
                    ));
                    (folder.go_on_from(line, &epochs)?, start)
                }
                Err(why) => {
                    let epochs = record.epochs.len();
                    note(&format!(
                        "the run that was cut off here after {epochs} epochs begins anew: {why}"
                    ));
                    (folder.begin_anew(line)?, start)
                }
            }
        }
    };
    let mut trouble: Option<Failure> = None;
    let mut write_s = 0.0;
    let outcome = run_experiment(experiment, data, start, &mut |progress| {
        bars.show(&progress);
        let writing = Instant::now();
        let written: Result<(), Failure> = match &progress {
            Progress::Epoch(record) => folder
                .add(&RecordLine::Epoch(EpochLine::from(*record)))
                .map_err(Failure::from),
            Progress::Pretrained(pretrained) => {
                let file = folder.file(PRETRAINED);
                pretrained.save(&file).map_err(Failure::from)
            }
            Progress::Learned(state) => state.save(&folder.file(LEARNER)).map_err(Failure::from),
            _ => Ok(()),
        };
        write_s += writing.elapsed().as_secs_f64();
        if matches!(progress, Progress::Pretrained(_) | Progress::Learned(_)) {
            something_is_kept();
        }
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                trouble = Some(error);
                ControlFlow::Break(())
            }
        }
    });
    bars.finish();
    if let Some(error) = trouble {
        return Err(error);
    }
    let outcome = outcome?;
    let writing = Instant::now();
    outcome.learned.save(&folder.file(LEARNED))?;
    if let Some(memory) = &outcome.memory {
        memory.save(&folder.file("memory.safetensors"))?;
    }
    let mut summary = LearnSummary::new(experiment, &outcome, TestSamples::of(&plan));
    summary.started_from = from;
    folder.end(Summary::Learn(Box::new(summary.clone())))?;
    write_s += writing.elapsed().as_secs_f64();
    let made = Some(Made { outcome, write_s });
    Ok(Recorded { summary, made })
}

/// What a run that was cut off left in its folder to go on from, with the number of tasks that were learned, or why it
/// has to begin anew. What is there and can't be gone on from is noted.
fn left_behind(
    folder: &RunFolder,
    begun: &StartLine,
    experiment: &Experiment,
    dataset: &Dataset,
    start: &Start,
) -> Result<(Start, usize), String> {
    if let Start::Learner { state, .. } = start {
        // It is the one that the record says, if this says one.
        let is_said = begun.started_from.as_ref().map(|from| &from.learner);
        if is_said.is_none_or(Option::is_none) {
            return Err("its record does not say with which learner it went on".to_string());
        }
        let left = learner_of(folder, experiment, dataset);
        let left = left.ok_or("no task had come to its end")?;
        let done = left.tasks_done();
        let start = Start::Learner {
            state: Box::new(left),
            pretrained: Some(Box::new(state.starting_point())),
        };
        return Ok((start, done));
    }
    let file = folder.file(PRETRAINED);
    if !file.exists() {
        return Err("pre-training had not come to its end".to_string());
    }
    let pretrained = Checkpoint::load(&file);
    let pretrained =
        pretrained.map_err(|error| format!("its pre-trained network is lost ({error})"))?;
    if let Start::Pretrained(given) = start
        && given.network != pretrained.network
    {
        return Err("it began with another pre-trained network".to_string());
    }
    Ok(match learner_of(folder, experiment, dataset) {
        Some(state) => {
            let done = state.tasks_done();
            let (state, pretrained) = (Box::new(state), Some(Box::new(pretrained)));
            (Start::Learner { state, pretrained }, done)
        }
        None => (Start::Pretrained(Box::new(pretrained)), 0),
    })
}

/// The learner that a run left after its last task, if there is one; one that can't be gone on with is noted.
fn learner_of(
    folder: &RunFolder,
    experiment: &Experiment,
    dataset: &Dataset,
) -> Option<SavedLearner> {
    let file = folder.file(LEARNER);
    if !file.exists() {
        return None;
    }
    let lost = |why: &str| note(&format!("all tasks are learned again, as {why}"));
    match SavedLearner::load(&file) {
        Ok(state) if state.is_of(experiment, dataset) => Some(state),
        Ok(_) => {
            lost(&format!("{} is of another run", file.display()));
            None
        }
        Err(error) => {
            lost(&format!("the learner can't be read: {error}"));
            None
        }
    }
}
