//! How a WebSocket is.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::core::{Core, Stage};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    pub stage: Stage,
    /// The number of the connection there is, or was last; 0: none yet.
    pub generation: u32,
    /// How long the connection that is up has been.
    pub uptime: Option<Duration>,
    /// Times it came up again.
    pub reconnects: u32,
    pub bytes_read: u64,
    pub bytes_written: u64,
    pub messages_read: u64,
    pub messages_written: u64,
    /// Bytes of messages that the system has not taken.
    pub buffered: usize,
    /// From a ping to its pong, smoothed.
    pub round_trip: Option<Duration>,
    /// TCP's; Linux, of the connection there is.
    pub rtt: Option<Duration>,
    pub retransmits: Option<u32>,
}

impl Stats {
    pub(super) fn of(core: &Core) -> Self {
        let uptime = core.uptime();
        let inner = core.lock();
        let info = inner.socket.as_ref().and_then(|held| held.get()).and_then(|socket| socket.info());
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            stage: inner.stage,
            generation: core.generation(),
            uptime,
            reconnects: core.counts.reconnects.load(Ordering::Relaxed),
            bytes_read: count(&core.counts.read),
            bytes_written: count(&core.counts.written),
            messages_read: count(&core.counts.messages_read),
            messages_written: count(&core.counts.messages_written),
            buffered: inner.outbox.buffered_amount(),
            round_trip: inner.round_trip,
            rtt: info.map(|info| info.rtt),
            retransmits: info.map(|info| info.retransmits),
        }
    }
}
