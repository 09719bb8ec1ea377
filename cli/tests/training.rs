//! Runs the built program: recipes, validation, augmentation, and starting from a trained network.

mod common;

use common::Bench;
use common::program::{TRAIN, bad, good, json, run};
use respike::dataset::{RecordingSet, read_dataset};
use respike::network::{Network, NetworkSpec};
use respike::random::MasterSeed;
use respike::report::{Description, RunFolder};
use respike::train::{Checkpoint, Select, TrainError, TrainingPlan, TrainingSettings, Validation};

/// A recipe in which something of every kind is said.
const RECIPE: &str = r#"
name = "all of it"
network = "dropping.toml"
seed = 3

[data]
train = ["train.h5"]
test = ["test.h5"]

[training]
epochs = 6
batch_size = 32
learning_rate = 5e-3
schedule = "one-cycle"
optimiser = { kind = "adamw", decay = 0.02 }
objective = { kind = "cross-entropy", smoothing = 0.1 }
regularisers = [{ kind = "rate-bounds", strength = 0.1, least = 0.01, most = 0.3 }]
rate_factors = { w_out = 2.0, layer1 = 0.5, v = 0.5 }
warm_up_epochs = 1
clip_norm = 2.0
augmentations = [
    { kind = "channel-shift", most_channels = 1 },
    { kind = "time-stretch", most = 0.2 },
    { kind = "jitter", time_ms = 5.0, channels = 0.2 },
    { kind = "drop-events", share = 0.1 },
    { kind = "blend", share = 0.3 },
]
validation = 0.2
select = "best-validation"
"#;

/// The same as flags.
const FLAGS: &str = "--data train.h5 --test test.h5 --model dropping.toml --seed 3 --epochs 6 --batch-size 32 --lr 5e-3 \
     --schedule one-cycle --optimiser {kind=\"adamw\",decay=0.02} --objective {kind=\"cross-entropy\",smoothing=0.1} \
     --regulariser {kind=\"rate-bounds\",strength=0.1,least=0.01,most=0.3} --rate-factor w_out=2 \
     --rate-factor layer1=0.5 --rate-factor v=0.5 --warm-up 1 --clip-norm 2 \
     --augment {kind=\"channel-shift\",most_channels=1} --augment {kind=\"time-stretch\",most=0.2} \
     --augment {kind=\"jitter\",time_ms=5.0,channels=0.2} --augment {kind=\"drop-events\",share=0.1} \
     --augment {kind=\"blend\",share=0.3} --validation 0.2 --select best-validation";

fn bench() -> Bench {
    let bench = Bench::new();
    let spec = std::fs::read_to_string(bench.path("small.toml")).expect("it is there");
    let dropping = spec.replace(
        "recurrent = true",
        "recurrent = true\nbias = true\ndropout = 0.2",
    );
    std::fs::write(bench.path("dropping.toml"), dropping).expect("written");
    std::fs::write(bench.path("recipe.toml"), RECIPE).expect("written");
    bench
}

fn bytes(bench: &Bench, file: &str) -> Vec<u8> {
    std::fs::read(bench.path(file)).expect(file)
}

