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

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayView2};

use super::parameters::slice_of;
use super::surrogate::{arctan, boxcar, exponential, fast_sigmoid};
use super::{NetworkError, OverTime, ParameterName, StageInput, Surrogate, Trace};
use crate::kernels::buffers::Buffer;
use crate::kernels::dense::add_product_transposed;
use crate::kernels::flush;
use crate::kernels::gather::{list_active, scatter_rows};
use crate::kernels::lif::{LifConstants, backward_step};
use crate::spikes::SpikeRaster;

/// The gradient of a loss with respect to every weight that a stage trains.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Gradients {
    by_name: BTreeMap<ParameterName, Array2<f32>>,
}

impl Gradients {
    /// The gradient of one weight, of the weight's shape; `None` if the stage does not train it.
    pub fn get(&self, name: ParameterName) -> Option<&Array2<f32>> {
        self.by_name.get(&name)
    }

    /// Every gradient with the name of its weight.
    pub fn iter(&self) -> impl Iterator<Item = (ParameterName, ArrayView2<'_, f32>)> {
        self.by_name
            .iter()
            .map(|(name, array)| (*name, array.view()))
    }

    /// Adds another block's gradients of the same stage.
    ///
    /// # Panics
    /// If the other's come from another network or stage.
    pub fn add(&mut self, other: &Gradients) {
        for (name, gradient) in &mut self.by_name {
            *gradient += other.get(*name).expect("gradients of the same stage");
        }
    }
}

