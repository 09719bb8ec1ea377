//! Runs the built program: a search over settings of a recipe.

mod common;

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::Bench;
use common::program::{TRAIN, bad, good, json, run};
use serde_json::Value;

/// The test files are nowhere: a search has no business with them.
const RECIPE: &str = r#"
name = "small"
network = "small.toml"
[data]
train = ["train.h5"]
test = ["nowhere.h5"]
[training]
epochs = 27
batch_size = 16
schedule = "cosine"
optimiser = { kind = "adam" }
"#;

const SEARCH: &str = r#"
name = "small"
recipe = "recipe.toml"
validation = 0.3
trials = 9
seed = 4
seeds = [0, 1]
halving = { first_epochs = 3, factor = 3 }
[ranges]
"training.learning_rate" = { log = [1e-4, 1e-1] }
"training.augmentations" = { one_of = [[], [{ kind = "drop-events", share = 0.2 }]] }
"network.layers.*.dropout" = { even = [0.0, 0.3] }
"network.input.steps" = { one_of = [20, 30] }
"#;

fn bench() -> Bench {
    let bench = Bench::new();
    std::fs::write(bench.path("recipe.toml"), RECIPE).expect("written");
    std::fs::write(bench.path("search.toml"), SEARCH).expect("written");
    bench
}

/// Every result of a search, but for how long it took.
fn results(bench: &Bench, folder: &str) -> BTreeMap<String, Value> {
    let files = std::fs::read_dir(bench.path(folder).join("trials")).expect("a folder");
    let results = files.map(|file| {
        let path = file.expect("readable").path();
        let mut result = json(&path);
        result["seconds"] = Value::Null;
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        (name, result)
    });
    results.collect()
}

#[test]
fn a_search_finds_a_rate_that_works_and_goes_on_where_it_was_killed() {
    let bench = bench();
    let printed = good(&bench, "tune search.toml --out whole --json");
    let found: Value = serde_json::from_str(&printed).expect("JSON");
    let whole = results(&bench, "whole");
    // 9 recipes, then 3, then 1, twice each.
    assert_eq!(whole.len(), 2 * (9 + 3 + 1));
    let rate = found["values"]["training.learning_rate"]
        .as_f64()
        .expect("a number");
    assert!(
        rate > 1e-3,
        "rates below do not move in nine epochs: {rate}"
    );
    assert!(
        found["validation_accuracy"].as_f64().expect("a number") > 0.5,
        "{found}"
    );
    assert_eq!(
        found["importance"][0][0], "training.learning_rate",
        "{found}"
    );
    for (round, epochs) in [(1, 3), (2, 9), (3, 27)] {
        let of_round = whole
            .iter()
            .filter(|(name, _)| name.starts_with(&format!("round-{round}")));
        for (name, result) in of_round {
            assert_eq!(result["epochs"], epochs, "{name}");
            assert_eq!(
                result["validated"].as_array().expect("a list").len(),
                epochs,
                "{name}"
            );
        }
    }
    for file in [
        "trials.md",
        "trials.csv",
        "search.png",
        "search.svg",
        "best.toml",
    ] {
        assert!(
            bench.path("whole").join(file).metadata().expect(file).len() > 100,
            "{file}"
        );
    }
    // The best of the last round is among the best of the first.
    let best = found["best"].as_u64().expect("a number");
    assert!(whole.contains_key(&format!("round-3-trial-{best:03}-seed-0.json")));
    // The best recipe trains, with test files of one's own.
    good(
        &bench,
        "train --recipe whole/best.toml --test test.h5 --out best",
    );
    let trained = json(&bench.path("best/summary.json"));
    assert!(
        trained["test_accuracy"].as_f64().expect("a number") > 0.5,
        "{trained}"
    );

    // Killed once a training is over.
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("respike"));
    command
        .current_dir(bench.root())
        .env("HDF5_USE_FILE_LOCKING", "FALSE");
    command.args(["tune", "search.toml", "--out", "parts", "--threads", "1"]);
    let mut running = command.stderr(Stdio::null()).spawn().expect("it runs");
    let (clock, trials) = (Instant::now(), bench.path("parts").join("trials"));
    let is_done = || {
        trials
            .read_dir()
            .is_ok_and(|mut files| files.next().is_some())
    };
    while !is_done() && clock.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(2));
    }
    running.kill().expect("it runs");
    running.wait().expect("it ends");
    let killed = results(&bench, "parts").len();
    assert!((1..26).contains(&killed), "{killed} of 26 were done");
    bad(&bench, "tune search.toml --out parts", &["--resume"]);
    good(&bench, "tune search.toml --out parts --resume --threads 3");
    assert_eq!(results(&bench, "parts"), whole);
    // Done, it trains nothing and draws the same.
    let table = |folder: &str| {
        std::fs::read_to_string(bench.path(folder).join("trials.csv")).expect("a table")
    };
    let before = table("parts");
    good(&bench, "tune search.toml --out parts --resume");
    assert_eq!(table("parts"), before);

    // Another search, other data or other files are not gone on with.
    let change = |from: &str, to: &str| {
        std::fs::write(bench.path("other.toml"), SEARCH.replace(from, to)).expect("written");
    };
    change("seed = 4", "seed = 5");
    bad(
        &bench,
        "tune other.toml --out parts --resume",
        &["other settings"],
    );
    bad(
        &bench,
        "tune search.toml --data test.h5 --out parts --resume",
        &["other data"],
    );
    bad(
        &bench,
        "tune search.toml --out parts --resume --simd portable",
        &["arithmetic"],
    );
    std::fs::write(trials.join("round-1-trial-001-seed-0.json"), "{}").expect("written");
    bad(
        &bench,
        "tune search.toml --out parts --resume",
        &["round-1-trial-001-seed-0.json", "no result"],
    );
    good(&bench, "tune search.toml --out parts --force");
    assert_eq!(results(&bench, "parts"), whole);
}

