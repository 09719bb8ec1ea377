//! What a network is, before it has weights: settings as written, and the same once checked.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::milliseconds::read_network;
use super::{
    BinSettings, InitSettings, InputSettings, NetworkError, NeuronSettings, ReadoutSettings,
    ReplayLayer, SpecError,
};
use crate::dataset::BinningTarget;
use crate::formats::network::NetworkFormat;
use crate::neuron::{CubaLifSettings, NeuronModel};
use crate::registry::BadSetting;
use crate::spikes::{InputFormat, MAX_EXTENT, TimeGrid};
use crate::storage::read_plain_text;
use crate::surrogate::{FastSigmoid, SurrogateSettings};

/// The most weights a network may have: 1 GiB of f32.
pub(super) const MAX_WEIGHTS: usize = 1 << 28;
const MAX_LAYERS: usize = 16;

/// A network as its TOML file says it; [`check`](NetworkSettings::check) makes it a [`NetworkSpec`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "NetworkFormat", into = "NetworkFormat")]
#[non_exhaustive]
pub struct NetworkSettings {
    /// A short name for records and plots.
    pub name: String,
    /// Where the network comes from.
    pub source: String,
    /// Input channels and time grid.
    pub input: InputSettings,
    /// The neurons of every layer.
    pub neuron: NeuronSettings,
    /// Hidden layers, the one next to the input first.
    pub layers: Vec<LayerSettings>,
    /// The readout.
    pub readout: ReadoutSettings,
    /// How weights are drawn.
    pub init: InitSettings,
}

/// A hidden layer.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LayerSettings {
    /// Neurons.
    pub units: usize,
    /// Whether the layer's spikes come back to itself a step later.
    pub recurrent: bool,
    /// Whether each unit has a number that is added to its drive in every step, and learned.
    pub bias: bool,
    /// By how many steps the spikes of each unit below come later, one number a unit; none do without it.
    pub delay_steps: Vec<u16>,
    /// The share of this layer's spikes that the layer above does not get in training, drawn for every unit
    /// and step; what is left counts 1/(1 − share) times. Its own recurrent spikes stay.
    pub dropout: f32,
    /// The neurons of this layer, where they are others than those of all layers.
    pub neuron: Option<NeuronSettings>,
}

impl LayerSettings {
    /// A layer of so many neurons, recurrent or not, with what all layers have.
    pub fn new(units: usize, recurrent: bool) -> Self {
        LayerSettings {
            units,
            recurrent,
            bias: false,
            delay_steps: Vec::new(),
            dropout: 0.0,
            neuron: None,
        }
    }

    /// The same with a learned number a unit that is added to its drive.
    #[must_use]
    pub fn with_bias(mut self) -> Self {
        self.bias = true;
        self
    }

    /// The same with spikes of each unit below so many steps later.
    #[must_use]
    pub fn with_delays(mut self, steps: impl Into<Vec<u16>>) -> Self {
        self.delay_steps = steps.into();
        self
    }

    /// The same with that share of its spikes left out in training.
    #[must_use]
    pub fn with_dropout(mut self, share: f32) -> Self {
        self.dropout = share;
        self
    }

    /// The same with neurons of its own.
    #[must_use]
    pub fn with_neuron(mut self, neuron: NeuronSettings) -> Self {
        self.neuron = Some(neuron);
        self
    }
}

/// A network's settings, checked: one of these can always be given weights and run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "NetworkSettings", into = "NetworkSettings")]
pub struct NetworkSpec {
    settings: NetworkSettings,
    grid: TimeGrid,
    /// Of each hidden layer.
    neurons: Vec<NeuronModel>,
}

impl PartialEq for NetworkSpec {
    fn eq(&self, other: &Self) -> bool {
        // All else is made of them.
        self.settings == other.settings
    }
}

