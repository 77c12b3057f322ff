//! A response body as it arrives.

use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::Body;
use hyper::body::Incoming;
use tokio::task::AbortHandle;

use super::connection::Connection;
use super::evidence;
use super::origins::Origin;
use super::pool::{Pool, Taken};
use super::shared::Use;
use crate::fault::Fault;
use crate::http::transport::{IncomingBody, appended, stall};

/// So much of a body is worth taking it from hyper, in bytes.
const WORTHWHILE: u64 = 16 * 1024;

/// What is read at once.
const PIECE: usize = 256 * 1024;

/// The body of one response. Dropping it before its end closes the connection.
pub struct DirectBody {
    incoming: Incoming,
    link: Link,
    reading: Reading,
    /// The longest silence.
    stall: Option<Duration>,
    port: u16,
    address: Option<IpAddr>,
}

/// What moves the bytes of a body.
enum Link {
    /// Whoever polls the body.
    Own { connection: Box<Connection>, pool: Arc<Pool> },
    /// A task: the request is still being sent, and that must go on while nobody reads.
    Pumped { _pump: Pump },
    /// The connection's own task.
    Shared { _shared: Use },
    /// Nothing: it has ended.
    None,
}

/// Who reads the body from the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// hyper, into its own buffer.
    Hyper,
    /// hyper, but it may be taken off: nothing depends on what it knows of the connection.
    Either,
    /// This, straight to where the bytes are wanted.
    Bare { left: u64 },
}