fn epochs(bench: &Bench, folder: &str) -> Vec<String> {
    let text =
        std::fs::read_to_string(bench.path(&format!("{folder}/run.jsonl"))).expect("a record");
    let lines = text
        .lines()
        .filter(|line| line.contains(r#""line":"epoch""#));
    lines.map(String::from).collect()
}

#[test]
fn a_recipe_is_its_flags_whatever_the_threads_and_wherever_it_stopped() {
    let bench = bench();
    good(&bench, "train --recipe recipe.toml --out whole");
    for (arguments, folder) in [
        (format!("train {FLAGS} --threads 1 --out flags"), "flags"),
        (
            "train --recipe recipe.toml --threads 3 --out threads".to_string(),
            "threads",
        ),
    ] {
        good(&bench, &arguments);
        for file in [
            "checkpoint.safetensors",
            "best.safetensors",
            "network.safetensors",
        ] {
            let same = bytes(&bench, &format!("whole/{file}"))
                == bytes(&bench, &format!("{folder}/{file}"));
            assert!(same, "{folder}/{file}");
        }
        assert_eq!(epochs(&bench, "whole"), epochs(&bench, folder));
    }
    // Stopped after any epoch, it goes on to the same bits: the schedule is that of six.
    let flags = FLAGS.replace("--schedule one-cycle", "--schedule one-cycle:6");
    let first = flags.replace("--epochs 6", "--epochs 3");
    good(&bench, &format!("train {first} --out parts"));
    good(
        &bench,
        &format!("train {flags} --threads 1 --out parts --resume"),
    );
    for file in [
        "checkpoint.safetensors",
        "best.safetensors",
        "network.safetensors",
    ] {
        assert!(
            bytes(&bench, &format!("whole/{file}")) == bytes(&bench, &format!("parts/{file}")),
            "{file}"
        );
    }
    assert_eq!(epochs(&bench, "whole"), epochs(&bench, "parts"));
    let (whole, parts) = (
        json(&bench.path("whole/summary.json")),
        json(&bench.path("parts/summary.json")),
    );
    for key in ["picked", "test_accuracy", "confusion"] {
        assert_eq!(whole[key], parts[key], "{key}");
    }
    // Flags go before what the recipe says, and each is one of the run.
    for (change, word) in [
        ("--clip-norm 3", "--lr"),
        ("--rate-factor v=1", "--lr"),
        ("--augment blend", "--augment"),
        ("--validation 0.3", "--validation"),
        ("--validation-speakers 1", "--validation"),
        ("--select last", "--select"),
        ("--patience 2", "--patience"),
        ("--test-every 2", "--test-every"),
    ] {
        let arguments = format!("train --recipe recipe.toml {change} --out whole --resume");
        bad(&bench, &arguments, &[word]);
    }
}

#[test]
fn what_is_picked_is_picked_on_validation_samples_and_tested_once() {
    let bench = bench();
    let options = "--epochs 12 --lr 5e-2 --optimiser adam --batch-size 16 --validation 0.25";
    good(
        &bench,
        &format!("{TRAIN} {options} --select best-validation --out best"),
    );
    let record = RunFolder::read(&bench.path("best")).expect("a record");
    let validated: Vec<f64> = record
        .epochs
        .iter()
        .map(|epoch| epoch.accuracy["validation"])
        .collect();
    assert!(
        record
            .epochs
            .iter()
            .all(|epoch| !epoch.accuracy.contains_key("test"))
    );
    let highest = validated.iter().copied().fold(0.0, f64::max);
    let picked = validated
        .iter()
        .rposition(|&accuracy| accuracy == highest)
        .expect("one is highest");
    assert!(
        picked + 1 < validated.len(),
        "otherwise nothing is tested here: {validated:?}"
    );
    let summary = json(&bench.path("best/summary.json"));
    assert_eq!(summary["picked"]["epoch"], picked + 1);
    assert_eq!(summary["picked"]["by"], "best-validation");
    assert_eq!(summary["picked"]["file"], "best.safetensors");
    assert_eq!(summary["picked"]["validation_accuracy"], highest);
    assert_eq!(summary["picked"]["validation_samples"], 28);
    let eval = |file: &str| {
        let arguments = format!("eval --data test.h5 --checkpoint {file} --json");
        let tested: serde_json::Value =
            serde_json::from_str(&good(&bench, &arguments)).expect("JSON");
        tested["accuracy"].clone()
    };
    assert_eq!(summary["test_accuracy"], eval("best/best.safetensors"));
    // The one to be given away is that, too.
    assert!(bytes(&bench, "best/network.safetensors") == bytes(&bench, "best/best.safetensors"));
    // The same epochs, of which the last is taken, and all tested.
    good(
        &bench,
        &format!("{TRAIN} {options} --test-every 1 --out last"),
    );
    let last = RunFolder::read(&bench.path("last")).expect("a record");
    let of = |epoch: &respike::report::EpochLine| epoch.accuracy["validation"];
    assert_eq!(last.epochs.iter().map(of).collect::<Vec<_>>(), validated);
    let summary = json(&bench.path("last/summary.json"));
    assert_eq!(summary["picked"]["by"], "last");
    assert_eq!(summary["picked"]["epoch"], 12);
    assert_eq!(summary["test_accuracy"], last.epochs[11].accuracy["test"]);
    assert_eq!(summary["test_accuracy"], eval("last/network.safetensors"));
    let size = |file: &str| bytes(&bench, file).len();
    assert!(2 * size("last/network.safetensors") < size("last/checkpoint.safetensors"));
    assert_eq!(
        last.epochs[picked].accuracy["test"],
        eval("best/best.safetensors")
    );
    // What was kept out counts as seen: it was picked by.
    let output = run(
        &bench,
        "eval --data train.h5 --checkpoint best/best.safetensors",
    );
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("120 of the 120 samples"), "{stderr}");
    // Several epochs without a better one end it.
    good(
        &bench,
        &format!("{TRAIN} {options} --patience 2 --out early"),
    );
    let early = RunFolder::read(&bench.path("early")).expect("a record");
    let mut best = (0, f64::NEG_INFINITY);
    let expected = validated.iter().enumerate().position(|(epoch, &accuracy)| {
        if accuracy > best.1 {
            best = (epoch, accuracy);
        }
        epoch - best.0 == 2
    });
    let expected = expected.map_or(12, |epoch| epoch + 1);
    assert!(
        expected < 12,
        "otherwise nothing is tested here: {validated:?}"
    );
    assert_eq!(early.epochs.len(), expected);
    let output = run(
        &bench,
        &format!("{TRAIN} {options} --patience 2 --out early --resume"),
    );
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains(&format!("{expected} epochs already")),
        "{stderr}"
    );
}

