use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::latents::Latents;
use super::{
    ContinualError, LearningData, PUBLISHED_BATCH, Plan, Scenario, given_plan, published_plan,
    strict_plan,
};
use crate::dataset::Dataset;
use crate::formats::experiment::ExperimentFormat;
use crate::ids::SampleIndex;
use crate::network::{NetworkSpec, ReplayLayer, Stage};
use crate::random::MasterSeed;
use crate::replay::{Capacity, Codec, Kept, Policy, ReplayMemory, StoredShape};
use crate::train::{Adamax, TrainingSettings};

/// What is trained on when something new is to be learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Strategy {
    /// New samples only.
    Naive,
    /// New samples and all old ones: what could be reached if nothing ever had to be left behind.
    Joint,
    /// New samples and a memory of old raw inputs, bit-packed; the whole network is trained.
    Native,
    /// New samples and a memory of old latents, compressed; the network is frozen below them.
    Latent,
}

/// How data is split, ordered and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Protocol {
    /// An honest measurement: see [`strict_plan`].
    Strict,
    /// What the published code does, for comparison only: see [`published_plan`].
    Published,
}

macro_rules! text_names {
    ($type:ty, $what:literal, $($variant:path => $name:literal),+) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $($variant => $name),+ })
            }
        }

        impl FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($name => Ok($variant),)+
                    _ => Err(format!("`{text}` is not a {}: use one of {}", $what, [$($name),+].join(", "))),
                }
            }
        }
    };
}

text_names!(Strategy, "strategy",
    Strategy::Naive => "naive", Strategy::Joint => "joint",
    Strategy::Native => "native", Strategy::Latent => "latent");
text_names!(Protocol, "protocol",
    Protocol::Strict => "strict", Protocol::Published => "published");

/// What is kept of old samples, and how much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemorySettings {
    /// How a sample is compressed.
    pub codec: Codec,
    /// Which samples are kept; the published protocol has a rule of its own instead.
    pub policy: Policy,
    /// How many.
    pub capacity: Capacity,
}

impl MemorySettings {
    /// Samples compressed so, chosen so, and so many of them.
    pub fn new(codec: Codec, policy: Policy, capacity: Capacity) -> Self {
        MemorySettings {
            codec,
            policy,
            capacity,
        }
    }
}

/// A continual-learning run, told whole.
///
/// ```
/// use respike::continual::{Experiment, MemorySettings, Protocol, Scenario, Strategy};
/// use respike::ids::ClassId;
/// use respike::random::MasterSeed;
/// use respike::replay::{Capacity, Codec, Policy};
///
/// let (scenario, seed) = (Scenario::Class { class: ClassId(9) }, MasterSeed(1));
/// let capacity = Capacity::Bytes(200_000);
/// let memory = MemorySettings::new(Codec::or(2)?, Policy::ClassBalanced, capacity);
/// let experiment = Experiment::new(scenario, Strategy::Latent, Protocol::Strict, seed)
///     .with_replay_layer(1)
///     .with_memory(memory);
/// assert_eq!(experiment.method(), "latent, LR 1, or:2");
/// # Ok::<(), respike::replay::ReplayError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "ExperimentFormat", into = "ExperimentFormat")]
#[non_exhaustive]
pub struct Experiment {
    /// Which samples come when.
    pub scenario: Scenario,
    /// What is trained on.
    pub strategy: Strategy,
    /// How data is split, ordered and counted.
    pub protocol: Protocol,
    /// How many hidden layers are frozen while learning; `None` trains the whole network.
    pub lr_index: Option<usize>,
    /// The memory, for strategies that have one.
    pub memory: Option<MemorySettings>,
    /// Epochs of pre-training; `None` if the network was pre-trained elsewhere and does not say.
    pub pretrain_epochs: Option<usize>,
    /// How pre-training trains, or trained; `None` likewise.
    pub pretrain: Option<TrainingSettings>,
    /// Epochs of learning each new task.
    pub epochs: usize,
    /// How learning trains.
    pub learn: TrainingSettings,
    /// Where all randomness comes from.
    pub seed: MasterSeed,
    /// Names of the classes in their order, if they were chosen from more or put in another order than
    /// that of the files.
    pub classes: Option<Vec<String>>,
}

