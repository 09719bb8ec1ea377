use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::part::{Part, folder_of};

/// Writes a file so that it is either whole or not there: to a temporary file beside it, whose bytes
/// are on disk before it gets its name.
///
/// # Errors
/// What the file system says; a file that was there before is then untouched, unless only its folder
/// could not be synced.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = WholeFile::create(path)?;
    file.write_all(bytes)?;
    file.finish()
}

/// A file that is being written, under a temporary name in the folder where it will be.
///
/// [`finish`](Self::finish) gives it its name; dropped before, it is gone.
#[derive(Debug)]
pub struct WholeFile {
    part: Part,
    file: File,
    target: PathBuf,
}

impl WholeFile {
    /// Begins a file that will be at `target`, in place of one that may be there. It may be read by
    /// whom the process lets read its files (its umask).
    ///
    /// # Errors
    /// What the file system says, such as that there is no such folder.
    pub fn create(target: &Path) -> io::Result<Self> {
        let (part, file) = Part::file(folder_of(target))?;
        Ok(WholeFile {
            part,
            file,
            target: target.to_path_buf(),
        })
    }

    /// The open temporary file, to be read from and moved in as well.
    pub fn file_mut(&mut self) -> &mut File {
        &mut self.file
    }

    /// Brings everything to disk and gives the file its name.
    ///
    /// # Errors
    /// What the file system says; then a file that was there before is untouched, unless only its
    /// folder could not be synced.
    pub fn finish(self) -> io::Result<()> {
        self.file.sync_all()?;
        self.part.rename(&self.target)
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A temporary folder, for files that others write by their path, and for whole folders.
///
/// Dropped, it is gone with all that is in it.
#[derive(Debug)]
pub struct PartFolder {
    part: Part,
    /// Held as long as the folder is in use.
    _lock: Option<File>,
}

impl PartFolder {
    /// Makes an empty folder in another.
    ///
    /// # Errors
    /// What the file system says.
    pub fn create_in(folder: &Path) -> io::Result<Self> {
        Part::folder(folder).map(|(part, _lock)| PartFolder { part, _lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.part.path()
    }

    /// Takes a file out of the folder and puts it at `target`, when all its bytes are on disk.
    ///
    /// # Errors
    /// What the file system says.
    pub fn put_file(self, name: &str, target: &Path) -> io::Result<()> {
        let file = self.path().join(name);
        File::open(&file)?.sync_all()?;
        self.part.rename_inner(&file, target)
    }

    /// Puts the folder itself at `target`, when all that is in it is on disk.
    ///
    /// # Errors
    /// What the file system says, such as that something is there.
    pub fn put_whole(self, target: &Path) -> io::Result<()> {
        for entry in self.path().read_dir()? {
            File::open(entry?.path())?.sync_all()?;
        }
        super::part::sync_folder(self.path())?;
        self.part.rename(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_finished_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        write_whole(&path, b"before").expect("writable");
        let mut file = WholeFile::create(&path).expect("writable");
        file.write_all(b"half").expect("writable");
        drop(file);
        assert_eq!(std::fs::read(&path).expect("there"), b"before");
        assert_eq!(folder.path().read_dir().expect("there").count(), 1);
        let file = PartFolder::create_in(folder.path()).expect("writable");
        std::fs::write(file.path().join("inner"), b"after").expect("writable");
        file.put_file("inner", &path).expect("writable");
        assert_eq!(std::fs::read(&path).expect("there"), b"after");
        assert_eq!(folder.path().read_dir().expect("there").count(), 1);
    }

    #[test]
    fn a_whole_folder_is_put_in_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("folder");
        let part = PartFolder::create_in(folder.path()).expect("writable");
        std::fs::write(part.path().join("inner"), b"inner").expect("writable");
        part.put_whole(&target).expect("writable");
        assert_eq!(
            std::fs::read(target.join("inner")).expect("there"),
            b"inner"
        );
        assert_eq!(folder.path().read_dir().expect("there").count(), 1);
    }

    /// Permissions are those that any other new file has.
    #[cfg(unix)]
    #[test]
    fn the_umask_holds() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let mode = |name: &str| {
            let metadata = folder.path().join(name).metadata().expect("there");
            metadata.permissions().mode()
        };
        File::create(folder.path().join("plain")).expect("writable");
        write_whole(&folder.path().join("whole"), b"").expect("writable");
        assert_eq!(mode("whole"), mode("plain"));
    }
}
