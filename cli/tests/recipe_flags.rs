//! Runs the built program: flags that change what a recipe says, or take it away.

mod common;

use common::Bench;
use common::program::{bad, good};
use respike::report::{Description, RunFolder};
use respike::train::{Losses, RateBounds, Select, SpikePenalty, TrainingPlan};

/// A recipe in which all is said that can be taken away.
const RECIPE: &str = r#"
name = "all of it"
network = "small.toml"

[data]
train = ["train.h5"]
test = ["test.h5"]

[training]
epochs = 2
regularisers = [
    { kind = "spike-penalty", l1 = 1e-3, l2 = 0.0 },
    { kind = "rate-bounds", strength = 0.1, least = 0.01, most = 0.3 },
]
warm_up_epochs = 1
clip_norm = 2.0
augmentations = [{ kind = "drop-events", share = 0.1 }]
validation_speakers = ["1"]
select = "best-validation"
patience = 1
test_every = 1
schedule = "SCHEDULE"
"#;

fn bench() -> Bench {
    let bench = Bench::new();
    with_schedule(&bench, "constant");
    bench
}

fn with_schedule(bench: &Bench, schedule: &str) {
    let recipe = RECIPE.replace("SCHEDULE", schedule);
    std::fs::write(bench.path("recipe.toml"), recipe).expect("written");
}

/// The plan of a run of the recipe with some flags.
fn plan(bench: &Bench, flags: &str) -> TrainingPlan {
    let arguments = format!("train --recipe recipe.toml {flags} --force --out run");
    good(bench, &arguments);
    let record = RunFolder::read(&bench.path("run")).expect("a record");
    match record.start.settings {
        Description::Train { plan, .. } => plan,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_recipe_is_followed_without_its_test_files() {
    let bench = bench();
    std::fs::remove_file(bench.path("test.h5")).expect("it was there");
    bad(&bench, "train --recipe recipe.toml --out run", &["test.h5"]);
    good(
        &bench,
        "train --recipe recipe.toml --test none --test-every none --out run",
    );
    let record = RunFolder::read(&bench.path("run")).expect("a record");
    assert!(record.start.data.test_files.is_empty());
}

#[test]
fn none_takes_away_what_a_recipe_says() {
    let bench = bench();
    let said = plan(&bench, "");
    let bounds = RateBounds {
        strength: 0.1,
        least: 0.01,
        most: 0.3,
    };
    let penalty = SpikePenalty { l1: 1e-3, l2: 0.0 };
    let losses = Losses::default().and(bounds).and_penalty(penalty);
    assert_eq!(said.training.losses, losses);
    assert_eq!((said.patience, said.test_every), (Some(1), Some(1)));
    let none = plan(
        &bench,
        "--augment none --regulariser none --clip-norm none --warm-up 0 --validation none --select last --patience none \
         --test-every none",
    );
    assert_eq!(none.augmentations, []);
    assert_eq!(none.training.losses, Losses::default());
    assert_eq!(none.training.clip_norm, None);
    assert_eq!(none.training.warm_up_epochs, 0);
    assert_eq!((none.validation, none.select), (None, Select::Last));
    assert_eq!((none.patience, none.test_every), (None, None));
    // What is not named stays.
    let one = plan(&bench, "--augment none --l1 0.5");
    let penalty = SpikePenalty { l1: 0.5, l2: 0.0 };
    let mut expected = said.clone();
    expected.augmentations.clear();
    expected.training.losses = Losses::default().and(bounds).and_penalty(penalty);
    assert_eq!(one, expected);
    // A penalty that is asked for with it is not taken away.
    let alone = plan(&bench, "--regulariser none --l1 0.5");
    let expected = Losses::default().and_penalty(penalty);
    assert_eq!(alone.training.losses, expected);

    for (flags, words) in [
        ("--augment none --augment blend", "--augment none"),
        ("--augment blend --augment none", "--augment none"),
        (
            "--regulariser none --regulariser rate-bounds",
            "--regulariser none",
        ),
        ("--validation none", "needs validation samples"),
    ] {
        let arguments = format!("train --recipe recipe.toml {flags} --out other");
        bad(&bench, &arguments, &[words]);
    }
}

#[test]
fn a_schedule_that_says_how_long_it_is_stays_as_long() {
    let bench = bench();
    for (said, epochs, expected) in [
        ("cosine", 4, "cosine:4"),
        ("cosine:2", 4, "cosine:2"),
        ("one-cycle:2", 4, "one-cycle:2"),
        ("one-cycle:all:0.5:10:100", 4, "one-cycle:4:0.5:10:100"),
        ("one-cycle:all:0.5:10:100", 2, "one-cycle:2:0.5:10:100"),
    ] {
        with_schedule(&bench, said);
        let plan = plan(&bench, &format!("--epochs {epochs} --patience none"));
        assert_eq!(plan.training.schedule.to_string(), expected, "{said}");
    }
    // A flag's goes over the epochs that are asked for.
    let plan = plan(
        &bench,
        "--epochs 3 --patience none --schedule one-cycle:all:0.5:10:100",
    );
    assert_eq!(plan.training.schedule.to_string(), "one-cycle:3:0.5:10:100");
    with_schedule(&bench, "one-cycle:all:0.5");
    bad(
        &bench,
        "train --recipe recipe.toml --out other",
        &["training.schedule", "RISE"],
    );
}
