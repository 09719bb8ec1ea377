use super::*;
use rand::Rng;

use crate::ids::{ClassId, TimeStep, Unit};
use crate::network::{Gradients, NetworkSettings, NetworkSpec, StageInput};
use crate::readout::{LeakySettings, OverTime};
use crate::spikes::SpikeRaster;
use crate::train::{Losses, StoredExamples, batch_gradient, evaluate};

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
