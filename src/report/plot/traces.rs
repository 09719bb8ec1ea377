//! States of single neurons over time.
//!
//! In: for each neuron its membrane potential, threshold and other states step by step, and its spikes. Out: a
//! figure with one row for each on a common time axis: spikes on top, the membrane with the threshold below
//! them, and, where the neuron has others, its other states below that.

use plotters::backend::DrawingBackend;
use plotters::style::RGBColor;

use super::PlotError;
use super::axes::{Axes, Frame, Scale};
use super::canvas::{Align, Canvas, DASHES, Figure};
use super::legend::{Key, Legend};
use super::raster::milliseconds;
use super::style::{INK, NEW, OLD, QUIET, TICK_SIZE, Type, series_colour};
use crate::ids::TimeStep;
use crate::spikes::TimeGrid;

/// Neurons while a sample runs through their layer.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceFigure {
    /// What stands on top, such as the layer, the network and the sample.
    pub title: String,
    /// What else is to be said; the width of a time step always is.
    pub remarks: Vec<String>,
    /// The time steps of all rows.
    pub grid: TimeGrid,
    /// What states are called in the legend: the membrane first, then as many as each row has.
    pub names: Vec<String>,
    /// From the top down.
    pub rows: Vec<TraceRow>,
}

/// One neuron; one number a step everywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceRow {
    /// What it is called, such as `neuron 17`.
    pub label: String,
    /// Its membrane potential.
    pub membrane: Vec<f32>,
    /// What that is compared with.
    pub threshold: Vec<f32>,
    /// Its other states; may be empty.
    pub states: Vec<Vec<f32>>,
    /// The steps in which it spiked.
    pub spikes: Vec<TimeStep>,
}

/// More rows than these are not drawn.
const MOST_ROWS: usize = 40;
const WIDTH: f64 = 1600.0;
const LEFT: f64 = 180.0;
const RIGHT: f64 = 40.0;
const TOP: f64 = 24.0;
/// The band of the spikes.
const SPIKES: f64 = 30.0;
const MEMBRANE: f64 = 190.0;
/// Between the membrane and the other states.
const INNER_GAP: f64 = 28.0;
const STATES: f64 = 104.0;
/// Between two rows.
const GAP: f64 = 40.0;
/// Below the last row: numbers and the name of the time axis.
const BELOW: f64 = 96.0;
/// Below the legend.
const LEGEND_GAP: f64 = 20.0;
/// Steps are put together where there are more than can be told apart.
const MOST_POINTS: usize = 1500;
/// The membrane, the threshold, and what else there is from this colour on.
const MEMBRANE_COLOUR: RGBColor = OLD;
const THRESHOLD_COLOUR: RGBColor = NEW;
const FIRST_STATE_COLOUR: usize = 2;

/// A figure with everything in its place.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    title: Vec<String>,
    remarks: Vec<String>,
    grid: TimeGrid,
    rows: Vec<Row<'a>>,
    legend: Legend,
    height: f64,
}

#[derive(Debug)]
struct Row<'a> {
    row: &'a TraceRow,
    /// Top of the band of the spikes.
    top: f64,
    membrane: Axes,
    states: Option<Axes>,
}

