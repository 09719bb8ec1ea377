//! Codecs: a sample to bits and back.
//!
//! In: spikes, input currents or raw counts, steps × units. Out: exactly as many bits as
//! [`StoredShape::bits`](super::StoredShape::bits) promises.

use std::fmt;
use std::str::FromStr;

use bitvec::prelude::{BitSlice, BitVec, Lsb0};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::bits::{Bits, aligned, low_bits, overwrite, written};
use super::windows::{pack_counts, pack_rows, pack_windows, unpack_counts, unpack_rows};
use super::{Kept, ReplayError, StoredShape};
use crate::ids::TimeStep;
use crate::spikes::{MAX_EXTENT, SpikeCounts, SpikeRaster};

/// How a sample is compressed in time. The last window may be shorter than the others.
///
/// Written `raw`, `or:W` or `counts:W` on the command line and in records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
#[non_exhaustive]
pub enum Codec {
    /// As it is.
    Raw,
    /// One bit for each window of that many steps: whether there is any spike in it. Decoding puts
    /// the spike at the window's first step (Dequino et al. 2024, section III-C).
    Or(Window),
    /// The number of spikes in each window, ⌈log2(W+1)⌉ bits. Decoding puts that many at the
    /// window's start, one a step (the reference code's second codec, there with floats).
    Counts(Window),
}

/// A number of steps, 1 or more, that are kept as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

impl Codec {
    /// [`Codec::Or`] with a window of `steps`.
    ///
    /// # Errors
    /// [`ReplayError::BadWindow`].
    pub fn or(steps: usize) -> Result<Self, ReplayError> {
        Window::new(steps).map(Codec::Or)
    }

    /// [`Codec::Counts`] with a window of `steps`.
    ///
    /// # Errors
    /// [`ReplayError::BadWindow`].
    pub fn counts(steps: usize) -> Result<Self, ReplayError> {
        Window::new(steps).map(Codec::Counts)
    }

    /// How many steps become one, 1 for [`Codec::Raw`].
    pub fn window_steps(self) -> usize {
        match self {
            Codec::Raw => 1,
            Codec::Or(window) | Codec::Counts(window) => window.0,
        }
    }

    /// Bits that a window of one spiking unit takes.
    pub fn bits_per_window(self) -> usize {
        match self {
            Codec::Raw | Codec::Or(_) => 1,
            Codec::Counts(window) => window.count_bits(),
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Codec::Raw => write!(f, "raw"),
            Codec::Or(window) => write!(f, "or:{}", window.0),
            Codec::Counts(window) => write!(f, "counts:{}", window.0),
        }
    }
}

impl FromStr for Codec {
    type Err = ReplayError;

    fn from_str(text: &str) -> Result<Self, ReplayError> {
        let bad = || ReplayError::BadCodec(text.to_string());
        let window = |steps: &str| Window::new(steps.parse().map_err(|_| bad())?);
        match text.split_once(':') {
            None if text == "raw" => Ok(Codec::Raw),
            Some(("or", steps)) => window(steps).map(Codec::Or),
            Some(("counts", steps)) => window(steps).map(Codec::Counts),
            _ => Err(bad()),
        }
    }
}

impl From<Codec> for String {
    fn from(codec: Codec) -> String {
        codec.to_string()
    }
}

impl TryFrom<String> for Codec {
    type Error = ReplayError;

    fn try_from(text: String) -> Result<Self, ReplayError> {
        text.parse()
    }
}

/// Packs spikes: `codec.bits_per_window()` bits for each window and unit, window after window. Under
/// [`Codec::Counts`] a window has the lowest bits of all its units first, then the next ones.
pub fn encode_spikes(codec: Codec, spikes: &SpikeRaster) -> BitVec<u64, Lsb0> {
    let windows = spikes.steps().div_ceil(codec.window_steps());
    let bits = windows * spikes.units() * codec.bits_per_window();
    written(bits, |writer| match codec {
        Codec::Raw => pack_rows(spikes, writer),
        Codec::Or(window) => pack_windows(spikes, window, writer),
        Codec::Counts(window) => pack_counts(spikes, window, writer),
    })
}

/// Unpacks what [`encode_spikes`] packed, to a raster of `steps` × `units`.
///
/// # Errors
/// [`ReplayError::WrongLength`] if the bits are not as many as codec and shape say.
pub fn decode_spikes(
    codec: Codec,
    steps: usize,
    units: usize,
    packed: &BitSlice<u64, Lsb0>,
) -> Result<SpikeRaster, ReplayError> {
    let shape = StoredShape::new(Kept::Spikes, codec, steps, units)?;
    unpack_spikes(shape, Bits::of_aligned(&aligned(packed)))
}

/// [`decode_spikes`] into a raster that is there already; its steps and units say the shape, and
/// what it held is replaced.
///
/// # Errors
/// [`ReplayError::WrongLength`] as for [`decode_spikes`].
pub fn decode_spikes_into(
    codec: Codec,
    packed: &BitVec<u64, Lsb0>,
    spikes: &mut SpikeRaster,
) -> Result<(), ReplayError> {
    let shape = StoredShape::new(Kept::Spikes, codec, spikes.steps(), spikes.units())?;
    unpack_into(shape, Bits::of_aligned(packed), spikes)
}

pub(super) fn unpack_spikes(
    shape: StoredShape,
    packed: Bits<'_>,
) -> Result<SpikeRaster, ReplayError> {
    let mut spikes = SpikeRaster::silent(shape.steps(), shape.units());
    unpack_into(shape, packed, &mut spikes)?;
    Ok(spikes)
}

fn unpack_into(
    shape: StoredShape,
    packed: Bits<'_>,
    spikes: &mut SpikeRaster,
) -> Result<(), ReplayError> {
    shape.check_bits(packed.len())?;
    match shape.codec() {
        Codec::Raw => unpack_rows(packed, 1, spikes),
        Codec::Or(window) => unpack_rows(packed, window.0, spikes),
        Codec::Counts(window) => unpack_counts(packed, window, spikes),
    }
    Ok(())
}

/// Packs input currents (LR index 0), steps × units, as 32-bit floats: each step's under
/// [`Codec::Raw`], else each window's sum.
///
/// A sum has no spikes to count, so [`Codec::Or`] and [`Codec::Counts`] do the same here.
pub fn encode_currents(codec: Codec, currents: ArrayView2<'_, f32>) -> BitVec<u64, Lsb0> {
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
    codec: Codec,
    steps: usize,
    units: usize,
    packed: &BitSlice<u64, Lsb0>,
) -> Result<Array2<f32>, ReplayError> {
    let shape = StoredShape::new(Kept::Currents, codec, steps, units)?;
    unpack_currents(shape, Bits::of_aligned(&aligned(packed)))
}

pub(super) fn unpack_currents(
    shape: StoredShape,
    packed: Bits<'_>,
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
            overwrite(&mut words, at, Bits::of_words(&[u64::from(count)], 0, each));
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
    let shape = StoredShape::new(Kept::Inputs { bits }, Codec::Raw, steps, units)?;
    unpack_inputs(shape, bits, Bits::of_aligned(&aligned(packed)))
}

pub(super) fn unpack_inputs(
    shape: StoredShape,
    bits: u32,
    packed: Bits<'_>,
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
