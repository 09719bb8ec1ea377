//! Reproduces the tensors of `tests/golden`, computed by PyTorch in float64.

#[path = "common/golden.rs"]
mod golden_file;

use golden_file::Golden;
use ndarray::{Array, Array2, Array3, ArrayD, Axis, Dimension};
use respike::ids::ClassId;
use respike::network::{
    LayerSettings, Network, NetworkSpec, ParameterName, Parameters, Stage, StageInput,
};
use respike::replay::{
    CodecSettings, Or, Window, decode_spikes, encode_spikes, window_counts, windows_with_spikes,
};
use respike::spikes::{SpikeCounts, SpikeRaster};
use respike::train::{
    Adam, Adamax, BatchGradient, Losses, Optimiser, OptimiserSettings, Sgd, SpikePenalty,
    StoredExamples, batch_gradient,
};

const RELATIVE: f32 = 1e-4;

impl Golden {
    fn network(&self) -> Network {
        let input: Array3<f32> = self.get("input");
        let mut settings = NetworkSpec::dequino2024().settings().clone();
        settings.input.steps = input.dim().1;
        settings.input.units = input.dim().2;
        settings.layers = (1..)
            .map_while(|layer| self.tensors.get(&format!("init.v{layer}")))
            .map(|v| LayerSettings::new(v.shape()[0], true))
            .collect();
        settings.readout.classes = self.get::<ndarray::Ix2>("logits").ncols();
        let spec = settings.check().expect("golden sizes are valid");
        let mut parameters = Parameters::zeros(&spec);
        let names: Vec<ParameterName> = parameters.iter().map(|(name, _)| name).collect();
        for name in names {
            parameters
                .set::<ndarray::IxDyn>(name, self.get(&format!("init.{name}")))
                .expect("shapes fit");
        }
        Network::with_parameters(spec, parameters).expect("shapes fit")
    }

    fn counts(&self) -> Vec<SpikeCounts> {
        let input: Array3<f32> = self.get("input");
        let dense = |sample: ndarray::ArrayView2<'_, f32>| {
            let whole = sample.mapv(|count| count as u16);
            assert_eq!(whole.mapv(f32::from), sample, "counts are whole numbers");
            SpikeCounts::from_dense(whole.view()).expect("extents fit")
        };
        input.outer_iter().map(dense).collect()
    }

    fn labels(&self) -> Vec<ClassId> {
        let labels: Array<f32, ndarray::Ix1> = self.get("labels");
        labels.iter().map(|&label| ClassId(label as u16)).collect()
    }
}

fn assert_close<D: Dimension>(what: &str, found: &Array<f32, D>, expected: &Array<f32, D>) {
    assert_eq!(found.shape(), expected.shape(), "{what}");
    let largest = expected
        .iter()
        .fold(0.0f32, |most, value| most.max(value.abs()));
    let off = (found - expected)
        .iter()
        .fold(0.0f32, |most, value| most.max(value.abs()));
    assert!(
        off <= RELATIVE * largest,
        "{what}: off by {off}, largest entry {largest}"
    );
}

fn gradient_of(
    network: &Network,
    stage: Stage,
    inputs: Vec<StageInput<'_>>,
    labels: &[ClassId],
    penalty: SpikePenalty,
) -> BatchGradient {
    let samples = inputs.into_iter().zip(labels.iter().copied()).collect();
    let all: Vec<usize> = (0..labels.len()).collect();
    let examples = StoredExamples { samples };
    let losses = Losses::default().and_penalty(penalty);
    batch_gradient(network, stage, &examples, &all, &losses).expect("a valid batch")
}

fn check_gradients(golden: &Golden, prefix: &str, found: &BatchGradient) {
    let mut compared = 0;
    for (name, gradient) in found.gradients.iter() {
        let expected: ArrayD<f32> = golden.get(&format!("{prefix}.{name}"));
        assert_close(&format!("{prefix}.{name}"), &gradient.to_owned(), &expected);
        compared += 1;
    }
    let expected = golden
        .tensors
        .keys()
        .filter(|key| key.starts_with(&format!("{prefix}.")));
    assert_eq!(compared, expected.count(), "every gradient, and no other");
}

