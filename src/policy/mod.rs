//! What to do about a fault: repeat the call, when, or give up and say why.
//!
//! Retrying is where resilient clients do harm: a repeated POST charges a card twice, and retries on top of an
//! overload keep the overload alive. So there is one policy, written once and obeyed by every client here, and
//! each of its rules is one file:
//!
//! | question | file |
//! |---|---|
//! | may this call be repeated at all? | `permission`, `idempotency` |
//! | how long until the next attempt? | `backoff`, and the fault's `Retry-After` |
//! | how many retries may an origin cost? | `budget` |
//! | is the origin down? | `breaker`, told by the `outcome` of each attempt |
//! | what do the calls to an origin share? | `origin`, `origins`, `shared` |
//! | all of it, in order, for one call | `retries`, answering with a `decision` |
//!
//! Nothing here waits, sends or reads a clock. The caller passes in the time ([`Now`]) and the chance
//! ([`Random`]), so every rule has a test that needs no sleeping, and JavaScript and Rust share one
//! implementation whatever their clocks are.

mod backoff;
mod breaker;
mod budget;
mod changes;
mod clock;
mod decision;
mod idempotency;
mod options;
mod options_json;
mod origin;
mod origins;
mod outcome;
mod permission;
mod random;
mod retries;
mod shared;
mod slots;
mod stats_json;
mod wire;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use backoff::Backoff;
pub use breaker::{Admission, BreakerOptions, BreakerState, Outcome, Refused};
pub use budget::BudgetOptions;
pub use changes::BreakerChange;
pub use clock::{Clock, Now, SystemClock};
pub use decision::{Decision, GaveUp, Why};
pub use idempotency::{MethodSet, Repeatable};
pub use options::{Options, StatusSet};
pub use origin::{Counts, OriginStats};
pub use outcome::BREAKER_OPEN;
pub use random::{FastRandom, Random};
pub use retries::Retries;
pub use shared::Policy;

/// A panic elsewhere leaves counts that are still counts: a poisoned lock is no reason to fail a call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
