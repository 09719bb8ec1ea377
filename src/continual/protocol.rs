use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::train::{Adamax, TrainingSettings};

/// How data is split, ordered and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Protocol {
    /// An honest measurement: see [`strict_plan`](super::strict_plan).
    Strict,
    /// For picking: as strict, but without the test samples, in whose place a fifth of the training samples is tested.
    Validation,
    /// What the published code does, for comparison only: see [`published_batches`](super::published_batches).
    Published,
}

impl Protocol {
    /// Whether it is the published code's; all others are honest, and differ in what is tested alone.
    pub fn is_published(self) -> bool {
        self == Protocol::Published
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protocol::Strict => "strict",
            Protocol::Validation => "validation",
            Protocol::Published => "published",
        })
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "strict" => Ok(Protocol::Strict),
            "validation" => Ok(Protocol::Validation),
            "published" => Ok(Protocol::Published),
            _ => Err(format!(
                "`{text}` is not a protocol: use one of strict, validation, published"
            )),
        }
    }
}

/// Learning rates and epochs where none are asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct LearningDefaults {
    /// Epochs of pre-training.
    pub pretrain_epochs: usize,
    /// Learning rate of pre-training.
    pub pretrain_rate: f32,
    /// Epochs of each new task.
    pub epochs: usize,
    /// Learning rate of each new task.
    pub rate: f32,
}

impl LearningDefaults {
    /// What a protocol does where a scenario does not say otherwise ([`Scenario::defaults`](super::Scenario::defaults)).
    /// The published protocol's figures are those of Dequino et al. 2024.
    pub fn usual(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Strict | Protocol::Validation => LearningDefaults {
                pretrain_epochs: 50,
                pretrain_rate: 1e-3,
                epochs: 30,
                rate: 1e-3,
            },
            Protocol::Published => LearningDefaults {
                pretrain_epochs: 200,
                pretrain_rate: 2e-4,
                epochs: 20,
                rate: 2e-4,
            },
        }
    }

    /// Adamax at one of these rates.
    pub fn training(learning_rate: f32) -> TrainingSettings {
        TrainingSettings {
            learning_rate,
            optimiser: Adamax::default().into(),
            ..TrainingSettings::default()
        }
    }
}
