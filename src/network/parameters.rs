use std::fmt;

use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::Normal;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{NetworkError, NetworkSpec};
use crate::ids::ClassId;

/// The weights of a network, each fan-in × fan-out.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    /// One entry for each hidden layer.
    pub layers: Vec<LayerParameters>,
    /// Last hidden layer × classes, W_out.
    pub readout: Array2<f32>,
}

/// The weights of one hidden layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerParameters {
    /// Units before × units, W.
    pub input: Array2<f32>,
    /// Units × units, V, if the layer is recurrent.
    pub recurrent: Option<Array2<f32>>,
}

/// Names one weight matrix; prints and serialises as `w1`, `v1`, …, `w_out`.
///
/// Layers are counted from 0 here and from 1 in the names, as in papers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum ParameterName {
    /// W of a hidden layer.
    Input(usize),
    /// V of a hidden layer.
    Recurrent(usize),
    /// W_out.
    Readout,
}

impl fmt::Display for ParameterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParameterName::Input(layer) => write!(f, "w{}", layer + 1),
            ParameterName::Recurrent(layer) => write!(f, "v{}", layer + 1),
            ParameterName::Readout => write!(f, "w_out"),
        }
    }
}

impl From<ParameterName> for String {
    fn from(name: ParameterName) -> String {
        name.to_string()
    }
}

impl TryFrom<String> for ParameterName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "w_out" {
            return Ok(ParameterName::Readout);
        }
        let number = |rest: &str| rest.parse::<usize>().ok()?.checked_sub(1);
        let name = match text.split_at_checked(1) {
            Some(("w", rest)) => number(rest).map(ParameterName::Input),
            Some(("v", rest)) => number(rest).map(ParameterName::Recurrent),
            _ => None,
        };
        name.ok_or_else(|| format!("`{text}` is not the name of a weight (w1, v1, …, w_out)"))
    }
}

impl Parameters {
    /// Draws every weight from N(0, weight_scale/√fan-in) in the order w1, v1, w2, …, w_out.
    pub fn random(spec: &NetworkSpec, generator: &mut ChaCha8Rng) -> Self {
        let scale = spec.settings().init.weight_scale;
        let mut draw = |shape: (usize, usize)| {
            let deviation = scale / (shape.0 as f32).sqrt();
            let normal =
                Normal::new(0.0, deviation).expect("a checked scale is finite and above 0");
            Array2::random_using(shape, normal, generator)
        };
        let layers = spec.settings().layers.iter().enumerate();
        let layers = layers
            .map(|(index, layer)| LayerParameters {
                input: draw((spec.fan_in(index), layer.units)),
                recurrent: layer.recurrent.then(|| draw((layer.units, layer.units))),
            })
            .collect();
        Parameters {
            layers,
            readout: draw((spec.fan_in(spec.depth()), spec.classes())),
        }
    }

    /// Weights of zero, of the shapes that the spec asks for.
    pub fn zeros(spec: &NetworkSpec) -> Self {
        let layers = spec.settings().layers.iter().enumerate();
        let layers = layers
            .map(|(index, layer)| LayerParameters {
                input: Array2::zeros((spec.fan_in(index), layer.units)),
                recurrent: layer
                    .recurrent
                    .then(|| Array2::zeros((layer.units, layer.units))),
            })
            .collect();
        Parameters {
            layers,
            readout: Array2::zeros((spec.fan_in(spec.depth()), spec.classes())),
        }
    }

    /// Every weight with its name, in the order w1, v1, w2, …, w_out.
    pub fn iter(&self) -> impl Iterator<Item = (ParameterName, ArrayView2<'_, f32>)> {
        let layers = self.layers.iter().enumerate().flat_map(|(index, layer)| {
            let input = (ParameterName::Input(index), layer.input.view());
            let recurrent = layer.recurrent.as_ref();
            let recurrent = recurrent.map(|v| (ParameterName::Recurrent(index), v.view()));
            std::iter::once(input).chain(recurrent)
        });
        layers.chain([(ParameterName::Readout, self.readout.view())])
    }

    /// Every weight with its name, to be changed in place, in the order of [`Parameters::iter`].
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (ParameterName, ArrayViewMut2<'_, f32>)> {
        let layers = self.layers.iter_mut().enumerate();
        let layers = layers.flat_map(|(index, layer)| {
            let input = (ParameterName::Input(index), layer.input.view_mut());
            let recurrent = layer.recurrent.as_mut();
            let recurrent = recurrent.map(|v| (ParameterName::Recurrent(index), v.view_mut()));
            std::iter::once(input).chain(recurrent)
        });
        layers.chain([(ParameterName::Readout, self.readout.view_mut())])
    }

    /// One weight by its name, if the network has it.
    pub fn get(&self, name: ParameterName) -> Option<&Array2<f32>> {
        match name {
            ParameterName::Input(layer) => self.layers.get(layer).map(|l| &l.input),
            ParameterName::Recurrent(layer) => self.layers.get(layer)?.recurrent.as_ref(),
            ParameterName::Readout => Some(&self.readout),
        }
    }

    /// Replaces one weight by an array of the same shape.
    ///
    /// # Errors
    /// [`NetworkError::NoSuchWeight`] and [`NetworkError::WrongShape`].
    pub fn set(&mut self, name: ParameterName, weight: Array2<f32>) -> Result<(), NetworkError> {
        let place = match name {
            ParameterName::Input(layer) => self.layers.get_mut(layer).map(|l| &mut l.input),
            ParameterName::Recurrent(layer) => {
                let layer = self.layers.get_mut(layer);
                layer.and_then(|l| l.recurrent.as_mut())
            }
            ParameterName::Readout => Some(&mut self.readout),
        };
        let place = place.ok_or(NetworkError::NoSuchWeight(name))?;
        if place.dim() != weight.dim() {
            return Err(NetworkError::WrongShape {
                name,
                found: weight.dim(),
                expected: place.dim(),
            });
        }
        *place = weight.as_standard_layout().into_owned();
        Ok(())
    }

    /// Number of weights.
    pub fn count(&self) -> usize {
        self.iter().map(|(_, weight)| weight.len()).sum()
    }

    pub(super) fn check_shapes(&self, spec: &NetworkSpec) -> Result<(), NetworkError> {
        let expected = Parameters::zeros(spec);
        if let Some((name, _)) = self.iter().find(|(name, _)| expected.get(*name).is_none()) {
            return Err(NetworkError::NoSuchWeight(name));
        }
        for (name, weight) in expected.iter() {
            let found = self.get(name).ok_or(NetworkError::NoSuchWeight(name))?;
            if found.dim() != weight.dim() || !found.is_standard_layout() {
                return Err(NetworkError::WrongShape {
                    name,
                    found: found.dim(),
                    expected: weight.dim(),
                });
            }
        }
        Ok(())
    }

    pub(super) fn redraw_readout_column(&mut self, class: ClassId, generator: &mut ChaCha8Rng) {
        let normal = Normal::new(0.003, 0.003).expect("constants");
        let column = ndarray::Array1::random_using(self.readout.nrows(), normal, generator);
        self.readout.column_mut(class.index()).assign(&column);
    }
}

/// A weight in row-major order, as the kernels read it.
pub(crate) fn slice_of(weight: &Array2<f32>) -> &[f32] {
    // `check_shapes` and `set` let only row-major weights into a network.
    weight.as_slice().expect("weights are kept row-major")
}
