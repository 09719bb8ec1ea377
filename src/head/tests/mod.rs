//! Readouts against columns computed by hand, and closed forms as heads.

mod alone;
mod columns;

use ndarray::Array2;

use super::*;
use crate::network::{LayerSettings, NetworkSpec, ReadoutSettings};
use crate::random::Purpose;

/// Units of the first layer, and their steps.
const UNITS: usize = 6;
const STEPS: usize = 20;
const CLASSES: usize = 3;

/// A network of these layers, read so.
fn network(layers: Vec<LayerSettings>, readout: ReadoutSettings) -> Network {
    let mut settings = NetworkSpec::dequino2024().settings().clone();
    (settings.input.units, settings.input.steps) = (4, STEPS);
    (settings.layers, settings.readout) = (layers, readout);
    Network::new(settings.check().expect("valid"), MasterSeed(1))
}

/// Two layers, the last of two units, and three classes, read by weights.
fn small() -> Network {
    let layers = [UNITS, 2].map(|units| LayerSettings::new(units, true));
    network(layers.to_vec(), ReadoutSettings::dequino2024(CLASSES))
}

/// Trained above so many layers.
fn above(network: &Network, index: usize) -> Stage {
    Stage::Learning(network.spec().replay_layer(index).expect("it has it"))
}

fn classes(classes: &[u16]) -> BTreeSet<ClassId> {
    classes.iter().copied().map(ClassId).collect()
}
