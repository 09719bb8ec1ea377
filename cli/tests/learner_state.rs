//! Learners that stop and go on: as the same run, cut off anywhere, or as another one with new samples.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::program::{bad, good, json, run};
use common::{Bench, recordings};
use respike::continual::SavedLearner;
use respike::dataset::{ShdContents, write_shd};
use respike::ids::SpeakerId;
use respike::report::{EpochLine, RunFolder};

/// Everything that goes from task to task: a memory, a head, a regulariser and random numbers of each.
const METHOD: &str = "--method ar1-star --budget 4kB --set mixing.new_per_batch=4 \
                      --set mixing.replayed_per_batch=8 --codec or:5 --replay-layer 1";
const SHORT: &str = "--data train.h5 test.h5 --model small.toml --pretrain-epochs 4 --epochs 2 --lr 5e-3 \
                     --pretrain-lr 5e-3 --batch-size 16 --threads 1";

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("written")
}

/// The record without what differs from run to run.
fn epochs(path: &Path) -> Vec<EpochLine> {
    RunFolder::read(path).expect("a record").epochs
}

#[test]
fn a_run_that_was_cut_off_goes_on_after_its_last_task_bit_for_bit() {
    let bench = Bench::new();
    let learn = format!("learn multi-class --base-classes 1 {SHORT} {METHOD}");
    good(&bench, &format!("{learn} --out whole"));
    let whole = bench.path("whole");
    let state = SavedLearner::load(&whole.join("learner.safetensors")).expect("a learner");
    let tasks = state.tasks_done();
    assert!(tasks > 1, "several tasks go on from each other");
    // What a kill leaves: a record without its end, in the middle of a task, and perhaps of a line.
    let record = std::fs::read_to_string(whole.join("run.jsonl")).expect("written");
    let lines: Vec<&str> = record.lines().collect();
    let without_end = lines[..lines.len() - 1].join("\n");
    let first_task = lines
        .iter()
        .position(|line| line.contains("\"learn\",\"task\":1"));
    let in_first_task = lines[..first_task.expect("learned")].join("\n").len() + 60;
    // The learner of the last task, or none yet: then it goes on after pre-training.
    for (left, files, torn) in [
        (without_end.len(), &["pretrained", "learner"][..], 0),
        (in_first_task, &["pretrained"][..], 1),
    ] {
        let cut = bench.path(&format!("cut-{torn}"));
        std::fs::create_dir(&cut).expect("made");
        for file in files {
            let file = format!("{file}.safetensors");
            std::fs::copy(whole.join(&file), cut.join(&file)).expect("copied");
        }
        std::fs::write(cut.join("run.jsonl"), &record[..left]).expect("written");
        good(&bench, &format!("{learn} --out cut-{torn}"));
        assert_eq!(epochs(&cut), epochs(&whole), "{torn}");
        for file in [
            "learner.safetensors",
            "learned.safetensors",
            "memory.safetensors",
            "pretrained.safetensors",
        ] {
            assert!(bytes(&cut.join(file)) == bytes(&whole.join(file)), "{file}");
        }
        let accuracy = |folder: &Path| json(&folder.join("summary.json"))["accuracy"].clone();
        assert_eq!(accuracy(&cut), accuracy(&whole));
        let matrix = |folder: &Path| json(&folder.join("summary.json"))["matrix"].clone();
        assert_eq!(matrix(&cut), matrix(&whole));
    }
}

#[test]
fn what_is_begun_anew_is_said() {
    let bench = Bench::new();
    let learn = format!("learn multi-class --base-classes 2 {SHORT} {METHOD}");
    good(&bench, &format!("{learn} --out whole"));
    let whole = bench.path("whole");
    let record = std::fs::read_to_string(whole.join("run.jsonl")).expect("written");
    let line_of = |words: &str| record.find(words).expect("written");
    let in_pretraining = line_of("\"pretrain\",\"task\":0,\"epoch\":3");
    let in_pretraining = record[..in_pretraining].rfind('\n').expect("lines") + 1;
    let end = record.trim_end().rfind('\n').expect("lines") + 1;
    // In pre-training; with a learner that is cut short; with a network that is none.
    let learner = bytes(&whole.join("learner.safetensors"));
    for (name, left, files, said) in [
        (
            "pre",
            in_pretraining,
            &[][..],
            &[
                "begins anew",
                "pre-training had not come to its end",
                "after 2 epochs",
            ][..],
        ),
        (
            "short",
            end,
            &[
                ("pretrained", bytes(&whole.join("pretrained.safetensors"))),
                ("learner", learner[..99].to_vec()),
            ],
            &[
                "all tasks are learned again",
                "learner",
                "goes on after task 0",
            ],
        ),
        (
            "lost",
            end,
            &[("pretrained", b"nothing".to_vec())],
            &["begins anew", "its pre-trained network is lost"],
        ),
    ] {
        let cut = bench.path(name);
        std::fs::create_dir(&cut).expect("made");
        for (file, bytes) in files {
            std::fs::write(cut.join(format!("{file}.safetensors")), bytes).expect("written");
        }
        std::fs::write(cut.join("run.jsonl"), &record[..left]).expect("written");
        let output = run(&bench, &format!("{learn} --out {name}"));
        let notes = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{notes}");
        for words in said {
            assert!(notes.contains(words), "`{words}` is not in: {notes}");
        }
        assert_eq!(epochs(&cut), epochs(&whole), "{name}");
    }
}

