//! Commands that make a result again.
//!
//! In: an experiment and the suite it is of. Out: a line for a shell.

use std::path::Path;

use toml::{Table, Value};

use crate::continual::{Experiment, TestEvery};
use crate::method::{Method, MethodFile, MethodTraining, View, add_to_name, said_value};
use crate::replay::{Capacity, Memory, SourceSettings};
use crate::shipped::METHODS;
use crate::simd::Simd;
use crate::suite::{GroupId, Manifest, cell_name};
use crate::train::TrainingSettings;

/// The `respike learn` command of an experiment, to the last setting, with a folder of its own to write
/// to.
pub fn learn_command(manifest: &Manifest, experiment: &Experiment) -> String {
    let mut words = vec!["respike".to_string(), "learn".to_string()];
    let data = &manifest.data;
    let mut add = |option: &[&str]| words.extend(option.iter().map(ToString::to_string));
    match (experiment.scenario.base_classes(), &experiment.classes) {
        (Some(base_classes), Some(names)) => {
            add(&[experiment.scenario.kind()]);
            let names: Vec<String> = names.iter().map(|name| data.class_in_list(name)).collect();
            let (base, new) = names.split_at(base_classes.min(names.len()));
            // A comma makes a list even of one name that could be a number.
            add(&["--base-classes", &format!("{},", base.join(","))]);
            add(&["--new-classes", &new.join(",")]);
        }
        _ => words.extend(experiment.scenario.command_words(data)),
    }
    let mut add = |option: &[&str]| words.extend(option.iter().map(ToString::to_string));
    add(&["--data"]);
    for file in &data.files {
        add(&[file]);
    }
    add(&["--model", &manifest.model]);
    add(&["--protocol", &experiment.protocol.to_string()]);
    let method = &experiment.method;
    let training = Training::of(experiment);
    // What `--strategy` says is a method whole.
    let strategy = is_a_strategy(method) && training.learn_sets.is_empty();
    match strategy {
        true => add(&["--strategy", &method.name]),
        false => {
            add(&["--method", training.base]);
            for (key, value) in training.said_sets() {
                add(&["--set", &format!("{key}={value}")]);
            }
        }
    }
    add(&["--seed", &experiment.seed.0.to_string()]);
    if let Some(epochs) = experiment.pretrain_epochs {
        add(&["--pretrain-epochs", &epochs.to_string()]);
    }
    if let Some(pretrain) = &experiment.pretrain {
        add(&["--pretrain-lr", &pretrain.learning_rate.to_string()]);
    }
    for (key, value) in &training.pretrain_sets {
        add(&["--pretrain-set", &format!("{key}={}", said_value(value))]);
    }
    add(&["--epochs", &experiment.epochs.to_string()]);
    add(&["--lr", &experiment.learn.learning_rate.to_string()]);
    for flag in &training.flags {
        add(&[flag]);
    }
    let every = experiment.test_every;
    for (option, number, usual) in [
        ("--test-every", every.epochs, TestEvery::default().epochs),
        (
            "--test-every-tasks",
            every.tasks,
            TestEvery::default().tasks,
        ),
    ] {
        if number != usual {
            add(&[option, &number.to_string()]);
        }
    }
    if let Some(index) = method.lr_index.filter(|_| strategy) {
        // The old spelling of --replay-layer, which the program takes as well: reports that were made with it
        // stay the same to the byte.
        add(&["--lr-index", &index.to_string()]);
    }
    if strategy && method.view() != View::AsIs {
        add(&["--view", &method.view().to_string()]);
    }
    let memory = method.replay.iter().find_map(SourceSettings::get::<Memory>);
    if let Some(memory) = memory.filter(|_| strategy) {
        if method.lr_index.is_some() {
            add(&["--codec", &memory.codec.to_string()]);
        }
        match memory.capacity {
            Capacity::Bytes(bytes) => add(&["--budget", &bytes.to_string()]),
            Capacity::Samples(samples) => add(&["--replays", &samples.to_string()]),
        }
        if !experiment.protocol.is_published() {
            add(&["--policy", &memory.policy.to_string()]);
        }
    }
    if manifest.simd == Simd::Portable {
        add(&["--simd", "portable"]);
    }
    add(&["--out", &format!("runs/{}", folder_of(experiment))]);
    in_shell(&words)
}

