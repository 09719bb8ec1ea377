//! How the program ends: interrupted, without room for its words, without threads.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::commands::respike;
use super::common::strace::strace_works;
use super::strangers::{refused, run, wait_for};

/// Starts a command, sends it a signal as soon as a file is there, and gives exit code and stderr.
fn interrupted(folder: &Path, arguments: &str, file: &str, signal: &str) -> (Option<i32>, String) {
    // Tests may be run where the signal is ignored, as in the background of a shell.
    let mut command = Command::new("env");
    command.arg("--default-signal=INT,TERM");
    command.args(respike(arguments)).current_dir(folder);
    let command = command.stderr(Stdio::piped()).stdout(Stdio::null());
    let child = command.spawn().expect("it runs");
    wait_for(&folder.join(file));
    let id = child.id().to_string();
    let sent = Command::new("kill").args([signal, &id]).status();
    assert!(sent.expect("kill runs").success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.signal(), None, "it ends by itself");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), stderr)
}

#[test]
fn an_interrupt_says_how_to_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let train = "train --data DATA --model MODEL --epochs 1000000 --threads 1 --resume --out";
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let (command, checkpoint) = (
            format!("{train} run{signal}"),
            format!("run{signal}/checkpoint.safetensors"),
        );
        let (found, stderr) = interrupted(folder.path(), &command, &checkpoint, signal);
        assert_eq!(found, Some(code), "{stderr}");
        let last = stderr.lines().last().expect("a line");
        assert!(last.contains("interrupted"), "{stderr}");
        assert!(last.contains("--resume"), "{stderr}");
        let entries = folder
            .path()
            .join(format!("run{signal}"))
            .read_dir()
            .expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let half = names.filter(|name| name.to_string_lossy().ends_with(".part"));
        assert_eq!(half.count(), 0, "nothing half-written is left");
    }
}

#[test]
fn an_interrupt_of_learn_says_what_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let learn = "learn class --held-out 2 --strategy naive --replay-layer 1 --data DATA --model MODEL --threads 1";
    for (out, epochs, file, words) in [
        (
            "first",
            "--pretrain-epochs 1000000",
            "run.jsonl",
            "nothing is kept yet; give the same command again, and it begins anew",
        ),
        (
            "later",
            "--pretrain-epochs 1 --epochs 1000000",
            "pretrained.safetensors",
            "are kept; give the same command again, and it goes on",
        ),
        (
            "forced",
            "--pretrain-epochs 1 --epochs 1000000 --force",
            "pretrained.safetensors",
            "give the same command again without --force",
        ),
    ] {
        let command = format!("{learn} {epochs} --out {out}");
        let file = format!("{out}/{file}");
        let (found, stderr) = interrupted(folder.path(), &command, &file, "-TERM");
        assert_eq!(found, Some(143), "{stderr}");
        let last = stderr.lines().last().expect("a line");
        assert!(last.contains(words), "{stderr}");
    }
}

#[test]
fn a_signal_that_was_to_be_ignored_is_ignored() {
    let folder = tempfile::tempdir().expect("a folder");
    let words = respike("train --data DATA --model MODEL --epochs 400 --threads 1 --out run");
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP; \"$@\" & child=$!; while [ ! -e run/run.jsonl ]; do sleep 0.01; done; kill -HUP $child; wait $child", "sh"]);
    let command = command.args(&words).current_dir(folder.path());
    let output = command.output().expect("sh runs");
    assert!(output.status.success(), "as under nohup");
    assert!(folder.path().join("run/summary.json").exists());
}

#[test]
fn results_that_nobody_can_read_are_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    for arguments in ["data info DATA", "data info --json DATA", "--help"] {
        let words = respike(arguments);
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(folder.path());
        let command = command.stdout(full.expect("a full device"));
        let output = command.output().expect("it runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("cannot print"), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}

#[test]
fn numbers_of_threads_that_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for command in [
        "data info DATA",
        "plot raster --data DATA --sample 0 --out plot.png",
        "train --data DATA --model MODEL --epochs 1 --out run",
    ] {
        for number in ["-1", "many", "1025", "99999999999999999999999"] {
            let words = respike(command);
            let mut command = Command::new(&words[0]);
            command.args(&words[1..]).current_dir(folder.path());
            let output = command.env("RAYON_NUM_THREADS", number).output();
            refused(&output.expect("it runs"), &["RAYON_NUM_THREADS", number]);
        }
    }
    let mut words = respike("train --data DATA --model MODEL --epochs 1 --out");
    words.push("a\nb".into());
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).current_dir(folder.path());
    let output = command.env("RAYON_NUM_THREADS", "").output();
    let output = output.expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "an empty variable counts as none");
    assert!(said.starts_with("after 1 epoch:"), "{said}");
    assert!(said.ends_with("written to a\\nb\n"), "{said}");
    for threads in ["0", "1025"] {
        let eval = format!("eval --data DATA --checkpoint none --threads {threads}");
        refused(&run(folder.path(), &eval), &["--threads", threads]);
    }
}

#[test]
fn too_little_room_for_threads_is_said() {
    if !strace_works() {
        return;
    }
    // Some of the threads can be started, or none at all.
    for (from, words) in [(3, "cannot start 64 threads"), (1, "cannot start a thread")] {
        let folder = tempfile::tempdir().expect("a folder");
        let words_of_run =
            respike("train --data DATA --model MODEL --epochs 1 --threads 64 --out run");
        let mut command = Command::new("strace");
        command.args(["-f", "-o", "/dev/null", "-e", "trace=clone,clone3", "-e"]);
        command.arg(format!("inject=clone,clone3:error=EAGAIN:when={from}+"));
        let command = command.args(&words_of_run).current_dir(folder.path());
        let output = command.output().expect("strace works");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "one sentence: {stderr}");
        assert!(!folder.path().join("run").exists());
    }
}
