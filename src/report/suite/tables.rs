//! Tables of a suite.

use super::claims::{Claim, lost};
use super::collected::{Collected, Row, Spread, main_replays, ratio};
use crate::continual::{Experiment, Protocol, Scenario, Strategy};
use crate::replay::Capacity;
use crate::report::{kilobytes, markdown};
use crate::suite::{CellResult, Manifest, ScenarioKind};

/// A table with a name for its files, a title and the command that makes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// For file names.
    pub name: String,
    /// Above it.
    pub title: String,
    /// What its figures are.
    pub note: String,
    /// Above the columns.
    pub heading: Vec<String>,
    /// One for each row.
    pub rows: Vec<Vec<String>>,
    /// For each row the command that runs one of its experiments alone; may be empty. It is the last
    /// column of the CSV file.
    pub commands: Vec<String>,
}

impl Table {
    /// As Markdown, with title, note and command.
    pub fn markdown(&self, command: &str) -> String {
        let heading: Vec<&str> = self.heading.iter().map(String::as_str).collect();
        let table = markdown(&heading, &self.rows);
        let (title, note) = (&self.title, &self.note);
        format!("## {title}\n\n{note}\n\n```sh\n{command}\n```\n\n{table}")
    }

    /// As comma-separated values.
    pub fn csv(&self) -> String {
        let quote = |cell: &String| match cell.contains([',', '"', '\n']) {
            true => format!("\"{}\"", cell.replace('"', "\"\"")),
            false => cell.clone(),
        };
        let line = |row: &[String], command: Option<&String>| {
            let cells = row.iter().chain(command);
            cells.map(quote).collect::<Vec<_>>().join(",") + "\n"
        };
        let last = "command of its first experiment".to_string();
        let heading = line(&self.heading, self.commands.first().map(|_| &last));
        let rows = self.rows.iter().enumerate();
        let rows = rows.map(|(index, row)| line(row, self.commands.get(index)));
        std::iter::once(heading).chain(rows).collect()
    }
}

/// All tables that the results have something for.
pub fn tables(collected: &Collected, claims: &[Claim]) -> Vec<Table> {
    let mut tables = vec![claim_table(claims)];
    let all = collected.rows();
    let kinds = [
        ScenarioKind::Sample,
        ScenarioKind::Class,
        ScenarioKind::MultiClass,
    ];
    tables.extend(kinds.iter().filter_map(|&kind| side_by_side(kind, &all)));
    for (protocol, scenario) in collected.sections() {
        let here = |row: &&Row<'_>| row.key.protocol == protocol && row.key.scenario == scenario;
        let rows: Vec<&Row<'_>> = all.iter().filter(here).collect();
        tables.extend(codec_table(protocol, scenario, &rows));
        if scenario == ScenarioKind::MultiClass {
            tables.push(class_by_class(collected, protocol, &rows));
        }
        tables.push(every_row(&collected.manifest, protocol, scenario, &rows));
    }
    tables.push(activity_table(&all));
    tables.retain(|table| !table.rows.is_empty());
    tables
}

const MEANS: &str = "Mean ± standard deviation over seeds, each seed being the mean over all speakers \
    or classes that were held out; accuracies in percent on test samples.";

fn claim_table(claims: &[Claim]) -> Table {
    let rows = claims.iter().map(|claim| {
        vec![
            claim.protocol.to_string(),
            claim.scenario.name().to_string(),
            claim.claim.clone(),
            claim.found.clone(),
            claim.verdict(),
        ]
    });
    Table {
        name: "claims".into(),
        title: "The paper's claims".into(),
        note: "Points are percentage points; mean ± standard deviation over seeds.".into(),
        heading: ["protocol", "scenario", "claim", "found", "verdict"]
            .map(String::from)
            .into(),
        rows: rows.collect(),
        commands: Vec::new(),
    }
}

