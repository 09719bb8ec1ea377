//! Which tables a suite has, and what stands in them.

use super::claims::{Claim, NotJudged, lost};
use super::collected::{
    Collected, MethodRole, Row, ScenarioKind, Spread, all_replays, codec_order, main_replays,
};
use super::command::learn_command;
use super::controls::{ControlRow, controls};
use super::methods::methods_table;
use super::table::Table;
use super::tested::Tested;
use crate::continual::Protocol;
use crate::replay::CodecSettings;
use crate::report::kilobytes;
use crate::suite::CellResult;

/// All tables that the results have something for.
pub fn tables(collected: &Collected, claims: &[Claim], not_judged: &[NotJudged]) -> Vec<Table> {
    let all = collected.rows();
    if !collected.is_grid() {
        return tables_of_methods(collected, &all);
    }
    let mut tables = vec![claim_table(claims, not_judged)];
    let mut kinds: Vec<ScenarioKind> = Vec::new();
    for (_, kind) in collected.sections() {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds.sort();
    tables.extend(kinds.iter().filter_map(|kind| side_by_side(kind, &all)));
    for (protocol, scenario) in collected.sections() {
        let here = |row: &&Row<'_>| row.key.protocol == protocol && row.key.scenario == scenario;
        let rows: Vec<&Row<'_>> = all.iter().filter(here).collect();
        if let Some(replays) = main_replays(&all, protocol, &scenario) {
            let tried = all_replays(&all, protocol, &scenario);
            tables.extend(codec_table(protocol, &scenario, (replays, &tried), &rows));
        }
        if scenario.is_by_class {
            tables.push(class_by_class(collected, protocol, &rows));
        }
        tables.push(every_row(collected, protocol, &scenario, &rows));
    }
    tables.push(activity_table(&all));
    tables.retain(|table| !table.rows.is_empty());
    tables
}

/// Tables of a suite that compares methods with each other.
fn tables_of_methods(collected: &Collected, all: &[Row<'_>]) -> Vec<Table> {
    let sections = collected.sections().into_iter();
    let tables = sections.map(|(protocol, scenario)| {
        let here = |row: &&Row<'_>| row.key.protocol == protocol && row.key.scenario == scenario;
        let rows: Vec<&Row<'_>> = all.iter().filter(here).collect();
        methods_table(collected, protocol, &scenario, &rows)
    });
    tables.filter(|table| !table.rows.is_empty()).collect()
}

const MEANS: &str = "Mean ± standard deviation over seeds, each seed being the mean over all speakers \
    or classes that were held out; accuracies in percent on test samples.";

const TESTED: &str = "Tested: test samples of a run, old + new where results tell them apart.";

/// What *old* and *new* are where protocols do not mean the same.
fn old_and_new(scenario: &ScenarioKind) -> &'static str {
    match scenario.is_by_class {
        true => {
            "Strict: old are the base classes, new all others. Published: new is the class learned last, old \
             are all before it, so old before and at the end are not of the same classes; what is lost on \
             the base classes has a column of its own where it is shown. "
        }
        false => "",
    }
}

fn claim_table(claims: &[Claim], not_judged: &[NotJudged]) -> Table {
    let rows = claims.iter().map(|claim| {
        vec![
            claim.protocol.to_string(),
            claim.scenario.name().to_string(),
            claim.claim.clone(),
            claim.found.clone(),
            claim.verdict(),
        ]
    });
    let others = not_judged.iter().map(|claim| {
        vec![
            claim.protocol.to_string(),
            claim.scenario.name().to_string(),
            claim.claim.clone(),
            format!("Not judged: {}.", claim.reason),
            "not judged".to_string(),
        ]
    });
    Table {
        name: "claims".into(),
        title: "The paper's claims".into(),
        note: "Points are percentage points; mean ± standard deviation over seeds. Behind each finding stands \
               what was judged: strategy, LR index, codec, number of replays, test samples, and runs."
            .into(),
        heading: ["protocol", "scenario", "claim", "found", "verdict"]
            .map(String::from)
            .into(),
        rows: rows.chain(others).collect(),
        commands: Vec::new(),
    }
}

/// The row of a protocol that is like another's, at the number of replays that it compares codecs with.
fn compared<'a>(
    rows: &[&'a Row<'a>],
    replays: Option<usize>,
    like: &Row<'_>,
) -> Option<&'a Row<'a>> {
    let row = rows.iter().find(|row| {
        let (one, other) = (&row.key, &like.key);
        (&one.strategy, one.lr_index, &one.codec) == (&other.strategy, other.lr_index, &other.codec)
            && (one.replays.is_none() || one.replays == replays)
    });
    row.copied()
}

