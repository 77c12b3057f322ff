//! The connections to one origin: those that idle, and how many there may be.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Wake, Waker};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::addresses::Suspects;
use super::connection::Connection;
use super::keep_alive::{Idle, Seen};
use super::reaper::Reaper;
use crate::http::transport::Connection as Wanted;
use crate::http::transport::options::KeepAlive;

pub(super) struct Pool {
    keep_alive: Option<KeepAlive>,
    limit: Option<NonZeroUsize>,
    state: Mutex<State>,
    /// The addresses of the origin's host that failed lately.
    suspects: Mutex<Suspects>,
    /// Woken when something happens to a connection that idles.
    waker: Waker,
    reaper: Arc<Reaper>,
    /// It waits for the reaper already.
    is_reported: AtomicBool,
    began: Instant,
}

#[derive(Default)]
struct State {
    /// The one that has idled shortest is last, and is taken first: the others may then grow old and be closed.
    #[allow(clippy::vec_box)] // It goes from hand to hand, and never leaves its box.
    idle: Vec<Box<Connection>>,
    /// Counted where there is a limit.
    open: usize,
    waiting: VecDeque<oneshot::Sender<Turn>>,
    seen: Seen,
    closed: bool,
}

/// What an exchange that waits is given.
pub(super) enum Turn {
    Connection(Box<Connection>),
    /// It may open one.
    Permit(Permit),
}

/// The place of one open connection among those that there may be.
pub(super) struct Permit {
    /// `None`: there is no limit.
    pool: Option<Weak<Pool>>,
}

impl Pool {
    pub fn new(keep_alive: Option<KeepAlive>, limit: Option<NonZeroUsize>, reaper: Arc<Reaper>) -> Arc<Self> {
        Arc::new_cyclic(|pool| Pool {
            keep_alive,
            limit,
            state: Mutex::default(),
            suspects: Mutex::default(),
            waker: Waker::from(Arc::new(Alarm { pool: Weak::clone(pool) })),
            reaper,
            is_reported: AtomicBool::new(false),
            began: Instant::now(),
        })
    }

    /// A connection that idles and is open, or the permission to open one. Waits where there are too many.
    pub async fn turn(self: &Arc<Self>, wanted: Wanted) -> Turn {
        loop {
            if let Some(connection) = self.take_idle(wanted) {
                return Turn::Connection(connection);
            }
            let mut waiting = match self.permit() {
                Ok(permit) => return Turn::Permit(permit),
                Err(waiting) => waiting,
            };
            match waiting.turn().await {
                Some(Turn::Connection(mut connection)) if wanted != Wanted::Fresh => {
                    if connection.is_open(&self.waker) {
                        return Turn::Connection(connection);
                    }
                }
                // It makes room for the one that is to be opened.
                Some(Turn::Connection(connection)) => return Turn::Permit(connection.into_permit()),
                Some(permit) => return permit,
                // The pool was closed meanwhile: nobody counts any more.
                None => return Turn::Permit(Permit { pool: None }),
            }
        }
    }

    /// A connection that another exchange has finished with, as soon as there is one.
    pub async fn freed(self: &Arc<Self>) -> Box<Connection> {
        loop {
            let mut waiting = self.wait(&mut self.lock());
            match waiting.turn().await {
                Some(Turn::Connection(mut connection)) => {
                    if connection.is_open(&self.waker) {
                        return connection;
                    }
                }
                // Whoever asks has a permit already: this one is passed on.
                Some(Turn::Permit(_)) => {}
                // The pool was closed: nothing is given back any more.
                None => std::future::pending().await,
            }
        }
    }

    fn wait(self: &Arc<Self>, state: &mut State) -> Waiting {
        let (sender, receiver) = oneshot::channel();
        if !state.closed {
            state.waiting.push_back(sender);
        }
        Waiting { pool: Arc::clone(self), receiver }
    }

    fn take_idle(&self, wanted: Wanted) -> Option<Box<Connection>> {
        let keep_alive = self.keep_alive.filter(|_| wanted != Wanted::Fresh)?;
        loop {
            let now = Instant::now();
            let mut state = self.lock();
            let mut connection = state.idle.pop()?;
            let seen = state.seen.closes_after(now - self.began);
            let idle = Idle { hint: connection.hint, seen, rtt: connection.rtt };
            let idled = now - connection.idle_since;
            if idled >= idle.bound(&keep_alive, wanted == Wanted::Recent) {
                // So have all below it. For others they may do; the reaper takes those that do for nobody.
                state.idle.push(connection);
                return None;
            }
            drop(state);
            connection.idled = idled;
            if connection.is_open(&self.waker) {
                return Some(connection);
            }
            self.closed_by_peer(idled);
        }
    }

