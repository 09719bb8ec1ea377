//! Optimisers: how a gradient moves the weights.
//!
//! In: parameters, their gradients, and what was remembered of gradients before, as slices of equal length.
//! Out: the same, moved. One file an optimiser.
//!
//! | kind | what it is |
//! |---|---|
//! | `adamax` | [`Adamax`], the reference paper's |
//! | `adam` | [`Adam`] |
//! | `adamw` | [`AdamW`]: Adam with weights that decay by themselves |
//! | `sgd` | [`Sgd`]: gradient descent with momentum |

mod adam;
mod adamax;
mod adamw;
mod sgd;

pub use adam::Adam;
pub use adamax::Adamax;
pub use adamw::AdamW;
pub use sgd::Sgd;

use std::fmt::Debug;
use std::ops::Range;

use rayon::prelude::*;

use super::{RateFactors, TrainError};
use crate::network::{Gradients, Network, NetworkError, ParameterName};
use crate::registry::{BadSetting, Chosen};

/// An optimiser of any kind, as settings name it. The learning rate comes from a
/// [`Schedule`](super::Schedule).
pub type OptimiserSettings = Chosen<dyn UpdateRule>;

/// How an optimiser moves numbers, each by its own gradient.
pub trait UpdateRule: Debug + Send + Sync + 'static {
    /// Names of what is remembered of each number, all 0 before the first step; checkpoints keep it by these
    /// names.
    fn remembers(&self) -> &'static [&'static str];

    /// Moves some numbers. The same is done to all numbers of a network, in any order and by several threads.
    fn step(&self, moved: Moved<'_>);
}

/// Numbers with all that moves them, equally long.
#[derive(Debug)]
#[non_exhaustive]
pub struct Moved<'a> {
    /// The learning rate.
    pub learning_rate: f32,
    /// Steps taken, this one too: 1 or more.
    pub steps_taken: u32,
    /// Whether these are weights, which a rule may make decay, and not biases or what neurons learn.
    pub decays: bool,
    /// Parameters.
    pub weights: &'a mut [f32],
    /// ∂L/∂ of each.
    pub gradients: &'a [f32],
    /// One slice for each name of [`UpdateRule::remembers`].
    pub memory: Vec<&'a mut [f32]>,
}

impl<'a> Moved<'a> {
    /// Weights after so many steps, with what is remembered of them: for checks of an optimiser.
    pub fn new(
        learning_rate: f32,
        steps_taken: u32,
        weights: &'a mut [f32],
        gradients: &'a [f32],
        memory: Vec<&'a mut [f32]>,
    ) -> Self {
        Moved {
            learning_rate,
            steps_taken,
            decays: true,
            weights,
            gradients,
            memory,
        }
    }
}

impl Moved<'_> {
    /// [`steps_taken`](Self::steps_taken), for powers.
    pub fn exponent(&self) -> i32 {
        self.steps_taken.min(i32::MAX as u32) as i32
    }

    /// Does the same with every number: the weight, its gradient, and what is remembered of it.
    ///
    /// # Panics
    /// If not `N` numbers are remembered.
    pub fn each<const N: usize>(self, mut work: impl FnMut(&mut f32, f32, [&mut f32; N])) {
        let memory: [&mut [f32]; N] = self.memory.try_into().expect("as many as it remembers");
        let mut memory = memory.map(|numbers| numbers.iter_mut());
        for (weight, &gradient) in self.weights.iter_mut().zip(self.gradients) {
            let memory = memory.each_mut().map(Iterator::next);
            work(
                weight,
                gradient,
                memory.map(|number| number.expect("equally long")),
            );
        }
    }
}

/// Refuses a factor that does not forget.
fn check_decay(key: &str, value: f32) -> Result<(), BadSetting> {
    match (0.0..1.0).contains(&value) {
        true => Ok(()),
        false => {
            let reason = format!("must be 0 up to, not including, 1, not {value}");
            Err(BadSetting::new(key, reason))
        }
    }
}

/// An optimiser with its memory of past gradients.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimiser {
    settings: OptimiserSettings,
    steps_taken: u32,
    /// One for each name of [`UpdateRule::remembers`]; empty before the first step.
    memory: Vec<Gradients>,
}

