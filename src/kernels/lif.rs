//! The recurrences of a current-based LIF layer and of the leaky readout, forward and backward.

use multiversion::multiversion;

use super::flush;
use super::gather::{add_counted_rows, add_rows, list_active};
use crate::spikes::{SpikeCounts, SpikeRaster};

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

/// What drives a layer for the whole of a sample.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Drive<'a> {
    /// Event counts, through the input weights.
    Counts(&'a SpikeCounts, &'a [f32]),
    /// Spikes of the layer before, through the input weights.
    Spikes(&'a SpikeRaster, &'a [f32]),
    /// The input current itself, steps × units.
    Current(&'a [f32]),
}

/// Where the membrane potentials of one sample go in a block's trace (steps × samples × units).
pub(crate) struct MembraneTrace<'a> {
    pub trace: &'a mut [f32],
    /// The sample's place in the block.
    pub sample: usize,
    /// Samples in the block.
    pub samples: usize,
}

/// Buffers of one sample in one layer, reused from call to call.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    current: Vec<f32>,
    synaptic: Vec<f32>,
    membrane: Vec<f32>,
    active: Vec<u16>,
}

impl Scratch {
    fn reset(&mut self, units: usize) {
        for buffer in [&mut self.current, &mut self.synaptic, &mut self.membrane] {
            buffer.clear();
            buffer.resize(units, 0.0);
        }
    }
}

/// Runs one sample through one layer over all steps; `spikes` must be silent on entry.
///
/// Each step in this order: the input current h gathers weight rows of the drive and of the layer's
/// own spikes of the step before; a membrane above the threshold spikes; then the membrane and the
/// synaptic current move on, the membrane of a spiking neuron to 0.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
pub(crate) fn forward(
    drive: Drive<'_>,
    recurrent: Option<&[f32]>,
    constants: LifConstants,
    scratch: &mut Scratch,
    spikes: &mut SpikeRaster,
    mut trace: Option<MembraneTrace<'_>>,
) {
    let (steps, units, words) = (spikes.steps(), spikes.units(), spikes.words_per_step());
    scratch.reset(units);
    let Scratch {
        current,
        synaptic,
        membrane,
        active,
    } = scratch;
    for step in 0..steps {
        match drive {
            Drive::Counts(counts, weight) => {
                let (rows, row_counts) = counts.row_slices(step);
                current.fill(0.0);
                add_counted_rows(current, weight, rows, row_counts);
            }
            Drive::Spikes(raster, weight) => {
                let row = raster.words_per_step();
                list_active(&raster.words()[step * row..][..row], active);
                current.fill(0.0);
                add_rows(current, weight, active);
            }
            Drive::Current(all) => current.copy_from_slice(&all[step * units..][..units]),
        }
        if let Some(weight) = recurrent
            && step > 0
        {
            list_active(&spikes.words()[(step - 1) * words..][..words], active);
            add_rows(current, weight, active);
        }
        if let Some(to) = &mut trace {
            let row = (step * to.samples + to.sample) * units;
            to.trace[row..row + units].copy_from_slice(membrane);
        }
        fire(
            membrane,
            constants.threshold,
            &mut spikes.words_mut()[step * words..][..words],
        );
        for ((membrane, synaptic), &h) in membrane.iter_mut().zip(&mut *synaptic).zip(&*current) {
            let next = flush(constants.beta * *membrane + *synaptic);
            *membrane = if *membrane > constants.threshold {
                0.0
            } else {
                next
            };
            *synaptic = flush(constants.alpha * *synaptic + h);
        }
    }
}

/// Sets a bit for each membrane above the threshold.
#[inline(always)]
fn fire(membrane: &[f32], threshold: f32, words: &mut [u64]) {
    for (word, potentials) in words.iter_mut().zip(membrane.chunks(64)) {
        let mut bits = 0;
        for (bit, &potential) in potentials.iter().enumerate() {
            bits |= u64::from(potential > threshold) << bit;
        }
        *word = bits;
    }
}

/// One step backward of one layer, for all samples of a block.
///
/// On entry `error_membrane` and `error_synaptic` are ∂L/∂mem and ∂L/∂syn of the step after, and
/// `error_spike` is ∂L/∂s of this step; on return the first two belong to this step. The reset is
/// not differentiated (Dequino et al. 2024; Zenke & Ganguli 2018 for the surrogate).
#[inline(always)]
pub(crate) fn backward_step(
    constants: LifConstants,
    derivative: impl Fn(f32) -> f32,
    membrane: &[f32],
    error_spike: &[f32],
    error_membrane: &mut [f32],
    error_synaptic: &mut [f32],
) {
    let errors = error_membrane.iter_mut().zip(error_synaptic);
    for ((&potential, &spike), (mem, syn)) in membrane.iter().zip(error_spike).zip(errors) {
        let above = potential - constants.threshold;
        let kept = if above > 0.0 { 0.0 } else { *mem };
        *mem = flush(spike * derivative(above) + constants.beta * kept);
        *syn = flush(constants.alpha * *syn + kept);
    }
}

/// Runs the leaky readout over one sample.
///
/// `out` is (steps + 1) × classes and begins with a row of zeros: out ← β·out + flt, then
/// flt ← α·flt + s·W.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
pub(crate) fn readout_forward(
    spikes: &SpikeRaster,
    weight: &[f32],
    (alpha, beta): (f32, f32),
    scratch: &mut Scratch,
    out: &mut [f32],
) {
    let classes = out.len() / (spikes.steps() + 1);
    scratch.reset(classes);
    let (drive, filtered) = (&mut scratch.current, &mut scratch.synaptic);
    let words = spikes.words_per_step();
    out[..classes].fill(0.0);
    for step in 0..spikes.steps() {
        list_active(
            &spikes.words()[step * words..][..words],
            &mut scratch.active,
        );
        drive.fill(0.0);
        add_rows(drive, weight, &scratch.active);
        let (before, after) = out.split_at_mut((step + 1) * classes);
        let before = &before[step * classes..];
        for (class, after) in after[..classes].iter_mut().enumerate() {
            *after = flush(beta * before[class] + filtered[class]);
            filtered[class] = flush(alpha * filtered[class] + drive[class]);
        }
    }
}
