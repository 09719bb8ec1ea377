//! Every way in which WAV and FLAC files store samples: the same samples, or the true reason.
#![cfg(feature = "encode")]

use std::io::Cursor;
use std::path::{Path, PathBuf};

use respike::encode::{EncodeError, Recording, read_audio, read_audio_from};

/// A RIFF file with these chunks; sizes and padding are right.
fn riff(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut body = b"WAVE".to_vec();
    for (id, contents) in chunks {
        body.extend(chunk(id, contents));
    }
    [
        b"RIFF".as_slice(),
        &(body.len() as u32).to_le_bytes(),
        &body,
    ]
    .concat()
}

fn chunk(id: &[u8; 4], contents: &[u8]) -> Vec<u8> {
    let size = (contents.len() as u32).to_le_bytes();
    let pad: &[u8] = if contents.len() % 2 == 1 { &[0] } else { &[] };
    [id.as_slice(), &size, contents, pad].concat()
}

/// A format chunk with `bits` in the header and containers of `width` bytes.
fn format(tag: u16, channels: u16, width: u16, bits: u16) -> Vec<u8> {
    let frame = channels * width;
    let mut bytes = [tag, channels].map(u16::to_le_bytes).concat();
    bytes.extend(8000u32.to_le_bytes());
    bytes.extend((8000 * u32::from(frame)).to_le_bytes());
    bytes.extend([frame, bits].map(u16::to_le_bytes).concat());
    bytes
}

/// The same, as WAVE_FORMAT_EXTENSIBLE with so many valid bits.
fn extensible(tag: u16, channels: u16, width: u16, bits: u16, valid: u16) -> Vec<u8> {
    let mut bytes = format(0xfffe, channels, width, bits);
    bytes.extend([22, valid, 0, 0, tag].map(u16::to_le_bytes).concat());
    bytes.extend(b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71");
    bytes
}

fn read(bytes: &[u8]) -> Result<Recording, EncodeError> {
    read_audio_from(Path::new("sound"), Cursor::new(bytes))
}

#[track_caller]
fn samples(bytes: &[u8]) -> Vec<f64> {
    let recording = read(bytes).unwrap_or_else(|error| panic!("{error}"));
    recording.sound.samples().to_vec()
}

#[track_caller]
fn refused(bytes: &[u8], words: &str) {
    match read(bytes) {
        Ok(_) => panic!("`{words}` is not refused"),
        Err(error) => assert!(error.to_string().contains(words), "`{words}`: {error}"),
    }
}

/// Sample values that use all 32 bits.
fn values() -> Vec<i32> {
    let mut state = 1u32;
    let values = (0..200).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state as i32
    });
    values.chain([0, -1, i32::MIN, i32::MAX]).collect()
}

/// The upper `valid` bits of each value, at the top of a container of `width` bytes.
fn contained(valid: u32, width: usize) -> (Vec<u8>, Vec<f64>) {
    let (mut bytes, mut expected) = (Vec::new(), Vec::new());
    for value in values() {
        let top = value >> (32 - valid) << (32 - valid);
        expected.push(f64::from(top) / 2f64.powi(31));
        let mut stored = top.to_be_bytes()[..width].to_vec();
        stored.reverse();
        if width == 1 {
            // A byte is unsigned.
            stored[0] ^= 0x80;
        }
        bytes.extend(stored);
    }
    (bytes, expected)
}

#[test]
fn whole_numbers_of_all_bits_in_all_containers() {
    for width in 1..=4u16 {
        for valid in 1..=8 * width {
            let (data, expected) = contained(valid.into(), width.into());
            for format in [
                extensible(1, 1, width, 8 * width, valid),
                extensible(1, 1, width, 8 * width, 0),
            ] {
                let file = riff(&[(b"fmt ", &format), (b"data", &data)]);
                assert_eq!(samples(&file), expected, "{valid} bits in {width} bytes");
            }
            if valid > 8 * (width - 1) {
                // Plain headers and many writers give the bits themselves.
                for format in [
                    format(1, 1, width, valid),
                    extensible(1, 1, width, valid, valid),
                ] {
                    let file = riff(&[(b"fmt ", &format), (b"data", &data)]);
                    assert_eq!(samples(&file), expected, "{valid} bits in {width} bytes");
                }
            }
        }
    }
}

