//! Rasters, from counts made up here.

use ndarray::Array2;
use respike::report::plot::{PlotError, RasterFigure, RasterPanel, raster};
use respike::spikes::{SpikeCounts, TimeGrid};

use super::figures::*;
use super::records::*;
use super::svg::{Kind, Picture, Shape};

#[test]
fn rasters_have_their_labels_and_differ() {
    let (figure, other) = (spikes(70, 0.05), spikes(70, 0.02));
    let (png, svg) = both(&|path| raster(&figure, path));
    let (other_png, _) = both(&|path| raster(&other, path));
    assert_ne!(png, other_png);
    let picture = Picture::read(&svg);
    picture.says(&[
        "input",
        "hidden 1",
        "hidden 3",
        "time (s)",
        "unit (Hz)",
        "per unit (Hz)",
        "test sample 17: spoken “seven” & taken for “zero”",
        "time bins of 14.1 ms; one <remark> & no more",
    ]);
    picture.is_sound();
    // Paper alone would be far smaller.
    assert!(png.len() > 20_000, "{} bytes", png.len());
}

/// A raster of 11 bins of 0.1 s and three channels with these events: bin, channel, how many.
fn by_hand(events: &[(usize, usize, u16)]) -> Picture {
    let mut dense = Array2::zeros((11, 3));
    for &(step, channel, count) in events {
        dense[[step, channel]] = count;
    }
    let figure = RasterFigure {
        title: String::new(),
        remarks: Vec::new(),
        grid: TimeGrid::new(11, 1.0).expect("a grid"),
        panels: vec![RasterPanel::input(
            SpikeCounts::from_dense(dense.view()).expect("counts"),
        )],
    };
    let (_, svg) = both(&|path| raster(&figure, path));
    let picture = Picture::read(&svg);
    picture.is_sound();
    picture
}

/// Ink of the first layer, and the lighter shade of its rates.
const INK: &str = "#333333";
const RATE: &str = "#666666";

/// The marks of spikes: what is drawn in the first layer's colour above the legend.
fn marks(picture: &Picture) -> Vec<&Shape> {
    let mut level = picture.texts.iter().filter(|text| !text.upright);
    let legend = level.rfind(|text| text.words == "input");
    let legend = legend.expect("the legend names the input").area.top;
    let mut marks = picture.shapes(Kind::Rect, INK);
    marks.retain(|shape| shape.area.bottom < legend);
    marks
}

#[test]
fn rates_are_of_events_not_of_bins_that_have_any() {
    // 69 events of channel 1 in 1 s, in two bins; 23 of channel 2 in one.
    let picture = by_hand(&[(3, 1, 60), (7, 1, 9), (5, 2, 23)]);
    let bars = picture.shapes(Kind::Rect, RATE);
    assert_eq!(bars.len(), 2, "a bar for each unit with events");
    // Where numbers of the rates' axis stand tells how long a bar is.
    let axis = picture.text("rate of each");
    let tick = |label: &str| {
        let mut below = picture
            .texts
            .iter()
            .filter(|text| text.words == label && (text.area.left - axis.area.left).abs() < 200.0);
        let text = below.next_back().expect("a number below the rates");
        text.area.middle().0
    };
    let hertz = |x: f64| (x - tick("0")) / (tick("60") - tick("0")) * 60.0;
    assert!((hertz(bars[0].area.right) - 69.0).abs() < 1.5);
    assert!((hertz(bars[1].area.right) - 23.0).abs() < 1.5);
    // 60 events of three channels in 0.1 s are 200 Hz: the mean rate's axis goes beyond.
    picture.says(&["200"]);
    picture.tells(&["time bins of 100 ms"]);
}

#[test]
fn spikes_stand_in_their_time_with_channel_0_at_the_top() {
    // Bin 1 is the first 0.1 s, bin 10 the last.
    let picture = by_hand(&[(1, 0, 1), (10, 2, 1)]);
    let marks = marks(&picture);
    assert_eq!(marks.len(), 2);
    let time = |label: &str| picture.text(label).area.middle().0;
    let seconds = |x: f64| (x - time("0.2")) / (time("0.8") - time("0.2")) * 0.6 + 0.2;
    assert!((seconds(marks[0].area.middle().0) - 0.05).abs() < 3e-3);
    assert!((seconds(marks[1].area.middle().0) - 0.95).abs() < 3e-3);
    assert!(marks[0].area.bottom < marks[1].area.top);
    let channel = |label: &str| {
        let left = picture.texts.iter().filter(|text| text.words == label);
        let mut heights = left.map(|text| text.area.middle().1);
        heights.next().expect("a number at the channels")
    };
    assert!((channel("2") - marks[1].area.middle().1).abs() < 3.0);
    assert!(channel("0") < channel("2"));
}

#[test]
fn every_spike_of_a_raster_is_a_mark() {
    let count = |spikes: &[(usize, usize, u16)]| marks(&by_hand(spikes)).len();
    assert_eq!(count(&[]), 0);
    // An event in the bin before the start is drawn, too.
    assert_eq!(count(&[(0, 0, 1)]), 1);
    assert_eq!(count(&[(0, 0, 1), (10, 2, 5)]), 2);
    assert_eq!(count(&[(4, 0, 1), (4, 1, 1), (5, 1, 9)]), 3);
}

#[test]
fn rasters_of_any_extents_are_drawn() {
    for (steps, units, density) in [
        (2, 1, 0.0),
        (2, 1, 1.0),
        (100, 1, 0.1),
        (2, 900, 0.2),
        (3000, 2, 0.1),
        (40, 5000, 0.02),
    ] {
        for max_time_s in [1e-9, 1.4, 1e9] {
            let figure = RasterFigure {
                title: String::new(),
                remarks: Vec::new(),
                grid: TimeGrid::new(steps, max_time_s).expect("a grid"),
                panels: vec![layer("layer", steps, units, density, 5)],
            };
            let (_, svg) = both(&|path| raster(&figure, path));
            nothing_is_placed_outside(&svg);
        }
    }
    // Many layers with endless names.
    let name = "an endless name of a layer that goes on and on".repeat(4);
    let panels = (1..=17).map(|index| layer(&name, 60, index * index, 0.1, 6));
    let figure = RasterFigure {
        title: name.repeat(3),
        remarks: vec![name.clone(), name.clone()],
        grid: TimeGrid::new(60, 6e4).expect("a grid"),
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
    figure.panels.push(layer("longer", 101, 5, 0.1, 1));
    let error = raster(&figure, &path).expect_err("another number of time bins");
    assert!(matches!(error, PlotError::NothingToDraw(_)), "{error}");
    assert!(error.to_string().contains("longer has 101"), "{error}");
    figure.panels.clear();
    let error = raster(&figure, &path).expect_err("no layer");
    assert!(matches!(error, PlotError::NothingToDraw(_)), "{error}");
    assert!(!path.exists());
}
