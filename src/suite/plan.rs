//! From a declared grid to experiments.
//!
//! In: settings, a dataset and a network spec. Out: groups of experiments that begin from the same
//! pre-trained network, in the order in which they are run.

use std::collections::BTreeMap;
use std::fmt;

use rayon::prelude::*;

use toml::{Table, Value};

use super::settings::{StudyMethod, StudyScenario};
use super::{ProtocolSettings, StudySettings, SuiteData, SuiteError, SuiteSettings, cell_name};
use crate::continual::{DataNames, Experiment, PUBLISHED_BATCH, Protocol, ScenarioSettings};
use crate::dataset::{Dataset, Sample};
use crate::method::{Method, MethodFile, Strategy, add_to_name, set_by_key};
use crate::network::NetworkSpec;
use crate::random::MasterSeed;
use crate::replay::{Capacity, CodecSettings, Memory, PolicySettings};
use crate::storage::shown;
use crate::train::Losses;

/// What a pre-trained network is for: the same one serves every experiment of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupId {
    /// How data is split.
    pub protocol: Protocol,
    /// What is held out.
    pub scenario: ScenarioSettings,
    /// Where all randomness comes from.
    pub seed: MasterSeed,
}

impl GroupId {
    /// The group of an experiment.
    pub fn of(experiment: &Experiment) -> Self {
        GroupId {
            protocol: experiment.protocol,
            scenario: experiment.scenario.clone(),
            seed: experiment.seed,
        }
    }

    /// The scenario as part of a file's name: `speaker-3`, `class-9` or `classes-5`.
    pub fn scenario_slug(&self) -> String {
        self.scenario.slug()
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (protocol, seed) = (self.protocol, self.seed.0);
        write!(f, "{protocol} {} seed {seed}", self.scenario_slug())
    }
}

/// Experiments that begin from the same pre-trained network.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// What they share.
    pub id: GroupId,
    /// Each of them once.
    pub cells: Vec<Experiment>,
    /// The number of replays at which codecs, LR indices and protocols are to be compared, if the suite
    /// says so.
    pub compare_at: Option<usize>,
}

/// Every experiment of a suite, each once, in the order in which they are run: seed by seed, so that
/// a grid that is filled in several sittings soon has something of everything. All are checked against
/// the data and the network before the first is run.
///
/// # Errors
/// [`SuiteError`] if a study asks for a speaker, class, LR index or number of replays that does not
/// fit the data or the network, and [`SuiteError::NoEvents`] if the suite wants controls and the data was read without
/// its events.
pub fn plan_suite(
    settings: &SuiteSettings,
    protocols: &[Protocol],
    spec: &NetworkSpec,
    data: &Dataset,
) -> Result<Vec<Group>, SuiteError> {
    let noted = SuiteData::of(data, Vec::new());
    let groups = plan_without_data(settings, protocols, &noted)?;
    let wants = |group: &Group| settings.wants_controls(group.id.protocol);
    let silent = |(_, sample): (_, &Sample)| sample.events.is_none();
    if groups.iter().any(wants) && data.iter().any(silent) {
        return Err(SuiteError::NoEvents);
    }
    check_names(&groups)?;
    check_fit(&groups, spec, data)?;
    Ok(groups)
}

/// The same from what was noted of the data, without checking whether everything can be run: for
/// looking at what was.
///
/// # Errors
/// [`SuiteError::BadStudy`] if a study asks for a speaker, class or number of base classes that the
/// data does not have.
pub fn plan_without_data(
    settings: &SuiteSettings,
    protocols: &[Protocol],
    data: &SuiteData,
) -> Result<Vec<Group>, SuiteError> {
    let mut groups: Vec<Group> = Vec::new();
    for &seed in &settings.seeds {
        for protocol in [Protocol::Strict, Protocol::Validation, Protocol::Published] {
            if !protocols.contains(&protocol) {
                continue;
            }
            for (index, study) in settings.study.iter().enumerate() {
                let seeds = study.seeds.as_ref().unwrap_or(&settings.seeds);
                if !study.is_under(protocol) || !seeds.contains(&seed) {
                    continue;
                }
                let in_study = |reason| SuiteError::BadStudy {
                    study: index + 1,
                    reason,
                };
                let scenarios = scenarios(study, data).map_err(in_study)?;
                for scenario in scenarios {
                    let id = GroupId {
                        protocol,
                        scenario,
                        seed,
                    };
                    check_slug(&groups, &id).map_err(in_study)?;
                    let study = Cells {
                        settings,
                        study,
                        id: id.clone(),
                    };
                    let place = groups.iter().position(|group| group.id == id);
                    let place = place.unwrap_or_else(|| {
                        groups.push(Group {
                            id,
                            cells: Vec::new(),
                            compare_at: None,
                        });
                        groups.len() - 1
                    });
                    let group = &mut groups[place];
                    group.compare_at = group.compare_at.or_else(|| study.compare_at(data));
                    for cell in study.all(data).map_err(in_study)? {
                        if !group.cells.contains(&cell) {
                            group.cells.push(cell);
                        }
                    }
                }
            }
        }
    }
    Ok(groups)
}

