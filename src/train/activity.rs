use rayon::prelude::*;

use super::gradient::SAMPLES_PER_BLOCK;
use super::{Examples, TrainError};
use crate::network::{Network, Reach, Stage, StageInput};
use crate::spikes::SpikeRaster;

/// How active a network is: the share of all cells (steps × units) of the input that hold an event,
/// then the share of those of each hidden layer that hold a spike, over samples that enter the whole
/// network.
///
/// # Errors
/// [`TrainError`] if there is no sample, or one does not fit the network.
pub fn spiking_activity(
    network: &Network,
    examples: &dyn Examples,
) -> Result<Vec<f64>, TrainError> {
    if examples.is_empty() {
        return Err(TrainError::NoSamples("evaluate"));
    }
    let prepared = network.prepare(Stage::Whole);
    let depth = network.spec().depth();
    let all: Vec<usize> = (0..examples.len()).collect();
    let blocks = all.par_chunks(SAMPLES_PER_BLOCK).map(|block| {
        let inputs = block.iter().map(|&index| examples.input(index));
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        let trace = prepared.trace(&inputs, Reach::Logits)?;
        let mut active = vec![0u64; depth + 1];
        active[0] = inputs.iter().map(active_cells).sum();
        for (layer, active) in active[1..].iter_mut().enumerate() {
            let spikes = trace.spikes(layer).iter();
            *active = spikes.map(SpikeRaster::count).sum();
        }
        Ok(active)
    });
    let blocks = blocks.collect::<Result<Vec<_>, TrainError>>()?;
    let cells = (network.spec().steps() * examples.len()) as f64;
    let shares = (0..=depth).map(|layer| {
        let active: u64 = blocks.iter().map(|block| block[layer]).sum();
        active as f64 / (cells * network.spec().fan_in(layer) as f64)
    });
    Ok(shares.collect())
}

fn active_cells(input: &StageInput<'_>) -> u64 {
    match input {
        StageInput::Counts(counts) => counts.active_cells() as u64,
        StageInput::Spikes(raster) => raster.count(),
        StageInput::Currents(currents) => currents.len() as u64,
    }
}
