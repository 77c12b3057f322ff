//! Which answers are worth another attempt, and for which requests.

use super::*;

const LISTED: [u16; 7] = [408, 425, 429, 500, 502, 503, 504];

#[test]
fn safe_requests_repeat_the_default_statuses_and_no_others() {
    for status in 100..600 {
        let decision = why(first_by_default(&answered(status), request("GET")));
        let expected = match status {
            425 => Ok(Why::NotProcessed),
            _ if LISTED.contains(&status) => Ok(Why::IdempotentMethod),
            _ => Err(GaveUp::NotTransient),
        };
        assert_eq!(decision, expected, "{status}");
        assert_eq!(Options::default().may_retry_status(status), expected.is_ok(), "{status}");
    }
}

#[test]
fn after_500_only_safe_requests_are_repeated() {
    for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
        assert!(why(first_by_default(&answered(500), request(method))).is_ok());
    }
    let keyed = Repeatable { idempotency_key: true, ..request("POST") };
    for unsafe_request in [request("PUT"), request("DELETE"), keyed] {
        assert_eq!(why(first_by_default(&answered(500), unsafe_request)), Err(GaveUp::NotIdempotent));
    }
    let declared = Repeatable { declared: Some(true), ..request("") };
    assert_eq!(why(first_by_default(&answered(500), declared)), Ok(Why::Declared));
}

#[test]
fn other_requests_repeat_425_only() {
    for status in LISTED {
        let decision = why(first_by_default(&answered(status), request("POST")));
        let expected = match status {
            425 => Ok(Why::NotProcessed),
            _ => Err(GaveUp::NotIdempotent),
        };
        assert_eq!(decision, expected, "{status}");
    }
}

#[test]
fn listed_statuses_replace_the_default_ones_and_open_no_method() {
    let options = Options { statuses: Some(StatusSet::from_iter([404, 500])), ..Options::default() };
    let decide = |status, method| why(first(options.clone(), &answered(status), request(method)));
    assert_eq!(decide(404, "GET"), Ok(Why::IdempotentMethod));
    assert_eq!(decide(500, "PUT"), Ok(Why::IdempotentMethod));
    assert_eq!(decide(503, "GET"), Err(GaveUp::NotTransient));
    assert_eq!(decide(425, "POST"), Err(GaveUp::NotTransient));
    assert_eq!(decide(404, "POST"), Err(GaveUp::NotIdempotent));
    assert!(options.may_retry_status(404));
    assert!(!options.may_retry_status(503));
}

#[test]
fn without_retries_no_status_is_retried() {
    let options = Options { retries: 0, ..Options::default() };
    assert!(!options.may_retry_status(503));
}
