//! Fetches toy datasets from servers that misbehave in every way, and unpacks what strangers packed.
#![cfg(feature = "fetch")]

mod archives;
mod downloads;
mod given;
#[cfg(unix)]
mod killed;
mod resumed;
mod server;
#[cfg(unix)]
#[allow(dead_code)] // failures are for the tests of the program
#[path = "../common/strace.rs"]
mod strace;
mod toy;
