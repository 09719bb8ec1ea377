//! Plots of what a trained network does: traces, learned time constants, rates, and the page that plays.

mod common;

use std::path::PathBuf;

use common::Bench;
use common::browser::{browser, open};
use common::program::{bad, good, run};
use common::svg::{Kind, Picture};
use respike::dataset::{ShdContents, write_shd};
use respike::network::{Network, Stage, StageInput};
use respike::train::Checkpoint;
use serde_json::Value;

/// Neurons of every kind, with what can be learned of each.
const NEURONS: [(&str, &str, &[&str], usize); 5] = [
    (
        "cuba-lif",
        "tau_syn_steps = 5.0\ntau_mem_steps = 10.0\nthreshold = 1.0\nlearn_tau_mem_steps = { min = 2.0, max = 40.0 }\n\
         learn_threshold = { min = 0.5, max = 2.0, shared = true }",
        &["membrane potential", "threshold", "synaptic current"],
        2,
    ),
    (
        "lif",
        "tau_mem_steps = 10.0\nthreshold = 0.2\nreset = \"subtract\"",
        &["membrane potential", "threshold"],
        0,
    ),
    (
        "lif",
        "tau_mem_steps = 10.0\nthreshold = 0.2\nreset = \"to-zero\"\nlearn_tau_mem_steps = { min = 2.0, max = 40.0 }",
        &["membrane potential", "threshold"],
        1,
    ),
    (
        "alif",
        "tau_mem_steps = 10.0\ntau_adaptation_steps = 20.0\nthreshold = 0.1\nrise = 1.8\n\
         learn_tau_mem_steps = { min = 2.0, max = 40.0 }\nlearn_tau_adaptation_steps = { min = 5.0, max = 90.0 }",
        &["membrane potential", "threshold", "adaptation"],
        2,
    ),
    (
        "adlif",
        "tau_mem_steps = [5.0, 25.0]\ntau_adaptation_steps = [10.0, 60.0]\nthreshold = 0.2\nscale = 20.0\nlearned = true",
        &["membrane potential", "threshold", "adaptation current"],
        4,
    ),
];

/// A network of such neurons, trained for a moment: `run/checkpoint.safetensors`.
fn trained(kind: &str, settings: &str) -> Bench {
    let bench = Bench::new();
    let spec = std::fs::read_to_string(bench.path("small.toml")).expect("the bench's network");
    let (before, after) = spec.split_once("[neuron]").expect("a table");
    let rest = after.split_once("\n[").map_or("", |(_, rest)| rest);
    let surrogate = "surrogate = { kind = \"fast-sigmoid\", slope = 20.0 }";
    let own = format!("{before}[neuron]\nkind = \"{kind}\"\n{settings}\n{surrogate}\n\n[{rest}");
    // So that neurons of every kind spike, and learn.
    let own = own.replace("weight_scale = 1.0", "weight_scale = 4.0");
    std::fs::write(bench.path("own.toml"), own).expect("written");
    good(
        &bench,
        "train --data train.h5 --model own.toml --epochs 3 --lr 1e-2 --seed 7 --out run",
    );
    bench
}

const CHECKPOINT: &str = "run/checkpoint.safetensors";

fn drawn(bench: &Bench, command: &str) -> Picture {
    good(bench, &format!("{command} --out out.svg --force"));
    let svg = std::fs::read_to_string(bench.path("out.svg")).expect("drawn");
    let picture = Picture::read(&svg);
    picture.is_sound();
    picture
}

