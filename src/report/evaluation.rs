//! What a test of a trained network leaves.
//!
//! In: a test, and the data that it was made with. Out: a summary, and a folder of tables for spreadsheets and other
//! programs, which is whole or not there.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::csv_line::csv_line;
use super::whole_folder::{ResultFolderError, WholeFolder};
use super::{ConfusionMatrix, GroupAccuracy, accuracy_by, pretty_json};
use crate::dataset::Dataset;
use crate::ids::ClassId;
use crate::train::Evaluation;

const SUMMARY: &str = "summary.json";
const CONFUSION: &str = "confusion.csv";
const CLASSES: &str = "classes.csv";
const SPEAKERS: &str = "speakers.csv";
const LOGITS: &str = "logits.csv";
const FIGURE: &str = "confusion.png";
/// What is left of a test.
const FOLDER: WholeFolder = WholeFolder {
    of: "a test",
    own_files: &[SUMMARY, CONFUSION, CLASSES, SPEAKERS, LOGITS, FIGURE],
};

/// How a network classified samples, with the names that these have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EvaluationSummary {
    /// Samples.
    pub samples: usize,
    /// Those classified rightly.
    pub correct: usize,
    /// Their share, 0 to 1.
    pub accuracy: f64,
    /// Samples that the network was trained on: a test with them proves nothing.
    pub trained_on: usize,
    /// Names of rows and columns of the confusion matrix.
    pub class_names: Vec<String>,
    /// On the samples of each class that there are samples of.
    pub accuracy_of_classes: Vec<GroupAccuracy>,
    /// On the samples of each speaker.
    pub accuracy_of_speakers: Vec<GroupAccuracy>,
    /// How many samples of each class (row) were taken for each class (column).
    pub confusion: ConfusionMatrix,
}

impl EvaluationSummary {
    /// Of a test with all samples of `data` in their order, `trained_on` of which the network was trained on.
    pub fn new(tested: &Evaluation, data: &Dataset, trained_on: usize) -> Self {
        let rights = || {
            let predictions = tested.predictions.iter();
            let samples = data.iter().map(|(_, sample)| sample).zip(predictions);
            samples.map(|(sample, found)| (sample, sample.class == *found))
        };
        let classes = rights().map(|(sample, is_right)| (sample.class, is_right));
        let speakers = rights().map(|(sample, is_right)| (sample.speaker, is_right));
        EvaluationSummary {
            samples: tested.samples(),
            correct: tested.correct(),
            accuracy: tested.accuracy(),
            trained_on,
            class_names: names_of_classes(tested, data),
            accuracy_of_classes: accuracy_by(classes, |class| data.class_name(class)),
            accuracy_of_speakers: accuracy_by(speakers, |speaker| data.speaker_name(speaker)),
            confusion: tested.confusion.clone().into(),
        }
    }
}

/// Names of all classes that the network tells apart.
fn names_of_classes(tested: &Evaluation, data: &Dataset) -> Vec<String> {
    let classes = (0..tested.confusion.nrows()).map(|class| ClassId(class as u16));
    classes.map(|class| data.class_name(class)).collect()
}

/// Refuses a folder that cannot be written or may not be replaced, before anything is computed in vain. An empty one
/// may be.
///
/// # Errors
/// [`ResultFolderError`].
pub fn refuse_evaluation_folder(path: &Path, replace: bool) -> Result<(), ResultFolderError> {
    FOLDER.refuse(path, replace)
}