    /// Permission to open a connection, or where to wait for it or for one that becomes free.
    fn permit(self: &Arc<Self>) -> Result<Permit, Waiting> {
        let Some(limit) = self.limit else {
            return Ok(Permit { pool: None });
        };
        let mut evicted = None;
        let mut state = self.lock();
        if state.open >= limit.get() {
            // One that idles but was not wanted makes room: the oldest.
            if state.idle.is_empty() {
                return Err(self.wait(&mut state));
            }
            evicted = Some(state.idle.remove(0));
        } else {
            state.open += 1;
        }
        drop(state);
        Ok(evicted.map_or_else(|| Permit { pool: Some(Arc::downgrade(self)) }, |connection| connection.into_permit()))
    }

    /// Takes a connection back whose exchange has ended, if it can serve another.
    pub fn give_back(&self, mut connection: Box<Connection>) {
        let Some(keep_alive) = self.keep_alive else {
            return;
        };
        let idle = Idle { hint: connection.hint, seen: None, rtt: connection.rtt };
        if idle.bound(&keep_alive, false).is_zero() || !connection.rest(&self.waker) {
            return;
        }
        connection.idle_since = Instant::now();
        let mut state = self.lock();
        if state.closed {
            // Dropped, when the lock is not held any more: its permit asks for it.
            drop(state);
            return;
        }
        while let Some(waiting) = state.waiting.pop_front() {
            match waiting.send(Turn::Connection(connection)) {
                Ok(()) => return,
                Err(Turn::Connection(refused)) => connection = refused,
                Err(Turn::Permit(_)) => unreachable!("it was a connection"),
            }
        }
        state.idle.push(connection);
        drop(state);
        self.reaper.some_idle();
    }

    /// Closes those that idle, now and in future.
    pub fn close(&self) {
        let idle = {
            let mut state = self.lock();
            state.closed = true;
            state.waiting.clear();
            std::mem::take(&mut state.idle)
        };
        drop(idle);
    }

    /// Closes what has idled too long, and drops what the peer has closed. The number of those that are left.
    pub fn sweep(&self) -> usize {
        self.is_reported.store(false, Ordering::Release);
        let Some(keep_alive) = self.keep_alive else {
            return 0;
        };
        let now = Instant::now();
        let mut done = Vec::new();
        let mut state = self.lock();
        let mut seen = None;
        let closes_after = state.seen.closes_after(now - self.began);
        let (kept, over): (Vec<_>, Vec<_>) = state.idle.drain(..).partition(|connection| {
            let idle = Idle { hint: connection.hint, seen: closes_after, rtt: connection.rtt };
            now - connection.idle_since < idle.bound(&keep_alive, false)
        });
        done.extend(over);
        for mut connection in kept {
            if connection.rest(&self.waker) {
                state.idle.push(connection);
            } else {
                let idled = now - connection.idle_since;
                seen = Some(seen.map_or(idled, |shortest| idled.min(shortest)));
                done.push(connection);
            }
        }
        if let Some(idled) = seen {
            state.seen.closed(idled, now - self.began);
        }
        let left = state.idle.len();
        drop(state);
        drop(done);
        left
    }

    /// The peer has closed a connection that had idled so long, sooner than we would have.
    pub fn closed_by_peer(&self, idled: Duration) {
        self.lock().seen.closed(idled, self.began.elapsed());
    }

    pub fn suspects(&self) -> MutexGuard<'_, Suspects> {
        self.suspects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing is lost when it is forgotten.
    pub fn is_unused(&self) -> bool {
        let state = self.lock();
        state.idle.is_empty() && state.open == 0 && state.waiting.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Held for a few operations on vectors, none of which can panic halfway.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    fn pass_on(pool: Weak<Pool>) {
        let Some(strong) = pool.upgrade() else {
            return;
        };
        let mut state = strong.lock();
        let mut permit = Permit { pool: Some(pool) };
        while let Some(waiting) = state.waiting.pop_front() {
            match waiting.send(Turn::Permit(permit)) {
                Ok(()) => return,
                Err(Turn::Permit(refused)) => permit = refused,
                Err(Turn::Connection(_)) => unreachable!("it was a permit"),
            }
        }
        state.open -= 1;
        // It is given up, not passed on once more.
        permit.pool = None;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.take() {
            Permit::pass_on(pool);
        }
    }
}

/// A place in the queue of a pool. What it is given while nobody waits there any more goes back.
struct Waiting {
    pool: Arc<Pool>,
    receiver: oneshot::Receiver<Turn>,
}

impl Waiting {
    /// `None`: the pool was closed.
    async fn turn(&mut self) -> Option<Turn> {
        (&mut self.receiver).await.ok()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.receiver.close();
        if let Ok(Turn::Connection(connection)) = self.receiver.try_recv() {
            self.pool.give_back(connection);
        }
        self.pool.lock().waiting.retain(|waiting| !waiting.is_closed());
    }
}

/// Tells the reaper that something happened to a connection of this pool's that idles.
struct Alarm {
    pool: Weak<Pool>,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(pool) = self.pool.upgrade()
            && !pool.is_reported.swap(true, Ordering::AcqRel)
        {
            pool.reaper.report(Weak::clone(&self.pool));
        }
    }
}
