use serde::{Deserialize, Serialize};

use super::{Collect, Readout};
use crate::real::Real;
use crate::registry::Member;

/// How often each unit of the last layer spiked, one unit a class: logits are spike counts, and no weights
/// come after the last layer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpikeCountReadout {}

impl Member for SpikeCountReadout {
    const KIND: &'static str = "spike-counts";
    const ABOUT: &'static str = "how often each unit of the last layer, one a class, spiked";
}

impl Readout for SpikeCountReadout {
    type State<R: Real> = [R; 0];

    fn has_weights(&self) -> bool {
        false
    }

    #[inline(always)]
    fn step<R: Real>(&self, _: &mut [R; 0], drive: R) -> R {
        drive
    }

    #[inline(always)]
    fn back<R: Real>(&self, _: &mut [R; 0], reaching: R) -> R {
        reaching
    }

    fn collect(&self) -> Option<Collect> {
        Some(Collect::Sum)
    }
}
