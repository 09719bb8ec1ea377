//! Scenarios that tell groups of samples apart: what is known first, and each thing that is new.

use super::{ContinualError, NewTask, Parts, SplitSamples, TestPart};
use crate::dataset::Dataset;
use crate::ids::SampleIndex;

/// Groups of samples, the base group first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// Their names.
    pub names: Vec<String>,
    /// The group of each sample.
    pub of_each: Vec<usize>,
}

impl Groups {
    /// Refuses groups of which there is one alone.
    pub(super) fn check(&self, title: &str) -> Result<(), ContinualError> {
        match self.names.len() < 2 {
            false => Ok(()),
            true => Err(ContinualError::NothingLeft {
                what: "pre-train on",
                why: format!("all samples belong to what is held out ({title})"),
            }),
        }
    }

    /// Samples of the base group.
    pub(super) fn base(&self) -> Vec<SampleIndex> {
        let groups = self.of_each.iter().enumerate();
        let base = groups.filter(|(_, group)| **group == 0);
        base.map(|(index, _)| SampleIndex(index)).collect()
    }

    /// A task for each group.
    ///
    /// # Errors
    /// [`ContinualError::NothingLeft`] for a group without a training sample.
    pub fn tasks(&self, samples: &SplitSamples<'_>) -> Result<Vec<NewTask>, ContinualError> {
        let groups = self.names.iter().enumerate();
        let tasks = groups.map(|(group, name)| {
            Ok(NewTask {
                name: name.clone(),
                train: self.part(samples, (name, group), "train on", &samples.split.train)?,
            })
        });
        tasks.collect()
    }

    /// The test samples of each group.
    ///
    /// # Errors
    /// [`ContinualError::NothingLeft`] for a group without a test sample.
    pub fn parts(&self, samples: &SplitSamples<'_>) -> Result<Parts, ContinualError> {
        let groups = self.names.iter().enumerate();
        let parts = groups.map(|(group, name)| {
            self.part(samples, (name, group), "test with", &samples.split.test)
        });
        Ok(Parts::OfTasks(parts.collect::<Result<_, _>>()?))
    }

    fn part(
        &self,
        samples: &SplitSamples<'_>,
        (name, group): (&str, usize),
        what: &'static str,
        among: &[SampleIndex],
    ) -> Result<Vec<SampleIndex>, ContinualError> {
        let here = |index: &&SampleIndex| self.of_each[index.0] == group;
        let part: Vec<SampleIndex> = among.iter().filter(here).copied().collect();
        match part.is_empty() {
            false => Ok(part),
            true => Err(samples.none_of(what, name)),
        }
    }
}

/// Two groups: all other samples, of so many speakers or classes, and what is new, with its name.
pub fn grouped(
    dataset: &Dataset,
    others: String,
    new: String,
    is_new: impl Fn(&crate::dataset::Sample) -> bool,
) -> Groups {
    let of_each: Vec<usize> = dataset
        .iter()
        .map(|(_, sample)| usize::from(is_new(sample)))
        .collect();
    let mut names = vec![others, new];
    if !of_each.contains(&0) {
        names.remove(0);
    }
    Groups { names, of_each }
}

/// `5 other classes`.
pub(super) fn others_of(count: usize, one: &str, several: &str) -> String {
    match count {
        1 => format!("1 other {one}"),
        _ => format!("{count} other {several}"),
    }
}

/// The test samples of each class, with the task that is the first to teach it; classes that no task teaches are left
/// out.
///
/// # Errors
/// [`ContinualError::NothingLeft`] for a class that is taught and not tested.
pub fn parts_by_class(
    samples: &SplitSamples<'_>,
    tasks: &[NewTask],
) -> Result<Parts, ContinualError> {
    let dataset = samples.dataset;
    let class_of = |index: &SampleIndex| dataset.sample(*index).class;
    let mut parts = Vec::new();
    for class in dataset.classes() {
        let teaches = |task: &NewTask| task.train.iter().any(|index| class_of(index) == class);
        let Some(first_task) = tasks.iter().position(teaches) else {
            continue;
        };
        let test = samples.split.test.iter().copied();
        let test: Vec<SampleIndex> = test.filter(|index| class_of(index) == class).collect();
        let name = dataset.class_name(class);
        if test.is_empty() {
            return Err(samples.none_of("test with", &name));
        }
        parts.push(TestPart {
            name,
            samples: test,
            first_task,
        });
    }
    Ok(Parts::Fixed(parts))
}
