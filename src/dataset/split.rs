use std::collections::{BTreeMap, BTreeSet};

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::{Dataset, DatasetError};
use crate::ids::{ClassId, SampleIndex, SpeakerId};

/// Samples to train on and samples to test with; none is both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Split {
    /// For training, in the dataset's order.
    pub train: Vec<SampleIndex>,
    /// For testing, in the dataset's order.
    pub test: Vec<SampleIndex>,
}

impl Split {
    /// The samples of both parts for which `keep` holds.
    pub fn filter(&self, keep: impl Fn(SampleIndex) -> bool) -> Split {
        let only = |part: &[SampleIndex]| part.iter().copied().filter(|&i| keep(i)).collect();
        Split {
            train: only(&self.train),
            test: only(&self.test),
        }
    }
}

/// Splits a dataset so that every speaker and class has the same share of test samples, as
/// [`stratified_split_of`] does.
///
/// # Errors
/// [`DatasetError::BadFraction`] unless `test_share` lies between 0 and 1, both excluded.
pub fn stratified_split(
    dataset: &Dataset,
    test_share: f64,
    generator: &mut ChaCha8Rng,
) -> Result<Split, DatasetError> {
    let labels = dataset
        .iter()
        .map(|(_, sample)| (sample.speaker, sample.class));
    stratified_split_of(&labels.collect::<Vec<_>>(), test_share, generator)
}

/// Splits samples of which these are the speakers and classes so that each of these has the same share of test
/// samples.
///
/// A share that is not whole is carried over to the class's next speaker, so that every class has its
/// share to within one sample, however small its groups are.
///
/// # Errors
/// [`DatasetError::BadFraction`] unless `test_share` lies between 0 and 1, both excluded.
pub fn stratified_split_of(
    labels: &[(SpeakerId, ClassId)],
    test_share: f64,
    generator: &mut ChaCha8Rng,
) -> Result<Split, DatasetError> {
    if !(test_share > 0.0 && test_share < 1.0) {
        return Err(DatasetError::BadFraction(test_share));
    }
    let mut groups: BTreeMap<(SpeakerId, ClassId), Vec<SampleIndex>> = BTreeMap::new();
    for (index, &label) in labels.iter().enumerate() {
        groups.entry(label).or_default().push(SampleIndex(index));
    }
    for group in groups.values_mut() {
        group.shuffle(generator);
    }
    let mut split = Split::default();
    let speakers: BTreeSet<SpeakerId> = labels.iter().map(|label| label.0).collect();
    let classes: BTreeSet<ClassId> = labels.iter().map(|label| label.1).collect();
    for (turn, &class) in classes.iter().enumerate() {
        let mut due = 0.0;
        // Each class begins with another speaker, so that what is carried over does not always
        // fall to the same one.
        let order = speakers.iter().cycle().skip(turn % speakers.len());
        for &speaker in order.take(speakers.len()) {
            let Some(group) = groups.get(&(speaker, class)) else {
                continue;
            };
            due += group.len() as f64 * test_share;
            // A share like 0.2 of 50 must be 10 whatever the rounding of earlier sums.
            let now = ((due + 1e-9) as usize).min(group.len());
            due -= now as f64;
            split.test.extend(&group[..now]);
            split.train.extend(&group[now..]);
        }
    }
    split.train.sort_unstable();
    split.test.sort_unstable();
    Ok(split)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dataset::{DatasetBuilder, LabelledEvents};
    use crate::random::{MasterSeed, Purpose};
    use crate::spikes::{EventStream, TimeGrid};

    proptest! {
        #[test]
        fn splits_never_overlap_and_lose_nothing(
            labels in prop::collection::vec((0u16..4, 0u16..5), 1..120),
            share in 0.05f64..0.95,
            seed: u64,
        ) {
            let grid = TimeGrid::new(10, 1.0).expect("valid");
            let names = (0..4).map(|n| n.to_string()).collect();
            let mut builder = DatasetBuilder::new(grid, 3, names).expect("valid");
            for &(class, speaker) in &labels {
                let events = EventStream::default();
                let (class, speaker) = (ClassId(class), SpeakerId(speaker));
                builder.push(&LabelledEvents { events, class, speaker, sound: None }).expect("valid");
            }
            let dataset = builder.build().expect("not empty");
            let mut generator = MasterSeed(seed).stream(Purpose::Split);
            let split = stratified_split(&dataset, share, &mut generator).expect("valid share");
            let mut all: Vec<_> = split.train.iter().chain(&split.test).copied().collect();
            all.sort_unstable();
            let expected: Vec<_> = (0..labels.len()).map(SampleIndex).collect();
            prop_assert_eq!(all, expected);
            for class in (0..4).map(ClassId) {
                let of_class = |part: &[SampleIndex]| {
                    part.iter().filter(|&&i| dataset.sample(i).class == class).count() as f64
                };
                let all = of_class(&split.train) + of_class(&split.test);
                prop_assert!((of_class(&split.test) - all * share).abs() < 1.0 + 1e-6);
            }
            let again = stratified_split(&dataset, share, &mut MasterSeed(seed).stream(Purpose::Split));
            prop_assert_eq!(again.expect("valid share"), split);
        }
    }
}
