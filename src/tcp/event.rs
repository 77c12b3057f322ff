//! What a socket tells its owner.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::block::Block;
use super::queue::Fate;
use crate::fault::Fault;
use crate::policy::GaveUp;

/// Who is told what happens. Called on the network threads, in order; it must not block.
pub trait Owner: Send + Sync + 'static {
    fn tell(&self, event: Event);
}

#[derive(Debug)]
pub enum Event {
    /// A name was looked up, for a connection.
    Lookup {
        host: String,
        outcome: Result<Vec<IpAddr>, Box<Fault>>,
    },
    /// There is a connection. The caller's `onConnect` may have it, or else [`Event::Up`] follows.
    Connected(Box<Connected>),
    /// What waited is about to leave: the first connection, or another one.
    Up {
        generation: u32,
        again: Option<Return>,
    },
    Data {
        bytes: Block,
    },
    /// What became of writes.
    Fate(Fate),
    /// A connection that was up is lost.
    Down(Box<Loss>),
    /// Another attempt begins after `delay`.
    Waiting {
        attempt: u32,
        delay: Duration,
        fault: Box<Fault>,
    },
    /// The peer sends no more, and that is final.
    PeerEnded,
    /// Everything that was written has left, and the end after it.
    Finished,
    /// There will be no further connection. Without a fault it is as the caller, or the peer, wanted it.
    Over(Option<Box<End>>),
}

/// Why a socket gave up.
#[derive(Debug)]
pub struct End {
    pub fault: Fault,
    pub gave_up: Option<GaveUp>,
    pub attempts: u32,
}

#[derive(Debug)]
pub struct Connected {
    /// From 1.
    pub generation: u32,
    pub local: Option<SocketAddr>,
    pub remote: Option<SocketAddr>,
    pub tls: Option<Secured>,
}

/// What a handshake came to.
#[derive(Debug, Clone)]
pub struct Secured {
    /// As Node names it: `TLSv1.3`.
    pub protocol: &'static str,
    pub cipher: String,
    pub alpn: Option<Vec<u8>>,
    /// Why the peer is not trusted, where that is not asked for.
    pub refusal: Option<&'static str>,
    /// DER, the peer's own first.
    pub certificates: Vec<Vec<u8>>,
}

/// What it took to be back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Return {
    pub attempts: u32,
    pub downtime: Duration,
}

#[derive(Debug)]
pub struct Loss {
    pub generation: u32,
    pub fault: Fault,
    /// Bytes that were handed to the system and not acknowledged by the peer's. `None`: this system does not say.
    pub unacknowledged: Option<u64>,
    pub uptime: Duration,
}
