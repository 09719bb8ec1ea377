use std::fmt;

use ndarray::{Array2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{BaselineError, ClassStatistics, LinearRule, NearestMean};
use crate::dataset::{Dataset, stratified_split_of};
use crate::ids::{ClassId, SampleIndex, SpeakerId};
use crate::random::{MasterSeed, Purpose};

/// The share of training samples that settings are picked with.
pub const VALIDATION_SHARE: f64 = 0.2;

/// What part of the covariance may be given up, the most first: of equals the first is picked.
pub const SHRINKAGES: [f64; 8] = [0.9, 0.7, 0.5, 0.3, 0.2, 0.1, 0.03, 0.01];

/// What is taken where too few samples are there to pick with.
const PLAIN_CHOICE: (Transform, f64) = (Transform::SquareRoot, 0.3);

/// A rule that tells classes apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Linear discriminant analysis: [`LinearRule`].
    Linear,
    /// [`NearestMean`].
    NearestMean,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rule::Linear => "linear",
            Rule::NearestMean => "nearest mean",
        })
    }
}

/// What counts become before a rule sees them: large ones vary more, and say no more for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transform {
    /// √n, which varies alike whatever the count, where events come by chance.
    SquareRoot,
    /// ln(1 + n).
    Logarithm,
    /// n.
    Counts,
}

impl Transform {
    /// All of them.
    pub const ALL: [Transform; 3] = [Self::SquareRoot, Self::Logarithm, Self::Counts];

    fn of(self, count: f64) -> f64 {
        match self {
            Transform::SquareRoot => count.sqrt(),
            Transform::Logarithm => count.ln_1p(),
            Transform::Counts => count,
        }
    }
}

impl fmt::Display for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Transform::SquareRoot => "√n",
            Transform::Logarithm => "ln(1 + n)",
            Transform::Counts => "n",
        })
    }
}

/// Features of samples, and what was said by whom.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledFeatures {
    values: Array2<f64>,
    classes: Vec<ClassId>,
    speakers: Vec<SpeakerId>,
}

impl LabelledFeatures {
    /// Of all samples of a dataset: samples × features, no number below 0.
    ///
    /// # Errors
    /// [`BaselineError::Unequal`] unless there is a row for every sample.
    pub fn new(values: Array2<f64>, dataset: &Dataset) -> Result<Self, BaselineError> {
        if values.nrows() != dataset.len() {
            return Err(BaselineError::Unequal {
                found: values.dim(),
                expected: (dataset.len(), values.ncols()),
            });
        }
        Ok(LabelledFeatures {
            values,
            classes: dataset.iter().map(|(_, sample)| sample.class).collect(),
            speakers: dataset.iter().map(|(_, sample)| sample.speaker).collect(),
        })
    }

    /// Some of the samples.
    ///
    /// # Panics
    /// If there is no such sample.
    pub fn only(&self, samples: &[SampleIndex]) -> Self {
        let rows: Vec<usize> = samples.iter().map(|index| index.0).collect();
        LabelledFeatures {
            values: self.values.select(Axis(0), &rows),
            classes: rows.iter().map(|&row| self.classes[row]).collect(),
            speakers: rows.iter().map(|&row| self.speakers[row]).collect(),
        }
    }

    /// The class of each sample.
    pub fn classes(&self) -> &[ClassId] {
        &self.classes
    }

    /// Features of a sample.
    pub fn features(&self) -> usize {
        self.values.ncols()
    }

    /// The share of features, of all samples together, that are not 0; 0 without a sample.
    pub fn nonzero(&self) -> f64 {
        let counted = self.values.iter().filter(|count| **count != 0.0).count();
        counted as f64 / self.values.len().max(1) as f64
    }

    fn transformed(&self, transform: Transform) -> Self {
        LabelledFeatures {
            values: self.values.mapv(|count| transform.of(count)),
            ..self.clone()
        }
    }

    fn statistics(&self, classes: usize) -> Result<ClassStatistics, BaselineError> {
        let mut sums = ClassStatistics::new(classes, self.features())?;
        sums.add(self.values.view(), &self.classes)?;
        Ok(sums)
    }

    fn predictions(&self, predict: impl Fn(&[f64]) -> ClassId + Sync) -> Vec<ClassId> {
        let rows = self.values.axis_iter(Axis(0)).into_par_iter();
        let whole =
            |row| predict(ndarray::ArrayView1::to_slice(&row).expect("a row of a whole array"));
        rows.map(whole).collect()
    }

    fn right(&self, predict: impl Fn(&[f64]) -> ClassId + Sync) -> usize {
        let predictions = self.predictions(predict).into_iter();
        predictions
            .zip(&self.classes)
            .filter(|(found, class)| found == *class)
            .count()
    }
}

