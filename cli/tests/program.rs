//! Runs the built program as a user would: what works.

mod common;

use assert_cmd::Command;
use common::Bench;
use common::program::{LEARN, TRAIN, bad, files_below, good, json, run, unlocked};
use predicates::prelude::*;
use respike::dataset::{ShdContents, write_shd};
use respike::simd::Simd;
use serde_json::Value;

#[test]
fn every_help_has_an_example() {
    let bench = Bench::new();
    for level in [
        "",
        "demo",
        "data",
        "data info",
        "data fetch",
        "data encode",
        "data split",
        "data merge",
        "train",
        "tune",
        "eval",
        "baseline",
        "learn",
        "bench",
        "bench shd",
        "plot",
        "plot raster",
        "plot cochleagram",
        "plot curves",
        "plot confusion",
        "plot comparison",
        "parts",
    ] {
        let text = good(&bench, &format!("{level} --help"));
        assert!(text.contains("Example:"), "{level}");
    }
}

#[test]
fn train_eval_and_plot_work_together() {
    let bench = Bench::new();
    let printed = good(
        &bench,
        &format!("{TRAIN} --epochs 30 --lr 5e-3 --batch-size 16 --out run --json"),
    );
    let summary: Value = serde_json::from_str(&printed).expect("JSON on stdout");
    assert_eq!(summary, json(&bench.path("run/summary.json")));
    let accuracy = summary["test_accuracy"].as_f64().expect("a number");
    assert!(accuracy > 0.7, "chance is 0.25: {accuracy}");

    let printed = good(
        &bench,
        "eval --data test.h5 --checkpoint run/checkpoint.safetensors --json",
    );
    let tested: Value = serde_json::from_str(&printed).expect("JSON on stdout");
    assert_eq!(
        tested["accuracy"].as_f64(),
        Some(accuracy),
        "the same network, the same test"
    );
    assert_eq!(tested["trained_on"], 0);
    let output = run(
        &bench,
        "eval --data train.h5 --checkpoint run/checkpoint.safetensors",
    );
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("120 of the 120 samples"), "{stderr}");

    for plot in [
        "plot raster --data test.h5 --sample 3 --checkpoint run/checkpoint.safetensors",
        "plot raster --data test.h5 --sample 0",
        "plot curves run",
        "plot confusion run",
    ] {
        for file in ["plot.png", "plot.svg"] {
            good(&bench, &format!("{plot} --force --out {file}"));
            assert!(bench.path(file).metadata().expect("drawn").len() > 1000);
        }
    }
}

