//! The weights of a stage in the layout that the kernels read, made once for many blocks of samples.

use std::sync::OnceLock;

use ndarray::{Array2, ArrayView2, CowArray, Ix2};
use rayon::prelude::*;

use super::{DropoutDraws, Network, ParameterName, ReplayLayer, Stage};
use crate::kernels::buffers::Buffer;
use crate::kernels::dense::PackedTranspose;
use crate::kernels::lanes::padded;
use crate::neuron::{NeuronModel, Start};
use crate::simd::Simd;

/// The fewest rows that are worth another thread.
const ROWS: usize = 64;

/// A stage of a network, ready to run: made by [`Network::prepare`].
///
/// ```
/// use ndarray::Array2;
/// use respike::network::{Errors, Network, NetworkSpec, ParameterName, Reach, Stage, StageInput};
/// use respike::random::MasterSeed;
/// use respike::spikes::SpikeCounts;
///
/// let network = Network::new(NetworkSpec::dequino2024(), MasterSeed(1));
/// let noise = Array2::from_shape_fn((100, 700), |(step, unit)| u16::from((step * unit) % 7 == 1));
/// let noise = SpikeCounts::from_dense(noise.view())?;
/// let stage = network.prepare(Stage::Whole);
/// let inputs = [StageInput::counts(&noise)];
/// let trace = stage.trace(&inputs, Reach::Logits)?;
/// let error = Array2::from_elem((1, 20), -1.0); // every logit should be larger
/// let gradients = trace.backward(&Errors::of_logits(error))?;
/// let of_readout = gradients.matrix(ParameterName::Readout).expect("every stage trains it");
/// assert_eq!(of_readout.dim(), (50, 20));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PreparedStage<'a> {
    pub(super) network: &'a Network,
    pub(super) stage: Stage,
    pub(super) simd: Simd,
    /// Each layer that may run.
    layers: Vec<PreparedLayer>,
    pub(super) readout: PaddedRows,
    /// Where draws come from, for training where some layer leaves spikes out.
    pub(super) dropout: Option<DropoutDraws>,
    /// For a frozen stage, the LR index that it lies below.
    pub(super) frozen_below: Option<ReplayLayer>,
    transposed: OnceLock<Transposed>,
}

/// A layer, ready to run.
#[derive(Debug)]
pub(super) struct PreparedLayer {
    pub input: PaddedRows,
    pub recurrent: Option<PaddedRows>,
    pub bias: Option<PaddedRows>,
    pub neuron: NeuronModel,
    /// Parameters of a step.
    pub parameters: Buffer,
    /// Whether all units have the same.
    pub is_uniform: bool,
    /// A row from which the neuron proves silence, if it can.
    pub silence: Option<Buffer>,
}

impl PreparedLayer {
    fn of(simd: Simd, network: &Network, layer: usize) -> Self {
        let parameters = &network.parameters;
        let input = PaddedRows::of(simd, network.weight(ParameterName::Input(layer)).view());
        let recurrent = parameters.matrix(ParameterName::Recurrent(layer));
        let bias = parameters.get(ParameterName::Bias(layer)).map(|bias| {
            let units = bias.len();
            let row = bias.into_shape_with_order((1, units));
            PaddedRows::of(simd, row.expect("as many numbers"))
        });
        let neuron = network.spec.neuron(layer).clone();
        let raw = network.raw_parameters(layer);
        let raw: Vec<&[f32]> = raw.iter().map(|role| &role[..]).collect();
        let units = network.spec.settings().layers[layer].units;
        let is_uniform = raw.iter().all(|role| role.len() == 1);
        let of_step = neuron.parameters(simd, &raw, units);
        PreparedLayer {
            recurrent: recurrent.map(|v| PaddedRows::of(simd, v)),
            silence: neuron.silence(simd, &of_step, units, is_uniform),
            parameters: of_step,
            is_uniform,
            input,
            bias,
            neuron,
        }
    }
}

/// A row-major matrix with rows of whole vectors, each beginning where a vector may.
#[derive(Debug)]
pub(super) struct PaddedRows {
    pub values: Buffer,
    pub stride: usize,
}

/// The transposed weights that errors go through.
#[derive(Debug)]
pub(super) struct Transposed {
    /// For each layer of the stage, the weights of the layer above or of the readout.
    pub feedforward: Vec<PackedTranspose>,
    /// For each layer of the stage, its recurrent weights.
    pub recurrent: Vec<Option<PackedTranspose>>,
}

impl PaddedRows {
    fn of(simd: Simd, weight: ArrayView2<'_, f32>) -> Self {
        let stride = padded(simd, weight.ncols());
        let mut values = Buffer::stale(weight.nrows() * stride);
        let rows = row_major(&weight).par_chunks_exact(weight.ncols());
        let padded = values.par_chunks_exact_mut(stride).zip(rows);
        padded.with_min_len(ROWS).for_each(|(padded, row)| {
            padded[..row.len()].copy_from_slice(row);
            padded[row.len()..].fill(0.0);
        });
        PaddedRows { values, stride }
    }

