//! What a search found, as a table and a figure.
//!
//! In: the rounds of a search. Out: a row for each recipe of the last round that it was in, and a panel for each setting with
//! every recipe's score over its value.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

#[cfg(feature = "plots")]
use super::plot::{LineAxis, LineFigure, LinePanel, LineStyle, Mark, Point, Series};
use crate::storage::shown;
#[cfg(feature = "plots")]
use crate::tune::{Range, SearchSettings};
use crate::tune::{Round, Standing, importance};

/// What a search found, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SearchSummary {
    /// The search's name.
    pub name: String,
    /// Which recipe was best, 1 first; none where nothing was tried.
    pub best: Option<usize>,
    /// Its accuracy on validation samples, 0 to 1.
    pub validation_accuracy: Option<f64>,
    /// Its values, by key.
    pub values: BTreeMap<String, serde_json::Value>,
    /// The settings with what each explains of the differences in the first round, the most important one first.
    pub importance: Vec<(String, f64)>,
}

impl SearchSummary {
    /// Sums up the rounds of a search.
    pub fn of(name: &str, rounds: &[Round]) -> Self {
        let best = rounds.last().and_then(|round| round.standings.first());
        let result = best.and_then(|best| best.results.first());
        let mattered = rounds.first().map(importance).unwrap_or_default();
        let mattered = mattered.into_iter().map(|one| (one.key, one.share));
        SearchSummary {
            name: name.to_string(),
            best: best.map(|best| best.trial + 1),
            validation_accuracy: best.and_then(|best| best.score),
            values: result
                .map(|result| result.values.clone())
                .unwrap_or_default(),
            importance: mattered.collect(),
        }
    }
}

/// A heading and a row for each recipe: those of the last round first, and in each the best first. Scores are accuracy on
/// validation samples in %, the mean over seeds.
pub fn search_table(rounds: &[Round]) -> (Vec<String>, Vec<Vec<String>>) {
    let keys: BTreeSet<&String> = rounds
        .iter()
        .flat_map(|round| &round.standings)
        .flat_map(|standing| &standing.results)
        .flat_map(|result| result.values.keys())
        .collect();
    let mut heading = vec![
        "trial".to_string(),
        "epochs".to_string(),
        "validation %".to_string(),
    ];
    heading.extend(keys.iter().map(|key| shown(key).into_owned()));
    let mut seen = BTreeSet::new();
    let mut rows = Vec::new();
    for round in rounds.iter().rev() {
        for standing in &round.standings {
            if seen.insert(standing.trial) {
                rows.push(row(standing, round.epochs, &keys));
            }
        }
    }
    (heading, rows)
}

fn row(standing: &Standing, epochs: usize, keys: &BTreeSet<&String>) -> Vec<String> {
    let problem = standing
        .results
        .iter()
        .find_map(|result| result.problem.as_ref());
    let mut row = vec![
        (standing.trial + 1).to_string(),
        epochs.to_string(),
        match (standing.score, problem) {
            (Some(score), _) => format!("{:.1}", score * 1e2),
            (None, Some(problem)) => shown(problem).into_owned(),
            (None, None) => "–".to_string(),
        },
    ];
    let values = standing.results.first().map(|result| &result.values);
    row.extend(keys.iter().map(|key| {
        let value = values.and_then(|values| values.get(*key));
        value.map_or(String::new(), |value| {
            shown(&value_text(value)).into_owned()
        })
    }));
    row
}

/// A number in four digits, a text as it is, all else as JSON.
fn value_text(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().unwrap_or(f64::NAN);
            match number.abs() {
                0.0 => "0".to_string(),
                1e-3..1e4 => {
                    let digits = (3 - number.abs().log10().floor() as i32).max(0) as usize;
                    let text = format!("{number:.digits$}");
                    match text.contains('.') {
                        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
                        false => text,
                    }
                }
                _ => format!("{number:.3e}"),
            }
        }
        other => other.to_string(),
    }
}

