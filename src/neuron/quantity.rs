/// A number of a neuron as people read it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Quantity {
    /// What it is called, such as `τ_mem`.
    pub name: String,
    /// In steps of the time grid if it is a time, else without a unit; infinite for what never decays.
    pub value: f64,
    /// Whether it is a time.
    pub is_time: bool,
}

impl Quantity {
    /// A number without a unit.
    pub fn number(name: &str, value: f64) -> Self {
        Quantity {
            name: name.to_string(),
            value,
            is_time: false,
        }
    }

    /// A time constant in steps.
    pub fn steps(name: &str, steps: f64) -> Self {
        Quantity {
            is_time: true,
            ..Quantity::number(name, steps)
        }
    }

    /// The time constant of what decays by that factor in a step: −1/ln(decay).
    ///
    /// ```
    /// use respike::neuron::Quantity;
    ///
    /// let tau = Quantity::of_decay("τ", (-1.0f64 / 20.0).exp());
    /// assert!((tau.value - 20.0).abs() < 1e-9 && tau.is_time);
    /// assert_eq!(Quantity::of_decay("τ", 0.0).value, 0.0);
    /// assert_eq!(Quantity::of_decay("τ", 1.0).value, f64::INFINITY);
    /// ```
    pub fn of_decay(name: &str, decay: f64) -> Self {
        let steps = match decay.ln() {
            log if log < 0.0 => -1.0 / log,
            _ => f64::INFINITY,
        };
        Quantity::steps(name, steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neuron::{
        AdLif, AlifSettings, CubaLifSettings, LearnedRange, LifSettings, NeuronModel,
        ResetSettings, Start,
    };

    #[test]
    fn settings_are_told_as_they_were_given() {
        let range = LearnedRange::new(1.0, 90.0);
        let cuba = CubaLifSettings::new(5.0, 10.0, 1.25).with_learned_tau_syn_steps(range);
        type Told<'a> = &'a [(&'a str, f64, bool)];
        let neurons: [(NeuronModel, Told<'_>); 3] = [
            (
                cuba.into(),
                &[
                    ("τ_syn", 5.0, true),
                    ("τ_mem", 10.0, true),
                    ("threshold", 1.25, false),
                ],
            ),
            (
                LifSettings::new(20.0, 0.5, ResetSettings::ToZero).into(),
                &[("τ_mem", 20.0, true), ("threshold", 0.5, false)],
            ),
            (
                AlifSettings::new(20.0, 80.0, 0.5, 1.8).into(),
                &[("τ_mem", 20.0, true), ("τ_adaptation", 80.0, true)],
            ),
        ];
        for (neuron, expected) in neurons {
            let roles = neuron.roles();
            assert_eq!(roles.len(), expected.len());
            for (role, &(name, value, is_time)) in roles.iter().zip(expected) {
                let Start::At(raw) = role.start else {
                    panic!("all begin alike");
                };
                let found = neuron.quantity(role, f64::from(raw));
                assert_eq!((found.name.as_str(), found.is_time), (name, is_time));
                assert!((found.value - value).abs() < 1e-3 * value, "{found:?}");
            }
        }
    }

    #[test]
    fn places_of_time_constants_are_told_as_time_constants() {
        use crate::neuron::Neuron;

        let neuron = AdLif::default();
        let roles = Neuron::roles(&neuron);
        let of = |role: usize, raw| Neuron::quantity(&neuron, &roles[role], raw);
        assert_eq!(of(0, 0.0), Quantity::steps("τ_mem", 5.0));
        assert_eq!(of(0, 0.5), Quantity::steps("τ_mem", 15.0));
        assert_eq!(of(1, 1.0), Quantity::steps("τ_adaptation", 300.0));
        assert_eq!(of(2, 0.3), Quantity::number("a", 0.3));
        assert_eq!(of(3, 1.3), Quantity::number("b", 1.3));
    }
}