#[test]
fn samples_kept_out_are_not_trained_on_nor_tested_with() {
    let bench = bench();
    let spec = NetworkSpec::read(&bench.path("small.toml")).expect("a spec");
    let data = read_dataset(&[bench.path("train.h5")], spec.binning()).expect("data");
    let test = read_dataset(&[bench.path("test.h5")], spec.binning()).expect("data");
    let plan =
        |validation| TrainingPlan::new(1, TrainingSettings::default()).with_validation(validation);
    let speaker = vec!["1".to_string()];
    for (validation, kept_out) in [
        (Validation::Share(0.1), 12),
        (Validation::Share(0.5), 60),
        (Validation::Speakers(speaker), 40),
    ] {
        for seed in 0..4 {
            let plan = plan(validation.clone());
            let split = plan.split(&data, MasterSeed(seed)).expect("both have some");
            let set = |samples: &[respike::ids::SampleIndex]| {
                samples
                    .iter()
                    .map(|&sample| data.sample(sample))
                    .collect::<RecordingSet>()
            };
            let (trained, validation) = (set(&split.train), set(&split.validation));
            assert_eq!((split.validation.len(), split.left_out), (kept_out, 0));
            assert_eq!(split.train.len() + kept_out, data.len());
            assert!(
                split
                    .validation
                    .iter()
                    .all(|&sample| !trained.contains(data.sample(sample)))
            );
            assert!(
                test.iter()
                    .all(|(_, sample)| !trained.contains(sample) && !validation.contains(sample))
            );
            // Every class has its share.
            if let Validation::Share(share) = plan.validation.clone().expect("there is one") {
                for class in data.classes() {
                    let of_class = split
                        .validation
                        .iter()
                        .filter(|&&sample| data.sample(sample).class == class);
                    let expected = 30.0 * share;
                    assert!((of_class.count() as f64 - expected).abs() < 1.0 + 1e-9);
                }
            }
        }
    }
    let everybody = Validation::Speakers(["0", "1", "2"].map(String::from).to_vec());
    let nobody = Validation::Speakers(vec!["nobody".to_string()]);
    for bad in [everybody, nobody, Validation::Share(1e-9)] {
        let split = plan(bad).split(&data, MasterSeed(0));
        assert!(
            matches!(split, Err(TrainError::BadValidation(_))),
            "{split:?}"
        );
    }
    // The program says so.
    let options = "--epochs 1 --out none";
    bad(
        &bench,
        &format!("{TRAIN} {options} --validation-speakers nobody"),
        &["nobody", "0, 1, 2"],
    );
    bad(
        &bench,
        &format!("{TRAIN} {options} --validation-speakers 0,1,2"),
        &["no sample to train on"],
    );
    bad(
        &bench,
        &format!("{TRAIN} {options} --validation 2"),
        &["share"],
    );
    bad(
        &bench,
        &format!("{TRAIN} {options} --select best-validation"),
        &["validation samples"],
    );
    bad(
        &bench,
        &format!("{TRAIN} {options} --patience 3"),
        &["validation samples"],
    );
    bad(
        &bench,
        &format!("{TRAIN} {options} --rate-factor rho_u=1"),
        &["no parameters `rho_u`", "w_out"],
    );
    bad(
        &bench,
        "train --recipe none.toml --out none",
        &["none.toml"],
    );
    bad(
        &bench,
        "train --recipe small.toml --out none",
        &["small.toml is not a recipe"],
    );
    bad(
        &bench,
        "train --data train.h5 --epochs 1 --out none",
        &["--model"],
    );
    bad(
        &bench,
        "train --data train.h5 --model small.toml --out none",
        &["--epochs"],
    );
    bad(
        &bench,
        "train --model small.toml --epochs 1 --out none",
        &["--data"],
    );
}

