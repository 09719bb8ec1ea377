//! Scenarios: which samples come when. One file a scenario.
//!
//! In: a dataset, and which of its samples are for training and which for testing. Out: tasks that are learned one
//! after the other, the first of them by pre-training.
//!
//! | kind | what comes |
//! |---|---|
//! | `sample` | [`NewSpeaker`]: a new speaker of known classes (sample-incremental) |
//! | `class` | [`NewClass`]: a new class (class-incremental) |
//! | `multi-class` | [`ManyClasses`]: several new classes, one by one (multi-class-incremental) |
//! | `nic` | [`ManyBatches`]: many small batches of one class and speaker each, new or seen before |
//! | `stream` | [`Stream`]: an order of one's own |
//! | `next` | [`NextTask`]: all samples, as one more task of a learner that is gone on with |

mod class;
mod groups;
mod multi_class;
mod next;
mod nic;
mod sample;
mod stream;

pub use class::NewClass;
pub use groups::{Groups, grouped, parts_by_class};
pub use multi_class::ManyClasses;
pub use next::NextTask;
pub use nic::ManyBatches;
pub use sample::NewSpeaker;
pub use stream::{Stream, StreamTask};

use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use super::{ContinualError, LearningDefaults, Plan, Protocol, TestPart};
use crate::dataset::{Dataset, DatasetError, Split};
use crate::ids::{ClassId, SampleIndex, SpeakerId};
use crate::random::MasterSeed;
use crate::registry::Chosen;

/// A scenario of any kind, as settings name it.
pub type ScenarioSettings = Chosen<dyn Scenario>;

impl ScenarioSettings {
    /// Scenarios of a kind by what they hold out, or all that there could be, in turn.
    ///
    /// # Errors
    /// There is no such kind, or what is asked for is not there.
    pub fn holding_out(
        kind: &str,
        names: &dyn DataNames,
        asked: Option<&[HeldOut]>,
    ) -> Result<Vec<Self>, String> {
        // Every scenario is registered with it.
        let make = Self::extra(kind)?.map(|extra| extra.holding_out);
        make.map_or_else(|| Ok(Vec::new()), |make| make(names, asked))
    }

    /// Whether scenarios of a kind are asked for by how many classes are known first.
    pub(crate) fn kind_counts_base_classes(kind: &str) -> bool {
        let extra = Self::extra(kind).ok().flatten();
        extra.is_some_and(|extra| extra.counts_base_classes)
    }
}

/// Which samples come when.
pub trait Scenario: Debug + Send + Sync + 'static {
    /// What it is called in reports, such as `class-incremental`.
    fn label(&self) -> String;

    /// What it has in common with those that stand in the same tables, for names of files: `class`.
    fn section(&self) -> String;

    /// What it is, for people: `class: new class 9`. With a dataset by the names that this has.
    fn title(&self, dataset: Option<&Dataset>) -> String;

    /// A name for files: `class-9`.
    fn slug(&self) -> String;

    /// Refuses data that it can't be made of.
    ///
    /// # Errors
    /// [`ContinualError`].
    fn fits(&self, dataset: &Dataset) -> Result<(), ContinualError>;

    /// What is learned in turn from the training samples, pre-training first: two tasks or more, each with a sample
    /// or more.
    ///
    /// # Errors
    /// [`ContinualError`] if samples are too few.
    fn tasks(&self, samples: &SplitSamples<'_>) -> Result<Vec<NewTask>, ContinualError>;

    /// What is tested: parts of the test samples, each with a sample or more.
    ///
    /// # Errors
    /// [`ContinualError`] if a part would be empty.
    fn parts(&self, samples: &SplitSamples<'_>, tasks: &[NewTask])
    -> Result<Parts, ContinualError>;

    /// What is new, where each task after the first brings something new of a kind.
    fn learns(&self) -> Learns;

    /// Whether one thing alone is learned after pre-training.
    fn is_single(&self) -> bool {
        false
    }

    /// Whether it goes on with a learner, and nothing can be pre-trained on.
    fn needs_a_learner(&self) -> bool {
        false
    }

    /// The same where classes have other numbers; nothing to change by default.
    fn renumbered(&self, _place: &dyn Fn(ClassId) -> ClassId) -> Option<ScenarioSettings> {
        None
    }

    /// What is asked for in a command, by the names of the data: `["class", "--held-out", "nine"]`.
    fn command_words(&self, names: &dyn DataNames) -> Vec<String>;

    /// Whom or what it holds out, in a word, and what several of them are called: `nine`, `classes {} in turn`.
    fn held_out_words(&self, names: &dyn DataNames) -> HeldOutWords;

    /// Epochs and rates where none are asked for.
    fn defaults(&self, protocol: Protocol, _rehearses: bool) -> LearningDefaults {
        LearningDefaults::usual(protocol)
    }

    /// The plan of the published protocol, which has rules of its own for each scenario; refused by default.
    ///
    /// # Errors
    /// [`ContinualError`].
    fn published(
        &self,
        _dataset: &Dataset,
        _replays: Option<usize>,
        _seed: MasterSeed,
    ) -> Result<Plan, ContinualError> {
        Err(ContinualError::NotPublished(self.label()))
    }

    /// Samples of what is known first, training or not: all by default.
    fn known_first(&self, dataset: &Dataset) -> Vec<SampleIndex> {
        (0..dataset.len()).map(SampleIndex).collect()
    }

    /// Whole batches of replays in the published protocol: how many at once, and how many come later; of so many
    /// classes.
    fn published_batches(&self, _classes: usize) -> (usize, usize) {
        (1, 0)
    }

    /// How many of the classes are known first, where classes come in their order, so that they may be put in
    /// another.
    fn base_classes(&self) -> Option<usize> {
        None
    }
}

/// A scenario that can be asked for by what it holds out.
pub trait HoldsOut: Scenario + Sized {
    /// Those that are asked for, or all that there could be, in turn.
    ///
    /// # Errors
    /// What is asked for is not there.
    fn holding_out(names: &dyn DataNames, asked: Option<&[HeldOut]>) -> Result<Vec<Self>, String>;

    /// Whether what is asked for is one number, of classes that are known first ([`Scenario::base_classes`]); by default
    /// it is whom or what is held out.
    fn counts_base_classes() -> bool {
        false
    }
}

/// Whom or what a scenario holds out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum HeldOut {
    /// By number.
    Number(u16),
    /// By name, or by number if nothing has that name.
    Name(String),
}

