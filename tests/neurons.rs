//! Every kind of neuron, with what PyTorch's automatic differentiation computed for the same equations:
//! states, spikes, every gradient entry by entry, and five steps of an optimiser.
//!
//! `tests/golden/README.md` says what the files hold.

#[path = "common/golden.rs"]
mod golden_file;

use std::collections::BTreeSet;

use golden_file::Golden;
use ndarray::{Array2, Array3, ArrayD, ArrayViewD, Axis};
use respike::ids::ClassId;
use respike::network::{
    LayerSettings, Network, NetworkSettings, NetworkSpec, NeuronSettings, ParameterName,
    Parameters, Stage, StageInput,
};
use respike::neuron::{
    AdLifSettings, AlifSettings, CubaLifSettings, LearnedRange, LifSettings, ResetSettings,
};
use respike::readout::{LeakySettings, OverTime};
use respike::registry::Registry;
use respike::spikes::{SpikeCounts, SpikeRaster};
use respike::surrogate::{
    Boxcar, CutFastSigmoid, Exponential, FastSigmoid, SurrogateSettings, Triangle,
};
use respike::train::{Adamax, BatchGradient, Losses, Optimiser, StoredExamples, batch_gradient};

const SUPER_SPIKE: FastSigmoid = FastSigmoid { slope: 100.0 };

/// The reference network's settings in the sizes of a file.
fn reference(golden: &Golden) -> NetworkSettings {
    let input: Array3<f32> = golden.get("input");
    let mut settings = NetworkSpec::dequino2024().settings().clone();
    settings.input.steps = input.dim().1;
    settings.input.units = input.dim().2;
    settings.layers = (1..)
        .map_while(|layer| {
            golden
                .tensors
                .get(&format!("init.w{layer}"))
                .map(|w| (layer, w))
        })
        .map(|(layer, w)| {
            let has = |what: &str| golden.tensors.contains_key(&format!("init.{what}{layer}"));
            let mut settings = LayerSettings::new(w.shape()[1], has("v"));
            settings.bias = has("bias");
            if let Some(delays) = golden.tensors.get(&format!("delay.{layer}")) {
                settings.delay_steps = delays.iter().map(|&delay| delay as u16).collect();
            }
            settings
        })
        .collect();
    settings.readout.classes = golden.get::<ndarray::Ix2>("logits").ncols();
    settings
}

fn network(golden: &Golden, settings: NetworkSettings) -> Network {
    let spec = settings.check().expect("valid");
    let mut parameters = Parameters::zeros(&spec);
    let names: Vec<ParameterName> = parameters.iter().map(|(name, _)| name).collect();
    let init = golden.tensors.keys().filter(|key| key.starts_with("init."));
    assert_eq!(names.len(), init.count(), "{names:?}");
    for name in names {
        let values: ArrayD<f32> = golden.get(&format!("init.{name}"));
        parameters.set(name, values).expect("its shape");
    }
    Network::with_parameters(spec, parameters).expect("its own")
}

fn counts(golden: &Golden) -> Vec<SpikeCounts> {
    let input: Array3<f32> = golden.get("input");
    let dense = |sample: ndarray::ArrayView2<'_, f32>| {
        SpikeCounts::from_dense(sample.mapv(|count| count as u16).view()).expect("extents fit")
    };
    input.outer_iter().map(dense).collect()
}

fn labels(golden: &Golden) -> Vec<ClassId> {
    let labels: ndarray::Array1<f32> = golden.get("labels");
    labels.iter().map(|&label| ClassId(label as u16)).collect()
}

/// Entry by entry: |a − b| ≤ 1e-4·|b| + 1e-5 of the largest entry.
fn assert_near(what: &str, found: ArrayViewD<'_, f32>, expected: &ArrayD<f32>) {
    assert_eq!(found.shape(), expected.shape(), "{what}");
    let largest = expected
        .iter()
        .fold(0.0f32, |most, value| most.max(value.abs()));
    for (index, (&a, &b)) in found.iter().zip(expected).enumerate() {
        assert!(
            (a - b).abs() <= 1e-4 * b.abs() + 1e-5 * largest,
            "{what}, entry {index}: {a}, not {b}; the largest is {largest}"
        );
    }
}

