//! What is to be seen of single neurons.
//!
//! In: what a layer's neurons noted while a sample ran through it. Out: their states step by step, the threshold
//! that the membrane was compared with, and their spikes.

use ndarray::Array2;

use super::{Activity, NetworkError, NetworkSpec, PreparedStage};
use crate::ids::{TimeStep, Unit};
use crate::kernels::buffers::Buffer;
use crate::kernels::layer::Observe;
use crate::neuron::{NeuronModel, place};
use crate::spikes::SpikeRaster;

/// What is to be seen of one sample in a layer: steps × units.
pub(super) struct Observed {
    /// States by name, the membrane first.
    pub seen: Vec<(&'static str, Array2<f32>)>,
    /// The threshold that the membrane is compared with.
    pub compared: Array2<f32>,
}

impl PreparedStage<'_> {
    /// What is to be seen of one sample in a layer.
    pub(super) fn observed(&self, layer: usize, tape: &[f32], steps: usize) -> Observed {
        let units = self.network.spec.settings().layers[layer].units;
        let prepared = self.layer(layer);
        let (stride, names) = (prepared.input.stride, prepared.neuron.observed());
        let fields = names.len() + 1;
        let row = fields * stride;
        let mut observed = Buffer::stale(steps * row);
        let work = Observe {
            parameters: &prepared.parameters,
            tape: &tape[..steps * prepared.neuron.counts().tape * stride],
            observed: &mut observed,
        };
        prepared.neuron.observe(self.simd, work);
        let of_field = |field: usize| {
            Array2::from_shape_fn((steps, units), |(step, unit)| {
                observed[step * row + place(self.simd, fields, field, unit)]
            })
        };
        let names = names.iter().enumerate();
        Observed {
            compared: of_field(names.len()),
            seen: names
                .map(|(field, &name)| (name, of_field(field)))
                .collect(),
        }
    }
}

/// One neuron while a sample runs through its layer; one number a step everywhere.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct UnitTrace {
    /// Which neuron of the layer.
    pub unit: Unit,
    /// The membrane potential as each step compares it with the threshold, before a reset.
    pub membrane: Vec<f32>,
    /// That threshold.
    pub threshold: Vec<f32>,
    /// Other states by name, such as the `synaptic` current or the `adaptation`.
    pub states: Vec<(&'static str, Vec<f32>)>,
    /// The steps in which it spiked, in order.
    pub spikes: Vec<TimeStep>,
}

impl NetworkSpec {
    /// The neurons of a hidden layer, 0 first.
    ///
    /// # Panics
    /// If there is no such layer.
    pub fn neurons_of(&self, layer: usize) -> &NeuronModel {
        self.neuron(layer)
    }
}

impl Activity {
    /// What some neurons of a layer of the stage (0 for its lowest) did, in the order in which they are given.
    ///
    /// ```
    /// use respike::ids::Unit;
    /// use respike::network::{Network, NetworkSpec, Stage, StageInput};
    /// use respike::random::MasterSeed;
    /// use respike::spikes::SpikeCounts;
    ///
    /// let network = Network::new(NetworkSpec::dequino2024(), MasterSeed(1));
    /// let noise = SpikeCounts::from_dense(ndarray::Array2::ones((100, 700)).view())?;
    /// let activity = network.run(Stage::Whole, &StageInput::counts(&noise))?;
    /// let traces = activity.traces(0, &[Unit(17)])?;
    /// assert_eq!(traces[0].membrane.len(), 100);
    /// assert_eq!(traces[0].states[0].0, "synaptic");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NetworkError::LayerPastEnd`] and [`NetworkError::UnitPastEnd`].
    pub fn traces(&self, layer: usize, units: &[Unit]) -> Result<Vec<UnitTrace>, NetworkError> {
        let raster = self.spikes.get(layer).ok_or(NetworkError::LayerPastEnd {
            layer,
            layers: self.spikes.len(),
        })?;
        let of_unit = |&unit: &Unit| {
            if unit.0 >= raster.units() {
                let units = raster.units();
                return Err(NetworkError::UnitPastEnd { unit, units });
            }
            let column = |states: &Array2<f32>| states.column(unit.0).to_vec();
            let states = self.states[layer].iter();
            let steps = (0..raster.steps()).map(TimeStep);
            Ok(UnitTrace {
                unit,
                membrane: column(&self.membrane[layer]),
                threshold: column(&self.threshold[layer]),
                states: states.map(|(name, state)| (*name, column(state))).collect(),
                spikes: steps.filter(|&step| raster.get(step, unit)).collect(),
            })
        };
        units.iter().map(of_unit).collect()
    }

    /// At most so many neurons of a layer of the stage, those that spiked most often, in ascending order; of
    /// two that spiked equally often the first one. None of a layer that is not there.
    pub fn most_active(&self, layer: usize, most: usize) -> Vec<Unit> {
        let counts = self.spikes.get(layer).map(SpikeRaster::counts_per_unit);
        let counts = counts.unwrap_or_default().into_iter().enumerate();
        let mut units: Vec<(u32, usize)> = counts.map(|(unit, count)| (count, unit)).collect();
        units.sort_by_key(|&(count, unit)| (std::cmp::Reverse(count), unit));
        let mut units: Vec<Unit> = units
            .iter()
            .take(most)
            .map(|&(_, unit)| Unit(unit))
            .collect();
        units.sort();
        units
    }
}
