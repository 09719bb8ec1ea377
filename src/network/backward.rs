//! Backward: BPTT of a block of samples, layer by layer over all steps, by hand.
//!
//! With δh = ∂L/∂h of a step and σ′ the surrogate at mem − threshold, going back in time:
//!
//! ```text
//! δh_t    = ∂syn_{t+1}
//! ∂s_t    = δh_t(layer above)·Wᵀ + δh_{t+1}·Vᵀ
//! ∂mem_t  = ∂s_t·σ′ + β·(1 − s_t)·∂mem_{t+1}
//! ∂syn_t  = α·∂syn_{t+1} + (1 − s_t)·∂mem_{t+1}
//! ∂W = Σ x_tᵀ·δh_t      ∂V = Σ s_{t−1}ᵀ·δh_t
//! ```

use ndarray::Axis;

use super::errors::{Errors, LayerErrors, add_padded};
use super::layer::Delayed;
use super::{Gradients, NetworkError, ParameterName, StageInput, Trace};
use crate::kernels::backward::{Above, ErrorsBelow, LayerBackward};
use crate::kernels::buffers::Buffer;
use crate::kernels::gather::SpikesByStep;
use crate::kernels::lanes::{padded, run};
use crate::kernels::readout::ReadoutBackward;
use crate::kernels::weights::{SpikesByUnit, WeightGradient};
use crate::readout::Collect;
use crate::spikes::{SpikeCounts, SpikeRaster};

