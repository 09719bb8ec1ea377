//! Neurons in f64, step by step, with spikes as they are, smoothed, or as they were elsewhere.

use ndarray::Array2;

use crate::neuron::{Neuron, Spike, Taken};
use crate::real::Fields;
use crate::surrogate::AnySurrogate;

/// When units spike.
#[derive(Clone, Copy)]
pub enum Firing<'a> {
    /// Smoothly, by the surrogate's primitive; what is not differentiated is as given, steps × units, or as the
    /// spikes.
    Smooth(Option<&'a Array2<f64>>),
    /// Where this says so: steps × units.
    As(&'a Array2<f64>),
}

/// A layer of neurons of unknown type in f64.
pub trait ExactLayer {
    /// Takes a step; gives the spikes.
    fn step(&mut self, drive: &[f64], surrogate: &dyn AnySurrogate, firing: Firing<'_>)
    -> Vec<f64>;

    /// Membrane potentials of the step that was taken last, as they are compared with the threshold.
    fn membranes(&self) -> Vec<f64>;

    /// Takes the last step back that is not yet taken back: from ∂L/∂spikes and ∂L/∂membranes to ∂L/∂drive.
    fn back(
        &mut self,
        error_spikes: &[f64],
        error_membranes: &[f64],
        surrogate: &dyn AnySurrogate,
    ) -> Vec<f64>;

    /// ∂L/∂raw of each role, when all steps are taken back: as long as the raw parameters are.
    fn raw_gradient(&self) -> Vec<Vec<f64>>;
}

/// A layer of some neuron in f64.
pub struct ExactNeurons<'a, N: Neuron> {
    neuron: &'a N,
    /// One list a role: one number a unit, or one for all.
    raw: Vec<Vec<f64>>,
    parameters: Vec<N::Parameters<f64>>,
    states: Vec<N::State<f64>>,
    /// Of each step that is not taken back, what each unit left.
    taken: Vec<Vec<Left<N>>>,
    errors: Vec<N::State<f64>>,
    gradient: Vec<N::Parameters<f64>>,
}

/// What a unit left of a step.
struct Left<N: Neuron> {
    tape: N::Tape<f64>,
    distance: f64,
    spike: Spike<f64>,
}

fn raw_of<F: Fields<f64>>(raw: &[Vec<f64>], unit: usize) -> F {
    F::from_fn(|role| raw[role][unit.min(raw[role].len() - 1)])
}

impl<'a, N: Neuron> ExactNeurons<'a, N> {
    pub(crate) fn new(neuron: &'a N, raw: Vec<Vec<f64>>, units: usize) -> Self {
        let parameters = (0..units).map(|unit| neuron.parameters::<f64>(&raw_of(&raw, unit)));
        ExactNeurons {
            neuron,
            parameters: parameters.collect(),
            raw,
            states: vec![N::State::from_fn(|_| 0.0); units],
            taken: Vec::new(),
            errors: vec![N::State::from_fn(|_| 0.0); units],
            gradient: vec![N::Parameters::from_fn(|_| 0.0); units],
        }
    }
}

impl<N: Neuron> ExactLayer for ExactNeurons<'_, N> {
    fn step(
        &mut self,
        drive: &[f64],
        surrogate: &dyn AnySurrogate,
        firing: Firing<'_>,
    ) -> Vec<f64> {
        let step = self.taken.len();
        let units = self.parameters.iter().zip(&mut self.states).zip(drive);
        let left = units
            .enumerate()
            .map(|(unit, ((parameters, state), &drive))| {
                let (mut distance, mut spike) = (0.0, Spike::smoothed(0.0, 0.0));
                let tape = self.neuron.step(parameters, state, drive, |x: f64| {
                    distance = x;
                    spike = match firing {
                        Firing::As(spikes) => {
                            Spike::smoothed(spikes[[step, unit]], spikes[[step, unit]])
                        }
                        Firing::Smooth(held) => {
                            let value = surrogate.primitive(x);
                            Spike::smoothed(value, held.map_or(value, |held| held[[step, unit]]))
                        }
                    };
                    spike
                });
                Left {
                    tape,
                    distance,
                    spike,
                }
            });
        let left: Vec<Left<N>> = left.collect();
        let spikes = left.iter().map(|left| left.spike.value).collect();
        self.taken.push(left);
        spikes
    }

    fn membranes(&self) -> Vec<f64> {
        let last = self.taken.last().map_or(&[][..], |last| last);
        let units = self.parameters.iter().zip(last);
        let seen = units.map(|(parameters, left)| {
            let taken = Taken {
                tape: left.tape,
                spike: left.spike,
                error_spike: 0.0,
                slope: 0.0,
                error_membrane: 0.0,
            };
            self.neuron.observe(parameters, &taken).as_ref()[0]
        });
        seen.collect()
    }

    fn back(
        &mut self,
        error_spikes: &[f64],
        error_membranes: &[f64],
        surrogate: &dyn AnySurrogate,
    ) -> Vec<f64> {
        let last = self.taken.pop().unwrap_or_default();
        let given = error_spikes.iter().zip(error_membranes);
        let units = last.into_iter().zip(given).enumerate();
        let of_drives = units.map(|(unit, (left, (&error_spike, &error_membrane)))| {
            let taken = Taken {
                tape: left.tape,
                spike: left.spike,
                error_spike,
                slope: surrogate.slope(left.distance),
                error_membrane,
            };
            let mut gradient = N::Parameters::<f64>::from_fn(|_| 0.0);
            let parameters = &self.parameters[unit];
            let errors = &mut self.errors[unit];
            let of_drive = self.neuron.back(parameters, taken, errors, &mut gradient);
            let sums = self.gradient[unit].as_mut().iter_mut();
            for (sum, value) in sums.zip(gradient.as_ref()) {
                *sum += value;
            }
            of_drive
        });
        of_drives.collect()
    }

    fn raw_gradient(&self) -> Vec<Vec<f64>> {
        let mut sums: Vec<Vec<f64>> = self.raw.iter().map(|role| vec![0.0; role.len()]).collect();
        for (unit, gradient) in self.gradient.iter().enumerate() {
            let raw = raw_of(&self.raw, unit);
            let of_raw = self.neuron.raw_gradient::<f64>(&raw, gradient);
            for (sums, value) in sums.iter_mut().zip(of_raw.as_ref()) {
                let place = unit.min(sums.len() - 1);
                sums[place] += value;
            }
        }
        sums
    }
}
