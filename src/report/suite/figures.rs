//! Figures of a suite.

use ndarray::Array2;

use super::collected::{Collected, Row, main_replays, ratio};
use crate::continual::{Protocol, Scenario, Strategy};
use crate::replay::Codec;
use crate::report::plot::{
    LineAxis, LineFigure, LinePanel, LineStyle, Mark, MatrixFigure, MatrixPanel, Point, Series,
};
use crate::suite::{CellResult, ScenarioKind};

/// A figure with a name for its files and what it shows.
#[derive(Debug, Clone, PartialEq)]
pub struct SuiteFigure {
    /// For file names.
    pub name: String,
    /// Below it.
    pub caption: String,
    /// What is drawn.
    pub content: Content,
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Lines and points.
    Lines(LineFigure),
    /// Heat maps.
    Matrix(MatrixFigure),
}

/// The colours of strategies and LR indices, in all figures.
const NAIVE: usize = 1;
const JOINT: usize = 6;
const NATIVE: usize = 3;
const LR: [usize; 4] = [4, 5, 0, 2];
const FRONT: usize = 6;

/// All figures that the results have something for.
pub fn figures(collected: &Collected) -> Vec<SuiteFigure> {
    let rows = collected.rows();
    let sections = collected.sections();
    let sections: Vec<Section<'_>> = sections
        .into_iter()
        .map(|(protocol, scenario)| {
            let here = |row: &&Row<'_>| {
                let key = row.key;
                key.protocol == protocol && key.scenario == scenario && !row.cells.is_empty()
            };
            Section {
                protocol,
                scenario,
                rows: rows.iter().filter(here).collect(),
            }
        })
        .collect();
    let mut figures = Vec::new();
    figures.extend(epochs(&sections));
    figures.extend(lr_indices(&sections));
    figures.extend(class_by_class(collected, &sections));
    figures.extend(bytes(&sections));
    for section in &sections {
        figures.extend(matrices(collected, section));
    }
    figures.extend(activity(collected, &sections));
    figures
}

/// The rows of a protocol and scenario that have any result.
struct Section<'a> {
    protocol: Protocol,
    scenario: ScenarioKind,
    rows: Vec<&'a Row<'a>>,
}

impl<'a> Section<'a> {
    fn title(&self) -> String {
        format!("{}, {}", self.scenario.name(), self.protocol)
    }

    fn is_single(&self) -> bool {
        self.scenario != ScenarioKind::MultiClass
    }

    fn strategy(&self, strategy: Strategy) -> impl Iterator<Item = &'a Row<'a>> + '_ {
        let rows = self.rows.iter().copied();
        rows.filter(move |row| row.key.strategy == strategy)
    }

    fn latent(&self, codec: Codec) -> impl Iterator<Item = &'a Row<'a>> + '_ {
        let rows = self.strategy(Strategy::Latent);
        rows.filter(move |row| row.key.codec == Some(codec))
    }
}

fn percent_figure(panels: Vec<LinePanel>, columns: usize, y_name: &str) -> Content {
    Content::Lines(LineFigure {
        y_name: y_name.to_string(),
        y_limits: (0.0, 100.0),
        columns,
        panels,
    })
}

/// The mean over seeds of a figure of each row, as a point.
fn point(x: f64, row: &Row<'_>, of: impl Fn(&CellResult) -> f64) -> Option<Point> {
    let spread = row.spread(of)?;
    Some(Point {
        x,
        y: spread.mean * 1e2,
        error: spread.deviation.map(|deviation| deviation * 1e2),
    })
}

/// The codec of a section that most numbers of replays were tried with; the stronger of several.
fn codec_of_curves(section: &Section<'_>) -> Option<Codec> {
    let codecs = section
        .strategy(Strategy::Latent)
        .filter_map(|row| row.key.codec);
    let count = |codec: Codec| section.latent(codec).count();
    codecs.max_by_key(|codec| (count(*codec), codec.window_steps()))
}

