//! Servers that break off, lie, refuse and keep silent.

use std::time::{Duration, Instant};

use respike::dataset::fetch::{Contents, Settings, fetch};

use super::server::{NOBODY, Reply, Server};
use super::toy::{PART, Target, assert_fails, gzip, hasty, noise, published, shown, toy, toy_file};

#[test]
fn files_are_downloaded_checked_and_unpacked_once() {
    let (one, other) = (noise(150_000, 2), noise(10, 3));
    let (packed_one, packed_other) = (gzip(&one), gzip(&other));
    let mut source = toy_file(&one, &packed_one);
    let other_file = published("other.h5", &other, &packed_other);
    source.contents = match source.contents {
        Contents::Files(files) => Contents::Files([files, vec![other_file]].concat()),
        contents => contents,
    };
    let length = packed_one.len();
    let server = Server::start(move |_, request| match request.path.as_str() {
        "/below/toy.h5.gz" => Reply::honest(request, &packed_one),
        "/below/other.h5.gz" => Reply::honest(request, &packed_other),
        _ => Reply::status("404 Not Found"),
    });
    let target = Target::new();
    let settings = hasty(&format!("{}/below/", server.address));
    let mut seen = Vec::new();
    let fetched = fetch(&source, &target.folder(), &settings, &mut |progress| {
        seen.extend(shown(&progress));
    });
    let ready = ["toy.h5", "other.h5"].map(|name| target.folder().join(name));
    assert_eq!(fetched.expect("fetched").ready, ready);
    assert_eq!(
        seen[..2],
        [format!("downloaded {length}"), "unpack".to_string()]
    );
    assert_eq!(target.files(), ["data/other.h5", "data/toy.h5"]);
    assert_eq!(target.read("data/toy.h5"), one);
    assert_eq!(target.read("data/other.h5"), other);

    // What is there is not fetched again, and what is missing is.
    std::fs::remove_file(target.path("data/other.h5")).expect("there");
    target.fetch(&source, &settings).expect("fetched");
    let paths = server.requests().into_iter().map(|request| request.path);
    let paths: Vec<_> = paths.collect();
    assert_eq!(paths[1..], ["/below/other.h5.gz", "/below/other.h5.gz"]);
    target.fetch(&source, &hasty(NOBODY)).expect("all there");
}

#[test]
fn another_file_of_the_name_is_left_alone() {
    let (source, ..) = toy();
    let target = Target::new();
    target.write("data/toy.h5", b"mine");
    assert_fails(
        target.fetch(&source, &hasty(NOBODY)),
        &["toy.h5 is there already", "MD5", "move it away"],
    );
    assert_eq!(target.read("data/toy.h5"), b"mine");
    let target = Target::new();
    target.write("data/toy.h5/file", b"mine");
    assert_fails(
        target.fetch(&source, &hasty(NOBODY)),
        &["toy.h5 is there already", "no plain file"],
    );
    target.write("file", b"mine");
    let folder = target.path("file");
    let done = fetch(&source, &folder, &hasty(NOBODY), &mut |_| {});
    assert_fails(done, &["cannot make", "file"]);
}

#[test]
fn a_part_where_the_whole_was_asked_for_is_refused() {
    let (source, _, packed) = toy();
    let target = Target::new();
    let server = Server::start(move |_, _| Reply::part("bytes 5-9/10", 5, &packed[5..10]));
    let done = target.fetch(&source, &hasty(&server.address));
    assert_fails(done, &["makes no sense", "bytes 5-9/10", "whole file"]);
    assert_eq!(target.files(), [""; 0]);
    assert!(!target.folder().exists());
}

#[test]
fn a_server_that_says_more_than_it_sends_is_given_up() {
    let (source, _, packed) = toy();
    let target = Target::new();
    let length = packed.len();
    let body = packed.clone();
    let server = Server::start(move |_, _| Reply::announcing(length + 1000, &body));
    let done = target.fetch(&source, &hasty(&server.address));
    assert_fails(done, &["cannot download"]);
    // Once the whole, then three tries in vain; what came can be gone on with.
    assert_eq!(server.ranges().len(), 1 + 4);
    assert_eq!(target.files(), [PART]);
}

