//! Asking for the rest of a body: what to ask, what may come in answer, and how often.

use std::sync::Arc;
use std::time::Duration;

use ::http::header::{CONTENT_RANGE, HeaderMap, HeaderValue, IF_RANGE, RANGE};
use ::http::{Method, StatusCode};

use super::Resume;
use super::content_range::ContentRange;
use super::validators::Validators;
use crate::fault::{Delivery, Fault, Kind, Phase};
use crate::http::attempts::{Attempts, Course, Ended, Request, Terms};
use crate::http::call::{CallError, Recovery};
use crate::http::hooks::Hooks;
use crate::http::transport::{Connection, IncomingBody, Limits, Reply, Transport};
use crate::policy::{Clock, Decision, GaveUp, Policy};

/// What is needed to ask once more after the call has been answered. It belongs to the body, which outlives the call.
pub(in crate::http) struct Means<T> {
    pub owned: Owned<T>,
    pub request: Request,
    /// The request had no body, or has it still: see [`Replay::keep_if_small`](super::super::replay::Replay).
    pub repeatable: bool,
    pub course: Course,
    /// Of the answer.
    pub status: StatusCode,
    pub resume: Resume,
    /// Its first bytes are none of this call's, so it cannot begin anew: see [`Start`](super::Start).
    pub continues: bool,
}

/// [`Terms`] that nobody else keeps.
pub(in crate::http) struct Owned<T> {
    pub transport: Arc<T>,
    pub clock: Arc<dyn Clock>,
    pub policy: Arc<Policy>,
    pub hooks: Option<Arc<dyn Hooks>>,
    pub limits: Limits,
    pub total: Option<Duration>,
}

impl<T> Owned<T> {
    fn terms(&self) -> Terms<'_, T> {
        Terms {
            transport: &*self.transport,
            clock: &*self.clock,
            policy: &self.policy,
            hooks: self.hooks.as_deref(),
            limits: self.limits,
            total: self.total,
        }
    }
}

/// How to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    /// With the byte at this offset.
    From(u64),
    /// With the first byte: nobody has seen any.
    Anew,
}

/// A body that stopped.
pub(super) struct Stopped {
    /// What stopped it.
    pub broken: Fault,
    /// How the latest attempt ended: so, or with an answer that was of no use.
    pub last: Fault,
    pub validators: Validators,
    /// Of the whole body, where it is known.
    pub length: Option<u64>,
    /// Bytes that have been passed on.
    pub passed: u64,
}

/// What an answer brings of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Part {
    /// Offset of its first byte.
    pub position: u64,
    /// Offset behind its last byte, where it said so.
    pub end: Option<u64>,
    /// Of the whole, where it is known.
    pub length: Option<u64>,
}

pub(super) enum Recovered<T: Transport> {
    Flowing {
        body: T::Body,
        part: Part,
        means: Box<Means<T>>,
    },
    /// The answer is not the rest of the body, and the next one would not be either.
    Refused {
        refusal: Refusal,
        means: Box<Means<T>>,
    },
    /// There is no further attempt.
    GaveUp {
        recovery: Recovery,
        hook_failed: bool,
    },
}

/// Why an answer is not the rest of the body.
#[derive(Debug)]
pub(super) struct Refusal {
    pub fault: Box<Fault>,
    /// It is of another version, so beginning anew would be of no use either.
    pub changed: bool,
}

/// What an answer is.
pub(super) enum Judged {
    /// The rest or a part of it, or of no use.
    Settled(Result<Part, Refusal>),
    /// A failure by its status: the policy knows what to do.
    Failed,
}

impl<T: Transport> Means<T> {
    /// How to go on after `passed` bytes of `length`; `None` if that cannot be.
    pub(super) fn plan(&self, passed: u64, length: Option<u64>, validators: &Validators) -> Option<Plan> {
        if passed == 0 && self.may_start_over() {
            return Some(Plan::Anew);
        }
        let asked = &self.request;
        let whole = asked.method == Method::GET && self.status == StatusCode::OK && !asked.headers.contains_key(RANGE);
        let identified = match self.resume {
            Resume::Never => false,
            Resume::Validated => validators.strong().is_some(),
            Resume::Trusting => true,
        };
        (whole && identified && self.repeatable).then_some(Plan::From(next(passed, length)))
    }

