//! What becomes of a readout's columns.

use ndarray::array;

use super::*;
use crate::network::ParameterName;
use crate::readout::SpikeCountReadout;

fn started(head: impl Head, network: &Network, stage: Stage) -> Box<dyn HeadState> {
    let place = HeadPlace::new(network, stage, MasterSeed(1));
    head.begin(&place).expect("it fits")
}

/// What training is taken to have come to.
fn set(network: &mut Network, weights: Array2<f32>) {
    let mut columns = network.class_columns(Stage::Whole).expect("it has them");
    columns.weights.assign(&weights);
}

fn weights(network: &mut Network) -> Array2<f32> {
    let columns = network.class_columns(Stage::Whole).expect("it has them");
    columns.weights.to_owned()
}

fn generator() -> ChaCha8Rng {
    MasterSeed(1).stream(Purpose::NewClass)
}

/// 4 samples of the first class and 16 of the second.
fn pretraining() -> TaskClasses {
    TaskClasses::new(vec![4, 16, 0], vec![0; 3], classes(&[]))
}

#[test]
fn cwr_star_averages_columns_over_two_tasks() {
    let mut network = small();
    let mut head = started(CwrStar {}, &network, Stage::Whole);
    assert_eq!(head.bytes(), 3 * 8);

    // The mean over the first two is 3; the third never came.
    let trained = array![[1.0, 3.0, 9.0], [3.0, 5.0, 9.0]];
    set(&mut network, trained.clone());
    let task = pretraining();
    let told = head.task_begins(&mut network, &task, &mut generator());
    told.expect("it fits");
    assert_eq!(weights(&mut network), trained, "it was pre-trained by now");
    head.task_ends(&mut network, &task).expect("it fits");
    let after = array![[-2.0, 0.0, 0.0], [0.0, 2.0, 0.0]];
    assert_eq!(weights(&mut network), after);

    // The third class with a replay of the first: the second stands aside.
    let task = TaskClasses::new(vec![0, 0, 8], vec![1, 0, 0], classes(&[0, 1]));
    let told = head.task_begins(&mut network, &task, &mut generator());
    told.expect("it fits");
    let now = weights(&mut network);
    assert_eq!(now.column(0), array![-2.0, 0.0]);
    assert_eq!(now.column(1), array![0.0, 0.0]);
    let mut redrawn = small();
    let drawn = redrawn.redraw_class(Stage::Whole, ClassId(2), &mut generator());
    drawn.expect("it has it");
    assert_eq!(now.column(2), weights(&mut redrawn).column(2));

    // The mean over both is 3: (1, 3) and (−1, −3) are left. √(4/1) = 2: ((−2, 0)·2 + (1, 3))/3.
    set(&mut network, array![[4.0, 7.0, 2.0], [6.0, 7.0, 0.0]]);
    head.task_ends(&mut network, &task).expect("it fits");
    let after = array![[-1.0, 0.0, -1.0], [1.0, 2.0, -3.0]];
    assert_eq!(weights(&mut network), after);

    // Another head goes on from what was saved, with counts of 5, 16 and 8: √(16/4) = 2, √(8/2) = 2.
    let saved = head.save();
    let mut head = started(CwrStar {}, &network, Stage::Whole);
    head.restore(saved).expect("its own");
    let task = TaskClasses::new(vec![0, 1, 2], vec![0, 3, 0], classes(&[0, 1, 2]));
    let told = head.task_begins(&mut network, &task, &mut generator());
    told.expect("it fits");
    let aside = array![[0.0, 0.0, -1.0], [0.0, 2.0, -3.0]];
    assert_eq!(weights(&mut network), aside);
    // The mean over the last two is 1: (3, 2) and (−1, −4) are left.
    set(&mut network, array![[7.0, 4.0, 0.0], [7.0, 3.0, -3.0]]);
    head.task_ends(&mut network, &task).expect("it fits");
    let after = array![[-1.0, 1.0, -1.0], [1.0, 2.0, -10.0 / 3.0]];
    assert_eq!(weights(&mut network), after);
}

