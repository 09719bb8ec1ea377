use std::time::Instant;

use rayon::prelude::*;

use super::time::{BlockTime, TimeSpent};
use super::{Examples, SpikePenalty, TrainError, cross_entropy};
use crate::ids::ClassId;
use crate::network::{Gradients, Network, PreparedStage, Reach, Stage};

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
    let mut workspace = Workspace::default();
    let figures = batch_gradient_in(&mut workspace, network, stage, examples, batch, penalty)?;
    Ok(BatchGradient {
        loss_sum: figures.loss_sum,
        penalty_sum: figures.penalty_sum,
        correct: figures.correct,
        gradients: workspace.blocks.swap_remove(0),
    })
}

/// Gradients of blocks, kept from batch to batch so that none is allocated anew.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    blocks: Vec<Gradients>,
    /// Time spent so far.
    pub spent: TimeSpent,
}

impl Workspace {
    /// The gradient of the batch that [`batch_gradient_in`] last worked on.
    pub(super) fn gradients(&self) -> Option<&Gradients> {
        self.blocks.first()
    }

    fn prepare(&mut self, blocks: usize, network: &Network, stage: Stage) {
        if self
            .blocks
            .first()
            .is_some_and(|old| !old.fit(network, stage))
        {
            self.blocks.clear();
        }
        let fresh = || Gradients::zeros(network, stage);
        self.blocks
            .resize_with(blocks.max(self.blocks.len()), fresh);
    }
}

/// What a batch or a block came to, but for its gradient.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct BatchFigures {
    pub loss_sum: f64,
    pub penalty_sum: f64,
    pub correct: usize,
}

/// [`batch_gradient`], with the gradient left in the workspace.
pub(super) fn batch_gradient_in(
    workspace: &mut Workspace,
    network: &Network,
    stage: Stage,
    examples: &dyn Examples,
    batch: &[usize],
    penalty: SpikePenalty,
) -> Result<BatchFigures, TrainError> {
    if batch.is_empty() {
        return Err(TrainError::NoSamples("train on"));
    }
    let clock = Instant::now();
    let blocks = batch.len().div_ceil(BLOCK);
    workspace.prepare(blocks, network, stage);
    let work = BatchWork {
        stage: &network.prepare(stage),
        examples,
        batch: batch.len(),
        penalty,
    };
    work.stage.transpose();
    workspace.spent.prepare += clock.elapsed().as_secs_f64();
    let clock = Instant::now();
    let gradients = &mut workspace.blocks[..blocks];
    let figures: Vec<_> = batch
        .par_chunks(BLOCK)
        .zip(&mut *gradients)
        .map(|(block, gradients)| work.block(block, gradients))
        .collect();
    let passed = clock.elapsed();
    let mut sum = BatchFigures::default();
    let mut time = BlockTime::default();
    for figures in figures {
        let (figures, block_time) = figures?;
        sum.loss_sum += figures.loss_sum;
        sum.penalty_sum += figures.penalty_sum;
        sum.correct += figures.correct;
        time.add(block_time);
    }
    workspace.spent.add_blocks(passed, time);
    let clock = Instant::now();
    if let [first, others @ ..] = gradients {
        first.add_all(others);
    }
    workspace.spent.add += clock.elapsed().as_secs_f64();
    workspace.spent.samples += batch.len() as u64;
    Ok(sum)
}

/// What all blocks of a batch share.
struct BatchWork<'a> {
    stage: &'a PreparedStage<'a>,
    examples: &'a dyn Examples,
    batch: usize,
    penalty: SpikePenalty,
}

impl BatchWork<'_> {
    fn block(
        &self,
        block: &[usize],
        gradients: &mut Gradients,
    ) -> Result<(BatchFigures, BlockTime), TrainError> {
        gradients.clear();
        let started = Instant::now();
        let classes = classes_of(self.stage.network(), self.examples, block)?;
        let inputs = block.iter().map(|&index| self.examples.input(index));
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        let fetched = Instant::now();
        let reach = match self.penalty.is_none() {
            true => Reach::Logits,
            false => Reach::EveryStep,
        };
        let trace = self.stage.trace(&inputs, reach)?;
        let (loss_sum, error_logits) = cross_entropy(trace.logits(), &classes, self.batch);
        let mut penalty_sum = 0.0;
        let mut error_spikes = None;
        if !self.penalty.is_none() {
            let layers = (0..trace.layers()).map(|layer| {
                let (cost, error) = self.penalty.of_layer(trace.spikes(layer), self.batch);
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
        let forward = Instant::now();
        let errors = (error_logits.view(), error_spikes.as_deref());
        trace.add_gradients(errors.0, errors.1, gradients)?;
        let figures = BatchFigures {
            loss_sum,
            penalty_sum,
            correct,
        };
        let time = BlockTime {
            fetch: fetched - started,
            forward: forward - fetched,
            backward: forward.elapsed(),
        };
        Ok((figures, time))
    }
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
