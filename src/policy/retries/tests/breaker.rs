//! What a call tells the breaker of its origin, and what it is told.

use std::sync::Mutex;

use super::*;
use crate::policy::BREAKER_OPEN;

/// Opens at the second failure in a row.
const BREAKER: BreakerOptions = BreakerOptions {
    window: Duration::from_secs(10),
    min_calls: 2,
    failure_rate: 1.0,
    open_for: Duration::from_secs(5),
    probes: 1,
};

fn options() -> Options {
    Options { breaker: Some(BREAKER), ..Options::default() }
}

fn policy() -> Policy {
    Policy::new(options())
}

fn admitted(policy: &Policy, now: Now) -> Retries {
    let mut retries = policy.begin(ORIGIN, now);
    retries.admit(now).expect("admitted");
    retries
}

fn decide_at(retries: &mut Retries, fault: &Fault, now: Now) -> Result<Duration, GaveUp> {
    delay(retries.decide(fault, request("GET"), None, false, now, &mut Highest))
}

/// A policy whose breaker opened at 0.
fn down() -> Policy {
    let policy = policy();
    open(&policy);
    policy
}

fn open(policy: &Policy) {
    for _ in 0..2 {
        let _ = decide_at(&mut admitted(policy, at(0)), &reset(), at(0));
    }
    assert_eq!(state(policy, at(0)), BreakerState::Open);
}

fn state(policy: &Policy, now: Now) -> BreakerState {
    policy.stats(now)[0].1.breaker.expect("a breaker")
}

#[test]
fn there_is_none_unless_it_is_asked_for() {
    let policy = Policy::new(Options::default());
    for _ in 0..100 {
        assert!(decide_at(&mut admitted(&policy, at(0)), &reset(), at(0)).is_ok());
        assert_eq!(policy.count(ORIGIN, at(0)), Ok(None));
    }
    assert_eq!(policy.stats(at(0))[0].1.breaker, None);
    assert_eq!(policy.take_changes(), []);
}

#[test]
fn an_open_one_refuses_the_next_attempt_and_says_for_how_long() {
    let policy = down();
    let mut retries = policy.begin(ORIGIN, at(1_000));
    assert_eq!(retries.admit(at(1_000)), Err(Refused { retry_in: millis(4_000) }));
    assert_eq!(policy.count(ORIGIN, at(1_000)), Err(Refused { retry_in: millis(4_000) }));
    assert!(policy.begin("https://other.example:443", at(1_000)).admit(at(1_000)).is_ok());
}

#[test]
fn a_call_gives_up_where_it_will_still_be_open_after_the_wait() {
    let policy = policy();
    let mut first = admitted(&policy, at(0));
    assert_eq!(decide_at(&mut first, &reset(), at(0)), Ok(millis(100)));
    first.admit(at(100)).unwrap();
    assert_eq!(decide_at(&mut first, &reset(), at(100)), Err(GaveUp::BreakerOpen), "it has just opened it");

    let wait = |seconds_asked| {
        let policy = policy.with_options(Options { budget: None, ..options() });
        decide_at(&mut policy.begin(ORIGIN, at(100)), &asking(503, seconds(seconds_asked)), at(100))
    };
    assert_eq!(wait(4), Err(GaveUp::BreakerOpen));
    assert_eq!(wait(5), Ok(millis(5_000)), "it lets one through by then");
}

#[test]
fn is_asked_after_all_that_no_moment_changes_and_before_the_budget() {
    let policy = down();
    let none = Options { budget: Some(BudgetOptions { ratio: 0.0, per_second: 0.0 }), ..options() };
    let decide = |options: Options, fault: &Fault| {
        decide_at(&mut policy.with_options(options).begin(ORIGIN, at(0)), fault, at(0))
    };
    assert_eq!(decide(none, &reset()), Err(GaveUp::BreakerOpen));
    assert_eq!(decide(options(), &asking(503, seconds(90))), Err(GaveUp::RetryAfterTooLong));
    assert_eq!(decide(Options { retries: 0, ..options() }, &reset()), Err(GaveUp::AttemptsExhausted));
    assert_eq!(decide(Options { breaker: None, ..options() }, &reset()), Ok(millis(100)), "it is none of this call's");
}

#[test]
fn a_refusal_costs_no_budget() {
    let policy = down();
    // The first of the failures that opened it was granted a retry.
    let one_left = Options { budget: Some(BudgetOptions { ratio: 0.0, per_second: 0.2 }), ..options() };
    let decide = |options: Options| decide_at(&mut policy.with_options(options).begin(ORIGIN, at(0)), &reset(), at(0));
    assert_eq!(decide(one_left.clone()), Err(GaveUp::BreakerOpen));
    assert!(decide(Options { breaker: None, ..one_left.clone() }).is_ok());
    assert_eq!(decide(Options { breaker: None, ..one_left }), Err(GaveUp::BudgetExhausted));
}

