//! The addon's allocator: the system's, with a cache of free blocks for each thread in front of it.
//!
//! A call makes some seventy allocations, of all sizes up to hyper's read buffer of 8 KiB, on whichever of our threads
//! is free; with fifty calls in flight glibc's own cache (seven blocks of each size up to 1 KiB) is empty or full most
//! of the time. What it cannot serve takes the lock of an arena, and the event loop and the network threads, which
//! free what the others allocated, wait for each other in the kernel. With this cache a call takes about a quarter
//! less of both, measured at fifty in flight.
//!
//! Allocators of another make were tried first. mimalloc brought less, and a worker that was first to load the addon
//! and then ended took mimalloc's main heap with it. Here a block is always one that `malloc` gave and `free` takes, so
//! any thread may free it, cached or not, and a thread that ends hands back what it kept.
//!
//! Only for glibc, where this was measured; elsewhere the system's allocator is used as it is.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;

/// The system's allocator behind a cache of free blocks per thread.
pub struct CachedSystem;

#[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
#[global_allocator]
static ALLOCATOR: CachedSystem = CachedSystem;

/// The largest block that is kept.
const LARGEST: usize = 16 * 1024;
/// What `malloc` aligns to on every 64-bit target of glibc.
const ALIGNMENT: usize = 16;

/// Blocks up to this size stand in lists of 16 bytes' difference, larger ones in lists of 512: sizes that differ a
/// little share their blocks.
const SMALL: usize = 1024;
const SMALL_STEP: usize = 16;
const LARGE_STEP: usize = 512;
const SMALL_LISTS: usize = SMALL / SMALL_STEP;
const LISTS: usize = SMALL_LISTS + (LARGEST - SMALL) / LARGE_STEP;

/// What one list keeps at most, in bytes. Each has its own bound: blocks of a size that this thread only ever frees
/// (another allocates them) must not fill the room of those that it needs again.
const SMALL_KEPT: usize = 64 * 1024;
const LARGE_KEPT: usize = 256 * 1024;

thread_local! {
    static CACHE: Cache = const { Cache::new() };
}

/// The free blocks of one thread, a list for each size.
struct Cache {
    lists: [List; LISTS],
}

/// Free blocks of one size. The first word of each points to the next.
struct List {
    first: Cell<*mut Block>,
    length: Cell<u32>,
}

struct Block {
    next: *mut Block,
}

/// Where blocks for `layout` are kept; `None`: not here.
#[inline]
fn list_for(layout: Layout) -> Option<usize> {
    // The size is not 0, `GlobalAlloc` says; if it were, it would be too large here and not an index out of range.
    let last = layout.size().wrapping_sub(1);
    if last >= LARGEST || layout.align() > ALIGNMENT {
        return None;
    }
    Some(if last < SMALL { last / SMALL_STEP } else { SMALL_LISTS + (last - SMALL) / LARGE_STEP })
}

/// The size of every block in a list.
#[inline]
const fn size_in(list: usize) -> usize {
    if list < SMALL_LISTS { (list + 1) * SMALL_STEP } else { SMALL + (list - SMALL_LISTS + 1) * LARGE_STEP }
}

#[inline]
const fn layout_in(list: usize) -> Layout {
    match Layout::from_size_align(size_in(list), ALIGNMENT) {
        Ok(layout) => layout,
        Err(_) => unreachable!(),
    }
}

#[inline]
const fn most_in(list: usize) -> u32 {
    let kept = if list < SMALL_LISTS { SMALL_KEPT } else { LARGE_KEPT };
    let most = kept / size_in(list);
    // Of the smallest sizes that would be thousands.
    if most > 256 { 256 } else { most as u32 }
}

impl Cache {
    const fn new() -> Self {
        Cache { lists: [const { List { first: Cell::new(ptr::null_mut()), length: Cell::new(0) } }; LISTS] }
    }

    /// A block of the list's size, null if there is none.
    #[inline]
    fn take(&self, list: usize) -> *mut u8 {
        let list = &self.lists[list];
        let block = list.first.get();
        if !block.is_null() {
            // SAFETY: a block in a list is free, ours alone, and `keep` wrote its first word.
            list.first.set(unsafe { (*block).next });
            list.length.set(list.length.get() - 1);
        }
        block.cast()
    }

