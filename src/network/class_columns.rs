use ndarray::{ArrayViewMut1, ArrayViewMut2, Axis, Ix1, Ix2};

use super::{Network, ParameterName, Parameters, Stage};

/// What drives the readout of each class: the columns of W_out, or those of the last layer's input weights where the
/// readout has none, with that layer's biases if it has some.
///
/// ```
/// use respike::network::{Network, NetworkSpec, Stage};
/// use respike::random::MasterSeed;
///
/// let mut network = Network::new(NetworkSpec::dequino2024(), MasterSeed(1));
/// let columns = network.class_columns(Stage::Whole).expect("all is trained");
/// assert_eq!(columns.weights.dim(), (50, 20));
/// assert!(columns.biases.is_none());
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct ClassColumns<'a> {
    /// Weights, fan-in × classes.
    pub weights: ArrayViewMut2<'a, f32>,
    /// A number for each class, if classes have biases.
    pub biases: Option<ArrayViewMut1<'a, f32>>,
}

impl<'a> ClassColumns<'a> {
    /// The weights, and the biases as a matrix of one row, if there are any: whatever has a column for each class.
    pub fn parts(self) -> impl Iterator<Item = ArrayViewMut2<'a, f32>> {
        let biases = self.biases.map(|biases| biases.insert_axis(Axis(0)));
        [Some(self.weights), biases].into_iter().flatten()
    }
}

impl Network {
    /// What drives the readout of each class, to be changed in place; `None` if the stage does not train it, as latents
    /// were made with it then.
    pub fn class_columns(&mut self, stage: Stage) -> Option<ClassColumns<'_>> {
        self.parameters.class_columns(stage)
    }
}

impl Parameters {
    pub(super) fn class_columns(&mut self, stage: Stage) -> Option<ClassColumns<'_>> {
        let mut last: Option<ClassColumns<'_>> = None;
        for (name, values) in self.iter_mut() {
            match name {
                ParameterName::Readout | ParameterName::Input(_) if stage.trains(name) => {
                    let weights = values.into_dimensionality::<Ix2>();
                    last = Some(ClassColumns {
                        weights: weights.expect("a weight is a matrix"),
                        biases: None,
                    });
                }
                ParameterName::Bias(_) => {
                    if let Some(last) = &mut last {
                        let biases = values.into_dimensionality::<Ix1>();
                        last.biases = Some(biases.expect("one number a unit"));
                    }
                }
                _ => {}
            }
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{LayerSettings, NetworkSpec, ReadoutSettings};
    use crate::random::MasterSeed;
    use crate::readout::SpikeCountReadout;

    /// Where spikes of the last layer are counted, its units are the classes.
    #[test]
    fn a_readout_without_weights_is_driven_by_the_last_layer() {
        let mut settings = NetworkSpec::dequino2024().settings().clone();
        settings.readout = ReadoutSettings::new(5, SpikeCountReadout {});
        settings.layers[2].units = 5;
        for layer in &mut settings.layers {
            layer.bias = true;
        }
        let mut network = Network::new(settings.check().expect("valid"), MasterSeed(1));
        let above = network.spec().replay_layer(2).expect("it has it");
        let columns = network.class_columns(Stage::Learning(above));
        let parts = columns.expect("they are trained").parts();
        let shapes: Vec<_> = parts.map(|part| part.dim()).collect();
        assert_eq!(shapes, [(100, 5), (1, 5)]);
        let columns = network.class_columns(Stage::Whole).expect("it is trained");
        let mut parts = columns.parts();
        parts.next().expect("weights").fill(7.0);
        parts.next().expect("biases").fill(8.0);
        drop(parts);
        let all_are = |name, value| {
            let values = network.parameters().get(name).expect("it has it");
            values.iter().all(|&found| found == value)
        };
        assert!(all_are(ParameterName::Input(2), 7.0));
        assert!(all_are(ParameterName::Bias(2), 8.0));
        assert!(all_are(ParameterName::Bias(1), 0.0));
    }

    /// The currents of a single layer, which are kept, are made with its weights.
    #[test]
    fn what_is_not_trained_is_not_given() {
        let mut settings = NetworkSpec::dequino2024().settings().clone();
        settings.readout = ReadoutSettings::new(5, SpikeCountReadout {});
        settings.layers = vec![LayerSettings::new(5, true)];
        let mut network = Network::new(settings.check().expect("valid"), MasterSeed(1));
        let above = network.spec().replay_layer(0).expect("it has it");
        assert!(network.class_columns(Stage::Learning(above)).is_none());
        assert!(network.class_columns(Stage::Whole).is_some());
    }
}