#[test]
fn a_trained_network_is_where_another_training_begins() {
    let bench = bench();
    let options = "--lr 5e-3 --batch-size 16";
    good(
        &bench,
        &format!("{TRAIN} {options} --epochs 30 --out first"),
    );
    let first =
        Checkpoint::load(&bench.path("first/checkpoint.safetensors")).expect("a checkpoint");
    // Other data and another rate: hardly moved, it is as good as it was before the first epoch.
    good(&bench, "data encode --help");
    let init = "train --init first/checkpoint.safetensors";
    good(
        &bench,
        &format!("{init} --data train.h5 --test test.h5 --epochs 1 --lr 1e-9 --out second"),
    );
    let second =
        Checkpoint::load(&bench.path("second/checkpoint.safetensors")).expect("a checkpoint");
    let moved = first
        .network
        .parameters()
        .iter()
        .zip(second.network.parameters().iter());
    for ((name, before), (_, after)) in moved {
        let largest = (&after - &before).fold(0.0f32, |most, off| most.max(off.abs()));
        assert!(largest < 1e-6, "{name} moved by {largest}");
    }
    let accuracy = |folder: &str| {
        json(&bench.path(&format!("{folder}/summary.json")))["test_accuracy"].clone()
    };
    assert_eq!(accuracy("first"), accuracy("second"));
    let record = RunFolder::read(&bench.path("second")).expect("a record");
    let Description::Train {
        init: Some(note),
        plan,
    } = &record.start.settings
    else {
        panic!("{:?}", record.start.settings);
    };
    assert_eq!(note.file, "first/checkpoint.safetensors");
    assert_eq!(
        note.fingerprint,
        format!("{:016x}", first.network.parameters().fingerprint())
    );
    assert_eq!(plan.select, Select::Last);
    // Its recordings are known: what it was trained on is no test.
    bad(
        &bench,
        &format!("{init} --data test.h5 --test train.h5 --epochs 1 --out third"),
        &["120 of the 120"],
    );
    // Another network does not fit.
    std::fs::write(
        bench.path("wider.toml"),
        std::fs::read_to_string(bench.path("small.toml"))
            .expect("there")
            .replace("units = 16", "units = 17"),
    )
    .expect("written");
    bad(
        &bench,
        &format!("{init} --data test.h5 --model wider.toml --epochs 1 --out third"),
        &["w1", "[12, 17]"],
    );
    bad(
        &bench,
        "train --init small.toml --data test.h5 --epochs 1 --out third",
        &["not a whole respike checkpoint"],
    );
    // Another grid is another meaning of steps.
    std::fs::write(
        bench.path("slower.toml"),
        std::fs::read_to_string(bench.path("small.toml"))
            .expect("there")
            .replace("steps = 30", "steps = 60"),
    )
    .expect("written");
    let output = run(
        &bench,
        &format!("{init} --data test.h5 --model slower.toml --epochs 1 --out fourth"),
    );
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && stderr.contains("a step lasts 10.169 ms and lasted 20.690 ms"),
        "{stderr}"
    );
}

#[test]
fn classes_without_names_are_matched_by_number_and_that_is_said() {
    let bench = bench();
    let few = std::fs::read_to_string(bench.path("small.toml")).expect("there");
    assert!(few.contains("classes = 4"));
    let few = few.replace("classes = 4", "classes = 3");
    std::fs::write(bench.path("few.toml"), few).expect("written");
    for (model, words) in [
        ("small.toml", "none of 4 are new"),
        ("few.toml", "1 of 4 are new"),
    ] {
        let spec = NetworkSpec::read(&bench.path(model)).expect("a spec");
        let network = Network::new(spec, MasterSeed(1));
        let nameless = Checkpoint::new(network, RecordingSet::default());
        nameless
            .save(&bench.path("nameless.safetensors"))
            .expect("written");
        let arguments =
            "train --init nameless.safetensors --data train.h5 --epochs 1 --force --out after";
        let output = run(&bench, arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        for words in [
            "nameless.safetensors does not name its classes",
            "by number",
            words,
        ] {
            assert!(stderr.contains(words), "{words}: {stderr}");
        }
    }
}
