use ndarray::Array2;
use ndarray_rand::rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::ClosedFormError;
use crate::ceiling;
use crate::random::{MasterSeed, Purpose};

/// Fixed random features: more of them than there are, so that a linear rule can tell apart what it could not.
///
/// `max(0, Σᵢ xᵢ·gᵢⱼ / √d)` for j of `size`, where d is the number of features and each g is drawn from the standard
/// normal distribution; the sum goes in rising order of i. There is no bias: what is silent stays 0, and what is twice
/// as loud is twice as large. The g are never kept: the seed makes them again, a stream of random numbers for each
/// feature i, so the expansion costs the 8 bytes of the seed.
///
/// ```
/// use respike::closed_form::{ClosedFormError, RandomExpansion};
/// use respike::random::MasterSeed;
///
/// let expansion = RandomExpansion::new(3, 8, MasterSeed(1))?;
/// let expanded = expansion.of(&[1.0, 0.0, 2.0]);
/// assert_eq!(expanded.len(), 8);
/// assert!(expanded.iter().all(|&feature| feature >= 0.0));
/// assert_eq!(expansion.of(&[0.0; 3]), [0.0; 8]);
/// assert_eq!(expansion.drawn()?.of(&[1.0, 0.0, 2.0]), expanded);
/// # Ok::<(), ClosedFormError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RandomExpansion {
    features: usize,
    size: usize,
    seed: MasterSeed,
}

impl RandomExpansion {
    /// From so many features to `size` of them.
    ///
    /// # Errors
    /// [`ClosedFormError::NoFeatures`] if either is 0.
    pub fn new(features: usize, size: usize, seed: MasterSeed) -> Result<Self, ClosedFormError> {
        match features.min(size) {
            0 => Err(ClosedFormError::NoFeatures),
            _ => Ok(RandomExpansion {
                features,
                size,
                seed,
            }),
        }
    }

    /// Features that go in.
    pub fn features(self) -> usize {
        self.features
    }

    /// Features that come out.
    pub fn size(self) -> usize {
        self.size
    }

    /// What the projection is drawn from.
    pub fn seed(self) -> MasterSeed {
        self.seed
    }

    /// Expands the features of a sample, with no more memory than they take: what the projection has for each feature
    /// that is not 0 is drawn, and forgotten. [`RandomExpansion::drawn`] is quicker for many samples.
    ///
    /// # Panics
    /// Unless there are as many features as this was made for.
    pub fn of(self, features: &[f32]) -> Vec<f32> {
        let mut row = vec![0.0; self.size];
        self.sums(features, |feature, sums, value| {
            self.draw(feature, &mut row);
            add_scaled(sums, value, &row);
        })
    }

    /// The same, drawn once for many samples: features × size numbers in memory, for as long as it is there.
    ///
    /// # Errors
    /// [`ClosedFormError::TooLarge`].
    pub fn drawn(self) -> Result<DrawnExpansion, ClosedFormError> {
        let what = format!(
            "a random expansion of {} features to {}",
            self.features, self.size
        );
        ceiling::check(&what, ceiling::product(&[self.features, self.size, 4]))?;
        let mut projection = Array2::zeros((self.features, self.size));
        let rows = projection.outer_iter_mut().into_par_iter().enumerate();
        rows.for_each(|(feature, mut row)| {
            self.draw(feature, row.as_slice_mut().expect("a row of a whole array"));
        });
        Ok(DrawnExpansion {
            expansion: self,
            projection,
        })
    }

    /// What a feature adds to each sum for every unit of it.
    fn draw(self, feature: usize, row: &mut [f32]) {
        let mut generator =
            self.seed
                .named_stream(Purpose::Expansion, b"projection", feature as u64);
        let scale = (self.features as f32).sqrt();
        for slot in row {
            let normal: f32 = StandardNormal.sample(&mut generator);
            *slot = normal / scale;
        }
    }

    fn sums(self, features: &[f32], mut add: impl FnMut(usize, &mut [f32], f32)) -> Vec<f32> {
        assert_eq!(features.len(), self.features, "features of a sample");
        let mut sums = vec![0.0; self.size];
        for (feature, &value) in features.iter().enumerate() {
            if value != 0.0 {
                add(feature, &mut sums, value);
            }
        }
        // Written so that what is not a number stays one, and is refused by who learns it.
        sums.iter_mut()
            .filter(|sum| **sum < 0.0)
            .for_each(|sum| *sum = 0.0);
        sums
    }
}

