//! A block of samples after it has run in f64, as losses see it.

use ndarray::{Array2, Array3, Axis};

use super::exact::ExactLayer;
use crate::network::{BlockActivity, NetworkError};

/// A block after it has run in f64.
pub(super) struct ExactBlock<'a> {
    pub samples: Vec<ExactSample<'a>>,
    pub steps: usize,
}

/// A sample after it has run.
pub(super) struct ExactSample<'a> {
    pub layers: Vec<LayerInF64<'a>>,
    /// What drove the readout, and what came of it.
    pub read: Array2<f64>,
    pub readout: Array2<f64>,
    pub logits: Vec<f64>,
}

pub(super) struct LayerInF64<'a> {
    /// What drove it, delayed: steps × fan-in, or currents.
    pub input: Array2<f64>,
    pub spikes: Array2<f64>,
    pub membranes: Array2<f64>,
    pub neurons: Box<dyn ExactLayer + 'a>,
}

impl BlockActivity for ExactBlock<'_> {
    fn samples(&self) -> usize {
        self.samples.len()
    }

    fn steps_of(&self, sample: usize) -> usize {
        self.samples[sample].readout.nrows()
    }

    fn layers(&self) -> usize {
        self.samples.first().map_or(0, |sample| sample.layers.len())
    }

    fn logits(&self) -> Array2<f64> {
        let classes = self.samples.first().map_or(0, |sample| sample.logits.len());
        Array2::from_shape_fn((self.samples.len(), classes), |(sample, class)| {
            self.samples[sample].logits[class]
        })
    }

    fn readout(&self) -> Array3<f64> {
        self.stacked(|sample| &sample.readout)
    }

    fn spike_counts(&self, layer: usize) -> Array2<f64> {
        self.spikes(layer).sum_axis(Axis(1))
    }

    fn spikes(&self, layer: usize) -> Array3<f64> {
        self.stacked(|sample| &sample.layers[layer].spikes)
    }

    fn membrane(&self, layer: usize) -> Result<Array3<f64>, NetworkError> {
        Ok(self.stacked(|sample| &sample.layers[layer].membranes))
    }
}

impl<'a> ExactBlock<'a> {
    /// Something of all samples, 0 after a sample's end.
    fn stacked(&self, of: impl for<'b> Fn(&'b ExactSample<'a>) -> &'b Array2<f64>) -> Array3<f64> {
        let columns = self.samples.first().map_or(0, |sample| of(sample).ncols());
        let mut all = Array3::zeros((self.samples.len(), self.steps, columns));
        for (mut slot, sample) in all.outer_iter_mut().zip(&self.samples) {
            let values = of(sample);
            let mut lasting = slot.slice_axis_mut(Axis(0), (..values.nrows()).into());
            lasting.assign(values);
        }
        all
    }
}
