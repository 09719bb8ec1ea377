//! Tables, drawn from summaries.

use super::csv_line::csv_line;
use super::{LearnSummary, describe_replay, kilobytes};
use crate::continual::TestSamples;
use crate::storage::shown;

/// Continual-learning runs side by side: a heading and a row for each.
///
/// Accuracies are percentages on test samples, before anything new was learned → at the end; *tested*
/// is how many there are, old + new, and all where these are others. Bytes are all that is kept for the sake of what
/// was learned before, besides the network's weights: replays, generators, what heads and regularisers sum up. Raw
/// input is how many times more bits the same samples take as raw input spikes. Seconds are for
/// learning, without pre-training.
pub fn learn_table(runs: &[LearnSummary]) -> (Vec<&'static str>, Vec<Vec<String>>) {
    let heading = vec![
        "scenario",
        "strategy",
        "trains",
        "old %",
        "new %",
        "all %",
        "tested",
        "replays",
        "bytes",
        "raw input",
        "seconds",
    ];
    let rows = runs.iter().map(|run| {
        let (before, after) = (run.accuracy.before, run.accuracy.after);
        let change = |before: f64, after: f64| match before.is_nan() && after.is_nan() {
            true => "–".to_string(),
            false => format!("{:.1} → {:.1}", before * 1e2, after * 1e2),
        };
        let figures = run.replay.figures;
        let or_none = |text: String| {
            if figures.samples > 0 {
                text
            } else {
                "–".into()
            }
        };
        let bytes = figures.bytes + run.other_bytes;
        vec![
            shown(&run.scenario).into_owned(),
            describe_replay(&run.experiment),
            run.experiment.method.trains(),
            change(before.old, after.old),
            change(before.new, after.new),
            change(before.all, after.all),
            run.test_samples.map_or("–".into(), tested),
            or_none(figures.samples.to_string()),
            match (run.experiment.method.is_ceiling(), bytes) {
                (true, _) => "all data".into(),
                (false, 0) => "–".into(),
                (false, bytes) => kilobytes(bytes),
            },
            or_none(times_smaller(run.replay.compression.unwrap_or(0.0))),
            format!("{:.1}", run.seconds.learn),
        ]
    });
    (heading, rows.collect())
}

/// `400 + 100`, or `64 + 64, all 640` where everything is not old and new together.
fn tested(samples: TestSamples) -> String {
    let TestSamples { old, new, all } = samples;
    match old + new == all {
        true => format!("{old} + {new}"),
        false => format!("{old} + {new}, all {all}"),
    }
}

/// How many times larger raw input is than what is stored.
fn times_smaller(ratio: f64) -> String {
    match ratio {
        small if small < 10.0 => format!("{small:.1}×"),
        large => format!("{large:.0}×"),
    }
}

/// A heading and rows as a Markdown table; whatever would end a cell or be read as HTML is escaped.
pub fn markdown(heading: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: Vec<&str>| {
        let cells = cells.iter().map(|cell| {
            let cell = shown(cell).replace('&', "&amp;").replace('<', "&lt;");
            cell.replace('|', "\\|")
        });
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let rows = rows
        .iter()
        .map(|row| line(row.iter().map(String::as_str).collect()));
    let under = format!("|{}\n", "---|".repeat(heading.len()));
    let head = [line(heading.to_vec()), under];
    head.into_iter().chain(rows).collect()
}

/// A heading and rows with commas between their cells, for spreadsheets.
pub fn comma_separated(heading: &[String], rows: &[Vec<String>]) -> String {
    let rows = rows.iter().map(csv_line);
    std::iter::once(csv_line(heading)).chain(rows).collect()
}
