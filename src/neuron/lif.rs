use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{AnyNeuron, Learned, LearnedRange, Neuron, Quantity, Role, Spike, Start, Taken, decay};
use crate::network::RoleName;
use crate::real::Real;
use crate::registry::{BadSetting, Member, Part};

/// A leaky integrate-and-fire neuron without a synaptic current: [`Lif`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LifSettings {
    /// Time constant of the membrane potential in steps: β = exp(−1/tau).
    pub tau_mem_steps: f64,
    /// A membrane potential above this spikes.
    pub threshold: f32,
    /// What a spike does to the membrane.
    pub reset: ResetSettings,
    /// The time constant is learned, between these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learn_tau_mem_steps: Option<LearnedRange>,
    /// The threshold is learned, between these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learn_threshold: Option<LearnedRange>,
}

/// What a spike does to the membrane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ResetSettings {
    /// It is 0 afterwards; the reset is not differentiated.
    ToZero,
    /// The threshold is taken off, and errors go back through that.
    Subtract,
    /// The threshold is taken off; the reset is not differentiated.
    SubtractDetached,
}

impl LifSettings {
    /// One of which nothing is learned.
    pub fn new(tau_mem_steps: f64, threshold: f32, reset: ResetSettings) -> Self {
        LifSettings {
            tau_mem_steps,
            threshold,
            reset,
            learn_tau_mem_steps: None,
            learn_threshold: None,
        }
    }

    /// The same with the time constant learned, between these.
    #[must_use]
    pub fn with_learned_tau_mem_steps(mut self, range: LearnedRange) -> Self {
        self.learn_tau_mem_steps = Some(range);
        self
    }

    /// The same with the threshold learned, between these.
    #[must_use]
    pub fn with_learned_threshold(mut self, range: LearnedRange) -> Self {
        self.learn_threshold = Some(range);
        self
    }
}

impl Member for LifSettings {
    const KIND: &'static str = "lif";
    const ABOUT: &'static str = "leaky integrate-and-fire without a synaptic current";

    fn check(&self) -> Result<(), BadSetting> {
        BadSetting::unless_positive("tau_mem_steps", self.tau_mem_steps)?;
        BadSetting::unless_positive("threshold", self.threshold)?;
        LearnedRange::check(
            self.learn_tau_mem_steps,
            "learn_tau_mem_steps",
            self.tau_mem_steps,
        )?;
        let threshold = f64::from(self.threshold);
        LearnedRange::check(self.learn_threshold, "learn_threshold", threshold)
    }

    fn in_longer_steps(mut self, factor: f64) -> Self {
        self.tau_mem_steps /= factor;
        self.learn_tau_mem_steps = self.learn_tau_mem_steps.map(|range| range.divided(factor));
        self
    }
}

impl Part<dyn AnyNeuron> for LifSettings {
    fn part(self) -> Arc<dyn AnyNeuron> {
        let of_threshold = |range: LearnedRange| range.learned(|threshold| threshold as f32);
        Arc::new(Lif {
            beta: decay(self.tau_mem_steps),
            threshold: self.threshold,
            reset: match self.reset {
                ResetSettings::ToZero => Reset::ToZero,
                ResetSettings::Subtract => Reset::Subtract {
                    differentiated: true,
                },
                ResetSettings::SubtractDetached => Reset::Subtract {
                    differentiated: false,
                },
            },
            learned: [
                self.learn_tau_mem_steps.map(|range| range.learned(decay)),
                self.learn_threshold.map(of_threshold),
            ],
        })
    }
}

/// The leaky integrate-and-fire neuron without a synaptic current. With h the drive:
///
/// ```text
/// u ← β·u·(1 − s₋) + (1 − β)·h          reset to zero, not differentiated
/// u ← β·u − θ·s₋ + (1 − β)·h            reset by subtraction
/// s = [u > θ]
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Lif {
    /// Decay of the membrane potential in a step, β.
    pub beta: f32,
    /// A membrane potential above this spikes, θ.
    pub threshold: f32,
    /// What a spike does to the membrane.
    pub reset: Reset,
    /// How β and θ are learned, each if it is.
    pub learned: [Option<Learned>; 2],
}

