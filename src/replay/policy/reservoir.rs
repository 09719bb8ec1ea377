use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Admission, Offer, Places, Policy, PolicyState};
use crate::registry::Member;
use crate::replay::ReplayError;

/// Every sample ever offered is kept with the same chance, each drawn on its own, so that a group's share is right on
/// average only (Vitter 1985, Algorithm R).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reservoir {}

impl Member for Reservoir {
    const KIND: &'static str = "reservoir";
    const ABOUT: &'static str = "every sample with the same chance, each drawn on its own";
}

impl Policy for Reservoir {
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
            state.offered += 1;
            let place = places.free().or_else(|| {
                let drawn = generator.random_range(0..state.offered);
                let drawn = usize::try_from(drawn).ok();
                drawn.filter(|&at| at < offer.capacity)
            });
            if let Some(place) = place {
                places.put(place, candidate, offer.candidates[candidate]);
            }
        }
        Ok(places.admissions())
    }
}