#[test]
fn forward_states_are_those_of_pytorch() {
    for file in [
        "network_2.safetensors",
        "network_6.safetensors",
        "network_full.safetensors",
    ] {
        let golden = Golden::read(file);
        let network = golden.network();
        for (sample, counts) in golden.counts().iter().enumerate() {
            let activity = network
                .run(Stage::Whole, &StageInput::counts(counts))
                .expect("fits");
            for layer in 0..network.spec().depth() {
                let spikes: Array3<f32> = golden.get(&format!("spikes.{}", layer + 1));
                let found = activity.spikes[layer]
                    .to_dense()
                    .mapv(|s| f32::from(u8::from(s)));
                assert_eq!(
                    found,
                    spikes.index_axis(Axis(0), sample),
                    "{file} layer {layer}"
                );
                let membrane: Array3<f32> = golden.get(&format!("membrane.{}", layer + 1));
                let membrane = membrane.index_axis(Axis(0), sample).to_owned();
                assert_close("membrane", &activity.membrane[layer], &membrane);
            }
            let readout: Array3<f32> = golden.get("readout");
            assert_close(
                "readout",
                &activity.readout,
                &readout.index_axis(Axis(0), sample).to_owned(),
            );
            let logits: Array2<f32> = golden.get("logits");
            let found = Array::from(activity.logits);
            assert_close("logits", &found, &logits.row(sample).to_owned());
            let quick = network
                .logits(Stage::Whole, &StageInput::counts(counts))
                .expect("fits");
            assert_eq!(quick, found.to_vec(), "with and without keeping states");
        }
    }
}

#[test]
fn loss_and_gradients_are_those_of_pytorch() {
    for file in [
        "network_2.safetensors",
        "network_6.safetensors",
        "network_full.safetensors",
    ] {
        let golden = Golden::read(file);
        let (network, counts, labels) = (golden.network(), golden.counts(), golden.labels());
        let inputs = counts.iter().map(StageInput::counts).collect();
        let found = gradient_of(
            &network,
            Stage::Whole,
            inputs,
            &labels,
            SpikePenalty::default(),
        );
        let loss = golden.info["loss"].as_f64().expect("a number");
        let off = found.loss_sum / labels.len() as f64 - loss;
        assert!(
            off.abs() < f64::from(RELATIVE) * loss,
            "{file}: loss off by {off}"
        );
        check_gradients(&golden, "grad", &found);
    }
}

/// Takes the steps that PyTorch took, and compares losses on the way and weights at the end.
fn check_steps(
    (network, golden): (&str, &str),
    prefix: &str,
    losses: &serde_json::Value,
    (settings, rate): (OptimiserSettings, f32),
    penalty: SpikePenalty,
) {
    let start = Golden::read(network);
    let expected = Golden::read(golden);
    let (mut network, counts, labels) = (start.network(), start.counts(), start.labels());
    let mut optimiser = Optimiser::new(settings).expect("valid");
    let losses = losses.as_array().expect("a list");
    assert_eq!(losses.len(), 5);
    for loss in losses {
        let inputs = counts.iter().map(StageInput::counts).collect();
        let found = gradient_of(&network, Stage::Whole, inputs, &labels, penalty);
        let loss = loss.as_f64().expect("a number");
        let off = found.loss_sum / labels.len() as f64 - loss;
        assert!(
            off.abs() < f64::from(RELATIVE) * loss,
            "{golden} {prefix}: loss off by {off}"
        );
        optimiser
            .step(&mut network, &found.gradients, rate)
            .expect("shapes fit");
    }
    for (name, weight) in network.parameters().iter() {
        let key = format!("{prefix}after5.{name}");
        let moved: ArrayD<f32> = expected.get(&key);
        assert_close(&key, &weight.to_owned(), &moved);
        let first: ArrayD<f32> = start.get(&format!("init.{name}"));
        // Weights move by thousandths of themselves: the moves are compared, too, but for what each
        // step rounds away.
        let largest_of = |all: &ArrayD<f32>| all.iter().fold(0.0f32, |most, x| most.max(x.abs()));
        let (found, moved) = (&weight.to_owned() - &first, moved - &first);
        let (largest, off) = (largest_of(&moved), largest_of(&(found - &moved)));
        let rounded = losses.len() as f32 * f32::EPSILON * largest_of(&first);
        assert!(
            largest > 0.0 && off <= 2e-3 * largest + rounded,
            "{key}: moves off by {off}, the largest {largest}"
        );
    }
}

#[test]
fn five_adamax_steps_end_where_pytorch_does() {
    for file in ["network_2.safetensors", "network_6.safetensors"] {
        let losses = &Golden::read(file).info["losses"];
        let rule = (Adamax::default().into(), 1e-3);
        check_steps((file, file), "", losses, rule, SpikePenalty::default());
    }
}

