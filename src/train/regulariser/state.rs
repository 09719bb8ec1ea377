//! What regularisers remember of training, from step to step and from task to task.
//!
//! In: the network when a task begins and when it ends, and every step between. Out: a cost of the parameters with
//! its derivatives, and the whole state as named tensors.

use std::collections::BTreeMap;
use std::fmt::Debug;

use crate::network::{Gradients, Network, Stage};
use crate::storage::Tensor;
use crate::train::{Examples, Losses, TrainError, fisher_information};

/// What a regulariser remembers while a network learns one task after the other.
///
/// A [`Trainer`](crate::train::Trainer) owns it and tells it what happens; it goes from one trainer to the next.
pub trait RegulariserState: Debug + Send + Sync {
    /// A task begins with the network as it is, which may have been changed since the last one ended.
    ///
    /// # Errors
    /// If it is another network.
    fn begin_task(&mut self, network: &Network) -> Result<(), TrainError>;

    /// What the parameters cost, once a batch; adds its derivatives to the gradients.
    ///
    /// # Errors
    /// If the gradients are of another network or stage.
    fn of_parameters(
        &self,
        network: &Network,
        gradients: &mut Gradients,
    ) -> Result<f64, TrainError>;

    /// The optimiser took a step.
    ///
    /// # Errors
    /// If it is one of another network or stage.
    fn stepped(&mut self, step: &WeightStep<'_>) -> Result<(), TrainError>;

    /// A task ends with the network as it is.
    ///
    /// # Errors
    /// If it is another network.
    fn end_task(&mut self, network: &Network) -> Result<(), TrainError>;

    /// Whether it asks, before its first task, what mattered for what the network was trained on until then.
    fn looks_back(&self) -> bool {
        false
    }

    /// What mattered until then: [`fisher_information`] of the network as it is. Only told to those that
    /// [look back](RegulariserState::looks_back).
    ///
    /// # Errors
    /// If it is of another network or stage.
    fn learned_before(&mut self, _fisher: &Gradients) -> Result<(), TrainError> {
        Ok(())
    }

    /// Bytes that are kept.
    fn bytes(&self) -> u64;

    /// All that is kept, by name.
    fn tensors(&self) -> BTreeMap<String, Tensor>;

    /// Takes all that was kept, so that training goes on bit for bit.
    ///
    /// # Errors
    /// [`TrainError::BadRegulariserState`] if it is not what such a state keeps of such a network.
    fn restore(&mut self, tensors: &BTreeMap<String, Tensor>) -> Result<(), TrainError>;
}

/// A step of an optimiser.
#[derive(Debug)]
#[non_exhaustive]
pub struct WeightStep<'a> {
    /// The parameters that the stage trains, before the step; in the order of [`Gradients::values`].
    pub before: &'a [f32],
    /// The same after it.
    pub after: &'a [f32],
    /// The gradient of the loss, without what regularisers that remember add to it, and before it is clipped.
    pub gradients: &'a Gradients,
}

impl<'a> WeightStep<'a> {
    /// A step of the parameters that gradients are of.
    pub fn new(before: &'a [f32], after: &'a [f32], gradients: &'a Gradients) -> Self {
        WeightStep {
            before,
            after,
            gradients,
        }
    }
}

/// What all regularisers of a training remember; of those that remember nothing there is none.
#[derive(Debug, Default)]
pub struct RegulariserStates(Vec<OneState>);

/// What one remembers.
#[derive(Debug)]
struct OneState {
    /// Its kind and which one of that kind it is, 0 first: `synaptic-intelligence.0.`.
    prefix: String,
    state: Box<dyn RegulariserState>,
}

impl RegulariserStates {
    /// What the regularisers among some losses remember of a stage of a network before its first task.
    pub fn begin(losses: &Losses, network: &Network, stage: Stage) -> Self {
        let mut of_kind: BTreeMap<&'static str, usize> = BTreeMap::new();
        let mut states = Vec::new();
        for regulariser in &losses.regularisers {
            let number = of_kind.entry(regulariser.kind()).or_default();
            if let Some(state) = regulariser.begin(network, stage) {
                let prefix = format!("{}.{number}.", regulariser.kind());
                states.push(OneState { prefix, state });
            }
            *number += 1;
        }
        RegulariserStates(states)
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any asks what mattered before its first task.
    pub fn look_back(&self) -> bool {
        self.0.iter().any(|one| one.state.looks_back())
    }

    /// Tells those that ask what mattered for what the network was trained on until now.
    ///
    /// # Errors
    /// If there is no sample, or one that does not fit the network or the stage.
    pub fn learned_before(
        &mut self,
        network: &Network,
        stage: Stage,
        examples: &dyn Examples,
    ) -> Result<(), TrainError> {
        if !self.look_back() {
            return Ok(());
        }
        let fisher = fisher_information(network, stage, examples)?;
        let mut asking = self.0.iter_mut().filter(|one| one.state.looks_back());
        asking.try_for_each(|one| one.state.learned_before(&fisher))
    }

    /// Bytes that are kept.
    pub fn bytes(&self) -> u64 {
        self.0.iter().map(|one| one.state.bytes()).sum()
    }

    /// All that is kept, by the kind of the regulariser and its number among those of that kind, such as
    /// `synaptic-intelligence.0.importance.w_out`.
    pub fn tensors(&self) -> BTreeMap<String, Tensor> {
        let named = self.0.iter().flat_map(|OneState { prefix, state }| {
            let tensors = state.tensors().into_iter();
            tensors.map(move |(name, tensor)| (format!("{prefix}{name}"), tensor))
        });
        named.collect()
    }

    /// Takes all that was kept.
    ///
    /// # Errors
    /// [`TrainError::BadRegulariserState`] if some of it is of no regulariser here, or not what it keeps.
    pub fn restore(&mut self, tensors: &BTreeMap<String, Tensor>) -> Result<(), TrainError> {
        let is_known = |name: &str| self.0.iter().any(|one| name.starts_with(&one.prefix));
        if let Some(name) = tensors.keys().find(|name| !is_known(name)) {
            return Err(TrainError::BadRegulariserState(format!(
                "`{name}` is of no regulariser of this training"
            )));
        }
        for OneState { prefix, state } in &mut self.0 {
            let own = tensors.iter().filter_map(|(name, tensor)| {
                let name = name.strip_prefix(prefix.as_str())?;
                Some((name.to_string(), tensor.clone()))
            });
            state.restore(&own.collect())?;
        }
        Ok(())
    }

    pub(in crate::train) fn begin_task(&mut self, network: &Network) -> Result<(), TrainError> {
        let mut states = self.0.iter_mut();
        states.try_for_each(|one| one.state.begin_task(network))
    }

    pub(in crate::train) fn end_task(&mut self, network: &Network) -> Result<(), TrainError> {
        let mut states = self.0.iter_mut();
        states.try_for_each(|one| one.state.end_task(network))
    }

    /// What the parameters cost by all of them; adds its derivatives to the gradients.
    pub(in crate::train) fn of_parameters(
        &self,
        network: &Network,
        gradients: &mut Gradients,
    ) -> Result<f64, TrainError> {
        let mut sum = 0.0;
        for one in &self.0 {
            sum += one.state.of_parameters(network, gradients)?;
        }
        Ok(sum)
    }

    pub(in crate::train) fn stepped(&mut self, step: &WeightStep<'_>) -> Result<(), TrainError> {
        let mut states = self.0.iter_mut();
        states.try_for_each(|one| one.state.stepped(step))
    }
}
