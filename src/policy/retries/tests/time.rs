//! When: `within` and `Retry-After`.

use super::*;

#[test]
fn no_attempt_begins_later_than_within() {
    let decide = |now| {
        let mut retries = begin(Options::default());
        delay(retries.decide(&reset(), request("GET"), None, false, now, &mut Highest))
    };
    assert_eq!(decide(at(59_900)), Ok(millis(100)));
    assert_eq!(decide(at(59_901)), Err(GaveUp::OutOfTime));
    assert_eq!(decide(at(70_000)), Err(GaveUp::OutOfTime));
}

#[test]
fn retry_after_seconds_are_waited_for() {
    let decision = first_by_default(&asking(503, seconds(7)), request("GET"));
    assert_eq!(delay(decision), Ok(Duration::from_secs(7)));
}

#[test]
fn a_retry_after_date_is_compared_with_the_wall_clock() {
    let date = |seconds| RetryAfter::At(SystemTime::UNIX_EPOCH + WALL + Duration::from_secs(seconds));
    let decide = |seconds, now| {
        let mut retries = begin(Options::default());
        let fault = asking(429, date(seconds));
        delay(retries.decide(&fault, request("GET"), None, false, now, &mut Highest))
    };
    assert_eq!(decide(9, at(2_000)), Ok(Duration::from_secs(7)));
    // A date that has passed asks for nothing; the backoff remains.
    assert_eq!(decide(1, at(2_000)), Ok(millis(100)));
}

#[test]
fn retry_after_zero_does_not_take_the_backoff_away() {
    let decision = first_by_default(&asking(429, seconds(0)), request("GET"));
    assert_eq!(delay(decision), Ok(millis(100)));
}

#[test]
fn retry_after_is_obeyed_up_to_what_within_leaves() {
    let decide = |asked, now| {
        let mut retries = begin(Options::default());
        let fault = asking(503, seconds(asked));
        delay(retries.decide(&fault, request("GET"), None, false, now, &mut Lowest))
    };
    assert_eq!(decide(60, at(0)), Ok(Duration::from_secs(60)));
    assert_eq!(decide(61, at(0)), Err(GaveUp::RetryAfterTooLong));
    assert_eq!(decide(60, at(1)), Err(GaveUp::RetryAfterTooLong));
    assert_eq!(decide(u64::MAX, at(0)), Err(GaveUp::RetryAfterTooLong));
    assert_eq!(decide(1, at(60_001)), Err(GaveUp::OutOfTime));
}

#[test]
fn the_backoff_does_not_outlast_within_where_the_server_named_a_time() {
    let options = Options {
        backoff: Backoff { base: Duration::from_secs(20), cap: Duration::from_secs(20) },
        within: Duration::from_secs(10),
        ..Options::default()
    };
    let decision = first(options, &asking(503, seconds(6)), request("GET"));
    assert_eq!(delay(decision), Ok(Duration::from_secs(6)));
}

#[test]
fn retry_after_can_be_disregarded() {
    let options = Options { respect_retry_after: false, ..Options::default() };
    let decision = first(options, &asking(503, seconds(3600)), request("GET"));
    assert_eq!(delay(decision), Ok(millis(100)));
}

#[test]
fn no_attempt_begins_when_the_call_is_over() {
    let decide = |fault: &Fault, now| {
        let mut retries = begin(Options::default());
        retries.limit_to(Duration::from_secs(3));
        delay(retries.decide(fault, request("GET"), None, false, now, &mut Highest))
    };
    assert_eq!(decide(&reset(), at(2_899)), Ok(millis(100)));
    assert_eq!(decide(&reset(), at(2_900)), Err(GaveUp::OutOfTime), "no time would be left for the attempt");
    assert_eq!(decide(&asking(503, seconds(2)), at(0)), Ok(Duration::from_secs(2)));
    assert_eq!(decide(&asking(503, seconds(3)), at(0)), Err(GaveUp::OutOfTime));
    assert_eq!(decide(&asking(503, seconds(61)), at(0)), Err(GaveUp::RetryAfterTooLong));
}

#[test]
fn the_total_goes_on_where_within_begins_anew() {
    let mut retries = begin(Options::default());
    retries.limit_to(Duration::from_secs(100));
    retries.progressed();
    assert!(delay(retries.decide(&reset(), request("GET"), None, false, at(99_000), &mut Lowest)).is_ok());
    retries.progressed();
    let late = retries.decide(&reset(), request("GET"), None, true, at(100_000), &mut Lowest);
    assert_eq!(delay(late), Err(GaveUp::OutOfTime));
}
