//! Fetches toy datasets from servers that misbehave in every way, and unpacks what strangers packed.
#![cfg(feature = "fetch")]

mod archives;
mod downloads;
mod given;
#[cfg(feature = "cli")]
mod program;
mod resumed;
mod server;
mod toy;
