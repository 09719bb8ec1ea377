//! Hashes that are the same on every machine and for ever.
//!
//! In: bytes or words. Out: a number that goes into files and seeds; no protection against malice.

/// The hash of nothing.
pub(crate) const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// The 64-bit hash FNV-1a (Fowler, Noll & Vo) of bytes.
pub(crate) fn fnv_1a(bytes: &[u8]) -> u64 {
    let add = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(FNV_OFFSET, add)
}

/// The hash of what `hash` is the hash of, followed by a word.
///
/// A multiplication carries what differs only upwards, so the upper half is folded onto the lower
/// one: a difference anywhere reaches every bit within two words.
#[inline]
pub(crate) fn add_word_to_hash(hash: u64, word: u64) -> u64 {
    let product = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ (product >> 32)
}

/// A word of which every bit depends on every bit of this one, and no two of which are the same (the
/// finalizer of SplitMix64, by Steele, Lea & Flood).
#[inline]
pub(crate) fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fnv_1a_is_as_published() {
        assert_eq!(fnv_1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv_1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv_1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn mixing_is_as_published() {
        // The first numbers of SplitMix64 from the seed 1234567.
        let seed = 1_234_567u64;
        let step = 0x9e37_79b9_7f4a_7c15u64;
        assert_eq!(mix(seed), 6_457_827_717_110_365_317);
        assert_eq!(mix(seed.wrapping_add(step)), 3_203_168_211_198_807_973);
    }

    #[test]
    fn one_bit_anywhere_changes_about_half_of_the_hash() {
        let of = |words: &[u64]| {
            words
                .iter()
                .fold(FNV_OFFSET, |h, &w| add_word_to_hash(h, w))
        };
        let words = [0x3fd2_0000_0000_0007, 0x3fd4_8000_0000_0100, 1, 0, 0];
        for (place, bit) in (0..3).flat_map(|place| (0..64).map(move |bit| (place, bit))) {
            let mut other = words;
            other[place] ^= 1 << bit;
            let changed = (of(&words) ^ of(&other)).count_ones();
            assert!(
                (16..=48).contains(&changed),
                "bit {bit} of word {place}: {changed}"
            );
        }
    }
}
