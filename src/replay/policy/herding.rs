use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::ranked::{Ranked, keep_ranked, mean_of};
use super::{Admission, Offer, Policy, PolicyState};
use crate::registry::Member;
use crate::replay::ReplayError;

/// Classes share the memory evenly, and of each those samples are kept whose mean comes nearest to the class's mean, picked
/// one after the other (Welling 2009; Rebuffi et al. 2017, iCaRL, algorithm 4). A sample is what its units' spike counts
/// are; the class's mean is that of what is held and offered, since older ones are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Herding {}

impl Member for Herding {
    const KIND: &'static str = "herding";
    const ABOUT: &'static str =
        "as many of every class, those whose mean comes nearest to the class's mean";
}

impl Policy for Herding {
    fn admit(
        &self,
        state: &mut PolicyState,
        offer: &Offer<'_>,
        _: &mut ChaCha8Rng,
    ) -> Result<Vec<Admission>, ReplayError> {
        state.groups += 1;
        state.offered += offer.candidates.len() as u64;
        keep_ranked(offer, herd)
    }
}

/// Picks so many samples, each so that the mean of all that were picked comes nearest to the mean of all.
fn herd(samples: &[Ranked], wanted: usize) -> Vec<usize> {
    let mean = mean_of(samples);
    let mut sum = vec![0.0; mean.len()];
    let mut picked: Vec<usize> = Vec::new();
    while picked.len() < wanted {
        let count = picked.len() as f64 + 1.0;
        let distance = |place: usize| {
            let features = samples[place].features.iter();
            let gaps = features.zip(&sum).zip(&mean);
            let squares = gaps
                .map(|((&feature, sum), mean)| ((sum + f64::from(feature)) / count - mean).powi(2));
            squares.sum::<f64>()
        };
        let left = (0..samples.len()).filter(|place| !picked.contains(place));
        // The first of several that are as near.
        let nearest = left.min_by(|&one, &other| distance(one).total_cmp(&distance(other)));
        let Some(nearest) = nearest else {
            break;
        };
        for (sum, &feature) in sum.iter_mut().zip(&samples[nearest].features) {
            *sum += f64::from(feature);
        }
        picked.push(nearest);
    }
    picked
}

#[cfg(test)]
mod tests {
    use super::super::ranked::samples_of;
    use super::*;

    #[test]
    fn the_mean_of_what_was_picked_goes_to_the_mean() {
        // The mean is 4.
        let samples = samples_of(&[[0.0], [3.0], [5.0], [9.0], [3.5], [3.5]]);
        assert_eq!(herd(&samples, 1), [4]);
        let picked = herd(&samples, 3);
        // 3.5; with 5 they make 4.25, nearer than with any other; with the other 3.5, 4 exactly.
        assert_eq!(picked, [4, 2, 5]);
    }
}
