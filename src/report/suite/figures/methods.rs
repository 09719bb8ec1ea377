//! Methods against what they hold, and along many tasks.

use super::comparison::pareto_front;
use super::looks::FRONT;
use super::{Content, Figures, Section, SuiteFigure, percent_figure, point};
use crate::report::kilobytes;
use crate::report::plot::{LineAxis, LinePanel, LineStyle, Mark, Point, Series};
use crate::report::suite::collected::{Collected, MethodRole, Row};
use crate::report::suite::controls::controls;

/// Colours that all can tell apart.
const COLOURS: usize = 7;
/// Of controls, which are upright crosses.
const CONTROLS: [usize; 3] = [6, 3, 1];
/// Of lines whose colours stand for another already.
const MARKS: [Mark; 4] = [
    Mark::Circle,
    Mark::OpenSquare,
    Mark::Diamond,
    Mark::OpenDown,
];
/// More lines than these of methods that work alike are not told apart in a panel.
const OF_EACH: usize = 2;

/// Accuracy on everything against all bytes held.
pub(super) fn against_bytes(
    collected: &Collected,
    sections: &[Section<'_>],
    figures: &mut Figures,
) {
    let names = methods_of(sections);
    let level_names = levels_of(sections);
    let mut panels = Vec::new();
    for section in sections {
        let kilobytes = |row: &Row<'_>| row.mean(|cell| cell.bytes_in_all() as f64) / 1e3;
        let (levels, points): (Vec<&Row<'_>>, Vec<&Row<'_>>) =
            section.rows.iter().copied().partition(|row| is_level(row));
        let points: Vec<&Row<'_>> = points
            .into_iter()
            .filter(|row| kilobytes(row) > 0.0)
            .collect();
        let controls_here = controls(collected, section.protocol, &section.scenario);
        let of_controls = controls_here.iter().map(|control| control.bytes / 1e3);
        let xs = || {
            points
                .iter()
                .map(|row| kilobytes(row))
                .chain(of_controls.clone())
        };
        let low = xs().reduce(f64::min);
        let high = xs().reduce(f64::max);
        let (Some(low), Some(high)) = (low, high) else {
            continue;
        };
        let limits = (low / 1.5, (high * 1.5).max(low * 10.0));
        let mut series = Vec::new();
        for row in &levels {
            series.extend(level(row, &level_names, limits));
        }
        let mut all = Vec::new();
        let mut marked: Vec<(String, Series)> = Vec::new();
        for row in &points {
            let Some(point) = point(kilobytes(row), row, |cell| cell.after.all) else {
                continue;
            };
            all.push(point);
            let (colour, mark) = look_of(&names, row);
            let whole_name = row.key.name();
            match marked.iter_mut().find(|(known, _)| *known == whole_name) {
                // The same within other bytes.
                Some((_, series)) => {
                    series.line = LineStyle::Solid;
                    series.points.push(point);
                    series.points.sort_by(|a, b| a.x.total_cmp(&b.x));
                }
                None => {
                    let series = Series {
                        name: row.key.strategy.clone(),
                        colour,
                        line: LineStyle::None,
                        mark: Some(mark),
                        points: vec![point],
                    };
                    marked.push((whole_name, series));
                }
            }
        }
        for (place, control) in controls_here.iter().enumerate() {
            let (x, y) = (control.bytes / 1e3, control.all.mean * 1e2);
            let at = Point {
                x,
                y,
                error: control.all.deviation.map(|deviation| deviation * 1e2),
            };
            all.push(at);
            let series = Series {
                name: control.name().to_string(),
                colour: CONTROLS[place % CONTROLS.len()],
                line: LineStyle::None,
                mark: Some(Mark::Plus),
                points: vec![at],
            };
            marked.push((control.name().to_string(), series));
        }
        series.push(Series {
            name: "Pareto front".into(),
            colour: FRONT,
            line: LineStyle::Dashed,
            mark: None,
            points: pareto_front(all),
        });
        series.extend(marked.into_iter().map(|(_, series)| series));
        panels.push(LinePanel {
            // A mark beside its place would tell other bytes.
            most_aside: Some(0.0),
            title: section.title(),
            remark: section.tested(&points),
            x: LineAxis::Logarithm("all bytes held (kB)".into(), limits),
            series,
        });
    }
    if panels.is_empty() {
        return;
    }
    join_everywhere(&mut panels);
    figures.add(SuiteFigure {
        name: "accuracy-against-bytes".into(),
        caption: "Accuracy on all test samples at the end against all bytes that are kept for the sake of what was \
                  learned before, besides the network's weights: samples, labels, statistics, generators, headers. \
                  Level lines keep all samples or nothing. The grey dashed line joins those that nothing smaller \
                  beats. Coloured lines join what one method comes to within several budgets. Bars are standard \
                  deviations over seeds. Every mark stands at the bytes that it means; those that lie on one another \
                  are seen through, and stand apart in the tables."
            .into(),
        content: Content::Lines(percent_figure(panels, 2, "accuracy on all (%)")),
    });
}

/// Gives what is joined in one panel its line in all, so that it stands in the legend once.
fn join_everywhere(panels: &mut [LinePanel]) {
    let series = panels.iter().flat_map(|panel| &panel.series);
    let joined = series.filter(|series| series.line == LineStyle::Solid);
    let joined: Vec<(String, usize)> = joined
        .map(|series| (series.name.clone(), series.colour))
        .collect();
    for series in panels.iter_mut().flat_map(|panel| &mut panel.series) {
        if series.mark.is_some() && joined.contains(&(series.name.clone(), series.colour)) {
            series.line = LineStyle::Solid;
        }
    }
}

/// A line over the whole panel.
fn level(row: &Row<'_>, names: &[(String, bool)], (from, to): (f64, f64)) -> Option<Series> {
    // Ceilings have long dashes, and what does nothing about forgetting has dots.
    const CEILINGS: [usize; 4] = [6, 2, 5, 3];
    const FLOORS: [usize; 4] = [1, 0, 3, 4];
    let is_ceiling = row.key.is_ceiling();
    let name = row.key.name();
    let alike = names.iter().filter(|(_, ceiling)| *ceiling == is_ceiling);
    let place = alike.map(|(name, _)| name).position(|known| *known == name);
    let place = place.unwrap_or(0);
    let height = point(0.0, row, |cell| cell.after.all)?.y;
    let end = |x| Point {
        x,
        y: height,
        error: None,
    };
    let (colour, line) = match is_ceiling {
        true => (CEILINGS[place % CEILINGS.len()], LineStyle::LongDashed),
        false => (FLOORS[place % FLOORS.len()], LineStyle::Dotted),
    };
    Some(Series {
        name,
        colour,
        line,
        mark: None,
        points: vec![end(from), end(to)],
    })
}

/// The names of all rows that are level lines, each once, with whether it is a ceiling.
fn levels_of(sections: &[Section<'_>]) -> Vec<(String, bool)> {
    let mut names: Vec<(String, bool)> = Vec::new();
    for row in sections.iter().flat_map(|section| &section.rows) {
        let name = (row.key.name(), row.key.is_ceiling());
        if is_level(row) && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The tags of all sections, each once, with what each replays.
fn methods_of(sections: &[Section<'_>]) -> Vec<(String, MethodRole)> {
    let mut names: Vec<(String, MethodRole)> = Vec::new();
    for row in sections.iter().flat_map(|section| &section.rows) {
        let name = (row.key.strategy.clone(), row.key.role);
        if !is_level(row) && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// A colour for each method among those that replay alike, which have marks of their own.
fn look_of(names: &[(String, MethodRole)], row: &Row<'_>) -> (usize, Mark) {
    let alike = names.iter().filter(|(_, role)| *role == row.key.role);
    let place = alike
        .map(|(name, _)| name)
        .position(|name| *name == row.key.strategy);
    let place = place.unwrap_or(0);
    let marks = match row.key.role {
        MethodRole::Latent => [Mark::ClearCircle, Mark::ClearSquare, Mark::ClearDiamond],
        MethodRole::Alone => [Mark::ClearUp, Mark::OpenUp, Mark::Up],
        MethodRole::Native | MethodRole::Joint => [Mark::ClearDown, Mark::OpenDown, Mark::Down],
        MethodRole::Naive => [Mark::Cross, Mark::Circle, Mark::Square],
    };
    (place % COLOURS, marks[(place / COLOURS) % marks.len()])
}

/// Accuracy on everything along tasks, where there are many.
pub(super) fn along_tasks(sections: &[Section<'_>], figures: &mut Figures) {
    let mut panels = Vec::new();
    for section in sections.iter().filter(|section| section.is_of_many_tasks()) {
        let rows = some_of_each(&section.rows);
        let last = rows
            .iter()
            .flat_map(|row| &row.cells)
            .filter_map(|cell| cell.tasks_measured().last().copied())
            .max();
        let series = rows.iter().enumerate().map(|(place, row)| {
            // Colours begin anew with the dashed lines, so that as few as can be stand for two.
            let alike = rows[..place]
                .iter()
                .filter(|other| is_level(other) == is_level(row));
            let (colour, mark) = look_along(alike.count());
            let tasks = row
                .cells
                .first()
                .map_or_else(Vec::new, |cell| cell.tasks_measured());
            let points = tasks.iter().enumerate().filter_map(|(at, &task)| {
                let accuracy = point(task as f64, row, |cell| {
                    cell.all_after_task.get(at).copied().unwrap_or(f64::NAN)
                })?;
                Some(Point {
                    error: None,
                    ..accuracy
                })
            });
            let name = row.key.name();
            let budgets = section.rows.iter().filter(|other| other.key.name() == name);
            Series {
                name: match budgets.count() {
                    0 | 1 => name,
                    _ => format!("{name}, {}", bytes_of(row)),
                },
                colour,
                line: match is_level(row) {
                    true => LineStyle::Dashed,
                    false => LineStyle::Solid,
                },
                mark,
                points: points.collect(),
            }
        });
        let series: Vec<Series> = series.collect();
        panels.push(LinePanel {
            most_aside: Some(0.0),
            title: section.title(),
            remark: section.tested(&rows),
            x: LineAxis::Numbers(
                "tasks learned".into(),
                (0.0, last.unwrap_or(1).max(1) as f64),
            ),
            series,
        });
    }
    if panels.is_empty() {
        return;
    }
    figures.add(SuiteFigure {
        name: "accuracy-along-tasks".into(),
        caption: format!(
            "Accuracy on all test samples, always the same, along the tasks. Of those that keep all samples or do \
             nothing about forgetting (dashed), of those that replay raw inputs, latents above frozen or slowed \
             layers, and of those that learn in closed form, at most {OF_EACH} each, right most often at the end on \
             these test samples, each within the budget that is best. The others stand in the tables. Means over seeds."
        ),
        content: Content::Lines(percent_figure(panels, 2, "accuracy on all (%)")),
    });
}

/// The colour of a line along tasks by its place among those of the same dashes, and its mark, if another has the colour.
pub(super) fn look_along(place: usize) -> (usize, Option<Mark>) {
    let again = (place / COLOURS).checked_sub(1);
    let mark = again.map(|again| MARKS[again % MARKS.len()]);
    (place % COLOURS, mark)
}

/// All bytes that a row holds, as people write them.
fn bytes_of(row: &Row<'_>) -> String {
    kilobytes(row.mean(|cell| cell.bytes_in_all() as f64) as u64)
}

/// Of rows that work alike those that are right most often.
fn some_of_each<'a>(rows: &[&'a Row<'a>]) -> Vec<&'a Row<'a>> {
    let right = |row: &Row<'_>| row.mean(|cell| cell.after.all);
    let kind = |row: &Row<'_>| {
        (
            row.key.role as u8,
            row.key.is_ceiling(),
            row.key.is_slowed(),
        )
    };
    let mut best: Vec<&Row<'_>> = rows.to_vec();
    best.sort_by(|one, other| right(other).total_cmp(&right(one)));
    let mut taken: Vec<&Row<'_>> = Vec::new();
    for row in best {
        let alike = taken.iter().filter(|taken| kind(taken) == kind(row));
        // A method stands here within one of its budgets, and once for each layer.
        let again = |other: &&Row<'_>| {
            other.key.strategy == row.key.strategy && other.key.lr_index == row.key.lr_index
        };
        if alike.count() < OF_EACH && !taken.iter().any(again) {
            taken.push(row);
        }
    }
    taken
}

/// Whether a row is drawn as a level line, as what could be reached, and not as a point.
fn is_level(row: &Row<'_>) -> bool {
    row.key.is_ceiling()
        || row.key.role == MethodRole::Naive && row.mean(|cell| cell.bytes_in_all() as f64) == 0.0
}
