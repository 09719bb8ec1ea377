//! The two protocols: what each puts where, by hand-computed numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use respike::continual::{
    ContinualError, Experiment, LearningData, LearningDefaults, ManyClasses, NewClass, NewSpeaker,
    Plan, Protocol, ScenarioSettings, Start, Task, honest_plan, pretrain, run, strict_plan,
    strict_split,
};
use respike::dataset::{Dataset, DatasetBuilder, LabelledEvents, Split};
use respike::ids::{ClassId, SampleIndex, SpeakerId};
use respike::method::Method;
use respike::network::{Network, NetworkSpec, Stage};
use respike::random::{MasterSeed, Purpose};
use respike::replay::{Capacity, CodecSettings, Kept, Memory, PolicySettings};
use respike::spikes::{EventStream, TimeGrid};
use respike::train::{DatasetExamples, Examples, Trainer};

const BATCH: usize = 64;

/// `each` samples of every class and speaker; every sample differs from all others.
fn dataset(classes: u16, speakers: u16, each: usize) -> Dataset {
    let grid = TimeGrid::new(8, 1.0).expect("valid");
    let names = (0..classes).map(|class| class.to_string()).collect();
    let mut builder = DatasetBuilder::new(grid, 4, names).expect("valid");
    let mut time_s = 0.0;
    for _ in 0..each {
        for class in 0..classes {
            for speaker in 0..speakers {
                time_s += 1e-4;
                let events = EventStream::new(vec![time_s; 3], vec![class % 4, 0, 1]);
                let recording = LabelledEvents {
                    events: events.expect("valid"),
                    class: ClassId(class),
                    speaker: SpeakerId(speaker),
                    sound: None,
                };
                builder.push(&recording).expect("fits");
            }
        }
    }
    builder.build().expect("not empty")
}

fn small_network(classes: usize) -> NetworkSpec {
    let mut settings = NetworkSpec::dequino2024().settings().clone();
    (
        settings.input.units,
        settings.input.steps,
        settings.input.max_time_s,
    ) = (4, 8, 1.0);
    settings.layers.truncate(2);
    for layer in &mut settings.layers {
        layer.units = 5;
    }
    settings.readout.classes = classes;
    settings.check().expect("valid")
}

fn count<T: Ord>(items: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    items.fold(BTreeMap::new(), |mut counts, item| {
        *counts.entry(item).or_default() += 1;
        counts
    })
}

const SPEAKER: NewSpeaker = NewSpeaker {
    speaker: SpeakerId(1),
};
const CLASS: NewClass = NewClass { class: ClassId(2) };
const CLASSES: ManyClasses = ManyClasses { base_classes: 2 };

fn scenarios() -> [ScenarioSettings; 3] {
    [SPEAKER.into(), CLASS.into(), CLASSES.into()]
}

#[test]
fn strict_plans_use_every_sample_once_and_keep_tests_apart() {
    let dataset = dataset(5, 3, 10);
    for scenario in scenarios() {
        let plan = strict_plan(scenario.as_ref(), &dataset, MasterSeed(4)).expect("it fits");
        let title = scenario.title(None);
        let all = plan
            .tasks
            .iter()
            .flat_map(|t| t.train.iter().chain(&t.test));
        let all = count(all.copied());
        assert_eq!(all.len(), dataset.len(), "{title}: every sample");
        assert!(all.values().all(|&times| times == 1), "{title}: once");
        assert_eq!(plan.test_all().len(), dataset.len() / 5);
        for (index, task) in plan.tasks.iter().enumerate() {
            for &sample in task.train.iter().chain(&task.test) {
                let sample = dataset.sample(sample);
                let held_out = match scenario.kind() {
                    "sample" => sample.speaker == SPEAKER.speaker,
                    "class" => sample.class == CLASS.class,
                    _ => sample.class.index() >= CLASSES.base_classes,
                };
                assert_eq!(held_out, index > 0, "{title}");
            }
        }
    }
}

