//! Request bodies that JavaScript produces while they are sent.
//!
//! Pulled, not pushed: native code asks for the next piece when the connection has taken the one before last, so
//! the socket's backpressure reaches the stream and at most two pieces of a body are in memory.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::mpsc;

use super::completion::{Completion, Kind};
use super::engine::Core;
use crate::http::body::{BodySource, BodyStream, SourceFailed};

/// What JavaScript answers a pull with.
pub enum Piece {
    Bytes(Bytes),
    End,
    /// The stream failed; JavaScript keeps what it failed with.
    Failed,
}

/// A stream, or a function that makes one.
pub struct JsSource {
    core: Arc<Core>,
    call: u32,
    reopens: bool,
    length: Option<u64>,
    readings: AtomicU32,
}

impl JsSource {
    pub fn new(core: Arc<Core>, call: u32, reopens: bool, length: Option<u64>) -> Self {
        JsSource { core, call, reopens, length, readings: AtomicU32::new(0) }
    }
}

impl BodySource for JsSource {
    fn open(&self) -> BodyStream {
        let reading = self.readings.fetch_add(1, Ordering::Relaxed);
        // One piece on its way, one asked for.
        let (sender, pieces) = mpsc::channel(2);
        // If the call has been cancelled the sender is gone at once and the reading fails, unread.
        self.core.expect_pieces(self.call, reading, sender);
        Box::pin(Reading { core: Arc::clone(&self.core), call: self.call, reading, pieces, asked: false, ended: false })
    }

    fn reopens(&self) -> bool {
        self.reopens
    }

    fn length(&self) -> Option<u64> {
        self.length
    }
}

struct Reading {
    core: Arc<Core>,
    call: u32,
    reading: u32,
    pieces: mpsc::Receiver<Piece>,
    asked: bool,
    ended: bool,
}

impl Reading {
    fn ask(&mut self) {
        if !std::mem::replace(&mut self.asked, true) {
            self.tell(Kind::Pull);
        }
    }

    fn tell(&self, kind: Kind) {
        self.core.push(Completion { number: f64::from(self.reading), ..Completion::new(kind, self.call) });
    }
}

impl Stream for Reading {
    type Item = Result<Bytes, SourceFailed>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        self.ask();
        match ready!(self.pieces.poll_recv(context)) {
            Some(Piece::Bytes(bytes)) => {
                self.asked = false;
                self.ask();
                Poll::Ready(Some(Ok(bytes)))
            }
            Some(Piece::End) => {
                self.ended = true;
                Poll::Ready(None)
            }
            Some(Piece::Failed) => {
                self.ended = true;
                Poll::Ready(Some(Err(SourceFailed)))
            }
            // Another reading has taken this one's place, or the call has ended. JavaScript is told by `drop`.
            None => Poll::Ready(Some(Err(SourceFailed))),
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.tell(Kind::Dropped);
    }
}
