//! Large messages: in frames, and what kills them.

use unreset::websocket::event::Event;
use unreset::websocket::outbox::{Limits, WhenFull, Why, Word};

use crate::support::*;

const QUEUE: Limits = Limits { bytes: 256 << 20, age: None, when_full: WhenFull::Refuse };

#[tokio::test]
async fn a_long_message_leaves_in_frames() {
    let (client, mut peer, _listener) = connected(|options| options.max_frame = 10_000).await;
    let payload: Vec<u8> = (0..25_000_u32).map(|number| number as u8).collect();
    client.binary(payload.clone());
    client.text("short");
    let (opcode, received, sizes) = peer.message().await;
    assert_eq!((opcode, sizes), (2, vec![10_000, 10_000, 5000]));
    assert!(received == payload);
    assert_eq!(peer.text().await, "short");
}

#[tokio::test]
async fn a_hundred_megabytes_go_there_and_back() {
    let (mut client, mut peer, _listener) = connected(|options| {
        options.queue = QUEUE;
        options.max_payload = 100 << 20;
    })
    .await;
    let payload = vec![0x5a; 100 << 20];
    client.binary(payload.clone());
    assert!(peer.message().await.1 == payload);
    let answer = frame(0x82, &payload);
    let (_, message) = tokio::join!(peer.write(answer), client.message());
    assert!(message.1 == payload);
}

#[tokio::test]
async fn too_large_for_the_peer_is_set_aside_and_not_sent_again() {
    let (mut client, mut peer, listener) = connected(|options| options.queue = QUEUE).await;
    client.binary(vec![1; 20_000]);
    client.binary(vec![2; 300_000]);
    client.text("after it");
    assert_eq!(peer.message().await.1.len(), 20_000);
    peer.data_frame().await;
    peer.close(1009, "").await;
    let oversized =
        client.until(|event| if let Event::Oversized(oversized) = event { Some(*oversized) } else { None }).await;
    assert_eq!((oversized.number, oversized.message.payload.len(), oversized.largest), (1, 300_000, 20_000));
    drop(peer);
    let mut peer = Peer::meet(&listener).await;
    assert_eq!(peer.text().await, "after it");
}

#[tokio::test]
async fn a_1009_without_a_large_message_is_final() {
    let (mut client, mut peer, _listener) = connected(|_| {}).await;
    peer.close(1009, "").await;
    assert_eq!(client.over().await.closure.code, 1009);
}

#[tokio::test]
async fn frames_become_smaller_after_a_reset_that_follows_large_sends() {
    let (mut client, mut peer, listener) = connected(|options| options.queue = QUEUE).await;
    client.binary(vec![1; 1 << 20]);
    let first = peer.data_frame().await.payload.len();
    peer.reset();
    let loss = client.down().await;
    assert!(loss.fault.reason.contains("after a message of 1048576 bytes"), "{}", loss.fault.reason);
    let fates = client.fates().await;
    assert_eq!((fates[0].word, fates[0].why), (Word::Unknown, Some(Why::Cut)));
    let mut peer = Peer::meet(&listener).await;
    client.binary(vec![1; 1 << 20]);
    let next = peer.data_frame().await.payload.len();
    assert_eq!(next, first / 2);
    assert_eq!(client.socket.flow().unwrap().frame, next);
}

#[tokio::test]
async fn who_does_not_adapt_keeps_its_frames() {
    let (mut client, mut peer, listener) = connected(|options| {
        options.queue = QUEUE;
        options.adapts = false;
    })
    .await;
    client.binary(vec![1; 1 << 20]);
    let first = peer.data_frame().await.payload.len();
    peer.reset();
    client.down().await;
    let mut peer = Peer::meet(&listener).await;
    client.binary(vec![1; 1 << 20]);
    assert_eq!(peer.data_frame().await.payload.len(), first);
}
