//! The policy loop: one request, attempted until it has an answer or the policy gives up.

use std::future::Future;
use std::time::Duration;

use ::http::header::RETRY_AFTER;
use ::http::{HeaderMap, Method, StatusCode};
use tokio::time::{Instant, sleep_until, timeout_at};
use url::{Position, Url};

use super::call::{Attempt, CallError, Recovery};
use super::decode::accept;
use super::hooks::{Failed, HookFailed, Hooks, Next};
use super::redirect::{self, Hop};
use super::replay::Replay;
use super::transport::{Connection, Exchange, Failure, IncomingBody, Limits, Reply, Transport};
use crate::fault::{Delivery, Fault, Kind, Phase, RetryAfter};
use crate::policy::{BREAKER_OPEN, Clock, Decision, FastRandom, GaveUp, Now, Policy, Refused, Repeatable, Retries};

/// A response that is not wanted is read to its end if that is near, so that its connection can be used again.
/// Past these bounds a new connection is cheaper.
const DRAIN_AT_MOST: u64 = 64 * 1024;
const DRAIN_FOR: Duration = Duration::from_millis(100);

/// A body may break and go on without end. What is told of it must not grow without end.
const TOLD_AT_MOST: usize = 100;

/// What every attempt sends.
pub(super) struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Replay,
    /// It carries an `Idempotency-Key`: the server recognises a repetition.
    pub idempotency_key: bool,
    /// Each hop asks for the content codings that its scheme allows.
    pub accepts_by_scheme: bool,
}

impl Request {
    /// Asks for content codings, unless the caller did.
    pub fn accept(&mut self) {
        if self.accepts_by_scheme {
            accept::for_scheme(&mut self.headers, &self.url);
        }
    }

    /// Becomes the request that a redirect asks for.
    pub fn follow(&mut self, hop: Hop) {
        redirect::strip(&mut self.headers, &hop);
        if hop.as_get {
            self.method = Method::GET;
            self.body = Replay::Empty;
        }
        self.url = hop.url;
        self.accept();
    }
}

/// What does not change from attempt to attempt.
pub(super) struct Terms<'a, T> {
    pub transport: &'a T,
    pub clock: &'a dyn Clock,
    pub policy: &'a Policy,
    pub hooks: Option<&'a dyn Hooks>,
    pub limits: Limits,
    /// The end of the whole call.
    pub total: Option<Duration>,
}

/// The attempts of one call, over all its redirects.
pub(super) struct Attempts<'a, T> {
    terms: Terms<'a, T>,
    course: Course,
    /// Where the body goes on that they are made for.
    offset: Option<u64>,
}

/// What the attempts of a call have come to so far. It outlives the answer, whose body may break.
pub(super) struct Course {
    deadline: Option<Instant>,
    retries: Retries,
    recovery: Recovery,
    /// The wait before the attempt that is running.
    delay: Duration,
    /// The furthest that any attempt of the call came, redirects included. Each decision rests on its own attempt;
    /// the caller, who thinks of the call as one, must not be told `not-sent` about a POST that took effect before
    /// a redirect.
    reached: Delivery,
}

/// How an attempt ended that is not simply the answer.
pub(super) struct Ended<B> {
    pub fault: Fault,
    pub stale: bool,
    /// The response that the fault is about; it becomes the answer if there is no further attempt.
    pub reply: Option<Reply<B>>,
}

impl<B> Ended<B> {
    pub fn by(fault: Fault) -> Self {
        Ended { fault, stale: false, reply: None }
    }

    /// By a response whose status may be worth another attempt.
    pub fn by_status(reply: Reply<B>) -> Self {
        Ended { fault: status_fault(&reply), stale: false, reply: Some(reply) }
    }
}

impl<B> From<Failure> for Ended<B> {
    fn from(failure: Failure) -> Self {
        Ended { fault: failure.fault, stale: failure.reused, reply: None }
    }
}

impl Course {
    /// `None` when the first attempt answered and nothing is to be told.
    pub fn recovery(&self) -> Option<&Recovery> {
        (!self.recovery.attempts.is_empty()).then_some(&self.recovery)
    }

    /// The answer was taken for want of a better one.
    pub fn has_given_up(&self) -> bool {
        self.recovery.gave_up.is_some()
    }

