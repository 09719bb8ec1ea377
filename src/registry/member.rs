use std::fmt::Debug;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::{Axis, Chosen, ScenarioExtra};
use crate::augment::Augmentation;
use crate::continual::{HoldsOut, Scenario};
use crate::head::Head;
use crate::neuron::{AnyNeuron, Neuron};
use crate::readout::{AnyReadout, Readout};
use crate::replay::{Codec, Policy, Source};
use crate::surrogate::{AnySurrogate, Surrogate};
use crate::train::{Objective, Regulariser, UpdateRule};

/// A type whose values are members of an axis. Its fields are its settings: what serde makes of them is what
/// stands beside `kind` in TOML, in records and in checkpoints.
pub trait Member: Debug + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its name, such as `fast-sigmoid`.
    const KIND: &'static str;
    /// What it is, in a line.
    const ABOUT: &'static str;

    /// The setting that may stand behind a colon where a member is named in a text, as in `or:10`.
    const SHORT: Option<&'static str> = None;

    /// A setting that no other member of the axis has: a table with it is this member's where no `kind` is said.
    const KNOWN_BY: Option<&'static str> = None;

    /// Refuses settings that make no sense.
    ///
    /// # Errors
    /// The first that is wrong.
    fn check(&self) -> Result<(), BadSetting> {
        Ok(())
    }

    /// The same on a grid whose steps are `factor` times as long: time constants in steps shrink.
    #[must_use]
    fn in_longer_steps(self, _factor: f64) -> Self {
        self
    }
}

/// A setting that makes no sense.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{key} {reason}")]
pub struct BadSetting {
    /// Which.
    pub key: String,
    /// What it must be, to be read after the key: `must be …, not …`.
    pub reason: String,
}

impl BadSetting {
    /// A setting that must be something else.
    pub fn new(key: impl Into<String>, reason: impl Into<String>) -> Self {
        let (key, reason) = (key.into(), reason.into());
        BadSetting { key, reason }
    }

    /// Refuses a number that is not finite and above 0.
    ///
    /// # Errors
    /// This.
    pub fn unless_positive(key: &str, value: impl Into<f64>) -> Result<(), Self> {
        let value = value.into();
        match value.is_finite() && value > 0.0 {
            true => Ok(()),
            false => Err(Self::new(
                key,
                format!("must be a finite number above 0, not {value}"),
            )),
        }
    }

    /// The same, of a member of that kind.
    #[must_use]
    pub fn of(self, kind: &str) -> Self {
        let key = format!("{} of {kind}", self.key);
        BadSetting { key, ..self }
    }

    /// The same in a table of that name.
    #[must_use]
    pub fn within(self, table: &str) -> Self {
        let key = format!("{table}.{}", self.key);
        BadSetting { key, ..self }
    }
}

/// A member that can be made a part of what runs.
pub trait Part<D: Axis + ?Sized>: Member {
    /// Makes it so.
    fn part(self) -> Arc<D>;

    /// What the axis wants to know of a member's type, if anything.
    fn extra() -> Option<D::Extra> {
        None
    }
}

impl<N: Member + Neuron> Part<dyn AnyNeuron> for N {
    fn part(self) -> Arc<dyn AnyNeuron> {
        Arc::new(self)
    }
}

impl<S: Member + Surrogate> Part<dyn AnySurrogate> for S {
    fn part(self) -> Arc<dyn AnySurrogate> {
        Arc::new(self)
    }
}

impl<R: Member + Readout> Part<dyn AnyReadout> for R {
    fn part(self) -> Arc<dyn AnyReadout> {
        Arc::new(self)
    }
}

impl<O: Member + Objective> Part<dyn Objective> for O {
    fn part(self) -> Arc<dyn Objective> {
        Arc::new(self)
    }
}

impl<R: Member + Regulariser> Part<dyn Regulariser> for R {
    fn part(self) -> Arc<dyn Regulariser> {
        Arc::new(self)
    }
}

impl<U: Member + UpdateRule> Part<dyn UpdateRule> for U {
    fn part(self) -> Arc<dyn UpdateRule> {
        Arc::new(self)
    }
}

impl<A: Member + Augmentation> Part<dyn Augmentation> for A {
    fn part(self) -> Arc<dyn Augmentation> {
        Arc::new(self)
    }
}

impl<C: Member + Codec> Part<dyn Codec> for C {
    fn part(self) -> Arc<dyn Codec> {
        Arc::new(self)
    }
}

impl<P: Member + Policy> Part<dyn Policy> for P {
    fn part(self) -> Arc<dyn Policy> {
        Arc::new(self)
    }
}

impl<S: Member + Source> Part<dyn Source> for S {
    fn part(self) -> Arc<dyn Source> {
        Arc::new(self)
    }
}

impl<H: Member + Head> Part<dyn Head> for H {
    fn part(self) -> Arc<dyn Head> {
        Arc::new(self)
    }
}

impl<S: Member + HoldsOut> Part<dyn Scenario> for S {
    fn part(self) -> Arc<dyn Scenario> {
        Arc::new(self)
    }

    fn extra() -> Option<ScenarioExtra> {
        Some(ScenarioExtra {
            holding_out: |names, asked| {
                let found = S::holding_out(names, asked)?.into_iter();
                Ok(found.map(Chosen::from).collect())
            },
            counts_base_classes: S::counts_base_classes(),
        })
    }
}
