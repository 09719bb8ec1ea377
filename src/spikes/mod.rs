//! Spikes in the three forms that the rest of the library works with.
//!
//! In: times and units of events ([`EventStream`]). Out: sparse counts on a time grid
//! ([`SpikeCounts`], what the network's input layer reads) and bit-packed rasters
//! ([`SpikeRaster`], what layers emit and what a replay memory keeps).
//!
//! ```
//! use respike::spikes::{EventStream, SpikeRaster, TimeGrid};
//!
//! let events = EventStream::new(vec![0.0, 0.1, 0.1], vec![3, 0, 0])?;
//! let grid = TimeGrid::new(100, 1.4)?;
//! let binned = grid.bin(&events, 4)?;
//! assert_eq!(binned.counts.total(), 3);
//! assert_eq!(SpikeRaster::from_counts(&binned.counts).count(), 2); // two events share a bin
//! # Ok::<(), respike::spikes::SpikeError>(())
//! ```

mod binning;
mod counts;
mod error;
mod events;
mod input_format;
mod raster;

pub use binning::{Binned, TimeGrid};
pub use counts::SpikeCounts;
pub use error::SpikeError;
pub use events::EventStream;
pub use input_format::InputFormat;
pub use raster::{ActiveUnits, SpikeRaster};

/// The most units or steps that a raster may have: indices are stored in 16 bits.
pub const MAX_EXTENT: usize = 1 << 16;
