//! Request bodies of every kind, and sending them again.

use std::future::poll_fn;
use std::task::{Context, Waker};

use bytes::Bytes;
use http::Method;
use unreset::http::body::{RequestBody, SourceFailed};
use unreset::http::call::{Call, CallError};
use unreset::http::transport::IncomingBody;
use unreset::policy::GaveUp;

use super::support::*;

fn put(server: &Server, source: Source) -> Call {
    call(Method::PUT, server.url("/")).source(source)
}

/// Resets the first connection once it has read the first `bytes` of a body, and echoes on the others.
async fn resets_after(bytes: usize) -> Server {
    Server::start(move |mut peer| async move {
        if peer.number > 0 {
            return peer.echo().await;
        }
        peer.head().await;
        while peer.unread.len() < bytes && peer.more().await.is_some() {}
        peer.reset();
    })
    .await
}

#[tokio::test]
async fn a_stream_of_unknown_length_is_sent_in_chunks() {
    let server = Server::start(Peer::echo).await;
    assert_eq!(text(client().call(put(&server, Source::of(&["in ", "parts"]))).await).await, "in parts");
    let seen = &server.seen()[0];
    assert_eq!((seen.header("transfer-encoding"), seen.header("content-length")), (Some("chunked"), None));
}

#[tokio::test]
async fn a_stream_of_known_length_says_so() {
    let server = Server::start(Peer::echo).await;
    let source = Source { length: Some(8), ..Source::of(&["in ", "parts"]) };
    assert_eq!(text(client().call(put(&server, source)).await).await, "in parts");
    let seen = &server.seen()[0];
    assert_eq!((seen.header("transfer-encoding"), seen.header("content-length")), (None, Some("8")));
}

#[tokio::test]
async fn a_stream_that_was_interrupted_is_sent_again_from_the_beginning() {
    let server = resets_after(5).await;
    let source = Source { pause: std::time::Duration::from_millis(5), ..Source::of(&["first ", "second ", "third"]) };
    let answer = client().call(put(&server, source)).await;
    assert_eq!(answer.as_ref().unwrap().recovery.as_ref().unwrap().attempts.len(), 2);
    assert_eq!(text(answer).await, "first second third");
}

/// 425 says that nothing was processed, whatever the method, and it comes after the body was sent.
#[tokio::test]
async fn a_posted_stream_that_came_too_early_is_sent_again() {
    let server = Server::start(|mut peer| async move {
        // The next attempt may come over a connection of its own.
        if peer.number == 0 {
            peer.request().await;
            peer.respond("425 Too Early", "").await;
        }
        peer.echo().await;
    })
    .await;
    let call = call(Method::POST, server.url("/")).source(Source::of(&["first ", "second"]));
    assert_eq!(text(client().call(call).await).await, "first second");
}

#[tokio::test]
async fn a_stream_too_long_to_keep_commits_its_call() {
    const PIECE: &str = piece();
    let server = resets_after(2 << 20).await;
    let (fault, reason, attempts) = gave_up(client().call(put(&server, Source::of(&[PIECE; 64]))).await);
    assert_eq!(fault.kind, unreset::fault::Kind::Reset);
    assert_eq!((reason, attempts), (GaveUp::BodyNotReplayable, 1));
}

#[tokio::test]
async fn a_source_that_reopens_replays_without_limit() {
    const PIECE: &str = piece();
    let server = resets_after(2 << 20).await;
    let source = Source { reopens: true, ..Source::of(&[PIECE; 64]) };
    assert_eq!(text(client().call(put(&server, source)).await).await.len(), 64 * PIECE.len());
}

/// 64 KiB of text.
const fn piece() -> &'static str {
    const TEXT: &[u8] = &[b'x'; 64 * 1024];
    match std::str::from_utf8(TEXT) {
        Ok(text) => text,
        Err(_) => unreachable!(),
    }
}

#[tokio::test]
async fn a_failing_source_ends_the_call_with_its_own_failure() {
    for reopens in [false, true] {
        let server = Server::start(Peer::echo).await;
        let mut source = Source { reopens, ..Source::of(&["half"]) };
        source.pieces.push(Err(SourceFailed));
        match client().call(put(&server, source)).await {
            Err(CallError::Body { recovery }) => {
                let codes: Vec<_> =
                    recovery.attempts.iter().map(|attempt| &*attempt.fault.as_ref().unwrap().code).collect();
                assert_eq!((codes, recovery.gave_up), (vec!["ERR_BODY_SOURCE_FAILED"], Some(GaveUp::NotTransient)));
            }
            other => panic!("{:?}", other.map(|answer| answer.status)),
        }
        assert!(server.seen().is_empty(), "the server must not take half a body for a whole one");
    }
}

