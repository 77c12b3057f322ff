//! From the first connection to the end that somebody wanted.

use std::time::Duration;

use unreset::fault::{Delivery, Fault, Kind as FaultKind, Phase};
use unreset::policy::GaveUp;
use unreset::tcp::reconnect::Reconnect;
use unreset::websocket::Close;
use unreset::websocket::event::{Closure, Event};
use unreset::websocket::outbox::{Kind, Word};
use unreset::websocket::request::Request;

use crate::support::*;

#[tokio::test]
async fn messages_go_both_ways() {
    let (listener, url) = listen().await;
    let mut client = Client::open(to(&url));
    client.text("before it is connected");
    let mut peer = Peer::meet(&listener).await;
    let connected = client.connected().await;
    assert_eq!((connected.generation, connected.url.as_str()), (1, url.as_str()));
    assert_eq!(client.up().await, None);
    assert_eq!(peer.text().await, "before it is connected");
    let fates = client.fates().await;
    assert_eq!((fates[0].number, fates[0].word), (0, Word::Written));
    client.binary(vec![1, 2, 3]);
    assert_eq!(peer.message().await.1, [1, 2, 3]);
    peer.send(0x81, "\u{e9}").await;
    assert_eq!(client.message().await, (Kind::Text, "\u{e9}".into()));
    peer.send(0x82, [0xff]).await;
    assert_eq!(client.message().await, (Kind::Binary, vec![0xff].into()));
    let stats = client.socket.stats();
    assert_eq!((stats.messages_read, stats.messages_written, stats.generation, stats.buffered), (2, 2, 1, 0));
    assert!(stats.bytes_read > 0 && stats.bytes_written > 0 && stats.uptime.is_some());
}

#[tokio::test]
async fn many_small_messages_keep_their_order() {
    let (mut client, mut peer, _listener) = connected(|_| {}).await;
    for number in 0..2000 {
        client.text(&number.to_string());
    }
    for number in 0..2000 {
        assert_eq!(peer.text().await, number.to_string());
    }
    let many: Vec<u8> = (0..2000).flat_map(|number: u32| frame(0x81, number.to_string().as_bytes())).collect();
    peer.write(many).await;
    for number in 0..2000 {
        assert_eq!(client.message().await.1, number.to_string());
    }
}

#[tokio::test]
async fn the_caller_closes_behind_its_messages() {
    let (mut client, mut peer, _listener) = connected(|_| {}).await;
    client.text("last");
    client.socket.close(Some(Close { code: 4001, reason: "bye".to_owned() }));
    assert_eq!(client.text("too late"), None);
    assert_eq!(peer.text().await, "last");
    let close = peer.data_frame().await;
    assert_eq!((close.opcode, close.payload.as_slice()), (8, &b"\x0f\xa1bye"[..]));
    peer.close(4001, "bye back").await;
    assert_eq!(peer.rest().await.unwrap(), b"", "no second Close frame, and FIN");
    drop(peer);
    let end = client.over().await;
    assert_eq!(end.closure, Closure { code: 4001, reason: "bye back".to_owned(), was_clean: true });
    assert!(end.fault.is_none());
}

#[tokio::test]
async fn a_close_frame_needs_no_code() {
    let (mut client, mut peer, _listener) = connected(|_| {}).await;
    client.socket.close(None);
    assert_eq!(peer.closed().await, None);
    peer.send(0x88, "").await;
    let end = client.over().await;
    assert_eq!((end.closure.code, end.closure.was_clean), (1005, true));
}

#[tokio::test]
async fn who_does_not_answer_the_close_frame_is_left() {
    let (mut client, mut peer, _listener) =
        connected(|options| options.close_timeout = Duration::from_millis(50)).await;
    client.socket.close(None);
    peer.closed().await;
    let end = client.over().await;
    assert_eq!((end.closure, end.fault.is_none()), (Closure::abnormal(), true));
    assert!(peer.rest().await.is_err(), "by RST");
}

