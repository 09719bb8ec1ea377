//! Experiments, as records and the cells of suites hold them.

use serde::{Deserialize, Serialize};

use crate::continual::{Experiment, Protocol, ScenarioSettings, TestEvery};
use crate::head::HeadSettings;
use crate::method::{Method, View};
use crate::random::MasterSeed;
use crate::replay::{Everything, Memory, SourceSettings};
use crate::train::{Mixing, TrainingSettings};

/// [`Experiment`]. A method that keeps samples in one memory, or all samples, or none, is told by its name, LR index and
/// memory, as experiments always were; whatever else it has stands in keys of its own.
#[derive(Serialize, Deserialize)]
pub(crate) struct ExperimentFormat {
    scenario: ScenarioSettings,
    strategy: String,
    protocol: Protocol,
    lr_index: Option<usize>,
    memory: Option<MemoryFormat>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replay: Option<Vec<SourceSettings>>,
    #[serde(default, skip_serializing_if = "is_zero")]
    rate_below: f32,
    #[serde(default, skip_serializing_if = "is_usual")]
    head: HeadSettings,
    #[serde(default, skip_serializing_if = "is_default")]
    mixing: Mixing,
    /// As they are where nothing is said, as it always was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    view: Option<View>,
    pretrain_epochs: Option<usize>,
    pretrain: Option<TrainingSettings>,
    epochs: usize,
    learn: TrainingSettings,
    seed: MasterSeed,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    classes: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "is_default")]
    test_every: TestEvery,
}

/// A memory, whose settings are those of [`Memory`].
type MemoryFormat = Memory;

/// The one method by name that replays all samples without saying so.
const JOINT: &str = "joint";

fn is_zero(number: &f32) -> bool {
    *number == 0.0
}

fn is_usual(head: &HeadSettings) -> bool {
    *head == HeadSettings::default()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What is replayed by a method of that name and with that memory, where it does not say.
fn usual_replay(strategy: &str, memory: Option<Memory>) -> Vec<SourceSettings> {
    match memory {
        Some(memory) => vec![memory.into()],
        None if strategy == JOINT => vec![Everything {}.into()],
        None => Vec::new(),
    }
}

impl From<Experiment> for ExperimentFormat {
    fn from(experiment: Experiment) -> Self {
        let method = experiment.method;
        let memory = method.replay.iter().find_map(SourceSettings::get::<Memory>);
        let is_usual = usual_replay(&method.name, memory.clone()) == method.replay;
        let view = method.view();
        ExperimentFormat {
            view: (view != View::AsIs).then_some(view),
            scenario: experiment.scenario,
            strategy: method.name,
            protocol: experiment.protocol,
            lr_index: method.lr_index,
            memory: memory.filter(|_| is_usual),
            replay: (!is_usual).then_some(method.replay),
            rate_below: method.rate_below,
            head: method.head,
            mixing: method.mixing,
            pretrain_epochs: experiment.pretrain_epochs,
            pretrain: experiment.pretrain,
            epochs: experiment.epochs,
            learn: experiment.learn,
            seed: experiment.seed,
            classes: experiment.classes,
            test_every: experiment.test_every,
        }
    }
}

impl From<ExperimentFormat> for Experiment {
    fn from(format: ExperimentFormat) -> Self {
        let replay = match format.replay {
            Some(replay) => replay,
            None => usual_replay(&format.strategy, format.memory),
        };
        let mut method = Method::new(format.strategy).with_head(format.head);
        method.lr_index = format.lr_index;
        method.rate_below = format.rate_below;
        method.replay = replay;
        method.mixing = format.mixing;
        method.said_view = Some(format.view.unwrap_or(View::AsIs));
        let mut experiment = Experiment::new(format.scenario, method, format.protocol, format.seed)
            .with_learning(format.epochs, format.learn);
        experiment.pretrain_epochs = format.pretrain_epochs;
        experiment.pretrain = format.pretrain;
        experiment.classes = format.classes;
        experiment.test_every = format.test_every;
        experiment
    }
}
