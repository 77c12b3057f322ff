//! What holds for every call, whatever happens to it.

use proptest::prelude::*;

use super::*;

fn any_delivery() -> impl Strategy<Value = Delivery> {
    prop_oneof![Just(Delivery::NotSent), Just(Delivery::Unknown), Just(Delivery::Answered)]
}

fn any_fault() -> impl Strategy<Value = Fault> {
    let kind = prop_oneof![
        Just(Kind::Reset),
        Just(Kind::Closed),
        Just(Kind::Timeout),
        Just(Kind::Unknown),
        Just(Kind::Aborted)
    ];
    let broken = (kind, any_delivery(), any::<bool>())
        .prop_map(|(kind, delivery, transient)| fault("CODE", kind, delivery, transient));
    let status = prop_oneof![Just(425_u16), Just(500), Just(503), 400_u16..600];
    let refusal = (status, proptest::option::of(0_u64..120))
        .prop_map(|(status, wish)| Fault { retry_after: wish.map(seconds), ..answered(status) });
    prop_oneof![broken, refusal]
}

fn any_options() -> impl Strategy<Value = Options> {
    (
        0_u32..6,
        0_u64..2_000,
        0_u64..20_000,
        0_u64..90_000,
        any::<bool>(),
        proptest::option::of((0.0_f64..1.0, 0.0_f64..1.0)),
    )
        .prop_map(|(retries, base, cap, within, respect_retry_after, budget)| Options {
            retries,
            backoff: Backoff { base: millis(base), cap: millis(cap) },
            within: millis(within),
            respect_retry_after,
            budget: budget.map(|(ratio, per_second)| BudgetOptions { ratio, per_second }),
            ..Options::default()
        })
}

/// One attempt's end: how long it ran, how it failed, on a reused connection or not, and the jitter drawn.
fn any_attempts() -> impl Strategy<Value = Vec<(u64, Fault, bool, u64)>> {
    proptest::collection::vec((0_u64..20_000, any_fault(), any::<bool>(), any::<u64>()), 1..20)
}

/// Draws the given number, reduced to the bound.
struct Drawn(u64);

impl Random for Drawn {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 % bound.max(1)
    }
}

proptest! {
    #[test]
    fn a_call_stays_within_its_attempts_and_its_time(
        options in any_options(),
        attempts in any_attempts(),
    ) {
        let mut retries = begin(options.clone());
        let mut now = at(0);
        let mut granted = 0;
        for (took, fault, stale, drawn) in attempts {
            now = at(now.monotonic.as_millis() as u64 + took);
            let decision = retries.decide(&fault, request("GET"), None, stale, now, &mut Drawn(drawn));
            let Decision::Retry { delay, why, fresh_connection } = decision else { break };
            granted += 1;
            now = at((now.monotonic + delay).as_millis() as u64);
            prop_assert!(now.monotonic <= options.within);
            prop_assert!(!retries.out_of_time(now));
            if why == Why::StaleConnection {
                prop_assert!(stale && fresh_connection && delay.is_zero());
            } else if let (true, Some(RetryAfter::Delay(asked))) = (options.respect_retry_after, fault.retry_after) {
                prop_assert!(delay >= asked);
            } else {
                prop_assert!(delay <= options.backoff.cap);
            }
            prop_assert_eq!(retries.attempt(), granted + 1);
        }
        // One more for a stale connection, and none at all where no retry is wanted.
        let most = if options.retries == 0 { 0 } else { options.retries + 1 };
        prop_assert!(granted <= most);
    }

    #[test]
    fn a_post_that_may_have_arrived_is_never_repeated_unasked(
        options in any_options(),
        statuses in proptest::option::of(proptest::collection::vec(400_u16..600, 0..20)),
        attempts in any_attempts(),
        no in proptest::option::of(Just(false)),
        body_replays in any::<bool>(),
        resumed in any::<bool>(),
    ) {
        let options = Options { statuses: statuses.map(StatusSet::from_iter), ..options };
        let mut retries = begin(options);
        for (at_ms, fault, stale, drawn) in attempts {
            if resumed {
                retries.progressed();
            }
            let post = Repeatable { body_replays, ..request("POST") };
            let decision = retries.decide(&fault, post, no, stale, at(at_ms), &mut Drawn(drawn));
            if fault.delivery != Delivery::NotSent && fault.status != Some(425) {
                prop_assert!(matches!(decision, Decision::GiveUp(_)), "{decision:?} after {fault:?}");
            }
        }
    }
}
