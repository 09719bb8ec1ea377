use std::collections::BTreeMap;

use ndarray::Array2;

use super::restored::Restored;
use super::sums::{COUNTS, ClassSums, ProductSums, SUMS, scores_of};
use super::{ClosedForm, ClosedFormError};
use crate::baseline::LinearRule;
use crate::baseline::cholesky::dot;
use crate::ids::ClassId;
use crate::storage::Tensor;

const SCATTER: &str = "scatter";

/// Streaming linear discriminant analysis: classes are taken for normal, with a mean each and one covariance, and a
/// sample is of the class that is likeliest for it, all classes being as likely before (Hayes & Kanan 2020, *Lifelong
/// Machine Learning with Deep Streaming Linear Discriminant Analysis*, arXiv:1909.01520).
///
/// With the covariance Σ of N samples around the means μ of their classes,
///
/// ```text
/// Λ = [(1 − ε)·Σ + ε·v·I]⁻¹        v = trace Σ / d, or 1 where nothing varies
/// score of a class = μᵀ·Λ·x − μᵀ·Λ·μ / 2
/// ```
///
/// Two things differ from the paper. It gives up a share ε of Σ for I, which means another thing in another unit of the
/// features; here it is for equal variances of the same sum. And it counts a sample's squared difference from the mean
/// of its n predecessors in the class t/(t + 1) times, t being the samples of all classes, from 0 where there is none;
/// here it is n/(n + 1) times, which makes Σ exactly the covariance, whatever the order.
///
/// Kept are counts and sums of classes and the lower triangle of N·Σ, in 32 bits; solved is in 64.
///
/// ```
/// use respike::closed_form::{ClosedForm, ClosedFormError, StreamingLda};
/// use respike::ids::ClassId;
///
/// // The first feature varies a lot and tells nothing, the second tells all.
/// let mut lda = StreamingLda::new(2, 2, StreamingLda::SHRINKAGE)?;
/// for sample in 0..10u16 {
///     let loudness = f32::from(sample * 7 % 5);
///     lda.learn(&[loudness, f32::from(sample % 2)], ClassId(sample % 2))?;
/// }
/// lda.refit()?;
/// assert_eq!(lda.predict(&[9.0, 0.0]), Some(ClassId(0)));
/// assert_eq!(lda.predict(&[9.0, 1.0]), Some(ClassId(1)));
/// # Ok::<(), ClosedFormError>(())
/// ```
#[derive(Debug, Clone)]
pub struct StreamingLda {
    shrinkage: f64,
    sums: ClassSums,
    /// Σ (x − μ)(x − μ)ᵀ over all samples, μ being the mean of the sample's class.
    scatter: ProductSums,
    fit: Option<LinearRule>,
}

impl StreamingLda {
    /// The share ε of the paper. Where there are not many more samples than features, a larger one does better.
    pub const SHRINKAGE: f64 = 1e-4;

    /// For so many classes of samples with so many features, with a share of the covariance given up.
    ///
    /// # Errors
    /// [`ClosedFormError::BadClasses`], [`ClosedFormError::NoFeatures`], [`ClosedFormError::BadShrinkage`] and [`ClosedFormError::TooLarge`].
    pub fn new(classes: usize, features: usize, shrinkage: f64) -> Result<Self, ClosedFormError> {
        if !(shrinkage > 0.0 && shrinkage <= 1.0) {
            return Err(ClosedFormError::BadShrinkage(shrinkage));
        }
        Ok(StreamingLda {
            shrinkage,
            sums: ClassSums::new(classes, features)?,
            scatter: ProductSums::new(features)?,
            fit: None,
        })
    }

    /// The share of the covariance that is given up.
    pub fn shrinkage(&self) -> f64 {
        self.shrinkage
    }
}

impl ClosedForm for StreamingLda {
    fn classes(&self) -> usize {
        self.sums.classes()
    }

    fn features(&self) -> usize {
        self.sums.features()
    }

    fn learn(&mut self, features: &[f32], class: ClassId) -> Result<(), ClosedFormError> {
        self.sums.check(features, class)?;
        self.fit = None;
        let count = self.sums.count(class);
        if count > 0.0 {
            // What n + 1 samples scatter more than n: the difference from the mean of the n, squared, times n/(n + 1).
            let share = (count / (count + 1.0)).sqrt();
            let pairs = features.iter().zip(self.sums.mean(class));
            let step = pairs.map(|(&x, mean)| ((f64::from(x) - mean) * share) as f32);
            self.scatter.add(&step.collect::<Vec<f32>>());
        }
        self.sums.add(features, class);
        Ok(())
    }

    fn refit(&mut self) -> Result<(), ClosedFormError> {
        self.fit = None;
        let present = self.sums.present()?;
        let samples = self.sums.samples();
        let variance = match self.scatter.trace() / samples / self.features() as f64 {
            varies if varies > 0.0 => varies,
            _ => 1.0,
        };
        let scale = (1.0 - self.shrinkage) / samples;
        let parts = self.scatter.solver(scale, self.shrinkage * variance);
        let parts = parts.ok_or(ClosedFormError::Singular { help: "shrinkage" })?;
        let means = present.iter().flat_map(|&class| self.sums.mean(class));
        let means = Array2::from_shape_vec((present.len(), self.features()), means.collect());
        let means = means.expect("a mean for each class and feature");
        let offset = |_, mean: &[f64], weights: &[f64]| -dot(mean, weights) / 2.0;
        self.fit = Some(LinearRule::solving(&parts, present, means, offset));
        Ok(())
    }

    fn scores(&self, features: &[f32]) -> Vec<f64> {
        assert_eq!(features.len(), self.features(), "features of a sample");
        let features: Vec<f64> = features.iter().map(|&x| f64::from(x)).collect();
        let scores = self.fit.iter().flat_map(|rule| rule.scores(&features));
        scores_of(self.classes(), scores)
    }

    fn bytes(&self) -> u64 {
        self.sums.bytes() + self.scatter.bytes()
    }

    fn tensors(&self) -> BTreeMap<String, Tensor> {
        let mut tensors = self.sums.tensors();
        tensors.insert(SCATTER.to_string(), self.scatter.tensor());
        tensors
    }

    fn restore(&mut self, tensors: &BTreeMap<String, Tensor>) -> Result<(), String> {
        let arrays = Restored::of(tensors, &[COUNTS, SUMS, SCATTER])?;
        let sums = self.sums.restored(&arrays)?;
        self.scatter = self.scatter.restored(&arrays, SCATTER)?;
        self.sums = sums;
        self.fit = None;
        Ok(())
    }
}
