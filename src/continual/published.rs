//! The published protocol: what the code of Dequino et al. 2024 does with the data, oddities
//! included. It is here so that figures can be compared with theirs, and for nothing else:
//!
//! - Sets are shuffled once and cut into batches of 64; what is left over is dropped; batches and
//!   their order are the same in every epoch.
//! - Of n batches, with d = n / 5, batches 0 to d − 2 are for testing (batch 0 if d is 0 or 1) and
//!   d to n − 1 for training. So one batch is in neither if d > 1, and with d = 0 batch 0 is in both.
//! - An epoch trains on all new batches, then on all replays, without mixing them.
//! - Class-incremental replays are drawn anew from all samples of a class, test samples included.
//! - Multi-class replays repeat the same first batches once for each base class.
//! - In the multi-class run, accuracy on *old* is that on all classes learned before, on *new* that on
//!   the class at hand; accuracy on everything is measured on one batch a class, which for base
//!   classes is drawn anew from all samples, training samples included.

use std::ops::Range;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::{ContinualError, Plan, Scenario, Task};
use crate::dataset::{Dataset, Split};
use crate::ids::{ClassId, SampleIndex};
use crate::random::{MasterSeed, Purpose};

/// Samples of a batch.
pub const PUBLISHED_BATCH: usize = 64;

/// Cuts an already shuffled set into batches, and these into training and test samples.
///
/// ```
/// use respike::continual::published_batches;
/// use respike::ids::SampleIndex;
///
/// // 10 batches and 5 samples left over; d = 2: batch 0 tests, batch 1 is lost.
/// let set: Vec<SampleIndex> = (0..645).map(SampleIndex).collect();
/// let split = published_batches(&set);
/// assert_eq!(split.test, set[..64]);
/// assert_eq!(split.train, set[128..640]);
/// ```
pub fn published_batches(shuffled: &[SampleIndex]) -> Split {
    let batches = shuffled.len() / PUBLISHED_BATCH;
    let fifth = batches / 5;
    let test_batches = if fifth > 1 { fifth - 1 } else { batches.min(1) };
    let cut =
        |from: usize, to: usize| shuffled[from * PUBLISHED_BATCH..to * PUBLISHED_BATCH].to_vec();
    Split {
        train: cut(fifth, batches),
        test: cut(0, test_batches),
    }
}

/// The batches of an epoch over sources of so many samples: first those of the first source, the new
/// samples, then those of the next, the replays, without mixing them. Samples are counted through all
/// sources.
///
/// ```
/// use respike::continual::published_epoch;
///
/// assert_eq!(published_epoch(&[100, 0, 64]), [0..64, 64..100, 100..164]);
/// ```
pub fn published_epoch(sources: &[usize]) -> Vec<Range<usize>> {
    let mut batches = Vec::new();
    let mut start = 0;
    for samples in sources {
        let end = start + samples;
        while start < end {
            let next = end.min(start + PUBLISHED_BATCH);
            batches.push(start..next);
            start = next;
        }
    }
    batches
}

/// Splits a dataset into the scenario's tasks as the published code does.
///
/// `replays` is the number of samples that may be kept: the first batches of a set up to that number.
/// In the multi-class run a batch of it is set aside for each new class, which joins when it has been
/// learned, and the rest is shared by the base classes.
///
/// # Errors
/// [`ContinualError`] if the scenario does not fit the data, or a set is smaller than a batch.
pub fn published_plan(
    scenario: Scenario,
    dataset: &Dataset,
    replays: Option<usize>,
    seed: MasterSeed,
) -> Result<Plan, ContinualError> {
    scenario.check(dataset)?;
    let mut generator = seed.stream(Purpose::Split);
    let groups = scenario.group_of_each(dataset);
    let mut tasks = Vec::new();
    for (group, (name, new_class)) in scenario.groups(dataset).into_iter().enumerate() {
        let set = shuffled(dataset, |index| groups[index.0] == group, &mut generator);
        let split = published_batches(&set);
        if split.train.is_empty() {
            return Err(too_few(name, set.len(), PUBLISHED_BATCH));
        }
        tasks.push(Task {
            name,
            train: split.train,
            test: split.test,
            new_class,
            replays: Some(Vec::new()),
        });
    }
    let mut plan = Plan {
        tasks,
        test_all: None,
        fixed_batches: true,
        old_grows: matches!(scenario, Scenario::MultiClass { .. }),
    };
    if let Some(samples) = replays {
        add_replays(&mut plan, scenario, dataset, samples, &mut generator)?;
    }
    if let Scenario::MultiClass { base_classes } = scenario {
        let mut all = Vec::new();
        for class in dataset.classes().into_iter().take(base_classes) {
            all.extend(first_batches(dataset, class, 1, &mut generator)?);
        }
        for task in &plan.tasks[1..] {
            all.extend(task.test.iter().take(PUBLISHED_BATCH));
        }
        plan.test_all = Some(all);
    }
    Ok(plan)
}