/// A [`RandomExpansion`] with its projection in memory. Its results have the same bits.
#[derive(Debug, Clone)]
pub struct DrawnExpansion {
    expansion: RandomExpansion,
    /// Features × size.
    projection: Array2<f32>,
}

impl DrawnExpansion {
    /// What it was drawn of.
    pub fn expansion(&self) -> RandomExpansion {
        self.expansion
    }

    /// Expands the features of a sample.
    ///
    /// # Panics
    /// Unless there are as many features as this was made for.
    pub fn of(&self, features: &[f32]) -> Vec<f32> {
        self.expansion.sums(features, |feature, sums, value| {
            let row = self.projection.row(feature);
            let row = row.to_slice().expect("a row of a whole array");
            add_scaled(sums, value, row);
        })
    }
}

fn add_scaled(sums: &mut [f32], value: f32, row: &[f32]) {
    let terms = row.iter().map(|weight| value * weight);
    sums.iter_mut()
        .zip(terms)
        .for_each(|(sum, new)| *sum += new);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expansion(features: usize, size: usize, seed: u64) -> RandomExpansion {
        RandomExpansion::new(features, size, MasterSeed(seed)).expect("above 0")
    }

    #[test]
    fn the_seed_alone_makes_the_same_bits_again() {
        let features: Vec<f32> = (0..20).map(|place| (place % 3) as f32 * 1.7).collect();
        let first = expansion(20, 50, 4);
        let drawn = first.drawn().expect("small");
        assert_eq!(drawn.of(&features), first.of(&features));
        assert_eq!(expansion(20, 50, 4).of(&features), first.of(&features));
        assert_ne!(expansion(20, 50, 5).of(&features), first.of(&features));
    }

    /// Sums that were kept belong to these features: a seed must go on meaning the same.
    #[test]
    fn a_seed_means_what_it_always_meant() {
        let found = expansion(4, 6, 7).of(&[2.0, 0.0, 1.0, 3.0]);
        let expected = [0.12126446, 0.9537326, 0.0, 0.18923616, 0.84757394, 0.0];
        assert_eq!(found, expected);
    }

    /// g / √d has mean 0 and variance 1/d; ReLU leaves one half of what comes out, of any sample.
    #[test]
    fn the_projection_is_normal() {
        let drawn = expansion(100, 1000, 0).drawn().expect("small");
        let numbers = drawn.projection.len() as f32;
        let mean = drawn.projection.sum() / numbers;
        let square = drawn.projection.iter().map(|g| g * g).sum::<f32>() / numbers;
        let fourth = drawn.projection.iter().map(|g| g.powi(4)).sum::<f32>() / numbers;
        assert!(mean.abs() < 1e-3, "{mean}");
        assert!((square - 0.01).abs() < 2e-4, "{square}");
        assert!((fourth / square / square - 3.0).abs() < 0.1, "{fourth}");
        // Rows have nothing to do with each other: products of 1000 numbers have a standard deviation of 0.32, squares
        // sum up to 10.
        let products = drawn.projection.dot(&drawn.projection.t());
        for ((row, other), product) in products.indexed_iter() {
            let expected = if row == other { 10.0 } else { 0.0 };
            assert!((product - expected).abs() < 2.2, "{row} {other} {product}");
        }
        let positive = drawn.of(&[1.0; 100]);
        let positive = positive.iter().filter(|feature| **feature > 0.0).count();
        assert!((400..600).contains(&positive), "{positive}");
    }

    /// No bias: double is double, to the bit, and the negative has what was cut off.
    #[test]
    fn the_expansion_has_no_bias() {
        let drawn = expansion(6, 30, 1).drawn().expect("small");
        let sample = [1.0, 2.0, 0.0, 4.0, 1.0, 3.0];
        let (one, two) = (drawn.of(&sample), drawn.of(&sample.map(|x| 2.0 * x)));
        assert!(one.iter().zip(&two).all(|(one, two)| 2.0 * one == *two));
        let other = drawn.of(&sample.map(|x| -x));
        assert!(
            one.iter()
                .zip(&other)
                .all(|(one, other)| (*one > 0.0) != (*other > 0.0))
        );
    }

    #[test]
    fn nothing_and_too_much_are_refused() {
        for (features, size) in [(0, 5), (5, 0)] {
            let refused = RandomExpansion::new(features, size, MasterSeed(0));
            assert_eq!(refused, Err(ClosedFormError::NoFeatures));
        }
        let refused = expansion(1 << 40, 1 << 40, 0).drawn();
        assert!(matches!(refused, Err(ClosedFormError::TooLarge(_))));
    }
}
