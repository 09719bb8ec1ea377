use std::collections::BTreeMap;
use std::time::Instant;

use rand_chacha::ChaCha8Rng;

use super::batch_work::{Workspace, batch_gradient_in};
use super::entry::stages_above;
use super::figures::Sums;
use super::gradient::SAMPLES_PER_BLOCK;
use super::{
    Batch, EpochFigures, Examples, Mixing, Moment, Optimiser, RegulariserStates, TaskFacts,
    TimeSpent, TrainError, TrainerState, TrainingSettings, WeightStep,
};
use crate::network::{DropoutDraws, Gradients, Network, Stage};
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
    remembering: Remembering,
}

/// What regularisers remember, with what they are told of a step.
#[derive(Debug)]
struct Remembering {
    states: RegulariserStates,
    /// Parameters before a step, and the gradient of the loss without what these regularisers add.
    before: Vec<f32>,
    without: Option<Gradients>,
}

impl Remembering {
    fn new(states: RegulariserStates) -> Self {
        Remembering {
            states,
            before: Vec::new(),
            without: None,
        }
    }

    /// Adds what they say to the gradients, before a step.
    fn add(&mut self, network: &mut Network, gradients: &mut Gradients) -> Result<(), TrainError> {
        if self.states.is_empty() {
            return Ok(());
        }
        let parameters = network.parameters_of(gradients)?;
        self.before.resize(parameters.len(), 0.0);
        self.before.copy_from_slice(parameters);
        let without = self.without.get_or_insert_with(|| gradients.clone());
        without.values_mut().copy_from_slice(gradients.values());
        self.states.of_parameters(network, gradients)?;
        Ok(())
    }

    /// Tells them of the step.
    fn stepped(&mut self, network: &mut Network) -> Result<(), TrainError> {
        let Some(without) = self.without.as_ref() else {
            return Ok(());
        };
        let after = network.parameters_of(without)?;
        let step = WeightStep::new(&self.before, after, without);
        self.states.stepped(&step)
    }
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
            task: TaskFacts::default(),
            remembered: BTreeMap::new(),
        };
        Self::resume(network, state)
    }

    /// A trainer that goes on bit for bit where [`Trainer::state`] was taken.
    ///
    /// # Errors
    /// [`TrainError::OutOfRange`] for a setting out of range, and [`TrainError::NoSuchGroup`].
    pub fn resume(network: Network, mut state: TrainerState) -> Result<Self, TrainError> {
        state.settings.check()?;
        let factors = &state.settings.rate_factors;
        factors.check_for(network.parameters())?;
        let shuffle = state.shuffle.resume();
        let mut states = RegulariserStates::begin(&state.settings.losses, &network, state.stage);
        let remembered = std::mem::take(&mut state.remembered);
        if !remembered.is_empty() {
            states.restore(&remembered)?;
        }
        Ok(Trainer {
            network,
            state,
            shuffle,
            workspace: Workspace::default(),
            remembering: Remembering::new(states),
        })
    }

    /// The same with what the regularisers of another training remember, so that they go on from task to task.
    ///
    /// # Errors
    /// [`TrainError::BadRegulariserState`] if some of it is of no regulariser here, or of another network.
    pub fn with_regulariser_states(
        mut self,
        states: &RegulariserStates,
    ) -> Result<Self, TrainError> {
        self.remembering.states.restore(&states.tensors())?;
        Ok(self)
    }

    /// The network as it is now.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The network, when training is over.
    pub fn into_network(self) -> Network {
        self.network
    }

    /// What its regularisers remember.
    pub fn regulariser_states(&self) -> &RegulariserStates {
        &self.remembering.states
    }

    /// The network and what regularisers remember, when training is over.
    pub fn into_parts(self) -> (Network, RegulariserStates) {
        (self.network, self.remembering.states)
    }

    /// Everything but the weights that [`Trainer::resume`] needs.
    pub fn state(&self) -> TrainerState {
        let mut state = self.state.clone();
        let noted = self.state.shuffle;
        state.shuffle = StreamPosition::of(noted.seed, noted.purpose, &self.shuffle);
        state.remembered = self.remembering.states.tensors();
        state
    }

    /// Epochs trained so far.
    pub fn epochs_done(&self) -> usize {
        self.state.epochs_done
    }

    /// Begins a task with the network as it is: from now on objectives know what was learned before and what is new, and
    /// regularisers that a task begins. Without it nothing is known of the task, and what trainers before this one
    /// learned belongs to it.
    ///
    /// # Errors
    /// What regularisers give.
    pub fn begin_task(&mut self, task: TaskFacts) -> Result<(), TrainError> {
        self.state.task = task;
        self.remembering.states.begin_task(&self.network)
    }

    /// Ends a task with the network as it is: regularisers that remember see what it was worth.
    ///
    /// # Errors
    /// What regularisers give.
    pub fn end_task(&mut self) -> Result<(), TrainError> {
        self.remembering.states.end_task(&self.network)
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
        self.epoch_mixed(examples, &Mixing::default())
    }

    /// The same with new samples and replays in batches as they are to be mixed.
    ///
    /// # Errors
    /// As [`Trainer::epoch`], and [`Mixing::check`].
    pub fn epoch_mixed(
        &mut self,
        examples: &dyn Examples,
        mixing: &Mixing,
    ) -> Result<EpochFigures, TrainError> {
        mixing.check()?;
        let batch_size = self.state.settings.batch_size;
        let batches = mixing.batches(examples, batch_size, &mut self.shuffle);
        let batches: Vec<&[usize]> = batches.iter().map(Vec::as_slice).collect();
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
        // Samples that enter elsewhere fill blocks of their own.
        let samples = batches.iter().copied().flatten();
        let above = stages_above(stage, examples, samples)? * SAMPLES_PER_BLOCK;
        let largest = largest.unwrap_or(0).saturating_add(above);
        spec.check_training_memory(stage, largest, longest.unwrap_or(0))?;
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
            let task = &self.state.task;
            let batch = Batch::from(*batch).dropping(draws).in_task(task);
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
            self.remembering.add(&mut self.network, gradients)?;
            let norm = sums.add(all, &step, gradients);
            let largest = settings.clip_norm.map(f64::from);
            if let Some(largest) = largest.filter(|largest| norm > *largest) {
                gradients.scale((largest / norm) as f32);
            }
            let optimiser = &mut self.state.optimiser;
            let factors = &settings.rate_factors;
            optimiser.step_by(&mut self.network, gradients, learning_rate, factors)?;
            self.remembering.stepped(&mut self.network)?;
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
mod tests;
