//! Heads in whole runs: what learns in closed form forgets nothing, and every head goes on from what was saved.

use std::num::NonZeroU32;
use std::ops::ControlFlow;

use respike::continual::{
    Experiment, LearningDefaults, ManyClasses, NewClass, Outcome, Progress, Protocol,
    ScenarioSettings, Start, run,
};
use respike::dataset::{Dataset, DatasetBuilder, LabelledEvents};
use respike::head::{Aligned, ClassMeans, CwrStar, HeadSettings, Redrawn, Ridge, Slda};
use respike::ids::{ClassId, SpeakerId};
use respike::method::Method;
use respike::network::{LayerSettings, Network, NetworkSpec, ParameterName, ReadoutSettings};
use respike::random::MasterSeed;
use respike::replay::{Capacity, CodecSettings, Memory, PolicySettings};
use respike::spikes::{EventStream, TimeGrid};
use respike::train::Checkpoint;

const CLASSES: u16 = 4;
const INPUTS: u16 = 12;

/// Recordings whose events are mostly on three channels of their class.
fn dataset() -> Dataset {
    let grid = TimeGrid::new(30, 0.6).expect("valid");
    let names = (0..CLASSES).map(|class| class.to_string()).collect();
    let mut builder = DatasetBuilder::new(grid, usize::from(INPUTS), names).expect("valid");
    let mut noise = 1u32;
    for take in 0..30 * CLASSES {
        let class = take % CLASSES;
        let (mut times, mut units) = (Vec::new(), Vec::new());
        for event in 0..50 {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let jitter = f64::from(noise >> 16) / 65536.0;
            times.push(0.01 * f64::from(event) + 0.01 * jitter);
            let own = class * 3 + (noise >> 9) as u16 % 3;
            let any = (noise >> 5) as u16 % INPUTS;
            units.push(if noise >> 28 == 0 { any } else { own });
        }
        let recording = LabelledEvents {
            events: EventStream::new(times, units).expect("valid"),
            class: ClassId(class),
            speaker: SpeakerId(take % 2),
            sound: None,
        };
        builder.push(&recording).expect("it fits");
    }
    builder.build().expect("not empty")
}

fn network(seed: MasterSeed) -> Network {
    let mut settings = NetworkSpec::dequino2024().settings().clone();
    let input = &mut settings.input;
    (input.units, input.steps, input.max_time_s) = (usize::from(INPUTS), 30, 0.6);
    settings.layers = [24, 12]
        .map(|units| LayerSettings::new(units, true))
        .to_vec();
    settings.readout = ReadoutSettings::dequino2024(usize::from(CLASSES));
    settings.init.weight_scale = 1.0;
    Network::new(settings.check().expect("valid"), seed)
}

fn experiment(scenario: impl Into<ScenarioSettings>, method: Method) -> Experiment {
    let training = LearningDefaults::training(2e-3);
    Experiment::new(scenario, method, Protocol::Strict, MasterSeed(3))
        .with_pretraining(20, training.clone())
        .with_learning(10, training)
}

/// A method without replay, frozen below the second layer.
fn alone(head: impl Into<HeadSettings>) -> Method {
    Method::new("alone").with_replay_layer(1).with_head(head)
}

/// The same with a memory of latents.
fn with_memory(head: impl Into<HeadSettings>) -> Method {
    let capacity = Capacity::Samples(30);
    let memory = Memory::new(
        CodecSettings::raw(),
        PolicySettings::class_balanced(),
        capacity,
    );
    Method::latent(1, memory).with_head(head)
}

fn closed_forms() -> [HeadSettings; 4] {
    let many = NonZeroU32::new(200).expect("above 0");
    [
        ClassMeans::default().into(),
        Slda::default().into(),
        Ridge::default().into(),
        Ridge::default()
            .with_lambda(1.0)
            .with_expansion(many)
            .into(),
    ]
}

fn outcome(experiment: &Experiment, dataset: &Dataset, start: Start) -> Outcome {
    let mut progress = |_: Progress<'_>| ControlFlow::Continue(());
    run(experiment, dataset, start, &mut progress).expect("it runs")
}

/// A network that was pre-trained for the scenario.
fn pretrained(scenario: impl Into<ScenarioSettings>, dataset: &Dataset) -> Checkpoint {
    let experiment = experiment(scenario, alone(Redrawn {}));
    let fresh = network(experiment.seed);
    let mut progress = |_: Progress<'_>| ControlFlow::Continue(());
    respike::continual::pretrain(&experiment, dataset, fresh, &mut progress).expect("it runs")
}

fn from(pretrained: &Checkpoint) -> Start {
    Start::Pretrained(Box::new(pretrained.clone()))
}

