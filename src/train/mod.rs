//! Training: losses, optimisers, schedules, the epoch loop, evaluation and checkpoints.
//!
//! In: a network, the stage of it to be trained, and [`Examples`]. Out: the trained network, figures
//! for each epoch, and [`Checkpoint`]s from which training goes on bit for bit.
//!
//! A batch is cut into blocks of [`SAMPLES_PER_BLOCK`] samples, whatever the number of threads; each block is
//! run forward and backward by one thread, and the blocks' gradients are added in order. So one
//! thread and many give the same bits.

mod activity;
mod augmented;
mod batch_work;
mod checkpoint;
mod entry;
mod error;
mod evaluate;
mod examples;
mod figures;
mod fisher;
mod gradient;
mod losses;
mod mixing;
mod objective;
mod optimiser;
mod plan;
mod rates;
mod regulariser;
mod run;
mod said_schedule;
mod schedule;
mod settings;
mod target;
mod task;
mod time;
mod told;
mod trainer;

pub use activity::spiking_activity;
pub use augmented::AugmentedExamples;
pub use checkpoint::{Checkpoint, PastTraining, StartedFrom, TrainerState};
pub use error::TrainError;
pub use evaluate::{Evaluation, evaluate};
pub use examples::{DatasetExamples, Examples, JoinedExamples, StoredExamples};
pub use figures::{EpochFigures, LayerFigures};
pub use fisher::fisher_information;
pub use gradient::{Batch, BatchGradient, SAMPLES_PER_BLOCK, batch_gradient, batch_gradient_by};
pub use losses::Losses;
pub use mixing::{Balance, Mixing};
pub use objective::{
    Block, BlockLoss, CrossEntropy, DerPlusPlus, ErAce, LearningWithoutForgetting, LossBalancing,
    MeanSquare, Objective, ObjectiveSettings, PastLogits, cross_entropy,
};
pub use optimiser::{Adam, AdamW, Adamax, Moved, Optimiser, OptimiserSettings, Sgd, UpdateRule};
pub use plan::{Select, TrainingPlan, Validation, ValidationSplit};
pub use rates::{ParameterGroup, RateFactors};
pub use regulariser::{
    RateBounds, Regulariser, RegulariserSettings, RegulariserState, RegulariserStates,
    SpikePenalty, SynapticIntelligence, WeightDecay, WeightStep,
};
pub use run::{PlannedEpoch, TrainingRun};
pub use said_schedule::SaidSchedule;
pub use schedule::{Moment, Schedule};
pub use settings::TrainingSettings;
pub(crate) use target::targets_of;
pub use target::{Origin, Target};
pub use task::TaskFacts;
pub use time::TimeSpent;
pub use told::{Replayed, WithPastLogits};
pub use trainer::Trainer;
