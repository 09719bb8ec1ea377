//! What has been encoded so far, on disk, so that an interruption costs little.
//!
//! In: the spikes of one recording after the other. Out: those of an earlier run with the same
//! settings. The file begins with the settings as a line of JSON; then comes an entry for each
//! recording, all numbers little-endian:
//!
//! ```text
//! u32 length of what follows, u64 FNV-1a of what follows
//! u64 fingerprint of the sound, u32 channels that spike because of what wrapped around,
//! u32 number of spikes, u32 step and u16 unit of each spike
//! ```
//!
//! An entry that is cut off or damaged ends what is taken over.

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{EarSettings, EncodeError, Heard, STEPS_PER_S};
use crate::hash::fnv_1a;
use crate::ids::SoundPrint;
use crate::random::MasterSeed;
use crate::spikes::EventStream;
use crate::storage::open_own;

/// What the entries of a journal depend on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Heading {
    pub format: String,
    pub settings: EarSettings,
    pub seed: MasterSeed,
}

impl Heading {
    pub(super) fn new(settings: &EarSettings, seed: MasterSeed) -> Self {
        Heading {
            format: format!("respike {} encoding, 2", env!("CARGO_PKG_VERSION")),
            settings: settings.clone(),
            seed,
        }
    }
}

/// What every journal begins with, of whatever version.
const BEGINNING: &[u8] = b"{\"format\":\"respike ";

/// An open journal.
pub(super) struct Journal {
    file: File,
    path: PathBuf,
}

impl Journal {
    /// Opens the journal at `path` and takes over what fits the heading; a journal of other settings
    /// is begun again.
    pub(super) fn open(
        path: &Path,
        heading: &Heading,
    ) -> Result<(Self, HashMap<SoundPrint, Heard>), EncodeError> {
        let unwritable = |reason| EncodeError::Unwritable {
            path: path.to_path_buf(),
            reason,
        };
        let mut options = OpenOptions::new();
        options.create(true).read(true).write(true).truncate(false);
        let mut file = open_own(path, &mut options).map_err(unwritable)?;
        // Where files cannot be locked at all, nothing keeps two runs apart.
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return Err(unwritable(io::Error::other("another run is writing it")));
        }
        let mut old = Vec::new();
        file.read_to_end(&mut old).map_err(unwritable)?;
        if !old.is_empty() && !old.starts_with(BEGINNING) {
            let path = path.to_path_buf();
            return Err(EncodeError::NotAJournal { path });
        }
        let mut line = serde_json::to_vec(heading).map_err(|error| unwritable(error.into()))?;
        line.push(b'\n');
        let (entries, good) = match old.strip_prefix(line.as_slice()) {
            Some(entries) => read_entries(entries),
            None => (HashMap::new(), 0),
        };
        let keep = match entries.is_empty() {
            true => 0,
            false => (line.len() + good) as u64,
        };
        let begun = file.set_len(keep).and_then(|()| {
            file.seek(SeekFrom::End(0))?;
            match keep {
                0 => file.write_all(&line),
                _ => Ok(()),
            }
        });
        begun.map_err(unwritable)?;
        let path = path.to_path_buf();
        Ok((Journal { file, path }, entries))
    }

    /// Appends the spikes of recordings, and makes sure that they are on disk.
    pub(super) fn append(&mut self, entries: &[Heard]) -> Result<(), EncodeError> {
        let bytes: Vec<u8> = entries.iter().flat_map(entry).collect();
        let written = self.file.write_all(&bytes);
        written
            .and_then(|()| self.file.sync_data())
            .map_err(|reason| EncodeError::Unwritable {
                path: self.path.clone(),
                reason,
            })
    }
}

fn entry(heard: &Heard) -> Vec<u8> {
    let events = &heard.events;
    let mut body = heard.sound.0.to_le_bytes().to_vec();
    body.extend(heard.wrapped_channels.to_le_bytes());
    // There are never 2^32 spikes in a minute.
    body.extend((events.len() as u32).to_le_bytes());
    for (&time_s, &unit) in events.times_s().iter().zip(events.units()) {
        body.extend(((time_s * STEPS_PER_S).round() as u32).to_le_bytes());
        body.extend(unit.to_le_bytes());
    }
    let mut bytes = (body.len() as u32).to_le_bytes().to_vec();
    bytes.extend(fnv_1a(&body).to_le_bytes());
    bytes.extend(body);
    bytes
}

