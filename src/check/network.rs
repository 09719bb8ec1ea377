use ndarray::{Array1, Array2, Array3, ArrayD, Axis, Ix1, Ix2};
use rand::seq::index;

use super::block::{ExactBlock, ExactSample, LayerInF64};
use super::exact::Firing;
use super::{CheckError, Worst, WrongGradient};
use crate::network::{BlockActivity, Errors, Gradients, Network, ParameterName, Stage, StageInput};
use crate::random::{MasterSeed, Purpose};
use crate::train::{Block, Examples, Losses, Target, targets_of};

/// Entries of each parameter that are moved.
const ENTRIES: usize = 12;
/// What f32 may be off by: this of the entry, and this of the largest entry of all.
const OF_ENTRY: f64 = 1e-3;
const OF_LARGEST: f64 = 1e-4;

/// Checks the gradients of a loss of a stage of a network: of any neurons, surrogates, readout, objective and
/// regularisers, with delays, biases and all else that a spec can say.
///
/// First in f64 with smoothed spikes against central differences, some entries of each parameter, to within
/// 1e-6. Then what training computes in f32 against the same adjoint in f64 with the same spikes, every entry,
/// to within 1e-3 of the entry and 1e-4 of the largest one. All samples run as one block; keep network and
/// samples small, and losses of the order of 1 to 100: of larger ones differences lose the digits. Terms on
/// parameters alone, such as weight decay, are not looked at, and no spike is left out.
///
/// ```
/// use ndarray::Array2;
/// use respike::check::gradients;
/// use respike::ids::ClassId;
/// use respike::network::{LayerSettings, Network, NetworkSpec, Stage, StageInput};
/// use respike::random::MasterSeed;
/// use respike::spikes::SpikeCounts;
/// use respike::train::{Losses, SpikePenalty, StoredExamples};
///
/// let mut settings = NetworkSpec::dequino2024().settings().clone();
/// (settings.input.units, settings.init.weight_scale) = (10, 2.0);
/// settings.layers = vec![LayerSettings::new(6, true), LayerSettings::new(5, false)];
/// let network = Network::new(settings.check()?, MasterSeed(1));
/// let noise = Array2::from_shape_fn((30, 10), |(step, unit)| u16::from((step * unit) % 7 == 1));
/// let noise = SpikeCounts::from_dense(noise.view())?;
/// let examples = StoredExamples { samples: vec![(StageInput::counts(&noise), ClassId(3))] };
/// let losses = Losses::default().and(SpikePenalty { l1: 0.01, l2: 0.1 });
/// gradients(&network, Stage::Whole, &examples, &losses, MasterSeed(1))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`CheckError::Wrong`] for the derivative that is farthest off, and whatever running the network gives.
pub fn gradients(
    network: &Network,
    stage: Stage,
    examples: &dyn Examples,
    losses: &Losses,
    seed: MasterSeed,
) -> Result<(), CheckError> {
    let all = 0..examples.len();
    let samples: Vec<usize> = all.clone().collect();
    let inputs = all.clone().map(|sample| examples.input(sample));
    let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
    let targets = targets_of(network, examples, &samples)?;
    // What runs first refuses what can't be run.
    let prepared = network.prepare(stage);
    let trace = prepared.trace(&inputs, losses.reach())?;
    let case = Case {
        network,
        stage,
        inputs: inputs.iter().map(exact_input).collect(),
        samples: &samples,
        targets: &targets,
        losses,
    };
    let parameters: Parameters = network
        .parameters()
        .iter()
        .map(|(name, values)| (name, values.mapv(f64::from)))
        .collect();

    let mut worst = Worst::default();
    case.against_differences(&parameters, seed, &mut worst)?;
    let block = Block::new(&trace, &samples, &targets, targets.len());
    let (_, loss) = losses.of_block(&block)?;
    let found = trace.backward(&loss.errors)?;
    let rasters = (0..trace.layers()).map(|layer| BlockActivity::spikes(&trace, layer));
    let rasters: Vec<Array3<f64>> = rasters.collect();
    let as_there = case.run(&parameters, Spikes::As(&rasters));
    case.against_exact(&found, &parameters, as_there, &loss.errors, &mut worst);
    Ok(worst.into_result()?)
}

type Parameters = Vec<(ParameterName, ArrayD<f64>)>;

