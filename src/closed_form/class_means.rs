use std::collections::BTreeMap;

use super::restored::Restored;
use super::sums::{COUNTS, ClassSums, SUMS, scores_of};
use super::{ClosedForm, ClosedFormError};
use crate::ids::ClassId;
use crate::storage::Tensor;

/// A sample is of the class whose mean is nearest.
///
/// The score of a class is minus the sum of squares of differences from its mean. Kept are counts and sums of classes;
/// nothing has to be solved, so it predicts right after a sample was learned.
///
/// ```
/// use respike::closed_form::{ClassMeans, ClosedForm, ClosedFormError};
/// use respike::ids::ClassId;
///
/// let mut means = ClassMeans::new(2, 1)?;
/// for (feature, class) in [(1.0, 0), (3.0, 0), (9.0, 1)] {
///     means.learn(&[feature], ClassId(class))?;
/// }
/// assert_eq!(means.scores(&[4.0]), [-4.0, -25.0]); // means at 2 and 9
/// assert_eq!(means.predict(&[4.0]), Some(ClassId(0)));
/// # Ok::<(), ClosedFormError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ClassMeans {
    sums: ClassSums,
}

impl ClassMeans {
    /// For so many classes of samples with so many features.
    ///
    /// # Errors
    /// [`ClosedFormError::BadClasses`], [`ClosedFormError::NoFeatures`] and [`ClosedFormError::TooLarge`].
    pub fn new(classes: usize, features: usize) -> Result<Self, ClosedFormError> {
        let sums = ClassSums::new(classes, features)?;
        Ok(ClassMeans { sums })
    }
}

impl ClosedForm for ClassMeans {
    fn classes(&self) -> usize {
        self.sums.classes()
    }

    fn features(&self) -> usize {
        self.sums.features()
    }

    fn learn(&mut self, features: &[f32], class: ClassId) -> Result<(), ClosedFormError> {
        self.sums.check(features, class)?;
        self.sums.add(features, class);
        Ok(())
    }

    fn refit(&mut self) -> Result<(), ClosedFormError> {
        self.sums.present().map(|_| ())
    }

    fn scores(&self, features: &[f32]) -> Vec<f64> {
        assert_eq!(features.len(), self.features(), "features of a sample");
        let distance = |class| -> f64 {
            let pairs = self.sums.mean(class).zip(features);
            pairs.map(|(mean, &x)| (f64::from(x) - mean).powi(2)).sum()
        };
        let present = self.sums.present().unwrap_or_default().into_iter();
        let scores = present.map(|class| (class, -distance(class)));
        scores_of(self.classes(), scores)
    }

    fn bytes(&self) -> u64 {
        self.sums.bytes()
    }

    fn tensors(&self) -> BTreeMap<String, Tensor> {
        self.sums.tensors()
    }

    fn restore(&mut self, tensors: &BTreeMap<String, Tensor>) -> Result<(), String> {
        self.sums = self
            .sums
            .restored(&Restored::of(tensors, &[COUNTS, SUMS])?)?;
        Ok(())
    }
}
