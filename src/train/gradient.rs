use super::batch_work::{Work, Workspace, batch_gradient_in, work_on_batch};
use super::task::UNKNOWN;
use super::{Block, BlockLoss, Examples, Losses, TaskFacts, TrainError};
use crate::network::{DropoutDraws, Gradients, Network, Reach, Stage};

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

/// Some samples of [`Examples`], the task that they are of, and where the draws come from by which layers leave out
/// spikes, if they do.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    pub(super) samples: &'a [usize],
    pub(super) draws: Option<DropoutDraws>,
    pub(super) task: &'a TaskFacts,
}

impl<'a> Batch<'a> {
    /// The same with layers leaving out spikes as the spec says, as in training.
    #[must_use]
    pub fn dropping(mut self, draws: DropoutDraws) -> Self {
        self.draws = Some(draws);
        self
    }

    /// The same in a task, for objectives that ask what was learned before.
    #[must_use]
    pub fn in_task(mut self, task: &'a TaskFacts) -> Self {
        self.task = task;
        self
    }
}

impl<'a, S: AsRef<[usize]> + ?Sized> From<&'a S> for Batch<'a> {
    /// No spike is left out, and nothing is known of the task.
    fn from(samples: &'a S) -> Self {
        let samples = samples.as_ref();
        Batch {
            samples,
            draws: None,
            task: &UNKNOWN,
        }
    }
}

/// The loss of a batch and its gradient for every weight that the stage trains.
///
/// `batch` lists samples of `examples`; no spike is left out unless it is one of [`Batch::dropping`]. Samples may enter
/// above the stage ([`Examples::stage`]): they are run in blocks of their own, and give gradients of what lies above
/// only.
///
/// # Errors
/// [`TrainError`] if the batch is empty or a sample does not fit the network or the stage.
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
