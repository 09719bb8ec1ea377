//! Every plot as PNG and SVG, looked at for what is in it.
#![cfg(feature = "plots")]

#[path = "../common/mod.rs"]
mod common;
#[cfg(feature = "cli")]
mod program;
mod rasters;
mod runs;
