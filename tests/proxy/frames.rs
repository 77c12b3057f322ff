//! The frames of a WebSocket, where bytes cannot say which message is hit.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::net::TcpStream;

use crate::support::*;

const UPGRADE: &str = "GET /chat HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
const ANOTHER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";

/// Opcodes, of whole messages and of parts.
const TEXT: u8 = 0x81;
const TEXT_BEGINS: u8 = 0x01;
const GOES_ON: u8 = 0x00;
const ENDS: u8 = 0x80;
const PING: u8 = 0x89;

/// A frame as a client sends it, masked, or as a server does.
fn frame(first: u8, size: usize, masked: bool) -> Vec<u8> {
    let mask = if masked { 0x80 } else { 0 };
    let mut bytes = match size {
        0..126 => vec![first, mask | size as u8],
        126..65_536 => [&[first, mask | 126][..], &(size as u16).to_be_bytes()].concat(),
        _ => [&[first, mask | 127][..], &(size as u64).to_be_bytes()].concat(),
    };
    bytes.resize(bytes.len() + size + if masked { 4 } else { 0 }, first);
    bytes
}

/// Both ends of a WebSocket through the proxy.
async fn upgraded(bench: &Bench) -> (TcpStream, TcpStream) {
    let (mut client, mut server) = bench.connect().await;
    write(&mut client, UPGRADE).await;
    read_exactly(&mut server, UPGRADE.len()).await;
    write(&mut server, SWITCHED).await;
    read_exactly(&mut client, SWITCHED.len()).await;
    (client, server)
}

#[tokio::test]
async fn a_frame_is_hit_before_its_first_byte_and_the_one_before_it_is_whole() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "reset", "on": "request-frame", "frame": 2 }"#);
    let (mut client, mut server) = upgraded(&bench).await;
    let (first, second) = (frame(TEXT, 5, true), frame(TEXT, 200, true));
    write(&mut client, &first).await;
    assert_eq!(read_exactly(&mut server, first.len()).await, first);
    assert!(is_silent(&server), "the second has not come yet");
    // Its header in pieces: none of them may get through before it is known where it leads.
    for byte in &second[..4] {
        write(&mut client, [*byte]).await;
    }
    assert_eq!(read_all(&mut client).await, (vec![], Ended::Rst));
    assert_eq!(read_all(&mut server).await, (vec![], Ended::Rst));
}

#[tokio::test]
async fn a_frame_is_hit_after_so_many_bytes_whatever_its_form() {
    for masked in [false, true] {
        for (size, after) in [(0, 1), (125, 60), (126, 3), (65_535, 40_000), (65_536, 9), (300_000, 299_999)] {
            let bench = Bench::start().await;
            let on = if masked { "request-frame" } else { "response-frame" };
            bench.add(&format!(r#"{{ "type": "close", "on": "{on}", "frame": 3, "afterBytes": {after} }}"#));
            let (client, server) = upgraded(&bench).await;
            let (mut from, mut to) = if masked { (client, server) } else { (server, client) };
            let before = [frame(TEXT, 70_000, masked), frame(PING, 4, masked)].concat();
            let hit = frame(TEXT, size, masked);
            let sent = [&before[..], &hit].concat();
            let sender = tokio::spawn(async move {
                write_while_possible(&mut from, &sent).await;
                from
            });
            let (received, _) = read_all(&mut to).await;
            drop(within(sender).await);
            assert_eq!(received.len(), before.len() + after, "{size} masked: {masked}");
            assert_eq!(&received[before.len()..], &hit[..after]);
        }
    }
}

#[tokio::test]
async fn after_a_frame_all_of_it_has_arrived_and_nothing_more() {
    for on in ["after-request-frame", "after-response-frame"] {
        let bench = Bench::start().await;
        let fault = bench.add(&format!(r#"{{ "type": "reset", "on": "{on}", "frame": 2 }}"#));
        let (client, server) = upgraded(&bench).await;
        let (mut from, mut to) = if on == "after-request-frame" { (client, server) } else { (server, client) };
        let frames = [frame(TEXT, 10, false), frame(TEXT, 70_000, false)].concat();
        write(&mut from, &frames).await;
        assert_eq!(read_all(&mut to).await, (frames, Ended::Rst));
        assert_eq!(bench.proxy.hits(fault), 1);
    }
}

#[tokio::test]
async fn control_frames_between_fragments_count() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "close", "on": "request-frame", "frame": 4, "afterBytes": 7 }"#);
    let (mut client, mut server) = upgraded(&bench).await;
    let parts = [frame(TEXT_BEGINS, 300, true), frame(PING, 0, true), frame(GOES_ON, 9, true)].concat();
    let last = frame(ENDS, 20, true);
    write(&mut client, [&parts[..], &last].concat()).await;
    assert_eq!(read_all(&mut server).await.0, [&parts[..], &last[..7]].concat());
    let kinds: Vec<_> = bench.events().iter().filter(|entry| entry["event"] == "frames").cloned().collect();
    let kinds: Vec<_> =
        kinds.iter().map(|entry| (entry["kind"].as_str().unwrap(), entry["fin"] == true, &entry["frame"])).collect();
    assert_eq!(
        kinds,
        [
            ("text", false, &json!(1)),
            ("ping", true, &json!(2)),
            ("continuation", false, &json!(3)),
            ("continuation", true, &json!(4))
        ]
    );
}

#[tokio::test]
async fn the_directions_are_counted_apart() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "reset", "on": "after-response-frame", "frame": 2 }"#);
    let (mut client, mut server) = upgraded(&bench).await;
    let (question, answer) = (frame(TEXT, 3, true), frame(TEXT, 4, false));
    for _ in 0..3 {
        write(&mut client, &question).await;
        read_exactly(&mut server, question.len()).await;
    }
    write(&mut server, &answer).await;
    assert_eq!(read_exactly(&mut client, answer.len()).await, answer);
    write(&mut server, &answer).await;
    assert_eq!(read_all(&mut client).await, (answer, Ended::Rst));
}

