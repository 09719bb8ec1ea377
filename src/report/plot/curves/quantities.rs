//! Quantities of plain training beside accuracy, over epochs in one panel.
//!
//! In: the record of a run. Out: a line for the loss, or one for each layer, on an axis that all runs share.

use plotters::backend::DrawingBackend;
use plotters::style::RGBColor;

use super::super::PlotError;
use super::super::axes::{Axes, Frame, Scale, Tick, logarithmic_ticks};
use super::super::canvas::Canvas;
use super::super::legend::Key;
use super::super::lines::LineStyle;
use super::super::style::{INK, Type};
use super::CurvesOf;
use super::accuracy::{MOST_DOTS, draw_chosen};
use crate::report::{EpochLine, RunRecord};

/// What changes so many times is shown on a logarithmic axis.
const DECADE: f64 = 10.0;
/// From the first hidden layer to the last: the further up, the lighter, so that light and dark alone tell them
/// apart to those who see fewer colours. None of them means something else in another panel.
const LAYERS: [(f64, f64, f64); 4] = [
    (59.0, 15.0, 112.0),
    (156.0, 46.0, 127.0),
    (228.0, 79.0, 100.0),
    (249.0, 164.0, 92.0),
];

/// What a line shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// The whole network.
    Network,
    /// A hidden layer, 0 first.
    Layer(usize),
    Readout,
}

impl Of {
    /// Those that a quantity is recorded of, in networks of so many hidden layers.
    fn all(of: CurvesOf, layers: usize) -> Vec<Of> {
        let hidden = (0..layers).map(Of::Layer);
        match of {
            CurvesOf::Accuracy => Vec::new(),
            CurvesOf::Loss => vec![Of::Network],
            CurvesOf::Activity => hidden.collect(),
            CurvesOf::Gradients => hidden.chain([Of::Readout]).collect(),
        }
    }

    /// The quantity after an epoch, if it is recorded and a number.
    fn value(self, of: CurvesOf, run: &RunRecord, epoch: &EpochLine) -> Option<f64> {
        let place = match self {
            Of::Network => None,
            Of::Layer(layer) => Some(Some(layer)),
            Of::Readout => Some(None),
        };
        let mut layers = epoch.layers.iter();
        let figures = place.and_then(|place| layers.find(|figures| figures.layer == place));
        let value = match of {
            CurvesOf::Accuracy => None,
            CurvesOf::Loss => epoch.loss,
            CurvesOf::Gradients => Some(figures?.gradient_norm),
            CurvesOf::Activity => {
                let step_s = run.start.spec.grid().step_ms() / 1e3;
                Some(figures?.spikes_per_step? / step_s)
            }
        }?;
        value.is_finite().then_some(value)
    }

    fn colour(self, layers: usize) -> RGBColor {
        let Of::Layer(layer) = self else {
            return INK;
        };
        let last = layers.saturating_sub(1).max(1) as f64;
        let place = (layer as f64 / last).min(1.0) * (LAYERS.len() - 1) as f64;
        let below = (place as usize).min(LAYERS.len() - 2);
        let (from, to, part) = (LAYERS[below], LAYERS[below + 1], place - below as f64);
        let mix = |from: f64, to: f64| (from + (to - from) * part).round() as u8;
        RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
    }

    fn style(self) -> LineStyle {
        match self {
            Of::Readout => LineStyle::Dashed,
            Of::Network | Of::Layer(_) => LineStyle::Solid,
        }
    }

    fn name(self) -> String {
        match self {
            Of::Network => "loss".to_string(),
            Of::Layer(layer) => format!("layer {}", layer + 1),
            Of::Readout => "readout".to_string(),
        }
    }
}

/// Whether a run's record has something of a quantity.
pub(super) fn is_recorded(run: &RunRecord, of: CurvesOf) -> bool {
    let layers = layers(std::slice::from_ref(run));
    let mut values = run.epochs.iter().flat_map(|epoch| {
        let all = Of::all(of, layers).into_iter();
        all.filter_map(|one| one.value(of, run, epoch))
    });
    match of {
        CurvesOf::Accuracy => !run.epochs.is_empty(),
        _ => values.next().is_some(),
    }
}

/// Hidden layers of the deepest network that epochs note layers of.
pub(super) fn layers(runs: &[RunRecord]) -> usize {
    let epochs = runs.iter().flat_map(|run| &run.epochs);
    let noted = epochs.flat_map(|epoch| &epoch.layers);
    let places = noted.filter_map(|figures| figures.layer);
    places.map(|layer| layer + 1).max().unwrap_or(0)
}

/// A quantity, with the axis that all runs share.
#[derive(Debug, Clone)]
pub(super) struct Quantity {
    of: CurvesOf,
    layers: usize,
    limits: (f64, f64),
    is_logarithmic: bool,
}

