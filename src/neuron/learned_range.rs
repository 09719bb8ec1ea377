use serde::{Deserialize, Serialize};

use super::Learned;
use crate::registry::BadSetting;

/// What a learned parameter is kept in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LearnedRange {
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
    /// One for all units of the layer, instead of one for each.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    /// It begins anywhere in the range, drawn evenly, whatever value is given for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drawn: bool,
}

impl LearnedRange {
    /// From the least to the most, each unit with a value of its own.
    pub fn new(min: f64, max: f64) -> Self {
        LearnedRange {
            min,
            max,
            shared: false,
            drawn: false,
        }
    }

    /// The same, beginning anywhere in the range.
    #[must_use]
    pub fn with_drawn(mut self) -> Self {
        self.drawn = true;
        self
    }

    /// The same with one value for all units of the layer.
    #[must_use]
    pub fn with_shared(mut self) -> Self {
        self.shared = true;
        self
    }

    /// Refuses a range, if there is one, in which `value` does not lie.
    pub(super) fn check(range: Option<Self>, key: &str, value: f64) -> Result<(), BadSetting> {
        let Some(Self { min, max, .. }) = range else {
            return Ok(());
        };
        BadSetting::unless_positive(&format!("{key}.min"), min)?;
        BadSetting::unless_positive(&format!("{key}.max"), max)?;
        match min <= value && value <= max {
            true => Ok(()),
            false => {
                let reason =
                    format!("is {min} to {max}, but the value that it begins with is {value}");
                Err(BadSetting::new(key, reason))
            }
        }
    }

    /// The same of what becomes of the value.
    pub(super) fn learned(self, of: impl Fn(f64) -> f32) -> Learned {
        Learned {
            range: (of(self.min), of(self.max)),
            per_unit: !self.shared,
            drawn: self.drawn,
        }
    }

    /// The same in units that are `factor` times as large.
    pub(super) fn divided(self, factor: f64) -> Self {
        LearnedRange {
            min: self.min / factor,
            max: self.max / factor,
            ..self
        }
    }
}
