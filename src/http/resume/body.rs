//! A response body that goes on where it broke.

use std::future::{Future, poll_fn};
use std::mem;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::http::HeaderMap;
use bytes::{Buf, Bytes};

use super::rest::{Means, Part, Plan, Recovered, Refusal, Stopped};
use super::start::Continued;
use super::validators::Validators;
use super::{RecoveringBody, rest};
use crate::fault::{Delivery, Ending, Fault, Phase};
use crate::http::call::Recovery;
use crate::http::decode::codings::has_null_body;
use crate::http::transport::{IncomingBody, Transport};

/// The body of an answer. Nearly all arrive unbroken: until one breaks, this layer counts its bytes and does nothing
/// else.
pub struct Resumable<T: Transport> {
    /// Of the answer.
    headers: HeaderMap,
    /// Of the response that brought the first bytes, where that is an earlier one.
    first: Option<HeaderMap>,
    state: State<T>,
    progress: Progress,
    /// There is something to tell that was not told yet.
    news: bool,
}

enum State<T: Transport> {
    Flowing {
        body: T::Body,
        /// Boxed: a body is moved several times on its way to whoever reads it, and this is rarely needed.
        means: Box<Means<T>>,
    },
    Recovering {
        attempts: Pin<Box<dyn Future<Output = Recovered<T>> + Send>>,
        broken: Box<Fault>,
    },
    /// It cannot go on, but it could begin anew.
    Stopped {
        broken: Box<Fault>,
        last: Box<Fault>,
        means: Box<Means<T>>,
    },
    Failed {
        fault: Box<Fault>,
        recovery: Recovery,
        hook_failed: bool,
    },
}

impl<T: Transport> State<T> {
    /// In place of a state that is being taken apart.
    fn failed(fault: Box<Fault>) -> Self {
        State::Failed { fault, recovery: Recovery::default(), hook_failed: false }
    }
}

/// Offsets in the encoded body.
#[derive(Debug, Default)]
struct Progress {
    /// Of the next byte that the exchange brings.
    position: u64,
    /// Of the next byte to be passed on.
    passed: u64,
    /// The furthest that any exchange came.
    reached: u64,
    /// That, when attempts last counted anew.
    renewed_at: u64,
    /// Of the end, where it is known.
    length: Option<u64>,
    /// Of the end of what the exchange brings, where it brings a part.
    part_end: Option<u64>,
}

/// So much of a body (bytes, or a hundredth of it if that is less) must come for attempts to count anew. With less, a
/// server that sends a byte on each connection could make a call ask for ever.
const RENEWS: u64 = 64 * 1024;

impl Progress {
    /// So many bytes are there, and `part` brings more.
    fn behind(passed: u64, part: Part) -> Self {
        let mut progress = Progress { passed, reached: passed, renewed_at: passed, ..Progress::default() };
        progress.resume_with(part);
        progress
    }

    /// Bytes have come. Returns how many of the first ones have been passed on before, and how many had come before.
    fn advance(&mut self, bytes: u64) -> (u64, u64) {
        let behind = |mark: u64| mark.saturating_sub(self.position).min(bytes);
        let (passed, refetched) = (behind(self.passed), behind(self.reached));
        self.position += bytes;
        self.passed = self.passed.max(self.position);
        self.reached = self.reached.max(self.position);
        (passed, refetched)
    }

    /// The body broke. Has enough come since attempts last counted anew that they do so again?
    fn renews(&mut self) -> bool {
        let enough = self.length.map_or(RENEWS, |length| (length / 100).clamp(1, RENEWS));
        let renews = self.reached - self.renewed_at >= enough;
        if renews {
            self.renewed_at = self.reached;
        }
        renews
    }

    /// The exchange is at its end. Is the body?
    fn is_complete(&self) -> bool {
        self.position >= self.passed && self.length.is_none_or(|length| self.position == length)
    }

    /// Whether so many bytes are more than the exchange may still bring.
    fn are_too_many(&self, bytes: u64) -> bool {
        self.part_end.or(self.length).is_some_and(|end| bytes > end.saturating_sub(self.position))
    }

    /// The next exchange begins as `part` says.
    fn resume_with(&mut self, part: Part) {
        let Part { position, end, length } = part;
        self.position = position;
        self.part_end = end;
        self.length = length;
    }

