//! Runs that went on with a learner from elsewhere, and were killed: given again they go on after their last whole task.

mod common;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::Bench;
use common::program::{bad, good, json, run};
use respike::report::{EpochLine, RunFolder};
use serde_json::Value;

const METHOD: &str = "--method ar1-star --budget 4kB --set mixing.new_per_batch=4 \
                      --set mixing.replayed_per_batch=8 --codec or:5 --replay-layer 1";
const SHORT: &str =
    "--test test.h5 --model small.toml --epochs 4 --lr 5e-3 --batch-size 16 --threads 1";
const PRETRAIN: &str = "--pretrain-epochs 4 --pretrain-lr 5e-3";
const FILES: [&str; 4] = [
    "learner.safetensors",
    "learned.safetensors",
    "memory.safetensors",
    "pretrained.safetensors",
];

/// A bench with a learner of two of the four classes, `begun/learner.safetensors`.
fn begun() -> Bench {
    let bench = Bench::new();
    good(
        &bench,
        "data split train.h5 --classes red,green --out few.h5",
    );
    let learn = format!("learn class --held-out green --data few.h5 {SHORT} {PRETRAIN} {METHOD}");
    good(&bench, &format!("{learn} --out begun"));
    bench
}

/// Tasks of which the learner has learned the second before, and all others not.
fn order_with_a_known_task(bench: &Bench) {
    let task = |what: &str| format!("[[task]]\n{what}\n");
    let tasks = [
        "classes = [\"blue\"]\nspeakers = [0]",
        "classes = [\"green\"]",
        "classes = [\"grey\"]\nspeakers = [1, 2]",
        "classes = [\"blue\"]",
    ];
    let text: String = tasks.into_iter().map(task).collect();
    std::fs::write(bench.path("order.toml"), text).expect("written");
}

fn spawn(bench: &Bench, arguments: &str) -> Child {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("respike"));
    command.current_dir(bench.root());
    command.args(arguments.split_whitespace());
    command.env("HDF5_USE_FILE_LOCKING", "FALSE");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("it starts")
}

fn lines(folder: &Path) -> usize {
    let record = std::fs::read_to_string(folder.join("run.jsonl")).unwrap_or_default();
    record.lines().count()
}

/// Runs until its record has so many lines, and kills it.
fn kill_after(bench: &Bench, arguments: &str, folder: &str, wanted: usize) {
    let mut child = spawn(bench, arguments);
    while lines(&bench.path(folder)) < wanted {
        let ended = child.try_wait().expect("its own");
        assert!(ended.is_none(), "it ended before it could be killed");
        std::thread::sleep(Duration::from_micros(200));
    }
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
}

fn epochs(folder: &Path) -> Vec<EpochLine> {
    RunFolder::read(folder).expect("a record").epochs
}

/// What it came to, without what differs from run to run.
fn summary(folder: &Path) -> Value {
    let mut summary = json(&folder.join("summary.json"));
    summary["seconds"] = Value::Null;
    summary
}

fn assert_same(one: &Path, other: &Path) {
    assert_eq!(epochs(one), epochs(other));
    assert_eq!(summary(one), summary(other));
    for file in FILES {
        let [one, other] = [one, other].map(|folder| std::fs::read(folder.join(file)));
        assert!(one.expect("written") == other.expect("written"), "{file}");
    }
}

#[test]
fn a_killed_run_with_a_given_learner_goes_on_after_its_last_task_bit_for_bit() {
    let bench = begun();
    order_with_a_known_task(&bench);
    for (scenario, name, data) in [
        ("nic:13", "many", "--data train.h5"),
        ("order.toml", "order", "--data train.h5"),
    ] {
        let learn = format!(
            "learn {scenario} {data} {SHORT} {METHOD} --continue begun/learner.safetensors"
        );
        good(&bench, &format!("{learn} --out {name}"));
        let whole = bench.path(name);
        let all = epochs(&whole);
        // In the first task, of which nothing stays, in a later one and in the last one.
        let killed = format!("{name}-killed");
        let given = format!("{learn} --out {killed}");
        for after in [2, all.len() / 2, all.len() - 2] {
            kill_after(&bench, &given, &killed, after);
        }
        let output = run(&bench, &given);
        let notes = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{notes}");
        let done = all[..all.len() - 3].last().map(|epoch| epoch.task);
        let done = done.expect("several epochs") - 1;
        let goes_on = notes.lines().find_map(|line| {
            let rest = line.split_once("the run goes on after task ")?.1;
            rest.split(' ').next()?.parse::<usize>().ok()
        });
        assert!(
            goes_on.is_some_and(|task| task >= done),
            "{done} tasks were done: {notes}"
        );
        assert_same(&bench.path(&killed), &whole);
    }
    let learned: Vec<usize> = epochs(&bench.path("order"))
        .iter()
        .map(|epoch| epoch.task)
        .collect();
    assert!(learned.contains(&1) && learned.contains(&4), "{learned:?}");
    assert!(!learned.contains(&2), "it was known: {learned:?}");
}

