//! What figures are drawn on.
//!
//! In: lines, areas and texts in pixels, as fractions if need be. Out: a PNG or SVG file that is
//! either whole or not there.

use std::path::{Path, PathBuf};

use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontTransform, RGBColor, ShapeStyle};

use super::PlotError;
use super::axes::Frame;
use super::marks::{Mark, OUTLINE, SQUARE, corners};
use super::style::{PAPER, Type, printable, register_fonts};
use crate::storage::write_whole;

/// Figures above this many pixels are drawn without smoothing, to spare memory.
const MOST_SMOOTH: f64 = 8e6;
/// Figures above this many pixels are not drawn at all.
const MOST_PIXELS: f64 = 6e7;

/// A figure that knows how large it is.
pub(super) trait Figure {
    /// Width and height in pixels.
    fn size(&self) -> (f64, f64);

    /// Draws it.
    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError>;
}

/// Where a text stands relative to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Png,
    Svg,
}

/// A file that a figure goes to.
#[derive(Debug)]
pub(super) struct Target {
    path: PathBuf,
    format: Format,
}

impl Target {
    /// Reads the format off the file's name.
    pub fn new(path: &Path) -> Result<Self, PlotError> {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        let format = match extension.to_str() {
            Some("png") => Format::Png,
            Some("svg") => Format::Svg,
            _ => return Err(PlotError::UnknownFormat(path.to_path_buf())),
        };
        register_fonts()?;
        Ok(Target {
            path: path.to_path_buf(),
            format,
        })
    }

    /// Draws the figure and writes it.
    pub fn write(&self, figure: &impl Figure) -> Result<(), PlotError> {
        let (width, height) = figure.size();
        let (width, height) = (width.ceil().max(1.0), height.ceil().max(1.0));
        if width * height > MOST_PIXELS {
            let reason = format!("it would be {width} × {height} pixels; show less at once");
            return Err(PlotError::Drawing(reason));
        }
        let size = (width as u32, height as u32);
        let zoom = if width * height <= MOST_SMOOTH { 2 } else { 1 };
        let bytes = match self.format {
            Format::Png => self.png(figure, size, zoom)?,
            Format::Svg => svg(figure, size)?,
        };
        write_whole(&self.path, &bytes).map_err(|error| self.cannot_write(error))
    }

    /// The figure as the bytes of a PNG file.
    fn png(&self, figure: &impl Figure, size: (u32, u32), zoom: u32) -> Result<Vec<u8>, PlotError> {
        let large = (size.0 * zoom, size.1 * zoom);
        let mut pixels = vec![0xFF; large.0 as usize * large.1 as usize * 3];
        {
            let mut backend = BitMapBackend::with_buffer(&mut pixels, large);
            figure.draw(&mut Canvas::new(
                &mut backend,
                f64::from(zoom),
                BITMAP_BASELINE,
            )?)?;
        }
        let pixels = average_down(pixels, large, zoom as usize);
        png_of(&pixels, size).map_err(failed)
    }

    fn cannot_write(&self, source: std::io::Error) -> PlotError {
        PlotError::CannotWrite {
            path: self.path.clone(),
            source,
        }
    }
}

/// Pixels of three bytes as a PNG file.
fn png_of(pixels: &[u8], (width, height): (u32, u32)) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

/// The figure as the bytes of an SVG file.
fn svg(figure: &impl Figure, (width, height): (u32, u32)) -> Result<Vec<u8>, PlotError> {
    // Backends take whole numbers: a finer grid inside, the intended size outside.
    let zoom = 4;
    let fine = (width * zoom, height * zoom);
    let mut text = String::new();
    {
        let mut backend = SVGBackend::with_string(&mut text, fine);
        figure.draw(&mut Canvas::new(
            &mut backend,
            f64::from(zoom),
            SVG_BASELINE,
        )?)?;
        backend.present().map_err(failed)?;
    }
    let size_of = |(width, height)| format!("width=\"{width}\" height=\"{height}\"");
    let text = text.replacen(&size_of(fine), &size_of((width, height)), 1);
    // What is so anyway need not be said of each of many thousand marks.
    let text = text.replace(" opacity=\"1\" fill=", " fill=");
    let text = text.replace(" stroke=\"none\"/>", "/>");
    Ok(text.into_bytes())
}

