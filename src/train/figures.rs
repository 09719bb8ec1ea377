use serde::{Deserialize, Serialize};

use super::batch_work::BatchFigures;
use crate::network::{Gradients, NetworkSpec, Stage};

/// What an epoch of training came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EpochFigures {
    /// Mean of the objective, of cross-entropy in nats, each sample under the weights of its batch's time.
    pub loss: f64,
    /// Share of the samples classified rightly, likewise.
    pub accuracy: f64,
    /// Samples trained on.
    pub samples: usize,
    /// The learning rate of the last step, before factors of groups.
    pub learning_rate: f32,
    /// Each hidden layer that was trained, and the readout where it is.
    #[serde(default)]
    pub layers: Vec<LayerFigures>,
}

/// What an epoch of training saw of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LayerFigures {
    /// Which hidden layer, 0 first; none for the readout.
    pub layer: Option<usize>,
    /// The norm of a batch's gradient of all parameters of the layer, before clipping: the mean over batches.
    pub gradient_norm: f64,
    /// Spikes of a neuron in a step, the mean over neurons, steps and samples; the readout has none.
    pub spikes_per_step: Option<f64>,
}

/// The same while an epoch is under way.
#[derive(Debug)]
pub(super) struct Sums {
    loss: f64,
    correct: usize,
    samples: usize,
    batches: usize,
    /// Hidden layers of the stage, then the readout.
    norms: Vec<f64>,
    spikes: Vec<u64>,
    /// Steps that each of these layers ran for.
    steps: Vec<u64>,
    first: usize,
    units: Vec<usize>,
}

impl Sums {
    /// Nothing yet of a stage.
    pub fn new(spec: &NetworkSpec, stage: Stage) -> Self {
        let first = stage.first_layer();
        let layers = &spec.settings().layers[first..];
        Sums {
            loss: 0.0,
            correct: 0,
            samples: 0,
            batches: 0,
            norms: vec![0.0; layers.len() + 1],
            spikes: vec![0; layers.len()],
            steps: vec![0; layers.len()],
            first,
            units: layers.iter().map(|layer| layer.units).collect(),
        }
    }

    /// Adds what a batch of so many samples came to, and gives the norm of all its gradients.
    pub fn add(&mut self, samples: usize, batch: &BatchFigures, gradients: &Gradients) -> f64 {
        self.loss += batch.loss_sum;
        self.correct += batch.correct;
        self.samples += samples;
        self.batches += 1;
        for (sum, spikes) in self.spikes.iter_mut().zip(&batch.spikes) {
            *sum += spikes;
        }
        for (sum, steps) in self.steps.iter_mut().zip(&batch.steps) {
            *sum += steps;
        }
        let mut squares = 0.0;
        for (layer, norm) in gradients.norms_of_layers() {
            let place = layer.map_or(self.units.len(), |layer| layer - self.first);
            self.norms[place] += norm;
            squares += norm * norm;
        }
        squares.sqrt()
    }

    /// Samples so far.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// What the epoch came to.
    pub fn figures(self, learning_rate: f32) -> EpochFigures {
        let samples = self.samples as f64;
        let batches = self.batches.max(1) as f64;
        let layers = self.norms.iter().enumerate().map(|(place, norm)| {
            let units = self.units.get(place);
            LayerFigures {
                layer: units.map(|_| self.first + place),
                gradient_norm: norm / batches,
                spikes_per_step: units.map(|&units| {
                    let cells = (self.steps[place] * units as u64).max(1);
                    self.spikes[place] as f64 / cells as f64
                }),
            }
        });
        EpochFigures {
            loss: self.loss / samples,
            accuracy: self.correct as f64 / samples,
            samples: self.samples,
            learning_rate,
            layers: layers.collect(),
        }
    }
}
