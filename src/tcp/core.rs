//! What a socket's task and its handle share.
//!
//! The handle is used on a thread that must not wait (JavaScript's), so everything it does is a statement under a lock that
//! the task, too, holds for single statements only: the queue takes a write, a number is changed, the task is woken.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use tokio::time::Instant;

use super::direct::Direct;
use super::event::{Event, Owner};
use super::queue::{Fate, Queue};
use super::state::{State, Step};
use super::wire::{Held, Shared};
use crate::fault::Fault;

pub(super) struct Core {
    inner: Mutex<Inner>,
    pub waker: AtomicWaker,
    began: Instant,
    pub counts: Counts,
    owner: Box<dyn Owner>,
}

pub(super) struct Inner {
    pub state: State,
    pub queue: Queue,
    /// The caller has said that nothing more will be written.
    pub ending: bool,
    /// Bytes that were told and that the caller has not taken.
    pub untaken: usize,
    pub greeting: Greeting,
    /// The connection there is.
    pub socket: Option<Held>,
    pub direct: Direct,
    pub no_delay: bool,
    pub keep_alive: Option<Duration>,
}

/// What the caller's `onConnect` does with the connection that it has.
#[derive(Default)]
pub(super) struct Greeting {
    pub writes: VecDeque<Bytes>,
    pub outcome: Option<Result<(), Box<Fault>>>,
}

/// Since the socket was made.
#[derive(Default)]
pub(super) struct Counts {
    /// The number of the connection there is or was last; 0: none yet.
    pub generation: AtomicU32,
    /// Times it was up again after it had been up.
    pub reconnects: AtomicU32,
    pub read: AtomicU64,
    pub written: AtomicU64,
    /// When the connection that is up came up, in microseconds since the socket was made; 0: none is up.
    pub up_since: AtomicU64,
}

impl Core {
    pub fn new(inner: Inner, owner: Box<dyn Owner>) -> Self {
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

    /// Since the socket was made.
    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }

    pub fn at(&self, now: Duration) -> Instant {
        self.began + now
    }

    pub fn owner(&self) -> &dyn Owner {
        &*self.owner
    }

    pub fn tell(&self, event: Event) {
        self.owner.tell(event);
    }

    pub fn tell_fates(&self, fates: Vec<Fate>) {
        fates.into_iter().for_each(|fate| self.tell(Event::Fate(fate)));
    }

    /// Takes the socket to its next state.
    pub fn step(&self, step: Step) -> State {
        let mut inner = self.lock();
        inner.state = inner.state.after(step);
        inner.state
    }

    pub fn state(&self) -> State {
        self.lock().state
    }

    /// The connection there is.
    pub fn socket(&self) -> Option<Shared> {
        self.lock().socket.as_ref()?.get()
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
