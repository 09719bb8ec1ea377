//! What replay sources gave for classes learned one by one.
//!
//! In: a [`ConceptOutcome`]. Out: a folder with all figures as JSON, tables, what became of the first concept as a figure,
//! and a gallery of what each way gives.

#[cfg(feature = "plots")]
mod figures;
mod spreads;
mod tables;

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::whole_folder::{ResultFolderError, WholeFolder};
use super::{fingerprint, pretty_json};
use crate::concepts::ConceptOutcome;
use crate::dataset::Dataset;
use crate::simd::Simd;
use crate::train::Checkpoint;

pub use tables::concept_table;

/// The version of the file.
const FORMAT: u32 = 1;
const SUMMARY: &str = "concepts.json";
const TABLE: &str = "table.md";
const ALIGNMENT: &str = "alignment.png";
const GALLERY: &str = "gallery.png";

const FOLDER: WholeFolder = WholeFolder {
    of: "`concepts`",
    own_files: &[SUMMARY, TABLE, ALIGNMENT, GALLERY],
};

/// An experiment with all that it was made with and of: what `concepts.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConceptSummary {
    /// The version of the file.
    pub format: u32,
    /// The version of the program.
    pub respike: String,
    /// The source that it was built from ([`BUILD`](crate::BUILD)).
    pub build: String,
    /// Vector instructions.
    pub simd: String,
    /// The trained network.
    pub model: String,
    /// Files of the samples that were learned from, and a fingerprint of these.
    pub data_files: Vec<String>,
    /// Of the data.
    pub data: String,
    /// Files of the samples that say how far the judge is right.
    pub test_files: Vec<String>,
    /// Of the test data.
    pub test: String,
    /// How many of the real samples that were learned from the judge was trained on.
    pub judge_trained_on: usize,
    /// How many of the test samples it was trained on; with any, the ceiling proves nothing.
    pub judge_trained_on_tests: usize,
    /// What came out.
    pub outcome: ConceptOutcome,
}

impl ConceptSummary {
    /// Of an outcome, the network of a file, and data with the files that it was read from.
    pub fn new(
        outcome: ConceptOutcome,
        (model, judge): (String, &Checkpoint),
        (data_files, train): (Vec<String>, &Dataset),
        (test_files, test): (Vec<String>, &Dataset),
    ) -> Self {
        let concepts = &outcome.experiment.concepts;
        let seen = |dataset: &Dataset| {
            let samples = dataset.iter().map(|(_, sample)| sample);
            let of_concepts = samples.filter(|sample| concepts.contains(&sample.class));
            of_concepts
                .filter(|sample| judge.trained_on.contains(sample))
                .count()
        };
        ConceptSummary {
            format: FORMAT,
            respike: env!("CARGO_PKG_VERSION").to_string(),
            build: crate::BUILD.to_string(),
            simd: Simd::current().to_string(),
            model,
            data_files,
            data: fingerprint(train),
            test_files,
            test: fingerprint(test),
            judge_trained_on: seen(train),
            judge_trained_on_tests: seen(test),
            outcome,
        }
    }
}

/// Refuses a folder that cannot be written or may not be replaced, before anything is computed in vain. An empty one
/// may be.
///
/// # Errors
/// [`ResultFolderError`].
pub fn refuse_concept_folder(path: &Path, replace: bool) -> Result<(), ResultFolderError> {
    FOLDER.refuse(path, replace)
}

/// Writes a folder with `concepts.json`, `table.md` and, with the feature `plots`, `alignment.png` and `gallery.png`.
/// It is there as a whole, or as it was before; `docs/FORMATS.md` describes it.
///
/// # Errors
/// [`ResultFolderError`].
pub fn write_concepts(
    path: &Path,
    replace: bool,
    summary: &ConceptSummary,
) -> Result<(), ResultFolderError> {
    // A plain struct with names alone as keys always serialises.
    let json = pretty_json(summary).expect("a plain struct") + "\n";
    let texts = [(SUMMARY, json), (TABLE, tables::page(summary))];
    FOLDER.write(path, replace, &texts, |_folder| {
        #[cfg(feature = "plots")]
        figures::draw(
            &summary.outcome,
            &_folder.join(ALIGNMENT),
            &_folder.join(GALLERY),
        )?;
        Ok(())
    })
}
