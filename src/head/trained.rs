use serde::{Deserialize, Serialize};

use super::{Head, HeadError, HeadPlace, HeadState};
use crate::registry::Member;

/// A readout that is trained with the rest, and otherwise left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trained {}

impl Member for Trained {
    const KIND: &'static str = "trained";
    const ABOUT: &'static str = "trained with the rest, and otherwise left alone";
}

impl Head for Trained {
    fn begin(&self, _: &HeadPlace<'_>) -> Result<Box<dyn HeadState>, HeadError> {
        Ok(Box::new(LeftAlone))
    }
}

#[derive(Debug)]
struct LeftAlone;

impl HeadState for LeftAlone {}
