//! `respike plot raster` on files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use respike::dataset::{ShdContents, write_shd};
use respike::ids::SpeakerId;

use super::common::program::{TRAIN, bad, good};
use super::common::svg::Picture;
use super::common::{Bench, names, recordings};

/// A file of the tests.
fn case(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .join("tests")
        .join(name)
}

/// What `plot raster` draws of a sample of a file.
fn drawn(bench: &Bench, file: &Path, arguments: &str) -> Picture {
    let command = format!(
        "plot raster --data {} --out out.svg --force {arguments}",
        file.display()
    );
    good(bench, &command);
    let svg = std::fs::read_to_string(bench.path("out.svg")).expect("drawn");
    let picture = Picture::read(&svg);
    picture.is_sound();
    picture
}

#[test]
fn a_raster_names_file_speaker_classes_and_its_time_bins() {
    let bench = Bench::new();
    let george = BTreeMap::from([(SpeakerId(1), "george\u{1b}[31m".to_string())]);
    let (names, recordings) = (names(), recordings(1, 1));
    let contents = ShdContents {
        speaker_names: &george,
        ..ShdContents::new(&names, &recordings)
    };
    write_shd(&bench.path("named.h5"), &contents).expect("written");
    let picture = drawn(&bench, &bench.path("named.h5"), "--sample 1");
    // Escaped, as it came from a stranger.
    picture.says(&["sample 1 of named.h5, george\\u{1b}[31m: “red”"]);
    picture.tells(&["time bins of 14.1 ms; 70 channels; 40 events"]);
    let picture = drawn(&bench, &bench.path("named.h5"), "--sample 3");
    picture.says(&["sample 3 of named.h5, speaker 0: “green”"]);
}

#[test]
fn classes_in_another_order_are_called_by_their_names() {
    let bench = Bench::new();
    let network = case("formats/train/checkpoint.safetensors");
    for sample in [0, 13, 30] {
        let title = |file: &str| {
            let arguments = format!("--sample {sample} --checkpoint {}", network.display());
            let picture = drawn(&bench, &case(file), &arguments);
            picture.says(&["layer 1", "layer 2"]);
            let words = picture.words().into_iter();
            let title = words
                .filter(|words| words.contains("taken for"))
                .collect::<String>();
            title.split_once(", ").expect("a speaker").1.to_string()
        };
        assert_eq!(title("cases/small.h5"), title("cases/small_renumbered.h5"));
    }
    let arguments = "plot raster --data train.h5 --sample 0 --out other.svg --checkpoint";
    bad(
        &bench,
        &format!("{arguments} {}", network.display()),
        &["red", "zero"],
    );
}

#[test]
fn runs_of_earlier_versions_are_drawn() {
    let bench = Bench::new();
    let runs = ["train", "learn-latent", "learn-native"];
    let runs = runs.map(|name| case("formats").join(name).display().to_string());
    for (kind, runs, said) in [
        (
            "confusion",
            &runs[..],
            "36 training samples, as there were none to test with",
        ),
        ("curves", &runs[..], "6 test samples: 4 old, 2 new"),
        (
            "comparison",
            &runs[1..],
            "4\u{a0}old + 2\u{a0}new test samples",
        ),
    ] {
        let command = format!("plot {kind} {} --out {kind}.svg", runs.join(" "));
        good(&bench, &command);
        let svg = std::fs::read_to_string(bench.path(&format!("{kind}.svg"))).expect("drawn");
        let picture = Picture::read(&svg);
        picture.is_sound();
        picture.tells(&[said]);
    }
}

#[test]
fn curves_show_what_is_asked_for() {
    let bench = Bench::new();
    let train = format!("{TRAIN} --epochs 3 --validation 0.2 --select best-validation --out run");
    good(&bench, &train);
    let drawn = |arguments: &str| {
        good(
            &bench,
            &format!("plot curves run --out out.svg --force {arguments}"),
        );
        let svg = std::fs::read_to_string(bench.path("out.svg")).expect("drawn");
        let picture = Picture::read(&svg);
        picture.is_sound();
        picture
    };
    let all = drawn("");
    all.says(&[
        "accuracy (%)",
        "training loss",
        "firing rate (Hz)",
        "gradient norm",
    ]);
    all.says(&[
        "validation samples",
        "test samples, at the end",
        "picked epoch",
        "layer 3",
    ]);
    all.tells(&["96 training samples, 24 validation samples, 36 test samples; epoch"]);
    let some = drawn("--of loss,activity");
    some.says(&["training loss", "firing rate (Hz)", "layer 3"]);
    let words = some.words();
    assert!(!words.contains(&"accuracy (%)") && !words.contains(&"gradient norm"));
    let old = case("formats/learn-latent").display().to_string();
    bad(
        &bench,
        &format!("plot curves {old} --of accuracy,loss --out never.svg"),
        &["loss", "learn-latent", "continual learning"],
    );
    let old = case("formats/train").display().to_string();
    bad(
        &bench,
        &format!("plot curves {old} --of gradients --out never.svg"),
        &["gradients", "not recorded"],
    );
}

#[test]
fn events_that_are_not_drawn_are_counted_and_hardly_any_is_refused() {
    let bench = Bench::new();
    let file = case("cases/small_ms.h5");
    let command = format!(
        "plot raster --data {} --sample 0 --out ms.svg",
        file.display()
    );
    bad(&bench, &command, &["events lie at or past 1.4 s"]);
}
