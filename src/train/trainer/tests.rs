use super::*;
use rand::Rng;

use crate::ids::{ClassId, TimeStep, Unit};
use crate::network::{Gradients, LayerSettings, NetworkSettings, NetworkSpec, StageInput};
use crate::readout::{LeakySettings, OverTime};
use crate::spikes::SpikeCounts;
use crate::spikes::SpikeRaster;
use crate::train::{
    Balance, CrossEntropy, DerPlusPlus, ErAce, JoinedExamples, LearningWithoutForgetting,
    LossBalancing, Losses, Replayed, StoredExamples, WithPastLogits, batch_gradient, evaluate,
};

#[test]
fn samples_of_unequal_length_train_together_as_each_does_alone() {
    let mut noise = MasterSeed(3).stream(Purpose::Shuffle);
    let mut settings = NetworkSpec::dequino2024().settings().clone();
    settings.init.weight_scale = 2.0;
    for change in CHANGES {
        let mut settings = settings.clone();
        change(&mut settings);
        let spec = settings.check().expect("valid");
        let lengths = [
            20, 33, 1, 64, 20, 7, 41, 12, 5, 60, 2, 3, 30, 25, 28, 19, 50, 40,
        ];
        let rasters = lengths.map(|steps| {
            let mut raster = SpikeRaster::new(steps, 200).expect("valid");
            for step in 0..steps {
                for unit in 0..200 {
                    if noise.random_bool(0.1) {
                        raster.set(TimeStep(step), Unit(unit));
                    }
                }
            }
            raster
        });
        let labelled = rasters.iter().enumerate();
        let samples =
            labelled.map(|(class, raster)| (StageInput::spikes(raster), ClassId(class as u16)));
        let examples = StoredExamples {
            samples: samples.collect(),
        };
        let stage = Stage::Learning(spec.replay_layer(1).expect("three layers"));
        let network = Network::new(spec, MasterSeed(1));
        let losses = Losses::default();
        let gradient = |batch: &[usize]| {
            let found = batch_gradient(&network, stage, &examples, batch, &losses);
            found.expect("they fit")
        };
        let all: Vec<usize> = (0..lengths.len()).collect();
        let together = gradient(&all);
        let mut sum = Gradients::zeros(&network, stage);
        let mut loss_sum = 0.0;
        for &sample in &all {
            let alone = gradient(&[sample]);
            loss_sum += alone.loss_sum;
            sum.add(&alone.gradients).expect("of the same stage");
        }
        sum.scale(1.0 / all.len() as f32);
        assert!((together.loss_sum - loss_sum).abs() < 1e-6 * loss_sum);
        for (name, alone) in sum.iter() {
            let together = together.gradients.get(name).expect("of the same stage");
            let largest = alone
                .iter()
                .fold(0.0f32, |most, value| most.max(value.abs()));
            assert!(largest > 0.0, "{name}");
            for (together, alone) in together.iter().zip(alone) {
                assert!((together - alone).abs() <= 1e-5 * largest, "{name}");
            }
        }
        // Alone or together, no logit differs in a bit.
        let logits = evaluate(&network, stage, &examples)
            .expect("they fit")
            .logits;
        for &sample in &all {
            let alone = network.logits(stage, &examples.samples[sample].0);
            assert_eq!(logits.row(sample).to_vec(), alone.expect("it fits"));
        }
    }
}

/// Readouts that look at the end of a sample, in all ways that there are, and delays.
const CHANGES: [fn(&mut NetworkSettings); 4] = [
    |_| {},
    |settings| read_by(settings, OverTime::Last),
    |settings| read_by(settings, OverTime::SumOfSoftmax),
    |settings| settings.layers[1].delay_steps = (0..200).map(|unit| unit % 9).collect(),
];

fn read_by(settings: &mut NetworkSettings, over_time: OverTime) {
    let readout = LeakySettings {
        over_time,
        ..LeakySettings::DEQUINO2024
    };
    settings.readout.model = readout.into();
}

#[test]
fn an_empty_batch_is_refused_before_anything_is_trained_on() {
    let spec = NetworkSpec::dequino2024();
    let raster = SpikeRaster::new(20, 50).expect("valid");
    let examples = StoredExamples {
        samples: vec![(StageInput::spikes(&raster), ClassId(0))],
    };
    let stage = Stage::Learning(spec.replay_layer(3).expect("three layers"));
    let (seed, settings) = (MasterSeed(1), TrainingSettings::default());
    let network = Network::new(spec, seed);
    let trainer = Trainer::new(network.clone(), stage, settings, seed, Purpose::Shuffle);
    let mut trainer = trainer.expect("valid");
    let empty = trainer.epoch_of_batches(&examples, &[&[0], &[]]);
    assert!(matches!(empty, Err(TrainError::NoSamples(_))));
    assert_eq!(*trainer.network(), network, "nothing was trained on");
}

