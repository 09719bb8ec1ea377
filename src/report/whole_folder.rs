//! Folders of results that are there as a whole, or as they were before.
//!
//! In: the files that such a folder may hold, and what writes them. Out: a folder that none but these files are lost of.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::storage::{PartFolder, folder_of, make_folder};

/// What can go wrong with a folder of results.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ResultFolderError {
    /// Something is there.
    #[error(
        "{} is not empty; choose another --out, or give --force to replace the results of {of} before",
        path.display()
    )]
    Occupied {
        /// The folder.
        path: PathBuf,
        /// What such a folder is of.
        of: &'static str,
    },
    /// Something is there that was not written by the same.
    #[error(
        "{} holds {}, which is not of {of}, so it is not replaced; choose another --out",
        folder.display(),
        name.display()
    )]
    Foreign {
        /// The folder.
        folder: PathBuf,
        /// What is in it.
        name: PathBuf,
        /// What such a folder is of.
        of: &'static str,
    },
    /// It is a file or a link, or has no name.
    #[error("{} is no name for a folder; choose another --out", .0.display())]
    NoFolder(PathBuf),
    /// The file system said no.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The figure could not be drawn.
    #[error("the figure of {} could not be drawn: {reason}", path.display())]
    Drawing {
        /// The folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// A kind of folder.
pub(super) struct WholeFolder {
    /// What it is of: `a test`.
    pub of: &'static str,
    /// All that it may hold.
    pub own_files: &'static [&'static str],
}

impl WholeFolder {
    /// Refuses a folder that cannot be written or may not be replaced, before anything is computed in vain. An empty one
    /// may be.
    pub fn refuse(&self, path: &Path, replace: bool) -> Result<(), ResultFolderError> {
        let no_folder = || ResultFolderError::NoFolder(path.to_path_buf());
        if path.file_name().is_none() {
            return Err(no_folder());
        }
        let there = match path.symlink_metadata() {
            Ok(there) => there,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let file = path.ancestors().find(|path| path.exists());
                let in_the_way = |file: &&Path| !file.as_os_str().is_empty() && !file.is_dir();
                return match (file.filter(in_the_way), file) {
                    (Some(_), _) => Err(no_folder()),
                    (None, Some(there)) if there.as_os_str().is_empty() => refuse_closed(".", path),
                    (None, Some(there)) => refuse_closed(there, path),
                    (None, None) => Ok(()),
                };
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Err(no_folder()),
            Err(source) => return Err(unwritable(path, source)),
        };
        if !there.is_dir() {
            return Err(no_folder());
        }
        // It is replaced as a whole, by what is beside it.
        refuse_closed(folder_of(path), path)?;
        for entry in path.read_dir().map_err(|source| unwritable(path, source))? {
            let name = entry
                .map_err(|source| unwritable(path, source))?
                .file_name();
            if !replace {
                return Err(ResultFolderError::Occupied {
                    path: path.to_path_buf(),
                    of: self.of,
                });
            }
            if !self.own_files.iter().any(|own| name == *own) {
                return Err(ResultFolderError::Foreign {
                    folder: path.to_path_buf(),
                    name: name.into(),
                    of: self.of,
                });
            }
        }
        Ok(())
    }

    /// Writes a folder: texts by name, and what `draw` draws into a folder that it is given.
    pub fn write(
        &self,
        path: &Path,
        replace: bool,
        texts: &[(&str, String)],
        draw: impl FnOnce(&Path) -> Result<(), String>,
    ) -> Result<(), ResultFolderError> {
        let beside = folder_of(path);
        make_folder(beside).map_err(|source| unwritable(path, source))?;
        self.refuse(path, replace)?;
        let part = PartFolder::create_in(beside).map_err(|source| unwritable(path, source))?;
        for (name, text) in texts {
            let written = std::fs::write(part.path().join(name), text);
            written.map_err(|source| unwritable(&path.join(name), source))?;
        }
        draw(part.path()).map_err(|reason| ResultFolderError::Drawing {
            path: path.to_path_buf(),
            reason,
        })?;
        if !path.exists() {
            return part
                .put_whole(path)
                .map_err(|source| unwritable(path, source));
        }
        // Moved aside as a whole, to go when the new one is in its place.
        let aside = PartFolder::create_in(beside).map_err(|source| unwritable(beside, source))?;
        let old = aside.path().join("old");
        std::fs::rename(path, &old).map_err(|source| unwritable(path, source))?;
        part.put_whole(path).map_err(|source| {
            // If that fails too there is nothing left to try.
            let _ = std::fs::rename(&old, path);
            unwritable(path, source)
        })
    }
}

/// Refuses a folder that is to stand in one where nothing can be made.
fn refuse_closed(beside: impl AsRef<Path>, path: &Path) -> Result<(), ResultFolderError> {
    let part = PartFolder::create_in(beside.as_ref());
    part.map(drop).map_err(|source| unwritable(path, source))
}

fn unwritable(path: &Path, source: io::Error) -> ResultFolderError {
    ResultFolderError::Io {
        path: path.to_path_buf(),
        source,
    }
}