    /// Whether the block was kept; if not, it is still the caller's.
    ///
    /// # Safety
    /// The block is free, was allocated with `layout_in(list)`, and nobody else uses it.
    #[inline]
    unsafe fn keep(&self, index: usize, block: *mut u8) -> bool {
        let list = &self.lists[index];
        if list.length.get() >= most_in(index) {
            return false;
        }
        let block = block.cast::<Block>();
        // SAFETY: at least 16 bytes that nobody uses, aligned to 16.
        unsafe { block.write(Block { next: list.first.get() }) };
        list.first.set(block);
        list.length.set(list.length.get() + 1);
        true
    }
}

/// A thread that ends hands its blocks back.
impl Drop for Cache {
    fn drop(&mut self) {
        for list in 0..LISTS {
            loop {
                let block = self.take(list);
                if block.is_null() {
                    break;
                }
                // SAFETY: what is in a list was allocated by the system's allocator with this layout.
                unsafe { System.dealloc(block, layout_in(list)) };
            }
        }
    }
}

// SAFETY: every block comes from the system's allocator, with the layout asked for or, where a list exists for it, with
// that of the list, which is no smaller and aligned no less. A block is in at most one list, and only between `dealloc`
// and `alloc`. No method unwinds: no index is out of range, and a thread whose cache is gone or not to be had (`try_with`)
// goes to the system.
unsafe impl GlobalAlloc for CachedSystem {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(list) = list_for(layout) else {
            // SAFETY: the caller's promise.
            return unsafe { System.alloc(layout) };
        };
        let block = CACHE.try_with(|cache| cache.take(list)).unwrap_or(ptr::null_mut());
        if !block.is_null() {
            return block;
        }
        // SAFETY: the size is not 0.
        unsafe { System.alloc(layout_in(list)) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some(list) = list_for(layout) else {
            // SAFETY: the caller's promise, and what has no list was allocated with its own layout.
            return unsafe { System.dealloc(block, layout) };
        };
        // SAFETY: the caller frees it, and it was allocated with the layout of the same list.
        let kept = CACHE.try_with(|cache| unsafe { cache.keep(list, block) }).unwrap_or(false);
        if !kept {
            // SAFETY: as above.
            unsafe { System.dealloc(block, layout_in(list)) }
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if list_for(layout).is_none() {
            // Large ones come from the kernel as zeroes.
            // SAFETY: the caller's promise.
            return unsafe { System.alloc_zeroed(layout) };
        }
        // SAFETY: the caller's promise.
        let block = unsafe { self.alloc(layout) };
        if !block.is_null() {
            // SAFETY: a block of at least that size.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that the size, rounded up to the alignment, does not overflow.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        let (from, to) = (list_for(layout), list_for(wanted));
        if from.is_none() && to.is_none() {
            // SAFETY: the caller's promise; it was allocated with its own layout.
            return unsafe { System.realloc(block, layout, size) };
        }
        if from == to {
            return block;
        }
        // SAFETY: the caller's promise.
        let moved = unsafe { self.alloc(wanted) };
        if !moved.is_null() {
            // SAFETY: two different blocks, each at least as large as what is copied.
            unsafe {
                ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                self.dealloc(block, layout);
            }
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 8).expect("sizes here are small")
    }

    #[test]
    fn every_size_finds_a_list_of_blocks_that_hold_it() {
        for size in 1..=LARGEST {
            let list = list_for(layout(size)).expect("within the range");
            assert!(list < LISTS && size_in(list) >= size, "{size}");
            assert!(list == 0 || size_in(list - 1) < size, "{size} would fit a smaller block");
        }
        assert_eq!(list_for(layout(LARGEST + 1)), None);
        assert_eq!(list_for(layout(0)), None);
        assert_eq!(list_for(Layout::from_size_align(64, 32).expect("valid")), None);
    }

    #[test]
    fn what_a_thread_frees_is_what_it_gets_next() {
        for size in [1, 16, 1000, 1024, 1025, 5376, 8192, LARGEST] {
            // SAFETY: each block is freed once, with its layout.
            unsafe {
                let first = CachedSystem.alloc(layout(size));
                CachedSystem.dealloc(first, layout(size));
                let second = CachedSystem.alloc(layout(size));
                assert_eq!(first, second, "{size}");
                CachedSystem.dealloc(second, layout(size));
            }
        }
    }

    #[test]
    fn a_used_block_is_zeroed_when_zeroes_are_asked_for() {
        // SAFETY: written and read within its size, freed once.
        unsafe {
            let dirty = CachedSystem.alloc(layout(3000));
            dirty.write_bytes(0xff, 3000);
            CachedSystem.dealloc(dirty, layout(3000));
            let clean = CachedSystem.alloc_zeroed(layout(3000));
            assert_eq!(clean, dirty);
            assert!(std::slice::from_raw_parts(clean, 3000).iter().all(|byte| *byte == 0));
            CachedSystem.dealloc(clean, layout(3000));
        }
    }

    #[test]
    fn a_list_keeps_no_more_than_its_bound_and_gives_all_of_it_back() {
        for list in [0, SMALL_LISTS - 1, SMALL_LISTS, LISTS - 1] {
            let cache = Cache::new();
            let most = most_in(list);
            assert!(most >= 16 && most as usize * size_in(list) <= LARGE_KEPT);
            for _ in 0..most {
                // SAFETY: new blocks with the layout of the list.
                assert!(unsafe { cache.keep(list, System.alloc(layout_in(list))) });
            }
            // SAFETY: as above; refused, it is freed here.
            unsafe {
                let refused = System.alloc(layout_in(list));
                assert!(!cache.keep(list, refused));
                System.dealloc(refused, layout_in(list));
            }
            for _ in 0..most {
                let block = cache.take(list);
                assert!(!block.is_null());
                // SAFETY: taken, so ours.
                unsafe { System.dealloc(block, layout_in(list)) };
            }
            assert!(cache.take(list).is_null());
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Alloc { size: usize, zeroed: bool },
        Realloc { of: usize, size: usize },
        Free { of: usize, elsewhere: bool },
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let size = prop_oneof![1..40_usize, 1000..1100_usize, 1..20_000_usize];
        let step = prop_oneof![
            (size.clone(), any::<bool>()).prop_map(|(size, zeroed)| Step::Alloc { size, zeroed }),
            (any::<usize>(), size).prop_map(|(of, size)| Step::Realloc { of, size }),
            (any::<usize>(), prop::bool::weighted(0.1)).prop_map(|(of, elsewhere)| Step::Free { of, elsewhere }),
        ];
        proptest::collection::vec(step, 1..120)
    }

    /// A block that is in use, and what was written into it.
    struct Used {
        block: *mut u8,
        size: usize,
        mark: u8,
    }

    impl Used {
        fn mark(&self) {
            // SAFETY: in use by this test alone.
            unsafe { self.block.write_bytes(self.mark, self.size) };
        }

        fn check(&self, size: usize) {
            // SAFETY: as above, and marked before.
            let bytes = unsafe { std::slice::from_raw_parts(self.block, size) };
            assert!(bytes.iter().all(|byte| *byte == self.mark), "overwritten by another block");
        }
    }

    // SAFETY: handed to another thread to be freed there, which any allocator must allow.
    unsafe impl Send for Used {}

    proptest! {
        #[test]
        fn blocks_in_use_never_overlap_and_keep_their_content(steps in steps()) {
            let mut used: Vec<Used> = Vec::new();
            let mut mark = 0_u8;
            for step in steps {
                mark = mark.wrapping_add(1);
                // SAFETY: every block is used within its size and freed once, with the size it has then.
                unsafe {
                    match step {
                        Step::Alloc { size, zeroed } => {
                            let block = if zeroed { CachedSystem.alloc_zeroed(layout(size)) } else { CachedSystem.alloc(layout(size)) };
                            prop_assert_eq!(block as usize % 8, 0);
                            if zeroed {
                                Used { block, size, mark: 0 }.check(size);
                            }
                            used.push(Used { block, size, mark });
                            used[used.len() - 1].mark();
                        }
                        Step::Realloc { of, size } if !used.is_empty() => {
                            let of = of % used.len();
                            let before = &mut used[of];
                            before.block = CachedSystem.realloc(before.block, layout(before.size), size);
                            before.check(before.size.min(size));
                            before.size = size;
                            before.mark();
                        }
                        Step::Free { of, elsewhere } if !used.is_empty() => {
                            let gone = used.swap_remove(of % used.len());
                            gone.check(gone.size);
                            let free = move || { let gone = gone; CachedSystem.dealloc(gone.block, layout(gone.size)) };
                            if elsewhere { std::thread::spawn(free).join().expect("it only frees") } else { free() }
                        }
                        _ => {}
                    }
                }
            }
            for left in used {
                left.check(left.size);
                // SAFETY: as above.
                unsafe { CachedSystem.dealloc(left.block, layout(left.size)) };
            }
        }
    }
}
