use std::collections::BTreeMap;

use bitvec::prelude::{BitVec, Lsb0};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{LearnedSamples, ReplayFigures, SampleStore, Source, SourcePlace, SourceState};
use crate::ceiling;
use crate::generator::{
    BitSamples, FitSettings, Form, GeneratorError, MOST_DRAWN, SampleGenerator, SeparateMixtures,
    SeparateSettings, SharedLearning, SharedMixture, SharedSettings,
};
use crate::ids::ClassId;
use crate::network::{Latent, StageInput};
use crate::registry::{BadSetting, Member};
use crate::replay::bits::PackedBits;
use crate::replay::codec::unpack_spikes;
use crate::replay::{Capacity, CodecSettings, Kept, ReplayError, StoredShape, encode_spikes};
use crate::storage::SavedState;
use crate::train::{Examples, TrainError};

/// The most replays of a class where nothing is said: as many as new samples of a class there are in small tasks,
/// and no more, since every one is decoded and learned from in each epoch.
const MOST_REPLAYS: usize = 100;

/// Samples made anew instead of kept: a mixture of Bernoulli patterns of the packed bits of each class
/// ([`crate::generator`]), which is learned when a task ends and drawn from before the next one. No sample is kept,
/// and none has logits from when it was kept.
///
/// Either [`components`](Generator::components) or [`capacity`](Generator::capacity) says how large it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Generator {
    /// How a sample is compressed; the mixtures are of what the codec packs. `or:10` if left out.
    #[serde(default = "or_of_ten")]
    pub codec: CodecSettings,
    /// Whether each class has components of its own, or all classes share them.
    #[serde(default = "separate")]
    pub form: Form,
    /// How shared components learn what comes; `replay` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning: Option<ComponentsLearn>,
    /// How many components each class has, or all of them share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub components: Option<usize>,
    /// `{ bytes = 45000 }`: as many components as have room for all classes that the network has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
    /// Replays of each known class, drawn anew for every task; as many as the class was learned from, but 100 at
    /// most, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<usize>,
    /// How mixtures are fitted.
    #[serde(default)]
    pub fit: FitSettings,
}

/// What shared components are fitted to when something comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ComponentsLearn {
    /// What comes, and samples drawn of all that is known: as many of each class as it was learned from, but at most
    /// [`MOST_DRAWN`].
    Replay,
    /// What comes, alone: the rest is forgotten.
    Naive,
}

fn or_of_ten() -> CodecSettings {
    CodecSettings::or(10).expect("a window of 1 to 65536 steps")
}

fn separate() -> Form {
    Form::Separate
}

impl Generator {
    /// One with so many components, of each class or of all, of samples that are packed with `or:10`.
    pub fn new(form: Form, components: usize) -> Self {
        Generator {
            codec: or_of_ten(),
            form,
            learning: None,
            components: Some(components),
            capacity: None,
            samples: None,
            fit: FitSettings::new(),
        }
    }

    /// One with as many components as have room in so many bytes.
    pub fn within(form: Form, bytes: u64) -> Self {
        Generator {
            components: None,
            capacity: Some(Capacity::Bytes(bytes)),
            ..Generator::new(form, 1)
        }
    }

    /// The same of samples that are packed by another codec.
    #[must_use]
    pub fn with_codec(mut self, codec: CodecSettings) -> Self {
        self.codec = codec;
        self
    }

    /// The same with shared components that learn in that way.
    #[must_use]
    pub fn with_learning(mut self, learning: ComponentsLearn) -> Self {
        self.learning = Some(learning);
        self
    }

    /// The same with so many replays of each class.
    #[must_use]
    pub fn with_samples(mut self, samples: usize) -> Self {
        self.samples = Some(samples);
        self
    }

    /// The same, fitted in another way.
    #[must_use]
    pub fn with_fit(mut self, fit: FitSettings) -> Self {
        self.fit = fit;
        self
    }
}

impl Member for Generator {
    const KIND: &'static str = "generator";
    const ABOUT: &'static str =
        "samples drawn anew from mixtures of packed bits that are learned class by class";

