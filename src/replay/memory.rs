use std::borrow::Cow;

use bitvec::prelude::{BitVec, Lsb0};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::bits::{PackedBits, overwrite};
use super::capacity::held_bytes;
use super::codec::{unpack_currents, unpack_inputs, unpack_spikes};
use super::logits::PackedLogits;
use super::{
    Admission, Capacity, Kept, Offer, OfferFeatures, PolicySettings, PolicyState, ReplayError,
    StoredShape, encode_counts, encode_currents, encode_spikes,
};
use crate::ceiling;
use crate::ids::ClassId;
use crate::network::{Latent, StageInput};
use crate::train::{Examples, TrainError};

/// Samples to be trained on again, packed as bits.
///
/// All payloads stand one after the other in a single bit vector without padding; each sample also
/// has its class (2 bytes). [`bytes`](ReplayMemory::bytes) counts all of it, with 64 bytes for what is
/// not samples; a saved file is a few hundred bytes larger, as its header is JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayMemory {
    pub(super) shape: StoredShape,
    pub(super) policy: PolicySettings,
    pub(super) capacity: usize,
    pub(super) state: PolicyState,
    pub(super) classes: Vec<ClassId>,
    pub(super) payload: BitVec<u64, Lsb0>,
    /// Where the shape has any.
    pub(super) logits: Option<PackedLogits>,
    /// The task that brought each sample, where the shape notes it.
    pub(super) tasks: Option<Vec<u16>>,
}

impl ReplayMemory {
    /// An empty memory for samples of a shape.
    ///
    /// # Errors
    /// [`ReplayError`] if the capacity is too small for one sample, or more than may be used of the
    /// machine's memory (see [`ceiling`](crate::ceiling)).
    pub fn new(
        shape: StoredShape,
        policy: PolicySettings,
        capacity: Capacity,
    ) -> Result<Self, ReplayError> {
        Ok(ReplayMemory {
            capacity: affordable(capacity, &shape)?,
            logits: (shape.logits() > 0).then(|| PackedLogits::of(shape.logits())),
            tasks: shape.notes_tasks().then(Vec::new),
            shape,
            policy,
            state: PolicyState::default(),
            classes: Vec::new(),
            payload: BitVec::new(),
        })
    }

    /// What is kept, how, and of what extents.
    pub fn shape(&self) -> &StoredShape {
        &self.shape
    }

    /// Which samples are kept.
    pub fn policy(&self) -> &PolicySettings {
        &self.policy
    }

    /// The most samples that may be held.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The classes of the samples held.
    pub fn classes(&self) -> &[ClassId] {
        &self.classes
    }

    /// Bits of the packed samples alone, the papers' way of counting.
    pub fn payload_bits(&self) -> u64 {
        self.payload.len() as u64
    }

    /// Bytes really held: packed samples in whole words, labels, header.
    pub fn bytes(&self) -> u64 {
        held_bytes(self.classes.len() as u64, &self.shape) + self.state.bytes()
    }

    /// Makes a memory of raw inputs hold event counts up to `largest`: if they need more bits than there
    /// are for each, all that is held is packed anew with as many, and counts for so many more bytes.
    ///
    /// `capacity` is what the memory was made with. Where that is a number of bytes, fewer of the wider
    /// samples fit, and random ones are dropped. A memory of anything else stays as it is. Returns which places
    /// stayed, in their order, if all was packed anew.
    ///
    /// # Errors
    /// As [`ReplayMemory::new`]; the memory is then as before.
    pub fn hold_counts_up_to(
        &mut self,
        largest: u16,
        capacity: Capacity,
        generator: &mut ChaCha8Rng,
    ) -> Result<Option<Vec<usize>>, ReplayError> {
        let (Kept::Inputs { bits: old }, wide @ Kept::Inputs { bits }) =
            (self.shape.kept(), Kept::counts_up_to(largest))
        else {
            return Ok(None);
        };
        if bits <= old {
            return Ok(None);
        }
        let (steps, units) = (self.shape.steps(), self.shape.units());
        let shape = StoredShape::new(wide, self.shape.codec().clone(), steps, units)?
            .with_logits(self.shape.logits())
            .noting_tasks(self.shape.notes_tasks());
        let capacity = affordable(capacity, &shape)?;
        let mut stay: Vec<usize> = (0..self.len()).collect();
        if stay.len() > capacity {
            stay.shuffle(generator);
            stay.truncate(capacity);
            stay.sort_unstable();
        }
        let (slot_bits, logits) = (shape.bits() as usize, shape.logits());
        let mut wider = ReplayMemory {
            shape,
            policy: self.policy.clone(),
            capacity,
            state: self.state.clone(),
            classes: Vec::with_capacity(stay.len()),
            payload: BitVec::with_capacity(stay.len() * slot_bits),
            logits: self.logits.as_ref().map(|_| PackedLogits::of(logits)),
            tasks: self.tasks.as_ref().map(|_| Vec::new()),
        };
        for &index in &stay {
            wider.append(self.classes[index], &self.decode(index)?)?;
            if let Some(logits) = self.past_logits(index) {
                wider.put_logits(wider.len() - 1, &logits);
            }
            if let Some(task) = self.task_of(index) {
                wider.put_task(wider.len() - 1, task);
            }
        }
        *self = wider;
        Ok(Some(stay))
    }

