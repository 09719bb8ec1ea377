mod again;
mod fitting;
mod forgetting;
mod limits;
mod saving;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::random::{MasterSeed, Purpose};

const BITS: usize = 150;

fn stream(seed: u64) -> ChaCha8Rng {
    MasterSeed(seed).stream(Purpose::Split)
}

/// Bits that are set with a probability, the same for all.
fn pattern(bits: usize, density: f64, random: &mut ChaCha8Rng) -> Vec<bool> {
    (0..bits).map(|_| random.random_bool(density)).collect()
}

/// Samples of some patterns in turn, each bit turned over with a probability.
fn noisy(patterns: &[Vec<bool>], count: usize, noise: f64, random: &mut ChaCha8Rng) -> BitSamples {
    let mut samples = BitSamples::new(patterns[0].len()).expect("bits");
    for index in 0..count {
        let pattern = &patterns[index % patterns.len()];
        let bits = pattern.iter().map(|&bit| bit != random.random_bool(noise));
        let bits: Vec<bool> = bits.collect();
        samples.push_bools(&bits).expect("of that length");
    }
    samples
}

/// Five concepts of two patterns each: samples to learn from, and others.
fn five_concepts(seed: u64) -> Vec<(BitSamples, BitSamples)> {
    let mut random = stream(seed);
    let concepts = (0..5).map(|_| {
        let patterns = [(); 2].map(|()| pattern(BITS, 0.2, &mut random));
        let learned = noisy(&patterns, 60, 0.04, &mut random);
        (learned, noisy(&patterns, 40, 0.04, &mut random))
    });
    concepts.collect()
}

fn shared(components: usize, learning: SharedLearning) -> SharedMixture {
    let settings = SharedSettings::new(components, learning);
    SharedMixture::new(BITS, settings, MasterSeed(5)).expect("settings")
}

fn separate(components: usize) -> SeparateMixtures {
    let settings = SeparateSettings::new(components);
    SeparateMixtures::new(BITS, settings, MasterSeed(5)).expect("settings")
}
