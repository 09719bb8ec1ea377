//! Reading sounds: the files that recorders make, and the files that nothing should make.
#![cfg(feature = "encode")]

#[path = "common/wav.rs"]
mod wav;

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use respike::encode::{
    EarPreset, EncodeError, InnerEar, LabelRule, Recording, Sound, SoundError, read_audio, resample,
};
use respike::random::MasterSeed;
use tempfile::TempDir;
use wav::{float_wav, tone, wav};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

fn read(bytes: &[u8]) -> Result<Recording, EncodeError> {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("sound");
    std::fs::write(&path, bytes).expect("written");
    read_audio(&path)
}

fn ear() -> InnerEar {
    InnerEar::new(EarPreset::Shd.settings(24)).expect("a preset")
}

fn rms(samples: &[f64]) -> f64 {
    (samples.iter().map(|x| x * x).sum::<f64>() / samples.len() as f64).sqrt()
}

#[test]
fn samples_are_read_to_the_bit() {
    let samples = [0, 1, -1, 32_767, -32_768, 1234];
    let read_16 = read(&wav(8000, 1, &samples)).expect("a WAV file");
    assert_eq!((read_16.channels, read_16.sound.rate_hz()), (1, 8000));
    let expected = samples.map(|x| f64::from(x) / 32_768.0);
    assert_eq!(read_16.sound.samples(), expected);

    let floats = [0.0, 0.25, -1.0, 1.5];
    let read_32 = read(&float_wav(44_100, &floats)).expect("a WAV file");
    assert_eq!(read_32.sound.samples(), floats.map(f64::from));
}

#[test]
fn several_channels_are_averaged() {
    let left_and_right = [100, 300, -50, 50, 32_767, 32_767];
    let stereo = read(&wav(96_000, 2, &left_and_right)).expect("a WAV file");
    assert_eq!(stereo.channels, 2);
    let expected = [200.0, 0.0, 32_767.0].map(|x| x / 32_768.0);
    assert_eq!(stereo.sound.samples(), expected);
}

#[test]
fn files_that_are_cut_off_say_so() {
    let whole = wav(8000, 1, &tone(8000, 440.0, 4000));
    let cut = read(&whole[..whole.len() - 1001]).expect_err("refused");
    assert!(
        matches!(cut, EncodeError::Truncated { promised: 4000, .. }),
        "{cut}"
    );

    let flac = std::fs::read(golden("spoken_digit.flac")).expect("ships with the tests");
    for cut in [40, 500, flac.len() / 2, flac.len() - 10] {
        let error = read(&flac[..cut]).expect_err("cut off");
        let expected = matches!(
            error,
            EncodeError::Truncated { .. } | EncodeError::NotAudio { .. }
        );
        assert!(expected, "cut at {cut}: {error}");
    }
    let mut damaged = flac.clone();
    damaged[flac.len() / 2] ^= 0x55;
    read(&damaged).expect_err("a byte in the middle was changed");
}

#[test]
fn what_is_not_audio_says_so() {
    for (bytes, word) in [
        (&b""[..], "not a WAV or FLAC"),
        (b"hello, this is a text", "not a WAV or FLAC"),
        (b"RIFF\x00\x00\x00\x00WAVE", "not a WAV or FLAC"),
    ] {
        let message = read(bytes).expect_err("refused").to_string();
        assert!(message.contains(word), "{message}");
    }
    let message = read(&wav(8000, 1, &[])).expect_err("refused").to_string();
    assert!(message.contains("no sample"), "{message}");
    let message = read(&float_wav(8000, &[0.0, f32::NAN]))
        .expect_err("refused")
        .to_string();
    assert!(message.contains("sample 1"), "{message}");
    let message = read(&wav(5, 1, &[0; 100]))
        .expect_err("refused")
        .to_string();
    assert!(
        message.contains("5 Hz") || message.contains("more than"),
        "{message}"
    );
    let missing = read_audio(Path::new("nowhere/at/all.wav")).expect_err("refused");
    assert!(matches!(missing, EncodeError::Unreadable { .. }));
    let folder = TempDir::new().expect("a folder");
    let message = read_audio(folder.path()).expect_err("refused").to_string();
    assert!(message.contains("folder"), "{message}");
}

#[test]
fn sounds_of_more_than_a_minute_are_refused_before_they_fill_the_memory() {
    let minute = wav(1000, 1, &vec![7; 61_000]);
    let error = read(&minute).expect_err("refused");
    let too_long = matches!(
        &error,
        EncodeError::InFile {
            source: SoundError::TooLong { .. },
            ..
        }
    );
    assert!(too_long, "{error}");
}

