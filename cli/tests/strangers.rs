//! Files that others wrote: what can be read is, and the rest is refused in a sentence, whole or damaged.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::program::{bad, good, json, run};
use common::{Bench, names, recordings};
use hdf5::types::{FixedAscii, VarLenArray};
use respike::dataset::{LabelledEvents, ShdContents, ShdFile, write_shd};
use respike::ids::SpeakerId;

fn case(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .join("tests/cases")
        .join(name)
}

fn events_of(path: &Path) -> Vec<LabelledEvents> {
    let file = ShdFile::open(path).expect("a good file");
    file.read(0..file.len()).expect("whole")
}

#[test]
fn damaged_and_foreign_files_are_refused_in_a_sentence_within_seconds() {
    let bench = Bench::new();
    for (name, words) in [
        ("labels_lzf.h5", vec!["`labels`", "lzf", "filter"]),
        ("one_bit_flipped.h5", vec!["damaged", "`spikes/units`"]),
        ("faults/02_fuzz_hang.h5", vec!["damaged"]),
        ("faults/02_fuzz_segv.h5", vec!["damaged"]),
        (
            "faults/02_keys_capacity_overflow_panic.h5",
            vec!["`extra/keys`", "larger than the file"],
        ),
        (
            "faults/05_external_storage.h5",
            vec!["`extra/keys`", "another file"],
        ),
        (
            "faults/06_keys_2e32.h5",
            vec!["`extra/keys`", "larger than the file"],
        ),
        (
            "faults/06_labels_2e40.h5",
            vec!["`labels`", "larger than the file"],
        ),
    ] {
        let path = case(name);
        let clock = Instant::now();
        bad(&bench, &format!("data info {}", path.display()), &words);
        bad(
            &bench,
            &format!(
                "train --data {} --model small.toml --epochs 1 --out x",
                path.display()
            ),
            &words,
        );
        assert!(clock.elapsed() < Duration::from_secs(10), "{name}");
    }
}

#[test]
fn a_cut_or_changed_file_is_an_error_or_read_but_never_a_panic() {
    let whole = std::fs::read(case("faults/twelve_samples.h5")).expect("readable");
    let look = |bytes: Vec<u8>| {
        if let Ok(file) = ShdFile::from_bytes(Path::new("changed.h5"), bytes) {
            let _ = file.read(0..file.len());
        }
    };
    for length in (0..whole.len()).step_by(13) {
        look(whole[..length].to_vec());
    }
    for place in (0..whole.len()).step_by(3) {
        for value in [0, 1, 0x7f, 0xff] {
            let mut bytes = whole.clone();
            bytes[place] = value;
            look(bytes);
        }
    }
}

#[test]
fn names_in_latin_1_are_decoded_and_what_is_learned_can_be_read_again() {
    let bench = Bench::new();
    let path = case("keys_latin1.h5");
    let names = ShdFile::open(&path)
        .expect("readable")
        .class_names()
        .to_vec();
    assert!(names.iter().any(|name| !name.is_ascii()), "{names:?}");
    assert!(
        names.iter().all(|name| !name.contains('\u{fffd}')),
        "{names:?}"
    );
    let (data, model) = (path.display(), case("tiny.toml"));
    let model = model.display();
    good(
        &bench,
        &format!("train --data {data} --model {model} --batch-size 8 --epochs 1 --out run"),
    );
    good(
        &bench,
        &format!("eval --data {data} --checkpoint run/checkpoint.safetensors"),
    );
    good(&bench, "plot curves run --out curves.svg");
}

#[test]
fn what_acts_on_a_terminal_is_shown_escaped() {
    let bench = Bench::new();
    let path = case("faults/10_escape_in_class_name.h5");
    let shown = good(&bench, &format!("data info {}", path.display()));
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    let mut odd = names();
    odd[1] = "gr\u{1b}[31meen\nand more".to_string();
    let written = bench.path("odd.h5");
    write_shd(&written, &ShdContents::new(&odd, &recordings(2, 1))).expect("written");
    let shown = good(&bench, "data info odd.h5");
    assert!(shown.contains("gr\\u{1b}[31meen\\nand more"), "{shown}");
    // The lists of errors too.
    bad(
        &bench,
        "train --data train.h5 odd.h5 --model small.toml --epochs 1 --out x",
        &["\\u{1b}"],
    );
}