impl NetworkSettings {
    /// A network that says no source, with weights drawn as the reference network draws them.
    ///
    /// ```
    /// use respike::network::{
    ///     InitSettings, InputSettings, LayerSettings, NetworkSettings, NeuronSettings, ReadoutSettings,
    /// };
    /// use respike::neuron::CubaLifSettings;
    /// use respike::surrogate::FastSigmoid;
    ///
    /// let neurons = CubaLifSettings::new(5.0, 10.0, 1.0);
    /// let neuron = NeuronSettings::new(neurons, FastSigmoid { slope: 100.0 });
    /// let layers = vec![
    ///     LayerSettings::new(200, true).with_bias(),
    ///     LayerSettings::new(50, false).with_dropout(0.2),
    /// ];
    /// let input = InputSettings::plain(700, 100, 1.4).with_largest_count(1);
    /// let readout = ReadoutSettings::dequino2024(20);
    /// let settings = NetworkSettings::new("small", input, neuron, layers, readout)
    ///     .with_init(InitSettings::new(0.5));
    /// assert_eq!(settings.check()?.depth(), 2);
    /// # Ok::<(), respike::network::SpecError>(())
    /// ```
    pub fn new(
        name: impl Into<String>,
        input: InputSettings,
        neuron: NeuronSettings,
        layers: Vec<LayerSettings>,
        readout: ReadoutSettings,
    ) -> Self {
        NetworkSettings {
            name: name.into(),
            source: String::new(),
            input,
            neuron,
            layers,
            readout,
            init: InitSettings::default(),
        }
    }

    /// The same, saying where the network comes from.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<String>) -> Self {
        self.source = source.into();
        self
    }

    /// The same with weights drawn so.
    #[must_use]
    pub fn with_init(mut self, init: InitSettings) -> Self {
        self.init = init;
        self
    }

    /// Checks every setting once.
    ///
    /// # Errors
    /// [`SpecError`] names the first setting that is out of range.
    pub fn check(self) -> Result<NetworkSpec, SpecError> {
        let (steps, max_time_s) = (self.input.steps, self.input.max_time_s);
        let grid = match self.input.bins {
            BinSettings::Digitize => TimeGrid::new(steps, max_time_s),
            BinSettings::Even => TimeGrid::even(steps, max_time_s),
        }?;
        let channels = MAX_EXTENT / self.input.units.max(1);
        size(
            "input.channels_per_input",
            self.input.channels_per_input,
            channels.max(1),
        )?;
        if self.input.largest_count == Some(0) {
            let (key, value) = ("input.largest_count".to_string(), 0.0);
            return Err(SpecError::NotPositive { key, value });
        }
        size("input.units", self.input.units, MAX_EXTENT)?;
        // None is as good as some: the readout then reads the input.
        size("the number of layers", self.layers.len().max(1), MAX_LAYERS)?;
        let readout = &self.readout;
        let in_neuron = |bad: BadSetting| bad.within("neuron");
        self.neuron.check().map_err(in_neuron)?;
        size("readout.classes", readout.classes, MAX_EXTENT - 1)?;
        readout.model.check().map_err(|bad| bad.within("readout"))?;
        positive("init.weight_scale", f64::from(self.init.weight_scale))?;
        positive("init.recurrent_scale", f64::from(self.init.recurrent_scale))?;
        let mut weights: usize = 0;
        let mut before = self.input.units;
        let mut neurons = Vec::with_capacity(self.layers.len());
        for (index, layer) in self.layers.iter().enumerate() {
            let of_layer = layer.neuron.as_ref().unwrap_or(&self.neuron);
            let table = format!("layers[{index}].neuron");
            of_layer.check().map_err(|bad| bad.within(&table))?;
            let sound = of_layer.model.check_roles();
            sound.map_err(|bad| bad.within(&table))?;
            neurons.push(of_layer.model.clone());
            if !(0.0..1.0).contains(&layer.dropout) {
                let reason = format!("must be 0 up to, not including, 1, not {}", layer.dropout);
                let key = format!("layers[{index}].dropout");
                return Err(BadSetting::new(key, reason).into());
            }
            let delays = layer.delay_steps.len();
            if delays > 0 && delays != before {
                return Err(SpecError::BadDelays {
                    layer: index,
                    found: delays,
                    expected: before,
                });
            }
            size(&format!("layers[{index}].units"), layer.units, MAX_EXTENT)?;
            let recurrent = usize::from(layer.recurrent).saturating_mul(layer.units);
            let rows = before.saturating_add(recurrent);
            weights = weights.saturating_add(rows.saturating_mul(layer.units));
            before = layer.units;
        }
        if self.layers.is_empty() && !readout.model.has_weights() {
            return Err(SpecError::NothingLearned);
        }
        if readout.model.has_weights() {
            weights = weights.saturating_add(before.saturating_mul(readout.classes));
        } else if before != readout.classes {
            return Err(SpecError::UnitsAreNotClasses {
                kind: readout.model.kind(),
                classes: readout.classes,
                units: before,
            });
        }
        if weights > MAX_WEIGHTS {
            return Err(SpecError::TooLarge { weights });
        }
        self.check_memory(&neurons)?;
        Ok(NetworkSpec {
            settings: self,
            grid,
            neurons,
        })
    }
}

