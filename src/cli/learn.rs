use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, Subcommand};

use super::arguments::{RunFlags, Training, command_line, names_of, read_data};
use super::failure::Failure;
use super::output::{LearnBars, note, note_time, print, print_json, table};
use crate::continual::{
    Experiment, LearningDefaults, MemorySettings, Outcome, Progress, Protocol, RunTime, Scenario,
    Start, Strategy, TestSamples, run as run_experiment,
};
use crate::dataset::Dataset;
use crate::ids::{ClassId, SpeakerId};
use crate::network::{Network, NetworkSpec};
use crate::replay::{Capacity, Codec, Policy, parse_bytes};
use crate::report::{
    DataNote, Description, EpochLine, LearnSummary, RecordLine, Replace, RunFolder, RunFolderError,
    StartLine, Summary, TaskNote, learn_table,
};
use crate::train::Checkpoint;

/// Pre-train a network, then let it learn something new.
#[derive(Subcommand)]
#[command(
    after_help = "Example:\n  respike learn class --data data/fsdd70_train.h5 data/fsdd70_test.h5 \\\n      --model snn-models/demo70.toml --held-out 9 --strategy latent --lr-index 2 \\\n      --codec or:2 --budget 400kB --out runs/nine"
)]
pub(super) enum LearnCommand {
    /// A new speaker of known classes (sample-incremental).
    #[command(
        after_help = "Example:\n  respike learn sample --data data/fsdd70_train.h5 data/fsdd70_test.h5 \\\n      --model snn-models/demo70.toml --held-out 3 --strategy naive --out runs/speaker-naive"
    )]
    Sample {
        /// The speaker that pre-training never hears.
        #[arg(long, value_name = "SPEAKER")]
        held_out: u16,
        #[command(flatten)]
        common: Box<LearnArguments>,
    },
    /// A new class (class-incremental).
    #[command(
        after_help = "Example:\n  respike learn class --data data/fsdd70_train.h5 data/fsdd70_test.h5 \\\n      --model snn-models/demo70.toml --held-out 9 --strategy latent --lr-index 2 \\\n      --codec or:2 --replays 600 --out runs/nine"
    )]
    Class {
        /// The class that pre-training never hears.
        #[arg(long, value_name = "CLASS")]
        held_out: u16,
        #[command(flatten)]
        common: Box<LearnArguments>,
    },
    /// Many classes, one after the other (multi-class-incremental).
    #[command(
        after_help = "Example:\n  respike learn multi-class --data data/fsdd70_train.h5 data/fsdd70_test.h5 \\\n      --model snn-models/demo70.toml --base-classes 5 --strategy latent --lr-index 2 \\\n      --codec counts:10 --budget 500kB --policy class-balanced --out runs/five-more"
    )]
    MultiClass {
        /// The lowest classes, so many, are pre-trained on; half of them by default.
        #[arg(long, value_name = "K")]
        base_classes: Option<usize>,
        #[command(flatten)]
        common: Box<LearnArguments>,
    },
}

#[derive(Args)]
pub(super) struct LearnArguments {
    /// Files with the data; several are merged, and split by the protocol.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    data: Vec<PathBuf>,
    /// The network, a TOML file as in snn-models/.
    #[arg(long, value_name = "SPEC.toml")]
    model: PathBuf,
    /// A network pre-trained for the same scenario, data and seed (pretrained.safetensors of another
    /// run); pre-training is then left out.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// What is trained on: naive (new samples only), joint (old ones too), native (a memory of raw
    /// inputs) or latent (a memory of compressed latents).
    #[arg(long, default_value = "latent")]
    strategy: Strategy,
    /// How many hidden layers are frozen while learning: 0 keeps input currents, k the spikes of
    /// layer k. For latent replay 2 by default; naive and joint train the whole network without it.
    #[arg(long, value_name = "INDEX")]
    lr_index: Option<usize>,
    /// How latents are compressed in time: raw, or:W or counts:W, with windows of W steps.
    #[arg(long, default_value = "raw")]
    codec: Codec,
    /// The most that the memory may take, labels and header included: 160kB, 2MiB, 500000.
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes, conflicts_with = "replays")]
    budget: Option<u64>,
    /// The most samples that the memory may hold.
    #[arg(long, value_name = "N")]
    replays: Option<usize>,
    /// Which samples the memory keeps: uniform, reservoir or class-balanced. The published protocol
    /// has its own rule and does not ask.
    #[arg(long, default_value = "uniform")]
    policy: Policy,
    /// How data is split and counted: strict, or published for comparison with Dequino et al. 2024.
    #[arg(long, default_value = "strict")]
    protocol: Protocol,
    /// Epochs of pre-training; by default 50, or 200 under the published protocol.
    #[arg(long, value_name = "N")]
    pretrain_epochs: Option<usize>,
    /// Learning rate of pre-training; by default 1e-3, or 2e-4 under the published protocol.
    #[arg(long, value_name = "RATE")]
    pretrain_lr: Option<f32>,
    /// Epochs of each new task; by default 30 (20 for multi-class), or what was published.
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Learning rate of each new task; by default 1e-3, or what was published.
    #[arg(long, value_name = "RATE")]
    lr: Option<f32>,
    #[command(flatten)]
    training: Training,
    /// Where to write.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    run: RunFlags,
}

