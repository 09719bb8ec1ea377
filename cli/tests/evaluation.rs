//! `respike eval --out`, end to end.

mod common;

use std::collections::BTreeMap;

use common::program::{TRAIN, bad, files_below, good, json, run};
use common::{Bench, names, recordings};
use respike::dataset::{ShdContents, write_shd};
use respike::ids::SpeakerId;

const EVAL: &str = "eval --data odd.h5 --checkpoint run/checkpoint.safetensors";

/// A trained network, and a test by speakers and of classes whose names have to be quoted.
fn prepared() -> Bench {
    let bench = Bench::new();
    let classes = ["red", "gr,een", "say \"blue\"", "two\nlines"].map(String::from);
    let speakers: BTreeMap<SpeakerId, String> = BTreeMap::from([
        (SpeakerId(1), "b, bert".to_string()),
        (SpeakerId(2), "c".to_string()),
    ]);
    for (name, each, salt) in [("train.h5", 10, 1), ("odd.h5", 3, 2)] {
        let all = recordings(each, salt);
        let contents = ShdContents {
            speaker_names: &speakers,
            ..ShdContents::new(&classes, &all)
        };
        write_shd(&bench.path(name), &contents).expect("written");
    }
    let train = TRAIN.replace("--test test.h5", "");
    good(
        &bench,
        &format!("{train} --epochs 12 --lr 5e-3 --batch-size 16 --out run"),
    );
    bench
}

/// Cells of a table, read back as RFC 4180 has them.
fn table(bench: &Bench, name: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(bench.path(name)).expect("written");
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            _ => cell.push(letter),
        }
    }
    assert!(row.is_empty() && cell.is_empty() && !quoted);
    rows
}

#[test]
fn tables_agree_with_each_other_and_with_json() {
    let bench = prepared();
    let printed = good(&bench, &format!("{EVAL} --out tests/odd --json"));
    let printed: serde_json::Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!(json(&bench.path("tests/odd/summary.json")), printed);
    let classes = ["red", "gr,een", "say \"blue\"", "two\nlines"];
    assert_eq!(printed["class_names"], serde_json::json!(classes));
    let files = files_below(&bench.path("tests/odd"));
    let files = files
        .iter()
        .map(|file| file.0.file_name().expect("a name").to_owned());
    let expected = [
        "classes.csv",
        "confusion.csv",
        "confusion.png",
        "logits.csv",
        "speakers.csv",
        "summary.json",
    ];
    assert_eq!(files.collect::<Vec<_>>(), expected);

    let logits = table(&bench, "tests/odd/logits.csv");
    let heading = ["sample", "speaker", "class", "predicted"]
        .into_iter()
        .chain(classes);
    assert_eq!(logits[0], heading.collect::<Vec<_>>());
    assert_eq!(logits.len(), 37);
    let mut confusion: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut speakers: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    for (place, row) in logits[1..].iter().enumerate() {
        assert_eq!(row[0], place.to_string());
        let of_row: Vec<f32> = row[4..]
            .iter()
            .map(|cell| cell.parse().expect("a number"))
            .collect();
        let largest = of_row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let first = of_row
            .iter()
            .position(|&logit| logit == largest)
            .expect("one is");
        assert_eq!(row[3], classes[first], "{row:?}");
        *confusion
            .entry((row[2].clone(), row[3].clone()))
            .or_default() += 1;
        let counts = speakers.entry(row[1].clone()).or_default();
        counts[0] += 1;
        counts[1] += usize::from(row[2] == row[3]);
    }
    let matrix = table(&bench, "tests/odd/confusion.csv");
    assert_eq!(matrix[0][1..], classes);
    for (row, class) in matrix[1..].iter().zip(classes) {
        assert_eq!(row[0], class);
        for (cell, found) in row[1..].iter().zip(classes) {
            let key = (class.to_string(), found.to_string());
            assert_eq!(*cell, confusion.get(&key).copied().unwrap_or(0).to_string());
        }
    }
    let of_speakers = table(&bench, "tests/odd/speakers.csv");
    assert_eq!(
        of_speakers[0],
        ["speaker", "samples", "correct", "accuracy"]
    );
    let in_order: Vec<&str> = of_speakers[1..].iter().map(|row| &row[0][..]).collect();
    assert_eq!(in_order, ["speaker 0", "b, bert", "c"]);
    for row in &of_speakers[1..] {
        let [samples, correct] = speakers[&row[0]];
        let share = correct as f64 / samples as f64;
        assert_eq!(
            row[1..],
            [samples.to_string(), correct.to_string(), share.to_string()]
        );
    }
    let of_classes = table(&bench, "tests/odd/classes.csv");
    assert_eq!(of_classes.len(), 5);
    let right: usize = of_classes[1..]
        .iter()
        .map(|row| row[2].parse::<usize>().expect("a number"))
        .sum();
    assert_eq!(printed["correct"], right);
    assert!(right > 18, "it learned something: {right}");
}

