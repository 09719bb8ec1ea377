//! Frames, scales and the numbers at axes.
//!
//! In: limits of the data and a frame in pixels. Out: places in pixels, and lines and labels drawn
//! there.

use plotters::backend::DrawingBackend;

use super::PlotError;
use super::canvas::{Align, Canvas};
use super::style::{GRID, INK, QUIET, Type};

/// From a frame to the numbers at it.
const TICK_GAP: f64 = 10.0;

/// An upright rectangle in pixels, y downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Frame {
    pub const fn new(left: f64, top: f64, right: f64, bottom: f64) -> Self {
        Frame {
            left,
            top,
            right,
            bottom,
        }
    }

    pub fn width(self) -> f64 {
        self.right - self.left
    }

    pub fn height(self) -> f64 {
        self.bottom - self.top
    }

    /// Its middle, across and down.
    pub fn centre(self) -> (f64, f64) {
        (
            (self.left + self.right) / 2.0,
            (self.top + self.bottom) / 2.0,
        )
    }
}

/// The values along an axis; `low` lies below `high` always.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// Limits that are not numbers, or the wrong way round, give an axis from `low` one upwards.
    pub fn new(low: f64, high: f64) -> Self {
        let low = if low.is_finite() { low } else { 0.0 };
        let fits = high.is_finite() && high > low && (high - low).is_finite();
        let high = if fits { high } else { low + low.abs().max(1.0) };
        Scale { low, high }
    }

    /// So many units, the first at the top of the axis: a unit's value is the negative of its number.
    pub fn units(units: usize) -> Self {
        Scale::new(0.5 - units as f64, 0.5)
    }

    /// Whether a value lies inside the limits.
    pub fn has(self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// How far along the axis a value lies, 0 to 1; what is outside or no number is put at an end.
    pub fn part(self, value: f64) -> f64 {
        let part = (value - self.low) / (self.high - self.low);
        if part.is_nan() {
            0.0
        } else {
            part.clamp(0.0, 1.0)
        }
    }

    /// Round numbers inside the limits, at most so many, whole ones only if asked for.
    pub fn ticks(self, most: usize, whole: bool) -> Vec<Tick> {
        let step = self.step(most, whole);
        let first = (self.low / step - 1e-9).ceil();
        // A few more than asked for at most, by rounding.
        let numbers = (0..most + 2).map(|index| (first + index as f64) * step);
        let inside = numbers.filter(|value| *value <= self.high + step * 1e-9);
        inside.map(|value| Tick::new(value, step)).collect()
    }

    /// 1, 2 or 5 times a power of ten.
    fn step(self, most: usize, whole: bool) -> f64 {
        let rough = (self.high - self.low) / most.max(1) as f64;
        let power = 10f64.powf(rough.log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
        let step = steps.into_iter().find(|step| *step >= rough * (1.0 - 1e-9));
        let step = step.unwrap_or(10.0 * power);
        let step = if whole { step.max(1.0) } else { step };
        // Limits so close or so far apart that powers run out.
        if step.is_normal() {
            step
        } else {
            self.high - self.low
        }
    }
}

/// A number at an axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub value: f64,
    pub label: String,
}

impl Tick {
    fn new(value: f64, step: f64) -> Self {
        let decimals = (-step.log10().floor()).clamp(0.0, 6.0) as usize;
        let small = step >= 1e-4 && value.abs() < 1e6;
        let exponent = || short_exponent(&format!("{value:.2e}"));
        let label = match value {
            0.0 => "0".to_string(),
            value if small => format!("{value:.decimals$}"),
            _ => exponent(),
        };
        // Rounding must not leave a row of digits in an axis label.
        let label = match label.len() {
            0..=9 => label,
            _ => exponent(),
        };
        Tick { value, label }
    }
}

/// Logarithms of round numbers between limits, at most so many: 1, 2 and 5 times powers of ten, or powers alone
/// where these would be many.
pub(super) fn logarithmic_ticks((low, high): (f64, f64), most: usize) -> Vec<Tick> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    if high < 6.0 * low {
        // Too few of those below would lie inside.
        let numbers = Scale::new(low, high).ticks(4, false).into_iter();
        let ticks = numbers.map(|tick| Tick {
            value: tick.value.log10(),
            ..tick
        });
        return ticks.collect();
    }
    let inside = |factors: &'static [f64]| {
        let numbers = (first..=last)
            .flat_map(move |power| factors.iter().map(move |factor| (*factor, power)));
        let numbers = numbers.map(|(factor, power)| factor * 10f64.powi(power));
        let numbers = numbers.filter(|number| (low..=high).contains(number));
        numbers.collect::<Vec<f64>>()
    };
    let mut numbers = match last - first {
        ..=3 => inside(&[1.0, 2.0, 5.0]),
        _ => inside(&[1.0]),
    };
    if numbers.len() > most {
        numbers = inside(&[1.0]);
    }
    // Where powers alone are too many, every second, third and so on.
    let every = numbers.len().div_ceil(most.max(1)).max(1);
    let ticks = numbers.into_iter().step_by(every).map(|number| Tick {
        value: number.log10(),
        label: match number {
            tiny if tiny < 0.01 => format!("{tiny:.0e}"),
            small if small < 1.0 => format!("{small:.2}"),
            large if large < 1e6 => format!("{large:.0}"),
            huge => format!("{huge:.0e}"),
        },
    });
    ticks.collect()
}

/// A number such as `1.50e-9` without the zeros that say nothing.
fn short_exponent(number: &str) -> String {
    match number.split_once('e') {
        Some((digits, exponent)) => {
            let digits = digits.trim_end_matches('0').trim_end_matches('.');
            format!("{digits}e{exponent}")
        }
        None => number.to_string(),
    }
}

