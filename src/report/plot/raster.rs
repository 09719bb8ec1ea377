//! Spikes over time.
//!
//! In: event counts for the input and spikes for each hidden layer, on one time grid. Out: a figure
//! with one panel each on a common time axis; beside each panel how often each unit spiked, below all
//! of them how often the units of each layer spiked over time. Rates are of events: several in one
//! time bin count as several.

use std::collections::HashSet;

use plotters::backend::DrawingBackend;
use plotters::style::RGBColor;

use super::PlotError;
use super::axes::{Axes, Frame, Scale};
use super::canvas::{Align, Canvas, Figure};
use super::legend::{Key, Legend};
use super::style::{INK, LABEL_SIZE, QUIET, TICK_SIZE, Type, layer_colour, tint};
use crate::ids::TimeStep;
use crate::spikes::{SpikeCounts, SpikeRaster, TimeGrid};

/// The events of the input, or the spikes of one layer.
#[derive(Debug, Clone)]
pub struct RasterPanel {
    /// What the layer is called.
    pub label: String,
    /// What one of its units is called.
    pub unit_name: String,
    /// How many events each time bin has of each unit.
    pub counts: SpikeCounts,
}

impl RasterPanel {
    /// The input.
    pub fn input(counts: SpikeCounts) -> Self {
        RasterPanel {
            label: "input".to_string(),
            unit_name: "channel".to_string(),
            counts,
        }
    }

    /// The layers of a network, the first one first.
    pub fn layers(spikes: &[SpikeRaster]) -> Vec<Self> {
        let layers = spikes
            .iter()
            .enumerate()
            .map(|(index, raster)| RasterPanel {
                label: format!("layer {}", index + 1),
                unit_name: "neuron".to_string(),
                counts: SpikeCounts::from_raster(raster),
            });
        layers.collect()
    }
}

/// The spikes of a sample on its way through a network.
#[derive(Debug, Clone)]
pub struct RasterFigure {
    /// What stands on top, such as the file, the speaker, the true and the predicted class.
    pub title: String,
    /// What else is to be said, such as events that are not drawn; the width of a time bin always is.
    pub remarks: Vec<String>,
    /// The time bins of all panels.
    pub grid: TimeGrid,
    /// The layers from the top down, unit 0 of each at its top.
    pub panels: Vec<RasterPanel>,
}

const WIDTH: f64 = 1600.0;
const LEFT: f64 = 160.0;
const RIGHT: f64 = 40.0;
const RATES_WIDTH: f64 = 210.0;
const RATES_GAP: f64 = 22.0;
/// Between two panels.
const GAP: f64 = 28.0;
/// Below the lowest panel, where the numbers of the rate axis are.
const BELOW_PANELS: f64 = 34.0;
const STRIP_HEIGHT: f64 = 210.0;
const BOTTOM: f64 = 88.0;
/// All panels together are not made higher than this.
const MOST_HEIGHT: f64 = 2400.0;
/// Steps are put together where there are more than can be told apart.
const MOST_BINS: usize = 1200;

/// A figure with everything in its place.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    title: Vec<String>,
    remarks: Vec<String>,
    panels: Vec<Panel<'a>>,
    legend: Legend,
    legend_top: f64,
    strip: Axes,
    height: f64,
}

#[derive(Debug)]
struct Panel<'a> {
    panel: &'a RasterPanel,
    grid: TimeGrid,
    colour: RGBColor,
    /// Spikes: time in seconds across, units from the top.
    spikes: Axes,
    /// Events per second across, units from the top.
    rates: Axes,
    /// Events per second of each unit.
    unit_rates: Vec<f64>,
    /// How often its units spiked over time, in seconds and events per unit and second.
    rate_over_time: Vec<(f64, f64)>,
}