/// Writes a folder with `summary.json`, `confusion.csv`, `classes.csv` and `speakers.csv` (accuracy by class and
/// by speaker), `logits.csv` (a line a sample) and, with the feature `plots` and up to 100 classes,
/// `confusion.png`. It is there as a whole, or as it was before; `docs/FORMATS.md` has the columns.
///
/// # Errors
/// [`ResultFolderError`].
pub fn write_evaluation(
    path: &Path,
    replace: bool,
    (summary, tested, data): (&EvaluationSummary, &Evaluation, &Dataset),
) -> Result<(), ResultFolderError> {
    // A plain struct with names alone as keys always serialises.
    let json = pretty_json(summary).expect("a plain struct") + "\n";
    let texts = [
        (SUMMARY, json),
        (CONFUSION, confusion_table(summary)),
        (
            CLASSES,
            accuracy_table("class", &summary.accuracy_of_classes),
        ),
        (
            SPEAKERS,
            accuracy_table("speaker", &summary.accuracy_of_speakers),
        ),
        (LOGITS, logits_table(summary, tested, data)),
    ];
    FOLDER.write(path, replace, &texts, |_folder| {
        #[cfg(feature = "plots")]
        draw(summary, &_folder.join(FIGURE))?;
        Ok(())
    })
}

fn confusion_table(summary: &EvaluationSummary) -> String {
    let names = &summary.class_names;
    let heading = csv_line(std::iter::once("class").chain(names.iter().map(String::as_str)));
    let rows = names.iter().zip(summary.confusion.counts().outer_iter());
    let rows = rows.map(|(name, counts)| {
        let counts = counts.iter().map(u32::to_string);
        csv_line(std::iter::once(name.clone()).chain(counts))
    });
    heading + &rows.collect::<String>()
}

fn accuracy_table(what: &str, groups: &[GroupAccuracy]) -> String {
    let rows = groups.iter().map(|group| {
        let (samples, correct) = (group.samples.to_string(), group.correct.to_string());
        csv_line([&group.name, &samples, &correct, &group.accuracy.to_string()])
    });
    csv_line([what, "samples", "correct", "accuracy"]) + &rows.collect::<String>()
}

fn logits_table(summary: &EvaluationSummary, tested: &Evaluation, data: &Dataset) -> String {
    // What classifies without logits has none.
    let names = summary.class_names.iter().map(String::as_str);
    let names = names.take(tested.logits.ncols());
    let heading = ["sample", "speaker", "class", "predicted"];
    let mut table = csv_line(heading.into_iter().chain(names));
    let samples = data.iter().zip(tested.logits.outer_iter());
    for (((index, sample), logits), found) in samples.zip(&tested.predictions) {
        let cells = [
            index.0.to_string(),
            data.speaker_name(sample.speaker),
            data.class_name(sample.class),
            data.class_name(*found),
        ];
        table += &csv_line(cells.into_iter().chain(logits.iter().map(f32::to_string)));
    }
    table
}

/// Draws the shares of each class's samples; more classes than a figure has room for are not drawn.
#[cfg(feature = "plots")]
fn draw(summary: &EvaluationSummary, path: &Path) -> Result<(), String> {
    use super::plot::{MatrixFigure, MatrixPanel, matrix};
    use crate::storage::shown;
    /// More cannot be told apart.
    const MOST: usize = 100;
    let counts = summary.confusion.counts();
    if counts.nrows() > MOST {
        return Ok(());
    }
    let mut values = counts.mapv(f64::from);
    for mut row in values.outer_iter_mut() {
        // A class without samples has no share: not a number, which is left grey.
        let samples = row.sum();
        row.mapv_inplace(|count| count / samples * 1e2);
    }
    let names = summary
        .class_names
        .iter()
        .map(|name| shown(name).into_owned());
    let names: Vec<String> = names.collect();
    let figure = MatrixFigure {
        row_name: "class".to_string(),
        column_name: "taken for".to_string(),
        value_name: "share of the class's samples, %".to_string(),
        panels: vec![MatrixPanel {
            title: format!("{:.1} % right", summary.accuracy * 1e2),
            remark: match summary.samples {
                1 => "1 sample".to_string(),
                samples => format!("{samples} samples"),
            },
            row_names: names.clone(),
            column_names: names,
            values,
        }],
    };
    matrix(&figure, path).map_err(|error| error.to_string())
}
