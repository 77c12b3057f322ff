//! Peers that are gone without a word, and peers that are only slow.

use std::time::Duration;

use bytes::Bytes;
use unreset::fault::{Kind, Phase};
use unreset::tcp::event::Event;
use unreset::tcp::heartbeat::Heartbeat;
use unreset::tcp::options::Options;
use unreset::tcp::queue::{Fate, Why};

use crate::support::*;

fn beating(interval: u64, timeout: u64, port: u16) -> Options {
    let heartbeat = Heartbeat {
        interval: Duration::from_millis(interval),
        timeout: Duration::from_millis(timeout),
        send: Bytes::from_static(b"PING\n"),
        expect: Bytes::from_static(b"PONG\n"),
    };
    Options { heartbeat: Some(heartbeat), ..to(port) }
}

#[tokio::test]
async fn is_answered_and_the_caller_sees_nothing_of_it() {
    let (listener, port) = listen().await;
    let (mut client, mut server) = Client::up_at(&listener, beating(10, 60_000, port)).await;
    for _ in 0..5 {
        assert_eq!(read_exactly(&mut server, 5).await, b"PING\n");
        write(&mut server, "PONG\n").await;
    }
    write(&mut server, "data").await;
    assert_eq!(client.read(4).await, b"data");
}

#[tokio::test]
async fn the_answer_to_a_beat_answers_nothing_else() {
    let (listener, port) = listen().await;
    let (mut client, mut server) = Client::up_at(&listener, beating(20, 60_000, port)).await;
    client.write("question");
    let mut heard = Vec::new();
    while !String::from_utf8_lossy(&heard).contains("questionPING\n") {
        heard.extend(read_exactly(&mut server, 1).await);
    }
    write(&mut server, "PONG\n").await;
    // A later beat is sent when that has long been taken in.
    read_exactly(&mut server, 10).await;
    reset(server);
    let fault = client.down().await.fault;
    assert!(matches!(fault.phase, Phase::Wait | Phase::Send), "{fault:?}");
}

#[tokio::test]
async fn finds_a_peer_that_is_there_no_more() {
    let (listener, port) = listen().await;
    let proxy = proxy(port).await;
    let (mut client, mut server) = Client::up_at(&listener, beating(20, 100, proxy.local_addr().port())).await;
    assert_eq!(read_exactly(&mut server, 5).await, b"PING\n");
    // From now on nothing passes, and nothing is closed: a cable is cut.
    proxy.pause();
    let loss = client.down().await;
    assert_eq!((loss.fault.kind, &*loss.fault.code, loss.fault.ending), (Kind::Timeout, "ETIMEDOUT", None));
    proxy.resume();
    let mut server = accept(&listener).await;
    assert!(client.up().await.is_some());
    client.write("x");
    let heard = read_exactly(&mut server, 1).await;
    assert!(heard == b"x" || heard == b"P", "a write, or a beat before it");
}

#[tokio::test]
async fn finds_a_peer_that_is_gone_in_the_middle_of_a_message() {
    let (listener, port) = listen().await;
    let (mut client, mut server) = Client::up_at(&listener, beating(400, 100, port)).await;
    // More than the systems of both ends take, so no beat can leave after it.
    client.write(vec![b'x'; 64 << 20]);
    read_exactly(&mut server, 1000).await;
    let loss = client.down().await;
    assert_eq!((&*loss.fault.code, loss.fault.phase), ("ETIMEDOUT", Phase::Send));
    assert!(matches!(client.fate().await, Fate::Unsent { why: Why::Cut, .. }));
}

#[tokio::test]
async fn a_peer_that_takes_a_message_slowly_is_alive() {
    let (listener, port) = listen().await;
    let (mut client, mut server) = Client::up_at(&listener, beating(50, 5000, port)).await;
    let large = 16 << 20;
    client.write(vec![b'x'; large]);
    let mut read = 0;
    while read < large {
        read +=
            read_exactly(&mut server, (large - read).min(1 << 20)).await.iter().filter(|byte| **byte == b'x').count();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(client.fate().await, Fate::Sent { writes: 1 });
    assert_eq!(client.socket.stats().generation, 1);
}

#[tokio::test]
async fn a_caller_that_takes_nothing_is_no_dead_peer() {
    let (listener, port) = listen().await;
    let (mut client, server) = Client::up_at(&listener, beating(10, 30, port)).await;
    let (mut reading, mut writing) = server.into_split();
    let answering = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        // First much that nobody takes, then the answers, behind it.
        writing.write_all(&vec![0; 8 << 20]).await.unwrap();
        let mut beat = [0; 5];
        while reading.read_exact(&mut beat).await.is_ok() {
            let _ = writing.write_all(b"PONG\n").await;
        }
    });
    let mut told = 0;
    while told < READ_AHEAD {
        told += client.until(|event| if let Event::Data { bytes } = event { Some(bytes.len()) } else { None }).await;
    }
    // Many times the time in which an answer must come.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(client.events.try_recv().is_err(), "nothing was lost");
    assert_eq!(client.socket.stats().generation, 1);
    client.socket.taken(told);
    client.read((8 << 20) - told).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(client.socket.stats().generation, 1);
    answering.abort();
}
