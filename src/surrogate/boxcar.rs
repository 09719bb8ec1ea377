use serde::{Deserialize, Serialize};

use super::Surrogate;
use crate::real::Real;
use crate::registry::{BadSetting, Member};

/// 1 / (2·half_width) where |x| ≤ half_width, else 0 (Kaiser et al. 2020; Bittar & Garner 2022 with
/// half_width 0.5).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boxcar {
    /// Half of the width, in units of the membrane potential.
    pub half_width: f32,
}

impl Member for Boxcar {
    const KIND: &'static str = "boxcar";
    const ABOUT: &'static str = "even where |x| ≤ half_width, 0 beyond";

    fn check(&self) -> Result<(), BadSetting> {
        BadSetting::unless_positive("half_width", self.half_width)
    }
}

impl Surrogate for Boxcar {
    #[inline(always)]
    fn derivative<R: Real>(&self, x: R) -> R {
        let beyond = x.abs().greater(x.constant(self.half_width));
        // Divided here, so that f64 has all its digits.
        let height = x.constant(0.5) / x.constant(self.half_width);
        R::select(beyond, x.zero(), height)
    }

    fn primitive(&self, x: f64) -> f64 {
        let half = f64::from(self.half_width);
        0.5 + x.signum() * x.abs().min(half) * 0.5 / half
    }

    fn is_zero_beyond(&self) -> Option<f32> {
        Some(self.half_width)
    }
}
