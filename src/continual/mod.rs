//! Continual learning: what comes when, what is trained on, by which rules it is measured.
//!
//! In: a [`Dataset`](crate::dataset::Dataset), a network spec and an [`Experiment`]. Out: an
//! [`Outcome`] with the accuracy on every task after every task, and figures for each epoch.
//!
//! Four choices make an experiment, and none knows the others: the [`Scenario`] (which samples come
//! when), the [`Strategy`] (what is trained on), the memory (codec, policy and capacity of
//! [`replay`](crate::replay)) and the [`Protocol`] (how data is split, ordered and counted).

mod error;
mod experiment;
mod latents;
mod learning_data;
mod metrics;
mod outcome;
mod published;
mod runner;
mod scenario;
mod strict;
mod testing;

pub use error::ContinualError;
pub use experiment::{Experiment, LearningDefaults, MemorySettings, Protocol, Strategy};
pub use learning_data::LearningData;
pub use metrics::{AccuracyMatrix, Metrics};
pub use outcome::{Outcome, ReplayFigures, RunSeconds, RunTime};
pub use published::{PUBLISHED_BATCH, published_batches, published_epoch, published_plan};
pub use runner::{EpochRecord, Phase, Progress, Start, pretrain, run};
pub use scenario::{Plan, Scenario, Task};
pub use strict::{TEST_SHARE, given_plan, strict_plan, strict_split};
pub use testing::{Accuracies, TestSamples};