#[test]
fn searches_that_make_no_sense_are_refused() {
    let bench = bench();
    let change = |from: &str, to: &str| {
        assert!(SEARCH.contains(from));
        std::fs::write(bench.path("other.toml"), SEARCH.replace(from, to)).expect("written");
    };
    for (from, to, words) in [
        ("validation = 0.3", "", &["kept out of training"][..]),
        ("recipe.toml", "none.toml", &["none.toml"]),
        ("trials = 9", "trials = 0", &["trials"]),
        (
            "[1e-4, 1e-1]",
            "[0.0, 1e-1]",
            &["training.learning_rate", "above 0"],
        ),
        ("layers.*.dropout", "layers.7.dropout", &["`7`"]),
        ("factor = 3", "factor = 1", &["factor"]),
        ("seeds = [0, 1]", "seeds = [1, 1]", &["twice"]),
        (
            "training.learning_rate",
            "training.learnign_rate",
            &["`learning_rate` is nearly that"],
        ),
        (
            "training.learning_rate",
            "training.epochs",
            &["how many epochs"],
        ),
        ("training.learning_rate", "seed", &["seeds"]),
        (
            "training.learning_rate",
            "data.train",
            &["no recipe better"],
        ),
        ("[1e-4, 1e-1]", "[1e-4, 1e400]", &["line 10"]),
        (
            "validation = 0.3",
            "validation_speakers = [\"nobody\"]",
            &["nobody"],
        ),
        ("validation = 0.3", "validation = 1.5", &["share"]),
    ] {
        change(from, to);
        bad(&bench, "tune other.toml --out none", words);
    }
    bad(&bench, "tune none.toml --out none", &["none.toml"]);
    bad(
        &bench,
        "tune recipe.toml --out none",
        &["does not describe a search"],
    );
    bad(
        &bench,
        "tune search.toml --data none.h5 --out none",
        &["none.h5"],
    );
    // Values that make no sense are told, and the others go on; if none does, that is told.
    change("even = [0.0, 0.3]", "even = [0.5, 1.5]");
    let output = run(&bench, "tune other.toml --out some");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && stderr.contains("dropout"),
        "{stderr}"
    );
    change("even = [0.0, 0.3]", "even = [1.5, 1.6]");
    bad(
        &bench,
        "tune other.toml --out all",
        &["no recipe within the ranges", "dropout"],
    );
}

#[test]
fn runs_and_searches_keep_out_of_each_others_folders() {
    let bench = bench();
    let small = SEARCH
        .replace("trials = 9", "trials = 1")
        .replace("[0, 1]", "[0]");
    std::fs::write(bench.path("one.toml"), small).expect("written");
    good(&bench, "tune one.toml --out search");
    for more in ["", " --force", " --resume"] {
        for command in [
            TRAIN.to_string() + " --epochs 1",
            "learn sample --held-out 1 --strategy naive --data train.h5 --model small.toml"
                .to_string(),
        ] {
            if command.starts_with("learn") && more == " --resume" {
                continue;
            }
            bad(
                &bench,
                &format!("{command} --out search{more}"),
                &["search holds a search of `tune`", "--out"],
            );
        }
    }
    good(&bench, &format!("{TRAIN} --epochs 1 --out run"));
    for more in ["", " --force", " --resume"] {
        bad(
            &bench,
            &format!("tune one.toml --out run{more}"),
            &["holds no search", "--out"],
        );
    }
}
