//! Forward: one sample for its activity, or a block of samples with everything BPTT needs.

use ndarray::{Array2, ArrayView2, Axis};

use super::erased::place;
use super::layer::{Delayed, LayerInputs, LayerRun};
use super::neuron_settings::decay;
use super::{Latent, LrIndex, Network, NetworkError, OverTime, PreparedStage, Stage, StageInput};
use crate::ids::ClassId;
use crate::kernels::buffers::Buffer;
use crate::kernels::gather::ActiveLists;
use crate::kernels::lanes::{padded, run};
use crate::kernels::layer::Observe;
use crate::kernels::readout::{Collect, Filtered, Integrator, Leaky, ReadoutForward};
use crate::simd::Simd;
use crate::spikes::{SpikeCounts, SpikeRaster};

/// Everything that happens in a stage while one sample runs through it.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    /// Spikes of each hidden layer of the stage, the lowest first: steps × units.
    pub spikes: Vec<SpikeRaster>,
    /// Membrane potential of each of those layers as each step compares it with the threshold: steps × units.
    pub membrane: Vec<Array2<f32>>,
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
    /// errors are exactly 0: under [`OverTime::Max`] those after the latest maximum of the sample.
    Logits,
    /// From every step: for errors of spikes, and to look at all states.
    EveryStep,
}

/// A block of samples run forward through a stage, with the states that [`Trace::backward`] needs.
#[derive(Debug)]
pub struct Trace<'a> {
    pub(super) stage: &'a PreparedStage<'a>,
    pub(super) inputs: &'a [StageInput<'a>],
    pub(super) steps: usize,
    /// Per layer of the stage: what its neurons noted as far as each sample reaches, samples × steps ×
    /// numbers of the tape × padded units.
    pub(super) tapes: Vec<Buffer>,
    /// Per layer of the stage: what drives it, where that is delayed.
    pub(super) delayed: Vec<Option<Delayed>>,
    /// Per layer of the stage and sample: spikes.
    pub(super) spikes: Vec<Vec<SpikeRaster>>,
    /// The steps of the maxima, samples × padded classes.
    pub(super) peaks: Buffer,
    /// The readout after each step, samples × steps × padded classes, where logits are sums of softmax.
    pub(super) readout: Option<Buffer>,
    /// Each sample's place in the block, and how many of its steps errors reach, the most first.
    pub(super) reach: Vec<(usize, usize)>,
    pub(super) logits: Array2<f32>,
}

impl Network {
    pub(super) fn integrator(&self) -> AnyIntegrator {
        let readout = &self.spec.settings().readout;
        match readout.tau_syn_steps {
            Some(tau_syn_steps) => AnyIntegrator::Filtered(Filtered {
                alpha: decay(tau_syn_steps),
                beta: decay(readout.tau_mem_steps),
            }),
            None => AnyIntegrator::Leaky(Leaky {
                decay: decay(readout.tau_mem_steps),
                // Without the loss of digits of 1 − d.
                gain: -(-1.0 / readout.tau_mem_steps).exp_m1() as f32,
            }),
        }
    }

    pub(super) fn collect(&self) -> Collect {
        match self.spec.settings().readout.over_time {
            OverTime::Max => Collect::Max,
            OverTime::Sum => Collect::Sum,
            // A sum of softmax is made of the trace.
            OverTime::Last | OverTime::SumOfSoftmax => Collect::Last,
        }
    }

    /// The first step that a sum of softmax has, if the logits are one.
    pub(super) fn softmax_from(&self) -> Option<usize> {
        let readout = &self.spec.settings().readout;
        (readout.over_time == OverTime::SumOfSoftmax).then_some(readout.skip_steps)
    }

