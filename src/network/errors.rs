//! Errors that a loss gives: its derivatives by whatever a block of samples did.

use std::collections::BTreeMap;

use ndarray::{Array2, Array3, Axis};

use super::{NetworkError, Trace};
use crate::kernels::buffers::Buffer;

/// ∂L/∂ of what a block of samples did, where a loss depends on it: its logits, the readout in single
/// steps, spikes and membrane potentials.
///
/// Layers are those of the stage, 0 for its lowest. Arrays with an axis of steps have as many as the longest
/// sample of the block; what stands in them after a sample's end is not read.
///
/// ```
/// use ndarray::{Array2, Array3, Axis};
/// use respike::network::Errors;
///
/// // Every logit should be larger, and layer 0 should spike less from step 50 on.
/// let late = Array3::from_shape_fn((4, 100, 200), |(_, step, _)| f64::from(u8::from(step >= 50)));
/// let errors = Errors::of_logits(Array2::from_elem((4, 20), -1.0)).and_spikes(0, late);
/// # let _ = errors;
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Errors {
    pub(super) logits: Option<Array2<f64>>,
    pub(super) readout: Option<Array3<f64>>,
    pub(super) layers: BTreeMap<usize, LayerErrors>,
}

/// Errors of one layer.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct LayerErrors {
    pub spikes_alike: Option<Array2<f64>>,
    pub spikes: Option<Array3<f64>>,
    pub membrane: Option<Array3<f64>>,
}

impl Errors {
    /// None: a loss that depends on nothing yet.
    pub fn none() -> Self {
        Self::default()
    }

    /// ∂L/∂logits: samples × classes.
    pub fn of_logits(errors: Array2<f64>) -> Self {
        Errors {
            logits: Some(errors),
            ..Self::default()
        }
    }

    /// Adds ∂L/∂(readout after each step): samples × steps × classes. Logits that are made of the readout
    /// count for themselves.
    #[must_use]
    pub fn and_readout(mut self, errors: Array3<f64>) -> Self {
        add_to(&mut self.readout, errors);
        self
    }

    /// Adds ∂L/∂s of each step of a layer: samples × steps × units.
    #[must_use]
    pub fn and_spikes(mut self, layer: usize, errors: Array3<f64>) -> Self {
        add_to(&mut self.layer(layer).spikes, errors);
        self
    }

    /// Adds ∂L/∂s of a layer that is the same in every step, as of losses on how often units spike:
    /// samples × units.
    #[must_use]
    pub fn and_spikes_alike(mut self, layer: usize, errors: Array2<f64>) -> Self {
        add_to(&mut self.layer(layer).spikes_alike, errors);
        self
    }

    /// Adds ∂L/∂(membrane potential as it is compared with the threshold) of a layer:
    /// samples × steps × units.
    #[must_use]
    pub fn and_membrane(mut self, layer: usize, errors: Array3<f64>) -> Self {
        add_to(&mut self.layer(layer).membrane, errors);
        self
    }

    /// Adds the errors of another loss on the same block, so that they are those of the sum of both.
    #[must_use]
    pub fn and(mut self, others: Errors) -> Self {
        if let Some(errors) = others.logits {
            add_to(&mut self.logits, errors);
        }
        if let Some(errors) = others.readout {
            add_to(&mut self.readout, errors);
        }
        for (layer, others) in others.layers {
            let errors = self.layer(layer);
            if let Some(others) = others.spikes_alike {
                add_to(&mut errors.spikes_alike, others);
            }
            if let Some(others) = others.spikes {
                add_to(&mut errors.spikes, others);
            }
            if let Some(others) = others.membrane {
                add_to(&mut errors.membrane, others);
            }
        }
        self
    }

    /// ∂L/∂logits of one sample.
    pub(crate) fn logits_of(&self, sample: usize, classes: usize) -> Vec<f64> {
        let errors = self.logits.as_ref();
        errors.map_or_else(|| vec![0.0; classes], |errors| errors.row(sample).to_vec())
    }

    /// ∂L/∂(readout after each step) of one sample, as far as it goes: steps × classes.
    pub(crate) fn readout_of(&self, sample: usize, extents: (usize, usize)) -> Array2<f64> {
        of_sample(self.readout.as_ref(), sample, extents)
    }