#[tokio::test]
async fn a_connection_that_breaks_while_it_is_closed_is_not_come_back_to() {
    let (mut client, mut peer, _listener) = connected(|_| {}).await;
    client.socket.close(Some(Close { code: 1000, reason: String::new() }));
    assert_eq!(peer.closed().await, Some(1000));
    peer.reset();
    let end = client.over().await;
    assert_eq!(end.closure, Closure::abnormal());
    assert!(end.fault.is_some_and(|fault| fault.ending.is_some()));
}

#[tokio::test]
async fn termination_is_at_once_and_a_reset() {
    let (mut client, mut peer, _listener) = connected(|_| {}).await;
    client.socket.terminate();
    let end = client.over().await;
    assert_eq!((end.closure, end.fault.is_none()), (Closure::abnormal(), true));
    assert!(peer.rest().await.is_err());
}

#[tokio::test]
async fn who_closes_before_it_is_connected_is_over_at_once() {
    let (listener, url) = listen().await;
    let mut client = Client::open(to(&url));
    let _silent = Peer::accept(&listener).await;
    client.text("never");
    client.socket.close(None);
    let fates = client.fates().await;
    assert_eq!(fates[0].word, Word::Unsent);
    assert_eq!(client.over().await.closure, Closure::abnormal());
}

#[tokio::test]
async fn a_lost_connection_is_come_back_to() {
    let (mut client, peer, listener) = connected(|_| {}).await;
    peer.reset();
    assert_eq!(client.down().await.closure, Closure::abnormal());
    let (attempt, ..) = client.waiting().await;
    assert_eq!(attempt, 1);
    client.text("while it is down");
    let mut peer = Peer::meet(&listener).await;
    let again = client.up().await.unwrap();
    assert_eq!(again.attempts, 1);
    assert_eq!(peer.text().await, "while it is down");
    let stats = client.socket.stats();
    assert_eq!((stats.reconnects, stats.generation), (1, 2));
}

#[tokio::test]
async fn a_peer_that_goes_away_is_answered_and_come_back_to() {
    let (mut client, mut peer, listener) = connected(|_| {}).await;
    peer.close(1001, "restart").await;
    assert_eq!(peer.closed().await, Some(1001));
    assert_eq!(peer.rest().await.unwrap(), b"");
    drop(peer);
    let loss = client.down().await;
    assert_eq!(loss.closure, Closure { code: 1001, reason: "restart".to_owned(), was_clean: true });
    Peer::meet(&listener).await;
    assert!(client.up().await.is_some());
}

#[tokio::test]
async fn some_ends_are_final() {
    for (code, is_final) in [(1000, true), (1008, true), (4000, true), (4001, false), (1012, false), (1014, false)] {
        let (mut client, mut peer, _listener) = connected(|options| options.codes = vec![4001]).await;
        peer.close(code, "").await;
        peer.closed().await;
        drop(peer);
        assert_eq!(client.down().await.closure.code, code);
        if is_final {
            let end = client.over().await;
            assert_eq!((end.closure.code, end.gave_up), (code, Some(GaveUp::NotTransient)));
        } else {
            client.waiting().await;
        }
    }
}

#[tokio::test]
async fn the_caller_may_decide_otherwise() {
    let (mut client, mut peer, listener) = connected(|options| options.asks = true).await;
    peer.close(1000, "").await;
    let (id, usual) = asked(&mut client).await;
    assert!(!usual);
    client.socket.decide(id, Some(true));
    peer = Peer::meet(&listener).await;
    client.up().await;
    peer.close(1001, "").await;
    let (id, usual) = asked(&mut client).await;
    assert!(usual);
    client.socket.decide(id, Some(false));
    assert_eq!(client.over().await.closure.code, 1001);
}

async fn asked(client: &mut Client) -> (u32, bool) {
    client
        .until(|event| if let Event::ShouldReconnect { id, usual, .. } = event { Some((id, usual)) } else { None })
        .await
}

