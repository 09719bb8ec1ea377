//! Every plot as PNG and SVG, from records and rasters made up here.
#![cfg(feature = "plots")]

mod common;

use std::fs;

use ndarray::Array2;
use respike::continual::Strategy;
use respike::ids::{TimeStep, Unit};
use respike::report::plot::{PlotError, RasterFigure, comparison, confusion, curves, raster};
use respike::report::{RunRecord, Summary};

use common::figures::*;
use common::records::*;

#[test]
fn rasters_have_their_labels_and_differ() {
    let (figure, other) = (spikes(70, 0.05), spikes(70, 0.02));
    let (png, svg) = both(&|path| raster(&figure, path));
    let (other_png, _) = both(&|path| raster(&other, path));
    assert_ne!(png, other_png);
    says(
        &svg,
        &[
            "input",
            "hidden 1",
            "hidden 3",
            "time (ms)",
            "unit (Hz)",
            "per unit (Hz)",
            "test sample 17: spoken “seven” &amp; taken for “zero”",
        ],
    );
    nothing_is_placed_outside(&svg);
    // Paper alone would be far smaller.
    assert!(png.len() > 20_000, "{} bytes", png.len());
}

#[test]
fn every_spike_of_a_raster_is_a_mark() {
    let marks = |spikes: &[(usize, usize)]| {
        let mut panel = layer("input", 100, 70, 0.0, 0);
        for (step, unit) in spikes {
            panel.raster.set(TimeStep(*step), Unit(*unit));
        }
        // The other layer keeps the scales of the rates as they are.
        let figure = RasterFigure {
            title: String::new(),
            step_ms: 10.0,
            panels: vec![panel, layer("hidden", 100, 70, 0.3, 0)],
        };
        let (_, svg) = both(&|path| raster(&figure, path));
        svg.matches("<rect").count()
    };
    let silent = marks(&[]);
    let corner = marks(&[(0, 0)]);
    let two = marks(&[(0, 0), (99, 69)]);
    assert!(silent < corner && corner < two);
    // Another unit's spike in the same step is a mark, and a bar of the unit's rate.
    let more = marks(&[(40, 3), (50, 3), (50, 4)]);
    assert_eq!(more, marks(&[(40, 3), (50, 3)]) + 2);
}

#[test]
fn rasters_of_any_extents_are_drawn() {
    for (steps, units, density) in [
        (1, 1, 0.0),
        (1, 1, 1.0),
        (100, 1, 0.1),
        (1, 900, 0.2),
        (3000, 2, 0.1),
        (40, 5000, 0.02),
    ] {
        let figure = RasterFigure {
            title: String::new(),
            step_ms: 0.01,
            panels: vec![layer("layer", steps, units, density, 5)],
        };
        let (_, svg) = both(&|path| raster(&figure, path));
        nothing_is_placed_outside(&svg);
    }
    // Many layers of different lengths with endless names.
    let name = "an endless name of a layer that goes on and on".repeat(4);
    let panels = (1..=17).map(|index| layer(&name, index * 7, index * index, 0.1, 6));
    let figure = RasterFigure {
        title: name.repeat(3),
        step_ms: 1e6,
        panels: panels.collect(),
    };
    let (_, svg) = both(&|path| raster(&figure, path));
    nothing_is_placed_outside(&svg);
}

#[test]
fn rasters_of_nothing_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("raster.png");
    let mut figure = spikes(70, 0.05);
    for step_ms in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        figure.step_ms = step_ms;
        let error = raster(&figure, &path).expect_err("no time step");
        assert!(matches!(error, PlotError::NothingToDraw(_)), "{error}");
    }
    figure.step_ms = 1.0;
    figure.panels.clear();
    let error = raster(&figure, &path).expect_err("no layer");
    assert!(matches!(error, PlotError::NothingToDraw(_)), "{error}");
    assert!(!path.exists());
}

#[test]
fn curves_tell_old_new_and_all_apart() {
    let one = [learn_run("class-naive", Strategy::Naive, 1, 30)];
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

#[test]
fn curves_of_plain_training_show_training_and_test() {
    let runs = [train_run("plain", 25, 10)];
    let (_, svg) = both(&|path| curves(&runs, path));
    says(&svg, &["plain", "test samples", "training samples"]);
    assert!(!texts(&svg).iter().any(|text| text == "old"));
}

#[test]
fn unfinished_and_odd_runs_are_drawn_as_far_as_they_go() {
    let mut cut_off = learn_run("cut-off", Strategy::Latent, 2, 5);
    cut_off.summary = None;
    cut_off.epochs.truncate(33);
    let mut single = train_run("single", 1, 10);
    single.epochs[0].accuracy.clear();
    let mut odd = learn_run("", Strategy::Naive, 1, 4);
    for (index, line) in odd.epochs.iter_mut().enumerate() {
        let value = [f64::NAN, 1e300, -3.0, f64::INFINITY][index % 4];
        line.accuracy.insert("old".into(), value);
    }
    let mut empty = learn_run("empty", Strategy::Naive, 1, 4);
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
    let runs = [learn_run("class-naive", Strategy::Naive, 1, 30)];
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
            "predicted class",
            "share of the true class (%)",
            "120",
        ],
    );
    nothing_is_placed_outside(&svg);
    let twenty = [train_run("twenty", 10, 20)];
    let (other, svg) = both(&|path| confusion(&twenty, path));
    assert_ne!(png, other);
    says(&svg, &["null", "fünf", "seven", "neun"]);
    assert!(
        !texts(&svg).iter().any(|text| text == "50"),
        "no counts in so many cells"
    );
    let (_, svg) = both(&|path| confusion(&six_runs(), path));
    nothing_is_placed_outside(&svg);
}

#[test]
fn confusion_matrices_of_any_size_are_drawn() {
    let sized = |matrix: Array2<u32>, names: usize| {
        let mut run = train_run("sized", 1, 10);
        run.start.data.class_names = class_names(names);
        if let Some(Summary::Train(summary)) = &mut run.summary {
            summary.confusion = matrix;
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
    sized(Array2::zeros((0, 0)), 1);
}

#[test]
fn confusion_needs_runs_that_are_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("confusion.svg");
    let mut run = learn_run("cut-off", Strategy::Naive, 1, 3);
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
            "sample",
            "class",
            "multi-class",
            "naive",
            "joint",
            "old",
            "new",
            "before learning",
            "accuracy at the end (%)",
        ],
    );
    nothing_is_placed_outside(&svg);
    let (other, _) = both(&|path| comparison(&six_runs()[..2], path));
    assert_ne!(png, other);
    // The same twice: then the folder tells them apart.
    let twins = ["seed-0", "seed-1"].map(|name| learn_run(name, Strategy::Naive, 1, 3));
    let (_, svg) = both(&|path| comparison(&twins, path));
    says(&svg, &["seed-0", "seed-1"]);
    let mut odd = learn_run("odd", Strategy::Latent, 2, 3);
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
