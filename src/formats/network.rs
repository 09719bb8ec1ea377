//! Networks, as TOML specs, records and checkpoints hold them.

use serde::{Deserialize, Serialize};

use crate::network::{
    BinSettings, InitSettings, InputSettings, LayerSettings, NetworkSettings, NeuronSettings,
    ReadoutSettings, RecurrentStart, Spread,
};

/// A network.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NetworkFormat {
    name: String,
    #[serde(default)]
    source: String,
    input: Input,
    /// By `kind`, of which there are as many formats as neurons.
    neuron: NeuronSettings,
    #[serde(default)]
    layers: Vec<Layer>,
    /// Likewise.
    readout: ReadoutSettings,
    init: Init,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    units: usize,
    steps: usize,
    max_time_s: f64,
    #[serde(default, skip_serializing_if = "Bins::is_digitize")]
    bins: Bins,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    channels_per_input: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    largest_count: Option<u16>,
}

#[derive(Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Bins {
    #[default]
    Digitize,
    Even,
}

impl Bins {
    fn is_digitize(&self) -> bool {
        *self == Bins::Digitize
    }
}

fn one() -> usize {
    1
}

fn is_one(number: &usize) -> bool {
    *number == 1
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Layer {
    units: usize,
    recurrent: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    bias: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    delay_steps: Vec<u16>,
    #[serde(default, skip_serializing_if = "is_zero")]
    dropout: f32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    neuron: Option<NeuronSettings>,
}

fn is_zero(number: &f32) -> bool {
    *number == 0.0
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Init {
    weight_scale: f32,
    #[serde(default, skip_serializing_if = "SpreadFormat::is_normal")]
    spread: SpreadFormat,
    #[serde(default, skip_serializing_if = "RecurrentFormat::is_drawn")]
    recurrent: RecurrentFormat,
    #[serde(default = "one_f32", skip_serializing_if = "is_one_f32")]
    recurrent_scale: f32,
}

fn one_f32() -> f32 {
    1.0
}

fn is_one_f32(number: &f32) -> bool {
    *number == 1.0
}

#[derive(Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SpreadFormat {
    #[default]
    Normal,
    Even,
}

impl SpreadFormat {
    fn is_normal(&self) -> bool {
        *self == SpreadFormat::Normal
    }
}

#[derive(Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RecurrentFormat {
    #[default]
    Drawn,
    Orthogonal,
}

impl RecurrentFormat {
    fn is_drawn(&self) -> bool {
        *self == RecurrentFormat::Drawn
    }
}

impl From<InitSettings> for Init {
    fn from(settings: InitSettings) -> Self {
        Init {
            weight_scale: settings.weight_scale,
            spread: match settings.spread {
                Spread::Normal => SpreadFormat::Normal,
                Spread::Even => SpreadFormat::Even,
            },
            recurrent: match settings.recurrent {
                RecurrentStart::Drawn => RecurrentFormat::Drawn,
                RecurrentStart::Orthogonal => RecurrentFormat::Orthogonal,
            },
            recurrent_scale: settings.recurrent_scale,
        }
    }
}

impl From<Init> for InitSettings {
    fn from(format: Init) -> Self {
        InitSettings {
            weight_scale: format.weight_scale,
            spread: match format.spread {
                SpreadFormat::Normal => Spread::Normal,
                SpreadFormat::Even => Spread::Even,
            },
            recurrent: match format.recurrent {
                RecurrentFormat::Drawn => RecurrentStart::Drawn,
                RecurrentFormat::Orthogonal => RecurrentStart::Orthogonal,
            },
            recurrent_scale: format.recurrent_scale,
        }
    }
}

impl From<NetworkSettings> for NetworkFormat {
    fn from(settings: NetworkSettings) -> Self {
        let InputSettings {
            units,
            steps,
            max_time_s,
            bins,
            channels_per_input,
            largest_count,
        } = settings.input;
        let layers = settings.layers.into_iter().map(|layer| {
            let LayerSettings {
                units,
                recurrent,
                bias,
                delay_steps,
                dropout,
                neuron,
            } = layer;
            Layer {
                units,
                recurrent,
                bias,
                delay_steps,
                dropout,
                neuron,
            }
        });
        NetworkFormat {
            name: settings.name,
            source: settings.source,
            input: Input {
                units,
                steps,
                max_time_s,
                bins: match bins {
                    BinSettings::Digitize => Bins::Digitize,
                    BinSettings::Even => Bins::Even,
                },
                channels_per_input,
                largest_count,
            },
            neuron: settings.neuron,
            layers: layers.collect(),
            readout: settings.readout,
            init: settings.init.into(),
        }
    }
}

impl From<NetworkFormat> for NetworkSettings {
    fn from(format: NetworkFormat) -> Self {
        let layers = format.layers.into_iter().map(|layer| LayerSettings {
            units: layer.units,
            recurrent: layer.recurrent,
            bias: layer.bias,
            delay_steps: layer.delay_steps,
            dropout: layer.dropout,
            neuron: layer.neuron,
        });
        NetworkSettings {
            name: format.name,
            source: format.source,
            input: InputSettings {
                units: format.input.units,
                steps: format.input.steps,
                max_time_s: format.input.max_time_s,
                bins: match format.input.bins {
                    Bins::Digitize => BinSettings::Digitize,
                    Bins::Even => BinSettings::Even,
                },
                channels_per_input: format.input.channels_per_input,
                largest_count: format.input.largest_count,
            },
            neuron: format.neuron,
            layers: layers.collect(),
            readout: format.readout,
            init: format.init.into(),
        }
    }
}
