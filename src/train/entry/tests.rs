use rand::Rng;

use crate::ids::ClassId;
use crate::network::{Gradients, LayerSettings, Network, NetworkSpec, Stage, StageInput};
use crate::random::{MasterSeed, Purpose};
use crate::spikes::SpikeCounts;
use crate::train::{
    BatchGradient, JoinedExamples, Losses, Replayed, StoredExamples, TrainError, Trainer,
    TrainingSettings, batch_gradient,
};

const STEPS: usize = 40;
const INPUTS: usize = 30;

fn network() -> Network {
    let mut settings = NetworkSpec::dequino2024().settings().clone();
    (settings.input.units, settings.input.steps) = (INPUTS, STEPS);
    settings.readout.classes = 5;
    settings.init.weight_scale = 3.0;
    settings.layers = [17, 12, 9]
        .map(|units| LayerSettings::new(units, true).with_bias())
        .into();
    Network::new(settings.check().expect("valid"), MasterSeed(1))
}

fn samples(count: usize) -> Vec<SpikeCounts> {
    let mut noise = MasterSeed(3).stream(Purpose::Shuffle);
    let sample = |_| {
        let dense =
            ndarray::Array2::from_shape_fn((STEPS, INPUTS), |_| u16::from(noise.random_bool(0.15)));
        SpikeCounts::from_dense(dense.view()).expect("valid")
    };
    (0..count).map(sample).collect()
}

fn class_of(sample: usize) -> ClassId {
    ClassId((sample % 5) as u16)
}

fn raw(samples: &[SpikeCounts]) -> StoredExamples<'_> {
    let labelled = samples.iter().enumerate();
    let labelled = labelled.map(|(place, counts)| (StageInput::counts(counts), class_of(place)));
    StoredExamples {
        samples: labelled.collect(),
    }
}

/// The same as the learning stage at an LR index reads them.
fn latents(network: &Network, samples: &[SpikeCounts], stage: Stage) -> StoredExamples<'static> {
    let Stage::Learning(index) = stage else {
        panic!("no LR index");
    };
    let labelled = samples.iter().enumerate().map(|(place, counts)| {
        let latent = network.latent(index, counts).expect("it fits");
        (latent.into(), class_of(place))
    });
    StoredExamples {
        samples: labelled.collect(),
    }
}

fn stages(network: &Network) -> Vec<Stage> {
    let index = |index| network.spec().replay_layer(index).expect("three layers");
    (0..=3).map(|lr| Stage::Learning(index(lr))).collect()
}

/// How far gradients are apart, of the largest entry of each parameter that both have.
fn apart(found: &Gradients, expected: &Gradients) -> f32 {
    let mut worst = 0.0f32;
    for (name, expected) in expected.iter() {
        let found = found.get(name).expect("the stage trains it");
        let largest = expected
            .iter()
            .fold(0.0f32, |most, one| most.max(one.abs()));
        assert!(largest > 0.0, "{name}");
        for (found, expected) in found.iter().zip(&expected) {
            worst = worst.max((found - expected).abs() / largest);
        }
    }
    worst
}

fn all(count: usize) -> Vec<usize> {
    (0..count).collect()
}

#[test]
fn latents_teach_what_lies_above_them_as_raw_samples_do_and_nothing_below() {
    let (network, losses) = (network(), Losses::default());
    let samples = samples(45);
    let everything = raw(&samples);
    let found = batch_gradient(&network, Stage::Whole, &everything, &all(45), &losses);
    let of_raw = found.expect("they fit");
    for stage in stages(&network) {
        let latents = latents(&network, &samples, stage);
        let replays = Replayed::new(&latents).entering(stage);
        let joined = JoinedExamples::new(vec![&everything, &replays]);
        // Samples that take turns in how they enter: 23 raw and 22 latents.
        let batch: Vec<usize> = (0..45).map(|sample| sample + sample % 2 * 45).collect();
        let mixed = batch_gradient(&network, Stage::Whole, &joined, &batch, &losses);
        let mixed = mixed.expect("they fit");
        assert!((mixed.loss_sum - of_raw.loss_sum).abs() < 1e-5 * of_raw.loss_sum);
        assert_eq!(mixed.correct, of_raw.correct);
        let [even, odd] = [0, 1].map(|start| (start..45).step_by(2).collect::<Vec<usize>>());
        let parts = |stage, examples, batch: &[usize]| {
            let part: BatchGradient =
                batch_gradient(&network, stage, examples, batch, &losses).expect("they fit");
            let mut part = part.gradients;
            part.scale(batch.len() as f32 / 45.0);
            part
        };
        let mut sum = parts(Stage::Whole, &everything, &even);
        let mut above = parts(stage, &latents, &odd);
        let below = sum.clone();
        sum.add_all(std::slice::from_ref(&above));
        assert!(apart(&mixed.gradients, &sum) < 1e-5, "{stage}");
        for (name, gradient) in mixed.gradients.iter() {
            let expected = match stage.trains(name) {
                true => of_raw.gradients.get(name),
                false => below.get(name),
            };
            let expected = expected.expect("the whole network is trained");
            let largest = expected
                .iter()
                .fold(0.0f32, |most, one| most.max(one.abs()));
            for (found, expected) in gradient.iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-5 * largest, "{stage} {name}");
            }
        }
        // All of them latents: what lies below learns nothing.
        let old = batch_gradient(
            &network,
            Stage::Whole,
            &joined,
            &(45..90).collect::<Vec<_>>(),
            &losses,
        );
        let old = old.expect("they fit").gradients;
        above = parts(stage, &latents, &all(45));
        assert!(apart(&old, &above) < 1e-5, "{stage}");
        let untaught = old.iter().filter(|(name, _)| !stage.trains(*name));
        for (name, gradient) in untaught {
            assert!(gradient.iter().all(|one| *one == 0.0), "{stage} {name}");
        }
    }
}

