//! Memories in which every class has the same share, filled by rank.

use std::collections::{BTreeMap, BTreeSet};

use super::{Admission, Offer, Places};
use crate::ids::ClassId;
use crate::replay::ReplayError;

/// A sample, held or offered, that may be kept.
#[derive(Debug, Clone)]
pub(super) struct Ranked {
    /// Where it is held, or which of those that are offered it is.
    from: From,
    /// What it looks like.
    pub features: Vec<f32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    Held(usize),
    Offered(usize),
}

/// Keeps of each class as many samples as its share of the places is, those that `pick` ranks first of those that are held
/// and offered.
///
/// `pick` gets all samples of a class and how many are wanted, and gives their places in the order in which they are wanted.
pub(super) fn keep_ranked(
    offer: &Offer<'_>,
    pick: impl Fn(&[Ranked], usize) -> Vec<usize>,
) -> Result<Vec<Admission>, ReplayError> {
    let mut classes: BTreeMap<ClassId, Vec<From>> = BTreeMap::new();
    for (place, &class) in offer.held.iter().enumerate() {
        classes.entry(class).or_default().push(From::Held(place));
    }
    for (candidate, &class) in offer.candidates.iter().enumerate() {
        classes
            .entry(class)
            .or_default()
            .push(From::Offered(candidate));
    }
    let shares = shares(offer.capacity, classes.values().map(Vec::len));
    let (mut stay, mut come) = (BTreeSet::new(), Vec::new());
    for ((class, all), share) in classes.into_iter().zip(shares) {
        let chosen: Vec<From> = if share >= all.len() {
            all
        } else {
            let ranked = all.iter().map(|&from| {
                let features = match from {
                    From::Held(place) => offer.features.held(place)?,
                    From::Offered(candidate) => offer.features.candidate(candidate)?,
                };
                Ok(Ranked { from, features })
            });
            let ranked = ranked.collect::<Result<Vec<_>, ReplayError>>()?;
            let places = pick(&ranked, share);
            places.into_iter().map(|place| ranked[place].from).collect()
        };
        for from in chosen {
            match from {
                From::Held(place) => drop(stay.insert(place)),
                From::Offered(candidate) => come.push((candidate, class)),
            }
        }
    }
    // Who goes makes room for who comes; as shares never add up to more than there are places, there is enough.
    let mut places = Places::of(offer);
    let mut left = (0..offer.held.len()).filter(|place| !stay.contains(place));
    for (candidate, class) in come {
        if let Some(place) = left.next().or_else(|| places.free()) {
            places.put(place, candidate, class);
        }
    }
    Ok(places.admissions())
}

/// Places shared evenly by classes of so many samples; what a small class does not need goes to the others.
fn shares(capacity: usize, sizes: impl Iterator<Item = usize>) -> Vec<usize> {
    let sizes: Vec<usize> = sizes.collect();
    let mut shares = vec![0; sizes.len()];
    let mut left = capacity;
    while left > 0 {
        let open: Vec<usize> = (0..sizes.len())
            .filter(|&class| shares[class] < sizes[class])
            .collect();
        if open.is_empty() {
            break;
        }
        let each = (left / open.len()).max(1);
        for class in open {
            let more = each.min(sizes[class] - shares[class]).min(left);
            shares[class] += more;
            left -= more;
        }
    }
    shares
}

/// The mean of the features of some samples.
pub(super) fn mean_of(samples: &[Ranked]) -> Vec<f64> {
    let features = samples.first().map_or(0, |sample| sample.features.len());
    let mut mean = vec![0.0; features];
    for sample in samples {
        for (sum, &feature) in mean.iter_mut().zip(&sample.features) {
            *sum += f64::from(feature);
        }
    }
    let count = samples.len().max(1) as f64;
    mean.iter_mut().for_each(|sum| *sum /= count);
    mean
}

/// Samples for tests.
#[cfg(test)]
pub(super) fn samples_of<const N: usize>(features: &[[f32; N]]) -> Vec<Ranked> {
    let ranked = features.iter().enumerate();
    let ranked = ranked.map(|(place, features)| Ranked {
        from: From::Offered(place),
        features: features.to_vec(),
    });
    ranked.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_small_class_does_not_need_goes_to_the_others() {
        let of = |capacity, sizes: &[usize]| shares(capacity, sizes.iter().copied());
        assert_eq!(of(9, &[10, 10, 10]), [3, 3, 3]);
        assert_eq!(of(10, &[10, 1, 10]), [5, 1, 4]);
        assert_eq!(of(2, &[10, 10, 10]), [1, 1, 0]);
        assert_eq!(of(50, &[10, 10]), [10, 10]);
    }
}
