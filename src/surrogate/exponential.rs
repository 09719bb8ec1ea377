use serde::{Deserialize, Serialize};

use super::Surrogate;
use crate::real::Real;
use crate::registry::{BadSetting, Member};

/// scale·exp(−slope·|x|) (Shrestha & Orchard 2018, Eq. 16).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exponential {
    /// Its value at the threshold.
    pub scale: f32,
    /// How fast it falls.
    pub slope: f32,
}

impl Member for Exponential {
    const KIND: &'static str = "exponential";
    const ABOUT: &'static str = "scale·exp(−slope·|x|)";

    fn check(&self) -> Result<(), BadSetting> {
        BadSetting::unless_positive("scale", self.scale)?;
        BadSetting::unless_positive("slope", self.slope)
    }
}

impl Surrogate for Exponential {
    #[inline(always)]
    fn derivative<R: Real>(&self, x: R) -> R {
        x.constant(self.scale) * (x.constant(-self.slope) * x.abs()).exp()
    }

    fn primitive(&self, x: f64) -> f64 {
        let (scale, slope) = (f64::from(self.scale), f64::from(self.slope));
        0.5 - x.signum() * scale / slope * (-slope * x.abs()).exp_m1()
    }
}
