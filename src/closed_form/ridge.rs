use std::collections::BTreeMap;

use ndarray::Array2;

use super::restored::Restored;
use super::sums::{COUNTS, ClassSums, ProductSums, SUMS, check_features, scores_of};
use super::{ClosedForm, ClosedFormError, DrawnExpansion, RandomExpansion};
use crate::baseline::LinearRule;
use crate::ids::ClassId;
use crate::storage::Tensor;

const GRAM: &str = "gram";
const EXPANSION_SEED: &str = "expansion_seed";

/// Recursive ridge regression on one-hot classes, the analytic learner of ACIL (Zhuang et al. 2022, *ACIL: Analytic
/// Class-Incremental Learning with Absolute Memorization and Privacy Protection*, arXiv:2205.14922).
///
/// The weights are those that minimise `‖X·W − Y‖² + λ·‖W‖²` over all samples so far:
///
/// ```text
/// W = (XᵀX + λ·I)⁻¹ · XᵀY        score of a class = x · its column of W; there is no offset
/// ```
///
/// ACIL keeps W and the inverse, and brings both up to date by Woodbury's formula with each group of samples. That is
/// the same in as many numbers. Here XᵀX is kept (its lower triangle) and XᵀY (one-hot classes make it the sums of
/// classes), in 32 bits, and the system is solved in 64 when predictions are asked for: rounding then enters each sum
/// once a sample, and is not multiplied by an inverse with each group; and λ can be changed afterwards.
///
/// Solving takes d³/6 + c·d² multiplications, a sample d²/2.
///
/// ```
/// use respike::closed_form::{ClosedForm, ClosedFormError, Ridge};
/// use respike::ids::ClassId;
///
/// let mut ridge = Ridge::new(2, 2, 1.0)?;
/// ridge.learn(&[1.0, 0.0], ClassId(0))?;
/// ridge.learn(&[0.0, 3.0], ClassId(1))?;
/// ridge.refit()?;
/// // XᵀX + λ·I has 1 + 1 and 9 + 1 on its diagonal, XᵀY has 1 and 3.
/// let scores = ridge.scores(&[1.0, 1.0]);
/// assert!((scores[0] - 1.0 / 2.0).abs() < 1e-12 && (scores[1] - 3.0 / 10.0).abs() < 1e-12);
/// # Ok::<(), ClosedFormError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Ridge {
    ridge: f64,
    /// In memory for speed; the seed makes it again.
    expansion: Option<DrawnExpansion>,
    sums: ClassSums,
    gram: ProductSums,
    fit: Option<LinearRule>,
}

impl Ridge {
    /// For so many classes of samples with so many features; `ridge` is λ.
    ///
    /// # Errors
    /// [`ClosedFormError::BadClasses`], [`ClosedFormError::NoFeatures`], [`ClosedFormError::BadRidge`] and [`ClosedFormError::TooLarge`].
    pub fn new(classes: usize, features: usize, ridge: f64) -> Result<Self, ClosedFormError> {
        if !(ridge.is_finite() && ridge > 0.0) {
            return Err(ClosedFormError::BadRidge(ridge));
        }
        Ok(Ridge {
            ridge,
            expansion: None,
            sums: ClassSums::new(classes, features)?,
            gram: ProductSums::new(features)?,
            fit: None,
        })
    }

    /// The same on randomly expanded features: learns and predicts from samples with as many features as the expansion
    /// takes, and keeps sums of as many as it makes. The projection is held in memory for speed, features × size numbers;
    /// [`ClosedForm::bytes`] counts the seed, which makes it again.
    ///
    /// ```
    /// use respike::closed_form::{ClosedForm, ClosedFormError, RandomExpansion, Ridge};
    /// use respike::ids::ClassId;
    /// use respike::random::MasterSeed;
    ///
    /// // Either feature, or both: without an offset no linear rule tells them apart.
    /// let expansion = RandomExpansion::new(2, 50, MasterSeed(1))?;
    /// let mut ridge = Ridge::expanded(2, expansion, 1e-3)?;
    /// let samples = [([1.0, 0.0], 0), ([0.0, 1.0], 0), ([1.0, 1.0], 1)];
    /// for (sample, class) in &samples {
    ///     ridge.learn(sample, ClassId(*class))?;
    /// }
    /// ridge.refit()?;
    /// assert!(samples.iter().all(|(sample, class)| ridge.predict(sample) == Some(ClassId(*class))));
    /// assert_eq!(ridge.bytes(), 8 + 2 * 8 + 4 * (2 * 50 + 50 * 51 / 2));
    /// # Ok::<(), ClosedFormError>(())
    /// ```
    ///
    /// # Errors
    /// As of [`Ridge::new`].
    pub fn expanded(
        classes: usize,
        expansion: RandomExpansion,
        ridge: f64,
    ) -> Result<Self, ClosedFormError> {
        let plain = Ridge::new(classes, expansion.size(), ridge)?;
        Ok(Ridge {
            expansion: Some(expansion.drawn()?),
            ..plain
        })
    }