/// Every recipe's score over the value of each setting, the most important setting first; by the first round, of which all
/// recipes are. Settings that are drawn evenly between logarithms have logarithmic axes.
#[cfg(feature = "plots")]
pub fn search_figure(search: &SearchSettings, rounds: &[Round]) -> LineFigure {
    let is_logarithmic = |name: &str| {
        let mut ranges = search.ranges.iter();
        ranges.any(|(key, range)| key.to_string() == name && matches!(range, Range::Log(_)))
    };
    let first = rounds.first();
    let settings = first.map(importance).unwrap_or_default();
    let last: BTreeSet<usize> = rounds
        .last()
        .filter(|_| rounds.len() > 1)
        .into_iter()
        .flat_map(|round| round.standings.iter().map(|standing| standing.trial))
        .collect();
    let scores: Vec<f64> = settings
        .iter()
        .flat_map(|one| one.points.iter().map(|(_, score)| score * 1e2))
        .collect();
    let low = scores.iter().copied().fold(100.0, f64::min);
    let high = scores.iter().copied().fold(0.0, f64::max);
    let panels = settings.iter().map(|one| {
        let name = one.key.rsplit('.').next().unwrap_or_default().to_string();
        let numbers: Vec<f64> = one.points.iter().map(|(value, _)| *value).collect();
        let (least, most) = (
            numbers.iter().copied().fold(f64::INFINITY, f64::min),
            numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        );
        let x = match one.labels.is_empty() {
            false => LineAxis::Labels(name, short_labels(&one.labels)),
            true if is_logarithmic(&one.key) && least > 0.0 => {
                LineAxis::Logarithm(name, (least / 1.2, most * 1.2))
            }
            true => {
                let margin = ((most - least) * 0.05).max(most.abs() * 1e-3).max(1e-9);
                LineAxis::Numbers(name, (least - margin, most + margin))
            }
        };
        let part = |name: &str, colour, mark, wanted: bool| Series {
            name: name.to_string(),
            colour,
            line: LineStyle::None,
            mark: Some(mark),
            points: one
                .points
                .iter()
                .zip(&one.trials)
                .filter(|(_, trial)| last.contains(trial) == wanted)
                .map(|(&(x, score), _)| Point {
                    x,
                    y: score * 1e2,
                    error: None,
                })
                .collect(),
        };
        let mut series = vec![part(
            if last.is_empty() {
                ""
            } else {
                "given up before the last round"
            },
            0,
            Mark::Circle,
            false,
        )];
        if !last.is_empty() {
            series.push(part("trained to the end", 1, Mark::Diamond, true));
        }
        LinePanel {
            most_aside: None,
            title: one.key.clone(),
            remark: format!("explains {:.0} % of the variance", one.share * 1e2),
            x,
            series,
        }
    });
    LineFigure {
        y_name: match first {
            Some(Round { epochs: 1, .. }) => "validation accuracy after 1 epoch, %".to_string(),
            Some(round) => format!("validation accuracy after {} epochs, %", round.epochs),
            None => "validation accuracy, %".to_string(),
        },
        y_limits: ((low - 2.0).max(0.0).floor(), (high + 2.0).min(100.0).ceil()),
        columns: 2,
        panels: panels.collect(),
    }
}

/// What labels tell apart: of tables and lists of tables their kinds, if these differ.
#[cfg(feature = "plots")]
fn short_labels(labels: &[String]) -> Vec<String> {
    let kind = |value: &serde_json::Value| Some(value.get("kind")?.as_str()?.to_string());
    let short = |label: &String| match serde_json::from_str(label).ok()? {
        serde_json::Value::Array(members) if members.is_empty() => Some("none".to_string()),
        serde_json::Value::Array(members) => {
            let kinds: Option<Vec<String>> = members.iter().map(kind).collect();
            Some(kinds?.join(", "))
        }
        value => kind(&value),
    };
    let kinds: Vec<Option<String>> = labels.iter().map(short).collect();
    let labels = labels.iter().zip(&kinds).map(|(label, short)| {
        let is_only = kinds.iter().filter(|other| *other == short).count() == 1;
        match short {
            Some(short) if is_only => short.clone(),
            _ => label.clone(),
        }
    });
    labels.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "plots")]
    #[test]
    fn labels_are_kinds_where_these_tell_values_apart() {
        let of = |labels: &[&str]| {
            let labels: Vec<String> = labels.iter().map(ToString::to_string).collect();
            short_labels(&labels)
        };
        let blend = r#"[{"kind":"blend","share":0.5}]"#;
        let both = r#"[{"kind":"blend","share":0.5},{"kind":"jitter"}]"#;
        let one = r#"{"kind":"adam"}"#;
        assert_eq!(
            of(&["[]", blend, both, one, "cosine"]),
            ["none", "blend", "blend, jitter", "adam", "cosine"]
        );
        let other = r#"[{"kind":"blend","share":0.1}]"#;
        assert_eq!(of(&[blend, other, "[]"]), [blend, other, "none"]);
    }

    #[test]
    fn values_are_shown_in_four_digits() {
        let text = |value: serde_json::Value| value_text(&value);
        assert_eq!(text(0.012_345_6.into()), "0.01235");
        assert_eq!(text(0.5.into()), "0.5");
        assert_eq!(text(1234.56.into()), "1235");
        assert_eq!(text(0.0.into()), "0");
        assert_eq!(text(0.000_012_34.into()), "1.234e-5");
        assert_eq!(text(64.into()), "64");
        assert_eq!(text("adam".into()), "adam");
    }
}
