use bitvec::prelude::{BitVec, Lsb0};
use serde::{Deserialize, Serialize};

use super::{Codec, Window};
use crate::registry::Member;
use crate::replay::ReplayError;
use crate::replay::bits::{PackedBits, written};
use crate::replay::windows::{pack_windows, unpack_rows};
use crate::spikes::SpikeRaster;

/// One bit for each window of that many steps: whether there is any spike in it. Decoding puts the spike at the
/// window's first step (Dequino et al. 2024, section III-C).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Or {
    /// Steps that become one.
    pub window_steps: Window,
}

impl Member for Or {
    const KIND: &'static str = "or";
    const ABOUT: &'static str = "a bit for each window of steps: whether there is any spike in it";
    const SHORT: Option<&'static str> = Some("window_steps");
}

impl Codec for Or {
    fn window_steps(&self) -> usize {
        self.window_steps.steps()
    }

    fn bits(&self, steps: usize, units: usize) -> u64 {
        (steps.div_ceil(self.window_steps()) * units) as u64
    }

    fn encode(&self, spikes: &SpikeRaster) -> BitVec<u64, Lsb0> {
        let windows = spikes.steps().div_ceil(self.window_steps());
        written(windows * spikes.units(), |writer| {
            pack_windows(spikes, self.window_steps, writer);
        })
    }

    fn is_lossless(&self) -> bool {
        self.window_steps() == 1
    }

    fn fills(&self) -> bool {
        true
    }

    fn decode(&self, packed: PackedBits<'_>, spikes: &mut SpikeRaster) -> Result<(), ReplayError> {
        unpack_rows(packed, self.window_steps(), spikes);
        Ok(())
    }
}
