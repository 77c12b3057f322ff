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

use super::connection::Connection;
use super::evidence;
use super::origins::Origin;
use super::pool::{Pool, Taken};
use super::shared::Use;
use crate::fault::Fault;
use crate::http::transport::{IncomingBody, stall};

/// The body of one response. Dropping it before its end closes the connection.
pub struct DirectBody {
    incoming: Incoming,
    link: Link,
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
            DirectBody { incoming, link, stall, port: origin.next_port(), address: peer.map(|peer| peer.ip()) };
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
        stall::chunk(self, self.stall, Self::located).await
    }

    fn poll_arrived(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Fault>> {
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
        // Of an answer to HEAD over HTTP/2, hyper says what a GET would have brought.
        if self.incoming.is_end_stream() { Some(0) } else { self.incoming.size_hint().exact() }
    }

    fn peer(&self) -> Option<(std::net::IpAddr, u16)> {
        Some((self.address?, self.port))
    }
}
