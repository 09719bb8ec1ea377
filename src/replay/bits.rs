//! Bits in 64-bit words, the lowest first: written one after the other, read at any place.

use bitvec::prelude::{BitSlice, BitVec, Lsb0};

/// The lowest `count` bits set, up to all 64.
#[inline(always)]
pub(super) fn low_bits(count: usize) -> u64 {
    if count < 64 { (1 << count) - 1 } else { !0 }
}

/// Writes numbers of any width one after the other into words made for them.
pub(super) struct BitWriter<'a> {
    words: &'a mut [u64],
    next: usize,
    /// Bits that do not fill a word yet.
    open: u64,
    open_bits: usize,
}

impl<'a> BitWriter<'a> {
    /// A writer over words that all bits to be written fit in.
    #[inline]
    pub(super) fn over(words: &'a mut [u64]) -> Self {
        BitWriter {
            words,
            next: 0,
            open: 0,
            open_bits: 0,
        }
    }

    /// Writes the lowest `bits` of `value`, 1 to 64; the others must be 0.
    #[inline(always)]
    pub(super) fn push(&mut self, value: u64, bits: usize) {
        self.open |= value << self.open_bits;
        let filled = self.open_bits + bits;
        if filled < 64 {
            self.open_bits = filled;
            return;
        }
        self.words[self.next] = self.open;
        self.next += 1;
        // In two shifts, as nothing is left of `value` if nothing was open before.
        self.open = value >> 1 >> (63 - self.open_bits);
        self.open_bits = filled - 64;
    }

    /// Writes the lowest `bits` of a row of words; the others must be 0.
    #[inline(always)]
    pub(super) fn push_row(&mut self, row: &[u64], bits: usize) {
        let (last, whole) = match row.split_last() {
            Some(split) => split,
            None => return,
        };
        for &word in whole {
            self.push(word, 64);
        }
        self.push(*last, bits - whole.len() * 64);
    }

    /// Writes what does not fill a word.
    #[inline]
    pub(super) fn finish(self) {
        if self.open_bits > 0 {
            self.words[self.next] = self.open;
        }
    }
}

/// Bits made by writing `bits` of them.
pub(super) fn written(bits: usize, write: impl FnOnce(BitWriter<'_>)) -> BitVec<u64, Lsb0> {
    let mut words = vec![0; bits.div_ceil(64)];
    write(BitWriter::over(&mut words));
    let mut all = BitVec::from_vec(words);
    all.truncate(bits);
    all
}

/// Bits somewhere in words, to be read.
#[derive(Debug, Clone, Copy)]
pub struct PackedBits<'a> {
    words: &'a [u64],
    start: usize,
    len: usize,
}

impl<'a> PackedBits<'a> {
    /// `len` bits of `words`, from bit `start` on.
    ///
    /// # Panics
    /// If there are not that many.
    pub fn of_words(words: &'a [u64], start: usize, len: usize) -> Self {
        assert!(start + len <= words.len() * 64, "bits past the last word");
        PackedBits { words, start, len }
    }

    /// All bits of a vector that begins with its first word's lowest bit.
    pub(super) fn of_aligned(bits: &'a BitVec<u64, Lsb0>) -> Self {
        PackedBits::of_words(bits.as_raw_slice(), 0, bits.len())
    }

    /// How many there are.
    #[allow(
        clippy::len_without_is_empty,
        reason = "a codec knows how many there are"
    )]
    pub fn len(self) -> usize {
        self.len
    }

    /// `bits` of them, 1 to 64, from bit `at` on; the reader stays inside.
    #[inline(always)]
    pub fn read(self, at: usize, bits: usize) -> u64 {
        let at = self.start + at;
        let (word, shift) = (at / 64, at % 64);
        let low = self.words[word] >> shift;
        // The bits of the next word are cut off below if they are not wanted.
        let next = self.words.get(word + 1).copied().unwrap_or(0);
        (low | next << 1 << (63 - shift)) & low_bits(bits)
    }

    /// Reads `bits` from bit `at` on into a row of words.
    #[inline(always)]
    pub(super) fn read_row(self, at: usize, bits: usize, row: &mut [u64]) {
        for (index, word) in row.iter_mut().enumerate() {
            let here = index * 64;
            *word = self.read(at + here, (bits - here).min(64));
        }
    }
}

/// A copy that begins with its first word's lowest bit.
pub(super) fn aligned(bits: &BitSlice<u64, Lsb0>) -> BitVec<u64, Lsb0> {
    let mut copy = bits.to_bitvec();
    copy.force_align();
    copy
}

/// Writes all of `from` over the bits of `to` from bit `at` on.
pub(super) fn overwrite(to: &mut [u64], at: usize, from: PackedBits<'_>) {
    let mut done = 0;
    while done < from.len() {
        let (word, shift) = ((at + done) / 64, (at + done) % 64);
        let bits = (from.len() - done).min(64 - shift);
        to[word] &= !(low_bits(bits) << shift);
        to[word] |= from.read(done, bits) << shift;
        done += bits;
    }
}

#[cfg(test)]
mod tests {
    use bitvec::prelude::*;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(numbers in prop::collection::vec((any::<u64>(), 1usize..=64), 1..60)) {
            let mut plain = BitVec::<u64, Lsb0>::new();
            for &(value, bits) in &numbers {
                plain.extend_from_bitslice(&value.view_bits::<Lsb0>()[..bits]);
            }
            let written = written(plain.len(), |mut writer| {
                for &(value, bits) in &numbers {
                    writer.push(value & low_bits(bits), bits);
                }
                writer.finish();
            });
            prop_assert_eq!(&written, &plain);
            let reader = PackedBits::of_aligned(&written);
            let mut at = 0;
            for &(value, bits) in &numbers {
                prop_assert_eq!(reader.read(at, bits), value & low_bits(bits));
                at += bits;
            }
        }

        #[test]
        fn overwriting_changes_those_bits_only(
            words in prop::collection::vec(any::<u64>(), 4),
            from in prop::collection::vec(any::<u64>(), 2),
            at in 0usize..130,
            start in 0usize..30,
            len in 1usize..90,
        ) {
            let mut expected = BitVec::<u64, Lsb0>::from_vec(words.clone());
            let source = BitVec::<u64, Lsb0>::from_vec(from.clone());
            expected[at..at + len].copy_from_bitslice(&source[start..start + len]);
            let mut found = words;
            overwrite(&mut found, at, PackedBits::of_words(&from, start, len));
            prop_assert_eq!(BitVec::<u64, Lsb0>::from_vec(found), expected);
            let cut = &source[start..start + len];
            let copy = aligned(cut);
            prop_assert_eq!(&copy, cut);
        }
    }
}
