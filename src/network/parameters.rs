use ndarray::{Array, ArrayView2, ArrayViewD, ArrayViewMutD, Dimension, Ix2};
use ndarray_rand::rand_distr::{Distribution, Normal};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::arena::{Arena, Layout};
use super::{NetworkError, NetworkSpec, ParameterName, Stage};
use crate::hash::{FNV_OFFSET, add_word_to_hash};
use crate::ids::ClassId;
use crate::neuron::{Learned, Role, Start};

/// The parameters of a network, by name: weights fan-in × fan-out, and one number a unit for all else.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters(Arena);

impl Parameters {
    /// Draws every weight as [`InitSettings`](super::InitSettings) say, in the order w1, v1, w2, …, w_out; biases are 0,
    /// and parameters of neurons begin where those say.
    pub fn random(spec: &NetworkSpec, generator: &mut ChaCha8Rng) -> Self {
        let init = spec.settings().init;
        let mut parameters = Self::zeros(spec);
        for (name, mut values) in parameters.iter_mut() {
            match name {
                ParameterName::Bias(_) => {}
                ParameterName::Neuron(layer, role) => {
                    let roles = spec.neuron(layer).roles();
                    let start = roles.iter().find(|one| one.name == role).map(Role::begins);
                    values.mapv_inplace(|_| match start {
                        Some(Start::At(value)) => value,
                        Some(Start::Between(low, high)) => generator.random_range(low..=high),
                        None => 0.0,
                    });
                }
                ParameterName::Recurrent(_) => init.draw(values, true, generator),
                ParameterName::Input(_) | ParameterName::Readout => {
                    init.draw(values, false, generator);
                }
            }
        }
        parameters
    }

    /// Brings parameters of neurons back into their ranges.
    pub(super) fn clamp(&mut self, spec: &NetworkSpec) {
        for (name, mut values) in self.iter_mut() {
            if let ParameterName::Neuron(layer, role) = name {
                let roles = spec.neuron(layer).roles();
                let learned = roles.iter().find(|one| one.name == role);
                if let Some(Learned { range, .. }) = learned.and_then(|one| one.learned) {
                    values.mapv_inplace(|value| value.clamp(range.0, range.1));
                }
            }
        }
    }

    /// Parameters of zero, of the shapes that the spec asks for.
    pub fn zeros(spec: &NetworkSpec) -> Self {
        Parameters(Arena::zeros(Layout::of(spec)))
    }

    /// Every parameter with its name, in the order w1, v1, w2, …, w_out.
    pub fn iter(&self) -> impl Iterator<Item = (ParameterName, ArrayViewD<'_, f32>)> {
        self.0.iter()
    }

    /// Every parameter with its name, to be changed in place, in the order of [`Parameters::iter`].
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (ParameterName, ArrayViewMutD<'_, f32>)> {
        self.0.iter_mut()
    }

    /// One parameter by its name, if the network has it.
    pub fn get(&self, name: ParameterName) -> Option<ArrayViewD<'_, f32>> {
        self.0.get(name)
    }

    /// One weight by its name, fan-in × fan-out, if the network has it.
    pub fn matrix(&self, name: ParameterName) -> Option<ArrayView2<'_, f32>> {
        self.0.get(name)?.into_dimensionality::<Ix2>().ok()
    }

    /// Replaces one parameter by an array of the same shape.
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

    /// Number of parameters.
    pub fn count(&self) -> usize {
        self.iter().map(|(_, values)| values.len()).sum()
    }

    /// A number for all of them, to tell whether a network is the same as before.
    pub fn fingerprint(&self) -> u64 {
        let numbers = self.iter().flat_map(|(_, values)| {
            let bits = values.iter().map(|value| u64::from(value.to_bits()));
            bits.collect::<Vec<_>>()
        });
        numbers.fold(FNV_OFFSET, add_word_to_hash)
    }

    /// Whether every number is finite.
    pub fn are_finite(&self) -> bool {
        self.0.values().iter().all(|value| value.is_finite())
    }

    pub(super) fn arena(&self) -> &Arena {
        &self.0
    }

    pub(super) fn arena_mut(&mut self) -> &mut Arena {
        &mut self.0
    }

    pub(super) fn check_shapes(&self, spec: &NetworkSpec) -> Result<(), NetworkError> {
        let expected = Layout::of(spec);
        if self.0.has_layout(&expected) {
            return Ok(());
        }
        if let Some((name, _)) = self
            .iter()
            .find(|(name, _)| expected.shape(*name).is_none())
        {
            return Err(NetworkError::NoSuchParameter(name));
        }
        for entry in expected.entries() {
            let name = entry.name;
            let found = self.get(name).ok_or(NetworkError::NoSuchParameter(name))?;
            if found.shape() != entry.shape {
                return Err(NetworkError::WrongShape {
                    name,
                    found: found.shape().to_vec(),
                    expected: entry.shape.clone(),
                });
            }
        }
        Ok(())
    }

    /// Draws what drives the readout of a class anew from N(0.003, 0.003): its column of W_out, or of the last
    /// layer's input weights where the readout has none.
    pub(super) fn redraw_readout_column(
        &mut self,
        stage: Stage,
        class: ClassId,
        generator: &mut ChaCha8Rng,
    ) {
        let normal = Normal::new(0.003, 0.003).expect("constants");
        let Some(mut columns) = self.class_columns(stage) else {
            return;
        };
        let column = columns.weights.column_mut(class.index());
        column
            .into_iter()
            .for_each(|weight| *weight = normal.sample(generator));
    }
}
