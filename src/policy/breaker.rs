//! Stops calls to an origin that is down.
//!
//! A call to such an origin fails late: it waits for a timeout, holds a socket and whoever waits for it, and its
//! retries meet the server just as it tries to come back. When so many attempts fail that the next one will fail too,
//! it is better to say so at once. A breaker does, and lets an attempt through now and then to see whether it is over
//! (Michael Nygard, "Release It!", 2007).
//!
//! ```text
//!          a transient fault, and `failure_rate` of at least `min_calls` attempts of the last `window` were such
//!   Closed ------------------------------------------------------------------------------------------> Open
//!     ^                                                                                              |    ^
//!     |                                                                              asked, and `open_for`|
//!     |                                                                                   has passed |    |
//!     |          `probes` attempts were answered                                    a probe failed   v    |
//!     +---------------------------------------------------------------------------------------- HalfOpen -+
//! ```
//!
//! Closed, every attempt is admitted. Open, none is. Half-open, `probes` attempts are. An outcome counts only for the
//! state that admitted the attempt: one that began before the breaker opened, and failed or was answered late, says
//! nothing about now.

use std::time::Duration;

use super::slots::Slots;

/// When the breaker of an origin opens, and for how long. The defaults are Hystrix's, under which a great many services
/// have run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreakerOptions {
    /// The time over which attempts are counted. 10 s, as the budget: long enough that the share means something, short
    /// enough that the server's bad minute does not count against its good one.
    pub window: Duration,
    /// With fewer attempts in the window it stays closed. 20: of fewer, a few unlucky ones are soon half. A program that
    /// makes less than two attempts a second does its server no harm by going on.
    pub min_calls: u32,
    /// The share of them that opens it, above 0 and up to 1. A half: retries still save most calls while fewer fail (with
    /// three, fifteen in sixteen at a half), and from there on save ever fewer.
    pub failure_rate: f64,
    /// How long it stays open before it lets a probe through, and how long it waits for that one's outcome. 5 s: a
    /// restart takes about as long, and a caller does not want to be refused much longer than the trouble lasts.
    pub open_for: Duration,
    /// How many attempts are let through then, all of which must be answered. One: it is a caller's own call that is
    /// risked, and a server that came back this moment is not to be met by all of them.
    pub probes: u32,
}

impl Default for BreakerOptions {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(10),
            min_calls: 20,
            failure_rate: 0.5,
            open_for: Duration::from_secs(5),
            probes: 1,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BreakerState {
    Closed,
    Open,
    HalfOpen,
}

impl BreakerState {
    pub const fn as_str(self) -> &'static str {
        match self {
            BreakerState::Closed => "closed",
            BreakerState::Open => "open",
            BreakerState::HalfOpen => "half-open",
        }
    }
}

/// Leave to make one attempt, to be reported back with its outcome.
///
/// It is a number that grows with time, from 1, so that one from an earlier state is known by being smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission(u64);

impl Admission {
    /// For a caller that can hold numbers only. It is far below 2^53.
    pub fn number(self) -> u64 {
        self.0
    }

    pub fn from_number(number: u64) -> Self {
        Self(number)
    }
}

/// The attempt is not to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// When asking again makes sense: the breaker lets a probe through then, or stops waiting for one that is under way.
    pub retry_in: Duration,
}

/// What the end of an attempt says of its origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Answered,
    Failed,
    /// Nothing: the caller ended it, or it failed by the caller's own doing.
    Neither,
}

/// One origin's breaker. The limits are the asker's, as with the budget; only the window stays what it was when counting
/// began, for what has been counted cannot be divided anew.
#[derive(Debug)]
pub(super) struct Breaker {
    state: State,
    /// The latest number given out, to a state or an admission.
    latest: u64,
    /// The state's own number.
    since: u64,
}

#[derive(Debug)]
enum State {
    Closed(Window),
    Open(Term),
    HalfOpen(Probing),
}

enum Event {
    Asked,
    Ended(Outcome),
}

impl Breaker {
    pub fn new(options: &BreakerOptions) -> Self {
        Self { state: State::Closed(Window::new(options)), latest: 1, since: 1 }
    }

    /// May an attempt be made now?
    pub fn admit(&mut self, now: Duration, options: &BreakerOptions) -> Result<Admission, Refused> {
        self.step(Event::Asked, now, options);
        match &mut self.state {
            State::Closed(_) => Ok(Admission(self.since)),
            State::Open(term) => Err(Refused { retry_in: term.left(now) }),
            State::HalfOpen(probing) => {
                probing.wait(now, options)?;
                self.latest += 1;
                let admission = Admission(self.latest);
                probing.leases.push(Lease { admission, term: Term::begin(now, options.open_for) });
                Ok(admission)
            }
        }
    }

    /// An attempt has ended. To be said once for each admission.
    pub fn report(&mut self, admission: Admission, outcome: Outcome, now: Duration, options: &BreakerOptions) {
        if admission.0 < self.since {
            return;
        }
        self.give_back(admission);
        self.step(Event::Ended(outcome), now, options);
    }

