//! `respike bench shd`: a grid that is killed and gone on with, that fails, and that does not fit.

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::Bench;
use common::program::{bad, files_below, good, json, run};
use common::suite::{BENCH, SUITE, prepared};
use respike::continual::Protocol;
use respike::dataset::{Dataset, read_dataset};
use respike::method::Method;
use respike::network::NetworkSpec;
use respike::simd::Simd;
use respike::suite::{
    Manifest, SUITE_FORMAT, SuiteData, SuiteError, SuiteFolder, SuiteNews, SuiteSettings,
    plan_suite, run_suite,
};
use serde_json::Value;

/// Every file of a suite but the times, with its bytes.
fn results(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = files_below(folder).into_iter();
    let files = files.filter(|(path, _)| path.is_file() && !path.ends_with("times.jsonl"));
    let files = files.map(|(path, _)| {
        let name = path
            .strip_prefix(folder)
            .expect("below")
            .display()
            .to_string();
        (name, std::fs::read(path).expect("readable"))
    });
    files.collect()
}

fn assert_same(one: &BTreeMap<String, Vec<u8>>, other: &BTreeMap<String, Vec<u8>>) {
    assert_eq!(
        one.keys().collect::<Vec<_>>(),
        other.keys().collect::<Vec<_>>()
    );
    for (name, bytes) in one {
        assert!(*bytes == other[name], "{name} differs");
    }
}

