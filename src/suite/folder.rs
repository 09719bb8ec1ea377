//! A suite's folder.
//!
//! In: what is to be run, and results as they come. Out: `suite.json`, a file of results for each
//! group under `cells/`, its pre-trained network under `pretrained/`, and `times.jsonl`. Every file
//! is whole at any time, so that a suite may be killed and gone on with.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::builds::builds_below;
use super::{
    Group, GroupId, GroupResults, Manifest, SuiteData, SuiteError, SuiteSettings, TimeLine,
};
use crate::continual::Protocol;
use crate::network::NetworkSpec;
use crate::storage::{
    FolderLock, check_own_folder, clear_leftovers, json_error, make_folder, read_own_text,
    read_plain_text, write_whole,
};
use crate::train::Checkpoint;

/// The version of the format of a suite's folder: 2 notes which source each result is of, and more of
/// the data; 3 knows views of latents. Folders of earlier formats can be read. Lines of controls, which only suites have
/// that ask for them, came later.
pub const SUITE_FORMAT: u32 = 3;

/// What stands for the source of results that do not say.
const UNKNOWN_BUILD: &str = "unknown";

const MANIFEST: &str = "suite.json";
const CELLS: &str = "cells";
const PRETRAINED: &str = "pretrained";
const TIMES: &str = "times.jsonl";
const NOTE: &str = "note.txt";
/// Where the report's files go.
const REPORT_FOLDERS: [&str; 2] = ["tables", "figures"];

/// By what folders of runs and searches are known, which no suite may stand in or replace.
const OTHERS: [(&str, &str); 2] = [
    ("run.jsonl", "a run of `train` or `learn`"),
    ("search.json", "a search of `tune`"),
];

/// What to do about a damaged file of results or a damaged network.
const AGAIN: &str = "delete it, and what it held is made again, with the same bits";

/// The folder of a suite, under way or done.
#[derive(Debug)]
pub struct SuiteFolder {
    path: PathBuf,
    manifest: Manifest,
    times: Mutex<String>,
    /// Held as long as the folder is in use.
    _lock: Option<FolderLock>,
}

impl SuiteFolder {
    /// Begins a suite; `force` replaces what another may have left there.
    ///
    /// # Errors
    /// [`SuiteError::Occupied`], [`SuiteError::Taken`] by a run or a search, or [`SuiteError::Io`].
    pub fn begin(path: &Path, manifest: Manifest, force: bool) -> Result<Self, SuiteError> {
        let file = path.ancestors().find(|path| path.exists());
        if file.is_some_and(|there| !there.as_os_str().is_empty() && !there.is_dir()) {
            let source = io::Error::other("it is a file, not a folder");
            return Err(io_error("use", path)(source));
        }
        if let Some((_, what)) = OTHERS.iter().find(|(name, _)| path.join(name).exists()) {
            let path = path.to_path_buf();
            return Err(SuiteError::Taken { path, what });
        }
        // Results without a manifest could be of anything.
        if [MANIFEST, CELLS, PRETRAINED]
            .iter()
            .any(|name| path.join(name).exists())
            && !force
        {
            return Err(SuiteError::Occupied(path.to_path_buf()));
        }
        Self::check_report_places(path)?;
        let lock = FolderLock::take(path)?;
        if force {
            for name in [CELLS, PRETRAINED] {
                let folder = path.join(name);
                ignore_missing(std::fs::remove_dir_all(&folder))
                    .map_err(io_error("replace", &folder))?;
            }
            for name in [MANIFEST, TIMES] {
                let file = path.join(name);
                ignore_missing(std::fs::remove_file(&file)).map_err(io_error("replace", &file))?;
            }
        }
        Self::open(path, manifest, String::new(), lock)
    }

