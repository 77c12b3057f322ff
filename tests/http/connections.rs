//! Which connection an exchange gets: one that idles, a new one, at which address, and when none of the old ones.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::Method;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use unreset::fault::{Delivery, Phase};
use unreset::http::body::RequestBody;
use unreset::http::call::Call;
use unreset::http::transport::lookup::{Lookup, LookupFailed, LookupFuture};
use unreset::http::transport::options::{KeepAlive, TransportOptions};
use unreset::policy::GaveUp;

use crate::support::*;

fn keeping(change: impl FnOnce(&mut KeepAlive)) -> TestClient {
    let mut keep_alive = KeepAlive::default();
    change(&mut keep_alive);
    with(TransportOptions { keep_alive: Some(keep_alive), ..Default::default() })
}

/// Over which connections the requests came.
fn connections(server: &Server) -> Vec<usize> {
    server.seen().iter().map(|seen| seen.connection).collect()
}

/// Answers every request with these header lines.
async fn answering(headers: &'static str) -> Server {
    Server::start(move |mut peer| async move {
        while peer.request().await.is_some() {
            peer.respond_with("200 OK", headers, "").await;
        }
    })
    .await
}

#[tokio::test]
async fn exchanges_one_after_the_other_share_a_connection() {
    let server = Server::start(Peer::echo).await;
    let client = client();
    for _ in 0..3 {
        assert_eq!(text(client.call(post(server.url("/"), "a")).await).await, "a");
    }
    // A body that nobody has asked for is known to be empty.
    client.call(get(server.url("/"))).await.unwrap();
    client.call(get(server.url("/"))).await.unwrap();
    assert_eq!(connections(&server), [0; 5]);
}

#[tokio::test]
async fn a_body_that_is_dropped_takes_its_connection_along() {
    let (closed, mut seen_closed) = mpsc::unbounded_channel();
    let server = Server::start(move |mut peer| {
        let closed = closed.clone();
        async move {
            peer.request().await;
            peer.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
            peer.until_closed().await;
            closed.send(()).unwrap();
        }
    })
    .await;
    drop(client().call(get(server.url("/"))).await.unwrap());
    timeout(LONG, seen_closed.recv()).await.expect("the server sees it close");
}

#[tokio::test]
async fn without_keep_alive_each_exchange_has_its_own() {
    let server = Server::start(Peer::echo).await;
    let client = with(TransportOptions { keep_alive: None, ..Default::default() });
    for _ in 0..3 {
        text(client.call(get(server.url("/"))).await).await;
    }
    assert_eq!(connections(&server), [0, 1, 2]);
}

#[tokio::test]
async fn what_must_not_be_repeated_is_not_sent_over_one_that_has_idled_too_long() {
    let server = Server::start(Peer::echo).await;
    let client = keeping(|keep_alive| keep_alive.guarded_timeout = Duration::ZERO);
    for call in
        [get, |url| post(url, "a"), get, |url| post(url, "b").header("idempotency-key", "1"), |url| get(url).retries(0)]
    {
        text(client.call(call(server.url("/"))).await).await;
    }
    // A GET may use what a POST has left, and a POST that can be repeated as well. A GET that is not to be repeated may not.
    assert_eq!(connections(&server), [0, 1, 1, 1, 2]);
}

#[tokio::test]
async fn a_server_that_states_how_long_it_waits_is_believed() {
    for (headers, expected) in [
        ("keep-alive: timeout=60\r\n", [0, 0, 0]),
        ("keep-alive: timeout=0\r\n", [0, 1, 2]),
        ("connection: close\r\n", [0, 1, 2]),
    ] {
        let server = answering(headers).await;
        // Without the hint nothing would be used again.
        let client = keeping(|keep_alive| {
            keep_alive.timeout = Duration::from_nanos(1);
            keep_alive.guarded_timeout = Duration::from_nanos(1);
        });
        for _ in 0..3 {
            client.call(post(server.url("/"), "a")).await.unwrap();
        }
        assert_eq!(connections(&server), expected, "{headers}");
    }
}

