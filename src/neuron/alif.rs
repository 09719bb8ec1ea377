use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{AnyNeuron, Learned, LearnedRange, Neuron, Quantity, Role, Spike, Start, Taken, decay};
use crate::network::RoleName;
use crate::real::Real;
use crate::registry::{BadSetting, Member, Part};

/// A neuron whose threshold rises with its own spikes: [`Alif`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AlifSettings {
    /// Time constant of the membrane potential in steps: β = exp(−1/tau).
    pub tau_mem_steps: f64,
    /// Time constant of the adaptation in steps: ρ = exp(−1/tau).
    pub tau_adaptation_steps: f64,
    /// The threshold at rest, θ₀.
    pub threshold: f32,
    /// By how much the threshold is higher where every step has a spike, κ.
    pub rise: f32,
    /// The time constant of the membrane potential is learned, between these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learn_tau_mem_steps: Option<LearnedRange>,
    /// The time constant of the adaptation is learned, between these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learn_tau_adaptation_steps: Option<LearnedRange>,
}

impl AlifSettings {
    /// One of which nothing is learned.
    pub fn new(tau_mem_steps: f64, tau_adaptation_steps: f64, threshold: f32, rise: f32) -> Self {
        AlifSettings {
            tau_mem_steps,
            tau_adaptation_steps,
            threshold,
            rise,
            learn_tau_mem_steps: None,
            learn_tau_adaptation_steps: None,
        }
    }

    /// The same with the time constant of the membrane potential learned, between these.
    #[must_use]
    pub fn with_learned_tau_mem_steps(mut self, range: LearnedRange) -> Self {
        self.learn_tau_mem_steps = Some(range);
        self
    }

    /// The same with the time constant of the adaptation learned, between these.
    #[must_use]
    pub fn with_learned_tau_adaptation_steps(mut self, range: LearnedRange) -> Self {
        self.learn_tau_adaptation_steps = Some(range);
        self
    }
}

impl Member for AlifSettings {
    const KIND: &'static str = "alif";
    const ABOUT: &'static str =
        "leaky integrate-and-fire with a threshold that rises with its spikes";

    fn check(&self) -> Result<(), BadSetting> {
        let (of_membrane, of_adaptation) = (self.tau_mem_steps, self.tau_adaptation_steps);
        BadSetting::unless_positive("tau_mem_steps", of_membrane)?;
        BadSetting::unless_positive("tau_adaptation_steps", of_adaptation)?;
        BadSetting::unless_positive("threshold", self.threshold)?;
        BadSetting::unless_positive("rise", self.rise)?;
        LearnedRange::check(self.learn_tau_mem_steps, "learn_tau_mem_steps", of_membrane)?;
        let (range, key) = (
            self.learn_tau_adaptation_steps,
            "learn_tau_adaptation_steps",
        );
        LearnedRange::check(range, key, of_adaptation)
    }

    fn in_longer_steps(mut self, factor: f64) -> Self {
        self.tau_mem_steps /= factor;
        self.tau_adaptation_steps /= factor;
        for range in [
            &mut self.learn_tau_mem_steps,
            &mut self.learn_tau_adaptation_steps,
        ] {
            *range = range.map(|range| range.divided(factor));
        }
        self
    }
}

impl Part<dyn AnyNeuron> for AlifSettings {
    fn part(self) -> Arc<dyn AnyNeuron> {
        let of_decay = |range: Option<LearnedRange>| Some(range?.learned(decay));
        Arc::new(Alif {
            beta: decay(self.tau_mem_steps),
            rho: decay(self.tau_adaptation_steps),
            threshold: self.threshold,
            rise: self.rise,
            learned: [
                of_decay(self.learn_tau_mem_steps),
                of_decay(self.learn_tau_adaptation_steps),
            ],
        })
    }
}

/// The adaptive neuron of Bellec et al. 2018, in the order of Yin et al. 2021. With h the drive:
///
/// ```text
/// û = β·u + (1 − β)·h
/// θ = θ₀ + κ·a
/// s = [û > θ]
/// u ← û − θ·s                           the reset is not differentiated by s
/// a ← ρ·a + (1 − ρ)·s
/// ```
///
/// Adaptation only ever raises the threshold: a unit without a drive and below θ₀ is silent for good.
#[derive(Debug, Clone, PartialEq)]
pub struct Alif {
    /// Decay of the membrane potential in a step, β.
    pub beta: f32,
    /// Decay of the adaptation in a step, ρ.
    pub rho: f32,
    /// The threshold at rest, θ₀.
    pub threshold: f32,
    /// By how much it is higher where every step has a spike, κ.
    pub rise: f32,
    /// How β and ρ are learned, each if it is.
    pub learned: [Option<Learned>; 2],
}