    pub fn recovery_mut(&mut self) -> &mut Recovery {
        &mut self.recovery
    }

    /// Bytes came once more, which may be all there is to tell.
    pub fn refetched(&mut self, bytes: u64) {
        if self.recovery.attempts.is_empty() {
            self.tell(None);
        }
        self.recovery.bytes_refetched += bytes;
    }

    /// The body of the answer broke, so the attempt that brought it has failed after all. `progressed`: it had brought
    /// bytes that no earlier one had.
    pub fn broke(&mut self, progressed: bool) {
        if let Some(answered) = self.recovery.attempts.pop_if(|attempt| attempt.fault.is_none()) {
            self.delay = answered.delay;
        }
        if progressed {
            self.retries.progressed();
        }
    }

    /// The body broke, and nothing proves that what would come next belongs to what has come: the end of the call.
    pub fn cannot_resume(&mut self, last: &Fault) -> Recovery {
        self.retries.gave_up(GaveUp::NotResumable);
        self.recovery_with(last, Some(GaveUp::NotResumable))
    }

    fn tell(&mut self, fault: Option<Fault>) {
        tell(&mut self.recovery, Attempt { fault, delay: self.delay });
    }

    /// The recovery of a call whose latest attempt failed with `fault`.
    pub fn recovery_with(&self, fault: &Fault, gave_up: Option<GaveUp>) -> Recovery {
        let mut recovery = self.recovery.clone();
        tell(&mut recovery, Attempt { fault: Some(fault.clone()), delay: self.delay });
        recovery.gave_up = gave_up;
        recovery
    }
}

impl<'a, T: Transport> Attempts<'a, T> {
    pub fn begin(terms: Terms<'a, T>, url: &Url) -> Self {
        let deadline = terms.total.and_then(|total| Instant::now().checked_add(total));
        let mut retries = terms.policy.begin(origin(url), terms.clock.now());
        if let Some(total) = terms.total {
            retries.limit_to(total);
        }
        let course = Course {
            deadline,
            retries,
            recovery: Recovery::default(),
            delay: Duration::ZERO,
            reached: Delivery::NotSent,
        };
        Attempts { terms, course, offset: None }
    }

    /// Goes on with the attempts of a call that was answered before, whose body broke at `offset`: see [`Course::broke`].
    pub fn go_on(terms: Terms<'a, T>, course: Course, offset: u64) -> Self {
        Attempts { terms, course, offset: Some(offset) }
    }

    pub fn into_course(self) -> Course {
        self.course
    }

    /// A redirect is followed: the server has answered a part of this call.
    pub fn redirected(&mut self) {
        self.course.reached = Delivery::Answered;
    }

    /// A redirect led to another origin.
    pub fn moved_to(&mut self, url: &Url) {
        self.course.retries.moved(self.terms.policy, origin(url), self.terms.clock.now());
    }

    /// Attempts `request` until it has an answer.
    pub async fn answer(&mut self, request: &Request) -> Result<Reply<T::Body>, CallError> {
        // What was learnt before a redirect within the origin holds after it.
        let mut connection = match self.course.retries.is_pool_suspect() {
            true => Connection::Fresh,
            false => self.pooled(request),
        };
        if let Err(refused) = self.admit() {
            return Err(self.refused_at_once(request, refused));
        }
        loop {
            let exchange = self.exchange(request, connection)?;
            let ended = match self.terms.transport.exchange(exchange).await {
                Ok(reply) if self.is_answer(&reply) => {
                    self.succeeded(reply.status);
                    return Ok(reply);
                }
                Ok(reply) => Ended::by_status(reply),
                Err(failure) if request.body.source_failed() => {
                    self.course.retries.gave_up(GaveUp::NotTransient);
                    let recovery = self.course.recovery_with(&failure.fault, Some(GaveUp::NotTransient));
                    return Err(CallError::Body { recovery });
                }
                Err(failure) if self.is_over() && failure.fault.kind == Kind::Timeout => {
                    return Err(self.too_late(failure.fault));
                }
                Err(failure) => failure.into(),
            };
            connection = match self.decide(request, &ended.fault, ended.stale).await? {
                Decision::GiveUp(reason) => return self.give_up(ended, reason),
                // A hook took longer than planned. Asked before the wait, which costs the response that would
                // otherwise be the answer.
                Decision::Retry { delay, .. } if self.is_too_late_after(delay) => {
                    return self.take(ended, GaveUp::OutOfTime);
                }
                Decision::Retry { delay, fresh_connection, .. } => {
                    if let Some(ended) = self.wait(ended, delay).await? {
                        return self.take(ended, GaveUp::BreakerOpen);
                    }
                    if fresh_connection { Connection::Fresh } else { self.pooled(request) }
                }
            };
        }
    }