/// Checks every experiment before the first is run: a grid takes hours.
fn check_fit(groups: &[Group], spec: &NetworkSpec, data: &Dataset) -> Result<(), SuiteError> {
    let cells: Vec<&Experiment> = groups.iter().flat_map(|group| &group.cells).collect();
    let checked = cells.into_par_iter().map(|cell| {
        cell.check_fits(spec, data)
            .map_err(|source| SuiteError::in_cell(cell, source))
    });
    // The first in the plan's order that does not fit, whatever the number of threads.
    let checked: Vec<Result<(), SuiteError>> = checked.collect();
    checked.into_iter().collect()
}

/// Refuses experiments of a group that tables, messages and notes of times could not tell apart.
fn check_names(groups: &[Group]) -> Result<(), SuiteError> {
    for group in groups {
        let mut named: BTreeMap<String, &Experiment> = BTreeMap::new();
        for cell in &group.cells {
            let name = cell_name(cell);
            if let Some(other) = named.insert(name.clone(), cell) {
                return Err(SuiteError::SameName {
                    group: group.id.to_string(),
                    name: cell.method.name.clone(),
                    differs: differs(other, cell),
                });
            }
        }
    }
    Ok(())
}

/// In what two experiments of a group differ, by keys of a method's file.
fn differs(one: &Experiment, other: &Experiment) -> String {
    let file = |cell: &Experiment| MethodFile::of_method(&cell.method);
    let keys = file(one).differences(&file(other));
    let mut keys: Vec<String> = keys.into_iter().map(|(key, _)| key).collect();
    if one.epochs != other.epochs {
        keys.push("epochs".into());
    }
    if one.learn != other.learn {
        keys.push("training".into());
    }
    if one.test_every != other.test_every {
        keys.push("test_every".into());
    }
    keys.join(", ")
}

/// Refuses a scenario that another one shares its files with: results and the pre-trained network are found by its slug.
fn check_slug(groups: &[Group], id: &GroupId) -> Result<(), String> {
    let (kind, slug) = (id.scenario.kind(), id.scenario_slug());
    let same = |group: &&Group| {
        let other = &group.id.scenario;
        *other != id.scenario && other.slug() == slug
    };
    match groups.iter().find(same) {
        None => Ok(()),
        Some(_) => Err(format!(
            "two different scenarios (`{kind}`) have the same name for files, `{slug}`, and would share their results; \
             leave one out, or run it in a suite of its own"
        )),
    }
}

/// What a study has learned, in turn.
fn scenarios(study: &StudySettings, data: &SuiteData) -> Result<Vec<ScenarioSettings>, String> {
    let held_out = study.held_out.as_deref();
    let found = match &study.scenario {
        StudyScenario::Whole(scenario) => vec![scenario.clone()],
        StudyScenario::Named(text) if text.contains(':') => vec![text.parse()?],
        StudyScenario::Named(kind) => ScenarioSettings::holding_out(kind, data, held_out)?,
    };
    match found.iter().find(|one| one.needs_a_learner()) {
        None => Ok(found),
        Some(one) => {
            let kind = one.kind();
            Err(format!(
                "`{kind}` goes on from a learner that was saved, and experiments of a suite begin with pre-training; use \
                 `respike learn {kind} --continue` instead"
            ))
        }
    }
}

/// One scenario of a study under one protocol, with one seed.
struct Cells<'a> {
    settings: &'a SuiteSettings,
    study: &'a StudySettings,
    id: GroupId,
}

