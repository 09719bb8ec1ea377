//! Finding recordings in folders.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::EncodeError;
use crate::names::normalised;

/// What the names of recordings in a folder end in.
const EXTENSIONS: [&str; 4] = ["wav", "wave", "flac", "fla"];
/// The most folders below one another that are entered.
const DEEPEST: usize = 32;

/// A file to encode.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AudioFile {
    /// Its path below the input it was found in, with `/` between folders: what labels are read from.
    /// It does not depend on where the input lies.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// All WAV and FLAC files of the inputs, sorted by name: files as they are given, folders with all
/// that is below them. Hidden files and folders are left out.
///
/// # Errors
/// [`EncodeError::Unreadable`]; [`EncodeError::NoRecordings`] if there is none,
/// [`EncodeError::BadRecordings`] if two have the same name in any spelling, or if one is given twice.
pub fn find_audio(inputs: &[PathBuf]) -> Result<Vec<AudioFile>, EncodeError> {
    let mut found = Vec::new();
    for input in inputs {
        let metadata = fs::metadata(input).map_err(|source| unreadable(input, source))?;
        if metadata.is_dir() {
            below(input, "", DEEPEST, &mut found)?;
        } else {
            let name = input.file_name().unwrap_or(input.as_os_str());
            let name = name.to_str().ok_or_else(|| no_text(input))?.to_string();
            found.push(AudioFile {
                name,
                path: input.clone(),
            });
        }
    }
    found.sort();
    if found.is_empty() {
        let reason = format!("no WAV or FLAC file is in {}", inputs_in_words(inputs));
        return Err(EncodeError::NoRecordings { reason });
    }
    let mut by_name: BTreeMap<String, &AudioFile> = BTreeMap::new();
    for file in &found {
        if let Some(other) = by_name.insert(normalised(&file.name), file) {
            return Err(EncodeError::BadRecordings {
                reason: why_not_both(other, file),
            });
        }
    }
    Ok(found)
}

fn why_not_both(one: &AudioFile, other: &AudioFile) -> String {
    let (path, other_path) = (one.path.display(), other.path.display());
    if one.name != other.name {
        return format!(
            "{path} is the name of two files, spelled in two ways (with letters and accents as one character, \
             and as several); rename one"
        );
    }
    match is_same_file(&one.path, &other.path) {
        true => format!("{path} is given twice, also as {other_path}; give it once"),
        false => {
            format!("{path} and {other_path} have the same name; encode the folder that holds both")
        }
    }
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

fn below(
    folder: &Path,
    prefix: &str,
    depth: usize,
    found: &mut Vec<AudioFile>,
) -> Result<(), EncodeError> {
    if depth == 0 {
        let source = std::io::Error::other(format!("more than {DEEPEST} folders deep"));
        return Err(unreadable(folder, source));
    }
    let entries = fs::read_dir(folder).map_err(|source| unreadable(folder, source))?;
    for entry in entries {
        let entry = entry.map_err(|source| unreadable(folder, source))?;
        let (path, own) = (entry.path(), entry.file_name());
        if own.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        let is_folder = path.is_dir();
        if !is_folder && !EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str()) {
            continue;
        }
        let own = own.to_str().ok_or_else(|| no_text(&path))?;
        let name = format!("{prefix}{own}");
        if is_folder {
            below(&path, &format!("{name}/"), depth - 1, found)?;
        } else {
            found.push(AudioFile { name, path });
        }
    }
    Ok(())
}

/// Labels are text, and so are the names that they are read from.
fn no_text(path: &Path) -> EncodeError {
    unreadable(
        path,
        std::io::Error::other("its name is not text in UTF-8; rename it"),
    )
}

fn unreadable(path: &Path, source: std::io::Error) -> EncodeError {
    EncodeError::Unreadable {
        path: path.to_path_buf(),
        source,
    }
}

fn inputs_in_words(inputs: &[PathBuf]) -> String {
    let names = inputs.iter().map(|input| input.display().to_string());
    names.collect::<Vec<_>>().join(", ")
}
