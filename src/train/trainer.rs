use std::time::Instant;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::examples::check_equal_steps;
use super::gradient::{Workspace, batch_gradient_in};
use super::{
    Examples, Optimiser, OptimiserSettings, Schedule, SpikePenalty, TimeSpent, TrainError,
    TrainerState,
};
use crate::network::{Network, Stage};
use crate::random::{MasterSeed, Purpose, StreamPosition};

/// How a network is trained.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingSettings {
    /// Samples of an optimiser step.
    pub batch_size: usize,
    /// Learning rate of the first epoch.
    pub learning_rate: f32,
    /// Learning rate of the later ones.
    pub schedule: Schedule,
    /// Which optimiser.
    pub optimiser: OptimiserSettings,
    /// Penalty on spikes, added to the cross-entropy.
    pub penalty: SpikePenalty,
}

impl TrainingSettings {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`TrainError::OutOfRange`] names the first that is out of range.
    pub fn check(&self) -> Result<(), TrainError> {
        let out_of_range = |what, range, value| TrainError::OutOfRange { what, range, value };
        if self.batch_size == 0 {
            return Err(out_of_range("the batch size", "1 or more", 0.0));
        }
        let rate = self.learning_rate;
        if !(rate.is_finite() && rate > 0.0) {
            let value = f64::from(rate);
            return Err(out_of_range("the learning rate", "above 0", value));
        }
        for (what, value) in [
            ("the L1 penalty", self.penalty.l1),
            ("the L2 penalty", self.penalty.l2),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(out_of_range(what, "0 or more", f64::from(value)));
            }
        }
        self.optimiser.check()?;
        self.schedule.check()
    }
}

impl Default for TrainingSettings {
    /// Batches of 64, Adamax at a constant 1e-3, no penalty.
    fn default() -> Self {
        TrainingSettings {
            batch_size: 64,
            learning_rate: 1e-3,
            schedule: Schedule::Constant,
            optimiser: OptimiserSettings::ADAMAX,
            penalty: SpikePenalty::default(),
        }
    }
}

/// What an epoch of training came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochFigures {
    /// Mean cross-entropy in nats, each sample under the weights of its batch's time.
    pub loss: f64,
    /// Share of the samples classified rightly, likewise.
    pub accuracy: f64,
    /// Samples trained on.
    pub samples: usize,
    /// The learning rate.
    pub learning_rate: f32,
}

/// Trains a stage of a network, epoch by epoch.
///
/// ```
/// use respike::ids::ClassId;
/// use respike::network::{Network, NetworkSpec, Stage, StageInput};
/// use respike::random::{MasterSeed, Purpose};
/// use respike::spikes::SpikeCounts;
/// use respike::train::{StoredExamples, Trainer, TrainingSettings};
///
/// let seed = MasterSeed(1);
/// let network = Network::new(NetworkSpec::dequino2024(), seed);
/// let beep = SpikeCounts::from_dense(ndarray::Array2::ones((100, 700)).view())?;
/// let examples = StoredExamples {
///     samples: vec![(StageInput::counts(&beep), ClassId(3))],
/// };
/// let settings = TrainingSettings::default();
/// let mut trainer = Trainer::new(network, Stage::Whole, settings, seed, Purpose::Shuffle)?;
/// let first = trainer.epoch(&examples)?;
/// assert!(first.loss > 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Trainer {
    network: Network,
    state: TrainerState,
    shuffle: ChaCha8Rng,
    workspace: Workspace,
}

impl Trainer {
    /// A trainer with a fresh optimiser. `purpose` names the stream that shuffles the samples.
    ///
    /// # Errors
    /// [`TrainError::OutOfRange`] for a setting out of range.
    pub fn new(
        network: Network,
        stage: Stage,
        settings: TrainingSettings,
        seed: MasterSeed,
        purpose: Purpose,
    ) -> Result<Self, TrainError> {
        let shuffle = StreamPosition::of(seed, purpose, &seed.stream(purpose));
        Self::with_shuffle(network, stage, settings, shuffle)
    }

    /// A trainer with a fresh optimiser, whose shuffling goes on where another's ended.
    ///
    /// # Errors
    /// [`TrainError::OutOfRange`] for a setting out of range.
    pub fn with_shuffle(
        network: Network,
        stage: Stage,
        settings: TrainingSettings,
        shuffle: StreamPosition,
    ) -> Result<Self, TrainError> {
        let state = TrainerState {
            stage,
            settings,
            optimiser: Optimiser::new(settings.optimiser)?,
            shuffle,
            epochs_done: 0,
        };
        Self::resume(network, state)
    }

    /// A trainer that goes on bit for bit where [`Trainer::state`] was taken.
    ///
    /// # Errors
    /// [`TrainError::OutOfRange`] for a setting out of range.
    pub fn resume(network: Network, state: TrainerState) -> Result<Self, TrainError> {
        state.settings.check()?;
        let shuffle = state.shuffle.resume();
        Ok(Trainer {
            network,
            state,
            shuffle,
            workspace: Workspace::default(),
        })
    }

    /// The network as it is now.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The network, when training is over.
    pub fn into_network(self) -> Network {
        self.network
    }

    /// Everything but the weights that [`Trainer::resume`] needs.
    pub fn state(&self) -> TrainerState {
        let mut state = self.state.clone();
        let noted = self.state.shuffle;
        state.shuffle = StreamPosition::of(noted.seed, noted.purpose, &self.shuffle);
        state
    }

