//! A plan in force: whom it chooses, and how often it has struck.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Draw, Plan};

/// Set in the count of strikes once the plan is removed. Both in one word: a strike that was reserved after
/// [`Standing::remove`] has returned would be one that nobody can explain.
const REMOVED: u64 = 1 << 63;

/// A plan that was added to a proxy. Shared by all its connections.
#[derive(Debug)]
pub(in crate::proxy) struct Standing {
    /// In order of add, from 1.
    pub(in crate::proxy) number: u32,
    pub(in crate::proxy) plan: Plan,
    seed: u64,
    /// Connections or exchanges that came by and fitted.
    opportunities: AtomicU64,
    /// Strikes, and whether there may be more.
    hits: AtomicU64,
}

impl Standing {
    pub(in crate::proxy) fn new(number: u32, plan: Plan, seed: u64) -> Self {
        let count = || AtomicU64::new(0);
        Self { number, plan, seed, opportunities: count(), hits: count() }
    }

    /// Does the plan speak of this connection at all?
    pub(in crate::proxy) fn fits_connection(&self, connection: u32) -> bool {
        self.plan.connections.as_ref().is_none_or(|listed| listed.contains(&connection))
    }

    /// A unit that fits has come by: is it one to strike? Ask once for each; `exchange` is 0 for a connection.
    pub(in crate::proxy) fn chooses(&self, connection: u32, exchange: u64) -> bool {
        let nth = self.opportunities.fetch_add(1, Ordering::Relaxed) + 1;
        nth.is_multiple_of(self.plan.every_nth) && self.draw(connection, exchange).unit() < self.plan.probability
    }

    /// Reserves one strike; `false`: all have been made, or the plan was removed. Only who reserves may strike, or `times` would be exceeded by
    /// as many connections as reach the point at once.
    pub(in crate::proxy) fn reserve(&self) -> bool {
        // A removed plan's count is beyond any of these.
        let most = self.plan.times.unwrap_or(REMOVED).min(REMOVED);
        let one_more = |hits| (hits < most).then_some(hits + 1);
        self.hits.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_ok()
    }

    pub(in crate::proxy) fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed) & !REMOVED
    }

    pub(in crate::proxy) fn remove(&self) {
        self.hits.fetch_or(REMOVED, Ordering::Relaxed);
    }

    pub(in crate::proxy) fn is_removed(&self) -> bool {
        self.hits.load(Ordering::Relaxed) & REMOVED != 0
    }

    pub(in crate::proxy) fn draw(&self, connection: u32, exchange: u64) -> Draw {
        Draw { seed: self.seed, fault: self.number, connection, exchange }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(options: &str) -> Standing {
        let json = format!(r#"{{ "type": "reset", "on": "request", {options} }}"#);
        Standing::new(1, Plan::from_json(&json).unwrap(), 7)
    }

    #[test]
    fn every_nth_takes_the_nth_and_its_multiples() {
        let standing = standing(r#""everyNth": 3"#);
        let chosen: Vec<_> = (1..=9).filter(|&connection| standing.chooses(connection, 0)).collect();
        assert_eq!(chosen, [3, 6, 9]);
    }

    #[test]
    fn times_is_a_limit_on_strikes() {
        let standing = standing(r#""times": 2"#);
        assert_eq!([standing.reserve(), standing.reserve(), standing.reserve()], [true, true, false]);
        assert_eq!(standing.hits(), 2);
    }

    #[test]
    fn what_is_removed_is_never_reserved_again() {
        let standing = standing(r#""everyNth": 1"#);
        assert!(standing.reserve() && !standing.is_removed());
        standing.remove();
        assert!(!standing.reserve() && standing.is_removed());
        assert_eq!(standing.hits(), 1);
    }

    #[test]
    fn only_the_listed_connections_fit() {
        let standing = standing(r#""connections": [2, 5]"#);
        let fitting: Vec<_> = (1..=6).filter(|&connection| standing.fits_connection(connection)).collect();
        assert_eq!(fitting, [2, 5]);
    }

    #[test]
    fn probability_does_not_depend_on_the_order() {
        let chosen = |connections: &mut dyn Iterator<Item = u32>| {
            let standing = standing(r#""probability": 0.5"#);
            let mut chosen: Vec<_> = connections.filter(|&connection| standing.chooses(connection, 0)).collect();
            chosen.sort_unstable();
            chosen
        };
        let forward = chosen(&mut (1..=100));
        assert_eq!(forward, chosen(&mut (1..=100).rev()));
        assert!((30..70).contains(&forward.len()), "{forward:?}");
        let never = standing(r#""probability": 0"#);
        let always = standing(r#""probability": 1"#);
        assert!((1..=100).all(|connection| !never.chooses(connection, 0) && always.chooses(connection, 0)));
    }
}
