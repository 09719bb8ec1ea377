//! Small datasets to fetch, and what must be left when they are fetched.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use respike::dataset::fetch::{
    Contents, FetchError, Fetched, Md5Sum, PackedFile, Progress, RecordingsArchive, Settings,
    Source, fetch, place,
};

/// Where the toy dataset's file grows.
pub const PART: &str = "data/toy.h5.gz.part";

/// Bytes that look random and cannot be compressed.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let bytes = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    });
    bytes.take(length).collect()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

/// A file as published, packed as it should be or not.
pub fn published(name: &str, plain: &[u8], packed: &[u8]) -> PackedFile {
    PackedFile {
        name: name.to_string(),
        packed_name: format!("{name}.gz"),
        packed_sum: Md5Sum::of(packed),
        sum: Md5Sum::of(plain),
    }
}

/// A toy dataset of one file with what is published of it.
pub fn toy() -> (Source, Vec<u8>, Vec<u8>) {
    let plain = noise(200_000, 1);
    let packed = gzip(&plain);
    (toy_file(&plain, &packed), plain, packed)
}

/// A dataset of one file `toy.h5`.
pub fn toy_file(plain: &[u8], packed: &[u8]) -> Source {
    dataset(Contents::Files(vec![published("toy.h5", plain, packed)]))
}

/// A dataset of recordings; their listing is written as `md5sum` would.
pub fn toy_recordings(recordings: &[(&str, &[u8])]) -> Source {
    let mut lines: Vec<_> = recordings
        .iter()
        .map(|(name, bytes)| (name, format!("{}  {name}\n", Md5Sum::of(bytes))))
        .collect();
    lines.sort();
    let listing: String = lines.into_iter().map(|(_, line)| line).collect();
    dataset(Contents::Recordings(RecordingsArchive {
        packed_name: "toy.tar.gz".to_string(),
        folder: "toy".to_string(),
        listing_sum: Md5Sum::of(listing.as_bytes()),
    }))
}

fn dataset(contents: Contents) -> Source {
    Source {
        name: "toy".to_string(),
        home: "http://192.0.2.1/nowhere".to_string(),
        contents,
    }
}

/// Quick to give up.
pub fn hasty(mirror: &str) -> Settings {
    Settings {
        mirror: Some(mirror.to_string()),
        proxy: false,
        connect_timeout: Duration::from_secs(5),
        silence_timeout: Duration::from_secs(5),
        first_pause: Duration::from_millis(1),
        ..Settings::default()
    }
}

/// A folder to fetch into, gone after the test.
pub struct Target(tempfile::TempDir);

impl Target {
    pub fn new() -> Self {
        Target(tempfile::tempdir().expect("a folder"))
    }

    /// Not there before something is fetched.
    pub fn folder(&self) -> PathBuf {
        self.path("data")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("below")).expect("made");
        std::fs::write(&path, bytes).expect("written");
        path
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).expect("there")
    }

    /// Names of all files, as `data/toy.h5`.
    pub fn files(&self) -> Vec<String> {
        let mut all = Vec::new();
        list(self.0.path(), self.0.path(), &mut all);
        all.sort();
        all
    }

    pub fn fetch(&self, source: &Source, settings: &Settings) -> Result<Fetched, FetchError> {
        fetch(source, &self.folder(), settings, &mut |_| {})
    }

    pub fn place(&self, source: &Source, from: &[PathBuf]) -> Result<Fetched, FetchError> {
        let settings = hasty(super::server::NOBODY);
        place(source, &self.folder(), from, &settings, &mut |_| {})
    }
}

fn list(root: &Path, folder: &Path, all: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            list(root, &path, all);
        } else {
            let name = path.strip_prefix(root).expect("below");
            all.push(name.to_str().expect("UTF-8").replace('\\', "/"));
        }
    }
}

/// Fails unless it failed, with a message of one line that says all of `words`.
pub fn assert_fails<T: std::fmt::Debug>(done: Result<T, FetchError>, words: &[&str]) {
    let message = done.expect_err("it should fail").to_string();
    assert!(!message.contains('\n'), "one sentence: {message}");
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
}

/// What was shown, in words.
pub fn shown(progress: &Progress<'_>) -> Option<String> {
    match progress {
        Progress::AlreadyThere { .. } => Some("there".to_string()),
        Progress::Downloaded { bytes, .. } => Some(format!("downloaded {bytes}")),
        Progress::Retry { reason, .. } => Some(format!("retry: {reason}")),
        Progress::StartAgain { .. } => Some("again".to_string()),
        Progress::Unpack { .. } => Some("unpack".to_string()),
        _ => None,
    }
}
