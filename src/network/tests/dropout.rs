//! Spikes left out in training: by hand what the engine does, and what must not change.

use super::*;
use crate::ids::ClassId;
use crate::network::{DropoutDraws, Errors, Latent, ParameterName};
use crate::spikes::SpikeRaster;
use crate::train::{
    Batch, Losses, Optimiser, Sgd, StoredExamples, Trainer, TrainingSettings, batch_gradient,
    evaluate,
};

const DRAWS: DropoutDraws = DropoutDraws {
    seed: MasterSeed(3),
    step: 7,
};

/// The network of all sizes, whose layers leave out so many of their spikes.
fn leaving_out(shares: [f32; 3]) -> Network {
    let of_all = network(FastSigmoid { slope: 20.0 }, OverTime::Max);
    let mut settings = of_all.spec().settings().clone();
    for (layer, share) in settings.layers.iter_mut().zip(shares) {
        layer.dropout = share;
    }
    settings.layers[2].delay_steps = (0..70).map(|unit| unit % 4).collect();
    Network::new(settings.check().expect("valid"), MasterSeed(5))
}

fn count(rasters: &[SpikeRaster]) -> f64 {
    rasters.iter().map(SpikeRaster::count).sum::<u64>() as f64
}

#[test]
fn the_share_is_left_out_and_the_rest_counts_for_it() {
    let network = leaving_out([0.3, 0.5, 0.25]);
    let samples = samples();
    let inputs: Vec<_> = samples.iter().map(StageInput::counts).collect();
    let stage = network.prepare_dropping(Stage::Whole, DRAWS);
    let trace = stage.trace(&inputs, Reach::EveryStep).expect("they fit");
    for (layer, share) in [(0, 0.3), (1, 0.5), (2, 0.25)] {
        let cells = (samples.len() * STEPS * trace.spikes(layer)[0].units()) as f64;
        let kept = trace.kept[layer + 1].as_ref().expect("some is left out");
        let off = count(kept) / cells - (1.0 - share);
        // Five standard deviations.
        assert!(
            off.abs() < 5.0 * (share * (1.0 - share) / cells).sqrt(),
            "{off}"
        );
    }
    // The readout has what is left of layer 3, as often as makes up for the rest.
    let kept = trace.kept[3].as_ref().expect("some is left out");
    let left = super::super::dropout::dropped(trace.spikes(2), kept);
    let mut louder = network.clone();
    for (name, mut values) in louder.parameters_mut() {
        if name == ParameterName::Readout {
            values *= 1.0 / (1.0 - 0.25);
        }
    }
    let above = Stage::Learning(network.spec().replay_layer(3).expect("three layers"));
    let errors = Errors::of_logits(errors(samples.len()));
    let left: Vec<StageInput<'_>> = left.iter().map(StageInput::spikes).collect();
    let by_hand = louder.prepare(above);
    let by_hand = by_hand.trace(&left, Reach::EveryStep).expect("they fit");
    assert_eq!(by_hand.logits(), trace.logits());
    let of_louder = by_hand.backward(&errors).expect("of its shape");
    let found = trace.backward(&errors).expect("of its shape");
    let found = found.matrix(ParameterName::Readout).expect("trained");
    let expected = of_louder.matrix(ParameterName::Readout).expect("trained");
    for (found, expected) in found.iter().zip(expected) {
        let expected = expected / (1.0 - 0.25);
        assert!((found - expected).abs() <= 1e-5 * expected.abs() + 1e-9);
    }
}

#[test]
fn no_error_goes_back_through_what_is_left_out() {
    // So much that most units of the second layer are never heard in a sample.
    let network = leaving_out([0.0, 0.99, 0.0]);
    let sample = &samples()[0];
    let inputs = [StageInput::counts(sample)];
    let stage = network.prepare_dropping(Stage::Whole, DRAWS);
    let trace = stage.trace(&inputs, Reach::EveryStep).expect("it fits");
    let gradients = trace.backward(&Errors::of_logits(errors(1)));
    let gradients = gradients.expect("of its shape");
    let into_second = gradients.matrix(ParameterName::Input(1)).expect("trained");
    let kept = &trace.kept[2].as_ref().expect("some is left out")[0];
    let (mut heard, mut unheard) = (0, 0);
    for (unit, kept) in kept.counts_per_unit().into_iter().enumerate() {
        let has_gradient = into_second.column(unit).iter().any(|&error| error != 0.0);
        // The second layer is not recurrent: there is no other way for errors.
        if kept == 0 {
            unheard += 1;
            assert!(!has_gradient, "unit {unit} was never heard");
        } else {
            heard += usize::from(has_gradient);
        }
    }
    assert!(heard > 5 && unheard > 20, "{heard} {unheard}");
}

