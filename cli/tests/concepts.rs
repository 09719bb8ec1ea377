//! `respike concepts`, end to end, with the digits and the network that ship.

mod common;

use common::Bench;
use common::program::{bad, files_below, good, json, run};
use serde_json::Value;

/// A bench with the files that ship.
fn prepared() -> Bench {
    let bench = Bench::new();
    for path in [
        "data/fsdd70_train.h5",
        "data/fsdd70_test.h5",
        "snn-models/trained/digits70.safetensors",
    ] {
        let from = format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"));
        let name = path.rsplit('/').next().expect("a name");
        std::fs::copy(from, bench.path(name)).expect("it ships");
    }
    bench
}

const CONCEPTS: &str =
    "concepts --model digits70.safetensors --data fsdd70_train.h5 --test fsdd70_test.h5";

/// The mean over seeds of what the figures of a way say of the first concept after another.
fn of_first(way: &Value, after: usize, figure: &str) -> f64 {
    let seeds = way["seeds"].as_array().expect("seeds");
    let values = seeds.iter().map(|seed| {
        let figures = &seed["stages"][after]["concepts"][0];
        figures
            .pointer(figure)
            .and_then(Value::as_f64)
            .expect("a number")
    });
    values.sum::<f64>() / seeds.len() as f64
}

fn way<'a>(summary: &'a Value, name: &str) -> &'a Value {
    let ways = summary["outcome"]["ways"].as_array().expect("ways");
    ways.iter()
        .find(|way| way["name"] == name)
        .expect("it took part")
}

#[test]
fn a_naive_generator_forgets_what_others_keep_within_the_same_bytes() {
    let bench = prepared();
    let command = format!("{CONCEPTS} --budget 13kB --seeds 2 --samples 40");
    let printed = good(&bench, &format!("{command} --out one --json"));
    let summary: Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!(json(&bench.path("one/concepts.json")), summary);
    let outcome = &summary["outcome"];
    assert_eq!(
        outcome["names"],
        serde_json::json!(["zero", "one", "two", "three", "four"])
    );
    assert_eq!(
        outcome["learned_from"],
        serde_json::json!([270, 270, 270, 270, 270])
    );
    // 128 units, 10 windows.
    assert_eq!(outcome["bits"], 1280);
    assert_eq!(summary["judge_trained_on_tests"], 0);
    for ceiling in outcome["ceiling"].as_array().expect("one a concept") {
        assert!(ceiling.as_f64().expect("a share") > 0.8, "{ceiling}");
    }

    let naive = way(&summary, "generator, shared, naive");
    let alone = way(&summary, "generator, separate");
    let alignment = |way, after| of_first(way, after, "/alignment");
    assert!(alignment(naive, 0) > 0.8, "{}", alignment(naive, 0));
    assert!(alignment(naive, 4) < 0.3, "{}", alignment(naive, 4));
    assert!(alignment(alone, 0) > 0.8, "{}", alignment(alone, 0));
    assert!(
        alignment(alone, 4) > alignment(alone, 0) - 0.1,
        "{}",
        alignment(alone, 4)
    );
    for kept in [
        "generator, shared, replay",
        "memory, uniform",
        "memory, similarity",
    ] {
        let kept = alignment(way(&summary, kept), 4);
        assert!(kept > alignment(naive, 4) + 0.14, "{kept}");
    }
    // What a memory gives are copies of what was learned from; what a generator gives is not.
    let nearest = |name| of_first(way(&summary, name), 4, "/diversity/nearest_real");
    assert_eq!(nearest("memory, uniform"), 0.0);
    assert!(nearest("generator, separate") > 0.0);
    for way in outcome["ways"].as_array().expect("ways") {
        for seed in way["seeds"].as_array().expect("seeds") {
            let stages = seed["stages"].as_array().expect("stages");
            assert_eq!(stages.len(), 5);
            for (after, stage) in stages.iter().enumerate() {
                let bytes = stage["bytes"].as_u64().expect("a number");
                assert!((1000..=13_000).contains(&bytes), "{way}: {bytes}");
                let concepts = stage["concepts"].as_array().expect("figures");
                assert_eq!(concepts.len(), after + 1);
            }
        }
    }

    let names = ["alignment.png", "concepts.json", "gallery.png", "table.md"];
    let files = files_below(&bench.path("one"));
    let files = files
        .iter()
        .map(|(path, _)| path.file_name().expect("a name"));
    assert!(files.eq(names));
    let table = std::fs::read_to_string(bench.path("one/table.md")).expect("written");
    for words in [
        "| generator, shared, naive |",
        "after four",
        "13000 bytes",
        "real test samples",
    ] {
        assert!(table.contains(words), "{words}: {table}");
    }

    // The same again: the same bytes, with one thread, in place of what was there.
    let read = |file: &str| std::fs::read(bench.path(&format!("one/{file}"))).expect("written");
    let before = names.map(read);
    bad(
        &bench,
        &format!("{command} --out one"),
        &["one is not empty", "--force"],
    );
    good(&bench, &format!("{command} --out one --force --threads 1"));
    assert!(names.map(read) == before, "a run again gives other bytes");
}

