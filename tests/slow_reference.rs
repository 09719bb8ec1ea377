//! Compares the library with a slow, plain reference in f64, written step by step from the equations:
//! every surrogate, every readout, with and without recurrence, from every LR index, in small networks
//! and in large ones that spike a lot.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ndarray::{Array1, Array2};
use proptest::prelude::*;
use respike::ids::ClassId;
use respike::network::{
    LayerSettings, Network, NetworkSpec, NeuronSettings, ParameterName, Stage, StageInput,
};
use respike::neuron::CubaLifSettings;
use respike::random::MasterSeed;
use respike::readout::{LeakySettings, OverTime};
use respike::spikes::{SpikeCounts, SpikeRaster};
use respike::surrogate::{Arctan, Boxcar, Exponential, FastSigmoid};
use respike::train::{Losses, SpikePenalty, StoredExamples, batch_gradient};

/// One layer's states at every step.
struct Layer {
    membrane: Vec<Array1<f64>>,
    spikes: Vec<Array1<f64>>,
}

/// Surrogates that the reference has.
#[derive(Debug, Clone, Copy)]
enum Surrogate {
    FastSigmoid { slope: f32 },
    Boxcar { half_width: f32 },
    Arctan { slope: f32 },
    Exponential { scale: f32, slope: f32 },
}

fn surrogate(kind: Surrogate, x: f64) -> f64 {
    match kind {
        Surrogate::FastSigmoid { slope } => (f64::from(slope) * x.abs() + 1.0).powi(-2),
        Surrogate::Boxcar { half_width } => {
            let half = f64::from(half_width);
            if x.abs() <= half { 0.5 / half } else { 0.0 }
        }
        Surrogate::Arctan { slope } => {
            let slope = f64::from(slope);
            let argument = std::f64::consts::FRAC_PI_2 * slope * x;
            0.5 * slope / (1.0 + argument * argument)
        }
        Surrogate::Exponential { scale, slope } => {
            f64::from(scale) * (-f64::from(slope) * x.abs()).exp()
        }
    }
}

/// Runs one sample; `input` is what enters the stage, already multiplied by W at LR index 0.
struct Reference<'a> {
    network: &'a Network,
    surrogate: Surrogate,
    first: usize,
    currents: bool,
}

