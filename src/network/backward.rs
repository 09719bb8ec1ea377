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
use rayon::prelude::*;

use super::parameters::slice_of;
use super::{Network, NetworkError, ParameterName, Stage, StageInput, Trace};
use crate::kernels::backward::LayerBackward;
use crate::kernels::buffers::Buffer;
use crate::kernels::gather::ActiveLists;
use crate::kernels::lanes::{padded, run};
use crate::kernels::readout::ReadoutBackward;
use crate::kernels::weights::{ActiveSteps, WeightGradient};
use crate::spikes::{SpikeCounts, SpikeRaster};

/// Numbers that one thread adds up at a time.
const PIECE: usize = 1 << 13;

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

    /// Gradients of zero for every weight that the stage trains.
    pub(crate) fn zeros(network: &Network, stage: Stage) -> Self {
        let weights = network.parameters.iter();
        let trained = weights.filter(|(name, _)| stage.trains(*name));
        let by_name = trained.map(|(name, weight)| (name, Array2::zeros(weight.dim())));
        Gradients {
            by_name: by_name.collect(),
        }
    }

    /// Makes every gradient 0.
    pub(crate) fn clear(&mut self) {
        for gradient in self.by_name.values_mut() {
            gradient.fill(0.0);
        }
    }

    /// Whether these are gradients of that network's stage.
    pub(crate) fn fit(&self, network: &Network, stage: Stage) -> bool {
        let weights = network.parameters.iter();
        let mut trained = weights.filter(|(name, _)| stage.trains(*name));
        trained.all(|(name, weight)| self.get(name).is_some_and(|g| g.dim() == weight.dim()))
    }

    fn slice_mut(&mut self, name: ParameterName) -> &mut [f32] {
        let gradient = self.by_name.get_mut(&name);
        let gradient = gradient.expect("`zeros` made one for each weight that is trained");
        gradient.as_slice_mut().expect("made row-major")
    }

    /// Adds other gradients of the same stage to these, in their order, number by number.
    ///
    /// # Panics
    /// If the others come from another network or stage.
    pub(crate) fn add_all(&mut self, others: &[Gradients]) {
        for (name, gradient) in &mut self.by_name {
            let sums = gradient.as_slice_mut().expect("made row-major");
            let others = others.iter().map(|other| {
                let other = other.get(*name).expect("gradients of the same stage");
                slice_of(other)
            });
            let others: Vec<&[f32]> = others.collect();
            sums.par_chunks_mut(PIECE)
                .enumerate()
                .for_each(|(piece, sums)| {
                    for other in &others {
                        let other = &other[piece * PIECE..][..sums.len()];
                        for (sum, value) in sums.iter_mut().zip(other) {
                            *sum += value;
                        }
                    }
                });
        }
    }
}

