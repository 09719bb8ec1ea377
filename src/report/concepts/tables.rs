//! Tables of an outcome: percentages, means over seeds ± their standard deviation.

use super::ConceptSummary;
use crate::concepts::{ConceptOutcome, WayOutcome};
use crate::report::suite::Spread;
use crate::report::{kilobytes, markdown};
use crate::storage::shown;

/// What stands where there is nothing to measure.
const NOTHING: &str = "–";

/// A heading and a row for each way: alignment of the first concept at first and in the end, the mean of all in the end,
/// and how much given samples of the first one differ then, all in %; with the judge's accuracy on real samples last.
pub fn concept_table(outcome: &ConceptOutcome) -> (Vec<String>, Vec<Vec<String>>) {
    let last = outcome.names.len().saturating_sub(1);
    let first = shown(outcome.names.first().map_or("", String::as_str));
    let heading = vec![
        "way".to_string(),
        "bytes".to_string(),
        format!("{first} at first %"),
        format!("{first} in the end %"),
        "all in the end %".to_string(),
        "diversity %".to_string(),
    ];
    let mut rows: Vec<Vec<String>> = outcome
        .ways
        .iter()
        .map(|way| {
            vec![
                shown(&way.name).into_owned(),
                kilobytes(way.most_bytes()),
                percent(way.alignment(0, 0)),
                percent(way.alignment(last, 0)),
                percent(way.mean_alignment(last)),
                percent(way.relative_diversity(last, 0)),
            ]
        })
        .collect();
    let of_first = outcome.ceiling.first().copied().map(share);
    let mean = outcome.ceiling.iter().sum::<f64>() / outcome.ceiling.len().max(1) as f64;
    let nothing = || NOTHING.to_string();
    let of_first = of_first.unwrap_or_else(nothing);
    rows.push(vec![
        "real test samples".to_string(),
        nothing(),
        of_first.clone(),
        of_first,
        share(mean),
        nothing(),
    ]);
    (heading, rows)
}

/// All tables, as Markdown.
pub(super) fn page(summary: &ConceptSummary) -> String {
    let outcome = &summary.outcome;
    let names: Vec<&str> = outcome.names.iter().map(String::as_str).collect();
    let last = names.len().saturating_sub(1);
    let mut page = format!("# Concepts learned one by one\n\n{}\n", settings(summary));

    let first = names.first().copied().unwrap_or_default();
    page += &format!(
        "\n## Alignment of {}, the first concept\n\nThe share of what each way gives for it that the judge takes for \
         it, in %, after each concept.\n\n",
        text(first)
    );
    let heading = headed("way", names.iter().map(|name| format!("after {name}")));
    page += &table(&heading, outcome, |way| {
        (0..=last)
            .map(|after| percent(way.alignment(after, 0)))
            .collect()
    });

    page += "\n## Alignment in the end\n\nOf each concept after the last one, in %. Below, the judge's \
             accuracy on real samples: through the codec, which is the ceiling, as they are, and on those that were \
             learned from, through the codec.\n\n";
    let with_mean = names.iter().map(ToString::to_string);
    let heading = headed("way", with_mean.chain(["mean".to_string()]));
    let mut rows = rows(outcome, |way| {
        let each = (0..=last).map(|concept| percent(way.alignment(last, concept)));
        each.chain([percent(way.mean_alignment(last))]).collect()
    });
    for (name, shares) in [
        ("real test samples", &outcome.ceiling),
        ("the same, uncompressed", &outcome.uncompressed),
        ("real samples learned from", &outcome.of_learned),
    ] {
        let mean = shares.iter().sum::<f64>() / shares.len().max(1) as f64;
        let cells = shares.iter().copied().chain([mean]).map(share);
        rows.push(std::iter::once(name.to_string()).chain(cells).collect());
    }
    page += &markdown(&refs(&heading), &rows);

    page += "\n## What is given in the end\n\nOf each way: the most bytes that it held, and means over all concepts \
             after the last one: samples given for a concept; how much two of them differ, in % of how much two real \
             ones do; how far one is from the nearest real one that was learned from, in % of how far a real one is \
             from the nearest other (0 % are copies).\n\n";
    let heading = ["way", "bytes", "samples", "diversity %", "nearest real %"];
    let heading: Vec<String> = heading.iter().map(ToString::to_string).collect();
    page += &table(&heading, outcome, |way| {
        let mean = |of: fn(&WayOutcome, usize, usize) -> Option<Spread>| {
            let each: Vec<f64> = (0..=last)
                .filter_map(|concept| Some(of(way, last, concept)?.mean))
                .collect();
            (!each.is_empty()).then(|| each.iter().sum::<f64>() / each.len() as f64)
        };
        let number = |value: Option<f64>, factor: f64| {
            value.map_or(NOTHING.to_string(), |value| {
                format!("{:.1}", value * factor)
            })
        };
        vec![
            way.most_bytes().to_string(),
            number(mean(WayOutcome::given), 1.0),
            number(mean(WayOutcome::relative_diversity), 1e2),
            number(mean(WayOutcome::relative_nearest), 1e2),
        ]
    });
    page
}

