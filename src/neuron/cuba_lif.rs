use super::{Learned, Neuron, Role, Spike, Start, Taken};
use crate::network::RoleName;
use crate::real::Real;

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
            (through_spike + *beta * kept).flush(),
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