    fn scale(&mut self, factor: f32) {
        if factor != 1.0 {
            self.values.iter_mut().for_each(|value| *value *= factor);
        }
    }
}

impl Network {
    /// A weight that the network has. A readout without weights is driven by each unit of the last layer as
    /// it is.
    fn weight(&self, name: ParameterName) -> CowArray<'_, f32, Ix2> {
        match (self.parameters.matrix(name), name) {
            (Some(weight), _) => weight.into(),
            (None, ParameterName::Readout) => Array2::eye(self.spec.classes()).into(),
            (None, _) => unreachable!("a weight of this network"),
        }
    }

    /// What a layer's neurons are given for each of their roles: one number a unit, or one for all.
    pub(crate) fn raw_parameters(&self, layer: usize) -> Vec<Vec<f32>> {
        let roles = self.spec.neuron(layer).roles().into_iter();
        let raw = roles.map(|role| {
            let learned = self.parameters.get(ParameterName::Neuron(layer, role.name));
            match (learned, role.start) {
                (Some(learned), _) => learned.iter().copied().collect(),
                (None, Start::At(value)) => vec![value],
                (None, Start::Between(low, high)) => vec![(low + high) / 2.0],
            }
        });
        raw.collect()
    }

    /// Makes a stage ready to run any number of blocks of samples with the weights as they are now.
    pub fn prepare(&self, stage: Stage) -> PreparedStage<'_> {
        let layers = stage.first_layer()..self.spec.depth();
        self.prepare_layers(Simd::current(), stage, layers)
    }

    /// The same for some layers only; the readout goes with them.
    pub(super) fn prepare_layers(
        &self,
        simd: Simd,
        stage: Stage,
        layers: std::ops::Range<usize>,
    ) -> PreparedStage<'_> {
        let layers = layers.map(|layer| PreparedLayer::of(simd, self, layer));
        PreparedStage {
            network: self,
            stage,
            simd,
            layers: layers.collect(),
            readout: PaddedRows::of(simd, self.weight(ParameterName::Readout).view()),
            dropout: None,
            frozen_below: None,
            transposed: OnceLock::new(),
        }
    }

    /// Makes a stage ready for one step of training, in which layers leave out spikes as the spec says.
    /// Without such a layer it is [`prepare`](Self::prepare).
    pub fn prepare_dropping(&self, stage: Stage, draws: DropoutDraws) -> PreparedStage<'_> {
        let mut prepared = self.prepare(stage);
        if self
            .spec
            .settings()
            .layers
            .iter()
            .all(|layer| layer.dropout == 0.0)
        {
            return prepared;
        }
        prepared.dropout = Some(draws);
        let depth = self.spec.depth();
        for layer in prepared.layer_indices() {
            let scale = prepared.scale_below(layer);
            let first = prepared.stage.first_layer();
            prepared.layers[layer - first].input.scale(scale);
        }
        let scale = prepared.scale_below(depth);
        prepared.readout.scale(scale);
        prepared
    }
}

impl<'a> PreparedStage<'a> {
    pub(super) fn below(mut self, index: ReplayLayer) -> Self {
        self.frozen_below = Some(index);
        self
    }

    /// The network.
    pub fn network(&self) -> &'a Network {
        self.network
    }

    /// The stage.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// A layer of the network, which must be prepared.
    pub(super) fn layer(&self, layer: usize) -> &PreparedLayer {
        &self.layers[layer - self.stage.first_layer()]
    }

    /// Layers of the network that are prepared.
    pub(super) fn layer_indices(&self) -> std::ops::Range<usize> {
        let first = self.stage.first_layer();
        first..first + self.layers.len()
    }

    /// Makes what errors go through, so that no block has to wait for it.
    pub(crate) fn transpose(&self) {
        self.transposed();
    }

    /// The transposed weights; made when they are first asked for.
    pub(super) fn transposed(&self) -> &Transposed {
        self.transposed.get_or_init(|| {
            let transpose = |weight: ArrayView2<'_, f32>| {
                PackedTranspose::transpose(self.simd, row_major(&weight), weight.dim())
            };
            let (network, layers) = (self.network, self.layer_indices());
            let above = |layer: usize| {
                let weight = match layer + 1 < layers.end {
                    true => network.weight(ParameterName::Input(layer + 1)),
                    false => network.weight(ParameterName::Readout),
                };
                match self.scale_below(layer + 1) {
                    1.0 => weight,
                    scale => (&weight * scale).into(),
                }
            };
            let recurrent = |layer| {
                let weight = network.parameters.matrix(ParameterName::Recurrent(layer));
                weight.map(transpose)
            };
            Transposed {
                feedforward: layers
                    .clone()
                    .map(|layer| transpose(above(layer).view()))
                    .collect(),
                recurrent: layers.clone().map(recurrent).collect(),
            }
        })
    }
}

/// Weights as the kernels read them.
fn row_major<'a>(weight: &'a ArrayView2<'_, f32>) -> &'a [f32] {
    weight.as_slice().expect("an arena holds weights row-major")
}
