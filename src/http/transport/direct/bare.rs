//! The rest of a response body, read without hyper.
//!
//! hyper reads into a buffer of its own, and from there each byte is copied to where it is wanted. Once the head is
//! parsed, a body whose length is stated has nothing that needs hyper: so many bytes, then the next answer. Those are read
//! straight to where they are wanted, and the connection gets a new hyper when the last of them is there. It costs one more
//! call of the system (the first bytes come with the head) and saves copying the others, so it pays for long bodies alone.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::connection::Connection;
use super::pool::Pool;

/// So much of a body, in bytes, is worth it.
pub(super) const WORTHWHILE: u64 = 16 * 1024;

/// The room that is made where there is none, in bytes; more where there is as much already.
const ROOM: usize = 64 * 1024;

pub(super) struct Bare {
    /// Until the body has ended, or broken.
    held: Option<(Box<Connection>, Arc<Pool>)>,
    left: u64,
}

impl Bare {
    /// Of a connection that has been [stripped](Connection::strip) with `left` bytes to come; hyper had read `read` already,
    /// and they are appended to `into`.
    pub fn new(connection: Box<Connection>, pool: Arc<Pool>, left: u64, read: &[u8], into: &mut Vec<u8>) -> Self {
        let begin = into.len();
        into.extend_from_slice(read);
        let mut bare = Bare { held: Some((connection, pool)), left };
        bare.came(begin, into);
        bare
    }

    pub fn left(&self) -> u64 {
        self.left
    }

    /// How many bytes were appended to `into`; `None` at the end of the body.
    pub fn poll_append(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<io::Result<Option<usize>>> {
        let Some((connection, _)) = &mut self.held else {
            // A body that broke does not end.
            return Poll::Ready(if self.left == 0 { Ok(None) } else { Err(cut_short()) });
        };
        // One byte more than there should be. A read that leaves room tells the event loop that there is no more for now,
        // which saves asking; and a byte too many is seen.
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).saturating_add(1);
        if into.capacity() == into.len() {
            into.reserve(most.min(ROOM));
        }
        let begin = into.len();
        let read = match ready!(connection.poll_read(cx, into, most)) {
            Ok(0) => Err(cut_short()),
            read => read,
        };
        Poll::Ready(match read {
            Ok(_) => Ok(Some(self.came(begin, into))),
            Err(error) => {
                self.held = None;
                Err(error)
            }
        })
    }

    /// What stands in `into` from `begin` on has come. How much of it belongs to the body.
    fn came(&mut self, begin: usize, into: &mut Vec<u8>) -> usize {
        let came = into.len() - begin;
        let own = usize::try_from(self.left).map_or(came, |left| came.min(left));
        into.truncate(begin + own);
        self.left -= own as u64;
        if self.left == 0
            && let Some((mut connection, pool)) = self.held.take()
            // Nobody asked for what follows: it would be taken for the next answer.
            && own == came
        {
            connection.dress();
            pool.give_back(connection);
        }
        own
    }
}

/// As hyper says it.
fn cut_short() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "end of file before message length reached")
}
