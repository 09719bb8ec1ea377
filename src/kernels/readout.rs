//! The leaky readout that does not spike, forward and backward in time.

use super::gather::{ActiveLists, Rows};
use super::lanes::{Kernel, Lanes, Pass, Vector, load, passes, store};
use crate::real::Real;

/// How a readout sums up what drives it, from step to step.
pub(crate) trait Integrator: Copy + Send + Sync {
    /// Takes a step; gives the output after it.
    fn step<R: Real>(self, state: &mut [R; 2], drive: R) -> R;

    /// Takes a step back: `errors` are those of the state after the step, and then of that before it;
    /// `reaching` is ∂L/∂output of the step. Gives ∂L/∂drive.
    fn back<R: Real>(self, errors: &mut [R; 2], reaching: R) -> R;
}

/// out ← β·out + flt, then flt ← α·flt + drive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Filtered {
    /// Decay of the filtered input, α.
    pub alpha: f32,
    /// Decay of the output, β.
    pub beta: f32,
}

impl Integrator for Filtered {
    #[inline(always)]
    fn step<R: Real>(self, [out, filtered]: &mut [R; 2], drive: R) -> R {
        *out = (drive.constant(self.beta) * *out + *filtered).flush();
        *filtered = (drive.constant(self.alpha) * *filtered + drive).flush();
        *out
    }

    #[inline(always)]
    fn back<R: Real>(self, [out, filtered]: &mut [R; 2], reaching: R) -> R {
        // The drive of a step reaches the output of the next.
        let of_drive = *filtered;
        *out = (reaching.constant(self.beta) * *out + reaching).flush();
        *filtered = (reaching.constant(self.alpha) * *filtered + *out).flush();
        of_drive
    }
}

/// out ← d·out + (1 − d)·drive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Leaky {
    /// Decay of the output, d.
    pub decay: f32,
    /// 1 − d.
    pub gain: f32,
}

impl Integrator for Leaky {
    #[inline(always)]
    fn step<R: Real>(self, [out, _]: &mut [R; 2], drive: R) -> R {
        let driven = drive.constant(self.gain) * drive;
        *out = (drive.constant(self.decay) * *out + driven).flush();
        *out
    }

    #[inline(always)]
    fn back<R: Real>(self, [out, _]: &mut [R; 2], reaching: R) -> R {
        *out = (reaching.constant(self.decay) * *out + reaching).flush();
        reaching.constant(self.gain) * *out
    }
}

/// How the readout's trace becomes one number a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Collect {
    /// The first maximum, 0 at the start included.
    Max,
    /// The sum.
    Sum,
    /// The last value.
    Last,
}

/// Runs the readout over one sample, driven by s·W.
pub(crate) struct ReadoutForward<'a, I> {
    /// Spikes of the last layer: steps × words.
    pub words: &'a [u64],
    pub words_per_step: usize,
    pub steps: usize,
    /// Rows as long as `logits`.
    pub weight: &'a [f32],
    pub integrator: I,
    pub collect: Collect,
    /// Logits go here, in whole vectors; 0 on entry.
    pub logits: &'a mut [f32],
    /// Under [`Collect::Max`], the steps after which the maxima stood (0 for the start), in whole
    /// vectors; 0 on entry.
    pub peaks: &'a mut [f32],
    /// Where the output goes after each step, if it is wanted: steps × as many as `logits`.
    pub trace: Option<&'a mut [f32]>,
    /// Units that spiked, step after step, reused from call to call.
    pub active: &'a mut ActiveLists,
}

impl<I: Integrator> Kernel for ReadoutForward<'_, I> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        let words = &self.words[..self.steps * self.words_per_step];
        self.active.fill(words, self.words_per_step);
        passes(lanes, self.logits.len() / L::F32_LANES, &mut self);
    }
}

impl<L: Lanes, I: Integrator> Pass<L> for ReadoutForward<'_, I> {
    #[inline(always)]
    fn pass<const N: usize>(&mut self, lanes: L, first: usize) {
        let zero = lanes.splat_f32s(0.0);
        let mut states = [[Vector(lanes, zero); 2]; N];
        let mut out = [zero; N];
        let (mut logits, mut peaks) = ([zero; N], [zero; N]);
        for step in 0..self.steps {
            let rows = Rows {
                weight: self.weight,
                stride: self.logits.len(),
                rows: self.active.row(step),
            };
            let drive = rows.add_to(lanes, [zero; N], first);
            let now = lanes.splat_f32s((step + 1) as f32);
            for n in 0..N {
                let drive = Vector(lanes, drive[n]);
                out[n] = self.integrator.step(&mut states[n], drive).1;
                match self.collect {
                    Collect::Max => {
                        let higher = lanes.greater_than_f32s(out[n], logits[n]);
                        logits[n] = lanes.select_f32s(higher, out[n], logits[n]);
                        peaks[n] = lanes.select_f32s(higher, now, peaks[n]);
                    }
                    Collect::Sum => logits[n] = lanes.add_f32s(logits[n], out[n]),
                    Collect::Last => logits[n] = out[n],
                }
            }
            if let Some(trace) = &mut self.trace {
                let stride = self.logits.len();
                store::<L, N>(&mut trace[step * stride..][..stride], first, out);
            }
        }
        store::<L, N>(self.logits, first, logits);
        store::<L, N>(self.peaks, first, peaks);
    }
}

/// Runs the readout's error back over one sample: δ = ∂L/∂(s·W) of each step.
pub(crate) struct ReadoutBackward<'a, I> {
    pub integrator: I,
    pub collect: Collect,
    /// ∂L/∂logits, in whole vectors.
    pub errors: &'a [f32],
    /// ∂L/∂output of each step, in whole vectors, where it is not what `collect` makes of `errors`.
    pub of_steps: Option<&'a [f32]>,
    /// As [`ReadoutForward::peaks`].
    pub peaks: &'a [f32],
    /// Steps of the sample; under [`Collect::Max`] no peak may lie after `delta`'s last row.
    pub steps: usize,
    /// Steps × as many as `errors`, from the first step on.
    pub delta: &'a mut [f32],
}

impl<I: Integrator> Kernel for ReadoutBackward<'_, I> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        passes(lanes, self.errors.len() / L::F32_LANES, &mut self);
    }
}

impl<L: Lanes, I: Integrator> Pass<L> for ReadoutBackward<'_, I> {
    #[inline(always)]
    fn pass<const N: usize>(&mut self, lanes: L, first: usize) {
        let zero = lanes.splat_f32s(0.0);
        let errors = load::<L, N>(self.errors, first);
        let peaks = load::<L, N>(self.peaks, first);
        let mut states = [[Vector(lanes, zero); 2]; N];
        let stride = self.errors.len();
        for (step, row) in self.delta.chunks_exact_mut(stride).enumerate().rev() {
            let now = lanes.splat_f32s((step + 1) as f32);
            let mut reaching = match self.of_steps {
                Some(of_steps) => load::<L, N>(&of_steps[step * stride..], first),
                None => errors,
            };
            let mut delta = [zero; N];
            for n in 0..N {
                reaching[n] = match self.collect {
                    _ if self.of_steps.is_some() => reaching[n],
                    Collect::Max => {
                        lanes.select_f32s(lanes.equal_f32s(peaks[n], now), errors[n], zero)
                    }
                    Collect::Sum => errors[n],
                    Collect::Last if step + 1 == self.steps => errors[n],
                    Collect::Last => zero,
                };
                let reaching = Vector(lanes, reaching[n]);
                delta[n] = self.integrator.back(&mut states[n], reaching).1;
            }
            store::<L, N>(row, first, delta);
        }
    }
}
