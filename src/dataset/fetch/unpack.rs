//! Unpacking what strangers packed: gzip files, and tar archives of recordings.
//!
//! In: bytes of any kind. Out: one file, or recordings in one folder, with their sums; nothing is
//! written anywhere else, and never more than a limit.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Component, Path};

use flate2::bufread::MultiGzDecoder;
use tar::{Archive, Entry};

use super::checksum::{CopyError, Listing, copy_summed};
use super::error::one_line;
use super::{FetchError, Md5Sum};

/// The folder of an archive that is unpacked.
pub(super) const RECORDINGS: &str = "recordings";
/// The largest recording that is taken: a hundred times what a spoken word needs.
pub(super) const LARGEST_RECORDING: u64 = 10 << 20;
/// Bytes of an unpacked archive, all together.
const LARGEST_ARCHIVE: u64 = 200 << 20;
/// The most recordings that are taken.
pub(super) const MOST_RECORDINGS: usize = 100_000;
/// The longest name of a recording.
const NAME_BYTES: usize = 200;
/// What a gzip file begins with.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Unpacks a gzip file, and gives the sum of what was in it.
pub(super) fn unpack_gzip(
    packed: impl Read,
    to: &mut File,
    to_path: &Path,
    origin: &str,
    limit: u64,
) -> Result<Md5Sum, FetchError> {
    let unpacked = MultiGzDecoder::new(BufReader::new(packed));
    copy_summed(unpacked, to, limit).map_err(|error| match error {
        CopyError::Read(error) => damaged(origin, error),
        CopyError::Write(error) => FetchError::file("write", to_path)(error),
        CopyError::TooLong => damaged(origin, format!("it unpacks to more than {limit} bytes")),
    })
}

/// Unpacks the recordings of a tar archive, gzipped or not, into an empty folder.
pub(super) fn unpack_recordings(
    packed: impl Read,
    to: &Path,
    origin: &str,
) -> Result<Listing, FetchError> {
    let mut packed = BufReader::new(packed);
    let start = packed.fill_buf().map_err(|error| damaged(origin, error))?;
    let bytes: Box<dyn Read + '_> = match start.starts_with(&GZIP_MAGIC) {
        true => Box::new(MultiGzDecoder::new(packed)),
        false => Box::new(packed),
    };
    let mut archive = Archive::new(AtMost {
        inner: bytes,
        left: LARGEST_ARCHIVE,
    });
    let entries = archive.entries().map_err(|error| damaged(origin, error))?;
    let mut listing = Listing::default();
    for entry in entries {
        let entry = entry.map_err(|error| damaged(origin, error))?;
        if let Some(name) = name_of(&entry).map_err(|reason| damaged(origin, reason))? {
            if listing.len() == MOST_RECORDINGS {
                let reason = format!("it holds more than {MOST_RECORDINGS} recordings");
                return Err(damaged(origin, reason));
            }
            let sum = unpack_entry(entry, &to.join(&name), origin)?;
            listing.insert(name, sum);
        }
    }
    Ok(listing)
}

fn unpack_entry(
    entry: Entry<'_, impl Read>,
    to: &Path,
    origin: &str,
) -> Result<Md5Sum, FetchError> {
    let mut file = new_file(to).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => damaged(origin, format!("it holds {to:?} twice")),
        _ => FetchError::file("write", to)(error),
    })?;
    let size = entry.size();
    let sum = copy_summed(entry, &mut file, size).map_err(|error| match error {
        CopyError::Read(error) => damaged(origin, error),
        CopyError::Write(error) => FetchError::file("write", to)(error),
        CopyError::TooLong => damaged(origin, format!("{to:?} is longer than it says")),
    })?;
    match file.metadata().map_err(FetchError::file("read", to))?.len() {
        length if length == size => Ok(sum),
        _ => Err(damaged(origin, "it is cut off")),
    }
}

/// The plain name of a recording, nothing for what is not to be unpacked, or why the archive is not
/// to be touched.
fn name_of(entry: &Entry<'_, impl Read>) -> Result<Option<String>, String> {
    let bytes = entry.path_bytes();
    let shown = String::from_utf8_lossy(&bytes).into_owned();
    let path = entry
        .path()
        .map_err(|_| format!("it holds {shown:?}, which is no name"))?;
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(name) => names.push(name.to_string_lossy().into_owned()),
            _ => return Err(format!("it holds {shown:?}, which leads out of the folder")),
        }
    }
    // What is not below `recordings` is passed over, whatever it is.
    let kind = entry.header().entry_type();
    if !kind.is_file() && !kind.is_dir() && names.iter().any(|name| name == RECORDINGS) {
        return Err(format!("it holds {shown:?}, which is a link or a device"));
    }
    let name = match &names[..] {
        [folder, name] | [_, folder, name] if folder == RECORDINGS && kind.is_file() => name,
        _ => return Ok(None),
    };
    if !is_recording(name) {
        return Ok(None);
    }
    match entry.size() {
        size if size > LARGEST_RECORDING => Err(format!(
            "it holds {shown:?} of {size} bytes; a recording has at most {LARGEST_RECORDING}"
        )),
        _ => Ok(Some(name.clone())),
    }
}

/// Whether a file of this name is one of the recordings.
pub(super) fn is_recording(name: &str) -> bool {
    name.ends_with(".wav") && name.len() <= NAME_BYTES && !name.contains(char::is_control)
}

/// A file that was not there before.
pub(super) fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

fn damaged(origin: &str, reason: impl ToString) -> FetchError {
    FetchError::Damaged {
        origin: origin.to_string(),
        reason: one_line(&reason.to_string()),
    }
}

/// Fails where there is more to read than may be; to end there would look like a whole file.
struct AtMost<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for AtMost<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(bytes)?;
        match self.left.checked_sub(length as u64) {
            Some(left) => self.left = left,
            None => {
                let text = format!("it unpacks to more than {LARGEST_ARCHIVE} bytes");
                return Err(io::Error::other(text));
            }
        }
        Ok(length)
    }
}
