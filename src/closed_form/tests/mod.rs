mod contract;
mod formulas;

use rand::Rng;

use super::*;
use crate::random::{MasterSeed, Purpose};

type Samples = Vec<(Vec<f32>, ClassId)>;

/// Counts of spikes that depend on the class; the last unit never spikes.
fn counts(samples: usize, features: usize, classes: u16, seed: u64) -> Samples {
    let mut random = MasterSeed(seed).stream(Purpose::Shuffle);
    let mut sample = |place: usize| {
        let class = place as u16 % classes;
        let mut row: Vec<f32> = (0..features)
            .map(|unit| {
                let rate = 3 + (unit * 5 + usize::from(class) * 3) % 7;
                f32::from(random.random_range(0..rate as u16))
            })
            .collect();
        row[features - 1] = 0.0;
        (row, ClassId(class))
    };
    (0..samples).map(&mut sample).collect()
}

/// The same, but no whole numbers.
fn uneven(mut samples: Samples) -> Samples {
    for (row, _) in &mut samples {
        row.iter_mut().for_each(|x| *x = (*x * 0.37).sqrt() + 0.1);
    }
    samples
}

/// A learner that was given samples in this order.
fn taught<H: ClosedForm>(mut head: H, samples: &Samples) -> H {
    for (features, class) in samples {
        head.learn(features, *class).expect("it fits");
    }
    head.refit().expect("it can be solved");
    head
}

fn every(classes: usize, features: usize) -> [Box<dyn ClosedForm>; 4] {
    let expansion = RandomExpansion::new(features, 2 * features, MasterSeed(3)).expect("above 0");
    [
        Box::new(ClassMeans::new(classes, features).expect("small")),
        Box::new(StreamingLda::new(classes, features, 0.01).expect("small")),
        Box::new(Ridge::new(classes, features, 0.5).expect("small")),
        Box::new(Ridge::expanded(classes, expansion, 0.5).expect("small")),
    ]
}
