//! The policy for wrappers written in JavaScript: the same implementation, under JavaScript's clock and chance.
//!
//! Both are passed in with every question (`performance.now()`, `Math.random()`, read at that moment), so the fake
//! timers of a test govern the policy as they govern everything else. Native clients under the same policy have a clock of
//! their own that agrees with it: see [`NativePolicy::clock`].

use std::sync::Arc;
use std::time::SystemTime;

use napi::Error;
use napi_derive::napi;

use super::completion::{Completion, Kind};
use super::engine::Engine;
use crate::milliseconds;
use crate::policy::{Admission, GaveUp, Now, Options, Policy, Random, Refused, Retries, SystemClock};

/// Answers the question whether an attempt may be made: yes, and nobody needs to know how it ends. Numbers below it are
/// tickets (yes, and the breaker wants to know), numbers from 0 milliseconds (not before they have passed).
const ADMITTED: f64 = -1.0;

/// A policy: options, and the state of the origins that calls under it share. Times are readings of `performance.now()`
/// and milliseconds, origins are written as `URL.origin` gives them.
#[napi]
pub struct NativePolicy {
    policy: Policy,
    clock: Arc<SystemClock>,
}

#[napi]
impl NativePolicy {
    /// `options` is the JSON that `parseRetryOptions` makes.
    #[napi(constructor)]
    pub fn new(options: String, now: f64) -> napi::Result<Self> {
        let clock = SystemClock::that_reads(reading(now).monotonic);
        Ok(Self { policy: Policy::new(parse(&options)?), clock: Arc::new(clock) })
    }

    /// The same origins under other options.
    #[napi]
    pub fn with_options(&self, options: String) -> napi::Result<Self> {
        Ok(Self { policy: self.policy.with_options(parse(&options)?), clock: self.clock.clone() })
    }

    /// A call to `origin` begins: counts it, and asks the breaker for its first attempt. -1: it may be made, and only a
    /// failure is to be told, to what [`begin`](Self::begin) makes. -2 or below is a ticket: an answer is to be told as
    /// well, with it. From 0: it is refused, and so many milliseconds have to pass before another may be made.
    #[napi]
    pub fn count(&self, origin: String, now: f64) -> f64 {
        match self.policy.count(&origin, reading(now)) {
            Ok(admission) => admission.map_or(ADMITTED, ticket),
            Err(refused) => wait(refused),
        }
    }

    /// So many calls to `origin` have begun by `now`, which no breaker need be asked about.
    #[napi]
    pub fn count_all(&self, origin: String, calls: u32, now: f64) {
        self.policy.count_all(&origin, calls, reading(now));
    }

    /// The first attempt of a call was answered, with `status` where it is an HTTP response.
    #[napi]
    pub fn succeeded(&self, origin: String, now: f64, ticket: f64, status: Option<u32>) {
        if let Some(admission) = admission(ticket) {
            self.policy.answered(&origin, admission, http(status), reading(now));
        }
    }

    /// The retry state of a call that was counted at `began`, whose first attempt has failed or was aborted. `ticket` is
    /// what [`count`](Self::count) returned.
    #[napi]
    pub fn begin(&self, origin: String, began: f64, ticket: Option<f64>) -> NativeRetries {
        let admission = ticket.and_then(admission);
        NativeRetries { retries: self.policy.take_up(&origin, reading(began), admission) }
    }

    /// What has become of the calls to each origin: JSON, as `policy::stats_json` says.
    #[napi]
    pub fn stats(&self, now: f64) -> String {
        self.policy.stats_json(reading(now))
    }

    /// What breakers did since this was last asked: JSON, as `policy::stats_json` says.
    #[napi]
    pub fn take_changes(&self) -> Option<String> {
        self.policy.take_changes_json()
    }

    /// Completions of the kind `BREAKER` under `number` say that changes wait to be taken. Of all policies that share
    /// these origins, one is watched.
    #[napi]
    pub fn watch(&self, engine: &Engine, number: u32) {
        // Neither keeps the other: a policy may outlive its environment on a network thread, and an environment that is
        // done with a policy drops it.
        let core = Arc::downgrade(engine.core());
        self.policy.on_changes(Arc::new(move || {
            if let Some(core) = core.upgrade() {
                core.push(Completion::new(Kind::Breaker, number));
            }
        }));
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// For native clients under this policy. What they count and what JavaScript counts is of one time: this clock was
    /// set by `performance.now()`, and both go on by the system's monotonic clock. Under fake timers they part: network
    /// threads go by the real time.
    pub(super) fn clock(&self) -> &Arc<SystemClock> {
        &self.clock
    }
}

/// The retry state of one call.
#[napi]
pub struct NativeRetries {
    retries: Retries,
}

#[napi]
impl NativeRetries {
    #[napi(getter)]
    pub fn attempt(&self) -> u32 {
        self.retries.attempt()
    }

