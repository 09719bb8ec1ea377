use std::num::{NonZeroU16, NonZeroU32};

use serde::{Deserialize, Serialize};

use super::alone::{self, Form};
use super::{Head, HeadError, HeadPlace, HeadState};
use crate::closed_form::{self, ClosedForm, ClosedFormError, RandomExpansion};
use crate::random::MasterSeed;
use crate::registry::{BadSetting, Member};

/// Ridge regression on one-hot classes of counts of spikes in windows of time, or of random features that are made of
/// them ([`closed_form::Ridge`], [`RandomExpansion`]).
///
/// ```
/// use std::num::NonZeroU32;
///
/// use respike::head::{HeadSettings, Ridge};
///
/// let head: HeadSettings = "ridge:2000".parse()?;
/// let features = NonZeroU32::new(2000).expect("above 0");
/// assert_eq!(head, Ridge::default().with_expansion(features).into());
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Ridge {
    /// Windows of time that spikes are counted in ([`WindowCounts`](closed_form::WindowCounts)); 4 where nothing is
    /// said.
    pub windows: NonZeroU16,
    /// The penalty λ on squares of weights, above 0; [`Ridge::LAMBDA`] where nothing is said.
    pub lambda: f64,
    /// Random features that are made of the counts, by the run's seed; none where nothing is said: the counts are the
    /// features.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expansion: Option<NonZeroU32>,
}

impl Ridge {
    /// 100, which is little beside sums over hundreds of samples of squared counts, and enough to hold back directions
    /// that hardly any sample has. On recordings kept out of the digits' training file (one class, five classes and 79
    /// batches, two seeds), 10 and 100 are best with and without an expansion, and anything from 0.1 to 1000 is within 4
    /// points. An expansion leaves the scale of features as it is, so that it needs no other λ.
    pub const LAMBDA: f64 = 100.0;

    /// The same of spikes in so many windows.
    #[must_use]
    pub fn with_windows(mut self, windows: NonZeroU16) -> Self {
        self.windows = windows;
        self
    }

    /// The same with another penalty.
    #[must_use]
    pub fn with_lambda(mut self, lambda: f64) -> Self {
        self.lambda = lambda;
        self
    }

    /// The same on so many random features.
    #[must_use]
    pub fn with_expansion(mut self, features: NonZeroU32) -> Self {
        self.expansion = Some(features);
        self
    }
}

impl Default for Ridge {
    fn default() -> Self {
        Ridge {
            windows: alone::WINDOWS,
            lambda: Ridge::LAMBDA,
            expansion: None,
        }
    }
}

impl Member for Ridge {
    const KIND: &'static str = "ridge";
    const ABOUT: &'static str = "no training: ridge regression on spikes counted in windows, or on random features of these";
    const SHORT: Option<&'static str> = Some("expansion");

    fn check(&self) -> Result<(), BadSetting> {
        BadSetting::unless_positive("lambda", self.lambda)
    }
}

impl Form for Ridge {
    const HELPS: Option<&'static str> = Some("lambda");

    fn windows(&self) -> NonZeroU16 {
        self.windows
    }

    fn form(
        &self,
        classes: usize,
        features: usize,
        seed: MasterSeed,
    ) -> Result<Box<dyn ClosedForm>, ClosedFormError> {
        Ok(Box::new(match self.expansion {
            None => closed_form::Ridge::new(classes, features, self.lambda)?,
            Some(size) => {
                // More than can be counted is more than fits into memory, and refused as that.
                let size = usize::try_from(size.get()).unwrap_or(usize::MAX);
                let expansion = RandomExpansion::new(features, size, seed)?;
                closed_form::Ridge::expanded(classes, expansion, self.lambda)?
            }
        }))
    }
}

impl Head for Ridge {
    fn begin(&self, place: &HeadPlace<'_>) -> Result<Box<dyn HeadState>, HeadError> {
        alone::begin(self, place)
    }

    fn learns_alone(&self) -> bool {
        true
    }
}
