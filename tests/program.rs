//! Runs the built program as a user would: what works, and every input that is bad.
#![cfg(feature = "cli")]

mod common;

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use common::{Bench, Parts};
use predicates::prelude::*;
use serde_json::Value;

fn respike(bench: &Bench) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("respike"));
    command.current_dir(bench.root());
    unlocked(&mut command);
    command
}

/// The tests write HDF5 files and start programs in the same process at the same time, so a program
/// of one test can inherit, and hold, the lock on a file of another.
fn unlocked(command: &mut Command) {
    command.env("HDF5_USE_FILE_LOCKING", "FALSE");
}

fn run(bench: &Bench, arguments: &str) -> Output {
    let mut command = respike(bench);
    let output = command.args(arguments.split_whitespace()).output();
    output.expect("the program runs")
}

fn good(bench: &Bench, arguments: &str) -> String {
    let output = run(bench, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments}: {stderr}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Runs with bad input: exit code 2, one line that says all of `words`, and no new file anywhere.
fn bad(bench: &Bench, arguments: &str, words: &[&str]) {
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

fn files_below(folder: &Path) -> Vec<(std::path::PathBuf, u64)> {
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

fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("written");
    serde_json::from_str(&text).expect("JSON")
}

const TRAIN: &str = "train --data train.h5 --test test.h5 --model small.toml";
const LEARN: &str = "--data train.h5 test.h5 --model small.toml --pretrain-epochs 15 --epochs 8 --lr 5e-3 --pretrain-lr 5e-3 --batch-size 16";

#[test]
fn every_help_has_an_example() {
    let bench = Bench::new();
    for level in [
        "",
        "demo",
        "data",
        "data info",
        "train",
        "eval",
        "learn",
        "learn sample",
        "learn class",
        "learn multi-class",
        "plot",
        "plot raster",
        "plot curves",
        "plot confusion",
        "plot comparison",
    ] {
        let text = good(&bench, &format!("{level} --help"));
        assert!(text.contains("Example:"), "{level}");
    }
}

#[test]
fn train_eval_and_plot_work_together() {
    let bench = Bench::new();
    let printed = good(
        &bench,
        &format!("{TRAIN} --epochs 30 --lr 5e-3 --batch-size 16 --out run --json"),
    );
    let summary: Value = serde_json::from_str(&printed).expect("JSON on stdout");
    assert_eq!(summary, json(&bench.path("run/summary.json")));
    let accuracy = summary["test_accuracy"].as_f64().expect("a number");
    assert!(accuracy > 0.7, "chance is 0.25: {accuracy}");

    let printed = good(
        &bench,
        "eval --data test.h5 --checkpoint run/checkpoint.safetensors --json",
    );
    let tested: Value = serde_json::from_str(&printed).expect("JSON on stdout");
    assert_eq!(
        tested["accuracy"].as_f64(),
        Some(accuracy),
        "the same network, the same test"
    );
    assert_eq!(tested["trained_on"], 0);
    let output = run(
        &bench,
        "eval --data train.h5 --checkpoint run/checkpoint.safetensors",
    );
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("120 of the 120 samples"), "{stderr}");

    for plot in [
        "plot raster --data test.h5 --sample 3 --checkpoint run/checkpoint.safetensors",
        "plot raster --data test.h5 --sample 0",
        "plot curves run",
        "plot confusion run",
    ] {
        for file in ["plot.png", "plot.svg"] {
            good(&bench, &format!("{plot} --force --out {file}"));
            assert!(bench.path(file).metadata().expect("drawn").len() > 1000);
        }
    }
}

#[test]
fn a_resumed_run_is_the_run_that_never_stopped() {
    let bench = Bench::new();
    let options = "--optimiser adam --schedule cosine:6 --l1 1e-4 --l2 1e-5 --seed 9";
    good(&bench, &format!("{TRAIN} {options} --epochs 6 --out whole"));
    good(
        &bench,
        &format!("{TRAIN} {options} --epochs 2 --out parts --threads 1"),
    );
    good(
        &bench,
        &format!("{TRAIN} {options} --epochs 6 --out parts --threads 3 --resume"),
    );
    let read = |name: &str| std::fs::read(bench.path(name)).expect("written");
    assert!(read("whole/checkpoint.safetensors") == read("parts/checkpoint.safetensors"));
    let epochs = |name: &str| {
        let text = String::from_utf8(read(name)).expect("UTF-8");
        let lines = text
            .lines()
            .filter(|line| line.contains(r#""line":"epoch""#));
        lines.map(String::from).collect::<Vec<_>>()
    };
    assert_eq!(epochs("whole/run.jsonl"), epochs("parts/run.jsonl"));
    for (change, word) in [
        ("--seed 8", "--seed"),
        ("--seed 9 --lr 0.1", "--lr"),
        ("--seed 9 --batch-size 3", "--lr"),
    ] {
        let options = "--optimiser adam --schedule cosine:6 --l1 1e-4 --l2 1e-5";
        bad(
            &bench,
            &format!("{TRAIN} {options} {change} --epochs 9 --out parts --resume"),
            &[word],
        );
    }
    bad(
        &bench,
        &format!("{TRAIN} {options} --epochs 6 --out parts --resume"),
        &["6 epochs already"],
    );
}

#[test]
fn replay_keeps_what_naive_learning_forgets() {
    let bench = Bench::new();
    let learn = |name: &str, how: &str| {
        good(
            &bench,
            &format!("learn class --held-out 3 {LEARN} {how} --out {name}"),
        );
        json(&bench.path(&format!("{name}/summary.json")))
    };
    let naive = learn("naive", "--strategy naive");
    let pretrained = "--checkpoint naive/pretrained.safetensors";
    let latent = learn(
        "latent",
        &format!(
            "{pretrained} --strategy latent --lr-index 2 --codec or:2 --budget 2kB --policy class-balanced"
        ),
    );
    let old =
        |summary: &Value, when: &str| summary["accuracy"][when]["old"].as_f64().expect("a number");
    assert_eq!(
        old(&naive, "before"),
        old(&latent, "before"),
        "the same pre-training"
    );
    assert!(old(&naive, "after") < old(&naive, "before") - 0.2);
    assert!(old(&latent, "after") > old(&naive, "after") + 0.2);
    let replay = &latent["replay"];
    let number = |name: &str| replay[name].as_u64().expect("a whole number");
    // 12 units × 15 windows a sample, 16 bits of label, 64 bytes of header.
    assert_eq!(number("payload_bits"), number("samples") * 180);
    assert_eq!(number("raw_input_bits"), number("samples") * 30 * 12);
    assert!(
        number("bytes") <= 2000 && number("bytes") > 1950,
        "{replay}"
    );
    for key in ["pretrain", "learn"] {
        assert!(latent["seconds"][key].is_number());
    }
    assert_eq!(
        (latent["protocol"].as_str(), latent["seed"].as_u64()),
        (Some("strict"), Some(0))
    );
    good(&bench, "plot comparison naive latent --out comparison.png");
    good(&bench, "plot curves naive latent --out curves.svg");
}

#[test]
fn every_scenario_and_strategy_runs_and_threads_change_nothing() {
    let bench = Bench::new();
    let quick = "--data train.h5 test.h5 --model small.toml --pretrain-epochs 2 --epochs 2";
    for (index, how) in [
        "sample --held-out 1 --strategy joint",
        "sample --held-out 1 --strategy native --replays 20",
        "class --held-out 0 --strategy latent --lr-index 0 --codec counts:5 --replays 10 --policy reservoir",
        "class --held-out 0 --strategy latent --lr-index 3 --codec counts:4 --budget 2KiB",
        "multi-class --base-classes 2 --strategy latent --lr-index 1 --codec raw --replays 30 --policy class-balanced",
        "multi-class --strategy joint --lr-index 1",
        "multi-class --strategy naive --lr-index 3",
    ]
    .into_iter()
    .enumerate()
    {
        let (one, many) = (format!("one{index}"), format!("many{index}"));
        good(&bench, &format!("learn {how} {quick} --out {one} --threads 1"));
        good(&bench, &format!("learn {how} {quick} --out {many} --threads 4"));
        for file in ["learned.safetensors", "pretrained.safetensors", "memory.safetensors"] {
            let read = |run: &str| std::fs::read(bench.path(&format!("{run}/{file}"))).ok();
            let has_memory = how.contains("native") || how.contains("latent");
            assert_eq!(read(&one).is_some(), has_memory || file != "memory.safetensors");
            assert!(read(&one) == read(&many), "{how}: {file}");
        }
        let mut summaries = [&one, &many].map(|run| json(&bench.path(&format!("{run}/summary.json"))));
        for summary in &mut summaries {
            summary.as_object_mut().expect("an object").remove("seconds");
        }
        assert_eq!(summaries[0], summaries[1], "{how}");
    }
    let multi = json(&bench.path("one4/summary.json"));
    assert_eq!(
        multi["matrix"].as_array().map(Vec::len),
        Some(3),
        "base and two classes"
    );
    for name in [
        "acc",
        "bwt",
        "forgetting_from_best",
        "forgetting_from_learned",
    ] {
        assert!(multi["metrics"][name].is_number(), "{name}");
    }
}

#[test]
fn bad_files_are_named_with_the_reason() {
    let bench = Bench::new();
    std::fs::write(bench.path("text.h5"), "not HDF5 at all").expect("written");
    std::fs::create_dir(bench.path("folder.h5")).expect("made");
    let whole = std::fs::read(bench.path("train.h5")).expect("there");
    std::fs::write(bench.path("cut.h5"), &whole[..whole.len() / 2]).expect("written");
    let write = |name: &str, change: &dyn Fn(&mut Parts)| {
        let mut parts = Parts::good();
        change(&mut parts);
        parts.write(&bench.path(name));
    };
    write("good.h5", &|_| {});
    write("no_times.h5", &|p| p.times = None);
    write("no_labels.h5", &|p| p.labels = None);
    write("no_speaker.h5", &|p| p.speakers = None);
    write("no_keys.h5", &|p| p.keys = None);
    write("uneven.h5", &|p| {
        p.units = Some(vec![vec![0], vec![2], vec![]]);
    });
    write("short.h5", &|p| p.times = Some(vec![vec![0.1, 0.2]]));
    write("unit.h5", &|p| {
        p.units = Some(vec![vec![0, 12], vec![2], vec![]]);
    });
    write("unit_huge.h5", &|p| {
        p.units = Some(vec![vec![0, 70_000], vec![2], vec![]]);
    });
    write("nan.h5", &|p| {
        p.times = Some(vec![vec![0.1, f32::NAN], vec![0.3], vec![]]);
    });
    write("negative.h5", &|p| {
        p.times = Some(vec![vec![0.1, -0.2], vec![0.3], vec![]]);
    });
    write("label.h5", &|p| p.labels = Some(vec![0, 1, 9]));
    write("many.h5", &|p| {
        p.keys = Some(vec!["a", "b", "c", "d", "e", "f"]);
        p.labels = Some(vec![0, 1, 5]);
    });
    write("empty.h5", &|p| {
        (p.times, p.units) = (Some(vec![]), Some(vec![]));
        (p.labels, p.speakers) = (Some(vec![]), Some(vec![]));
    });
    let types = hdf5::File::create(bench.path("types.h5")).expect("made");
    let spikes = types.create_group("spikes").expect("made");
    spikes
        .new_dataset_builder()
        .with_data(&[1i32, 2])
        .create("times")
        .expect("made");
    spikes
        .new_dataset_builder()
        .with_data(&[1i32, 2])
        .create("units")
        .expect("made");
    types
        .new_dataset_builder()
        .with_data(&[0.5f32, 1.0])
        .create("labels")
        .expect("made");
    types.create_group("extra").expect("made");
    drop((spikes, types));

    good(&bench, "data info good.h5");
    for (file, words) in [
        ("nowhere.h5", vec!["nowhere.h5", "No such file"]),
        ("folder.h5", vec!["folder.h5", "folder"]),
        ("text.h5", vec!["text.h5", "not an HDF5 file"]),
        ("cut.h5", vec!["cut.h5"]),
        ("no_times.h5", vec!["no_times.h5", "spikes/times"]),
        ("no_labels.h5", vec!["no_labels.h5", "labels"]),
        ("no_speaker.h5", vec!["no_speaker.h5", "extra/speaker"]),
        ("no_keys.h5", vec!["no_keys.h5", "extra/keys"]),
        ("types.h5", vec!["types.h5", "list of"]),
        (
            "uneven.h5",
            vec!["uneven.h5", "sample 0", "2 event times but 1"],
        ),
        ("short.h5", vec!["short.h5", "spikes/times"]),
        ("unit_huge.h5", vec!["unit_huge.h5", "sample 0", "70000"]),
        ("nan.h5", vec!["nan.h5", "sample 0", "NaN"]),
        ("negative.h5", vec!["negative.h5", "sample 0", "-0.2"]),
        ("label.h5", vec!["label.h5", "sample 2", "9"]),
        ("empty.h5", vec!["empty.h5", "no samples"]),
    ] {
        bad(&bench, &format!("data info {file}"), &words);
        let train = format!("train --data {file} --model small.toml --epochs 1 --out run");
        bad(&bench, &train, &words);
        bad(
            &bench,
            &format!("plot raster --data {file} --sample 0 --out plot.png"),
            &words,
        );
    }
    let train = "--model small.toml --epochs 1 --out run";
    bad(
        &bench,
        &format!("train --data unit.h5 {train}"),
        &["unit.h5", "sample 0", "unit 12", "12 inputs"],
    );
    bad(
        &bench,
        &format!("train --data many.h5 {train}"),
        &["many.h5", "sample 2", "classes"],
    );
    bad(
        &bench,
        &format!("train --data good.h5 many.h5 {train}"),
        &["many.h5", "classes"],
    );
    bad(
        &bench,
        "plot raster --data good.h5 --sample 3 --out plot.png",
        &["good.h5", "3 samples"],
    );
    bad(
        &bench,
        "plot raster --data good.h5 --sample 0 --out plot.pdf",
        &["plot.pdf", ".svg"],
    );
}

#[test]
fn bad_settings_are_named_with_the_reason() {
    let bench = Bench::new();
    let spec = |name: &str, from: &str, to: &str| {
        let text = common::SMALL_SPEC.replace(from, to);
        assert_ne!(text, common::SMALL_SPEC);
        std::fs::write(bench.path(name), text).expect("written");
    };
    spec("typo.toml", "recurrent", "recurent");
    spec("surrogate.toml", "slope = 100.0", "slop = 100.0");
    spec("zero.toml", "steps = 30", "steps = 0");
    spec("huge.toml", "units = 16", "units = 60000");
    spec("words.toml", "threshold = 1.0", "threshold = \"one\"");
    std::fs::write(bench.path("no.toml"), "[[[").expect("written");
    for (file, words) in [
        ("typo.toml", vec!["typo.toml", "recurent"]),
        ("surrogate.toml", vec!["surrogate.toml", "slop"]),
        ("zero.toml", vec!["zero.toml", "steps"]),
        ("huge.toml", vec!["huge.toml", "weights"]),
        ("words.toml", vec!["words.toml", "line"]),
        ("no.toml", vec!["no.toml", "line 1"]),
        ("nowhere.toml", vec!["nowhere.toml", "No such file"]),
    ] {
        let train = format!("train --data train.h5 --model {file} --epochs 1 --out run");
        bad(&bench, &train, &words);
    }
    let nowhere = "--model small.toml --epochs 1 --out /dev/null/run";
    bad(
        &bench,
        &format!("train --data train.h5 {nowhere}"),
        &["/dev/null"],
    );
    bad(
        &bench,
        &format!("learn class --held-out 1 --strategy naive --data train.h5 {nowhere}"),
        &["/dev/null"],
    );
    for (flags, words) in [
        ("--epochs 0", vec!["--epochs"]),
        ("--epochs 1 --lr 0", vec!["learning rate"]),
        ("--epochs 1 --lr nan", vec!["learning rate"]),
        ("--epochs 1 --l1=-1", vec!["L1"]),
        ("--epochs 1 --batch-size 0", vec!["batch size"]),
        ("--epochs 1 --threads 0", vec!["--threads"]),
        ("--epochs 1 --schedule step:0:0.5", vec!["schedule"]),
        ("--epochs 1 --test train.h5", vec!["--test"]),
    ] {
        let train = format!("train --data train.h5 --model small.toml --out run {flags}");
        bad(&bench, &train, &words);
    }
    let output = run(
        &bench,
        "train --data train.h5 --model small.toml --epochs some --out run",
    );
    assert_eq!(output.status.code(), Some(2));
    for (how, words) in [
        (
            "sample --held-out 7 --strategy naive",
            vec!["speaker 7", "0, 1, 2"],
        ),
        (
            "class --held-out 7 --strategy naive",
            vec!["class 7", "0, 1, 2, 3"],
        ),
        (
            "multi-class --base-classes 4 --strategy naive",
            vec!["4 classes"],
        ),
        (
            "multi-class --base-classes 0 --strategy naive",
            vec!["4 classes"],
        ),
        ("class --held-out 1 --strategy latent", vec!["memory"]),
        (
            "class --held-out 1 --strategy latent --budget 80",
            vec!["80 bytes", "too small"],
        ),
        (
            "class --held-out 1 --strategy latent --replays 0",
            vec!["at least one"],
        ),
        (
            "class --held-out 1 --strategy latent --lr-index 4 --replays 9",
            vec!["LR index 4", "3"],
        ),
        (
            "class --held-out 1 --strategy native --lr-index 1 --replays 9",
            vec!["no LR index"],
        ),
        (
            "class --held-out 1 --strategy native --codec or:2 --replays 9",
            vec!["raw"],
        ),
        (
            "class --held-out 1 --strategy naive --protocol published",
            vec!["64"],
        ),
        (
            "class --held-out 1 --strategy naive --epochs 0",
            vec!["epochs"],
        ),
        (
            "class --held-out 1 --strategy naive --lr=-1",
            vec!["learning rate"],
        ),
        (
            "class --held-out 1 --strategy naive --pretrain-lr nan",
            vec!["learning rate"],
        ),
        (
            "class --held-out 1 --strategy naive --batch-size 0",
            vec!["batch size"],
        ),
        (
            "class --held-out 1 --strategy naive --schedule cosine:0",
            vec!["schedule"],
        ),
        (
            "class --held-out 1 --strategy latent --replays 99999999999999999",
            vec!["more than"],
        ),
    ] {
        let learn = format!("learn {how} --data train.h5 --model small.toml --out run");
        bad(&bench, &learn, &words);
    }
    // The same recordings twice would be on both sides of the split.
    let twice = "learn class --held-out 1 --strategy naive --data train.h5 train.h5";
    bad(
        &bench,
        &format!("{twice} --model small.toml --out run"),
        &["same recording"],
    );
}

#[test]
fn checkpoints_that_are_cut_or_unfit_are_refused() {
    let bench = Bench::new();
    good(&bench, &format!("{TRAIN} --epochs 1 --out run"));
    let whole = std::fs::read(bench.path("run/checkpoint.safetensors")).expect("written");
    for keep in [0, 5, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(bench.path("cut.safetensors"), &whole[..keep]).expect("written");
        let eval = "eval --data test.h5 --checkpoint cut.safetensors";
        bad(&bench, eval, &["cut.safetensors", "not a whole"]);
    }
    let eval = "eval --data test.h5 --checkpoint";
    bad(
        &bench,
        &format!("{eval} nowhere.safetensors"),
        &["nowhere.safetensors", "No such file"],
    );
    bad(
        &bench,
        &format!("{eval} test.h5"),
        &["test.h5", "not a whole"],
    );
    // Trained on what is to be new, and on what is to be tested.
    let learn = "learn class --held-out 1 --data train.h5 --model small.toml --strategy naive";
    bad(
        &bench,
        &format!("{learn} --checkpoint run/checkpoint.safetensors --out cl"),
        &["trained on"],
    );
    let other = common::SMALL_SPEC.replace("units = 16", "units = 17");
    std::fs::write(bench.path("other.toml"), other).expect("written");
    let learn = "learn class --held-out 1 --data train.h5 --model other.toml --strategy naive";
    bad(
        &bench,
        &format!("{learn} --checkpoint run/checkpoint.safetensors --out cl"),
        &["--model"],
    );
}

#[test]
fn a_folder_with_a_run_is_only_replaced_by_force() {
    let bench = Bench::new();
    good(&bench, &format!("{TRAIN} --epochs 1 --out run"));
    std::fs::write(bench.path("run/notes.txt"), "mine").expect("written");
    bad(
        &bench,
        &format!("{TRAIN} --epochs 1 --out run"),
        &["run", "--force"],
    );
    let learn = "learn class --held-out 1 --data train.h5 --model small.toml --strategy naive --pretrain-epochs 1 --epochs 1";
    bad(&bench, &format!("{learn} --out run"), &["run", "--force"]);
    good(&bench, &format!("{learn} --out run --force"));
    assert!(bench.path("run/learned.safetensors").exists());
    assert!(
        !bench.path("run/checkpoint.safetensors").exists(),
        "the run of before is gone"
    );
    assert!(
        bench.path("run/notes.txt").exists(),
        "what is not a run's is left alone"
    );
    bad(
        &bench,
        &format!("{TRAIN} --epochs 1 --out train.h5"),
        &["train.h5", "file"],
    );
    bad(
        &bench,
        "plot curves nowhere --out plot.png",
        &["nowhere", "no run"],
    );
    std::fs::write(bench.path("run/run.jsonl"), "{").expect("written");
    bad(
        &bench,
        "plot curves run --out plot.png",
        &["run.jsonl", "line 1"],
    );
}

#[test]
fn a_resumed_run_must_read_the_same_data() {
    let bench = Bench::new();
    let train = "train --model small.toml --out run";
    good(
        &bench,
        &format!("{train} --epochs 1 --data train.h5 --test test.h5"),
    );
    let resume = format!("{train} --epochs 2 --resume");
    bad(&bench, &format!("{resume} --data train.h5"), &["--test"]);
    bad(&bench, &format!("{resume} --data test.h5"), &["--data"]);
    let parts = "--data train.h5 test.h5";
    good(
        &bench,
        &format!("train --model small.toml {parts} --epochs 1 --out both"),
    );
    let turned = "train --model small.toml --data test.h5 train.h5 --epochs 2 --out both --resume";
    bad(&bench, turned, &["--data"]);
}

#[test]
fn recordings_without_events_are_no_copies_of_each_other() {
    let bench = Bench::new();
    let mut silent = common::recordings(6, 3);
    for recording in silent.iter_mut().step_by(4) {
        recording.events = respike::spikes::EventStream::default();
    }
    let (path, names) = (bench.path("silent.h5"), common::names());
    let times = respike::dataset::TimesType::Float16;
    respike::dataset::write_shd(&path, &names, &silent, &[], times).expect("written");
    let learn = "learn class --held-out 1 --strategy naive --data silent.h5 --model small.toml \
                 --pretrain-epochs 1 --epochs 1";
    good(&bench, &format!("{learn} --out one"));
    let checkpoint = "--checkpoint one/pretrained.safetensors";
    good(&bench, &format!("{learn} {checkpoint} --out two"));
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let bench = Bench::new();
    let program = assert_cmd::cargo::cargo_bin!("respike");
    let shell = format!(
        "{} data info train.h5 | head -1 >/dev/null; exit ${{PIPESTATUS[0]}}",
        program.display()
    );
    let mut command = Command::new("bash");
    command.current_dir(bench.root()).args(["-c", &shell]);
    unlocked(&mut command);
    command
        .assert()
        .success()
        .stderr(predicate::str::contains("panicked").not());
}