#[test]
fn resampling_keeps_what_is_in_the_band_and_nothing_else() {
    for rate_hz in [8000, 11_025, 16_000, 22_050, 44_100, 96_000, 192_000] {
        let samples = tone(rate_hz, 1000.0, rate_hz as usize / 2);
        let samples = samples.iter().map(|&x| f64::from(x) / 32_768.0).collect();
        let sound = Sound::new(samples, rate_hz).expect("valid");
        let heard = resample(&sound, 48_000).expect("a usual rate");
        let length = rate_hz as usize / 2 * 48_000;
        assert_eq!(
            heard.samples().len(),
            (length + rate_hz as usize / 2) / rate_hz as usize
        );
        // Away from the ends it is the same tone, sampled at another rate.
        let step = std::f64::consts::TAU * 1000.0 / 48_000.0;
        for (i, &x) in heard.samples().iter().enumerate().skip(2400).take(19_200) {
            let expected = 0.5 * (i as f64 * step).sin();
            assert!(
                (x - expected).abs() < 2e-4,
                "{rate_hz} Hz, sample {i}: {x} for {expected}"
            );
        }
    }
    // What the lower rate cannot carry is gone: nothing of it comes back at another frequency.
    let samples = tone(96_000, 30_000.0, 48_000);
    let samples = samples.iter().map(|&x| f64::from(x) / 32_768.0).collect();
    let sound = Sound::new(samples, 96_000).expect("valid");
    let heard = resample(&sound, 48_000).expect("a usual rate");
    let middle = &heard.samples()[2400..21_600];
    assert!(rms(middle) < 1e-4, "{}", rms(middle));
}

#[test]
fn silence_and_clicks_are_refused_and_clipping_is_heard() {
    let ear = ear();
    let hear = |samples: &[i16]| {
        let sound = read(&wav(8000, 1, samples)).expect("a WAV file").sound;
        ear.encode(&sound, MasterSeed(0))
    };
    assert_eq!(hear(&[0; 4000]), Err(SoundError::Silent));
    let too_short = hear(&[12_000]).expect_err("refused");
    assert!(
        matches!(too_short, SoundError::TooShort { .. }),
        "{too_short}"
    );
    hear(&tone(8000, 500.0, 8)).expect("a millisecond can be encoded");

    let clipped: Vec<i16> = tone(8000, 500.0, 4000)
        .iter()
        .map(|&x| if x > 0 { 32_767 } else { -32_768 })
        .collect();
    let (loud, soft) = (hear(&clipped), hear(&tone(8000, 500.0, 4000)));
    let (loud, soft) = (loud.expect("heard").len(), soft.expect("heard").len());
    assert!(soft > 100 && loud > 100, "{loud} and {soft} spikes");
}

#[test]
fn the_same_tone_is_heard_alike_at_every_rate() {
    let ear = ear();
    let spikes = |rate_hz: u32| {
        let samples = tone(rate_hz, 800.0, rate_hz as usize / 2);
        let sound = read(&wav(rate_hz, 1, &samples)).expect("a WAV file").sound;
        // The fibres' chance is another at each rate: with several seeds it evens out.
        let spikes = (0..16).map(|seed| ear.encode(&sound, MasterSeed(seed)).expect("heard").len());
        spikes.sum::<usize>() as f64
    };
    let at_48 = spikes(48_000);
    for rate_hz in [8000, 16_000, 44_100, 96_000] {
        let ratio = spikes(rate_hz) / at_48;
        assert!(
            (0.93..1.07).contains(&ratio),
            "{rate_hz} Hz: {ratio} of the spikes"
        );
    }
}

#[test]
fn a_tone_moves_the_channels_of_its_frequency() {
    let ear = InnerEar::new(EarPreset::Shd.settings(70)).expect("a preset");
    let best_hz = ear.membrane().best_frequencies_hz();
    assert!(
        best_hz.is_sorted_by(|a, b| a >= b),
        "high frequencies at the base"
    );
    for tone_hz in [200.0, 600.0, 2000.0] {
        let samples = tone(16_000, tone_hz, 8000);
        let sound = read(&wav(16_000, 1, &samples)).expect("a WAV file").sound;
        let events = ear.encode(&sound, MasterSeed(3)).expect("heard");
        let mut counts = [0; 70];
        for &unit in events.units() {
            counts[usize::from(unit)] += 1;
        }
        let loudest = (0..70)
            .max_by_key(|&unit| counts[unit])
            .expect("70 channels");
        let ratio = best_hz[loudest] / tone_hz;
        assert!(
            (0.7..1.6).contains(&ratio),
            "{tone_hz} Hz at {} Hz",
            best_hz[loudest]
        );
    }
}

