use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use toml::{Table, Value};

use super::SuiteError;
use crate::continual::{HeldOut, LearningDefaults, Protocol, ScenarioSettings, TestEvery};
use crate::method::{Method, MethodFile, MethodTraining, Strategy};
use crate::random::MasterSeed;
use crate::replay::{CodecSettings, PolicySettings};
use crate::train::{Schedule, TrainingSettings};

/// A grid of experiments as a TOML file has it; `snn-models/suites/README.md` describes the keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteSettings {
    /// For people.
    pub name: String,
    /// What the grid is, in a sentence for the report.
    pub about: String,
    /// Every cell is run with each of them.
    pub seeds: Vec<MasterSeed>,
    /// Numbers of replays are meant for a dataset of so many samples and scaled to the one at hand;
    /// without it they are taken as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replays_for_samples: Option<usize>,
    /// Whether rules that need no continual learning stand beside the methods of the strict protocol, as
    /// [`Controls`](super::Controls).
    #[serde(default, skip_serializing_if = "is_false")]
    pub controls: bool,
    /// Epochs, rates and policy under the strict protocol.
    #[serde(default)]
    pub strict: ProtocolSettings,
    /// The same under the published protocol.
    #[serde(default)]
    pub published: ProtocolSettings,
    /// The parts of the grid, in the order in which they are run.
    pub study: Vec<StudySettings>,
}

/// How experiments under a protocol train; what is left out is as `respike learn` has it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProtocolSettings {
    /// Epochs of pre-training.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pretrain_epochs: Option<usize>,
    /// Epochs of a new speaker or class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<usize>,
    /// Epochs of each of many new classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multi_class_epochs: Option<usize>,
    /// Whether learning rates fall to zero along a cosine.
    pub falling_rate: bool,
    /// What pre-training does otherwise.
    #[serde(skip_serializing_if = "is_default")]
    pub pretraining: MethodTraining,
    /// What learning does otherwise, where a method does not say.
    #[serde(skip_serializing_if = "is_default")]
    pub learning: MethodTraining,
    /// Which samples the memory keeps; not to be set for the published protocol, which has a rule of
    /// its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicySettings>,
}

/// A product of choices, all of which are run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudySettings {
    /// What is learned: a kind of scenario, of which `held_out` says which, or a scenario whole: `"nic:79"`, or a table.
    pub scenario: StudyScenario,
    /// Which speakers or classes are held out, each in turn; all of them if left out. For
    /// multi-class one number of base classes, half of them if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out: Option<Vec<HeldOut>>,
    /// Under which protocols; both if left out.
    #[serde(default = "both", skip_serializing_if = "is_both")]
    pub protocols: Vec<Protocol>,
    /// With which seeds, if not with all of the suite's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seeds: Option<Vec<MasterSeed>>,
    /// Naive and joint make a cell each, native one for each number of replays, latent one for each
    /// LR index, codec and number of replays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strategies: Vec<String>,
    /// Methods, each a cell: by name, as a file beside the suite's, or as a table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<StudyMethod>,
    /// What is tried of each of these methods: lists of values by their keys, such as `"replay.codec"`, all pairs of
    /// which are run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub grid: BTreeMap<String, Vec<Value>>,
    /// How often learners are tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_every: Option<TestEvery>,
    /// LR indices of latent replay.
    #[serde(default)]
    pub lr_indices: Vec<usize>,
    /// Codecs of latent replay.
    #[serde(default)]
    pub codecs: Vec<CodecSettings>,
    /// Numbers of replays.
    #[serde(default)]
    pub replays: Vec<usize>,
    /// The one of `replays` at which the report compares codecs, LR indices and protocols; if left out,
    /// the one that most pairs of LR index and codec have, the smallest of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_at: Option<usize>,
}

/// What a study lets a network learn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a scenario is a kind (\"class\"), a kind with a setting (\"nic:79\"), or a table with `kind` and its settings as `respike parts` lists them"
)]
pub enum StudyScenario {
    /// A kind, or a scenario in short.
    Named(String),
    /// A scenario.
    Whole(ScenarioSettings),
}

/// A method of a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a method is the name of one that ships, a file that ends in .toml, or a table"
)]
pub enum StudyMethod {
    /// By its name or its file.
    Named(String),
    /// As it is.
    Whole(Table),
}

fn is_default(training: &MethodTraining) -> bool {
    *training == MethodTraining::default()
}