/// How a method and its training are said: by one that ships, and by what differs from it.
struct Training {
    /// The method that ships.
    base: &'static str,
    /// What the method is called.
    name: String,
    /// What is set of it.
    sets: Vec<(String, Value)>,
    /// What is set of its training, which pre-training does otherwise.
    learn_sets: Vec<(String, Value)>,
    /// What pre-training alone does otherwise.
    pretrain_sets: Vec<(String, Value)>,
    /// Flags that count for pre-training and for learning.
    flags: Vec<String>,
}

impl Training {
    fn of(experiment: &Experiment) -> Self {
        let method = &experiment.method;
        let (base, file, sets) = shipped_with_differences(method);
        let epochs = experiment.epochs;
        let learn = table_of(&experiment.learn, epochs);
        // Schedules of methods that ship are right.
        let file = file.training.over(TrainingSettings::default(), epochs);
        let file = table_of(&file.unwrap_or_default(), epochs);
        let usual = table_of(&TrainingSettings::default(), epochs);
        let pretrain = match (&experiment.pretrain, experiment.pretrain_epochs) {
            (Some(pretrain), Some(epochs)) => table_of(pretrain, epochs),
            _ => learn.clone(),
        };
        let (mut learn_sets, mut pretrain_sets) = (Vec::new(), Vec::new());
        let mut flags = Vec::new();
        for (key, is_always_said) in [
            ("batch_size", true),
            ("optimiser", true),
            ("schedule", true),
            ("objective", false),
            ("regularisers", false),
            ("rate_factors", false),
            ("clip_norm", false),
        ] {
            let of = |table: &Table| table.get(key).cloned();
            let (learns, says) = (of(&learn), of(&file));
            let (pretrains, usually) = (of(&pretrain), of(&usual));
            // Flags add to lists that a file has.
            let adds = ["regularisers", "rate_factors"].contains(&key) && says != usually;
            if learns == pretrains && !adds {
                if is_always_said || learns != says || pretrains != usually {
                    flags.extend(flags_of(key, &experiment.learn, epochs));
                }
                continue;
            }
            if let Some(value) = learns.filter(|value| Some(value) != says.as_ref()) {
                learn_sets.push((format!("training.{key}"), value));
            }
            if let Some(value) = pretrains.filter(|value| Some(value) != usually.as_ref()) {
                pretrain_sets.push((key.to_string(), value));
            }
        }
        Training {
            base,
            name: method.name.clone(),
            sets,
            learn_sets,
            pretrain_sets,
            flags,
        }
    }

    /// The settings that `--set KEY=VALUE` says; the name, too, if the program would not make the same of the others.
    fn said_sets(&self) -> Vec<(String, String)> {
        let sets = || self.sets.iter().chain(&self.learn_sets);
        let mut named = Table::from_iter([("name".to_string(), Value::from(self.base))]);
        for (key, value) in sets() {
            add_to_name(&mut named, key, value);
        }
        let name = Value::from(self.name.as_str());
        let name = (named["name"] != name).then(|| ("name".to_string(), said_value(&name)));
        let sets = sets().map(|(key, value)| (key.clone(), said_value(value)));
        name.into_iter().chain(sets).collect()
    }
}

