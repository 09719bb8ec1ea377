use bitvec::prelude::{BitVec, Lsb0};
use serde::{Deserialize, Serialize};

use super::{Codec, Window};
use crate::registry::Member;
use crate::replay::ReplayError;
use crate::replay::bits::{PackedBits, written};
use crate::replay::windows::{pack_counts, unpack_counts};
use crate::spikes::SpikeRaster;

/// The number of spikes in each window, ⌈log2(W+1)⌉ bits: the lowest bits of all units of a window first, then the
/// next ones. Decoding puts that many at the window's start, one a step (the reference code's second codec, there with
/// floats).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Steps that become one.
    pub window_steps: Window,
}

impl Member for Counts {
    const KIND: &'static str = "counts";
    const ABOUT: &'static str = "the number of spikes in each window of steps";
    const SHORT: Option<&'static str> = Some("window_steps");
}

impl Codec for Counts {
    fn window_steps(&self) -> usize {
        self.window_steps.steps()
    }

    fn bits(&self, steps: usize, units: usize) -> u64 {
        let windows = steps.div_ceil(self.window_steps());
        (windows * units * self.window_steps.count_bits()) as u64
    }

    fn is_lossless(&self) -> bool {
        self.window_steps() == 1
    }

    fn encode(&self, spikes: &SpikeRaster) -> BitVec<u64, Lsb0> {
        let bits = self.bits(spikes.steps(), spikes.units()) as usize;
        written(bits, |writer| {
            pack_counts(spikes, self.window_steps, writer);
        })
    }

    fn fills(&self) -> bool {
        true
    }

    fn decode(&self, packed: PackedBits<'_>, spikes: &mut SpikeRaster) -> Result<(), ReplayError> {
        unpack_counts(packed, self.window_steps, spikes);
        Ok(())
    }

    fn place(&self) -> (u8, usize) {
        (1, self.window_steps())
    }
}
