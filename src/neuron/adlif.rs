use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{AnyNeuron, Learned, Neuron, Quantity, Role, Spike, Start, Taken};
use crate::network::RoleName;
use crate::real::Real;
use crate::registry::{BadSetting, Member, Part};

/// An adaptive neuron: [`AdLif`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AdLifSettings {
    /// The shortest and the longest time constant of the membrane potential in steps.
    pub tau_mem_steps: (f32, f32),
    /// The shortest and the longest time constant of the adaptation in steps.
    pub tau_adaptation_steps: (f32, f32),
    /// A membrane potential above this spikes.
    pub threshold: f32,
    /// What a and b are multiplied with.
    pub scale: f32,
    /// Whether time constants, a and b are learned.
    pub learned: bool,
}

impl Default for AdLifSettings {
    /// τ_u 5 to 25 and τ_w 60 to 300 steps, θ 1, q 120, all learned.
    fn default() -> Self {
        AdLifSettings {
            tau_mem_steps: (5.0, 25.0),
            tau_adaptation_steps: (60.0, 300.0),
            threshold: 1.0,
            scale: 120.0,
            learned: true,
        }
    }
}

impl AdLifSettings {
    /// The same with time constants of the membrane potential between these, in steps.
    #[must_use]
    pub fn with_tau_mem_steps(mut self, shortest: f32, longest: f32) -> Self {
        self.tau_mem_steps = (shortest, longest);
        self
    }

    /// The same with time constants of the adaptation between these, in steps.
    #[must_use]
    pub fn with_tau_adaptation_steps(mut self, shortest: f32, longest: f32) -> Self {
        self.tau_adaptation_steps = (shortest, longest);
        self
    }

    /// The same with that threshold.
    #[must_use]
    pub fn with_threshold(mut self, threshold: f32) -> Self {
        self.threshold = threshold;
        self
    }

    /// The same with a and b multiplied by that.
    #[must_use]
    pub fn with_scale(mut self, scale: f32) -> Self {
        self.scale = scale;
        self
    }

    /// The same with time constants, a and b learned, or not.
    #[must_use]
    pub fn with_learned(mut self, learned: bool) -> Self {
        self.learned = learned;
        self
    }
}

impl Member for AdLifSettings {
    const KIND: &'static str = "adlif";
    const ABOUT: &'static str = "adaptive leaky integrate-and-fire (SE-adLIF)";

    fn check(&self) -> Result<(), BadSetting> {
        for (key, (shortest, longest)) in [
            ("tau_mem_steps", self.tau_mem_steps),
            ("tau_adaptation_steps", self.tau_adaptation_steps),
        ] {
            BadSetting::unless_positive(key, shortest)?;
            if !(longest.is_finite() && longest > shortest) {
                let reason =
                    format!("must be the shortest and a longer one, not {shortest} and {longest}");
                return Err(BadSetting::new(key, reason));
            }
        }
        BadSetting::unless_positive("threshold", self.threshold)?;
        BadSetting::unless_positive("scale", self.scale)
    }

    fn in_longer_steps(mut self, factor: f64) -> Self {
        let shrink = |tau: f32| (f64::from(tau) / factor) as f32;
        for (shortest, longest) in [&mut self.tau_mem_steps, &mut self.tau_adaptation_steps] {
            (*shortest, *longest) = (shrink(*shortest), shrink(*longest));
        }
        self
    }
}

impl Part<dyn AnyNeuron> for AdLifSettings {
    fn part(self) -> Arc<dyn AnyNeuron> {
        Arc::new(AdLif {
            tau_membrane_steps: self.tau_mem_steps,
            tau_adaptation_steps: self.tau_adaptation_steps,
            threshold: self.threshold,
            scale: self.scale,
            learned: self.learned,
        })
    }
}

/// The adaptive neuron SE-adLIF (Baronig et al. 2025, symplectic Euler). With I the drive and d = e^(−1/τ):
///
/// ```text
/// û = d_u·u + (1 − d_u)·(I − w)
/// z = [û > θ]
/// u ← û·(1 − z)                         the reset is not differentiated
/// w ← d_w·w + (1 − d_w)·(a·u + b·z)·q   with the new u and z
/// ```
///
/// Learned are ρ_u and ρ_w, which place the time constants within their ranges, τ = τ_max·ρ + τ_min·(1 − ρ),
/// and a and b. Adaptation below zero can make a silent neuron fire again, so nothing proves its silence.
#[derive(Debug, Clone, PartialEq)]
pub struct AdLif {
    /// The shortest and the longest τ_u in steps.
    pub tau_membrane_steps: (f32, f32),
    /// The shortest and the longest τ_w in steps.
    pub tau_adaptation_steps: (f32, f32),
    /// A membrane potential above this spikes, θ.
    pub threshold: f32,
    /// What a and b are multiplied with, q.
    pub scale: f32,
    /// Whether ρ_u, ρ_w, a and b are learned.
    pub learned: bool,
}

impl Default for AdLif {
    /// τ_u 5 to 25 and τ_w 60 to 300 steps, θ 1, q 120, all learned.
    fn default() -> Self {
        AdLif {
            tau_membrane_steps: (5.0, 25.0),
            tau_adaptation_steps: (60.0, 300.0),
            threshold: 1.0,
            scale: 120.0,
            learned: true,
        }
    }
}

/// τ where ρ says.
#[inline(always)]
fn tau<R: Real>(rho: R, (shortest, longest): (f32, f32)) -> R {
    rho * rho.constant(longest) + (rho.one() - rho) * rho.constant(shortest)
}

