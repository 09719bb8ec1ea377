//! Every set of vector instructions that this machine has against the portable one, and what errors
//! may and may not hold.

use ndarray::Array2;
use rand::Rng;

use super::{
    Gradients, LayerSettings, Network, NetworkSpec, OverTime, Reach, Stage, StageInput, Surrogate,
    Trace,
};
use crate::random::{MasterSeed, Purpose};
use crate::simd::Simd;
use crate::spikes::SpikeCounts;

const STEPS: usize = 60;
const CLASSES: usize = 3;

/// A network of odd sizes, so that no row is whole vectors of any width.
fn network(surrogate: Surrogate, over_time: OverTime) -> Network {
    let mut settings = NetworkSpec::dequino2024().settings().clone();
    settings.input.units = 37;
    settings.input.steps = STEPS;
    settings.layers = [(213, true), (70, false), (5, true)]
        .map(|(units, recurrent)| LayerSettings { units, recurrent })
        .to_vec();
    settings.readout.classes = CLASSES;
    settings.readout.over_time = over_time;
    settings.neuron.surrogate = surrogate;
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

fn errors(samples: usize) -> Array2<f32> {
    Array2::from_shape_fn((samples, CLASSES), |(sample, class)| {
        (sample as f32 * 0.7 + class as f32).sin()
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
    let gradients = trace.backward(errors(samples.len()).view(), None);
    look(&trace, gradients.expect("of the right shape"))
}

/// Every surrogate, and every readout.
fn all_kinds() -> Vec<Network> {
    let surrogates = [
        Surrogate::FastSigmoid { slope: 20.0 },
        Surrogate::Boxcar { half_width: 0.5 },
        Surrogate::Arctan { slope: 2.0 },
        Surrogate::Exponential {
            scale: 0.3,
            slope: 5.0,
        },
    ];
    let kinds = surrogates.map(|surrogate| network(surrogate, OverTime::Max));
    let readouts = [OverTime::Sum, OverTime::Last];
    let others = readouts.map(|over_time| network(surrogates[0], over_time));
    kinds.into_iter().chain(others).collect()
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
            assert!(off < 1e-6, "off by {off}");
        }
    }
}

#[test]
fn a_layer_that_fell_silent_is_carried_on_as_if_it_had_been_run() {
    let network = network(Surrogate::FastSigmoid { slope: 20.0 }, OverTime::Max);
    let samples = samples();
    for counts in &samples {
        // One step of noise beyond any threshold at the very end keeps every step running.
        let whole = network
            .run(Stage::Whole, &StageInput::counts(counts))
            .expect("it fits");
        let mut dense = counts.to_dense();
        dense.row_mut(STEPS - 1).fill(1);
        let kept_awake = SpikeCounts::from_dense(dense.view()).expect("valid");
        let awake = network
            .run(Stage::Whole, &StageInput::counts(&kept_awake))
            .expect("it fits");
        // What happens in the last step shows in the membranes of the step after at the earliest.
        assert_eq!(whole.membrane, awake.membrane);
        assert_eq!(whole.spikes, awake.spikes);
        assert_eq!(whole.readout, awake.readout);
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
                let membranes = trace.membrane.iter().flat_map(|all| all.iter());
                assert_eq!(membranes.copied().filter(slow).count(), 0, "membranes");
                let mut smallest = f32::INFINITY;
                for (delta, units) in trace.deltas(errors.view(), None) {
                    let numbers = 8 * STEPS * crate::kernels::lanes::padded(simd, units);
                    let known = delta[..numbers].iter().map(|delta| delta.abs());
                    let known = known.filter(|&delta| delta > 0.0);
                    smallest = known.fold(smallest, f32::min);
                }
                assert!(
                    (1e-30..1e-29).contains(&smallest),
                    "errors end at {smallest:e}"
                );
                let gradients = trace
                    .backward(errors.view(), None)
                    .expect("of the right shape");
                for (name, gradient) in gradients.iter() {
                    let found = gradient.iter().copied().filter(slow).count();
                    assert_eq!(found, 0, "gradient of {name}");
                }
            });
        }
    }
}