/// When the layers of a stage spike: for each layer samples × steps × units.
#[derive(Clone, Copy)]
enum Spikes<'a> {
    /// Smoothly, what is not differentiated as in the run before, if there was one.
    Smooth(Option<&'a [Array3<f64>]>),
    As(&'a [Array3<f64>]),
}

struct Case<'a> {
    network: &'a Network,
    stage: Stage,
    /// Steps × units of each sample.
    inputs: Vec<Array2<f64>>,
    samples: &'a [usize],
    targets: &'a [Target],
    losses: &'a Losses,
}

fn exact_input(input: &StageInput<'_>) -> Array2<f64> {
    match input {
        StageInput::Counts(counts) => counts.to_dense().mapv(f64::from),
        StageInput::Spikes(raster) => raster.to_dense().mapv(|spike| f64::from(u8::from(spike))),
        StageInput::Currents(currents) => currents.mapv(f64::from),
    }
}

fn get(parameters: &Parameters, wanted: ParameterName) -> Option<&ArrayD<f64>> {
    let mut all = parameters.iter();
    all.find_map(|(name, values)| (*name == wanted).then_some(values))
}

fn matrix(parameters: &Parameters, name: ParameterName) -> Option<Array2<f64>> {
    let values = get(parameters, name)?.clone();
    values.into_dimensionality::<Ix2>().ok()
}

/// Rows later by each column's delay.
fn delayed(rows: &Array2<f64>, delays: &[u16], back: bool) -> Array2<f64> {
    let mut moved = Array2::zeros(rows.dim());
    for ((step, unit), &value) in rows.indexed_iter() {
        let delay = delays.get(unit).map_or(0, |&delay| usize::from(delay));
        let to = match back {
            false => Some(step + delay),
            true => step.checked_sub(delay),
        };
        if let Some(slot) = to.and_then(|step| moved.get_mut((step, unit))) {
            *slot = value;
        }
    }
    moved
}

impl<'a> Case<'a> {
    /// The loss of the mean over the batch, with its errors.
    fn loss(&self, block: &ExactBlock<'_>) -> Result<(f64, Errors), CheckError> {
        let batch_size = self.targets.len();
        let block = Block::new(block, self.samples, self.targets, batch_size);
        let (loss_sum, added) = self.losses.of_block(&block)?;
        let sum = loss_sum + added.loss_sum;
        Ok((sum / batch_size as f64, added.errors))
    }

    fn layers(&self) -> std::ops::Range<usize> {
        self.stage.first_layer()..self.network.spec().depth()
    }

    fn run(&self, parameters: &Parameters, spikes: Spikes<'_>) -> ExactBlock<'a> {
        let samples = (0..self.inputs.len()).map(|sample| self.sample(parameters, spikes, sample));
        ExactBlock {
            samples: samples.collect(),
            steps: self.inputs.iter().map(Array2::nrows).max().unwrap_or(0),
        }
    }

    fn sample(
        &self,
        parameters: &Parameters,
        spikes: Spikes<'_>,
        sample: usize,
    ) -> ExactSample<'a> {
        let mut input = self.inputs[sample].clone();
        let steps = input.nrows();
        let mut layers = Vec::new();
        for (index, layer) in self.layers().enumerate() {
            let settings = &self.network.spec().settings().layers[layer];
            let takes_currents = index == 0 && self.takes_currents();
            let (mut drives, input_as_driven) = match takes_currents {
                true => (input.clone(), input),
                false => {
                    let input = delayed(&input, &settings.delay_steps, false);
                    let weight = matrix(parameters, ParameterName::Input(layer));
                    (input.dot(&weight.expect("its own")), input)
                }
            };
            if let Some(bias) = get(parameters, ParameterName::Bias(layer)) {
                let bias = bias.view().into_dimensionality::<Ix1>();
                drives += &bias.expect("one number a unit");
            }
            let recurrent = matrix(parameters, ParameterName::Recurrent(layer));
            let of_sample = |all: &[Array3<f64>]| all[index].index_axis(Axis(0), sample).to_owned();
            let given = match spikes {
                Spikes::Smooth(held) => held.map(of_sample),
                Spikes::As(spikes) => Some(of_sample(spikes)),
            };
            let firing = match (spikes, &given) {
                (Spikes::As(_), Some(spikes)) => Firing::As(spikes),
                (_, held) => Firing::Smooth(held.as_ref()),
            };
            let surrogate = &**self.network.spec().surrogate(layer);
            let raw = self.raw(parameters, layer);
            let mut neurons = self.network.spec().neuron(layer).exact(raw, settings.units);
            let mut fired = Array2::zeros((steps, settings.units));
            let mut membranes = Array2::zeros((steps, settings.units));
            for step in 0..steps {
                let mut drive = drives.row(step).to_owned();
                if let (Some(recurrent), Some(before)) = (&recurrent, step.checked_sub(1)) {
                    drive += &fired.row(before).dot(recurrent);
                }
                let spikes = neurons.step(&drive.to_vec(), &**surrogate, firing);
                fired.row_mut(step).assign(&Array1::from(spikes));
                membranes
                    .row_mut(step)
                    .assign(&Array1::from(neurons.membranes()));
            }
            input = fired.clone();
            layers.push(LayerInF64 {
                input: input_as_driven,
                spikes: fired,
                membranes,
                neurons,
            });
        }
        let drive = input.dot(&self.readout_weight(parameters));
        let (readout, logits) = self.readout().exact(drive.view());
        ExactSample {
            layers,
            read: input,
            readout,
            logits,
        }
    }

