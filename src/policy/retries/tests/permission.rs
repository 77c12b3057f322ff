//! Which calls may be repeated at all.

use super::*;

#[test]
fn what_was_not_sent_is_repeated_whatever_the_method() {
    for method in ["GET", "POST", "PATCH", "BREW"] {
        let decision = first_by_default(&refused(), request(method));
        assert_eq!(why(decision), Ok(Why::NotSent), "{method}");
    }
    let declared_not = Repeatable { declared: Some(false), ..request("GET") };
    assert_eq!(why(first_by_default(&refused(), declared_not)), Ok(Why::NotSent));
}

#[test]
fn what_may_have_arrived_is_repeated_for_the_idempotent_methods_of_rfc_9110() {
    for method in ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "get"] {
        let decision = first_by_default(&reset(), request(method));
        assert_eq!(why(decision), Ok(Why::IdempotentMethod), "{method}");
    }
    for method in ["POST", "PATCH", "CONNECT", "PROPFIND", ""] {
        let decision = first_by_default(&reset(), request(method));
        assert_eq!(why(decision), Err(GaveUp::NotIdempotent), "{method}");
    }
}

#[test]
fn an_idempotency_key_makes_any_method_repeatable() {
    let keyed = Repeatable { idempotency_key: true, ..request("POST") };
    assert_eq!(why(first_by_default(&reset(), keyed)), Ok(Why::IdempotencyKey));
    assert_eq!(why(first_by_default(&answered(503), keyed)), Ok(Why::IdempotencyKey));
}

#[test]
fn listed_methods_replace_the_idempotent_ones() {
    let options = Options { methods: Some(MethodSet::from_iter(["POST"])), ..Options::default() };
    let decide = |method| why(first(options.clone(), &reset(), request(method)));
    assert_eq!(decide("POST"), Ok(Why::ListedMethod));
    assert_eq!(decide("GET"), Err(GaveUp::NotIdempotent));
    let keyed = Repeatable { idempotency_key: true, ..request("PATCH") };
    assert_eq!(why(first(options.clone(), &reset(), keyed)), Ok(Why::IdempotencyKey));
    assert_eq!(why(first(options, &refused(), request("GET"))), Ok(Why::NotSent));
}

#[test]
fn the_callers_declaration_goes_before_method_and_key() {
    let declared = |declared, method, idempotency_key| {
        let request = Repeatable { declared: Some(declared), idempotency_key, ..request(method) };
        why(first_by_default(&reset(), request))
    };
    assert_eq!(declared(true, "", false), Ok(Why::Declared));
    assert_eq!(declared(false, "GET", true), Err(GaveUp::NotIdempotent));
}

#[test]
fn what_is_not_transient_is_not_repeated_even_if_it_was_not_sent() {
    let certificate = fault("CERT_HAS_EXPIRED", Kind::Tls, Delivery::NotSent, false);
    assert_eq!(why(first_by_default(&certificate, request("GET"))), Err(GaveUp::NotTransient));
}

#[test]
fn a_reset_inside_the_answer_is_repeated_for_idempotent_requests_only() {
    // The status of the answer that was cut off says nothing about the fault.
    let cut = Fault { status: Some(200), ..fault("ECONNRESET", Kind::Reset, Delivery::Answered, true) };
    assert_eq!(why(first_by_default(&cut, request("GET"))), Ok(Why::IdempotentMethod));
    assert_eq!(why(first_by_default(&cut, request("POST"))), Err(GaveUp::NotIdempotent));
}

#[test]
fn a_throttling_error_with_its_own_code_is_judged_by_the_classifier() {
    let throttled =
        Fault { status: Some(400), ..fault("ThrottlingException", Kind::Throttled, Delivery::Answered, true) };
    assert_eq!(why(first_by_default(&throttled, request("GET"))), Ok(Why::IdempotentMethod));
}

#[test]
fn a_body_that_is_spent_ends_it() {
    let spent = Repeatable { body_replays: false, ..request("PUT") };
    assert_eq!(why(first_by_default(&reset(), spent)), Err(GaveUp::BodyNotReplayable));
}

#[test]
fn an_abort_is_final_whatever_the_hook_says() {
    let aborted = fault("ABORT_ERR", Kind::Aborted, Delivery::NotSent, false);
    let decision = begin(Options::default()).decide(&aborted, request("GET"), Some(true), false, at(0), &mut Lowest);
    assert_eq!(decision, Decision::GiveUp(GaveUp::Aborted));
}
