use ndarray::{Array2, array};

use super::*;
use crate::ids::ClassId;
use crate::network::{LayerSettings, NetworkSpec, StageInput};
use crate::random::{MasterSeed, Purpose};
use crate::spikes::SpikeCounts;
use crate::train::{
    Losses, Sgd, StoredExamples, TaskFacts, Trainer, TrainerState, TrainingSettings,
};

/// One unit and two classes: above it there are two numbers.
fn network(readout: [f32; 2]) -> Network {
    let mut settings = NetworkSpec::dequino2024().settings().clone();
    settings.input.units = 1;
    settings.layers = vec![LayerSettings::new(1, false)];
    settings.readout.classes = 2;
    let network = Network::new(settings.check().expect("valid"), MasterSeed(1));
    with_readout(&network, readout)
}

fn with_readout(network: &Network, readout: [f32; 2]) -> Network {
    let mut network = network.clone();
    for (name, mut values) in network.parameters_mut() {
        if name == ParameterName::Readout {
            values.assign(&array![readout].into_dyn());
        }
    }
    network
}

fn above(network: &Network) -> Stage {
    Stage::Learning(network.spec().replay_layer(1).expect("one layer"))
}

fn gradient(network: &Network, values: [f32; 2]) -> Gradients {
    let mut gradients = Gradients::zeros(network, above(network));
    let set = gradients.set(ParameterName::Readout, array![values]);
    set.expect("of its shape");
    gradients
}

/// Moves the readout by a gradient that is not ours.
fn step(
    state: &mut dyn RegulariserState,
    network: &Network,
    by: [f32; 2],
    gradients: [f32; 2],
) -> Network {
    let stage = above(network);
    let before = Gradients::of_parameters(network, stage);
    let readout = before.matrix(ParameterName::Readout).expect("trained");
    let moved = with_readout(network, [readout[[0, 0]] + by[0], readout[[0, 1]] + by[1]]);
    let after = Gradients::of_parameters(&moved, stage);
    let gradients = gradient(network, gradients);
    let step = WeightStep::new(before.values(), after.values(), &gradients);
    state.stepped(&step).expect("its own network");
    moved
}

