use std::path::PathBuf;

use thiserror::Error;

use crate::storage::{Shown, is_machine_trouble};

/// What can be wrong with a sound.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum SoundError {
    /// There is no sample at all.
    #[error("there is no sample in it")]
    Empty,
    /// A sample is not a number.
    #[error("sample {sample} is {value}, but samples must be finite")]
    NotFinite {
        /// Which sample, the first being 0.
        sample: usize,
        /// What it is.
        value: f64,
    },
    /// A sampling rate that no recorder has.
    #[error("its sampling rate is {found_hz} Hz, but must be from 1000 to 768000 Hz")]
    BadRate {
        /// What it is.
        found_hz: u32,
    },
    /// Too short to be heard.
    #[error("it lasts {found_s:.6} s, but the ear needs {least_s} s")]
    TooShort {
        /// How long it is, in seconds.
        found_s: f64,
        /// How long it must be, in seconds.
        least_s: f64,
    },
    /// Too long to be one utterance.
    #[error("it lasts more than {most_s} s, so cut it into utterances first")]
    TooLong {
        /// How long it may be, in seconds.
        most_s: f64,
    },
    /// The mean of the channels is silent, but they are not.
    #[error("its {channels} channels cancel one another, so nothing is left in their mean")]
    Cancelled {
        /// How many there are.
        channels: usize,
    },
    /// Nothing to bring to a level.
    #[error("it is silent, so it cannot be brought to a level")]
    Silent,
    /// Samples that are so large that their squares can't be added.
    #[error(
        "its samples are so large that their power is no finite number, so it cannot be brought to a level; \
         are they floats, with full scale at ±1?"
    )]
    TooLoud,
}

impl EncodeError {
    /// Whether the machine is in trouble, and not a recording at fault.
    pub fn is_machine_trouble(&self) -> bool {
        match self {
            EncodeError::Unreadable { source, .. } => is_machine_trouble(source),
            EncodeError::Unwritable { .. } => true,
            _ => false,
        }
    }
}

/// What can go wrong between a recording and its spikes.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The file or folder could not be read at all.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not audio that is understood.
    #[error("{path} is not a WAV or FLAC file that can be read: {reason}")]
    NotAudio {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        reason: String,
    },
    /// The file ends before its header says so.
    #[error("{path} is cut off: its header promises {promised} samples, but it holds {found}")]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Samples of each channel that the header promises.
        promised: u64,
        /// Samples of each channel that are there.
        found: u64,
    },
    /// The file was read, but what is in it cannot be encoded.
    #[error("{path} cannot be encoded: {source}")]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with the sound.
        source: SoundError,
    },
    /// A constant of the model is out of its range.
    #[error("{name} is {value}, but must be {expected}")]
    BadSetting {
        /// The constant's name.
        name: &'static str,
        /// What it is.
        value: f64,
        /// Its range.
        expected: &'static str,
    },
    /// A rule for labels that cannot be followed.
    #[error("the label rule `{}` cannot be used: {}", Shown(rule), Shown(reason))]
    BadRule {
        /// The rule.
        rule: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A recording has no label, or one that cannot be used.
    #[error("{path} gets no label: {}", Shown(reason))]
    NoLabel {
        /// The recording.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A table of labels that cannot be used.
    #[error("the table of labels {path} cannot be used: {}", Shown(reason))]
    BadTable {
        /// The table.
        path: PathBuf,
        /// What is wrong with it, and on which line.
        reason: String,
    },
    /// Nothing to encode.
    #[error("there is no recording to encode: {}", Shown(reason))]
    NoRecordings {
        /// Where it was looked for.
        reason: String,
    },
    /// Recordings that can't be told apart, or too many of them.
    #[error("{}", Shown(reason))]
    BadRecordings {
        /// Which, and what to do.
        reason: String,
    },
    /// A file of work in progress could not be written.
    #[error("cannot write {path}: {reason}")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// What lies where work in progress is kept is something else.
    #[error(
        "{path} is not work in progress of `data encode`; move it away, or choose another --out"
    )]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
}
