//! Which limit ran out, where, and what the server can have seen by then.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Method;
use unreset::fault::{Delivery, Kind, Phase};
use unreset::http::body::RequestBody;
use unreset::http::call::Call;
use unreset::http::transport::{IncomingBody, Limits};
use unreset::policy::GaveUp;

use super::support::*;

const SHORT: Duration = Duration::from_millis(150);

fn limited(call: Call, limit: impl FnOnce(&mut Limits)) -> Call {
    let mut call = call;
    limit(&mut call.limits);
    call
}

/// Reads requests and never answers.
async fn silent() -> Server {
    Server::start(|mut peer| async move {
        peer.request().await;
        peer.until_closed().await;
    })
    .await
}

#[tokio::test]
async fn a_connection_that_is_not_accepted_in_time_has_sent_nothing() {
    let port = FullPort::new();
    let call = post(format!("http://{}/", port.address), "charge").retries(1);
    let (fault, reason, attempts) = gave_up(client().call(limited(call, |limits| limits.connect = Some(SHORT))).await);
    assert_eq!((&*fault.code, fault.kind), ("ETIMEDOUT", Kind::Timeout));
    assert_eq!((fault.phase, fault.delivery), (Phase::Connect, Delivery::NotSent));
    assert_eq!((fault.address.as_deref(), fault.port), (Some("127.0.0.1"), Some(port.address.port())));
    assert_eq!((reason, attempts), (GaveUp::AttemptsExhausted, 2), "a POST that was not sent is repeated");
}

#[tokio::test]
async fn a_handshake_that_does_not_finish_has_sent_nothing() {
    let server = Server::start(|mut peer| async move { peer.until_closed().await }).await;
    let call = post(format!("https://{}/", server.address), "charge").retries(0);
    let (fault, ..) = gave_up(client().call(limited(call, |limits| limits.connect = Some(SHORT))).await);
    assert_eq!((&*fault.code, fault.phase, fault.delivery), ("ETIMEDOUT", Phase::Handshake, Delivery::NotSent));
}

#[tokio::test]
async fn a_server_that_does_not_answer_may_have_acted() {
    let server = silent().await;
    let call = limited(post(server.url("/"), "charge"), |limits| limits.headers = Some(SHORT));
    let (fault, reason, attempts) = gave_up(client().call(call).await);
    assert_eq!((&*fault.code, fault.phase, fault.delivery), ("ETIMEDOUT", Phase::Wait, Delivery::Unknown));
    assert_eq!((reason, attempts, server.seen().len()), (GaveUp::NotIdempotent, 1, 1));
}

#[tokio::test]
async fn the_limit_for_headers_does_not_count_the_upload() {
    let server = Server::start(Peer::echo).await;
    let slow = Source { pause: SHORT * 3, ..Source::of(&["slow", "ly"]) };
    let call = call(Method::POST, server.url("/")).source(slow);
    let call = limited(call, |limits| limits.headers = Some(SHORT * 4));
    assert_eq!(text(client().call(call).await).await, "slowly");
}

#[tokio::test]
async fn the_limit_for_headers_counts_from_the_end_of_the_upload() {
    let server = silent().await;
    let call = call(Method::POST, server.url("/")).source(Source::of(&["quick"]));
    let (fault, ..) = gave_up(client().call(limited(call, |limits| limits.headers = Some(SHORT))).await);
    assert_eq!((fault.phase, fault.delivery), (Phase::Wait, Delivery::Unknown));
}

#[tokio::test]
async fn an_upload_that_takes_longer_than_the_attempt_may_is_a_fault_of_sending() {
    let server = silent().await;
    let endless = Source { pause: LONG, ..Source::of(&["never"]) };
    let call = call(Method::POST, server.url("/")).source(endless);
    let (fault, ..) = gave_up(client().call(limited(call, |limits| limits.attempt = Some(SHORT))).await);
    assert_eq!((&*fault.code, fault.phase, fault.delivery), ("ETIMEDOUT", Phase::Send, Delivery::Unknown));
}

/// More than the buffers of both ends take.
const TOO_MUCH: usize = 32 << 20;

/// Reads a head, and nothing of the body.
async fn stops_reading() -> Server {
    Server::start(|mut peer| async move {
        peer.head().await;
        std::future::pending::<()>().await;
    })
    .await
}

#[tokio::test]
async fn a_peer_that_stops_reading_is_not_waited_for_without_end() {
    const PIECE: &str = match std::str::from_utf8(&[b'x'; 1 << 20]) {
        Ok(text) => text,
        Err(_) => unreachable!(),
    };
    let stream = |call: Call| call.source(Source::of(&[PIECE; TOO_MUCH >> 20]));
    let bytes = |call: Call| Call { body: RequestBody::Bytes(vec![b'x'; TOO_MUCH].into()), ..call };
    for with_body in [stream as fn(Call) -> Call, bytes] {
        let server = stops_reading().await;
        let call = limited(with_body(call(Method::POST, server.url("/"))), |limits| limits.headers = Some(SHORT));
        let outcome = tokio::time::timeout(LONG, client().call(call)).await.expect("it settles");
        let (fault, reason, _) = gave_up(outcome);
        assert_eq!((&*fault.code, fault.phase, fault.delivery), ("ETIMEDOUT", Phase::Send, Delivery::Unknown));
        assert!(fault.reason.contains("took no more"), "{}", fault.reason);
        assert_eq!(reason, GaveUp::NotIdempotent);
    }
}

