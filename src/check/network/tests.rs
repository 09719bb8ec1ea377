//! Every neuron under every surrogate with every readout and every reset, in one network after the other.

use std::collections::BTreeSet;

use ndarray::{Array2, Array3};

use rand::Rng;

use super::*;
use crate::ids::ClassId;
use crate::network::{LayerSettings, NetworkSettings, NetworkSpec, NeuronSettings, Reach};
use crate::neuron::{
    AdLifSettings, AlifSettings, CubaLifSettings, LearnedRange, LifSettings, NeuronModel,
    ResetSettings,
};
use crate::readout::{AccumulateReadout, LeakySettings, OverTime, ReadoutModel, SpikeCountReadout};
use crate::registry::{Member, Registry};
use crate::spikes::SpikeCounts;
use crate::surrogate::{
    Arctan, Boxcar, CutFastSigmoid, Exponential, FastSigmoid, Sigmoid, SurrogateSettings, Triangle,
};
use crate::train::{
    BlockLoss, CrossEntropy, DerPlusPlus, ErAce, LearningWithoutForgetting, LossBalancing,
    MeanSquare, Objective, ObjectiveSettings, SpikePenalty, StoredExamples, TrainError,
};

fn neurons() -> Vec<NeuronModel> {
    let range = |min, max, shared| {
        Some(LearnedRange {
            min,
            max,
            shared,
            drawn: false,
        })
    };
    let lif = |reset| LifSettings {
        learn_tau_mem_steps: range(5.0, 25.0, false),
        learn_threshold: range(0.2, 0.9, true),
        ..LifSettings::new(10.0, 0.4, reset)
    };
    let cuba = CubaLifSettings {
        learn_tau_syn_steps: range(2.0, 10.0, true),
        learn_tau_mem_steps: range(5.0, 25.0, false),
        learn_threshold: range(0.5, 1.5, false),
        ..CubaLifSettings::new(5.0, 10.0, 1.0)
    };
    vec![
        cuba.into(),
        lif(ResetSettings::ToZero).into(),
        lif(ResetSettings::Subtract).into(),
        lif(ResetSettings::SubtractDetached).into(),
        AdLifSettings::default().into(),
        AlifSettings {
            learn_tau_mem_steps: range(5.0, 25.0, false),
            learn_tau_adaptation_steps: range(10.0, 90.0, true),
            ..AlifSettings::new(10.0, 30.0, 0.4, 0.8)
        }
        .into(),
    ]
}

fn surrogates() -> Vec<SurrogateSettings> {
    let (slope, scale) = (3.0, 1.0);
    vec![
        FastSigmoid { slope }.into(),
        Boxcar { half_width: 0.73 }.into(),
        Arctan { slope: 2.0 }.into(),
        Exponential { scale, slope }.into(),
        Triangle { half_width: 0.83 }.into(),
        Sigmoid { slope }.into(),
        CutFastSigmoid {
            slope,
            half_width: 0.71,
        }
        .into(),
    ]
}

fn readouts() -> Vec<ReadoutModel> {
    let leaky = |tau_syn_steps, over_time, skip_steps| LeakySettings {
        tau_syn_steps,
        tau_mem_steps: 7.0,
        over_time,
        skip_steps,
    };
    vec![
        leaky(Some(5.0), OverTime::Max, 0).into(),
        leaky(Some(5.0), OverTime::Sum, 0).into(),
        leaky(None, OverTime::Last, 0).into(),
        leaky(None, OverTime::Max, 0).into(),
        leaky(Some(3.0), OverTime::SumOfSoftmax, 4).into(),
        AccumulateReadout {}.into(),
        SpikeCountReadout {}.into(),
    ]
}

fn settings() -> NetworkSettings {
    let mut settings = NetworkSpec::dequino2024().settings().clone();
    settings.input.units = 6;
    settings.init.weight_scale = 1.5;
    settings.readout.classes = 3;
    settings.layers = vec![
        LayerSettings {
            bias: true,
            ..LayerSettings::new(5, true)
        },
        LayerSettings {
            delay_steps: vec![0, 3, 1, 50, 2],
            ..LayerSettings::new(3, false)
        },
    ];
    settings
}

/// Samples of different lengths.
fn samples() -> Vec<SpikeCounts> {
    let mut noise = MasterSeed(9).stream(Purpose::Shuffle);
    let samples = [25, 11].map(|steps| {
        let dense = Array2::from_shape_fn((steps, 6), |_| {
            u16::from(noise.random_bool(0.4)) * noise.random_range(1..4)
        });
        SpikeCounts::from_dense(dense.view()).expect("valid")
    });
    samples.into()
}

fn check(network: &Network, stage: Stage, losses: &Losses) -> Result<(), CheckError> {
    let samples = samples();
    let latents: Vec<StageInput<'_>> = match stage {
        Stage::Whole => samples.iter().map(StageInput::counts).collect(),
        Stage::Learning(index) => samples
            .iter()
            .map(|counts| network.latent(index, counts).expect("it fits").into())
            .collect(),
    };
    let labelled = latents.into_iter().zip([ClassId(2), ClassId(0)]);
    let examples = StoredExamples {
        samples: labelled.collect(),
    };
    gradients(network, stage, &examples, losses, MasterSeed(2))
}

