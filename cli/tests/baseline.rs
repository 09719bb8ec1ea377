//! `respike baseline`, end to end.

mod common;

use common::program::{bad, good, json, run};
use common::{Bench, names, recordings};
use respike::dataset::{LabelledEvents, ShdContents, write_shd};
use respike::ids::{ClassId, SpeakerId};
use respike::spikes::EventStream;
use serde_json::Value;

const WITH_TEST: &str = "baseline --data train.h5 --test test.h5 --json";

fn summary(bench: &Bench, arguments: &str) -> Value {
    let text = good(bench, arguments);
    serde_json::from_str(&text).expect("JSON")
}

/// All that is the same whenever it is computed.
fn without_seconds(mut summary: Value) -> Value {
    for baseline in summary["baselines"].as_array_mut().expect("a list") {
        baseline
            .as_object_mut()
            .expect("an object")
            .remove("seconds");
    }
    summary
}

fn baseline<'a>(summary: &'a Value, rule: &str, features: &str) -> &'a Value {
    let all = summary["baselines"].as_array().expect("a list").iter();
    let mut found = all.filter(|one| {
        one["rule"] == rule && one["features"].as_str().expect("text").contains(features)
    });
    let one = found.next().expect("it is there");
    assert!(found.next().is_none());
    one
}

fn write(bench: &Bench, name: &str, recordings: &[LabelledEvents]) {
    let names = names();
    write_shd(&bench.path(name), &ShdContents::new(&names, recordings)).expect("written");
}

#[test]
fn the_table_has_every_rule_and_what_it_keeps() {
    let bench = Bench::new();
    let found = summary(&bench, &format!("{WITH_TEST} --model small.toml"));
    assert_eq!(found["baselines"].as_array().map(Vec::len), Some(6));
    assert_eq!(
        (&found["train_samples"], &found["test_samples"]),
        (&120.into(), &36.into())
    );
    // 12 channels are 12 groups; the network has 16 + 12 + 8 neurons.
    for (features, count) in [
        ("10 windows", 120),
        ("first to last", 48),
        ("untrained small", 144),
    ] {
        let linear = baseline(&found, "linear", features);
        assert_eq!(linear["feature_count"], count);
        let kept = 4 + 4 * count + count * (count + 1) / 2;
        assert_eq!(
            (&linear["numbers"], &linear["bytes"]),
            (&kept.into(), &(8 * kept).into())
        );
        assert_eq!(linear["validation"]["samples"], 24);
        let nearest = baseline(&found, "nearest-mean", features);
        assert_eq!(nearest["numbers"], 4 + 4 * count);
        assert_eq!(nearest["shrinkage"], Value::Null);
        for one in [linear, nearest] {
            let classes = one["accuracy_of_classes"].as_array().expect("a list");
            let sum = |key: &str| {
                classes
                    .iter()
                    .filter_map(|class| class[key].as_u64())
                    .sum::<u64>()
            };
            assert_eq!(
                (Some(sum("correct")), sum("samples")),
                (one["correct"].as_u64(), 36)
            );
            let matrix = one["confusion"].as_array().expect("rows");
            let right = matrix
                .iter()
                .enumerate()
                .filter_map(|(row, cells)| cells[row].as_u64());
            assert_eq!(Some(right.sum()), one["correct"].as_u64());
        }
    }
    // A class is a group of channels.
    assert!(baseline(&found, "linear", "10 windows")["accuracy"].as_f64() > Some(0.95));
    let table = good(&bench, "baseline --data train.h5 --test test.h5");
    for word in [
        "nearest mean",
        "shrunk by",
        "numbers kept",
        "fitted to 120 samples, tested with 36",
    ] {
        assert!(table.contains(word), "{table}");
    }
}

/// What the repository's digits give: a network has to be better than that.
#[test]
fn the_digits_that_ship() {
    let bench = Bench::new();
    let digits = |part: &str| {
        let path = format!("{}/../data/fsdd70_{part}.h5", env!("CARGO_MANIFEST_DIR"));
        std::fs::copy(path, bench.path(&format!("digits_{part}.h5"))).expect("it ships");
    };
    digits("train");
    digits("test");
    let command = "baseline --data digits_train.h5 --test digits_test.h5 --json";
    let found = summary(&bench, command);
    for (rule, features, least, most) in [
        ("linear", "50 groups × 10 windows", 0.67, 0.73),
        ("linear", "50 groups × 4 windows", 0.73, 0.79),
        ("nearest-mean", "50 groups × 10 windows", 0.3, 0.4),
        ("nearest-mean", "50 groups × 4 windows", 0.45, 0.55),
    ] {
        let accuracy = baseline(&found, rule, features)["accuracy"].as_f64();
        let accuracy = accuracy.expect("a number");
        assert!(
            (least..most).contains(&accuracy),
            "{rule}, {features}: {accuracy}"
        );
    }
}