/// Both protocols, at the number of replays that each compares codecs with.
fn side_by_side(scenario: ScenarioKind, all: &[Row<'_>]) -> Option<Table> {
    let of = |protocol| -> Vec<&Row<'_>> {
        let here = |row: &&Row<'_>| {
            let key = row.key;
            key.protocol == protocol && key.scenario == scenario && !row.cells.is_empty()
        };
        all.iter().filter(here).collect()
    };
    let (strict, published) = (of(Protocol::Strict), of(Protocol::Published));
    if strict.is_empty() || published.is_empty() {
        return None;
    }
    let compared = |rows: &[&Row<'_>], like: &Row<'_>| -> Option<Vec<String>> {
        let replays = main_replays(rows);
        let row = rows.iter().find(|row| {
            let (one, other) = (row.key, like.key);
            (one.strategy, one.lr_index, one.codec) == (other.strategy, other.lr_index, other.codec)
                && (one.replays.is_none() || one.replays == replays)
        })?;
        let percent = |of: fn(&CellResult) -> f64| row.spread(of).map(Spread::percent);
        Some(vec![
            or_none(row.key.replays),
            percent(|cell| cell.after.old)?,
            percent(|cell| cell.after.new)?,
            percent(|cell| cell.after.all)?,
            row.cells.len().to_string(),
        ])
    };
    let mut rows: Vec<Vec<String>> = Vec::new();
    for like in &published {
        let name = like.key.name();
        if rows.iter().any(|row| row[0] == name) {
            continue;
        }
        if let (Some(one), Some(other)) = (compared(&strict, like), compared(&published, like)) {
            rows.push([vec![name], one, other].concat());
        }
    }
    let columns = ["replays", "old", "new", "all", "runs"];
    let mut heading = vec!["strategy".to_string()];
    for protocol in ["strict", "published"] {
        heading.extend(columns.iter().map(|column| format!("{protocol}: {column}")));
    }
    Some(Table {
        name: format!("protocols-{}", slug(scenario)),
        title: format!("{}: both protocols side by side", scenario.name()),
        note: format!("At the end. The protocols differ in splits, epochs and rates, too. {MEANS}"),
        heading,
        rows,
        commands: Vec::new(),
    })
}