/// Learning rates and epochs where none are asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct LearningDefaults {
    /// Epochs of pre-training.
    pub pretrain_epochs: usize,
    /// Learning rate of pre-training.
    pub pretrain_rate: f32,
    /// Epochs of each new task.
    pub epochs: usize,
    /// Learning rate of each new task.
    pub rate: f32,
}

impl LearningDefaults {
    /// What the protocol does where nothing else is asked for. The published protocol's figures are
    /// those of Dequino et al. 2024.
    pub fn of(protocol: Protocol, scenario: Scenario, strategy: Strategy) -> Self {
        match protocol {
            Protocol::Strict => LearningDefaults {
                pretrain_epochs: 50,
                pretrain_rate: 1e-3,
                epochs: match scenario {
                    Scenario::MultiClass { .. } => 20,
                    _ => 30,
                },
                rate: 1e-3,
            },
            Protocol::Published => {
                let rehearses = matches!(strategy, Strategy::Native | Strategy::Joint);
                let (epochs, rate) = match scenario {
                    Scenario::Sample { .. } => (50, 1e-3),
                    Scenario::Class { .. } if rehearses => (100, 1e-3),
                    Scenario::Class { .. } => (50, 2e-4),
                    Scenario::MultiClass { .. } => (20, 2e-4),
                };
                LearningDefaults {
                    pretrain_epochs: 200,
                    pretrain_rate: 2e-4,
                    epochs,
                    rate,
                }
            }
        }
    }

    /// Adamax at one of these rates.
    pub fn training(learning_rate: f32) -> TrainingSettings {
        TrainingSettings {
            learning_rate,
            optimiser: Adamax::default().into(),
            ..TrainingSettings::default()
        }
    }
}

/// An experiment that was found to fit its data and network.
#[derive(Debug)]
pub(super) struct Checked {
    pub plan: Plan,
    pub stage: Stage,
    pub memory: Option<ReplayMemory>,
}

impl Experiment {
    /// One that trains as [`LearningDefaults`] say, with nothing frozen and without a memory.
    pub fn new(
        scenario: Scenario,
        strategy: Strategy,
        protocol: Protocol,
        seed: MasterSeed,
    ) -> Self {
        let defaults = LearningDefaults::of(protocol, scenario, strategy);
        Experiment {
            scenario,
            strategy,
            protocol,
            lr_index: None,
            memory: None,
            pretrain_epochs: Some(defaults.pretrain_epochs),
            pretrain: Some(LearningDefaults::training(defaults.pretrain_rate)),
            epochs: defaults.epochs,
            learn: LearningDefaults::training(defaults.rate),
            seed,
            classes: None,
        }
    }

    /// The same with so many hidden layers frozen while learning
    /// ([`ReplayLayer`](crate::network::ReplayLayer)).
    #[must_use]
    pub fn with_replay_layer(mut self, index: usize) -> Self {
        self.lr_index = Some(index);
        self
    }

    /// The same with a memory.
    #[must_use]
    pub fn with_memory(mut self, memory: MemorySettings) -> Self {
        self.memory = Some(memory);
        self
    }

    /// The same, pre-trained for so many epochs in that way.
    #[must_use]
    pub fn with_pretraining(mut self, epochs: usize, settings: TrainingSettings) -> Self {
        (self.pretrain_epochs, self.pretrain) = (Some(epochs), Some(settings));
        self
    }

    /// The same of a network that was pre-trained elsewhere and does not say how.
    #[must_use]
    pub fn without_pretraining(mut self) -> Self {
        (self.pretrain_epochs, self.pretrain) = (None, None);
        self
    }

    /// The same, learning each new task for so many epochs in that way.
    #[must_use]
    pub fn with_learning(mut self, epochs: usize, settings: TrainingSettings) -> Self {
        (self.epochs, self.learn) = (epochs, settings);
        self
    }

