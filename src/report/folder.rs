//! A run's folder.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{
    Description, EpochLine, RecordLine, RunRecord, StartLine, Summary, TrainSeconds, pretty_json,
};
use crate::storage::{FolderLock, FolderLockError, folder_of, read_plain_text, write_whole};

const RECORD: &str = "run.jsonl";
const SUMMARY: &str = "summary.json";
const TIMES: &str = "times.json";
/// A learner after its last task, from which it goes on.
pub const LEARNER: &str = "learner.safetensors";
/// The network that was picked in the end.
const NETWORK: &str = "network.safetensors";
/// Everything that a run writes, besides plots that were asked for by name.
const OWN_FILES: [&str; 10] = [
    RECORD,
    SUMMARY,
    TIMES,
    "checkpoint.safetensors",
    NETWORK,
    "best.safetensors",
    "pretrained.safetensors",
    "learned.safetensors",
    "memory.safetensors",
    LEARNER,
];

/// By what folders of searches and suites are known, whose results took longer than any run's.
const OTHERS: [(&str, &str); 2] = [
    ("search.json", "a search of `tune`"),
    ("suite.json", "a suite of `bench`"),
];

/// What can go wrong with a run's folder.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunFolderError {
    /// A run is there already.
    #[error(
        "{} already holds another run; choose another --out, or give --force to replace it",
        .0.display()
    )]
    Occupied(PathBuf),
    /// A run of something else was cut off there.
    #[error(
        "{} holds a run with other settings that was cut off; choose another --out, or give --force to replace it",
        .0.display()
    )]
    OtherRun(PathBuf),
    /// What the run begins with is of the run that it would replace.
    #[error(
        "{what} reads from {}, which --force would replace; choose another --out",
        path.display()
    )]
    ReadFrom {
        /// The folder.
        path: PathBuf,
        /// The flag that reads from it.
        what: &'static str,
    },
    /// Something else of ours is there, which no run may replace.
    #[error("{} holds {what} and no run; choose another --out", path.display())]
    Taken {
        /// The folder.
        path: PathBuf,
        /// What is there.
        what: &'static str,
    },
    /// No run is there.
    #[error("{} holds no run (no {RECORD})", .0.display())]
    NoRun(PathBuf),
    /// Another process works in the folder, or it can't be locked.
    #[error(transparent)]
    Lock(#[from] FolderLockError),
    /// The file system said no.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// read, write, use or replace.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The record is not one.
    #[error("{} is not a run's record: {reason}", path.display())]
    BadRecord {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// The contents of `times.json`.
#[derive(Serialize, Deserialize)]
struct Times {
    seconds: TrainSeconds,
}

/// The folder of a run that is under way; no other process works in it.
///
/// Each line is on disk as soon as it is added; a run that is cut off leaves a record without an end, whose last line
/// may be torn, and no `summary.json`.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    /// Open at its end, once it was begun.
    record: Option<File>,
    _lock: FolderLock,
}

/// What may be in a folder where a run begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// No run.
    Nothing,
    /// The same run, cut off before its end; it is done again from its beginning, with the same bits.
    Unfinished,
    /// Any run.
    Any,
}

/// What came of beginning a run.
#[derive(Debug)]
pub enum Begun {
    /// It is under way.
    Anew(RunFolder),
    /// The same run was cut off there, with this record; nothing was changed yet.
    CutOff(RunFolder, Box<RunRecord>),
    /// The same run had come to its end there, with this summary, and nothing was changed.
    Finished(Box<Summary>),
}

impl RunFolder {
    /// Refuses a folder in which no run could begin for what is there, before anything is computed in
    /// vain. With [`Replace::Unfinished`], a run that is there is looked at when the next one
    /// [begins](Self::begin).
    ///
    /// # Errors
    /// [`RunFolderError::Occupied`], [`RunFolderError::Taken`] by a search or a suite, or [`RunFolderError::Io`] if
    /// the path is not a folder.
    pub fn refuse_occupied(path: &Path, replace: Replace) -> Result<(), RunFolderError> {
        // A file where a folder should be, or on the way to it.
        let file = path.ancestors().find(|path| path.exists());
        if file.is_some_and(|there| !there.as_os_str().is_empty() && !there.is_dir()) {
            let source = io::Error::other("it is a file, not a folder");
            return Err(io_error("use", path, source));
        }
        let is_there = |name: &str| path.join(name).exists();
        if let Some((_, what)) = OTHERS.into_iter().find(|(name, _)| is_there(name)) {
            return Err(RunFolderError::Taken {
                path: path.to_path_buf(),
                what,
            });
        }
        let occupied = match replace {
            Replace::Any => false,
            Replace::Nothing => OWN_FILES.into_iter().any(is_there),
            // Files without a record could be of anything.
            Replace::Unfinished => !is_there(RECORD) && OWN_FILES.into_iter().any(is_there),
        };
        match occupied {
            true => Err(RunFolderError::Occupied(path.to_path_buf())),
            false => Ok(()),
        }
    }