#[test]
fn floats_of_both_widths_beyond_full_scale_too() {
    let floats = [0.0, -0.0, 1.5, -3.75, 1e-30, 0.1f32];
    let data = floats.map(f32::to_le_bytes).concat();
    let doubles = floats.map(|x| f64::from(x) / 3.0);
    let wide = doubles.map(f64::to_le_bytes).concat();
    for (single, double) in [
        (format(3, 1, 4, 32), format(3, 1, 8, 64)),
        (extensible(3, 1, 4, 32, 32), extensible(3, 1, 8, 64, 64)),
    ] {
        let file = riff(&[(b"fmt ", &single), (b"data", &data)]);
        assert_eq!(samples(&file), floats.map(f64::from));
        let file = riff(&[(b"fmt ", &double), (b"fact", &[0; 4]), (b"data", &wide)]);
        assert_eq!(samples(&file), doubles);
    }
    for bad in [f64::NAN, f64::INFINITY] {
        let data = [0.0, bad].map(f64::to_le_bytes).concat();
        let file = riff(&[(b"fmt ", &format(3, 1, 8, 64)), (b"data", &data)]);
        refused(&file, "sample 1 is");
    }
}

/// Values of the table in ITU-T G.711, on its scale of 14 (µ-law) and 13 bits (A-law).
#[test]
fn logarithmic_samples_are_those_of_the_standard() {
    let of = |tag: u16, bytes: &[u8]| {
        let file = riff(&[(b"fmt ", &format(tag, 1, 1, 8)), (b"data", bytes)]);
        samples(&file)
    };
    let mu = of(7, &[0x00, 0x80, 0xff, 0x7f, 0x8f, 0x9f, 0xef]);
    let steps = [-8031, 8031, 0, 0, 4191, 2079, 33];
    assert_eq!(mu, steps.map(|step| f64::from(step) / 8192.0));
    let a = of(6, &[0xd5, 0x55, 0xaa, 0x2a, 0xc5, 0xf5]);
    let steps = [1, -1, 4032, -4032, 33, 66];
    assert_eq!(a, steps.map(|step| f64::from(step) / 4096.0));
}

#[test]
fn numbers_with_the_most_significant_byte_first() {
    let mut body = b"WAVEfmt ".to_vec();
    body.extend(16u32.to_be_bytes());
    body.extend([1u16, 2].map(u16::to_be_bytes).concat());
    body.extend([8000u32, 48_000].map(u32::to_be_bytes).concat());
    body.extend([6u16, 24].map(u16::to_be_bytes).concat());
    body.extend(b"LIST\x00\x00\x00\x03abc\x00data\x00\x00\x00\x06\x10\x00\x00\x30\x00\x00");
    let file = [
        b"RIFX".as_slice(),
        &(body.len() as u32).to_be_bytes(),
        &body,
    ]
    .concat();
    assert_eq!(samples(&file), [0.25]);
}

#[test]
fn other_chunks_are_passed_by_with_or_without_the_byte_that_makes_them_even() {
    let (data, expected) = contained(16, 2);
    let (form, list) = (format(1, 1, 2, 16), b"INFOISFT\x05\0\0\0hello".as_slice());
    let large = [0u8; 70_000];
    for chunks in [
        vec![
            (b"fmt ", form.as_slice()),
            (b"LIST", list),
            (b"data", &data),
        ],
        vec![(b"LIST", list), (b"fmt ", &form), (b"data", &data)],
        vec![
            (b"JUNK", &large),
            (b"fmt ", &form),
            (b"PEAK", &large[..16]),
            (b"data", &data),
        ],
        vec![
            (b"bext", &large[..603]),
            (b"fmt ", &form),
            (b"data", &data),
            (b"iXML", b"<a/>"),
        ],
        vec![
            (b"fmt ", &form),
            (b"data", &data),
            (b"LIST", list),
            (b"id3 ", b"ID3\x04"),
        ],
    ] {
        assert_eq!(samples(&riff(&chunks)), expected);
    }
    let (form, samples_chunk) = (chunk(b"fmt ", &form), chunk(b"data", &data));
    let odd = chunk(b"note", b"odd");
    let unknown = chunk(b"abcd", b"some");
    for (between, what) in [
        (
            &[&odd[..odd.len() - 1], b"x", &unknown].concat()[..],
            "a pad byte that is not 0 before an unknown chunk",
        ),
        (&odd[..odd.len() - 1], "no pad byte"),
        (
            &[&odd[..odd.len() - 1], b"x"].concat(),
            "a pad byte that is not 0",
        ),
    ] {
        let body = [b"WAVE".as_slice(), &form, between, &samples_chunk].concat();
        let file = [b"RIFF".as_slice(), &[0; 4], &body].concat();
        assert_eq!(samples(&file), expected, "{what}");
        // What stands behind the sound is not looked at.
        let file = [file.as_slice(), b"TAG and other things"].concat();
        assert_eq!(samples(&file), expected, "{what}");
    }
    let wider = [format(1, 1, 2, 16), vec![0; 24]].concat();
    for length in [17, 18, 20, 40] {
        let file = riff(&[(b"fmt ", &wider[..length]), (b"data", &data)]);
        assert_eq!(samples(&file), expected, "{length} bytes of format");
    }
}

