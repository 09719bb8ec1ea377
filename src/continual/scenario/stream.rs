//! An order of one's own.

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::groups::parts_by_class;
use super::{
    DataNames, HeldOut, HeldOutWords, HoldsOut, Learns, NewTask, Parts, Scenario, ScenarioSettings,
    SplitSamples, words,
};
use crate::continual::{ContinualError, LearningDefaults, Protocol};
use crate::dataset::{Dataset, Sample};
use crate::hash::fnv_1a;
use crate::random::Purpose;
use crate::registry::{BadSetting, Member};

/// Tasks in the order in which they are listed. Each takes the training samples that it asks for and that no task before
/// it took; the same test samples, of all classes that are learned, all the time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    /// What is learned in turn, pre-training first.
    pub task: Vec<StreamTask>,
}

/// A task of a [`Stream`]: `[[task]]` in a file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StreamTask {
    /// For tables and plots; numbered if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Classes by name or number; all if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes: Option<Vec<HeldOut>>,
    /// Speakers by name or number; all if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speakers: Option<Vec<HeldOut>>,
    /// The most samples that it takes, random ones; the others are left for later tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<usize>,
}

impl Member for Stream {
    const KIND: &'static str = "stream";
    const ABOUT: &'static str = "tasks in an order of your own, from a file";
    // Nothing else has tasks.
    const KNOWN_BY: Option<&'static str> = Some("task");

    fn check(&self) -> Result<(), BadSetting> {
        if self.task.len() < 2 {
            let reason = "must be listed twice or more: what is known first, and what comes later";
            return Err(BadSetting::new("[[task]]", reason));
        }
        match self.task.iter().any(|task| task.at_most == Some(0)) {
            true => Err(BadSetting::new("at_most", "must be 1 or more")),
            false => Ok(()),
        }
    }
}

impl Stream {
    /// A hash of all of it, short enough for names: orders with as many tasks are told apart.
    fn hash(&self) -> u32 {
        let text = ScenarioSettings::from(self.clone()).to_string();
        let hash = fnv_1a(text.as_bytes());
        // Both halves, folded.
        (hash ^ (hash >> 32)) as u32
    }
}

impl StreamTask {
    fn name(&self, place: usize) -> String {
        match &self.name {
            Some(name) => name.clone(),
            None => format!("task {}", place + 1),
        }
    }

    /// Refuses classes and speakers that there are none of.
    fn fits(&self, dataset: &Dataset) -> Result<(), ContinualError> {
        for class in self.classes.iter().flatten() {
            dataset.find_class(&class.text())?;
        }
        for speaker in self.speakers.iter().flatten() {
            dataset.find_speaker(&speaker.text())?;
        }
        Ok(())
    }

    fn takes(&self, dataset: &Dataset, sample: &Sample) -> bool {
        let class =
            |wanted: &HeldOut| dataset.find_class(&wanted.text()).ok() == Some(sample.class);
        let speaker =
            |wanted: &HeldOut| dataset.find_speaker(&wanted.text()).ok() == Some(sample.speaker);
        let classes = self.classes.as_ref();
        let speakers = self.speakers.as_ref();
        classes.is_none_or(|classes| classes.iter().any(class))
            && speakers.is_none_or(|speakers| speakers.iter().any(speaker))
    }
}

impl Scenario for Stream {
    fn section(&self) -> String {
        self.slug()
    }

    fn label(&self) -> String {
        format!("an order of one's own ({:08x})", self.hash())
    }

    fn title(&self, _: Option<&Dataset>) -> String {
        format!("stream: {} tasks", self.task.len())
    }

    fn slug(&self) -> String {
        format!("stream-{}-{:08x}", self.task.len(), self.hash())
    }

    fn fits(&self, dataset: &Dataset) -> Result<(), ContinualError> {
        self.task.iter().try_for_each(|task| task.fits(dataset))
    }

    fn tasks(&self, samples: &SplitSamples<'_>) -> Result<Vec<NewTask>, ContinualError> {
        let dataset = samples.dataset;
        let mut left = samples.split.train.clone();
        let mut generator = samples.seed.stream(Purpose::TaskOrder);
        let tasks = self.task.iter().enumerate().map(|(place, task)| {
            let name = task.name(place);
            let asked = |index: &_| task.takes(dataset, dataset.sample(*index));
            let (mut train, mut others): (Vec<_>, Vec<_>) = left.iter().copied().partition(asked);
            if let Some(most) = task.at_most.filter(|most| *most < train.len()) {
                train.shuffle(&mut generator);
                others.extend(train.drain(most..));
                others.sort_unstable();
                train.sort_unstable();
            }
            left = others;
            match train.is_empty() {
                true => Err(samples.none_of("train on", &name)),
                false => Ok(NewTask { name, train }),
            }
        });
        tasks.collect()
    }

    fn parts(
        &self,
        samples: &SplitSamples<'_>,
        tasks: &[NewTask],
    ) -> Result<Parts, ContinualError> {
        parts_by_class(samples, tasks)
    }

    fn learns(&self) -> Learns {
        Learns::Samples
    }

    fn command_words(&self, _: &dyn DataNames) -> Vec<String> {
        // All of it: there may be no file any more.
        words(&[&ScenarioSettings::from(self.clone()).to_string()])
    }

    fn held_out_words(&self, _: &dyn DataNames) -> HeldOutWords {
        HeldOutWords {
            place: self.task.len(),
            word: format!("{} tasks", self.task.len()),
            one: "after the first of",
            several: ("after the first of", ""),
        }
    }

    fn defaults(&self, protocol: Protocol, _: bool) -> LearningDefaults {
        LearningDefaults {
            epochs: 10,
            ..LearningDefaults::usual(protocol)
        }
    }
}

impl HoldsOut for Stream {
    fn holding_out(_: &dyn DataNames, _: Option<&[HeldOut]>) -> Result<Vec<Self>, String> {
        Err("an order of one's own lists its tasks: give it as a table with [[task]]".to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_of_as_many_tasks_have_names_of_their_own() {
        let task = |class| StreamTask {
            classes: Some(vec![HeldOut::Number(class)]),
            ..StreamTask::default()
        };
        let stream = |classes: [u16; 2]| Stream {
            task: classes.map(task).to_vec(),
        };
        let (one, other) = (stream([0, 1]), stream([1, 0]));
        assert!(one.slug().starts_with("stream-2-"), "{}", one.slug());
        assert_eq!(one.slug(), stream([0, 1]).slug());
        assert_ne!(one.slug(), other.slug());
        assert_ne!(one.label(), other.label());
    }
}
