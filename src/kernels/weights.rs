//! Weight gradients: for each input unit, the sum of δ over the steps in which it was active.

use super::gather::SpikesByStep;
use super::lanes::{Kernel, Lanes, Pass, passes};
use crate::spikes::SpikeCounts;

/// The steps in which each input unit was active, unit after unit: a sample turned around.
#[derive(Debug, Default)]
pub(crate) struct SpikesByUnit {
    /// Where each unit's steps begin; one more entry than there are units.
    starts: Vec<u32>,
    steps: Vec<u16>,
    /// How often, in each of those steps; empty if always once.
    counts: Vec<u16>,
}

impl SpikesByUnit {
    /// Turns event counts around, as far as step `reach`.
    pub(crate) fn of_counts(&mut self, counts: &SpikeCounts, reach: usize) {
        let reach = reach.min(counts.steps());
        let cells = counts.cells_before(reach);
        self.make_room(counts.units(), cells.0);
        self.counts.resize(self.steps.len(), 0);
        for step in 0..reach {
            let (units, row) = counts.row_slices(step);
            for (&unit, &count) in units.iter().zip(row) {
                let place = self.take_place(unit);
                self.steps[place] = step as u16;
                self.counts[place] = count;
            }
        }
        self.starts.pop();
    }

    /// Turns spikes around, as far as the lists go.
    pub(crate) fn of_spikes(&mut self, spikes: &SpikesByStep, units: usize) {
        self.make_room(units, spikes.all());
        self.counts.clear();
        for step in 0..spikes.steps() {
            for &unit in spikes.row(step) {
                let place = self.take_place(unit);
                self.steps[place] = step as u16;
            }
        }
        self.starts.pop();
    }

    /// Makes `starts` and room for the steps; for now `starts[u + 1]` is where unit u begins.
    fn make_room(&mut self, units: usize, cells: &[u16]) {
        self.starts.clear();
        self.starts.resize(units + 2, 0);
        for &unit in cells {
            self.starts[usize::from(unit) + 2] += 1;
        }
        let mut sum = 0;
        for start in &mut self.starts {
            sum += *start;
            *start = sum;
        }
        self.steps.resize(cells.len(), 0);
    }

    /// The next place of a unit. When all are taken, `starts[u]` is where unit u begins.
    #[inline(always)]
    fn take_place(&mut self, unit: u16) -> usize {
        let next = &mut self.starts[usize::from(unit) + 1];
        *next += 1;
        (*next - 1) as usize
    }
}

/// `gradient[i, :] += Σ_t x[t, i]·δ[t, :]` for one sample, over the steps that δ has.
pub(crate) struct WeightGradient<'a> {
    pub active: &'a SpikesByUnit,
    /// Steps × `stride`: all that the input is active in, or all but the last.
    pub delta: &'a [f32],
    pub stride: usize,
    /// Input units × `columns`.
    pub gradient: &'a mut [f32],
    pub columns: usize,
}

impl Kernel for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        passes(lanes, self.stride / L::F32_LANES, &mut self);
    }
}

impl WeightGradient<'_> {
    #[inline(always)]
    fn delta<L: Lanes, const N: usize>(&self, step: u16, first: usize) -> &[L::f32s] {
        let start = usize::from(step) * self.stride + first * L::F32_LANES;
        L::as_simd_f32s(&self.delta[start..start + N * L::F32_LANES]).0
    }
}

impl<L: Lanes> Pass<L> for WeightGradient<'_> {
    #[inline(always)]
    fn pass<const N: usize>(&mut self, lanes: L, first: usize) {
        let (start, columns) = (first * L::F32_LANES, self.columns);
        let width = (columns - start).min(N * L::F32_LANES);
        let reach = self.delta.len() / self.stride;
        let mut from = 0;
        for (unit, &end) in self.active.starts[1..].iter().enumerate() {
            let mut here = from as usize..end as usize;
            from = end;
            if here.is_empty() {
                continue;
            }
            // Steps rise, so only the last can lie past the end.
            if usize::from(self.active.steps[here.end - 1]) >= reach {
                here.end -= 1;
            }
            let mut sums = [lanes.splat_f32s(0.0); N];
            let steps = &self.active.steps[here.clone()];
            if self.active.counts.is_empty() {
                for &step in steps {
                    let delta = self.delta::<L, N>(step, first);
                    for n in 0..N {
                        sums[n] = lanes.add_f32s(sums[n], delta[n]);
                    }
                }
            } else {
                for (&step, &count) in steps.iter().zip(&self.active.counts[here]) {
                    let delta = self.delta::<L, N>(step, first);
                    let count = lanes.splat_f32s(f32::from(count));
                    for n in 0..N {
                        sums[n] = lanes.multiply_add(count, delta[n], sums[n]);
                    }
                }
            }
            let gradient = &mut self.gradient[unit * columns + start..][..width];
            let (whole, rest) = L::as_mut_simd_f32s(gradient);
            if whole.len() == N {
                for n in 0..N {
                    whole[n] = lanes.add_f32s(whole[n], sums[n]);
                }
            } else {
                // The row ends before its last vectors do.
                let full = whole.len();
                for (gradient, &sum) in whole.iter_mut().zip(&sums) {
                    *gradient = lanes.add_f32s(*gradient, sum);
                }
                let last: &[f32] = pulp::bytemuck::cast_slice(&sums[full..]);
                for (gradient, sum) in rest.iter_mut().zip(last) {
                    *gradient += sum;
                }
            }
        }
    }
}