#[test]
fn neither_threads_nor_earlier_batches_change_a_bit_of_mixed_ones() {
    let network = network();
    let samples = samples(40);
    let everything = raw(&samples);
    let stages = stages(&network);
    let [low, high] = [stages[0], stages[2]].map(|stage| latents(&network, &samples, stage));
    let [low, high] = [(&low, stages[0]), (&high, stages[2])]
        .map(|(latents, stage)| Replayed::new(latents).entering(stage));
    let joined = JoinedExamples::new(vec![&everything, &low, &high]);
    let batches: Vec<Vec<usize>> = vec![
        (0..120).step_by(3).collect(),
        (80..120).collect(),
        (0..80).step_by(5).collect(),
        (0..40).collect(),
    ];
    let batches: Vec<&[usize]> = batches.iter().map(Vec::as_slice).collect();
    let train = |threads, epochs: &[&[&[usize]]]| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("a few threads").install(|| {
            let (settings, seed) = (TrainingSettings::default(), MasterSeed(1));
            let whole = Trainer::new(
                network.clone(),
                Stage::Whole,
                settings,
                seed,
                Purpose::Shuffle,
            );
            let mut trainer = whole.expect("valid");
            let epochs = epochs.iter();
            let figures = epochs.map(|batches| trainer.epoch_of_batches(&joined, batches));
            let figures = figures.collect::<Result<Vec<_>, _>>().expect("they fit");
            (trainer.into_network(), figures)
        })
    };
    let (one, figures) = train(1, &[&batches]);
    assert_eq!(train(3, &[&batches]), (one.clone(), figures.clone()));
    // A trainer of its own for each batch would be another optimiser's; one epoch a batch is not.
    let singly: Vec<&[&[usize]]> = batches.chunks(1).collect();
    assert_eq!(train(2, &singly).0, one);

    // Replays don't make layers look silent that they never ran through: batch 3 is raw samples alone.
    let (_, mixed) = train(1, &[&[&[0, 1, 2, 3, 80, 81, 82]]]);
    let (_, plain) = train(1, &[&[&[0, 1, 2, 3]]]);
    assert_eq!(
        mixed[0].layers[0].spikes_per_step,
        plain[0].layers[0].spikes_per_step
    );
    assert_ne!(
        mixed[0].layers[2].spikes_per_step,
        plain[0].layers[2].spikes_per_step
    );
}

#[test]
fn what_enters_below_what_is_trained_is_refused() {
    let network = network();
    let samples = samples(2);
    let stages = stages(&network);
    let above = latents(&network, &samples, stages[2]);
    for stage in [Stage::Whole, stages[0], stages[1]] {
        let replays = Replayed::new(&above).entering(stage);
        let refused = batch_gradient(&network, stages[2], &replays, &[0], &Losses::default());
        assert!(matches!(
            refused,
            Err(TrainError::EntersBelow { sample: 0, .. })
        ));
        let (settings, seed) = (TrainingSettings::default(), MasterSeed(1));
        let trainer = Trainer::new(network.clone(), stages[2], settings, seed, Purpose::Shuffle);
        let mut trainer = trainer.expect("valid");
        let refused = trainer
            .epoch(&replays)
            .expect_err("nothing below is trained");
        let said = refused.to_string();
        assert!(said.contains("reaches below what is trained, the learning stage at LR index 2"));
        assert_eq!(*trainer.network(), network);
    }
}
