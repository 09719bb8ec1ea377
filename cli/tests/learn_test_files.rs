//! Runs the built program: learning with test samples of one's own.

mod common;

use common::program::{bad, good, json, run};
use common::{Bench, names, recordings};
use respike::dataset::{Dataset, LabelledEvents, ShdContents, read_dataset, write_shd};
use respike::ids::ClassId;
use respike::network::NetworkSpec;
use respike::report::{DataNote, RunFolder, RunRecord, fingerprint};
use respike::train::Checkpoint;

const QUICK: &str = "--data train.h5 --test test.h5 --model small.toml --pretrain-epochs 4 --epochs 2 --lr 5e-3 \
     --pretrain-lr 5e-3 --batch-size 16";

fn write(bench: &Bench, file: &str, names: &[String], recordings: &[LabelledEvents]) {
    write_shd(&bench.path(file), &ShdContents::new(names, recordings)).expect("written");
}

/// Recordings of some speakers.
fn of_speakers(each: usize, salt: u32, speakers: &[u16]) -> Vec<LabelledEvents> {
    let mut all = recordings(each, salt);
    all.retain(|recording| speakers.contains(&recording.speaker.0));
    all
}

fn read(bench: &Bench, file: &str) -> Dataset {
    let spec = NetworkSpec::read(&bench.path("small.toml")).expect("a spec");
    read_dataset(&[bench.path(file)], spec.binning()).expect("it is good")
}

fn record(bench: &Bench, folder: &str) -> RunRecord {
    RunFolder::read(&bench.path(folder)).expect("a record")
}

fn checkpoint(bench: &Bench, folder: &str, name: &str) -> Checkpoint {
    let file = bench.path(&format!("{folder}/{name}.safetensors"));
    Checkpoint::load(&file).expect("a checkpoint")
}

#[test]
fn tests_are_with_the_test_files_alone_and_nothing_of_them_is_learned_or_kept() {
    let bench = Bench::new();
    let (train, test) = (read(&bench, "train.h5"), read(&bench, "test.h5"));
    for (index, (how, left)) in [
        ("sample --held-out 1 --strategy native --replays 999", 4),
        ("class --held-out grey --strategy latent --replay-layer 1 --replays 999", 4),
        ("multi-class --base-classes 2 --strategy native --replays 999", 4),
        ("multi-class --base-classes blue,red --new-classes grey --strategy native --replays 999", 3),
        ("class --held-out 0 --strategy joint", 4),
    ]
    .into_iter()
    .enumerate()
    {
        let out = format!("run{index}");
        good(&bench, &format!("learn {how} {QUICK} --out {out}"));
        let record = record(&bench, &out);
        let sum = |of: fn(&respike::report::TaskNote) -> usize| -> usize {
            record.start.tasks.iter().map(of).sum()
        };
        // Three speakers, ten takes to train on and three to test with.
        assert_eq!(sum(|task| task.train), 30 * left, "{how}");
        assert_eq!(sum(|task| task.test), 9 * left, "{how}");
        let DataNote { files, test_files, samples, .. } = &record.start.data;
        assert_eq!((&files[..], &test_files[..]), (&["train.h5".to_string()][..], &["test.h5".to_string()][..]));
        assert_eq!(*samples, 30 * left);
        let noted = (record.start.data.fingerprint.clone(), record.start.data.test_fingerprint.clone());
        let whole = (fingerprint(&train), Some(fingerprint(&test)));
        assert_eq!(noted == whole, left == 4, "{how}");
        for name in ["pretrained", "learned"] {
            let trained_on = checkpoint(&bench, &out, name).trained_on;
            assert!(test.iter().all(|(_, sample)| !trained_on.contains(sample)), "{how}");
            let known = train.iter().filter(|(_, sample)| trained_on.contains(sample));
            match name {
                "learned" => assert_eq!(known.count(), 30 * left, "{how}"),
                _ => assert_eq!(known.count(), record.start.tasks[0].train, "{how}"),
            }
        }
        // A memory with room for all holds the training samples and nothing else.
        let summary = json(&bench.path(&format!("{out}/summary.json")));
        if how.contains("999") {
            assert_eq!(summary["replay"]["samples"], 30 * left, "{how}");
        }
        // The accuracy at the end is that on the test file, as `eval` measures it.
        let evaluated = good(
            &bench,
            &format!("eval --checkpoint {out}/learned.safetensors --data test.h5 --json"),
        );
        let evaluated: serde_json::Value = serde_json::from_str(&evaluated).expect("JSON");
        assert_eq!(summary["accuracy"]["after"]["all"], evaluated["accuracy"], "{how}");
    }
}

