//! A sound on its way through the ear.
//!
//! In: a recording, the energy of the membrane's motion, and the spikes. Out: a figure of three panels
//! on a common time axis, one for each, high frequencies at the top.

use ndarray::Array2;
use plotters::backend::DrawingBackend;

use super::PlotError;
use super::axes::{Axes, Frame, Scale, Tick};
use super::canvas::{Align, Canvas, Figure};
use super::colour_map::{LEVELS, level_colour, levels};
use super::frequencies::frequency_ticks;
use super::heat_map::outline;
use super::style::{INK, QUIET, TICK_SIZE, Type, layer_colour};
use crate::spikes::EventStream;

/// A sound, how it moves the basilar membrane, and the spikes that leave the ear.
#[derive(Debug, Clone)]
pub struct CochleagramFigure {
    /// What stands on top, such as the file's name and the number of spikes.
    pub title: String,
    /// The recording, one channel; full scale is ±1.
    pub waveform: Vec<f64>,
    /// Samples of `waveform` a second.
    pub rate_hz: u32,
    /// Mean square of the membrane's motion in any unit, channels × time bins; the bins are equally
    /// long and together as long as the recording. [`time_bins`](Self::time_bins) says how many are
    /// told apart.
    pub energy: Array2<f32>,
    /// The frequency that moves each channel most, in hertz, from the base (high) to the apex.
    pub best_frequencies_hz: Vec<f64>,
    /// The spikes, in seconds from the recording's start; units are channels.
    pub events: EventStream,
}

const WIDTH: f64 = 1600.0;
const LEFT: f64 = 160.0;
/// Room for the colour bar and its label.
const RIGHT: f64 = 196.0;
const GAP: f64 = 34.0;
const BOTTOM: f64 = 88.0;
const WAVEFORM_HEIGHT: f64 = 220.0;
/// Limits of the heights of the other panels, and how high a channel is while they allow it.
const HEIGHTS: (f64, f64) = (320.0, 470.0);
const CHANNEL_HEIGHT: f64 = 38.0;
/// How far labels of frequencies are from one another at least.
const LABELS_APART: f64 = 34.0;
const BAR_GAP: f64 = 30.0;
const BAR_WIDTH: f64 = 30.0;

/// The colours end so far below the maximum, in decibels.
const FLOOR_DB: f64 = -60.0;
/// The shortest time bin: half a period of 250 Hz, below which single swings would be seen.
const SHORTEST_BIN_S: f64 = 0.002;
/// The most rows and columns of the image in a PNG, whose pixels are halved, and in an SVG, where each
/// of them costs bytes.
const MOST_CELLS_PNG: (usize, usize) = (940, 1240);
const MOST_CELLS_SVG: (usize, usize) = (235, 420);

impl CochleagramFigure {
    /// How many time bins of a recording so long (in seconds) are told apart: of 2 ms or more, and
    /// about one for each pixel at most.
    pub fn time_bins(duration_s: f64) -> usize {
        // What is no number becomes 0, and then 1.
        let bins = (duration_s / SHORTEST_BIN_S).round() as usize;
        bins.clamp(1, MOST_CELLS_PNG.1)
    }

    fn channels(&self) -> usize {
        self.energy.nrows()
    }

    fn check(&self) -> Result<(), PlotError> {
        let channels = self.channels();
        let highest = self.events.units().iter().max();
        let reason = if self.waveform.is_empty() {
            "the recording has no samples".to_string()
        } else if self.rate_hz == 0 {
            "the recording has a sampling rate of 0 Hz".to_string()
        } else if self.energy.is_empty() {
            let bins = self.energy.ncols();
            format!("the energy has {channels} channels and {bins} time bins")
        } else if self.best_frequencies_hz.len() != channels {
            let found = self.best_frequencies_hz.len();
            format!("there are {found} best frequencies for {channels} channels of energy")
        } else if let Some(unit) = highest.filter(|&&unit| usize::from(unit) >= channels) {
            format!("a spike is of unit {unit}, but there are {channels} channels, 0 the first")
        } else {
            return Ok(());
        };
        Err(PlotError::NothingToDraw(reason))
    }
}

/// A figure with everything in its place.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    figure: &'a CochleagramFigure,
    title: Vec<String>,
    waveform: Axes,
    /// What the waveform's numbers are multiplied by, as a power of ten.
    exponent: i32,
    /// Time across, the negative of the channel's number up, so that the first is at the top.
    energy: Axes,
    spikes: Axes,
    bar: Axes,
    frequencies: Vec<Tick>,
    height: f64,
}

