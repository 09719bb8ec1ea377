//! Runs the built program with every input that is bad: one clear sentence, exit code 2, nothing left
//! behind.

mod common;

use common::program::{TRAIN, bad, good, run};
use common::{Bench, Parts};

#[test]
fn bad_files_are_named_with_the_reason() {
    let bench = Bench::new();
    std::fs::write(bench.path("text.h5"), "not HDF5 at all").expect("written");
    std::fs::create_dir(bench.path("folder.h5")).expect("made");
    let whole = std::fs::read(bench.path("train.h5")).expect("there");
    std::fs::write(bench.path("cut.h5"), &whole[..whole.len() / 2]).expect("written");
    let write = |name: &str, change: &dyn Fn(&mut Parts)| {
        let mut parts = Parts::good();
        change(&mut parts);
        parts.write(&bench.path(name));
    };
    write("good.h5", &|_| {});
    write("no_times.h5", &|p| p.times = None);
    write("no_labels.h5", &|p| p.labels = None);
    write("no_speaker.h5", &|p| p.speakers = None);
    write("no_keys.h5", &|p| p.keys = None);
    write("uneven.h5", &|p| {
        p.units = Some(vec![vec![0], vec![2], vec![]]);
    });
    write("short.h5", &|p| p.times = Some(vec![vec![0.1, 0.2]]));
    write("unit.h5", &|p| {
        p.units = Some(vec![vec![0, 12], vec![2], vec![]]);
    });
    write("unit_huge.h5", &|p| {
        p.units = Some(vec![vec![0, 70_000], vec![2], vec![]]);
    });
    write("nan.h5", &|p| {
        p.times = Some(vec![vec![0.1, f32::NAN], vec![0.3], vec![]]);
    });
    write("negative.h5", &|p| {
        p.times = Some(vec![vec![0.1, -0.2], vec![0.3], vec![]]);
    });
    write("label.h5", &|p| p.labels = Some(vec![0, 1, 9]));
    write("many.h5", &|p| {
        p.keys = Some(vec!["a", "b", "c", "d", "e", "f"]);
        p.labels = Some(vec![0, 1, 5]);
    });
    write("empty.h5", &|p| {
        (p.times, p.units) = (Some(vec![]), Some(vec![]));
        (p.labels, p.speakers) = (Some(vec![]), Some(vec![]));
    });
    let types = hdf5::File::create(bench.path("types.h5")).expect("made");
    let spikes = types.create_group("spikes").expect("made");
    spikes
        .new_dataset_builder()
        .with_data(&[1i32, 2])
        .create("times")
        .expect("made");
    spikes
        .new_dataset_builder()
        .with_data(&[1i32, 2])
        .create("units")
        .expect("made");
    types
        .new_dataset_builder()
        .with_data(&[0.5f32, 1.0])
        .create("labels")
        .expect("made");
    types.create_group("extra").expect("made");
    drop((spikes, types));

    good(&bench, "data info good.h5");
    for (file, words) in [
        ("nowhere.h5", vec!["nowhere.h5", "No such file"]),
        ("folder.h5", vec!["folder.h5", "folder"]),
        ("text.h5", vec!["text.h5", "not an HDF5 file"]),
        ("cut.h5", vec!["cut.h5"]),
        ("no_times.h5", vec!["no_times.h5", "spikes/times"]),
        ("no_labels.h5", vec!["no_labels.h5", "labels"]),
        ("no_speaker.h5", vec!["no_speaker.h5", "extra/speaker"]),
        ("no_keys.h5", vec!["no_keys.h5", "extra/keys"]),
        ("types.h5", vec!["types.h5", "list of"]),
        (
            "uneven.h5",
            vec!["uneven.h5", "sample 0", "2 event times but 1"],
        ),
        ("short.h5", vec!["short.h5", "spikes/times"]),
        ("unit_huge.h5", vec!["unit_huge.h5", "sample 0", "70000"]),
        ("nan.h5", vec!["nan.h5", "sample 0", "NaN"]),
        ("negative.h5", vec!["negative.h5", "sample 0", "-0.2"]),
        ("label.h5", vec!["label.h5", "sample 2", "9"]),
        ("empty.h5", vec!["empty.h5", "no samples"]),
    ] {
        bad(&bench, &format!("data info {file}"), &words);
        let train = format!("train --data {file} --model small.toml --epochs 1 --out run");
        bad(&bench, &train, &words);
        bad(
            &bench,
            &format!("plot raster --data {file} --sample 0 --out plot.png"),
            &words,
        );
    }
    let train = "--model small.toml --epochs 1 --out run";
    bad(
        &bench,
        &format!("train --data unit.h5 {train}"),
        &["unit.h5", "sample 0", "unit 12", "12 inputs"],
    );
    bad(
        &bench,
        &format!("train --data many.h5 {train}"),
        &["many.h5", "sample 2", "classes"],
    );
    bad(
        &bench,
        &format!("train --data good.h5 many.h5 {train}"),
        &["many.h5", "classes"],
    );
    bad(
        &bench,
        "plot raster --data good.h5 --sample 3 --out plot.png",
        &["good.h5", "3 samples"],
    );
    bad(
        &bench,
        "plot raster --data good.h5 --sample 0 --out plot.pdf",
        &["plot.pdf", ".svg"],
    );
}

