//! The report of a suite: tables, figures, and one HTML file that needs nothing else.
//!
//! In: a suite's folder, finished or not. Out: `tables/` (Markdown and CSV), `figures/` (SVG and PNG)
//! and `report.html` in it. All of it is drawn from results alone, so the same results give the same
//! bytes.

mod claims;
mod collected;
mod command;
mod controls;
#[cfg(feature = "plots")]
mod figures;
#[cfg(feature = "plots")]
mod html;
#[cfg(test)]
mod invented;
mod methods;
mod table;
mod tables;
mod tested;

pub use claims::{Claim, claims};
pub use collected::{Collected, Row, RowKey, Spread};
pub use command::{in_shell, learn_command};
pub use controls::{ControlRow, controls};
#[cfg(feature = "plots")]
pub use html::{SuiteReport, write_report};
pub use table::Table;
pub use tables::tables;
