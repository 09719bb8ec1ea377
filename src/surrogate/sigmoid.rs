use serde::{Deserialize, Serialize};

use super::Surrogate;
use crate::real::Real;
use crate::registry::{BadSetting, Member};

/// slope·σ(1 − σ) with σ = 1 / (1 + exp(−slope·x)): the derivative of a sigmoid (Zenke & Vogels 2021).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sigmoid {
    /// How steep the sigmoid is.
    pub slope: f32,
}

impl Member for Sigmoid {
    const KIND: &'static str = "sigmoid";
    const ABOUT: &'static str = "slope·σ(1 − σ), the derivative of a sigmoid";

    fn check(&self) -> Result<(), BadSetting> {
        BadSetting::unless_positive("slope", self.slope)
    }
}

impl Surrogate for Sigmoid {
    #[inline(always)]
    fn derivative<R: Real>(&self, x: R) -> R {
        let slope = x.constant(self.slope);
        // Of |x|, so that no power overflows.
        let falling = (-(slope * x.abs())).exp();
        let one = x.one() + falling;
        slope * falling / (one * one)
    }

    fn primitive(&self, x: f64) -> f64 {
        1.0 / (1.0 + (-f64::from(self.slope) * x).exp())
    }
}
