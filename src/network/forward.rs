//! Forward: one sample for its activity, or a block of samples with everything BPTT needs.

use ndarray::{Array2, Array3, ArrayView2, Axis};
use rand_chacha::ChaCha8Rng;

use super::dropout::{Kept, dropped};
use super::layer::{Delayed, LayerInputs, LayerRun};
use super::observed::Observed;
use super::reading::ReadoutDrive;
use super::{Latent, Network, NetworkError, PreparedStage, ReplayLayer, Stage, StageInput};
use crate::ids::ClassId;
use crate::kernels::buffers::Buffer;
use crate::kernels::lanes::padded;
use crate::readout::Collect;
use crate::simd::Simd;
use crate::spikes::{SpikeCounts, SpikeRaster};

/// Everything that happens in a stage while one sample runs through it.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    /// Spikes of each hidden layer of the stage, the lowest first: steps × units.
    pub spikes: Vec<SpikeRaster>,
    /// Membrane potential of each of those layers as each step compares it with the threshold: steps × units.
    pub membrane: Vec<Array2<f32>>,
    /// The threshold that it is compared with, as far as rounding leaves it: steps × units.
    pub threshold: Vec<Array2<f32>>,
    /// Other states of each of those layers by name, such as the `synaptic` current or the `adaptation`:
    /// steps × units.
    pub states: Vec<Vec<(&'static str, Array2<f32>)>>,
    /// The readout, beginning with a row of zeros: (steps + 1) × classes.
    pub readout: Array2<f32>,
    /// One number for each class, not normalised.
    pub logits: Vec<f32>,
}

impl Activity {
    /// The class with the largest logit, the first of several.
    pub fn predicted(&self) -> ClassId {
        predicted(&self.logits)
    }
}

/// The class with the largest logit, the first of several.
pub(crate) fn predicted(logits: &[f32]) -> ClassId {
    let mut best = 0;
    for (class, &logit) in logits.iter().enumerate() {
        if logit > logits[best] {
            best = class;
        }
    }
    ClassId(best as u16)
}

/// How far back in time a trace must be able to carry errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// From the logits only. Steps after the last one that a logit depends on are left out, as their
    /// errors are exactly 0: under [`OverTime::Max`](crate::readout::OverTime::Max) those after the latest maximum of the sample.
    Logits,
    /// From every step: for errors of spikes, and to look at all states.
    EveryStep,
}

/// A block of samples run forward through a stage, with the states that [`Trace::backward`] needs.
#[derive(Debug)]
pub struct Trace<'a> {
    pub(super) stage: &'a PreparedStage<'a>,
    pub(super) inputs: &'a [StageInput<'a>],
    /// Steps of the longest sample, for which there is room.
    pub(super) steps: usize,
    /// Per layer of the stage: what its neurons noted as far as each sample reaches, samples × steps ×
    /// numbers of the tape × padded units.
    pub(super) tapes: Vec<Buffer>,
    /// Per layer of the stage, and for the readout: what drives it, where that is delayed or left out in part.
    pub(super) driving: Vec<Option<Delayed>>,
    /// Per layer of the stage, and for the readout: what is kept of the spikes below.
    pub(super) kept: Vec<Option<Kept>>,
    /// Per layer of the stage and sample: spikes.
    pub(super) spikes: Vec<Vec<SpikeRaster>>,
    /// The steps of the maxima, samples × padded classes.
    pub(super) peaks: Buffer,
    /// The readout after each step, samples × steps × padded classes, where logits are made of it as a whole.
    pub(super) readout: Option<Buffer>,
    /// Each sample's place in the block, and how many of its steps errors reach, the most first.
    pub(super) reach: Vec<(usize, usize)>,
    pub(super) logits: Array2<f32>,
    /// How far back errors were to go, which does not depend on what the samples did.
    asked: Reach,
}

