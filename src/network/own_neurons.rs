//! Neurons that are not among ours, by the name under which specs, checkpoints and the program know them.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::erased::AnyNeuron;
use crate::neuron::Neuron;

/// A neuron that specs can name. Its fields are its settings: what serde makes of them is what stands beside
/// `kind` and `surrogate` in TOML, in records and in checkpoints.
pub trait NamedNeuron: Neuron + Serialize + DeserializeOwned {
    /// Its name in specs, such as `quadratic`.
    const KIND: &'static str;
    /// What it is, in a line.
    const ABOUT: &'static str;

    /// Refuses settings that make no sense, in a sentence.
    ///
    /// # Errors
    /// What is wrong.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Makes a neuron of its settings.
type Build = fn(&Value) -> Result<Arc<dyn AnyNeuron>, String>;

/// A neuron that was made known.
struct Known {
    about: &'static str,
    of: TypeId,
    build: Build,
}

/// By name.
static KNOWN: RwLock<BTreeMap<&'static str, Known>> = RwLock::new(BTreeMap::new());

/// The neurons that are among ours.
pub(super) const OURS: [(&str, &str); 3] = [
    (
        "cuba-lif",
        "leaky integrate-and-fire with a synaptic current",
    ),
    ("lif", "leaky integrate-and-fire without one"),
    ("adlif", "adaptive leaky integrate-and-fire (SE-adLIF)"),
];

/// Makes a neuron of one's own known to this process: from now on specs may name it, from TOML files,
/// records and checkpoints too. A program does it first of all.
///
/// # Panics
/// If the name is that of one of ours, or of another type's.
pub fn register_neuron<N: NamedNeuron>() {
    let build: Build = |settings| {
        let neuron: N =
            serde_json::from_value(settings.clone()).map_err(|error| error.to_string())?;
        neuron.check()?;
        Ok(Arc::new(neuron))
    };
    let is_ours = OURS.iter().any(|(kind, _)| *kind == N::KIND);
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    let same = TypeId::of::<N>();
    let is_others = known.get(N::KIND).is_some_and(|known| known.of != same);
    assert!(
        !is_ours && !is_others,
        "there is a neuron `{}` already",
        N::KIND
    );
    let about = N::ABOUT;
    known.insert(
        N::KIND,
        Known {
            about,
            of: same,
            build,
        },
    );
}

/// Every neuron that specs can name, with what it is, ours first.
pub fn known_neurons() -> Vec<(&'static str, &'static str)> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    let own = known.iter().map(|(kind, known)| (*kind, known.about));
    OURS.into_iter().chain(own).collect()
}

/// A neuron of somebody's own from its settings; `None` if it is not known.
pub(super) fn build(kind: &str, settings: &Value) -> Option<Result<Arc<dyn AnyNeuron>, String>> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    Some((known.get(kind)?.build)(settings))
}
