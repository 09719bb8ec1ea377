//! The replay memory: latents compressed in time, packed as bits, kept within a budget.
//!
//! In: latents (or raw inputs) of training samples with their classes. Out: the same, decoded, as
//! [`Examples`](crate::train::Examples) to train on. A [`Codec`] says how a sample is kept, a
//! [`Policy`] says which, a [`Capacity`] how many; none knows the others.
//!
//! ```
//! use respike::ids::{TimeStep, Unit};
//! use respike::replay::{CodecSettings, decode_spikes, encode_spikes};
//! use respike::spikes::SpikeRaster;
//!
//! let mut latent = SpikeRaster::new(100, 50)?;
//! latent.set(TimeStep(13), Unit(7));
//! let codec = CodecSettings::or(10)?;
//! let packed = encode_spikes(&codec, &latent);
//! assert_eq!(packed.len(), 500); // bits: 50 units, 10 windows
//! let replay = decode_spikes(&codec, 100, 50, &packed)?;
//! assert!(replay.get(TimeStep(10), Unit(7))); // the first step of its window
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bits;
mod capacity;
mod codec;
mod error;
mod logits;
mod memory;
mod policy;
mod saved;
mod shape;
mod source;
mod windows;

pub use bits::PackedBits;
pub use capacity::{Capacity, parse_bytes};
pub use codec::{
    Codec, CodecSettings, Counts, Or, Raw, Window, decode_counts, decode_currents, decode_spikes,
    decode_spikes_into, encode_counts, encode_currents, encode_spikes, through_codec,
};
pub use error::ReplayError;
pub use memory::ReplayMemory;
pub use policy::{
    Admission, ClassBalanced, Herding, NoFeatures, Offer, OfferFeatures, Places, Policy,
    PolicySettings, PolicyState, Replacement, Reservoir, Similarity, Uniform,
};
pub use shape::{Kept, StoredShape};
pub use source::{
    ComponentsLearn, Everything, Generator, LearnedSamples, MakeLogits, MakeSample, Memory,
    ReplayFigures, SampleStore, Source, SourcePlace, SourceSettings, SourceState,
};
pub use windows::{window_counts, windows_with_spikes};
