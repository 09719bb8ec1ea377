use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Head, HeadError, HeadPlace, HeadState, TaskClasses};
use crate::network::{Network, Stage};
use crate::registry::Member;

/// A readout that is trained with the rest; before a task, the column of each class that was never learned is drawn anew
/// ([`Network::redraw_class`]), as the code of Dequino et al. 2024 does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redrawn {}

impl Member for Redrawn {
    const KIND: &'static str = "redrawn";
    const ABOUT: &'static str = "trained with the rest; the column of a class that comes up for the first time is drawn anew";
}

impl Head for Redrawn {
    fn begin(&self, place: &HeadPlace<'_>) -> Result<Box<dyn HeadState>, HeadError> {
        Ok(Box::new(Redraws(place.stage)))
    }
}

#[derive(Debug)]
struct Redraws(Stage);

impl HeadState for Redraws {
    fn task_begins(
        &mut self,
        network: &mut Network,
        task: &TaskClasses,
        generator: &mut ChaCha8Rng,
    ) -> Result<(), HeadError> {
        redraw_unseen(network, self.0, task, generator)
    }
}

/// Draws the columns of classes anew that were never learned before.
pub(super) fn redraw_unseen(
    network: &mut Network,
    stage: Stage,
    task: &TaskClasses,
    generator: &mut ChaCha8Rng,
) -> Result<(), HeadError> {
    // Pre-training begins with weights that were just drawn.
    if task.known.is_empty() {
        return Ok(());
    }
    for class in task.unseen() {
        network.redraw_class(stage, class, generator)?;
    }
    Ok(())
}
