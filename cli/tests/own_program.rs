//! A program of one's own: `examples/own_program.rs` is the whole of `respike`, and knows its own parts.

mod common;

use std::path::PathBuf;
use std::process::Command;

use common::Bench;
use common::program::bad;
use serde_json::Value;

/// The example, beside the folder of the tests; built with them, unless one test alone was asked for.
fn program() -> PathBuf {
    let mut folder = std::env::current_exe().expect("a test has a place");
    folder.pop();
    folder.pop();
    let program = folder.join("examples/own_program");
    if !program.exists() {
        let build = [
            "build",
            "--locked",
            "--package",
            "respike-cli",
            "--example",
            "own_program",
        ];
        let built = Command::new(env!("CARGO")).args(build).status();
        assert!(
            built.is_ok_and(|status| status.success()),
            "the example is built"
        );
    }
    program
}

fn run(bench: &Bench, arguments: &[&str]) -> (bool, String, String) {
    let mut command = Command::new(program());
    unlocked_std(&mut command);
    command.current_dir(bench.root()).args(arguments);
    let output = command.output().expect("the example runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    (output.status.success(), stdout, stderr)
}

fn good(bench: &Bench, arguments: &[&str]) -> String {
    let (went_well, stdout, stderr) = run(bench, arguments);
    assert!(went_well, "{arguments:?}: {stderr}");
    stdout
}

/// As the tests of the program itself do it.
fn unlocked_std(command: &mut Command) {
    command.env("HDF5_USE_FILE_LOCKING", "FALSE");
}

const PARTS: [&str; 4] = [
    "--objective",
    "{ kind = \"hinge\", margin = 1.0 }",
    "--optimiser",
    "sign-descent",
];

#[test]
fn a_program_with_parts_of_ones_own_knows_them_everywhere() {
    let bench = Bench::new();
    // Lists and help.
    let listed = good(&bench, &["parts", "--json"]);
    let listed: Value = serde_json::from_str(&listed).expect("JSON on stdout");
    let listed = listed.as_array().expect("a list");
    for (part, kind, settings) in [
        ("neuron", "perfect", vec!["threshold"]),
        ("objective", "hinge", vec!["margin"]),
        ("optimiser", "sign-descent", vec![]),
        ("surrogate", "fast-sigmoid", vec!["slope"]),
    ] {
        let found = listed.iter().find(|known| known["kind"] == kind);
        let found = found.unwrap_or_else(|| panic!("{kind} is not listed"));
        assert_eq!(found["part"], part);
        assert_eq!(found["settings"], serde_json::json!(settings));
    }
    let help = good(&bench, &["train", "--help"]);
    for words in [
        "hinge (what other logits lack",
        "sign-descent (against the sign",
    ] {
        let one_line = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(one_line.contains(words), "{help}");
    }

    // Specs, records, checkpoints; and a run that is gone on with.
    let spec = std::fs::read_to_string(bench.path("small.toml")).expect("the bench's network");
    let (before, after) = spec.split_once("[neuron]").expect("a table");
    let rest = after.split_once("\n[").map_or("", |(_, rest)| rest);
    let own = format!(
        "{before}[neuron]\nkind = \"perfect\"\nthreshold = 1.0\nsurrogate = {{ kind = \"triangle\", half_width = 0.5 }}\n\n[{rest}"
    );
    std::fs::write(bench.path("own.toml"), own).expect("written");
    let train = |epochs: &str, out: &str, more: &[&str]| {
        let common = [
            "train", "--data", "train.h5", "--model", "own.toml", "--lr", "1e-3",
        ];
        let all = [
            &common[..],
            &PARTS,
            &["--epochs", epochs, "--out", out],
            more,
        ]
        .concat();
        good(&bench, &all)
    };
    train("4", "whole", &[]);
    train("2", "parts", &[]);
    train("4", "parts", &["--resume"]);
    let checkpoint = |run: &str| {
        let file = bench.path(&format!("{run}/checkpoint.safetensors"));
        respike::train::Checkpoint::load(&file)
    };
    // Its states are drawn as those of ours.
    let checkpoint_file = "whole/checkpoint.safetensors";
    let drawn = good(
        &bench,
        &[
            "plot",
            "traces",
            "--data",
            "test.h5",
            "--sample",
            "0",
            "--checkpoint",
            checkpoint_file,
            "--out",
            "own.svg",
        ],
    );
    assert_eq!(drawn, "");
    let picture = std::fs::read_to_string(bench.path("own.svg")).expect("drawn");
    let picture = common::svg::Picture::read(&picture);
    picture.is_sound();
    picture.says(&["membrane", "threshold", "spike"]);
    picture.tells(&["16 perfect neurons"]);

    // Nobody else knows what these names mean.
    let refused = checkpoint("whole").expect_err("not known here").to_string();
    assert!(
        refused.contains("there is no neuron of the kind `perfect`"),
        "{refused}"
    );
    let payload = |run: &str| {
        let bytes = std::fs::read(bench.path(&format!("{run}/checkpoint.safetensors")));
        let bytes = bytes.expect("written");
        let header = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes"));
        bytes[8 + header as usize..].to_vec()
    };
    assert_eq!(
        payload("whole"),
        payload("parts"),
        "as if it had never stopped"
    );
    let record = std::fs::read_to_string(bench.path("whole/run.jsonl")).expect("written");
    for words in [
        r#""kind":"perfect""#,
        r#""kind":"hinge""#,
        r#""kind":"sign-descent""#,
    ] {
        assert!(record.contains(words), "{words}");
    }
    good(
        &bench,
        &[
            "eval",
            "--data",
            "test.h5",
            "--checkpoint",
            "whole/checkpoint.safetensors",
        ],
    );
    let learn = [
        "learn",
        "class",
        "--data",
        "train.h5",
        "--model",
        "own.toml",
        "--held-out",
        "2",
        "--pretrain-epochs",
        "1",
        "--epochs",
        "1",
        "--lr-index",
        "1",
        "--codec",
        "or:4",
        "--replays",
        "8",
        "--out",
        "learned",
    ];
    good(&bench, &[&learn[..], &PARTS].concat());

    // Settings that make no sense are refused, by name.
    let refusing = |flags: &[&str], words: &str| {
        let common = [
            "train", "--data", "train.h5", "--model", "own.toml", "--epochs", "1",
        ];
        let (went_well, _, stderr) = run(&bench, &[&common[..], flags, &["--out", "no"]].concat());
        assert!(!went_well && stderr.contains(words), "{flags:?}: {stderr}");
    };
    refusing(&["--objective", "hinge"], "missing field `margin`");
    refusing(
        &["--objective", "{ kind = \"hinge\", margins = 1.0 }"],
        "unknown field `margins`",
    );
    refusing(
        &["--objective", "hinges"],
        "use one of cross-entropy, mean-square, loss-balancing, er-ace, der-plus-plus, lwf, hinge",
    );
    // And the plain program does not know them.
    bad(
        &bench,
        "train --data train.h5 --model own.toml --epochs 1 --out no",
        &["there is no neuron of the kind `perfect`: use one of cuba-lif, lif, adlif, alif"],
    );
}