#[test]
fn rows_of_equal_length_are_read_and_their_padding_left_out() {
    let path = case("tonic_rectangular.h5");
    let read = events_of(&path);
    assert_eq!(read.len(), 24);
    assert!(read.iter().all(|recording| recording.events.len() == 277));

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("padded.h5");
    // Builders hold the file open until they go.
    {
        let file = hdf5::File::create(&path).expect("made");
        let spikes = file.create_group("spikes").expect("made");
        let times = ndarray::arr2(&[
            [0.1f32, 0.2, 0.0],
            [0.3, f32::NAN, f32::NAN],
            [0.0, 0.0, 0.0],
        ]);
        let units = ndarray::arr2(&[[0i64, 5, 0], [7, 0, 0], [0, 0, 0]]);
        let builder = spikes
            .new_dataset_builder()
            .chunk((2, 2))
            .shuffle()
            .deflate(4);
        builder.with_data(&times).create("times").expect("made");
        let builder = spikes.new_dataset_builder().with_data(&units);
        builder.create("units").expect("made");
        write_lists(&file, &[0, 1, 2]);
    }
    let read = events_of(&path);
    let lengths: Vec<usize> = read
        .iter()
        .map(|recording| recording.events.len())
        .collect();
    assert_eq!(lengths, [2, 1, 0]);
    assert_eq!(read[0].events.units(), [0, 5]);
    assert_eq!(read[1].events.units(), [7]);
}

/// Chunks that were never written take no room in a file, and yet have a size.
#[test]
fn sizes_that_a_small_file_only_states_are_refused_before_they_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("stated.h5");
    let unwritten = |group: &hdf5::Group, name: &str, shape: &[usize]| {
        let chunk: Vec<usize> = shape.iter().map(|&extent| extent.min(4096)).collect();
        let builder = group.new_dataset::<u16>().chunk(chunk).deflate(4);
        builder.shape(shape).create(name).expect("made");
    };
    let refusal = |fill: &dyn Fn(&hdf5::File)| {
        fill(&hdf5::File::create(&path).expect("created"));
        let error = ShdFile::open(&path).expect_err("it claims too much");
        error.to_string()
    };
    let labels = refusal(&|file| {
        write_spikes(file, 3);
        write_lists(file, &[0, 1, 2]);
        file.unlink("labels").expect("there");
        unwritten(file, "labels", &[250_000_000]);
    });
    assert!(labels.contains("`labels`"), "{labels}");
    assert!(
        labels.contains("250000000 entries, larger than the file of"),
        "{labels}"
    );

    let sounds = refusal(&|file| {
        write_spikes(file, 3);
        write_lists(file, &[0, 1, 2]);
        unwritten(file, "extra/sound", &[250_000_000]);
    });
    assert!(sounds.contains("`extra/sound`"), "{sounds}");

    let names = refusal(&|file| {
        write_spikes(file, 3);
        write_lists(file, &[0, 1, 2]);
        let builder = file.new_dataset::<FixedAscii<64>>().chunk(4096).deflate(4);
        let builder = builder.shape(250_000_000);
        builder.create("extra/speaker_names").expect("made");
    });
    assert!(names.contains("a list of 250000000 names"), "{names}");

    let rows = refusal(&|file| {
        write_spikes(file, 3);
        write_lists(file, &[0, 1, 2]);
        file.unlink("spikes/units").expect("there");
        unwritten(file, "spikes/units", &[3, 50_000_000]);
    });
    assert!(rows.contains("`spikes/units`"), "{rows}");
    assert!(rows.contains("far larger than the file"), "{rows}");
}

/// Labels, speakers and keys.
fn write_lists(file: &hdf5::File, labels: &[u16]) {
    file.new_dataset_builder()
        .with_data(labels)
        .create("labels")
        .expect("made");
    let extra = file.create_group("extra").expect("made");
    extra
        .new_dataset_builder()
        .with_data(labels)
        .create("speaker")
        .expect("made");
    let keys =
        ["red", "green", "blue"].map(|name| FixedAscii::<16>::from_ascii(name).expect("short"));
    extra
        .new_dataset_builder()
        .with_data(&keys)
        .create("keys")
        .expect("made");
}

fn write_spikes(file: &hdf5::File, samples: usize) {
    let spikes = file.create_group("spikes").expect("made");
    let times = vec![VarLenArray::from_slice(&[0.1f64, 0.25]); samples];
    let units = vec![VarLenArray::from_slice(&[3u16, 7]); samples];
    spikes
        .new_dataset_builder()
        .with_data(&times)
        .create("times")
        .expect("made");
    spikes
        .new_dataset_builder()
        .with_data(&units)
        .create("units")
        .expect("made");
}

