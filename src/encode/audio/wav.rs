//! WAV files: chunks in a RIFF file, one that says how samples are stored and one that holds them.
//!
//! In: a file. Out: the mean of its channels. Headers are believed as far as the file goes: programs
//! that write to a pipe cannot know the sizes, and others forget a pad byte.

use std::io::{Read, Seek, SeekFrom};

use super::samples::{Coding, Order};
use super::{Decoded, Mono, Problem, bytes_at};

/// What precedes the first chunk: `RIFF`, a size and `WAVE`.
const HEADER: usize = 12;
/// The most chunks that are looked at.
const MOST_CHUNKS: usize = 4096;
/// Sizes from here on that the file does not have stand for "to the end": pipes are given
/// 0x7fff0000, 0x80000000, 0xffffffff and the like.
const LEFT_OPEN: u64 = 0x7fff_0000;
/// The size of 32 bits that stands for one of 64.
const IN_DS64: u64 = 0xffff_ffff;
/// The format that has the real one after it.
const EXTENSIBLE: u16 = 0xfffe;
/// What follows the format's number in a sub-format: Microsoft's, and that of ambisonic sound.
const SUB_FORMATS: [(u16, u16, [u8; 8]); 2] = [
    (
        0x0000,
        0x0010,
        [0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71],
    ),
    (
        0x0721,
        0x11d3,
        [0x86, 0x44, 0xc8, 0xc1, 0xca, 0x00, 0x00, 0x00],
    ),
];

/// A part of the file.
struct Chunk {
    id: [u8; 4],
    /// Where its contents begin.
    start: u64,
    /// How long it says it is.
    length: u64,
}

/// Sizes of 64 bits, from the `ds64` chunk of RF64 files.
#[derive(Clone, Copy)]
struct Sizes {
    riff: u64,
    data: u64,
}

/// How samples are stored.
struct Format {
    coding: Coding,
    channels: usize,
    rate_hz: u32,
}

pub(super) fn decode(source: &mut (impl Read + Seek), end: u64) -> Result<Decoded, Problem> {
    let header = bytes_at(source, 0, HEADER)?;
    let form = header.get(8..HEADER).unwrap_or_default();
    if form != b"WAVE" {
        let form = form.escape_ascii();
        return Err(format!("it is a RIFF file of the kind `{form}`, not WAVE").into());
    }
    let order = match &header[..4] {
        b"RIFX" => Order::Big,
        _ => Order::Little,
    };
    let riff = u64::from(order.u32(&header[4..8]));
    let chunks = all_chunks(source, order, riff, end)?;
    let format = only(&chunks, b"fmt ")?;
    let data = only(&chunks, b"data")?;
    let format = format_of(
        &bytes_at(source, format.start, 40.min(format.length as usize))?,
        order,
    )?;

    let mut mono = Mono::new(format.channels, format.rate_hz)?;
    let width = format.coding.bytes();
    let frame = format.channels * width;
    let there = data.length.min(end.saturating_sub(data.start));
    source.seek(SeekFrom::Start(data.start))?;
    let mut source = source.take(there);
    let mut bytes = vec![0; frame];
    for _ in 0..there / frame as u64 {
        if mono.is_full() {
            break;
        }
        source.read_exact(&mut bytes)?;
        let samples = bytes.chunks_exact(width);
        mono.push(samples.map(|sample| format.coding.value(sample, order)));
    }
    Ok(Decoded {
        mono,
        promised: Some(data.length / frame as u64),
    })
}

/// The one chunk of its kind.
fn only<'a>(chunks: &'a [Chunk], id: &[u8; 4]) -> Result<&'a Chunk, String> {
    let mut found = chunks.iter().filter(|chunk| chunk.id == *id);
    let (name, holds) = match id {
        b"fmt " => ("fmt ", "how its samples are stored"),
        _ => ("data", "its samples"),
    };
    match (found.next(), found.next()) {
        (Some(chunk), None) => Ok(chunk),
        (None, _) => Err(format!("it has no `{name}` chunk with {holds}")),
        _ => Err(format!("it has several `{name}` chunks with {holds}")),
    }
}

/// The chunks of the file as the standard has them, or, where no samples are found so, those of a program
/// that forgets to make odd chunks even.
fn all_chunks(
    source: &mut (impl Read + Seek),
    order: Order,
    riff: u64,
    end: u64,
) -> Result<Vec<Chunk>, Problem> {
    let has = |chunks: &[Chunk], id: &[u8; 4]| chunks.iter().any(|chunk| chunk.id == *id);
    let standard = chunks(source, order, riff, end, &|_| true)?;
    if has(&standard, b"fmt ") && has(&standard, b"data") {
        return Ok(standard);
    }
    let guessed = chunks(source, order, riff, end, &is_padded)?;
    match has(&guessed, b"data") {
        true => Ok(guessed),
        false => Ok(standard),
    }
}

