//! Classes and speakers by name on the command line, in records, and wherever a network meets data.

mod common;

use std::collections::BTreeMap;

use common::Bench;
use common::program::{bad, good, json, run};
use respike::dataset::{ShdContents, write_shd};
use respike::ids::{ClassId, SpeakerId};
use serde_json::Value;

const QUICK: &str = "--model small.toml --pretrain-epochs 2 --epochs 1 --batch-size 16";

/// The small data with names of two of three speakers, and the same with its classes in another order.
fn prepared() -> Bench {
    let bench = Bench::new();
    let speakers: BTreeMap<SpeakerId, String> = [(0, "Jürgen"), (1, "anna")]
        .map(|(number, name)| (SpeakerId(number), name.to_string()))
        .into();
    let (names, mut recordings) = (common::names(), common::recordings(10, 1));
    let contents =
        |names: &[String], recordings: &[respike::dataset::LabelledEvents], file: &str| {
            let contents = ShdContents {
                speaker_names: &speakers,
                ..ShdContents::new(names, recordings)
            };
            write_shd(&bench.path(file), &contents).expect("written");
        };
    contents(&names, &recordings, "named.h5");
    let turned: Vec<String> = names.iter().rev().cloned().collect();
    for recording in &mut recordings {
        recording.class = ClassId(common::CLASSES - 1 - recording.class.0);
    }
    contents(&turned, &recordings, "turned.h5");
    bench
}

fn summary(bench: &Bench, folder: &str) -> Value {
    json(&bench.path(&format!("{folder}/summary.json")))
}

fn start(bench: &Bench, folder: &str) -> Value {
    let record = std::fs::read_to_string(bench.path(&format!("{folder}/run.jsonl")));
    let record = record.expect("written");
    serde_json::from_str(record.lines().next().expect("a start")).expect("JSON")
}

#[test]
fn what_is_held_out_can_be_named() {
    let bench = prepared();
    // Composed and decomposed letters are one name.
    for (how, same, title) in [
        (
            "sample --held-out anna",
            "sample --held-out 1",
            "new speaker anna",
        ),
        (
            "sample --held-out Ju\u{308}rgen",
            "sample --held-out 0",
            "new speaker Jürgen",
        ),
        (
            "sample --held-out 2",
            "sample --held-out 2",
            "new speaker 2",
        ),
        (
            "class --held-out blue",
            "class --held-out 2",
            "new class blue",
        ),
    ] {
        let learn = |how: &str, out: &str| {
            let learn = format!("learn {how} --strategy naive --data named.h5 {QUICK} --out {out}");
            good(&bench, &format!("{learn} --force"));
            let mut summary = summary(&bench, out);
            summary
                .as_object_mut()
                .expect("an object")
                .remove("seconds");
            summary
        };
        let (named, numbered) = (learn(how, "named"), learn(same, "numbered"));
        assert_eq!(named, numbered, "{how}");
        let scenario = named["scenario"].as_str().expect("a text");
        assert!(scenario.ends_with(title), "{scenario}");
        let tasks = start(&bench, "named")["tasks"].clone();
        let name = title.rsplit(' ').next().expect("a word");
        assert!(
            tasks[1]["name"].as_str().expect("a text").ends_with(name),
            "{tasks}"
        );
    }
}

