//! What is repeated, how often, over which connection, and what the caller learns of it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use unreset::fault::{Delivery, Kind, Phase};
use unreset::http::call::{Call, CallError};
use unreset::http::hooks::{Failed, HookFailed, HookFuture, Hooks, Next};
use unreset::policy::GaveUp;

use super::support::*;

/// A port that refuses: it was free a moment ago, and nothing listens there.
fn refusing() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn a_refused_connection_is_a_fault_of_nothing_sent() {
    let address = refusing();
    let (fault, reason, attempts) = gave_up(client().call(post(format!("http://{address}/"), "charge")).await);
    assert_eq!((&*fault.code, fault.kind), ("ECONNREFUSED", Kind::Refused));
    assert_eq!((fault.phase, fault.delivery), (Phase::Connect, Delivery::NotSent));
    assert_eq!((fault.syscall.as_deref(), fault.port), (Some("connect"), Some(address.port())));
    assert_eq!(fault.address.as_deref(), Some("127.0.0.1"));
    assert_eq!((reason, attempts), (GaveUp::AttemptsExhausted, 4));
}

/// Starts a server when the first attempt has failed.
struct StartsServer {
    address: SocketAddr,
    server: Mutex<Option<Server>>,
}

impl Hooks for StartsServer {
    fn should_retry<'a>(&'a self, _: Failed<'a>) -> HookFuture<'a, Option<bool>> {
        Box::pin(async { Ok(None) })
    }

    fn on_retry<'a>(&'a self, _: Failed<'a>, _: Next) -> HookFuture<'a, ()> {
        Box::pin(async {
            let listener = tokio::net::TcpListener::bind(self.address).await.unwrap();
            self.server.lock().unwrap().get_or_insert(Server::on(listener, Peer::echo));
            Ok(())
        })
    }
}

#[tokio::test]
async fn a_refused_post_is_repeated() {
    let address = refusing();
    let hooks = Arc::new(StartsServer { address, server: Mutex::new(None) });
    let call = Call { hooks: Some(hooks), ..post(format!("http://{address}/"), "charge") };
    assert_eq!(text(client().call(call).await).await, "charge");
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_told_from_a_silent_name_server() {
    // RFC 6761: `.invalid` never exists. Without any name server the answer is "try again".
    let (fault, ..) = gave_up(client().call(get("http://nobody.invalid/").retries(0)).await);
    assert!(["ENOTFOUND", "EAI_AGAIN"].contains(&&*fault.code), "{fault:?}");
    assert_eq!((fault.kind, fault.phase, fault.delivery), (Kind::Dns, Phase::Resolve, Delivery::NotSent));
    assert_eq!(fault.syscall.as_deref(), Some("getaddrinfo"));
    assert_eq!(fault.address.as_deref(), Some("nobody.invalid"));
}

#[tokio::test]
async fn a_stale_connection_is_replaced_at_once() {
    // Answers once on the first connection, and resets it when the next request comes.
    let server = Server::start(|mut peer| async move {
        if peer.number > 0 {
            return peer.echo().await;
        }
        peer.request().await;
        peer.respond("200 OK", "first").await;
        peer.request().await;
        peer.reset();
    })
    .await;
    let client = client();
    assert_eq!(text(client.call(get(server.url("/"))).await).await, "first");
    let answer = client.call(get(server.url("/"))).await.unwrap();
    let recovery = answer.recovery.expect("the reused connection was reset");
    assert_eq!(recovery.attempts.len(), 2);
    assert_eq!(recovery.attempts[1].delay, Duration::ZERO);
    let connections: Vec<_> = server.seen().iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [0, 0, 1]);
}

