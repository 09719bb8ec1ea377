//! Fetching that is killed at calls that rename, sync and remove, and is asked for again.

use std::path::Path;

use respike::dataset::fetch::{Source, fetch};

use super::archives::{honest, source as recordings};
use super::server::{Reply, Server};
use super::strace::{Work, strace_works, without_seconds};
use super::toy::{hasty, toy};

const OUT: &str = "RESPIKE_TEST_FETCHES_INTO";
const MIRROR: &str = "RESPIKE_TEST_FETCHES_FROM";

fn sources() -> [Source; 2] {
    [toy().0, recordings()]
}

/// What the process does that is killed; by itself it is nothing.
#[test]
fn child() {
    let (Some(out), Ok(mirror)) = (std::env::var_os(OUT), std::env::var(MIRROR)) else {
        return;
    };
    for source in sources() {
        fetch(&source, Path::new(&out), &hasty(&mirror), &mut |_| {}).expect("fetched");
    }
}

#[test]
fn fetching_goes_on_from_any_kill() {
    if !strace_works() {
        return;
    }
    let (_, _, packed) = toy();
    let archive = honest("");
    let server = Server::start(move |_, request| {
        let body = match request.path.ends_with(".tar.gz") {
            true => &archive,
            false => &packed,
        };
        Reply::honest(request, body)
    });
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("data");
    let program = std::env::current_exe().expect("a test knows where it is");
    let variables = [
        format!("{OUT}={}", out.display()),
        format!("{MIRROR}={}", server.address),
    ];
    let mut command = vec!["env".into()];
    command.extend(variables.map(Into::into));
    command.push(program.into_os_string());
    let filter = ["killed::child", "--exact", "--test-threads=1"];
    command.extend(filter.map(Into::into));
    Work {
        out,
        before: None,
        ends: &[0],
        command,
        again: Vec::new(),
        alike: &without_seconds,
        stride: 2,
    }
    .survives_kills();
}
