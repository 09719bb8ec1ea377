//! Spikes over time.
//!
//! In: a raster for the input and for each hidden layer. Out: a figure with one panel each on a
//! common time axis; beside each panel how often each unit spiked, below all of them how often the
//! units of each layer spiked over time.

use std::collections::HashSet;

use plotters::backend::DrawingBackend;
use plotters::style::RGBColor;

use super::PlotError;
use super::axes::{Axes, Frame, Scale};
use super::canvas::{Align, Canvas, Figure};
use super::legend::{Key, Legend};
use super::style::{INK, LABEL_SIZE, QUIET, TICK_SIZE, Type, layer_colour, tint};
use crate::ids::TimeStep;
use crate::spikes::SpikeRaster;

/// The spikes of one layer.
#[derive(Debug, Clone)]
pub struct RasterPanel {
    /// What the layer is called.
    pub label: String,
    /// Its spikes.
    pub raster: SpikeRaster,
}

/// The spikes of a sample on its way through a network.
#[derive(Debug, Clone)]
pub struct RasterFigure {
    /// What stands on top, such as the true and the predicted class.
    pub title: String,
    /// Length of a time step in milliseconds.
    pub step_ms: f64,
    /// The layers from the top down.
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
    figure: &'a RasterFigure,
    title: Vec<String>,
    panels: Vec<Panel<'a>>,
    legend: Legend,
    legend_top: f64,
    strip: Axes,
    height: f64,
}

#[derive(Debug)]
struct Panel<'a> {
    panel: &'a RasterPanel,
    colour: RGBColor,
    /// Spikes: time in ms across, units up.
    spikes: Axes,
    /// Spikes per second across, units up.
    rates: Axes,
    /// Spikes per second of each unit.
    unit_rates: Vec<f64>,
    /// Steps that are put together, and spikes per unit and second in each such bin.
    bin_steps: usize,
    bin_rates: Vec<f64>,
}

impl<'a> Layout<'a> {
    /// Puts everything in its place.
    pub fn new(figure: &'a RasterFigure) -> Result<Self, PlotError> {
        let step_ms = figure.step_ms;
        if !step_ms.is_normal() || step_ms < 0.0 {
            let reason = format!("a time step of {step_ms} ms");
            return Err(PlotError::NothingToDraw(reason));
        }
        let Some(steps) = figure.panels.iter().map(|panel| panel.raster.steps()).max() else {
            return Err(PlotError::NothingToDraw("no layer was given".into()));
        };
        // A spike stands in the middle of its step's column.
        let time = Scale::new(-0.5 * step_ms, (steps as f64 - 0.5) * step_ms);
        let rates_left = WIDTH - RIGHT - RATES_WIDTH;
        let right = rates_left - RATES_GAP;
        let title = Type::TITLE.wrap(&figure.title, WIDTH - LEFT - RIGHT, 3);
        let heights = panel_heights(&figure.panels);

        let unit_rates: Vec<Vec<f64>> = figure
            .panels
            .iter()
            .map(|p| unit_rates(p, step_ms))
            .collect();
        let largest = |rates: &[Vec<f64>]| rates.iter().flatten().copied().fold(0.0, f64::max);
        let rate_scale = rates_up_to(largest(&unit_rates));

        let mut top = 24.0 + title.len() as f64 * Type::TITLE.line() + 14.0;
        let mut panels = Vec::new();
        for (index, (panel, unit_rates)) in figure.panels.iter().zip(unit_rates).enumerate() {
            let bottom = top + heights[index];
            let units = Scale::new(-0.5, panel.raster.units() as f64 - 0.5);
            let (bin_steps, bin_rates) = bin_rates(&panel.raster, step_ms);
            panels.push(Panel {
                panel,
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
                bin_steps,
                bin_rates,
            });
            top = bottom + GAP;
        }

        let entries = panels
            .iter()
            .map(|p| (Key::Line(p.colour), p.panel.label.clone()));
        let legend = Legend::new(entries.collect(), right - LEFT);
        let legend_top = top - GAP + BELOW_PANELS;
        let strip_top = legend_top + legend.height() + 12.0;
        let mean_rates: Vec<Vec<f64>> = panels.iter().map(|p| p.bin_rates.clone()).collect();
        let strip = Axes {
            frame: Frame::new(LEFT, strip_top, right, strip_top + STRIP_HEIGHT),
            x: time,
            y: rates_up_to(largest(&mean_rates)),
        };
        Ok(Layout {
            figure,
            title,
            panels,
            legend,
            legend_top,
            height: strip.frame.bottom + BOTTOM,
            strip,
        })
    }
}

