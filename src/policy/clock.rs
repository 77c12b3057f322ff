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
}

impl SystemClock {
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Now {
        Now { monotonic: self.start.elapsed(), wall: SystemTime::now() }
    }
}
