//! Every set of vector instructions that this machine has against the portable one, and what errors
//! may and may not hold.

mod dropout;
mod edges;
mod observed;

use ndarray::{Array2, Axis};
use rand::Rng;

use super::{
    Errors, Gradients, LayerSettings, Network, NetworkSettings, NetworkSpec, NeuronSettings, Reach,
    ReadoutSettings, Stage, StageInput, Trace,
};
use crate::neuron::{
    AdLifSettings, AlifSettings, CubaLifSettings, LearnedRange, LifSettings, ResetSettings,
};
use crate::random::{MasterSeed, Purpose};
use crate::readout::{LeakySettings, OverTime};
use crate::simd::Simd;
use crate::spikes::{SpikeCounts, SpikeRaster};
use crate::surrogate::{Arctan, Boxcar, Exponential, FastSigmoid, SurrogateSettings, Triangle};

const STEPS: usize = 60;
const CLASSES: usize = 3;

/// A network of odd sizes, so that no row is whole vectors of any width.
fn network(surrogate: impl Into<SurrogateSettings>, over_time: OverTime) -> Network {
    let mut settings = NetworkSpec::dequino2024().settings().clone();
    settings.input.units = 37;
    settings.input.steps = STEPS;
    settings.layers = [(213, true), (70, false), (5, true)]
        .map(|(units, recurrent)| LayerSettings::new(units, recurrent))
        .to_vec();
    let readout = LeakySettings {
        over_time,
        ..LeakySettings::DEQUINO2024
    };
    settings.readout = ReadoutSettings::new(CLASSES, readout);
    settings.neuron = NeuronSettings::new(CubaLifSettings::new(5.0, 10.0, 1.0), surrogate);
    settings.init.weight_scale = 0.6;
    let spec = settings.check().expect("valid sizes");
    Network::new(spec, MasterSeed(5))
}

/// Samples of different lengths; the last is silent.
fn samples() -> Vec<SpikeCounts> {
    let mut noise = MasterSeed(9).stream(Purpose::Shuffle);
    let lengths = [STEPS, 9, 30, 1, 44, 17, 23, 0];
    let samples = lengths.map(|length| {
        let dense = Array2::from_shape_fn((STEPS, 37), |(step, _)| {
            let event = step < length && noise.random_bool(0.2);
            u16::from(event) * noise.random_range(1..4)
        });
        SpikeCounts::from_dense(dense.view()).expect("valid extents")
    });
    samples.to_vec()
}

fn errors(samples: usize) -> Array2<f64> {
    Array2::from_shape_fn((samples, CLASSES), |(sample, class)| {
        f64::from((sample as f32 * 0.7 + class as f32).sin())
    })
}

