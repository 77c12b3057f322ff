//! When a socket may come back to a host, so that not all of them do at once.
//!
//! Jitter spreads the sockets of many processes. Within one process more can be had: a thousand sockets whose server
//! restarts would, with the first backoff of 100 ms, be there again within 100 ms, all of them. Here they book their
//! attempts in one calendar for each host, in which every tenth of a second has a bounded number of places.
//!
//! First connections are not booked: how many of those a program begins at once is its own affair.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::policy::Random;

const SLOT: Duration = Duration::from_millis(100);
/// Of this process: a hundred reconnections a second to one host.
const PLACES: u32 = 10;

/// The calendars of all hosts that somebody waits for.
#[derive(Debug)]
pub struct Gate {
    began: Instant,
    /// In each slot.
    places: u32,
    hosts: Mutex<HashMap<Arc<str>, Calendar>>,
}

/// Places taken, by slot, from now on.
type Calendar = BTreeMap<u64, u32>;

impl Gate {
    /// `places`: attempts at each host in every tenth of a second.
    pub fn new(places: u32) -> Self {
        Gate { began: Instant::now(), places, hosts: Mutex::default() }
    }

    /// That of this process.
    pub fn shared() -> Arc<Gate> {
        static SHARED: OnceLock<Arc<Gate>> = OnceLock::new();
        Arc::clone(SHARED.get_or_init(|| Arc::new(Gate::new(PLACES))))
    }

    /// Books an attempt that is to begin after `delay`; returns after how long it may.
    pub fn book(&self, host: &Arc<str>, delay: Duration, random: &mut dyn Random) -> Duration {
        let now = self.began.elapsed();
        let current = slot(now);
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        // As many as there are hosts with waiting sockets: the others' last slots have passed.
        hosts.retain(|known, calendar| {
            *calendar = calendar.split_off(&current);
            known == host || !calendar.is_empty()
        });
        let calendar = hosts.entry(Arc::clone(host)).or_default();
        let wanted = slot(now + delay);
        let free = first_free(calendar, wanted, self.places);
        *calendar.entry(free).or_default() += 1;
        if free == wanted {
            return delay;
        }
        // Anywhere in it: those who were moved there must not begin together.
        let within = Duration::from_millis(random.below(SLOT.as_millis() as u64));
        (SLOT * u32::try_from(free).unwrap_or(u32::MAX) + within).saturating_sub(now)
    }
}

fn slot(at: Duration) -> u64 {
    u64::try_from(at.as_millis() / SLOT.as_millis()).unwrap_or(u64::MAX)
}

fn first_free(calendar: &Calendar, wanted: u64, places: u32) -> u64 {
    let mut free = wanted;
    for (&slot, &taken) in calendar.range(wanted..) {
        if slot > free || taken < places {
            break;
        }
        free = slot + 1;
    }
    free
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Backoff, FastRandom};

    fn book_all(gate: &Gate, host: &Arc<str>, count: usize) -> Vec<Duration> {
        let mut random = FastRandom;
        (0..count)
            .map(|_| {
                let delay = Backoff::default().delay(0, &mut random);
                let booked = gate.book(host, delay, &mut random);
                assert!(booked >= delay, "never earlier than the backoff wants");
                booked
            })
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_come_back_a_hundred_a_second() {
        let mut booked = book_all(&Gate::new(PLACES), &"a.test:1".into(), 1000);
        booked.sort_unstable();
        for second in 1..10_u32 {
            let until = Duration::from_secs(second.into());
            let there = booked.iter().filter(|at| **at < until).count();
            assert!(there.abs_diff(second as usize * 100) <= 10, "{there} in {until:?}");
        }
        assert!(booked[999] < Duration::from_millis(10_200));
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_wait_for_nothing_but_their_backoff() {
        let delay = Duration::from_millis(40);
        let gate = Gate::new(PLACES);
        let host: Arc<str> = "a.test:1".into();
        for _ in 0..PLACES {
            assert_eq!(gate.book(&host, delay, &mut FastRandom), delay);
        }
        assert!(gate.book(&host, delay, &mut FastRandom) >= SLOT);
        assert_eq!(gate.book(&"b.test:1".into(), delay, &mut FastRandom), delay, "each host has its own");
        assert_eq!(gate.book(&host, Duration::from_secs(9), &mut FastRandom), Duration::from_secs(9));
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_passed_is_forgotten() {
        let gate = Gate::new(PLACES);
        for host in 0..100 {
            book_all(&gate, &format!("{host}.test:1").into(), 20);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!(gate.hosts.lock().unwrap().len() <= 2);
    }
}
