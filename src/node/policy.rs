//! The policy for wrappers written in JavaScript: the same implementation, under JavaScript's clock and chance.
//!
//! Both are passed in with every question (`performance.now()`, `Math.random()`, read at that moment), so the fake
//! timers of a test govern the policy as they govern everything else.

use std::sync::Arc;
use std::time::SystemTime;

use napi::Error;
use napi_derive::napi;

use crate::milliseconds;
use crate::policy::{Now, Options, Policy, Random, Retries};

/// A policy: options, and the state of the origins that calls under it share.
#[napi]
pub struct NativePolicy {
    pub(super) policy: Arc<Policy>,
}

#[napi]
impl NativePolicy {
    /// `options` is the JSON that `parseRetryOptions` makes.
    #[napi(constructor)]
    pub fn new(options: String) -> napi::Result<Self> {
        let policy = Policy::new(parse(&options)?);
        Ok(Self { policy: Arc::new(policy) })
    }

    /// The same origins under other options.
    #[napi]
    pub fn with_options(&self, options: String) -> napi::Result<Self> {
        let policy = self.policy.with_options(parse(&options)?);
        Ok(Self { policy: Arc::new(policy) })
    }

    /// A call to `origin` (`scheme://host:port`) begins. `now` is `performance.now()`.
    #[napi]
    pub fn begin(&self, origin: String, now: f64) -> NativeRetries {
        NativeRetries { retries: self.policy.begin(&origin, reading(now)) }
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

    #[napi]
    pub fn progressed(&mut self) {
        self.retries.progressed();
    }

    #[napi]
    pub fn moved(&mut self, policy: &NativePolicy, origin: String, now: f64) {
        self.retries.moved(&policy.policy, &origin, reading(now));
    }
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