#[test]
fn a_learner_takes_the_next_task_from_other_files() {
    let bench = Bench::new();
    good(
        &bench,
        &format!("learn class --held-out 1 {SHORT} {METHOD} --out first"),
    );
    let state = "--continue first/learner.safetensors";
    // The same data again: there is nothing to learn, and what is tested was not trained on.
    bad(
        &bench,
        &format!("learn class --held-out 1 {SHORT} {METHOD} {state} --out again"),
        &["nothing is left"],
    );
    // A learner is of one method and network.
    bad(
        &bench,
        &format!("learn next {SHORT} --strategy naive {state} --out other"),
        &["method", "ar1-star"],
    );
    bad(
        &bench,
        &format!("learn next {SHORT} {METHOD} --head redrawn {state} --out other"),
        &["it learns by ar1-star", "not by ar1-star, head redrawn"],
    );
    // One more task: the files' samples are new to it if others were held out before.
    good(
        &bench,
        "data split train.h5 --takes 0-1 --out few.h5 --out-rest others.h5",
    );
    let learn = "--model small.toml --pretrain-epochs 4 --epochs 2 --lr 5e-3 --pretrain-lr 5e-3 --batch-size 16";
    good(
        &bench,
        &format!(
            "learn class --held-out 1 --data few.h5 --test test.h5 {learn} {METHOD} --out begun"
        ),
    );
    let output = run(
        &bench,
        &format!(
            "learn next --data others.h5 --test test.h5 {learn} {METHOD} --continue begun/learner.safetensors --out next \
             --json"
        ),
    );
    let notes = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{notes}");
    let idle = "with --continue there is no pre-training, so that --pretrain-epochs and --pretrain-lr changes nothing";
    assert!(notes.contains(idle), "{notes}");
    let out = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(
        out.contains("\"scenario\": \"next: one more task\""),
        "{out}"
    );
    let summary = json(&bench.path("next/summary.json"));
    assert_eq!(summary["started_from"]["file"], "begun/learner.safetensors");
    let before = json(&bench.path("begun/summary.json"))["accuracy"]["after"]["all"].clone();
    assert_eq!(
        summary["accuracy"]["before"]["all"], before,
        "it goes on where it was"
    );
    // All classes were known: what it forgot of them is measured, and nothing is new that could be.
    let old = summary["accuracy"]["after"]["old"].as_f64();
    assert_eq!(old, summary["accuracy"]["after"]["all"].as_f64());
    assert!(old.is_some() && summary["accuracy"]["after"]["new"].is_null());
    assert_eq!(summary["test_samples"]["new"], 0);
    assert!(summary["metrics"]["bwt"].is_number());
    let record = RunFolder::read(&bench.path("next")).expect("a record");
    let measured = |epoch: &EpochLine, name| epoch.accuracy.contains_key(name);
    assert!(record.epochs.iter().any(|epoch| measured(epoch, "old")));
    assert!(!record.epochs.iter().any(|epoch| measured(epoch, "new")));
    // The table of the same run, which has come to its end: old and all.
    let shown = good(
        &bench,
        &format!(
            "learn next --data others.h5 --test test.h5 {learn} {METHOD} --continue begun/learner.safetensors --out next"
        ),
    );
    assert_eq!(shown.matches(" → ").count(), 2, "{shown}");
    let learned = SavedLearner::load(&bench.path("next/learner.safetensors")).expect("a learner");
    let begun = SavedLearner::load(&bench.path("begun/learner.safetensors")).expect("a learner");
    let recordings = |learner: &SavedLearner| learner.trained_on().events().len();
    assert!(recordings(&learned) > recordings(&begun));
}

