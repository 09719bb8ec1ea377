//! How often neurons spike, by layer and class.
//!
//! In: firing rates. Out: a figure with a heat map of layers × classes, and below it for each layer how the rates
//! are spread over its neurons, with the share that never spikes.

use plotters::backend::DrawingBackend;
use plotters::style::RGBColor;

use super::PlotError;
use super::axes::{Axes, Frame, Scale};
use super::canvas::{Align, Canvas, Figure};
use super::heat_map::{BAR_WIDTH, NOTHING, Names, WIDEST_NAME, borders, colour, draw_bar, outline};
use super::histogram::{BINS, bars, shares, ticks_within};
use super::legend::{Key, Legend};
use super::panels::{PanelGrid, PanelPlace, Title, WIDTH, Y_NAME_LEFT};
use super::style::{INK, NEW, OLD, PAPER, QUIET, TICK_SIZE, Type};
use crate::report::FiringRates;

/// More layers or classes than these can't be told apart in a figure.
const MOST_LAYERS: usize = 30;
const MOST_CLASSES: usize = 200;
const TOP: f64 = 24.0;
const WIDEST_CELL: f64 = 110.0;
const CELL_HEIGHT: f64 = 64.0;
/// Between a map and its colour bar.
const BAR_GAP: f64 = 46.0;
/// For the colour bar and its numbers.
const BAR_ROOM: f64 = BAR_WIDTH + 130.0;
const LOWEST_BAR: f64 = 200.0;
/// Below the map and what stands at it.
const GAP: f64 = 30.0;
const PANEL_HEIGHT: f64 = 300.0;
/// Smaller type than this can't be read.
const SMALLEST_TYPE: f64 = 14.0;
const SPIKING: RGBColor = OLD;
const SILENT: RGBColor = NEW;

/// Firing rates with what stands above them.
#[derive(Debug, Clone, PartialEq)]
pub struct RatesFigure {
    /// What stands on top, such as the network and the data.
    pub title: String,
    /// By layer, class and neuron.
    pub rates: FiringRates,
}

/// A figure with everything in its place.
pub(super) struct Layout<'a> {
    figure: &'a RatesFigure,
    title: Vec<String>,
    remark: String,
    /// Rows × columns in pixels.
    map: Frame,
    names: Names,
    class_names: Vec<String>,
    bar: Axes,
    grid: PanelGrid,
    /// Hertz of each neuron, by layer.
    neurons: Vec<Vec<f64>>,
    highest_hz: f64,
    highest_share: f64,
}

impl<'a> Layout<'a> {
    /// Puts everything in its place.
    pub fn new(figure: &'a RatesFigure) -> Result<Self, PlotError> {
        let rates = &figure.rates;
        let (layers, classes) = (rates.layers(), rates.class_names().len());
        if !(1..=MOST_LAYERS).contains(&layers) || !(1..=MOST_CLASSES).contains(&classes) {
            return Err(PlotError::NothingToDraw(format!(
                "{layers} hidden layers and {classes} classes; 1 to {MOST_LAYERS} and 1 to {MOST_CLASSES} are drawn"
            )));
        }
        let title = Type::TITLE.wrap(&figure.title, WIDTH - 2.0 * TOP, 3);
        let samples = rates.samples();
        let samples = match samples {
            1 => "1 sample".to_string(),
            samples => format!("{samples} samples"),
        };
        let mut remark = format!("mean spikes of a neuron in a second, on {samples}");
        if rates.of_classes_hz(0).contains(&None) {
            remark += "; grey: no sample";
        }
        let mut top = TOP + title.len() as f64 * Type::TITLE.line() + 14.0;
        top += Type::LABEL.line() + 10.0;

        let class_names = rates.class_names().iter();
        let class_names: Vec<String> = class_names
            .map(|name| Type::TICK.shorten(name, WIDEST_NAME))
            .collect();
        let widest = class_names.iter().map(|name| Type::TICK.width(name));
        let widest = widest.fold(0.0, f64::max);
        let row_width = Type::TICK.width(&layer_name(layers - 1));
        let names_of = |level| Names {
            width: row_width,
            height: if level { TICK_SIZE } else { widest },
            level,
        };
        let left = names_of(true).left();
        let room = WIDTH - left - BAR_GAP - BAR_ROOM;
        let cell = (room / classes as f64).min(WIDEST_CELL);
        let names = names_of(widest + 10.0 <= cell);
        let bottom = top + CELL_HEIGHT * layers as f64;
        let map = Frame::new(left, top, left + cell * classes as f64, bottom);
        let of_classes = (0..layers).flat_map(|layer| rates.of_classes_hz(layer));
        let highest_mean = of_classes.flatten().fold(0.0, f64::max);
        let bar_left = map.right + BAR_GAP;
        let bar_bottom = map.bottom.max(top + LOWEST_BAR);
        let bar = Axes {
            frame: Frame::new(bar_left, top, bar_left + BAR_WIDTH, bar_bottom),
            x: Scale::new(0.0, 1.0),
            y: Scale::new(0.0, highest_mean),
        };

        let neurons: Vec<Vec<f64>> = (0..layers)
            .map(|layer| rates.of_neurons_hz(layer))
            .collect();
        let highest_hz = neurons.iter().flatten().copied().fold(0.0, f64::max);
        let highest_hz = if highest_hz > 0.0 { highest_hz } else { 1.0 };
        let all_shares = neurons
            .iter()
            .flat_map(|neurons| shares(neurons, (0.0, highest_hz), neurons.len()));
        let highest_share = all_shares.fold(0.0, f64::max) * 1.08;
        let titles: Vec<Title> = (0..layers)
            .map(|layer| Title {
                name: layer_name(layer),
                remark: silence(rates.silent_neurons(layer), neurons[layer].len()),
            })
            .collect();
        let columns = match layers {
            4 => 2,
            layers => layers.min(3),
        };
        let entries = vec![
            (Key::Box(SPIKING), "spikes".to_string()),
            (Key::Box(SILENT), "never spikes".to_string()),
        ];
        let below = (map.bottom + names.below()).max(bar.frame.bottom + 20.0) + GAP;
        let grid = PanelGrid::below(below, &titles, columns, PANEL_HEIGHT, |width| {
            Legend::new(entries, width)
        });
        Ok(Layout {
            figure,
            title,
            remark,
            map,
            names,
            class_names,
            bar,
            grid,
            neurons,
            highest_hz,
            highest_share,
        })
    }

