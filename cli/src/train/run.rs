//! A run of `train` that is under way.

use std::time::Instant;

use super::super::failure::Failure;
use super::super::output::{EpochBar, note, note_time};
use super::asked::Asked;
use super::init::Init;
use super::resume::RunData;
use respike::dataset::RecordingSet;
use respike::network::{Network, Stage};
use respike::report::{
    EpochLine, PickedNote, RecordLine, RunFolder, Summary, TrainSeconds, TrainSummary,
};
use respike::train::{
    Checkpoint, DatasetExamples, Evaluation, LayerFigures, PastTraining, PlannedEpoch, StartedFrom,
    TrainError, TrainerState, TrainingRun, evaluate,
};

/// The state after the last epoch so far, from which training goes on.
pub(super) const CHECKPOINT: &str = "checkpoint.safetensors";
/// The network of the epoch that was best on validation samples so far.
const BEST: &str = "best.safetensors";
/// The network that was picked in the end, to be given away.
const PICKED: &str = "network.safetensors";

/// A run that is under way.
pub(super) struct Run<'a> {
    pub(super) training: TrainingRun<'a>,
    pub(super) folder: RunFolder,
    /// Accuracy on training samples in the last epoch so far.
    pub(super) train_accuracy: f64,
    /// How long it took before this start.
    pub(super) seconds_before: f64,
}

/// What checkpoints say of a run, whatever the epoch.
struct About<'a> {
    class_names: &'a [String],
    /// All that was trained on, or picked by.
    seen: &'a RecordingSet,
    /// The trained network that it began with.
    start: Option<StartedFrom>,
}

impl About<'_> {
    fn checkpoint(&self, network: Network) -> Checkpoint {
        let mut saved = Checkpoint::new(network, self.seen.clone());
        saved.started_from.clone_from(&self.start);
        saved.with_class_names(self.class_names)
    }
}

