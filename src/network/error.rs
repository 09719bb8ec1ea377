use thiserror::Error;

use super::ParameterName;
use crate::ids::{ClassId, Unit};

/// What can be wrong with weights or inputs of a network.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// A parameter does not fit the spec.
    #[error("{name} has shape {found:?}, but the spec asks for {expected:?}")]
    WrongShape {
        /// Which one.
        name: ParameterName,
        /// Its shape as given.
        found: Vec<usize>,
        /// Its shape as the spec has it.
        expected: Vec<usize>,
    },
    /// The network has no such parameter.
    #[error("the network has no {0}")]
    NoSuchParameter(ParameterName),
    /// Gradients, or an optimiser's memory, of another network or stage.
    #[error("{0} are of a network with other parameters")]
    OtherParameters(&'static str),
    /// An input has another number of units than the stage reads.
    #[error("the input has {found} units, but the stage reads {expected}")]
    WrongUnits {
        /// Units of the input.
        found: usize,
        /// Units that the stage reads.
        expected: usize,
    },
    /// An LR index of another network.
    #[error(
        "LR index {index} is another network's: take one of this network's spec, which has 0 to {largest}"
    )]
    OtherReplayLayer {
        /// The index.
        index: usize,
        /// The largest that the network has.
        largest: usize,
    },
    /// A stage was given an input of another kind.
    #[error("{stage} reads {expected}, but was given {found}")]
    WrongInput {
        /// Which stage.
        stage: String,
        /// What it reads.
        expected: &'static str,
        /// What it was given.
        found: &'static str,
    },
    /// A class that the readout does not have.
    #[error("{class} is past the network's {classes} classes (0 to {})", classes - 1)]
    ClassPastEnd {
        /// The class.
        class: ClassId,
        /// How many there are.
        classes: usize,
    },
    /// A trained network has a parameter that the one that is to begin with its weights has not.
    #[error("the trained network has {0}, and this one has no place for it")]
    NoPlaceFor(ParameterName),
    /// Nothing can be computed from no samples.
    #[error("a batch needs at least one sample")]
    EmptyBatch,
    /// Kernels read input currents step after step.
    #[error("input currents must be in row-major (standard) order")]
    NotRowMajor,
    /// Errors of more than logits were given to a trace that does not reach back from every step.
    #[error(
        "errors of spikes, membranes and the readout need a trace made with `Reach::EveryStep`"
    )]
    ShortReach,
    /// The stage has no such layer.
    #[error(
        "there are errors of layer {layer}, but the stage has {layers} layers (0 is its lowest)"
    )]
    NoSuchLayer {
        /// Which layer.
        layer: usize,
        /// How many there are.
        layers: usize,
    },
    /// The stage has no such layer to look at.
    #[error("layer {layer} is past the stage's {layers} hidden layers (0 is its lowest)")]
    LayerPastEnd {
        /// Which layer.
        layer: usize,
        /// How many there are.
        layers: usize,
    },
    /// A layer has no such neuron.
    #[error("{unit} is past the layer's {units} neurons (0 to {})", units - 1)]
    UnitPastEnd {
        /// Which one.
        unit: Unit,
        /// How many there are.
        units: usize,
    },
    /// A frozen stage has no logits.
    #[error("a stage made with `Network::prepare_frozen` gives latents, no logits")]
    Frozen,
    /// An input of no steps.
    #[error("an input needs at least one step")]
    NoSteps,
    /// Latents come from a frozen stage only.
    #[error("latents need a stage made with `Network::prepare_frozen`")]
    NotFrozen,
    /// An array that goes with a batch has the wrong extents.
    #[error("{what} has shape {found:?}, but {expected:?} is needed")]
    WrongBatchShape {
        /// Which array.
        what: &'static str,
        /// Its shape.
        found: Vec<usize>,
        /// What is needed.
        expected: Vec<usize>,
    },
}
