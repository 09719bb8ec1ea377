use ndarray::{Array2, Array3};

use super::{NetworkError, Trace};

/// What a block of samples did, as losses see it: all in f64, samples first.
///
/// Layers are those of the stage, 0 for its lowest. Arrays with an axis of steps have as many as the longest
/// sample, and 0 after a sample's end.
pub trait BlockActivity {
    /// Samples.
    fn samples(&self) -> usize;
    /// Steps that a sample lasts.
    fn steps_of(&self, sample: usize) -> usize;
    /// Layers whose spikes the stage computes.
    fn layers(&self) -> usize;
    /// One number a class, not normalised: samples × classes.
    fn logits(&self) -> Array2<f64>;
    /// The readout after each step: samples × steps × classes.
    fn readout(&self) -> Array3<f64>;
    /// How often each unit of a layer spiked: samples × units.
    ///
    /// # Panics
    /// If there is no such layer, here and in the two below.
    fn spike_counts(&self, layer: usize) -> Array2<f64>;
    /// The spikes of a layer, 1 or 0: samples × steps × units.
    fn spikes(&self, layer: usize) -> Array3<f64>;
    /// The membrane potentials of a layer as each step compares them with the threshold:
    /// samples × steps × units.
    ///
    /// # Errors
    /// [`NetworkError::ShortReach`] unless the objective's reach is
    /// [`Reach::EveryStep`](super::Reach::EveryStep).
    fn membrane(&self, layer: usize) -> Result<Array3<f64>, NetworkError>;
}

impl BlockActivity for Trace<'_> {
    fn samples(&self) -> usize {
        self.inputs.len()
    }

    fn steps_of(&self, sample: usize) -> usize {
        self.inputs[sample].steps()
    }

    fn layers(&self) -> usize {
        self.spikes.len()
    }

    fn logits(&self) -> Array2<f64> {
        self.logits.mapv(f64::from)
    }

    fn readout(&self) -> Array3<f64> {
        self.readout().mapv(f64::from)
    }

    fn spike_counts(&self, layer: usize) -> Array2<f64> {
        let units = self.spikes[layer][0].units();
        let mut counts = Array2::zeros((self.inputs.len(), units));
        for (mut row, raster) in counts.rows_mut().into_iter().zip(&self.spikes[layer]) {
            for (slot, count) in row.iter_mut().zip(raster.counts_per_unit()) {
                *slot = f64::from(count);
            }
        }
        counts
    }

    fn spikes(&self, layer: usize) -> Array3<f64> {
        let units = self.spikes[layer][0].units();
        let mut spikes = Array3::zeros((self.inputs.len(), self.steps, units));
        for (sample, raster) in self.spikes[layer].iter().enumerate() {
            for step in 0..raster.steps() {
                for unit in raster.active(crate::ids::TimeStep(step)) {
                    spikes[[sample, step, unit.0]] = 1.0;
                }
            }
        }
        spikes
    }

    fn membrane(&self, layer: usize) -> Result<Array3<f64>, NetworkError> {
        Ok(self.membrane(layer)?.mapv(f64::from))
    }
}