/// A frame with its scales.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axes {
    pub frame: Frame,
    pub x: Scale,
    pub y: Scale,
}

impl Axes {
    /// The place of a point.
    pub fn place(&self, x: f64, y: f64) -> (f64, f64) {
        (self.x_place(x), self.y_place(y))
    }

    pub fn x_place(&self, value: f64) -> f64 {
        self.frame.left + self.x.part(value) * self.frame.width()
    }

    pub fn y_place(&self, value: f64) -> f64 {
        self.frame.bottom - self.y.part(value) * self.frame.height()
    }

    /// Round numbers along the x axis, so few that their labels stay apart.
    pub fn x_ticks(&self, whole: bool) -> Vec<Tick> {
        let mut most = (self.frame.width() / 42.0).clamp(1.0, 11.0) as usize;
        loop {
            let ticks = self.x.ticks(most, whole);
            let widths = ticks.iter().map(|tick| Type::TICK.width(&tick.label));
            let needed: f64 = widths.map(|width| width + 22.0).sum();
            if needed <= self.frame.width() || most <= 1 {
                return ticks;
            }
            most -= 1;
        }
    }

    /// Round numbers along the y axis.
    pub fn y_ticks(&self, whole: bool) -> Vec<Tick> {
        let most = (self.frame.height() / 45.0).clamp(1.0, 11.0) as usize;
        self.y.ticks(most, whole)
    }

    /// Round numbers of units along a y axis of [`Scale::units`].
    pub fn unit_ticks(&self) -> Vec<Tick> {
        let upwards = Scale::new(-self.y.high, -self.y.low);
        let mut ticks = Axes {
            y: upwards,
            ..*self
        }
        .y_ticks(true);
        for tick in &mut ticks {
            tick.value = -tick.value;
        }
        ticks
    }

    /// Thin lines behind the data.
    pub fn grid<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        x_ticks: &[Tick],
        y_ticks: &[Tick],
    ) -> Result<(), PlotError> {
        let Frame {
            left,
            top,
            right,
            bottom,
        } = self.frame;
        for tick in x_ticks {
            let x = self.x_place(tick.value);
            canvas.line((x, top), (x, bottom), GRID, 1.5)?;
        }
        for tick in y_ticks {
            let y = self.y_place(tick.value);
            canvas.line((left, y), (right, y), GRID, 1.5)?;
        }
        Ok(())
    }

    /// The lines at the left and at the bottom.
    pub fn edges<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        let Frame {
            left,
            top,
            right,
            bottom,
        } = self.frame;
        canvas.line((left, top), (left, bottom), INK, 2.0)?;
        canvas.line((left - 1.0, bottom), (right, bottom), INK, 2.0)
    }

    /// Numbers below the frame, and what they count.
    pub fn x_labels<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        ticks: &[Tick],
        name: &str,
    ) -> Result<(), PlotError> {
        let bottom = self.frame.bottom;
        for tick in ticks {
            let x = self.x_place(tick.value);
            canvas.line((x, bottom), (x, bottom + 6.0), INK, 2.0)?;
            let below = bottom + TICK_GAP + 12.0;
            canvas.text(&tick.label, (x, below), Align::Middle, Type::TICK)?;
        }
        let middle = self.frame.centre().0;
        let below = bottom + TICK_GAP + 48.0;
        canvas.text(name, (middle, below), Align::Middle, Type::LABEL)
    }

    /// Numbers left of the frame.
    pub fn y_labels<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        ticks: &[Tick],
    ) -> Result<(), PlotError> {
        let left = self.frame.left;
        for tick in ticks {
            let y = self.y_place(tick.value);
            canvas.line((left - 6.0, y), (left, y), INK, 2.0)?;
            canvas.text(
                &tick.label,
                (left - TICK_GAP - 2.0, y),
                Align::End,
                Type::TICK,
            )?;
        }
        Ok(())
    }

    /// What the y axis shows, from bottom to top, so far left of the frame; a second line is quiet.
    pub fn y_name<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        lines: &[(String, Type)],
        away: f64,
    ) -> Result<(), PlotError> {
        let middle = self.frame.centre().1;
        let mut x = self.frame.left - away;
        for (line, kind) in lines {
            canvas.upright_text(line, (x, middle), Align::Middle, *kind)?;
            x += kind.line();
        }
        Ok(())
    }

    /// A remark in the middle of an empty frame.
    pub fn remark<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        text: &str,
    ) -> Result<(), PlotError> {
        let kind = Type::TICK.coloured(QUIET);
        canvas.text(text, self.frame.centre(), Align::Middle, kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale, most: usize, whole: bool) -> Vec<String> {
        let ticks = scale.ticks(most, whole);
        ticks.into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn ticks_are_round() {
        let percent = Scale::new(0.0, 100.0);
        assert_eq!(
            labels(percent, 5, false),
            ["0", "20", "40", "60", "80", "100"]
        );
        assert_eq!(labels(Scale::new(0.5, 3.5), 9, true), ["1", "2", "3"]);
        assert_eq!(
            labels(Scale::new(0.0, 0.3), 3, false),
            ["0", "0.1", "0.2", "0.3"]
        );
    }

    #[test]
    fn no_limits_make_ticks_panic_or_run_away() {
        let odd = [f64::NAN, f64::INFINITY, -1e308, 0.0, 1e-320, 5e-9, 1e308];
        for low in odd {
            for high in odd {
                let ticks = Scale::new(low, high).ticks(8, false);
                assert!(ticks.len() <= 10);
                assert!(ticks.iter().all(|tick| tick.label.len() < 12), "{ticks:?}");
                assert!((0.0..=1.0).contains(&Scale::new(low, high).part(high)));
            }
        }
    }
}
