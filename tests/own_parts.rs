//! Neurons, losses, surrogates and optimisers that are not among ours: the examples run, and specs know them.
#![cfg(feature = "shd")]

#[path = "../examples/own_loss.rs"]
mod own_loss;
#[path = "../examples/own_neuron.rs"]
mod own_neuron;
#[path = "../examples/own_training_loop.rs"]
mod own_training_loop;

use respike::network::{NetworkSettings, NetworkSpec};
use respike::registry::Registry;

#[test]
fn a_loss_on_single_steps_trains_and_goes_on_from_a_checkpoint() {
    own_loss::main().expect("it runs");
    let known = Registry::installed().list();
    let margin = known
        .iter()
        .find(|known| known.kind == "margin")
        .expect("it was installed");
    assert_eq!(
        (margin.part, &margin.settings[..]),
        ("objective", &["floor", "quiet"][..])
    );
}

#[test]
fn a_training_loop_of_ones_own_trains() {
    own_training_loop::main().expect("it runs");
}

#[test]
fn the_example_trains_saves_loads_and_goes_on_learning() {
    own_neuron::main().expect("it runs");
    let known = Registry::installed();
    let quadratic = ("quadratic", "quadratic integrate-and-fire");
    assert!(known.neurons().any(|known| known == quadratic));
    // Known to this process, it can be named in a spec.
    let spec = |neuron: &str| {
        let reference = serde_json::to_value(NetworkSpec::dequino2024()).expect("plain data");
        let mut table = reference.as_object().expect("a table").clone();
        let neuron: serde_json::Value = serde_json::from_str(neuron).expect("JSON");
        table.insert("neuron".to_string(), neuron);
        serde_json::from_value::<NetworkSettings>(table.into())
    };
    let surrogate = r#""surrogate": {"kind": "boxcar", "half_width": 0.5}"#;
    let named = r#"{"kind": "quadratic", "tau_steps": 9.0, "critical": 0.2"#;
    let settings = spec(&format!("{named}, {surrogate}}}")).expect("known");
    assert_eq!(settings.neuron.model.kind(), "quadratic");
    let checked = settings.clone().check().expect("valid");
    // What is written is what was read.
    let written = serde_json::to_string(&checked).expect("plain data");
    let again: NetworkSpec = serde_json::from_str(&written).expect("known");
    assert_eq!(again, checked);
    for (neuron, words) in [
        (format!("{named}}}"), "surrogate"),
        (
            format!(r#"{{"kind": "quadratic", {surrogate}}}"#),
            "tau_steps",
        ),
        (
            format!(r#"{named}, "tau": 1.0, {surrogate}}}"#),
            "unknown field `tau`",
        ),
        (
            format!(r#"{{"kind": "cubic", {surrogate}}}"#),
            "use one of cuba-lif, lif, adlif, alif, quadratic",
        ),
    ] {
        let refused = spec(&neuron).expect_err(&neuron).to_string();
        assert!(refused.contains(words), "{refused}");
    }
}
