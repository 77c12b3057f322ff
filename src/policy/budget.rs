//! How many retries one origin may cost: a share of its calls, plus a few per second.
//!
//! A limit per call does not protect a server: when it fails under load, every call retries three times, and
//! the load that was too much becomes four times as much. It then stays down although each client behaves. A
//! share of the calls bounds the extra load whatever happens (20 %: at most 1.2 times), and a small rate beside
//! it keeps a quiet program, whose share would be nothing, able to retry at all. Finagle's `RetryBudget`, which
//! the figures come from, and tower's `TpsBudget` limit the same quantity.
//!
//! In any ten seconds that end with a retry:
//!
//! ```text
//! retries <= ratio x calls + per_second x 10
//! ```
//!
//! Calls and retries are counted in slots of one second. The slots do not line up with the ten seconds, so the
//! count leans to the safe side on both ends: calls are added up over 9 to 10 seconds, retries over 10 to 11.

use std::time::Duration;

use super::slots::Slots;

/// The share of retries, per origin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BudgetOptions {
    /// Retries for each call.
    pub ratio: f64,
    /// Retries for each second, however few the calls.
    pub per_second: f64,
}

impl Default for BudgetOptions {
    fn default() -> Self {
        Self { ratio: 0.2, per_second: 10.0 }
    }
}

/// How long a call allows for retries, in slots of one second. Long enough to even out bursts, short enough
/// that the good hours of a server do not pay for a storm when it fails.
const WINDOW: usize = 10;

/// One slot more than the window: the eldest is only partly inside it.
const SLOTS: usize = WINDOW + 1;

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    calls: u32,
    retries: u32,
}

/// What one origin was called and retried lately. The limits are the asker's: calls with different budgets
/// share the counts.
#[derive(Debug, Default)]
pub(super) struct Budget {
    /// Numbered by the second.
    slots: Slots<Slot, SLOTS>,
}

impl Budget {
    pub(super) fn call(&mut self, now: Duration) {
        self.calls(1, now);
    }

    pub(super) fn calls(&mut self, calls: u32, now: Duration) {
        let slot = self.slots.at(now.as_secs());
        slot.calls = slot.calls.saturating_add(calls);
    }

    /// Takes one retry out of the budget, if one is left.
    pub(super) fn withdraw(&mut self, now: Duration, limits: BudgetOptions) -> bool {
        if self.left(now, limits) == 0 {
            return false;
        }
        let slot = self.slots.at(now.as_secs());
        slot.retries = slot.retries.saturating_add(1);
        true
    }

