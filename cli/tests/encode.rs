//! `respike data encode`, end to end: the digits that ship, interruptions, threads, labels, bad input.

mod common;
#[path = "../../tests/common/wav.rs"]
mod wav;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::Bench;
use common::program::{bad, good, respike, run, unlocked};
use respike::dataset::{BinningTarget, LabelledEvents, ShdFile, read_dataset};
use respike::encode::{EarPreset, InnerEar, encode_files, find_audio};
use respike::ids::{ClassId, SampleIndex, SpeakerId};
use respike::random::MasterSeed;
use respike::spikes::{InputFormat, TimeGrid};
use wav::{float_wav, tone, wav};

/// A bench with 150 short tones of two speakers in `sounds`.
fn bench() -> Bench {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("sounds")).expect("made");
    for take in 0..25 {
        for (label, frequency_hz) in [("low", 200.0), ("middle", 700.0), ("high", 2500.0)] {
            for (speaker, deeper_hz) in [("ann", 0.0), ("bob", 0.5)] {
                let samples = tone(8000, frequency_hz + f64::from(take) - deeper_hz, 600);
                let name = format!("sounds/{label}_{speaker}_{take}.wav");
                std::fs::write(bench.path(&name), wav(8000, 1, &samples)).expect("written");
            }
        }
    }
    bench
}

fn samples_of(path: &Path) -> Vec<LabelledEvents> {
    let mut samples = Vec::new();
    let file = ShdFile::open(path).expect("an SHD-layout file");
    let read = file.for_each(|_, sample| {
        samples.push(sample);
        Ok(())
    });
    read.expect("readable");
    samples
}

fn manifest(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(name)
}

/// The digits in `data/` are what this encoder makes of the recordings: seven of them ship with the
/// tests, and each is found among the samples of its digit and speaker, to the last event.
#[test]
fn the_digits_that_ship_are_encoded_again_event_by_event() {
    let bench = Bench::new();
    let recordings = manifest("tests/golden/recordings");
    good(
        &bench,
        &format!(
            "data encode {} --channels 70 --out again.h5",
            recordings.display()
        ),
    );
    let mut shipped = samples_of(&manifest("data/fsdd70_train.h5"));
    shipped.extend(samples_of(&manifest("data/fsdd70_test.h5")));
    let again = samples_of(&bench.path("again.h5"));
    // Sorted by name; classes and speakers are numbered among the seven only.
    let expected = [
        (0, 0), // 0_george_0
        (2, 1), // 2_jackson_1
        (4, 2), // 4_lucas_2
        (5, 3), // 5_nicolas_3
        (6, 1), // 6_jackson_20
        (7, 4), // 7_theo_0
        (9, 5), // 9_yweweler_4
    ];
    assert_eq!(again.len(), expected.len());
    for (sample, (digit, speaker)) in again.iter().zip(expected) {
        let of_both = shipped
            .iter()
            .filter(|one| (one.class, one.speaker) == (ClassId(digit), SpeakerId(speaker)));
        let same = of_both.filter(|one| one.events == sample.events).count();
        assert_eq!(same, 1, "digit {digit} of speaker {speaker}");
    }
}

#[test]
fn threads_and_the_way_files_are_given_change_nothing() {
    let bench = bench();
    let encode = "data encode sounds --channels 20 --seed 7";
    let told = good(&bench, &format!("{encode} --threads 1 --out one.h5"));
    assert!(told.contains("0 high, 1 low, 2 middle"), "{told}");
    assert!(told.contains("0 ann, 1 bob"), "{told}");
    good(&bench, &format!("{encode} --threads 4 --out four.h5"));
    let one = std::fs::read(bench.path("one.h5")).expect("written");
    assert!(one == std::fs::read(bench.path("four.h5")).expect("written"));
    assert!(
        !bench.path("one.h5.encoding").exists(),
        "work in progress is removed"
    );

    // A file given by itself is encoded as in its folder.
    good(
        &bench,
        "data encode sounds/low_bob_3.wav --channels 20 --seed 7 --out alone.h5",
    );
    let alone = samples_of(&bench.path("alone.h5"));
    let all = samples_of(&bench.path("one.h5"));
    let found = all.iter().find(|one| one.events == alone[0].events);
    let found = found.expect("the same events");
    assert_eq!((found.class, found.speaker), (ClassId(1), SpeakerId(1)));

    good(
        &bench,
        "data encode sounds --channels 20 --seed 8 --out other.h5",
    );
    good(
        &bench,
        "data encode sounds --channels 20 --seed 7 --preset lauscher --out lauscher.h5",
    );
    // A few of so short tones stay below every threshold, with any seed and any constants.
    for name in ["other.h5", "lauscher.h5"] {
        let other = samples_of(&bench.path(name));
        let differ = all.iter().zip(&other).filter(|(a, b)| a.events != b.events);
        assert!(differ.count() > 100, "{name}");
    }
}