fn size(key: &str, value: usize, largest: usize) -> Result<(), SpecError> {
    if value == 0 || value > largest {
        return Err(SpecError::BadSize {
            key: key.to_string(),
            value,
            largest,
        });
    }
    Ok(())
}

pub(super) fn positive(key: &str, value: f64) -> Result<(), SpecError> {
    if !(value.is_finite() && value > 0.0) {
        return Err(SpecError::NotPositive {
            key: key.to_string(),
            value,
        });
    }
    Ok(())
}

impl NetworkSpec {
    /// Reads a spec from a TOML file. Times of neurons and readouts may be said in milliseconds instead of steps
    /// (`tau_mem_ms`, `delay_ms`), which another grid then keeps.
    ///
    /// # Errors
    /// [`SpecError`], with the file's name.
    pub fn read(path: &Path) -> Result<Self, SpecError> {
        let text = read_plain_text(path).map_err(|source| SpecError::Unreadable {
            path: path.to_path_buf(),
            source,
        })?;
        let settings = read_network(&text).map_err(|reason| SpecError::Malformed {
            path: path.to_path_buf(),
            reason,
        })?;
        settings.check().map_err(|source| SpecError::InFile {
            path: path.to_path_buf(),
            source: Box::new(source),
        })
    }

    /// The reference network, 700–200–100–50 and 20 readouts (Dequino et al. 2024, section III).
    pub fn dequino2024() -> Self {
        let neurons = CubaLifSettings::new(5.0, 10.0, 1.0);
        let layers = [200, 100, 50].map(|units| LayerSettings::new(units, true));
        NetworkSettings::new(
            "dequino2024",
            InputSettings::plain(700, 100, 1.4),
            NeuronSettings::new(neurons, FastSigmoid { slope: 100.0 }),
            layers.to_vec(),
            ReadoutSettings::dequino2024(20),
        )
        .with_source("Dequino et al. 2024, arXiv:2407.03111")
        .check()
        .expect("the reference network is valid")
    }

    /// The settings that were checked.
    pub fn settings(&self) -> &NetworkSettings {
        &self.settings
    }

    /// The time grid of the input.
    pub fn grid(&self) -> TimeGrid {
        self.grid
    }

    /// Inputs.
    pub fn inputs(&self) -> usize {
        self.settings.input.units
    }

    /// Steps of the time grid, T.
    pub fn steps(&self) -> usize {
        self.grid.steps()
    }

    /// Classes that can be told apart.
    pub fn classes(&self) -> usize {
        self.settings.readout.classes
    }

    /// What recordings are binned for when this network is to read them.
    pub fn binning(&self) -> BinningTarget {
        BinningTarget {
            format: self.input_format(),
            classes: self.classes(),
        }
    }

    /// How events become the input.
    pub fn input_format(&self) -> InputFormat {
        InputFormat {
            grid: self.grid,
            inputs: self.inputs(),
            channels_per_input: self.settings.input.channels_per_input,
            largest_count: self.settings.input.largest_count,
        }
    }