    /// A pooled connection, and where the request could not be repeated one that is sure to be open.
    fn pooled(&self, request: &Request) -> Connection {
        let repeatable = self.repeatable(request).may_follow_an_unanswered_one(self.terms.policy.options());
        if repeatable { Connection::Pooled } else { Connection::Recent }
    }

    fn repeatable<'r>(&self, request: &'r Request) -> Repeatable<'r> {
        Repeatable {
            method: request.method.as_str(),
            idempotency_key: request.idempotency_key,
            declared: None,
            body_replays: request.body.replays(),
        }
    }

    pub fn exchange(&mut self, request: &Request, connection: Connection) -> Result<Exchange, CallError> {
        let mut limits = self.terms.limits;
        if let Some(deadline) = self.course.deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.over_before_it_began());
            }
            // The transport knows best how far the attempt had come when the time was up.
            limits.attempt = Some(limits.attempt.map_or(left, |attempt| attempt.min(left)));
        }
        Ok(Exchange {
            method: request.method.clone(),
            url: request.url.clone(),
            headers: request.headers.clone(),
            body: request.body.open(),
            connection,
            limits,
        })
    }

    /// Nearly every response is one: this decides it without a fault, an allocation or a question to anybody.
    fn is_answer(&self, reply: &Reply<T::Body>) -> bool {
        let (status, options) = (reply.status, self.terms.policy.options());
        let hook_may_want_it = status.as_u16() >= 400 && options.retries > 0 && self.deciding_hooks().is_some();
        !options.may_retry_status(status.as_u16()) && !hook_may_want_it
    }

    /// What to do about an attempt that ended with `fault`. The hooks are asked and told.
    pub async fn decide(&mut self, request: &Request, fault: &Fault, stale: bool) -> Result<Decision, CallError> {
        let attempt = self.course.retries.attempt();
        let verdict = match self.deciding_hooks() {
            None => None,
            Some(hooks) => {
                let asked = hooks.should_retry(self.failed(request, fault, attempt));
                self.hooked(asked, fault).await?
            }
        };
        let now = self.terms.clock.now();
        let decision =
            self.course.retries.decide(fault, self.repeatable(request), verdict, stale, now, &mut FastRandom);
        let Decision::Retry { delay, why, .. } = decision else {
            return Ok(decision);
        };
        if let Some(hooks) = self.terms.hooks {
            let told = hooks.on_retry(self.failed(request, fault, attempt), Next { delay, why });
            self.hooked(told, fault).await?;
        }
        Ok(decision)
    }

    fn deciding_hooks(&self) -> Option<&'a dyn Hooks> {
        self.terms.hooks.filter(|hooks| hooks.may_override())
    }

    fn failed<'f>(&self, request: &'f Request, fault: &'f Fault, attempt: u32) -> Failed<'f> {
        Failed {
            fault,
            attempt,
            method: request.method.as_str(),
            url: request.url.as_str(),
            elapsed: self.course.retries.elapsed(self.terms.clock.now()),
            offset: self.offset,
        }
    }

    /// Waits for a hook, but no longer than the call may take.
    async fn hooked<V>(
        &mut self,
        hook: impl Future<Output = Result<V, HookFailed>>,
        fault: &Fault,
    ) -> Result<V, CallError> {
        let outcome = match self.course.deadline {
            None => Ok(hook.await),
            Some(deadline) => timeout_at(deadline, hook).await,
        };
        match outcome {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(HookFailed)) => Err(CallError::Hook { recovery: self.course.recovery_with(fault, None) }),
            Err(_) => {
                self.course.retries.gave_up(GaveUp::OutOfTime);
                Err(CallError::Fault {
                    fault: self.of_the_call(self.late(Fault::new("ETIMEDOUT", fault.phase, fault.delivery))),
                    recovery: self.course.recovery_with(fault, Some(GaveUp::OutOfTime)),
                })
            }
        }
    }

    pub fn is_too_late_after(&self, delay: Duration) -> bool {
        let now = self.terms.clock.now();
        self.course.retries.out_of_time(Now { monotonic: now.monotonic.saturating_add(delay), ..now })
    }

    /// Waits until the next attempt may be made. `Some`: the breaker refuses it, and the call ends as the last one did.
    pub async fn wait(&mut self, ended: Ended<T::Body>, delay: Duration) -> Result<Option<Ended<T::Body>>, CallError> {
        let until = Instant::now() + delay;
        let Ended { fault, stale, reply } = ended;
        let had_reply = reply.is_some();
        // A response that may still become the answer must not be read before the breaker has been asked.
        let kept = match reply {
            Some(reply) if !self.has_breaker() => {
                self.drain(reply.body).await;
                None
            }
            reply => reply,
        };
        if !delay.is_zero() {
            sleep_until(until).await;
        }
        // The machine slept, or the timer is a little late. A response that was read to make this attempt can no
        // longer be given: then the attempt is made after all, because an answer resolves a call, whatever its
        // status.
        if !had_reply && self.course.retries.out_of_time(self.terms.clock.now()) {
            return Err(self.fail(fault, GaveUp::OutOfTime));
        }
        if self.admit().is_err() {
            return Ok(Some(Ended { fault, stale, reply: kept }));
        }
        if let Some(reply) = kept {
            self.drain(reply.body).await;
        }
        self.course.reached = furthest(self.course.reached, fault.delivery);
        self.course.tell(Some(fault));
        self.course.delay = delay;
        Ok(None)
    }

    fn has_breaker(&self) -> bool {
        self.terms.policy.options().breaker.is_some()
    }

    /// Asks the breaker, where there is one.
    fn admit(&mut self) -> Result<(), Refused> {
        if self.has_breaker() { self.course.retries.admit(self.terms.clock.now()) } else { Ok(()) }
    }

    /// The breaker refuses an attempt that no failed one precedes, and that is what the call fails with.
    fn refused_at_once(&self, request: &Request, Refused { retry_in }: Refused) -> CallError {
        let origin = origin(&request.url);
        let mut fault = Fault::new(BREAKER_OPEN, Phase::Connect, Delivery::NotSent).with_reason(format!(
            "The breaker of {origin} is open: too many of the last calls to it failed, and no further one is made for now."
        ));
        fault.retry_after = Some(RetryAfter::Delay(retry_in));
        let recovery = Recovery { gave_up: Some(GaveUp::BreakerOpen), ..self.course.recovery.clone() };
        CallError::Fault { fault: self.of_the_call(fault), recovery }
    }

    fn give_up(&mut self, ended: Ended<T::Body>, reason: GaveUp) -> Result<Reply<T::Body>, CallError> {
        match ended.reply {
            // A status that nobody asked to repeat is an ordinary answer.
            Some(reply) if !self.terms.policy.options().may_retry_status(reply.status.as_u16()) => {
                self.succeeded(reply.status);
                Ok(reply)
            }
            _ => self.take(ended, reason),
        }
    }

    /// The call ends as its last attempt did, with a response for want of a better one.
    fn take(&mut self, ended: Ended<T::Body>, reason: GaveUp) -> Result<Reply<T::Body>, CallError> {
        let Some(reply) = ended.reply else {
            return Err(self.fail(ended.fault, reason));
        };
        self.course.retries.gave_up(reason);
        self.course.recovery = self.course.recovery_with(&ended.fault, Some(reason));
        Ok(reply)
    }

    fn succeeded(&mut self, status: StatusCode) {
        if self.course.retries.is_watched() {
            self.course.retries.succeeded(Some(status.as_u16()), self.terms.clock.now());
        }
        if !self.course.recovery.attempts.is_empty() {
            self.course.tell(None);
            self.course.delay = Duration::ZERO;
        }
    }

    /// An attempt brought the rest of a body that broke.
    pub fn resumed(&mut self, status: StatusCode) {
        self.course.recovery.resumed += 1;
        self.succeeded(status);
    }

    /// An attempt to bring the rest of a body was answered with something else.
    pub fn not_resumed(&mut self, status: StatusCode) {
        self.course.retries.answered(Some(status.as_u16()), self.terms.clock.now());
    }

    pub fn fail(&mut self, fault: Fault, reason: GaveUp) -> CallError {
        self.course.retries.gave_up(reason);
        let recovery = self.course.recovery_with(&fault, Some(reason));
        CallError::Fault { fault: self.of_the_call(fault), recovery }
    }

    /// An attempt's fault as that of the whole call.
    fn of_the_call(&self, mut fault: Fault) -> Box<Fault> {
        fault.delivery = furthest(fault.delivery, self.course.reached);
        Box::new(fault)
    }

    pub fn too_late(&mut self, fault: Fault) -> CallError {
        self.course.retries.failed_for_good(&fault, GaveUp::OutOfTime, self.terms.clock.now());
        self.fail(self.late(fault), GaveUp::OutOfTime)
    }

    /// The time was up between two attempts, in a wait or a redirect: what failed the call is what the last attempt
    /// failed with, and one that was never made is not told of.
    fn over_before_it_began(&mut self) -> CallError {
        self.course.retries.gave_up(GaveUp::OutOfTime);
        let last = self.course.recovery.attempts.last().and_then(|attempt| attempt.fault.clone());
        let fault = last.unwrap_or_else(|| self.late(Fault::new("ETIMEDOUT", Phase::Connect, Delivery::NotSent)));
        let recovery = Recovery { gave_up: Some(GaveUp::OutOfTime), ..self.course.recovery.clone() };
        CallError::Fault { fault: self.of_the_call(fault), recovery }
    }

    fn late(&self, fault: Fault) -> Fault {
        let total = self.terms.total.unwrap_or_default().as_millis();
        fault.with_reason(format!("The call took longer than its total time limit of {total} ms."))
    }

    pub fn is_over(&self) -> bool {
        self.course.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Reads a response that is not wanted to its end, within bounds; beyond them it is dropped, and its connection
    /// with it.
    pub async fn drain(&self, mut body: T::Body) {
        if body.remaining().is_some_and(|remaining| remaining > DRAIN_AT_MOST) {
            return;
        }
        let mut read = 0;
        let reading = async {
            while let Ok(Some(chunk)) = body.chunk().await {
                read += chunk.len() as u64;
                if read > DRAIN_AT_MOST {
                    break;
                }
            }
        };
        let until = Instant::now() + DRAIN_FOR;
        // Out of time or not, the body is dropped now.
        let _ = timeout_at(self.course.deadline.map_or(until, |deadline| until.min(deadline)), reading).await;
    }

    /// Ends the call with the fault of a redirect: what the last attempt was answered with cannot be followed.
    pub fn refuse(mut self, fault: Box<Fault>) -> CallError {
        self.course.retries.gave_up(GaveUp::NotTransient);
        let mut recovery = self.course.recovery;
        let told = Some(Fault::clone(&fault));
        match recovery.attempts.last_mut() {
            Some(last) => last.fault = told,
            None => recovery.attempts.push(Attempt { fault: told, delay: Duration::ZERO }),
        }
        recovery.gave_up = Some(GaveUp::NotTransient);
        CallError::Fault { fault, recovery }
    }
}

fn tell(recovery: &mut Recovery, attempt: Attempt) {
    if recovery.attempts.len() >= TOLD_AT_MOST {
        recovery.attempts.remove(0);
    }
    recovery.attempts.push(attempt);
}

/// `NotSent` claims most, so it holds for two parts of a call only when it holds for both.
fn furthest(one: Delivery, other: Delivery) -> Delivery {
    match (one, other) {
        (Delivery::Answered, _) | (_, Delivery::Answered) => Delivery::Answered,
        (Delivery::Unknown, _) | (_, Delivery::Unknown) => Delivery::Unknown,
        (Delivery::NotSent, Delivery::NotSent) => Delivery::NotSent,
    }
}

/// `scheme://host:port`, the port only where it is not the scheme's own. The URL has no credentials.
fn origin(url: &Url) -> &str {
    &url[..Position::BeforePath]
}

fn status_fault<B>(reply: &Reply<B>) -> Fault {
    let retry_after = reply.headers.get(RETRY_AFTER).and_then(|value| RetryAfter::parse(value.to_str().ok()?));
    Fault::from_status(reply.status.as_u16(), retry_after)
}