#[test]
fn a_run_goes_on_with_the_learner_that_it_began_with_alone() {
    let bench = begun();
    // Heads that keep sums leave the weights as they are: learners of other samples have the same.
    let sums = "--method slda --replay-layer 1";
    let begin = format!("learn class {SHORT} {PRETRAIN} {sums}");
    good(&bench, "data split train.h5 --classes blue --out blue.h5");
    good(
        &bench,
        &format!("{begin} --held-out green --data few.h5 --out one"),
    );
    let go_on = format!("learn nic:13 --data train.h5 {SHORT} {sums}");
    let with = |learner: &str| format!("{go_on} --continue {learner}/learner.safetensors");
    // The same learner, which has learned one task more.
    good(
        &bench,
        &format!(
            "learn next --data blue.h5 {SHORT} {sums} --continue one/learner.safetensors --out two"
        ),
    );
    let weights = |folder: &str| {
        let record = RunFolder::read(&bench.path(folder)).expect("a record");
        let from = record.start.started_from.expect("it went on");
        (from.fingerprint, from.learner)
    };
    good(&bench, &format!("{} --out whole", with("one")));
    kill_after(
        &bench,
        &format!("{} --out killed", with("one")),
        "killed",
        4,
    );
    good(&bench, &format!("{} --out killed", with("one")));
    let ([one, _], two) = (["whole", "killed"].map(weights), weights("two"));
    assert_eq!(one, two, "both went on with the same");
    assert_eq!(epochs(&bench.path("killed")), epochs(&bench.path("whole")));
    kill_after(&bench, &format!("{} --out other", with("one")), "other", 4);
    // Leftovers of the kill go with it, so that all files are not compared.
    let output = run(&bench, &format!("{} --out other", with("two")));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("other settings"), "{said}");
    // A record that does not say which learner it was is not believed to be of this one.
    let path = bench.path("other/run.jsonl");
    let record = std::fs::read_to_string(&path).expect("written");
    let (before, after) = record.split_once(",\"learner\":\"").expect("it says so");
    let after = &after[after.find('"').expect("quoted") + 1..];
    std::fs::write(&path, format!("{before}{after}")).expect("written");
    let output = run(&bench, &format!("{} --out other", with("one")));
    let notes = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{notes}");
    let said = "begins anew: its record does not say with which learner it went on";
    assert!(notes.contains(said), "{notes}");
    assert_eq!(epochs(&bench.path("other")), epochs(&bench.path("whole")));
}

#[test]
fn what_is_wrong_with_a_learner_is_said_with_what_to_do() {
    let bench = begun();
    let learn = format!("learn next --data train.h5 {SHORT} {METHOD}");
    // It would be gone with the first kill, whatever --force says.
    for (force, said) in [
        ("", ["lies in --out", "given again"]),
        ("--force", ["--force would replace", "begun"]),
    ] {
        let [one, other] = said;
        bad(
            &bench,
            &format!("{learn} --continue begun/learner.safetensors --out begun {force}"),
            &[one, other, "choose another --out"],
        );
    }
    let few = format!("{SHORT} {PRETRAIN} {METHOD} --base-classes red --new-classes green");
    good(
        &bench,
        &format!("learn multi-class --data few.h5 {few} --out narrow"),
    );
    bad(
        &bench,
        &format!("{learn} --continue narrow/learner.safetensors --out wide"),
        &[
            "red, green, blue, grey",
            "all classes that may ever come",
            "--new-classes",
            "--own-classes",
        ],
    );
}