impl Reference<'_> {
    fn readout(&self) -> LeakySettings {
        let readout = &self.network.spec().settings().readout.model;
        readout.get().expect("leaky integrators")
    }

    fn constants(&self) -> (f64, f64, f64) {
        let neuron = &self.network.spec().settings().neuron.model;
        let neuron: CubaLifSettings = neuron.get().expect("made of current-based neurons");
        let decay = |tau: f64| (-1.0 / tau).exp();
        (
            decay(neuron.tau_syn_steps),
            decay(neuron.tau_mem_steps),
            f64::from(neuron.threshold),
        )
    }

    fn weight(&self, name: ParameterName) -> Option<Array2<f64>> {
        let weight = self.network.parameters().matrix(name)?;
        Some(weight.mapv(f64::from))
    }

    fn forward(&self, input: &Array2<f64>) -> (Vec<Layer>, Vec<Array1<f64>>) {
        let (alpha, beta, threshold) = self.constants();
        let mut below: Vec<Array1<f64>> = input.rows().into_iter().map(|r| r.to_owned()).collect();
        let mut layers = Vec::new();
        for index in self.first..self.network.spec().depth() {
            let w = self.weight(ParameterName::Input(index)).expect("a layer");
            let v = self.weight(ParameterName::Recurrent(index));
            let n = w.ncols();
            let zero = Array1::<f64>::zeros(n);
            let (mut syn, mut mem, mut spk) = (zero.clone(), zero.clone(), zero);
            let mut states = Layer {
                membrane: Vec::new(),
                spikes: Vec::new(),
            };
            for x in &below {
                let mut h = if self.currents && index == 0 {
                    x.clone()
                } else {
                    x.dot(&w)
                };
                if let Some(v) = &v {
                    h += &spk.dot(v);
                }
                spk = mem.mapv(|m: f64| f64::from(u8::from(m > threshold)));
                states.membrane.push(mem.clone());
                states.spikes.push(spk.clone());
                mem = (beta * &mem + &syn) * (1.0 - &spk);
                syn = alpha * &syn + &h;
            }
            below = states.spikes.clone();
            layers.push(states);
        }
        let (alpha, beta) = (
            (-1.0 / self.readout().tau_syn_steps.expect("a filter")).exp(),
            (-1.0 / self.readout().tau_mem_steps).exp(),
        );
        let w = self.weight(ParameterName::Readout).expect("a readout");
        let (mut flt, mut out) = (Array1::zeros(w.ncols()), Array1::zeros(w.ncols()));
        let mut trace = vec![out.clone()];
        for s in &below {
            out = beta * &out + &flt;
            flt = alpha * &flt + s.dot(&w);
            trace.push(out.clone());
        }
        (layers, trace)
    }

    fn logits(&self, trace: &[Array1<f64>]) -> Array1<f64> {
        let fold = |join: fn(f64, f64) -> f64| {
            let first = trace[0].clone();
            trace[1..].iter().fold(first, |all, row| {
                ndarray::Zip::from(&all)
                    .and(row)
                    .map_collect(|&a, &b| join(a, b))
            })
        };
        match self.readout().over_time {
            OverTime::Max => fold(f64::max),
            OverTime::Sum => fold(|a, b| a + b),
            OverTime::Last => fold(|_, b| b),
            _ => panic!("not of the reference"),
        }
    }

    /// Adds the gradients of one sample's share of the mean loss; returns its loss and how close any
    /// membrane came to a corner of the boxcar.
    fn backward(
        &self,
        input: &Array2<f64>,
        class: usize,
        batch: f64,
        penalty: SpikePenalty,
        gradients: &mut BTreeMap<ParameterName, Array2<f64>>,
    ) -> (f64, f64) {
        let (layers, trace) = self.forward(input);
        let logits = self.logits(&trace);
        let largest = logits.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        let exponentials = logits.mapv(|logit| (logit - largest).exp());
        let mut error = &exponentials / exponentials.sum();
        let mut loss = exponentials.sum().ln() - (logits[class] - largest);
        // p − 1 without its rounding: less the sum of the others.
        error[class] = -(0..error.len())
            .filter(|&c| c != class)
            .map(|c| error[c])
            .sum::<f64>();
        error /= batch;
        let steps = input.nrows();
        let mut add = |name: ParameterName, x: &Array1<f64>, delta: &Array1<f64>| {
            let shape = (x.len(), delta.len());
            let gradient = gradients
                .entry(name)
                .or_insert_with(|| Array2::zeros(shape));
            for ((i, j), value) in gradient.indexed_iter_mut() {
                *value += x[i] * delta[j];
            }
        };
        let rows: Vec<Array1<f64>> = input.rows().into_iter().map(|r| r.to_owned()).collect();
        // The readout.
        let (alpha, beta) = (
            (-1.0 / self.readout().tau_syn_steps.expect("a filter")).exp(),
            (-1.0 / self.readout().tau_mem_steps).exp(),
        );
        let classes = logits.len();
        let (mut d_out, mut d_flt) = (Array1::<f64>::zeros(classes), Array1::<f64>::zeros(classes));
        let mut delta = vec![Array1::zeros(classes); steps];
        for step in (0..steps).rev() {
            delta[step] = d_flt.clone();
            d_out *= beta;
            for c in 0..classes {
                let hit = match self.readout().over_time {
                    OverTime::Sum => true,
                    OverTime::Last => step + 1 == steps,
                    OverTime::Max => {
                        let first = (0..=steps).find(|&t| trace[t][c] >= logits[c]);
                        first == Some(step + 1)
                    }
                    _ => panic!("not of the reference"),
                };
                d_out[c] += if hit { error[c] } else { 0.0 };
            }
            d_flt = alpha * &d_flt + &d_out;
        }
        let top = layers.last().map_or(&rows, |layer| &layer.spikes);
        for step in 0..steps {
            add(ParameterName::Readout, &top[step], &delta[step]);
        }
        let mut above = self.weight(ParameterName::Readout).expect("a readout");
        // The layers.
        let (alpha, beta, threshold) = self.constants();
        let mut corner = f64::INFINITY;
        for (at, states) in layers.iter().enumerate().rev() {
            let index = at + self.first;
            let w = self.weight(ParameterName::Input(index)).expect("a layer");
            let v = self.weight(ParameterName::Recurrent(index));
            let n = w.ncols();
            let counts = states
                .spikes
                .iter()
                .fold(Array1::<f64>::zeros(n), |sum, s| sum + s);
            let (l1, l2) = (f64::from(penalty.l1), f64::from(penalty.l2));
            let extra = counts.mapv(|c| (l1 + 2.0 * l2 * c / n as f64) / batch);
            loss += counts
                .iter()
                .map(|c| l1 * c + l2 * c * c / n as f64)
                .sum::<f64>();
            let (mut d_mem, mut d_syn) = (Array1::<f64>::zeros(n), Array1::<f64>::zeros(n));
            let mut d_h = vec![Array1::zeros(n); steps];
            for step in (0..steps).rev() {
                d_h[step] = d_syn.clone();
                let mut d_spk = delta[step].dot(&above.t()) + &extra;
                if let (Some(v), true) = (&v, step + 1 < steps) {
                    d_spk += &d_h[step + 1].dot(&v.t());
                }
                let keep = 1.0 - &states.spikes[step];
                let slope = states.membrane[step].mapv(|m| {
                    if let Surrogate::Boxcar { half_width } = self.surrogate {
                        corner = corner.min(((m - threshold).abs() - f64::from(half_width)).abs());
                    }
                    surrogate(self.surrogate, m - threshold)
                });
                let kept = &d_mem * &keep;
                d_mem = d_spk * slope + beta * &kept;
                d_syn = alpha * &d_syn + &kept;
            }
            let below = if at == 0 {
                &rows
            } else {
                &layers[at - 1].spikes
            };
            for step in 0..steps {
                if !(self.currents && index == 0) {
                    add(ParameterName::Input(index), &below[step], &d_h[step]);
                }
                if v.is_some() && step > 0 {
                    add(
                        ParameterName::Recurrent(index),
                        &states.spikes[step - 1],
                        &d_h[step],
                    );
                }
            }
            (delta, above) = (d_h, w);
        }
        (loss, corner)
    }
}

