use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Admission, Offer, Places, Policy, PolicyState};
use crate::registry::Member;
use crate::replay::ReplayError;

/// Every sample ever offered is kept with the same chance, and each group that is offered gets its exact share: of n
/// samples, offered after N others to a memory for C, n·C / (N + n) random ones are kept, to within one, in free places
/// first and then in place of random old ones. While there is room all are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uniform {}

impl Member for Uniform {
    const KIND: &'static str = "uniform";
    const ABOUT: &'static str =
        "every sample with the same chance, and of each group its exact share";
}

impl Policy for Uniform {
    fn admit(
        &self,
        state: &mut PolicyState,
        offer: &Offer<'_>,
        generator: &mut ChaCha8Rng,
    ) -> Result<Vec<Admission>, ReplayError> {
        let mut order = offer.shuffled(generator);
        state.groups += 1;
        let (capacity, held, candidates) = (offer.capacity, offer.held, offer.candidates);
        let mut places = Places::of(offer);
        let free = capacity.saturating_sub(held.len());
        let share = fair_share(capacity, candidates.len(), state.offered, generator);
        order.truncate(share.max(free.min(candidates.len())));
        let mut old: Vec<usize> = (0..held.len()).collect();
        old.shuffle(generator);
        let mut old = old.into_iter();
        for &candidate in &order {
            if let Some(place) = places.free().or_else(|| old.next()) {
                places.put(place, candidate, candidates[candidate]);
            }
        }
        state.offered += candidates.len() as u64;
        Ok(places.admissions())
    }
}

/// How many of `new` samples a memory keeps that all of `before` others and these share: new ·
/// capacity / (before + new), rounded up with the chance of what is cut off, so that it is right on
/// average.
fn fair_share(capacity: usize, new: usize, before: u64, generator: &mut ChaCha8Rng) -> usize {
    let all = before.saturating_add(new as u64);
    if all <= capacity as u64 {
        return new;
    }
    let shares = capacity as u128 * new as u128;
    let (whole, rest) = (shares / u128::from(all), shares % u128::from(all));
    let up = u128::from(generator.random_range(0..all)) < rest;
    // At most `new`, as the capacity is less than all.
    whole as usize + usize::from(up)
}
