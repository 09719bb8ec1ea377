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

/// The column of forward transfer, which is left out where it says nothing.
const FWT: &str = "FWT";

/// What stands in the table's columns.
const HEADING: [&str; 14] = [
    "method",
    "tested",
    "old",
    "new",
    "all",
    "ACC",
    "BWT",
    "forgotten",
    FWT,
    "replays",
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
            match (row.key.is_ceiling(), row.samples_held()) {
                (true, _) => "all".to_string(),
                (false, Some(held)) => format!("{held:.0}"),
                (false, None) => "–".to_string(),
            },
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
    let mut heading: Vec<String> = HEADING.map(String::from).into();
    let (about_transfer, has_column) = forward_transfer(&rows);
    let picking = match protocol {
        Protocol::Validation => ", which for picking are samples that are for training",
        _ => "",
    };
    if !has_column {
        let place = HEADING.iter().position(|name| *name == FWT);
        let place = place.expect("it is one of them");
        heading.remove(place);
        lines.iter_mut().for_each(|line| {
            line.remove(place);
        });
    }
    Table {
        name: format!("methods-{protocol}-{}", scenario.slug),
        title: format!("{}, {protocol}: methods", scenario.name()),
        note: format!(
            "At the end, in percent on test samples{picking}; mean ± standard deviation over seeds, each seed being the mean \
               over what was held out. Tested: test samples of a run, old + new. ACC is the mean over what is tested \
               apart, BWT what was gained since it was learned (lost, below 0), forgotten what was lost since it was \
               best{about_transfer} Replays are samples that are held at the end, on average; generators hold none \
               and draw theirs anew for each task. Bytes are all that is kept for the sake of what was learned before, besides the network's weights: samples, labels, statistics, \
               generators, headers. Aged: how many cells of kept latents differ from what the network would make of \
               the same samples now, of those that are set in either, where layers below are not frozen. Seconds are of \
               a run without pre-training, on the machine that ran it, beside others that ran at the same time.{}",
            ControlRow::note(&controls)
        ),
        heading,
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
    // Neither ACC, BWT, forgotten, FWT nor replays.
    line.extend((0..5).map(|_| none()));
    line.extend([kilobytes(control.bytes as u64), none(), none()]);
    line.push(match control.runs == control.planned {
        true => control.planned.to_string(),
        false => format!("{} of {}", control.runs, control.planned),
    });
    line
}

/// What is said of forward transfer, behind what is said of forgetting, and whether it has a column.
fn forward_transfer(rows: &[&Row<'_>]) -> (&'static str, bool) {
    let cells = rows.iter().flat_map(|row| &row.cells);
    let mut measured = cells
        .filter_map(|cell| cell.metrics.as_ref()?.fwt)
        .peekable();
    if measured.peek().is_none() {
        return (". FWT was not measured.", false);
    }
    match measured.any(|transfer| transfer != 0.0) {
        true => (
            ", FWT what was known before it was learned, against random weights.",
            true,
        ),
        false => (
            ". FWT, what was known before it was learned, against random weights, has no column: it is 0 in every row, \
             since nothing of a class is known before it is taught.",
            false,
        ),
    }
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

#[cfg(test)]
mod tests {
    use super::super::invented::{Coded, Invented, Taught, latent, naive, suite};
    use super::*;

    /// The table of methods whose forward transfer is this in every run.
    fn table(transfer: Option<f64>) -> Table {
        let joint = Invented {
            strategy: Taught::Joint,
            ..naive(0.1, 0.8)
        };
        let again = |replays, seed| Invented {
            seed,
            replay: Some((2, Coded::Raw, replays)),
            ..latent(2, Coded::Raw, 0.1, 0.7)
        };
        let mut collected = suite(&[naive(0.5, 0.3), joint, again(100, 0), again(100, 1)], &[]);
        for cell in collected
            .groups
            .iter_mut()
            .flat_map(|(_, results)| &mut results.cells)
        {
            cell.metrics = Some(Metrics {
                acc: 0.5,
                bwt: -0.1,
                forgetting_from_best: 0.1,
                forgetting_from_learned: 0.1,
                fwt: transfer,
            });
            let is_memory = !cell.experiment.method.replay.is_empty();
            cell.replay.samples = match (is_memory, cell.experiment.seed.0) {
                (false, _) => 0,
                // Budgets in bytes hold as many as there is room for, which is not the same in every run.
                (true, 0) => 18,
                (true, _) => 21,
            };
        }
        let rows = collected.rows();
        let (protocol, scenario) = collected.sections().remove(0);
        let rows: Vec<&Row<'_>> = rows.iter().collect();
        methods_table(&collected, protocol, &scenario, &rows)
    }

    fn column(table: &Table, name: &str) -> Vec<String> {
        let place = table.heading.iter().position(|heading| heading == name);
        let place = place.expect("there is such a column");
        let rows = table.rows.iter();
        rows.map(|row| row[place].clone()).collect()
    }

    #[test]
    fn a_table_says_how_many_samples_are_held_on_average() {
        let table = table(None);
        assert_eq!(
            column(&table, "method"),
            ["joint", "latent, LR 2, raw, 100 replays", "naive"]
        );
        assert_eq!(column(&table, "replays"), ["all", "20", "–"]);
        assert!(
            table
                .note
                .contains("Replays are samples that are held at the end")
        );
    }

    #[test]
    fn forward_transfer_has_a_column_where_it_is_not_the_same_nothing_everywhere() {
        let with = table(Some(0.25));
        let (first, has) = (with.heading.len(), |table: &Table| {
            table.heading.contains(&FWT.to_string())
        });
        assert!(has(&with));
        assert_eq!(column(&with, FWT), ["25.0", "25.0 ± 0.0", "25.0"]);
        assert!(
            with.note
                .contains("FWT what was known before it was learned")
        );
        for (transfer, said) in [
            (Some(0.0), "it is 0 in every row"),
            (None, "FWT was not measured"),
        ] {
            let without = table(transfer);
            assert!(!has(&without));
            assert!(without.note.contains(said), "{}", without.note);
            assert_eq!(without.heading.len(), first - 1);
            assert!(without.rows.iter().all(|row| row.len() == first - 1));
            assert_eq!(column(&without, "forgotten").len(), 3);
            // What stands behind it stays under its heading.
            assert_eq!(column(&without, "bytes"), column(&with, "bytes"));
            assert_eq!(column(&without, "runs"), ["1", "2", "1"]);
        }
    }
}
