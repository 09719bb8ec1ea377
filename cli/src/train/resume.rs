//! What a run of `train` left in its folder, and how `--resume` goes on from there.
//!
//! A run may have been stopped at any moment: before its record, between a line of the record and the
//! checkpoint of that epoch, or between the last checkpoint and `summary.json`. From each of them it
//! comes to the same files as if it had never stopped.

use std::path::Path;

use super::super::failure::Failure;
use super::super::output::note;
use respike::dataset::Dataset;
use respike::report::{
    Description, RunFolder, RunFolderError, RunRecord, StartLine, Summary, TrainSummary,
    is_fingerprint_of,
};
use respike::train::{Checkpoint, Trainer, TrainingPlan};

/// How a run goes on.
pub(super) enum Resumed {
    /// From its beginning: nothing that it learned is there.
    Anew,
    /// After the epochs that were done.
    After {
        /// As it was after the last of them.
        trainer: Box<Trainer>,
        /// Accuracy on training samples in the last of them.
        train_accuracy: f64,
        /// Accuracy on validation samples in each of them, if there are any.
        validated: Vec<f64>,
        /// How long they took; none if nobody knows.
        seconds: Option<f64>,
    },
    /// Not at all: it is finished, and all its files are there but for `summary.json`, which may be.
    Finished(TrainSummary),
}

/// The datasets of a run, as they were given this time.
pub(super) struct RunData<'a> {
    pub train: &'a Dataset,
    pub test: Option<&'a Dataset>,
}

/// The record of the run in a folder, if one has begun there.
///
/// # Errors
/// [`Failure`] if it cannot be read or is of another command.
pub(super) fn record_of(out: &Path) -> Result<Option<RunRecord>, Failure> {
    let record = match RunFolder::read(out) {
        Err(RunFolderError::NoRun(_)) => return Ok(None),
        record => record?,
    };
    match record.start.settings {
        Description::Train { .. } => Ok(Some(record)),
        Description::Learn(_) => Err(Failure::bad(format!(
            "{} holds a run of `learn`; only those of `train` can be gone on with",
            out.display()
        ))),
        _ => Err(Failure::bad(format!(
            "{} holds a run of another command; only those of `train` can be gone on with",
            out.display()
        ))),
    }
}

/// Looks at the run in `out`, which must be the one that is asked for but for its length.
///
/// # Errors
/// [`Failure`] if it is another one, has more epochs, or is damaged.
pub(super) fn resume(
    out: &Path,
    record: RunRecord,
    asked: &StartLine,
    data: &RunData<'_>,
    checkpoint: &str,
) -> Result<Resumed, Failure> {
    let shown = out.display();
    if let Some(what) = difference(&record, asked, data) {
        return Err(Failure::bad(format!(
            "{what} is not that of the run in {shown}; --resume goes on with the same settings"
        )));
    }
    // A record is begun before a checkpoint of another run in its place goes.
    let Some(last) = record.epochs.last() else {
        return Ok(Resumed::Anew);
    };
    let train_accuracy = last.train_accuracy.unwrap_or(f64::NAN);
    let path = out.join(checkpoint);
    if record.epochs.len() == 1 && record.summary.is_none() && !path.exists() {
        return Ok(Resumed::Anew);
    }
    let saved = Checkpoint::load(&path)?;
    let Some(state) = saved.trainer else {
        return Err(Failure::bad(format!(
            "{shown} holds no training to go on with"
        )));
    };
    let Some(plan) = plan(asked) else {
        return Err(Failure::fault("only a training can be gone on with"));
    };
    let same = saved.network.spec() == &asked.spec
        && state.shuffle.seed == asked.seed
        && plan.training == state.settings;
    if !same || record.epochs.len() < state.epochs_done {
        return Err(Failure::bad(format!(
            "the record in {shown} is not of the run that its checkpoint is of, so it cannot be gone on with"
        )));
    }
    let done = state.epochs_done;
    if done > plan.epochs {
        return Err(Failure::bad(format!(
            "the run in {shown} has {done} epochs already; give --epochs at least that number"
        )));
    }
    let validated = record.epochs[..done].iter();
    let validated = validated.filter_map(|epoch| epoch.accuracy.get("validation").copied());
    let validated: Vec<f64> = validated.collect();
    let of_summary = match &record.summary {
        Some(Summary::Train(summary)) => Some(summary.seconds),
        _ => None,
    };
    let seconds = RunFolder::seconds(out).or(of_summary);
    match record.summary {
        Some(Summary::Train(summary)) if plan.is_over(done, &validated) => {
            Ok(Resumed::Finished(summary))
        }
        _ => {
            refuse_other_build(out, &record.start, asked)?;
            Ok(Resumed::After {
                train_accuracy: record
                    .epochs
                    .get(done.wrapping_sub(1))
                    .and_then(|epoch| epoch.train_accuracy)
                    .unwrap_or(train_accuracy),
                validated,
                seconds: seconds.map(|seconds| seconds.train),
                trainer: Box::new(Trainer::resume(saved.network, state)?),
            })
        }
    }
}

/// A run is of one build, the one that its record names.
fn refuse_other_build(out: &Path, there: &StartLine, asked: &StartLine) -> Result<(), Failure> {
    match there.build.as_ref().zip(asked.build.as_ref()) {
        Some((before, now)) if before != now => Err(Failure::bad(format!(
            "the run in {} is of another build of respike (source {before}, this is {now}), which may compute \
             otherwise; begin anew with --force instead of --resume",
            out.display()
        ))),
        Some(_) => Ok(()),
        None => {
            note("the record does not say which build of respike the run was begun with");
            Ok(())
        }
    }
}

fn plan(start: &StartLine) -> Option<&TrainingPlan> {
    match &start.settings {
        Description::Train { plan, .. } => Some(plan),
        _ => None,
    }
}

/// The option in which what is asked for is not the run of the record; only how many epochs there are may differ.
fn difference(record: &RunRecord, asked: &StartLine, data: &RunData<'_>) -> Option<&'static str> {
    let there = &record.start;
    if let Some(what) = there.difference(asked) {
        return Some(what);
    }
    let (Some(before), Some(now)) = (plan(there), plan(asked)) else {
        return Some("the command");
    };
    let init = |start: &StartLine| match &start.settings {
        Description::Train { init, .. } => init.as_ref().map(|init| init.fingerprint.clone()),
        _ => None,
    };
    let same_test = match (&there.data.test_fingerprint, data.test) {
        (Some(noted), Some(test)) => is_fingerprint_of(noted, test),
        (noted, test) => noted.is_none() && test.is_none(),
    };
    let same_data = there.data.class_names == asked.data.class_names
        && is_fingerprint_of(&there.data.fingerprint, data.train);
    let same = [
        ("--init", init(there) == init(asked)),
        (
            "--schedule, which goes over another number of epochs (give it with its epochs, as in cosine:30),",
            before.training.schedule == now.training.schedule || before.epochs == now.epochs,
        ),
        (
            "--lr or another training setting",
            before.training == now.training,
        ),
        ("--augment", before.augmentations == now.augmentations),
        ("--validation", before.validation == now.validation),
        ("--select", before.select == now.select),
        ("--patience", before.patience == now.patience),
        ("--test-every", before.test_every == now.test_every),
        ("--data (or the order of its files)", same_data),
        ("--test", same_test),
    ];
    let first = same.into_iter().find(|(_, same)| !same);
    first.map(|(what, _)| what)
}
