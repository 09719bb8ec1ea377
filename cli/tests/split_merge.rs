//! `respike data split` and `respike data merge`, end to end.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::program::{bad, good, run};
use common::{Bench, names, recordings};
use respike::dataset::{LabelledEvents, ShdContents, ShdFile, SoundPrint, TimesType, write_shd};
use respike::ids::{ClassId, SpeakerId};
use respike::spikes::EventStream;

/// A recording as it can be compared and put in order: what was said by whom, the sound, all bits of its events.
type Seen = (String, String, u64, Vec<(u64, u16)>);

fn seen(path: &Path) -> Vec<Seen> {
    let file = ShdFile::open(path).expect("a good file");
    let whole = file.read(0..file.len()).expect("good events");
    let whole = whole.into_iter().map(|one| {
        let events = one.events.times_s().iter().zip(one.events.units());
        (
            file.class_names()[one.class.index()].clone(),
            file.speaker_name(one.speaker),
            one.sound.map_or(0, |sound| sound.0),
            events.map(|(time, unit)| (time.to_bits(), *unit)).collect(),
        )
    });
    whole.collect()
}

fn sorted(mut all: Vec<Seen>) -> Vec<Seen> {
    all.sort();
    all
}

fn times_of(path: &Path) -> String {
    ShdFile::open(path).expect("a good file").number_types().0.0
}

fn speakers() -> BTreeMap<SpeakerId, String> {
    let names = ["anna", "bert", "čeněk, jr."].into_iter().enumerate();
    names
        .map(|(number, name)| (SpeakerId(number as u16), name.to_string()))
        .collect()
}

/// Times that float32 can't hold, sounds for all but the first recording, and one without any event.
fn prepared(times: TimesType) -> Bench {
    let bench = Bench::new();
    let mut all = recordings(5, 3);
    for (number, one) in all.iter_mut().enumerate() {
        let times = one.events.times_s().iter().map(|time| time + 1e-11);
        let events = EventStream::new(times.collect(), one.events.units().to_vec());
        one.events = events.expect("valid");
        one.sound = (number > 0).then_some(SoundPrint(1000 + number as u64));
    }
    all[7].events = EventStream::default();
    let (classes, speakers) = (names(), speakers());
    let contents = ShdContents {
        times,
        speaker_names: &speakers,
        ..ShdContents::new(&classes, &all)
    };
    write_shd(&bench.path("all.h5"), &contents).expect("written");
    bench
}

#[test]
fn parts_share_nothing_and_together_are_all() {
    for times in [TimesType::Float16, TimesType::Float32, TimesType::Float64] {
        let bench = prepared(times);
        let all = seen(&bench.path("all.h5"));
        for (number, rule) in [
            "--speakers anna,2",
            "--classes grey,red",
            "--takes 1-2",
            "--takes 4",
            "--share 0.3 --seed 5",
        ]
        .into_iter()
        .enumerate()
        {
            let (out, rest) = (format!("out{number}.h5"), format!("rest{number}.h5"));
            good(
                &bench,
                &format!("data split all.h5 {rule} --out {out} --out-rest {rest}"),
            );
            let (chosen, left) = (seen(&bench.path(&out)), seen(&bench.path(&rest)));
            let is_chosen = |place: usize, one: &Seen| match rule {
                "--speakers anna,2" => one.1 != "bert",
                "--classes grey,red" => one.0 == "grey" || one.0 == "red",
                "--takes 1-2" => [1, 2].contains(&(place / 12)),
                "--takes 4" => place / 12 == 4,
                _ => chosen.contains(one),
            };
            let numbered = all.iter().enumerate();
            let (expected, others): (Vec<_>, Vec<_>) =
                numbered.partition(|(place, one)| is_chosen(*place, one));
            let plain = |part: Vec<(usize, &Seen)>| -> Vec<Seen> {
                part.into_iter().map(|(_, one)| one.clone()).collect()
            };
            // In the order that they had, too.
            assert_eq!(chosen, plain(expected), "{rule}");
            assert_eq!(left, plain(others), "{rule}");
            // All names stay, and so do the numbers.
            for part in [&out, &rest] {
                let file = ShdFile::open(&bench.path(part)).expect("a good file");
                assert_eq!(file.class_names(), names());
                assert_eq!(file.speaker_names(), &speakers());
            }
            assert_eq!(times_of(&bench.path(&out)), times_of(&bench.path("all.h5")));
            // And what was split can be put together again.
            let merged = format!("merged{number}.h5");
            good(&bench, &format!("data merge {out} {rest} --out {merged}"));
            let merged = bench.path(&merged);
            assert_eq!(sorted(seen(&merged)), sorted(all.clone()), "{rule}");
            assert_eq!(times_of(&merged), times_of(&bench.path("all.h5")));
        }
        let shares = seen(&bench.path("out4.h5"));
        for class in names() {
            // 15 of each class, and 0.3 of them are 4 or 5.
            let of_class = shares.iter().filter(|one| one.0 == class).count();
            assert!((4..=5).contains(&of_class), "{class}: {of_class}");
        }
    }
}

