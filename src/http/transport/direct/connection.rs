//! One HTTP/1.1 connection.
//!
//! hyper speaks the protocol. Its connection is not a task of its own but is polled by whoever uses it: the exchange
//! until the answer begins, then the body, and while it idles the pool's waker. A request and its answer so stay on one
//! thread and cost no wake-up of another, and a body that nobody reads is not read from the socket either.

use std::future::{Future as _, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ::http::{Request, Response};
use bytes::{BufMut, Bytes};
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;

use super::outgoing::Outgoing;
use super::pool::Permit;
use super::wire::{Notes, Wire};

/// hyper stops at 100. Node limits the size of all headers (16 KiB) and not their number; of ordinary length, about
/// this many fit in there. Not more, because hyper makes room for all of them before it reads a response: counted
/// with callgrind over one small call, this number costs 2 % of its instructions and 2000 would cost 4 %.
const MAX_RESPONSE_HEADERS: usize = 256;

pin_project! {
    #[project = StreamProjection]
    pub(super) enum Stream {
        Plain { #[pin] wire: Wire },
        /// TLS to a server may lie within TLS to a proxy.
        Tls { #[pin] stream: Box<TlsStream<Stream>> },
    }
}

type Driver = http1::Connection<TokioIo<Stream>, Outgoing>;

pub(super) struct Connection {
    sender: http1::SendRequest<Outgoing>,
    state: State,
    notes: Arc<Notes>,
    pub peer: Option<SocketAddr>,
    /// One round trip, as the TCP handshake took it.
    pub rtt: Duration,
    /// It has answered a request.
    pub answered: bool,
    /// What the server last said of how long it keeps the connection.
    pub hint: Option<Duration>,
    pub idle_since: Instant,
    /// How long it had idled when it was last taken.
    pub idled: Duration,
    /// Held as long as it is open.
    permit: Permit,
}

/// hyper's half of it, or after hyper has ended it the bare socket. In between, for no longer than it takes to get from
/// the one to the other, nothing.
enum State {
    Running(Box<Driver>),
    /// Without hyper, in the middle of a body: whoever has the connection reads the rest of that.
    Stripped(Stream),
    Over(Option<Box<Wire>>),
}

/// A request without an answer.
pub(super) struct SendFailed {
    pub error: hyper::Error,
    /// The request as it was, if nothing of it was written.
    pub unsent: Option<Request<Outgoing>>,
}

impl Connection {
    pub async fn new(stream: Stream, rtt: Duration, permit: Permit) -> hyper::Result<Self> {
        let wire = stream.wire();
        let (notes, peer) = (Arc::clone(wire.notes()), wire.peer());
        notes.defer_failed_writes();
        let (sender, state) = State::running(stream).await?;
        Ok(Connection {
            sender,
            state,
            notes,
            peer,
            rtt,
            answered: false,
            hint: None,
            idle_since: Instant::now(),
            idled: Duration::ZERO,
            permit,
        })
    }

    /// The bytes that the system has taken since the connection was made.
    pub fn written(&self) -> u64 {
        self.notes.written()
    }

    /// The next request is one of which it may matter whether the peer ever took it.
    pub fn mark(&self) {
        self.notes.mark();
    }

    pub async fn send(&mut self, request: Request<Outgoing>) -> Result<Response<Incoming>, SendFailed> {
        let mut answer = pin!(self.sender.try_send_request(request));
        let state = &mut self.state;
        let answered = poll_fn(|cx| {
            // When it is over, hyper hands back what it has not sent.
            let _ = state.poll(cx);
            answer.as_mut().poll(cx)
        });
        answered.await.map_err(SendFailed::from)
    }

    /// Takes hyper off, so that the rest of a body can be [read](Self::poll_read) without it, and returns what hyper has
    /// read of it. `None`, and nothing has changed: something is left to be sent.
    ///
    /// What hyper knew is lost. It must have been that the connection is good for another exchange.
    pub fn strip(&mut self) -> Option<Bytes> {
        if !self.notes.took_all() || !matches!(self.state, State::Running(_)) {
            return None;
        }
        let State::Running(driver) = std::mem::replace(&mut self.state, State::Over(None)) else { return None };
        let parts = driver.into_parts();
        self.state = State::Stripped(parts.io.into_inner());
        Some(parts.read_buf)
    }

    /// Appends at most `most` bytes to `into`, as far as there is room, of a connection that is [stripped](Self::strip).
    pub fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>, most: usize) -> Poll<io::Result<usize>> {
        let State::Stripped(stream) = &mut self.state else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        pin!(stream.read_buf(&mut into.limit(most))).poll(cx)
    }

    /// Gives a connection that is [stripped](Self::strip) back to hyper, between two exchanges.
    pub fn dress(&mut self) {
        let State::Stripped(stream) = std::mem::replace(&mut self.state, State::Over(None)) else { return };
        // It has nothing to wait for: HTTP/1.1 begins with the request.
        if let Some(Ok((sender, state))) = State::running(stream).now_or_never() {
            self.sender = sender;
            self.state = state;
        }
    }

    /// Lets it read and write what there is to read and write. Ready: it is over.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.state.poll(cx)
    }

    /// Whether it can be given a request, by what the event loop knows. It is left in the care of `waker`, which is woken
    /// when the peer closes it.
    pub fn rest(&mut self, waker: &Waker) -> bool {
        self.poll(&mut Context::from_waker(waker)).is_pending() && self.sender.is_ready()
    }

    /// As [`rest`](Self::rest), by what the system knows, of one that is used at once: it is in nobody's care. hyper wakes
    /// whoever polled it last when it is given a request, and that must not be the pool's waker, for each exchange.
    pub fn is_open(&mut self) -> bool {
        self.notes.look();
        self.rest(Waker::noop())
    }

    /// Closes it; another one may take its place.
    pub fn into_permit(self) -> Permit {
        self.permit
    }

    /// The socket of a connection that is of no further use.
    pub fn into_wire(self) -> Option<Wire> {
        match self.state {
            State::Running(driver) => Some(driver.into_parts().io.into_inner().into_wire()),
            State::Stripped(stream) => Some(stream.into_wire()),
            State::Over(wire) => wire.map(|wire| *wire),
        }
    }
}

impl From<TrySendError<Request<Outgoing>>> for SendFailed {
    fn from(mut failed: TrySendError<Request<Outgoing>>) -> Self {
        let unsent = failed.take_message();
        SendFailed { error: failed.into_error(), unsent }
    }
}

impl State {
    async fn running(stream: Stream) -> hyper::Result<(http1::SendRequest<Outgoing>, State)> {
        let (sender, driver) =
            http1::Builder::new().max_headers(MAX_RESPONSE_HEADERS).handshake(TokioIo::new(stream)).await?;
        Ok((sender, State::Running(Box::new(driver))))
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let State::Running(driver) = self else {
            return Poll::Ready(());
        };
        // What it ended with is told to whoever waits for an answer or reads a body; without one it is of no interest.
        // The socket is not shut down but closed, when it is dropped.
        if driver.poll_without_shutdown(cx).is_pending() {
            return Poll::Pending;
        }
        // Taken apart, because only then hyper lets go of a request that it has not sent.
        if let State::Running(driver) = std::mem::replace(self, State::Over(None)) {
            *self = State::Over(Some(Box::new(driver.into_parts().io.into_inner().into_wire())));
        }
        Poll::Ready(())
    }
}

impl Stream {
    /// Both ends have agreed on it in the handshake.
    pub fn speaks_http2(&self) -> bool {
        match self {
            Stream::Plain { .. } => false,
            Stream::Tls { stream } => stream.get_ref().1.alpn_protocol() == Some(b"h2"),
        }
    }

    pub fn wire(&self) -> &Wire {
        match self {
            Stream::Plain { wire } => wire,
            Stream::Tls { stream } => stream.get_ref().0.wire(),
        }
    }

    fn into_wire(self) -> Wire {
        match self {
            Stream::Plain { wire } => wire,
            Stream::Tls { stream } => stream.into_inner().0.into_wire(),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.project() {
            StreamProjection::Plain { wire } => wire.poll_read(cx, buffer),
            StreamProjection::Tls { stream } => stream.poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.project() {
            StreamProjection::Plain { wire } => wire.poll_write(cx, bytes),
            StreamProjection::Tls { stream } => stream.poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.project() {
            StreamProjection::Plain { wire } => wire.poll_write_vectored(cx, slices),
            StreamProjection::Tls { stream } => stream.poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Stream::Plain { wire } => wire.is_write_vectored(),
            Stream::Tls { stream } => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.project() {
            StreamProjection::Plain { wire } => wire.poll_flush(cx),
            StreamProjection::Tls { stream } => stream.poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.project() {
            StreamProjection::Plain { wire } => wire.poll_shutdown(cx),
            StreamProjection::Tls { stream } => stream.poll_shutdown(cx),
        }
    }
}
