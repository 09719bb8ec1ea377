//! Surrogates: what stands in for the derivative of a spike in the backward pass.
//!
//! In: x, the membrane potential less the threshold. Out: ds/dx. One file a surrogate, written once over
//! any [`Real`] number; the kernels run it over vectors of f32, [`check`](crate::check) over f64.
//!
//! In a spec: `surrogate = { kind = "fast-sigmoid", slope = 100.0 }`.
//!
//! | kind | ds/dx |
//! |---|---|
//! | `fast-sigmoid` | [`FastSigmoid`]: SuperSpike, the reference network's |
//! | `boxcar` | [`Boxcar`]: even up to a half-width, 0 beyond it |
//! | `arctan` | [`Arctan`] |
//! | `exponential` | [`Exponential`] |
//! | `triangle` | [`Triangle`]: falls to 0 at a half-width |
//! | `sigmoid` | [`Sigmoid`]: the derivative of a sigmoid |
//! | `cut-fast-sigmoid` | [`CutFastSigmoid`]: SuperSpike up to a half-width, 0 beyond it |

mod arctan;
mod boxcar;
mod cut_fast_sigmoid;
mod exponential;
mod fast_sigmoid;
mod sigmoid;
#[cfg(test)]
mod tests;
mod triangle;

pub use arctan::Arctan;
pub use boxcar::Boxcar;
pub use cut_fast_sigmoid::CutFastSigmoid;
pub use exponential::Exponential;
pub use fast_sigmoid::FastSigmoid;
pub use sigmoid::Sigmoid;
pub use triangle::Triangle;

use std::fmt::Debug;

use crate::kernels::lanes::run;
use crate::kernels::surrogate::Slopes;
use crate::real::Real;
use crate::registry::Chosen;
use crate::simd::Simd;

/// A surrogate of any kind, as a spec names it.
pub type SurrogateSettings = Chosen<dyn AnySurrogate>;

/// What stands in for the derivative of a spike.
pub trait Surrogate: Debug + Send + Sync + 'static {
    /// ds/dx at x, the membrane potential less the threshold.
    ///
    /// ```
    /// use respike::surrogate::{FastSigmoid, Surrogate};
    /// assert_eq!(FastSigmoid { slope: 100.0 }.derivative(-0.01_f32), 0.25);
    /// ```
    fn derivative<R: Real>(&self, x: R) -> R;

    /// The function that [`derivative`](Self::derivative) is the derivative of, 1/2 at the threshold: a
    /// spike, smoothed. Gradients are checked with it.
    fn primitive(&self, x: f64) -> f64;

    /// Beyond this distance from the threshold the derivative is exactly 0; `None` if it never is.
    fn is_zero_beyond(&self) -> Option<f32> {
        None
    }
}

/// A [`Surrogate`] whose type is not known.
pub trait AnySurrogate: Debug + Send + Sync {
    /// Puts the derivative in the place of each x, in whole vectors.
    #[doc(hidden)]
    fn slopes(&self, simd: Simd, xs: &mut [f32]);
    /// [`Surrogate::derivative`] of f32.
    fn derivative(&self, x: f32) -> f32;
    /// [`Surrogate::derivative`] of f64.
    fn slope(&self, x: f64) -> f64;
    /// [`Surrogate::primitive`].
    fn primitive(&self, x: f64) -> f64;
    /// [`Surrogate::is_zero_beyond`].
    fn is_zero_beyond(&self) -> Option<f32>;
}

impl<S: Surrogate> AnySurrogate for S {
    fn slopes(&self, simd: Simd, xs: &mut [f32]) {
        run(simd, Slopes(self, xs));
    }

    fn derivative(&self, x: f32) -> f32 {
        Surrogate::derivative(self, x)
    }

    fn slope(&self, x: f64) -> f64 {
        Surrogate::derivative(self, x)
    }

    fn primitive(&self, x: f64) -> f64 {
        Surrogate::primitive(self, x)
    }

    fn is_zero_beyond(&self) -> Option<f32> {
        Surrogate::is_zero_beyond(self)
    }
}
