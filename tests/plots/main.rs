//! Every plot as PNG and SVG, looked at for what is in it.
#![cfg(feature = "plots")]

mod curves;
#[path = "../common/figures.rs"]
mod figures;
mod gallery;
mod rasters;
#[path = "../common/records.rs"]
mod records;
mod runs;
mod seen;
#[path = "../common/svg.rs"]
mod svg;