#[test]
fn classes_of_a_run_are_chosen_and_ordered_by_name() {
    let bench = prepared();
    let learn = "learn multi-class --strategy naive --data named.h5";
    let chosen = "--base-classes grey,red --new-classes blue";
    good(&bench, &format!("{learn} {chosen} {QUICK} --out chosen"));
    let start = start(&bench, "chosen");
    assert_eq!(
        start["data"]["class_names"],
        serde_json::json!(["grey", "red", "blue"])
    );
    assert_eq!(start["data"]["samples"], 3 * 30);
    assert_eq!(
        start["settings"]["classes"],
        serde_json::json!(["grey", "red", "blue"])
    );
    assert_eq!(start["tasks"].as_array().map(Vec::len), Some(2));
    assert_eq!(start["tasks"][1]["name"], "blue");
    let summary = summary(&bench, "chosen");
    assert_eq!(
        summary["scenario"],
        "multi-class: grey, red known, then blue"
    );
    // What it was made for is tested in the file that it came from, and the rest is left out.
    let eval = run(
        &bench,
        "eval --data named.h5 --checkpoint chosen/learned.safetensors --json",
    );
    let said = String::from_utf8_lossy(&eval.stderr);
    assert!(eval.status.success(), "{said}");
    assert!(
        said.contains("30 of the 120 samples are of classes"),
        "{said}"
    );
    let tested: Value = serde_json::from_slice(&eval.stdout).expect("JSON");
    assert_eq!(tested["samples"], 90);
    good(
        &bench,
        "plot raster --data named.h5 --sample 0 --checkpoint chosen/learned.safetensors --out raster.svg",
    );
    // The file's order does not count.
    let turned = learn.replace("named.h5", "turned.h5");
    good(&bench, &format!("{turned} {chosen} {QUICK} --out turned"));
    assert_eq!(self::summary(&bench, "turned")["matrix"], summary["matrix"]);
    // A network knows the order of its classes.
    let checkpoint = "--checkpoint chosen/pretrained.safetensors";
    good(
        &bench,
        &format!("{learn} {chosen} {checkpoint} {QUICK} --out again"),
    );
    bad(
        &bench,
        &format!(
            "{learn} --base-classes red,grey --new-classes blue {checkpoint} {QUICK} --out other"
        ),
        &["red, grey, blue", "grey, red, blue"],
    );
    bad(
        &bench,
        &format!("{learn} {checkpoint} {QUICK} --out other"),
        &["green"],
    );
    // As many classes as a number says, and all of the file in its order: nothing was chosen.
    good(
        &bench,
        &format!("{learn} --base-classes 2 {QUICK} --out usual"),
    );
    let usual = self::start(&bench, "usual");
    assert_eq!(usual["settings"].get("classes"), None);
    assert_eq!(usual["settings"]["scenario"]["base_classes"], 2);
}

#[test]
fn a_network_and_data_with_its_classes_in_another_order_mean_the_same() {
    let bench = prepared();
    let learn = |data: &str, more: &str, out: &str| {
        let learn = "learn class --held-out blue --strategy naive --seed 3";
        good(
            &bench,
            &format!("{learn} --data {data} {QUICK} {more} --out {out}"),
        );
        summary(&bench, out)
    };
    let first = learn("named.h5", "", "first");
    let checkpoint = "--checkpoint first/pretrained.safetensors";
    let again = learn("named.h5", checkpoint, "again");
    let turned = learn("turned.h5", checkpoint, "turned");
    assert_eq!(first["accuracy"], again["accuracy"]);
    // Other recordings may fall to the test, but each is of the class that its name says.
    let classes = start(&bench, "turned")["data"]["class_names"].clone();
    assert_eq!(classes, serde_json::json!(["red", "green", "blue", "grey"]));
    let (red, blue) = (0, 2);
    let counts = |row: usize| {
        let data = &turned["confusion"]["before"]["data"];
        let rows = data.as_array().cloned();
        let row = match rows {
            // As an array with its extents, or as rows.
            Some(all) => all[row * 4..][..4].to_vec(),
            None => turned["confusion"]["before"][row]
                .as_array()
                .expect("a row")
                .clone(),
        };
        row.iter()
            .map(|count| count.as_u64().expect("a count"))
            .sum::<u64>()
    };
    assert_eq!((counts(red), counts(blue)), (6, 6), "a fifth of 30");
    let same = turned["experiment"]["scenario"]["class"].as_u64();
    assert_eq!(same, Some(2), "blue as the network numbers it");
}

