//! One direction of a connection: what has arrived and not yet been forwarded.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::pace::{Allowance, Limits, Pace};

/// The first read of a connection has room for this; one that fills its room doubles the next one's.
const LEAST_ROOM: usize = 16 * 1024;

/// Large reads are what makes an empty proxy cheap; beyond this a read does not get larger.
const MOST_ROOM: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct Pipe {
    pub(super) source: Source,
    pub(super) sink: Sink,
    pace: Pace,
    /// Bytes read from the source so far.
    pub(super) arrived: u64,
    /// Bytes written to the sink so far.
    pub(super) forwarded: u64,
    pieces: VecDeque<Piece>,
    waiting: usize,
    buffer: BytesMut,
    room: usize,
}

#[derive(Debug)]
pub(super) enum Source {
    Open,
    Ended(SourceEnd),
}

/// How the source ended.
#[derive(Debug)]
pub(super) struct SourceEnd {
    pub(super) at: Instant,
    /// `None`: in order, with FIN.
    pub(super) code: Option<Cow<'static, str>>,
    pub(super) due: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sink {
    Open,
    /// Nothing is forwarded any more; what still arrives is discarded.
    Ended,
}

/// What may be written.
#[derive(Debug)]
pub(super) enum Sendable<'a> {
    Bytes(&'a [u8]),
    /// Nothing before this time.
    From(Instant),
}

/// Bytes that arrived together.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) bytes: BytesMut,
    at: Instant,
    /// When it may leave, once that has been found out.
    due: Option<Instant>,
}

impl Pipe {
    pub(super) fn new() -> Self {
        Self {
            source: Source::Open,
            sink: Sink::Open,
            pace: Pace::default(),
            arrived: 0,
            forwarded: 0,
            pieces: VecDeque::new(),
            waiting: 0,
            buffer: BytesMut::new(),
            room: LEAST_ROOM,
        }
    }

    /// Bytes that have arrived and not been forwarded.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// What that takes up. Many small pieces take more than their bytes.
    pub(super) fn memory(&self) -> usize {
        self.waiting + self.pieces.len() * size_of::<Piece>()
    }

    /// What may be written now, of at most `most` bytes. `delay` is asked once for each piece: how much later than it
    /// arrived it leaves.
    pub(super) fn sendable(
        &mut self,
        most: u64,
        limits: Limits,
        now: Instant,
        delay: impl FnOnce() -> Duration,
    ) -> Sendable<'_> {
        let Some(piece) = self.pieces.front_mut() else { return Sendable::Bytes(&[]) };
        let due = *piece.due.get_or_insert_with(|| piece.at + delay());
        if due > now {
            return Sendable::From(due);
        }
        let pending = piece.bytes.len().min(usize::try_from(most).unwrap_or(usize::MAX));
        match self.pace.allowance(limits, pending, now) {
            Allowance::Bytes(allowed) => Sendable::Bytes(&piece.bytes[..allowed]),
            Allowance::From(time) => Sendable::From(time),
        }
    }

    /// Has something arrived whose time to leave has not come?
    pub(super) fn is_delayed(&self, now: Instant) -> bool {
        self.pieces.front().is_some_and(|piece| piece.due.is_some_and(|due| due > now))
    }

    /// Nothing is left to do.
    pub(super) fn is_over(&self) -> bool {
        self.sink == Sink::Ended && matches!(self.source, Source::Ended(_))
    }

    /// Reads once. `Ok(None)`: the source has ended.
    pub(super) fn read(&mut self, stream: &TcpStream, now: Instant) -> io::Result<Option<&Piece>> {
        // Takes the old room back when everything in it has been forwarded; otherwise uses up what there is first.
        if self.pieces.is_empty() || self.buffer.capacity() < self.room / 4 {
            self.buffer.reserve(self.room);
        }
        let room = self.buffer.capacity();
        let read = stream.try_read_buf(&mut self.buffer)?;
        if read == 0 {
            return Ok(None);
        }
        if read == room && room >= self.room {
            self.room = (self.room * 2).min(MOST_ROOM);
        }
        let bytes = self.buffer.split();
        self.arrived += read as u64;
        self.waiting += read;
        self.pieces.push_back(Piece { bytes, at: now, due: None });
        Ok(self.pieces.back())
    }

    /// The first `written` bytes have been forwarded.
    pub(super) fn wrote(&mut self, written: usize, now: Instant) {
        self.pace.wrote(written, now);
        self.forwarded += written as u64;
        self.waiting -= written;
        if let Some(piece) = self.pieces.front_mut() {
            piece.bytes.advance(written);
            if piece.bytes.is_empty() {
                self.pieces.pop_front();
            }
        }
    }

    pub(super) fn end_source(&mut self, at: Instant, code: Option<Cow<'static, str>>) {
        self.source = Source::Ended(SourceEnd { at, code, due: None });
    }

    /// Forwards nothing more.
    pub(super) fn end_sink(&mut self) {
        self.sink = Sink::Ended;
        self.discard();
    }

    pub(super) fn discard(&mut self) {
        self.pieces.clear();
        self.waiting = 0;
    }

    /// Forgets when things were to leave, because what delays them has changed.
    pub(super) fn forget_times(&mut self) {
        if let Some(piece) = self.pieces.front_mut() {
            piece.due = None;
        }
        if let Source::Ended(end) = &mut self.source {
            end.due = None;
        }
    }
}
