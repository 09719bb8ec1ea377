//! What is on disk is whole or not there, whatever happens to the process and to the disk; and nothing
//! of anybody else is touched.
//!
//! Commands are killed at calls that rename, sync, remove and make, and calls that write fail. By default
//! a selection of all calls is tried; `RESPIKE_EXHAUSTIVE=1` tries every one.
#![cfg(unix)]

#[path = "../common/mod.rs"]
mod common;

mod commands;
mod ends;
mod inputs;
mod strangers;
