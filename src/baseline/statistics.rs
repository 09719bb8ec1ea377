use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::cholesky::{Cholesky, dot, row_start, triangle};
use super::{BaselineError, LinearRule, NearestMean};
use crate::ceiling;
use crate::ids::ClassId;

/// Sums that both rules are made of: how many samples a class has, their mean, and one scatter of all samples
/// around the means of their classes.
///
/// Samples come as a stream and are not kept. The sums do not depend on their order, but for rounding: a rule that
/// learned classes one by one is the rule that learned them all at once.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassStatistics {
    counts: Vec<u64>,
    /// Classes × features.
    means: Array2<f64>,
    /// Σ (x − μ)(x − μ)ᵀ over all samples, μ being the mean of the sample's class: the lower triangle.
    scatter: Vec<f64>,
}

impl ClassStatistics {
    /// Of no sample yet.
    ///
    /// # Errors
    /// [`BaselineError::NoFeatures`], and [`BaselineError::TooLarge`] for more features than can be held.
    pub fn new(classes: usize, features: usize) -> Result<Self, BaselineError> {
        if features == 0 {
            return Err(BaselineError::NoFeatures);
        }
        // The scatter itself, and a copy that is taken apart on each thread.
        let copies = rayon::current_num_threads() + 1;
        let bytes = ceiling::product(&[features, features + 1, 4, copies]);
        let what = format!("the scatter of {features} features, once for each thread");
        ceiling::check(&what, bytes)?;
        ceiling::check(
            &format!("the means of {features} features for {classes} classes"),
            ceiling::product(&[features, classes, 8]),
        )?;
        Ok(ClassStatistics {
            counts: vec![0; classes],
            means: Array2::zeros((classes, features)),
            scatter: vec![0.0; triangle(features)],
        })
    }

    /// Features of a sample.
    pub fn features(&self) -> usize {
        self.means.ncols()
    }

