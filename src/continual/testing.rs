//! Testing: every test sample of a plan, classified once an epoch and counted for each task.
//!
//! In: a plan and a network. Out: accuracies on old, new and all samples and on each task.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::latents::Latents;
use super::{ContinualError, Plan, TestPart};
use crate::dataset::Dataset;
use crate::head::HeadState;
use crate::ids::{ClassId, SampleIndex};
use crate::network::Network;
use crate::train::evaluate;

/// Accuracies on the base task's test samples, on all new tasks' and on all together, 0 to 1; not a number where a learner
/// that goes on was tested with nothing that is old, or nothing that is new. Files leave that out.
///
/// Under the published protocol's multi-class run, old are the classes learned before the one at
/// hand, and new is that one alone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Accuracies {
    /// On the base task.
    #[serde(default = "untested", skip_serializing_if = "is_untested")]
    pub old: f64,
    /// On the new tasks.
    #[serde(default = "untested", skip_serializing_if = "is_untested")]
    pub new: f64,
    /// On everything.
    pub all: f64,
}

fn untested() -> f64 {
    f64::NAN
}

fn is_untested(accuracy: &f64) -> bool {
    accuracy.is_nan()
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
        let all = plan.test_all().len();
        if let Some(parts) = &plan.parts {
            let (old, new): (Vec<_>, Vec<_>) = parts.iter().partition(|part| part.first_task == 0);
            let samples =
                |parts: &[&TestPart]| parts.iter().map(|part| part.samples.len()).sum::<usize>();
            return TestSamples {
                old: samples(&old),
                new: samples(&new),
                all,
            };
        }
        let tests: Vec<usize> = plan.tasks.iter().map(|task| task.test.len()).collect();
        Self::of_tasks(&tests, plan.old_grows, all)
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
    /// For each part: places in `samples`, and the task that is the first to teach it.
    parts: Vec<(Vec<usize>, usize)>,
    /// What accuracy on everything is measured with: places in `samples`.
    all: Vec<usize>,
    old_grows: bool,
    /// Whether a learner goes on, so that there may be nothing old or nothing new to be tested with.
    goes_on: bool,
}

/// What a test came to.
pub(super) struct Tested {
    pub accuracy: Accuracies,
    pub tasks: Vec<f64>,
    pub confusion: Array2<u32>,
}

impl Tests {
    pub fn of(plan: &Plan) -> Self {
        let (each, all) = (plan.all_parts(), plan.test_all());
        let mut samples: Vec<SampleIndex> = [&each[..], &all].concat();
        samples.sort_unstable();
        samples.dedup();
        let places = |set: &[SampleIndex]| -> Vec<usize> {
            let place = |index| samples.binary_search(index).ok();
            set.iter().filter_map(place).collect()
        };
        Tests {
            parts: plan
                .test_parts()
                .iter()
                .map(|part| (places(&part.samples), part.first_task))
                .collect(),
            all: places(&all),
            old_grows: plan.old_grows,
            goes_on: false,
            samples,
        }
    }

    /// The same where a learner goes on that came from elsewhere, or not.
    pub fn of_going_on(mut self, goes_on: bool) -> Self {
        self.goes_on = goes_on;
        self
    }

    /// The first task to teach what each part is of.
    pub fn first_tasks(&self) -> Vec<usize> {
        self.parts.iter().map(|(_, first)| *first).collect()
    }

    /// Tests a network, with the classes that a head finds if it does that itself, while `task` is being learned, 0 for
    /// before anything new was.
    pub fn run(
        &self,
        task: usize,
        dataset: &Dataset,
        network: &Network,
        head: Option<&dyn HeadState>,
        latents: &Latents,
    ) -> Result<Tested, ContinualError> {
        let examples = latents.examples(dataset, self.samples.clone());
        let of_head = head.map(|head| head.classify(&examples)).transpose()?;
        let predictions = match of_head.flatten() {
            Some(classes) => classes,
            None => evaluate(network, latents.stage, &examples)?.predictions,
        };
        Ok(self.judge(task, dataset, network.spec().classes(), &predictions))
    }

    /// Counts what each test sample was taken for, by something that tells so many classes apart, while `task` is being
    /// learned.
    fn judge(
        &self,
        task: usize,
        dataset: &Dataset,
        classes: usize,
        predictions: &[ClassId],
    ) -> Tested {
        let class = |place: usize| dataset.sample(self.samples[place]).class;
        let accuracy = |sets: &[&[usize]]| {
            let places = sets.iter().copied().flatten();
            let right = places.filter(|&&place| predictions[place] == class(place));
            right.count() as f64 / sets.iter().map(|set| set.len()).sum::<usize>() as f64
        };
        let parts_where = |is_meant: &dyn Fn(usize) -> bool| {
            let parts = self.parts.iter().filter(|(_, first)| is_meant(*first));
            parts.map(|(places, _)| &places[..]).collect::<Vec<_>>()
        };
        let (old, new) = match self.old_grows {
            false => (
                parts_where(&|first| first == 0),
                parts_where(&|first| first > 0),
            ),
            true => {
                let now = task.max(1);
                (
                    parts_where(&|first| first < now),
                    parts_where(&|first| first == now),
                )
            }
        };
        let mut confusion = Array2::zeros((classes, classes));
        for &place in &self.all {
            confusion[[class(place).index(), predictions[place].index()]] += 1;
        }
        // Everything may have been known from the first task on, or nothing of what is tested. What a learner from
        // elsewhere knew is not what this run began with, so that the one must not stand for the other.
        let either = |parts: &[&[usize]], others: &[&[usize]]| {
            accuracy(match parts.is_empty() && !self.goes_on {
                true => others,
                false => parts,
            })
        };
        let each = self.parts.iter().map(|(places, _)| accuracy(&[places]));
        Tested {
            accuracy: Accuracies {
                old: either(&old, &new),
                new: either(&new, &old),
                all: accuracy(&[&self.all]),
            },
            tasks: each.collect(),
            confusion,
        }
    }
}

