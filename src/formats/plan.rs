//! A training plan, as records hold it.

use serde::{Deserialize, Serialize};

use crate::augment::AugmentationSettings;
use crate::train::{Select, TrainingPlan, TrainingSettings, Validation};

/// [`TrainingPlan`]. Records of before there were others have the first two keys alone.
#[derive(Serialize, Deserialize)]
pub(crate) struct PlanFormat {
    epochs: usize,
    training: TrainingSettings,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    augmentations: Vec<AugmentationSettings>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    validation: Option<ValidationFormat>,
    #[serde(default, skip_serializing_if = "SelectFormat::is_last")]
    select: SelectFormat,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    patience: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    test_every: Option<usize>,
}

/// [`Validation`]: `{ "share": 0.1 }` or `{ "speakers": ["anna"] }`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ValidationFormat {
    Share(f64),
    Speakers(Vec<String>),
}

/// [`Select`].
#[derive(Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SelectFormat {
    #[default]
    Last,
    BestValidation,
}

impl SelectFormat {
    fn is_last(&self) -> bool {
        *self == SelectFormat::Last
    }
}

impl From<Select> for SelectFormat {
    fn from(select: Select) -> Self {
        match select {
            Select::Last => SelectFormat::Last,
            Select::BestValidation => SelectFormat::BestValidation,
        }
    }
}

impl From<SelectFormat> for Select {
    fn from(format: SelectFormat) -> Self {
        match format {
            SelectFormat::Last => Select::Last,
            SelectFormat::BestValidation => Select::BestValidation,
        }
    }
}

impl From<TrainingPlan> for PlanFormat {
    fn from(plan: TrainingPlan) -> Self {
        PlanFormat {
            epochs: plan.epochs,
            training: plan.training,
            augmentations: plan.augmentations,
            validation: plan.validation.map(|validation| match validation {
                Validation::Share(share) => ValidationFormat::Share(share),
                Validation::Speakers(names) => ValidationFormat::Speakers(names),
            }),
            select: plan.select.into(),
            patience: plan.patience,
            test_every: plan.test_every,
        }
    }
}

impl From<PlanFormat> for TrainingPlan {
    fn from(format: PlanFormat) -> Self {
        let mut plan = TrainingPlan::new(format.epochs, format.training);
        plan.augmentations = format.augmentations;
        plan.validation = format.validation.map(|validation| match validation {
            ValidationFormat::Share(share) => Validation::Share(share),
            ValidationFormat::Speakers(names) => Validation::Speakers(names),
        });
        plan.select = format.select.into();
        plan.patience = format.patience;
        plan.test_every = format.test_every;
        plan
    }
}
