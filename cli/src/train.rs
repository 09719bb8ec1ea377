use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;

use super::arguments::{RunFlags, Training, command_line, names_of, read_data, read_data_for};
use super::failure::Failure;
use super::output::{EpochBar, note, note_time, print, print_json};
use super::resume::{Resumed, RunData, record_of, resume};
use respike::dataset::{Dataset, RecordingSet};
use respike::network::{Network, NetworkSpec, Stage};
use respike::random::Purpose;
use respike::report::{
    Begun, DataNote, Description, EpochLine, RecordLine, Replace, RunFolder, RunFolderError,
    StartLine, Summary, TaskNote, TrainSeconds, TrainSummary, fingerprint,
};
use respike::storage::Shown;
use respike::train::{
    Checkpoint, DatasetExamples, Evaluation, TrainError, Trainer, TrainingSettings, evaluate,
};

const CHECKPOINT: &str = "checkpoint.safetensors";

/// Train a network on SHD-layout files.
///
/// Writes run.jsonl (a line an epoch), summary.json and checkpoint.safetensors (after every epoch)
/// to the --out folder.
#[derive(Args)]
#[command(
    after_help = "Example:\n  respike train --data data/fsdd70_train.h5 --test data/fsdd70_test.h5 \\\n      --model snn-models/demo70.toml --epochs 30 --out runs/first"
)]
pub(super) struct TrainArguments {
    /// Files to train on; several are merged.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    data: Vec<PathBuf>,
    /// Files to test with after every epoch; never trained on.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    test: Vec<PathBuf>,
    /// The network, a TOML file as in snn-models/.
    #[arg(long, value_name = "SPEC.toml")]
    model: PathBuf,
    /// Epochs in all; with --resume, those done before count.
    #[arg(long, value_name = "N")]
    epochs: usize,
    /// The learning rate.
    #[arg(long, value_name = "RATE", default_value_t = 1e-3)]
    lr: f32,
    #[command(flatten)]
    training: Training,
    /// Where to write.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Go on with the run in --out, bit for bit as if it had never stopped; begin it if nothing is there.
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    #[command(flatten)]
    run: RunFlags,
}

pub(super) fn run(arguments: TrainArguments) -> Result<(), Failure> {
    let started = Instant::now();
    arguments.run.machine.prepare()?;
    if arguments.epochs == 0 {
        return Err(Failure::bad("--epochs must be 1 or more"));
    }
    let spec = NetworkSpec::read(&arguments.model)?;
    let replace = match arguments.run.force {
        true => Replace::Any,
        false => Replace::Nothing,
    };
    let record = match arguments.resume {
        true => record_of(&arguments.out)?,
        false => {
            RunFolder::refuse_occupied(&arguments.out, replace)?;
            None
        }
    };
    let class_names = record
        .as_ref()
        .map(|record| &record.start.data.class_names[..]);
    let mut data = read_data_for(&arguments.data, &spec, class_names.unwrap_or_default())?;
    if let Some(record) = &record {
        data = data.in_class_order(&record.start.data.class_names)?;
    }
    let batch = arguments.training.batch_size.min(data.len());
    spec.check_training_memory(Stage::Whole, batch, spec.steps())
        .map_err(TrainError::from)?;
    let test = match arguments.test.is_empty() {
        true => None,
        false => {
            let test = read_data(&arguments.test, &spec)?;
            Some(test.in_class_order(data.class_names())?)
        }
    };
    if let Some(test) = &test {
        refuse_shared_recordings(&data, test)?;
    }
    let settings = arguments.training.settings(arguments.lr, arguments.epochs);
    let start = arguments.start(&spec, settings.clone(), &data, test.as_ref());
    let run_data = RunData {
        train: &data,
        test: test.as_ref(),
    };
    let (resumed, replace) = match record {
        Some(record) => {
            let resumed = resume(&arguments.out, record, &start, &run_data, CHECKPOINT)?;
            (resumed, Replace::Any)
        }
        None => (Resumed::Anew, replace),
    };
    let read_s = started.elapsed().as_secs_f64();
    let run = match resumed {
        Resumed::Anew => {
            if arguments.resume {
                note("no epoch of the run is done yet; it begins");
            }
            let network = Network::new(spec, start.seed);
            let trainer = Trainer::new(
                network,
                Stage::Whole,
                settings,
                start.seed,
                Purpose::Shuffle,
            )?;
            Run {
                trainer,
                folder: begin(&arguments.out, start, replace)?,
                train_accuracy: 0.0,
            }
        }
        Resumed::After {
            trainer,
            train_accuracy,
        } => {
            let done = trainer.epochs_done();
            note(&format!("going on after epoch {done}"));
            Run {
                trainer: *trainer,
                folder: RunFolder::go_on(&arguments.out, done, arguments.epochs)?,
                train_accuracy,
            }
        }
        Resumed::Finished(summary) => {
            note(&format!(
                "the run has its {} already; nothing is left to do",
                epochs(summary.epochs)
            ));
            let all = Summary::Train(summary.clone());
            RunFolder::write_missing_summary(&arguments.out, &all)?;
            return arguments.tell(&summary);
        }
    };
    let summary = run.train(&arguments, &run_data, (started, read_s))?;
    arguments.tell(&summary)
}

fn begin(out: &Path, start: StartLine, replace: Replace) -> Result<RunFolder, Failure> {
    match RunFolder::begin(out, start, replace)? {
        Begun::Anew(folder) => Ok(folder),
        Begun::Finished(_) => Err(RunFolderError::Occupied(out.to_path_buf()).into()),
    }
}

/// A run that is under way.
struct Run {
    trainer: Trainer,
    folder: RunFolder,
    /// Accuracy on training samples in the last epoch so far.
    train_accuracy: f64,
}