    /// The retries that are left.
    pub(super) fn left(&mut self, now: Duration, limits: BudgetOptions) -> u32 {
        self.slots.at(now.as_secs());
        let calls: f64 = self.slots.newest_first().take(WINDOW).map(|slot| f64::from(slot.calls)).sum();
        let retries: f64 = self.slots.newest_first().map(|slot| f64::from(slot.retries)).sum();
        let allowed = limits.ratio * calls + limits.per_second * WINDOW as f64;
        // 0.29 x 100 is 28.999999999999996: without the margin, rounding would cost a retry. The conversion saturates.
        (allowed + 1e-6 - retries) as u32
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: BudgetOptions = BudgetOptions { ratio: 0.2, per_second: 10.0 };

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn withdraw_all(budget: &mut Budget, now: Duration, limits: BudgetOptions) -> u32 {
        let mut granted = 0;
        while budget.withdraw(now, limits) {
            granted += 1;
        }
        granted
    }

    #[test]
    fn without_calls_the_rate_alone_allows_ten_seconds_of_it() {
        let mut budget = Budget::default();
        assert_eq!(withdraw_all(&mut budget, at(0.0), LIMITS), 100);
    }

    #[test]
    fn every_fifth_call_allows_another_retry() {
        let mut budget = Budget::default();
        for _ in 0..499 {
            budget.call(at(3.0));
        }
        assert_eq!(withdraw_all(&mut budget, at(3.0), LIMITS), 199);
        budget.call(at(3.0));
        assert!(budget.withdraw(at(3.0), LIMITS));
        assert!(!budget.withdraw(at(3.0), LIMITS));
    }

    #[test]
    fn what_calls_allowed_expires_after_ten_seconds() {
        let mut budget = Budget::default();
        for _ in 0..1000 {
            budget.call(at(5.0));
        }
        let share_only = BudgetOptions { ratio: 0.2, per_second: 0.0 };
        assert!(budget.withdraw(at(14.9), share_only));
        assert!(!budget.withdraw(at(15.0), share_only));
    }

    #[test]
    fn what_retries_cost_is_forgotten_after_the_window_and_not_before() {
        let mut budget = Budget::default();
        assert_eq!(withdraw_all(&mut budget, at(0.9), LIMITS), 100);
        assert!(!budget.withdraw(at(10.9), LIMITS));
        assert_eq!(withdraw_all(&mut budget, at(11.0), LIMITS), 100);
    }

    #[test]
    fn a_budget_of_nothing_allows_nothing() {
        let nothing = BudgetOptions { ratio: 0.0, per_second: 0.0 };
        let mut budget = Budget::default();
        budget.call(at(1.0));
        assert!(!budget.withdraw(at(1.0), nothing));
    }

    #[test]
    fn a_fraction_is_not_lost_to_rounding() {
        let limits = BudgetOptions { ratio: 0.29, per_second: 0.0 };
        let mut budget = Budget::default();
        for _ in 0..100 {
            budget.call(at(1.0));
        }
        assert_eq!(withdraw_all(&mut budget, at(1.0), limits), 29);
    }

    #[test]
    fn what_is_left_is_what_can_be_withdrawn() {
        let limits = BudgetOptions { ratio: 0.25, per_second: 0.05 };
        let mut budget = Budget::default();
        assert_eq!(budget.left(at(1.0), limits), 0, "half a retry is none");
        for _ in 0..10 {
            budget.call(at(1.0));
        }
        assert_eq!(budget.left(at(1.0), limits), 3);
        assert!(budget.withdraw(at(1.0), limits));
        assert_eq!(budget.left(at(1.0), limits), 2);
        assert_eq!(budget.left(at(1.0), BudgetOptions { ratio: 0.0, ..limits }), 0, "a smaller budget is overdrawn");
        assert_eq!(budget.left(at(1.0), BudgetOptions { ratio: f64::MAX, ..limits }), u32::MAX);
    }

    #[test]
    fn a_reading_that_is_a_little_older_counts_into_the_open_slot() {
        let mut budget = Budget::default();
        assert_eq!(withdraw_all(&mut budget, at(20.1), LIMITS), 100);
        assert!(!budget.withdraw(at(19.9), LIMITS));
    }

    #[test]
    fn a_clock_that_starts_anew_starts_the_budget_anew() {
        let mut budget = Budget::default();
        assert_eq!(withdraw_all(&mut budget, at(5000.0), LIMITS), 100);
        assert!(budget.withdraw(at(0.0), LIMITS));
    }

    /// The formula as it is written above, with every moment remembered: slow, and exact.
    #[derive(Default)]
    struct Reference {
        calls: Vec<Duration>,
        retries: Vec<Duration>,
    }

    impl Reference {
        fn within(moments: &[Duration], now: Duration, seconds: u64) -> f64 {
            let window = Duration::from_secs(seconds);
            moments.iter().filter(|&&moment| moment + window > now).count() as f64
        }

        /// May a retry be taken, if calls are remembered for `calls_for` seconds and retries for `retries_for`?
        fn allows(&self, now: Duration, limits: BudgetOptions, calls_for: u64, retries_for: u64) -> bool {
            let allowed = limits.ratio * Self::within(&self.calls, now, calls_for) + limits.per_second * 10.0;
            Self::within(&self.retries, now, retries_for) + 1.0 <= allowed + 1e-6
        }
    }

    #[derive(Debug, Clone)]
    enum Event {
        Calls(u8),
        Retries(u8),
        Pass(Duration),
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let event = prop_oneof![
            (0_u8..40).prop_map(Event::Calls),
            (0_u8..40).prop_map(Event::Retries),
            (0_u64..4_000).prop_map(|ms| Event::Pass(Duration::from_millis(ms))),
        ];
        proptest::collection::vec(event, 1..40)
    }

    proptest! {
        /// Never more than the formula allows, in any ten seconds that end with a retry; and never a refusal
        /// that the formula with the slots' rounding does not explain.
        #[test]
        fn keeps_to_the_formula(
            events in events(),
            ratio in 0.0_f64..1.5,
            per_second in 0.0_f64..4.0,
        ) {
            let limits = BudgetOptions { ratio, per_second };
            let mut budget = Budget::default();
            let mut reference = Reference::default();
            let mut now = Duration::ZERO;
            for event in events {
                match event {
                    Event::Pass(span) => now += span,
                    Event::Calls(count) => for _ in 0..count {
                        budget.call(now);
                        reference.calls.push(now);
                    },
                    Event::Retries(count) => for _ in 0..count {
                        if budget.withdraw(now, limits) {
                            prop_assert!(reference.allows(now, limits, 10, 10));
                            reference.retries.push(now);
                        } else {
                            prop_assert!(!reference.allows(now, limits, 9, 11));
                        }
                    },
                }
            }
        }
    }
}
