//! `respike data fetch`, from servers that misbehave.

mod program;
#[allow(dead_code)] // most of it is for the tests of the library
#[path = "../../../tests/fetch/server.rs"]
mod server;
#[allow(dead_code)] // as above
#[path = "../../../tests/fetch/toy.rs"]
mod toy;