    /// Bytes still to be passed on.
    fn left(&self) -> Option<u64> {
        self.length.map(|length| length.saturating_sub(self.passed))
    }
}

impl<T: Transport> Resumable<T> {
    pub(in crate::http) fn new(
        headers: HeaderMap,
        body: T::Body,
        means: Means<T>,
        continued: Option<Continued>,
    ) -> Self {
        // A response without a body may state the length of the one that it would have.
        let stated = if has_null_body(&means.request.method, means.status) { None } else { body.remaining() };
        let progress = match &continued {
            Some(continued) => Progress::behind(continued.passed, continued.part),
            None => Progress { length: stated, ..Progress::default() },
        };
        let first = continued.map(|continued| continued.headers);
        Resumable { headers, first, state: State::Flowing { body, means: Box::new(means) }, progress, news: false }
    }

    /// What there is to pass on of what was read; `None` if that is nothing yet.
    fn take(&mut self, read: Result<Option<Bytes>, Fault>) -> Option<Result<Option<Bytes>, Fault>> {
        match read {
            Ok(Some(mut bytes)) => {
                bytes.advance(self.unwanted(bytes.len()));
                (!bytes.is_empty()).then_some(Ok(Some(bytes)))
            }
            Ok(None) => self.is_over(Ok(())).then_some(Ok(None)),
            Err(fault) => self.is_over(Err(fault)).then_some(Ok(None)),
        }
    }

    /// As [`take`](Self::take), of what was appended to `into`.
    fn take_appended(
        &mut self,
        read: Result<Option<usize>, Fault>,
        into: &mut Vec<u8>,
    ) -> Option<Result<Option<usize>, Fault>> {
        match read {
            Ok(Some(bytes)) => {
                let (begin, unwanted) = (into.len() - bytes, self.unwanted(bytes));
                if unwanted > 0 {
                    into.drain(begin..begin + unwanted);
                }
                (bytes > unwanted).then_some(Ok(Some(bytes - unwanted)))
            }
            Ok(None) => self.is_over(Ok(())).then_some(Ok(None)),
            Err(fault) => self.is_over(Err(fault)).then_some(Ok(None)),
        }
    }

    /// Bytes have come. How many of the first ones are not passed on.
    fn unwanted(&mut self, bytes: usize) -> usize {
        // Before they count: what is not passed on must not be skipped by the next exchange either.
        if self.progress.are_too_many(bytes as u64) {
            let reason = "The rest of the body was longer than its Content-Range said.";
            self.stopped(self.blamed(rest::fault("ERR_RESUME_RANGE", reason)));
            return bytes;
        }
        let (passed, refetched) = self.progress.advance(bytes as u64);
        if refetched > 0 {
            self.refetched(refetched);
        }
        // Not more than there are.
        passed as usize
    }

    /// The exchange brings no more. Whether that is the end of the body.
    fn is_over(&mut self, ending: Result<(), Fault>) -> bool {
        match ending {
            Ok(()) if self.progress.is_complete() => return true,
            // A part need not reach to the end of the whole, and one without a length can be cut off unnoticed.
            Ok(()) => self.stopped(self.blamed(ended("The server ended the response before the end of its body."))),
            Err(fault) => self.stopped(fault),
        }
        false
    }

    fn refetched(&mut self, bytes: u64) {
        if let State::Flowing { means, .. } = &mut self.state {
            means.course.refetched(bytes);
            self.news = true;
        }
    }

    /// The body broke: tries to go on if that can be.
    fn stopped(&mut self, broken: Fault) {
        let broken = Box::new(broken);
        let failed = State::failed(broken.clone());
        // The body is dropped here, and its connection with it, before another is asked for.
        let State::Flowing { mut means, .. } = mem::replace(&mut self.state, failed) else { return };
        self.news = true;
        if means.course.has_given_up() {
            // The answer is one that the policy took for want of a better one.
            let recovery = means.course.recovery_mut().clone();
            self.state = State::Failed { fault: broken, recovery, hook_failed: false };
            return;
        }
        means.course.broke(self.progress.renews());
        match means.plan(self.progress.passed, self.progress.length, &self.validators()) {
            Some(plan) => self.recover(plan, broken.clone(), *broken, means),
            None => self.give_up(broken.clone(), broken, means),
        }
    }

