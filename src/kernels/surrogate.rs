//! What stands in for the derivative of a spike.

use serde::{Deserialize, Serialize};

use super::lanes::Lanes;

/// What stands in for the derivative of the spike in the backward pass.
///
/// Each is a function of x, the membrane potential less the threshold. In a spec:
/// `surrogate = { kind = "fast-sigmoid", slope = 100.0 }`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Surrogate {
    /// 1 / (slope·|x| + 1)²: SuperSpike (Zenke & Ganguli 2018, Eq. 3 and below); the reference
    /// network uses slope 100.
    FastSigmoid {
        /// How fast it falls.
        slope: f32,
    },
    /// 1 / (2·half_width) where |x| ≤ half_width, else 0 (Kaiser et al. 2020; Bittar & Garner 2022
    /// with half_width 0.5).
    Boxcar {
        /// Half of the width, in units of the membrane potential.
        half_width: f32,
    },
    /// (slope/2) / (1 + (π/2·slope·x)²) (Fang et al. 2021 with slope 2).
    Arctan {
        /// How fast it falls.
        slope: f32,
    },
    /// scale·exp(−slope·|x|) (Shrestha & Orchard 2018, Eq. 16).
    Exponential {
        /// Its value at the threshold.
        scale: f32,
        /// How fast it falls.
        slope: f32,
    },
    /// max(0, 1 − |x| / half_width) / half_width (Bellec et al. 2018 with half_width 1, but for their
    /// factor of 0.3).
    Triangle {
        /// Half of the width, in units of the membrane potential.
        half_width: f32,
    },
    /// [`FastSigmoid`](Surrogate::FastSigmoid) where |x| < half_width, else 0: most units have no error to
    /// pass on in most steps.
    CutFastSigmoid {
        /// How fast it falls.
        slope: f32,
        /// Half of the width, in units of the membrane potential.
        half_width: f32,
    },
}

impl Surrogate {
    /// The parameters with their names; all must be finite and above 0.
    pub(crate) fn parameters(self) -> Vec<(&'static str, f32)> {
        match self {
            Surrogate::FastSigmoid { slope } | Surrogate::Arctan { slope } => {
                vec![("slope", slope)]
            }
            Surrogate::Boxcar { half_width } | Surrogate::Triangle { half_width } => {
                vec![("half_width", half_width)]
            }
            Surrogate::CutFastSigmoid { slope, half_width } => {
                vec![("slope", slope), ("half_width", half_width)]
            }
            Surrogate::Exponential { scale, slope } => vec![("scale", scale), ("slope", slope)],
        }
    }

    /// The value at `x`, the membrane potential less the threshold.
    ///
    /// ```
    /// use respike::network::Surrogate;
    /// assert_eq!(Surrogate::FastSigmoid { slope: 100.0 }.derivative(-0.01), 0.25);
    /// ```
    pub fn derivative(self, x: f32) -> f32 {
        match self {
            Surrogate::FastSigmoid { slope } => fast_sigmoid(slope, x),
            Surrogate::Boxcar { half_width } => boxcar(half_width, x),
            Surrogate::Arctan { slope } => arctan(slope, x),
            Surrogate::Exponential { scale, slope } => exponential(scale, slope, x),
            Surrogate::Triangle { half_width } => triangle(half_width, x),
            Surrogate::CutFastSigmoid { slope, half_width } => cut(slope, half_width, x),
        }
    }
}

#[inline(always)]
fn triangle(half_width: f32, x: f32) -> f32 {
    (1.0 - x.abs() / half_width).max(0.0) / half_width
}

#[inline(always)]
fn cut(slope: f32, half_width: f32, x: f32) -> f32 {
    match x.abs() < half_width {
        true => fast_sigmoid(slope, x),
        false => 0.0,
    }
}

#[inline(always)]
fn fast_sigmoid(slope: f32, x: f32) -> f32 {
    let falling = slope * x.abs() + 1.0;
    1.0 / (falling * falling)
}

