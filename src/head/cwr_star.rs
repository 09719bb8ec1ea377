use ndarray::{Array2, ArrayView2};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Head, HeadError, HeadPlace, HeadState, TaskClasses};
use crate::ids::ClassId;
use crate::network::{Network, Stage};
use crate::registry::Member;
use crate::storage::{SavedState, Tensor};

/// CWR* (Lomonaco et al. 2020, arXiv:1907.03799; Pellegrini et al. 2020, arXiv:1912.01100): a readout that is trained for
/// the classes of a task alone, and whose columns are averaged over tasks.
///
/// For each class there is a consolidated column cw. Before a task, the columns of the classes among its samples, new
/// and replayed, are set to theirs, and all others to 0, so that the classes of a task compete with each other alone.
/// After it, with w the trained columns, w̄ the mean of all weights of the classes of the task, and n of its samples of a
/// class, of which there were N in earlier tasks,
///
/// ```text
/// cw ← (cw·√(N/n) + w − w̄) / (√(N/n) + 1)        N ← N + n
/// ```
///
/// and all columns are set to theirs, 0 for a class that never came: with these the network is tested. While a task is
/// being learned, tests see the columns as they are then. Pre-training is the first task; what is before it is as the
/// network was made. Classes' biases, where there are any, are treated alike, with a mean of their own; weights between
/// units of the last layer, where these are the classes, are not touched.
///
/// One thing differs from the papers: a class that never came begins with a column drawn anew
/// ([`Network::redraw_class`]) and not with 0. Under a maximum over time, a column of 0 has a trace of 0, whose first
/// step is the maximum, without a gradient; the class could never be learned.
///
/// A task of a single class and without replays leaves little of a column, as w̄ is its own mean: it needs replays.
///
/// Kept are N's, 8 bytes a class. The consolidated columns lie in the network itself between tasks, as it classifies
/// with them; that they are there twice while a task is being learned is as with an optimiser's moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CwrStar {}

impl Member for CwrStar {
    const KIND: &'static str = "cwr-star";
    const ABOUT: &'static str =
        "trained for the classes of a task alone; columns are averaged over tasks";
}

impl Head for CwrStar {
    fn begin(&self, place: &HeadPlace<'_>) -> Result<Box<dyn HeadState>, HeadError> {
        Ok(Box::new(Consolidates {
            stage: place.stage,
            past: vec![0; place.network.spec().classes()],
            between_tasks: None,
        }))
    }
}

const PAST: &str = "past";

#[derive(Debug)]
struct Consolidates {
    stage: Stage,
    /// Samples of each class in all tasks so far.
    past: Vec<u64>,
    /// Consolidated weights, and biases, while a task is being learned.
    between_tasks: Option<Vec<Array2<f32>>>,
}

impl Consolidates {
    fn classes(&self) -> impl Iterator<Item = ClassId> + use<> {
        (0..=u16::MAX).map(ClassId).take(self.past.len())
    }
}

impl HeadState for Consolidates {
    fn task_begins(
        &mut self,
        network: &mut Network,
        task: &TaskClasses,
        generator: &mut ChaCha8Rng,
    ) -> Result<(), HeadError> {
        // Pre-training has been: this is told before the first task only so that it can be told of its end.
        if task.known.is_empty() {
            return Ok(());
        }
        let Some(columns) = network.class_columns(self.stage) else {
            return Ok(());
        };
        let mut between_tasks = Vec::new();
        for mut part in columns.parts() {
            between_tasks.push(part.to_owned());
            for class in self.classes() {
                if task.samples_of(class) == 0 || self.past[class.index()] == 0 {
                    part.column_mut(class.index()).fill(0.0);
                }
            }
        }
        self.between_tasks = Some(between_tasks);
        for class in self.classes() {
            if task.samples_of(class) > 0 && self.past[class.index()] == 0 {
                network.redraw_class(self.stage, class, generator)?;
            }
        }
        Ok(())
    }

    fn task_ends(&mut self, network: &mut Network, task: &TaskClasses) -> Result<(), HeadError> {
        let between_tasks = self.between_tasks.take();
        let present = |class: &ClassId| task.samples_of(*class) > 0;
        let present: Vec<ClassId> = self.classes().filter(present).collect();
        let columns = network.class_columns(self.stage);
        // A network that is given without samples of what it learned is left as it is.
        let Some(columns) = columns.filter(|_| between_tasks.is_some() || !present.is_empty())
        else {
            return Ok(());
        };
        for (place, mut part) in columns.parts().enumerate() {
            let trained = part.to_owned();
            let mean = mean_of(trained.view(), &present);
            if let Some(parts) = &between_tasks {
                part.assign(&parts[place]);
            }
            for class in self.classes() {
                let (past, now) = (self.past[class.index()], task.samples_of(class));
                let column = class.index();
                let earlier = match (past, now) {
                    (0, 0) => {
                        part.column_mut(column).fill(0.0);
                        continue;
                    }
                    (_, 0) => continue,
                    _ => (past as f64 / now as f64).sqrt(),
                };
                let trained = trained.column(column);
                let pairs = part.column_mut(column).into_iter().zip(trained);
                for (kept, trained) in pairs {
                    let new = f64::from(*trained) - mean;
                    // Nothing was consolidated of a class that never came, whatever stood in its column.
                    let old = if past == 0 { 0.0 } else { f64::from(*kept) };
                    *kept = ((old * earlier + new) / (earlier + 1.0)) as f32;
                }
            }
        }
        for class in present {
            let past = &mut self.past[class.index()];
            *past = past.saturating_add(task.samples_of(class));
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        (size_of::<u64>() * self.past.len()) as u64
    }

    fn save(&self) -> SavedState {
        SavedState::default().with(PAST, Tensor::U64(self.past.clone()))
    }

    fn restore(&mut self, mut saved: SavedState) -> Result<(), String> {
        let classes = self.past.len();
        match saved.take(PAST)? {
            Tensor::U64(past) if past.len() == classes => {
                (self.past, self.between_tasks) = (past, None);
                Ok(())
            }
            _ => Err(format!(
                "the array `{PAST}` is not one whole number for each of {classes} classes"
            )),
        }
    }
}

/// The mean of all numbers in the columns of some classes.
fn mean_of(columns: ArrayView2<'_, f32>, classes: &[ClassId]) -> f64 {
    let numbers = classes
        .iter()
        .flat_map(|class| columns.column(class.index()));
    let sum: f64 = numbers.map(|&number| f64::from(number)).sum();
    sum / (columns.nrows() * classes.len()).max(1) as f64
}