    /// Samples so far.
    pub fn samples(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Adds samples (samples × features) with their classes.
    ///
    /// # Errors
    /// [`BaselineError::Unequal`] unless there is a class for every sample and as many features as before, and
    /// [`BaselineError::ClassPastEnd`].
    pub fn add(
        &mut self,
        samples: ArrayView2<'_, f64>,
        classes: &[ClassId],
    ) -> Result<(), BaselineError> {
        if samples.dim() != (classes.len(), self.features()) {
            return Err(BaselineError::Unequal {
                found: samples.dim(),
                expected: (classes.len(), self.features()),
            });
        }
        if let Some(&class) = classes
            .iter()
            .find(|class| class.index() >= self.counts.len())
        {
            let classes = self.counts.len();
            return Err(BaselineError::ClassPastEnd { class, classes });
        }
        // What a sample adds to the scatter: its difference from the mean before, scaled.
        let mut steps = samples.to_owned();
        for (mut step, class) in steps.axis_iter_mut(Axis(0)).zip(classes) {
            let mut mean = self.means.row_mut(class.index());
            step -= &mean;
            let count = &mut self.counts[class.index()];
            *count += 1;
            mean.scaled_add(1.0 / *count as f64, &step);
            step *= ((*count - 1) as f64 / *count as f64).sqrt();
        }
        let features = self.features();
        let mut rows = Vec::with_capacity(features);
        let mut rest = &mut self.scatter[..];
        for row in 0..features {
            let (one, others) = rest.split_at_mut(row + 1);
            rows.push(one);
            rest = others;
        }
        rows.into_par_iter().enumerate().for_each(|(row, sums)| {
            for step in steps.axis_iter(Axis(0)) {
                // Rows of a new array lie together.
                let step = step.to_slice().expect("a row of a whole array");
                let factor = step[row];
                if factor != 0.0 {
                    let products = step[..=row].iter().map(|other| factor * other);
                    sums.iter_mut()
                        .zip(products)
                        .for_each(|(sum, new)| *sum += new);
                }
            }
        });
        Ok(())
    }

    /// Numbers of these sums: what has to be kept to go on learning.
    pub fn numbers(&self) -> usize {
        self.counts.len() + self.means.len() + self.scatter.len()
    }

    /// The linear rule with so much of the covariance, 0 to 1, given up for equal variances of all features that
    /// vary together in no way.
    ///
    /// # Errors
    /// [`BaselineError::NoSamples`], [`BaselineError::BadShrinkage`], and [`BaselineError::Singular`] where
    /// nothing is given up and features depend on each other.
    pub fn linear_rule(&self, shrinkage: f64) -> Result<LinearRule, BaselineError> {
        if !(0.0..=1.0).contains(&shrinkage) {
            return Err(BaselineError::BadShrinkage(shrinkage));
        }
        let present = self.present()?;
        let (features, samples) = (self.features(), self.samples());
        let freedom = samples.saturating_sub(present.len() as u64).max(1) as f64;
        let trace: f64 = (0..features)
            .map(|row| self.scatter[row_start(row) + row])
            .sum();
        // Where nothing varies, anything is as good.
        let variance = match trace / features as f64 {
            varies if varies > 0.0 => varies,
            _ => freedom,
        };
        let mut covariance = self.scatter.clone();
        let scale = (1.0 - shrinkage) / freedom;
        covariance.iter_mut().for_each(|sum| *sum *= scale);
        for row in 0..features {
            covariance[row_start(row) + row] += shrinkage * variance / freedom;
        }
        let parts = Cholesky::of(covariance, features).ok_or(BaselineError::Singular)?;
        let rows: Vec<usize> = present.iter().map(|class| class.index()).collect();
        let means = self.means.select(Axis(0), &rows);
        let offset = |place: usize, mean: &[f64], weights: &[f64]| {
            let share = self.counts[rows[place]] as f64 / samples as f64;
            share.ln() - dot(mean, weights) / 2.0
        };
        Ok(LinearRule::solving(&parts, present, means, offset))
    }

    /// The rule of the nearest class mean.
    ///
    /// # Errors
    /// [`BaselineError::NoSamples`].
    pub fn nearest_mean(&self) -> Result<NearestMean, BaselineError> {
        let present = self.present()?;
        let rows: Vec<usize> = present.iter().map(|class| class.index()).collect();
        Ok(NearestMean::new(present, self.means.select(Axis(0), &rows)))
    }

    /// The classes that there are samples of.
    fn present(&self) -> Result<Vec<ClassId>, BaselineError> {
        let counts = self
            .counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0);
        let present: Vec<ClassId> = counts.map(|(class, _)| ClassId(class as u16)).collect();
        match present.is_empty() {
            true => Err(BaselineError::NoSamples),
            false => Ok(present),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, array};
    use proptest::prelude::*;

    use super::*;

    fn of(samples: &Array2<f64>, classes: &[ClassId]) -> ClassStatistics {
        let mut sums = ClassStatistics::new(3, samples.ncols()).expect("small");
        sums.add(samples.view(), classes).expect("they fit");
        sums
    }

    #[test]
    fn the_sums_are_those_of_the_definition() {
        let samples = array![[1.0, 0.0], [3.0, 2.0], [0.0, 5.0], [2.0, 1.0]];
        let classes = [0, 2, 2, 0].map(ClassId);
        let sums = of(&samples, &classes);
        assert_eq!(sums.counts, [2, 0, 2]);
        assert_eq!(sums.means, array![[1.5, 0.5], [0.0, 0.0], [1.5, 3.5]]);
        // ±(0.5, 0.5) around the first mean, ±(1.5, −1.5) around the other.
        let expected = [0.5 + 4.5, 0.5 - 4.5, 0.5 + 4.5];
        for (found, expected) in sums.scatter.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-14, "{found} {expected}");
        }
        assert_eq!(sums.numbers(), 3 + 6 + 3);
    }

    /// Two classes with a covariance of one: the border is half way between the means.
    #[test]
    fn a_border_that_is_known() {
        let samples = array![[-1.0], [1.0], [3.0], [5.0]];
        let sums = of(&samples, &[0, 0, 1, 1].map(ClassId));
        for shrinkage in [0.0, 0.5, 1.0] {
            let rule = sums.linear_rule(shrinkage).expect("it varies");
            for (at, expected) in [(1.99, 0), (2.01, 1)] {
                assert_eq!(rule.predict(&[at]), ClassId(expected), "{at}");
            }
        }
        let nearest = sums.nearest_mean().expect("samples");
        assert_eq!(nearest.predict(&[1.99]), ClassId(0));
        assert_eq!(nearest.predict(&[2.01]), ClassId(1));
    }

    /// What tells classes apart is hidden behind what varies in all of them alike: the nearest mean is taken in.
    #[test]
    fn the_linear_rule_sees_past_shared_variance() {
        let mut samples = Array2::zeros((40, 2));
        let classes: Vec<ClassId> = (0..40).map(|sample| ClassId(sample % 2)).collect();
        for (sample, mut row) in samples.axis_iter_mut(Axis(0)).enumerate() {
            let shared = (sample as f64 * 0.7).sin() * 10.0;
            let class = (sample % 2) as f64;
            row.assign(&Array1::from(vec![shared + class, shared - class]));
        }
        let sums = of(&samples, &classes);
        let (linear, nearest) = (sums.linear_rule(1e-3), sums.nearest_mean());
        let (linear, nearest) = (linear.expect("it varies"), nearest.expect("samples"));
        let right = |predict: &dyn Fn(&[f64]) -> ClassId| {
            let rows = samples.axis_iter(Axis(0)).zip(&classes);
            rows.filter(|(row, class)| predict(row.to_slice().expect("whole")) == **class)
                .count()
        };
        assert_eq!(right(&|row| linear.predict(row)), 40);
        assert!(right(&|row| nearest.predict(row)) < 36);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert!(matches!(
            ClassStatistics::new(2, 0),
            Err(BaselineError::NoFeatures)
        ));
        let huge = ClassStatistics::new(2, 1 << 40);
        assert!(matches!(huge, Err(BaselineError::TooLarge(_))));
        let mut sums = ClassStatistics::new(2, 2).expect("small");
        assert!(matches!(
            sums.linear_rule(0.1),
            Err(BaselineError::NoSamples)
        ));
        let one = array![[1.0, 2.0]];
        let unequal = sums.add(array![[1.0]].view(), &[ClassId(0)]);
        assert!(matches!(unequal, Err(BaselineError::Unequal { .. })));
        let past = sums.add(one.view(), &[ClassId(2)]);
        assert!(matches!(past, Err(BaselineError::ClassPastEnd { .. })));
        sums.add(one.view(), &[ClassId(1)]).expect("it fits");
        assert!(matches!(
            sums.linear_rule(-0.1),
            Err(BaselineError::BadShrinkage(_))
        ));
        assert!(matches!(
            sums.linear_rule(0.0),
            Err(BaselineError::Singular)
        ));
        // One sample tells nothing of how features vary, and there is one class to choose.
        let rule = sums.linear_rule(0.1).expect("something is given up");
        assert_eq!(rule.predict(&[0.0, 0.0]), ClassId(1));
    }

    proptest! {
        /// Classes one by one, or all at once, in any order: the same sums.
        #[test]
        fn the_order_of_samples_does_not_count(
            values in prop::collection::vec((0u16..3, prop::array::uniform4(0.0f64..50.0)), 1..60),
            turn in 0usize..60,
        ) {
            let table = |rows: &[(u16, [f64; 4])]| {
                let flat = rows.iter().flat_map(|row| row.1).collect();
                let classes: Vec<ClassId> = rows.iter().map(|row| ClassId(row.0)).collect();
                (Array2::from_shape_vec((rows.len(), 4), flat).expect("rows of four"), classes)
            };
            let (samples, classes) = table(&values);
            let at_once = of(&samples, &classes);
            let mut others = values.clone();
            others.rotate_left(turn % values.len());
            others.sort_by_key(|row| row.0);
            let mut one_by_one = ClassStatistics::new(3, 4).expect("small");
            for row in &others {
                let (samples, classes) = table(std::slice::from_ref(row));
                one_by_one.add(samples.view(), &classes).expect("they fit");
            }
            prop_assert_eq!(&at_once.counts, &one_by_one.counts);
            let close = |a: &f64, b: &f64| (a - b).abs() < 1e-6;
            prop_assert!(at_once.means.iter().zip(&one_by_one.means).all(|(a, b)| close(a, b)));
            prop_assert!(at_once.scatter.iter().zip(&one_by_one.scatter).all(|(a, b)| close(a, b)));
        }
    }
}
