use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{TrainError, TrainingSettings};
use crate::augment::AugmentationSettings;
use crate::dataset::{Dataset, stratified_split};
use crate::formats::plan::PlanFormat;
use crate::ids::SampleIndex;
use crate::random::{MasterSeed, Purpose};

/// A training from its first epoch to the network that is picked.
///
/// ```
/// use respike::train::{Select, TrainingPlan, TrainingSettings, Validation};
///
/// let plan = TrainingPlan::new(30, TrainingSettings::default())
///     .with_validation(Validation::Share(0.1))
///     .with_select(Select::BestValidation);
/// plan.check()?;
/// // Epoch 2 is the best, and of two as good the later one is taken.
/// assert_eq!(plan.picked(&[0.5, 0.7, 0.7, 0.6]), 2);
/// # Ok::<(), respike::train::TrainError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "PlanFormat", into = "PlanFormat")]
#[non_exhaustive]
pub struct TrainingPlan {
    /// Epochs, at most.
    pub epochs: usize,
    /// How each trains.
    pub training: TrainingSettings,
    /// How recordings are changed each time that they are trained on, one augmentation after the other.
    pub augmentations: Vec<AugmentationSettings>,
    /// Which samples are kept out of training to see how good it gets.
    pub validation: Option<Validation>,
    /// Which epoch's network is picked.
    pub select: Select,
    /// Training ends when so many epochs in a row were not better on validation samples than the best before.
    pub patience: Option<usize>,
    /// The test samples are looked at after every so many epochs, too, and not only at the end.
    pub test_every: Option<usize>,
}

/// Samples that are kept out of training.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Validation {
    /// A share of the samples of each speaker and class.
    Share(f64),
    /// All samples of some speakers, by name or number.
    Speakers(Vec<String>),
}

impl Validation {
    /// A share or speakers, whichever is said.
    ///
    /// # Errors
    /// If both are.
    pub(crate) fn of(
        share: Option<f64>,
        speakers: Option<Vec<String>>,
    ) -> Result<Option<Self>, String> {
        match (share, speakers) {
            (Some(_), Some(_)) => {
                Err("give either `validation` or `validation_speakers`".to_string())
            }
            (share, speakers) => Ok(share
                .map(Validation::Share)
                .or(speakers.map(Validation::Speakers))),
        }
    }
}

/// Which epoch's network is picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Select {
    /// The last one.
    #[default]
    Last,
    /// The one with the highest accuracy on validation samples; the last of those with the same.
    BestValidation,
}

impl Select {
    const NAMES: [(&'static str, Select); 2] = [
        ("last", Select::Last),
        ("best-validation", Select::BestValidation),
    ];
}

impl fmt::Display for Select {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::NAMES.iter().find(|(_, select)| select == self);
        f.write_str(named.map_or("", |(name, _)| name))
    }
}

impl FromStr for Select {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = Self::NAMES.iter().find(|(name, _)| *name == text);
        let select = named.map(|(_, select)| *select);
        select.ok_or_else(|| format!("`{text}` is neither last nor best-validation"))
    }
}

/// The samples of a dataset as a plan uses them; none is in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationSplit {
    /// For training, in the dataset's order.
    pub train: Vec<SampleIndex>,
    /// For validation, in the dataset's order; none without validation.
    pub validation: Vec<SampleIndex>,
    /// Samples that were to be for validation, but are of recordings that are trained on, too, and are left out.
    pub left_out: usize,
}

impl TrainingPlan {
    /// So many epochs of a training, on all samples, as they are, and the last network is picked.
    pub fn new(epochs: usize, training: TrainingSettings) -> Self {
        TrainingPlan {
            epochs,
            training,
            augmentations: Vec::new(),
            validation: None,
            select: Select::Last,
            patience: None,
            test_every: None,
        }
    }

    /// The same with an augmentation more.
    #[must_use]
    pub fn with_augmentation(mut self, augmentation: impl Into<AugmentationSettings>) -> Self {
        self.augmentations.push(augmentation.into());
        self
    }

    /// The same with samples kept out of training.
    #[must_use]
    pub fn with_validation(mut self, validation: Validation) -> Self {
        self.validation = Some(validation);
        self
    }

    /// The same with that network picked.
    #[must_use]
    pub fn with_select(mut self, select: Select) -> Self {
        self.select = select;
        self
    }

