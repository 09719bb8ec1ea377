use std::time::Instant;

use rayon::prelude::*;

use super::time::{BlockTime, TimeSpent};
use super::{Block, BlockLoss, Examples, Losses, Target, TrainError};
use crate::ids::ClassId;
use crate::network::{DropoutDraws, Gradients, Network, PreparedStage, Reach, Stage};

/// Samples that one thread runs forward and backward together. Fixed, so that the order in which
/// gradients are added does not depend on the number of threads.
pub const SAMPLES_PER_BLOCK: usize = 16;

/// What one batch says about the weights.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BatchGradient {
    /// The objective summed over the batch.
    pub loss_sum: f64,
    /// What regularisers say, summed over the batch.
    pub penalty_sum: f64,
    /// Samples classified rightly, by the weights before the step.
    pub correct: usize,
    /// Gradient of the mean of both over the batch.
    pub gradients: Gradients,
}

/// Some samples of [`Examples`], and where the draws come from by which layers leave out spikes, if they do.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    samples: &'a [usize],
    draws: Option<DropoutDraws>,
}

impl Batch<'_> {
    /// The same with layers leaving out spikes as the spec says, as in training.
    #[must_use]
    pub fn dropping(mut self, draws: DropoutDraws) -> Self {
        self.draws = Some(draws);
        self
    }
}

impl<'a, S: AsRef<[usize]> + ?Sized> From<&'a S> for Batch<'a> {
    /// No spike is left out.
    fn from(samples: &'a S) -> Self {
        let samples = samples.as_ref();
        Batch {
            samples,
            draws: None,
        }
    }
}

/// The loss of a batch and its gradient for every weight that the stage trains.
///
/// `batch` lists samples of `examples`; no spike is left out unless it is one of [`Batch::dropping`].
///
/// # Errors
/// [`TrainError`] if the batch is empty or a sample does not fit the network.
pub fn batch_gradient<'a>(
    network: &Network,
    stage: Stage,
    examples: &dyn Examples,
    batch: impl Into<Batch<'a>>,
    losses: &Losses,
) -> Result<BatchGradient, TrainError> {
    let mut workspace = Workspace::default();
    let batch = batch.into();
    let figures = batch_gradient_in(&mut workspace, network, stage, examples, batch, losses)?;
    Ok(workspace.into_gradient(figures))
}

/// The same of a loss that is given by what it says of each block of at most [`SAMPLES_PER_BLOCK`] samples: for losses
/// of one's own. Blocks run on all cores; their gradients are added in order, so that the number of threads
/// changes no bit.
///
/// `loss` gives the sum of what a block's samples cost, and derivatives of the mean over the batch.
///
/// # Errors
/// As [`batch_gradient`], and what `loss` gives.
pub fn batch_gradient_by<'a>(
    network: &Network,
    stage: Stage,
    examples: &dyn Examples,
    batch: impl Into<Batch<'a>>,
    reach: Reach,
    loss: impl Fn(&Block<'_>) -> Result<BlockLoss, TrainError> + Sync,
) -> Result<BatchGradient, TrainError> {
    let mut workspace = Workspace::default();
    let loss = |block: &Block<'_>| {
        let BlockLoss { loss_sum, errors } = loss(block)?;
        let errors = BlockLoss {
            loss_sum: 0.0,
            errors,
        };
        Ok((loss_sum, errors))
    };
    let (work, batch) = (Work { reach, loss: &loss }, batch.into());
    let figures = work_on_batch(&mut workspace, network, stage, examples, batch, work)?;
    Ok(workspace.into_gradient(figures))
}

/// What is done with each block of a batch.
struct Work<'a> {
    reach: Reach,
    loss: &'a LossOfBlock<'a>,
}

/// What a block costs by the objective and by the rest, with the errors of both.
type LossOfBlock<'a> = dyn Fn(&Block<'_>) -> Result<(f64, BlockLoss), TrainError> + Sync + 'a;

/// Gradients of blocks, kept from batch to batch so that none is allocated anew.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    blocks: Vec<Gradients>,
    /// Time spent so far.
    pub spent: TimeSpent,
}

impl Workspace {
    /// The gradient of the batch that [`batch_gradient_in`] last worked on.
    pub(super) fn gradients_mut(&mut self) -> Option<&mut Gradients> {
        self.blocks.first_mut()
    }

