//! `respike bench shd` on methods: what their tables say, scenarios that are alike, and the commands of their rows.

mod common;

use common::Bench;
use common::program::{bad, good, respike};
use common::suite::{BENCH, prepared};
use serde_json::Value;

/// A suite with these studies, and with this under `[strict]`.
fn suite(strict: &str, studies: &str) -> Bench {
    let bench = prepared();
    write(&bench, strict, studies);
    bench
}

fn write(bench: &Bench, strict: &str, studies: &str) {
    let text = format!(
        "name = \"methods\"\nabout = \"Methods.\"\nseeds = [0]\n[strict]\npretrain_epochs = 3\nepochs = 2\n\
         multi_class_epochs = 2\nfalling_rate = true\n{strict}\n{studies}"
    );
    std::fs::write(bench.path("small-suite.toml"), text).expect("written");
}

const CLASS: &str = "[[study]]\nscenario = \"class\"\nheld_out = [3]\nprotocols = [\"strict\"]\n";

/// A table's lines by what its heading calls them; quotes are kept together.
fn table(bench: &Bench, name: &str) -> Vec<Vec<(String, String)>> {
    let text = std::fs::read_to_string(bench.path(&format!("out/tables/{name}.csv")));
    let text = text.unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut lines = text.lines().map(cells_of);
    let heading = lines.next().expect("a heading");
    let lines = lines.map(|line| {
        assert_eq!(line.len(), heading.len(), "{line:?}");
        heading.iter().cloned().zip(line).collect()
    });
    lines.collect()
}

/// The cells of a line with commas between them, none of which holds the end of a line.
fn cells_of(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    for (place, letter) in line.char_indices() {
        let last = cells.last_mut().expect("one at least");
        match letter {
            '"' => {
                // A second one right behind the end of a quotation is one that is meant.
                if !quoted && line[..place].ends_with('"') {
                    last.push('"');
                }
                quoted = !quoted;
            }
            ',' if !quoted => cells.push(String::new()),
            other => last.push(other),
        }
    }
    cells
}

fn cell<'a>(line: &'a [(String, String)], column: &str) -> &'a str {
    let found = line.iter().find(|(name, _)| name == column);
    &found.unwrap_or_else(|| panic!("no column {column}")).1
}

#[test]
fn a_few_methods_are_compared_as_methods() {
    let bench = suite(
        "",
        &format!("{CLASS}methods = [\"slda\", \"ridge\", \"naive\", \"joint\"]\n"),
    );
    let printed = good(&bench, BENCH);
    assert!(!printed.contains("not judged"), "{printed}");
    let lines = table(&bench, "methods-strict-class");
    let mut names: Vec<&str> = lines.iter().map(|line| cell(line, "method")).collect();
    names.sort_unstable();
    assert_eq!(names, ["joint", "naive", "ridge, LR 2", "slda, LR 2"]);
    for line in &lines {
        let kept = match cell(line, "method") {
            "joint" => "all data",
            "naive" => "0 B",
            _ => "kB",
        };
        assert!(cell(line, "bytes").ends_with(kept), "{line:?}");
        let held = match cell(line, "method") {
            "joint" => "all",
            _ => "–",
        };
        assert_eq!(cell(line, "replays"), held, "{line:?}");
        for metric in ["ACC", "BWT"] {
            assert_ne!(cell(line, metric), "–", "{line:?}");
        }
    }
    assert!(
        bench
            .path("out/figures/accuracy-against-bytes.svg")
            .exists()
    );
    // What `learn` prints of the same says the bytes, too.
    let learn =
        "learn class --held-out 3 --data many.h5 --model small.toml --pretrain-epochs 3 --epochs 2";
    for (method, kept, not) in [
        ("ridge", "kB", "all data"),
        ("joint", "all data", "kB"),
        ("naive", "–", "kB"),
    ] {
        let printed = good(
            &bench,
            &format!("{learn} --method {method} --out runs/{method}"),
        );
        let row = printed.lines().find(|line| line.contains(method));
        let row = row.expect("a row");
        assert!(row.contains(kept) && !row.contains(not), "{printed}");
    }
}

