//! A loss of one's own, on the readout in every step, on membranes and on spikes; and a surrogate of one's own.
//!
//! The readout of a sample's class should stand above all others by a margin, in every step of the second
//! quarter; membranes should not sink far below zero; and units should be quiet at the very end. With o the
//! readout, c the class, u the membranes and s the spikes, a sample of T steps costs
//!
//! ```text
//! 1/T Σ_{T/4 ≤ t < T/2} Σ_{k ≠ c} max(0, 1 + o_k − o_c)²  +  floor Σ min(0, u + 1)²  +  quiet Σ_{t ≥ 0.9 T} s
//! ```
//!
//! `cargo run --release --example own_loss`, in a checkout of respike.

#![allow(clippy::print_stdout, reason = "a program that says what came out")]

use std::error::Error;
use std::path::Path;

use ndarray::Array3;
use respike::check::gradients;
use respike::dataset::{Dataset, DatasetBuilder, ShdFile};
use respike::ids::SampleIndex;
use respike::network::{Errors, LayerSettings, Network, NetworkSpec, NeuronSettings, Reach, Stage};

use respike::random::{MasterSeed, Purpose};
use respike::real::Real;
use respike::registry::{BadSetting, Member, Registry};
use respike::surrogate::Surrogate;
use respike::train::{
    Adam, Block, BlockLoss, Checkpoint, DatasetExamples, Objective, TrainError, Trainer,
    TrainingSettings,
};
use serde::{Deserialize, Serialize};

/// Its settings, as `--objective '{ kind = "margin", floor = 1e-3, quiet = 1e-4 }'` says them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Margin {
    floor: f64,
    quiet: f64,
}

impl Member for Margin {
    const KIND: &'static str = "margin";
    const ABOUT: &'static str = "the class's readout above all others, in every step";

    fn check(&self) -> Result<(), BadSetting> {
        BadSetting::unless_positive("floor", self.floor)?;
        BadSetting::unless_positive("quiet", self.quiet)
    }
}

impl Objective for Margin {
    /// Errors go back from every step, not from those alone that logits depend on.
    fn reach(&self) -> Reach {
        Reach::EveryStep
    }

    fn of_block(&self, block: &Block<'_>) -> Result<BlockLoss, TrainError> {
        let mut loss = BlockLoss::default();
        let mean = 1.0 / block.batch_size as f64; // of the batch, not of the block
        let readout = block.activity.readout();
        let mut of_readout = Array3::zeros(readout.dim());
        for (sample, target) in block.targets.iter().enumerate() {
            let (steps, class) = (block.activity.steps_of(sample), target.class.index());
            for step in steps / 4..steps / 2 {
                for other in (0..readout.dim().2).filter(|&other| other != class) {
                    let short =
                        1.0 + readout[[sample, step, other]] - readout[[sample, step, class]];
                    let short = short.max(0.0);
                    loss.loss_sum += short * short / steps as f64;
                    let error = 2.0 * short / steps as f64 * mean;
                    of_readout[[sample, step, other]] += error;
                    of_readout[[sample, step, class]] -= error;
                }
            }
        }
        loss.errors = Errors::none().and_readout(of_readout);
        for layer in 0..block.activity.layers() {
            let below = block.activity.membrane(layer)?.mapv(|u| (u + 1.0).min(0.0));
            loss.loss_sum += self.floor * below.mapv(|u| u * u).sum();
            let of_membrane = below.mapv(|u| 2.0 * self.floor * u * mean);
            let spikes = block.activity.spikes(layer);
            let late = Array3::from_shape_fn(spikes.dim(), |(sample, step, _)| {
                let steps = block.activity.steps_of(sample);
                f64::from(u8::from(step >= steps * 9 / 10 && step < steps)) * self.quiet
            });
            loss.loss_sum += (&spikes * &late).sum();
            loss.errors = loss.errors.and_membrane(layer, of_membrane);
            loss.errors = loss.errors.and_spikes(layer, late * mean);
        }
        Ok(loss)
    }
}

