//! A response body as it arrives.

use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::Body;
use hyper::body::Incoming;
use tokio::task::AbortHandle;

use super::bare::{Bare, WORTHWHILE};
use super::connection::Connection;
use super::evidence;
use super::origins::Origin;
use super::pool::{Pool, Taken};
use super::shared::Use;
use crate::fault::Fault;
use crate::http::transport::{IncomingBody, appended, stall};

/// The body of one response. Dropping it before its end closes the connection.
pub struct DirectBody {
    source: Source,
    /// The longest silence.
    stall: Option<Duration>,
    port: u16,
    address: Option<IpAddr>,
}

/// Who reads a body from its connection.
enum Source {
    Hyper {
        incoming: Incoming,
        link: Link,
        /// It may be read without hyper from now on.
        may_strip: bool,
    },
    /// hyper had the head.
    Bare(Bare),
}

/// What moves the bytes of a body that hyper reads.
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
    /// `sending`: the request has not been sent to its end. `keeps`: neither that nor anything that was said on the
    /// connection keeps it from being used once more.
    pub(super) fn new(
        incoming: Incoming,
        taken: Taken,
        origin: &Origin,
        stall: Option<Duration>,
        sending: bool,
        keeps: bool,
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
        let mut source = Source::Hyper { incoming, link, may_strip: keeps };
        source.end_if_complete();
        DirectBody { source, stall, port: origin.next_port(), address: peer.map(|peer| peer.ip()) }
    }

    fn located(&self, mut fault: Fault) -> Fault {
        fault.address = self.address.map(|address| address.to_string());
        fault.port = Some(self.port);
        fault
    }
}

impl Source {
    /// Lets what moves the bytes move them, and takes what has come.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Fault>> {
        if let Poll::Ready(arrived) = self.poll_incoming(cx) {
            return Poll::Ready(arrived);
        }
        match self {
            Source::Hyper { link: Link::Own { connection, .. }, .. } => {
                let _ = connection.poll(cx);
                self.poll_incoming(cx)
            }
            Source::Hyper { .. } => Poll::Pending,
            Source::Bare(bare) => {
                let mut read = Vec::new();
                bare.poll_append(cx, &mut read)
                    .map_ok(|some| some.map(|_| Bytes::from(read)))
                    .map_err(|error| evidence::in_bare_body(&error))
            }
        }
    }

    /// As [`poll`](Self::poll), but appended to `into`, and without hyper as soon as that pays.
    fn poll_append(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<Result<Option<usize>, Fault>> {
        // What hyper has read already comes first.
        if let Poll::Ready(arrived) = self.poll_incoming(cx) {
            return Poll::Ready(arrived.map(|read| read.map(|bytes| appended(&bytes, into))));
        }
        let begin = into.len();
        self.strip(into);
        if into.len() > begin {
            return Poll::Ready(Ok(Some(into.len() - begin)));
        }
        match self {
            Source::Bare(bare) => bare.poll_append(cx, into).map_err(|error| evidence::in_bare_body(&error)),
            Source::Hyper { .. } => self.poll(cx).map_ok(|read| read.map(|bytes| appended(&bytes, into))),
        }
    }

    /// Takes hyper off the connection if that can be done and pays. What it has kept of the body is appended to `into`.
    fn strip(&mut self, into: &mut Vec<u8>) {
        if let Source::Hyper { incoming, link, may_strip: true } = self
            && let Some(left) = incoming.size_hint().exact().filter(|left| *left >= WORTHWHILE)
            && let Link::Own { connection, .. } = link
            && let Some(read) = connection.strip()
            && let Link::Own { connection, pool } = std::mem::replace(link, Link::None)
        {
            *self = Source::Bare(Bare::new(connection, pool, left, &read, into));
        }
    }

    fn poll_incoming(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Fault>> {
        loop {
            let Source::Hyper { incoming, link, .. } = self else { return Poll::Pending };
            match ready!(Pin::new(incoming).poll_frame(cx)) {
                // hyper takes a reset or a GOAWAY without an error code (NO_ERROR) for the end. Node's servers do end a body
                // so, after its last byte; before that it is none.
                None if matches!(link, Link::Shared { .. }) && self.is_missing_some() => {
                    self.break_off();
                    return Poll::Ready(Err(evidence::cut_short()));
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
                    self.break_off();
                    return Poll::Ready(Err(evidence::in_body(&error, self.is_missing_some())));
                }
            }
        }
    }

    /// As soon as the last byte is there, the connection can serve another exchange.
    fn end_if_complete(&mut self) {
        if let Source::Hyper { incoming, .. } = self
            && incoming.is_end_stream()
        {
            self.end();
        }
    }

    /// What is still being sent goes on.
    fn end(&mut self) {
        if let Source::Hyper { link, .. } = self
            && !matches!(link, Link::Pumped { .. })
            && let Link::Own { connection, pool } = std::mem::replace(link, Link::None)
        {
            pool.give_back(connection);
        }
    }

    fn break_off(&mut self) {
        if let Source::Hyper { link, .. } = self {
            *link = Link::None;
        }
    }

    fn remaining(&self) -> Option<u64> {
        match self {
            // Of an answer to HEAD over HTTP/2, hyper says what a GET would have brought.
            Source::Hyper { incoming, .. } if incoming.is_end_stream() => Some(0),
            Source::Hyper { incoming, .. } => incoming.size_hint().exact(),
            Source::Bare(bare) => Some(bare.left()),
        }
    }

    /// More bytes were announced than have come. Of a body whose stream ended well that is never so.
    fn is_missing_some(&self) -> bool {
        self.remaining().is_some_and(|bytes| bytes > 0)
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

    fn poll_arrived(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Fault>> {
        self.source.poll(cx).map_err(|fault| self.located(fault))
    }

    async fn append(&mut self, into: &mut Vec<u8>) -> Result<Option<usize>, Fault> {
        stall::within(self, self.stall, Self::located, |body, cx| body.poll_append(cx, into)).await
    }

    fn poll_append(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<Result<Option<usize>, Fault>> {
        self.source.poll_append(cx, into).map_err(|fault| self.located(fault))
    }

    fn remaining(&self) -> Option<u64> {
        self.source.remaining()
    }

    fn peer(&self) -> Option<(std::net::IpAddr, u16)> {
        Some((self.address?, self.port))
    }
}
