//! Messages that wait, messages on their way, and an end for each of them.
//!
//! The unit is the message: it leaves whole on one connection or it is in doubt. What is kept, dropped or sent again after
//! a loss depends on how much of it had left, and that is counted in bytes of the connection, not guessed: every frame is
//! noted with the place it takes among the bytes of the connection, and a message of which the system took not one
//! byte is `unsent`.
//!
//! Messages are numbered from 0 in the order in which they were accepted. They leave in that order, and those that are
//! sent again keep their place.

use std::time::Duration;

use bytes::Bytes;

pub use crate::tcp::queue::{Accepted, Limits, WhenFull};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Binary,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub kind: Kind,
    pub payload: Bytes,
    /// May be compressed, if that was agreed on.
    pub compress: bool,
    /// Somebody waits to be told what becomes of it.
    pub awaited: bool,
}

/// What is sent again after a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resend {
    /// Messages of which not one byte left.
    Unsent,
    /// Also those that may have arrived: all that the peer's TCP has not acknowledged, whole.
    UnknownToo,
}

/// A message, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub message: u64,
    pub kind: Kind,
    pub payload: Bytes,
    pub compress: bool,
    /// Of the whole message.
    pub size: usize,
    pub first: bool,
    pub last: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// The system has taken the whole message, on one connection.
    Written,
    /// Not one byte of it left.
    Unsent,
    /// Some of it left, or all, and then the connection was lost.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It waited too long for a connection.
    Expired,
    /// Its connection was lost with part of it sent.
    Cut,
    /// It was set aside, because the peer does not take messages as large.
    Oversized,
    /// There will be no further connection.
    Over,
}

/// What became of a message. Each that is awaited, and each that is not written, has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    pub message: u64,
    pub awaited: bool,
    pub bytes: usize,
    pub word: Word,
    /// `None` if it was written.
    pub why: Option<Why>,
}

/// What a loss left behind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loss {
    /// Bytes of payload that the system took, on this connection, and the peer's did not acknowledge.
    pub unacknowledged: u64,
    /// Messages that will be sent again although they may have arrived.
    pub again: u64,
    /// The message that was set aside.
    pub set_aside: Option<Message>,
}

#[derive(Debug)]
pub struct Outbox {}

impl Outbox {
    pub fn new(limits: Limits, resend: Resend) -> Self {
        let _ = (limits, resend);
        todo!()
    }

    pub fn send(&mut self, message: Message, now: Duration) -> Accepted {
        let _ = (message, now);
        todo!()
    }

    /// The bytes of payload of the next message that no frame has taken yet; `None`: nothing waits.
    pub fn rest(&self) -> Option<usize> {
        todo!()
    }

    /// The next frame, with so many bytes of payload at most. From now on it counts as having left, until
    /// [`encoded`](Self::encoded) says where it is.
    pub fn frame(&mut self, most: usize) -> Option<Frame> {
        let _ = most;
        todo!()
    }

    /// The frame that was taken last stands at these bytes of the connection (as handed to the link: before TLS).
    pub fn encoded(&mut self, from: u64, to: u64) {
        let _ = (from, to);
        todo!()
    }

    /// The link has taken the first so many bytes of the connection.
    pub fn handed(&mut self, bytes: u64) {
        let _ = bytes;
        todo!()
    }

    /// The peer's TCP has acknowledged the first so many bytes of the connection.
    pub fn acknowledged(&mut self, bytes: u64) {
        let _ = bytes;
        todo!()
    }

    /// This message, and all before it, got through: [`super::course::Proof`].
    pub fn proved(&mut self, message: u64) {
        let _ = message;
        todo!()
    }

    /// The connection is gone. Call [`handed`](Self::handed) with its last count before. The next one counts from 0.
    pub fn lost(&mut self, set_aside: Option<u64>) -> Loss {
        let _ = set_aside;
        todo!()
    }

    /// Gives up what has waited too long. Only while there is no connection.
    pub fn expire(&mut self, now: Duration) {
        let _ = now;
        todo!()
    }

    /// When the next message will have waited too long.
    pub fn expires_at(&self) -> Option<Duration> {
        todo!()
    }

    /// There will be no further connection: what is left gets its word.
    pub fn end(&mut self) {
        todo!()
    }

    /// What became of messages since this was last asked, in their order.
    pub fn take_fates(&mut self) -> Vec<Fate> {
        todo!()
    }

    /// Whether there is room again, once for every [`Accepted::Full`] or series of them.
    pub fn take_room(&mut self) -> bool {
        todo!()
    }

    /// The bytes of payload that the link has not taken. Exact.
    pub fn buffered_amount(&self) -> usize {
        todo!()
    }

    /// Nothing waits to be sent, or to be acknowledged where that is waited for.
    pub fn is_empty(&self) -> bool {
        todo!()
    }
}
