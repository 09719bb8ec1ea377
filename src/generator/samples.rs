use bitvec::field::BitField;
use bitvec::prelude::{BitSlice, BitVec, Lsb0};

use super::GeneratorError;

pub(super) const WORD_BITS: usize = u64::BITS as usize;

/// Samples of the same number of bits: samples × bits, packed.
///
/// Every sample begins on a new 64-bit word; the padding bits are always 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BitSamples {
    bits: usize,
    words: Vec<u64>,
}

impl BitSamples {
    /// No samples yet, of `bits` bits each.
    ///
    /// # Errors
    /// [`GeneratorError::NoBits`].
    pub fn new(bits: usize) -> Result<Self, GeneratorError> {
        if bits == 0 {
            return Err(GeneratorError::NoBits);
        }
        Ok(BitSamples {
            bits,
            words: Vec::new(),
        })
    }

    /// Adds a sample, as [`encode_spikes`](crate::replay::encode_spikes) gives it.
    ///
    /// # Errors
    /// [`GeneratorError::WrongLength`].
    pub fn push(&mut self, sample: &BitSlice<u64, Lsb0>) -> Result<(), GeneratorError> {
        self.check_length(sample.len())?;
        let words = sample.chunks(WORD_BITS).map(BitField::load_le::<u64>);
        self.words.extend(words);
        Ok(())
    }

    /// Adds a sample, a `bool` for each bit.
    ///
    /// # Errors
    /// [`GeneratorError::WrongLength`].
    pub fn push_bools(&mut self, sample: &[bool]) -> Result<(), GeneratorError> {
        self.check_length(sample.len())?;
        self.words.extend(sample.chunks(WORD_BITS).map(|bits| {
            let ones = bits.iter().enumerate();
            ones.fold(0, |word, (bit, &set)| word | u64::from(set) << bit)
        }));
        Ok(())
    }

    /// Adds all samples of others.
    ///
    /// # Errors
    /// [`GeneratorError::WrongLength`].
    pub fn extend(&mut self, others: &BitSamples) -> Result<(), GeneratorError> {
        self.check_length(others.bits)?;
        self.words.extend_from_slice(&others.words);
        Ok(())
    }

    /// Bits of each sample.
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.words.len() / self.words_each()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The words of a sample, the lowest bit first.
    ///
    /// # Panics
    /// If there are not that many samples.
    pub fn words(&self, sample: usize) -> &[u64] {
        &self.words[sample * self.words_each()..][..self.words_each()]
    }

    /// A copy of a sample, to be decoded.
    ///
    /// # Panics
    /// If there are not that many samples.
    pub fn sample(&self, sample: usize) -> BitVec<u64, Lsb0> {
        let mut bits = BitVec::from_slice(self.words(sample));
        bits.truncate(self.bits);
        bits
    }

    /// The words of every sample, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u64]> {
        self.words.chunks_exact(self.words_each())
    }

    pub(super) fn words_each(&self) -> usize {
        self.bits.div_ceil(WORD_BITS)
    }

    pub(super) fn check_length(&self, found: usize) -> Result<(), GeneratorError> {
        check_length(found, self.bits)
    }
}

/// Refuses samples of another length.
pub(super) fn check_length(found: usize, expected: usize) -> Result<(), GeneratorError> {
    if found == expected {
        Ok(())
    } else {
        Err(GeneratorError::WrongLength { found, expected })
    }
}

/// Calls `each` with every set bit of some words, in order; bits are counted from the first word's.
#[inline(always)]
pub(super) fn for_each_set_bit(words: &[u64], mut each: impl FnMut(usize)) {
    for (index, &word) in words.iter().enumerate() {
        let mut rest = word;
        while rest != 0 {
            each(index * WORD_BITS + rest.trailing_zeros() as usize);
            rest &= rest - 1;
        }
    }
}

/// In how many bits two samples of the same length differ.
#[inline]
pub(super) fn hamming(one: &[u64], other: &[u64]) -> u64 {
    let words = one.iter().zip(other);
    words.map(|(a, b)| u64::from((a ^ b).count_ones())).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bools_and_bits_are_packed_alike(
            rows in prop::collection::vec(prop::collection::vec(any::<bool>(), 131), 1..6),
            bits in 1usize..131,
            skipped in 0usize..3,
        ) {
            let mut by_bools = BitSamples::new(bits).expect("a bit");
            let mut by_bits = by_bools.clone();
            for row in &rows {
                by_bools.push_bools(&row[..bits]).expect("of that length");
                // Not at the beginning of a word.
                let mut shifted = BitVec::<u64, Lsb0>::repeat(true, skipped);
                shifted.extend(row.iter());
                by_bits.push(&shifted[skipped..skipped + bits]).expect("of that length");
            }
            prop_assert_eq!(&by_bools, &by_bits);
            prop_assert_eq!(by_bits.len(), rows.len());
            for (index, row) in rows.iter().enumerate() {
                let copy: Vec<bool> = by_bits.sample(index).iter().by_vals().collect();
                prop_assert_eq!(&copy, &row[..bits]);
                let mut set = Vec::new();
                for_each_set_bit(by_bits.words(index), |bit| set.push(bit));
                let expected: Vec<usize> = (0..bits).filter(|&bit| row[bit]).collect();
                prop_assert_eq!(set, expected);
                let differing = (0..bits).filter(|&bit| row[bit] != rows[0][bit]).count();
                prop_assert_eq!(hamming(by_bits.words(index), by_bits.words(0)), differing as u64);
            }
        }
    }

    #[test]
    fn samples_of_another_length_are_refused() {
        assert_eq!(BitSamples::new(0), Err(GeneratorError::NoBits));
        let mut samples = BitSamples::new(3).expect("bits");
        let refused = samples.push_bools(&[true; 4]).expect_err("too long");
        assert_eq!(
            refused.to_string(),
            "a sample of 4 bits was given, but all have 3 here"
        );
        assert!(samples.is_empty());
    }
}
