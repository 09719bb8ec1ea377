//! What a file is that cannot be read: known by its first bytes.

/// How many bytes decide.
pub(super) const MAGIC: usize = 40;

/// Why a file that begins like this is not read.
pub(super) fn in_words(magic: &[u8], behind_a_tag: bool) -> String {
    let at = |place: usize, bytes: &[u8]| magic.get(place..).is_some_and(|m| m.starts_with(bytes));
    let kind = match magic {
        [] if behind_a_tag => return "nothing stands behind its tag".to_string(),
        [] => return "it is empty".to_string(),
        _ if at(0, b"OggS") && at(28, b"\x7fFLAC") => "FLAC in Ogg",
        _ if at(0, b"OggS") => "Ogg (Vorbis, Opus or the like)",
        _ if at(0, b"FORM") && (at(8, b"AIFF") || at(8, b"AIFC")) => "AIFF",
        _ if at(0, b"riff\x2e\x91\xcf\x11") => "Wave64",
        _ if at(0, b"caff") => "CAF",
        _ if at(0, b".snd") || at(0, b"dns.") => "AU",
        _ if at(0, b"NIST_1A") => "NIST SPHERE",
        _ if at(0, b"Creative Voice File") => "VOC",
        _ if at(0, b"ajkg") => "Shorten",
        _ if at(0, b"wvpk") => "WavPack",
        _ if at(0, b"MAC ") => "Monkey's Audio",
        _ if at(0, b"#!AMR") => "AMR",
        _ if at(4, b"ftyp") => "MP4 (AAC, ALAC or the like)",
        _ if at(0, b"\x1a\x45\xdf\xa3") => "Matroska or WebM",
        _ if at(0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11") => "Windows Media",
        [0xff, 0xe0..=0xff, ..] => "MP3 or AAC",
        _ if behind_a_tag => "no FLAC file behind its tag, perhaps MP3 or AAC",
        _ => return "it begins like neither of them".to_string(),
    };
    format!("it is {kind}; convert it to WAV or FLAC first")
}