/// A memory of so many samples as they are.
fn memory(replays: usize) -> Memory {
    let capacity = Capacity::Samples(replays);
    Memory::new(CodecSettings::raw(), PolicySettings::uniform(), capacity)
}

/// One epoch of everything.
fn of_one_epoch(
    scenario: impl Into<ScenarioSettings>,
    method: Method,
    protocol: Protocol,
) -> Experiment {
    let training = LearningDefaults::training(1e-3);
    Experiment::new(scenario, method, protocol, MasterSeed(4))
        .with_pretraining(1, training.clone())
        .with_learning(1, training)
}

#[test]
fn strict_runs_never_train_on_or_keep_a_test_sample() {
    let dataset = dataset(4, 3, 10);
    let spec = small_network(4);
    for scenario in scenarios() {
        for method in [
            Method::naive(),
            Method::joint(),
            Method::native(memory(10_000)),
            Method::latent(1, memory(10_000)),
        ] {
            let title = format!("{}, {}", scenario.title(None), method.title());
            let experiment = of_one_epoch(scenario.clone(), method, Protocol::Strict);
            let fresh = Start::Fresh(Box::new(Network::new(spec.clone(), experiment.seed)));
            let mut progress = |_: respike::continual::Progress<'_>| ControlFlow::Continue(());
            let outcome = run(&experiment, &dataset, fresh, &mut progress).expect("it runs");
            let plan = strict_plan(scenario.as_ref(), &dataset, experiment.seed);
            let plan = plan.expect("it fits");
            for index in plan.test_all() {
                let sample = dataset.sample(index);
                assert!(!outcome.pretrained.trained_on.contains(sample));
                assert!(!outcome.learned.trained_on.contains(sample));
            }
            // A memory with room for all holds the training samples and nothing else.
            let trained: usize = plan.tasks.iter().map(|task| task.train.len()).sum();
            if let Some(memory) = outcome.memory {
                assert_eq!(memory.classes().len(), trained, "{title}");
            }
        }
    }
}

/// A plan under the published protocol.
fn published(scenario: impl Into<ScenarioSettings>, dataset: &Dataset, replays: usize) -> Plan {
    let plan = scenario
        .into()
        .published(dataset, Some(replays), MasterSeed(4));
    plan.expect("it fits")
}

/// Classes that a task is the first to teach.
fn new_classes(plan: &Plan, dataset: &Dataset, task: usize) -> Vec<ClassId> {
    let classes = |tasks: &[Task]| -> BTreeSet<ClassId> {
        let train = tasks.iter().flat_map(|task| &task.train);
        train.map(|&index| dataset.sample(index).class).collect()
    };
    let new = classes(&plan.tasks[task..=task]);
    let known = classes(&plan.tasks[..task]);
    new.difference(&known).copied().collect()
}

fn replays(plan: &Plan, task: usize) -> &[SampleIndex] {
    plan.tasks[task]
        .replays
        .as_deref()
        .expect("the protocol fixes them")
}

#[test]
fn published_sample_incremental_takes_the_first_training_batches() {
    // 2 other speakers × 4 classes × 90 = 720 samples: 11 batches, d = 2, batch 1 lost.
    let dataset = dataset(4, 3, 90);
    let plan = published(SPEAKER, &dataset, 200);
    let base = &plan.tasks[0];
    assert_eq!((base.train.len(), base.test.len()), (9 * BATCH, BATCH));
    // 360 of the new speaker: 5 batches, d = 1, batch 0 tests only.
    let new = &plan.tasks[1];
    assert_eq!((new.train.len(), new.test.len()), (4 * BATCH, BATCH));
    assert_eq!(new_classes(&plan, &dataset, 1), []);
    assert_eq!(
        replays(&plan, 0),
        &base.train[..3 * BATCH],
        "200 / 64 batches"
    );
    assert!(replays(&plan, 1).is_empty());
    assert!(plan.fixed_batches);
}

