use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};

use super::alone::{self, Form};
use super::{Head, HeadError, HeadPlace, HeadState};
use crate::closed_form::{self, ClosedForm, ClosedFormError};
use crate::random::MasterSeed;
use crate::registry::Member;

/// A sample is of the class whose mean is nearest, in counts of spikes in windows of time
/// ([`closed_form::ClassMeans`]).
///
/// ```
/// use respike::head::{ClassMeans, HeadSettings};
///
/// let head: HeadSettings = "class-means:8".parse()?;
/// assert_eq!(head.get::<ClassMeans>().map(|head| head.windows.get()), Some(8));
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ClassMeans {
    /// Windows of time that spikes are counted in ([`closed_form::WindowCounts`]); 4 where nothing is said.
    pub windows: NonZeroU16,
}

impl ClassMeans {
    /// Of spikes in so many windows.
    pub fn new(windows: NonZeroU16) -> Self {
        ClassMeans { windows }
    }
}

impl Default for ClassMeans {
    fn default() -> Self {
        ClassMeans::new(alone::WINDOWS)
    }
}

impl Member for ClassMeans {
    const KIND: &'static str = "class-means";
    const ABOUT: &'static str =
        "no training: the class whose mean is nearest, of spikes counted in windows";
    const SHORT: Option<&'static str> = Some("windows");
}

impl Form for ClassMeans {
    fn windows(&self) -> NonZeroU16 {
        self.windows
    }

    fn form(
        &self,
        classes: usize,
        features: usize,
        _: MasterSeed,
    ) -> Result<Box<dyn ClosedForm>, ClosedFormError> {
        Ok(Box::new(closed_form::ClassMeans::new(classes, features)?))
    }
}

impl Head for ClassMeans {
    fn begin(&self, place: &HeadPlace<'_>) -> Result<Box<dyn HeadState>, HeadError> {
        alone::begin(self, place)
    }

    fn learns_alone(&self) -> bool {
        true
    }
}