impl Trace<'_> {
    /// Gradients of a loss, summed over the block's samples, from its derivatives by what the samples did.
    /// Errors of anything but logits need a trace of [`Reach::EveryStep`](super::Reach::EveryStep).
    ///
    /// # Errors
    /// [`NetworkError::WrongBatchShape`], [`NetworkError::NoSuchLayer`] and [`NetworkError::ShortReach`].
    pub fn backward(&self, errors: &Errors) -> Result<Gradients, NetworkError> {
        let mut gradients = Gradients::zeros(self.stage.network, self.stage.stage);
        self.add_gradients(errors, &mut gradients)?;
        Ok(gradients)
    }

    /// Adds the gradients to those of other blocks of the same stage.
    ///
    /// # Errors
    /// As [`backward`](Self::backward), and [`NetworkError::OtherParameters`] for gradients of another
    /// network or stage.
    pub fn add_gradients(
        &self,
        errors: &Errors,
        gradients: &mut Gradients,
    ) -> Result<(), NetworkError> {
        if !gradients.fit(self.stage.network, self.stage.stage) {
            return Err(NetworkError::OtherParameters("the gradients"));
        }
        errors.check(self)?;
        let layers = &self.stage.network.spec.settings().layers;
        let first = self.stage.stage.first_layer();
        let deltas = self.deltas(errors, Some(gradients));
        for layer in 0..self.spikes.len() {
            if layers[first + layer].bias {
                let gradient = gradients.slice_mut(ParameterName::Bias(first + layer));
                for &(sample, reached) in &self.reach {
                    let (delta, units) = self.delta_of(&deltas[layer], sample, 0..reached);
                    for row in delta.chunks_exact(padded(self.stage.simd, units)) {
                        gradient
                            .iter_mut()
                            .zip(row)
                            .for_each(|(sum, value)| *sum += value);
                    }
                }
            }
        }
        let mut turned = TransposedSpikes::default();
        for source in 0..=self.spikes.len() {
            // What the source drives: the layer above it, and itself.
            let above = match source < self.spikes.len() {
                true => ParameterName::Input(first + source),
                false => ParameterName::Readout,
            };
            // A readout without weights has no gradient.
            let above = gradients.get(above).is_some().then_some(above);
            let itself = source.checked_sub(1);
            let itself = itself.filter(|&layer| layers[first + layer].recurrent);
            if above.is_none() && itself.is_none() {
                continue;
            }
            let driving = self.driving[source].as_ref();
            let scale = self.stage.scale_below(first + source);
            for &(sample, reached) in &self.reach {
                if let Some(name) = above {
                    turned.turn(self.source(source, sample, driving), reached);
                    let (delta, units) = self.delta_of(&deltas[source], sample, 0..reached);
                    let gradient = gradients.slice_mut(name);
                    match scale {
                        1.0 => self.add_weight_gradient(&turned, (delta, units), gradient),
                        // Weights count so many times where spikes below are left out.
                        scale => {
                            let mut scaled = Buffer::stale(delta.len());
                            let slots = scaled.iter_mut().zip(delta);
                            slots.for_each(|(slot, delta)| *slot = scale * delta);
                            self.add_weight_gradient(&turned, (&scaled, units), gradient);
                        }
                    }
                }
                // A layer's own spikes act a step later.
                if let Some(layer) = itself
                    && reached > 0
                {
                    if above.is_none() || driving.is_some() {
                        turned.turn(self.source(source, sample, None), reached);
                    }
                    let delta = self.delta_of(&deltas[layer], sample, 1..reached);
                    let name = ParameterName::Recurrent(first + layer);
                    self.add_weight_gradient(&turned, delta, gradients.slice_mut(name));
                }
            }
        }
        Ok(())
    }

    /// δ of every layer of the stage and of the readout, with their numbers of units.
    pub(super) fn deltas(
        &self,
        errors: &Errors,
        mut gradients: Option<&mut Gradients>,
    ) -> Vec<(Buffer, usize)> {
        let mut above = (
            self.readout_backward(errors),
            self.stage.network.spec.classes(),
        );
        let mut deltas = Vec::with_capacity(self.spikes.len() + 1);
        for index in (0..self.spikes.len()).rev() {
            let of_layer = errors.layers.get(&index);
            let delta = self.layer_backward(index, &above, of_layer, gradients.as_deref_mut());
            deltas.push(std::mem::replace(&mut above, delta));
        }
        deltas.push(above);
        deltas.reverse();
        deltas
    }

    /// What drives the stage's layer `source`, or the readout if there is none: the sample itself or
    /// the spikes of the layer before.
    fn source<'b>(
        &'b self,
        source: usize,
        sample: usize,
        driving: Option<&'b Delayed>,
    ) -> WeightInput<'b> {
        match driving {
            Some(Delayed::Spikes(spikes)) => return WeightInput::Spikes(&spikes[sample]),
            Some(Delayed::Samples(samples)) => return Self::weight_input(&samples[sample]),
            None => {}
        }
        match source.checked_sub(1) {
            Some(before) => WeightInput::Spikes(&self.spikes[before][sample]),
            None => Self::weight_input(&self.inputs[sample]),
        }
    }

    fn weight_input<'b>(input: &'b StageInput<'_>) -> WeightInput<'b> {
        match input {
            StageInput::Counts(counts) => WeightInput::Counts(counts),
            StageInput::Spikes(raster) => WeightInput::Spikes(raster),
            StageInput::Currents(_) => {
                unreachable!("no stage that reads currents trains the weights below")
            }
        }
    }

    /// Some steps of one sample's δ, and how many units it has.
    fn delta_of<'b>(
        &self,
        (delta, units): &'b (Buffer, usize),
        sample: usize,
        steps: std::ops::Range<usize>,
    ) -> (&'b [f32], usize) {
        let stride = padded(self.stage.simd, *units);
        let start = sample * self.steps * stride;
        let steps = start + steps.start * stride..start + steps.end * stride;
        (&delta[steps], *units)
    }

    /// Adds Σ over steps of xᵀ·δ for one sample.
    fn add_weight_gradient(
        &self,
        turned: &TransposedSpikes,
        (delta, columns): (&[f32], usize),
        gradient: &mut [f32],
    ) {
        run(
            self.stage.simd,
            WeightGradient {
                active: &turned.steps,
                delta,
                stride: padded(self.stage.simd, columns),
                gradient,
                columns,
            },
        );
    }

    /// δ of the readout as far as each sample reaches: samples × steps × padded classes.
    fn readout_backward(&self, given: &Errors) -> Buffer {
        let (samples, classes) = self.logits.dim();
        let stride = padded(self.stage.simd, classes);
        let readout = &self.stage.network.spec.settings().readout.model;
        let mut delta = Buffer::stale(samples * self.steps * stride);
        let mut errors = Buffer::zeros(stride);
        for &(sample, reached) in &self.reach {
            if let Some(logits) = &given.logits {
                for (error, &logit) in errors.iter_mut().zip(logits.row(sample)) {
                    *error = logit as f32;
                }
            }
            let peaks = &self.peaks[sample * stride..][..stride];
            let mut of_steps = self.trace_backward(sample, &errors[..classes]);
            if let Some(readout) = &given.readout {
                let alike = || self.collect_backward(sample, &errors, peaks);
                let of_steps = of_steps.get_or_insert_with(alike);
                let rows = of_steps.chunks_exact_mut(stride);
                for (row, errors) in rows.zip(readout.index_axis(Axis(0), sample).rows()) {
                    for (slot, error) in row.iter_mut().zip(errors) {
                        *slot += *error as f32;
                    }
                }
            }
            let work = ReadoutBackward {
                collect: readout.collect(),
                errors: &errors,
                of_steps: of_steps.as_deref(),
                peaks,
                steps: self.inputs[sample].steps(),
                delta: &mut delta[sample * self.steps * stride..][..reached * stride],
            };
            readout.backward(self.stage.simd, work);
        }
        delta
    }

    /// ∂L/∂readout of each step, where logits are made of the trace as a whole.
    fn trace_backward(&self, sample: usize, errors: &[f32]) -> Option<Buffer> {
        let trace = self.readout.as_ref()?;
        let stride = padded(self.stage.simd, errors.len());
        let numbers = self.inputs[sample].steps() * stride;
        let mut of_steps = Buffer::zeros(numbers);
        let trace = &trace[sample * self.steps * stride..][..numbers];
        let readout = &self.stage.network.spec.settings().readout.model;
        readout.logits_back(trace, stride, errors, &mut of_steps);
        Some(of_steps)
    }

    /// ∂L/∂readout of each step from the errors of logits that are a maximum, a sum or a last value.
    fn collect_backward(&self, sample: usize, errors: &[f32], peaks: &[f32]) -> Buffer {
        let stride = errors.len();
        let collect = self.stage.network.spec.settings().readout.model.collect();
        let steps = self.inputs[sample].steps();
        let mut of_steps = Buffer::zeros(steps * stride);
        for (step, row) in of_steps.chunks_exact_mut(stride).enumerate() {
            let reaches = |class: usize| match collect {
                Some(Collect::Max) => peaks[class] == (step + 1) as f32,
                Some(Collect::Sum) => true,
                Some(Collect::Last) => step + 1 == steps,
                None => false,
            };
            for (class, slot) in row
                .iter_mut()
                .enumerate()
                .filter(|(class, _)| reaches(*class))
            {
                *slot = errors[class];
            }
        }
        of_steps
    }

    /// Turns δ of the layer above, of `above` units, into δ of this layer.
    fn layer_backward(
        &self,
        index: usize,
        (delta_above, above): &(Buffer, usize),
        given: Option<&LayerErrors>,
        gradients: Option<&mut Gradients>,
    ) -> (Buffer, usize) {
        let layer = self.stage.stage.first_layer() + index;
        let units = self.stage.network.spec.settings().layers[layer].units;
        let transposed = self.stage.transposed();
        let stride = padded(self.stage.simd, units);
        let samples = self.inputs.len();
        let mut delta = Buffer::stale(samples * self.steps * stride);
        let every_step = given.and_then(|given| given.spikes_alike.as_ref());
        let every_step = every_step.map(|errors| {
            let mut padded = Buffer::zeros(samples * stride);
            for (row, errors) in padded.chunks_exact_mut(stride).zip(errors.rows()) {
                for (slot, &error) in row.iter_mut().zip(errors) {
                    *slot = error as f32;
                }
            }
            padded
        });
        let prepared = self.stage.layer(layer);
        let (counts, simd) = (prepared.neuron.counts(), self.stage.simd);
        let roles = prepared.neuron.roles();
        let above_layer = &self.stage.network.spec.settings().layers.get(layer + 1);
        let delays = above_layer
            .map(|above| &above.delay_steps[..])
            .unwrap_or_default();
        let kept = self.kept[index + 1].as_ref();
        let given_spikes = given.and_then(|given| given.spikes.as_ref());
        let is_plain = delays.is_empty() && given_spikes.is_none() && kept.is_none();
        let of_spikes = (!is_plain).then(|| {
            let mut late = Buffer::stale(samples * self.steps * stride);
            let work = ErrorsBelow {
                delta: delta_above,
                above_stride: padded(simd, *above),
                feedforward: &transposed.feedforward[index],
                reach: &self.reach,
                steps: self.steps,
                errors: &mut late,
                stride,
            };
            run(simd, work);
            let mut errors = match delays {
                [] => late,
                delays => self.undelayed(&late, delays, stride),
            };
            if let Some(kept) = kept {
                self.mask(&mut errors, kept, stride);
            }
            if let Some(given) = given_spikes {
                add_padded(given, &mut errors, stride);
            }
            errors
        });
        let of_membrane = given.and_then(|given| given.membrane.as_ref());
        let of_membrane = of_membrane.map(|given| {
            let mut errors = Buffer::zeros(samples * self.steps * stride);
            add_padded(given, &mut errors, stride);
            errors
        });
        let learns = gradients.is_some() && roles.iter().any(|role| role.learned.is_some());
        let mut of_parameters = learns.then(|| Buffer::zeros(counts.parameters * stride));
        let work = LayerBackward {
            parameters: &prepared.parameters,
            surrogate: &***self.stage.network.spec.surrogate(layer),
            simd,
            reach: &self.reach,
            steps: self.steps,
            above: match &of_spikes {
                Some(errors) => Above::Errors(errors),
                None => Above::Layer {
                    delta: delta_above,
                    stride: padded(simd, *above),
                    feedforward: &transposed.feedforward[index],
                },
            },
            recurrent: transposed.recurrent[index].as_ref(),
            tape: &self.tapes[index],
            stride,
            every_step: every_step.as_deref(),
            membrane: of_membrane.as_deref(),
            zeros: &Buffer::zeros(stride),
            delta: &mut delta,
            error_spike: &mut Buffer::stale(samples * stride),
            slope: &mut Buffer::stale(samples * stride),
            errors: &mut Buffer::zeros(samples * counts.states * stride),
            gradient: of_parameters.as_deref_mut(),
        };
        prepared.neuron.backward(simd, work);
        if let (Some(gradients), Some(of_parameters)) = (gradients, of_parameters) {
            let raw = self.stage.network.raw_parameters(layer);
            let raw: Vec<&[f32]> = raw.iter().map(|role| &role[..]).collect();
            let mut sums: Vec<Vec<f32>> = raw.iter().map(|role| vec![0.0; role.len()]).collect();
            let neuron = &prepared.neuron;
            neuron.raw_gradient(simd, &raw, &of_parameters, units, &mut sums);
            for (role, sums) in roles.iter().zip(sums) {
                if role.learned.is_some() {
                    let name = ParameterName::Neuron(layer, role.name);
                    let gradient = gradients.slice_mut(name);
                    gradient
                        .iter_mut()
                        .zip(sums)
                        .for_each(|(sum, value)| *sum += value);
                }
            }
        }
        (delta, units)
    }

    /// Makes the errors of spikes 0 that were left out.
    fn mask(&self, errors: &mut [f32], kept: &[SpikeRaster], stride: usize) {
        for &(sample, reached) in &self.reach {
            let rows = &mut errors[sample * self.steps * stride..][..reached * stride];
            for (step, row) in rows.chunks_exact_mut(stride).enumerate() {
                let words = &kept[sample].words()[step * kept[sample].words_per_step()..];
                for (unit, error) in row.iter_mut().enumerate().take(kept[sample].units()) {
                    if words[unit / 64] >> (unit % 64) & 1 == 0 {
                        *error = 0.0;
                    }
                }
            }
        }
    }

    /// Errors of spikes when they were fired, from errors when they arrived, as far as each sample reaches:
    /// samples × steps × `stride`.
    fn undelayed(&self, late: &[f32], delays: &[u16], stride: usize) -> Buffer {
        let mut errors = Buffer::zeros(late.len());
        for &(sample, reached) in &self.reach {
            let start = sample * self.steps;
            for step in 0..reached {
                let row = &mut errors[(start + step) * stride..][..delays.len()];
                for ((unit, error), &delay) in row.iter_mut().enumerate().zip(delays) {
                    let arrives = step + usize::from(delay);
                    if arrives < reached {
                        *error = late[(start + arrives) * stride + unit];
                    }
                }
            }
        }
        errors
    }
}

/// What a weight's gradient multiplies δh with.
enum WeightInput<'a> {
    /// Spikes of a layer.
    Spikes(&'a SpikeRaster),
    /// Event counts.
    Counts(&'a SpikeCounts),
}

/// A sample turned around: for each unit, the steps in which it was active.
#[derive(Default)]
struct TransposedSpikes {
    lists: SpikesByStep,
    steps: SpikesByUnit,
}

impl TransposedSpikes {
    fn turn(&mut self, input: WeightInput<'_>, reached: usize) {
        match input {
            WeightInput::Counts(counts) => self.steps.of_counts(counts, reached),
            WeightInput::Spikes(raster) => {
                let words = raster.words_per_step();
                self.lists.fill(&raster.words()[..reached * words], words);
                self.steps.of_spikes(&self.lists, raster.units());
            }
        }
    }
}
