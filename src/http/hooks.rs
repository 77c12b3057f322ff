//! What the caller may observe and decide while a call is being retried.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::fault::Fault;
use crate::policy::Why;

/// A hook failed. The call is rejected with what it threw, which stays on the caller's side of the boundary.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("a hook of the caller failed")]
pub struct HookFailed;

pub type HookFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, HookFailed>> + Send + 'a>>;

/// What a hook is told about the attempt that just failed.
#[derive(Debug, Clone)]
pub struct Failed<'a> {
    pub fault: &'a Fault,
    /// The number of the attempt that failed, from 1.
    pub attempt: u32,
    pub method: &'a str,
    pub url: &'a str,
    /// Since the call began.
    pub elapsed: Duration,
    /// Of the byte of the encoded body that is to come next; `None` as long as there is no answer.
    pub offset: Option<u64>,
}

/// The retry that is about to happen.
#[derive(Debug, Clone, Copy)]
pub struct Next {
    pub delay: Duration,
    /// What makes it permissible.
    pub why: Why,
}

pub trait Hooks: Send + Sync + 'static {
    /// Whether [`should_retry`](Hooks::should_retry) may ever have an opinion. Where it cannot, it is not asked, and
    /// no request body is kept for what only it would repeat.
    fn may_override(&self) -> bool {
        true
    }
    /// `Some(true)` retries what the policy would give up as not idempotent or not transient, `Some(false)`
    /// gives up, `None` leaves the decision to the policy. Attempts, time, budget and the body still limit it.
    fn should_retry<'a>(&'a self, failed: Failed<'a>) -> HookFuture<'a, Option<bool>>;
    /// Called when a retry is certain, before its delay begins.
    fn on_retry<'a>(&'a self, failed: Failed<'a>, next: Next) -> HookFuture<'a, ()>;
}