#[test]
fn the_same_sound_has_the_same_spikes_whatever_its_file() {
    let bench = Bench::new();
    let tone = tone(8000, 400.0, 2000);
    let floats: Vec<f32> = tone.iter().map(|&x| f32::from(x) / 32_768.0).collect();
    let stereo: Vec<i16> = tone.iter().flat_map(|&x| [x, x]).collect();
    std::fs::create_dir(bench.path("sounds")).expect("made");
    for (name, bytes) in [
        ("a_ann_0.wav", wav(8000, 1, &tone)),
        ("b_bob_1.wav", wav(8000, 1, &tone)),
        ("c_cleo_2.wav", wav(8000, 2, &stereo)),
        ("d_dora_3.wav", float_wav(8000, &floats)),
        ("e_eve_4.wav", wav(8000, 1, &tone[..1999])),
    ] {
        std::fs::write(bench.path("sounds").join(name), bytes).expect("written");
    }
    let encode = "data encode sounds --channels 40";
    let output = run(&bench, &format!("{encode} --out o.h5"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("3 of 5 recordings have the sound of another, such as sounds/b_bob_1.wav"),
        "{stderr}"
    );
    let samples = samples_of(&bench.path("o.h5"));
    for other in &samples[1..4] {
        assert_eq!(samples[0].events, other.events);
    }
    assert!(samples[0].events.len() > 100 && samples[0].events != samples[4].events);
    bad(
        &bench,
        &format!("{encode} --out train.h5 --force --test-takes 2-2 --test-out t.h5"),
        &["a_ann_0.wav and sounds/c_cleo_2.wav are the same sound"],
    );
    good(
        &bench,
        &format!("{encode} --out train.h5 --force --test-takes 4-4 --test-out t.h5"),
    );
}

#[test]
fn an_interrupted_run_goes_on_where_it_was() {
    let bench = bench();
    good(
        &bench,
        "data encode sounds --channels 20 --seed 7 --out whole.h5",
    );
    let whole = std::fs::read(bench.path("whole.h5")).expect("written");

    // What the library leaves of a whole run, cut in the middle of an entry.
    let ear = InnerEar::new(EarPreset::Shd.settings(20)).expect("a preset");
    let files = find_audio(&[bench.path("sounds")]).expect("there");
    let journal = bench.path("cut.h5.encoding");
    encode_files(&ear, MasterSeed(7), &files, &journal, &|_| {}).expect("encoded");
    let bytes = std::fs::read(&journal).expect("written");
    std::fs::write(&journal, &bytes[..bytes.len() * 2 / 3]).expect("written");
    let output = run(
        &bench,
        "data encode sounds --channels 20 --seed 7 --out cut.h5",
    );
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let note = stderr.lines().find(|line| line.contains("interrupted run"));
    let note = note.unwrap_or_else(|| panic!("{stderr}"));
    let taken: usize = note
        .split_whitespace()
        .find_map(|word| word.parse().ok())
        .expect("a number");
    assert!((60..140).contains(&taken), "{note}");
    assert!(whole == std::fs::read(bench.path("cut.h5")).expect("written"));

    // A recording that has changed meanwhile is encoded anew, and other settings take over nothing.
    encode_files(&ear, MasterSeed(7), &files, &journal, &|_| {}).expect("encoded");
    let changed = wav(8000, 1, &tone(8000, 1000.0, 900));
    std::fs::write(bench.path("sounds/low_ann_0.wav"), changed).expect("written");
    let output = run(
        &bench,
        "data encode sounds --channels 20 --seed 7 --out cut.h5 --force",
    );
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("149 of 150 recordings"), "{stderr}");
    encode_files(&ear, MasterSeed(7), &files, &journal, &|_| {}).expect("encoded");
    let output = run(
        &bench,
        "data encode sounds --channels 21 --seed 7 --out cut.h5 --force",
    );
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && !stderr.contains("interrupted"),
        "{stderr}"
    );
}