/// Files to start from: real ones, and small ones in which a changed byte matters more.
fn seeds() -> Vec<Vec<u8>> {
    let flac = std::fs::read(golden("spoken_digit.flac")).expect("ships with the tests");
    let digit = std::fs::read(golden("recordings/0_george_0.wav")).expect("ships with the tests");
    vec![
        flac[..3000].to_vec(),
        flac,
        digit,
        wav(8000, 2, &tone(8000, 440.0, 200)),
        float_wav(48_000, &[0.5; 100]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever bytes a file has, reading it gives a sound or an error: no panic, no endless loop.
    #[test]
    fn no_file_can_crash_the_reader(
        seed in 0usize..5,
        changes in proptest::collection::vec((0.0f64..1.0, any::<u8>()), 0..12),
        header in proptest::collection::vec((0usize..64, any::<u8>()), 0..6),
        keep in 0.0f64..=1.0,
    ) {
        let mut bytes = seeds().swap_remove(seed);
        let length = bytes.len();
        for (at, byte) in changes {
            bytes[(at * length as f64) as usize] = byte;
        }
        for (at, byte) in header {
            bytes[at.min(length - 1)] = byte;
        }
        bytes.truncate((keep * length as f64) as usize + 1);
        if let Ok(recording) = read(&bytes) {
            prop_assert!(!recording.sound.samples().is_empty());
            prop_assert!(recording.sound.samples().iter().all(|x| x.is_finite()));
        }
    }

    #[test]
    fn no_bytes_can_crash_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
        let _ = read(&[&b"RIFF\xff\xff\xff\xffWAVEfmt "[..], &bytes].concat());
        let _ = read(&[&b"fLaC\x00\x00\x00\x22"[..], &bytes].concat());
    }

    /// Rules and names of any kind give labels or a reason.
    #[test]
    fn no_rule_can_crash_the_labels(
        rule in r"(\{label\}|\{speaker\}|\{take\}|\{language\}|\{|\}|[a-z_.*(\[\\/-]){0,8}",
        name in r"\PC{0,40}",
    ) {
        if let Ok(rule) = LabelRule::parse(&rule)
            && let Ok(labels) = rule.labels(&name)
        {
            prop_assert!(!labels.label.is_empty());
        }
    }

    #[test]
    fn no_table_can_crash_the_labels(
        table in proptest::collection::vec(any::<u8>(), 0..200),
        header in any::<bool>(),
    ) {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("labels.csv");
        let start = if header { &b"file,label,speaker,take\n"[..] } else { &b""[..] };
        std::fs::write(&path, [start, &table].concat()).expect("written");
        if let Ok(rule) = LabelRule::parse(&path.to_string_lossy()) {
            let _ = rule.labels("a.wav");
        }
    }
}

#[test]
fn tables_find_rows_by_path_or_by_name() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("labels.csv");
    let table =
        "\u{feff}file,take,label,speaker\r\nann/1.wav,3,yes,ann\n2.flac, 4 ,\"no, never\",\n";
    std::fs::write(&path, table).expect("written");
    let rule = LabelRule::parse(&path.to_string_lossy()).expect("a table");
    let yes = rule.labels("ann/1.wav").expect("has a row");
    assert_eq!((yes.label.as_str(), yes.take), ("yes", Some(3)));
    let no = rule.labels("bob/2.flac").expect("has a row");
    assert_eq!(
        (no.label.as_str(), no.speaker, no.take),
        ("no, never", None, Some(4))
    );
    assert!(
        rule.labels("bob/1.wav")
            .expect_err("refused")
            .contains("no row")
    );

    // One text in two spellings, and a row of a path that comes before that of a bare name.
    let table =
        "file,label,speaker\nru\u{308}be.wav,ru\u{308}be,zoe\u{308}\n./x/a.wav,far,\na.wav,near,\n";
    std::fs::write(&path, table).expect("written");
    let rule = LabelRule::parse(&path.to_string_lossy()).expect("a table");
    let turnip = rule.labels("deep/r\u{fc}be.wav").expect("has a row");
    assert_eq!(
        (turnip.label.as_str(), turnip.speaker.as_deref()),
        ("r\u{fc}be", Some("zo\u{eb}"))
    );
    assert_eq!(rule.labels("x/a.wav").expect("has a row").label, "far");
    assert_eq!(rule.labels("y/a.wav").expect("has a row").label, "near");

    for (table, word) in [
        (
            "file,label\na.wav,r\u{fc}be\n",
            "line 2 is not text in UTF-8",
        ),
        ("\u{feff}file,label\n", "UTF-16"),
        ("file;label\na.wav;yes\n", "semicolons"),
        ("file\tlabel\na.wav\tyes\n", "tabs"),
        ("File,Label\na.wav,yes\n", "it names `File,Label`"),
        ("file,label,label\na.wav,yes,no\n", "`label` twice"),
        (
            "file,label\na.wav,\"yes\nb.wav,no\n",
            "goes on over the line",
        ),
        ("file,label\n,yes\n", "no file is named"),
    ] {
        let bytes = match word {
            "UTF-16" => table.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            // Latin-1.
            _ if word.contains("UTF-8") => table.chars().map(|letter| letter as u8).collect(),
            _ => table.as_bytes().to_vec(),
        };
        std::fs::write(&path, bytes).expect("written");
        let message = LabelRule::parse(&path.to_string_lossy())
            .expect_err("refused")
            .to_string();
        assert!(message.contains(word), "{table}: {message}");
    }
    for (table, word) in [
        ("name,label\n", "`file` and `label`"),
        ("file,label\na.wav,\n", "line 2"),
        ("file,label,take\na.wav,yes,one\n", "`one`"),
        ("file,label\na.wav,yes\na.wav,no\n", "second time"),
        ("file,label\na.wav\n", "1 field"),
    ] {
        std::fs::write(&path, table).expect("written");
        let message = LabelRule::parse(&path.to_string_lossy())
            .expect_err("refused")
            .to_string();
        assert!(message.contains(word), "{table}: {message}");
    }
}
