//! Objectives that know of a task, on logits that are given.

use std::sync::Arc;

use ndarray::{Array2, Array3, Axis, array, concatenate};

use super::*;
use crate::ids::ClassId;
use crate::network::NetworkError;
use crate::train::Origin;

/// Samples that did nothing but to give logits.
struct Logits(Array2<f64>);

impl BlockActivity for Logits {
    fn samples(&self) -> usize {
        self.0.nrows()
    }
    fn steps_of(&self, _: usize) -> usize {
        0
    }
    fn layers(&self) -> usize {
        0
    }
    fn logits(&self) -> Array2<f64> {
        self.0.clone()
    }
    fn readout(&self) -> Array3<f64> {
        Array3::zeros((self.0.nrows(), 0, self.0.ncols()))
    }
    fn spike_counts(&self, _: usize) -> Array2<f64> {
        unreachable!("there is no layer")
    }
    fn spikes(&self, _: usize) -> Array3<f64> {
        unreachable!("there is no layer")
    }
    fn membrane(&self, _: usize) -> Result<Array3<f64>, NetworkError> {
        unreachable!("there is no layer")
    }
}

fn objectives() -> Vec<ObjectiveSettings> {
    vec![
        LossBalancing::default().into(),
        LossBalancing { lambda: Some(0.3) }.into(),
        ErAce::default().into(),
        DerPlusPlus::default().into(),
        DerPlusPlus {
            alpha: 0.7,
            beta: 0.0,
        }
        .into(),
        LearningWithoutForgetting::default().into(),
        LearningWithoutForgetting {
            lambda: 0.4,
            temperature: 3.0,
        }
        .into(),
    ]
}

fn classes(classes: &[u16]) -> Vec<ClassId> {
    classes.iter().copied().map(ClassId).collect()
}

fn new(class: u16) -> Target {
    Target::new(ClassId(class))
}

fn replayed(class: u16) -> Target {
    new(class).with_origin(Origin::Replayed)
}

/// Of five classes; class 4 is not seen yet, and class 1 comes again.
fn task() -> TaskFacts {
    TaskFacts::new(classes(&[0, 1]), classes(&[1, 2, 3]))
}

fn batch() -> (Array2<f64>, Vec<Target>) {
    let targets = vec![
        new(2),
        replayed(0).with_past_logits([0.4, -1.2, 0.0, 0.7, 0.1]),
        new(3).with_past_logits([1.0, 0.2, -0.5, 0.0, 0.3]),
        replayed(1),
        // Of a network that had three classes.
        replayed(0).with_past_logits([2.0, 0.5, -0.5]),
        new(1).with_past_logits([-0.3, 0.9]),
        // Of a class that the task does not say.
        new(4),
    ];
    let logits = Array2::from_shape_fn((targets.len(), 5), |(sample, class)| {
        2.0 * ((3 * sample + 7 * class) as f64).sin()
    });
    (logits, targets)
}

/// L of a batch in one block, and ∂L/∂logits.
fn loss(
    objective: &ObjectiveSettings,
    logits: &Array2<f64>,
    targets: &[Target],
    task: &TaskFacts,
) -> (f64, Array2<f64>) {
    let activity = Logits(logits.clone());
    let samples: Vec<usize> = (0..targets.len()).collect();
    let block = Block::new(&activity, &samples, targets, targets.len());
    let loss = objective
        .of_block(&block.with_task(task))
        .expect("logits are enough");
    let errors = (0..targets.len()).map(|sample| loss.errors.logits_of(sample, logits.ncols()));
    let errors = errors.flatten().collect();
    let errors = Array2::from_shape_vec(logits.dim(), errors).expect("as many");
    (loss.loss_sum / targets.len() as f64, errors)
}

#[test]
fn derivatives_are_those_of_finite_differences() {
    let (logits, targets) = batch();
    for objective in objectives() {
        for task in [task(), TaskFacts::default()] {
            let (_, errors) = loss(&objective, &logits, &targets, &task);
            for (at, error) in errors.indexed_iter() {
                let moved = |by: f64| {
                    let mut moved = logits.clone();
                    moved[at] += by;
                    loss(&objective, &moved, &targets, &task).0
                };
                let numeric = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                assert!(
                    (numeric - error).abs() < 1e-8,
                    "{objective:?} {at:?}: {numeric} {error}"
                );
            }
        }
    }
}

