//! Recurrent spiking networks: what they are, their weights, forward, backward, and where they are
//! split into a frozen and a learning stage.
//!
//! In: a [`NetworkSpec`], weights, and for each sample a [`StageInput`]. Out: logits, the spikes of
//! every layer, latents for a replay memory, and gradients of any loss on the logits.
//!
//! The equations of the reference network are those of Dequino et al. 2024 (arXiv:2407.03111) and of
//! Zenke's SpyTorch; [`neuron`](crate::neuron) has others. For each layer and step, in this order, with s
//! the layer's own spikes:
//!
//! ```text
//! h   = x·W + s·V                       s of the step before
//! s   = [mem > threshold]               mem before this step's update
//! mem ← (β·mem + syn)·(1 − s)           the reset is not differentiated
//! syn ← α·syn + h
//! ```
//!
//! and for the readout `out ← β·out + flt`, `flt ← α·flt + s·W_out`, from a first step of zeros.
//!
//! ```
//! use respike::network::{Network, NetworkSpec, Stage, StageInput};
//! use respike::random::MasterSeed;
//! use respike::spikes::SpikeCounts;
//!
//! let network = Network::new(NetworkSpec::dequino2024(), MasterSeed(1));
//! let silence = SpikeCounts::from_dense(ndarray::Array2::zeros((100, 700)).view())?;
//! let activity = network.run(Stage::Whole, &StageInput::counts(&silence))?;
//! assert_eq!(activity.spikes.len(), 3);
//! assert_eq!(activity.spikes[0].count(), 0);
//! assert_eq!(activity.logits.len(), 20);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod activity;
mod arena;
mod backward;
mod class_columns;
mod dropout;
mod error;
mod errors;
mod forward;
mod gradients;
mod init_settings;
mod input_settings;
mod layer;
mod learned;
pub(crate) mod milliseconds;
mod names;
mod neuron_settings;
mod observed;
mod parameters;
mod prepared;
mod reading;
mod readout_settings;
mod size;
mod spec;
mod spec_error;
mod stage;
#[cfg(test)]
mod tests;
mod transfer;

pub use activity::BlockActivity;
pub use class_columns::ClassColumns;
pub use dropout::DropoutDraws;
pub use error::NetworkError;
pub use errors::Errors;
pub(crate) use forward::predicted;
pub use forward::{Activity, Reach, Trace};
pub use gradients::Gradients;
pub use init_settings::{InitSettings, RecurrentStart, Spread};
pub use input_settings::{BinSettings, InputSettings};
pub use learned::LearnedNumber;
pub use names::{ParameterName, RoleName};
pub use neuron_settings::NeuronSettings;
pub use observed::UnitTrace;
pub use parameters::Parameters;
pub use prepared::PreparedStage;
pub use readout_settings::ReadoutSettings;
pub use spec::{LayerSettings, NetworkSettings, NetworkSpec};
pub use spec_error::SpecError;
pub use stage::{Latent, ReplayLayer, Stage, StageInput};

use crate::random::{MasterSeed, Purpose};

/// A spec and weights that fit it.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    spec: NetworkSpec,
    parameters: Parameters,
}

impl Network {
    /// A network with weights drawn from the seed.
    pub fn new(spec: NetworkSpec, seed: MasterSeed) -> Self {
        let parameters = Parameters::random(&spec, &mut seed.stream(Purpose::Weights));
        Network { spec, parameters }
    }

    /// A network with weights of one's own.
    ///
    /// # Errors
    /// [`NetworkError::WrongShape`] if a weight does not fit the spec.
    pub fn with_parameters(
        spec: NetworkSpec,
        parameters: Parameters,
    ) -> Result<Self, NetworkError> {
        parameters.check_shapes(&spec)?;
        Ok(Network { spec, parameters })
    }

    /// What the network is.
    pub fn spec(&self) -> &NetworkSpec {
        &self.spec
    }

    /// Its weights.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Its weights, to be changed in place; their shapes can't be changed.
    pub fn parameters_mut(
        &mut self,
    ) -> impl Iterator<Item = (ParameterName, ndarray::ArrayViewMutD<'_, f32>)> {
        self.parameters.iter_mut()
    }

    /// Brings parameters of neurons that have a range back into it, as an optimiser does after every step.
    pub fn clamp_parameters(&mut self) {
        self.parameters.clamp(&self.spec);
    }

    /// Those numbers of its parameters that gradients are of, for an optimiser.
    ///
    /// # Errors
    /// [`NetworkError::OtherParameters`] for gradients of another network.
    pub fn parameters_of(&mut self, gradients: &Gradients) -> Result<&mut [f32], NetworkError> {
        gradients.parameters_of(&mut self.parameters)
    }

    /// Draws the readout weights of one class anew from N(0.003, 0.003), as the reference code does
    /// before it learns a new class; those of the class's unit in the last layer, where the readout has none. What the stage does not
    /// train stays as it is: latents were made with it.
    ///
    /// A class that pre-training never saw has a readout that it pushed below zero; under
    /// [`OverTime::Max`](crate::readout::OverTime::Max) the first zero of the trace then wins, its gradient is zero, and the class
    /// could never be learned.
    ///
    /// # Errors
    /// [`NetworkError::ClassPastEnd`].
    pub fn redraw_class(
        &mut self,
        stage: Stage,
        class: crate::ids::ClassId,
        generator: &mut rand_chacha::ChaCha8Rng,
    ) -> Result<(), NetworkError> {
        if class.index() >= self.spec.classes() {
            return Err(NetworkError::ClassPastEnd {
                class,
                classes: self.spec.classes(),
            });
        }
        self.parameters
            .redraw_readout_column(stage, class, generator);
        Ok(())
    }
}
