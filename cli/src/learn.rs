mod given_tests;
mod recorded;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, Subcommand};

use super::arguments::{RunFlags, Training, names_of, read_data_for};
use super::class_choice::ClassChoice;
use super::failure::Failure;
use super::output::{LearnBars, note, note_time, print, print_json, table};
use super::reading::say_what_is_not_seen;
use given_tests::{GivenTests, refuse_published, say_who_is_tested};
pub(super) use recorded::run_recorded;
use recorded::{Made, run_noted};
use respike::continual::{
    Experiment, LearningData, LearningDefaults, MemorySettings, Protocol, Scenario, Start, Strategy,
};
use respike::dataset::Dataset;
use respike::network::{Network, NetworkSpec};
use respike::replay::{Capacity, Codec, Policy, parse_bytes};
use respike::report::{DataNote, RunFolder, Summary, learn_table};
use respike::storage::Shown;
use respike::train::Checkpoint;

/// Pre-train a network, then let it learn something new.
#[derive(Subcommand)]
#[command(
    after_help = "Example:\n  respike learn class --data data/fsdd70_train.h5 data/fsdd70_test.h5 \\\n      --model snn-models/demo70.toml --held-out 9 --strategy latent --replay-layer 2 \\\n      --codec or:2 --budget 400kB --out runs/nine\n  respike learn class --data data/fsdd70_train.h5 --test data/fsdd70_test.h5 \\\n      --model snn-models/demo70.toml --held-out 9 --strategy naive --out runs/nine-naive"
)]
pub(super) enum LearnCommand {
    /// A new speaker of known classes (sample-incremental).
    #[command(
        after_help = "Example:\n  respike learn sample --data data/fsdd70_train.h5 data/fsdd70_test.h5 \\\n      --model snn-models/demo70.toml --held-out 3 --strategy naive --out runs/speaker-naive"
    )]
    Sample {
        /// The speaker that pre-training never hears, by name or number.
        #[arg(long, value_name = "SPEAKER", allow_hyphen_values = true)]
        held_out: String,
        #[command(flatten)]
        common: Box<LearnArguments>,
    },
    /// A new class (class-incremental).
    #[command(
        after_help = "Example:\n  respike learn class --data data/fsdd70_train.h5 data/fsdd70_test.h5 \\\n      --model snn-models/demo70.toml --held-out 9 --strategy latent --replay-layer 2 \\\n      --codec or:2 --replays 600 --out runs/nine"
    )]
    Class {
        /// The class that pre-training never hears, by name or number.
        #[arg(long, value_name = "CLASS", allow_hyphen_values = true)]
        held_out: String,
        #[command(flatten)]
        common: Box<LearnArguments>,
    },
    /// Many classes, one after the other (multi-class-incremental).
    #[command(
        after_help = "Example:\n  respike learn multi-class --data data/fsdd70_train.h5 data/fsdd70_test.h5 \\\n      --model snn-models/demo70.toml --base-classes 5 --strategy latent --replay-layer 2 \\\n      --codec counts:10 --budget 500kB --policy class-balanced --out runs/five-more"
    )]
    MultiClass {
        /// What is pre-trained on: the lowest classes, so many, or classes by name (or number) with commas
        /// between them, as in zero,one,five. Half of the classes by default, or all but --new-classes.
        #[arg(long, value_name = "K|CLASS,…")]
        base_classes: Option<String>,
        /// What is learned afterwards, in this order: classes by name or number with commas between them.
        /// All others by default, in the order of the files; classes in neither list are left out.
        #[arg(long, value_name = "CLASS,…")]
        new_classes: Option<String>,
        #[command(flatten)]
        common: Box<LearnArguments>,
    },
}