/// Averages squares of `zoom` × `zoom` pixels.
fn average_down(pixels: Vec<u8>, (width, height): (u32, u32), zoom: usize) -> Vec<u8> {
    if zoom == 1 {
        return pixels;
    }
    let row = width as usize * 3;
    let (columns, rows) = (width as usize / zoom, height as usize / zoom);
    let mut smooth = Vec::with_capacity(columns * rows * 3);
    for block in pixels.chunks_exact(row * zoom).take(rows) {
        for column in 0..columns {
            for channel in 0..3 {
                let mut sum = 0;
                for line in block.chunks_exact(row) {
                    for x in 0..zoom {
                        sum += usize::from(line[(column * zoom + x) * 3 + channel]);
                    }
                }
                smooth.push((sum / (zoom * zoom)) as u8);
            }
        }
    }
    smooth
}

fn failed(error: impl std::fmt::Display) -> PlotError {
    PlotError::Drawing(error.to_string())
}

// Where plotters puts the baseline of a text that is anchored at its top, in type sizes below it:
// its bitmaps have it half a type size down whatever the font, its SVG 0.76 em.
const BITMAP_BASELINE: f64 = 0.5;
const SVG_BASELINE: f64 = 0.76 / 1.24;
/// Lengths of the usual dashes and gaps.
pub(super) const DASHES: (f64, f64) = (10.0, 7.0);
/// How far the white around a mark goes, so that it can be told from another below it.
const HALO: f64 = 1.8;
/// Half the height of capitals in DejaVu Sans, in type sizes.
const HALF_CAPITAL: f64 = 0.31;

/// A backend, with places and sizes in pixels of the finished figure.
pub(super) struct Canvas<'a, B: DrawingBackend> {
    backend: &'a mut B,
    zoom: f64,
    baseline: f64,
}

impl<'a, B: DrawingBackend> Canvas<'a, B> {
    fn new(backend: &'a mut B, zoom: f64, baseline: f64) -> Result<Self, PlotError> {
        let (width, height) = backend.get_size();
        let mut canvas = Canvas {
            backend,
            zoom,
            baseline,
        };
        let sheet = Frame::new(0.0, 0.0, f64::from(width) / zoom, f64::from(height) / zoom);
        canvas.area(sheet, PAPER)?;
        Ok(canvas)
    }

    /// The backend's pixel at a place; far away is cut off, and what is not a number becomes 0.
    fn pixel(&self, (x, y): (f64, f64)) -> (i32, i32) {
        let whole = |place: f64| (place * self.zoom).round().clamp(-1e5, 3e5) as i32;
        (whole(x), whole(y))
    }

    fn pixels(&self, length: f64) -> u32 {
        (length * self.zoom).round().clamp(1.0, 1e5) as u32
    }

    fn stroke(&self, colour: RGBColor, width: f64) -> ShapeStyle {
        ShapeStyle {
            color: colour.to_rgba(),
            filled: true,
            stroke_width: self.pixels(width),
        }
    }

    /// Whether every mark stays a mark, and costs bytes in the file, as in an SVG.
    pub fn is_vector(&self) -> bool {
        self.baseline == SVG_BASELINE
    }

    /// Fills an area.
    pub fn area(&mut self, area: Frame, colour: RGBColor) -> Result<(), PlotError> {
        let from = self.pixel((area.left.min(area.right), area.top.min(area.bottom)));
        let to = self.pixel((area.right.max(area.left), area.bottom.max(area.top)));
        // Nothing is drawn so thin that it cannot be seen.
        let to = (to.0.max(from.0 + 1), to.1.max(from.1 + 1));
        self.backend
            .draw_rect(from, to, &colour, true)
            .map_err(failed)
    }

