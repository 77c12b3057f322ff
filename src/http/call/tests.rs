//! The logic of a call alone: a scripted transport, and time that passes only when everybody waits.

mod breaker;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Mutex;
use std::task::{Context, Poll};
use std::time::SystemTime;

use ::http::HeaderValue;
use ::http::header::{LOCATION, RETRY_AFTER};
use tokio::time::{Instant, sleep};

use super::super::hooks::{Failed, HookFuture, Next};
use super::super::transport::{Connection, Exchange, Failure, IncomingBody};
use super::*;
use crate::fault::{Ending, RetryAfter};
use crate::policy::{Backoff, BudgetOptions, Now, Options};

const SECOND: Duration = Duration::from_secs(1);
/// Longer than a call may go on retrying.
const LONG: Duration = Duration::from_secs(61);

/// How one exchange goes.
enum Scripted {
    Answer(u16, Option<(HeaderName, &'static str)>),
    Failure(Failure),
    /// Until the attempt's limit.
    Silence,
    /// An answer whose body never ends.
    Endless(u16, Option<(HeaderName, &'static str)>),
}
use Scripted::{Answer as Says, Endless, Failure as Fails, Silence};

#[derive(Clone, Default)]
struct Script {
    scripted: Arc<Mutex<VecDeque<Scripted>>>,
    sent: Arc<Mutex<Vec<Exchange>>>,
}

impl Script {
    fn of(scripted: impl IntoIterator<Item = Scripted>) -> Self {
        let scripted = scripted.into_iter().collect();
        Script { scripted: Arc::new(Mutex::new(scripted)), sent: Arc::default() }
    }

    fn client(&self) -> Client<Script> {
        Client::with_clock(self.clone(), Arc::new(TokioClock(Instant::now())))
    }

    /// Something of every exchange, in order.
    fn sent<V>(&self, of: impl Fn(&Exchange) -> V) -> Vec<V> {
        self.sent.lock().unwrap().iter().map(of).collect()
    }
}

/// A body without bytes.
struct Silent {
    endless: bool,
}

impl IncomingBody for Silent {
    async fn chunk(&mut self) -> Result<Option<Bytes>, Fault> {
        poll_fn(|cx| self.poll_arrived(cx)).await
    }

    fn poll_arrived(&mut self, _: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Fault>> {
        if self.endless { Poll::Pending } else { Poll::Ready(Ok(None)) }
    }

    fn remaining(&self) -> Option<u64> {
        (!self.endless).then_some(0)
    }
}

fn reply(status: u16, header: Option<(HeaderName, &'static str)>, endless: bool) -> Reply<Silent> {
    Reply {
        status: StatusCode::from_u16(status).unwrap(),
        status_text: Bytes::new(),
        headers: header.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect(),
        body: Silent { endless },
    }
}

impl Transport for Script {
    type Body = Silent;

    async fn exchange(&self, exchange: Exchange) -> Result<Reply<Silent>, Failure> {
        let limit = exchange.limits.attempt;
        self.sent.lock().unwrap().push(exchange);
        let scripted = self.scripted.lock().unwrap().pop_front().expect("no further exchange was scripted");
        match scripted {
            Says(status, header) => Ok(reply(status, header, false)),
            Endless(status, header) => Ok(reply(status, header, true)),
            Fails(failure) => Err(failure),
            Silence => {
                sleep(limit.expect("a limit, or the test would never end")).await;
                let fault = Fault::new("ETIMEDOUT", Phase::Wait, Delivery::Unknown);
                Err(Failure { fault, reused: false })
            }
        }
    }

    fn close(&self) {}
}

struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> Now {
        Now { monotonic: self.0.elapsed(), wall: SystemTime::UNIX_EPOCH + self.0.elapsed() }
    }
}

fn reset(reused: bool) -> Scripted {
    let fault = Fault::new("ECONNRESET", Phase::Wait, Delivery::Unknown).with_ending(Ending::Rst);
    Fails(Failure { fault, reused })
}

fn refused() -> Scripted {
    Fails(Failure { fault: Fault::new("ECONNREFUSED", Phase::Connect, Delivery::NotSent), reused: false })
}

fn get(url: &str) -> Call {
    Call {
        method: Method::GET,
        url: url.to_owned(),
        headers: HeaderMap::new(),
        body: RequestBody::Empty,
        redirect: RedirectMode::Follow,
        resume: Resume::default(),
        start: None,
        decoding: Decoding::default(),
        limits: Limits { connect: None, headers: None, body: None, attempt: None },
        total: None,
        policy: Arc::new(Policy::new(Options::default())),
        hooks: None,
    }
}

/// Hooks that take their time.
struct Slow(Duration);

impl Hooks for Slow {
    fn should_retry<'a>(&'a self, _: Failed<'a>) -> HookFuture<'a, Option<bool>> {
        Box::pin(async { Ok(None) })
    }

    fn on_retry<'a>(&'a self, _: Failed<'a>, _: Next) -> HookFuture<'a, ()> {
        Box::pin(async {
            sleep(self.0).await;
            Ok(())
        })
    }
}

fn slow_hooks(delay: Duration) -> Option<Arc<dyn Hooks>> {
    Some(Arc::new(Slow(delay)))
}

fn fault_of(outcome: Result<Answer<Decoded<Resumable<Script>>>, CallError>) -> (Fault, Recovery) {
    match outcome {
        Err(CallError::Fault { fault, recovery }) => (*fault, recovery),
        Err(other) => panic!("not a fault: {other:?}"),
        Ok(answer) => panic!("an answer: {}", answer.status),
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_that_the_server_asks_for_is_kept_and_told() {
    let script = Script::of([Says(503, Some((RETRY_AFTER, "7"))), Says(200, None)]);
    let begun = Instant::now();
    let recovery = script.client().call(get("http://a.test/")).await.unwrap().recovery.unwrap();
    assert!(begun.elapsed() >= 7 * SECOND && begun.elapsed() < 8 * SECOND, "{:?}", begun.elapsed());
    let delays: Vec<_> = recovery.attempts.iter().map(|attempt| attempt.delay).collect();
    assert_eq!(delays, [Duration::ZERO, 7 * SECOND]);
    let asked = recovery.attempts[0].fault.as_ref().unwrap().retry_after;
    assert_eq!(asked, Some(RetryAfter::Delay(7 * SECOND)));
}

#[tokio::test(start_paused = true)]
async fn a_wait_longer_than_the_call_may_take_ends_it_with_the_response() {
    let script = Script::of([Says(503, Some((RETRY_AFTER, "61")))]);
    let answer = script.client().call(get("http://a.test/")).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.recovery.unwrap().gave_up), (503, Some(GaveUp::RetryAfterTooLong)));

    let script = Script::of([Says(503, Some((RETRY_AFTER, "5")))]);
    let begun = Instant::now();
    let call = Call { total: Some(3 * SECOND), ..get("http://a.test/") };
    let answer = script.client().call(call).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.recovery.unwrap().gave_up), (503, Some(GaveUp::OutOfTime)));
    assert_eq!(begun.elapsed(), Duration::ZERO, "waiting would not have helped");
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_given_what_is_left_of_the_total() {
    let script = Script::of([Says(503, Some((RETRY_AFTER, "4"))), Silence]);
    let call = Call {
        total: Some(10 * SECOND),
        limits: Limits { attempt: Some(9 * SECOND), ..get("").limits },
        ..get("http://a.test/")
    };
    let begun = Instant::now();
    let (fault, recovery) = fault_of(script.client().call(call).await);
    assert_eq!((&*fault.code, fault.phase, fault.delivery), ("ETIMEDOUT", Phase::Wait, Delivery::Answered));
    assert!(fault.reason.contains("10000 ms"), "{}", fault.reason);
    assert_eq!((recovery.gave_up, recovery.attempts.len()), (Some(GaveUp::OutOfTime), 2));
    assert_eq!(recovery.attempts[1].fault.as_ref().unwrap().delivery, Delivery::Unknown);
    let limits = script.sent(|exchange| exchange.limits.attempt.unwrap());
    assert_eq!(limits[0], 9 * SECOND);
    assert!(limits[1] <= 6 * SECOND && limits[1] > 5 * SECOND, "{limits:?}");
    assert!(begun.elapsed() >= 10 * SECOND && begun.elapsed() < 11 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_cut_short_by_its_own_limit_is_retried_within_the_total() {
    let script = Script::of([Silence, Says(200, None)]);
    let call = Call {
        total: Some(10 * SECOND),
        limits: Limits { attempt: Some(SECOND), ..get("").limits },
        ..get("http://a.test/")
    };
    assert_eq!(script.client().call(call).await.unwrap().recovery.unwrap().attempts.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stale_connection_costs_no_wait_and_a_fresh_one_follows() {
    let script = Script::of([reset(true), Says(200, None)]);
    let begun = Instant::now();
    script.client().call(get("http://a.test/")).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(script.sent(|exchange| exchange.connection), [Connection::Pooled, Connection::Fresh]);
}

#[tokio::test(start_paused = true)]
async fn a_hook_cannot_take_longer_than_the_call_may() {
    let script = Script::of([reset(false)]);
    let call = Call { total: Some(3 * SECOND), hooks: slow_hooks(60 * SECOND), ..get("http://a.test/") };
    let begun = Instant::now();
    let (fault, recovery) = fault_of(script.client().call(call).await);
    assert_eq!((&*fault.code, recovery.gave_up), ("ETIMEDOUT", Some(GaveUp::OutOfTime)));
    assert_eq!(recovery.attempts[0].fault.as_ref().unwrap().code, "ECONNRESET");
    assert!(begun.elapsed() < 4 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn no_attempt_begins_after_a_hook_has_used_up_the_time() {
    let script = Script::of([reset(false)]);
    let call = Call { hooks: slow_hooks(61 * SECOND), ..get("http://a.test/") };
    let (fault, recovery) = fault_of(script.client().call(call).await);
    assert_eq!((&*fault.code, recovery.gave_up), ("ECONNRESET", Some(GaveUp::OutOfTime)));
    assert_eq!(recovery.attempts.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_redirect_made_a_get_is_retried_as_one() {
    let script = Script::of([Says(303, Some((LOCATION, "/b"))), reset(false), Says(200, None)]);
    let form =
        Call { method: Method::POST, body: RequestBody::Bytes(Bytes::from_static(b"form")), ..get("http://a.test/a") };
    let answer = script.client().call(form).await.unwrap();
    assert_eq!((answer.url.as_deref(), answer.redirected), (Some("http://a.test/b"), true));
    assert_eq!(script.sent(|exchange| exchange.method.clone()), [Method::POST, Method::GET, Method::GET]);
}

#[tokio::test(start_paused = true)]
async fn attempts_before_a_redirect_are_told_with_those_after_it() {
    let script =
        Script::of([reset(false), Says(302, Some((LOCATION, "http://b.test/"))), reset(false), Says(200, None)]);
    let answer = script.client().call(get("http://a.test/")).await.unwrap();
    let codes: Vec<_> =
        answer.recovery.unwrap().attempts.into_iter().map(|attempt| attempt.fault.map(|fault| fault.code)).collect();
    let reset = Some("ECONNRESET".into());
    assert_eq!(codes, [reset.clone(), None, reset, None]);
}

#[tokio::test(start_paused = true)]
async fn a_policy_without_retries_asks_nobody_and_repeats_nothing() {
    let policy = Policy::new(Options { retries: 0, ..Options::default() });
    let once = |script: &Script| {
        let call = Call { policy: Arc::new(policy.clone()), hooks: slow_hooks(SECOND), ..get("http://a.test/") };
        let client = script.client();
        async move { client.call(call).await }
    };
    let answer = once(&Script::of([Says(503, None)])).await.unwrap();
    assert!(answer.status == 503 && answer.recovery.is_none());
    let (fault, recovery) = fault_of(once(&Script::of([reset(true)])).await);
    assert_eq!((&*fault.code, recovery.gave_up), ("ECONNRESET", Some(GaveUp::AttemptsExhausted)));
}

#[tokio::test(start_paused = true)]
async fn dropping_a_call_that_waits_ends_it() {
    let backoff = Backoff { base: 9 * SECOND, cap: 9 * SECOND };
    let policy = Arc::new(Policy::new(Options { backoff, ..Options::default() }));
    let script = Script::of([Says(503, Some((RETRY_AFTER, "9"))), Says(200, None)]);
    let client = script.client();
    let call = client.call(Call { policy, ..get("http://a.test/") });
    assert!(tokio::time::timeout(SECOND, call).await.is_err());
    sleep(20 * SECOND).await;
    assert_eq!(script.sent(|_| ()).len(), 1);
}

/// The call as a whole is not unsent because its last part was: a caller that sends a POST again on the strength of
/// `not-sent` would charge twice.
#[tokio::test(start_paused = true)]
async fn what_leaves_the_call_says_what_any_attempt_may_have_done() {
    let once = |header: Option<(HeaderName, &'static str)>| {
        let policy = Policy::new(Options { retries: 1, ..Options::default() });
        let headers = header.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect();
        Call { method: Method::POST, headers, policy: Arc::new(policy), ..get("http://a.test/") }
    };
    let key = Some((IDEMPOTENCY_KEY, "42"));
    let cases = [
        (once(None), vec![Says(303, Some((LOCATION, "/done"))), refused(), refused()], Delivery::Answered),
        (once(key.clone()), vec![reset(false), refused()], Delivery::Unknown),
        (once(key), vec![Says(503, None), refused()], Delivery::Answered),
        (once(None), vec![refused(), refused()], Delivery::NotSent),
    ];
    for (call, script, reached) in cases {
        let (fault, recovery) = fault_of(Script::of(script).client().call(call).await);
        assert_eq!((&*fault.code, fault.delivery), ("ECONNREFUSED", reached));
        let last = recovery.attempts.last().unwrap().fault.as_ref().unwrap();
        assert_eq!(last.delivery, Delivery::NotSent, "of the attempt alone");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_takes_too_long_does_not_make_the_call_unsent() {
    let script = Script::of([Says(303, Some((LOCATION, "/done"))), refused()]);
    let call = Call { method: Method::POST, total: Some(SECOND), hooks: slow_hooks(LONG), ..get("http://a.test/") };
    let (fault, _) = fault_of(script.client().call(call).await);
    assert_eq!((&*fault.code, fault.delivery), ("ETIMEDOUT", Delivery::Answered));
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_used_up_the_time_leaves_the_response_as_it_is() {
    let script = Script::of([Says(503, None)]);
    let answer = script.client().call(Call { hooks: slow_hooks(LONG), ..get("http://a.test/") }).await.unwrap();
    let recovery = answer.recovery.unwrap();
    assert_eq!((answer.status.as_u16(), recovery.gave_up), (503, Some(GaveUp::OutOfTime)));
    assert_eq!(recovery.attempts.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_the_total_forbids_costs_no_budget() {
    let one = BudgetOptions { ratio: 0.0, per_second: 0.1 };
    let policy = Arc::new(Policy::new(Options { budget: Some(one), ..Options::default() }));
    let script =
        Script::of([Says(503, Some((RETRY_AFTER, "5"))), Says(503, Some((RETRY_AFTER, "5"))), Says(200, None)]);
    let client = script.client();
    let hurried = Call { total: Some(3 * SECOND), policy: Arc::clone(&policy), ..get("http://a.test/") };
    assert_eq!(client.call(hurried).await.unwrap().status, 503);
    assert_eq!(client.call(Call { policy, ..get("http://a.test/") }).await.unwrap().status, 200);
}

#[tokio::test(start_paused = true)]
async fn reading_what_a_redirect_came_with_does_not_outlast_the_call() {
    const TOTAL: Duration = Duration::from_millis(50);
    let script = Script::of([reset(true), Endless(302, Some((LOCATION, "/b")))]);
    let begun = Instant::now();
    let (fault, recovery) = fault_of(script.client().call(Call { total: Some(TOTAL), ..get("http://a.test/") }).await);
    assert!(begun.elapsed() < TOTAL + Duration::from_millis(5), "{:?}", begun.elapsed());
    assert_eq!((&*fault.code, fault.delivery), ("ETIMEDOUT", Delivery::Answered));
    assert_eq!(recovery.gave_up, Some(GaveUp::OutOfTime));
    assert_eq!(recovery.attempts.len(), 2, "the request after the redirect was never sent");
}

/// A hook may take what the wait was to have; the timer itself is late on a machine that slept.
#[tokio::test(start_paused = true)]
async fn a_wait_that_outlasts_the_call_ends_it_with_the_true_fault() {
    let policy = Policy::new(Options { backoff: Backoff { base: SECOND, cap: SECOND }, ..Options::default() });
    let script = Script::of([reset(false)]);
    let call = Call {
        total: Some(3 * SECOND),
        hooks: slow_hooks(3 * SECOND - Duration::from_millis(1)),
        policy: Arc::new(policy),
        ..get("http://a.test/")
    };
    let (fault, recovery) = fault_of(script.client().call(call).await);
    assert_eq!((&*fault.code, recovery.gave_up), ("ECONNRESET", Some(GaveUp::OutOfTime)));
    assert_eq!(recovery.attempts.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_total_of_nothing_makes_no_attempt() {
    let call = Call { total: Some(Duration::ZERO), ..get("http://a.test/") };
    let (fault, recovery) = fault_of(Script::default().client().call(call).await);
    assert_eq!((&*fault.code, fault.delivery), ("ETIMEDOUT", Delivery::NotSent));
    assert!(recovery.attempts.is_empty() && recovery.gave_up == Some(GaveUp::OutOfTime));
}

#[tokio::test(start_paused = true)]
async fn the_hop_after_a_redirect_knows_that_the_pool_is_stale() {
    let sent = |location: &'static str| async move {
        let script = Script::of([reset(true), Says(302, Some((LOCATION, location))), Says(200, None)]);
        script.client().call(get("http://a.test/")).await.unwrap();
        script.sent(|exchange| exchange.connection)
    };
    assert_eq!(sent("/b").await, [Connection::Pooled, Connection::Fresh, Connection::Fresh]);
    assert_eq!(sent("http://b.test/").await, [Connection::Pooled, Connection::Fresh, Connection::Pooled]);
}
