use std::path::PathBuf;

use thiserror::Error;

use crate::dataset::DatasetError;
use crate::storage::{FolderLockError, NotOurFolder};
use crate::train::TrainError;

/// What can go wrong with a search.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TuneError {
    /// The file can't be read.
    #[error("cannot read the search {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not one.
    #[error("{path} does not describe a search: {reason}")]
    BadSettings {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The folder holds a search already.
    #[error(
        "{} already holds a search; go on with it with --resume, choose another --out, or give --force to replace it",
        .0.display()
    )]
    Occupied(PathBuf),
    /// The folder holds something else of ours.
    #[error("{} holds no search but a run or a suite; choose another --out", .0.display())]
    Taken(PathBuf),
    /// The folder's search is another one.
    #[error("{} holds a search of {what}, so it can't be gone on with; choose another --out", path.display())]
    Other {
        /// The folder.
        path: PathBuf,
        /// In what it differs.
        what: &'static str,
    },
    /// A file in the folder is not what it should be.
    #[error("{} is no result of a search: {reason}", path.display())]
    BadResult {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The data can't be read as a trial's network needs it.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// What every trial needs is not there.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// Nothing came of any trial.
    #[error("no trial came to an end; the first one says: {0}")]
    NothingWorked(String),
    /// Another process works in the folder, or it can't be locked.
    #[error(transparent)]
    Lock(#[from] FolderLockError),
    /// Something that is none of ours is in the way.
    #[error(transparent)]
    NotOurs(#[from] NotOurFolder),
    /// The file system said no.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// read, write or replace.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
