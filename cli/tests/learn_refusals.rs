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
