//! Closed forms in the place of a readout.
//!
//! In: what frozen layers make of samples, with their classes. Out: sums, and the classes of other samples. Nothing of the
//! network is trained.

use std::fmt::Debug;
use std::num::NonZeroU16;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{HeadError, HeadPlace, HeadState};
use crate::closed_form::{ClosedForm, ClosedFormError, WindowCounts};
use crate::ids::ClassId;
use crate::network::Stage;
use crate::random::MasterSeed;
use crate::registry::Member;
use crate::storage::SavedState;
use crate::train::Examples;

/// Windows of time that spikes are counted in where nothing is said: a spoken word has a beginning and an end, and four
/// windows tell more of that than features cost.
pub(super) const WINDOWS: NonZeroU16 = NonZeroU16::new(4).expect("above 0");

/// Samples whose features are in memory at once.
const SAMPLES_AT_ONCE: usize = 256;

/// Settings of a closed form.
pub(super) trait Form: Member + Clone {
    /// The setting that helps where features depend on each other too closely, if there is one.
    const HELPS: Option<&'static str> = None;

    /// Windows of time that spikes are counted in.
    fn windows(&self) -> NonZeroU16;

    /// The closed form, before it learned anything.
    fn form(
        &self,
        classes: usize,
        features: usize,
        seed: MasterSeed,
    ) -> Result<Box<dyn ClosedForm>, ClosedFormError>;
}

/// A head that is that closed form.
pub(super) fn begin<F: Form>(
    settings: &F,
    place: &HeadPlace<'_>,
) -> Result<Box<dyn HeadState>, HeadError> {
    if place.stage == Stage::Whole {
        return Err(HeadError::NeedsFrozenLayers(F::KIND));
    }
    let spec = place.network.spec();
    let windows = WindowCounts::new(settings.windows());
    let features = windows.features(place.stage.input_units(spec));
    let form = settings.form(spec.classes(), features, place.seed);
    Ok(Box::new(Alone {
        settings: settings.clone(),
        windows,
        seed: place.seed,
        form: form.map_err(of_head::<F>)?,
        has_learned: false,
    }))
}

#[derive(Debug)]
struct Alone<F> {
    settings: F,
    windows: WindowCounts,
    /// What random features are made of.
    seed: MasterSeed,
    form: Box<dyn ClosedForm>,
    /// Whether it has learned from any sample.
    has_learned: bool,
}

/// All that is kept besides sums.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    seed: MasterSeed,
}

impl<F: Form> Alone<F> {
    fn features(&self, examples: &dyn Examples, sample: usize) -> Result<Vec<f32>, HeadError> {
        let features = self.windows.of(&examples.input(sample)?);
        let (found, expected) = (features.len(), self.form.features());
        match found == expected {
            true => Ok(features),
            false => Err(of_head::<F>(ClosedFormError::WrongFeatures {
                found,
                expected,
            })),
        }
    }

    fn refit(&mut self) -> Result<(), HeadError> {
        self.has_learned = match self.form.refit() {
            Ok(()) => true,
            Err(ClosedFormError::NoSamples) => false,
            Err(error) => return Err(of_head::<F>(error)),
        };
        Ok(())
    }
}

impl<F: Form> HeadState for Alone<F> {
    fn learn(&mut self, examples: &dyn Examples) -> Result<(), HeadError> {
        let all: Vec<usize> = (0..examples.len()).collect();
        for block in all.chunks(SAMPLES_AT_ONCE) {
            let features = block.par_iter();
            let features = features.map(|&sample| self.features(examples, sample));
            let features = features.collect::<Result<Vec<_>, _>>()?;
            // One after the other: sums of rounded numbers depend on their order.
            for (&sample, features) in block.iter().zip(&features) {
                let learned = self.form.learn(features, examples.class(sample));
                learned.map_err(of_head::<F>)?;
            }
        }
        self.refit()
    }

    fn classify(&self, examples: &dyn Examples) -> Result<Option<Vec<ClassId>>, HeadError> {
        // Before it has learned anything the network's readout knows more.
        if !self.has_learned {
            return Ok(None);
        }
        let classes = (0..examples.len()).into_par_iter().map(|sample| {
            let found = self.form.predict(&self.features(examples, sample)?);
            found.ok_or(HeadError::NoClass {
                head: F::KIND,
                sample,
            })
        });
        classes.collect::<Result<_, _>>().map(Some)
    }

    fn bytes(&self) -> u64 {
        self.form.bytes()
    }

    fn save(&self) -> SavedState {
        let note = SavedState::of(&Note { seed: self.seed });
        let tensors = self.form.tensors().into_iter();
        tensors.fold(note, |saved, (name, tensor)| saved.with(name, tensor))
    }

    fn restore(&mut self, saved: SavedState) -> Result<(), String> {
        // Sums are of features that this seed has made, whatever seed learning goes on with.
        let Note { seed } = saved.note_as()?;
        let (classes, features) = (self.form.classes(), self.form.features());
        let form = self.settings.form(classes, features, seed);
        let mut form = form.map_err(|error| error.to_string())?;
        form.restore(&saved.tensors)?;
        (self.form, self.seed) = (form, seed);
        self.refit().map_err(|error| error.to_string())
    }
}

fn of_head<F: Form>(error: ClosedFormError) -> HeadError {
    let head = F::KIND;
    match (error, F::HELPS) {
        (ClosedFormError::Singular { .. }, Some(setting)) => HeadError::Singular { head, setting },
        (source, _) => HeadError::ClosedForm { head, source },
    }
}
