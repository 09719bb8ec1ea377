//! A neuron of one's own, from its equations to a continual-learning experiment.
//!
//! The quadratic integrate-and-fire neuron, in steps of the grid, with h its drive:
//!
//! ```text
//! û = u + u·(u − critical) / tau + h
//! s = [û > 1]
//! u ← û·(1 − s)                         the reset is not differentiated
//! ```
//!
//! `cargo run --release --example own_neuron`, in a checkout of respike.

#![allow(clippy::print_stdout, reason = "a program that says what came out")]

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;

use respike::check::neuron_gradients;
use respike::continual::{Experiment, LearningDefaults, NewClass, Protocol, Start, run};
use respike::dataset::{DatasetBuilder, ShdFile};
use respike::ids::ClassId;
use respike::method::Method;
use respike::network::{
    InitSettings, InputSettings, LayerSettings, Network, NetworkSettings, NeuronSettings,
    ReadoutSettings, Stage,
};
use respike::neuron::{Neuron, Role, Spike, Taken};
use respike::random::{MasterSeed, Purpose};
use respike::real::Real;
use respike::registry::Member;
use respike::replay::{Capacity, CodecSettings, Memory, PolicySettings};
use respike::surrogate::FastSigmoid;
use respike::train::{Checkpoint, DatasetExamples, Trainer, evaluate};
use serde::{Deserialize, Serialize};

/// Its settings, as they stand in a spec: `neuron = { kind = "quadratic", tau_steps = 8.0, … }`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Quadratic {
    tau_steps: f32,
    critical: f32,
}

impl Member for Quadratic {
    const KIND: &'static str = "quadratic";
    const ABOUT: &'static str = "quadratic integrate-and-fire";
}

impl Neuron for Quadratic {
    type Raw<R: Real> = [R; 0]; // nothing is learned
    type Parameters<R: Real> = [R; 0];
    type State<R: Real> = [R; 1]; // u
    type Tape<R: Real> = [R; 2]; // û, and u before
    type Observed<R: Real> = [R; 1];

    fn roles(&self) -> Vec<Role> {
        Vec::new()
    }

    fn observed(&self) -> &'static [&'static str] {
        &["membrane"]
    }

    fn parameters<R: Real>(&self, _: &[R; 0]) -> [R; 0] {
        []
    }

    fn raw_gradient<R: Real>(&self, _: &[R; 0], _: &[R; 0]) -> [R; 0] {
        []
    }

    #[inline(always)]
    fn step<R: Real>(
        &self,
        _: &[R; 0],
        state: &mut [R; 1],
        drive: R,
        fire: impl FnOnce(R) -> Spike<R>,
    ) -> [R; 2] {
        let [before] = *state;
        let rate = drive.constant(1.0 / self.tau_steps);
        let pull = before * (before - drive.constant(self.critical));
        let membrane = (before + rate * pull + drive).flush();
        let spike = fire(membrane - drive.one());
        *state = [spike.reset(membrane)];
        [membrane, before]
    }

    #[inline(always)]
    fn distance<R: Real>(&self, _: &[R; 0], tape: &[R; 2]) -> R {
        tape[0] - tape[0].one()
    }

    #[inline(always)]
    fn back<R: Real>(
        &self,
        _: &[R; 0],
        step: Taken<R, [R; 2]>,
        errors: &mut [R; 1],
        _: &mut [R; 0],
    ) -> R {
        let [_, before] = step.tape;
        let rate = before.constant(1.0 / self.tau_steps);
        let kept = step.spike.reset(errors[0]);
        let error = (kept + step.error_spike.flush() * step.slope + step.error_membrane).flush();
        let pull = before + before - before.constant(self.critical);
        *errors = [(error * (before.one() + rate * pull)).flush()];
        error
    }

    fn observe<R: Real>(&self, _: &[R; 0], step: &Taken<R, [R; 2]>) -> [R; 1] {
        [step.tape[0]]
    }
}

/// All of it; a test runs it, too.
pub fn main() -> Result<(), Box<dyn Error>> {
    let neuron = Quadratic {
        tau_steps: 20.0,
        critical: 0.4,
    };
    // Is the way back that of the way there?
    let surrogate = FastSigmoid { slope: 20.0 };
    neuron_gradients(&neuron, [], &surrogate, MasterSeed(1))?;

    let settings = NetworkSettings::new(
        "quadratic",
        InputSettings::plain(70, 100, 1.4),
        NeuronSettings::new(neuron, surrogate),
        vec![LayerSettings::new(100, true), LayerSettings::new(50, true)],
        ReadoutSettings::dequino2024(10),
    );
    let spec = settings.with_init(InitSettings::new(1.0)).check()?;

    // A fifth of the digits, to be done in seconds.
    let file = ShdFile::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data/fsdd70_train.h5"))?;
    let (grid, inputs) = (spec.grid(), spec.inputs());
    let mut builder = DatasetBuilder::new(grid, inputs, file.class_names().to_vec())?;
    for sample in (0..file.len()).step_by(5) {
        for recording in file.read(sample..sample + 1)? {
            builder.push(&recording)?;
        }
    }
    let data = builder.build()?;

    // Train it, and see that it learns.
    let training = LearningDefaults::training(3e-3).with_batch_size(16);
    let seed = MasterSeed(1);
    let network = Network::new(spec.clone(), seed);
    let mut trainer = Trainer::new(
        network,
        Stage::Whole,
        training.clone(),
        seed,
        Purpose::Shuffle,
    )?;
    let examples = DatasetExamples::all(&data);
    let first = trainer.epoch(&examples)?;
    let mut last = first.clone();
    for _ in 1..40 {
        last = trainer.epoch(&examples)?;
    }
    println!("accuracy {:.2} → {:.2}", first.accuracy, last.accuracy);
    assert!(last.accuracy > first.accuracy + 0.2, "it learns");

    // Saved, it is itself again when it is loaded.
    let path = std::env::temp_dir().join(format!("quadratic-{}.safetensors", std::process::id()));
    let saved = Checkpoint::new(trainer.into_network(), data.recordings())
        .with_class_names(data.class_names());
    saved.save(&path)?;
    let loaded = Checkpoint::load(&path)?;
    std::fs::remove_file(&path)?;
    let of = |network| evaluate(network, Stage::Whole, &examples);
    assert_eq!(
        of(&loaded.network)?.correct(),
        of(&saved.network)?.correct()
    );

    // And it goes on learning: a tenth class, with replays of what its first layer made of the others.
    let scenario = NewClass { class: ClassId(9) };
    let capacity = Capacity::Bytes(200_000);
    let memory = Memory::new(
        CodecSettings::or(2)?,
        PolicySettings::class_balanced(),
        capacity,
    );
    let experiment = Experiment::new(scenario, Method::latent(1, memory), Protocol::Strict, seed)
        .with_pretraining(20, training.clone())
        .with_learning(10, training);
    let start = Start::Fresh(Box::new(Network::new(spec, seed)));
    let outcome = run(
        &experiment,
        &data,
        start,
        &mut |_| ControlFlow::Continue(()),
    )?;
    println!(
        "old {:.2} → {:.2}, new {:.2} → {:.2}",
        outcome.before.old, outcome.after.old, outcome.before.new, outcome.after.new
    );
    Ok(())
}
