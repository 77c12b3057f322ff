//! What the calls to one origin share: its budget, its breaker, and what has become of the calls.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::breaker::{Admission, Breaker, BreakerOptions, BreakerState, Outcome, Refused};
use super::budget::Budget;
use super::changes::{BreakerChange, Changes};
use super::{GaveUp, Now, Options, lock};

/// One lock for all of it: a call takes it once, and once more for each attempt that failed or that a breaker watches.
#[derive(Debug)]
pub(super) struct Origin {
    name: Arc<str>,
    state: Mutex<State>,
    changes: Arc<Changes>,
}

#[derive(Debug, Default)]
struct State {
    budget: Budget,
    /// Made when it is first asked.
    breaker: Option<Box<Breaker>>,
    counts: Counts,
}

/// Since the origin was first called, or since it was forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub calls: u64,
    pub retries: u64,
    /// Calls that were answered after an attempt that failed.
    pub recovered: u64,
    /// Calls that the policy ended: no answer, or one that was taken for want of a better one.
    pub gave_up: u64,
    /// Of those, the ones that ended because the breaker was open.
    pub refused: u64,
}

/// An origin as [`Policy::stats`](super::Policy::stats) tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OriginStats {
    pub counts: Counts,
    /// The retries that the budget has left. `None`: retries are not budgeted.
    pub budget: Option<u32>,
    /// `None`: there is no breaker.
    pub breaker: Option<BreakerState>,
}

impl Origin {
    pub fn new(name: Arc<str>, changes: Arc<Changes>) -> Self {
        Self { name, state: Mutex::default(), changes }
    }

    /// One more call, and leave for its first attempt where there is a breaker to give it.
    pub fn call(&self, now: Now, breaker: Option<&BreakerOptions>) -> Result<Option<Admission>, Refused> {
        let mut state = lock(&self.state);
        state.counts.calls += 1;
        state.budget.call(now.monotonic);
        let Some(options) = breaker else { return Ok(None) };
        let asked = self.ask(state, now, options, |breaker| breaker.admit(now.monotonic, options));
        asked.map(Some)
    }

    /// So many calls that began at about this time, without asking for leave.
    pub fn calls(&self, calls: u32, now: Now) {
        let mut state = lock(&self.state);
        state.counts.calls += u64::from(calls);
        state.budget.calls(calls, now.monotonic);
    }

    pub fn admit(&self, now: Now, options: &BreakerOptions) -> Result<Admission, Refused> {
        self.ask(lock(&self.state), now, options, |breaker| breaker.admit(now.monotonic, options))
    }

    /// An attempt that the breaker admitted has ended.
    pub fn report(&self, admission: Admission, outcome: Outcome, now: Now, options: &BreakerOptions) {
        let report = |breaker: &mut Breaker| breaker.report(admission, outcome, now.monotonic, options);
        self.ask(lock(&self.state), now, options, report);
    }

    /// An attempt that the breaker admitted has ended without an outcome, or was never made.
    pub fn give_back(&self, admission: Admission) {
        if let Some(breaker) = &mut lock(&self.state).breaker {
            breaker.give_back(admission);
        }
    }

    /// Takes what a retry costs, if it may be made after `delay`.
    pub fn retry(&self, delay: Duration, is_budgeted: bool, now: Now, options: &Options) -> Result<(), GaveUp> {
        let mut state = lock(&self.state);
        if options.breaker.is_some()
            && state.breaker.as_mut().is_some_and(|breaker| breaker.is_open_after(delay, now.monotonic))
        {
            return Err(GaveUp::BreakerOpen);
        }
        if let Some(limits) = options.budget
            && is_budgeted
            && !state.budget.withdraw(now.monotonic, limits)
        {
            return Err(GaveUp::BudgetExhausted);
        }
        state.counts.retries += 1;
        Ok(())
    }

    pub fn recovered(&self) {
        lock(&self.state).counts.recovered += 1;
    }

    pub fn gave_up(&self, reason: GaveUp) {
        let counts = &mut lock(&self.state).counts;
        counts.gave_up += 1;
        counts.refused += u64::from(reason == GaveUp::BreakerOpen);
    }

    pub fn stats(&self, now: Now, options: &Options) -> OriginStats {
        let state = &mut *lock(&self.state);
        let breaker = options.breaker.map(|_| {
            let made = state.breaker.as_mut();
            made.map_or(BreakerState::Closed, |breaker| breaker.state_at(now.monotonic))
        });
        let budget = options.budget.map(|limits| state.budget.left(now.monotonic, limits));
        OriginStats { counts: state.counts, budget, breaker }
    }

    /// Asks the breaker, or tells it, and notes how that changed it.
    fn ask<T>(
        &self,
        mut state: MutexGuard<'_, State>,
        now: Now,
        options: &BreakerOptions,
        ask: impl FnOnce(&mut Breaker) -> T,
    ) -> T {
        let breaker = state.breaker.get_or_insert_with(|| Box::new(Breaker::new(options)));
        let from = breaker.state();
        let answer = ask(breaker);
        let to = breaker.state();
        let news = if from == to {
            None
        } else {
            self.changes.push(BreakerChange {
                origin: Arc::clone(&self.name),
                from,
                to,
                at: now.monotonic,
                retry_in: (to == BreakerState::Open).then_some(options.open_for),
            })
        };
        drop(state);
        if let Some(news) = news {
            self.changes.notify(news);
        }
        answer
    }
}
