use serde::{Deserialize, Serialize};

use crate::replay::ReplayError;
use crate::spikes::MAX_EXTENT;

/// A number of steps, 1 or more, that are kept as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "usize", try_from = "usize")]
pub struct Window(usize);

impl Window {
    /// A window of `steps` steps.
    ///
    /// # Errors
    /// [`ReplayError::BadWindow`] unless it is 1 to 65536 steps long.
    pub fn new(steps: usize) -> Result<Self, ReplayError> {
        if !(1..=MAX_EXTENT).contains(&steps) {
            return Err(ReplayError::BadWindow(steps));
        }
        Ok(Window(steps))
    }

    /// Its length in steps.
    pub fn steps(self) -> usize {
        self.0
    }

    /// Bits for a number of spikes of one unit in the window: ⌈log2(steps + 1)⌉.
    pub fn count_bits(self) -> usize {
        (usize::BITS - self.0.leading_zeros()) as usize
    }
}

impl From<Window> for usize {
    fn from(window: Window) -> usize {
        window.0
    }
}

impl TryFrom<usize> for Window {
    type Error = ReplayError;

    fn try_from(steps: usize) -> Result<Self, ReplayError> {
        Window::new(steps)
    }
}
