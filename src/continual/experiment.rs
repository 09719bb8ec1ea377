use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::composition;
use super::latents::Latents;
use super::{
    ContinualError, LearningData, LearningDefaults, PUBLISHED_BATCH, Plan, Protocol,
    ScenarioSettings, honest_plan,
};
use crate::dataset::Dataset;
use crate::formats::experiment::ExperimentFormat;
use crate::head::{HeadError, HeadPlace, HeadSettings};
use crate::ids::{ClassId, SampleIndex};
use crate::method::{Method, View};
use crate::network::{Network, NetworkSpec, Stage};
use crate::random::MasterSeed;
use crate::registry::BadSetting;
use crate::replay::{Capacity, CodecSettings, Kept, ReplayMemory, SourcePlace, SourceState};
use crate::train::{Balance, Losses, Mixing, PastLogits, TrainingSettings};

/// How often a learner is tested. After the last epoch of the last task it always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TestEvery {
    /// After every so many tasks.
    pub tasks: usize,
    /// In those tasks after every so many epochs, and after the last.
    pub epochs: usize,
}

impl Default for TestEvery {
    fn default() -> Self {
        TestEvery {
            tasks: 1,
            epochs: 1,
        }
    }
}

impl TestEvery {
    /// Whether there is a test after an epoch of a task, 0 being pre-training, of so many tasks after that and epochs.
    pub(super) fn tests(
        self,
        (task, tasks): (usize, usize),
        (epoch, epochs): (usize, usize),
    ) -> bool {
        let at_task = task == tasks || task.is_multiple_of(self.tasks);
        at_task && (epoch == epochs || epoch.is_multiple_of(self.epochs))
    }
}

/// A continual-learning run, told whole.
///
/// ```
/// use respike::continual::{Experiment, NewClass, Protocol};
/// use respike::ids::ClassId;
/// use respike::method::Method;
/// use respike::random::MasterSeed;
/// use respike::replay::{Capacity, CodecSettings, Memory, PolicySettings};
///
/// let (scenario, seed) = (NewClass { class: ClassId(9) }, MasterSeed(1));
/// let capacity = Capacity::Bytes(200_000);
/// let memory = Memory::new(CodecSettings::or(2)?, PolicySettings::class_balanced(), capacity);
/// let experiment = Experiment::new(scenario, Method::latent(1, memory), Protocol::Strict, seed);
/// assert_eq!(experiment.method.title(), "latent, LR 1, or:2");
/// # Ok::<(), respike::replay::ReplayError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "ExperimentFormat", into = "ExperimentFormat")]
#[non_exhaustive]
pub struct Experiment {
    /// Which samples come when.
    pub scenario: ScenarioSettings,
    /// How something new is learned.
    pub method: Method,
    /// How data is split, ordered and counted.
    pub protocol: Protocol,
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
    /// How often the learner is tested.
    pub test_every: TestEvery,
}

/// An experiment that was found to fit its data and network.
#[derive(Debug)]
pub(super) struct Checked {
    pub plan: Plan,
    pub stage: Stage,
    pub sources: Vec<Box<dyn SourceState>>,
    /// The classes that were known before, where a learner goes on that came from elsewhere.
    pub known_before: Option<BTreeSet<ClassId>>,
}

