//! The immediate retry when a reused connection was dead.

use super::*;

fn decide(retries: &mut Retries, fault: &Fault, method: &str, stale: bool) -> Decision {
    retries.decide(fault, request(method), None, stale, at(0), &mut Highest)
}

const AT_ONCE: Decision = Decision::Retry {
    delay: Duration::ZERO,
    fresh_connection: true,
    why: Why::StaleConnection,
};

#[test]
fn is_repeated_at_once_on_a_fresh_one_beside_the_other_retries() {
    let mut retries = begin(Options {
        retries: 2,
        ..Options::default()
    });
    assert_eq!(decide(&mut retries, &reset(), "GET", true), AT_ONCE);
    assert_eq!(retries.attempt(), 2);
    for ceiling in [100, 200] {
        let decision = decide(&mut retries, &reset(), "GET", false);
        let expected = Decision::Retry {
            delay: millis(ceiling),
            fresh_connection: true,
            why: Why::IdempotentMethod,
        };
        assert_eq!(decision, expected);
    }
    assert_eq!(
        decide(&mut retries, &reset(), "GET", false),
        Decision::GiveUp(GaveUp::AttemptsExhausted)
    );
}

#[test]
fn is_repeated_at_once_only_once() {
    let mut retries = begin(Options::default());
    assert_eq!(decide(&mut retries, &reset(), "GET", true), AT_ONCE);
    let again = decide(&mut retries, &reset(), "GET", true);
    assert_eq!(delay(again), Ok(millis(100)));
}

#[test]
fn is_repeated_after_the_other_retries_are_used_up() {
    let mut retries = begin(Options {
        retries: 1,
        ..Options::default()
    });
    assert!(delay(decide(&mut retries, &refused(), "GET", false)).is_ok());
    assert_eq!(decide(&mut retries, &reset(), "GET", true), AT_ONCE);
}

#[test]
fn is_not_repeated_where_the_call_must_not_be() {
    let mut retries = begin(Options::default());
    let post = decide(&mut retries, &reset(), "POST", true);
    assert_eq!(why(post), Err(GaveUp::NotIdempotent));

    let mut never = begin(Options {
        retries: 0,
        ..Options::default()
    });
    let get = decide(&mut never, &reset(), "GET", true);
    assert_eq!(why(get), Err(GaveUp::AttemptsExhausted));

    let mut late = begin(Options::default());
    let get = late.decide(
        &reset(),
        request("GET"),
        None,
        true,
        at(60_001),
        &mut Lowest,
    );
    assert_eq!(why(get), Err(GaveUp::OutOfTime));
}

#[test]
fn explains_neither_a_timeout_nor_a_broken_answer() {
    let timeout = fault("ETIMEDOUT", Kind::Timeout, Delivery::Unknown, true);
    let broken = fault("ECONNRESET", Kind::Reset, Delivery::Answered, true);
    for fault in [timeout, broken, answered(503)] {
        let decision = decide(&mut begin(Options::default()), &fault, "GET", true);
        assert_eq!(delay(decision), Ok(millis(100)), "{fault:?}");
    }
}

#[test]
fn costs_no_budget() {
    let mut retries = begin(Options {
        budget: Some(BudgetOptions {
            ratio: 0.0,
            per_second: 0.0,
        }),
        ..Options::default()
    });
    assert_eq!(decide(&mut retries, &reset(), "GET", true), AT_ONCE);
    assert_eq!(
        why(decide(&mut retries, &reset(), "GET", false)),
        Err(GaveUp::BudgetExhausted)
    );
}

#[test]
fn is_repeated_at_once_again_after_a_redirect_to_another_origin() {
    let policy = Policy::new(Options::default());
    let mut retries = policy.begin(ORIGIN, at(0));
    assert_eq!(decide(&mut retries, &reset(), "GET", true), AT_ONCE);
    retries.moved(&policy, "https://other.example:443", at(0));
    assert_eq!(decide(&mut retries, &reset(), "GET", true), AT_ONCE);
}
