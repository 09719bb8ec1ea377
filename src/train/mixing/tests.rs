use std::ops::Range;

use rand::Rng;

use super::*;
use crate::ids::ClassId;
use crate::network::StageInput;
use crate::random::{MasterSeed, Purpose};

/// Samples by class, origin and task, with no inputs.
struct Labels(Vec<(u16, Origin, usize)>);

impl Examples for Labels {
    fn len(&self) -> usize {
        self.0.len()
    }
    fn steps(&self, _: usize) -> usize {
        1
    }
    fn class(&self, index: usize) -> ClassId {
        ClassId(self.0[index].0)
    }
    fn input(&self, _: usize) -> Result<StageInput<'_>, TrainError> {
        Err(TrainError::NoSamples("look into"))
    }
    fn origin(&self, index: usize) -> Origin {
        self.0[index].1
    }
    fn task(&self, index: usize) -> usize {
        self.0[index].2
    }
}

/// New samples of classes 3 and 4, and replays of tasks 0, 1 and 2 of classes 0 to 4, some rare.
fn labels(new: usize, replayed: usize) -> Labels {
    let fresh = (0..new).map(|sample| (3 + u16::from(sample % 3 == 0), Origin::New, 3));
    let old = (0..replayed).map(|sample| {
        let class = match sample % 11 {
            0 => 0,
            1..4 => 1,
            4..7 => 2,
            7..10 => 3,
            _ => 4,
        };
        (class, Origin::Replayed, (sample % 7).min(2))
    });
    Labels(fresh.chain(old).collect())
}

fn random(seed: u64) -> ChaCha8Rng {
    MasterSeed(seed).stream(Purpose::LearningShuffle)
}

/// How often each sample is in a batch.
fn times(labels: &Labels, batches: &[Vec<usize>]) -> Vec<usize> {
    let mut times = vec![0; labels.len()];
    for &sample in batches.iter().flatten() {
        times[sample] += 1;
    }
    times
}

/// How many of a batch are of each group that there is.
fn groups<K: Ord + Copy>(
    labels: &Labels,
    batch: &[usize],
    wanted: Range<usize>,
    group: impl Fn(usize) -> K,
) -> Vec<usize> {
    let mut counts: BTreeMap<K, usize> = wanted.clone().map(|one| (group(one), 0)).collect();
    let within = batch.iter().filter(|sample| wanted.contains(sample));
    for &sample in within {
        *counts.entry(group(sample)).or_default() += 1;
    }
    assert!(wanted.end <= labels.len());
    counts.into_values().collect()
}

fn spread(counts: &[usize]) -> usize {
    let [least, most] = [counts.iter().min(), counts.iter().max()].map(Option::<&usize>::copied);
    most.unwrap_or(0) - least.unwrap_or(0)
}

#[test]
fn by_default_batches_are_what_a_shuffle_leaves() {
    let labels = labels(30, 41);
    for batch_size in [1, 7, 64, 100] {
        let [mut ours, mut plain] = [random(1), random(1)];
        let found = Mixing::default().batches(&labels, batch_size, &mut ours);
        let mut order: Vec<usize> = (0..71).collect();
        order.shuffle(&mut plain);
        let expected: Vec<&[usize]> = order.chunks(batch_size).collect();
        assert_eq!(found, expected);
        assert_eq!(
            ours.random::<u64>(),
            plain.random::<u64>(),
            "the stream goes on alike"
        );
    }
}

