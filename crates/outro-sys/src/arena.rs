//! The allocator: a small arena in the program itself, then the C library's.
//!
//! musl asks the kernel for a page for each new size of block, so that the few hundred bytes which a
//! start needs cost twenty mappings and as many page faults: a third of the time that outro adds to
//! its program's start. The arena is part of the binary's zeroed memory: a page of it costs one
//! fault when it is first touched, and what is never touched costs nothing. When it is full the C
//! library takes over, for the big tables of a stop. docs/design/start.md has more.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::UnsafeCell,
    ptr,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

const SIZE: usize = 32 * 1024;

/// An allocator to be made the global one.
pub struct Arena {
    memory: UnsafeCell<[u8; SIZE]>,
    used: AtomicUsize,
}

// SAFETY: the memory is only handed out in parts that do not overlap, each by one exchange of `used`.
unsafe impl Sync for Arena {}

impl Arena {
    /// An empty arena.
    #[must_use]
    pub const fn new() -> Self {
        Self { memory: UnsafeCell::new([0; SIZE]), used: AtomicUsize::new(0) }
    }

    fn start(&self) -> *mut u8 {
        self.memory.get().cast()
    }

    /// Where the block stands in the arena, if it does.
    fn offset(&self, block: *mut u8) -> Option<usize> {
        block.addr().checked_sub(self.start().addr()).filter(|offset| *offset < SIZE)
    }

    /// Moves the end of what is used, if it stands where the block ends.
    fn move_end(&self, from: usize, to: usize) -> bool {
        to <= SIZE && self.used.compare_exchange(from, to, Relaxed, Relaxed).is_ok()
    }
}

impl Default for Arena {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: a block from the arena is aligned, within it, and of nobody else until it is given back,
// which only ever frees the last one; all other blocks are the system's.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut used = self.used.load(Relaxed);
        loop {
            let address = self.start().addr() + used;
            let begin = used + address.next_multiple_of(layout.align()) - address;
            let Some(end) = begin.checked_add(layout.size()).filter(|end| *end <= SIZE) else {
                // SAFETY: the caller's layout, unchanged.
                return unsafe { System.alloc(layout) };
            };
            match self.used.compare_exchange_weak(used, end, Relaxed, Relaxed) {
                // SAFETY: `begin` is within the arena.
                Ok(_) => return unsafe { self.start().add(begin) },
                Err(now) => used = now,
            }
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match self.offset(block) {
            // A block that is not the last one stays where it is.
            Some(offset) => {
                self.move_end(offset + layout.size(), offset);
            }
            // SAFETY: not from the arena, so from the system, with the caller's layout.
            None => unsafe { System.dealloc(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(offset) = self.offset(block) else {
            // SAFETY: not from the arena, so from the system, with the caller's layout and size.
            return unsafe { System.realloc(block, layout, size) };
        };
        if self.move_end(offset + layout.size(), offset + size) {
            return block;
        }
        // SAFETY: the caller guarantees that `size`, rounded up to the alignment, is no overflow.
        let layout_wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: as for any allocation; both blocks are at least as long as what is copied, and the
        // new one is not the old one.
        unsafe {
            let new = self.alloc(layout_wanted);
            if !new.is_null() {
                ptr::copy_nonoverlapping(block, new, layout.size().min(size));
                self.dealloc(block, layout);
            }
            new
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_aligned_apart_and_survive_a_move_to_the_system() {
        let arena = Box::new(Arena::new());
        let layout = |size, align| Layout::from_size_align(size, align).expect("a layout");
        // SAFETY: each block is used within its layout and given back with it.
        unsafe {
            let small = arena.alloc(layout(3, 1));
            let aligned = arena.alloc(layout(64, 64));
            assert_eq!(aligned.addr() % 64, 0);
            assert!(aligned.addr() >= small.addr() + 3);
            small.write_bytes(7, 3);
            // Not the last one, so it moves; then beyond the arena, so it leaves it.
            let moved = arena.realloc(small, layout(3, 1), 100);
            assert_ne!(moved, small);
            let outside = arena.realloc(moved, layout(100, 1), SIZE);
            assert!(arena.offset(outside).is_none());
            assert_eq!([*outside, *outside.add(2)], [7, 7]);
            arena.dealloc(outside, layout(SIZE, 1));
            arena.dealloc(aligned, layout(64, 64));
        }
    }

    #[test]
    fn the_last_block_is_given_back_and_grows_where_it_is() {
        let arena = Box::new(Arena::new());
        let layout = |size| Layout::from_size_align(size, 8).expect("a layout");
        // SAFETY: as above.
        unsafe {
            let block = arena.alloc(layout(8));
            assert_eq!(arena.realloc(block, layout(8), 4096), block);
            arena.dealloc(block, layout(4096));
            assert_eq!(arena.alloc(layout(16)), block);
        }
    }
}