/// Runs a stage under one set of instructions, and looks at what came of it.
fn traced<R>(
    network: &Network,
    simd: Simd,
    reach: Reach,
    look: impl FnOnce(&Trace<'_>, Gradients) -> R,
) -> R {
    let samples = samples();
    let inputs: Vec<_> = samples.iter().map(StageInput::counts).collect();
    let stage = network.prepare_layers(simd, Stage::Whole, 0..network.spec().depth());
    let trace = stage.trace(&inputs, reach).expect("they fit");
    let gradients = trace.backward(&Errors::of_logits(errors(samples.len())));
    look(&trace, gradients.expect("of the right shape"))
}

/// A network of other neurons.
fn network_of(neuron: NeuronSettings, change: impl FnOnce(&mut NetworkSettings)) -> Network {
    let of_cuba = network(Boxcar { half_width: 0.5 }, OverTime::Max);
    let mut settings = of_cuba.spec().settings().clone();
    settings.neuron = neuron;
    settings.init.weight_scale = 9.0;
    change(&mut settings);
    Network::new(settings.check().expect("valid"), MasterSeed(5))
}

/// Every kind of neuron but the reference network's, with all that a layer may have.
fn other_neurons() -> Vec<Network> {
    let surrogate = FastSigmoid { slope: 5.0 };
    let range = |min, max, shared| {
        Some(LearnedRange {
            min,
            max,
            shared,
            drawn: false,
        })
    };
    let lif = |reset| {
        let lif = LifSettings {
            learn_tau_mem_steps: range(5.0, 25.0, false),
            learn_threshold: range(0.3, 0.9, true),
            ..LifSettings::new(10.0, 0.5, reset)
        };
        NeuronSettings::new(lif, surrogate)
    };
    let cuba = CubaLifSettings {
        learn_tau_syn_steps: range(2.0, 10.0, true),
        learn_tau_mem_steps: range(5.0, 25.0, false),
        learn_threshold: range(0.5, 1.5, false),
        ..CubaLifSettings::new(5.0, 10.0, 1.0)
    };
    let cuba = NeuronSettings::new(cuba, Triangle { half_width: 1.0 });
    let exponential = Exponential {
        scale: 1.0,
        slope: 5.0,
    };
    let adlif = NeuronSettings::new(AdLifSettings::default(), exponential);
    let resets = [
        ResetSettings::ToZero,
        ResetSettings::Subtract,
        ResetSettings::SubtractDetached,
    ];
    let mut networks: Vec<Network> = resets.map(|reset| network_of(lif(reset), |_| {})).into();
    let alif = AlifSettings {
        learn_tau_mem_steps: range(5.0, 25.0, false),
        learn_tau_adaptation_steps: range(10.0, 90.0, true),
        ..AlifSettings::new(10.0, 30.0, 0.5, 0.8)
    };
    networks.push(network_of(NeuronSettings::new(alif, surrogate), |_| {}));
    networks.push(network_of(cuba.clone(), |settings| {
        settings.init.weight_scale = 0.6;
        settings.layers[1].bias = true;
        settings.layers[2].delay_steps = (0..70).map(|unit| unit % 7).collect();
    }));
    networks.push(network_of(adlif, |settings| {
        settings.layers[0].delay_steps = (0..37).map(|unit| unit % 5).collect();
        settings.layers[2].neuron = Some(cuba);
        let readout = LeakySettings {
            tau_syn_steps: None,
            tau_mem_steps: 10.0,
            over_time: OverTime::SumOfSoftmax,
            skip_steps: 3,
        };
        settings.readout = ReadoutSettings::new(CLASSES, readout);
    }));
    networks
}

/// Every neuron, every surrogate, and every readout.
fn all_kinds() -> Vec<Network> {
    let fast = FastSigmoid { slope: 20.0 };
    let surrogates: [SurrogateSettings; 4] = [
        fast.into(),
        Boxcar { half_width: 0.5 }.into(),
        Arctan { slope: 2.0 }.into(),
        Exponential {
            scale: 0.3,
            slope: 5.0,
        }
        .into(),
    ];
    let kinds = surrogates.map(|surrogate| network(surrogate, OverTime::Max));
    let readouts = [OverTime::Sum, OverTime::Last];
    let others = readouts.map(|over_time| network(fast, over_time));
    let kinds = kinds.into_iter().chain(others);
    kinds.chain(other_neurons()).collect()
}

fn largest_difference(a: &Gradients, b: &Gradients) -> f32 {
    let mut worst = 0.0f32;
    for (name, a) in a.iter() {
        let b = b.get(name).expect("of the same stage");
        let largest = b.iter().fold(0.0f32, |most, value| most.max(value.abs()));
        let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
        let off = differences.fold(0.0, f32::max);
        assert!(largest > 0.0, "{name} has a gradient");
        worst = worst.max(off / largest);
    }
    worst
}

#[test]
fn all_instruction_sets_spike_alike_and_have_nearly_the_same_gradients() {
    for network in all_kinds() {
        let run = |simd| {
            traced(&network, simd, Reach::Logits, |trace, gradients| {
                (trace.logits.clone(), trace.spikes.clone(), gradients)
            })
        };
        let portable = run(Simd::Portable);
        assert!(
            portable
                .1
                .iter()
                .all(|layer| layer.iter().any(|s| s.count() > 20))
        );
        let mut fused: Option<Gradients> = None;
        for simd in Simd::available() {
            let found = run(simd);
            assert_eq!(found.0, portable.0, "logits under {simd}, to the last bit");
            assert_eq!(found.1, portable.1, "spikes under {simd}");
            let off = largest_difference(&found.2, &portable.2);
            assert!(off < 2e-5, "gradients under {simd} are off by {off}");
            if simd != Simd::Portable {
                let first = fused.get_or_insert_with(|| found.2.clone());
                assert_eq!(
                    first, &found.2,
                    "fused gradients are the same to the last bit"
                );
            }
        }
    }
}

#[test]
fn leaving_out_steps_that_no_logit_depends_on_changes_no_gradient() {
    for network in all_kinds() {
        for simd in Simd::available() {
            let of = |reach| traced(&network, simd, reach, |_, gradients| gradients);
            // Samples are taken in another order, so the last bits may differ.
            let off = largest_difference(&of(Reach::Logits), &of(Reach::EveryStep));
            assert!(off < 1e-5, "off by {off}");
        }
    }
}

#[test]
fn a_layer_that_fell_silent_is_carried_on_as_if_it_had_been_run() {
    let of_cuba = network(FastSigmoid { slope: 20.0 }, OverTime::Max);
    for network in other_neurons().into_iter().chain([of_cuba]) {
        for counts in samples() {
            let run = |counts: &SpikeCounts| {
                let activity = network.run(Stage::Whole, &StageInput::counts(counts));
                let mut activity = activity.expect("it fits");
                // What comes in the last step shows in that step at the earliest.
                let last = |rows: usize| ndarray::Slice::from(..rows - 1);
                for state in activity.membrane.iter_mut().chain([&mut activity.readout]) {
                    *state = state.slice_axis(Axis(0), last(state.nrows())).to_owned();
                }
                let spikes = activity.spikes.iter().map(SpikeRaster::to_dense);
                let spikes = spikes.map(|all| all.slice_axis(Axis(0), last(STEPS)).to_owned());
                let spikes: Vec<_> = spikes.collect();
                (activity.membrane, spikes, activity.readout)
            };
            // One step of noise beyond any threshold at the very end keeps every step running.
            let mut dense = counts.to_dense();
            dense.row_mut(STEPS - 1).fill(1);
            let kept_awake = SpikeCounts::from_dense(dense.view()).expect("valid");
            assert_eq!(run(&counts), run(&kept_awake));
        }
    }
}

#[test]
fn nothing_sinks_into_subnormal_numbers() {
    let slow = |value: &f32| value.is_subnormal();
    // A network that is all but certain has errors as small as this; each layer and each step makes
    // them smaller.
    let errors = errors(8) * 1e-26;
    for network in all_kinds() {
        for simd in Simd::available() {
            traced(&network, simd, Reach::EveryStep, |trace, _| {
                let membranes = trace.tapes.iter().flat_map(|all| all.iter());
                assert_eq!(membranes.copied().filter(slow).count(), 0, "membranes");
                let mut smallest = f32::INFINITY;
                for (delta, units) in trace.deltas(&Errors::of_logits(errors.clone()), None) {
                    let numbers = 8 * STEPS * crate::kernels::lanes::padded(simd, units);
                    let known = delta[..numbers].iter().map(|delta| delta.abs());
                    let known = known.filter(|&delta| delta > 0.0);
                    smallest = known.fold(smallest, f32::min);
                }
                assert!(
                    // Neurons multiply what is left by factors of their own.
                    (1e-33..1e-29).contains(&smallest),
                    "errors end at {smallest:e}"
                );
                let gradients = trace
                    .backward(&Errors::of_logits(errors.clone()))
                    .expect("of the right shape");
                for (name, gradient) in gradients.iter() {
                    let found = gradient.iter().copied().filter(slow).count();
                    assert_eq!(found, 0, "gradient of {name}");
                }
            });
        }
    }
}
