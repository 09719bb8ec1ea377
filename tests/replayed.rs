//! What is learned from in place of what is gone: logits that are kept beside replays are those that the network gives
//! what the memory gives back, and all that a learning stage sees may pass the codec.

use std::ops::ControlFlow;

use respike::continual::{
    Experiment, LearningDefaults, NewClass, Outcome, Progress, Protocol, Start, run, strict_plan,
};
use respike::dataset::{Dataset, DatasetBuilder, LabelledEvents};
use respike::ids::{ClassId, SampleIndex, SpeakerId};
use respike::method::{Method, View};
use respike::network::{Network, NetworkSpec, ReplayLayer, Stage, StageInput};
use respike::random::{MasterSeed, Purpose};
use respike::replay::{Capacity, CodecSettings, Memory, PolicySettings, through_codec};
use respike::spikes::{EventStream, TimeGrid};
use respike::train::{DerPlusPlus, StoredExamples, Trainer, evaluate};

/// Ten samples of each of three classes, with events all the time.
fn dataset() -> Dataset {
    let grid = TimeGrid::new(20, 1.0).expect("valid");
    let names = (0..3).map(|class| class.to_string()).collect();
    let mut builder = DatasetBuilder::new(grid, 4, names).expect("valid");
    for take in 0..30u16 {
        let class = take % 3;
        let times = (0..40).map(|event| 0.024 * f64::from(event) + 1e-4 * f64::from(take));
        let units = (0..40).map(|event| (class + event * event % (take + 2)) % 4);
        let recording = LabelledEvents {
            events: EventStream::new(times.collect(), units.collect()).expect("valid"),
            class: ClassId(class),
            speaker: SpeakerId(take % 2),
            sound: None,
        };
        builder.push(&recording).expect("it fits");
    }
    builder.build().expect("not empty")
}

fn spec() -> NetworkSpec {
    let mut settings = NetworkSpec::dequino2024().settings().clone();
    settings.input.units = 4;
    (settings.input.steps, settings.input.max_time_s) = (20, 1.0);
    settings.layers.truncate(2);
    for layer in &mut settings.layers {
        layer.units = 12;
    }
    settings.readout.classes = 3;
    settings.init.weight_scale = 5.0;
    settings.check().expect("valid")
}

#[test]
fn the_logits_of_a_replay_are_those_of_what_is_replayed() {
    let (dataset, spec) = (dataset(), spec());
    let new = ClassId(2);
    let memory = |codec| {
        let policy = PolicySettings::class_balanced();
        Memory::new(codec, policy, Capacity::Samples(12))
    };
    let counts = CodecSettings::counts(5).expect("valid");
    let mut changed = 0.0f32;
    for method in [
        Method::latent(1, memory(counts.clone())),
        Method::latent(0, memory(counts.clone())),
        // New samples enter at the bottom there, and replays at the LR index.
        Method::latent(1, memory(counts)).with_rate_below(0.1),
        Method::native(memory(CodecSettings::raw())),
    ] {
        let title = method.title();
        let lr_index = method
            .lr_index
            .map(|index| spec.replay_layer(index).expect("it has it"));
        let training = LearningDefaults::training(1e-2).with_losses(DerPlusPlus::default());
        let experiment = Experiment::new(
            NewClass { class: new },
            method,
            Protocol::Strict,
            MasterSeed(4),
        )
        .with_pretraining(2, LearningDefaults::training(1e-2))
        .with_learning(2, training);
        let start = Start::Fresh(Box::new(Network::new(spec.clone(), MasterSeed(4))));
        let mut progress = |_: Progress<'_>| ControlFlow::Continue(());
        let outcome = run(&experiment, &dataset, start, &mut progress).expect("it runs");
        let memory = outcome.memory.expect("it keeps samples");
        let stage = lr_index.map_or(Stage::Whole, Stage::Learning);
        // Samples of the new class were kept last, by the network that there is now.
        let classes = memory.classes().iter().enumerate();
        let kept: Vec<usize> = classes
            .filter(|(_, class)| **class == new)
            .map(|(i, _)| i)
            .collect();
        assert!(!kept.is_empty(), "{title}");
        for place in kept {
            let back = memory.decode(place).expect("whole");
            let logits = outcome
                .learned
                .network
                .logits(stage, &back)
                .expect("it fits");
            let noted = memory.past_logits(place).expect("kept");
            let high = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let low = logits.iter().copied().fold(f32::INFINITY, f32::min);
            for (noted, logit) in noted.iter().zip(&logits) {
                let off = (noted - logit).abs();
                assert!(
                    off <= (high - low) / 510.0 + 1e-5,
                    "{title}: {noted} {logit}"
                );
            }
            changed = changed.max(high - low);
        }
    }
    assert!(changed > 0.1, "logits differ from class to class");
}

fn experiment(method: Method, protocol: Protocol) -> Experiment {
    let training = LearningDefaults::training(1e-2);
    Experiment::new(
        NewClass { class: ClassId(2) },
        method,
        protocol,
        MasterSeed(4),
    )
    .with_pretraining(2, training.clone())
    .with_learning(2, training)
}

fn outcome(experiment: &Experiment, dataset: &Dataset) -> Outcome {
    let start = Start::Fresh(Box::new(Network::new(spec(), MasterSeed(4))));
    let mut progress = |_: Progress<'_>| ControlFlow::Continue(());
    run(experiment, dataset, start, &mut progress).expect("it runs")
}

