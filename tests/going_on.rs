//! Learners that stop after a task and go on from a file: with the same data to the same bits, with other data, and not at
//! all from a file that is damaged.

use std::ops::ControlFlow;

use respike::continual::{
    ContinualError, Experiment, LearningDefaults, ManyClasses, NewClass, NextTask, Outcome,
    Progress, Protocol, SavedLearner, ScenarioSettings, Start, run,
};
use respike::dataset::{Dataset, DatasetBuilder, LabelledEvents};
use respike::ids::{ClassId, SpeakerId};
use respike::method::Method;
use respike::network::{Network, NetworkSpec};
use respike::random::MasterSeed;
use respike::replay::{Capacity, CodecSettings, Memory, PolicySettings};
use respike::spikes::{EventStream, TimeGrid};
use respike::storage::{Tensor, TensorFile};

/// `each` samples of every class and of two speakers; every sample differs from all others, also from those of a dataset
/// that begins later.
fn dataset(classes: u16, each: usize, begin_s: f64) -> Dataset {
    let grid = TimeGrid::new(8, 1.0).expect("valid");
    let names = (0..4).map(|class| class.to_string()).collect();
    let mut builder = DatasetBuilder::new(grid, 4, names).expect("valid");
    let mut time_s = begin_s;
    for take in 0..each * usize::from(classes) * 2 {
        time_s += 1e-3;
        let class = (take / 2) as u16 % classes;
        let times = vec![time_s, time_s + 0.1, time_s + 0.2];
        let events = EventStream::new(times, vec![class, class, (class + 1) % 4]);
        let recording = LabelledEvents {
            events: events.expect("valid"),
            class: ClassId(class),
            speaker: SpeakerId(take as u16 % 2),
            sound: None,
        };
        builder.push(&recording).expect("fits");
    }
    builder.build().expect("not empty")
}

/// One that spikes from the start: without any spikes nothing is learned.
fn small_network() -> NetworkSpec {
    let mut settings = NetworkSpec::dequino2024().settings().clone();
    settings.input.units = 4;
    (settings.input.steps, settings.input.max_time_s) = (8, 1.0);
    settings.layers.truncate(2);
    for layer in &mut settings.layers {
        layer.units = 6;
    }
    settings.readout.classes = 4;
    settings.init.weight_scale = 5.0;
    settings.check().expect("valid")
}

fn memory(codec: CodecSettings, policy: PolicySettings) -> Memory {
    Memory::new(codec, policy, Capacity::Samples(20))
}

fn or() -> CodecSettings {
    CodecSettings::or(2).expect("valid")
}

fn experiment(scenario: impl Into<ScenarioSettings>, method: Method) -> Experiment {
    let training = LearningDefaults::training(1e-2);
    Experiment::new(scenario, method, Protocol::Strict, MasterSeed(4))
        .with_pretraining(2, training.clone())
        .with_learning(2, training)
}

/// Runs it, with the learner after each task as a file has it.
fn run_saving(
    experiment: &Experiment,
    dataset: &Dataset,
    start: Start,
) -> Result<(Outcome, Vec<SavedLearner>), ContinualError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("learner.safetensors");
    let mut states = Vec::new();
    let outcome = run(experiment, dataset, start, &mut |news| {
        if let Progress::Learned(state) = news {
            state.save(&path).expect("written");
            states.push(SavedLearner::load(&path).expect("its own file"));
        }
        ControlFlow::Continue(())
    });
    outcome.map(|outcome| (outcome, states))
}

fn fresh() -> Start {
    Start::Fresh(Box::new(Network::new(small_network(), MasterSeed(4))))
}