#[test]
fn bad_settings_are_named_with_the_reason() {
    let bench = Bench::new();
    let spec = |name: &str, from: &str, to: &str| {
        let text = common::SMALL_SPEC.replace(from, to);
        assert_ne!(text, common::SMALL_SPEC);
        std::fs::write(bench.path(name), text).expect("written");
    };
    spec("typo.toml", "recurrent", "recurent");
    spec("surrogate.toml", "slope = 100.0", "slop = 100.0");
    spec("zero.toml", "steps = 30", "steps = 0");
    spec("huge.toml", "units = 16", "units = 60000");
    spec("words.toml", "threshold = 1.0", "threshold = \"one\"");
    std::fs::write(bench.path("no.toml"), "[[[").expect("written");
    for (file, words) in [
        ("typo.toml", vec!["typo.toml", "recurent"]),
        ("surrogate.toml", vec!["surrogate.toml", "slop"]),
        ("zero.toml", vec!["zero.toml", "steps"]),
        ("huge.toml", vec!["huge.toml", "weights"]),
        ("words.toml", vec!["words.toml", "line"]),
        ("no.toml", vec!["no.toml", "line 1"]),
        ("nowhere.toml", vec!["nowhere.toml", "No such file"]),
    ] {
        let train = format!("train --data train.h5 --model {file} --epochs 1 --out run");
        bad(&bench, &train, &words);
    }
    let nowhere = "--model small.toml --epochs 1 --out /dev/null/run";
    bad(
        &bench,
        &format!("train --data train.h5 {nowhere}"),
        &["/dev/null"],
    );
    bad(
        &bench,
        &format!("learn class --held-out 1 --strategy naive --data train.h5 {nowhere}"),
        &["/dev/null"],
    );
    for (flags, words) in [
        ("--epochs 0", vec!["--epochs"]),
        ("--epochs 1 --lr 0", vec!["learning rate"]),
        ("--epochs 1 --lr nan", vec!["learning rate"]),
        ("--epochs 1 --l1=-1", vec!["l1 of spike-penalty must be"]),
        ("--epochs 1 --batch-size 0", vec!["batch size"]),
        ("--epochs 1 --threads 0", vec!["--threads"]),
        ("--epochs 1 --schedule step:0:0.5", vec!["schedule"]),
        ("--epochs 1 --test train.h5", vec!["--test"]),
    ] {
        let train = format!("train --data train.h5 --model small.toml --out run {flags}");
        bad(&bench, &train, &words);
    }
    let output = run(
        &bench,
        "train --data train.h5 --model small.toml --epochs some --out run",
    );
    assert_eq!(output.status.code(), Some(2));
    for (how, words) in [
        (
            "sample --held-out 7 --strategy naive",
            vec!["no speaker `7`", "0, 1, 2"],
        ),
        (
            "class --held-out 7 --strategy naive",
            vec!["no class `7`", "red (0), green (1), blue (2), grey (3)"],
        ),
        (
            "multi-class --base-classes 4 --strategy naive",
            vec!["4 classes"],
        ),
        (
            "multi-class --base-classes 0 --strategy naive",
            vec!["4 classes"],
        ),
        ("class --held-out 1 --strategy latent", vec!["memory"]),
        (
            "class --held-out 1 --strategy naive --replays 9",
            vec!["no memory", "--replays"],
        ),
        (
            "class --held-out 1 --strategy naive --codec or:2",
            vec!["no memory", "--codec", "leave"],
        ),
        (
            "class --held-out 1 --strategy joint --policy reservoir",
            vec!["no memory", "--policy", "leave"],
        ),
        (
            "class --held-out 1 --strategy latent --replays 64 --protocol published --policy reservoir",
            vec!["rule of its own", "--policy"],
        ),
        (
            "class --held-out 1 --strategy latent --replays 1000000000000",
            vec!["replay memory of 1000000000000 samples", "TB", "memory"],
        ),
        (
            "class --held-out 1 --strategy latent --budget 900TB",
            vec!["replay memory of", "TB"],
        ),
        (
            "class --held-out mauve --strategy naive",
            vec!["mauve", "red", "green", "blue", "grey"],
        ),
        (
            "sample --held-out anna --strategy naive",
            vec!["anna", "0", "1", "2"],
        ),
        (
            "multi-class --base-classes red,mauve --strategy naive",
            vec!["mauve", "red"],
        ),
        (
            "multi-class --base-classes red,blue --new-classes blue,grey --strategy naive",
            vec!["blue", "twice"],
        ),
        (
            "multi-class --new-classes red,green,blue,grey --strategy naive",
            vec!["start from"],
        ),
        (
            "class --held-out 1 --strategy latent --budget 80",
            vec!["80 bytes", "too small"],
        ),
        (
            "class --held-out 1 --strategy latent --replays 0",
            vec!["at least one"],
        ),
        (
            "class --held-out 1 --strategy latent --replay-layer 4 --replays 9",
            vec!["LR index 4", "3"],
        ),
        (
            "class --held-out 1 --strategy native --replay-layer 1 --replays 9",
            vec!["no LR index"],
        ),
        (
            "class --held-out 1 --strategy native --codec or:2 --replays 9",
            vec!["raw"],
        ),
        (
            "class --held-out 1 --strategy naive --protocol published",
            vec!["64"],
        ),
        (
            "class --held-out 1 --strategy naive --epochs 0",
            vec!["epochs"],
        ),
        (
            "class --held-out 1 --strategy naive --lr=-1",
            vec!["learning rate"],
        ),
        (
            "class --held-out 1 --strategy naive --pretrain-lr nan",
            vec!["learning rate"],
        ),
        (
            "class --held-out 1 --strategy naive --batch-size 0",
            vec!["batch size"],
        ),
        (
            "class --held-out 1 --strategy naive --schedule cosine:0",
            vec!["schedule"],
        ),
        (
            "class --held-out 1 --strategy latent --replays 99999999999999999",
            vec!["samples of", "more than"],
        ),
    ] {
        let learn = format!("learn {how} --data train.h5 --model small.toml --out run");
        bad(&bench, &learn, &words);
    }
    // A file that is given twice.
    let twice = "learn class --held-out 1 --strategy naive --data train.h5 train.h5";
    bad(
        &bench,
        &format!("{twice} --model small.toml --out run"),
        &["once more"],
    );
    // The same recordings twice would be on both sides of the split: these are the first of train.h5.
    let first = (common::names(), common::recordings(3, 1));
    let contents = respike::dataset::ShdContents::new(&first.0, &first.1);
    respike::dataset::write_shd(&bench.path("some.h5"), &contents).expect("written");
    let twice = "learn class --held-out 1 --strategy naive --data some.h5 train.h5";
    bad(
        &bench,
        &format!("{twice} --model small.toml --out run"),
        &["same recording"],
    );
}

