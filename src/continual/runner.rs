//! Runs an experiment: pre-training, freezing, and one new task after the other.

use std::ops::ControlFlow;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::experiment::{Checked, largest_count};
use super::latents::{Latents, Store};
use super::learner::{Learner, Measured};
use super::testing::{Tested, Tests};
use super::{
    Accuracies, AccuracyMatrix, Aged, ContinualError, Experiment, LearningData, Outcome, Plan,
    Protocol, RunSeconds, RunTime, SavedLearner, Task,
};
use crate::dataset::{Dataset, RecordingSet};
use crate::head::HeadState;
use crate::ids::{ClassId, SampleIndex};
use crate::network::{Network, Stage};
use crate::random::Purpose;
use crate::replay::{LearnedSamples, ReplayFigures};
use crate::train::{
    Checkpoint, EpochFigures, Examples, JoinedExamples, PastTraining, TrainError, Trainer,
};

/// What is going on in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The base task is being learned by the whole network.
    Pretrain,
    /// A new task is being learned.
    Learn,
}

/// What an epoch came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Pre-training or learning.
    pub phase: Phase,
    /// Which task, 0 for the base.
    pub task: usize,
    /// Which epoch of the task, 1 first.
    pub epoch: usize,
    /// What training came to.
    pub training: EpochFigures,
    /// Accuracy on test samples after the epoch, if it was tested.
    pub accuracy: Option<Accuracies>,
    /// Accuracy on each part of the test samples after the epoch: on each task's, where tasks have their own.
    pub tasks: Vec<f64>,
}

