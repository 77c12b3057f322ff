//! What comes from the system, on its way to the caller.
//!
//! What fills a block is handed on in it, and what is less in memory of its size: what waits for the caller takes about as
//! much memory as it has bytes. Where data streams in, larger blocks of the connection's own are used, so that fewer have
//! to be handed over; they come back when the caller has done with them.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::ReadBuf;

use super::block::{Block, LARGE, Stock};
use super::link::Link;

/// What is read into at most where data streams in, in bytes.
const STREAMED: usize = 256 * 1024;
/// What is kept for it. A caller that is JavaScript gives back some 32 MiB at a time.
const KEEPS: usize = 48 * 1024 * 1024;
/// Nothing is kept after this time without a block that was worth it.
const KEPT_FOR: Duration = Duration::from_secs(1);

thread_local! {
    /// Read into first: a socket that is silent needs no memory for reading.
    static SCRATCH: RefCell<Block> = RefCell::default();
}

#[derive(Debug, Default)]
pub(super) struct Arriving {
    stream: Option<Stream>,
}

/// Data streams in.
#[derive(Debug)]
struct Stream {
    stock: Arc<Stock>,
    until: Duration,
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

impl Arriving {
    /// All that is there, as far as it fits one block and is not more than `most`.
    pub fn read(&mut self, link: &mut Link, cx: &mut Context<'_>, most: usize, now: Duration) -> Arrived {
        let arrived = match &self.stream {
            Some(stream) if link.may_be_readable(cx) => read_into(&mut stream.stock.block(), link, cx, most),
            Some(_) => Arrived { bytes: Block::default(), then: Then::Nothing },
            None => SCRATCH.with_borrow_mut(|scratch| {
                if scratch.is_nothing() {
                    *scratch = Block::large();
                }
                read_into(scratch, link, cx, most)
            }),
        };
        let was_worth_it = if self.stream.is_some() { arrived.bytes.is_owned() } else { arrived.bytes.len() == LARGE };
        if was_worth_it {
            let until = now + KEPT_FOR;
            self.stream.get_or_insert_with(|| Stream { stock: Stock::new(STREAMED, KEEPS), until }).until = until;
        }
        arrived
    }

    /// Keeps nothing that has not been worth it for long.
    pub fn look_at_time(&mut self, now: Duration) {
        if self.until().is_some_and(|until| now >= until) {
            self.stream = None;
        }
    }

    pub fn until(&self) -> Option<Duration> {
        self.stream.as_ref().map(|stream| stream.until)
    }
}

fn read_into(block: &mut Block, link: &mut Link, cx: &mut Context<'_>, most: usize) -> Arrived {
    let then = fill(block, link, cx, most);
    Arrived { bytes: block.take(), then }
}

/// TLS hands out a record at a time, which is a quarter of the smallest block.
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