/// Accuracy on everything by codec and LR index.
fn codec_table(protocol: Protocol, scenario: ScenarioKind, rows: &[&Row<'_>]) -> Option<Table> {
    let replays = main_replays(rows)?;
    let here = rows
        .iter()
        .filter(|row| row.key.strategy == Strategy::Latent);
    let here: Vec<&&Row<'_>> = here
        .filter(|row| row.key.replays == Some(replays))
        .collect();
    let mut codecs = Vec::new();
    let mut indices = Vec::new();
    for row in &here {
        let (codec, index) = (row.key.codec?, row.key.lr_index?);
        if !codecs.contains(&codec) {
            codecs.push(codec);
        }
        if !indices.contains(&index) {
            indices.push(index);
        }
    }
    codecs.sort_by_key(|codec| (ratio(*codec).starts_with('c'), codec.window_steps()));
    indices.sort_unstable();
    let mut heading = vec!["codec".to_string()];
    heading.extend(indices.iter().map(|index| format!("LR index {index}")));
    let cell = |codec, index| {
        let row = here
            .iter()
            .find(|row| row.key.codec == Some(codec) && row.key.lr_index == Some(index));
        let spread = row.and_then(|row| row.spread(|cell| cell.after.all));
        spread.map_or("–".to_string(), Spread::percent)
    };
    let table = codecs.iter().map(|&codec| {
        let accuracies = indices.iter().map(|&index| cell(codec, index));
        std::iter::once(ratio(codec)).chain(accuracies).collect()
    });
    Some(Table {
        name: format!("codecs-{protocol}-{}", slug(scenario)),
        title: format!(
            "{}, {protocol}: accuracy by codec and LR index",
            scenario.name()
        ),
        note: format!("On all test samples at the end, {replays} replays. {MEANS}"),
        heading,
        rows: table.collect(),
        commands: Vec::new(),
    })
}

/// Accuracy on everything after every class.
fn class_by_class(collected: &Collected, protocol: Protocol, rows: &[&Row<'_>]) -> Table {
    let names = &collected.manifest.data.class_names;
    let base = rows.iter().flat_map(|row| &row.cells).next();
    let base = base.map_or(0, |cell| match cell.experiment.scenario {
        Scenario::MultiClass { base_classes } => base_classes,
        _ => 0,
    });
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
        note: format!("On all test samples, those of classes still to come included. {MEANS}"),
        rows: table.collect(),
        heading,
        commands: Vec::new(),
    }
}

/// Every row, with its memory and a command.
fn every_row(
    manifest: &Manifest,
    protocol: Protocol,
    scenario: ScenarioKind,
    rows: &[&Row<'_>],
) -> Table {
    let heading = [
        "strategy",
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
    let table = rows.iter().filter(|row| !row.cells.is_empty()).map(|row| {
        let percent =
            |of: fn(&CellResult) -> f64| row.spread(of).map_or("–".to_string(), Spread::percent);
        let held = row.mean(|cell| cell.replay.samples as f64);
        let memory = |text: String| if held > 0.0 { text } else { "–".to_string() };
        let times = |stored: fn(&CellResult) -> f64| {
            let ratio = row.mean(|cell| cell.replay.raw_input_bits as f64 / stored(cell).max(1.0));
            memory(format!("{ratio:.1}×"))
        };
        vec![
            row.key.name(),
            memory(format!("{held:.0}")),
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
        ]
    });
    let cells = rows.iter().filter_map(|row| row.cells.first());
    let commands = cells.map(|cell| learn_command(manifest, &cell.experiment));
    Table {
        name: format!("all-{protocol}-{}", slug(scenario)),
        title: format!("{}, {protocol}: every experiment", scenario.name()),
        note: format!(
            "{MEANS} Bytes are those really held, labels and header included; raw / packed is raw \
             input bits over bits of packed samples, as the paper counts."
        ),
        heading: heading.map(String::from).into(),
        rows: table.collect(),
        commands: commands.collect(),
    }
}

/// How active each layer is.
fn activity_table(rows: &[Row<'_>]) -> Table {
    let layers = rows.iter().flat_map(|row| &row.cells).next();
    let layers = layers.map_or(0, |cell| cell.activity.len().saturating_sub(1));
    let mut heading = ["protocol", "scenario", "strategy", "replays", "input"]
        .map(String::from)
        .to_vec();
    heading.extend((1..=layers).map(|layer| format!("layer {layer}")));
    let table = rows.iter().filter(|row| !row.cells.is_empty()).map(|row| {
        let mut line = vec![
            row.key.protocol.to_string(),
            row.key.scenario.name().to_string(),
            row.key.name(),
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
               test samples; means over seeds and over what was held out."
                .into(),
        rows: table.collect(),
        heading,
        commands: Vec::new(),
    }
}

/// The `respike learn` command of an experiment, to the last setting.
pub fn learn_command(manifest: &Manifest, experiment: &Experiment) -> String {
    let files = manifest.data.files.join(" ");
    let mut command = match experiment.scenario {
        Scenario::Sample { speaker } => format!("respike learn sample --held-out {}", speaker.0),
        Scenario::Class { class } => format!("respike learn class --held-out {}", class.0),
        Scenario::MultiClass { base_classes } => {
            format!("respike learn multi-class --base-classes {base_classes}")
        }
    };
    command += &format!(
        " --data {files} --model {} --protocol {} --strategy {} --seed {} --pretrain-epochs {} \
         --pretrain-lr {} --epochs {} --lr {}",
        manifest.model,
        experiment.protocol,
        experiment.strategy,
        experiment.seed.0,
        experiment.pretrain_epochs,
        experiment.pretrain.learning_rate,
        experiment.epochs,
        experiment.learn.learning_rate,
    );
    if experiment.pretrain.schedule != crate::train::Schedule::Constant {
        command += " --schedule cosine";
    }
    if let Some(index) = experiment.lr_index {
        command += &format!(" --lr-index {index}");
    }
    if let Some(memory) = experiment.memory {
        if experiment.strategy == Strategy::Latent {
            command += &format!(" --codec {}", memory.codec);
        }
        match memory.capacity {
            Capacity::Samples(samples) => command += &format!(" --replays {samples}"),
            Capacity::Bytes(bytes) => command += &format!(" --budget {bytes}"),
        }
        command += &format!(" --policy {}", memory.policy);
    }
    if manifest.simd == crate::simd::Simd::Portable {
        command += " --simd portable";
    }
    command + " --out runs/one"
}

fn or_none(number: Option<usize>) -> String {
    number.map_or("–".to_string(), |number| number.to_string())
}

/// A kind of scenario in file names.
pub fn slug(scenario: ScenarioKind) -> &'static str {
    match scenario {
        ScenarioKind::Sample => "sample",
        ScenarioKind::Class => "class",
        ScenarioKind::MultiClass => "multi-class",
    }
}
