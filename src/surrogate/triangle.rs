use serde::{Deserialize, Serialize};

use super::Surrogate;
use crate::real::Real;
use crate::registry::{BadSetting, Member};

/// max(0, 1 − |x| / half_width) / half_width (Bellec et al. 2018 with half_width 1, but for their factor
/// of 0.3).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Triangle {
    /// Half of the width, in units of the membrane potential.
    pub half_width: f32,
}

impl Member for Triangle {
    const KIND: &'static str = "triangle";
    const ABOUT: &'static str = "falls to 0 at |x| = half_width";

    fn check(&self) -> Result<(), BadSetting> {
        BadSetting::unless_positive("half_width", self.half_width)
    }
}

impl Surrogate for Triangle {
    #[inline(always)]
    fn derivative<R: Real>(&self, x: R) -> R {
        let half_width = x.constant(self.half_width);
        (x.one() - x.abs() / half_width).max(x.zero()) / half_width
    }

    fn primitive(&self, x: f64) -> f64 {
        let share = (x.abs() / f64::from(self.half_width)).min(1.0);
        0.5 + x.signum() * (share - 0.5 * share * share)
    }

    fn is_zero_beyond(&self) -> Option<f32> {
        Some(self.half_width)
    }
}
