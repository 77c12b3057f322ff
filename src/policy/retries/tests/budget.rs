//! What an origin's budget limits, and what draws nothing from it.

use super::*;

fn two_retries() -> Options {
    Options { budget: Some(BudgetOptions { ratio: 0.0, per_second: 0.2 }), ..Options::default() }
}

fn decide(retries: &mut Retries) -> Result<Duration, GaveUp> {
    delay(retries.decide(&reset(), request("GET"), None, false, at(0), &mut Highest))
}

#[test]
fn is_shared_by_the_calls_to_an_origin_and_by_no_other() {
    let policy = Policy::new(two_retries());
    let elsewhere = Policy::new(two_retries());
    let begin = |policy: &Policy, origin| policy.begin(origin, at(0));
    assert!(decide(&mut begin(&policy, ORIGIN)).is_ok());
    assert!(decide(&mut begin(&policy.with_options(two_retries()), ORIGIN)).is_ok());
    assert_eq!(decide(&mut begin(&policy, ORIGIN)), Err(GaveUp::BudgetExhausted));
    assert!(decide(&mut begin(&policy, "https://other.example:443")).is_ok());
    assert!(decide(&mut begin(&elsewhere, ORIGIN)).is_ok());
}

#[test]
fn grows_with_the_calls_that_begin() {
    let policy =
        Policy::new(Options { budget: Some(BudgetOptions { ratio: 0.5, per_second: 0.0 }), ..Options::default() });
    let mut first = policy.begin(ORIGIN, at(0));
    assert_eq!(decide(&mut first), Err(GaveUp::BudgetExhausted));
    let mut second = policy.begin(ORIGIN, at(0));
    assert!(decide(&mut second).is_ok());
    assert_eq!(decide(&mut second), Err(GaveUp::BudgetExhausted));
}

#[test]
fn is_not_charged_for_what_gives_up_anyway() {
    let policy = Policy::new(two_retries());
    for _ in 0..5 {
        let mut retries = policy.begin(ORIGIN, at(0));
        let post = retries.decide(&reset(), request("POST"), None, false, at(0), &mut Lowest);
        assert_eq!(why(post), Err(GaveUp::NotIdempotent));
        let late = asking(503, seconds(3600));
        let get = retries.decide(&late, request("GET"), None, false, at(0), &mut Lowest);
        assert_eq!(why(get), Err(GaveUp::RetryAfterTooLong));
    }
    let mut retries = policy.begin(ORIGIN, at(0));
    assert!(decide(&mut retries).is_ok());
    assert!(decide(&mut retries).is_ok());
    assert_eq!(decide(&mut retries), Err(GaveUp::BudgetExhausted));
}

#[test]
fn resuming_after_progress_is_free_and_the_next_retry_is_not() {
    let mut retries =
        begin(Options { budget: Some(BudgetOptions { ratio: 0.0, per_second: 0.0 }), ..Options::default() });
    for _ in 0..10 {
        retries.progressed();
        assert_eq!(decide(&mut retries), Ok(millis(100)));
    }
    assert_eq!(decide(&mut retries), Err(GaveUp::BudgetExhausted));
}

#[test]
fn can_be_switched_off() {
    let mut retries = begin(Options { budget: None, retries: 1_000, ..Options::default() });
    for _ in 0..1_000 {
        assert!(
            retries
                .decide(&reset(), request("GET"), None, false, at(0), &mut Lowest)
                .ne(&Decision::GiveUp(GaveUp::BudgetExhausted))
        );
    }
}

#[test]
fn after_a_redirect_the_new_origin_pays() {
    let policy = Policy::new(two_retries());
    let mut spender = policy.begin(ORIGIN, at(0));
    assert!(decide(&mut spender).is_ok());
    assert!(decide(&mut spender).is_ok());

    let mut moved = policy.begin(ORIGIN, at(0));
    moved.moved(&policy, "https://other.example:443", at(0));
    assert_eq!(decide(&mut moved), Ok(millis(100)));
    assert_eq!(moved.attempt(), 2);
    moved.moved(&policy, ORIGIN, at(0));
    assert_eq!(decide(&mut moved), Err(GaveUp::BudgetExhausted));
}
