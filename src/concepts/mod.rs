//! What replay sources know of classes that come one after the other, with no network being trained.
//!
//! In: a trained network, its latents of some classes ("concepts"), and several [`Way`]s to replay, each within the same
//! bytes. Out: a [`ConceptOutcome`]: after each concept and of every concept so far, what a way gives for it.
//! *Alignment* is the share of what is given for a concept that a frozen judge takes for it: the layers of the network
//! above the LR index. *Diversity* is how much what is given differs from itself, and from what was learned from.
//!
//! ```no_run
//! use respike::concepts::{ConceptExperiment, run};
//! use respike::dataset::read_dataset;
//! use respike::ids::ClassId;
//! use respike::train::Checkpoint;
//!
//! let judge = Checkpoint::load("snn-models/trained/digits70.safetensors".as_ref())?;
//! let binning = judge.network.spec().binning();
//! let [train, test] = ["train", "test"].map(|part| format!("data/fsdd70_{part}.h5").into());
//! let (train, test) = (read_dataset(&[train], binning)?, read_dataset(&[test], binning)?);
//! let classes: Vec<ClassId> = (0..5).map(ClassId).collect();
//! let experiment = ConceptExperiment::new(2, classes, 13_000)?;
//! let outcome = run(&experiment, &judge.network, (&train, &test), &mut |_| {})?;
//! for way in &outcome.ways {
//!     let first = way.alignment(4, 0).expect("it gives something");
//!     println!("{}: {} % of the first concept after five", way.name, first.percent());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod experiment;
mod latents;
mod outcome;
mod run;

pub use error::ConceptError;
pub use experiment::{ConceptExperiment, Way};
pub use outcome::{
    ConceptExamples, ConceptFigures, ConceptOutcome, JudgedLatent, SeedOutcome, Stage, WayOutcome,
};
pub use run::{ConceptProgress, run};