#[test]
fn pretraining_that_is_tested_now_and_then_says_its_epochs_and_is_not_run_again() {
    let study = format!("{CLASS}methods = [\"naive\"]\ntest_every = {{ tasks = 1, epochs = 2 }}\n");
    let bench = suite("", &study);
    good(&bench, BENCH);
    let times = || std::fs::read_to_string(bench.path("out/times.jsonl")).expect("written");
    let text = std::fs::read_to_string(bench.path("out/cells/strict/class-3/seed-0.jsonl"));
    let text = text.expect("written");
    let first: Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    assert_eq!(first["line"], "pretrained");
    assert_eq!(first["epochs"], 3);
    assert_eq!(first["measured_after"], serde_json::json!([2, 3]));
    assert_eq!(first["curve"]["all"].as_array().map(Vec::len), Some(2));
    let before = times();
    assert_eq!(before.matches("pre-training").count(), 1);
    good(&bench, &format!("{BENCH} --resume"));
    assert_eq!(times(), before, "nothing was left to do");
}

const STREAMS: &str = r#"
[[study]]
protocols = ["strict"]
methods = ["naive"]
[study.scenario]
kind = "stream"
task = [{ classes = [0, 1] }, { classes = [2, 3] }]
[[study]]
protocols = ["strict"]
methods = ["naive"]
[study.scenario]
kind = "stream"
task = [{ classes = [2, 3] }, { classes = [0, 1] }]
[[study]]
protocols = ["strict"]
methods = ["naive"]
scenario = "nic:9"
[[study]]
protocols = ["strict"]
methods = ["naive"]
[study.scenario]
kind = "nic"
batches = 9
base_classes = 3
base_speakers = 2
"#;

#[test]
fn scenarios_that_are_alike_share_nothing() {
    let bench = suite("", STREAMS);
    let printed = good(&bench, &format!("{BENCH} --json"));
    let figures: Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!(
        (&figures["planned"], &figures["finished"]),
        (&4.into(), &4.into())
    );
    let folders = std::fs::read_dir(bench.path("out/cells/strict")).expect("there");
    let folders = folders.map(|entry| entry.expect("readable").file_name());
    let mut folders: Vec<String> = folders
        .map(|name| name.into_string().expect("UTF-8"))
        .collect();
    folders.sort();
    assert_eq!(folders.len(), 4, "{folders:?}");
    assert!(folders.contains(&"nic-9".to_string()), "{folders:?}");
    // Each began from a network of its own, and has a table of its own with one run.
    for folder in &folders {
        assert!(
            bench
                .path(&format!(
                    "out/pretrained/strict/{folder}/seed-0.safetensors"
                ))
                .exists()
        );
        let lines = table(&bench, &format!("methods-strict-{folder}"));
        assert_eq!(lines.len(), 1);
        assert_eq!(cell(&lines[0], "runs"), "1");
    }
    let networks = folders.iter().map(|folder| {
        std::fs::read(bench.path(&format!(
            "out/pretrained/strict/{folder}/seed-0.safetensors"
        )))
        .expect("there")
    });
    let networks: std::collections::BTreeSet<Vec<u8>> = networks.collect();
    assert_eq!(networks.len(), 4, "all began with other samples");
}

