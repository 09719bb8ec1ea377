//! Files and folders that are written: whether something is in the way, and SHD-layout files.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::failure::{Failure, is_bad_place};
use respike::dataset::{LabelledEvents, ShdContents, write_shd};
use respike::storage::{PartFolder, Shown, folder_of, read_plain};

pub(super) fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot write {}: {error}", path.display());
    match is_bad_place(error) {
        true => Failure::bad(message),
        false => Failure::fault(message),
    }
}

pub(super) fn is_there(path: &Path) -> Failure {
    Failure::bad(format!(
        "{} is there already; choose another name, or give --force to replace it",
        path.display()
    ))
}

/// Refuses a name that no HDF5 file can have.
pub(super) fn refuse_no_file_name(path: &Path) -> Result<(), Failure> {
    let folder = folder_of(path);
    if path.file_name().is_none() || (path.exists() && !path.is_file()) {
        return Err(Failure::bad(format!(
            "{} is no name for a file",
            path.display()
        )));
    }
    if path.to_str().is_none() {
        return Err(Failure::bad(format!(
            "{} is not text in UTF-8, which libhdf5 needs of names; choose another",
            path.display()
        )));
    }
    if !folder.is_dir() {
        return Err(Failure::bad(format!(
            "there is no folder {}",
            folder.display()
        )));
    }
    Ok(())
}

/// What a file is, whatever way its path is written.
pub(super) fn place(path: &Path) -> (Option<PathBuf>, Option<OsString>) {
    let folder = folder_of(path).canonicalize();
    (folder.ok(), path.file_name().map(OsStr::to_os_string))
}

/// Writes a file. One that is there is of a run that was stopped between its outputs, or it is refused.
pub(super) fn write_output(
    path: &Path,
    contents: &ShdContents<'_>,
    force: bool,
) -> Result<(), Failure> {
    if force || !path.exists() {
        return Ok(write_shd(path, contents)?);
    }
    let unwritable = |error| unwritable(path, &error);
    let part = PartFolder::create_in(folder_of(path)).map_err(unwritable)?;
    let again = part.path().join("again.h5");
    write_shd(&again, contents)?;
    let read = |path: &Path| read_plain(path).map_err(unwritable);
    match read(&again)? == read(path)? {
        true => Ok(()),
        false => Err(is_there(path)),
    }
}

/// What was written into a file.
#[derive(Serialize)]
pub(super) struct Written {
    file: String,
    samples: usize,
    events: usize,
    events_per_sample: f64,
    last_event_s: Option<f64>,
}

impl Written {
    pub(super) fn of(path: &Path, recordings: &[LabelledEvents]) -> Self {
        let events: usize = recordings.iter().map(|one| one.events.len()).sum();
        let last = recordings.iter().filter_map(|one| one.events.last_time_s());
        Written {
            file: path.display().to_string(),
            samples: recordings.len(),
            events,
            events_per_sample: events as f64 / recordings.len() as f64,
            last_event_s: last.reduce(f64::max),
        }
    }

    pub(super) fn row(&self) -> Vec<String> {
        let last = self.last_event_s.map(|last| format!("{last:.4} s"));
        vec![
            Shown(&self.file).to_string(),
            self.samples.to_string(),
            format!("{:.1}", self.events_per_sample),
            last.unwrap_or_else(|| "no events".to_string()),
        ]
    }
}

/// Refuses a folder to write into that is a file, or has one on its way.
pub(super) fn refuse_file_in_the_way(folder: &Path) -> Result<(), Failure> {
    let there = folder.ancestors().find(|path| path.exists());
    match there.filter(|there| !there.as_os_str().is_empty() && !there.is_dir()) {
        Some(file) => Err(Failure::bad(format!(
            "cannot use {}: {} is a file, not a folder",
            folder.display(),
            file.display()
        ))),
        None => Ok(()),
    }
}
