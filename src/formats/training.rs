//! How a network is trained, as records, checkpoints and suites hold it.

use serde::{Deserialize, Serialize};

use crate::train::{
    Losses, ObjectiveSettings, OptimiserSettings, RateFactors, RegulariserSettings, Schedule,
    SpikePenalty, TrainingSettings,
};

/// [`TrainingSettings`]. The costs of a spike penalty stand in `penalty` as they always did; `objective` and
/// `regularisers` where there are others than cross-entropy and that penalty.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrainingFormat {
    batch_size: usize,
    learning_rate: f32,
    schedule: ScheduleFormat,
    /// By `kind`, of which there are as many formats as optimisers; objectives and regularisers likewise.
    optimiser: OptimiserSettings,
    penalty: Penalty,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    objective: Option<ObjectiveSettings>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    regularisers: Vec<RegulariserSettings>,
    #[serde(default, skip_serializing_if = "RateFactors::is_empty")]
    rate_factors: RateFactors,
    #[serde(default, skip_serializing_if = "is_zero")]
    warm_up_epochs: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    clip_norm: Option<f32>,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum ScheduleFormat {
    Constant,
    Step {
        every_epochs: usize,
        factor: f32,
    },
    Cosine {
        epochs: usize,
    },
    OneCycle {
        epochs: usize,
        rise: f32,
        start_divisor: f32,
        end_divisor: f32,
    },
    Plateau {
        factor: f32,
        patience: usize,
        least: f32,
    },
}

impl From<Schedule> for ScheduleFormat {
    fn from(schedule: Schedule) -> Self {
        match schedule {
            Schedule::Constant => ScheduleFormat::Constant,
            Schedule::Step {
                every_epochs,
                factor,
            } => ScheduleFormat::Step {
                every_epochs,
                factor,
            },
            Schedule::Cosine { epochs } => ScheduleFormat::Cosine { epochs },
            Schedule::OneCycle {
                epochs,
                rise,
                start_divisor,
                end_divisor,
            } => ScheduleFormat::OneCycle {
                epochs,
                rise,
                start_divisor,
                end_divisor,
            },
            Schedule::Plateau {
                factor,
                patience,
                least,
            } => ScheduleFormat::Plateau {
                factor,
                patience,
                least,
            },
        }
    }
}

impl From<ScheduleFormat> for Schedule {
    fn from(format: ScheduleFormat) -> Self {
        match format {
            ScheduleFormat::Constant => Schedule::Constant,
            ScheduleFormat::Step {
                every_epochs,
                factor,
            } => Schedule::Step {
                every_epochs,
                factor,
            },
            ScheduleFormat::Cosine { epochs } => Schedule::Cosine { epochs },
            ScheduleFormat::OneCycle {
                epochs,
                rise,
                start_divisor,
                end_divisor,
            } => Schedule::OneCycle {
                epochs,
                rise,
                start_divisor,
                end_divisor,
            },
            ScheduleFormat::Plateau {
                factor,
                patience,
                least,
            } => Schedule::Plateau {
                factor,
                patience,
                least,
            },
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Penalty {
    l1: f32,
    l2: f32,
}

impl From<TrainingSettings> for TrainingFormat {
    fn from(settings: TrainingSettings) -> Self {
        let (penalty, regularisers) = settings.losses.penalty();
        let SpikePenalty { l1, l2 } = penalty;
        let regularisers = regularisers.to_vec();
        let objective = settings.losses.objective;
        let is_other = objective != Losses::default().objective;
        TrainingFormat {
            batch_size: settings.batch_size,
            learning_rate: settings.learning_rate,
            schedule: settings.schedule.into(),
            optimiser: settings.optimiser,
            penalty: Penalty { l1, l2 },
            objective: is_other.then_some(objective),
            regularisers,
            rate_factors: settings.rate_factors,
            warm_up_epochs: settings.warm_up_epochs,
            clip_norm: settings.clip_norm,
        }
    }
}

impl From<TrainingFormat> for TrainingSettings {
    fn from(format: TrainingFormat) -> Self {
        let Penalty { l1, l2 } = format.penalty;
        let mut losses = Losses {
            regularisers: format.regularisers,
            ..Losses::default()
        };
        if let Some(objective) = format.objective {
            losses.objective = objective;
        }
        TrainingSettings {
            batch_size: format.batch_size,
            learning_rate: format.learning_rate,
            schedule: format.schedule.into(),
            optimiser: format.optimiser,
            losses: losses.and_penalty(SpikePenalty { l1, l2 }),
            rate_factors: format.rate_factors,
            warm_up_epochs: format.warm_up_epochs,
            clip_norm: format.clip_norm,
        }
    }
}