#[test]
fn a_stale_connection_is_replaced_only_if_the_breaker_lets_it() {
    let policy = policy();
    let mut stale = admitted(&policy, at(0));
    open(&policy);
    let decision = stale.decide(&reset(), request("GET"), None, true, at(0), &mut Lowest);
    assert_eq!(decision, Decision::GiveUp(GaveUp::BreakerOpen));
}

#[test]
fn stale_connections_do_not_open_it() {
    let policy = policy();
    for _ in 0..10 {
        let mut retries = admitted(&policy, at(0));
        let decision = retries.decide(&reset(), request("GET"), None, true, at(0), &mut Lowest);
        assert_eq!(why(decision), Ok(Why::StaleConnection));
    }
    assert_eq!(state(&policy, at(0)), BreakerState::Closed);
}

#[test]
fn failures_count_whatever_becomes_of_the_call() {
    for (options, fault, method) in [
        (options(), reset(), "POST"),
        (Options { retries: 0, ..options() }, answered(503), "GET"),
        (Options { statuses: Some(StatusSet::from_iter([429])), ..options() }, answered(500), "GET"),
    ] {
        let policy = Policy::new(options);
        for _ in 0..2 {
            let decision = admitted(&policy, at(0)).decide(&fault, request(method), None, false, at(0), &mut Lowest);
            assert!(matches!(decision, Decision::GiveUp(_)), "{decision:?}");
        }
        assert_eq!(state(&policy, at(0)), BreakerState::Open, "{fault:?}");
    }
}

#[test]
fn what_the_server_is_not_to_blame_for_does_not_open_it() {
    let aborted = Fault::new("ABORT_ERR", Phase::Wait, Delivery::Unknown);
    let refused_below = Fault::new(BREAKER_OPEN, Phase::Connect, Delivery::NotSent);
    for fault in [aborted, refused_below, answered(404), answered(429), answered(408), answered(425)] {
        let policy = policy();
        for _ in 0..10 {
            let _ = decide_at(&mut admitted(&policy, at(0)), &fault, at(0));
        }
        assert_eq!(state(&policy, at(0)), BreakerState::Closed, "{fault:?}");
    }
}

#[test]
fn answers_keep_it_closed() {
    let policy = Policy::new(Options { breaker: Some(BreakerOptions { failure_rate: 0.5, ..BREAKER }), ..options() });
    for _ in 0..10 {
        admitted(&policy, at(0)).succeeded(Some(200), at(0));
        admitted(&policy, at(0)).succeeded(None, at(0));
        let _ = decide_at(&mut admitted(&policy, at(0)), &reset(), at(0));
    }
    assert_eq!(state(&policy, at(0)), BreakerState::Closed);
}

#[test]
fn an_answer_that_says_that_the_server_fails_is_a_failure_even_where_nobody_repeats_it() {
    let policy = policy();
    for _ in 0..2 {
        admitted(&policy, at(0)).succeeded(Some(503), at(0));
    }
    assert_eq!(state(&policy, at(0)), BreakerState::Open);
}

#[test]
fn an_attempt_counts_once() {
    let policy = policy();
    let mut retries = admitted(&policy, at(0));
    // Its body broke after the head was taken for the answer, again and again.
    retries.succeeded(Some(200), at(0));
    for _ in 0..10 {
        retries.progressed();
        assert!(decide_at(&mut retries, &reset(), at(0)).is_ok());
    }
    assert_eq!(state(&policy, at(0)), BreakerState::Closed);
}

#[test]
fn a_probe_that_is_answered_closes_it_and_one_that_fails_opens_it_again() {
    let policy = down();
    let mut probe = admitted(&policy, at(5_000));
    assert_eq!(policy.begin(ORIGIN, at(5_000)).admit(at(5_000)), Err(Refused { retry_in: millis(5_000) }));
    assert_eq!(decide_at(&mut probe, &reset(), at(6_000)), Err(GaveUp::BreakerOpen));

    admitted(&policy, at(11_000)).succeeded(Some(404), at(11_001));
    assert_eq!(state(&policy, at(11_001)), BreakerState::Closed);
}

