//! The program: exit codes, and one sentence on stderr.

use std::process::Output;

use assert_cmd::Command;

use super::server::{NOBODY, Reply, Server};
use super::toy::Target;

fn run(target: &Target, arguments: &[&str]) -> Output {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("respike"));
    command.current_dir(target.path(""));
    for name in ["http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    let output = command.args(["data", "fetch"]).args(arguments).output();
    output.expect("the program runs")
}

/// Fails with a code and one line that says all of `words`; no file is new.
fn fails(target: &Target, arguments: &[&str], code: i32, words: &[&str]) {
    let before = target.files();
    let output = run(target, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
    let lines = stderr.lines().filter(|line| line.starts_with("respike: "));
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines.len(), 1, "one sentence: {stderr}");
    for word in words {
        assert!(lines[0].contains(word), "`{word}` is not in: {stderr}");
    }
    assert!(output.stdout.is_empty());
    assert_eq!(target.files(), before);
    assert!(!target.folder().exists());
}

#[test]
fn servers_that_fail_are_no_bad_input() {
    let target = Target::new();
    let by_hand = [
        "https://zenkelab.org/datasets/shd_train.h5.gz",
        " --from shd_train.h5.gz --from shd_test.h5.gz",
        "respike data fetch shd --to ",
    ];
    let server = Server::start(|_, request| match request.path.as_str() {
        "/missing/shd_train.h5.gz" => Reply::status("404 Not Found"),
        _ => Reply::honest(request, b"other bytes"),
    });
    let mirror = &server.address;
    fails(
        &target,
        &["shd", "--mirror", mirror],
        1,
        &["serves other bytes"],
    );
    fails(&target, &["shd", "--mirror", mirror], 1, &by_hand);
    let missing = format!("{mirror}/missing/");
    fails(&target, &["shd", "--mirror", &missing], 1, &["status 404"]);
    fails(
        &target,
        &["fsdd", "--mirror", mirror],
        1,
        &["cannot unpack", "26eb9aa.tar.gz"],
    );
    let last = server.requests().pop().expect("asked");
    assert_eq!(last.path, "/26eb9aa.tar.gz");
    fails(&target, &["shd", "--mirror", NOBODY], 1, &by_hand);
}

#[test]
fn bad_arguments_are_bad_input() {
    let target = Target::new();
    target.write("wrong.gz", b"not of SHD");
    fails(
        &target,
        &["shd", "--from", "wrong.gz"],
        2,
        &["wrong.gz is no file of shd", "MD5"],
    );
    fails(&target, &["shd", "--from", "nowhere"], 2, &["nowhere"]);
    fails(&target, &["fsdd", "--from", "wrong.gz"], 2, &["wrong.gz"]);
    fails(&target, &["shd", "--mirror", "ftp://x"], 2, &["ftp://x"]);
    for arguments in [
        &["mnist"][..],
        &[],
        &["shd", "--from", "wrong.gz", "--mirror", NOBODY],
    ] {
        let output = run(&target, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    assert_eq!(target.files(), ["wrong.gz"]);
}

#[test]
fn a_file_in_the_way_is_bad_input() {
    let target = Target::new();
    target.write("sounds/shd_test.h5", b"mine");
    let arguments = ["shd", "--to", "sounds", "--mirror", NOBODY];
    fails(&target, &arguments, 2, &["shd_test.h5 is there already"]);
    assert_eq!(target.read("sounds/shd_test.h5"), b"mine");
}