    /// The call ends so many milliseconds after it began, whatever it is doing then.
    #[napi]
    pub fn limit_to(&mut self, total: f64) {
        self.retries.limit_to(milliseconds::from_js(total).unwrap_or_default());
    }

    /// Milliseconds since the call began.
    #[napi]
    pub fn elapsed(&self, now: f64) -> f64 {
        milliseconds::to_js(self.retries.elapsed(reading(now)))
    }

    #[napi]
    pub fn out_of_time(&self, now: f64) -> bool {
        self.retries.out_of_time(reading(now))
    }

    /// Question and answer are JSON, as `policy::wire` says. `random` is uniform in [0, 1).
    #[napi]
    pub fn decide(&mut self, question: String, now: f64, random: f64) -> napi::Result<String> {
        let answer = self.retries.decide_json(&question, reading(now), &mut Drawn(random));
        answer.map_err(Error::from_reason)
    }

    /// Asks the breaker for the attempt that is to begin now, after the first. -1: it may be made. From 0: it is refused,
    /// which ends the call, and so many milliseconds have to pass before another may be made.
    #[napi]
    pub fn admit(&mut self, now: f64) -> f64 {
        self.retries.admit(reading(now)).map_or_else(wait, |()| ADMITTED)
    }

    /// The latest attempt was answered, with `status` where it is an HTTP response.
    #[napi]
    pub fn succeeded(&mut self, now: f64, status: Option<u32>) {
        self.retries.succeeded(http(status), reading(now));
    }

    /// The caller ended the call.
    #[napi]
    pub fn abandon(&mut self) {
        self.retries.abandon();
    }

    /// The call ended because time ran out between two attempts.
    #[napi]
    pub fn ran_out_of_time(&mut self) {
        self.retries.gave_up(GaveUp::OutOfTime);
    }

    #[napi]
    pub fn progressed(&mut self) {
        self.retries.progressed();
    }

    #[napi]
    pub fn moved(&mut self, policy: &NativePolicy, origin: String, now: f64) {
        self.retries.moved(&policy.policy, &origin, reading(now));
    }
}

/// An admission as a number below [`ADMITTED`]. They count from 1.
fn ticket(admission: Admission) -> f64 {
    ADMITTED - admission.number() as f64
}

fn admission(ticket: f64) -> Option<Admission> {
    (ticket < ADMITTED).then(|| Admission::from_number((ADMITTED - ticket) as u64))
}

fn wait(refused: Refused) -> f64 {
    milliseconds::to_js(refused.retry_in)
}

fn http(status: Option<u32>) -> Option<u16> {
    status.and_then(|status| u16::try_from(status).ok())
}

fn parse(options: &str) -> napi::Result<Options> {
    Options::from_json(options).map_err(Error::from_reason)
}

/// Milliseconds of JavaScript's monotonic clock. The wall clock stays out of it: a fault from JavaScript carries
/// its `Retry-After` as a delay already, so there is no date to compare.
fn reading(now: f64) -> Now {
    // Fake timers may be set to a moment before the start of the clock; the policy's clock has none.
    Now { monotonic: milliseconds::from_js(now).unwrap_or_default(), wall: SystemTime::UNIX_EPOCH }
}

/// What `Math.random()` gave.
struct Drawn(f64);

impl Random for Drawn {
    fn below(&mut self, bound: u64) -> u64 {
        // The conversion saturates, so whatever a replaced `Math.random` returns stays below the bound.
        ((self.0 * bound as f64) as u64).min(bound.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_told_from_leave_and_from_refusal_and_read_again() {
        for number in [1, 2, 1 << 52] {
            let admitted = Admission::from_number(number);
            assert!(ticket(admitted) <= -2.0);
            assert_eq!(admission(ticket(admitted)), Some(admitted));
        }
        for none in [ADMITTED, 0.0, 12.5, f64::NAN] {
            assert_eq!(admission(none), None, "{none}");
        }
    }
}
