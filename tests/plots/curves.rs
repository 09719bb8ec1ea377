//! Learning curves of plain training, from records made up here.

use respike::method::Method;
use respike::report::plot::{CurvesOf, PlotError, curves, curves_of};
use respike::report::{RunRecord, Summary};

use super::figures::*;
use super::records::*;
use super::svg::{Kind, Picture};

const TEST: &str = "#009E73";
const FIRST_LAYER: &str = "#3B0F70";
const READOUT: &str = "#222222";
const PICKED: &str = "#666666";

const NAMES: [&str; 4] = [
    "accuracy (%)",
    "training loss",
    "firing rate (Hz)",
    "gradient norm",
];

fn drawn(runs: &[RunRecord]) -> Picture {
    let (_, svg) = both(&|path| curves(runs, path));
    let picture = Picture::read(&svg);
    picture.is_sound();
    picture
}

/// How often each name stands at a y axis.
fn named(picture: &Picture) -> [usize; 4] {
    NAMES.map(|name| picture.words().iter().filter(|word| **word == name).count())
}

#[test]
fn all_that_is_recorded_is_drawn_whatever_it_is() {
    for (epochs, layers, validates) in [
        (1, 1, true),
        (1, 5, false),
        (2, 2, true),
        (30, 2, false),
        (300, 1, false),
        (300, 5, true),
        (40, 30, true),
    ] {
        let run = full_train_run("a run", epochs, layers, validates);
        let picture = drawn(std::slice::from_ref(&run));
        assert_eq!(named(&picture), [1; 4]);
        picture.says(&[
            "layer 1",
            "readout",
            "training samples",
            "test samples, at the end",
        ]);
        let said = picture.words().contains(&"validation samples");
        assert_eq!(said, validates);
        let last = format!("layer {layers}");
        picture.says(&[&last]);
        let several = [run.clone(), run.clone(), run];
        assert_eq!(named(&drawn(&several)), [3; 4]);
    }
}

#[test]
fn the_picked_epoch_is_marked_where_it_was_chosen() {
    let lines = |picture: &Picture| {
        let shapes = picture.shapes(Kind::Rect, PICKED).into_iter();
        let upright = shapes.filter(|shape| shape.area.height() > 100.0);
        upright
            .map(|line| line.area.middle().0)
            .collect::<Vec<f64>>()
    };
    let picture = drawn(&[full_train_run("chosen", 40, 2, true)]);
    picture.says(&["picked epoch"]);
    picture.tells(&["epoch 20 was picked"]);
    let at = lines(&picture);
    assert_eq!(at.len(), 4, "one in each panel");
    // At the 20 of the first panel's axis, under the mark of the test.
    let tick = picture
        .texts
        .iter()
        .find(|text| text.words == "20" && text.area.top > 480.0);
    let tick = tick.expect("a number at the x axis").area.middle().0;
    let mark = picture.shapes(Kind::Polygon, TEST);
    let mark = mark.iter().map(|mark| mark.area.middle().0);
    let mark = mark.fold(f64::INFINITY, f64::min);
    assert!((at[0] - tick).abs() < 3.0, "{at:?} and {tick}");
    assert!((at[0] - mark).abs() < 3.0, "{at:?} and {mark}");
    let picture = drawn(&[full_train_run("last", 40, 2, false)]);
    assert!(lines(&picture).is_empty() && !picture.words().contains(&"picked epoch"));
}

#[test]
fn a_test_at_the_end_is_a_mark_and_tests_on_the_way_are_joined() {
    let mut run = full_train_run("tested", 100, 1, true);
    for line in run.epochs.iter_mut().filter(|line| line.epoch % 10 == 0) {
        line.accuracy
            .insert("test".into(), line.epoch as f64 / 100.0);
    }
    // The picked epoch, 50, is one of those.
    let picture = drawn(std::slice::from_ref(&run));
    let words = picture.words();
    assert!(words.contains(&"test samples") && !words.contains(&"test samples, at the end"));
    let dots = picture.shapes(Kind::Circle, TEST).into_iter();
    let dots = dots.filter(|dot| dot.area.width() > 10.0).count();
    assert_eq!(dots, 10);
    let pieces = picture.shapes.iter().filter(|shape| shape.fill == TEST);
    let pieces = pieces.filter(|shape| shape.kind != Kind::Circle);
    let line: f64 = pieces.map(|piece| piece.area.width()).sum();
    assert!(line > 500.0, "{line}");
}

