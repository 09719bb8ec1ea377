//! Runs an experiment: pre-training, freezing, and one new task after the other.

use std::ops::ControlFlow;
use std::time::Instant;

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::experiment::{Checked, largest_count};
use super::latents::Latents;
use super::testing::{Tested, Tests};
use super::{
    Accuracies, AccuracyMatrix, ContinualError, Experiment, LearningData, Outcome, Plan, Protocol,
    ReplayFigures, RunSeconds, RunTime, Strategy, Task,
};
use crate::dataset::{Dataset, RecordingSet};
use crate::ids::{ClassId, SampleIndex};
use crate::network::{Network, Stage};
use crate::random::{Purpose, StreamPosition};
use crate::replay::ReplayMemory;
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
    /// Accuracy on test samples after the epoch.
    pub accuracy: Accuracies,
    /// Accuracy on each task's test samples after the epoch.
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
}

/// What an experiment begins with.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Start {
    /// A network that was never trained: pre-training comes first.
    Fresh(Box<Network>),
    /// A network pre-trained for the same scenario, data and seed: pre-training is left out.
    Pretrained(Box<Checkpoint>),
}

impl Start {
    /// The network as it is.
    pub fn network(&self) -> &Network {
        match self {
            Start::Fresh(network) => network,
            Start::Pretrained(saved) => &saved.network,
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
    let checked = experiment.check(&spec, data)?;
    if let Start::Pretrained(saved) = &start {
        refuse_seen_before(
            &checked.plan,
            dataset,
            &saved.trained_on,
            experiment.protocol,
        )?;
    }
    say(progress, Progress::Planned(&checked.plan))?;
    let Checked {
        plan,
        stage,
        memory,
    } = checked;
    let mut runner = Runner {
        experiment,
        dataset,
        tests: Tests::of(&plan),
        plan: &plan,
        latents: Latents::new(stage, dataset.len()),
        memory,
        memory_stream: experiment.seed.stream(Purpose::Memory),
        time: RunTime::default(),
        progress,
    };

    let clock = Instant::now();
    let pretrained = match start {
        Start::Fresh(network) => runner.pretrain(*network)?,
        Start::Pretrained(saved) => *saved,
    };
    let seconds_pretrain = clock.elapsed().as_secs_f64();

    let clock = Instant::now();
    let mut network = pretrained.network.clone();
    runner.freeze(&network)?;
    let tested = runner.test(0, &network)?;
    let (before, confusion_before) = (tested.accuracy, tested.confusion.clone());
    let mut matrix = AccuracyMatrix::default();
    matrix.push(tested.tasks.clone());
    runner.remember(&plan.tasks[0], &network)?;
    let mut last = tested;
    let mut shuffle = fresh_stream(experiment);
    let mut new_class = experiment.seed.stream(Purpose::NewClass);
    for task in 1..plan.tasks.len() {
        if let Some(class) = plan.tasks[task].new_class {
            network.redraw_class(runner.latents.stage, class, &mut new_class)?;
        }
        (network, last) = runner.learn(task, network, &mut shuffle)?;
        matrix.push(last.tasks.clone());
        runner.remember(&plan.tasks[task], &network)?;
    }
    let learned_on = plan.tasks.iter().flat_map(|task| &task.train);
    let replayed = plan.tasks.iter().filter_map(|task| task.replays.as_ref());
    let learned_on = learned_on.chain(replayed.flatten());
    let raw_bits = (spec.steps() * spec.inputs()) as u64;
    Ok(Outcome {
        title: experiment.title(dataset),
        before,
        after: last.accuracy,
        metrics: matrix.metrics(),
        matrix,
        confusion_before,
        confusion_after: last.confusion,
        replay: runner
            .memory
            .as_ref()
            .map_or_else(ReplayFigures::default, |memory| ReplayFigures {
                samples: memory.len(),
                bytes: memory.bytes(),
                payload_bits: memory.payload_bits(),
                raw_input_bits: memory.len() as u64 * raw_bits,
            }),
        seconds: RunSeconds {
            pretrain: seconds_pretrain,
            learn: clock.elapsed().as_secs_f64(),
        },
        time: runner.time,
        learned: Checkpoint {
            network,
            trainer: None,
            training: None,
            started_from: None,
            class_names: dataset.class_names().to_vec(),
            trained_on: recordings(dataset, learned_on.copied()).union(&pretrained.trained_on),
        },
        pretrained,
        memory: runner.memory,
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
        memory: None,
        memory_stream: experiment.seed.stream(Purpose::Memory),
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

/// The stream that shuffles samples while new tasks are learned, from its beginning.
fn fresh_stream(experiment: &Experiment) -> StreamPosition {
    let (seed, purpose) = (experiment.seed, Purpose::LearningShuffle);
    StreamPosition::of(seed, purpose, &seed.stream(purpose))
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

/// The state of a run.
struct Runner<'a> {
    experiment: &'a Experiment,
    dataset: &'a Dataset,
    plan: &'a Plan,
    tests: Tests,
    latents: Latents,
    memory: Option<ReplayMemory>,
    memory_stream: ChaCha8Rng,
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
            let training = self.epoch(&mut trainer, &[&examples])?;
            let clock = Instant::now();
            let tested = self
                .tests
                .run(0, self.dataset, trainer.network(), &latents)?;
            self.time.test_s += clock.elapsed().as_secs_f64();
            self.tell(Phase::Pretrain, 0, epoch, training, &tested)?;
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
        let mut needed = self.tests.samples.clone();
        let joint = self.experiment.strategy == Strategy::Joint;
        for task in self.plan.tasks.iter().skip(usize::from(!joint)) {
            needed.extend(&task.train);
        }
        let clock = Instant::now();
        self.latents.make(network, self.dataset, needed)?;
        self.time.freeze_s += clock.elapsed().as_secs_f64();
        Ok(())
    }

    /// Tests the network while a task is being learned.
    fn test(&mut self, task: usize, network: &Network) -> Result<Tested, ContinualError> {
        let clock = Instant::now();
        let tested = self.tests.run(task, self.dataset, network, &self.latents)?;
        self.time.test_s += clock.elapsed().as_secs_f64();
        Ok(tested)
    }

    fn learn(
        &mut self,
        task: usize,
        network: Network,
        shuffle: &mut StreamPosition,
    ) -> Result<(Network, Tested), ContinualError> {
        let experiment = self.experiment;
        let (settings, stage) = (experiment.learn.clone(), self.latents.stage);
        let mut trainer = Trainer::with_shuffle(network, stage, settings, *shuffle)?;
        say(
            self.progress,
            Progress::Task {
                phase: Phase::Learn,
                name: &self.plan.tasks[task].name,
                epochs: experiment.epochs,
            },
        )?;
        // Old samples for joint training; none otherwise.
        let mut old = Vec::new();
        if experiment.strategy == Strategy::Joint {
            let before = self.plan.tasks[..task].iter();
            old.extend(before.flat_map(|task| &task.train).copied());
        }
        let mut last = None;
        for epoch in 1..=experiment.epochs {
            let train = self.plan.tasks[task].train.clone();
            let new = self.latents.examples(self.dataset, train);
            let old = self.latents.examples(self.dataset, old.clone());
            let mut parts: Vec<&dyn Examples> = vec![&new, &old];
            if let Some(memory) = &self.memory {
                parts.push(memory);
            }
            let training = self.epoch(&mut trainer, &parts)?;
            let tested = self.test(task, trainer.network())?;
            self.tell(Phase::Learn, task, epoch, training, &tested)?;
            last = Some(tested);
        }
        self.time.learn.add(&trainer.time_spent());
        *shuffle = trainer.state().shuffle;
        // `Experiment::check` refuses 0 epochs.
        Ok((trainer.into_network(), last.expect("at least one epoch")))
    }

    /// An epoch over several sources: mixed, or batch by batch in their order.
    fn epoch(
        &self,
        trainer: &mut Trainer,
        parts: &[&dyn Examples],
    ) -> Result<EpochFigures, TrainError> {
        let joined = JoinedExamples::new(parts.to_vec());
        if !self.plan.fixed_batches {
            return trainer.epoch(&joined);
        }
        let order: Vec<usize> = (0..joined.len()).collect();
        let sources: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        let batches = super::published_epoch(&sources).into_iter();
        let batches: Vec<&[usize]> = batches.map(|batch| &order[batch]).collect();
        trainer.epoch_of_batches(&joined, &batches)
    }

    /// Offers a task's samples to the memory, if there is one.
    fn remember(&mut self, task: &Task, network: &Network) -> Result<(), ContinualError> {
        let clock = Instant::now();
        let Some(memory) = &mut self.memory else {
            return Ok(());
        };
        let (dataset, latents) = (self.dataset, &self.latents);
        let frozen = latents.frozen(network)?;
        let sample = |index: SampleIndex| latents.input(frozen.as_ref(), dataset, index);
        if let Some(settings) = self.experiment.memory {
            let offered = task.replays.as_ref().unwrap_or(&task.train);
            let largest = largest_count(dataset, offered.iter().copied());
            memory.hold_counts_up_to(largest, settings.capacity, &mut self.memory_stream)?;
        }
        match &task.replays {
            Some(fixed) => {
                for &index in fixed.iter().take(memory.capacity() - memory.len()) {
                    memory.append(dataset.sample(index).class, &sample(index)?)?;
                }
            }
            None => {
                let classes = task.train.iter().map(|&i| dataset.sample(i).class);
                let classes: Vec<ClassId> = classes.collect();
                let make = |candidate: usize| sample(task.train[candidate]);
                memory.offer(&classes, make, &mut self.memory_stream)?;
            }
        }
        self.time.remember_s += clock.elapsed().as_secs_f64();
        Ok(())
    }

    fn tell(
        &mut self,
        phase: Phase,
        task: usize,
        epoch: usize,
        training: EpochFigures,
        tested: &Tested,
    ) -> Result<(), ContinualError> {
        let record = EpochRecord {
            phase,
            task,
            epoch,
            training,
            accuracy: tested.accuracy,
            tasks: tested.tasks.clone(),
        };
        say(self.progress, Progress::Epoch(&record))
    }
}
