//! How a socket is.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::core::Core;
use super::state::State;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    pub state: State,
    /// The number of the connection there is, or was last; 0: none yet.
    pub generation: u32,
    /// How long the connection that is up has been.
    pub uptime: Option<Duration>,
    /// Times it came up again.
    pub reconnects: u32,
    pub bytes_read: u64,
    pub bytes_written: u64,
    /// Bytes that wait to be sent, or to be acknowledged where messages are kept.
    pub queued: usize,
    /// Messages, where they are kept.
    pub unacknowledged: u64,
    pub acknowledged: u64,
    /// Linux, of the connection there is.
    pub rtt: Option<Duration>,
    pub retransmits: Option<u32>,
}

impl Stats {
    pub(super) fn of(core: &Core) -> Self {
        let info = core.socket().and_then(|socket| socket.info());
        let inner = core.lock();
        Stats {
            state: inner.state,
            generation: core.counts.generation.load(Ordering::Relaxed),
            uptime: core.uptime(),
            reconnects: core.counts.reconnects.load(Ordering::Relaxed),
            bytes_read: core.counts.read.load(Ordering::Relaxed),
            bytes_written: core.counts.written.load(Ordering::Relaxed),
            queued: inner.queue.len(),
            unacknowledged: inner.queue.unacknowledged(),
            acknowledged: inner.queue.acknowledged(),
            rtt: info.map(|info| info.rtt),
            retransmits: info.map(|info| info.retransmits),
        }
    }
}
