//! Codecs: a sample to bits and back.
//!
//! In: spikes, input currents or raw counts, steps × units. Out: exactly as many bits as
//! [`StoredShape::bits`](super::StoredShape::bits) promises.

use std::fmt;
use std::str::FromStr;

use bitvec::field::BitField;
use bitvec::prelude::{BitSlice, BitVec, Lsb0};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::{Kept, ReplayError, StoredShape};
use crate::ids::{TimeStep, Unit};
use crate::spikes::{MAX_EXTENT, SpikeCounts, SpikeRaster};

/// How a sample is compressed in time. The last window may be shorter than the others.
///
/// Written `raw`, `or:W` or `counts:W` on the command line and in records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
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

/// Whether each window has any spike: windows × units.
pub fn windows_with_spikes(spikes: &SpikeRaster, window: Window) -> SpikeRaster {
    let words = spikes.words_per_step();
    let mut any = SpikeRaster::silent(spikes.steps().div_ceil(window.0), spikes.units());
    let targets = any.words_mut().chunks_exact_mut(words);
    for (target, source) in targets.zip(spikes.words().chunks(words * window.0)) {
        for row in source.chunks_exact(words) {
            for (to, from) in target.iter_mut().zip(row) {
                *to |= from;
            }
        }
    }
    any
}

/// The number of spikes of each unit in each window: windows × units.
pub fn window_counts(spikes: &SpikeRaster, window: Window) -> Array2<u32> {
    let windows = spikes.steps().div_ceil(window.0);
    let mut counts = Array2::zeros((windows, spikes.units()));
    for step in 0..spikes.steps() {
        let mut row = counts.row_mut(step / window.0);
        for unit in spikes.active(TimeStep(step)) {
            row[unit.0] += 1;
        }
    }
    counts
}

/// Packs spikes: `codec.bits_per_window()` bits for each window and unit, window after window.
pub fn encode_spikes(codec: Codec, spikes: &SpikeRaster) -> BitVec<u64, Lsb0> {
    match codec {
        Codec::Raw => packed_rows(spikes),
        Codec::Or(window) => packed_rows(&windows_with_spikes(spikes, window)),
        Codec::Counts(window) => {
            let counts = window_counts(spikes, window);
            let each = window.count_bits();
            let mut packed = BitVec::repeat(false, counts.len() * each);
            for (bits, &count) in packed.chunks_exact_mut(each).zip(&counts) {
                if count > 0 {
                    bits.store_le(count);
                }
            }
            packed
        }
    }
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
    StoredShape::new(Kept::Spikes, codec, steps, units)?.check_bits(packed)?;
    let mut spikes = SpikeRaster::silent(steps, units);
    let width = codec.window_steps();
    match codec {
        Codec::Raw | Codec::Or(_) => {
            let words = spikes.words_per_step();
            let rows = spikes.words_mut().chunks_exact_mut(words).step_by(width);
            for (row, bits) in rows.zip(packed.chunks_exact(units)) {
                for (word, bits) in row.iter_mut().zip(bits.chunks(64)) {
                    *word = bits.load_le();
                }
            }
        }
        Codec::Counts(window) => {
            for (index, bits) in packed.chunks_exact(window.count_bits()).enumerate() {
                let count: usize = bits.load_le();
                let start = index / units * width;
                for step in (start..steps.min(start + width)).take(count) {
                    spikes.set(TimeStep(step), Unit(index % units));
                }
            }
        }
    }
    Ok(spikes)
}

fn packed_rows(spikes: &SpikeRaster) -> BitVec<u64, Lsb0> {
    let mut packed = BitVec::with_capacity(spikes.steps() * spikes.units());
    for step in 0..spikes.steps() {
        packed.extend_from_bitslice(spikes.row(TimeStep(step)));
    }
    packed
}

/// Packs input currents (LR index 0), steps × units, as 32-bit floats: each step's under
/// [`Codec::Raw`], else each window's sum.
///
/// A sum has no spikes to count, so [`Codec::Or`] and [`Codec::Counts`] do the same here.
pub fn encode_currents(codec: Codec, currents: ArrayView2<'_, f32>) -> BitVec<u64, Lsb0> {
    let windows = currents.axis_chunks_iter(ndarray::Axis(0), codec.window_steps());
    let mut packed = BitVec::repeat(false, windows.len() * currents.ncols() * 32);
    let sums = windows.flat_map(|window| window.sum_axis(ndarray::Axis(0)));
    for (slot, sum) in packed.chunks_exact_mut(32).zip(sums) {
        slot.store_le(sum.to_bits());
    }
    packed
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
    StoredShape::new(Kept::Currents, codec, steps, units)?.check_bits(packed)?;
    let mut currents = Array2::zeros((steps, units));
    for (index, bits) in packed.chunks_exact(32).enumerate() {
        let step = index / units * codec.window_steps();
        currents[[step, index % units]] = f32::from_bits(bits.load_le());
    }
    Ok(currents)
}

/// Packs raw event counts without loss, `bits` for each cell.
///
/// # Errors
/// [`ReplayError::CountTooLarge`].
pub fn encode_counts(counts: &SpikeCounts, bits: u32) -> Result<BitVec<u64, Lsb0>, ReplayError> {
    let each = bits as usize;
    let mut packed = BitVec::repeat(false, counts.steps() * counts.units() * each);
    for step in 0..counts.steps() {
        for (unit, count) in counts.row(TimeStep(step)) {
            if bits < 16 && count >> bits != 0 {
                return Err(ReplayError::CountTooLarge { count, bits });
            }
            let at = (step * counts.units() + unit.0) * each;
            packed[at..at + each].store_le(count);
        }
    }
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
    StoredShape::new(Kept::Inputs { bits }, Codec::Raw, steps, units)?.check_bits(packed)?;
    let cells = packed.chunks_exact(bits as usize);
    let dense = cells.map(BitField::load_le).collect();
    let dense = Array2::from_shape_vec((steps, units), dense).expect("checked: one cell each");
    Ok(SpikeCounts::from_dense(dense.view()).expect("extents were checked"))
}