/// Samples as the learning stage sees them.
fn seen(
    network: &Network,
    index: ReplayLayer,
    codec: Option<&CodecSettings>,
    (dataset, samples): (&Dataset, &[SampleIndex]),
) -> StoredExamples<'static> {
    let frozen = network.prepare_frozen(index).expect("it has it");
    let samples = samples.iter().map(|&sample| {
        let sample = dataset.sample(sample);
        let made = frozen.latents(&[StageInput::counts(&sample.counts)]);
        let made = made.expect("it fits").remove(0);
        let made = match codec {
            Some(codec) => through_codec(codec, &made).expect("it reads what it wrote"),
            None => made,
        };
        (made.into(), sample.class)
    });
    StoredExamples {
        samples: samples.collect(),
    }
}

#[test]
fn what_is_new_and_what_is_tested_passes_the_codec() {
    let dataset = dataset();
    for (lr_index, codec) in [(0, "or:4"), (1, "or:10"), (1, "counts:7"), (2, "or:5")] {
        let codec: CodecSettings = codec.parse().expect("valid");
        let memory = Memory::new(
            codec.clone(),
            PolicySettings::uniform(),
            Capacity::Samples(9),
        );
        let method = Method::latent(lr_index, memory);
        let usual = experiment(method.clone(), Protocol::Strict);
        assert_eq!(usual.method.view(), View::codec());
        let index = spec().replay_layer(lr_index).expect("it has it");
        let stage = Stage::Learning(index);
        for (view, codec) in [
            (View::codec(), Some(&codec)),
            (View::Codec { adapt_epochs: 0 }, Some(&codec)),
            (View::AsIs, None),
        ] {
            let experiment = experiment(method.clone().with_view(view), Protocol::Strict);
            let plan = strict_plan(experiment.scenario.as_ref(), &dataset, experiment.seed);
            let plan = plan.expect("it fits");
            let found = outcome(&experiment, &dataset);
            let right = |network: &Network, samples: &[SampleIndex]| {
                let seen = seen(network, index, codec, (&dataset, samples));
                evaluate(network, stage, &seen).expect("it fits").accuracy()
            };
            // Before anything new is learned: pre-trained, then adapted to what the codec leaves.
            let network = found.pretrained.network.clone();
            let (base, seed) = (&plan.tasks[0].train, experiment.seed);
            let base = seen(&network, index, codec, (&dataset, base));
            let training = experiment.learn.clone();
            let mut trainer =
                Trainer::new(network, stage, training, seed, Purpose::Adaptation).expect("valid");
            for _ in 0..view.adapt_epochs() {
                trainer.epoch(&base).expect("it learns");
            }
            assert_eq!(
                found.before.old,
                right(trainer.network(), &plan.tasks[0].test)
            );
            let all = plan.test_all();
            assert_eq!(
                found.after.all,
                right(&found.learned.network, &all),
                "{codec:?}"
            );
            // What is kept is what is seen.
            let kept = found.memory.expect("it has one");
            assert_eq!(kept.classes().len(), 9);
        }
    }
}

#[test]
fn what_a_codec_leaves_it_packs_into_the_same_bits() {
    let dataset = dataset();
    let network = Network::new(spec(), MasterSeed(4));
    let all: Vec<SampleIndex> = dataset.iter().map(|(index, _)| index).collect();
    for lr_index in [0, 1, 2] {
        let index = spec().replay_layer(lr_index).expect("it has it");
        let frozen = network.prepare_frozen(index).expect("it has it");
        for codec in ["raw", "or:3", "or:10", "counts:3", "counts:20"] {
            let codec: CodecSettings = codec.parse().expect("valid");
            for &sample in &all {
                let counts = &dataset.sample(sample).counts;
                let latent = frozen
                    .latents(&[StageInput::counts(counts)])
                    .expect("it fits");
                let left = through_codec(&codec, &latent[0]).expect("read");
                assert_eq!(through_codec(&codec, &left).expect("read"), left);
                if codec.is_lossless() {
                    assert_eq!(left, latent[0]);
                }
            }
        }
    }
}

#[test]
fn the_papers_protocol_and_what_learns_without_a_codec_see_latents_as_they_are() {
    let memory = |codec: &str| {
        let codec = codec.parse().expect("valid");
        Memory::new(codec, PolicySettings::uniform(), Capacity::Samples(9))
    };
    let lossy = Method::latent(1, memory("or:10"));
    for (method, protocol) in [
        (lossy.clone(), Protocol::Published),
        (Method::latent(1, memory("raw")), Protocol::Strict),
        (Method::native(memory("raw")), Protocol::Strict),
        (lossy.clone().with_rate_below(0.1), Protocol::Strict),
        (Method::naive().with_replay_layer(1), Protocol::Strict),
    ] {
        let title = method.title();
        assert_eq!(
            experiment(method, protocol).method.view(),
            View::AsIs,
            "{title}"
        );
    }
    // Said, and meaning nothing there.
    for (method, protocol) in [
        (lossy.clone(), Protocol::Published),
        (lossy.with_rate_below(0.1), Protocol::Strict),
        (Method::naive(), Protocol::Strict),
    ] {
        let said = experiment(method.with_view(View::codec()), protocol);
        said.check_fits(&spec(), &dataset())
            .expect_err("it would change nothing");
    }
}
