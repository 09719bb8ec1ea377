//! All results of a suite, put together by what was held out and by seed.
//!
//! In: a suite's folder and its plan. Out: rows, each with means over what was held out, and their
//! mean and standard deviation over seeds.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::tested::Tested;
use crate::continual::{Experiment, Protocol, ScenarioSettings};
use crate::method::Method;
use crate::random::MasterSeed;
use crate::replay::CodecSettings;
use crate::suite::{
    CellResult, Group, GroupId, GroupResults, Manifest, SuiteError, SuiteFolder, cell_name,
};
use crate::train::TrainingSettings;

/// The results that a suite's folder has of its plan.
#[derive(Debug)]
pub struct Collected {
    /// What was run.
    pub manifest: Manifest,
    /// Each group of the plan with what is there of it.
    pub groups: Vec<(Group, GroupResults)>,
    /// How long each experiment took, in seconds, by its group and its name.
    pub times: BTreeMap<(String, String), f64>,
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

/// What scenarios share that stand in the same tables.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScenarioKind {
    /// Where its tables stand.
    place: usize,
    /// For names of files.
    pub slug: String,
    /// As papers say.
    pub label: String,
    /// Whether one thing alone is learned after pre-training.
    pub is_single: bool,
    /// Whether classes come one by one after some that are known.
    pub is_by_class: bool,
}

impl ScenarioKind {
    /// The kind of a scenario.
    pub fn of(scenario: &ScenarioSettings) -> Self {
        ScenarioKind {
            place: scenario.place_in_registry(),
            slug: scenario.section(),
            label: scenario.label(),
            is_single: scenario.is_single(),
            is_by_class: scenario.base_classes().is_some(),
        }
    }

    /// As papers say.
    pub fn name(&self) -> &str {
        &self.label
    }
}

impl Serialize for ScenarioKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.slug)
    }
}

/// What a method replays, which decides how it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MethodRole {
    /// Nothing.
    Naive,
    /// All samples there ever were, to the whole network.
    Joint,
    /// Raw inputs.
    Native,
    /// Latents.
    Latent,
    /// Nothing, and its head learns alone.
    Alone,
}

impl MethodRole {
    fn of(method: &Method) -> Self {
        match (method.lr_index, method.replay.is_empty()) {
            _ if method.head.learns_alone() => MethodRole::Alone,
            (_, true) => MethodRole::Naive,
            (None, false) if method.is_ceiling() => MethodRole::Joint,
            (None, false) => MethodRole::Native,
            (Some(_), false) => MethodRole::Latent,
        }
    }
}

/// What the experiments of a row share: all but what is held out and the seed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RowKey {
    /// How data was split.
    pub protocol: Protocol,
    /// What was learned.
    pub scenario: ScenarioKind,
    /// The method's tag.
    pub strategy: String,
    /// How many layers lie below what is replayed.
    pub lr_index: Option<usize>,
    /// How samples were compressed.
    pub codec: Option<CodecSettings>,
    /// How many replays the memory may hold.
    pub replays: Option<usize>,
    /// What it replays.
    #[serde(skip)]
    pub role: MethodRole,
    /// All of it, and how it was trained.
    #[serde(skip)]
    whole: (Method, usize, TrainingSettings),
}

impl RowKey {
    /// The row of an experiment.
    pub fn of(experiment: &Experiment) -> Self {
        let method = &experiment.method;
        RowKey {
            protocol: experiment.protocol,
            scenario: ScenarioKind::of(&experiment.scenario),
            strategy: method.name.clone(),
            lr_index: method.lr_index,
            codec: method.codec().cloned(),
            replays: method.replays(),
            role: MethodRole::of(method),
            whole: (method.clone(), experiment.epochs, experiment.learn.clone()),
        }
    }

    /// Whether all samples there ever were are replayed.
    pub fn is_ceiling(&self) -> bool {
        self.whole.0.is_ceiling()
    }

    /// Whether layers below the LR index learn slowly instead of being frozen.
    pub fn is_slowed(&self) -> bool {
        self.whole.0.rate_below > 0.0
    }