impl Run<'_> {
    /// Trains the epochs that are left, and writes everything.
    pub(super) fn train(
        mut self,
        asked: &Asked,
        data: &RunData<'_>,
        (started, read_s): (Instant, f64),
    ) -> Result<TrainSummary, Failure> {
        let clock = Instant::now();
        let (mut test_s, mut write_s) = (0.0, 0.0);
        // Those that were kept out too: picking a network by them is to have seen them.
        let mut seen = data.train.recordings();
        if let Some(init) = asked.init() {
            seen = seen.union(init.trained_on());
        }
        let about = About {
            class_names: data.train.class_names(),
            seen: &seen,
            start: asked.init().map(Init::note),
        };
        let tests = data.test.map(DatasetExamples::all);
        let epochs = self.training.plan().epochs;
        let done = self.training.trainer().epochs_done();
        let bar = EpochBar::new("train", epochs - done.min(epochs));
        let mut last = None;
        while let Some(planned) = self.training.epoch()? {
            let epoch = self.training.trainer().epochs_done();
            let is_due = self
                .training
                .plan()
                .test_every
                .is_some_and(|every| epoch % every == 0);
            let testing = Instant::now();
            let tests = tests.as_ref().filter(|_| is_due);
            let tested = tests.map(|tests| test(self.training.trainer().network(), tests));
            let tested = tested.transpose()?;
            test_s += testing.elapsed().as_secs_f64();
            let writing = Instant::now();
            self.write_epoch(&planned, tested.as_ref(), &about)?;
            self.folder.note_seconds(self.seconds(clock))?;
            write_s += writing.elapsed().as_secs_f64();
            let speed = self.training.trainer().time_spent().samples_per_second();
            bar.epoch(progress(&planned, tested.as_ref(), speed));
            self.train_accuracy = planned.training.accuracy;
            last = Some(planned);
        }
        bar.done();
        if let Some(last) = &last {
            say_which_are_silent(&last.training.layers);
        }
        let testing = Instant::now();
        let picked = self.picked()?;
        let summary = self.summary(&picked, data, clock)?;
        test_s += testing.elapsed().as_secs_f64();
        let picked = about.checkpoint(picked).with_training(past(
            self.training.picked() + 1,
            &self.training.trainer().state(),
        ));
        picked.save(&self.folder.file(PICKED))?;
        self.folder.note_seconds(summary.seconds)?;
        self.folder.end(Summary::Train(summary.clone()))?;
        let others = [
            ("reading and binning", read_s),
            ("testing", test_s),
            ("writing", write_s),
        ];
        let spent = self.training.trainer().time_spent();
        note_time(&spent, &others, started.elapsed().as_secs_f64());
        Ok(summary)
    }

    /// How long the run took so far, over all its starts; `clock` has run since the last one.
    fn seconds(&self, clock: Instant) -> TrainSeconds {
        TrainSeconds {
            train: self.seconds_before + clock.elapsed().as_secs_f64(),
        }
    }

    /// The record's line first, then the best network, then the state that training goes on from: wherever a run is
    /// cut off, what is there is at least as far as that state.
    fn write_epoch(
        &mut self,
        planned: &PlannedEpoch,
        tested: Option<&Evaluation>,
        about: &About<'_>,
    ) -> Result<(), Failure> {
        let trainer = self.training.trainer();
        let done = trainer.epochs_done();
        let line = EpochLine::of_training(done, planned, tested);
        self.folder.add(&RecordLine::Epoch(line))?;
        let saved = about.checkpoint(trainer.network().clone());
        let state = trainer.state();
        let plan = self.training.plan();
        if plan.validation.is_some() && planned.is_best {
            let best = saved.clone().with_training(past(done, &state));
            best.save(&self.folder.file(BEST))?;
        }
        let saved = saved.with_trainer(state);
        Ok(saved.save(&self.folder.file(CHECKPOINT))?)
    }

    /// The network that is picked: after the last epoch, or after the one that was best.
    fn picked(&self) -> Result<Network, Failure> {
        let (epoch, trainer) = (self.training.picked() + 1, self.training.trainer());
        if epoch == trainer.epochs_done() {
            return Ok(trainer.network().clone());
        }
        let path = self.folder.file(BEST);
        let meant = past(epoch, &trainer.state());
        let saved = Checkpoint::load(&path).ok();
        let saved = saved.filter(|saved| saved.training.as_ref() == Some(&meant));
        let network = saved.map(|saved| saved.network);
        network.ok_or_else(|| {
            Failure::bad(format!(
                "{} is not the network of this run after epoch {epoch}, which was best; begin anew with --force",
                path.display()
            ))
        })
    }

    /// What the run came to, by the network that is picked.
    fn summary(
        &self,
        network: &Network,
        data: &RunData<'_>,
        clock: Instant,
    ) -> Result<TrainSummary, Failure> {
        let (training, trainer) = (&self.training, self.training.trainer());
        let (picked, done) = (training.picked() + 1, trainer.epochs_done());
        let is_last = picked == done;
        let split = training.split();
        let examples = match (data.test, split.validation.is_empty()) {
            (Some(test), _) => DatasetExamples::all(test),
            (None, false) => DatasetExamples::new(data.train, split.validation.clone()),
            (None, true) => DatasetExamples::all(data.train),
        };
        let tested = test(network, &examples)?;
        Ok(TrainSummary {
            seed: trainer.state().shuffle.seed,
            epochs: done,
            train_accuracy: self.train_accuracy,
            test_accuracy: data.test.map(|_| tested.accuracy()),
            picked: Some(PickedNote {
                epoch: picked,
                by: training.plan().select.to_string(),
                validation_accuracy: training.validated().get(picked - 1).copied(),
                validation_samples: split.validation.len(),
                file: if is_last { CHECKPOINT } else { BEST }.to_string(),
            }),
            confusion: tested.confusion.into(),
            seconds: self.seconds(clock),
        })
    }
}

/// What made the network after an epoch.
fn past(epoch: usize, state: &TrainerState) -> PastTraining {
    PastTraining::new(epoch, state.settings.clone(), state.shuffle.seed)
}

fn test(network: &Network, examples: &DatasetExamples<'_>) -> Result<Evaluation, TrainError> {
    evaluate(network, Stage::Whole, examples)
}

/// What an epoch came to, beside the bar.
fn progress(planned: &PlannedEpoch, tested: Option<&Evaluation>, speed: f64) -> String {
    let percent = |accuracy: f64| format!("{:.0} %", accuracy * 1e2);
    let mut parts = vec![format!("train {}", percent(planned.training.accuracy))];
    for (name, tested) in [
        ("validation", planned.validation.as_ref()),
        ("test", tested),
    ] {
        parts.extend(tested.map(|tested| format!("{name} {}", percent(tested.accuracy()))));
    }
    format!("{}, {speed:.0} samples/s", parts.join(" "))
}

/// Fewer spikes of a neuron in a step are hardly any.
const HARDLY: f64 = 1e-4;

/// A layer that does not spike learns nothing, and nothing above it does.
fn say_which_are_silent(layers: &[LayerFigures]) {
    for layer in layers {
        let Some((place, spikes)) = layer.layer.zip(layer.spikes_per_step) else {
            continue;
        };
        let how = match spikes {
            0.0 => "did not spike once",
            ..HARDLY => "hardly spiked",
            _ => continue,
        };
        note(&format!(
            "layer {} {how} in the last epoch; larger weights at the beginning (init.weight_scale), a lower threshold or the \
             regulariser rate-bounds may help",
            place + 1
        ));
    }
}