/// The networks, and the files of what other rules make of them.
const TRAINED: [(&str, &str); 2] = [
    ("network_2.safetensors", "training_2.safetensors"),
    ("network_6.safetensors", "training_6.safetensors"),
];

#[test]
fn five_steps_of_adam_and_of_plain_descent_end_where_pytorch_does() {
    for files in TRAINED {
        let info = Golden::read(files.1).info;
        for (name, rule) in [
            ("adam", (Adam::default().into(), 5e-4)),
            ("sgd", (Sgd::default().into(), 0.02)),
        ] {
            let prefix = format!("{name}.");
            let losses = &info[name]["losses"];
            check_steps(files, &prefix, losses, rule, SpikePenalty::default());
        }
    }
}

#[test]
fn spike_penalties_have_the_costs_and_gradients_of_pytorch() {
    for files in TRAINED {
        let (start, golden) = (Golden::read(files.0), Golden::read(files.1));
        let number = |value: &serde_json::Value| value.as_f64().expect("a number");
        let penalty = SpikePenalty {
            l1: number(&golden.info["l1"]) as f32,
            l2: number(&golden.info["l2"]) as f32,
        };
        let (network, counts, labels) = (start.network(), start.counts(), start.labels());
        let inputs = counts.iter().map(StageInput::counts).collect();
        let found = gradient_of(&network, Stage::Whole, inputs, &labels, penalty);
        let cost = number(&golden.info["penalised"]["costs"][0]);
        let off = found.penalty_sum / labels.len() as f64 - cost;
        assert!(off.abs() < f64::from(RELATIVE) * cost, "cost off by {off}");
        check_gradients(&golden, "penalised.grad", &found);
        let rule = (Adam::default().into(), 5e-4);
        let losses = &golden.info["penalised"]["losses"];
        check_steps(files, "penalised.", losses, rule, penalty);
    }
}

#[test]
fn codecs_and_the_replay_path_are_those_of_pytorch() {
    for file in ["network_2.safetensors", "network_6.safetensors"] {
        let golden = Golden::read(file);
        let (network, counts, labels) = (golden.network(), golden.counts(), golden.labels());
        let window = Window::new(5).expect("valid");
        for index in 1..=network.spec().depth() {
            let index = network
                .spec()
                .replay_layer(index)
                .expect("there is such a layer");
            let prefix = format!("replay{}", index.get());
            let or: Array3<f32> = golden.get(&format!("{prefix}.or5.compressed"));
            let sums: Array3<f32> = golden.get(&format!("{prefix}.counts5.compressed"));
            let mut replays: Vec<SpikeRaster> = Vec::new();
            for (sample, counts) in counts.iter().enumerate() {
                let latent = network.latent(index, counts).expect("fits");
                let StageInput::Spikes(spikes) = latent.as_input() else {
                    panic!("spikes are kept at {index}");
                };
                let found = windows_with_spikes(&spikes, window).to_dense();
                let found = found.mapv(|s| f32::from(u8::from(s)));
                assert_eq!(found, or.index_axis(Axis(0), sample));
                let found = window_counts(&spikes, window).mapv(|n| n as f32);
                assert_eq!(found, sums.index_axis(Axis(0), sample));
                let codec: CodecSettings = Or {
                    window_steps: window,
                }
                .into();
                let packed = encode_spikes(&codec, &spikes);
                let (steps, units) = (spikes.steps(), spikes.units());
                replays.push(decode_spikes(&codec, steps, units, &packed).expect("its own bits"));
            }
            let stage = Stage::Learning(index);
            let logits: Array2<f32> = golden.get(&format!("{prefix}.or5.logits"));
            for (sample, replay) in replays.iter().enumerate() {
                let found = network
                    .logits(stage, &StageInput::spikes(replay))
                    .expect("fits");
                assert_close(
                    "replay logits",
                    &Array::from(found),
                    &logits.row(sample).to_owned(),
                );
            }
            let inputs = replays.iter().map(StageInput::spikes).collect();
            let found = gradient_of(&network, stage, inputs, &labels, SpikePenalty::default());
            let loss = f64::from(golden.get::<ndarray::Ix1>(&format!("{prefix}.or5.loss"))[0]);
            let off = found.loss_sum / labels.len() as f64 - loss;
            assert!(
                off.abs() < f64::from(RELATIVE) * loss,
                "{file}: loss off by {off}"
            );
            check_gradients(&golden, &format!("{prefix}.or5.grad"), &found);
        }
    }
}