impl Alif {
    #[inline(always)]
    fn threshold<R: Real>(&self, adaptation: R) -> R {
        adaptation.constant(self.threshold) + adaptation.constant(self.rise) * adaptation
    }
}

impl Neuron for Alif {
    /// β, ρ.
    type Raw<R: Real> = [R; 2];
    type Parameters<R: Real> = [R; 2];
    /// u, a.
    type State<R: Real> = [R; 2];
    /// û, and u, a and h before.
    type Tape<R: Real> = [R; 4];
    type Observed<R: Real> = [R; 2];

    fn roles(&self) -> Vec<Role> {
        let names = ["beta", "rho"].map(RoleName::new);
        let all = names
            .into_iter()
            .zip([self.beta, self.rho])
            .zip(self.learned);
        let roles = all.map(|((name, start), learned)| Role {
            name,
            start: Start::At(start),
            learned,
        });
        roles.collect()
    }

    fn observed(&self) -> &'static [&'static str] {
        &["membrane", "adaptation"]
    }

    fn observed_in_words(&self) -> &'static [&'static str] {
        &["membrane potential", "adaptation"]
    }

    fn quantity(&self, role: &Role, raw: f64) -> Quantity {
        match role.name.as_str() {
            "beta" => Quantity::of_decay("τ_mem", raw),
            "rho" => Quantity::of_decay("τ_adaptation", raw),
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
        &[beta, rho]: &[R; 2],
        state: &mut [R; 2],
        drive: R,
        fire: impl FnOnce(R) -> Spike<R>,
    ) -> [R; 4] {
        let [before, adaptation] = *state;
        let membrane = (beta * before + (drive.one() - beta) * drive).flush();
        let threshold = self.threshold(adaptation);
        let spike = fire(membrane - threshold);
        let adapted = rho * adaptation + (drive.one() - rho) * spike.value;
        *state = [membrane - threshold * spike.held(), adapted.flush()];
        [membrane, before, adaptation, drive]
    }

    #[inline(always)]
    fn distance<R: Real>(&self, _: &[R; 2], tape: &[R; 4]) -> R {
        tape[0] - self.threshold(tape[2])
    }

    #[inline(always)]
    fn back<R: Real>(
        &self,
        &[beta, rho]: &[R; 2],
        step: Taken<R, [R; 4]>,
        errors: &mut [R; 2],
        gradient: &mut [R; 2],
    ) -> R {
        let ([_, before, adaptation, drive], [error_u, error_a]) = (step.tape, *errors);
        let error_spike = step.error_spike + (rho.one() - rho) * error_a;
        let through_spike = error_spike.flush() * step.slope;
        let error = (through_spike + error_u + step.error_membrane).flush();
        let of_threshold = through_spike + step.spike.held() * error_u;
        *gradient = [
            error * (before - drive),
            error_a * (adaptation - step.spike.value),
        ];
        let of_adaptation = rho * error_a - adaptation.constant(self.rise) * of_threshold;
        *errors = [(beta * error).flush(), of_adaptation.flush()];
        (beta.one() - beta) * error
    }

    fn observe<R: Real>(&self, _: &[R; 2], step: &Taken<R, [R; 4]>) -> [R; 2] {
        [step.tape[0], step.tape[2]]
    }

    /// Without a drive the membrane decays towards 0, if β is below 1.
    fn silence(&self, &[beta, _]: &[f64; 2]) -> Option<f64> {
        (0.0..1.0).contains(&beta).then_some(0.0)
    }

    #[inline(always)]
    fn below_threshold<R: Real>(&self, _: &[R; 2], state: &[R; 2], _: R) -> R {
        // The threshold is never below that at rest where the adaptation is not below 0, as it never is.
        let [membrane, adaptation] = *state;
        (membrane - membrane.constant(self.threshold)).max(-adaptation)
    }
}
