use super::*;
use crate::report::plot::{LineAxis, LineStyle, Mark, Series, lines as draw_lines, matrix};
use crate::report::suite::invented::{Coded, Invented, Taught, latent, naive, suite};

#[path = "../../../../tests/common/svg.rs"]
mod svg;
use svg::{Kind, Picture};

fn of(figures: &Figures, name: &str) -> SuiteFigure {
    let found = figures.drawn.iter().find(|figure| figure.name == name);
    found.expect("it is drawn").clone()
}

fn lines(figures: &Figures, name: &str) -> LineFigure {
    match of(figures, name).content {
        Content::Lines(figure) => figure,
        Content::Matrix(_) => panic!("{name} is a matrix"),
    }
}

/// What stands in a figure's SVG.
fn picture(figure: &SuiteFigure) -> Picture {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("figure.svg");
    let drawn = match &figure.content {
        Content::Lines(content) => draw_lines(content, &path),
        Content::Matrix(content) => matrix(content, &path),
    };
    drawn.expect("it is drawn");
    let text = std::fs::read_to_string(path).expect("it is there");
    let picture = Picture::read(&text);
    picture.is_sound();
    picture
}

fn drawn(panel: &LinePanel) -> Vec<(&str, Vec<(f64, f64)>)> {
    let series = panel.series.iter().map(|series| {
        let points = series.points.iter().map(|point| (point.x, point.y));
        (series.name.as_str(), points.collect())
    });
    series.collect()
}

fn replays(cell: Invented, replays: usize) -> Invented {
    let replay = cell.replay.map(|(index, codec, _)| (index, codec, replays));
    Invented { replay, ..cell }
}

fn joint(all: f64) -> Invented {
    Invented {
        strategy: Taught::Joint,
        ..naive(0.05, all)
    }
}

fn or(steps: usize) -> Coded {
    Coded::Or(steps)
}

fn counts(steps: usize) -> Coded {
    Coded::Counts(steps)
}

#[test]
fn curves_are_named_by_their_own_numbers_of_replays() {
    let with = |number, all| replays(latent(3, Coded::Raw, 0.1, all), number);
    let published = |cell| Invented {
        protocol: Protocol::Published,
        ..cell
    };
    let results = [
        naive(0.5, 0.3),
        joint(0.75),
        with(200, 0.7),
        with(100, 0.6),
        with(50, 0.5),
        published(with(1152, 0.8)),
        published(with(576, 0.7)),
        latent(2, Coded::Raw, 0.1, 0.4),
    ];
    let figures = figures(&suite(&results, &[]));
    let strict = of(&figures, "accuracy-per-epoch-strict-sample");
    let panel = &lines(&figures, &strict.name).panels[0];
    assert_eq!(panel.title, "raw, LR index 3");
    let after = |all| vec![(0.0, 70.0), (1.0, all)];
    let expected = [
        ("joint", after(75.0)),
        ("naive", after(30.0)),
        ("50 replays", after(50.0)),
        ("100 replays", after(60.0)),
        ("200 replays", after(70.0)),
    ];
    assert_eq!(drawn(panel), expected);
    let missing = "1 of 6 rows is not drawn, but stands in the tables, among them all with LR 2.";
    assert!(strict.caption.ends_with(missing), "{}", strict.caption);
    picture(&strict).says(&["40 test samples a run", "epoch", "joint", "200 replays"]);
    let published = of(&figures, "accuracy-per-epoch-published-sample");
    let said = "Joint training was not run for sample-incremental, published.";
    assert!(published.caption.contains(said), "{}", published.caption);
    let panel = &lines(&figures, &published.name).panels[0];
    let names = drawn(panel).into_iter().map(|(name, _)| name);
    assert_eq!(names.collect::<Vec<_>>(), ["576 replays", "1152 replays"]);
}