/// Samples that settings were picked with, and how many of them were classified rightly with those picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validation {
    /// Samples.
    pub samples: usize,
    /// Those classified rightly, by the rule fitted to the others.
    pub correct: usize,
}

/// A rule fitted to samples.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FittedRule {
    /// What counts become.
    pub transform: Transform,
    /// How much of the covariance is given up, where there is one.
    pub shrinkage: Option<f64>,
    /// How these were picked; none if there were too few samples for that.
    pub validation: Option<Validation>,
    /// Numbers that have to be kept to go on learning.
    pub numbers: usize,
    rule: Inner,
}

#[derive(Debug, Clone, PartialEq)]
enum Inner {
    Linear(LinearRule),
    Nearest(NearestMean),
}

impl FittedRule {
    /// Fits a rule to samples of so many classes. The transform of counts and the shrinkage are picked: of what is
    /// fitted to four fifths of the samples, that is taken which is right for most of the others, and then fitted to
    /// all. Each speaker and class has the same share of those others, and `seed` says which they are.
    ///
    /// # Errors
    /// [`BaselineError`] if there is no sample, or too many features.
    pub fn fit(
        rule: Rule,
        samples: &LabelledFeatures,
        classes: usize,
        seed: MasterSeed,
    ) -> Result<Self, BaselineError> {
        let labels: Vec<(SpeakerId, ClassId)> = {
            let speakers = samples.speakers.iter().copied();
            speakers.zip(samples.classes.iter().copied()).collect()
        };
        let mut generator = seed.named_stream(Purpose::Split, b"validation of a baseline", 0);
        let split = stratified_split_of(&labels, VALIDATION_SHARE, &mut generator)?;
        let (mut transform, mut shrinkage) = PLAIN_CHOICE;
        let mut validation = None;
        if !split.train.is_empty() && !split.test.is_empty() {
            let (fitted_to, asked) = (samples.only(&split.train), samples.only(&split.test));
            let mut most: Option<usize> = None;
            for candidate in Transform::ALL {
                let sums = fitted_to.transformed(candidate).statistics(classes)?;
                let asked = asked.transformed(candidate);
                for (parameter, correct) in rights(rule, &sums, &asked)? {
                    if most.is_none_or(|most| correct > most) {
                        most = Some(correct);
                        (transform, shrinkage) = (candidate, parameter);
                    }
                }
            }
            validation = most.map(|correct| Validation {
                samples: split.test.len(),
                correct,
            });
        }
        let sums = samples.transformed(transform).statistics(classes)?;
        let (inner, shrinkage, numbers) = match rule {
            Rule::Linear => (
                Inner::Linear(sums.linear_rule(shrinkage)?),
                Some(shrinkage),
                sums.numbers(),
            ),
            Rule::NearestMean => {
                let nearest = sums.nearest_mean()?;
                let numbers = nearest.numbers();
                (Inner::Nearest(nearest), None, numbers)
            }
        };
        Ok(FittedRule {
            transform,
            shrinkage,
            validation,
            numbers,
            rule: inner,
        })
    }

    /// The class that each sample is taken for.
    ///
    /// # Errors
    /// [`BaselineError::Unequal`] unless there are as many features as in what the rule was fitted to.
    pub fn predict(&self, samples: &LabelledFeatures) -> Result<Vec<ClassId>, BaselineError> {
        let expected = match &self.rule {
            Inner::Linear(rule) => rule.features(),
            Inner::Nearest(rule) => rule.features(),
        };
        if samples.features() != expected {
            return Err(BaselineError::Unequal {
                found: samples.values.dim(),
                expected: (samples.values.nrows(), expected),
            });
        }
        let samples = samples.transformed(self.transform);
        Ok(match &self.rule {
            Inner::Linear(rule) => samples.predictions(|row| rule.predict(row)),
            Inner::Nearest(rule) => samples.predictions(|row| rule.predict(row)),
        })
    }
}

/// What could be picked, and how many samples are classified rightly with each.
fn rights(
    rule: Rule,
    sums: &ClassStatistics,
    asked: &LabelledFeatures,
) -> Result<Vec<(f64, usize)>, BaselineError> {
    match rule {
        Rule::Linear => {
            let all = SHRINKAGES.into_par_iter().map(|shrinkage| {
                let linear = sums.linear_rule(shrinkage)?;
                Ok((shrinkage, asked.right(|row| linear.predict(row))))
            });
            let all: Vec<Result<(f64, usize), BaselineError>> = all.collect();
            all.into_iter().collect()
        }
        Rule::NearestMean => {
            let nearest = sums.nearest_mean()?;
            Ok(vec![(
                PLAIN_CHOICE.1,
                asked.right(|row| nearest.predict(row)),
            )])
        }
    }
}
