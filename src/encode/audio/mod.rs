//! Reading WAV and FLAC files.
//!
//! In: a file, whatever its name ends in. Out: its sound, to the bit as libsndfile and libFLAC read
//! it, or the reason why it is refused. `wav` finds the samples among a file's chunks, `samples` knows
//! how a sample is stored, `flac` unpacks, `kinds` recognises what is neither.

mod flac;
mod kinds;
mod samples;
mod wav;

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::sound::{LONGEST_S, RATES_HZ};
use super::{EncodeError, Sound, SoundError};
use crate::storage::open_plain;

/// A file's sound, and what was done to get one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// The sound; where the file has several channels, their mean.
    pub sound: Sound,
    /// Channels of the file.
    pub channels: usize,
    /// Mean square over the samples of all channels, before their mean is taken.
    pub mean_variance: f64,
}

/// Reads a WAV or FLAC file, whatever its name ends in; several channels are averaged.
///
/// WAV files (RIFF, RIFX, RF64 and BW64) may hold whole numbers of up to 32 bits in containers as wide
/// or wider, floats of 32 or 64 bits, A-law or µ-law. A sound whose length the header leaves open, as
/// programs do that write to a pipe, goes on to the end of the file. FLAC files may have up to 32 bits,
/// any block sizes, and tags before and after; checksums of frames and of the whole are checked.
///
/// # Errors
/// [`EncodeError`] with the file's name: unreadable, not audio, cut off, or no sound in it.
pub fn read_audio(path: &Path) -> Result<Recording, EncodeError> {
    let file = open_plain(path).map_err(|source| EncodeError::Unreadable {
        path: path.to_path_buf(),
        source,
    })?;
    read_audio_from(path, BufReader::new(file))
}

/// Reads the bytes of a WAV or FLAC file, as [`read_audio`] does; `path` is what errors call it.
///
/// # Errors
/// As [`read_audio`].
pub fn read_audio_from(path: &Path, source: impl Read + Seek) -> Result<Recording, EncodeError> {
    decode(source).map_err(|problem| {
        let path = path.to_path_buf();
        match problem {
            Problem::Machine(source) => EncodeError::Unreadable { path, source },
            Problem::NotAudio(reason) => EncodeError::NotAudio { path, reason },
            Problem::Sound(source) => EncodeError::InFile { path, source },
            Problem::CutOff { promised, found } => EncodeError::Truncated {
                path,
                promised,
                found,
            },
        }
    })
}

/// Why a file gives no sound.
enum Problem {
    /// It could not be read.
    Machine(io::Error),
    /// It is not what can be decoded.
    NotAudio(String),
    /// It was decoded, but is no sound that can be used.
    Sound(SoundError),
    /// It ends before its header says so; in samples of each channel.
    CutOff { promised: u64, found: u64 },
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Problem::Machine(error)
    }
}

impl From<SoundError> for Problem {
    fn from(error: SoundError) -> Self {
        Problem::Sound(error)
    }
}

impl From<String> for Problem {
    fn from(reason: String) -> Self {
        Problem::NotAudio(reason)
    }
}

fn decode(mut source: impl Read + Seek) -> Result<Recording, Problem> {
    let end = source.seek(SeekFrom::End(0))?;
    let mut start = 0;
    let mut magic = bytes_at(&mut source, start, kinds::MAGIC)?;
    // Tags of MP3 files stand before other sounds too, one or several of them.
    while let Some(length) = flac::tag_length(&magic) {
        start += length;
        magic = bytes_at(&mut source, start, kinds::MAGIC)?;
    }
    match magic.get(..4) {
        Some(b"fLaC") => flac::decode(&mut source, start, end)?.recording(),
        Some(b"RIFF" | b"RIFX" | b"RF64" | b"BW64") => {
            let mut source = Behind {
                source: &mut source,
                start,
            };
            wav::decode(&mut source, end - start)?.recording()
        }
        _ => Err(Problem::NotAudio(kinds::in_words(&magic, start > 0))),
    }
}

/// A source from some place on.
struct Behind<'a, S> {
    source: &'a mut S,
    start: u64,
}

impl<S: Read> Read for Behind<'_, S> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.source.read(bytes)
    }
}

impl<S: Seek> Seek for Behind<'_, S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => SeekFrom::Start(at.saturating_add(self.start)),
            relative => relative,
        };
        Ok(self.source.seek(to)?.saturating_sub(self.start))
    }
}

/// Up to `most` bytes from a place in the file on, fewer where it ends.
fn bytes_at(source: &mut (impl Read + Seek), at: u64, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.seek(SeekFrom::Start(at))?;
    source.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What a decoder found.
struct Decoded {
    mono: Mono,
    /// Samples of each channel that the header promises.
    promised: Option<u64>,
}

impl Decoded {
    fn recording(self) -> Result<Recording, Problem> {
        let Decoded { mono, promised } = self;
        let found = mono.samples.len() as u64;
        if mono.is_full() {
            return Err(SoundError::TooLong { most_s: LONGEST_S }.into());
        }
        if let Some(promised) = promised.filter(|&promised| promised > found) {
            return Err(Problem::CutOff { promised, found });
        }
        let channels = mono.channels;
        if mono.square_sum > 0.0 && mono.samples.iter().all(|&x| x == 0.0) {
            return Err(SoundError::Cancelled { channels }.into());
        }
        let values = (found * channels as u64).max(1);
        Ok(Recording {
            mean_variance: mono.variance_sum() / values as f64,
            channels,
            sound: Sound::new(mono.samples, mono.rate_hz)?,
        })
    }
}

/// The mean of the channels, as it is decoded.
struct Mono {
    samples: Vec<f64>,
    channels: usize,
    rate_hz: u32,
    /// Of all channels.
    square_sum: f64,
    /// Of each channel.
    sums: Vec<f64>,
    /// More samples than these are too many.
    most: usize,
}

impl Mono {
    fn new(channels: usize, rate_hz: u32) -> Result<Self, Problem> {
        // What is believed decides how much is read.
        if !RATES_HZ.contains(&rate_hz) {
            return Err(SoundError::BadRate { found_hz: rate_hz }.into());
        }
        if channels == 0 {
            return Err(Problem::NotAudio("it has no channel".to_string()));
        }
        Ok(Mono {
            samples: Vec::new(),
            channels,
            rate_hz,
            square_sum: 0.0,
            sums: vec![0.0; channels],
            most: (LONGEST_S * f64::from(rate_hz)) as usize,
        })
    }

    /// Takes the next sample of every channel.
    fn push(&mut self, frame: impl Iterator<Item = f64>) {
        let mut sum = 0.0;
        for (sample, of_channel) in frame.zip(&mut self.sums) {
            sum += sample;
            *of_channel += sample;
            self.square_sum += sample * sample;
        }
        self.samples.push(sum / self.channels as f64);
    }

    /// Squares of all samples about the means of their channels, summed.
    fn variance_sum(&self) -> f64 {
        let count = self.samples.len().max(1) as f64;
        let of_means: f64 = self.sums.iter().map(|sum| sum * sum / count).sum();
        (self.square_sum - of_means).max(0.0)
    }

    /// Whether there is more than can be used: decoding stops.
    fn is_full(&self) -> bool {
        self.samples.len() > self.most
    }
}
