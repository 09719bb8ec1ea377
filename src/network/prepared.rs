//! The weights of a stage in the layout that the kernels read, made once for many blocks of samples.

use std::sync::OnceLock;

use ndarray::Array2;
use rayon::prelude::*;

use super::parameters::slice_of;
use super::{LrIndex, Network, Stage};
use crate::kernels::buffers::Buffer;
use crate::kernels::dense::Panels;
use crate::kernels::lanes::padded;
use crate::simd::Simd;

/// The fewest rows that are worth another thread.
const ROWS: usize = 64;

/// A stage of a network, ready to run: made by [`Network::prepare`].
///
/// ```
/// use ndarray::Array2;
/// use respike::network::{Network, NetworkSpec, ParameterName, Reach, Stage, StageInput};
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
/// let gradients = trace.backward(error.view(), None)?;
/// assert_eq!(gradients.get(ParameterName::Readout).map(Array2::dim), Some((50, 20)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PreparedStage<'a> {
    pub(super) network: &'a Network,
    pub(super) stage: Stage,
    pub(super) simd: Simd,
    /// For each layer that may run, its input and recurrent weights.
    layers: Vec<(PaddedRows, Option<PaddedRows>)>,
    pub(super) readout: PaddedRows,
    /// For a frozen stage, the LR index that it lies below.
    pub(super) frozen_below: Option<LrIndex>,
    transposed: OnceLock<Transposed>,
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
    pub feed: Vec<Panels>,
    /// For each layer of the stage, its recurrent weights.
    pub recurrent: Vec<Option<Panels>>,
}

impl PaddedRows {
    fn of(simd: Simd, weight: &Array2<f32>) -> Self {
        let stride = padded(simd, weight.ncols());
        let mut values = Buffer::stale(weight.nrows() * stride);
        let rows = slice_of(weight).par_chunks_exact(weight.ncols());
        let padded = values.par_chunks_exact_mut(stride).zip(rows);
        padded.with_min_len(ROWS).for_each(|(padded, row)| {
            padded[..row.len()].copy_from_slice(row);
            padded[row.len()..].fill(0.0);
        });
        PaddedRows { values, stride }
    }
}

impl Network {
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
        let layers = self.parameters.layers[layers].iter().map(|layer| {
            let recurrent = layer.recurrent.as_ref();
            let input = PaddedRows::of(simd, &layer.input);
            (input, recurrent.map(|v| PaddedRows::of(simd, v)))
        });
        PreparedStage {
            network: self,
            stage,
            simd,
            layers: layers.collect(),
            readout: PaddedRows::of(simd, &self.parameters.readout),
            frozen_below: None,
            transposed: OnceLock::new(),
        }
    }
}

impl<'a> PreparedStage<'a> {
    pub(super) fn below(mut self, index: LrIndex) -> Self {
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

    /// The input and recurrent weights of a layer of the network, which must be prepared.
    pub(super) fn layer(&self, layer: usize) -> (&PaddedRows, Option<&PaddedRows>) {
        let (input, recurrent) = &self.layers[layer - self.stage.first_layer()];
        (input, recurrent.as_ref())
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
            let transpose =
                |weight: &Array2<f32>| Panels::transpose(self.simd, slice_of(weight), weight.dim());
            let parameters = &self.network.parameters;
            let layers = &parameters.layers[self.layer_indices()];
            let above = layers.iter().skip(1).map(|layer| &layer.input);
            let above = above.chain((!layers.is_empty()).then_some(&parameters.readout));
            let recurrent = layers.iter().map(|layer| layer.recurrent.as_ref());
            Transposed {
                feed: above.map(transpose).collect(),
                recurrent: recurrent.map(|v| v.map(transpose)).collect(),
            }
        })
    }
}
