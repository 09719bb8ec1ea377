//! `docs/WALKTHROUGH.md`, followed to the letter by somebody with recordings of three words by four voices.
#![cfg(unix)]

mod page;
mod speech;
#[path = "../../../tests/common/wav.rs"]
mod wav;

use std::path::Path;
use std::process::Command;

use page::{Step, steps, values};
use respike::dataset::ShdFile;
use serde_json::Value;

const SPEAKERS: [&str; 4] = ["anna", "bert", "carla", "david"];
/// What only the last step may see.
const TESTS: [&str; 2] = ["unheard.h5", "familiar.h5"];

/// Runs a command as a shell does, with the built program first in its path.
fn follow(folder: &Path, command: &str) {
    let program = assert_cmd::cargo::cargo_bin!("respike");
    let beside = program.parent().expect("it is in a folder");
    let others = std::env::var_os("PATH").unwrap_or_default();
    let path = [beside.to_path_buf()]
        .into_iter()
        .chain(std::env::split_paths(&others));
    let path = std::env::join_paths(path).expect("no colon in a folder's name");
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .env("PATH", path)
        .env("HDF5_USE_FILE_LOCKING", "FALSE")
        .output()
        .expect("a shell");
    assert!(
        output.status.success(),
        "{command}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The folders that the page speaks of.
fn record_all(folder: &Path) {
    for (name, words) in [
        ("recordings", ["yes", "no", "stop"].as_slice()),
        ("more", &["go"]),
    ] {
        let folder = folder.join(name);
        std::fs::create_dir(&folder).expect("made");
        for (word, speaker) in words
            .iter()
            .flat_map(|word| SPEAKERS.map(|name| (word, name)))
        {
            for take in 0..4 {
                speech::record(&folder, word, speaker, take);
            }
        }
    }
}

fn json(folder: &Path, file: &str) -> Value {
    let text = std::fs::read_to_string(folder.join(file)).expect(file);
    serde_json::from_str(&text).expect("JSON")
}

fn samples(folder: &Path, file: &str) -> usize {
    ShdFile::open(&folder.join(file)).expect(file).len()
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn the_walkthrough_can_be_followed_and_ends_where_it_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/WALKTHROUGH.md");
    let steps = steps(&std::fs::read_to_string(page).expect("the page"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    record_all(folder);
    for step in &steps {
        match step {
            Step::File { name, text } => std::fs::write(folder.join(name), text).expect("written"),
            Step::Command(command) => {
                follow(folder, command);
                for flag in ["--out", "--out-rest", "--csv"] {
                    for file in values(command, flag) {
                        let made = std::fs::metadata(folder.join(file));
                        let made =
                            made.unwrap_or_else(|error| panic!("{command}: {file}: {error}"));
                        assert!(
                            made.is_dir() || made.len() > 0,
                            "{command}: {file} is empty"
                        );
                    }
                }
            }
        }
    }
    the_test_is_looked_at_once(&steps);
    parts_are_what_the_table_says(folder);
    an_unheard_voice_is_known(folder);
    more_and_fewer_classes_are_learned(folder);
    a_memory_keeps_what_is_known(folder);
}

/// Up to the test, nothing reads its files; and it is one command.
fn the_test_is_looked_at_once(steps: &[Step]) {
    let commands: Vec<&str> = steps
        .iter()
        .filter_map(|step| match step {
            Step::Command(command) => Some(command.as_str()),
            Step::File { name, text } => {
                let seen = TESTS.iter().any(|file| text.contains(file));
                assert!(!seen, "{name} names a test file");
                None
            }
        })
        .collect();
    let tests: Vec<usize> = (0..commands.len())
        .filter(|place| commands[*place].starts_with("respike eval"))
        .collect();
    let [test] = tests[..] else {
        panic!("tested {} times", tests.len());
    };
    assert_eq!(values(commands[test], "--data"), TESTS);
    // Whoever splits them off knows their names; nobody trains on what they come from after that.
    let splits = 2;
    let mut split = 0;
    for command in &commands[..test] {
        if TESTS.iter().any(|file| command.contains(file)) {
            assert!(command.starts_with("respike data split"), "{command}");
            let out = values(command, "--out");
            assert!(TESTS.contains(&out[0]), "{command}");
            split += 1;
        } else if split == splits {
            let whole = ["words.h5", "known.h5"]
                .iter()
                .any(|file| command.contains(file));
            assert!(!whole, "{command} sees recordings that are for the test");
        }
    }
    assert_eq!(split, splits);
}

fn parts_are_what_the_table_says(folder: &Path) {
    for (file, expected) in [
        ("words.h5", 48),
        ("unheard.h5", 12),
        ("familiar.h5", 9),
        ("train.h5", 27),
        ("four-words.h5", 64),
    ] {
        assert_eq!(samples(folder, file), expected, "{file}");
    }
    // Carla alone is kept out, and no test was given.
    for run in ["plain", "augmented", "final"] {
        let record = std::fs::read_to_string(folder.join(format!("runs/{run}/run.jsonl")));
        let record = record.expect("a record");
        let start = record.lines().next().expect("a first line");
        let start: Value = serde_json::from_str(start).expect("JSON");
        assert_eq!(start["tasks"][0]["train"], 18, "{run}");
        assert_eq!(start["tasks"][0]["validation"], 9, "{run}");
        assert_eq!(start["tasks"][0]["test"], 0, "{run}");
        let summary = json(folder, &format!("runs/{run}/summary.json"));
        assert_eq!(summary["picked"]["by"], "best-validation", "{run}");
        assert!(summary["test_accuracy"].is_null(), "{run}");
    }
    for file in ["trials.csv", "best.toml"] {
        assert!(folder.join("runs/search").join(file).exists(), "{file}");
    }
}

fn an_unheard_voice_is_known(folder: &Path) {
    for file in [
        "confusion.csv",
        "confusion.png",
        "classes.csv",
        "speakers.csv",
        "logits.csv",
    ] {
        assert!(folder.join("runs/tested").join(file).exists(), "{file}");
    }
    let tested = json(folder, "runs/tested/summary.json");
    assert_eq!(tested["samples"], 21);
    assert_eq!(tested["trained_on"], 0);
    let speakers = tested["accuracy_of_speakers"].as_array().expect("a list");
    for (speaker, name) in speakers.iter().zip(SPEAKERS) {
        assert_eq!(speaker["name"], name);
        assert_eq!(speaker["samples"], if name == "david" { 12 } else { 3 });
    }
    // Whoever guesses gets 9 of 12 right in one case of 250.
    let david = number(&speakers[3]["accuracy"]);
    assert!(david >= 0.75, "{david}");
    let controls = json(folder, "runs/baseline/baseline.json");
    assert_eq!(controls["test_samples"], 21);
    assert_eq!(controls["new"], "the speaker david");
    let rules = controls["baselines"].as_array().expect("a list");
    let linear = rules.iter().find(|rule| rule["rule"] == "linear");
    let linear = number(&linear.expect("the linear rule")["new_accuracy"]);
    assert!(linear >= david - 0.17, "as well as the network: {linear}");
}

fn more_and_fewer_classes_are_learned(folder: &Path) {
    for (run, classes, least) in [
        ("with-david", 3, 0.75),
        ("yes-no", 2, 0.8),
        ("four-words", 4, 0.6),
    ] {
        let summary = json(folder, &format!("runs/{run}/summary.json"));
        let confusion = summary["confusion"].as_array().expect("a matrix");
        assert_eq!(confusion.len(), classes, "{run}");
        let right = number(&summary["picked"]["validation_accuracy"]);
        assert!(right >= least, "{run}: {right}");
    }
}

fn a_memory_keeps_what_is_known(folder: &Path) {
    let summary = |run: &str| json(folder, &format!("runs/{run}/summary.json"));
    let after = |run: &str, part: &str| number(&summary(run)["accuracy"]["after"][part]);
    for run in ["go-naive", "go-memory"] {
        assert!(after(run, "new") >= 0.6, "{run} learns the new word");
        let before = number(&summary(run)["accuracy"]["before"]["old"]);
        assert!(before >= 0.75, "{run} knew the old ones: {before}");
    }
    let (naive, memory) = (after("go-naive", "old"), after("go-memory", "old"));
    assert!(naive <= 0.5, "naive training forgets: {naive}");
    assert!(memory >= naive + 0.3, "{naive} and {memory}");
    for run in ["go-memory", "david-memory"] {
        assert!(number(&summary(run)["replay"]["bytes"]) <= 3000.0, "{run}");
        for file in ["learned.safetensors", "memory.safetensors"] {
            let file = format!("runs/{run}/{file}");
            assert!(folder.join(&file).exists(), "{file}");
        }
    }
    assert!(after("david-memory", "all") >= 0.75);
}
