//! Datasets that are published as single compressed files.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::checksum::{CopyError, copy_summed, sum_of_file};
use super::download::Downloader;
use super::part::Part;
use super::unpack::unpack_gzip;
use super::{FetchError, Fetched, Md5Sum, PackedFile, Progress, Settings, Source};
use crate::storage::WholeFile;

/// Downloads, checks and unpacks every file that is not there yet.
pub(super) fn fetch(
    source: &Source,
    files: &[PackedFile],
    folder: &Path,
    settings: &Settings,
    show: &mut dyn FnMut(Progress<'_>),
) -> Result<Fetched, FetchError> {
    let downloader = Downloader::new(source, settings)?;
    // A file in the way is found before hours are spent on the others.
    let there = files.iter().map(|file| is_there(file, folder));
    let there = there.collect::<Result<Vec<_>, _>>()?;
    let mut fetched = Fetched::default();
    for (file, there) in files.iter().zip(there) {
        let target = folder.join(&file.name);
        match there {
            true => {
                Part::discard(folder, &file.packed_name)?;
                show(Progress::AlreadyThere { path: &target });
            }
            false => fetch_one(&downloader, file, folder, settings, show)?,
        }
        fetched.ready.push(target);
    }
    Ok(fetched)
}

fn fetch_one(
    downloader: &Downloader<'_>,
    file: &PackedFile,
    folder: &Path,
    settings: &Settings,
    show: &mut dyn FnMut(Progress<'_>),
) -> Result<(), FetchError> {
    let name = &file.packed_name;
    let mut part = Part::open(folder, name)?;
    // It is whole if the process was stopped while it unpacked.
    if part.length()? == 0 || part.sum()? != file.packed_sum {
        let pieces = downloader.bring(name, &mut part, show)?;
        let mut found = part.sum()?;
        if found != file.packed_sum && pieces {
            show(Progress::StartAgain { name });
            part.clear()?;
            downloader.bring(name, &mut part, show)?;
            found = part.sum()?;
        }
        if found != file.packed_sum {
            part.clear()?;
            return Err(FetchError::ServedOther {
                address: downloader.address(name),
                expected: file.packed_sum,
                found,
            });
        }
    }
    show(Progress::Unpack { name });
    let origin = downloader.address(name);
    let unpacked = unpack(part.rewound()?, &origin, file, folder, settings);
    match unpacked {
        // The disk may have room another day.
        Err(FetchError::File { .. }) => {}
        _ => part.clear()?,
    }
    unpacked
}

/// A file that was given, and what it is.
struct Given<'a> {
    path: &'a Path,
    file: &'a PackedFile,
    packed: bool,
}

/// Takes the files from what was given; which they are, their sums tell.
pub(super) fn place(
    source: &Source,
    files: &[PackedFile],
    folder: &Path,
    from: &[PathBuf],
    settings: &Settings,
    show: &mut dyn FnMut(Progress<'_>),
) -> Result<Fetched, FetchError> {
    let given = from.iter().map(|path| recognise(source, files, path));
    let given = given.collect::<Result<Vec<_>, _>>()?;
    let mut fetched = Fetched::default();
    for file in files {
        let target = folder.join(&file.name);
        if is_there(file, folder)? {
            show(Progress::AlreadyThere { path: &target });
        } else if let Some(given) = given.iter().find(|given| given.file.name == file.name) {
            place_one(given, folder, settings, show)?;
        } else {
            fetched.missing.push(file.packed_name.clone());
            continue;
        }
        fetched.ready.push(target);
    }
    Ok(fetched)
}

fn recognise<'a>(
    source: &Source,
    files: &'a [PackedFile],
    path: &'a Path,
) -> Result<Given<'a>, FetchError> {
    let found = sum_of_file(path).map_err(FetchError::unreadable(path))?;
    let given = files.iter().find_map(|file| {
        let packed = file.packed_sum == found;
        (packed || file.sum == found).then_some(Given { path, file, packed })
    });
    given.ok_or_else(|| {
        let known = files.iter().map(|file| {
            let (packed_sum, sum) = (file.packed_sum, file.sum);
            format!("{packed_sum} ({}), {sum} ({})", file.packed_name, file.name)
        });
        FetchError::NotOfDataset {
            path: path.to_path_buf(),
            dataset: source.name.clone(),
            found,
            known: known.collect::<Vec<_>>().join(", "),
        }
    })
}

fn place_one(
    given: &Given<'_>,
    folder: &Path,
    settings: &Settings,
    show: &mut dyn FnMut(Progress<'_>),
) -> Result<(), FetchError> {
    let (path, file) = (given.path, given.file);
    let from = File::open(path).map_err(FetchError::unreadable(path))?;
    if given.packed {
        let name = &file.packed_name;
        show(Progress::Unpack { name });
        return unpack(from, &path.display().to_string(), file, folder, settings);
    }
    write_checked(file, folder, path, |to, to_path| {
        copy_summed(from, to, u64::MAX).map_err(|error| match error {
            CopyError::Read(error) => FetchError::unreadable(path)(error),
            CopyError::Write(error) => FetchError::file("write", to_path)(error),
            CopyError::TooLong => FetchError::unreadable(path)(std::io::Error::other("too long")),
        })
    })
}

fn unpack(
    packed: impl Read,
    origin: &str,
    file: &PackedFile,
    folder: &Path,
    settings: &Settings,
) -> Result<(), FetchError> {
    write_checked(file, folder, Path::new(origin), |to, to_path| {
        unpack_gzip(packed, to, to_path, origin, settings.largest_unpacked)
    })
}

/// Writes to a temporary file, which gets its name only if its sum is right.
fn write_checked(
    file: &PackedFile,
    folder: &Path,
    origin: &Path,
    write: impl FnOnce(&mut File, &Path) -> Result<Md5Sum, FetchError>,
) -> Result<(), FetchError> {
    let target = folder.join(&file.name);
    let mut part = WholeFile::create(&target).map_err(FetchError::file("write", &target))?;
    let found = write(part.file_mut(), &target)?;
    if found != file.sum {
        let expected = file.sum;
        return Err(FetchError::Damaged {
            origin: origin.display().to_string(),
            reason: format!("{} in it has MD5 {found}, not {expected}", file.name),
        });
    }
    // Somebody may have put it there in the meantime.
    match is_there(file, folder)? {
        true => Ok(()),
        false => part.finish().map_err(FetchError::file("write", &target)),
    }
}

/// Whether the right file is there; another of its name is an error.
fn is_there(file: &PackedFile, folder: &Path) -> Result<bool, FetchError> {
    let path = folder.join(&file.name);
    let other = |reason| {
        let path = path.clone();
        Err(FetchError::OtherThere { path, reason })
    };
    match path.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(FetchError::file("read", &path)(error)),
        Ok(_) => match sum_of_file(&path) {
            Ok(found) if found == file.sum => Ok(true),
            Ok(found) => other(format!("its MD5 is {found}, not {}", file.sum)),
            Err(error) => other(error.to_string()),
        },
    }
}
