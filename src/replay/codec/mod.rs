//! Codecs: a sample to bits and back. One file a codec.
//!
//! In: spikes, input currents or raw counts, steps × units. Out: exactly as many bits as
//! [`StoredShape::bits`](super::StoredShape::bits) promises.
//!
//! | text | what it keeps |
//! |---|---|
//! | `raw` | [`Raw`]: everything |
//! | `or:W` | [`Or`]: whether there is any spike in each window of W steps |
//! | `counts:W` | [`Counts`]: how many spikes there are in each window of W steps |

mod counts;
mod or;
mod raw;
mod window;

pub use counts::Counts;
pub use or::Or;
pub use raw::Raw;
pub use window::Window;

use std::fmt::Debug;

use bitvec::prelude::{BitSlice, BitVec, Lsb0};
use ndarray::{Array2, ArrayView2};

use super::bits::{PackedBits, aligned, low_bits, overwrite, written};
use super::{Kept, ReplayError, StoredShape};
use crate::ids::TimeStep;
use crate::network::Latent;
use crate::registry::Chosen;
use crate::spikes::{SpikeCounts, SpikeRaster};

/// A codec of any kind, as settings name it: `raw`, `or:10`, `{ kind = "…", … }`.
pub type CodecSettings = Chosen<dyn Codec>;

/// How a sample is compressed in time. The last window may be shorter than the others.
///
/// Input currents (LR index 0) are kept as sums of windows, 32 bits each, by any codec; spikes as the codec has it.
pub trait Codec: Debug + Send + Sync + 'static {
    /// How many steps become one, 1 where nothing is lost in time.
    fn window_steps(&self) -> usize;

    /// Bits that a raster of `steps` × `units` takes, exactly.
    fn bits(&self, steps: usize, units: usize) -> u64;

    /// Packs spikes into exactly that many bits.
    fn encode(&self, spikes: &SpikeRaster) -> BitVec<u64, Lsb0>;

    /// Unpacks what [`encode`](Codec::encode) packed into a raster of the same steps and units, which is silent unless this
    /// [fills](Codec::fills) it.
    ///
    /// # Errors
    /// If the bits can't have come from `encode`; there are as many as [`bits`](Codec::bits) says.
    fn decode(&self, packed: PackedBits<'_>, spikes: &mut SpikeRaster) -> Result<(), ReplayError>;

    /// Whether decoding sets every cell, so that what a raster held before does not matter; it is silent otherwise.
    fn fills(&self) -> bool {
        false
    }

    /// Whether raw inputs, which are counts, may be kept by it: whether it loses nothing.
    fn keeps_inputs(&self) -> bool {
        false
    }

    /// Whether decoding gives back what was encoded, spike by spike.
    fn is_lossless(&self) -> bool {
        self.keeps_inputs()
    }

    /// Where it stands in tables: by how much a window's value tells, then by the window.
    fn place(&self) -> (u8, usize) {
        (0, self.window_steps())
    }
}

impl CodecSettings {
    /// [`Raw`].
    pub fn raw() -> Self {
        Raw {}.into()
    }

    /// [`Or`] with a window of `steps`.
    ///
    /// # Errors
    /// [`ReplayError::BadWindow`].
    pub fn or(steps: usize) -> Result<Self, ReplayError> {
        let window_steps = Window::new(steps)?;
        Ok(Or { window_steps }.into())
    }

    /// [`Counts`] with a window of `steps`.
    ///
    /// # Errors
    /// [`ReplayError::BadWindow`].
    pub fn counts(steps: usize) -> Result<Self, ReplayError> {
        let window_steps = Window::new(steps)?;
        Ok(Counts { window_steps }.into())
    }
}

/// Packs spikes as a codec does.
pub fn encode_spikes(codec: &CodecSettings, spikes: &SpikeRaster) -> BitVec<u64, Lsb0> {
    codec.encode(spikes)
}

/// Unpacks what [`encode_spikes`] packed, to a raster of `steps` × `units`.
///
/// # Errors
/// [`ReplayError::WrongLength`] if the bits are not as many as codec and shape say.
pub fn decode_spikes(
    codec: &CodecSettings,
    steps: usize,
    units: usize,
    packed: &BitSlice<u64, Lsb0>,
) -> Result<SpikeRaster, ReplayError> {
    let shape = StoredShape::new(Kept::Spikes, codec.clone(), steps, units)?;
    unpack_spikes(&shape, PackedBits::of_aligned(&aligned(packed)))
}

/// [`decode_spikes`] into a raster that is there already; its steps and units say the shape, and
/// what it held is replaced.
///
/// # Errors
/// [`ReplayError::WrongLength`] as for [`decode_spikes`].
pub fn decode_spikes_into(
    codec: &CodecSettings,
    packed: &BitVec<u64, Lsb0>,
    spikes: &mut SpikeRaster,
) -> Result<(), ReplayError> {
    if !codec.fills() {
        spikes.words_mut().fill(0);
    }
    // No shape is made, which would be a copy of the codec's settings for every sample.
    unpack_into(codec, PackedBits::of_aligned(packed), spikes)
}

