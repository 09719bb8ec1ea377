//! Archives of recordings: whole, damaged, hostile, and of any bytes at all.

use proptest::prelude::*;
use respike::dataset::fetch::Source;

use super::server::{NOBODY, Reply, Server};
use super::toy::{Target, assert_fails, gzip, hasty, noise, toy_recordings};

const RECORDINGS: [(&str, &[u8]); 3] = [
    ("0_ann_0.wav", b"zero"),
    ("0_ann_1.wav", b"zero again"),
    ("1_bob_0.wav", b""),
];

/// An entry of an archive: its name may be one that no honest tool writes.
struct Entry<'a> {
    name: &'a str,
    kind: tar::EntryType,
    /// What the header says; by default as much as there is.
    size: Option<u64>,
    bytes: &'a [u8],
}

impl<'a> Entry<'a> {
    fn file(name: &'a str, bytes: &'a [u8]) -> Self {
        let (kind, size) = (tar::EntryType::Regular, None);
        Entry {
            name,
            kind,
            size,
            bytes,
        }
    }

    fn kind(name: &'a str, kind: tar::EntryType) -> Self {
        Entry {
            kind,
            ..Entry::file(name, b"")
        }
    }

    fn write(&self, archive: &mut Vec<u8>) {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..self.name.len()].copy_from_slice(self.name.as_bytes());
        header.set_entry_type(self.kind);
        header.set_size(self.size.unwrap_or(self.bytes.len() as u64));
        header.set_mode(0o644);
        if self.kind.is_symlink() || self.kind.is_hard_link() {
            header.set_link_name("/etc/passwd").expect("short");
        }
        header.set_cksum();
        archive.extend(header.as_bytes());
        archive.extend(self.bytes);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
}

