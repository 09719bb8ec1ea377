use serde::{Deserialize, Deserializer, Serialize};

use super::{ReplayError, StoredShape};

/// Bytes of a memory besides its samples: what is kept, codec, extents, capacity, policy and its
/// counters, as eight 64-bit words.
pub(super) const HEADER_BYTES: u64 = 64;

/// How much a memory may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Capacity {
    /// So many samples.
    Samples(usize),
    /// As many samples as fit into so many bytes, labels and header included.
    Bytes(#[serde(deserialize_with = "bytes_or_text")] u64),
}

impl Capacity {
    /// The number of samples of a shape that may be held.
    ///
    /// # Errors
    /// [`ReplayError::NoSamples`] and [`ReplayError::BudgetTooSmall`] if it is none,
    /// [`ReplayError::TooLarge`] if it is more than memory can address.
    pub fn samples(self, shape: &StoredShape) -> Result<usize, ReplayError> {
        let samples = match self {
            Capacity::Samples(0) => return Err(ReplayError::NoSamples),
            Capacity::Samples(samples) => samples,
            Capacity::Bytes(budget) => {
                let needed = held_bytes(1, shape);
                if budget < needed {
                    return Err(ReplayError::BudgetTooSmall { budget, needed });
                }
                // An estimate from above (it leaves out padding), then down to what fits.
                let per_sample = (shape.bits() + 8 * shape.label_bytes()) as f64 / 8.0;
                let mut samples = ((budget - HEADER_BYTES) as f64 / per_sample) as u64;
                while held_bytes(samples, shape) > budget {
                    samples -= 1;
                }
                usize::try_from(samples).unwrap_or(usize::MAX)
            }
        };
        let bits = (samples as u64).checked_mul(shape.bits());
        // A bitvec's length is kept in 61 bits.
        if bits.is_none_or(|bits| bits > 1 << 60) {
            return Err(ReplayError::TooLarge {
                samples,
                bits_each: shape.bits(),
            });
        }
        Ok(samples)
    }
}

/// What a memory of so many samples takes: payload in whole 64-bit words, labels, header.
pub(super) fn held_bytes(samples: u64, shape: &StoredShape) -> u64 {
    let payload = (u128::from(samples) * u128::from(shape.bits())).div_ceil(64) * 8;
    let all = payload + u128::from(samples * shape.label_bytes() + HEADER_BYTES);
    u64::try_from(all).unwrap_or(u64::MAX)
}

/// A number of bytes, or a text as [`parse_bytes`] reads it.
fn bytes_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Size {
        Bytes(u64),
        Text(String),
    }
    match Size::deserialize(deserializer)? {
        Size::Bytes(bytes) => Ok(bytes),
        Size::Text(text) => parse_bytes(&text).map_err(serde::de::Error::custom),
    }
}

/// Sizes are below this, 1000 TB.
const LARGEST_SIZE_BYTES: f64 = 1e15;

/// Reads a size: a number of bytes, or one with kB, MB, GB, TB (powers of 1000), KiB, MiB, GiB or TiB
/// (of 1024).
///
/// ```
/// assert_eq!(respike::replay::parse_bytes("160kB")?, 160_000);
/// assert_eq!(respike::replay::parse_bytes("2 MiB")?, 2_097_152);
/// let too_large = respike::replay::parse_bytes("1000TB").unwrap_err().to_string();
/// assert!(too_large.contains("too large"));
/// # Ok::<(), respike::replay::ReplayError>(())
/// ```
///
/// # Errors
/// [`ReplayError::BadSize`], and [`ReplayError::SizeTooLarge`] from 1000 TB on.
pub fn parse_bytes(text: &str) -> Result<u64, ReplayError> {
    let bad = || ReplayError::BadSize(text.to_string());
    let trimmed = text.trim();
    let unit_at = trimmed
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(unit_at);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "t" | "tb" => 1e12,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return Err(bad()),
    };
    let number: f64 = number.trim().parse().map_err(|_| bad())?;
    let bytes = number * factor;
    if bytes >= LARGEST_SIZE_BYTES {
        return Err(ReplayError::SizeTooLarge(text.to_string()));
    }
    if !(0.0..LARGEST_SIZE_BYTES).contains(&bytes) {
        return Err(bad());
    }
    Ok(bytes.round() as u64)
}
