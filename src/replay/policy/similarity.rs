use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::ranked::{Ranked, keep_ranked, mean_of};
use super::{Admission, Offer, Policy, PolicyState};
use crate::registry::Member;
use crate::replay::ReplayError;

/// Classes share the memory evenly, and of each those samples are kept that are most like the class as a whole: the cosine
/// between a sample's spike counts and the class's mean is largest. A control: Otani 2025 finds that samples drawn at random
/// do better, since those that are alike say less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Similarity {}

impl Member for Similarity {
    const KIND: &'static str = "similarity";
    const ABOUT: &'static str = "as many of every class, those most like the class's mean";
}

impl Policy for Similarity {
    fn admit(
        &self,
        state: &mut PolicyState,
        offer: &Offer<'_>,
        _: &mut ChaCha8Rng,
    ) -> Result<Vec<Admission>, ReplayError> {
        state.groups += 1;
        state.offered += offer.candidates.len() as u64;
        keep_ranked(offer, most_alike)
    }
}

/// The samples with the largest cosine to the mean of all, the first of several that are as like.
fn most_alike(samples: &[Ranked], wanted: usize) -> Vec<usize> {
    let mean = mean_of(samples);
    let cosine = |sample: &Ranked| {
        let (mut product, mut square) = (0.0, 0.0);
        for (&feature, mean) in sample.features.iter().zip(&mean) {
            product += f64::from(feature) * mean;
            square += f64::from(feature).powi(2);
        }
        // A silent sample is like nothing.
        if square > 0.0 {
            product / square.sqrt()
        } else {
            0.0
        }
    };
    let cosines: Vec<f64> = samples.iter().map(cosine).collect();
    let mut places: Vec<usize> = (0..samples.len()).collect();
    places.sort_by(|&one, &other| cosines[other].total_cmp(&cosines[one]));
    places.truncate(wanted);
    places
}

#[cfg(test)]
mod tests {
    use super::super::ranked::samples_of;
    use super::*;

    #[test]
    fn those_that_point_where_the_mean_points_stay() {
        let samples = samples_of(&[[4.0, 0.0], [1.0, 1.0], [0.0, 0.0], [3.0, 2.9], [0.0, 2.0]]);
        // The mean points to (8, 5.9).
        assert_eq!(most_alike(&samples, 2), [3, 1]);
        assert_eq!(most_alike(&samples, 5).last(), Some(&2));
    }
}
