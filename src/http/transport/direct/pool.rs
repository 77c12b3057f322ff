//! The connections to one origin: those that idle, those that are shared, and how many there may be.

mod alarm;
mod places;
#[cfg(all(test, unix))]
mod tests;

use std::collections::VecDeque;
use std::future::pending;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use self::alarm::Alarm;
pub(super) use self::places::Permit;
use self::places::{News, Waiting};
use super::addresses::Suspects;
use super::connection::Connection;
use super::keep_alive::{Idle, Seen};
use super::reaper::Reaper;
use super::shared::{Shared, Use};
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

struct State {
    /// The one that has idled shortest is last, and is taken first: the others may then grow old and be closed.
    #[allow(clippy::vec_box)] // It goes from hand to hand, and never leaves its box.
    idle: Vec<Box<Connection>>,
    /// Counted where there is a limit.
    open: usize,
    waiting: VecDeque<oneshot::Sender<News>>,
    protocol: Protocol,
    shared: Option<Arc<Shared>>,
    seen: Seen,
    closed: bool,
}

/// What an exchange is given.
pub(super) enum Turn {
    Connection(Taken),
    /// It may open one.
    Permit(Permit),
}

/// The connection of an exchange.
pub(super) enum Taken {
    /// HTTP/1.1: for this exchange alone.
    Own(Box<Connection>),
    /// HTTP/2: shared with others.
    Shared(Use),
}

/// Whether the origin's protocol is known. Until it is, only one connection is made at first: with HTTP/2 it is enough
/// for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// Each exchange has a connection of its own: HTTP/1.1, or nothing is kept.
    One,
    /// HTTP/1.1 for good: the server speaks HTTP/2, and has said that it wants this.
    Demanded,
    /// To be found out by the next connection.
    Unknown,
    /// Being found out.
    Asked,
}

/// How long others wait for the first connection to find the protocol out. The same as between two addresses: what takes
/// longer may be lost.
const SETTLED_WITHIN: Duration = Duration::from_millis(250);

impl Pool {
    /// `negotiates`: its connections ask for HTTP/2.
    pub fn new(
        keep_alive: Option<KeepAlive>,
        limit: Option<NonZeroUsize>,
        negotiates: bool,
        reaper: Arc<Reaper>,
    ) -> Arc<Self> {
        let state = State {
            idle: Vec::new(),
            open: 0,
            waiting: VecDeque::new(),
            protocol: if negotiates { Protocol::Unknown } else { Protocol::One },
            shared: None,
            seen: Seen::default(),
            closed: false,
        };
        Arc::new_cyclic(|pool| Pool {
            keep_alive,
            limit,
            state: Mutex::new(state),
            suspects: Mutex::default(),
            waker: Waker::from(Arc::new(Alarm { pool: Weak::clone(pool) })),
            reaper,
            is_reported: AtomicBool::new(false),
            began: Instant::now(),
        })
    }

    /// A connection that is open, or the permission to open one. Waits where there are too many.
    pub async fn turn(self: &Arc<Self>, wanted: Wanted) -> Turn {
        let mut patient = true;
        loop {
            if let Some(connection) = self.take(wanted) {
                return Turn::Connection(connection);
            }
            let (mut waiting, for_protocol) = match self.permit(patient) {
                Ok(permit) => return Turn::Permit(permit),
                Err(Some(waiting)) => waiting,
                Err(None) => continue,
            };
            let news = if for_protocol {
                timeout(SETTLED_WITHIN, waiting.news()).await.unwrap_or_else(|_| {
                    patient = false;
                    Some(News::Settled)
                })
            } else {
                waiting.news().await
            };
            match news {
                Some(News::Freed(mut connection)) if wanted != Wanted::Fresh => {
                    if connection.is_open() {
                        return Turn::Connection(Taken::Own(connection));
                    }
                }
                // It makes room for the one that is to be opened.
                Some(News::Freed(connection)) => return Turn::Permit(connection.into_permit()),
                Some(News::Permit(permit)) => return Turn::Permit(permit),
                Some(News::Settled) => {}
                // The pool was closed meanwhile: nobody counts any more.
                None => return Turn::Permit(self.uncounted()),
            }
        }
    }

