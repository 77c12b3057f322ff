//! An origin that is taken for down.

use super::*;
use crate::policy::{BREAKER_OPEN, BreakerOptions, BreakerState};

/// Opens at the first failure.
fn down_at_once() -> Options {
    let breaker = BreakerOptions { min_calls: 1, ..BreakerOptions::default() };
    Options { breaker: Some(breaker), ..Options::default() }
}

fn under(policy: &Arc<Policy>, url: &str) -> Call {
    Call { policy: Arc::clone(policy), ..get(url) }
}

/// As it was last changed; the origins are in the order of their names.
fn state(policy: &Policy, origin: usize) -> BreakerState {
    let now = Now { monotonic: Duration::ZERO, wall: SystemTime::UNIX_EPOCH };
    policy.stats(now)[origin].1.breaker.expect("a breaker")
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_refused_at_once_sends_nothing_and_says_why() {
    let policy = Arc::new(Policy::new(down_at_once()));
    let script = Script::of([reset(false)]);
    let client = script.client();
    let (fault, recovery) = fault_of(client.call(under(&policy, "http://a.test/x")).await);
    assert_eq!((&*fault.code, recovery.gave_up), ("ECONNRESET", Some(GaveUp::BreakerOpen)));
    assert_eq!(recovery.attempts.len(), 1);

    sleep(SECOND).await;
    let post = Call { method: Method::POST, ..under(&policy, "http://a.test/y") };
    let (fault, recovery) = fault_of(client.call(post).await);
    assert_eq!((&*fault.code, fault.phase, fault.delivery), (BREAKER_OPEN, Phase::Connect, Delivery::NotSent));
    assert!(fault.transient && fault.reason.contains("http://a.test "), "{}", fault.reason);
    assert_eq!(fault.retry_after, Some(RetryAfter::Delay(4 * SECOND)));
    assert!(recovery.attempts.is_empty() && recovery.gave_up == Some(GaveUp::BreakerOpen));
    assert_eq!(script.sent(|_| ()).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn when_its_time_is_over_the_next_call_closes_it() {
    let policy = Arc::new(Policy::new(down_at_once()));
    let script = Script::of([reset(false), Says(200, None), Says(200, None)]);
    let client = script.client();
    fault_of(client.call(under(&policy, "http://a.test/")).await);
    sleep(5 * SECOND).await;
    for _ in 0..2 {
        assert_eq!(client.call(under(&policy, "http://a.test/")).await.unwrap().status, 200);
    }
}

/// It opens while a call waits for its next attempt, which is then not made.
#[tokio::test(start_paused = true)]
async fn what_the_last_attempt_ended_with_is_what_the_call_ends_with() {
    let options = Options {
        breaker: Some(BreakerOptions { min_calls: 2, failure_rate: 1.0, ..BreakerOptions::default() }),
        ..Options::default()
    };
    let once = Options { retries: 0, ..options.clone() };
    for (first, code) in [(Says(503, Some((RETRY_AFTER, "2"))), "HTTP_503"), (refused(), "ECONNREFUSED")] {
        let policy = Arc::new(Policy::new(options.clone()));
        let script = Script::of([first, reset(false)]);
        let client = script.client();
        let waits = tokio::spawn({
            // It waits in any case, however short the backoff.
            let call = Call { hooks: slow_hooks(SECOND), ..under(&policy, "http://a.test/") };
            let client = client.clone();
            async move { client.call(call).await }
        });
        while script.sent(|_| ()).is_empty() {
            tokio::task::yield_now().await;
        }
        let once = Call { policy: Arc::new(policy.with_options(once.clone())), ..get("http://a.test/") };
        fault_of(client.call(once).await);
        assert_eq!(state(&policy, 0), BreakerState::Open);

        let (told, recovery) = match waits.await.unwrap() {
            Ok(answer) => (format!("HTTP_{}", answer.status.as_u16()), answer.recovery.unwrap()),
            failed => {
                let (fault, recovery) = fault_of(failed);
                (fault.code.into_owned(), recovery)
            }
        };
        assert_eq!((&*told, recovery.gave_up, recovery.attempts.len()), (code, Some(GaveUp::BreakerOpen), 1));
        assert_eq!(script.sent(|_| ()).len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_redirect_asks_the_breaker_of_where_it_leads() {
    let policy = Arc::new(Policy::new(down_at_once()));
    let script = Script::of([reset(false), Says(302, Some((LOCATION, "http://b.test/")))]);
    let client = script.client();
    fault_of(client.call(under(&policy, "http://b.test/")).await);
    let (fault, recovery) = fault_of(client.call(under(&policy, "http://a.test/")).await);
    assert_eq!((&*fault.code, fault.delivery), (BREAKER_OPEN, Delivery::Answered));
    assert!(fault.reason.contains("http://b.test "), "{}", fault.reason);
    assert_eq!(recovery.gave_up, Some(GaveUp::BreakerOpen));
    assert_eq!(script.sent(|_| ()).len(), 2);
    assert_eq!(state(&policy, 0), BreakerState::Closed, "the origin that redirects answered");
}

#[tokio::test(start_paused = true)]
async fn a_status_is_judged_by_what_it_says_of_the_server() {
    let once = |status: u16, options: Options| async move {
        let policy = Arc::new(Policy::new(options));
        let answer = Script::of([Says(status, None)]).client().call(under(&policy, "http://a.test/")).await.unwrap();
        assert_eq!(answer.status.as_u16(), status);
        state(&policy, 0)
    };
    let never = Options { retries: 0, ..down_at_once() };
    assert_eq!(once(503, never.clone()).await, BreakerState::Open, "although nobody would repeat it");
    assert_eq!(once(503, down_at_once()).await, BreakerState::Open);
    assert_eq!(once(429, never).await, BreakerState::Closed);
    assert_eq!(once(404, down_at_once()).await, BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_runs_out_of_time_waiting_for_an_answer_is_a_failure() {
    let policy = Arc::new(Policy::new(down_at_once()));
    let call = Call { total: Some(SECOND), ..under(&policy, "http://a.test/") };
    let (fault, _) = fault_of(Script::of([Silence]).client().call(call).await);
    assert_eq!((&*fault.code, state(&policy, 0)), ("ETIMEDOUT", BreakerState::Open));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_dropped_makes_room_for_another() {
    let policy = Arc::new(Policy::new(down_at_once()));
    let script = Script::of([reset(false), Silence, Says(200, None)]);
    let client = script.client();
    fault_of(client.call(under(&policy, "http://a.test/")).await);
    sleep(5 * SECOND).await;
    let limits = Limits { attempt: Some(LONG), ..get("").limits };
    let probe = client.call(Call { limits, ..under(&policy, "http://a.test/") });
    assert!(tokio::time::timeout(SECOND, probe).await.is_err());
    assert_eq!(client.call(under(&policy, "http://a.test/")).await.unwrap().status, 200);
}

#[tokio::test(start_paused = true)]
async fn what_becomes_of_calls_is_counted() {
    let policy = Arc::new(Policy::new(down_at_once()));
    let lenient = Arc::new(policy.with_options(Options::default()));
    let script = Script::of([reset(false), Says(200, None), Says(503, None), Says(200, None), reset(false)]);
    let client = script.client();
    client.call(under(&lenient, "http://a.test/")).await.unwrap();
    client.call(Call { method: Method::POST, ..under(&lenient, "http://a.test/") }).await.unwrap();
    client.call(under(&policy, "http://a.test/")).await.unwrap();
    fault_of(client.call(under(&policy, "http://a.test/")).await);
    fault_of(client.call(under(&policy, "http://a.test/")).await);
    fault_of(client.call(Call { total: Some(Duration::ZERO), ..under(&lenient, "http://a.test/") }).await);
    let now = Now { monotonic: Duration::ZERO, wall: SystemTime::UNIX_EPOCH };
    let counts = policy.stats(now)[0].1.counts;
    let expected = crate::policy::Counts { calls: 6, retries: 1, recovered: 1, gave_up: 4, refused: 2 };
    assert_eq!(counts, expected);
}
