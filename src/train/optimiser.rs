//! Optimisers: how a gradient moves the weights.

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Ix2, Zip};
use serde::{Deserialize, Serialize};

use super::TrainError;
use crate::kernels::flush;
use crate::network::{Gradients, Network, NetworkError, ParameterName};

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
    moments: BTreeMap<ParameterName, Moments>,
}

/// What an optimiser remembers of one weight, each of the weight's shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// First moment of Adam and Adamax, velocity of gradient descent.
    pub first: Array2<f32>,
    /// Second moment of Adam, infinity norm of Adamax; unused by gradient descent.
    pub second: Array2<f32>,
}

impl Optimiser {
    /// An optimiser that remembers nothing yet.
    ///
    /// # Errors
    /// [`TrainError::OutOfRange`] for a constant outside its range.
    pub fn new(settings: OptimiserSettings) -> Result<Self, TrainError> {
        Self::resume(settings, 0, BTreeMap::new())
    }

    /// An optimiser with a memory, as a checkpoint holds it.
    ///
    /// # Errors
    /// [`TrainError::OutOfRange`] for a constant outside its range.
    pub fn resume(
        settings: OptimiserSettings,
        steps_taken: u32,
        moments: BTreeMap<ParameterName, Moments>,
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

    /// What is remembered, by weight.
    pub fn moments(&self) -> &BTreeMap<ParameterName, Moments> {
        &self.moments
    }

    /// Moves every weight that has a gradient.
    ///
    /// # Errors
    /// [`NetworkError::WrongShape`] if a gradient or the memory does not fit its weight.
    pub fn step(
        &mut self,
        network: &mut Network,
        gradients: &Gradients,
        learning_rate: f32,
    ) -> Result<(), NetworkError> {
        self.steps_taken = self.steps_taken.saturating_add(1);
        let exponent = self.steps_taken.min(i32::MAX as u32) as i32;
        for (name, mut weight) in network.parameters_mut() {
            let Some(gradient) = gradients.get(name) else {
                continue;
            };
            let shape = weight.dim();
            let moments = self.moments.entry(name).or_insert_with(|| Moments {
                first: Array2::zeros(shape),
                second: Array2::zeros(shape),
            });
            for found in [gradient.dim(), moments.first.dim(), moments.second.dim()] {
                if found != shape {
                    return Err(NetworkError::WrongShape {
                        name,
                        found,
                        expected: shape,
                    });
                }
            }
            let all = Zip::from(weight.view_mut())
                .and(gradient.view())
                .and(moments.first.view_mut())
                .and(moments.second.view_mut());
            match self.settings {
                OptimiserSettings::Adamax {
                    beta1,
                    beta2,
                    epsilon,
                } => {
                    let rate = learning_rate / (1.0 - beta1.powi(exponent));
                    for_all(all, |weight, &gradient, first, norm| {
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
                    for_all(all, |weight, &gradient, first, second| {
                        *first = flush(beta1 * *first + (1.0 - beta1) * gradient);
                        *second = flush(beta2 * *second + (1.0 - beta2) * gradient * gradient);
                        *weight -= rate * *first / (second.sqrt() / root + epsilon);
                    });
                }
                OptimiserSettings::Sgd { momentum } => {
                    for_all(all, |weight, &gradient, velocity, _| {
                        *velocity = flush(momentum * *velocity + gradient);
                        *weight -= learning_rate * *velocity;
                    });
                }
            }
        }
        Ok(())
    }
}

/// The fewest weights that are worth another thread.
const MANY: usize = 1 << 15;

type Four<'a> = Zip<(Moved<'a>, Given<'a>, Moved<'a>, Moved<'a>), Ix2>;
type Moved<'a> = ArrayViewMut2<'a, f32>;
type Given<'a> = ArrayView2<'a, f32>;

/// Does the same for every weight, with several threads if there are many.
fn for_all(all: Four<'_>, work: impl Fn(&mut f32, &f32, &mut f32, &mut f32) + Sync + Send) {
    match all.size() < MANY {
        true => all.for_each(work),
        false => all.par_for_each(work),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ClassId;
    use crate::network::{NetworkSpec, Parameters, Stage, StageInput};
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
        start.readout.fill(0.1);
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
        let gradient = step.gradients.get(ParameterName::Readout).expect("trained");
        let at = (0, 3);
        let moved = network.parameters().readout[at] - start.readout[at];
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
