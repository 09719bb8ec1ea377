//! Temporary files and folders on their way to a name.
//!
//! They are called `.respike-<process>-<number>.part` and are held locked by the process that writes
//! them. What bears such a name and can be locked is left over from a process that is dead, and goes
//! when the next process writes into the folder. On file systems without locks nothing is removed.

use std::collections::BTreeSet;
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

const PREFIX: &str = ".respike-";
const SUFFIX: &str = ".part";

/// What this process has under temporary names, and the folders where it has looked for leftovers.
#[derive(Default)]
struct OfThisProcess {
    parts: BTreeSet<PathBuf>,
    cleared: BTreeSet<PathBuf>,
}

static OF_THIS_PROCESS: Mutex<OfThisProcess> = Mutex::new(OfThisProcess {
    parts: BTreeSet::new(),
    cleared: BTreeSet::new(),
});

fn of_this_process() -> MutexGuard<'static, OfThisProcess> {
    // What a panicking thread leaves is still a set of paths.
    OF_THIS_PROCESS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

/// The folder that a file is in: `.` for a name alone.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Makes sure that what was renamed in a folder, or made in it, is so after a loss of power too.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    // Only Unix opens folders as files.
    if cfg!(not(unix)) {
        return Ok(());
    }
    match File::open(folder)?.sync_all() {
        // Some file systems know no such thing.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        done => done,
    }
}

/// Makes a folder and those on the way to it, so that they are there after a loss of power too.
///
/// # Errors
/// What the file system says.
pub fn make_folder(path: &Path) -> io::Result<()> {
    let missing = path.ancestors().take_while(|folder| {
        !folder.as_os_str().is_empty() && matches!(folder.try_exists(), Ok(false))
    });
    let missing: Vec<&Path> = missing.collect();
    std::fs::create_dir_all(path)?;
    missing
        .into_iter()
        .rev()
        .try_for_each(|folder| sync_folder(folder_of(folder)))
}

/// Removes what this process has under temporary names, and keeps its other threads from making or
/// naming more: for a process that is about to end, such as one that was interrupted. Whoever writes a
/// whole file afterwards waits for ever.
pub fn abandon_all() {
    let held = of_this_process();
    for part in &held.parts {
        // What cannot be removed goes with the next run.
        let _ = remove(part);
    }
    std::mem::forget(held);
}

/// Something under a temporary name; dropped, it is gone.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
}

impl Part {
    /// An empty file, open for reading and writing, and locked.
    pub(super) fn file(folder: &Path) -> io::Result<(Self, File)> {
        let make = |path: &Path| {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create_new(true).open(path)
        };
        Self::make(folder, make, |file| Some(file))
    }

    /// An empty folder, locked where folders can be opened.
    pub(super) fn folder(folder: &Path) -> io::Result<(Self, Option<File>)> {
        let make = |path: &Path| {
            std::fs::create_dir(path)?;
            cfg!(unix).then(|| File::open(path)).transpose()
        };
        Self::make(folder, make, Option::as_ref)
    }

    fn make<T>(
        folder: &Path,
        make: impl Fn(&Path) -> io::Result<T>,
        lock: impl Fn(&T) -> Option<&File>,
    ) -> io::Result<(Self, T)> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        clear_once(folder);
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let process = std::process::id();
            let path = folder.join(format!("{PREFIX}{process}-{number}{SUFFIX}"));
            let mut held = of_this_process();
            let made = match make(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made?,
            };
            held.parts.insert(path.clone());
            drop(held);
            let part = Part { path };
            // Another process may have taken it for dead before it was locked.
            if lock(&made).is_none_or(|file| try_lock(file) && is_linked(file)) {
                return Ok((part, made));
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name.
    pub(super) fn rename(self, target: &Path) -> io::Result<()> {
        let path = self.path.clone();
        self.rename_inner(&path, target)
    }

    /// Gives something in it, or itself, its name.
    pub(super) fn rename_inner(self, inner: &Path, target: &Path) -> io::Result<()> {
        // Held, so that a process that ends does so before or after.
        let mut held = of_this_process();
        std::fs::rename(inner, target)?;
        if inner == self.path {
            held.parts.remove(&self.path);
        }
        drop(held);
        sync_folder(folder_of(target))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let mut held = of_this_process();
        if held.parts.remove(&self.path) {
            // What cannot be removed goes with the next run.
            let _ = remove(&self.path);
        }
    }
}

/// Locks a file; where there are no locks, it counts as locked.
fn try_lock(file: &File) -> bool {
    !matches!(file.try_lock(), Err(TryLockError::WouldBlock))
}

#[cfg(unix)]
fn is_linked(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|metadata| metadata.nlink() > 0)
}

#[cfg(not(unix))]
fn is_linked(_: &File) -> bool {
    true
}

/// Removes what dead processes left in a folder, once for each folder that this process writes into.
pub(super) fn clear_once(folder: &Path) {
    let folder = match folder.canonicalize() {
        Ok(folder) => folder,
        // The error comes again when something is written there.
        Err(_) => return,
    };
    if of_this_process().cleared.insert(folder.clone()) {
        clear_leftovers(&folder);
    }
}

/// Removes what dead processes left in a folder: what bears a temporary name and nobody holds locked.
/// Links are left alone, and so is all that cannot be looked at.
pub fn clear_leftovers(folder: &Path) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        if name.to_str().is_some_and(is_temporary) {
            // What cannot be removed does no harm.
            let _ = remove_if_dead(&entry.path());
        }
    }
}

fn is_temporary(name: &str) -> bool {
    let inner = name.strip_prefix(PREFIX);
    let inner = inner.and_then(|name| name.strip_suffix(SUFFIX));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    inner
        .and_then(|inner| inner.split_once('-'))
        .is_some_and(|(process, number)| is_number(process) && is_number(number))
}

fn remove_if_dead(path: &Path) -> io::Result<()> {
    let there = path.symlink_metadata()?;
    if !there.is_file() && !there.is_dir() {
        return Ok(());
    }
    let file = File::open(path)?;
    if file.try_lock().is_ok() && is_same(&file.metadata()?, &path.symlink_metadata()?) {
        remove(path)?;
    }
    Ok(())
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}

fn remove(path: &Path) -> io::Result<()> {
    match path.symlink_metadata()?.is_dir() {
        true => std::fs::remove_dir_all(path),
        false => std::fs::remove_file(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dead_goes_and_all_else_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for name in [
            ".respike-1-0.part",
            ".respike-1-.part",
            ".respike-a-0.part",
            "mine",
        ] {
            std::fs::write(at(name), "text").expect("writable");
        }
        std::fs::create_dir(at(".respike-1-1.part")).expect("writable");
        std::fs::write(at(".respike-1-1.part/inner"), "text").expect("writable");
        std::fs::write(at(".respike-1-2.part"), "living").expect("writable");
        let living = File::open(at(".respike-1-2.part")).expect("there");
        assert!(living.try_lock().is_ok());
        #[cfg(unix)]
        std::os::unix::fs::symlink("mine", at(".respike-1-3.part")).expect("writable");
        clear_leftovers(folder.path());
        let entries = folder.path().read_dir().expect("there");
        let names = entries.map(|entry| entry.expect("there").file_name());
        let mut names: Vec<_> = names
            .map(|name| name.into_string().expect("UTF-8"))
            .collect();
        names.sort();
        let mut stay = vec![
            ".respike-1-.part",
            ".respike-1-2.part",
            ".respike-a-0.part",
            "mine",
        ];
        if cfg!(unix) {
            stay.insert(2, ".respike-1-3.part");
        }
        assert_eq!(names, stay);
    }
}
