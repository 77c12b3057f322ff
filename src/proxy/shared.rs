//! What the proxy, its accept loop and its connections share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Semaphore;

use super::Upstream;
use super::board::Board;
use super::port::Port;
use super::stats::Counters;
use super::timeline::Recorder;

/// Each lookup of a name occupies a thread.
const MOST_LOOKUPS: usize = 8;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) upstream: Upstream,
    pub(super) port: Port,
    pub(super) board: Board,
    pub(super) recorder: Recorder,
    pub(super) counters: Counters,
    pub(super) lookups: Arc<Semaphore>,
    paused: AtomicBool,
}

impl Shared {
    pub(super) fn new(port: Port, upstream: Upstream, seed: u64) -> Self {
        Self {
            upstream,
            port,
            board: Board::new(seed),
            recorder: Recorder::start(),
            counters: Counters::default(),
            lookups: Arc::new(Semaphore::new(MOST_LOOKUPS)),
            paused: AtomicBool::new(false),
        }
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Acquire)
    }

    /// `true`: it was the other way before.
    pub(super) fn set_paused(&self, paused: bool) -> bool {
        let changed = self.paused.swap(paused, Ordering::AcqRel) != paused;
        if changed {
            self.board.wake_all();
        }
        changed
    }
}