#[test]
fn a_server_that_says_less_than_it_sends_serves_another_file() {
    let (source, _, packed) = toy();
    let target = Target::new();
    let server = Server::start(move |_, _| Reply::announcing(packed.len() - 1000, &packed));
    let done = target.fetch(&source, &hasty(&server.address));
    assert_fails(done, &["serves other bytes", "MD5"]);
    assert_eq!(server.ranges(), [None]);
    assert_eq!(target.files(), [""; 0]);
}

#[test]
fn other_bytes_are_not_kept() {
    let (source, _, packed) = toy();
    let expected = respike::dataset::fetch::Md5Sum::of(&packed).to_string();
    let target = Target::new();
    let server = Server::start(|_, request| Reply::honest(request, b"not what was published"));
    let settings = hasty(&server.address);
    assert_fails(
        target.fetch(&source, &settings),
        &["serves other bytes", &expected, "nothing of it is kept"],
    );
    assert_eq!(server.ranges(), [None]);
    assert_eq!(target.files(), [""; 0]);
    // In pieces it is tried once more as a whole.
    target.write(PART, b"not");
    assert_fails(target.fetch(&source, &settings), &["serves other bytes"]);
    assert_eq!(server.ranges(), [None, Some(3), None]);
    assert_eq!(target.files(), [""; 0]);
}

#[test]
fn a_status_is_reported() {
    let (source, ..) = toy();
    for (status, words, requests) in [
        ("404 Not Found", "status 404", 1),
        ("403 Forbidden", "status 403", 1),
        ("416 Range Not Satisfiable", "status 416", 1),
        ("500 Internal Server Error", "status 500", 4),
        ("503 Service Unavailable", "status 503", 4),
    ] {
        let target = Target::new();
        let server = Server::start(move |_, _| Reply::status(status));
        let done = target.fetch(&source, &hasty(&server.address));
        assert_fails(done, &["cannot download", "/toy.h5.gz", words]);
        assert_eq!(server.ranges().len(), requests, "{status}");
        assert!(!target.folder().exists());
    }
}

#[test]
fn a_server_that_recovers_is_enough() {
    let (source, plain, packed) = toy();
    let target = Target::new();
    let server = Server::start(move |number, request| match number {
        0 => Reply::status("503 Service Unavailable"),
        1 => Reply::nothing(),
        2 => Reply::new("200 OK", &[], b"").cut(10),
        // A length is not always said.
        _ => Reply::honest(&request.clone(), &packed),
    });
    let settings = hasty(&server.address);
    target.fetch(&source, &settings).expect("fetched");
    assert_eq!(target.read("data/toy.h5"), plain);
}

#[test]
fn a_body_without_a_length_is_taken_to_its_end() {
    let (source, plain, packed) = toy();
    let target = Target::new();
    let server = Server::start(move |_, _| Reply::new("200 OK", &[], &packed));
    let settings = hasty(&server.address);
    target.fetch(&source, &settings).expect("fetched");
    assert_eq!(target.read("data/toy.h5"), plain);
}

#[test]
fn nobody_there_and_noise_instead_of_http_fail_clearly() {
    let (source, ..) = toy();
    let target = Target::new();
    assert_fails(
        target.fetch(&source, &hasty(NOBODY)),
        &["cannot download http://127.0.0.1:1/toy.h5.gz", "refused"],
    );
    let server = Server::start(|_, _| Reply {
        bytes: noise(100_000, 4),
        then_silent: false,
    });
    let done = target.fetch(&source, &hasty(&server.address));
    assert_fails(done, &["cannot download"]);
    let server = Server::start(|_, _| Reply::new("200 OK", &[("X", "y".repeat(1 << 20))], b""));
    let done = target.fetch(&source, &hasty(&server.address));
    assert_fails(done, &["cannot download"]);
    assert!(!target.folder().exists());
}

