//! The retry state of one call.

use std::sync::Arc;
use std::time::Duration;

use super::origin::Origin;
use super::permission::{permit, status};
use super::{Admission, Decision, GaveUp, Now, Options, Outcome, Policy, Random, Refused, Repeatable, Why, outcome};
use crate::fault::{Delivery, Fault, Kind};

/// The retry state of one call. Made by [`Policy::begin`]. Dropping it ends the call: what it still holds of a breaker is
/// given back.
#[derive(Debug)]
pub struct Retries {
    options: Arc<Options>,
    origin: Arc<Origin>,
    began: Duration,
    /// What `within` counts from: the beginning, or the fault that stopped a body which had progressed.
    within_from: Duration,
    /// The end of the call, answers included, counted from its beginning.
    total: Option<Duration>,
    attempt: u32,
    /// Retries that count against `retries`, since the beginning or since bytes last progressed.
    spent: u32,
    /// A pooled connection was dead, so the others may be: further attempts go over fresh ones.
    pool_suspect: bool,
    /// Bytes have progressed since the last attempt began.
    resuming: bool,
    /// Of the attempt that is running, where there is a breaker.
    admission: Option<Admission>,
    /// The call has been counted as one that was answered after all.
    recovered: bool,
    /// The call has been counted as one that the policy ended.
    gave_up: bool,
}

impl Retries {
    pub(super) fn new(
        options: Arc<Options>,
        origin: Arc<Origin>,
        began: Duration,
        admission: Option<Admission>,
    ) -> Self {
        Self {
            options,
            origin,
            began,
            within_from: began,
            total: None,
            attempt: 1,
            spent: 0,
            pool_suspect: false,
            resuming: false,
            admission,
            recovered: false,
            gave_up: false,
        }
    }

    /// The call ends `total` after it began, whatever it is doing then: an attempt that could only begin at that
    /// moment or later is [`GaveUp::OutOfTime`]. Unlike `within`, it does not count anew when a body progresses.
    pub fn limit_to(&mut self, total: Duration) {
        self.total = Some(total);
    }

    /// The number of the attempt that is running or has just failed, from 1. Counts every attempt, also those that
    /// do not count against `retries`.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// A pooled connection was dead, so the others may be: an attempt goes over a fresh one.
    pub fn is_pool_suspect(&self) -> bool {
        self.pool_suspect
    }

    /// Since the call began.
    pub fn elapsed(&self, now: Now) -> Duration {
        now.monotonic.saturating_sub(self.began)
    }

    /// Has `within` passed, or the call's total? To be asked again after the wait: a timer, or an `onRetry` hook, may
    /// have taken longer than planned.
    pub fn out_of_time(&self, now: Now) -> bool {
        now.monotonic.saturating_sub(self.within_from) > self.options.within || self.left(now).is_zero()
    }

    /// What the total limit leaves of the call.
    fn left(&self, now: Now) -> Duration {
        self.total.map_or(Duration::MAX, |total| total.saturating_sub(self.elapsed(now)))
    }

    /// An attempt ended with `fault`: what now?
    ///
    /// `verdict` is the answer of a `shouldRetry` hook. `Some(true)` overrides what the policy holds against the
    /// fault (not transient, a status not listed) and the request (not idempotent); body, attempts, time, budget and
    /// abort still limit. `Some(false)` ends with [`GaveUp::NotTransient`].
    ///
    /// `stale`: the connection had answered an earlier request. A server closes idle connections, and a request
    /// that crosses that close fails although nothing is wrong: if it may be repeated at all, it is, at once and on
    /// a fresh connection, at no cost to `retries` or budget. Once for each origin of the call: what follows goes over
    /// fresh connections, which cannot be stale, so a second such fault is something else.
    ///
    /// The reasons to give up are asked in the order in which [`GaveUp`] lists them, from what no option changes to
    /// what another moment would. The budget comes last because asking it costs a token.
    ///
    /// The breaker is told of the fault first, whatever follows from it: it may have opened when it is asked whether the
    /// next attempt could be made.
    pub fn decide(
        &mut self,
        fault: &Fault,
        request: Repeatable<'_>,
        verdict: Option<bool>,
        stale: bool,
        now: Now,
        random: &mut dyn Random,
    ) -> Decision {
        let stale = stale && is_lost_before_answer(fault) && !self.pool_suspect;
        // Of the server, a connection that it closed while it was idle says nothing.
        self.report(if stale { Outcome::Neither } else { outcome::of_fault(fault) }, now);
        match self.next(fault, request, verdict, stale, now, random) {
            Ok(retry) => {
                self.attempt = self.attempt.saturating_add(1);
                self.resuming = false;
                retry
            }
            Err(reason) => {
                self.end(fault, reason, now);
                Decision::GiveUp(reason)
            }
        }
    }

    /// Asks the breaker, if there is one, for the attempt that is to begin now. A refusal ends the call: it is counted as
    /// one of [`GaveUp::BreakerOpen`].
    pub fn admit(&mut self, now: Now) -> Result<(), Refused> {
        self.abandon();
        let Some(breaker) = &self.options.breaker else { return Ok(()) };
        match self.origin.admit(now, breaker) {
            Ok(admission) => {
                self.admission = Some(admission);
                Ok(())
            }
            Err(refused) => {
                self.gave_up(GaveUp::BreakerOpen);
                Err(refused)
            }
        }
    }

    /// The attempt brought the answer, with this status where there is one.
    pub fn succeeded(&mut self, status: Option<u16>, now: Now) {
        self.answered(status, now);
        if self.attempt > 1 && !self.recovered {
            self.recovered = true;
            self.origin.recovered();
        }
    }

