//! Optimisers: how a gradient moves the weights.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::TrainError;
use crate::kernels::flush;
use crate::network::{Gradients, Network, NetworkError};

/// Which optimiser, with its constants. The learning rate comes from a
/// [`Schedule`](super::Schedule).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum OptimiserSettings {
    /// Adamax (Kingma & Ba 2015, Algorithm 2), with epsilon added to |g| as PyTorch does.
    Adamax {
        /// Decay of the first moment.
        beta1: f32,
        /// Decay of the infinity norm.
        beta2: f32,
        /// Keeps the norm above zero.
        epsilon: f32,
    },
    /// Adam (Kingma & Ba 2015, Algorithm 1).
    Adam {
        /// Decay of the first moment.
        beta1: f32,
        /// Decay of the second moment.
        beta2: f32,
        /// Keeps the denominator above zero.
        epsilon: f32,
    },
    /// Stochastic gradient descent; v ← momentum·v + g, w ← w − lr·v.
    Sgd {
        /// How much of the last move is kept, 0 for none.
        momentum: f32,
    },
}

impl OptimiserSettings {
    /// Adamax with β 0.9 and 0.999 and ε 1e-8, as in the reference paper.
    pub const ADAMAX: Self = OptimiserSettings::Adamax {
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
    };
    /// Adam with β 0.9 and 0.999 and ε 1e-8.
    pub const ADAM: Self = OptimiserSettings::Adam {
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
    };
    /// Gradient descent with momentum 0.9.
    pub const SGD: Self = OptimiserSettings::Sgd { momentum: 0.9 };

    pub(super) fn check(self) -> Result<(), TrainError> {
        let (factors, epsilon) = match self {
            OptimiserSettings::Adamax {
                beta1,
                beta2,
                epsilon,
            }
            | OptimiserSettings::Adam {
                beta1,
                beta2,
                epsilon,
            } => (vec![("beta1", beta1), ("beta2", beta2)], epsilon),
            OptimiserSettings::Sgd { momentum } => (vec![("momentum", momentum)], 1.0),
        };
        for (name, value) in factors {
            if !(0.0..1.0).contains(&value) {
                return Err(TrainError::OutOfRange {
                    what: name,
                    range: "0 up to, not including, 1",
                    value: f64::from(value),
                });
            }
        }
        if !(epsilon.is_finite() && epsilon > 0.0) {
            return Err(TrainError::OutOfRange {
                what: "epsilon",
                range: "above 0",
                value: f64::from(epsilon),
            });
        }
        Ok(())
    }
}

/// An optimiser's memory of past gradients.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimiser {
    settings: OptimiserSettings,
    steps_taken: u32,
    /// `None` before the first step.
    moments: Option<Moments>,
}

/// What an optimiser remembers of every parameter that it moves, in the shape of their gradients.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// First moment of Adam and Adamax, velocity of gradient descent.
    pub first: Gradients,
    /// Second moment of Adam, infinity norm of Adamax; unused by gradient descent.
    pub second: Gradients,
}

impl Moments {
    /// A memory of nothing, for gradients such as these.
    fn none(gradients: &Gradients) -> Self {
        let mut first = gradients.clone();
        first.clear();
        let second = first.clone();
        Moments { first, second }
    }
}

impl Optimiser {
    /// An optimiser that remembers nothing yet.
    ///
    /// # Errors
    /// [`TrainError::OutOfRange`] for a constant outside its range.
    pub fn new(settings: OptimiserSettings) -> Result<Self, TrainError> {
        Self::resume(settings, 0, None)
    }

    /// An optimiser with a memory, as a checkpoint holds it.
    ///
    /// # Errors
    /// [`TrainError::OutOfRange`] for a constant outside its range.
    pub fn resume(
        settings: OptimiserSettings,
        steps_taken: u32,
        moments: Option<Moments>,
    ) -> Result<Self, TrainError> {
        settings.check()?;
        Ok(Optimiser {
            settings,
            steps_taken,
            moments,
        })
    }

    /// Which optimiser this is.
    pub fn settings(&self) -> OptimiserSettings {
        self.settings
    }

    /// Steps taken so far.
    pub fn steps_taken(&self) -> u32 {
        self.steps_taken
    }

    /// What is remembered; nothing before the first step.
    pub fn moments(&self) -> Option<&Moments> {
        self.moments.as_ref()
    }