    /// The share of spikes left out in training of what drives a layer, or the readout at
    /// `layer == depth()`: of the layer below it.
    pub(super) fn dropout_below(&self, layer: usize) -> f32 {
        let below = layer.checked_sub(1);
        below.map_or(0.0, |below| self.settings.layers[below].dropout)
    }

    /// The neurons of all hidden layers.
    pub(super) fn neurons(&self) -> &[NeuronModel] {
        &self.neurons
    }

    /// The neurons of a hidden layer.
    pub(crate) fn neuron(&self, layer: usize) -> &NeuronModel {
        &self.neurons[layer]
    }

    /// What stands in for the derivative of a spike of a hidden layer.
    pub(crate) fn surrogate(&self, layer: usize) -> &SurrogateSettings {
        let own = self.settings.layers[layer].neuron.as_ref();
        &own.unwrap_or(&self.settings.neuron).surrogate
    }

    /// The network that runs on a grid whose steps are `factor` times as long, with the same weights: all
    /// time constants in steps are divided by it. Delays stay as they are.
    ///
    /// # Errors
    /// [`SpecError`] if no such grid can be made.
    pub fn in_longer_steps(&self, factor: usize) -> Result<Self, SpecError> {
        let mut settings = self.settings.clone();
        let by = factor as f64;
        let wrong = |reason| SpecError::LongerSteps { factor, reason };
        settings.input.steps = settings.input.steps.div_ceil(factor.max(1));
        settings.neuron = settings.neuron.in_longer_steps(by).map_err(wrong)?;
        for layer in &mut settings.layers {
            if let Some(neuron) = layer.neuron.take() {
                layer.neuron = Some(neuron.in_longer_steps(by).map_err(wrong)?);
            }
        }
        let readout = settings.readout.model.in_longer_steps(by);
        settings.readout.model = readout.map_err(wrong)?;
        settings.check()
    }

    /// Number of hidden layers.
    pub fn depth(&self) -> usize {
        self.settings.layers.len()
    }

    /// What enters hidden layer `layer` (0 first); for `layer == depth()`, the readout.
    pub(crate) fn fan_in(&self, layer: usize) -> usize {
        match layer.checked_sub(1) {
            None => self.inputs(),
            Some(before) => self.settings.layers[before].units,
        }
    }

    /// The largest LR index that leaves something to be trained.
    pub(crate) fn largest_replay_layer(&self) -> usize {
        let has_weights = self.settings.readout.model.has_weights();
        self.depth().saturating_sub(usize::from(!has_weights))
    }

    /// Refuses an LR index of another network.
    pub(super) fn check_replay_layer(&self, index: ReplayLayer) -> Result<(), NetworkError> {
        let own = self.replay_layer(index.get());
        match own.is_ok_and(|own| own == index) {
            true => Ok(()),
            false => Err(NetworkError::OtherReplayLayer {
                index: index.get(),
                largest: self.largest_replay_layer(),
            }),
        }
    }

    /// The LR index `index`, if the network has that many layers.
    ///
    /// # Errors
    /// [`SpecError::NoSuchReplayLayer`].
    pub fn replay_layer(&self, index: usize) -> Result<ReplayLayer, SpecError> {
        if self.depth() == 0 {
            return Err(SpecError::NothingToFreeze);
        }
        let largest = self.largest_replay_layer();
        if index > largest {
            return Err(SpecError::NoSuchReplayLayer {
                index,
                layers: self.depth(),
                largest,
            });
        }
        Ok(ReplayLayer {
            index,
            layers: self.depth(),
            units: self.fan_in(index.max(1)),
        })
    }
}

impl TryFrom<NetworkSettings> for NetworkSpec {
    type Error = SpecError;

    fn try_from(settings: NetworkSettings) -> Result<Self, SpecError> {
        settings.check()
    }
}

impl From<NetworkSpec> for NetworkSettings {
    fn from(spec: NetworkSpec) -> Self {
        spec.settings
    }
}