impl Experiment {
    /// One that trains as the scenario has it where nothing is said
    /// ([`Scenario::defaults`](super::Scenario::defaults)).
    pub fn new(
        scenario: impl Into<ScenarioSettings>,
        method: Method,
        protocol: Protocol,
        seed: MasterSeed,
    ) -> Self {
        let scenario = scenario.into();
        let defaults = scenario.defaults(protocol, method.rehearses());
        // Said once, so that equal experiments are equal, whatever they were read from.
        let view = match method.said_view {
            // The paper's way.
            None if protocol.is_published() => View::AsIs,
            _ => method.view(),
        };
        let method = method.with_view(view);
        Experiment {
            scenario,
            method,
            protocol,
            pretrain_epochs: Some(defaults.pretrain_epochs),
            pretrain: Some(LearningDefaults::training(defaults.pretrain_rate)),
            epochs: defaults.epochs,
            learn: LearningDefaults::training(defaults.rate),
            seed,
            classes: None,
            test_every: TestEvery::default(),
        }
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

    /// The same, tested so often.
    #[must_use]
    pub fn with_test_every(mut self, tasks: usize, epochs: usize) -> Self {
        self.test_every = TestEvery { tasks, epochs };
        self
    }

    /// The same with classes of these names in this order, chosen from more or put in another order.
    #[must_use]
    pub fn with_classes(mut self, names: impl Into<Vec<String>>) -> Self {
        self.classes = Some(names.into());
        self
    }

    /// The codec through which latents are seen, if they are not seen as they are.
    pub(super) fn seen_through(&self) -> Option<CodecSettings> {
        match self.method.view() {
            View::AsIs => None,
            View::Codec { .. } => self.method.codec().cloned(),
        }
    }

    /// What the network is tested with that is no part of it.
    pub(super) fn tested_with(&self) -> Option<String> {
        let head = &self.method.head;
        match (head.learns_alone(), self.seen_through()) {
            (true, _) => Some(format!("the head {}", head.kind())),
            (false, Some(codec)) => Some(format!("latents that {codec} had been through")),
            (false, None) => None,
        }
    }

    /// How the layers above the LR index are trained to see what the codec leaves of latents: as they learn what is new,
    /// but for losses that are about something new.
    pub(super) fn adaptation(&self) -> TrainingSettings {
        let mut settings = self.learn.clone();
        settings.schedule = settings.schedule.over(self.method.view().adapt_epochs());
        settings.losses = Losses::default();
        settings
    }

    /// What is learned, for people, with the names that the data has: `class: new class yes`.
    pub fn title(&self, dataset: &Dataset) -> String {
        match (self.scenario.base_classes(), &self.classes) {
            (Some(base), Some(names)) => {
                let (base, new) = names.split_at(base.min(names.len()));
                let (base, new) = (base.join(", "), new.join(", "));
                format!("{}: {base} known, then {new}", self.scenario.kind())
            }
            _ => self.scenario.title(Some(dataset)),
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
            ("the number of tasks to a test", Some(self.test_every.tasks)),
            (
                "the number of epochs to a test",
                Some(self.test_every.epochs),
            ),
        ] {
            if epochs == Some(0) {
                return Err(ContinualError::NoEpochs(what));
            }
        }
        if let Some(pretrain) = &self.pretrain {
            pretrain.check_for(spec)?;
        }
        self.learn.check_for(spec)?;
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
        self.check_parts()?;
        let stage = self.method.stage(spec)?;
        if self.method.head.learns_alone() && stage == Stage::Whole {
            return Err(HeadError::NeedsFrozenLayers(self.method.head.kind()).into());
        }
        if self.method.head.learns_alone() {
            // Its sums may take more than the machine has. All other heads stand on the network itself, and are tried
            // where there is one.
            let network = Network::new(spec.clone(), self.seed);
            let place = HeadPlace::new(&network, stage, self.seed);
            self.method.head.begin(&place)?;
        }
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
        let (plan, sources) = match self.protocol {
            Protocol::Strict | Protocol::Validation => {
                let scenario = self.scenario.as_ref();
                let plan = honest_plan(scenario, self.protocol, data, self.seed)?;
                let seen = largest_count(dataset, plan.tasks[0].train.iter().copied());
                (plan, self.empty_sources(spec, dataset, seen)?)
            }
            Protocol::Published if data.split().is_some() => {
                return Err(ContinualError::TestsAreFixed);
            }
            Protocol::Published => {
                self.refuse_unpublished()?;
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
                self.scenario.fits(dataset)?;
                // Replays are drawn from all samples of what is known first.
                let known = self.scenario.known_first(dataset);
                let seen = largest_count(dataset, known.into_iter());
                let sources = self.empty_sources(spec, dataset, seen)?;
                let memories = sources.iter().filter_map(|source| source.memory());
                let replays = memories.map(ReplayMemory::capacity).next();
                let plan = self.scenario.published(dataset, replays, self.seed)?;
                (plan, sources)
            }
        };
        Ok(Checked {
            plan,
            stage,
            sources,
            known_before: None,
        })
    }

    /// Refuses members whose settings make no sense.
    fn check_parts(&self) -> Result<(), ContinualError> {
        let bad = |kind: &str, error: BadSetting| ContinualError::BadPart(error.of(kind));
        self.scenario
            .check()
            .map_err(|error| bad(self.scenario.kind(), error))?;
        let head = &self.method.head;
        head.check().map_err(|error| bad(head.kind(), error))?;
        for source in &self.method.replay {
            source.check().map_err(|error| bad(source.kind(), error))?;
        }
        let factor = self.method.rate_below;
        self.method.mixing.check()?;
        match (0.0..=1.0).contains(&factor) {
            true => composition::check(&self.method, &self.learn.losses),
            false => Err(ContinualError::BadRateBelow(factor)),
        }
    }

    /// The published code has four methods.
    fn refuse_unpublished(&self) -> Result<(), ContinualError> {
        let method = &self.method;
        let plain = method.head == HeadSettings::default()
            && method.rate_below == 0.0
            && method.mixing == Mixing::default()
            && method.view() == View::AsIs
            && method.replay.len() <= 1
            && method.replay.iter().all(|source| source.is_published());
        match plain {
            true => Ok(()),
            false => Err(ContinualError::MethodNotPublished(method.title())),
        }
    }

    /// The most samples that may be replayed; a budget in bytes is not known in samples here.
    fn most_replays(&self) -> usize {
        match self.method.capacity() {
            Some(Capacity::Samples(samples)) => samples,
            Some(Capacity::Bytes(bytes)) => usize::try_from(bytes).unwrap_or(usize::MAX),
            None => 0,
        }
    }

    /// The replay sources before anything is in them. A memory of raw inputs has bits for counts up to `seen`, the
    /// largest of what is offered first, and grows wider if larger ones come later.
    fn empty_sources(
        &self,
        spec: &NetworkSpec,
        dataset: &Dataset,
        seen: u16,
    ) -> Result<Vec<Box<dyn SourceState>>, ContinualError> {
        let lr_index = self.method.lr_index;
        let lr_index = lr_index.map(|index| spec.replay_layer(index)).transpose()?;
        let (kept, units) = match lr_index {
            None => (Kept::counts_up_to(seen), spec.inputs()),
            Some(index) => {
                let units = Stage::Learning(index).input_units(spec);
                match index.get() {
                    0 => (Kept::Currents, units),
                    _ => (Kept::Spikes, units),
                }
            }
        };
        let place = SourcePlace::new(kept, (spec.steps(), units), spec.classes(), self.seed)
            .with_largest_count(dataset.largest_count())
            .wanting_logits(self.learn.losses.objective.past_logits() == PastLogits::OfReplays)
            .wanting_tasks(self.method.mixing.balance == Balance::Task);
        let sources = self.method.replay.iter();
        let sources = sources.map(|source| Ok(source.begin(&place)?));
        sources.collect()
    }
}

/// The largest number of events in any step and channel of some samples.
pub(super) fn largest_count(dataset: &Dataset, samples: impl Iterator<Item = SampleIndex>) -> u16 {
    let counts = samples.map(|index| dataset.sample(index).counts.largest());
    counts.max().unwrap_or(0)
}
