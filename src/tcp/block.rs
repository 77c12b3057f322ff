//! Memory for bytes on their way, which goes round.
//!
//! What is made on one thread and dropped on another goes through malloc, and for the sizes that bulk data comes in, glibc
//! gives the memory back to the kernel as soon as it is free. Each block then costs the kernel new pages: without this,
//! a page fault for every second page that was sent or received, which took longer than copying the data.

use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

/// The sizes that are kept. Smaller ones are malloc's business, and of larger ones it keeps some itself: what it gives back
/// at once depends on the largest that it ever had.
const SIZES: [usize; 4] = [16 * 1024, 32 * 1024, LARGE, 128 * 1024];
/// How much of each is kept, in bytes: one socket at full speed has about as much on its way.
const KEPT: usize = 2 * 1024 * 1024;
/// What is read into.
pub const LARGE: usize = 64 * 1024;

/// Shared by all threads: it is the one that drops a block that has it, and the other one that needs it.
static FREE: [Mutex<Vec<Vec<u8>>>; SIZES.len()] = [const { Mutex::new(Vec::new()) }; SIZES.len()];

/// Bytes in memory that goes round, or, if they are few, in memory of their own.
#[derive(Debug, Default)]
pub struct Block {
    /// All of it, filled or not. It is initialised.
    memory: Vec<u8>,
    filled: usize,
}

impl Block {
    /// An empty one, with room for [`LARGE`] bytes.
    pub fn large() -> Self {
        Block { memory: memory_of(LARGE), filled: 0 }
    }

    pub fn copy_of(bytes: &[u8]) -> Self {
        match SIZES.into_iter().find(|size| *size >= bytes.len()) {
            // Not more than twice what is needed: a bound on bytes is to be one on memory too.
            Some(size) if bytes.len() > size / 2 => {
                let mut memory = memory_of(size);
                memory[..bytes.len()].copy_from_slice(bytes);
                Block { memory, filled: bytes.len() }
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
        let few = Block::from(self.to_vec());
        self.filled = 0;
        few
    }

    pub fn into_vec(mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.memory);
        bytes.truncate(self.filled);
        bytes
    }
}

impl From<Vec<u8>> for Block {
    fn from(memory: Vec<u8>) -> Self {
        Block { filled: memory.len(), memory }
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
        let Some(index) = SIZES.iter().position(|size| *size == memory.len()) else { return };
        let mut free = FREE[index].lock().unwrap_or_else(PoisonError::into_inner);
        if (free.len() + 1) * SIZES[index] <= KEPT {
            free.push(memory);
        }
    }
}

/// One of [`SIZES`]. The one that was used last comes first: it is the likeliest to be in a cache.
fn memory_of(size: usize) -> Vec<u8> {
    let index = SIZES.iter().position(|known| *known == size).expect("one of the sizes");
    let kept = FREE[index].lock().unwrap_or_else(PoisonError::into_inner).pop();
    kept.unwrap_or_else(|| vec![0; size])
}