#[test]
fn points_are_means_in_percent_at_their_lr_index_and_kilobytes() {
    let other_seed = |cell| Invented { seed: 1, ..cell };
    let results = [
        naive(0.5, 0.30),
        latent(1, or(10), 0.1, 0.6),
        other_seed(latent(1, or(10), 0.1, 0.7)),
        latent(3, or(10), 0.1, 0.5),
    ];
    let figures = figures(&suite(&results, &[]));
    let by_index = lines(&figures, "accuracy-by-lr-index");
    assert_eq!(
        by_index.panels[0].x,
        LineAxis::Labels("LR index".into(), vec!["1".into(), "3".into()]),
        "no place for an index that was not run"
    );
    let panel = drawn(&by_index.panels[0]);
    let line = panel
        .iter()
        .find(|(name, _)| *name == "latent replay, or:10");
    let points = line.expect("a line for the codec").1.iter();
    let rounded = points.map(|(x, y)| (*x, y.round()));
    assert_eq!(rounded.collect::<Vec<_>>(), [(0.0, 65.0), (1.0, 50.0)]);
    assert_eq!(
        by_index.y_limits,
        (20.0, 80.0),
        "from ten to ten around 30 and 72"
    );
    // All memories are alike, so there is no axis of kilobytes.
    let reason = figures
        .not_drawn
        .iter()
        .find(|line| line.contains("kilobytes"));
    let reason = reason.expect("a line says so");
    assert!(reason.contains("all memories have 1.0 kB"), "{reason}");
}

#[test]
fn points_of_equal_value_stand_side_by_side_and_none_hides_another() {
    // Every codec at every LR index comes to the same.
    let codecs = [
        Coded::Raw,
        or(2),
        or(5),
        or(10),
        or(20),
        counts(5),
        counts(10),
        counts(20),
    ];
    let mut results = vec![naive(0.5, 0.70), joint(0.70)];
    for index in 0..4 {
        for codec in codecs {
            results.push(latent(index, codec, 0.1, 0.70));
        }
    }
    // Memories of two sizes, so that there is an axis.
    results.push(replays(latent(3, or(10), 0.1, 0.70), 200));
    let figures = figures(&suite(&results, &[]));
    for name in [
        "accuracy-by-lr-index",
        "spiking-activity",
        "accuracy-against-kilobytes",
    ] {
        let figure = of(&figures, name);
        let picture = picture(&figure);
        assert_eq!(picture.width, 1600.0, "all figures are equally wide");
        let marks = marks_of(&picture);
        let expected = match name {
            // Four LR indices.
            "accuracy-by-lr-index" => codecs.len() * 4,
            // Two layers: pre-trained, naive, joint, and four LR indices.
            "spiking-activity" => 2 * 7,
            _ => codecs.len() * 4 + 1,
        };
        assert_eq!(marks.len(), expected, "{name}");
        for (index, one) in marks.iter().enumerate() {
            for other in &marks[index + 1..] {
                let apart = (one.0 - other.0).hypot(one.1 - other.1);
                // No nearer than the width of a circle.
                assert!(apart >= 16.0, "{name}: {one:?} and {other:?}");
            }
        }
    }
    // Level lines that coincide: the dots of naive come after the long dashes of joint, so both are seen.
    let picture = picture(&of(&figures, "accuracy-by-lr-index"));
    let place = |colour: &str| {
        let mut shapes = picture.shapes.iter();
        let dash = |shape: &svg::Shape| shape.fill == colour && shape.area.height() < 4.0;
        shapes.position(dash).expect("a line")
    };
    assert!(place("#333333") < place("#D55E00"));
    // Each codec has one mark and one name, the same in all figures.
    let by_index = lines(&figures, "accuracy-by-lr-index");
    let by_bytes = lines(&figures, "accuracy-against-kilobytes");
    let mut marks: Vec<Mark> = Vec::new();
    for codec in codecs {
        let named = |name: String, figure: &LineFigure| {
            let series = figure.panels[0].series.iter();
            let found = series.clone().find(|series: &&Series| series.name == name);
            found
                .expect("the codec is named")
                .mark
                .expect("it has a mark")
        };
        let mark = named(format!("latent replay, {codec}"), &by_index);
        assert_eq!(mark, named(codec.to_string(), &by_bytes));
        assert!(!marks.contains(&mark), "{codec} has a mark of its own");
        marks.push(mark);
    }
    // Joint training is a line in each.
    for figure in &figures.drawn {
        if let Content::Lines(content) = &figure.content {
            for panel in &content.panels {
                let mut series = panel.series.iter();
                let joint = series.find(|series| series.name == "joint");
                let joint = joint.unwrap_or_else(|| panic!("no joint in {}", figure.name));
                assert_eq!(joint.line, LineStyle::LongDashed);
            }
        }
    }
}

