//! A neuron of a crate of one's own beside the built-in one of the same arithmetic: training steps of the
//! reference network, by turns in one run. What counts is the ratio.
//!
//! `cargo bench --bench own_neuron`

#![allow(clippy::print_stdout, reason = "a program that says what came out")]

use std::time::Instant;

use ndarray::Array2;
use rand::Rng;
use respike::ids::ClassId;
use respike::network::{Network, NetworkSpec, NeuronSettings, RoleName, Stage, StageInput};
use respike::neuron::{Neuron, Role, Spike, Start, Taken};
use respike::random::{MasterSeed, Purpose};
use respike::real::Real;
use respike::registry::Member;
use respike::simd::Simd;
use respike::spikes::SpikeCounts;
use respike::surrogate::FastSigmoid;
use respike::train::{StoredExamples, Trainer, TrainingSettings};
use serde::{Deserialize, Serialize};

/// How often each is timed.
const ROUNDS: usize = 15;

/// What `cuba-lif` computes, written in this crate.
#[derive(Debug, Serialize, Deserialize)]
struct Mine {
    alpha: f32,
    beta: f32,
}

impl Member for Mine {
    const KIND: &'static str = "mine";
    const ABOUT: &'static str =
        "leaky integrate-and-fire with a synaptic current, of another crate";
}

impl Neuron for Mine {
    type Raw<R: Real> = [R; 3];
    type Parameters<R: Real> = [R; 3];
    type State<R: Real> = [R; 2];
    type Tape<R: Real> = [R; 2];
    type Observed<R: Real> = [R; 2];

    fn roles(&self) -> Vec<Role> {
        let starts = [
            ("alpha", self.alpha),
            ("beta", self.beta),
            ("threshold", 1.0),
        ];
        let roles = starts.map(|(name, start)| Role::new(RoleName::new(name), Start::At(start)));
        roles.to_vec()
    }

    fn observed(&self) -> &'static [&'static str] {
        &["membrane", "synaptic"]
    }

    fn parameters<R: Real>(&self, raw: &[R; 3]) -> [R; 3] {
        *raw
    }

    fn raw_gradient<R: Real>(&self, _: &[R; 3], gradient: &[R; 3]) -> [R; 3] {
        *gradient
    }

    #[inline(always)]
    fn step<R: Real>(
        &self,
        [alpha, beta, threshold]: &[R; 3],
        state: &mut [R; 2],
        drive: R,
        fire: impl FnOnce(R) -> Spike<R>,
    ) -> [R; 2] {
        let [membrane, synaptic] = *state;
        let spike = fire(membrane - *threshold);
        let next = (*beta * membrane + synaptic).flush();
        *state = [spike.reset(next), (*alpha * synaptic + drive).flush()];
        [membrane, synaptic]
    }

    #[inline(always)]
    fn distance<R: Real>(&self, parameters: &[R; 3], tape: &[R; 2]) -> R {
        tape[0] - parameters[2]
    }

    #[inline(always)]
    fn back<R: Real>(
        &self,
        [alpha, beta, _]: &[R; 3],
        step: Taken<R, [R; 2]>,
        errors: &mut [R; 2],
        gradient: &mut [R; 3],
    ) -> R {
        let ([membrane, synaptic], [error_membrane, error_synaptic]) = (step.tape, *errors);
        let kept = step.spike.reset(error_membrane);
        let through_spike = step.error_spike.flush() * step.slope;
        *gradient = [error_synaptic * synaptic, kept * membrane, -through_spike];
        *errors = [
            (through_spike + *beta * kept + step.error_membrane).flush(),
            (*alpha * error_synaptic + kept).flush(),
        ];
        error_synaptic
    }

    fn observe<R: Real>(&self, _: &[R; 3], step: &Taken<R, [R; 2]>) -> [R; 2] {
        step.tape
    }
}

fn main() {
    let built_in = NetworkSpec::dequino2024();
    let mut settings = built_in.settings().clone();
    let decay = |tau: f32| (-1.0 / tau).exp();
    let mine = Mine {
        alpha: decay(5.0),
        beta: decay(10.0),
    };
    settings.neuron = NeuronSettings::new(mine, FastSigmoid { slope: 100.0 });
    let own = settings.check().expect("valid");

    let mut noise = MasterSeed(1).stream(Purpose::Shuffle);
    let samples: Vec<SpikeCounts> = (0..64)
        .map(|_| {
            let dense = Array2::from_shape_fn((100, 700), |_| u16::from(noise.random_bool(0.02)));
            SpikeCounts::from_dense(dense.view()).expect("valid")
        })
        .collect();
    let labelled = samples.iter().enumerate();
    let examples = StoredExamples {
        samples: labelled
            .map(|(sample, counts)| (StageInput::counts(counts), ClassId(sample as u16 % 20)))
            .collect(),
    };
    let trainer = |spec: NetworkSpec| {
        let network = Network::new(spec, MasterSeed(1));
        let (settings, purpose) = (TrainingSettings::default(), Purpose::Shuffle);
        let trainer = Trainer::new(network, Stage::Whole, settings, MasterSeed(1), purpose);
        trainer.expect("valid")
    };
    let mut trainers = [trainer(built_in), trainer(own)];
    let mut seconds = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (trainer, seconds) in trainers.iter_mut().zip(&mut seconds) {
            let clock = Instant::now();
            trainer.epoch(&examples).expect("it fits");
            seconds.push(clock.elapsed().as_secs_f64());
        }
    }
    let [built_in, own] = seconds.map(|mut seconds| {
        seconds.sort_by(f64::total_cmp);
        seconds[ROUNDS / 2]
    });
    println!(
        "{} instructions: cuba-lif {:.2} ms, one's own {:.2} ms a step of 64 samples: {:.2} of its speed",
        Simd::current(),
        built_in * 1e3,
        own * 1e3,
        built_in / own
    );
    // The same arithmetic in the same order: not a bit may differ.
    let [built_in, own] = &trainers;
    let same = built_in.network().parameters() == own.network().parameters();
    println!("the same weights to the last bit: {same}");
}