/// Accuracies at the end of a plan of something that is no network, counted as those of an
/// [`Experiment`](super::Experiment) are. `classify` gets every test sample once, and says the class that it takes each
/// for, one of the dataset's.
///
/// # Errors
/// Those of `classify`.
///
/// # Panics
/// If it says fewer classes than there are samples, or one that is not there.
pub fn test_plan<E>(
    plan: &Plan,
    dataset: &Dataset,
    classify: impl FnOnce(&[SampleIndex]) -> Result<Vec<ClassId>, E>,
) -> Result<Accuracies, E> {
    let tests = Tests::of(plan);
    let predictions = classify(&tests.samples)?;
    let (last, classes) = (plan.tasks.len() - 1, dataset.class_names().len());
    Ok(tests.judge(last, dataset, classes, &predictions).accuracy)
}

#[cfg(test)]
mod tests {
    use super::super::Task;
    use super::*;
    use crate::dataset::{DatasetBuilder, LabelledEvents};
    use crate::ids::SpeakerId;
    use crate::spikes::{EventStream, TimeGrid};

    /// Eight samples of three classes; the base task is tested with four, the next ones with one and two, and sample 7
    /// is none to test with.
    fn by_hand() -> (Dataset, Plan) {
        let names = ["a", "b", "c"].map(String::from).to_vec();
        let grid = TimeGrid::new(10, 1.0).expect("valid");
        let mut builder = DatasetBuilder::new(grid, 3, names).expect("valid");
        for class in [0, 0, 0, 0, 1, 2, 2, 1] {
            let one = LabelledEvents {
                events: EventStream::new(vec![0.25], vec![class]).expect("valid"),
                class: ClassId(class),
                speaker: SpeakerId(0),
                sound: None,
            };
            builder.push(&one).expect("it fits");
        }
        let samples = |numbers: &[usize]| numbers.iter().copied().map(SampleIndex).collect();
        let task = |numbers: &[usize]| Task {
            name: String::new(),
            train: Vec::new(),
            test: samples(numbers),
            replays: None,
        };
        let plan = Plan {
            tasks: vec![task(&[2, 0, 1, 3]), task(&[4]), task(&[5, 6])],
            parts: None,
            test_all: None,
            fixed_batches: false,
            old_grows: false,
        };
        (builder.build().expect("not empty"), plan)
    }

    #[test]
    fn what_is_no_network_is_counted_by_hand() {
        let (data, mut plan) = by_hand();
        // By sample: of the base all but 1 and 2 are right, then 4 and 6.
        let taken = [0, 1, 2, 0, 1, 1, 2, 1].map(ClassId);
        let accuracy = |plan: &Plan| {
            let found = test_plan(plan, &data, |samples| {
                assert!(samples.is_sorted() && samples.len() == 7, "each once");
                Ok::<_, ContinualError>(samples.iter().map(|index| taken[index.0]).collect())
            });
            let found = found.expect("nothing fails");
            [found.old, found.new, found.all]
        };
        assert_eq!(accuracy(&plan), [2.0 / 4.0, 2.0 / 3.0, 4.0 / 7.0]);
        // Where old grows, new is the last task alone.
        plan.old_grows = true;
        assert_eq!(accuracy(&plan), [3.0 / 5.0, 1.0 / 2.0, 4.0 / 7.0]);
        // Parts may be taught in any order, and everything be tested with some samples twice.
        plan.old_grows = false;
        let part = |first_task: usize, numbers: &[usize]| TestPart {
            name: String::new(),
            samples: numbers.iter().copied().map(SampleIndex).collect(),
            first_task,
        };
        plan.parts = Some(vec![
            part(1, &[0, 1, 2, 3]),
            part(0, &[4, 5]),
            part(2, &[6]),
        ]);
        plan.test_all = Some([6, 6, 0, 1].map(SampleIndex).to_vec());
        assert_eq!(accuracy(&plan), [1.0 / 2.0, 3.0 / 5.0, 3.0 / 4.0]);
    }

    #[test]
    fn what_is_old_at_the_end_is_the_base_or_all_but_the_last() {
        let samples = |old_grows| TestSamples::of_tasks(&[40, 10, 30], old_grows, 80);
        let (old, new) = (samples(false).old, samples(false).new);
        assert_eq!((old, new), (40, 40));
        let (old, new) = (samples(true).old, samples(true).new);
        assert_eq!((old, new), (50, 30));
    }
}
