//! Logits that are kept beside replays: those that the network gives what the memory gives back, not what it was given.

use std::ops::ControlFlow;

use respike::continual::{Experiment, LearningDefaults, NewClass, Progress, Protocol, Start, run};
use respike::dataset::{Dataset, DatasetBuilder, LabelledEvents};
use respike::ids::{ClassId, SpeakerId};
use respike::method::Method;
use respike::network::{Network, NetworkSpec, Stage};
use respike::random::MasterSeed;
use respike::replay::{Capacity, CodecSettings, Memory, PolicySettings};
use respike::spikes::{EventStream, TimeGrid};
use respike::train::DerPlusPlus;

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
