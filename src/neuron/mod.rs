//! Neurons: state, parameters, a step forward in time, and its adjoint back.
//!
//! In: for each unit and step an input current. Out: spikes, and back in time the errors of currents and
//! parameters. A neuron is written once over any [`Real`] number, one file a neuron; the kernels run it
//! over vectors of f32.
//!
//! | kind | what it is |
//! |---|---|
//! | `cuba-lif` | [`CubaLif`]: leaky integrate-and-fire with a synaptic current |
//! | `lif` | [`Lif`]: leaky integrate-and-fire without one, reset to zero or by subtraction |
//! | `adlif` | [`AdLif`]: adaptive, after Baronig et al. 2025 |
//! | `alif` | [`Alif`]: with an adaptive threshold, after Bellec et al. 2018 |

mod adlif;
mod alif;
mod any;
mod cuba_lif;
mod learned_range;
mod lif;
mod quantity;

pub use adlif::{AdLif, AdLifSettings};
pub use alif::{Alif, AlifSettings};
pub use any::AnyNeuron;
pub(crate) use any::place;
pub use cuba_lif::{CubaLif, CubaLifSettings};
pub use learned_range::LearnedRange;
pub use lif::{Lif, LifSettings, Reset, ResetSettings};
pub use quantity::Quantity;

use std::fmt::Debug;

use crate::network::RoleName;
use crate::real::{Fields, Real};
use crate::registry::Chosen;

/// A neuron of any kind, as a spec names it.
pub type NeuronModel = Chosen<dyn AnyNeuron>;

/// The factor by which a state decays in a step: exp(−1/tau).
pub(crate) fn decay(tau_steps: f64) -> f32 {
    (-1.0 / tau_steps).exp() as f32
}

/// A model of a neuron.
///
/// With s the spikes of the step at hand, a step computes x, the distance of the membrane from the
/// threshold, fires where x > 0, and moves the state on. The adjoint goes the same way back: it is given
/// ∂L/∂state after the step, ∂L/∂s and ∂L/∂membrane, and gives ∂L/∂state before the step, ∂L/∂drive and ∂L/∂parameters.
/// `ds/dx` is the surrogate's value at x.
pub trait Neuron: Debug + Send + Sync + 'static {
    /// What of a unit may be learned, as it is kept and moved by an optimiser: one number for each of
    /// [`roles`](Neuron::roles).
    type Raw<R: Real>: Fields<R>;
    /// What a step computes with, made of the raw ones once for many steps.
    type Parameters<R: Real>: Fields<R>;
    /// What goes from step to step; 0 before the first.
    type State<R: Real>: Fields<R>;
    /// What the adjoint of a step needs to know of it.
    type Tape<R: Real>: Fields<R>;
    /// States for people to look at, the membrane potential that is compared with the threshold first.
    type Observed<R: Real>: Fields<R>;

    /// The parameters that a unit has, by name.
    fn roles(&self) -> Vec<Role>;

    /// Names of what [`observe`](Neuron::observe) gives.
    fn observed(&self) -> &'static [&'static str];

    /// What legends call them; by default the same names.
    fn observed_in_words(&self) -> &'static [&'static str] {
        Neuron::observed(self)
    }

    /// What a raw number of a role means to people, such as a time constant; by default the number itself under
    /// the role's name.
    fn quantity(&self, role: &Role, raw: f64) -> Quantity {
        Quantity::number(role.name.as_str(), raw)
    }

    /// Parameters of a step.
    fn parameters<R: Real>(&self, raw: &Self::Raw<R>) -> Self::Parameters<R>;

    /// ∂L/∂raw from ∂L/∂parameters.
    fn raw_gradient<R: Real>(
        &self,
        raw: &Self::Raw<R>,
        gradient: &Self::Parameters<R>,
    ) -> Self::Raw<R>;

    /// A step: moves the state on. `fire` is called once, with x.
    fn step<R: Real>(
        &self,
        parameters: &Self::Parameters<R>,
        state: &mut Self::State<R>,
        drive: R,
        fire: impl FnOnce(R) -> Spike<R>,
    ) -> Self::Tape<R>;

    /// x of a step.
    fn distance<R: Real>(&self, parameters: &Self::Parameters<R>, tape: &Self::Tape<R>) -> R;

    /// The adjoint of a step.
    fn back<R: Real>(
        &self,
        parameters: &Self::Parameters<R>,
        step: Taken<R, Self::Tape<R>>,
        errors: &mut Self::State<R>,
        gradient: &mut Self::Parameters<R>,
    ) -> R;

    /// What is to be seen of a step.
    fn observe<R: Real>(
        &self,
        parameters: &Self::Parameters<R>,
        step: &Taken<R, Self::Tape<R>>,
    ) -> Self::Observed<R>;

    /// Something about a unit's parameters from which [`below_threshold`](Neuron::below_threshold) proves
    /// silence; `None`, the default, if there is no such proof. Then a layer runs to the end.
    fn silence(&self, _parameters: &Self::Parameters<f64>) -> Option<f64> {
        None
    }

    /// A number that is 0 or less where a unit in this state, without any drive, is silent for good.
    fn below_threshold<R: Real>(
        &self,
        _parameters: &Self::Parameters<R>,
        _state: &Self::State<R>,
        silence: R,
    ) -> R {
        silence.one()
    }
}