#[test]
fn numbers_per_batch_hold_and_each_new_sample_comes_once() {
    for (new, replayed, numbers) in [
        (210, 1000, (21, 107)),
        (200, 1000, (21, 107)),
        (64, 10, (16, 24)),
        (5, 3000, (21, 107)),
        (50, 90, (8, 0)),
        (50, 0, (8, 8)),
    ] {
        for balance in [Balance::None, Balance::Class, Balance::Task] {
            let labels = labels(new, replayed);
            let mixing = Mixing::default().with_per_batch(numbers.0, numbers.1);
            let mixing = mixing.with_balance(balance);
            let batches = mixing.batches(&labels, 3, &mut random(2));
            assert_eq!(batches, mixing.batches(&labels, 5, &mut random(2)));
            assert_eq!(batches.len(), new.div_ceil(numbers.0));
            let times = times(&labels, &batches);
            assert!(times[..new].iter().all(|&times| times == 1));
            for (place, batch) in batches.iter().enumerate() {
                let fresh = batch.iter().filter(|&&sample| sample < new).count();
                let old = batch.len() - fresh;
                let left = (new - place * numbers.0).min(numbers.0);
                assert_eq!(fresh, left);
                let wanted = if replayed == 0 { 0 } else { numbers.1 };
                match left == numbers.0 {
                    true => assert_eq!(old, wanted),
                    false => assert_eq!(old, (wanted * left).div_ceil(numbers.0)),
                }
                let old = new..new + replayed;
                match balance {
                    Balance::None => {}
                    Balance::Class => {
                        let counts = groups(&labels, batch, old, |one| labels.class(one));
                        assert!(spread(&counts) <= 1, "{counts:?}");
                    }
                    Balance::Task => {
                        let counts = groups(&labels, batch, old, |one| labels.task(one));
                        assert!(spread(&counts) <= 1, "{counts:?}");
                    }
                }
            }
            // No replay comes again before all have come.
            if balance == Balance::None {
                assert!(spread(&times[new..]) <= 1, "{times:?}");
            }
        }
    }
}

#[test]
fn balanced_batches_have_equally_many_and_the_largest_group_comes_once() {
    for (new, replayed, batch_size) in [(60, 140, 32), (200, 20, 64), (33, 300, 7), (9, 9, 2)] {
        let labels = labels(new, replayed);
        let all = 0..new + replayed;
        let task = |sample: usize| match labels.origin(sample) {
            Origin::New => usize::MAX,
            Origin::Replayed => labels.task(sample),
        };
        let class = |sample: usize| labels.class(sample).index();
        for (balance, group) in [
            (Balance::Class, &class as &dyn Fn(usize) -> usize),
            (Balance::Task, &task),
        ] {
            let mixing = Mixing::default().with_balance(balance);
            let batches = mixing.batches(&labels, batch_size, &mut random(3));
            for (place, batch) in batches.iter().enumerate() {
                let counts = groups(&labels, batch, all.clone(), group);
                assert!(spread(&counts) <= 1, "{balance:?} {counts:?}");
                assert!(batch.len() == batch_size || place + 1 == batches.len());
            }
            let times = times(&labels, &batches);
            let members = groups(
                &labels,
                &all.clone().collect::<Vec<_>>(),
                all.clone(),
                group,
            );
            let largest = members.iter().copied().max().expect("some");
            assert_eq!(times.iter().sum::<usize>(), largest * members.len());
            let mut of_group: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
            for (sample, times) in times.iter().enumerate() {
                of_group.entry(group(sample)).or_default().push(*times);
            }
            for times in of_group.values() {
                assert_eq!(times.iter().sum::<usize>(), largest);
                assert!(spread(times) <= 1, "{times:?}");
            }
        }
    }
}

#[test]
fn settings_are_read_and_wrong_ones_refused() {
    let read: Mixing =
        toml::from_str("new_per_batch = 21\nreplayed_per_batch = 107\nbalance = \"task\"")
            .expect("valid");
    let expected = Mixing::default().with_per_batch(21, 107);
    assert_eq!(read, expected.with_balance(Balance::Task));
    assert_eq!(toml::from_str(""), Ok(Mixing::default()));
    let written = toml::to_string(&read).expect("a table");
    assert_eq!(toml::from_str(&written), Ok(read));
    for unknown in ["balance = \"speaker\"", "new_a_batch = 3"] {
        toml::from_str::<Mixing>(unknown).expect_err("unknown");
    }
    for (text, said) in [
        (
            "new_per_batch = 21",
            "new_per_batch needs replayed_per_batch",
        ),
        (
            "replayed_per_batch = 21",
            "replayed_per_batch needs new_per_batch",
        ),
        (
            "new_per_batch = 0\nreplayed_per_batch = 1",
            "new_per_batch must be 1",
        ),
    ] {
        let mixing: Mixing = toml::from_str(text).expect("a table");
        let refused = mixing.check().expect_err("wrong").to_string();
        assert!(refused.contains(said), "{refused}");
    }
}
