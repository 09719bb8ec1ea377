use rand::Rng;

use super::{Worst, WrongGradient};
use crate::neuron::{Neuron, Spike, Taken};
use crate::random::{MasterSeed, Purpose};
use crate::real::Fields;
use crate::surrogate::Surrogate;

/// Steps that a unit runs.
const STEPS: usize = 40;
/// A run of one unit.
struct Run<N: Neuron> {
    loss: f64,
    tapes: Vec<N::Tape<f64>>,
    distances: Vec<f64>,
}

/// One unit with what drives it, and a loss on its spikes.
struct Unit<'a, N: Neuron, S: Surrogate> {
    neuron: &'a N,
    surrogate: &'a S,
    /// ∂loss/∂spike of each step.
    errors: Vec<f64>,
    /// ∂loss/∂membrane of each step.
    membrane_errors: Vec<f64>,
}

impl<N: Neuron, S: Surrogate> Unit<'_, N, S> {
    /// Runs with smoothed spikes; resets are as `held` says, or as the spikes themselves.
    fn run(&self, raw: &N::Raw<f64>, drives: &[f64], held: Option<&[f64]>) -> Run<N> {
        let parameters = self.neuron.parameters::<f64>(raw);
        let mut state = N::State::<f64>::from_fn(|_| 0.0);
        let mut run = Run {
            loss: 0.0,
            tapes: Vec::new(),
            distances: Vec::new(),
        };
        for (step, &drive) in drives.iter().enumerate() {
            let mut distance = 0.0;
            let tape = self.neuron.step(&parameters, &mut state, drive, |x: f64| {
                distance = x;
                let value = self.surrogate.primitive(x);
                Spike::smoothed(value, held.map_or(value, |held| held[step]))
            });
            let taken = Taken {
                tape,
                spike: Spike::smoothed(self.surrogate.primitive(distance), 0.0),
                error_spike: 0.0,
                slope: 0.0,
                error_membrane: 0.0,
            };
            let membrane = self.neuron.observe(&parameters, &taken).as_ref()[0];
            run.loss += self.errors[step] * self.surrogate.primitive(distance);
            run.loss += self.membrane_errors[step] * membrane;
            run.tapes.push(tape);
            run.distances.push(distance);
        }
        run
    }

    /// ∂loss/∂drive of each step, and ∂loss/∂raw.
    fn adjoint(&self, raw: &N::Raw<f64>, run: &Run<N>) -> (Vec<f64>, N::Raw<f64>) {
        let parameters = self.neuron.parameters::<f64>(raw);
        let mut errors = N::State::<f64>::from_fn(|_| 0.0);
        let mut sums = N::Parameters::<f64>::from_fn(|_| 0.0);
        let mut of_drives = vec![0.0; run.tapes.len()];
        for step in (0..run.tapes.len()).rev() {
            let value = self.surrogate.primitive(run.distances[step]);
            let taken = Taken {
                tape: run.tapes[step],
                spike: Spike::smoothed(value, value),
                error_spike: self.errors[step],
                slope: self.surrogate.derivative::<f64>(run.distances[step]),
                error_membrane: self.membrane_errors[step],
            };
            let mut gradient = N::Parameters::<f64>::from_fn(|_| 0.0);
            of_drives[step] = self
                .neuron
                .back(&parameters, taken, &mut errors, &mut gradient);
            for (sum, value) in sums.as_mut().iter_mut().zip(gradient.as_ref()) {
                *sum += value;
            }
        }
        (of_drives, self.neuron.raw_gradient(raw, &sums))
    }
}