fn archive(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut archive = Vec::new();
    for entry in entries {
        entry.write(&mut archive);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

/// The recordings below a folder, and other things that a repository holds.
pub fn honest(leading: &str) -> Vec<u8> {
    let names = RECORDINGS.map(|(name, _)| format!("{leading}recordings/{name}"));
    let (readme, folder) = (
        format!("{leading}README.md"),
        format!("{leading}recordings/"),
    );
    let (deep, link) = (
        format!("{leading}recordings/old/9.wav"),
        format!("{leading}link"),
    );
    let notes = format!("{leading}recordings/notes.txt");
    let mut entries = vec![
        Entry::kind("pax_global_header", tar::EntryType::XGlobalHeader),
        Entry::file(&readme, b"read me"),
        Entry::kind(&folder, tar::EntryType::Directory),
        Entry::file(&deep, b"not this one"),
        Entry::file(&notes, b"nor this"),
        Entry::kind(&link, tar::EntryType::Symlink),
    ];
    let recordings = names.iter().zip(RECORDINGS);
    entries.extend(recordings.map(|(name, (_, bytes))| Entry::file(name, bytes)));
    archive(&entries)
}

pub fn source() -> Source {
    toy_recordings(&RECORDINGS)
}

/// Whether the recordings, and nothing else, are there.
fn assert_placed(target: &Target) {
    let files = target.files();
    let placed = files.iter().filter(|name| name.starts_with("data/"));
    let expected = RECORDINGS.map(|(name, _)| format!("data/toy/recordings/{name}"));
    assert!(placed.eq(&expected), "{files:?}");
    for (name, bytes) in RECORDINGS {
        assert_eq!(target.read(&format!("data/toy/recordings/{name}")), bytes);
    }
}

#[test]
fn archives_are_taken_packed_or_not_with_any_leading_folder() {
    for leading in ["", "./", "free-spoken-digit-dataset-26eb9aa/", "./x/"] {
        for bytes in [honest(leading), gzip(&honest(leading))] {
            let target = Target::new();
            let path = target.write("given", &bytes);
            let fetched = target.place(&source(), std::slice::from_ref(&path));
            let folder = target.path("data/toy/recordings");
            assert_eq!(fetched.expect("placed").ready, [folder]);
            assert_placed(&target);
            assert_eq!(target.read("given"), bytes);
            // Once more, it is already there.
            target.place(&source(), &[path]).expect("there");
            target.fetch(&source(), &hasty(NOBODY)).expect("there");
            assert_placed(&target);
        }
    }
}

#[test]
fn an_archive_is_downloaded_in_pieces() {
    let bytes = gzip(&honest("x/"));
    let server = Server::start(move |number, request| match number {
        0 => Reply::honest(request, &bytes).cut(100),
        _ => Reply::honest(request, &bytes),
    });
    let target = Target::new();
    target
        .fetch(&source(), &hasty(&server.address))
        .expect("fetched");
    assert_eq!(server.requests()[0].path, "/toy.tar.gz");
    assert!(server.ranges()[1].is_some());
    assert_placed(&target);
}

#[test]
fn pieces_of_two_archives_are_fetched_once_more() {
    let target = Target::new();
    target.write("data/toy.tar.gz.part", &gzip(&noise(500, 6))[..200]);
    let bytes = gzip(&honest("x/"));
    let server = Server::start(move |_, request| Reply::honest(request, &bytes));
    target
        .fetch(&source(), &hasty(&server.address))
        .expect("fetched");
    assert_eq!(server.ranges(), [Some(200), None]);
    assert_placed(&target);
}

#[test]
fn other_recordings_are_refused() {
    let given = archive(&[Entry::file("recordings/0_ann_0.wav", b"nought")]);
    let target = Target::new();
    let path = target.write("given.tar", &given);
    assert_fails(
        target.place(&source(), &[path]),
        &["given.tar does not hold the recordings", "its 1 WAV files"],
    );
    assert_eq!(target.files(), ["given.tar"]);
    let server = Server::start(move |_, request| Reply::honest(request, &given));
    let done = target.fetch(&source(), &hasty(&server.address));
    assert_fails(done, &["/toy.tar.gz does not hold the recordings"]);
    assert_eq!(server.ranges(), [None]);
    assert_eq!(target.files(), ["given.tar"]);
    assert!(!target.folder().exists());
}

#[test]
fn hostile_archives_are_refused_and_touch_nothing() {
    use tar::EntryType;
    let (good, bytes) = ("recordings/0_ann_0.wav", &b"zero"[..]);
    let large = vec![0; 11 << 20];
    let claims = |size| Entry {
        size: Some(size),
        ..Entry::file(good, bytes)
    };
    let cases = [
        (vec![Entry::file("../evil.wav", bytes)], "../evil.wav"),
        (
            vec![Entry::file("recordings/../../evil.wav", bytes)],
            "leads out",
        ),
        (
            vec![Entry::file("x/recordings/../evil.wav", bytes)],
            "leads out",
        ),
        (
            vec![Entry::file("/evil/recordings/a.wav", bytes)],
            "leads out",
        ),
        (vec![Entry::kind(good, EntryType::Symlink)], "a link"),
        (vec![Entry::kind(good, EntryType::Link)], "a link"),
        (vec![Entry::kind(good, EntryType::Fifo)], "a link"),
        (vec![Entry::kind(good, EntryType::Char)], "a link"),
        (
            vec![
                Entry::kind("x/recordings", EntryType::Symlink),
                Entry::file("x/recordings/passwd.wav", bytes),
            ],
            "a link",
        ),
        (
            vec![Entry::file(good, bytes), Entry::file(good, bytes)],
            "twice",
        ),
        (vec![Entry::file(good, &large)], "at most"),
        (vec![claims(1 << 40)], "at most"),
        (vec![claims(5 << 20)], "cannot unpack"),
        (
            vec![Entry::file("recordings/a\nb.wav", bytes)],
            "0 WAV files",
        ),
        (vec![], "0 WAV files"),
    ];
    for (entries, word) in cases {
        for pack in [<[u8]>::to_vec, gzip] {
            let target = Target::new();
            let path = target.write("deep/in/given", &pack(&archive(&entries)));
            assert_fails(target.place(&source(), &[path]), &["given", word]);
            assert_eq!(target.files(), ["deep/in/given"]);
            assert!(!target.folder().exists());
        }
    }
}

#[test]
fn an_archive_that_unpacks_to_far_too_much_is_stopped() {
    let target = Target::new();
    let zeros = vec![0; 210 << 20];
    let bomb = archive(&[Entry::file("bomb", &zeros)]);
    let path = target.write("given", &gzip(&bomb));
    let done = target.place(&source(), &[path]);
    assert_fails(done, &["unpacks to more than"]);
    assert!(!target.folder().exists());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn any_bytes_are_refused_in_words(bytes in prop::collection::vec(any::<u8>(), 0..3000), gzipped: bool) {
        let bytes = if gzipped { gzip(&bytes) } else { bytes };
        refused(&bytes);
    }

    /// Much closer to an archive than noise is.
    #[test]
    fn damaged_archives_never_panic(
        gzipped: bool,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        length: prop::sample::Index,
        cut: bool,
    ) {
        let plain = honest("x/");
        let mut bytes = if gzipped { gzip(&plain) } else { plain };
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if cut {
            bytes.truncate(length.index(bytes.len()));
        }
        let target = Target::new();
        let path = target.write("given", &bytes);
        // Damage to what is passed over does no harm.
        match target.place(&source(), &[path]) {
            Ok(_) => assert_placed(&target),
            Err(_) => assert!(!target.folder().exists()),
        }
    }
}

fn refused(bytes: &[u8]) {
    let target = Target::new();
    let path = target.write("given", bytes);
    assert_fails(target.place(&source(), &[path]), &["given"]);
    assert_eq!(target.files(), ["given"]);
}
