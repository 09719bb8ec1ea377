//! Whether gradients are right: of neurons, of whole networks and of losses, one's own too, against finite
//! differences.
//!
//! In: a neuron or a network, with a loss. Out: nothing, or the derivative that is farthest off.
//!
//! A spike has no derivative, so that no difference could tell whether an adjoint is right. Here all runs in
//! f64 with spikes smoothed: instead of a step they are the surrogate's primitive, whose derivative is the
//! surrogate. What is not differentiated, such as a reset, is held at the values of the undisturbed run. The
//! adjoint must then agree with differences to many digits.

mod block;
mod exact;
mod network;
mod neuron;

pub(crate) use exact::{ExactLayer, ExactNeurons};
pub use network::gradients;
pub use neuron::neuron_gradients;

use thiserror::Error;

use crate::network::NetworkError;
use crate::train::TrainError;

/// What a variable is moved by, once and twice to each side. The smaller ones are for corners of surrogates and
/// maxima that the first one goes round.
const MOVES: [f64; 3] = [3e-6, 1e-6, 3e-7];
/// The largest difference allowed, of 1 or of the derivative if that is larger.
const ALLOWED: f64 = 1e-6;

/// A derivative that is wrong.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("the derivative by {by} is {found}, but {by_means_of} says {expected}")]
pub struct WrongGradient {
    /// What it is by: the drive of a step, or a parameter.
    pub by: String,
    /// What the adjoint gave.
    pub found: f64,
    /// What it should be.
    pub expected: f64,
    /// What says so: finite differences, or the same adjoint in f64.
    pub by_means_of: &'static str,
}

/// What a check of a network gives.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckError {
    /// A derivative is wrong.
    #[error(transparent)]
    Wrong(#[from] WrongGradient),
    /// The network or the loss could not be run.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The same.
    #[error(transparent)]
    Network(#[from] NetworkError),
}

/// The derivative that is farthest off, of those that are off.
#[derive(Default)]
struct Worst(Option<(f64, WrongGradient)>);

impl Worst {
    /// Looks at one. `off` is above 1 for what is not allowed.
    fn look(&mut self, off: f64, wrong: impl FnOnce() -> WrongGradient) {
        // Not a number is off by any measure.
        let is_wrong = off.is_nan() || off > 1.0;
        if is_wrong && self.0.as_ref().is_none_or(|(most, _)| off > *most) {
            self.0 = Some((off, wrong()));
        }
    }

    /// Compares a derivative with what losses at both sides say, `moved` giving them.
    fn difference<E>(
        &mut self,
        by: impl FnOnce() -> String,
        found: f64,
        moved: impl Fn(f64) -> Result<f64, E>,
    ) -> Result<(), E> {
        let (mut expected, mut off) = (f64::NAN, f64::NAN);
        // What comes nearest counts: rounding grows as moves get smaller.
        for by in MOVES {
            let near = moved(by)? - moved(-by)?;
            let far = moved(2.0 * by)? - moved(-2.0 * by)?;
            // What is left is of the fifth derivative.
            let by_this = (8.0 * near - far) / (12.0 * by);
            let off_by = (found - by_this).abs() / by_this.abs().max(1.0) / ALLOWED;
            if off.is_nan() || off_by < off {
                (expected, off) = (by_this, off_by);
            }
            if off <= 1.0 {
                break;
            }
        }
        self.look(off, || WrongGradient {
            by: by(),
            found,
            expected,
            by_means_of: "finite differences",
        });
        Ok(())
    }

    fn into_result(self) -> Result<(), WrongGradient> {
        self.0.map_or(Ok(()), |(_, wrong)| Err(wrong))
    }
}