fn remembered(state: &dyn RegulariserState, what: &str) -> Vec<f32> {
    match &state.tensors()[&format!("{what}.w_out")] {
        Tensor::F32(values) => values.iter().copied().collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn importance_and_cost_are_those_of_the_formulas() {
    let settings = SynapticIntelligence {
        strength: 3.0,
        xi: 0.4375,
        ..SynapticIntelligence::default()
    };
    let start = network([1.0, 0.5]);
    let mut state = settings.begin(&start, above(&start)).expect("it remembers");
    let state = state.as_mut();
    state.begin_task(&start).expect("its own");
    // −g·Δθ: 2·0.5 and 1·0.25, then 1·0.25 and −1·0.5.
    let moved = step(state, &start, [-0.5, 0.25], [2.0, -1.0]);
    let moved = step(state, &moved, [-0.25, 0.5], [1.0, 1.0]);
    assert_eq!(remembered(state, "path"), [1.25, -0.25]);
    // Nothing is important before a task has ended.
    let mut gradients = gradient(&start, [0.5, 0.5]);
    let cost = state
        .of_parameters(&moved, &mut gradients)
        .expect("its own");
    assert_eq!((cost, gradients), (0.0, gradient(&start, [0.5, 0.5])));
    // (θ − θ*)² + ξ is 0.5625 + 0.4375 for both; the second has not lowered the loss.
    state.end_task(&moved).expect("its own");
    assert_eq!(remembered(state, "importance"), [1.25, 0.0]);
    assert_eq!(remembered(state, "anchor"), [0.25, 1.25]);
    assert_eq!(remembered(state, "path"), [0.0, 0.0]);

    // A second task: 3/2 · 1.25 · 0.5², and its derivative 3 · 1.25 · 0.5.
    state.begin_task(&moved).expect("its own");
    let moved = step(state, &moved, [0.5, -0.5], [-1.0, 4.0]);
    let mut gradients = gradient(&start, [1.0, 1.0]);
    let cost = state
        .of_parameters(&moved, &mut gradients)
        .expect("its own");
    assert_eq!(cost, 0.46875);
    assert_eq!(gradients, gradient(&start, [2.875, 1.0]));
    state.end_task(&moved).expect("its own");
    let gained = [0.5, 2.0].map(|path: f32| path / (0.25 + 0.4375));
    assert_eq!(
        remembered(state, "importance"),
        [1.25 + gained[0], gained[1]]
    );

    // The second number is drawn anew between tasks: it is another one.
    let drawn = with_readout(&moved, [0.75, -3.0]);
    state.begin_task(&drawn).expect("its own");
    assert_eq!(remembered(state, "importance"), [1.25 + gained[0], 0.0]);
    assert_eq!(remembered(state, "anchor"), [0.75, -3.0]);
    // Two numbers, three of each.
    assert_eq!(state.bytes(), 24);
}

#[test]
fn importance_is_cut_at_the_largest() {
    let settings = SynapticIntelligence {
        clip: Some(0.5),
        xi: 1.0,
        ..SynapticIntelligence::default()
    };
    let start = network([0.0, 0.0]);
    let mut state = settings.begin(&start, above(&start)).expect("it remembers");
    let state = state.as_mut();
    // 8/(1 + 1) and 0.5/(1 + 1).
    let moved = step(state, &start, [1.0, 1.0], [-8.0, -0.5]);
    state.end_task(&moved).expect("its own");
    assert_eq!(remembered(state, "importance"), [0.5, 0.25]);
}

#[test]
fn importance_before_the_first_task_is_that_of_what_was_learned() {
    let settings = SynapticIntelligence {
        strength: 3.0,
        clip: Some(0.5),
        fisher: 2.0,
        ..SynapticIntelligence::default()
    };
    let start = network([1.0, 0.5]);
    let mut state = settings.begin(&start, above(&start)).expect("it remembers");
    let state = state.as_mut();
    assert!(state.looks_back());
    let fisher = gradient(&start, [0.125, 7.0]);
    state.learned_before(&fisher).expect("its own");
    assert_eq!(remembered(state, "importance"), [0.25, 0.5]);
    // What is drawn anew was not learned.
    let drawn = with_readout(&start, [1.0, 0.25]);
    state.begin_task(&drawn).expect("its own");
    assert_eq!(remembered(state, "importance"), [0.25, 0.0]);
    let moved = step(state, &drawn, [0.5, 0.5], [0.0, 0.0]);
    let mut gradients = gradient(&start, [0.0, 0.0]);
    let cost = state
        .of_parameters(&moved, &mut gradients)
        .expect("its own");
    // 3/2 · 0.25 · 0.5².
    assert_eq!(cost, 0.09375);
    assert_eq!(gradients, gradient(&start, [0.375, 0.0]));

    let plain = SynapticIntelligence::default();
    let mut state = plain.begin(&start, above(&start)).expect("it remembers");
    assert!(!state.looks_back());
    let other = Gradients::zeros(&start, Stage::Whole);
    assert!(state.learned_before(&other).is_err());
    let bad = SynapticIntelligence {
        fisher: -1.0,
        ..settings
    };
    assert!(bad.check().is_err() && settings.check().is_ok());
}

fn examples() -> (SpikeCounts, SpikeCounts) {
    let noise = |by: usize| {
        let dense = Array2::from_shape_fn((100, 7), |(step, unit)| {
            u16::from((step * (unit + by)) % 5 == 1)
        });
        SpikeCounts::from_dense(dense.view()).expect("valid")
    };
    (noise(3), noise(4))
}

fn trainer(regulariser: Option<SynapticIntelligence>) -> Trainer {
    let mut settings = NetworkSpec::dequino2024().settings().clone();
    settings.layers = vec![LayerSettings::new(9, true).with_bias()];
    (settings.input.units, settings.readout.classes) = (7, 3);
    settings.init.weight_scale = 2.0;
    let network = Network::new(settings.check().expect("valid"), MasterSeed(1));
    new_trainer(network, regulariser)
}

fn new_trainer(network: Network, regulariser: Option<SynapticIntelligence>) -> Trainer {
    let losses = Losses::default();
    let losses = match regulariser {
        Some(regulariser) => losses.and(regulariser),
        None => losses,
    };
    let settings = TrainingSettings::default()
        .with_learning_rate(0.05)
        .with_optimiser(Sgd::default())
        .with_losses(losses);
    let seed = MasterSeed(1);
    let trainer = Trainer::new(network, Stage::Whole, settings, seed, Purpose::Shuffle);
    trainer.expect("valid")
}

fn train(trainer: &mut Trainer, counts: &SpikeCounts, class: u16, epochs: usize) {
    let examples = StoredExamples {
        samples: vec![(StageInput::counts(counts), ClassId(class))],
    };
    for _ in 0..epochs {
        trainer.epoch(&examples).expect("it fits");
    }
}

/// The squared distance of all parameters.
fn distance(one: &Network, other: &Network) -> f64 {
    let [one, other] = [one, other].map(|network| Gradients::of_parameters(network, Stage::Whole));
    let pairs = one.values().iter().zip(other.values());
    pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum()
}

#[test]
fn the_first_task_is_learned_as_without_and_the_second_stays_nearer_to_it() {
    let (first, second) = examples();
    let settings = SynapticIntelligence {
        strength: 4.0,
        ..SynapticIntelligence::default()
    };
    let [mut with, mut without] = [Some(settings), None].map(trainer);
    for trainer in [&mut with, &mut without] {
        trainer.begin_task(TaskFacts::default()).expect("its own");
        train(trainer, &first, 0, 5);
        trainer.end_task().expect("its own");
    }
    assert_eq!(with.network(), without.network());
    let after_first = with.network().clone();
    for trainer in [&mut with, &mut without] {
        trainer.begin_task(TaskFacts::default()).expect("its own");
        train(trainer, &second, 1, 5);
    }
    let [held, free] = [&with, &without].map(|one| distance(one.network(), &after_first));
    assert!(held < 0.9 * free, "{held} {free}");
}

#[test]
fn what_is_restored_goes_on_bit_for_bit_in_the_task_and_from_task_to_task() {
    let (first, second) = examples();
    let settings = Some(SynapticIntelligence::default());
    let mut whole = trainer(settings);
    train(&mut whole, &first, 0, 3);
    whole.end_task().expect("its own");
    let facts = TaskFacts::new([ClassId(0)], [ClassId(1)]);
    whole.begin_task(facts.clone()).expect("its own");
    train(&mut whole, &second, 1, 2);
    // In the midst of a task.
    let state: TrainerState = whole.state();
    let mut resumed = Trainer::resume(whole.network().clone(), state).expect("its own");
    for trainer in [&mut whole, &mut resumed] {
        train(trainer, &second, 1, 2);
        trainer.end_task().expect("its own");
    }
    assert_eq!(resumed.network(), whole.network());
    assert_eq!(resumed.state(), whole.state());
    // From one trainer to the next, by value and by tensors.
    let (network, states) = whole.into_parts();
    let by_value = new_trainer(network.clone(), settings).with_regulariser_states(&states);
    let mut by_value = by_value.expect("its own");
    let losses = &by_value.state().settings.losses;
    let mut read = super::super::RegulariserStates::begin(losses, &network, Stage::Whole);
    read.restore(&states.tensors()).expect("just written");
    assert_eq!(read.tensors(), states.tensors());
    assert_eq!(read.bytes(), 3 * 4 * network.parameters().count() as u64);
    let by_tensors = new_trainer(network.clone(), settings).with_regulariser_states(&read);
    let mut by_tensors = by_tensors.expect("its own");
    let mut afresh = new_trainer(network, settings);
    for trainer in [&mut by_value, &mut by_tensors, &mut afresh] {
        trainer.begin_task(facts.clone()).expect("its own");
        train(trainer, &first, 2, 3);
    }
    assert_eq!(by_value.state(), by_tensors.state());
    assert_eq!(by_value.network(), by_tensors.network());
    assert_ne!(by_value.network(), afresh.network());
}

#[test]
fn states_of_other_trainings_are_refused() {
    let settings = Some(SynapticIntelligence::default());
    let of = |trainer: &Trainer| trainer.regulariser_states().tensors();
    let trainer = trainer(settings);
    let refuse = |tensors: BTreeMap<String, Tensor>| {
        let mut state = trainer.state();
        state.remembered = tensors;
        let refused = Trainer::resume(trainer.network().clone(), state).expect_err("other");
        refused.to_string()
    };
    let changed = |key: &str, to: Option<Tensor>| {
        let mut tensors = of(&trainer);
        let key = format!("synaptic-intelligence.0.{key}");
        match to {
            Some(tensor) => tensors.insert(key, tensor),
            None => tensors.remove(&key),
        };
        refuse(tensors)
    };
    let one = |value: f32| Some(Tensor::F32(Array2::from_elem((9, 3), value).into_dyn()));
    assert!(changed("path.w_out", None).contains("`path.w_out` is missing"));
    assert!(changed("path.w_out", one(f32::NAN)).contains("can't"));
    assert!(changed("importance.w_out", one(-1.0)).contains("can't"));
    assert!(changed("path.w1", one(1.0)).contains("shape"));
    assert!(changed("path.w9", one(1.0)).contains("nothing called `path.w9`"));
    assert!(changed("path.w1", Some(Tensor::U16(vec![1]))).contains("no array"));
    let mut tensors = of(&trainer);
    tensors.insert("other.0.path.w1".to_string(), Tensor::U16(Vec::new()));
    assert!(refuse(tensors).contains("of no regulariser"));
    let plain = new_trainer(trainer.network().clone(), None);
    let states = trainer.regulariser_states();
    plain
        .with_regulariser_states(states)
        .expect_err("nothing remembers");
}

#[test]
fn what_is_frozen_later_is_left_out_and_what_is_trained_later_begins_anew() {
    let (first, _) = examples();
    let mut whole = trainer(Some(SynapticIntelligence::default()));
    train(&mut whole, &first, 0, 3);
    whole.end_task().expect("its own");
    let network = whole.network().clone();
    let losses = Losses::default().and(SynapticIntelligence::default());
    let begin = |stage| super::super::RegulariserStates::begin(&losses, &network, stage);
    let mut upper = begin(above(&network));
    let all = whole.regulariser_states().tensors();
    upper.restore(&all).expect("of the same network");
    let kept = upper.tensors();
    assert_eq!(kept.len(), 3);
    assert!(kept.iter().all(|(name, tensor)| all[name] == *tensor));
    let mut again = begin(Stage::Whole);
    let fresh = again.tensors();
    again.restore(&kept).expect("of the same network");
    for (name, tensor) in again.tensors() {
        let expected = kept.get(&name).unwrap_or(&fresh[&name]);
        assert_eq!(tensor, *expected, "{name}");
    }
}
