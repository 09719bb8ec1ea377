//! Forward: one sample for its activity, or a block of samples with everything BPTT needs.

use ndarray::{Array2, ArrayView2};

use super::parameters::slice_of;
use super::{Latent, LrIndex, Network, NetworkError, OverTime, Stage, StageInput};
use crate::ids::ClassId;
use crate::kernels::buffers::Buffer;
use crate::kernels::gather::input_current;
use crate::kernels::lif::{self, Drive, LifConstants, MembraneTrace, Scratch};
use crate::spikes::{SpikeCounts, SpikeRaster};

/// Everything that happens in a stage while one sample runs through it.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    /// Spikes of each hidden layer of the stage, the lowest first: steps × units.
    pub spikes: Vec<SpikeRaster>,
    /// Membrane potential of each of those layers before each step's threshold test: steps × units.
    pub membrane: Vec<Array2<f32>>,
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

/// A block of samples run forward through a stage, with the states that [`Trace::backward`] needs.
#[derive(Debug)]
pub struct Trace<'a> {
    pub(super) network: &'a Network,
    pub(super) stage: Stage,
    pub(super) inputs: &'a [StageInput<'a>],
    pub(super) steps: usize,
    /// Per layer of the stage: membrane potentials, steps × samples × units.
    pub(super) membrane: Vec<Buffer>,
    /// Per layer of the stage and sample: spikes.
    pub(super) spikes: Vec<Vec<SpikeRaster>>,
    /// Per sample: (steps + 1) × classes.
    pub(super) readout: Vec<Vec<f32>>,
    pub(super) logits: Array2<f32>,
}

impl Network {
    pub(super) fn constants(&self) -> LifConstants {
        let neuron = &self.spec.settings().neuron;
        LifConstants {
            alpha: decay(neuron.tau_syn_steps),
            beta: decay(neuron.tau_mem_steps),
            threshold: neuron.threshold,
        }
    }

    pub(super) fn readout_constants(&self) -> (f32, f32) {
        let readout = &self.spec.settings().readout;
        (decay(readout.tau_syn_steps), decay(readout.tau_mem_steps))
    }

    /// Runs one sample through a stage and keeps every state.
    ///
    /// # Errors
    /// [`NetworkError`] if the input is not one that the stage reads.
    pub fn run(&self, stage: Stage, input: &StageInput<'_>) -> Result<Activity, NetworkError> {
        let inputs = std::slice::from_ref(input);
        let mut trace = Trace::forward(self, stage, inputs)?;
        let states = "one sample's states have its steps and units";
        let membrane = trace.membrane.into_iter().zip(&trace.spikes);
        let membrane = membrane
            .map(|(values, spikes)| {
                let shape = (trace.steps, spikes[0].units());
                Array2::from_shape_vec(shape, values.into_vec()).expect(states)
            })
            .collect();
        let readout = trace.readout.swap_remove(0);
        let shape = (trace.steps + 1, self.spec.classes());
        Ok(Activity {
            spikes: trace.spikes.into_iter().flatten().collect(),
            membrane,
            readout: Array2::from_shape_vec(shape, readout).expect(states),
            logits: trace.logits.into_raw_vec_and_offset().0,
        })
    }

    /// The logits of one sample, one for each class, without keeping any state.
    ///
    /// # Errors
    /// [`NetworkError`] if the input is not one that the stage reads.
    pub fn logits(&self, stage: Stage, input: &StageInput<'_>) -> Result<Vec<f32>, NetworkError> {
        input.check(&self.spec, stage, input.steps())?;
        let mut scratch = Scratch::default();
        let last = self.layers_forward(stage, input, self.spec.depth(), &mut scratch);
        let last = last.as_ref().or(match input {
            StageInput::Spikes(raster) => Some(raster.as_ref()),
            _ => None,
        });
        let readout = self.readout_forward(last.expect("checked input"), &mut scratch);
        Ok(self.over_time(&readout))
    }

    /// What the frozen stage below an LR index makes of a sample.
    ///
    /// # Errors
    /// [`NetworkError`] if the counts do not fit the network's inputs.
    pub fn latent(&self, index: LrIndex, counts: &SpikeCounts) -> Result<Latent, NetworkError> {
        let input = StageInput::counts(counts);
        input.check(&self.spec, Stage::Whole, counts.steps())?;
        if index.get() == 0 {
            let weight = &self.parameters.layers[0].input;
            let mut current = Array2::zeros((counts.steps(), weight.ncols()));
            let target = current.as_slice_mut().expect("just made");
            input_current(counts, slice_of(weight), target);
            return Ok(Latent::Currents(current));
        }
        let mut scratch = Scratch::default();
        let spikes = self.layers_forward(Stage::Whole, &input, index.get(), &mut scratch);
        Ok(Latent::Spikes(
            spikes.expect("an index above 0 has a layer below it"),
        ))
    }

