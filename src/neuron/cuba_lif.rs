use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{AnyNeuron, Learned, LearnedRange, Neuron, Quantity, Role, Spike, Start, Taken, decay};
use crate::network::RoleName;
use crate::real::Real;
use crate::registry::{BadSetting, Member, Part};

/// A current-based leaky integrate-and-fire neuron: [`CubaLif`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CubaLifSettings {
    /// Time constant of the synaptic current in steps: α = exp(−1/tau).
    pub tau_syn_steps: f64,
    /// Time constant of the membrane potential in steps: β = exp(−1/tau).
    pub tau_mem_steps: f64,
    /// A membrane potential above this spikes.
    pub threshold: f32,
    /// The time constant of the synaptic current is learned, between these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learn_tau_syn_steps: Option<LearnedRange>,
    /// The time constant of the membrane potential is learned, between these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learn_tau_mem_steps: Option<LearnedRange>,
    /// The threshold is learned, between these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learn_threshold: Option<LearnedRange>,
}

impl CubaLifSettings {
    /// One of which nothing is learned.
    pub fn new(tau_syn_steps: f64, tau_mem_steps: f64, threshold: f32) -> Self {
        CubaLifSettings {
            tau_syn_steps,
            tau_mem_steps,
            threshold,
            learn_tau_syn_steps: None,
            learn_tau_mem_steps: None,
            learn_threshold: None,
        }
    }

    /// The same with the time constant of the synaptic current learned, between these.
    #[must_use]
    pub fn with_learned_tau_syn_steps(mut self, range: LearnedRange) -> Self {
        self.learn_tau_syn_steps = Some(range);
        self
    }

    /// The same with the time constant of the membrane potential learned, between these.
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

impl Member for CubaLifSettings {
    const KIND: &'static str = "cuba-lif";
    const ABOUT: &'static str = "leaky integrate-and-fire with a synaptic current";

    fn check(&self) -> Result<(), BadSetting> {
        BadSetting::unless_positive("tau_syn_steps", self.tau_syn_steps)?;
        BadSetting::unless_positive("tau_mem_steps", self.tau_mem_steps)?;
        BadSetting::unless_positive("threshold", self.threshold)?;
        let threshold = f64::from(self.threshold);
        for (key, range, value) in [
            (
                "learn_tau_syn_steps",
                self.learn_tau_syn_steps,
                self.tau_syn_steps,
            ),
            (
                "learn_tau_mem_steps",
                self.learn_tau_mem_steps,
                self.tau_mem_steps,
            ),
            ("learn_threshold", self.learn_threshold, threshold),
        ] {
            LearnedRange::check(range, key, value)?;
        }
        Ok(())
    }

    fn in_longer_steps(mut self, factor: f64) -> Self {
        self.tau_syn_steps /= factor;
        self.tau_mem_steps /= factor;
        for range in [&mut self.learn_tau_syn_steps, &mut self.learn_tau_mem_steps] {
            *range = range.map(|range| range.divided(factor));
        }
        self
    }
}

impl Part<dyn AnyNeuron> for CubaLifSettings {
    fn part(self) -> Arc<dyn AnyNeuron> {
        let of_decay = |range: Option<LearnedRange>| Some(range?.learned(decay));
        let of_threshold = |range: LearnedRange| range.learned(|threshold| threshold as f32);
        Arc::new(CubaLif {
            alpha: decay(self.tau_syn_steps),
            beta: decay(self.tau_mem_steps),
            threshold: self.threshold,
            learned: [
                of_decay(self.learn_tau_syn_steps),
                of_decay(self.learn_tau_mem_steps),
                self.learn_threshold.map(of_threshold),
            ],
        })
    }
}

/// The current-based leaky integrate-and-fire neuron of Zenke's SpyTorch and Dequino et al. 2024
/// (arXiv:2407.03111). With h the drive, in this order:
///
/// ```text
/// s   = [mem > θ]                       mem before this step's update
/// mem ← (β·mem + syn)·(1 − s)           the reset is not differentiated
/// syn ← α·syn + h
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CubaLif {
    /// Decay of the synaptic current in a step, α.
    pub alpha: f32,
    /// Decay of the membrane potential in a step, β.
    pub beta: f32,
    /// A membrane potential above this spikes, θ.
    pub threshold: f32,
    /// How α, β and θ are learned, each if it is.
    pub learned: [Option<Learned>; 3],
}

impl CubaLif {
    pub(crate) const ALPHA: RoleName = RoleName::new("alpha");
    pub(crate) const BETA: RoleName = RoleName::new("beta");
    pub(crate) const THRESHOLD: RoleName = RoleName::new("threshold");
}

impl Neuron for CubaLif {
    type Raw<R: Real> = [R; 3];
    type Parameters<R: Real> = [R; 3];
    type State<R: Real> = [R; 2];
    type Tape<R: Real> = [R; 2];
    type Observed<R: Real> = [R; 2];

