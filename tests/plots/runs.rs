//! Curves, confusion matrices and comparisons of runs, from records made up here.

use std::fs;

use ndarray::Array2;
use respike::continual::Protocol;
use respike::method::Method;
use respike::report::plot::{PlotError, comparison, confusion, curves, raster};
use respike::report::{Description, RunRecord, Summary};

use super::figures::*;
use super::records::*;
use super::svg::{Kind, Picture};

const OLD: &str = "#0072B2";
const NEW: &str = "#D55E00";
const ALL: &str = "#333333";
const TO_COME: &str = "#E69F00";
const BORDER: &str = "#B4BCC4";

#[test]
fn curves_tell_old_new_and_all_apart() {
    let one = [learn_run("class-naive", Method::naive(), 1, 30)];
    let (png, svg) = both(&|path| curves(&one, path));
    says(
        &svg,
        &[
            "class-naive",
            "epoch",
            "accuracy (%)",
            "old",
            "new",
            "all test samples",
            "learning begins",
        ],
    );
    for colour in ["#0072B2", "#D55E00"] {
        assert!(svg.contains(colour));
    }
    assert!(!texts(&svg).iter().any(|text| text == "next task"));
    let (other, svg) = both(&|path| curves(&six_runs(), path));
    assert_ne!(png, other);
    says(&svg, &["multi-class-naive", "next task", "0", "100"]);
    nothing_is_placed_outside(&svg);
}

/// From a height in a figure with an axis from 0 to 100 to a percentage.
fn percent_at(picture: &Picture) -> impl Fn(f64) -> f64 + '_ {
    // At the left, where the numbers of the y axis are.
    let height = |label: &str| {
        let texts = picture.texts.iter().filter(|text| text.words == label);
        let leftmost = texts.min_by(|one, other| one.area.left.total_cmp(&other.area.left));
        leftmost.expect("a number at the y axis").area.middle().1
    };
    // The middle of a number stands a little below its tick.
    let (none, all) = (height("0") - 2.0, height("100") - 2.0);
    move |y| (none - y) / (none - all) * 100.0
}

#[test]
fn new_counts_what_was_learned_so_far_and_what_is_to_come_stands_apart() {
    let run = [two_classes_one_by_one("two-classes")];
    let (_, svg) = both(&|path| curves(&run, path));
    let picture = Picture::read(&svg);
    picture.is_sound();
    picture.says(&[
        "new (of several, those learned so far)",
        "still to come",
        "80 test samples: 40 old, 40 new",
    ]);
    let percent = percent_at(&picture);
    let dots = |colour: &str| -> Vec<f64> {
        let mut dots = picture.shapes(Kind::Circle, colour);
        dots.retain(|dot| dot.area.width() > 10.0);
        dots.iter()
            .map(|dot| percent(dot.area.middle().1).round())
            .collect()
    };
    // 10 test samples of the first new class, 30 of the second: (0.4 × 10 + 0.8 × 30) / 40 at the end.
    assert_eq!(dots(NEW), [50.0, 70.0]);
    // Both before any is learned, then the second alone.
    assert_eq!(dots(TO_COME), [15.0, 15.0, 20.0]);
    assert_eq!(dots(OLD), [80.0, 90.0, 70.0, 60.0]);
    // From a pre-trained network on, the same.
    let mut run = two_classes_one_by_one("goes on");
    run.epochs.drain(..2);
    let (_, svg) = both(&|path| curves(&[run.clone()], path));
    let picture = Picture::read(&svg);
    let percent = percent_at(&picture);
    let to_come = picture.shapes(Kind::Circle, TO_COME);
    let to_come = to_come.iter().filter(|dot| dot.area.width() > 10.0);
    let to_come: Vec<f64> = to_come
        .map(|dot| percent(dot.area.middle().1).round())
        .collect();
    assert_eq!(to_come, [15.0, 20.0]);
}

