use std::path::PathBuf;

use thiserror::Error;

use super::{ControlsError, GroupId, cell_name};
use crate::continual::{ContinualError, Experiment};
use crate::storage::{FolderLockError, NotOurFolder};
use crate::train::TrainError;

/// What can go wrong with a suite.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SuiteError {
    /// The grid's file can't be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The grid's file is not one.
    #[error("{name} does not describe a suite: {reason}")]
    BadSettings {
        /// The file.
        name: String,
        /// Why.
        reason: String,
    },
    /// A study does not fit the data.
    #[error("study {study} of the suite does not fit the data: {reason}")]
    BadStudy {
        /// Which, 1 first.
        study: usize,
        /// Why.
        reason: String,
    },
    /// Two experiments that are not the same have the same name.
    #[error(
        "{group}: two methods that differ in {differs} are both named `{name}`, so that no table could tell them apart; \
         give each a `name` of its own"
    )]
    SameName {
        /// For which protocol, what is held out, and seed.
        group: String,
        /// The name.
        name: String,
        /// Keys of a method's file.
        differs: String,
    },
    /// An experiment can't be run, or failed.
    #[error("{cell}: {source}")]
    Cell {
        /// Which.
        cell: String,
        /// Why.
        source: Box<ContinualError>,
    },
    /// A network can't be pre-trained, so that nothing that begins from it can be run.
    #[error("pre-training of {group}: {source}")]
    Pretraining {
        /// For which protocol, what is held out, and seed.
        group: String,
        /// Why.
        source: Box<ContinualError>,
    },
    /// Controls can't be computed.
    #[error("controls of {group}: {source}")]
    Controls {
        /// For what is held out, and seed.
        group: String,
        /// Why.
        source: Box<ControlsError>,
    },
    /// The suite wants controls, and there is nothing to count.
    #[error(
        "the suite asks for controls, which count events, and the data was read without them; read it with \
         read_dataset_with_events"
    )]
    NoEvents,
    /// The folder holds a suite already.
    #[error(
        "{} already holds a suite; go on with it with --resume, choose another --out, or give --force to replace it",
        .0.display()
    )]
    Occupied(PathBuf),
    /// Something else of ours is there, which no suite may replace.
    #[error("{} holds {what} and no suite; choose another --out", path.display())]
    Taken {
        /// The folder.
        path: PathBuf,
        /// What is there.
        what: &'static str,
    },
    /// The folder holds no suite that could be looked into.
    #[error("there is no suite in {} (no suite.json); run it first, without --report-only", .0.display())]
    Nothing(PathBuf),
    /// The folder holds results of nobody knows what.
    #[error(
        "{} has results but no suite.json that says of what; put it back, choose another --out, or give --force to \
         begin anew",
        .0.display()
    )]
    Unnamed(PathBuf),
    /// The folder's suite is of other data, of another network or of other arithmetic.
    #[error("{} holds the suite of {what}, so it can't be gone on with; choose another --out", path.display())]
    Other {
        /// The folder.
        path: PathBuf,
        /// In what it differs.
        what: &'static str,
    },
    /// Results in the folder are of another source.
    #[error(
        "{} holds results of another build of respike (source {builds}, this is {now}): choose another --out, or go on \
         with --mix-builds, and the tables all-… say which results are of which",
        path.display()
    )]
    OtherBuild {
        /// The folder.
        path: PathBuf,
        /// Sources of what is there.
        builds: String,
        /// The source of this program.
        now: String,
    },
    /// Something that a stranger put there is in the way of a folder of the suite's.
    #[error(transparent)]
    NotOurs(#[from] NotOurFolder),
    /// Another process works in the folder, or it can't be locked.
    #[error(transparent)]
    Lock(#[from] FolderLockError),
    /// A file of the suite's folder is not as it should be.
    #[error("{} is not a suite's file: {reason}; {remedy}", path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Experiments failed, while others did not.
    #[error("failed {count} times, while all else was run; first {first}")]
    SomeFailed {
        /// How many experiments and pre-trainings.
        count: usize,
        /// Which and why.
        first: Box<SuiteError>,
    },
    /// The file system said no.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// read, write, use or make.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A figure can't be drawn.
    #[error("cannot draw {}: {reason}", path.display())]
    Drawing {
        /// Its file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A pre-trained network can't be read or written.
    #[error(transparent)]
    Checkpoint(#[from] TrainError),
    /// No threads could be had.
    #[error("cannot start threads: {0}")]
    Threads(String),
}

impl SuiteError {
    /// What went wrong with an experiment.
    pub(super) fn in_cell(cell: &Experiment, source: ContinualError) -> Self {
        SuiteError::Cell {
            cell: format!("{}: {}", GroupId::of(cell), cell_name(cell)),
            source: source.into(),
        }
    }
}