/// d of a step and 1 − d.
#[inline(always)]
fn of_tau<R: Real>(tau: R) -> (R, R) {
    let exponent = -(tau.one() / tau);
    (exponent.exp(), -exponent.exp_m1())
}

/// ∂L/∂ρ from ∂L/∂d and ∂L/∂(1 − d).
#[inline(always)]
fn of_rho<R: Real>(rho: R, range: (f32, f32), of_decay: R, of_rest: R) -> R {
    let tau = tau(rho, range);
    let slope = of_tau(tau).0 / (tau * tau) * rho.constant(range.1 - range.0);
    (of_decay - of_rest) * slope
}

impl Neuron for AdLif {
    /// ρ_u, ρ_w, a, b.
    type Raw<R: Real> = [R; 4];
    /// d_u, 1 − d_u, d_w, (1 − d_w)·q, a, b.
    type Parameters<R: Real> = [R; 6];
    /// u, w.
    type State<R: Real> = [R; 2];
    /// û, and u, w and I − w before.
    type Tape<R: Real> = [R; 4];
    type Observed<R: Real> = [R; 2];

    fn roles(&self) -> Vec<Role> {
        let of = |name, upper| Role {
            name: RoleName::new(name),
            start: match self.learned {
                true => Start::Between(0.0, upper),
                false => Start::At(upper / 2.0),
            },
            learned: self.learned.then_some(Learned {
                range: (0.0, upper),
                per_unit: true,
                drawn: false,
            }),
        };
        vec![
            of("rho_u", 1.0),
            of("rho_w", 1.0),
            of("a", 1.0),
            of("b", 2.0),
        ]
    }

    fn observed(&self) -> &'static [&'static str] {
        &["membrane", "adaptation"]
    }

    fn observed_in_words(&self) -> &'static [&'static str] {
        &["membrane potential", "adaptation current"]
    }

    fn quantity(&self, role: &Role, raw: f64) -> Quantity {
        match role.name.as_str() {
            "rho_u" => Quantity::steps("τ_mem", tau(raw, self.tau_membrane_steps)),
            "rho_w" => Quantity::steps("τ_adaptation", tau(raw, self.tau_adaptation_steps)),
            name => Quantity::number(name, raw),
        }
    }

    #[inline(always)]
    fn parameters<R: Real>(&self, &[rho_u, rho_w, a, b]: &[R; 4]) -> [R; 6] {
        let (d_u, rest_u) = of_tau(tau(rho_u, self.tau_membrane_steps));
        let (d_w, rest_w) = of_tau(tau(rho_w, self.tau_adaptation_steps));
        [d_u, rest_u, d_w, rest_w * a.constant(self.scale), a, b]
    }

    #[inline(always)]
    fn raw_gradient<R: Real>(&self, raw: &[R; 4], gradient: &[R; 6]) -> [R; 4] {
        let &[d_u, rest_u, d_w, rest_w, a, b] = gradient;
        let rest_w = rest_w * a.constant(self.scale);
        [
            of_rho(raw[0], self.tau_membrane_steps, d_u, rest_u),
            of_rho(raw[1], self.tau_adaptation_steps, d_w, rest_w),
            a,
            b,
        ]
    }

    #[inline(always)]
    fn step<R: Real>(
        &self,
        &[d_u, rest_u, d_w, rest_w, a, b]: &[R; 6],
        state: &mut [R; 2],
        drive: R,
        fire: impl FnOnce(R) -> Spike<R>,
    ) -> [R; 4] {
        let [before, adaptation] = *state;
        let driven = drive - adaptation;
        let membrane = (d_u * before + rest_u * driven).flush();
        let spike = fire(membrane - membrane.constant(self.threshold));
        let after = spike.reset(membrane);
        let adapted = d_w * adaptation + rest_w * (a * after + b * spike.value);
        *state = [after, adapted.flush()];
        [membrane, before, adaptation, driven]
    }

    #[inline(always)]
    fn distance<R: Real>(&self, _: &[R; 6], tape: &[R; 4]) -> R {
        tape[0] - tape[0].constant(self.threshold)
    }

    #[inline(always)]
    fn back<R: Real>(
        &self,
        &[d_u, rest_u, d_w, rest_w, a, b]: &[R; 6],
        step: Taken<R, [R; 4]>,
        errors: &mut [R; 2],
        gradient: &mut [R; 6],
    ) -> R {
        let ([membrane, before, adaptation, driven], [error_u, error_w]) = (step.tape, *errors);
        let after = step.spike.reset(membrane);
        let inner = rest_w * error_w;
        let error_u = error_u + inner * a;
        let error_spike = step.error_spike + inner * b;
        let through_spike = error_spike.flush() * step.slope;
        let error = (step.spike.reset(error_u) + through_spike + step.error_membrane).flush();
        *gradient = [
            before * error,
            driven * error,
            adaptation * error_w,
            (a * after + b * step.spike.value) * error_w,
            after * inner,
            step.spike.value * inner,
        ];
        let error_drive = rest_u * error;
        *errors = [(d_u * error).flush(), (d_w * error_w - error_drive).flush()];
        error_drive
    }

    fn observe<R: Real>(&self, parameters: &[R; 6], step: &Taken<R, [R; 4]>) -> [R; 2] {
        let &[_, _, d_w, rest_w, a, b] = parameters;
        let [membrane, _, adaptation, _] = step.tape;
        let after = step.spike.reset(membrane);
        let adapted = d_w * adaptation + rest_w * (a * after + b * step.spike.value);
        [membrane, adapted]
    }
}
