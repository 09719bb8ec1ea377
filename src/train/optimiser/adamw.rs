use serde::{Deserialize, Serialize};

use super::{Moved, UpdateRule, check_decay};
use crate::kernels::flush;
use crate::registry::{BadSetting, Member};

/// Adam with weights that decay by themselves (Loshchilov & Hutter 2019, Algorithm 2): the decay is not part
/// of the gradient.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdamW {
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Keeps the denominator above zero.
    pub epsilon: f32,
    /// The share of each number that a learning rate of 1 would take away in a step.
    pub decay: f32,
}

impl Default for AdamW {
    /// β 0.9 and 0.999, ε 1e-8, decay 0.01.
    fn default() -> Self {
        AdamW {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            decay: 0.01,
        }
    }
}

impl Member for AdamW {
    const KIND: &'static str = "adamw";
    const ABOUT: &'static str =
        "Adam with weights that decay by themselves, by 0.01 of the learning rate";

    fn check(&self) -> Result<(), BadSetting> {
        check_decay("beta1", self.beta1)?;
        check_decay("beta2", self.beta2)?;
        BadSetting::unless_positive("epsilon", self.epsilon)?;
        BadSetting::unless_positive("decay", self.decay)
    }
}

impl UpdateRule for AdamW {
    fn remembers(&self) -> &'static [&'static str] {
        &["first", "second"]
    }

    fn step(&self, moved: Moved<'_>) {
        let &AdamW {
            beta1,
            beta2,
            epsilon,
            decay,
        } = self;
        let rate = moved.learning_rate / (1.0 - beta1.powi(moved.exponent()));
        let root = (1.0 - beta2.powi(moved.exponent())).sqrt();
        let kept = match moved.decays {
            true => 1.0 - moved.learning_rate * decay,
            false => 1.0,
        };
        moved.each(|weight, gradient, [first, second]| {
            *first = flush(beta1 * *first + (1.0 - beta1) * gradient);
            *second = flush(beta2 * *second + (1.0 - beta2) * gradient * gradient);
            *weight = kept * *weight - rate * *first / (second.sqrt() / root + epsilon);
        });
    }
}