#[test]
fn checkpoints_that_are_cut_or_unfit_are_refused() {
    let bench = Bench::new();
    good(&bench, &format!("{TRAIN} --epochs 1 --out run"));
    let whole = std::fs::read(bench.path("run/checkpoint.safetensors")).expect("written");
    for keep in [0, 5, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(bench.path("cut.safetensors"), &whole[..keep]).expect("written");
        let eval = "eval --data test.h5 --checkpoint cut.safetensors";
        bad(&bench, eval, &["cut.safetensors", "not a whole"]);
    }
    let eval = "eval --data test.h5 --checkpoint";
    bad(
        &bench,
        &format!("{eval} nowhere.safetensors"),
        &["nowhere.safetensors", "No such file"],
    );
    bad(
        &bench,
        &format!("{eval} test.h5"),
        &["test.h5", "not a whole"],
    );
    // Trained on what is to be new, and on what is to be tested.
    let learn = "learn class --held-out 1 --data train.h5 --model small.toml --strategy naive";
    bad(
        &bench,
        &format!("{learn} --checkpoint run/checkpoint.safetensors --out cl"),
        &["trained on"],
    );
    let other = common::SMALL_SPEC.replace("units = 16", "units = 17");
    std::fs::write(bench.path("other.toml"), other).expect("written");
    let learn = "learn class --held-out 1 --data train.h5 --model other.toml --strategy naive";
    bad(
        &bench,
        &format!("{learn} --checkpoint run/checkpoint.safetensors --out cl"),
        &["--model"],
    );
}

