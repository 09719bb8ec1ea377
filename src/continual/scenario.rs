use std::fmt;

use serde::{Deserialize, Serialize};

use super::ContinualError;
use crate::dataset::{Dataset, Sample};
use crate::ids::{ClassId, SampleIndex, SpeakerId};

/// Which samples come when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scenario {
    /// A new speaker of known classes (sample-incremental).
    Sample {
        /// Who is held out of pre-training.
        speaker: SpeakerId,
    },
    /// A new class (class-incremental).
    Class {
        /// What is held out of pre-training.
        class: ClassId,
    },
    /// Several new classes, one after the other (multi-class-incremental).
    MultiClass {
        /// The lowest classes, so many, are pre-trained on.
        base_classes: usize,
    },
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scenario::Sample { speaker } => write!(f, "sample: new {speaker}"),
            Scenario::Class { class } => write!(f, "class: new {class}"),
            Scenario::MultiClass { base_classes } => {
                write!(f, "multi-class: {base_classes} known, then one by one")
            }
        }
    }
}

/// One step of a scenario: something to be learned, and how to tell whether it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// For tables and plots.
    pub name: String,
    /// Samples to train on; under the published protocol in the order of their batches.
    pub train: Vec<SampleIndex>,
    /// Samples to test with.
    pub test: Vec<SampleIndex>,
    /// The class whose readout weights are drawn anew before the task.
    pub new_class: Option<ClassId>,
    /// Samples that go into the memory after the task, where the protocol fixes them; `None` leaves
    /// the choice among the training samples to the memory's policy.
    pub replays: Option<Vec<SampleIndex>>,
}

/// What a protocol makes of a scenario and a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The first is for pre-training, the others are learned one by one.
    pub tasks: Vec<Task>,
    /// What accuracy on `all` is measured with, if it is not all tasks' test samples together.
    pub test_all: Option<Vec<SampleIndex>>,
    /// Whether batches and their order are fixed, new ones first, then replays.
    pub fixed_batches: bool,
    /// Whether, while task k is learned, *old* are all tasks before k and *new* is task k alone;
    /// otherwise *old* is the base task and *new* are all others.
    pub old_grows: bool,
}

impl Plan {
    /// The samples that accuracy on everything is measured with.
    pub fn test_all(&self) -> Vec<SampleIndex> {
        match &self.test_all {
            Some(samples) => samples.clone(),
            None => self.test_of(0..self.tasks.len()),
        }
    }

    /// The test samples of some tasks together.
    pub fn test_of(&self, tasks: std::ops::Range<usize>) -> Vec<SampleIndex> {
        let tests = self.tasks[tasks].iter();
        tests.flat_map(|task| &task.test).copied().collect()
    }
}

impl Scenario {
    /// Refuses a speaker or class that the data does not have, and a base of no or of all classes.
    ///
    /// # Errors
    /// [`ContinualError`].
    pub fn check(self, dataset: &Dataset) -> Result<(), ContinualError> {
        match self {
            Scenario::Sample { speaker } => dataset.check_speaker(speaker)?,
            Scenario::Class { class } => dataset.check_class(class)?,
            Scenario::MultiClass { base_classes } => {
                let classes = dataset.classes().len();
                if classes < 2 || !(1..classes).contains(&base_classes) {
                    return Err(ContinualError::BadBaseClasses {
                        found: base_classes,
                        classes,
                    });
                }
            }
        }
        if self.groups(dataset).len() < 2 {
            return Err(ContinualError::NothingLeft {
                what: "pre-train on",
                why: format!("all samples belong to what is held out ({self})"),
            });
        }
        Ok(())
    }

    /// Whether what is new are classes; the tasks that learn them have their names.
    pub fn learns_classes(self) -> bool {
        match self {
            Scenario::Sample { .. } => false,
            Scenario::Class { .. } | Scenario::MultiClass { .. } => true,
        }
    }

    /// The scenario's groups of samples by name, the base group first, with the class that is new
    /// in each; samples are told apart by [`Scenario::group_of_each`].
    pub(super) fn groups(self, dataset: &Dataset) -> Vec<(String, Option<ClassId>)> {
        let base = |name: String| (name, None);
        match self {
            Scenario::Sample { speaker } => {
                let others = dataset.speakers().len() - 1;
                let mut groups = vec![base(others_of(others, "speaker", "speakers"))];
                groups.push(base(dataset.speaker_name(speaker)));
                groups.retain(|_| others > 0);
                groups
            }
            Scenario::Class { class } => {
                let others = dataset.classes().len() - 1;
                let mut groups = vec![base(others_of(others, "class", "classes"))];
                groups.push((dataset.class_name(class), Some(class)));
                groups.retain(|_| others > 0);
                groups
            }
            Scenario::MultiClass { base_classes } => {
                let classes = dataset.classes();
                let new = classes.into_iter().skip(base_classes);
                let new = new.map(|class| (dataset.class_name(class), Some(class)));
                let mut groups = vec![base(match base_classes {
                    1 => "1 base class".to_string(),
                    several => format!("{several} base classes"),
                })];
                groups.extend(new);
                groups
            }
        }
    }

    /// The group that each sample belongs to, an index into [`Scenario::groups`].
    pub(super) fn group_of_each(self, dataset: &Dataset) -> Vec<usize> {
        let classes: Vec<ClassId> = dataset.classes().into_iter().collect();
        let group_of = |sample: &Sample| match self {
            Scenario::Sample { speaker } => usize::from(sample.speaker == speaker),
            Scenario::Class { class } => usize::from(sample.class == class),
            Scenario::MultiClass { base_classes } => {
                let rank = classes.partition_point(|class| *class < sample.class);
                (rank + 1).saturating_sub(base_classes)
            }
        };
        dataset.iter().map(|(_, sample)| group_of(sample)).collect()
    }
}

fn others_of(count: usize, one: &str, several: &str) -> String {
    match count {
        1 => format!("1 other {one}"),
        _ => format!("{count} other {several}"),
    }
}