/// The test samples are those of `learn`, and those that `data split` puts aside: nothing but the rest is fitted to.
#[test]
fn a_split_is_that_of_the_strict_protocol() {
    let bench = Bench::new();
    for seed in [0, 7] {
        good(
            &bench,
            &format!(
                "data split train.h5 test.h5 --share 0.2 --seed {seed} --out part{seed}.h5 --out-rest rest{seed}.h5"
            ),
        );
        let split =
            format!("baseline --data train.h5 test.h5 --model small.toml --seed {seed} --json");
        let files = format!(
            "baseline --data rest{seed}.h5 --test part{seed}.h5 --model small.toml --seed {seed} --json"
        );
        let [split, files] =
            [split, files].map(|command| without_seconds(summary(&bench, &command)));
        assert_eq!(split["baselines"], files["baselines"]);
        // A fifth of each class's 39, but for what is not whole.
        assert_eq!(split["test_samples"], 4 * 7);
    }
    let learn = "learn class --held-out grey --strategy naive --data train.h5 test.h5 --model small.toml \
                 --pretrain-epochs 1 --epochs 1 --seed 7 --out learned";
    good(&bench, learn);
    let tested = &json(&bench.path("learned/summary.json"))["test_samples"];
    assert_eq!(tested["all"], 28);
}

#[test]
fn old_and_new_make_up_all() {
    let bench = Bench::new();
    let all = without_seconds(summary(&bench, WITH_TEST));
    for (held_out, new, share) in [
        ("--held-out-class grey", "the class grey", 0.25),
        ("--held-out-speaker 1", "speaker 1", 1.0 / 3.0),
        ("--base-classes 3", "the classes grey", 0.25),
    ] {
        let found = summary(&bench, &format!("{WITH_TEST} {held_out}"));
        assert_eq!(found["new"], new);
        let pairs = all["baselines"].as_array().expect("a list").iter();
        for (plain, parted) in pairs.zip(found["baselines"].as_array().expect("a list")) {
            assert_eq!(plain["accuracy"], parted["accuracy"]);
            let number = |key: &str| parted[key].as_f64().expect("a number");
            let sum = number("old_accuracy") * (1.0 - share) + number("new_accuracy") * share;
            assert!((sum - number("accuracy")).abs() < 1e-9);
        }
    }
    // Classes that are named in another order, and one that is left out.
    let found = summary(
        &bench,
        &format!("{WITH_TEST} --base-classes blue,red --new-classes grey"),
    );
    assert_eq!(
        found["class_names"],
        serde_json::json!(["blue", "red", "grey"])
    );
    assert_eq!(
        (&found["train_samples"], &found["test_samples"]),
        (&90.into(), &27.into())
    );
}

#[test]
fn threads_change_nothing_and_the_seed_all_that_is_drawn() {
    let bench = Bench::new();
    let command = "baseline --data train.h5 test.h5 --model small.toml --json";
    let of = |flags: &str| without_seconds(summary(&bench, &format!("{command} {flags}")));
    let one = of("--threads 1");
    assert_eq!(one, of("--threads 3"));
    assert_ne!(one["baselines"], of("--seed 1")["baselines"]);
}

#[test]
fn a_file_is_written_whole_and_not_over_another() {
    let bench = Bench::new();
    let printed = summary(&bench, &format!("{WITH_TEST} --out runs/base"));
    let file = bench.path("runs/base/baseline.json");
    assert_eq!(json(&file), printed);
    bad(
        &bench,
        &format!("{WITH_TEST} --out runs/base"),
        &["baseline.json is there already", "--force"],
    );
    good(
        &bench,
        &format!("{WITH_TEST} --out runs/base --force --seed 3"),
    );
    assert_eq!(json(&file)["seed"], 3);
    bad(
        &bench,
        &format!("{WITH_TEST} --out train.h5"),
        &["train.h5 is a file"],
    );
    bad(
        &bench,
        &format!("{WITH_TEST} --out train.h5/below"),
        &["train.h5 is a file"],
    );
}