#[derive(Args)]
pub(super) struct LearnArguments {
    /// Files with the data; several are merged, and split by the protocol, unless there is --test.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    data: Vec<PathBuf>,
    /// Files to test with, instead of splitting: all samples of --data are trained on, all of --test are tested.
    /// Both must have the same class names, and samples of everything that is learned; speakers are the same by
    /// their names. A new speaker must be in both; speakers in --test alone count as old. Not with the published
    /// protocol.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    test: Vec<PathBuf>,
    /// The network, a TOML file as in snn-models/.
    #[arg(long, value_name = "SPEC.toml")]
    model: PathBuf,
    /// A network pre-trained for the same scenario, data and seed (pretrained.safetensors of another
    /// run); pre-training is then left out, and the record says how that was done.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// What is trained on: naive (new samples only), joint (old ones too), native (a memory of raw
    /// inputs) or latent (a memory of compressed latents).
    #[arg(long, default_value = "latent")]
    strategy: Strategy,
    /// How many hidden layers are frozen while learning, the LR index of papers and reports: 0 keeps input
    /// currents, k the spikes of layer k. For latent replay 2 by default; naive and joint train the whole
    /// network without it.
    #[arg(long, value_name = "INDEX", visible_alias = "lr-index")]
    replay_layer: Option<usize>,
    /// How latents are compressed in time: raw (by default), or:W or counts:W, with windows of W steps.
    #[arg(long)]
    codec: Option<Codec>,
    /// The most that the memory may take, labels and header included: 160kB, 2MiB, 500000.
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes, conflicts_with = "replays")]
    budget: Option<u64>,
    /// The most samples that the memory may hold.
    #[arg(long, value_name = "N")]
    replays: Option<usize>,
    /// Which samples the memory keeps: uniform (by default), reservoir or class-balanced. The published
    /// protocol has a rule of its own.
    #[arg(long)]
    policy: Option<Policy>,
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
    let (asked, common) = command.split();
    let started = Instant::now();
    common.run.machine.prepare()?;
    common.refuse_idle_flags()?;
    let replace = common.run.replace();
    RunFolder::refuse_occupied(&common.out, replace)?;
    let spec = NetworkSpec::read(&common.model)?;
    let saved = common.checkpoint.as_deref().map(|path| load(path, &spec));
    let saved = saved.transpose()?;
    saved.as_ref().inspect(|saved| say_what_is_not_seen(saved));
    let class_names = saved.as_ref().map(|saved| &saved.class_names[..]);
    let class_names = class_names.unwrap_or_default();
    let (data, tests) = match common.test.as_slice() {
        [] => (read_data_for(&common.data, &spec, class_names)?, None),
        tests => {
            let (data, tests) = GivenTests::read((&common.data, tests), &spec, class_names)?;
            (data, Some(tests))
        }
    };
    let (experiment, data) = common.experiment(&asked, data, saved.as_ref())?;
    let split = tests.map(|tests| tests.split(&data));
    let read_s = started.elapsed().as_secs_f64();
    let start = match saved {
        Some(saved) => Start::Pretrained(Box::new(saved)),
        None => Start::Fresh(Box::new(Network::new(spec, experiment.seed))),
    };
    let names = names_of(&common.data);
    let mut bars = LearnBars::new("");
    let out = (common.out.as_path(), replace);
    let recorded = match &split {
        None => run_recorded(&experiment, &data, names, start, out, &mut bars)?,
        Some(split) => {
            say_who_is_tested(experiment.scenario, &data, split);
            let note = DataNote::of_split(&data, split, (names, names_of(&common.test)));
            let data = LearningData::with_split(&data, split)?;
            run_noted(&experiment, data, note, start, out, &mut bars)?
        }
    };
    match &recorded.made {
        Some(made) => note_times(made, read_s, started.elapsed().as_secs_f64()),
        None => note("the run has come to its end before; nothing is left to do"),
    }
    if common.run.json {
        return print_json(&Summary::Learn(Box::new(recorded.summary)));
    }
    let (heading, rows) = learn_table(&[recorded.summary]);
    print(&table(&heading, &rows, 3))?;
    let out = common.out.display().to_string();
    print(&format!("written to {}", Shown(&out)))
}

/// Says where the time of a run went, with pre-training apart from learning.
fn note_times(made: &Made, read_s: f64, whole_s: f64) {
    let time = &made.outcome.time;
    let shared = [
        ("reading and binning", read_s),
        ("testing", time.test_s),
        ("frozen stage", time.freeze_s),
        ("filling the memory", time.remember_s),
        ("writing", made.write_s),
    ];
    let speed = time.pretrain.samples_per_second();
    if time.pretrain.samples > 0 {
        note(&format!("pre-training ran at {speed:.0} samples a second"));
    }
    let pretrain = [("pre-training", time.pretrain.total())];
    note_time(&time.learn, &[&pretrain[..], &shared].concat(), whole_s);
}

/// The scenario as asked for, before the data is read.
enum Asked {
    Sample(String),
    Class(String),
    MultiClass {
        base: Option<String>,
        new: Option<String>,
    },
}

impl LearnCommand {
    /// What is to be learned, and how.
    fn split(self) -> (Asked, Box<LearnArguments>) {
        match self {
            LearnCommand::Sample { held_out, common } => (Asked::Sample(held_out), common),
            LearnCommand::Class { held_out, common } => (Asked::Class(held_out), common),
            LearnCommand::MultiClass {
                base_classes: base,
                new_classes: new,
                common,
            } => (Asked::MultiClass { base, new }, common),
        }
    }
}

impl Asked {
    /// The scenario in the terms of the data, the data with the classes that it is about, and their names
    /// if they were chosen.
    fn find(&self, data: Dataset) -> Result<(Scenario, Dataset, Option<Vec<String>>), Failure> {
        match self {
            Asked::Sample(text) => {
                let speaker = data.find_speaker(text)?;
                Ok((Scenario::Sample { speaker }, data, None))
            }
            Asked::Class(text) => {
                let class = data.find_class(text)?;
                Ok((Scenario::Class { class }, data, None))
            }
            Asked::MultiClass { base, new } => {
                let choice = ClassChoice::of(base.as_deref(), new.as_deref(), &data)?;
                let scenario = Scenario::MultiClass {
                    base_classes: choice.base.len(),
                };
                let order = [choice.base, choice.new].concat();
                // Where nothing is chosen, nothing is noted.
                if order.iter().copied().eq(data.classes()) {
                    return Ok((scenario, data, None));
                }
                let data = data.only_classes(&order)?;
                let names = data.class_names().to_vec();
                Ok((scenario, data, Some(names)))
            }
        }
    }
}

