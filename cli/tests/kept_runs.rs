//! What is refused leaves a run that is there as it was, and nothing new.

mod common;

use common::Bench;
use common::program::{TRAIN, bad, files_below, good, run};
use common::suite::BENCH;

const SHORT: &str = "--data train.h5 test.h5 --model small.toml --pretrain-epochs 1 --epochs 1";
const NAIVE: &str = "learn class --held-out 3 --strategy naive --replay-layer 1";

#[test]
fn what_can_not_be_trained_is_refused_before_a_run_is_replaced() {
    let bench = Bench::new();
    let class = format!("learn class --held-out 3 {SHORT}");
    good(&bench, &format!("{NAIVE} {SHORT} --out run"));
    let generator = "--method generator-separate --replay-layer 1";
    for (method, words) in [
        (
            "--strategy naive --rate-factor w9=0.1",
            &["no parameters `w9`"][..],
        ),
        (
            "--method naive --set training.rate_factors={w9=1}",
            &["no parameters `w9`"],
        ),
        (
            &format!("{generator} --set replay.samples=100000000000"),
            &["drawn samples of 4 classes", "memory"],
        ),
    ] {
        for out in ["--out run --force", "--out fresh"] {
            bad(&bench, &format!("{class} {method} {out}"), words);
        }
    }
    let train = format!("{TRAIN} --epochs 1 --rate-factor w9=0.1");
    bad(
        &bench,
        &format!("{train} --out run --force"),
        &["no parameters `w9`"],
    );
}

#[test]
fn a_run_is_not_replaced_by_one_that_begins_with_it() {
    let bench = Bench::new();
    good(&bench, &format!("{NAIVE} {SHORT} --out run"));
    good(&bench, &format!("{TRAIN} --epochs 1 --out trained"));
    let here = bench.path("run").display().to_string();
    for (command, flag) in [
        (
            format!("{NAIVE} {SHORT} --continue run/learner.safetensors --out run"),
            "--continue",
        ),
        (
            format!("{NAIVE} {SHORT} --checkpoint ./run/pretrained.safetensors --out {here}"),
            "--checkpoint",
        ),
        (
            format!("{TRAIN} --epochs 1 --init trained/network.safetensors --out trained"),
            "--init",
        ),
    ] {
        bad(
            &bench,
            &format!("{command} --force"),
            &[flag, "--force would replace", "another --out"],
        );
    }
    // What lies beside a run's own files is not replaced.
    let mine = bench.path("run/mine.safetensors");
    std::fs::copy(bench.path("run/pretrained.safetensors"), mine).expect("copied");
    let command = format!("{NAIVE} {SHORT} --checkpoint run/mine.safetensors --out run --force");
    good(&bench, &command);
}

#[test]
fn a_suite_is_not_put_into_the_folder_of_a_run_or_a_file() {
    let bench = common::suite::prepared();
    good(&bench, &format!("{TRAIN} --epochs 1 --out out"));
    for flags in ["", " --force", " --resume"] {
        bad(
            &bench,
            &format!("{BENCH}{flags}"),
            &["holds a run", "no suite", "another --out"],
        );
    }
    std::fs::write(bench.path("file"), "").expect("written");
    let bench_into = |out: &str| BENCH.replace("--out out", &format!("--out {out}"));
    for out in ["file", "file/below"] {
        bad(&bench, &bench_into(out), &["it is a file, not a folder"]);
    }
}

#[test]
fn where_nothing_can_be_made_nothing_is_computed() {
    let bench = Bench::new();
    good(&bench, &format!("{TRAIN} --epochs 1 --out run"));
    let concepts =
        "concepts --model run/network.safetensors --data train.h5 --test test.h5 --replay-layer 1";
    // Not even root makes a folder there.
    for out in ["/proc/c", "/proc/sub/c"] {
        let output = run(&bench, &format!("{concepts} --out {out}"));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(
            stderr.contains(&format!("cannot write {out}: ")),
            "{stderr}"
        );
        assert!(!stderr.contains("learn by every way"), "{stderr}");
    }
    let before = files_below(bench.root()).len();
    good(&bench, &format!("{concepts} --classes 2 --seeds 1 --out c"));
    assert_eq!(files_below(bench.root()).len(), before + 5);
}
