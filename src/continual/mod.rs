//! Continual learning: what comes when, what is trained on, by which rules it is measured.
//!
//! In: a [`Dataset`](crate::dataset::Dataset), a network spec and an [`Experiment`]. Out: an
//! [`Outcome`] with the accuracy on every task after every task, and figures for each epoch.
//!
//! Three choices make an experiment, and none knows the others: the [`Scenario`] (which samples come when), the
//! [`Method`](crate::method::Method) (how something new is learned) and the [`Protocol`] (how data is split, ordered and
//! counted).

mod composition;
mod error;
mod experiment;
mod known_before;
mod latents;
mod learner;
mod learning;
mod learning_data;
mod metrics;
mod outcome;
mod plan;
mod progress;
mod protocol;
mod published;
mod runner;
mod scenario;
mod start;
mod strict;
mod testing;
mod trained;

pub use error::ContinualError;
pub use experiment::{Experiment, TestEvery};
pub use learner::SavedLearner;
pub use learning_data::LearningData;
pub use metrics::{AccuracyMatrix, Metrics};
pub use outcome::{Aged, Outcome, RunSeconds, RunTime};
pub use plan::{Plan, Task, TestPart};
pub use progress::{EpochRecord, Phase, Progress};
pub use protocol::{LearningDefaults, Protocol};
pub use published::{PUBLISHED_BATCH, published_batches, published_epoch};
pub use runner::{pretrain, run};
pub use scenario::{
    DataNames, Groups, HeldOut, HeldOutWords, HoldsOut, Learns, ManyBatches, ManyClasses, NewClass,
    NewSpeaker, NewTask, NextTask, Parts, Scenario, ScenarioSettings, SplitSamples, Stream,
    StreamTask, grouped, parts_by_class,
};
pub use start::{Start, prepare};
pub use strict::{TEST_SHARE, honest_plan, honest_split, strict_plan, strict_split};
pub use testing::{Accuracies, TestSamples, test_plan};
pub use trained::Trained;
