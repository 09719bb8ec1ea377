use serde::{Deserialize, Serialize};

use super::{Moved, UpdateRule, check_decay};
use crate::kernels::flush;
use crate::registry::{BadSetting, Member};

/// Adam (Kingma & Ba 2015, Algorithm 1).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Adam {
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Keeps the denominator above zero.
    pub epsilon: f32,
}

impl Default for Adam {
    /// β 0.9 and 0.999 and ε 1e-8.
    fn default() -> Self {
        Adam {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
        }
    }
}

impl Member for Adam {
    const KIND: &'static str = "adam";
    const ABOUT: &'static str = "β 0.9 and 0.999";

    fn check(&self) -> Result<(), BadSetting> {
        check_decay("beta1", self.beta1)?;
        check_decay("beta2", self.beta2)?;
        BadSetting::unless_positive("epsilon", self.epsilon)
    }
}

impl UpdateRule for Adam {
    fn remembers(&self) -> &'static [&'static str] {
        &["first", "second"]
    }

    fn step(&self, moved: Moved<'_>) {
        let &Adam {
            beta1,
            beta2,
            epsilon,
        } = self;
        let rate = moved.learning_rate / (1.0 - beta1.powi(moved.exponent()));
        let root = (1.0 - beta2.powi(moved.exponent())).sqrt();
        moved.each(|weight, gradient, [first, second]| {
            *first = flush(beta1 * *first + (1.0 - beta1) * gradient);
            *second = flush(beta2 * *second + (1.0 - beta2) * gradient * gradient);
            *weight -= rate * *first / (second.sqrt() / root + epsilon);
        });
    }
}