pub(super) fn run(command: LearnCommand) -> Result<(), Failure> {
    let (kind, common) = match command {
        LearnCommand::Sample { held_out, common } => (Kind::Sample(SpeakerId(held_out)), common),
        LearnCommand::Class { held_out, common } => (Kind::Class(ClassId(held_out)), common),
        LearnCommand::MultiClass {
            base_classes,
            common,
        } => (Kind::MultiClass(base_classes), common),
    };
    let started = Instant::now();
    common.run.machine.prepare()?;
    common.refuse_idle_flags()?;
    let replace = common.run.replace();
    RunFolder::refuse_occupied(&common.out, replace)?;
    let spec = NetworkSpec::read(&common.model)?;
    let start = common.checkpoint.as_deref().map(|path| load(path, &spec));
    let start = start.transpose()?;
    let data = read_data(&common.data, &spec)?;
    let scenario = match kind {
        Kind::Sample(speaker) => Scenario::Sample { speaker },
        Kind::Class(class) => Scenario::Class { class },
        Kind::MultiClass(base) => Scenario::MultiClass {
            base_classes: base.unwrap_or(data.classes().len() / 2),
        },
    };
    let read_s = started.elapsed().as_secs_f64();
    let experiment = common.experiment(scenario);
    let start = match start {
        Some(saved) => Start::Pretrained(Box::new(saved)),
        None => Start::Fresh(Box::new(Network::new(spec, experiment.seed))),
    };
    let names = names_of(&common.data);
    let mut bars = LearnBars::new("");
    let (summary, outcome) = run_recorded(
        &experiment,
        &data,
        names,
        start,
        (&common.out, replace),
        &mut bars,
    )?;
    note_times(&outcome.time, read_s, started.elapsed().as_secs_f64());
    if common.run.json {
        return print_json(&Summary::Learn(Box::new(summary)));
    }
    let (heading, rows) = learn_table(&[summary]);
    print(&table(&heading, &rows, 3))?;
    print(&format!("written to {}", common.out.display()))
}

/// Says where the time of a run went, with pre-training apart from learning.
fn note_times(time: &RunTime, read_s: f64, whole_s: f64) {
    let shared = [
        ("reading and binning", read_s),
        ("testing", time.test_s),
        ("frozen stage", time.freeze_s),
        ("filling the memory", time.remember_s),
    ];
    let speed = time.pretrain.samples_per_second();
    if time.pretrain.samples > 0 {
        note(&format!("pre-training ran at {speed:.0} samples a second"));
    }
    let pretrain = [("pre-training", time.pretrain.total())];
    note_time(&time.learn, &[&pretrain[..], &shared].concat(), whole_s);
}

/// The scenario as asked for, before the data is read.
enum Kind {
    Sample(SpeakerId),
    Class(ClassId),
    MultiClass(Option<usize>),
}

impl LearnArguments {
    /// Refuses a memory where there is none, and notes what else would change nothing.
    fn refuse_idle_flags(&self) -> Result<(), Failure> {
        let has_memory = matches!(self.strategy, Strategy::Native | Strategy::Latent);
        if !has_memory && (self.budget.is_some() || self.replays.is_some()) {
            return Err(Failure::bad(format!(
                "the strategy {} has no memory, so --budget and --replays change nothing; leave \
                 them out",
                self.strategy
            )));
        }
        if self.checkpoint.is_some() && self.pretrain_epochs.is_some() {
            note(
                "with --checkpoint there is no pre-training, so --pretrain-epochs changes nothing",
            );
        }
        Ok(())
    }