#[test]
fn published_class_incremental_draws_replays_anew_from_all_samples_of_a_class() {
    // 270 of each class; the three old ones together 810: 12 batches, d = 2.
    let dataset = dataset(4, 3, 90);
    let plan = published(CLASS, &dataset, 6 * BATCH + 10);
    assert_eq!(plan.tasks[0].train.len(), 10 * BATCH);
    assert_eq!(new_classes(&plan, &dataset, 1), [ClassId(2)]);
    let replays = replays(&plan, 0);
    let classes = replays.iter().map(|&index| dataset.sample(index).class);
    let expected = [0, 1, 3].map(|class| (ClassId(class), 2 * BATCH));
    assert_eq!(
        count(classes),
        BTreeMap::from(expected),
        "two batches of each old class"
    );
    // The trap: samples that are tested with, or in no batch, are among them.
    let train: BTreeSet<_> = plan.tasks[0].train.iter().collect();
    assert!(replays.iter().any(|index| !train.contains(index)));
}

#[test]
fn published_multi_class_repeats_the_same_batches_and_grows() {
    // Base: 2 classes of 270: 8 batches, d = 1. New: 270 each, 4 batches, d = 0.
    let dataset = dataset(5, 3, 90);
    let plan = published(CLASSES, &dataset, 7 * BATCH);
    let base = &plan.tasks[0];
    assert_eq!((base.train.len(), base.test.len()), (7 * BATCH, BATCH));
    // 7 batches less one for each of 3 later classes, shared by 2 base classes: the same 2 twice.
    let first = &base.train[..2 * BATCH];
    assert_eq!(replays(&plan, 0), [first, first].concat());
    for task in 1..=3 {
        let learned = &plan.tasks[task];
        let new = ClassId(task as u16 + 1);
        assert_eq!(new_classes(&plan, &dataset, task), [new]);
        assert_eq!(
            replays(&plan, task),
            &learned.train[..BATCH],
            "its first training batch"
        );
        assert_eq!(
            learned.train[..BATCH],
            learned.test[..],
            "d = 0: batch 0 is in both"
        );
    }
    // One batch a class.
    let all = plan.test_all();
    let classes = count(all.iter().map(|&index| dataset.sample(index).class));
    let expected = (0..5).map(|class| (ClassId(class), BATCH));
    assert_eq!(classes, expected.collect());
    assert!(plan.old_grows);
    // The trap: those of the base classes are drawn anew, from what pre-training saw, too.
    let trained: BTreeSet<_> = base.train.iter().collect();
    let of_base = all
        .iter()
        .filter(|&&index| dataset.sample(index).class.index() < 2);
    let seen = of_base.filter(|index| trained.contains(index)).count();
    assert!(seen > BATCH, "{seen} of 2 batches");
}

#[test]
fn published_multi_class_memory_grows_by_a_batch_a_class() {
    let dataset = dataset(4, 3, 90);
    let method = Method::latent(1, memory(6 * BATCH));
    let experiment = of_one_epoch(CLASSES, method, Protocol::Published);
    let fresh = Start::Fresh(Box::new(Network::new(small_network(4), experiment.seed)));
    let mut samples = Vec::new();
    let mut progress = |news: respike::continual::Progress<'_>| {
        if let respike::continual::Progress::Epoch(epoch) = news {
            samples.push((epoch.task, epoch.samples));
        }
        ControlFlow::Continue(())
    };
    let outcome = run(&experiment, &dataset, fresh, &mut progress).expect("it runs");
    // Base 7 batches; 4 new and 2 · 2 replayed; then one more replayed, for the class just learned.
    let expected = [7, 4 + 4, 4 + 5].map(|batches| batches * BATCH);
    let found: Vec<usize> = samples.iter().map(|&(_, samples)| samples).collect();
    assert_eq!(found, expected);
    assert_eq!(outcome.replay.samples, 6 * BATCH, "and one more at the end");
}