impl Quantity {
    /// The axis that some runs need.
    pub fn new(of: CurvesOf, runs: &[RunRecord]) -> Self {
        let layers = layers(runs);
        let mut values = Vec::new();
        for run in runs {
            for one in Of::all(of, layers) {
                let epochs = run.epochs.iter();
                values.extend(epochs.filter_map(|epoch| one.value(of, run, epoch)));
            }
        }
        // A layer that does not spike has no gradient, and is not seen.
        if of == CurvesOf::Gradients {
            values.retain(|value| *value > 0.0);
        }
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(0.0, f64::max);
        let is_logarithmic = match of {
            CurvesOf::Loss => low > 0.0 && high >= DECADE * low,
            CurvesOf::Gradients => low > 0.0 && low <= high,
            _ => false,
        };
        let limits = match is_logarithmic {
            true => (low / 1.25, high * 1.25),
            false => (low.min(0.0), high * 1.06),
        };
        Quantity {
            of,
            layers,
            limits,
            is_logarithmic,
        }
    }

    fn scale(&self) -> Scale {
        let (low, high) = self.limits;
        match self.is_logarithmic {
            true => Scale::new(low.log10(), high.log10()),
            false => Scale::new(low, high),
        }
    }

    fn ticks(&self, axes: &Axes) -> Vec<Tick> {
        match self.is_logarithmic {
            true => {
                let most = (axes.frame.height() / 34.0).max(2.0) as usize;
                logarithmic_ticks(self.limits, most)
            }
            false => axes.y.ticks(5, false),
        }
    }

    /// What the axis shows, with its unit.
    fn name(&self) -> &'static str {
        match self.of {
            CurvesOf::Accuracy => "accuracy (%)",
            CurvesOf::Loss => "training loss",
            CurvesOf::Activity => "firing rate (Hz)",
            CurvesOf::Gradients => "gradient norm",
        }
    }

    /// What lines mean, of layers alone: a single line needs no telling.
    pub fn entries(&self) -> Vec<(Key, String)> {
        let all = Of::all(self.of, self.layers).into_iter();
        let layers = all.filter(|one| *one != Of::Network);
        let entries = layers.map(|one| {
            let key = Key::Series(one.colour(self.layers), one.style(), None);
            (key, one.name())
        });
        entries.collect()
    }

    /// Draws it of a run, with the name of its y axis so far left of it.
    pub fn draw<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        run: &RunRecord,
        frame: Frame,
        away: f64,
    ) -> Result<(), PlotError> {
        let axes = Axes {
            frame,
            x: Scale::new(0.5, run.epochs.len().max(1) as f64 + 0.5),
            y: self.scale(),
        };
        let ticks = self.ticks(&axes);
        if is_recorded(run, self.of) {
            axes.grid(canvas, &[], &ticks)?;
        }
        draw_chosen(canvas, &axes, run)?;
        axes.edges(canvas)?;
        for one in Of::all(self.of, self.layers) {
            self.draw_line(canvas, run, &axes, one)?;
        }
        match (run.epochs.is_empty(), is_recorded(run, self.of)) {
            (true, _) => axes.remark(canvas, "no epoch yet")?,
            (false, false) => axes.remark(canvas, "not recorded")?,
            (false, true) => {}
        }
        if !run.epochs.is_empty() {
            axes.x_labels(canvas, &axes.x_ticks(true), "epoch")?;
        }
        axes.y_labels(canvas, &ticks)?;
        axes.y_name(canvas, &[(self.name().to_string(), Type::LABEL)], away)
    }

    fn draw_line<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        run: &RunRecord,
        axes: &Axes,
        one: Of,
    ) -> Result<(), PlotError> {
        let points = run.epochs.iter().enumerate().map(|(index, epoch)| {
            let value = one.value(self.of, run, epoch)?;
            let value = match self.is_logarithmic {
                true if value <= 0.0 => return None,
                true => value.log10(),
                false => value,
            };
            Some(axes.place(index as f64 + 1.0, value))
        });
        let points: Vec<Option<(f64, f64)>> = points.collect();
        let colour = one.colour(self.layers);
        for stretch in points.split(Option::is_none) {
            let stretch: Vec<(f64, f64)> = stretch.iter().copied().flatten().collect();
            match one.style().pattern() {
                Some(pattern) => canvas.dashed_path(&stretch, colour, 3.0, pattern)?,
                None => canvas.path(&stretch, colour, 3.5)?,
            }
            if points.len() <= MOST_DOTS || stretch.len() == 1 {
                for point in stretch {
                    canvas.dot(point, 5.0, colour)?;
                }
            }
        }
        Ok(())
    }
}