/// The entries up to the first that is not whole, and where that begins.
fn read_entries(bytes: &[u8]) -> (HashMap<SoundPrint, Heard>, usize) {
    let (mut entries, mut rest) = (HashMap::new(), bytes);
    while let Some((heard, after)) = read_entry(rest) {
        entries.insert(heard.sound, heard);
        rest = after;
    }
    (entries, bytes.len() - rest.len())
}

fn read_entry(bytes: &[u8]) -> Option<(Heard, &[u8])> {
    let (length, bytes) = bytes.split_first_chunk()?;
    let (sum, bytes) = bytes.split_first_chunk()?;
    let (mut body, after) = bytes.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    if fnv_1a(body) != u64::from_le_bytes(*sum) {
        return None;
    }
    let sound = SoundPrint(take(&mut body).map(u64::from_le_bytes)?);
    let wrapped_channels = take(&mut body).map(u32::from_le_bytes)?;
    let count = take(&mut body).map(u32::from_le_bytes)?;
    let (spikes, []) = body.as_chunks::<6>() else {
        return None;
    };
    if spikes.len() != count as usize {
        return None;
    }
    let steps = spikes
        .iter()
        .map(|s| u32::from_le_bytes([s[0], s[1], s[2], s[3]]));
    let times_s = steps.map(|step| f64::from(step) / STEPS_PER_S).collect();
    let units = spikes.iter().map(|s| u16::from_le_bytes([s[4], s[5]]));
    let events = EventStream::new(times_s, units.collect()).ok()?;
    let heard = Heard {
        events,
        sound,
        wrapped_channels,
    };
    Some((heard, after))
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::EarPreset;

    fn spikes(count: u16) -> EventStream {
        let times = (0..count).map(|i| f64::from(i * 7) / STEPS_PER_S);
        EventStream::new(times.collect(), (0..count).collect()).expect("valid")
    }

    #[test]
    fn what_was_written_is_taken_over_and_damage_ends_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        let heading = Heading::new(&EarPreset::Shd.settings(70), MasterSeed(1));
        let open = |heading| Journal::open(&path, heading).expect("writable");
        let (mut journal, old) = open(&heading);
        assert!(old.is_empty());
        let heard = |count| Heard {
            events: spikes(count),
            sound: SoundPrint(u64::from(count) * 9),
            wrapped_channels: count.into(),
        };
        let entries: Vec<Heard> = (1..4).map(heard).collect();
        journal.append(&entries).expect("writable");
        let busy = Journal::open(&path, &heading).err().expect("locked");
        assert!(busy.to_string().contains("another run"), "{busy}");
        drop(journal);
        let whole = std::fs::read(&path).expect("there");

        // Whatever the file was cut to, the whole entries before are taken over, and going on gives
        // the whole file again.
        let line = serde_json::to_vec(&heading).expect("plain data").len();
        for cut in (0..1).chain((line..whole.len()).step_by(3)) {
            std::fs::write(&path, &whole[..cut]).expect("writable");
            let (mut journal, old) = open(&heading);
            assert!(old.len() < 3);
            for one in &entries[..old.len()] {
                assert_eq!(&old[&one.sound], one);
            }
            journal.append(&entries[old.len()..]).expect("writable");
            assert_eq!(std::fs::read(&path).expect("there"), whole, "cut at {cut}");
        }
        let mut damaged = whole.clone();
        *damaged.last_mut().expect("not empty") ^= 1;
        std::fs::write(&path, &damaged).expect("writable");
        assert_eq!(open(&heading).1.len(), 2, "the last entry is damaged");

        std::fs::write(&path, &whole).expect("writable");
        let other = Heading::new(&EarPreset::Shd.settings(71), MasterSeed(1));
        assert!(open(&other).1.is_empty(), "other settings begin again");
        let old = String::from_utf8_lossy(&whole[..line]).replace("encoding, 2", "encoding, 1");
        std::fs::write(&path, [old.as_bytes(), &whole[line..]].concat()).expect("writable");
        assert!(open(&heading).1.is_empty(), "so does the format before");
    }
}