    /// λ.
    pub fn ridge(&self) -> f64 {
        self.ridge
    }

    /// The expansion in front, if there is one.
    pub fn expansion(&self) -> Option<RandomExpansion> {
        self.expansion.as_ref().map(DrawnExpansion::expansion)
    }
}

impl ClosedForm for Ridge {
    fn classes(&self) -> usize {
        self.sums.classes()
    }

    fn features(&self) -> usize {
        match self.expansion() {
            Some(expansion) => expansion.features(),
            None => self.sums.features(),
        }
    }

    fn learn(&mut self, features: &[f32], class: ClassId) -> Result<(), ClosedFormError> {
        check_features(features, self.features())?;
        let expanded = self.expansion.as_ref().map(|drawn| drawn.of(features));
        let features = expanded.as_deref().unwrap_or(features);
        self.sums.check(features, class)?;
        self.fit = None;
        self.sums.add(features, class);
        self.gram.add(features);
        Ok(())
    }

    fn refit(&mut self) -> Result<(), ClosedFormError> {
        self.fit = None;
        let present = self.sums.present()?;
        let parts = self.gram.solver(1.0, self.ridge);
        let parts = parts.ok_or(ClosedFormError::Singular { help: "ridge" })?;
        let sums = present.iter().flat_map(|&class| self.sums.sums(class));
        let sums: Vec<f64> = sums.map(|&sum| f64::from(sum)).collect();
        let sums = Array2::from_shape_vec((present.len(), self.sums.features()), sums);
        let sums = sums.expect("a sum for each class and feature");
        self.fit = Some(LinearRule::solving(&parts, present, sums, |_, _, _| 0.0));
        Ok(())
    }

    fn scores(&self, features: &[f32]) -> Vec<f64> {
        assert_eq!(features.len(), self.features(), "features of a sample");
        let expanded = self.expansion.as_ref().map(|drawn| drawn.of(features));
        let features = expanded.as_deref().unwrap_or(features).iter();
        let features: Vec<f64> = features.map(|&x| f64::from(x)).collect();
        let scores = self.fit.iter().flat_map(|rule| rule.scores(&features));
        scores_of(self.classes(), scores)
    }

    fn bytes(&self) -> u64 {
        let seed = self.expansion.as_ref().map_or(0, |_| 8);
        seed + self.sums.bytes() + self.gram.bytes()
    }

    fn tensors(&self) -> BTreeMap<String, Tensor> {
        let mut tensors = self.sums.tensors();
        tensors.insert(GRAM.to_string(), self.gram.tensor());
        if let Some(expansion) = self.expansion() {
            let seed = Tensor::U64(vec![expansion.seed().0]);
            tensors.insert(EXPANSION_SEED.to_string(), seed);
        }
        tensors
    }

    fn restore(&mut self, tensors: &BTreeMap<String, Tensor>) -> Result<(), String> {
        let names = [COUNTS, SUMS, GRAM, EXPANSION_SEED];
        let own = names.len() - usize::from(self.expansion.is_none());
        let arrays = Restored::of(tensors, &names[..own])?;
        if let Some(expansion) = self.expansion() {
            let (kept, ours) = (arrays.numbers(EXPANSION_SEED, 1)?[0], expansion.seed().0);
            if kept != ours {
                return Err(format!(
                    "the features were expanded with the seed {kept}, and here the seed is {ours}"
                ));
            }
        }
        let sums = self.sums.restored(&arrays)?;
        self.gram = self.gram.restored(&arrays, GRAM)?;
        self.sums = sums;
        self.fit = None;
        Ok(())
    }
}
