use std::fmt;

use super::{CodecSettings, ReplayError};
use crate::spikes::MAX_EXTENT;

/// What is kept of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kept {
    /// Spikes of a hidden layer (LR index 1 and up).
    Spikes,
    /// The input current of the first layer (LR index 0).
    Currents,
    /// The raw input: event counts, this many bits for each step and channel.
    Inputs {
        /// 1 to 16.
        bits: u32,
    },
}

impl Kept {
    /// Raw inputs with as many bits a cell as counts up to `largest` need: ⌈log2(largest + 1)⌉, but at
    /// least 1.
    pub fn counts_up_to(largest: u16) -> Self {
        let bits = u16::BITS - largest.leading_zeros();
        Kept::Inputs { bits: bits.max(1) }
    }
}

/// What is kept, how, and of what extents: all that decides the size of a stored sample.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredShape {
    kept: Kept,
    codec: CodecSettings,
    steps: usize,
    units: usize,
    logits: usize,
    notes_tasks: bool,
}

/// Bytes of a sample's class.
const CLASS_BYTES: u64 = 2;
/// Bytes of the number of the task that brought a sample.
const TASK_BYTES: u64 = 2;
/// Bytes of the range of a sample's logits: its lower end and its width as 32-bit floats.
const RANGE_BYTES: u64 = 8;

impl StoredShape {
    /// A shape of `steps` × `units`, before compression.
    ///
    /// # Errors
    /// [`ReplayError::WrongShape`] for an extent of 0 or above 65536, or bits outside 1 to 16;
    /// [`ReplayError::InputsAreRaw`] for raw inputs under a codec that does not keep them
    pub fn new(
        kept: Kept,
        codec: CodecSettings,
        steps: usize,
        units: usize,
    ) -> Result<Self, ReplayError> {
        let shape = StoredShape {
            kept,
            codec,
            steps,
            units,
            logits: 0,
            notes_tasks: false,
        };
        let extents = 1..=MAX_EXTENT;
        let bits_fit = !matches!(kept, Kept::Inputs { bits } if !(1..=16).contains(&bits));
        if !extents.contains(&steps) || !extents.contains(&units) || !bits_fit {
            return Err(ReplayError::WrongShape {
                found: shape.to_string(),
                expected: "1 to 65536 steps and units, 1 to 16 bits".to_string(),
            });
        }
        if matches!(kept, Kept::Inputs { .. }) && !shape.codec.keeps_inputs() {
            return Err(ReplayError::InputsAreRaw(shape.codec.to_string()));
        }
        Ok(shape)
    }

    /// The same with the logits that the network gave a sample when it was kept, one a class, 8 bits each.
    #[must_use]
    pub fn with_logits(mut self, classes: usize) -> Self {
        self.logits = classes;
        self
    }

    /// Logits of a sample, none if they are not kept.
    pub fn logits(&self) -> usize {
        self.logits
    }

    /// The same with the number of the task that brought a sample, if `notes` is so.
    #[must_use]
    pub fn noting_tasks(mut self, notes: bool) -> Self {
        self.notes_tasks = notes;
        self
    }

    /// Whether the number of the task that brought a sample is kept with it.
    pub fn notes_tasks(&self) -> bool {
        self.notes_tasks
    }

    /// Bytes of a stored sample besides its payload: its class, and its logits and its task if they are kept.
    pub fn label_bytes(&self) -> u64 {
        let task = if self.notes_tasks { TASK_BYTES } else { 0 };
        let logits = match self.logits {
            0 => 0,
            classes => RANGE_BYTES + classes as u64,
        };
        CLASS_BYTES + task + logits
    }

    /// What is kept.
    pub fn kept(&self) -> Kept {
        self.kept
    }

    /// How it is kept.
    pub fn codec(&self) -> &CodecSettings {
        &self.codec
    }

    /// Steps of a sample before compression.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Units of a sample.
    pub fn units(&self) -> usize {
        self.units
    }

    /// Bits of one stored sample, exactly.
    pub fn bits(&self) -> u64 {
        let windows = self.steps.div_ceil(self.codec.window_steps()) as u64;
        match self.kept {
            Kept::Spikes => self.codec.bits(self.steps, self.units),
            Kept::Currents => windows * self.units as u64 * 32,
            Kept::Inputs { bits } => windows * self.units as u64 * u64::from(bits),
        }
    }

    pub(super) fn check_bits(&self, packed: usize) -> Result<(), ReplayError> {
        if packed as u64 != self.bits() {
            return Err(ReplayError::WrongLength {
                found: packed,
                expected: self.bits(),
            });
        }
        Ok(())
    }
}

impl fmt::Display for StoredShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = match self.kept {
            Kept::Spikes => "spikes".to_string(),
            Kept::Currents => "input currents".to_string(),
            Kept::Inputs { bits } => format!("raw inputs of {bits} bits"),
        };
        let (steps, units) = (self.steps, self.units);
        write!(f, "{kept}, {steps} steps × {units} units")
    }
}
