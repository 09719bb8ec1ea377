use serde::{Deserialize, Serialize};

use super::{Moved, UpdateRule, check_decay};
use crate::kernels::flush;
use crate::registry::{BadSetting, Member};

/// Adamax (Kingma & Ba 2015, Algorithm 2), with epsilon added to |g| as PyTorch does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Adamax {
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the infinity norm.
    pub beta2: f32,
    /// Keeps the norm above zero.
    pub epsilon: f32,
}

impl Default for Adamax {
    /// β 0.9 and 0.999 and ε 1e-8, as in the reference paper.
    fn default() -> Self {
        Adamax {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
        }
    }
}

impl Member for Adamax {
    const KIND: &'static str = "adamax";
    const ABOUT: &'static str = "β 0.9 and 0.999";

    fn check(&self) -> Result<(), BadSetting> {
        check_decay("beta1", self.beta1)?;
        check_decay("beta2", self.beta2)?;
        BadSetting::unless_positive("epsilon", self.epsilon)
    }
}

impl UpdateRule for Adamax {
    fn remembers(&self) -> &'static [&'static str] {
        &["first", "second"]
    }

    fn step(&self, moved: Moved<'_>) {
        let &Adamax {
            beta1,
            beta2,
            epsilon,
        } = self;
        let rate = moved.learning_rate / (1.0 - beta1.powi(moved.exponent()));
        moved.each(|weight, gradient, [first, norm]| {
            *first = flush(beta1 * *first + (1.0 - beta1) * gradient);
            *norm = (beta2 * *norm).max(gradient.abs() + epsilon);
            *weight -= rate * *first / *norm;
        });
    }
}
