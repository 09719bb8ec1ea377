use ndarray::ArrayView1;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::redrawn::redraw_unseen;
use super::{Head, HeadError, HeadPlace, HeadState, TaskClasses};
use crate::ids::ClassId;
use crate::network::{Network, Stage};
use crate::registry::Member;

/// Weight aligning (Zhao et al. 2020, *Maintaining Discrimination and Fairness in Class Incremental Learning*,
/// arXiv:1911.07053): a readout whose new classes are made as loud as the old ones.
///
/// Before a task it is as [`Redrawn`](super::Redrawn). After it, the columns of the classes that came for the first time
/// are multiplied by
///
/// ```text
/// γ = mean norm of the columns of classes known before / mean norm of the columns of the new classes
/// ```
///
/// with norms of weights, √Σw²; biases of classes, where there are any, are left alone, as in the paper. Where there is
/// no old or no new class, or no weight but 0, nothing is changed. Nothing is kept.
///
/// It is made for new columns that have become louder than old ones. After few steps of training, or small ones, a column
/// that was drawn anew is still quieter; it is then made louder, and its class may take over those of old ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aligned {}

impl Member for Aligned {
    const KIND: &'static str = "aligned";
    const ABOUT: &'static str = "as redrawn, and after a task new columns are scaled to the mean norm of old ones (weight aligning)";
}

impl Head for Aligned {
    fn begin(&self, place: &HeadPlace<'_>) -> Result<Box<dyn HeadState>, HeadError> {
        Ok(Box::new(Aligns(place.stage)))
    }
}

#[derive(Debug)]
struct Aligns(Stage);

impl HeadState for Aligns {
    fn task_begins(
        &mut self,
        network: &mut Network,
        task: &TaskClasses,
        generator: &mut ChaCha8Rng,
    ) -> Result<(), HeadError> {
        redraw_unseen(network, self.0, task, generator)
    }

    fn task_ends(&mut self, network: &mut Network, task: &TaskClasses) -> Result<(), HeadError> {
        let Some(mut columns) = network.class_columns(self.0) else {
            return Ok(());
        };
        let mean_norm = |classes: &mut dyn Iterator<Item = ClassId>| {
            let norms = classes.map(|class| norm(columns.weights.column(class.index())));
            let (sum, number) =
                norms.fold((0.0, 0), |(sum, number), norm| (sum + norm, number + 1));
            sum / f64::from(number)
        };
        let old = mean_norm(&mut task.known.iter().copied());
        let new = mean_norm(&mut task.unseen());
        let factor = old / new;
        // Not so where either is of no class, or 0.
        if factor.is_finite() && factor > 0.0 {
            for class in task.unseen() {
                let mut column = columns.weights.column_mut(class.index());
                column.mapv_inplace(|weight| (f64::from(weight) * factor) as f32);
            }
        }
        Ok(())
    }
}

/// √Σw².
fn norm(column: ArrayView1<'_, f32>) -> f64 {
    let squares = column.iter().map(|&weight| f64::from(weight).powi(2));
    squares.sum::<f64>().sqrt()
}
