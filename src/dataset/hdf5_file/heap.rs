//! The global heap, where HDF5 keeps variable-length lists.
//!
//! In: a file in memory, and references to objects of its heap (length, address of a collection, number
//! of the object in it). Out: where in the file the object's bytes lie.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// The smallest object of a heap, in bytes: a head of 2 + 2 + 4 bytes and the size.
const OBJECT_HEAD_BYTES: usize = 8;

/// Collections of a file, read when they are first asked for.
pub(super) struct Heap<'a> {
    file: &'a [u8],
    offset_bytes: usize,
    length_bytes: usize,
    collections: HashSet<usize>,
    objects: HashMap<(usize, u32), Range<usize>>,
    /// Heads that may still be read: collections do not overlap in a whole file, so it has room for so
    /// many only.
    heads_left: usize,
}

impl<'a> Heap<'a> {
    pub(super) fn new(file: &'a [u8], offset_bytes: u8, length_bytes: u8) -> Self {
        Heap {
            file,
            offset_bytes: usize::from(offset_bytes),
            length_bytes: usize::from(length_bytes),
            collections: HashSet::new(),
            objects: HashMap::new(),
            heads_left: file.len() / OBJECT_HEAD_BYTES,
        }
    }

    /// The bytes of a list of items of `item_bytes`, or what is wrong with the reference.
    pub(super) fn find(
        &mut self,
        reference: &[u8],
        item_bytes: usize,
    ) -> Result<Range<usize>, String> {
        let (offset_bytes, cut_off) = (self.offset_bytes, "a reference to a list is cut off");
        let items = number(reference, 0, 4).ok_or(cut_off)?;
        let address = number(reference, 4, offset_bytes).ok_or(cut_off)?;
        let index = number(reference, 4 + offset_bytes, 4).ok_or(cut_off)?;
        if items == 0 || address == 0 {
            return Ok(0..0);
        }
        if self.collections.insert(address) {
            self.read_collection(address)?;
        }
        // The index was read from four bytes.
        let object = self
            .objects
            .get(&(address, index as u32))
            .ok_or_else(|| format!("the heap at byte {address} has no object {index}"))?;
        let length = items
            .checked_mul(item_bytes)
            .filter(|&length| length <= object.len());
        let length = length.ok_or_else(|| {
            let held = object.len();
            format!("a list of {items} items is said to lie in {held} bytes of the heap")
        })?;
        Ok(object.start..object.start + length)
    }

    fn read_collection(&mut self, address: usize) -> Result<(), String> {
        let damaged = || format!("there is no whole heap at byte {address}");
        let head_bytes = 8 + self.length_bytes;
        let is_heap = self
            .file
            .get(address..)
            .is_some_and(|rest| rest.starts_with(b"GCOL\x01"));
        let size = number(self.file, address.saturating_add(8), self.length_bytes);
        let end = size.and_then(|size| address.checked_add(size));
        let end = end
            .filter(|&end| is_heap && end <= self.file.len())
            .ok_or_else(damaged)?;
        let mut at = address + head_bytes;
        while at + OBJECT_HEAD_BYTES + self.length_bytes <= end {
            self.heads_left = self.heads_left.checked_sub(1).ok_or("heaps overlap")?;
            let index = number(self.file, at, 2).ok_or_else(damaged)?;
            let size = number(self.file, at + 8, self.length_bytes).ok_or_else(damaged)?;
            // Number 0 is the room that is left.
            if index == 0 {
                break;
            }
            let start = at + OBJECT_HEAD_BYTES + self.length_bytes;
            let object_end = start
                .checked_add(size)
                .filter(|&object_end| object_end <= end);
            let object_end = object_end.ok_or_else(damaged)?;
            self.objects
                .insert((address, index as u32), start..object_end);
            // The next one begins at a multiple of 8 bytes.
            at = start.saturating_add(size.next_multiple_of(8));
        }
        Ok(())
    }
}

/// A number of up to 8 bytes, the least significant first; `None` if it lies outside or is too large.
fn number(bytes: &[u8], at: usize, width: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(width)?)?;
    let mut word = [0; 8];
    word.get_mut(..width)?.copy_from_slice(bytes);
    usize::try_from(u64::from_le_bytes(word)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with a collection at byte 8 that holds two objects.
    fn file() -> Vec<u8> {
        let mut file = vec![0; 8];
        file.extend(b"GCOL\x01\0\0\0");
        file.extend(88u64.to_le_bytes());
        for (index, text) in [(1u16, &b"abc"[..]), (2, b"0123456789")] {
            file.extend(index.to_le_bytes());
            file.extend([1, 0, 0, 0, 0, 0]);
            file.extend((text.len() as u64).to_le_bytes());
            file.extend(text);
            file.resize(file.len().next_multiple_of(8), 0);
        }
        file.resize(96, 0);
        file
    }

    fn reference(items: u32, address: u64, index: u32) -> Vec<u8> {
        let mut bytes = items.to_le_bytes().to_vec();
        bytes.extend(address.to_le_bytes());
        bytes.extend(index.to_le_bytes());
        bytes
    }

    #[test]
    fn lists_are_found() {
        let file = file();
        let mut heap = Heap::new(&file, 8, 8);
        let mut text = |items, address, index, bytes| {
            let found = heap.find(&reference(items, address, index), bytes);
            found.map(|range| String::from_utf8_lossy(&file[range]).into_owned())
        };
        assert_eq!(text(3, 8, 1, 1).as_deref(), Ok("abc"));
        assert_eq!(text(4, 8, 2, 2).as_deref(), Ok("01234567"));
        assert_eq!(text(0, 8, 7, 2).as_deref(), Ok(""));
        assert_eq!(text(5, 0, 0, 2).as_deref(), Ok(""));
        for (items, address, index) in [(4, 8, 1), (1, 8, 3), (1, 16, 1), (1, u64::MAX, 1)] {
            assert!(text(items, address, index, 1).is_err(), "{address} {index}");
        }
    }

    #[test]
    fn no_bit_of_a_heap_can_do_harm() {
        for bit in 0..96 * 8 {
            let mut file = file();
            file[bit / 8] ^= 1 << (bit % 8);
            let mut heap = Heap::new(&file, 8, 8);
            for index in 1..3 {
                if let Ok(range) = heap.find(&reference(3, 8, index), 1) {
                    assert!(range.end <= file.len());
                }
            }
        }
    }
}
