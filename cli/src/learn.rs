mod asked;
mod given_tests;
mod method;
mod recorded;
mod said_twice;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;

use super::arguments::{RunFlags, Training, names_of, read_data_for};
use super::failure::Failure;
use super::interrupt::HowToGoOn;
use super::output::{LearnBars, note, note_time, print, print_json, table};
use super::reading::say_what_is_not_seen;
use asked::Asked;
use given_tests::{GivenTests, refuse_published, say_who_is_tested};
use method::MethodFlags;
pub(super) use recorded::{Begins, run_recorded};
use recorded::{Made, run_noted};
use respike::continual::{Experiment, LearningData, Protocol, SavedLearner, Start, TestEvery};
use respike::dataset::{Dataset, DatasetError};
use respike::head::HeadSettings;
use respike::ids::ClassId;
use respike::network::{Network, NetworkSpec};
use respike::report::{DataNote, LEARNER, RunFolder, Summary, learn_table};
use respike::storage::Shown;
use respike::train::{Checkpoint, TrainingSettings};
use said_twice::refuse_said_twice;

/// Pre-train a network, then let it learn something new.
#[derive(Args)]
#[command(
    after_help = "Example:\n  respike learn class --data data/fsdd70_train.h5 data/fsdd70_test.h5 \\\n      --model snn-models/demo70.toml --held-out 9 --strategy latent --replay-layer 2 \\\n      --codec or:2 --budget 400kB --out runs/nine\n  respike learn class --data data/fsdd70_train.h5 --test data/fsdd70_test.h5 \\\n      --model snn-models/demo70.toml --held-out 9 --strategy naive --out runs/nine-naive\n  respike learn sample --data data/fsdd70_train.h5 data/fsdd70_test.h5 \\\n      --model snn-models/demo70.toml --held-out 3 --strategy naive --out runs/speaker-naive\n  respike learn multi-class --data data/fsdd70_train.h5 data/fsdd70_test.h5 \\\n      --model snn-models/demo70.toml --base-classes 5 --strategy latent --replay-layer 2 \\\n      --codec counts:10 --budget 500kB --policy class-balanced --out runs/five-more\n  respike learn nic:79 --data data/fsdd70_train.h5 data/fsdd70_test.h5 \\\n      --model snn-models/digits70.toml --method latent --test-every-tasks 10 --out runs/many-batches"
)]
pub(super) struct LearnArguments {
    #[command(flatten)]
    asked: Asked,
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
    /// A learner that goes on (learner.safetensors of another run, in another folder than --out): with the task after its
    /// last, if this is the same run, else with all tasks that have samples which it has not learned from. Classes are
    /// those whose names it was begun with.
    #[arg(long = "continue", value_name = "STATE", conflicts_with = "checkpoint")]
    state: Option<PathBuf>,
    #[command(flatten)]
    method: MethodFlags,
    /// How data is split and counted: strict; validation, for picking, without a test sample; or published, for comparison
    /// with Dequino et al. 2024.
    #[arg(long, default_value = "strict")]
    protocol: Protocol,
    /// Epochs of pre-training; by default 50, or 200 under the published protocol.
    #[arg(long, value_name = "N")]
    pretrain_epochs: Option<usize>,
    /// Learning rate of pre-training; by default 1e-3, or 2e-4 under the published protocol.
    #[arg(long, value_name = "RATE")]
    pretrain_lr: Option<f32>,
    /// What pre-training alone does otherwise than other flags say, as often as it is given: anything that a method's
    /// [training] has, as in clip_norm=1.5.
    #[arg(long = "pretrain-set", value_name = "KEY=VALUE")]
    pretrain_sets: Vec<String>,
    /// Epochs of each new task; by default what the method says, else 30 (20 for multi-class, 4 for nic, 10 for an order of
    /// your own), or what was published.
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Learning rate of each new task; by default 1e-3, or what was published.
    #[arg(long, value_name = "RATE")]
    lr: Option<f32>,
    /// Test after every so many epochs of a task, and after its last one [default: 1].
    #[arg(long, value_name = "EPOCHS")]
    test_every: Option<usize>,
    /// Test after every so many tasks, and after the last one [default: 1].
    #[arg(long, value_name = "TASKS")]
    test_every_tasks: Option<usize>,
    #[command(flatten)]
    training: Training,
    /// Where to write.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    run: RunFlags,
}

