//! What stands in files, apart from what it means: the shapes of TOML and JSON that this and all versions before
//! have written.
//!
//! In: domain types on the way to a file, or text on the way back. Out: the other. A type here changes only when
//! a format does, with a field that may be missing or a version of its own; renaming or rearranging a domain type
//! changes no file. Domain types name theirs by `#[serde(from, into)]`, so that whatever holds them is read and
//! written alike.

pub(crate) mod checkpoint;
pub(crate) mod experiment;
pub(crate) mod memory;
pub(crate) mod network;
pub(crate) mod plan;
pub(crate) mod recipe;
pub(crate) mod training;
