//! Numbers that begin on a cache line, and buffers that a thread uses again and again, so that
//! training does not ask the system for megabytes, and give them back, with every block of samples.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// Bytes of a cache line: a vector that begins on one never reaches into two.
const LINE_BYTES: usize = 64;
/// Numbers of a cache line.
pub(crate) const LINE: usize = LINE_BYTES / size_of::<f32>();

/// Numbers that begin on a cache line.
#[derive(Debug, Default)]
pub(crate) struct Aligned {
    values: Vec<f32>,
    start: usize,
    len: usize,
}

impl Aligned {
    /// Zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        let mut zeros = Aligned::default();
        zeros.resize(len);
        zeros
    }

    /// Changes the number of numbers. What they are is not said.
    fn resize(&mut self, len: usize) {
        // What is there stays there: filling it with zeros again and again would cost as much as using it.
        if self.values.len() < len + LINE - 1 {
            self.values.resize(len + LINE - 1, 0.0);
        }
        // Where that cannot be said (not outside of compile-time evaluation), any start will do.
        let start = self.values.as_ptr().align_offset(LINE_BYTES);
        self.start = if start < LINE { start } else { 0 };
        self.len = len;
    }
}

impl Clone for Aligned {
    fn clone(&self) -> Self {
        let mut copy = Aligned::default();
        copy.resize(self.len);
        copy.copy_from_slice(self);
        copy
    }
}

impl PartialEq for Aligned {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values[self.start..self.start + self.len]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[self.start..self.start + self.len]
    }
}

/// Buffers that a thread keeps; a block needs fewer than this many at a time.
const KEPT: usize = 96;

thread_local! {
    static FREE: RefCell<Vec<Aligned>> = const { RefCell::new(Vec::new()) };
}

/// A buffer of f32, which goes back to its thread's store when it is dropped.
#[derive(Debug)]
pub(crate) struct Buffer(Aligned);

impl Buffer {
    /// A buffer of zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        let mut buffer = Self::stale(len);
        buffer.0.fill(0.0);
        buffer
    }

    /// A buffer that holds whatever it held before: for what is written before it is read.
    pub(crate) fn stale(len: usize) -> Self {
        // The smallest that is large enough, so that a small request does not take a large buffer.
        let reused = FREE.with_borrow_mut(|free| {
            let needed = len + LINE - 1;
            let fits = free.iter().enumerate();
            let fits = fits.filter(|(_, buffer)| buffer.values.len() >= needed);
            let best = fits.min_by_key(|(_, buffer)| buffer.values.len())?.0;
            Some(free.swap_remove(best))
        });
        let mut values = reused.unwrap_or_default();
        values.resize(len);
        Buffer(values)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let values = std::mem::take(&mut self.0);
        if values.values.is_empty() {
            return;
        }
        // A thread that is ending has no store any more; then the buffer is simply freed.
        let _ = FREE.try_with(|free| {
            let mut free = free.borrow_mut();
            if free.len() < KEPT {
                free.push(values);
            }
        });
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}