#[tokio::test]
async fn retries_come_to_an_end() {
    let (listener, url) = listen().await;
    drop(listener);
    let mut client = Client::open(unreset::websocket::options::Options {
        reconnect: Reconnect { retries: 2, ..to(&url).reconnect },
        ..to(&url)
    });
    let end = client.over().await;
    assert_eq!((end.gave_up, end.attempts), (Some(GaveUp::AttemptsExhausted), 2));
    let fault = end.fault.unwrap();
    assert_eq!((fault.kind, fault.phase, fault.delivery), (FaultKind::Refused, Phase::Connect, Delivery::NotSent));
}

#[tokio::test]
async fn the_request_is_asked_for_each_time_and_may_fail() {
    let (listener, url) = listen().await;
    let mut client = Client::open(unreset::websocket::options::Options { request: None, ..to(&url) });
    let provide = |event| if let Event::Provide { attempt } = event { Some(attempt) } else { None };
    assert_eq!(client.until(provide).await, 1);
    let failed = Fault::new("ERR_INVALID_URL", Phase::Resolve, Delivery::NotSent);
    client.socket.provided(1, Err(Box::new(failed)));
    assert_eq!(client.waiting().await.2.code, "ERR_INVALID_URL");
    assert_eq!(client.until(provide).await, 2);
    let headers = [("X-Token".to_owned(), "second".to_owned())];
    client.socket.provided(1, Request::new("ws://late.invalid", Vec::new(), &[]));
    client.socket.provided(2, Request::new(&url, Vec::new(), &headers));
    let mut peer = Peer::accept(&listener).await;
    assert_eq!(peer.header("x-token"), Some("second"));
    peer.upgrade("").await;
    client.up().await;
    peer.reset();
    assert_eq!(client.until(provide).await, 3);
}

#[tokio::test]
async fn a_greeting_has_the_connection_to_itself() {
    let (listener, url) = listen().await;
    let mut client = Client::open(unreset::websocket::options::Options { greets: true, ..to(&url) });
    client.text("queued");
    let mut peer = Peer::meet(&listener).await;
    let generation = client.connected().await.generation;
    assert!(client.socket.greet(generation, Kind::Text, "token".into()));
    assert_eq!(peer.text().await, "token");
    peer.send(0x81, "welcome").await;
    assert_eq!(client.message().await.1, "welcome");
    assert!(client.socket.greet(generation, Kind::Text, "subscribe".into()));
    client.socket.greeted(generation, Ok(()));
    client.up().await;
    assert_eq!(peer.text().await, "subscribe");
    assert_eq!(peer.text().await, "queued", "behind the greeting");
    assert!(!client.socket.greet(generation, Kind::Text, "too late".into()));
}

#[tokio::test]
async fn a_greeting_that_fails_is_a_failed_attempt() {
    let (listener, url) = listen().await;
    let mut client = Client::open(unreset::websocket::options::Options { greets: true, ..to(&url) });
    let mut peer = Peer::meet(&listener).await;
    let generation = client.connected().await.generation;
    let fault = Fault { transient: true, ..Fault::new("E_TOKEN", Phase::Handshake, Delivery::Unknown) };
    client.socket.greeted(generation, Err(Box::new(fault)));
    assert_eq!(client.waiting().await.2.code, "E_TOKEN");
    assert!(peer.rest().await.is_ok_and(|rest| rest.is_empty()), "nothing that was queued has left");
    Peer::meet(&listener).await;
    assert_eq!(client.connected().await.generation, 2);
    assert!(!client.socket.greet(generation, Kind::Text, "of the first".into()));
}

#[tokio::test]
async fn a_greeting_that_hangs_is_ended() {
    let (listener, url) = listen().await;
    let mut client = Client::open(unreset::websocket::options::Options {
        greets: true,
        handshake_timeout: Some(Duration::from_millis(300)),
        ..to(&url)
    });
    let _peer = Peer::meet(&listener).await;
    let (_, _, fault) = client.waiting().await;
    assert_eq!((&*fault.code, fault.phase), ("ETIMEDOUT", Phase::Handshake));
}