/// One task after another, of which replays enter above the first layer, by a trainer alone.
fn second_task(losses: Losses, threads: usize) -> (Network, EpochFigures) {
    let mut settings = NetworkSpec::dequino2024().settings().clone();
    (settings.input.units, settings.readout.classes) = (30, 4);
    settings.layers = [20, 10].map(|units| LayerSettings::new(units, true)).into();
    settings.init.weight_scale = 3.0;
    let seed = MasterSeed(1);
    let network = Network::new(settings.check().expect("valid"), seed);
    let mut noise = seed.stream(Purpose::Augment);
    let mut sample = |class: usize| {
        let dense = ndarray::Array2::from_shape_fn((40, 30), |(_, unit)| {
            u16::from(unit % 4 == class && noise.random_bool(0.3))
        });
        SpikeCounts::from_dense(dense.view()).expect("valid")
    };
    let counts: Vec<SpikeCounts> = (0..60).map(|place| sample(place % 4)).collect();
    let stage = Stage::Learning(network.spec().replay_layer(1).expect("two layers"));
    let labelled = |input: &dyn Fn(usize) -> StageInput<'static>, classes: [usize; 2]| {
        let samples = (0..60).filter(|place| classes.contains(&(place % 4)));
        let samples = samples.map(|place| (input(place), ClassId((place % 4) as u16)));
        StoredExamples {
            samples: samples.collect(),
        }
    };
    let raw = |place: usize| StageInput::Counts(std::borrow::Cow::Owned(counts[place].clone()));
    let Stage::Learning(index) = stage else {
        panic!("a part of the network");
    };
    let latent = |place: usize| {
        network
            .latent(index, &counts[place])
            .expect("it fits")
            .into()
    };
    let (new, old) = (labelled(&raw, [2, 3]), labelled(&latent, [0, 1]));
    let new = WithPastLogits::of(&network, Stage::Whole, &new).expect("they fit");
    let old = WithPastLogits::of(&network, stage, &old).expect("they fit");
    let old = Replayed::new(&old).entering(stage).of_task(0);
    let joined = JoinedExamples::new(vec![&new, &old]);
    let settings = TrainingSettings::default().with_losses(losses);
    let trainer = Trainer::new(
        network.clone(),
        Stage::Whole,
        settings,
        seed,
        Purpose::Shuffle,
    );
    let mut trainer = trainer.expect("valid");
    let facts = TaskFacts::new([ClassId(0), ClassId(1)], [ClassId(2), ClassId(3)]);
    let mixing = Mixing::default()
        .with_per_batch(7, 18)
        .with_balance(Balance::Class);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    let figures = pool.build().expect("a few threads").install(|| {
        trainer.begin_task(facts).expect("its own");
        trainer.epoch_mixed(&joined, &mixing).expect("they fit");
        trainer.epoch_mixed(&joined, &mixing).expect("they fit")
    });
    (trainer.into_network(), figures)
}

#[test]
fn objectives_see_the_task_origins_and_past_logits_through_a_trainer() {
    let objectives: [Losses; 5] = [
        CrossEntropy::default().into(),
        LossBalancing::default().into(),
        ErAce::default().into(),
        DerPlusPlus::default().into(),
        LearningWithoutForgetting::default().into(),
    ];
    let trained = objectives.map(|losses| {
        let (one, figures) = second_task(losses.clone(), 1);
        assert_eq!(second_task(losses, 3), (one.clone(), figures.clone()));
        // 30 new samples in batches of 7, and 18 replays to each 7.
        assert_eq!(figures.samples, 4 * (7 + 18) + 2 + 6);
        one
    });
    for (place, one) in trained.iter().enumerate() {
        let others = &trained[place + 1..];
        assert!(others.iter().all(|other| one != other), "objective {place}");
    }
}

#[test]
fn an_epoch_is_one_mixed_by_nothing_and_numbers_that_make_no_batch_are_refused() {
    let spec = NetworkSpec::dequino2024();
    let rasters = [1, 5, 9].map(|every| {
        let mut raster = SpikeRaster::new(20, 50).expect("valid");
        (0..20).for_each(|step| raster.set(TimeStep(step), Unit(step * every % 50)));
        raster
    });
    let samples = rasters.iter().enumerate();
    let samples =
        samples.map(|(class, raster)| (StageInput::spikes(raster), ClassId(class as u16)));
    let examples = StoredExamples {
        samples: samples.collect(),
    };
    let stage = Stage::Learning(spec.replay_layer(3).expect("three layers"));
    let network = Network::new(spec, MasterSeed(1));
    let trainer = || {
        let settings = TrainingSettings::default().with_batch_size(2);
        let trainer = Trainer::new(
            network.clone(),
            stage,
            settings,
            MasterSeed(1),
            Purpose::Shuffle,
        );
        trainer.expect("valid")
    };
    let [mut plain, mut mixed] = [trainer(), trainer()];
    for _ in 0..3 {
        let expected = plain.epoch(&examples).expect("they fit");
        let found = mixed.epoch_mixed(&examples, &Mixing::default());
        assert_eq!(found.expect("they fit"), expected);
    }
    assert_eq!(mixed.state(), plain.state());
    assert_eq!(mixed.network(), plain.network());
    let nothing = Mixing::default().with_per_batch(0, 3);
    let refused = mixed.epoch_mixed(&examples, &nothing);
    assert!(matches!(refused, Err(TrainError::BadSetting(_))));
}

#[test]
fn past_logits_that_are_none_of_the_network_are_refused() {
    let spec = NetworkSpec::dequino2024();
    let raster = SpikeRaster::new(20, 50).expect("valid");
    let examples = StoredExamples {
        samples: vec![(StageInput::spikes(&raster), ClassId(0))],
    };
    let stage = Stage::Learning(spec.replay_layer(3).expect("three layers"));
    let network = Network::new(spec, MasterSeed(1));
    for (logits, said) in [
        (vec![0.0; 21], "there are 21 for 20 classes"),
        (vec![], "there are 0 for 20 classes"),
        (vec![f32::NAN; 20], "no finite numbers"),
    ] {
        let told = WithPastLogits::new(&examples, [logits.into()]).expect("one for each");
        let refused = batch_gradient(&network, stage, &told, &[0], &Losses::default());
        let refused = refused.expect_err("none of the network").to_string();
        assert!(refused.contains(said), "{refused}");
    }
    let refused = WithPastLogits::new(&examples, [])
        .err()
        .expect("none for it");
    assert!(refused.to_string().contains("those of 0 samples for 1"));
}
