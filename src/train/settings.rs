use serde::{Deserialize, Serialize};

use super::{
    Adamax, Losses, Moment, OptimiserSettings, ParameterGroup, RateFactors, Schedule, TrainError,
};
use crate::formats::training::TrainingFormat;
use crate::network::{NetworkSpec, Parameters};

/// How a network is trained.
///
/// ```
/// use respike::train::{Adam, Losses, Schedule, SpikePenalty, TrainingSettings};
///
/// let settings = TrainingSettings::default()
///     .with_batch_size(16)
///     .with_learning_rate(2e-3)
///     .with_schedule(Schedule::Cosine { epochs: 30 })
///     .with_optimiser(Adam::default())
///     .with_losses(Losses::default().and_penalty(SpikePenalty { l1: 1e-5, l2: 0.0 }));
/// settings.check()?;
/// # Ok::<(), respike::train::TrainError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "TrainingFormat", into = "TrainingFormat")]
#[non_exhaustive]
pub struct TrainingSettings {
    /// Samples of an optimiser step.
    pub batch_size: usize,
    /// The full learning rate.
    pub learning_rate: f32,
    /// What becomes of it from step to step.
    pub schedule: Schedule,
    /// Which optimiser.
    pub optimiser: OptimiserSettings,
    /// What is made small.
    pub losses: Losses,
    /// What the learning rate is multiplied with for some parameters.
    pub rate_factors: RateFactors,
    /// Over so many epochs at the beginning the learning rate rises from next to nothing to what the schedule says,
    /// step by step; 0 for none.
    pub warm_up_epochs: usize,
    /// Gradients of a larger norm, all parameters together, are scaled down to this one.
    pub clip_norm: Option<f32>,
}

impl TrainingSettings {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`TrainError::OutOfRange`] names the first that is out of range.
    pub fn check(&self) -> Result<(), TrainError> {
        let out_of_range = |what, range, value| TrainError::OutOfRange { what, range, value };
        if self.batch_size == 0 {
            return Err(out_of_range("the batch size", "1 or more", 0.0));
        }
        let rate = self.learning_rate;
        if !(rate.is_finite() && rate > 0.0) {
            let value = f64::from(rate);
            return Err(out_of_range("the learning rate", "above 0", value));
        }
        self.losses.check()?;
        let optimiser = &self.optimiser;
        optimiser.check().map_err(|bad| bad.of(optimiser.kind()))?;
        self.rate_factors.check()?;
        if let Some(norm) = self
            .clip_norm
            .filter(|norm| !(norm.is_finite() && *norm > 0.0))
        {
            let value = f64::from(norm);
            return Err(out_of_range("the norm to clip at", "above 0", value));
        }
        self.schedule.check()
    }

    /// Checks every setting, and whether a network has what they are about.
    ///
    /// # Errors
    /// As [`TrainingSettings::check`], and [`TrainError::NoSuchGroup`].
    pub fn check_for(&self, spec: &NetworkSpec) -> Result<(), TrainError> {
        self.check()?;
        self.rate_factors.check_for(&Parameters::zeros(spec))
    }

    /// The same with so many samples a step of the optimiser.
    #[must_use]
    pub fn with_batch_size(mut self, samples: usize) -> Self {
        self.batch_size = samples;
        self
    }

    /// The same with that full learning rate.
    #[must_use]
    pub fn with_learning_rate(mut self, rate: f32) -> Self {
        self.learning_rate = rate;
        self
    }

    /// The same with a learning rate that changes so.
    #[must_use]
    pub fn with_schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// The same with that optimiser.
    #[must_use]
    pub fn with_optimiser(mut self, optimiser: impl Into<OptimiserSettings>) -> Self {
        self.optimiser = optimiser.into();
        self
    }

    /// The same with that made small: an objective alone, or [`Losses`].
    #[must_use]
    pub fn with_losses(mut self, losses: impl Into<Losses>) -> Self {
        self.losses = losses.into();
        self
    }

    /// The same with the learning rate of a group of parameters multiplied.
    #[must_use]
    pub fn with_rate_factor(mut self, group: ParameterGroup, factor: f32) -> Self {
        self.rate_factors = self.rate_factors.with(group, factor);
        self
    }

    /// The same with a learning rate that rises over so many epochs at the beginning.
    #[must_use]
    pub fn with_warm_up(mut self, epochs: usize) -> Self {
        self.warm_up_epochs = epochs;
        self
    }

    /// The same with gradients scaled down to that norm where theirs is larger.
    #[must_use]
    pub fn with_clip_norm(mut self, norm: f32) -> Self {
        self.clip_norm = Some(norm);
        self
    }

    /// The learning rate of a step, before factors of groups.
    pub fn rate(&self, moment: Moment<'_>) -> f32 {
        let rate = self.schedule.rate(self.learning_rate, moment);
        if moment.epoch >= self.warm_up_epochs {
            return rate;
        }
        let steps = moment.steps.max(1) as f64;
        let taken = moment.epoch as f64 * steps + moment.step as f64 + 1.0;
        rate * (taken / (self.warm_up_epochs as f64 * steps)) as f32
    }
}

impl Default for TrainingSettings {
    /// Batches of 64, Adamax at a constant 1e-3, no penalty.
    fn default() -> Self {
        TrainingSettings {
            batch_size: 64,
            learning_rate: 1e-3,
            schedule: Schedule::Constant,
            optimiser: Adamax::default().into(),
            losses: Losses::default(),
            rate_factors: RateFactors::default(),
            warm_up_epochs: 0,
            clip_norm: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warm_up_rises_evenly_to_what_the_schedule_says() {
        let settings = TrainingSettings::default()
            .with_learning_rate(0.8)
            .with_warm_up(2);
        let rate = |epoch, step| {
            settings.rate(Moment {
                step,
                steps: 4,
                ..Moment::of_epoch(epoch)
            })
        };
        assert_eq!(
            [rate(0, 0), rate(0, 3), rate(1, 0), rate(1, 3)],
            [0.1, 0.4, 0.5, 0.8]
        );
        assert_eq!(rate(2, 0), 0.8);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let settings = TrainingSettings::default;
        let layer = ParameterGroup::Layer(0);
        for bad in [
            settings().with_clip_norm(0.0),
            settings().with_clip_norm(f32::NAN),
            settings().with_rate_factor(layer.clone(), -1.0),
            settings().with_rate_factor(layer, f32::INFINITY),
        ] {
            bad.check().expect_err("out of range");
        }
    }
}
