//! What a WebSocket tells its owner.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use super::flow::Change;
use super::handshake::Refusal;
use super::outbox::{Fate, Kind, Message};
use crate::fault::Fault;
use crate::policy::GaveUp;
pub use crate::tcp::event::{Return, Secured};

/// Who is told what happens. Called on the network threads, in order; it must not block.
pub trait Owner: Send + Sync + 'static {
    /// Takes all of them.
    fn tell(&self, events: &mut Vec<Event>);
}

#[derive(Debug)]
pub enum Event {
    /// A connection is to be made, and there is no request for it: [`super::WebSocket::provided`].
    Provide {
        attempt: u32,
    },
    /// A redirect is followed.
    Redirected {
        status: u16,
        url: String,
        headers: Vec<(String, String)>,
    },
    /// The handshake was answered with something else than 101.
    Refused(Box<Refusal>),
    /// There is a connection that speaks WebSocket. The caller's `onConnect` may have it, or else [`Event::Up`] follows.
    Connected(Box<Connected>),
    /// What waited is about to leave: the first connection, or another one.
    Up {
        generation: u32,
        again: Option<Return>,
    },
    Message {
        kind: Kind,
        payload: Bytes,
    },
    Ping(Bytes),
    Pong(Bytes),
    /// What became of messages.
    Fates(Vec<Fate>),
    /// There is not more buffered than was asked about.
    Drained,
    /// Frames became smaller or larger, or the pace changed.
    Adapted(Change),
    /// A message was set aside: the peer does not take messages so large.
    Oversized(Box<Oversized>),
    /// A connection that was up is lost.
    Down(Box<Loss>),
    /// Is there to be another connection? [`super::WebSocket::decide`].
    ShouldReconnect {
        id: u32,
        closure: Closure,
        fault: Box<Fault>,
        usual: bool,
    },
    /// Another attempt begins after `delay`.
    Waiting {
        attempt: u32,
        delay: Duration,
        fault: Box<Fault>,
    },
    /// There will be no further connection.
    Over(Box<End>),
}

#[derive(Debug)]
pub struct Connected {
    /// From 1.
    pub generation: u32,
    /// After redirects.
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub protocol: String,
    pub extensions: String,
    pub local: Option<SocketAddr>,
    pub remote: Option<SocketAddr>,
    pub tls: Option<Secured>,
}

/// What a `close` event says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closure {
    pub code: u16,
    pub reason: String,
    /// Both sides have sent a Close frame.
    pub was_clean: bool,
}

impl Closure {
    /// Without a Close frame.
    pub fn abnormal() -> Self {
        Closure { code: 1006, reason: String::new(), was_clean: false }
    }
}

#[derive(Debug)]
pub struct Loss {
    pub closure: Closure,
    pub fault: Fault,
    /// Bytes of messages that were handed to the system and not acknowledged by the peer's. `None`: this system does not say.
    pub unacknowledged: Option<u64>,
    pub uptime: Duration,
    pub traffic: Traffic,
}

/// What went over a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    pub read: u64,
    pub written: u64,
    /// How long nothing had come.
    pub idle: Duration,
    /// The last message that left, or was leaving: its bytes, and how long ago that was.
    pub last_send: Option<(usize, Duration)>,
}

#[derive(Debug)]
pub struct Oversized {
    pub number: u64,
    pub message: Message,
    /// The largest message that is known to have got through; 0: none.
    pub largest: usize,
    pub fault: Fault,
}

#[derive(Debug)]
pub struct End {
    pub closure: Closure,
    /// `None`: as the caller wanted it.
    pub fault: Option<Fault>,
    pub gave_up: Option<GaveUp>,
    pub attempts: u32,
}