impl HeldOut {
    /// As it stands in a text.
    pub fn text(&self) -> String {
        match self {
            HeldOut::Number(number) => number.to_string(),
            HeldOut::Name(name) => name.clone(),
        }
    }
}

/// What the classes and speakers of the data are called.
pub trait DataNames {
    /// Speakers that there are samples of.
    fn all_speakers(&self) -> Vec<SpeakerId>;
    /// Classes that there are samples of.
    fn all_classes(&self) -> Vec<ClassId>;
    /// The speaker that is meant.
    ///
    /// # Errors
    /// There is none.
    fn speaker(&self, held_out: &HeldOut) -> Result<SpeakerId, DatasetError>;
    /// The class that is meant.
    ///
    /// # Errors
    /// There is none.
    fn class(&self, held_out: &HeldOut) -> Result<ClassId, DatasetError>;
    /// A speaker as a command names one.
    fn speaker_word(&self, speaker: SpeakerId) -> String;
    /// A class as a command names one.
    fn class_word(&self, class: ClassId) -> String;
}

/// What is held out, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldOutWords {
    /// Where it stands among others.
    pub place: usize,
    /// It alone, without saying what it is: `theo`.
    pub word: String,
    /// What it is: `speaker`.
    pub one: &'static str,
    /// What several are, and what is said behind them: `speakers`, ` in turn`.
    pub several: (&'static str, &'static str),
}

/// What the tasks after the first bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learns {
    /// Classes that were not known before, a task each, which has the class's name.
    Classes,
    /// Other things.
    Samples,
}

/// A dataset with the samples that are for training and those that are for testing.
#[derive(Debug, Clone, Copy)]
pub struct SplitSamples<'a> {
    /// All samples.
    pub dataset: &'a Dataset,
    /// Which are for what.
    pub split: &'a Split,
    /// Where all randomness comes from.
    pub seed: MasterSeed,
    /// Whether someone else split them, and not the protocol.
    pub is_given: bool,
}

impl SplitSamples<'_> {
    /// What is wrong where a group has no sample to train on or to test with.
    pub fn none_of(&self, what: &'static str, group: &str) -> ContinualError {
        let why = match self.is_given {
            true => format!("none of the samples to {what} is of {group}"),
            false => format!("{group} has too few samples to be split"),
        };
        ContinualError::NothingLeft { what, why }
    }
}

/// What a scenario has learned next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTask {
    /// For tables and plots.
    pub name: String,
    /// What is trained on.
    pub train: Vec<SampleIndex>,
}

/// What is tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parts {
    /// Test samples of each task.
    OfTasks(Vec<Vec<SampleIndex>>),
    /// The same parts all the time, whatever was learned last.
    Fixed(Vec<TestPart>),
}

/// Words of a command.
fn words(parts: &[&str]) -> Vec<String> {
    parts.iter().map(ToString::to_string).collect()
}