/// What the tables are of.
fn settings(summary: &ConceptSummary) -> String {
    let outcome = &summary.outcome;
    let experiment = &outcome.experiment;
    let seeds = experiment.seeds.iter().map(|seed| seed.0.to_string());
    let seeds: Vec<String> = seeds.collect();
    let names: Vec<String> = outcome.names.iter().map(|name| text(name)).collect();
    let learned_from = outcome.learned_from.iter();
    let (fewest, most) = (learned_from.clone().min(), learned_from.max());
    let samples = match (fewest, most) {
        (Some(fewest), Some(most)) if fewest != most => format!("{fewest} to {most}"),
        (_, most) => most.copied().unwrap_or(0).to_string(),
    };
    let mut said = format!(
        "{} came in this order, each with {samples} real samples, to sources alone: no network was trained. They learned \
         latents at LR index {} (`{}`, {} bits a sample), each within {} bytes; generators gave {} samples of each. \
         Seeds: {}. The judge is what lies above the LR index in {}; it was trained on {} of the real samples",
        names.join(", "),
        experiment.lr_index,
        experiment.codec,
        outcome.bits,
        experiment.budget,
        experiment.samples,
        seeds.join(", "),
        text(&summary.model),
        summary.judge_trained_on,
    );
    said += &match summary.judge_trained_on_tests {
        0 => " and on no test sample.".to_string(),
        seen => format!(" and on {seen} of the test samples, so that the ceiling proves nothing."),
    };
    said
}

/// A text from a file as Markdown shows it.
fn text(text: &str) -> String {
    let text = shown(text).replace('&', "&amp;").replace('<', "&lt;");
    let special = |letter: char| matches!(letter, '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|');
    let letters = text.chars().flat_map(|letter| {
        let escape = special(letter).then_some('\\');
        escape.into_iter().chain([letter])
    });
    letters.collect()
}

fn headed(first: &str, others: impl Iterator<Item = String>) -> Vec<String> {
    std::iter::once(first.to_string()).chain(others).collect()
}

fn refs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn rows(outcome: &ConceptOutcome, of: impl Fn(&WayOutcome) -> Vec<String>) -> Vec<Vec<String>> {
    let ways = outcome.ways.iter();
    ways.map(|way| std::iter::once(way.name.clone()).chain(of(way)).collect())
        .collect()
}

fn table(
    heading: &[String],
    outcome: &ConceptOutcome,
    of: impl Fn(&WayOutcome) -> Vec<String>,
) -> String {
    markdown(&refs(heading), &rows(outcome, of))
}

fn percent(spread: Option<Spread>) -> String {
    spread.map_or(NOTHING.to_string(), Spread::percent)
}

fn share(share: f64) -> String {
    format!("{:.1}", share * 1e2)
}
