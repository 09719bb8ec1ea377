use std::f32::consts::FRAC_PI_2;

use serde::{Deserialize, Serialize};

use super::Surrogate;
use crate::real::Real;
use crate::registry::{BadSetting, Member};

/// (slope/2) / (1 + (π/2·slope·x)²) (Fang et al. 2021 with slope 2).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arctan {
    /// How fast it falls.
    pub slope: f32,
}

impl Member for Arctan {
    const KIND: &'static str = "arctan";
    const ABOUT: &'static str = "(slope/2) / (1 + (π/2·slope·x)²)";

    fn check(&self) -> Result<(), BadSetting> {
        BadSetting::unless_positive("slope", self.slope)
    }
}

impl Surrogate for Arctan {
    #[inline(always)]
    fn derivative<R: Real>(&self, x: R) -> R {
        let argument = x.constant(FRAC_PI_2) * x.constant(self.slope) * x;
        x.constant(0.5) * x.constant(self.slope) / (x.one() + argument * argument)
    }

    fn primitive(&self, x: f64) -> f64 {
        let argument = f64::from(FRAC_PI_2) * f64::from(self.slope) * x;
        0.5 + argument.atan() * 0.5 / f64::from(FRAC_PI_2)
    }
}
