//! Files that earlier versions wrote (`tests/formats`) are read, and mean what they meant.

mod common;

use std::path::{Path, PathBuf};

use common::Bench;
use common::program::{bad, good, json, run};
use respike::replay::ReplayMemory;
use respike::report::{Description, RunFolder, Summary};
use respike::train::{Checkpoint, Examples};

fn formats(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .join("tests/formats")
        .join(path)
}

fn shown(path: &str) -> String {
    formats(path).display().to_string()
}

/// Data and network that they were made from.
fn made_from() -> String {
    let cases = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("tests/cases");
    let (data, model) = (cases.join("small.h5"), cases.join("tiny.toml"));
    format!(
        "--data {} --model {} --batch-size 8",
        data.display(),
        model.display()
    )
}

#[test]
fn records_of_format_1_are_read() {
    for folder in ["train", "learn-latent", "learn-native", "learn-currents"] {
        let record = RunFolder::read(&formats(folder)).expect(folder);
        assert_eq!(record.start.format, 1);
        assert_eq!(record.start.build, None);
        assert!(!record.epochs.is_empty());
        match (&record.start.settings, record.summary) {
            (Description::Train { plan, .. }, Some(Summary::Train(summary))) => {
                assert_eq!((plan.epochs, summary.epochs), (3, 3));
            }
            (Description::Learn(experiment), Some(Summary::Learn(summary))) => {
                assert_eq!(experiment.pretrain_epochs, Some(2));
                assert_eq!(
                    experiment
                        .pretrain
                        .as_ref()
                        .map(|pretrain| pretrain.batch_size),
                    Some(8)
                );
                assert_eq!(experiment.classes, None);
                assert_eq!(summary.experiment, *experiment);
            }
            other => panic!("{folder}: {other:?}"),
        }
    }
}

#[test]
fn checkpoints_and_memories_of_format_2_are_read() {
    for (folder, name) in [
        ("train", "checkpoint"),
        ("learn-latent", "pretrained"),
        ("learn-latent", "learned"),
        ("learn-native", "pretrained"),
        ("learn-currents", "learned"),
    ] {
        let saved = Checkpoint::load(&formats(&format!("{folder}/{name}.safetensors")));
        let saved = saved.expect(folder);
        assert_eq!(saved.network.spec().classes(), 10);
        assert_eq!(saved.class_names.len(), 3);
        assert!(
            !saved.trained_on.is_empty(),
            "{folder} knows what it has seen"
        );
        let past = saved.past_training();
        assert_eq!(
            past.map(|past| past.epochs),
            (name == "checkpoint").then_some(3)
        );
    }
    for folder in ["learn-latent", "learn-native", "learn-currents"] {
        let memory = ReplayMemory::load(&formats(&format!("{folder}/memory.safetensors")));
        let memory = memory.expect(folder);
        let summary = json(&formats(&format!("{folder}/summary.json")));
        assert_eq!(
            summary["replay"]["samples"].as_u64(),
            Some(memory.len() as u64)
        );
        assert_eq!(summary["replay"]["bytes"].as_u64(), Some(memory.bytes()));
        for index in 0..memory.len() {
            memory.decode(index).expect("every replay is whole");
        }
    }
}

#[test]
fn a_network_of_format_2_is_known_by_what_it_was_trained_on() {
    let bench = Bench::new();
    let pretrained = shown("learn-latent/pretrained.safetensors");
    let learn = |held_out: &str, out: &str| {
        let how =
            format!("learn class --held-out {held_out} --strategy naive --epochs 1 --out {out}");
        format!("{how} {} --checkpoint {pretrained}", made_from())
    };
    good(&bench, &learn("two", "held"));
    let experiment = json(&bench.path("held/summary.json"))["experiment"].clone();
    assert!(experiment["pretrain_epochs"].is_null() && experiment["pretrain"].is_null());
    bad(&bench, &learn("one", "seen"), &["trained on"]);
    // Other numbers of the same classes do not hide it.
    let renumbered =
        |held_out: &str, out: &str| learn(held_out, out).replace("small.h5", "small_renumbered.h5");
    bad(&bench, &renumbered("zero", "renumbered"), &["trained on"]);
    good(&bench, &renumbered("two", "new"));
    let cases = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("tests/cases/small.h5");
    let eval = format!(
        "eval --data {} --checkpoint {}",
        cases.display(),
        shown("train/checkpoint.safetensors")
    );
    let output = run(&bench, &eval);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("trained on"),
        "{said}"
    );
    assert!(said.contains("the same order"), "{said}");
    let folders = ["learn-latent", "learn-native"].map(shown).join(" ");
    good(
        &bench,
        &format!("plot comparison {folders} --out comparison.svg"),
    );
    good(&bench, &format!("plot curves {folders} --out curves.svg"));
    good(
        &bench,
        &format!("plot confusion {folders} --out confusion.svg"),
    );
}