#[test]
fn traces_and_learned_numbers_of_every_neuron_are_drawn() {
    for (kind, settings, states, learned) in NEURONS {
        let bench = trained(kind, settings);
        let traces = format!("plot traces --data test.h5 --sample 5 --checkpoint {CHECKPOINT}");
        let picture = drawn(&bench, &traces);
        picture.says(states);
        picture.says(&["spike", "time (ms)"]);
        picture.tells(&[&format!(
            "layer 1 of small, 16 {kind} neurons; the 4 that spiked most"
        )]);
        let rows = picture
            .words()
            .into_iter()
            .filter(|words| words.starts_with("neuron "));
        assert_eq!(rows.count(), 4);
        let picture = drawn(&bench, &format!("{traces} --layer 3 --neurons 7,0"));
        picture.says(&["neuron 7", "neuron 0"]);

        let constants = format!("plot time-constants {CHECKPOINT}");
        if learned == 0 {
            let command = format!("{constants} --out none.png");
            bad(&bench, &command, &["the neurons of small learn nothing"]);
            continue;
        }
        let picture = drawn(&bench, &constants);
        let panels = picture
            .words()
            .into_iter()
            .filter(|words| words.starts_with("layer "));
        assert_eq!(panels.count(), 3 * learned, "{kind}: three layers");
        picture.says(&["layer 1: τ_mem", "after training"]);
    }
}

#[test]
fn spikes_that_are_drawn_are_those_of_the_network() {
    let bench = trained(NEURONS[4].0, NEURONS[4].1);
    let saved = Checkpoint::load(&bench.path(CHECKPOINT)).expect("just written");
    let data =
        respike::dataset::read_dataset(&[bench.path("test.h5")], saved.network.spec().binning());
    let data = data.expect("it fits");
    let (_, sample) = data.iter().nth(5).expect("there are more");
    let activity = saved
        .network
        .run(Stage::Whole, &StageInput::counts(&sample.counts));
    let activity = activity.expect("it fits");
    for layer in 0..3 {
        let counts = activity.spikes[layer].counts_per_unit();
        let unit = activity.most_active(layer, 1)[0].0;
        assert!(counts[unit] > 1, "layer {layer} spikes");
        let picture = drawn(
            &bench,
            &format!(
                "plot traces --data test.h5 --sample 5 --checkpoint {CHECKPOINT} --layer {} --neurons {unit}",
                layer + 1
            ),
        );
        let spikes = match counts[unit] {
            1 => "1 spike".to_string(),
            spikes => format!("{spikes} spikes"),
        };
        picture.says(&[&spikes]);
        // One upright mark each, and one in the legend.
        let marks = picture.shapes(Kind::Rect, "#222222").into_iter();
        let marks = marks.filter(|mark| (2.5..4.5).contains(&mark.area.width()));
        let marks = marks.filter(|mark| (18.0..30.0).contains(&mark.area.height()));
        assert_eq!(marks.count(), counts[unit] as usize + 1);
    }
}

#[test]
fn the_start_is_the_one_that_training_began_with() {
    let bench = trained(NEURONS[4].0, NEURONS[4].1);
    let saved = Checkpoint::load(&bench.path(CHECKPOINT)).expect("just written");
    let training = saved.past_training().expect("it says so");
    let start = Network::new(saved.network.spec().clone(), training.seed);
    Checkpoint::new(start, saved.trained_on.clone())
        .save(&bench.path("start.safetensors"))
        .expect("written");
    let medians = |command: &str| {
        let picture = drawn(&bench, command);
        let words = picture.words().into_iter().map(String::from);
        words
            .filter(|words| words.contains("median"))
            .collect::<Vec<String>>()
    };
    let alone = medians(&format!("plot time-constants {CHECKPOINT}"));
    let both = medians(&format!(
        "plot time-constants start.safetensors {CHECKPOINT}"
    ));
    assert_eq!(alone, both);
    let same = medians("plot time-constants start.safetensors start.safetensors");
    assert_eq!(same.len(), 12);
    assert_ne!(alone, same, "something was learned");
    // Of unknown origin.
    let command = "plot time-constants start.safetensors --out x.png";
    bad(
        &bench,
        command,
        &["start.safetensors does not say from which seed"],
    );
}

