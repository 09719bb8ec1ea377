//! A page that plays the spikes of a sample.
//!
//! In: what a raster has, and the readout over time. Out: one HTML file that asks for nothing else: style, script
//! and data are in it. What comes from files is text in a JSON string, and is put on the page as text.

use std::path::Path;

use ndarray::{Array2, Axis};
use serde::Serialize;

use super::plot::{PlotError, RasterPanel};
use crate::ids::{ClassId, TimeStep};
use crate::network::Activity;
use crate::spikes::TimeGrid;
use crate::storage::{shown, write_whole};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The spikes of a sample on its way through a network, to be played.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PlayerPage {
    /// What stands on top, such as the file, the speaker and the class.
    pub title: String,
    /// What else is to be said.
    pub remarks: Vec<String>,
    /// The time bins of all panels.
    pub grid: TimeGrid,
    /// The layers from the top down, unit 0 of each at its top.
    pub panels: Vec<RasterPanel>,
    /// What the network's readout said, if there is a network.
    pub answer: Option<PlayerAnswer>,
}

/// What a network made of a sample.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PlayerAnswer {
    /// By readout.
    pub class_names: Vec<String>,
    /// What the sample is, if the network has a class for it.
    pub truth: Option<ClassId>,
    /// What it was taken for.
    pub taken: ClassId,
    /// The readout after each step: steps × classes.
    pub readout: Array2<f32>,
}

impl PlayerAnswer {
    /// What a network made of a sample; classes that have no name are called by their numbers.
    pub fn new(class_names: &[String], activity: &Activity) -> Self {
        // The first row stands before the first step.
        let readout = activity
            .readout
            .slice_axis(Axis(0), (1..).into())
            .to_owned();
        let names = (0..readout.ncols()).map(|class| match class_names.get(class) {
            Some(name) => name.clone(),
            None => ClassId(class as u16).to_string(),
        });
        PlayerAnswer {
            class_names: names.collect(),
            truth: None,
            taken: activity.predicted(),
            readout,
        }
    }

    /// The same of a sample that is of that class.
    #[must_use]
    pub fn with_truth(mut self, truth: Option<ClassId>) -> Self {
        self.truth = truth;
        self
    }
}

impl PlayerPage {
    /// A page of layers on a time grid.
    pub fn new(title: impl Into<String>, grid: TimeGrid, panels: Vec<RasterPanel>) -> Self {
        PlayerPage {
            title: title.into(),
            remarks: Vec::new(),
            grid,
            panels,
            answer: None,
        }
    }

    /// The same with what else is to be said.
    #[must_use]
    pub fn with_remarks(mut self, remarks: Vec<String>) -> Self {
        self.remarks = remarks;
        self
    }

    /// The same with what a network made of it.
    #[must_use]
    pub fn with_answer(mut self, answer: PlayerAnswer) -> Self {
        self.answer = Some(answer);
        self
    }

    /// The page as HTML.
    ///
    /// # Errors
    /// [`PlotError::NothingToDraw`] without panels, and if panels, readout and grid differ in their number of steps,
    /// or the readout and the names in their number of classes.
    pub fn html(&self) -> Result<String, PlotError> {
        self.check()?;
        let json = serde_json::to_string(&self.data());
        let json = json.map_err(|error| PlotError::Drawing(error.to_string()))?;
        // Data last, so that nothing in it is taken for a place to be filled.
        let page = PAGE.replace("@STYLE@", STYLE.trim());
        let page = page.replace("@SCRIPT@", SCRIPT.trim());
        Ok(page.replacen("@DATA@", &inside_script(&json), 1))
    }

    /// Writes the page whole.
    ///
    /// # Errors
    /// As [`PlayerPage::html`], [`PlotError::NoPage`] if the file's name does not end in .html or .htm, and
    /// [`PlotError::CannotWrite`].
    pub fn write(&self, path: &Path) -> Result<(), PlotError> {
        check_page_name(path)?;
        write_whole(path, self.html()?.as_bytes()).map_err(|source| PlotError::CannotWrite {
            path: path.to_path_buf(),
            source,
        })
    }

