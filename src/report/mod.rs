//! What is left of a run: records, tables and plots.
//!
//! In: news and outcomes of runs. Out: a folder with `run.jsonl` (one line for the start, one for
//! each epoch, one for the end) and `summary.json`. Every table and every plot is drawn from these
//! files alone; `docs/FORMATS.md` describes them.

mod accuracy;
mod confusion;
mod csv_line;
mod evaluation;
mod folder;
mod json;
#[cfg(feature = "plots")]
pub mod plot;
mod record;
mod run_record;
pub mod suite;
mod table;

pub use accuracy::{GroupAccuracy, accuracy_by};
pub use confusion::ConfusionMatrix;
pub use evaluation::{
    EvaluationFolderError, EvaluationSummary, refuse_evaluation_folder, write_evaluation,
};
pub use folder::{Begun, Replace, RunFolder, RunFolderError};
pub use json::pretty_json;
pub use record::{
    DataNote, Description, EpochLine, LearnSummary, Pair, PhaseName, RECORD_FORMAT, RecordLine,
    ReplayNote, StartLine, Summary, TaskNote, TrainSeconds, TrainSummary, describe_replay,
    fingerprint, is_fingerprint_of, kilobytes,
};
pub use run_record::RunRecord;
pub use table::{learn_table, markdown};
