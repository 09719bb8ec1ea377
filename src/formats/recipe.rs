//! A recipe, as its TOML file says it.

use std::path::PathBuf;

use serde::Deserialize;

use super::plan::SelectFormat;
use crate::augment::AugmentationSettings;
use crate::train::{ObjectiveSettings, OptimiserSettings, RateFactors, RegulariserSettings};

/// [`Recipe`](crate::recipe::Recipe).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecipeFormat {
    pub name: String,
    #[serde(default)]
    pub source: String,
    /// A file or a table.
    pub network: toml::Value,
    #[serde(default)]
    pub seed: u64,
    #[serde(default)]
    pub data: DataPart,
    pub training: TrainingPart,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DataPart {
    pub train: Vec<PathBuf>,
    pub test: Vec<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrainingPart {
    pub epochs: usize,
    pub batch_size: Option<usize>,
    pub learning_rate: Option<f32>,
    /// As flags say it.
    pub schedule: Option<String>,
    pub optimiser: Option<OptimiserSettings>,
    pub objective: Option<ObjectiveSettings>,
    #[serde(default)]
    pub regularisers: Vec<RegulariserSettings>,
    #[serde(default)]
    pub rate_factors: RateFactors,
    #[serde(default)]
    pub warm_up_epochs: usize,
    pub clip_norm: Option<f32>,
    #[serde(default)]
    pub augmentations: Vec<AugmentationSettings>,
    pub validation: Option<f64>,
    pub validation_speakers: Option<Vec<String>>,
    pub select: Option<SelectFormat>,
    pub patience: Option<usize>,
    pub test_every: Option<usize>,
}
