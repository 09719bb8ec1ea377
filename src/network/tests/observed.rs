//! What is to be seen of single neurons, against what the network does without being looked at.

use super::{Network, Reach, STEPS, Stage, StageInput, network, samples};
use crate::ids::{TimeStep, Unit};
use crate::network::{NetworkError, NeuronSettings};
use crate::neuron::{
    AdLifSettings, AlifSettings, CubaLifSettings, LearnedRange, LifSettings, NeuronModel,
    ResetSettings,
};
use crate::random::MasterSeed;
use crate::readout::OverTime;
use crate::surrogate::FastSigmoid;

/// Every neuron that there is, with states that move far enough to spike often.
fn neurons() -> Vec<NeuronModel> {
    let range = LearnedRange::new(0.5, 2.0);
    vec![
        CubaLifSettings::new(5.0, 10.0, 1.0)
            .with_learned_threshold(range)
            .into(),
        LifSettings::new(10.0, 0.3, ResetSettings::ToZero).into(),
        LifSettings::new(10.0, 0.3, ResetSettings::Subtract).into(),
        AlifSettings::new(10.0, 40.0, 0.2, 1.5).into(),
        AdLifSettings::default().with_threshold(0.2).into(),
    ]
}

fn of_neuron(neuron: NeuronModel) -> Network {
    let mut settings = network(FastSigmoid { slope: 30.0 }, OverTime::Max)
        .spec()
        .settings()
        .clone();
    settings.neuron = NeuronSettings::new(neuron, FastSigmoid { slope: 30.0 });
    settings.init.weight_scale = 2.0;
    Network::new(settings.check().expect("valid"), MasterSeed(3))
}

#[test]
fn traces_are_of_the_spikes_that_every_other_way_has() {
    for neuron in neurons() {
        let kind = neuron.kind();
        let network = of_neuron(neuron);
        let depth = network.spec().depth();
        let mut spikes_seen = 0;
        for counts in samples() {
            let input = [StageInput::counts(&counts)];
            let activity = network.run(Stage::Whole, &input[0]).expect("it fits");
            // Without tapes, and with those of training.
            let last = network.spec().replay_layer(depth).expect("a layer");
            let frozen = network.prepare_frozen(last).expect("its own");
            let frozen = frozen.latents_of_layers(&input).expect("it fits");
            let stage = network.prepare(Stage::Whole);
            let trained = stage.trace(&input, Reach::Logits).expect("it fits");
            for (layer, frozen) in frozen.iter().enumerate() {
                let units: Vec<Unit> = (0..activity.spikes[layer].units()).map(Unit).collect();
                let traces = activity.traces(layer, &units).expect("they are there");
                assert_eq!(traces.len(), units.len());
                for (trace, unit) in traces.iter().zip(units) {
                    assert_eq!(trace.unit, unit);
                    let states = trace.states.iter().map(|(_, state)| state.len());
                    assert!(states.clone().all(|steps| steps == STEPS), "{kind}");
                    for step in (0..STEPS).map(TimeStep) {
                        let is_spike = trace.spikes.contains(&step);
                        assert_eq!(is_spike, frozen[0].get(step, unit), "{kind}");
                        assert_eq!(is_spike, trained.spikes(layer)[0].get(step, unit), "{kind}");
                        // A spike is where the membrane is above the threshold, and nowhere else.
                        let (membrane, threshold) =
                            (trace.membrane[step.0], trace.threshold[step.0]);
                        let slack = 1e-6 * membrane.abs().max(1.0);
                        match is_spike {
                            true => assert!(membrane >= threshold - slack, "{kind} {step}"),
                            false => assert!(membrane <= threshold + slack, "{kind} {step}"),
                        }
                    }
                    spikes_seen += trace.spikes.len();
                }
            }
        }
        assert!(spikes_seen > 500, "{kind} spikes {spikes_seen} times");
    }
}

#[test]
fn thresholds_are_those_of_the_settings_and_rise_with_the_adaptation() {
    let all = samples();
    let run = |neuron: NeuronModel| {
        let network = of_neuron(neuron);
        let activity = network.run(Stage::Whole, &StageInput::counts(&all[0]));
        let activity = activity.expect("it fits");
        let unit = activity.most_active(0, 1);
        activity.traces(0, &unit).expect("it is there").remove(0)
    };
    let lif = run(LifSettings::new(10.0, 0.3, ResetSettings::ToZero).into());
    let is_level = |at: &f32| (at - 0.3).abs() < 1e-6;
    assert!(lif.threshold.iter().all(is_level) && lif.states.is_empty());
    let alif = run(AlifSettings::new(10.0, 40.0, 0.2, 1.5).into());
    let (name, adaptation) = &alif.states[0];
    assert_eq!(*name, "adaptation");
    for (threshold, adaptation) in alif.threshold.iter().zip(adaptation) {
        assert!((threshold - (0.2 + 1.5 * adaptation)).abs() < 1e-6);
    }
    // Of one spike 1/40 of a step is kept.
    let first = alif.spikes[0].0;
    assert_eq!(adaptation[first], 0.0);
    assert!((adaptation[first + 1] - (1.0 - (-1.0f32 / 40.0).exp())).abs() < 1e-6);
}

#[test]
fn the_most_active_are_told_in_order_and_what_is_not_there_is_refused() {
    let network = network(FastSigmoid { slope: 30.0 }, OverTime::Max);
    let all = samples();
    let activity = network.run(Stage::Whole, &StageInput::counts(&all[0]));
    let activity = activity.expect("it fits");
    let counts = activity.spikes[0].counts_per_unit();
    let chosen = activity.most_active(0, 7);
    assert!(chosen.len() == 7 && chosen.is_sorted());
    let least = chosen.iter().map(|unit| counts[unit.0]).min();
    let others = (0..counts.len()).filter(|&unit| !chosen.contains(&Unit(unit)));
    for unit in others {
        let last_of_least = chosen
            .iter()
            .filter(|one| Some(counts[one.0]) == least)
            .max();
        let later = last_of_least.is_some_and(|last| unit > last.0);
        assert!(Some(counts[unit]) < least || (Some(counts[unit]) == least && later));
    }
    assert_eq!(activity.most_active(0, 1000).len(), 213);
    assert_eq!(activity.most_active(3, 5), []);
    let past = activity.traces(3, &[]).expect_err("three layers");
    assert_eq!(
        past,
        NetworkError::LayerPastEnd {
            layer: 3,
            layers: 3
        }
    );
    let past = activity
        .traces(2, &[Unit(4), Unit(5)])
        .expect_err("five units");
    assert_eq!(
        past.to_string(),
        "unit 5 is past the layer's 5 neurons (0 to 4)"
    );
}