fn add_replays(
    plan: &mut Plan,
    scenario: Scenario,
    dataset: &Dataset,
    samples: usize,
    generator: &mut ChaCha8Rng,
) -> Result<(), ContinualError> {
    // How many sets the replays are taken from, and whether they are repeated.
    let old_classes = match scenario {
        Scenario::Sample { .. } => 1,
        Scenario::Class { .. } => dataset.classes().len() - 1,
        Scenario::MultiClass { base_classes } => base_classes,
    };
    // The multi-class memory grows by a batch with each new class; room is kept for them, so that a
    // budget holds to the end.
    let later = match scenario {
        Scenario::MultiClass { .. } => plan.tasks.len() - 1,
        _ => 0,
    };
    let batches = (samples / PUBLISHED_BATCH).saturating_sub(later) / old_classes;
    if batches == 0 {
        let needed = (old_classes + later) * PUBLISHED_BATCH;
        return Err(too_few("the memory".to_string(), samples, needed));
    }
    let mut first = Vec::new();
    match scenario {
        Scenario::Sample { .. } => {
            let train = plan.tasks[0].train.iter();
            first.extend(train.take(batches * PUBLISHED_BATCH));
        }
        Scenario::Class { class } => {
            for old in dataset.classes().into_iter().filter(|&old| old != class) {
                first.extend(first_batches(dataset, old, batches, generator)?);
            }
        }
        Scenario::MultiClass { base_classes } => {
            for _ in 0..base_classes {
                let train = plan.tasks[0].train.iter();
                first.extend(train.take(batches * PUBLISHED_BATCH));
            }
            for task in &mut plan.tasks[1..] {
                let kept = task.train.iter().copied().take(PUBLISHED_BATCH);
                task.replays = Some(kept.collect());
            }
        }
    }
    plan.tasks[0].replays = Some(first);
    Ok(())
}

/// The first batches of a class, shuffled anew from all of its samples.
fn first_batches(
    dataset: &Dataset,
    class: ClassId,
    batches: usize,
    generator: &mut ChaCha8Rng,
) -> Result<Vec<SampleIndex>, ContinualError> {
    let mut set = shuffled(dataset, |i| dataset.sample(i).class == class, generator);
    let (found, whole) = (set.len(), set.len() / PUBLISHED_BATCH);
    if whole == 0 {
        return Err(too_few(dataset.class_name(class), found, PUBLISHED_BATCH));
    }
    set.truncate(batches.min(whole) * PUBLISHED_BATCH);
    Ok(set)
}

fn shuffled(
    dataset: &Dataset,
    keep: impl Fn(SampleIndex) -> bool,
    generator: &mut ChaCha8Rng,
) -> Vec<SampleIndex> {
    let mut set: Vec<SampleIndex> = (0..dataset.len()).map(SampleIndex).collect();
    set.retain(|&index| keep(index));
    set.shuffle(generator);
    set
}

fn too_few(set: String, found: usize, needed: usize) -> ContinualError {
    ContinualError::TooFewForBatch { set, found, needed }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(samples: usize) -> (Vec<usize>, Vec<usize>) {
        let set: Vec<SampleIndex> = (0..samples).map(SampleIndex).collect();
        let split = published_batches(&set);
        let batches = |part: &[SampleIndex]| {
            part.chunks(64)
                .map(|batch| batch[0].0 / 64)
                .collect::<Vec<_>>()
        };
        (batches(&split.train), batches(&split.test))
    }

    #[test]
    fn batches_are_cut_as_in_the_published_code() {
        // d = 0: batch 0 is trained on and tested with.
        assert_eq!(cut(4 * 64 + 63), ((0..4).collect(), vec![0]));
        // d = 1: batch 0 tests only.
        assert_eq!(cut(7 * 64), ((1..7).collect(), vec![0]));
        // d = 2: batch 1 is lost.
        assert_eq!(cut(10 * 64 + 1), ((2..10).collect(), vec![0]));
        // d = 4: batches 0 to 2 test, batch 3 is lost.
        assert_eq!(cut(23 * 64), ((4..23).collect(), vec![0, 1, 2]));
        assert_eq!(cut(63), (vec![], vec![]));
    }
}