#[tokio::test]
async fn a_source_of_another_length_than_it_states_is_the_callers_mistake() {
    for (length, pieces) in [(9, &["short"][..]), (4, &["longer"]), (6, &["longer", " than stated"]), (0, &["", "no"])]
    {
        let server = Server::start(Peer::echo).await;
        let source = Source { length: Some(length), ..Source::of(pieces) };
        let (fault, _) = failed(client().call(put(&server, source)).await);
        assert_eq!((&*fault.code, fault.transient), ("UND_ERR_REQ_CONTENT_LENGTH_MISMATCH", false));
        assert!(server.seen().is_empty(), "the server must not take a part for the whole");
    }
}

#[tokio::test]
async fn a_content_length_that_the_caller_wrote_must_be_true() {
    for length in ["9", "4", "0"] {
        let server = Server::start(Peer::echo).await;
        let call = put(&server, Source::of(&["whole"])).header("content-length", length);
        let (fault, _) = failed(client().call(call).await);
        assert_eq!((&*fault.code, fault.transient), ("UND_ERR_REQ_CONTENT_LENGTH_MISMATCH", false), "{length}");
        let call = post(server.url("/"), "whole").header("content-length", length);
        let (fault, _) = failed(client().call(call).await);
        assert_eq!((&*fault.code, fault.transient), ("UND_ERR_REQ_CONTENT_LENGTH_MISMATCH", false), "{length}");
    }
}

#[tokio::test]
async fn bytes_too_many_to_send_at_once_arrive_with_their_length() {
    let server = Server::start(Peer::echo).await;
    let body = "0123456789abcdef".repeat(64 * 1024);
    let call = Call { body: RequestBody::Bytes(body.clone().into()), ..call(Method::PUT, server.url("/")) };
    assert!(text(client().call(call).await).await == body);
    let seen = &server.seen()[0];
    assert_eq!((seen.header("transfer-encoding"), seen.header("content-length")), (None, Some("1048576")));
}

#[tokio::test]
async fn a_response_knows_what_is_still_to_come() {
    let server = Server::start(|mut peer| async move {
        peer.request().await;
        peer.respond("200 OK", "12345").await;
        peer.request().await;
        peer.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n").await;
        peer.request().await;
        peer.write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n").await;
    })
    .await;
    let client = client();
    let mut stated = client.call(get(server.url("/"))).await.unwrap().body;
    assert_eq!(stated.remaining(), Some(5));
    assert_eq!(read(&mut stated).await.unwrap(), "12345");
    assert_eq!(stated.remaining(), Some(0));
    let mut chunked = client.call(get(server.url("/"))).await.unwrap().body;
    assert_eq!(chunked.remaining(), None);
    assert_eq!(read(&mut chunked).await.unwrap(), "");
    let head = client.call(call(Method::HEAD, server.url("/"))).await.unwrap();
    assert_eq!((head.body.remaining(), &head.headers()["content-length"]), (Some(0), &"5".parse().unwrap()));
}

#[tokio::test]
async fn what_has_arrived_is_taken_without_waiting_for_more() {
    let server = Server::start(|mut peer| async move {
        peer.request().await;
        peer.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
        peer.more().await;
    })
    .await;
    let mut body = client().call(get(server.url("/"))).await.unwrap().body;
    let arrived = poll_fn(|cx| body.poll_arrived(cx)).await;
    assert_eq!(arrived.unwrap().as_deref(), Some(&b"half"[..]));
    assert!(body.poll_arrived(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(body.remaining(), Some(6));
}

#[tokio::test]
async fn empty_bodies_say_so() {
    let server = Server::start(Peer::echo).await;
    let empty = Call { body: RequestBody::Bytes(Bytes::new()), ..call(Method::POST, server.url("/")) };
    client().call(empty).await.unwrap();
    client().call(call(Method::POST, server.url("/"))).await.unwrap();
    client().call(get(server.url("/"))).await.unwrap();
    let lengths: Vec<_> = server.seen().iter().map(|seen| seen.header("content-length").map(str::to_owned)).collect();
    assert_eq!(lengths, [Some("0".to_owned()), Some("0".to_owned()), None]);
}

#[tokio::test]
async fn more_than_a_hundred_response_headers_are_taken() {
    let server = Server::start(|mut peer| async move {
        peer.request().await;
        let headers: String = (0..200).map(|n| format!("x-{n}: {n}\r\n")).collect();
        peer.respond_with("200 OK", &headers, "").await;
    })
    .await;
    let answer = client().call(get(server.url("/"))).await.unwrap();
    assert_eq!(answer.headers()["x-199"], "199");
}
