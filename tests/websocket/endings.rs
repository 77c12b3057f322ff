//! What is told of a connection that broke: by RST, by FIN, in the middle of something, after silence.

use std::time::Duration;

use unreset::fault::{Delivery, Ending, Kind, Phase};
use unreset::websocket::event::Closure;

use crate::support::*;

#[tokio::test]
async fn a_reset_is_told_from_an_end() {
    let (mut client, peer, _listener) = connected(|_| {}).await;
    peer.reset();
    let loss = client.down().await;
    assert_eq!((&*loss.fault.code, loss.fault.kind, loss.fault.ending), ("ECONNRESET", Kind::Reset, Some(Ending::Rst)));
    assert_eq!(loss.closure, Closure::abnormal());
    assert_eq!((loss.fault.phase, loss.fault.delivery), (Phase::Idle, Delivery::NotSent));

    let (mut client, peer, _listener) = connected(|_| {}).await;
    drop(peer);
    let loss = client.down().await;
    assert_eq!((loss.fault.kind, loss.fault.ending), (Kind::Reset, Some(Ending::Fin)));
    assert!(loss.fault.reason.contains("FIN"), "{}", loss.fault.reason);
    assert_eq!(loss.closure, Closure::abnormal());
}

#[tokio::test]
async fn bytes_both_ways_and_the_last_send_are_told() {
    let (mut client, mut peer, _listener) = connected(|_| {}).await;
    client.text("12345");
    peer.text().await;
    peer.send(0x81, "abc").await;
    client.message().await;
    drop(peer);
    let loss = client.down().await;
    assert_eq!((loss.traffic.read, loss.traffic.written), (5, 11));
    assert_eq!(loss.traffic.last_send.unwrap().0, 5);
    assert!(loss.fault.reason.contains("5 bytes in, 11 bytes out"), "{}", loss.fault.reason);
    assert_eq!(loss.fault.delivery, Delivery::Unknown);
}

#[tokio::test]
async fn an_end_in_the_middle_of_a_frame_is_told() {
    let (mut client, mut peer, _listener) = connected(|_| {}).await;
    peer.write(&frame(0x81, b"whole")[..4]).await;
    drop(peer);
    let loss = client.down().await;
    assert_eq!(loss.fault.phase, Phase::Receive);
    assert!(loss.fault.reason.contains("in the middle of a frame"), "{}", loss.fault.reason);
}

#[tokio::test]
async fn what_came_before_the_end_is_told_before_it() {
    let (mut client, mut peer, _listener) = connected(|_| {}).await;
    let both = [frame(0x81, b"one"), frame(0x81, b"two")].concat();
    peer.write(both).await;
    drop(peer);
    assert_eq!(client.message().await.1, "one");
    assert_eq!(client.message().await.1, "two");
    client.down().await;
}

#[tokio::test]
async fn a_question_without_an_answer_is_told() {
    let (mut client, mut peer, _listener) = connected(|_| {}).await;
    client.text("?");
    peer.text().await;
    drop(peer);
    assert_eq!(client.down().await.fault.phase, Phase::Wait);
}

#[tokio::test]
async fn a_server_that_restarts_is_found_again() {
    let (mut client, peer, listener) = connected(|_| {}).await;
    let address = listener.local_addr().unwrap();
    drop((peer, listener));
    client.down().await;
    // Refused until it is there again.
    loop {
        let (attempt, _, fault) = client.waiting().await;
        if attempt > 2 {
            assert_eq!((fault.kind, fault.phase), (Kind::Refused, Phase::Connect));
            break;
        }
    }
    let listener = within(async {
        loop {
            match tokio::net::TcpListener::bind(address).await {
                Ok(listener) => return listener,
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    })
    .await;
    Peer::meet(&listener).await;
    let again = client.up().await.unwrap();
    assert!(again.attempts > 2 && again.downtime > Duration::ZERO);
}