    fn into_gradient(mut self, figures: BatchFigures) -> BatchGradient {
        BatchGradient {
            loss_sum: figures.loss_sum,
            penalty_sum: figures.penalty_sum,
            correct: figures.correct,
            // A batch that went well left its gradient.
            gradients: self.blocks.swap_remove(0),
        }
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
#[derive(Debug, Clone, Default)]
pub(super) struct BatchFigures {
    pub loss_sum: f64,
    pub penalty_sum: f64,
    pub correct: usize,
    /// Spikes of each layer of the stage.
    pub spikes: Vec<u64>,
    /// Steps of all samples.
    pub steps: u64,
}

/// [`batch_gradient`], with the gradient left in the workspace; with draws, layers leave out spikes as the spec
/// says.
pub(super) fn batch_gradient_in(
    workspace: &mut Workspace,
    network: &Network,
    stage: Stage,
    examples: &dyn Examples,
    batch: Batch<'_>,
    losses: &Losses,
) -> Result<BatchFigures, TrainError> {
    let loss = |block: &Block<'_>| losses.of_block(block);
    let work = Work {
        reach: losses.reach(),
        loss: &loss,
    };
    let mut figures = work_on_batch(workspace, network, stage, examples, batch, work)?;
    let gradients = workspace.blocks.first_mut();
    let gradients = gradients.expect("a batch that went well left its gradient");
    // That of the mean over the batch, of which the figures are sums.
    let of_parameters = losses.of_parameters(network, gradients)?;
    figures.penalty_sum += of_parameters * batch.samples.len() as f64;
    Ok(figures)
}

fn work_on_batch(
    workspace: &mut Workspace,
    network: &Network,
    stage: Stage,
    examples: &dyn Examples,
    Batch {
        samples: batch,
        draws,
    }: Batch<'_>,
    Work { reach, loss }: Work<'_>,
) -> Result<BatchFigures, TrainError> {
    if batch.is_empty() {
        return Err(TrainError::NoSamples("train on"));
    }
    let clock = Instant::now();
    let blocks = batch.len().div_ceil(SAMPLES_PER_BLOCK);
    workspace.prepare(blocks, network, stage);
    let work = BatchWork {
        stage: &match draws {
            Some(draws) => network.prepare_dropping(stage, draws),
            None => network.prepare(stage),
        },
        examples,
        batch: batch.len(),
        reach,
        loss,
    };
    work.stage.transpose();
    workspace.spent.prepare += clock.elapsed().as_secs_f64();
    let clock = Instant::now();
    let gradients = &mut workspace.blocks[..blocks];
    let figures: Vec<_> = batch
        .par_chunks(SAMPLES_PER_BLOCK)
        .zip(&mut *gradients)
        .enumerate()
        .map(|(place, (block, gradients))| work.block(place, block, gradients))
        .collect();
    let passed = clock.elapsed();
    let mut sum = BatchFigures::default();
    let mut time = BlockTime::default();
    for figures in figures {
        let (figures, block_time) = figures?;
        sum.loss_sum += figures.loss_sum;
        sum.penalty_sum += figures.penalty_sum;
        sum.correct += figures.correct;
        sum.steps += figures.steps;
        sum.spikes.resize(figures.spikes.len(), 0);
        for (sum, spikes) in sum.spikes.iter_mut().zip(&figures.spikes) {
            *sum += spikes;
        }
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
    reach: Reach,
    loss: &'a LossOfBlock<'a>,
}

impl BatchWork<'_> {
    fn block(
        &self,
        place: usize,
        block: &[usize],
        gradients: &mut Gradients,
    ) -> Result<(BatchFigures, BlockTime), TrainError> {
        gradients.clear();
        let started = Instant::now();
        let targets = targets_of(self.stage.network(), self.examples, block)?;
        let inputs = block.iter().map(|&index| self.examples.input(index));
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        let fetched = Instant::now();
        let trace = self.stage.trace_block(&inputs, self.reach, place)?;
        let (loss_sum, added) = (self.loss)(&Block {
            activity: &trace,
            samples: block,
            targets: &targets,
            batch_size: self.batch,
        })?;
        let logits = trace.logits();
        let rows = logits.rows().into_iter().zip(&targets);
        let correct = rows
            .filter(|(row, target)| predicted_is(row.as_slice(), target.class))
            .count();
        let forward = Instant::now();
        trace.add_gradients(&added.errors, gradients)?;
        let figures = BatchFigures {
            loss_sum,
            penalty_sum: added.loss_sum,
            correct,
            spikes: trace.spikes_of_layers(),
            steps: inputs.iter().map(|input| input.steps() as u64).sum(),
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

/// What is wanted of a block, each class one that the network has.
pub(crate) fn targets_of(
    network: &Network,
    examples: &dyn Examples,
    block: &[usize],
) -> Result<Vec<Target>, TrainError> {
    let classes = network.spec().classes();
    let checked = block.iter().map(|&sample| {
        let class = examples.class(sample);
        if class.index() < classes {
            Ok(Target::new(class))
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
