//! Small writes that leave on the caller's own thread, and the task that goes on where those end.

use std::time::Duration;

use bytes::Bytes;
use socket2::SockRef;
use tokio::io::{AsyncBufReadExt, BufReader};
use unreset::tcp::event::Event;
use unreset::tcp::heartbeat::Heartbeat;
use unreset::tcp::options::Options;
use unreset::tcp::queue::{Accepted, Fate, Limits};

use crate::support::*;

/// Small enough to leave at once.
const PIECE: usize = 4096;

/// Says its number all over.
fn piece(number: u32) -> Bytes {
    number.to_le_bytes().repeat(PIECE / 4).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_system_takes_only_in_part_is_continued_in_order() {
    let (listener, port) = listen().await;
    let options = to(port);
    let mut client = Client::open(Options { queue: Limits { bytes: 64 * PIECE, ..options.queue }, ..options });
    let mut server = accept(&listener).await;
    client.up().await;
    let mut next = 0;
    for _ in 0..3 {
        let first = next;
        // Until the buffers of both systems are full, and the queue after them.
        loop {
            next += 1;
            if client.socket.write(piece(next - 1), false) != Accepted::Room {
                break;
            }
        }
        let read = within(read_exactly(&mut server, (next - first) as usize * PIECE)).await;
        for (number, bytes) in (first..next).zip(read.chunks(PIECE)) {
            assert!(bytes == piece(number), "{number} of {first} to {next}");
        }
        client.until(|event| matches!(event, Event::Fate(Fate::Room)).then_some(())).await;
    }
    assert_eq!(client.socket.stats().bytes_written, u64::from(next) * PIECE as u64);
}

/// On one thread: the task has no chance to see it before the write.
#[tokio::test]
async fn what_is_written_after_the_end_of_the_peer_leaves_on_the_next_connection() {
    let (listener, port) = listen().await;
    let (mut client, mut first) = Client::up_at(&listener, to(port)).await;
    client.write("a");
    assert_eq!(read_exactly(&mut first, 1).await, b"a");
    write(&mut first, "b").await;
    assert_eq!(client.read(1).await, b"b");
    SockRef::from(&first).shutdown(std::net::Shutdown::Write).unwrap();
    client.write("c");
    assert_eq!(client.down().await.unacknowledged, Some(0).filter(|_| cfg!(target_os = "linux")));
    let mut second = accept(&listener).await;
    assert_eq!(read_exactly(&mut second, 1).await, b"c");
    assert_eq!(read_to_end(&mut first).await, b"");
}

#[tokio::test(flavor = "multi_thread")]
async fn beats_and_writes_take_turns_and_never_cut_each_other() {
    const LINES: u32 = 20_000;
    let (listener, port) = listen().await;
    let heartbeat = Heartbeat {
        interval: Duration::from_micros(50),
        timeout: Duration::from_secs(60),
        send: Bytes::from_static(b"beat\n"),
        expect: Bytes::new(),
    };
    let mut client = Client::open(Options { heartbeat: Some(heartbeat), ..to(port) });
    let mut server = BufReader::new(accept(&listener).await);
    client.up().await;
    let socket = client.socket.clone();
    let writing = tokio::task::spawn_blocking(move || {
        for number in 0..LINES {
            while socket.stats().queued > 100_000 {
                std::thread::yield_now();
            }
            socket.write(format!("{number}\n").into(), false);
        }
    });
    let (mut lines, mut beats) = (0, 0);
    let mut line = String::new();
    while lines < LINES || beats == 0 {
        line.clear();
        within(server.read_line(&mut line)).await.unwrap();
        if line == "beat\n" {
            beats += 1;
        } else {
            assert_eq!(line, format!("{lines}\n"));
            lines += 1;
        }
    }
    within(writing).await.unwrap();
}
