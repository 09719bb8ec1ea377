//! Figures of a suite.
//!
//! In: collected results. Out: what is to be drawn, with captions.

mod activity;
mod classes;
mod comparison;
mod epochs;

use super::collected::{Collected, Row, main_replays};
use crate::continual::{Protocol, Strategy};
use crate::replay::Codec;
use crate::report::plot::{LineFigure, LinePanel, MatrixFigure, Point};
use crate::suite::{CellResult, ScenarioKind};

/// A figure with a name for its files and what it shows.
#[derive(Debug, Clone, PartialEq)]
pub struct SuiteFigure {
    /// For file names.
    pub name: String,
    /// Below it.
    pub caption: String,
    /// What is drawn.
    pub content: Content,
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Lines and points.
    Lines(LineFigure),
    /// Heat maps.
    Matrix(MatrixFigure),
}

/// The colours of strategies and LR indices.
const NAIVE: usize = 1;
const JOINT: usize = 6;
const NATIVE: usize = 3;
const LR: [usize; 4] = [4, 5, 0, 2];
const FRONT: usize = 6;

/// All figures that the results have something for.
pub fn figures(collected: &Collected) -> Vec<SuiteFigure> {
    let rows = collected.rows();
    let sections = collected.sections();
    let sections: Vec<Section<'_>> = sections
        .into_iter()
        .map(|(protocol, scenario)| {
            let here = |row: &&Row<'_>| {
                let key = row.key;
                key.protocol == protocol && key.scenario == scenario && !row.cells.is_empty()
            };
            Section {
                protocol,
                scenario,
                rows: rows.iter().filter(here).collect(),
                replays: main_replays(&rows, protocol, scenario),
            }
        })
        .collect();
    let mut figures = Vec::new();
    figures.extend(sections.iter().filter_map(epochs::epochs));
    figures.extend(comparison::lr_indices(&sections));
    figures.extend(classes::class_by_class(collected, &sections));
    figures.extend(comparison::bytes(&sections));
    for section in &sections {
        figures.extend(classes::matrices(collected, section));
    }
    figures.extend(activity::activity(collected, &sections));
    figures.retain(SuiteFigure::shows_anything);
    figures
}

/// The rows of a protocol and scenario that have any result.
struct Section<'a> {
    protocol: Protocol,
    scenario: ScenarioKind,
    rows: Vec<&'a Row<'a>>,
    /// The number of replays at which codecs and LR indices are compared.
    replays: Option<usize>,
}

impl<'a> Section<'a> {
    fn title(&self) -> String {
        format!("{}, {}", self.scenario.name(), self.protocol)
    }

    /// Whether a row has the number of replays that is compared at, or keeps nothing.
    fn compares(&self, row: &Row<'_>) -> bool {
        row.key.replays.is_none() || row.key.replays == self.replays
    }

    fn is_single(&self) -> bool {
        self.scenario != ScenarioKind::MultiClass
    }

    fn strategy(&self, strategy: Strategy) -> impl Iterator<Item = &'a Row<'a>> + '_ {
        let rows = self.rows.iter().copied();
        rows.filter(move |row| row.key.strategy == strategy)
    }

    fn latent(&self, codec: Codec) -> impl Iterator<Item = &'a Row<'a>> + '_ {
        let rows = self.strategy(Strategy::Latent);
        rows.filter(move |row| row.key.codec == Some(codec))
    }
}

/// Panels of percentages that have anything to show, on an axis from ten to ten around what they show.
fn percent_figure(mut panels: Vec<LinePanel>, columns: usize, y_name: &str) -> Content {
    panels.retain(|panel| panel.series.iter().any(|series| !series.points.is_empty()));
    let points = panels.iter().flat_map(|panel| &panel.series);
    let points = points.flat_map(|series| &series.points);
    let (mut low, mut high) = (100.0_f64, 0.0_f64);
    for point in points {
        let error = point.error.unwrap_or(0.0);
        (low, high) = (low.min(point.y - error), high.max(point.y + error));
    }
    // With a little room, so that no mark stands on an edge.
    let low = ((low - 1.0) / 10.0).floor() * 10.0;
    let high = ((high + 1.0) / 10.0).ceil() * 10.0;
    Content::Lines(LineFigure {
        y_name: y_name.to_string(),
        y_limits: (low.max(0.0), high.min(100.0)),
        columns,
        panels,
    })
}

/// The mean over seeds of a figure of each row, as a point.
fn point(x: f64, row: &Row<'_>, of: impl Fn(&CellResult) -> f64) -> Option<Point> {
    let spread = row.spread(of)?;
    Some(Point {
        x,
        y: spread.mean * 1e2,
        error: spread.deviation.map(|deviation| deviation * 1e2),
    })
}