#[test]
fn error_bars_stand_at_their_marks() {
    // Two codecs of the same bytes and the same accuracy, so that one mark is moved.
    let mut results = vec![naive(0.5, 0.3), joint(0.75)];
    for codec in [or(5), or(10)] {
        for (seed, all) in [(0, 0.5), (1, 0.7)] {
            let seeded = |cell| Invented { seed, ..cell };
            results.push(seeded(latent(3, codec, 0.1, all)));
            results.push(seeded(replays(latent(3, codec, 0.1, all), 200)));
        }
    }
    let figures = figures(&suite(&results, &[]));
    let picture = picture(&of(&figures, "accuracy-against-kilobytes"));
    let marks = marks_of(&picture);
    assert_eq!(marks.len(), 4);
    for (x, y) in marks {
        let bar = picture.shapes.iter().any(|shape| {
            let (middle, area) = (shape.area.middle(), shape.area);
            area.width() < 5.0
                && area.height() > 30.0
                && (middle.0 - x).abs() < 2.0
                && (middle.1 - y).abs() < 6.0
        });
        assert!(bar, "no error bar at {x}, {y}");
    }
}

#[test]
fn codecs_of_spiking_activity_have_marks_of_their_own() {
    let published = |cell| Invented {
        protocol: Protocol::Published,
        ..cell
    };
    let results = [
        naive(0.5, 0.3),
        latent(3, Coded::Raw, 0.1, 0.7),
        published(latent(3, or(10), 0.1, 0.7)),
    ];
    let figure = lines(&figures(&suite(&results, &[])), "spiking-activity");
    let mark = |panel: usize, codec: &str| {
        let mut series = figure.panels[panel].series.iter();
        let found = series.find(|series| series.name.contains(codec));
        found.expect("the codec is named").mark
    };
    assert_ne!(mark(0, "raw"), mark(1, "or:10"));
}

/// The middles of marks above the legend: what has a white shape just below, a little larger, is one.
fn marks_of(picture: &Picture) -> Vec<(f64, f64)> {
    let legend = picture.texts.iter().filter(|text| !text.upright);
    let legend = legend.map(|text| text.area.top).fold(0.0, f64::max) - 80.0;
    let shapes: Vec<_> = picture.shapes.iter().collect();
    let white = "#FFFFFF";
    let mut marks: Vec<(f64, f64)> = Vec::new();
    for pair in shapes.windows(2) {
        let (below, above) = (pair[0], pair[1]);
        let sized = |area: svg::Area| (10.0..30.0).contains(&area.width());
        let is_mark = below.fill == white
            && above.fill != white
            && below.kind == above.kind
            && below.kind != Kind::Polyline
            && sized(below.area)
            && sized(above.area)
            && above.area.bottom < legend;
        if is_mark {
            marks.push(above.area.middle());
        }
    }
    marks
}

#[test]
fn an_axis_of_one_value_is_not_drawn() {
    // One LR index: by codec. One codec, too: a line says so.
    let several = [
        naive(0.5, 0.3),
        latent(2, Coded::Raw, 0.1, 0.7),
        latent(2, or(10), 0.1, 0.6),
    ];
    let by_codec = lines(&figures(&suite(&several, &[])), "accuracy-by-lr-index");
    assert_eq!(
        by_codec.panels[0].x,
        LineAxis::Labels("codec".into(), vec!["raw".into(), "or:10".into()])
    );
    let single = figures(&suite(&several[..2], &[]));
    let drawn = single
        .drawn
        .iter()
        .any(|figure| figure.name == "accuracy-by-lr-index");
    assert!(!drawn);
    let reason = single
        .not_drawn
        .iter()
        .find(|line| line.contains("by LR index"));
    let reason = reason.expect("a line says so");
    assert!(
        reason.contains("the table all-strict-sample has it"),
        "{reason}"
    );
}

