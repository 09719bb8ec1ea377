use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{LearnedSamples, ReplayFigures, SampleStore, Source, SourcePlace, SourceState};
use crate::ids::{ClassId, SampleIndex};
use crate::network::StageInput;
use crate::registry::Member;
use crate::replay::ReplayError;
use crate::storage::{SavedState, Tensor};
use crate::train::{Examples, TrainError};

/// All samples there ever were, as they are: joint training. It says what could be reached if nothing ever had to be
/// left behind, and counts as holding nothing, since it is no way to learn on a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Everything {}

impl Member for Everything {
    const KIND: &'static str = "everything";
    const ABOUT: &'static str =
        "all samples there ever were: joint training, what could be reached";
}

impl Source for Everything {
    fn begin(&self, _: &SourcePlace) -> Result<Box<dyn SourceState>, ReplayError> {
        Ok(Box::new(AllSamples::default()))
    }

    fn keeps_everything(&self) -> bool {
        true
    }

    fn is_published(&self) -> bool {
        true
    }
}

#[derive(Debug, Default)]
struct AllSamples {
    samples: Vec<SampleIndex>,
    /// The task that brought each.
    tasks: Vec<u64>,
}

/// All of them, each of the task that brought it.
struct OfTasks<'a> {
    examples: Box<dyn Examples + 'a>,
    tasks: &'a [u64],
}

impl Examples for OfTasks<'_> {
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

    fn task(&self, index: usize) -> usize {
        self.tasks[index] as usize
    }
}

impl SourceState for AllSamples {
    fn task_ended(
        &mut self,
        learned: &LearnedSamples<'_>,
        _: &mut ChaCha8Rng,
    ) -> Result<(), ReplayError> {
        let task = self.tasks.last().map_or(0, |last| last + 1);
        self.samples.extend(learned.indices);
        self.tasks.resize(self.samples.len(), task);
        Ok(())
    }

    fn replays<'a>(&'a self, samples: &'a dyn SampleStore) -> Box<dyn Examples + 'a> {
        Box::new(OfTasks {
            examples: samples.examples(self.samples.clone()),
            tasks: &self.tasks,
        })
    }

    fn figures(&self) -> ReplayFigures {
        ReplayFigures::default()
    }

    fn held(&self) -> Vec<Option<SampleIndex>> {
        self.samples.iter().copied().map(Some).collect()
    }

    fn save(&self) -> SavedState {
        let indices = self.samples.iter().map(|index| index.0 as u64).collect();
        SavedState::default()
            .with("samples", Tensor::U64(indices))
            .with("tasks", Tensor::U64(self.tasks.clone()))
    }

    fn restore(&mut self, mut saved: SavedState) -> Result<(), String> {
        let (Tensor::U64(indices), Tensor::U64(tasks)) =
            (saved.take("samples")?, saved.take("tasks")?)
        else {
            return Err("`samples` or `tasks` is not a list of numbers".to_string());
        };
        if tasks.len() != indices.len() || !tasks.is_sorted() {
            return Err("`tasks` does not say a task of each sample".to_string());
        }
        self.tasks = tasks;
        self.samples = indices
            .into_iter()
            .map(|index| SampleIndex(index as usize))
            .collect();
        Ok(())
    }
}
