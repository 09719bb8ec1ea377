//! What tests of the program need, besides what they share with those of the library.
#![allow(dead_code, unused_imports)] // each test file uses some of it

pub mod browser;
#[path = "../../../tests/common/figures.rs"]
pub mod figures;
pub mod program;
#[path = "../../../tests/common/mod.rs"]
mod shared;
#[cfg(unix)]
#[path = "../../../tests/common/strace.rs"]
pub mod strace;
pub mod suite;
#[path = "../../../tests/common/svg.rs"]
pub mod svg;

pub use shared::*;