fn is_false(wanted: &bool) -> bool {
    !wanted
}

fn both() -> Vec<Protocol> {
    vec![Protocol::Strict, Protocol::Published]
}

fn is_both(protocols: &[Protocol]) -> bool {
    protocols == both()
}

impl SuiteSettings {
    /// Reads a TOML file.
    ///
    /// # Errors
    /// [`SuiteError::Unreadable`] or [`SuiteError::BadSettings`].
    pub fn read(path: &Path) -> Result<Self, SuiteError> {
        let text =
            crate::storage::read_plain_text(path).map_err(|source| SuiteError::Unreadable {
                path: path.to_path_buf(),
                source,
            })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse_in(&path.display().to_string(), &text, folder)
    }

    /// Reads the text of a TOML file, `name` being what errors call it.
    ///
    /// # Errors
    /// [`SuiteError::BadSettings`].
    pub fn parse(name: &str, text: &str) -> Result<Self, SuiteError> {
        Self::parse_in(name, text, Path::new(""))
    }

    /// The same, with methods' files in a folder.
    fn parse_in(name: &str, text: &str, folder: &Path) -> Result<Self, SuiteError> {
        let bad = |reason: String| SuiteError::BadSettings {
            name: name.to_string(),
            reason,
        };
        let mut settings: SuiteSettings = crate::storage::parse_toml(text).map_err(bad)?;
        // Whatever becomes of the files, the suite knows what its methods were.
        for (index, study) in settings.study.iter_mut().enumerate() {
            for method in &mut study.methods {
                if let StudyMethod::Named(name) = method {
                    let table = MethodFile::table(name, folder);
                    let table =
                        table.map_err(|error| bad(format!("study {}: {error}", index + 1)))?;
                    *method = StudyMethod::Whole(table);
                }
            }
        }
        settings.check().map_err(bad)?;
        Ok(settings)
    }

    /// Refuses lists that would leave a study without any cell.
    fn check(&self) -> Result<(), String> {
        if self.seeds.is_empty() {
            return Err("`seeds` must name one seed or more".into());
        }
        if self.study.is_empty() {
            return Err("there must be one [[study]] or more".into());
        }
        if self.published.policy.is_some() {
            return Err(
                "`policy` under [published] changes nothing: that protocol has a rule of its own; leave it out"
                    .into(),
            );
        }
        if self.replays_for_samples == Some(0) {
            return Err("`replays_for_samples` must be 1 or more".into());
        }
        let multi_class = self.study.iter().enumerate();
        let mut multi_class = multi_class.filter(|(_, study)| study.is_multi_class());
        if let Some((first, study)) = multi_class.next()
            && let Some((other, _)) =
                multi_class.find(|(_, other)| other.base_classes() != study.base_classes())
        {
            let (first, other) = (first + 1, other + 1);
            return Err(format!(
                "studies {first} and {other}: multi-class studies must have the same number of base \
                 classes in `held_out`, or they could not stand in one table"
            ));
        }
        for (index, study) in self.study.iter().enumerate() {
            let strategies = study.strategies.iter().map(|name| name.parse::<Strategy>());
            let strategies = strategies.collect::<Result<Vec<_>, _>>();
            let strategies = strategies.map_err(|reason| {
                format!("study {}: {reason}, or name it in `methods`", index + 1)
            })?;
            let latent = strategies.iter().any(|strategy| strategy.keeps_latents());
            if study.methods.is_empty() && !study.grid.is_empty() {
                return Err(format!(
                    "study {}: `grid` is about `methods`, and there are none",
                    index + 1
                ));
            }
            let remembers = strategies.iter().any(|strategy| strategy.has_memory());
            let grid = study.grid.iter().find(|(_, values)| values.is_empty());
            if let Some((key, _)) = grid {
                return Err(format!("study {}: grid.{key} must not be empty", index + 1));
            }
            let empty = [
                (
                    "strategies",
                    study.strategies.is_empty() && study.methods.is_empty(),
                ),
                ("protocols", study.protocols.is_empty()),
                (
                    "held_out",
                    study.held_out.as_ref().is_some_and(Vec::is_empty),
                ),
                ("seeds", study.seeds.as_ref().is_some_and(Vec::is_empty)),
                ("lr_indices", latent && study.lr_indices.is_empty()),
                ("codecs", latent && study.codecs.is_empty()),
                ("replays", remembers && study.replays.is_empty()),
            ];
            if let Some((key, _)) = empty.into_iter().find(|(_, empty)| *empty) {
                return Err(format!("study {}: `{key}` must not be empty", index + 1));
            }
            if study.held_out.is_some() && study.whole().is_some() {
                return Err(format!(
                    "study {}: `scenario` says all of what is learned, so that `held_out` would change nothing; leave \
                     it out",
                    index + 1
                ));
            }
            let seeds = study.seeds.iter().flatten();
            if let Some(seed) = seeds.into_iter().find(|seed| !self.seeds.contains(seed)) {
                let (study, seed) = (index + 1, seed.0);
                return Err(format!(
                    "study {study}: seed {seed} is not one of the suite's `seeds`"
                ));
            }
            let held_out = study.held_out.as_deref().unwrap_or_default();
            let one_number = matches!(held_out, [] | [HeldOut::Number(_)]);
            if study.is_multi_class() && !one_number {
                return Err(format!(
                    "study {}: `held_out` of multi-class is one number of base classes",
                    index + 1
                ));
            }
            if study.replays.contains(&0) {
                return Err(format!("study {}: 0 replays are none", index + 1));
            }
            if study
                .compare_at
                .is_some_and(|replays| !study.replays.contains(&replays))
            {
                return Err(format!(
                    "study {}: `compare_at` must be one of `replays`",
                    index + 1
                ));
            }
        }
        Ok(())
    }