impl Cells<'_> {
    fn all(&self, data: &SuiteData) -> Result<Vec<Experiment>, String> {
        let (replays, raw) = (self.replays(data), [CodecSettings::raw()]);
        let mut cells = Vec::new();
        for strategy in &self.study.strategies {
            // What is tried of each: nothing, numbers of replays, or these with LR indices and codecs.
            let strategy: Strategy = strategy.parse()?;
            let (lr_indices, codecs) = match strategy.keeps_latents() {
                true => (&self.study.lr_indices[..], &self.study.codecs[..]),
                false => (&[0][..], &raw[..]),
            };
            let replays = match strategy.has_memory() {
                true => &replays[..],
                false => &[0],
            };
            for &lr_index in lr_indices {
                for codec in codecs {
                    if lr_index == 0 && strategy.keeps_latents() && self.has_the_same_at_0(codec) {
                        continue;
                    }
                    for &replays in replays {
                        let memory = || Ok::<_, String>(self.memory(codec.clone(), replays));
                        cells.push(self.cell(strategy.method(lr_index, memory)?)?);
                    }
                }
            }
        }
        for method in &self.study.methods {
            // Named ones were looked up when the suite was read.
            if let StudyMethod::Whole(table) = method {
                for table in over_grid(table, &self.study.grid)? {
                    cells.push(self.cell_of(table)?);
                }
            }
        }
        Ok(cells)
    }

    /// Whether a codec does what another one of the study does: at LR index 0 input currents are compressed, not
    /// spikes, and alike by all with the same window.
    fn has_the_same_at_0(&self, codec: &CodecSettings) -> bool {
        let same = |other: &CodecSettings| {
            other.window_steps() == codec.window_steps() && other.place() < codec.place()
        };
        self.study.codecs.iter().any(same)
    }

    fn settings(&self) -> ProtocolSettings {
        self.settings.of(self.id.protocol)
    }

    fn memory(&self, codec: CodecSettings, replays: usize) -> Memory {
        let policy = self.settings().policy;
        let policy = policy.unwrap_or_else(PolicySettings::uniform);
        Memory::new(codec, policy, Capacity::Samples(replays))
    }

    fn cell(&self, method: Method) -> Result<Experiment, String> {
        let (id, settings) = (&self.id, self.settings());
        let numbers = settings.defaults(id.protocol, &id.scenario, &method);
        let pretrain = settings.training(numbers.pretrain_rate, numbers.pretrain_epochs);
        let pretrain = settings
            .pretraining
            .over(pretrain, numbers.pretrain_epochs)?;
        let learn = settings.training(numbers.rate, numbers.epochs);
        let learn = settings.learning.over(learn, numbers.epochs)?;
        let mut cell = Experiment::new(id.scenario.clone(), method, id.protocol, id.seed)
            .with_pretraining(numbers.pretrain_epochs, pretrain)
            .with_learning(numbers.epochs, learn);
        cell.test_every = self.study.test_every.unwrap_or_default();
        Ok(cell)
    }

    /// A method's cell, trained as it says and else as the suite does.
    fn cell_of(&self, table: Table) -> Result<Experiment, String> {
        let name = table.get("name").and_then(Value::as_str);
        let name = name.map_or("a method without a name".to_string(), |name| {
            format!("`{}`", shown(name))
        });
        let file = MethodFile::of_table(table, &name).map_err(|error| error.to_string())?;
        let mut cell = self.cell(file.method())?;
        if let Some(epochs) = file.epochs {
            let settings = self.settings();
            let usual = cell
                .scenario
                .defaults(cell.protocol, cell.method.rehearses());
            let learn = settings.training(usual.rate, epochs);
            (cell.epochs, cell.learn) = (epochs, settings.learning.over(learn, epochs)?);
        }
        if cell.method.head.learns_alone() {
            // What the suite says of losses is for those that are trained.
            cell.learn.losses = Losses::default();
        }
        cell.learn = file.training.over(cell.learn, cell.epochs)?;
        Ok(cell)
    }

    /// The study's numbers of replays for this dataset, each once.
    fn replays(&self, data: &SuiteData) -> Vec<usize> {
        let mut all = Vec::new();
        for &replays in &self.study.replays {
            let replays = self.for_data(replays, data);
            if !all.contains(&replays) {
                all.push(replays);
            }
        }
        all
    }

    fn compare_at(&self, data: &SuiteData) -> Option<usize> {
        let replays = self.study.compare_at?;
        Some(self.for_data(replays, data))
    }

    /// A number of replays scaled to this dataset, as the protocol can have it.
    fn for_data(&self, replays: usize, data: &SuiteData) -> usize {
        let scaled = match self.settings.replays_for_samples {
            Some(samples) => replays as f64 * data.samples as f64 / samples as f64,
            None => replays as f64,
        };
        match self.id.protocol {
            Protocol::Strict | Protocol::Validation => (scaled.round() as usize).max(1),
            Protocol::Published => self.whole_batches(scaled, data),
        }
    }

    /// The published protocol's memory grows in whole batches: the same number of every old class, or
    /// of each repetition for each base class, and one for each class that comes later.
    fn whole_batches(&self, replays: f64, data: &SuiteData) -> usize {
        let classes = data.all_classes().len();
        let (at_once, later) = self.id.scenario.published_batches(classes);
        let batches = (replays / (PUBLISHED_BATCH * at_once.max(1)) as f64).round();
        ((batches as usize).max(1) * at_once + later) * PUBLISHED_BATCH
    }
}

/// A method's table with every pair of what is to be tried. Where more than what names tell of is varied, the name tells
/// of it, too.
fn over_grid(method: &Table, grid: &BTreeMap<String, Vec<Value>>) -> Result<Vec<Table>, String> {
    let mut tables = vec![method.clone()];
    for (key, values) in grid {
        let mut more = Vec::new();
        for table in &tables {
            for value in values {
                let mut table = table.clone();
                set_by_key(&mut table, key, value.clone())?;
                add_to_name(&mut table, key, value);
                more.push(table);
            }
        }
        tables = more;
    }
    Ok(tables)
}