impl SuiteFigure {
    /// Whether there is a panel; a figure of none can't be drawn.
    fn shows_anything(&self) -> bool {
        match &self.content {
            Content::Lines(figure) => !figure.panels.is_empty(),
            Content::Matrix(figure) => !figure.panels.is_empty(),
        }
    }

    /// What stands in for the figure where it can't be seen.
    pub fn alt(&self) -> String {
        self.caption
            .split(". ")
            .next()
            .unwrap_or_default()
            .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::plot::{LineAxis, LineStyle, Mark, Series};
    use crate::report::suite::invented::{Invented, latent, naive, suite};

    fn lines(figures: &[SuiteFigure], name: &str) -> LineFigure {
        let figure = figures.iter().find(|figure| figure.name == name);
        match &figure.expect("it is drawn").content {
            Content::Lines(figure) => figure.clone(),
            Content::Matrix(_) => panic!("{name} is a matrix"),
        }
    }

    fn drawn(panel: &LinePanel) -> Vec<(&str, Vec<(f64, f64)>)> {
        let series = panel.series.iter().map(|series| {
            let points = series.points.iter().map(|point| (point.x, point.y));
            (series.name.as_str(), points.collect())
        });
        series.collect()
    }

    #[test]
    fn curves_are_named_by_their_own_numbers_of_replays() {
        let with = |replays, all| {
            let codec = Codec::Raw;
            let cell = latent(3, codec, 0.1, all);
            let replay = Some((3, codec, replays));
            Invented { replay, ..cell }
        };
        let published = |cell| Invented {
            protocol: Protocol::Published,
            ..cell
        };
        let results = [
            naive(0.5, 0.3),
            with(200, 0.7),
            with(100, 0.6),
            with(50, 0.5),
            published(with(1152, 0.8)),
            published(with(576, 0.7)),
            latent(2, Codec::Raw, 0.1, 0.4),
        ];
        let figures = figures(&suite(&results, &[]));
        let strict = lines(&figures, "accuracy-per-epoch-strict-sample");
        assert_eq!(strict.panels.len(), 1);
        assert_eq!(strict.panels[0].title, "1:1, LR index 3");
        let before = vec![(0.0, 70.0)];
        let names = ["naive", "50 replays", "100 replays", "200 replays"];
        let expected = names.map(|name| (name, before.clone()));
        assert_eq!(drawn(&strict.panels[0]), expected);
        let published = lines(&figures, "accuracy-per-epoch-published-sample");
        let names = ["576 replays", "1152 replays"].map(|name| (name, before.clone()));
        assert_eq!(drawn(&published.panels[0]), names);
    }

    #[test]
    fn points_are_means_in_percent_at_their_lr_index_and_kilobytes() {
        let other_seed = |cell| Invented { seed: 1, ..cell };
        let or_10 = Codec::or(10).expect("a window");
        let results = [
            naive(0.5, 0.30),
            latent(1, or_10, 0.1, 0.6),
            other_seed(latent(1, or_10, 0.1, 0.7)),
            latent(3, or_10, 0.1, 0.5),
        ];
        let figures = figures(&suite(&results, &[]));
        let by_index = lines(&figures, "accuracy-by-lr-index");
        let panel = drawn(&by_index.panels[0]);
        assert_eq!(panel[0].0, "latent replay, 1:10");
        let rounded = panel[0].1.iter().map(|(x, y)| (*x, y.round()));
        assert_eq!(rounded.collect::<Vec<_>>(), [(1.0, 65.0), (3.0, 50.0)]);
        assert_eq!(
            by_index.y_limits,
            (20.0, 80.0),
            "from ten to ten around 30 and 72"
        );
        let kilobytes = lines(&figures, "accuracy-against-kilobytes");
        let with_points = |series: &&Series| series.name.is_empty();
        let points = kilobytes.panels[0].series.iter().filter(with_points);
        let points: Vec<&Series> = points.collect();
        assert_eq!(points.len(), 2, "naive learning keeps nothing");
        assert_eq!(
            (points[1].points[0].x, points[1].points[0].y.round()),
            (1.0, 50.0)
        );
        assert_eq!(
            (points[1].colour, points[1].mark),
            (LR[3], Some(Mark::Square))
        );
    }

    #[test]
    fn a_figure_with_nothing_to_show_is_left_out() {
        let empty = LinePanel {
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
            content: percent_figure(vec![empty], 2, "accuracy"),
        };
        assert!(!figure.shows_anything());
    }
}
