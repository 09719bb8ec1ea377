//! Classifiers that learn in closed form, from sums: they keep no sample, and forget nothing.
//!
//! In: latents of a frozen stage, made into features ([`WindowCounts`], [`RandomExpansion`]), one sample at a time with
//! its class. Out: a score for each class. What a learner keeps are sums over samples in 32-bit numbers, so the order in
//! which samples or classes come does not matter, but for rounding; and while features are whole numbers, as counts of
//! spikes are, and sums stay below 2²⁴, [`ClassMeans`] and [`Ridge`] do not round at all.
//!
//! | learner | keeps, for c classes of d features | bytes |
//! |---|---|---|
//! | [`ClassMeans`] | counts and sums of classes | 8·c + 4·c·d |
//! | [`StreamingLda`] | these, and one scatter around the means of classes | + 2·d·(d + 1) |
//! | [`Ridge`] | these, and the Gram matrix of all samples | + 2·d·(d + 1) |
//!
//! ```
//! use std::num::NonZeroU16;
//!
//! use ndarray::Array2;
//! use respike::closed_form::{ClosedForm, Ridge, WindowCounts};
//! use respike::ids::ClassId;
//! use respike::network::{Latent, Network, NetworkSpec};
//! use respike::random::MasterSeed;
//! use respike::spikes::SpikeCounts;
//!
//! // A network that is never trained, and the spikes of its first layer.
//! let network = Network::new(NetworkSpec::dequino2024(), MasterSeed(1));
//! let layer = network.spec().replay_layer(1)?;
//! let noise = |class: usize, sample: usize| {
//!     let event = |(step, unit)| u16::from((step * 7 + unit * 13 + sample) % 10 == 0 && unit / 350 == class);
//!     SpikeCounts::from_dense(Array2::from_shape_fn((100, 700), event).view())
//! };
//!
//! let windows = WindowCounts::new(NonZeroU16::new(4).expect("above 0"));
//! let mut head = Ridge::new(2, windows.features(200), 1.0)?;
//! for class in [0, 1] {
//!     // Each class is learned on its own, and never seen again.
//!     for sample in 0..5 {
//!         let latent = network.latent(layer, &noise(class, sample)?)?;
//!         head.learn(&windows.of(&latent.as_input()), ClassId(class as u16))?;
//!     }
//! }
//! head.refit()?;
//! for class in [0, 1] {
//!     let latent = network.latent(layer, &noise(class, 8)?)?;
//!     assert_eq!(head.predict(&windows.of(&latent.as_input())), Some(ClassId(class as u16)));
//! }
//! assert_eq!(head.bytes(), 2 * 8 + 4 * (2 * 800 + 800 * 801 / 2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod class_means;
mod error;
mod random_expansion;
mod restored;
mod ridge;
mod streaming_lda;
mod sums;
#[cfg(test)]
mod tests;
mod window_counts;

use std::collections::BTreeMap;
use std::fmt::Debug;

pub use class_means::ClassMeans;
pub use error::ClosedFormError;
pub use random_expansion::{DrawnExpansion, RandomExpansion};
pub use ridge::Ridge;
pub use streaming_lda::StreamingLda;
pub use sums::LARGEST_FEATURE;
pub use window_counts::WindowCounts;

use crate::ids::ClassId;
use crate::storage::Tensor;

/// A classifier that learns from one sample at a time by sums, and stores no sample.
///
/// ```
/// use respike::closed_form::{ClassMeans, ClosedForm, ClosedFormError, Ridge, StreamingLda};
/// use respike::ids::ClassId;
///
/// // Three classes may come, of samples with two features.
/// let heads: [Box<dyn ClosedForm>; 3] = [
///     Box::new(ClassMeans::new(3, 2)?),
///     Box::new(StreamingLda::new(3, 2, StreamingLda::SHRINKAGE)?),
///     Box::new(Ridge::new(3, 2, 1.0)?),
/// ];
/// for mut head in heads {
///     for (features, class) in [([5.0, 1.0], 0), ([1.0, 4.0], 2), ([4.0, 0.0], 0), ([0.0, 5.0], 2)] {
///         head.learn(&features, ClassId(class))?;
///     }
///     head.refit()?;
///     assert_eq!(head.predict(&[3.0, 1.0]), Some(ClassId(0)));
///     assert_eq!(head.predict(&[1.0, 3.0]), Some(ClassId(2)));
///     assert_eq!(head.scores(&[1.0, 3.0])[1], f64::NEG_INFINITY); // class 1 never came
/// }
/// # Ok::<(), ClosedFormError>(())
/// ```
pub trait ClosedForm: Debug + Send + Sync {
    /// Classes that may come: those of the network.
    fn classes(&self) -> usize;

    /// Features of a sample.
    fn features(&self) -> usize;

    /// Takes a sample in. What was predicted before is out of date: [`ClosedForm::refit`] makes predictions possible
    /// again.
    ///
    /// # Errors
    /// [`ClosedFormError::WrongFeatures`], [`ClosedFormError::BadFeature`] and [`ClosedFormError::ClassPastEnd`]; then nothing has
    /// changed.
    fn learn(&mut self, features: &[f32], class: ClassId) -> Result<(), ClosedFormError>;

    /// Makes of the sums what predicts, after a group of samples.
    ///
    /// # Errors
    /// [`ClosedFormError::NoSamples`], and [`ClosedFormError::Singular`] where features depend on each other more closely than
    /// sums of 32 bits can tell; then nothing is predicted.
    fn refit(&mut self) -> Result<(), ClosedFormError>;

    /// A score for each class, the largest for the class that is predicted; minus infinity for classes of which there
    /// was no sample, and for all until [`ClosedForm::refit`] follows what was learned last.
    ///
    /// # Panics
    /// Unless there are [`ClosedForm::features`].
    fn scores(&self, features: &[f32]) -> Vec<f64>;

    /// The class with the largest score, of equals the first; none if no class has one, as before the first
    /// [`ClosedForm::refit`].
    ///
    /// # Panics
    /// Unless there are [`ClosedForm::features`].
    fn predict(&self, features: &[f32]) -> Option<ClassId> {
        let mut best = (f64::NEG_INFINITY, None);
        for (class, score) in (0..=u16::MAX).zip(self.scores(features)) {
            if score > best.0 {
                best = (score, Some(ClassId(class)));
            }
        }
        best.1
    }

    /// Bytes of all that is kept for the sake of what was learned, as [`ClosedForm::tensors`] has it: 8 for the count
    /// of a class, 4 for any other number, half of a symmetric matrix, 8 for a seed. Room for all classes is there from
    /// the beginning, so this does not grow. What [`ClosedForm::refit`] makes is not counted, as it can be made again
    /// of what is.
    fn bytes(&self) -> u64;

    /// All that is kept, by name.
    fn tensors(&self) -> BTreeMap<String, Tensor>;

    /// Puts what [`ClosedForm::tensors`] gave in the place of all that was learned; as after
    /// [`ClosedForm::learn`], [`ClosedForm::refit`] has to follow. How strongly a solution is held back (`ridge`,
    /// `shrinkage`) is no part of it, so the same sums can be tried with another.
    ///
    /// # Errors
    /// What is wrong with the arrays, in words; then nothing has changed.
    fn restore(&mut self, tensors: &BTreeMap<String, Tensor>) -> Result<(), String>;
}
