//! Neurons as specs name them.
//!
//! In: a table with the key `kind` (`cuba-lif` where there is none) and the settings of that neuron. Out: a
//! neuron with its surrogate.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::{Map, Value};

use super::erased::AnyNeuron;
use super::own_neurons::{NamedNeuron, OURS, build, known_neurons, register_neuron};
use super::spec::positive;
use super::{SpecError, Surrogate};
use crate::neuron::{AdLif, CubaLif, Learned, Lif, Reset};

/// The neurons of a layer. In a spec a table with the key `kind`, which is `cuba-lif` where there is none.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum NeuronSettings {
    /// `cuba-lif`.
    CubaLif(CubaLifSettings),
    /// `lif`.
    Lif(LifSettings),
    /// `adlif`.
    AdLif(AdLifSettings),
    /// One that is not among ours.
    Own(OwnNeuronSettings),
}

/// A [`NamedNeuron`], which must be [registered](super::register_neuron) where it is used.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnNeuronSettings {
    /// Its name.
    pub kind: String,
    /// What serde makes of it.
    pub settings: Map<String, Value>,
    /// Stands in for the derivative of the spike.
    pub surrogate: Surrogate,
}

/// A current-based leaky integrate-and-fire neuron: [`CubaLif`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CubaLifSettings {
    /// Time constant of the synaptic current in steps: α = exp(−1/tau).
    pub tau_syn_steps: f64,
    /// Time constant of the membrane potential in steps: β = exp(−1/tau).
    pub tau_mem_steps: f64,
    /// A membrane potential above this spikes.
    pub threshold: f32,
    /// Stands in for the derivative of the spike.
    pub surrogate: Surrogate,
    /// The time constant of the synaptic current is learned, between these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learn_tau_syn_steps: Option<LearnedRange>,
    /// The time constant of the membrane potential is learned, between these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learn_tau_mem_steps: Option<LearnedRange>,
    /// The threshold is learned, between these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learn_threshold: Option<LearnedRange>,
}

/// A leaky integrate-and-fire neuron without a synaptic current: [`Lif`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LifSettings {
    /// Time constant of the membrane potential in steps: β = exp(−1/tau).
    pub tau_mem_steps: f64,
    /// A membrane potential above this spikes.
    pub threshold: f32,
    /// What a spike does to the membrane.
    pub reset: ResetSettings,
    /// Stands in for the derivative of the spike.
    pub surrogate: Surrogate,
    /// The time constant is learned, between these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learn_tau_mem_steps: Option<LearnedRange>,
    /// The threshold is learned, between these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learn_threshold: Option<LearnedRange>,
}

/// What a spike does to the membrane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResetSettings {
    /// It is 0 afterwards; the reset is not differentiated.
    ToZero,
    /// The threshold is taken off, and errors go back through that.
    Subtract,
    /// The threshold is taken off; the reset is not differentiated.
    SubtractDetached,
}

/// An adaptive neuron: [`AdLif`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdLifSettings {
    /// The shortest and the longest time constant of the membrane potential in steps.
    pub tau_mem_steps: (f32, f32),
    /// The shortest and the longest time constant of the adaptation in steps.
    pub tau_adaptation_steps: (f32, f32),
    /// A membrane potential above this spikes.
    pub threshold: f32,
    /// What a and b are multiplied with.
    pub scale: f32,
    /// Whether time constants, a and b are learned.
    pub learned: bool,
    /// Stands in for the derivative of the spike.
    pub surrogate: Surrogate,
}

/// What a learned parameter is kept in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearnedRange {
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
    /// One for all units of the layer, instead of one for each.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
}

impl LearnedRange {
    fn learned(self, of: impl Fn(f64) -> f32) -> Learned {
        Learned {
            range: (of(self.min), of(self.max)),
            per_unit: !self.shared,
        }
    }
}

/// The factor by which a state decays in a step: exp(−1/tau).
pub(super) fn decay(tau_steps: f64) -> f32 {
    (-1.0 / tau_steps).exp() as f32
}

impl NeuronSettings {
    /// A current-based neuron of which nothing is learned.
    pub fn cuba_lif(
        tau_syn_steps: f64,
        tau_mem_steps: f64,
        threshold: f32,
        surrogate: Surrogate,
    ) -> Self {
        NeuronSettings::CubaLif(CubaLifSettings {
            tau_syn_steps,
            tau_mem_steps,
            threshold,
            surrogate,
            learn_tau_syn_steps: None,
            learn_tau_mem_steps: None,
            learn_threshold: None,
        })
    }