    /// Whether controls stand beside the experiments of a protocol: the published one has no honest split to fit and
    /// test them with.
    pub fn wants_controls(&self, protocol: Protocol) -> bool {
        self.controls && !protocol.is_published()
    }

    /// How experiments under a protocol train.
    pub fn of(&self, protocol: Protocol) -> ProtocolSettings {
        match protocol {
            Protocol::Strict | Protocol::Validation => self.strict.clone(),
            Protocol::Published => self.published.clone(),
        }
    }
}

impl ProtocolSettings {
    /// Epochs and rates of an experiment: what is set here, else what the protocol does.
    pub(super) fn defaults(
        &self,
        protocol: Protocol,
        scenario: &ScenarioSettings,
        method: &Method,
    ) -> LearningDefaults {
        let usual = scenario.defaults(protocol, method.rehearses());
        let epochs = match scenario.base_classes() {
            Some(_) => self.multi_class_epochs,
            None if scenario.is_single() => self.epochs,
            None => None,
        };
        LearningDefaults {
            pretrain_epochs: self.pretrain_epochs.unwrap_or(usual.pretrain_epochs),
            epochs: epochs.unwrap_or(usual.epochs),
            ..usual
        }
    }

    /// Adamax at a rate, constant or falling over so many epochs.
    pub(super) fn training(&self, rate: f32, epochs: usize) -> TrainingSettings {
        let schedule = match self.falling_rate {
            true => Schedule::Cosine { epochs },
            false => Schedule::Constant,
        };
        TrainingSettings {
            schedule,
            ..LearningDefaults::training(rate)
        }
    }
}

impl StudySettings {
    /// Whether it is run under a protocol: for picking where it is measured strictly.
    pub(super) fn is_under(&self, protocol: Protocol) -> bool {
        let asked = |protocol| self.protocols.contains(&protocol);
        asked(protocol) || (protocol == Protocol::Validation && asked(Protocol::Strict))
    }

    /// Whether its scenario has classes come one by one after some of them.
    fn is_multi_class(&self) -> bool {
        match &self.scenario {
            StudyScenario::Named(kind) if ScenarioSettings::kind_counts_base_classes(kind) => true,
            _ => self.whole().is_some_and(|one| one.base_classes().is_some()),
        }
    }

    /// How many classes it begins with, where it says so.
    fn base_classes(&self) -> Option<usize> {
        match (self.whole(), self.held_out.as_deref()) {
            (Some(scenario), _) => scenario.base_classes(),
            (None, Some([HeldOut::Number(known)])) => Some(usize::from(*known)),
            _ => None,
        }
    }

    /// Its scenario, where that is said whole.
    fn whole(&self) -> Option<ScenarioSettings> {
        match &self.scenario {
            StudyScenario::Whole(scenario) => Some(scenario.clone()),
            StudyScenario::Named(text) if text.contains(':') => text.parse().ok(),
            StudyScenario::Named(_) => None,
        }
    }
}