    /// Runs one sample through a stage and keeps every state.
    ///
    /// # Errors
    /// [`NetworkError`] if the input is not one that the stage reads.
    pub fn run(&self, stage: Stage, input: &StageInput<'_>) -> Result<Activity, NetworkError> {
        let stage = self.prepare(stage);
        let inputs = std::slice::from_ref(input);
        let trace = stage.trace(inputs, Reach::EveryStep)?;
        let (steps, simd, classes) = (trace.steps, stage.simd, self.spec.classes());
        let (mut membrane, mut states) = (Vec::new(), Vec::new());
        for (layer, tape) in stage.layer_indices().zip(&trace.tapes) {
            let mut seen = stage.observed(layer, tape, steps).into_iter();
            membrane.extend(seen.next().map(|(_, membrane)| membrane));
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
    pub fn latent(&self, index: LrIndex, counts: &SpikeCounts) -> Result<Latent, NetworkError> {
        let stage = self.prepare_frozen(index);
        let mut latents = stage.latents(&[StageInput::counts(counts)])?;
        Ok(latents.pop().expect("one for each sample"))
    }

    /// Makes the frozen stage below an LR index ready for [`PreparedStage::latents`].
    pub fn prepare_frozen(&self, index: LrIndex) -> PreparedStage<'_> {
        // At index 0 the first layer's input weights are needed, though the layer does not run.
        let layers = 0..index.get().max(1);
        let stage = self.prepare_layers(Simd::current(), Stage::Whole, layers);
        stage.below(index)
    }
}

impl PreparedStage<'_> {
    /// The logits of a block of samples, samples × classes, without keeping any state.
    ///
    /// # Errors
    /// [`NetworkError`] if there is no sample, or one that the stage cannot read, or if they do not
    /// all last equally long.
    pub fn logits(&self, inputs: &[StageInput<'_>]) -> Result<Array2<f32>, NetworkError> {
        let steps = self.check_block(inputs)?;
        let last = self.last_spikes(inputs, steps);
        let mut logits = Array2::zeros((inputs.len(), self.network.spec.classes()));
        for (sample, mut row) in logits.rows_mut().into_iter().enumerate() {
            let spikes = last.as_ref().map(|last| &last[sample]);
            let read = self.read_out(readout_drive(spikes, &inputs[sample]), None);
            row.assign(&read.logits(self.network.spec.classes()));
        }
        Ok(logits)
    }

    /// What a frozen stage makes of a block of samples; the stage must be one of
    /// [`Network::prepare_frozen`].
    ///
    /// # Errors
    /// [`NetworkError::NotFrozen`] for another stage; and if there is no sample, or one that does
    /// not fit the network's inputs, or if they do not all last equally long.
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

    /// Runs a block of samples forward, and keeps what errors need to go back as far as `reach`.
    ///
    /// # Errors
    /// As [`PreparedStage::logits`].
    pub fn trace<'b>(
        &'b self,
        inputs: &'b [StageInput<'b>],
        reach: Reach,
    ) -> Result<Trace<'b>, NetworkError> {
        let steps = self.check_block(inputs)?;
        let (network, simd) = (self.network, self.simd);
        let (samples, classes) = (inputs.len(), network.spec.classes());
        let width = padded(simd, classes);
        let mut trace = Trace {
            stage: self,
            inputs,
            steps,
            tapes: Vec::new(),
            delayed: Vec::new(),
            spikes: Vec::new(),
            peaks: Buffer::zeros(samples * width),
            readout: network
                .softmax_from()
                .map(|_| Buffer::stale(samples * steps * width)),
            reach: Vec::with_capacity(samples),
            logits: Array2::zeros((samples, classes)),
        };
        let mut states = Vec::new();
        for layer in self.layer_indices() {
            let prepared = self.layer(layer);
            let numbers = prepared.neuron.counts().tape * prepared.input.stride;
            let mut tape = Buffer::stale(samples * steps * numbers);
            let inputs = match trace.spikes.last() {
                None => LayerInputs::Samples(inputs),
                Some(before) => LayerInputs::Spikes(before),
            };
            let delayed = Delayed::of(self, layer, inputs);
            let inputs = delayed.as_ref().map_or(inputs, Delayed::as_inputs);
            let run = LayerRun::new(self, layer, inputs, steps, Some(&mut tape));
            trace.delayed.push(delayed);
            trace.tapes.push(tape);
            trace.spikes.push(run.spikes);
            states.push(run.states);
        }
        for sample in 0..samples {
            let mut after = trace.readout.take();
            let room = after
                .as_mut()
                .map(|all| &mut all[sample * steps * width..][..steps * width]);
            let read = self.read_out(trace.readout_drive(sample), room);
            trace.readout = after;
            trace.logits.row_mut(sample).assign(&read.logits(classes));
            let last_peak = read.peaks.iter().fold(0.0f32, |last, &peak| last.max(peak));
            trace.peaks[sample * width..][..width].copy_from_slice(&read.peaks);
            let reached = match (reach, network.spec.settings().readout.over_time) {
                (Reach::Logits, OverTime::Max) => last_peak as usize,
                _ => steps,
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

    /// States of one sample in a layer, by name, the membrane first: steps × units.
    fn observed(
        &self,
        layer: usize,
        tape: &[f32],
        steps: usize,
    ) -> Vec<(&'static str, Array2<f32>)> {
        let units = self.network.spec.settings().layers[layer].units;
        let prepared = self.layer(layer);
        let (stride, names) = (prepared.input.stride, prepared.neuron.observed());
        let row = names.len() * stride;
        let mut observed = Buffer::stale(steps * row);
        let work = Observe {
            parameters: &prepared.parameters,
            tape: &tape[..steps * prepared.neuron.counts().tape * stride],
            observed: &mut observed,
        };
        prepared.neuron.observe(self.simd, work);
        let of_name = |(field, &name): (usize, &&'static str)| {
            let state = Array2::from_shape_fn((steps, units), |(step, unit)| {
                observed[step * row + place(self.simd, names.len(), field, unit)]
            });
            (name, state)
        };
        names.iter().enumerate().map(of_name).collect()
    }

    /// The spikes of the last layer, or `None` if no layer runs.
    fn last_spikes(&self, inputs: &[StageInput<'_>], steps: usize) -> Option<Vec<SpikeRaster>> {
        let mut last: Option<Vec<SpikeRaster>> = None;
        for layer in self.layer_indices() {
            let inputs = match &last {
                None => LayerInputs::Samples(inputs),
                Some(spikes) => LayerInputs::Spikes(spikes),
            };
            let delayed = Delayed::of(self, layer, inputs);
            let inputs = delayed.as_ref().map_or(inputs, Delayed::as_inputs);
            let spikes = LayerRun::new(self, layer, inputs, steps, None).spikes;
            last = Some(spikes);
        }
        last
    }

    /// Runs the readout over one sample; its output after each step goes to `trace`, steps × padded
    /// classes, if that is wanted.
    fn read_out(&self, spikes: &SpikeRaster, trace: Option<&mut [f32]>) -> ReadOut {
        let Some(from) = self.network.softmax_from() else {
            return self.integrate(spikes, trace);
        };
        let stride = self.readout.stride;
        let mut own = Buffer::stale(0);
        let trace = trace.unwrap_or_else(|| {
            own = Buffer::stale(spikes.steps() * stride);
            &mut own
        });
        let mut read = self.integrate(spikes, Some(trace));
        let classes = self.network.spec.classes();
        read.logits.fill(0.0);
        let mut shares = vec![0.0; classes];
        for row in trace.chunks_exact(stride).take(spikes.steps()).skip(from) {
            softmax(&row[..classes], &mut shares);
            read.logits
                .iter_mut()
                .zip(&shares)
                .for_each(|(sum, share)| *sum += share);
        }
        read
    }

    fn integrate(&self, spikes: &SpikeRaster, trace: Option<&mut [f32]>) -> ReadOut {
        match self.network.integrator() {
            AnyIntegrator::Filtered(integrator) => self.integrate_by(integrator, spikes, trace),
            AnyIntegrator::Leaky(integrator) => self.integrate_by(integrator, spikes, trace),
        }
    }

    fn integrate_by(
        &self,
        integrator: impl Integrator,
        spikes: &SpikeRaster,
        trace: Option<&mut [f32]>,
    ) -> ReadOut {
        thread_local! {
            static ACTIVE: std::cell::RefCell<ActiveLists> = std::cell::RefCell::default();
        }
        let mut read = ReadOut {
            logits: Buffer::zeros(self.readout.stride),
            peaks: Buffer::zeros(self.readout.stride),
        };
        ACTIVE.with_borrow_mut(|active| {
            run(
                self.simd,
                ReadoutForward {
                    words: spikes.words(),
                    words_per_step: spikes.words_per_step(),
                    steps: spikes.steps(),
                    weight: &self.readout.values,
                    integrator,
                    collect: self.network.collect(),
                    logits: &mut read.logits,
                    peaks: &mut read.peaks,
                    trace,
                    active,
                },
            );
        });
        read
    }

    /// The number of steps of a block that the stage can read.
    fn check_block(&self, inputs: &[StageInput<'_>]) -> Result<usize, NetworkError> {
        let steps = inputs.first().ok_or(NetworkError::EmptyBatch)?.steps();
        for input in inputs {
            input.check(&self.network.spec, self.stage, steps)?;
        }
        Ok(steps)
    }
}

/// How the readout sums up, as its spec says.
pub(super) enum AnyIntegrator {
    Filtered(Filtered),
    Leaky(Leaky),
}

/// e^value over the sum of them all.
pub(super) fn softmax(values: &[f32], shares: &mut [f32]) {
    let largest = values
        .iter()
        .fold(f32::NEG_INFINITY, |most, &value| most.max(value));
    let mut sum = 0.0;
    for (share, value) in shares.iter_mut().zip(values) {
        *share = (value - largest).exp();
        sum += *share;
    }
    shares.iter_mut().for_each(|share| *share /= sum);
}

/// What the readout makes of one sample, in whole vectors.
struct ReadOut {
    logits: Buffer,
    peaks: Buffer,
}

impl ReadOut {
    fn logits(&self, classes: usize) -> ndarray::ArrayView1<'_, f32> {
        ndarray::ArrayView1::from(&self.logits[..classes])
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

    /// The spikes that drive the readout.
    pub(super) fn readout_drive(&self, sample: usize) -> &SpikeRaster {
        let last = self.spikes.last().map(|last| &last[sample]);
        readout_drive(last, &self.inputs[sample])
    }
}

/// The spikes that drive the readout: those of the last layer, or the sample itself if the stage is
/// the readout alone.
fn readout_drive<'a>(last: Option<&'a SpikeRaster>, input: &'a StageInput<'_>) -> &'a SpikeRaster {
    match (last, input) {
        (Some(last), _) => last,
        (None, StageInput::Spikes(raster)) => raster,
        (None, _) => unreachable!("checked: a stage without layers reads spikes"),
    }
}

/// Steps × columns out of a buffer with rows of `stride` numbers.
fn unpadded(values: &[f32], steps: usize, columns: usize, stride: usize) -> Array2<f32> {
    let rows = ArrayView2::from_shape((steps, stride), &values[..steps * stride]);
    let rows = rows.expect("as many numbers as that");
    rows.slice_axis(Axis(1), (..columns).into()).to_owned()
}