#[test]
fn the_start_of_what_began_with_a_trained_network_is_that_network() {
    let bench = trained(NEURONS[4].0, NEURONS[4].1);
    good(
        &bench,
        &format!("train --init {CHECKPOINT} --data test.h5 --epochs 2 --lr 3e-2 --out second"),
    );
    let second = "second/checkpoint.safetensors";
    let medians = |command: &str| {
        let picture = drawn(&bench, command);
        let words = picture.words().into_iter().map(String::from);
        let words = words.filter(|words| words.contains("median") || words.contains("start"));
        words.collect::<Vec<String>>()
    };
    let both = medians(&format!("plot time-constants {CHECKPOINT} {second}"));
    let alone = format!("plot time-constants {second}");
    let told = medians(&alone);
    assert_eq!(told.iter().filter(|words| words.contains('→')).count(), 12);
    assert_eq!(told[..12], both[..12]);
    assert!(told.iter().any(|words| words == "at the start"), "{told:?}");
    // The checkpoint says so wherever it lies; one of before did not, but its record does.
    std::fs::rename(bench.path("second/run.jsonl"), bench.path("run.jsonl")).expect("there");
    assert_eq!(medians(&alone), told);
    let mut saved = Checkpoint::load(&bench.path(second)).expect("a checkpoint");
    saved.started_from = None;
    saved.save(&bench.path("old.safetensors")).expect("written");
    assert_eq!(medians("plot time-constants old.safetensors"), told);
    // Another network there now, or none: the start is not known.
    let other = Checkpoint::load(&bench.path(second)).expect("a checkpoint");
    other.save(&bench.path(CHECKPOINT)).expect("written");
    for words in ["another network", "not there"] {
        let output = run(&bench, &format!("{alone} --out after.svg --force"));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains("the start is not known"), "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
        let after = medians(&alone);
        assert_eq!(after.len(), 12, "{after:?}");
        assert!(after.iter().all(|words| !words.contains('→')), "{after:?}");
        let _ = std::fs::remove_file(bench.path(CHECKPOINT));
    }
}

#[test]
fn rates_are_drawn_and_written_as_numbers() {
    let bench = trained(NEURONS[0].0, NEURONS[0].1);
    let rates = format!("plot rates --data test.h5 --checkpoint {CHECKPOINT}");
    let picture = drawn(&bench, &rates);
    picture.says(&[
        "small on test.h5",
        "layer 3",
        "red",
        "grey",
        "rate (Hz)",
        "never spikes",
    ]);
    let printed = good(&bench, &format!("{rates} --out r.png --csv r.csv --json"));
    let summary: Value = serde_json::from_str(&printed).expect("JSON on stdout");
    assert_eq!(summary["samples"], 36);
    let table = std::fs::read_to_string(bench.path("r.csv")).expect("written");
    let rows: Vec<Vec<&str>> = table
        .lines()
        .skip(1)
        .map(|row| row.split(',').collect())
        .collect();
    assert_eq!(rows.len(), (16 + 12 + 8) * 4);
    // What is in the table comes to the means, on samples of 0.6 s.
    for (layer, of_layer) in summary["layers"]
        .as_array()
        .expect("a list")
        .iter()
        .enumerate()
    {
        let here = rows.iter().filter(|row| row[0] == (layer + 1).to_string());
        let here: Vec<_> = here.collect();
        let spikes: f64 = here
            .iter()
            .map(|row| row[4].parse::<f64>().expect("a number"))
            .sum();
        let neurons = of_layer["neurons"].as_f64().expect("a number");
        let hz = of_layer["hz"].as_f64().expect("a number");
        assert!((hz - spikes / (neurons * 36.0 * 0.6)).abs() < 1e-9);
        let by_class = of_layer["hz_by_class"].as_array().expect("a list");
        let mean: f64 = by_class.iter().filter_map(Value::as_f64).sum::<f64>() / 4.0;
        assert!((hz - mean).abs() < 1e-9, "classes are of one size");
    }
    // Whatever the number of threads.
    let again = good(
        &bench,
        &format!("{rates} --out s.png --csv s.csv --json --threads 1"),
    );
    assert_eq!(again, printed);
    let bytes = |name| std::fs::read(bench.path(name)).expect("written");
    assert_eq!(
        (bytes("r.csv"), bytes("r.png")),
        (bytes("s.csv"), bytes("s.png"))
    );
}

