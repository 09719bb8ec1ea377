//! Reading files that were named by people: whatever is no plain file is refused, and not waited for.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

/// Opens a plain file for reading. A pipe, which could keep its reader waiting for ever, a device and a
/// folder are refused.
///
/// # Errors
/// What the file system says, or that it is no plain file.
pub fn open_plain(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    // A pipe without a writer then opens at once.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    match metadata.file_type() {
        kind if kind.is_file() => Ok(file),
        kind if kind.is_dir() => Err(io::Error::other("it is a folder, not a file")),
        _ => Err(io::Error::other(
            "it is a pipe or a device, not a plain file",
        )),
    }
}

/// Opens a file of ours, to be written and kept, at a place where somebody else may have put something:
/// what is no plain file, such as a link or a pipe, is refused.
///
/// # Errors
/// What the file system says, or that it is no plain file.
pub(crate) fn open_own(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let file = options
        .open(path)
        .map_err(|error| match path.symlink_metadata() {
            Ok(there) if there.is_symlink() => {
                io::Error::other("it is a link, which is not followed")
            }
            _ => error,
        })?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other(
            "it is a pipe or a device, not a plain file",
        )),
    }
}

/// Reads a plain file.
///
/// # Errors
/// As [`open_plain`].
pub fn read_plain(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_plain(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a plain file that holds text.
///
/// # Errors
/// As [`open_plain`], or that it is not UTF-8.
pub fn read_plain_text(path: &Path) -> io::Result<String> {
    text_of(read_plain(path)?)
}

/// Reads a plain file of ours that holds text, at a place where somebody else may have put something: a
/// link is refused too.
///
/// # Errors
/// As [`read_plain_text`].
pub fn read_own_text(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    open_own(path, OpenOptions::new().read(true))?.read_to_end(&mut bytes)?;
    text_of(bytes)
}

fn text_of(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not text in UTF-8"))
}

/// Whether an error says that the machine is in trouble (its memory, its disk, its limits), and nothing
/// about the file that it came up with.
pub fn is_machine_trouble(error: &io::Error) -> bool {
    let kind = matches!(
        error.kind(),
        io::ErrorKind::OutOfMemory
            | io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::StaleNetworkFileHandle
            | io::ErrorKind::TimedOut
    );
    kind || error.raw_os_error().is_some_and(is_trouble_code)
}

#[cfg(unix)]
fn is_trouble_code(code: i32) -> bool {
    [
        libc::EAGAIN,
        libc::EIO,
        libc::EMFILE,
        libc::ENFILE,
        libc::ENODEV,
        libc::ENOLCK,
        libc::ENOMEM,
        libc::ENXIO,
    ]
    .contains(&code)
}

#[cfg(not(unix))]
fn is_trouble_code(_: i32) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn trouble_of_the_machine_is_not_that_of_a_file() {
        for (code, trouble) in [
            (libc::EMFILE, true),
            (libc::EIO, true),
            (libc::ENOSPC, true),
            (libc::ENOMEM, true),
            (libc::ENOENT, false),
            (libc::EACCES, false),
            (libc::EISDIR, false),
        ] {
            let error = io::Error::from_raw_os_error(code);
            assert_eq!(is_machine_trouble(&error), trouble, "{error}");
        }
    }

    #[test]
    fn only_plain_files_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = read_plain(folder.path()).expect_err("a folder");
        assert!(error.to_string().contains("folder"), "{error}");
        let path = folder.path().join("file");
        std::fs::write(&path, "text").expect("writable");
        assert_eq!(read_plain_text(&path).expect("text"), "text");
        std::fs::write(&path, [0xff]).expect("writable");
        let error = read_plain_text(&path).expect_err("no text");
        assert!(error.to_string().contains("UTF-8"), "{error}");
        #[cfg(unix)]
        {
            let device = read_plain(Path::new("/dev/null")).expect_err("a device");
            assert!(device.to_string().contains("device"), "{device}");
        }
    }
}