    fn recover(&mut self, plan: Plan, broken: Box<Fault>, last: Fault, means: Box<Means<T>>) {
        let Progress { length, passed, .. } = self.progress;
        let stopped = Stopped { broken: Fault::clone(&broken), last, validators: self.validators(), length, passed };
        self.state = State::Recovering { attempts: Box::pin(means.recover(plan, stopped)), broken };
    }

    /// Read when they are needed.
    fn validators(&self) -> Validators {
        Validators::of(self.first.as_ref().unwrap_or(&self.headers))
    }

    fn give_up(&mut self, broken: Box<Fault>, last: Box<Fault>, mut means: Box<Means<T>>) {
        self.state = if means.may_start_over() {
            State::Stopped { broken, last, means }
        } else {
            let recovery = means.course.cannot_resume(&last);
            State::Failed { fault: broken, recovery, hook_failed: false }
        };
    }

    /// What there is to read from, once [`poll_recovered`](Self::poll_recovered) is ready.
    fn flowing(&mut self) -> Result<&mut T::Body, &Fault> {
        match &mut self.state {
            State::Flowing { body, .. } => Ok(body),
            State::Recovering { broken: fault, .. }
            | State::Stopped { broken: fault, .. }
            | State::Failed { fault, .. } => Err(fault),
        }
    }

    fn poll_recovered(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let State::Recovering { attempts, broken } = &mut self.state else { return Poll::Ready(()) };
        let recovered = ready!(attempts.as_mut().poll(cx));
        let broken = broken.clone();
        self.news = true;
        match recovered {
            Recovered::Flowing { body, part, means } => {
                self.progress.resume_with(part);
                self.state = State::Flowing { body, means };
            }
            Recovered::Refused { refusal: Refusal { fault, changed: false }, means } => {
                self.give_up(broken, fault, means);
            }
            Recovered::Refused { refusal, mut means } => {
                let recovery = means.course.cannot_resume(&refusal.fault);
                self.state = State::Failed { fault: broken, recovery, hook_failed: false };
            }
            Recovered::GaveUp { recovery, hook_failed } => {
                self.state = State::Failed { fault: broken, recovery, hook_failed };
            }
        }
        Poll::Ready(())
    }
}

