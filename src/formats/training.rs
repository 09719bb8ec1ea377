//! How a network is trained, as records, checkpoints and suites hold it.

use serde::{Deserialize, Serialize};

use crate::train::{
    Losses, ObjectiveSettings, OptimiserSettings, RegulariserSettings, Schedule, SpikePenalty,
    TrainingSettings,
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
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum ScheduleFormat {
    Constant,
    Step { every_epochs: usize, factor: f32 },
    Cosine { epochs: usize },
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
            schedule: match settings.schedule {
                Schedule::Constant => ScheduleFormat::Constant,
                Schedule::Step {
                    every_epochs,
                    factor,
                } => ScheduleFormat::Step {
                    every_epochs,
                    factor,
                },
                Schedule::Cosine { epochs } => ScheduleFormat::Cosine { epochs },
            },
            optimiser: settings.optimiser,
            penalty: Penalty { l1, l2 },
            objective: is_other.then_some(objective),
            regularisers,
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
            schedule: match format.schedule {
                ScheduleFormat::Constant => Schedule::Constant,
                ScheduleFormat::Step {
                    every_epochs,
                    factor,
                } => Schedule::Step {
                    every_epochs,
                    factor,
                },
                ScheduleFormat::Cosine { epochs } => Schedule::Cosine { epochs },
            },
            optimiser: format.optimiser,
            losses: losses.and_penalty(SpikePenalty { l1, l2 }),
        }
    }
}
