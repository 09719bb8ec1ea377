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

use super::scenario::Groups;
use super::{ContinualError, Plan, Task};
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

/// The sets of a scenario's groups, cut into training and test samples, without replays; and the generator, to draw
/// more.
pub(super) fn plan(
    groups: &Groups,
    dataset: &Dataset,
    seed: MasterSeed,
) -> Result<(Plan, ChaCha8Rng), ContinualError> {
    let mut generator = seed.stream(Purpose::Split);
    let mut tasks = Vec::new();
    for (group, name) in groups.names.iter().enumerate() {
        let here = |index: SampleIndex| groups.of_each[index.0] == group;
        let set = shuffled(dataset, here, &mut generator);
        let split = published_batches(&set);
        if split.train.is_empty() {
            return Err(too_few(name.clone(), set.len(), PUBLISHED_BATCH));
        }
        tasks.push(Task {
            name: name.clone(),
            train: split.train,
            test: split.test,
            replays: Some(Vec::new()),
        });
    }
    let plan = Plan {
        tasks,
        parts: None,
        test_all: None,
        fixed_batches: true,
        old_grows: false,
    };
    Ok((plan, generator))
}

/// Whole batches for each of so many sets that share a memory in which a batch is set aside for each of `later` others.
pub(super) fn batches_of(
    samples: usize,
    sets: usize,
    later: usize,
) -> Result<usize, ContinualError> {
    let batches = (samples / PUBLISHED_BATCH).saturating_sub(later) / sets;
    match batches {
        0 => {
            let needed = (sets + later) * PUBLISHED_BATCH;
            Err(too_few("the memory".to_string(), samples, needed))
        }
        batches => Ok(batches),
    }
}

/// The first batches of a class, shuffled anew from all of its samples.
pub(super) fn first_batches(
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
