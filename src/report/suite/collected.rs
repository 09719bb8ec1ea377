//! All results of a suite, put together by what was held out and by seed.
//!
//! In: a suite's folder and its plan. Out: rows, each with means over what was held out, and their
//! mean and standard deviation over seeds.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::continual::{Experiment, Protocol, Strategy};
use crate::random::MasterSeed;
use crate::replay::{Capacity, Codec};
use crate::suite::{
    CellResult, Group, GroupResults, Manifest, ScenarioKind, SuiteError, SuiteFolder,
};

/// The results that a suite's folder has of its plan.
#[derive(Debug)]
pub struct Collected {
    /// What was run.
    pub manifest: Manifest,
    /// Each group of the plan with what is there of it.
    pub groups: Vec<(Group, GroupResults)>,
}

/// A mean over seeds, of means over what was held out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The standard deviation over seeds (n − 1), if there are two or more.
    pub deviation: Option<f64>,
    /// Seeds.
    pub seeds: usize,
}

impl Spread {
    /// Of values with their seeds; `None` without any.
    pub fn of(values: impl IntoIterator<Item = (MasterSeed, f64)>) -> Option<Self> {
        let mut by_seed: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for (seed, value) in values {
            by_seed.entry(seed.0).or_default().push(value);
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let means: Vec<f64> = by_seed.values().map(|values| mean(values)).collect();
        let seeds = means.len();
        (seeds > 0).then(|| {
            let middle = mean(&means);
            let squares: f64 = means.iter().map(|value| (value - middle).powi(2)).sum();
            let deviation = (seeds > 1).then(|| (squares / (seeds - 1) as f64).sqrt());
            Spread {
                mean: middle,
                deviation,
                seeds,
            }
        })
    }

    /// `71.3 ± 0.4`, the share as a percentage.
    pub fn percent(self) -> String {
        match self.deviation {
            Some(deviation) => format!("{:.1} ± {:.1}", self.mean * 1e2, deviation * 1e2),
            None => format!("{:.1}", self.mean * 1e2),
        }
    }
}

/// What the experiments of a row share: all but what is held out and the seed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RowKey {
    /// How data was split.
    pub protocol: Protocol,
    /// What was learned.
    pub scenario: ScenarioKind,
    /// What was trained on.
    pub strategy: Strategy,
    /// How many layers were frozen.
    pub lr_index: Option<usize>,
    /// How samples were compressed.
    pub codec: Option<Codec>,
    /// How many replays the memory may hold.
    pub replays: Option<usize>,
}

impl RowKey {
    /// The row of an experiment.
    pub fn of(experiment: &Experiment) -> Self {
        RowKey {
            protocol: experiment.protocol,
            scenario: ScenarioKind::of(experiment.scenario),
            strategy: experiment.strategy,
            lr_index: experiment.lr_index,
            codec: experiment.memory.map(|memory| memory.codec),
            replays: experiment.memory.and_then(|memory| match memory.capacity {
                Capacity::Samples(samples) => Some(samples),
                Capacity::Bytes(_) => None,
            }),
        }
    }

    /// Strategy, LR index and codec in a few words.
    pub fn name(&self) -> String {
        let mut words = self.strategy.to_string();
        if let Some(index) = self.lr_index {
            words += &format!(", LR {index}");
        }
        if let (Some(codec), Strategy::Latent) = (self.codec, self.strategy) {
            words += &format!(", {}", ratio(codec));
        }
        words
    }
}

/// A codec as papers write it: `1:1`, `1:10`, or `counts 1:10`.
pub fn ratio(codec: Codec) -> String {
    let steps = codec.window_steps();
    match codec {
        Codec::Raw | Codec::Or(_) => format!("1:{steps}"),
        Codec::Counts(_) => format!("counts 1:{steps}"),
    }
}

/// The experiments of a row.
#[derive(Debug)]
pub struct Row<'a> {
    /// What they share.
    pub key: RowKey,
    /// What they came to.
    pub cells: Vec<&'a CellResult>,
    /// How many the plan has.
    pub planned: usize,
    /// The number of replays at which the suite wants codecs and LR indices to be compared.
    pub compare_at: Option<usize>,
}

impl<'a> Row<'a> {
    /// The row with those experiments alone whose held-out speaker or class and seed the other row has,
    /// too: while a grid is being filled, rows are of different ones, some of which are easier.
    pub fn paired_with(&self, other: &Row<'_>) -> Row<'a> {
        let has = |cell: &&CellResult| other.cells.iter().any(|other| same_start(cell, other));
        Row {
            cells: self.cells.iter().copied().filter(has).collect(),
            ..*self
        }
    }

    /// A figure of each experiment, put together.
    pub fn spread(&self, of: impl Fn(&CellResult) -> f64) -> Option<Spread> {
        let values = self.cells.iter();
        Spread::of(values.map(|cell| (cell.experiment.seed, of(cell))))
    }

    /// A figure that hardly differs between experiments, on average.
    pub fn mean(&self, of: impl Fn(&CellResult) -> f64) -> f64 {
        self.cells.iter().map(|cell| of(cell)).sum::<f64>() / self.cells.len().max(1) as f64
    }
}

impl Collected {
    /// Reads what a folder has of a plan.
    ///
    /// # Errors
    /// [`SuiteError`] if a file can't be read.
    pub fn read(folder: &SuiteFolder, groups: &[Group]) -> Result<Self, SuiteError> {
        let groups = groups
            .iter()
            .map(|group| Ok((group.clone(), folder.results(group.id)?)));
        Ok(Collected {
            manifest: folder.manifest().clone(),
            groups: groups.collect::<Result<_, SuiteError>>()?,
        })
    }

