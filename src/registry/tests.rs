use serde::{Deserialize, Serialize};

use super::{Member, Registry};
use crate::network::{NetworkSpec, NeuronSettings};
use crate::real::Real;
use crate::surrogate::{Boxcar, Surrogate, SurrogateSettings};
use crate::train::OptimiserSettings;

/// Somebody's own, by a name that is ours and with the same settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct OtherBoxcar {
    half_width: f32,
}

impl Member for OtherBoxcar {
    const KIND: &'static str = "boxcar";
    const ABOUT: &'static str = "another one";
}

impl Surrogate for OtherBoxcar {
    fn derivative<R: Real>(&self, x: R) -> R {
        x.one()
    }

    fn primitive(&self, x: f64) -> f64 {
        0.5 + x
    }
}

#[test]
fn another_type_of_a_name_that_is_taken_is_never_taken_for_it() {
    let half_width = 0.5;
    let ours: SurrogateSettings = Boxcar { half_width }.into();
    let other: SurrogateSettings = OtherBoxcar { half_width }.into();
    assert_ne!(ours, other);
    assert_eq!(other.get::<Boxcar>(), None);
    assert_eq!(ours.get::<OtherBoxcar>(), None);
    // What would be saved would be read as ours: it is refused before.
    let mut settings = NetworkSpec::dequino2024().settings().clone();
    settings.neuron = NeuronSettings::new(settings.neuron.model, OtherBoxcar { half_width });
    let refused = settings
        .check()
        .expect_err("a name that is taken")
        .to_string();
    let expected =
        "neuron.surrogate.kind `boxcar` is the name of another surrogate: give yours another one";
    assert_eq!(refused, expected);
    assert!(other.in_longer_steps(2.0).is_err());
}

#[test]
#[should_panic(expected = "there is a surrogate `boxcar` already")]
fn two_types_of_a_name_are_no_registry() {
    let _ = Registry::builtin().with_surrogate::<OtherBoxcar>();
}

#[test]
fn parts_are_read_back_from_what_is_printed_of_them() {
    for text in [
        "adam",
        "{ kind = \"adam\", beta1 = 0.8, beta2 = 0.999, epsilon = 0.00000001 }",
        "{ kind = \"sgd\", momentum = 0.5 }",
    ] {
        let read: OptimiserSettings = text.parse().expect(text);
        assert_eq!(read.to_string().parse(), Ok(read), "{text}");
    }
    for (text, words) in [
        (
            "adan",
            "use one of adamax, adam, adamw, sgd; `adam` is nearly that",
        ),
        ("", "there is no optimiser of the kind ``"),
        ("{", "line 1"),
        ("{}", "the optimiser's `kind` is missing"),
        ("{ kind = 3 }", "the optimiser's `kind` is a text, not 3"),
        ("{ kind = \"adam\", beta = 0.9 }", "unknown field `beta`"),
        ("{ kind = \"adam\", beta3 = 0.9 }", "`beta1` is nearly that"),
        (
            "{ kind = \"adam\", beta1 = nan }",
            "beta1 must be a finite number, not nan",
        ),
        ("{ kind = \"adam\" }\nx = 3", "is not one table"),
    ] {
        let refused = text.parse::<OptimiserSettings>().expect_err(text);
        assert!(refused.contains(words), "{text}: {refused}");
    }
}
