//! Runs the built program: what the folder of a run tells, and what of it is believed.

mod common;

use common::Bench;
use common::program::{TRAIN, bad, good, json, run};
use respike::report::RunFolder;

#[test]
fn a_run_that_is_gone_on_with_has_no_picked_network_until_its_end() {
    let bench = Bench::new();
    let train = format!("{TRAIN} --out run --resume");
    good(&bench, &format!("{train} --epochs 1"));
    let network = bench.path("run/network.safetensors");
    let first = std::fs::read(&network).expect("picked");
    // As a run does that is killed after this.
    drop(RunFolder::go_on(&bench.path("run"), 1, 2).expect("a run"));
    assert!(!network.exists());
    good(&bench, &format!("{train} --epochs 2"));
    assert_ne!(std::fs::read(&network).expect("picked"), first);
}

#[test]
fn the_seconds_of_a_run_are_those_of_all_its_starts() {
    let bench = Bench::new();
    let train = format!("{TRAIN} --out run --resume");
    good(&bench, &format!("{train} --epochs 1"));
    let spent = |file: &str| {
        let seconds = json(&bench.path(file))["seconds"]["train"].clone();
        seconds.as_f64().expect("a number")
    };
    assert_eq!(spent("run/times.json"), spent("run/summary.json"));
    // As if the first start had taken long.
    let long = r#"{"seconds": {"train": 5000.0}}"#;
    std::fs::write(bench.path("run/times.json"), long).expect("written");
    good(&bench, &format!("{train} --epochs 2"));
    assert!((5000.0..5600.0).contains(&spent("run/summary.json")));
    assert_eq!(spent("run/times.json"), spent("run/summary.json"));
    // Runs of before had no such file: their summary says it, if they came to one.
    std::fs::remove_file(bench.path("run/times.json")).expect("there");
    good(&bench, &format!("{train} --epochs 3"));
    assert!(spent("run/summary.json") > 5000.0);
    std::fs::remove_file(bench.path("run/times.json")).expect("there");
    let record = std::fs::read_to_string(bench.path("run/run.jsonl")).expect("there");
    let cut_off: Vec<&str> = record.lines().take(4).collect();
    std::fs::write(bench.path("run/run.jsonl"), cut_off.join("\n")).expect("written");
    let output = run(&bench, &format!("{train} --epochs 4"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("how long the run took before is not known"),
        "{stderr}"
    );
    assert!(spent("run/summary.json") < 600.0);
    // Another run begins at nothing.
    std::fs::write(bench.path("run/times.json"), long).expect("written");
    good(&bench, &format!("{TRAIN} --epochs 1 --out run --force"));
    assert!(spent("run/times.json") < 600.0);
}

#[test]
fn a_record_with_numbers_that_can_not_be_is_not_drawn() {
    let bench = Bench::new();
    good(&bench, &format!("{TRAIN} --epochs 3 --out run"));
    let path = bench.path("run/run.jsonl");
    let record = std::fs::read_to_string(&path).expect("there");
    let lines: Vec<&str> = record.lines().collect();
    let accuracy = json_of(lines[2])["train_accuracy"].to_string();
    let loss = json_of(lines[2])["loss"].to_string();
    for (from, to, words) in [
        (accuracy, "7.0", "no share from 0 to 1"),
        (loss, "null", "null"),
    ] {
        let damaged = lines[2].replacen(&format!(":{from}"), &format!(":{to}"), 1);
        assert_ne!(damaged, lines[2]);
        let mut lines = lines.clone();
        lines[2] = &damaged;
        std::fs::write(&path, lines.join("\n")).expect("written");
        bad(
            &bench,
            "plot curves run --out curves.png",
            &["run.jsonl", "line 3", words],
        );
    }
}

fn json_of(line: &str) -> serde_json::Value {
    serde_json::from_str(line).expect("JSON")
}
