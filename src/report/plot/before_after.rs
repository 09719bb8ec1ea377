//! How learned numbers are spread, before and after training.
//!
//! In: the learned numbers of two networks. Out: a figure with one panel for each kind and layer, with the
//! distribution over neurons before as bars and after as an outline; where all neurons have the same number, a
//! line stands there.

use plotters::backend::DrawingBackend;
use plotters::style::RGBColor;

use super::PlotError;
use super::axes::{Axes, Scale};
use super::canvas::{Align, Canvas, Figure};
use super::histogram::{bars, outline, shares, ticks_within};
use super::legend::{Key, Legend};
use super::panels::{PanelGrid, PanelPlace, Title, Y_NAME_LEFT};
use super::style::{INK, OLD, QUIET, Type};
use crate::network::{LearnedNumber, Network};

/// More panels than these are not drawn.
const MOST_PANELS: usize = 60;
const HEIGHT: f64 = 330.0;
const BEFORE: RGBColor = RGBColor(0xBB, 0xBB, 0xBB);
const BEFORE_LINE: RGBColor = INK;
const AFTER: RGBColor = OLD;

/// Learned numbers of neurons before and after training.
#[derive(Debug, Clone, PartialEq)]
pub struct BeforeAfterFigure {
    /// What is before, and what is after, for the legend; what is before may be nothing.
    pub names: (String, String),
    /// From left to right, row by row.
    pub panels: Vec<BeforeAfterPanel>,
}

/// One learned number of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct BeforeAfterPanel {
    /// The hidden layer, 0 first.
    pub layer: usize,
    /// Above it, such as `layer 1: τ_mem`.
    pub title: String,
    /// Below the axis, with the unit.
    pub x_name: String,
    /// Its unit, empty without one.
    pub unit: String,
    /// Within what it is kept, the least and the most.
    pub range: (f64, f64),
    /// One for each neuron, or one for all; none if that is not known.
    pub before: Vec<f64>,
    /// One for each neuron, or one for all.
    pub after: Vec<f64>,
}

impl BeforeAfterFigure {
    /// What the neurons of two networks learned, times in milliseconds.
    ///
    /// # Errors
    /// [`PlotError::NothingToDraw`] if nothing is learned but weights, or the two learn other numbers.
    pub fn of_networks(
        (before_name, before): (&str, &Network),
        (after_name, after): (&str, &Network),
    ) -> Result<Self, PlotError> {
        let nothing = |reason: String| Err(PlotError::NothingToDraw(reason));
        let (first, second) = (before.learned_numbers(), after.learned_numbers());
        let kind = |number: &LearnedNumber| {
            (
                number.layer,
                number.name.clone(),
                number.is_time,
                number.values.len(),
            )
        };
        if !first.iter().map(kind).eq(second.iter().map(kind)) {
            return nothing(format!(
                "neurons of {before_name} and {after_name} learn other numbers, or are not as many"
            ));
        }
        if first.is_empty() {
            let name = &after.spec().settings().name;
            return nothing(format!(
                "the neurons of {name} learn nothing, only its weights and biases are learned"
            ));
        }
        let pairs = first.into_iter().zip(second);
        let panels = pairs.map(|(before_of, after_of)| {
            let in_unit = |network: &Network, value: f64| match after_of.is_time {
                true => value * network.spec().grid().step_ms(),
                false => value,
            };
            let unit = if after_of.is_time { "ms" } else { "" };
            let (least, most) = after_of.range;
            let of_before = before_of.values.iter();
            let of_after = after_of.values.iter();
            BeforeAfterPanel {
                layer: after_of.layer,
                title: format!("layer {}: {}", after_of.layer + 1, after_of.name),
                x_name: match after_of.is_time {
                    true => format!("{} (ms)", after_of.name),
                    false => after_of.name.clone(),
                },
                unit: unit.to_string(),
                range: (in_unit(after, least), in_unit(after, most)),
                before: of_before.map(|&value| in_unit(before, value)).collect(),
                after: of_after.map(|&value| in_unit(after, value)).collect(),
            }
        });
        Ok(BeforeAfterFigure {
            names: (before_name.to_string(), after_name.to_string()),
            panels: panels.collect(),
        })
    }

    /// What the neurons of a network learned whose start is not known, times in milliseconds.
    ///
    /// # Errors
    /// [`PlotError::NothingToDraw`] if nothing is learned but weights.
    pub fn of_network(name: &str, network: &Network) -> Result<Self, PlotError> {
        let mut figure = Self::of_networks((name, network), (name, network))?;
        figure.names.0.clear();
        for panel in &mut figure.panels {
            panel.before.clear();
        }
        Ok(figure)
    }
}