impl Trace<'_> {
    /// Gradients of a loss on the logits, summed over the block's samples.
    ///
    /// `error_logits` is ∂L/∂logits, samples × classes. `error_spikes`, if given, adds to ∂L/∂s a
    /// term that is the same in every step: for each layer of the stage an array samples × units
    /// (what spike-rate regularisers need).
    ///
    /// # Errors
    /// [`NetworkError::WrongBatchShape`].
    pub fn backward(
        &self,
        error_logits: ArrayView2<'_, f32>,
        error_spikes: Option<&[Array2<f32>]>,
    ) -> Result<Gradients, NetworkError> {
        self.check_shapes(error_logits, error_spikes)?;
        let spec = &self.network.spec;
        let samples = self.inputs.len();
        let mut gradients = Gradients::default();

        let mut delta = self.readout_backward(error_logits);
        let readout = &self.network.parameters.readout;
        let gradient = self.weight_gradient(readout.dim(), &delta, |sample| {
            WeightInput::Spikes(self.readout_drive(sample), 0)
        });
        gradients.by_name.insert(ParameterName::Readout, gradient);

        let mut weight_above = readout;
        for index in (0..self.spikes.len()).rev() {
            let layer = self.stage.first_layer() + index;
            let units = spec.settings().layers[layer].units;
            let mut error = Buffer::zeros(self.steps * samples * units);
            if let Some(errors) = error_spikes {
                for row in error.chunks_exact_mut(samples * units) {
                    row.copy_from_slice(slice_of(&errors[index]));
                }
            }
            let above = (units, weight_above.ncols());
            add_product_transposed(&mut error, 1.0, &delta, slice_of(weight_above), above);
            let parameters = &self.network.parameters.layers[layer];
            let recurrent = parameters.recurrent.as_ref();
            delta = self.layer_backward(index, error, recurrent.map(slice_of), units);

            let (input, recurrent) = (ParameterName::Input(layer), ParameterName::Recurrent(layer));
            if let Some(weight) = &parameters.recurrent {
                let gradient = self.weight_gradient(weight.dim(), &delta, |sample| {
                    WeightInput::Spikes(&self.spikes[index][sample], 1)
                });
                gradients.by_name.insert(recurrent, gradient);
            }
            if self.stage.trains(input) {
                let shape = parameters.input.dim();
                let gradient = self.weight_gradient(shape, &delta, |sample| {
                    match (index.checked_sub(1), &self.inputs[sample]) {
                        (Some(before), _) => WeightInput::Spikes(&self.spikes[before][sample], 0),
                        (None, input) => WeightInput::Sample(input),
                    }
                });
                gradients.by_name.insert(input, gradient);
            }
            weight_above = &parameters.input;
        }
        Ok(gradients)
    }

    /// δh of the readout for every step: steps × samples × classes.
    fn readout_backward(&self, error_logits: ArrayView2<'_, f32>) -> Buffer {
        let (samples, classes) = error_logits.dim();
        let (alpha, beta) = self.network.readout_constants();
        let over_time = self.network.spec.settings().readout.over_time;
        let mut delta = Buffer::zeros(self.steps * samples * classes);
        for sample in 0..samples {
            let readout = &self.readout[sample];
            for class in 0..classes {
                let error = error_logits[[sample, class]];
                let peak = match over_time {
                    OverTime::Max => {
                        let mut peak = 0;
                        for step in 1..=self.steps {
                            if readout[step * classes + class] > readout[peak * classes + class] {
                                peak = step;
                            }
                        }
                        peak
                    }
                    OverTime::Sum | OverTime::Last => self.steps,
                };
                // Errors of out and flt of the step after the one at hand.
                let (mut error_out, mut error_filtered) = (0.0, 0.0);
                for step in (0..self.steps).rev() {
                    let reaches = step + 1 == peak || over_time == OverTime::Sum;
                    delta[(step * samples + sample) * classes + class] = error_filtered;
                    error_out = flush(beta * error_out + if reaches { error } else { 0.0 });
                    error_filtered = flush(alpha * error_filtered + error_out);
                }
            }
        }
        delta
    }

    /// Turns ∂L/∂s from the layer above into δh, both steps × samples × units.
    fn layer_backward(
        &self,
        index: usize,
        mut error: Buffer,
        recurrent: Option<&[f32]>,
        units: usize,
    ) -> Buffer {
        let width = self.inputs.len() * units;
        let mut delta = Buffer::zeros(error.len());
        let mut error_membrane = Buffer::zeros(width);
        let mut error_synaptic = Buffer::zeros(width);
        let constants = self.network.constants();
        let surrogate = self.network.spec.settings().neuron.surrogate;
        for step in (0..self.steps).rev() {
            let now = step * width..(step + 1) * width;
            delta[now.clone()].copy_from_slice(&error_synaptic);
            let error = &mut error[now.clone()];
            if let Some(weight) = recurrent
                && step + 1 < self.steps
            {
                let after = &delta[(step + 1) * width..(step + 2) * width];
                add_product_transposed(error, 1.0, after, weight, (units, units));
            }
            let membrane = &self.membrane[index][now];
            let states = (&mut error_membrane[..], &mut error_synaptic[..]);
            step_back(constants, surrogate, membrane, error, states);
        }
        delta
    }

    /// Σ over samples and steps of xᵀ·δh, samples in order.
    fn weight_gradient<'b>(
        &'b self,
        (rows, columns): (usize, usize),
        delta: &[f32],
        input: impl Fn(usize) -> WeightInput<'b>,
    ) -> Array2<f32> {
        let samples = self.inputs.len();
        let mut gradient = vec![0.0; rows * columns];
        let mut active = Vec::new();
        for sample in 0..samples {
            let input = input(sample);
            for step in 0..self.steps {
                let delta = &delta[(step * samples + sample) * columns..][..columns];
                let (spikes, step) = match input {
                    WeightInput::Sample(StageInput::Counts(counts)) => {
                        let (rows, row_counts) = counts.row_slices(step);
                        scatter_rows(&mut gradient, rows, Some(row_counts), delta);
                        continue;
                    }
                    WeightInput::Sample(StageInput::Spikes(raster)) => (&**raster, step),
                    WeightInput::Spikes(raster, delay) if step >= delay => (raster, step - delay),
                    // Currents come after the input weights, and step 0 has no step before it.
                    WeightInput::Sample(StageInput::Currents(_)) | WeightInput::Spikes(..) => {
                        continue;
                    }
                };
                let words = spikes.words_per_step();
                list_active(&spikes.words()[step * words..][..words], &mut active);
                scatter_rows(&mut gradient, &active, None, delta);
            }
        }
        Array2::from_shape_vec((rows, columns), gradient).expect("made of that size")
    }

    fn check_shapes(
        &self,
        error_logits: ArrayView2<'_, f32>,
        error_spikes: Option<&[Array2<f32>]>,
    ) -> Result<(), NetworkError> {
        let wrong = |what, found, expected| NetworkError::WrongBatchShape {
            what,
            found,
            expected,
        };
        if error_logits.dim() != self.logits.dim() {
            let expected = self.logits.dim();
            return Err(wrong(
                "the error of the logits",
                error_logits.dim(),
                expected,
            ));
        }
        let Some(errors) = error_spikes else {
            return Ok(());
        };
        let what = "the error of the spikes";
        if errors.len() != self.spikes.len() {
            let (found, expected) = (errors.len(), self.spikes.len());
            return Err(wrong(
                "the list of errors of the spikes",
                (found, 1),
                (expected, 1),
            ));
        }
        for (error, spikes) in errors.iter().zip(&self.spikes) {
            let expected = (self.inputs.len(), spikes[0].units());
            if error.dim() != expected || !error.is_standard_layout() {
                return Err(wrong(what, error.dim(), expected));
            }
        }
        Ok(())
    }
}

/// What a weight's gradient multiplies δh with.
enum WeightInput<'a> {
    /// Spikes of a layer, this many steps before.
    Spikes(&'a SpikeRaster, usize),
    /// The sample as it enters the stage.
    Sample(&'a StageInput<'a>),
}

/// One step back, compiled once for each surrogate so that the choice is not made per neuron.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn step_back(
    constants: LifConstants,
    surrogate: Surrogate,
    membrane: &[f32],
    error: &[f32],
    (mem, syn): (&mut [f32], &mut [f32]),
) {
    match surrogate {
        Surrogate::FastSigmoid { slope } => {
            let derivative = |x| fast_sigmoid(slope, x);
            backward_step(constants, derivative, membrane, error, mem, syn);
        }
        Surrogate::Boxcar { half_width } => {
            let derivative = |x| boxcar(half_width, x);
            backward_step(constants, derivative, membrane, error, mem, syn);
        }
        Surrogate::Arctan { slope } => {
            let derivative = |x| arctan(slope, x);
            backward_step(constants, derivative, membrane, error, mem, syn);
        }
        Surrogate::Exponential { scale, slope } => {
            let derivative = |x| exponential(scale, slope, x);
            backward_step(constants, derivative, membrane, error, mem, syn);
        }
    }
}