    fn draw_map<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        let (map, layers) = (self.map, self.neurons.len());
        let (classes, highest) = (self.class_names.len(), self.bar.y);
        let (cell, height) = (map.width() / classes as f64, map.height() / layers as f64);
        let mut written = Vec::new();
        for layer in 0..layers {
            for (class, rate) in self
                .figure
                .rates
                .of_classes_hz(layer)
                .into_iter()
                .enumerate()
            {
                let left = map.left + class as f64 * cell;
                let top = map.top + layer as f64 * height;
                let area = Frame::new(left, top, left + cell, top + height);
                let share = rate.map(|rate| highest.part(rate));
                canvas.area(area, share.map_or(NOTHING, colour))?;
                if let Some((rate, share)) = rate.zip(share) {
                    let ink = if share > 0.65 { PAPER } else { INK };
                    written.push((hertz(rate), area.centre(), ink));
                }
            }
        }
        borders(canvas, map, (layers, classes))?;
        // All of one size, if that can be read.
        let widths = written
            .iter()
            .map(|(rate, _, _)| Type::new(100.0, INK).width(rate) / 100.0);
        let size = ((cell - 10.0) / widths.fold(0.1, f64::max)).min(TICK_SIZE);
        for (rate, place, ink) in written.iter().filter(|_| size >= SMALLEST_TYPE) {
            canvas.text(rate, *place, Align::Middle, Type::new(size, *ink))?;
        }
        outline(canvas, map)?;
        for layer in 0..layers {
            let y = map.top + (layer as f64 + 0.5) * height;
            let name = (&layer_name(layer)[..], Type::TICK);
            self.names.draw_row(canvas, map, y, name)?;
        }
        // Every n-th name only where they would run into each other.
        let every = ((TICK_SIZE * 1.05 / cell).ceil() as usize).max(1);
        for (class, name) in self.class_names.iter().enumerate().step_by(every) {
            let x = map.left + (class as f64 + 0.5) * cell;
            self.names.draw_column(canvas, map, x, (name, Type::TICK))?;
        }
        self.names.draw_axes(canvas, map, ("", "class"))?;
        draw_bar(canvas, &self.bar, "rate (Hz)")
    }

    fn draw_panel<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        place: &PanelPlace,
        neurons: &[f64],
    ) -> Result<(), PlotError> {
        place.draw_title(canvas)?;
        let limits = (0.0, self.highest_hz);
        let axes = Axes {
            frame: place.frame,
            x: Scale::new(limits.0, limits.1),
            y: Scale::new(0.0, self.highest_share),
        };
        let (ticks, numbers) = (ticks_within(&axes), axes.y_ticks(false));
        axes.grid(canvas, &[], &numbers)?;
        let spiking: Vec<f64> = neurons.iter().copied().filter(|&hz| hz > 0.0).collect();
        let silent = vec![0.0; neurons.len() - spiking.len()];
        let silent = shares(&silent, limits, neurons.len());
        let spiking = shares(&spiking, limits, neurons.len());
        let below = |bin: usize| silent[bin.min(BINS - 1)];
        bars(canvas, &axes, limits, (&silent, SILENT), |_| 0.0)?;
        bars(canvas, &axes, limits, (&spiking, SPIKING), below)?;
        axes.edges(canvas)?;
        axes.x_labels(canvas, &ticks, "rate (Hz)")?;
        if place.leftmost {
            axes.y_labels(canvas, &numbers)?;
            let name = [("neurons (%)".to_string(), Type::LABEL)];
            axes.y_name(canvas, &name, Y_NAME_LEFT)?;
        }
        Ok(())
    }
}

fn layer_name(layer: usize) -> String {
    format!("layer {}", layer + 1)
}

fn silence(silent: usize, neurons: usize) -> String {
    let share = silent as f64 / neurons.max(1) as f64 * 1e2;
    match silent {
        0 => format!("all {neurons} neurons spike"),
        silent => format!("{silent} of {neurons} neurons never spike ({share:.1} %)"),
    }
}

/// Three digits.
fn hertz(rate: f64) -> String {
    match rate {
        large if large >= 99.95 => format!("{large:.0}"),
        middle if middle >= 9.995 => format!("{middle:.1}"),
        small => format!("{small:.2}"),
    }
}

impl Figure for Layout<'_> {
    fn size(&self) -> (f64, f64) {
        self.grid.size()
    }

    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        let middle = WIDTH / 2.0;
        let mut y = TOP + Type::TITLE.line() / 2.0;
        for line in &self.title {
            canvas.text(line, (middle, y), Align::Middle, Type::TITLE)?;
            y += Type::TITLE.line();
        }
        let kind = Type::LABEL.coloured(QUIET);
        canvas.text(&self.remark, (middle, y), Align::Middle, kind)?;
        self.draw_map(canvas)?;
        for (neurons, place) in self.neurons.iter().zip(&self.grid.panels) {
            self.draw_panel(canvas, place, neurons)?;
        }
        self.grid.draw_legend(canvas)
    }
}
