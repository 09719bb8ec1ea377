//! From a declared grid to experiments.
//!
//! In: settings, a dataset and a network spec. Out: groups of experiments that begin from the same
//! pre-trained network, in the order in which they are run.

use std::fmt;

use rayon::prelude::*;

use super::{
    HeldOut, ProtocolSettings, ScenarioKind, StudySettings, SuiteData, SuiteError, SuiteSettings,
};
use crate::continual::{
    ContinualError, Experiment, MemorySettings, PUBLISHED_BATCH, Protocol, Scenario, Strategy,
};
use crate::dataset::Dataset;
use crate::network::NetworkSpec;
use crate::random::MasterSeed;
use crate::replay::{Capacity, Codec, Policy};

/// What a pre-trained network is for: the same one serves every experiment of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupId {
    /// How data is split.
    pub protocol: Protocol,
    /// What is held out.
    pub scenario: Scenario,
    /// Where all randomness comes from.
    pub seed: MasterSeed,
}

impl GroupId {
    /// The group of an experiment.
    pub fn of(experiment: &Experiment) -> Self {
        GroupId {
            protocol: experiment.protocol,
            scenario: experiment.scenario,
            seed: experiment.seed,
        }
    }

    /// The scenario as part of a file's name: `speaker-3`, `class-9` or `classes-5`.
    pub fn scenario_slug(self) -> String {
        match self.scenario {
            Scenario::Sample { speaker } => format!("speaker-{}", speaker.0),
            Scenario::Class { class } => format!("class-{}", class.0),
            Scenario::MultiClass { base_classes } => format!("classes-{base_classes}"),
        }
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
/// fit the data or the network.
pub fn plan_suite(
    settings: &SuiteSettings,
    protocols: &[Protocol],
    spec: &NetworkSpec,
    data: &Dataset,
) -> Result<Vec<Group>, SuiteError> {
    let noted = SuiteData::of(data, Vec::new());
    let groups = plan_without_data(settings, protocols, &noted)?;
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
        for protocol in [Protocol::Strict, Protocol::Published] {
            if !protocols.contains(&protocol) {
                continue;
            }
            for (index, study) in settings.study.iter().enumerate() {
                let seeds = study.seeds.as_ref().unwrap_or(&settings.seeds);
                if !study.protocols.contains(&protocol) || !seeds.contains(&seed) {
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
                    let study = Cells {
                        settings,
                        study,
                        id,
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
                    for cell in study.all(data) {
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

/// Checks every group before the first experiment is run: a grid takes hours. Of a group's experiments
/// those are checked that have a method or a number of replays of their own.
fn check_fit(groups: &[Group], spec: &NetworkSpec, data: &Dataset) -> Result<(), SuiteError> {
    let mut cells: Vec<&Experiment> = Vec::new();
    for group in groups {
        let (mut methods, mut capacities) = (Vec::new(), Vec::new());
        for cell in &group.cells {
            let method = (
                cell.strategy,
                cell.lr_index,
                cell.memory.map(|memory| memory.codec),
            );
            let capacity = cell.memory.map(|memory| memory.capacity);
            if !(methods.contains(&method) && capacities.contains(&capacity)) {
                methods.push(method);
                capacities.push(capacity);
                cells.push(cell);
            }
        }
    }
    let checked = cells.into_par_iter().map(|cell| {
        cell.check_fits(spec, data)
            .map_err(|source| SuiteError::in_cell(cell, source))
    });
    // The first in the plan's order that does not fit, whatever the number of threads.
    let checked: Vec<Result<(), SuiteError>> = checked.collect();
    checked.into_iter().collect()
}

/// Whom a study holds out, in turn.
fn scenarios(study: &StudySettings, data: &SuiteData) -> Result<Vec<Scenario>, String> {
    let (speakers, classes) = (data.all_speakers(), data.all_classes());
    let half = u16::try_from(classes.len() / 2).unwrap_or(u16::MAX);
    let all = || match study.scenario {
        ScenarioKind::Sample => speakers.iter().map(|speaker| speaker.0).collect(),
        ScenarioKind::Class => classes.iter().map(|class| class.0).collect(),
        ScenarioKind::MultiClass => vec![half],
    };
    let held_out = match &study.held_out {
        Some(held_out) => held_out.clone(),
        None => all().into_iter().map(HeldOut::Number).collect(),
    };
    let scenarios = held_out.iter().map(|held_out| match study.scenario {
        ScenarioKind::Sample => data
            .speaker(held_out)
            .map(|speaker| Scenario::Sample { speaker })
            .map_err(|error| error.to_string()),
        ScenarioKind::Class => data
            .class(held_out)
            .map(|class| Scenario::Class { class })
            .map_err(|error| error.to_string()),
        ScenarioKind::MultiClass => {
            let HeldOut::Number(base_classes) = held_out else {
                return Err("`held_out` must be a number of base classes".to_string());
            };
            let base_classes = usize::from(*base_classes);
            if !(1..classes.len()).contains(&base_classes) {
                let (found, classes) = (base_classes, classes.len());
                return Err(ContinualError::BadBaseClasses { found, classes }.to_string());
            }
            Ok(Scenario::MultiClass { base_classes })
        }
    });
    scenarios.collect()
}

/// One scenario of a study under one protocol, with one seed.
struct Cells<'a> {
    settings: &'a SuiteSettings,
    study: &'a StudySettings,
    id: GroupId,
}

impl Cells<'_> {
    fn all(&self, data: &SuiteData) -> Vec<Experiment> {
        let replays = self.replays(data);
        let mut cells = Vec::new();
        for &strategy in &self.study.strategies {
            match strategy {
                Strategy::Naive | Strategy::Joint => cells.push(self.cell(strategy, None, None)),
                Strategy::Native => {
                    for &replays in &replays {
                        let memory = self.memory(Codec::Raw, replays);
                        cells.push(self.cell(strategy, None, Some(memory)));
                    }
                }
                Strategy::Latent => {
                    for &lr_index in &self.study.lr_indices {
                        for &codec in &self.study.codecs {
                            if lr_index == 0 && self.has_the_same_at_0(codec) {
                                continue;
                            }
                            for &replays in &replays {
                                let memory = self.memory(codec, replays);
                                cells.push(self.cell(strategy, Some(lr_index), Some(memory)));
                            }
                        }
                    }
                }
            }
        }
        cells
    }

    /// Whether window counts do what another codec of the study does: at LR index 0 input currents are
    /// compressed, not spikes, and alike by both.
    fn has_the_same_at_0(&self, codec: Codec) -> bool {
        let same = |other: &Codec| {
            matches!(other, Codec::Or(_)) && other.window_steps() == codec.window_steps()
        };
        matches!(codec, Codec::Counts(_)) && self.study.codecs.iter().any(same)
    }

    fn settings(&self) -> ProtocolSettings {
        self.settings.of(self.id.protocol)
    }

    fn memory(&self, codec: Codec, replays: usize) -> MemorySettings {
        MemorySettings {
            codec,
            policy: self.settings().policy.unwrap_or(Policy::Uniform),
            capacity: Capacity::Samples(replays),
        }
    }

    fn cell(
        &self,
        strategy: Strategy,
        lr_index: Option<usize>,
        memory: Option<MemorySettings>,
    ) -> Experiment {
        let (id, settings) = (self.id, self.settings());
        let numbers = settings.defaults(id.protocol, id.scenario, strategy);
        Experiment {
            scenario: id.scenario,
            strategy,
            protocol: id.protocol,
            lr_index,
            memory,
            pretrain_epochs: Some(numbers.pretrain_epochs),
            pretrain: Some(settings.training(numbers.pretrain_rate, numbers.pretrain_epochs)),
            epochs: numbers.epochs,
            learn: settings.training(numbers.rate, numbers.epochs),
            seed: id.seed,
            classes: None,
        }
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
            Protocol::Strict => (scaled.round() as usize).max(1),
            Protocol::Published => self.whole_batches(scaled, data),
        }
    }

    /// The published protocol's memory grows in whole batches: the same number of every old class, or
    /// of each repetition for each base class, and one for each class that comes later.
    fn whole_batches(&self, replays: f64, data: &SuiteData) -> usize {
        let classes = data.all_classes().len();
        let (at_once, later) = match self.id.scenario {
            Scenario::Sample { .. } => (1, 0),
            Scenario::Class { .. } => (classes.saturating_sub(1), 0),
            Scenario::MultiClass { base_classes } => {
                (base_classes, classes.saturating_sub(base_classes))
            }
        };
        let batches = (replays / (PUBLISHED_BATCH * at_once.max(1)) as f64).round();
        ((batches as usize).max(1) * at_once + later) * PUBLISHED_BATCH
    }
}
