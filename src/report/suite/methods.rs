//! Methods side by side.
//!
//! In: the rows of a protocol and scenario. Out: a table with a line for each method: what it reaches, what it forgets, and
//! what it takes.

use super::collected::{Collected, Row, ScenarioKind, Spread};
use super::command::learn_command;
use super::controls::{ControlRow, controls};
use super::table::Table;
use super::tested::Tested;
use crate::continual::{Metrics, Protocol};
use crate::report::kilobytes;
use crate::suite::CellResult;

/// What stands in the table's columns.
const HEADING: [&str; 13] = [
    "method",
    "tested",
    "old",
    "new",
    "all",
    "ACC",
    "BWT",
    "forgotten",
    "FWT",
    "bytes",
    "aged",
    "seconds",
    "runs",
];

/// The table of the methods of a protocol and scenario, those that are right most often first, ceilings before them.
pub fn methods_table(
    collected: &Collected,
    protocol: Protocol,
    scenario: &ScenarioKind,
    rows: &[&Row<'_>],
) -> Table {
    let mut rows: Vec<&Row<'_>> = rows
        .iter()
        .copied()
        .filter(|row| !row.cells.is_empty())
        .collect();
    let right = |row: &Row<'_>| row.mean(|cell| cell.after.all);
    rows.sort_by(|one, other| {
        let ceiling = |row: &Row<'_>| row.key.is_ceiling();
        ceiling(other)
            .cmp(&ceiling(one))
            .then(right(other).total_cmp(&right(one)))
    });
    let lines = rows.iter().map(|row| {
        let percent =
            |of: fn(&CellResult) -> f64| row.spread(of).map_or("–".to_string(), Spread::percent);
        let points = |of: fn(&Metrics) -> Option<f64>| {
            let found = row
                .cells
                .iter()
                .map(|cell| cell.metrics.as_ref().and_then(of));
            match found.collect::<Option<Vec<f64>>>() {
                Some(_) => percent_of(row, of),
                None => "–".to_string(),
            }
        };
        vec![
            row.key.full_name(),
            row.tested().map_or("–".to_string(), Tested::cell),
            percent(|cell| cell.after.old),
            percent(|cell| cell.after.new),
            percent(|cell| cell.after.all),
            points(|metrics| Some(metrics.acc)),
            points(|metrics| Some(metrics.bwt)),
            points(|metrics| Some(metrics.forgetting_from_best)),
            points(|metrics| metrics.fwt),
            match row.key.is_ceiling() {
                true => "all data".to_string(),
                false => kilobytes(row.mean(|cell| cell.bytes_in_all() as f64) as u64),
            },
            aged(row),
            collected
                .seconds(row)
                .map_or("–".to_string(), |seconds| format!("{seconds:.1}")),
            match row.cells.len() == row.planned {
                true => row.planned.to_string(),
                false => format!("{} of {}", row.cells.len(), row.planned),
            },
        ]
    });
    let commands = rows.iter().filter_map(|row| row.cells.first());
    let commands = commands.map(|cell| learn_command(&collected.manifest, &cell.experiment));
    // Controls stand right behind the ceilings, whether they win or lose.
    let mut lines: Vec<Vec<String>> = lines.collect();
    let mut commands: Vec<String> = commands.collect();
    let ceilings = rows.iter().take_while(|row| row.key.is_ceiling()).count();
    let controls = controls(collected, protocol, scenario);
    for (place, control) in controls.iter().enumerate() {
        lines.insert(ceilings + place, line_of_control(control));
        commands.insert(ceilings + place, String::new());
    }
    Table {
        name: format!("methods-{protocol}-{}", scenario.slug),
        title: format!("{}, {protocol}: methods", scenario.name()),
        note: format!(
            "At the end, in percent on test samples; mean ± standard deviation over seeds, each seed being the mean \
               over what was held out. Tested: test samples of a run, old + new. ACC is the mean over what is tested \
               apart, BWT what was gained since it was learned (lost, below 0), forgotten what was lost since it was \
               best, FWT what was known before it was learned, against random weights. Bytes are all that is kept for the \
               sake of what was learned before, besides the network's weights: samples, labels, statistics, \
               generators, headers. Aged: how many cells of kept latents differ from what the network would make of \
               the same samples now, of those that are set in either, where layers below are not frozen. Seconds are of \
               a run without pre-training, on the machine that ran it, beside others that ran at the same time.{}",
            ControlRow::note(&controls)
        ),
        heading: HEADING.map(String::from).into(),
        rows: lines,
        commands,
    }
}

/// The line of a control: rules without a trained network, which learn classes in any order alike.
fn line_of_control(control: &ControlRow) -> Vec<String> {
    let none = || "–".to_string();
    let tested = control.tested.map_or_else(none, Tested::cell);
    let mut line = vec![
        control.name().to_string(),
        tested,
        control.old.percent(),
        control.new.percent(),
        control.all.percent(),
    ];
    line.extend((0..4).map(|_| none()));
    line.extend([kilobytes(control.bytes as u64), none(), none()]);
    line.push(match control.runs == control.planned {
        true => control.planned.to_string(),
        false => format!("{} of {}", control.runs, control.planned),
    });
    line
}

fn percent_of(row: &Row<'_>, of: fn(&Metrics) -> Option<f64>) -> String {
    let value = |cell: &CellResult| {
        let found = cell.metrics.as_ref().and_then(of);
        found.unwrap_or(f64::NAN)
    };
    row.spread(value).map_or("–".to_string(), Spread::percent)
}

fn aged(row: &Row<'_>) -> String {
    let all = row.cells.iter().map(|cell| cell.aged);
    match all.collect::<Option<Vec<_>>>() {
        Some(_) => {
            let differing = row.mean(|cell| cell.aged.map_or(f64::NAN, |aged| aged.differing));
            format!("{:.1} %", differing * 1e2)
        }
        None => "–".to_string(),
    }
}
