//! Messages that are sent again until they are acknowledged: whatever happens, each arrives once and in its place.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::watch;
use unreset::tcp::event::Event;
use unreset::tcp::heartbeat::Heartbeat;
use unreset::tcp::options::Options;

use crate::support::*;

fn kept_lines(port: u16) -> Options {
    Options { resends: true, ..lines_to(port) }
}

#[tokio::test]
async fn what_is_not_acknowledged_is_sent_again_and_nothing_else() {
    let (listener, port) = listen().await;
    let mut client = Client::open(Options { greets: true, ..kept_lines(port) });
    client.write("a\nb\nc\n");
    let mut server = accept(&listener).await;
    client.connected().await;
    client.socket.greeted(1, Ok(()));
    assert_eq!(read_exactly(&mut server, 6).await, b"a\nb\nc\n");
    reset(server);
    client.down().await;
    let mut server = accept(&listener).await;
    client.connected().await;
    assert!(!client.socket.acknowledge(4), "it was sent three");
    assert!(client.socket.acknowledge(2));
    client.socket.greeted(2, Ok(()));
    client.write("d\n");
    assert_eq!(read_exactly(&mut server, 4).await, b"c\nd\n");
    let stats = client.socket.stats();
    assert_eq!((stats.acknowledged, stats.unacknowledged), (2, 2));
}

#[tokio::test]
async fn the_end_comes_after_the_last_acknowledgement() {
    let (listener, port) = listen().await;
    let mut client = Client::open(kept_lines(port));
    client.write("a\n");
    client.socket.end();
    let mut server = accept(&listener).await;
    read_exactly(&mut server, 2).await;
    reset(server);
    let mut server = accept(&listener).await;
    assert_eq!(read_exactly(&mut server, 2).await, b"a\n", "it was not acknowledged");
    assert!(client.socket.acknowledge(1));
    assert_eq!(read_to_end(&mut server).await, b"");
    drop(server);
    assert!(client.over().await.is_none());
}

/// A server that tells each connection how many lines it has, and takes them in. One connection at a time: what an earlier
/// one still had on its way must not count after the next was told the number.
async fn collect(listener: TcpListener, lines: watch::Sender<Vec<String>>) {
    let mut accepted = listener.accept().await;
    while let Ok((stream, _)) = accepted {
        accepted = tokio::select! {
            biased;
            next = listener.accept() => next,
            () = serve(stream, &lines) => listener.accept().await,
        };
    }
}

async fn serve(stream: tokio::net::TcpStream, lines: &watch::Sender<Vec<String>>) {
    let (reading, mut writing) = stream.into_split();
    let have = lines.borrow().len();
    if writing.write_all(format!("HAVE {have}\n").as_bytes()).await.is_err() {
        return;
    }
    let mut reading = BufReader::new(reading);
    loop {
        let mut line = String::new();
        match reading.read_line(&mut line).await {
            Ok(read) if read > 0 && line.ends_with('\n') => {}
            // Half a line is none.
            _ => return,
        }
        if line == "?\n" {
            let _ = writing.write_all(b"!\n").await;
            continue;
        }
        lines.send_modify(|lines| lines.push(line));
        let _ = writing.write_all(b"OK\n").await;
    }
}

/// What strikes a connection.
#[derive(Debug, Clone)]
struct Strike {
    kind: &'static str,
    on: &'static str,
    after: u32,
}

fn strikes() -> impl Strategy<Value = Vec<Strike>> {
    let kind = prop_oneof![Just("reset"), Just("close"), Just("stall"), Just("blackhole")];
    let on = prop_oneof![Just("request"), Just("response"), Just("accept")];
    let strike = (kind, on, 0_u32..160).prop_map(|(kind, on, after)| Strike { kind, on, after });
    proptest::collection::vec(strike, 0..6)
}

/// Sends `count` lines through connections that are struck in turn; returns what arrived.
async fn arrive(strikes: &[Strike], count: usize, pieces: usize) -> Vec<String> {
    let (listener, port) = listen().await;
    let proxy = proxy(port).await;
    for (index, Strike { kind, on, after }) in strikes.iter().enumerate() {
        let connection = index + 1;
        let after = if *on == "accept" { String::new() } else { format!(r#""afterBytes": {after}, "#) };
        add(&proxy, &format!(r#"{{ "type": "{kind}", "on": "{on}", {after}"connections": [{connection}] }}"#));
    }
    let (told, mut lines) = watch::channel(Vec::new());
    let server = tokio::spawn(collect(listener, told));
    let heartbeat = Heartbeat {
        interval: Duration::from_millis(20),
        timeout: Duration::from_millis(120),
        send: Bytes::from_static(b"?\n"),
        expect: Bytes::from_static(b"!\n"),
    };
    let mut client = Client::open(Options {
        greets: true,
        connect_timeout: Some(Duration::from_millis(150)),
        heartbeat: Some(heartbeat),
        ..kept_lines(proxy.local_addr().port())
    });
    let socket = client.socket.clone();
    let writing = tokio::spawn(async move {
        let all: String = (0..count).map(|number| format!("line {number}\n")).collect();
        for piece in all.as_bytes().chunks(pieces) {
            socket.write(Bytes::copy_from_slice(piece), false);
            tokio::task::yield_now().await;
        }
    });
    let (mut generation, mut greeting, mut heard) = (0, false, String::new());
    while lines.borrow().len() < count {
        let event = tokio::select! {
            event = client.next() => event,
            changed = lines.changed() => { changed.unwrap(); continue; }
        };
        match event {
            Event::Connected(connected) => {
                (generation, greeting) = (connected.generation, true);
                heard.clear();
            }
            Event::Data { bytes } => {
                client.socket.taken(bytes.len());
                heard.push_str(std::str::from_utf8(&bytes).unwrap());
            }
            _ => {}
        }
        while let Some(end) = heard.find('\n') {
            let line: String = heard.drain(..=end).collect();
            match line.strip_prefix("HAVE ") {
                Some(have) if greeting => {
                    let have: u64 = have.trim().parse().unwrap();
                    let known = client.socket.stats().acknowledged;
                    assert!(client.socket.acknowledge(have - known), "{have} of {known}");
                    client.socket.greeted(generation, Ok(()));
                    greeting = false;
                }
                _ => {
                    assert_eq!(line, "OK\n");
                    assert!(client.socket.acknowledge(1));
                }
            }
        }
    }
    writing.await.unwrap();
    server.abort();
    lines.borrow().clone()
}

/// Whatever the script of faults: complete, in order, without duplicates.
#[test]
fn a_framed_acknowledged_stream_arrives_as_it_was_written() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 60, failure_persistence: None, ..Config::default() });
    let cases = (strikes(), 1_usize..120, 1_usize..40);
    let outcome = runner.run(&cases, |(strikes, count, pieces)| {
        let strikes: Arc<[Strike]> = strikes.into();
        let arrived = runtime.block_on(within(async { arrive(&strikes, count, pieces).await }));
        let expected: Vec<String> = (0..count).map(|number| format!("line {number}\n")).collect();
        prop_assert_eq!(arrived, expected);
        Ok(())
    });
    outcome.unwrap();
}