#[test]
fn the_matrix_of_the_best_says_that_it_was_picked_on_test_samples() {
    let many = |cell: Invented| Invented {
        base_classes: Some(1),
        ..cell
    };
    let results = [
        many(naive(0.5, 0.3)),
        many(joint(0.75)),
        many(latent(1, Coded::Raw, 0.1, 0.6)),
        many(latent(2, or(10), 0.1, 0.7)),
    ];
    let figures = figures(&suite(&results, &[]));
    let figure = of(&figures, "accuracy-matrix-strict");
    let said = "Picked of 2, as right most often on the same test samples: latent, LR 2, or:10, 100 replays.";
    assert!(figure.caption.contains(said), "{}", figure.caption);
    let picture = picture(&figure);
    assert_eq!(picture.width, 1600.0);
    picture.tells(&["best of 2 on these test samples; 40 test samples a run"]);
    picture.says(&["naive", "joint", "two", "1 class", "accuracy (%)"]);
}

#[test]
fn a_figure_with_nothing_to_show_is_left_out() {
    let empty = LinePanel {
        most_aside: None,
        title: "nothing".into(),
        remark: String::new(),
        x: LineAxis::Numbers("x".into(), (0.0, 1.0)),
        series: vec![Series {
            name: "none".into(),
            colour: 0,
            line: LineStyle::Solid,
            mark: None,
            points: Vec::new(),
        }],
    };
    let figure = SuiteFigure {
        name: "empty".into(),
        caption: String::new(),
        content: Content::Lines(percent_figure(vec![empty], 2, "accuracy")),
    };
    assert!(!figure.shows_anything());
}

/// The same results in a suite that compares methods.
fn of_methods(results: &[Invented]) -> Collected {
    let mut collected = suite(results, &[]);
    let text = "name = \"invented\"\nabout = \"Tests.\"\nseeds = [0]\n[[study]]\n\
                scenario = \"sample\"\nmethods = [\"naive\"]\n";
    collected.manifest.suite =
        crate::suite::SuiteSettings::parse("invented", text).expect("a suite");
    collected
}

#[test]
fn no_mark_tells_other_bytes_than_its_own() {
    // Eight methods come to the same within the same bytes.
    let mut results = vec![joint(0.9)];
    for codec in [
        Coded::Raw,
        or(2),
        or(5),
        or(10),
        or(20),
        counts(5),
        counts(10),
        counts(20),
    ] {
        results.push(latent(2, codec, 0.1, 0.70));
    }
    results.push(replays(latent(2, or(10), 0.1, 0.60), 400));
    let figures = figures(&of_methods(&results));
    let figure = lines(&figures, "accuracy-against-bytes");
    let panel = &figure.panels[0];
    assert_eq!(panel.most_aside, Some(0.0));
    let marked = panel.series.iter().filter(|series| series.mark.is_some());
    let marked: Vec<&Series> = marked.collect();
    assert_eq!(marked.len(), 8);
    assert!(marked.iter().all(|series| series.points[0].x == 1.0));
    let picture = picture(&of(&figures, "accuracy-against-bytes"));
    picture.says(&["Pareto front", "latent"]);
}

#[test]
fn lines_of_the_same_colour_along_tasks_have_other_marks() {
    let looks: Vec<(usize, Option<Mark>)> = (0..16).map(methods::look_along).collect();
    for (place, look) in looks.iter().enumerate() {
        assert!(!looks[..place].contains(look), "{look:?}");
    }
    assert!(looks[..7].iter().all(|(_, mark)| mark.is_none()));
}
