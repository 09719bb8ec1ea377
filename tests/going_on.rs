//! Learners that stop after a task and go on from a file: with the same data to the same bits, with other data, and not at
//! all from a file that is damaged.

use std::ops::ControlFlow;
use std::path::Path;

use respike::continual::{
    ContinualError, Experiment, HeldOut, LearningData, LearningDefaults, ManyBatches, ManyClasses,
    NewClass, NewSpeaker, NextTask, Outcome, Progress, Protocol, SavedLearner, ScenarioSettings,
    Start, Stream, StreamTask, TestSamples, prepare, run,
};
use respike::dataset::{Dataset, DatasetBuilder, LabelledEvents, Split};
use respike::head::{CwrStar, Slda};
use respike::ids::{ClassId, SampleIndex, SpeakerId};
use respike::method::{Method, MethodFile};
use respike::network::{Network, NetworkSpec};
use respike::random::MasterSeed;
use respike::replay::{Capacity, CodecSettings, Memory, PolicySettings};
use respike::shipped::METHODS;
use respike::spikes::{EventStream, TimeGrid};
use respike::storage::{Tensor, TensorFile};
use respike::train::Mixing;

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
            let saved = SavedLearner::load(&path).expect("its own file");
            assert_eq!(saved.fingerprint(), state.fingerprint());
            states.push(saved);
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

/// What a learner comes to that goes on from a file, of which nothing is known but the file.
fn go_on<'a>(
    experiment: &Experiment,
    data: impl Into<LearningData<'a>>,
    state: &SavedLearner,
) -> Outcome {
    let start = Start::Learner {
        state: Box::new(state.clone()),
        pretrained: None,
    };
    let mut progress = |_: Progress<'_>| ControlFlow::Continue(());
    run(experiment, data, start, &mut progress).expect("it goes on")
}

#[test]
fn any_scenario_may_come_next_whatever_is_frozen() {
    let (first, other) = (dataset(3, 10, 0.0), dataset(4, 10, 0.5));
    let stream = |classes: &[u16]| StreamTask {
        classes: Some(classes.iter().copied().map(HeldOut::Number).collect()),
        ..StreamTask::default()
    };
    let batches = ManyBatches {
        batches: 7,
        ..ManyBatches::default()
    };
    let scenarios: [ScenarioSettings; 6] = [
        NewSpeaker {
            speaker: SpeakerId(1),
        }
        .into(),
        NewClass { class: ClassId(3) }.into(),
        ManyClasses { base_classes: 2 }.into(),
        batches.into(),
        Stream {
            task: vec![stream(&[0, 3]), stream(&[1, 2])],
        }
        .into(),
        NextTask {}.into(),
    ];
    let replays = || memory(or(), PolicySettings::class_balanced());
    let slowed = Method::latent(1, replays())
        .with_rate_below(0.03)
        .with_head(CwrStar {})
        .with_mixing(Mixing::default().with_per_batch(4, 8));
    for method in [
        Method::latent(1, replays()),
        Method::new("slda")
            .with_replay_layer(1)
            .with_head(Slda::default()),
        slowed,
    ] {
        let begun = experiment(NewClass { class: ClassId(2) }, method.clone());
        let (_, states) = run_saving(&begun, &first, fresh()).expect("it runs");
        for scenario in &scenarios {
            let next = experiment(scenario.clone(), method.clone());
            let title = format!("{} by {}", scenario.kind(), method.title());
            let outcome = go_on(&next, &other, &states[0]);
            // What this run began with is no task of its own: all tasks with samples come after it.
            let start = Start::Learner {
                state: Box::new(states[0].clone()),
                pretrained: None,
            };
            let plan = prepare(&next, &other, &start).expect("it fits");
            assert!(plan.tasks[0].train.is_empty(), "{title}");
            let learned: Vec<usize> = (0..plan.tasks.len()).collect();
            assert_eq!(outcome.measured_after, learned, "{title}");
            assert!(outcome.metrics.is_some(), "{title}");
            // Cut off in its middle, it goes on as the same run.
            let (mut progress_states, start) = (Vec::new(), start);
            let whole = run(&next, &other, start, &mut |news| {
                if let Progress::Learned(state) = news {
                    progress_states.push(state.clone());
                }
                ControlFlow::Continue(())
            });
            let whole = whole.expect("it goes on");
            if progress_states.len() > 1 {
                let rest = go_on(&next, &other, &progress_states[0]);
                assert_eq!(rest.matrix, whole.matrix, "{title}");
                assert_eq!(rest.learned.network, whole.learned.network, "{title}");
                assert_eq!(rest.metrics, whole.metrics, "{title}");
            }
        }
    }
}