    /// A neuron of one's own, which is made known to this process.
    ///
    /// # Panics
    /// If its fields do not make an object with text as keys, as those of a plain struct do; and as
    /// [`register_neuron`](super::register_neuron).
    pub fn own<N: NamedNeuron>(neuron: &N, surrogate: Surrogate) -> Self {
        register_neuron::<N>();
        let Ok(Value::Object(settings)) = serde_json::to_value(neuron) else {
            panic!("{} is no plain struct", N::KIND);
        };
        NeuronSettings::Own(OwnNeuronSettings {
            kind: N::KIND.to_string(),
            settings,
            surrogate,
        })
    }

    /// What stands in for the derivative of the spike.
    pub fn surrogate(&self) -> Surrogate {
        match self {
            NeuronSettings::CubaLif(settings) => settings.surrogate,
            NeuronSettings::Lif(settings) => settings.surrogate,
            NeuronSettings::AdLif(settings) => settings.surrogate,
            NeuronSettings::Own(own) => own.surrogate,
        }
    }

    /// The same neuron on a grid whose steps are `factor` times as long: time constants in steps shrink.
    /// Those of neurons that are not ours stay as they are.
    pub fn in_longer_steps(mut self, factor: f64) -> Self {
        let shrink = |(one, other): (f32, f32)| {
            let shrink = |tau: f32| (f64::from(tau) / factor) as f32;
            (shrink(one), shrink(other))
        };
        let shrink_range = |range: Option<LearnedRange>| {
            range.map(|range| LearnedRange {
                min: range.min / factor,
                max: range.max / factor,
                ..range
            })
        };
        match &mut self {
            NeuronSettings::CubaLif(cuba) => {
                cuba.tau_syn_steps /= factor;
                cuba.tau_mem_steps /= factor;
                cuba.learn_tau_syn_steps = shrink_range(cuba.learn_tau_syn_steps);
                cuba.learn_tau_mem_steps = shrink_range(cuba.learn_tau_mem_steps);
            }
            NeuronSettings::Lif(lif) => {
                lif.tau_mem_steps /= factor;
                lif.learn_tau_mem_steps = shrink_range(lif.learn_tau_mem_steps);
            }
            NeuronSettings::AdLif(adlif) => {
                adlif.tau_mem_steps = shrink(adlif.tau_mem_steps);
                adlif.tau_adaptation_steps = shrink(adlif.tau_adaptation_steps);
            }
            NeuronSettings::Own(_) => {}
        }
        self
    }

