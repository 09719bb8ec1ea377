//! About how much work the pieces of a suite are, for saying how long the rest will take.
//!
//! In: experiments, the size of the data and of the network. Out: weights times samples.

use crate::baseline::{GROUPS, NETWORK_WINDOWS, WINDOWS};
use crate::continual::Experiment;
use crate::dataset::Dataset;
use crate::network::NetworkSpec;
use crate::replay::Capacity;

/// What costs depend on besides the experiment.
pub(super) struct Costs<'a> {
    pub(super) data: &'a Dataset,
    pub(super) spec: &'a NetworkSpec,
}

impl Costs<'_> {
    /// About how much work a pre-training is.
    pub(super) fn pretraining(&self, experiment: &Experiment) -> f64 {
        let samples = 0.8 * self.data.len() as f64;
        experiment.pretrain_epochs.unwrap_or(0) as f64 * samples * self.weights(None)
    }

    /// About how much work controls are: products of all pairs of features, for three rules and what is tried of each.
    pub(super) fn controls(&self) -> f64 {
        let spec = self.spec.settings();
        let neurons: usize = spec.layers.iter().map(|layer| layer.units).sum();
        let features = (neurons * NETWORK_WINDOWS + GROUPS * WINDOWS) as f64;
        self.data.len() as f64 * features.powi(2) * 0.4
    }

    /// About how much work an experiment is.
    pub(super) fn cell(&self, experiment: &Experiment) -> f64 {
        let (all, classes) = (self.data.len() as f64, self.data.classes().len());
        // Where many things are learned, they are about all classes but the known ones, or all samples in small batches.
        let scenario = &experiment.scenario;
        let (tasks, new) = match (scenario.is_single(), scenario.base_classes()) {
            (true, _) => (1, all / classes as f64),
            (false, Some(base)) => (classes.saturating_sub(base), all / classes as f64),
            (false, None) => (1, all),
        };
        let method = &experiment.method;
        if method.head.learns_alone() {
            return 0.2 * all * self.weights(method.lr_index);
        }
        let old = match method.capacity() {
            _ if method.is_ceiling() => all,
            Some(Capacity::Samples(samples)) => samples as f64,
            Some(Capacity::Bytes(_)) => all / 2.0,
            None => 0.0,
        };
        // Testing runs forward only, over a fifth of the samples.
        let samples = 0.8 * new + old + 0.05 * all;
        (experiment.epochs * tasks) as f64 * samples * self.weights(method.lr_index)
    }

    /// Weights above an LR index, with some for what every sample costs.
    fn weights(&self, lr_index: Option<usize>) -> f64 {
        let spec = self.spec;
        let layers = spec.settings().layers.iter().enumerate();
        let learning = layers.skip(lr_index.unwrap_or(0));
        let hidden = learning.map(|(layer, settings)| {
            // Input weights of layer 1 are only met by events, which are few.
            let share = if layer == 0 { 0.3 } else { 1.0 };
            let recurrent = if settings.recurrent {
                settings.units
            } else {
                0
            };
            (share * spec.fan_in(layer) as f64 + recurrent as f64) * settings.units as f64
        });
        let readout = spec.fan_in(spec.depth()) * spec.classes();
        hidden.sum::<f64>() + readout as f64 + 2000.0
    }
}