#[test]
fn a_killed_run_loses_little_and_leaves_no_half_file() {
    let bench = bench();
    good(&bench, "data encode sounds --channels 300 --out whole.h5");
    let whole = std::fs::read(bench.path("whole.h5")).expect("written");
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("respike"));
    let arguments = "data encode sounds --channels 300 --out killed.h5 --threads 1";
    command
        .current_dir(bench.root())
        .args(arguments.split(' '))
        .env("HDF5_USE_FILE_LOCKING", "FALSE")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().expect("the program runs");
    // The first of three batches is on disk once the journal is longer than its first line.
    let (journal, started) = (bench.path("killed.h5.encoding"), Instant::now());
    let length = || journal.metadata().map_or(0, |metadata| metadata.len());
    while length() < 10_000 && started.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    assert!(
        !bench.path("killed.h5").exists(),
        "killed before it was done"
    );
    let mut again = respike(&bench);
    unlocked(&mut again);
    let output = again.args(arguments.split(' ')).output().expect("runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("interrupted run"), "{stderr}");
    assert!(whole == std::fs::read(bench.path("killed.h5")).expect("written"));
}

#[test]
fn takes_go_where_they_are_sent_and_classes_get_names() {
    let bench = bench();
    good(
        &bench,
        "data encode sounds --channels 20 --test-takes 0-4 --out train_tones.h5 \
         --test-out test_tones.h5 --class-names squeak,hum,tone --times float32",
    );
    let (train, test) = (bench.path("train_tones.h5"), bench.path("test_tones.h5"));
    assert_eq!(
        (samples_of(&train).len(), samples_of(&test).len()),
        (120, 30)
    );
    let file = ShdFile::open(&train).expect("an SHD-layout file");
    assert_eq!(file.class_names(), ["squeak", "hum", "tone"]);
    // And the network learns from them.
    let spec = common::SMALL_SPEC.replace("units = 12\nsteps", "units = 20\nsteps");
    let spec = spec.replace("classes = 4", "classes = 3");
    std::fs::write(bench.path("tones.toml"), spec).expect("written");
    let learnt = good(
        &bench,
        "train --data train_tones.h5 --test test_tones.h5 --model tones.toml --epochs 12 \
         --lr 5e-3 --batch-size 16 --out runs/tones --json",
    );
    let learnt: serde_json::Value = serde_json::from_str(&learnt).expect("JSON");
    let accuracy = learnt.to_string();
    let best = learnt["test_accuracy"]
        .as_f64()
        .or(learnt["best_test_accuracy"].as_f64());
    assert!(best.expect(&accuracy) > 0.9, "{accuracy}");
}

#[test]
fn labels_come_from_a_table_or_from_the_names_of_shd() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("audio/deep")).expect("made");
    let sound = wav(16_000, 2, &tone(16_000, 500.0, 4000));
    for name in [
        "audio/lang-english_speaker-04_trial-1_digit-7.wav",
        "audio/deep/lang-german_speaker-11_trial-2_digit-7.wav",
    ] {
        std::fs::write(bench.path(name), &sound).expect("written");
    }
    // Names as in SHD are understood without a rule.
    let told = good(&bench, "data encode audio --channels 9 --out shd.h5");
    assert!(told.contains("0 english 7, 1 german 7"), "{told}");
    assert!(told.contains("4 04, 11 11"), "{told}");
    // `deep/…` comes first.
    let speakers: Vec<u16> = samples_of(&bench.path("shd.h5"))
        .iter()
        .map(|s| s.speaker.0)
        .collect();
    assert_eq!(speakers, [11, 4]);

    let table = "file,label,speaker\n\
                 lang-english_speaker-04_trial-1_digit-7.wav,seven,ann\n\
                 deep/lang-german_speaker-11_trial-2_digit-7.wav,sieben,bob\n";
    std::fs::write(bench.path("labels.csv"), table).expect("written");
    let told = good(
        &bench,
        "data encode audio --labels labels.csv --channels 9 --out table.h5",
    );
    assert!(told.contains("0 seven, 1 sieben"), "{told}");
    let output = run(
        &bench,
        "data encode audio --labels labels.csv --channels 9 --out table.h5 --force",
    );
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("2 of 2 recordings are of several channels"),
        "{stderr}"
    );
}

