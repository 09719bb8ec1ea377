//! Encoding many recordings: on all cores, in an order that does not matter, going on where an
//! interrupted run stopped.

use std::collections::HashMap;
use std::path::Path;

use rayon::prelude::*;

use super::journal::{Heading, Journal};
use super::{AudioFile, EncodeError, Heard, InnerEar, LevelShares, read_audio};
use crate::ids::SoundPrint;
use crate::random::MasterSeed;

/// Recordings between two writes to the journal.
const BATCH: usize = 64;

/// What was found of a recording before it is encoded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Checked {
    /// Channels of the file; where there are several, their mean is encoded.
    pub channels: usize,
    /// How long it is, in seconds.
    pub duration_s: f64,
    /// Share of the samples at full scale; in floats that go beyond it, of those at the largest value, if
    /// it comes several times.
    pub clipped: f64,
    /// What the level is heard from.
    pub level: LevelShares,
    /// The sound's fingerprint.
    pub sound: SoundPrint,
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
    Ok(Checked {
        channels: recording.channels,
        duration_s: recording.sound.duration_s(),
        clipped: clipped(samples) as f64 / samples.len() as f64,
        level: LevelShares::of(&recording),
        sound: recording.sound.fingerprint(),
    })
}

/// How many samples are at full scale, or at the largest value where that is beyond full scale.
fn clipped(samples: &[f64]) -> usize {
    let peak = samples.iter().fold(0f64, |peak, x| peak.max(x.abs()));
    let limit = if peak > 1.0 { peak } else { FULL_SCALE };
    let count = samples.iter().filter(|x| x.abs() >= limit).count();
    match peak > 1.0 && count == 1 {
        // Something has to be the largest.
        true => 0,
        false => count,
    }
}

/// The largest sample of 16 bits.
const FULL_SCALE: f64 = 32_767.0 / 32_768.0;

/// How far [`encode_files`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeProgress {
    /// So many recordings were taken over from an interrupted run.
    TakenOver(usize),
    /// One more recording is done.
    Done,
}

/// Encodes files in their order; the spikes are the same for any number of threads.
///
/// What is done is kept in a file at `journal`, which a later call with the same ear and seed goes on
/// from: a sound that is in it is not encoded again, whatever its file is called now. It is left there:
/// remove it when the result is safe.
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
) -> Result<Vec<Heard>, EncodeError> {
    let heading = Heading::new(ear.settings(), seed);
    let (mut journal, old) = Journal::open(journal, &heading)?;
    let mut heard: Vec<Option<Heard>> = vec![None; files.len()];
    if !old.is_empty() {
        take_over(files, &old, &mut heard)?;
        let taken = heard.iter().flatten().count();
        progress(EncodeProgress::TakenOver(taken));
    }
    let mut left: Vec<usize> = (0..files.len()).collect();
    left.retain(|&file| heard[file].is_none());
    for batch in left.chunks(BATCH) {
        let done = batch.par_iter().map(|&file| {
            let one = encode_file(ear, seed, &files[file])?;
            progress(EncodeProgress::Done);
            Ok(one)
        });
        let done: Vec<Result<Heard, EncodeError>> = done.collect();
        let done: Vec<Heard> = done.into_iter().collect::<Result<_, _>>()?;
        journal.append(&done)?;
        for (&file, one) in batch.iter().zip(done) {
            heard[file] = Some(one);
        }
    }
    Ok(heard.into_iter().flatten().collect())
}

/// Uses what an earlier run did for the sounds that are among these files.
fn take_over(
    files: &[AudioFile],
    old: &HashMap<SoundPrint, Heard>,
    heard: &mut [Option<Heard>],
) -> Result<(), EncodeError> {
    let sounds = files.par_iter().map(|file| {
        let recording = read_audio(&file.path)?;
        Ok(recording.sound.fingerprint())
    });
    let sounds: Vec<Result<SoundPrint, EncodeError>> = sounds.collect();
    for (slot, sound) in heard.iter_mut().zip(sounds) {
        *slot = old.get(&sound?).cloned();
    }
    Ok(())
}

fn encode_file(ear: &InnerEar, seed: MasterSeed, file: &AudioFile) -> Result<Heard, EncodeError> {
    let sound = read_audio(&file.path)?.sound;
    ear.hear(&sound, seed)
        .map_err(|source| EncodeError::InFile {
            path: file.path.clone(),
            source,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_beyond_full_scale_are_clipped_only_at_their_largest() {
        let tone: Vec<f64> = (0..1000)
            .map(|i| 1.7 * (f64::from(i) * 0.37).sin())
            .collect();
        assert_eq!(clipped(&tone), 0);
        let cut: Vec<f64> = tone.iter().map(|x| x.clamp(-1.5, 1.5)).collect();
        assert!(clipped(&cut) > 100);
        let cut: Vec<f64> = tone.iter().map(|x| x.clamp(-1.0, FULL_SCALE)).collect();
        assert!(clipped(&cut) > 100);
        let soft: Vec<f64> = tone.iter().map(|x| x / 2.0).collect();
        assert_eq!(clipped(&soft), 0);
    }
}