#[test]
fn lengths_that_are_left_open_go_to_the_end() {
    let (data, expected) = contained(16, 2);
    let whole = riff(&[(b"fmt ", &format(1, 1, 2, 16)), (b"data", &data)]);
    let with = |riff_size: u32, data_size: u32| {
        let mut file = whole.clone();
        file[4..8].copy_from_slice(&riff_size.to_le_bytes());
        file[40..44].copy_from_slice(&data_size.to_le_bytes());
        file
    };
    for (riff_size, data_size) in [
        (u32::MAX, u32::MAX),
        (0, 0),
        (36, 0),
        (0x7fff_f024, 0x7fff_f000),
        (0x8000_0024, 0x8000_0000),
        (u32::MAX, u32::MAX - 36),
        (17, data.len() as u32),
    ] {
        assert_eq!(
            samples(&with(riff_size, data_size)),
            expected,
            "{data_size:#x}"
        );
    }
    let size = (whole.len() - 8) as u32;
    refused(&with(size, data.len() as u32 + 1000), "cut off");
    // A file that was closed, and has no sound.
    let list = riff(&[
        (b"fmt ", &format(1, 1, 2, 16)),
        (b"data", b""),
        (b"LIST", b"abcd"),
    ]);
    refused(&list, "no sample");
}

#[test]
fn sizes_of_64_bits_are_read_where_they_belong() {
    let (data, expected) = contained(16, 2);
    let with = |magic: &[u8; 4], stated: u64, size: u32| {
        let sizes = [100u64, stated, 0, 0].map(u64::to_le_bytes).concat();
        let mut file = riff(&[
            (b"ds64", &sizes[..28]),
            (b"fmt ", &format(1, 1, 2, 16)),
            (b"data", &data),
            (b"LIST", b"abcd"),
        ]);
        file[..4].copy_from_slice(magic);
        let at = file.len() - data.len() - 16;
        file[at..at + 4].copy_from_slice(&size.to_le_bytes());
        file
    };
    let length = data.len() as u64;
    for magic in [b"RF64", b"BW64"] {
        assert_eq!(samples(&with(magic, length, u32::MAX)), expected);
        assert_eq!(samples(&with(magic, 7, length as u32)), expected);
        let shorter = samples(&with(magic, length - 4, u32::MAX));
        assert_eq!(shorter, expected[..expected.len() - 2]);
        refused(&with(magic, 1 << 40, u32::MAX), "cut off");
    }
}

#[test]
fn what_is_packed_otherwise_is_refused_by_name() {
    let file = |format: &[u8]| riff(&[(b"fmt ", format), (b"data", &[1; 64])]);
    for (tag, name) in [
        (0x02, "Microsoft ADPCM"),
        (0x11, "IMA ADPCM"),
        (0x31, "GSM"),
        (0x40, "G.721"),
        (0x55, "MP3"),
        (0x1234, "format 0x1234"),
    ] {
        refused(&file(&format(tag, 1, 1, 4)), name);
    }
    refused(&file(&extensible(2, 1, 1, 8, 8)), "Microsoft ADPCM");
    refused(&file(&format(1, 1, 5, 40)), "40 bits");
    refused(&file(&format(3, 1, 2, 16)), "floats of 16 bits");
    refused(&file(&format(1, 0, 2, 16)), "no channel");
    refused(&file(&format(1, 1, 4, 24)), "contradicts itself");
    refused(&file(&format(1, 1, 2, 16)[..14]), "14 bytes");
    refused(&file(&extensible(1, 1, 2, 16, 16)[..30]), "40 are needed");
    let mut unknown = extensible(1, 1, 2, 16, 16);
    unknown[39] ^= 1;
    refused(&file(&unknown), "sub-format");
    let plain = format(1, 1, 2, 16);
    refused(&riff(&[(b"fmt ", &plain)]), "no `data` chunk");
    refused(&riff(&[(b"data", &[0; 8])]), "no `fmt ` chunk");
    let twice = [
        (b"fmt ", plain.as_slice()),
        (b"data", &[0; 8]),
        (b"data", &[0; 8]),
    ];
    refused(&riff(&twice), "several `data` chunks");
    for (magic, name) in [
        (&b"RIFF\x10\0\0\0AVI LIST"[..], "`AVI `"),
        (b"FORM\0\0\0\x10AIFFCOMM", "AIFF"),
        (b"riff\x2e\x91\xcf\x11", "Wave64"),
        (b".snd\0\0\0\x18", "AU"),
        (b"caff\0\x01", "CAF"),
        (b"NIST_1A\n", "NIST SPHERE"),
        (b"\0\0\0\x20ftypM4A ", "MP4"),
        (b"\xff\xfb\x90\x44", "MP3"),
        (b"ID3\x04\0\0\0\0\0\x02ab\xff\xfb\x90\x44", "MP3"),
        (
            b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x1e\x01vorbis",
            "Ogg",
        ),
        (
            b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x33\x7fFLAC",
            "FLAC in Ogg",
        ),
        (b"", "empty"),
        (b"hello, this is a text", "neither"),
    ] {
        refused(magic, name);
    }
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/flac")
        .join(name)
}

