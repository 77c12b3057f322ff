//! Memory for bytes on their way, which goes round.
//!
//! What is made on one thread and dropped on another goes through malloc, and for the sizes that bulk data comes in, glibc
//! gives the memory back to the kernel as soon as it is free. Each block then costs the kernel new pages: without this,
//! a page fault for every second page that was sent or received, which took longer than copying the data.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// What is read into, in bytes.
pub const LARGE: usize = 64 * 1024;

/// For what is short on its way: one for each size, shared by all threads, because it is the one thread that drops a block
/// and the other one that needs it. Smaller blocks are malloc's business, and of larger ones it keeps some itself: what
/// it gives back at once depends on the largest that it ever had.
static SHARED: [Stock; 4] = [Stock::of(16 * 1024), Stock::of(32 * 1024), Stock::of(LARGE), Stock::of(128 * 1024)];
/// How much the shared ones keep each, in bytes: one socket at full speed has about as much on its way.
const SHARED_KEEP: usize = 2 * 1024 * 1024;

/// Free blocks of one size.
#[derive(Debug)]
pub struct Stock {
    size: usize,
    /// In bytes.
    keeps: usize,
    /// The one that was used last is used next: it is the likeliest to be in a cache.
    free: Mutex<Vec<Vec<u8>>>,
}

/// Bytes in memory that goes round, or, if they are few, in memory of their own.
#[derive(Debug, Default)]
pub struct Block {
    /// All of it, filled or not. It is initialised.
    memory: Vec<u8>,
    filled: usize,
    home: Home,
}

/// Where the memory goes when the block is dropped.
#[derive(Debug, Default)]
enum Home {
    #[default]
    None,
    Shared(&'static Stock),
    /// To be freed if that is gone.
    Own(Weak<Stock>),
}

/// The one of the smallest blocks that hold so many bytes.
fn shared_for(bytes: usize) -> Option<&'static Stock> {
    SHARED.iter().find(|stock| stock.size >= bytes)
}

impl Stock {
    const fn of(size: usize) -> Self {
        Stock { size, keeps: SHARED_KEEP, free: Mutex::new(Vec::new()) }
    }

    /// One that goes with its owner.
    pub fn new(size: usize, keeps: usize) -> Arc<Stock> {
        Arc::new(Stock { keeps, ..Stock::of(size) })
    }

    /// An empty block.
    pub fn block(self: &Arc<Self>) -> Block {
        Block { memory: self.memory(), filled: 0, home: Home::Own(Arc::downgrade(self)) }
    }

    fn memory(&self) -> Vec<u8> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.unwrap_or_else(|| vec![0; self.size])
    }

    fn keep(&self, memory: Vec<u8>) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if (free.len() + 1) * self.size <= self.keeps {
            free.push(memory);
        }
    }
}

impl Block {
    /// An empty one, with room for [`LARGE`] bytes.
    pub fn large() -> Self {
        let stock = shared_for(LARGE).expect("there is one of this size");
        Block { memory: stock.memory(), filled: 0, home: Home::Shared(stock) }
    }

    pub fn copy_of(bytes: &[u8]) -> Self {
        match shared_for(bytes.len()) {
            // Not more than twice what is needed: a bound on bytes is to be one on memory too.
            Some(stock) if bytes.len() > stock.size / 2 => {
                let mut memory = stock.memory();
                memory[..bytes.len()].copy_from_slice(bytes);
                Block { memory, filled: bytes.len(), home: Home::Shared(stock) }
            }
            _ => Block::from(bytes.to_vec()),
        }
    }

    /// The room that is left.
    pub fn room(&mut self) -> &mut [u8] {
        &mut self.memory[self.filled..]
    }

    /// So many bytes of the room have been filled.
    pub fn advance(&mut self, bytes: usize) {
        assert!(bytes <= self.memory.len() - self.filled);
        self.filled += bytes;
    }

    /// What has been filled. The block is empty afterwards, and of few bytes keeps its memory.
    pub fn take(&mut self) -> Block {
        if self.filled > self.memory.len() / 2 {
            return std::mem::take(self);
        }
        let few = Block::copy_of(self);
        self.filled = 0;
        few
    }

    /// It has no room, and never had any.
    pub fn is_nothing(&self) -> bool {
        self.memory.is_empty()
    }

    /// It comes from a stock of somebody's own.
    pub fn is_owned(&self) -> bool {
        matches!(self.home, Home::Own(_))
    }

    pub fn into_vec(mut self) -> Vec<u8> {
        self.home = Home::None;
        let mut bytes = std::mem::take(&mut self.memory);
        bytes.truncate(self.filled);
        bytes
    }
}

impl From<Vec<u8>> for Block {
    fn from(memory: Vec<u8>) -> Self {
        Block { filled: memory.len(), memory, home: Home::None }
    }
}

impl Deref for Block {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[..self.filled]
    }
}

impl AsRef<[u8]> for Block {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        match &self.home {
            Home::None => {}
            Home::Shared(stock) => stock.keep(memory),
            Home::Own(stock) => {
                if let Some(stock) = stock.upgrade() {
                    stock.keep(memory);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_goes_round_as_long_as_somebody_wants_it() {
        let stock = Stock::new(1000, 2500);
        let addresses: Vec<_> = (0..3).map(|_| stock.block()).map(|mut block| block.room().as_ptr()).collect();
        assert_eq!(addresses[0], addresses[2], "one at a time is one block");
        let blocks: Vec<_> = (0..4).map(|_| stock.block()).collect();
        drop(blocks);
        assert_eq!(stock.free.lock().unwrap().len(), 2, "no more is kept than is said");
        let _last = stock.block();
        let gone = Arc::downgrade(&stock);
        drop(stock);
        assert!(gone.upgrade().is_none(), "a block does not keep what it came from");
    }

    #[test]
    fn what_is_taken_out_is_what_came_and_few_bytes_take_little_memory() {
        let stock = Stock::new(1000, 1000);
        let mut block = stock.block();
        for count in [1, 500, 501, 1000] {
            if block.is_nothing() {
                block = stock.block();
            }
            block.room()[..count].fill(count as u8);
            block.advance(count);
            let taken = block.take();
            assert_eq!(*taken, vec![count as u8; count]);
            assert_eq!((taken.is_owned(), block.is_nothing()), (count > 500, count > 500));
            assert_eq!(taken.into_vec().len(), count);
        }
    }

    #[test]
    fn a_copy_has_at_most_twice_the_memory_it_needs() {
        for count in [0, 1, 8 * 1024 + 1, 16 * 1024, 40_000, LARGE, LARGE + 1, 1_000_000] {
            let bytes: Vec<u8> = (0..count).map(|at| at as u8).collect();
            let copy = Block::copy_of(&bytes);
            assert_eq!(*copy, bytes);
            assert!(copy.memory.len() <= 2 * count, "{count}");
        }
    }
}
