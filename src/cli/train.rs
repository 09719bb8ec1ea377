use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use super::arguments::{RunFlags, Training, command_line, names_of, read_data};
use super::failure::Failure;
use super::output::{EpochBar, note, note_time, print, print_json};
use crate::dataset::{Dataset, RecordingSet};
use crate::network::{Network, NetworkSpec, Stage};
use crate::random::Purpose;
use crate::report::{
    DataNote, Description, EpochLine, RecordLine, RunFolder, StartLine, Summary, TaskNote,
    TrainSeconds, TrainSummary, fingerprint,
};
use crate::simd::Simd;
use crate::train::{Checkpoint, DatasetExamples, Trainer, TrainingSettings, evaluate};

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
    /// Go on with the run in --out, bit for bit as if it had never stopped.
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
    if !arguments.resume && !arguments.run.force {
        RunFolder::refuse_occupied(&arguments.out)?;
    }
    let settings = arguments.training.settings(arguments.lr, arguments.epochs);
    let data = read_data(&arguments.data, &spec)?;
    let test = match arguments.test.is_empty() {
        true => None,
        false => Some(read_data(&arguments.test, &spec)?),
    };
    if let Some(test) = &test {
        refuse_shared_recordings(&data, test)?;
        if test.class_names() != data.class_names() {
            return Err(Failure::bad(
                "the --test files name their classes differently from the --data files",
            ));
        }
    }
    let (mut trainer, mut folder) = match arguments.resume {
        true => go_on(&arguments, &spec, settings, &data, test.as_ref())?,
        false => begin(&arguments, &spec, settings, &data, test.as_ref())?,
    };
    let read_s = started.elapsed().as_secs_f64();
    let clock = Instant::now();
    let (mut test_s, mut write_s) = (0.0, 0.0);
    let trained_on = data.recordings();
    let examples = DatasetExamples::all(&data);
    let tests = test.as_ref().map(DatasetExamples::all);
    let bar = EpochBar::new("train", arguments.epochs - trainer.epochs_done());
    let mut last = None;
    while trainer.epochs_done() < arguments.epochs {
        let figures = trainer.epoch(&examples)?;
        let testing = Instant::now();
        let tested = tests
            .as_ref()
            .map(|t| evaluate(trainer.network(), Stage::Whole, t));
        let tested = tested.transpose()?;
        test_s += testing.elapsed().as_secs_f64();
        let writing = Instant::now();
        let line = EpochLine::of_training(trainer.epochs_done(), figures, tested.as_ref());
        folder.add(&RecordLine::Epoch(line))?;
        checkpoint(&trainer, &data, &trained_on).save(&folder.file(CHECKPOINT))?;
        write_s += writing.elapsed().as_secs_f64();
        let train = figures.accuracy * 1e2;
        let speed = trainer.time_spent().samples_per_second();
        bar.epoch(match &tested {
            Some(test) => {
                let test = test.accuracy() * 1e2;
                format!("train {train:.0} % test {test:.0} %, {speed:.0} samples/s")
            }
            None => format!("train {train:.0} %, {speed:.0} samples/s"),
        });
        last = Some((figures, tested));
    }
    bar.done();
    // The check above and `go_on` leave at least one epoch to do.
    let (figures, tested) = last.expect("at least one epoch");
    let tested = match tested {
        Some(tested) => (Some(tested.accuracy()), tested.confusion),
        None => {
            let testing = Instant::now();
            let trained = evaluate(trainer.network(), Stage::Whole, &examples)?;
            test_s += testing.elapsed().as_secs_f64();
            (None, trained.confusion)
        }
    };
    let summary = Summary::Train(TrainSummary {
        seed: trainer.state().shuffle.seed,
        epochs: trainer.epochs_done(),
        train_accuracy: figures.accuracy,
        test_accuracy: tested.0,
        confusion: tested.1.into(),
        seconds: TrainSeconds {
            train: clock.elapsed().as_secs_f64(),
        },
    });
    folder.end(summary.clone())?;
    let others = [
        ("reading and binning", read_s),
        ("testing", test_s),
        ("writing", write_s),
    ];
    let spent = trainer.time_spent();
    note_time(&spent, &others, started.elapsed().as_secs_f64());
    if arguments.run.json {
        return print_json(&summary);
    }
    let test = match tested.0 {
        Some(accuracy) => format!("test {:.1} %", accuracy * 1e2),
        None => "no test files given".to_string(),
    };
    print(&format!(
        "after {} epochs: train {:.1} %, {test}\nwritten to {}",
        trainer.epochs_done(),
        figures.accuracy * 1e2,
        arguments.out.display()
    ))
}