    fn readout(&self) -> &'a crate::readout::ReadoutModel {
        &self.network.spec().settings().readout.model
    }

    fn readout_weight(&self, parameters: &Parameters) -> Array2<f64> {
        let weight = matrix(parameters, ParameterName::Readout);
        weight.unwrap_or_else(|| Array2::eye(self.network.spec().classes()))
    }

    fn takes_currents(&self) -> bool {
        matches!(self.stage, Stage::Learning(index) if index.get() == 0)
    }

    /// What the neurons of a layer are given for each role.
    fn raw(&self, parameters: &Parameters, layer: usize) -> Vec<Vec<f64>> {
        let fixed = self.network.raw_parameters(layer).into_iter();
        let roles = self.network.spec().neuron(layer).roles();
        let raw = fixed.zip(roles).map(|(fixed, role)| {
            let learned = get(parameters, ParameterName::Neuron(layer, role.name));
            match learned {
                Some(learned) => learned.iter().copied().collect(),
                None => fixed.into_iter().map(f64::from).collect(),
            }
        });
        raw.collect()
    }

    fn against_differences(
        &self,
        parameters: &Parameters,
        seed: MasterSeed,
        worst: &mut Worst,
    ) -> Result<(), CheckError> {
        let undisturbed = self.run(parameters, Spikes::Smooth(None));
        let held = (0..self.layers().len()).map(|layer| undisturbed.spikes(layer));
        let held: Vec<Array3<f64>> = held.collect();
        let (_, errors) = self.loss(&undisturbed)?;
        let gradient = self.backward(parameters, undisturbed, &errors);
        let mut noise = seed.stream(Purpose::Shuffle);
        for (place, (name, values)) in parameters.iter().enumerate() {
            if !self.stage.trains(*name) {
                continue;
            }
            let of_parameter = get(&gradient, *name).expect("one for each");
            let entries = index::sample(&mut noise, values.len(), values.len().min(ENTRIES));
            for entry in entries {
                let moved = |by: f64| {
                    let mut moved = parameters.clone();
                    if let Some(value) = moved[place].1.iter_mut().nth(entry) {
                        *value += by;
                    }
                    let block = self.run(&moved, Spikes::Smooth(Some(&held)));
                    Ok::<f64, CheckError>(self.loss(&block)?.0)
                };
                let found = of_parameter.iter().nth(entry).copied().unwrap_or(f64::NAN);
                let by = || format!("entry {entry} of {name}");
                worst.difference(by, found, moved)?;
            }
        }
        Ok(())
    }

    fn against_exact(
        &self,
        found: &Gradients,
        parameters: &Parameters,
        block: ExactBlock<'_>,
        errors: &Errors,
        worst: &mut Worst,
    ) {
        let exact = self.backward(parameters, block, errors);
        let entries = exact.iter().flat_map(|(_, values)| values);
        let largest = entries.fold(0.0f64, |most, value| most.max(value.abs()));
        for (name, found) in found.iter() {
            let exact = get(&exact, name).expect("one for each");
            for (entry, (&found, &expected)) in found.iter().zip(exact).enumerate() {
                let found = f64::from(found);
                let allowed = OF_ENTRY * expected.abs() + OF_LARGEST * largest;
                // What is 0 throughout must be 0.
                let off = (found - expected).abs() / allowed.max(1e-30);
                worst.look(off, || WrongGradient {
                    by: format!("entry {entry} of {name}"),
                    found,
                    expected,
                    by_means_of: "f64",
                });
            }
        }
    }

    /// ∂L/∂parameters.
    fn backward(
        &self,
        parameters: &Parameters,
        block: ExactBlock<'_>,
        errors: &Errors,
    ) -> Parameters {
        let mut sums: Parameters = parameters
            .iter()
            .map(|(name, values)| (*name, ArrayD::zeros(values.raw_dim())))
            .collect();
        for (sample, ran) in block.samples.into_iter().enumerate() {
            self.sample_backward(parameters, ran, (sample, errors), &mut sums);
        }
        sums
    }

    fn sample_backward(
        &self,
        parameters: &Parameters,
        ran: ExactSample<'_>,
        (sample, errors): (usize, &Errors),
        sums: &mut Parameters,
    ) {
        let mut add = |wanted: ParameterName, values: ArrayD<f64>| {
            let sum = sums.iter_mut().find(|(name, _)| *name == wanted);
            if let Some((_, sum)) = sum {
                *sum += &values;
            }
        };
        let steps = ran.readout.nrows();
        let of_logits = errors.logits_of(sample, ran.logits.len());
        let of_readout = errors.readout_of(sample, ran.readout.dim());
        let mut delta = self
            .readout()
            .exact_back(ran.readout.view(), &of_logits, of_readout);
        add(ParameterName::Readout, ran.read.t().dot(&delta).into_dyn());
        let mut weight = self.readout_weight(parameters);
        let above = self.layers().skip(1).map(Some).chain([None]);
        let layers = self.layers().zip(ran.layers).zip(above).enumerate();
        for (index, ((layer, ran), above)) in layers.collect::<Vec<_>>().into_iter().rev() {
            let mut of_spikes = delta.dot(&weight.t());
            if let Some(above) = above {
                let delays = &self.network.spec().settings().layers[above].delay_steps;
                of_spikes = delayed(&of_spikes, delays, true);
            }
            of_spikes += &errors.spikes_of(index, sample, of_spikes.dim());
            let of_membranes = errors.membrane_of(index, sample, of_spikes.dim());
            let recurrent = matrix(parameters, ParameterName::Recurrent(layer));
            let surrogate = &**self.network.spec().surrogate(layer);
            let mut neurons = ran.neurons;
            let mut of_drive = Array2::zeros(of_spikes.dim());
            for step in (0..steps).rev() {
                let mut of_spike = of_spikes.row(step).to_owned();
                if let (Some(recurrent), true) = (&recurrent, step + 1 < steps) {
                    let later: Array1<f64> = of_drive.row(step + 1).to_owned();
                    of_spike += &later.dot(&recurrent.t());
                }
                let of_membrane = of_membranes.row(step).to_vec();
                let back = neurons.back(&of_spike.to_vec(), &of_membrane, &**surrogate);
                of_drive.row_mut(step).assign(&Array1::from(back));
            }
            if !(index == 0 && self.takes_currents()) {
                let product = ran.input.t().dot(&of_drive);
                add(ParameterName::Input(layer), product.into_dyn());
                let own = matrix(parameters, ParameterName::Input(layer));
                weight = own.expect("its own");
            }
            add(
                ParameterName::Bias(layer),
                of_drive.sum_axis(Axis(0)).into_dyn(),
            );
            if recurrent.is_some() && steps > 1 {
                let before = ran.spikes.slice_axis(Axis(0), (..steps - 1).into());
                let later = of_drive.slice_axis(Axis(0), (1..).into());
                let product = before.t().dot(&later);
                add(ParameterName::Recurrent(layer), product.into_dyn());
            }
            let roles = self.network.spec().neuron(layer).roles().into_iter();
            for (role, gradient) in roles.zip(neurons.raw_gradient()) {
                let gradient = Array1::from(gradient).into_dyn();
                if role.learned.is_some() {
                    add(ParameterName::Neuron(layer, role.name), gradient);
                }
            }
            delta = of_drive;
        }
    }
}

#[cfg(test)]
mod tests;