    /// Tag, LR index and codec in a few words: `naive`, or `latent, LR 2, or:10`.
    pub fn name(&self) -> String {
        let mut words = self.strategy.clone();
        if let Some(index) = self.lr_index {
            words += &format!(", LR {index}");
        }
        if let (Some(codec), MethodRole::Latent) = (&self.codec, self.role) {
            words += &format!(", {codec}");
        }
        words
    }

    /// The same with the number of replays, if there is a memory.
    pub fn full_name(&self) -> String {
        match self.replays {
            Some(replays) => format!("{}, {replays} replays", self.name()),
            None => self.name(),
        }
    }
}

/// Codecs in the order of tables: by how much a window's value tells, then by the window.
pub fn codec_order(codec: &CodecSettings) -> (u8, usize) {
    codec.place()
}

/// The experiments of a row.
#[derive(Debug)]
pub struct Row<'a> {
    /// What they share.
    pub key: RowKey,
    /// What they came to.
    pub cells: Vec<&'a CellResult>,
    /// With how many test samples each of them was measured, in the same order.
    tests: Vec<Option<Tested>>,
    /// How many the plan has.
    pub planned: usize,
    /// The number of replays at which the suite wants codecs and LR indices to be compared.
    pub compare_at: Option<usize>,
}

impl<'a> Row<'a> {
    /// The row with those experiments alone whose held-out speaker or class and seed the other row has,
    /// too: while a grid is being filled, rows are of different ones, some of which are easier.
    pub fn paired_with(&self, other: &Row<'_>) -> Row<'a> {
        let has = |cell: &CellResult| other.cells.iter().any(|other| same_start(cell, other));
        let both = self.cells.iter().copied().zip(self.tests.iter().copied());
        let (cells, tests) = both.filter(|(cell, _)| has(cell)).unzip();
        Row {
            cells,
            tests,
            key: self.key.clone(),
            planned: self.planned,
            compare_at: self.compare_at,
        }
    }

    /// With how many test samples its figures were measured, if results tell.
    pub fn tested(&self) -> Option<Tested> {
        Tested::together(self.tests.iter().flatten().copied())
    }

    /// How many samples are held for replay at the end, on average; none where none ever are.
    pub fn samples_held(&self) -> Option<f64> {
        let held = self.mean(|cell| cell.replay.samples as f64);
        (held > 0.0).then_some(held)
    }

    /// What stands behind a figure of the row: `latent, LR 2, or:10, 100 replays; 600 test samples a
    /// run, 18 runs`.
    pub fn behind(&self) -> String {
        let tested = self.tested().map(|tested| format!("{tested}, "));
        let runs = match self.cells.len() {
            1 => "1 run".to_string(),
            runs => format!("{runs} runs"),
        };
        let name = self.key.full_name();
        let held = self.cells.iter().map(|cell| cell.replay.samples).max();
        let name = match (held, self.key.replays) {
            (Some(held), Some(asked)) if held < asked => {
                format!("{name} of which there were {held}")
            }
            _ => name,
        };
        format!("{name}; {}{runs}", tested.unwrap_or_default())
    }

    /// The sources that its experiments are of, each with how many.
    pub fn builds(&self) -> String {
        let mut builds: BTreeMap<&str, usize> = BTreeMap::new();
        for cell in &self.cells {
            let build = cell.build.as_deref().unwrap_or("not noted");
            *builds.entry(build).or_default() += 1;
        }
        let counted = builds.iter();
        let counted = counted.map(|(build, count)| format!("{build} ({count})"));
        counted.collect::<Vec<_>>().join(", ")
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
            .map(|group| Ok((group.clone(), folder.results(&group.id)?)));
        Ok(Collected {
            manifest: folder.manifest().clone(),
            groups: groups.collect::<Result<_, SuiteError>>()?,
            times: folder.seconds()?,
        })
    }

    /// How long an experiment of a row took, in seconds, on average, where that was noted.
    pub fn seconds(&self, row: &Row<'_>) -> Option<f64> {
        let noted = row.cells.iter().map(|cell| {
            let group = GroupId::of(&cell.experiment).to_string();
            self.times.get(&(group, cell_name(&cell.experiment)))
        });
        let noted = noted.collect::<Option<Vec<&f64>>>()?;
        Some(noted.iter().copied().sum::<f64>() / noted.len().max(1) as f64)
    }

    /// Every row of the plan, in its order; rows without any result too.
    pub fn rows(&self) -> Vec<Row<'_>> {
        let mut rows: Vec<Row<'_>> = Vec::new();
        for (group, results) in &self.groups {
            let tested = results.pretrained.as_ref().map(Tested::of);
            for cell in &group.cells {
                let key = RowKey::of(cell);
                let place = rows.iter().position(|row| row.key == key);
                let place = place.unwrap_or_else(|| {
                    rows.push(Row {
                        key,
                        cells: Vec::new(),
                        tests: Vec::new(),
                        planned: 0,
                        compare_at: group.compare_at,
                    });
                    rows.len() - 1
                });
                rows[place].planned += 1;
                if let Some(result) = results.of(cell) {
                    rows[place].cells.push(result);
                    rows[place].tests.push(tested);
                }
            }
        }
        // Tags in the order in which the suite has them.
        let mut tags: Vec<String> = Vec::new();
        for row in &rows {
            if !tags.contains(&row.key.strategy) {
                tags.push(row.key.strategy.clone());
            }
        }
        let is_grid = self.is_grid();
        rows.sort_by_cached_key(|row| {
            let key = &row.key;
            let tag = tags.iter().position(|tag| *tag == key.strategy);
            (
                key.protocol.is_published(),
                key.protocol == Protocol::Validation,
                key.scenario.clone(),
                key.role == MethodRole::Latent,
                tag.filter(|_| !is_grid),
                key.lr_index,
                key.codec.as_ref().map(codec_order),
                key.replays,
            )
        });
        rows
    }