#[test]
fn cwr_star_treats_biases_alike_and_leaves_alone_what_is_not_trained() {
    let spiking = |layers: usize| {
        let mut last = LayerSettings::new(CLASSES, true);
        last.bias = true;
        let readout = ReadoutSettings::new(CLASSES, SpikeCountReadout {});
        network(vec![last; layers], readout)
    };
    let mut network = spiking(2);
    let mut head = started(CwrStar {}, &network, above(&network, 1));
    let mut columns = network.class_columns(Stage::Whole).expect("it has them");
    let biases = columns.biases.as_mut().expect("it has them");
    biases.assign(&array![1.0, 3.0, 5.0]);
    head.task_ends(&mut network, &pretraining())
        .expect("it fits");
    let biases = network.parameters().get(ParameterName::Bias(1));
    let biases = biases.expect("it has them").to_owned();
    assert_eq!(biases, array![-1.0, 1.0, 0.0].into_dyn());

    // Latents of a single layer are made with these weights.
    let mut network = spiking(1);
    let before = network.clone();
    let mut head = started(CwrStar {}, &network, above(&network, 0));
    for task in [
        pretraining(),
        TaskClasses::new(vec![0, 0, 8], vec![1, 0, 0], classes(&[0, 1])),
    ] {
        let told = head.task_begins(&mut network, &task, &mut generator());
        told.expect("it fits");
        head.task_ends(&mut network, &task).expect("it fits");
    }
    assert_eq!(network, before);
}

/// A network may be given without samples of what it was trained with.
#[test]
fn cwr_star_keeps_columns_that_no_sample_speaks_of() {
    let mut network = small();
    let before = network.clone();
    let mut head = started(CwrStar {}, &network, Stage::Whole);
    let none = TaskClasses::new(vec![0; 3], vec![0; 3], classes(&[]));
    head.task_ends(&mut network, &none).expect("it fits");
    assert_eq!(network, before);
}

#[test]
fn cwr_star_refuses_counts_of_other_classes() {
    let network = small();
    let mut head = started(CwrStar {}, &network, Stage::Whole);
    let other = SavedState::default().with("past", crate::storage::Tensor::U64(vec![1, 2]));
    let refused = head.restore(other).expect_err("too few");
    assert!(refused.contains("3 classes"), "{refused}");
    head.restore(SavedState::default()).expect_err("missing");
}

#[test]
fn new_columns_are_aligned_with_old_ones() {
    let mut network = small();
    let mut head = started(Aligned {}, &network, Stage::Whole);
    // Norms of 5, 15 and 2.5: 10 on average over what is old is 4 times 2.5.
    let trained = array![[3.0, 0.0, 1.5], [4.0, 15.0, 2.0]];
    set(&mut network, trained.clone());
    head.task_ends(&mut network, &pretraining())
        .expect("it fits");
    assert_eq!(weights(&mut network), trained, "nothing is old");

    let task = TaskClasses::new(vec![2, 0, 8], vec![1, 0, 0], classes(&[0, 1]));
    let told = head.task_begins(&mut network, &task, &mut generator());
    told.expect("it fits");
    assert_ne!(
        weights(&mut network).column(2),
        trained.column(2),
        "redrawn"
    );
    set(&mut network, trained);
    head.task_ends(&mut network, &task).expect("it fits");
    let aligned = array![[3.0, 0.0, 6.0], [4.0, 15.0, 8.0]];
    assert_eq!(weights(&mut network), aligned);

    let task = TaskClasses::new(vec![2, 0, 8], vec![0; 3], classes(&[0, 1, 2]));
    head.task_ends(&mut network, &task).expect("it fits");
    assert_eq!(weights(&mut network), aligned, "nothing is new");

    let silent = array![[3.0, 0.0, 0.0], [4.0, 15.0, 0.0]];
    set(&mut network, silent.clone());
    let task = TaskClasses::new(vec![0, 0, 8], vec![0; 3], classes(&[0, 1]));
    head.task_ends(&mut network, &task).expect("it fits");
    assert_eq!(weights(&mut network), silent, "0 is 0 however often");
    assert_eq!(head.bytes(), 0);
}
