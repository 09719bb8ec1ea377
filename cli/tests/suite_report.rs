//! `respike bench shd`: what it draws, and the commands in its tables.

mod common;

use std::path::Path;

use common::Bench;
use common::browser::{browser, open};
use common::program::{files_below, good};
use common::suite::{BENCH, prepared};
use serde_json::Value;

#[test]
fn a_cell_is_what_learn_makes_of_its_command() {
    let bench = prepared();
    good(&bench, BENCH);
    // Naive, joint, native, and the strongest compression; under the published protocol, too, whose
    // memory has rules of its own; and many classes.
    same_as_learn(
        &bench,
        "strict-sample",
        "strict/speaker-1/seed-0",
        &[0, 1, 2, 11],
    );
    same_as_learn(
        &bench,
        "published-sample",
        "published/speaker-1/seed-0",
        &[2, 11],
    );
    same_as_learn(
        &bench,
        "published-multi-class",
        "published/classes-2/seed-5",
        &[3],
    );
}

/// Runs the commands of some rows of a table, and looks for what they come to among a group's cells.
fn same_as_learn(bench: &Bench, table: &str, group: &str, rows: &[usize]) {
    let table = std::fs::read_to_string(bench.path(&format!("out/tables/all-{table}.csv")));
    let table = table.expect("written");
    let commands = table
        .lines()
        .skip(1)
        .filter_map(|line| line.rsplit(',').next());
    let commands: Vec<&str> = commands.collect();
    let cells = std::fs::read_to_string(bench.path(&format!("out/cells/{group}.jsonl")));
    let cells = cells.expect("written");
    let cells = cells.lines().skip(1);
    let cells: Vec<Value> = cells
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(commands.len(), cells.len(), "a command for each row");
    for &index in rows {
        let command = commands[index]
            .strip_prefix("respike ")
            .expect("our program");
        let printed = good(bench, &format!("{command} --json"));
        let summary: Value = serde_json::from_str(&printed).expect("JSON on stdout");
        let same = |cell: &&Value| cell["experiment"] == summary["experiment"];
        let cell = cells
            .iter()
            .find(same)
            .expect("the experiment is in the suite");
        assert_eq!(cell["after"], summary["accuracy"]["after"], "{command}");
        assert_eq!(cell["matrix"], summary["matrix"], "{command}");
        assert_eq!(
            cell["replay"]["bytes"], summary["replay"]["bytes"],
            "{command}"
        );
    }
}

/// An earlier version ran them: they are read, and their tables and figures are what they were.
#[test]
fn results_that_ship_are_drawn_again_to_the_byte() {
    let shipped =
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("docs/results/digits700");
    let bench = Bench::new();
    let files = files_below(&shipped).into_iter().map(|(path, _)| path);
    let files: Vec<_> = files.filter(|path| path.is_file()).collect();
    let name = |path: &Path| path.strip_prefix(&shipped).expect("below it").to_path_buf();
    let is_drawn = |path: &Path| {
        let name = name(path);
        name.starts_with("tables") || name.starts_with("figures")
    };
    for path in files.iter().filter(|path| !is_drawn(path)) {
        let to = bench.path("out").join(name(path));
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("made");
        std::fs::copy(path, to).expect("copied");
    }
    good(&bench, "bench shd --report-only --out out");
    let (drawn, others): (Vec<_>, Vec<_>) = files.iter().partition(|path| is_drawn(path));
    assert!(drawn.len() > 50 && others.len() > 10, "{files:?}");
    for path in drawn {
        let (was, is) = (
            std::fs::read(path),
            std::fs::read(bench.path("out").join(name(path))),
        );
        assert!(
            was.expect("it ships") == is.expect("drawn"),
            "{} is not what it was",
            path.display()
        );
    }
}

/// Opens the report as people do, without a network, and looks at what the browser makes of it.
#[test]
fn a_browser_shows_the_report_whole() {
    let Some(browser) = browser() else {
        return;
    };
    let bench = prepared();
    good(&bench, BENCH);
    let page = open(browser, &bench, "out/report.html");
    assert_eq!(page.errors, [""; 0], "the page has errors");
    assert_eq!(page.requests, [""; 0], "the page asks for something");
    let dom = page.dom;
    let figures = [
        "accuracy-per-epoch-strict-sample",
        "accuracy-per-epoch-strict-class",
        "accuracy-per-epoch-published-sample",
        "accuracy-by-lr-index",
        "accuracy-after-each-class",
        "accuracy-against-kilobytes",
        "accuracy-matrix-strict",
        "accuracy-matrix-published",
        "spiking-activity",
    ];
    for name in figures {
        let figure = dom
            .split_once(&format!("<figure id=\"{name}\""))
            .map(|(_, rest)| rest);
        let figure = figure.and_then(|rest| rest.split("</figure>").next());
        let figure = figure.unwrap_or_else(|| panic!("no figure {name}"));
        // Marks that the browser has read as such, not text about them.
        let marks = figure.matches("<rect").count() + figure.matches("<circle").count();
        assert!(figure.contains("<svg") && marks > 10, "{name} is empty");
        for ending in ["svg", "png"] {
            let file = bench.path(&format!("out/figures/{name}.{ending}"));
            assert!(file.metadata().expect("drawn").len() > 1000);
        }
    }
    assert_eq!(
        dom.matches("<figure ").count(),
        figures.len(),
        "every figure is listed here"
    );
    assert!(dom.contains("A grid for &lt;tests&gt; &amp; nothing else."));
    assert!(!dom.contains("<script") && !dom.contains("http-equiv"));

    // And it would tell if there were anything to tell.
    let report = std::fs::read_to_string(bench.path("out/report.html")).expect("written");
    let bad = "<img src=\"http://127.0.0.1:9/x.png\"><script>nothing.here()</script></body>";
    std::fs::write(bench.path("bad.html"), report.replace("</body>", bad)).expect("written");
    let page = open(browser, &bench, "bad.html");
    assert_eq!(page.requests, ["http://127.0.0.1:9/x.png"]);
    assert!(
        page.errors
            .iter()
            .any(|line| line.contains("nothing is not defined"))
    );
}
