//! Dropout: spikes that a layer does not hand up in training.
//!
//! In: a step of training and a block of samples. Out: which units of which steps are kept.

use rand::RngCore;
use rand_chacha::ChaCha8Rng;

use super::PreparedStage;
use crate::random::{MasterSeed, Purpose};
use crate::spikes::SpikeRaster;

/// Where the draws of one step of training come from: a step of its own has draws of its own, whatever the
/// number of threads, and training that is gone on with has those that it would have had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DropoutDraws {
    /// The run's seed.
    pub seed: MasterSeed,
    /// Which step of the optimiser.
    pub step: u32,
}

impl DropoutDraws {
    /// The draws of a block of the step's batch.
    fn of_block(self, block: usize) -> ChaCha8Rng {
        let step = self.step.to_le_bytes();
        self.seed
            .named_stream(Purpose::Dropout, &step, block as u64)
    }
}

/// What each sample of a block keeps of the spikes below a layer: a bit where a spike would be kept.
pub(super) type Kept = Vec<SpikeRaster>;

impl PreparedStage<'_> {
    /// The draws of a block, if any spike may be left out.
    pub(super) fn draws(&self, block: usize) -> Option<ChaCha8Rng> {
        Some(self.dropout?.of_block(block))
    }

    /// How many times what is left of the spikes below a layer counts; 1 where none are left out.
    pub(super) fn scale_below(&self, layer: usize) -> f32 {
        match self.dropout {
            Some(_) => 1.0 / (1.0 - self.network.spec.dropout_below(layer)),
            None => 1.0,
        }
    }

    /// Draws what is kept of the spikes below a layer.
    pub(super) fn keep(
        &self,
        layer: usize,
        spikes: &[SpikeRaster],
        draws: &mut ChaCha8Rng,
    ) -> Kept {
        let share = self.network.spec.dropout_below(layer);
        let kept = spikes.iter().map(|raster| {
            let mut kept = SpikeRaster::silent(raster.steps(), raster.units());
            let (words, units) = (kept.words_per_step().max(1), kept.units());
            for row in kept.words_mut().chunks_exact_mut(words) {
                for (place, word) in row.iter_mut().enumerate() {
                    *word = kept_units(share, (units - place * WORD).min(WORD), draws);
                }
            }
            kept
        });
        kept.collect()
    }
}

/// Units of a word.
const WORD: usize = u64::BITS as usize;

/// So many units, a bit where a draw from 0 to 1 is not below the share.
fn kept_units(share: f32, units: usize, draws: &mut ChaCha8Rng) -> u64 {
    // A draw is the upper 24 bits of 32, divided by 2^24: compared before the division, which is exact.
    let least = (f64::from(share) * f64::from(1_u32 << 24)).ceil() as u32;
    let mut drawn = [0; 4 * WORD];
    let drawn = &mut drawn[..4 * units];
    draws.fill_bytes(drawn);
    let draws = drawn.chunks_exact(4).enumerate();
    draws.fold(0, |word, (unit, bytes)| {
        let draw = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) >> 8;
        word | (u64::from(draw >= least) << unit)
    })
}

/// The spikes that are kept.
pub(super) fn dropped(spikes: &[SpikeRaster], kept: &Kept) -> Vec<SpikeRaster> {
    let both = spikes.iter().zip(kept);
    let dropped = both.map(|(spikes, kept)| {
        let mut dropped = spikes.clone();
        for (word, kept) in dropped.words_mut().iter_mut().zip(kept.words()) {
            *word &= kept;
        }
        dropped
    });
    dropped.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn a_word_is_as_many_draws_from_0_to_1() {
        for (share, units) in [
            (0.15, 64),
            (0.5, 64),
            (0.999, 3),
            (0.0, 64),
            (1.0 / 3.0, 17),
        ] {
            let draws = DropoutDraws {
                seed: MasterSeed(7),
                step: 3,
            };
            let (mut one, mut other) = (draws.of_block(1), draws.of_block(1));
            for _ in 0..100 {
                let word = kept_units(share, units, &mut one);
                let drawn = (0..units).map(|_| other.random::<f32>() >= share);
                let expected = drawn.enumerate();
                let expected = expected.fold(0, |word, (unit, is)| word | (u64::from(is) << unit));
                assert_eq!(word, expected, "{share}, {units} units");
            }
        }
    }
}
