//! What an experiment begins with, and whether it may.

use std::collections::BTreeSet;

use super::experiment::Checked;
use super::known_before::plan_after;
use super::{ContinualError, Experiment, LearningData, Plan, Protocol, SavedLearner, honest_split};
use crate::dataset::{Dataset, RecordingSet};
use crate::head::HeadPlace;
use crate::ids::{ClassId, SampleIndex};
use crate::method::Method;
use crate::network::Network;
use crate::train::Checkpoint;

/// What an experiment begins with.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Start {
    /// A network that was never trained: pre-training comes first.
    Fresh(Box<Network>),
    /// A network pre-trained for the same scenario, data and seed: pre-training is left out.
    Pretrained(Box<Checkpoint>),
    /// A learner that goes on: with the task after its last, if it is of the same experiment and data, else with all
    /// tasks that have samples which it has not learned from.
    Learner {
        /// The learner.
        state: Box<SavedLearner>,
        /// The network after pre-training, if that is known.
        pretrained: Option<Box<Checkpoint>>,
    },
}

impl Start {
    /// The network as it is.
    pub fn network(&self) -> &Network {
        match self {
            Start::Fresh(network) => network,
            Start::Pretrained(saved) => &saved.network,
            Start::Learner { state, .. } => state.network(),
        }
    }
}

/// The plan of an experiment, and every check that can be made before its first epoch, without beginning.
///
/// # Errors
/// As [`run`](super::run), for what is found before the first epoch.
pub fn prepare<'a>(
    experiment: &Experiment,
    data: impl Into<LearningData<'a>>,
    start: &Start,
) -> Result<Plan, ContinualError> {
    Ok(check_start(experiment, data.into(), start)?.plan)
}

pub(super) fn check_start(
    experiment: &Experiment,
    data: LearningData<'_>,
    start: &Start,
) -> Result<Checked, ContinualError> {
    let dataset = data.dataset();
    let mut checked = experiment.check(start.network().spec(), data)?;
    let head = &experiment.method.head;
    if !head.learns_alone() {
        head.begin(&HeadPlace::new(
            start.network(),
            checked.stage,
            experiment.seed,
        ))?;
    }
    checked.known_before = known_before(experiment, dataset, start);
    if let Some(known) = &checked.known_before {
        let tested = honest_split(experiment.protocol, data, experiment.seed)?.test;
        let scenario = experiment.scenario.as_ref();
        checked.plan = plan_after(checked.plan, scenario, dataset, &tested, known);
    }
    let plan = &checked.plan;
    match start {
        Start::Fresh(_) if plan.tasks[0].train.is_empty() => {
            return Err(ContinualError::NothingLeft {
                what: "pre-train on",
                why: format!(
                    "{} goes on with a learner, which --continue gives",
                    experiment.scenario.label()
                ),
            });
        }
        Start::Fresh(_) => {}
        Start::Pretrained(saved) => {
            refuse_seen_before(plan, dataset, &saved.trained_on, experiment.protocol)?;
        }
        Start::Learner { state, pretrained } => {
            refuse_other_learner(experiment, state, plan, dataset)?;
            state.try_out(experiment, data)?;
            // The same run, cut off just before its end, has nothing left to learn but its end.
            if pretrained.is_none() && tasks_left(state, experiment, plan, dataset).is_empty() {
                return Err(ContinualError::NothingNew);
            }
        }
    }
    Ok(checked)
}

/// The classes that a learner knew before the run, if the run goes on with one that it did not pre-train. The published
/// protocol says itself what counts as old.
fn known_before(
    experiment: &Experiment,
    dataset: &Dataset,
    start: &Start,
) -> Option<BTreeSet<ClassId>> {
    let Start::Learner { state, .. } = start else {
        return None;
    };
    match (experiment.protocol, state.is_of(experiment, dataset)) {
        (Protocol::Published, _) => None,
        (_, true) => state.known_before(),
        (_, false) => Some(state.known()),
    }
}

/// Refuses a pre-trained network that has seen what is new to it or tested. The published protocol tests
/// what is old with samples of the training, so there it is only asked of what is new.
fn refuse_seen_before(
    plan: &Plan,
    dataset: &Dataset,
    trained_on: &RecordingSet,
    protocol: Protocol,
) -> Result<(), ContinualError> {
    let seen = |samples: &[SampleIndex]| {
        let known = |i: &&SampleIndex| trained_on.contains(dataset.sample(**i));
        samples.iter().filter(known).count()
    };
    let later = &plan.tasks[1..];
    let new: usize = later.iter().map(|task| seen(&task.train)).sum();
    let tested: usize = match protocol {
        Protocol::Strict | Protocol::Validation => seen(&plan.test_all()),
        Protocol::Published => later.iter().map(|task| seen(&task.test)).sum(),
    };
    for (seen, role) in [(tested, "tested"), (new, "new")] {
        if seen > 0 {
            return Err(ContinualError::SeenBefore { seen, role });
        }
    }
    Ok(())
}

/// Refuses a learner of another method, and one that has seen what is tested.
fn refuse_other_learner(
    experiment: &Experiment,
    state: &SavedLearner,
    plan: &Plan,
    dataset: &Dataset,
) -> Result<(), ContinualError> {
    let method = &state.experiment().method;
    if *method != experiment.method {
        return Err(ContinualError::OtherLearner {
            what: "method",
            why: difference(method, &experiment.method),
        });
    }
    if method.is_ceiling() && !state.is_of(experiment, dataset) {
        return Err(ContinualError::OtherLearner {
            what: "method",
            why: "joint training needs all samples there ever were, and goes on with the same data alone"
                .to_string(),
        });
    }
    let tested = plan.test_all();
    let seen = |index: &&SampleIndex| state.trained_on().contains(dataset.sample(**index));
    match tested.iter().filter(seen).count() {
        0 => Ok(()),
        seen => Err(ContinualError::SeenBefore {
            seen,
            role: "tested",
        }),
    }
}

/// In what the method of a learner is another one than the one that is asked for.
fn difference(learner: &Method, asked: &Method) -> String {
    let (one, other) = (learner.title(), asked.title());
    if one != other {
        return format!("it learns by {one}, not by {other}");
    }
    let sources = |method: &Method| {
        let sources = method.replay.iter().map(ToString::to_string);
        match sources.collect::<Vec<_>>().join(" and ") {
            none if none.is_empty() => "nothing".to_string(),
            some => some,
        }
    };
    let parts = [
        ("head", learner.head.to_string(), asked.head.to_string()),
        (
            "rate_below",
            learner.rate_below.to_string(),
            asked.rate_below.to_string(),
        ),
        ("replay", sources(learner), sources(asked)),
    ];
    let differs = parts.into_iter().find(|(_, one, other)| one != other);
    match differs {
        Some((part, one, other)) => format!("its {part} is {one}, not {other}"),
        None => "new samples and replays share batches in another way (mixing)".to_string(),
    }
}

/// The tasks that a learner has left: those after its last in the same run, else those with samples that it has not
/// learned from.
pub(super) fn tasks_left(
    state: &SavedLearner,
    experiment: &Experiment,
    plan: &Plan,
    dataset: &Dataset,
) -> Vec<usize> {
    if state.is_of(experiment, dataset) {
        return state.tasks_left(plan.tasks.len());
    }
    let is_new = |task: &usize| {
        let train = &plan.tasks[*task].train;
        let seen = |index: &SampleIndex| state.trained_on().contains(dataset.sample(*index));
        !train.iter().all(seen)
    };
    (0..plan.tasks.len()).filter(is_new).collect()
}
