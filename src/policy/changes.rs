//! What breakers did, kept for whoever wants to tell of it.
//!
//! A breaker changes under the lock of its origin, on whichever thread an attempt ended. Who listens must not run there:
//! it would hold up the calls to that origin, and could ask the policy something and wait for itself.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::breaker::BreakerState;
use super::lock;

/// The most that wait to be taken. Breakers change a few times in ten seconds; so many are there only where nobody
/// listens, and then the eldest are the ones to lose.
const MOST_WAITING: usize = 256;

/// A breaker is in another state than before.
#[derive(Debug, Clone, PartialEq)]
pub struct BreakerChange {
    pub origin: Arc<str>,
    pub from: BreakerState,
    pub to: BreakerState,
    /// By the policy's clock.
    pub at: Duration,
    /// How long it stays open.
    pub retry_in: Option<Duration>,
}

type Notify = Arc<dyn Fn() + Send + Sync>;

/// Shared by all origins of a policy.
#[derive(Default)]
pub(super) struct Changes {
    waiting: Mutex<VecDeque<BreakerChange>>,
    notify: Mutex<Option<Notify>>,
}

/// Something has come, and nothing was waiting before it.
#[must_use = "to be notified of when no lock is held"]
pub(super) struct News;

impl Changes {
    /// In the order in which they happened: to be called under the origin's lock.
    pub fn push(&self, change: BreakerChange) -> Option<News> {
        let mut waiting = lock(&self.waiting);
        if waiting.len() >= MOST_WAITING {
            waiting.pop_front();
        }
        waiting.push_back(change);
        (waiting.len() == 1).then_some(News)
    }

    pub fn notify(&self, _: News) {
        // Taken out, so that no lock is held while it runs.
        let notify = lock(&self.notify).clone();
        if let Some(notify) = notify {
            notify();
        }
    }

    /// Replaces who is told; at once, if something is waiting already.
    pub fn on_news(&self, notify: Notify) {
        *lock(&self.notify) = Some(notify);
        if !lock(&self.waiting).is_empty() {
            self.notify(News);
        }
    }

    pub fn take(&self) -> Vec<BreakerChange> {
        std::mem::take(&mut *lock(&self.waiting)).into()
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").field("waiting", &self.waiting).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn change(second: u64) -> BreakerChange {
        BreakerChange {
            origin: "http://a.example:80".into(),
            from: BreakerState::Open,
            to: BreakerState::HalfOpen,
            at: Duration::from_secs(second),
            retry_in: None,
        }
    }

    fn push(changes: &Changes, second: u64) {
        if let Some(news) = changes.push(change(second)) {
            changes.notify(news);
        }
    }

    /// Counts how often it is told, and asks something of the one that tells it.
    fn listen(changes: &Arc<Changes>) -> Arc<AtomicUsize> {
        let told = Arc::new(AtomicUsize::new(0));
        let (counter, asked) = (Arc::clone(&told), Arc::clone(changes));
        changes.on_news(Arc::new(move || {
            assert!(asked.waiting.try_lock().is_ok() && asked.notify.try_lock().is_ok(), "no lock is held");
            counter.fetch_add(1, Ordering::Relaxed);
        }));
        told
    }

    #[test]
    fn tells_once_for_all_that_gathers_before_it_is_taken() {
        let changes = Arc::new(Changes::default());
        let told = listen(&changes);
        push(&changes, 1);
        push(&changes, 2);
        assert_eq!(told.load(Ordering::Relaxed), 1);
        assert_eq!(changes.take(), [change(1), change(2)]);
        assert_eq!(changes.take(), []);
        push(&changes, 3);
        assert_eq!(told.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn who_listens_late_is_told_of_what_waits() {
        let changes = Arc::new(Changes::default());
        assert_eq!(listen(&changes).load(Ordering::Relaxed), 0);
        push(&changes, 1);
        assert_eq!(listen(&changes).load(Ordering::Relaxed), 1);
    }

    #[test]
    fn of_too_many_the_eldest_are_lost() {
        let changes = Changes::default();
        for second in 0..MOST_WAITING as u64 + 3 {
            push(&changes, second);
        }
        let taken = changes.take();
        assert_eq!(taken.len(), MOST_WAITING);
        assert_eq!((taken[0].at.as_secs(), taken[MOST_WAITING - 1].at.as_secs()), (3, MOST_WAITING as u64 + 2));
    }
}
