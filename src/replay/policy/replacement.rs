use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Admission, Offer, Places, Policy, PolicyState};
use crate::registry::Member;
use crate::replay::ReplayError;

/// Of the i-th group that is offered, 1 first, h = min(C / i, n) random ones of its n samples are kept by a memory for C,
/// in free places first and then in place of random old ones (Pellegrini et al. 2020, algorithm 1). Groups count alike,
/// whatever their sizes, and what an old group has left shrinks as others come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replacement {}

impl Member for Replacement {
    const KIND: &'static str = "replacement";
    const ABOUT: &'static str =
        "of the i-th group a random i-th of the memory's places, in place of random old samples";
}

impl Policy for Replacement {
    fn admit(
        &self,
        state: &mut PolicyState,
        offer: &Offer<'_>,
        generator: &mut ChaCha8Rng,
    ) -> Result<Vec<Admission>, ReplayError> {
        let mut order = offer.shuffled(generator);
        state.groups += 1;
        state.offered += offer.candidates.len() as u64;
        let share = offer.capacity as u64 / state.groups;
        order.truncate(usize::try_from(share).unwrap_or(usize::MAX));
        let mut places = Places::of(offer);
        let mut old: Vec<usize> = (0..offer.held.len()).collect();
        old.shuffle(generator);
        let mut old = old.into_iter();
        for &candidate in &order {
            if let Some(place) = places.free().or_else(|| old.next()) {
                places.put(place, candidate, offer.candidates[candidate]);
            }
        }
        Ok(places.admissions())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{count, fill, group};
    use crate::replay::PolicySettings;

    #[test]
    fn the_ith_group_gets_an_ith_of_the_places() {
        let policy: PolicySettings = "replacement".parse().expect("it is registered");
        // 12 of the first, min(12 / 2, 4) of the second in place of 4 old ones, 12 / 3 of the third.
        let groups = [group(0, 100), group(1, 4), group(2, 50)];
        let held = fill(&policy, 12, &groups[..2]);
        assert_eq!([0, 1].map(|class| count(&held, class)), [8, 4]);
        let held = fill(&policy, 12, &groups);
        assert_eq!((held.len(), count(&held, 2)), (12, 4));
        // What is smaller than the memory leaves room, and later groups fill it with their shares.
        let held = fill(&policy, 12, &[group(0, 5), group(1, 50), group(2, 50)]);
        assert_eq!(
            [0, 1, 2]
                .map(|class| count(&held, class))
                .iter()
                .sum::<usize>(),
            12
        );
    }
}
