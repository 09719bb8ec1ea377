//! Reading WAV and FLAC files.

use std::fs::File;
use std::path::Path;

use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as DecoderError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;

use super::sound::LONGEST_S;
use super::{EncodeError, Sound, SoundError};

/// A file's sound, and what was done to get one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// The sound; where the file has several channels, their mean.
    pub sound: Sound,
    /// Channels of the file.
    pub channels: usize,
}

/// Reads a WAV or FLAC file, whatever its name ends in; several channels are averaged.
///
/// # Errors
/// [`EncodeError`] with the file's name: unreadable, not audio, cut off, or no sound in it.
pub fn read_audio(path: &Path) -> Result<Recording, EncodeError> {
    let unreadable = |source| EncodeError::Unreadable {
        path: path.to_path_buf(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(unreadable(std::io::Error::other("it is a folder")));
    }
    decode(path, file)
}

fn decode(path: &Path, file: File) -> Result<Recording, EncodeError> {
    let not_audio = |reason: String| EncodeError::NotAudio {
        path: path.to_path_buf(),
        reason,
    };
    let in_file = |source| EncodeError::InFile {
        path: path.to_path_buf(),
        source,
    };
    let stream = MediaSourceStream::new(Box::new(file), Default::default());
    let mut format = symphonia::default::get_probe()
        .probe(
            &Hint::new(),
            stream,
            FormatOptions::default(),
            MetadataOptions::default(),
        )
        .map_err(|error| not_audio(error.to_string()))?;
    let track = format
        .default_track(TrackType::Audio)
        .ok_or_else(|| not_audio("it has no sound track".to_string()))?;
    let (id, promised) = (track.id, track.num_frames);
    let parameters = track.codec_params.as_ref().and_then(|some| some.audio());
    let parameters = parameters.ok_or_else(|| not_audio("its coding is unknown".to_string()))?;
    let rate_hz = parameters
        .sample_rate
        .ok_or_else(|| not_audio("it names no sampling rate".to_string()))?;
    let options = AudioDecoderOptions::default().verify(true);
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &options)
        .map_err(|error| not_audio(error.to_string()))?;

    let most = (LONGEST_S * f64::from(rate_hz)) as usize;
    let decoded = mean_of_channels(&mut *format, &mut *decoder, id, most);
    let (samples, channels, end) = decoded.map_err(not_audio)?;
    if samples.len() > most {
        return Err(in_file(SoundError::TooLong { most_s: LONGEST_S }));
    }
    match (end, promised) {
        (_, Some(promised)) if promised > samples.len() as u64 => {
            return Err(EncodeError::Truncated {
                path: path.to_path_buf(),
                promised,
                found: samples.len() as u64,
            });
        }
        (End::Damaged(reason), _) => return Err(not_audio(reason)),
        _ => {}
    }
    if decoder.finalize().verify_ok == Some(false) {
        return Err(not_audio(
            "the sound does not match its checksum".to_string(),
        ));
    }
    let sound = Sound::new(samples, rate_hz).map_err(in_file)?;
    Ok(Recording { sound, channels })
}

/// How the stream of packets ended.
enum End {
    Regular,
    Damaged(String),
}

/// Decodes up to `most` samples and the packet that exceeds them.
fn mean_of_channels(
    format: &mut dyn FormatReader,
    decoder: &mut dyn AudioDecoder,
    track: u32,
    most: usize,
) -> Result<(Vec<f64>, usize, End), String> {
    let (mut mono, mut interleaved, mut channels) = (Vec::new(), Vec::<f64>::new(), 1);
    while mono.len() <= most {
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => return Ok((mono, channels, End::Regular)),
            // Some readers report the end of a cut-off file as an error.
            Err(error) => return Ok((mono, channels, End::Damaged(error.to_string()))),
        };
        if packet.track_id != track {
            continue;
        }
        let buffer = match decoder.decode(&packet) {
            Ok(buffer) => buffer,
            Err(DecoderError::DecodeError(reason)) => {
                return Ok((mono, channels, End::Damaged(reason.to_string())));
            }
            Err(error) => return Err(error.to_string()),
        };
        channels = buffer.num_planes().max(1);
        buffer.copy_to_vec_interleaved(&mut interleaved);
        let means = interleaved.chunks_exact(channels);
        mono.extend(means.map(|frame| frame.iter().sum::<f64>() / channels as f64));
    }
    Ok((mono, channels, End::Regular))
}
