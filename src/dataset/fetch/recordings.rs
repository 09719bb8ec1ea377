//! Datasets that are published as an archive of many recordings.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::checksum::{CopyError, Listing, copy_summed, sum_of_file};
use super::download::Downloader;
use super::part::Part;
use super::unpack::{
    LARGEST_RECORDING, MOST_RECORDINGS, RECORDINGS, is_recording, new_file, unpack_recordings,
};
use super::{FetchError, Fetched, Progress, RecordingsArchive, Settings, Source};
use crate::storage::{PartFolder, make_folder};

/// Downloads, unpacks and checks the recordings, unless they are there.
pub(super) fn fetch(
    source: &Source,
    archive: &RecordingsArchive,
    folder: &Path,
    settings: &Settings,
    show: &mut dyn FnMut(Progress<'_>),
) -> Result<Fetched, FetchError> {
    let downloader = Downloader::new(source, settings)?;
    let target = target(archive, folder);
    let name = &archive.packed_name;
    if is_there(archive, &target)? {
        Part::discard(folder, name)?;
        return Ok(already(target, show));
    }
    let origin = downloader.address(name);
    let mut part = Part::open(folder, name)?;
    let mut pieces = downloader.bring(name, &mut part, show)?;
    let recordings = loop {
        show(Progress::Unpack { name });
        let recordings = empty_folder(folder)?;
        let listing = unpack_recordings(part.rewound()?, recordings.path(), &origin);
        match listing.and_then(|listing| check(archive, &listing, &origin)) {
            Ok(()) => break recordings,
            // The disk may have room another day.
            Err(error @ FetchError::File { .. }) => return Err(error),
            Err(error) => {
                part.clear()?;
                if !pieces {
                    return Err(error);
                }
            }
        }
        // The pieces may be of two archives.
        show(Progress::StartAgain { name });
        downloader.bring(name, &mut part, show)?;
        pieces = false;
    };
    put_in_place(recordings, &target)?;
    part.clear()?;
    Ok(Fetched::of(target))
}

/// Takes the recordings from an archive or a folder.
pub(super) fn place(
    source: &Source,
    archive: &RecordingsArchive,
    folder: &Path,
    from: &[PathBuf],
    show: &mut dyn FnMut(Progress<'_>),
) -> Result<Fetched, FetchError> {
    let [path] = from else {
        return Err(FetchError::NotOneArchive {
            dataset: source.name.clone(),
            found: from.len(),
        });
    };
    let kind = path.metadata().map_err(FetchError::unreadable(path))?;
    if !kind.is_dir() && !kind.is_file() {
        let reason = io::Error::other("it is neither a file nor a folder");
        return Err(FetchError::unreadable(path)(reason));
    }
    let target = target(archive, folder);
    if is_there(archive, &target)? {
        return Ok(already(target, show));
    }
    let origin = path.display().to_string();
    let recordings = empty_folder(folder)?;
    let listing = if kind.is_dir() {
        let inner = path.join(RECORDINGS);
        let inner = if inner.is_dir() { &inner } else { path };
        copy_recordings(inner, recordings.path())?
    } else {
        show(Progress::Unpack { name: &origin });
        let packed = File::open(path).map_err(FetchError::unreadable(path))?;
        unpack_recordings(packed, recordings.path(), &origin)?
    };
    check(archive, &listing, &origin)?;
    put_in_place(recordings, &target)?;
    Ok(Fetched::of(target))
}

fn target(archive: &RecordingsArchive, folder: &Path) -> PathBuf {
    folder.join(&archive.folder).join(RECORDINGS)
}

fn already(target: PathBuf, show: &mut dyn FnMut(Progress<'_>)) -> Fetched {
    show(Progress::AlreadyThere { path: &target });
    Fetched::of(target)
}

fn check(archive: &RecordingsArchive, listing: &Listing, origin: &str) -> Result<(), FetchError> {
    let (expected, found) = (archive.listing_sum, listing.sum());
    if found == expected {
        return Ok(());
    }
    Err(FetchError::OtherRecordings {
        origin: origin.to_string(),
        count: listing.len(),
        expected,
        found,
    })
}

/// Whether the right recordings are there; others are an error.
fn is_there(archive: &RecordingsArchive, target: &Path) -> Result<bool, FetchError> {
    let other = |reason| FetchError::OtherThere {
        path: target.to_path_buf(),
        reason,
    };
    match target.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(other("a file is in the way".to_string()));
        }
        Err(error) => return Err(FetchError::file("read", target)(error)),
        Ok(_) => {}
    }
    let mut listing = Listing::default();
    for path in recordings_in(target).map_err(|error| other(error.to_string()))? {
        let sum = sum_of_file(&path.1).map_err(|error| other(error.to_string()))?;
        listing.insert(path.0, sum);
    }
    match listing.sum() {
        found if found == archive.listing_sum => Ok(true),
        found => Err(other(format!(
            "the listing of its {} WAV files has MD5 {found}, not {}",
            listing.len(),
            archive.listing_sum
        ))),
    }
}

/// Names and paths of the recordings that lie in a folder.
fn recordings_in(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut all = Vec::new();
    for entry in folder.read_dir()? {
        let entry = entry?;
        let name = entry.file_name().into_string();
        let path = entry.path();
        if let Ok(name) = name
            && is_recording(&name)
            && path.is_file()
        {
            all.push((name, path));
        }
        if all.len() > MOST_RECORDINGS {
            let text = format!("it holds more than {MOST_RECORDINGS} recordings");
            return Err(io::Error::other(text));
        }
    }
    Ok(all)
}

fn copy_recordings(from: &Path, to: &Path) -> Result<Listing, FetchError> {
    let mut listing = Listing::default();
    for (name, path) in recordings_in(from).map_err(FetchError::unreadable(from))? {
        let source = File::open(&path).map_err(FetchError::unreadable(&path))?;
        let target = to.join(&name);
        let mut file = new_file(&target).map_err(FetchError::file("write", &target))?;
        let sum = copy_summed(source, &mut file, LARGEST_RECORDING);
        let sum = sum.map_err(|error| match error {
            CopyError::Read(reason) => FetchError::unreadable(&path)(reason),
            CopyError::Write(reason) => FetchError::file("write", &target)(reason),
            CopyError::TooLong => {
                let text = format!("a recording has at most {LARGEST_RECORDING} bytes");
                FetchError::unreadable(&path)(io::Error::other(text))
            }
        })?;
        listing.insert(name, sum);
    }
    Ok(listing)
}

/// A temporary folder beside what it will become; it is gone if it is not put in place.
fn empty_folder(beside: &Path) -> Result<PartFolder, FetchError> {
    PartFolder::create_in(beside).map_err(FetchError::file("write", beside))
}

/// Gives the finished folder its name.
fn put_in_place(recordings: PartFolder, target: &Path) -> Result<(), FetchError> {
    if let Some(parent) = target.parent() {
        make_folder(parent).map_err(FetchError::file("make", parent))?;
    }
    recordings
        .put_whole(target)
        .map_err(FetchError::file("write", target))
}
