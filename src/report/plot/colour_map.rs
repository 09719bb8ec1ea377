//! A colour map for quantities that span decades.
//!
//! In: energies. Out: levels of the logarithm, and for each a colour from dark violet by way of teal
//! to light yellow.

use ndarray::{Array2, ArrayView2};
use plotters::style::RGBColor;

/// Equal steps of CIELAB distance (15 each) along a curve of steadily rising lightness (from 11 to 90),
/// so that equal differences look equal, and light and dark alone tell them to those who see fewer
/// colours, and in print without any.
const COLOURS: [(u8, u8, u8); 13] = [
    (0x25, 0x06, 0x5A),
    (0x17, 0x26, 0x78),
    (0x0B, 0x3D, 0x81),
    (0x04, 0x50, 0x85),
    (0x01, 0x64, 0x89),
    (0x01, 0x7A, 0x8E),
    (0x02, 0x91, 0x93),
    (0x0B, 0xA6, 0x93),
    (0x25, 0xB9, 0x8E),
    (0x56, 0xCA, 0x85),
    (0x89, 0xD7, 0x7D),
    (0xB6, 0xE1, 0x78),
    (0xE1, 0xEB, 0x74),
];

/// How many colours are told apart: few enough that neighbouring cells of an SVG are often alike and
/// become one.
pub(super) const LEVELS: u8 = 60;

/// Which of the [`LEVELS`] a share between 0 and 1 falls on; what is no number falls on the lowest.
pub(super) fn level(share: f64) -> u8 {
    let level = share.clamp(0.0, 1.0) * f64::from(LEVELS);
    (level as u8).min(LEVELS - 1)
}

/// The colour of a level.
pub(super) fn level_colour(level: u8) -> RGBColor {
    let last = COLOURS.len() - 1;
    let share = f64::from(level.min(LEVELS - 1)) / f64::from(LEVELS - 1);
    let place = share * last as f64;
    let index = (place as usize).min(last - 1);
    let part = place - index as f64;
    let (from, to) = (COLOURS[index], COLOURS[index + 1]);
    let mix = |from: u8, to: u8| {
        let (from, to) = (f64::from(from), f64::from(to));
        (from + (to - from) * part).round() as u8
    };
    RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

/// Levels of the energies on a scale from `floor_db` to 0 decibels, relative to the largest; at most
/// so many rows and columns, each the mean of its share of the energies.
pub(super) fn levels(
    energy: ArrayView2<'_, f32>,
    most: (usize, usize),
    floor_db: f64,
) -> Array2<u8> {
    let (rows, columns) = energy.dim();
    // Whole numbers of them are put together: shares of one here and two there would show as stripes.
    let fewer = |all: usize, most: usize| all.div_ceil(all.div_ceil(most).max(1));
    let (fewer_rows, fewer_columns) = (fewer(rows, most.0), fewer(columns, most.1));
    let mean = |(row, column): (usize, usize)| {
        let (top, bottom) = share(rows, fewer_rows, row);
        let (left, right) = share(columns, fewer_columns, column);
        let cells = (top..bottom).flat_map(|row| (left..right).map(move |column| (row, column)));
        let sum: f64 = cells.map(|cell| f64::from(energy[cell])).sum();
        sum / ((bottom - top) * (right - left)) as f64
    };
    let means = Array2::from_shape_fn((fewer_rows, fewer_columns), mean);
    let finite = means.iter().copied().filter(|mean| mean.is_finite());
    let largest = finite.fold(f64::MIN_POSITIVE, f64::max);
    means.mapv(|mean| level(1.0 - 10.0 * (mean / largest).log10() / floor_db))
}

/// From where to where the `index`-th of `parts` shares of `all` goes.
fn share(all: usize, parts: usize, index: usize) -> (usize, usize) {
    (index * all / parts, (index + 1) * all / parts)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    /// Lightness L* of CIELAB.
    fn lightness(colour: RGBColor) -> f64 {
        let linear = |ink: u8| match f64::from(ink) / 255.0 {
            ink if ink <= 0.04045 => ink / 12.92,
            ink => ((ink + 0.055) / 1.055).powf(2.4),
        };
        let luminance =
            0.2126 * linear(colour.0) + 0.7152 * linear(colour.1) + 0.0722 * linear(colour.2);
        116.0 * luminance.cbrt() - 16.0
    }

    #[test]
    fn every_level_is_lighter_than_the_one_below() {
        let light: Vec<f64> = (0..LEVELS)
            .map(|level| lightness(level_colour(level)))
            .collect();
        let steps = light.windows(2).map(|pair| pair[1] - pair[0]);
        let mean = (light[light.len() - 1] - light[0]) / (light.len() - 1) as f64;
        for step in steps {
            assert!(
                (0.5 * mean..1.8 * mean).contains(&step),
                "{step}, on average {mean}"
            );
        }
        assert!(light[0] < 15.0 && light[light.len() - 1] > 85.0);
    }

    #[test]
    fn energies_are_levels_of_decibels() {
        let energy = array![[4e-3f32, 4.1e-6], [4e-9, 4e-12], [0.0, f32::NAN]];
        let levels = levels(energy.view(), (9, 9), -60.0);
        let half = LEVELS / 2;
        assert_eq!(levels, array![[LEVELS - 1, half], [0, 0], [0, 0]]);
        let silent = Array2::<f32>::zeros((2, 2));
        let silent = super::levels(silent.view(), (9, 9), -60.0);
        assert_eq!(silent, Array2::<u8>::zeros((2, 2)));
    }

    #[test]
    fn energies_are_averaged_where_there_are_too_many() {
        // Rows in pairs, columns as 2 and 3.
        let energy = Array2::from_shape_fn((4, 5), |(row, column)| match (row, column) {
            (0, 0) => 4e-3f32,
            (3, 2..) => 1.0,
            _ => 0.0,
        });
        // Means are 1e-3 and 0.5: 27 dB apart.
        let levels = levels(energy.view(), (2, 2), -60.0);
        let lower = level((60.0 - 10.0 * 500f64.log10()) / 60.0);
        assert_eq!(levels, array![[lower, 0], [0, LEVELS - 1]]);
    }

    #[test]
    fn shares_fall_on_their_levels() {
        assert_eq!(level(0.0), 0);
        assert_eq!(level(0.5), LEVELS / 2);
        assert_eq!(level(1.0), LEVELS - 1);
        for (odd, expected) in [(f64::NAN, 0), (-3.0, 0), (f64::INFINITY, LEVELS - 1)] {
            assert_eq!(level(odd), expected);
        }
    }
}