/// News of a run.
#[derive(Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// The plan is made; nothing has been trained yet.
    Planned(&'a Plan),
    /// A task begins that will take so many epochs.
    Task {
        /// Pre-training or learning.
        phase: Phase,
        /// Its name.
        name: &'a str,
        /// Its epochs.
        epochs: usize,
    },
    /// An epoch is over.
    Epoch(&'a EpochRecord),
    /// Pre-training is over, or was left out; something new is going to be learned.
    Pretrained(&'a Checkpoint),
    /// A task was learned; from this state learning goes on bit for bit.
    Learned(&'a SavedLearner),
}

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

/// Runs an experiment. News goes to `progress` as it happens, which may break off the run.
///
/// # Errors
/// [`ContinualError`] if anything does not fit, found before the first epoch, if training diverges,
/// or if `progress` broke off.
pub fn run<'a>(
    experiment: &Experiment,
    data: impl Into<LearningData<'a>>,
    start: Start,
    progress: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
) -> Result<Outcome, ContinualError> {
    let data = data.into();
    let dataset = data.dataset();
    let spec = start.network().spec().clone();
    let Checked {
        plan,
        stage,
        sources,
    } = check_start(experiment, data, &start)?;
    say(progress, Progress::Planned(&plan))?;
    let mut runner = Runner {
        experiment,
        dataset,
        tests: Tests::of(&plan),
        plan: &plan,
        latents: Latents::new(stage, dataset.len()),
        time: RunTime::default(),
        progress,
    };

    let clock = Instant::now();
    let (pretrained, saved) = match start {
        Start::Fresh(network) => (runner.pretrain(*network)?, None),
        Start::Pretrained(saved) => (*saved, None),
        Start::Learner { state, pretrained } => {
            let as_it_is = || Checkpoint::new(state.network().clone(), state.trained_on().clone());
            let pretrained = pretrained.map_or_else(as_it_is, |saved| *saved);
            (pretrained, Some(state))
        }
    };
    let seconds_pretrain = clock.elapsed().as_secs_f64();
    say(runner.progress, Progress::Pretrained(&pretrained))?;

    let clock = Instant::now();
    let network = pretrained.network.clone();
    let trained_on = pretrained.trained_on.clone();
    let mut learner = Learner::begin(experiment, network, stage, sources, trained_on)?;
    runner.freeze(&pretrained.network)?;
    let (mut measured, todo) = match saved {
        None => {
            let measured = runner.learn_base(&mut learner)?;
            (measured, (1..plan.tasks.len()).collect())
        }
        Some(state) if state.is_of(experiment, dataset) => {
            let measured = state.measured().clone();
            let next = measured.tasks_done + 1;
            learner.restore(*state)?;
            (measured, (next..plan.tasks.len()).collect())
        }
        Some(state) => {
            learner.restore(*state)?;
            let new = |task: &usize| {
                let train = &plan.tasks[*task].train;
                let seen =
                    |index: &SampleIndex| learner.trained_on.contains(dataset.sample(*index));
                !train.iter().all(seen)
            };
            let todo: Vec<usize> = (0..plan.tasks.len()).filter(new).collect();
            if todo.is_empty() {
                return Err(ContinualError::NothingNew);
            }
            (runner.measure_before(&learner)?, todo)
        }
    };
    for task in todo {
        runner.learn(task, &mut learner, &mut measured)?;
        let state = learner.save(experiment, dataset, &measured);
        say(runner.progress, Progress::Learned(&state))?;
    }
    let raw_bits = (spec.steps() * spec.inputs()) as u64;
    let each = learner.sources.iter().map(|source| source.figures());
    let mut replay = each.fold(ReplayFigures::default(), ReplayFigures::and);
    replay.raw_input_bits = replay.samples as u64 * raw_bits;
    let memory = learner.sources.iter().find_map(|source| source.memory());
    Ok(Outcome {
        title: experiment.title(dataset),
        before: measured.before,
        after: measured.last,
        metrics: measured.metrics(&runner.tests.first_tasks()),
        aged: runner.aged(&learner)?,
        memory: memory.cloned(),
        matrix: measured.matrix,
        measured_after: measured.measured_after,
        confusion_before: measured.confusion_before,
        confusion_after: measured.confusion_last,
        replay,
        other_bytes: learner.head.bytes(),
        seconds: RunSeconds {
            pretrain: seconds_pretrain,
            learn: clock.elapsed().as_secs_f64(),
        },
        time: runner.time,
        learned: Checkpoint {
            network: learner.network,
            trainer: None,
            training: None,
            started_from: None,
            class_names: dataset.class_names().to_vec(),
            trained_on: learner.trained_on,
        },
        pretrained,
    })
}

/// The plan of an experiment, and every check that can be made before its first epoch, without beginning.
///
/// # Errors
/// As [`run`], for what is found before the first epoch.
pub fn prepare<'a>(
    experiment: &Experiment,
    data: impl Into<LearningData<'a>>,
    start: &Start,
) -> Result<Plan, ContinualError> {
    Ok(check_start(experiment, data.into(), start)?.plan)
}

fn check_start(
    experiment: &Experiment,
    data: LearningData<'_>,
    start: &Start,
) -> Result<Checked, ContinualError> {
    let dataset = data.dataset();
    let checked = experiment.check(start.network().spec(), data)?;
    let plan = &checked.plan;
    match start {
        Start::Fresh(_) if plan.tasks[0].train.is_empty() => {
            return Err(ContinualError::NothingLeft {
                what: "pre-train on",
                why: format!("{} goes on with a learner", experiment.scenario.label()),
            });
        }
        Start::Fresh(_) => {}
        Start::Pretrained(saved) => {
            refuse_seen_before(plan, dataset, &saved.trained_on, experiment.protocol)?;
        }
        Start::Learner { state, .. } => refuse_other_learner(experiment, state, plan, dataset)?,
    }
    Ok(checked)
}

/// Pre-trains a network for an experiment and stops there: the outcome is what any experiment of the
/// same protocol, scenario, seed and pre-training settings may begin with.
///
/// # Errors
/// As [`run`].
pub fn pretrain<'a>(
    experiment: &Experiment,
    data: impl Into<LearningData<'a>>,
    fresh: Network,
    progress: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
) -> Result<Checkpoint, ContinualError> {
    let data = data.into();
    let dataset = data.dataset();
    let checked = experiment.check(fresh.spec(), data)?;
    say(progress, Progress::Planned(&checked.plan))?;
    Runner {
        experiment,
        dataset,
        tests: Tests::of(&checked.plan),
        plan: &checked.plan,
        latents: Latents::new(checked.stage, 0),
        time: RunTime::default(),
        progress,
    }
    .pretrain(fresh)
}

