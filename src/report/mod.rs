//! What is left of a run: records, tables and plots.
//!
//! In: news and outcomes of runs. Out: a folder with `run.jsonl` (one line for the start, one for
//! each epoch, one for the end) and `summary.json`. Every table and every plot is drawn from these
//! files alone; `docs/FORMATS.md` describes them.

mod accuracy;
mod concepts;
mod confusion;
mod csv_line;
mod evaluation;
mod folder;
mod json;
#[cfg(feature = "plots")]
pub mod player;
#[cfg(feature = "plots")]
pub mod plot;
mod rates;
mod record;
mod run_record;
mod search;
pub mod suite;
mod summary;
mod table;
mod whole_folder;

pub use accuracy::{GroupAccuracy, accuracy_by};
pub use concepts::{ConceptSummary, concept_table, refuse_concept_folder, write_concepts};
pub use confusion::ConfusionMatrix;
pub use evaluation::{EvaluationSummary, refuse_evaluation_folder, write_evaluation};
pub use folder::{Begun, LEARNER, Replace, RunFolder, RunFolderError};
pub use json::pretty_json;
pub use rates::FiringRates;
pub use record::{
    DataNote, Description, EpochLine, PhaseName, RECORD_FORMAT, RecordLine, StartLine, TaskNote,
    fingerprint, is_fingerprint_of,
};
pub use run_record::RunRecord;
#[cfg(feature = "plots")]
pub use search::search_figure;
pub use search::{SearchSummary, search_table};
pub use summary::{
    LearnSummary, Pair, PickedNote, ReplayNote, Summary, TrainSeconds, TrainSummary,
    describe_replay, kilobytes,
};
pub use table::{comma_separated, learn_table, markdown};
pub use whole_folder::ResultFolderError;
