//! Every command that writes, killed and failing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::common::strace::{Work, strace_works, without_seconds};

const SUITE: &str = r#"
name = "smallest"
about = "Two experiments."
seeds = [0]
replays_for_samples = 1000

[strict]
pretrain_epochs = 1
epochs = 1
multi_class_epochs = 1
policy = "class-balanced"

[published]
pretrain_epochs = 1
epochs = 1
multi_class_epochs = 1

[[study]]
scenario = "class"
held_out = [2]
strategies = ["naive", "latent"]
lr_indices = [1]
codecs = ["raw"]
replays = [4]
"#;

pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A command line of the program, with the places of the small dataset and network put in.
pub fn respike(arguments: &str) -> Vec<OsString> {
    let program = assert_cmd::cargo::cargo_bin!("respike");
    let words = arguments.split_whitespace().map(|word| match word {
        "DATA" => project("tests/cases/small.h5").into(),
        "MODEL" => project("tests/cases/tiny.toml").into(),
        "RECORDINGS" => project("tests/golden/recordings").into(),
        word => OsString::from(word),
    });
    std::iter::once(program.into()).chain(words).collect()
}

/// What happens to a command.
enum Trouble {
    Kills,
    Failures,
}

/// Tries a command that writes into `out`, which is its last argument.
fn with(
    (arguments, again, stride): (&str, &str, usize),
    prepare: impl FnOnce(&Path) -> Vec<OsString>,
    trouble: Trouble,
) {
    if !strace_works() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = respike(arguments);
    let more = prepare(folder.path());
    let out_is_made = !more.is_empty() && arguments.starts_with("data");
    command.extend(more);
    let out = folder.path().join("out");
    if !out_is_made {
        command.extend(["--out".into(), out.clone().into_os_string()]);
    }
    let work = Work {
        out,
        out_is_made,
        command,
        again: again.split_whitespace().map(OsString::from).collect(),
        alike: &without_seconds,
        stride,
    };
    match trouble {
        Trouble::Kills => work.survives_kills(),
        Trouble::Failures => work.survives_failures(),
    }
}

const TRAIN: (&str, &str, usize) = (
    "train --data DATA --model MODEL --epochs 2 --threads 1",
    "--resume",
    5,
);
const LEARN: (&str, &str, usize) = (
    "learn class --held-out 1 --strategy latent --lr-index 1 --replays 4 --data DATA --model MODEL \
     --pretrain-epochs 1 --epochs 1 --threads 1",
    "",
    5,
);
const BENCH: (&str, &str, usize) = (
    "bench shd --data DATA --model MODEL --threads 1 --jobs 1 --protocol strict",
    "--resume",
    19,
);
const ENCODE: (&str, &str, usize) = (
    "data encode RECORDINGS --channels 8 --threads 1 --test-takes 0-0",
    "",
    2,
);

fn nothing(_: &Path) -> Vec<OsString> {
    Vec::new()
}

fn suite(folder: &Path) -> Vec<OsString> {
    let path = folder.join("suite.toml");
    std::fs::write(&path, SUITE).expect("writable");
    vec!["--suite".into(), path.into_os_string()]
}

fn two_files(folder: &Path) -> Vec<OsString> {
    let file = |name: &str| folder.join("out").join(name).into_os_string();
    vec![
        "--out".into(),
        file("train.h5"),
        "--test-out".into(),
        file("test.h5"),
    ]
}

#[test]
fn train_goes_on_from_any_kill() {
    with(TRAIN, nothing, Trouble::Kills);
}

#[test]
fn train_says_what_could_not_be_written() {
    with(TRAIN, nothing, Trouble::Failures);
}

#[test]
fn learn_begins_anew_from_any_kill() {
    with(LEARN, nothing, Trouble::Kills);
}

#[test]
fn learn_says_what_could_not_be_written() {
    let (arguments, again, _) = LEARN;
    with((arguments, again, 17), nothing, Trouble::Failures);
}

#[test]
fn a_suite_goes_on_from_any_kill() {
    with(BENCH, suite, Trouble::Kills);
}

#[test]
fn a_suite_says_what_could_not_be_written() {
    let (arguments, again, _) = BENCH;
    with((arguments, again, 60), suite, Trouble::Failures);
}

#[test]
fn encoding_goes_on_from_any_kill() {
    with(ENCODE, two_files, Trouble::Kills);
}

#[test]
fn encoding_says_what_could_not_be_written() {
    let (arguments, again, _) = ENCODE;
    with((arguments, again, 4), two_files, Trouble::Failures);
}
