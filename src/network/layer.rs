//! One hidden layer, forward over all steps, for a block of samples.

use std::borrow::Cow;
use std::cell::RefCell;

use ndarray::Array2;

use super::prepared::PreparedLayer;
use super::{Latent, PreparedStage, StageInput};
use crate::kernels::buffers::Buffer;
use crate::kernels::gather::InputCurrents;
use crate::kernels::lanes::{padded, run};
use crate::kernels::layer::{FreeDecay, IndexScratch, LayerForward, SynapticInput};
use crate::simd::Simd;
use crate::spikes::{SpikeCounts, SpikeRaster};

/// What drives a layer.
#[derive(Clone, Copy)]
pub(super) enum LayerInputs<'a> {
    /// The samples as they enter the stage; the layer is the stage's first.
    Samples(&'a [StageInput<'a>]),
    /// The spikes of the layer before.
    Spikes(&'a [SpikeRaster]),
}

/// What drives a layer, later by the delays of its units.
#[derive(Debug)]
pub(super) enum Delayed {
    Samples(Vec<StageInput<'static>>),
    Spikes(Vec<SpikeRaster>),
}

impl Delayed {
    /// `None` where nothing is delayed. Input currents have their delays already.
    pub(super) fn of(
        stage: &PreparedStage<'_>,
        layer: usize,
        inputs: LayerInputs<'_>,
    ) -> Option<Self> {
        let delays = &stage.network.spec.settings().layers[layer].delay_steps;
        if delays.is_empty() {
            return None;
        }
        match inputs {
            LayerInputs::Spikes(spikes) => {
                let delayed = spikes.iter().map(|raster| raster.delayed(delays));
                Some(Delayed::Spikes(delayed.collect()))
            }
            LayerInputs::Samples(samples) => {
                let delayed = samples.iter().map(|sample| match sample {
                    StageInput::Counts(counts) => {
                        Some(StageInput::Counts(Cow::Owned(counts.delayed(delays))))
                    }
                    StageInput::Spikes(raster) => {
                        Some(StageInput::Spikes(Cow::Owned(raster.delayed(delays))))
                    }
                    StageInput::Currents(_) => None,
                });
                let delayed: Option<Vec<_>> = delayed.collect();
                delayed.map(Delayed::Samples)
            }
        }
    }

    pub(super) fn as_inputs(&self) -> LayerInputs<'_> {
        match self {
            Delayed::Samples(samples) => LayerInputs::Samples(samples),
            Delayed::Spikes(spikes) => LayerInputs::Spikes(spikes),
        }
    }
}

/// A layer after it has run.
pub(super) struct LayerRun {
    /// One raster a sample.
    pub spikes: Vec<SpikeRaster>,
    pub states: LayerStates,
}

/// Where each sample's states stood when the layer had fallen silent for good.
pub(super) struct LayerStates {
    /// The first silent step of each sample.
    silent_from: Vec<usize>,
    /// Samples × state variables × padded units.
    state: Buffer,
}

impl<'a> LayerInputs<'a> {
    /// The spikes of the layer below, or the samples where there is none.
    pub(super) fn above(below: Option<&'a [SpikeRaster]>, samples: &'a [StageInput<'a>]) -> Self {
        below.map_or(LayerInputs::Samples(samples), LayerInputs::Spikes)
    }

    fn len(self) -> usize {
        match self {
            LayerInputs::Samples(samples) => samples.len(),
            LayerInputs::Spikes(spikes) => spikes.len(),
        }
    }

    /// The samples, if they are spikes.
    pub(super) fn spikes(self) -> Option<Cow<'a, [SpikeRaster]>> {
        match self {
            LayerInputs::Spikes(spikes) => Some(Cow::Borrowed(spikes)),
            LayerInputs::Samples(samples) => {
                let spikes = samples.iter().map(|sample| match sample {
                    StageInput::Spikes(raster) => Some(raster.as_ref().clone()),
                    StageInput::Counts(_) | StageInput::Currents(_) => None,
                });
                spikes.collect::<Option<Vec<_>>>().map(Cow::Owned)
            }
        }
    }

    /// Steps that a sample lasts.
    fn steps(self, sample: usize) -> usize {
        match self {
            LayerInputs::Samples(samples) => samples[sample].steps(),
            LayerInputs::Spikes(spikes) => spikes[sample].steps(),
        }
    }

    /// The input currents that these samples cause in the first layer, one latent each.
    pub(super) fn currents(self, stage: &PreparedStage<'_>, steps: usize) -> Vec<Latent> {
        let delayed = Delayed::of(stage, 0, self);
        let inputs = delayed.as_ref().map_or(self, Delayed::as_inputs);
        let units = stage.network.spec.settings().layers[0].units;
        let stride = padded(stage.simd, units);
        let currents = inputs.padded_currents(stage, 0, steps);
        let each = currents.chunks_exact(steps * stride).enumerate();
        let latents = each.map(|(sample, padded)| {
            let mut current = Array2::zeros((inputs.steps(sample), units));
            let rows = current.rows_mut().into_iter().zip(padded.chunks(stride));
            for (mut row, padded) in rows.take(inputs.drive_steps(sample)) {
                row.assign(&ndarray::ArrayView1::from(&padded[..units]));
            }
            Latent::Currents(current)
        });
        latents.collect()
    }

    /// Steps of a sample up to its last event.
    fn drive_steps(self, sample: usize) -> usize {
        match self {
            LayerInputs::Spikes(spikes) => spikes[sample].steps_to_last(),
            LayerInputs::Samples(samples) => match &samples[sample] {
                StageInput::Counts(counts) => counts.steps_to_last(),
                StageInput::Spikes(raster) => raster.steps_to_last(),
                StageInput::Currents(currents) => {
                    let driven = |row: ndarray::ArrayView1<'_, f32>| row.iter().any(|&h| h != 0.0);
                    let last = currents.rows().into_iter().rposition(driven);
                    last.map_or(0, |last| last + 1)
                }
            },
        }
    }