#[test]
fn what_can_not_be_told_apart_or_run_is_refused_first() {
    let bench = suite("", "");
    for (studies, words) in [
        (
            "[[study]]\nscenario = \"next\"\nprotocols = [\"strict\"]\nmethods = [\"naive\"]\n"
                .to_string(),
            vec!["study 1", "next", "--continue"],
        ),
        (
            "[[study]]\nscenario = \"nic:9\"\nheld_out = [3]\nmethods = [\"naive\"]\n".to_string(),
            vec!["study 1", "held_out"],
        ),
        (
            "[[study]]\nscenario = \"multi-class:2\"\nmethods = [\"naive\"]\n\
             [[study]]\nscenario = \"multi-class:3\"\nmethods = [\"naive\"]\n"
                .to_string(),
            vec!["studies 1 and 2"],
        ),
        // The title and the budget are both those of a cell that fits, and it does not.
        (
            format!(
                "{CLASS}methods = [\"generator-separate\"]\n{CLASS}methods = [\"latent\"]\n\
                 grid = {{ \"replay.capacity\" = [{{ bytes = 500 }}] }}\n\
                 {CLASS}methods = [\"generator-separate\"]\n\
                 grid = {{ \"replay.capacity\" = [{{ bytes = 500 }}] }}\n"
            ),
            vec!["generator-separate", "500"],
        ),
        (
            format!(
                "{CLASS}methods = [{{ name = \"mine\" }}, {{ name = \"mine\", head = \"trained\" }}]\n"
            ),
            vec!["`mine`", "head", "name"],
        ),
        (
            format!("{CLASS}methods = [{{ name = \"mine\", hed = \"trained\" }}]\n"),
            vec!["study 1", "`mine`", "`head` is nearly that"],
        ),
        (
            format!("{CLASS}methods = [{{ name = \"mine\", head = {{ kind = 3 }} }}]\n"),
            vec!["study 1", "`mine`", "head"],
        ),
        (
            format!("{CLASS}methods = [{{ name = \"mine\", training = {{ objective = 3 }} }}]\n"),
            vec!["study 1", "`mine`", "`training.objective`: "],
        ),
        (
            format!("{CLASS}methods = [3]\n"),
            vec!["a method is the name"],
        ),
        (
            format!("{CLASS}methods = [\"naive\"]\ntest_every = {{ tasks = -1 }}\n"),
            vec!["expected a whole number, 0 or more"],
        ),
    ] {
        write(&bench, "", &studies);
        bad(&bench, BENCH, &words);
    }
}

/// What commands of all rows of a table come to, each with the cell that it is of.
fn same_as_learn(bench: &Bench, name: &str, group: &str) {
    let cells = std::fs::read_to_string(bench.path(&format!("out/cells/{group}.jsonl")));
    let cells = cells.expect("written");
    let cells: Vec<Value> = cells
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .filter(|line: &Value| line["line"] == "cell")
        .collect();
    let lines = table(bench, name);
    assert_eq!(lines.len(), cells.len(), "a command for each cell");
    for line in &lines {
        let command = cell(line, "command of its first experiment");
        let words = shlex::split(command).expect("words of a shell");
        let mut program = respike(bench);
        let output = program.args(&words[1..]).arg("--json").output();
        let output = output.expect("it runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {stderr}");
        let summary: Value = serde_json::from_slice(&output.stdout).expect("JSON on stdout");
        let same = |cell: &&Value| cell["experiment"] == summary["experiment"];
        let cell = cells.iter().find(same);
        let cell = cell.unwrap_or_else(|| {
            panic!(
                "{command} is another experiment: {:#}",
                summary["experiment"]
            )
        });
        assert_eq!(cell["before"], summary["accuracy"]["before"], "{command}");
        assert_eq!(cell["after"], summary["accuracy"]["after"], "{command}");
        assert_eq!(cell["matrix"], summary["matrix"], "{command}");
    }
}

