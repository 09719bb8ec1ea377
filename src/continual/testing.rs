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
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Accuracies {
    /// On the base task.
    pub old: f64,
    /// On the new tasks.
    pub new: f64,
    /// On everything.
    pub all: f64,
}

/// The test samples of all tasks, each classified once an epoch.
pub(super) struct Tests {
    /// Every test sample once.
    pub samples: Vec<SampleIndex>,
    /// For each task, and then for old, new and all: places in `samples`.
    tasks: Vec<Vec<usize>>,
    sets: [Vec<usize>; 3],
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
        let (old, new, all) = (plan.test_of(0..1), plan.test_of(1..tasks), plan.test_all());
        let mut samples: Vec<SampleIndex> = [&old[..], &new, &all].concat();
        samples.sort_unstable();
        samples.dedup();
        let places = |set: &[SampleIndex]| -> Vec<usize> {
            let place = |index| samples.binary_search(index).ok();
            set.iter().filter_map(place).collect()
        };
        Tests {
            tasks: plan.tasks.iter().map(|task| places(&task.test)).collect(),
            sets: [places(&old), places(&new), places(&all)],
            samples,
        }
    }

    pub fn run(
        &self,
        dataset: &Dataset,
        network: &Network,
        latents: &Latents,
    ) -> Result<Tested, ContinualError> {
        let examples = latents.examples(dataset, self.samples.clone());
        let predictions = evaluate(network, latents.stage, &examples)?.predictions;
        let class = |place: usize| dataset.sample(self.samples[place]).class;
        let accuracy = |places: &Vec<usize>| {
            let right = places.iter().filter(|&&p| predictions[p] == class(p));
            right.count() as f64 / places.len() as f64
        };
        let classes = network.spec().classes();
        let mut confusion = Array2::zeros((classes, classes));
        for &place in &self.sets[2] {
            confusion[[class(place).index(), predictions[place].index()]] += 1;
        }
        let [old, new, all] = [0, 1, 2].map(|set| accuracy(&self.sets[set]));
        Ok(Tested {
            accuracy: Accuracies { old, new, all },
            tasks: self.tasks.iter().map(accuracy).collect(),
            confusion,
        })
    }
}