#[test]
fn nothing_is_pre_trained_on_where_there_is_no_first_task() {
    let bench = Bench::new();
    bad(
        &bench,
        &format!("learn next {SHORT} {METHOD} --out next"),
        &["nothing is left to pre-train on", "goes on with a learner"],
    );
    std::fs::write(bench.path("state"), b"no learner").expect("written");
    bad(
        &bench,
        &format!("learn next {SHORT} {METHOD} --continue state --out next"),
        &["state"],
    );
}

#[test]
fn many_small_tasks_are_tested_as_often_as_asked() {
    let bench = Bench::new();
    let learn = format!("learn nic:9 {SHORT} {METHOD} --test-every-tasks 3 --test-every 2");
    good(&bench, &format!("{learn} --out many"));
    let tested: Vec<(usize, usize)> = epochs(&bench.path("many"))
        .iter()
        .filter(|epoch| epoch.task > 0 && !epoch.accuracy.is_empty())
        .map(|epoch| (epoch.task, epoch.epoch))
        .collect();
    assert_eq!(tested, [(3, 2), (6, 2), (8, 2)]);
    let summary = json(&bench.path("many/summary.json"));
    assert_eq!(summary["measured_after"], serde_json::json!([0, 3, 6, 8]));
    assert!(summary["metrics"]["fwt"].is_number());
    bad(
        &bench,
        &format!("learn nic:2000 {SHORT} {METHOD} --out more"),
        &["2000 batches", "are possible"],
    );
}

#[test]
fn the_order_on_the_page_of_formats_is_learned_as_it_stands_there() {
    let bench = Bench::new();
    let page = include_str!("../../docs/FORMATS.md");
    let (_, section) = page
        .split_once("## Orders of one's own")
        .expect("a section");
    let (_, block) = section.split_once("```toml\n").expect("a block");
    let (block, _) = block.split_once("```").expect("it ends");
    std::fs::write(bench.path("order.toml"), block).expect("written");
    let names = ["zero", "one", "two", "three"].map(String::from);
    let speakers = BTreeMap::from([(SpeakerId(1), "jackson".to_string())]);
    for (file, each, salt) in [("train.h5", 10, 1), ("test.h5", 3, 2)] {
        let recordings = recordings(each, salt);
        let mut contents = ShdContents::new(&names, &recordings);
        contents.speaker_names = &speakers;
        write_shd(&bench.path(file), &contents).expect("written");
    }
    good(
        &bench,
        &format!("learn order.toml {SHORT} {METHOD} --out stream"),
    );
    let record = RunFolder::read(&bench.path("stream")).expect("a record");
    let tasks = record.start.tasks.iter();
    let tasks: Vec<(&str, usize)> = tasks.map(|task| (&task.name[..], task.train)).collect();
    // Of 13 takes of two classes by one speaker, and of one class by three, a fifth is tested.
    let [("at home", first), ("task 2", second)] = tasks[..] else {
        panic!("{tasks:?}");
    };
    assert!((20..=22).contains(&first), "{first}");
    assert!((30..=33).contains(&second), "{second}");
}

#[test]
fn an_order_of_ones_own_is_learned_as_it_is_listed() {
    let bench = Bench::new();
    let order = "kind = \"stream\"\n[[task]]\nname = \"first\"\nclasses = [0, 1]\n[[task]]\nclasses = [2]\nat_most = 3\n\
                 [[task]]\nname = \"the rest\"\n";
    std::fs::write(bench.path("order.toml"), order).expect("written");
    good(
        &bench,
        &format!("learn order.toml {SHORT} {METHOD} --out stream"),
    );
    let record = RunFolder::read(&bench.path("stream")).expect("a record");
    let tasks: Vec<(&str, usize)> = record
        .start
        .tasks
        .iter()
        .map(|task| (&task.name[..], task.train))
        .collect();
    assert_eq!(tasks[0].0, "first");
    assert_eq!(tasks[1], ("task 2", 3));
    assert_eq!(tasks[2].0, "the rest");
    let text = order.replace("classes = [2]", "classes = [\"nobody\"]");
    std::fs::write(bench.path("order.toml"), text).expect("written");
    bad(
        &bench,
        &format!("learn order.toml {SHORT} {METHOD} --out none"),
        &["nobody"],
    );
}