#[test]
fn records_tell_the_pretraining_that_was() {
    let bench = prepared();
    let learn = "learn class --held-out blue --strategy naive --data named.h5 --model small.toml";
    let pretraining =
        "--pretrain-epochs 3 --pretrain-lr 5e-3 --batch-size 16 --optimiser sgd --l1 1e-6";
    good(
        &bench,
        &format!("{learn} {pretraining} --epochs 1 --out first"),
    );
    let checkpoint = "--checkpoint first/pretrained.safetensors";
    let output = run(
        &bench,
        &format!("{learn} {checkpoint} --pretrain-epochs 7 --epochs 1 --out second"),
    );
    assert!(output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("--pretrain-epochs changes nothing"), "{said}");
    let (first, second) = (summary(&bench, "first"), summary(&bench, "second"));
    for key in ["pretrain_epochs", "pretrain"] {
        assert_eq!(first["experiment"][key], second["experiment"][key], "{key}");
        assert!(!first["experiment"][key].is_null());
    }
    assert_ne!(first["experiment"]["learn"], second["experiment"]["learn"]);
    // What learned a class after that was not trained in one go: it does not say how.
    let learned = "--checkpoint first/learned.safetensors";
    let other = learn.replace("--held-out blue", "--held-out grey");
    let output = run(
        &bench,
        &format!("{other} {learned} --protocol published --out published"),
    );
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("can't be checked"), "{said}");
    // Such a record is read as any other.
    let text = std::fs::read_to_string(bench.path("second/run.jsonl")).expect("written");
    let unknown = text.replace("\"pretrain_epochs\":3", "\"pretrain_epochs\":null");
    assert_ne!(text, unknown);
    respike::report::RunRecord::parse("second", &unknown).expect("a record");
    let build = start(&bench, "first")["build"].clone();
    assert_eq!(build, respike::BUILD);
    assert_eq!(respike::BUILD.len(), 16);
}

#[test]
fn a_suite_goes_on_with_its_data_in_another_order_of_classes() {
    let bench = prepared();
    let suite = "name = \"one\"\nabout = \"One.\"\nseeds = [0]\n[strict]\npretrain_epochs = 1\nepochs = 1\n\
                 [[study]]\nscenario = \"class\"\nheld_out = [\"blue\"]\nprotocols = [\"strict\"]\n\
                 strategies = [\"naive\"]\n";
    std::fs::write(bench.path("one.toml"), suite).expect("written");
    let run_on = |data: &str, more: &str| {
        good(
            &bench,
            &format!(
                "bench shd --data {data} --model small.toml --suite one.toml --out out {more}"
            ),
        );
        let manifest = json(&bench.path("out/suite.json"));
        let cells = std::fs::read(bench.path("out/cells/strict/class-2/seed-0.jsonl"));
        (
            manifest["data"]["class_names"].clone(),
            cells.expect("written"),
        )
    };
    let (names, cells) = run_on("named.h5", "");
    let (turned_names, turned_cells) = run_on("turned.h5", "--resume");
    assert_eq!(names, turned_names, "the suite's order stays");
    assert!(
        cells == turned_cells,
        "nothing was run again, and nothing mixed up"
    );
    let commands = std::fs::read_to_string(bench.path("out/tables/all-strict-class.csv"));
    assert!(commands.expect("written").contains("--held-out blue"));
    // Other names are other data.
    let recordings = common::recordings(10, 1);
    let other = ["a", "b", "c", "d"].map(String::from);
    write_shd(
        &bench.path("other.h5"),
        &ShdContents::new(&other, &recordings),
    )
    .expect("written");
    bad(
        &bench,
        "bench shd --data other.h5 --model small.toml --suite one.toml --out out --resume",
        &["blue"],
    );
}

#[test]
fn help_names_every_kind_of_part_that_is_listed() {
    let bench = Bench::new();
    let listed = good(&bench, "parts --json");
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    let help = good(&bench, "parts --help").replace('\n', " ");
    let parts = listed.as_array().expect("a list").iter();
    let parts: std::collections::BTreeSet<&str> = parts
        .map(|one| one["part"].as_str().expect("a text"))
        .collect();
    assert!(parts.len() > 10, "{parts:?}");
    for part in parts {
        // "policy" is one of "policies".
        assert!(help.contains(part.trim_end_matches('y')), "{part}: {help}");
    }
}