    fn check(&self) -> Result<(), PlotError> {
        let nothing = |reason: String| Err(PlotError::NothingToDraw(reason));
        let steps = self.grid.steps();
        if self.panels.is_empty() {
            return nothing("no layer was given".into());
        }
        if let Some(other) = self
            .panels
            .iter()
            .find(|panel| panel.counts.steps() != steps)
        {
            let (label, found) = (&other.label, other.counts.steps());
            return nothing(format!(
                "{label} has {found} time bins, and the grid has {steps}"
            ));
        }
        let Some(answer) = &self.answer else {
            return Ok(());
        };
        let (found, expected) = (answer.readout.dim(), (steps, answer.class_names.len()));
        match found == expected {
            true => Ok(()),
            false => nothing(format!("the readout is {found:?}, and not {expected:?}")),
        }
    }

    fn data(&self) -> Data {
        let grid = self.grid;
        // Bin 0 may lie before the start, and is left out if it is empty.
        let before = |panel: &RasterPanel| panel.counts.count_in_step(TimeStep(0)) > 0;
        let is_before = grid.start_s(TimeStep(0)) < 0.0;
        let panels = self.panels.iter().map(|panel| PanelData {
            label: shown(&panel.label).into_owned(),
            unit_name: shown(&panel.unit_name).into_owned(),
            units: panel.counts.units(),
            events: (0..grid.steps())
                .flat_map(|step| {
                    let row = panel.counts.row(TimeStep(step));
                    row.flat_map(move |(unit, count)| [step, unit.0, usize::from(count)])
                })
                .collect(),
        });
        let answer = self.answer.as_ref();
        Data {
            title: shown(&self.title).into_owned(),
            remarks: self
                .remarks
                .iter()
                .map(|text| shown(text).into_owned())
                .collect(),
            start_ms: grid.start_s(TimeStep(0)) * 1e3,
            step_ms: grid.step_ms(),
            steps: grid.steps(),
            first_step: usize::from(is_before && !self.panels.iter().any(before)),
            panels: panels.collect(),
            class_names: answer.map_or_else(Vec::new, |answer| {
                let names = answer.class_names.iter();
                names.map(|name| shown(name).into_owned()).collect()
            }),
            truth: answer.and_then(|answer| Some(answer.truth?.index())),
            taken: answer.map(|answer| answer.taken.index()),
            readout: answer.map(|answer| {
                let steps = answer.readout.outer_iter();
                steps
                    .map(|step| step.iter().map(|&value| rounded(value)).collect())
                    .collect()
            }),
        }
    }
}

/// Checks that a file's name ends as a page's does, before work is done for it.
///
/// # Errors
/// [`PlotError::NoPage`].
pub fn check_page_name(path: &Path) -> Result<(), PlotError> {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    match extension.to_str() {
        Some("html" | "htm") => Ok(()),
        _ => Err(PlotError::NoPage(path.to_path_buf())),
    }
}

/// What the script reads.
#[derive(Serialize)]
struct Data {
    title: String,
    remarks: Vec<String>,
    start_ms: f64,
    step_ms: f64,
    steps: usize,
    first_step: usize,
    panels: Vec<PanelData>,
    class_names: Vec<String>,
    truth: Option<usize>,
    taken: Option<usize>,
    readout: Option<Vec<Vec<f64>>>,
}

#[derive(Serialize)]
struct PanelData {
    label: String,
    unit_name: String,
    units: usize,
    /// Step, unit and how many, one after the other.
    events: Vec<usize>,
}

/// Four digits; what is no number, which JSON has no word for, as 0.
fn rounded(value: f32) -> f64 {
    format!("{value:.3e}")
        .parse()
        .ok()
        .filter(|value: &f64| value.is_finite())
        .unwrap_or(0.0)
}

