//! MD5 sums, as publishers of data give them, and copying that sums on the way.
//!
//! MD5 finds a damaged or exchanged file; it is no defence against somebody who forges one.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use md5::{Digest, Md5};

/// Bytes that are read at a time.
const BLOCK: usize = 1 << 16;

/// An MD5 sum; shown in 32 hexadecimal digits, as `md5sum` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Md5Sum(pub u128);

impl Md5Sum {
    /// The sum of bytes in memory.
    pub fn of(bytes: &[u8]) -> Self {
        Md5Sum(u128::from_be_bytes(Md5::digest(bytes).into()))
    }
}

impl fmt::Display for Md5Sum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

/// Which side of a copy failed.
#[derive(Debug)]
pub(super) enum CopyError {
    Read(io::Error),
    Write(io::Error),
    /// There is more to read than may be.
    TooLong,
}

/// Copies what is read, and sums it on the way.
pub(super) fn copy_summed(
    mut from: impl Read,
    mut to: impl Write,
    limit: u64,
) -> Result<Md5Sum, CopyError> {
    let (mut digest, mut copied) = (Md5::new(), 0);
    let mut block = vec![0; BLOCK];
    loop {
        let length = match from.read(&mut block) {
            Ok(0) => return Ok(Md5Sum(u128::from_be_bytes(digest.finalize().into()))),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CopyError::Read(error)),
        };
        copied += length as u64;
        if copied > limit {
            return Err(CopyError::TooLong);
        }
        digest.update(&block[..length]);
        to.write_all(&block[..length]).map_err(CopyError::Write)?;
    }
}

/// The sum of what is left to read.
pub(super) fn sum_of(from: impl Read) -> io::Result<Md5Sum> {
    copy_summed(from, io::sink(), u64::MAX).map_err(|error| match error {
        CopyError::Read(error) | CopyError::Write(error) => error,
        CopyError::TooLong => io::Error::from(io::ErrorKind::FileTooLarge),
    })
}

/// The sum of a plain file; anything else is not opened, for a pipe would keep us waiting.
pub(super) fn sum_of_file(path: &Path) -> io::Result<Md5Sum> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no plain file"));
    }
    sum_of(File::open(path)?)
}

/// Files by name, with their sums: what `md5sum *.wav | LC_ALL=C sort -k2` lists.
#[derive(Debug, Default)]
pub(super) struct Listing(BTreeMap<String, Md5Sum>);

impl Listing {
    pub(super) fn insert(&mut self, name: String, sum: Md5Sum) {
        self.0.insert(name, sum);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The sum of the listing's text.
    pub(super) fn sum(&self) -> Md5Sum {
        let lines = self.0.iter().map(|(name, sum)| format!("{sum}  {name}\n"));
        Md5Sum::of(lines.collect::<String>().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_md5sum() {
        let sum = Md5Sum::of(b"");
        assert_eq!(sum.to_string(), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(sum_of(&b"abc"[..]).expect("read"), Md5Sum::of(b"abc"));
        assert_eq!(Md5Sum(7).to_string().len(), 32);
    }

    #[test]
    fn a_listing_is_sorted_by_name() {
        let mut listing = Listing::default();
        listing.insert("b.wav".to_string(), Md5Sum(1));
        listing.insert("a.wav".to_string(), Md5Sum(2));
        let text = format!("{}  a.wav\n{}  b.wav\n", Md5Sum(2), Md5Sum(1));
        assert_eq!(
            (listing.len(), listing.sum()),
            (2, Md5Sum::of(text.as_bytes()))
        );
    }

    #[test]
    fn a_copy_past_the_limit_stops() {
        let mut copy = Vec::new();
        let done = copy_summed(&[1; 10][..], &mut copy, 9);
        assert!(matches!(done, Err(CopyError::TooLong)));
        assert!(copy_summed(&[1; 9][..], &mut copy, 9).is_ok());
    }
}