    /// Refuses to replace a run of which something is still to be read: the run goes first, and what was read of it would
    /// be lost with this process. `what` says what it is read for.
    ///
    /// # Errors
    /// [`RunFolderError::ReadFrom`].
    pub fn refuse_read_from(
        path: &Path,
        replace: Replace,
        (what, file): (&'static str, &Path),
    ) -> Result<(), RunFolderError> {
        let place = |path: &Path| path.canonicalize().ok();
        let is_own = file
            .file_name()
            .is_some_and(|name| OWN_FILES.iter().any(|own| name == *own));
        let here = place(folder_of(file)).is_some_and(|folder| Some(folder) == place(path));
        match replace == Replace::Any && here && is_own {
            true => Err(RunFolderError::ReadFrom {
                path: path.to_path_buf(),
                what,
            }),
            false => Ok(()),
        }
    }

    /// Begins a run, in place of one that may have been there. With [`Replace::Unfinished`], the same run
    /// is told to be there if it has come to its end, or was cut off: then it can be
    /// [gone on with](Self::go_on_from) or [begun anew](Self::begin_anew).
    ///
    /// # Errors
    /// [`RunFolderError::Occupied`] and [`RunFolderError::OtherRun`] if a run is there that may not be
    /// replaced, [`RunFolderError::Lock`] if another process works in the folder.
    pub fn begin(path: &Path, start: StartLine, replace: Replace) -> Result<Begun, RunFolderError> {
        // What is refused leaves nothing behind, not even a lock; who had the lock may have changed it.
        Self::refuse_occupied(path, replace)?;
        let folder = Self::open(path)?;
        Self::refuse_occupied(path, replace)?;
        if replace == Replace::Unfinished {
            match Self::read(path) {
                Ok(there) => match (there.start.is_same_run(&start), &there.summary) {
                    (true, Some(summary)) => {
                        if !folder.file(SUMMARY).exists() {
                            folder.write_summary(summary)?;
                        }
                        return Ok(Begun::Finished(Box::new(summary.clone())));
                    }
                    (true, None) => return Ok(Begun::CutOff(folder, Box::new(there))),
                    (false, Some(_)) => return Err(RunFolderError::Occupied(path.to_path_buf())),
                    (false, None) => return Err(RunFolderError::OtherRun(path.to_path_buf())),
                },
                Err(RunFolderError::NoRun(_)) => {}
                Err(error) => return Err(error),
            }
        }
        folder.begin_anew(start).map(Begun::Anew)
    }

    /// Begins a run in place of what is there.
    ///
    /// # Errors
    /// [`RunFolderError::Io`].
    pub fn begin_anew(mut self, start: StartLine) -> Result<Self, RunFolderError> {
        // The new record goes first: with it there, a kill leaves a run that was cut off, and what is
        // beside it counts for nothing.
        self.write_record(start, &[])?;
        let others = OWN_FILES.iter().filter(|&&name| name != RECORD);
        others.copied().try_for_each(|name| self.remove(name))?;
        Ok(self)
    }

    /// Goes on with a run that was cut off, after some of its epochs.
    ///
    /// # Errors
    /// [`RunFolderError::Io`].
    pub fn go_on_from(
        mut self,
        start: StartLine,
        epochs: &[EpochLine],
    ) -> Result<Self, RunFolderError> {
        self.write_record(start, epochs)?;
        for of_the_end in [SUMMARY, NETWORK] {
            self.remove(of_the_end)?;
        }
        Ok(self)
    }

    /// Goes on with a record of plain training after its first `done` epochs, towards `epochs`.
    ///
    /// # Errors
    /// [`RunFolderError`] if there is no run, its record is not one, or another process works there.
    pub fn go_on(path: &Path, done: usize, epochs: usize) -> Result<Self, RunFolderError> {
        let folder = Self::open(path)?;
        let mut record = Self::read(path)?;
        if let Description::Train { plan, .. } = &mut record.start.settings {
            plan.epochs = epochs;
        }
        record.epochs.truncate(done);
        folder.go_on_from(record.start, &record.epochs)
    }

    fn open(path: &Path) -> Result<Self, RunFolderError> {
        Ok(RunFolder {
            path: path.to_path_buf(),
            record: None,
            _lock: FolderLock::take(path)?,
        })
    }

    fn remove(&self, name: &str) -> Result<(), RunFolderError> {
        let file = self.file(name);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(io_error("replace", &file, error))
            }
            _ => Ok(()),
        }
    }

    /// The place of a file of the run.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Adds a line to the record. It is on disk when this returns.
    ///
    /// # Errors
    /// [`RunFolderError::Io`].
    pub fn add(&mut self, line: &RecordLine) -> Result<(), RunFolderError> {
        let path = self.file(RECORD);
        let Some(record) = &mut self.record else {
            let source = io::Error::other("no run was begun there");
            return Err(io_error("write", &path, source));
        };
        let written = record.write_all(text_of(line).as_bytes());
        written
            .and_then(|()| record.sync_data())
            .map_err(|source| io_error("write", &path, source))
    }

    /// Ends the record, and writes the summary.
    ///
    /// # Errors
    /// [`RunFolderError::Io`].
    pub fn end(mut self, summary: Summary) -> Result<(), RunFolderError> {
        self.add(&RecordLine::End {
            summary: Box::new(summary.clone()),
        })?;
        self.write_summary(&summary)
    }

    /// Writes the `summary.json` of a run that was stopped just before it.
    ///
    /// # Errors
    /// [`RunFolderError`].
    pub fn write_missing_summary(path: &Path, summary: &Summary) -> Result<(), RunFolderError> {
        let folder = Self::open(path)?;
        match folder.file(SUMMARY).exists() {
            true => Ok(()),
            false => folder.write_summary(summary),
        }
    }

    fn write_summary(&self, summary: &Summary) -> Result<(), RunFolderError> {
        // Summaries are plain structs with string keys, which always serialise.
        let mut text = pretty_json(summary).expect("a plain struct");
        text.push('\n');
        let path = self.file(SUMMARY);
        write_whole(&path, text.as_bytes()).map_err(|source| io_error("write", &path, source))
    }

    /// Notes how long the run took so far, over all its starts: neither its record nor its checkpoint tells that, as they
    /// are the same however often it was stopped.
    ///
    /// # Errors
    /// [`RunFolderError::Io`].
    pub fn note_seconds(&self, seconds: TrainSeconds) -> Result<(), RunFolderError> {
        // Always plain.
        let mut text = pretty_json(&Times { seconds }).expect("a plain struct");
        text.push('\n');
        let path = self.file(TIMES);
        write_whole(&path, text.as_bytes()).map_err(|source| io_error("write", &path, source))
    }

    /// How long the run in a folder took so far, if that is known.
    pub fn seconds(path: &Path) -> Option<TrainSeconds> {
        let text = read_plain_text(&path.join(TIMES)).ok()?;
        let times: Times = serde_json::from_str(&text).ok()?;
        Some(times.seconds).filter(|seconds| seconds.train >= 0.0)
    }

    /// Reads the record of a run.
    ///
    /// # Errors
    /// [`RunFolderError`].
    pub fn read(path: &Path) -> Result<RunRecord, RunFolderError> {
        let file = path.join(RECORD);
        let text = read_plain_text(&file).map_err(|source| match source.kind() {
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

    /// Writes the beginning of the record whole, and opens it to add more.
    fn write_record(
        &mut self,
        start: StartLine,
        epochs: &[EpochLine],
    ) -> Result<(), RunFolderError> {
        let mut text = text_of(&RecordLine::Start(Box::new(start)));
        for epoch in epochs {
            text += &text_of(&RecordLine::Epoch(epoch.clone()));
        }
        let path = self.file(RECORD);
        let write = |source| io_error("write", &path, source);
        write_whole(&path, text.as_bytes()).map_err(write)?;
        self.record = Some(File::options().append(true).open(&path).map_err(write)?);
        Ok(())
    }
}

/// A line with its end.
fn text_of(line: &RecordLine) -> String {
    // Always plain.
    serde_json::to_string(line).expect("a plain struct") + "\n"
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> RunFolderError {
    RunFolderError::Io {
        action,
        path: path.to_path_buf(),
        source,
    }
}