    fn experiment(&self, scenario: Scenario) -> Experiment {
        let defaults = LearningDefaults::of(self.protocol, scenario, self.strategy);
        let pretrain_epochs = self.pretrain_epochs.unwrap_or(defaults.pretrain_epochs);
        let epochs = self.epochs.unwrap_or(defaults.epochs);
        let pretrain_rate = self.pretrain_lr.unwrap_or(defaults.pretrain_rate);
        let has_memory = matches!(self.strategy, Strategy::Native | Strategy::Latent);
        let capacity = match (self.budget, self.replays) {
            (Some(bytes), _) => Some(Capacity::Bytes(bytes)),
            (None, samples) => samples.map(Capacity::Samples),
        };
        Experiment {
            scenario,
            strategy: self.strategy,
            protocol: self.protocol,
            lr_index: match self.strategy {
                Strategy::Latent => self.lr_index.or(Some(2)),
                _ => self.lr_index,
            },
            memory: capacity
                .filter(|_| has_memory)
                .map(|capacity| MemorySettings {
                    codec: self.codec,
                    policy: self.policy,
                    capacity,
                }),
            pretrain_epochs: Some(pretrain_epochs),
            pretrain: Some(self.training.settings(pretrain_rate, pretrain_epochs)),
            epochs,
            learn: self
                .training
                .settings(self.lr.unwrap_or(defaults.rate), epochs),
            seed: self.run.seed.master(),
            classes: None,
        }
    }
}

/// Reads a pre-trained network, which must be of the spec.
fn load(path: &Path, spec: &NetworkSpec) -> Result<Checkpoint, Failure> {
    let saved = Checkpoint::load(path)?;
    if saved.network.spec() != spec {
        return Err(Failure::bad(format!(
            "{} holds the network `{}`, which is not the one that --model describes",
            path.display(),
            saved.network.spec().settings().name
        )));
    }
    if saved.trained_on.is_empty() {
        return Err(Failure::bad(format!(
            "{} does not say what it was trained on; use one that `train` or `learn` wrote",
            path.display()
        )));
    }
    Ok(saved)
}

/// Runs an experiment and writes its folder: records, summary, networks and memory.
///
/// Nothing is written before everything is known to fit.
pub(super) fn run_recorded(
    experiment: &Experiment,
    data: &Dataset,
    files: Vec<String>,
    start: Start,
    (out, replace): (&Path, Replace),
    bars: &mut LearnBars,
) -> Result<(LearnSummary, Outcome), Failure> {
    let spec = start.network().spec().clone();
    let mut folder: Option<RunFolder> = None;
    let mut trouble: Option<RunFolderError> = None;
    let mut test_samples = None;
    let outcome = run_experiment(experiment, data, start, &mut |progress| {
        bars.show(&progress);
        let written = match (&progress, &mut folder) {
            (Progress::Planned(plan), _) => {
                test_samples = Some(TestSamples::of(plan));
                let settings = Description::Learn(experiment.clone());
                let data_note = DataNote::of(data, files.clone());
                let tasks = TaskNote::of(plan);
                let start = StartLine::new(
                    command_line(),
                    experiment.seed,
                    spec.clone(),
                    settings,
                    data_note,
                    tasks,
                );
                let begun = RunFolder::begin(out, start, replace);
                begun.map(|begun| folder = Some(begun))
            }
            (Progress::Epoch(record), Some(folder)) => {
                folder.add(&RecordLine::Epoch(EpochLine::from(*record)))
            }
            _ => Ok(()),
        };
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                trouble = Some(error);
                ControlFlow::Break(())
            }
        }
    });
    bars.finish();
    if let Some(error) = trouble {
        return Err(error.into());
    }
    let outcome = outcome?;
    // A run that came to its end told its plan first.
    let folder = folder.expect("a planned run has a folder");
    let test_samples = test_samples.expect("a planned run has tests");
    outcome
        .pretrained
        .save(&folder.file("pretrained.safetensors"))?;
    outcome.learned.save(&folder.file("learned.safetensors"))?;
    if let Some(memory) = &outcome.memory {
        memory.save(&folder.file("memory.safetensors"))?;
    }
    let summary = LearnSummary::new(experiment, &outcome, test_samples);
    folder.end(Summary::Learn(Box::new(summary.clone())))?;
    Ok((summary, outcome))
}
