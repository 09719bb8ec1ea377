use std::collections::BTreeMap;

use super::Round;

/// Values of a number are put into so many groups of the same size.
const GROUPS: usize = 4;

/// How much of the differences between recipes a setting explains.
#[derive(Debug, Clone, PartialEq)]
pub struct Importance {
    /// The setting's key.
    pub key: String,
    /// ε² (Kelley 1935): of the variance of scores, the share that lies between groups of recipes with like values,
    /// less what chance would give; 0 where it explains nothing.
    pub share: f64,
    /// Every recipe's value with its score, in the order of values: numbers as they are, others by their place among
    /// the texts of all.
    pub points: Vec<(f64, f64)>,
    /// Which recipe each of them is, 0 first.
    pub trials: Vec<usize>,
    /// What the places are, for values that are no numbers.
    pub labels: Vec<String>,
}

/// What mattered in a round, the most important setting first.
pub fn importance(round: &Round) -> Vec<Importance> {
    let mut by_key: BTreeMap<&str, Vec<(&serde_json::Value, f64, usize)>> = BTreeMap::new();
    for standing in &round.standings {
        let Some((score, result)) = standing.score.zip(standing.results.first()) else {
            continue;
        };
        for (key, value) in &result.values {
            by_key
                .entry(key)
                .or_default()
                .push((value, score, standing.trial));
        }
    }
    let mut all: Vec<Importance> = by_key
        .into_iter()
        .map(|(key, values)| of_setting(key, &values))
        .collect();
    all.sort_by(|one, other| {
        other
            .share
            .total_cmp(&one.share)
            .then(one.key.cmp(&other.key))
    });
    all
}

fn of_setting(key: &str, values: &[(&serde_json::Value, f64, usize)]) -> Importance {
    let numbers: Option<Vec<f64>> = values.iter().map(|(value, ..)| value.as_f64()).collect();
    let (places, labels) = match numbers {
        Some(numbers) => (numbers, Vec::new()),
        None => {
            let text = |value: &serde_json::Value| match value {
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let mut labels: Vec<String> = values.iter().map(|(value, ..)| text(value)).collect();
            labels.sort_unstable();
            labels.dedup();
            let place = |value| labels.iter().position(|label| *label == text(value));
            let places = values
                .iter()
                .map(|(value, ..)| place(value).unwrap_or(0) as f64);
            (places.collect(), labels)
        }
    };
    let scores = values.iter().map(|(_, score, trial)| (*score, *trial));
    let mut all: Vec<(f64, (f64, usize))> = places.into_iter().zip(scores).collect();
    all.sort_by(|one, other| {
        let by_value = one.0.total_cmp(&other.0);
        by_value
            .then(one.1.0.total_cmp(&other.1.0))
            .then(one.1.1.cmp(&other.1.1))
    });
    let points: Vec<(f64, f64)> = all
        .iter()
        .map(|&(value, (score, _))| (value, score))
        .collect();
    Importance {
        key: key.to_string(),
        share: explained(&groups(&points)),
        points,
        trials: all.iter().map(|&(_, (_, trial))| trial).collect(),
        labels,
    }
}

/// Scores of recipes with like values: the same, where there are few, else the same quarter.
fn groups(points: &[(f64, f64)]) -> Vec<Vec<f64>> {
    let mut of_value: Vec<(f64, Vec<f64>)> = Vec::new();
    for &(value, score) in points {
        match of_value.last_mut() {
            Some((same, scores)) if *same == value => scores.push(score),
            _ => of_value.push((value, vec![score])),
        }
    }
    if of_value.len() <= GROUPS {
        return of_value.into_iter().map(|(_, scores)| scores).collect();
    }
    let each = points.len().div_ceil(GROUPS);
    let quarters = points
        .chunks(each)
        .map(|part| part.iter().map(|(_, score)| *score).collect());
    quarters.collect()
}

fn explained(groups: &[Vec<f64>]) -> f64 {
    let all: Vec<f64> = groups.iter().flatten().copied().collect();
    let (count, groups_count) = (all.len() as f64, groups.len() as f64);
    let mean = |scores: &[f64]| scores.iter().sum::<f64>() / scores.len() as f64;
    let squares = |scores: &[f64], around: f64| {
        scores
            .iter()
            .map(|score| (score - around).powi(2))
            .sum::<f64>()
    };
    let total = squares(&all, mean(&all));
    let within: f64 = groups.iter().map(|group| squares(group, mean(group))).sum();
    if total <= 0.0 || count <= groups_count {
        return 0.0;
    }
    let by_chance = (groups_count - 1.0) * within / (count - groups_count);
    ((total - within - by_chance) / total).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decides_explains_all_and_what_does_not_nothing() {
        let value = |number: usize| serde_json::Value::from(number);
        let deciding: Vec<(serde_json::Value, f64)> = (0..12)
            .map(|trial| (value(trial % 3), (trial % 3) as f64))
            .collect();
        let idle: Vec<(serde_json::Value, f64)> = (0..12)
            .map(|trial| (value(trial % 3), (trial / 3) as f64))
            .collect();
        let share = |values: &[(serde_json::Value, f64)]| {
            let values: Vec<_> = values
                .iter()
                .map(|(value, score)| (value, *score, 0))
                .collect();
            of_setting("key", &values).share
        };
        assert!((share(&deciding) - 1.0).abs() < 1e-12);
        assert_eq!(share(&idle), 0.0);
        // By hand: groups (1, 2) and (4, 5); between 9 of 10, and chance gives 1/2 of it.
        let text = |text: &str| serde_json::Value::from(text);
        let two = [
            (text("a"), 1.0),
            (text("b"), 4.0),
            (text("a"), 2.0),
            (text("b"), 5.0),
        ];
        assert!((share(&two) - (9.0 - 0.5) / 10.0).abs() < 1e-12);
        // One value, or one recipe, explains nothing.
        assert_eq!(share(&[(text("a"), 1.0), (text("a"), 2.0)]), 0.0);
        assert_eq!(share(&[(text("a"), 1.0)]), 0.0);
    }
}