    /// The same with classes of these names in this order, chosen from more or put in another order.
    #[must_use]
    pub fn with_classes(mut self, names: impl Into<Vec<String>>) -> Self {
        self.classes = Some(names.into());
        self
    }

    /// Strategy, LR index and codec in a few words: `naive`, or `latent, LR 2, or:10`.
    pub fn method(&self) -> String {
        let mut words = self.strategy.to_string();
        if let Some(index) = self.lr_index {
            words += &format!(", LR {index}");
        }
        if let Some(memory) = self.memory {
            words += &format!(", {}", memory.codec);
        }
        words
    }

    /// What is learned, for people, with the names that the data has: `class: new class yes`.
    pub fn title(&self, dataset: &Dataset) -> String {
        match (self.scenario, &self.classes) {
            (Scenario::Sample { speaker }, _) => {
                let name = dataset.speaker_names().get(&speaker);
                let name = name.cloned().unwrap_or_else(|| speaker.0.to_string());
                format!("sample: new speaker {name}")
            }
            (Scenario::Class { class }, _) => {
                format!("class: new class {}", dataset.class_name(class))
            }
            (Scenario::MultiClass { base_classes }, Some(names)) => {
                let (base, new) = names.split_at(base_classes.min(names.len()));
                let (base, new) = (base.join(", "), new.join(", "));
                format!("multi-class: {base} known, then {new}")
            }
            (scenario @ Scenario::MultiClass { .. }, None) => scenario.to_string(),
        }
    }

    /// What learning changes, in a few words: `whole network`, or `above layer 2`.
    pub fn trains(&self) -> String {
        match self.lr_index {
            None => "whole network".to_string(),
            Some(0) => "all but w1".to_string(),
            Some(index) => format!("above layer {index}"),
        }
    }