    /// The attempt brought an answer, which need not be of use to the call.
    pub fn answered(&mut self, status: Option<u16>, now: Now) {
        self.report(outcome::of_answer(status), now);
    }

    /// Whether anybody wants to know that the attempt succeeds: most calls are spared reading the clock.
    pub fn is_watched(&self) -> bool {
        self.admission.is_some() || (self.attempt > 1 && !self.recovered)
    }

    /// The attempt failed in a way that ends the call whatever the policy says, as when its total time is over.
    pub fn failed_for_good(&mut self, fault: &Fault, reason: GaveUp, now: Now) {
        self.report(outcome::of_fault(fault), now);
        self.gave_up(reason);
    }

    /// The attempt has no outcome: the caller ended the call. Another call may have its place at once.
    pub fn abandon(&mut self) {
        if let Some(admission) = self.admission.take() {
            self.origin.give_back(admission);
        }
    }

    /// There is no further attempt, for a reason that was not [decided](Retries::decide) here: time ran out in a wait.
    pub fn gave_up(&mut self, reason: GaveUp) {
        self.abandon();
        if reason != GaveUp::Aborted && !self.gave_up {
            self.gave_up = true;
            self.origin.gave_up(reason);
        }
    }

    /// Enough of the response has come since this was last said to call it progress. The next fault interrupts a transfer that
    /// works: attempts and `within` count anew from it, and resuming draws nothing from the budget. Without this a
    /// download longer than `within` could not survive its first reset.
    pub fn progressed(&mut self) {
        self.resuming = true;
    }

    /// A redirect moved the call to another origin, where it counts as a call like any other. Attempts and time go
    /// on: to the caller it is still the same call.
    pub fn moved(&mut self, policy: &Policy, origin: &str, now: Now) {
        self.abandon();
        self.origin = policy.call(origin, now);
        self.pool_suspect = false;
    }

    /// `stale`: that is what was wrong, as [`decide`](Retries::decide) explains.
    fn next(
        &mut self,
        fault: &Fault,
        request: Repeatable<'_>,
        verdict: Option<bool>,
        stale: bool,
        now: Now,
        random: &mut dyn Random,
    ) -> Result<Decision, GaveUp> {
        let why = permit(fault, request, verdict, &self.options)?;
        if self.resuming {
            self.spent = 0;
            self.within_from = now.monotonic;
        }
        // `retry: false` means not once, not even for a stale connection.
        if self.options.retries == 0 {
            return Err(GaveUp::AttemptsExhausted);
        }
        if stale {
            if self.out_of_time(now) {
                return Err(GaveUp::OutOfTime);
            }
            self.origin.retry(Duration::ZERO, false, now, &self.options)?;
            self.pool_suspect = true;
            return Ok(Decision::Retry { delay: Duration::ZERO, fresh_connection: true, why: Why::StaleConnection });
        }
        if self.spent >= self.options.retries {
            return Err(GaveUp::AttemptsExhausted);
        }
        let delay = self.wait(fault, now, random)?;
        self.origin.retry(delay, !self.resuming, now, &self.options)?;
        self.spent += 1;
        Ok(Decision::Retry { delay, fresh_connection: self.pool_suspect, why })
    }

    fn report(&mut self, outcome: Outcome, now: Now) {
        if let (Some(breaker), Some(admission)) = (&self.options.breaker, self.admission.take()) {
            self.origin.report(admission, outcome, now, breaker);
        }
    }

    fn end(&mut self, fault: &Fault, reason: GaveUp, now: Now) {
        match status(fault) {
            // A status that nobody asked to repeat is an ordinary answer.
            Some(status) if !self.options.may_retry_status(status) => self.succeeded(Some(status), now),
            _ => self.gave_up(reason),
        }
    }

    /// The wait before the next attempt, if it ends within `within` and before the call does.
    fn wait(&self, fault: &Fault, now: Now, random: &mut dyn Random) -> Result<Duration, GaveUp> {
        let elapsed = now.monotonic.saturating_sub(self.within_from);
        let Some(room) = self.options.within.checked_sub(elapsed) else {
            return Err(GaveUp::OutOfTime);
        };
        let left = self.left(now);
        let backoff = self.options.backoff.delay(self.spent, random);
        let delay = match self.asked(fault, now) {
            Some(asked) if asked > room => return Err(GaveUp::RetryAfterTooLong),
            // The backoff still counts when the server asks for less (`Retry-After: 0` is no call to hammer it),
            // but must not push an attempt past the limits. Cut to what is left it would: a timer is never early.
            Some(asked) if backoff >= room.min(left) => asked,
            Some(asked) => asked.max(backoff),
            None => backoff,
        };
        if delay > room || delay >= left { Err(GaveUp::OutOfTime) } else { Ok(delay) }
    }

    /// How long the server asked to wait, counted from now.
    fn asked(&self, fault: &Fault, now: Now) -> Option<Duration> {
        if !self.options.respect_retry_after {
            return None;
        }
        Some(fault.retry_after?.delay_from(now.wall))
    }
}

impl Drop for Retries {
    fn drop(&mut self) {
        self.abandon();
    }
}

/// The connection ended under the request. A timeout on a reused connection, by contrast, says nothing about the
/// connection having been stale.
fn is_lost_before_answer(fault: &Fault) -> bool {
    matches!(fault.kind, Kind::Reset | Kind::Closed) && fault.delivery != Delivery::Answered
}

#[cfg(test)]
mod tests;