    /// The same, ending after so many epochs that are not better.
    #[must_use]
    pub fn with_patience(mut self, epochs: usize) -> Self {
        self.patience = Some(epochs);
        self
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`TrainError`] names the first that makes no sense.
    pub fn check(&self) -> Result<(), TrainError> {
        let out_of_range = |what, range, value| Err(TrainError::OutOfRange { what, range, value });
        if self.epochs == 0 {
            return out_of_range("the number of epochs", "1 or more", 0.0);
        }
        self.training.check()?;
        if self.training.warm_up_epochs > self.epochs {
            let value = self.training.warm_up_epochs as f64;
            return out_of_range(
                "the epochs of warming up",
                "at most those of the training",
                value,
            );
        }
        for one in &self.augmentations {
            one.check().map_err(|bad| bad.of(one.kind()))?;
        }
        if let Some(Validation::Share(share)) = self.validation
            && !(share > 0.0 && share < 1.0)
        {
            return out_of_range(
                "the share of validation samples",
                "above 0 and below 1",
                share,
            );
        }
        for (what, count) in [
            ("the patience", self.patience),
            ("the number of epochs between tests", self.test_every),
        ] {
            if count == Some(0) {
                return out_of_range(what, "1 or more", 0.0);
            }
        }
        let needs = match (self.select, self.patience) {
            (Select::BestValidation, _) => Some("picking the best epoch"),
            (_, Some(_)) => Some("ending early"),
            _ => None,
        };
        match needs.filter(|_| self.validation.is_none()) {
            Some(needs) => Err(TrainError::BadValidation(format!(
                "{needs} needs validation samples: a share of the training samples, or speakers"
            ))),
            None => Ok(()),
        }
    }

    /// Which samples are trained on and which are for validation.
    ///
    /// # Errors
    /// [`TrainError::BadValidation`] if none is left of either, or there is no such speaker.
    pub fn split(&self, data: &Dataset, seed: MasterSeed) -> Result<ValidationSplit, TrainError> {
        let bad = TrainError::BadValidation;
        let (train, validation) = match &self.validation {
            None => (data.iter().map(|(sample, _)| sample).collect(), Vec::new()),
            Some(Validation::Share(share)) => {
                let mut random = seed.stream(Purpose::Validation);
                let split = stratified_split(data, *share, &mut random);
                let split = split.map_err(|error| bad(error.to_string()))?;
                (split.train, split.test)
            }
            Some(Validation::Speakers(names)) => {
                let speakers = names.iter().map(|name| data.find_speaker(name.trim()));
                let speakers = speakers.collect::<Result<Vec<_>, _>>();
                let speakers = speakers.map_err(|error| bad(error.to_string()))?;
                let is_kept_out =
                    |sample: &SampleIndex| speakers.contains(&data.sample(*sample).speaker);
                data.iter()
                    .map(|(sample, _)| sample)
                    .partition(|sample| !is_kept_out(sample))
            }
        };
        let train: Vec<SampleIndex> = train;
        let trained_on = train
            .iter()
            .map(|&sample| data.sample(sample))
            .collect::<crate::dataset::RecordingSet>();
        let all = validation.len();
        let is_new = |sample: &SampleIndex| !trained_on.contains(data.sample(*sample));
        let validation: Vec<SampleIndex> = validation.into_iter().filter(is_new).collect();
        if self.validation.is_some() && validation.is_empty() {
            return Err(bad(
                "no sample is left for validation: a larger share of each class, or other speakers, would leave some"
                    .to_string(),
            ));
        }
        if train.is_empty() {
            return Err(bad("validation leaves no sample to train on".to_string()));
        }
        Ok(ValidationSplit {
            train,
            left_out: all - validation.len(),
            validation,
        })
    }

    /// Which epoch's network is picked, 0 first, of those with these accuracies on validation samples.
    pub fn picked(&self, validated: &[f64]) -> usize {
        let last = validated.len().saturating_sub(1);
        match self.select {
            Select::Last => last,
            Select::BestValidation => best(validated).unwrap_or(last),
        }
    }

    /// Whether training is over after so many epochs, of which validation samples had these accuracies.
    pub fn is_over(&self, epochs_done: usize, validated: &[f64]) -> bool {
        let waited_out = |patience| {
            let mut highest = f64::NEG_INFINITY;
            let mut since = 0;
            for &accuracy in validated {
                since = if accuracy > highest { 0 } else { since + 1 };
                highest = highest.max(accuracy);
            }
            since >= patience
        };
        epochs_done >= self.epochs || self.patience.is_some_and(waited_out)
    }
}

/// The place of the highest, the last one of equals.
pub(super) fn best(accuracies: &[f64]) -> Option<usize> {
    let numbered = accuracies.iter().enumerate();
    numbered
        .max_by(|one, other| one.1.total_cmp(other.1))
        .map(|(place, _)| place)
}
