//! Examples of which more is told than they say themselves.
//!
//! In: any [`Examples`]. Out: the same, as replays or with the logits of an earlier network.

use std::sync::Arc;

use super::{Examples, Origin, TrainError, evaluate};
use crate::ids::ClassId;
use crate::network::{Network, Stage, StageInput};

/// Examples that all count as replayed, whatever they say themselves.
///
/// ```
/// use respike::ids::ClassId;
/// use respike::network::StageInput;
/// use respike::spikes::SpikeCounts;
/// use respike::train::{Examples, JoinedExamples, Origin, Replayed, StoredExamples};
///
/// let beep = SpikeCounts::from_dense(ndarray::Array2::ones((100, 700)).view())?;
/// let samples = vec![(StageInput::counts(&beep), ClassId(3))];
/// let (new, old) = (StoredExamples { samples: samples.clone() }, StoredExamples { samples });
/// let old = Replayed::new(&old);
/// let joined = JoinedExamples::new(vec![&new, &old]);
/// assert_eq!([joined.origin(0), joined.origin(1)], [Origin::New, Origin::Replayed]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Replayed<'a> {
    examples: &'a dyn Examples,
    stage: Option<Stage>,
    task: Option<usize>,
}

impl<'a> Replayed<'a> {
    /// These, as replays.
    pub fn new(examples: &'a dyn Examples) -> Self {
        Replayed {
            examples,
            stage: None,
            task: None,
        }
    }

    /// The same as all brought by one task.
    #[must_use]
    pub fn of_task(mut self, task: usize) -> Self {
        self.task = Some(task);
        self
    }

    /// The same as latents that enter there, above the LR index of a stage that is a part of what is trained.
    #[must_use]
    pub fn entering(mut self, stage: Stage) -> Self {
        self.stage = Some(stage);
        self
    }
}

impl Examples for Replayed<'_> {
    fn len(&self) -> usize {
        self.examples.len()
    }

    fn steps(&self, index: usize) -> usize {
        self.examples.steps(index)
    }

    fn class(&self, index: usize) -> ClassId {
        self.examples.class(index)
    }

    fn input(&self, index: usize) -> Result<StageInput<'_>, TrainError> {
        self.examples.input(index)
    }

    fn stage(&self, index: usize) -> Option<Stage> {
        self.stage.or_else(|| self.examples.stage(index))
    }

    fn origin(&self, _index: usize) -> Origin {
        Origin::Replayed
    }

    fn task(&self, index: usize) -> usize {
        self.task.unwrap_or_else(|| self.examples.task(index))
    }

    fn past_logits(&self, index: usize) -> Option<Arc<[f32]>> {
        self.examples.past_logits(index)
    }
}

/// Examples with the logits that an earlier network gave each of them, in memory.
pub struct WithPastLogits<'a> {
    examples: &'a dyn Examples,
    logits: Vec<Arc<[f32]>>,
}

impl<'a> WithPastLogits<'a> {
    /// These with logits, in their order, one a class each.
    ///
    /// # Errors
    /// [`TrainError::BadPastLogits`] unless there are as many as examples.
    pub fn new(
        examples: &'a dyn Examples,
        logits: impl IntoIterator<Item = Arc<[f32]>>,
    ) -> Result<Self, TrainError> {
        let logits: Vec<Arc<[f32]>> = logits.into_iter().collect();
        let (found, samples) = (logits.len(), examples.len());
        match found == samples {
            true => Ok(WithPastLogits { examples, logits }),
            false => Err(TrainError::BadPastLogits {
                sample: found.min(samples),
                reason: format!("there are those of {found} samples for {samples}"),
            }),
        }
    }

    /// These with the logits that a network gives them now, before it learns more.
    ///
    /// # Errors
    /// As [`evaluate`].
    pub fn of(
        network: &Network,
        stage: Stage,
        examples: &'a dyn Examples,
    ) -> Result<Self, TrainError> {
        let found = evaluate(network, stage, examples)?;
        let rows = found.logits.rows().into_iter();
        let logits = rows.map(|row| row.iter().copied().collect()).collect();
        Ok(WithPastLogits { examples, logits })
    }
}

impl Examples for WithPastLogits<'_> {
    fn len(&self) -> usize {
        self.examples.len()
    }

    fn steps(&self, index: usize) -> usize {
        self.examples.steps(index)
    }

    fn class(&self, index: usize) -> ClassId {
        self.examples.class(index)
    }

    fn input(&self, index: usize) -> Result<StageInput<'_>, TrainError> {
        self.examples.input(index)
    }

    fn stage(&self, index: usize) -> Option<Stage> {
        self.examples.stage(index)
    }

    fn origin(&self, index: usize) -> Origin {
        self.examples.origin(index)
    }

    fn task(&self, index: usize) -> usize {
        self.examples.task(index)
    }

    fn past_logits(&self, index: usize) -> Option<Arc<[f32]>> {
        Some(self.logits[index].clone())
    }
}
