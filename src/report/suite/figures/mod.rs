//! Figures of a suite.
//!
//! In: collected results. Out: what is to be drawn, with captions, and what is not.

mod activity;
mod classes;
mod comparison;
mod epochs;
mod looks;
mod methods;

use super::collected::{Collected, MethodRole, Row, ScenarioKind, main_replays};
use super::tested::Tested;
use crate::continual::Protocol;
use crate::replay::CodecSettings;
use crate::report::plot::{LineFigure, LinePanel, MatrixFigure, Point};
use crate::suite::CellResult;
use looks::CodecMarks;

/// What the results have something to show for.
#[derive(Debug, Default)]
pub struct Figures {
    /// In the order of the report.
    pub drawn: Vec<SuiteFigure>,
    /// What is left out, and why, a line each.
    pub not_drawn: Vec<String>,
}

impl Figures {
    /// Adds a figure, unless it has nothing to show.
    fn add(&mut self, figure: SuiteFigure) {
        if figure.shows_anything() {
            self.drawn.push(figure);
        }
    }
}

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

/// All figures that the results have something for.
pub fn figures(collected: &Collected) -> Figures {
    let rows = collected.rows();
    let sections = collected.sections();
    let sections: Vec<Section<'_>> = sections
        .into_iter()
        .map(|(protocol, scenario)| {
            let here = |row: &&Row<'_>| {
                let key = &row.key;
                key.protocol == protocol && key.scenario == scenario && !row.cells.is_empty()
            };
            Section {
                protocol,
                rows: rows.iter().filter(here).collect(),
                replays: main_replays(&rows, protocol, &scenario),
                scenario,
            }
        })
        .collect();
    let marks = CodecMarks::of(collected);
    let mut figures = Figures::default();
    if !collected.is_grid() {
        methods::against_bytes(collected, &sections, &mut figures);
        methods::along_tasks(&sections, &mut figures);
        return figures;
    }
    for section in &sections {
        epochs::epochs(section, &mut figures);
    }
    comparison::lr_indices(&sections, &marks, &mut figures);
    classes::class_by_class(collected, &sections, &marks, &mut figures);
    comparison::bytes(&sections, &marks, &mut figures);
    for section in &sections {
        classes::matrices(collected, section, &mut figures);
    }
    activity::activity(collected, &sections, &marks, &mut figures);
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

    /// The same with the number of replays that is compared at.
    fn title_at_replays(&self) -> String {
        match self.replays {
            Some(replays) => format!("{} ({replays}\u{a0}replays)", self.title()),
            None => self.title(),
        }
    }

    /// How many test samples stand behind some rows.
    fn tested(&self, rows: &[&Row<'_>]) -> String {
        let tested = rows.iter().filter_map(|row| row.tested());
        Tested::together(tested).map_or(String::new(), |tested| tested.to_string())
    }

    /// Says so where joint training, with which all is to be compared, was not run.
    fn without_joint(&self) -> String {
        match self.strategy(MethodRole::Joint).next() {
            Some(_) => String::new(),
            None => format!(" Joint training was not run for {}.", self.title()),
        }
    }

    /// Whether a row has the number of replays that is compared at, or keeps nothing.
    fn compares(&self, row: &Row<'_>) -> bool {
        row.key.replays.is_none() || row.key.replays == self.replays
    }

    /// Whether tasks are many small ones.
    fn is_of_many_tasks(&self) -> bool {
        !self.scenario.is_single && !self.scenario.is_by_class
    }

    fn is_single(&self) -> bool {
        !self.scenario.is_by_class
    }

    fn strategy(&self, role: MethodRole) -> impl Iterator<Item = &'a Row<'a>> + '_ {
        let rows = self.rows.iter().copied();
        rows.filter(move |row| row.key.role == role)
    }

    fn latent<'b>(&'b self, codec: &'b CodecSettings) -> impl Iterator<Item = &'a Row<'a>> + 'b {
        let rows = self.strategy(MethodRole::Latent);
        rows.filter(move |row| row.key.codec.as_ref() == Some(codec))
    }
}

/// A sentence about the rows that a figure does not show, and what of them is nowhere in it; nothing if
/// all are shown.
fn left_out<'a>(all: impl Iterator<Item = &'a Row<'a>>, drawn: &[&Row<'_>]) -> String {
    let all: Vec<&Row<'_>> = all.collect();
    let is_drawn = |row: &&Row<'_>| drawn.iter().any(|drawn| drawn.key == row.key);
    let missing: Vec<&Row<'_>> = all.iter().copied().filter(|row| !is_drawn(row)).collect();
    if missing.is_empty() {
        return String::new();
    }
    let nowhere = |of: &dyn Fn(&Row<'_>) -> Option<String>| {
        let mut values: Vec<String> = Vec::new();
        for value in missing.iter().filter_map(|row| of(row)) {
            let shown = drawn.iter().any(|row| of(row).as_ref() == Some(&value));
            if !shown && !values.contains(&value) {
                values.push(value);
            }
        }
        values
    };
    let latent = |row: &Row<'_>| row.key.role == MethodRole::Latent;
    let codec = |row: &Row<'_>| row.key.codec.clone().filter(|_| latent(row));
    let mut parts = nowhere(&|row| Some(row.key.strategy.clone()));
    parts.extend(nowhere(&|row| Some(format!("LR {}", row.key.lr_index?))));
    parts.extend(nowhere(&|row| codec(row).map(|codec| codec.to_string())));
    let mut among = match parts.is_empty() {
        true => String::new(),
        false => format!(", among them all with {}", parts.join(", ")),
    };
    if !nowhere(&|row| row.key.replays.map(|replays| replays.to_string())).is_empty() {
        among += match parts.is_empty() {
            true => ", among them all with other numbers of replays",
            false => " and all with other numbers of replays",
        };
    }
    format!(
        " {} of {} rows {} in the tables{among}.",
        missing.len(),
        all.len(),
        match missing.len() {
            1 => "is not drawn, but stands",
            _ => "are not drawn, but stand",
        }
    )
}

/// Panels of percentages that have anything to show, on an axis from ten to ten around what they show.
fn percent_figure(mut panels: Vec<LinePanel>, columns: usize, y_name: &str) -> LineFigure {
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
    LineFigure {
        y_name: y_name.to_string(),
        y_limits: (low.max(0.0), high.min(100.0)),
        columns,
        panels,
    }
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
mod tests;