/// Answers with each status in turn, over as few connections as the client wants.
async fn statuses(list: &'static [&'static str]) -> Server {
    let next = Arc::new(AtomicUsize::new(0));
    Server::start(move |mut peer| {
        let next = Arc::clone(&next);
        async move {
            while peer.request().await.is_some() {
                let status = list[next.fetch_add(1, Ordering::Relaxed)];
                peer.respond(status, status).await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_status_is_retried_over_the_same_connection() {
    let server = statuses(&["503 Service Unavailable", "429 Too Many Requests", "200 OK"]).await;
    let answer = client().call(get(server.url("/"))).await.unwrap();
    assert_eq!(answer.status, 200);
    let recovery = answer.recovery.unwrap();
    let codes: Vec<_> =
        recovery.attempts.iter().map(|attempt| attempt.fault.as_ref().map(|fault| &*fault.code)).collect();
    assert_eq!(codes, [Some("HTTP_503"), Some("HTTP_429"), None]);
    assert!(server.seen().iter().all(|seen| seen.connection == 0), "the refused answers were read to their end");
}

#[tokio::test]
async fn when_retries_run_out_the_last_response_is_the_answer() {
    let server = statuses(&["503 Service Unavailable", "503 Still Not"]).await;
    let mut answer = client().call(get(server.url("/")).retries(1)).await.unwrap();
    assert_eq!((answer.status.as_u16(), &*answer.status_text), (503, &b"Still Not"[..]));
    assert_eq!(read(&mut answer.body).await.unwrap(), "503 Still Not");
    let recovery = answer.recovery.unwrap();
    assert_eq!((recovery.gave_up, recovery.attempts.len()), (Some(GaveUp::AttemptsExhausted), 2));
    assert!(recovery.attempts.iter().all(|attempt| attempt.fault.is_some()));
}

#[tokio::test]
async fn a_post_that_met_503_is_answered_with_it() {
    let server = statuses(&["503 Service Unavailable"]).await;
    let answer = client().call(post(server.url("/"), "charge")).await.unwrap();
    assert_eq!(answer.status, 503);
    assert_eq!(answer.recovery.unwrap().gave_up, Some(GaveUp::NotIdempotent));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_status_that_is_not_a_fault_is_answered_plainly() {
    let server = statuses(&["404 Not Found"]).await;
    let answer = client().call(get(server.url("/"))).await.unwrap();
    assert!(answer.status == 404 && answer.recovery.is_none());
}

#[tokio::test]
async fn dropping_the_call_closes_its_connection() {
    let (closed, was_closed) = tokio::sync::oneshot::channel();
    let (arrived, has_arrived) = tokio::sync::oneshot::channel();
    let signals = Mutex::new(Some((arrived, closed)));
    let server = Server::start(move |mut peer| {
        let (arrived, closed) = signals.lock().unwrap().take().expect("one connection");
        async move {
            peer.request().await;
            arrived.send(()).unwrap();
            peer.until_closed().await;
            closed.send(()).unwrap();
        }
    })
    .await;
    let client = client();
    tokio::select! {
        _ = client.call(get(server.url("/"))) => panic!("nobody answers"),
        arrived = has_arrived => arrived.unwrap(),
    }
    tokio::time::timeout(LONG, was_closed).await.expect("the connection is closed").unwrap();
}

#[tokio::test]
async fn calls_can_run_on_tasks_of_their_own() {
    let server = Server::start(Peer::echo).await;
    let client = client();
    let call = post(server.url("/"), "sent");
    let answer = tokio::spawn(async move { text(client.call(call).await).await });
    assert_eq!(answer.await.unwrap(), "sent");
}

#[tokio::test]
async fn urls_that_cannot_be_fetched_are_the_callers_mistake() {
    let cases = [
        ("/relative", "ERR_INVALID_URL"),
        ("http://", "ERR_INVALID_URL"),
        ("http://user:pw@127.0.0.1/", "ERR_INVALID_URL"),
        ("ftp://127.0.0.1/", "ERR_UNSUPPORTED_PROTOCOL"),
    ];
    for (url, code) in cases {
        let (fault, recovery) = failed(client().call(get(url)).await);
        assert_eq!((&*fault.code, fault.kind, fault.delivery), (code, Kind::Client, Delivery::NotSent), "{url}");
        assert!(!fault.transient && recovery.attempts.is_empty());
    }
}

#[tokio::test]
async fn an_answer_that_is_not_http_proves_nothing_about_the_request() {
    let server = Server::start(|mut peer| async move {
        peer.more().await;
        peer.write("SSH-2.0-OpenSSH_9.6\r\n").await;
        peer.until_closed().await;
    })
    .await;
    let (fault, reason, _) = gave_up(client().call(post(server.url("/"), "charge")).await);
    assert_eq!((&*fault.code, fault.kind), ("HPE_INVALID_CONSTANT", Kind::Protocol));
    assert_eq!((fault.phase, fault.delivery, reason), (Phase::Receive, Delivery::Unknown, GaveUp::NotTransient));
}

/// Answers `verdict`, or fails.
struct Says(Result<Option<bool>, HookFailed>);

impl Hooks for Says {
    fn should_retry<'a>(&'a self, failed: Failed<'a>) -> HookFuture<'a, Option<bool>> {
        assert!(failed.attempt >= 1 && !failed.url.is_empty());
        Box::pin(async { self.0 })
    }

    fn on_retry<'a>(&'a self, _: Failed<'a>, _: Next) -> HookFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

fn hooked(call: Call, says: Result<Option<bool>, HookFailed>) -> Call {
    Call { hooks: Some(Arc::new(Says(says))), ..call }
}

#[tokio::test]
async fn a_hook_may_retry_what_the_policy_would_not() {
    let server = statuses(&["404 Not Found", "200 OK"]).await;
    assert_eq!(client().call(hooked(get(server.url("/")), Ok(Some(true)))).await.unwrap().status, 200);

    let server = statuses(&["503 Service Unavailable", "200 OK"]).await;
    let post = hooked(post(server.url("/"), "charge"), Ok(Some(true)));
    assert_eq!(client().call(post).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_hook_without_an_opinion_changes_nothing() {
    let server = statuses(&["404 Not Found"]).await;
    let answer = client().call(hooked(get(server.url("/")), Ok(None))).await.unwrap();
    assert!(answer.status == 404 && answer.recovery.is_none());
}

#[tokio::test]
async fn a_hook_may_give_up() {
    let server = statuses(&["503 Service Unavailable"]).await;
    let answer = client().call(hooked(get(server.url("/")), Ok(Some(false)))).await.unwrap();
    assert_eq!(answer.recovery.unwrap().gave_up, Some(GaveUp::NotTransient));
}

#[tokio::test]
async fn a_hook_that_fails_ends_the_call() {
    let call = hooked(get(format!("http://{}/", refusing())), Err(HookFailed));
    match client().call(call.with_method(Method::PUT)).await {
        Err(CallError::Hook { recovery }) => assert_eq!(recovery.attempts.len(), 1),
        other => panic!("{:?}", other.map(|answer| answer.status)),
    }
}

/// Would retry anything, but is known to have no opinion.
struct Observes;

impl Hooks for Observes {
    fn may_override(&self) -> bool {
        false
    }

    fn should_retry<'a>(&'a self, _: Failed<'a>) -> HookFuture<'a, Option<bool>> {
        Box::pin(async { Ok(Some(true)) })
    }

    fn on_retry<'a>(&'a self, _: Failed<'a>, _: Next) -> HookFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn hooks_that_only_observe_are_not_asked() {
    let server = statuses(&["404 Not Found"]).await;
    let call = Call { hooks: Some(Arc::new(Observes)), ..get(server.url("/")) };
    assert_eq!(client().call(call).await.unwrap().status, 404);
    let server = statuses(&["503 Service Unavailable"]).await;
    let call = Call { hooks: Some(Arc::new(Observes)), ..post(server.url("/"), "charge") };
    assert_eq!(client().call(call).await.unwrap().recovery.unwrap().gave_up, Some(GaveUp::NotIdempotent));
}