    /// Epochs trained so far.
    pub fn epochs_done(&self) -> usize {
        self.state.epochs_done
    }

    /// Where the time of all epochs went, since this trainer was made.
    pub fn time_spent(&self) -> TimeSpent {
        self.workspace.spent
    }

    /// Trains on every sample once, in a new random order; the last batch may be smaller.
    ///
    /// # Errors
    /// [`TrainError`] if there is no sample, one does not fit the network, or the loss diverges.
    pub fn epoch(&mut self, examples: &dyn Examples) -> Result<EpochFigures, TrainError> {
        let mut order: Vec<usize> = (0..examples.len()).collect();
        order.shuffle(&mut self.shuffle);
        let batches: Vec<&[usize]> = order.chunks(self.state.settings.batch_size).collect();
        self.epoch_of_batches(examples, &batches)
    }

    /// Trains on the given batches in the given order. Samples of a batch must last equally long.
    ///
    /// # Errors
    /// As [`Trainer::epoch`]; what can be seen before the first batch is found then, and nothing has
    /// changed.
    pub fn epoch_of_batches(
        &mut self,
        examples: &dyn Examples,
        batches: &[&[usize]],
    ) -> Result<EpochFigures, TrainError> {
        let settings = self.state.settings;
        // Nothing is trained on if anything does not fit.
        for batch in batches {
            check_equal_steps(examples, batch)?;
        }
        if batches.iter().any(|batch| batch.is_empty()) {
            return Err(TrainError::NoSamples("train on in a batch"));
        }
        let largest = batches.iter().map(|batch| batch.len()).max();
        let (spec, stage) = (self.network.spec(), self.state.stage);
        spec.check_training_memory(stage, largest.unwrap_or(0))?;
        let epoch = self.state.epochs_done;
        let learning_rate = settings.schedule.rate(settings.learning_rate, epoch);
        let (mut loss_sum, mut correct, mut samples) = (0.0, 0, 0);
        for batch in batches {
            let (network, stage) = (&self.network, self.state.stage);
            let workspace = &mut self.workspace;
            let step =
                batch_gradient_in(workspace, network, stage, examples, batch, settings.penalty)?;
            if !step.loss_sum.is_finite() {
                return Err(TrainError::Diverged {
                    epoch: epoch + 1,
                    loss: step.loss_sum,
                });
            }
            // A batch that went well left its gradient.
            let gradients = workspace.gradients().expect("the batch's gradient");
            let clock = Instant::now();
            self.state
                .optimiser
                .step(&mut self.network, gradients, learning_rate)?;
            self.workspace.spent.optimise += clock.elapsed().as_secs_f64();
            loss_sum += step.loss_sum;
            correct += step.correct;
            samples += batch.len();
        }
        if samples == 0 {
            return Err(TrainError::NoSamples("train on"));
        }
        // A weight that is no number may hide: a membrane of NaN is merely silent.
        if !self.network.parameters().are_finite() {
            return Err(TrainError::Diverged {
                epoch: epoch + 1,
                loss: f64::NAN,
            });
        }
        self.state.epochs_done += 1;
        Ok(EpochFigures {
            loss: loss_sum / samples as f64,
            accuracy: correct as f64 / samples as f64,
            samples,
            learning_rate,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ClassId;
    use crate::network::{NetworkError, NetworkSpec, StageInput};
    use crate::spikes::SpikeRaster;
    use crate::train::{StoredExamples, evaluate};

    #[test]
    fn samples_of_unequal_length_are_refused_before_anything_is_trained_on() {
        let spec = NetworkSpec::dequino2024();
        let (short, long) = (SpikeRaster::new(20, 50), SpikeRaster::new(21, 50));
        let (short, long) = (short.expect("valid"), long.expect("valid"));
        // The odd one is in another block than the first, and in the second batch.
        let inputs = (0..64).map(|index| match index {
            60 => &long,
            _ => &short,
        });
        let samples = inputs.map(|input| (StageInput::spikes(input), ClassId(0)));
        let examples = StoredExamples {
            samples: samples.collect(),
        };
        let stage = Stage::Learning(spec.lr_index(3).expect("three layers"));
        let (seed, settings) = (MasterSeed(1), TrainingSettings::default());
        let network = Network::new(spec, seed);
        let trainer = Trainer::new(network.clone(), stage, settings, seed, Purpose::Shuffle);
        let mut trainer = trainer.expect("valid");
        let all: Vec<usize> = (0..64).collect();
        let unequal = |error: TrainError| {
            let expected = NetworkError::UnequalSteps {
                found: 21,
                expected: 20,
            };
            assert!(matches!(error, TrainError::Network(found) if found == expected));
        };
        let batches = [&all[..32], &all[32..]];
        unequal(
            trainer
                .epoch_of_batches(&examples, &batches)
                .expect_err("unequal"),
        );
        assert_eq!(*trainer.network(), network, "nothing was trained on");
        unequal(evaluate(&network, stage, &examples).expect_err("unequal"));
        let empty = trainer.epoch_of_batches(&examples, &[&all[..32], &[]]);
        assert!(matches!(empty, Err(TrainError::NoSamples(_))));
        assert_eq!(*trainer.network(), network, "nothing was trained on");
        // Each batch apart may have its own length.
        let apart = trainer.epoch_of_batches(&examples, &[&all[..60], &all[60..61]]);
        apart.expect("each is of one length");
    }
}
