//! Every moment is given, so every expectation is exact.

mod reference;

use super::Outcome::{Answered, Failed, Neither};
use super::*;

const OPTIONS: BreakerOptions = BreakerOptions {
    window: Duration::from_secs(10),
    min_calls: 4,
    failure_rate: 0.5,
    open_for: Duration::from_secs(5),
    probes: 1,
};

fn at(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Makes an attempt that ends at once.
fn attempt(breaker: &mut Breaker, now: Duration, outcome: Outcome, options: &BreakerOptions) {
    let admission = breaker.admit(now, options).expect("admitted");
    breaker.report(admission, outcome, now, options);
}

fn attempts(breaker: &mut Breaker, now: Duration, outcomes: &[Outcome]) {
    for outcome in outcomes {
        attempt(breaker, now, *outcome, &OPTIONS);
    }
}

fn opened_at(now: Duration, options: &BreakerOptions) -> Breaker {
    let mut breaker = Breaker::new(options);
    for _ in 0..options.min_calls {
        attempt(&mut breaker, now, Failed, options);
    }
    assert_eq!(breaker.state(), BreakerState::Open);
    breaker
}

fn refused(milliseconds: u64) -> Result<Admission, Refused> {
    Err(Refused { retry_in: at(milliseconds) })
}

#[test]
fn opens_at_the_rate_and_not_below_it() {
    let mut breaker = Breaker::new(&OPTIONS);
    attempts(&mut breaker, at(0), &[Answered, Answered, Answered, Failed, Failed]);
    assert_eq!(breaker.state(), BreakerState::Closed, "two in five");
    attempts(&mut breaker, at(0), &[Failed]);
    assert_eq!(breaker.state(), BreakerState::Open, "three in six");
}

#[test]
fn needs_enough_attempts_to_judge_by() {
    let mut breaker = Breaker::new(&OPTIONS);
    attempts(&mut breaker, at(0), &[Failed, Failed, Failed]);
    assert_eq!(breaker.state(), BreakerState::Closed);
    attempts(&mut breaker, at(0), &[Failed]);
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn only_a_failure_opens_it() {
    let mut breaker = Breaker::new(&OPTIONS);
    attempts(&mut breaker, at(0), &[Failed, Failed, Failed, Answered]);
    assert_eq!(breaker.state(), BreakerState::Closed, "three in four, but the last was answered");
    attempts(&mut breaker, at(0), &[Neither; 20]);
    assert_eq!(breaker.state(), BreakerState::Closed);
    attempts(&mut breaker, at(0), &[Failed]);
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn a_rate_is_the_one_that_was_written() {
    let options = BreakerOptions { min_calls: 30, failure_rate: 0.1, ..OPTIONS };
    let mut breaker = Breaker::new(&options);
    for _ in 0..27 {
        attempt(&mut breaker, at(0), Answered, &options);
    }
    for _ in 0..2 {
        attempt(&mut breaker, at(0), Failed, &options);
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
    attempt(&mut breaker, at(0), Failed, &options);
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn forgets_what_is_older_than_the_window() {
    let mut breaker = Breaker::new(&OPTIONS);
    attempts(&mut breaker, at(999), &[Failed, Failed, Failed]);
    attempts(&mut breaker, at(10_000), &[Failed]);
    assert_eq!(breaker.state(), BreakerState::Closed, "the slot of the first second is over");
    attempts(&mut breaker, at(12_000), &[Failed, Failed]);
    attempts(&mut breaker, at(19_999), &[Failed]);
    assert_eq!(breaker.state(), BreakerState::Open, "less than ten seconds after the first of four");
}

#[test]
fn open_it_refuses_and_says_for_how_long() {
    let mut breaker = opened_at(at(1_000), &OPTIONS);
    assert_eq!(breaker.admit(at(1_000), &OPTIONS), refused(5_000));
    assert_eq!(breaker.admit(at(5_999), &OPTIONS), refused(1));
    assert!(breaker.admit(at(6_000), &OPTIONS).is_ok());
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
}

#[test]
fn says_whether_a_wait_outlasts_it() {
    let mut breaker = opened_at(at(1_000), &OPTIONS);
    assert!(breaker.is_open_after(at(3_999), at(2_000)));
    assert!(!breaker.is_open_after(at(4_000), at(2_000)));
    assert!(!Breaker::new(&OPTIONS).is_open_after(at(0), at(0)));
}

#[test]
fn shows_itself_half_open_when_its_time_is_over() {
    let mut breaker = opened_at(at(0), &OPTIONS);
    assert_eq!(breaker.state_at(at(4_999)), BreakerState::Open);
    assert_eq!(breaker.state_at(at(5_000)), BreakerState::HalfOpen);
    assert_eq!(breaker.state(), BreakerState::Open, "nobody has asked yet");
}

#[test]
fn lets_exactly_the_stated_probes_through() {
    let options = BreakerOptions { probes: 3, ..OPTIONS };
    let mut breaker = opened_at(at(0), &options);
    let first = breaker.admit(at(5_000), &options).unwrap();
    let second = breaker.admit(at(5_001), &options).unwrap();
    breaker.report(first, Answered, at(5_002), &options);
    let third = breaker.admit(at(5_003), &options).unwrap();
    assert_eq!(breaker.admit(at(5_004), &options), refused(4_997), "until the second one is given up");

    breaker.report(second, Answered, at(5_005), &options);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    breaker.report(third, Answered, at(5_006), &options);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn closed_again_it_starts_counting_anew() {
    let mut breaker = opened_at(at(0), &OPTIONS);
    attempts(&mut breaker, at(5_000), &[Answered, Failed, Failed, Failed]);
    assert_eq!(breaker.state(), BreakerState::Closed, "neither the probe nor what was before it counts");
    attempts(&mut breaker, at(5_000), &[Failed]);
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn one_probe_that_fails_opens_it_again_for_the_whole_time() {
    let options = BreakerOptions { probes: 2, ..OPTIONS };
    let mut breaker = opened_at(at(0), &options);
    let first = breaker.admit(at(5_000), &options).unwrap();
    let second = breaker.admit(at(5_000), &options).unwrap();
    breaker.report(first, Answered, at(5_100), &options);
    breaker.report(second, Failed, at(5_200), &options);
    assert_eq!(breaker.admit(at(5_200), &options), refused(5_000));
}

#[test]
fn a_probe_without_an_outcome_gives_its_place_back_at_once() {
    let mut breaker = opened_at(at(0), &OPTIONS);
    let aborted = breaker.admit(at(5_000), &OPTIONS).unwrap();
    assert_eq!(breaker.admit(at(5_001), &OPTIONS), refused(4_999));
    breaker.give_back(aborted);
    let failed_by_ours = breaker.admit(at(5_002), &OPTIONS).unwrap();
    breaker.report(failed_by_ours, Neither, at(5_003), &OPTIONS);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    assert!(breaker.admit(at(5_003), &OPTIONS).is_ok());
}

#[test]
fn a_probe_that_is_never_heard_of_holds_its_place_for_a_time_only() {
    let mut breaker = opened_at(at(0), &OPTIONS);
    breaker.admit(at(5_000), &OPTIONS).unwrap();
    assert_eq!(breaker.admit(at(9_999), &OPTIONS), refused(1));
    let second = breaker.admit(at(10_000), &OPTIONS).unwrap();
    assert_eq!(breaker.admit(at(10_001), &OPTIONS), refused(4_999));
    breaker.report(second, Answered, at(10_002), &OPTIONS);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

/// Where answers take longer than `open_for`, it would otherwise never close.
#[test]
fn a_probe_that_is_heard_of_late_counts_and_takes_nobodys_place() {
    let options = BreakerOptions { probes: 2, ..OPTIONS };
    let mut breaker = opened_at(at(0), &options);
    let slow = breaker.admit(at(5_000), &options).unwrap();
    let other = breaker.admit(at(6_000), &options).unwrap();
    let instead = breaker.admit(at(10_000), &options).unwrap();
    breaker.report(slow, Neither, at(10_001), &options);
    assert_eq!(breaker.admit(at(10_002), &options), refused(998), "both places are taken still");

    breaker.report(other, Answered, at(10_003), &options);
    breaker.report(instead, Answered, at(10_004), &options);
    assert_eq!(breaker.state(), BreakerState::Closed);

    let mut breaker = opened_at(at(0), &OPTIONS);
    let slow = breaker.admit(at(5_000), &OPTIONS).unwrap();
    breaker.admit(at(10_000), &OPTIONS).unwrap();
    breaker.report(slow, Answered, at(10_001), &OPTIONS);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn attempts_that_began_in_another_state_change_nothing() {
    let mut breaker = Breaker::new(&OPTIONS);
    let before = breaker.admit(at(0), &OPTIONS).unwrap();
    attempts(&mut breaker, at(0), &[Failed; 4]);
    for outcome in [Answered, Failed] {
        breaker.report(before, outcome, at(1_000), &OPTIONS);
        assert_eq!(breaker.admit(at(1_000), &OPTIONS), refused(4_000));
    }

    let probe = breaker.admit(at(5_000), &OPTIONS).unwrap();
    for outcome in [Answered, Failed, Neither] {
        breaker.report(before, outcome, at(5_001), &OPTIONS);
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        assert!(breaker.admit(at(5_001), &OPTIONS).is_err());
    }
    breaker.report(probe, Answered, at(5_002), &OPTIONS);

    for late in [before, probe] {
        for _ in 0..10 {
            breaker.report(late, Failed, at(5_003), &OPTIONS);
        }
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
    attempts(&mut breaker, at(5_004), &[Answered, Answered, Answered, Answered, Failed, Failed, Failed]);
    assert_eq!(breaker.state(), BreakerState::Closed, "none of the late ones was counted");
}

#[test]
fn the_limits_are_the_askers() {
    let patient = BreakerOptions { min_calls: 100, ..OPTIONS };
    let mut breaker = Breaker::new(&OPTIONS);
    for _ in 0..50 {
        attempt(&mut breaker, at(0), Failed, &patient);
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
    attempt(&mut breaker, at(0), Failed, &BreakerOptions { open_for: at(7_000), ..OPTIONS });
    assert_eq!(breaker.admit(at(0), &OPTIONS), refused(7_000));

    let thorough = BreakerOptions { probes: 2, ..OPTIONS };
    attempt(&mut breaker, at(7_000), Answered, &thorough);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    attempt(&mut breaker, at(7_000), Answered, &OPTIONS);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn a_clock_that_starts_anew_keeps_it_open_no_longer_than_it_would_be() {
    let hour = at(3_600_000);
    let mut breaker = opened_at(hour, &OPTIONS);
    assert_eq!(breaker.admit(at(0), &OPTIONS), refused(5_000));
    assert_eq!(breaker.admit(at(4_999), &OPTIONS), refused(1));
    breaker.admit(hour, &OPTIONS).unwrap();
    assert_eq!(breaker.admit(at(0), &OPTIONS), refused(5_000), "the place of the probe");
    attempt(&mut breaker, at(5_000), Answered, &OPTIONS);
    attempts(&mut breaker, hour, &[Failed, Failed, Failed]);
    attempts(&mut breaker, at(0), &[Failed]);
    assert_eq!(breaker.state(), BreakerState::Closed, "what was counted by the other clock is no longer of use");
}

#[test]
fn options_beyond_reason_do_no_harm() {
    let options =
        BreakerOptions { window: Duration::ZERO, min_calls: 0, failure_rate: 0.0, open_for: Duration::MAX, probes: 0 };
    let mut breaker = opened_at(Duration::MAX, &BreakerOptions { min_calls: 1, ..options });
    assert!(breaker.admit(at(0), &options).is_err());
    let mut breaker = opened_at(at(0), &BreakerOptions { min_calls: 1, open_for: Duration::ZERO, ..options });
    attempt(&mut breaker, at(0), Answered, &options);
    assert_eq!(breaker.state(), BreakerState::Closed);
}
