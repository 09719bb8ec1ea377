//! A LIF layer backward in time, for a block of samples.

use super::dense::Panels;
use super::flush;
use super::lanes::{Kernel, Lanes};
use super::lif::LifConstants;
use super::surrogate::{Surrogate, arctan, boxcar, exponential, fast_sigmoid};

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
                let states = States {
                    membrane: &self.membrane[row(rank)..][..stride],
                    error_spike: error,
                    error_membrane: &mut error_membrane[here.clone()],
                    error_synaptic: &mut error_synaptic[here],
                    delta: &mut self.delta[row(rank)..][..stride],
                };
                step_back(self.constants, self.surrogate, states);
            }
        }
    }
}

/// One sample in one step: on entry the errors of membrane and synaptic current are those of the
/// step after, on return those of this step.
struct States<'a> {
    membrane: &'a [f32],
    error_spike: &'a [f32],
    error_membrane: &'a mut [f32],
    error_synaptic: &'a mut [f32],
    delta: &'a mut [f32],
}

/// One step back of one sample, compiled once for each surrogate so that the choice is not made for
/// each neuron.
#[inline(always)]
fn step_back(constants: LifConstants, surrogate: Surrogate, states: States<'_>) {
    match surrogate {
        Surrogate::FastSigmoid { slope } => {
            units_back(constants, states, |x| fast_sigmoid(slope, x));
        }
        Surrogate::Boxcar { half_width } => {
            units_back(constants, states, |x| boxcar(half_width, x));
        }
        Surrogate::Arctan { slope } => units_back(constants, states, |x| arctan(slope, x)),
        Surrogate::Exponential { scale, slope } => {
            units_back(constants, states, |x| exponential(scale, slope, x));
        }
    }
}

/// The reset is not differentiated (Dequino et al. 2024; Zenke & Ganguli 2018 for the surrogate).
#[inline(always)]
fn units_back(constants: LifConstants, states: States<'_>, derivative: impl Fn(f32) -> f32) {
    let LifConstants {
        alpha,
        beta,
        threshold,
    } = constants;
    let errors = states.error_membrane.iter_mut().zip(states.error_synaptic);
    let given = states.membrane.iter().zip(states.error_spike);
    for (((&potential, &spike), (mem, syn)), delta) in given.zip(errors).zip(states.delta) {
        *delta = *syn;
        let above = potential - threshold;
        let kept = if above > 0.0 { 0.0 } else { *mem };
        *mem = flush(spike * derivative(above) + beta * kept);
        *syn = flush(alpha * *syn + kept);
    }
}
