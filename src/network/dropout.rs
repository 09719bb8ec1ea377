//! Dropout: spikes that a layer does not hand up in training.
//!
//! In: a step of training and a block of samples. Out: which units of which steps are kept.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::PreparedStage;
use crate::ids::{TimeStep, Unit};
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
            for step in 0..raster.steps() {
                for unit in 0..raster.units() {
                    if draws.random::<f32>() >= share {
                        kept.set(TimeStep(step), Unit(unit));
                    }
                }
            }
            kept
        });
        kept.collect()
    }
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