impl Optimiser {
    /// An optimiser that remembers nothing yet.
    ///
    /// # Errors
    /// [`TrainError::BadSetting`] for a constant outside its range.
    pub fn new(settings: impl Into<OptimiserSettings>) -> Result<Self, TrainError> {
        Self::resume(settings.into(), 0, Vec::new())
    }

    /// An optimiser with a memory, as a checkpoint holds it: one for each name of
    /// [`UpdateRule::remembers`], or none before the first step.
    ///
    /// # Errors
    /// [`TrainError::BadSetting`] for a constant outside its range, [`NetworkError::OtherParameters`] for
    /// another number of memories.
    pub fn resume(
        settings: OptimiserSettings,
        steps_taken: u32,
        memory: Vec<Gradients>,
    ) -> Result<Self, TrainError> {
        settings.check().map_err(|bad| bad.of(settings.kind()))?;
        if !memory.is_empty() && memory.len() != settings.remembers().len() {
            return Err(NetworkError::OtherParameters("what the optimiser remembers").into());
        }
        Ok(Optimiser {
            settings,
            steps_taken,
            memory,
        })
    }

    /// Which optimiser this is.
    pub fn settings(&self) -> &OptimiserSettings {
        &self.settings
    }

    /// Steps taken so far.
    pub fn steps_taken(&self) -> u32 {
        self.steps_taken
    }

    /// What is remembered, by name; nothing before the first step.
    pub fn memory(&self) -> impl Iterator<Item = (&'static str, &Gradients)> {
        let names = self.settings.remembers().iter().copied();
        names.zip(&self.memory)
    }

    /// Moves every parameter that has a gradient, and brings those that have a range back into it.
    ///
    /// # Errors
    /// [`NetworkError::OtherParameters`] if the gradients or the memory are of another network or stage.
    pub fn step(
        &mut self,
        network: &mut Network,
        gradients: &Gradients,
        learning_rate: f32,
    ) -> Result<(), NetworkError> {
        self.step_by(network, gradients, learning_rate, &RateFactors::default())
    }

    /// The same with another learning rate for some groups of parameters.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn step_by(
        &mut self,
        network: &mut Network,
        gradients: &Gradients,
        learning_rate: f32,
        factors: &RateFactors,
    ) -> Result<(), NetworkError> {
        let weights = network.parameters_of(gradients)?;
        if self.memory.is_empty() {
            let names = self.settings.remembers().iter();
            self.memory = names.map(|_| gradients.none_yet()).collect();
        }
        if !self.memory.iter().all(|memory| memory.are_like(gradients)) {
            return Err(NetworkError::OtherParameters(
                "what the optimiser remembers",
            ));
        }
        self.steps_taken = self.steps_taken.saturating_add(1);
        let steps_taken = self.steps_taken;
        let places = places(gradients);
        let ranges = || places.iter().map(|(_, range)| range);
        let weights = cut(weights, ranges());
        let memory = self.memory.iter_mut();
        let memory = memory.map(|memory| cut(memory.values_mut(), ranges()).into_iter());
        let mut memory: Vec<_> = memory.collect();
        let pieces = weights.into_iter().zip(&places);
        let pieces = pieces.map(|(weights, (name, range))| Moved {
            learning_rate: learning_rate * factors.of(*name),
            steps_taken,
            decays: name.is_weight(),
            weights,
            gradients: &gradients.values()[range.clone()],
            memory: memory.iter_mut().filter_map(Iterator::next).collect(),
        });
        let pieces: Vec<Moved<'_>> = pieces.collect();
        pieces
            .into_par_iter()
            .for_each(|piece| self.settings.step(piece));
        network.clamp_parameters();
        Ok(())
    }
}

/// Where pieces of parameters lie, none of which is too long for one thread; what is between them is no
/// parameter's.
fn places(gradients: &Gradients) -> Vec<(ParameterName, Range<usize>)> {
    let mut places = Vec::new();
    for (name, range) in gradients.ranges() {
        for start in range.clone().step_by(NUMBERS_PER_CHUNK) {
            let end = range.end.min(start + NUMBERS_PER_CHUNK);
            places.push((name, start..end));
        }
    }
    places
}