#[test]
fn a_resumed_run_is_the_run_that_never_stopped() {
    let bench = Bench::new();
    let options = "--optimiser adam --schedule cosine:6 --l1 1e-4 --l2 1e-5 --seed 9";
    good(&bench, &format!("{TRAIN} {options} --epochs 6 --out whole"));
    good(
        &bench,
        &format!("{TRAIN} {options} --epochs 2 --out parts --threads 1"),
    );
    good(
        &bench,
        &format!("{TRAIN} {options} --epochs 6 --out parts --threads 3 --resume"),
    );
    let read = |name: &str| std::fs::read(bench.path(name)).expect("written");
    assert!(read("whole/checkpoint.safetensors") == read("parts/checkpoint.safetensors"));
    let epochs = |name: &str| {
        let text = String::from_utf8(read(name)).expect("UTF-8");
        let lines = text
            .lines()
            .filter(|line| line.contains(r#""line":"epoch""#));
        lines.map(String::from).collect::<Vec<_>>()
    };
    assert_eq!(epochs("whole/run.jsonl"), epochs("parts/run.jsonl"));
    for (change, word) in [
        ("--seed 8", "--seed"),
        ("--seed 9 --lr 0.1", "--lr"),
        ("--seed 9 --batch-size 3", "--lr"),
    ] {
        let options = "--optimiser adam --schedule cosine:6 --l1 1e-4 --l2 1e-5";
        bad(
            &bench,
            &format!("{TRAIN} {options} {change} --epochs 9 --out parts --resume"),
            &[word],
        );
    }
    bad(
        &bench,
        &format!("{TRAIN} {options} --epochs 5 --out parts --resume"),
        &["6 epochs already"],
    );
    // A finished run is finished, and says so.
    let finished = read("parts/summary.json");
    let output = run(
        &bench,
        &format!("{TRAIN} {options} --epochs 6 --out parts --resume"),
    );
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.contains("6 epochs already"), "{stderr}");
    assert!(read("parts/summary.json") == finished);
}

#[test]
fn replay_keeps_what_naive_learning_forgets() {
    let bench = Bench::new();
    let learn = |name: &str, how: &str| {
        good(
            &bench,
            &format!("learn class --held-out 3 {LEARN} {how} --out {name}"),
        );
        json(&bench.path(&format!("{name}/summary.json")))
    };
    let naive = learn("naive", "--strategy naive");
    let pretrained = "--checkpoint naive/pretrained.safetensors";
    let latent = learn(
        "latent",
        &format!(
            "{pretrained} --strategy latent --replay-layer 2 --codec or:2 --budget 2kB --policy class-balanced"
        ),
    );
    let old =
        |summary: &Value, when: &str| summary["accuracy"][when]["old"].as_f64().expect("a number");
    assert_eq!(
        old(&naive, "before"),
        old(&latent, "before"),
        "the same pre-training"
    );
    assert!(old(&naive, "after") < old(&naive, "before") - 0.2);
    assert!(old(&latent, "after") > old(&naive, "after") + 0.2);
    let replay = &latent["replay"];
    let number = |name: &str| replay[name].as_u64().expect("a whole number");
    // 12 units × 15 windows a sample, 16 bits of label, 64 bytes of header.
    assert_eq!(number("payload_bits"), number("samples") * 180);
    assert_eq!(number("raw_input_bits"), number("samples") * 30 * 12);
    assert!(
        number("bytes") <= 2000 && number("bytes") > 1950,
        "{replay}"
    );
    for key in ["pretrain", "learn"] {
        assert!(latent["seconds"][key].is_number());
    }
    assert_eq!(
        (latent["protocol"].as_str(), latent["seed"].as_u64()),
        (Some("strict"), Some(0))
    );
    good(&bench, "plot comparison naive latent --out comparison.png");
    good(&bench, "plot curves naive latent --out curves.svg");
}

#[test]
fn channels_can_be_pooled_and_neurons_be_others() {
    let bench = Bench::new();
    let spec = common::SMALL_SPEC
        .replace(
            "units = 12\nsteps = 30",
            "units = 4\nchannels_per_input = 3\nbins = \"even\"\nlargest_count = 1\nsteps = 30",
        )
        .replace(
            "tau_syn_steps = 5.0\ntau_mem_steps = 10.0\nthreshold",
            "kind = \"lif\"\nreset = \"subtract\"\ntau_mem_steps = 10.0\n\
             learn_tau_mem_steps = { min = 5.0, max = 25.0 }\nthreshold",
        )
        .replace("units = 16\n", "units = 16\nbias = true\n")
        .replace("threshold = 1.0", "threshold = 0.3")
        .replace("slope = 100.0", "slope = 10.0")
        .replace("over_time = \"max\"", "over_time = \"sum-of-softmax\"")
        .replace("weight_scale = 1.0", "weight_scale = 4.0");
    std::fs::write(bench.path("pooled.toml"), spec).expect("written");
    let train = "train --data train.h5 --test test.h5 --model pooled.toml --lr 5e-3";
    good(&bench, &format!("{train} --epochs 40 --out run"));
    let accuracy = json(&bench.path("run/summary.json"))["test_accuracy"].as_f64();
    assert!(accuracy.expect("tested") > 0.6, "{accuracy:?}");
    // Gone on with, looked at, replayed.
    good(&bench, &format!("{train} --epochs 20 --out parts"));
    good(&bench, &format!("{train} --epochs 40 --out parts --resume"));
    let read = |name: &str| std::fs::read(bench.path(name)).expect("written");
    assert!(read("run/checkpoint.safetensors") == read("parts/checkpoint.safetensors"));
    good(
        &bench,
        "plot raster --data test.h5 --sample 0 --checkpoint run/checkpoint.safetensors --out raster.png",
    );
    for index in 0..3 {
        let how =
            format!("--strategy latent --replay-layer {index} --replays 10 --pretrain-epochs 1");
        let data = "--data train.h5 test.h5 --model pooled.toml --epochs 1";
        good(
            &bench,
            &format!("learn class --held-out 0 {how} {data} --out learn{index}"),
        );
    }
    // A file of more channels than that.
    let narrow = std::fs::read_to_string(bench.path("pooled.toml")).expect("there");
    let narrow = narrow.replace("channels_per_input = 3", "channels_per_input = 2");
    std::fs::write(bench.path("narrow.toml"), narrow).expect("written");
    bad(
        &bench,
        "train --data train.h5 --model narrow.toml --epochs 1 --out no",
        &["train.h5", "8"],
    );
    for (from, to, words) in [
        (
            "kind = \"lif\"",
            "kind = \"lief\"",
            "use one of cuba-lif, lif, adlif",
        ),
        ("reset = \"subtract\"", "reset = \"soft\"", "soft"),
        ("max = 25.0", "max = 9.0", "5 to 9"),
        ("bins = \"even\"", "bins = \"odd\"", "odd"),
        ("bias = true", "bais = true", "`bias` is nearly that"),
        (
            "threshold = 0.3",
            "treshold = 0.3",
            "`threshold` is nearly that",
        ),
        ("largest_count = 1", "largest_count = 0", "largest_count"),
        ("bias = true", "delay_steps = [1, 2]", "2 numbers"),
    ] {
        let text = std::fs::read_to_string(bench.path("pooled.toml")).expect("there");
        assert!(text.contains(from), "{from}");
        std::fs::write(bench.path("bad.toml"), text.replace(from, to)).expect("written");
        bad(
            &bench,
            "train --data train.h5 --model bad.toml --epochs 1 --out no",
            &["bad.toml", words],
        );
    }
}

#[test]
fn a_finished_run_that_is_asked_for_again_is_told_again() {
    let bench = Bench::new();
    let quick = "--data train.h5 test.h5 --model small.toml --pretrain-epochs 1 --epochs 1";
    let learn = format!("learn class --held-out 0 {quick} --out run --strategy");
    let first = good(&bench, &format!("{learn} naive"));
    let files = files_below(&bench.path("run"));
    let again = run(&bench, &format!("{learn} naive"));
    assert!(again.status.success());
    assert_eq!(String::from_utf8_lossy(&again.stdout), first);
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(said.contains("nothing is left to do"), "{said}");
    assert_eq!(
        files_below(&bench.path("run")),
        files,
        "nothing was written"
    );
    bad(
        &bench,
        &format!("{learn} joint"),
        &["holds another run", "--force"],
    );
    assert_eq!(files_below(&bench.path("run")), files);
    std::fs::remove_file(bench.path("run/summary.json")).expect("there");
    good(&bench, &format!("{learn} naive"));
    assert_eq!(
        files_below(&bench.path("run")).len(),
        files.len(),
        "as after a kill just before the end"
    );
}

#[test]
fn every_scenario_and_strategy_runs_and_threads_change_nothing() {
    let bench = Bench::new();
    let quick = "--data train.h5 test.h5 --model small.toml --pretrain-epochs 2 --epochs 2";
    for (index, how) in [
        "sample --held-out 1 --strategy joint",
        "sample --held-out 1 --strategy native --replays 20",
        "class --held-out 0 --strategy latent --replay-layer 0 --codec counts:5 --replays 10 --policy reservoir",
        "class --held-out 0 --strategy latent --replay-layer 3 --codec counts:4 --budget 2KiB",
        "multi-class --base-classes 2 --strategy latent --replay-layer 1 --codec raw --replays 30 --policy class-balanced",
        "multi-class --strategy joint --replay-layer 1",
        "multi-class --strategy naive --replay-layer 3",
    ]
    .into_iter()
    .enumerate()
    {
        let (one, many) = (format!("one{index}"), format!("many{index}"));
        good(&bench, &format!("learn {how} {quick} --out {one} --threads 1"));
        good(&bench, &format!("learn {how} {quick} --out {many} --threads 4"));
        for file in ["learned.safetensors", "pretrained.safetensors", "memory.safetensors"] {
            let read = |run: &str| std::fs::read(bench.path(&format!("{run}/{file}"))).ok();
            let has_memory = how.contains("native") || how.contains("latent");
            assert_eq!(read(&one).is_some(), has_memory || file != "memory.safetensors");
            assert!(read(&one) == read(&many), "{how}: {file}");
        }
        let mut summaries = [&one, &many].map(|run| json(&bench.path(&format!("{run}/summary.json"))));
        for summary in &mut summaries {
            summary.as_object_mut().expect("an object").remove("seconds");
        }
        assert_eq!(summaries[0], summaries[1], "{how}");
    }
    let multi = json(&bench.path("one4/summary.json"));
    assert_eq!(
        multi["matrix"].as_array().map(Vec::len),
        Some(3),
        "base and two classes"
    );
    for name in [
        "acc",
        "bwt",
        "forgetting_from_best",
        "forgetting_from_learned",
    ] {
        assert!(multi["metrics"][name].is_number(), "{name}");
    }
}

#[test]
fn instruction_sets_can_be_chosen_and_agree() {
    let bench = Bench::new();
    let portable = format!("{TRAIN} --epochs 3 --simd portable");
    for (threads, out) in [(1, "one"), (3, "three")] {
        good(
            &bench,
            &format!("{portable} --threads {threads} --out {out}"),
        );
    }
    let file = |run: &str| std::fs::read(bench.path(&format!("{run}/checkpoint.safetensors")));
    assert_eq!(
        file("one").expect("written"),
        file("three").expect("written")
    );
    // The same network takes every sample for the same class, whatever the instructions.
    let eval = "eval --data test.h5 --checkpoint one/checkpoint.safetensors --json";
    let widest = good(&bench, eval);
    assert_eq!(good(&bench, &format!("{eval} --simd portable")), widest);
    let output = run(&bench, &format!("{TRAIN} --epochs 3 --out widest"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    for said in [
        "samples a second",
        "backward",
        "reading and binning",
        "threads",
    ] {
        assert!(stderr.contains(said), "`{said}` is not in: {stderr}");
    }
    let loss = |run: &str| {
        let record = std::fs::read_to_string(bench.path(&format!("{run}/run.jsonl")));
        let record = record.expect("written");
        let epochs = record
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let losses = epochs.filter_map(|line| line.pointer("/loss")?.as_f64());
        losses.collect::<Vec<f64>>()
    };
    let (portable, widest) = (loss("one"), loss("widest"));
    assert_eq!(portable.len(), 3, "a loss for each epoch");
    for (portable, widest) in portable.iter().zip(&widest) {
        assert!((portable - widest).abs() < 0.02, "{portable} {widest}");
    }
    let output = run(
        &bench,
        &format!("{TRAIN} --epochs 1 --simd portable --out said"),
    );
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("(portable instructions"), "{stderr}");
    let output = run(
        &bench,
        &format!("{TRAIN} --epochs 1 --simd sse9 --out other"),
    );
    assert_eq!(output.status.code(), Some(2), "there are none of that name");
    let available = Simd::available();
    for missing in [Simd::Avx2, Simd::Avx512] {
        if !available.contains(&missing) {
            let train = format!("{TRAIN} --epochs 1 --simd {missing} --out other");
            bad(&bench, &train, &["this processor has no"]);
        }
    }
    if available.len() > 1 {
        // Products and sums are fused, or not: the choice is not just a word.
        assert_ne!(
            file("one").expect("written"),
            file("widest").expect("written")
        );
        let train = format!("{TRAIN} --epochs 5 --out widest --resume --simd portable");
        bad(&bench, &train, &["--simd"]);
    }
}

#[test]
fn recordings_without_events_are_no_copies_of_each_other() {
    let bench = Bench::new();
    let mut silent = common::recordings(6, 3);
    for recording in silent.iter_mut().step_by(4) {
        recording.events = respike::spikes::EventStream::default();
    }
    let (path, names) = (bench.path("silent.h5"), common::names());
    write_shd(&path, &ShdContents::new(&names, &silent)).expect("written");
    let learn = "learn class --held-out 1 --strategy naive --data silent.h5 --model small.toml \
                 --pretrain-epochs 1 --epochs 1";
    good(&bench, &format!("{learn} --out one"));
    let checkpoint = "--checkpoint one/pretrained.safetensors";
    good(&bench, &format!("{learn} {checkpoint} --out two"));
}

#[test]
fn data_that_is_nearly_all_silent_is_refused() {
    let bench = Bench::new();
    let write = |name: &str, first_silent: usize, events: &[(f64, u16)]| {
        let mut all = common::recordings(6, 3);
        for recording in &mut all[first_silent..] {
            let (times, units) = events.iter().copied().unzip();
            recording.events = respike::spikes::EventStream::new(times, units).expect("valid");
        }
        let names = common::names();
        write_shd(&bench.path(name), &ShdContents::new(&names, &all)).expect("written");
    };
    let train = |name: &str| {
        let network = "--model small.toml --epochs 1";
        format!("train --data {name} {network} --out {name}.run")
    };
    for first_silent in [0, 3] {
        write("silent.h5", first_silent, &[]);
        bad(
            &bench,
            &train("silent.h5"),
            &["have no event at all", "next to nothing"],
        );
    }
    write("late.h5", 20, &[(5.0, 3)]);
    let output = run(&bench, &train("late.h5"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("52 of the 72 samples have no event before"),
        "{said}"
    );
}

#[test]
fn the_published_protocol_refuses_networks_that_know_what_is_new() {
    let bench = Bench::new();
    let (path, names) = (bench.path("large.h5"), common::names());
    let contents = common::recordings(30, 4);
    write_shd(&path, &ShdContents::new(&names, &contents)).expect("written");
    let learn = "learn class --strategy naive --data large.h5 --model small.toml --epochs 1";
    good(
        &bench,
        &format!("{learn} --held-out 3 --pretrain-epochs 1 --out first"),
    );
    let published = "--protocol published --checkpoint first/pretrained.safetensors";
    good(
        &bench,
        &format!("{learn} --held-out 3 {published} --out second"),
    );
    bad(
        &bench,
        &format!("{learn} --held-out 2 {published} --out third"),
        &["trained on"],
    );
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let bench = Bench::new();
    let program = assert_cmd::cargo::cargo_bin!("respike");
    let shell = format!(
        "{} data info train.h5 | head -1 >/dev/null; exit ${{PIPESTATUS[0]}}",
        program.display()
    );
    let mut command = Command::new("bash");
    command.current_dir(bench.root()).args(["-c", &shell]);
    unlocked(&mut command);
    command
        .assert()
        .success()
        .stderr(predicate::str::contains("panicked").not());
}

#[test]
fn a_run_of_another_build_is_not_gone_on_with() {
    let bench = Bench::new();
    good(&bench, &format!("{TRAIN} --epochs 1 --out run"));
    let record = bench.path("run/run.jsonl");
    let text = std::fs::read_to_string(&record).expect("written");
    let other = text.replacen(respike::BUILD, "00000000deadbeef", 1);
    assert_ne!(text, other, "the record names its build");
    std::fs::write(&record, other).expect("writable");
    let more = format!("{TRAIN} --epochs 2 --out run");
    bad(
        &bench,
        &format!("{more} --resume"),
        &["00000000deadbeef", respike::BUILD, "--force"],
    );
    good(&bench, &format!("{more} --force"));
    // Records of format 1 do not say.
    let text = std::fs::read_to_string(&record).expect("written");
    let silent = text.replacen(&format!("\"build\":\"{}\",", respike::BUILD), "", 1);
    assert_ne!(text, silent);
    std::fs::write(&record, silent).expect("writable");
    let output = run(&bench, &format!("{TRAIN} --epochs 3 --out run --resume"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.contains("does not say which build"), "{stderr}");
}
