use super::plan::best;
use super::{
    AugmentedExamples, DatasetExamples, EpochFigures, Evaluation, TrainError, Trainer,
    TrainingPlan, ValidationSplit, evaluate,
};
use crate::dataset::Dataset;
use crate::network::{Network, Stage};
use crate::random::{MasterSeed, Purpose};

/// A plan that is carried out on a dataset, epoch by epoch.
///
/// ```
/// use respike::dataset::{DatasetBuilder, LabelledEvents};
/// use respike::ids::{ClassId, SpeakerId};
/// use respike::network::{Network, NetworkSpec};
/// use respike::random::MasterSeed;
/// use respike::spikes::EventStream;
/// use respike::train::{Select, TrainingPlan, TrainingRun, TrainingSettings, Validation};
///
/// let (spec, seed) = (NetworkSpec::dequino2024(), MasterSeed(1));
/// let names = vec!["low".to_string(), "high".to_string()];
/// let mut builder = DatasetBuilder::new(spec.grid(), spec.inputs(), names)?;
/// for sample in 0..8u16 {
///     let times = (0..4000).map(|event| f64::from(event) * 0.00025).collect();
///     let units = (0..4000).map(|event| (event * (7 + sample)) % 300 + sample % 2 * 400);
///     let events = EventStream::new(times, units.collect())?;
///     let (class, speaker) = (ClassId(sample % 2), SpeakerId(0));
///     builder.push(&LabelledEvents { events, class, speaker, sound: None })?;
/// }
/// let data = builder.build()?;
/// let plan = TrainingPlan::new(3, TrainingSettings::default())
///     .with_validation(Validation::Share(0.25))
///     .with_select(Select::BestValidation);
/// let mut run = TrainingRun::new(plan, Network::new(spec, seed), &data, seed)?;
/// let mut picked = None;
/// while let Some(epoch) = run.epoch()? {
///     if epoch.is_best {
///         picked = Some(run.trainer().network().clone());
///     }
/// }
/// assert!(picked.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TrainingRun<'a> {
    plan: TrainingPlan,
    split: ValidationSplit,
    /// What is trained on as it is, where nothing changes it.
    plain: DatasetExamples<'a>,
    augmented: Option<AugmentedExamples<'a>>,
    kept_out: Option<DatasetExamples<'a>>,
    trainer: Trainer,
    validated: Vec<f64>,
}

/// What an epoch of a plan came to.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PlannedEpoch {
    /// On training samples.
    pub training: EpochFigures,
    /// On validation samples, if there are any.
    pub validation: Option<Evaluation>,
    /// Whether no epoch so far was better on validation samples; without them, it always is.
    pub is_best: bool,
}

impl<'a> TrainingRun<'a> {
    /// A plan before its first epoch. All that is left to chance comes from `seed`.
    ///
    /// # Errors
    /// [`TrainError`] if the plan makes no sense, or does not fit the network or the data.
    pub fn new(
        plan: TrainingPlan,
        network: Network,
        data: &'a Dataset,
        seed: MasterSeed,
    ) -> Result<Self, TrainError> {
        let (stage, settings) = (Stage::Whole, plan.training.clone());
        let trainer = Trainer::new(network, stage, settings, seed, Purpose::Shuffle)?;
        Self::resume(plan, trainer, data, Vec::new())
    }

    /// A plan that goes on bit for bit after so many epochs as the trainer has done, in each of which validation
    /// samples had these accuracies.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`TrainError::BadValidation`] for another number of accuracies.
    pub fn resume(
        plan: TrainingPlan,
        trainer: Trainer,
        data: &'a Dataset,
        validated: Vec<f64>,
    ) -> Result<Self, TrainError> {
        plan.check()?;
        let seed = trainer.state().shuffle.seed;
        let split = plan.split(data, seed)?;
        let expected = match plan.validation {
            Some(_) => trainer.epochs_done(),
            None => 0,
        };
        if validated.len() != expected {
            return Err(TrainError::BadValidation(format!(
                "{} accuracies on validation samples are known of {} epochs",
                validated.len(),
                trainer.epochs_done()
            )));
        }
        let (train, kept_out) = (split.train.clone(), split.validation.clone());
        let augmentations = plan.augmentations.clone();
        let augmented = (!augmentations.is_empty())
            .then(|| AugmentedExamples::new(data, train.clone(), augmentations, seed));
        Ok(TrainingRun {
            plain: DatasetExamples::new(data, train),
            augmented: augmented.transpose()?,
            kept_out: (plan.validation.is_some()).then(|| DatasetExamples::new(data, kept_out)),
            plan,
            split,
            trainer,
            validated,
        })
    }

    /// The plan.
    pub fn plan(&self) -> &TrainingPlan {
        &self.plan
    }

    /// Which samples are trained on and which are for validation.
    pub fn split(&self) -> &ValidationSplit {
        &self.split
    }

    /// The network as it is now, and what is needed to go on.
    pub fn trainer(&self) -> &Trainer {
        &self.trainer
    }

    /// Accuracy on validation samples after each epoch; none without them.
    pub fn validated(&self) -> &[f64] {
        &self.validated
    }

    /// Whether all epochs are done that the plan wants.
    pub fn is_over(&self) -> bool {
        let done = self.trainer.epochs_done();
        self.plan.is_over(done, &self.validated)
    }

    /// The epoch whose network is picked of those so far, 0 first.
    pub fn picked(&self) -> usize {
        match self.plan.validation {
            Some(_) => self.plan.picked(&self.validated),
            None => self.trainer.epochs_done().saturating_sub(1),
        }
    }

    /// Trains an epoch; `None` if the plan is over.
    ///
    /// # Errors
    /// As [`Trainer::epoch`].
    pub fn epoch(&mut self) -> Result<Option<PlannedEpoch>, TrainError> {
        if self.is_over() {
            return Ok(None);
        }
        let training = match &mut self.augmented {
            None => self.trainer.epoch(&self.plain)?,
            Some(examples) => {
                examples.set_epoch(self.trainer.epochs_done());
                self.trainer.epoch(examples)?
            }
        };
        let mut epoch = PlannedEpoch {
            training,
            validation: None,
            is_best: true,
        };
        if let Some(kept_out) = &self.kept_out {
            let tested = evaluate(self.trainer.network(), Stage::Whole, kept_out)?;
            self.trainer.score(tested.accuracy());
            self.validated.push(tested.accuracy());
            epoch.is_best = best(&self.validated) == Some(self.validated.len() - 1);
            epoch.validation = Some(tested);
        }
        Ok(Some(epoch))
    }
}