/// The pieces of an array in these places, which are in order.
fn cut<'a>(
    mut values: &'a mut [f32],
    ranges: impl Iterator<Item = &'a Range<usize>>,
) -> Vec<&'a mut [f32]> {
    let mut passed = 0;
    let pieces = ranges.map(|range| {
        let rest = std::mem::take(&mut values);
        let (piece, rest) = rest[range.start - passed..].split_at_mut(range.len());
        (values, passed) = (rest, range.end);
        piece
    });
    pieces.collect()
}

/// Numbers that one thread moves at a time.
const NUMBERS_PER_CHUNK: usize = 1 << 14;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ClassId;
    use crate::network::{NetworkSpec, Parameters, Stage, StageInput};
    use crate::spikes::SpikeRaster;
    use crate::train::{Losses, StoredExamples, batch_gradient};

    /// Moves a network twice by the same gradient g of W_out, from zero, and gives the first
    /// non-zero g with the weight that belongs to it.
    fn moved_twice(settings: impl Into<OptimiserSettings>, rate: f32) -> (f64, f64) {
        let spec = NetworkSpec::dequino2024();
        let parameters = Parameters::zeros(&spec);
        let mut network = Network::with_parameters(spec.clone(), parameters).expect("its own");
        let mut spikes = SpikeRaster::new(20, 50).expect("valid");
        spikes.set(crate::ids::TimeStep(2), crate::ids::Unit(0));
        // From zero weights the maximum over time is at the start and has no gradient; any positive
        // readout has.
        let mut start = network.parameters().clone();
        for (name, mut weight) in start.iter_mut() {
            if name == ParameterName::Readout {
                weight.fill(0.1);
            }
        }
        network = Network::with_parameters(spec.clone(), start.clone()).expect("its own");
        let examples = StoredExamples {
            samples: vec![(StageInput::spikes(&spikes), ClassId(3))],
        };
        let stage = Stage::Learning(spec.replay_layer(3).expect("three layers"));
        let losses = Losses::default();
        let step = batch_gradient(&network, stage, &examples, &[0], &losses).expect("valid");
        let mut optimiser = Optimiser::new(settings).expect("valid");
        for _ in 0..2 {
            let moved = optimiser.step(&mut network, &step.gradients, rate);
            moved.expect("shapes fit");
        }
        let gradient = step
            .gradients
            .matrix(ParameterName::Readout)
            .expect("trained");
        let at = (0, 3);
        let readout =
            |parameters: &Parameters| parameters.matrix(ParameterName::Readout).expect("there")[at];
        let moved = readout(network.parameters()) - readout(&start);
        (f64::from(gradient[at]), f64::from(moved))
    }

    #[test]
    fn two_steps_are_those_of_the_formulas() {
        let rate = 0.01;
        // The same gradient twice: Adam's and Adamax's corrected first moment is g, Adam's corrected
        // second moment g², Adamax's norm |g| + ε.
        let (gradient, moved) = moved_twice(Adam::default(), 0.01);
        assert!(
            gradient < -1e-3,
            "the class's own logit must rise: {gradient}"
        );
        assert!((moved - 2.0 * rate).abs() < 1e-5, "{moved}");
        let (_, moved) = moved_twice(Adamax::default(), 0.01);
        assert!((moved - 2.0 * rate).abs() < 1e-5, "{moved}");
        // Each number loses its share of the rate before it is moved: 0.1 at first.
        let decaying = AdamW {
            decay: 0.5,
            ..AdamW::default()
        };
        let (_, moved) = moved_twice(decaying, 0.01);
        let (kept, decay) = (1.0 - rate * 0.5, 0.1);
        let expected = kept * (kept * decay + rate) + rate - decay;
        assert!((moved - expected).abs() < 1e-5, "{moved} {expected}");
        // v is g, then 1.9·g.
        let (gradient, moved) = moved_twice(Sgd::default(), 0.01);
        assert!(
            (moved + rate * 2.9 * gradient).abs() < 1e-6,
            "{moved} {gradient}"
        );
    }
}