    fn roles(&self) -> Vec<Role> {
        let names = [Self::ALPHA, Self::BETA, Self::THRESHOLD];
        let starts = [self.alpha, self.beta, self.threshold];
        let all = names.into_iter().zip(starts).zip(self.learned);
        let roles = all.map(|((name, start), learned)| Role {
            name,
            start: Start::At(start),
            learned,
        });
        roles.collect()
    }

    fn observed(&self) -> &'static [&'static str] {
        &["membrane", "synaptic"]
    }

    fn observed_in_words(&self) -> &'static [&'static str] {
        &["membrane potential", "synaptic current"]
    }

    fn quantity(&self, role: &Role, raw: f64) -> Quantity {
        match role.name.as_str() {
            "alpha" => Quantity::of_decay("τ_syn", raw),
            "beta" => Quantity::of_decay("τ_mem", raw),
            name => Quantity::number(name, raw),
        }
    }

    #[inline(always)]
    fn parameters<R: Real>(&self, raw: &[R; 3]) -> [R; 3] {
        *raw
    }

    #[inline(always)]
    fn raw_gradient<R: Real>(&self, _: &[R; 3], gradient: &[R; 3]) -> [R; 3] {
        *gradient
    }

    #[inline(always)]
    fn step<R: Real>(
        &self,
        [alpha, beta, threshold]: &[R; 3],
        state: &mut [R; 2],
        drive: R,
        fire: impl FnOnce(R) -> Spike<R>,
    ) -> [R; 2] {
        let [membrane, synaptic] = *state;
        let spike = fire(membrane - *threshold);
        let next = (*beta * membrane + synaptic).flush();
        *state = [spike.reset(next), (*alpha * synaptic + drive).flush()];
        [membrane, synaptic]
    }

    #[inline(always)]
    fn distance<R: Real>(&self, parameters: &[R; 3], tape: &[R; 2]) -> R {
        tape[0] - parameters[2]
    }

    #[inline(always)]
    fn back<R: Real>(
        &self,
        [alpha, beta, _]: &[R; 3],
        step: Taken<R, [R; 2]>,
        errors: &mut [R; 2],
        gradient: &mut [R; 3],
    ) -> R {
        let ([membrane, synaptic], [error_membrane, error_synaptic]) = (step.tape, *errors);
        let kept = step.spike.reset(error_membrane);
        // Flushed before it is multiplied with the surrogate's tail, which falls with a square: of two
        // small factors the product would be subnormal most often.
        let through_spike = step.error_spike.flush() * step.slope;
        *gradient = [error_synaptic * synaptic, kept * membrane, -through_spike];
        *errors = [
            (through_spike + *beta * kept + step.error_membrane).flush(),
            (*alpha * error_synaptic + kept).flush(),
        ];
        error_synaptic
    }

    fn observe<R: Real>(&self, _: &[R; 3], step: &Taken<R, [R; 2]>) -> [R; 2] {
        step.tape
    }

    /// The most that a unit of synaptic current can still raise the membrane by: the largest of
    /// Σ_{j<k} β^(k−1−j)·α^j over all steps k. The sum rises to its peak and falls from there on.
    fn silence(&self, &[alpha, beta, _]: &[f64; 3]) -> Option<f64> {
        let (mut synaptic, mut membrane, mut most) = (1.0f64, 0.0f64, 0.0f64);
        for _ in 0..1_000_000 {
            membrane = beta * membrane + synaptic;
            synaptic *= alpha;
            if membrane < most {
                return Some(most);
            }
            most = membrane;
        }
        None
    }

    #[inline(always)]
    fn below_threshold<R: Real>(&self, parameters: &[R; 3], state: &[R; 2], silence: R) -> R {
        let [membrane, synaptic] = *state;
        // Rounding can add less than a part in ten thousand over any number of steps.
        let reachable = parameters[2] * silence.constant(1.0 - 1e-4);
        let highest = membrane.max(silence.zero()) + silence * synaptic.max(silence.zero());
        highest - reachable
    }
}
