use rayon::prelude::*;

use super::{Examples, SpikePenalty, TrainError, cross_entropy};
use crate::ids::ClassId;
use crate::network::{Gradients, Network, Stage, Trace};

/// Samples that one thread runs forward and backward together. Fixed, so that the order in which
/// gradients are added does not depend on the number of threads.
pub const BLOCK: usize = 16;

/// What one batch says about the weights.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchGradient {
    /// Cross-entropy summed over the batch.
    pub loss_sum: f64,
    /// Spike penalty summed over the batch.
    pub penalty_sum: f64,
    /// Samples classified rightly, by the weights before the step.
    pub correct: usize,
    /// Gradient of the mean of both over the batch.
    pub gradients: Gradients,
}

/// The loss of a batch and its gradient for every weight that the stage trains.
///
/// `batch` lists samples of `examples`.
///
/// # Errors
/// [`TrainError`] if the batch is empty or a sample does not fit the network.
pub fn batch_gradient(
    network: &Network,
    stage: Stage,
    examples: &dyn Examples,
    batch: &[usize],
    penalty: SpikePenalty,
) -> Result<BatchGradient, TrainError> {
    let blocks: Vec<_> = batch
        .par_chunks(BLOCK)
        .map(|block| block_gradient(network, stage, examples, block, batch.len(), penalty))
        .collect();
    let mut sum: Option<BatchGradient> = None;
    for block in blocks {
        let block = block?;
        match &mut sum {
            None => sum = Some(block),
            Some(sum) => {
                sum.loss_sum += block.loss_sum;
                sum.penalty_sum += block.penalty_sum;
                sum.correct += block.correct;
                sum.gradients.add(&block.gradients);
            }
        }
    }
    sum.ok_or(TrainError::NoSamples("train on"))
}

fn block_gradient(
    network: &Network,
    stage: Stage,
    examples: &dyn Examples,
    block: &[usize],
    batch: usize,
    penalty: SpikePenalty,
) -> Result<BatchGradient, TrainError> {
    let classes = classes_of(network, examples, block)?;
    let inputs = block.iter().map(|&index| examples.input(index));
    let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
    let trace = Trace::forward(network, stage, &inputs)?;
    let (loss_sum, error_logits) = cross_entropy(trace.logits(), &classes, batch);
    let mut penalty_sum = 0.0;
    let mut error_spikes = None;
    if !penalty.is_none() {
        let layers = (0..trace.layers()).map(|layer| {
            let (cost, error) = penalty.of_layer(trace.spikes(layer), batch);
            penalty_sum += cost;
            error
        });
        error_spikes = Some(layers.collect::<Vec<_>>());
    }
    let logits = trace.logits();
    let rows = logits.rows().into_iter().zip(&classes);
    let correct = rows
        .filter(|(row, class)| predicted_is(row.as_slice(), **class))
        .count();
    Ok(BatchGradient {
        loss_sum,
        penalty_sum,
        correct,
        gradients: trace.backward(error_logits.view(), error_spikes.as_deref())?,
    })
}

fn predicted_is(logits: Option<&[f32]>, class: ClassId) -> bool {
    logits.is_some_and(|logits| crate::network::predicted(logits) == class)
}

/// The classes of a block, each one that the network has.
pub(super) fn classes_of(
    network: &Network,
    examples: &dyn Examples,
    block: &[usize],
) -> Result<Vec<ClassId>, TrainError> {
    let classes = network.spec().classes();
    let checked = block.iter().map(|&sample| {
        let class = examples.class(sample);
        if class.index() < classes {
            Ok(class)
        } else {
            Err(TrainError::ClassPastEnd {
                sample,
                class,
                classes,
            })
        }
    });
    checked.collect()
}
