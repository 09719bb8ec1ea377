//! Large buffers that a thread uses again and again, so that training does not ask the system for
//! megabytes, and give them back, with every block of samples.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// Buffers that a thread keeps; a block needs fewer than this many at a time.
const KEPT: usize = 16;

thread_local! {
    static FREE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer of f32, which goes back to its thread's store when it is dropped.
#[derive(Debug)]
pub(crate) struct Buffer(Vec<f32>);

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
            let fits = free.iter().enumerate().filter(|(_, b)| b.capacity() >= len);
            let best = fits.min_by_key(|(_, buffer)| buffer.capacity())?.0;
            Some(free.swap_remove(best))
        });
        let mut values = reused.unwrap_or_default();
        values.resize(len, 0.0);
        Buffer(values)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.0.capacity() == 0 {
            return;
        }
        let values = std::mem::take(&mut self.0);
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