    fn check(&self) -> Result<(), BadSetting> {
        self.codec.check().map_err(|bad| bad.within("codec"))?;
        self.fit.check().map_err(|bad| {
            let bad = match bad {
                GeneratorError::BadSetting {
                    setting,
                    allowed,
                    found,
                } => BadSetting::new(setting, format!("must be {allowed}, not {found}")),
                // Nothing else is checked there.
                other => BadSetting::new("settings", format!("are refused: {other}")),
            };
            bad.within("fit")
        })?;
        if self.form == Form::Separate && self.learning.is_some() {
            let reason =
                "is for components that all classes share: leave it out, or say form = \"shared\"";
            return Err(BadSetting::new("learning", reason));
        }
        match (self.components, self.capacity) {
            (Some(0), _) => return Err(BadSetting::new("components", "must be 1 or more, not 0")),
            (Some(_), None) | (None, Some(Capacity::Bytes(_))) => {}
            (Some(_), Some(_)) => {
                let reason = "follows from components: say one of them";
                return Err(BadSetting::new("capacity", reason));
            }
            (None, Some(Capacity::Samples(_))) => {
                let reason = "must be { bytes = … }, since no sample is kept";
                return Err(BadSetting::new("capacity", reason));
            }
            (None, None) => {
                let reason = "or components must be said, as in { bytes = 45000 }";
                return Err(BadSetting::new("capacity", reason));
            }
        }
        match self.samples {
            Some(0) => Err(BadSetting::new("samples", "must be 1 or more, not 0")),
            _ => Ok(()),
        }
    }
}

impl Source for Generator {
    fn begin(&self, place: &SourcePlace) -> Result<Box<dyn SourceState>, ReplayError> {
        let found = match place.kept {
            Kept::Spikes => None,
            Kept::Currents => Some("input currents (LR index 0)"),
            Kept::Inputs { .. } => Some("raw inputs"),
        };
        if let Some(found) = found {
            return Err(ReplayError::NotForGenerators(found));
        }
        let shape = StoredShape::new(place.kept, self.codec.clone(), place.steps, place.units)?;
        let bits = usize::try_from(shape.bits()).unwrap_or(usize::MAX);
        let components = match (self.components, self.capacity) {
            (Some(components), _) => components,
            (None, Some(Capacity::Bytes(bytes))) => {
                self.form.components_within(bytes, bits, place.classes)?
            }
            // Refused by `check`.
            (None, _) => 1,
        };
        if let Some(samples) = self.samples {
            let all = samples.checked_mul(place.classes);
            check_draws(all, bits, place.classes)?;
        }
        let generator: Box<dyn SampleGenerator> = match self.form {
            Form::Separate => {
                let settings = SeparateSettings::new(components).with_fit(self.fit);
                Box::new(SeparateMixtures::new(bits, settings, place.seed)?)
            }
            Form::Shared => {
                let learning = match self.learning {
                    Some(ComponentsLearn::Naive) => SharedLearning::Naive,
                    Some(ComponentsLearn::Replay) | None => SharedLearning::Replay(MOST_DRAWN),
                };
                let settings = SharedSettings::new(components, learning).with_fit(self.fit);
                Box::new(SharedMixture::new(bits, settings, place.seed)?)
            }
        };
        Ok(Box::new(Drawing {
            drawn: BitSamples::new(bits)?,
            classes: Vec::new(),
            generator,
            shape,
            samples: self.samples,
        }))
    }

    fn keeps_logits(&self) -> bool {
        false
    }

    fn codec(&self) -> Option<&CodecSettings> {
        Some(&self.codec)
    }

    fn capacity(&self) -> Option<Capacity> {
        self.capacity
    }
}

/// Refuses so many draws of so many bits, of all classes together, that they can't be in memory at once.
fn check_draws(all: Option<usize>, bits: usize, classes: usize) -> Result<(), ceiling::TooLarge> {
    let bytes = all.and_then(|all| ceiling::product(&[all, bits.div_ceil(64), size_of::<u64>()]));
    ceiling::check(&format!("drawn samples of {classes} classes"), bytes)
}

/// A generator, and what was drawn of it for the task at hand, which is scratch: it goes when the task ends.
#[derive(Debug)]
struct Drawing {
    generator: Box<dyn SampleGenerator>,
    shape: StoredShape,
    samples: Option<usize>,
    drawn: BitSamples,
    classes: Vec<ClassId>,
}

