//! What a WebSocket's task and its handle share.
//!
//! The handle is used on a thread that must not wait (JavaScript's), so everything it does is a statement under a lock that
//! the task, too, holds for single statements only.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use tokio::time::Instant;

use super::engine::Close;
use super::event::{Event, Owner};
use super::flow::Snapshot;
use super::outbox::{Kind, Outbox};
use super::request::Request;
use crate::fault::Fault;
use crate::tcp::wire::Held;

pub struct Core {
    inner: Mutex<Inner>,
    pub waker: AtomicWaker,
    began: Instant,
    pub counts: Counts,
    owner: Box<dyn Owner>,
}

pub struct Inner {
    pub stage: Stage,
    pub outbox: Outbox,
    pub greeting: Greeting,
    /// Pings and pongs of the caller's.
    pub controls: VecDeque<Control>,
    /// The caller wants an end.
    pub end: Option<Wish>,
    pub paused: bool,
    /// The weight of what was told and the caller has not dealt with.
    pub untaken: usize,
    /// The caller wants to be told when not more is buffered.
    pub drained_at: Option<usize>,
    pub provided: Option<(u32, Result<Request, Box<Fault>>)>,
    pub decided: Option<(u32, Option<bool>)>,
    /// The connection there is.
    pub socket: Option<Held>,
    pub flow: Option<Snapshot>,
    pub round_trip: Option<Duration>,
}

/// Where a WebSocket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Connecting,
    /// The caller's `onConnect` has the connection for itself.
    Greeting,
    Open,
    /// A Close frame has left, or come.
    Closing,
    /// Between two attempts.
    Waiting,
    Over,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    Close(Option<Close>),
    Terminate,
}

#[derive(Debug)]
pub enum Control {
    Ping(Bytes),
    Pong(Bytes),
}

/// What the caller's `onConnect` does with the connection that it has.
#[derive(Default)]
pub struct Greeting {
    pub sends: VecDeque<(Kind, Bytes)>,
    pub outcome: Option<Result<(), Box<Fault>>>,
}

/// Since the WebSocket was made.
#[derive(Default)]
pub struct Counts {
    /// The number of the connection there is or was last; 0: none yet.
    pub generation: AtomicU32,
    /// Times it was up again after it had been up.
    pub reconnects: AtomicU32,
    pub read: AtomicU64,
    pub written: AtomicU64,
    pub messages_read: AtomicU64,
    pub messages_written: AtomicU64,
    /// When the connection that is up came up, in microseconds since the WebSocket was made; 0: none is up.
    pub up_since: AtomicU64,
}

impl Stage {
    pub const fn as_str(self) -> &'static str {
        match self {
            Stage::Connecting => "connecting",
            Stage::Greeting => "greeting",
            Stage::Open => "open",
            Stage::Closing => "closing",
            Stage::Waiting => "waiting",
            Stage::Over => "over",
        }
    }
}

impl Core {
    pub fn new(outbox: Outbox, owner: Box<dyn Owner>) -> Self {
        let inner = Inner {
            stage: Stage::Connecting,
            outbox,
            greeting: Greeting::default(),
            controls: VecDeque::new(),
            end: None,
            paused: false,
            untaken: 0,
            drained_at: None,
            provided: None,
            decided: None,
            socket: None,
            flow: None,
            round_trip: None,
        };
        Core {
            inner: Mutex::new(inner),
            waker: AtomicWaker::new(),
            began: Instant::now(),
            counts: Counts::default(),
            owner,
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        // Each statement under it leaves it whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Since the WebSocket was made.
    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }

    pub fn at(&self, now: Duration) -> Instant {
        self.began + now
    }

    pub fn tell(&self, event: Event) {
        self.owner.tell(&mut vec![event]);
    }

    pub fn tell_all(&self, events: &mut Vec<Event>) {
        if !events.is_empty() {
            self.owner.tell(events);
            events.clear();
        }
    }

    pub fn generation(&self) -> u32 {
        self.counts.generation.load(Ordering::Relaxed)
    }

    pub fn came_up(&self) {
        let now = u64::try_from(self.now().as_micros()).unwrap_or(u64::MAX);
        self.counts.up_since.store(now.max(1), Ordering::Relaxed);
    }

    /// How long the connection there is has been up, if it is.
    pub fn uptime(&self) -> Option<Duration> {
        match self.counts.up_since.load(Ordering::Relaxed) {
            0 => None,
            since => Some(self.now().saturating_sub(Duration::from_micros(since))),
        }
    }
}

impl Inner {
    /// What became of messages, and whether the buffer is as empty as was asked about.
    pub fn take_news(&mut self, events: &mut Vec<Event>) {
        let fates = self.outbox.take_fates();
        if !fates.is_empty() {
            events.push(Event::Fates(fates));
        }
        if self.drained_at.is_some_and(|at| self.outbox.buffered_amount() <= at) {
            self.drained_at = None;
            events.push(Event::Drained);
        }
    }
}
