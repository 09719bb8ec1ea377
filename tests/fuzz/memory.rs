//! An allocator that gives no more than a gigabyte at a time, so that a reader that believes a stated
//! size fails the test and not the machine.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most that is given out at any time, in bytes.
const MOST_BYTES: usize = 1_000_000_000;

static GIVEN_BYTES: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static LIMITED: Limited = Limited;

/// The system's allocator, with a count of what it gave.
struct Limited;

// SAFETY: every block comes from `System` and goes back to it with the layout that it was given for;
// what is added is a count, and a refusal by null, which the trait allows.
unsafe impl GlobalAlloc for Limited {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let given = GIVEN_BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        if given.saturating_add(layout.size()) > MOST_BYTES {
            GIVEN_BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
            return std::ptr::null_mut();
        }
        // SAFETY: the caller keeps to the contract of `alloc`, which is that of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        GIVEN_BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: `block` came from `System` above with this layout.
        unsafe { System.dealloc(block, layout) }
    }
}
