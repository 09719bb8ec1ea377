use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::BaselineError;
use crate::ceiling;
use crate::dataset::Dataset;
use crate::ids::{SampleIndex, TimeStep};
use crate::network::{Network, StageInput};
use crate::spikes::SpikeRaster;

/// How many windows spikes of hidden layers are counted in where nobody says.
pub const NETWORK_WINDOWS: usize = 4;

/// Samples that run through a network at a time.
const BLOCK: usize = 16;

/// How often each neuron of all hidden layers of a network spikes in windows of its grid: samples × features. With
/// a network that was never trained, this is what its wiring alone brings.
///
/// Features go by layer, in it by window, in it by neuron. Windows are as equal as whole steps allow.
///
/// # Errors
/// [`BaselineError::BadWindows`] unless there is 1 window to one for each step,
/// [`BaselineError::NoHiddenLayer`], [`BaselineError::Network`] for a sample that does not fit the network, and
/// [`BaselineError::TooLarge`].
pub fn hidden_spikes(
    network: &Network,
    dataset: &Dataset,
    windows: usize,
) -> Result<Array2<f64>, BaselineError> {
    let spec = network.spec();
    if !(1..=spec.steps()).contains(&windows) {
        return Err(BaselineError::BadWindows);
    }
    if spec.depth() == 0 {
        return Err(BaselineError::NoHiddenLayer);
    }
    let neurons: usize = spec.settings().layers.iter().map(|layer| layer.units).sum();
    let features = neurons * windows;
    let what = format!("{features} features of {} samples", dataset.len());
    let bytes = ceiling::product(&[dataset.len(), features, 8, 2]);
    ceiling::check(&what, bytes)?;
    let whole = network.prepare_frozen(spec.replay_layer(spec.depth())?)?;
    let mut table = Array2::zeros((dataset.len(), features));
    let blocks = table.axis_chunks_iter_mut(Axis(0), BLOCK).into_par_iter();
    let filled: Vec<Result<(), BaselineError>> = blocks
        .enumerate()
        .map(|(block, mut rows)| {
            let samples = (0..rows.nrows()).map(|place| SampleIndex(block * BLOCK + place));
            let inputs = samples.map(|index| StageInput::counts(&dataset.sample(index).counts));
            let inputs: Vec<StageInput<'_>> = inputs.collect();
            let layers = whole.latents_of_layers(&inputs)?;
            for (sample, mut row) in rows.axis_iter_mut(Axis(0)).enumerate() {
                let counts = layers
                    .iter()
                    .flat_map(|spikes| counts_in(&spikes[sample], windows));
                row.iter_mut()
                    .zip(counts)
                    .for_each(|(slot, count)| *slot = count);
            }
            Ok(())
        })
        .collect();
    filled.into_iter().collect::<Result<(), _>>()?;
    Ok(table)
}

/// Spikes of each unit in each window: all units of the first window first.
fn counts_in(spikes: &SpikeRaster, windows: usize) -> Vec<f64> {
    let (steps, units) = (spikes.steps(), spikes.units());
    let mut counts = vec![0.0; windows * units];
    for step in 0..steps {
        let window = step * windows / steps;
        for unit in spikes.active(TimeStep(step)) {
            counts[window * units + unit.0] += 1.0;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{DatasetBuilder, LabelledEvents};
    use crate::ids::{ClassId, SpeakerId};
    use crate::network::NetworkSpec;
    use crate::random::MasterSeed;
    use crate::spikes::EventStream;

    #[test]
    fn every_spike_of_every_layer_is_counted_once() {
        let network = Network::new(NetworkSpec::dequino2024(), MasterSeed(3));
        let spec = network.spec();
        let names = vec!["yes".to_string()];
        let mut builder = DatasetBuilder::new(spec.grid(), spec.inputs(), names).expect("valid");
        for sample in 0..19u16 {
            let times = (0..4000).map(|event| f64::from(event) * 0.0003).collect();
            let units = (0..4000u32)
                .map(|event| ((event * 31 + u32::from(sample) * 5) % 700) as u16)
                .collect();
            let events = EventStream::new(times, units).expect("valid");
            let (class, speaker) = (ClassId(0), SpeakerId(0));
            let one = LabelledEvents {
                events,
                class,
                speaker,
                sound: None,
            };
            builder.push(&one).expect("it fits");
        }
        let data = builder.build().expect("not empty");
        let features = hidden_spikes(&network, &data, 4).expect("it fits");
        assert_eq!(features.dim(), (19, 4 * (200 + 100 + 50)));
        let mut spiked = 0.0;
        for (index, sample) in data.iter() {
            let run = network.run(
                crate::network::Stage::Whole,
                &StageInput::counts(&sample.counts),
            );
            let layers = run.expect("it fits").spikes;
            let row = features.row(index.0);
            // Neuron 7 of layer 2 in the third window.
            let seen = (50..75).filter(|&step| layers[1].get(TimeStep(step), crate::ids::Unit(7)));
            assert_eq!(row[4 * 200 + 2 * 100 + 7], seen.count() as f64);
            let all: u64 = layers.iter().map(SpikeRaster::count).sum();
            assert_eq!(row.sum(), all as f64);
            spiked += row.sum();
        }
        assert!(spiked > 0.0);
        let refused = [0, 101].map(|windows| hidden_spikes(&network, &data, windows));
        assert!(
            refused
                .iter()
                .all(|one| matches!(one, Err(BaselineError::BadWindows)))
        );
    }
}