impl Run {
    /// Trains the epochs that are left, and writes everything.
    fn train(
        mut self,
        arguments: &TrainArguments,
        data: &RunData<'_>,
        (started, read_s): (Instant, f64),
    ) -> Result<TrainSummary, Failure> {
        let clock = Instant::now();
        let (mut test_s, mut write_s) = (0.0, 0.0);
        let trained_on = data.train.recordings();
        let examples = DatasetExamples::all(data.train);
        let tests = data.test.map(DatasetExamples::all);
        let bar = EpochBar::new("train", arguments.epochs - self.trainer.epochs_done());
        let mut last_test = None;
        while self.trainer.epochs_done() < arguments.epochs {
            let figures = self.trainer.epoch(&examples)?;
            let testing = Instant::now();
            let tested = tests.as_ref().map(|tests| self.evaluate(tests));
            let tested = tested.transpose()?;
            test_s += testing.elapsed().as_secs_f64();
            let writing = Instant::now();
            let line = EpochLine::of_training(self.trainer.epochs_done(), figures, tested.as_ref());
            self.folder.add(&RecordLine::Epoch(line))?;
            let saved = checkpoint(&self.trainer, data.train, &trained_on);
            saved.save(&self.folder.file(CHECKPOINT))?;
            write_s += writing.elapsed().as_secs_f64();
            let speed = self.trainer.time_spent().samples_per_second();
            bar.epoch(progress(figures.accuracy, tested.as_ref(), speed));
            self.train_accuracy = figures.accuracy;
            last_test = tested;
        }
        bar.done();
        let testing = Instant::now();
        // Without test samples the training samples are asked; and a run that was stopped just before
        // its end is asked again.
        let tested = match last_test {
            Some(tested) => tested,
            None => self.evaluate(tests.as_ref().unwrap_or(&examples))?,
        };
        test_s += testing.elapsed().as_secs_f64();
        let summary = TrainSummary {
            seed: self.trainer.state().shuffle.seed,
            epochs: self.trainer.epochs_done(),
            train_accuracy: self.train_accuracy,
            test_accuracy: data.test.map(|_| tested.accuracy()),
            confusion: tested.confusion.into(),
            seconds: TrainSeconds {
                train: clock.elapsed().as_secs_f64(),
            },
        };
        self.folder.end(Summary::Train(summary.clone()))?;
        let others = [
            ("reading and binning", read_s),
            ("testing", test_s),
            ("writing", write_s),
        ];
        let spent = self.trainer.time_spent();
        note_time(&spent, &others, started.elapsed().as_secs_f64());
        Ok(summary)
    }

    fn evaluate(&self, tests: &DatasetExamples<'_>) -> Result<Evaluation, Failure> {
        Ok(evaluate(self.trainer.network(), Stage::Whole, tests)?)
    }
}

/// So many epochs in words.
fn epochs(count: usize) -> String {
    match count {
        1 => "1 epoch".to_string(),
        count => format!("{count} epochs"),
    }
}

/// What an epoch came to, beside the bar.
fn progress(train_accuracy: f64, tested: Option<&Evaluation>, speed: f64) -> String {
    let test = tested.map(|test| format!(" test {:.0} %", test.accuracy() * 1e2));
    format!(
        "train {:.0} %{}, {speed:.0} samples/s",
        train_accuracy * 1e2,
        test.unwrap_or_default()
    )
}

impl TrainArguments {
    /// What is to be done, as the record begins with it.
    fn start(
        &self,
        spec: &NetworkSpec,
        training: TrainingSettings,
        data: &Dataset,
        test: Option<&Dataset>,
    ) -> StartLine {
        let mut note = DataNote::of(data, names_of(&self.data));
        note.test_files = names_of(&self.test);
        note.test_fingerprint = test.map(fingerprint);
        let task = TaskNote {
            name: "all".to_string(),
            train: data.len(),
            test: test.map_or(0, Dataset::len),
        };
        let settings = Description::Train {
            epochs: self.epochs,
            training,
        };
        // Whether it was gone on with is no matter of the run.
        let command_line = command_line().into_iter();
        let command_line = command_line.filter(|argument| argument != "--resume");
        StartLine::new(
            command_line.collect(),
            self.run.seed.master(),
            spec.clone(),
            settings,
            note,
            vec![task],
        )
    }

    /// Says what the run came to.
    fn tell(&self, summary: &TrainSummary) -> Result<(), Failure> {
        if self.run.json {
            return print_json(&Summary::Train(summary.clone()));
        }
        let test = match summary.test_accuracy {
            Some(accuracy) => format!("test {:.1} %", accuracy * 1e2),
            None => "no test files given".to_string(),
        };
        let out = self.out.display().to_string();
        print(&format!(
            "after {}: train {:.1} %, {test}\nwritten to {}",
            epochs(summary.epochs),
            summary.train_accuracy * 1e2,
            Shown(&out)
        ))
    }
}

fn checkpoint(trainer: &Trainer, data: &Dataset, trained_on: &RecordingSet) -> Checkpoint {
    Checkpoint::new(trainer.network().clone(), trained_on.clone())
        .with_trainer(trainer.state())
        .with_class_names(data.class_names())
}

fn refuse_shared_recordings(data: &Dataset, test: &Dataset) -> Result<(), Failure> {
    let trained = data.recordings();
    let shared = test.iter().filter(|(_, sample)| trained.contains(sample));
    match shared.count() {
        0 => Ok(()),
        shared => Err(Failure::bad(format!(
            "{shared} of the {} samples in the --test files are in the --data files too; a test \
             with them would prove nothing",
            test.len()
        ))),
    }
}