fn flac(name: &str) -> Vec<u8> {
    std::fs::read(golden(name)).expect("ships with the tests")
}

/// The formula in tests/golden/README.md.
fn flac_sample(i: i64, channel: i64, bits: u32) -> f64 {
    let x = (3 * i * i + 17 * i * (channel + 1)) % 4096 - 2048;
    let sample = match bits {
        8 => x >> 4,
        12 => x,
        _ => (x << (bits - 12)) + i % 3,
    };
    sample as f64 / 2f64.powi(bits as i32 - 1)
}

#[test]
fn flac_of_all_bits_gives_the_samples_that_were_packed() {
    for bits in [8, 12, 16, 20, 24, 32] {
        for channels in [1, 2] {
            let name = format!("{bits}_bits_{channels}.flac");
            let expected = (0..100).map(|i| {
                let sum: f64 = (0..channels).map(|c| flac_sample(i, c, bits)).sum();
                sum / channels as f64
            });
            let expected: Vec<f64> = expected.collect();
            assert_eq!(samples(&flac(&name)), expected, "{name}");
        }
    }
    let expected = (0..100).map(|i: i64| {
        let left = (3 * i * i % 4096 - 2048) * 16;
        (left + 256) as f64 / 2.0 / 32_768.0
    });
    assert_eq!(
        samples(&flac("wasted_bits.flac")),
        expected.collect::<Vec<f64>>()
    );
}

/// `bytes` with others at a place.
fn with(bytes: &[u8], at: usize, others: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + others.len()].copy_from_slice(others);
    bytes
}

#[test]
fn odd_but_legal_flac_headers_are_read() {
    let file = flac("16_bits_2.flac");
    let expected = samples(&file);
    // The number of samples has 36 bits from the middle of byte 21 on.
    let open = with(&file, 21, &[file[21] & 0xf0, 0, 0, 0, 0]);
    let unchecked = with(&file, 26, &[0; 16]);
    let (info, frames) = (&file[8..42], metadata_end(&file));
    let block = |kind: u8, contents: &[u8]| {
        let length = (contents.len() as u32).to_be_bytes();
        [&[kind], &length[1..], contents].concat()
    };
    let blocks =
        |blocks: &[Vec<u8>]| [b"fLaC", blocks.concat().as_slice(), &file[frames..]].concat();
    for (what, file) in [
        ("the number of samples is open", open.clone()),
        ("no checksum", unchecked.clone()),
        ("neither", with(&open, 26, &[0; 16])),
        ("no block sizes", with(&file, 8, &[0; 4])),
        ("too small block sizes", with(&file, 8, &[0, 16, 0, 16])),
        (
            "block sizes the wrong way round",
            with(&file, 8, &[0xff, 0xff, 0, 16]),
        ),
        ("odd frame sizes", with(&file, 12, &[0, 0, 1, 0, 0, 1])),
        ("one block", blocks(&[block(0x80, info)])),
        (
            "another block first",
            blocks(&[block(4, &[0; 8]), block(0x80, info)]),
        ),
        (
            "a picture that is none",
            blocks(&[block(0, info), block(0x86, &[0xff; 50])]),
        ),
        (
            "a reserved block",
            blocks(&[block(0, info), block(0x80 | 99, b"abc")]),
        ),
        (
            "empty padding",
            blocks(&[block(0, info), block(1, b""), block(0x81, b"")]),
        ),
    ] {
        match read(&file) {
            Ok(recording) => assert_eq!(recording.sound.samples(), expected, "{what}"),
            Err(error) => panic!("{what}: {error}"),
        }
    }
    refused(&with(&file, 26, &[1; 16]), "checksum");
    let last = file.len() - 1;
    refused(&with(&unchecked, last, &[!file[last]]), "CRC");
    refused(&file[..last - 60], "cut off");
    refused(&with(&open, 26, &[0; 16])[..last - 20], "cut off");
    refused(&with(&file, 25, &[file[25] + 1]), "cut off");
    refused(&blocks(&[block(0x84, &[0; 8])]), "what its sound is");
    refused(&file[..30], "header");
}

