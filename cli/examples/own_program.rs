//! The program `respike` with a neuron, a loss and an optimiser of one's own: specs, flags, help, records and
//! checkpoints know them.
//!
//! `cargo run --release -p respike-cli --example own_program -- parts`

use respike::ndarray::Array2;
use respike::network::Errors;
use respike::neuron::{Neuron, Role, Spike, Taken};
use respike::real::Real;
use respike::registry::{BadSetting, Member, Registry};
use respike::train::{Block, BlockLoss, Moved, Objective, TrainError, UpdateRule};
use serde::{Deserialize, Serialize};

fn main() -> std::process::ExitCode {
    let registry = Registry::builtin().with_neuron::<Perfect>();
    respike_cli::main_with(
        registry
            .with_objective::<Hinge>()
            .with_optimiser::<SignDescent>(),
    )
}

/// Adds up what it gets, and forgets it when it fires.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Perfect {
    threshold: f32,
}

impl Member for Perfect {
    const KIND: &'static str = "perfect";
    const ABOUT: &'static str = "perfect integrate-and-fire, without a leak";

    fn check(&self) -> Result<(), BadSetting> {
        BadSetting::unless_positive("threshold", self.threshold)
    }
}

impl Neuron for Perfect {
    type Raw<R: Real> = [R; 0];
    type Parameters<R: Real> = [R; 0];
    type State<R: Real> = [R; 1];
    type Tape<R: Real> = [R; 1];
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
    ) -> [R; 1] {
        let membrane = state[0] + drive;
        let spike = fire(membrane - drive.constant(self.threshold));
        *state = [spike.reset(membrane)];
        [membrane]
    }
    #[inline(always)]
    fn distance<R: Real>(&self, _: &[R; 0], tape: &[R; 1]) -> R {
        tape[0] - tape[0].constant(self.threshold)
    }
    #[inline(always)]
    fn back<R: Real>(
        &self,
        _: &[R; 0],
        step: Taken<R, [R; 1]>,
        errors: &mut [R; 1],
        _: &mut [R; 0],
    ) -> R {
        let through_spike = step.error_spike.flush() * step.slope;
        let error = step.spike.reset(errors[0]) + through_spike + step.error_membrane;
        *errors = [error.flush()];
        error
    }
    fn observe<R: Real>(&self, _: &[R; 0], step: &Taken<R, [R; 1]>) -> [R; 1] {
        step.tape
    }
}

/// Σ max(0, margin + other logit − the class's logit).
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hinge {
    margin: f64,
}

impl Member for Hinge {
    const KIND: &'static str = "hinge";
    const ABOUT: &'static str = "what other logits lack of standing a margin below the class's";
}

impl Objective for Hinge {
    fn of_block(&self, block: &Block<'_>) -> Result<BlockLoss, TrainError> {
        let logits = block.activity.logits();
        let mut errors = Array2::zeros(logits.dim());
        let mut loss_sum = 0.0;
        for (sample, target) in block.targets.iter().enumerate() {
            let class = target.class.index();
            for other in (0..logits.ncols()).filter(|&other| other != class) {
                let lacks = self.margin + logits[[sample, other]] - logits[[sample, class]];
                if lacks > 0.0 {
                    loss_sum += lacks;
                    errors[[sample, other]] += 1.0 / block.batch_size as f64;
                    errors[[sample, class]] -= 1.0 / block.batch_size as f64;
                }
            }
        }
        let errors = Errors::of_logits(errors);
        Ok(BlockLoss::new(loss_sum, errors))
    }
}

/// Each weight by the learning rate, against the sign of its gradient.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignDescent {}

impl Member for SignDescent {
    const KIND: &'static str = "sign-descent";
    const ABOUT: &'static str = "against the sign of the gradient";
}

impl UpdateRule for SignDescent {
    fn remembers(&self) -> &'static [&'static str] {
        &[]
    }
    fn step(&self, moved: Moved<'_>) {
        let rate = moved.learning_rate;
        moved.each(|weight, gradient, []| {
            if gradient != 0.0 {
                *weight -= rate * gradient.signum();
            }
        });
    }
}
