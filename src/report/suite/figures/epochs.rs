//! Accuracy after each epoch.

use super::{NAIVE, Section, SuiteFigure, percent_figure, point};
use crate::continual::Strategy;
use crate::replay::Codec;
use crate::report::plot::{LineAxis, LinePanel, LineStyle, Point, Series};
use crate::report::suite::collected::{Row, ratio};

/// The codec of a section that most numbers of replays were tried with; the stronger of several.
fn codec_of_curves(section: &Section<'_>) -> Option<Codec> {
    let codecs = section
        .strategy(Strategy::Latent)
        .filter_map(|row| row.key.codec);
    let count = |codec: Codec| section.latent(codec).count();
    codecs.max_by_key(|codec| {
        let one_bit = matches!(codec, Codec::Or(_));
        (count(*codec), one_bit, codec.window_steps())
    })
}

/// Accuracy per epoch, by number of replays.
pub(super) fn epochs(sections: &[Section<'_>]) -> Option<SuiteFigure> {
    let single = sections.iter().filter(|section| section.is_single());
    let curves = single.filter_map(|section| Some((section, replay_curves(section)?)));
    let curves: Vec<(&Section<'_>, ReplayCurves<'_>)> = curves.collect();
    // The first number of replays of each panel has the same colour and one entry in the legend, and so
    // on. Where panels have other numbers, the legend has their order, and the caption the numbers.
    let most = curves.iter().map(|(_, curves)| curves.rows.len()).max()?;
    let first = curves.first()?.1.numbers();
    let names: Vec<String> = match curves.iter().all(|(_, curves)| curves.numbers() == first) {
        true => first
            .iter()
            .map(|number| format!("{number} replays"))
            .collect(),
        false => (0..most)
            .map(|place| match place {
                0 => "fewest replays".to_string(),
                place if place + 1 == most => "most replays".to_string(),
                place => format!("{} most replays", ordinal(most - place)),
            })
            .collect(),
    };
    let panels = curves.iter().map(|(section, curves)| {
        let naive = section.strategy(Strategy::Naive);
        let mut series: Vec<Series> = naive
            .map(|row| curve(row, "naive".into(), NAIVE, LineStyle::Dashed))
            .collect();
        for (index, row) in curves.rows.iter().enumerate() {
            let place = curves.place(index, most);
            let colour = [5, 0, 2, 3][place.min(3)];
            series.push(curve(row, names[place].clone(), colour, LineStyle::Solid));
        }
        let epochs = series.iter().map(|series| series.points.len()).max();
        LinePanel {
            title: section.title(),
            x: LineAxis::Numbers("epoch".into(), (0.0, epochs.unwrap_or(1) as f64 - 0.5)),
            series,
        }
    });
    let shown = curves.iter().map(|(section, curves)| {
        let (title, codec) = (section.title(), ratio(curves.codec));
        let numbers = curves
            .numbers()
            .iter()
            .map(usize::to_string)
            .collect::<Vec<_>>();
        let numbers = numbers.join(", ");
        format!(
            "{title}: LR index {}, {codec}, {numbers} replays",
            curves.lr_index
        )
    });
    let shown: Vec<String> = shown.collect();
    Some(SuiteFigure {
        name: "accuracy-per-epoch".into(),
        caption: format!(
            "Accuracy on all test samples after each epoch of learning something new, by number of \
             replays; epoch 0 is the pre-trained network. {}. Means over seeds and over what was held \
             out.",
            shown.join("; ")
        ),
        content: percent_figure(panels.collect(), 2, "accuracy on all (%)"),
    })
}

/// Latent replay at the highest LR index, by number of replays.
struct ReplayCurves<'a> {
    lr_index: usize,
    codec: Codec,
    rows: Vec<&'a Row<'a>>,
}

impl ReplayCurves<'_> {
    /// Of replays, in the order of the rows.
    fn numbers(&self) -> Vec<usize> {
        self.rows.iter().filter_map(|row| row.key.replays).collect()
    }

    /// Which of the `most` colours a row has: one number of replays alone is taken for neither few nor
    /// many.
    fn place(&self, row: usize, most: usize) -> usize {
        match self.rows.len() {
            1 => most / 2,
            _ => row,
        }
    }
}

/// `second`, `third`; a legend has few entries.
fn ordinal(place: usize) -> String {
    match place {
        2 => "second".into(),
        3 => "third".into(),
        place => format!("{place}th"),
    }
}

fn replay_curves<'a>(section: &Section<'a>) -> Option<ReplayCurves<'a>> {
    let codec = codec_of_curves(section)?;
    let indices = section.latent(codec).filter_map(|row| row.key.lr_index);
    let lr_index = indices.max()?;
    let rows = section.latent(codec);
    let mut rows: Vec<&Row<'_>> = rows
        .filter(|row| row.key.lr_index == Some(lr_index))
        .collect();
    rows.sort_by_key(|row| row.key.replays);
    Some(ReplayCurves {
        lr_index,
        codec,
        rows,
    })
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