/// Accuracy per epoch, by number of replays.
fn epochs(sections: &[Section<'_>]) -> Option<SuiteFigure> {
    let single = sections.iter().filter(|section| section.is_single());
    let curves = single.filter_map(|section| Some((section, replay_curves(section)?)));
    let curves: Vec<(&Section<'_>, ReplayCurves<'_>)> = curves.collect();
    // The first number of replays of each panel has the same colour and one entry in the legend, and so
    // on.
    let most = curves.iter().map(|(_, curves)| curves.rows.len()).max()?;
    let names = (0..most).map(|place| {
        let here = curves
            .iter()
            .filter_map(|(_, curves)| curves.rows.get(place)?.key.replays);
        let mut counts: Vec<usize> = here.collect();
        counts.sort_unstable();
        counts.dedup();
        let counts = counts.iter().map(usize::to_string).collect::<Vec<_>>();
        format!("{} replays", counts.join(" or "))
    });
    let names: Vec<String> = names.collect();
    let panels = curves.iter().map(|(section, curves)| {
        let naive = section.strategy(Strategy::Naive);
        let mut series: Vec<Series> = naive
            .map(|row| curve(row, "naive".into(), NAIVE, LineStyle::Dashed))
            .collect();
        for (place, row) in curves.rows.iter().enumerate() {
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
        format!("{title}: LR index {}, {codec}", curves.lr_index)
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

/// Accuracy by LR index.
fn lr_indices(sections: &[Section<'_>]) -> Option<SuiteFigure> {
    let panels = sections.iter().filter_map(|section| {
        let replays = main_replays(&section.rows)?;
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
            (1, LineStyle::Solid, Mark::Diamond),
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
            let row = rows
                .into_iter()
                .find(|row| row.key.replays.is_none_or(|n| n == replays));
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
            title: format!("{} ({replays} replays)", section.title()),
            x: LineAxis::Labels("LR index".into(), labels),
            series,
        })
    });
    let panels: Vec<LinePanel> = panels.collect();
    (!panels.is_empty()).then(|| SuiteFigure {
        name: "accuracy-by-lr-index".into(),
        caption: "Accuracy on all test samples at the end by LR index: how many hidden layers are \
                  frozen. Bars are standard deviations over seeds; the dashed lines train the whole \
                  network."
            .into(),
        content: percent_figure(panels, 3, "accuracy on all (%)"),
    })
}

/// Accuracy after each class of many.
fn class_by_class(collected: &Collected, sections: &[Section<'_>]) -> Option<SuiteFigure> {
    let panels = sections.iter().filter(|section| !section.is_single());
    let panels = panels.map(|section| {
        let mut series = Vec::new();
        let rows = section.rows.iter().filter(|row| match row.key.strategy {
            Strategy::Latent => row.key.lr_index.is_some_and(|index| index >= 2),
            _ => true,
        });
        for row in rows {
            let (colour, mark) = match (row.key.strategy, row.key.codec) {
                (Strategy::Naive, _) => (NAIVE, Mark::Cross),
                (Strategy::Joint, _) => (JOINT, Mark::Cross),
                (Strategy::Native, _) => (NATIVE, Mark::Cross),
                (_, Some(Codec::Counts(_))) => {
                    (LR[row.key.lr_index.unwrap_or(0) % 4], Mark::Diamond)
                }
                (_, Some(Codec::Raw)) => (LR[row.key.lr_index.unwrap_or(0) % 4], Mark::Circle),
                _ => (LR[row.key.lr_index.unwrap_or(0) % 4], Mark::Square),
            };
            // Of the codecs with one bit a window the strongest alone, so that lines can be told apart.
            let stronger = |other: &&Row<'_>| {
                let window = |row: &Row<'_>| row.key.codec.map_or(0, Codec::window_steps);
                other.key.lr_index == row.key.lr_index
                    && matches!(other.key.codec, Some(Codec::Or(_)))
                    && window(other) > window(row)
            };
            if mark == Mark::Square && section.rows.iter().any(|other| stronger(&other)) {
                continue;
            }
            let tasks = row
                .cells
                .iter()
                .map(|cell| cell.all_after_task.len())
                .max()
                .unwrap_or(0);
            let points = (0..tasks).filter_map(|task| {
                point(task as f64, row, |cell| {
                    cell.all_after_task.get(task).copied().unwrap_or(f64::NAN)
                })
            });
            series.push(Series {
                name: row.key.name(),
                colour,
                line: match row.key.strategy {
                    Strategy::Latent => LineStyle::Solid,
                    _ => LineStyle::Dashed,
                },
                mark: Some(mark),
                points: points.collect(),
            });
        }
        LinePanel {
            title: section.title(),
            x: LineAxis::Labels("learned last".into(), task_names(collected, section)),
            series,
        }
    });
    let panels: Vec<LinePanel> = panels.collect();
    (!panels.is_empty()).then(|| SuiteFigure {
        name: "accuracy-after-each-class".into(),
        caption: "Accuracy on all test samples, those of classes still to come included, after each \
                  class of the multi-class-incremental run. Bars are standard deviations over seeds."
            .into(),
        content: percent_figure(panels, 2, "accuracy on all (%)"),
    })
}

/// `5 classes`, then the names of the classes learned one by one.
fn task_names(collected: &Collected, section: &Section<'_>) -> Vec<String> {
    let cell = section.rows.iter().flat_map(|row| &row.cells).next();
    let base = cell.map_or(0, |cell| match cell.experiment.scenario {
        Scenario::MultiClass { base_classes } => base_classes,
        _ => 0,
    });
    let names = collected
        .manifest
        .data
        .class_names
        .iter()
        .skip(base)
        .cloned();
    std::iter::once(format!("{base} classes"))
        .chain(names)
        .collect()
}

/// Accuracy against kilobytes.
fn bytes(sections: &[Section<'_>]) -> Option<SuiteFigure> {
    let kilobytes = |row: &Row<'_>| row.mean(|cell| cell.replay.bytes as f64) / 1e3;
    let panels = sections.iter().filter_map(|section| {
        let mut series: Vec<Series> = Vec::new();
        let remembering = section
            .rows
            .iter()
            .filter(|row| matches!(row.key.strategy, Strategy::Latent | Strategy::Native));
        let mut all: Vec<Point> = Vec::new();
        for row in remembering {
            let Some(point) = point(kilobytes(row), row, |cell| cell.after.all) else {
                continue;
            };
            let (family, mark) = match row.key.codec {
                _ if row.key.strategy == Strategy::Native => ("raw inputs", Mark::Cross),
                Some(Codec::Counts(_)) => ("window counts", Mark::Diamond),
                Some(Codec::Or(_)) => ("one bit a window", Mark::Square),
                _ => ("1:1", Mark::Circle),
            };
            let (name, colour) = match row.key.lr_index {
                Some(index) => (format!("LR {index}, {family}"), LR[index % 4]),
                None => (format!("native, {family}"), NATIVE),
            };
            all.push(point);
            match series.iter_mut().find(|series| series.name == name) {
                Some(series) => series.points.push(point),
                None => series.push(Series {
                    name,
                    colour,
                    line: LineStyle::None,
                    mark: Some(mark),
                    points: vec![point],
                }),
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
        series.insert(0, front);
        Some(LinePanel {
            title: section.title(),
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
        content: percent_figure(panels, 2, "accuracy on all (%)"),
    })
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

/// Accuracy on every task after every task, for each strategy of a multi-class run.
fn matrices(collected: &Collected, section: &Section<'_>) -> Option<SuiteFigure> {
    if section.is_single() {
        return None;
    }
    let best = section.strategy(Strategy::Latent).max_by(|one, other| {
        let accuracy = |row: &Row<'_>| row.mean(|cell| cell.after.all);
        accuracy(one).total_cmp(&accuracy(other))
    });
    let naive = section.strategy(Strategy::Naive).next();
    let joint = section.strategy(Strategy::Joint).next();
    let names = task_names(collected, section);
    let panels = [naive, best, joint].into_iter().flatten();
    let panels = panels.map(|row| {
        let tasks = names.len();
        let mean = |(after, task): (usize, usize)| {
            1e2 * row.mean(|cell| {
                let rows = cell.matrix.rows();
                let value = rows.get(after).and_then(|row| row.get(task));
                value.copied().unwrap_or(f64::NAN)
            })
        };
        MatrixPanel {
            title: row.key.name(),
            row_names: names.clone(),
            column_names: names.clone(),
            values: Array2::from_shape_fn((tasks, tasks), mean),
        }
    });
    let panels: Vec<MatrixPanel> = panels.collect();
    (!panels.is_empty()).then(|| SuiteFigure {
        name: format!("accuracy-matrix-{}", section.protocol),
        caption: format!(
            "Accuracy on the test samples of every task after each task was learned, {} protocol: \
             naive, the best latent replay, and joint training. Means over seeds.",
            section.protocol
        ),
        content: Content::Matrix(MatrixFigure {
            row_name: "learned last".into(),
            column_name: "tested on".into(),
            value_name: "accuracy (%)".into(),
            panels,
        }),
    })
}

/// Spiking activity of each layer.
fn activity(collected: &Collected, sections: &[Section<'_>]) -> Option<SuiteFigure> {
    let mut highest: f64 = 0.0;
    let panels = sections.iter().filter_map(|section| {
        let replays = main_replays(&section.rows)?;
        let mut series = vec![Series {
            name: "pre-trained".into(),
            colour: FRONT,
            line: LineStyle::Dashed,
            mark: Some(Mark::Ring),
            points: pretrained_activity(collected, section),
        }];
        let rows = section.rows.iter().filter(|row| {
            let main = row.key.replays.is_none_or(|n| n == replays);
            main && matches!(row.key.codec, None | Some(Codec::Raw))
        });
        for row in rows {
            let (name, colour) = match (row.key.strategy, row.key.lr_index) {
                (Strategy::Naive, _) => ("naive".to_string(), NAIVE),
                (Strategy::Native, _) => ("native".to_string(), NATIVE),
                // As dark as the pre-trained network would be confusing.
                (Strategy::Joint, _) => ("joint".to_string(), 4),
                (Strategy::Latent, Some(index @ (1 | 2))) => {
                    (format!("latent, LR {index}, 1:1"), LR[index])
                }
                _ => continue,
            };
            let layers = row
                .cells
                .iter()
                .map(|cell| cell.activity.len())
                .max()
                .unwrap_or(0);
            let points = (0..layers)
                .filter_map(|layer| point(layer as f64, row, |cell| cell.activity[layer]));
            series.push(Series {
                name,
                colour,
                line: LineStyle::Solid,
                mark: Some(Mark::Circle),
                points: points.collect(),
            });
        }
        let points = series.iter().flat_map(|series| &series.points);
        highest = points
            .map(|point| point.y + point.error.unwrap_or(0.0))
            .fold(highest, f64::max);
        let layers = series.iter().map(|series| series.points.len()).max()?;
        let labels = (0..layers).map(|layer| match layer {
            0 => "input".to_string(),
            layer => format!("layer {layer}"),
        });
        Some(LinePanel {
            title: section.title(),
            x: LineAxis::Labels(String::new(), labels.collect()),
            series,
        })
    });
    let panels: Vec<LinePanel> = panels.collect();
    (!panels.is_empty()).then(|| SuiteFigure {
        name: "spiking-activity".into(),
        caption:
            "Percent of all cells (time steps × channels or neurons) with an event or a spike, on \
                  test samples, before and after learning. Bars are standard deviations over seeds."
                .into(),
        content: Content::Lines(LineFigure {
            y_name: "active cells (%)".into(),
            y_limits: (0.0, highest * 1.05),
            columns: 3,
            panels,
        }),
    })
}

fn pretrained_activity(collected: &Collected, section: &Section<'_>) -> Vec<Point> {
    let here = collected.groups.iter().filter(|(group, _)| {
        group.id.protocol == section.protocol
            && ScenarioKind::of(group.id.scenario) == section.scenario
    });
    let networks: Vec<_> = here
        .filter_map(|(group, results)| Some((group.id.seed, results.pretrained.as_ref()?)))
        .collect();
    let layers = networks
        .iter()
        .map(|(_, network)| network.activity.len())
        .max()
        .unwrap_or(0);
    let points = (0..layers).filter_map(|layer| {
        let values = networks.iter();
        let values =
            values.filter_map(|(seed, network)| Some((*seed, *network.activity.get(layer)?)));
        let spread = super::collected::Spread::of(values)?;
        Some(Point {
            x: layer as f64,
            y: spread.mean * 1e2,
            error: spread.deviation.map(|deviation| deviation * 1e2),
        })
    });
    points.collect()
}

impl SuiteFigure {
    /// What stands in for the figure where it can't be seen.
    pub fn alt(&self) -> String {
        self.caption
            .split(". ")
            .next()
            .unwrap_or_default()
            .to_string()
    }
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