#[test]
fn blocks_of_a_batch_add_up_to_it() {
    let (logits, targets) = batch();
    let task = task();
    for objective in objectives() {
        let (expected, errors) = loss(&objective, &logits, &targets, &task);
        let mut sum = 0.0;
        let mut rows = Vec::new();
        for (start, end) in [(0, 1), (1, 5), (5, 7)] {
            let part = logits.slice_axis(Axis(0), (start..end).into()).to_owned();
            let activity = Logits(part);
            let samples: Vec<usize> = (start..end).collect();
            let block = Block::new(&activity, &samples, &targets[start..end], targets.len());
            let block = block.with_batch(&targets).with_task(&task);
            let loss = objective.of_block(&block).expect("logits are enough");
            sum += loss.loss_sum;
            for sample in 0..end - start {
                let row = loss.errors.logits_of(sample, 5);
                rows.push(Array2::from_shape_vec((1, 5), row).expect("as many"));
            }
        }
        assert!(
            (sum / targets.len() as f64 - expected).abs() < 1e-12,
            "{objective:?}"
        );
        let rows: Vec<_> = rows.iter().map(|row| row.view()).collect();
        assert_eq!(concatenate(Axis(0), &rows).expect("of one width"), errors);
    }
}

#[test]
fn without_a_task_and_of_new_samples_alone_each_is_cross_entropy_to_the_bit() {
    let (logits, targets) = batch();
    let plain: Vec<Target> = targets
        .iter()
        .map(|target| target.clone().with_origin(Origin::New))
        .collect();
    let expected = loss(
        &CrossEntropy::default().into(),
        &logits,
        &plain,
        &TaskFacts::default(),
    );
    for objective in objectives() {
        let found = loss(&objective, &logits, &plain, &TaskFacts::default());
        assert_eq!(found, expected, "{objective:?}");
        // None of them is in a task.
        let in_task = loss(&objective, &logits, &targets, &task());
        assert_ne!(in_task.0, expected.0, "{objective:?}");
    }
}

/// Softmax of 0.1, 0.2, 0.3 and 0.4.
fn tenths(samples: usize) -> Array2<f64> {
    let row = array![1.0f64, 2.0, 3.0, 4.0].mapv(f64::ln);
    row.broadcast((samples, 4)).expect("as wide").to_owned()
}

fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-7, "{found} {expected}");
}

#[test]
fn balanced_losses_weigh_classes_whatever_samples_they_have() {
    // Three of a current class, 0.4 each, and one of a past one, 0.1.
    let targets = [new(3), new(3), replayed(3), replayed(0)];
    let cost = |lambda, task: &TaskFacts, targets: &[Target]| {
        let objective = LossBalancing { lambda }.into();
        loss(&objective, &tenths(targets.len()), targets, task).0
    };
    let (of_current, of_past) = (2.5f64.ln(), 10f64.ln());
    let two = TaskFacts::new(classes(&[0]), classes(&[3]));
    assert_near(cost(None, &two, &targets), 0.5 * of_current + 0.5 * of_past);
    let given = cost(Some(0.25), &two, &targets);
    assert_near(given, 0.75 * of_current + 0.25 * of_past);
    // Two of three classes are past: 1 comes again.
    let more = TaskFacts::new(classes(&[0, 2, 1]), classes(&[1, 3]));
    assert_near(
        cost(None, &more, &targets),
        0.5 * of_current + 0.5 * of_past,
    );
    let most = TaskFacts::new(classes(&[0, 1, 2]), classes(&[3]));
    assert_near(
        cost(None, &most, &targets),
        0.25 * of_current + 0.75 * of_past,
    );
    // One of the two alone.
    assert_near(cost(Some(0.25), &two, &targets[..3]), of_current);
    assert_near(cost(Some(0.25), &two, &targets[3..]), of_past);
}

