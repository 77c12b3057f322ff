//! A server that is down is left alone, and found again when it is back. Time is the test's own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::task::JoinSet;
use unreset::fault::{Delivery, Kind, Phase, RetryAfter};
use unreset::http::call::{Call, Client};
use unreset::http::transport::direct::DirectTransport;
use unreset::http::transport::options::TransportOptions;
use unreset::policy::{BREAKER_OPEN, BreakerOptions, Clock, GaveUp, Now, Options, Policy};

use super::support::*;

/// A clock that stands still until it is moved.
#[derive(Default)]
struct Moved(Mutex<Duration>);

impl Moved {
    fn by(&self, span: Duration) {
        *self.0.lock().unwrap() += span;
    }
}

impl Clock for Moved {
    fn now(&self) -> Now {
        let monotonic = *self.0.lock().unwrap();
        Now { monotonic, wall: SystemTime::UNIX_EPOCH + monotonic }
    }
}

fn client_by(clock: &Arc<Moved>) -> TestClient {
    Client::with_clock(DirectTransport::new(TransportOptions::default()).unwrap(), clock.clone())
}

const BREAKER: BreakerOptions = BreakerOptions {
    window: Duration::from_secs(10),
    min_calls: 4,
    failure_rate: 0.5,
    open_for: Duration::from_secs(5),
    probes: 2,
};

fn policy() -> Arc<Policy> {
    Arc::new(Policy::new(Options { retries: 0, breaker: Some(BREAKER), ..Options::default() }))
}

fn under(policy: &Arc<Policy>, url: String) -> Call {
    Call { policy: Arc::clone(policy), ..get(url) }
}

#[derive(Clone, Copy, PartialEq)]
enum Does {
    Reset,
    /// Answers nothing until it does something else.
    Wait,
    Answer,
}

/// A server that does to each request what it is told to, and counts connections.
struct Moody {
    server: Server,
    does: watch::Sender<Does>,
    connections: Arc<AtomicUsize>,
}

impl Moody {
    async fn start(does: Does) -> Self {
        let (does, told) = watch::channel(does);
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let server = Server::start(move |mut peer| {
            counted.fetch_add(1, Ordering::Relaxed);
            let mut told = told.clone();
            async move {
                while peer.request().await.is_some() {
                    let does = *told.wait_for(|does| *does != Does::Wait).await.unwrap();
                    if does == Does::Reset {
                        return peer.reset();
                    }
                    peer.respond("200 OK", "back").await;
                }
            }
        })
        .await;
        Self { server, does, connections }
    }

    fn url(&self) -> String {
        self.server.url("/")
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// Lets the breaker see four resets.
async fn open(client: &TestClient, policy: &Arc<Policy>, server: &Moody) {
    for _ in 0..4 {
        let (fault, ..) = gave_up(client.call(under(policy, server.url())).await);
        assert_eq!(fault.code, "ECONNRESET");
    }
}

#[tokio::test]
async fn opens_under_resets_and_then_makes_no_connection() {
    let server = Moody::start(Does::Reset).await;
    let (clock, policy) = (Arc::new(Moved::default()), policy());
    let client = client_by(&clock);
    open(&client, &policy, &server).await;
    assert_eq!(server.connections(), 4);

    clock.by(Duration::from_secs(1));
    // Another client under the same policy knows it as well, and so does a call with retries.
    for client in [client, client_by(&clock)] {
        let (fault, reason, attempts) = gave_up(client.call(under(&policy, server.url()).retries(3)).await);
        assert_eq!((&*fault.code, fault.kind), (BREAKER_OPEN, Kind::Refused));
        assert_eq!((fault.phase, fault.delivery), (Phase::Connect, Delivery::NotSent));
        assert_eq!(fault.retry_after, Some(RetryAfter::Delay(Duration::from_secs(4))));
        assert_eq!((reason, attempts), (GaveUp::BreakerOpen, 0));
    }
    assert_eq!(server.connections(), 4);
}

#[tokio::test]
async fn half_open_it_lets_the_stated_number_through_of_many_at_once() {
    let server = Moody::start(Does::Reset).await;
    let (clock, policy) = (Arc::new(Moved::default()), policy());
    let client = client_by(&clock);
    open(&client, &policy, &server).await;
    server.does.send_replace(Does::Wait);
    clock.by(Duration::from_secs(5));

    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let (client, call) = (client.clone(), under(&policy, server.url()));
        calls.spawn(async move { client.call(call).await });
    }
    for _ in 0..18 {
        let (fault, ..) = gave_up(calls.join_next().await.unwrap().unwrap());
        assert_eq!(fault.code, BREAKER_OPEN);
    }
    server.does.send_replace(Does::Answer);
    while let Some(probe) = calls.join_next().await {
        assert_eq!(text(probe.unwrap()).await, "back");
    }
    assert_eq!(server.server.seen().len(), 4 + 2);
    assert_eq!(text(client.call(under(&policy, server.url())).await).await, "back");
}

#[tokio::test]
async fn a_probe_that_is_reset_keeps_it_open() {
    let server = Moody::start(Does::Reset).await;
    let (clock, policy) = (Arc::new(Moved::default()), policy());
    let client = client_by(&clock);
    open(&client, &policy, &server).await;
    clock.by(Duration::from_secs(5));
    let (fault, ..) = gave_up(client.call(under(&policy, server.url())).await);
    assert_eq!(fault.code, "ECONNRESET");
    let (fault, ..) = gave_up(client.call(under(&policy, server.url())).await);
    assert_eq!(fault.code, BREAKER_OPEN);
    assert_eq!(server.connections(), 5);
}

/// The attempt was answered; that its body broke is none of the breaker's. But what would bring the rest is an attempt too.
#[tokio::test]
async fn a_body_that_breaks_does_not_go_on_at_a_server_that_is_down() {
    let server = Server::start(|mut peer| async move {
        if peer.request().await.is_some_and(|seen| seen.line.starts_with("GET /file ")) {
            peer.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\netag: \"1\"\r\n\r\nhalf ").await;
            peer.until_closed().await;
        } else {
            peer.reset();
        }
    })
    .await;
    let (clock, policy) = (Arc::new(Moved::default()), policy());
    let client = client_by(&clock);
    let limits = unreset::http::transport::Limits { body: Some(Duration::from_millis(50)), ..get("").limits };
    let file = Call { limits, ..under(&policy, server.url("/file")).retries(3) };
    let mut answer = client.call(file).await.unwrap();
    for _ in 0..3 {
        let (fault, ..) = failed(client.call(under(&policy, server.url("/"))).await);
        assert_eq!(fault.code, "ECONNRESET");
    }
    let fault = read(&mut answer.body).await.unwrap_err();
    assert_eq!(fault.code, "ETIMEDOUT");
    let recovery = unreset::http::resume::RecoveringBody::news(&mut answer.body).unwrap();
    assert_eq!((recovery.gave_up, recovery.attempts.len()), (Some(GaveUp::BreakerOpen), 1));
    assert_eq!(server.seen().len(), 4);
}
