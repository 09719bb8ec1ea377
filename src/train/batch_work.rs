//! A batch run forward and backward, block by block on all cores.
//!
//! In: samples, each of which may enter at a stage of its own, and a loss of a block. Out: what the batch came to, and
//! its gradient, left in a [`Workspace`] whose buffers are used again.

use std::ops::Range;
use std::time::Instant;

use rayon::prelude::*;

use super::entry::{ByStage, OneStage};
use super::gradient::SAMPLES_PER_BLOCK;
use super::time::{BlockTime, TimeSpent};
use super::{
    Batch, BatchGradient, Block, BlockLoss, Examples, Losses, Target, TaskFacts, TrainError,
    targets_of,
};
use crate::ids::ClassId;
use crate::network::{Gradients, Network, PreparedStage, Reach, Stage};

/// What is done with each block of a batch.
pub(super) struct Work<'a> {
    pub reach: Reach,
    pub loss: &'a LossOfBlock<'a>,
}

/// What a block costs by the objective and by the rest, with the errors of both.
type LossOfBlock<'a> = dyn Fn(&Block<'_>) -> Result<(f64, BlockLoss), TrainError> + Sync + 'a;

/// Gradients of blocks, kept from batch to batch so that none is allocated anew.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    blocks: Vec<Gradients>,
    /// Those of blocks that enter above the stage, by what they enter.
    narrower: Vec<(Stage, Vec<Gradients>)>,
    /// Time spent so far.
    pub spent: TimeSpent,
}

impl Workspace {
    /// The gradient of the batch that [`batch_gradient_in`] last worked on.
    pub(super) fn gradients_mut(&mut self) -> Option<&mut Gradients> {
        self.blocks.first_mut()
    }

    pub(super) fn into_gradient(mut self, figures: BatchFigures) -> BatchGradient {
        BatchGradient {
            loss_sum: figures.loss_sum,
            penalty_sum: figures.penalty_sum,
            correct: figures.correct,
            // A batch that went well left its gradient.
            gradients: self.blocks.swap_remove(0),
        }
    }

    /// Room for the blocks of each stage: those of the widest first, at least one, into which all are added.
    fn prepare(&mut self, network: &Network, stages: &[OneStage]) -> Vec<&mut [Gradients]> {
        let Some((widest, narrower)) = stages.split_first() else {
            return Vec::new();
        };
        let blocks = widest.blocks().max(1);
        make_room(&mut self.blocks, blocks, network, widest.stage);
        for one in narrower {
            if !self.narrower.iter().any(|(stage, _)| *stage == one.stage) {
                self.narrower.push((one.stage, Vec::new()));
            }
        }
        let place = |stage: Stage| stages.iter().position(|one| one.stage == stage);
        self.narrower.sort_by_key(|(stage, _)| place(*stage));
        let mut room = vec![&mut self.blocks[..blocks]];
        for (stage, gradients) in &mut self.narrower {
            if let Some(place) = place(*stage) {
                let blocks = stages[place].blocks();
                make_room(gradients, blocks, network, *stage);
                room.push(&mut gradients[..blocks]);
            }
        }
        room
    }
}

/// Makes at least so many gradients of a stage.
fn make_room(gradients: &mut Vec<Gradients>, blocks: usize, network: &Network, stage: Stage) {
    if gradients
        .first()
        .is_some_and(|old| !old.fit(network, stage))
    {
        gradients.clear();
    }
    let fresh = || Gradients::zeros(network, stage);
    gradients.resize_with(blocks.max(gradients.len()), fresh);
}

/// What a batch or a block came to, but for its gradient.
#[derive(Debug, Clone, Default)]
pub(super) struct BatchFigures {
    pub loss_sum: f64,
    pub penalty_sum: f64,
    pub correct: usize,
    /// Spikes of each layer of the stage.
    pub spikes: Vec<u64>,
    /// Steps that each layer of the stage ran for, of all samples.
    pub steps: Vec<u64>,
}

impl BatchFigures {
    /// Adds those of a block, whose layers are the last of these.
    fn add(&mut self, block: &BatchFigures) {
        self.loss_sum += block.loss_sum;
        self.penalty_sum += block.penalty_sum;
        self.correct += block.correct;
        for (sums, values) in [
            (&mut self.spikes, &block.spikes),
            (&mut self.steps, &block.steps),
        ] {
            let below = sums.len() - values.len();
            for (sum, value) in sums[below..].iter_mut().zip(values) {
                *sum += value;
            }
        }
    }
}

/// [`batch_gradient`](super::batch_gradient), with the gradient left in the workspace; with draws, layers leave out
/// spikes as the spec says.
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