#[test]
fn a_row_of_the_table_is_for_one_recording() {
    let bench = Bench::new();
    let (same, table) = (manifest("tests/cases/same"), "tests/cases/same.csv");
    let table = manifest(table);
    let encode = |rest: &str| format!("data encode {} --channels 20 {rest}", same.display());
    bad(
        &bench,
        &encode(&format!("--labels {} --out o.h5", table.display())),
        &["on line 2", "anna/a.wav", "bert/a.wav", "with its folders"],
    );
    let table = "file,label,speaker\nanna/a.wav,zero,anna\na.wav,zero,bert\nb.wav,two,anna\n";
    std::fs::write(bench.path("more.csv"), table).expect("written");
    bad(
        &bench,
        &encode("--labels more.csv --out o.h5"),
        &["on line 4", "anna/b.wav", "bert/b.wav"],
    );
    let table = "file,label,speaker\nanna/a.wav,zero,anna\nanna/b.wav,two,anna\na.wav,zero,bert\n\
                 bert/b.wav,two,bert\nc.wav,two,bert\n";
    std::fs::write(bench.path("more.csv"), table).expect("written");
    let output = run(&bench, &encode("--labels more.csv --out o.h5"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let note = "1 row of the table of labels is for none of the recordings, such as that of c.wav";
    assert!(stderr.contains(note), "{stderr}");
    let samples = samples_of(&bench.path("o.h5"));
    let speakers: Vec<u16> = samples.iter().map(|one| one.speaker.0).collect();
    assert_eq!(speakers, [0, 0, 1, 1]);
}

#[test]
fn recordings_without_a_speaker_join_none() {
    let bench = Bench::new();
    let told = good(
        &bench,
        &format!(
            "data encode {} --labels {} --channels 20 --out o.h5",
            manifest("tests/cases/rec").display(),
            manifest("tests/cases/somespk.csv").display()
        ),
    );
    let speakers = "speakers: 0 jackson, 1 nicolas, 2 theo, 3 where none is named";
    assert!(told.contains(speakers), "{told}");
    let samples = samples_of(&bench.path("o.h5"));
    let numbers: Vec<u16> = samples.iter().map(|one| one.speaker.0).collect();
    assert_eq!(numbers, [3, 0, 3, 1, 3, 2, 3]);
}

/// What the level step hears instead of the sound.
#[test]
fn offsets_clicks_and_channels_that_cancel_are_noted() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("sounds")).expect("made");
    let plain = tone(8000, 400.0, 2000);
    let mut clicked: Vec<i16> = plain.iter().map(|x| x / 50).collect();
    clicked[900] = 32_000;
    let stereo = |turn: f64| -> Vec<i16> {
        let pairs = plain.iter().map(|&x| [x, (f64::from(x) * turn) as i16]);
        pairs.flatten().collect()
    };
    let offset = plain.iter().map(|x| x / 2 + 6000).collect::<Vec<i16>>();
    for (name, bytes) in [
        ("a_ann_0.wav", wav(8000, 1, &plain)),
        ("b_ann_0.wav", wav(8000, 1, &offset)),
        ("c_ann_0.wav", wav(8000, 1, &clicked)),
        ("d_ann_0.wav", wav(8000, 2, &stereo(-0.9))),
    ] {
        std::fs::write(bench.path("sounds").join(name), bytes).expect("written");
    }
    let output = run(&bench, "data encode sounds --channels 20 --out o.h5 --json");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    for (what, name) in [
        ("brought to the level by an offset", "b_ann"),
        ("brought to the level by a click", "c_ann"),
        ("what little their channels leave of one another", "d_ann"),
    ] {
        let note = stderr.lines().find(|line| line.contains(what));
        let note = note.unwrap_or_else(|| panic!("{what}: {stderr}"));
        assert!(
            note.contains("1 of 4 recordings is") && note.contains(name),
            "{note}"
        );
    }
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    for (key, value) in [
        ("recordings", 4),
        ("mostly_offset", 1),
        ("mostly_click", 1),
        ("rest_of_channels", 1),
        ("several_channels", 1),
        ("clipped", 0),
        ("left_out", 0),
        ("same_sound", 0),
    ] {
        assert_eq!(told[key], value, "{key}: {told}");
    }
    assert_eq!(told["files"][0]["samples"], 4, "{told}");
    assert_eq!(told["speaker_names"]["0"], "ann", "{told}");

    std::fs::write(
        bench.path("sounds/e_ann_0.wav"),
        wav(8000, 2, &stereo(-1.0)),
    )
    .expect("written");
    bad(
        &bench,
        "data encode sounds --channels 20 --out other.h5",
        &["e_ann_0.wav", "2 channels cancel one another"],
    );
    // The case that it was found with, beside the same sound without its offset.
    let cases = manifest("tests/cases/audio");
    let (with, without) = (cases.join("D_dc00200"), cases.join("A00_pcm16"));
    for (folder, noted) in [(with, true), (without, false)] {
        let output = run(
            &bench,
            &format!(
                "data encode {} --channels 70 --out d.h5 --force",
                folder.display()
            ),
        );
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(stderr.contains("by an offset"), noted, "{stderr}");
    }
}