impl LearnArguments {
    /// Refuses what would change nothing, and notes what changes nothing beside a pre-trained network.
    fn refuse_idle_flags(&self) -> Result<(), Failure> {
        let named = |flags: &[(&'static str, bool)]| {
            let given = flags.iter().filter(|(_, given)| *given);
            given.map(|(flag, _)| *flag).collect::<Vec<_>>()
        };
        let idle = named(&[
            ("--budget", self.budget.is_some()),
            ("--replays", self.replays.is_some()),
            ("--codec", self.codec.is_some()),
            ("--policy", self.policy.is_some()),
        ]);
        if !self.has_memory() && !idle.is_empty() {
            return Err(Failure::bad(format!(
                "the strategy {} has no memory, so that {} would change nothing; leave out what does not count",
                self.strategy,
                idle.join(" and ")
            )));
        }
        refuse_published(self.protocol, &self.test)?;
        if self.protocol == Protocol::Published && self.policy.is_some() {
            return Err(Failure::bad(
                "the published protocol has a rule of its own for what the memory keeps, so that --policy would \
                 change nothing; leave it out",
            ));
        }
        let pretrain = named(&[
            ("--pretrain-epochs", self.pretrain_epochs.is_some()),
            ("--pretrain-lr", self.pretrain_lr.is_some()),
        ]);
        if self.checkpoint.is_some() {
            if !pretrain.is_empty() {
                note(&format!(
                    "with --checkpoint there is no pre-training, so that {} changes nothing",
                    pretrain.join(" and ")
                ));
            }
            if self.protocol == Protocol::Published {
                note(
                    "under the published protocol tests of what is old share samples with training, so that it \
                     can't be checked whether the pre-trained network has seen those; it must not have seen what \
                     is new",
                );
            }
        }
        Ok(())
    }

    fn has_memory(&self) -> bool {
        matches!(self.strategy, Strategy::Native | Strategy::Latent)
    }

    /// The experiment that is asked for, and its data with the classes that it is about, numbered as the
    /// pre-trained network numbers them if there is one.
    fn experiment(
        &self,
        asked: &Asked,
        data: Dataset,
        saved: Option<&Checkpoint>,
    ) -> Result<(Experiment, Dataset), Failure> {
        let (mut scenario, mut data, classes) = asked.find(data)?;
        if let Some(saved) = saved.filter(|saved| !saved.class_names.is_empty()) {
            if classes.is_some() && saved.class_names != data.class_names() {
                return Err(Failure::bad(format!(
                    "the classes chosen are {} in this order, but the network was trained on {}",
                    data.class_names().join(", "),
                    saved.class_names.join(", ")
                )));
            }
            let numbered_before = data.class_names().to_vec();
            data = data.in_class_order(&saved.class_names)?;
            if let Scenario::Class { class } = &mut scenario {
                let name = &numbered_before[class.index()];
                *class = data.find_class(name)?;
            }
        }
        let defaults = LearningDefaults::of(self.protocol, scenario, self.strategy);
        let (pretrain_epochs, pretrain) = match saved {
            Some(saved) => {
                let past = saved.past_training();
                (
                    past.as_ref().map(|past| past.epochs),
                    past.map(|past| past.settings),
                )
            }
            None => {
                let epochs = self.pretrain_epochs.unwrap_or(defaults.pretrain_epochs);
                let rate = self.pretrain_lr.unwrap_or(defaults.pretrain_rate);
                (Some(epochs), Some(self.training.settings(rate, epochs)?))
            }
        };
        let epochs = self.epochs.unwrap_or(defaults.epochs);
        let capacity = match (self.budget, self.replays) {
            (Some(bytes), _) => Some(Capacity::Bytes(bytes)),
            (None, samples) => samples.map(Capacity::Samples),
        };
        let learn = self
            .training
            .settings(self.lr.unwrap_or(defaults.rate), epochs)?;
        let seed = self.run.seed.master();
        let mut experiment = Experiment::new(scenario, self.strategy, self.protocol, seed)
            .with_learning(epochs, learn);
        experiment.lr_index = match self.strategy {
            Strategy::Latent => self.replay_layer.or(Some(2)),
            _ => self.replay_layer,
        };
        experiment.memory = capacity.filter(|_| self.has_memory()).map(|capacity| {
            let codec = self.codec.unwrap_or(Codec::Raw);
            MemorySettings::new(codec, self.policy.unwrap_or(Policy::Uniform), capacity)
        });
        (experiment.pretrain_epochs, experiment.pretrain) = (pretrain_epochs, pretrain);
        experiment.classes = classes;
        Ok((experiment, data))
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

#[cfg(test)]
mod tests;
