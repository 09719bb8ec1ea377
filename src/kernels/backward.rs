//! A LIF layer backward in time, for a block of samples.

use super::dense::Panels;
use super::lanes::{Kernel, Lanes, flush};
use super::lif::LifConstants;
use super::surrogate::{Surrogate, WithDerivative};

/// Turns δ of the layer above into δ of this layer.
///
/// Samples reach different numbers of steps: `reach` lists a place among the block's samples and
/// how many steps errors reach, the farthest first. All that belongs to a sample lies at its place
/// in `above`, `membrane` and `delta`.
pub(crate) struct LayerBackward<'a> {
    pub constants: LifConstants,
    pub surrogate: Surrogate,
    pub reach: &'a [(usize, usize)],
    pub steps: usize,
    /// δ of the layer above: samples × steps × `above_stride`.
    pub above: &'a [f32],
    pub above_stride: usize,
    /// Wᵀ from the layer above.
    pub feed: &'a Panels,
    /// Vᵀ of this layer, if it is recurrent.
    pub recurrent: Option<&'a Panels>,
    /// Membrane potentials: samples × steps × `stride`.
    pub membrane: &'a [f32],
    pub stride: usize,
    /// What adds to ∂L/∂s in every step, if anything does: samples × `stride`.
    pub every_step: Option<&'a [f32]>,
    /// δ of this layer, as far as each sample reaches: samples × steps × `stride`.
    pub delta: &'a mut [f32],
    /// Room for ∂L/∂s, ∂L/∂mem and ∂L/∂syn of one step, samples × `stride` each; the last two are
    /// 0 on entry.
    pub errors: [&'a mut [f32]; 3],
}

impl Kernel for LayerBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let stride = self.stride;
        let [error, error_membrane, error_synaptic] = self.errors;
        let last = self.reach.first().map_or(0, |first| first.1);
        let mut active = 0;
        for step in (0..last).rev() {
            let after = active;
            while active < self.reach.len() && self.reach[active].1 > step {
                active += 1;
            }
            let row = |rank: usize| (self.reach[rank].0 * self.steps + step) * stride;
            let error = &mut error[..active * stride];
            match self.every_step {
                Some(same) => {
                    for (error, (place, _)) in error.chunks_exact_mut(stride).zip(self.reach) {
                        error.copy_from_slice(&same[place * stride..][..stride]);
                    }
                }
                None => error.fill(0.0),
            }
            let above_row = |rank: usize| {
                &self.above[(self.reach[rank].0 * self.steps + step) * self.above_stride..]
            };
            self.feed
                .add_product(lanes, error, stride, active, above_row);
            if let Some(recurrent) = self.recurrent {
                let delta = &*self.delta;
                let after_row = |rank: usize| &delta[row(rank) + stride..];
                recurrent.add_product(lanes, error, stride, after, after_row);
            }
            for (rank, error) in error.chunks_exact(stride).enumerate() {
                let here = rank * stride..(rank + 1) * stride;
                let mut back = UnitsBack {
                    lanes,
                    constants: self.constants,
                    membrane: &self.membrane[row(rank)..][..stride],
                    error_spike: error,
                    error_membrane: &mut error_membrane[here.clone()],
                    error_synaptic: &mut error_synaptic[here],
                    delta: &mut self.delta[row(rank)..][..stride],
                };
                self.surrogate.with(lanes, &mut back);
            }
        }
    }
}

/// One sample in one step: on entry the errors of membrane and synaptic current are those of the
/// step after, on return those of this step. The reset is not differentiated (Dequino et al. 2024;
/// Zenke & Ganguli 2018 for the surrogate).
struct UnitsBack<'a, L> {
    lanes: L,
    constants: LifConstants,
    membrane: &'a [f32],
    error_spike: &'a [f32],
    error_membrane: &'a mut [f32],
    error_synaptic: &'a mut [f32],
    delta: &'a mut [f32],
}

impl<L: Lanes> WithDerivative<L> for UnitsBack<'_, L> {
    #[inline(always)]
    fn work(&mut self, derivative: impl Fn(L::f32s) -> L::f32s) {
        let lanes = self.lanes;
        let zero = lanes.splat_f32s(0.0);
        let alpha = lanes.splat_f32s(self.constants.alpha);
        let beta = lanes.splat_f32s(self.constants.beta);
        let threshold = lanes.splat_f32s(self.constants.threshold);
        let membrane = L::as_simd_f32s(self.membrane).0.iter();
        let given = membrane.zip(L::as_simd_f32s(self.error_spike).0);
        let (error_membrane, _) = L::as_mut_simd_f32s(self.error_membrane);
        let (error_synaptic, _) = L::as_mut_simd_f32s(self.error_synaptic);
        let (delta, _) = L::as_mut_simd_f32s(self.delta);
        let errors = error_membrane.iter_mut().zip(error_synaptic);
        for (((&potential, &spike), (mem, syn)), delta) in given.zip(errors).zip(delta) {
            *delta = *syn;
            let above = lanes.sub_f32s(potential, threshold);
            let fired = lanes.greater_than_f32s(above, zero);
            let kept = lanes.select_f32s(fired, zero, *mem);
            // Flushed before it is multiplied with the surrogate's tail, which falls with a square: of
            // two small factors the product would be subnormal most often.
            let through_spike = lanes.mul_f32s(flush(lanes, spike), derivative(above));
            let error = lanes.add_f32s(through_spike, lanes.mul_f32s(beta, kept));
            *mem = flush(lanes, error);
            *syn = flush(lanes, lanes.add_f32s(lanes.mul_f32s(alpha, *syn), kept));
        }
    }
}