impl BeforeAfterPanel {
    /// From where to where its axis goes: what there is, and a little room.
    fn limits(&self) -> (f64, f64) {
        let all = self.before.iter().chain(&self.after).copied();
        let finite = all.filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        match high - low {
            wide if wide > 0.0 => (low - 0.02 * wide, high + 0.02 * wide),
            _ if high.is_finite() => (
                high - 0.5 * high.abs().max(1.0),
                high + 0.5 * high.abs().max(1.0),
            ),
            _ => (0.0, 1.0),
        }
    }

    /// What stands below the title.
    fn remark(&self) -> String {
        // Kept together where lines are broken.
        let unit = match self.unit.is_empty() {
            true => String::new(),
            false => format!("\u{a0}{}", self.unit),
        };
        let after = digits(median(&self.after));
        let before = match self.before.as_slice() {
            [] => String::new(),
            values => format!("{}\u{a0}→\u{a0}", digits(median(values))),
        };
        let middle = match self.after.len() {
            1 => "one\u{a0}for\u{a0}all",
            _ => "median",
        };
        let (least, most) = self.range;
        let mut remark = format!(
            "{middle}\u{a0}{before}{after}{unit}, kept\u{a0}in\u{a0}{}\u{a0}to\u{a0}{}",
            short(least),
            short(most)
        );
        let endless = |values: &[f64]| values.iter().filter(|value| !value.is_finite()).count();
        let left_out = endless(&self.before) + endless(&self.after);
        if left_out > 0 {
            remark += &format!(", {left_out}\u{a0}without\u{a0}an\u{a0}end\u{a0}left\u{a0}out");
        }
        remark
    }
}

/// A row for each layer if all have as many panels and these are not many; else as many as there is room for.
fn columns(figure: &BeforeAfterFigure) -> usize {
    let layer = |panel: &BeforeAfterPanel| panel.layer;
    let mut layers = figure
        .panels
        .chunk_by(|one, other| layer(one) == layer(other));
    let of_first = layers.next().map_or(1, <[_]>::len);
    match layers.all(|panels| panels.len() == of_first) && of_first <= 4 {
        // Of a single panel a layer, several stand side by side.
        true if of_first > 1 => of_first,
        _ => figure.panels.len().min(3),
    }
}

/// The middle one of the numbers, or the mean of the two in the middle.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (
        sorted.get(sorted.len().saturating_sub(1) / 2),
        sorted.get(sorted.len() / 2),
    ) {
        (Some(one), Some(other)) => (one + other) / 2.0,
        _ => f64::NAN,
    }
}

/// Three digits.
fn digits(value: f64) -> String {
    match value.abs() {
        infinite if infinite.is_infinite() => "∞".to_string(),
        large if large >= 99.95 => format!("{value:.0}"),
        middle if middle >= 9.995 => format!("{value:.1}"),
        small if small >= 0.01 || small == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.1e}"),
    }
}

/// The same without zeros that say nothing.
fn short(value: f64) -> String {
    let digits = digits(value);
    match digits.contains('.') && !digits.contains('e') {
        true => digits
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_string(),
        false => digits,
    }
}

/// How many numbers there are if they differ, or the one that all of them are.
enum Spread {
    Wide(Vec<f64>),
    Alike(f64),
    Nothing,
}

impl Spread {
    fn of(values: &[f64], limits: (f64, f64)) -> Self {
        let finite = values.iter().copied().filter(|value| value.is_finite());
        let finite: Vec<f64> = finite.collect();
        match finite.first() {
            None => Spread::Nothing,
            Some(&first) if finite.iter().all(|value| *value == first) => Spread::Alike(first),
            Some(_) => Spread::Wide(shares(&finite, limits, values.len())),
        }
    }

    fn highest(&self) -> f64 {
        match self {
            Spread::Wide(shares) => shares.iter().copied().fold(0.0, f64::max),
            _ => 0.0,
        }
    }
}

/// A figure with everything in its place.
pub(super) struct Layout<'a> {
    panels: Vec<(&'a BeforeAfterPanel, [Spread; 2])>,
    grid: PanelGrid,
    highest: f64,
}

