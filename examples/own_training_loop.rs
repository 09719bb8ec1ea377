//! A training loop of one's own: gradients are made, added, scaled, clipped and looked at, and an optimiser of
//! one's own takes the step.
//!
//! `cargo run --release --example own_training_loop`, in a checkout of respike.

#![allow(clippy::print_stdout, reason = "a program that says what came out")]

use std::error::Error;
use std::path::Path;

use rand::seq::SliceRandom;
use respike::dataset::{DatasetBuilder, ShdFile};
use respike::ids::ClassId;
use respike::network::{
    Errors, Gradients, LayerSettings, Network, NetworkSpec, ParameterName, Reach, Stage,
};
use respike::random::{MasterSeed, Purpose};
use respike::registry::Member;
use respike::train::{
    BlockLoss, DatasetExamples, Moved, Optimiser, UpdateRule, batch_gradient_by, cross_entropy,
    evaluate,
};
use serde::{Deserialize, Serialize};

/// Lion (Chen et al. 2023): the sign of what is interpolated between the gradient and its mean.
#[derive(Debug, Serialize, Deserialize)]
struct Lion {
    beta1: f32,
    beta2: f32,
}

impl Member for Lion {
    const KIND: &'static str = "lion";
    const ABOUT: &'static str = "moves by the sign of an interpolated gradient";
}

impl UpdateRule for Lion {
    fn remembers(&self) -> &'static [&'static str] {
        &["mean"]
    }

    fn step(&self, moved: Moved<'_>) {
        let rate = moved.learning_rate;
        moved.each(|weight, gradient, [mean]| {
            let between = self.beta1 * *mean + (1.0 - self.beta1) * gradient;
            // Where nothing is known of a weight it stays.
            if between != 0.0 {
                *weight -= rate * between.signum();
            }
            *mean = self.beta2 * *mean + (1.0 - self.beta2) * gradient;
        });
    }
}

/// All of it; a test runs it, too.
pub fn main() -> Result<(), Box<dyn Error>> {
    let reference = NetworkSpec::dequino2024();
    let mut settings = reference.settings().clone();
    settings.layers = vec![LayerSettings::new(60, true), LayerSettings::new(30, true)];
    (settings.input.units, settings.readout.classes) = (70, 10);
    settings.init.weight_scale = 0.5;
    let spec = settings.check()?;

    let file = ShdFile::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data/fsdd70_train.h5"))?;
    let names = file.class_names().to_vec();
    let mut builder = DatasetBuilder::new(spec.grid(), spec.inputs(), names)?;
    for sample in (0..file.len()).step_by(5) {
        for recording in file.read(sample..sample + 1)? {
            builder.push(&recording)?;
        }
    }
    let data = builder.build()?;
    let examples = DatasetExamples::all(&data);

    let seed = MasterSeed(1);
    let mut network = Network::new(spec, seed);
    let mut optimiser = Optimiser::new(Lion {
        beta1: 0.9,
        beta2: 0.99,
    })?;
    let mut order: Vec<usize> = (0..data.len()).collect();
    let mut shuffle = seed.stream(Purpose::Shuffle);
    let (stage, before) = (Stage::Whole, evaluate(&network, Stage::Whole, &examples)?);
    for epoch in 0..20 {
        order.shuffle(&mut shuffle);
        let (mut loss_sum, mut largest) = (0.0, 0.0f64);
        // Each step is of two batches of 32 samples. Blocks of a batch run on all cores; whatever their
        // number, the gradients are the same to the last bit.
        for batches in order.chunks(64) {
            let mut sum = Gradients::zeros(&network, stage);
            for batch in batches.chunks(32) {
                let found =
                    batch_gradient_by(&network, stage, &examples, batch, Reach::Logits, |block| {
                        let classes: Vec<ClassId> =
                            block.targets.iter().map(|target| target.class).collect();
                        let logits = block.activity.logits();
                        let (loss_sum, errors) =
                            cross_entropy(logits.view(), &classes, block.batch_size);
                        Ok(BlockLoss::new(loss_sum, Errors::of_logits(errors)))
                    })?;
                loss_sum += found.loss_sum;
                sum.add(&found.gradients)?;
            }
            sum.scale(0.5);
            largest = largest.max(sum.clip_norm(1.0));
            let readout = sum.matrix(ParameterName::Readout).ok_or("it is trained")?;
            assert!(readout.iter().all(|error| error.is_finite()));
            optimiser.step(&mut network, &sum, 3e-4)?;
        }
        let loss = loss_sum / data.len() as f64;
        println!("epoch {epoch}: loss {loss:.3}, largest norm of a gradient {largest:.2}");
    }
    let after = evaluate(&network, stage, &examples)?;
    println!(
        "accuracy {:.2} → {:.2}",
        before.accuracy(),
        after.accuracy()
    );
    assert!(after.accuracy() > before.accuracy() + 0.3, "it learns");
    assert_eq!(
        optimiser.memory().next().map(|(name, _)| name),
        Some("mean")
    );
    Ok(())
}
