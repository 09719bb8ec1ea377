//! What is tested by itself: a network, or a learner as a run left it.
//!
//! In: a file of either, and a dataset. Out: the class that each sample is taken for, by a learner as its run tested it: by
//! its head, where that classifies itself, and else by the network's readout above what its frozen layers make of samples.

use std::path::Path;

use ndarray::Array2;

use super::latents::Latents;
use super::{ContinualError, SavedLearner};
use crate::dataset::Dataset;
use crate::network::Stage;
use crate::storage::TensorFile;
use crate::train::{Checkpoint, DatasetExamples, Evaluation, evaluate};

/// A trained network, or a learner: a network with its head.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Trained {
    /// A network.
    Network(Box<Checkpoint>),
    /// A learner.
    Learner(Box<SavedLearner>),
}

impl Trained {
    /// Reads either.
    ///
    /// # Errors
    /// As [`SavedLearner::load`] for the file of a learner, else as [`Checkpoint::load`].
    pub fn load(path: &Path) -> Result<Self, ContinualError> {
        match TensorFile::read(path) {
            Ok(file) if SavedLearner::is_in(&file) => {
                SavedLearner::load(path).map(Box::new).map(Trained::Learner)
            }
            // What can't be read is told as of a network.
            _ => Ok(Trained::Network(Box::new(Checkpoint::load(path)?))),
        }
    }

    /// The network, with the names of its classes and what it was trained on.
    pub fn checkpoint(&self) -> &Checkpoint {
        match self {
            Trained::Network(saved) => saved,
            Trained::Learner(state) => state.checkpoint(),
        }
    }

    /// Classifies every sample of a dataset, whose classes must be numbered as the network's are.
    ///
    /// # Errors
    /// [`ContinualError`] if a sample does not fit, or the state of a learner is damaged.
    pub fn evaluate(&self, dataset: &Dataset) -> Result<Evaluation, ContinualError> {
        match self {
            Trained::Network(saved) => {
                let examples = DatasetExamples::all(dataset);
                Ok(evaluate(&saved.network, Stage::Whole, &examples)?)
            }
            Trained::Learner(state) => evaluate_learner(state, dataset),
        }
    }
}

/// Classifies every sample as the learner's run does; where its head classifies by itself, samples have no logits.
fn evaluate_learner(state: &SavedLearner, dataset: &Dataset) -> Result<Evaluation, ContinualError> {
    let network = state.network();
    let (spec, method) = (network.spec(), &state.experiment().method);
    let classes = spec.classes();
    let past = dataset.classes().into_iter().next_back();
    if let Some(class) = past.filter(|class| class.index() >= classes) {
        return Err(ContinualError::NoReadout { class, classes });
    }
    let stage = method.stage(spec)?;
    let head = state.head(stage)?;
    Latents::check_memory(spec, stage, dataset.len())?;
    let samples: Vec<_> = dataset.iter().map(|(index, _)| index).collect();
    let seen_through = state.experiment().seen_through();
    let mut latents = Latents::new(stage, dataset.len()).seen_through(seen_through);
    latents.make(network, dataset, samples.clone())?;
    let examples = latents.examples(dataset, samples);
    let Some(predictions) = head.classify(&examples)? else {
        return Ok(evaluate(network, stage, &examples)?);
    };
    let targets = dataset.iter().map(|(_, sample)| sample.class);
    let mut confusion = Array2::zeros((classes, classes));
    for (target, found) in targets.zip(&predictions) {
        confusion[[target.index(), found.index()]] += 1;
    }
    Ok(Evaluation {
        logits: Array2::zeros((predictions.len(), 0)),
        predictions,
        confusion,
    })
}
