//! Commands that make a result again.
//!
//! In: an experiment and the suite it is of. Out: a line for a shell.

use crate::continual::{Experiment, Protocol};
use crate::method::Method;
use crate::replay::{Capacity, Memory, SourceSettings};
use crate::simd::Simd;
use crate::suite::{GroupId, Manifest, cell_name};
use crate::train::Losses;

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
    // What `--strategy` says is a method whole; of another the flags that follow change the file's.
    let method = &experiment.method;
    let option = match is_a_strategy(method) {
        true => "--strategy",
        false => "--method",
    };
    add(&[option, &method.name]);
    add(&["--seed", &experiment.seed.0.to_string()]);
    if let Some(epochs) = experiment.pretrain_epochs {
        add(&["--pretrain-epochs", &epochs.to_string()]);
    }
    if let Some(pretrain) = &experiment.pretrain {
        add(&["--pretrain-lr", &pretrain.learning_rate.to_string()]);
    }
    let learn = &experiment.learn;
    add(&["--epochs", &experiment.epochs.to_string()]);
    add(&["--lr", &learn.learning_rate.to_string()]);
    add(&["--batch-size", &learn.batch_size.to_string()]);
    add(&["--optimiser", &learn.optimiser.to_string()]);
    add(&[
        "--schedule",
        &experiment.learn.schedule.text_for(experiment.epochs),
    ]);
    let (penalty, others) = learn.losses.penalty();
    if learn.losses.objective != Losses::default().objective {
        add(&["--objective", &learn.losses.objective.to_string()]);
    }
    for regulariser in others {
        add(&["--regulariser", &regulariser.to_string()]);
    }
    for (option, cost) in [("--l1", penalty.l1), ("--l2", penalty.l2)] {
        if cost != 0.0 {
            add(&[option, &cost.to_string()]);
        }
    }
    if let Some(index) = method.lr_index {
        // The old spelling of --replay-layer, which the program takes as well: reports that were made with it
        // stay the same to the byte.
        add(&["--lr-index", &index.to_string()]);
    }
    let memory = method.replay.iter().find_map(SourceSettings::get::<Memory>);
    if let Some(memory) = memory.filter(|_| is_a_strategy(method)) {
        if method.lr_index.is_some() {
            add(&["--codec", &memory.codec.to_string()]);
        }
        match memory.capacity {
            Capacity::Bytes(bytes) => add(&["--budget", &bytes.to_string()]),
            Capacity::Samples(samples) => add(&["--replays", &samples.to_string()]),
        }
        if experiment.protocol == Protocol::Strict {
            add(&["--policy", &memory.policy.to_string()]);
        }
    }
    if manifest.simd == Simd::Portable {
        add(&["--simd", "portable"]);
    }
    add(&["--out", &format!("runs/{}", folder_of(experiment))]);
    in_shell(&words)
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
