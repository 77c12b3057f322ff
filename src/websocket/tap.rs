//! What lies between the engine and the connection.
//!
//! The engine would have the socket for itself and tell little of it: an RST is an error among others, a FIN without a
//! Close frame a clean end, and how much of what it was given has left is its secret. So it gets this instead. Reading goes
//! through to the connection and is remembered as it went; what is written is gathered, its place among the bytes of the
//! connection known, and handed over from here: many small frames by one call.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::scan::{Scan, Violation};
use crate::tcp::link::Link;

/// What is not handed over yet is not more than about this: then nothing is encoded until it is.
pub const GATHERED: usize = 128 * 1024;

/// Pongs that may wait to be handed over. Whoever has pinged so often and reads none is not listened to until it does.
const MOST_ANSWERS: usize = 512;

/// Shared by the engine and its owner, who are one task: nobody waits for the lock.
#[derive(Clone)]
pub struct Tap(Arc<Mutex<Tapped>>);

pub struct Tapped {
    pub link: Link,
    /// Came with the answer to the handshake.
    prefix: Bytes,
    scan: Scan,
    gathered: Vec<u8>,
    /// Those of them that are handed over.
    gone: usize,
    /// Bytes that the engine has written, of which [`Link::own`] were handed over.
    encoded: u64,
    /// Where the answers to the peer's pings end that were not handed over yet.
    answers: VecDeque<u64>,
    pub read: u64,
    pub stopped: Option<Stopped>,
}

/// Why nothing more can be read.
#[derive(Debug)]
pub enum Stopped {
    /// The peer's FIN, or TLS' goodbye.
    End,
    Failed(io::Error),
    Violated(Violation),
}

impl Tap {
    pub fn new(link: Link, prefix: Bytes) -> Self {
        let tapped = Tapped {
            link,
            prefix,
            scan: Scan::default(),
            gathered: Vec::new(),
            gone: 0,
            encoded: 0,
            answers: VecDeque::new(),
            read: 0,
            stopped: None,
        };
        Tap(Arc::new(Mutex::new(tapped)))
    }

    pub fn lock(&self) -> MutexGuard<'_, Tapped> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tapped {
    /// Bytes that the engine has written.
    pub fn encoded(&self) -> u64 {
        self.encoded
    }

    /// Those that the connection has taken.
    pub fn handed(&self) -> u64 {
        self.encoded - (self.gathered.len() - self.gone) as u64
    }

    pub fn is_full(&self) -> bool {
        self.gathered.len() - self.gone >= GATHERED
    }

    /// What was encoded since `from`, if anything, was an answer to a ping.
    pub fn note_answers(&mut self, from: u64) {
        if self.encoded > from {
            self.answers.push_back(self.encoded);
        }
    }

    /// The peer asks more than it lets itself be answered.
    pub fn owes_answers(&mut self) -> bool {
        let handed = self.handed();
        while self.answers.front().is_some_and(|end| *end <= handed) {
            self.answers.pop_front();
        }
        self.answers.len() >= MOST_ANSWERS
    }

    pub fn is_empty(&self) -> bool {
        self.gathered.is_empty()
    }

    /// The payload of the peer's Close frame, whatever the engine thought of it.
    pub fn close(&self) -> Option<&[u8]> {
        self.scan.close()
    }

    /// The peer has begun a frame and not ended it.
    pub fn is_within_frame(&self) -> bool {
        self.scan.is_within_frame()
    }

    /// Hands over what can be. Ready when nothing is left.
    pub fn poll_hand_over(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.gone < self.gathered.len() {
            match self.link.poll_write(cx, &[IoSlice::new(&self.gathered[self.gone..])]) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => {
                    self.gone += written;
                    self.link.took(written as u64);
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            }
        }
        self.gathered.clear();
        self.gone = 0;
        match self.link.poll_flush(cx) {
            Poll::Ready(Ok(())) => {
                self.link.flushed();
                Poll::Ready(Ok(()))
            }
            other => other,
        }
    }

    /// Gives back memory, when nothing has been going on for a while.
    pub fn shrink(&mut self) {
        if self.gathered.is_empty() {
            (self.gathered, self.answers) = (Vec::new(), VecDeque::new());
        }
    }

    /// Reads and forgets, to the peer's end.
    pub fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut scratch = [0; 4096];
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            match self.link.poll_read(cx, &mut buffer) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(())) => self.read += buffer.filled().len() as u64,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(stopped) = &self.stopped {
            return Poll::Ready(stopped.told());
        }
        let before = buffer.filled().len();
        if self.prefix.is_empty() {
            match self.link.poll_read(cx, buffer) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) => {}
                // TLS without its own goodbye, as most peers end it.
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {}
                Poll::Ready(Err(error)) => return self.stops(Stopped::Failed(error)),
            }
        } else {
            let length = self.prefix.len().min(buffer.remaining());
            buffer.put_slice(&self.prefix.split_to(length));
        }
        let came = buffer.filled().len() - before;
        if came == 0 {
            return self.stops(Stopped::End);
        }
        self.read += came as u64;
        if let Err((good, violation)) = self.scan.see(&buffer.filled()[before..]) {
            buffer.set_filled(before + good);
            let stopped = self.stops(Stopped::Violated(violation));
            return if good > 0 { Poll::Ready(Ok(())) } else { stopped };
        }
        Poll::Ready(Ok(()))
    }

    fn stops(&mut self, stopped: Stopped) -> Poll<io::Result<()>> {
        let told = stopped.told();
        self.stopped = Some(stopped);
        Poll::Ready(told)
    }
}

impl Stopped {
    /// What the engine hears of it.
    fn told(&self) -> io::Result<()> {
        match self {
            Stopped::End => Ok(()),
            Stopped::Failed(error) => Err(error.kind().into()),
            Stopped::Violated(violation) => Err(io::Error::new(io::ErrorKind::InvalidData, violation.as_str())),
        }
    }
}

impl AsyncRead for Tap {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.lock().poll_read(cx, buffer)
    }
}

/// Takes everything: whoever has the engine encode asks [`Tapped::is_full`] before.
impl AsyncWrite for Tap {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut tapped = self.lock();
        tapped.gathered.extend_from_slice(bytes);
        tapped.encoded += bytes.len() as u64;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