    /// An attempt has ended without an outcome, or was never made: another one may be.
    pub fn give_back(&mut self, admission: Admission) {
        if let State::HalfOpen(probing) = &mut self.state {
            probing.leases.retain(|lease| lease.admission != admission);
        }
    }

    /// Will it still be open after `delay`?
    pub fn is_open_after(&mut self, delay: Duration, now: Duration) -> bool {
        match &mut self.state {
            State::Open(term) => term.left(now) > delay,
            State::Closed(_) | State::HalfOpen(_) => false,
        }
    }

    /// As it would be if it were asked now: an open one whose time is over lets the next attempt through.
    pub fn state_at(&mut self, now: Duration) -> BreakerState {
        match self.state() {
            BreakerState::Open if !self.is_open_after(Duration::ZERO, now) => BreakerState::HalfOpen,
            state => state,
        }
    }

    pub fn state(&self) -> BreakerState {
        match self.state {
            State::Closed(_) => BreakerState::Closed,
            State::Open(_) => BreakerState::Open,
            State::HalfOpen(_) => BreakerState::HalfOpen,
        }
    }

    fn step(&mut self, event: Event, now: Duration, options: &BreakerOptions) {
        if let Some(next) = self.state.next(event, now, options) {
            self.state = next;
            self.latest += 1;
            self.since = self.latest;
        }
    }
}

impl State {
    /// All transitions. `None`: it stays as it is.
    fn next(&mut self, event: Event, now: Duration, options: &BreakerOptions) -> Option<State> {
        let open = || State::Open(Term::begin(now, options.open_for));
        match (self, event) {
            (State::Closed(window), Event::Ended(Outcome::Answered)) => {
                window.at(now).answered += 1;
                None
            }
            (State::Closed(window), Event::Ended(Outcome::Failed)) => {
                window.at(now).failed += 1;
                window.is_too_bad(options).then(open)
            }
            (State::Open(term), Event::Asked) => term.left(now).is_zero().then(|| State::HalfOpen(Probing::default())),
            (State::HalfOpen(probing), Event::Ended(Outcome::Answered)) => {
                probing.answered += 1;
                (probing.answered >= options.probes).then(|| State::Closed(Window::new(options)))
            }
            (State::HalfOpen(_), Event::Ended(Outcome::Failed)) => Some(open()),
            (State::Closed(_) | State::HalfOpen(_), Event::Asked | Event::Ended(Outcome::Neither))
            | (State::Open(_), Event::Ended(_)) => None,
        }
    }
}

/// A window is counted in so many slots, so what happened is remembered for nine to ten tenths of it.
const SLOTS: usize = 10;

/// What has become of the attempts of late.
#[derive(Debug)]
struct Window {
    slots: Slots<Counts, SLOTS>,
    /// How long a slot is, in ns.
    slot: u128,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    answered: u32,
    failed: u32,
}

impl Window {
    fn new(options: &BreakerOptions) -> Self {
        Self { slots: Slots::default(), slot: (options.window.as_nanos() / SLOTS as u128).max(1) }
    }

    fn at(&mut self, now: Duration) -> &mut Counts {
        self.slots.at(u64::try_from(now.as_nanos() / self.slot).unwrap_or(u64::MAX))
    }

    fn is_too_bad(&self, options: &BreakerOptions) -> bool {
        let (mut answered, mut failed) = (0_u64, 0_u64);
        for slot in self.slots.newest_first() {
            answered += u64::from(slot.answered);
            failed += u64::from(slot.failed);
        }
        let all = answered + failed;
        // Divided, not multiplied: 3 of 30 are 0.1 exactly as it is written, and 0.1 x 30 is more than 3.
        all >= u64::from(options.min_calls) && failed as f64 / all as f64 >= options.failure_rate
    }
}

/// The probes of a half-open breaker.
#[derive(Debug, Default)]
struct Probing {
    answered: u32,
    /// Of those under way.
    leases: Vec<Lease>,
}

/// The place of a probe. Its outcome may never come (the caller forgot about the attempt), so it is held for a time only.
#[derive(Debug)]
struct Lease {
    admission: Admission,
    term: Term,
}

impl Probing {
    /// Is there room for another one?
    fn wait(&mut self, now: Duration, options: &BreakerOptions) -> Result<(), Refused> {
        self.leases.retain_mut(|lease| !lease.term.left(now).is_zero());
        let begun = u64::from(self.answered) + self.leases.len() as u64;
        match self.leases.iter_mut().map(|lease| lease.term.left(now)).min() {
            Some(retry_in) if begun >= u64::from(options.probes) => Err(Refused { retry_in }),
            // With none under way there is room in any case: an asker may want fewer than were answered already.
            _ => Ok(()),
        }
    }
}

/// A span of time that will end, whatever the clock does.
#[derive(Debug)]
struct Term {
    end: Duration,
    length: Duration,
}

impl Term {
    fn begin(now: Duration, length: Duration) -> Self {
        Self { end: now.saturating_add(length), length }
    }

    fn left(&mut self, now: Duration) -> Duration {
        // Fake timers that took the clock's place begin at zero: the term must not last until they catch up.
        self.end = self.end.min(now.saturating_add(self.length));
        self.end.saturating_sub(now)
    }
}

#[cfg(test)]
mod tests;