#[inline(always)]
fn boxcar(half_width: f32, x: f32) -> f32 {
    if x.abs() <= half_width {
        0.5 / half_width
    } else {
        0.0
    }
}

#[inline(always)]
fn arctan(slope: f32, x: f32) -> f32 {
    let argument = std::f32::consts::FRAC_PI_2 * slope * x;
    0.5 * slope / (1.0 + argument * argument)
}

#[inline(always)]
fn exponential(scale: f32, slope: f32, x: f32) -> f32 {
    scale * (-slope * x.abs()).exp()
}

/// Work with the derivative of a surrogate, compiled once for each so that the choice is not made
/// for each neuron.
trait WithDerivative<L: Lanes> {
    fn work(&mut self, derivative: impl Fn(L::f32s) -> L::f32s);
}

/// Puts the derivative in the place of each x, in whole vectors.
struct Slopes<'a>(&'a mut [f32]);

impl<L: Lanes> WithDerivative<L> for Slopes<'_> {
    #[inline(always)]
    fn work(&mut self, derivative: impl Fn(L::f32s) -> L::f32s) {
        for x in L::as_mut_simd_f32s(self.0).0 {
            *x = derivative(*x);
        }
    }
}

impl Surrogate {
    /// The value at `x` in f64.
    pub fn slope(self, x: f64) -> f64 {
        let x = x.abs();
        match self {
            Surrogate::FastSigmoid { slope } => (f64::from(slope) * x + 1.0).powi(-2),
            Surrogate::Boxcar { half_width } => {
                let half = f64::from(half_width);
                if x <= half { 0.5 / half } else { 0.0 }
            }
            Surrogate::Arctan { slope } => {
                let slope = f64::from(slope);
                0.5 * slope / (1.0 + (std::f64::consts::FRAC_PI_2 * slope * x).powi(2))
            }
            Surrogate::Exponential { scale, slope } => {
                f64::from(scale) * (-f64::from(slope) * x).exp()
            }
            Surrogate::Triangle { half_width } => {
                let half = f64::from(half_width);
                (1.0 - x / half).max(0.0) / half
            }
            Surrogate::CutFastSigmoid { slope, half_width } => match x < f64::from(half_width) {
                true => (f64::from(slope) * x + 1.0).powi(-2),
                false => 0.0,
            },
        }
    }

    /// The function that this is the derivative of, 1/2 at the threshold: a spike, smoothed.
    pub fn primitive(self, x: f64) -> f64 {
        let far = x.abs();
        let half = match self {
            Surrogate::FastSigmoid { slope } => far / (f64::from(slope) * far + 1.0),
            Surrogate::Boxcar { half_width } => {
                let half = f64::from(half_width);
                far.min(half) * 0.5 / half
            }
            Surrogate::Arctan { slope } => {
                let argument = std::f64::consts::FRAC_PI_2 * f64::from(slope) * far;
                argument.atan() * std::f64::consts::FRAC_1_PI
            }
            Surrogate::Exponential { scale, slope } => {
                let (scale, slope) = (f64::from(scale), f64::from(slope));
                -scale / slope * (-slope * far).exp_m1()
            }
            Surrogate::Triangle { half_width } => {
                let share = (far / f64::from(half_width)).min(1.0);
                share - 0.5 * share * share
            }
            Surrogate::CutFastSigmoid { slope, half_width } => {
                let far = far.min(f64::from(half_width));
                far / (f64::from(slope) * far + 1.0)
            }
        };
        0.5 + half * x.signum()
    }

    /// Puts the derivative in the place of each x, in whole vectors.
    #[inline(always)]
    pub(super) fn slopes<L: Lanes>(self, lanes: L, xs: &mut [f32]) {
        self.with(lanes, &mut Slopes(xs));
    }

    /// Beyond this distance from the threshold the derivative is exactly 0; `None` if it never is.
    pub fn is_zero_beyond(self) -> Option<f32> {
        match self {
            Surrogate::Boxcar { half_width }
            | Surrogate::Triangle { half_width }
            | Surrogate::CutFastSigmoid { half_width, .. } => Some(half_width),
            Surrogate::FastSigmoid { .. }
            | Surrogate::Arctan { .. }
            | Surrogate::Exponential { .. } => None,
        }
    }