    pub(super) fn may_start_over(&self) -> bool {
        self.resume != Resume::Never && self.repeatable && !self.continues
    }

    /// Attempts to go on, as often as the policy allows.
    pub(super) async fn recover(self: Box<Self>, plan: Plan, stopped: Stopped) -> Recovered<T> {
        let Means { owned, request, repeatable, course, status, resume, continues } = *self;
        let terms = owned.terms();
        let transport = terms.transport;
        let mut attempts = Attempts::go_on(terms, course, stopped.passed);
        let mut ended = Ended::by(stopped.last);
        // The policy judges what stopped the body, even where an answer was refused since.
        let mut judged = Some(stopped.broken);
        loop {
            let fault = judged.take();
            let decided = attempts.decide(&request, fault.as_ref().unwrap_or(&ended.fault), ended.stale).await;
            let connection = match decided {
                Err(error) => return gave_up(error),
                Ok(Decision::GiveUp(reason)) => return gave_up(attempts.fail(ended.fault, reason)),
                // A hook took longer than planned.
                Ok(Decision::Retry { delay, .. }) if attempts.is_too_late_after(delay) => {
                    return gave_up(attempts.fail(ended.fault, GaveUp::OutOfTime));
                }
                Ok(Decision::Retry { delay, fresh_connection, .. }) => {
                    match attempts.wait(ended, delay).await {
                        Ok(None) => {}
                        Ok(Some(ended)) => return gave_up(attempts.fail(ended.fault, GaveUp::BreakerOpen)),
                        Err(error) => return gave_up(error),
                    }
                    if fresh_connection { Connection::Fresh } else { Connection::Pooled }
                }
            };
            let mut exchange = match attempts.exchange(&request, connection) {
                Ok(exchange) => exchange,
                Err(error) => return gave_up(error),
            };
            plan.ask(&mut exchange.headers, &stopped.validators);
            ended = match transport.exchange(exchange).await {
                Ok(reply) => match plan.judge(&reply, status, &stopped.validators, stopped.length, resume) {
                    Judged::Failed => Ended::by_status(reply),
                    Judged::Settled(mut settled) => {
                        if let Err(refusal) = &mut settled {
                            *refusal.fault = reply.body.blamed(Fault::clone(&refusal.fault));
                            attempts.not_resumed(reply.status);
                        } else {
                            attempts.resumed(reply.status);
                        }
                        let course = attempts.into_course();
                        let means = Box::new(Means { owned, request, repeatable, course, status, resume, continues });
                        return match settled {
                            Ok(part) => Recovered::Flowing { body: reply.body, part, means },
                            Err(refusal) => Recovered::Refused { refusal, means },
                        };
                    }
                },
                Err(failure) if attempts.is_over() && failure.fault.kind == Kind::Timeout => {
                    return gave_up(attempts.too_late(failure.fault));
                }
                Err(failure) => failure.into(),
            };
        }
    }
}

fn gave_up<T: Transport>(error: CallError) -> Recovered<T> {
    match error {
        CallError::Hook { recovery } => Recovered::GaveUp { recovery, hook_failed: true },
        CallError::Fault { recovery, .. } | CallError::Body { recovery } => {
            Recovered::GaveUp { recovery, hook_failed: false }
        }
    }
}

impl Plan {
    pub(super) fn ask(self, headers: &mut HeaderMap, validators: &Validators) {
        let Plan::From(offset) = self else { return };
        let range = HeaderValue::try_from(format!("bytes={offset}-"));
        headers.insert(RANGE, range.expect("digits and ASCII punctuation are a header value"));
        if let Some(validator) = validators.strong() {
            headers.insert(IF_RANGE, validator.clone());
        }
    }

