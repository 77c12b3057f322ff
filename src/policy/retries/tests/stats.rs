//! What is counted of the calls.

use super::*;
use crate::policy::Counts;

fn counts(policy: &Policy) -> Counts {
    policy.stats(at(0))[0].1.counts
}

fn decide(retries: &mut Retries, fault: &Fault) -> Result<Duration, GaveUp> {
    delay(retries.decide(fault, request("GET"), None, false, at(0), &mut Lowest))
}

#[test]
fn calls_count_once_however_they_begin() {
    let policy = Policy::new(Options::default());
    policy.begin(ORIGIN, at(0)).succeeded(Some(200), at(0));
    let admission = policy.count(ORIGIN, at(0)).unwrap();
    policy.take_up(ORIGIN, at(0), admission);
    assert_eq!(counts(&policy), Counts { calls: 2, ..Counts::default() });
}

#[test]
fn a_call_that_is_answered_after_failures_is_one_recovered() {
    let policy = Policy::new(Options::default());
    let mut retries = policy.begin(ORIGIN, at(0));
    decide(&mut retries, &reset()).unwrap();
    let stale = retries.decide(&reset(), request("GET"), None, true, at(0), &mut Lowest);
    assert_eq!(why(stale), Ok(Why::StaleConnection));
    assert!(retries.is_watched());
    retries.succeeded(Some(200), at(0));
    assert!(!retries.is_watched());
    // Its body broke, and went on.
    retries.progressed();
    decide(&mut retries, &reset()).unwrap();
    retries.succeeded(Some(206), at(0));
    assert_eq!(counts(&policy), Counts { calls: 1, retries: 3, recovered: 1, ..Counts::default() });
}

#[test]
fn a_call_gives_up_once() {
    let policy = Policy::new(Options { retries: 1, ..Options::default() });
    let mut retries = policy.begin(ORIGIN, at(0));
    decide(&mut retries, &reset()).unwrap();
    assert_eq!(decide(&mut retries, &reset()), Err(GaveUp::AttemptsExhausted));
    retries.gave_up(GaveUp::AttemptsExhausted);
    assert_eq!(counts(&policy), Counts { calls: 1, retries: 1, gave_up: 1, ..Counts::default() });
}

#[test]
fn an_abort_is_not_giving_up() {
    let policy = Policy::new(Options::default());
    let aborted = Fault::new("ABORT_ERR", Phase::Wait, Delivery::Unknown);
    assert_eq!(decide(&mut policy.begin(ORIGIN, at(0)), &aborted), Err(GaveUp::Aborted));
    policy.begin(ORIGIN, at(0)).abandon();
    assert_eq!(counts(&policy), Counts { calls: 2, ..Counts::default() });
}

#[test]
fn a_status_that_nobody_asked_to_repeat_is_an_answer() {
    let policy = Policy::new(Options::default());
    let mut retries = policy.begin(ORIGIN, at(0));
    assert_eq!(decide(&mut retries, &answered(404)), Err(GaveUp::NotTransient));
    let mut retries = policy.begin(ORIGIN, at(0));
    decide(&mut retries, &reset()).unwrap();
    assert_eq!(decide(&mut retries, &answered(404)), Err(GaveUp::NotTransient));
    retries.succeeded(Some(404), at(0));
    assert_eq!(counts(&policy), Counts { calls: 2, retries: 1, recovered: 1, ..Counts::default() });

    let asked = policy.begin(ORIGIN, at(0)).decide(&answered(503), request("POST"), None, false, at(0), &mut Lowest);
    assert_eq!(why(asked), Err(GaveUp::NotIdempotent));
    assert_eq!(counts(&policy).gave_up, 1);
}

#[test]
fn what_the_breaker_refuses_is_counted_apart() {
    let breaker = BreakerOptions { min_calls: 1, ..BreakerOptions::default() };
    let policy = Policy::new(Options { breaker: Some(breaker), ..Options::default() });
    let admission = policy.count(ORIGIN, at(0)).unwrap();
    let mut opens = policy.take_up(ORIGIN, at(0), admission);
    assert_eq!(decide(&mut opens, &reset()), Err(GaveUp::BreakerOpen));
    assert!(policy.count(ORIGIN, at(0)).is_err());
    assert!(policy.begin(ORIGIN, at(0)).admit(at(0)).is_err());
    assert_eq!(counts(&policy), Counts { calls: 3, gave_up: 3, refused: 3, ..Counts::default() });
}

#[test]
fn the_budget_is_what_is_left_under_the_policys_own_options() {
    let one = BudgetOptions { ratio: 0.0, per_second: 0.3 };
    let policy = Policy::new(Options { budget: Some(one), ..Options::default() });
    let mut retries = policy.begin(ORIGIN, at(0));
    decide(&mut retries, &reset()).unwrap();
    assert_eq!(policy.stats(at(0))[0].1.budget, Some(2));
    assert_eq!(policy.stats(at(11_000))[0].1.budget, Some(3));
    let unlimited = policy.with_options(Options { budget: None, ..Options::default() });
    assert_eq!(unlimited.stats(at(0))[0].1.budget, None);
}