    /// Checks every setting; `at` is where they stand in the spec.
    pub(super) fn check(&self, at: &str) -> Result<Arc<dyn AnyNeuron>, SpecError> {
        let named = |key: &str| format!("{at}.{key}");
        for (name, value) in self.surrogate().parameters() {
            positive(&named(&format!("surrogate.{name}")), f64::from(value))?;
        }
        let range = |key: &str, range: Option<LearnedRange>, value: f64| {
            let Some(range) = range else { return Ok(()) };
            positive(&named(&format!("{key}.min")), range.min)?;
            positive(&named(&format!("{key}.max")), range.max)?;
            match range.min <= value && value <= range.max {
                true => Ok(()),
                false => Err(SpecError::OutsideRange {
                    key: named(key),
                    value,
                    min: range.min,
                    max: range.max,
                }),
            }
        };
        Ok(match self {
            NeuronSettings::Own(own) => {
                let settings = Value::Object(own.settings.clone());
                let built = build(&own.kind, &settings).unwrap_or_else(|| Err(unknown(&own.kind)));
                built.map_err(|reason| SpecError::BadNeuron {
                    key: at.to_string(),
                    reason,
                })?
            }
            NeuronSettings::CubaLif(cuba) => {
                positive(&named("tau_syn_steps"), cuba.tau_syn_steps)?;
                positive(&named("tau_mem_steps"), cuba.tau_mem_steps)?;
                positive(&named("threshold"), f64::from(cuba.threshold))?;
                range(
                    "learn_tau_syn_steps",
                    cuba.learn_tau_syn_steps,
                    cuba.tau_syn_steps,
                )?;
                range(
                    "learn_tau_mem_steps",
                    cuba.learn_tau_mem_steps,
                    cuba.tau_mem_steps,
                )?;
                let threshold = f64::from(cuba.threshold);
                range("learn_threshold", cuba.learn_threshold, threshold)?;
                let learned = [
                    cuba.learn_tau_syn_steps.map(|range| range.learned(decay)),
                    cuba.learn_tau_mem_steps.map(|range| range.learned(decay)),
                    cuba.learn_threshold
                        .map(|range| range.learned(|at| at as f32)),
                ];
                Arc::new(CubaLif {
                    alpha: decay(cuba.tau_syn_steps),
                    beta: decay(cuba.tau_mem_steps),
                    threshold: cuba.threshold,
                    learned,
                })
            }
            NeuronSettings::Lif(lif) => {
                positive(&named("tau_mem_steps"), lif.tau_mem_steps)?;
                positive(&named("threshold"), f64::from(lif.threshold))?;
                range(
                    "learn_tau_mem_steps",
                    lif.learn_tau_mem_steps,
                    lif.tau_mem_steps,
                )?;
                range(
                    "learn_threshold",
                    lif.learn_threshold,
                    f64::from(lif.threshold),
                )?;
                Arc::new(Lif {
                    beta: decay(lif.tau_mem_steps),
                    threshold: lif.threshold,
                    reset: match lif.reset {
                        ResetSettings::ToZero => Reset::ToZero,
                        ResetSettings::Subtract => Reset::Subtract {
                            differentiated: true,
                        },
                        ResetSettings::SubtractDetached => Reset::Subtract {
                            differentiated: false,
                        },
                    },
                    learned: [
                        lif.learn_tau_mem_steps.map(|range| range.learned(decay)),
                        lif.learn_threshold
                            .map(|range| range.learned(|at| at as f32)),
                    ],
                })
            }
            NeuronSettings::AdLif(adlif) => {
                for (key, (shortest, longest)) in [
                    ("tau_mem_steps", adlif.tau_mem_steps),
                    ("tau_adaptation_steps", adlif.tau_adaptation_steps),
                ] {
                    positive(&named(key), f64::from(shortest))?;
                    positive(&named(key), f64::from(longest - shortest))?;
                }
                positive(&named("threshold"), f64::from(adlif.threshold))?;
                positive(&named("scale"), f64::from(adlif.scale))?;
                Arc::new(AdLif {
                    tau_membrane_steps: adlif.tau_mem_steps,
                    tau_adaptation_steps: adlif.tau_adaptation_steps,
                    threshold: adlif.threshold,
                    scale: adlif.scale,
                    learned: adlif.learned,
                })
            }
        })
    }
}

fn unknown(kind: &str) -> String {
    let known = known_neurons().into_iter().map(|(kind, _)| kind);
    let known = known.collect::<Vec<_>>().join(", ");
    format!("there is no neuron of the kind `{kind}`: use one of {known}")
}

/// The settings with the kind beside them.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Named<'a> {
    Lif(&'a LifSettings),
    #[serde(rename = "adlif")]
    AdLif(&'a AdLifSettings),
}

impl Serialize for NeuronSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            // As all versions have written it.
            NeuronSettings::CubaLif(settings) => settings.serialize(serializer),
            NeuronSettings::Lif(settings) => Named::Lif(settings).serialize(serializer),
            NeuronSettings::AdLif(settings) => Named::AdLif(settings).serialize(serializer),
            NeuronSettings::Own(own) => {
                let mut table = own.settings.clone();
                table.insert("kind".into(), own.kind.clone().into());
                let surrogate = serde_json::to_value(own.surrogate);
                table.insert("surrogate".into(), surrogate.map_err(ser::Error::custom)?);
                table.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for NeuronSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut table: Map<String, Value> = Map::deserialize(deserializer)?;
        let kind = match table.remove("kind") {
            None => "cuba-lif".to_string(),
            Some(Value::String(kind)) => kind,
            Some(other) => {
                return Err(de::Error::custom(format!(
                    "the kind of a neuron is a text, not {other}"
                )));
            }
        };
        if OURS.iter().all(|(ours, _)| *ours != kind) {
            let surrogate = table.remove("surrogate").unwrap_or_default();
            let Some(checked) = build(&kind, &Value::Object(table.clone())) else {
                return Err(de::Error::custom(unknown(&kind)));
            };
            checked.map_err(de::Error::custom)?;
            return Ok(NeuronSettings::Own(OwnNeuronSettings {
                kind,
                settings: table,
                surrogate: serde_json::from_value(surrogate).map_err(|error| {
                    de::Error::custom(format!("the neuron's surrogate: {error}"))
                })?,
            }));
        }
        let table = Value::Object(table);
        let read = match kind.as_str() {
            "cuba-lif" => serde_json::from_value(table).map(NeuronSettings::CubaLif),
            "lif" => serde_json::from_value(table).map(NeuronSettings::Lif),
            _ => serde_json::from_value(table).map(NeuronSettings::AdLif),
        };
        read.map_err(de::Error::custom)
    }
}
