//! Colours, type, and how wide a text is.
//!
//! In: texts of any length. Out: lines that fit a width given in pixels.

use std::sync::OnceLock;

use plotters::style::{FontDesc, FontFamily, FontStyle, RGBColor, register_font};

use super::PlotError;
use crate::storage::shown;

/// Text and frames.
pub(super) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// Text that says less.
pub(super) const QUIET: RGBColor = RGBColor(0x66, 0x66, 0x66);
/// Lines behind the data.
pub(super) const GRID: RGBColor = RGBColor(0xDD, 0xDD, 0xDD);
/// Paper.
pub(super) const PAPER: RGBColor = RGBColor(0xFF, 0xFF, 0xFF);

// Okabe & Ito 2008: told apart by people who see fewer colours, too.
/// Old samples.
pub(super) const OLD: RGBColor = RGBColor(0x00, 0x72, 0xB2);
/// New samples.
pub(super) const NEW: RGBColor = RGBColor(0xD5, 0x5E, 0x00);
/// Samples of classes that are still to be learned.
pub(super) const TO_COME: RGBColor = RGBColor(0xE6, 0x9F, 0x00);
/// All samples.
pub(super) const ALL: RGBColor = RGBColor(0x33, 0x33, 0x33);
/// Test samples of plain training.
pub(super) const TEST: RGBColor = RGBColor(0x00, 0x9E, 0x73);
/// Training samples.
pub(super) const TRAIN: RGBColor = RGBColor(0x99, 0x99, 0x99);

/// Layers, one after the other.
const LAYERS: [RGBColor; 6] = [
    RGBColor(0x33, 0x33, 0x33),
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0xE6, 0x9F, 0x00),
];

/// Type size of numbers at axes, in pixels.
pub(super) const TICK_SIZE: f64 = 24.0;
/// Type size of axis labels and legends.
pub(super) const LABEL_SIZE: f64 = 27.0;
/// Type size of titles.
pub(super) const TITLE_SIZE: f64 = 31.0;
/// From one line of text to the next, in type sizes.
pub(super) const LINE: f64 = 1.15;

/// The colour of the layer of that index.
pub(super) fn layer_colour(index: usize) -> RGBColor {
    LAYERS[index % LAYERS.len()]
}

/// Series of a figure: Okabe & Ito 2008 without yellow, grey, and darker ones after Paul Tol.
const SERIES: [RGBColor; 12] = [
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x56, 0xB4, 0xE9),
    RGBColor(0x33, 0x33, 0x33),
    RGBColor(0x88, 0x88, 0x88),
    RGBColor(0x88, 0x22, 0x55),
    RGBColor(0x7A, 0x7A, 0x1E),
    RGBColor(0x8C, 0x56, 0x4B),
    RGBColor(0x33, 0x22, 0x88),
];

/// The colour of the series of that index.
pub(super) fn series_colour(index: usize) -> RGBColor {
    SERIES[index % SERIES.len()]
}

/// A lighter shade.
pub(super) fn tint(colour: RGBColor) -> RGBColor {
    let lighter = |ink: u8| (0.75 * f64::from(ink) + 0.25 * 255.0) as u8;
    RGBColor(lighter(colour.0), lighter(colour.1), lighter(colour.2))
}

/// How a text is set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Type {
    pub size: f64,
    pub bold: bool,
    pub colour: RGBColor,
}

impl Type {
    /// Numbers at axes.
    pub const TICK: Type = Type::new(TICK_SIZE, INK);
    /// Axis labels and legends.
    pub const LABEL: Type = Type::new(LABEL_SIZE, INK);
    /// Titles.
    pub const TITLE: Type = Type::new(TITLE_SIZE, INK).bold();
    /// What stands below a title.
    pub const REMARK: Type = Type::new(TICK_SIZE, QUIET);

    pub const fn new(size: f64, colour: RGBColor) -> Self {
        Type {
            size,
            bold: false,
            colour,
        }
    }

