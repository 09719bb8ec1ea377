//! Sums over samples, in 32-bit numbers.
//!
//! In: features and classes, a sample at a time. Out: what learners are made of, as it stays in memory and in files.

use std::collections::BTreeMap;

use ndarray::{ArrayD, IxDyn};

use super::ClosedFormError;
use super::restored::Restored;
use crate::baseline::cholesky::{Cholesky, row_start, triangle};
use crate::ceiling;
use crate::ids::ClassId;
use crate::storage::Tensor;

/// No feature may be further from 0: so no sum of squares leaves 32-bit numbers, whatever the number of samples.
pub const LARGEST_FEATURE: f32 = 1e9;

/// More samples than this of a class are in no honest file, and could no longer be counted as f64.
const MOST_SAMPLES: u64 = 1 << 53;

pub(super) const COUNTS: &str = "counts";
pub(super) const SUMS: &str = "sums";

/// Samples of each class, and the sums of their features.
#[derive(Debug, Clone)]
pub(super) struct ClassSums {
    features: usize,
    counts: Vec<u64>,
    /// Class after class.
    sums: Vec<f32>,
}

impl ClassSums {
    pub(super) fn new(classes: usize, features: usize) -> Result<Self, ClosedFormError> {
        if !(1..=1 << 16).contains(&classes) {
            return Err(ClosedFormError::BadClasses(classes));
        }
        if features == 0 {
            return Err(ClosedFormError::NoFeatures);
        }
        // The sums, and what is solved for, once as it was and once in the making.
        let what = format!("the sums of {features} features for {classes} classes");
        ceiling::check(&what, ceiling::product(&[classes, features, 4 + 8 + 8]))?;
        Ok(ClassSums {
            features,
            counts: vec![0; classes],
            sums: vec![0.0; classes * features],
        })
    }

    pub(super) fn classes(&self) -> usize {
        self.counts.len()
    }

    pub(super) fn features(&self) -> usize {
        self.features
    }

    /// Samples of a class.
    pub(super) fn count(&self, class: ClassId) -> f64 {
        self.counts[class.index()] as f64
    }

    /// Samples of all classes.
    pub(super) fn samples(&self) -> f64 {
        self.counts.iter().map(|&count| count as f64).sum()
    }

    /// The classes that there are samples of.
    pub(super) fn present(&self) -> Result<Vec<ClassId>, ClosedFormError> {
        let classes = (0..=u16::MAX).zip(&self.counts);
        let present = classes.filter(|(_, count)| **count > 0);
        let present: Vec<ClassId> = present.map(|(class, _)| ClassId(class)).collect();
        match present.is_empty() {
            true => Err(ClosedFormError::NoSamples),
            false => Ok(present),
        }
    }

    /// The sums of a class.
    pub(super) fn sums(&self, class: ClassId) -> &[f32] {
        &self.sums[class.index() * self.features..][..self.features]
    }

    /// The mean of a class that there are samples of.
    pub(super) fn mean(&self, class: ClassId) -> impl Iterator<Item = f64> + '_ {
        let count = self.count(class);
        self.sums(class)
            .iter()
            .map(move |&sum| f64::from(sum) / count)
    }

    /// Refuses a sample that does not fit.
    pub(super) fn check(&self, features: &[f32], class: ClassId) -> Result<(), ClosedFormError> {
        check_features(features, self.features)?;
        match class.index() < self.classes() {
            true => Ok(()),
            false => Err(ClosedFormError::ClassPastEnd {
                class,
                classes: self.classes(),
            }),
        }
    }

    /// Adds a sample that was checked.
    pub(super) fn add(&mut self, features: &[f32], class: ClassId) {
        self.counts[class.index()] += 1;
        let sums = &mut self.sums[class.index() * self.features..][..self.features];
        sums.iter_mut()
            .zip(features)
            .for_each(|(sum, new)| *sum += new);
    }

    pub(super) fn bytes(&self) -> u64 {
        (8 * self.counts.len() + 4 * self.sums.len()) as u64
    }

    pub(super) fn tensors(&self) -> BTreeMap<String, Tensor> {
        let shape = IxDyn(&[self.classes(), self.features]);
        let sums = ArrayD::from_shape_vec(shape, self.sums.clone());
        let sums = sums.expect("there is a sum for each class and feature");
        BTreeMap::from([
            (COUNTS.to_string(), Tensor::U64(self.counts.clone())),
            (SUMS.to_string(), Tensor::F32(sums)),
        ])
    }

    /// The same classes and features with what was kept.
    pub(super) fn restored(&self, arrays: &Restored<'_>) -> Result<Self, String> {
        let counts = arrays.numbers(COUNTS, self.classes())?;
        if let Some(count) = counts.iter().find(|count| **count > MOST_SAMPLES) {
            return Err(format!("the array {COUNTS} tells of {count} samples"));
        }
        Ok(ClassSums {
            features: self.features,
            counts: counts.to_vec(),
            sums: arrays.floats(SUMS, &[self.classes(), self.features])?,
        })
    }
}