/// Whatever one byte becomes, the decoder's answer is samples or an error; it panics on some of these.
#[test]
fn damaged_flac_frames_are_refused() {
    for name in ["8_bits_2.flac", "16_bits_1.flac", "32_bits_2.flac"] {
        let file = with(&flac(name), 26, &[0; 16]);
        for at in metadata_end(&file)..file.len() {
            for mask in [0x01, 0x10, 0x80, 0xff] {
                refused(&with(&file, at, &[file[at] ^ mask]), "sound");
            }
        }
    }
}

fn metadata_end(file: &[u8]) -> usize {
    let mut at = 4;
    loop {
        let length = u32::from_be_bytes([0, file[at + 1], file[at + 2], file[at + 3]]);
        let last = file[at] & 0x80 != 0;
        at += 4 + length as usize;
        if last {
            return at;
        }
    }
}

#[test]
fn tags_before_and_after_flac_are_passed_by() {
    let file = flac("24_bits_1.flac");
    let expected = samples(&file);
    let open = with(&file, 21, &[file[21] & 0xf0, 0, 0, 0, 0]);
    let tag = [b"ID3\x04\0\0\0\0\x02\x00".as_slice(), &[7; 256]].concat();
    let footed = [
        b"ID3\x04\0\x10\0\0\0\x05hello".as_slice(),
        b"3DI\x04\0\x10\0\0\0\x05",
    ]
    .concat();
    let old = [b"TAG".as_slice(), &[b' '; 125]].concat();
    let ape = |flags: u32| {
        let words = [2000, 40, 1, flags].map(u32::to_le_bytes).concat();
        [b"APETAGEX".as_slice(), &words, &[0; 8]].concat()
    };
    let ape = [ape(0xa000_0000), vec![1; 8], ape(0x8000_0000)].concat();
    for (what, before, after) in [
        ("ID3v2", &tag[..], &b""[..]),
        ("ID3v2 with a foot", &footed, b""),
        ("two of them", &[&tag[..], &footed].concat(), b""),
        ("ID3v1", b"", &old),
        ("APE", b"", &ape),
        ("APE and ID3v1", b"", &[&ape[..], &old].concat()),
        ("all", &tag, &[&ape[..], &old].concat()),
    ] {
        for file in [&file, &open] {
            let file = [before, file, after].concat();
            match read(&file) {
                Ok(recording) => assert_eq!(recording.sound.samples(), expected, "{what}"),
                Err(error) => panic!("{what}: {error}"),
            }
        }
    }
}

/// As libsndfile does it.
#[test]
fn a_tag_before_wav_is_passed_by() {
    let name = "tests/cases/audio/A00_pcm16/7_theo_0.wav";
    let plain = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("there");
    let expected = samples(&plain);
    let tag = [b"ID3\x04\0\0\0\0\x02\x00".as_slice(), &[7; 256]].concat();
    // With its true length, and with one that a pipe left open.
    let open = with(&plain, 4, &[0xff; 4]);
    let open = with(&open, 40, &[0xff; 4]);
    for file in [plain, open] {
        assert_eq!(samples(&[&tag[..], &file].concat()), expected);
    }
}

/// The same sound in other containers.
#[test]
fn the_cases_that_went_wrong_are_read() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/audio");
    let sound =
        |name: &str| read_audio(&cases.join(name)).unwrap_or_else(|error| panic!("{error}"));
    let plain = sound("A00_pcm16/7_theo_0.wav").sound;
    for name in [
        "A04_float64_scipy/7_theo_0.wav",
        "A07_ext24in32_msb/7_theo_0.wav",
        "A13_list_odd_padded/7_theo_0.wav",
        "A19c_ffmpeg_pipe/7_theo_0.wav",
        "F02_id3v2/7_theo_0.flac",
    ] {
        assert_eq!(sound(name).sound, plain, "{name}");
        assert_eq!(sound(name).sound.fingerprint(), plain.fingerprint());
    }
    // 24 bits of detail: what 16 bits are cut from.
    let fine = sound("A07b_ext24in32_msb_detail/7_theo_0.wav").sound;
    for (fine, plain) in fine.samples().iter().zip(plain.samples()) {
        assert_eq!((fine * 32_768.0).floor() / 32_768.0, *plain);
    }
}
