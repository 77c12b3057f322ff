//! Closes the connections that nobody uses any more.
//!
//! A connection that idles costs its server a descriptor, and one that its peer has closed costs us one. Nobody polls
//! them: what happens to one wakes the alarm of its pool, and the one task here looks at the pools that were reported,
//! and once in a while at all of them for what has grown too old.

use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::origins::Origins;
use super::pool::Pool;

/// A connection in the making that nobody waits for any more.
pub(super) type Connecting = BoxFuture<'static, ()>;

/// How late a connection may be closed that has idled too long. It is not used meanwhile.
const EVERY: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(super) struct Reaper {
    /// Each pool at most once.
    reported: Mutex<Vec<Weak<Pool>>>,
    /// There may be connections that idle.
    some_idle: AtomicBool,
    abandoned: Mutex<Vec<Connecting>>,
    notify: Notify,
}

impl Reaper {
    /// A connection begins to idle.
    pub fn some_idle(&self) {
        if !self.some_idle.load(Ordering::Relaxed) && !self.some_idle.swap(true, Ordering::AcqRel) {
            self.notify.notify_one();
        }
    }

    /// Something happened to a connection of this pool's that idles.
    pub fn report(&self, pool: Weak<Pool>) {
        self.reported.lock().unwrap_or_else(PoisonError::into_inner).push(pool);
        self.notify.notify_one();
    }

    /// Takes a connection in the making over: what was begun is finished, and the pool has it then. Dropped halfway it
    /// would look like a failed handshake to the server.
    pub fn finish(&self, connecting: Connecting) {
        self.abandoned.lock().unwrap_or_else(PoisonError::into_inner).push(connecting);
        self.notify.notify_one();
    }

    /// Drops what it was to finish and has not begun with. Each holds its origin, which holds this: nobody else
    /// would end them.
    pub fn give_up(&self) {
        drop(std::mem::take(&mut *self.abandoned.lock().unwrap_or_else(PoisonError::into_inner)));
    }

    /// Runs until there are no origins any more.
    pub async fn run(self: Arc<Self>, origins: Weak<Origins>) {
        let mut next = Instant::now() + EVERY;
        let mut connecting = FuturesUnordered::new();
        loop {
            let look_around = async {
                match self.some_idle.load(Ordering::Acquire) {
                    true => sleep_until(next).await,
                    false => pending().await,
                }
            };
            tokio::select! {
                () = self.notify.notified() => {}
                () = look_around => {}
                Some(()) = connecting.next() => {}
            }
            connecting.extend(std::mem::take(&mut *self.abandoned.lock().unwrap_or_else(PoisonError::into_inner)));
            let reported = std::mem::take(&mut *self.reported.lock().unwrap_or_else(PoisonError::into_inner));
            for pool in reported.iter().filter_map(Weak::upgrade) {
                pool.sweep();
            }
            let Some(origins) = origins.upgrade() else {
                return;
            };
            if Instant::now() < next {
                continue;
            }
            // Before it looks: a connection that is given back meanwhile sets it again.
            self.some_idle.store(false, Ordering::Release);
            let left: usize = origins.pools().iter().map(|pool| pool.sweep()).sum();
            if left > 0 {
                self.some_idle.store(true, Ordering::Release);
            }
            next = Instant::now() + EVERY;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_gives_up_is_gone() {
        let reaper = Arc::<Reaper>::default();
        let holding = Arc::clone(&reaper);
        reaper.finish(Box::pin(async move {
            pending::<()>().await;
            drop(holding);
        }));
        assert_eq!(Arc::strong_count(&reaper), 2);
        reaper.give_up();
        assert_eq!(Arc::strong_count(&reaper), 1);
    }
}