/// A method that ships and what has to be set of it, its name left out: the one whose name the method's begins with, if
/// there is such a one, else `naive`, of which everything can be made.
fn shipped_with_differences(method: &Method) -> (&'static str, MethodFile, Vec<(String, Value)>) {
    let wanted = MethodFile::of_method(method);
    let is_of = |name: &str| {
        let rest = method.name.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(", "))
    };
    let names = METHODS.iter().map(|(name, _)| *name);
    let mut names: Vec<&str> = names.filter(|name| is_of(name)).collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    for name in names.into_iter().chain(["naive"]) {
        let Ok(file) = MethodFile::find(name, Path::new("")) else {
            continue;
        };
        let bare = MethodFile::of_method(&file.method());
        let mut differences = bare.differences(&wanted);
        let made = bare.with_values(&differences);
        let made = made.map(|made| made.method().with_view_said());
        if made.is_some_and(|made| made == method.clone().with_view_said()) {
            differences.retain(|(key, _)| key != "name");
            return (name, file, differences);
        }
    }
    ("naive", wanted, Vec::new())
}

/// What a method's `[training]` says of settings, all of it.
fn table_of(settings: &TrainingSettings, epochs: usize) -> Table {
    let training = MethodTraining {
        batch_size: Some(settings.batch_size),
        learning_rate: None,
        schedule: Some(settings.schedule.text_for(epochs)),
        optimiser: Some(settings.optimiser.clone()),
        objective: Some(settings.losses.objective.clone()),
        regularisers: Some(settings.losses.regularisers.clone()),
        rate_factors: Some(settings.rate_factors.clone()),
        clip_norm: settings.clip_norm,
    };
    training.table()
}

/// The flags that say a setting.
fn flags_of(key: &str, settings: &TrainingSettings, epochs: usize) -> Vec<String> {
    let (penalty, others) = settings.losses.penalty();
    let flags: Vec<(&str, String)> = match key {
        "batch_size" => vec![("--batch-size", settings.batch_size.to_string())],
        "optimiser" => vec![("--optimiser", settings.optimiser.to_string())],
        "schedule" => vec![("--schedule", settings.schedule.text_for(epochs))],
        "objective" => vec![("--objective", settings.losses.objective.to_string())],
        "regularisers" => {
            let others = others.iter().map(|one| ("--regulariser", one.to_string()));
            let penalties = [("--l1", penalty.l1), ("--l2", penalty.l2)].into_iter();
            let penalties = penalties.filter(|(_, cost)| *cost != 0.0);
            others
                .chain(penalties.map(|(flag, cost)| (flag, cost.to_string())))
                .collect()
        }
        "rate_factors" => {
            let factors = settings.rate_factors.iter();
            factors
                .map(|(group, factor)| ("--rate-factor", format!("{group}={factor}")))
                .collect()
        }
        _ => {
            let norm = settings.clip_norm;
            let norm = norm.map_or("none".to_string(), |norm| norm.to_string());
            vec![("--clip-norm", norm)]
        }
    };
    let flags = flags.into_iter();
    flags
        .flat_map(|(flag, value)| [flag.to_string(), value])
        .collect()
}

/// Whether the program's flags say all of a method: one of the four that suites know as strategies.
fn is_a_strategy(method: &Method) -> bool {
    let memory = method.replay.iter().find_map(SourceSettings::get::<Memory>);
    let same = match (memory, method.lr_index) {
        (Some(memory), Some(index)) => Method::latent(index, memory),
        (Some(memory), None) => Method::native(memory),
        (None, _) if method.is_ceiling() => Method::joint(),
        (None, _) => Method::naive(),
    };
    same == Method {
        lr_index: same.lr_index,
        // Told by a flag of its own.
        said_view: same.said_view,
        ..method.clone()
    }
}

/// `strict-speaker-3-seed-0-latent-LR-2-or-10-184-replays`.
fn folder_of(experiment: &Experiment) -> String {
    let name = format!("{} {}", GroupId::of(experiment), cell_name(experiment));
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("-")
}

/// Words as a shell reads them.
pub fn in_shell(words: &[String]) -> String {
    let quoted = words.iter().map(|word| {
        // Only a NUL can't be quoted, and no argument of a program has one.
        shlex::try_quote(word).unwrap_or_else(|_| word.into())
    });
    quoted.collect::<Vec<_>>().join(" ")
}
