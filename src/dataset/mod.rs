//! Labelled recordings: as events in SHD-layout files, as counts in memory, and split for training.
//!
//! In: HDF5 files in the layout of the Spiking Heidelberg Digits (Cramer et al. 2020), or events
//! from anywhere else. Out: a [`Dataset`] binned for a network, and [`Split`]s of it that never
//! overlap.
//!
//! ```
//! use respike::dataset::{DatasetBuilder, LabelledEvents};
//! use respike::ids::{ClassId, SpeakerId};
//! use respike::spikes::{EventStream, TimeGrid};
//!
//! let names = vec!["yes".to_string(), "no".to_string()];
//! let mut builder = DatasetBuilder::new(TimeGrid::new(100, 1.4)?, 70, names)?;
//! builder.push(&LabelledEvents {
//!     events: EventStream::new(vec![0.25], vec![12])?,
//!     class: ClassId(1),
//!     speaker: SpeakerId(0),
//!     sound: None,
//! })?;
//! let dataset = builder.build()?;
//! assert_eq!(dataset.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod binned;
mod builder;
mod error;
#[cfg(feature = "fetch")]
pub mod fetch;
mod fingerprint;
#[cfg(feature = "shd")]
mod hdf5_file;
#[cfg(feature = "shd")]
mod merge;
#[cfg(feature = "hdf5")]
mod merged_files;
mod recording;
#[cfg(feature = "shd")]
mod shd_layout;
#[cfg(feature = "shd")]
mod shd_names;
#[cfg(feature = "shd")]
mod shd_read;
#[cfg(feature = "hdf5")]
mod shd_write;
mod split;

pub use binned::{BinningTarget, Dataset};
pub use builder::DatasetBuilder;
pub use error::DatasetError;
pub use fingerprint::{Fingerprint, RecordingSet, Recordings};
#[cfg(feature = "shd")]
pub use merge::{read_dataset, read_dataset_and_tests, read_dataset_for, read_dataset_with_events};
#[cfg(feature = "hdf5")]
pub use merged_files::{MergedFiles, PartRule};
pub use recording::{LabelledEvents, Sample};
#[cfg(feature = "shd")]
pub use shd_read::{NumberType, ShdFile};
#[cfg(feature = "hdf5")]
pub use shd_write::{ShdContents, SpeakerInfo, TimesType, write_shd};
pub use split::{Split, stratified_split, stratified_split_of};

pub use crate::ids::SoundPrint;
