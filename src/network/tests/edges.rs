//! The smallest and the largest that specs can say.

use super::*;
use crate::ids::ClassId;
use crate::network::{ParameterName, SpecError};
use crate::readout::SpikeCountReadout;
use crate::train::{Losses, Optimiser, Sgd, StoredExamples, batch_gradient};

/// Gradients of samples of noise, each parameter of which has some that are not 0.
fn gradients_of(network: &Network) -> Gradients {
    let samples = samples();
    let labels = (0..).map(|sample| ClassId(sample % CLASSES as u16));
    let labelled = samples.iter().map(StageInput::counts).zip(labels);
    let examples = StoredExamples {
        samples: labelled.collect(),
    };
    let all: Vec<usize> = (0..samples.len()).collect();
    let found = batch_gradient(network, Stage::Whole, &examples, &all, &Losses::default());
    let found = found.expect("they fit").gradients;
    for (name, gradient) in found.iter() {
        assert!(gradient.iter().all(|error| error.is_finite()), "{name}");
        assert!(gradient.iter().any(|&error| error != 0.0), "{name}");
    }
    found
}

#[test]
fn sixteen_layers_run_and_seventeen_are_refused() {
    let deep = network_of(neuron(), |settings| {
        settings.layers = vec![LayerSettings::new(20, true); 16];
        settings.init.weight_scale = 1.5;
    });
    gradients_of(&deep);
    let mut settings = deep.spec().settings().clone();
    settings.layers.push(LayerSettings::new(20, true));
    let refused = settings.check().expect_err("too deep").to_string();
    assert_eq!(refused, "the number of layers must be 1 to 16, not 17");
}

fn neuron() -> NeuronSettings {
    NeuronSettings::new(
        CubaLifSettings::new(5.0, 10.0, 1.0),
        FastSigmoid { slope: 5.0 },
    )
}

#[test]
fn layers_of_one_unit_run() {
    for recurrent in [false, true] {
        let thin = network_of(neuron(), |settings| {
            settings.layers = vec![LayerSettings::new(1, recurrent); 2];
            let readout = LeakySettings {
                over_time: OverTime::Sum,
                ..LeakySettings::DEQUINO2024
            };
            settings.readout = ReadoutSettings::new(CLASSES, readout);
        });
        // Weights that are all above zero, so that both units spike.
        let mut thin = Network::new(thin.spec().clone(), MasterSeed(2));
        for (_, mut weights) in thin.parameters_mut() {
            weights.mapv_inplace(|weight| weight.abs() / 5.0);
        }
        gradients_of(&thin);
    }
}

#[test]
fn a_network_without_layers_is_its_readout() {
    let flat = network_of(neuron(), |settings| settings.layers.clear());
    let gradients = gradients_of(&flat);
    assert_eq!(gradients.iter().count(), 1);
    let activity = flat.run(Stage::Whole, &StageInput::counts(&samples()[0]));
    let activity = activity.expect("it fits");
    assert!(activity.spikes.is_empty() && activity.readout.iter().any(|&out| out != 0.0));
    // Weighted sums of counts, twice filtered: as much as doubled counts make is twice as much.
    let doubled = samples()[0].to_dense().mapv(|count| 2 * count);
    let doubled = SpikeCounts::from_dense(doubled.view()).expect("valid");
    let of_doubled = flat
        .run(Stage::Whole, &StageInput::counts(&doubled))
        .expect("it fits");
    for (&once, &twice) in activity.readout.iter().zip(&of_doubled.readout) {
        assert!((2.0 * once - twice).abs() < 1e-4);
    }
    assert!(matches!(
        flat.spec().replay_layer(0),
        Err(SpecError::NothingToFreeze)
    ));
}

