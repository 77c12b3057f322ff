//! One connection, with TLS or without.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::marks::Marks;
use super::stream::Stream;
use super::wire::Shared;

pub(crate) struct Link {
    stream: Stream,
    marks: Marks,
    /// The caller's bytes that were taken.
    own: u64,
    /// What the system called acknowledged when the connection was new: Linux counts the SYN.
    acknowledged_before: u64,
}

impl Link {
    pub fn new(stream: Stream, acknowledged_before: u64) -> Self {
        Link { stream, marks: Marks::default(), own: 0, acknowledged_before }
    }

    pub fn socket(&self) -> &Shared {
        &self.stream.wire().socket
    }

    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    pub fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }

    /// `false`: there is nothing to be read, and the task is woken when there is.
    pub fn may_be_readable(&self, cx: &mut Context<'_>) -> bool {
        match &self.stream {
            Stream::Plain(wire) => wire.socket.poll_read_ready(cx).is_ready(),
            // It may have some in its buffers.
            Stream::Tls(_) => true,
        }
    }

    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    pub fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    /// `bytes` more of the caller's were taken. Over TLS they are noted when they have been [flushed](Self::flushed): until
    /// then some of them may be in its buffer.
    pub fn took(&mut self, bytes: u64) {
        self.own += bytes;
        if let Stream::Plain(wire) = &self.stream {
            self.marks.note(wire.written, self.own);
        }
    }

    /// `bytes` of the caller's were written to its socket by somebody else. Not with TLS.
    pub fn wrote_directly(&mut self, bytes: u64) {
        if let Stream::Plain(wire) = &mut self.stream {
            wire.written += bytes;
        }
        self.took(bytes);
    }

    /// Whether what is written goes to its socket as it is.
    pub fn is_plain(&self) -> bool {
        matches!(self.stream, Stream::Plain(_))
    }

    pub fn flushed(&mut self) {
        let written = self.stream.wire().written;
        self.marks.note(written, self.own);
    }

    /// Something of the caller's may be on its way.
    pub fn has_sent(&self) -> bool {
        self.own > 0
    }

    /// The caller's bytes that were taken and are not acknowledged; `None`: the system does not say.
    pub fn unacknowledged(&mut self) -> Option<u64> {
        if self.own == 0 {
            return Some(0);
        }
        let acknowledged = self.socket().info()?.bytes_acked.saturating_sub(self.acknowledged_before);
        let before_flush = self.own - self.marks.own();
        Some(self.marks.unacknowledged(acknowledged) + before_flush)
    }
}