    /// Draws a line between two points.
    pub fn line(
        &mut self,
        from: (f64, f64),
        to: (f64, f64),
        colour: RGBColor,
        width: f64,
    ) -> Result<(), PlotError> {
        // Upright and level lines are areas, which are sharper.
        let half = width / 2.0;
        if from.0 == to.0 || from.1 == to.1 {
            let (along_x, along_y) = if from.0 == to.0 {
                (half, 0.0)
            } else {
                (0.0, half)
            };
            let left = from.0.min(to.0) - along_x;
            let right = from.0.max(to.0) + along_x;
            let top = from.1.min(to.1) - along_y;
            let bottom = from.1.max(to.1) + along_y;
            return self.area(Frame::new(left, top, right, bottom), colour);
        }
        let (from, to) = (self.pixel(from), self.pixel(to));
        let stroke = self.stroke(colour, width);
        self.backend.draw_path([from, to], &stroke).map_err(failed)
    }

    /// Draws a line of dashes between two points.
    pub fn dashes(
        &mut self,
        from: (f64, f64),
        to: (f64, f64),
        colour: RGBColor,
        width: f64,
    ) -> Result<(), PlotError> {
        self.dashed_path(&[from, to], colour, width, DASHES)
    }

    /// Draws a line of dashes through points, each dash and gap so long, going on around corners.
    pub fn dashed_path(
        &mut self,
        points: &[(f64, f64)],
        colour: RGBColor,
        width: f64,
        (dash, gap): (f64, f64),
    ) -> Result<(), PlotError> {
        // How far the pattern has come at the point at hand.
        let mut phase = 0.0;
        for pair in points.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            let (across, down) = (to.0 - from.0, to.1 - from.1);
            let length = across.hypot(down).min(1e5);
            let at = |place: f64| {
                let part = (place / length).clamp(0.0, 1.0);
                (from.0 + across * part, from.1 + down * part)
            };
            let mut start = -phase;
            while start < length {
                if start + dash > 0.0 {
                    self.line(at(start), at(start + dash), colour, width)?;
                }
                start += dash + gap;
            }
            phase = (phase + length) % (dash + gap);
        }
        Ok(())
    }

    /// Draws a line through points, with round corners.
    pub fn path(
        &mut self,
        points: &[(f64, f64)],
        colour: RGBColor,
        width: f64,
    ) -> Result<(), PlotError> {
        for pair in points.windows(2) {
            self.line(pair[0], pair[1], colour, width)?;
        }
        let corners = points.iter().skip(1).take(points.len().saturating_sub(2));
        for corner in corners {
            self.dot(*corner, width / 2.0, colour)?;
        }
        Ok(())
    }

    /// Fills a circle.
    pub fn dot(
        &mut self,
        centre: (f64, f64),
        radius: f64,
        colour: RGBColor,
    ) -> Result<(), PlotError> {
        let (centre, radius) = (self.pixel(centre), self.pixels(radius));
        let drawn = self.backend.draw_circle(centre, radius, &colour, true);
        drawn.map_err(failed)
    }

    /// Draws a circle with a white inside.
    pub fn ring(&mut self, centre: (f64, f64), colour: RGBColor) -> Result<(), PlotError> {
        self.dot(centre, 10.0, PAPER)?;
        self.dot(centre, 8.5, colour)?;
        self.dot(centre, 5.5, PAPER)
    }

    /// Draws a mark about as large as a circle of that radius, with a little white around it.
    pub fn mark(
        &mut self,
        place: (f64, f64),
        radius: f64,
        mark: Mark,
        colour: RGBColor,
    ) -> Result<(), PlotError> {
        if let Some(filled) = mark.outlined() {
            return self.outline(place, radius, filled, colour);
        }
        match mark.filled() {
            Some(filled) => {
                self.filled_mark(place, radius + HALO, filled, PAPER)?;
                self.filled_mark(place, radius, filled, colour)?;
                self.filled_mark(place, radius - 3.0, filled, PAPER)
            }
            None => {
                self.filled_mark(place, radius + HALO, mark, PAPER)?;
                self.filled_mark(place, radius, mark, colour)
            }
        }
    }

    /// Draws the outline of a filled mark, and nothing within or around it.
    fn outline(
        &mut self,
        place: (f64, f64),
        radius: f64,
        mark: Mark,
        colour: RGBColor,
    ) -> Result<(), PlotError> {
        let around = match corners(mark) {
            Some(corners) => corners.to_vec(),
            // As many sides as make it round.
            None => (0..24)
                .map(|side| (f64::from(side) * std::f64::consts::TAU / 24.0).sin_cos())
                .collect(),
        };
        let around = around.iter().chain(around.first());
        let path = around.map(|(right, down)| (place.0 + right * radius, place.1 + down * radius));
        let path: Vec<(f64, f64)> = path.collect();
        self.path(&path, colour, OUTLINE)?;
        self.dot(path[0], OUTLINE / 2.0, colour)
    }

    fn filled_mark(
        &mut self,
        (x, y): (f64, f64),
        radius: f64,
        mark: Mark,
        colour: RGBColor,
    ) -> Result<(), PlotError> {
        let corners = match mark {
            Mark::Square => {
                let half = radius * SQUARE;
                let square = Frame::new(x - half, y - half, x + half, y + half);
                return self.area(square, colour);
            }
            Mark::Plus => {
                let width = if colour == PAPER { 5.5 } else { 3.5 };
                self.line((x - radius, y), (x + radius, y), colour, width)?;
                return self.line((x, y - radius), (x, y + radius), colour, width);
            }
            Mark::Cross => {
                let half = radius * 0.9;
                let width = if colour == PAPER { 5.5 } else { 3.5 };
                self.line((x - half, y - half), (x + half, y + half), colour, width)?;
                return self.line((x - half, y + half), (x + half, y - half), colour, width);
            }
            other => match corners(other) {
                Some(corners) => corners,
                None => return self.dot((x, y), radius, colour),
            },
        };
        let corners = corners
            .iter()
            .map(|(right, down)| (x + right * radius, y + down * radius));
        let corners: Vec<(i32, i32)> = corners.map(|corner| self.pixel(corner)).collect();
        let filled = self.backend.fill_polygon(corners, &colour);
        filled.map_err(failed)
    }

    /// Writes a text level, its capitals' middle at the given height.
    pub fn text(
        &mut self,
        text: &str,
        (x, y): (f64, f64),
        align: Align,
        kind: Type,
    ) -> Result<(), PlotError> {
        let down = (HALF_CAPITAL - self.baseline) * kind.size;
        self.put(text, (x, y + down), align, kind, FontTransform::None)
    }

    /// Writes a text from bottom to top, its capitals' middle at the given place.
    pub fn upright_text(
        &mut self,
        text: &str,
        (x, y): (f64, f64),
        align: Align,
        kind: Type,
    ) -> Result<(), PlotError> {
        let across = (HALF_CAPITAL - self.baseline) * kind.size;
        self.put(text, (x + across, y), align, kind, FontTransform::Rotate270)
    }

    fn put(
        &mut self,
        text: &str,
        place: (f64, f64),
        align: Align,
        kind: Type,
        turn: FontTransform,
    ) -> Result<(), PlotError> {
        let text = printable(text);
        if text.trim().is_empty() {
            return Ok(());
        }
        let across = match align {
            Align::Start => HPos::Left,
            Align::Middle => HPos::Center,
            Align::End => HPos::Right,
        };
        let font = kind.font(self.zoom).transform(turn);
        let mut style = font.color(&kind.colour);
        style.pos = Pos::new(across, VPos::Top);
        let place = self.pixel(place);
        self.backend.draw_text(&text, &style, place).map_err(failed)
    }
}