/// All chunks, up to the end of the file or to what is none; `is_padded` is asked what follows a chunk of
/// odd length.
fn chunks(
    source: &mut (impl Read + Seek),
    order: Order,
    riff: u64,
    end: u64,
    is_padded: &dyn Fn(&[u8]) -> bool,
) -> Result<Vec<Chunk>, Problem> {
    let (mut chunks, mut at, mut sizes) = (Vec::new(), HEADER as u64, None);
    while at < end && chunks.len() < MOST_CHUNKS {
        let header = bytes_at(source, at, 8)?;
        let Some((id, length)) = header.split_first_chunk::<4>() else {
            break;
        };
        if length.len() < 4 || !is_id(id) {
            break;
        }
        let (start, mut length) = (at + 8, u64::from(order.u32(length)));
        match id {
            b"ds64" => sizes = sizes_of(&bytes_at(source, start, 16)?, order),
            b"data" => length = data_length(length, riff, sizes, start, end),
            _ => {}
        }
        chunks.push(Chunk {
            id: *id,
            start,
            length,
        });
        at = start.saturating_add(length);
        if length % 2 == 1 && is_padded(&bytes_at(source, at.min(end), 5)?) {
            at = at.saturating_add(1);
        }
    }
    Ok(chunks)
}

fn is_id(id: &[u8]) -> bool {
    id.iter().all(|byte| (b' '..=b'~').contains(byte))
}

/// Whether a chunk of odd length seems to be followed by the byte that makes it even, as it should be.
fn is_padded(after: &[u8]) -> bool {
    let known = |id: &[u8]| matches!(id, b"fmt " | b"data" | b"fact" | b"LIST");
    match after {
        [0, ..] => true,
        [_, next @ ..] if known(next) => true,
        [next @ .., _] => !is_id(next),
        [] => false,
    }
}

fn sizes_of(ds64: &[u8], order: Order) -> Option<Sizes> {
    let (riff, data) = ds64.split_at_checked(8)?;
    (data.len() == 8).then(|| Sizes {
        riff: order.u64(riff),
        data: order.u64(data),
    })
}

/// How long the samples are, where their chunk says `stated` and begins at `start`.
fn data_length(stated: u64, riff: u64, sizes: Option<Sizes>, start: u64, end: u64) -> u64 {
    let (stated, riff) = match sizes {
        Some(sizes) if stated == IN_DS64 => (sizes.data, sizes.riff),
        _ => (stated, riff),
    };
    let rest = end - start.min(end);
    // A file that was closed knows its own length, and then a sound of length 0 is one.
    let closed = riff + 8 == end;
    let left_open = match stated {
        0 => !closed,
        _ => (LEFT_OPEN..=IN_DS64).contains(&stated) && stated > rest,
    };
    if left_open { rest } else { stated }
}

fn format_of(chunk: &[u8], order: Order) -> Result<Format, Problem> {
    let length = chunk.len();
    if length < 16 {
        return Err(format!("its `fmt ` chunk has {length} bytes, but 16 are needed").into());
    }
    let word = |at: usize| order.u16(&chunk[at..at + 2]);
    let (mut tag, channels, rate_hz) = (word(0), word(2), order.u32(&chunk[4..8]));
    let (frame, bits) = (usize::from(word(12)), word(14));
    if tag == EXTENSIBLE {
        let sub_format = chunk.get(24..40).ok_or_else(|| {
            format!("its `fmt ` chunk has {length} bytes, but 40 are needed for its format")
        })?;
        tag = sub_format_tag(sub_format, order)
            .ok_or_else(|| "its sub-format is none that is known".to_string())?;
    }
    let coding = Coding::new(tag, bits)?;
    let channels = usize::from(channels);
    // Where they disagree, libsndfile goes by the bits and others by the frame: one of them reads noise.
    if frame != channels * coding.bytes() && frame != 0 {
        return Err(format!(
            "its header contradicts itself: {bits} bits a sample, {channels} channels, and {frame} bytes for \
             a sample of each"
        )
        .into());
    }
    Ok(Format {
        coding,
        channels,
        rate_hz,
    })
}

fn sub_format_tag(guid: &[u8], order: Order) -> Option<u16> {
    let tag = u16::try_from(order.u32(&guid[..4])).ok()?;
    let rest = (order.u16(&guid[4..6]), order.u16(&guid[6..8]));
    let known = SUB_FORMATS
        .iter()
        .any(|(one, two, last)| rest == (*one, *two) && guid[8..] == *last);
    known.then_some(tag)
}
