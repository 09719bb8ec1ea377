//! `respike bench shd` with controls: beside the methods, in a run that is killed, and in a folder that lacks them.

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use common::Bench;
use common::program::{bad, good};
use common::suite::{BENCH, SUITE, prepared};
use respike::suite::ResultLine;
use serde_json::Value;

/// A speaker with two seeds, a class, and many classes, under both protocols.
fn small(controls: bool) -> String {
    let head = SUITE.split("[[study]]").next().expect("its head");
    let head = match controls {
        true => head.replace("seeds = [0, 5]", "seeds = [0, 5]\ncontrols = true"),
        false => head.to_string(),
    };
    head + "[[study]]\nscenario = \"sample\"\nheld_out = [1]\nstrategies = [\"naive\"]\n\
            [[study]]\nscenario = \"class\"\nheld_out = [\"blue\"]\nprotocols = [\"strict\"]\nseeds = [5]\n\
            strategies = [\"naive\", \"joint\"]\n\
            [[study]]\nscenario = \"multi-class\"\nprotocols = [\"strict\"]\nseeds = [5]\nstrategies = [\"naive\"]\n"
}

fn prepared_with(controls: bool) -> Bench {
    let bench = prepared();
    std::fs::write(bench.path("small-suite.toml"), small(controls)).expect("written");
    bench
}

const GROUPS: [(&str, &str); 4] = [
    ("strict/speaker-1/seed-0", "--held-out-speaker 1 --seed 0"),
    ("strict/speaker-1/seed-5", "--held-out-speaker 1 --seed 5"),
    ("strict/class-2/seed-5", "--held-out-class blue --seed 5"),
    ("strict/classes-2/seed-5", "--base-classes 2 --seed 5"),
];

fn cells(bench: &Bench, group: &str) -> String {
    let cells = std::fs::read_to_string(bench.path(&format!("out/cells/{group}.jsonl")));
    cells.expect("written")
}

/// The line of controls.
fn controls(bench: &Bench, group: &str) -> Option<Value> {
    let text = cells(bench, group);
    let mut lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines.find(|line| line["line"] == "controls")
}

#[test]
fn controls_are_what_baseline_says_and_stand_in_the_tables() {
    let bench = prepared_with(true);
    let printed = good(&bench, &format!("{BENCH} --json"));
    let figures: Value = serde_json::from_str(&printed).expect("JSON on stdout");
    // Three kinds for each of three scenarios; they are no experiments.
    assert_eq!(figures["controls"].as_array().map(Vec::len), Some(9));
    assert_eq!(figures["planned"], 4 + 2 + 1);
    for (group, flags) in GROUPS {
        let found = controls(&bench, group).expect("the suite asks for them");
        let command = format!("baseline --data many.h5 --model small.toml {flags} --json");
        let said: Value = serde_json::from_str(&good(&bench, &command)).expect("JSON on stdout");
        let said = said["baselines"].as_array().expect("a list");
        assert_eq!(found["controls"].as_array().map(Vec::len), Some(3));
        for control in found["controls"].as_array().expect("a list") {
            let kind = control["kind"].as_str().expect("a name");
            let (rule, of) = match kind {
                "no-network-linear" => ("linear", "events"),
                "no-network-nearest-mean" => ("nearest-mean", "events"),
                "untrained-network-linear" => ("linear", "untrained"),
                other => panic!("{other}"),
            };
            let of_kind = said.iter().filter(|one| {
                let features = one["features"].as_str().expect("a name");
                one["rule"] == rule && features.starts_with(of)
            });
            // Of windows that lie otherwise those are taken that are right for more samples to pick with.
            let right = |one: &Value| one["validation"]["correct"].as_u64().expect("picked");
            let most = of_kind.clone().max_by_key(|one| right(one)).expect("some");
            let mut best = of_kind.filter(|one| right(one) == right(most));
            let best = best.next().expect("the best");
            for (key, of_baseline) in [
                ("numbers", "numbers"),
                ("features", "feature_count"),
                ("transform", "transform"),
                ("validation", "validation"),
            ] {
                assert_eq!(control[key], best[of_baseline], "{group} {kind} {key}");
            }
            let shrinkage = control.get("shrinkage").unwrap_or(&Value::Null);
            assert_eq!(*shrinkage, best["shrinkage"]);
            for (key, of_baseline) in [
                ("old", "old_accuracy"),
                ("new", "new_accuracy"),
                ("all", "accuracy"),
            ] {
                let accuracy = &control["accuracy"][key];
                assert_eq!(*accuracy, best[of_baseline], "{group} {kind} {key}");
            }
        }
        // Measured with the same samples as the experiments.
        let first: Value = {
            let text = cells(&bench, group);
            serde_json::from_str(text.lines().next().expect("a line")).expect("JSON")
        };
        assert_eq!(first["test_samples"], found["test_samples"]);
        for line in cells(&bench, group).lines() {
            let read: ResultLine = serde_json::from_str(line).expect("the library reads it");
            assert_eq!(serde_json::to_string(&read).expect("plain"), line);
        }
    }
    assert_eq!(controls(&bench, "published/speaker-1/seed-0"), None);
    for (table, runs) in [
        ("strict-sample", "2"),
        ("strict-class", "1"),
        ("strict-multi-class", "1"),
    ] {
        let text = std::fs::read_to_string(bench.path(&format!("out/tables/all-{table}.csv")));
        let text = text.expect("written");
        for name in [
            "no network, linear rule",
            "no network, nearest mean",
            "untrained network, linear rule",
        ] {
            let mut rows = text
                .lines()
                .filter(|line| line.starts_with(&format!("\"{name}\"")));
            let row = rows.next().expect(name);
            assert!(row.contains(&format!(",{runs},respike bench shd")), "{row}");
        }
    }
    let report = std::fs::read_to_string(bench.path("out/report.html")).expect("written");
    assert_eq!(
        report.matches("<td>no network, linear rule</td>").count(),
        3
    );
    let published = bench.path("out/tables/all-published-sample.csv");
    let published = std::fs::read_to_string(published).expect("written");
    assert!(!published.contains("no network"));
}