#[test]
fn where_old_grows_new_is_still_all_that_was_learned() {
    let mut run = two_classes_one_by_one("published");
    if let Description::Learn(experiment) = &mut run.start.settings {
        experiment.protocol = Protocol::Published;
    }
    // What such a run notes: old with the first new class in it, and the second new class alone.
    let last = run.epochs.last_mut().expect("four epochs");
    last.accuracy.insert("old".into(), 0.56);
    last.accuracy.insert("new".into(), 0.8);
    let (_, svg) = both(&|path| curves(&[run.clone()], path));
    let picture = Picture::read(&svg);
    picture.tells(&["80 test samples: 40 old, at the end 40 new"]);
    let percent = percent_at(&picture);
    let dots = |colour: &str| -> Vec<f64> {
        let dots = picture.shapes(Kind::Circle, colour).into_iter();
        let dots = dots.filter(|dot| dot.area.width() > 10.0);
        dots.map(|dot| percent(dot.area.middle().1).round())
            .collect()
    };
    assert_eq!(dots(NEW), [50.0, 70.0]);
    assert_eq!(dots(OLD), [80.0, 90.0, 70.0, 60.0]);
}

#[test]
fn lines_that_coincide_are_both_seen_and_dashes_stay_dashes() {
    let mut run = two_classes_one_by_one("two-classes");
    for epoch in &mut run.epochs {
        let old = epoch.accuracy["old"];
        epoch.accuracy.insert("all".into(), old);
    }
    let (_, svg) = both(&|path| curves(&[run.clone()], path));
    let picture = Picture::read(&svg);
    let widest = |colour: &str| {
        let dots = picture.shapes(Kind::Circle, colour).into_iter();
        dots.map(|dot| dot.area.width()).fold(0.0, f64::max)
    };
    assert!(widest(ALL) >= widest(OLD) + 4.0, "a rim is seen around it");
    // Hundreds of epochs, each shorter than a dash.
    run.epochs = std::iter::repeat_n(run.epochs[0].clone(), 400).collect();
    let (_, svg) = both(&|path| curves(&[run.clone()], path));
    let picture = Picture::read(&svg);
    let dashes = picture.shapes.iter().filter(|shape| {
        let level = shape.area.width() > 0.0 && shape.area.bottom < picture.height * 0.85;
        shape.fill == TO_COME && level
    });
    let dashes: Vec<_> = dashes.map(|shape| shape.area).collect();
    let from = dashes
        .iter()
        .map(|dash| dash.left)
        .fold(f64::INFINITY, f64::min);
    let to = dashes.iter().map(|dash| dash.right).fold(0.0, f64::max);
    let inked: f64 = dashes.iter().map(|dash| dash.width()).sum();
    assert!(to - from > 1000.0, "from {from} to {to}");
    let share = inked / (to - from);
    assert!((0.4..0.8).contains(&share), "{share} of the line is inked");
}

#[test]
fn curves_of_plain_training_show_training_and_test() {
    let runs = [train_run("plain", 25, 10)];
    let (_, svg) = both(&|path| curves(&runs, path));
    says(&svg, &["plain", "test samples", "training samples"]);
    assert!(!texts(&svg).iter().any(|text| text == "old"));
}

#[test]
fn unfinished_and_odd_runs_are_drawn_as_far_as_they_go() {
    let mut cut_off = learn_run("cut-off", Method::latent(2, memory()), 2, 5);
    cut_off.summary = None;
    cut_off.epochs.truncate(33);
    let mut single = train_run("single", 1, 10);
    single.epochs[0].accuracy.clear();
    let mut odd = learn_run("", Method::naive(), 1, 4);
    for (index, line) in odd.epochs.iter_mut().enumerate() {
        let value = [f64::NAN, 1e300, -3.0, f64::INFINITY][index % 4];
        line.accuracy.insert("old".into(), value);
    }
    let mut empty = learn_run("empty", Method::naive(), 1, 4);
    empty.epochs.clear();
    empty.summary = None;
    let (_, svg) = both(&|path| {
        curves(
            &[cut_off.clone(), single.clone(), odd.clone(), empty.clone()],
            path,
        )
    });
    says(
        &svg,
        &["cut-off (unfinished)", "no epoch yet", "training samples"],
    );
    nothing_is_placed_outside(&svg);

    let folder = tempfile::tempdir().expect("a folder");
    let error = curves(&[empty], &folder.path().join("a.png")).expect_err("no epoch");
    assert!(error.to_string().contains("empty"), "{error}");
    assert!(curves(&[], &folder.path().join("a.png")).is_err());
}