/// Whoever adds a member of ours adds it to the lists above.
#[test]
fn all_of_ours_are_checked() {
    let ours = Registry::builtin();
    let of = |kinds: Vec<&'static str>| kinds.into_iter().collect::<BTreeSet<_>>();
    let known = |kinds: &mut dyn Iterator<Item = (&'static str, &'static str)>| {
        kinds.map(|(kind, _)| kind).collect::<BTreeSet<_>>()
    };
    let neurons = neurons().iter().map(NeuronModel::kind).collect();
    assert_eq!(of(neurons), known(&mut ours.neurons()));
    let surrogates = surrogates().iter().map(SurrogateSettings::kind).collect();
    assert_eq!(of(surrogates), known(&mut ours.surrogates()));
    let readouts = readouts().iter().map(ReadoutModel::kind).collect();
    assert_eq!(of(readouts), known(&mut ours.readouts()));
    let objectives = objectives().iter().map(ObjectiveSettings::kind).collect();
    assert_eq!(of(objectives), known(&mut ours.objectives()));
}

fn objectives() -> Vec<ObjectiveSettings> {
    let counts = MeanSquare {
        of_class: 4.0,
        of_others: 0.5,
    };
    vec![
        CrossEntropy::default().into(),
        counts.into(),
        LossBalancing::default().into(),
        ErAce::default().into(),
        DerPlusPlus::default().into(),
        LearningWithoutForgetting::default().into(),
    ]
}

#[test]
fn every_objective_has_them_too() {
    for objective in objectives() {
        for readout in readouts() {
            let mut settings = settings();
            settings.neuron = NeuronSettings::new(neurons()[0].clone(), Arctan { slope: 2.0 });
            settings.readout.model = readout;
            let network = Network::new(settings.check().expect("valid"), MasterSeed(6));
            let checked = check(&network, Stage::Whole, &objective.clone().into());
            checked.unwrap_or_else(|wrong| panic!("{objective:?}: {wrong}"));
        }
    }
}

#[test]
fn every_combination_has_the_gradients_of_finite_differences() {
    let losses = Losses::default().and(SpikePenalty { l1: 0.1, l2: 0.2 });
    let mut seeds = 0..;
    for neuron in neurons() {
        for surrogate in surrogates() {
            for readout in readouts() {
                let mut settings = settings();
                settings.neuron = NeuronSettings::new(neuron.clone(), surrogate.clone());
                settings.readout.model = readout;
                if neuron.kind() != "cuba-lif" {
                    settings.init.weight_scale = 6.0;
                }
                let what = format!("{:?} {:?}", settings.neuron, settings.readout);
                let seed = MasterSeed(seeds.next().expect("endless"));
                let network = Network::new(settings.check().expect("valid"), seed);
                let checked = check(&network, Stage::Whole, &losses);
                checked.unwrap_or_else(|wrong| panic!("{what}: {wrong}"));
            }
        }
    }
}

#[test]
fn stages_and_networks_without_layers_have_them_too() {
    let losses = Losses::default();
    let network = Network::new(settings().check().expect("valid"), MasterSeed(4));
    for index in 0..=2 {
        let index = network.spec().replay_layer(index).expect("two layers");
        let checked = check(&network, Stage::Learning(index), &losses);
        checked.unwrap_or_else(|wrong| panic!("{index}: {wrong}"));
    }
    for readout in readouts().iter().filter(|readout| readout.has_weights()) {
        let mut settings = settings();
        settings.layers.clear();
        settings.readout.model = readout.clone();
        let network = Network::new(settings.check().expect("valid"), MasterSeed(4));
        let checked = check(&network, Stage::Whole, &losses);
        checked.unwrap_or_else(|wrong| panic!("{readout:?}: {wrong}"));
    }
}

/// A loss on everything that there is, in single steps.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct OnEverything {
    /// What its errors are too large by.
    wrong: f64,
}

impl Member for OnEverything {
    const KIND: &'static str = "on-everything";
    const ABOUT: &'static str = "for tests";
}

impl Objective for OnEverything {
    fn reach(&self) -> Reach {
        Reach::EveryStep
    }

    /// Σ w·x²/2 over all that happened, with w from place to place another.
    fn of_block(&self, block: &Block<'_>) -> Result<BlockLoss, TrainError> {
        let mut loss_sum = 0.0;
        let factor = (1.0 + self.wrong) / block.batch_size as f64;
        let mut squares = |values: Array3<f64>| {
            Array3::from_shape_fn(values.dim(), |at| {
                let weight = 0.1 * ((at.0 + 3 * at.1 + 5 * at.2) as f64).sin();
                loss_sum += weight * values[at].powi(2) / 2.0;
                weight * values[at] * factor
            })
        };
        let activity = block.activity;
        let mut errors = Errors::none().and_readout(squares(activity.readout()));
        for layer in 0..activity.layers() {
            errors = errors
                .and_spikes(layer, squares(activity.spikes(layer)))
                .and_membrane(layer, squares(activity.membrane(layer)?));
        }
        // Logits, too, which are made of the readout.
        let logits = activity.logits();
        let both = Errors::of_logits(logits.mapv(|logit| 1e-3 * logit * factor)).and(errors);
        loss_sum += logits.mapv(|logit| 1e-3 * logit * logit / 2.0).sum();
        Ok(BlockLoss {
            loss_sum,
            errors: both,
        })
    }
}

#[test]
fn errors_of_single_steps_go_back_too() {
    for neuron in neurons() {
        for readout in readouts() {
            let mut settings = settings();
            settings.init.weight_scale = 4.0;
            settings.neuron = NeuronSettings::new(neuron.clone(), Arctan { slope: 2.0 });
            settings.readout.model = readout;
            let what = format!("{:?} {:?}", settings.neuron, settings.readout);
            let network = Network::new(settings.check().expect("valid"), MasterSeed(1));
            let right = check(&network, Stage::Whole, &OnEverything { wrong: 0.0 }.into());
            right.unwrap_or_else(|wrong| panic!("{what}: {wrong}"));
            let wrong = check(&network, Stage::Whole, &OnEverything { wrong: 1e-3 }.into());
            assert!(
                matches!(wrong, Err(CheckError::Wrong(_))),
                "{what}: {wrong:?}"
            );
        }
    }
}