    /// Offers a group of samples, and keeps those that the policy chooses.
    ///
    /// `sample` makes the latent or raw input of a candidate; only those that stay are made.
    /// Returns which candidates stayed, and in which places.
    ///
    /// # Errors
    /// What `sample` returns, and [`ReplayError::WrongShape`] if it is not what the memory keeps.
    pub fn offer<'a>(
        &mut self,
        candidates: &[ClassId],
        sample: impl Fn(usize) -> Result<StageInput<'a>, ReplayError>,
        generator: &mut ChaCha8Rng,
    ) -> Result<Vec<Admission>, ReplayError> {
        let mut state = self.state.clone();
        let offer = Offer {
            capacity: self.capacity,
            held: &self.classes,
            candidates,
            features: &Looks {
                memory: self,
                sample: &sample,
            },
        };
        let admissions = self.policy.admit(&mut state, &offer, generator)?;
        let mut encoded = Vec::with_capacity(admissions.len());
        for admission in &admissions {
            encoded.push(self.encode(&sample(admission.candidate)?)?);
        }
        // Only now, when nothing can fail any more, is the memory changed.
        let new = admissions.iter().filter(|a| a.place >= self.classes.len());
        let new = new.count();
        self.payload.reserve_exact(new * self.slot_bits());
        self.classes.reserve_exact(new);
        self.state = state;
        for (admission, bits) in admissions.iter().zip(&encoded) {
            self.put(admission.place, candidates[admission.candidate], bits);
        }
        Ok(admissions)
    }

    /// Puts a sample into the next free place, whatever the policy would say.
    ///
    /// # Errors
    /// [`ReplayError::Full`], and [`ReplayError::WrongShape`] if it is not what the memory keeps.
    pub fn append(&mut self, class: ClassId, sample: &StageInput<'_>) -> Result<(), ReplayError> {
        if self.classes.len() == self.capacity {
            return Err(ReplayError::Full(self.capacity));
        }
        let bits = self.encode(sample)?;
        // To the bit, so that the bytes reported are the bytes held.
        self.payload.reserve_exact(bits.len());
        self.classes.reserve_exact(1);
        self.put(self.classes.len(), class, &bits);
        Ok(())
    }

    /// Notes the logits that the network gave a sample that is held, if this memory keeps any.
    pub fn put_logits(&mut self, place: usize, found: &[f32]) {
        if let Some(logits) = &mut self.logits {
            logits.put(place, found);
        }
    }

    /// The logits that the network gave a sample when it was kept, to within half a step of 8 bits, if this memory keeps
    /// any.
    pub fn past_logits(&self, index: usize) -> Option<Vec<f32>> {
        Some(self.logits.as_ref()?.get(index))
    }

    /// Notes which task brought a sample that is held, if this memory notes tasks.
    pub fn put_task(&mut self, place: usize, task: u16) {
        if let Some(found) = self.tasks.as_mut().and_then(|tasks| tasks.get_mut(place)) {
            *found = task;
        }
    }

    /// The task that brought a sample, if this memory notes tasks.
    pub fn task_of(&self, index: usize) -> Option<u16> {
        self.tasks.as_ref()?.get(index).copied()
    }

    /// A number that no sample held has yet, for a task that brings new ones: one more than the largest. From 65535 on it
    /// stays the same.
    pub fn next_task(&self) -> u16 {
        let largest = self.tasks.as_ref().and_then(|tasks| tasks.iter().max());
        largest.map_or(0, |largest| largest.saturating_add(1))
    }

    fn put(&mut self, place: usize, class: ClassId, bits: &BitVec<u64, Lsb0>) {
        let start = place * self.slot_bits();
        if place == self.classes.len() {
            self.classes.push(class);
            if let Some(tasks) = &mut self.tasks {
                tasks.push(0);
            }
            self.payload.resize(start + self.slot_bits(), false);
        } else {
            self.classes[place] = class;
        }
        overwrite(
            self.payload.as_raw_mut_slice(),
            start,
            PackedBits::of_aligned(bits),
        );
    }

    fn slot_bits(&self) -> usize {
        // `Capacity::samples` checked that all slots together can be addressed.
        self.shape.bits() as usize
    }

    fn encode(&self, sample: &StageInput<'_>) -> Result<BitVec<u64, Lsb0>, ReplayError> {
        let (shape, extents) = (&self.shape, (sample.steps(), sample.units()));
        let codec = shape.codec();
        if extents == (shape.steps(), shape.units()) {
            match (shape.kept(), sample) {
                (Kept::Spikes, StageInput::Spikes(raster)) => {
                    return Ok(encode_spikes(codec, raster));
                }
                (Kept::Currents, StageInput::Currents(currents)) => {
                    return Ok(encode_currents(codec, currents.view()));
                }
                (Kept::Inputs { bits }, StageInput::Counts(counts)) => {
                    return encode_counts(counts, bits);
                }
                _ => {}
            }
        }
        let kind = match sample {
            StageInput::Spikes(_) => "spikes",
            StageInput::Currents(_) => "input currents",
            StageInput::Counts(_) => "raw inputs",
        };
        Err(ReplayError::WrongShape {
            found: format!("{kind}, {} steps × {} units", extents.0, extents.1),
            expected: shape.to_string(),
        })
    }

    /// In how many bits a kept sample differs from another one as it would be kept, and how many are set in either.
    ///
    /// # Errors
    /// [`ReplayError::WrongShape`] for a sample that this does not keep.
    ///
    /// # Panics
    /// If `index` is not below the number of samples held.
    pub fn difference(
        &self,
        index: usize,
        sample: &StageInput<'_>,
    ) -> Result<(u64, u64), ReplayError> {
        let fresh = self.encode(sample)?;
        let fresh = PackedBits::of_aligned(&fresh);
        let bits = self.slot_bits();
        let kept = PackedBits::of_words(self.payload.as_raw_slice(), index * bits, bits);
        let (mut apart, mut either) = (0, 0);
        for at in (0..bits).step_by(64) {
            let width = (bits - at).min(64);
            let (one, other) = (kept.read(at, width), fresh.read(at, width));
            apart += u64::from((one ^ other).count_ones());
            either += u64::from((one | other).count_ones());
        }
        Ok((apart, either))
    }

    /// Decodes one sample.
    ///
    /// # Errors
    /// [`ReplayError::WrongLength`] if the memory's file was tampered with.
    ///
    /// # Panics
    /// If `index` is not below the number of samples held.
    pub fn decode(&self, index: usize) -> Result<StageInput<'static>, ReplayError> {
        let (bits, shape) = (self.slot_bits(), &self.shape);
        let packed = PackedBits::of_words(self.payload.as_raw_slice(), index * bits, bits);
        unpacked(shape, packed)
    }
}