impl Drawing {
    fn packed(&self, sample: &StageInput<'_>) -> Result<BitVec<u64, Lsb0>, ReplayError> {
        let (steps, units) = (self.shape.steps(), self.shape.units());
        match sample {
            StageInput::Spikes(raster) if (raster.steps(), raster.units()) == (steps, units) => {
                Ok(encode_spikes(self.shape.codec(), raster))
            }
            other => Err(ReplayError::WrongShape {
                found: format!(
                    "{} steps × {} units of something else",
                    other.steps(),
                    other.units()
                ),
                expected: self.shape.to_string(),
            }),
        }
    }

    fn forget_draws(&mut self) -> Result<(), ReplayError> {
        self.drawn = BitSamples::new(self.generator.bits())?;
        self.classes.clear();
        Ok(())
    }

    fn decoded(&self, index: usize) -> Result<StageInput<'static>, ReplayError> {
        let packed = PackedBits::of_words(self.drawn.words(index), 0, self.drawn.bits());
        Ok(Latent::Spikes(unpack_spikes(&self.shape, packed)?).into())
    }
}

impl SourceState for Drawing {
    fn task_ended(
        &mut self,
        learned: &LearnedSamples<'_>,
        _: &mut ChaCha8Rng,
    ) -> Result<(), ReplayError> {
        self.forget_draws()?;
        let mut by_class: BTreeMap<ClassId, BitSamples> = BTreeMap::new();
        for (place, &class) in learned.classes.iter().enumerate() {
            let packed = self.packed(&(learned.sample)(place)?)?;
            let samples = match by_class.remove(&class) {
                Some(samples) => samples,
                None => BitSamples::new(self.generator.bits())?,
            };
            by_class.entry(class).or_insert(samples).push(&packed)?;
        }
        let given: Vec<_> = by_class
            .iter()
            .map(|(class, samples)| (*class, samples))
            .collect();
        self.generator.learn_together(&given)?;
        Ok(())
    }

    fn task_begins(&mut self, generator: &mut ChaCha8Rng) -> Result<(), ReplayError> {
        self.forget_draws()?;
        let concepts = self.generator.concepts().to_vec();
        let mut counts = Vec::with_capacity(concepts.len());
        for &concept in &concepts {
            let learned_from = usize::from(self.generator.learned_from(concept)?);
            counts.push(self.samples.unwrap_or(learned_from.min(MOST_REPLAYS)));
        }
        let all = counts
            .iter()
            .try_fold(0, |all: usize, &count| all.checked_add(count));
        check_draws(all, self.drawn.bits(), concepts.len())?;
        for (concept, count) in concepts.into_iter().zip(counts) {
            let drawn = self.generator.draw_many(concept, count, generator)?;
            self.drawn.extend(&drawn)?;
            self.classes.extend(std::iter::repeat_n(concept, count));
        }
        // A codec that can't read every pattern of bits is told now, not in the middle of an epoch.
        (0..self.classes.len()).try_for_each(|index| self.decoded(index).map(|_| ()))
    }

    fn replays<'a>(&'a self, _: &'a dyn SampleStore) -> Box<dyn Examples + 'a> {
        Box::new(Drawn(self))
    }

    /// No sample is held: what counts are parameters, classes and how many samples each was learned from.
    fn figures(&self) -> ReplayFigures {
        ReplayFigures {
            samples: 0,
            bytes: self.generator.bytes(),
            payload_bits: 8 * self.generator.parameters(),
            raw_input_bits: 0,
        }
    }

    fn save(&self) -> SavedState {
        SavedState {
            tensors: self.generator.tensors(),
            ..SavedState::default()
        }
    }

    fn restore(&mut self, saved: SavedState) -> Result<(), String> {
        let restored = self.generator.restore(&saved.tensors);
        restored.map_err(|error| error.to_string())?;
        self.forget_draws().map_err(|error| error.to_string())
    }
}

/// What was drawn for a task, decoded on the spot.
struct Drawn<'a>(&'a Drawing);

impl Examples for Drawn<'_> {
    fn len(&self) -> usize {
        self.0.classes.len()
    }

    fn steps(&self, _: usize) -> usize {
        self.0.shape.steps()
    }

    fn class(&self, index: usize) -> ClassId {
        self.0.classes[index]
    }

    fn input(&self, index: usize) -> Result<StageInput<'_>, TrainError> {
        let decoded = self.0.decoded(index);
        decoded.map_err(|error| TrainError::Replay(error.to_string()))
    }
}
