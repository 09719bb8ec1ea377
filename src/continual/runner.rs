//! Runs an experiment: pre-training, freezing, and one new task after the other.

use std::ops::ControlFlow;
use std::time::Instant;

use super::experiment::Checked;
use super::latents::{Latents, Store};
use super::learner::{Learner, Measured};
use super::progress::{Learned, say, tell};
use super::start::{check_start, tasks_left};
use super::testing::{Tested, Tests};
use super::{
    AccuracyMatrix, ContinualError, Experiment, LearningData, Outcome, Phase, Plan, Progress,
    RunSeconds, RunTime, Start,
};
use crate::dataset::{Dataset, RecordingSet};
use crate::head::HeadState;
use crate::ids::SampleIndex;
use crate::network::{Network, Stage};
use crate::random::Purpose;
use crate::replay::ReplayFigures;
use crate::train::{Checkpoint, PastTraining, Trainer};

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
        known_before,
    } = check_start(experiment, data, &start)?;
    say(progress, Progress::Planned(&plan))?;
    let mut runner = Runner {
        experiment,
        dataset,
        tests: Tests::of(&plan).of_going_on(known_before.is_some()),
        plan: &plan,
        latents: Latents::new(stage, dataset.len()).seen_through(experiment.seen_through()),
        time: RunTime::default(),
        progress,
    };

    let clock = Instant::now();
    let (pretrained, saved) = match start {
        Start::Fresh(network) => (runner.pretrain(*network)?, None),
        Start::Pretrained(saved) => (*saved, None),
        Start::Learner { state, pretrained } => {
            let pretrained = pretrained.map_or_else(|| state.starting_point(), |saved| *saved);
            (pretrained, Some(state))
        }
    };
    let seconds_pretrain = clock.elapsed().as_secs_f64();
    say(runner.progress, Progress::Pretrained(&pretrained))?;

    let clock = Instant::now();
    let network = pretrained.network.clone();
    let trained_on = pretrained.trained_on.clone();
    let mut learner = Learner::begin(experiment, network, stage, sources, trained_on)?;
    learner.known_before = known_before;
    let todo: Vec<usize> = match &saved {
        None => (1..plan.tasks.len()).collect(),
        Some(state) => tasks_left(state, experiment, &plan, dataset),
    };
    runner.freeze(&learner, &todo)?;
    let mut measured = match saved {
        None => {
            runner.adapt(&mut learner)?;
            runner.learn_base(&mut learner)?
        }
        Some(state) if state.is_of(experiment, dataset) => {
            let measured = state.measured().clone();
            learner.restore(*state, dataset.len())?;
            measured
        }
        Some(state) => {
            learner.restore(*state, usize::MAX)?;
            let sources = learner.sources.iter_mut();
            sources.for_each(|source| source.data_changed());
            runner.measure_before(&learner)?
        }
    };
    for (place, &task) in todo.iter().enumerate() {
        runner.learn(task, &mut learner, &mut measured)?;
        let left = &todo[place + 1..];
        let all_after = left.iter().copied().eq(task + 1..plan.tasks.len());
        learner.left = (!all_after).then(|| left.to_vec());
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
        other_bytes: learner.head.bytes() + learner.regularisers.bytes(),
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
            tested_with: experiment.tested_with(),
            class_names: dataset.class_names().to_vec(),
            trained_on: learner.trained_on,
        },
        pretrained,
    })
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

/// The recordings of samples.
pub(super) fn recordings(
    dataset: &Dataset,
    samples: impl Iterator<Item = SampleIndex>,
) -> RecordingSet {
    samples.map(|index| dataset.sample(index)).collect()
}

/// The state of a run.
pub(super) struct Runner<'a> {
    pub experiment: &'a Experiment,
    pub dataset: &'a Dataset,
    pub plan: &'a Plan,
    pub tests: Tests,
    pub latents: Latents,
    pub time: RunTime,
    pub progress: &'a mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
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
            tell(
                self.progress,
                Phase::Pretrain,
                (0, epoch),
                Learned::Trained(training),
                tested.as_ref(),
            )?;
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
            tested_with: None,
            class_names: self.dataset.class_names().to_vec(),
            trained_on: recordings(self.dataset, task.train.iter().copied()),
        })
    }

    /// Runs the frozen stage once over every sample that training or testing will need, if those tasks are to be learned.
    fn freeze(&mut self, learner: &Learner, todo: &[usize]) -> Result<(), ContinualError> {
        let method = &self.experiment.method;
        let mut needed = self.tests.samples.clone();
        let looks_back = method.head.learns_alone() || learner.regularisers.look_back();
        // The first task is for pre-training, but a learner that goes on may have it to learn like any other.
        let adapts = method.view().adapt_epochs() > 0;
        let base = method.is_ceiling() || looks_back || adapts || todo.contains(&0);
        for task in self.plan.tasks.iter().skip(usize::from(!base)) {
            needed.extend(&task.train);
        }
        let clock = Instant::now();
        self.latents.make(&learner.network, self.dataset, needed)?;
        self.time.freeze_s += clock.elapsed().as_secs_f64();
        Ok(())
    }

    /// Tests a learner while a task is being learned.
    pub(super) fn test(
        &mut self,
        task: usize,
        network: &Network,
        head: &dyn HeadState,
    ) -> Result<Tested, ContinualError> {
        let (tested, seconds) = self.test_timed(task, network, head)?;
        self.time.test_s += seconds;
        Ok(tested)
    }

    /// The same, with the seconds that it took.
    pub(super) fn test_timed(
        &self,
        task: usize,
        network: &Network,
        head: &dyn HeadState,
    ) -> Result<(Tested, f64), ContinualError> {
        let clock = Instant::now();
        let (tests, latents) = (&self.tests, &self.latents);
        let tested = tests.run(task, self.dataset, network, Some(head), latents)?;
        Ok((tested, clock.elapsed().as_secs_f64()))
    }

    /// Lets the layers that go on learning see what the codec leaves of what they know.
    fn adapt(&mut self, learner: &mut Learner) -> Result<(), ContinualError> {
        let experiment = self.experiment;
        let epochs = experiment.method.view().adapt_epochs();
        if epochs == 0 {
            return Ok(());
        }
        let settings = experiment.adaptation();
        let (network, seed) = (learner.network.clone(), experiment.seed);
        let (stage, purpose) = (self.latents.stage, Purpose::Adaptation);
        let mut trainer = Trainer::new(network, stage, settings, seed, purpose)?;
        let base = self.plan.tasks[0].train.clone();
        let examples = self.latents.examples(self.dataset, base);
        for _ in 0..epochs {
            trainer.epoch(&examples)?;
        }
        self.time.pretrain.add(&trainer.time_spent());
        learner.network = trainer.into_network();
        Ok(())
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
        let clock = Instant::now();
        let base = self.latents.examples(dataset, task.train.clone());
        let regularisers = &mut learner.regularisers;
        regularisers.learned_before(&learner.network, self.latents.stage, &base)?;
        self.time.remember_s += clock.elapsed().as_secs_f64();
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
}
