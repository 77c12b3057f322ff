//! What becomes of writes when there is no connection, or when one is lost under them.

use std::time::Duration;

use bytes::Bytes;
use unreset::fault::Phase;
use unreset::tcp::event::Event;
use unreset::tcp::options::Options;
use unreset::tcp::queue::{Accepted, Fate, Limits, WhenFull, Why};

use crate::support::*;

fn holding(bytes: usize, options: Options) -> Options {
    Options { queue: Limits { bytes, ..options.queue }, ..options }
}

#[tokio::test]
async fn what_is_written_while_it_is_down_leaves_in_order_when_it_is_up() {
    let (listener, port) = listen().await;
    let (mut client, server) = Client::up_at(&listener, to(port)).await;
    drop(listener);
    reset(server);
    client.down().await;
    for number in 0..100 {
        client.write(format!("{number} "));
    }
    assert!(client.socket.stats().queued > 0);
    let listener = listen_at(port).await;
    let mut server = accept(&listener).await;
    let expected: String = (0..100).map(|number| format!("{number} ")).collect();
    assert_eq!(read_exactly(&mut server, expected.len()).await, expected.as_bytes());
    let mut told = 0;
    while told < 100 {
        match client.fate().await {
            Fate::Sent { writes } => told += writes,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn the_writer_is_asked_to_wait_and_told_when_to_go_on() {
    let port = closed_port().await;
    let mut client = Client::open(holding(10, to(port)));
    client.waiting().await;
    assert_eq!(client.socket.write(Bytes::from_static(b"123456789"), false), Accepted::Room);
    assert_eq!(client.socket.write(Bytes::from_static(b"0"), false), Accepted::Full);
    let listener = listen_at(port).await;
    let _server = accept(&listener).await;
    client.until(|event| matches!(event, Event::Fate(Fate::Room)).then_some(())).await;
}

#[tokio::test]
async fn what_does_not_fit_is_refused_where_that_is_wanted() {
    let port = closed_port().await;
    let mut options = holding(10, to(port));
    options.queue.when_full = WhenFull::Refuse;
    let client = Client::open(options);
    assert_eq!(client.socket.write(Bytes::from_static(b"123456789"), false), Accepted::Room);
    assert_eq!(client.socket.write(Bytes::from_static(b"01"), false), Accepted::Refused);
}

#[tokio::test]
async fn what_waits_too_long_is_told_and_never_sent() {
    let port = closed_port().await;
    let mut options = to(port);
    options.queue.age = Some(Duration::from_millis(20));
    let mut client = Client::open(options);
    client.write("too old");
    assert_eq!(client.fate().await, Fate::Unsent { writes: 1, bytes: 7, why: Why::Expired });
    let listener = listen_at(port).await;
    let mut server = accept(&listener).await;
    client.up().await;
    client.write("new");
    assert_eq!(read_exactly(&mut server, 3).await, b"new");
}

#[tokio::test]
async fn a_message_that_was_begun_is_not_continued_on_another_connection() {
    let (listener, port) = listen().await;
    let mut client = Client::open(to(port));
    let mut server = accept(&listener).await;
    // More than the system takes from us while nobody reads.
    let large = vec![b'x'; 32 << 20];
    client.write(&large);
    client.write("next");
    read_exactly(&mut server, 1000).await;
    // More than the system of a peer that does not read takes: some of it cannot be acknowledged.
    within(async {
        while client.socket.stats().bytes_written < 512 * 1024 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    reset(server);
    let loss = client.down().await;
    assert_eq!(loss.fault.phase, Phase::Send);
    if cfg!(target_os = "linux") {
        assert!(loss.unacknowledged.unwrap() > 0);
        assert!(loss.unacknowledged.unwrap() < large.len() as u64);
    }
    assert_eq!(client.fate().await, Fate::Unsent { writes: 1, bytes: large.len(), why: Why::Cut });
    let mut server = accept(&listener).await;
    assert_eq!(read_exactly(&mut server, 4).await, b"next");
}

#[tokio::test]
async fn a_frame_makes_of_several_writes_one_message() {
    let (listener, port) = listen().await;
    let (mut client, mut server) = Client::up_at(&listener, lines_to(port)).await;
    client.write("whole\nhal");
    assert_eq!(read_exactly(&mut server, 6).await, b"whole\n");
    reset(server);
    client.down().await;
    client.write("f\n");
    let mut server = accept(&listener).await;
    assert_eq!(read_exactly(&mut server, 5).await, b"half\n", "not a byte of it was on the first one");
}