    /// Every row of the plan, in its order; rows without any result too.
    pub fn rows(&self) -> Vec<Row<'_>> {
        let mut rows: Vec<Row<'_>> = Vec::new();
        for (group, results) in &self.groups {
            for cell in &group.cells {
                let key = RowKey::of(cell);
                let place = rows.iter().position(|row| row.key == key);
                let place = place.unwrap_or_else(|| {
                    rows.push(Row {
                        key,
                        cells: Vec::new(),
                        planned: 0,
                        compare_at: group.compare_at,
                    });
                    rows.len() - 1
                });
                rows[place].planned += 1;
                rows[place].cells.extend(results.of(cell));
            }
        }
        rows.sort_by_key(|row| {
            let key = row.key;
            (
                key.protocol == Protocol::Published,
                key.scenario,
                key.strategy == Strategy::Latent,
                key.lr_index,
                key.codec
                    .map(|codec| (matches!(codec, Codec::Counts(_)), codec.window_steps())),
                key.replays,
            )
        });
        rows
    }

    /// The sources that finished experiments and pre-trainings of the plan are of, with their numbers.
    pub fn builds(&self) -> BTreeMap<Option<&str>, usize> {
        let mut builds = BTreeMap::new();
        for (group, results) in &self.groups {
            let cells = group.cells.iter().filter_map(|cell| results.of(cell));
            let cells = cells.map(|cell| cell.build.as_deref());
            let pretrained = results.pretrained.iter();
            for build in cells.chain(pretrained.map(|pretrained| pretrained.build.as_deref())) {
                *builds.entry(build).or_default() += 1;
            }
        }
        builds
    }

    /// Experiments planned, and finished.
    pub fn progress(&self) -> (usize, usize) {
        let planned = self.groups.iter().map(|(group, _)| group.cells.len()).sum();
        let finished = |(group, results): &(Group, GroupResults)| {
            let cells = group.cells.iter();
            cells.filter(|cell| results.of(cell).is_some()).count()
        };
        (planned, self.groups.iter().map(finished).sum())
    }

    /// Protocols and scenarios that have a finished experiment, in the order of tables.
    pub fn sections(&self) -> Vec<(Protocol, ScenarioKind)> {
        let mut sections = Vec::new();
        for row in self.rows() {
            let section = (row.key.protocol, row.key.scenario);
            if !row.cells.is_empty() && !sections.contains(&section) {
                sections.push(section);
            }
        }
        sections
    }
}

/// Whether two experiments begin from the same network and learn the same.
pub fn same_start(one: &CellResult, other: &CellResult) -> bool {
    let (one, other) = (&one.experiment, &other.experiment);
    (one.scenario, one.seed) == (other.scenario, other.seed)
}

/// The number of replays at which codecs and LR indices of a protocol and scenario are compared: what the
/// suite says, else the one that most planned rows of latent replay have, the smallest of several.
pub fn main_replays(rows: &[Row<'_>], protocol: Protocol, scenario: ScenarioKind) -> Option<usize> {
    let here = rows.iter().filter(|row| {
        let key = row.key;
        let here = key.protocol == protocol && key.scenario == scenario;
        here && key.strategy == Strategy::Latent
    });
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for row in here {
        if row.compare_at.is_some() {
            return row.compare_at;
        }
        *counts.entry(row.key.replays?).or_default() += 1;
    }
    let most = counts.values().max()?;
    counts
        .iter()
        .find(|(_, count)| *count == most)
        .map(|(replays, _)| *replays)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviation_is_over_seeds_not_over_what_is_held_out() {
        let values = [(0, 0.5), (0, 0.7), (1, 0.6), (1, 1.0)];
        let values = values.map(|(seed, value)| (MasterSeed(seed), value));
        let spread = Spread::of(values).expect("four values");
        assert!((spread.mean - 0.7).abs() < 1e-12);
        // Means 0.6 and 0.8: √(2 × 0.01 / 1).
        assert!((spread.deviation.expect("two seeds") - 0.02f64.sqrt()).abs() < 1e-12);
        assert_eq!(spread.percent(), "70.0 ± 14.1");
        assert_eq!(
            Spread::of([(MasterSeed(3), 0.25)]).map(Spread::percent),
            Some("25.0".into())
        );
        assert_eq!(Spread::of([]), None);
    }
}