    /// A connection that another exchange has finished with or that can be shared, as soon as there is one.
    pub async fn freed(self: &Arc<Self>) -> Taken {
        loop {
            let mut waiting = self.wait(&mut self.lock());
            match waiting.news().await {
                Some(News::Freed(mut connection)) => {
                    if connection.is_open() {
                        return Taken::Own(connection);
                    }
                }
                Some(News::Settled) => {
                    if let Some(shared) = self.take_shared(Wanted::Pooled) {
                        return Taken::Shared(shared);
                    }
                }
                // Whoever asks has a permit already: this one is passed on.
                Some(News::Permit(_)) => {}
                // The pool was closed: nothing is given back any more.
                None => pending().await,
            }
        }
    }

    fn wait(self: &Arc<Self>, state: &mut State) -> Waiting {
        let (sender, receiver) = oneshot::channel();
        if !state.closed {
            state.waiting.push_back(sender);
        }
        Waiting::new(Arc::clone(self), receiver)
    }

    fn take(&self, wanted: Wanted) -> Option<Taken> {
        if let Some(shared) = self.take_shared(wanted) {
            return Some(Taken::Shared(shared));
        }
        self.take_idle(wanted).map(Taken::Own)
    }

    fn take_shared(&self, wanted: Wanted) -> Option<Use> {
        let keep_alive = self.keep_alive?;
        let mut state = self.lock();
        let shared = state.shared.as_ref()?;
        let idle = Idle { hint: None, seen: None, rtt: shared.rtt };
        // Who wants a fresh one has met one that was stale. This is another, if it is open and has hardly idled.
        let bound = idle.bound(&keep_alive, wanted != Wanted::Pooled);
        if shared.is_open() && shared.idle_since().is_none_or(|since| since.elapsed() < bound) {
            return Some(shared.hold());
        }
        // A new one takes its place; whoever uses this one keeps it.
        let unused = state.shared.take();
        if state.protocol == Protocol::One {
            state.protocol = Protocol::Unknown;
        }
        drop(state);
        drop(unused);
        None
    }

    fn take_idle(&self, wanted: Wanted) -> Option<Box<Connection>> {
        let keep_alive = self.keep_alive.filter(|_| wanted != Wanted::Fresh)?;
        loop {
            let now = Instant::now();
            let mut state = self.lock();
            let mut connection = state.idle.pop()?;
            let idled = now - connection.idle_since;
            let seen = state.seen.closes_after(now - self.began);
            let idle = Idle { hint: connection.hint, seen, rtt: connection.rtt };
            if idled >= idle.bound(&keep_alive, wanted == Wanted::Recent) {
                // So have all below it. For others they may do; the reaper takes those that do for nobody.
                state.idle.push(connection);
                return None;
            }
            drop(state);
            connection.idled = idled;
            if connection.is_open() {
                return Some(connection);
            }
            self.closed_by_peer(idled);
        }
    }

    /// Permission to open a connection, or where to wait for it or for one that becomes free, and whether it is the
    /// protocol that is waited for. `None`: one that can be shared was made since it was looked for.
    fn permit(self: &Arc<Self>, patient: bool) -> Result<Permit, Option<(Waiting, bool)>> {
        let mut state = self.lock();
        if state.shared.is_some() {
            return Err(None);
        }
        if patient && state.protocol == Protocol::Asked {
            return Err(Some((self.wait(&mut state), true)));
        }
        let asks = state.protocol == Protocol::Unknown;
        let Some(limit) = self.limit else {
            if asks {
                state.protocol = Protocol::Asked;
            }
            return Ok(Permit { pool: Arc::downgrade(self), counted: false, asks });
        };
        let mut evicted = None;
        if state.open >= limit.get() {
            // One that idles but was not wanted makes room: the oldest.
            if state.idle.is_empty() {
                return Err(Some((self.wait(&mut state), false)));
            }
            evicted = Some(state.idle.remove(0));
        } else {
            state.open += 1;
        }
        if asks {
            state.protocol = Protocol::Asked;
        }
        drop(state);
        // Its own permit is not given up but goes on with another connection.
        let mut permit = match evicted {
            Some(evicted) => evicted.into_permit(),
            None => Permit { pool: Arc::downgrade(self), counted: true, asks },
        };
        permit.asks = asks;
        Ok(permit)
    }