#[test]
fn spike_counts_are_logits() {
    let counting = network_of(neuron(), |settings| {
        settings.layers[2] = LayerSettings::new(CLASSES, false);
        settings.init.weight_scale = 1.2;
        settings.readout = ReadoutSettings::new(CLASSES, SpikeCountReadout {});
    });
    let gradients = gradients_of(&counting);
    assert_eq!(gradients.get(ParameterName::Readout), None);
    let activity = counting.run(Stage::Whole, &StageInput::counts(&samples()[0]));
    let activity = activity.expect("it fits");
    let counts = activity.spikes[2].counts_per_unit();
    let counts: Vec<f32> = counts.into_iter().map(|count| count as f32).collect();
    assert_eq!(activity.logits, counts);
    assert!(counts.iter().any(|&count| count > 0.0));
    // Above the last layer nothing is learned.
    assert!(counting.spec().replay_layer(2).is_ok());
    let refused = counting
        .spec()
        .replay_layer(3)
        .expect_err("nothing above")
        .to_string();
    assert!(
        refused.ends_with("3 hidden layers, and something is learned above 0 to 2"),
        "{refused}"
    );
    // A class that is drawn anew is drawn where it is driven.
    let mut redrawn = counting.clone();
    let mut noise = MasterSeed(1).stream(Purpose::NewClass);
    redrawn
        .redraw_class(Stage::Whole, ClassId(1), &mut noise)
        .expect("it has it");
    for (name, before) in counting.parameters().iter() {
        let after = redrawn.parameters().get(name).expect("the same");
        let moved = before
            .iter()
            .zip(&after)
            .filter(|(before, after)| before != after);
        let expected = match name {
            ParameterName::Input(2) => 70,
            _ => 0,
        };
        assert_eq!(moved.count(), expected, "{name}");
    }
    // But not what a stage has frozen.
    let shallow = network_of(neuron(), |settings| {
        settings.layers = vec![LayerSettings::new(CLASSES, true)];
        settings.readout = ReadoutSettings::new(CLASSES, SpikeCountReadout {});
    });
    let index = shallow.spec().replay_layer(0).expect("a layer");
    let mut redrawn = shallow.clone();
    let redraw = redrawn.redraw_class(Stage::Learning(index), ClassId(1), &mut noise);
    redraw.expect("it has it");
    assert_eq!(redrawn, shallow);
    let mut settings = shallow.spec().settings().clone();
    settings.layers.clear();
    settings.readout.classes = settings.input.units;
    assert!(matches!(settings.check(), Err(SpecError::NothingLearned)));
    let mut settings = counting.spec().settings().clone();
    settings.layers[2].units = CLASSES + 1;
    let refused = settings.check().expect_err("a unit too many");
    assert!(matches!(
        refused,
        SpecError::UnitsAreNotClasses { units: 4, .. }
    ));
}

#[test]
fn delays_longer_than_a_sample_silence_their_units() {
    let plain = network_of(neuron(), |settings| settings.init.weight_scale = 0.6);
    let mut settings = plain.spec().settings().clone();
    // Half of the inputs never arrive.
    settings.layers[0].delay_steps = (0..37)
        .map(|unit| match unit % 2 {
            0 => 0,
            _ => u16::MAX,
        })
        .collect();
    let spec = settings.check().expect("valid");
    let late = Network::with_parameters(spec, plain.parameters().clone()).expect("the same");
    for counts in samples() {
        let mut heard = counts.to_dense();
        for (unit, mut column) in heard.columns_mut().into_iter().enumerate() {
            if unit % 2 == 1 {
                column.fill(0);
            }
        }
        let heard = SpikeCounts::from_dense(heard.view()).expect("valid");
        let of = |network: &Network, counts| network.run(Stage::Whole, &StageInput::counts(counts));
        assert_eq!(of(&late, &counts), of(&plain, &heard));
    }
    // Spikes of a layer, too: none of the second layer's arrives.
    let mut settings = plain.spec().settings().clone();
    settings.layers[2].delay_steps = vec![60; 70];
    let spec = settings.check().expect("valid");
    let late = Network::with_parameters(spec, plain.parameters().clone()).expect("the same");
    let activity = late
        .run(Stage::Whole, &StageInput::counts(&samples()[0]))
        .expect("it fits");
    assert!(activity.spikes[1].count() > 0);
    assert_eq!(activity.spikes[2].count(), 0);
}

