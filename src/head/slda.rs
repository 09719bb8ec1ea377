use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};

use super::alone::{self, Form};
use super::{Head, HeadError, HeadPlace, HeadState};
use crate::closed_form::{ClosedForm, ClosedFormError, StreamingLda};
use crate::random::MasterSeed;
use crate::registry::{BadSetting, Member};

/// Streaming linear discriminant analysis of counts of spikes in windows of time: a mean for each class and one
/// covariance ([`StreamingLda`]).
///
/// ```
/// use respike::head::{HeadSettings, Slda};
///
/// let head: HeadSettings = "slda:0.1".parse()?;
/// assert_eq!(head, Slda::default().with_shrinkage(0.1).into());
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Slda {
    /// Windows of time that spikes are counted in ([`WindowCounts`](crate::closed_form::WindowCounts)); 4 where nothing
    /// is said.
    pub windows: NonZeroU16,
    /// The share of the covariance that is given up for equal variances, above 0 and at most 1; [`Slda::SHRINKAGE`]
    /// where nothing is said.
    pub shrinkage: f64,
}

impl Slda {
    /// 1e-3. On recordings kept out of the digits' training file (one class, five classes and 79 batches, two seeds),
    /// anything from that to 0.1 is within 2 points, with 1e-2 and 0.03 best by one; fewer samples want more of it.
    pub const SHRINKAGE: f64 = 1e-3;

    /// The same of spikes in so many windows.
    #[must_use]
    pub fn with_windows(mut self, windows: NonZeroU16) -> Self {
        self.windows = windows;
        self
    }

    /// The same with such a share of the covariance given up.
    #[must_use]
    pub fn with_shrinkage(mut self, shrinkage: f64) -> Self {
        self.shrinkage = shrinkage;
        self
    }
}

impl Default for Slda {
    fn default() -> Self {
        Slda {
            windows: alone::WINDOWS,
            shrinkage: Slda::SHRINKAGE,
        }
    }
}

impl Member for Slda {
    const KIND: &'static str = "slda";
    const ABOUT: &'static str =
        "no training: streaming linear discriminant analysis of spikes counted in windows";
    const SHORT: Option<&'static str> = Some("shrinkage");

    fn check(&self) -> Result<(), BadSetting> {
        match self.shrinkage > 0.0 && self.shrinkage <= 1.0 {
            true => Ok(()),
            false => Err(BadSetting::new(
                "shrinkage",
                format!("must lie above 0 and be at most 1, not {}", self.shrinkage),
            )),
        }
    }
}

impl Form for Slda {
    const HELPS: Option<&'static str> = Some("shrinkage");

    fn windows(&self) -> NonZeroU16 {
        self.windows
    }

    fn form(
        &self,
        classes: usize,
        features: usize,
        _: MasterSeed,
    ) -> Result<Box<dyn ClosedForm>, ClosedFormError> {
        let form = StreamingLda::new(classes, features, self.shrinkage)?;
        Ok(Box::new(form))
    }
}

impl Head for Slda {
    fn begin(&self, place: &HeadPlace<'_>) -> Result<Box<dyn HeadState>, HeadError> {
        alone::begin(self, place)
    }

    fn learns_alone(&self) -> bool {
        true
    }
}
