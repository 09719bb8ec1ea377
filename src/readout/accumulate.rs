use serde::{Deserialize, Serialize};

use super::{Collect, Readout};
use crate::real::Real;
use crate::registry::Member;

/// Adds up all that drives it, without a leak: logits are s·W summed over time, so that when a spike comes
/// does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccumulateReadout {}

impl Member for AccumulateReadout {
    const KIND: &'static str = "accumulate";
    const ABOUT: &'static str = "weighted spikes, added up without a leak";
}

impl Readout for AccumulateReadout {
    type State<R: Real> = [R; 1];

    #[inline(always)]
    fn step<R: Real>(&self, [sum]: &mut [R; 1], drive: R) -> R {
        *sum = *sum + drive;
        *sum
    }

    #[inline(always)]
    fn back<R: Real>(&self, [sum]: &mut [R; 1], reaching: R) -> R {
        *sum = *sum + reaching;
        *sum
    }

    fn collect(&self) -> Option<Collect> {
        Some(Collect::Last)
    }
}