/// A surrogate that is not among ours: 1 / (1 + (x / width)²).
#[derive(Debug, Serialize, Deserialize)]
struct Lorentzian {
    width: f32,
}

impl Member for Lorentzian {
    const KIND: &'static str = "lorentzian";
    const ABOUT: &'static str = "1 / (1 + (x / width)²)";
}

impl Surrogate for Lorentzian {
    #[inline(always)]
    fn derivative<R: Real>(&self, x: R) -> R {
        let x = x / x.constant(self.width);
        x.one() / (x.one() + x * x)
    }

    fn primitive(&self, x: f64) -> f64 {
        let width = f64::from(self.width);
        0.5 + width * (x / width).atan()
    }
}

/// All of it; a test runs it, too.
pub fn main() -> Result<(), Box<dyn Error>> {
    // What a program with these parts does first: specs, flags, help and checkpoints know them from here on.
    let registry = Registry::builtin();
    registry
        .with_objective::<Margin>()
        .with_surrogate::<Lorentzian>()
        .install();

    let reference = NetworkSpec::dequino2024();
    let mut settings = reference.settings().clone();
    settings.neuron = NeuronSettings::new(settings.neuron.model, Lorentzian { width: 0.1 });
    settings.layers = vec![LayerSettings::new(40, true)];
    (settings.input.units, settings.readout.classes) = (70, 10);
    settings.init.weight_scale = 0.5;
    let spec = settings.check()?;
    let data = digits(&spec)?;

    // Are its errors those of its loss, all the way down?
    let margin = Margin {
        floor: 1e-3,
        quiet: 1e-4,
    };
    let seed = MasterSeed(1);
    let network = Network::new(spec, seed);
    let some = DatasetExamples::new(&data, vec![SampleIndex(0), SampleIndex(7)]);
    gradients(&network, Stage::Whole, &some, &margin.clone().into(), seed)?;

    let training = TrainingSettings::default()
        .with_batch_size(16)
        .with_learning_rate(2e-3)
        .with_optimiser(Adam::default())
        .with_losses(margin.clone());
    let mut trainer = Trainer::new(network, Stage::Whole, training, seed, Purpose::Shuffle)?;
    let examples = DatasetExamples::all(&data);
    let first = trainer.epoch(&examples)?;
    let mut last = first.clone();
    for _ in 1..25 {
        last = trainer.epoch(&examples)?;
    }
    println!("loss {:.2} → {:.2}", first.loss, last.loss);
    println!("accuracy {:.2} → {:.2}", first.accuracy, last.accuracy);
    assert!(last.loss < first.loss / 2.0 && last.accuracy > first.accuracy + 0.2);

    // A checkpoint knows how it was trained, and goes on.
    let path = std::env::temp_dir().join(format!("margin-{}.safetensors", std::process::id()));
    let saved = Checkpoint::new(trainer.network().clone(), data.recordings())
        .with_trainer(trainer.state())
        .with_class_names(data.class_names());
    saved.save(&path)?;
    let loaded = Checkpoint::load(&path)?;
    std::fs::remove_file(&path)?;
    let state = loaded.trainer.ok_or("it was saved with its trainer")?;
    assert_eq!(state.settings.losses.objective.get(), Some(margin));
    let mut resumed = Trainer::resume(loaded.network, state)?;
    assert_eq!(resumed.epoch(&examples)?, trainer.epoch(&examples)?);
    Ok(())
}

/// A fifth of the digits that ship, to be done in seconds.
fn digits(spec: &NetworkSpec) -> Result<Dataset, Box<dyn Error>> {
    let file = ShdFile::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data/fsdd70_train.h5"))?;
    let names = file.class_names().to_vec();
    let mut builder = DatasetBuilder::new(spec.grid(), spec.inputs(), names)?;
    for sample in (0..file.len()).step_by(5) {
        for recording in file.read(sample..sample + 1)? {
            builder.push(&recording)?;
        }
    }
    Ok(builder.build()?)
}
