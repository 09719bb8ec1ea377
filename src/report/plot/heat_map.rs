//! What all heat maps have: colours of percentages, a bar that explains them, an outline, names of rows
//! and columns.

use plotters::backend::DrawingBackend;
use plotters::style::RGBColor;

use super::PlotError;
use super::axes::{Axes, Frame};
use super::canvas::{Align, Canvas};
use super::style::{INK, TICK_SIZE, Type};

/// Names are shortened to this width.
pub(super) const WIDEST_NAME: f64 = 230.0;
/// How wide the bar with the colours is.
pub(super) const BAR_WIDTH: f64 = 34.0;
/// Cells that have no value.
pub(super) const NOTHING: RGBColor = RGBColor(0xE4, 0xE4, 0xE4);
/// Between cells.
const BORDER: RGBColor = RGBColor(0xB4, 0xBC, 0xC4);
/// From 0 to 100 %: one hue, so that light and dark alone say it.
const COLOURS: [(u8, u8, u8); 6] = [
    (0xFA, 0xFC, 0xFE),
    (0xCF, 0xE2, 0xF2),
    (0x93, 0xC1, 0xE0),
    (0x4B, 0x93, 0xC6),
    (0x17, 0x63, 0xA3),
    (0x06, 0x2F, 0x66),
];

/// How wide the names of rows are, and how high those of columns stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    /// Of the widest name of a row.
    pub width: f64,
    /// Of the names of columns.
    pub height: f64,
    /// Whether the names of columns fit side by side; else they stand upright.
    pub level: bool,
}

impl Names {
    /// Left of a map: the name of the axis and the names of rows.
    pub fn left(self) -> f64 {
        66.0 + self.width + 16.0
    }

    /// Below a map: the names of columns and the name of the axis.
    pub fn below(self) -> f64 {
        16.0 + self.height + 62.0
    }

    /// Draws the name of a row at its height.
    pub fn draw_row<B: DrawingBackend>(
        self,
        canvas: &mut Canvas<'_, B>,
        frame: Frame,
        y: f64,
        (name, kind): (&str, Type),
    ) -> Result<(), PlotError> {
        canvas.line((frame.left - 6.0, y), (frame.left, y), INK, 2.0)?;
        canvas.text(name, (frame.left - 14.0, y), Align::End, kind)
    }

    /// Draws the name of a column below it.
    pub fn draw_column<B: DrawingBackend>(
        self,
        canvas: &mut Canvas<'_, B>,
        frame: Frame,
        x: f64,
        (name, kind): (&str, Type),
    ) -> Result<(), PlotError> {
        canvas.line((x, frame.bottom), (x, frame.bottom + 6.0), INK, 2.0)?;
        if self.level {
            let below = frame.bottom + 16.0 + TICK_SIZE / 2.0;
            canvas.text(name, (x, below), Align::Middle, kind)
        } else {
            canvas.upright_text(name, (x, frame.bottom + 14.0), Align::End, kind)
        }
    }

    /// Draws what rows and columns are.
    pub fn draw_axes<B: DrawingBackend>(
        self,
        canvas: &mut Canvas<'_, B>,
        frame: Frame,
        (rows, columns): (&str, &str),
    ) -> Result<(), PlotError> {
        let (x, y) = frame.centre();
        let left = (frame.left - self.width - 46.0, y);
        canvas.upright_text(rows, left, Align::Middle, Type::LABEL)?;
        let below = (x, frame.bottom + 16.0 + self.height + 30.0);
        canvas.text(columns, below, Align::Middle, Type::LABEL)
    }
}

/// The colour of a share between 0 and 1.
pub(super) fn colour(share: f64) -> RGBColor {
    let last = COLOURS.len() - 1;
    let place = share.clamp(0.0, 1.0) * last as f64;
    let index = (place as usize).min(last - 1);
    let part = place - index as f64;
    let (from, to) = (COLOURS[index], COLOURS[index + 1]);
    let mix = |from: u8, to: u8| (f64::from(from) + (f64::from(to) - f64::from(from)) * part) as u8;
    RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

/// Thin lines between the cells of a frame, so that pale ones can be told apart.
pub(super) fn borders<B: DrawingBackend>(
    canvas: &mut Canvas<'_, B>,
    frame: Frame,
    (rows, columns): (usize, usize),
) -> Result<(), PlotError> {
    for row in 1..rows {
        let y = frame.top + frame.height() * row as f64 / rows as f64;
        canvas.line((frame.left, y), (frame.right, y), BORDER, 1.0)?;
    }
    for column in 1..columns {
        let x = frame.left + frame.width() * column as f64 / columns as f64;
        canvas.line((x, frame.top), (x, frame.bottom), BORDER, 1.0)?;
    }
    Ok(())
}

/// Lines along all four sides of a frame.
pub(super) fn outline<B: DrawingBackend>(
    canvas: &mut Canvas<'_, B>,
    frame: Frame,
) -> Result<(), PlotError> {
    let Frame {
        left,
        top,
        right,
        bottom,
    } = frame;
    for (from, to) in [
        ((left, top), (right, top)),
        ((left, bottom), (right, bottom)),
        ((left, top), (left, bottom)),
        ((right, top), (right, bottom)),
    ] {
        canvas.line(from, to, INK, 2.0)?;
    }
    Ok(())
}

/// A bar with the colours from nothing at its lower end to all at its upper one, the numbers beside it and what they are.
pub(super) fn draw_bar<B: DrawingBackend>(
    canvas: &mut Canvas<'_, B>,
    bar: &Axes,
    name: &str,
) -> Result<(), PlotError> {
    const BANDS: usize = 100;
    let frame = bar.frame;
    // Each band goes on below the next, so that no seams show between them.
    for band in (0..BANDS).rev() {
        let top = frame.bottom - frame.height() * (band as f64 + 1.0) / BANDS as f64;
        let share = (band as f64 + 0.5) / BANDS as f64;
        canvas.area(
            Frame::new(frame.left, top, frame.right, frame.bottom),
            colour(share),
        )?;
    }
    outline(canvas, frame)?;
    for tick in bar.y.ticks(5, false) {
        let y = bar.y_place(tick.value);
        canvas.line((frame.right, y), (frame.right + 6.0, y), INK, 2.0)?;
        let right = (frame.right + 12.0, y);
        canvas.text(&tick.label, right, Align::Start, Type::TICK)?;
    }
    let right = (frame.right + 90.0, frame.centre().1);
    canvas.upright_text(name, right, Align::Middle, Type::LABEL)
}