#[test]
fn files_in_the_newest_format_and_in_compressed_chunks_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    for latest in [false, true] {
        let path = folder.path().join(format!("{latest}.h5"));
        let lists = |length: usize| {
            (0..length)
                .map(|event| event as f32 * 1e-2)
                .collect::<Vec<_>>()
        };
        {
            let mut builder = hdf5::FileBuilder::new();
            if latest {
                builder.with_fapl(|list| list.libver_latest());
            }
            let file = builder.create(&path).expect("made");
            let labels: Vec<u16> = (0..300).map(|sample| sample % 3).collect();
            let spikes = file.create_group("spikes").expect("made");
            let times: Vec<VarLenArray<f32>> = (0..300)
                .map(|sample| VarLenArray::from_slice(&lists(sample % 7)))
                .collect();
            let units: Vec<VarLenArray<u8>> = (0..300)
                .map(|sample| VarLenArray::from_slice(&vec![9u8; sample % 7]))
                .collect();
            let builder = spikes.new_dataset_builder().chunk(64).shuffle().deflate(6);
            builder.with_data(&times).create("times").expect("made");
            let builder = spikes.new_dataset_builder().chunk(7);
            builder.with_data(&units).create("units").expect("made");
            let builder = file.new_dataset_builder().chunk(50).shuffle().deflate(9);
            builder.with_data(&labels).create("labels").expect("made");
            let extra = file.create_group("extra").expect("made");
            let builder = extra.new_dataset_builder().with_data(&labels);
            builder.create("speaker").expect("made");
            let keys = ["red", "green", "blue"]
                .map(|name| FixedAscii::<16>::from_ascii(name).expect("short"));
            extra
                .new_dataset_builder()
                .with_data(&keys)
                .create("keys")
                .expect("made");
        }
        let read = events_of(&path);
        for (sample, recording) in read.iter().enumerate() {
            let expected: Vec<f64> = lists(sample % 7).into_iter().map(f64::from).collect();
            assert_eq!(recording.events.times_s(), expected, "sample {sample}");
            assert_eq!(recording.events.units(), vec![9; sample % 7]);
            assert_eq!(usize::from(recording.class.0), sample % 3);
        }
    }
}

#[test]
fn nothing_outside_of_the_file_is_read() {
    let bench = Bench::new();
    let [whole, linked, soft] = ["whole.h5", "linked.h5", "soft.h5"].map(|name| bench.path(name));
    let file = hdf5::File::create(&whole).expect("made");
    write_spikes(&file, 3);
    write_lists(&file, &[0, 1, 2]);
    drop(file);
    assert_eq!(events_of(&whole).len(), 3);

    let file = hdf5::File::create(&linked).expect("made");
    write_lists(&file, &[0, 1, 2]);
    file.link_external("whole.h5", "/spikes", "spikes")
        .expect("made");
    drop(file);
    bad(&bench, "data info linked.h5", &["another file", "whole.h5"]);

    // A soft link stays inside.
    let file = hdf5::File::create(&soft).expect("made");
    write_lists(&file, &[0, 1, 2]);
    file.create_group("kept").expect("made");
    let kept = file.group("kept").expect("made");
    let inner = vec![VarLenArray::from_slice(&[0.1f64]); 3];
    kept.new_dataset_builder()
        .with_data(&inner)
        .create("times")
        .expect("made");
    let inner = vec![VarLenArray::from_slice(&[1u16]); 3];
    kept.new_dataset_builder()
        .with_data(&inner)
        .create("units")
        .expect("made");
    file.link_soft("/kept", "spikes").expect("made");
    drop((kept, file));
    assert_eq!(events_of(&soft).len(), 3);
}

#[test]
fn a_virtual_dataset_is_refused() {
    let bench = Bench::new();
    {
        let file = hdf5::File::create(bench.path("virtual.h5")).expect("made");
        write_spikes(&file, 3);
        file.new_dataset_builder()
            .with_data(&[0u16, 1, 2])
            .create("kept")
            .expect("made");
        let builder = file.new_dataset::<u16>().shape(3);
        let builder = builder.virtual_map(".", "kept", 3, .., 3, ..);
        builder.create("labels").expect("made");
        let extra = file.create_group("extra").expect("made");
        extra
            .new_dataset_builder()
            .with_data(&[0u16, 0, 0])
            .create("speaker")
            .expect("made");
    }
    bad(&bench, "data info virtual.h5", &["`labels`", "virtual"]);
}

