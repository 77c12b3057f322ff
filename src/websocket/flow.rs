//! What an endpoint has taught: how large a frame it takes, how fast it drains, how large a message got through.
//!
//! Servers and the boxes in front of them have limits that nobody announces: on a frame, on a message, on bytes in a second.
//! Who runs into one is cut off by a reset and told nothing; after reconnecting, the same message does it again. So what
//! happened is remembered, by endpoint and not by connection, since the connection that learnt it is gone: after a reset
//! that follows large sends the next frames are half as large and leave half as fast, and both grow back additively as
//! messages get through. Every drop doubles the number of proofs that a step up takes, for every step too far costs a
//! connection.
//!
//! [`super::course`] holds what one connection sent, and says when a reset follows large sends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Frames never become smaller than this: what a server refuses in pieces of 4 KiB it refuses for another reason.
pub const MIN_FRAME: usize = 4 * 1024;
/// The `maxFrame` of a caller who says nothing.
pub const MAX_FRAME: usize = 64 * 1024;
/// Bytes of payload. Who dies of less dies of something else.
pub const LARGE: usize = 16 * 1024;

/// A frame grows from the smallest to the largest in so many steps, ...
const FRAME_STEPS: usize = 16;
/// ... and a pace by this part of what it fell from.
const PACE_STEPS: u64 = 16;
/// Bytes a second. Slower would be no service.
const MIN_PACE: u64 = 32 * 1024;
/// Bytes that the peer must have read in the second before its reset to be a measure of how fast it reads.
const MEASURE: u64 = 256 * 1024;
/// Where there is no measure: what to halve.
const UNMEASURED_PACE: u64 = 2 * 1024 * 1024;
/// Proofs that a step up takes, at first and at most.
const PATIENCE: (u32, u32) = (4, 256);
/// Bytes on their way that are not proved to have been read, at first and at most. The most is what a path of 1 Gbit/s and
/// 100 ms holds, and some more.
const WINDOW: (usize, usize) = (256 * 1024, 16 * 1024 * 1024);
/// Endpoints that a process remembers.
const REMEMBERED: usize = 1024;

/// What is known of one endpoint (`host:port/path`). Shared by all connections to it.
#[derive(Debug)]
pub struct Flow {
    /// [`usize::MAX`]: nothing speaks against a larger one than anybody wanted so far.
    frame: usize,
    pace: Pace,
    window: usize,
    /// The largest frame that is known to have been taken.
    proven_frame: usize,
    /// The largest message that is known to have got through.
    largest: usize,
    /// The smallest that was set aside, if none as large has got through since.
    oversized: Option<usize>,
    /// What connections died of, perhaps, if nothing as large has got through since.
    suspected: Option<Suspected>,
    pub(super) answers: Answers,
    /// Proofs since the last step up, and those that it takes.
    proofs: u32,
    patience: u32,
    drops: u32,
}

#[derive(Debug, Clone, Copy)]
struct Suspected {
    /// Of the smallest message.
    size: usize,
    deaths: u32,
}

/// Does the peer answer pings? RFC 6455 says it must. Some do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answers {
    Unknown,
    Yes,
    No,
}

/// In bytes a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    Free,
    Limited {
        at: u64,
        step: u64,
        /// Faster than this, it is free again.
        until: u64,
    },
}

/// What `ws.flow()` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    /// Bytes of payload: longer messages leave in several frames.
    pub frame: usize,
    /// Bytes of payload a second; `None`: as fast as the peer drains them.
    pub pace: Option<u64>,
    /// No frame leaves while so many bytes of payload are on their way without a proof that the peer has read them.
    pub window: usize,
    /// The largest message that is known to have got through, in bytes.
    pub largest: usize,
    /// The smallest that was set aside, if none as large has got through since.
    pub oversized: Option<usize>,
    /// Losses that made frame and pace drop.
    pub drops: u32,
}

/// What changed, for the 'adapt' event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    pub why: ChangeReason,
    /// From, to.
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

impl Default for Flow {
    fn default() -> Self {
        Flow {
            frame: usize::MAX,
            pace: Pace::Free,
            window: WINDOW.0,
            proven_frame: 0,
            largest: 0,
            oversized: None,
            suspected: None,
            answers: Answers::Unknown,
            proofs: 0,
            patience: PATIENCE.0,
            drops: 0,
        }
    }
}

impl Flow {
    /// As a connection with this `maxFrame` sees it.
    pub fn snapshot(&self, max_frame: usize) -> Snapshot {
        Snapshot {
            frame: self.frame(max_frame),
            pace: self.pace(),
            window: self.window,
            largest: self.largest,
            oversized: self.oversized,
            drops: self.drops,
        }
    }

    pub(super) fn frame(&self, max_frame: usize) -> usize {
        self.frame.min(max_frame)
    }

    pub(super) fn pace(&self) -> Option<u64> {
        match self.pace {
            Pace::Free => None,
            Pace::Limited { at, .. } => Some(at),
        }
    }

    pub(super) fn window(&self) -> usize {
        self.window
    }

    pub(super) fn largest(&self) -> usize {
        self.largest
    }

    /// Has the peer taken a frame as large as they may be now, or can they not become smaller?
    pub(super) fn trusts_frame(&self, max_frame: usize) -> bool {
        let frame = self.frame(max_frame);
        frame <= self.proven_frame || frame <= MIN_FRAME
    }