#[test]
fn published_epochs_train_on_new_batches_and_then_on_replays() {
    let dataset = dataset(4, 3, 90);
    let method = Method::native(memory(3 * BATCH));
    let mut experiment = of_one_epoch(SPEAKER, method, Protocol::Published);
    experiment.epochs = 2;
    let mut go_on = |_: respike::continual::Progress<'_>| ControlFlow::Continue(());
    // Weights large enough for spikes: without any nothing is learned.
    let mut settings = small_network(4).settings().clone();
    settings.init.weight_scale = 5.0;
    let spec = settings.check().expect("valid");
    let fresh = Network::new(spec, experiment.seed);
    let pretrained = pretrain(&experiment, &dataset, fresh, &mut go_on).expect("it trains");
    let start = Start::Pretrained(Box::new(pretrained.clone()));
    let outcome = run(&experiment, &dataset, start, &mut go_on).expect("it runs");

    // By hand: four batches of the new speaker and three replayed, in every epoch alike.
    let plan = published(SPEAKER, &dataset, 3 * BATCH);
    let (new, old) = (plan.tasks[1].train.as_slice(), replays(&plan, 0));
    assert_eq!((new.len(), old.len()), (4 * BATCH, 3 * BATCH));
    let trained = |samples: Vec<SampleIndex>| {
        let network = pretrained.network.clone();
        let (settings, seed) = (experiment.learn.clone(), experiment.seed);
        let trainer = Trainer::new(network, Stage::Whole, settings, seed, Purpose::Shuffle);
        let mut trainer = trainer.expect("settings are right");
        let examples = DatasetExamples::new(&dataset, samples);
        let places: Vec<usize> = (0..examples.len()).collect();
        let batches: Vec<&[usize]> = places.chunks(BATCH).collect();
        for _ in 0..experiment.epochs {
            let epoch = trainer.epoch_of_batches(&examples, &batches);
            epoch.expect("it trains");
        }
        trainer.into_network()
    };
    let learned = outcome.learned.network;
    assert!(trained([new, old].concat()) == learned);
    assert!(trained([old, new].concat()) != learned, "the order matters");
}

