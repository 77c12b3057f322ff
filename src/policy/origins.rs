//! What the calls to one origin share, found by the origin's name on every call.
//!
//! A program may talk to a great many origins in its life (a crawler, a webhook sender), and nothing tells it
//! to forget one. So the number remembered is bounded, and the origins that have been idle longest are
//! forgotten first. That is safe: an origin is worth remembering for the eleven seconds that its budget looks
//! back, and one that is called is never among the longest idle. Should thousands of others really be called
//! within that time, a forgotten origin gets a new reserve of retries, nothing more; calls under way keep the
//! old one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Now;
use super::budget::{Budget, BudgetOptions};

/// About 200 bytes each: below one megabyte in all.
const MOST_ORIGINS: usize = 4096;

/// One origin's state. A breaker sits here, beside the budget, when there is one.
#[derive(Debug, Default)]
pub(super) struct Origin {
    budget: Mutex<Budget>,
}

impl Origin {
    pub(super) fn withdraw(&self, now: Now, limits: BudgetOptions) -> bool {
        lock(&self.budget).withdraw(now.monotonic, limits)
    }
}

#[derive(Debug)]
struct Entry {
    origin: Arc<Origin>,
    last_call: Duration,
}

/// All origins of a policy. One lock is enough: it is held for some 50 ns, never across a wait, and only eviction,
/// once in a thousand new origins, holds it for longer.
#[derive(Debug, Default)]
pub(super) struct Origins {
    entries: Mutex<HashMap<Box<str>, Entry>>,
}

impl Origins {
    /// The origin's state, with one more call counted. Allocates only for an origin that is new.
    pub(super) fn call(&self, name: &str, now: Now) -> Arc<Origin> {
        let origin = self.find(name, now.monotonic);
        lock(&origin.budget).call(now.monotonic);
        origin
    }

    fn find(&self, name: &str, now: Duration) -> Arc<Origin> {
        let mut entries = lock(&self.entries);
        if let Some(entry) = entries.get_mut(name) {
            entry.last_call = now;
            return entry.origin.clone();
        }
        if entries.len() >= MOST_ORIGINS {
            forget_idle(&mut entries);
        }
        let origin = Arc::<Origin>::default();
        let entry = Entry { origin: origin.clone(), last_call: now };
        entries.insert(name.into(), entry);
        origin
    }
}

/// Drops the quarter that was called longest ago. One at a time would search all of them for every new origin.
fn forget_idle(entries: &mut HashMap<Box<str>, Entry>) {
    let mut calls: Vec<Duration> = entries.values().map(|entry| entry.last_call).collect();
    let (_, &mut limit, _) = calls.select_nth_unstable(MOST_ORIGINS / 4);
    let mut excess = MOST_ORIGINS / 4;
    // Many may share one moment: stop at the quarter, or a burst of new origins would forget all at once.
    entries.retain(|_, entry| {
        let forget = excess > 0 && entry.last_call <= limit;
        excess -= usize::from(forget);
        !forget
    });
}

/// A panic elsewhere leaves counts that are still counts: a poisoned lock is no reason to fail a call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn at(milliseconds: u64) -> Now {
        Now { monotonic: Duration::from_millis(milliseconds), wall: SystemTime::UNIX_EPOCH }
    }

    fn name(index: usize) -> String {
        format!("https://{index}.example:443")
    }

    fn len(origins: &Origins) -> usize {
        lock(&origins.entries).len()
    }

    #[test]
    fn one_origin_is_one_state() {
        let origins = Origins::default();
        let first = origins.call("http://a.example:80", at(0));
        let second = origins.call("http://a.example:80", at(1));
        let other = origins.call("http://a.example:8080", at(1));
        assert!(Arc::ptr_eq(&first, &second));
        assert!(!Arc::ptr_eq(&first, &other));
    }

    #[test]
    fn never_remembers_more_than_the_bound() {
        let origins = Origins::default();
        for index in 0..3 * MOST_ORIGINS {
            origins.call(&name(index), at(index as u64));
            assert!(len(&origins) <= MOST_ORIGINS);
        }
    }

    #[test]
    fn forgets_the_ones_idle_longest_and_keeps_the_others() {
        let origins = Origins::default();
        let busy = origins.call("https://busy.example:443", at(0));
        for index in 0..MOST_ORIGINS - 1 {
            origins.call(&name(index), at(1 + index as u64));
        }
        origins.call("https://busy.example:443", at(100_000));
        origins.call("https://one-more.example:443", at(100_001));

        let entries = lock(&origins.entries);
        assert!(!entries.contains_key(name(0).as_str()));
        assert!(entries.contains_key(name(MOST_ORIGINS - 2).as_str()));
        assert!(Arc::ptr_eq(&entries["https://busy.example:443"].origin, &busy));
    }

    #[test]
    fn a_burst_in_one_moment_forgets_a_quarter_only() {
        let origins = Origins::default();
        for index in 0..=MOST_ORIGINS {
            origins.call(&name(index), at(7));
        }
        assert_eq!(len(&origins), MOST_ORIGINS - MOST_ORIGINS / 4 + 1);
    }

    #[test]
    fn a_forgotten_origin_still_serves_the_calls_under_way() {
        let limits = BudgetOptions { ratio: 0.0, per_second: 0.1 };
        let origins = Origins::default();
        let held = origins.call("https://old.example:443", at(0));
        for index in 0..MOST_ORIGINS {
            origins.call(&name(index), at(1 + index as u64));
        }
        assert!(!lock(&origins.entries).contains_key("https://old.example:443"));
        assert!(held.withdraw(at(5), limits));
        assert!(!held.withdraw(at(5), limits));
    }
}
