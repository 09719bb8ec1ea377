use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{SearchSettings, TrialName, TrialResult, TuneError};
use crate::dataset::Dataset;
use crate::report::{Replace, pretty_json};
use crate::simd::Simd;
use crate::storage::{
    FolderLock, check_own_folder, json_error, make_folder, read_plain_text, write_whole,
};

const MANIFEST: &str = "search.json";
const TRIALS: &str = "trials";
/// What is made of all trials at the end.
const FOUND: [&str; 5] = [
    "best.toml",
    "trials.md",
    "trials.csv",
    "search.png",
    "search.svg",
];
/// The version of both files.
const FORMAT: u32 = 1;

/// The contents of `search.json`: all that results depend on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: u32,
    respike: String,
    build: String,
    simd: Simd,
    name: String,
    /// Of the settings and the recipe, in hexadecimal.
    search: String,
    /// Of the data.
    data: String,
}

/// The folder of a search; no other process works in it.
#[derive(Debug)]
pub struct SearchFolder {
    path: PathBuf,
    _lock: FolderLock,
}

impl SearchFolder {
    /// Begins a search in a folder, in place of any that is there, or goes on with the same one, as `replace` says.
    ///
    /// # Errors
    /// [`TuneError::Occupied`], [`TuneError::Other`], and what the file system says.
    pub fn open(
        path: &Path,
        settings: &SearchSettings,
        data: &Dataset,
        replace: Replace,
    ) -> Result<Self, TuneError> {
        // A run of `train` or `learn`.
        if path.join("run.jsonl").exists() || path.join("suite.json").exists() {
            return Err(TuneError::Taken(path.to_path_buf()));
        }
        check_own_folder(path, Path::new(TRIALS))?;
        let folder = SearchFolder {
            path: path.to_path_buf(),
            _lock: FolderLock::take(path)?,
        };
        let manifest = Manifest {
            format: FORMAT,
            respike: env!("CARGO_PKG_VERSION").to_string(),
            build: crate::BUILD.to_string(),
            simd: Simd::current(),
            name: settings.name.clone(),
            search: format!("{:016x}", settings.fingerprint()),
            data: format!("{:016x}", data.fingerprint()),
        };
        let there = folder.file(MANIFEST);
        match read_plain_text(&there) {
            Ok(_) if replace == Replace::Any => folder.clear()?,
            Ok(_) if replace == Replace::Nothing => {
                return Err(TuneError::Occupied(path.to_path_buf()));
            }
            Ok(text) => {
                folder.check(&text, &manifest)?;
                return Ok(folder);
            }
            // Results of nobody knows what.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let trials = folder.file(TRIALS);
                let holds_any = trials
                    .read_dir()
                    .is_ok_and(|mut files| files.next().is_some());
                match (holds_any, replace == Replace::Any) {
                    (true, false) => return Err(TuneError::Occupied(path.to_path_buf())),
                    (true, true) => folder.clear()?,
                    (false, _) => {}
                }
            }
            Err(source) => return Err(io_error("read", &there, source)),
        }
        // Always plain.
        let mut text = pretty_json(&manifest).expect("a plain struct");
        text.push('\n');
        folder.write(MANIFEST, text.as_bytes())?;
        Ok(folder)
    }

    fn check(&self, text: &str, asked: &Manifest) -> Result<(), TuneError> {
        let there: Manifest = serde_json::from_str(text).map_err(|error| TuneError::BadResult {
            path: self.file(MANIFEST),
            reason: json_error(&error),
        })?;
        let same = [
            ("another version of respike", there.format == FORMAT),
            (
                "other settings or another recipe",
                there.search == asked.search,
            ),
            ("other data", there.data == asked.data),
            (
                "another arithmetic (--simd)",
                there.simd.trains_like(asked.simd),
            ),
            ("another build of respike", there.build == asked.build),
        ];
        match same.into_iter().find(|(_, same)| !same) {
            None => Ok(()),
            Some((what, _)) => Err(TuneError::Other {
                path: self.path.clone(),
                what,
            }),
        }
    }

    /// Removes what a search left but for its manifest, in whose place the new one goes.
    fn clear(&self) -> Result<(), TuneError> {
        for name in FOUND {
            let file = self.file(name);
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(io_error("replace", &file, error));
                }
                _ => {}
            }
        }
        let trials = self.file(TRIALS);
        match std::fs::remove_dir_all(&trials) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(io_error("replace", &trials, error))
            }
            _ => Ok(()),
        }
    }

    /// The place of a file of the search.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file whole.
    ///
    /// # Errors
    /// [`TuneError::Io`].
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), TuneError> {
        let path = self.file(name);
        write_whole(&path, bytes).map_err(|source| io_error("write", &path, source))
    }

    /// What a training came to, if it is there.
    ///
    /// # Errors
    /// [`TuneError::BadResult`] for a file that is none, or of another training.
    pub(super) fn result(&self, name: TrialName) -> Result<Option<TrialResult>, TuneError> {
        let path = self.result_file(name);
        let text = match read_plain_text(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(io_error("read", &path, source)),
        };
        let bad = |reason| TuneError::BadResult {
            path: path.clone(),
            reason,
        };
        let result: TrialResult =
            serde_json::from_str(&text).map_err(|error| bad(json_error(&error)))?;
        match result.name == name {
            true => Ok(Some(result)),
            false => Err(bad(format!("it is of {}", result.name))),
        }
    }

    pub(super) fn add(&self, result: &TrialResult) -> Result<(), TuneError> {
        let trials = self.file(TRIALS);
        make_folder(&trials).map_err(|source| io_error("write", &trials, source))?;
        // Always plain.
        let mut text = pretty_json(result).expect("a plain struct");
        text.push('\n');
        let path = self.result_file(result.name);
        write_whole(&path, text.as_bytes()).map_err(|source| io_error("write", &path, source))
    }

    fn result_file(&self, name: TrialName) -> PathBuf {
        self.file(TRIALS).join(format!("{name}.json"))
    }
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> TuneError {
    TuneError::Io {
        action,
        path: path.to_path_buf(),
        source,
    }
}
