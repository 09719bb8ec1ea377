use std::path::PathBuf;

use thiserror::Error;

use crate::ceiling::TooLarge;
use crate::generator::GeneratorError;
use crate::network::NetworkError;

/// What can go wrong with codecs and replay memories.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// A window must hold at least a step.
    #[error("a window must be 1 to 65536 steps, not {0}")]
    BadWindow(usize),
    /// A size was not understood.
    #[error(
        "`{0}` is not a size: use a number of bytes, or one with kB, MB, GB, TB, KiB, MiB, GiB or TiB, as in 160kB"
    )]
    BadSize(String),
    /// A size that no machine has.
    #[error("`{0}` is too large: a size must be below 1000 TB")]
    SizeTooLarge(String),
    /// Not even one sample fits.
    #[error(
        "a budget of {budget} bytes is too small: one sample under this codec needs {needed} bytes, labels and header included"
    )]
    BudgetTooSmall {
        /// The budget.
        budget: u64,
        /// What one sample needs.
        needed: u64,
    },
    /// A memory for no samples.
    #[error("a replay memory must hold at least one sample")]
    NoSamples,
    /// No place is free.
    #[error("the replay memory holds {0} samples already, all that it may")]
    Full(usize),
    /// More than can be addressed.
    #[error("{samples} samples of {bits_each} bits are more than a memory can hold")]
    TooLarge {
        /// Samples.
        samples: usize,
        /// Bits of each.
        bits_each: u64,
    },
    /// More than may be used of the machine's memory.
    #[error(transparent)]
    Memory(#[from] TooLarge),
    /// Packed bits are not as long as the codec and shape say.
    #[error("{found} packed bits, but {expected} are needed")]
    WrongLength {
        /// How many there are.
        found: usize,
        /// How many are needed.
        expected: u64,
    },
    /// A sample does not have the shape that the memory keeps.
    #[error("the memory keeps {expected}, but was given {found}")]
    WrongShape {
        /// What was given.
        found: String,
        /// What the memory keeps.
        expected: String,
    },
    /// A count does not fit the bits that the memory has for it.
    #[error("a count of {count} does not fit the {bits} bits that the memory has for each")]
    CountTooLarge {
        /// The count.
        count: u16,
        /// Bits for each.
        bits: u32,
    },
    /// Raw inputs are kept as they are.
    #[error("raw inputs are kept with the codec raw, not {0}; time compression is for latents")]
    InputsAreRaw(String),
    /// A generator draws bits, and these stand for spikes.
    #[error(
        "a generator makes spikes of a hidden layer, and what would be replayed is {0}: give --replay-layer (lr_index) \
         1 or more"
    )]
    NotForGenerators(&'static str),
    /// A generator can't be made, or can't learn.
    #[error(transparent)]
    Generator(#[from] GeneratorError),
    /// A codec can't read what it should have packed.
    #[error("the packed bits are not of the codec {codec}: {reason}")]
    BadBits {
        /// The codec.
        codec: String,
        /// What is wrong with them.
        reason: String,
    },
    /// The network refused a sample.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A memory file could not be read or written.
    #[error("cannot {action} the replay memory {path}: {source}")]
    File {
        /// read or write.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not a replay memory, or is cut short.
    #[error("{path} is not a whole replay memory: {reason}")]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}
