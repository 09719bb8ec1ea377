//! Public datasets, fetched from where they are published, or taken from files that were.
//!
//! In: what is published ([`Source`]), a folder, and the network or given files. Out: the dataset's
//! files in that folder, of which every byte was checked; half-written ones never bear their names.
//!
//! ```text
//! address ──HTTP, resumed──▶ NAME.part ──MD5──▶ unpacked, temporary ──MD5──▶ renamed in place
//! given file ───────────────MD5─────────────────────┘
//! ```
//!
//! ```no_run
//! use respike::dataset::fetch::{Settings, Source, fetch};
//!
//! let fetched = fetch(&Source::shd(), "data".as_ref(), &Settings::default(), &mut |_| {})?;
//! assert_eq!(fetched.ready.len(), 2);
//! # Ok::<(), respike::dataset::fetch::FetchError>(())
//! ```

mod answer;
mod checksum;
mod download;
mod error;
mod files;
mod part;
mod recordings;
mod sources;
mod unpack;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::storage::{clear_leftovers, make_folder};

pub use checksum::Md5Sum;
pub use error::FetchError;
pub use sources::{Contents, PackedFile, RecordingsArchive, Source};

/// How data is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The address below which the files are, instead of where they are published.
    pub mirror: Option<String>,
    /// Whether the proxy is used that the environment names (`HTTPS_PROXY` and the like).
    pub proxy: bool,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long a server may be silent.
    pub silence_timeout: Duration,
    /// Tries in a row, after the first, that may bring nothing.
    pub retries: u32,
    /// The pause before the first of them; the next ones are twice as long each.
    pub first_pause: Duration,
    /// The most bytes of a published file.
    pub largest_download: u64,
    /// The most bytes that a published file may unpack to.
    pub largest_unpacked: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            mirror: None,
            proxy: true,
            connect_timeout: Duration::from_secs(15),
            silence_timeout: Duration::from_secs(30),
            retries: 3,
            first_pause: Duration::from_millis(200),
            largest_download: 2_000_000_000,
            largest_unpacked: 2_000_000_000,
        }
    }
}

/// What is going on while data is fetched.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// The right file or folder is there, and is not fetched again.
    AlreadyThere {
        /// The file or folder.
        path: &'a Path,
    },
    /// More has come.
    Download {
        /// The published file.
        name: &'a str,
        /// Bytes that are here.
        done: u64,
        /// Bytes there will be, if the server says so.
        total: Option<u64>,
    },
    /// A file has come to its end.
    Downloaded {
        /// The published file.
        name: &'a str,
        /// Its bytes.
        bytes: u64,
    },
    /// The connection failed, and after a pause is tried again.
    Retry {
        /// The published file.
        name: &'a str,
        /// What happened.
        reason: &'a str,
        /// Until the next try.
        pause: Duration,
    },
    /// The pieces of a file do not fit together, so it is fetched once more as a whole.
    StartAgain {
        /// The published file.
        name: &'a str,
    },
    /// A file is being unpacked and checked.
    Unpack {
        /// The file.
        name: &'a str,
    },
}

/// What is in place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fetched {
    /// The files, or the folder of recordings.
    pub ready: Vec<PathBuf>,
    /// Published files that are neither there nor were given.
    pub missing: Vec<String>,
}

impl Fetched {
    fn of(path: PathBuf) -> Self {
        Fetched {
            ready: vec![path],
            missing: Vec::new(),
        }
    }
}

/// Downloads a dataset into a folder, but for what is there.
///
/// An interrupted download goes on where it broke off, also in another run.
///
/// # Errors
/// [`FetchError`] if the network fails, the server serves something else, another file of the name
/// is there, or the disk fails. Nothing is then left but a `.part` that can be gone on with.
pub fn fetch(
    source: &Source,
    folder: &Path,
    settings: &Settings,
    show: &mut dyn FnMut(Progress<'_>),
) -> Result<Fetched, FetchError> {
    in_folder(folder, || match &source.contents {
        Contents::Files(files) => files::fetch(source, files, folder, settings, show),
        Contents::Recordings(archive) => recordings::fetch(source, archive, folder, settings, show),
    })
}

/// Takes a dataset from files that were downloaded before, packed or unpacked, or from a folder of
/// recordings; they are left as they are, and no network is touched.
///
/// # Errors
/// [`FetchError`] if one cannot be read or is not of the dataset, another file of the name is in
/// the folder, or the disk fails. Nothing half-written is then left.
pub fn place(
    source: &Source,
    folder: &Path,
    from: &[PathBuf],
    settings: &Settings,
    show: &mut dyn FnMut(Progress<'_>),
) -> Result<Fetched, FetchError> {
    in_folder(folder, || match &source.contents {
        Contents::Files(files) => files::place(source, files, folder, from, settings, show),
        Contents::Recordings(archive) => recordings::place(source, archive, folder, from, show),
    })
}

/// Does something in a folder that is made for it, and removed if it fails and leaves nothing.
fn in_folder<T>(
    folder: &Path,
    work: impl FnOnce() -> Result<T, FetchError>,
) -> Result<T, FetchError> {
    let was_there = folder.is_dir();
    make_folder(folder).map_err(FetchError::file("make", folder))?;
    clear_leftovers(folder);
    let done = work();
    if done.is_err() && !was_there {
        // This fails, as it should, where there is something in the folder.
        let _ = std::fs::remove_dir(folder);
    }
    done
}
