//! What becomes of messages: written, unsent, or unknown; and backpressure both ways.

use std::time::Duration;

use bytes::Bytes;
use unreset::websocket::event::Event;
use unreset::websocket::outbox::{Accepted, Limits, Resend, WhenFull, Why, Word};
use unreset::websocket::weight;

use crate::support::*;

fn limits(bytes: usize, age: Option<Duration>) -> Limits {
    Limits { bytes, age, when_full: WhenFull::Refuse }
}

#[tokio::test]
async fn what_waits_is_bounded_and_nothing_goes_without_a_word() {
    let (listener, url) = listen().await;
    let mut options = to(&url);
    options.queue = limits(10, None);
    let mut client = Client::open(options);
    assert_eq!(client.text("12345"), Some(Accepted::Room));
    assert_eq!(client.text("123456"), Some(Accepted::Refused));
    assert_eq!(client.text("12345"), Some(Accepted::Room));
    assert_eq!(client.socket.buffered_amount(), 10);
    let mut peer = Peer::meet(&listener).await;
    assert_eq!((peer.text().await.as_str(), peer.text().await.as_str()), ("12345", "12345"));
    let mut numbers = Vec::new();
    while numbers.len() < 2 {
        numbers.extend(client.fates().await.into_iter().map(|fate| (fate.number, fate.word)));
    }
    assert_eq!(numbers, [(0, Word::Written), (1, Word::Written)]);
    assert_eq!(client.socket.buffered_amount(), 0);
}

#[tokio::test]
async fn what_waits_too_long_for_a_connection_is_unsent() {
    let (listener, url) = listen().await;
    let mut options = to(&url);
    options.queue = limits(1000, Some(Duration::from_millis(100)));
    let mut client = Client::open(options);
    let _silent = Peer::accept(&listener).await;
    client.text("old");
    let fate = client.fates().await[0];
    assert_eq!((fate.word, fate.why), (Word::Unsent, Some(Why::Expired)));
}

/// The first message is cut in the middle, the second has not begun.
async fn cut(resend: Resend) -> (Client, Peer) {
    let (mut client, mut peer, listener) = connected(|options| {
        options.resend = resend;
        options.queue = limits(64 << 20, None);
    })
    .await;
    client.binary(vec![7; 32 << 20]);
    client.text("next");
    peer.frame().await;
    peer.reset();
    client.down().await;
    (client, Peer::meet(&listener).await)
}

#[tokio::test]
async fn a_message_that_was_cut_is_unknown_and_the_next_one_is_sent() {
    let (mut client, mut peer) = cut(Resend::Unsent).await;
    let fates = client.fates().await;
    assert_eq!((fates[0].number, fates[0].word, fates[0].why), (0, Word::Unknown, Some(Why::Cut)));
    assert_eq!(peer.text().await, "next");
    let fates = client.fates().await;
    assert_eq!((fates[0].number, fates[0].word), (1, Word::Written));
}

#[tokio::test]
async fn a_message_that_was_cut_is_sent_again_if_that_is_wanted() {
    let (mut client, mut peer) = cut(Resend::UnknownToo).await;
    let (_, payload, _) = peer.message().await;
    assert_eq!(payload.len(), 32 << 20);
    assert_eq!(peer.text().await, "next");
    let fates = client.fates().await;
    assert_eq!((fates[0].number, fates[0].word), (0, Word::Written));
}

#[tokio::test]
async fn a_peer_that_does_not_read_fills_the_buffer_and_drains_it() {
    let (mut client, mut peer, _listener) = connected(|options| options.queue = limits(64 << 20, None)).await;
    for _ in 0..16 {
        client.binary(vec![1; 1 << 20]);
    }
    assert!(client.socket.buffered_amount() > 0);
    assert!(!client.socket.notify_drained(0));
    for _ in 0..16 {
        assert_eq!(peer.message().await.1.len(), 1 << 20);
    }
    client.until(|event| matches!(event, Event::Drained).then_some(())).await;
    assert_eq!(client.socket.buffered_amount(), 0);
    assert!(client.socket.notify_drained(0), "it is so already");
}

/// A caller that deals with nothing holds the peer back.
#[tokio::test]
async fn what_is_not_taken_is_not_read() {
    let (mut client, mut peer, _listener) = connected(|options| options.heartbeat = None).await;
    let message = frame(0x82, &[1; 10_000]);
    let (mut told, mut sent) = (0, 0);
    loop {
        let write = tokio::io::AsyncWriteExt::write_all(&mut peer.stream, &message);
        if tokio::time::timeout(Duration::from_millis(500), write).await.is_err() {
            break;
        }
        sent += 1;
        assert!(sent < 100_000, "it reads without end");
    }
    while let Ok(event) = client.events.try_recv() {
        told += usize::from(matches!(event, Event::Message { .. }));
    }
    assert!(told * 10_000 < 2 << 20, "{told} messages were told");
    client.socket.taken(told * weight(10_000));
    // And it goes on.
    assert_eq!(client.message().await.1.len(), 10_000);
}

#[tokio::test]
async fn a_pause_stops_the_reading() {
    let (mut client, mut peer, _listener) = connected(|_| {}).await;
    client.socket.set_paused(true);
    // What the server says to know that the pause was heeded: nothing else makes it answer.
    client.text("paused");
    assert_eq!(peer.text().await, "paused");
    peer.send(0x81, "later").await;
    client.text("still sends");
    assert_eq!(peer.text().await, "still sends");
    client.fates().await;
    while let Ok(event) = client.events.try_recv() {
        assert!(!matches!(event, Event::Message { .. }));
    }
    client.socket.set_paused(false);
    assert_eq!(client.message().await.1, "later");
}

#[tokio::test]
async fn a_batch_is_taken_as_one() {
    use unreset::websocket::outbox::{Kind, Message};
    let (client, mut peer, _listener) = connected(|options| options.queue = limits(100, None)).await;
    let message = |size: usize| Message {
        kind: Kind::Binary,
        payload: Bytes::from(vec![0; size]),
        compress: true,
        awaited: false,
    };
    let (taken, status) = client.socket.send([message(40), message(40), message(40), message(1)]);
    assert_eq!((taken, status), (2, Some(Accepted::Refused)));
    assert_eq!(peer.message().await.1.len() + peer.message().await.1.len(), 80);
}

/// A peer that answers each message with as much before it reads the next one: both sides' buffers fill.
#[tokio::test]
async fn a_peer_that_waits_to_be_read_is_read() {
    let (mut client, mut peer, _listener) = connected(|options| options.queue = limits(256 << 20, None)).await;
    const MESSAGES: usize = 16;
    for _ in 0..MESSAGES {
        client.binary(vec![1; 4 << 20]);
    }
    let echo = async {
        for _ in 0..MESSAGES {
            let first = peer.frame().await;
            // Nothing more is read before all of this is written.
            peer.write(frame(0x82, &vec![2; 4 << 20])).await;
            let mut rest = (4 << 20) - if first.opcode == 9 { 0 } else { first.payload.len() };
            while rest > 0 {
                let next = peer.data_frame().await;
                rest -= next.payload.len();
            }
        }
    };
    let read = async {
        for _ in 0..MESSAGES {
            assert_eq!(client.message().await.1.len(), 4 << 20);
        }
    };
    tokio::join!(echo, read);
}