#[test]
fn closed_forms_learn_a_new_class_and_forget_nothing() {
    let dataset = dataset();
    let scenario = NewClass { class: ClassId(2) };
    let pretrained = pretrained(scenario, &dataset);
    for head in closed_forms() {
        let experiment = experiment(scenario, alone(head.clone()));
        let outcome = outcome(&experiment, &dataset, from(&pretrained));
        let (before, after) = (outcome.before, outcome.after);
        assert!(before.old > 0.9, "{head}: {before:?}");
        assert_eq!(before.new, 0.0, "{head} knows nothing of what never came");
        assert!(after.old >= before.old, "{head}: {before:?} to {after:?}");
        assert!(after.new > 0.9, "{head}: {after:?}");
        // Nothing is trained and nothing replayed; all that is kept is the head's own.
        assert_eq!(outcome.learned.network, pretrained.network, "{head}");
        assert_eq!(outcome.replay.samples, 0);
        assert!(outcome.other_bytes > 8 * u64::from(CLASSES));
    }
}

#[test]
fn a_head_that_does_not_fit_is_refused_before_anything_is_trained() {
    let (dataset, scenario) = (dataset(), NewClass { class: ClassId(2) });
    let huge = Ridge::default().with_expansion(NonZeroU32::MAX);
    let experiment = experiment(scenario, alone(huge));
    let fresh = network(experiment.seed);
    let refused = experiment.check_fits(fresh.spec(), &dataset);
    assert!(
        refused
            .expect_err("too large")
            .to_string()
            .contains("ridge")
    );
    let start = Start::Fresh(Box::new(fresh));
    let mut progress = |_: Progress<'_>| -> ControlFlow<()> { panic!("something was begun") };
    run(&experiment, &dataset, start, &mut progress).expect_err("too large");
}

#[test]
fn cwr_star_learns_a_new_class_beside_old_ones() {
    let dataset = dataset();
    let scenario = NewClass { class: ClassId(2) };
    let pretrained = pretrained(scenario, &dataset);
    let experiment = experiment(scenario, with_memory(CwrStar {}));
    let outcome = outcome(&experiment, &dataset, from(&pretrained));
    let after = outcome.after;
    assert!(after.old > 0.7 && after.new > 0.7, "{after:?}");
    assert_eq!(outcome.other_bytes, 8 * u64::from(CLASSES));
}

#[test]
fn aligned_makes_a_new_class_as_loud_as_old_ones() {
    let dataset = dataset();
    let scenario = NewClass { class: ClassId(2) };
    let pretrained = pretrained(scenario, &dataset);
    let experiment = experiment(scenario, with_memory(Aligned {}));
    let outcome = outcome(&experiment, &dataset, from(&pretrained));
    assert!(outcome.after.new > 0.7, "{:?}", outcome.after);
    assert_eq!(outcome.other_bytes, 0);
    let columns = outcome.learned.network.parameters();
    let columns = columns.matrix(ParameterName::Readout).expect("it has it");
    let norm = |class: usize| columns.column(class).mapv(|w| w * w).sum().sqrt();
    let old = (norm(0) + norm(1) + norm(3)) / 3.0;
    assert!((norm(2) / old - 1.0).abs() < 1e-4, "{} {old}", norm(2));
}

/// Broken off after the first of two new classes and gone on with, a run ends as if nothing had happened.
#[test]
fn every_head_goes_on_where_it_was_broken_off() {
    let dataset = dataset();
    let scenario = ManyClasses { base_classes: 2 };
    let pretrained = pretrained(scenario, &dataset);
    let closed = closed_forms().map(alone);
    let trained = [CwrStar {}.into(), HeadSettings::from(Aligned {})].map(with_memory);
    for method in closed.into_iter().chain(trained) {
        let experiment = experiment(scenario, method);
        let head = &experiment.method.head;
        let whole = outcome(&experiment, &dataset, from(&pretrained));
        let mut state = None;
        let mut progress = |news: Progress<'_>| match news {
            Progress::Learned(learned) => {
                state = Some(learned.clone());
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        };
        run(&experiment, &dataset, from(&pretrained), &mut progress).expect_err("broken off");
        // Through a file.
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("learner.safetensors");
        state
            .expect("a task was learned")
            .save(&file)
            .expect("written");
        let state = respike::continual::SavedLearner::load(&file).expect("whole");
        assert_eq!(state.tasks_done(), 1);
        let start = Start::Learner {
            state: Box::new(state),
            pretrained: Some(Box::new(pretrained.clone())),
        };
        let rest = outcome(&experiment, &dataset, start);
        assert_eq!(rest.after, whole.after, "{head}");
        assert_eq!(rest.confusion_after, whole.confusion_after, "{head}");
        assert_eq!(rest.learned.network, whole.learned.network, "{head}");
        assert_eq!(rest.other_bytes, whole.other_bytes, "{head}");
    }
}