#[test]
fn new_samples_are_told_apart_from_new_classes_alone() {
    let task = TaskFacts::new(classes(&[0]), classes(&[2, 3]));
    let targets = [new(3), new(2), replayed(0)];
    let (found, errors) = loss(&ErAce {}.into(), &tenths(3), &targets, &task);
    let of_new = ((7.0f64 / 4.0).ln() + (7.0f64 / 3.0).ln()) / 2.0;
    assert_near(found, of_new + 8f64.ln());
    // Class 1 is not seen, and class 0 is nothing to new samples.
    let expected = array![
        [0.0, 0.0, 3.0 / 7.0 / 2.0, -3.0 / 7.0 / 2.0],
        [0.0, 0.0, -4.0 / 7.0 / 2.0, 4.0 / 7.0 / 2.0],
        [-7.0 / 8.0, 0.0, 3.0 / 8.0, 4.0 / 8.0],
    ];
    for (found, expected) in errors.iter().zip(&expected) {
        assert_near(*found, *expected);
    }
}

#[test]
fn replays_are_held_to_the_logits_that_they_had() {
    let logits = tenths(4);
    let moved = |by: [f64; 4]| -> Arc<[f32]> {
        let row = logits.row(0);
        let pairs = row.iter().zip(by).map(|(logit, by)| (logit + by) as f32);
        pairs.collect()
    };
    let targets = [
        new(3).with_past_logits([9.0, 9.0, 9.0, 9.0]),
        replayed(0).with_past_logits(moved([1.0, -1.0, 0.0, 2.0])),
        replayed(1).with_past_logits(&moved([3.0, 0.0, 0.0, 0.0])[..2]),
        replayed(1),
    ];
    let objective = DerPlusPlus {
        alpha: 0.2,
        beta: 0.6,
    };
    assert_eq!(objective.past_logits(), PastLogits::OfReplays);
    let found = loss(&objective.into(), &logits, &targets, &TaskFacts::default()).0;
    // (1 + 1 + 0 + 4)/4, and (9 + 0)/2.
    let squares = (1.5 + 4.5) / 2.0;
    let of_replays = (10f64.ln() + 2.0 * 5f64.ln()) / 3.0;
    assert_near(found, 2.5f64.ln() + 0.2 * squares + 0.6 * of_replays);
}

#[test]
fn old_classes_of_new_samples_stay_what_they_were() {
    let objective = LearningWithoutForgetting {
        lambda: 0.5,
        temperature: 2.0,
    };
    assert_eq!(objective.past_logits(), PastLogits::OfNew);
    let four = 4f64.ln();
    let logits = array![[0.0, four, 0.0], [0.0, four, 0.0]];
    let targets = [new(2).with_past_logits([four as f32, 0.0, 7.0]), new(1)];
    let task = TaskFacts::new(classes(&[0, 1]), classes(&[2]));
    let (found, errors) = loss(&objective.into(), &logits, &targets, &task);
    // Halved, ln 2 apart: 1/3 and 2/3 now, 2/3 and 1/3 before.
    let softened = -(2.0 / 3.0 * (1.0f64 / 3.0).ln() + 1.0 / 3.0 * (2.0f64 / 3.0).ln());
    let plain = (6f64.ln() + 1.5f64.ln()) / 2.0;
    assert_near(found, plain + 0.5 * 4.0 * softened / 2.0);
    // λ·T·(1/3 − 2/3), of the mean of two samples.
    assert_near(errors[[0, 0]], (1.0 / 6.0 - 1.0 / 3.0) / 2.0);
    assert_near(errors[[1, 0]], 1.0 / 6.0 / 2.0);
    assert_eq!(CrossEntropy::default().past_logits(), PastLogits::None);
}

#[test]
fn settings_out_of_range_are_refused() {
    for bad in [
        "{ kind = \"loss-balancing\", lambda = 1.5 }",
        "{ kind = \"loss-balancing\", lambda = -0.1 }",
        "{ kind = \"der-plus-plus\", alpha = -1.0 }",
        "{ kind = \"lwf\", temperature = 0.0 }",
        "{ kind = \"lwf\", lambda = inf }",
        "{ kind = \"er-ace\", alpha = 1.0 }",
    ] {
        let read: Result<ObjectiveSettings, String> = bad.parse();
        let refused = read.map(|objective| objective.check());
        assert!(!matches!(refused, Ok(Ok(()))), "{bad}");
    }
    for kind in ["loss-balancing", "er-ace", "der-plus-plus", "lwf"] {
        let read: ObjectiveSettings = kind.parse().expect("all have defaults");
        read.check().expect("in range");
        assert_eq!(read.to_string(), kind);
    }
}