impl<'a> Layout<'a> {
    /// Puts everything in its place.
    pub fn new(figure: &'a RasterFigure) -> Result<Self, PlotError> {
        let grid = figure.grid;
        if figure.panels.is_empty() {
            return Err(PlotError::NothingToDraw("no layer was given".into()));
        }
        if let Some(other) = figure
            .panels
            .iter()
            .find(|p| p.counts.steps() != grid.steps())
        {
            let (label, steps) = (&other.label, other.counts.steps());
            let reason = format!(
                "{label} has {steps} time bins, and the grid has {}",
                grid.steps()
            );
            return Err(PlotError::NothingToDraw(reason));
        }
        // Bin 0 lies before the start, and is empty unless it was filled by hand.
        let before = |panel: &RasterPanel| panel.counts.count_in_step(TimeStep(0)) > 0;
        let first = TimeStep(usize::from(!figure.panels.iter().any(before)));
        let time = Scale::new(grid.start_s(first), grid.max_time_s());
        let rates_left = WIDTH - RIGHT - RATES_WIDTH;
        let right = rates_left - RATES_GAP;
        let title = Type::TITLE.wrap(&figure.title, WIDTH - LEFT - RIGHT, 3);
        let remarks = remarks(figure);
        let heights = panel_heights(&figure.panels);

        let seconds = grid.max_time_s() - grid.start_s(first);
        let unit_rates = |panel: &RasterPanel| -> Vec<f64> {
            let counts = panel.counts.counts_per_unit().into_iter();
            counts.map(|count| count as f64 / seconds).collect()
        };
        let unit_rates: Vec<Vec<f64>> = figure.panels.iter().map(unit_rates).collect();
        let rate_scale = rates_up_to(unit_rates.iter().flatten().copied());

        let mut top = 24.0 + title.len() as f64 * Type::TITLE.line() + 14.0;
        top += remarks.len() as f64 * Type::LABEL.line();
        let mut panels = Vec::new();
        for (index, (panel, unit_rates)) in figure.panels.iter().zip(unit_rates).enumerate() {
            let bottom = top + heights[index];
            let units = Scale::units(panel.counts.units());
            panels.push(Panel {
                panel,
                grid,
                colour: layer_colour(index),
                spikes: Axes {
                    frame: Frame::new(LEFT, top, right, bottom),
                    x: time,
                    y: units,
                },
                rates: Axes {
                    frame: Frame::new(rates_left, top, rates_left + RATES_WIDTH, bottom),
                    x: rate_scale,
                    y: units,
                },
                unit_rates,
                rate_over_time: rate_over_time(&panel.counts, grid, first),
            });
            top = bottom + GAP;
        }

        let entries = panels
            .iter()
            .map(|p| (Key::Line(p.colour), p.panel.label.clone()));
        let legend = Legend::new(entries.collect(), right - LEFT);
        let legend_top = top - GAP + BELOW_PANELS;
        let strip_top = legend_top + legend.height() + 12.0;
        let rates = panels.iter().flat_map(|panel| &panel.rate_over_time);
        let strip = Axes {
            frame: Frame::new(LEFT, strip_top, right, strip_top + STRIP_HEIGHT),
            x: time,
            y: rates_up_to(rates.map(|(_, rate)| *rate)),
        };
        Ok(Layout {
            title,
            remarks,
            panels,
            legend,
            legend_top,
            height: strip.frame.bottom + BOTTOM,
            strip,
        })
    }
}

/// The width of a time bin, and what else is to be said.
fn remarks(figure: &RasterFigure) -> Vec<String> {
    let width = format!("time bins of {}", milliseconds(figure.grid.step_ms()));
    let remarks = std::iter::once(width).chain(figure.remarks.iter().cloned());
    let remarks = remarks.collect::<Vec<_>>().join("; ");
    Type::LABEL.wrap(&remarks, WIDTH - LEFT - RIGHT, 3)
}

/// Three digits and the unit: `14.1 ms`.
pub(super) fn milliseconds(ms: f64) -> String {
    match ms {
        large if large >= 99.95 => format!("{large:.0} ms"),
        middle if middle >= 9.995 => format!("{middle:.1} ms"),
        small if small >= 0.01 => format!("{small:.2} ms"),
        tiny => format!("{tiny:.1e} ms"),
    }
}

/// Heights rise with the square root of the number of units, so that small layers can be read, too.
fn panel_heights(panels: &[RasterPanel]) -> Vec<f64> {
    let wanted = panels.iter().map(|panel| {
        let units = panel.counts.units() as f64;
        (24.0 * units.sqrt()).clamp(130.0, 660.0)
    });
    let wanted: Vec<f64> = wanted.collect();
    let shrink = (MOST_HEIGHT / wanted.iter().sum::<f64>()).min(1.0);
    let heights = wanted.into_iter();
    heights.map(|height| (height * shrink).max(60.0)).collect()
}

/// An axis for rates, with a little room at its end.
fn rates_up_to(rates: impl Iterator<Item = f64>) -> Scale {
    Scale::new(0.0, rates.fold(0.0, f64::max) * 1.05)
}

/// The middle of each time bin from the `first` on, in seconds, and events per unit and second in it.
/// Where there are more bins than can be told apart, neighbours are put together.
fn rate_over_time(counts: &SpikeCounts, grid: TimeGrid, first: TimeStep) -> Vec<(f64, f64)> {
    let steps: Vec<usize> = (first.0..counts.steps()).collect();
    let together = steps.len().div_ceil(MOST_BINS).max(1);
    let bins = steps.chunks(together).map(|bin| {
        let events: u64 = bin
            .iter()
            .map(|&step| counts.count_in_step(TimeStep(step)))
            .sum();
        let start = grid.start_s(TimeStep(bin[0]));
        let end = grid.start_s(TimeStep(bin[0] + bin.len()));
        let rate = events as f64 / (counts.units() as f64 * (end - start));
        ((start + end) / 2.0, rate)
    });
    bins.collect()
}