/// Ends its task with itself.
struct Pump {
    task: AbortHandle,
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl DirectBody {
    /// `sending`: the request has not been sent to its end.
    pub(super) fn new(
        incoming: Incoming,
        taken: Taken,
        origin: &Origin,
        stall: Option<Duration>,
        sending: bool,
        reading: Reading,
    ) -> Self {
        let (link, peer) = match taken {
            Taken::Own(connection) => {
                let peer = connection.peer;
                let pool = Arc::clone(&origin.pool);
                (if sending { Link::pumped(connection) } else { Link::Own { connection, pool } }, peer)
            }
            Taken::Shared(shared) => {
                let peer = shared.connection().peer;
                (Link::Shared { _shared: shared }, peer)
            }
        };
        let mut body =
            DirectBody { incoming, link, reading, stall, port: origin.next_port(), address: peer.map(|peer| peer.ip()) };
        body.end_if_complete();
        body
    }

    /// As soon as the last byte is there, the connection can serve another exchange.
    fn end_if_complete(&mut self) {
        if self.incoming.is_end_stream() {
            self.end();
        }
    }

    /// What is still being sent goes on.
    fn end(&mut self) {
        if !matches!(self.link, Link::Pumped { .. })
            && let Link::Own { connection, pool } = std::mem::replace(&mut self.link, Link::None)
        {
            pool.give_back(connection);
        }
    }

    fn poll_incoming(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Fault>> {
        loop {
            match ready!(Pin::new(&mut self.incoming).poll_frame(cx)) {
                // hyper takes a reset or a GOAWAY without an error code (NO_ERROR) for the end. Node's servers do end a body
                // so, after its last byte; before that it is none.
                None if matches!(self.link, Link::Shared { .. }) && self.is_missing_some() => {
                    self.link = Link::None;
                    return Poll::Ready(Err(self.located(evidence::cut_short())));
                }
                // Only of a body whose length was stated hyper knows before that it is complete.
                None => {
                    self.end();
                    return Poll::Ready(Ok(None));
                }
                Some(Ok(frame)) => {
                    // Trailers are not told: `fetch` knows none.
                    if let Ok(bytes) = frame.into_data()
                        && !bytes.is_empty()
                    {
                        self.end_if_complete();
                        return Poll::Ready(Ok(Some(bytes)));
                    }
                }
                Some(Err(error)) => {
                    self.link = Link::None;
                    return Poll::Ready(Err(self.located(evidence::in_body(&error, self.is_missing_some()))));
                }
            }
        }
    }

    /// Takes the connection from hyper where that pays. What hyper had read already is appended.
    fn goes_bare(&mut self, into: &mut Vec<u8>) -> Option<usize> {
        if self.reading != Reading::Either {
            return None;
        }
        let Link::Own { connection, .. } = &mut self.link else { return None };
        let left = self.incoming.size_hint().exact().filter(|left| *left >= WORTHWHILE)?;
        let read = connection.bare()?;
        // A pipelined surplus would be seen in the next read.
        let read = &read[..read.len().min(usize::try_from(left).unwrap_or(usize::MAX))];
        into.extend_from_slice(read);
        self.reading = Reading::Bare { left: left - read.len() as u64 };
        Some(read.len())
    }

    fn poll_bare(&mut self, cx: &mut Context<'_>, left: u64, into: &mut Vec<u8>) -> Poll<Result<Option<usize>, Fault>> {
        let Link::Own { connection, .. } = &mut self.link else { return Poll::Ready(Ok(None)) };
        // One byte more than there should be: a read that leaves room tells the event loop that nothing is left, and one
        // that does not tells that something is.
        let most = usize::try_from(left).unwrap_or(usize::MAX).saturating_add(1).min(PIECE);
        if into.capacity() - into.len() < most.min(PIECE / 4) {
            into.reserve(most);
        }
        let begin = into.len();
        match ready!(connection.poll_read(cx, into, most)) {
            Ok(0) => {
                self.link = Link::None;
                let ended = io::Error::new(io::ErrorKind::UnexpectedEof, "end of file before message length reached");
                Poll::Ready(Err(self.located(evidence::in_bare_body(&ended))))
            }
            Ok(read) if read as u64 > left => {
                self.link = Link::None;
                into.truncate(begin + left as usize);
                self.reading = Reading::Bare { left: 0 };
                Poll::Ready(Ok(Some(left as usize)))
            }
            Ok(read) => {
                let left = left - read as u64;
                self.reading = Reading::Bare { left };
                if left == 0 {
                    connection.dress();
                    self.end();
                }
                Poll::Ready(Ok(Some(read)))
            }
            Err(error) => {
                self.link = Link::None;
                Poll::Ready(Err(self.located(evidence::in_bare_body(&error))))
            }
        }
    }

    /// More bytes were announced than have come. Of a body whose stream ended well that is never so.
    fn is_missing_some(&self) -> bool {
        !self.incoming.is_end_stream() && self.remaining().is_some_and(|bytes| bytes > 0)
    }

    fn located(&self, mut fault: Fault) -> Fault {
        fault.address = self.address.map(|address| address.to_string());
        fault.port = Some(self.port);
        fault
    }
}

impl Link {
    fn pumped(mut connection: Box<Connection>) -> Self {
        let pumping = tokio::spawn(async move { poll_fn(|cx| connection.poll(cx)).await });
        Link::Pumped { _pump: Pump { task: pumping.abort_handle() } }
    }
}

impl IncomingBody for DirectBody {
    async fn chunk(&mut self) -> Result<Option<Bytes>, Fault> {
        stall::within(self, self.stall, Self::located, Self::poll_arrived).await
    }

    async fn append(&mut self, into: &mut Vec<u8>) -> Result<Option<usize>, Fault> {
        stall::within(self, self.stall, Self::located, |body, cx| body.poll_append(cx, into)).await
    }

    fn poll_append(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<Result<Option<usize>, Fault>> {
        if let Reading::Bare { left } = self.reading {
            return self.poll_bare(cx, left, into);
        }
        if let Poll::Ready(arrived) = self.poll_incoming(cx) {
            return Poll::Ready(arrived.map(|read| read.map(|bytes| appended(&bytes, into))));
        }
        match self.goes_bare(into) {
            None => self.poll_arrived(cx).map_ok(|read| read.map(|bytes| appended(&bytes, into))),
            Some(0) => self.poll_append(cx, into),
            Some(read) => Poll::Ready(Ok(Some(read))),
        }
    }

    fn poll_arrived(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Fault>> {
        if let Reading::Bare { left } = self.reading {
            let mut read = Vec::new();
            return self.poll_bare(cx, left, &mut read).map_ok(|some| some.map(|_| read.into()));
        }
        if let Poll::Ready(arrived) = self.poll_incoming(cx) {
            return Poll::Ready(arrived);
        }
        if let Link::Own { connection, .. } = &mut self.link {
            let _ = connection.poll(cx);
            return self.poll_incoming(cx);
        }
        Poll::Pending
    }

    fn remaining(&self) -> Option<u64> {
        if let Reading::Bare { left } = self.reading {
            return Some(left);
        }
        // Of an answer to HEAD over HTTP/2, hyper says what a GET would have brought.
        if self.incoming.is_end_stream() { Some(0) } else { self.incoming.size_hint().exact() }
    }

    fn peer(&self) -> Option<(std::net::IpAddr, u16)> {
        Some((self.address?, self.port))
    }
}
