//! FLAC files.
//!
//! In: a file. Out: the mean of its channels. The frames are unpacked by the crate `flac-codec`; what
//! stands before and after them is looked at here, as libFLAC does: tags and metadata are passed by, and
//! block sizes in the header are not believed.

use std::cell::Cell;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use flac_codec::decode::FlacSampleReader;
use md5::{Digest, Md5};

use super::{Decoded, Mono, Problem, bytes_at};

/// Bytes of the metadata block that says what the sound is.
const STREAM_INFO: usize = 34;
/// The most metadata blocks that are passed by.
const MOST_BLOCKS: usize = 4096;

/// What the header says of the sound.
struct StreamInfo {
    rate_hz: u32,
    channels: usize,
    bits: u32,
    /// Samples of each channel.
    samples: Option<u64>,
    /// MD5 of the samples.
    checksum: Option<[u8; 16]>,
}

/// The length of the ID3v2 tag that begins with these bytes, if one does.
pub(super) fn tag_length(bytes: &[u8]) -> Option<u64> {
    let [b'I', b'D', b'3', _, _, flags, size @ ..] = bytes else {
        return None;
    };
    let size = size.first_chunk::<4>()?;
    let size = size.iter().try_fold(0, |size, &byte| {
        // The eighth bit is never used.
        (byte < 0x80).then(|| size << 7 | u64::from(byte))
    })?;
    let footer = if flags & 0x10 == 0 { 0 } else { 10 };
    Some(10 + size + footer)
}

/// Decodes the stream that begins at `start` with `fLaC`.
pub(super) fn decode(
    source: &mut (impl Read + Seek),
    start: u64,
    end: u64,
) -> Result<Decoded, Problem> {
    let (info, frames) = metadata(source, start + 4)?;
    let info = info.ok_or_else(|| "it has no block that says what its sound is".to_string())?;
    let end = without_tags(source, end)?;
    let header = header(&info);
    let info = StreamInfo::of(&info);
    let mut mono = Mono::new(info.channels, info.rate_hz)?;
    source.seek(SeekFrom::Start(frames))?;
    let taken = Cell::new(0);
    let rest = Counted {
        source: source.take(end.saturating_sub(frames)),
        taken: &taken,
    };
    let mut reader = FlacSampleReader::new(Cursor::new(header).chain(rest)).map_err(problem)?;

    let (full_scale, bytes) = (
        2f64.powi(info.bits as i32 - 1),
        info.bits.div_ceil(8) as usize,
    );
    let (mut digest, mut cut, mut unpacked) = (Md5::new(), false, 0);
    let is_done = |found: usize| info.samples.is_some_and(|all| found as u64 >= all);
    while !mono.is_full() && !is_done(mono.samples.len()) {
        let unpacked_frame = quietly(|| reader.fill_buf().map(<[i32]>::len));
        let unpacked_frame = unpacked_frame
            .ok_or_else(|| "its frames cannot be unpacked: one is damaged".to_string())?;
        match unpacked_frame {
            Ok(0) => {
                // The decoder takes the beginning of a frame for the end of the sound.
                cut = taken.get() != unpacked;
                break;
            }
            Ok(_) => {}
            Err(flac_codec::Error::Io(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                cut = true;
                break;
            }
            Err(error) => return Err(problem(error)),
        }
        // It is held until it is consumed.
        let samples = reader.fill_buf().map_err(problem)?;
        let count = samples.len();
        for frame in samples.chunks_exact(info.channels) {
            mono.push(frame.iter().map(|&sample| f64::from(sample) / full_scale));
        }
        for sample in samples {
            digest.update(&sample.to_le_bytes()[..bytes]);
        }
        reader.consume(count);
        unpacked = taken.get();
    }
    let found = mono.samples.len() as u64;
    let whole = !mono.is_full() && info.samples.is_none_or(|promised| promised <= found);
    if cut && whole {
        return Err("it is cut off in the midst of a frame".to_string().into());
    }
    let checksum = <[u8; 16]>::from(digest.finalize());
    if whole && info.checksum.is_some_and(|expected| expected != checksum) {
        return Err("the sound does not match its checksum".to_string().into());
    }
    Ok(Decoded {
        mono,
        promised: info.samples,
    })
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// What `unpack` gives, or none if it panics: version 1.3.3 of the decoder does on some damaged frames
/// (fewer samples than partitions, sums beyond 32 bits). Nothing is said of it on stderr.
fn quietly<T>(unpack: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |about| {
            if !QUIET.get() {
                before(about);
            }
        }));
    });
    QUIET.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(unpack));
    QUIET.set(false);
    result.ok()
}