impl Network {
    /// Runs one sample through a stage and keeps every state.
    ///
    /// # Errors
    /// [`NetworkError`] if the input is not one that the stage reads.
    pub fn run(&self, stage: Stage, input: &StageInput<'_>) -> Result<Activity, NetworkError> {
        let stage = self.prepare(stage);
        let inputs = std::slice::from_ref(input);
        let trace = stage.trace(inputs, Reach::EveryStep)?;
        let (steps, simd, classes) = (trace.steps, stage.simd, self.spec.classes());
        let (mut membrane, mut threshold, mut states) = (Vec::new(), Vec::new(), Vec::new());
        for (layer, tape) in stage.layer_indices().zip(&trace.tapes) {
            let Observed { seen, compared } = stage.observed(layer, tape, steps);
            let mut seen = seen.into_iter();
            membrane.extend(seen.next().map(|(_, membrane)| membrane));
            threshold.push(compared);
            states.push(seen.collect());
        }
        let stride = padded(simd, classes);
        let mut after = Buffer::stale(steps * stride);
        stage.read_out(trace.readout_drive(0), Some(&mut after));
        let mut readout = Array2::zeros((steps + 1, classes));
        let mut later = readout.slice_axis_mut(Axis(0), (1..).into());
        later.assign(&unpadded(&after, steps, classes, stride));
        Ok(Activity {
            membrane,
            threshold,
            states,
            readout,
            spikes: trace.spikes.into_iter().flatten().collect(),
            logits: trace.logits.into_raw_vec_and_offset().0,
        })
    }

    /// The logits of one sample, one for each class, without keeping any state.
    ///
    /// # Errors
    /// [`NetworkError`] if the input is not one that the stage reads.
    pub fn logits(&self, stage: Stage, input: &StageInput<'_>) -> Result<Vec<f32>, NetworkError> {
        let logits = self.prepare(stage).logits(std::slice::from_ref(input))?;
        Ok(logits.into_raw_vec_and_offset().0)
    }

    /// What the frozen stage below an LR index makes of a sample.
    ///
    /// # Errors
    /// [`NetworkError`] if the counts do not fit the network's inputs.
    pub fn latent(&self, index: ReplayLayer, counts: &SpikeCounts) -> Result<Latent, NetworkError> {
        let stage = self.prepare_frozen(index)?;
        let mut latents = stage.latents(&[StageInput::counts(counts)])?;
        Ok(latents.pop().expect("one for each sample"))
    }

    /// Makes the frozen stage below an LR index ready for [`PreparedStage::latents`].
    ///
    /// # Errors
    /// [`NetworkError::OtherReplayLayer`] for an index of another network.
    pub fn prepare_frozen(&self, index: ReplayLayer) -> Result<PreparedStage<'_>, NetworkError> {
        self.spec.check_replay_layer(index)?;
        // At index 0 the first layer's input weights are needed, though the layer does not run.
        let layers = 0..index.get().max(1);
        let stage = self.prepare_layers(Simd::current(), Stage::Whole, layers);
        Ok(stage.below(index))
    }
}