/// A sample of a shape.
fn unpacked(
    shape: &StoredShape,
    packed: PackedBits<'_>,
) -> Result<StageInput<'static>, ReplayError> {
    Ok(match shape.kept() {
        Kept::Spikes => Latent::Spikes(unpack_spikes(shape, packed)?).into(),
        Kept::Currents => Latent::Currents(unpack_currents(shape, packed)?).into(),
        Kept::Inputs { bits } => {
            StageInput::Counts(Cow::Owned(unpack_inputs(shape, bits, packed)?))
        }
    })
}

/// What samples of a memory and those that are offered to it look like.
struct Looks<'a, S> {
    memory: &'a ReplayMemory,
    sample: &'a S,
}

impl<'b, S: Fn(usize) -> Result<StageInput<'b>, ReplayError>> OfferFeatures for Looks<'_, S> {
    fn held(&self, place: usize) -> Result<Vec<f32>, ReplayError> {
        Ok(self.memory.decode(place)?.sums_of_units())
    }

    fn candidate(&self, candidate: usize) -> Result<Vec<f32>, ReplayError> {
        let (shape, sample) = (&self.memory.shape, (self.sample)(candidate)?);
        let kept = self.memory.encode(&sample)?;
        Ok(unpacked(shape, PackedBits::of_aligned(&kept))?.sums_of_units())
    }
}

/// The number of samples that a capacity means, if the machine may hold so many.
fn affordable(capacity: Capacity, shape: &StoredShape) -> Result<usize, ReplayError> {
    let samples = capacity.samples(shape)?;
    let what = format!("a replay memory of {samples} samples");
    ceiling::check(&what, Some(held_bytes(samples as u64, shape)))?;
    Ok(samples)
}

/// Decoded on the spot, sample by sample: no unpacked copy of the memory is kept.
impl Examples for ReplayMemory {
    fn len(&self) -> usize {
        self.classes.len()
    }

    fn steps(&self, _: usize) -> usize {
        self.shape.steps()
    }

    fn class(&self, index: usize) -> ClassId {
        self.classes[index]
    }

    fn input(&self, index: usize) -> Result<StageInput<'_>, TrainError> {
        self.decode(index)
            .map_err(|error| TrainError::Replay(error.to_string()))
    }

    fn task(&self, index: usize) -> usize {
        self.task_of(index).map_or(0, usize::from)
    }
}