/// Counts the bytes that are read.
struct Counted<'a, R> {
    source: R,
    taken: &'a Cell<u64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(bytes)?;
        self.taken.set(self.taken.get() + read as u64);
        Ok(read)
    }
}

/// The block that says what the sound is, if it is there, and where the frames begin.
fn metadata(
    source: &mut (impl Read + Seek),
    mut at: u64,
) -> Result<(Option<[u8; STREAM_INFO]>, u64), Problem> {
    let mut info = None;
    for _ in 0..MOST_BLOCKS {
        let header = bytes_at(source, at, 4)?;
        let &[kind, high, middle, low] = header.as_slice() else {
            return Err("it ends in its header".to_string().into());
        };
        let length = u64::from(u32::from_be_bytes([0, high, middle, low]));
        if kind & 0x7f == 0 && length >= STREAM_INFO as u64 && info.is_none() {
            let block = bytes_at(source, at + 4, STREAM_INFO)?;
            info = block.first_chunk().copied();
        }
        at += 4 + length;
        if kind & 0x80 != 0 {
            return Ok((info, at));
        }
    }
    Err(format!("its header has more than {MOST_BLOCKS} blocks").into())
}

/// A header for the decoder: what the frames need, and no more that could be wrong.
fn header(info: &[u8; STREAM_INFO]) -> Vec<u8> {
    let mut header = b"fLaC\x80\0\0\x22".to_vec();
    // The smallest and the largest block that there may be, and frames of any size.
    header.extend([0x00, 0x10, 0xff, 0xff, 0, 0, 0, 0, 0, 0]);
    header.extend(&info[10..13]);
    // The number of samples and the checksum are left open.
    header.push(info[13] & 0xf0);
    header.extend([0; 20]);
    header
}

impl StreamInfo {
    fn of(bytes: &[u8; STREAM_INFO]) -> Self {
        let packed = bytes[10..18].iter();
        let packed = packed.fold(0, |word, &byte| word << 8 | u64::from(byte));
        let samples = packed & 0xf_ffff_ffff;
        let checksum: [u8; 16] = std::array::from_fn(|at| bytes[18 + at]);
        StreamInfo {
            rate_hz: (packed >> 44) as u32,
            channels: (packed >> 41 & 7) as usize + 1,
            bits: (packed >> 36 & 31) as u32 + 1,
            samples: (samples > 0).then_some(samples),
            checksum: (checksum != [0; 16]).then_some(checksum),
        }
    }
}

/// Where the sound ends at the latest: before tags of ID3v1 and APE.
fn without_tags(source: &mut (impl Read + Seek), mut end: u64) -> io::Result<u64> {
    let before = |end: u64, length: u64| end.checked_sub(length);
    if let Some(at) = before(end, 128)
        && bytes_at(source, at, 3)? == b"TAG"
    {
        end = at;
    }
    if let Some(at) = before(end, 32)
        && let tag = bytes_at(source, at, 32)?
        && tag.starts_with(b"APETAGEX")
    {
        let number =
            |at: usize| u32::from_le_bytes([tag[at], tag[at + 1], tag[at + 2], tag[at + 3]]);
        let header = if number(20) & 0x8000_0000 == 0 { 0 } else { 32 };
        end = end.saturating_sub(u64::from(number(12)) + header);
    }
    Ok(end)
}

fn problem(error: flac_codec::Error) -> Problem {
    match error {
        flac_codec::Error::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            Problem::Machine(error)
        }
        error => Problem::NotAudio(format!("its frames cannot be unpacked: {error}")),
    }
}