    /// A frame of this size was taken.
    pub(super) fn frame_taken(&mut self, size: usize) {
        self.proven_frame = self.proven_frame.max(size);
    }

    /// A message of this size got through.
    pub(super) fn got_through(&mut self, size: usize) {
        self.largest = self.largest.max(size);
        self.oversized = self.oversized.filter(|refused| *refused > size);
        self.suspected = self.suspected.filter(|suspected| suspected.size > size);
    }

    /// As much as the window holds, or nearly, was on its way and has been read.
    pub(super) fn widen(&mut self) {
        self.window = (self.window * 2).min(WINDOW.1);
    }

    /// Large sends were proved to have got through.
    pub(super) fn grow(&mut self, max_frame: usize) -> Option<Change> {
        let frame = self.frame(max_frame);
        if frame == max_frame && self.pace == Pace::Free {
            return None;
        }
        self.proofs += 1;
        if self.proofs < self.patience {
            return None;
        }
        self.proofs = 0;
        let pace = self.pace();
        // Whoever allows less than others must not make theirs smaller.
        if frame < max_frame {
            self.frame = (frame + (max_frame / FRAME_STEPS).max(1)).min(max_frame);
        }
        if let Pace::Limited { at, step, until } = self.pace {
            let faster = at + step;
            self.pace = if faster > until { Pace::Free } else { Pace::Limited { at: faster, step, until } };
        }
        if self.frame >= max_frame && self.pace == Pace::Free {
            self.patience = PATIENCE.0;
        }
        let frame = (frame, self.frame(max_frame));
        Some(Change { why: ChangeReason::Growth, frame, pace: (pace, self.pace()) })
    }

    /// A reset followed large sends. `drained`: bytes that the peer is known to have read in the second before.
    pub(super) fn fall(&mut self, max_frame: usize, drained: u64) -> Change {
        let (frame, pace) = (self.frame(max_frame), self.pace());
        self.frame = (frame / 2).max(MIN_FRAME);
        let measured = if drained >= MEASURE { drained } else { UNMEASURED_PACE };
        let fell_from = pace.map_or(measured, |pace| pace.min(measured));
        let until = match self.pace {
            Pace::Free => fell_from.saturating_mul(2),
            Pace::Limited { until, .. } => until,
        };
        let step = (fell_from / PACE_STEPS).max(1);
        self.pace = Pace::Limited { at: (fell_from / 2).max(MIN_PACE), step, until };
        self.window = WINDOW.0;
        self.proofs = 0;
        self.patience = if self.drops == 0 { PATIENCE.0 } else { (self.patience * 2).min(PATIENCE.1) };
        self.drops = self.drops.saturating_add(1);
        Change { why: ChangeReason::Reset, frame: (frame, self.frame(max_frame)), pace: (pace, self.pace()) }
    }

    /// A connection died with a message of this size on its way. How many have, of one of this size or smaller, with none
    /// as large as that getting through between them?
    pub(super) fn suspects(&mut self, size: usize) -> u32 {
        let before = self.suspected.filter(|suspected| suspected.size <= size);
        let deaths = before.map_or(0, |suspected| suspected.deaths) + 1;
        self.suspected = Some(Suspected { size: before.map_or(size, |suspected| suspected.size), deaths });
        deaths
    }

    /// A message of this size does not get through, and is set aside.
    pub(super) fn refuses(&mut self, size: usize) {
        self.oversized = Some(self.oversized.unwrap_or(size).min(size));
        self.suspected = None;
        // It did once, so the limit has changed, and nothing is known of what gets through now.
        if self.largest >= size {
            self.largest = 0;
        }
    }
}

/// The endpoints that are remembered. Bounded: the one that was asked for least recently is forgotten.
#[derive(Debug)]
pub struct Flows {
    most: usize,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    flows: HashMap<Box<str>, Remembered>,
    asked: u64,
}

#[derive(Debug)]
struct Remembered {
    flow: Arc<Mutex<Flow>>,
    /// When it was last asked for, in questions.
    last: u64,
}

impl Flows {
    pub fn new(most: usize) -> Self {
        Flows { most, known: Mutex::default() }
    }

    /// That of this process.
    pub fn shared() -> Arc<Flows> {
        static SHARED: OnceLock<Arc<Flows>> = OnceLock::new();
        Arc::clone(SHARED.get_or_init(|| Arc::new(Flows::new(REMEMBERED))))
    }

    /// What is known of an endpoint, which is nothing if it is a new one, or was forgotten.
    pub fn of(&self, endpoint: &str) -> Arc<Mutex<Flow>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.asked += 1;
        let Known { flows, asked } = &mut *known;
        if let Some(remembered) = flows.get_mut(endpoint) {
            remembered.last = *asked;
            return Arc::clone(&remembered.flow);
        }
        if flows.len() >= self.most {
            let oldest = flows.iter().min_by_key(|(_, remembered)| remembered.last).map(|(name, _)| name.clone());
            oldest.and_then(|name| flows.remove(&name));
        }
        let flow = Arc::<Mutex<Flow>>::default();
        flows.insert(endpoint.into(), Remembered { flow: Arc::clone(&flow), last: *asked });
        flow
    }
}

#[cfg(test)]
mod tests;
