//! Accuracy at the end by LR index, and against bytes.

use super::looks::{CodecMarks, FRONT, lr_colour, strategy_look};
use super::{Content, Figures, Section, SuiteFigure, left_out, percent_figure, point};
use crate::replay::CodecSettings;
use crate::report::plot::{LineAxis, LinePanel, LineStyle, Mark, Point, Series};
use crate::report::suite::collected::{MethodRole, Row, codec_order};

/// Accuracy by LR index.
pub(super) fn lr_indices(sections: &[Section<'_>], marks: &CodecMarks, figures: &mut Figures) {
    let mut drawn: Vec<&Row<'_>> = Vec::new();
    let mut panels = Vec::new();
    let mut without_joint = String::new();
    let mut by_codec = false;
    for section in sections {
        let latent = section.strategy(MethodRole::Latent);
        let latent = latent.filter(|row| row.key.replays.is_some() && section.compares(row));
        let latent: Vec<&Row<'_>> = latent.collect();
        if latent.is_empty() {
            continue;
        }
        let mut codecs: Vec<CodecSettings> = latent
            .iter()
            .filter_map(|row| row.key.codec.clone())
            .collect();
        codecs.sort_by_key(codec_order);
        codecs.dedup();
        let mut indices: Vec<usize> = latent.iter().filter_map(|row| row.key.lr_index).collect();
        indices.sort_unstable();
        indices.dedup();
        let (x, labels, mut series) = match (indices.as_slice(), codecs.as_slice()) {
            // An axis needs two values or more.
            ([_], [_]) => {
                let table = format!("all-{}-{}", section.protocol, section.scenario.slug);
                figures.not_drawn.push(format!(
                    "accuracy by LR index of {}, as there is one LR index and one codec at {} replays; \
                     the table {table} has it",
                    section.title(),
                    section.replays.unwrap_or(0)
                ));
                continue;
            }
            ([index], codecs) => {
                by_codec = true;
                let series = by_codec_alone(*index, codecs, &latent, &mut drawn);
                let labels: Vec<String> = codecs.iter().map(ToString::to_string).collect();
                ("codec", labels, vec![series])
            }
            (indices, codecs) => {
                let series = by_lr_index(indices, codecs, &latent, marks, &mut drawn);
                let labels = indices.iter().map(usize::to_string).collect();
                ("LR index", labels, series)
            }
        };
        let ends = (-0.5, labels.len() as f64 - 0.5);
        series.splice(0..0, level_lines(section, ends, &mut drawn));
        without_joint += &section.without_joint();
        panels.push(LinePanel {
            most_aside: None,
            title: section.title_at_replays(),
            remark: section.tested(&latent),
            x: LineAxis::Labels(x.into(), labels),
            series,
        });
    }
    if panels.is_empty() {
        return;
    }
    let content = percent_figure(panels, 3, "accuracy on all (%)");
    let all = sections
        .iter()
        .flat_map(|section| section.rows.iter().copied());
    let alone = match by_codec {
        true => " Where there is one LR index alone, by codec.",
        false => "",
    };
    figures.add(SuiteFigure {
        name: "accuracy-by-lr-index".into(),
        caption: format!(
            "Accuracy on all test samples at the end by LR index: how many hidden layers are frozen.{alone} \
             Bars are standard deviations over seeds; marks of one LR index stand side by side; level lines \
             are of strategies without an LR index.{without_joint}{}",
            left_out(all, &drawn)
        ),
        content: Content::Lines(content),
    });
}

/// A line for each codec.
fn by_lr_index<'a>(
    indices: &[usize],
    codecs: &[CodecSettings],
    latent: &[&'a Row<'a>],
    marks: &CodecMarks,
    drawn: &mut Vec<&'a Row<'a>>,
) -> Vec<Series> {
    let mut series = Vec::new();
    for codec in codecs {
        let Some(mark) = marks.get(codec) else {
            continue;
        };
        let mut points = Vec::new();
        for (x, index) in indices.iter().enumerate() {
            let mut rows = latent.iter().copied();
            let row = rows.find(|row| {
                row.key.codec.as_ref() == Some(codec) && row.key.lr_index == Some(*index)
            });
            if let Some(row) = row {
                points.extend(point(x as f64, row, |cell| cell.after.all));
                drawn.push(row);
            }
        }
        series.push(Series {
            name: format!("latent replay, {codec}"),
            colour: marks.colour(codec),
            line: LineStyle::Solid,
            mark: Some(mark),
            points,
        });
    }
    series
}

/// A point for each codec.
fn by_codec_alone<'a>(
    index: usize,
    codecs: &[CodecSettings],
    latent: &[&'a Row<'a>],
    drawn: &mut Vec<&'a Row<'a>>,
) -> Series {
    let mut points = Vec::new();
    for (x, codec) in codecs.iter().enumerate() {
        let mut rows = latent.iter().copied();
        if let Some(row) = rows.find(|row| row.key.codec.as_ref() == Some(codec)) {
            points.extend(point(x as f64, row, |cell| cell.after.all));
            drawn.push(row);
        }
    }
    Series {
        name: format!("latent replay, LR {index}"),
        colour: lr_colour(index),
        line: LineStyle::None,
        mark: Some(Mark::Circle),
        points,
    }
}

