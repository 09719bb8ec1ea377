//! Downloads that break off, and go on where they did.

use super::server::{NOBODY, Reply, Server};
use super::toy::{PART, Target, assert_fails, hasty, toy};

#[test]
fn an_interrupted_download_goes_on_where_it_broke_off() {
    let (source, plain, packed) = toy();
    let half = packed.len() / 2;
    let server = Server::start(move |number, request| match number {
        0 => Reply::honest(request, &packed).cut(packed.len() - half),
        _ => Reply::honest(request, &packed),
    });
    let target = Target::new();
    let settings = hasty(&server.address);
    target.fetch(&source, &settings).expect("fetched");
    // An honest answer to a range is only the rest.
    assert_eq!(server.ranges(), [None, Some(half)]);
    assert_eq!(target.files(), ["data/toy.h5"]);
    assert_eq!(target.read("data/toy.h5"), plain);
}

#[test]
fn a_later_run_goes_on_with_what_came() {
    let (source, plain, packed) = toy();
    let target = Target::new();
    let length = packed.len();
    let body = packed.clone();
    // Never more than the same half comes, whatever is asked for.
    let server = Server::start(move |number, request| match (number, request.range) {
        (0, _) => Reply::honest(request, &body).cut(length - length / 2),
        _ => Reply::nothing(),
    });
    let done = target.fetch(&source, &hasty(&server.address));
    assert_fails(done, &["cannot download", "/toy.h5.gz"]);
    let half = Some(length / 2);
    assert_eq!(server.ranges(), [None, half, half, half, half]);
    assert_eq!(target.files(), [PART]);
    assert_eq!(target.read(PART), packed[..length / 2]);

    let server = Server::start(move |_, request| Reply::honest(request, &packed));
    let settings = hasty(&server.address);
    target.fetch(&source, &settings).expect("fetched");
    assert_eq!(server.ranges(), [half]);
    assert_eq!(target.files(), ["data/toy.h5"]);
    assert_eq!(target.read("data/toy.h5"), plain);
}

#[test]
fn a_part_that_is_whole_needs_no_network() {
    let (source, plain, packed) = toy();
    let target = Target::new();
    target.write(PART, &packed);
    target.fetch(&source, &hasty(NOBODY)).expect("unpacked");
    assert_eq!(target.files(), ["data/toy.h5"]);
    assert_eq!(target.read("data/toy.h5"), plain);
}

#[test]
fn a_part_of_another_file_is_fetched_once_more() {
    let (source, plain, packed) = toy();
    let target = Target::new();
    target.write(PART, &[7; 1000]);
    let body = packed.clone();
    let server = Server::start(move |_, request| Reply::honest(request, &body));
    let settings = hasty(&server.address);
    target.fetch(&source, &settings).expect("fetched");
    assert_eq!(server.ranges(), [Some(1000), None]);
    assert_eq!(target.read("data/toy.h5"), plain);

    // Longer than the file: nothing of it is left to be sent.
    let target = Target::new();
    target.write(PART, &[7; 300_000]);
    target.fetch(&source, &settings).expect("fetched");
    assert_eq!(server.ranges()[2..], [Some(300_000), None]);
    assert_eq!(target.files(), ["data/toy.h5"]);
}

#[test]
fn answers_that_do_not_fit_the_part_are_not_appended() {
    let (source, plain, packed) = toy();
    let total = packed.len();
    let rest = packed[1000..].to_vec();
    let lies = [
        // The whole file again, honestly said.
        Reply::announcing(total, &packed).bytes,
        Reply::status("416 Range Not Satisfiable").bytes,
        Reply::part(&format!("bytes 0-{}/{total}", total - 1), total, &packed).bytes,
        Reply::part(
            &format!("bytes 999-{}/{total}", total - 1),
            rest.len(),
            &rest,
        )
        .bytes,
        Reply::part(&format!("bytes 1000-{total}/{total}"), rest.len(), &rest).bytes,
        Reply::part(&format!("bytes 1000-{}/{total}", total - 1), 10, &rest).bytes,
        Reply::part("bytes 1000-900/2000", rest.len(), &rest).bytes,
        Reply::part("all of it", rest.len(), &rest).bytes,
        Reply::new("206 Partial Content", &[], &rest).bytes,
    ];
    for lie in lies {
        let text = String::from_utf8_lossy(&lie[..70]).into_owned();
        let target = Target::new();
        target.write(PART, &packed[..1000]);
        let body = packed.clone();
        let server = Server::start(move |number, request| match number {
            0 => Reply {
                bytes: lie.clone(),
                then_silent: false,
            },
            _ => Reply::honest(request, &body),
        });
        let settings = hasty(&server.address);
        target.fetch(&source, &settings).expect(&text);
        assert_eq!(server.ranges()[0], Some(1000), "{text}");
        assert!(server.ranges()[1..].iter().all(Option::is_none), "{text}");
        assert_eq!(target.files(), ["data/toy.h5"], "{text}");
        assert_eq!(target.read("data/toy.h5"), plain, "{text}");
    }
}

#[test]
fn two_downloads_of_a_file_do_not_mix() {
    let (source, _, packed) = toy();
    let target = Target::new();
    target.write(PART, &packed[..10]);
    let held = std::fs::File::open(target.path(PART)).expect("there");
    held.lock().expect("locks");
    let done = target.fetch(&source, &hasty(NOBODY));
    assert_fails(done, &["toy.h5.gz.part", "another process"]);
    assert_eq!(target.files(), [PART]);
}