#[test]
fn a_run_can_be_broken_off() {
    let dataset = dataset(4, 3, 10);
    let training = LearningDefaults::training(1e-3);
    let (method, seed) = (Method::naive(), MasterSeed(0));
    let experiment = Experiment::new(SPEAKER, method, Protocol::Strict, seed)
        .with_pretraining(1000, training.clone())
        .with_learning(1000, training);
    let fresh = Start::Fresh(Box::new(Network::new(small_network(4), experiment.seed)));
    let mut told = 0;
    let broken = run(&experiment, &dataset, fresh, &mut |_| {
        told += 1;
        if told == 5 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert!(matches!(broken, Err(ContinualError::BrokenOff)));
    assert_eq!(told, 5);
}

/// Of three classes, in the order of `counts`, the largest number of events in a cell.
fn dataset_with_counts(counts: [usize; 3]) -> Dataset {
    let grid = TimeGrid::new(8, 1.0).expect("valid");
    let names = ["a", "b", "c"].map(String::from).to_vec();
    let mut builder = DatasetBuilder::new(grid, 4, names).expect("valid");
    for take in 0..10 {
        for (class, &count) in counts.iter().enumerate() {
            // A time of its own for each, all in one step.
            let time_s = 0.3 + 1e-3 * f64::from(take);
            let units = vec![class as u16; count];
            let recording = LabelledEvents {
                events: EventStream::new(vec![time_s; count], units).expect("valid"),
                class: ClassId(class as u16),
                speaker: SpeakerId(0),
                sound: None,
            };
            builder.push(&recording).expect("fits");
        }
    }
    builder.build().expect("not empty")
}

#[test]
fn bits_of_native_rehearsal_come_from_what_was_trained_on() {
    for (counts, bits) in [
        // The new class is offered last, and with its counts come more bits.
        ([1, 1, 1], 1),
        ([1, 1, 6], 3),
        ([6, 1, 1], 3),
    ] {
        let dataset = dataset_with_counts(counts);
        let experiment = of_one_epoch(CLASS, Method::native(memory(100)), Protocol::Strict);
        let fresh = Start::Fresh(Box::new(Network::new(small_network(3), experiment.seed)));
        let mut go_on = |_: respike::continual::Progress<'_>| ControlFlow::Continue(());
        let outcome = run(&experiment, &dataset, fresh, &mut go_on).expect("it runs");
        let memory = outcome.memory.expect("native rehearsal has one");
        assert_eq!(memory.shape().kept(), Kept::Inputs { bits }, "{counts:?}");
        assert_eq!(memory.len(), 24, "eight of ten of each class");
        assert_eq!(outcome.replay.payload_bits, 24 * 8 * 4 * u64::from(bits));
    }
}

#[test]
fn test_samples_give_a_memory_no_bits() {
    // All samples alike but one, which the strict split keeps for testing.
    let grid = TimeGrid::new(8, 1.0).expect("valid");
    let build = |loud: Option<SampleIndex>| {
        let names = ["a", "b", "c"].map(String::from).to_vec();
        let mut builder = DatasetBuilder::new(grid, 4, names).expect("valid");
        for index in 0..30 {
            let count = if loud == Some(SampleIndex(index)) {
                200
            } else {
                1
            };
            let time_s = 0.3 + 1e-3 * index as f64;
            let recording = LabelledEvents {
                events: EventStream::new(vec![time_s; count], vec![0; count]).expect("valid"),
                class: ClassId(index as u16 % 3),
                speaker: SpeakerId(0),
                sound: None,
            };
            builder.push(&recording).expect("fits");
        }
        builder.build().expect("not empty")
    };
    let plan = strict_plan(&CLASS, &build(None), MasterSeed(4)).expect("it fits");
    let dataset = build(Some(plan.tasks[0].test[0]));
    assert_eq!(dataset.largest_count(), 200);
    let method = Method::native(memory(BATCH));
    let experiment = of_one_epoch(CLASS, method, Protocol::Strict);
    let fresh = Start::Fresh(Box::new(Network::new(small_network(3), experiment.seed)));
    let mut go_on = |_: respike::continual::Progress<'_>| ControlFlow::Continue(());
    let outcome = run(&experiment, &dataset, fresh, &mut go_on).expect("it runs");
    let memory = outcome.memory.expect("native rehearsal has one");
    assert_eq!(memory.shape().kept(), Kept::Inputs { bits: 1 });
}

#[test]
fn tests_that_are_given_are_tested_and_all_others_are_learned() {
    let dataset = dataset(4, 3, 10);
    // Every fifth sample, and some that are in neither part.
    let (test, train): (Vec<_>, Vec<_>) = (0..100).map(SampleIndex).partition(|i| i.0 % 5 == 0);
    let split = Split { train, test };
    for scenario in scenarios() {
        let data = LearningData::with_split(&dataset, &split).expect("its samples");
        let plan = honest_plan(scenario.as_ref(), Protocol::Strict, data, MasterSeed(4));
        let plan = plan.expect("it fits");
        let title = scenario.title(None);
        let mut train: Vec<_> = plan.tasks.iter().flat_map(|task| &task.train).collect();
        train.sort_unstable();
        assert!(train.into_iter().eq(&split.train), "{title}");
        let mut test = plan.test_all();
        test.sort_unstable();
        assert_eq!(test, split.test, "{title}");
        let experiment = of_one_epoch(scenario, Method::native(memory(10_000)), Protocol::Strict);
        let fresh = Start::Fresh(Box::new(Network::new(small_network(4), experiment.seed)));
        let data = LearningData::with_split(&dataset, &split).expect("its samples");
        let mut go_on = |_: respike::continual::Progress<'_>| ControlFlow::Continue(());
        let outcome = run(&experiment, data, fresh, &mut go_on).expect("it runs");
        let memory = outcome.memory.expect("native rehearsal has one");
        assert_eq!(memory.len(), split.train.len());
        assert_eq!(outcome.confusion_after.sum(), split.test.len() as u32);
        for index in dataset.iter().map(|(index, _)| index) {
            let trained_on = outcome.learned.trained_on.contains(dataset.sample(index));
            assert_eq!(trained_on, split.train.contains(&index), "{index}");
        }
    }
    let experiment = of_one_epoch(CLASS, Method::naive(), Protocol::Published);
    let data = LearningData::with_split(&dataset, &split).expect("its samples");
    let refused = experiment.check_fits(&small_network(4), data);
    assert!(matches!(refused, Err(ContinualError::TestsAreFixed)));
    for wrong in [SampleIndex(1), SampleIndex(120)] {
        let mut split = split.clone();
        split.test.push(wrong);
        let refused = LearningData::with_split(&dataset, &split);
        assert!(matches!(refused, Err(ContinualError::BadSplit(index)) if index == wrong));
    }
    // Without a test sample of what is new.
    let of_new = |i: &SampleIndex| dataset.sample(*i).class == ClassId(2);
    let mut split = split.clone();
    split.test.retain(|index| !of_new(index));
    let data = LearningData::with_split(&dataset, &split).expect("its samples");
    let refused = honest_plan(&CLASS, Protocol::Strict, data, MasterSeed(4));
    let error = refused.expect_err("nothing tells of it");
    assert!(error.to_string().contains("test with"), "{error}");
}

#[test]
fn picking_never_sees_a_test_sample() {
    let dataset = dataset(4, 3, 10);
    let seed = MasterSeed(4);
    let everything = strict_split(&dataset, seed).expect("no recording is there twice");
    let (test, train): (Vec<_>, Vec<_>) = (0..100).map(SampleIndex).partition(|i| i.0 % 5 == 0);
    let given = Split { train, test };
    for split in [None, Some(&given)] {
        let (data, outer) = match split {
            None => (LearningData::from(&dataset), &everything),
            Some(split) => {
                let data = LearningData::with_split(&dataset, split).expect("its samples");
                (data, split)
            }
        };
        for scenario in scenarios() {
            let plan = honest_plan(scenario.as_ref(), Protocol::Validation, data, seed);
            let plan = plan.expect("it fits");
            let mut train: Vec<_> = plan.tasks.iter().flat_map(|task| &task.train).collect();
            let tested = plan.test_all();
            assert!(tested.iter().all(|index| !train.contains(&index)));
            train.extend(&tested);
            train.sort_unstable();
            // Each sample that is for training is learned from or picks, once, and no other is there.
            assert!(train.into_iter().eq(&outer.train));
            // Of each of the five classes a fifth to within a sample.
            let wanted = 0.2 * outer.train.len() as f64;
            assert!((tested.len() as f64 - wanted).abs() < 5.0, "{wanted}");
            let title = scenario.title(None);
            let method = Method::native(memory(10_000));
            let experiment = of_one_epoch(scenario, method, Protocol::Validation);
            let fresh = Start::Fresh(Box::new(Network::new(small_network(4), experiment.seed)));
            let mut go_on = |_: respike::continual::Progress<'_>| ControlFlow::Continue(());
            let outcome = run(&experiment, data, fresh, &mut go_on).expect("it runs");
            for &index in &outer.test {
                let sample = dataset.sample(index);
                assert!(
                    !outcome.learned.trained_on.contains(sample),
                    "{title}: {index}"
                );
            }
            assert_eq!(outcome.confusion_after.sum() as usize, tested.len());
        }
    }
}
