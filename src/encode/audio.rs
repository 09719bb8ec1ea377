//! Reading WAV and FLAC files.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use hound::{SampleFormat, WavReader};
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
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
/// WAV files may hold whole numbers of 8 to 32 bits or 32-bit floats. The checksum in a FLAC file is
/// checked.
///
/// # Errors
/// [`EncodeError`] with the file's name: unreadable, not audio, cut off, or no sound in it.
pub fn read_audio(path: &Path) -> Result<Recording, EncodeError> {
    let unreadable = |source| EncodeError::Unreadable {
        path: path.to_path_buf(),
        source,
    };
    // Opening a pipe would wait for whoever writes to it.
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() {
            "a folder"
        } else {
            "no ordinary file"
        };
        return Err(unreadable(io::Error::other(format!("it is {what}"))));
    }
    let mut file = File::open(path).map_err(unreadable)?;
    let mut magic = Vec::new();
    let read = file.by_ref().take(4).read_to_end(&mut magic);
    read.and_then(|_| file.rewind()).map_err(unreadable)?;
    let decoded = match magic.as_slice() {
        b"RIFF" => decode_wav(file),
        b"fLaC" => decode_flac(file),
        _ => Err("it begins like neither of them".to_string()),
    };
    let decoded = decoded.map_err(|reason| EncodeError::NotAudio {
        path: path.to_path_buf(),
        reason,
    })?;
    let in_file = |source| EncodeError::InFile {
        path: path.to_path_buf(),
        source,
    };
    let Decoded {
        samples,
        channels,
        rate_hz,
        promised,
        damage,
    } = decoded;
    if samples.len() > most(rate_hz) {
        return Err(in_file(SoundError::TooLong { most_s: LONGEST_S }));
    }
    let found = samples.len() as u64;
    match (promised, damage) {
        (Some(promised), _) if promised > found => Err(EncodeError::Truncated {
            path: path.to_path_buf(),
            promised,
            found,
        }),
        (_, Some(reason)) => Err(EncodeError::NotAudio {
            path: path.to_path_buf(),
            reason,
        }),
        _ => {
            let sound = Sound::new(samples, rate_hz).map_err(in_file)?;
            Ok(Recording { sound, channels })
        }
    }
}

/// What a decoder found.
struct Decoded {
    /// The mean of the channels.
    samples: Vec<f64>,
    channels: usize,
    rate_hz: u32,
    /// Samples of each channel that the header promises.
    promised: Option<u64>,
    /// Why the decoder stopped before the end.
    damage: Option<String>,
}

/// Decoding stops once it has more samples than this.
fn most(rate_hz: u32) -> usize {
    (LONGEST_S * f64::from(rate_hz)) as usize
}

fn decode_wav(file: File) -> Result<Decoded, String> {
    let mut reader = WavReader::new(BufReader::new(file)).map_err(|error| error.to_string())?;
    let spec = reader.spec();
    let (channels, bits) = (usize::from(spec.channels), spec.bits_per_sample);
    if channels == 0 || !(1..=32).contains(&bits) {
        return Err(format!("it has {channels} channels of {bits} bits"));
    }
    let full_scale = f64::from(2.0f32).powi(i32::from(bits) - 1);
    let samples: Box<dyn Iterator<Item = hound::Result<f64>>> = match spec.sample_format {
        SampleFormat::Float => Box::new(reader.samples::<f32>().map(|x| x.map(f64::from))),
        SampleFormat::Int => {
            let samples = reader.samples::<i32>();
            Box::new(samples.map(move |x| x.map(|x| f64::from(x) / full_scale)))
        }
    };
    let (mut mono, mut frame, mut damage) = (Vec::new(), Vec::with_capacity(channels), None);
    for sample in samples {
        match sample {
            Ok(sample) => frame.push(sample),
            Err(error) => {
                damage = Some(error.to_string());
                break;
            }
        }
        if frame.len() == channels {
            mono.push(frame.iter().sum::<f64>() / channels as f64);
            frame.clear();
        }
        if mono.len() > most(spec.sample_rate) {
            break;
        }
    }
    Ok(Decoded {
        samples: mono,
        channels,
        rate_hz: spec.sample_rate,
        promised: Some(u64::from(reader.duration())),
        damage,
    })
}

fn decode_flac(file: File) -> Result<Decoded, String> {
    let in_words = |error: symphonia::core::errors::Error| error.to_string();
    let stream = MediaSourceStream::new(Box::new(file), Default::default());
    let (options, metadata) = (FormatOptions::default(), MetadataOptions::default());
    let probe = symphonia::default::get_probe();
    let format = probe.probe(&Default::default(), stream, options, metadata);
    let mut format = format.map_err(in_words)?;
    let track = format.default_track(TrackType::Audio);
    let track = track.ok_or("it has no sound track")?;
    let (id, promised) = (track.id, track.num_frames);
    let parameters = track.codec_params.as_ref().and_then(|some| some.audio());
    let parameters = parameters.ok_or("its coding is unknown")?;
    let rate_hz = parameters.sample_rate.ok_or("it names no sampling rate")?;
    let options = AudioDecoderOptions::default().verify(true);
    let codecs = symphonia::default::get_codecs();
    let decoder = codecs.make_audio_decoder(parameters, &options);
    let mut decoder = decoder.map_err(in_words)?;

    let (samples, channels, damage) = packets(&mut *format, &mut *decoder, id, most(rate_hz));
    let whole = samples.len() <= most(rate_hz);
    let verified = decoder.finalize().verify_ok != Some(false);
    let mismatch =
        (whole && !verified).then(|| "the sound does not match its checksum".to_string());
    Ok(Decoded {
        samples,
        channels,
        rate_hz,
        promised,
        damage: damage.or(mismatch),
    })
}

/// The mean of the channels up to the end, to damage, or to more than `most` samples.
fn packets(
    format: &mut dyn FormatReader,
    decoder: &mut dyn AudioDecoder,
    track: u32,
    most: usize,
) -> (Vec<f64>, usize, Option<String>) {
    let (mut mono, mut interleaved, mut channels) = (Vec::new(), Vec::<f64>::new(), 1);
    while mono.len() <= most {
        let packet = match format.next_packet() {
            Ok(Some(packet)) if packet.track_id == track => packet,
            Ok(Some(_)) => continue,
            Ok(None) => break,
            Err(error) => return (mono, channels, Some(error.to_string())),
        };
        let buffer = match decoder.decode(&packet) {
            Ok(buffer) => buffer,
            Err(error) => return (mono, channels, Some(error.to_string())),
        };
        channels = buffer.num_planes().max(1);
        buffer.copy_to_vec_interleaved(&mut interleaved);
        let means = interleaved.chunks_exact(channels);
        mono.extend(means.map(|frame| frame.iter().sum::<f64>() / channels as f64));
    }
    (mono, channels, None)
}