impl<'a> Layout<'a> {
    /// Puts everything in its place.
    pub fn new(figure: &'a TraceFigure) -> Result<Self, PlotError> {
        check(figure)?;
        let grid = figure.grid;
        // Step 0 may lie before the start, and is left out if nothing spiked there.
        let before = |row: &TraceRow| row.spikes.contains(&TimeStep(0));
        let start = grid
            .start_s(TimeStep(0))
            .max(match figure.rows.iter().any(before) {
                true => f64::NEG_INFINITY,
                false => 0.0,
            });
        let time = Scale::new(start * 1e3, grid.max_time_s() * 1e3);
        let title = Type::TITLE.wrap(&figure.title, WIDTH - LEFT - RIGHT, 3);
        let mut remarks = vec![format!("time steps of {}", milliseconds(grid.step_ms()))];
        remarks.extend(figure.remarks.iter().cloned());
        let remarks = Type::LABEL.wrap(&remarks.join("; "), WIDTH - LEFT - RIGHT, 3);
        let mut top = TOP + title.len() as f64 * Type::TITLE.line() + 14.0;
        top += remarks.len() as f64 * Type::LABEL.line() + 6.0;
        let mut rows = Vec::new();
        for row in &figure.rows {
            let frame = |top: f64, height: f64| Frame::new(LEFT, top, WIDTH - RIGHT, top + height);
            let membrane = Axes {
                frame: frame(top + SPIKES, MEMBRANE),
                x: time,
                y: around(row.membrane.iter().chain(&row.threshold)),
            };
            let mut bottom = membrane.frame.bottom;
            let states = (!row.states.is_empty()).then(|| Axes {
                frame: frame(bottom + INNER_GAP, STATES),
                x: time,
                y: around(row.states.iter().flatten()),
            });
            if let Some(states) = states {
                bottom = states.frame.bottom;
            }
            rows.push(Row {
                row,
                top,
                membrane,
                states,
            });
            top = bottom + GAP;
        }
        let legend = Legend::new(entries(&figure.names), WIDTH - LEFT - RIGHT);
        Ok(Layout {
            title,
            remarks,
            grid,
            rows,
            height: top - GAP + BELOW + legend.height() + LEGEND_GAP,
            legend,
        })
    }
}

/// Refuses what does not fit together.
fn check(figure: &TraceFigure) -> Result<(), PlotError> {
    let nothing = |reason: String| Err(PlotError::NothingToDraw(reason));
    if figure.rows.is_empty() {
        return nothing("no neuron was given".into());
    }
    if figure.rows.len() > MOST_ROWS {
        let rows = figure.rows.len();
        return nothing(format!(
            "{rows} neurons are more than the {MOST_ROWS} of a figure"
        ));
    }
    let steps = figure.grid.steps();
    for row in &figure.rows {
        let states = row.states.iter().chain([&row.membrane, &row.threshold]);
        if states.map(Vec::len).any(|numbers| numbers != steps) {
            return nothing(format!(
                "{} has not one number for each of {steps} steps",
                row.label
            ));
        }
        if row.states.len() + 1 != figure.names.len() {
            return nothing(format!(
                "{} has other states than there are names",
                row.label
            ));
        }
    }
    Ok(())
}

/// An axis that has all numbers, with a little room at both ends.
fn around<'n>(numbers: impl Iterator<Item = &'n f32>) -> Scale {
    let finite = numbers.map(|&number| f64::from(number));
    let finite = finite.filter(|number| number.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), number| {
        (low.min(number), high.max(number))
    });
    let room = match high - low {
        room if room > 0.0 => 0.06 * room,
        // All alike: somewhere in the middle.
        _ => (0.5 * high.abs()).max(0.5),
    };
    Scale::new(low - room, high + room)
}

fn entries(names: &[String]) -> Vec<(Key, String)> {
    let mut entries = vec![(Key::Tick(INK), "spike".to_string())];
    for (index, name) in names.iter().enumerate() {
        match index {
            0 => entries.extend([
                (Key::Line(MEMBRANE_COLOUR), name.clone()),
                (Key::Dashes(THRESHOLD_COLOUR), "threshold".to_string()),
            ]),
            index => entries.push((Key::Line(state_colour(index - 1)), name.clone())),
        }
    }
    entries
}

fn state_colour(index: usize) -> RGBColor {
    series_colour(FIRST_STATE_COLOUR + index)
}