#[test]
fn a_killed_suite_comes_to_the_same_bytes() {
    let (whole, killed) = (prepared(), prepared());
    let printed = good(&whole, &format!("{BENCH} --jobs 1 --threads 1 --json"));
    let figures: Value = serde_json::from_str(&printed).expect("JSON on stdout");
    assert_eq!(figures["planned"], figures["finished"]);
    // By hand: a speaker 2 × 2 × (naive, joint, 2 native, 8 latent), a class 2 × 4 × (naive, 6 latent), and
    // many classes 2 × (naive, joint, 2 latent).
    assert_eq!(figures["planned"], 48 + 56 + 8);

    // At some moment after so many pieces of work have been done, whatever the speed of the machine.
    let moments = [(0, 5), (1, 40), (2, 0), (5, 13), (1, 150), (9, 3), (4, 60)];
    for (pieces, millis) in moments {
        kill_after(&killed, pieces, Duration::from_millis(millis));
    }
    let output = run(&killed, &format!("{BENCH} --resume --jobs 2"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let before = stderr
        .lines()
        .find_map(|line| line.split_once(" experiments were done before"));
    let (done, all) = before
        .and_then(|(count, _)| count.strip_prefix("note: ")?.split_once(" of "))
        .expect("kills left something done");
    let (done, all): (usize, usize) = (done.parse().expect("a number"), all.parse().expect("one"));
    // Of 22 pieces of work at least, 14 at most are pre-trainings: 2 strict speakers, 8 classes and 1 run of
    // many classes, 2 published speakers and 1.
    assert!(done >= 8, "what was done before a kill stays done: {done}");
    assert!(done < all, "the kills hit work");
    assert_same(&results(&whole.path("out")), &results(&killed.path("out")));

    // Nothing is left to do, and nothing changes.
    let times = |bench: &Bench| std::fs::read(bench.path("out/times.jsonl")).expect("written");
    let once = times(&killed);
    good(&killed, &format!("{BENCH} --resume"));
    assert_eq!(once, times(&killed), "a finished experiment was run again");
    assert_same(&results(&whole.path("out")), &results(&killed.path("out")));
}

/// Runs the suite until so many pieces of work are done, and a little on, and kills it.
fn kill_after(bench: &Bench, pieces: usize, more: Duration) {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("respike"));
    command.current_dir(bench.root());
    command
        .args(BENCH.split_whitespace())
        .args(["--resume", "--jobs", "3", "--threads", "2"]);
    command.env("HDF5_USE_FILE_LOCKING", "FALSE");
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let stderr = BufReader::new(child.stderr.take().expect("piped"));
    let news = stderr.lines().map_while(Result::ok);
    let done = news.filter(|line| line.starts_with("note: [")).take(pieces);
    assert_eq!(done.count(), pieces, "it ended before it could be killed");
    std::thread::sleep(more);
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
}

#[test]
fn what_does_not_fit_is_refused() {
    let bench = prepared();
    bad(
        &bench,
        &BENCH.replace("small-suite.toml", "large"),
        &["no suite `large`", "paper"],
    );
    let changes = [
        ("seeds = [0, 5]", "seeds = []", "seeds"),
        ("held_out = [1]", "held_out = [77]", "study 1"),
        ("lr_indices = [0, 3]", "lr_indices = [0, 9]", "LR"),
        ("codecs = [\"raw\", \"or:10\"]", "codecs = [\"zip\"]", "zip"),
        ("replays = [128, 256]", "replays = []", "replays"),
        ("name = \"small\"", "nam = \"small\"", "nam"),
        (
            "replays = [128, 256]",
            "replays = [128, 256]\ncompare_at = 200",
            "compare_at",
        ),
        (
            "scenario = \"class\"",
            "scenario = \"multi-class\"\nheld_out = [3]",
            "studies 2 and 3",
        ),
    ];
    for (from, to, word) in changes {
        let text = SUITE.replacen(from, to, 1);
        assert_ne!(text, SUITE);
        std::fs::write(bench.path("wrong.toml"), text).expect("written");
        bad(
            &bench,
            &BENCH.replace("small-suite.toml", "wrong.toml"),
            &[word],
        );
    }
    bad(&bench, &format!("{BENCH} --jobs 0"), &["--jobs"]);
    bad(&bench, "bench shd --out out", &["--data"]);
    bad(&bench, &BENCH.replace("many.h5", "none.h5"), &["none.h5"]);

    let small = SUITE
        .split("[[study]]")
        .take(2)
        .collect::<Vec<_>>()
        .join("[[study]]");
    let small = small.replace("[0, 5]", "[0]").replace(
        "[\"naive\", \"joint\", \"native\", \"latent\"]",
        "[\"naive\"]",
    );
    std::fs::write(bench.path("small-suite.toml"), small).expect("written");
    good(&bench, &format!("{BENCH} --protocol strict"));
    bad(&bench, BENCH, &["already holds a suite", "--resume"]);
    let other = BENCH.replace("many.h5", "train.h5");
    bad(
        &bench,
        &format!("{other} --protocol strict --resume"),
        &["other data"],
    );
    if Simd::current() != Simd::Portable {
        bad(
            &bench,
            &format!("{BENCH} --protocol strict --resume --simd portable"),
            &["--simd"],
        );
    }
    // A wider grid goes on from what is there.
    good(&bench, &format!("{BENCH} --resume"));
    let manifest = json(&bench.path("out/suite.json"));
    assert_eq!(manifest["protocols"].as_array().map(Vec::len), Some(2));
    good(&bench, &format!("{BENCH} --force"));
}

#[test]
fn the_suites_that_ship_fit_their_data() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    // Paper, by hand: 8 codecs at LR index 1 to 3 and 5 at 0 (counts are no other there) make 29 pairs, with
    // 4 numbers of replays (2 for a class as published: 576 and 1152) or 3 for many classes, beside naive,
    // joint, and native for each number; 6 speakers, 10 classes and 1, with 3 seeds.
    let paper = 18 * 2 * (2 + 4 + 29 * 4) + 30 * (2 + 4 + 29 * 4) + 30 * (2 + 2 + 29 * 2);
    let paper = paper + 3 * 2 * (2 + 3 + 29 * 3);
    // Strict: naive, joint, native, 3 LR indices with 2 codecs and 4 numbers or 6 codecs and one, 2 codecs at
    // LR index 0; many classes: 3 and 3 and 3 × 4. Published: 3 and 3 × 2, and 2 × 2 with 4 (2) numbers, of
    // which 2 are the same; many classes: 2 and 2 × 4.
    let digits = 3 * (16 * (3 + 3 * (2 * 4 + 6) + 2) + 18)
        + 3 * (2 * (3 + 6 + 16 - 2) + 3 * (3 + 6 + 8 - 2) + 10);
    // 3 and 3 × 3, strict 4 numbers more; many classes: 2 and 2 × 2.
    let quick = 2 * (2 * (3 + 9) + 6) + 2 * 4;
    for (name, expected) in [("paper", paper), ("digits", digits), ("quick", quick)] {
        let path = root.join(format!("snn-models/suites/{name}.toml"));
        let suite = SuiteSettings::read(&path).expect("a suite");
        assert_eq!(suite.name, name);
        let data = read_dataset(
            &["train", "test"].map(|part| root.join(format!("data/fsdd70_{part}.h5"))),
            demo70().binning(),
        );
        let data = data.expect("it ships");
        let both = [Protocol::Strict, Protocol::Published];
        let groups = plan_suite(&suite, &both, &demo70(), &data).expect("it fits");
        let cells: usize = groups.iter().map(|group| group.cells.len()).sum();
        assert_eq!(cells, expected, "{name}");
    }
}

