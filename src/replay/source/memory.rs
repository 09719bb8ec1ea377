use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{LearnedSamples, ReplayFigures, SampleStore, Source, SourcePlace, SourceState};
use crate::ids::{ClassId, SampleIndex};
use crate::network::StageInput;
use crate::registry::{BadSetting, Member};
use crate::replay::{
    Capacity, CodecSettings, Kept, PolicySettings, ReplayError, ReplayMemory, StoredShape,
};
use crate::storage::{SavedState, Tensor};
use crate::train::{Examples, TrainError};

/// Samples kept as packed bits ([`ReplayMemory`]): latents at the LR index, or raw inputs where the whole network learns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// How a sample is compressed; as it is if left out.
    #[serde(default = "CodecSettings::raw")]
    pub codec: CodecSettings,
    /// Which samples are kept; the published protocol has a rule of its own instead.
    #[serde(default = "PolicySettings::uniform")]
    pub policy: PolicySettings,
    /// How many: `{ samples = 700 }` or `{ bytes = 45000 }`.
    pub capacity: Capacity,
}

impl Memory {
    /// Samples compressed so, chosen so, and so many of them.
    pub fn new(codec: CodecSettings, policy: PolicySettings, capacity: Capacity) -> Self {
        Memory {
            codec,
            policy,
            capacity,
        }
    }
}

impl Member for Memory {
    const KIND: &'static str = "memory";
    const ABOUT: &'static str = "samples kept as packed bits";

    fn check(&self) -> Result<(), BadSetting> {
        self.codec.check().map_err(|bad| bad.within("codec"))?;
        self.policy.check().map_err(|bad| bad.within("policy"))
    }
}

impl Source for Memory {
    fn begin(&self, place: &SourcePlace) -> Result<Box<dyn SourceState>, ReplayError> {
        let logits = if place.wants_logits { place.classes } else { 0 };
        let shape = |kept| {
            let shape = StoredShape::new(kept, self.codec.clone(), place.steps, place.units)?;
            let shape = shape.with_logits(logits).noting_tasks(place.wants_tasks);
            Ok::<_, ReplayError>(shape)
        };
        if let Kept::Inputs { .. } = place.kept {
            // Better told now than when the first larger count comes.
            let widest = shape(Kept::counts_up_to(place.largest_count))?;
            self.capacity.samples(&widest)?;
        }
        let memory = ReplayMemory::new(shape(place.kept)?, self.policy.clone(), self.capacity)?;
        Ok(Box::new(KeptSamples {
            memory,
            capacity: self.capacity,
            held: Vec::new(),
        }))
    }

    fn codec(&self) -> Option<&CodecSettings> {
        Some(&self.codec)
    }

    fn is_published(&self) -> bool {
        true
    }

    fn capacity(&self) -> Option<Capacity> {
        Some(self.capacity)
    }
}

/// The samples of a memory, decoded on the spot.
struct Replays<'a>(&'a ReplayMemory);

impl Examples for Replays<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn steps(&self, index: usize) -> usize {
        self.0.steps(index)
    }

    fn class(&self, index: usize) -> ClassId {
        self.0.class(index)
    }

    fn input(&self, index: usize) -> Result<StageInput<'_>, TrainError> {
        self.0.input(index)
    }

    fn task(&self, index: usize) -> usize {
        self.0.task(index)
    }

    fn past_logits(&self, index: usize) -> Option<Arc<[f32]>> {
        self.0.past_logits(index).map(Into::into)
    }
}

/// What a file has for the place of a sample that is of other data.
const OF_OTHER_DATA: u64 = u64::MAX;

#[derive(Debug)]
struct KeptSamples {
    memory: ReplayMemory,
    capacity: Capacity,
    held: Vec<Option<SampleIndex>>,
}

impl KeptSamples {
    fn note(&mut self, place: usize, index: SampleIndex) {
        match self.held.get_mut(place) {
            Some(held) => *held = Some(index),
            None => self.held.push(Some(index)),
        }
    }

    /// Keeps the logits of a sample, if any are kept: those of the sample as it will be replayed, or else training would
    /// compare logits of different inputs.
    fn note_logits(
        &mut self,
        place: usize,
        learned: &LearnedSamples<'_>,
    ) -> Result<(), ReplayError> {
        if self.memory.shape().logits() > 0 {
            let logits = (learned.logits)(&self.memory.decode(place)?)?;
            self.memory.put_logits(place, &logits);
        }
        Ok(())
    }
}

impl SourceState for KeptSamples {
    fn task_ended(
        &mut self,
        learned: &LearnedSamples<'_>,
        generator: &mut ChaCha8Rng,
    ) -> Result<(), ReplayError> {
        let widened =
            self.memory
                .hold_counts_up_to(learned.largest_count, self.capacity, generator)?;
        if let Some(stayed) = widened {
            self.held = stayed
                .into_iter()
                .filter_map(|place| self.held.get(place).copied())
                .collect();
        }
        let task = self.memory.next_task();
        if learned.is_fixed {
            let room = self.memory.capacity() - self.memory.classes().len();
            for place in 0..learned.indices.len().min(room) {
                let sample = (learned.sample)(place)?;
                self.memory.append(learned.classes[place], &sample)?;
                self.held.push(Some(learned.indices[place]));
                self.memory.put_task(self.held.len() - 1, task);
                self.note_logits(self.held.len() - 1, learned)?;
            }
            return Ok(());
        }
        let kept = self
            .memory
            .offer(learned.classes, learned.sample, generator)?;
        for admission in kept {
            self.note(admission.place, learned.indices[admission.candidate]);
            self.memory.put_task(admission.place, task);
            self.note_logits(admission.place, learned)?;
        }
        Ok(())
    }

    fn replays<'a>(&'a self, _: &'a dyn SampleStore) -> Box<dyn Examples + 'a> {
        Box::new(Replays(&self.memory))
    }

    fn figures(&self) -> ReplayFigures {
        ReplayFigures {
            samples: self.memory.len(),
            bytes: self.memory.bytes(),
            payload_bits: self.memory.payload_bits(),
            raw_input_bits: 0,
        }
    }

    fn memory(&self) -> Option<&ReplayMemory> {
        Some(&self.memory)
    }

    fn held(&self) -> Vec<Option<SampleIndex>> {
        self.held.clone()
    }

    fn data_changed(&mut self) {
        self.held.fill(None);
    }

    fn save(&self) -> SavedState {
        let held = self.held.iter();
        let held = held.map(|held| held.map_or(OF_OTHER_DATA, |index| index.0 as u64));
        let held = held.collect();
        self.memory.saved().with("held", Tensor::U64(held))
    }

    fn restore(&mut self, mut saved: SavedState) -> Result<(), String> {
        let Tensor::U64(held) = saved.take("held")? else {
            return Err("`held` is not a list of numbers".to_string());
        };
        let memory = ReplayMemory::from_saved(saved)?;
        let same = |shape: &StoredShape| {
            (
                std::mem::discriminant(&shape.kept()),
                shape.codec().clone(),
                shape.steps(),
                shape.units(),
                (shape.logits(), shape.notes_tasks()),
            )
        };
        if same(memory.shape()) != same(self.memory.shape())
            || memory.policy() != self.memory.policy()
        {
            return Err("the memory is of another shape, codec or policy".to_string());
        }
        if held.len() != memory.len() {
            return Err("`held` is of another length than the memory".to_string());
        }
        self.memory = memory;
        let index = |held| (held != OF_OTHER_DATA).then_some(SampleIndex(held as usize));
        self.held = held.into_iter().map(index).collect();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
