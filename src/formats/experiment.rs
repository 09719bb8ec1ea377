//! Experiments, as records and the cells of suites hold them.

use serde::{Deserialize, Serialize};

use crate::continual::{Experiment, MemorySettings, Protocol, Scenario, Strategy};
use crate::ids::{ClassId, SpeakerId};
use crate::random::MasterSeed;
use crate::replay::{Capacity, Codec, Policy};
use crate::train::TrainingSettings;

/// [`Experiment`]. Strategies, protocols, codecs and policies are written by their text names.
#[derive(Serialize, Deserialize)]
pub(crate) struct ExperimentFormat {
    scenario: ScenarioFormat,
    strategy: Strategy,
    protocol: Protocol,
    lr_index: Option<usize>,
    memory: Option<MemoryFormat>,
    pretrain_epochs: Option<usize>,
    pretrain: Option<TrainingSettings>,
    epochs: usize,
    learn: TrainingSettings,
    seed: MasterSeed,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    classes: Option<Vec<String>>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum ScenarioFormat {
    Sample { speaker: u16 },
    Class { class: u16 },
    MultiClass { base_classes: usize },
}

#[derive(Serialize, Deserialize)]
struct MemoryFormat {
    codec: Codec,
    policy: Policy,
    capacity: CapacityFormat,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum CapacityFormat {
    Samples(usize),
    Bytes(u64),
}

impl From<Experiment> for ExperimentFormat {
    fn from(experiment: Experiment) -> Self {
        ExperimentFormat {
            scenario: match experiment.scenario {
                Scenario::Sample { speaker } => ScenarioFormat::Sample { speaker: speaker.0 },
                Scenario::Class { class } => ScenarioFormat::Class { class: class.0 },
                Scenario::MultiClass { base_classes } => {
                    ScenarioFormat::MultiClass { base_classes }
                }
            },
            strategy: experiment.strategy,
            protocol: experiment.protocol,
            lr_index: experiment.lr_index,
            memory: experiment.memory.map(|memory| MemoryFormat {
                codec: memory.codec,
                policy: memory.policy,
                capacity: match memory.capacity {
                    Capacity::Samples(samples) => CapacityFormat::Samples(samples),
                    Capacity::Bytes(bytes) => CapacityFormat::Bytes(bytes),
                },
            }),
            pretrain_epochs: experiment.pretrain_epochs,
            pretrain: experiment.pretrain,
            epochs: experiment.epochs,
            learn: experiment.learn,
            seed: experiment.seed,
            classes: experiment.classes,
        }
    }
}

impl From<ExperimentFormat> for Experiment {
    fn from(format: ExperimentFormat) -> Self {
        Experiment {
            scenario: match format.scenario {
                ScenarioFormat::Sample { speaker } => Scenario::Sample {
                    speaker: SpeakerId(speaker),
                },
                ScenarioFormat::Class { class } => Scenario::Class {
                    class: ClassId(class),
                },
                ScenarioFormat::MultiClass { base_classes } => {
                    Scenario::MultiClass { base_classes }
                }
            },
            strategy: format.strategy,
            protocol: format.protocol,
            lr_index: format.lr_index,
            memory: format.memory.map(|memory| MemorySettings {
                codec: memory.codec,
                policy: memory.policy,
                capacity: match memory.capacity {
                    CapacityFormat::Samples(samples) => Capacity::Samples(samples),
                    CapacityFormat::Bytes(bytes) => Capacity::Bytes(bytes),
                },
            }),
            pretrain_epochs: format.pretrain_epochs,
            pretrain: format.pretrain,
            epochs: format.epochs,
            learn: format.learn,
            seed: format.seed,
            classes: format.classes,
        }
    }
}
