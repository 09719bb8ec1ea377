//! What a trained network does, from numbers made up here.

use respike::dataset::{DatasetBuilder, LabelledEvents};
use respike::ids::{ClassId, SpeakerId, TimeStep};
use respike::network::{LayerSettings, Network};
use respike::random::MasterSeed;
use respike::report::FiringRates;
use respike::report::plot::{
    BeforeAfterFigure, BeforeAfterPanel, PlotError, RatesFigure, TraceFigure, TraceRow,
    before_after, rates, traces,
};
use respike::spikes::{EventStream, TimeGrid};

use super::figures::*;
use super::records::spec;
use super::svg::{Kind, Picture};

fn wave(steps: usize, high: f32) -> Vec<f32> {
    (0..steps)
        .map(|step| high * (step as f32 / 7.0).sin())
        .collect()
}

/// So many rows, each with so many states beside the membrane.
fn trace_figure(rows: usize, states: usize, steps: usize, high: f32) -> TraceFigure {
    let names = [
        "membrane potential",
        "adaptation",
        "a rather long name of a state",
    ];
    let row = |row: usize| TraceRow {
        label: format!("neuron {}", row * 777),
        membrane: wave(steps, high),
        threshold: vec![high * 0.8; steps],
        states: vec![wave(steps, high * 10.0); states],
        spikes: (0..steps).step_by(9 + row).map(TimeStep).skip(1).collect(),
    };
    TraceFigure {
        title: "sample 7 of a_file_with_a_long_name.h5, somebody: “seven”, taken for “zero”".into(),
        remarks: vec!["layer 2 of a network".into()],
        grid: TimeGrid::new(steps, 1.0).expect("a grid"),
        names: names
            .iter()
            .take(states + 1)
            .map(ToString::to_string)
            .collect(),
        rows: (0..rows).map(row).collect(),
    }
}

#[test]
fn traces_are_sound_whatever_they_are_of() {
    for (rows, states, steps, high) in [
        (1, 0, 2, 1.0),
        (1, 1, 100, 1.0),
        (2, 2, 100, 1e-7),
        (3, 1, 400, -3e6),
        (12, 1, 40, 123.456),
        (1, 2, 20_000, 1.0),
    ] {
        let figure = trace_figure(rows, states, steps, high);
        let (png, svg) = both(&|path| traces(&figure, path));
        let picture = Picture::read(&svg);
        picture.is_sound();
        picture.says(&[
            "membrane potential",
            "threshold",
            "spike",
            "time (ms)",
            "neuron 0",
        ]);
        assert!(png.len() > 5000 && svg.len() < 8_000_000);
    }
}

#[test]
fn odd_numbers_are_left_out_of_traces() {
    let mut figure = trace_figure(2, 1, 50, 1.0);
    figure.rows[0].membrane[20] = f32::NAN;
    figure.rows[0].states[0] = vec![f32::INFINITY; 50];
    figure.rows[1].membrane = vec![0.0; 50];
    figure.rows[1].threshold = vec![0.0; 50];
    figure.rows[1].spikes.clear();
    let (_, svg) = both(&|path| traces(&figure, path));
    let picture = Picture::read(&svg);
    picture.is_sound();
    picture.says(&["0 spikes"]);
}

#[test]
fn traces_that_do_not_fit_are_refused() {
    let path = std::path::Path::new("never.png");
    let refused = |figure: &TraceFigure| {
        let error = traces(figure, path).expect_err("it does not fit");
        assert!(matches!(error, PlotError::NothingToDraw(_)), "{error}");
    };
    refused(&trace_figure(0, 0, 10, 1.0));
    refused(&trace_figure(41, 0, 10, 1.0));
    let mut short = trace_figure(1, 0, 10, 1.0);
    short.rows[0].threshold.pop();
    refused(&short);
    let mut nameless = trace_figure(1, 1, 10, 1.0);
    nameless.names.pop();
    refused(&nameless);
}

fn panel(layer: usize, name: &str, before: Vec<f64>, after: Vec<f64>) -> BeforeAfterPanel {
    BeforeAfterPanel {
        layer,
        title: format!("layer {}: {name}", layer + 1),
        x_name: format!("{name} (ms)"),
        unit: "ms".into(),
        range: (0.5, 1234.5),
        before,
        after,
    }
}