#[test]
fn a_killed_suite_with_controls_comes_to_the_same_bytes() {
    let (whole, killed) = (prepared_with(true), prepared_with(true));
    good(&whole, &format!("{BENCH} --jobs 1 --threads 1"));
    for pieces in [0, 1, 2, 3] {
        kill_after(&killed, pieces);
    }
    good(&killed, &format!("{BENCH} --resume --jobs 2"));
    let same = |bench: &Bench| {
        let mut texts: Vec<String> = GROUPS.map(|(group, _)| cells(bench, group)).to_vec();
        for file in [
            "report.html",
            "tables/all-strict-sample.csv",
            "suite.json",
            "tables/all-strict-multi-class.md",
        ] {
            let text = std::fs::read_to_string(bench.path("out").join(file));
            texts.push(text.expect("written"));
        }
        texts
    };
    assert_eq!(same(&whole), same(&killed));
    let times = |bench: &Bench| {
        let text = std::fs::read_to_string(bench.path("out/times.jsonl")).expect("written");
        text.matches("\"controls\"").count()
    };
    assert_eq!(times(&whole), GROUPS.len());
    // A kill between a result and its time leaves the former alone.
    let once = times(&killed);
    assert!(once <= GROUPS.len(), "what is there is not computed again");
    good(&killed, &format!("{BENCH} --resume"));
    assert_eq!(times(&killed), once);
    assert_eq!(same(&whole), same(&killed));
}

/// Runs the suite until so many pieces of work are done, and kills it.
fn kill_after(bench: &Bench, pieces: usize) {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("respike"));
    command.current_dir(bench.root());
    command
        .args(BENCH.split_whitespace())
        .args(["--resume", "--jobs", "2", "--threads", "2"]);
    command.env("HDF5_USE_FILE_LOCKING", "FALSE");
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let stderr = BufReader::new(child.stderr.take().expect("piped"));
    let news = stderr.lines().map_while(Result::ok);
    let done = news.filter(|line| line.starts_with("note: [")).take(pieces);
    assert_eq!(done.count(), pieces, "it ended before it could be killed");
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
}

#[test]
fn a_folder_without_controls_gets_them_when_it_is_gone_on_with() {
    let (bench, fresh) = (prepared_with(false), prepared_with(true));
    good(&bench, BENCH);
    let before = cells(&bench, GROUPS[0].0);
    assert_eq!(controls(&bench, GROUPS[0].0), None);
    let manifest = std::fs::read_to_string(bench.path("out/suite.json")).expect("written");
    assert!(!manifest.contains("controls"));

    // A report computes nothing, whatever the grid that it is asked for.
    std::fs::write(bench.path("small-suite.toml"), small(true)).expect("written");
    let look = "bench shd --report-only --suite small-suite.toml --out out --json";
    let figures: Value = serde_json::from_str(&good(&bench, look)).expect("JSON on stdout");
    assert!(figures.get("controls").is_none());
    assert_eq!(cells(&bench, GROUPS[0].0), before);

    good(&bench, &format!("{BENCH} --resume"));
    good(&fresh, BENCH);
    for (group, _) in GROUPS {
        assert_eq!(cells(&bench, group), cells(&fresh, group));
        assert!(controls(&bench, group).is_some());
    }
    // The experiments were not run again.
    let times = std::fs::read_to_string(bench.path("out/times.jsonl")).expect("written");
    assert_eq!(times.matches("\"joint\"").count(), 1);

    // Without the key they stay where they are, and are not shown.
    std::fs::write(bench.path("small-suite.toml"), small(false)).expect("written");
    good(&bench, &format!("{BENCH} --resume"));
    assert!(controls(&bench, GROUPS[0].0).is_some());
    let table = bench.path("out/tables/all-strict-sample.csv");
    let table = std::fs::read_to_string(table).expect("written");
    assert!(!table.contains("no network"));

    std::fs::write(
        bench.path("small-suite.toml"),
        small(true).replace("controls = true", "controls = 3"),
    )
    .expect("written");
    bad(
        &bench,
        &format!("{BENCH} --force"),
        &["line 5", "a boolean"],
    );
}