/// A level line for each strategy without an LR index.
fn level_lines<'a>(
    section: &Section<'a>,
    (from, to): (f64, f64),
    drawn: &mut Vec<&'a Row<'a>>,
) -> Vec<Series> {
    let mut series = Vec::new();
    // Lines with longer dashes below those with shorter ones, so that all are seen where they coincide.
    for strategy in [MethodRole::Joint, MethodRole::Native, MethodRole::Naive] {
        let row = section.strategy(strategy).find(|row| section.compares(row));
        let level = row.and_then(|row| Some((row, point(0.0, row, |cell| cell.after.all)?)));
        let Some((row, level)) = level else {
            continue;
        };
        drawn.push(row);
        let (colour, line) = strategy_look(row.key.role);
        let end = |x| Point {
            x,
            y: level.y,
            error: None,
        };
        series.push(Series {
            name: row.key.strategy.clone(),
            colour,
            line,
            mark: None,
            points: vec![end(from), end(to)],
        });
    }
    series
}

/// Accuracy against kilobytes.
pub(super) fn bytes(sections: &[Section<'_>], marks: &CodecMarks, figures: &mut Figures) {
    let kilobytes = |row: &Row<'_>| row.mean(|cell| cell.replay.bytes as f64) / 1e3;
    let mut drawn: Vec<&Row<'_>> = Vec::new();
    let mut panels = Vec::new();
    let mut without_joint = String::new();
    for section in sections {
        // The legend has colours and marks apart: all pairs of them would fill it.
        let (mut colours, mut codecs): (Vec<Series>, Vec<(usize, Series)>) = Default::default();
        let mut points: Vec<Series> = Vec::new();
        let mut all: Vec<Point> = Vec::new();
        let mut remembering: Vec<&Row<'_>> = Vec::new();
        for &row in &section.rows {
            let native = row.key.role == MethodRole::Native;
            let codec = row
                .key
                .codec
                .as_ref()
                .filter(|_| row.key.role == MethodRole::Latent);
            let (name, mark) = match codec {
                Some(codec) => (codec.to_string(), marks.get(codec)),
                None => (
                    "native rehearsal".to_string(),
                    native.then_some(Mark::Cross),
                ),
            };
            let point = point(kilobytes(row), row, |cell| cell.after.all);
            let (Some(mark), Some(point)) = (mark, point) else {
                continue;
            };
            let colour = match row.key.lr_index.filter(|_| !native) {
                Some(index) => {
                    colours.push(key(&format!("LR index {index}"), lr_colour(index), None));
                    let place = codec.map_or(usize::MAX, |codec| marks.place(codec));
                    codecs.push((place, key(&name, FRONT, Some(mark))));
                    lr_colour(index)
                }
                None => {
                    let (colour, _) = strategy_look(row.key.role);
                    codecs.push((usize::MAX, key(&name, colour, Some(mark))));
                    colour
                }
            };
            all.push(point);
            points.push(key("", colour, Some(mark)).with(point));
            remembering.push(row);
        }
        let low = all.iter().map(|point| point.x).reduce(f64::min);
        let high = all.iter().map(|point| point.x).reduce(f64::max);
        let (Some(low), Some(high)) = (low, high) else {
            continue;
        };
        // An axis needs two values or more.
        if high <= low * 1.001 {
            figures.not_drawn.push(format!(
                "accuracy against kilobytes of {}, as all memories have {low:.1} kB; the table all-{}-{} has \
                 them",
                section.title(),
                section.protocol,
                section.scenario.slug
            ));
            continue;
        }
        let limits = (low / 1.3, high * 1.3);
        let front = Series {
            name: "Pareto front".into(),
            colour: FRONT,
            line: LineStyle::Dashed,
            mark: None,
            points: pareto_front(all),
        };
        let natives: Vec<String> = section
            .strategy(MethodRole::Native)
            .map(|row| row.key.strategy.clone())
            .collect();
        let mut levels = level_lines(section, limits, &mut drawn);
        // Native rehearsal has a memory, and is a point.
        levels.retain(|level| !natives.contains(&level.name));
        without_joint += &section.without_joint();
        colours.sort_by_key(|series| series.name.clone());
        codecs.sort_by_key(|(place, _)| *place);
        let codecs = codecs.into_iter().map(|(_, key)| key).collect();
        panels.push(LinePanel {
            most_aside: None,
            title: section.title(),
            remark: section.tested(&remembering),
            x: LineAxis::Logarithm("replay memory (kB, all bytes held)".into(), limits),
            series: [levels, vec![front], colours, codecs, points].concat(),
        });
        drawn.extend(remembering);
    }
    if panels.is_empty() {
        return;
    }
    let content = percent_figure(panels, 2, "accuracy on all (%)");
    let all = sections
        .iter()
        .flat_map(|section| section.rows.iter().copied());
    figures.add(SuiteFigure {
        name: "accuracy-against-kilobytes".into(),
        caption: format!(
            "Accuracy on all test samples at the end against the bytes of the replay memory, labels and \
             header included, of every experiment with a memory. The grey dashed line joins those that no \
             smaller memory beats. Bars are standard deviations over seeds; a mark that would hide another \
             stands beside its place, and its bar at it.{without_joint}{}",
            left_out(all, &drawn)
        ),
        content: Content::Lines(content),
    });
}

/// A series without points, for the legend.
fn key(name: &str, colour: usize, mark: Option<Mark>) -> Series {
    Series {
        name: name.to_string(),
        colour,
        line: match mark {
            Some(_) => LineStyle::None,
            None => LineStyle::Solid,
        },
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
pub(super) fn pareto_front(mut points: Vec<Point>) -> Vec<Point> {
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