impl<'a> Layout<'a> {
    /// Puts everything in its place.
    pub fn new(figure: &'a CochleagramFigure) -> Result<Self, PlotError> {
        figure.check()?;
        let duration_s = figure.waveform.len() as f64 / f64::from(figure.rate_hz);
        let time = Scale::new(0.0, duration_s);
        let loudest = figure.waveform.iter().map(|x| x.abs());
        let loudest = loudest.filter(|x| x.is_finite()).fold(0.0, f64::max);
        let exponent = exponent_of(loudest);
        let limit = 1.05 * loudest / 10f64.powi(exponent);
        let limit = if limit > 0.0 { limit } else { 1.0 };

        let right = WIDTH - RIGHT;
        let title = Type::TITLE.wrap(&figure.title, WIDTH - LEFT - RIGHT, 3);
        let top = 24.0 + title.len() as f64 * Type::TITLE.line() + 14.0;
        let waveform = Frame::new(LEFT, top, right, top + WAVEFORM_HEIGHT);
        let channels = figure.channels() as f64;
        let height = (CHANNEL_HEIGHT * channels).clamp(HEIGHTS.0, HEIGHTS.1);
        let below = |frame: Frame| {
            let top = frame.bottom + GAP;
            Frame::new(LEFT, top, right, top + height)
        };
        let energy = below(waveform);
        let spikes = below(energy);
        let places = Scale::units(figure.channels());
        let mut frequencies =
            frequency_ticks(&figure.best_frequencies_hz, height / channels, LABELS_APART);
        for tick in &mut frequencies {
            tick.value = -tick.value;
        }
        Ok(Layout {
            figure,
            title,
            waveform: Axes {
                frame: waveform,
                x: time,
                y: Scale::new(-limit, limit),
            },
            exponent,
            energy: Axes {
                frame: energy,
                x: time,
                y: places,
            },
            spikes: Axes {
                frame: spikes,
                x: time,
                y: places,
            },
            bar: Axes {
                frame: Frame::new(
                    right + BAR_GAP,
                    energy.top,
                    right + BAR_GAP + BAR_WIDTH,
                    energy.bottom,
                ),
                x: Scale::new(0.0, 1.0),
                y: Scale::new(FLOOR_DB, 0.0),
            },
            frequencies,
            height: spikes.bottom + BOTTOM,
        })
    }