/// A network, where it is cut, and what it is trained on.
struct Case {
    network: Network,
    surrogate: Surrogate,
    stage: Stage,
    penalty: SpikePenalty,
    inputs: Vec<(StageInput<'static>, ClassId)>,
}

/// What a case is made of.
#[derive(Debug, Clone)]
struct Sizes {
    surrogate: Surrogate,
    over_time: OverTime,
    /// Units of each layer, and whether it is recurrent.
    layers: Vec<(usize, bool)>,
    /// 4 and above mean the whole network.
    index: usize,
    samples: usize,
    steps: usize,
    inputs: usize,
    penalised: bool,
    seed: u64,
}

impl Sizes {
    fn case(&self) -> Case {
        let mut settings = NetworkSpec::dequino2024().settings().clone();
        let neuron = CubaLifSettings::new(5.0, 10.0, 1.0);
        settings.neuron = match self.surrogate {
            Surrogate::FastSigmoid { slope } => NeuronSettings::new(neuron, FastSigmoid { slope }),
            Surrogate::Boxcar { half_width } => NeuronSettings::new(neuron, Boxcar { half_width }),
            Surrogate::Arctan { slope } => NeuronSettings::new(neuron, Arctan { slope }),
            Surrogate::Exponential { scale, slope } => {
                NeuronSettings::new(neuron, Exponential { scale, slope })
            }
        };
        let readout = LeakySettings::DEQUINO2024.with_over_time(self.over_time);
        settings.readout.model = readout.into();
        settings.readout.classes = 5;
        settings.input.units = self.inputs;
        settings.input.steps = self.steps;
        settings.init.weight_scale = 1.5;
        let layers = self.layers.iter();
        settings.layers = layers
            .map(|&(units, recurrent)| LayerSettings::new(units, recurrent))
            .collect();
        let spec = settings.check().expect("valid");
        let stage = match spec.replay_layer(self.index) {
            Ok(index) => Stage::Learning(index),
            Err(_) => Stage::Whole,
        };
        let units = stage.input_units(&spec);
        let mut noise = self.seed | 1;
        let mut draw = |below: u64| {
            noise = noise
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (noise >> 33) % below
        };
        let inputs = (0..self.samples).map(|_| {
            let dense = Array2::from_shape_simple_fn((self.steps, units), || {
                u16::from(draw(4) == 0) * (1 + draw(2) as u16)
            });
            let input = match stage {
                Stage::Whole => {
                    let counts = SpikeCounts::from_dense(dense.view()).expect("fits");
                    StageInput::Counts(Cow::Owned(counts))
                }
                Stage::Learning(index) if index.get() == 0 => {
                    StageInput::Currents(Cow::Owned(dense.mapv(f32::from) * 0.5))
                }
                Stage::Learning(_) => {
                    let spikes = dense.mapv(|count| count > 0);
                    let spikes = SpikeRaster::from_dense(spikes.view()).expect("fits");
                    StageInput::Spikes(Cow::Owned(spikes))
                }
            };
            (input, ClassId(draw(5) as u16))
        });
        Case {
            inputs: inputs.collect(),
            network: Network::new(spec, MasterSeed(self.seed)),
            surrogate: self.surrogate,
            stage,
            penalty: match self.penalised {
                true => SpikePenalty { l1: 0.01, l2: 0.02 },
                false => SpikePenalty::default(),
            },
        }
    }
}

fn dense(input: &StageInput<'_>) -> Array2<f64> {
    match input {
        StageInput::Counts(counts) => counts.to_dense().mapv(f64::from),
        StageInput::Spikes(raster) => raster.to_dense().mapv(|s| f64::from(u8::from(s))),
        StageInput::Currents(currents) => currents.mapv(f64::from),
        _ => panic!("not of the reference"),
    }
}

impl Case {
    /// Compares loss and gradients, and gives the share of steps and neurons that spiked. `None` where
    /// f32 has another spike than f64, next to the threshold, or could be on the other side of a corner
    /// of the boxcar: what comes after is then another computation.
    fn compare(self) -> Result<Option<f64>, String> {
        let reference = Reference {
            surrogate: self.surrogate,
            network: &self.network,
            first: match self.stage {
                Stage::Whole => 0,
                Stage::Learning(index) => index.get(),
            },
            currents: matches!(self.stage, Stage::Learning(index) if index.get() == 0),
        };
        let threshold = reference.constants().2;
        let (mut spikes, mut cells) = (0.0, 0usize);
        for (input, _) in &self.inputs {
            let (layers, _) = reference.forward(&dense(input));
            let found = self.network.run(self.stage, input).expect("fits").spikes;
            for (layer, raster) in layers.iter().zip(&found) {
                let raster = raster.to_dense();
                for (step, (membrane, expected)) in
                    layer.membrane.iter().zip(&layer.spikes).enumerate()
                {
                    for (unit, &spike) in expected.iter().enumerate() {
                        if raster[(step, unit)] == (spike > 0.0) {
                            continue;
                        }
                        let off = (membrane[unit] - threshold).abs();
                        return match off < 1e-4 {
                            true => Ok(None),
                            false => Err(format!("a spike that is wrong by {off}")),
                        };
                    }
                    spikes += expected.sum();
                    cells += expected.len();
                }
            }
        }
        let mut expected = BTreeMap::new();
        let (mut loss, mut corner) = (0.0, f64::INFINITY);
        let samples = self.inputs.len();
        for (input, class) in &self.inputs {
            let (class, batch) = (class.index(), samples as f64);
            let (cost, near) =
                reference.backward(&dense(input), class, batch, self.penalty, &mut expected);
            loss += cost;
            corner = corner.min(near);
        }
        if corner < 1e-4 {
            return Ok(None);
        }
        let all: Vec<usize> = (0..samples).collect();
        let examples = StoredExamples {
            samples: self.inputs,
        };
        let losses = Losses::default().and_penalty(self.penalty);
        let found = batch_gradient(&self.network, self.stage, &examples, &all, &losses);
        let found = found.expect("fits");
        let total = found.loss_sum + found.penalty_sum;
        if (total - loss).abs() > 1e-4 * (1.0 + loss.abs()) {
            return Err(format!("loss {total}, but {loss}"));
        }
        let mut names: Vec<_> = found.gradients.iter().map(|(name, _)| name).collect();
        names.sort();
        let trained = expected.keys().copied();
        let trained: Vec<_> = trained.filter(|&name| self.stage.trains(name)).collect();
        if names != trained {
            return Err(format!("gradients of {names:?}, but {trained:?}"));
        }
        for (name, gradient) in found.gradients.iter() {
            let expected = &expected[&name];
            let largest = expected.iter().fold(0.0f64, |m, v| m.max(v.abs()));
            // A steep surrogate next to the threshold multiplies the rounding of a membrane by
            // hundreds; the golden tensors, which stay away from it, hold to 1e-4.
            for (found, expected) in gradient.iter().zip(expected) {
                if (f64::from(*found) - expected).abs() > 2e-3 * largest + 1e-9 {
                    return Err(format!("{name}: {found} {expected}, largest {largest}"));
                }
            }
        }
        Ok(Some(spikes / cells.max(1) as f64))
    }
}

fn surrogates() -> impl Strategy<Value = Surrogate> {
    prop_oneof![
        (1.0f32..100.0).prop_map(|slope| Surrogate::FastSigmoid { slope }),
        (0.1f32..2.0).prop_map(|half_width| Surrogate::Boxcar { half_width }),
        (0.5f32..5.0).prop_map(|slope| Surrogate::Arctan { slope }),
        (0.1f32..2.0, 0.5f32..8.0)
            .prop_map(|(scale, slope)| Surrogate::Exponential { scale, slope }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn gradients_are_those_of_the_slow_reference(
        surrogate in surrogates(),
        over_time in prop_oneof![Just(OverTime::Max), Just(OverTime::Sum), Just(OverTime::Last)],
        layers in prop::collection::vec((1usize..40, any::<bool>()), 1..4),
        index in 0usize..5,
        (samples, steps, inputs) in (1usize..20, 2usize..25, 1usize..12),
        penalised in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let sizes = Sizes { surrogate, over_time, layers, index, samples, steps, inputs, penalised, seed };
        let compared = sizes.case().compare().map_err(TestCaseError::fail)?;
        prop_assume!(compared.is_some());
    }
}

/// The larger a network and the more it spikes, the more often some membrane is next to the threshold:
/// among the cases above these are the ones that are left out. Here as many are drawn as it takes.
#[test]
fn large_networks_that_spike_a_lot_agree_too() {
    let surrogates = [
        Surrogate::FastSigmoid { slope: 100.0 },
        Surrogate::Arctan { slope: 2.0 },
        Surrogate::Exponential {
            scale: 0.4,
            slope: 5.0,
        },
    ];
    let stages = [
        (0, OverTime::Sum),
        (1, OverTime::Max),
        (4, OverTime::Max),
        (4, OverTime::Last),
    ];
    for surrogate in surrogates {
        for (index, over_time) in stages {
            let compared = (0..40).find_map(|seed| {
                let sizes = Sizes {
                    surrogate,
                    over_time,
                    layers: vec![(90, true), (60, false), (40, true)],
                    index,
                    samples: 2,
                    steps: 60,
                    inputs: 40,
                    penalised: seed % 2 == 0,
                    seed,
                };
                let compared = sizes.case().compare();
                compared.unwrap_or_else(|why| panic!("{sizes:?}: {why}"))
            });
            let active = compared.expect("one of forty has the same spikes in f32");
            assert!(active > 0.05, "{surrogate:?} at {index}: only {active}");
        }
    }
}
