//! A readout, forward and backward in time, whatever the readout.

use super::gather::{Rows, SpikesByStep};
use super::lanes::{Kernel, Lanes, Pass, Vector, load, passes, store};
use super::layer::{Of, SynapticInput};
use crate::readout::{Collect, Readout};
use crate::real::Fields;

/// Runs the readout over one sample.
pub(crate) struct ReadoutForward<'a> {
    /// What drives it: s·W of spikes, or currents.
    pub drive: SynapticInput<'a>,
    /// Steps of the drive up to its last event, for currents; later ones are not read.
    pub drive_steps: usize,
    pub steps: usize,
    /// What is collected of the trace, if anything is.
    pub collect: Option<Collect>,
    /// Logits go here, in whole vectors; 0 on entry.
    pub logits: &'a mut [f32],
    /// Under [`Collect::Max`], the steps after which the maxima stood (0 for the start), in whole
    /// vectors; 0 on entry.
    pub peaks: &'a mut [f32],
    /// Where the trace goes after each step, if it is wanted: steps × as many as `logits`.
    pub trace: Option<&'a mut [f32]>,
    /// Units that spiked, step after step, reused from call to call.
    pub active: &'a mut SpikesByStep,
}

impl<I: Readout> Kernel for Of<'_, I, ReadoutForward<'_>> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        if let SynapticInput::Spikes {
            words,
            words_per_step,
            ..
        } = self.work.drive
        {
            let words = &words[..self.work.steps * words_per_step];
            self.work.active.fill(words, words_per_step);
        }
        passes(lanes, self.work.logits.len() / L::F32_LANES, &mut self);
    }
}

impl<L: Lanes, I: Readout> Pass<L> for Of<'_, I, ReadoutForward<'_>> {
    #[inline(always)]
    fn pass<const N: usize>(&mut self, lanes: L, first: usize) {
        let (readout, this) = (self.model, &mut self.work);
        let zero = lanes.splat_f32s(0.0);
        let stride = this.logits.len();
        let mut states: [I::State<Vector<L>>; N] =
            std::array::from_fn(|_| Fields::from_fn(|_| Vector(lanes, zero)));
        let mut out = [zero; N];
        let (mut logits, mut peaks) = ([zero; N], [zero; N]);
        for step in 0..this.steps {
            let drive = match this.drive {
                SynapticInput::Spikes { weight, .. } => {
                    let rows = Rows {
                        weight,
                        stride,
                        rows: this.active.row(step),
                    };
                    rows.add_to(lanes, [zero; N], first)
                }
                SynapticInput::Currents(all) if step < this.drive_steps => {
                    load::<L, N>(&all[step * stride..], first)
                }
                SynapticInput::Currents(_) => [zero; N],
            };
            let now = lanes.splat_f32s((step + 1) as f32);
            for n in 0..N {
                let drive = Vector(lanes, drive[n]);
                out[n] = readout.step(&mut states[n], drive).1;
                match this.collect {
                    Some(Collect::Max) => {
                        let higher = lanes.greater_than_f32s(out[n], logits[n]);
                        logits[n] = lanes.select_f32s(higher, out[n], logits[n]);
                        peaks[n] = lanes.select_f32s(higher, now, peaks[n]);
                    }
                    Some(Collect::Sum) => logits[n] = lanes.add_f32s(logits[n], out[n]),
                    Some(Collect::Last) => logits[n] = out[n],
                    None => {}
                }
            }
            if let Some(trace) = &mut this.trace {
                store::<L, N>(&mut trace[step * stride..][..stride], first, out);
            }
        }
        store::<L, N>(this.logits, first, logits);
        store::<L, N>(this.peaks, first, peaks);
    }
}

/// Runs the readout's error back over one sample: δ = ∂L/∂(s·W) of each step.
pub(crate) struct ReadoutBackward<'a> {
    pub collect: Option<Collect>,
    /// ∂L/∂logits, in whole vectors.
    pub errors: &'a [f32],
    /// ∂L/∂trace of each step, in whole vectors, where it is not what `collect` makes of `errors`.
    pub of_steps: Option<&'a [f32]>,
    /// As [`ReadoutForward::peaks`].
    pub peaks: &'a [f32],
    /// Steps of the sample; under [`Collect::Max`] no peak may lie after `delta`'s last row.
    pub steps: usize,
    /// Steps × as many as `errors`, from the first step on.
    pub delta: &'a mut [f32],
}

impl<I: Readout> Kernel for Of<'_, I, ReadoutBackward<'_>> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        passes(lanes, self.work.errors.len() / L::F32_LANES, &mut self);
    }
}

impl<L: Lanes, I: Readout> Pass<L> for Of<'_, I, ReadoutBackward<'_>> {
    #[inline(always)]
    fn pass<const N: usize>(&mut self, lanes: L, first: usize) {
        let (readout, this) = (self.model, &mut self.work);
        let zero = lanes.splat_f32s(0.0);
        let errors = load::<L, N>(this.errors, first);
        let peaks = load::<L, N>(this.peaks, first);
        let mut states: [I::State<Vector<L>>; N] =
            std::array::from_fn(|_| Fields::from_fn(|_| Vector(lanes, zero)));
        let stride = this.errors.len();
        for (step, row) in this.delta.chunks_exact_mut(stride).enumerate().rev() {
            let now = lanes.splat_f32s((step + 1) as f32);
            let mut reaching = match this.of_steps {
                Some(of_steps) => load::<L, N>(&of_steps[step * stride..], first),
                None => errors,
            };
            let mut delta = [zero; N];
            for n in 0..N {
                reaching[n] = match this.collect {
                    _ if this.of_steps.is_some() => reaching[n],
                    Some(Collect::Max) => {
                        lanes.select_f32s(lanes.equal_f32s(peaks[n], now), errors[n], zero)
                    }
                    Some(Collect::Sum) => errors[n],
                    Some(Collect::Last) if step + 1 == this.steps => errors[n],
                    Some(Collect::Last) | None => zero,
                };
                let reaching = Vector(lanes, reaching[n]);
                delta[n] = readout.back(&mut states[n], reaching).1;
            }
            store::<L, N>(row, first, delta);
        }
    }
}