    pub const fn bold(self) -> Self {
        Type { bold: true, ..self }
    }

    pub const fn coloured(self, colour: RGBColor) -> Self {
        Type { colour, ..self }
    }

    /// From one line of text to the next, in pixels.
    pub fn line(self) -> f64 {
        self.size * LINE
    }

    /// The font, for a canvas `zoom` times as large.
    pub fn font(self, zoom: f64) -> FontDesc<'static> {
        let style = match self.bold {
            true => FontStyle::Bold,
            false => FontStyle::Normal,
        };
        FontDesc::new(FontFamily::SansSerif, self.size * zoom, style)
    }

    /// How wide a text comes out, in pixels.
    pub fn width(self, text: &str) -> f64 {
        let text = printable(text);
        match self.font(1.0).layout_box(&text) {
            Ok(((left, _), (right, _))) => f64::from(right - left) + 1.0,
            // Only without a font, and then nothing is drawn.
            Err(_) => 0.0,
        }
    }

    /// The text, its end left out if it is wider than that.
    pub fn shorten(self, text: &str, width: f64) -> String {
        if self.width(text) <= width {
            return text.to_string();
        }
        let mut kept: Vec<char> = text.chars().collect();
        while kept.pop().is_some() {
            let shorter = kept.iter().collect::<String>();
            let shorter = format!("{}…", shorter.trim_end());
            if self.width(&shorter) <= width {
                return shorter;
            }
        }
        String::new()
    }

    /// The text on lines no wider than that, the last one shortened if there are too many.
    pub fn wrap(self, text: &str, width: f64, most_lines: usize) -> Vec<String> {
        let mut lines = vec![String::new()];
        for piece in pieces(text) {
            // At least one line is there always.
            let last = lines.len() - 1;
            let longer = format!("{}{piece}", lines[last]);
            let full = self.width(longer.trim_end()) > width && !lines[last].trim().is_empty();
            if full && lines.len() < most_lines {
                lines.push(piece.to_string());
            } else {
                lines[last] = longer;
            }
        }
        let lines = lines.iter();
        lines.map(|line| self.shorten(line.trim(), width)).collect()
    }
}

/// Cuts a text where a line may end: after spaces, dashes, underscores, slashes and commas.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive([' ', '-', '_', '/', ','])
}

/// A text as it is set: what is not allowed in an SVG, or does something else than stand where it is, is
/// escaped.
pub(super) fn printable(text: &str) -> String {
    let text = shown(text);
    text.replace('\u{FFFE}', "\\u{fffe}")
        .replace('\u{FFFF}', "\\u{ffff}")
}

/// Makes the fonts known to plotters, once.
pub(super) fn register_fonts() -> Result<(), PlotError> {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    let register = |style, bytes| register_font("sans-serif", style, bytes).is_ok();
    let registered = REGISTERED.get_or_init(|| {
        register(FontStyle::Normal, dejavu::sans::regular())
            && register(FontStyle::Bold, dejavu::sans::bold())
    });
    match registered {
        true => Ok(()),
        false => Err(PlotError::Drawing("the font could not be read".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_their_width() {
        register_fonts().expect("DejaVu Sans is a font");
        let text = "latent replay, LR 2, or:10, 44.0 kB a-very-long-word-without-any-end-or-space";
        for width in [0.0, 5.0, 60.0, 200.0, 1e6] {
            for most_lines in [1, 3, 9] {
                let lines = Type::TICK.wrap(text, width, most_lines);
                assert!(lines.len() <= most_lines);
                assert!(
                    lines
                        .iter()
                        .all(|line| Type::TICK.width(line) <= width.max(1.0))
                );
            }
        }
        assert_eq!(Type::TICK.wrap("one line", 1e6, 2), ["one line"]);
        assert_eq!(Type::TICK.wrap("", 10.0, 2), [""]);
    }
}