#[test]
fn rates_are_in_hertz_and_axes_fit_what_is_on_them() {
    let mut run = full_train_run("rates", 2, 1, false);
    // 0.28 spikes in a step of 14 ms.
    for line in &mut run.epochs {
        line.layers[0].spikes_per_step = Some(0.28);
        line.layers[0].gradient_norm = 1e-7;
        line.layers[1].gradient_norm = 1e3;
        line.loss = Some(0.5);
    }
    let (_, svg) = both(&|path| curves_of(&[run.clone()], &[CurvesOf::Activity], path));
    let picture = Picture::read(&svg);
    let height = |label: &str| picture.text(label).area.middle().1;
    let per_hertz = (height("0") - height("20")) / 20.0;
    let dots = picture.shapes(Kind::Circle, FIRST_LAYER);
    let dot = dots.first().expect("a dot").area.middle().1;
    let hertz = (height("0") - 2.0 - dot) / per_hertz;
    assert!((hertz - 20.0).abs() < 0.3, "{hertz} Hz");
    // Ten decades, and a loss that changes little.
    let picture = drawn(std::slice::from_ref(&run));
    picture.says(&["1e-6", "100", "0.4"]);
    assert!(!picture.shapes(Kind::Circle, READOUT).is_empty());
    // What can't be on a logarithmic axis is left out.
    run.epochs[0].layers[0].gradient_norm = 0.0;
    run.epochs[1].layers[0].gradient_norm = f64::NAN;
    run.epochs[0].loss = Some(f64::INFINITY);
    run.epochs[1].layers[0].spikes_per_step = None;
    drawn(&[run]);
}

#[test]
fn what_is_asked_for_is_drawn_alone_and_what_is_not_there_is_told() {
    let runs = [
        full_train_run("new", 20, 2, true),
        train_run("of an earlier version", 20, 10),
    ];
    let (_, svg) = both(&|path| curves_of(&runs, &[CurvesOf::Gradients, CurvesOf::Loss], path));
    let picture = Picture::read(&svg);
    picture.is_sound();
    assert_eq!(named(&picture), [0, 2, 0, 2]);
    picture.says(&["not recorded"]);
    // Accuracy alone is one panel a run.
    let (_, svg) = both(&|path| curves_of(&runs, &[CurvesOf::Accuracy], path));
    let picture = Picture::read(&svg);
    picture.is_sound();
    assert_eq!(named(&picture), [1, 0, 0, 0]);
    // Old records have accuracy and loss.
    assert_eq!(named(&drawn(&runs[1..])), [1, 1, 0, 0]);
    let folder = tempfile::tempdir().expect("a folder");
    let refused = |runs: &[RunRecord], of: &[CurvesOf], expected: &str| {
        let path = folder.path().join("never.svg");
        let error = curves_of(runs, of, &path).expect_err("not there");
        assert!(matches!(error, PlotError::NothingToDraw(_)));
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!path.exists());
    };
    refused(
        &runs[1..],
        &[CurvesOf::Activity],
        "activity is not recorded",
    );
    refused(&runs, &[], "nothing was asked for");
    let learns = [
        learn_run("continual", Method::naive(), 1, 3),
        runs[0].clone(),
    ];
    refused(&learns, &[CurvesOf::Loss], "continual");
    // Unless asked, accuracy alone is drawn of all.
    assert_eq!(named(&drawn(&learns)), [1, 0, 0, 0]);
}

#[test]
fn unfinished_runs_are_drawn_as_far_as_they_go() {
    let mut cut_off = full_train_run("cut-off", 50, 3, true);
    cut_off.summary = None;
    cut_off.epochs.truncate(7);
    let mut empty = cut_off.clone();
    empty.epochs.clear();
    let picture = drawn(&[cut_off, empty]);
    picture.says(&["cut-off (unfinished)", "no epoch yet"]);
    let mut odd = full_train_run("odd", 5, 1, true);
    if let Some(Summary::Train(summary)) = &mut odd.summary {
        summary.test_accuracy = Some(f64::NAN);
        summary.picked.as_mut().expect("picked").epoch = 77;
    }
    drawn(&[odd]);
}