    /// Moves every parameter that has a gradient.
    ///
    /// # Errors
    /// [`NetworkError::OtherParameters`] if the gradients or the memory are of another network or stage.
    pub fn step(
        &mut self,
        network: &mut Network,
        gradients: &Gradients,
        learning_rate: f32,
    ) -> Result<(), NetworkError> {
        let weights = network.parameters_of(gradients)?;
        let moments = self.moments.get_or_insert_with(|| Moments::none(gradients));
        if !moments.first.are_like(gradients) || !moments.second.are_like(gradients) {
            return Err(NetworkError::OtherParameters(
                "what the optimiser remembers",
            ));
        }
        self.steps_taken = self.steps_taken.saturating_add(1);
        let exponent = self.steps_taken.min(i32::MAX as u32) as i32;
        let all = Moved {
            weights,
            gradients: gradients.values(),
            first: moments.first.values_mut(),
            second: moments.second.values_mut(),
        };
        match self.settings {
            OptimiserSettings::Adamax {
                beta1,
                beta2,
                epsilon,
            } => {
                let rate = learning_rate / (1.0 - beta1.powi(exponent));
                all.each(|weight, gradient, first, norm| {
                    *first = flush(beta1 * *first + (1.0 - beta1) * gradient);
                    *norm = (beta2 * *norm).max(gradient.abs() + epsilon);
                    *weight -= rate * *first / *norm;
                });
            }
            OptimiserSettings::Adam {
                beta1,
                beta2,
                epsilon,
            } => {
                let rate = learning_rate / (1.0 - beta1.powi(exponent));
                let root = (1.0 - beta2.powi(exponent)).sqrt();
                all.each(|weight, gradient, first, second| {
                    *first = flush(beta1 * *first + (1.0 - beta1) * gradient);
                    *second = flush(beta2 * *second + (1.0 - beta2) * gradient * gradient);
                    *weight -= rate * *first / (second.sqrt() / root + epsilon);
                });
            }
            OptimiserSettings::Sgd { momentum } => {
                all.each(|weight, gradient, velocity, _| {
                    *velocity = flush(momentum * *velocity + gradient);
                    *weight -= learning_rate * *velocity;
                });
            }
        }
        network.clamp_parameters();
        Ok(())
    }
}

/// Numbers that one thread moves at a time.
const PIECE: usize = 1 << 14;

/// Parameters with all that moves them, equally long.
struct Moved<'a> {
    weights: &'a mut [f32],
    gradients: &'a [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
}

impl Moved<'_> {
    /// Does the same for every number, with several threads if there are many.
    fn each(self, work: impl Fn(&mut f32, f32, &mut f32, &mut f32) + Sync + Send) {
        let weights = self.weights.par_chunks_mut(PIECE);
        let weights = weights.zip(self.gradients.par_chunks(PIECE));
        let moments = self.first.par_chunks_mut(PIECE);
        let moments = moments.zip(self.second.par_chunks_mut(PIECE));
        weights
            .zip(moments)
            .for_each(|((weights, gradients), (first, second))| {
                let weights = weights.iter_mut().zip(gradients);
                let moments = first.iter_mut().zip(second);
                for ((weight, &gradient), (first, second)) in weights.zip(moments) {
                    work(weight, gradient, first, second);
                }
            });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ClassId;
    use crate::network::{NetworkSpec, ParameterName, Parameters, Stage, StageInput};
    use crate::spikes::SpikeRaster;
    use crate::train::{SpikePenalty, StoredExamples, batch_gradient};

    /// Moves a network twice by the same gradient g of W_out, from zero, and gives the first
    /// non-zero g with the weight that belongs to it.
    fn moved_twice(settings: OptimiserSettings, rate: f32) -> (f64, f64) {
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
        let stage = Stage::Learning(spec.lr_index(3).expect("three layers"));
        let none = SpikePenalty::default();
        let step = batch_gradient(&network, stage, &examples, &[0], none).expect("valid");
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
        let (gradient, moved) = moved_twice(OptimiserSettings::ADAM, 0.01);
        assert!(
            gradient < -1e-3,
            "the class's own logit must rise: {gradient}"
        );
        assert!((moved - 2.0 * rate).abs() < 1e-5, "{moved}");
        let (_, moved) = moved_twice(OptimiserSettings::ADAMAX, 0.01);
        assert!((moved - 2.0 * rate).abs() < 1e-5, "{moved}");
        // v is g, then 1.9·g.
        let (gradient, moved) = moved_twice(OptimiserSettings::SGD, 0.01);
        assert!(
            (moved + rate * 2.9 * gradient).abs() < 1e-6,
            "{moved} {gradient}"
        );
    }
}