/// JSON that means the same, and in which nothing ends a script or begins a comment.
fn inside_script(json: &str) -> String {
    // These stand in strings alone.
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::spikes::SpikeCounts;

    fn page() -> PlayerPage {
        let counts = SpikeCounts::from_dense(array![[0, 0], [2, 0], [0, 1]].view());
        let grid = TimeGrid::new(3, 0.2).expect("a grid");
        PlayerPage::new(
            "a title",
            grid,
            vec![RasterPanel::input(counts.expect("valid"))],
        )
    }

    fn data_of(html: &str) -> serde_json::Value {
        let (_, rest) = html.split_once("id=\"data\">").expect("data");
        let (json, _) = rest.split_once("</script>").expect("an end");
        serde_json::from_str(json).expect("JSON")
    }

    #[test]
    fn a_page_has_its_spikes_on_its_grid() {
        let readout = array![[0.0, 1.0], [0.123456, -2.0], [f32::NAN, 3.0]];
        let names = vec!["red".to_string(), "green".to_string()];
        let answer = PlayerAnswer {
            class_names: names,
            truth: Some(ClassId(0)),
            taken: ClassId(1),
            readout,
        };
        let data = data_of(&page().with_answer(answer).html().expect("it fits"));
        // Bin 0 lies before the start.
        assert_eq!(
            (&data["start_ms"], &data["step_ms"]),
            (&(-100.0).into(), &100.0.into())
        );
        assert_eq!(
            (&data["first_step"], &data["steps"]),
            (&1.into(), &3.into())
        );
        let events = &data["panels"][0]["events"];
        assert_eq!(*events, serde_json::json!([1, 0, 2, 2, 1, 1]));
        assert_eq!((&data["truth"], &data["taken"]), (&0.into(), &1.into()));
        assert_eq!(data["readout"][1], serde_json::json!([0.1235, -2.0]));
        assert_eq!(data["readout"][2], serde_json::json!([0.0, 3.0]));
    }

    #[test]
    fn nothing_in_a_name_acts_on_the_page() {
        let odd = "</script><script>alert(1)</script><!-- @STYLE@ \u{2028} & \u{1b}[31m";
        let mut odd_page = page();
        odd_page.title = odd.into();
        odd_page.panels[0].label = odd.into();
        let (plain, html) = (
            page().html().expect("valid"),
            odd_page.html().expect("valid"),
        );
        for what in ["<script", "</script", "<!--"] {
            assert_eq!(
                html.matches(what).count(),
                plain.matches(what).count(),
                "{what}"
            );
        }
        assert!(!html.contains(['\u{2028}', '\u{1b}']));
        let title = data_of(&html)["title"].as_str().expect("text").to_string();
        assert_eq!(title, shown(odd));
    }

    #[test]
    fn a_page_asks_for_nothing() {
        let html = page().html().expect("valid");
        for what in [
            "http:",
            "https:",
            "src=",
            "@import",
            "url(",
            "fetch(",
            "innerHTML",
        ] {
            assert!(!html.contains(what), "{what}");
        }
        for place in ["@STYLE@", "@SCRIPT@", "@DATA@"] {
            assert!(!html.contains(place), "{place} is not filled");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut empty = page();
        empty.panels.clear();
        assert!(empty.html().is_err());
        let mut other = page();
        other.grid = TimeGrid::new(4, 0.2).expect("a grid");
        assert!(other.html().is_err());
        let answer = PlayerAnswer {
            class_names: vec!["one".into()],
            truth: None,
            taken: ClassId(0),
            readout: Array2::zeros((3, 2)),
        };
        assert!(page().with_answer(answer).html().is_err());
        let refused = page().write(Path::new("page.png")).expect_err("not a page");
        assert!(refused.to_string().contains(".html"), "{refused}");
    }
}