/// The membrane's answer to a loud beginning wraps around to the silent end, unless silence is put
/// behind the sound.
#[test]
fn spikes_that_wrapped_around_are_noted_and_padding_keeps_them_out() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("sounds")).expect("made");
    let mut loud = vec![0; 4000];
    loud[..1200].copy_from_slice(&tone(8000, 150.0, 1200));
    let soft = [vec![0; 1600], tone(8000, 150.0, 1200), vec![0; 1600]].concat();
    for (name, samples) in [("a_ann_0.wav", loud), ("b_ann_0.wav", soft)] {
        std::fs::write(bench.path("sounds").join(name), wav(8000, 1, &samples)).expect("written");
    }
    let at_the_end = |file: &str| -> Vec<usize> {
        let samples = samples_of(&bench.path(file));
        let last = |one: &LabelledEvents, end_s: f64| {
            let times = one.events.times_s().iter();
            times.filter(|&&time| time > end_s - 0.05).count()
        };
        vec![last(&samples[0], 0.5), last(&samples[1], 0.55)]
    };
    let encode = "data encode sounds --channels 70";
    let output = run(&bench, &format!("{encode} --out o.h5"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("1 of 2 recordings has spikes in its last 50 ms"),
        "{stderr}"
    );
    assert!(at_the_end("o.h5")[0] > 0);
    assert_eq!(at_the_end("o.h5")[1], 0);

    let output = run(&bench, &format!("{encode} --out padded.h5 --pad-ms 100"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && !stderr.contains("last 50 ms"),
        "{stderr}"
    );
    assert_eq!(at_the_end("padded.h5"), [0, 0]);
    bad(
        &bench,
        &format!("{encode} --out x.h5 --pad-ms 2000"),
        &["padding", "0 to 1 s"],
    );
}

#[test]
fn names_in_any_script_go_into_the_file() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("sounds")).expect("made");
    for (name, hz) in [("ru\u{308}be_zoë_0.wav", 300.0), ("零_安娜_0.wav", 900.0)] {
        let samples = wav(8000, 1, &tone(8000, hz, 900));
        std::fs::write(bench.path("sounds").join(name), samples).expect("written");
    }
    let told = good(&bench, "data encode sounds --channels 20 --out o.h5");
    assert!(told.contains("classes: 0 r\u{fc}be, 1 零"), "{told}");
    assert!(told.contains("speakers: 0 zoë, 1 安娜"), "{told}");
    let file = ShdFile::open(&bench.path("o.h5")).expect("an SHD-layout file");
    assert_eq!(file.class_names(), ["r\u{fc}be", "零"]);
    let names: Vec<&String> = file.speaker_names().values().collect();
    assert_eq!(names, ["zoë", "安娜"]);
}