impl PreparedStage<'_> {
    /// The logits of a block of samples, samples × classes, without keeping any state.
    ///
    /// # Errors
    /// [`NetworkError`] if there is no sample, or one that the stage cannot read.
    pub fn logits(&self, inputs: &[StageInput<'_>]) -> Result<Array2<f32>, NetworkError> {
        self.check_whole()?;
        let steps = self.check_block(inputs)?;
        let last = self.last_spikes(inputs, steps);
        let mut logits = Array2::zeros((inputs.len(), self.network.spec.classes()));
        for (sample, mut row) in logits.rows_mut().into_iter().enumerate() {
            let spikes = last.as_ref().map(|last| &last[sample]);
            let drive = ReadoutDrive::of(spikes, &inputs[sample]);
            let read = self.read_out(drive, None);
            row.iter_mut()
                .zip(&*read.logits)
                .for_each(|(slot, &logit)| *slot = logit);
        }
        Ok(logits)
    }

    /// What a frozen stage makes of a block of samples; the stage must be one of
    /// [`Network::prepare_frozen`].
    ///
    /// # Errors
    /// [`NetworkError::NotFrozen`] for another stage; and if there is no sample, or one that does
    /// not fit the network's inputs.
    pub fn latents(&self, inputs: &[StageInput<'_>]) -> Result<Vec<Latent>, NetworkError> {
        let index = self.frozen_below.ok_or(NetworkError::NotFrozen)?;
        let steps = self.check_block(inputs)?;
        if index.get() == 0 {
            return Ok(LayerInputs::Samples(inputs).currents(self, steps));
        }
        let spikes = self.last_spikes(inputs, steps);
        let spikes = spikes.expect("an index above 0 has a layer below it");
        Ok(spikes.into_iter().map(Latent::Spikes).collect())
    }

    /// The same for every layer of the stage up to its last in one pass: for each the latents of all samples,
    /// the lowest layer first. Below LR index 0 there is none.
    ///
    /// # Errors
    /// As [`PreparedStage::latents`].
    pub fn latents_of_layers(
        &self,
        inputs: &[StageInput<'_>],
    ) -> Result<Vec<Vec<SpikeRaster>>, NetworkError> {
        let index = self.frozen_below.ok_or(NetworkError::NotFrozen)?;
        let steps = self.check_block(inputs)?;
        let mut layers: Vec<Vec<SpikeRaster>> = Vec::new();
        for layer in 0..index.get() {
            let below = layers.last().map(|spikes| &spikes[..]);
            layers.push(self.spikes_of(layer, LayerInputs::above(below, inputs), steps));
        }
        Ok(layers)
    }

    /// Runs a block of samples forward, and keeps what errors need to go back as far as `reach`.
    ///
    /// # Errors
    /// As [`PreparedStage::logits`].
    pub fn trace<'b>(
        &'b self,
        inputs: &'b [StageInput<'b>],
        reach: Reach,
    ) -> Result<Trace<'b>, NetworkError> {
        self.trace_block(inputs, reach, 0)
    }

    /// The same for a block of a larger batch, whose place in it matters where spikes are left out at random.
    ///
    /// # Errors
    /// As [`PreparedStage::logits`].
    pub fn trace_block<'b>(
        &'b self,
        inputs: &'b [StageInput<'b>],
        reach: Reach,
        block: usize,
    ) -> Result<Trace<'b>, NetworkError> {
        self.check_whole()?;
        let mut draws = self.draws(block);
        let steps = self.check_block(inputs)?;
        let (network, simd) = (self.network, self.simd);
        let (samples, classes) = (inputs.len(), network.spec.classes());
        let width = padded(simd, classes);
        let readout = &network.spec.settings().readout.model;
        let mut trace = Trace {
            stage: self,
            inputs,
            steps,
            tapes: Vec::new(),
            driving: Vec::new(),
            kept: Vec::new(),
            spikes: Vec::new(),
            peaks: Buffer::zeros(samples * width),
            readout: match readout.collect() {
                Some(_) => None,
                None => Some(Buffer::stale(samples * steps * width)),
            },
            reach: Vec::with_capacity(samples),
            logits: Array2::zeros((samples, classes)),
            asked: reach,
        };
        let mut states = Vec::new();
        for layer in self.layer_indices() {
            let prepared = self.layer(layer);
            let numbers = prepared.neuron.counts().tape * prepared.input.stride;
            let mut tape = Buffer::stale(samples * steps * numbers);
            let below = trace.spikes.last().map(|spikes| &spikes[..]);
            let inputs = LayerInputs::above(below, inputs);
            let (kept, driving) = self.driving(layer, inputs, draws.as_mut());
            let inputs = driving.as_ref().map_or(inputs, Delayed::as_inputs);
            let run = LayerRun::new(self, layer, inputs, steps, Some(&mut tape));
            trace.kept.push(kept);
            trace.driving.push(driving);
            trace.tapes.push(tape);
            trace.spikes.push(run.spikes);
            states.push(run.states);
        }
        let last = trace.spikes.last().map(|spikes| &spikes[..]);
        let below = LayerInputs::above(last, inputs);
        let (kept, driving) = self.driving(network.spec.depth(), below, draws.as_mut());
        trace.kept.push(kept);
        trace.driving.push(driving);
        for sample in 0..samples {
            let mut after = trace.readout.take();
            let room = after
                .as_mut()
                .map(|all| &mut all[sample * steps * width..][..steps * width]);
            let read = self.read_out(trace.readout_drive(sample), room);
            trace.readout = after;
            let logits = trace.logits.row_mut(sample).into_iter();
            logits
                .zip(&*read.logits)
                .for_each(|(slot, &logit)| *slot = logit);
            let last_peak = read.peaks.iter().fold(0.0f32, |last, &peak| last.max(peak));
            let lasts = inputs[sample].steps();
            trace.peaks[sample * width..][..width].copy_from_slice(&read.peaks);
            let reached = match (reach, readout.collect()) {
                (Reach::Logits, Some(Collect::Max)) => last_peak as usize,
                _ => lasts,
            };
            trace.reach.push((sample, reached));
        }
        trace
            .reach
            .sort_by_key(|&(_, reached)| std::cmp::Reverse(reached));
        for ((layer, states), tape) in self.layer_indices().zip(&mut states).zip(&mut trace.tapes) {
            states.carry_on(simd, self.layer(layer), steps, &trace.reach, tape);
        }
        Ok(trace)
    }

    /// What drives a layer, or the readout, where that is other than what lies below it; with what is kept of
    /// that.
    fn driving(
        &self,
        layer: usize,
        inputs: LayerInputs<'_>,
        draws: Option<&mut ChaCha8Rng>,
    ) -> (Option<Kept>, Option<Delayed>) {
        // Copies of spikes are made where some are left out, and nowhere else.
        let draws = draws.filter(|_| self.network.spec.dropout_below(layer) > 0.0);
        let below = draws.is_some().then(|| inputs.spikes()).flatten();
        let kept = below.as_deref().zip(draws);
        let kept = kept.map(|(below, draws)| self.keep(layer, below, draws));
        let left = below
            .zip(kept.as_ref())
            .map(|(below, kept)| dropped(&below, kept));
        let inputs = left.as_deref().map_or(inputs, LayerInputs::Spikes);
        let delayed = match layer < self.network.spec.depth() {
            true => Delayed::of(self, layer, inputs),
            false => None,
        };
        (kept, delayed.or(left.map(Delayed::Spikes)))
    }

    /// The spikes of one layer, whose samples or spikes below are `inputs`.
    fn spikes_of(&self, layer: usize, inputs: LayerInputs<'_>, steps: usize) -> Vec<SpikeRaster> {
        let delayed = Delayed::of(self, layer, inputs);
        let inputs = delayed.as_ref().map_or(inputs, Delayed::as_inputs);
        LayerRun::new(self, layer, inputs, steps, None).spikes
    }

    /// The spikes of the last layer, or `None` if no layer runs.
    fn last_spikes(&self, inputs: &[StageInput<'_>], steps: usize) -> Option<Vec<SpikeRaster>> {
        let mut last: Option<Vec<SpikeRaster>> = None;
        for layer in self.layer_indices() {
            last = Some(self.spikes_of(layer, LayerInputs::above(last.as_deref(), inputs), steps));
        }
        last
    }

    /// Refuses a frozen stage, whose layers do not reach the readout.
    fn check_whole(&self) -> Result<(), NetworkError> {
        match self.frozen_below {
            None => Ok(()),
            Some(_) => Err(NetworkError::Frozen),
        }
    }

    /// The number of steps of the longest sample of a block that the stage can read.
    fn check_block(&self, inputs: &[StageInput<'_>]) -> Result<usize, NetworkError> {
        for input in inputs {
            input.check(&self.network.spec, self.stage)?;
        }
        let steps = inputs.iter().map(StageInput::steps);
        steps.max().ok_or(NetworkError::EmptyBatch)
    }
}

impl Trace<'_> {
    /// The logits: samples × classes.
    pub fn logits(&self) -> ArrayView2<'_, f32> {
        self.logits.view()
    }

    /// Hidden layers whose spikes the stage computes.
    pub fn layers(&self) -> usize {
        self.spikes.len()
    }

    /// The spikes of one of the stage's layers (0 for its lowest), one raster a sample.
    ///
    /// # Panics
    /// If the stage has no such layer.
    pub fn spikes(&self, layer: usize) -> &[SpikeRaster] {
        &self.spikes[layer]
    }

    /// Spikes of each layer of the stage, of all samples together.
    pub(crate) fn spikes_of_layers(&self) -> Vec<u64> {
        let layers = self.spikes.iter();
        let of_layer = |rasters: &Vec<SpikeRaster>| rasters.iter().map(SpikeRaster::count).sum();
        layers.map(of_layer).collect()
    }

    /// The spikes that drive the readout.
    pub(super) fn readout_drive(&self, sample: usize) -> ReadoutDrive<'_> {
        if let Some(Some(Delayed::Spikes(spikes))) = self.driving.last() {
            return ReadoutDrive::Spikes(&spikes[sample]);
        }
        let last = self.spikes.last().map(|last| &last[sample]);
        ReadoutDrive::of(last, &self.inputs[sample])
    }

    /// Whether errors reach every step of every sample.
    pub(super) fn reaches_every_step(&self) -> bool {
        self.asked == Reach::EveryStep
    }

    /// Steps of the longest sample.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The samples.
    pub fn inputs(&self) -> &[StageInput<'_>] {
        self.inputs
    }

    /// The readout after each step: samples × steps × classes, 0 after a sample's end.
    pub fn readout(&self) -> Array3<f32> {
        let classes = self.stage.network.spec.classes();
        let mut all = Array3::zeros((self.inputs.len(), self.steps, classes));
        let stride = self.stage.readout.stride;
        for (sample, mut readout) in all.outer_iter_mut().enumerate() {
            let steps = self.inputs[sample].steps();
            let mut after = Buffer::stale(steps * stride);
            self.stage
                .read_out(self.readout_drive(sample), Some(&mut after));
            let mut lasting = readout.slice_axis_mut(Axis(0), (..steps).into());
            lasting.assign(&unpadded(&after, steps, classes, stride));
        }
        all
    }

    /// The membrane potentials of one of the stage's layers (0 for its lowest) as each step compares them
    /// with the threshold: samples × steps × units, 0 after a sample's end.
    ///
    /// # Errors
    /// [`NetworkError::NoSuchLayer`], and [`NetworkError::ShortReach`] unless the trace is one of
    /// [`Reach::EveryStep`].
    pub fn membrane(&self, layer: usize) -> Result<Array3<f32>, NetworkError> {
        let Some(tape) = self.tapes.get(layer) else {
            let layers = self.tapes.len();
            return Err(NetworkError::NoSuchLayer { layer, layers });
        };
        if !self.reaches_every_step() {
            return Err(NetworkError::ShortReach);
        }
        let units = self.spikes[layer][0].units();
        let mut all = Array3::zeros((self.inputs.len(), self.steps, units));
        let of_sample = tape.len() / self.inputs.len();
        let layer = self.stage.stage.first_layer() + layer;
        for (sample, mut membrane) in all.outer_iter_mut().enumerate() {
            let tape = &tape[sample * of_sample..][..of_sample];
            let steps = self.inputs[sample].steps();
            let seen = self.stage.observed(layer, tape, steps);
            if let Some((_, seen)) = seen.seen.first() {
                membrane
                    .slice_axis_mut(Axis(0), (..steps).into())
                    .assign(seen);
            }
        }
        Ok(all)
    }
}

/// Steps × columns out of a buffer with rows of `stride` numbers.
fn unpadded(values: &[f32], steps: usize, columns: usize, stride: usize) -> Array2<f32> {
    let rows = ArrayView2::from_shape((steps, stride), &values[..steps * stride]);
    let rows = rows.expect("as many numbers as that");
    rows.slice_axis(Axis(1), (..columns).into()).to_owned()
}
