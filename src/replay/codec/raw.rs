use bitvec::prelude::{BitVec, Lsb0};
use serde::{Deserialize, Serialize};

use super::Codec;
use crate::registry::Member;
use crate::replay::ReplayError;
use crate::replay::bits::{PackedBits, written};
use crate::replay::windows::{pack_rows, unpack_rows};
use crate::spikes::SpikeRaster;

/// As it is: a bit for each step and unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raw {}

impl Member for Raw {
    const KIND: &'static str = "raw";
    const ABOUT: &'static str = "as it is";
}

impl Codec for Raw {
    fn window_steps(&self) -> usize {
        1
    }

    fn bits(&self, steps: usize, units: usize) -> u64 {
        (steps * units) as u64
    }

    fn encode(&self, spikes: &SpikeRaster) -> BitVec<u64, Lsb0> {
        written(spikes.steps() * spikes.units(), |writer| {
            pack_rows(spikes, writer);
        })
    }

    fn fills(&self) -> bool {
        true
    }

    fn decode(&self, packed: PackedBits<'_>, spikes: &mut SpikeRaster) -> Result<(), ReplayError> {
        unpack_rows(packed, 1, spikes);
        Ok(())
    }

    fn keeps_inputs(&self) -> bool {
        true
    }
}