#[tokio::test]
async fn one_that_the_peer_has_closed_is_never_taken() {
    for reset in [false, true] {
        let (ended, mut has_ended) = mpsc::unbounded_channel();
        let server = Server::start(move |mut peer| {
            let ended = ended.clone();
            async move {
                peer.request().await;
                peer.respond("200 OK", "").await;
                if reset {
                    peer.reset()
                } else {
                    drop(peer)
                }
                ended.send(()).unwrap();
            }
        })
        .await;
        let client = client();
        for _ in 0..50 {
            let answer = client.call(post(server.url("/"), "a")).await.expect("a connection that is open");
            assert!(answer.recovery.is_none(), "{:?}", answer.recovery);
            has_ended.recv().await.unwrap();
        }
        assert_eq!(connections(&server), (0..50).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn one_that_has_idled_too_long_is_closed() {
    let (closed, mut seen_closed) = mpsc::unbounded_channel();
    let server = Server::start(move |mut peer| {
        let closed = closed.clone();
        async move {
            peer.request().await;
            peer.respond("200 OK", "").await;
            peer.until_closed().await;
            closed.send(()).unwrap();
        }
    })
    .await;
    let client = keeping(|keep_alive| keep_alive.timeout = Duration::from_millis(20));
    client.call(get(server.url("/"))).await.unwrap();
    timeout(LONG, seen_closed.recv()).await.expect("the server sees it close");
    drop(client);
}

#[tokio::test]
async fn the_last_of_a_client_closes_its_connections() {
    let (closed, mut seen_closed) = mpsc::unbounded_channel();
    let server = Server::start(move |peer| {
        let closed = closed.clone();
        async move {
            peer.echo().await;
            closed.send(()).unwrap();
        }
    })
    .await;
    let client = client();
    client.call(get(server.url("/"))).await.unwrap();
    drop(client);
    timeout(LONG, seen_closed.recv()).await.expect("the server sees it close");
}

#[tokio::test]
async fn there_are_no_more_than_the_limit() {
    const LIMIT: usize = 3;
    let server = Server::start(Peer::echo).await;
    let connections_at_most = NonZeroUsize::new(LIMIT);
    let client = with(TransportOptions { connections: connections_at_most, ..Default::default() });
    let calls = (0..40).map(|_| async { text(client.call(post(server.url("/"), "a")).await).await });
    assert!(timeout(LONG, join_all(calls)).await.expect("each gets its turn").iter().all(|text| text == "a"));
    assert!(connections(&server).into_iter().all(|number| number < LIMIT));

    // A fresh one takes the place of one that idles.
    let guarded = with(TransportOptions {
        connections: NonZeroUsize::new(1),
        keep_alive: Some(KeepAlive { guarded_timeout: Duration::ZERO, ..KeepAlive::default() }),
        ..Default::default()
    });
    for _ in 0..3 {
        timeout(LONG, guarded.call(post(server.url("/"), "a"))).await.expect("its turn").unwrap();
    }
}

#[tokio::test]
async fn who_gives_up_waiting_for_a_turn_leaves_it_to_the_next() {
    let (arrived, mut has_arrived) = mpsc::unbounded_channel();
    let go_on = Arc::new(Notify::new());
    let permitted = Arc::clone(&go_on);
    let server = Server::start(move |mut peer| {
        let (arrived, go_on) = (arrived.clone(), Arc::clone(&permitted));
        async move {
            while peer.request().await.is_some() {
                arrived.send(()).unwrap();
                go_on.notified().await;
                peer.respond("200 OK", "").await;
            }
        }
    })
    .await;
    for keep_alive in [None, Some(KeepAlive::default())] {
        let client = with(TransportOptions { connections: NonZeroUsize::new(1), keep_alive, ..Default::default() });
        let start = || {
            tokio::spawn({
                let (client, url) = (client.clone(), server.url("/"));
                async move { client.call(get(url)).await.map(|answer| answer.status) }
            })
        };
        let first = start();
        has_arrived.recv().await.unwrap();
        let (given_up, last) = (start(), start());
        tokio::task::yield_now().await;
        given_up.abort();
        go_on.notify_one();
        assert_eq!(first.await.unwrap().unwrap(), 200);
        timeout(LONG, has_arrived.recv()).await.expect("the last one's turn").unwrap();
        go_on.notify_one();
        assert_eq!(last.await.unwrap().unwrap(), 200);
        // An exchange that is ended in the middle gives up its place as well.
        let ended = start();
        has_arrived.recv().await.unwrap();
        ended.abort();
        let _ = ended.await;
        go_on.notify_one();
        let next = start();
        timeout(LONG, has_arrived.recv()).await.expect("the next one's turn").unwrap();
        go_on.notify_one();
        assert_eq!(next.await.unwrap().unwrap(), 200);
    }
}

#[tokio::test]
async fn waiting_for_a_turn_is_no_connecting() {
    let silent = Server::start(|mut peer| async move { peer.until_closed().await }).await;
    let client = with(TransportOptions { connections: NonZeroUsize::new(1), ..Default::default() });
    let first = tokio::spawn({
        let (client, url) = (client.clone(), silent.url("/"));
        async move { client.call(get(url)).await.map(|answer| answer.status) }
    });
    let mut call = get(silent.url("/")).retries(0);
    call.limits.connect = Some(Duration::from_millis(50));
    call.limits.attempt = Some(Duration::from_millis(300));
    tokio::task::yield_now().await;
    let (fault, ..) = gave_up(client.call(call).await);
    assert_eq!((&*fault.code, fault.delivery), ("ETIMEDOUT", Delivery::NotSent));
    assert!(fault.reason.contains("attempt"), "{}", fault.reason);
    first.abort();
}

#[tokio::test]
async fn an_answer_during_the_upload_is_delivered() {
    let refusing = || {
        Server::start(|mut peer| async move {
            peer.head().await;
            peer.respond_with("413 Content Too Large", "connection: close\r\n", "too large").await;
            // Closed with most of the body unread, which resets the client.
        })
    };
    let large = Bytes::from(vec![b'x'; 8 << 20]);
    for round in 0..30 {
        let server = refusing().await;
        let upload = Call { body: RequestBody::Bytes(large.clone()), ..post(server.url("/"), "") };
        let answer = client().call(upload).await.unwrap_or_else(|error| panic!("round {round}: {error:?}"));
        assert_eq!(answer.status, 413);
        assert_eq!(text(Ok(answer)).await, "too large");
    }
}

/// A host whose addresses are these, or which has none.
struct Known(Vec<IpAddr>);

impl Lookup for Known {
    fn lookup<'a>(&'a self, host: &'a str) -> LookupFuture<'a> {
        Box::pin(async move {
            if self.0.is_empty() { Err(LookupFailed::new(host, "ENOTFOUND")) } else { Ok(self.0.as_slice().into()) }
        })
    }
}

fn known(addresses: &[&str]) -> TestClient {
    let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    with(TransportOptions { lookup: Arc::new(Known(addresses)), keep_alive: None, ..Default::default() })
}

#[tokio::test]
async fn an_address_that_refuses_is_followed_by_the_next_within_the_attempt() {
    let server = Server::start(Peer::echo).await;
    let client = known(&["127.0.0.2", "127.0.0.1"]);
    let url = format!("http://several.test:{}/", server.address.port());
    let answer = client.call(post(url, "a")).await.unwrap();
    assert!(answer.recovery.is_none(), "it is no retry");
    assert_eq!(server.seen()[0].header("host"), Some(&*format!("several.test:{}", server.address.port())));
}

#[tokio::test]
async fn an_address_that_says_nothing_is_overtaken_and_then_avoided() {
    let full = FullPort::new();
    let listener = TcpListener::bind(("127.0.0.2", full.address.port())).await.unwrap();
    let _server = Server::on(listener, Peer::echo);
    let client = known(&["127.0.0.1", "127.0.0.2"]);
    let url = format!("http://several.test:{}/", full.address.port());
    let began = std::time::Instant::now();
    client.call(post(url.clone(), "a")).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(250));
    let again = std::time::Instant::now();
    client.call(post(url, "a")).await.unwrap();
    assert!(again.elapsed() < Duration::from_millis(250), "the one that was silent is tried last");
}

#[tokio::test]
async fn a_retry_goes_to_another_address_than_the_one_that_reset() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let resetting = Server::on(listener, |mut peer| async move {
        peer.request().await;
        peer.reset();
    });
    let serving = Server::on(TcpListener::bind(("127.0.0.2", port)).await.unwrap(), Peer::echo);
    let client = known(&["127.0.0.1", "127.0.0.2"]);
    let answer = client.call(get(format!("http://several.test:{port}/"))).await.unwrap();
    assert_eq!(answer.recovery.unwrap().attempts.len(), 2);
    assert_eq!((resetting.seen().len(), serving.seen().len()), (1, 1));
}

#[tokio::test]
async fn all_addresses_refusing_is_one_fault_that_names_the_first() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let client = known(&["127.0.0.3", "127.0.0.2"]);
    let (fault, ..) = gave_up(client.call(get(format!("http://several.test:{port}/")).retries(0)).await);
    assert_eq!((&*fault.code, fault.phase, fault.delivery), ("ECONNREFUSED", Phase::Connect, Delivery::NotSent));
    assert_eq!((fault.address.as_deref(), fault.port), (Some("127.0.0.3"), Some(port)));
    assert_eq!(fault.syscall.as_deref(), Some("connect"));
}