fn demo70() -> NetworkSpec {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("snn-models/demo70.toml");
    NetworkSpec::read(&path).expect("it ships")
}

/// One cell of [`SUITE`], with so many epochs of pre-training.
fn one_cell(pretrain_epochs: usize) -> String {
    let suite = SUITE.split("[[study]]").next().expect("its head");
    let suite = suite.replace("[0, 5]", "[0]");
    let suite = suite.replacen(
        "pretrain_epochs = 3",
        &format!("pretrain_epochs = {pretrain_epochs}"),
        1,
    );
    suite
        + "[[study]]\nscenario = \"sample\"\nheld_out = [1]\nprotocols = [\"strict\"]\nstrategies = [\"naive\"]\n"
}

#[test]
fn networks_of_another_pretraining_are_not_begun_from() {
    let (changed, fresh) = (prepared(), prepared());
    std::fs::write(changed.path("small-suite.toml"), one_cell(1)).expect("written");
    good(&changed, BENCH);
    for bench in [&changed, &fresh] {
        std::fs::write(bench.path("small-suite.toml"), one_cell(6)).expect("written");
        good(bench, &format!("{BENCH} --resume"));
    }
    let first_cells = |bench: &Bench| {
        let text = std::fs::read_to_string(bench.path("out/cells/strict/speaker-1/seed-0.jsonl"));
        let text = text.expect("written");
        text.lines().take(2).map(String::from).collect::<Vec<_>>()
    };
    assert_eq!(first_cells(&changed), first_cells(&fresh));

    // One process at a time.
    let lock = std::fs::File::create(fresh.path("out/.lock")).expect("there");
    lock.lock().expect("nobody else has it");
    bad(&fresh, &format!("{BENCH} --resume"), &["another process"]);
    bad(&fresh, &format!("{BENCH} --force"), &["another process"]);
    drop(lock);

    // What was there before the suite stays, and results without a manifest are not taken for its own.
    std::fs::write(fresh.path("out/figures/mine.txt"), "mine").expect("written");
    good(&fresh, &format!("{BENCH} --report-only"));
    assert!(fresh.path("out/figures/mine.txt").exists());
    std::fs::remove_file(fresh.path("out/suite.json")).expect("there");
    bad(
        &fresh,
        &format!("{BENCH} --resume"),
        &["no suite.json", "--force"],
    );
    bad(&fresh, &format!("{BENCH} --report-only"), &["suite.json"]);
}

