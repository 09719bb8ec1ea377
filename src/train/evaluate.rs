use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::gradient::SAMPLES_PER_BLOCK;
use super::{Examples, TrainError, targets_of};
use crate::ids::ClassId;
use crate::network::{Network, Stage, predicted};

/// How a network classified a set of samples.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Evaluation {
    /// The class that each sample was taken for.
    pub predictions: Vec<ClassId>,
    /// The logits of each sample: samples × classes, or × 0 if something without logits classified.
    pub logits: Array2<f32>,
    /// How many samples of each class (row) were taken for each class (column).
    pub confusion: Array2<u32>,
}

impl Evaluation {
    /// Samples that were evaluated.
    pub fn samples(&self) -> usize {
        self.predictions.len()
    }

    /// Samples classified rightly.
    pub fn correct(&self) -> usize {
        self.confusion.diag().iter().map(|&n| n as usize).sum()
    }

    /// The share of samples classified rightly, 0 to 1; every sample counts once.
    pub fn accuracy(&self) -> f64 {
        self.correct() as f64 / self.samples() as f64
    }
}

/// Classifies every sample, without changing the network.
///
/// # Errors
/// [`TrainError`] if there is no sample, or one does not fit the network.
pub fn evaluate(
    network: &Network,
    stage: Stage,
    examples: &dyn Examples,
) -> Result<Evaluation, TrainError> {
    if examples.is_empty() {
        return Err(TrainError::NoSamples("evaluate"));
    }
    let all: Vec<usize> = (0..examples.len()).collect();
    let at_a_time = all
        .len()
        .min(SAMPLES_PER_BLOCK * rayon::current_num_threads());
    let longest = all.iter().map(|&sample| examples.steps(sample)).max();
    let longest = longest.unwrap_or(0);
    let spec = network.spec();
    spec.check_training_memory(stage, at_a_time, longest)?;
    let targets = targets_of(network, examples, &all)?;
    let prepared = network.prepare(stage);
    let blocks = all.par_chunks(SAMPLES_PER_BLOCK).map(|block| {
        let inputs = block.iter().map(|&index| examples.input(index));
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        Ok(prepared.logits(&inputs)?)
    });
    let count = network.spec().classes();
    let mut logits = Array2::zeros((0, count));
    for block in blocks.collect::<Result<Vec<Array2<f32>>, TrainError>>()? {
        // As many columns as the network has classes.
        logits
            .append(Axis(0), block.view())
            .expect("rows of one width");
    }
    let rows = logits.rows().into_iter();
    let predictions = rows.map(|row| predicted(row.as_slice().unwrap_or_default()));
    let predictions: Vec<ClassId> = predictions.collect();
    let mut confusion = Array2::zeros((count, count));
    for (target, prediction) in targets.iter().zip(&predictions) {
        confusion[[target.class.index(), prediction.index()]] += 1;
    }
    Ok(Evaluation {
        predictions,
        logits,
        confusion,
    })
}
