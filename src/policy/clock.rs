//! Time, as the policy is told it.
//!
//! Two clocks, because they answer different questions: spans (how long has this call run, how old is a token)
//! need one that never jumps, while a `Retry-After` date can only be compared with the wall clock.

use std::time::{Duration, Instant, SystemTime};

/// One reading of both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Since an arbitrary start. One [`Policy`](super::Policy) must always be given the same clock's readings.
    pub monotonic: Duration,
    /// Needed for `Retry-After` dates only.
    pub wall: SystemTime,
}

pub trait Clock: Send + Sync {
    fn now(&self) -> Now;
}

/// The clocks of this machine.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Instant,
    reading: Duration,
}

impl SystemClock {
    pub fn new() -> Self {
        Self::that_reads(Duration::ZERO)
    }

    /// One that goes on from what another clock says now.
    pub fn that_reads(reading: Duration) -> Self {
        Self { start: Instant::now(), reading }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Now {
        Now { monotonic: self.reading.saturating_add(self.start.elapsed()), wall: SystemTime::now() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_on_from_what_it_was_set_to() {
        const HOUR: Duration = Duration::from_secs(3_600);
        let clock = SystemClock::that_reads(HOUR);
        let first = clock.now().monotonic;
        assert!(first >= HOUR && first < HOUR + HOUR);
        assert!(clock.now().monotonic >= first);
        assert_eq!(SystemClock::that_reads(Duration::MAX).now().monotonic, Duration::MAX);
    }
}
