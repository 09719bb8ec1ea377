use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{clear_leftovers, make_folder};

const LOCK: &str = ".lock";

/// Why a folder cannot be worked in.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FolderLockError {
    /// Another process works in it.
    #[error("another process is working in {}; wait until it is over, or choose another folder", .0.display())]
    Busy(PathBuf),
    /// What bears the name of the lock is none of ours.
    #[error("{} is a link or no file, so {} cannot be locked; remove it, or choose another folder", .0.display(), super::part::folder_of(.0).display())]
    NoLock(PathBuf),
    /// The file system said no.
    #[error("cannot lock {}: {source}", path.display())]
    Io {
        /// The file that is locked.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A folder that this process alone works in, until it is dropped.
///
/// The lock is on the empty file `.lock` in it, which stays. On file systems without locks nothing
/// keeps two processes apart.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Locks a folder, which is made if it is not there, and removes what dead processes left in it.
    /// A link is not followed, and nothing that is in the file is touched.
    ///
    /// # Errors
    /// [`FolderLockError`].
    pub fn take(folder: &Path) -> Result<Self, FolderLockError> {
        let path = folder.join(LOCK);
        let io_error = |source| FolderLockError::Io {
            path: path.clone(),
            source,
        };
        make_folder(folder).map_err(io_error)?;
        let is_file = match path.symlink_metadata() {
            Ok(metadata) => metadata.is_file(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Err(error) => return Err(io_error(error)),
        };
        if !is_file {
            return Err(FolderLockError::NoLock(path));
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        // Should it have become a link or a pipe just now.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(
            &mut options,
            libc::O_NOFOLLOW | libc::O_NONBLOCK,
        );
        let file = options.open(&path).map_err(io_error)?;
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return Err(FolderLockError::Busy(folder.to_path_buf()));
        }
        clear_leftovers(folder);
        Ok(FolderLock { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_locked_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let lock = FolderLock::take(folder.path()).expect("free");
        let busy = FolderLock::take(folder.path());
        assert!(matches!(busy, Err(FolderLockError::Busy(_))));
        drop(lock);
        FolderLock::take(folder.path()).expect("free again");
    }

    #[test]
    fn the_file_of_a_stranger_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let (lock, mine) = (folder.path().join(LOCK), folder.path().join("mine"));
        std::fs::write(&lock, "precious").expect("writable");
        FolderLock::take(folder.path()).expect("free");
        assert_eq!(std::fs::read(&lock).expect("there"), b"precious");
        std::fs::rename(&lock, &mine).expect("writable");
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&mine, &lock).expect("writable");
            let taken = FolderLock::take(folder.path());
            assert!(matches!(taken, Err(FolderLockError::NoLock(_))));
            assert_eq!(std::fs::read(&mine).expect("there"), b"precious");
        }
    }
}