#[test]
fn damaged_files_say_what_to_do() {
    let bench = prepared();
    std::fs::write(bench.path("small-suite.toml"), one_cell(1)).expect("written");
    good(&bench, BENCH);
    let whole = results(&bench.path("out"));
    let cells = "cells/strict/speaker-1/seed-0.jsonl";
    let network = "pretrained/strict/speaker-1/seed-0.safetensors";
    // A network that nothing will begin from is not even read.
    std::fs::write(bench.path("out").join(network), "no network").expect("written");
    good(&bench, &format!("{BENCH} --resume"));
    let text = String::from_utf8(whole[cells].clone()).expect("UTF-8");
    let first_line = text.lines().next().expect("pre-training").to_string() + "\n";
    std::fs::write(bench.path("out").join(cells), first_line).expect("written");
    for file in [network, cells] {
        if file == cells {
            std::fs::write(bench.path("out").join(cells), "{").expect("written");
        }
        bad(&bench, &format!("{BENCH} --resume"), &[file, "delete it"]);
        std::fs::remove_file(bench.path("out").join(file)).expect("there");
    }
    good(&bench, &format!("{BENCH} --resume"));
    assert_same(&whole, &results(&bench.path("out")));

    // What is there can be drawn again from elsewhere and with other instructions: it says what it said.
    let elsewhere = bench.path("elsewhere/of/it");
    copy(&bench.path("out"), &elsewhere);
    let look = BENCH.replace("--out out", "--out elsewhere/of/it");
    good(&bench, &format!("{look} --report-only --simd portable"));
    assert_same(&whole, &results(&elsewhere));

    std::fs::write(bench.path("out/suite.json"), "{}").expect("written");
    bad(
        &bench,
        &format!("{BENCH} --resume"),
        &["suite.json", "--force"],
    );
}

fn copy(from: &Path, to: &Path) {
    for (file, bytes) in results(from) {
        let to = to.join(file);
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("made");
        std::fs::write(to, bytes).expect("written");
    }
}

#[test]
fn an_experiment_that_fails_stops_no_other() {
    let bench = prepared();
    let spec = NetworkSpec::read(&bench.path("small.toml")).expect("a network");
    let data = read_dataset(&[bench.path("many.h5")], spec.binning()).expect("it is there");
    let text = one_cell(1).replace("[\"naive\"]", "[\"naive\", \"joint\"]");
    let suite = SuiteSettings::parse("small", &text).expect("a suite");
    let mut groups = plan_suite(&suite, &[Protocol::Strict], &spec, &data).expect("it fits");
    let naive = &mut groups[0].cells[0];
    assert_eq!(naive.method, Method::naive().with_view_said());
    naive.learn.learning_rate = 3e38;

    let manifest = manifest(suite, spec, &data);
    let mut lost = groups.clone();
    for cell in &mut lost[0].cells {
        cell.pretrain.as_mut().expect("of a suite").learning_rate = 3e38;
    }
    let folder = SuiteFolder::begin(&bench.path("lost"), manifest.clone(), false);
    let folder = folder.expect("it is new");
    let failed =
        run_suite(&folder, &lost, &data, 2, 1, &|_| {}).expect("the folder can be written");
    assert!(
        matches!(failed[..], [SuiteError::Pretraining { .. }]),
        "{failed:?}"
    );
    assert_eq!(folder.results(&lost[0].id).expect("readable").cells, []);

    let folder = SuiteFolder::begin(&bench.path("out"), manifest, false).expect("it is new");
    let told = std::sync::Mutex::new(Vec::new());
    let failed = run_suite(&folder, &groups, &data, 1, 1, &|news| {
        if let SuiteNews::Failed(error) = news {
            told.lock().expect("not poisoned").push(error.to_string());
        }
    });
    let failed = failed.expect("the folder can be written");
    assert!(
        matches!(failed[..], [SuiteError::Cell { .. }]),
        "{failed:?}"
    );
    let told = told.into_inner().expect("not poisoned");
    assert!(
        told[0].contains("speaker-1 seed 0: naive") && told[0].contains("diverged"),
        "{told:?}"
    );
    let done = folder.results(&groups[0].id).expect("readable").cells;
    assert_eq!(done.len(), 1);
    assert_eq!(done[0].experiment.method, Method::joint().with_view_said());
}

fn manifest(suite: SuiteSettings, spec: NetworkSpec, data: &Dataset) -> Manifest {
    Manifest {
        format: SUITE_FORMAT,
        respike: "test".into(),
        builds: vec!["test".into()],
        command: "none".into(),
        simd: Simd::current(),
        protocols: vec![Protocol::Strict],
        suite,
        model: "small.toml".into(),
        spec,
        data: SuiteData::of(data, vec!["many.h5".into()]),
    }
}

