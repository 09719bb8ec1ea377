//! Runs side by side.
//!
//! In: records of finished continual-learning runs. Out: a figure with a group of bars for each, in the
//! order given: accuracy on old, new and all test samples at the end, with rings where it was before anything new
//! was learned.

use plotters::backend::DrawingBackend;
use plotters::style::RGBColor;

use super::PlotError;
use super::axes::{Axes, Frame, Scale};
use super::canvas::{Align, Canvas, Figure};
use super::legend::{Key, Legend};
use super::style::{ALL, NEW, OLD, QUIET, Type};
use crate::continual::{Accuracies, TestSamples};
use crate::replay::ReplayFigures;
use crate::report::{LearnSummary, RunRecord, Summary, describe_replay, kilobytes};

const LEFT: f64 = 140.0;
const RIGHT: f64 = 40.0;
const TOP: f64 = 24.0;
const HEIGHT: f64 = 600.0;
const LEGEND_GAP: f64 = 26.0;
/// Below the axis: the bars' numbers.
const NUMBERS: f64 = 44.0;
const MOST_LINES: usize = 6;
const VALUE: Type = Type::new(22.0, super::style::INK);
const NAME: Type = Type::new(23.0, super::style::INK);

/// A figure with everything in its place.
#[derive(Debug)]
pub(super) struct Layout {
    groups: Vec<Group>,
    group_width: f64,
    legend: Legend,
    axes: Axes,
    size: (f64, f64),
}

#[derive(Debug)]
struct Group {
    lines: Vec<(String, Type)>,
    bars: [Bar; 3],
}

/// Percentages.
#[derive(Debug, Clone, Copy)]
struct Bar {
    before: f64,
    after: f64,
    colour: RGBColor,
}

impl Layout {
    /// Puts everything in its place.
    pub fn new(runs: &[RunRecord]) -> Result<Self, PlotError> {
        let finished = runs.iter().map(|run| match &run.summary {
            Some(Summary::Learn(summary)) => Ok((run, summary)),
            Some(Summary::Train(_)) => {
                Err(format!("{} is not a run of continual learning", run.name))
            }
            None => Err(format!("{} is not over", run.name)),
        });
        let finished = finished.collect::<Result<Vec<_>, _>>();
        let finished = finished.map_err(PlotError::NothingToDraw)?;
        if finished.is_empty() {
            return Err(PlotError::NothingToDraw("no run was given".into()));
        }
        let group_width = match finished.len() {
            1..=2 => 380.0,
            3..=4 => 310.0,
            5..=7 => 240.0,
            _ => 215.0,
        };
        // The legend needs some width even if there is one group only.
        let width = (group_width * finished.len() as f64).max(760.0);
        let group_width = width / finished.len() as f64;
        let labels: Vec<Vec<String>> = finished.iter().map(|(_, summary)| label(summary)).collect();
        let groups = finished.iter().zip(&labels).map(|((run, summary), label)| {
            let twice = labels.iter().filter(|other| *other == label).count() > 1;
            Group::new(run, summary, label, twice, group_width - 20.0)
        });
        let groups: Vec<Group> = groups.collect();

        let entries = vec![
            (Key::Box(OLD), "old".to_string()),
            (Key::Box(NEW), "new".to_string()),
            (Key::Box(ALL), "all test samples".to_string()),
            (Key::Ring, "before learning".to_string()),
        ];
        let legend = Legend::new(entries, width);
        let top = TOP + legend.height() + LEGEND_GAP;
        let axes = Axes {
            frame: Frame::new(LEFT, top, LEFT + width, top + HEIGHT),
            x: Scale::new(0.0, groups.len() as f64),
            y: Scale::new(0.0, 100.0),
        };
        let lines = groups
            .iter()
            .map(|group| group.lines.len())
            .max()
            .unwrap_or(0);
        let below = NUMBERS + lines as f64 * NAME.line() + 26.0;
        Ok(Layout {
            groups,
            group_width,
            legend,
            size: (LEFT + width + RIGHT, axes.frame.bottom + below),
            axes,
        })
    }
}