    /// ∂L/∂s of one sample in a layer: steps × units.
    pub(crate) fn spikes_of(
        &self,
        layer: usize,
        sample: usize,
        extents: (usize, usize),
    ) -> Array2<f64> {
        let layer = self.layers.get(&layer);
        let errors = layer.and_then(|layer| layer.spikes.as_ref());
        let mut errors = of_sample(errors, sample, extents);
        if let Some(alike) = layer.and_then(|layer| layer.spikes_alike.as_ref()) {
            errors += &alike.row(sample);
        }
        errors
    }

    /// ∂L/∂membrane of one sample in a layer: steps × units.
    pub(crate) fn membrane_of(
        &self,
        layer: usize,
        sample: usize,
        extents: (usize, usize),
    ) -> Array2<f64> {
        let layer = self.layers.get(&layer);
        of_sample(
            layer.and_then(|layer| layer.membrane.as_ref()),
            sample,
            extents,
        )
    }

    fn layer(&mut self, layer: usize) -> &mut LayerErrors {
        self.layers.entry(layer).or_default()
    }

    /// Refuses errors that are not of a trace's block, or that reach farther back than it.
    pub(super) fn check(&self, trace: &Trace<'_>) -> Result<(), NetworkError> {
        let (samples, steps) = (trace.inputs.len(), trace.steps);
        let classes = trace.stage.network.spec.classes();
        let wrong = |what, found: &[usize], expected: &[usize]| match found == expected {
            true => Ok(()),
            false => Err(NetworkError::WrongBatchShape {
                what,
                found: found.to_vec(),
                expected: expected.to_vec(),
            }),
        };
        if let Some(logits) = &self.logits {
            wrong(
                "the error of the logits",
                logits.shape(),
                &[samples, classes],
            )?;
        }
        if let Some(readout) = &self.readout {
            let expected = [samples, steps, classes];
            wrong("the error of the readout", readout.shape(), &expected)?;
        }
        for (&layer, errors) in &self.layers {
            let Some(spikes) = trace.spikes.get(layer) else {
                let layers = trace.spikes.len();
                return Err(NetworkError::NoSuchLayer { layer, layers });
            };
            let units = spikes[0].units();
            if let Some(alike) = &errors.spikes_alike {
                let expected = [samples, units];
                wrong("the error of the spikes", alike.shape(), &expected)?;
            }
            let expected = [samples, steps, units];
            for (what, errors) in [
                ("the error of the spikes", &errors.spikes),
                ("the error of the membranes", &errors.membrane),
            ] {
                if let Some(errors) = errors {
                    wrong(what, errors.shape(), &expected)?;
                }
            }
        }
        let beyond_logits = self.readout.is_some() || !self.layers.is_empty();
        if beyond_logits && !trace.reaches_every_step() {
            return Err(NetworkError::ShortReach);
        }
        Ok(())
    }
}

/// As many steps of one sample as it lasts.
fn of_sample(
    errors: Option<&Array3<f64>>,
    sample: usize,
    (steps, columns): (usize, usize),
) -> Array2<f64> {
    match errors {
        None => Array2::zeros((steps, columns)),
        Some(errors) => {
            let errors = errors.index_axis(Axis(0), sample);
            errors.slice_axis(Axis(0), (..steps).into()).to_owned()
        }
    }
}

/// Adds to what is there. Of arrays of different extents becomes one of none, which [`Errors::check`] refuses.
fn add_to<D: ndarray::Dimension>(
    sum: &mut Option<ndarray::Array<f64, D>>,
    errors: ndarray::Array<f64, D>,
) {
    match sum {
        None => *sum = Some(errors),
        Some(sum) if sum.shape() == errors.shape() => *sum += &errors,
        Some(sum) => *sum = ndarray::Array::zeros(D::zeros(sum.ndim())),
    }
}

/// Adds samples × steps × units to a buffer with rows of `stride` numbers.
pub(super) fn add_padded(errors: &Array3<f64>, buffer: &mut Buffer, stride: usize) {
    let rows = errors
        .rows()
        .into_iter()
        .zip(buffer.chunks_exact_mut(stride));
    for (errors, row) in rows {
        for (slot, error) in row.iter_mut().zip(errors) {
            *slot += *error as f32;
        }
    }
}
