//! Whether the peer is still there.

use std::time::Duration;

use unreset::fault::Kind;
use unreset::websocket::event::Closure;
use unreset::websocket::pulse::Heartbeat;

use crate::support::*;

fn every(interval: u64, timeout: u64) -> Option<Heartbeat> {
    let (interval, timeout) = (Duration::from_millis(interval), Duration::from_millis(timeout));
    Some(Heartbeat { interval, timeout: Some(timeout) })
}

#[tokio::test]
async fn a_silent_peer_is_left() {
    let (mut client, mut peer, _listener) = connected(|options| options.heartbeat = every(50, 100)).await;
    assert_eq!(peer.frame().await.opcode, 9);
    let loss = client.down().await;
    assert_eq!((loss.fault.kind, loss.closure), (Kind::Timeout, Closure::abnormal()));
    assert!(loss.fault.reason.contains("heartbeat"), "{}", loss.fault.reason);
    assert!(peer.rest().await.is_err(), "by RST: nobody is there to take a farewell");
    client.waiting().await;
}

#[tokio::test]
async fn a_peer_that_answers_is_kept_and_its_round_trip_known() {
    let (mut client, mut peer, _listener) = connected(|options| options.heartbeat = every(20, 30_000)).await;
    for _ in 0..5 {
        let ping = peer.frame().await;
        assert_eq!(ping.opcode, 9);
        peer.send(0x8a, ping.payload).await;
    }
    peer.send(0x81, "alive").await;
    assert_eq!(client.message().await.1, "alive");
    assert!(client.socket.stats().round_trip.is_some());
}

#[tokio::test]
async fn whatever_comes_is_a_sign_of_life() {
    let (mut client, mut peer, _listener) = connected(|options| options.heartbeat = every(20, 2000)).await;
    // One byte of a frame at a time, and no pong.
    let message = frame(0x81, &[b'x'; 60]);
    for byte in message {
        peer.write([byte]).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(client.message().await.1.len(), 60);
}

#[tokio::test]
async fn nothing_is_concluded_while_nothing_is_read() {
    let (mut client, mut peer, _listener) = connected(|options| options.heartbeat = every(20, 60)).await;
    client.socket.set_paused(true);
    // Several timeouts long.
    for _ in 0..20 {
        let ping = peer.frame().await;
        if ping.opcode == 9 {
            peer.send(0x8a, ping.payload).await;
        }
    }
    peer.send(0x81, "still there").await;
    client.socket.set_paused(false);
    assert_eq!(client.message().await.1, "still there");
}

/// A ping is due, and cannot leave any more: the time for it must not come again and again.
#[tokio::test]
async fn a_heartbeat_waits_for_nobody_who_closes_or_does_not_read() {
    let (mut client, mut peer, _listener) = connected(|options| options.heartbeat = every(20, 30_000)).await;
    client.socket.close(None);
    while peer.frame().await.opcode != 8 {}
    tokio::time::sleep(Duration::from_millis(100)).await;
    peer.close(1000, "").await;
    assert!(client.over().await.closure.was_clean);

    let (mut client, mut peer, _listener) = connected(|options| {
        options.heartbeat = every(20, 30_000);
        options.queue.bytes = 64 << 20;
    })
    .await;
    client.binary(vec![0; 32 << 20]);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(peer.message().await.1.len(), 32 << 20);
    client.fates().await;
}