#[test]
fn odd_data_is_refused_in_a_sentence() {
    let bench = Bench::new();
    let all = recordings(3, 1);
    let of_class = |class: u16| {
        let some = all.iter().filter(|one| one.class == ClassId(class));
        some.cloned().collect::<Vec<_>>()
    };
    write(&bench, "one-class.h5", &of_class(1));
    write(&bench, "one.h5", &all[..1]);
    write(&bench, "four.h5", &all[..4]);
    let silent = |one: &LabelledEvents| LabelledEvents {
        events: EventStream::default(),
        ..one.clone()
    };
    write(
        &bench,
        "silent.h5",
        &all.iter().map(silent).collect::<Vec<_>>(),
    );
    bad(
        &bench,
        "baseline --data one-class.h5",
        &["the class green", "nothing to tell apart"],
    );
    bad(&bench, "baseline --data one.h5", &["nothing to tell apart"]);
    bad(
        &bench,
        "baseline --data four.h5",
        &["4 samples are too few to be split", "--test"],
    );
    bad(
        &bench,
        "baseline --data silent.h5",
        &["no sample has an event before 1.4 s"],
    );
    for (flags, words) in [
        ("--held-out-class mauve", &["mauve", "red (0)"][..]),
        ("--held-out-speaker 9", &["speaker `9`"]),
        ("--base-classes 4", &["leaves nothing to start from"]),
        ("--new-classes mauve", &["mauve"]),
        (
            "--groups 13 --model small.toml",
            &["1 to 12 groups, not 13"],
        ),
        ("--groups 0", &["groups, not 0"]),
        ("--windows 0", &["at least one window"]),
        ("--stretched-windows 0", &["at least one window"]),
        ("--end nan", &["--end"]),
        ("--windows 4000000000000", &["would need", "of memory"]),
    ] {
        bad(&bench, &format!("{WITH_TEST} {flags}"), words);
    }
    bad(
        &bench,
        "baseline --data train.h5 --test train.h5",
        &["120 of the 120", "prove nothing"],
    );
    let conflict = run(&bench, &format!("{WITH_TEST} --end 2 --model small.toml"));
    assert_eq!(conflict.status.code(), Some(2));
}

/// Some silence among sounds counts as what it is, and few samples are enough where nothing is picked.
#[test]
fn silence_and_few_samples_are_told() {
    let bench = Bench::new();
    let mut all = recordings(10, 1);
    for one in all.iter_mut().step_by(10) {
        one.events = EventStream::default();
    }
    write(&bench, "some-silent.h5", &all);
    let output = run(
        &bench,
        "baseline --data some-silent.h5 --test test.h5 --json",
    );
    assert!(output.status.success());
    let notes = String::from_utf8_lossy(&output.stderr);
    assert!(
        notes.contains("12 of the 120 samples have no event"),
        "{notes}"
    );
    // Of another ear: the same spikes in ten times as many channels.
    let mut wide = recordings(1, 2);
    for one in &mut wide {
        let units = one.events.units().iter().map(|unit| unit * 10);
        let (times, units) = (one.events.times_s().to_vec(), units.collect());
        one.events = EventStream::new(times, units).expect("valid");
    }
    write(&bench, "wide.h5", &wide);
    for (test, is_told) in [("wide.h5", true), ("test.h5", false)] {
        let arguments = format!("baseline --data some-silent.h5 --test {test} --json");
        let output = run(&bench, &arguments);
        let notes = String::from_utf8_lossy(&output.stderr);
        let told = notes.contains("of 70 channels, and those to test with like some of 700");
        assert_eq!(told, is_told, "{notes}");
    }
    let few: Vec<LabelledEvents> = recordings(1, 1)
        .into_iter()
        .filter(|one| one.speaker == SpeakerId(0))
        .collect();
    write(&bench, "few.h5", &few);
    let output = run(&bench, "baseline --data few.h5 --test test.h5 --json");
    let notes = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{notes}");
    assert!(notes.contains("nothing was picked"), "{notes}");
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        baseline(&found, "linear", "first to last")["validation"],
        Value::Null
    );
}

#[test]
fn a_silent_network_is_drawn_with_wider_weights_or_said_to_say_nothing() {
    let bench = Bench::new();
    let model = std::fs::read_to_string(bench.path("small.toml")).expect("there");
    // Wider weights wake the latter; nothing can wake the former.
    for (file, scale) in [("never.toml", "1e-30"), ("quiet.toml", "0.015625")] {
        let text = model.replace("weight_scale = 1.0", &format!("weight_scale = {scale}"));
        assert_ne!(text, model);
        std::fs::write(bench.path(file), text).expect("written");
    }
    let rows = |model: &str| {
        let command = format!("baseline --data train.h5 --test test.h5 --model {model}");
        let printed = good(&bench, &command);
        let said: Value = serde_json::from_str(&good(&bench, &format!("{command} --json")))
            .expect("JSON on stdout");
        let all = said["baselines"].as_array().expect("a list").clone();
        let of_spikes = all
            .into_iter()
            .filter(|one| one["nonzero"].is_number())
            .collect::<Vec<Value>>();
        assert_eq!(of_spikes.len(), 2);
        (printed, of_spikes)
    };
    let told = "no spikes: it says nothing";
    let (printed, as_said) = rows("small.toml");
    assert!(
        !printed.contains(told) && !printed.contains("weights ×"),
        "{printed}"
    );
    assert!(as_said.iter().all(|one| one["weights_wider"].is_null()));
    let (printed, never) = rows("never.toml");
    assert_eq!(printed.matches(told).count(), 2, "{printed}");
    assert_eq!(never[0]["nonzero"], 0.0);
    let (printed, woken) = rows("quiet.toml");
    assert!(!printed.contains(told), "{printed}");
    let wider = woken[0]["weights_wider"].as_u64().expect("it was silent");
    assert!(
        printed.contains(&format!("weights × {wider}: spikes")),
        "{printed}"
    );
    assert!(woken[0]["nonzero"].as_f64() >= Some(0.1));
}
