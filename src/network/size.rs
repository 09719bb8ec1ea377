//! How much memory a network takes, and what runs through it: all that its settings decide, so that what
//! can't be held is refused before anything is allocated.

use super::{NetworkSettings, NetworkSpec, ParameterName, Stage};
use crate::ceiling::{self, TooLarge};
use crate::neuron::NeuronModel;

/// Bytes of an f32.
const NUMBER: u128 = size_of::<f32>() as u128;
/// Samples that one thread runs at a time; training and testing cut their batches into such blocks.
const SAMPLES_PER_BLOCK: u128 = 16;
/// Bytes for a cell of a confusion matrix: a u32 in each of the four that may be there at a time (of
/// the epoch, the first, the last and the record's), and its digits in the record's text.
const CONFUSION_CELL: u128 = 4 * 4 + 8;
/// Copies of the weights that running and training keep besides their gradients: the weights, the same
/// in whole vectors and transposed, and two moments of the optimiser.
const COPIES: u128 = 5;

/// Something that takes memory.
type Part = (String, u128);

impl NetworkSettings {
    /// Refuses a network that the machine can't hold, with a block of samples running through it and
    /// its confusion matrices. Sizes must be in range.
    pub(super) fn check_memory(&self, neurons: &[NeuronModel]) -> Result<(), TooLarge> {
        check(&[
            self.weights_part(Stage::Whole, 0),
            self.block_part(neurons, 1, self.input.steps),
            self.confusion_part(),
        ])
    }

    fn weights_part(&self, stage: Stage, gradients: u128) -> Part {
        let mut before = self.input.units;
        let (mut all, mut trained) = (0, 0);
        let mut add = |name, rows: usize, columns: usize| {
            let weights = rows as u128 * columns as u128;
            all += weights;
            trained += weights * u128::from(stage.trains(name));
        };
        for (index, layer) in self.layers.iter().enumerate() {
            add(ParameterName::Input(index), before, layer.units);
            if layer.recurrent {
                add(ParameterName::Recurrent(index), layer.units, layer.units);
            }
            if layer.bias {
                add(ParameterName::Bias(index), 1, layer.units);
            }
            before = layer.units;
        }
        if self.readout.model.has_weights() {
            add(ParameterName::Readout, before, self.readout.classes);
        }
        let what = match gradients {
            0 | 1 => format!("{all} weights"),
            several => format!(
                "{all} weights and {several} sets of gradients, one for every {SAMPLES_PER_BLOCK} samples of a batch,"
            ),
        };
        (what, (all * COPIES + trained * gradients) * NUMBER)
    }

    /// States of so many blocks at a time.
    fn block_part(&self, neurons: &[NeuronModel], blocks: u128, steps: usize) -> Part {
        let (steps, classes) = (steps as u128, self.readout.classes as u128);
        let units = self.layers.iter().map(|layer| layer.units as u128);
        let largest = units.clone().max().unwrap_or(0);
        // What the neurons of each layer note, and their errors.
        let noted = units.zip(neurons).map(|(units, neuron)| {
            let tape = neuron.counts().tape as u128;
            units * (tape + 1)
        });
        // Beside them input currents of one layer, errors of the readout, and its trace if that is kept.
        let traces = 1 + u128::from(self.readout.model.collect().is_none());
        let numbers = noted.sum::<u128>() + largest + traces * classes;
        let samples = blocks * SAMPLES_PER_BLOCK;
        let what = format!("the states of {samples} samples at a time over {steps} steps");
        (what, samples * steps * numbers * NUMBER)
    }

    fn confusion_part(&self) -> Part {
        let classes = self.readout.classes as u128;
        let what = format!("confusion matrices of {classes} × {classes} classes");
        (what, classes * classes * CONFUSION_CELL)
    }
}

impl NetworkSpec {
    /// Refuses to train a stage with batches of so many samples, the longest of so many steps, if the machine can't hold what that
    /// takes: weights, the optimiser's moments, a gradient for every 16 samples of a batch, the states of
    /// as many samples as run at a time, and confusion matrices.
    ///
    /// # Errors
    /// [`TooLarge`], with what takes most.
    pub fn check_training_memory(
        &self,
        stage: Stage,
        batch: usize,
        steps: usize,
    ) -> Result<(), TooLarge> {
        let blocks = (batch as u128).div_ceil(SAMPLES_PER_BLOCK).max(1);
        let at_a_time = blocks.min(rayon::current_num_threads() as u128);
        let settings = self.settings();
        check(&[
            settings.weights_part(stage, blocks),
            settings.block_part(self.neurons(), at_a_time, steps.max(self.steps())),
            settings.confusion_part(),
        ])
    }
}

fn check(parts: &[Part]) -> Result<(), TooLarge> {
    let needed: u128 = parts.iter().map(|(_, bytes)| bytes).sum();
    let largest = parts.iter().max_by_key(|(_, bytes)| *bytes);
    let largest = largest.map_or("nothing", |(what, _)| what);
    let what = format!("a network with {largest}");
    ceiling::check(what.trim_end_matches(','), u64::try_from(needed).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::SpecError;

    fn refused(change: impl Fn(&mut NetworkSettings)) -> String {
        let mut settings = NetworkSpec::dequino2024().settings().clone();
        change(&mut settings);
        match settings.check() {
            Err(SpecError::Memory(error)) => error.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn networks_that_no_machine_holds_are_refused_by_what_takes_most() {
        let said = refused(|settings| {
            settings.input.steps = 65_536;
            for layer in &mut settings.layers {
                (layer.units, layer.recurrent) = (16_000, false);
            }
            settings.layers.truncate(1);
            settings.input.units = 1;
            settings.readout.classes = 16_000;
        });
        // 16 samples × 65536 steps × (3 + 1 + 1) × 16000 numbers of 4 bytes, and the weights.
        assert!(said.contains("the states of 16 samples"), "{said}");
        assert!(
            said.contains("3.47 GB") || said.contains("346.8 GB"),
            "{said}"
        );
    }

    #[test]
    fn batches_are_counted_with_their_gradients() {
        let spec = NetworkSpec::dequino2024();
        let stage = Stage::Whole;
        assert!(spec.check_training_memory(stage, 64, 100).is_ok());
        let refused = spec
            .check_training_memory(stage, usize::MAX, 100)
            .expect_err("no machine");
        assert!(
            refused.to_string().contains("sets of gradients"),
            "{refused}"
        );
    }
}
