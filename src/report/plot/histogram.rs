//! How numbers are spread.
//!
//! In: numbers and the limits of an axis. Out: which share of them falls into each of its bins, as bars or as
//! an outline.

use plotters::backend::DrawingBackend;
use plotters::style::RGBColor;

use super::PlotError;
use super::axes::{Axes, Frame, Tick};
use super::canvas::Canvas;
use super::style::Type;

/// Bins of an axis.
pub(super) const BINS: usize = 24;
/// Labels reach no further beyond their frame.
const MOST_BEYOND: f64 = 18.0;

/// The share of the numbers in each of [`BINS`] bins from `low` to `high`, in percent of `of`; both ends count.
pub(super) fn shares(values: &[f64], (low, high): (f64, f64), of: usize) -> Vec<f64> {
    let mut shares = vec![0.0; BINS];
    for &value in values {
        let place = (value - low) / (high - low) * BINS as f64;
        if (0.0..=BINS as f64).contains(&place) {
            shares[(place as usize).min(BINS - 1)] += 1e2 / of.max(1) as f64;
        }
    }
    shares
}

/// Where bin `bin` of an axis begins.
fn edge((low, high): (f64, f64), bin: usize) -> f64 {
    low + (high - low) * bin as f64 / BINS as f64
}

/// Filled bars, each from the share that is there already upwards.
pub(super) fn bars<B: DrawingBackend>(
    canvas: &mut Canvas<'_, B>,
    axes: &Axes,
    limits: (f64, f64),
    (shares, colour): (&[f64], RGBColor),
    below: impl Fn(usize) -> f64,
) -> Result<(), PlotError> {
    for (bin, share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
        let (left, right) = (edge(limits, bin), edge(limits, bin + 1));
        let (top, bottom) = (axes.y_place(below(bin) + share), axes.y_place(below(bin)));
        // A thin gap tells neighbours apart.
        let bar = Frame::new(
            axes.x_place(left) + 1.0,
            top,
            axes.x_place(right) - 1.0,
            bottom,
        );
        canvas.area(bar, colour)?;
    }
    Ok(())
}

/// The outline of bars.
pub(super) fn outline<B: DrawingBackend>(
    canvas: &mut Canvas<'_, B>,
    axes: &Axes,
    limits: (f64, f64),
    (shares, colour): (&[f64], RGBColor),
) -> Result<(), PlotError> {
    let mut points = vec![axes.place(edge(limits, 0), 0.0)];
    for (bin, &share) in shares.iter().enumerate() {
        points.push(axes.place(edge(limits, bin), share));
        points.push(axes.place(edge(limits, bin + 1), share));
    }
    points.push(axes.place(edge(limits, BINS), 0.0));
    canvas.path(&points, colour, 3.5)
}

/// Round numbers along the x axis whose labels do not reach into the next panel.
pub(super) fn ticks_within(axes: &Axes) -> Vec<Tick> {
    let Frame { left, right, .. } = axes.frame;
    let fits = |tick: &Tick| {
        let (x, half) = (
            axes.x_place(tick.value),
            Type::TICK.width(&tick.label) / 2.0,
        );
        x - half >= left - MOST_BEYOND && x + half <= right + MOST_BEYOND
    };
    let ticks = axes.x_ticks(false).into_iter();
    ticks.filter(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_within_the_limits_is_counted_once() {
        let shares = shares(
            &[0.0, 0.5, 0.99, 1.0, 12.0, 24.0, 25.0, f64::NAN],
            (0.0, 24.0),
            8,
        );
        assert_eq!(shares.iter().sum::<f64>(), 6.0 * 12.5);
        assert_eq!(
            (shares[0], shares[1], shares[12], shares[23]),
            (37.5, 12.5, 12.5, 12.5)
        );
    }
}