/// Checks a neuron's adjoint under a surrogate: the gradients of a loss on the spikes and the membrane of one unit, by its
/// drive in every step and by its raw parameters, against central differences.
///
/// ```
/// use respike::check::neuron_gradients;
/// use respike::neuron::AdLif;
/// use respike::random::MasterSeed;
/// use respike::surrogate::Exponential;
///
/// let rho_u_rho_w_a_b = [0.3, 0.6, 0.5, 1.0];
/// let surrogate = Exponential { scale: 1.0, slope: 5.0 };
/// neuron_gradients(&AdLif::default(), rho_u_rho_w_a_b, &surrogate, MasterSeed(1))?;
/// # Ok::<(), respike::check::WrongGradient>(())
/// ```
///
/// Where a surrogate has a corner or a jump there is no derivative of it; a membrane that comes as near to
/// one as 1e-5 may look wrong.
///
/// # Errors
/// [`WrongGradient`] for the derivative that is farthest off.
pub fn neuron_gradients<N: Neuron>(
    neuron: &N,
    raw: N::Raw<f64>,
    surrogate: &impl Surrogate,
    seed: MasterSeed,
) -> Result<(), WrongGradient> {
    let mut noise = seed.stream(Purpose::Shuffle);
    let mut draw = |low: f64, high: f64| noise.random_range(low..high);
    let drives: Vec<f64> = (0..STEPS).map(|_| draw(-1.0, 2.0)).collect();
    let unit = Unit {
        neuron,
        surrogate,
        errors: (0..STEPS).map(|_| draw(-1.0, 1.0)).collect(),
        membrane_errors: (0..STEPS).map(|_| draw(-1.0, 1.0)).collect(),
    };
    let run = unit.run(&raw, &drives, None);
    let held: Vec<f64> = run
        .distances
        .iter()
        .map(|&x| surrogate.primitive(x))
        .collect();
    let (of_drives, of_raw) = unit.adjoint(&raw, &run);

    let loss = |raw: &N::Raw<f64>, drives: &[f64]| unit.run(raw, drives, Some(&held)).loss;
    let mut worst = Worst::default();
    for (step, &found) in of_drives.iter().enumerate() {
        let moved = |by: f64| {
            let mut drives = drives.clone();
            drives[step] += by;
            Ok::<_, WrongGradient>(loss(&raw, &drives))
        };
        let by = || format!("the drive of step {step}");
        worst.difference(by, found, moved)?;
    }
    for (index, (role, &found)) in neuron.roles().iter().zip(of_raw.as_ref()).enumerate() {
        let moved = |by: f64| {
            let mut raw = raw;
            raw.as_mut()[index] += by;
            Ok::<_, WrongGradient>(loss(&raw, &drives))
        };
        worst.difference(|| role.name.to_string(), found, moved)?;
    }
    worst.into_result()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neuron::{AdLif, Alif, CubaLif, Lif, Reset, Role};
    use crate::real::Real;
    use crate::surrogate::{
        Arctan, Boxcar, CutFastSigmoid, Exponential, FastSigmoid, Sigmoid, Triangle,
    };

    fn one_surrogate<N: Neuron>(neuron: &N, raw: N::Raw<f64>, surrogate: &impl Surrogate) {
        for seed in 0..5 {
            let checked = neuron_gradients(neuron, raw, surrogate, MasterSeed(seed));
            assert_eq!(checked, Ok(()), "{neuron:?} under {surrogate:?}");
        }
    }

    fn every_surrogate<N: Neuron>(neuron: &N, raw: N::Raw<f64>) {
        let (slope, scale, half_width) = (3.0, 1.0, 0.4);
        one_surrogate(neuron, raw, &FastSigmoid { slope });
        one_surrogate(neuron, raw, &Boxcar { half_width: 0.5 });
        one_surrogate(neuron, raw, &Arctan { slope: 2.0 });
        one_surrogate(neuron, raw, &Exponential { scale, slope: 5.0 });
        // Not 1, which is as far as a membrane of 0 is from the threshold: there the triangle has a corner.
        one_surrogate(neuron, raw, &Triangle { half_width: 0.8 });
        one_surrogate(neuron, raw, &CutFastSigmoid { slope, half_width });
        one_surrogate(neuron, raw, &Sigmoid { slope });
    }

    #[test]
    fn every_neuron_under_every_surrogate_has_the_gradients_of_finite_differences() {
        let cuba = CubaLif {
            alpha: 0.8,
            beta: 0.9,
            threshold: 1.0,
            learned: [None; 3],
        };
        every_surrogate(&cuba, [0.8, 0.9, 1.0]);
        for reset in [
            Reset::ToZero,
            Reset::Subtract {
                differentiated: true,
            },
            Reset::Subtract {
                differentiated: false,
            },
        ] {
            let lif = Lif {
                beta: 0.9,
                threshold: 0.7,
                reset,
                learned: [None; 2],
            };
            every_surrogate(&lif, [0.9, 0.7]);
        }
        every_surrogate(&AdLif::default(), [0.3, 0.6, 0.5, 1.0]);
        let alif = Alif {
            beta: 0.9,
            rho: 0.95,
            threshold: 0.7,
            rise: 0.6,
            learned: [None; 2],
        };
        every_surrogate(&alif, [0.9, 0.95]);
    }

    /// A neuron that forgets a factor on the way back.
    #[derive(Debug)]
    struct Forgetful(CubaLif);

    impl Neuron for Forgetful {
        type Raw<R: Real> = [R; 3];
        type Parameters<R: Real> = [R; 3];
        type State<R: Real> = [R; 2];
        type Tape<R: Real> = [R; 2];
        type Observed<R: Real> = [R; 2];

        fn roles(&self) -> Vec<Role> {
            self.0.roles()
        }

        fn observed(&self) -> &'static [&'static str] {
            self.0.observed()
        }

        fn parameters<R: Real>(&self, raw: &[R; 3]) -> [R; 3] {
            *raw
        }

        fn raw_gradient<R: Real>(&self, _: &[R; 3], gradient: &[R; 3]) -> [R; 3] {
            *gradient
        }

        fn step<R: Real>(
            &self,
            parameters: &[R; 3],
            state: &mut [R; 2],
            drive: R,
            fire: impl FnOnce(R) -> Spike<R>,
        ) -> [R; 2] {
            self.0.step(parameters, state, drive, fire)
        }

        fn distance<R: Real>(&self, parameters: &[R; 3], tape: &[R; 2]) -> R {
            self.0.distance(parameters, tape)
        }

        fn back<R: Real>(
            &self,
            parameters: &[R; 3],
            step: Taken<R, [R; 2]>,
            errors: &mut [R; 2],
            gradient: &mut [R; 3],
        ) -> R {
            let of_drive = self.0.back(parameters, step, errors, gradient);
            gradient[1] = gradient[1] * of_drive.constant(0.5);
            of_drive
        }

        fn observe<R: Real>(&self, parameters: &[R; 3], step: &Taken<R, [R; 2]>) -> [R; 2] {
            self.0.observe(parameters, step)
        }
    }

    #[test]
    fn an_adjoint_that_is_wrong_is_found_out() {
        let forgetful = Forgetful(CubaLif {
            alpha: 0.8,
            beta: 0.9,
            threshold: 1.0,
            learned: [None; 3],
        });
        let surrogate = FastSigmoid { slope: 3.0 };
        let wrong = neuron_gradients(&forgetful, [0.8, 0.9, 1.0], &surrogate, MasterSeed(0));
        let wrong = wrong.expect_err("the half of a gradient");
        assert_eq!(wrong.by, "beta");
        assert!((wrong.expected - 2.0 * wrong.found).abs() < 1e-4 * wrong.expected.abs());
    }
}
