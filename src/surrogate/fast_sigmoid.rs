use serde::{Deserialize, Serialize};

use super::Surrogate;
use crate::real::Real;
use crate::registry::{BadSetting, Member};

/// 1 / (slope·|x| + 1)²: SuperSpike (Zenke & Ganguli 2018, Eq. 3 and below); the reference network uses
/// slope 100.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FastSigmoid {
    /// How fast it falls.
    pub slope: f32,
}

impl Member for FastSigmoid {
    const KIND: &'static str = "fast-sigmoid";
    const ABOUT: &'static str = "1 / (slope·|x| + 1)², SuperSpike";

    fn check(&self) -> Result<(), BadSetting> {
        BadSetting::unless_positive("slope", self.slope)
    }
}

impl Surrogate for FastSigmoid {
    #[inline(always)]
    fn derivative<R: Real>(&self, x: R) -> R {
        let falling = x.constant(self.slope) * x.abs() + x.one();
        x.one() / (falling * falling)
    }

    fn primitive(&self, x: f64) -> f64 {
        let far = x.abs();
        0.5 + x.signum() * far / (f64::from(self.slope) * far + 1.0)
    }
}
