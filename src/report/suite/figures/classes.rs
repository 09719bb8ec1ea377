//! Accuracy after each class of many, on all samples and task by task.

use ndarray::Array2;

use super::{Content, JOINT, LR, NAIVE, NATIVE, Section, SuiteFigure, percent_figure, point};
use crate::continual::{Scenario, Strategy};
use crate::replay::Codec;
use crate::report::plot::{
    LineAxis, LinePanel, LineStyle, Mark, MatrixFigure, MatrixPanel, Series,
};
use crate::report::suite::collected::{Collected, Row};

/// Accuracy after each class of many.
pub(super) fn class_by_class(
    collected: &Collected,
    sections: &[Section<'_>],
) -> Option<SuiteFigure> {
    let panels = sections.iter().filter(|section| !section.is_single());
    let panels = panels.map(|section| {
        let mut series = Vec::new();
        let rows = section.rows.iter().filter(|row| {
            let shown = match row.key.strategy {
                Strategy::Latent => row.key.lr_index.is_some_and(|index| index >= 2),
                _ => true,
            };
            section.compares(row) && shown
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
            // Of each kind of codec the one nearest to 1:10 alone, so that lines can be told apart.
            let from_ten = |row: &Row<'_>| {
                row.key
                    .codec
                    .map_or(0, |codec| codec.window_steps().abs_diff(10))
            };
            let nearer = |other: &&Row<'_>| {
                let kind =
                    |row: &Row<'_>| row.key.codec.map(|codec| std::mem::discriminant(&codec));
                other.key.lr_index == row.key.lr_index
                    && other.key.strategy == row.key.strategy
                    && kind(other) == kind(row)
                    && from_ten(other) < from_ten(row)
            };
            if section.rows.iter().any(nearer) {
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
            remark: String::new(),
            x: LineAxis::Labels("learned last".into(), task_names(collected, section)),
            series,
        }
    });
    let panels: Vec<LinePanel> = panels.collect();
    (!panels.is_empty()).then(|| SuiteFigure {
        name: "accuracy-after-each-class".into(),
        caption: "Accuracy on all test samples, those of classes still to come included, after each \
                  class of the multi-class-incremental run; of latent replay LR index 2 and above, and of each \
                  kind of codec the one nearest to 1:10. Bars are standard deviations over seeds."
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

/// Accuracy on every task after every task, for each strategy of a multi-class run.
pub(super) fn matrices(collected: &Collected, section: &Section<'_>) -> Option<SuiteFigure> {
    if section.is_single() {
        return None;
    }
    let latent = section.strategy(Strategy::Latent);
    let latent = latent.filter(|row| section.compares(row));
    let best = latent.max_by(|one, other| {
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
            remark: String::new(),
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
