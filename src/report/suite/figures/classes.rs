//! Accuracy after each class of many, on all samples and task by task.

use ndarray::Array2;

use super::looks::{CodecMarks, lr_colour, strategy_look};
use super::{Content, Figures, Section, SuiteFigure, left_out, percent_figure, point};
use crate::replay::CodecSettings;
use crate::report::plot::{
    LineAxis, LinePanel, LineStyle, Mark, MatrixFigure, MatrixPanel, Series,
};
use crate::report::suite::collected::{Collected, MethodRole, Row};

/// More lines than these are not told apart in a panel.
const MOST_LATENT: usize = 8;

/// Accuracy after each class of many.
pub(super) fn class_by_class(
    collected: &Collected,
    sections: &[Section<'_>],
    marks: &CodecMarks,
    figures: &mut Figures,
) {
    let mut drawn: Vec<&Row<'_>> = Vec::new();
    let mut panels = Vec::new();
    let several = || sections.iter().filter(|section| !section.is_single());
    for section in several() {
        let mut series = Vec::new();
        for row in rows_of(section) {
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
            let latent = row.key.role == MethodRole::Latent;
            let codec_mark = row
                .key
                .codec
                .as_ref()
                .filter(|_| latent)
                .map(|codec| marks.get(codec));
            let (colour, line, mark) = match (codec_mark, row.key.lr_index) {
                (Some(None), _) => continue,
                (Some(Some(mark)), Some(index)) => (lr_colour(index), LineStyle::Solid, mark),
                _ => {
                    let (colour, line) = strategy_look(row.key.role);
                    (colour, line, Mark::Cross)
                }
            };
            series.push(Series {
                name: row.key.name(),
                colour,
                line,
                mark: Some(mark),
                points: points.collect(),
            });
            drawn.push(row);
        }
        panels.push(LinePanel {
            most_aside: None,
            title: section.title_at_replays(),
            remark: section.tested(&section.rows),
            x: LineAxis::Labels("learned last".into(), task_names(collected, section)),
            series,
        });
    }
    if panels.is_empty() {
        return;
    }
    let content = percent_figure(panels, 2, "accuracy on all (%)");
    let all = several().flat_map(|section| section.rows.iter().copied());
    figures.add(SuiteFigure {
        name: "accuracy-after-each-class".into(),
        caption: format!(
            "Accuracy on all test samples, those of classes still to come included, after each class of \
             the multi-class-incremental run. Bars are standard deviations over seeds; marks of one class \
             stand side by side.{}{}",
            several().map(Section::without_joint).collect::<String>(),
            left_out(all, &drawn)
        ),
        content: Content::Lines(content),
    });
}

/// The rows at the number of replays that is compared at. Where latent replay has too many for lines to
/// be told apart, those of its two highest LR indices, and of each kind of codec the one nearest to or:10.
fn rows_of<'a>(section: &Section<'a>) -> Vec<&'a Row<'a>> {
    let rows = section.rows.iter().copied();
    let mut rows: Vec<&Row<'_>> = rows.filter(|row| section.compares(row)).collect();
    let latent = |row: &Row<'_>| row.key.role == MethodRole::Latent;
    if rows.iter().filter(|row| latent(row)).count() <= MOST_LATENT {
        return rows;
    }
    let highest = rows.iter().filter_map(|row| row.key.lr_index).max();
    rows.retain(|row| {
        let index = row.key.lr_index.filter(|_| latent(row));
        index.is_none_or(|index| highest.is_some_and(|highest| index + 1 >= highest))
    });
    let all = rows.clone();
    let from_ten = |row: &Row<'_>| {
        row.key
            .codec
            .as_ref()
            .map(|codec| codec.window_steps().abs_diff(10))
    };
    let kind = |row: &Row<'_>| row.key.codec.as_ref().map(CodecSettings::kind);
    rows.retain(|row| {
        let nearer = |other: &&Row<'_>| {
            latent(other)
                && other.key.lr_index == row.key.lr_index
                && kind(other) == kind(row)
                && from_ten(other) < from_ten(row)
        };
        !latent(row) || !all.iter().any(nearer)
    });
    rows
}

/// `5 classes`, then the names of the classes learned one by one.
fn task_names(collected: &Collected, section: &Section<'_>) -> Vec<String> {
    let cell = section.rows.iter().flat_map(|row| &row.cells).next();
    let base = cell.and_then(|cell| cell.experiment.scenario.base_classes());
    let base = base.unwrap_or(0);
    let chosen = cell.and_then(|cell| cell.experiment.classes.as_ref());
    let names = chosen.unwrap_or(&collected.manifest.data.class_names);
    let names = names.iter().skip(base).cloned();
    let base = match base {
        1 => "1 class".to_string(),
        base => format!("{base} classes"),
    };
    std::iter::once(base).chain(names).collect()
}

/// Accuracy on every task after every task, for each strategy of a multi-class run.
pub(super) fn matrices(collected: &Collected, section: &Section<'_>, figures: &mut Figures) {
    if section.is_single() {
        return;
    }
    let latent = section.strategy(MethodRole::Latent);
    let latent: Vec<&Row<'_>> = latent.filter(|row| section.compares(row)).collect();
    let best = latent.iter().copied().max_by(|one, other| {
        let accuracy = |row: &Row<'_>| row.mean(|cell| cell.after.all);
        accuracy(one).total_cmp(&accuracy(other))
    });
    let naive = section.strategy(MethodRole::Naive).next();
    let joint = section.strategy(MethodRole::Joint).next();
    let names = task_names(collected, section);
    let rows: Vec<&Row<'_>> = [naive, best, joint].into_iter().flatten().collect();
    let panels = rows.iter().map(|row| {
        let tasks = names.len();
        let mean = |(after, task): (usize, usize)| {
            1e2 * row.mean(|cell| {
                let rows = cell.matrix.rows();
                let value = rows.get(after).and_then(|row| row.get(task));
                value.copied().unwrap_or(f64::NAN)
            })
        };
        let tested = row
            .tested()
            .map_or(String::new(), |tested| tested.to_string());
        let picked = row.key.role == MethodRole::Latent && latent.len() > 1;
        MatrixPanel {
            title: row.key.full_name().replace(" replays", "\u{a0}replays"),
            remark: match picked {
                true => format!("best of {} on these test samples; {tested}", latent.len()),
                false => tested,
            },
            row_names: names.clone(),
            column_names: names.clone(),
            values: Array2::from_shape_fn((tasks, tasks), mean),
        }
    });
    let panels: Vec<MatrixPanel> = panels.collect();
    if panels.is_empty() {
        return;
    }
    let picked = match (best, latent.len()) {
        (Some(best), many) if many > 1 => format!(
            " Picked of {many}, as right most often on the same test samples: {}.",
            best.key.full_name()
        ),
        _ => String::new(),
    };
    figures.add(SuiteFigure {
        name: format!("accuracy-matrix-{}", section.protocol),
        caption: format!(
            "Accuracy on the test samples of every task after each task was learned, {} protocol. Means \
             over seeds.{picked}{}{}",
            section.protocol,
            section.without_joint(),
            left_out(section.rows.iter().copied(), &rows)
        ),
        content: Content::Matrix(MatrixFigure {
            row_name: "learned last".into(),
            column_name: "tested on".into(),
            value_name: "accuracy (%)".into(),
            panels,
        }),
    });
}
