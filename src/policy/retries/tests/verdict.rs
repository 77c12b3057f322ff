//! What a `shouldRetry` hook overrides, and what limits it.

use super::*;

fn decide(fault: &Fault, request: Repeatable<'_>, verdict: bool, options: Options) -> Result<Why, GaveUp> {
    let mut retries = begin(options);
    why(retries.decide(fault, request, Some(verdict), false, at(0), &mut Lowest))
}

#[test]
fn yes_overrides_transience_statuses_and_methods() {
    let bug = fault("ERR_BUG", Kind::Unknown, Delivery::Unknown, false);
    let yes = |fault: &Fault, method| decide(fault, request(method), true, Options::default());
    assert_eq!(yes(&bug, "POST"), Ok(Why::ShouldRetry));
    assert_eq!(yes(&answered(404), "POST"), Ok(Why::ShouldRetry));
    assert_eq!(yes(&answered(500), "PUT"), Ok(Why::ShouldRetry));
    assert_eq!(yes(&answered(404), "GET"), Ok(Why::IdempotentMethod));
}

#[test]
fn yes_is_limited_by_body_and_attempts() {
    let spent = Repeatable { body_replays: false, ..request("POST") };
    assert_eq!(decide(&reset(), spent, true, Options::default()), Err(GaveUp::BodyNotReplayable));
    let none = Options { retries: 0, ..Options::default() };
    assert_eq!(decide(&reset(), request("GET"), true, none), Err(GaveUp::AttemptsExhausted));
}

#[test]
fn no_ends_what_would_be_retried() {
    assert_eq!(decide(&refused(), request("GET"), false, Options::default()), Err(GaveUp::NotTransient));
}
