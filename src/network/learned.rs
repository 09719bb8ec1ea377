//! What a network learned beside its weights.

use super::{Network, ParameterName};

/// A learned number of a layer's neurons, such as a time constant, as people read it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LearnedNumber {
    /// The hidden layer, 0 first.
    pub layer: usize,
    /// What it is called, such as `τ_mem`.
    pub name: String,
    /// Whether it is a time, in steps of the time grid; else it has no unit.
    pub is_time: bool,
    /// Within what it is kept, the least and the most.
    pub range: (f64, f64),
    /// One for each neuron, or one for all; infinite for the time constant of what never decays.
    pub values: Vec<f64>,
}

impl Network {
    /// Every learned number of the neurons, by layer from the lowest, in the order of their
    /// [`roles`](crate::neuron::Neuron::roles); none if only weights and biases are learned.
    ///
    /// ```
    /// use respike::network::{Network, NetworkSpec, NeuronSettings};
    /// use respike::neuron::AdLifSettings;
    /// use respike::random::MasterSeed;
    /// use respike::surrogate::FastSigmoid;
    ///
    /// let mut settings = NetworkSpec::dequino2024().settings().clone();
    /// settings.neuron = NeuronSettings::new(AdLifSettings::default(), FastSigmoid { slope: 10.0 });
    /// let network = Network::new(settings.check()?, MasterSeed(0));
    /// let learned = network.learned_numbers();
    /// let names: Vec<&str> = learned[..4].iter().map(|number| &number.name[..]).collect();
    /// assert_eq!(names, ["τ_mem", "τ_adaptation", "a", "b"]);
    /// assert_eq!(learned[0].range, (5.0, 25.0)); // steps
    /// assert!(learned[0].values.iter().all(|tau| (5.0..=25.0).contains(tau)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn learned_numbers(&self) -> Vec<LearnedNumber> {
        let mut all = Vec::new();
        for layer in 0..self.spec.depth() {
            let neuron = self.spec.neuron(layer);
            for role in neuron.roles() {
                let Some(learned) = role.learned else {
                    continue;
                };
                let name = ParameterName::Neuron(layer, role.name);
                let Some(raw) = self.parameters.get(name) else {
                    continue;
                };
                let told = |raw: f32| neuron.quantity(&role, f64::from(raw));
                let [one, other] = [learned.range.0, learned.range.1].map(told);
                all.push(LearnedNumber {
                    layer,
                    // What is larger may be told as what is smaller.
                    range: (one.value.min(other.value), one.value.max(other.value)),
                    name: one.name,
                    is_time: one.is_time,
                    values: raw.iter().map(|&raw| told(raw).value).collect(),
                });
            }
        }
        all
    }
}