#[test]
fn names_that_cannot_stand_for_one_thing_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("named.h5");
    for (place, name, word) in [
        (1, "", "empty"),
        (3, "red", "another"),
        // One text in two spellings.
        (2, "caf\u{65}\u{301}", "another"),
        (0, "a\0b", "character 0"),
        (0, &"é".repeat(129), "longer"),
    ] {
        let mut names = names();
        names[1] = "caf\u{e9}".to_string();
        names[place] = name.to_string();
        let refused = write_shd(&path, &ShdContents::new(&names, &recordings(1, 1)));
        let message = refused.expect_err("a bad name").to_string();
        assert!(message.contains(word), "{message}");
        assert!(!path.exists());
    }
    // Any other text is written and read, in the spelling that all names are compared in.
    let mut odd = names();
    odd[0] = "zw\u{6f}\u{308}lf 零".to_string();
    odd[1] = "é".repeat(128);
    let (speakers, all) = (
        BTreeMap::from([(SpeakerId(2), "Zo\u{eb}".to_string())]),
        recordings(1, 1),
    );
    let contents = ShdContents {
        speaker_names: &speakers,
        ..ShdContents::new(&odd, &all)
    };
    write_shd(&path, &contents).expect("written");
    let file = ShdFile::open(&path).expect("readable");
    assert_eq!(file.class_names()[0], "zw\u{f6}lf 零");
    assert_eq!(file.class_names()[1], odd[1]);
    assert_eq!(*file.speaker_names(), speakers);
}

#[test]
fn what_does_not_fit_the_network_is_said_or_refused() {
    let bench = Bench::new();
    let model = case("tiny.toml");
    let model = model.display();
    let train = |data: &Path| {
        let arguments = format!(
            "train --data {} --model {model} --batch-size 8 --epochs 1 --force --out run",
            data.display()
        );
        let output = run(&bench, &arguments);
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let (code, said) = train(&case("small_silent_tail.h5"));
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("16 of the 36 samples have no event"),
        "{said}"
    );
    let (code, said) = train(&case("small_ms.h5"));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("10 363 of 10 364 events"), "{said}");

    let written = |name: &str, change: &dyn Fn(f64, u16) -> (f64, u16)| {
        let mut all = recordings(2, 1);
        for recording in &mut all {
            let (times, units) = (recording.events.times_s(), recording.events.units());
            let pairs = times
                .iter()
                .zip(units)
                .map(|(&time, &unit)| change(time, unit));
            let (times, units) = pairs.unzip();
            recording.events = respike::spikes::EventStream::new(times, units).expect("valid");
        }
        let path = bench.path(name);
        write_shd(&path, &ShdContents::new(&names(), &all)).expect("written");
        path
    };
    // Times in units of 10 s, and twice as slow.
    let (code, said) = train(&written("long.h5", &|time, unit| (time * 0.1, unit)));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("of the 50"), "{said}");
    let (code, said) = train(&written("short.h5", &|time, unit| (time * 0.4, unit)));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("the rest is silence"), "{said}");
    let (code, said) = train(&written("late.h5", &|time, unit| (time * 4.0, unit)));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("events lie at or past 1.4 s"), "{said}");
    // 12 channels of 70.
    assert!(
        said.contains("the first 12 channels only, but the network has 70"),
        "{said}"
    );
    // One stray event hides nothing.
    let mut all = recordings(40, 1);
    for (index, recording) in all.iter_mut().enumerate() {
        let (times, units) = (recording.events.times_s(), recording.events.units());
        let (mut times, mut units) = (times.to_vec(), units.to_vec());
        times.iter_mut().for_each(|time| *time *= 0.4);
        if index == 7 {
            times.push(1.39);
            units.push(69);
        }
        recording.events = respike::spikes::EventStream::new(times, units).expect("valid");
    }
    write_shd(&bench.path("stray.h5"), &ShdContents::new(&names(), &all)).expect("written");
    let (code, said) = train(&bench.path("stray.h5"));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("the rest is silence"), "{said}");
    assert!(said.contains("the first 12 channels only"), "{said}");
    // A whole good file says none of it.
    let (code, said) = train(&case("small.h5"));
    assert_eq!(code, Some(0), "{said}");
    for word in ["channels", "no event", "the rest is", "lie at"] {
        assert!(!said.contains(word), "{said}");
    }
}

