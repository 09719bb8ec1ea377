//! Encoding many recordings: on all cores, in an order that does not matter, going on where an
//! interrupted run stopped.

use std::collections::HashMap;
use std::path::Path;

use rayon::prelude::*;

use super::journal::{Heading, Journal, Key};
use super::{AudioFile, EncodeError, InnerEar, read_audio};
use crate::hash::fnv_1a;
use crate::random::MasterSeed;
use crate::spikes::EventStream;

/// Recordings between two writes to the journal.
const BATCH: usize = 64;

/// What was found of a recording before it is encoded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Checked {
    /// Channels of the file; where there are several, their mean is encoded.
    pub channels: usize,
    /// How long it is, in seconds.
    pub duration_s: f64,
    /// Share of the samples at full scale.
    pub clipped: f64,
}

/// Reads every file and makes sure that the ear can encode it, without encoding it.
pub fn check_files(ear: &InnerEar, files: &[AudioFile]) -> Vec<Result<Checked, EncodeError>> {
    files.par_iter().map(|file| check(ear, file)).collect()
}

fn check(ear: &InnerEar, file: &AudioFile) -> Result<Checked, EncodeError> {
    let recording = read_audio(&file.path)?;
    let in_file = |source| EncodeError::InFile {
        path: file.path.clone(),
        source,
    };
    ear.prepare(&recording.sound).map_err(in_file)?;
    let samples = recording.sound.samples();
    let clipped = samples.iter().filter(|x| x.abs() >= FULL_SCALE).count();
    Ok(Checked {
        channels: recording.channels,
        duration_s: recording.sound.duration_s(),
        clipped: clipped as f64 / samples.len() as f64,
    })
}

/// The largest sample of 16 bits.
const FULL_SCALE: f64 = 32_767.0 / 32_768.0;

/// How far [`encode_files`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncodeProgress {
    /// So many recordings were taken over from an interrupted run.
    TakenOver(usize),
    /// One more recording is done.
    Done,
}

/// Encodes files in their order; the spikes are the same for any number of threads.
///
/// What is done is kept in a file at `journal`, which a later call with the same ear and seed goes on
/// from. It is left there: remove it when the result is safe.
///
/// # Errors
/// [`EncodeError`] of the first file, in their order, that cannot be encoded, or
/// [`EncodeError::Unwritable`] for the journal.
pub fn encode_files(
    ear: &InnerEar,
    seed: MasterSeed,
    files: &[AudioFile],
    journal: &Path,
    progress: &(dyn Fn(EncodeProgress) + Sync),
) -> Result<Vec<EventStream>, EncodeError> {
    let heading = Heading::new(ear.settings(), seed);
    let (mut journal, old) = Journal::open(journal, &heading)?;
    let mut heard: Vec<Option<EventStream>> = vec![None; files.len()];
    if !old.is_empty() {
        take_over(files, old, &mut heard)?;
        let taken = heard.iter().flatten().count();
        progress(EncodeProgress::TakenOver(taken));
    }
    let mut left: Vec<usize> = (0..files.len()).collect();
    left.retain(|&file| heard[file].is_none());
    for batch in left.chunks(BATCH) {
        let done = batch.par_iter().map(|&file| {
            let entry = encode_file(ear, seed, &files[file])?;
            progress(EncodeProgress::Done);
            Ok(entry)
        });
        let done: Vec<Result<(Key, EventStream), EncodeError>> = done.collect();
        let done: Vec<(Key, EventStream)> = done.into_iter().collect::<Result<_, _>>()?;
        journal.append(&done)?;
        for (&file, (_, events)) in batch.iter().zip(done) {
            heard[file] = Some(events);
        }
    }
    Ok(heard.into_iter().flatten().collect())
}

/// Uses what an earlier run did for the files that are still the same.
fn take_over(
    files: &[AudioFile],
    mut old: HashMap<Key, EventStream>,
    heard: &mut [Option<EventStream>],
) -> Result<(), EncodeError> {
    let keys: Vec<Result<Key, EncodeError>> = files.par_iter().map(key).collect();
    for (slot, key) in heard.iter_mut().zip(keys) {
        *slot = old.remove(&key?);
    }
    Ok(())
}

fn key(file: &AudioFile) -> Result<Key, EncodeError> {
    let bytes = std::fs::read(&file.path).map_err(|source| EncodeError::Unreadable {
        path: file.path.clone(),
        source,
    })?;
    Ok((file.name.clone(), fnv_1a(&bytes)))
}

fn encode_file(
    ear: &InnerEar,
    seed: MasterSeed,
    file: &AudioFile,
) -> Result<(Key, EventStream), EncodeError> {
    let recording = read_audio(&file.path)?;
    let events = ear.encode(&recording.sound, seed, &file.name);
    let events = events.map_err(|source| EncodeError::InFile {
        path: file.path.clone(),
        source,
    })?;
    Ok((key(file)?, events))
}