pub(super) fn run(common: &LearnArguments) -> Result<(), Failure> {
    let started = Instant::now();
    common.run.machine.prepare()?;
    common.refuse_idle_flags()?;
    let replace = common.run.replace();
    RunFolder::refuse_occupied(&common.out, replace)?;
    let read = [
        ("--checkpoint", &common.checkpoint),
        ("--continue", &common.state),
    ];
    for (flag, file) in read {
        if let Some(file) = file {
            RunFolder::refuse_read_from(&common.out, replace, (flag, file))?;
        }
    }
    common.refuse_own_learner()?;
    let spec = NetworkSpec::read(&common.model)?;
    let saved = common.checkpoint.as_deref().map(|path| load(path, &spec));
    let saved = saved.transpose()?;
    saved.as_ref().inspect(|saved| say_what_is_not_seen(saved));
    let state = common.state.as_deref().map(|path| load_state(path, &spec));
    let state = state.transpose()?;
    let of_state = state.as_ref().map(SavedLearner::class_names);
    let class_names = saved.as_ref().map(|saved| &saved.class_names[..]);
    let class_names = class_names.or(of_state).unwrap_or_default();
    let (data, tests) = match common.test.as_slice() {
        [] => (read_data_for(&common.data, &spec, class_names)?, None),
        tests => {
            let (data, tests) = GivenTests::read((&common.data, tests), &spec, class_names)?;
            (data, Some(tests))
        }
    };
    let past = Past::of(saved.as_ref(), state.as_ref());
    let (experiment, data) = common.experiment(data, past.as_ref())?;
    let split = tests.map(|tests| tests.split(&data));
    let read_s = started.elapsed().as_secs_f64();
    let start = match (saved, state, &common.checkpoint, &common.state) {
        (Some(saved), _, Some(file), _) => Begins::with(Start::Pretrained(Box::new(saved)), file),
        (_, Some(state), _, Some(file)) => {
            let (state, pretrained) = (Box::new(state), None);
            Begins::with(Start::Learner { state, pretrained }, file)
        }
        _ => Start::Fresh(Box::new(Network::new(spec, experiment.seed))).into(),
    };
    let names = names_of(&common.data);
    let mut bars = LearnBars::new("");
    let out = (common.out.as_path(), replace);
    let recorded = match &split {
        None => run_recorded(&experiment, &data, names, start, out, &mut bars)?,
        Some(split) => {
            say_who_is_tested(&experiment.scenario, &data, split);
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

/// What was done before, elsewhere.
struct Past {
    is_learner: bool,
    class_names: Vec<String>,
    /// How it was pre-trained, if that is known.
    pretraining: Option<(usize, TrainingSettings)>,
}

impl Past {
    fn of(saved: Option<&Checkpoint>, state: Option<&SavedLearner>) -> Option<Self> {
        if let Some(saved) = saved {
            let past = saved.past_training();
            return Some(Past {
                is_learner: false,
                class_names: saved.class_names.clone(),
                pretraining: past.map(|past| (past.epochs, past.settings)),
            });
        }
        let state = state?;
        let experiment = state.experiment();
        Some(Past {
            is_learner: true,
            class_names: state.class_names().to_vec(),
            pretraining: experiment.pretrain_epochs.zip(experiment.pretrain.clone()),
        })
    }

    /// The data with its classes in their order then.
    fn in_order(&self, data: Dataset) -> Result<Dataset, Failure> {
        data.in_class_order(&self.class_names).map_err(|error| {
            let differ = matches!(error, DatasetError::ClassesDiffer { .. });
            match self.is_learner && differ {
                true => Failure::bad(format!(
                    "{error}: a learner keeps the class names that it was begun with, so begin it with all classes that \
                     may ever come (an order of one's own leaves out none that it does not name, --new-classes does), or \
                     take out its own with `respike data split --classes … --own-classes`"
                )),
                false => error.into(),
            }
        })
    }
}

impl LearnArguments {
    /// What somebody is told who interrupts it. With --force the same command would replace what is kept.
    pub(super) fn how_to_go_on(&self) -> HowToGoOn {
        HowToGoOn {
            at_first: "nothing is kept yet; give the same command again, and it begins anew in the same folder",
            later: match self.run.force {
                false => {
                    "pre-training and the tasks learned so far are kept; give the same command again, and it goes on after \
                     the last whole one"
                }
                true => {
                    "pre-training and the tasks learned so far are kept; give the same command again without --force, and \
                     it goes on after the last whole one"
                }
            },
        }
    }

    /// Refuses what would change nothing, and notes what changes nothing beside a pre-trained network.
    fn refuse_idle_flags(&self) -> Result<(), Failure> {
        let named = |flags: &[(&'static str, bool)]| {
            let given = flags.iter().filter(|(_, given)| *given);
            given.map(|(flag, _)| *flag).collect::<Vec<_>>()
        };
        refuse_published(self.protocol, &self.test)?;
        if self.protocol == Protocol::Published && self.method.policy.is_some() {
            return Err(Failure::bad(
                "the published protocol has a rule of its own for what the memory keeps, so that --policy would \
                 change nothing; leave it out",
            ));
        }
        let mut flags = self.method.given();
        flags.extend(self.training.given());
        flags.extend([
            ("--epochs", "epochs", self.epochs.is_some()),
            ("--lr", "training.learning_rate", self.lr.is_some()),
        ]);
        refuse_said_twice("--set", self.method.sets(), &flags)?;
        let of_pretraining = [("--pretrain-lr", "learning_rate", self.pretrain_lr.is_some())];
        refuse_said_twice("--pretrain-set", &self.pretrain_sets, &of_pretraining)?;
        let pretrain = named(&[
            ("--pretrain-epochs", self.pretrain_epochs.is_some()),
            ("--pretrain-lr", self.pretrain_lr.is_some()),
            ("--pretrain-set", !self.pretrain_sets.is_empty()),
        ]);
        let begun = [
            ("--checkpoint", self.checkpoint.is_some()),
            ("--continue", self.state.is_some()),
        ];
        for (flag, _) in begun
            .iter()
            .filter(|(_, given)| *given && !pretrain.is_empty())
        {
            note(&format!(
                "with {flag} there is no pre-training, so that {} changes nothing",
                pretrain.join(" and ")
            ));
        }
        if self.checkpoint.is_some() && self.protocol == Protocol::Published {
            note(
                "under the published protocol tests of what is old share samples with training, so that it can't be \
                 checked whether the pre-trained network has seen those; it must not have seen what is new",
            );
        }
        Ok(())
    }

    /// Refuses a learner that lies where the run is to be written: in place of its own it would be gone with the first kill.
    fn refuse_own_learner(&self) -> Result<(), Failure> {
        let is_own = |state: &&Path| {
            let there = [state, self.out.as_path()].map(std::fs::canonicalize);
            matches!(there, [Ok(state), Ok(out)] if state == out.join(LEARNER))
        };
        let own = self.state.as_deref().filter(is_own);
        own.map_or(Ok(()), |state| {
            Err(Failure::bad(format!(
                "{} (--continue) lies in --out, where a run goes on with its own learner when its command is given again as it was; to \
                 teach this learner something else, choose another --out",
                state.display()
            )))
        })
    }

    /// Says which flags of training change nothing beside a head that learns alone.
    fn note_what_is_not_trained(&self, head: &HeadSettings, is_pretrained: bool) {
        if !head.learns_alone() {
            return;
        }
        // All others count for pre-training, too.
        let of_learning = [
            ("--epochs", "", self.epochs.is_some()),
            ("--lr", "", self.lr.is_some()),
        ];
        let others = self.training.given().into_iter();
        let others = others.filter(|_| is_pretrained);
        let idle = of_learning.into_iter().chain(others);
        let idle = idle.filter(|(.., given)| *given).map(|(flag, ..)| flag);
        let idle: Vec<&str> = idle.collect();
        if !idle.is_empty() {
            note(&format!(
                "the head {} learns alone, in one go over each task, so that {} changes nothing",
                head.kind(),
                idle.join(" and ")
            ));
        }
    }

    /// The experiment that is asked for, and its data with the classes that it is about, numbered as the
    /// pre-trained network numbers them if there is one.
    fn experiment(
        &self,
        data: Dataset,
        past: Option<&Past>,
    ) -> Result<(Experiment, Dataset), Failure> {
        let (mut scenario, mut data, classes) = self.asked.find(data)?;
        if let Some(past) = past.filter(|past| !past.class_names.is_empty()) {
            if classes.is_some() && past.class_names != data.class_names() {
                return Err(Failure::bad(format!(
                    "the classes chosen are {} in this order, but the network was trained on {}",
                    data.class_names().join(", "),
                    past.class_names.join(", ")
                )));
            }
            let before = data.class_names().to_vec();
            data = past.in_order(data)?;
            let place = |class: ClassId| {
                let name = before.get(class.index());
                let found = name.and_then(|name| data.find_class(name).ok());
                found.unwrap_or(class)
            };
            scenario = scenario.renumbered(&place).unwrap_or(scenario);
        }
        let said = self.method.find()?;
        self.note_what_is_not_trained(&said.method.head, past.is_some());
        let defaults = scenario.defaults(self.protocol, said.method.rehearses());
        let (pretrain_epochs, pretrain) = match past {
            Some(past) => past.pretraining.clone().unzip(),
            None => {
                let epochs = self.pretrain_epochs.unwrap_or(defaults.pretrain_epochs);
                let rate = self.pretrain_lr.unwrap_or(defaults.pretrain_rate);
                let settings = self.training.settings(rate, epochs)?;
                let said = method::training_of(&self.pretrain_sets)?;
                let settings = said.over(settings, epochs).map_err(Failure::bad)?;
                (Some(epochs), Some(settings))
            }
        };
        let epochs = self.epochs.or(said.epochs).unwrap_or(defaults.epochs);
        let usual = TrainingSettings::default().with_learning_rate(defaults.rate);
        let learn = said.training.over(usual, epochs).map_err(Failure::bad)?;
        let learn = self.training.over(learn, self.lr, epochs)?;
        let seed = self.run.seed.master();
        let mut experiment = Experiment::new(scenario, said.method, self.protocol, seed)
            .with_learning(epochs, learn);
        (experiment.pretrain_epochs, experiment.pretrain) = (pretrain_epochs, pretrain);
        experiment.classes = classes;
        experiment.test_every = TestEvery {
            tasks: self.test_every_tasks.unwrap_or(1),
            epochs: self.test_every.unwrap_or(1),
        };
        Ok((experiment, data))
    }
}

/// Reads a learner, whose network must be of the spec.
fn load_state(path: &Path, spec: &NetworkSpec) -> Result<SavedLearner, Failure> {
    let state = SavedLearner::load(path)?;
    match state.network().spec() == spec {
        true => Ok(state),
        false => Err(Failure::bad(format!(
            "{} holds the network `{}`, which is not the one that --model describes",
            path.display(),
            state.network().spec().settings().name
        ))),
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
