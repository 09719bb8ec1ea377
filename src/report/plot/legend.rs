//! What the colours and marks of a figure mean.
//!
//! In: entries and a width. Out: rows of entries, as many as needed.

use plotters::backend::DrawingBackend;
use plotters::style::RGBColor;

use super::PlotError;
use super::axes::Frame;
use super::canvas::{Align, Canvas};
use super::lines::{LineStyle, draw_key};
use super::marks::Mark;
use super::style::{QUIET, Type};

const KEY: f64 = 40.0;
const KEY_GAP: f64 = 12.0;
const ENTRY_GAP: f64 = 36.0;
const ROW: f64 = 38.0;

/// What an entry's sample looks like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Key {
    /// A line.
    Line(RGBColor),
    /// A line of dashes.
    Dashes(RGBColor),
    /// A filled box.
    Box(RGBColor),
    /// A circle.
    Ring,
    /// A short upright line.
    Tick(RGBColor),
    /// A series of points: colour, line and mark.
    Series(RGBColor, LineStyle, Option<Mark>),
}

/// The entries in rows.
#[derive(Debug, Clone)]
pub(super) struct Legend {
    rows: Vec<Vec<(Key, String, f64)>>,
}

impl Legend {
    /// Puts entries into rows of that width.
    pub fn new(entries: Vec<(Key, String)>, width: f64) -> Self {
        let mut rows: Vec<Vec<_>> = Vec::new();
        let mut left = 0.0;
        for (key, text) in entries {
            let text = Type::LABEL.shorten(&text, (width - KEY - KEY_GAP).max(0.0));
            let wide = KEY + KEY_GAP + Type::LABEL.width(&text);
            match rows.last_mut() {
                Some(row) if wide <= left => row.push((key, text, wide)),
                _ => {
                    rows.push(vec![(key, text, wide)]);
                    left = width;
                }
            }
            left -= wide + ENTRY_GAP;
        }
        Legend { rows }
    }

    /// In pixels.
    pub fn height(&self) -> f64 {
        self.rows.len() as f64 * ROW
    }

    /// Draws the rows, each in the middle.
    pub fn draw<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        middle: f64,
        top: f64,
    ) -> Result<(), PlotError> {
        for (index, row) in self.rows.iter().enumerate() {
            let gaps = ENTRY_GAP * row.len().saturating_sub(1) as f64;
            let wide = gaps + row.iter().map(|(_, _, wide)| wide).sum::<f64>();
            let y = top + (index as f64 + 0.5) * ROW;
            let mut x = middle - wide / 2.0;
            for (key, text, wide) in row {
                let (from, to) = ((x, y), (x + KEY, y));
                match *key {
                    Key::Line(colour) => canvas.line(from, to, colour, 5.0)?,
                    Key::Dashes(colour) => canvas.dashes(from, to, colour, 2.5)?,
                    Key::Box(colour) => {
                        canvas.area(Frame::new(x + 8.0, y - 12.0, x + 32.0, y + 12.0), colour)?;
                    }
                    Key::Series(colour, line, mark) => {
                        draw_key(canvas, (from, to), (colour, line, mark))?;
                    }
                    Key::Tick(colour) => {
                        let x = x + KEY / 2.0;
                        canvas.line((x, y - 11.0), (x, y + 11.0), colour, 3.5)?;
                    }
                    Key::Ring => canvas.ring((x + KEY / 2.0, y), QUIET)?,
                }
                canvas.text(text, (x + KEY + KEY_GAP, y), Align::Start, Type::LABEL)?;
                x += wide + ENTRY_GAP;
            }
        }
        Ok(())
    }
}
