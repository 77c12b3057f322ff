//! Whether there is another attempt, and when.
//!
//! The rules are those of [`crate::policy`] where they fit a connection that is to last: full jitter, a number of retries, a
//! time. What is their own is when the counting begins anew: not when a connection is made, but when it has proved itself.
//! A server that accepts and closes at once would otherwise be met at full speed for ever.

use std::time::Duration;

use crate::fault::{Fault, Phase};
use crate::policy::{Backoff, GaveUp, Random};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reconnect {
    /// Attempts after one that failed, or a connection that was lost. `u32::MAX`: without end.
    pub retries: u32,
    pub backoff: Backoff,
    /// No attempt begins later than this after the first failure or the loss; `None`: without end.
    pub within: Option<Duration>,
}

impl Default for Reconnect {
    fn default() -> Self {
        Reconnect { retries: u32::MAX, backoff: Backoff::default(), within: None }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// `attempt` counts from 1.
    Attempt {
        attempt: u32,
        delay: Duration,
    },
    Never(GaveUp),
}

/// The attempts since a connection last proved itself.
#[derive(Debug)]
pub struct Attempts {
    rules: Reconnect,
    made: u32,
    since: Option<Duration>,
    /// The name has had an address at least once.
    resolved: bool,
}

impl Attempts {
    pub fn new(rules: Reconnect) -> Self {
        Attempts { rules, made: 0, since: None, resolved: false }
    }

    /// An attempt failed, or a connection was lost.
    pub fn failed(&mut self, fault: &Fault, now: Duration, random: &mut dyn Random) -> Next {
        self.since.get_or_insert(now);
        self.resolved |= fault.phase != Phase::Resolve;
        if !fault.transient || self.names_nobody(fault) {
            return Next::Never(GaveUp::NotTransient);
        }
        if self.made >= self.rules.retries {
            return Next::Never(GaveUp::AttemptsExhausted);
        }
        let delay = self.rules.backoff.delay(self.made, random);
        if self.is_too_late(now + delay) {
            return Next::Never(GaveUp::OutOfTime);
        }
        self.made = self.made.saturating_add(1);
        Next::Attempt { attempt: self.made, delay }
    }

    /// An attempt must not begin at this time any more.
    pub fn is_too_late(&self, at: Duration) -> bool {
        let Some(within) = self.rules.within else { return false };
        self.since.is_some_and(|since| at.saturating_sub(since) > within)
    }

    pub fn has_resolved(&mut self) {
        self.resolved = true;
    }

    /// A connection has proved itself: the next loss begins a story of its own.
    pub fn proved(&mut self) {
        (self.made, self.since) = (0, None);
    }

    /// The attempts made since then.
    pub fn made(&self) -> u32 {
        self.made
    }

    /// A name that had no address in a whole round of backoff, up to its cap, and never before, is misspelt rather than
    /// being registered at this moment.
    fn names_nobody(&self, fault: &Fault) -> bool {
        let Backoff { base, cap } = self.rules.backoff;
        let round = (0..31).find(|&step| base.saturating_mul(1 << step) >= cap).unwrap_or(31);
        fault.code == "ENOTFOUND" && !self.resolved && self.made >= round
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Delivery;

    /// Draws the highest number there is.
    struct Highest;

    impl Random for Highest {
        fn below(&mut self, bound: u64) -> u64 {
            bound.saturating_sub(1)
        }
    }

    fn fault(code: &'static str, phase: Phase) -> Fault {
        Fault::new(code, phase, Delivery::NotSent)
    }

    fn refused() -> Fault {
        fault("ECONNREFUSED", Phase::Connect)
    }

    #[test]
    fn waits_grow_until_a_connection_proves_itself() {
        let mut attempts = Attempts::new(Reconnect::default());
        let mut next = || match attempts.failed(&refused(), Duration::ZERO, &mut Highest) {
            Next::Attempt { attempt, delay } => (attempt, delay.as_millis()),
            Next::Never(reason) => panic!("{reason}"),
        };
        assert_eq!([next(), next(), next()], [(1, 100), (2, 200), (3, 400)]);
        attempts.proved();
        let again = attempts.failed(&refused(), Duration::ZERO, &mut Highest);
        assert_eq!(again, Next::Attempt { attempt: 1, delay: Duration::from_millis(100) });
    }

    #[test]
    fn by_default_there_is_no_end() {
        let mut attempts = Attempts::new(Reconnect::default());
        for day in 0..1000 {
            let next = attempts.failed(&refused(), Duration::from_secs(day * 86_400), &mut Highest);
            assert!(matches!(next, Next::Attempt { .. }));
        }
    }

    #[test]
    fn retries_and_time_are_limits() {
        let mut attempts = Attempts::new(Reconnect { retries: 1, ..Reconnect::default() });
        assert!(matches!(attempts.failed(&refused(), Duration::ZERO, &mut Highest), Next::Attempt { .. }));
        let next = attempts.failed(&refused(), Duration::ZERO, &mut Highest);
        assert_eq!(next, Next::Never(GaveUp::AttemptsExhausted));

        let within = Some(Duration::from_secs(1));
        let mut attempts = Attempts::new(Reconnect { within, ..Reconnect::default() });
        let mut at = |ms| attempts.failed(&refused(), Duration::from_millis(ms), &mut Highest);
        assert!(matches!(at(5000), Next::Attempt { .. }));
        assert!(matches!(at(5800), Next::Attempt { .. }));
        assert_eq!(at(5801), Next::Never(GaveUp::OutOfTime), "it would wait for 400 ms");
    }

    #[test]
    fn what_would_fail_again_ends_at_once() {
        let mut attempts = Attempts::new(Reconnect::default());
        let next = attempts.failed(&fault("CERT_HAS_EXPIRED", Phase::Handshake), Duration::ZERO, &mut Highest);
        assert_eq!(next, Next::Never(GaveUp::NotTransient));
    }

    #[test]
    fn a_name_that_never_had_an_address_is_given_one_round() {
        let unknown = fault("ENOTFOUND", Phase::Resolve);
        let rounds = |attempts: &mut Attempts| {
            (0..20).take_while(|_| attempts.failed(&unknown, Duration::ZERO, &mut Highest) != NOBODY).count()
        };
        const NOBODY: Next = Next::Never(GaveUp::NotTransient);
        assert_eq!(rounds(&mut Attempts::new(Reconnect::default())), 7, "100 ms, 200 ms, ... 6.4 s");
        let mut known = Attempts::new(Reconnect::default());
        known.has_resolved();
        assert_eq!(rounds(&mut known), 20);
    }
}
