//! What comes from the system, on its way to the caller.

use std::cell::RefCell;
use std::io;
use std::task::{Context, Poll};

use tokio::io::ReadBuf;

use super::block::Block;
use super::link::Link;

thread_local! {
    /// Read into first, so that what waits for the caller takes no more memory than it has bytes, and a socket that is silent
    /// takes none.
    static SCRATCH: RefCell<Block> = RefCell::default();
}

/// What came, and what after it.
pub(super) struct Arrived {
    pub bytes: Block,
    pub then: Then,
}

pub(super) enum Then {
    /// There may be more at once.
    More,
    /// There is no more at present.
    Nothing,
    /// The peer has sent its end.
    End,
    Failed(io::Error),
}

/// All that is there, as far as it fits one block and is not more than `most`. TLS hands out a record at a time, which
/// is a quarter of a block.
pub(super) fn arrive(link: &mut Link, cx: &mut Context<'_>, most: usize) -> Arrived {
    SCRATCH.with_borrow_mut(|block| {
        if block.room().is_empty() {
            *block = Block::large();
        }
        let then = fill(block, link, cx, most);
        Arrived { bytes: block.take(), then }
    })
}

fn fill(block: &mut Block, link: &mut Link, cx: &mut Context<'_>, most: usize) -> Then {
    loop {
        let left = most - block.len();
        let room = block.room();
        let left = left.min(room.len());
        if left == 0 {
            return Then::More;
        }
        let mut buffer = ReadBuf::new(&mut room[..left]);
        match link.poll_read(cx, &mut buffer) {
            Poll::Pending => return Then::Nothing,
            Poll::Ready(Ok(())) => match buffer.filled().len() {
                0 => return Then::End,
                read => block.advance(read),
            },
            // TLS without its own goodbye, as most peers end it.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => return Then::End,
            Poll::Ready(Err(error)) => return Then::Failed(error),
        }
    }
}
