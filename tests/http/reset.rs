//! The peer ends the connection where it must not.

use std::sync::Arc;

use http::Method;
use tokio::sync::Notify;
use unreset::fault::{Delivery, Ending, Kind, Phase};
use unreset::http::transport::IncomingBody;
use unreset::policy::GaveUp;

use super::support::*;

/// Ends the first connection with `end` once it has read a request, and echoes on the others.
async fn first_connection_ends(end: fn(Peer)) -> Server {
    Server::start(move |mut peer| async move {
        if peer.number > 0 {
            return peer.echo().await;
        }
        peer.request().await;
        end(peer);
    })
    .await
}

#[tokio::test]
async fn a_get_survives_rst_before_the_answer() {
    let server = first_connection_ends(Peer::reset).await;
    let answer = client().call(get(server.url("/"))).await.unwrap();
    let recovery = answer.recovery.expect("it took two attempts");
    let fault = recovery.attempts[0].fault.as_ref().unwrap();
    assert_eq!((&*fault.code, fault.kind, fault.ending), ("ECONNRESET", Kind::Reset, Some(Ending::Rst)));
    assert_eq!((fault.phase, fault.delivery), (Phase::Wait, Delivery::Unknown));
    assert_eq!(fault.syscall.as_deref(), Some("read"));
    assert_eq!(fault.address.as_deref(), Some("127.0.0.1"));
    assert_eq!(fault.port, Some(server.address.port()));
    #[cfg(target_os = "linux")]
    assert_eq!(fault.errno, Some(-104));
    assert!(recovery.attempts[1].fault.is_none() && recovery.gave_up.is_none());
    assert_eq!(recovery.attempts.len(), 2);
}

#[tokio::test]
async fn a_get_survives_fin_before_the_answer() {
    let server = first_connection_ends(drop).await;
    let answer = client().call(get(server.url("/"))).await.unwrap();
    let recovery = answer.recovery.expect("it took two attempts");
    let fault = recovery.attempts[0].fault.as_ref().unwrap();
    assert_eq!((&*fault.code, fault.kind, fault.ending), ("ECONNRESET", Kind::Reset, Some(Ending::Fin)));
    assert_eq!((fault.phase, fault.delivery, fault.errno), (Phase::Wait, Delivery::Unknown, None));
}

#[tokio::test]
async fn a_clean_answer_has_no_recovery() {
    let server = Server::start(Peer::echo).await;
    let answer = client().call(get(server.url("/"))).await.unwrap();
    assert!(answer.recovery.is_none() && answer.url.is_none() && !answer.redirected);
}

#[tokio::test]
async fn a_post_that_may_have_arrived_is_never_repeated() {
    for end in [Peer::reset as fn(Peer), drop] {
        let server = first_connection_ends(end).await;
        let (fault, reason, attempts) = gave_up(client().call(post(server.url("/"), "charge")).await);
        assert_eq!((&*fault.code, fault.delivery), ("ECONNRESET", Delivery::Unknown));
        assert_eq!((reason, attempts), (GaveUp::NotIdempotent, 1));
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_put_is_repeated_with_its_body() {
    let server = first_connection_ends(Peer::reset).await;
    let put = post(server.url("/"), "whole").with_method(Method::PUT);
    assert_eq!(text(client().call(put).await).await, "whole");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_post_with_an_idempotency_key_is_repeated() {
    let server = first_connection_ends(Peer::reset).await;
    let call = post(server.url("/"), "charge").header("idempotency-key", "42");
    assert_eq!(text(client().call(call).await).await, "charge");
    let keys: Vec<_> = server.seen().iter().map(|seen| seen.header("idempotency-key").map(str::to_owned)).collect();
    assert_eq!(keys, [Some("42".to_owned()), Some("42".to_owned())]);
}

#[tokio::test]
async fn rst_inside_the_body_is_a_fault_of_the_body() {
    // RST discards what the client has not read yet, so it must have the first half before.
    let read_half = Arc::new(Notify::new());
    let go_on = Arc::clone(&read_half);
    let server = Server::start(move |mut peer| {
        let go_on = Arc::clone(&go_on);
        async move {
            peer.request().await;
            peer.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
            go_on.notified().await;
            peer.reset();
        }
    })
    .await;
    let mut body = client().call(get(server.url("/"))).await.unwrap().body;
    assert_eq!(body.remaining(), Some(10));
    assert_eq!(body.chunk().await.unwrap().as_deref(), Some(&b"half"[..]));
    assert_eq!(body.remaining(), Some(6));
    read_half.notify_one();
    let fault = body.chunk().await.unwrap_err();
    assert_eq!((&*fault.code, fault.ending), ("ECONNRESET", Some(Ending::Rst)));
    assert_eq!((fault.phase, fault.delivery), (Phase::Receive, Delivery::Answered));
    assert_eq!(fault.port, Some(server.address.port()));
}

#[tokio::test]
async fn a_body_that_ends_early_is_a_fault_not_an_end() {
    let heads = ["content-length: 10\r\n\r\nhalf", "transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"];
    for head in heads {
        let server = Server::start(move |mut peer| async move {
            peer.request().await;
            peer.write(format!("HTTP/1.1 200 OK\r\n{head}")).await;
        })
        .await;
        let mut answer = client().call(get(server.url("/"))).await.unwrap();
        let fault = read(&mut answer.body).await.unwrap_err();
        assert_eq!((&*fault.code, fault.ending), ("ECONNRESET", Some(Ending::Fin)), "{head}: {:?}", fault.detail);
        assert_eq!((fault.phase, fault.delivery), (Phase::Receive, Delivery::Answered));
    }
}