    fn raster(&self, sample: usize) -> Option<&SpikeRaster> {
        match self {
            LayerInputs::Spikes(spikes) => Some(&spikes[sample]),
            LayerInputs::Samples(samples) => match &samples[sample] {
                StageInput::Spikes(raster) => Some(raster),
                _ => None,
            },
        }
    }

    /// The input currents of samples that are not spikes: samples × steps × padded units, as far as
    /// each sample's events go. Empty for spikes, which are summed up step by step.
    fn padded_currents(self, stage: &PreparedStage<'_>, layer: usize, steps: usize) -> Buffer {
        let LayerInputs::Samples(samples) = self else {
            return Buffer::stale(0);
        };
        let columns = stage.network.spec.settings().layers[layer].units;
        let stride = padded(stage.simd, columns);
        let counts = samples.iter().map_while(|sample| match sample {
            StageInput::Counts(counts) => Some(counts.as_ref()),
            _ => None,
        });
        let counts: Vec<&SpikeCounts> = counts.collect();
        if !counts.is_empty() {
            let mut currents = Buffer::stale(samples.len() * steps * stride);
            run(
                stage.simd,
                InputCurrents {
                    samples: &counts,
                    weight: &stage.layer(layer).input.values,
                    stride,
                    currents: &mut currents,
                    sample_stride: steps * stride,
                },
            );
            return currents;
        }
        if !matches!(samples[0], StageInput::Currents(_)) {
            return Buffer::stale(0);
        }
        let mut all = Buffer::zeros(samples.len() * steps * stride);
        for (target, sample) in all.chunks_exact_mut(steps * stride).zip(samples) {
            if let StageInput::Currents(currents) = sample {
                let rows = currents
                    .as_slice()
                    .expect("checked: currents are row-major");
                let rows = rows.chunks_exact(columns);
                for (target, row) in target.chunks_exact_mut(stride).zip(rows) {
                    target[..columns].copy_from_slice(row);
                }
            }
        }
        all
    }
}

impl LayerRun {
    /// Runs a layer over samples of up to `steps` steps. The tape goes to `tape` (samples × steps × numbers of the tape × padded units), up to
    /// the step from which the layer is silent for good.
    pub(super) fn new(
        stage: &PreparedStage<'_>,
        layer: usize,
        inputs: LayerInputs<'_>,
        steps: usize,
        mut tape: Option<&mut [f32]>,
    ) -> Self {
        thread_local! {
            static ACTIVE: RefCell<IndexScratch> = RefCell::default();
        }
        let (network, simd) = (stage.network, stage.simd);
        let units = network.spec.settings().layers[layer].units;
        let prepared = stage.layer(layer);
        let stride = padded(simd, units);
        let counts = prepared.neuron.counts();
        let (states_of, tape_of) = (counts.states * stride, counts.tape * steps * stride);
        let samples = inputs.len();
        let currents = inputs.padded_currents(stage, layer, steps);
        let mut states = LayerStates {
            silent_from: Vec::with_capacity(samples),
            state: Buffer::zeros(samples * states_of),
        };
        let mut spikes = Vec::with_capacity(samples);
        for sample in 0..samples {
            let drive = match inputs.raster(sample) {
                Some(raster) => SynapticInput::Spikes {
                    words: raster.words(),
                    words_per_step: raster.words_per_step(),
                    weight: &prepared.input.values,
                },
                None => SynapticInput::Currents(&currents[sample * steps * stride..]),
            };
            let lasts = inputs.steps(sample);
            let mut raster = SpikeRaster::silent(lasts, units);
            let tape = tape.as_deref_mut();
            let silent_from = ACTIVE.with_borrow_mut(|active| {
                let work = LayerForward {
                    parameters: &prepared.parameters,
                    is_uniform: prepared.is_uniform,
                    bias: prepared.bias.as_ref().map(|bias| &*bias.values),
                    drive,
                    drive_steps: inputs.drive_steps(sample),
                    recurrent: prepared.recurrent.as_ref().map(|rows| &*rows.values),
                    units,
                    stride,
                    state: &mut states.state[sample * states_of..][..states_of],
                    silence: prepared.silence.as_deref(),
                    spikes: raster.words_mut(),
                    steps: lasts,
                    tape: tape.map(|all| &mut all[sample * tape_of..][..tape_of]),
                    active,
                };
                prepared.neuron.forward(simd, work)
            });
            states.silent_from.push(silent_from);
            spikes.push(raster);
        }
        LayerRun { spikes, states }
    }
}

impl LayerStates {
    /// Fills in the tape of the silent steps, as far as errors reach.
    pub(super) fn carry_on(
        &mut self,
        simd: Simd,
        layer: &PreparedLayer,
        steps: usize,
        reach: &[(usize, usize)],
        tape: &mut [f32],
    ) {
        let (stride, counts) = (layer.input.stride, layer.neuron.counts());
        let (states_of, row) = (counts.states * stride, counts.tape * stride);
        for &(sample, reached) in reach {
            let from = self.silent_from[sample];
            if from < reached {
                let start = sample * steps;
                let work = FreeDecay {
                    parameters: &layer.parameters,
                    stride,
                    state: &mut self.state[sample * states_of..][..states_of],
                    tape: &mut tape[(start + from) * row..(start + reached) * row],
                };
                layer.neuron.free_decay(simd, work);
            }
        }
    }
}
