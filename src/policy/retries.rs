//! The policy, and the retry state of one call.

use std::sync::Arc;
use std::time::Duration;

use super::{Decision, GaveUp, Now, Options, Random, Repeatable, Why};
use crate::fault::Fault;

/// Options, and what the calls made under them share: one budget for each origin.
#[derive(Debug, Clone)]
pub struct Policy {
    options: Arc<Options>,
}

impl Policy {
    pub fn new(options: Options) -> Self {
        Self { options: Arc::new(options) }
    }

    /// The same origins under other options: for a call that overrides some.
    pub fn with_options(&self, options: Options) -> Self {
        Self { options: Arc::new(options) }
    }

    pub fn options(&self) -> &Options {
        &self.options
    }

    /// A call begins: it counts into the origin's budget. `origin` is `scheme://host:port`.
    pub fn begin(&self, _origin: &str, now: Now) -> Retries {
        Retries { options: self.options.clone(), attempt: 1, began: now.monotonic }
    }
}

/// The retry state of one call.
#[derive(Debug)]
pub struct Retries {
    options: Arc<Options>,
    attempt: u32,
    began: Duration,
}

impl Retries {
    /// The number of the attempt that is running or has just failed, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Since the call began.
    pub fn elapsed(&self, now: Now) -> Duration {
        now.monotonic.saturating_sub(self.began)
    }

    /// Has `within` passed? To be asked again after the wait: a timer or an `onRetry` hook may have taken longer
    /// than planned.
    pub fn out_of_time(&self, now: Now) -> bool {
        self.elapsed(now) > self.options.within
    }

    /// The attempt ended with `fault`: what now?
    pub fn decide(
        &mut self,
        _fault: &Fault,
        _request: Repeatable<'_>,
        verdict: Option<bool>,
        stale: bool,
        _now: Now,
        random: &mut dyn Random,
    ) -> Decision {
        if verdict == Some(false) || self.attempt > self.options.retries {
            return Decision::GiveUp(GaveUp::AttemptsExhausted);
        }
        self.attempt += 1;
        let delay = self.options.backoff.delay(self.attempt - 2, random);
        Decision::Retry { delay, fresh_connection: stale, why: Why::NotSent }
    }

    /// Bytes progressed since the last decision.
    pub fn progressed(&mut self) {}

    /// A redirect moved the call to another origin.
    pub fn moved(&mut self, _policy: &Policy, _origin: &str, _now: Now) {}
}