/// Two folders that are encoded in two runs have one speaker in common, `bert`.
#[test]
fn speakers_of_two_runs_are_told_apart_by_name() {
    let bench = Bench::new();
    for (folder, speakers) in [("tr", ["anna", "bert"]), ("te", ["bert", "cleo"])] {
        // The recordings of the case are of one sound under several names.
        let cases = manifest("tests/cases").join(folder);
        let encode = format!("data encode {} --channels 20", cases.display());
        good(&bench, &format!("{encode} --out case_{folder}.h5"));
        let file = ShdFile::open(&bench.path(&format!("case_{folder}.h5"))).expect("written");
        assert_eq!(file.speaker_names().values().collect::<Vec<_>>(), speakers);

        std::fs::create_dir(bench.path(folder)).expect("made");
        for (index, speaker) in speakers.iter().enumerate() {
            for (label, frequency_hz) in [("low", 200.0), ("high", 2500.0)] {
                let deeper_hz = f64::from(folder.as_bytes()[1]) + index as f64;
                let samples = tone(8000, frequency_hz - deeper_hz, 900);
                let path = bench.path(&format!("{folder}/{label}_{speaker}_0.wav"));
                std::fs::write(path, wav(8000, 1, &samples)).expect("written");
            }
        }
        let encode = format!("data encode {folder} --channels 20 --out {folder}.h5");
        good(&bench, &encode);
    }
    let target = BinningTarget {
        format: InputFormat::plain(TimeGrid::new(30, 0.6).expect("valid"), 20),
        classes: 2,
    };
    let paths = [bench.path("tr.h5"), bench.path("te.h5")];
    let both = read_dataset(&paths, target).expect("they fit together");
    let bert = both.find_speaker("bert").expect("there");
    let of_bert = (0..both.len()).filter(|&index| both.sample(SampleIndex(index)).speaker == bert);
    assert_eq!(of_bert.count(), 4, "two of each folder");
    let names: Vec<&String> = both.speaker_names().values().collect();
    assert_eq!(names, ["anna", "bert", "cleo"]);
}