impl<'a> Layout<'a> {
    /// Puts everything in its place.
    pub fn new(figure: &'a BeforeAfterFigure) -> Result<Self, PlotError> {
        let many = figure.panels.len();
        if !(1..=MOST_PANELS).contains(&many) {
            return Err(PlotError::NothingToDraw(format!(
                "{many} learned numbers, and 1 to {MOST_PANELS} are drawn"
            )));
        }
        let panels: Vec<_> = figure
            .panels
            .iter()
            .map(|panel| {
                let limits = panel.limits();
                (
                    panel,
                    [&panel.before, &panel.after].map(|values| Spread::of(values, limits)),
                )
            })
            .collect();
        let spreads = || panels.iter().flat_map(|(_, spreads)| spreads);
        let highest = spreads().map(Spread::highest).fold(0.0, f64::max);
        let titles: Vec<Title> = figure
            .panels
            .iter()
            .map(|panel| Title {
                name: panel.title.clone(),
                remark: panel.remark(),
            })
            .collect();
        let columns = columns(figure);
        let (before, after) = &figure.names;
        let is_alike = |spread: &Spread| matches!(spread, Spread::Alike(_));
        let mut entries = Vec::new();
        if panels
            .iter()
            .any(|(_, [before, _])| matches!(before, Spread::Wide(_)))
        {
            entries.push((Key::Box(BEFORE), before.clone()));
        }
        if panels.iter().any(|(_, [before, _])| is_alike(before)) {
            entries.push((
                Key::Dashes(BEFORE_LINE),
                format!("{before}, the same for all"),
            ));
        }
        entries.push((Key::Line(AFTER), after.clone()));
        let grid = PanelGrid::new(&titles, columns, HEIGHT, |width| {
            Legend::new(entries, width)
        });
        Ok(Layout {
            panels,
            grid,
            highest: if highest > 0.0 { highest * 1.08 } else { 1e2 },
        })
    }

    fn draw_panel<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        place: &PanelPlace,
        (panel, [before, after]): &(&BeforeAfterPanel, [Spread; 2]),
    ) -> Result<(), PlotError> {
        place.draw_title(canvas)?;
        let limits = panel.limits();
        let axes = Axes {
            frame: place.frame,
            x: Scale::new(limits.0, limits.1),
            y: Scale::new(0.0, self.highest),
        };
        let (ticks, shares) = (ticks_within(&axes), axes.y_ticks(false));
        axes.grid(canvas, &[], &shares)?;
        let upright = |value: f64| {
            let x = axes.x_place(value);
            ((x, axes.frame.bottom), (x, axes.frame.top))
        };
        if let Spread::Wide(shares) = before {
            bars(canvas, &axes, limits, (shares, BEFORE), |_| 0.0)?;
        }
        match after {
            Spread::Wide(shares) => outline(canvas, &axes, limits, (shares, AFTER))?,
            Spread::Alike(value) => {
                let (from, to) = upright(*value);
                canvas.line(from, to, AFTER, 5.0)?;
            }
            Spread::Nothing => {}
        }
        // On top: it has gaps.
        if let Spread::Alike(value) = before {
            let (from, to) = upright(*value);
            canvas.dashes(from, to, BEFORE_LINE, 2.5)?;
        }
        axes.edges(canvas)?;
        axes.x_labels(canvas, &ticks, &panel.x_name)?;
        if place.leftmost {
            axes.y_labels(canvas, &shares)?;
            let name = [("neurons (%)".to_string(), Type::LABEL)];
            axes.y_name(canvas, &name, Y_NAME_LEFT)?;
        }
        if matches!((before, after), (Spread::Nothing, Spread::Nothing)) {
            let kind = Type::TICK.coloured(QUIET);
            canvas.text("none has an end", axes.frame.centre(), Align::Middle, kind)?;
        }
        Ok(())
    }
}

impl Figure for Layout<'_> {
    fn size(&self) -> (f64, f64) {
        self.grid.size()
    }

    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        for (panel, place) in self.panels.iter().zip(&self.grid.panels) {
            self.draw_panel(canvas, place, panel)?;
        }
        self.grid.draw_legend(canvas)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_digits() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
        let told = [0.0, 0.123456, 12.3456, 1234.5, f64::INFINITY, 1e-9].map(digits);
        assert_eq!(told, ["0.00", "0.12", "12.3", "1234", "∞", "1.0e-9"]);
        let told = [0.0, 0.5, 20.0, 1200.0, 1e-9].map(short);
        assert_eq!(told, ["0", "0.5", "20", "1200", "1.0e-9"]);
    }
}
