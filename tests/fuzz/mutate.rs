//! From good files to bad ones, by chance that comes from a seed.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

/// No input is made longer, in bytes.
const LONGEST: usize = 1 << 20;

/// Numbers at which something often goes wrong.
const NUMBERS: [u64; 16] = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0xffff_ffff,
    0x1_0000_0000,
    1 << 40,
    i64::MAX as u64,
    u64::MAX,
];

/// A changed copy of one of the `seeds`; `words` are what the format's text is made of, if it is text.
pub fn mutant(seeds: &[Vec<u8>], words: &[&str], chance: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = seeds.choose(chance).cloned().unwrap_or_default();
    let mut changes = 1;
    while changes < 24 && chance.random_range(0..3) > 0 {
        changes += 1;
    }
    for _ in 0..changes {
        let other = seeds.choose(chance).map_or(&[][..], Vec::as_slice);
        let text = !words.is_empty() && chance.random_bool(0.5);
        match text {
            true => change_text(&mut bytes, words, chance),
            false => change_bytes(&mut bytes, other, chance),
        }
        bytes.truncate(LONGEST);
    }
    bytes
}

fn change_bytes(bytes: &mut Vec<u8>, other: &[u8], chance: &mut ChaCha8Rng) {
    let at = chance.random_range(0..=bytes.len());
    match chance.random_range(0..10) {
        0..3 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << chance.random_range(0..8);
            }
        }
        3 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = chance.random();
            }
        }
        4..7 => {
            let number = NUMBERS.choose(chance).copied().unwrap_or(0);
            let width = [1, 2, 4, 8].choose(chance).copied().unwrap_or(1);
            let little = number.to_le_bytes();
            let mut written = little[..width].to_vec();
            if chance.random_bool(0.3) {
                written.reverse();
            }
            for (place, new) in bytes.iter_mut().skip(at).zip(written) {
                *place = new;
            }
        }
        7 => bytes.truncate(at),
        8 => {
            let end = at + chance.random_range(0..64).min(bytes.len() - at);
            match chance.random_bool(0.5) {
                true => drop(bytes.drain(at..end)),
                // Deep nesting, long lists.
                false => {
                    let times = [1, 2, 100, 20_000].choose(chance).copied().unwrap_or(1);
                    let times = times.min(LONGEST / (end - at).max(1));
                    let again = bytes[at..end].repeat(times);
                    bytes.splice(at..at, again);
                }
            }
        }
        _ => {
            let from = chance.random_range(0..=other.len());
            let length = chance.random_range(0..=(other.len() - from).min(256));
            let piece = other[from..from + length].to_vec();
            bytes.splice(at..at, piece);
        }
    }
}

/// Puts a word in the place of another.
fn change_text(bytes: &mut Vec<u8>, words: &[&str], chance: &mut ChaCha8Rng) {
    let starts: Vec<usize> = (0..bytes.len())
        .filter(|&at| is_word(bytes[at]) && (at == 0 || !is_word(bytes[at - 1])))
        .collect();
    let Some(&start) = starts.choose(chance) else {
        return;
    };
    let length = bytes[start..].iter().take_while(|byte| is_word(**byte));
    let end = start + length.count();
    let word = words.choose(chance).copied().unwrap_or_default();
    bytes.splice(start..end, word.bytes());
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.-+".contains(&byte)
}