/// What a spike does to the membrane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// It is 0 afterwards; the reset is not differentiated.
    ToZero,
    /// The threshold is taken off.
    Subtract {
        /// Whether errors go back through the reset.
        differentiated: bool,
    },
}

impl Neuron for Lif {
    type Raw<R: Real> = [R; 2];
    type Parameters<R: Real> = [R; 2];
    /// What the step before leaves of the membrane.
    type State<R: Real> = [R; 1];
    type Tape<R: Real> = [R; 2];
    type Observed<R: Real> = [R; 1];

    fn roles(&self) -> Vec<Role> {
        let names = ["beta", "threshold"].map(RoleName::new);
        let starts = [self.beta, self.threshold];
        let all = names.into_iter().zip(starts).zip(self.learned);
        let roles = all.map(|((name, start), learned)| Role {
            name,
            start: Start::At(start),
            learned,
        });
        roles.collect()
    }

    fn observed(&self) -> &'static [&'static str] {
        &["membrane"]
    }

    fn observed_in_words(&self) -> &'static [&'static str] {
        &["membrane potential"]
    }

    fn quantity(&self, role: &Role, raw: f64) -> Quantity {
        match role.name.as_str() {
            "beta" => Quantity::of_decay("τ_mem", raw),
            name => Quantity::number(name, raw),
        }
    }

    #[inline(always)]
    fn parameters<R: Real>(&self, raw: &[R; 2]) -> [R; 2] {
        *raw
    }

    #[inline(always)]
    fn raw_gradient<R: Real>(&self, _: &[R; 2], gradient: &[R; 2]) -> [R; 2] {
        *gradient
    }

    #[inline(always)]
    fn step<R: Real>(
        &self,
        [beta, threshold]: &[R; 2],
        state: &mut [R; 1],
        drive: R,
        fire: impl FnOnce(R) -> Spike<R>,
    ) -> [R; 2] {
        let membrane = (state[0] + (drive.one() - *beta) * drive).flush();
        let spike = fire(membrane - *threshold);
        state[0] = match self.reset {
            Reset::ToZero => *beta * spike.reset(membrane),
            Reset::Subtract {
                differentiated: true,
            } => *beta * membrane - *threshold * spike.value,
            Reset::Subtract { .. } => *beta * membrane - *threshold * spike.held(),
        };
        [membrane, drive]
    }

    #[inline(always)]
    fn distance<R: Real>(&self, parameters: &[R; 2], tape: &[R; 2]) -> R {
        tape[0] - parameters[1]
    }

    #[inline(always)]
    fn back<R: Real>(
        &self,
        [beta, threshold]: &[R; 2],
        step: Taken<R, [R; 2]>,
        errors: &mut [R; 1],
        gradient: &mut [R; 2],
    ) -> R {
        let ([membrane, drive], [left]) = (step.tape, *errors);
        // What reaches the membrane and the spike through what was left, and the threshold through the reset.
        let (kept, error_spike, of_reset) = match self.reset {
            Reset::ToZero => (step.spike.reset(left), step.error_spike, drive.zero()),
            Reset::Subtract {
                differentiated: true,
            } => (
                left,
                step.error_spike - *threshold * left,
                left * step.spike.value,
            ),
            Reset::Subtract { .. } => (left, step.error_spike, left * step.spike.held()),
        };
        let through_spike = error_spike.flush() * step.slope;
        let error = (through_spike + *beta * kept + step.error_membrane).flush();
        *gradient = [kept * membrane - drive * error, -(of_reset + through_spike)];
        *errors = [error];
        (drive.one() - *beta) * error
    }

    fn observe<R: Real>(&self, _: &[R; 2], step: &Taken<R, [R; 2]>) -> [R; 1] {
        [step.tape[0]]
    }

    /// Without a drive what is left decays towards 0, if β is below 1.
    fn silence(&self, &[beta, _]: &[f64; 2]) -> Option<f64> {
        (0.0..1.0).contains(&beta).then_some(0.0)
    }

    #[inline(always)]
    fn below_threshold<R: Real>(&self, parameters: &[R; 2], state: &[R; 1], _: R) -> R {
        state[0] - parameters[1]
    }
}
