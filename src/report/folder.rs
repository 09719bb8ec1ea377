//! A run's folder.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{Description, RecordLine, RunRecord, Summary, pretty_json};
use crate::storage::write_whole;

const RECORD: &str = "run.jsonl";
const SUMMARY: &str = "summary.json";
/// Everything that a run writes, besides plots that were asked for by name.
const OWN_FILES: [&str; 6] = [
    RECORD,
    SUMMARY,
    "checkpoint.safetensors",
    "pretrained.safetensors",
    "learned.safetensors",
    "memory.safetensors",
];

/// What can go wrong with a run's folder.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunFolderError {
    /// A run is there already.
    #[error("{0} already holds a run; choose another --out, or give --force to replace it")]
    Occupied(PathBuf),
    /// No run is there.
    #[error("{0} holds no run (no {RECORD})")]
    NoRun(PathBuf),
    /// The file system said no.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// read, write or make.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The record is not one.
    #[error("{path} is not a run's record: {reason}")]
    BadRecord {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// The folder of a run that is under way.
///
/// Each line is on disk, whole, as soon as it is added; a run that is cut off leaves a record
/// without an end, and no `summary.json`.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    text: String,
}

impl RunFolder {
    /// Refuses a folder that already holds a run.
    ///
    /// # Errors
    /// [`RunFolderError::Occupied`], or [`RunFolderError::Io`] if the path is not a folder.
    pub fn refuse_occupied(path: &Path) -> Result<(), RunFolderError> {
        // A file where a folder should be, or on the way to it.
        let file = path.ancestors().find(|path| path.exists());
        if file.is_some_and(|there| !there.as_os_str().is_empty() && !there.is_dir()) {
            let source = io::Error::other("it is a file, not a folder");
            return Err(io_error("use", path, source));
        }
        if OWN_FILES.iter().any(|name| path.join(name).exists()) {
            return Err(RunFolderError::Occupied(path.to_path_buf()));
        }
        Ok(())
    }

    /// Begins a run, in place of one that may have been there.
    ///
    /// # Errors
    /// [`RunFolderError::Io`].
    pub fn begin(path: &Path, start: RecordLine) -> Result<Self, RunFolderError> {
        std::fs::create_dir_all(path).map_err(|source| io_error("make", path, source))?;
        for name in OWN_FILES {
            let file = path.join(name);
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(io_error("replace", &file, error));
                }
                _ => {}
            }
        }
        let mut folder = RunFolder {
            path: path.to_path_buf(),
            text: String::new(),
        };
        folder.add(&start)?;
        Ok(folder)
    }

    /// Goes on with a record of plain training after its first `done` epochs, towards `epochs`.
    ///
    /// # Errors
    /// [`RunFolderError`] if there is no run, or its record is not one.
    pub fn go_on(path: &Path, done: usize, epochs: usize) -> Result<Self, RunFolderError> {
        let mut record = Self::read(path)?;
        if let Description::Train {
            epochs: planned, ..
        } = &mut record.start.settings
        {
            *planned = epochs;
        }
        let mut folder = RunFolder {
            path: path.to_path_buf(),
            text: String::new(),
        };
        folder.push(&RecordLine::Start(Box::new(record.start)));
        for epoch in record.epochs.into_iter().take(done) {
            folder.push(&RecordLine::Epoch(epoch));
        }
        folder.flush()?;
        let summary = path.join(SUMMARY);
        match std::fs::remove_file(&summary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(io_error("replace", &summary, error))
            }
            _ => Ok(folder),
        }
    }

    /// The place of a file of the run.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Adds a line to the record.
    ///
    /// # Errors
    /// [`RunFolderError::Io`].
    pub fn add(&mut self, line: &RecordLine) -> Result<(), RunFolderError> {
        self.push(line);
        self.flush()
    }

    /// Ends the record, and writes the summary.
    ///
    /// # Errors
    /// [`RunFolderError::Io`].
    pub fn end(mut self, summary: Summary) -> Result<(), RunFolderError> {
        // Summaries are plain structs with string keys, which always serialise.
        let mut text = pretty_json(&summary).expect("a plain struct");
        text.push('\n');
        self.add(&RecordLine::End {
            summary: Box::new(summary),
        })?;
        let path = self.file(SUMMARY);
        write_whole(&path, text.as_bytes()).map_err(|source| io_error("write", &path, source))
    }

    /// Reads the record of a run.
    ///
    /// # Errors
    /// [`RunFolderError`].
    pub fn read(path: &Path) -> Result<RunRecord, RunFolderError> {
        let file = path.join(RECORD);
        let text = std::fs::read_to_string(&file).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                RunFolderError::NoRun(path.to_path_buf())
            }
            _ => io_error("read", &file, source),
        })?;
        let name = path.file_name().map(|name| name.to_string_lossy());
        let name = name.unwrap_or_else(|| path.to_string_lossy());
        RunRecord::parse(&name, &text)
            .map_err(|reason| RunFolderError::BadRecord { path: file, reason })
    }

    fn push(&mut self, line: &RecordLine) {
        self.text += &serde_json::to_string(line).expect("a plain struct");
        self.text.push('\n');
    }

    fn flush(&self) -> Result<(), RunFolderError> {
        let path = self.file(RECORD);
        write_whole(&path, self.text.as_bytes()).map_err(|source| io_error("write", &path, source))
    }
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> RunFolderError {
    RunFolderError::Io {
        action,
        path: path.to_path_buf(),
        source,
    }
}