    fn draw_waveform<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        times: &[Tick],
    ) -> Result<(), PlotError> {
        let amplitudes = self.waveform.y.ticks(6, false);
        self.waveform.grid(canvas, times, &amplitudes)?;
        let (samples, frame) = (&self.figure.waveform, self.waveform.frame);
        let unit = 10f64.powi(self.exponent);
        let y_of = |sample: f64| self.waveform.y_place(sample / unit);
        let colour = layer_colour(1);
        let columns = frame.width() as usize;
        if samples.len() < 2 * columns {
            // Samples lie in the middle of the time that they stand for.
            let step = frame.width() / samples.len() as f64;
            let points = samples.iter().enumerate();
            let points = points.map(|(i, &x)| (frame.left + (i as f64 + 0.5) * step, y_of(x)));
            canvas.path(&points.collect::<Vec<_>>(), colour, 1.5)?;
        } else {
            for column in 0..columns {
                let end = ((column + 1) * samples.len()).div_ceil(columns);
                let start = column * samples.len() / columns;
                // The sample before belongs to it, so that neighbouring columns hang together.
                let part = samples[start.saturating_sub(1)..end].iter();
                let (low, high) = part.fold((f64::INFINITY, f64::NEG_INFINITY), |range, &x| {
                    (range.0.min(x), range.1.max(x))
                });
                let left = frame.left + column as f64;
                let (top, bottom) = (y_of(high), y_of(low));
                let mark = Frame::new(left, top - 0.5, left + 1.0, bottom + 0.5);
                canvas.area(mark, colour)?;
            }
        }
        outline(canvas, frame)?;
        self.waveform.y_labels(canvas, &amplitudes)?;
        let unit = match self.exponent {
            0 => "full scale 1".to_string(),
            exponent => format!("× 10{} full scale", superscript(exponent)),
        };
        let name = [
            ("amplitude".to_string(), Type::LABEL.bold()),
            (unit, Type::new(TICK_SIZE, QUIET)),
        ];
        self.waveform.y_name(canvas, &name, LEFT - 30.0)
    }

    fn draw_energy<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        let most = match canvas.is_vector() {
            true => MOST_CELLS_SVG,
            false => MOST_CELLS_PNG,
        };
        let levels = levels(self.figure.energy.view(), most, FLOOR_DB);
        let frame = self.energy.frame;
        let (rows, columns) = levels.dim();
        let x = |column: usize| frame.left + frame.width() * column as f64 / columns as f64;
        let y = |row: usize| frame.top + frame.height() * row as f64 / rows as f64;
        for (row, cells) in levels.outer_iter().enumerate() {
            let mut start = 0;
            while start < columns {
                let alike = cells.iter().skip(start);
                let end = start + alike.take_while(|&&cell| cell == cells[start]).count();
                // Each goes on a little below the next ones, so that no seams show between them.
                let right = (x(end) + 1.0).min(frame.right);
                let bottom = (y(row + 1) + 1.0).min(frame.bottom);
                let area = Frame::new(x(start), y(row), right, bottom);
                canvas.area(area, level_colour(cells[start]))?;
                start = end;
            }
        }
        outline(canvas, frame)?;
        self.energy.y_labels(canvas, &self.frequencies)?;
        let name = [("best frequency (Hz)".to_string(), Type::LABEL.bold())];
        self.energy.y_name(canvas, &name, LEFT - 30.0)?;
        self.draw_bar(canvas)
    }

    fn draw_bar<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        let frame = self.bar.frame;
        for level in (0..LEVELS).rev() {
            let share = (f64::from(level) + 1.0) / f64::from(LEVELS);
            let top = frame.bottom - share * frame.height();
            let band = Frame::new(frame.left, top, frame.right, frame.bottom);
            canvas.area(band, level_colour(level))?;
        }
        outline(canvas, frame)?;
        self.numbers_at_the_right(canvas, self.bar, &self.bar.y.ticks(6, false))?;
        let name = Type::LABEL.bold();
        let middle = frame.centre().1;
        let right = (WIDTH - 62.0, middle);
        canvas.upright_text("energy", right, Align::Middle, name)?;
        let right = (WIDTH - 62.0 + name.line(), middle);
        let unit = Type::new(TICK_SIZE, QUIET);
        canvas.upright_text("dB re maximum", right, Align::Middle, unit)
    }

    fn draw_spikes<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        times: &[Tick],
    ) -> Result<(), PlotError> {
        let (axes, events) = (self.spikes, &self.figure.events);
        let frame = axes.frame;
        axes.grid(canvas, times, &[])?;
        let cell = frame.height() / self.figure.channels() as f64;
        // All marks together cover some percent of the panel, as long as they can be seen, and told from
        // those of neighbouring channels where these are far apart.
        let room = 0.08 * frame.width() * frame.height() / events.len().max(1) as f64;
        let side = room.sqrt().clamp(1.0, 4.0);
        let height = (0.7 * cell).clamp(side, 14.0);
        let width = (room / height).clamp(1.0, side);
        // What cannot be told apart becomes one mark: places are counted in pixels, halves in a PNG.
        let fine = if canvas.is_vector() { 1.0 } else { 2.0 };
        let spikes = events.times_s().iter().zip(events.units());
        let marks = spikes.map(|(&time, &unit)| {
            let (x, y) = axes.place(time, -f64::from(unit));
            ((y * fine).round() as i64, (x * fine).round() as i64)
        });
        let mut marks: Vec<(i64, i64)> = marks.collect();
        marks.sort_unstable();
        marks.dedup();
        let runs = marks.chunk_by(|a, b| a.0 == b.0 && b.1 - a.1 <= 1);
        for run in runs {
            let (row, first) = run[0];
            let last = run[run.len() - 1].1;
            let (left, right) = (first as f64 / fine, last as f64 / fine);
            let y = row as f64 / fine;
            let mark = Frame::new(
                (left - width / 2.0).max(frame.left),
                (y - height / 2.0).max(frame.top),
                (right + width / 2.0).min(frame.right),
                (y + height / 2.0).min(frame.bottom),
            );
            canvas.area(mark, INK)?;
        }
        outline(canvas, frame)?;
        axes.x_labels(canvas, times, "time (s)")?;
        axes.y_labels(canvas, &axes.unit_ticks())?;
        let name = [("channel".to_string(), Type::LABEL.bold())];
        axes.y_name(canvas, &name, LEFT - 30.0)?;
        // The same frequencies as above, so that both panels can be read side by side.
        self.numbers_at_the_right(canvas, axes, &self.frequencies)?;
        let right = (WIDTH - 62.0, frame.centre().1);
        let kind = Type::LABEL.bold();
        canvas.upright_text("best frequency (Hz)", right, Align::Middle, kind)
    }

    fn numbers_at_the_right<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        axes: Axes,
        ticks: &[Tick],
    ) -> Result<(), PlotError> {
        let right = axes.frame.right;
        for tick in ticks {
            let y = axes.y_place(tick.value);
            canvas.line((right, y), (right + 6.0, y), INK, 2.0)?;
            canvas.text(&tick.label, (right + 12.0, y), Align::Start, Type::TICK)?;
        }
        Ok(())
    }
}

impl Figure for Layout<'_> {
    fn size(&self) -> (f64, f64) {
        (WIDTH, self.height)
    }

    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        let middle = self.waveform.frame.centre().0;
        let mut y = 24.0 + Type::TITLE.line() / 2.0;
        for line in &self.title {
            canvas.text(line, (middle, y), Align::Middle, Type::TITLE)?;
            y += Type::TITLE.line();
        }
        let times = self.spikes.x_ticks(false);
        self.draw_waveform(canvas, &times)?;
        self.draw_energy(canvas)?;
        self.draw_spikes(canvas, &times)
    }
}

/// The power of a thousand that numbers up to `largest` are best written in; 0 if they are handy.
fn exponent_of(largest: f64) -> i32 {
    if largest == 0.0 || (0.01..1e4).contains(&largest) {
        return 0;
    }
    3 * (largest.log10() / 3.0).floor() as i32
}

fn superscript(number: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let letters = number.to_string();
    let raised = letters.chars().map(|letter| match letter.to_digit(10) {
        Some(digit) => DIGITS[digit as usize],
        None => '⁻',
    });
    raised.collect()
}
