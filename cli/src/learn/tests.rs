//! Commands that tables quote, read back.

use clap::Parser;

use super::*;
use respike::continual::{ManyClasses, NewClass, NewSpeaker, ScenarioSettings};
use respike::dataset::{DatasetBuilder, LabelledEvents};
use respike::ids::{ClassId, SpeakerId};
use respike::method::Method;
use respike::random::MasterSeed;
use respike::replay::{Capacity, CodecSettings, Memory, PolicySettings};
use respike::report::suite::learn_command;
use respike::simd::Simd;
use respike::spikes::{EventStream, TimeGrid};
use respike::suite::{Manifest, SUITE_FORMAT, SuiteData, SuiteSettings, plan_without_data};
use respike::train::{Adam, Losses, Schedule, Sgd, SpikePenalty, TrainingSettings, WeightDecay};

/// `learn` as the program reads it.
#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    command: Commands,
}

#[derive(clap::Subcommand)]
enum Commands {
    Learn(Box<LearnArguments>),
}

/// Ten classes that are named by numbers, but by others than their own, and six speakers, of whom
/// half have names.
fn data() -> Dataset {
    let names = (0..10).rev().map(|name| name.to_string()).collect();
    let grid = TimeGrid::new(10, 1.0).expect("valid");
    let mut builder = DatasetBuilder::new(grid, 3, names).expect("ten names");
    let named = ["Anna B", "5,", "-x"].into_iter().enumerate();
    builder.name_speakers(named.map(|(index, name)| (SpeakerId(index as u16), name.into())));
    for (class, speaker) in (0..10).flat_map(|class| (0..6).map(move |speaker| (class, speaker))) {
        let recording = LabelledEvents {
            events: EventStream::default(),
            class: ClassId(class),
            speaker: SpeakerId(speaker),
            sound: None,
        };
        builder.push(&recording).expect("it fits");
    }
    builder.build().expect("not empty")
}

fn manifest(suite: SuiteSettings, data: &Dataset) -> Manifest {
    Manifest {
        format: SUITE_FORMAT,
        respike: "0".into(),
        builds: Vec::new(),
        command: "respike bench shd".into(),
        simd: Simd::current(),
        protocols: vec![Protocol::Strict, Protocol::Published],
        suite,
        model: "a model.toml".into(),
        spec: NetworkSpec::dequino2024(),
        data: SuiteData::of(data, vec!["it's here.h5".into()]),
    }
}

/// What the program makes of a quoted command.
fn read_back(command: &str) -> Experiment {
    let words = shlex::split(command).expect("words of a shell");
    let line = Line::try_parse_from(&words).expect(command);
    let Commands::Learn(common) = line.command;
    common.refuse_idle_flags().expect("every flag counts");
    let (experiment, _) = common.experiment(data(), None).expect("it fits the data");
    experiment
}

#[test]
fn quoted_commands_are_the_experiments_that_they_are_of() {
    let data = data();
    for text in [
        include_str!("../../../snn-models/suites/paper.toml"),
        include_str!("../../../snn-models/suites/digits.toml"),
        include_str!("../../../snn-models/suites/quick.toml"),
    ] {
        let suite = SuiteSettings::parse("suite", text).expect("it ships");
        let manifest = manifest(suite, &data);
        let groups = plan_without_data(&manifest.suite, &manifest.protocols, &manifest.data);
        let groups = groups.expect("it fits");
        for group in &groups {
            // Neighbours in a group differ in few settings.
            for cell in group.cells.iter().step_by(5).chain(group.cells.last()) {
                let command = learn_command(&manifest, cell);
                assert_eq!(read_back(&command), *cell, "{command}");
            }
        }
    }
}

#[test]
fn quoted_commands_have_every_setting_that_counts() {
    let data = data();
    let text = include_str!("../../../snn-models/suites/quick.toml");
    let manifest = manifest(
        SuiteSettings::parse("quick", text).expect("it ships"),
        &data,
    );
    let odd = TrainingSettings::default()
        .with_batch_size(7)
        .with_learning_rate(3e-4)
        .with_schedule(Schedule::Step {
            every_epochs: 3,
            factor: 0.7,
        })
        .with_optimiser(Sgd::default())
        .with_losses(
            Losses::default()
                .and(WeightDecay { strength: 1e-3 })
                .and_penalty(SpikePenalty { l1: 1e-5, l2: 0.25 }),
        );
    let adam = Adam {
        beta1: 0.8,
        ..Adam::default()
    };
    let falling = |epochs| {
        odd.clone()
            .with_schedule(Schedule::Cosine { epochs })
            .with_optimiser(adam)
    };
    let of = |scenario: ScenarioSettings, method| {
        Experiment::new(scenario, method, Protocol::Strict, MasterSeed(u64::MAX))
            .with_pretraining(11, odd.clone().with_learning_rate(5e-3))
            .with_learning(13, odd.clone())
    };
    let memory = |codec| {
        let capacity = Capacity::Bytes(12_345);
        Memory::new(codec, PolicySettings::class_balanced(), capacity)
    };
    let latent = |scenario: ScenarioSettings| {
        let counts = CodecSettings::counts(7).expect("valid");
        of(scenario, Method::latent(0, memory(counts)))
    };
    let speaker = |number| {
        let speaker = SpeakerId(number);
        NewSpeaker { speaker }.into()
    };
    let one_more = || NewClass { class: ClassId(3) }.into();
    let many = |base_classes| ManyClasses { base_classes }.into();
    let chosen = ["4", "0", "7", "1"].map(String::from);
    for experiment in [
        latent(one_more())
            .with_pretraining(11, falling(11))
            .with_learning(13, falling(13)),
        of(speaker(0), Method::native(memory(CodecSettings::raw()))),
        of(speaker(4), Method::joint()),
        latent(many(1)).with_classes(chosen.clone()),
        latent(many(3)).with_classes(chosen),
        latent(one_more()),
    ] {
        let command = learn_command(&manifest, &experiment);
        assert_eq!(read_back(&command), experiment, "{command}");
    }
}