/// What a codec leaves of a latent.
///
/// # Errors
/// If it can't decode what it encoded.
pub fn through_codec(codec: &CodecSettings, latent: &Latent) -> Result<Latent, ReplayError> {
    Ok(match latent {
        Latent::Spikes(spikes) => {
            let mut left = SpikeRaster::silent(spikes.steps(), spikes.units());
            decode_spikes_into(codec, &encode_spikes(codec, spikes), &mut left)?;
            Latent::Spikes(left)
        }
        Latent::Currents(currents) => {
            let (steps, units) = currents.dim();
            let packed = encode_currents(codec, currents.view());
            Latent::Currents(decode_currents(codec, steps, units, &packed)?)
        }
    })
}

pub(super) fn unpack_spikes(
    shape: &StoredShape,
    packed: PackedBits<'_>,
) -> Result<SpikeRaster, ReplayError> {
    let mut spikes = SpikeRaster::silent(shape.steps(), shape.units());
    unpack_into(shape.codec(), packed, &mut spikes)?;
    Ok(spikes)
}

fn unpack_into(
    codec: &CodecSettings,
    packed: PackedBits<'_>,
    spikes: &mut SpikeRaster,
) -> Result<(), ReplayError> {
    let expected = codec.bits(spikes.steps(), spikes.units());
    match packed.len() as u64 == expected {
        true => codec.decode(packed, spikes),
        false => Err(ReplayError::WrongLength {
            found: packed.len(),
            expected,
        }),
    }
}

/// Packs input currents (LR index 0), steps × units, as 32-bit floats: each window's sum. A sum has no spikes to
/// count, so codecs with the same window do the same here.
pub fn encode_currents(codec: &CodecSettings, currents: ArrayView2<'_, f32>) -> BitVec<u64, Lsb0> {
    let windows = currents.axis_chunks_iter(ndarray::Axis(0), codec.window_steps());
    let bits = windows.len() * currents.ncols() * 32;
    written(bits, |mut writer| {
        for sum in windows.flat_map(|window| window.sum_axis(ndarray::Axis(0))) {
            writer.push(u64::from(sum.to_bits()), 32);
        }
        writer.finish();
    })
}

/// Unpacks what [`encode_currents`] packed; a window's sum stands at its first step.
///
/// # Errors
/// [`ReplayError::WrongLength`].
pub fn decode_currents(
    codec: &CodecSettings,
    steps: usize,
    units: usize,
    packed: &BitSlice<u64, Lsb0>,
) -> Result<Array2<f32>, ReplayError> {
    let shape = StoredShape::new(Kept::Currents, codec.clone(), steps, units)?;
    unpack_currents(&shape, PackedBits::of_aligned(&aligned(packed)))
}

pub(super) fn unpack_currents(
    shape: &StoredShape,
    packed: PackedBits<'_>,
) -> Result<Array2<f32>, ReplayError> {
    shape.check_bits(packed.len())?;
    let mut currents = Array2::zeros((shape.steps(), shape.units()));
    let windows = currents.axis_chunks_iter_mut(ndarray::Axis(0), shape.codec().window_steps());
    let mut at = 0;
    for mut window in windows {
        for current in window.row_mut(0) {
            *current = f32::from_bits(packed.read(at, 32) as u32);
            at += 32;
        }
    }
    Ok(currents)
}

/// Packs raw event counts without loss, `bits` for each cell.
///
/// # Errors
/// [`ReplayError::CountTooLarge`].
pub fn encode_counts(counts: &SpikeCounts, bits: u32) -> Result<BitVec<u64, Lsb0>, ReplayError> {
    let each = bits as usize;
    let mut words = vec![0; (counts.steps() * counts.units() * each).div_ceil(64)];
    for step in 0..counts.steps() {
        for (unit, count) in counts.row(TimeStep(step)) {
            if bits < 16 && count >> bits != 0 {
                return Err(ReplayError::CountTooLarge { count, bits });
            }
            let at = (step * counts.units() + unit.0) * each;
            overwrite(
                &mut words,
                at,
                PackedBits::of_words(&[u64::from(count)], 0, each),
            );
        }
    }
    let mut packed = BitVec::from_vec(words);
    packed.truncate(counts.steps() * counts.units() * each);
    Ok(packed)
}

/// Unpacks what [`encode_counts`] packed.
///
/// # Errors
/// [`ReplayError::WrongLength`].
pub fn decode_counts(
    bits: u32,
    steps: usize,
    units: usize,
    packed: &BitSlice<u64, Lsb0>,
) -> Result<SpikeCounts, ReplayError> {
    let shape = StoredShape::new(Kept::Inputs { bits }, CodecSettings::raw(), steps, units)?;
    unpack_inputs(&shape, bits, PackedBits::of_aligned(&aligned(packed)))
}

pub(super) fn unpack_inputs(
    shape: &StoredShape,
    bits: u32,
    packed: PackedBits<'_>,
) -> Result<SpikeCounts, ReplayError> {
    shape.check_bits(packed.len())?;
    let (each, units) = (bits as usize, shape.units());
    let at_once = 64 / each;
    let mut counts = SpikeCounts::with_units(units);
    for step in 0..shape.steps() {
        for first in (0..units).step_by(at_once) {
            let cells = (units - first).min(at_once);
            let mut rest = packed.read((step * units + first) * each, cells * each);
            while rest != 0 {
                let cell = rest.trailing_zeros() as usize / each;
                let count = rest >> (cell * each) & low_bits(each);
                counts.push((first + cell) as u16, count as u16);
                rest &= !(low_bits(each) << (cell * each));
            }
        }
        counts.end_step();
    }
    Ok(counts)
}