    /// Goes on with a suite, or begins it if nothing is there. The grid and the protocols may be
    /// others than before: results that are there and wanted are kept, and so are those that are no
    /// longer wanted.
    ///
    /// # Errors
    /// [`SuiteError::Other`] if data, network or instructions are not the same, and
    /// [`SuiteError::OtherBuild`] if results there are of another source, unless `mix_builds` allows
    /// that.
    pub fn resume(path: &Path, manifest: Manifest, mix_builds: bool) -> Result<Self, SuiteError> {
        if !path.join(MANIFEST).exists() {
            return match [CELLS, PRETRAINED]
                .iter()
                .any(|name| path.join(name).exists())
            {
                true => Err(SuiteError::Unnamed(path.to_path_buf())),
                false => Self::begin(path, manifest, false),
            };
        }
        for folder in [CELLS, PRETRAINED] {
            check_own_folder(path, Path::new(folder))?;
        }
        Self::check_report_places(path)?;
        // What is refused leaves nothing behind, not even a lock; who had the lock may have changed it.
        Self::builds_with(path, &manifest, mix_builds)?;
        let lock = FolderLock::take(path)?;
        let builds = Self::builds_with(path, &manifest, mix_builds)?;
        for folder in [CELLS, PRETRAINED] {
            clear_below(&path.join(folder));
        }
        let manifest = Manifest { builds, ..manifest };
        Self::open(path, manifest, read_times(path)?, lock)
    }

    /// The builds that the suite in a folder is of when a manifest's are added; refuses what can't be gone
    /// on with.
    fn builds_with(
        path: &Path,
        manifest: &Manifest,
        mix_builds: bool,
    ) -> Result<Vec<String>, SuiteError> {
        let old = Self::read_manifest(path)?;
        Self::check_alike(path, &old, &manifest.spec, &manifest.data)?;
        let differs = !old.simd.trains_like(manifest.simd);
        Self::refuse(path, &[("other arithmetic (--simd)", differs)])?;
        let mut builds = old.builds;
        if builds.is_empty() {
            builds.push(UNKNOWN_BUILD.to_string());
        }
        // Results that were put in from elsewhere tell their own.
        for build in manifest
            .builds
            .iter()
            .chain(&builds_below(&path.join(CELLS)))
        {
            if builds.contains(build) {
                continue;
            }
            if !mix_builds {
                return Err(SuiteError::OtherBuild {
                    path: path.to_path_buf(),
                    builds: builds.join(", "),
                    now: build.clone(),
                });
            }
            builds.push(build.clone());
        }
        Ok(builds)
    }

    /// What the suite in a folder is of; `None` if there is none.
    ///
    /// # Errors
    /// [`SuiteError`] if its file can't be read.
    pub fn manifest_in(path: &Path) -> Result<Option<Manifest>, SuiteError> {
        match path.join(MANIFEST).exists() {
            true => Self::read_manifest(path).map(Some),
            false => Ok(None),
        }
    }

    /// Refuses what a report could not be written to or of, before anything is computed in vain.
    fn check_report_places(path: &Path) -> Result<(), SuiteError> {
        for folder in REPORT_FOLDERS {
            check_own_folder(path, Path::new(folder))?;
        }
        read_note(path).map(drop)
    }

    /// Refuses results that could not stand in the same tables.
    fn check_alike(
        path: &Path,
        old: &Manifest,
        spec: &NetworkSpec,
        data: &SuiteData,
    ) -> Result<(), SuiteError> {
        let differs = [
            ("other data", !data.is_same_as(&old.data)),
            ("another network", old.spec != *spec),
        ];
        Self::refuse(path, &differs)
    }