#[test]
fn distributions_are_sound_whatever_they_are_of() {
    let spread = |high: f64| {
        (0..128)
            .map(|unit| high * f64::from(unit * unit % 37))
            .collect()
    };
    let figure = |panels| BeforeAfterFigure {
        names: ("at the start".into(), "after training".into()),
        panels,
    };
    let names = ["τ_mem", "τ_adaptation", "a", "b"];
    let four =
        (0..3).flat_map(|layer| names.map(|name| panel(layer, name, spread(1.0), spread(1.3))));
    for panels in [
        vec![panel(0, "τ_mem", spread(1.0), spread(20.0))],
        vec![panel(0, "τ_mem", vec![20.0], vec![33.0])],
        vec![panel(0, "τ_mem", vec![20.0; 9], spread(1e-5))],
        vec![panel(0, "τ_mem", vec![0.0], vec![0.0])],
        vec![panel(
            0,
            "τ_mem",
            vec![f64::INFINITY; 3],
            vec![f64::INFINITY; 3],
        )],
        vec![panel(
            0,
            "τ_mem",
            vec![f64::INFINITY, 2.0, 3.0],
            spread(1e6),
        )],
        (0..7)
            .map(|layer| panel(layer, "a_long_name_of", spread(0.2), spread(0.1)))
            .collect(),
        four.collect(),
    ] {
        let figure = figure(panels);
        let (_, svg) = both(&|path| before_after(&figure, path));
        let picture = Picture::read(&svg);
        picture.is_sound();
        picture.says(&["after training", "neurons (%)", &figure.panels[0].title]);
    }
    let none = figure(Vec::new());
    before_after(&none, std::path::Path::new("never.png")).expect_err("nothing is there");
}

#[test]
fn what_all_neurons_have_in_common_stands_as_a_line() {
    let figure = BeforeAfterFigure {
        names: ("before".into(), "after".into()),
        panels: vec![panel(0, "τ_mem", vec![20.0; 9], vec![10.0])],
    };
    let (_, svg) = both(&|path| before_after(&figure, path));
    let picture = Picture::read(&svg);
    picture.says(&["before, the same for all", "after"]);
    picture.tells(&[
        "one\u{a0}for\u{a0}all\u{a0}20.0\u{a0}→\u{a0}10.0\u{a0}ms",
        "kept\u{a0}in\u{a0}0.5\u{a0}to\u{a0}1234",
    ]);
    let upright = |fill| {
        let shapes = picture.shapes(Kind::Rect, fill).into_iter();
        shapes
            .filter(|shape| shape.area.height() > 300.0 && shape.area.width() < 8.0)
            .count()
    };
    assert_eq!(upright("#0072B2"), 1);
}

/// Rates of a network of so many layers on a sample of each of so many classes.
fn firing(layers: usize, names: Vec<String>) -> FiringRates {
    let mut settings = spec(names.len()).settings().clone();
    settings.layers = (0..layers).map(|_| LayerSettings::new(20, true)).collect();
    settings.init.weight_scale = 1.0;
    let network = Network::new(settings.check().expect("valid"), MasterSeed(2));
    let builder = DatasetBuilder::with_format(network.spec().input_format(), names.clone());
    let mut builder = builder.expect("valid");
    // The last class has no sample.
    for class in 0..names.len().saturating_sub(1).max(1) {
        let events = (0..300).map(|event| {
            (
                f64::from(event) * 0.004,
                (event * (class as i32 + 7) % 70) as u16,
            )
        });
        let (times, units) = events.unzip();
        let recording = LabelledEvents {
            events: EventStream::new(times, units).expect("valid"),
            class: ClassId(class as u16),
            speaker: SpeakerId(0),
            sound: None,
        };
        builder.push(&recording).expect("it fits");
    }
    let data = builder.build().expect("there are samples");
    FiringRates::of(&network, &data).expect("it fits")
}

#[test]
fn rates_are_sound_whatever_they_are_of() {
    for (layers, classes, length) in [(1, 1, 3), (2, 10, 5), (3, 20, 30), (4, 60, 12), (7, 150, 2)]
    {
        let names = (0..classes).map(|class| format!("{}{class}", "m".repeat(length)));
        let figure = RatesFigure {
            title: "a network on some files".into(),
            rates: firing(layers, names.collect()),
        };
        let (_, svg) = both(&|path| rates(&figure, path));
        let picture = Picture::read(&svg);
        picture.is_sound();
        picture.says(&[
            "rate (Hz)",
            "neurons (%)",
            "never spikes",
            "a network on some files",
        ]);
    }
}
