//! Peers that are gone without a word, and peers that are only slow.

use std::time::Duration;

use bytes::Bytes;
use unreset::fault::Kind;
use unreset::tcp::event::Event;
use unreset::tcp::heartbeat::Heartbeat;
use unreset::tcp::options::Options;

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
    let mut client = Client::open(beating(10, 60_000, port));
    let mut server = accept(&listener).await;
    client.up().await;
    for _ in 0..5 {
        assert_eq!(read_exactly(&mut server, 5).await, b"PING\n");
        write(&mut server, "PONG\n").await;
    }
    write(&mut server, "data").await;
    assert_eq!(client.read(4).await, b"data");
}

#[tokio::test]
async fn finds_a_peer_that_is_there_no_more() {
    let (listener, port) = listen().await;
    let proxy = proxy(port).await;
    let mut client = Client::open(beating(20, 100, proxy.local_addr().port()));
    let mut server = accept(&listener).await;
    client.up().await;
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
async fn a_caller_that_takes_nothing_is_no_dead_peer() {
    let (listener, port) = listen().await;
    let mut client = Client::open(beating(10, 30, port));
    let server = accept(&listener).await;
    client.up().await;
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
    while told < 256 * 1024 {
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
