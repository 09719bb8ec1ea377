//! The recurrence of a current-based LIF layer, forward in time.

use super::flush as flush_one;
use super::gather::{Rows, list_active};
use super::lanes::{Kernel, Lanes, Pass, flush, load, passes, store};

/// Decay factors per step and the firing threshold of a layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LifConstants {
    /// Decay of the synaptic current, α.
    pub alpha: f32,
    /// Decay of the membrane potential, β.
    pub beta: f32,
    /// A membrane above this spikes.
    pub threshold: f32,
}

impl LifConstants {
    /// The most that a unit of synaptic current can still raise the membrane by, if nothing else
    /// drives it: the largest of Σ_{j<k} β^(k−1−j)·α^j over the next `steps` steps k.
    fn rise(self, steps: usize) -> f64 {
        let (alpha, beta) = (f64::from(self.alpha), f64::from(self.beta));
        let (mut synaptic, mut membrane, mut most) = (1.0f64, 0.0f64, 0.0f64);
        for _ in 0..steps {
            membrane = beta * membrane + synaptic;
            synaptic *= alpha;
            most = most.max(membrane);
        }
        most
    }
}

/// What drives a layer for the whole of a sample.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Drive<'a> {
    /// Spikes of the layer before (steps × words) through the input weights, whose rows are as long
    /// as `membrane`.
    Spikes {
        words: &'a [u64],
        words_per_step: usize,
        weight: &'a [f32],
    },
    /// The input current itself, steps × as many numbers as `membrane` has.
    Currents(&'a [f32]),
}

/// Runs one sample through one layer.
///
/// Each step in this order: the input current h gathers weight rows of the drive and of the layer's
/// own spikes of the step before; a membrane above the threshold spikes; then the membrane and the
/// synaptic current move on, the membrane of a spiking neuron to 0.
///
/// Once the drive has ended and no membrane can reach the threshold any more, nothing is left to be
/// computed. The result is the first step of that silence, or the number of steps; `membrane` and
/// `synaptic` are then those of that step.
pub(crate) struct Forward<'a> {
    pub drive: Drive<'a>,
    /// Steps of the drive up to its last event; later ones are not read.
    pub drive_steps: usize,
    /// Recurrent weights, if there are any; rows as long as `membrane`.
    pub recurrent: Option<&'a [f32]>,
    pub units: usize,
    pub constants: LifConstants,
    /// Units in whole vectors, 0 on entry.
    pub membrane: &'a mut [f32],
    /// Likewise.
    pub synaptic: &'a mut [f32],
    /// Where spikes go: steps × words, silent on entry.
    pub spikes: &'a mut [u64],
    pub steps: usize,
    /// Where the membrane before each step goes, if it is wanted: steps × as many numbers as
    /// `membrane` has.
    pub trace: Option<&'a mut [f32]>,
    pub active: &'a mut Actives,
}

/// Lists of units, reused from call to call.
#[derive(Debug, Default)]
pub(crate) struct Actives {
    drive: Vec<u16>,
    own: Vec<u16>,
}

impl Kernel for Forward<'_> {
    type Output = usize;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> usize {
        let constants = self.constants;
        let words = self.units.div_ceil(64);
        let stride = self.membrane.len();
        // Rounding can add less than a part in ten thousand over any number of steps kept here.
        let reachable = f64::from(constants.threshold) * (1.0 - 1e-4);
        let rise = constants.rise(self.steps) as f32;
        let mut trace = self.trace;
        self.active.own.clear();
        for step in 0..self.steps {
            if step >= self.drive_steps
                && self.active.own.is_empty()
                && is_settled(self.membrane, self.synaptic, rise, reachable as f32)
            {
                return step;
            }
            let mut currents: &[f32] = &[];
            let silent = Rows {
                weight: &[],
                stride,
                rows: &[],
            };
            let (mut driven, mut own) = (silent, silent);
            if step < self.drive_steps {
                match self.drive {
                    Drive::Currents(all) => currents = &all[step * stride..][..stride],
                    Drive::Spikes {
                        words,
                        words_per_step,
                        weight,
                    } => {
                        let row = &words[step * words_per_step..][..words_per_step];
                        list_active(row, &mut self.active.drive);
                        (driven.weight, driven.rows) = (weight, &self.active.drive);
                    }
                }
            }
            if let Some(weight) = self.recurrent {
                (own.weight, own.rows) = (weight, &self.active.own);
            }
            let spikes = &mut self.spikes[step * words..][..words];
            let mut advance = Advance {
                constants,
                currents,
                driven,
                own,
                membrane: self.membrane,
                synaptic: self.synaptic,
                spikes,
                trace: match &mut trace {
                    Some(trace) => &mut trace[step * stride..][..stride],
                    None => &mut [],
                },
            };
            passes(lanes, stride / L::F32_LANES, &mut advance);
            list_active(spikes, &mut self.active.own);
        }
        self.steps
    }
}

