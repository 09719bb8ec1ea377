//! The file `NAME.part` that a download grows in, and from which an interrupted one goes on.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

use super::checksum::sum_of;
use super::{FetchError, Md5Sum};
use crate::storage::open_own;

/// A partial download. It is removed when it is dropped empty, and left where it holds something.
pub(super) struct Part {
    file: File,
    path: PathBuf,
}

impl Part {
    /// Opens the part of a file in a folder, or makes one.
    pub(super) fn open(folder: &Path, name: &str) -> Result<Self, FetchError> {
        let path = Self::place(folder, name);
        let file = open_own(
            &path,
            OpenOptions::new().read(true).append(true).create(true),
        )
        .map_err(FetchError::file("write", &path))?;
        // Two downloads into one file would spoil it. Where a file system has no locks, the
        // checksum is what finds out.
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(FetchError::Busy { path }),
            _ => Ok(Part { file, path }),
        }
    }

    /// Removes the part of a file that is in place, as a process leaves it that was killed just then.
    pub(super) fn discard(folder: &Path, name: &str) -> Result<(), FetchError> {
        match Self::place(folder, name).symlink_metadata() {
            Ok(there) if there.is_file() => match Self::open(folder, name) {
                // Whoever is at it will find out, too.
                Err(FetchError::Busy { .. }) => Ok(()),
                part => part?.clear(),
            },
            _ => Ok(()),
        }
    }

    fn place(folder: &Path, name: &str) -> PathBuf {
        folder.join(format!("{name}.part"))
    }

    pub(super) fn length(&self) -> Result<u64, FetchError> {
        let metadata = self.file.metadata();
        Ok(metadata
            .map_err(FetchError::file("read", &self.path))?
            .len())
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), FetchError> {
        let written = self.file.write_all(bytes);
        written.map_err(FetchError::file("write", &self.path))
    }

    /// Throws away what has come.
    pub(super) fn clear(&mut self) -> Result<(), FetchError> {
        let cleared = self.file.set_len(0);
        cleared.map_err(FetchError::file("write", &self.path))
    }

    /// What has come, from its beginning.
    pub(super) fn rewound(&self) -> Result<&File, FetchError> {
        let done = (&self.file).rewind();
        done.map_err(FetchError::file("read", &self.path))?;
        Ok(&self.file)
    }

    pub(super) fn sum(&self) -> Result<Md5Sum, FetchError> {
        sum_of(self.rewound()?).map_err(FetchError::file("read", &self.path))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self
            .file
            .metadata()
            .is_ok_and(|metadata| metadata.len() == 0)
        {
            // An empty file left behind does no harm.
            let _ = std::fs::remove_file(&self.path);
        }
        // A process that is being started at this moment may hold a copy of the handle.
        let _ = self.file.unlock();
    }
}
