//! Accuracy after each epoch.

use super::{NAIVE, Section, SuiteFigure, percent_figure, point};
use crate::continual::Strategy;
use crate::replay::Codec;
use crate::report::plot::{LineAxis, LinePanel, LineStyle, Point, Series};
use crate::report::suite::collected::{Row, ratio};
use crate::report::suite::tables::slug;

/// From few replays to many, light to dark; with more numbers than these, lines are dashed.
const COLOURS: [usize; 4] = [4, 5, 0, 6];
/// Codecs that are shown side by side.
const MOST_PANELS: usize = 3;

/// Accuracy per epoch, by number of replays: a panel for each codec that most numbers were tried with,
/// at the highest LR index.
pub(super) fn epochs(section: &Section<'_>) -> Option<SuiteFigure> {
    if !section.is_single() {
        return None;
    }
    let latent = || section.strategy(Strategy::Latent);
    let lr_index = latent().filter_map(|row| row.key.lr_index).max()?;
    let rows = |codec: Codec| {
        let rows = section.latent(codec);
        let mut rows: Vec<&Row<'_>> = rows
            .filter(|row| row.key.lr_index == Some(lr_index))
            .collect();
        rows.sort_by_key(|row| row.key.replays);
        rows
    };
    let mut codecs: Vec<Codec> = Vec::new();
    for codec in latent().filter_map(|row| row.key.codec) {
        if !codecs.contains(&codec) {
            codecs.push(codec);
        }
    }
    let most = codecs.iter().map(|&codec| rows(codec).len()).max()?;
    codecs.retain(|&codec| rows(codec).len() == most);
    // 1:1 is the first of them, and beside it stand those nearest to the paper's 1:10.
    codecs.sort_by_key(|codec| match codec.window_steps() {
        1 => 0,
        steps => steps.abs_diff(10) + 1,
    });
    codecs.truncate(MOST_PANELS);
    let panels = codecs.iter().map(|&codec| {
        let naive = section.strategy(Strategy::Naive);
        let naive = naive.map(|row| curve(row, "naive".into(), NAIVE, LineStyle::Dashed));
        let rows = rows(codec);
        let latent = rows.iter().enumerate().map(|(place, row)| {
            let name = format!("{} replays", row.key.replays.unwrap_or(0));
            let line = match place < COLOURS.len() {
                true => LineStyle::Solid,
                false => LineStyle::Dashed,
            };
            curve(row, name, colour(place, rows.len()), line)
        });
        let series: Vec<Series> = naive.chain(latent).collect();
        let epochs = series.iter().map(|series| series.points.len()).max();
        LinePanel {
            title: format!("{}, LR index {lr_index}", ratio(codec)),
            remark: String::new(),
            x: LineAxis::Numbers("epoch".into(), (0.0, epochs.unwrap_or(1) as f64 - 0.5)),
            series,
        }
    });
    let title = section.title();
    Some(SuiteFigure {
        name: format!(
            "accuracy-per-epoch-{}-{}",
            section.protocol,
            slug(section.scenario)
        ),
        caption: format!(
            "{title}: accuracy on all test samples after each epoch of learning something new, by number \
             of replays; epoch 0 is the pre-trained network. Means over seeds and over what was held out."
        ),
        content: percent_figure(panels.collect(), 3, "accuracy on all (%)"),
    })
}

/// The colour of a number of replays by its place among so many.
fn colour(place: usize, numbers: usize) -> usize {
    match numbers {
        1 => COLOURS[2],
        2 | 3 => COLOURS[place + 1],
        _ => COLOURS[place % COLOURS.len()],
    }
}

fn curve(row: &Row<'_>, name: String, colour: usize, line: LineStyle) -> Series {
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
        mark: None,
        points: points.collect(),
    }
}
