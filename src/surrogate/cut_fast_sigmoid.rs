use serde::{Deserialize, Serialize};

use super::{FastSigmoid, Surrogate};
use crate::real::Real;
use crate::registry::{BadSetting, Member};

/// [`FastSigmoid`] where |x| < half_width, else 0: most units have no error to pass on in most steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutFastSigmoid {
    /// How fast it falls.
    pub slope: f32,
    /// Half of the width, in units of the membrane potential.
    pub half_width: f32,
}

impl CutFastSigmoid {
    fn whole(self) -> FastSigmoid {
        FastSigmoid { slope: self.slope }
    }
}

impl Member for CutFastSigmoid {
    const KIND: &'static str = "cut-fast-sigmoid";
    const ABOUT: &'static str = "1 / (slope·|x| + 1)² where |x| < half_width, 0 beyond";

    fn check(&self) -> Result<(), BadSetting> {
        BadSetting::unless_positive("slope", self.slope)?;
        BadSetting::unless_positive("half_width", self.half_width)
    }
}

impl Surrogate for CutFastSigmoid {
    #[inline(always)]
    fn derivative<R: Real>(&self, x: R) -> R {
        let within = x.constant(self.half_width).greater(x.abs());
        R::select(within, self.whole().derivative(x), x.zero())
    }

    fn primitive(&self, x: f64) -> f64 {
        let half_width = f64::from(self.half_width);
        Surrogate::primitive(&self.whole(), x.clamp(-half_width, half_width))
    }

    fn is_zero_beyond(&self) -> Option<f32> {
        Some(self.half_width)
    }
}