#[test]
fn learned_parameters_stay_at_their_bounds() {
    let range = |min, max| Some(LearnedRange::new(min, max));
    let neuron = CubaLifSettings {
        learn_tau_syn_steps: range(5.0, 8.0),
        learn_tau_mem_steps: range(4.0, 10.0),
        learn_threshold: range(1.0, 1.0),
        ..CubaLifSettings::new(5.0, 10.0, 1.0)
    };
    let surrogate = FastSigmoid { slope: 5.0 };
    let mut network = network_of(NeuronSettings::new(neuron, surrogate), |settings| {
        settings.init.weight_scale = 0.6;
    });
    let bounds = |tau: f64| crate::neuron::decay(tau);
    let mut optimiser = Optimiser::new(Sgd { momentum: 0.0 }).expect("valid");
    let (mut at_bounds, mut inside) = (0, 0);
    for _ in 0..5 {
        let gradients = gradients_of(&network);
        // As large a step as will throw any parameter out of its range.
        optimiser
            .step(&mut network, &gradients, 10.0)
            .expect("its own");
        for (name, values) in network.parameters().iter() {
            let ParameterName::Neuron(_, role) = name else {
                continue;
            };
            let (least, most) = match role.to_string().as_str() {
                "alpha" => (bounds(5.0), bounds(8.0)),
                "beta" => (bounds(4.0), bounds(10.0)),
                _ => (1.0, 1.0),
            };
            for &value in values {
                assert!((least..=most).contains(&value), "{name} is {value}");
                match value == least || value == most {
                    true => at_bounds += 1,
                    false => inside += 1,
                }
            }
        }
        // Weights are put back, so that the network goes on spiking.
        let fresh = Network::new(network.spec().clone(), MasterSeed(5));
        for (name, mut values) in network.parameters_mut() {
            if !matches!(name, ParameterName::Neuron(..)) {
                values.assign(&fresh.parameters().get(name).expect("the same"));
            }
        }
    }
    assert!(at_bounds > 5 * inside, "{at_bounds} {inside}");
}

#[test]
fn a_replay_layer_of_another_network_is_refused() {
    let (deep, flat) = (
        network_of(neuron(), |_| {}),
        network_of(neuron(), |settings| settings.layers.truncate(1)),
    );
    let index = deep.spec().replay_layer(3).expect("three layers");
    let raster = SpikeRaster::new(STEPS, 213).expect("valid");
    let refused = flat.logits(Stage::Learning(index), &StageInput::spikes(&raster));
    let expected = crate::network::NetworkError::OtherReplayLayer {
        index: 3,
        largest: 1,
    };
    assert_eq!(refused, Err(expected.clone()));
    // One of as many layers, but other sizes, too.
    let wide = network_of(neuron(), |settings| settings.layers[2].units = 6);
    let refused = wide.latent(index, &samples()[0]);
    let of_wide = crate::network::NetworkError::OtherReplayLayer {
        index: 3,
        largest: 3,
    };
    assert_eq!(refused, Err(of_wide));
    let refused = flat.latent(index, &samples()[0]);
    assert_eq!(refused, Err(expected));
}

#[test]
fn latents_of_several_layers_come_in_one_pass() {
    let network = network_of(neuron(), |settings| settings.init.weight_scale = 0.6);
    let index = |layer| network.spec().replay_layer(layer).expect("three layers");
    let samples = samples();
    let inputs: Vec<_> = samples.iter().map(StageInput::counts).collect();
    let frozen = network.prepare_frozen(index(3)).expect("its own");
    let all = frozen.latents_of_layers(&inputs).expect("they fit");
    assert_eq!(all.len(), 3);
    for (layer, latents) in all.into_iter().enumerate() {
        for (counts, latent) in samples.iter().zip(latents) {
            let alone = network.latent(index(layer + 1), counts).expect("it fits");
            assert_eq!(alone, crate::network::Latent::Spikes(latent));
        }
    }
}
