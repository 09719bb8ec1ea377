use ndarray::{ArrayViewMut2, ArrayViewMutD};
use ndarray_rand::rand_distr::{Distribution, Normal, StandardNormal};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// How weights are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct InitSettings {
    /// How wide they are spread, times √fan-in: the standard deviation, or the bound of an even spread.
    pub weight_scale: f32,
    /// How they are spread.
    pub spread: Spread,
    /// What recurrent weights are at the beginning.
    pub recurrent: RecurrentStart,
    /// What recurrent weights are multiplied with once they are drawn.
    pub recurrent_scale: f32,
}

/// How weights are spread around 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Spread {
    /// N(0, weight_scale / √fan-in).
    #[default]
    Normal,
    /// Evenly, up to ±weight_scale / √fan-in.
    Even,
}

/// What recurrent weights are at the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum RecurrentStart {
    /// Drawn like all others.
    #[default]
    Drawn,
    /// An orthogonal matrix, evenly drawn from all of them (Saxe et al. 2014): what comes back neither grows nor fades.
    Orthogonal,
}

impl InitSettings {
    /// Weights with that standard deviation times √fan-in.
    pub fn new(weight_scale: f32) -> Self {
        InitSettings {
            weight_scale,
            spread: Spread::Normal,
            recurrent: RecurrentStart::Drawn,
            recurrent_scale: 1.0,
        }
    }

    /// Weights spread evenly up to that bound times 1/√fan-in.
    pub fn even(bound: f32) -> Self {
        InitSettings {
            spread: Spread::Even,
            ..Self::new(bound)
        }
    }

    /// The same with orthogonal recurrent weights.
    #[must_use]
    pub fn with_orthogonal_recurrence(mut self) -> Self {
        self.recurrent = RecurrentStart::Orthogonal;
        self
    }

    /// The same with recurrent weights multiplied by that.
    #[must_use]
    pub fn with_recurrent_scale(mut self, scale: f32) -> Self {
        self.recurrent_scale = scale;
        self
    }

    /// Draws a matrix of weights, fan-in × fan-out; the settings are checked.
    pub(super) fn draw(
        &self,
        mut weight: ArrayViewMutD<'_, f32>,
        is_recurrent: bool,
        generator: &mut ChaCha8Rng,
    ) {
        if is_recurrent && self.recurrent == RecurrentStart::Orthogonal {
            let matrix = weight.view_mut().into_dimensionality();
            draw_orthogonal(matrix.expect("a weight is a matrix"), generator);
        } else {
            let width = self.weight_scale / (weight.shape()[0] as f32).sqrt();
            let normal = Normal::new(0.0, width).expect("a checked scale is finite and above 0");
            weight.mapv_inplace(|_| match self.spread {
                Spread::Normal => normal.sample(generator),
                Spread::Even => generator.random_range(-width..=width),
            });
        }
        if is_recurrent && self.recurrent_scale != 1.0 {
            weight.mapv_inplace(|weight| weight * self.recurrent_scale);
        }
    }
}

impl Default for InitSettings {
    /// As the reference network draws them: N(0, 0.2 / √fan-in).
    fn default() -> Self {
        Self::new(0.2)
    }
}

/// Rows that are normal and made orthonormal one after the other: evenly drawn from all orthogonal matrices.
fn draw_orthogonal(mut matrix: ArrayViewMut2<'_, f32>, generator: &mut ChaCha8Rng) {
    let units = matrix.ncols();
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(matrix.nrows());
    while rows.len() < matrix.nrows() {
        let mut row: Vec<f64> = (0..units)
            .map(|_| StandardNormal.sample(generator))
            .collect();
        // Twice: what rounding left of the others after the first time goes the second time.
        for _ in 0..2 {
            for other in &rows {
                let along: f64 = row.iter().zip(other).map(|(one, other)| one * other).sum();
                row.iter_mut()
                    .zip(other)
                    .for_each(|(one, other)| *one -= along * other);
            }
        }
        let length = row.iter().map(|value| value * value).sum::<f64>().sqrt();
        // One that lies within the others is drawn anew; that happens to nobody.
        if length > 1e-6 {
            row.iter_mut().for_each(|value| *value /= length);
            rows.push(row);
        }
    }
    for (mut target, row) in matrix.rows_mut().into_iter().zip(&rows) {
        target
            .iter_mut()
            .zip(row)
            .for_each(|(slot, &value)| *slot = value as f32);
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::random::{MasterSeed, Purpose};

    fn drawn(init: InitSettings, units: usize, is_recurrent: bool) -> Array2<f32> {
        let mut weight = Array2::zeros((units, units));
        let mut generator = MasterSeed(3).stream(Purpose::Weights);
        init.draw(weight.view_mut().into_dyn(), is_recurrent, &mut generator);
        weight
    }

    #[test]
    fn orthogonal_weights_keep_lengths() {
        let init = InitSettings::even(1.0).with_orthogonal_recurrence();
        let weight = drawn(init.with_recurrent_scale(0.5), 40, true);
        let product = weight.dot(&weight.t());
        for ((row, column), &value) in product.indexed_iter() {
            let expected = if row == column { 0.25 } else { 0.0 };
            assert!((value - expected).abs() < 1e-6, "{row} {column} {value}");
        }
        assert_eq!(drawn(init, 1, true)[[0, 0]].abs(), 1.0);
        // Others are not.
        assert!(drawn(init, 40, false).dot(&weight.t())[[0, 0]].abs() > 0.0);
    }

    #[test]
    fn an_even_spread_fills_its_bounds() {
        let weight = drawn(InitSettings::even(2.0), 64, false);
        let bound = 2.0 / 8.0;
        assert!(weight.iter().all(|weight| weight.abs() <= bound));
        let variance = weight.mapv(|weight| weight * weight).mean().expect("some");
        assert!((variance - bound * bound / 3.0).abs() < 0.05 * bound * bound);
    }
}