/// Whether no membrane can reach the threshold any more without a drive.
#[inline(always)]
fn is_settled(membrane: &[f32], synaptic: &[f32], rise: f32, reachable: f32) -> bool {
    let mut settled = true;
    for (&membrane, &synaptic) in membrane.iter().zip(synaptic) {
        // Not a number is not settled.
        settled &= membrane.max(0.0) + rise * synaptic.max(0.0) <= reachable
            && !membrane.is_nan()
            && !synaptic.is_nan();
    }
    settled
}

/// One step of a layer.
struct Advance<'a> {
    constants: LifConstants,
    /// Input currents in whole vectors, or none.
    currents: &'a [f32],
    driven: Rows<'a>,
    own: Rows<'a>,
    membrane: &'a mut [f32],
    synaptic: &'a mut [f32],
    spikes: &'a mut [u64],
    /// Where the membrane before the step goes, or nothing.
    trace: &'a mut [f32],
}

impl<L: Lanes> Pass<L> for Advance<'_> {
    #[inline(always)]
    fn pass<const N: usize>(&mut self, lanes: L, first: usize) {
        let zero = lanes.splat_f32s(0.0);
        let mut drive = match self.currents.is_empty() {
            true => [zero; N],
            false => load::<L, N>(self.currents, first),
        };
        drive = self.driven.add_to(lanes, drive, first);
        drive = self.own.add_to(lanes, drive, first);
        let alpha = lanes.splat_f32s(self.constants.alpha);
        let beta = lanes.splat_f32s(self.constants.beta);
        let threshold = lanes.splat_f32s(self.constants.threshold);
        let range = first * L::F32_LANES..(first + N) * L::F32_LANES;
        if !self.trace.is_empty() {
            store::<L, N>(self.trace, first, load::<L, N>(self.membrane, first));
        }
        let (membrane, _) = L::as_mut_simd_f32s(&mut self.membrane[range.clone()]);
        let (synaptic, _) = L::as_mut_simd_f32s(&mut self.synaptic[range]);
        for n in 0..N {
            let (mem, syn) = (membrane[n], synaptic[n]);
            let above = lanes.greater_than_f32s(mem, threshold);
            let bits = lanes.mask_bits(above);
            let at = (first + n) * L::F32_LANES;
            self.spikes[at / 64] |= bits << (at % 64);
            let next = flush(lanes, lanes.add_f32s(lanes.mul_f32s(beta, mem), syn));
            membrane[n] = lanes.select_f32s(above, zero, next);
            let kept = lanes.mul_f32s(alpha, syn);
            synaptic[n] = flush(lanes, lanes.add_f32s(kept, drive[n]));
        }
    }
}

/// Carries on the membrane of a silent layer that nothing drives, for as many steps as `trace` has
/// rows.
pub(crate) struct Coast<'a> {
    pub constants: LifConstants,
    pub membrane: &'a mut [f32],
    pub synaptic: &'a mut [f32],
    pub trace: &'a mut [f32],
}

impl Kernel for Coast<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, _: L) {
        let LifConstants { alpha, beta, .. } = self.constants;
        for row in self.trace.chunks_exact_mut(self.membrane.len()) {
            row.copy_from_slice(self.membrane);
            for (membrane, synaptic) in self.membrane.iter_mut().zip(&mut *self.synaptic) {
                *membrane = flush_one(beta * *membrane + *synaptic);
                *synaptic = flush_one(alpha * *synaptic);
            }
        }
    }
}