#[test]
fn a_file_given_twice_is_refused_under_any_name() {
    let bench = Bench::new();
    std::fs::copy(bench.path("train.h5"), bench.path("copy.h5")).expect("copied");
    let model = "--model small.toml --epochs 1 --out x";
    for (data, word) in [
        ("--data train.h5 test.h5 ./train.h5", "train.h5"),
        ("--data train.h5 copy.h5", "train.h5"),
        ("--data train.h5 --test copy.h5", "--test"),
        ("--data train.h5 --test train.h5", "--test"),
    ] {
        bad(&bench, &format!("train {data} {model}"), &[word]);
    }
    let [small, shuffled] = ["small.h5", "small_shuffled_events.h5"].map(case);
    let data = format!("--data {} --test {}", small.display(), shuffled.display());
    let model = format!("--model {} --epochs 1 --out x", case("tiny.toml").display());
    bad(
        &bench,
        &format!("train {data} {model}"),
        &["36 of the 36 samples"],
    );
}

#[test]
fn classes_in_another_order_are_matched_by_name_and_other_classes_refused() {
    let bench = Bench::new();
    let model = case("tiny.toml");
    let [small, renumbered] = ["small.h5", "small_renumbered.h5"].map(case);
    let train = format!(
        "train --data {} --model {} --batch-size 8 --epochs 3 --out run",
        small.display(),
        model.display()
    );
    good(&bench, &train);
    let eval = |data: &Path| {
        let checkpoint = "--checkpoint run/checkpoint.safetensors --json";
        let text = good(
            &bench,
            &format!("eval --data {} {checkpoint}", data.display()),
        );
        serde_json::from_str::<serde_json::Value>(&text).expect("JSON")
    };
    let (expected, found) = (eval(&small), eval(&renumbered));
    assert_eq!(expected["confusion"], found["confusion"]);
    // Nor does the order of events hide that all was trained on.
    for data in [&small, &renumbered, &case("small_shuffled_events.h5")] {
        assert_eq!(eval(data)["trained_on"], 36, "{}", data.display());
    }
    bad(
        &bench,
        "eval --data train.h5 --checkpoint run/checkpoint.safetensors",
        &["class"],
    );
}

#[test]
fn checkpoints_of_format_2_know_what_they_were_trained_on() {
    let bench = Bench::new();
    let old = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .join("tests/formats/train/checkpoint.safetensors");
    let (old, small) = (old.display(), case("small.h5"));
    let text = good(
        &bench,
        &format!("eval --data {} --checkpoint {old} --json", small.display()),
    );
    let tested: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(tested["trained_on"], 36);
    let known = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .join("tests/formats/train/summary.json");
    let known = json(&known);
    assert_eq!(tested["samples"], 36);
    assert!(known["train_accuracy"].is_number());
}

#[test]
fn two_runs_of_the_encoder_number_one_speaker_alike_when_merged() {
    let bench = Bench::new();
    for part in ["tr", "te"] {
        let folder = case(part);
        let rule = "--labels {label}_{speaker}_{take} --channels 70";
        let encode = format!("data encode {} {rule} --out {part}.h5", folder.display());
        good(&bench, &encode);
    }
    let model = case("tiny.toml");
    let train = format!(
        "train --data tr.h5 te.h5 --model {} --batch-size 4 --epochs 1 --out run",
        model.display()
    );
    good(&bench, &train);
    let record = std::fs::read_to_string(bench.path("run/run.jsonl")).expect("written");
    let start = record.lines().next().expect("a first line");
    let start: serde_json::Value = serde_json::from_str(start).expect("JSON");
    // Anna, Bert and Cleo: Bert is in both, with another number in each.
    assert_eq!(start["data"]["speakers"], 3);
    let alone = ShdFile::open(&bench.path("te.h5")).expect("good");
    let names: Vec<&String> = alone.speaker_names().values().collect();
    assert_eq!(names, ["bert", "cleo"]);
}

#[test]
fn data_info_tells_names_sounds_and_repeats() {
    let bench = Bench::new();
    let (names, mut all) = (names(), recordings(1, 3));
    all[0].sound = Some(respike::ids::SoundPrint(7));
    all[1].sound = Some(respike::ids::SoundPrint(7));
    all.push(all[5].clone());
    let speakers = BTreeMap::from([(SpeakerId(0), "anna".to_string())]);
    let contents = ShdContents {
        speaker_names: &speakers,
        ..ShdContents::new(&names, &all)
    };
    write_shd(&bench.path("told.h5"), &contents).expect("written");
    let text = good(&bench, "data info told.h5 --json");
    let info: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(info[0]["repeated_samples"], 2);
    assert_eq!(info[0]["known_sounds"], 2);
    assert_eq!(info[0]["speaker_names"]["0"], "anna");
    let text = good(&bench, "data info told.h5");
    assert!(
        text.contains("0 anna: 4") && text.contains("1: 4"),
        "{text}"
    );
}
