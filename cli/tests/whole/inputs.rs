//! Inputs and outputs that are no files, and names that are no text.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Output};

use super::commands::{project, respike};
use super::common::Parts;
use super::common::strace::strace_works;
use super::strangers::{refused, run};

/// A pipe that nobody writes to would keep its reader waiting.
#[test]
fn a_pipe_is_no_input() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("run")).expect("writable");
    for name in ["pipe", "0_a_0.wav", "run/run.jsonl"] {
        let made = Command::new("mkfifo")
            .arg(folder.path().join(name))
            .status();
        assert!(made.expect("mkfifo runs").success());
    }
    for command in [
        "data info pipe",
        "data encode 0_a_0.wav --out x.h5",
        "data fetch shd --from pipe --to fetched",
        "data split pipe --share 0.5 --out x.h5",
        "data merge DATA pipe --out x.h5",
        "baseline --data pipe",
        "train --data pipe --model MODEL --epochs 1 --out new",
        "train --data DATA --model pipe --epochs 1 --out new",
        "train --data DATA --model MODEL --epochs 1 --out run --resume",
        "eval --data DATA --checkpoint pipe",
        "bench shd --data DATA --model MODEL --suite pipe --out new",
        "plot curves run --out plot.png",
        "plot traces --data DATA --sample 0 --checkpoint pipe --out plot.png",
        "plot time-constants pipe --out plot.png",
        "plot rates --data pipe --checkpoint CHECKPOINT --out plot.png",
        "plot player --data pipe --sample 0 --out plot.html",
        "plot cochleagram 0_a_0.wav --out plot.png",
    ] {
        let words = respike(command);
        let mut command = Command::new("timeout");
        command.arg("20").args(&words).current_dir(folder.path());
        refused(&command.output().expect("it runs"), &[]);
    }
}

#[test]
fn an_output_that_is_a_folder_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["a.png", "a.html", "a.h5"] {
        std::fs::create_dir(folder.path().join(name)).expect("writable");
    }
    std::fs::write(folder.path().join("file"), "text").expect("writable");
    for command in [
        "plot raster --data DATA --sample 0 --out a.png",
        "plot raster --data DATA --sample 0 --out a.png --force",
        "plot player --data DATA --sample 0 --out a.html --force",
        "plot time-constants CHECKPOINT CHECKPOINT --out a.png --force",
        "data encode RECORDINGS --channels 8 --out a.h5 --force",
        "data split DATA --share 0.5 --out a.h5 --force",
        "data merge DATA --out a.h5 --force",
        "baseline --data DATA --out file",
        "train --data DATA --model MODEL --epochs 1 --out file",
        "train --data DATA --model MODEL --epochs 1 --out file/below --force",
    ] {
        refused(&run(folder.path(), command), &[]);
    }
}

/// `--bad-files skip` is for recordings, and not for a disk or a limit that fails just then.
#[test]
fn a_machine_in_trouble_is_no_bad_recording() {
    if !strace_works() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let sounds = folder.path().join("sounds");
    std::fs::create_dir(&sounds).expect("writable");
    for name in ["0_george_0.wav", "2_jackson_1.wav"] {
        let recording = project("tests/golden/recordings").join(name);
        std::fs::copy(recording, sounds.join(name)).expect("copied");
    }
    for (call, error) in [
        ("openat", "EMFILE"),
        ("openat", "EIO"),
        ("openat", "ENOMEM"),
        ("read", "EIO"),
    ] {
        let encode = "data encode sounds --channels 8 --bad-files skip --out x.h5";
        let mut command = Command::new("strace");
        command.args(["-f", "-o", "/dev/null", "-P"]);
        command.arg(sounds.join("2_jackson_1.wav"));
        command.args(["-P", "sounds/2_jackson_1.wav"]);
        command.args(["-e", &format!("inject={call}:error={error}")]);
        let output = command
            .args(respike(encode))
            .current_dir(folder.path())
            .output();
        let output = output.expect("strace works");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{call} {error}: {stderr}");
        assert!(stderr.contains("2_jackson_1.wav"), "{stderr}");
        assert!(!folder.path().join("x.h5").exists());
    }
}

fn named(folder: &Path, before: &str, name: &[u8], after: &str) -> Output {
    let words = respike(before);
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).arg(OsStr::from_bytes(name));
    command.args(after.split_whitespace()).current_dir(folder);
    command.output().expect("it runs")
}

#[test]
fn names_that_are_no_text_are_names_of_files_but_of_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let odd = |name: &[u8]| folder.path().join(OsStr::from_bytes(name));
    std::fs::copy(project("tests/cases/small.h5"), odd(b"d\xff.h5")).expect("copied");
    let output = named(folder.path(), "data info", b"d\xff.h5", "");
    assert!(output.status.success(), "a file of any name is read");
    let output = named(
        folder.path(),
        "train --data DATA --model MODEL --epochs 1 --out",
        b"r\xff",
        "",
    );
    assert!(output.status.success(), "a folder of any name is written");
    assert!(odd(b"r\xff").join("summary.json").exists());
    // Labels are text, and HDF5's names are.
    let recording = project("tests/golden/recordings/0_george_0.wav");
    std::fs::create_dir(folder.path().join("sounds")).expect("writable");
    std::fs::copy(&recording, odd(b"sounds/0_\xff_0.wav")).expect("copied");
    let encode = "data encode sounds --channels 8 --out x.h5";
    refused(&run(folder.path(), encode), &["UTF-8"]);
    let encode = "data encode RECORDINGS --channels 8 --out";
    refused(&named(folder.path(), encode, b"\xff.h5", ""), &["UTF-8"]);
}

/// What acts on a terminal is escaped wherever it is shown.
#[test]
fn escapes_in_names_are_shown_escaped() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = "odd.h5";
    let keys = ["\u{1b}[31mred", "gre\nen", "blue\r\u{7}", "grey"];
    Parts {
        keys: Some(keys.to_vec()),
        ..Parts::good()
    }
    .write(&folder.path().join(data));
    let said = |output: &Output| {
        let mut text = output.stdout.clone();
        text.extend(&output.stderr);
        String::from_utf8(text).expect("UTF-8")
    };
    for command in [
        format!("data info {data}"),
        format!("data info --json {data}"),
        format!("train --data {data} --model MODEL --epochs 1 --out run"),
        format!("eval --data {data} --checkpoint run/checkpoint.safetensors"),
        "data info a\u{1b}[31mb".to_string(),
        "a\u{1b}[31mb".to_string(),
    ] {
        let text = said(&run(folder.path(), &command));
        let acts = text.contains(|letter: char| letter.is_control() && letter != '\n');
        assert!(!acts, "{command}: {text:?}");
    }
    let info = said(&run(folder.path(), &format!("data info --json {data}")));
    assert!(info.contains("\\u001b"), "{info}");
    for name in ["\\u{1b}[31mred", "gre\\nen", "blue\\r\\u{7}"] {
        let info = said(&run(folder.path(), &format!("data info {data}")));
        assert!(info.contains(name), "`{name}` is not in {info}");
    }
    let twice = format!(
        "learn class --held-out none --strategy naive --data {data} --model MODEL --out new"
    );
    let known = said(&run(folder.path(), &twice));
    assert!(known.contains("\\u{1b}"), "{known}");
    for kind in ["svg", "png"] {
        let plot = format!("plot raster --data {data} --sample 0 --out plot.{kind}");
        assert!(run(folder.path(), &plot).status.success());
    }
    let plot = std::fs::read_to_string(folder.path().join("plot.svg")).expect("drawn");
    assert!(!plot.contains('\u{1b}'));
}