#[test]
fn confusion_matrices_name_every_class() {
    let runs = [learn_run("class-naive", Method::naive(), 1, 30)];
    let (png, svg) = both(&|path| confusion(&runs, path));
    let names = class_names(10);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    says(&svg, &names);
    // Counts are written into the cells: the diagonal's first is 120.
    says(
        &svg,
        &[
            "class-naive",
            "true class",
            "predicted class (number of samples; empty: 0)",
            "share of the true class (%)",
            "120",
        ],
    );
    nothing_is_placed_outside(&svg);
    let twenty = [train_run("twenty", 10, 20)];
    let (other, svg) = both(&|path| confusion(&twenty, path));
    assert_ne!(png, other);
    // Counts stand in the cells of twenty classes, too.
    says(
        &svg,
        &[
            "null",
            "fünf",
            "seven",
            "neun",
            "50",
            "accuracy 74.4 % of 1035 test samples",
        ],
    );
    let (_, svg) = both(&|path| confusion(&six_runs(), path));
    nothing_is_placed_outside(&svg);
}

#[test]
fn confusion_matrices_mark_new_classes_and_say_what_they_count() {
    let run = [two_classes_one_by_one("two-classes")];
    let (_, svg) = both(&|path| confusion(&run, path));
    let picture = Picture::read(&svg);
    picture.is_sound();
    picture.tells(&["of 80 test samples; *\u{a0}new\u{a0}classes"]);
    // Once at its row and once at its column.
    let named = |name: &str| picture.words().iter().filter(|word| **word == name).count();
    for (name, times) in [
        ("four\u{a0}*", 2),
        ("five\u{a0}*", 2),
        ("three", 2),
        ("three\u{a0}*", 0),
    ] {
        assert_eq!(named(name), times, "{name}");
    }
    assert_eq!(picture.text("four\u{a0}*").fill, NEW);
    // Lines between six rows and six columns.
    assert_eq!(picture.shapes(Kind::Rect, BORDER).len(), 10);
    // A new speaker is no new class, whatever its name.
    let mut speaker = learn_run("speaker", Method::joint(), 1, 3);
    speaker.start.tasks[1].name = "four".to_string();
    let (_, svg) = both(&|path| confusion(&[speaker.clone()], path));
    assert!(!svg.contains("new\u{a0}classes") && svg.contains("\nfour\n"));

    let mut untested = train_run("untested", 3, 10);
    if let Some(Summary::Train(summary)) = &mut untested.summary {
        summary.test_accuracy = None;
    }
    let (_, svg) = both(&|path| confusion(&[untested.clone()], path));
    let picture = Picture::read(&svg);
    picture.tells(&["of 506 training samples, as there were none to test with"]);
    picture.is_sound();
}

#[test]
fn confusion_matrices_of_any_size_are_drawn() {
    let sized = |matrix: Array2<u32>, names: usize| {
        let mut run = train_run("sized", 1, 10);
        run.start.data.class_names = class_names(names);
        if let Some(Summary::Train(summary)) = &mut run.summary {
            summary.confusion = matrix.into();
        }
        both(&|path| confusion(&[run.clone()], path)).1
    };
    let quiet = Array2::zeros((10, 10));
    says(&sized(quiet.clone(), 10), &["no samples", "nine"]);
    says(&sized(quiet, 1), &["zero"]);
    // A network with more readouts than classes: the others are left out while nothing is there.
    let mut many = Array2::zeros((25, 25));
    many[[0, 0]] = u32::MAX;
    let svg = sized(many.clone(), 10);
    assert!(
        !texts(&svg).iter().any(|text| text == "10"),
        "class 10 is nowhere"
    );
    many[[2, 11]] = 3;
    says(&sized(many, 10), &["nine", "10", "11"]);
    let svg = sized(Array2::from_elem((300, 300), u32::MAX), 10);
    nothing_is_placed_outside(&svg);
    Picture::read(&svg).tells(&["counts are too many to be written here"]);
    // Every count of fourteen words stands in its cell.
    let fourteen = Array2::from_shape_fn((14, 14), |(row, column)| (row * 14 + column) as u32 + 1);
    let svg = sized(fourteen, 14);
    let texts = texts(&svg);
    let missing = (1..=196).find(|count: &u32| !texts.contains(&count.to_string()));
    assert_eq!(missing, None);
    sized(Array2::zeros((0, 0)), 1);
}