#[test]
fn a_file_that_is_merged_alone_is_the_same_to_the_byte() {
    let bench = prepared(TimesType::Float32);
    good(&bench, "data merge all.h5 --out again.h5");
    let bytes = |name: &str| std::fs::read(bench.path(name)).expect("readable");
    assert!(bytes("again.h5") == bytes("all.h5"));
}

/// The same names with other numbers, other types of times, and somebody that nobody knows.
#[test]
fn names_meet_and_the_widest_type_is_taken() {
    let bench = prepared(TimesType::Float16);
    let classes = ["grey", "blue", "green", "red"].map(String::from);
    let speakers = BTreeMap::from([
        (SpeakerId(0), "čeněk, jr.".to_string()),
        (SpeakerId(1), "dora".to_string()),
        (SpeakerId(2), String::new()),
    ]);
    let others: Vec<LabelledEvents> = recordings(2, 9);
    let contents = ShdContents {
        times: TimesType::Float64,
        speaker_names: &speakers,
        ..ShdContents::new(&classes, &others)
    };
    write_shd(&bench.path("others.h5"), &contents).expect("written");
    good(&bench, "data merge all.h5 others.h5 --out merged.h5");
    let merged = seen(&bench.path("merged.h5"));
    let nameless = |one: &Seen| one.1.starts_with("speaker ");
    let found = |name: &str| merged.iter().filter(|one| one.1 == name).count();
    assert_eq!(
        (found("anna"), found("čeněk, jr."), found("dora")),
        (20, 28, 8)
    );
    assert_eq!(merged.iter().filter(|one| nameless(one)).count(), 8);
    let named = |all: Vec<Seen>| sorted(all.into_iter().filter(|one| !nameless(one)).collect());
    let both = [seen(&bench.path("all.h5")), seen(&bench.path("others.h5"))].concat();
    assert_eq!(named(merged), named(both));
    assert_eq!(times_of(&bench.path("merged.h5")), "float64");
    // Nobody known stays so, even where the name of nobody is in the part.
    let unknown = ShdFile::open(&bench.path("merged.h5")).expect("a good file");
    assert!(unknown.lists_speakers());
    let number = unknown
        .speakers()
        .iter()
        .find(|&&one| !unknown.speaker_names().contains_key(&one));
    let number = number.expect("somebody unknown").0;
    good(
        &bench,
        &format!("data split merged.h5 --speakers {number} --out unknown.h5"),
    );
    assert_eq!(seen(&bench.path("unknown.h5")).len(), 8);
    assert!(
        ShdFile::open(&bench.path("unknown.h5"))
            .expect("good")
            .lists_speakers()
    );
    // Numbers without any name stay numbers.
    good(&bench, "data split train.h5 --speakers 2 --out two.h5");
    assert!(
        !ShdFile::open(&bench.path("two.h5"))
            .expect("good")
            .lists_speakers()
    );
    let output = run(&bench, "data merge others.h5 all.h5 --out noted.h5");
    let notes = String::from_utf8_lossy(&output.stderr);
    assert!(
        notes.contains("1 speaker has no name where others have one"),
        "{notes}"
    );
}