    /// Checks everything that can be checked before the first epoch, without beginning.
    ///
    /// # Errors
    /// [`ContinualError`] if anything does not fit.
    pub fn check_fits<'a>(
        &self,
        spec: &NetworkSpec,
        data: impl Into<LearningData<'a>>,
    ) -> Result<(), ContinualError> {
        self.check(spec, data.into()).map(|_| ())
    }

    /// Checks everything that can be checked before the first epoch.
    pub(super) fn check(
        &self,
        spec: &NetworkSpec,
        data: LearningData<'_>,
    ) -> Result<Checked, ContinualError> {
        let dataset = data.dataset();
        for (what, epochs) in [
            ("the number of pre-training epochs", self.pretrain_epochs),
            ("the number of epochs", Some(self.epochs)),
        ] {
            if epochs == Some(0) {
                return Err(ContinualError::NoEpochs(what));
            }
        }
        if let Some(pretrain) = &self.pretrain {
            pretrain.check()?;
        }
        self.learn.check()?;
        if let Some(classes) = &self.classes
            && classes != dataset.class_names()
        {
            return Err(ContinualError::OtherClasses {
                expected: classes.join(", "),
                found: dataset.class_names().join(", "),
            });
        }
        let past = dataset.classes().into_iter().next_back();
        if let Some(class) = past.filter(|class| class.index() >= spec.classes()) {
            let classes = spec.classes();
            return Err(ContinualError::NoReadout { class, classes });
        }
        let lr_index = self
            .lr_index
            .map(|index| spec.replay_layer(index))
            .transpose()?;
        match (self.strategy, lr_index) {
            (Strategy::Latent, None) => return Err(ContinualError::NoReplayLayer),
            (Strategy::Native, Some(_)) => return Err(ContinualError::ReplayLayerUnused),
            _ => {}
        }
        let stage = lr_index.map_or(Stage::Whole, Stage::Learning);
        Latents::check_memory(spec, stage, dataset.len())?;
        let pretrain = self
            .pretrain
            .as_ref()
            .map(|settings| (Stage::Whole, settings));
        for (stage, settings) in pretrain.into_iter().chain([(stage, &self.learn)]) {
            // New samples, old ones and replays.
            let most = dataset.len().saturating_add(self.most_replays());
            spec.check_training_memory(stage, settings.batch_size.min(most), spec.steps())?;
        }
        let (plan, memory) = match self.protocol {
            Protocol::Strict => {
                let plan = match data.split() {
                    None => strict_plan(self.scenario, dataset, self.seed)?,
                    Some(split) => given_plan(self.scenario, dataset, split)?,
                };
                let seen = largest_count(dataset, plan.tasks[0].train.iter().copied());
                (plan, self.empty_memory(spec, dataset, lr_index, seen)?)
            }
            Protocol::Published if data.split().is_some() => {
                return Err(ContinualError::TestsAreFixed);
            }
            Protocol::Published => {
                let of_pretraining = self
                    .pretrain
                    .as_ref()
                    .map(|settings| ("pre-training", settings));
                for (what, settings) in of_pretraining
                    .into_iter()
                    .chain([("learning", &self.learn)])
                {
                    let found = settings.batch_size;
                    if found != PUBLISHED_BATCH {
                        return Err(ContinualError::BatchIsFixed { what, found });
                    }
                }
                self.scenario.check(dataset)?;
                // Replays are drawn from all samples of what is known first.
                let groups = self.scenario.group_of_each(dataset).into_iter();
                let base = groups.enumerate().filter(|(_, group)| *group == 0);
                let seen = largest_count(dataset, base.map(|(index, _)| SampleIndex(index)));
                let memory = self.empty_memory(spec, dataset, lr_index, seen)?;
                let replays = memory.as_ref().map(ReplayMemory::capacity);
                let plan = published_plan(self.scenario, dataset, replays, self.seed)?;
                (plan, memory)
            }
        };
        Ok(Checked {
            plan,
            stage,
            memory,
        })
    }

    /// The most samples that may be replayed; a budget in bytes is not known in samples here.
    fn most_replays(&self) -> usize {
        match self.memory.map(|memory| memory.capacity) {
            Some(Capacity::Samples(samples)) => samples,
            Some(Capacity::Bytes(bytes)) => usize::try_from(bytes).unwrap_or(usize::MAX),
            None => 0,
        }
    }

    /// The memory before anything is in it. One of raw inputs has bits for counts up to `seen`, the
    /// largest of what is offered first, and grows wider if larger ones come later.
    fn empty_memory(
        &self,
        spec: &NetworkSpec,
        dataset: &Dataset,
        lr_index: Option<ReplayLayer>,
        seen: u16,
    ) -> Result<Option<ReplayMemory>, ContinualError> {
        let kept = match (self.strategy, lr_index) {
            (Strategy::Naive | Strategy::Joint, _) => return Ok(None),
            (Strategy::Native, _) => Kept::counts_up_to(seen),
            (Strategy::Latent, Some(index)) if index.get() == 0 => Kept::Currents,
            (Strategy::Latent, _) => Kept::Spikes,
        };
        let settings = self.memory.ok_or(ContinualError::NoMemory(self.strategy))?;
        let units = match lr_index {
            Some(index) => Stage::Learning(index).input_units(spec),
            None => spec.inputs(),
        };
        let shape = |kept| StoredShape::new(kept, settings.codec, spec.steps(), units);
        if self.strategy == Strategy::Native {
            // Better told now than when the first larger count comes.
            let widest = shape(Kept::counts_up_to(dataset.largest_count()))?;
            settings.capacity.samples(widest)?;
        }
        let memory = ReplayMemory::new(shape(kept)?, settings.policy, settings.capacity)?;
        Ok(Some(memory))
    }
}

/// The largest number of events in any step and channel of some samples.
pub(super) fn largest_count(dataset: &Dataset, samples: impl Iterator<Item = SampleIndex>) -> u16 {
    let counts = samples.map(|index| dataset.sample(index).counts.largest());
    counts.max().unwrap_or(0)
}