    /// Does the work with this surrogate's derivative.
    #[inline(always)]
    fn with<L: Lanes>(self, lanes: L, work: &mut impl WithDerivative<L>) {
        match self {
            Surrogate::FastSigmoid { slope } => {
                let (slope, one) = (lanes.splat_f32s(slope), lanes.splat_f32s(1.0));
                work.work(|x| {
                    let falling = lanes.mul_f32s(slope, lanes.abs_f32s(x));
                    let falling = lanes.add_f32s(falling, one);
                    lanes.div_f32s(one, lanes.mul_f32s(falling, falling))
                });
            }
            Surrogate::Boxcar { half_width } => {
                work.work(|x| each::<L>(x, |x| boxcar(half_width, x)));
            }
            Surrogate::Arctan { slope } => {
                work.work(|x| each::<L>(x, |x| arctan(slope, x)));
            }
            Surrogate::Exponential { scale, slope } => {
                work.work(|x| each::<L>(x, |x| exponential(scale, slope, x)));
            }
            Surrogate::Triangle { half_width } => {
                work.work(|x| each::<L>(x, |x| triangle(half_width, x)));
            }
            Surrogate::CutFastSigmoid { slope, half_width } => {
                work.work(|x| each::<L>(x, |x| cut(slope, half_width, x)));
            }
        }
    }
}

/// The same function of every lane.
#[inline(always)]
fn each<L: Lanes>(mut values: L::f32s, function: impl Fn(f32) -> f32) -> L::f32s {
    for value in pulp::bytemuck::cast_slice_mut::<L::f32s, f32>(std::slice::from_mut(&mut values)) {
        *value = function(*value);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surrogates_peak_at_the_threshold_and_are_even() {
        let peaks = [
            (Surrogate::FastSigmoid { slope: 100.0 }, 1.0),
            (Surrogate::Boxcar { half_width: 0.5 }, 1.0),
            (Surrogate::Arctan { slope: 2.0 }, 1.0),
            (
                Surrogate::Exponential {
                    scale: 0.3,
                    slope: 5.0,
                },
                0.3,
            ),
            (Surrogate::Triangle { half_width: 0.5 }, 2.0),
            (
                Surrogate::CutFastSigmoid {
                    slope: 10.0,
                    half_width: 0.35,
                },
                1.0,
            ),
        ];
        for (surrogate, peak) in peaks {
            assert!((surrogate.derivative(0.0) - peak).abs() < 1e-6);
            for x in [0.01, 0.3, 0.7, 4.0] {
                assert_eq!(surrogate.derivative(x), surrogate.derivative(-x));
                assert!(surrogate.derivative(x) <= peak);
            }
        }
        for (surrogate, _) in peaks {
            for x in [-2.1, -0.7, -0.3, -0.01, 0.02, 0.4, 0.9, 3.0] {
                let slope = surrogate.slope(x);
                let of_f32 = f64::from(surrogate.derivative(x as f32));
                assert!((slope - of_f32).abs() < 1e-6, "{surrogate:?} at {x}");
                let (up, down) = (surrogate.primitive(x + 1e-6), surrogate.primitive(x - 1e-6));
                assert!(
                    (slope - (up - down) / 2e-6).abs() < 1e-6,
                    "{surrogate:?} at {x}"
                );
                let beyond = surrogate.is_zero_beyond();
                let is_beyond = beyond.is_some_and(|beyond| x.abs() > f64::from(beyond));
                assert_eq!(slope == 0.0, is_beyond, "{surrogate:?} at {x}");
            }
        }
        assert_eq!(Surrogate::Boxcar { half_width: 0.5 }.derivative(0.51), 0.0);
        let arctan = Surrogate::Arctan { slope: 2.0 }.derivative(0.5);
        assert!((arctan - 1.0 / (1.0 + std::f32::consts::FRAC_PI_2.powi(2))).abs() < 1e-6);
    }
}