#[test]
fn what_is_there_twice_is_told() {
    let bench = prepared(TimesType::Float16);
    let mut all = recordings(2, 3);
    all.push(all[0].clone());
    let classes = names();
    write_shd(&bench.path("twice.h5"), &ShdContents::new(&classes, &all)).expect("written");
    let output = run(
        &bench,
        "data split twice.h5 --takes 2 --out a.h5 --out-rest b.h5",
    );
    let notes = String::from_utf8_lossy(&output.stderr);
    for words in [
        "1 of the 25 samples are recordings that come before them",
        "1 of the 1 recordings in --out are in --out-rest too",
    ] {
        assert!(notes.contains(words), "{notes}");
    }
    bad(
        &bench,
        "data merge all.h5 all.h5 --out x.h5",
        &["give each file once"],
    );
    good(&bench, "data split all.h5 --takes 0 --out first.h5");
    bad(
        &bench,
        "data merge all.h5 first.h5 --out x.h5",
        &["first.h5", "once more"],
    );
}

#[test]
fn what_cannot_be_is_refused_in_a_sentence() {
    let bench = prepared(TimesType::Float16);
    let one = &recordings(1, 1)[..1];
    let classes = names();
    write_shd(&bench.path("one.h5"), &ShdContents::new(&classes, one)).expect("written");
    std::fs::create_dir(bench.path("folder")).expect("writable");
    let to = "--out x.h5 --out-rest y.h5";
    for (arguments, words) in [
        (
            format!("split all.h5 --speakers dora {to}"),
            &["dora", "anna (0)"][..],
        ),
        (
            format!("split all.h5 --classes mauve {to}"),
            &["mauve", "red (0)"],
        ),
        (
            format!("split all.h5 --speakers , {to}"),
            &["no recording is chosen"],
        ),
        (
            format!("split all.h5 --takes 5-9 {to}"),
            &["no recording is chosen"],
        ),
        (
            format!("split all.h5 --takes 0-4 {to}"),
            &["all recordings are chosen"],
        ),
        (
            format!("split one.h5 --share 0.5 {to}"),
            &["no recording is chosen"],
        ),
        (
            format!("split one.h5 --speakers 0 {to}"),
            &["all recordings are chosen"],
        ),
        (
            format!("split all.h5 --share 0 {to}"),
            &["--share", "not 0"],
        ),
        (
            format!("split all.h5 --share 1 {to}"),
            &["--share", "not 1"],
        ),
        (format!("split all.h5 --share nan {to}"), &["--share"]),
        (
            "split all.h5 --share 0.2 --out all.h5 --force".into(),
            &["read from"],
        ),
        (
            "split all.h5 --share 0.2 --out x.h5 --out-rest ./all.h5 --force".into(),
            &["read from"],
        ),
        (
            "split all.h5 --share 0.2 --out x.h5 --out-rest ./x.h5".into(),
            &["two outputs"],
        ),
        (
            "split all.h5 --share 0.2 --out train.h5".into(),
            &["there already", "--force"],
        ),
        (
            "split all.h5 --share 0.2 --out folder".into(),
            &["no name for a file"],
        ),
        (
            "split all.h5 --share 0.2 --out none/x.h5".into(),
            &["no folder none"],
        ),
        (
            "split nothere.h5 --share 0.2 --out x.h5".into(),
            &["nothere.h5"],
        ),
        (
            "split small.toml --share 0.2 --out x.h5".into(),
            &["small.toml"],
        ),
        (
            "merge all.h5 test.h5 --out test.h5 --force".into(),
            &["read from"],
        ),
        ("merge all.h5 --out train.h5".into(), &["there already"]),
    ] {
        bad(&bench, &format!("data {arguments}"), words);
    }
    // One rule, and no more.
    for rules in ["", "--takes 0 --share 0.2"] {
        let output = run(&bench, &format!("data split all.h5 {rules} --out x.h5"));
        assert_eq!(output.status.code(), Some(2));
    }
    assert!(!bench.path("x.h5").exists());
}