#[test]
fn confusion_needs_runs_that_are_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("confusion.svg");
    let mut run = learn_run("cut-off", Method::naive(), 1, 3);
    run.summary = None;
    for draw in [confusion, comparison] {
        let error = draw(&[run.clone()], &path).expect_err("it is not over");
        assert!(matches!(error, PlotError::NothingToDraw(_)), "{error}");
        assert!(error.to_string().contains("cut-off"), "{error}");
        assert!(draw(&[], &path).is_err());
    }
    let error =
        comparison(&[train_run("plain", 3, 10)], &path).expect_err("nothing new is learned");
    assert!(error.to_string().contains("plain"), "{error}");
    assert!(!path.exists());
}

#[test]
fn comparisons_say_what_was_run() {
    let (png, svg) = both(&|path| comparison(&six_runs(), path));
    says(
        &svg,
        &[
            "class: new class 9",
            "sample: new",
            "naive",
            "joint",
            "latent, LR 2, or:10",
            "old",
            "new",
            "before learning",
            "accuracy at the end (%)",
        ],
    );
    nothing_is_placed_outside(&svg);
    // From left to right as given, whatever the names.
    let order = |runs: &[RunRecord]| -> Vec<String> {
        let (_, svg) = both(&|path| comparison(runs, path));
        let texts = Picture::read(&svg).texts.into_iter();
        let mut texts: Vec<_> = texts.filter(|text| text.words.contains("-run")).collect();
        texts.sort_by(|one, other| one.area.left.total_cmp(&other.area.left));
        texts.into_iter().map(|text| text.words).collect()
    };
    let mut given = ["z-run", "a-run", "m-run"].map(|name| learn_run(name, Method::naive(), 1, 3));
    assert_eq!(order(&given), ["z-run", "a-run", "m-run"]);
    given.reverse();
    assert_eq!(order(&given), ["m-run", "a-run", "z-run"]);
    let (other, _) = both(&|path| comparison(&six_runs()[..2], path));
    assert_ne!(png, other);
    // The same twice: then the folder tells them apart.
    let twins = ["seed-0", "seed-1"].map(|name| learn_run(name, Method::naive(), 1, 3));
    let (_, svg) = both(&|path| comparison(&twins, path));
    says(&svg, &["seed-0", "seed-1"]);
    let mut odd = learn_run("odd", Method::latent(2, memory()), 2, 3);
    if let Some(Summary::Learn(summary)) = &mut odd.summary {
        summary.accuracy.before.new = f64::NAN;
        summary.accuracy.after.old = f64::NAN;
        summary.accuracy.after.new = 1e300;
        summary.replay.figures.bytes = u64::MAX;
    }
    both(&|path| comparison(&[odd.clone()], path));
    let many: Vec<RunRecord> = (0..30)
        .flat_map(|_| six_runs().into_iter().take(1))
        .collect();
    both(&|path| comparison(&many, path));
}

#[test]
fn only_png_and_svg_are_written() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["plot.pdf", "plot", "png", ".svg", "plot.png.gz"] {
        let path = folder.path().join(name);
        // Before anything is found fault with in the runs.
        for runs in [vec![], six_runs()] {
            let error = curves(&runs, &path).expect_err("no such format");
            let expected = format!("{}: plots are written as .png or .svg", path.display());
            assert_eq!(error.to_string(), expected);
        }
        assert!(raster(&spikes(5, 0.1), &path).is_err());
    }
    assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 0);
    for name in ["plot.png", "plot.svg"] {
        let path = folder.path().join("nowhere").join(name);
        let error = curves(&six_runs(), &path).expect_err("no such folder");
        assert!(matches!(error, PlotError::CannotWrite { .. }), "{error}");
    }
}
