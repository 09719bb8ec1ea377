//! Folders that two processes want, and in which somebody else has put something.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::commands::respike;

/// Runs the program in a folder.
pub fn run(folder: &Path, arguments: &str) -> Output {
    let words = respike(arguments);
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).current_dir(folder);
    command.output().expect("the program runs")
}

/// Refused for what was asked: one line with these words.
pub fn refused(output: &Output, words: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "one sentence: {stderr}");
    for word in words {
        assert!(stderr.contains(word), "`{word}` is not in: {stderr}");
    }
}

fn entries(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names
        .map(|name| name.into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names
}

pub fn wait_for(what: &Path) {
    let begun = Instant::now();
    while !what.exists() {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{what:?} never comes"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

const LONG: &str = "train --data DATA --model MODEL --epochs 1000000 --threads 1 --out run";

#[test]
fn two_runs_in_one_folder_are_one_too_many() {
    let folder = tempfile::tempdir().expect("a folder");
    let words = respike(LONG);
    let mut first = Command::new(&words[0]);
    first.args(&words[1..]).current_dir(folder.path());
    let mut first = first.stderr(Stdio::null()).spawn().expect("it runs");
    wait_for(&folder.path().join("run/checkpoint.safetensors"));
    for second in [
        "train --data DATA --model MODEL --epochs 1 --seed 2 --force --out run",
        "learn class --held-out 1 --strategy naive --data DATA --model MODEL --pretrain-epochs 1 \
         --epochs 1 --force --out run",
    ] {
        refused(&run(folder.path(), second), &["another process", "run"]);
    }
    first.kill().expect("still there");
    first.wait().expect("ended");
    let record = std::fs::read_to_string(folder.path().join("run/run.jsonl")).expect("whole");
    assert!(record.lines().next().expect("a line").contains("1000000"));
    let third = run(
        folder.path(),
        "train --data DATA --model MODEL --epochs 1 --force --out run",
    );
    assert!(third.status.success(), "the dead hold nothing");
}

#[test]
fn a_link_in_place_of_a_lock_is_not_followed() {
    for command in [
        "bench shd --data DATA --model MODEL --suite quick --force --out run",
        "train --data DATA --model MODEL --epochs 1 --out run",
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let mine = folder.path().join("mine");
        std::fs::write(&mine, "precious").expect("writable");
        std::fs::create_dir(folder.path().join("run")).expect("writable");
        symlink("../mine", folder.path().join("run/.lock")).expect("writable");
        let output = run(folder.path(), command);
        assert_eq!(output.status.code(), Some(2), "{command}");
        assert_eq!(std::fs::read(&mine).expect("there"), b"precious");
        assert_eq!(entries(&folder.path().join("run")), [".lock"]);
    }
}

#[test]
fn a_link_in_place_of_work_in_progress_is_not_followed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mine = folder.path().join("mine");
    std::fs::write(&mine, "").expect("writable");
    symlink("mine", folder.path().join("x.h5.encoding")).expect("writable");
    let output = run(
        folder.path(),
        "data encode RECORDINGS --channels 8 --out x.h5",
    );
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("link"), "{stderr}");
    assert_eq!(std::fs::read(&mine).expect("there"), b"");
}

#[test]
fn what_a_link_points_to_is_not_written_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let mine = folder.path().join("mine");
    std::fs::write(&mine, "precious").expect("writable");
    symlink("mine", folder.path().join("plot.png")).expect("writable");
    let output = run(
        folder.path(),
        "plot raster --data DATA --sample 0 --out plot.png --force",
    );
    assert!(output.status.success());
    assert_eq!(std::fs::read(&mine).expect("there"), b"precious");
    assert!(!folder.path().join("plot.png").is_symlink());
}

/// Leftovers of dead runs go with the next run in the folder; what others have put there stays.
#[test]
fn what_the_dead_left_goes_and_all_else_stays() {
    for (command, out) in [
        (
            "train --data DATA --model MODEL --epochs 1 --force --out run",
            "run",
        ),
        (
            "data encode RECORDINGS --channels 8 --force --out run/x.h5",
            "run",
        ),
        (
            "plot raster --data DATA --sample 0 --force --out run/plot.svg",
            "run",
        ),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join(out);
        std::fs::create_dir(&out).expect("writable");
        let put = |name: &str| std::fs::write(out.join(name), "text").expect("writable");
        [".respike-4-1.part", ".respike-notes.part", "mine.part"]
            .into_iter()
            .for_each(put);
        std::fs::create_dir(out.join(".respike-4-2.part")).expect("writable");
        put(".respike-4-2.part/inner");
        let output = run(folder.path(), command);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {stderr}");
        let left = entries(&out);
        let left: Vec<&String> = left.iter().filter(|name| name.ends_with(".part")).collect();
        assert_eq!(left, [".respike-notes.part", "mine.part"], "{command}");
    }
}
