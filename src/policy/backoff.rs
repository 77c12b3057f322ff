//! The wait before a retry: exponential, with full jitter.
//!
//! Clients that failed together come back together, and a server that was about to recover meets the same wave
//! again. Drawing the whole wait at random, `[0, ceiling]`, spreads them best for the work it costs (Marc
//! Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: full jitter needs the fewest calls of
//! the variants compared); doubling the ceiling makes room for a server that needs longer.

use std::time::Duration;

use super::Random;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The ceiling of the first wait.
    pub base: Duration,
    /// No ceiling is higher.
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            base: Duration::from_millis(100),
            cap: Duration::from_secs(10),
        }
    }
}

impl Backoff {
    /// The wait before the retry that follows `retries` earlier ones. Whole milliseconds: the timers of Node and
    /// of tokio count no finer.
    pub fn delay(&self, retries: u32, random: &mut dyn Random) -> Duration {
        let ceiling = u64::try_from(self.ceiling(retries).as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(random.below(ceiling.saturating_add(1)))
    }

    fn ceiling(&self, retries: u32) -> Duration {
        // Past 2^31 the factor stays: a base of 5 us has by then reached three hours, and `cap` is what limits.
        let factor = 1_u32 << retries.min(31);
        self.base.saturating_mul(factor).min(self.cap)
    }
}