fn begin(
    arguments: &TrainArguments,
    spec: &NetworkSpec,
    settings: TrainingSettings,
    data: &Dataset,
    test: Option<&Dataset>,
) -> Result<(Trainer, RunFolder), Failure> {
    let seed = arguments.run.seed.master();
    let network = Network::new(spec.clone(), seed);
    let trainer = Trainer::new(network, Stage::Whole, settings, seed, Purpose::Shuffle)?;
    let mut note = DataNote::of(data, names_of(&arguments.data));
    note.test_files = names_of(&arguments.test);
    note.test_fingerprint = test.map(fingerprint);
    let task = TaskNote {
        name: "all".to_string(),
        train: data.len(),
        test: test.map_or(0, Dataset::len),
    };
    let settings = Description::Train {
        epochs: arguments.epochs,
        training: settings,
    };
    let start = StartLine::new(
        command_line(),
        seed,
        spec.clone(),
        settings,
        note,
        vec![task],
    );
    let folder = RunFolder::begin(&arguments.out, RecordLine::Start(Box::new(start)))?;
    Ok((trainer, folder))
}

/// Takes up the run in `--out`, which must be the same but for its length.
fn go_on(
    arguments: &TrainArguments,
    spec: &NetworkSpec,
    settings: TrainingSettings,
    data: &Dataset,
    test: Option<&Dataset>,
) -> Result<(Trainer, RunFolder), Failure> {
    let out = arguments.out.display();
    let record = RunFolder::read(&arguments.out)?;
    if let Description::Learn(_) = record.start.settings {
        return Err(Failure::bad(format!(
            "{out} holds a run of `learn`; only those of `train` can be gone on with"
        )));
    }
    if record.epochs.is_empty() {
        return Err(Failure::bad(format!(
            "the run in {out} was cut off in its first epoch; begin anew with --force"
        )));
    }
    let saved = Checkpoint::load(&arguments.out.join(CHECKPOINT))?;
    let Some(state) = saved.trainer else {
        return Err(Failure::bad(format!(
            "{out} holds no training to go on with"
        )));
    };
    let differs = |what: &str| {
        Err(Failure::bad(format!(
            "{what} is not that of the run in {out}; --resume goes on with the same settings"
        )))
    };
    if saved.network.spec() != spec {
        return differs("--model");
    }
    if state.settings != settings {
        return differs("--lr or another training setting");
    }
    if state.shuffle.seed != arguments.run.seed.master() {
        return differs("--seed");
    }
    let before = record.start.simd.unwrap_or_else(Simd::current);
    if !before.trains_like(Simd::current()) {
        return differs(&format!(
            "the arithmetic of the {} instructions (--simd)",
            Simd::current()
        ));
    }
    if record.start.data.fingerprint != fingerprint(data) {
        return differs("--data (or the order of its files)");
    }
    if record.start.data.test_fingerprint != test.map(fingerprint) {
        return differs("--test");
    }
    if record.epochs.len() < state.epochs_done {
        return Err(Failure::bad(format!(
            "the record in {out} has fewer epochs than its checkpoint, so it cannot be gone on with"
        )));
    }
    if state.epochs_done >= arguments.epochs {
        let done = state.epochs_done;
        return Err(Failure::bad(format!(
            "the run in {out} has {done} epochs already; give --epochs a larger number"
        )));
    }
    note(&format!("going on after epoch {}", state.epochs_done));
    let folder = RunFolder::go_on(&arguments.out, state.epochs_done, arguments.epochs)?;
    let trainer = Trainer::resume(saved.network, state)?;
    Ok((trainer, folder))
}

fn checkpoint(trainer: &Trainer, data: &Dataset, trained_on: &RecordingSet) -> Checkpoint {
    Checkpoint {
        network: trainer.network().clone(),
        trainer: Some(trainer.state()),
        training: None,
        class_names: data.class_names().to_vec(),
        trained_on: trained_on.clone(),
    }
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