#[test]
fn a_probe_is_given_back_when_its_call_ends_without_an_outcome() {
    let policy = down();
    let full = |now| policy.begin(ORIGIN, now).admit(now).is_err();
    let dropped = admitted(&policy, at(5_000));
    assert!(full(at(5_000)));
    drop(dropped);

    let mut abandoned = admitted(&policy, at(5_001));
    assert!(full(at(5_001)));
    abandoned.abandon();

    let mut aborted = admitted(&policy, at(5_002));
    assert!(full(at(5_002)));
    let fault = Fault::new("ABORT_ERR", Phase::Wait, Delivery::Unknown);
    assert_eq!(decide_at(&mut aborted, &fault, at(5_003)), Err(GaveUp::Aborted));

    let mut moved = admitted(&policy, at(5_004));
    assert!(full(at(5_004)));
    moved.moved(&policy, "https://other.example:443", at(5_004));

    let mut out_of_time = admitted(&policy, at(5_005));
    assert!(full(at(5_005)));
    out_of_time.gave_up(GaveUp::OutOfTime);
    assert!(!full(at(5_006)));
}

#[test]
fn after_a_redirect_the_other_origins_is_asked() {
    let policy = down();
    let mut retries = policy.begin("https://other.example:443", at(0));
    retries.admit(at(0)).unwrap();
    retries.succeeded(Some(302), at(0));
    retries.moved(&policy, ORIGIN, at(0));
    assert_eq!(retries.admit(at(0)), Err(Refused { retry_in: millis(5_000) }));
}

/// The way of the wrappers, who make no retry state for a call that succeeds.
#[test]
fn a_counted_call_tells_of_its_first_attempt_with_its_admission() {
    let policy = policy();
    for _ in 0..2 {
        let admission = policy.count(ORIGIN, at(0)).unwrap();
        assert!(admission.is_some());
        let _ = decide_at(&mut policy.take_up(ORIGIN, at(0), admission), &reset(), at(0));
    }
    assert!(policy.count(ORIGIN, at(0)).is_err());

    let aborted = policy.count(ORIGIN, at(5_000)).unwrap();
    assert!(policy.count(ORIGIN, at(5_000)).is_err());
    policy.take_up(ORIGIN, at(5_000), aborted).abandon();

    let probe = policy.count(ORIGIN, at(5_001)).unwrap().unwrap();
    assert!(policy.count(ORIGIN, at(5_001)).is_err());
    policy.answered(ORIGIN, probe, Some(200), at(5_002));
    assert_eq!(state(&policy, at(5_002)), BreakerState::Closed);
}

#[test]
fn an_answer_for_an_origin_that_was_forgotten_is_let_pass() {
    let policy = policy();
    let admission = policy.count(ORIGIN, at(0)).unwrap().unwrap();
    Policy::new(options()).answered(ORIGIN, admission, Some(503), at(0));
    policy.with_options(Options::default()).answered(ORIGIN, admission, Some(503), at(0));
    assert_eq!(state(&policy, at(0)), BreakerState::Closed);
}

#[test]
fn is_shared_under_other_options() {
    let policy = policy();
    let hasty = policy.with_options(Options { retries: 0, ..options() });
    let _ = decide_at(&mut admitted(&policy, at(0)), &reset(), at(0));
    let _ = decide_at(&mut admitted(&hasty, at(0)), &reset(), at(0));
    assert!(policy.count(ORIGIN, at(0)).is_err());
    assert!(policy.with_options(Options::default()).count(ORIGIN, at(0)).is_ok());
}

#[test]
fn its_changes_are_told_in_order_and_the_listener_may_ask_the_policy() {
    let policy = policy();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (hears, asked) = (Arc::clone(&heard), policy.clone());
    policy.on_changes(Arc::new(move || hears.lock().unwrap().push(state(&asked, at(0)))));

    let other = policy.with_options(options());
    open(&other);
    assert_eq!(*heard.lock().unwrap(), [BreakerState::Open]);
    admitted(&policy, at(5_000)).succeeded(None, at(5_001));
    assert_eq!(heard.lock().unwrap().len(), 1, "nobody has taken the first one yet");

    let told: Vec<_> = other
        .take_changes()
        .into_iter()
        .map(|change| (change.origin.to_string(), change.from, change.to, change.at, change.retry_in))
        .collect();
    use BreakerState::{Closed, HalfOpen, Open};
    let change = |from, to, now, retry_in| (ORIGIN.to_owned(), from, to, millis(now), retry_in);
    assert_eq!(
        told,
        [
            change(Closed, Open, 0, Some(millis(5_000))),
            change(Open, HalfOpen, 5_000, None),
            change(HalfOpen, Closed, 5_001, None),
        ]
    );
    open(&policy);
    assert_eq!(heard.lock().unwrap().len(), 2);
}