#[test]
fn what_cannot_be_drawn_is_said_in_a_sentence() {
    let bench = trained(NEURONS[4].0, NEURONS[4].1);
    std::fs::write(bench.path("text.safetensors"), "no checkpoint").expect("written");
    std::fs::write(bench.path("there.png"), "a picture").expect("written");
    std::fs::write(bench.path("there.html"), "a page").expect("written");
    let traces =
        format!("plot traces --data test.h5 --sample 0 --checkpoint {CHECKPOINT} --out x.png");
    let rates = format!("plot rates --data test.h5 --checkpoint {CHECKPOINT}");
    let other = common_file("tests/formats/train/checkpoint.safetensors");
    for (command, words) in [
        (format!("{traces} --layer 0"), "--layer must be 1 to 3"),
        (format!("{traces} --layer 4"), "not 4"),
        (
            format!("{traces} --neurons 3,16"),
            "--neurons must be 0 to 15",
        ),
        (format!("{traces} --neurons 3,5,3"), "--neurons has 3 twice"),
        (
            traces.replace("--sample 0", "--sample 36"),
            "0 to 35 can be drawn, not 36",
        ),
        (
            traces.replace(CHECKPOINT, "text.safetensors"),
            "text.safetensors",
        ),
        (
            traces.replace(CHECKPOINT, "none.safetensors"),
            "none.safetensors",
        ),
        (traces.replace(CHECKPOINT, &other), "red"),
        (
            traces.replace("x.png", "x.gif"),
            "plots are written as .png or .svg",
        ),
        (traces.replace("x.png", "there.png"), "is there already"),
        (traces.replace("x.png", "nowhere/x.png"), "nowhere/x.png"),
        (
            "plot time-constants text.safetensors --out x.png".into(),
            "text.safetensors",
        ),
        (
            format!("plot time-constants {CHECKPOINT} --out x.pdf"),
            ".png or .svg",
        ),
        (
            format!("plot time-constants {CHECKPOINT} {other} --out x.png"),
            "learn other numbers",
        ),
        (format!("{rates} --out x.html"), ".png or .svg"),
        (
            format!("{rates} --out x.png --csv x.png"),
            "name the same file",
        ),
        (
            format!("{rates} --out x.png --csv there.png"),
            "choose another --csv",
        ),
        (
            "plot player --data test.h5 --sample 36 --out x.html".into(),
            "0 to 35",
        ),
        (
            "plot player --data test.h5 --sample 0 --out x.png".into(),
            "pages are written as .html",
        ),
        (
            "plot player --data test.h5 --sample 0 --out there.html".into(),
            "is there already",
        ),
        (
            "plot player --data test.h5 --sample 0 --checkpoint text.safetensors --out x.html"
                .into(),
            "text.safetensors",
        ),
        (
            "plot raster --data test.h5 --sample 0 --out x.html".into(),
            "respike plot player",
        ),
    ] {
        bad(&bench, &command, &[words]);
    }
}

fn common_file(path: &str) -> String {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path);
    path.to_str().expect("text").to_string()
}

/// What stands on the page under an id.
fn element<'a>(dom: &'a str, id: &str) -> &'a str {
    let (_, rest) = dom.split_once(&format!("id=\"{id}\"")).expect("an element");
    let (_, rest) = rest.split_once('>').expect("a tag");
    rest.split('<').next().unwrap_or_default()
}

