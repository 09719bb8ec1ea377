//! Figures of an outcome.

use std::path::Path;

use crate::concepts::{ConceptOutcome, WayOutcome};
use crate::report::plot::{
    GalleryCell, GalleryFigure, GalleryRow, LineAxis, LineFigure, LinePanel, LineStyle, Mark,
    Point, Series, gallery, lines,
};
use crate::report::suite::Spread;
use crate::storage::shown;

/// What tells ways apart besides colours.
const MARKS: [Mark; 8] = [
    Mark::Circle,
    Mark::Square,
    Mark::Diamond,
    Mark::Up,
    Mark::Down,
    Mark::Ring,
    Mark::OpenSquare,
    Mark::OpenDiamond,
];
/// The axis does not reach further, whatever a way gives: three times as diverse as real samples.
const MOST_PERCENT: f64 = 300.0;
/// A gallery of more rows or columns could not be looked at.
const MOST_ROWS: usize = 20;
const MOST_COLUMNS: usize = 12;

/// Draws both figures.
pub(super) fn draw(
    outcome: &ConceptOutcome,
    alignment: &Path,
    pictures: &Path,
) -> Result<(), String> {
    lines(&of_the_first(outcome), alignment).map_err(|error| error.to_string())?;
    gallery(&of_examples(outcome), pictures).map_err(|error| error.to_string())
}

/// What becomes of the first concept: its alignment, and how samples that are given for it differ.
fn of_the_first(outcome: &ConceptOutcome) -> LineFigure {
    let names = outcome.names.iter().map(|name| shown(name).into_owned());
    let names: Vec<String> = names.collect();
    let first = names.first().cloned().unwrap_or_default();
    let axis = || LineAxis::Labels("after learning".to_string(), names.clone());
    let panel = |title: String, remark: &str, of: Figures, level: (&str, f64)| LinePanel {
        most_aside: None,
        title,
        remark: remark.to_string(),
        x: axis(),
        series: series(outcome, of, level),
    };
    let of_tests = outcome.right_of_tests.first().copied().unwrap_or(f64::NAN);
    let panels = vec![
        panel(
            format!("alignment of {first}"),
            "given samples that the judge takes for it, of all that are given",
            WayOutcome::alignment,
            ("real test samples", of_tests * 1e2),
        ),
        panel(
            format!("diversity of {first}"),
            "how far given samples are apart; real ones: 100 %",
            WayOutcome::relative_diversity,
            ("real samples that were learned from", 100.0),
        ),
    ];
    let points = panels.iter().flat_map(|panel| &panel.series);
    let points = points.flat_map(|series| &series.points);
    let tops = points.map(|point| point.y + point.error.unwrap_or(0.0));
    let top = tops.filter(|top| top.is_finite()).fold(100.0, f64::max);
    LineFigure {
        y_name: "%".to_string(),
        y_limits: (
            0.0,
            ((top + 4.0) / 10.0).ceil().min(MOST_PERCENT / 10.0) * 10.0,
        ),
        columns: 2,
        panels,
    }
}

type Figures = fn(&WayOutcome, usize, usize) -> Option<Spread>;

/// A line for each way, and a level that they are compared with.
fn series(outcome: &ConceptOutcome, of: Figures, (name, level): (&str, f64)) -> Vec<Series> {
    let concepts = outcome.names.len();
    let ends = [-0.5, concepts as f64 - 0.5];
    let level = Series {
        name: name.to_string(),
        colour: 6,
        line: match name {
            "real test samples" => LineStyle::Dashed,
            _ => LineStyle::Dotted,
        },
        mark: None,
        points: ends
            .map(|x| Point {
                x,
                y: level,
                error: None,
            })
            .to_vec(),
    };
    let ways = outcome.ways.iter().enumerate().map(|(place, way)| Series {
        name: shown(&way.name).into_owned(),
        // Past black, which is the level's.
        colour: if place < 6 { place } else { place + 1 },
        line: LineStyle::Solid,
        mark: Some(MARKS[place % MARKS.len()]),
        points: (0..concepts)
            .filter_map(|after| {
                let spread = of(way, after, 0)?;
                Some(Point {
                    x: after as f64,
                    y: spread.mean * 1e2,
                    error: spread.deviation.map(|deviation| deviation * 1e2),
                })
            })
            .collect(),
    });
    std::iter::once(level).chain(ways).collect()
}

/// A real sample of each concept beside one of each way.
fn of_examples(outcome: &ConceptOutcome) -> GalleryFigure {
    let rows = outcome.examples.iter().zip(&outcome.names).take(MOST_ROWS);
    let rows = rows.map(|(examples, name)| {
        let given = examples.given.iter().map(Option::as_ref);
        let cells = std::iter::once(Some(&examples.real)).chain(given);
        let cells = cells.take(MOST_COLUMNS).map(|cell| {
            cell.map(|latent| GalleryCell {
                spikes: latent.spikes.clone(),
                remark: format!("taken for {}", shown(&latent.taken_for)),
                is_right: latent.is_right,
            })
        });
        GalleryRow {
            name: shown(name).into_owned(),
            cells: cells.collect(),
        }
    });
    let ways = outcome.ways.iter().map(|way| shown(&way.name).into_owned());
    let columns = std::iter::once("real".to_string()).chain(ways);
    GalleryFigure {
        title: "after all concepts: a real sample of each, and the first that each way gives"
            .to_string(),
        grid: outcome.examples.first().map(|examples| examples.grid),
        steps_a_mark: outcome.experiment.codec.window_steps(),
        unit_name: "neuron".to_string(),
        legend: [
            "the judge takes it for its concept".to_string(),
            "for another".to_string(),
        ],
        column_names: columns.take(MOST_COLUMNS).collect(),
        rows: rows.collect(),
    }
}