impl<T: Transport> IncomingBody for Resumable<T> {
    /// Dropping the future loses nothing: attempts to go on are kept here.
    async fn chunk(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            poll_fn(|cx| self.poll_recovered(cx)).await;
            let read = self.flowing().map_err(Fault::clone)?.chunk().await;
            if let Some(passed) = self.take(read) {
                return passed;
            }
        }
    }

    fn poll_arrived(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Fault>> {
        loop {
            ready!(self.poll_recovered(cx));
            let read = ready!(self.flowing().map_err(Fault::clone)?.poll_arrived(cx));
            if let Some(passed) = self.take(read) {
                return Poll::Ready(passed);
            }
        }
    }

    async fn append(&mut self, into: &mut Vec<u8>) -> Result<Option<usize>, Fault> {
        loop {
            poll_fn(|cx| self.poll_recovered(cx)).await;
            let read = self.flowing().map_err(Fault::clone)?.append(into).await;
            if let Some(passed) = self.take_appended(read, into) {
                return passed;
            }
        }
    }

    fn poll_append(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<Result<Option<usize>, Fault>> {
        loop {
            ready!(self.poll_recovered(cx));
            let read = ready!(self.flowing().map_err(Fault::clone)?.poll_append(cx, into));
            if let Some(passed) = self.take_appended(read, into) {
                return Poll::Ready(passed);
            }
        }
    }

    fn remaining(&self) -> Option<u64> {
        match &self.state {
            // Of a response without a body it is not this layer's to say.
            State::Flowing { body, .. } => self.progress.left().or_else(|| body.remaining()),
            _ => self.progress.left(),
        }
    }

    fn peer(&self) -> Option<(IpAddr, u16)> {
        if let State::Flowing { body, .. } = &self.state { body.peer() } else { None }
    }
}

impl<T: Transport> RecoveringBody for Resumable<T> {
    fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    fn start_over(&mut self) -> bool {
        let State::Stopped { broken, .. } = &self.state else { return false };
        let failed = State::failed(broken.clone());
        if let State::Stopped { broken, last, means } = mem::replace(&mut self.state, failed) {
            self.progress.passed = 0;
            self.recover(Plan::Anew, broken, *last, means);
        }
        true
    }

    fn news(&mut self) -> Option<Recovery> {
        if !mem::take(&mut self.news) {
            return None;
        }
        match &mut self.state {
            State::Flowing { means, .. } => means.course.recovery().cloned(),
            State::Recovering { .. } => None,
            // It was not asked to start over: this is the end.
            State::Stopped { last, means, .. } => Some(means.course.cannot_resume(last)),
            State::Failed { recovery, .. } => Some(recovery.clone()),
        }
    }

    fn hook_failed(&self) -> bool {
        matches!(self.state, State::Failed { hook_failed: true, .. })
    }
}

/// The fault of a response that was not as long as it should be.
fn ended(reason: &'static str) -> Fault {
    Fault::new("ECONNRESET", Phase::Receive, Delivery::Answered).with_ending(Ending::Fin).with_reason(reason)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Each exchange brings the body from its beginning, or from where it is to go on, and breaks somewhere.
        #[test]
        fn every_byte_is_passed_on_once_whatever_comes_twice(
            length in 1..5_000_u64,
            exchanges in proptest::collection::vec((any::<bool>(), 0..3_000_u64, 1..700_u64), 0..12),
        ) {
            let mut progress = Progress { length: Some(length), ..Progress::default() };
            let (mut passed_on, mut received, mut refetched) = (0, 0, 0);
            let last = (false, length, 700);
            for (from_the_beginning, breaks_after, piece) in exchanges.into_iter().chain([last]) {
                let position = if from_the_beginning { 0 } else { passed_on };
                progress.resume_with(Part { position, end: None, length: Some(length) });
                let end = length.min(position + breaks_after);
                while progress.position < end {
                    let bytes = piece.min(end - progress.position);
                    let at = progress.position;
                    prop_assert!(!progress.are_too_many(bytes));
                    let (skipped, again) = progress.advance(bytes);
                    prop_assert!(skipped <= bytes && again <= bytes);
                    if skipped < bytes {
                        prop_assert_eq!(at + skipped, passed_on, "what is passed on is what comes next");
                        passed_on += bytes - skipped;
                    }
                    received += bytes;
                    refetched += again;
                }
                prop_assert_eq!(progress.is_complete(), progress.position == length);
                prop_assert!(progress.are_too_many(length - progress.position + 1));
            }
            prop_assert_eq!(passed_on, length);
            prop_assert_eq!(refetched, received - length);
        }
    }

    #[test]
    fn a_body_of_unknown_length_ends_when_it_ends_but_not_inside_what_is_skipped() {
        let mut progress = Progress::default();
        progress.advance(10);
        assert!(progress.is_complete());
        progress.resume_with(Part { position: 0, end: None, length: None });
        progress.advance(9);
        assert!(!progress.is_complete());
        progress.advance(1);
        assert!(progress.is_complete());
    }

    #[test]
    fn a_part_brings_no_more_than_it_said_even_where_the_body_has_more() {
        let mut progress = Progress { length: Some(100), passed: 50, ..Progress::default() };
        progress.resume_with(Part { position: 50, end: Some(60), length: Some(100) });
        assert!(!progress.are_too_many(10) && progress.are_too_many(11));
        progress.advance(10);
        assert!(!progress.is_complete() && progress.are_too_many(1));
    }

    #[test]
    fn attempts_count_anew_when_enough_has_come_since_they_last_did() {
        let renewals = |length, pieces: &[u64]| {
            let mut progress = Progress { length, ..Progress::default() };
            let each = pieces.iter().map(|bytes| {
                progress.advance(*bytes);
                progress.renews()
            });
            each.collect::<Vec<_>>()
        };
        // A hundredth of it; of a long one, or one whose length nobody knows, 64 KiB. What did not suffice adds up.
        assert_eq!(renewals(Some(1_000), &[9, 1, 9, 0, 1]), [false, true, false, false, true]);
        assert_eq!(renewals(Some(7), &[1, 0, 1]), [true, false, true]);
        assert_eq!(renewals(Some(1 << 40), &[65_535, 1, 65_536]), [false, true, true]);
        assert_eq!(renewals(None, &[65_535, 1, 10]), [false, true, false]);
        // What comes once more is no progress.
        let mut progress = Progress { length: Some(1_000), ..Progress::default() };
        progress.advance(500);
        assert!(progress.renews());
        progress.resume_with(Part { position: 0, end: None, length: Some(1_000) });
        progress.advance(509);
        assert!(!progress.renews());
    }
}