/// What tells a run from others: its scenario, its strategy and codec, and what its memory holds.
fn label(summary: &LearnSummary) -> Vec<String> {
    let mut label = vec![
        summary.scenario.clone(),
        describe_replay(&summary.experiment),
    ];
    let ReplayFigures { samples, bytes, .. } = summary.replay.figures;
    if samples > 0 {
        // A number and its unit stay on one line.
        let size = kilobytes(bytes).replace(' ', "\u{a0}");
        label.push(format!("{samples}\u{a0}replays, {size}"));
    }
    label
}

/// How many test samples stand behind the bars.
fn tested(run: &RunRecord) -> Option<String> {
    let TestSamples { old, new, all } = run.test_samples()?;
    let both = format!("{old}\u{a0}old + {new}\u{a0}new test samples");
    Some(match old + new == all {
        true => both,
        false => format!("{both}, all\u{a0}{all}"),
    })
}

impl Group {
    fn new(
        run: &RunRecord,
        summary: &LearnSummary,
        label: &[String],
        twice: bool,
        width: f64,
    ) -> Self {
        let mut lines = Vec::new();
        for (index, text) in label.iter().enumerate() {
            let kind = if index == 0 { NAME.bold() } else { NAME };
            let wrapped = kind.wrap(text, width, MOST_LINES).into_iter();
            lines.extend(wrapped.map(|line| (line, kind)));
        }
        // Runs that differ in something else are told apart by their folders.
        if twice {
            let wrapped = NAME.wrap(&run.name, width, 2).into_iter();
            lines.extend(wrapped.map(|line| (line, NAME)));
        }
        let quiet = NAME.coloured(QUIET);
        let tested = tested(run).map(|text| quiet.wrap(&text, width, 3));
        lines.extend(tested.into_iter().flatten().map(|line| (line, quiet)));
        let (before, after) = (summary.accuracy.before, summary.accuracy.after);
        let bar = |of: fn(&Accuracies) -> f64, colour| Bar {
            before: of(&before) * 1e2,
            after: of(&after) * 1e2,
            colour,
        };
        Group {
            lines,
            bars: [
                bar(|accuracy| accuracy.old, OLD),
                bar(|accuracy| accuracy.new, NEW),
                bar(|accuracy| accuracy.all, ALL),
            ],
        }
    }
}

impl Figure for Layout {
    fn size(&self) -> (f64, f64) {
        self.size
    }

    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        let frame = self.axes.frame;
        self.legend.draw(canvas, frame.centre().0, TOP)?;
        let percents = self.axes.y.ticks(5, false);
        self.axes.grid(canvas, &[], &percents)?;
        let step = (self.group_width / 3.6).min(100.0);
        for (index, group) in self.groups.iter().enumerate() {
            let middle = self.axes.x_place(index as f64 + 0.5);
            for (place, bar) in group.bars.iter().enumerate() {
                let x = middle + (place as f64 - 1.0) * step;
                let half = step * 0.43;
                if bar.after.is_finite() {
                    let top = self.axes.y_place(bar.after);
                    canvas.area(
                        Frame::new(x - half, top, x + half, frame.bottom),
                        bar.colour,
                    )?;
                }
                let number = match bar.after.is_finite() {
                    true => format!("{:.1}", bar.after.clamp(-999.0, 999.0)),
                    false => "–".to_string(),
                };
                let below = frame.bottom + NUMBERS / 2.0 + 3.0;
                let kind = VALUE.coloured(bar.colour);
                canvas.text(&number, (x, below), Align::Middle, kind)?;
            }
            let mut y = frame.bottom + NUMBERS + NAME.line() * 0.5 + 4.0;
            for (line, kind) in &group.lines {
                canvas.text(line, (middle, y), Align::Middle, *kind)?;
                y += NAME.line();
            }
        }
        self.axes.edges(canvas)?;
        // On top of the axis, as many were at 0 before.
        for (index, group) in self.groups.iter().enumerate() {
            let middle = self.axes.x_place(index as f64 + 0.5);
            for (place, bar) in group.bars.iter().enumerate() {
                if bar.before.is_finite() {
                    let x = middle + (place as f64 - 1.0) * step;
                    canvas.ring((x, self.axes.y_place(bar.before)), bar.colour)?;
                }
            }
        }
        self.axes.y_labels(canvas, &percents)?;
        let name = [("accuracy at the end (%)".to_string(), Type::LABEL)];
        self.axes.y_name(canvas, &name, LEFT - 36.0)
    }
}