/// One block with the room for its gradients.
struct Job<'a> {
    stage: &'a PreparedStage<'a>,
    /// Its samples, as a part of the batch's.
    samples: Range<usize>,
    gradients: &'a mut Gradients,
}

pub(super) fn work_on_batch(
    workspace: &mut Workspace,
    network: &Network,
    stage: Stage,
    examples: &dyn Examples,
    batch: Batch<'_>,
    Work { reach, loss }: Work<'_>,
) -> Result<BatchFigures, TrainError> {
    if batch.samples.is_empty() {
        return Err(TrainError::NoSamples("train on"));
    }
    let clock = Instant::now();
    let by_stage = ByStage::of(stage, examples, batch.samples)?;
    let targets = targets_of(network, examples, &by_stage.samples)?;
    let prepared = by_stage.stages.iter().map(|one| {
        let prepared = match batch.draws {
            _ if one.samples.is_empty() => return None,
            Some(draws) => network.prepare_dropping(one.stage, draws),
            None => network.prepare(one.stage),
        };
        prepared.transpose();
        Some(prepared)
    });
    let prepared: Vec<Option<PreparedStage<'_>>> = prepared.collect();
    let mut room = workspace.prepare(network, &by_stage.stages);
    let mut jobs = Vec::new();
    let stages = by_stage.stages.iter().zip(&prepared).zip(&mut room);
    for ((one, stage), gradients) in stages {
        let Some(stage) = stage else {
            continue;
        };
        let starts = one.samples.clone().step_by(SAMPLES_PER_BLOCK);
        jobs.extend(starts.zip(&mut **gradients).map(|(start, gradients)| Job {
            stage,
            samples: start..one.samples.end.min(start + SAMPLES_PER_BLOCK),
            gradients,
        }));
    }
    let work = BatchWork {
        examples,
        samples: &by_stage.samples,
        targets: &targets,
        task: batch.task,
        reach,
        loss,
    };
    let prepare = clock.elapsed().as_secs_f64();
    let clock = Instant::now();
    let figures = jobs.into_par_iter().enumerate();
    let figures: Vec<_> = figures.map(|(place, job)| work.block(place, job)).collect();
    let passed = clock.elapsed();
    let layers = network.spec().depth().saturating_sub(stage.first_layer());
    let mut sum = BatchFigures {
        spikes: vec![0; layers],
        steps: vec![0; layers],
        ..BatchFigures::default()
    };
    let mut time = BlockTime::default();
    for figures in figures {
        let (figures, block_time) = figures?;
        sum.add(&figures);
        time.add(block_time);
    }
    let clock = Instant::now();
    // What enters above the stage is added to the rest in the order of LR indices.
    if let [widest, narrower @ ..] = &mut room[..]
        && let [first, others @ ..] = &mut **widest
    {
        if by_stage.stages[0].samples.is_empty() {
            first.clear();
        }
        first.add_all(others);
        for gradients in narrower {
            first.add_all(gradients);
        }
    }
    let spent = &mut workspace.spent;
    spent.prepare += prepare;
    spent.add_blocks(passed, time);
    spent.add += clock.elapsed().as_secs_f64();
    spent.samples += batch.samples.len() as u64;
    Ok(sum)
}

/// What all blocks of a batch share.
struct BatchWork<'a> {
    examples: &'a dyn Examples,
    samples: &'a [usize],
    targets: &'a [Target],
    task: &'a TaskFacts,
    reach: Reach,
    loss: &'a LossOfBlock<'a>,
}

impl BatchWork<'_> {
    fn block(&self, place: usize, job: Job<'_>) -> Result<(BatchFigures, BlockTime), TrainError> {
        job.gradients.clear();
        let started = Instant::now();
        let samples = &self.samples[job.samples.clone()];
        let targets = &self.targets[job.samples];
        let inputs = samples.iter().map(|&index| self.examples.input(index));
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        let fetched = Instant::now();
        let trace = job.stage.trace_block(&inputs, self.reach, place)?;
        let block = Block::new(&trace, samples, targets, self.samples.len());
        let block = block.with_batch(self.targets).with_task(self.task);
        let (loss_sum, added) = (self.loss)(&block)?;
        let logits = trace.logits();
        let rows = logits.rows().into_iter().zip(targets);
        let correct = rows
            .filter(|(row, target)| predicted_is(row.as_slice(), target.class))
            .count();
        let forward = Instant::now();
        trace.add_gradients(&added.errors, job.gradients)?;
        let spikes = trace.spikes_of_layers();
        let steps = inputs.iter().map(|input| input.steps() as u64).sum();
        let figures = BatchFigures {
            loss_sum,
            penalty_sum: added.loss_sum,
            correct,
            steps: vec![steps; spikes.len()],
            spikes,
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