impl Row<'_> {
    fn draw<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        grid: TimeGrid,
    ) -> Result<(), PlotError> {
        let (row, axes) = (self.row, &self.membrane);
        let times = axes.x_ticks(false);
        let numbers = axes.y_ticks(false);
        axes.grid(canvas, &times, &numbers)?;
        for &step in &row.spikes {
            let x = axes.x_place(middle_ms(grid, step.0));
            canvas.line((x, self.top), (x, self.top + SPIKES - 8.0), INK, 3.0)?;
        }
        let membrane = path(axes, grid, &row.membrane);
        canvas.path(&membrane, MEMBRANE_COLOUR, 2.8)?;
        // On top: it has gaps.
        let threshold = path(axes, grid, &row.threshold);
        canvas.dashed_path(&threshold, THRESHOLD_COLOUR, 2.5, DASHES)?;
        axes.edges(canvas)?;
        axes.y_labels(canvas, &numbers)?;
        if let Some(axes) = &self.states {
            let numbers = axes.y.ticks(3, false);
            axes.grid(canvas, &times, &numbers)?;
            for (index, state) in row.states.iter().enumerate() {
                canvas.path(&path(axes, grid, state), state_colour(index), 2.8)?;
            }
            axes.edges(canvas)?;
            axes.y_labels(canvas, &numbers)?;
        }
        let spikes = match row.spikes.len() {
            1 => "1 spike".to_string(),
            spikes => format!("{spikes} spikes"),
        };
        let whole = Axes {
            frame: Frame {
                bottom: self.bottom(),
                ..self.membrane.frame
            },
            ..self.membrane
        };
        let room = whole.frame.height() + GAP / 2.0;
        let kind = Type::LABEL.bold();
        let name = [
            (kind.shorten(&row.label, room), kind),
            (spikes, Type::new(TICK_SIZE, QUIET)),
        ];
        whole.y_name(canvas, &name, LEFT - 30.0)
    }

    fn bottom(&self) -> f64 {
        self.states.as_ref().unwrap_or(&self.membrane).frame.bottom
    }
}

/// The middle of a step, in milliseconds.
fn middle_ms(grid: TimeGrid, step: usize) -> f64 {
    grid.start_s(TimeStep(step)) * 1e3 + grid.step_ms() / 2.0
}

/// A state in pixels. Where there are more steps than can be told apart, neighbours are put together, of which
/// the least and the most are drawn. Steps that lie before the axis, and what is no number, are left out.
fn path(axes: &Axes, grid: TimeGrid, state: &[f32]) -> Vec<(f64, f64)> {
    let steps: Vec<usize> = (0..state.len())
        .filter(|&step| axes.x.has(middle_ms(grid, step)) && state[step].is_finite())
        .collect();
    let together = steps.len().div_ceil(MOST_POINTS).max(1);
    let ends = steps.chunks(together).flat_map(|steps| {
        let by_value = |&one: &&usize, &other: &&usize| state[*one].total_cmp(&state[*other]);
        let least = steps.iter().min_by(by_value).copied();
        let most = steps.iter().max_by(by_value).copied();
        let (first, second) = (least.min(most), least.max(most));
        [first, second.filter(|_| first != second)]
    });
    let mut places: Vec<(f64, f64)> = Vec::new();
    for step in ends.flatten() {
        let (x, y) = axes.place(middle_ms(grid, step), f64::from(state[step]));
        // What is level but for rounding is drawn as level, and as one line.
        let place = (x, (y * 8.0).round() / 8.0);
        let goes_on =
            matches!(places[..], [.., before, last] if before.1 == last.1 && last.1 == place.1);
        if goes_on {
            places.pop();
        }
        places.push(place);
    }
    places
}

impl Figure for Layout<'_> {
    fn size(&self) -> (f64, f64) {
        (WIDTH, self.height)
    }

    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        let middle = (LEFT + WIDTH - RIGHT) / 2.0;
        let mut y = TOP + Type::TITLE.line() / 2.0;
        for line in &self.title {
            canvas.text(line, (middle, y), Align::Middle, Type::TITLE)?;
            y += Type::TITLE.line();
        }
        for line in &self.remarks {
            let kind = Type::LABEL.coloured(QUIET);
            canvas.text(line, (middle, y), Align::Middle, kind)?;
            y += Type::LABEL.line();
        }
        for row in &self.rows {
            row.draw(canvas, self.grid)?;
        }
        if let Some(last) = self.rows.last() {
            let axes = last.states.as_ref().unwrap_or(&last.membrane);
            axes.x_labels(canvas, &axes.x_ticks(false), "time (ms)")?;
            let top = last.bottom() + BELOW;
            self.legend.draw(canvas, middle, top)?;
        }
        Ok(())
    }
}
