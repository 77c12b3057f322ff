//! The origins that a policy knows, found by name on every call.
//!
//! A program may talk to a great many origins in its life (a crawler, a webhook sender), and nothing tells it
//! to forget one. So the number remembered is bounded, and the origins that have been idle longest are
//! forgotten first. That is safe: an origin is worth remembering for the eleven seconds that its budget looks
//! back, and one that is called is never among the longest idle. Should thousands of others really be called
//! within that time, a forgotten origin gets a new reserve of retries and a breaker that is closed, nothing more;
//! calls under way keep the old ones.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::breaker::{Admission, BreakerOptions, Refused};
use super::changes::Changes;
use super::origin::Origin;
use super::{Now, lock};

/// About 300 bytes each, 450 with a breaker: below two megabytes in all.
const MOST_ORIGINS: usize = 4096;

#[derive(Debug)]
struct Entry {
    origin: Arc<Origin>,
    last_call: Duration,
}

/// All origins of a policy. One lock is enough: it is held for some 50 ns, never across a wait, and only eviction,
/// once in a thousand new origins, holds it for longer.
#[derive(Debug, Default)]
pub(super) struct Origins {
    entries: Mutex<HashMap<Arc<str>, Entry>>,
    changes: Arc<Changes>,
}

impl Origins {
    /// The origin, with one more call counted, and leave for its first attempt where there is a breaker to give it.
    /// Allocates only for an origin that is new.
    pub(super) fn call(
        &self,
        name: &str,
        now: Now,
        breaker: Option<&BreakerOptions>,
    ) -> (Arc<Origin>, Result<Option<Admission>, Refused>) {
        let origin = self.find(name, now.monotonic);
        let admission = origin.call(now, breaker);
        (origin, admission)
    }

    pub(super) fn find(&self, name: &str, now: Duration) -> Arc<Origin> {
        let mut entries = lock(&self.entries);
        if let Some(entry) = entries.get_mut(name) {
            entry.last_call = now;
            return entry.origin.clone();
        }
        if entries.len() >= MOST_ORIGINS {
            forget_idle(&mut entries);
        }
        let name: Arc<str> = name.into();
        let origin = Arc::new(Origin::new(Arc::clone(&name), Arc::clone(&self.changes)));
        entries.insert(name, Entry { origin: origin.clone(), last_call: now });
        origin
    }

    /// The origin, if it is remembered.
    pub(super) fn get(&self, name: &str) -> Option<Arc<Origin>> {
        lock(&self.entries).get(name).map(|entry| entry.origin.clone())
    }

    /// All of them, by name.
    pub(super) fn all(&self) -> Vec<(Arc<str>, Arc<Origin>)> {
        let mut all: Vec<_> =
            lock(&self.entries).iter().map(|(name, entry)| (name.clone(), entry.origin.clone())).collect();
        all.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        all
    }

    pub(super) fn changes(&self) -> &Changes {
        &self.changes
    }
}

/// Drops the quarter that was called longest ago. One at a time would search all of them for every new origin.
fn forget_idle(entries: &mut HashMap<Arc<str>, Entry>) {
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

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::policy::{BudgetOptions, Options};

    fn at(milliseconds: u64) -> Now {
        Now { monotonic: Duration::from_millis(milliseconds), wall: SystemTime::UNIX_EPOCH }
    }

    fn name(index: usize) -> String {
        format!("https://{index}.example:443")
    }

    fn call(origins: &Origins, name: &str, now: Now) -> Arc<Origin> {
        origins.call(name, now, None).0
    }

    fn len(origins: &Origins) -> usize {
        lock(&origins.entries).len()
    }

    #[test]
    fn one_origin_is_one_state() {
        let origins = Origins::default();
        let first = call(&origins, "http://a.example:80", at(0));
        let second = call(&origins, "http://a.example:80", at(1));
        let other = call(&origins, "http://a.example:8080", at(1));
        assert!(Arc::ptr_eq(&first, &second));
        assert!(!Arc::ptr_eq(&first, &other));
    }

    #[test]
    fn all_are_told_by_name() {
        let origins = Origins::default();
        for name in ["http://b.example", "http://a.example", "http://c.example"] {
            call(&origins, name, at(0));
        }
        let names: Vec<_> = origins.all().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["http://a.example".into(), "http://b.example".into(), Arc::<str>::from("http://c.example")]);
        assert!(origins.get("http://a.example").is_some() && origins.get("http://d.example").is_none());
    }

    #[test]
    fn never_remembers_more_than_the_bound() {
        let origins = Origins::default();
        for index in 0..3 * MOST_ORIGINS {
            call(&origins, &name(index), at(index as u64));
            assert!(len(&origins) <= MOST_ORIGINS);
        }
    }

    #[test]
    fn forgets_the_ones_idle_longest_and_keeps_the_others() {
        let origins = Origins::default();
        let busy = call(&origins, "https://busy.example:443", at(0));
        for index in 0..MOST_ORIGINS - 1 {
            call(&origins, &name(index), at(1 + index as u64));
        }
        call(&origins, "https://busy.example:443", at(100_000));
        call(&origins, "https://one-more.example:443", at(100_001));

        let entries = lock(&origins.entries);
        assert!(!entries.contains_key(name(0).as_str()));
        assert!(entries.contains_key(name(MOST_ORIGINS - 2).as_str()));
        assert!(Arc::ptr_eq(&entries["https://busy.example:443"].origin, &busy));
    }

    #[test]
    fn a_burst_in_one_moment_forgets_a_quarter_only() {
        let origins = Origins::default();
        for index in 0..=MOST_ORIGINS {
            call(&origins, &name(index), at(7));
        }
        assert_eq!(len(&origins), MOST_ORIGINS - MOST_ORIGINS / 4 + 1);
    }

    #[test]
    fn a_forgotten_origin_still_serves_the_calls_under_way() {
        let budget = Some(BudgetOptions { ratio: 0.0, per_second: 0.1 });
        let options = Options { budget, ..Options::default() };
        let origins = Origins::default();
        let held = call(&origins, "https://old.example:443", at(0));
        for index in 0..MOST_ORIGINS {
            call(&origins, &name(index), at(1 + index as u64));
        }
        assert!(!lock(&origins.entries).contains_key("https://old.example:443"));
        assert!(held.retry(Duration::ZERO, true, at(5), &options).is_ok());
        assert!(held.retry(Duration::ZERO, true, at(5), &options).is_err());
    }
}