/// A suite of format 1, as it was left by the version that wrote it.
const FORMAT_1: &str = "tests/formats/suite";

#[test]
fn a_folder_is_all_that_its_report_takes() {
    let bench = prepared();
    std::fs::write(bench.path("small-suite.toml"), one_cell(1)).expect("written");
    good(&bench, BENCH);
    let whole = results(&bench.path("out"));
    for file in ["many.h5", "small.toml", "small-suite.toml"] {
        std::fs::remove_file(bench.path(file)).expect("there");
    }
    good(&bench, "bench shd --report-only --out out");
    assert_same(&whole, &results(&bench.path("out")));
    bad(
        &bench,
        "bench shd --report-only --out nowhere",
        &["no suite"],
    );
    // What is given beside it must be of it.
    bad(
        &bench,
        "bench shd --report-only --out out --data train.h5",
        &["other data"],
    );
}

#[test]
fn suites_of_format_1_are_read_and_gone_on_with() {
    let bench = prepared();
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let old = bench.path("old");
    copy(&root.join(FORMAT_1), &old);
    let before = results(&old);
    let printed = good(&bench, "bench shd --report-only --out old --json");
    let figures: Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!(
        (figures["finished"].as_u64(), figures["planned"].as_u64()),
        (Some(7), Some(7))
    );
    for (name, bytes) in &before {
        if !(name.starts_with("tables") || name.starts_with("figures") || name == "report.html") {
            assert!(results(&old)[name] == *bytes, "{name} was changed");
        }
    }
    // It does not say which source it is of.
    std::fs::write(
        bench.path("same.toml"),
        include_str!("../../tests/formats/suite.toml"),
    )
    .expect("written");
    let at = |path: &str| root.join(path).display().to_string();
    let resume = format!(
        "bench shd --data {} --model {} --suite same.toml --protocol strict --out old --resume --simd avx2",
        at("tests/cases/small.h5"),
        at("tests/cases/tiny.toml")
    );
    if Simd::available().contains(&Simd::Avx2) {
        bad(&bench, &resume, &["unknown", "--mix-builds"]);
        good(&bench, &format!("{resume} --mix-builds"));
        let manifest = json(&bench.path("old/suite.json"));
        assert_eq!(
            manifest["builds"],
            serde_json::json!(["unknown", respike::BUILD])
        );
        assert_eq!(manifest["format"], 3);
    }
}

#[cfg(unix)]
#[test]
fn links_in_the_folder_of_a_suite_are_not_followed() {
    use std::os::unix::fs::symlink;
    let bench = prepared();
    std::fs::write(bench.path("small-suite.toml"), one_cell(1)).expect("written");
    good(&bench, BENCH);
    let mine = bench.path("mine");
    std::fs::create_dir(&mine).expect("writable");
    std::fs::write(mine.join("claims.md"), "precious").expect("writable");
    for name in [
        "figures",
        "tables",
        "cells",
        "cells/strict",
        "cells/strict/speaker-1",
        "cells/strict/speaker-1/seed-0.jsonl",
        "note.txt",
    ] {
        let (there, kept) = (bench.path("out").join(name), bench.path("kept"));
        let was_there = there.exists();
        if was_there {
            std::fs::rename(&there, &kept).expect("writable");
        }
        let target = match was_there && kept.is_dir() {
            true => mine.clone(),
            false => mine.join("claims.md"),
        };
        symlink(target, &there).expect("writable");
        for how in ["--report-only", "--resume"] {
            let command = match how {
                "--resume" => format!("{BENCH} --resume"),
                how => format!("bench shd --out out {how}"),
            };
            let last = name.rsplit('/').next().expect("a part");
            bad(&bench, &command, &[last, "link"]);
        }
        std::fs::remove_file(&there).expect("a link");
        if was_there {
            std::fs::rename(&kept, &there).expect("writable");
        }
    }
    let text = std::fs::read_to_string(mine.join("claims.md")).expect("there");
    assert_eq!(text, "precious");
    assert_eq!(mine.read_dir().expect("a folder").count(), 1);
    // Networks are only looked for where something is to be run.
    let networks = bench.path("out/pretrained");
    std::fs::remove_dir_all(&networks).expect("there");
    symlink(&mine, &networks).expect("writable");
    bad(
        &bench,
        &format!("{BENCH} --resume"),
        &["pretrained", "link"],
    );
    std::fs::remove_file(&networks).expect("a link");
    let pipe = Command::new("mkfifo")
        .arg(bench.path("out/note.txt"))
        .status();
    assert!(pipe.expect("mkfifo runs").success());
    bad(&bench, &format!("{BENCH} --resume"), &["note.txt", "pipe"]);
}

