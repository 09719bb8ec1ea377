//! What `learn` refuses before the first epoch, and in which words.

mod common;

use common::Bench;
use common::program::bad;

const LEARN: &str = "--data train.h5 test.h5 --model small.toml --out out";

#[test]
fn compositions_that_mean_nothing_are_refused() {
    let bench = Bench::new();
    let class = format!("learn class --held-out 1 {LEARN}");
    for (method, words) in [
        // An objective by its name alone is one, as a head is.
        (
            "--method slda --set training.objective=er-ace",
            &[
                "`er-ace` would change nothing",
                "slda",
                "head that is trained",
            ][..],
        ),
        (
            "--method latent --set head=slda --budget 4kB",
            &["`memory` would change nothing", "slda", "leave it out"],
        ),
        (
            "--method joint --set training.objective=der-plus-plus",
            &["der-plus-plus", "`everything` keeps none", "memory"],
        ),
        (
            "--strategy naive --rate-below 0.1",
            &["rate_below = 0.1 would change nothing", "--replay-layer"],
        ),
        (
            "--method naive --set mixing.new_per_batch=4 --set mixing.replayed_per_batch=8",
            &[
                "replayed_per_batch would change nothing",
                "no replay source",
            ],
        ),
        // By either way to say it.
        (
            "--method native --budget 4kB --replay-layer 1",
            &["native keeps raw inputs", "--method latent"],
        ),
        (
            "--strategy native --budget 4kB --replay-layer 1",
            &["native keeps raw inputs", "--method latent"],
        ),
        // Before pre-training.
        (
            "--method ridge --set head=ridge:4000000000 --replay-layer 1",
            &["ridge", "memory"],
        ),
    ] {
        bad(&bench, &format!("{class} {method}"), words);
    }
}

#[test]
fn what_is_set_is_told_by_its_key_and_in_plain_words() {
    let bench = Bench::new();
    let class = format!("learn class --held-out 1 {LEARN}");
    for (method, words) in [
        (
            "--method naive --set training.objective=5",
            &["training.objective", "5"][..],
        ),
        (
            "--method naive --set lr_index=few",
            &["lr_index", "a whole number, 0 or more"],
        ),
        (
            "--method ridge --set head=ridge:0",
            &["ridge:0", "a whole number above 0"],
        ),
        (
            "--method naive --set training.objective=er-acr",
            &["training.objective", "er-ace"],
        ),
    ] {
        bad(&bench, &format!("{class} {method}"), words);
    }
    bad(
        &bench,
        &format!("learn nic:many {LEARN} --method naive"),
        &["nic:many", "a whole number, 0 or more"],
    );
    // A file's mistake by its line, without what the parser draws below it.
    let order = "kind = \"stream\"\n[[task]]\nname = [\n";
    std::fs::write(bench.path("order.toml"), order).expect("written");
    let output = common::program::run(&bench, &format!("learn order.toml {LEARN} --method naive"));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(
        message.contains("order.toml is not a scenario: line "),
        "{message}"
    );
    assert!(
        !message.contains("\\n") && !message.contains('^'),
        "{message}"
    );
}

#[test]
fn what_is_said_twice_is_refused() {
    let bench = Bench::new();
    let class = format!("learn class --held-out 1 {LEARN}");
    for (method, words) in [
        (
            "--method latent --budget 4kB --epochs 1 --set epochs=0",
            &["--epochs and --set epochs=…", "leave one out"][..],
        ),
        (
            "--method latent --budget 50kB --set replay.capacity={samples=10}",
            &["--budget and --set replay.capacity=…"],
        ),
        (
            "--method naive --set training.clip_norm=1 --clip-norm 2",
            &["--clip-norm and --set training.clip_norm=…"],
        ),
        (
            "--method naive --pretrain-lr 1e-3 --pretrain-set learning_rate=1e-2",
            &["--pretrain-lr and --pretrain-set learning_rate=…"],
        ),
    ] {
        bad(&bench, &format!("{class} {method}"), words);
    }
}

#[test]
fn training_that_a_head_does_without_is_noted() {
    let bench = Bench::new();
    let slda =
        "--method slda --replay-layer 1 --epochs 300 --lr 5 --batch-size 3 --pretrain-epochs 1";
    let class = format!("learn class --held-out 1 {LEARN} {slda}");
    let output = common::program::run(&bench, &class);
    let notes = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{notes}");
    assert!(
        notes.contains("the head slda learns alone")
            && notes.contains("--epochs and --lr changes nothing"),
        "{notes}"
    );
    // Without pre-training no flag of training is left to count.
    let again = class.replace(
        "--out out",
        "--out more --checkpoint out/pretrained.safetensors",
    );
    let output = common::program::run(&bench, &again);
    let notes = String::from_utf8_lossy(&output.stderr);
    assert!(
        notes.contains("--epochs and --lr and --batch-size changes nothing"),
        "{notes}"
    );
}

#[test]
fn numbers_and_names_that_can_not_be_are_told_in_plain_words() {
    let bench = Bench::new();
    let class = format!("learn class --held-out 1 {LEARN}");
    for (method, words) in [
        (
            "--method latent --replays 18446744073709551615",
            &["--replays 18446744073709551615", "no memory holds so many"][..],
        ),
        (
            "--method slda --set head={kind=\"slda\",windows=4294967296}",
            &["head", "a whole number, 65535 or less"],
        ),
        (
            "--method naive --set training.learning_rate=1e300",
            &["the learning rate must be above 0, not infinite", "3.4e38"],
        ),
        (
            "--method latent --set replay.capacity={samples=99999999999999999999}",
            &["`replay.capacity={samples=99999999999999999999}` is not understood"],
        ),
        (
            "--method naive --set mixing=x",
            &[
                "--set is not understood",
                "`mixing`",
                "a table, as in { … }",
            ],
        ),
        (
            "--method latent --set replay=none",
            &["--set is not understood", "`replay`", "a list, as in [ … ]"],
        ),
        (
            "--method naive --set name=",
            &["--set is not understood", "`name`", "a letter at least"],
        ),
        (
            "--method naive --set name=\"a\\u001b[31m\"",
            &["--set is not understood", "`name`", "on one line"],
        ),
    ] {
        bad(&bench, &format!("{class} {method}"), words);
    }
    bad(
        &bench,
        &format!("learn next {LEARN} --method naive"),
        &["--continue"],
    );
    bad(
        &bench,
        &format!("learn class:green {LEARN} --method naive"),
        &["class:green", "class --held-out green"],
    );
}

#[test]
fn a_folder_that_is_used_is_told_of_as_learn_goes_on() {
    let bench = Bench::new();
    let class = format!("learn class {LEARN} --strategy naive --pretrain-epochs 1 --epochs 1");
    common::program::good(&bench, &format!("{class} --held-out 1"));
    let output = common::program::run(&bench, &format!("{class} --held-out 2"));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(
        message.contains("--force") && !message.contains("--resume"),
        "{message}"
    );
    bad(
        &bench,
        &format!("{} --epochs 1 --out out", common::program::TRAIN),
        &["--force", "--resume to go on"],
    );
}