/// A memory with room for all gives all, so the judge is as right on what it gives as on what was learned from.
#[test]
fn a_memory_with_room_for_all_gives_what_was_learned_from() {
    let bench = prepared();
    let command = format!(
        "{CONCEPTS} --classes seven,two --budget 90kB --seeds 5, --samples 10 --policies reservoir --json"
    );
    let summary: Value = serde_json::from_str(&good(&bench, &command)).expect("JSON");
    let outcome = &summary["outcome"];
    assert_eq!(outcome["names"], serde_json::json!(["seven", "two"]));
    assert_eq!(outcome["experiment"]["seeds"], serde_json::json!([5]));
    let memory = &way(&summary, "memory, reservoir")["seeds"][0]["stages"][1];
    // 540 samples of 160 bytes, their classes, and 64 bytes.
    assert_eq!(memory["bytes"], 540 * 162 + 64);
    for (place, right) in outcome["of_learned"]
        .as_array()
        .expect("shares")
        .iter()
        .enumerate()
    {
        let figures = &memory["concepts"][place];
        assert_eq!(
            (&figures["given"], &figures["alignment"]),
            (&270.into(), right)
        );
        let diversity = &figures["diversity"];
        assert_eq!(diversity["drawn"], diversity["real"]);
    }
    let drawn = &way(&summary, "generator, separate")["seeds"][0]["stages"][1]["concepts"][1];
    assert_eq!(drawn["given"], 10);
}

#[test]
fn what_cannot_be_is_said() {
    let bench = prepared();
    for (flags, words) in [
        ("--replay-layer 0", &["LR index 0", "1 or more"][..]),
        ("--replay-layer 3", &["3"]),
        ("--budget 900", &["too small", "needs"]),
        ("--classes 1", &["at least 2 classes"]),
        ("--classes zero", &["at least two classes"]),
        ("--classes zero,zero", &["zero", "twice"]),
        ("--classes zero,eleven", &["eleven"]),
        ("--seeds 0", &["--seeds 0 is neither"]),
        ("--seeds 1,1", &["seed 1 stands twice"]),
        ("--samples 0", &["samples of generator must be 1 or more"]),
        (
            "--policies uniform uniform",
            &["memory, uniform stands twice"],
        ),
        ("--codec xor:3", &["xor"]),
        ("--test fsdd70_train.h5", &["are in the --data files too"]),
        ("--model fsdd70_test.h5", &["fsdd70_test.h5"]),
    ] {
        let mut command = format!("{CONCEPTS} {flags}");
        for flag in ["--test", "--model"] {
            if flags.starts_with(flag) {
                let before = CONCEPTS.find(flag).expect("a flag");
                let rest = CONCEPTS[before + flag.len() + 1..].split_once(' ');
                let after = rest.map_or("", |(_, after)| after);
                command = format!("{}{after} {flags}", &CONCEPTS[..before]);
            }
        }
        let output = run(&bench, &command);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{command}: {said}");
        for word in words {
            assert!(said.contains(word), "{command}: {said}");
        }
    }
    // A folder with something else in it is left as it is.
    std::fs::create_dir(bench.path("mine")).expect("made");
    std::fs::write(bench.path("mine/letter.txt"), "dear").expect("written");
    let flags = "--out mine --force";
    bad(
        &bench,
        &format!("{CONCEPTS} {flags}"),
        &["letter.txt", "`concepts`"],
    );
}

/// A learner with a generator in place of a memory.
#[test]
fn a_network_learns_with_what_a_generator_draws() {
    let bench = Bench::new();
    let method = "name = \"drawn\"\nlr_index = 1\n\n[[replay]]\nkind = \"generator\"\ncodec = \"or:4\"\ncapacity = { bytes = \"6kB\" }\n";
    std::fs::write(bench.path("drawn.toml"), method).expect("written");
    let command = "learn class --data train.h5 test.h5 --model small.toml --pretrain-epochs 3 --epochs 2 --batch-size 16 \
                   --held-out 2 --method drawn.toml";
    for out in ["one", "other"] {
        good(&bench, &format!("{command} --out {out}"));
    }
    let summary = json(&bench.path("one/summary.json"));
    let bytes = summary.pointer("/replay/bytes").and_then(Value::as_u64);
    let bytes = bytes.unwrap_or_else(|| panic!("{summary}"));
    assert!((1000..=6000).contains(&bytes), "{bytes}");
    let learned = |out: &str| std::fs::read(bench.path(&format!("{out}/learned.safetensors")));
    assert_eq!(
        learned("one").expect("written"),
        learned("other").expect("written")
    );
    for flags in ["--replay-layer 0", "--set rate_below=0.5 --replay-layer 0"] {
        bad(
            &bench,
            &format!("{command} {flags} --out none"),
            &["--replay-layer", "1 or more"],
        );
    }
    std::fs::write(bench.path("raw.toml"), method.replace("lr_index = 1\n", "")).expect("written");
    let command = command.replace("drawn.toml", "raw.toml");
    bad(
        &bench,
        &format!("{command} --out none"),
        &["raw inputs", "--replay-layer"],
    );
}