#[test]
fn what_a_learner_knew_before_is_old_whatever_it_is_taught_next() {
    let method = Method::latent(1, memory(or(), PolicySettings::class_balanced()));
    let begun = experiment(NewClass { class: ClassId(2) }, method.clone());
    let (_, states) = run_saving(&begun, &dataset(3, 10, 0.0), fresh()).expect("it runs");
    let next = experiment(NextTask {}, method);
    let other = dataset(4, 10, 0.5);
    let last = |index: &SampleIndex| index.0 >= other.len() / 2;
    let (tests, train): (Vec<_>, Vec<_>) = (0..other.len()).map(SampleIndex).partition(last);
    let taught = |classes: &[u16]| {
        let is_taught = |index: &&SampleIndex| classes.contains(&other.sample(**index).class.0);
        Split {
            train: train.iter().filter(is_taught).copied().collect(),
            test: tests.clone(),
        }
    };
    for (classes, new_classes) in [(&[3][..], &[3][..]), (&[1, 3], &[3]), (&[1], &[])] {
        let split = taught(classes);
        let data = || LearningData::with_split(&other, &split).expect("of the data");
        let outcome = go_on(&next, data(), &states[0]);
        // Each class has as many tests; those of classes that are neither known nor taught are none.
        let each = tests.len() / 4;
        let share = |confusion: &ndarray::Array2<u32>, classes: &[u16]| {
            let right = classes.iter().map(|&class| {
                let class = usize::from(class);
                assert_eq!(confusion.row(class).sum() as usize, each);
                f64::from(confusion[[class, class]])
            });
            right.sum::<f64>() / (each * classes.len()) as f64
        };
        let known = &[0, 1, 2];
        for (accuracy, confusion) in [
            (outcome.before, &outcome.confusion_before),
            (outcome.after, &outcome.confusion_after),
        ] {
            assert_eq!(accuracy.old, share(confusion, known), "{classes:?}");
            match new_classes {
                [] => assert!(accuracy.new.is_nan(), "nothing was tested"),
                new => assert_eq!(accuracy.new, share(confusion, new), "{classes:?}"),
            }
            assert_eq!(
                accuracy.all,
                share(confusion, &[known, new_classes].concat())
            );
        }
        assert_eq!(outcome.matrix.rows()[0].len(), 3 + new_classes.len());
        assert!(outcome.metrics.is_some(), "forgetting is seen");
        let start = Start::Learner {
            state: Box::new(states[0].clone()),
            pretrained: None,
        };
        let plan = prepare(&next, data(), &start).expect("it fits");
        let counted = TestSamples::of(&plan);
        let expected = (3 * each, new_classes.len() * each);
        assert_eq!((counted.old, counted.new), expected);
    }
}

#[test]
fn every_method_that_ships_means_something() {
    let (dataset, spec) = (dataset(4, 10, 0.0), small_network());
    for (name, _) in METHODS {
        let file = MethodFile::find(name, Path::new("")).expect("it ships");
        let usual = LearningDefaults::training(1e-3);
        let learn = file.training.over(usual, 4).expect("it ships");
        let experiment = experiment(NewClass { class: ClassId(2) }, file.method());
        let experiment = experiment.with_learning(4, learn);
        let fits = experiment.check_fits(&spec, &dataset);
        assert!(fits.is_ok(), "{name}: {fits:?}");
    }
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