#[tokio::test]
async fn a_host_without_addresses_is_a_fault_of_resolving() {
    let (fault, ..) = gave_up(known(&[]).call(get("http://several.test/").retries(0)).await);
    assert_eq!((&*fault.code, fault.phase, fault.delivery), ("ENOTFOUND", Phase::Resolve, Delivery::NotSent));
    assert_eq!(fault.address.as_deref(), Some("several.test"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_serves_any_host() {
    let directory = std::env::temp_dir().join(format!("unreset-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("s.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut peer = Peer { stream, number: 0, seen: Arc::default(), unread: Vec::new() };
        let seen = peer.request().await.unwrap();
        peer.respond("200 OK", "through the file").await;
        peer.request().await.unwrap();
        drop(peer);
        seen
    });
    let client = with(TransportOptions { socket_path: Some(path.clone()), ..Default::default() });
    assert_eq!(text(client.call(get("http://anything.test/x")).await).await, "through the file");
    let (fault, ..) = gave_up(client.call(post("http://anything.test/x", "a")).await);
    assert_eq!((&*fault.code, fault.delivery), ("ECONNRESET", Delivery::Unknown));
    assert_eq!(serving.await.unwrap().header("host"), Some("anything.test"));
    std::fs::remove_dir_all(&directory).unwrap();
    let (fault, ..) = gave_up(client.call(get("http://anything.test/").retries(0)).await);
    assert_eq!((&*fault.code, fault.phase), ("ENOENT", Phase::Connect));
    assert_eq!(fault.address.as_deref(), path.to_str());
}

#[tokio::test]
async fn a_large_answer_is_read_while_the_request_is_still_being_sent() {
    // The server answers as it reads: neither side can wait for the other to have finished.
    let server = Server::start(|mut peer| async move {
        peer.head().await;
        peer.write("HTTP/1.1 200 OK\r\ncontent-length: 4194304\r\n\r\n").await;
        let mut echoed = 0;
        while echoed < 4 << 20 {
            if peer.unread.is_empty() && peer.more().await.is_none() {
                return;
            }
            let piece = std::mem::take(&mut peer.unread);
            echoed += piece.len();
            peer.write(piece).await;
        }
        peer.until_closed().await;
    })
    .await;
    let large = Bytes::from(vec![b'x'; 4 << 20]);
    let upload = Call { body: RequestBody::Bytes(large), ..call(Method::POST, server.url("/")) };
    let answer = client().call(upload).await.unwrap();
    assert_eq!(timeout(LONG, text(Ok(answer))).await.expect("no deadlock").len(), 4 << 20);
}

/// Hosts are here, but whoever asks a second time waits for it.
#[derive(Default)]
struct SlowTheSecondTime {
    asked: std::sync::atomic::AtomicUsize,
    go_on: Notify,
}

impl Lookup for SlowTheSecondTime {
    fn lookup<'a>(&'a self, _: &'a str) -> LookupFuture<'a> {
        Box::pin(async {
            if self.asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 0 {
                self.go_on.notified().await;
            }
            Ok([IpAddr::from([127, 0, 0, 1])].into())
        })
    }
}

#[tokio::test]
async fn a_connection_that_is_not_waited_for_any_more_says_nothing_of_the_exchange() {
    let (arrived, mut has_arrived) = mpsc::unbounded_channel();
    let answer_first = Arc::new(Notify::new());
    let permitted = Arc::clone(&answer_first);
    let server = Server::start(move |mut peer| {
        let (arrived, answer_first) = (arrived.clone(), Arc::clone(&permitted));
        async move {
            while let Some(request) = peer.request().await {
                arrived.send(()).unwrap();
                // Who posts is never answered.
                if !request.line.starts_with("GET") {
                    peer.until_closed().await;
                    return;
                }
                answer_first.notified().await;
                peer.respond("200 OK", "").await;
            }
        }
    })
    .await;
    let lookup = Arc::new(SlowTheSecondTime::default());
    let client = with(TransportOptions { lookup: Arc::clone(&lookup) as Arc<dyn Lookup>, ..Default::default() });
    let url = format!("http://several.test:{}/", server.address.port());
    let first = tokio::spawn({
        let (client, url) = (client.clone(), url.clone());
        async move { client.call(get(url)).await.map(|answer| answer.status) }
    });
    has_arrived.recv().await.unwrap();
    let mut charge = post(url, "charge");
    charge.limits.connect = Some(Duration::from_millis(200));
    charge.limits.headers = Some(Duration::from_millis(400));
    let charged = tokio::spawn(async move { client.call(charge).await });
    // It looks the host up for a connection of its own, and gets the one of the first call.
    while lookup.asked.load(std::sync::atomic::Ordering::Relaxed) < 2 {
        tokio::task::yield_now().await;
    }
    answer_first.notify_one();
    first.await.unwrap().unwrap();
    has_arrived.recv().await.unwrap();
    // Its own one goes on being made.
    lookup.go_on.notify_one();
    let (fault, _) = failed(charged.await.unwrap());
    assert_eq!((fault.phase, fault.delivery), (Phase::Wait, Delivery::Unknown));
    let posts = server.seen().iter().filter(|seen| seen.line.starts_with("POST")).count();
    assert_eq!(posts, 1, "it is never repeated");
}

#[tokio::test]
async fn what_a_server_says_unasked_is_no_answer_to_the_next_request() {
    const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    for (answer, unasked) in [
        (ANSWER, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfalse"),
        (ANSWER, "longer than stated"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", ANSWER),
        ("HTTP/1.1 204 No Content\r\n\r\n", ANSWER),
    ] {
        for at_once in [true, false] {
            let (said, mut has_said) = mpsc::unbounded_channel();
            let go_on = Arc::new(Notify::new());
            let permitted = Arc::clone(&go_on);
            let server = Server::start(move |mut peer| {
                let (said, go_on) = (said.clone(), Arc::clone(&permitted));
                async move {
                    peer.request().await;
                    if at_once {
                        peer.write(format!("{answer}{unasked}")).await;
                    } else {
                        peer.write(answer).await;
                        go_on.notified().await;
                        peer.write(unasked).await;
                    }
                    said.send(()).unwrap();
                    peer.until_closed().await;
                }
            })
            .await;
            let client = client();
            let expected = if answer.contains("204") { "" } else { "ok" };
            for number in 0..3 {
                let answer = client.call(post(server.url("/"), "a")).await.unwrap();
                assert!(answer.recovery.is_none(), "{:?}", answer.recovery);
                assert_eq!(text(Ok(answer)).await, expected, "{unasked}");
                go_on.notify_one();
                has_said.recv().await.unwrap();
                assert_eq!(connections(&server).last(), Some(&number));
            }
        }
    }
}

#[tokio::test]
async fn a_post_on_a_stale_connection_is_not_repeated() {
    let server = Server::start(|mut peer| async move {
        peer.request().await;
        peer.respond("200 OK", "first").await;
        peer.request().await;
        peer.reset();
    })
    .await;
    let client = client();
    text(client.call(get(server.url("/"))).await).await;
    let (fault, reason, _) = gave_up(client.call(post(server.url("/"), "charge")).await);
    assert_eq!((fault.delivery, reason), (Delivery::Unknown, GaveUp::NotIdempotent));
    assert_eq!(server.seen().len(), 2);
}