/// Tells news, and stops the run if that is wished.
fn say(
    progress: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
    news: Progress<'_>,
) -> Result<(), ContinualError> {
    match progress(news) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(ContinualError::BrokenOff),
    }
}

/// The recordings of samples.
fn recordings(dataset: &Dataset, samples: impl Iterator<Item = SampleIndex>) -> RecordingSet {
    samples.map(|index| dataset.sample(index)).collect()
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
        Protocol::Strict => seen(&plan.test_all()),
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
            why: format!("it learns by {}", method.title()),
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

/// The state of a run.
struct Runner<'a> {
    experiment: &'a Experiment,
    dataset: &'a Dataset,
    plan: &'a Plan,
    tests: Tests,
    latents: Latents,
    time: RunTime,
    progress: &'a mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
}

impl Runner<'_> {
    fn pretrain(&mut self, fresh: Network) -> Result<Checkpoint, ContinualError> {
        let (experiment, task) = (self.experiment, &self.plan.tasks[0]);
        let (Some(epochs), Some(settings)) =
            (experiment.pretrain_epochs, experiment.pretrain.clone())
        else {
            return Err(ContinualError::NoPretraining);
        };
        let (seed, purpose) = (experiment.seed, Purpose::Shuffle);
        let mut trainer = Trainer::new(fresh, Stage::Whole, settings.clone(), seed, purpose)?;
        say(
            self.progress,
            Progress::Task {
                phase: Phase::Pretrain,
                name: &task.name,
                epochs,
            },
        )?;
        let latents = Latents::new(Stage::Whole, 0);
        let examples = latents.examples(self.dataset, task.train.clone());
        for epoch in 1..=epochs {
            let training = trainer.epoch(&examples)?;
            let mut tested = None;
            // Pre-training counts as a task that is tested.
            if experiment.test_every.tests((0, 0), (epoch, epochs)) {
                let clock = Instant::now();
                let network = trainer.network();
                tested = Some(self.tests.run(0, self.dataset, network, None, &latents)?);
                self.time.test_s += clock.elapsed().as_secs_f64();
            }
            self.tell(Phase::Pretrain, (0, epoch), training, tested.as_ref())?;
        }
        self.time.pretrain = trainer.time_spent();
        Ok(Checkpoint {
            network: trainer.into_network(),
            trainer: None,
            training: Some(PastTraining {
                epochs,
                settings,
                seed: experiment.seed,
            }),
            started_from: None,
            class_names: self.dataset.class_names().to_vec(),
            trained_on: recordings(self.dataset, task.train.iter().copied()),
        })
    }

    /// Runs the frozen stage once over every sample that training or testing will need.
    fn freeze(&mut self, network: &Network) -> Result<(), ContinualError> {
        let method = &self.experiment.method;
        let mut needed = self.tests.samples.clone();
        let base = method.is_ceiling() || method.head.learns_alone();
        for task in self.plan.tasks.iter().skip(usize::from(!base)) {
            needed.extend(&task.train);
        }
        let clock = Instant::now();
        self.latents.make(network, self.dataset, needed)?;
        self.time.freeze_s += clock.elapsed().as_secs_f64();
        Ok(())
    }

    /// Tests a learner while a task is being learned.
    fn test(
        &mut self,
        task: usize,
        network: &Network,
        head: &dyn HeadState,
    ) -> Result<Tested, ContinualError> {
        let clock = Instant::now();
        let (tests, latents) = (&self.tests, &self.latents);
        let tested = tests.run(task, self.dataset, network, Some(head), latents)?;
        self.time.test_s += clock.elapsed().as_secs_f64();
        Ok(tested)
    }

    /// Tells the head and the replay sources of what pre-training taught.
    fn learn_base(&mut self, learner: &mut Learner) -> Result<Measured, ContinualError> {
        let task = &self.plan.tasks[0];
        let dataset = self.dataset;
        let store = Store {
            latents: &self.latents,
            dataset,
        };
        let classes = learner.classes_of(dataset, &task.train, &store);
        let (head, network) = (&mut learner.head, &mut learner.network);
        head.task_begins(network, &classes, &mut learner.head_stream)?;
        if self.experiment.method.head.learns_alone() {
            head.learn(&self.latents.examples(dataset, task.train.clone()))?;
        }
        head.task_ends(network, &classes)?;
        learner.known.extend(classes.current());
        let replayed = task.replays.iter().flatten();
        let learned_on = task.train.iter().chain(replayed).copied();
        learner.trained_on = recordings(dataset, learned_on).union(&learner.trained_on);
        let measured = self.measure_before(learner)?;
        self.remember(task, learner)?;
        Ok(measured)
    }

    /// What there is to be measured before anything new is learned.
    fn measure_before(&mut self, learner: &Learner) -> Result<Measured, ContinualError> {
        let tested = self.test(0, &learner.network, learner.head.as_ref())?;
        let random = Network::new(learner.network.spec().clone(), self.experiment.seed);
        let latents = Latents::new(Stage::Whole, 0);
        let at_random = self.tests.run(0, self.dataset, &random, None, &latents)?;
        let mut matrix = AccuracyMatrix::default();
        matrix.push(tested.tasks.clone());
        Ok(Measured {
            tasks_done: 0,
            before: tested.accuracy,
            last: tested.accuracy,
            confusion_before: tested.confusion.clone(),
            confusion_last: tested.confusion,
            matrix,
            measured_after: vec![0],
            at_random: at_random.tasks,
        })
    }

    fn learn(
        &mut self,
        task: usize,
        learner: &mut Learner,
        measured: &mut Measured,
    ) -> Result<(), ContinualError> {
        let (experiment, dataset) = (self.experiment, self.dataset);
        let planned = &self.plan.tasks[task];
        let alone = experiment.method.head.learns_alone();
        let epochs = if alone { 1 } else { experiment.epochs };
        for source in &mut learner.sources {
            source.task_begins(&mut learner.memory_stream)?;
        }
        let store = Store {
            latents: &self.latents,
            dataset,
        };
        let classes = learner.classes_of(dataset, &planned.train, &store);
        let (head, network) = (&mut learner.head, &mut learner.network);
        head.task_begins(network, &classes, &mut learner.head_stream)?;
        say(
            self.progress,
            Progress::Task {
                phase: Phase::Learn,
                name: &planned.name,
                epochs,
            },
        )?;
        let last_task = self.plan.tasks.len() - 1;
        let mut last = None;
        if alone {
            let clock = Instant::now();
            head.learn(&self.latents.examples(dataset, planned.train.clone()))?;
            head.task_ends(network, &classes)?;
            self.time.remember_s += clock.elapsed().as_secs_f64();
        } else {
            let (settings, stage) = (experiment.learn.clone(), self.latents.stage);
            let network = learner.network.clone();
            let mut trainer = Trainer::with_shuffle(network, stage, settings, learner.shuffle)?;
            for epoch in 1..=epochs {
                let training = self.epoch(&mut trainer, learner, planned)?;
                let ends = epoch == epochs;
                if ends {
                    learner.network = trainer.network().clone();
                    learner.head.task_ends(&mut learner.network, &classes)?;
                }
                let mut tested = None;
                if experiment
                    .test_every
                    .tests((task, last_task), (epoch, epochs))
                {
                    let network = if ends {
                        &learner.network
                    } else {
                        trainer.network()
                    };
                    tested = Some(self.test(task, network, learner.head.as_ref())?);
                }
                self.tell(Phase::Learn, (task, epoch), training, tested.as_ref())?;
                last = tested;
            }
            self.time.learn.add(&trainer.time_spent());
            learner.shuffle = trainer.state().shuffle;
        }
        if alone && experiment.test_every.tests((task, last_task), (1, 1)) {
            let tested = self.test(task, &learner.network, learner.head.as_ref())?;
            let figures = EpochFigures::of_no_training(planned.train.len());
            self.tell(Phase::Learn, (task, 1), figures, Some(&tested))?;
            last = Some(tested);
        }
        learner.known.extend(classes.current());
        let replayed = planned.replays.iter().flatten();
        let learned_on = planned.train.iter().chain(replayed).copied();
        learner.trained_on = recordings(dataset, learned_on).union(&learner.trained_on);
        self.remember(planned, learner)?;
        measured.tasks_done = task;
        if let Some(tested) = last {
            measured.matrix.push(tested.tasks);
            measured.measured_after.push(task);
            (measured.last, measured.confusion_last) = (tested.accuracy, tested.confusion);
        }
        Ok(())
    }

    /// An epoch over new samples and replays: mixed, or batch by batch in their order.
    fn epoch(
        &self,
        trainer: &mut Trainer,
        learner: &Learner,
        task: &Task,
    ) -> Result<EpochFigures, TrainError> {
        let store = Store {
            latents: &self.latents,
            dataset: self.dataset,
        };
        let new = self.latents.examples(self.dataset, task.train.clone());
        let sources = learner.sources.iter();
        let replays: Vec<_> = sources.map(|source| source.replays(&store)).collect();
        let mut parts: Vec<&dyn Examples> = vec![&new];
        parts.extend(replays.iter().map(|replays| &**replays));
        let joined = JoinedExamples::new(parts.clone());
        if !self.plan.fixed_batches {
            return trainer.epoch(&joined);
        }
        let order: Vec<usize> = (0..joined.len()).collect();
        let sources: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        let batches = super::published_epoch(&sources).into_iter();
        let batches: Vec<&[usize]> = batches.map(|batch| &order[batch]).collect();
        trainer.epoch_of_batches(&joined, &batches)
    }

    /// Offers a task's samples to the replay sources.
    fn remember(&mut self, task: &Task, learner: &mut Learner) -> Result<(), ContinualError> {
        let clock = Instant::now();
        let (dataset, latents) = (self.dataset, &self.latents);
        let kept_at = self.experiment.method.kept_at(learner.network.spec())?;
        let frozen = latents.frozen_at(&learner.network, kept_at)?;
        let offered = task.replays.as_ref().unwrap_or(&task.train);
        let classes = offered.iter().map(|&index| dataset.sample(index).class);
        let classes: Vec<ClassId> = classes.collect();
        let sample = |place: usize| latents.input(frozen.as_ref(), dataset, offered[place]);
        let learned = LearnedSamples {
            indices: offered,
            classes: &classes,
            sample: &sample,
            largest_count: largest_count(dataset, offered.iter().copied()),
            is_fixed: task.replays.is_some(),
        };
        for source in &mut learner.sources {
            source.task_ended(&learned, &mut learner.memory_stream)?;
        }
        self.time.remember_s += clock.elapsed().as_secs_f64();
        Ok(())
    }

    /// How much what is kept differs from what the network makes of the same samples now.
    fn aged(&self, learner: &Learner) -> Result<Option<Aged>, ContinualError> {
        let method = &self.experiment.method;
        let kept_at = method.kept_at(learner.network.spec())?;
        let frozen = self.latents.frozen_at(&learner.network, kept_at)?;
        let Some(frozen) = frozen.filter(|_| method.rate_below > 0.0) else {
            return Ok(None);
        };
        let (mut samples, mut differing, mut set) = (0, 0, 0);
        for source in &learner.sources {
            let Some(memory) = source.memory() else {
                continue;
            };
            for (place, &index) in source.held().iter().enumerate() {
                let fresh = self.latents.input(Some(&frozen), self.dataset, index)?;
                let (apart, either) = memory.difference(place, &fresh)?;
                samples += 1;
                differing += apart;
                set += either;
            }
        }
        Ok((samples > 0).then(|| Aged {
            samples,
            differing: differing as f64 / (set as f64).max(1.0),
        }))
    }

    fn tell(
        &mut self,
        phase: Phase,
        (task, epoch): (usize, usize),
        training: EpochFigures,
        tested: Option<&Tested>,
    ) -> Result<(), ContinualError> {
        let record = EpochRecord {
            phase,
            task,
            epoch,
            training,
            accuracy: tested.map(|tested| tested.accuracy),
            tasks: tested.map_or_else(Vec::new, |tested| tested.tasks.clone()),
        };
        say(self.progress, Progress::Epoch(&record))
    }
}
