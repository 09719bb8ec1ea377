//! Plots that the program draws, looked at for what is in them.

#[path = "../common/mod.rs"]
mod common;
mod program;