impl Trace<'_> {
    /// Gradients of a loss on the logits, summed over the block's samples.
    ///
    /// `error_logits` is ∂L/∂logits, samples × classes. `error_spikes`, if given, adds to ∂L/∂s a
    /// term that is the same in every step: for each layer of the stage an array samples × units
    /// (what spike-rate regularisers need); the trace must then be one of [`Reach::EveryStep`](super::Reach::EveryStep).
    ///
    /// # Errors
    /// [`NetworkError::WrongBatchShape`] and [`NetworkError::ShortReach`].
    pub fn backward(
        &self,
        error_logits: ArrayView2<'_, f32>,
        error_spikes: Option<&[Array2<f32>]>,
    ) -> Result<Gradients, NetworkError> {
        let mut gradients = Gradients::zeros(self.stage.network, self.stage.stage);
        self.add_gradients(error_logits, error_spikes, &mut gradients)?;
        Ok(gradients)
    }

    /// Adds the gradients to those of other blocks of the same stage.
    pub(crate) fn add_gradients(
        &self,
        error_logits: ArrayView2<'_, f32>,
        error_spikes: Option<&[Array2<f32>]>,
        gradients: &mut Gradients,
    ) -> Result<(), NetworkError> {
        self.check_shapes(error_logits, error_spikes)?;
        let layers = &self.stage.network.spec.settings().layers;
        let first = self.stage.stage.first_layer();
        let deltas = self.deltas(error_logits, error_spikes);
        let mut turned = Turned::default();
        for source in 0..=self.spikes.len() {
            // What the source drives: the layer above it, and itself.
            let above = match source < self.spikes.len() {
                true => ParameterName::Input(first + source),
                false => ParameterName::Readout,
            };
            let above = self.stage.stage.trains(above).then_some(above);
            let itself = source.checked_sub(1);
            let itself = itself.filter(|&layer| layers[first + layer].recurrent);
            if above.is_none() && itself.is_none() {
                continue;
            }
            for &(sample, reached) in &self.reach {
                turned.turn(self.source(source, sample), reached);
                if let Some(name) = above {
                    let delta = self.delta_of(&deltas[source], sample, 0..reached);
                    self.add_weight_gradient(&turned, delta, gradients.slice_mut(name));
                }
                // A layer's own spikes act a step later.
                if let Some(layer) = itself
                    && reached > 0
                {
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
        error_logits: ArrayView2<'_, f32>,
        error_spikes: Option<&[Array2<f32>]>,
    ) -> Vec<(Buffer, usize)> {
        let mut above = (
            self.readout_backward(error_logits),
            self.stage.network.spec.classes(),
        );
        let mut deltas = Vec::with_capacity(self.spikes.len() + 1);
        for index in (0..self.spikes.len()).rev() {
            let error = error_spikes.map(|errors| &errors[index]);
            let delta = self.layer_backward(index, &above.0, above.1, error);
            deltas.push(std::mem::replace(&mut above, delta));
        }
        deltas.push(above);
        deltas.reverse();
        deltas
    }

    /// What drives the stage's layer `source`, or the readout if there is none: the sample itself or
    /// the spikes of the layer before.
    fn source(&self, source: usize, sample: usize) -> WeightInput<'_> {
        match (source.checked_sub(1), &self.inputs[sample]) {
            (Some(before), _) => WeightInput::Spikes(&self.spikes[before][sample]),
            (None, StageInput::Counts(counts)) => WeightInput::Counts(counts),
            (None, StageInput::Spikes(raster)) => WeightInput::Spikes(raster),
            (None, StageInput::Currents(_)) => {
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
        turned: &Turned,
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
    fn readout_backward(&self, error_logits: ArrayView2<'_, f32>) -> Buffer {
        let (samples, classes) = error_logits.dim();
        let stride = padded(self.stage.simd, classes);
        let mut delta = Buffer::stale(samples * self.steps * stride);
        let mut errors = Buffer::zeros(stride);
        for &(sample, reached) in &self.reach {
            for (error, &logit) in errors.iter_mut().zip(error_logits.row(sample)) {
                *error = logit;
            }
            run(
                self.stage.simd,
                ReadoutBackward {
                    constants: self.stage.network.readout_constants(),
                    collect: self.stage.network.collect(),
                    errors: &errors,
                    peaks: &self.peaks[sample * stride..][..stride],
                    steps: self.steps,
                    delta: &mut delta[sample * self.steps * stride..][..reached * stride],
                },
            );
        }
        delta
    }

    /// Turns δ of the layer above, of `above` units, into δ of this layer.
    fn layer_backward(
        &self,
        index: usize,
        delta_above: &[f32],
        above: usize,
        error_spikes: Option<&Array2<f32>>,
    ) -> (Buffer, usize) {
        let layer = self.stage.stage.first_layer() + index;
        let units = self.stage.network.spec.settings().layers[layer].units;
        let transposed = self.stage.transposed();
        let stride = padded(self.stage.simd, units);
        let samples = self.inputs.len();
        let mut delta = Buffer::stale(samples * self.steps * stride);
        let every_step = error_spikes.map(|errors| {
            let mut padded = Buffer::zeros(samples * stride);
            for (row, errors) in padded.chunks_exact_mut(stride).zip(errors.rows()) {
                for (slot, &error) in row.iter_mut().zip(errors) {
                    *slot = error;
                }
            }
            padded
        });
        let mut error = Buffer::stale(samples * stride);
        let mut error_membrane = Buffer::zeros(samples * stride);
        let mut error_synaptic = Buffer::zeros(samples * stride);
        run(
            self.stage.simd,
            LayerBackward {
                constants: self.stage.network.constants(),
                surrogate: self.stage.network.spec.settings().neuron.surrogate,
                reach: &self.reach,
                steps: self.steps,
                above: delta_above,
                above_stride: padded(self.stage.simd, above),
                feed: &transposed.feed[index],
                recurrent: transposed.recurrent[index].as_ref(),
                membrane: &self.membrane[index],
                stride,
                every_step: every_step.as_deref(),
                delta: &mut delta,
                errors: [&mut error, &mut error_membrane, &mut error_synaptic],
            },
        );
        (delta, units)
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
        if self.reach.iter().any(|&(_, reached)| reached < self.steps) {
            return Err(NetworkError::ShortReach);
        }
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
    /// Spikes of a layer.
    Spikes(&'a SpikeRaster),
    /// Event counts.
    Counts(&'a SpikeCounts),
}

/// A sample turned around: for each unit, the steps in which it was active.
#[derive(Default)]
struct Turned {
    lists: ActiveLists,
    steps: ActiveSteps,
}

impl Turned {
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
