//! Accuracy at the end by LR index, and against bytes.

use super::{FRONT, JOINT, LR, NAIVE, NATIVE, Section, SuiteFigure, percent_figure, point};
use crate::continual::Strategy;
use crate::replay::Codec;
use crate::report::plot::{LineAxis, LinePanel, LineStyle, Mark, Point, Series};
use crate::report::suite::collected::{Row, ratio};

/// Accuracy by LR index.
pub(super) fn lr_indices(sections: &[Section<'_>]) -> Option<SuiteFigure> {
    let panels = sections.iter().filter_map(|section| {
        let replays = section.replays?;
        let mut codecs: Vec<Codec> = Vec::new();
        for row in section.strategy(Strategy::Latent) {
            codecs.extend(row.key.codec.filter(|codec| !codecs.contains(codec)));
        }
        let shown = [
            Codec::Raw,
            Codec::or(10).ok()?,
            Codec::or(20).ok()?,
            Codec::counts(10).ok()?,
        ];
        let looks = [
            (2, LineStyle::Solid, Mark::Circle),
            (0, LineStyle::Solid, Mark::Square),
            (5, LineStyle::Dashed, Mark::Ring),
            (4, LineStyle::Solid, Mark::Diamond),
        ];
        let series = shown
            .into_iter()
            .zip(looks)
            .filter_map(|(codec, (colour, line, mark))| {
                let rows = section.latent(codec);
                let mut rows: Vec<_> = rows
                    .filter(|row| row.key.replays == Some(replays))
                    .collect();
                rows.sort_by_key(|row| row.key.lr_index);
                let points = rows
                    .iter()
                    .filter_map(|row| point(row.key.lr_index? as f64, row, |cell| cell.after.all));
                let points: Vec<Point> = points.collect();
                (!points.is_empty()).then(|| Series {
                    name: format!("latent replay, {}", ratio(codec)),
                    colour,
                    line,
                    mark: Some(mark),
                    points,
                })
            });
        let mut series: Vec<Series> = series.collect();
        let last = series
            .iter()
            .flat_map(|series| &series.points)
            .map(|point| point.x as usize)
            .max()?;
        let level = [
            (Strategy::Joint, JOINT),
            (Strategy::Native, NATIVE),
            (Strategy::Naive, NAIVE),
        ];
        for (strategy, colour) in level {
            let rows = section.strategy(strategy);
            let row = rows.into_iter().find(|row| section.compares(row));
            let Some(level) = row.and_then(|row| point(0.0, row, |cell| cell.after.all)) else {
                continue;
            };
            series.push(Series {
                name: strategy.to_string(),
                colour,
                line: LineStyle::Dashed,
                mark: None,
                points: [-0.4, last as f64 + 0.4]
                    .map(|x| Point {
                        x,
                        y: level.y,
                        error: None,
                    })
                    .into(),
            });
        }
        let labels = (0..=last).map(|index| index.to_string()).collect();
        Some(LinePanel {
            title: format!("{} ({replays}\u{a0}replays)", section.title()),
            remark: String::new(),
            x: LineAxis::Labels("LR index".into(), labels),
            series,
        })
    });
    let panels: Vec<LinePanel> = panels.collect();
    (!panels.is_empty()).then(|| SuiteFigure {
        name: "accuracy-by-lr-index".into(),
        caption: "Accuracy on all test samples at the end by LR index: how many hidden layers are \
                  frozen. Bars are standard deviations over seeds; the level lines train the whole \
                  network."
            .into(),
        content: percent_figure(panels, 3, "accuracy on all (%)"),
    })
}

/// Accuracy against kilobytes.
pub(super) fn bytes(sections: &[Section<'_>]) -> Option<SuiteFigure> {
    let kilobytes = |row: &Row<'_>| row.mean(|cell| cell.replay.bytes as f64) / 1e3;
    let panels = sections.iter().filter_map(|section| {
        let remembering = section
            .rows
            .iter()
            .filter(|row| matches!(row.key.strategy, Strategy::Latent | Strategy::Native));
        // The legend has colours and marks apart: all pairs of them would fill it.
        let (mut colours, mut marks): (Vec<Series>, Vec<Series>) = Default::default();
        let mut points: Vec<Series> = Vec::new();
        let mut all: Vec<Point> = Vec::new();
        for row in remembering {
            let Some(point) = point(kilobytes(row), row, |cell| cell.after.all) else {
                continue;
            };
            let (family, mark) = match row.key.codec {
                _ if row.key.strategy == Strategy::Native => ("native rehearsal", Mark::Cross),
                Some(Codec::Counts(_)) => ("window counts", Mark::Diamond),
                Some(Codec::Or(_)) => ("one bit a window", Mark::Square),
                _ => ("1:1", Mark::Circle),
            };
            let colour = row.key.lr_index.map_or(NATIVE, |index| LR[index % 4]);
            all.push(point);
            points.push(key("", colour, LineStyle::None, Some(mark)).with(point));
            if let Some(index) = row.key.lr_index {
                colours.push(key(
                    &format!("LR index {index}"),
                    colour,
                    LineStyle::Solid,
                    None,
                ));
                marks.push(key(family, FRONT, LineStyle::None, Some(mark)));
            } else {
                marks.push(key(family, NATIVE, LineStyle::None, Some(mark)));
            }
        }
        let low = all.iter().map(|point| point.x).reduce(f64::min)?;
        let high = all.iter().map(|point| point.x).reduce(f64::max)?;
        let front = Series {
            name: "Pareto front".into(),
            colour: FRONT,
            line: LineStyle::Dashed,
            mark: None,
            points: pareto_front(all),
        };
        let series = [vec![front], colours, marks, points].concat();
        Some(LinePanel {
            title: section.title(),
            remark: String::new(),
            x: LineAxis::Logarithm(
                "replay memory (kB, all bytes held)".into(),
                (low / 1.3, high * 1.3),
            ),
            series,
        })
    });
    let panels: Vec<LinePanel> = panels.collect();
    (!panels.is_empty()).then(|| SuiteFigure {
        name: "accuracy-against-kilobytes".into(),
        caption: "Accuracy on all test samples at the end against the bytes of the replay memory, \
                  labels and header included, of every experiment with a memory. The dashed line joins \
                  those that no smaller memory beats. Bars are standard deviations over seeds."
            .into(),
        content: percent_figure(panels, 3, "accuracy on all (%)"),
    })
}

/// A series without points, for the legend.
fn key(name: &str, colour: usize, line: LineStyle, mark: Option<Mark>) -> Series {
    Series {
        name: name.to_string(),
        colour,
        line,
        mark,
        points: Vec::new(),
    }
}

impl Series {
    fn with(mut self, point: Point) -> Self {
        self.points.push(point);
        self
    }
}

/// The points that none to their left is as high as, from left to right.
fn pareto_front(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_by(|one, other| one.x.total_cmp(&other.x).then(other.y.total_cmp(&one.y)));
    let mut best = f64::NEG_INFINITY;
    points.retain(|point| {
        let better = point.y > best;
        best = best.max(point.y);
        better
    });
    let points = points.into_iter().map(|point| Point {
        error: None,
        ..point
    });
    points.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pareto_front_has_what_no_smaller_memory_beats() {
        let point = |x, y| Point {
            x,
            y,
            error: Some(1.0),
        };
        let points = [
            (8.0, 70.0),
            (1.0, 40.0),
            (2.0, 60.0),
            (4.0, 55.0),
            (2.0, 30.0),
            (9.0, 70.0),
        ];
        let front = pareto_front(points.map(|(x, y)| point(x, y)).into());
        let front: Vec<(f64, f64)> = front.into_iter().map(|point| (point.x, point.y)).collect();
        assert_eq!(front, [(1.0, 40.0), (2.0, 60.0), (8.0, 70.0)]);
    }
}