impl Panel<'_> {
    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        let times = self.spikes.x_ticks(false);
        self.spikes.grid(canvas, &times, &[])?;
        self.draw_spikes(canvas)?;
        self.spikes.edges(canvas)?;
        self.spikes.y_labels(canvas, &self.spikes.unit_ticks())?;
        let kind = Type::LABEL.bold().coloured(self.colour);
        let room = self.spikes.frame.height() + GAP / 2.0;
        let label = self.panel.label.as_str();
        let name = if kind.width(label) <= room {
            let unit = Type::new(TICK_SIZE, QUIET);
            let unit_name = unit.shorten(&self.panel.unit_name, room);
            vec![(label.to_string(), kind), (unit_name, unit)]
        } else {
            let lines = kind.wrap(label, room, 2).into_iter();
            lines.map(|line| (line, kind)).collect()
        };
        self.spikes.y_name(canvas, &name, LEFT - 30.0)?;
        self.draw_rates(canvas)
    }

    fn draw_spikes<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        let counts = &self.panel.counts;
        let frame = self.spikes.frame;
        let cell_height = frame.height() / counts.units() as f64;
        let step_s = self.grid.step_ms() / 1e3;
        let column = self.spikes.x_place(step_s) - self.spikes.x_place(0.0);
        // A gap stays around every spike while a cell has room for one; nothing gets too thin to be
        // seen, or so broad that a spike looks long.
        let width = (0.7 * column).clamp(1.0, 10.0);
        let height = (0.8 * cell_height).clamp(1.0, 14.0);
        let mut drawn = HashSet::new();
        for step in (0..counts.steps()).map(TimeStep) {
            let middle = self.grid.start_s(step) + step_s / 2.0;
            for (unit, _) in counts.row(step) {
                let (x, y) = self.spikes.place(middle, -(unit.0 as f64));
                // Where there are more cells than pixels, one mark for each pixel will do.
                if !drawn.insert(((x * 2.0) as i32, (y * 2.0) as i32)) {
                    continue;
                }
                let mark = Frame::new(
                    (x - width / 2.0).max(frame.left),
                    (y - height / 2.0).max(frame.top),
                    (x + width / 2.0).min(frame.right),
                    (y + height / 2.0).min(frame.bottom),
                );
                canvas.area(mark, self.colour)?;
            }
        }
        Ok(())
    }

    fn draw_rates<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        let frame = self.rates.frame;
        self.rates.grid(canvas, &self.rates.x_ticks(false), &[])?;
        let cell = frame.height() / self.unit_rates.len() as f64;
        // Bars stand apart where there is room, else they make a profile.
        let bar = if cell > 6.0 { 0.8 * cell } else { cell };
        let colour = tint(self.colour);
        for (unit, rate) in self
            .unit_rates
            .iter()
            .enumerate()
            .filter(|(_, rate)| **rate > 0.0)
        {
            let (x, y) = self.rates.place(*rate, -(unit as f64));
            let bar = Frame::new(frame.left, y - bar / 2.0, x, y + bar / 2.0);
            canvas.area(bar, colour)?;
        }
        self.rates.edges(canvas)
    }
}

impl Layout<'_> {
    fn draw_strip<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        let (times, rates) = (self.strip.x_ticks(false), self.strip.y_ticks(false));
        self.strip.grid(canvas, &times, &rates)?;
        for panel in &self.panels {
            let points = panel.rate_over_time.iter();
            let points = points.map(|(time, rate)| self.strip.place(*time, *rate));
            let mut points: Vec<(f64, f64)> = points.collect();
            // A single bin is no line yet.
            if let [point] = points[..] {
                let frame = self.strip.frame;
                points = vec![(frame.left, point.1), (frame.right, point.1)];
            }
            canvas.path(&points, panel.colour, 2.5)?;
        }
        self.strip.edges(canvas)?;
        self.strip.x_labels(canvas, &times, "time (s)")?;
        self.strip.y_labels(canvas, &rates)?;
        let name = [
            ("mean rate".to_string(), Type::LABEL.bold()),
            ("per unit (Hz)".to_string(), Type::new(TICK_SIZE, QUIET)),
        ];
        self.strip.y_name(canvas, &name, LEFT - 30.0)
    }
}

impl Figure for Layout<'_> {
    fn size(&self) -> (f64, f64) {
        (WIDTH, self.height)
    }

    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        let middle = self.strip.frame.centre().0;
        let mut y = 24.0 + Type::TITLE.line() / 2.0;
        for line in &self.title {
            canvas.text(line, (middle, y), Align::Middle, Type::TITLE)?;
            y += Type::TITLE.line();
        }
        for line in &self.remarks {
            canvas.text(
                line,
                (middle, y),
                Align::Middle,
                Type::LABEL.coloured(QUIET),
            )?;
            y += Type::LABEL.line();
        }
        for panel in &self.panels {
            panel.draw(canvas)?;
        }
        // One axis for the rates of all panels, below the last one.
        if let Some(last) = self.panels.last() {
            let kind = Type::new(LABEL_SIZE, INK);
            let lines = ["rate of each", "unit (Hz)"].map(String::from);
            last.rates
                .x_labels(canvas, &last.rates.x_ticks(false), &lines[0])?;
            let (middle, below) = (last.rates.frame.centre().0, last.rates.frame.bottom + 58.0);
            canvas.text(
                &lines[1],
                (middle, below + kind.line()),
                Align::Middle,
                kind,
            )?;
        }
        self.legend.draw(canvas, middle, self.legend_top)?;
        self.draw_strip(canvas)
    }
}