/// A step that was taken, as its adjoint sees it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Taken<R: Real, T> {
    /// What the step left.
    pub tape: T,
    /// Whether it fired.
    pub spike: Spike<R>,
    /// ∂L/∂s from whatever the spike drove.
    pub error_spike: R,
    /// ds/dx, the surrogate's value.
    pub slope: R,
    /// ∂L/∂membrane from a loss on the membrane potential itself, as it is compared with the threshold; 0
    /// for losses that see spikes only.
    pub error_membrane: R,
}

impl<R: Real, T> Taken<R, T> {
    /// A step whose spike has that error and that slope, and whose membrane has no error of its own: for checks
    /// of an adjoint.
    pub fn new(tape: T, spike: Spike<R>, error_spike: R, slope: R) -> Self {
        Taken {
            tape,
            spike,
            error_spike,
            slope,
            error_membrane: slope.zero(),
        }
    }

    /// The same with that error of the membrane.
    #[must_use]
    pub fn with_error_membrane(mut self, error: R) -> Self {
        self.error_membrane = error;
        self
    }
}

/// A spike or none, of each of the units that are computed together.
#[derive(Debug, Clone, Copy)]
pub struct Spike<R: Real> {
    /// 1 for a spike, 0 for none: what is differentiated, by the surrogate.
    pub value: R,
    held: R::Mask,
}

impl<R: Real> Spike<R> {
    /// A spike where x is above 0.
    #[inline(always)]
    pub fn of(x: R) -> Self {
        let held = x.greater(x.zero());
        Spike {
            value: R::select(held, x.one(), x.zero()),
            held,
        }
    }

    /// One that resets as `held` says and is differentiated as `value`: for checks of gradients.
    pub fn smoothed(value: R, held: R::Mask) -> Self {
        Spike { value, held }
    }

    /// `value·(1 − s)`, where s is not differentiated: 0 where there was a spike.
    #[inline(always)]
    pub fn reset(self, value: R) -> R {
        R::select(self.held, value.zero(), value)
    }

    /// s, not differentiated.
    #[inline(always)]
    pub fn held(self) -> R {
        R::select(self.held, self.value.one(), self.value.zero())
    }

    #[inline(always)]
    pub(crate) fn mask(self) -> R::Mask {
        self.held
    }
}

/// A parameter of a neuron.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Role {
    /// Its name; the layer's number is added.
    pub name: RoleName,
    /// Where it begins.
    pub start: Start,
    /// Whether it is learned, and how.
    pub learned: Option<Learned>,
}

impl Role {
    /// A parameter of that name that begins there and is not learned.
    pub fn new(name: RoleName, start: Start) -> Self {
        Role {
            name,
            start,
            learned: None,
        }
    }

