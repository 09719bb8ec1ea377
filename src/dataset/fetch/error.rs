use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::Md5Sum;

/// Characters of a library's message.
const LONGEST_REASON: usize = 200;

/// What can go wrong while data is fetched.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The address is none that files can be fetched from.
    #[error(
        "`{address}` is not an address to fetch from: {reason}; give one like http://mirror.example/data"
    )]
    BadAddress {
        /// The address.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The connection failed, again and again.
    #[error("cannot download {address}: {reason}")]
    Unreachable {
        /// The address.
        address: String,
        /// What happened the last time.
        reason: String,
    },
    /// The server refused.
    #[error("cannot download {address}: the server answers with status {status}")]
    Status {
        /// The address.
        address: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server answered what no server may answer.
    #[error("cannot download {address}: the server's answer makes no sense: {reason}")]
    BadAnswer {
        /// The address.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The server would send more than is taken.
    #[error("{address} is too large: more than {limit} bytes are not taken")]
    TooLarge {
        /// The address.
        address: String,
        /// The most bytes that are taken.
        limit: u64,
    },
    /// The server serves another file.
    #[error(
        "{address} serves other bytes than were published: MD5 {found}, not {expected}; nothing of it is kept"
    )]
    ServedOther {
        /// The address.
        address: String,
        /// Sum of what was published.
        expected: Md5Sum,
        /// Sum of what is served.
        found: Md5Sum,
    },
    /// A file or folder of the name is there, and is another.
    #[error(
        "{path} is there already, but is not the published one ({reason}); move it away, or fetch into another folder"
    )]
    OtherThere {
        /// What is there.
        path: PathBuf,
        /// How it differs.
        reason: String,
    },
    /// A file that was given is none of the dataset's.
    #[error("{path} is no file of {dataset}: its MD5 {found} is none of {known}")]
    NotOfDataset {
        /// The file.
        path: PathBuf,
        /// Name of the dataset.
        dataset: String,
        /// Its sum.
        found: Md5Sum,
        /// Names and sums of the dataset's files.
        known: String,
    },
    /// More or fewer files were given than the dataset takes.
    #[error("{dataset} is one archive or folder of recordings, but {found} were given")]
    NotOneArchive {
        /// Name of the dataset.
        dataset: String,
        /// How many were given.
        found: usize,
    },
    /// An archive is damaged, or holds what it may not.
    #[error("cannot unpack {origin}: {reason}")]
    Damaged {
        /// The archive's path or address.
        origin: String,
        /// What is wrong.
        reason: String,
    },
    /// The recordings are not those that were published.
    #[error(
        "{origin} does not hold the recordings that were published: the listing of its {count} WAV files has MD5 {found}, not {expected}"
    )]
    OtherRecordings {
        /// The archive's or folder's path or address.
        origin: String,
        /// How many recordings there are.
        count: usize,
        /// Sum of the published listing.
        expected: Md5Sum,
        /// Sum of the listing of what is there.
        found: Md5Sum,
    },
    /// Another process is downloading the same file.
    #[error("{path} is being downloaded already by another process; wait for it")]
    Busy {
        /// The file that is growing.
        path: PathBuf,
    },
    /// What was given cannot be read.
    #[error("cannot read {path}: {reason}")]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// The disk failed us, or is full.
    #[error("cannot {action} {path}: {reason}")]
    File {
        /// `write`, `read` and the like.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
}

impl FetchError {
    /// For `map_err` where a file of ours cannot be dealt with.
    pub(super) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FetchError {
        let path = path.to_path_buf();
        move |reason| FetchError::File {
            action,
            path,
            reason,
        }
    }

    /// For `map_err` where a file that was given cannot be read.
    pub(super) fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> FetchError {
        let path = path.to_path_buf();
        move |reason| FetchError::Unreadable { path, reason }
    }
}

/// A library's message as part of a sentence. Some quote what they have read, which may be anything
/// and of any length; none of it may reach a terminal.
pub(super) fn one_line(text: &str) -> String {
    let plain = text
        .chars()
        .take(LONGEST_REASON)
        .filter(|character| !character.is_control() && *character != char::REPLACEMENT_CHARACTER);
    plain.collect()
}