    fn uncounted(self: &Arc<Self>) -> Permit {
        Permit { pool: Arc::downgrade(self), counted: false, asks: false }
    }

    /// A connection has been made: the protocol is known.
    pub fn made_own(&self, permit: &mut Permit) {
        if std::mem::take(&mut permit.asks) {
            self.settle(Protocol::One);
        }
    }

    /// As [`made_own`](Self::made_own), of one that can be shared. Where there is one already, that stays.
    pub fn made_shared(&self, made: Arc<Shared>) -> Use {
        let mut state = self.lock();
        let keeps = self.keep_alive.is_some() && !state.closed && state.protocol != Protocol::Demanded;
        let (shared, unused) = match &state.shared {
            Some(shared) if shared.is_open() => (Arc::clone(shared), Some(made)),
            _ if keeps => (Arc::clone(&made), state.shared.replace(made)),
            _ => (made, None),
        };
        drop(state);
        // When the lock is not held any more: its permit asks for it.
        drop(unused);
        self.settle(if keeps { Protocol::Unknown } else { Protocol::One });
        if keeps {
            self.reaper.some_idle();
        }
        shared.hold()
    }

    /// The server wants HTTP/1.1 from now on. Whoever uses the shared connection keeps it.
    pub fn demand_http1(&self) {
        let unused = self.lock().shared.take();
        drop(unused);
        self.settle(Protocol::Demanded);
    }

    /// Shares a connection with nobody else. It may be known to be of no use before it looks closed.
    pub fn discard(&self, shared: &Shared) {
        let unused = self.lock().shared.take_if(|kept| std::ptr::eq(&raw const **kept, shared));
        drop(unused);
    }

    pub fn demands_http1(&self) -> bool {
        self.lock().protocol == Protocol::Demanded
    }

    fn settle(&self, protocol: Protocol) {
        let mut state = self.lock();
        if state.protocol != Protocol::Demanded {
            state.protocol = protocol;
        }
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        for waiting in waiting {
            // Whoever has gone needs no news.
            let _ = waiting.send(News::Settled);
        }
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
            match waiting.send(News::Freed(connection)) {
                Ok(()) => return,
                Err(News::Freed(refused)) => connection = refused,
                Err(_) => unreachable!("it was a connection"),
            }
        }
        state.idle.push(connection);
        drop(state);
        self.reaper.some_idle();
    }

    /// Closes those that idle, now and in future.
    pub fn close(&self) {
        let unused = {
            let mut state = self.lock();
            state.closed = true;
            (std::mem::take(&mut state.idle), std::mem::take(&mut state.waiting), state.shared.take())
        };
        drop(unused);
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
        // What was seen of the server keeps one from being used, not from being open: it may outlive that.
        let (kept, over): (Vec<_>, Vec<_>) = state.idle.drain(..).partition(|connection| {
            let idle = Idle { hint: connection.hint, seen: None, rtt: connection.rtt };
            now - connection.idle_since < idle.bound(&keep_alive, false)
        });
        done.extend(over);
        for mut connection in kept {
            let idled = now - connection.idle_since;
            if connection.rest(&self.waker) {
                state.seen.outlived(idled);
                state.idle.push(connection);
            } else {
                seen = Some(seen.map_or(idled, |shortest| idled.min(shortest)));
                done.push(connection);
            }
        }
        if let Some(idled) = seen {
            state.seen.closed(idled, now - self.began);
        }
        let unused = state.shared.take_if(|shared| {
            let idle = Idle { hint: None, seen: None, rtt: shared.rtt };
            let bound = idle.bound(&keep_alive, false);
            !shared.is_open() || shared.idle_since().is_some_and(|since| now - since >= bound)
        });
        let left = state.idle.len() + usize::from(state.shared.is_some());
        drop(state);
        drop((done, unused));
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
        state.idle.is_empty() && state.shared.is_none() && state.open == 0 && state.waiting.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Held for a few operations on vectors, none of which can panic halfway.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
