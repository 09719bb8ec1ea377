//! Event-driven products: a binary or sparse vector times a matrix is a sum of matrix rows.

use super::lanes::{Kernel, Lanes, Pass, passes, store};
use crate::spikes::SpikeCounts;

/// Lists the set bits of `words` in rising order.
#[inline(always)]
pub(crate) fn list_active(words: &[u64], active: &mut Vec<u16>) {
    active.clear();
    push_active(words, active);
}

#[inline(always)]
fn push_active(words: &[u64], active: &mut Vec<u16>) {
    let before = active.len();
    let spikes: u32 = words.iter().map(|word| word.count_ones()).sum();
    active.resize(before + spikes as usize, 0);
    let mut slots = active[before..].iter_mut();
    for (index, &word) in words.iter().enumerate() {
        let mut rest = word;
        while rest != 0 {
            // There is a slot for each set bit.
            if let Some(slot) = slots.next() {
                *slot = (index * 64) as u16 + rest.trailing_zeros() as u16;
            }
            rest &= rest - 1;
        }
    }
}

/// The units that spiked, one list a step.
#[derive(Debug, Default)]
pub(crate) struct SpikesByStep {
    units: Vec<u16>,
    ends: Vec<usize>,
}

impl SpikesByStep {
    /// Lists the spikes of some steps, each a row of words.
    #[inline(always)]
    pub(crate) fn fill(&mut self, words: &[u64], words_per_step: usize) {
        self.units.clear();
        self.ends.clear();
        for row in words.chunks_exact(words_per_step) {
            push_active(row, &mut self.units);
            self.ends.push(self.units.len());
        }
    }

    pub(super) fn steps(&self) -> usize {
        self.ends.len()
    }

    /// The units of all steps, one step after the other.
    pub(super) fn all(&self) -> &[u16] {
        &self.units
    }

    #[inline(always)]
    pub(super) fn row(&self, step: usize) -> &[u16] {
        let start = step.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.units[start..self.ends[step]]
    }
}

/// Rows of a row-major matrix whose rows are whole vectors, to be summed.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub weight: &'a [f32],
    pub stride: usize,
    pub rows: &'a [u16],
}

impl<'a> Rows<'a> {
    /// `N` vectors of a row, from vector `first` on.
    #[inline(always)]
    fn load<L: Lanes, const N: usize>(self, row: u16, first: usize) -> &'a [L::f32s] {
        let start = usize::from(row) * self.stride + first * L::F32_LANES;
        L::as_simd_f32s(&self.weight[start..start + N * L::F32_LANES]).0
    }

    /// Adds `N` vectors of every row, from vector `first` on, in the rows' order.
    #[inline(always)]
    pub(super) fn add_to<L: Lanes, const N: usize>(
        self,
        lanes: L,
        mut sums: [L::f32s; N],
        first: usize,
    ) -> [L::f32s; N] {
        for &row in self.rows {
            let values = self.load::<L, N>(row, first);
            for n in 0..N {
                sums[n] = lanes.add_f32s(sums[n], values[n]);
            }
        }
        sums
    }

    /// The same with each row taken as often as its count says.
    #[inline(always)]
    fn add_counted_to<L: Lanes, const N: usize>(
        self,
        lanes: L,
        mut sums: [L::f32s; N],
        first: usize,
        counts: &[u16],
    ) -> [L::f32s; N] {
        for (&row, &count) in self.rows.iter().zip(counts) {
            let values = self.load::<L, N>(row, first);
            let count = lanes.splat_f32s(f32::from(count));
            for n in 0..N {
                // Rounded twice on every processor, so that spikes are the same on all.
                sums[n] = lanes.add_f32s(sums[n], lanes.mul_f32s(count, values[n]));
            }
        }
        sums
    }
}

/// The input currents of samples: `current[t, j] = Σ_i counts[t, i]·weight[i, j]`.
///
/// One slice of currents a sample: steps × `stride`. Steps after a sample's last event are left as
/// they were. Some columns are done for all samples before the next ones, so that the part of the
/// weights that is in use stays in the cache.
pub(crate) struct InputCurrents<'a, 'b> {
    pub samples: &'a [&'b SpikeCounts],
    pub weight: &'a [f32],
    /// Numbers of a row of weights, and of a step in `currents`; whole vectors.
    pub stride: usize,
    pub currents: &'a mut [f32],
    /// Numbers of a sample in `currents`.
    pub sample_stride: usize,
}

impl Kernel for InputCurrents<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        passes(lanes, self.stride / L::F32_LANES, &mut self);
    }
}

impl<L: Lanes> Pass<L> for InputCurrents<'_, '_> {
    #[inline(always)]
    fn pass<const N: usize>(&mut self, lanes: L, first: usize) {
        let targets = self.currents.chunks_exact_mut(self.sample_stride);
        for (counts, target) in self.samples.iter().zip(targets) {
            let steps = counts.steps_to_last();
            for (step, target) in target.chunks_exact_mut(self.stride).take(steps).enumerate() {
                let (rows, row_counts) = counts.row_slices(step);
                let rows = Rows {
                    weight: self.weight,
                    stride: self.stride,
                    rows,
                };
                let zero = [lanes.splat_f32s(0.0); N];
                let sums = rows.add_counted_to(lanes, zero, first, row_counts);
                store::<L, N>(target, first, sums);
            }
        }
    }
}