#[test]
fn bad_recordings_are_named_and_refused_or_left_out() {
    let bench = bench();
    let encode = "data encode sounds --channels 20";
    std::fs::write(bench.path("sounds/low_ann_90.wav"), "not a sound").expect("written");
    bad(
        &bench,
        &format!("{encode} --out o.h5"),
        &["low_ann_90.wav", "not a WAV or FLAC", "--bad-files skip"],
    );
    let whole = wav(8000, 1, &tone(8000, 300.0, 900));
    std::fs::write(bench.path("sounds/low_ann_91.wav"), &whole[..900]).expect("written");
    std::fs::write(bench.path("sounds/low_ann_92.wav"), wav(8000, 1, &[0; 900])).expect("written");
    std::fs::write(bench.path("sounds/low_ann_93.wav"), wav(8000, 1, &[9])).expect("written");
    std::fs::write(bench.path("sounds/unlabelled.flac"), &whole).expect("written");
    let output = run(&bench, &format!("{encode} --out o.h5"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    let skipped = run(&bench, &format!("{encode} --bad-files skip --out o.h5"));
    let notes = String::from_utf8_lossy(&skipped.stderr);
    assert!(skipped.status.success(), "{notes}");
    for words in [
        "cut off",
        "silent",
        "lasts",
        "not a WAV",
        "does not fit {label}",
    ] {
        assert!(stderr.contains(words), "{words}: {stderr}");
        assert!(notes.contains(words), "{words}: {notes}");
    }
    assert!(stderr.contains("5 of 155 recordings"), "{stderr}");
    assert_eq!(samples_of(&bench.path("o.h5")).len(), 150);
}

#[test]
fn bad_input_is_one_sentence() {
    let bench = bench();
    std::fs::create_dir(bench.path("empty")).expect("made");
    std::fs::write(bench.path("there.h5"), "mine").expect("written");
    let encode = |rest: &str| format!("data encode sounds --channels 20 {rest}");
    bad(&bench, "data encode nowhere --out o.h5", &["nowhere"]);
    bad(
        &bench,
        &encode("sounds/low_ann_0.wav --out o.h5"),
        &["low_ann_0.wav", "given twice"],
    );
    let long = "x".repeat(257);
    bad(
        &bench,
        &encode(&format!("--class-names {long},low,middle --out o.h5")),
        &["longer than 256 bytes"],
    );
    assert!(!bench.path("o.h5.encoding").exists(), "nothing is encoded");
    bad(
        &bench,
        "data encode empty --out o.h5",
        &["no WAV or FLAC", "empty"],
    );
    bad(
        &bench,
        "data encode sounds sounds --out o.h5",
        &["given twice", "high_ann_0.wav"],
    );
    bad(&bench, &encode("--out there.h5"), &["there.h5", "--force"]);
    for out in [
        "--out /proc/o.h5".to_string(),
        format!("--out {}.h5", "x".repeat(300)),
        format!("--out {}.h5", "x".repeat(245)),
        "--out o.h5 --test-takes 0-0 --test-out /proc/t.h5".to_string(),
    ] {
        bad(&bench, &encode(&out), &["cannot write"]);
        assert!(!bench.path("o.h5.encoding").exists(), "nothing is encoded");
    }
    bad(
        &bench,
        &encode("--out no/such/o.h5"),
        &["no folder no/such"],
    );
    bad(
        &bench,
        &encode("--out sounds"),
        &["sounds", "no name for a file"],
    );
    bad(
        &bench,
        "data encode sounds --channels 0 --out o.h5",
        &["channels", "from 1 to 65536"],
    );
    bad(
        &bench,
        "data encode sounds --channels 70000 --out o.h5",
        &["channels", "from 1 to 65536"],
    );
    bad(
        &bench,
        &encode("--labels {speaker} --out o.h5"),
        &["{label}"],
    );
    bad(
        &bench,
        &encode("--labels none.csv --out o.h5"),
        &["none.csv"],
    );
    bad(
        &bench,
        &encode("--class-names one,two --out o.h5"),
        &["2 names", "3 labels", "high, low, middle"],
    );
    bad(
        &bench,
        &encode("--class-names low,high,middle --out o.h5"),
        &["the label `high` `low`", "another label"],
    );
    std::fs::create_dir(bench.path("spelled")).expect("made");
    for name in ["f\u{fc}nf_ann_0.wav", "fu\u{308}nf_ann_0.wav"] {
        let copy = bench.path("spelled").join(name);
        std::fs::copy(bench.path("sounds/low_ann_0.wav"), copy).expect("copied");
    }
    bad(
        &bench,
        "data encode spelled --channels 20 --out o.h5",
        &["spelled in two ways", "rename one"],
    );
    bad(
        &bench,
        &encode("--test-takes 100-200 --test-out t.h5 --out o.h5"),
        &["no recording", "100 to 200"],
    );
    bad(
        &bench,
        &encode("--test-takes 0-200 --test-out t.h5 --out o.h5"),
        &["all recordings"],
    );
    bad(
        &bench,
        &encode("--test-takes 0-2 --test-out ./o.h5 --out o.h5"),
        &["same file"],
    );
    std::fs::copy(
        bench.path("sounds/low_ann_0.wav"),
        bench.path("low_ann_0.wav"),
    )
    .expect("copied");
    bad(
        &bench,
        "data encode low_ann_0.wav --out low_ann_0.wav --force",
        &["one of the recordings"],
    );
    bad(
        &bench,
        &encode("--test-takes 0-2 --test-out o.h5.encoding --out o.h5"),
        &["work in progress"],
    );
    std::fs::write(bench.path("precious.h5.encoding"), "mine").expect("written");
    bad(
        &bench,
        &encode("--out precious.h5"),
        &["precious.h5.encoding", "move it away"],
    );
    bad(
        &bench,
        &encode("--class-names a,b,a --out o.h5"),
        &["of its own"],
    );
    bad(
        &bench,
        &encode("--labels {label}_{speaker} --test-takes 0-2 --test-out t.h5 --out o.h5"),
        &["no take"],
    );
}
