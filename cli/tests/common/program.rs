//! Running the built program in a folder of small datasets.

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;

use super::Bench;

pub fn respike(bench: &Bench) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("respike"));
    command.current_dir(bench.root());
    unlocked(&mut command);
    command
}

/// The tests write HDF5 files and start programs in the same process at the same time, so a program
/// of one test can inherit, and hold, the lock on a file of another.
pub fn unlocked(command: &mut Command) {
    command.env("HDF5_USE_FILE_LOCKING", "FALSE");
}

pub fn run(bench: &Bench, arguments: &str) -> Output {
    let mut command = respike(bench);
    let output = command.args(arguments.split_whitespace()).output();
    output.expect("the program runs")
}

pub fn good(bench: &Bench, arguments: &str) -> String {
    let output = run(bench, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments}: {stderr}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Runs with bad input: exit code 2, one line that says all of `words`, and no new file anywhere.
pub fn bad(bench: &Bench, arguments: &str, words: &[&str]) {
    let before = files_below(bench.root());
    let output = run(bench, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments}: {stderr}");
    let message: Vec<_> = stderr
        .lines()
        .filter(|line| !line.starts_with("note:"))
        .collect();
    assert_eq!(message.len(), 1, "one sentence: {stderr}");
    for word in words {
        assert!(message[0].contains(word), "`{word}` is not in: {stderr}");
    }
    assert!(output.stdout.is_empty());
    assert_eq!(
        files_below(bench.root()),
        before,
        "{arguments} left something behind"
    );
}

pub fn files_below(folder: &Path) -> Vec<(std::path::PathBuf, u64)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("readable") {
        let entry = entry.expect("readable");
        if entry.file_type().expect("known").is_dir() {
            all.extend(files_below(&entry.path()));
            all.push((entry.path(), 0));
        } else {
            all.push((entry.path(), entry.metadata().expect("readable").len()));
        }
    }
    all.sort();
    all
}

pub fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("written");
    serde_json::from_str(&text).expect("JSON")
}

pub const TRAIN: &str = "train --data train.h5 --test test.h5 --model small.toml";
pub const LEARN: &str = "--data train.h5 test.h5 --model small.toml --pretrain-epochs 15 --epochs 8 --lr 5e-3 --pretrain-lr 5e-3 --batch-size 16";
