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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Remembers the bound it was asked for and draws the highest number below it.
    struct Highest(u64);

    impl Random for Highest {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 = bound;
            bound - 1
        }
    }

    fn longest(backoff: Backoff, retries: u32) -> Duration {
        backoff.delay(retries, &mut Highest(0))
    }

    #[test]
    fn the_default_doubles_from_100_ms_to_10_s() {
        let ceilings: Vec<u128> = (0..10)
            .map(|retries| longest(Backoff::default(), retries).as_millis())
            .collect();
        assert_eq!(
            ceilings,
            [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]
        );
    }

    #[test]
    fn the_jitter_is_full() {
        let mut random = Highest(0);
        Backoff::default().delay(0, &mut random);
        // 0 to 100 ms, both included: 101 numbers.
        assert_eq!(random.0, 101);
    }

    #[test]
    fn a_base_of_zero_never_waits() {
        let backoff = Backoff {
            base: Duration::ZERO,
            ..Backoff::default()
        };
        assert_eq!(longest(backoff, 50), Duration::ZERO);
    }

    #[test]
    fn a_cap_below_the_base_is_what_limits() {
        let backoff = Backoff {
            base: Duration::from_secs(1),
            cap: Duration::from_millis(10),
        };
        assert_eq!(longest(backoff, 0), Duration::from_millis(10));
    }

    proptest! {
        #[test]
        fn never_more_than_the_cap_nor_less_than_before(
            base in 0_u64..=u64::MAX,
            cap in 0_u64..=u64::MAX,
            retries in prop_oneof![0_u32..70, Just(u32::MAX - 1)],
            drawn in any::<u64>(),
        ) {
            struct Drawn(u64);
            impl Random for Drawn {
                fn below(&mut self, bound: u64) -> u64 {
                    self.0 % bound
                }
            }
            let backoff = Backoff { base: Duration::from_millis(base), cap: Duration::from_millis(cap) };
            let ceiling = longest(backoff, retries);
            prop_assert!(ceiling <= backoff.cap);
            prop_assert!(ceiling <= longest(backoff, retries + 1));
            prop_assert!(backoff.delay(retries, &mut Drawn(drawn)) <= ceiling);
            if retries == 0 {
                // One millisecond is out of reach only where the number of milliseconds is the largest there is.
                prop_assert!(ceiling + Duration::from_millis(1) >= backoff.base.min(backoff.cap));
            }
        }
    }
}
