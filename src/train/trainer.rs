use std::time::Instant;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::figures::Sums;
use super::gradient::{Workspace, batch_gradient_in};
use super::{
    Batch, EpochFigures, Examples, Moment, Optimiser, TimeSpent, TrainError, TrainerState,
    TrainingSettings,
};
use crate::network::{DropoutDraws, Network, Stage};
use crate::random::{MasterSeed, Purpose, StreamPosition};

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
            optimiser: Optimiser::new(settings.optimiser.clone())?,
            settings,
            shuffle,
            epochs_done: 0,
            scores: Vec::new(),
        };
        Self::resume(network, state)
    }

    /// A trainer that goes on bit for bit where [`Trainer::state`] was taken.
    ///
    /// # Errors
    /// [`TrainError::OutOfRange`] for a setting out of range, and [`TrainError::NoSuchGroup`].
    pub fn resume(network: Network, state: TrainerState) -> Result<Self, TrainError> {
        state.settings.check()?;
        let factors = &state.settings.rate_factors;
        factors.check_for(network.parameters())?;
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

    /// Says how good the network is after the last epoch, where more is better: accuracy on validation samples, say.
    /// A schedule that waits for plateaus looks at it, instead of the loss on training samples.
    pub fn score(&mut self, score: f64) {
        if let Some(last) = self.state.scores.last_mut() {
            *last = score;
        }
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

    /// Trains on the given batches in the given order. Samples need not last equally long.
    ///
    /// # Errors
    /// As [`Trainer::epoch`]; what can be seen before the first batch is found then, and nothing has
    /// changed.
    pub fn epoch_of_batches(
        &mut self,
        examples: &dyn Examples,
        batches: &[&[usize]],
    ) -> Result<EpochFigures, TrainError> {
        let settings = self.state.settings.clone();
        // Nothing is trained on if anything does not fit.
        if batches.iter().any(|batch| batch.is_empty()) {
            return Err(TrainError::NoSamples("train on in a batch"));
        }
        let largest = batches.iter().map(|batch| batch.len()).max();
        let (spec, stage) = (self.network.spec(), self.state.stage);
        let samples = batches.iter().copied().flatten();
        let longest = samples.map(|&sample| examples.steps(sample)).max();
        spec.check_training_memory(stage, largest.unwrap_or(0), longest.unwrap_or(0))?;
        let epoch = self.state.epochs_done;
        let mut learning_rate = 0.0;
        let mut sums = Sums::new(spec, stage);
        for (place, batch) in batches.iter().enumerate() {
            learning_rate = settings.rate(Moment {
                epoch,
                step: place,
                steps: batches.len(),
                scores: &self.state.scores,
            });
            let network = &self.network;
            let workspace = &mut self.workspace;
            let draws = DropoutDraws {
                seed: self.state.shuffle.seed,
                step: self.state.optimiser.steps_taken(),
            };
            let all = batch.len();
            let batch = Batch::from(*batch).dropping(draws);
            let losses = &settings.losses;
            let step = batch_gradient_in(workspace, network, stage, examples, batch, losses)?;
            if !step.loss_sum.is_finite() {
                return Err(TrainError::Diverged {
                    epoch: epoch + 1,
                    loss: step.loss_sum,
                });
            }
            // A batch that went well left its gradient.
            let gradients = workspace.gradients_mut().expect("the batch's gradient");
            let clock = Instant::now();
            let norm = sums.add(all, &step, gradients);
            let largest = settings.clip_norm.map(f64::from);
            if let Some(largest) = largest.filter(|largest| norm > *largest) {
                gradients.scale((largest / norm) as f32);
            }
            let optimiser = &mut self.state.optimiser;
            let factors = &settings.rate_factors;
            optimiser.step_by(&mut self.network, gradients, learning_rate, factors)?;
            self.workspace.spent.optimise += clock.elapsed().as_secs_f64();
        }
        if sums.samples() == 0 {
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
        let figures = sums.figures(learning_rate);
        if settings.schedule.looks_at_scores() {
            self.state.scores.push(-figures.loss);
        }
        Ok(figures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    use crate::ids::{ClassId, TimeStep, Unit};
    use crate::network::{Gradients, NetworkSettings, NetworkSpec, StageInput};
    use crate::readout::{LeakySettings, OverTime};
    use crate::spikes::SpikeRaster;
    use crate::train::{Losses, StoredExamples, batch_gradient, evaluate};

    #[test]
    fn samples_of_unequal_length_train_together_as_each_does_alone() {
        let mut noise = MasterSeed(3).stream(Purpose::Shuffle);
        let mut settings = NetworkSpec::dequino2024().settings().clone();
        settings.init.weight_scale = 2.0;
        for change in CHANGES {
            let mut settings = settings.clone();
            change(&mut settings);
            let spec = settings.check().expect("valid");
            let lengths = [
                20, 33, 1, 64, 20, 7, 41, 12, 5, 60, 2, 3, 30, 25, 28, 19, 50, 40,
            ];
            let rasters = lengths.map(|steps| {
                let mut raster = SpikeRaster::new(steps, 200).expect("valid");
                for step in 0..steps {
                    for unit in 0..200 {
                        if noise.random_bool(0.1) {
                            raster.set(TimeStep(step), Unit(unit));
                        }
                    }
                }
                raster
            });
            let labelled = rasters.iter().enumerate();
            let samples =
                labelled.map(|(class, raster)| (StageInput::spikes(raster), ClassId(class as u16)));
            let examples = StoredExamples {
                samples: samples.collect(),
            };
            let stage = Stage::Learning(spec.replay_layer(1).expect("three layers"));
            let network = Network::new(spec, MasterSeed(1));
            let losses = Losses::default();
            let gradient = |batch: &[usize]| {
                let found = batch_gradient(&network, stage, &examples, batch, &losses);
                found.expect("they fit")
            };
            let all: Vec<usize> = (0..lengths.len()).collect();
            let together = gradient(&all);
            let mut sum = Gradients::zeros(&network, stage);
            let mut loss_sum = 0.0;
            for &sample in &all {
                let alone = gradient(&[sample]);
                loss_sum += alone.loss_sum;
                sum.add(&alone.gradients).expect("of the same stage");
            }
            sum.scale(1.0 / all.len() as f32);
            assert!((together.loss_sum - loss_sum).abs() < 1e-6 * loss_sum);
            for (name, alone) in sum.iter() {
                let together = together.gradients.get(name).expect("of the same stage");
                let largest = alone
                    .iter()
                    .fold(0.0f32, |most, value| most.max(value.abs()));
                assert!(largest > 0.0, "{name}");
                for (together, alone) in together.iter().zip(alone) {
                    assert!((together - alone).abs() <= 1e-5 * largest, "{name}");
                }
            }
            // Alone or together, no logit differs in a bit.
            let logits = evaluate(&network, stage, &examples)
                .expect("they fit")
                .logits;
            for &sample in &all {
                let alone = network.logits(stage, &examples.samples[sample].0);
                assert_eq!(logits.row(sample).to_vec(), alone.expect("it fits"));
            }
        }
    }

    /// Readouts that look at the end of a sample, in all ways that there are, and delays.
    const CHANGES: [fn(&mut NetworkSettings); 4] = [
        |_| {},
        |settings| read_by(settings, OverTime::Last),
        |settings| read_by(settings, OverTime::SumOfSoftmax),
        |settings| settings.layers[1].delay_steps = (0..200).map(|unit| unit % 9).collect(),
    ];

    fn read_by(settings: &mut NetworkSettings, over_time: OverTime) {
        let readout = LeakySettings {
            over_time,
            ..LeakySettings::DEQUINO2024
        };
        settings.readout.model = readout.into();
    }

    #[test]
    fn an_empty_batch_is_refused_before_anything_is_trained_on() {
        let spec = NetworkSpec::dequino2024();
        let raster = SpikeRaster::new(20, 50).expect("valid");
        let examples = StoredExamples {
            samples: vec![(StageInput::spikes(&raster), ClassId(0))],
        };
        let stage = Stage::Learning(spec.replay_layer(3).expect("three layers"));
        let (seed, settings) = (MasterSeed(1), TrainingSettings::default());
        let network = Network::new(spec, seed);
        let trainer = Trainer::new(network.clone(), stage, settings, seed, Purpose::Shuffle);
        let mut trainer = trainer.expect("valid");
        let empty = trainer.epoch_of_batches(&examples, &[&[0], &[]]);
        assert!(matches!(empty, Err(TrainError::NoSamples(_))));
        assert_eq!(*trainer.network(), network, "nothing was trained on");
    }
}