    fn refuse(path: &Path, differs: &[(&'static str, bool)]) -> Result<(), SuiteError> {
        if let Some(&(what, _)) = differs.iter().find(|(_, differs)| *differs) {
            let path = path.to_path_buf();
            return Err(SuiteError::Other { path, what });
        }
        Ok(())
    }

    fn open(
        path: &Path,
        manifest: Manifest,
        times: String,
        lock: FolderLock,
    ) -> Result<Self, SuiteError> {
        let text = serde_json::to_string_pretty(&manifest).expect("a plain struct");
        let file = path.join(MANIFEST);
        write_whole(&file, (text + "\n").as_bytes()).map_err(io_error("write", &file))?;
        Ok(SuiteFolder {
            path: path.to_path_buf(),
            manifest,
            times: Mutex::new(times),
            _lock: Some(lock),
        })
    }

    /// Looks into a folder, which may be of another version and have been run with other instructions
    /// and from other paths, to draw tables and figures of it. Nothing that is in it is changed, and it
    /// may be in use.
    ///
    /// # Errors
    /// [`SuiteError`] if no suite is there.
    pub fn look(path: &Path) -> Result<Self, SuiteError> {
        let manifest = Self::manifest_in(path)?;
        Self::check_report_places(path)?;
        Ok(SuiteFolder {
            path: path.to_path_buf(),
            manifest: manifest.ok_or_else(|| SuiteError::Nothing(path.to_path_buf()))?,
            times: Mutex::default(),
            _lock: None,
        })
    }

    /// Refuses to be of another network or of other data than these.
    ///
    /// # Errors
    /// [`SuiteError::Other`].
    pub fn check_is_of(&self, spec: &NetworkSpec, data: &SuiteData) -> Result<(), SuiteError> {
        Self::check_alike(&self.path, &self.manifest, spec, data)
    }

    /// The same folder, to be looked at for another grid.
    pub fn with_grid(mut self, suite: SuiteSettings, protocols: Vec<Protocol>) -> Self {
        self.manifest.suite = suite;
        self.manifest.protocols = protocols;
        self
    }

    fn read_manifest(path: &Path) -> Result<Manifest, SuiteError> {
        let file = path.join(MANIFEST);
        let text = read_plain_text(&file).map_err(io_error("read", &file))?;
        let manifest: Manifest =
            serde_json::from_str(&text).map_err(|error| SuiteError::BadFile {
                path: file,
                reason: json_error(&error),
                remedy: "choose another --out, or begin anew with --force",
            })?;
        Ok(manifest.with_views_said())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is run.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What somebody has to say about the suite, for its report: the text of `note.txt`, if it is there.
    ///
    /// # Errors
    /// [`SuiteError::Io`].
    pub fn note(&self) -> Result<Option<String>, SuiteError> {
        read_note(&self.path)
    }

    /// Makes a folder for files of the report, in which links that lie there are not followed.
    ///
    /// # Errors
    /// [`SuiteError::NotOurs`] or [`SuiteError::Io`].
    pub fn report_folder(&self, name: &str) -> Result<PathBuf, SuiteError> {
        check_own_folder(&self.path, Path::new(name))?;
        let folder = self.path.join(name);
        make_folder(&folder).map_err(io_error("make", &folder))?;
        Ok(folder)
    }

    /// The results of a group so far.
    ///
    /// # Errors
    /// [`SuiteError`] if its file can't be read.
    pub fn results(&self, id: &GroupId) -> Result<GroupResults, SuiteError> {
        let file = self.place(CELLS, id, "jsonl")?;
        let text = match read_own_text(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(GroupResults::default());
            }
            text => text.map_err(io_error("read", &file))?,
        };
        GroupResults::parse(&text).map_err(|reason| SuiteError::BadFile {
            path: file,
            reason,
            remedy: AGAIN,
        })
    }

    /// Writes the results of a group, in an order that does not depend on what was run when.
    ///
    /// # Errors
    /// [`SuiteError::Io`].
    pub fn write_results(&self, group: &Group, results: &GroupResults) -> Result<(), SuiteError> {
        let file = self.place(CELLS, &group.id, "jsonl")?;
        make_parent(&file)?;
        write_whole(&file, results.text(group).as_bytes()).map_err(io_error("write", &file))
    }

    /// The pre-trained network of a group, if there is one.
    ///
    /// # Errors
    /// [`SuiteError::BadFile`] if it can't be read.
    pub fn pretrained(&self, id: &GroupId) -> Result<Option<Checkpoint>, SuiteError> {
        let file = self.place(PRETRAINED, id, "safetensors")?;
        if !file.exists() {
            return Ok(None);
        }
        let network = Checkpoint::load(&file).map_err(|error| SuiteError::BadFile {
            path: file,
            reason: error.to_string(),
            remedy: AGAIN,
        });
        network.map(Some)
    }

    /// Keeps the pre-trained network of a group.
    ///
    /// # Errors
    /// [`SuiteError`] if it can't be written.
    pub fn write_pretrained(&self, id: &GroupId, network: &Checkpoint) -> Result<(), SuiteError> {
        let file = self.place(PRETRAINED, id, "safetensors")?;
        make_parent(&file)?;
        Ok(network.save(&file)?)
    }

    /// Notes how long something took.
    ///
    /// # Errors
    /// [`SuiteError::Io`].
    pub fn add_time(&self, line: &TimeLine) -> Result<(), SuiteError> {
        // Nobody panics while holding the lock.
        let mut times = self.times.lock().expect("not poisoned");
        *times += &serde_json::to_string(line).expect("a plain struct");
        times.push('\n');
        let file = self.path.join(TIMES);
        write_whole(&file, times.as_bytes()).map_err(io_error("write", &file))
    }

    /// How long everything took that was ever run in the folder, in seconds of the whole machine. Lines
    /// that can't be read do not count: nothing depends on them.
    ///
    /// # Errors
    /// [`SuiteError::Io`].
    pub fn spent_s(&self) -> Result<f64, SuiteError> {
        let lines = read_times(&self.path)?;
        let lines = lines
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        Ok(lines
            .map(|line: TimeLine| line.seconds / line.jobs.max(1) as f64)
            .sum())
    }

    /// How long each experiment took when it was last run, in seconds, by its group and its name.
    ///
    /// # Errors
    /// [`SuiteError::Io`].
    pub fn seconds(&self) -> Result<BTreeMap<(String, String), f64>, SuiteError> {
        let lines = read_times(&self.path)?;
        let lines = lines
            .lines()
            .filter_map(|line| serde_json::from_str::<TimeLine>(line).ok());
        Ok(lines
            .map(|line| ((line.group, line.cell), line.seconds))
            .collect())
    }

    /// Where a file of a group is; none of the folders on the way there is a link.
    fn place(&self, folder: &str, id: &GroupId, ending: &str) -> Result<PathBuf, SuiteError> {
        let folder = Path::new(folder).join(id.protocol.to_string());
        let folder = folder.join(id.scenario_slug());
        check_own_folder(&self.path, &folder)?;
        let file = format!("seed-{}.{ending}", id.seed.0);
        Ok(self.path.join(folder).join(file))
    }
}

/// `note.txt` on one line.
fn read_note(path: &Path) -> Result<Option<String>, SuiteError> {
    let file = path.join(NOTE);
    match read_own_text(&file) {
        // Without a folder there is no note either.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        text => {
            let text = text.map_err(io_error("read", &file))?;
            Ok(Some(text.split_whitespace().collect::<Vec<_>>().join(" ")))
        }
    }
}

/// `times.jsonl`, empty if there is none.
fn read_times(path: &Path) -> Result<String, SuiteError> {
    let file = path.join(TIMES);
    match read_plain_text(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        text => text.map_err(io_error("read", &file)),
    }
}

/// Removes temporary files that a killed run left in a folder and below.
fn clear_below(folder: &Path) {
    clear_leftovers(folder);
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            clear_below(&entry.path());
        }
    }
}

fn make_parent(file: &Path) -> Result<(), SuiteError> {
    let folder = file.parent().unwrap_or(file);
    make_folder(folder).map_err(io_error("make", folder))
}

fn ignore_missing(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SuiteError {
    let path = path.to_path_buf();
    move |source| SuiteError::Io {
        action,
        path,
        source,
    }
}
