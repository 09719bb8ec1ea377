//! Rasters in rows and columns.

use respike::ids::{TimeStep, Unit};
use respike::report::plot::{GalleryCell, GalleryFigure, GalleryRow, PlotError, gallery};
use respike::spikes::{SpikeRaster, TimeGrid};

use crate::figures::{both, nothing_is_placed_outside};
use crate::svg::{Kind, Picture};

const RIGHT: &str = "#0072B2";
const WRONG: &str = "#D55E00";

fn cell(
    (steps, units): (usize, usize),
    spikes: &[(usize, usize)],
    is_right: bool,
) -> Option<GalleryCell> {
    let mut raster = SpikeRaster::new(steps, units).expect("extents");
    for &(step, unit) in spikes {
        raster.set(TimeStep(step), Unit(unit));
    }
    Some(GalleryCell {
        spikes: raster,
        remark: if is_right {
            "taken for one"
        } else {
            "taken for another of a long name"
        }
        .to_string(),
        is_right,
    })
}

fn figure(
    seconds: f64,
    columns: &[&str],
    rows: Vec<(&str, Vec<Option<GalleryCell>>)>,
) -> GalleryFigure {
    let steps = rows.iter().flat_map(|(_, cells)| cells.iter().flatten());
    let steps = steps.map(|cell| cell.spikes.steps()).next();
    GalleryFigure {
        title: "some rasters".to_string(),
        grid: steps.map(|steps| TimeGrid::even(steps, seconds).expect("a grid")),
        steps_a_mark: 2,
        unit_name: "neuron".to_string(),
        legend: ["right".to_string(), "wrong".to_string()],
        column_names: columns.iter().map(ToString::to_string).collect(),
        rows: rows
            .into_iter()
            .map(|(name, cells)| GalleryRow {
                name: name.to_string(),
                cells,
            })
            .collect(),
    }
}

fn picture(figure: &GalleryFigure) -> Picture {
    let (_, svg) = both(&|path| gallery(figure, path));
    nothing_is_placed_outside(&svg);
    Picture::read(&svg)
}

#[test]
fn every_spike_is_a_mark_of_its_colour_at_its_time() {
    let shape = (10, 4);
    let right = cell(shape, &[(0, 0), (4, 2), (8, 3)], true);
    let wrong = cell(shape, &[(2, 1)], false);
    let figure = figure(1.0, &["real", "memory"], vec![("one", vec![right, wrong])]);
    let picture = picture(&figure);
    // The legend has a box of each colour besides.
    let marks = |fill: &str| {
        let shapes = picture.shapes(Kind::Rect, fill).into_iter();
        shapes.map(|shape| shape.area).collect::<Vec<_>>()
    };
    assert_eq!(marks(RIGHT).len(), 3 + 1);
    assert_eq!(marks(WRONG).len(), 1 + 1);
    // Steps of 0.1 s, two of which make a mark; unit 0 is at the top.
    let at = |label: &str| {
        picture
            .texts
            .iter()
            .find(|text| text.words == label)
            .expect(label)
            .area
            .middle()
            .0
    };
    let seconds = |x: f64| (x - at("0.2")) / (at("0.8") - at("0.2")) * 0.6 + 0.2;
    let marks = marks(RIGHT);
    for (mark, expected) in marks.iter().zip([0.0, 0.4, 0.8]) {
        assert!((seconds(mark.left) - expected).abs() < 5e-3, "{mark:?}");
        assert!(
            (seconds(mark.right) - expected - 0.16).abs() < 5e-3,
            "{mark:?}"
        );
    }
    assert!(marks[0].bottom < marks[1].top && marks[1].bottom < marks[2].top);
    for words in [
        "some rasters",
        "one",
        "neuron",
        "real",
        "memory",
        "time (s)",
        "right",
        "wrong",
        "taken for one",
    ] {
        assert!(
            picture.texts.iter().any(|text| text.words == words),
            "{words}"
        );
    }
}

#[test]
fn few_and_many_with_long_names_and_gaps_are_drawn() {
    let long = "generator, shared, of a name that nobody would want to read in a figure";
    for (seconds, shape, columns, rows) in [
        (1.0, (2, 1), 1, 1),
        (1.4, (100, 128), 6, 5),
        (0.0123, (40, 700), 12, 3),
        (1000.0, (7, 3), 2, 20),
    ] {
        let names = vec![long; columns];
        let rows = (0..rows).map(|row| {
            let cells = (0..columns).map(|column| match (row + column) % 3 {
                1 => None,
                kind => cell(shape, &[(row % 2, 0)], kind == 0),
            });
            (if row % 2 == 0 { "zero" } else { long }, cells.collect())
        });
        let picture = picture(&figure(seconds, &names, rows.collect()));
        let empty = picture.texts.iter().filter(|text| text.words == "nothing");
        assert_eq!(empty.count() > 0, columns > 1);
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let good = || figure(1.0, &["a"], vec![("one", vec![cell((10, 4), &[], true)])]);
    let mut cases = [good(), good(), good()];
    cases[0].rows.clear();
    cases[1].column_names.push("b".to_string());
    cases[2].grid = TimeGrid::even(11, 1.0).ok();
    for figure in cases {
        let refused = gallery(&figure, "never.svg".as_ref());
        assert!(matches!(refused, Err(PlotError::NothingToDraw(_))));
    }
}
