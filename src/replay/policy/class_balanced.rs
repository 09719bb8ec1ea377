use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Admission, Offer, Places, Policy, PolicyState};
use crate::registry::Member;
use crate::replay::ReplayError;

/// Classes share the memory evenly: a sample of a class that is not one of the largest takes the place of a random one of
/// the largest; within the largest, samples are kept as in a reservoir (after Chrysakis & Moens 2020, CBRS, which never
/// lets a class grow again once it was largest).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassBalanced {}

impl Member for ClassBalanced {
    const KIND: &'static str = "class-balanced";
    const ABOUT: &'static str = "as many of every class";
}

impl Policy for ClassBalanced {
    fn admit(
        &self,
        state: &mut PolicyState,
        offer: &Offer<'_>,
        generator: &mut ChaCha8Rng,
    ) -> Result<Vec<Admission>, ReplayError> {
        let order = offer.shuffled(generator);
        state.groups += 1;
        let mut places = Places::of(offer);
        for &candidate in &order {
            let class = offer.candidates[candidate];
            let seen = state.offered_of_class.entry(class).or_default();
            *seen += 1;
            let place = match places.free() {
                Some(place) => Some(place),
                None => places.balanced(class, *seen, generator),
            };
            if let Some(place) = place {
                places.put(place, candidate, class);
            }
        }
        state.offered += offer.candidates.len() as u64;
        Ok(places.admissions())
    }
}