#[tokio::test]
async fn a_fault_that_comes_late_still_hits_the_frames_ahead_of_it() {
    let bench = Bench::start().await;
    let (mut client, mut server) = upgraded(&bench).await;
    let sent = frame(TEXT, 3, true);
    for _ in 0..2 {
        write(&mut client, &sent).await;
        read_exactly(&mut server, sent.len()).await;
    }
    let passed = bench.add(r#"{ "type": "reset", "on": "request-frame", "frame": 2 }"#);
    let ahead = bench.add(r#"{ "type": "reset", "on": "request-frame", "frame": 3, "afterBytes": 1 }"#);
    write(&mut client, &sent).await;
    assert_eq!(read_all(&mut server).await, (sent[..1].to_vec(), Ended::Rst));
    assert_eq!((bench.proxy.hits(passed), bench.proxy.hits(ahead)), (0, 1));
}

#[tokio::test]
async fn a_stalled_frame_goes_on_when_the_fault_is_removed() {
    let bench = Bench::start().await;
    let stall = bench.add(r#"{ "type": "stall", "on": "response-frame", "frame": 1, "afterBytes": 5 }"#);
    let (mut client, mut server) = upgraded(&bench).await;
    let sent = frame(TEXT, 100, false);
    write(&mut server, &sent).await;
    assert_eq!(read_exactly(&mut client, 5).await, &sent[..5]);
    bench.until(|proxy| proxy.hits(stall) == 1).await;
    assert!(is_silent(&client));
    bench.proxy.remove(stall);
    assert_eq!(read_exactly(&mut client, sent.len() - 5).await, &sent[5..]);
}

#[tokio::test]
async fn a_frame_can_be_held_up_once() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "latency", "on": "request-frame", "frame": 2, "ms": 50 }"#);
    let (mut client, mut server) = upgraded(&bench).await;
    let sent = frame(TEXT, 3, true);
    write(&mut client, &sent).await;
    read_exactly(&mut server, sent.len()).await;
    let began = Instant::now();
    write(&mut client, &sent).await;
    read_exactly(&mut server, sent.len()).await;
    assert!(began.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn what_is_no_websocket_has_no_frames() {
    let refused = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
    let other = UPGRADE.replace("websocket", "something");
    for (request, answer) in [(UPGRADE, refused), (&*other, SWITCHED)] {
        let bench = Bench::start().await;
        let request_frame = bench.add(r#"{ "type": "reset", "on": "request-frame" }"#);
        let response_frame = bench.add(r#"{ "type": "reset", "on": "response-frame" }"#);
        let (mut client, mut server) = bench.connect().await;
        write(&mut client, request).await;
        read_exactly(&mut server, request.len()).await;
        write(&mut server, answer).await;
        read_exactly(&mut client, answer.len()).await;
        write(&mut client, "GET / HTTP/1.1\r\n\r\n").await;
        read_exactly(&mut server, 18).await;
        write(&mut server, ANOTHER).await;
        read_exactly(&mut client, ANOTHER.len()).await;
        assert_eq!((bench.proxy.hits(request_frame), bench.proxy.hits(response_frame)), (0, 0));
        assert_eq!(bench.count("frames"), 0);
    }
}

#[tokio::test]
async fn the_timeline_tells_runs_of_frames_and_which_was_hit() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "reset", "on": "request-frame", "frame": 5, "afterBytes": 2 }"#);
    let (mut client, mut server) = upgraded(&bench).await;
    let sent = frame(TEXT, 3, true);
    for _ in 0..4 {
        write(&mut client, &sent).await;
        read_exactly(&mut server, sent.len()).await;
    }
    write(&mut client, &sent).await;
    read_all(&mut server).await;
    let events = bench.events();
    let frames: Vec<_> = events.iter().filter(|entry| entry["event"] == "frames").collect();
    assert_eq!(frames.len(), 1, "{frames:?}");
    assert_eq!(
        (&frames[0]["frame"], &frames[0]["frames"], &frames[0]["direction"]),
        (&json!(1), &json!(5), &json!("request"))
    );
    let strike = events.iter().find(|entry| entry["event"] == "strike").unwrap();
    assert_eq!((&strike["on"], &strike["frame"]), (&json!("request-frame"), &json!(5)));
    let runs: Vec<_> =
        events.iter().filter(|entry| entry["event"] == "bytes" && entry["direction"] == "request").collect();
    assert_eq!(runs.len(), 2, "the upgrade and the frames: {runs:?}");
    assert_eq!(runs[1]["bytes"], json!(4 * sent.len() + 2));
}
