//! Testing: every test sample of a plan, classified once an epoch and counted for each task.
//!
//! In: a plan and a network. Out: accuracies on old, new and all samples and on each task.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::latents::Latents;
use super::{ContinualError, Plan};
use crate::dataset::Dataset;
use crate::ids::SampleIndex;
use crate::network::Network;
use crate::train::evaluate;

/// Accuracies on the base task's test samples, on all new tasks' and on all together, 0 to 1.
///
/// Under the published protocol's multi-class run, old are the classes learned before the one at
/// hand, and new is that one alone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Accuracies {
    /// On the base task.
    pub old: f64,
    /// On the new tasks.
    pub new: f64,
    /// On everything.
    pub all: f64,
}

/// How many test samples stand behind the [`Accuracies`] at the end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestSamples {
    /// Behind accuracy on what is old.
    pub old: usize,
    /// On what is new.
    pub new: usize,
    /// On everything.
    pub all: usize,
}

impl TestSamples {
    /// Of a plan.
    pub fn of(plan: &Plan) -> Self {
        let tests: Vec<usize> = plan.tasks.iter().map(|task| task.test.len()).collect();
        Self::of_tasks(&tests, plan.old_grows, plan.test_all().len())
    }

    /// Of tasks with so many test samples each, of which the first is old, or all but the last if old
    /// grows.
    pub fn of_tasks(tests: &[usize], old_grows: bool, all: usize) -> Self {
        let old = match old_grows {
            true => tests.len().saturating_sub(1),
            false => tests.len().min(1),
        };
        TestSamples {
            old: tests[..old].iter().sum(),
            new: tests[old..].iter().sum(),
            all,
        }
    }
}

/// The test samples of all tasks, each classified once an epoch.
pub(super) struct Tests {
    /// Every test sample once.
    pub samples: Vec<SampleIndex>,
    /// For each task: places in `samples`.
    tasks: Vec<Vec<usize>>,
    /// What accuracy on everything is measured with: places in `samples`.
    all: Vec<usize>,
    old_grows: bool,
}

/// What a test came to.
pub(super) struct Tested {
    pub accuracy: Accuracies,
    pub tasks: Vec<f64>,
    pub confusion: Array2<u32>,
}

impl Tests {
    pub fn of(plan: &Plan) -> Self {
        let tasks = plan.tasks.len();
        let (each, all) = (plan.test_of(0..tasks), plan.test_all());
        let mut samples: Vec<SampleIndex> = [&each[..], &all].concat();
        samples.sort_unstable();
        samples.dedup();
        let places = |set: &[SampleIndex]| -> Vec<usize> {
            let place = |index| samples.binary_search(index).ok();
            set.iter().filter_map(place).collect()
        };
        Tests {
            tasks: plan.tasks.iter().map(|task| places(&task.test)).collect(),
            all: places(&all),
            old_grows: plan.old_grows,
            samples,
        }
    }

    /// Tests a network while `task` is being learned, 0 for before anything new was.
    pub fn run(
        &self,
        task: usize,
        dataset: &Dataset,
        network: &Network,
        latents: &Latents,
    ) -> Result<Tested, ContinualError> {
        let examples = latents.examples(dataset, self.samples.clone());
        let predictions = evaluate(network, latents.stage, &examples)?.predictions;
        let class = |place: usize| dataset.sample(self.samples[place]).class;
        let accuracy = |sets: &[Vec<usize>]| {
            let right = sets
                .iter()
                .flatten()
                .filter(|&&p| predictions[p] == class(p));
            right.count() as f64 / sets.iter().map(Vec::len).sum::<usize>() as f64
        };
        // `Scenario::check` refuses a scenario without anything new, so there are two tasks at least.
        let (old, new) = match (self.old_grows, task) {
            (false, _) => (&self.tasks[..1], &self.tasks[1..]),
            (true, task) => {
                let now = task.max(1);
                (&self.tasks[..now], &self.tasks[now..=now])
            }
        };
        let classes = network.spec().classes();
        let mut confusion = Array2::zeros((classes, classes));
        for &place in &self.all {
            confusion[[class(place).index(), predictions[place].index()]] += 1;
        }
        let each = self
            .tasks
            .iter()
            .map(|task| accuracy(std::slice::from_ref(task)));
        Ok(Tested {
            accuracy: Accuracies {
                old: accuracy(old),
                new: accuracy(new),
                all: accuracy(std::slice::from_ref(&self.all)),
            },
            tasks: each.collect(),
            confusion,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_old_at_the_end_is_the_base_or_all_but_the_last() {
        let samples = |old_grows| TestSamples::of_tasks(&[40, 10, 30], old_grows, 80);
        let (old, new) = (samples(false).old, samples(false).new);
        assert_eq!((old, new), (40, 40));
        let (old, new) = (samples(true).old, samples(true).new);
        assert_eq!((old, new), (50, 30));
    }
}