/// Both protocols side by side.
fn side_by_side(scenario: &ScenarioKind, all: &[Row<'_>]) -> Option<Table> {
    let of = |protocol| -> Vec<&Row<'_>> {
        let here = |row: &&Row<'_>| {
            let key = &row.key;
            key.protocol == protocol && key.scenario == *scenario && !row.cells.is_empty()
        };
        all.iter().filter(here).collect()
    };
    let replays = |protocol| main_replays(all, protocol, scenario);
    let (strict, published) = (of(Protocol::Strict), of(Protocol::Published));
    if strict.is_empty() || published.is_empty() {
        return None;
    }
    let mut rows: Vec<Vec<String>> = Vec::new();
    for like in &published {
        let name = like.key.name();
        if rows.iter().any(|row| row[0] == name) {
            continue;
        }
        let pair = (
            compared(&strict, replays(Protocol::Strict), like),
            compared(&published, replays(Protocol::Published), like),
        );
        let (Some(strict), Some(published)) = pair else {
            continue;
        };
        // Some speakers and classes are easier than others.
        let pair = [strict.paired_with(published), published.paired_with(strict)];
        let percent = |row: &Row<'_>, of: fn(&CellResult) -> f64| {
            row.spread(of).map_or("–".to_string(), Spread::percent)
        };
        let cells = pair.iter().flat_map(|row| {
            [
                row.tested().map_or("–".to_string(), Tested::cell),
                or_none(row.key.replays),
                percent(row, |cell| cell.after.old),
                percent(row, |cell| cell.after.new),
                percent(row, |cell| cell.after.all),
            ]
        });
        let runs = pair[0].cells.len();
        if runs > 0 {
            let line = std::iter::once(name).chain(cells);
            rows.push(line.chain([runs.to_string()]).collect());
        }
    }
    let columns = ["tested", "replays", "old", "new", "all"];
    let mut heading = vec!["strategy".to_string()];
    for protocol in ["strict", "published"] {
        heading.extend(columns.iter().map(|column| format!("{protocol}: {column}")));
    }
    heading.push("runs of each".into());
    Some(Table {
        name: format!("protocols-{}", scenario.slug),
        title: format!("{}: both protocols side by side", scenario.name()),
        note: format!(
            "At the end, for the speakers or classes and seeds that both protocols were run with. They \
             differ in splits, epochs and rates, too. {}{MEANS} {TESTED}",
            old_and_new(scenario)
        ),
        heading,
        rows,
        commands: Vec::new(),
    })
}

/// Accuracy on everything by codec and LR index.
fn codec_table(
    protocol: Protocol,
    scenario: &ScenarioKind,
    (replays, tried): (usize, &[usize]),
    rows: &[&Row<'_>],
) -> Option<Table> {
    let here = rows.iter().filter(|row| row.key.role == MethodRole::Latent);
    let here: Vec<&&Row<'_>> = here
        .filter(|row| row.key.replays == Some(replays))
        .collect();
    let mut codecs = Vec::new();
    let mut indices = Vec::new();
    for row in &here {
        let (codec, index) = (row.key.codec.clone()?, row.key.lr_index?);
        if !codecs.contains(&codec) {
            codecs.push(codec);
        }
        if !indices.contains(&index) {
            indices.push(index);
        }
    }
    codecs.sort_by_key(codec_order);
    indices.sort_unstable();
    let mut heading = vec!["codec".to_string()];
    heading.extend(indices.iter().map(|index| format!("LR index {index}")));
    let cell = |codec: &CodecSettings, index| {
        let row = here
            .iter()
            .find(|row| row.key.codec.as_ref() == Some(codec) && row.key.lr_index == Some(index));
        let spread = row.and_then(|row| row.spread(|cell| cell.after.all));
        spread.map_or("–".to_string(), Spread::percent)
    };
    let planned: usize = here.iter().map(|row| row.planned).sum();
    let finished: usize = here.iter().map(|row| row.cells.len()).sum();
    let table = codecs.iter().map(|codec| {
        let accuracies = indices.iter().map(|&index| cell(codec, index));
        std::iter::once(codec.to_string())
            .chain(accuracies)
            .collect()
    });
    Some(Table {
        name: format!("codecs-{protocol}-{}", scenario.slug),
        title: format!(
            "{}, {protocol}: accuracy by codec and LR index",
            scenario.name()
        ),
        note: format!(
            "On all test samples at the end{}, {replays} replays{}{}. {MEANS}",
            behind(here.iter().copied().copied()),
            match tried.iter().filter(|other| **other != replays).count() {
                0 => String::new(),
                _ => format!(
                    " (other numbers of replays are in all-{protocol}-{})",
                    scenario.slug
                ),
            },
            match planned == finished {
                true => String::new(),
                false => format!(
                    "; {finished} of {planned} experiments so far, so rows may be of other speakers or classes"
                ),
            }
        ),
        heading,
        rows: table.collect(),
        commands: Vec::new(),
    })
}

/// ` (600 test samples a run)`, or nothing where results do not tell.
fn behind<'a>(rows: impl IntoIterator<Item = &'a Row<'a>>) -> String {
    let tested = rows.into_iter().filter_map(Row::tested);
    Tested::together(tested).map_or(String::new(), |tested| format!(" ({tested})"))
}

