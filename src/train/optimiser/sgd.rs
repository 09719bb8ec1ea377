use serde::{Deserialize, Serialize};

use super::{Moved, UpdateRule, check_decay};
use crate::kernels::flush;
use crate::registry::{BadSetting, Member};

/// Stochastic gradient descent; v ← momentum·v + g, w ← w − lr·v.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sgd {
    /// How much of the last move is kept, 0 for none.
    pub momentum: f32,
}

impl Default for Sgd {
    /// Momentum 0.9.
    fn default() -> Self {
        Sgd { momentum: 0.9 }
    }
}

impl Member for Sgd {
    const KIND: &'static str = "sgd";
    const ABOUT: &'static str = "gradient descent with momentum 0.9";

    fn check(&self) -> Result<(), BadSetting> {
        check_decay("momentum", self.momentum)
    }
}

impl UpdateRule for Sgd {
    fn remembers(&self) -> &'static [&'static str] {
        &["first"]
    }

    fn step(&self, moved: Moved<'_>) {
        let (momentum, rate) = (self.momentum, moved.learning_rate);
        moved.each(|weight, gradient, [velocity]| {
            *velocity = flush(momentum * *velocity + gradient);
            *weight -= rate * *velocity;
        });
    }
}