/// States, spikes and logits of every sample; `prefix` and the file's number of the stage's first layer.
fn check_states(
    golden: &Golden,
    (network, stage): (&Network, Stage),
    inputs: &[StageInput<'_>],
    prefix: &str,
    first: usize,
) {
    let tensor = |name: String| golden.tensors.get(&format!("{prefix}{name}"));
    for (sample, input) in inputs.iter().enumerate() {
        let activity = network.run(stage, input).expect("it fits");
        for (index, spikes) in activity.spikes.iter().enumerate() {
            let layer = first + index;
            let of_sample = |name: &str| {
                let all = tensor(format!("{name}.{layer}"))?;
                Some(all.index_axis(Axis(0), sample).to_owned())
            };
            let expected = of_sample("spikes").expect("every file has them");
            let found = spikes.to_dense().mapv(|spike| f32::from(u8::from(spike)));
            assert_eq!(
                found.into_dyn(),
                expected,
                "spikes {layer} of sample {sample}"
            );
            let membrane = of_sample("membrane").expect("every file has them");
            let found = activity.membrane[index].view().into_dyn();
            assert_near(&format!("membrane {layer}"), found, &membrane);
            for (name, state) in &activity.states[index] {
                if let Some(expected) = of_sample(name) {
                    assert_near(
                        &format!("{name} {layer}"),
                        state.view().into_dyn(),
                        &expected,
                    );
                }
            }
        }
        let readout = tensor("readout".into()).expect("every file has it");
        let expected = readout.index_axis(Axis(0), sample).to_owned();
        assert_near("readout", activity.readout.view().into_dyn(), &expected);
    }
}

fn gradient(
    network: &Network,
    stage: Stage,
    inputs: &[StageInput<'_>],
    labels: &[ClassId],
) -> BatchGradient {
    let samples = inputs.iter().cloned().zip(labels.iter().copied()).collect();
    let all: Vec<usize> = (0..labels.len()).collect();
    let examples = StoredExamples { samples };
    batch_gradient(network, stage, &examples, &all, &Losses::default()).expect("a valid batch")
}

/// Logits, loss, gradients, and five steps of Adamax.
fn check_training(
    golden: &Golden,
    (network, stage): (&Network, Stage),
    inputs: &[StageInput<'_>],
    prefix: &str,
    info: &serde_json::Value,
) {
    let labels = labels(golden);
    if let Some(logits) = golden.tensors.get(&format!("{prefix}logits")) {
        let found: Vec<f32> = inputs
            .iter()
            .flat_map(|input| network.logits(stage, input).expect("it fits"))
            .collect();
        let found = Array2::from_shape_vec((inputs.len(), logits.shape()[1]), found);
        assert_near("logits", found.expect("rows").view().into_dyn(), logits);
    }
    let found = gradient(network, stage, inputs, &labels);
    let mut compared = 0;
    for (name, values) in found.gradients.iter() {
        let expected: ArrayD<f32> = golden.get(&format!("{prefix}grad.{name}"));
        assert_near(&format!("{prefix}grad.{name}"), values, &expected);
        compared += 1;
    }
    let trained = network.parameters().iter();
    let trained = trained.filter(|(name, _)| stage.trains(*name));
    assert_eq!(compared, trained.count(), "{prefix}");

    let mut network = network.clone();
    let mut optimiser = Optimiser::new(Adamax::default()).expect("valid");
    let losses = info["losses"].as_array().expect("five of them").clone();
    for loss in losses {
        let step = gradient(&network, stage, inputs, &labels);
        let mean = step.loss_sum / labels.len() as f64;
        let loss = loss.as_f64().expect("a number");
        assert!(
            (mean - loss).abs() < 1e-4 * loss,
            "{prefix}: loss {mean}, not {loss}"
        );
        optimiser
            .step(&mut network, &step.gradients, 1e-3)
            .expect("its own");
    }
    for (name, values) in network.parameters().iter() {
        if stage.trains(name) {
            let expected: ArrayD<f32> = golden.get(&format!("{prefix}after5.{name}"));
            assert_near(&format!("{prefix}after5.{name}"), values, &expected);
        }
    }
}

fn check(kind: &str, change: impl FnOnce(&mut NetworkSettings)) {
    let golden = Golden::read(&format!("neurons_{kind}_3.safetensors"));
    let mut settings = reference(&golden);
    change(&mut settings);
    let network = network(&golden, settings);
    let counts = counts(&golden);
    let inputs: Vec<StageInput<'_>> = counts.iter().map(StageInput::counts).collect();
    let whole = (&network, Stage::Whole);
    check_states(&golden, whole, &inputs, "", 1);
    check_training(&golden, whole, &inputs, "", &golden.info);
}

#[test]
fn current_based_neurons_that_differ() {
    check("cuba_hetero", |settings| {
        let neurons = CubaLifSettings::new(5.0, 10.0, 1.0)
            .with_learned_tau_syn_steps(LearnedRange::new(2.0, 10.0))
            .with_learned_tau_mem_steps(LearnedRange::new(5.0, 25.0))
            .with_learned_threshold(LearnedRange::new(0.5, 1.5));
        settings.neuron = NeuronSettings::new(neurons, SUPER_SPIKE);
    });
}

fn lif(reset: ResetSettings) -> NeuronSettings {
    let neurons = LifSettings::new(10.0, 0.75, reset)
        .with_learned_tau_mem_steps(LearnedRange::new(5.0, 25.0));
    NeuronSettings::new(neurons, SUPER_SPIKE)
}

#[test]
fn neurons_reset_to_zero() {
    check("lif_hard", |settings| {
        settings.neuron = lif(ResetSettings::ToZero);
    });
}

#[test]
fn neurons_reset_by_subtraction() {
    check("lif_soft", |settings| {
        settings.neuron = lif(ResetSettings::Subtract);
    });
}

#[test]
fn delays() {
    check("delays", |_| {});
}

fn adlif() -> NeuronSettings {
    let surrogate = Exponential {
        scale: 1.0,
        slope: 5.0,
    };
    NeuronSettings::new(AdLifSettings::default(), surrogate)
}

/// Leaky integrators of the reference network's time constants.
fn read_by(settings: &mut NetworkSettings, over_time: OverTime) {
    settings.readout.model = LeakySettings::DEQUINO2024.with_over_time(over_time).into();
}

#[test]
fn adaptive_neurons() {
    let unfiltered = |over_time| LeakySettings::new(15.0, over_time);
    let adaptive = |settings: &mut NetworkSettings| {
        settings.neuron = adlif();
        settings.readout.model = unfiltered(OverTime::SumOfSoftmax).into();
    };
    check("adlif", adaptive);
    let golden = Golden::read("neurons_adlif_3.safetensors");
    let mut settings = reference(&golden);
    adaptive(&mut settings);
    settings.readout.model = unfiltered(OverTime::Max).into();
    let network = network(&golden, settings);
    let counts = counts(&golden);
    let inputs: Vec<StageInput<'_>> = counts.iter().map(StageInput::counts).collect();
    check_training(
        &golden,
        (&network, Stage::Whole),
        &inputs,
        "max.",
        &golden.info["max"],
    );
}

#[test]
fn surrogates_that_end() {
    let golden = Golden::read("neurons_compact_3.safetensors");
    let cut = CutFastSigmoid {
        slope: 100.0,
        half_width: 0.2,
    };
    let surrogates: [(&str, SurrogateSettings); 3] = [
        ("boxcar", Boxcar { half_width: 0.5 }.into()),
        ("triangle", Triangle { half_width: 1.0 }.into()),
        ("cutoff", cut.into()),
    ];
    for (name, surrogate) in surrogates {
        let mut settings = reference(&golden);
        settings.neuron = NeuronSettings::new(CubaLifSettings::new(5.0, 10.0, 1.0), surrogate);
        let network = network(&golden, settings);
        let counts = counts(&golden);
        let inputs: Vec<StageInput<'_>> = counts.iter().map(StageInput::counts).collect();
        let whole = (&network, Stage::Whole);
        check_states(&golden, whole, &inputs, "", 1);
        check_training(
            &golden,
            whole,
            &inputs,
            &format!("{name}."),
            &golden.info[name],
        );
    }
}

#[test]
fn stages_on_windows_of_time() {
    let golden = Golden::read("neurons_compressed_time_3.safetensors");
    check("compressed_time", |_| {});
    let whole = network(&golden, reference(&golden));
    for window in [5, 2] {
        let spec = whole
            .spec()
            .in_longer_steps(window)
            .expect("a shorter grid");
        let network = Network::with_parameters(spec.clone(), whole.parameters().clone());
        let network = network.expect("the same shapes");
        let prefix = format!("replay2.or{window}.compressed_time.");
        let compressed: Array3<f32> = golden.get(&format!("{prefix}compressed"));
        let rasters: Vec<SpikeRaster> = compressed
            .outer_iter()
            .map(|sample| {
                SpikeRaster::from_dense(sample.mapv(|spike| spike > 0.0).view()).expect("valid")
            })
            .collect();
        let inputs: Vec<StageInput<'_>> = rasters.iter().map(StageInput::spikes).collect();
        let stage = Stage::Learning(spec.replay_layer(2).expect("three layers"));
        check_states(&golden, (&network, stage), &inputs, &prefix, 3);
        let info = &golden.info[prefix.trim_end_matches('.')];
        check_training(&golden, (&network, stage), &inputs, &prefix, info);
    }
}

/// A network of every kind of neuron there is, and what it is trained on.
fn of_all_kinds() -> (NetworkSpec, Vec<SpikeCounts>, Vec<ClassId>) {
    let golden = Golden::read("neurons_compact_3.safetensors");
    let mut settings = reference(&golden);
    let layer = |neuron: NeuronSettings| LayerSettings::new(19, true).with_neuron(neuron);
    let delays: Vec<u16> = (0..19).map(|unit| unit % 4).collect();
    let alif = AlifSettings::new(10.0, 30.0, 0.75, 0.5);
    settings.layers = vec![
        layer(adlif()).with_bias(),
        layer(lif(ResetSettings::Subtract)),
        layer(lif(ResetSettings::ToZero)).with_bias(),
        layer(NeuronSettings::new(alif, SUPER_SPIKE)).with_dropout(0.2),
        LayerSettings::new(7, false).with_delays(delays),
    ];
    settings.init.weight_scale = 14.0;
    read_by(&mut settings, OverTime::SumOfSoftmax);
    let all = counts(&golden);
    // Whoever adds a neuron of ours adds it above.
    let kinds = settings.layers.iter().map(|layer| layer.neuron.as_ref());
    let kinds = kinds.map(|neuron| neuron.unwrap_or(&settings.neuron).model.kind());
    let kinds: BTreeSet<&str> = kinds.collect();
    let ours = Registry::builtin();
    assert_eq!(kinds, ours.neurons().map(|(kind, _)| kind).collect());
    // More than one block.
    let counts: Vec<SpikeCounts> = all.iter().cycle().take(40).cloned().collect();
    let labels = labels(&golden).iter().cycle().take(40).copied().collect();
    (settings.check().expect("valid"), counts, labels)
}

#[test]
fn threads_and_stops_change_no_bit_for_any_neuron() {
    use respike::random::{MasterSeed, Purpose};
    use respike::train::{Trainer, TrainingSettings};

    let (spec, counts, labels) = of_all_kinds();
    let samples = counts.iter().map(StageInput::counts).zip(labels).collect();
    let examples = StoredExamples { samples };
    let (seed, settings) = (MasterSeed(2), TrainingSettings::default());
    let train = |threads: usize, stop: bool| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads").install(|| {
            let network = Network::new(spec.clone(), seed);
            let settings = settings.clone();
            let trainer = Trainer::new(network, Stage::Whole, settings, seed, Purpose::Shuffle);
            let mut trainer = trainer.expect("valid");
            for _ in 0..3 {
                trainer.epoch(&examples).expect("it fits");
                if stop {
                    let state = trainer.state();
                    let resumed = Trainer::resume(trainer.into_network(), state);
                    trainer = resumed.expect("valid");
                }
            }
            trainer.into_network()
        })
    };
    let one = train(1, false);
    assert_ne!(one, Network::new(spec.clone(), seed), "it was trained");
    assert!(one == train(4, false), "four threads");
    assert!(one == train(2, true), "stopped after every epoch");
    let moved = |name: &str| {
        let of = |network: &Network| {
            let mut all = network.parameters().iter();
            let found = all.find(|(one, _)| one.to_string() == name);
            found.expect(name).1.to_owned()
        };
        of(&one) != of(&Network::new(spec.clone(), seed))
    };
    for name in [
        "w1", "v1", "bias1", "rho_u1", "a1", "beta2", "beta3", "w4", "w_out",
    ] {
        assert!(moved(name), "{name} is learned");
    }
}
