use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{LearnedSamples, ReplayFigures, SampleStore, Source, SourcePlace, SourceState};
use crate::ids::SampleIndex;
use crate::registry::Member;
use crate::replay::ReplayError;
use crate::storage::{SavedState, Tensor};
use crate::train::Examples;

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
}

#[derive(Debug, Default)]
struct AllSamples(Vec<SampleIndex>);

impl SourceState for AllSamples {
    fn task_ended(
        &mut self,
        learned: &LearnedSamples<'_>,
        _: &mut ChaCha8Rng,
    ) -> Result<(), ReplayError> {
        self.0.extend(learned.indices);
        Ok(())
    }

    fn replays<'a>(&'a self, samples: &'a dyn SampleStore) -> Box<dyn Examples + 'a> {
        samples.examples(self.0.clone())
    }

    fn figures(&self) -> ReplayFigures {
        ReplayFigures::default()
    }

    fn held(&self) -> Vec<Option<SampleIndex>> {
        self.0.iter().copied().map(Some).collect()
    }

    fn save(&self) -> SavedState {
        let indices = self.0.iter().map(|index| index.0 as u64).collect();
        SavedState::default().with("samples", Tensor::U64(indices))
    }

    fn restore(&mut self, mut saved: SavedState) -> Result<(), String> {
        let Tensor::U64(indices) = saved.take("samples")? else {
            return Err("`samples` is not a list of numbers".to_string());
        };
        self.0 = indices
            .into_iter()
            .map(|index| SampleIndex(index as usize))
            .collect();
        Ok(())
    }
}
