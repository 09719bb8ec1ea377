use std::ops::Range;

use ndarray::{Array, ArrayView2, ArrayViewD, ArrayViewMutD, Dimension, Ix2};
use rayon::prelude::*;

use super::arena::Arena;
use super::{Network, NetworkError, ParameterName, Parameters, Stage};

/// Numbers that one thread adds up at a time.
const NUMBERS_PER_CHUNK: usize = 1 << 13;

/// The gradient of a loss with respect to every parameter that a stage trains.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradients(Arena);

impl Gradients {
    /// The gradient of one parameter, of its shape; `None` if the stage does not train it.
    pub fn get(&self, name: ParameterName) -> Option<ArrayViewD<'_, f32>> {
        self.0.get(name)
    }

    /// The gradient of one weight, fan-in × fan-out; `None` if the stage does not train it.
    pub fn matrix(&self, name: ParameterName) -> Option<ArrayView2<'_, f32>> {
        self.0.get(name)?.into_dimensionality::<Ix2>().ok()
    }

    /// Every gradient with the name of its parameter.
    pub fn iter(&self) -> impl Iterator<Item = (ParameterName, ArrayViewD<'_, f32>)> {
        self.0.iter()
    }

    /// Gradients of zero for every parameter that the stage trains.
    pub fn zeros(network: &Network, stage: Stage) -> Self {
        Gradients(network.parameters.arena().zeros_for(stage))
    }

    /// The parameters themselves that the stage trains, each in the place of its gradient: to be compared with later
    /// ones.
    pub fn of_parameters(network: &Network, stage: Stage) -> Self {
        let mut copy = Self::zeros(network, stage);
        let all = network.parameters.arena();
        let from = all.values().len() - copy.values().len();
        copy.values_mut().copy_from_slice(&all.values()[from..]);
        copy
    }

    /// Replaces one gradient by an array of the same shape.
    ///
    /// # Errors
    /// [`NetworkError::NoSuchParameter`] and [`NetworkError::WrongShape`].
    pub fn set<D: Dimension>(
        &mut self,
        name: ParameterName,
        values: Array<f32, D>,
    ) -> Result<(), NetworkError> {
        self.0.set(name, values)
    }

    /// All numbers one after the other, with zeros between parameters: to be scaled, clipped or
    /// looked at as a whole.
    pub fn values(&self) -> &[f32] {
        self.0.values()
    }

    /// The same, to be changed in place. What lies between parameters must stay 0.
    pub fn values_mut(&mut self) -> &mut [f32] {
        self.0.values_mut()
    }

    /// Those numbers of `parameters` that these are the gradients of, in the order of
    /// [`values`](Self::values).
    ///
    /// # Errors
    /// [`NetworkError::OtherParameters`].
    pub(super) fn parameters_of<'a>(
        &self,
        parameters: &'a mut Parameters,
    ) -> Result<&'a mut [f32], NetworkError> {
        let part = self.0.part_of(parameters.arena_mut());
        part.ok_or(NetworkError::OtherParameters("the gradients"))
    }

    /// Every gradient with the name of its parameter, to be changed in place.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (ParameterName, ArrayViewMutD<'_, f32>)> {
        self.0.iter_mut()
    }

    /// Adds other gradients of the same network and stage.
    ///
    /// # Errors
    /// [`NetworkError::OtherParameters`].
    pub fn add(&mut self, other: &Gradients) -> Result<(), NetworkError> {
        if !self.are_like(other) {
            return Err(NetworkError::OtherParameters("the gradients"));
        }
        self.add_all(std::slice::from_ref(other));
        Ok(())
    }

    /// Multiplies every gradient.
    pub fn scale(&mut self, factor: f32) {
        self.values_mut()
            .iter_mut()
            .for_each(|value| *value *= factor);
    }

    /// The root of the sum of the squares of all gradients.
    pub fn norm(&self) -> f64 {
        let squares = self.values().iter().map(|&value| f64::from(value).powi(2));
        squares.sum::<f64>().sqrt()
    }

    /// The norm of each layer's gradients, the lowest first; the readout, where it is trained, is none.
    pub fn norms_of_layers(&self) -> Vec<(Option<usize>, f64)> {
        let mut squares: Vec<(Option<usize>, f64)> = Vec::new();
        for (name, range) in self.ranges() {
            let values = self.values()[range].iter();
            let sum: f64 = values.map(|&value| f64::from(value).powi(2)).sum();
            match squares.last_mut() {
                Some((layer, all)) if *layer == name.layer() => *all += sum,
                _ => squares.push((name.layer(), sum)),
            }
        }
        squares
            .iter()
            .map(|&(layer, sum)| (layer, sum.sqrt()))
            .collect()
    }

    /// Scales all gradients down to a norm of `largest`, if theirs is larger. Gives what it was.
    pub fn clip_norm(&mut self, largest: f64) -> f64 {
        let norm = self.norm();
        if norm > largest {
            self.scale((largest / norm) as f32);
        }
        norm
    }

    /// Where the numbers of each parameter lie in [`values`](Self::values), in order.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (ParameterName, Range<usize>)> {
        self.0.entries().map(|(entry, range)| (entry.name, range))
    }

    /// Zeros in the place of every gradient.
    pub(crate) fn none_yet(&self) -> Self {
        let mut zeros = self.clone();
        zeros.clear();
        zeros
    }

    /// Makes every gradient 0.
    pub(crate) fn clear(&mut self) {
        self.0.values_mut().fill(0.0);
    }

    /// Whether these are gradients of that network's stage.
    pub(crate) fn fit(&self, network: &Network, stage: Stage) -> bool {
        self.0.is_for(network.parameters.arena(), stage)
    }

    /// Whether these are of the same network and stage as others.
    pub(crate) fn are_like(&self, other: &Gradients) -> bool {
        self.0.is_like(&other.0)
    }

    /// The gradient of a parameter that the stage trains.
    pub(super) fn slice_mut(&mut self, name: ParameterName) -> &mut [f32] {
        let slice = self.0.slice_mut(name);
        slice.expect("`zeros` made one for each parameter that is trained")
    }

    /// Adds other gradients to these, in their order, number by number: all of the same stage, or all of a part of it
    /// above an LR index.
    ///
    /// # Panics
    /// If the others come from another network or reach below these.
    pub(crate) fn add_all(&mut self, others: &[Gradients]) {
        let Some(length) = others.first().map(|other| other.values().len()) else {
            return;
        };
        let fit = others
            .iter()
            .all(|other| other.values().len() == length && other.0.is_part_of(&self.0));
        assert!(fit, "gradients of a part of the same stage");
        // What a stage trains lies at the end of what a wider one does.
        let sums = self.0.values_mut();
        let below = sums.len() - length;
        let pieces = sums[below..].par_chunks_mut(NUMBERS_PER_CHUNK).enumerate();
        pieces.for_each(|(piece, sums)| {
            for other in others {
                let other = &other.values()[piece * NUMBERS_PER_CHUNK..][..sums.len()];
                for (sum, value) in sums.iter_mut().zip(other) {
                    *sum += value;
                }
            }
        });
    }
}