#[test]
fn results_of_another_build_are_refused_or_marked() {
    let bench = prepared();
    std::fs::write(bench.path("small-suite.toml"), one_cell(1)).expect("written");
    good(&bench, BENCH);
    let file = bench.path("out/suite.json");
    let text = std::fs::read_to_string(&file).expect("written");
    assert!(text.contains(respike::BUILD));
    let cells = bench.path("out/cells/strict/speaker-1/seed-0.jsonl");
    let line = std::fs::read_to_string(&cells).expect("written");
    assert_eq!(
        line.matches(respike::BUILD).count(),
        2,
        "pre-training and an experiment"
    );
    // Results put in from elsewhere are enough.
    for file in [&cells, &file] {
        let text = std::fs::read_to_string(file).expect("written");
        let other = text.replace(respike::BUILD, "00000000deadbeef");
        std::fs::write(file, other).expect("written");
        bad(
            &bench,
            &format!("{BENCH} --resume"),
            &["00000000deadbeef", "--mix-builds"],
        );
    }
    let more = one_cell(1).replace("[\"naive\"]", "[\"naive\", \"joint\"]");
    std::fs::write(bench.path("small-suite.toml"), more).expect("written");
    good(&bench, &format!("{BENCH} --resume --mix-builds"));
    let line = std::fs::read_to_string(&cells).expect("written");
    assert_eq!(line.matches(respike::BUILD).count(), 1);
    assert_eq!(line.matches("00000000deadbeef").count(), 2);
    // Once allowed, it may go on; the mixture stays marked.
    good(&bench, &format!("{BENCH} --resume"));
    let report = std::fs::read_to_string(bench.path("out/report.html")).expect("written");
    for build in [respike::BUILD, "00000000deadbeef"] {
        assert!(report.contains(build), "the report says which builds");
    }
    let table = std::fs::read_to_string(bench.path("out/tables/all-strict-sample.csv"));
    let table = table.expect("written");
    assert!(table.lines().next().expect("a heading").contains(",build,"));
    for (strategy, build) in [("naive", "00000000deadbeef"), ("joint", respike::BUILD)] {
        let mut rows = table.lines().filter(|line| line.starts_with(strategy));
        let row = rows.next().expect(strategy);
        assert!(row.contains(&format!("{build} (1)")), "{row}");
    }
}

#[test]
fn suites_name_what_they_hold_out() {
    let bench = prepared();
    let named = one_cell(1).replace(
        "scenario = \"sample\"\nheld_out = [1]",
        "scenario = \"class\"\nheld_out = [\"blue\", 3]",
    );
    std::fs::write(bench.path("small-suite.toml"), &named).expect("written");
    good(&bench, BENCH);
    for class in ["class-2", "class-3"] {
        let cells = format!("out/cells/strict/{class}/seed-0.jsonl");
        assert!(bench.path(&cells).exists(), "{class}");
    }
    let commands = std::fs::read_to_string(bench.path("out/tables/all-strict-class.csv"));
    assert!(commands.expect("written").contains("--held-out blue"));
    std::fs::write(
        bench.path("small-suite.toml"),
        named.replace("blue", "mauve"),
    )
    .expect("written");
    bad(
        &bench,
        &format!("{BENCH} --force"),
        &["study 1", "mauve", "red"],
    );
}