#[test]
fn a_learner_goes_on_after_any_task_to_the_same_bits() {
    let dataset = dataset(4, 5, 0.0);
    let reservoir = || memory(or(), PolicySettings::reservoir());
    for method in [
        Method::joint(),
        Method::native(memory(CodecSettings::raw(), PolicySettings::uniform())),
        Method::latent(1, reservoir()),
        Method::latent(1, reservoir()).with_rate_below(0.1),
    ] {
        let title = method.title();
        let experiment = experiment(ManyClasses { base_classes: 1 }, method);
        let (whole, states) = run_saving(&experiment, &dataset, fresh()).expect("it runs");
        assert_eq!(states.len(), 3, "{title}: three new classes");
        for (index, state) in states.into_iter().enumerate() {
            assert_eq!(state.tasks_done(), index + 1);
            let start = Start::Learner {
                state: Box::new(state),
                pretrained: Some(Box::new(whole.pretrained.clone())),
            };
            let (gone_on, later) = run_saving(&experiment, &dataset, start).expect("it goes on");
            assert_eq!(later.len(), 2 - index, "{title}: what is left is learned");
            assert!(gone_on.learned == whole.learned, "{title}, task {index}");
            assert_eq!(gone_on.memory, whole.memory, "{title}");
            assert_eq!(gone_on.matrix, whole.matrix, "{title}");
            assert_eq!(gone_on.metrics, whole.metrics, "{title}");
            assert_eq!(gone_on.aged, whole.aged, "{title}");
            assert_eq!(gone_on.replay, whole.replay, "{title}");
        }
    }
}

#[test]
fn a_learner_goes_on_with_other_data_and_knows_nothing_of_where_its_replays_came_from() {
    let memory = memory(or(), PolicySettings::uniform());
    let method = Method::latent(1, memory).with_rate_below(0.1);
    let first = experiment(NewClass { class: ClassId(2) }, method.clone());
    let (before, mut states) = run_saving(&first, &dataset(3, 10, 0.0), fresh()).expect("it runs");
    let aged = before.aged.expect("the layers below learn");
    assert_eq!(aged.samples, 20, "all that is kept");

    // Fewer samples than there were, of a class that nobody has heard of.
    let other = dataset(4, 5, 0.5);
    let next = experiment(NextTask {}, method);
    let go_on = |state: SavedLearner| {
        let start = Start::Learner {
            state: Box::new(state),
            pretrained: None,
        };
        run_saving(&next, &other, start)
    };
    let state = states.pop().expect("one task");
    let (after, mut states) = go_on(state).expect("it goes on");
    let memory = after.memory.as_ref().expect("a memory");
    assert_eq!(memory.classes().len(), 20);
    assert!(memory.classes().contains(&ClassId(3)), "of the new data");
    assert!(memory.classes().contains(&ClassId(0)), "of the old");
    let aged = after.aged.expect("the layers below learn");
    assert!(
        aged.samples > 0 && aged.samples < 20,
        "of the new data: {aged:?}"
    );

    // It has come to its end, and there is nothing more to learn.
    let again = go_on(states.pop().expect("one task"));
    assert!(matches!(again, Err(ContinualError::NothingNew)));
}

#[test]
fn a_damaged_learner_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("learner.safetensors");
    let dataset = dataset(4, 5, 0.0);
    let latent = Method::latent(1, memory(or(), PolicySettings::uniform()));
    for (method, name, damaged) in [
        (&latent, "replay0.held", Tensor::U64(vec![1_000_000; 20])),
        (&latent, "replay0.held", Tensor::U64(vec![0; 19])),
        (&latent, "replay0.held", Tensor::U64(vec![0; 21])),
        (&latent, "replay0.classes", Tensor::U16(vec![4; 20])),
        (&Method::joint(), "replay0.samples", Tensor::U64(vec![40])),
    ] {
        let experiment = experiment(ManyClasses { base_classes: 1 }, method.clone());
        let (whole, states) = run_saving(&experiment, &dataset, fresh()).expect("it runs");
        states[0].save(&path).expect("written");
        let mut file = TensorFile::read(&path).expect("just written");
        let there = file.tensors.insert(name.to_string(), damaged.clone());
        assert!(there.is_some(), "{name}");
        file.write(&path).expect("written");
        let start = Start::Learner {
            state: Box::new(SavedLearner::load(&path).expect("its parts are there")),
            pretrained: Some(Box::new(whole.pretrained)),
        };
        let refused = run_saving(&experiment, &dataset, start);
        let refused = refused.expect_err(name);
        assert!(
            matches!(refused, ContinualError::BadState(_)),
            "{name} of {damaged:?}: {refused}"
        );
    }
}
