//! `respike eval` of what `learn` leaves: a network alone, or a learner with its head.

mod common;

use common::Bench;
use common::program::{good, json, run};

const RUN: &str = "learn multi-class --base-classes 2 --data train.h5 --test test.h5 --model small.toml \
                   --pretrain-epochs 6 --epochs 3 --lr 5e-3 --pretrain-lr 5e-3 --pretrain-set batch_size=16";

/// What a run came to on all that it tested, of everything in test.h5.
fn tested(bench: &Bench, out: &str) -> f64 {
    let summary = json(&bench.path(&format!("{out}/summary.json")));
    summary["accuracy"]["after"]["all"]
        .as_f64()
        .expect("tested")
}

/// What `eval` says of a file, and what it notes.
fn evaluated(bench: &Bench, file: &str) -> (serde_json::Value, String) {
    let output = run(
        bench,
        &format!("eval --data test.h5 --checkpoint {file} --json"),
    );
    let notes = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{notes}");
    (serde_json::from_slice(&output.stdout).expect("JSON"), notes)
}

#[test]
fn a_learner_is_tested_as_its_run_tested_it() {
    let bench = Bench::new();
    for (name, method) in [
        ("slda", "--method slda --replay-layer 1"),
        ("ridge", "--method ridge-expanded --replay-layer 2"),
        (
            "latent",
            "--strategy latent --replay-layer 1 --codec or:3 --budget 3kB",
        ),
        ("currents", "--strategy naive --replay-layer 0"),
        ("native", "--strategy native --budget 3kB"),
    ] {
        good(&bench, &format!("{RUN} {method} --out {name}"));
        let (summary, notes) = evaluated(&bench, &format!("{name}/learner.safetensors"));
        assert_eq!(summary["samples"], 36);
        assert_eq!(summary["trained_on"], 0);
        assert_eq!(summary["accuracy"], tested(&bench, name), "{name}");
        assert!(!notes.contains("head"), "{notes}");
    }
    // The readout of pre-training knows two of four classes, the head all of them.
    let (readout, notes) = evaluated(&bench, "slda/learned.safetensors");
    assert!(readout["accuracy"].as_f64() <= Some(0.5) && tested(&bench, "slda") > 0.5);
    assert!(
        notes.contains("head slda") && notes.contains("learner.safetensors"),
        "{notes}"
    );
    let (readout, notes) = evaluated(&bench, "latent/learned.safetensors");
    assert_eq!(readout["accuracy"], tested(&bench, "latent"));
    assert!(!notes.contains("head"), "{notes}");
}

#[test]
fn what_classifies_without_logits_has_no_columns_of_them() {
    let bench = Bench::new();
    good(
        &bench,
        &format!("{RUN} --method slda --replay-layer 1 --out slda"),
    );
    good(
        &bench,
        "eval --data test.h5 --checkpoint slda/learner.safetensors --out tested",
    );
    let text = std::fs::read_to_string(bench.path("tested/logits.csv")).expect("written");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "sample,speaker,class,predicted");
    assert_eq!(lines.len(), 37);
    assert!(lines[1..].iter().all(|line| line.split(',').count() == 4));
    let right = lines[1..].iter().filter(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        cells[2] == cells[3]
    });
    let summary = json(&bench.path("tested/summary.json"));
    assert_eq!(summary["correct"], right.count());
}

#[test]
fn a_damaged_learner_is_told_by_its_file_and_replaces_nothing() {
    let bench = Bench::new();
    good(
        &bench,
        &format!("{RUN} --method slda --replay-layer 1 --out slda"),
    );
    let file = bench.path("slda/learner.safetensors");
    let mut bytes = std::fs::read(&file).expect("written");
    // The head's tensors come before the network's in the file's header; its means are made not a number.
    let header = u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")) as usize;
    let text: serde_json::Value = serde_json::from_slice(&bytes[8..8 + header]).expect("JSON");
    let tensors = text.as_object().expect("a header");
    let (_, of_head) = tensors
        .iter()
        .find(|(name, tensor)| name.starts_with("head.") && tensor["dtype"] == "F32")
        .expect("sums of the head");
    let place = of_head["data_offsets"][0].as_u64().expect("a place") as usize;
    let place = 8 + header + place;
    bytes[place..place + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(bench.path("damaged.safetensors"), bytes).expect("written");
    common::program::bad(
        &bench,
        "eval --data test.h5 --checkpoint damaged.safetensors",
        &["damaged.safetensors"],
    );
    let again = "learn class --held-out 3 --data train.h5 --test test.h5 --model small.toml --method slda \
                 --replay-layer 1 --continue damaged.safetensors --out slda --force";
    common::program::bad(&bench, again, &["damaged.safetensors"]);
}
