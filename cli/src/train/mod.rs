//! `respike train`: what is asked for, where it starts, and the run itself.

mod asked;
mod init;
mod resume;
mod run;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;

use super::arguments::{RunFlags, Training, one_of, read_data, read_data_for};
use super::failure::Failure;
use super::or_none::OrNone;
use super::output::{note, print, print_json};
use super::reading::read_events_for;
use asked::Asked;
use respike::augment::AugmentationSettings;
use respike::network::Stage;
use respike::registry::Registry;
use respike::report::{
    Begun, Replace, RunFolder, RunFolderError, StartLine, Summary, TrainSummary,
};
use respike::storage::Shown;
use respike::train::{Select, TrainError, TrainingRun};
use resume::{Resumed, RunData, record_of, resume};
use run::{CHECKPOINT, Run};

/// Train a network on SHD-layout files.
///
/// Writes run.jsonl (a line an epoch), summary.json, checkpoint.safetensors (after every epoch), network.safetensors (the
/// network that is picked, in the end) and, with validation samples, best.safetensors (the best epoch so far) to the
/// --out folder.
#[derive(Args)]
#[command(
    after_help = "Example:\n  respike train --data data/fsdd70_train.h5 --test data/fsdd70_test.h5 \\\n      --model snn-models/demo70.toml --epochs 30 --out runs/first\n  respike train --recipe snn-models/recipes/digits70.toml --out runs/digits\n  respike train --recipe snn-models/recipes/digits70.toml --augment none --out runs/plain\n  respike train --init runs/digits/network.safetensors --data mine.h5 --validation 0.1 \\\n      --select best-validation --epochs 20 --out runs/mine"
)]
pub(super) struct TrainArguments {
    /// A recipe: network, data, seed and training in one TOML file, as in snn-models/recipes/. Whatever flags say goes
    /// before what it says.
    #[arg(long, value_name = "RECIPE.toml")]
    recipe: Option<PathBuf>,
    /// Files to train on; several are merged.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    data: Vec<PathBuf>,
    /// Files to test with at the end; never trained on; none for no test, whatever a recipe says.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    test: Vec<PathBuf>,
    /// Test after every so many epochs, too, and not only at the end; none for at the end alone, whatever a recipe says.
    #[arg(long, value_name = "N")]
    test_every: Option<OrNone<usize>>,
    /// The network, a TOML file as in snn-models/; that of --init if there is none.
    #[arg(long, value_name = "SPEC.toml")]
    model: Option<PathBuf>,
    /// Begin with the weights of a trained network: other data, rates or classes may follow. Classes are matched by
    /// their names, and new ones begin anew.
    #[arg(long, value_name = "CHECKPOINT")]
    init: Option<PathBuf>,
    /// Epochs in all; with --resume, those done before count.
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// The learning rate [default: 0.001].
    #[arg(long, value_name = "RATE")]
    lr: Option<f32>,
    #[command(flatten)]
    training: Training,
    #[arg(long = "augment", value_name = "NAME", help = one_of("How recordings are changed anew in each epoch, as often as it is given; none for not at all, whatever a recipe says", Registry::augmentations))]
    augmentations: Vec<OrNone<AugmentationSettings>>,
    /// Keep this share of the training samples of each speaker and class out, to see how good training gets; none to
    /// train on all, whatever a recipe says.
    #[arg(long, value_name = "SHARE", conflicts_with = "validation_speakers")]
    validation: Option<OrNone<f64>>,
    /// Keep all samples of these speakers out, by name or number: NAME,NAME.
    #[arg(long, value_name = "SPEAKER,…", value_delimiter = ',')]
    validation_speakers: Option<Vec<String>>,
    /// Which network is picked: last, or best-validation, the one that is best on the samples kept out; that is the one
    /// that is tested [default: last].
    #[arg(long, value_name = "WHICH")]
    select: Option<Select>,
    /// End when so many epochs in a row were not better on the samples kept out; none to train them all, whatever a
    /// recipe says.
    #[arg(long, value_name = "EPOCHS")]
    patience: Option<OrNone<usize>>,
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
    let asked = Asked::of(&arguments)?;
    let replace = match arguments.run.force {
        true => Replace::Any,
        false => Replace::Nothing,
    };
    let record = match arguments.resume {
        true => record_of(&arguments.out)?,
        false => None,
    };
    if record.is_none() {
        let refused = RunFolder::refuse_occupied(&arguments.out, replace);
        refused.map_err(occupied)?;
    }
    if let Some(file) = &arguments.init {
        RunFolder::refuse_read_from(&arguments.out, replace, ("--init", file))?;
    }
    let class_names = record
        .as_ref()
        .map(|record| &record.start.data.class_names[..]);
    let (spec, plan) = (&asked.spec, &asked.plan);
    let read = match plan.augmentations.is_empty() {
        true => read_data_for,
        false => read_events_for,
    };
    let mut data = read(&asked.train, spec, class_names.unwrap_or_default())?;
    if let Some(record) = &record {
        data = data.in_class_order(&record.start.data.class_names)?;
    }
    let batch = plan.training.batch_size.min(data.len());
    spec.check_training_memory(Stage::Whole, batch, spec.steps())
        .map_err(TrainError::from)?;
    let test = match asked.test.is_empty() {
        true => None,
        false => {
            let test = read_data(&asked.test, spec)?;
            Some(test.in_class_order(data.class_names())?)
        }
    };
    if let Some(test) = &test {
        asked.refuse_seen(&data, test)?;
    }
    let split = plan.split(&data, asked.seed)?;
    if split.left_out > 0 {
        note(&format!(
            "{} samples that were to be kept out of training are of recordings that are trained on, too, and are left \
             out",
            split.left_out
        ));
    }
    asked.say_what_was_seen(&data, &split);
    let start = asked.start(&data, test.as_ref(), &split);
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
            let network = asked.network(&data)?;
            let training = TrainingRun::new(plan.clone(), network, &data, asked.seed)?;
            Run {
                folder: begin(&arguments.out, start, replace)?,
                training,
                train_accuracy: 0.0,
                seconds_before: 0.0,
            }
        }
        Resumed::After {
            trainer,
            train_accuracy,
            validated,
            seconds,
        } => {
            let done = trainer.epochs_done();
            note(&format!("going on after epoch {done}"));
            if seconds.is_none() && done > 0 {
                note(
                    "how long the run took before is not known, and not in the seconds of its summary",
                );
            }
            Run {
                training: TrainingRun::resume(plan.clone(), *trainer, &data, validated)?,
                folder: RunFolder::go_on(&arguments.out, done, plan.epochs)?,
                train_accuracy,
                seconds_before: seconds.unwrap_or(0.0),
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
    let summary = run.train(&asked, &run_data, (started, read_s))?;
    arguments.tell(&summary)
}

/// What to do about a run that is there: of `train`, it may be gone on with.
fn occupied(error: RunFolderError) -> Failure {
    match error {
        RunFolderError::Occupied(_) => {
            Failure::bad(format!("{error}, or --resume to go on with it"))
        }
        other => other.into(),
    }
}

fn begin(out: &Path, start: StartLine, replace: Replace) -> Result<RunFolder, Failure> {
    match RunFolder::begin(out, start.clone(), replace).map_err(occupied)? {
        Begun::Anew(folder) => Ok(folder),
        Begun::CutOff(folder, _) => Ok(folder.begin_anew(start)?),
        Begun::Finished(_) => Err(occupied(RunFolderError::Occupied(out.to_path_buf()))),
    }
}

/// So many epochs in words.
fn epochs(count: usize) -> String {
    match count {
        1 => "1 epoch".to_string(),
        count => format!("{count} epochs"),
    }
}

impl TrainArguments {
    /// Says what the run came to.
    fn tell(&self, summary: &TrainSummary) -> Result<(), Failure> {
        if self.run.json {
            return print_json(&Summary::Train(summary.clone()));
        }
        let mut accuracies = vec![format!("train {:.1} %", summary.train_accuracy * 1e2)];
        let mut written = Shown(&self.out.display().to_string()).to_string();
        if let Some(picked) = &summary.picked {
            if let Some(accuracy) = picked.validation_accuracy {
                accuracies.push(format!("validation {:.1} %", accuracy * 1e2));
            }
            if picked.epoch < summary.epochs {
                written += &format!(
                    "; {} is the network after epoch {}",
                    picked.file, picked.epoch
                );
            }
        }
        accuracies.push(match summary.test_accuracy {
            Some(accuracy) => format!("test {:.1} %", accuracy * 1e2),
            None => "no test files given".to_string(),
        });
        print(&format!(
            "after {}: {}\nwritten to {written}",
            epochs(summary.epochs),
            accuracies.join(", "),
        ))
    }
}
