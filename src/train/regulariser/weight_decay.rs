use serde::{Deserialize, Serialize};

use super::Regulariser;
use crate::network::{Gradients, Network};
use crate::registry::{BadSetting, Member};
use crate::train::TrainError;

/// strength/2 · Σ w², over all weights that are trained; biases and what is learned of neurons cost nothing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightDecay {
    /// How much.
    pub strength: f32,
}

impl Member for WeightDecay {
    const KIND: &'static str = "weight-decay";
    const ABOUT: &'static str = "strength/2 · Σ w² of the weights";

    fn check(&self) -> Result<(), BadSetting> {
        BadSetting::unless_positive("strength", self.strength)
    }
}

impl Regulariser for WeightDecay {
    fn of_parameters(
        &self,
        network: &Network,
        gradients: &mut Gradients,
    ) -> Result<f64, TrainError> {
        let mut squares = 0.0;
        for (name, mut gradient) in gradients.iter_mut() {
            let weight = network.parameters().get(name);
            let Some(weight) = weight.filter(|_| name.is_weight()) else {
                continue;
            };
            for (slot, &weight) in gradient.iter_mut().zip(&weight) {
                *slot += self.strength * weight;
                squares += f64::from(weight).powi(2);
            }
        }
        Ok(f64::from(self.strength) / 2.0 * squares)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{NetworkSpec, Stage};
    use crate::random::MasterSeed;

    #[test]
    fn decay_follows_its_formula() {
        let network = Network::new(NetworkSpec::dequino2024(), MasterSeed(1));
        let mut gradients = Gradients::zeros(&network, Stage::Whole);
        let decay = WeightDecay { strength: 0.5 };
        let cost = decay
            .of_parameters(&network, &mut gradients)
            .expect("its own");
        let weights = network.parameters().iter();
        let squares = weights.flat_map(|(_, weight)| {
            weight
                .iter()
                .map(|&w| f64::from(w).powi(2))
                .collect::<Vec<_>>()
        });
        assert!((cost - 0.25 * squares.sum::<f64>()).abs() < 1e-9);
        for (name, gradient) in gradients.iter() {
            let weight = network.parameters().get(name).expect("its own");
            assert_eq!(gradient.to_owned(), weight.mapv(|weight| 0.5 * weight));
        }
    }
}