#[tokio::test]
async fn a_peer_that_reads_slowly_is_waited_for() {
    const PAUSES: u32 = 6;
    let server = Server::start(|mut peer| async move {
        let head = peer.head().await.unwrap();
        let length: usize = head.header("content-length").unwrap().parse().unwrap();
        let mut read = 0;
        for pause in 1..=PAUSES {
            tokio::time::sleep(SHORT).await;
            while read < length * pause as usize / PAUSES as usize {
                peer.more().await.unwrap();
                read += std::mem::take(&mut peer.unread).len();
            }
        }
        peer.respond("200 OK", "all read").await;
    })
    .await;
    let body = RequestBody::Bytes(vec![b'x'; TOO_MUCH].into());
    let call = limited(Call { body, ..call(Method::POST, server.url("/")) }, |limits| limits.headers = Some(SHORT * 4));
    let begun = Instant::now();
    assert_eq!(text(client().call(call).await).await, "all read");
    assert!(begun.elapsed() > SHORT * 4, "or the limit would not have mattered");
}

#[tokio::test]
async fn each_attempt_has_its_own_limit() {
    let server = silent().await;
    let call = limited(get(server.url("/")).retries(2), |limits| limits.attempt = Some(SHORT));
    let (fault, reason, attempts) = gave_up(client().call(call).await);
    assert_eq!((&*fault.code, fault.phase), ("ETIMEDOUT", Phase::Wait));
    assert_eq!((reason, attempts, server.seen().len()), (GaveUp::AttemptsExhausted, 3, 3));
}

#[tokio::test]
async fn the_total_limit_ends_the_call_and_says_where_it_was() {
    let server = silent().await;
    let begun = Instant::now();
    let call = Call { total: Some(SHORT), ..get(server.url("/")) };
    let (fault, reason, attempts) = gave_up(client().call(call).await);
    assert_eq!((&*fault.code, fault.phase, fault.delivery), ("ETIMEDOUT", Phase::Wait, Delivery::Unknown));
    assert!(fault.reason.contains("150 ms"), "{}", fault.reason);
    assert_eq!((reason, attempts), (GaveUp::OutOfTime, 1));
    assert!(begun.elapsed() >= SHORT);
}

#[tokio::test]
async fn a_body_that_falls_silent_is_a_fault_of_receiving() {
    let server = Server::start(|mut peer| async move {
        peer.request().await;
        peer.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
        peer.until_closed().await;
    })
    .await;
    let call = limited(get(server.url("/")), |limits| limits.body = Some(SHORT));
    let mut body = client().call(call).await.unwrap().body;
    assert_eq!(body.chunk().await.unwrap().as_deref(), Some(&b"half"[..]));
    let fault = body.chunk().await.unwrap_err();
    assert_eq!((&*fault.code, fault.phase, fault.delivery), ("ETIMEDOUT", Phase::Receive, Delivery::Answered));
    assert_eq!(fault.port, Some(server.address.port()));
}

/// The race that makes "we were still connecting" a dangerous conclusion: a call begins to connect, then a pooled
/// connection becomes free and takes the request, while the connecting goes on in the background.
#[tokio::test]
async fn a_request_that_left_over_a_pooled_connection_is_not_called_unsent() {
    use socket2::{Domain, Socket, Type};
    use tokio::sync::Notify;

    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    // One connection is accepted; the second one fills the queue; a third one hangs.
    socket.listen(0).unwrap();
    socket.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(socket.into()).unwrap();
    let address = listener.local_addr().unwrap();
    let (first_seen, answer_first) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (seen, answer) = (Arc::clone(&first_seen), Arc::clone(&answer_first));
    let (arrived, second_arrived) = tokio::sync::oneshot::channel();
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut peer = Peer { stream, number: 0, seen: Arc::default(), unread: Vec::new() };
        peer.request().await;
        seen.notify_one();
        answer.notified().await;
        peer.respond("200 OK", "").await;
        let second = peer.request().await.expect("the second request");
        arrived.send(second).unwrap();
        peer.until_closed().await;
        drop(listener);
    });

    let client = client();
    let url = format!("http://{address}/");
    let first = tokio::spawn({
        let (client, url) = (client.clone(), url.clone());
        async move { client.call(get(url)).await.map(|answer| answer.status) }
    });
    first_seen.notified().await;
    let port = FullPort::fill_up(address);
    let second = tokio::spawn({
        let client = client.clone();
        // Not one that must not be repeated: that may insist on a connection that has not idled.
        let call = post(url, "charge").with_method(Method::PUT).retries(1);
        let call = limited(call, |limits| limits.attempt = Some(SHORT * 10));
        async move { client.call(call).await }
    });
    // Gives the second call the time to begin connecting; if it has not, the test proves less but is not wrong.
    tokio::time::sleep(SHORT).await;
    answer_first.notify_one();
    assert_eq!(first.await.unwrap().unwrap(), 200);
    assert_eq!(second_arrived.await.unwrap().body, b"charge");
    let (_, recovery) = failed(second.await.unwrap());
    let fault = recovery.attempts[0].fault.as_ref().unwrap();
    assert_eq!((&*fault.code, fault.phase, fault.delivery), ("ETIMEDOUT", Phase::Wait, Delivery::Unknown));
    drop(port);
    serving.abort();
}
