//! The leaky readout that does not spike, forward and backward in time.

use super::gather::{ActiveLists, Rows};
use super::lanes::{Kernel, Lanes, Pass, flush, load, passes, store};

/// Decay factors per step of the readout.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LeakyConstants {
    /// Decay of the filtered input, α.
    pub alpha: f32,
    /// Decay of the output, β.
    pub beta: f32,
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

/// Runs the readout over one sample: out ← β·out + flt, then flt ← α·flt + s·W.
pub(crate) struct ReadoutForward<'a> {
    /// Spikes of the last layer: steps × words.
    pub words: &'a [u64],
    pub words_per_step: usize,
    pub steps: usize,
    /// Rows as long as `logits`.
    pub weight: &'a [f32],
    pub constants: LeakyConstants,
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

impl Kernel for ReadoutForward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        let words = &self.words[..self.steps * self.words_per_step];
        self.active.fill(words, self.words_per_step);
        passes(lanes, self.logits.len() / L::F32_LANES, &mut self);
    }
}

impl<L: Lanes> Pass<L> for ReadoutForward<'_> {
    #[inline(always)]
    fn pass<const N: usize>(&mut self, lanes: L, first: usize) {
        let zero = lanes.splat_f32s(0.0);
        let alpha = lanes.splat_f32s(self.constants.alpha);
        let beta = lanes.splat_f32s(self.constants.beta);
        let (mut out, mut filtered) = ([zero; N], [zero; N]);
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
                out[n] = flush(
                    lanes,
                    lanes.add_f32s(lanes.mul_f32s(beta, out[n]), filtered[n]),
                );
                let kept = lanes.mul_f32s(alpha, filtered[n]);
                filtered[n] = flush(lanes, lanes.add_f32s(kept, drive[n]));
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
pub(crate) struct ReadoutBackward<'a> {
    pub constants: LeakyConstants,
    pub collect: Collect,
    /// ∂L/∂logits, in whole vectors.
    pub errors: &'a [f32],
    /// As [`ReadoutForward::peaks`].
    pub peaks: &'a [f32],
    /// Steps of the sample; under [`Collect::Max`] no peak may lie after `delta`'s last row.
    pub steps: usize,
    /// Steps × as many as `errors`, from the first step on.
    pub delta: &'a mut [f32],
}

impl Kernel for ReadoutBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        passes(lanes, self.errors.len() / L::F32_LANES, &mut self);
    }
}

impl<L: Lanes> Pass<L> for ReadoutBackward<'_> {
    #[inline(always)]
    fn pass<const N: usize>(&mut self, lanes: L, first: usize) {
        let zero = lanes.splat_f32s(0.0);
        let alpha = lanes.splat_f32s(self.constants.alpha);
        let beta = lanes.splat_f32s(self.constants.beta);
        let errors = load::<L, N>(self.errors, first);
        let peaks = load::<L, N>(self.peaks, first);
        // Errors of out and flt of the step after the one at hand.
        let (mut error_out, mut error_filtered) = ([zero; N], [zero; N]);
        let rows = self.delta.chunks_exact_mut(self.errors.len());
        for (step, row) in rows.enumerate().rev() {
            store::<L, N>(row, first, error_filtered);
            let now = lanes.splat_f32s((step + 1) as f32);
            for n in 0..N {
                let reaches = match self.collect {
                    Collect::Max => {
                        lanes.select_f32s(lanes.equal_f32s(peaks[n], now), errors[n], zero)
                    }
                    Collect::Sum => errors[n],
                    Collect::Last if step + 1 == self.steps => errors[n],
                    Collect::Last => zero,
                };
                let kept = lanes.mul_f32s(beta, error_out[n]);
                error_out[n] = flush(lanes, lanes.add_f32s(kept, reaches));
                let kept = lanes.mul_f32s(alpha, error_filtered[n]);
                error_filtered[n] = flush(lanes, lanes.add_f32s(kept, error_out[n]));
            }
        }
    }
}