/// Heights rise with the square root of the number of units, so that small layers can be read, too.
fn panel_heights(panels: &[RasterPanel]) -> Vec<f64> {
    let wanted = panels.iter().map(|panel| {
        let units = panel.raster.units() as f64;
        (24.0 * units.sqrt()).clamp(130.0, 660.0)
    });
    let wanted: Vec<f64> = wanted.collect();
    let shrink = (MOST_HEIGHT / wanted.iter().sum::<f64>()).min(1.0);
    let heights = wanted.into_iter();
    heights.map(|height| (height * shrink).max(60.0)).collect()
}

/// An axis for rates, with a little room at its end.
fn rates_up_to(largest: f64) -> Scale {
    Scale::new(0.0, largest * 1.05)
}

/// Spikes per second of each unit.
fn unit_rates(panel: &RasterPanel, step_ms: f64) -> Vec<f64> {
    let seconds = panel.raster.steps() as f64 * step_ms / 1e3;
    let counts = panel.raster.counts_per_unit().into_iter();
    counts.map(|count| f64::from(count) / seconds).collect()
}

/// Spikes per unit and second in each bin of so many steps; the last one may have fewer.
fn bin_rates(raster: &SpikeRaster, step_ms: f64) -> (usize, Vec<f64>) {
    let bin_steps = raster.steps().div_ceil(MOST_BINS);
    let steps: Vec<usize> = (0..raster.steps()).collect();
    let bins = steps.chunks(bin_steps).map(|bin| {
        let counts = bin.iter().map(|step| raster.count_in_step(TimeStep(*step)));
        let spikes = counts.sum::<u64>() as f64;
        spikes / (raster.units() as f64 * bin.len() as f64 * step_ms / 1e3)
    });
    (bin_steps, bins.collect())
}

impl Panel<'_> {
    fn draw<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        step_ms: f64,
    ) -> Result<(), PlotError> {
        let units = self.spikes.y_ticks(true);
        let times = self.spikes.x_ticks(false);
        self.spikes.grid(canvas, &times, &[])?;
        self.draw_spikes(canvas, step_ms)?;
        self.spikes.edges(canvas)?;
        self.spikes.y_labels(canvas, &units)?;
        let kind = Type::LABEL.bold().coloured(self.colour);
        let room = self.spikes.frame.height() + GAP / 2.0;
        let label = self.panel.label.as_str();
        let name = if kind.width(label) <= room {
            let unit = Type::new(TICK_SIZE, QUIET);
            vec![(label.to_string(), kind), ("unit".to_string(), unit)]
        } else {
            let lines = kind.wrap(label, room, 2).into_iter();
            lines.map(|line| (line, kind)).collect()
        };
        self.spikes.y_name(canvas, &name, LEFT - 30.0)?;
        self.draw_rates(canvas)
    }

    fn draw_spikes<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        step_ms: f64,
    ) -> Result<(), PlotError> {
        let raster = &self.panel.raster;
        let frame = self.spikes.frame;
        let cell_height = frame.height() / raster.units() as f64;
        let column = self.spikes.x_place(step_ms) - self.spikes.x_place(0.0);
        // A gap stays around every spike while a cell has room for one; nothing gets too thin to be
        // seen, or so broad that a spike looks long.
        let width = (0.7 * column).clamp(1.0, 10.0);
        let height = (0.8 * cell_height).clamp(1.0, 14.0);
        let mut drawn = HashSet::new();
        for step in (0..raster.steps()).map(TimeStep) {
            for unit in raster.active(step) {
                let place = (step.0 as f64 * step_ms, unit.0 as f64);
                let (x, y) = self.spikes.place(place.0, place.1);
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
            let (x, y) = self.rates.place(*rate, unit as f64);
            let bar = Frame::new(frame.left, y - bar / 2.0, x, y + bar / 2.0);
            canvas.area(bar, colour)?;
        }
        self.rates.edges(canvas)
    }
}

impl Layout<'_> {
    fn draw_strip<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        let step_ms = self.figure.step_ms;
        let (times, rates) = (self.strip.x_ticks(false), self.strip.y_ticks(false));
        self.strip.grid(canvas, &times, &rates)?;
        for panel in &self.panels {
            let last = panel.panel.raster.steps() as f64;
            let bin = panel.bin_steps as f64;
            let points = panel.bin_rates.iter().enumerate().map(|(index, rate)| {
                let start = index as f64 * bin;
                let middle = (start + (start + bin).min(last) - 1.0) / 2.0;
                self.strip.place(middle * step_ms, *rate)
            });
            let mut points: Vec<(f64, f64)> = points.collect();
            // A single step is no line yet.
            if let [point] = points[..] {
                let frame = self.strip.frame;
                points = vec![(frame.left, point.1), (frame.right, point.1)];
            }
            canvas.path(&points, panel.colour, 2.5)?;
        }
        self.strip.edges(canvas)?;
        self.strip.x_labels(canvas, &times, "time (ms)")?;
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
        for panel in &self.panels {
            panel.draw(canvas, self.figure.step_ms)?;
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
