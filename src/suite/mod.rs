//! Suites: declared grids of continual-learning experiments, run once and gone on with.
//!
//! In: a grid ([`SuiteSettings`], a TOML file), a dataset and a network spec. Out: a
//! [`SuiteFolder`] with a result for every cell of the grid, from which tables, figures and the report
//! are drawn. Experiments of the same protocol, scenario and seed begin from the same pre-trained
//! network; a finished cell is never run again; what was killed is gone on with, and gives the same
//! bytes.

mod builds;
mod controls;
mod cost;
mod data;
mod error;
mod folder;
mod manifest;
mod plan;
mod results;
mod run;
mod settings;
mod work;

pub use controls::{Control, ControlKind, Controls, ControlsError};
pub use data::SuiteData;
pub use error::SuiteError;
pub use folder::{SUITE_FORMAT, SuiteFolder};
pub use manifest::{Manifest, TimeLine};
pub use plan::{Group, GroupId, plan_suite, plan_without_data};
pub use results::{CellResult, Curve, GroupResults, Pretrained, ResultLine, cell_name};
pub use run::{SuiteNews, SuitePiece, run_suite};
pub use settings::{ProtocolSettings, StudyMethod, StudyScenario, StudySettings, SuiteSettings};
