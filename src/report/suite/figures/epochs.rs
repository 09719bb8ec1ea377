//! Accuracy after each epoch.

use super::looks::strategy_look;
use super::{Content, Figures, Section, SuiteFigure, left_out, percent_figure, point};
use crate::replay::CodecSettings;
use crate::report::plot::{LineAxis, LinePanel, LineStyle, Mark, Point, Series};
use crate::report::suite::collected::{MethodRole, Row};

/// From few replays to many, light to dark; with more numbers than these, lines are dashed.
const COLOURS: [usize; 4] = [4, 5, 0, 11];
/// Numbers of replays are told apart by marks, too.
const MARKS: [Mark; 5] = [
    Mark::Circle,
    Mark::Square,
    Mark::Diamond,
    Mark::Up,
    Mark::Down,
];
/// Codecs that are shown side by side.
const MOST_PANELS: usize = 3;

/// Accuracy per epoch, by number of replays: a panel for each codec that most numbers were tried with,
/// at the highest LR index.
pub(super) fn epochs(section: &Section<'_>, figures: &mut Figures) {
    if !section.is_single() {
        return;
    }
    let latent = || section.strategy(MethodRole::Latent);
    let Some(lr_index) = latent().filter_map(|row| row.key.lr_index).max() else {
        return;
    };
    let rows = |codec: &CodecSettings| {
        let rows = section.latent(codec);
        let mut rows: Vec<&Row<'_>> = rows
            .filter(|row| row.key.lr_index == Some(lr_index))
            .collect();
        rows.sort_by_key(|row| row.key.replays);
        rows
    };
    let mut codecs: Vec<CodecSettings> = Vec::new();
    for codec in latent().filter_map(|row| row.key.codec.clone()) {
        if !codecs.contains(&codec) {
            codecs.push(codec);
        }
    }
    let most = codecs.iter().map(|codec| rows(codec).len()).max();
    codecs.retain(|codec| Some(rows(codec).len()) == most);
    // raw is the first of them, and beside it stand those nearest to the paper's or:10.
    codecs.sort_by_key(|codec| match codec.window_steps() {
        1 => 0,
        steps => steps.abs_diff(10) + 1,
    });
    codecs.truncate(MOST_PANELS);
    let mut drawn: Vec<&Row<'_>> = Vec::new();
    let mut panels = Vec::new();
    for codec in &codecs {
        let mut series: Vec<Series> = Vec::new();
        for strategy in [MethodRole::Joint, MethodRole::Native, MethodRole::Naive] {
            let row = section.strategy(strategy).find(|row| section.compares(row));
            if let Some(row) = row {
                let (colour, line) = strategy_look(strategy);
                series.push(curve(row, row.key.full_name(), (colour, line, None)));
                drawn.push(row);
            }
        }
        let rows = rows(codec);
        for (place, row) in rows.iter().enumerate() {
            let name = format!("{} replays", row.key.replays.unwrap_or(0));
            let line = match place < COLOURS.len() {
                true => LineStyle::Solid,
                false => LineStyle::Dashed,
            };
            let look = (
                colour(place, rows.len()),
                line,
                Some(MARKS[place % MARKS.len()]),
            );
            series.push(curve(row, name, look));
        }
        let epochs = series.iter().map(|series| series.points.len()).max();
        let last = epochs.unwrap_or(0).saturating_sub(1);
        panels.push(LinePanel {
            most_aside: None,
            title: format!("{codec}, LR index {lr_index}"),
            remark: section.tested(&rows),
            x: LineAxis::Numbers("epoch".into(), (0.0, last as f64)),
            series,
        });
        drawn.extend(rows);
    }
    let title = section.title();
    let name = format!(
        "accuracy-per-epoch-{}-{}",
        section.protocol, section.scenario.slug
    );
    // An axis needs two values or more.
    panels.retain(|panel| panel.series.iter().any(|series| series.points.len() > 1));
    if panels.is_empty() {
        figures
            .not_drawn
            .push(format!("{name}, as no epoch was recorded"));
        return;
    }
    let content = percent_figure(panels, 3, "accuracy on all (%)");
    figures.add(SuiteFigure {
        name,
        caption: format!(
            "{title}: accuracy on all test samples after each epoch of learning something new, by number \
             of replays; epoch 0 is the pre-trained network. Means over seeds and over what was held out. \
             Marks stand at some epochs.{}{}",
            section.without_joint(),
            left_out(section.rows.iter().copied(), &drawn),
        ),
        content: Content::Lines(content),
    });
}

/// The colour of a number of replays by its place among so many.
fn colour(place: usize, numbers: usize) -> usize {
    match numbers {
        1 => COLOURS[2],
        2 | 3 => COLOURS[place + 1],
        _ => COLOURS[place % COLOURS.len()],
    }
}

fn curve(
    row: &Row<'_>,
    name: String,
    (colour, line, mark): (usize, LineStyle, Option<Mark>),
) -> Series {
    let epochs = row
        .cells
        .iter()
        .map(|cell| cell.curve.len())
        .max()
        .unwrap_or(0);
    let points = (0..=epochs).filter_map(|epoch| {
        let point = point(epoch as f64, row, |cell| match epoch.checked_sub(1) {
            None => cell.before.all,
            Some(epoch) => cell.curve.all.get(epoch).copied().unwrap_or(f64::NAN),
        })?;
        Some(Point {
            error: None,
            ..point
        })
    });
    Series {
        name,
        colour,
        line,
        mark,
        points: points.collect(),
    }
}