#[test]
fn the_same_command_is_the_same_run_with_the_same_bits_for_any_threads() {
    let bench = Bench::new();
    let learn =
        format!("learn class --held-out 3 --strategy latent --replay-layer 1 --replays 40 {QUICK}");
    good(&bench, &format!("{learn} --threads 1 --out one"));
    good(&bench, &format!("{learn} --threads 3 --out three"));
    for name in ["pretrained", "learned", "memory"] {
        let bytes = ["one", "three"].map(|folder| {
            std::fs::read(bench.path(&format!("{folder}/{name}.safetensors"))).expect("written")
        });
        assert!(bytes[0] == bytes[1], "{name}");
    }
    let again = run(&bench, &format!("{learn} --out one"));
    assert!(String::from_utf8_lossy(&again.stderr).contains("come to its end before"));
    // With other tests it is another run.
    write(&bench, "other.h5", &names(), &recordings(2, 9));
    let other = learn.replace("test.h5", "other.h5");
    bad(&bench, &format!("{other} --out one"), &["one"]);
    let split = learn.replace("--test test.h5", "");
    bad(&bench, &format!("{split} --out one"), &["one"]);
    // What was pre-trained with the same samples may go on here.
    let learn = learn
        .replace("--pretrain-epochs 4", "")
        .replace("--pretrain-lr 5e-3", "");
    let learn = format!("{learn} --checkpoint one/pretrained.safetensors --out");
    good(&bench, &format!("{learn} again"));
    let learned = ["one", "again"].map(|folder| checkpoint(&bench, folder, "learned").network);
    assert!(learned[0] == learned[1]);
    // But not what has seen the tests.
    good(
        &bench,
        "learn class --held-out 3 --strategy naive --data train.h5 test.h5 --model small.toml --pretrain-epochs 1 \
         --epochs 1 --out both",
    );
    bad(
        &bench,
        &format!("{} never", learn.replace("one/", "both/")),
        &["trained on", "tested"],
    );
}

#[test]
fn classes_are_matched_by_their_names() {
    let bench = Bench::new();
    let turned: Vec<String> = names().into_iter().rev().collect();
    let mut same = recordings(3, 2);
    for recording in &mut same {
        recording.class = ClassId(3 - recording.class.0);
    }
    write(&bench, "turned.h5", &turned, &same);
    let learn = format!("learn class --held-out green --strategy naive {QUICK}");
    good(&bench, &format!("{learn} --out straight"));
    let learn = learn.replace("test.h5", "turned.h5");
    good(&bench, &format!("{learn} --out turned"));
    let accuracy =
        |folder: &str| json(&bench.path(&format!("{folder}/summary.json")))["accuracy"].clone();
    assert_eq!(accuracy("straight"), accuracy("turned"));
}

#[test]
fn a_new_speaker_is_in_both_and_others_count_as_old() {
    let bench = Bench::new();
    let learn = format!("learn sample --held-out 1 --strategy naive {QUICK}");
    write(&bench, "others.h5", &names(), &of_speakers(3, 2, &[0, 2]));
    let others = learn.replace("test.h5", "others.h5");
    let words = ["nothing is left to test with", "speaker 1"];
    bad(&bench, &format!("{others} --out never"), &words);
    write(&bench, "only.h5", &names(), &of_speakers(3, 2, &[1]));
    let only = learn.replace("test.h5", "only.h5");
    let words = ["nothing is left to test with", "2 other speakers"];
    bad(&bench, &format!("{only} --out never"), &words);
    write(&bench, "without.h5", &names(), &of_speakers(10, 1, &[0, 2]));
    let without = learn.replace("train.h5", "without.h5");
    let words = ["nothing is left to train on", "speaker 1"];
    bad(&bench, &format!("{without} --out never"), &words);
    // Speaker 2 is tested and never heard.
    write(&bench, "two.h5", &names(), &of_speakers(10, 1, &[0, 1]));
    let two = learn.replace("train.h5", "two.h5");
    let output = run(&bench, &format!("{two} --out two"));
    let notes = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{notes}");
    assert!(
        notes.contains("12 of the 36 samples in the --test files are of speakers who are not in"),
        "{notes}"
    );
    let tasks = record(&bench, "two").start.tasks;
    assert_eq!(
        tasks.iter().map(|task| task.test).collect::<Vec<_>>(),
        [24, 12]
    );
}

#[test]
fn what_proves_nothing_or_does_not_fit_is_refused_in_one_sentence() {
    let bench = Bench::new();
    let learn = format!("learn class --held-out 3 --strategy naive {QUICK} --out never");
    bad(
        &bench,
        &format!("{learn} --protocol published"),
        &["published protocol", "--test"],
    );
    let mut mixed = recordings(3, 2);
    mixed.extend(recordings(10, 1).into_iter().take(5));
    write(&bench, "mixed.h5", &names(), &mixed);
    let words = ["5 of the 41 samples in the --test files are in the --data files too"];
    bad(&bench, &learn.replace("test.h5", "mixed.h5"), &words);
    bad(&bench, &learn.replace("test.h5", "train.h5"), &["train.h5"]);
    bad(
        &bench,
        &learn.replace("test.h5", "nowhere.h5"),
        &["nowhere.h5"],
    );
    let other: Vec<String> = ["red", "green", "blue", "pink"].map(String::from).to_vec();
    write(&bench, "pink.h5", &other, &recordings(3, 2));
    bad(
        &bench,
        &learn.replace("test.h5", "pink.h5"),
        &["pink.h5", "pink"],
    );
    let mut known = recordings(3, 2);
    known.retain(|recording| recording.class != ClassId(3));
    write(&bench, "known.h5", &names(), &known);
    let words = ["nothing is left to test with", "grey"];
    bad(&bench, &learn.replace("test.h5", "known.h5"), &words);
}