#[test]
fn a_page_plays_in_a_browser_without_a_network() {
    let bench = Bench::new();
    let names = [
        "<b>red</b>",
        "gr&een",
        "</script><script>alert(1)</script>",
        "grey\u{202e}",
    ];
    let names = names.map(String::from).to_vec();
    for (file, each, salt) in [("train.h5", 4, 1), ("test.h5", 1, 2)] {
        let recordings = common::recordings(each, salt);
        let contents = ShdContents::new(&names, &recordings);
        write_shd(&bench.path(file), &contents).expect("written");
    }
    good(
        &bench,
        "train --data train.h5 --model small.toml --epochs 2 --out run",
    );
    let player = "plot player --data test.h5 --sample 6";
    good(
        &bench,
        &format!("{player} --checkpoint {CHECKPOINT} --out page.html"),
    );
    good(&bench, &format!("{player} --out alone.html"));
    good(
        &bench,
        &format!("{player} --checkpoint {CHECKPOINT} --out again.html"),
    );
    let bytes = |name| std::fs::read(bench.path(name)).expect("written");
    assert_eq!(bytes("page.html"), bytes("again.html"));
    let Some(browser) = browser() else {
        return;
    };
    let page = open(browser, &bench, "page.html#ms=100");
    assert_eq!(page.errors, [""; 0], "the page has errors");
    assert_eq!(page.requests, [""; 0], "the page asks for something");
    let dom = page.dom;
    let title =
        "sample 6 of test.h5, speaker 0: “&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;”";
    assert!(
        element(&dom, "title").starts_with(title),
        "{}",
        element(&dom, "title")
    );
    // Bins of 20.7 ms; the marker stands where the address says.
    assert_eq!(element(&dom, "now"), "100.0 of 600.0 ms");
    let spiking = element(&dom, "spiking");
    assert!(
        spiking.starts_with("Spikes in 82.8 to 103.4 ms\ninput: "),
        "{spiking}"
    );
    for words in ["&lt;b&gt;red&lt;/b&gt;", "gr&amp;een", "grey\\u{202e}"] {
        assert!(dom.contains(words), "{words}");
    }
    assert_eq!(
        dom.matches("scope=\"row\"").count(),
        4,
        "a row for each class"
    );
    assert!(dom.contains("(true"), "the true class is marked");

    // What people do on it.
    let acts = r#"<script>
        const key = (key) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        const note = (name, text) => document.body.setAttribute("data-" + name, text);
        const find = (id) => document.getElementById(id);
        find("time").value = 15;
        find("time").dispatchEvent(new Event("input"));
        note("slid", find("now").textContent);
        key("ArrowRight");
        note("right", find("now").textContent);
        find("time").value = find("time").max;
        find("time").dispatchEvent(new Event("input"));
        note("end", find("now").textContent);
        key("Home");
        note("home", find("now").textContent + ", " + find("spiking").textContent);
        const box = find("raster").getBoundingClientRect();
        for (let x = 80; x < box.width && find("tip").hidden; x += 4) {
            for (let y = 0; y < 100 && find("tip").hidden; y += 4) {
                const at = { clientX: box.left + x, clientY: box.top + y, pointerType: "mouse" };
                find("raster").dispatchEvent(new PointerEvent("pointermove", at));
            }
        }
        note("tip", find("tip").textContent);
        key(" ");
        note("playing", find("play").textContent);
        find("play").click();
        note("paused", find("play").textContent);
        </script></body>"#;
    let html = std::fs::read_to_string(bench.path("page.html")).expect("written");
    std::fs::write(bench.path("acts.html"), html.replace("</body>", acts)).expect("written");
    let page = open(browser, &bench, "acts.html");
    assert_eq!(page.errors, [""; 0], "the page has errors");
    let noted = |name: &str| {
        let (_, rest) = page
            .dom
            .split_once(&format!("data-{name}=\""))
            .expect("noted");
        rest.split('"').next().unwrap_or_default().to_string()
    };
    // Steps are of 600/29 ms.
    assert_eq!(noted("slid"), "310.3 of 600.0 ms");
    assert_eq!(noted("right"), "331.0 of 600.0 ms");
    assert_eq!(noted("end"), "600.0 of 600.0 ms");
    assert_eq!(noted("home"), "0.0 of 600.0 ms, Nothing has happened yet.");
    let tip = noted("tip");
    assert!(
        tip.starts_with("input, channel ") && tip.contains(" ms"),
        "{tip}"
    );
    assert_eq!(
        (&noted("playing")[..], &noted("paused")[..]),
        ("Pause", "Play")
    );

    let page = open(browser, &bench, "alone.html");
    assert_eq!((page.errors, page.requests), (vec![], vec![]));
    assert!(page.dom.contains("<section id=\"readout\" hidden"));
    // All is to be seen at first.
    assert_eq!(element(&page.dom, "now"), "1400.0 of 1400.0 ms");
}
