//! Made-up recordings: sounds that are to words and voices what a sketch is to a face.
//!
//! In: a word, a speaker and a take. Out: a WAV file of about 0.3 s. Voiced sounds are harmonics of a pitch under two
//! formants that move, hissing ones a tone whose phase wanders. Speakers differ in pitch and in the length of their
//! throat, takes in both, in loudness and in length.

use std::f64::consts::TAU;
use std::path::Path;

use crate::wav::wav;

const RATE_HZ: u32 = 8000;

/// Part of a word, from one share of its length to another.
struct Sound {
    span: (f64, f64),
    first_hz: (f64, f64),
    second_hz: (f64, f64),
    /// Where it hisses; it has a pitch if that is nowhere.
    hiss_hz: Option<f64>,
}

const fn voiced(span: (f64, f64), first_hz: (f64, f64), second_hz: (f64, f64)) -> Sound {
    Sound {
        span,
        first_hz,
        second_hz,
        hiss_hz: None,
    }
}

const fn hissing(span: (f64, f64), hiss_hz: f64) -> Sound {
    Sound {
        span,
        first_hz: (0.0, 0.0),
        second_hz: (0.0, 0.0),
        hiss_hz: Some(hiss_hz),
    }
}

/// What a word is made of.
fn sounds(word: &str) -> Vec<Sound> {
    match word {
        "yes" => vec![
            voiced((0.0, 0.55), (300.0, 550.0), (2300.0, 1900.0)),
            hissing((0.55, 1.0), 3000.0),
        ],
        "no" => vec![
            voiced((0.0, 0.2), (250.0, 250.0), (1000.0, 1000.0)),
            voiced((0.2, 1.0), (550.0, 350.0), (1100.0, 700.0)),
        ],
        "stop" => vec![
            hissing((0.0, 0.3), 2600.0),
            voiced((0.4, 0.8), (650.0, 550.0), (1000.0, 850.0)),
            hissing((0.88, 1.0), 1200.0),
        ],
        "go" => vec![
            hissing((0.0, 0.12), 1500.0),
            voiced((0.15, 1.0), (450.0, 320.0), (900.0, 650.0)),
        ],
        other => panic!("nobody knows how `{other}` sounds"),
    }
}

/// Pitch in Hertz, and by what formants are multiplied.
fn voice(speaker: &str) -> (f64, f64) {
    match speaker {
        "anna" => (210.0, 1.12),
        "bert" => (110.0, 0.9),
        "carla" => (190.0, 1.05),
        "david" => (135.0, 0.97),
        other => panic!("nobody knows how `{other}` speaks"),
    }
}

/// Writes a recording.
pub fn record(folder: &Path, word: &str, speaker: &str, take: u32) {
    let name = format!("{word}_{speaker}_{take}");
    let letters = name.bytes().map(u32::from);
    let mut chance = Chance(letters.fold(1, |seed, letter| seed.wrapping_mul(31) + letter));
    let (pitch_hz, formants) = voice(speaker);
    let pitch_hz = pitch_hz * (0.95 + 0.1 * chance.next());
    let formants = formants * (0.97 + 0.06 * chance.next());
    let length = (f64::from(RATE_HZ) * (0.26 + 0.06 * chance.next())) as usize;
    let mut wave = vec![0.0; length];
    for sound in sounds(word) {
        let at = |share: f64| (share * length as f64) as usize;
        let part = &mut wave[at(sound.span.0)..at(sound.span.1)];
        let part_length = part.len() as f64;
        let mut phase = 0.0;
        for (place, sample) in part.iter_mut().enumerate() {
            let done = place as f64 / part_length;
            let fade = (8.0 * done).min(8.0 * (1.0 - done)).min(1.0);
            let amplitude = if let Some(hiss_hz) = sound.hiss_hz {
                phase += TAU * hiss_hz * formants / f64::from(RATE_HZ);
                phase += 2.0 * (chance.next() - 0.5);
                0.35 * phase.sin()
            } else {
                phase += TAU * pitch_hz * (1.0 - 0.1 * done) / f64::from(RATE_HZ);
                let now = |(from, to): (f64, f64)| (from + (to - from) * done) * formants;
                let (first_hz, second_hz) = (now(sound.first_hz), now(sound.second_hz));
                let most = (3500.0 / pitch_hz) as u32;
                let harmonics = (1..=most).map(|number| {
                    let bump = |middle: f64, width: f64| {
                        let distance = (f64::from(number) * pitch_hz - middle) / width;
                        (-distance * distance).exp()
                    };
                    let strength = bump(first_hz, 150.0) + 0.6 * bump(second_hz, 200.0) + 0.02;
                    0.4 * strength * (f64::from(number) * phase).sin()
                });
                harmonics.sum()
            };
            *sample += amplitude * fade;
        }
    }
    let loudest = wave.iter().fold(0.0, |most: f64, now| most.max(now.abs()));
    let scale = 26_000.0 * (0.7 + 0.3 * chance.next()) / loudest;
    let samples = wave
        .iter()
        .map(|sample| (sample * scale + 60.0 * (chance.next() - 0.5)) as i16);
    let samples: Vec<i16> = samples.collect();
    std::fs::write(folder.join(name + ".wav"), wav(RATE_HZ, 1, &samples)).expect("written");
}

/// The same chances in every run.
struct Chance(u32);

impl Chance {
    /// The next number from 0 to 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(self.0 >> 8) / f64::from(1u32 << 24)
    }
}