    pub(super) fn judge<B: IncomingBody>(
        self,
        reply: &Reply<B>,
        status: StatusCode,
        validators: &Validators,
        length: Option<u64>,
        resume: Resume,
    ) -> Judged {
        let headers = &reply.headers;
        let all = reply.body.remaining();
        Judged::Settled(match self {
            Plan::Anew if reply.status == status && validators.interchangeable(headers) => {
                Ok(Part { position: 0, end: None, length: all })
            }
            Plan::From(offset) if reply.status == StatusCode::PARTIAL_CONTENT => {
                judge_part(reply, offset, validators, length, resume)
            }
            Plan::From(_) if reply.status == StatusCode::OK => {
                let as_long = length.is_none() || all.is_none_or(|all| Some(all) == length);
                if validators.prove_same(headers) && as_long {
                    Ok(Part { position: 0, end: None, length: length.or(all) })
                } else if validators.strong().is_none() && validators.allow_same(headers) {
                    Err(unusable("The body broke off, and the server sends no parts of it."))
                } else {
                    Err(changed("The body broke off, and the server has another version of it now."))
                }
            }
            _ if reply.status.as_u16() >= 400 => return Judged::Failed,
            Plan::Anew => {
                Err(changed("The body broke off, and when it was asked for once more it was described differently."))
            }
            Plan::From(_) => {
                Err(unusable("The body broke off, and asking for it once more brought another kind of answer."))
            }
        })
    }
}

fn judge_part<B: IncomingBody>(
    reply: &Reply<B>,
    offset: u64,
    validators: &Validators,
    length: Option<u64>,
    resume: Resume,
) -> Result<Part, Refusal> {
    let headers = &reply.headers;
    let mut ranges = headers.get_all(CONTENT_RANGE).iter();
    let range =
        ranges.next().and_then(|value| ContentRange::parse(value.as_bytes())).filter(|_| ranges.next().is_none());
    let same_length = length.is_some() && range.and_then(|range| range.total) == length;
    // One that trusts does so for want of a proof, not against one.
    let trusting = resume == Resume::Trusting && validators.strong().is_none();
    if !(validators.prove_part(headers, same_length) || trusting && validators.allow_same(headers)) {
        return Err(changed(
            "The body broke off, and nothing proves that what the server sent next is the rest of it.",
        ));
    }
    let as_long = |range: &ContentRange| {
        reply.body.remaining().is_none_or(|bytes| bytes.checked_sub(1) == Some(range.last - range.first))
    };
    let Some(range) = range.filter(|range| range.first == offset && as_long(range)) else {
        return Err(unusable("The body broke off, and the server sent another part of it than the one asked for."));
    };
    match (length, range.total) {
        (Some(length), Some(total)) if length != total => {
            Err(changed("The body broke off, and it has another length now."))
        }
        (Some(length), None) if range.last >= length => Err(changed("The body broke off, and it is longer now.")),
        // The end of a part is not the end of the body, and a body that is cut off must not pass for one that ended.
        (None, None) => Err(unusable("The body broke off, and the server does not say how long all of it is.")),
        _ => Ok(Part { position: offset, end: Some(range.last + 1), length: length.or(range.total) }),
    }
}

/// The byte to ask for after `passed` bytes of `length`.
///
/// Where it is not certain that another one follows, it is the last one that came: a range behind the end cannot be
/// satisfied, and the 416 that says so names the length but no version (RFC 9110, section 15.5.17), so a body of which
/// nothing but its end was lost would look like a file that shrank. With one byte that is there the answer is a 206,
/// which names both.
pub(super) fn next(passed: u64, length: Option<u64>) -> u64 {
    if length.is_some_and(|length| passed < length) { passed } else { passed.saturating_sub(1) }
}

pub(super) fn changed(reason: &'static str) -> Refusal {
    Refusal { fault: Box::new(fault("ERR_RESUME_CHANGED", reason)), changed: true }
}

fn unusable(reason: &'static str) -> Refusal {
    Refusal { fault: Box::new(fault("ERR_RESUME_RANGE", reason)), changed: false }
}

pub(super) fn fault(code: &'static str, reason: &'static str) -> Fault {
    Fault::new(code, Phase::Receive, Delivery::Answered).with_reason(reason)
}
