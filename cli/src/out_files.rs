//! Files and folders that are written: whether something is in the way, and SHD-layout files.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::failure::{Failure, is_bad_place};
use super::output::{print, print_json, table};
use respike::dataset::{LabelledEvents, MergedFiles, ShdContents, write_shd};
use respike::ids::{ClassId, SampleIndex, SpeakerId};
use respike::storage::{PartFolder, Shown, clear_leftovers, folder_of, read_plain};

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

/// Refuses outputs that cannot be written, that are inputs, or each other, and, unless they may be replaced, those of
/// a run that came to its end: of one that was stopped in between, some are there.
pub(super) fn refuse_outputs(
    outputs: &[&Path],
    inputs: &[PathBuf],
    force: bool,
) -> Result<(), Failure> {
    for (number, path) in outputs.iter().enumerate() {
        refuse_no_file_name(path)?;
        let same = |other: &Path| match (path.canonicalize(), other.canonicalize()) {
            (Ok(one), Ok(other)) => one == other,
            _ => place(path) == place(other),
        };
        if inputs.iter().any(|input| same(input)) {
            return Err(Failure::bad(format!(
                "{} is read from, and cannot be written to; choose another name",
                path.display()
            )));
        }
        if outputs[..number].iter().any(|other| same(other)) {
            return Err(Failure::bad(format!(
                "{} is given for two outputs; give each its own",
                path.display()
            )));
        }
    }
    if force || !outputs.iter().all(|path| path.exists()) {
        return Ok(());
    }
    // A run that was killed at its very end has nothing left to do but this.
    for path in outputs {
        clear_leftovers(folder_of(path));
    }
    Err(is_there(outputs[0]))
}

/// Recordings of files, and the file that they go into.
pub(super) type Part<'a> = (&'a Path, Vec<SampleIndex>);

/// What `--json` prints of files that were made of others.
#[derive(Serialize)]
pub(super) struct Parts {
    files: Vec<Written>,
    /// Of the files that were read.
    class_names: Vec<String>,
    /// By number.
    speaker_names: BTreeMap<SpeakerId, String>,
}

/// Which classes a part of files names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NamedClasses {
    /// All that there are, so that they keep their numbers.
    All,
    /// Those that it has recordings of, numbered in the same order.
    Own,
}

/// Recordings by the numbers of the classes that there are among them, and the names of these.
fn by_own_classes(
    names: &[String],
    mut recordings: Vec<LabelledEvents>,
) -> (Vec<String>, Vec<LabelledEvents>) {
    let own: BTreeSet<ClassId> = recordings.iter().map(|one| one.class).collect();
    let numbers: BTreeMap<ClassId, ClassId> = own.iter().copied().zip((0..).map(ClassId)).collect();
    for one in &mut recordings {
        one.class = numbers[&one.class];
    }
    let names = own.iter().map(|class| names[class.index()].clone());
    (names.collect(), recordings)
}

impl Parts {
    /// Writes parts of files. One that is there and may not be replaced must be the same already.
    pub(super) fn write(
        files: &MergedFiles,
        mut parts: Vec<Part<'_>>,
        classes: NamedClasses,
        force: bool,
    ) -> Result<Self, Failure> {
        // What is there is looked at before anything is written.
        parts.sort_by_key(|(path, _)| !path.exists());
        let (data, listed) = (files.dataset(), files.listed_speakers());
        let mut written = Vec::new();
        for (path, samples) in parts {
            let recordings = files.recordings(&samples);
            let (names, recordings) = match classes {
                NamedClasses::All => (data.class_names().to_vec(), recordings),
                NamedClasses::Own => by_own_classes(data.class_names(), recordings),
            };
            let contents = ShdContents {
                times: files.times(),
                speaker_names: &listed,
                ..ShdContents::new(&names, &recordings)
            };
            write_output(path, &contents, force)?;
            written.push(Written::of(path, &recordings));
        }
        Ok(Parts {
            files: written,
            class_names: data.class_names().to_vec(),
            speaker_names: data.speaker_names().clone(),
        })
    }

    pub(super) fn print(&self, json: bool) -> Result<(), Failure> {
        if json {
            return print_json(self);
        }
        let heading = ["file", "samples", "events a sample", "last event"];
        let rows: Vec<Vec<String>> = self.files.iter().map(Written::row).collect();
        print(&table(&heading, &rows, 1))
    }
}