#[test]
fn commands_of_rows_make_them_again() {
    let grids = "[[study]]\nscenario = \"nic:9\"\nprotocols = [\"strict\"]\n\
                 test_every = { tasks = 3, epochs = 2 }\nmethods = [\"latent\"]\n\
                 grid = { head = [\"trained\", \"cwr-star\"], \"replay.codec\" = [\"or:5\"] }\n\
                 [[study]]\nscenario = \"nic:9\"\nprotocols = [\"strict\"]\n\
                 methods = [\"ar1-star\", \"ridge-expanded\", \"lwf\"]\n";
    let mine = "{ name = \"it's mine\", lr_index = 1, mixing = { balance = \"class\" }, training = { learning_rate = \
                0.003, rate_factors = { w_out = 0.1 } }, replay = [{ kind = \"memory\", codec = \"counts:5\", \
                capacity = { bytes = \"30kB\" } }, { kind = \"everything\" }] }";
    let classes = format!(
        "{CLASS}methods = [\"der-plus-plus\", \"native\", {mine}]\n\
         {CLASS}methods = [\"ar1-star-free\"]\n\
         grid = {{ rate_below = [0.0, 0.1], \"replay.capacity\" = [{{ bytes = \"10kB\" }}] }}\n\
         {CLASS}methods = [\"latent\"]\n\
         grid = {{ \"training.objective\" = [{{ kind = \"loss-balancing\" }}] }}\n"
    );
    let stream = STREAMS.split("[[study]]").nth(1).expect("the first");
    let studies = format!("{grids}{classes}[[study]]{stream}");
    // As some suites that ship say it; both the same; and pre-training alone.
    for strict in [
        "[strict.pretraining]\nlearning_rate = 0.01\noptimiser = { kind = \"adam\" }\nclip_norm = 1.5\n\
         [strict.learning]\nlearning_rate = 0.002\noptimiser = { kind = \"adam\" }\nclip_norm = 1.5\n",
        "[strict.pretraining]\nclip_norm = 0.5\nbatch_size = 16\nrate_factors = { w_out = 2.0 }\n\
         [strict.learning]\noptimiser = { kind = \"adam\", beta1 = 0.8 }\nschedule = \"step:1:0.5\"\n",
        "[strict.learning]\nclip_norm = 0.5\nregularisers = [{ kind = \"spike-penalty\", l1 = 1e-5, l2 = 0.0 }]\n",
    ] {
        let bench = suite(strict, &studies);
        good(&bench, BENCH);
        same_as_learn(&bench, "methods-strict-class", "strict/class-3/seed-0");
        same_as_learn(&bench, "methods-strict-nic-9", "strict/nic-9/seed-0");
        let folders = std::fs::read_dir(bench.path("out/cells/strict")).expect("there");
        let folders = folders.map(|entry| entry.expect("readable").file_name());
        let mut folders = folders.map(|name| name.into_string().expect("UTF-8"));
        let folder = folders
            .find(|name| name.starts_with("stream-"))
            .expect("there");
        same_as_learn(
            &bench,
            &format!("methods-strict-{folder}"),
            &format!("strict/{folder}/seed-0"),
        );
    }
    // The same of strategies, whose tables have other names.
    let bench = suite(
        "[strict.learning]\nclip_norm = 0.5\n",
        &format!(
            "{CLASS}strategies = [\"naive\", \"joint\", \"native\", \"latent\"]\nlr_indices = [1]\n\
             codecs = [\"or:5\"]\nreplays = [40]\n"
        ),
    );
    good(&bench, BENCH);
    same_as_learn(&bench, "all-strict-class", "strict/class-3/seed-0");
}

#[test]
fn names_of_methods_tell_what_was_changed() {
    let bench = suite("", "");
    let learn =
        "learn class --held-out 3 --data many.h5 --model small.toml --pretrain-epochs 1 --epochs 1";
    for (flags, name) in [
        ("--method latent", "latent"),
        ("--method latent --policy class-balanced", "latent"),
        (
            "--method latent --head cwr-star --set mixing.balance=class",
            "latent, head cwr-star, mixing.balance class",
        ),
        ("--method ridge --head redrawn", "ridge, head redrawn"),
        ("--method latent --codec or:5 --budget 20kB", "latent"),
        ("--method latent --head cwr-star --set name=mine", "mine"),
        (
            "--strategy latent --replays 20 --rate-below 0.1",
            "latent, rate_below 0.1",
        ),
    ] {
        let printed = good(&bench, &format!("{learn} {flags} --json --force --out run"));
        let summary: Value = serde_json::from_str(&printed).expect("JSON");
        let found = &summary["experiment"]["strategy"];
        assert_eq!(found, name, "{flags}");
    }
}

#[test]
fn parts_stand_apart_from_what_they_are() {
    let bench = Bench::new();
    let kinds: Value = serde_json::from_str(&good(&bench, "parts --json")).expect("JSON");
    let printed = good(&bench, "parts");
    for one in kinds.as_array().expect("a list") {
        let kind = one["kind"].as_str().expect("a name");
        let lines = printed.lines();
        let mut lines = lines.filter_map(|line| line.strip_prefix("  ")?.strip_prefix(kind));
        assert!(lines.any(|rest| rest.starts_with("  ")), "{kind}");
    }
}
