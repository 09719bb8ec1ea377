//! Where components begin.
//!
//! In: samples by concept. Out: one sample for each component, far from one another, as by k-means++
//! (Arthur and Vassilvitskii 2007): the next is picked with a chance proportional to its Hamming
//! distance from the nearest that is picked, which for bits is the squared distance.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::samples::{BitSamples, WORD_BITS, for_each_set_bit, hamming};

/// A sample for each of `components`; where that goes, the first are one of each concept.
///
/// There is at least one concept, and none is without samples.
pub(super) fn seeds<'a>(
    groups: &[&'a BitSamples],
    components: usize,
    random: &mut ChaCha8Rng,
) -> Vec<&'a [u64]> {
    let rows: Vec<&[u64]> = groups.iter().flat_map(|group| group.iter()).collect();
    let mut nearest = vec![u64::MAX; rows.len()];
    let mut picked: Vec<&[u64]> = Vec::with_capacity(components);
    while picked.len() < components {
        let seed = match groups.get(picked.len()) {
            Some(group) if groups.len() <= components => {
                group.words(random.random_range(0..group.len()))
            }
            _ if picked.is_empty() => rows[random.random_range(0..rows.len())],
            _ => rows[far_away(&nearest, random)],
        };
        for (nearest, row) in nearest.iter_mut().zip(&rows) {
            *nearest = (*nearest).min(hamming(row, seed));
        }
        picked.push(seed);
    }
    picked
}

/// A place with a chance proportional to its distance; any, if all distances are 0.
fn far_away(distances: &[u64], random: &mut ChaCha8Rng) -> usize {
    let sum: u64 = distances.iter().sum();
    if sum == 0 {
        return random.random_range(0..distances.len());
    }
    let mut left = random.random_range(0..sum);
    for (place, &distance) in distances.iter().enumerate() {
        if left < distance {
            return place;
        }
        left -= distance;
    }
    // What is left is below the sum of all distances, so one of them was larger.
    unreachable!("a number below the sum")
}

/// Begins each component halfway between its sample and the mean of all: bits × components.
pub(super) fn first_probabilities(
    groups: &[&BitSamples],
    seeds: &[&[u64]],
    bits: usize,
) -> Vec<f64> {
    let mut counts = vec![0u64; bits];
    let mut samples = 0u64;
    for row in groups.iter().flat_map(|group| group.iter()) {
        samples += 1;
        for_each_set_bit(row, |bit| counts[bit] += 1);
    }
    let mut probabilities = Vec::with_capacity(bits * seeds.len());
    for (bit, &count) in counts.iter().enumerate() {
        let mean = count as f64 / samples as f64;
        probabilities.extend(seeds.iter().map(|seed| {
            let set = seed[bit / WORD_BITS] >> (bit % WORD_BITS) & 1;
            (set as f64 + mean) / 2.0
        }));
    }
    probabilities
}
