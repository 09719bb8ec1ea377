//! The samples of a batch by the stage that they enter.

use std::borrow::Cow;
use std::ops::Range;

use super::gradient::SAMPLES_PER_BLOCK;
use super::{Examples, TrainError};
use crate::network::Stage;

/// The samples of a batch, those that enter the stage that is trained first, then those that enter above it, from the
/// lowest LR index on; each of these groups in the batch's order.
pub(super) struct ByStage<'a> {
    pub samples: Cow<'a, [usize]>,
    /// The stage that is trained, whether a sample enters it or not, and all others.
    pub stages: Vec<OneStage>,
}

/// Samples that enter one stage.
pub(super) struct OneStage {
    pub stage: Stage,
    /// Which of the ordered samples.
    pub samples: Range<usize>,
}

impl OneStage {
    /// Blocks that its samples are cut into.
    pub fn blocks(&self) -> usize {
        self.samples.len().div_ceil(SAMPLES_PER_BLOCK)
    }
}

impl<'a> ByStage<'a> {
    /// Puts a batch in order.
    pub fn of(
        trained: Stage,
        examples: &dyn Examples,
        batch: &'a [usize],
    ) -> Result<Self, TrainError> {
        let mut stages = vec![OneStage {
            stage: trained,
            samples: 0..batch.len(),
        }];
        let entered = batch
            .iter()
            .map(|&sample| stage_of(trained, examples, sample));
        let entered = entered.collect::<Result<Vec<Stage>, _>>()?;
        if entered.iter().all(|stage| *stage == trained) {
            let samples = Cow::Borrowed(batch);
            return Ok(ByStage { samples, stages });
        }
        let mut ordered: Vec<(Stage, usize)> =
            entered.into_iter().zip(batch.iter().copied()).collect();
        // The sort is stable.
        ordered.sort_by_key(|(stage, _)| place(trained, *stage));
        stages[0].samples.end = 0;
        for (at, (stage, _)) in ordered.iter().enumerate() {
            if stages.last().is_none_or(|last| last.stage != *stage) {
                stages.push(OneStage {
                    stage: *stage,
                    samples: at..at,
                });
            }
            if let Some(last) = stages.last_mut() {
                last.samples.end = at + 1;
            }
        }
        let samples = ordered.into_iter().map(|(_, sample)| sample).collect();
        Ok(ByStage { samples, stages })
    }
}

/// What a sample enters, which is the stage that is trained or a part of it.
fn stage_of(trained: Stage, examples: &dyn Examples, sample: usize) -> Result<Stage, TrainError> {
    let stage = examples.stage(sample).unwrap_or(trained);
    let lies_within = match (trained, stage) {
        (Stage::Whole, _) => true,
        (Stage::Learning(_), Stage::Whole) => false,
        (Stage::Learning(lowest), Stage::Learning(index)) => lowest.get() <= index.get(),
    };
    match lies_within {
        true => Ok(stage),
        false => Err(TrainError::EntersBelow {
            sample,
            enters: stage,
            trained,
        }),
    }
}

/// The stage that is trained before all others, and these by their LR indices.
fn place(trained: Stage, stage: Stage) -> Option<usize> {
    match stage {
        Stage::Learning(index) if stage != trained => Some(index.get()),
        _ => None,
    }
}

/// How many stages the samples of some batches enter above the one that is trained.
///
/// # Errors
/// [`TrainError::EntersBelow`].
pub(super) fn stages_above<'a>(
    trained: Stage,
    examples: &dyn Examples,
    samples: impl Iterator<Item = &'a usize>,
) -> Result<usize, TrainError> {
    let mut above: Vec<Stage> = Vec::new();
    for &sample in samples {
        let stage = stage_of(trained, examples, sample)?;
        if stage != trained && !above.contains(&stage) {
            above.push(stage);
        }
    }
    Ok(above.len())
}

#[cfg(test)]
mod tests;