    /// Where it begins: drawn from its range, if it is learned and is to be drawn.
    pub fn begins(&self) -> Start {
        match self.learned {
            Some(Learned {
                range: (least, most),
                drawn: true,
                ..
            }) => Start::Between(least, most),
            _ => self.start,
        }
    }

    /// The same, learned.
    #[must_use]
    pub fn with_learned(mut self, learned: Learned) -> Self {
        self.learned = Some(learned);
        self
    }
}

/// Where a parameter begins.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Start {
    /// The same for every unit.
    At(f32),
    /// Drawn for each unit, evenly between two values.
    Between(f32, f32),
}

/// How a parameter is learned.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Learned {
    /// It is kept between these after every step of an optimiser.
    pub range: (f32, f32),
    /// Whether each unit has its own, or all of a layer have one.
    pub per_unit: bool,
    /// Whether it begins anywhere in its range, drawn evenly, whatever the start is.
    pub drawn: bool,
}

impl Learned {
    /// Each unit has its own, kept between these.
    pub fn between(least: f32, most: f32) -> Self {
        Learned {
            range: (least, most),
            per_unit: true,
            drawn: false,
        }
    }

    /// The same, beginning anywhere in its range.
    #[must_use]
    pub fn with_drawn(mut self) -> Self {
        self.drawn = true;
        self
    }

    /// The same with one for all units of a layer.
    #[must_use]
    pub fn with_shared(mut self) -> Self {
        self.per_unit = false;
        self
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::random::{MasterSeed, Purpose};

    /// Wherever silence is proven, no unit fires any more.
    fn proofs_hold<N: Neuron>(
        neuron: N,
        raw: impl Fn(&mut dyn FnMut(f32, f32) -> f32) -> N::Raw<f32>,
    ) {
        let mut noise = MasterSeed(4).stream(Purpose::Shuffle);
        let mut draw = |low: f32, high: f32| noise.random_range(low..high);
        let mut proven = 0;
        for _ in 0..2000 {
            let parameters = neuron.parameters::<f32>(&raw(&mut draw));
            let wide = N::Parameters::<f64>::from_fn(|field| f64::from(parameters.as_ref()[field]));
            let silence = neuron.silence(&wide).expect("a proof") as f32;
            let mut state = N::State::<f32>::from_fn(|_| draw(-0.6, 0.6));
            if neuron.below_threshold(&parameters, &state, silence) > 0.0 {
                continue;
            }
            proven += 1;
            for _ in 0..300 {
                let mut fired = false;
                neuron.step(&parameters, &mut state, 0.0, |x: f32| {
                    fired = x > 0.0;
                    Spike::of(x)
                });
                assert!(
                    !fired,
                    "{neuron:?} with {:?} fires again",
                    parameters.as_ref()
                );
            }
        }
        assert!(proven > 200, "{proven} proofs");
    }

    #[test]
    fn who_is_proven_silent_stays_silent() {
        let cuba = CubaLif {
            alpha: 0.8,
            beta: 0.9,
            threshold: 1.0,
            learned: [None; 3],
        };
        proofs_hold(cuba, |draw| {
            [draw(0.1, 0.99), draw(0.1, 0.99), draw(0.2, 3.0)]
        });
        for reset in [
            Reset::ToZero,
            Reset::Subtract {
                differentiated: true,
            },
        ] {
            let lif = Lif {
                beta: 0.9,
                threshold: 1.0,
                reset,
                learned: [None; 2],
            };
            proofs_hold(lif, |draw| [draw(0.1, 0.999), draw(0.1, 1.0)]);
        }
        let alif = Alif {
            beta: 0.9,
            rho: 0.95,
            threshold: 0.4,
            rise: 1.5,
            learned: [None; 2],
        };
        proofs_hold(alif, |draw| [draw(0.1, 0.999), draw(0.1, 0.999)]);
        let adaptive = AdLif::default();
        assert_eq!(
            Neuron::silence(&adaptive, &[0.5; 6]),
            None,
            "it may fire again"
        );
    }
}
