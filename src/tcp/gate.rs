//! When a socket may come back to a host, so that not all of them do at once.
//!
//! Jitter spreads the sockets of many processes. Within one process more can be had: a thousand sockets whose server
//! restarts would, with the first backoff of 100 ms, be there again within 100 ms, all of them. Here they book their
//! attempts in one calendar for each host, in which every tenth of a second has a bounded number of places.
//!
//! First connections are not booked: how many of those a program begins at once is its own affair.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
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

/// An attempt's place in the calendar. Who drops it before its time gives it back: sockets that are destroyed while they wait,
/// as a program does that replaces them by new ones, must not keep the others waiting.
#[derive(Debug)]
#[must_use]
pub struct Place {
    gate: Arc<Gate>,
    host: Arc<str>,
    slot: u64,
    delay: Duration,
}

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

    /// Books an attempt that is to begin after `delay`, or later where there is no place.
    pub fn book(self: &Arc<Self>, host: &Arc<str>, delay: Duration, random: &mut dyn Random) -> Place {
        let now = self.began.elapsed();
        let current = slot(now);
        let mut hosts = self.lock();
        // As many as there are hosts with waiting sockets: the others' last slots have passed.
        hosts.retain(|known, calendar| {
            *calendar = calendar.split_off(&current);
            known == host || !calendar.is_empty()
        });
        let calendar = hosts.entry(Arc::clone(host)).or_default();
        let wanted = slot(now + delay);
        let free = first_free(calendar, wanted, self.places);
        *calendar.entry(free).or_default() += 1;
        let delay = if free == wanted {
            delay
        } else {
            // Anywhere in it: those who were moved there must not begin together.
            let within = Duration::from_millis(random.below(SLOT.as_millis() as u64));
            (SLOT * u32::try_from(free).unwrap_or(u32::MAX) + within).saturating_sub(now)
        };
        Place { gate: Arc::clone(self), host: Arc::clone(host), slot: free, delay }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Calendar>> {
        // A number that is one too high or too low delays somebody for a moment.
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// After how long the attempt may begin.
    pub fn delay(&self) -> Duration {
        self.delay
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if slot(self.gate.began.elapsed()) >= self.slot {
            // Its time has come: it was used.
            return;
        }
        if let Some(places) = self.gate.lock().get_mut(&self.host).and_then(|calendar| calendar.get_mut(&self.slot)) {
            *places = places.saturating_sub(1);
        }
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

    fn book_all(gate: &Arc<Gate>, host: &Arc<str>, count: usize) -> Vec<Place> {
        let mut random = FastRandom;
        (0..count)
            .map(|_| {
                let delay = Backoff::default().delay(0, &mut random);
                let place = gate.book(host, delay, &mut random);
                assert!(place.delay() >= delay, "never earlier than the backoff wants");
                place
            })
            .collect()
    }

    fn gate() -> Arc<Gate> {
        Arc::new(Gate::new(PLACES))
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_come_back_a_hundred_a_second() {
        let places = book_all(&gate(), &"a.test:1".into(), 1000);
        let mut booked: Vec<Duration> = places.iter().map(Place::delay).collect();
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
        let gate = gate();
        let host: Arc<str> = "a.test:1".into();
        let delay_of = |host: &Arc<str>, delay| {
            let place = gate.book(host, delay, &mut FastRandom);
            let booked = place.delay();
            std::mem::forget(place);
            booked
        };
        let delay = Duration::from_millis(40);
        for _ in 0..PLACES {
            assert_eq!(delay_of(&host, delay), delay);
        }
        assert!(delay_of(&host, delay) >= SLOT);
        assert_eq!(delay_of(&"b.test:1".into(), delay), delay, "each host has its own");
        assert_eq!(delay_of(&host, Duration::from_secs(9)), Duration::from_secs(9));
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_waiting_gives_its_place_back() {
        let gate = gate();
        let host: Arc<str> = "a.test:1".into();
        drop(book_all(&gate, &host, 1000));
        let places = book_all(&gate, &host, 100);
        assert!(places.iter().all(|place| place.delay() < Duration::from_millis(1200)));
        // One whose time has come has been used, whenever it is dropped.
        tokio::time::advance(SLOT * 20).await;
        drop(places);
        assert!(book_all(&gate, &host, 1)[0].delay() <= SLOT);
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_passed_is_forgotten() {
        let gate = gate();
        for host in 0..100 {
            let _places = book_all(&gate, &format!("{host}.test:1").into(), 20);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!(gate.lock().len() <= 2);
    }
}