/// Accuracy on everything after every class.
fn class_by_class(collected: &Collected, protocol: Protocol, rows: &[&Row<'_>]) -> Table {
    let cell = rows.iter().flat_map(|row| &row.cells).next();
    let chosen = cell.and_then(|cell| cell.experiment.classes.as_ref());
    let names = chosen.unwrap_or(&collected.manifest.data.class_names);
    let base = cell.and_then(|cell| cell.experiment.scenario.base_classes());
    let base = base.unwrap_or(0);
    let mut heading = vec![
        "strategy".to_string(),
        "replays".to_string(),
        "at first".to_string(),
    ];
    heading.extend(names.iter().skip(base).map(|name| format!("+ {name}")));
    let tasks = heading.len() - 2;
    let table = rows.iter().filter(|row| !row.cells.is_empty()).map(|row| {
        let mut line = vec![row.key.name(), or_none(row.key.replays)];
        line.extend((0..tasks).map(|task| {
            let spread =
                row.spread(|cell| cell.all_after_task.get(task).copied().unwrap_or(f64::NAN));
            spread.map_or("–".to_string(), Spread::percent)
        }));
        line
    });
    Table {
        name: format!("class-by-class-{protocol}"),
        title: format!("multi-class-incremental, {protocol}: accuracy after each class"),
        note: format!(
            "On all test samples{}, those of classes still to come included. {MEANS}",
            behind(rows.iter().copied())
        ),
        rows: table.collect(),
        heading,
        commands: Vec::new(),
    }
}

/// Every row, with its memory, a command and, where results are of several builds, those it is of; then the controls.
fn every_row(
    collected: &Collected,
    protocol: Protocol,
    scenario: &ScenarioKind,
    rows: &[&Row<'_>],
) -> Table {
    let is_mixture = collected.builds().len() > 1;
    let mut heading = vec![
        "strategy",
        "tested",
        "replays",
        "old before",
        "old",
        "new",
        "all",
        "lost on base",
        "bytes",
        "raw / packed",
        "raw / bytes",
        "runs",
    ];
    heading.extend(is_mixture.then_some("build"));
    let table = rows.iter().filter(|row| !row.cells.is_empty()).map(|row| {
        let percent =
            |of: fn(&CellResult) -> f64| row.spread(of).map_or("–".to_string(), Spread::percent);
        let held = row.mean(|cell| cell.replay.samples as f64);
        let memory = |text: String| if held > 0.0 { text } else { "–".to_string() };
        let times = |stored: fn(&CellResult) -> f64| {
            let ratio = row.mean(|cell| cell.replay.raw_input_bits as f64 / stored(cell).max(1.0));
            memory(format!("{ratio:.1}×"))
        };
        let mut cells = vec![
            row.key.name(),
            row.tested().map_or("–".to_string(), Tested::cell),
            memory(match row.key.replays {
                // There were no more samples.
                Some(asked) if held + 0.5 < asked as f64 => format!("{held:.0} of {asked}"),
                _ => format!("{held:.0}"),
            }),
            percent(|cell| cell.before.old),
            percent(|cell| cell.after.old),
            percent(|cell| cell.after.new),
            percent(|cell| cell.after.all),
            percent(lost),
            memory(kilobytes(row.mean(|cell| cell.replay.bytes as f64) as u64)),
            times(|cell| cell.replay.payload_bits as f64),
            times(|cell| cell.replay.bytes as f64 * 8.0),
            match row.cells.len() == row.planned {
                true => row.planned.to_string(),
                false => format!("{} of {}", row.cells.len(), row.planned),
            },
        ];
        cells.extend(is_mixture.then(|| row.builds()));
        cells
    });
    let cells = rows.iter().filter_map(|row| row.cells.first());
    let commands = cells.map(|cell| learn_command(&collected.manifest, &cell.experiment));
    let controls = controls(collected, protocol, scenario);
    let lines = controls.iter().map(|control| control.line(is_mixture));
    Table {
        name: format!("all-{protocol}-{}", scenario.slug),
        title: format!("{}, {protocol}: every experiment", scenario.name()),
        note: format!(
            "{}{MEANS} {TESTED} Bytes are those really held, labels and header included; raw / packed is raw \
             input bits over bits of packed samples, as the paper counts.{}",
            old_and_new(scenario),
            ControlRow::note(&controls)
        ),
        heading: heading.into_iter().map(String::from).collect(),
        rows: table.chain(lines).collect(),
        commands: commands.collect(),
    }
}

/// How active each layer is.
fn activity_table(rows: &[Row<'_>]) -> Table {
    let layers = rows.iter().flat_map(|row| &row.cells).next();
    let layers = layers.map_or(0, |cell| cell.activity.len().saturating_sub(1));
    let mut heading = [
        "protocol", "scenario", "strategy", "tested", "replays", "input",
    ]
    .map(String::from)
    .to_vec();
    heading.extend((1..=layers).map(|layer| format!("layer {layer}")));
    let table = rows.iter().filter(|row| !row.cells.is_empty()).map(|row| {
        let mut line = vec![
            row.key.protocol.to_string(),
            row.key.scenario.name().to_string(),
            row.key.name(),
            row.tested().map_or("–".to_string(), Tested::all),
            or_none(row.key.replays),
        ];
        line.extend((0..=layers).map(|layer| {
            let spread = row.spread(|cell| cell.activity.get(layer).copied().unwrap_or(f64::NAN));
            spread.map_or("–".to_string(), |spread| {
                format!("{:.2}", spread.mean * 1e2)
            })
        }));
        line
    });
    Table {
        name: "activity".into(),
        title: "Spiking activity at the end".into(),
        note:
            "Percent of all cells (time steps × channels or neurons) with an event or a spike, on \
               test samples (tested: how many a run); means over seeds and over what was held out."
                .into(),
        rows: table.collect(),
        heading,
        commands: Vec::new(),
    }
}

fn or_none(number: Option<usize>) -> String {
    number.map_or("–".to_string(), |number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::invented::{Coded, Invented, latent, naive, suite};
    use super::*;

    #[test]
    fn protocols_are_compared_over_what_both_were_run_with() {
        let published = |cell: Invented| Invented {
            protocol: Protocol::Published,
            ..cell
        };
        let results = [
            naive(0.5, 0.30),
            Invented {
                speaker: 1,
                ..naive(0.5, 0.90)
            },
            published(naive(0.4, 0.35)),
            latent(2, Coded::Raw, 0.1, 0.7),
        ];
        let collected = suite(&results, &[]);
        let tables = tables(&collected, &[], &[]);
        let table = tables.iter().find(|table| table.name == "protocols-sample");
        let table = table.expect("both protocols have a row");
        let expected = [
            "naive", "30 + 10", "–", "30.0", "60.0", "30.0", "30 + 10", "–", "40.0", "60.0",
            "35.0", "1",
        ];
        assert_eq!(table.rows, [expected], "latent replay has no published run");
        assert_eq!(table.heading.len(), expected.len());
    }

    #[test]
    fn commands_are_for_a_shell_and_write_to_a_folder_each() {
        let results = [naive(0.5, 0.3), latent(2, Coded::Raw, 0.1, 0.7)];
        let collected = suite(&results, &[]);
        let tables = tables(&collected, &[], &[]);
        let table = tables
            .iter()
            .find(|table| table.name == "all-strict-sample");
        let commands = &table.expect("it has rows").commands;
        assert!(commands[0].contains("--data \"it's here.h5\" test.h5 --model 'my model.toml'"));
        assert!(commands[0].ends_with("--out runs/strict-speaker-0-seed-0-naive"));
        assert!(
            commands[1].ends_with("--out runs/strict-speaker-0-seed-0-latent-LR-2-raw-100-replays")
        );
    }
}
