//! One topic per file; what they share is here. Time and chance are given, so every expectation is exact.

mod attempts;
mod breaker;
mod budget;
mod permission;
mod properties;
mod retry_after;
mod stale_connection;
mod stats;
mod statuses;
mod time;
mod verdict;

use std::time::SystemTime;

use super::*;
use crate::fault::{Phase, RetryAfter};
use crate::policy::{Backoff, BreakerOptions, BreakerState, BudgetOptions, MethodSet, StatusSet};

const ORIGIN: &str = "https://api.example:443";
const WALL: Duration = Duration::from_secs(1_900_000_000);

fn at(milliseconds: u64) -> Now {
    let monotonic = Duration::from_millis(milliseconds);
    Now { monotonic, wall: SystemTime::UNIX_EPOCH + WALL + monotonic }
}

/// Always the highest number, as a share of the bound.
struct Highest;
/// Always zero.
struct Lowest;

impl Random for Highest {
    fn below(&mut self, bound: u64) -> u64 {
        bound.saturating_sub(1)
    }
}

impl Random for Lowest {
    fn below(&mut self, _: u64) -> u64 {
        0
    }
}

fn fault(code: &'static str, kind: Kind, delivery: Delivery, transient: bool) -> Fault {
    Fault { kind, transient, ..Fault::new(code, Phase::Wait, delivery) }
}

fn reset() -> Fault {
    Fault::new("ECONNRESET", Phase::Wait, Delivery::Unknown)
}

fn refused() -> Fault {
    Fault::new("ECONNREFUSED", Phase::Connect, Delivery::NotSent)
}

fn answered(status: u16) -> Fault {
    Fault::from_status(status, None)
}

fn asking(status: u16, retry_after: RetryAfter) -> Fault {
    Fault::from_status(status, Some(retry_after))
}

fn seconds(seconds: u64) -> RetryAfter {
    RetryAfter::Delay(Duration::from_secs(seconds))
}

fn request(method: &str) -> Repeatable<'_> {
    Repeatable { method, idempotency_key: false, declared: None, body_replays: true }
}

fn begin(options: Options) -> Retries {
    Policy::new(options).begin(ORIGIN, at(0))
}

/// The first decision of a call that failed at once, with the highest jitter.
fn first(options: Options, fault: &Fault, request: Repeatable<'_>) -> Decision {
    begin(options).decide(fault, request, None, false, at(0), &mut Highest)
}

fn first_by_default(fault: &Fault, request: Repeatable<'_>) -> Decision {
    first(Options::default(), fault, request)
}

fn why(decision: Decision) -> Result<Why, GaveUp> {
    match decision {
        Decision::Retry { why, .. } => Ok(why),
        Decision::GiveUp(reason) => Err(reason),
    }
}

fn delay(decision: Decision) -> Result<Duration, GaveUp> {
    match decision {
        Decision::Retry { delay, .. } => Ok(delay),
        Decision::GiveUp(reason) => Err(reason),
    }
}

fn millis(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[test]
fn of_several_reasons_the_most_fundamental_is_told() {
    let options = Options { retries: 0, budget: None, ..Options::default() };
    let spent = Repeatable { body_replays: false, ..request("POST") };
    let late = at(100_000);
    let decide = |fault: &Fault, request: Repeatable<'_>, options: &Options| {
        why(begin(options.clone()).decide(fault, request, None, false, late, &mut Lowest))
    };
    assert_eq!(decide(&answered(404), spent, &options), Err(GaveUp::NotTransient));
    assert_eq!(decide(&reset(), spent, &options), Err(GaveUp::NotIdempotent));
    assert_eq!(decide(&refused(), spent, &options), Err(GaveUp::BodyNotReplayable));
    assert_eq!(decide(&refused(), request("POST"), &options), Err(GaveUp::AttemptsExhausted));
    assert_eq!(decide(&asking(503, seconds(90)), request("GET"), &Options::default()), Err(GaveUp::OutOfTime));
}