#[test]
fn speakers_are_printed_where_there_are_several() {
    let bench = prepared();
    let printed = good(&bench, EVAL);
    assert!(
        printed.contains("b, bert") && printed.contains("two\\nlines"),
        "{printed}"
    );
    good(&bench, "data split odd.h5 --speakers c --out only.h5");
    let printed = good(
        &bench,
        "eval --data only.h5 --checkpoint run/checkpoint.safetensors",
    );
    assert!(!printed.contains("speaker"), "{printed}");
    assert_eq!(
        files_below(bench.root())
            .iter()
            .filter(|file| file.0.ends_with("logits.csv"))
            .count(),
        0
    );
}

#[test]
fn a_folder_is_replaced_as_a_whole_and_only_if_it_is_of_a_test() {
    let bench = prepared();
    good(&bench, &format!("{EVAL} --out tested"));
    bad(
        &bench,
        &format!("{EVAL} --out tested"),
        &["tested is not empty", "--force"],
    );
    let other = "eval --data train.h5 --checkpoint run/checkpoint.safetensors --out tested --force";
    good(&bench, other);
    assert_eq!(json(&bench.path("tested/summary.json"))["samples"], 120);
    assert_eq!(json(&bench.path("tested/summary.json"))["trained_on"], 120);
    assert_eq!(files_below(&bench.path("tested")).len(), 6);
    // No run, and nothing of anybody's, is taken away.
    bad(
        &bench,
        &format!("{EVAL} --out run --force"),
        &["run holds", "not replaced"],
    );
    std::fs::write(bench.path("tested/thesis.txt"), "all of it").expect("writable");
    bad(
        &bench,
        &format!("{EVAL} --out tested --force"),
        &["thesis.txt", "not replaced"],
    );
    bad(
        &bench,
        &format!("{EVAL} --out train.h5 --force"),
        &["no name for a folder"],
    );
    bad(
        &bench,
        &format!("{EVAL} --out train.h5/below"),
        &["no name for a folder"],
    );
    bad(
        &bench,
        &format!("{EVAL} --out .."),
        &["no name for a folder"],
    );
    std::fs::create_dir(bench.path("empty")).expect("writable");
    good(&bench, &format!("{EVAL} --out empty"));
    assert_eq!(files_below(&bench.path("empty")).len(), 6);
    assert_eq!(
        run(&bench, &format!("{EVAL} --force")).status.code(),
        Some(2)
    );
    // Nothing temporary is left beside it.
    let left = files_below(bench.root());
    assert!(
        !left
            .iter()
            .any(|file| file.0.to_string_lossy().contains(".part"))
    );
}

/// A network of more classes than the data has, and a class without samples: its share is no number.
#[test]
fn classes_without_samples_are_there_without_a_share() {
    let bench = prepared();
    good(&bench, "data split odd.h5 --classes 1 --out only.h5");
    good(
        &bench,
        "eval --data only.h5 --checkpoint run/checkpoint.safetensors --out only",
    );
    assert_eq!(table(&bench, "only/classes.csv").len(), 2);
    let matrix = table(&bench, "only/confusion.csv");
    assert_eq!(matrix.len(), 5);
    assert!(matrix[1][1..].iter().all(|cell| cell == "0"));
    assert_eq!(names().len(), 4);
}