#[test]
fn silence_ends_a_try() {
    let (source, _, packed) = toy();
    for sent in [0, 30, packed.len() / 2] {
        let target = Target::new();
        let body = packed.clone();
        let server = Server::start(move |_, request| {
            let mut reply = Reply::honest(request, &body);
            let sent = if request.range.is_none() { sent } else { 0 };
            reply.bytes.truncate(sent);
            reply.then_silent = true;
            reply
        });
        let settings = Settings {
            silence_timeout: Duration::from_millis(60),
            retries: 1,
            ..hasty(&server.address)
        };
        let start = Instant::now();
        let done = target.fetch(&source, &settings);
        assert_fails(done, &["cannot download", "silent"]);
        assert!(start.elapsed() < Duration::from_secs(5));
        assert_eq!(target.files().len(), usize::from(sent > 1000));
    }
}

#[test]
fn redirects_are_followed_but_not_for_ever() {
    let (source, plain, packed) = toy();
    let half = packed.len() / 2;
    let server = Server::start(move |number, request| match request.path.as_str() {
        "/toy.h5.gz" => {
            let headers = [
                ("Location", "/elsewhere".to_string()),
                ("Content-Length", "0".to_string()),
            ];
            Reply::new("302 Found", &headers, b"")
        }
        _ if number == 1 => Reply::honest(request, &packed).cut(packed.len() - half),
        _ => Reply::honest(request, &packed),
    });
    let target = Target::new();
    let settings = hasty(&server.address);
    target.fetch(&source, &settings).expect("fetched");
    assert_eq!(server.ranges(), [None, None, Some(half), Some(half)]);
    assert_eq!(target.read("data/toy.h5"), plain);

    let server = Server::start(|_, _| {
        let headers = [("Location", "/toy.h5.gz".to_string())];
        Reply::new("302 Found", &headers, b"")
    });
    let target = Target::new();
    let done = target.fetch(&source, &hasty(&server.address));
    assert_fails(done, &["cannot download", "redirects"]);
    assert!(!target.folder().exists());
}

#[test]
fn more_than_the_limit_is_not_taken() {
    let (source, _, packed) = toy();
    let target = Target::new();
    let body = packed.clone();
    let honest = Server::start(move |_, request| Reply::honest(request, &body));
    let endless = Server::start(move |_, _| Reply::new("200 OK", &[], &packed));
    for server in [honest, endless] {
        let settings = Settings {
            largest_download: 100_000,
            ..hasty(&server.address)
        };
        let done = target.fetch(&source, &settings);
        assert_fails(done, &["too large", "100000 bytes"]);
        assert!(!target.folder().exists());
    }
}

#[test]
fn a_bad_gzip_file_leaves_nothing() {
    let plain = vec![0; 300_000];
    let whole = gzip(&plain);
    let cut = whole[..whole.len() - 9].to_vec();
    let bytes = noise(1000, 5);
    for (packed, limit, word) in [
        (cut, 1_000_000, "cannot unpack"),
        (bytes, 1_000_000, "cannot unpack"),
        (Vec::new(), 1_000_000, "cannot unpack"),
        (whole.clone(), 100_000, "more than 100000 bytes"),
        (gzip(b"other"), 1_000_000, "toy.h5 in it has MD5"),
    ] {
        let source = toy_file(&plain, &packed);
        let target = Target::new();
        let server = Server::start(move |_, request| Reply::honest(request, &packed));
        let settings = Settings {
            largest_unpacked: limit,
            ..hasty(&server.address)
        };
        let done = target.fetch(&source, &settings);
        assert_fails(done, &["/toy.h5.gz", word]);
        assert!(!target.folder().exists());
    }
}

#[test]
fn addresses_that_are_none_are_refused() {
    let (source, ..) = toy();
    let target = Target::new();
    for address in [
        "",
        "mirror",
        "ftp://mirror",
        "http://",
        "http:///x",
        "http://a b",
        "http://a/?x=",
        "http://a:99999",
        "\u{0}",
    ] {
        let done = target.fetch(&source, &hasty(address));
        assert_fails(done, &["is not an address to fetch from"]);
        assert!(!target.folder().exists());
    }
}