#[test]
fn a_folder_with_a_run_is_only_replaced_by_force() {
    let bench = Bench::new();
    good(&bench, &format!("{TRAIN} --epochs 1 --out run"));
    std::fs::write(bench.path("run/notes.txt"), "mine").expect("written");
    bad(
        &bench,
        &format!("{TRAIN} --epochs 1 --out run"),
        &["run", "--force"],
    );
    let learn = "learn class --held-out 1 --data train.h5 --model small.toml --strategy naive --pretrain-epochs 1 --epochs 1";
    bad(&bench, &format!("{learn} --out run"), &["run", "--force"]);
    good(&bench, &format!("{learn} --out run --force"));
    assert!(bench.path("run/learned.safetensors").exists());
    assert!(
        !bench.path("run/checkpoint.safetensors").exists(),
        "the run of before is gone"
    );
    assert!(
        bench.path("run/notes.txt").exists(),
        "what is not a run's is left alone"
    );
    bad(
        &bench,
        &format!("{TRAIN} --epochs 1 --out train.h5"),
        &["train.h5", "file"],
    );
    bad(
        &bench,
        "plot curves nowhere --out plot.png",
        &["nowhere", "no run"],
    );
    std::fs::write(bench.path("run/run.jsonl"), "{").expect("written");
    bad(
        &bench,
        "plot curves run --out plot.png",
        &["run.jsonl", "line 1"],
    );
}

#[test]
fn a_resumed_run_must_read_the_same_data() {
    let bench = Bench::new();
    let train = "train --model small.toml --out run";
    good(
        &bench,
        &format!("{train} --epochs 1 --data train.h5 --test test.h5"),
    );
    let resume = format!("{train} --epochs 2 --resume");
    bad(&bench, &format!("{resume} --data train.h5"), &["--test"]);
    bad(&bench, &format!("{resume} --data test.h5"), &["--data"]);
    let parts = "--data train.h5 test.h5";
    good(
        &bench,
        &format!("train --model small.toml {parts} --epochs 1 --out both"),
    );
    let turned = "train --model small.toml --data test.h5 train.h5 --epochs 2 --out both --resume";
    bad(&bench, turned, &["--data"]);
}

#[test]
fn networks_and_batches_larger_than_the_machine_are_refused_with_their_size() {
    let bench = Bench::new();
    let spec = |from: &str, to: &str| {
        let changed = common::SMALL_SPEC.replace(from, to);
        assert_ne!(changed, common::SMALL_SPEC, "{from}");
        std::fs::write(bench.path("large.toml"), changed).expect("written");
    };
    let large = TRAIN.replace("small.toml", "large.toml");
    // Cells of a confusion matrix, states of all steps, steps and units beyond any file.
    let models = [
        (
            vec![("classes = 4", "classes = 65535")],
            "confusion matrices of 65535",
        ),
        (
            vec![
                ("steps = 30", "steps = 65536"),
                ("classes = 4", "classes = 40000"),
            ],
            "states of 16 samples",
        ),
        (vec![("steps = 30", "steps = 1099511627776")], "steps"),
        (vec![("units = 16", "units = 1048576")], "units"),
        (vec![("units = 16", "units = 65536")], "weights"),
    ];
    for (changes, word) in models {
        let changed = changes
            .iter()
            .fold(common::SMALL_SPEC.to_string(), |text, (from, to)| {
                text.replacen(from, to, 1)
            });
        std::fs::write(bench.path("large.toml"), changed).expect("written");
        bad(&bench, &format!("{large} --epochs 1 --out run"), &[word]);
        let learn = "learn class --held-out 1 --strategy naive --data train.h5 --model large.toml --out run";
        bad(&bench, learn, &[word]);
    }
    // A network of somebody else's, with data for it.
    let case = |name: &str| {
        let cases =
            std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("tests/cases");
        cases.join(name).display().to_string()
    };
    let (data, model) = (case("small.h5"), case("faults/07_model_65535_classes.toml"));
    for command in [
        "train --epochs 1",
        "learn class --held-out two --strategy naive",
        "bench shd --suite quick",
    ] {
        bad(
            &bench,
            &format!("{command} --data {data} --model {model} --out run"),
            &["confusion matrices of 65535", "GB"],
        );
    }
    spec("units = 16", "units = 0");
    bad(&bench, &format!("{large} --epochs 1 --out run"), &["units"]);
}
