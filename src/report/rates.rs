//! How often neurons spike.
//!
//! In: a network and samples. Out: for each hidden layer the spikes of each neuron on the samples of each class.

use std::fmt::Write as _;

use ndarray::{Array2, Axis};
use rayon::prelude::*;

use crate::dataset::{Dataset, Sample};
use crate::ids::ClassId;
use crate::network::{Network, NetworkError, Reach, Stage, StageInput};
use crate::spikes::SpikeRaster;
use crate::storage::shown;

/// So many samples run at a time.
const SAMPLES_PER_BLOCK: usize = 16;

/// Spikes by layer, class and neuron.
#[derive(Debug, Clone, PartialEq)]
pub struct FiringRates {
    /// How long each sample lasts, in seconds.
    seconds: f64,
    /// Names of the classes.
    class_names: Vec<String>,
    /// Samples of each class.
    samples: Vec<u64>,
    /// For each layer, spikes: classes × neurons.
    spikes: Vec<Array2<u64>>,
}

impl FiringRates {
    /// Runs all samples of a dataset through a network. Classes are those of the data.
    ///
    /// # Errors
    /// [`NetworkError`] if the data does not fit the network.
    pub fn of(network: &Network, data: &Dataset) -> Result<Self, NetworkError> {
        let largest = data.classes().last().map_or(0, |class| class.index() + 1);
        let classes = data.class_names().len().max(largest);
        let class_names = (0..classes).map(|class| data.class_name(ClassId(class as u16)));
        let layers = network.spec().settings().layers.iter();
        let mut spikes: Vec<Array2<u64>> = layers
            .map(|layer| Array2::zeros((classes, layer.units)))
            .collect();
        let mut samples = vec![0; classes];
        let all: Vec<&Sample> = data.iter().map(|(_, sample)| sample).collect();
        let prepared = network.prepare(Stage::Whole);
        let blocks = all.par_chunks(SAMPLES_PER_BLOCK).map(|block| {
            let inputs = block
                .iter()
                .map(|sample| StageInput::counts(&sample.counts));
            let inputs: Vec<StageInput<'_>> = inputs.collect();
            let trace = prepared.trace(&inputs, Reach::Logits)?;
            let of_layer = |layer: usize| {
                let rasters = trace.spikes(layer).iter();
                rasters.map(SpikeRaster::counts_per_unit).collect()
            };
            Ok((0..trace.layers()).map(of_layer).collect())
        });
        let blocks: Vec<Vec<Vec<Vec<u32>>>> = blocks.collect::<Result<_, NetworkError>>()?;
        for (block, counted) in all.chunks(SAMPLES_PER_BLOCK).zip(blocks) {
            for sample in block {
                samples[sample.class.index()] += 1;
            }
            for (sums, of_layer) in spikes.iter_mut().zip(counted) {
                for (sample, counts) in block.iter().zip(of_layer) {
                    let sums = sums.row_mut(sample.class.index()).into_iter();
                    sums.zip(counts)
                        .for_each(|(sum, count)| *sum += u64::from(count));
                }
            }
        }
        Ok(FiringRates {
            seconds: data.grid().max_time_s(),
            class_names: class_names.collect(),
            samples,
            spikes,
        })
    }

    /// Hidden layers.
    pub fn layers(&self) -> usize {
        self.spikes.len()
    }

    /// Names of the classes.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// Samples of all classes.
    pub fn samples(&self) -> u64 {
        self.samples.iter().sum()
    }

    /// Spikes per neuron and second of a layer (0 first) on samples of each class; none of a class without samples.
    ///
    /// # Panics
    /// If there is no such layer, here and below.
    pub fn of_classes_hz(&self, layer: usize) -> Vec<Option<f64>> {
        let spikes = &self.spikes[layer];
        let rows = spikes.outer_iter().zip(&self.samples);
        let rates = rows.map(|(row, &samples)| {
            let neurons = row.len() as f64;
            (samples > 0).then(|| row.sum() as f64 / (neurons * samples as f64 * self.seconds))
        });
        rates.collect()
    }

    /// Spikes per second of each neuron of a layer, on all samples.
    pub fn of_neurons_hz(&self, layer: usize) -> Vec<f64> {
        let whole = self.samples() as f64 * self.seconds;
        let sums = self.spikes[layer].sum_axis(Axis(0));
        sums.iter().map(|&spikes| spikes as f64 / whole).collect()
    }

    /// How many neurons of a layer spike on no sample at all.
    pub fn silent_neurons(&self, layer: usize) -> usize {
        let sums = self.spikes[layer].sum_axis(Axis(0));
        sums.iter().filter(|&&spikes| spikes == 0).count()
    }

    /// All of it as comma-separated values: a row for each layer (1 first), neuron (0 first) and class that there
    /// are samples of.
    pub fn csv(&self) -> String {
        let mut text = "layer,neuron,class,samples,spikes,hz\n".to_string();
        for (layer, spikes) in self.spikes.iter().enumerate() {
            for (neuron, of_neuron) in spikes.axis_iter(Axis(1)).enumerate() {
                let classes = self.class_names.iter().zip(&self.samples).zip(of_neuron);
                for ((name, &samples), spikes) in classes.filter(|((_, samples), _)| **samples > 0)
                {
                    let hz = *spikes as f64 / (samples as f64 * self.seconds);
                    // Writing to a string can't fail.
                    let _ = writeln!(
                        text,
                        "{},{neuron},{},{samples},{spikes},{hz:.6}",
                        layer + 1,
                        quoted(name)
                    );
                }
            }
        }
        text
    }
}

/// A name as a cell.
fn quoted(name: &str) -> String {
    let name = shown(name);
    match name.contains([',', '"']) {
        true => format!("\"{}\"", name.replace('"', "\"\"")),
        false => name.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn rates_are_spikes_per_neuron_and_second() {
        let rates = FiringRates {
            seconds: 0.5,
            class_names: ["red", "a, \"b\"", "none"].map(String::from).to_vec(),
            samples: vec![4, 1, 0],
            spikes: vec![array![[8, 0, 0], [1, 2, 0], [0, 0, 0]]],
        };
        // 8 spikes of 3 neurons in 4 samples of half a second.
        let expected = [Some(8.0 / (3.0 * 2.0)), Some(3.0 / 1.5), None];
        assert_eq!(rates.of_classes_hz(0), expected);
        assert_eq!(rates.of_neurons_hz(0), [9.0 / 2.5, 2.0 / 2.5, 0.0]);
        assert_eq!(rates.silent_neurons(0), 1);
        let csv = rates.csv();
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines.len(), 1 + 3 * 2);
        assert_eq!(lines[1], "1,0,red,4,8,4.000000");
        assert_eq!(lines[4], "1,1,\"a, \"\"b\"\"\",1,2,4.000000");
    }
}