#[test]
fn draws_are_of_the_step_alone() {
    let network = leaving_out([0.5, 0.2, 0.1]);
    let samples = samples();
    let inputs: Vec<_> = samples.iter().map(StageInput::counts).collect();
    let logits = |draws, block| {
        let stage = network.prepare_dropping(Stage::Whole, draws);
        let trace = stage.trace_block(&inputs, Reach::Logits, block);
        trace.expect("they fit").logits().to_owned()
    };
    assert_eq!(logits(DRAWS, 0), logits(DRAWS, 0));
    assert_ne!(logits(DRAWS, 0), logits(DRAWS, 1));
    let later = DropoutDraws { step: 8, ..DRAWS };
    assert_ne!(logits(DRAWS, 0), logits(later, 0));
    // Nothing is left out where nothing is said, and never in a test.
    let none = leaving_out([0.0; 3]);
    let plain = none.prepare(Stage::Whole);
    let plain = plain.trace(&inputs, Reach::Logits).expect("they fit");
    let dropping = none.prepare_dropping(Stage::Whole, DRAWS);
    let dropping = dropping.trace(&inputs, Reach::Logits).expect("they fit");
    assert_eq!(plain.logits(), dropping.logits());
    let tested = network
        .prepare(Stage::Whole)
        .logits(&inputs)
        .expect("they fit");
    assert_eq!(tested, plain.logits());
}

#[test]
fn training_with_dropout_stops_and_goes_on_and_runs_on_any_number_of_threads() {
    let network = leaving_out([0.2, 0.5, 0.1]);
    let index = network.spec().replay_layer(1).expect("three layers");
    let (seed, stage) = (MasterSeed(2), Stage::Learning(index));
    let latents: Vec<StageInput<'static>> = (samples().iter().cycle().take(40))
        .map(|sample| network.latent(index, sample).map(Latent::into))
        .collect::<Result<_, _>>()
        .expect("they fit");
    let labels = (0..40).map(|sample| ClassId(sample % 3));
    let examples = StoredExamples {
        samples: latents.into_iter().zip(labels).collect(),
    };
    let train = |threads: usize, stop: bool| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads").install(|| {
            let settings = TrainingSettings::default();
            let purpose = Purpose::Shuffle;
            let trainer = Trainer::new(network.clone(), stage, settings, seed, purpose);
            let mut trainer = trainer.expect("valid");
            for _ in 0..3 {
                trainer.epoch(&examples).expect("they fit");
                if stop {
                    let state = trainer.state();
                    let resumed = Trainer::resume(trainer.into_network(), state);
                    trainer = resumed.expect("valid");
                }
            }
            trainer.into_network()
        })
    };
    let one = train(1, false);
    assert!(one == train(4, false), "four threads");
    assert!(one == train(2, true), "stopped after every epoch");
    assert!(evaluate(&one, stage, &examples).is_ok());
}

#[test]
fn shares_that_are_none_are_refused() {
    let settings = network(FastSigmoid { slope: 20.0 }, OverTime::Max);
    for share in [-0.1, 1.0, f32::NAN] {
        let mut settings = settings.spec().settings().clone();
        settings.layers[1].dropout = share;
        let refused = settings.check().expect_err("no share").to_string();
        assert!(
            refused.starts_with("layers[1].dropout must be 0 up to"),
            "{refused}"
        );
    }
}

#[test]
fn a_loop_of_ones_own_leaves_out_what_the_trainer_does() {
    let network = leaving_out([0.3, 0.5, 0.1]);
    let samples = samples();
    let labelled = samples.iter().enumerate();
    let labelled = labelled.map(|(sample, counts)| {
        let class = ClassId((sample % CLASSES) as u16);
        (StageInput::counts(counts), class)
    });
    let examples = StoredExamples {
        samples: labelled.collect(),
    };
    let all: Vec<usize> = (0..samples.len()).collect();
    let (seed, stage, losses) = (MasterSeed(2), Stage::Whole, Losses::default());
    let settings = TrainingSettings::default().with_optimiser(Sgd { momentum: 0.0 });
    let rate = settings.learning_rate;
    let trainer = Trainer::new(network.clone(), stage, settings, seed, Purpose::Shuffle);
    let mut trainer = trainer.expect("valid");
    trainer
        .epoch_of_batches(&examples, &[&all])
        .expect("they fit");

    let draws = DropoutDraws { seed, step: 0 };
    let gradient = |batch: Batch<'_>| {
        let found = batch_gradient(&network, stage, &examples, batch, &losses);
        found.expect("they fit").gradients
    };
    let dropping = gradient(Batch::from(&all).dropping(draws));
    assert_ne!(dropping, gradient(Batch::from(&all)));
    let mut by_hand = network.clone();
    let mut optimiser = Optimiser::new(Sgd { momentum: 0.0 }).expect("valid");
    optimiser
        .step(&mut by_hand, &dropping, rate)
        .expect("its own");
    assert_eq!(&by_hand, trainer.network());
}