    /// The spikes of layer `until` (counted from 1), or `None` if the stage begins above it.
    fn layers_forward(
        &self,
        stage: Stage,
        input: &StageInput<'_>,
        until: usize,
        scratch: &mut Scratch,
    ) -> Option<SpikeRaster> {
        let mut spikes: Option<SpikeRaster> = None;
        for layer in stage.first_layer()..until {
            let drive = self.drive(stage, layer, input, spikes.as_ref());
            let units = self.spec.settings().layers[layer].units;
            let mut next = SpikeRaster::silent(input.steps(), units);
            let recurrent = self.parameters.layers[layer].recurrent.as_ref();
            let recurrent = recurrent.map(slice_of);
            lif::forward(drive, recurrent, self.constants(), scratch, &mut next, None);
            spikes = Some(next);
        }
        spikes
    }

    /// What drives `layer`: the layer before if the stage runs it, else the input.
    pub(super) fn drive<'a>(
        &'a self,
        stage: Stage,
        layer: usize,
        input: &'a StageInput<'_>,
        before: Option<&'a SpikeRaster>,
    ) -> Drive<'a> {
        let weight = slice_of(&self.parameters.layers[layer].input);
        if let (Some(raster), true) = (before, layer > stage.first_layer()) {
            return Drive::Spikes(raster, weight);
        }
        match input {
            StageInput::Counts(counts) => Drive::Counts(counts, weight),
            StageInput::Spikes(raster) => Drive::Spikes(raster, weight),
            StageInput::Currents(currents) => Drive::Current(
                currents
                    .as_slice()
                    .expect("checked: currents are row-major"),
            ),
        }
    }

    fn readout_forward(&self, spikes: &SpikeRaster, scratch: &mut Scratch) -> Vec<f32> {
        let mut out = vec![0.0; (spikes.steps() + 1) * self.spec.classes()];
        let weight = slice_of(&self.parameters.readout);
        lif::readout_forward(spikes, weight, self.readout_constants(), scratch, &mut out);
        out
    }

    /// Logits of a readout trace, (steps + 1) × classes.
    fn over_time(&self, readout: &[f32]) -> Vec<f32> {
        let classes = self.spec.classes();
        let mut logits = readout[..classes].to_vec();
        for row in readout.chunks_exact(classes).skip(1) {
            for (logit, &value) in logits.iter_mut().zip(row) {
                match self.spec.settings().readout.over_time {
                    OverTime::Max => *logit = logit.max(value),
                    OverTime::Sum => *logit += value,
                    OverTime::Last => *logit = value,
                }
            }
        }
        logits
    }
}

impl<'a> Trace<'a> {
    /// Runs a block of samples forward through a stage.
    ///
    /// # Errors
    /// [`NetworkError`] if there is no sample, or one that the stage cannot read, or if they do not
    /// all last equally long.
    pub fn forward(
        network: &'a Network,
        stage: Stage,
        inputs: &'a [StageInput<'a>],
    ) -> Result<Self, NetworkError> {
        let steps = inputs.first().ok_or(NetworkError::EmptyBatch)?.steps();
        for input in inputs {
            input.check(&network.spec, stage, steps)?;
        }
        let (samples, layers) = (inputs.len(), &network.spec.settings().layers);
        let mut trace = Trace {
            network,
            stage,
            inputs,
            steps,
            membrane: Vec::new(),
            spikes: Vec::new(),
            readout: Vec::new(),
            logits: Array2::zeros((samples, network.spec.classes())),
        };
        let mut scratch = Scratch::default();
        for (layer, settings) in layers.iter().enumerate().skip(stage.first_layer()) {
            let units = settings.units;
            let recurrent = network.parameters.layers[layer].recurrent.as_ref();
            let recurrent = recurrent.map(slice_of);
            let mut membrane = Buffer::zeros(steps * samples * units);
            let mut spikes = Vec::with_capacity(samples);
            for (sample, input) in inputs.iter().enumerate() {
                let before = trace.spikes.last().map(|before| &before[sample]);
                let drive = network.drive(stage, layer, input, before);
                let mut next = SpikeRaster::silent(steps, units);
                let to = MembraneTrace {
                    trace: &mut membrane,
                    sample,
                    samples,
                };
                lif::forward(
                    drive,
                    recurrent,
                    network.constants(),
                    &mut scratch,
                    &mut next,
                    Some(to),
                );
                spikes.push(next);
            }
            trace.membrane.push(membrane);
            trace.spikes.push(spikes);
        }
        for sample in 0..samples {
            let readout = network.readout_forward(trace.readout_drive(sample), &mut scratch);
            let logits = network.over_time(&readout);
            trace.readout.push(readout);
            let mut row = trace.logits.row_mut(sample);
            row.assign(&ndarray::ArrayView1::from(&logits));
        }
        Ok(trace)
    }

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
        match (self.spikes.last(), &self.inputs[sample]) {
            (Some(last), _) => &last[sample],
            (None, StageInput::Spikes(raster)) => raster,
            (None, _) => unreachable!("checked: a stage without layers reads spikes"),
        }
    }
}

/// The factor by which a state decays in a step: exp(−1/tau).
fn decay(tau_steps: f64) -> f32 {
    (-1.0 / tau_steps).exp() as f32
}