    /// Whether the suite is a grid of strategies, whose LR indices, codecs and numbers of replays are compared; else it
    /// compares methods with each other.
    pub fn is_grid(&self) -> bool {
        let studies = &self.manifest.suite.study;
        studies.iter().all(|study| study.methods.is_empty())
    }

    /// The sources that finished experiments of the plan are of, and controls that it asks for, with their numbers.
    pub fn builds(&self) -> BTreeMap<Option<&str>, usize> {
        let mut builds = BTreeMap::new();
        for (group, results) in &self.groups {
            let cells = group.cells.iter().filter_map(|cell| results.of(cell));
            let cells = cells.map(|cell| cell.build.as_deref());
            let wanted = self.manifest.suite.wants_controls(group.id.protocol);
            let controls = results.controls.as_ref().filter(|_| wanted);
            let controls = controls.map(|controls| Some(controls.build.as_str()));
            for build in cells.chain(controls) {
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
            let section = (row.key.protocol, row.key.scenario.clone());
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
    (&one.scenario, one.seed) == (&other.scenario, other.seed)
}

/// The numbers of replays that latent replay was run with in a protocol and scenario, from few to many.
pub fn all_replays(rows: &[Row<'_>], protocol: Protocol, scenario: &ScenarioKind) -> Vec<usize> {
    let here = rows.iter().filter(|row| {
        let key = &row.key;
        let here = key.protocol == protocol && key.scenario == *scenario;
        here && key.role == MethodRole::Latent && !row.cells.is_empty()
    });
    let mut all: Vec<usize> = here.filter_map(|row| row.key.replays).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The number of replays at which codecs and LR indices of a protocol and scenario are compared: what the
/// suite says, else the one that most planned rows of latent replay have, the smallest of several.
pub fn main_replays(
    rows: &[Row<'_>],
    protocol: Protocol,
    scenario: &ScenarioKind,
) -> Option<usize> {
    let here = rows.iter().filter(|row| {
        let key = &row.key;
        let here = key.protocol == protocol && key.scenario == *scenario;
        here && key.role == MethodRole::Latent
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