/// One that was stopped between its two files goes on, and nothing of another kind is taken for its own.
#[test]
fn a_split_that_was_stopped_goes_on() {
    let bench = prepared(TimesType::Float16);
    let split = "data split all.h5 --share 0.2 --out a.h5 --out-rest b.h5";
    good(&bench, split);
    let b = std::fs::read(bench.path("b.h5")).expect("written");
    std::fs::remove_file(bench.path("b.h5")).expect("it was there");
    good(&bench, split);
    assert!(std::fs::read(bench.path("b.h5")).expect("written") == b);
    bad(&bench, split, &["a.h5 is there already"]);
    std::fs::remove_file(bench.path("a.h5")).expect("it was there");
    bad(
        &bench,
        &format!("{split} --seed 3"),
        &["b.h5 is there already"],
    );
    good(&bench, &format!("{split} --seed 3 --force"));
    assert!(std::fs::read(bench.path("b.h5")).expect("written") != b);
}

/// A class that nobody is asked for any more still has its name, so that training sees the same classes.
#[test]
fn parts_train_as_whole_files_do() {
    let bench = prepared(TimesType::Float16);
    good(&bench, "data split all.h5 --classes red,blue --out two.h5");
    good(
        &bench,
        "train --data two.h5 --model small.toml --epochs 1 --out run",
    );
    let classes = ShdFile::open(&bench.path("two.h5")).expect("good");
    assert!(
        classes
            .classes()
            .iter()
            .all(|class| [ClassId(0), ClassId(2)].contains(class))
    );
}

#[test]
fn what_files_share_can_be_taken_and_merged() {
    let bench = Bench::new();
    let all = names();
    // The second file lacks the first class and has one more, so that numbers differ, too.
    let mut others = all[1..].to_vec();
    others.push("pink".to_string());
    let contents = recordings(2, 9);
    write_shd(
        &bench.path("others.h5"),
        &ShdContents::new(&others, &contents),
    )
    .expect("written");
    let shared = all[1..].join(",");
    bad(
        &bench,
        "data merge train.h5 others.h5 --out both.h5",
        &[
            "only files with the same classes",
            &format!("data split FILE --classes {shared} --own-classes"),
        ],
    );
    for file in ["train", "others"] {
        good(
            &bench,
            &format!(
                "data split {file}.h5 --classes {shared} --own-classes --out {file}-shared.h5"
            ),
        );
    }
    let of_class = |file: &str| {
        let seen = seen(&bench.path(file)).into_iter();
        sorted(seen.filter(|one| all[1..].contains(&one.0)).collect())
    };
    for file in ["train", "others"] {
        let part = format!("{file}-shared.h5");
        let names = ShdFile::open(&bench.path(&part)).expect("a file");
        assert_eq!(names.class_names(), &all[1..], "{file}");
        let whole = of_class(&format!("{file}.h5"));
        assert!(!whole.is_empty());
        assert_eq!(sorted(seen(&bench.path(&part))), whole, "{file}");
    }
    good(
        &bench,
        "data merge train-shared.h5 others-shared.h5 --out both.h5",
    );
    let both = [of_class("train.h5"), of_class("others.h5")].concat();
    assert_eq!(
        seen(&bench.path("both.h5")).len(),
        both.len(),
        "all of both"
    );
    // Files that share nothing are told no way.
    let none: Vec<String> = ["a", "b", "c", "d"].map(String::from).to_vec();
    write_shd(&bench.path("none.h5"), &ShdContents::new(&none, &contents)).expect("written");
    let output = run(&bench, "data merge train.h5 none.h5 --out never.h5");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("data split"));
}