/// Refuses features that are too few, too many, or no number that could be summed up.
pub(super) fn check_features(features: &[f32], expected: usize) -> Result<(), ClosedFormError> {
    if features.len() != expected {
        return Err(ClosedFormError::WrongFeatures {
            found: features.len(),
            expected,
        });
    }
    // What is not a number is in no range.
    let fits = |value: f32| (-LARGEST_FEATURE..=LARGEST_FEATURE).contains(&value);
    match features.iter().position(|&value| !fits(value)) {
        Some(place) => Err(ClosedFormError::BadFeature {
            place,
            value: features[place],
        }),
        None => Ok(()),
    }
}

/// A sum of products of features with each other: the lower triangle of a symmetric matrix, row after row.
#[derive(Debug, Clone)]
pub(super) struct ProductSums {
    features: usize,
    lower: Vec<f32>,
}

impl ProductSums {
    pub(super) fn new(features: usize) -> Result<Self, ClosedFormError> {
        // The sums, and a copy in 64 bits that is taken apart.
        let what = format!("the products of {features} features with each other");
        let twice = ceiling::product(&[features, features.saturating_add(1), 4 + 8]);
        ceiling::check(&what, twice.map(|bytes| bytes / 2))?;
        Ok(ProductSums {
            features,
            lower: vec![0.0; triangle(features)],
        })
    }

    /// Adds the products of one sample.
    pub(super) fn add(&mut self, sample: &[f32]) {
        let mut rest = &mut self.lower[..];
        for (row, &factor) in sample.iter().enumerate() {
            let (sums, below) = rest.split_at_mut(row + 1);
            rest = below;
            // Units that were silent cost nothing.
            if factor != 0.0 {
                let products = sample.iter().map(|other| factor * other);
                sums.iter_mut()
                    .zip(products)
                    .for_each(|(sum, new)| *sum += new);
            }
        }
    }

    /// The sum of the diagonal.
    pub(super) fn trace(&self) -> f64 {
        let diagonal = (0..self.features).map(|row| self.lower[row_start(row) + row]);
        diagonal.map(f64::from).sum()
    }

    /// Takes `scale` times this, with `more` on the diagonal, apart.
    pub(super) fn solver(&self, scale: f64, more: f64) -> Option<Cholesky> {
        let scaled = self.lower.iter().map(|&sum| f64::from(sum) * scale);
        let mut lower: Vec<f64> = scaled.collect();
        for row in 0..self.features {
            lower[row_start(row) + row] += more;
        }
        Cholesky::of(lower, self.features)
    }

    pub(super) fn bytes(&self) -> u64 {
        4 * self.lower.len() as u64
    }

    pub(super) fn tensor(&self) -> Tensor {
        Tensor::F32(ndarray::Array1::from(self.lower.clone()).into_dyn())
    }

    /// As many features, with what was kept under a name.
    pub(super) fn restored(&self, arrays: &Restored<'_>, name: &str) -> Result<Self, String> {
        Ok(ProductSums {
            features: self.features,
            lower: arrays.floats(name, &[self.lower.len()])?,
        })
    }
}

/// A score for each of so many classes, from those of some of them.
pub(super) fn scores_of(classes: usize, some: impl Iterator<Item = (ClassId, f64)>) -> Vec<f64> {
    let mut scores = vec![f64::NEG_INFINITY; classes];
    for (class, score) in some {
        scores[class.index()] = score;
    }
    scores
}
