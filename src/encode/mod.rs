//! From sound to spikes: the inner ear of the Spiking Heidelberg Digits, one file a stage.
//!
//! In: recordings of speech. Out: the spikes of bushy cells along the basilar membrane, as in Cramer
//! et al. 2020 (*The Heidelberg Spiking Data Sets for the Systematic Evaluation of Spiking Neural
//! Networks*), whose program is LAUSCHER.
//!
//! ```text
//! WAV, FLAC ──audio──▶ sound ──resample──▶ 48 kHz ──level──▶ RMS 0.3 ──ramps──▶ faded ends
//!   ──basilar membrane──▶ motion, channels × steps (24 kHz) ──hair cell──▶ firing probability
//!   ──bushy cell──▶ events
//! ```
//!
//! Each stage can be used alone; [`InnerEar`] is all of them in turn. Around it, [`find_audio`] lists
//! recordings, a [`LabelRule`] says what is said in them, and [`encode_files`] encodes them all.

mod audio;
mod basilar_membrane;
mod bushy_cell;
mod corpus;
mod ear;
mod error;
mod files;
mod hair_cell;
mod journal;
mod label_table;
mod labels;
mod level;
mod name_pattern;
mod numbering;
mod ramps;
mod resample;
mod settings;
mod sound;
mod spectrum;
mod transfer;

pub use audio::{Recording, read_audio, read_audio_from};
pub use basilar_membrane::BasilarMembrane;
pub use bushy_cell::BushyCell;
pub use corpus::{Checked, EncodeProgress, check_files, encode_files};
pub use ear::{Heard, InnerEar};
pub use error::{EncodeError, SoundError};
pub use files::{AudioFile, find_audio};
pub use hair_cell::HairCell;
pub use label_table::LabelTable;
pub use labels::{LabelRule, LabelledFiles, Labels, label_files};
pub use level::{LevelShares, normalise_rms};
pub use name_pattern::NamePattern;
pub use numbering::Numbering;
pub use ramps::{Ramp, apply_ramps};
pub use resample::resample;
pub use settings::{
    BasilarMembraneConstants, BushyCellConstants, EarPreset, EarSettings, HairCellConstants,
};
pub use sound::{LONGEST_S, Sound};

/// Samples a second that the ear works at.
pub const EAR_RATE_HZ: u32 = 48_000;
/// Steps a second of the membrane, the hair cells and the bushy cells: half of [`EAR_RATE_HZ`], as
/// only the positive half of the spectrum is kept.
pub const STEPS_PER_S: f64 = 24_000.0;
/// Neighbouring channels that are computed side by side.
const LANES: usize = 16;
