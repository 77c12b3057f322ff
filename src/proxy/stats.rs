//! How much of everything: the figures that a test compares.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::plan::{Action, Direction};

/// What a proxy has done so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    pub connections: Connections,
    pub bytes: Bytes,
    /// How often each type of fault has struck; only those that have.
    pub strikes: BTreeMap<&'static str, u64>,
    pub paused: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Connections {
    pub accepted: u64,
    /// To clients, at this moment.
    pub open: u64,
    /// Of those accepted, how many found no upstream.
    pub upstream_failed: u64,
}

/// Bytes forwarded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Bytes {
    /// From clients to the upstream.
    pub request: u64,
    pub response: u64,
}

/// Where the figures are counted.
#[derive(Debug, Default)]
pub(super) struct Counters {
    accepted: AtomicU64,
    closed: AtomicU64,
    upstream_failed: AtomicU64,
    request: AtomicU64,
    response: AtomicU64,
    strikes: Mutex<BTreeMap<&'static str, u64>>,
}

impl Counters {
    pub(super) fn accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    /// The client's connection is over.
    pub(super) fn closed(&self) {
        self.closed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn upstream_failed(&self) {
        self.upstream_failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn forwarded(&self, direction: Direction, bytes: u64) {
        let counter = match direction {
            Direction::Request => &self.request,
            Direction::Response => &self.response,
        };
        counter.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn struck(&self, action: Action) {
        *self.strikes.lock().unwrap_or_else(PoisonError::into_inner).entry(action.name()).or_default() += 1;
    }

    pub(super) fn stats(&self, paused: bool) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        // `closed` first: one that is accepted and closed in between must not make `open` negative.
        let closed = read(&self.closed);
        let accepted = read(&self.accepted);
        Stats {
            connections: Connections {
                accepted,
                open: accepted.saturating_sub(closed),
                upstream_failed: read(&self.upstream_failed),
            },
            bytes: Bytes { request: read(&self.request), response: read(&self.response) },
            strikes: self.strikes.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            paused,
        }
    }
}
