//! permessage-deflate, both ways.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use unreset::websocket::extension::Deflate;
use unreset::websocket::options::Options;
use unreset::websocket::outbox::{Kind, Message};

use crate::support::*;

const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

fn deflated(compress: &mut Compress, payload: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(payload.len() + 1024);
    compress.compress_vec(payload, &mut output, FlushCompress::Sync).unwrap();
    assert!(output.ends_with(&TAIL));
    output.truncate(output.len() - TAIL.len());
    output
}

fn inflated(decompress: &mut Decompress, payload: &[u8], size: usize) -> Vec<u8> {
    let mut output = Vec::with_capacity(size + 1024);
    let input = [payload, &TAIL].concat();
    decompress.decompress_vec(&input, &mut output, FlushDecompress::Sync).unwrap();
    output
}

async fn agreed(deflate: Deflate, answer: &str) -> (Client, Peer) {
    let (listener, url) = listen().await;
    let mut client = Client::open(Options { deflate: Some(deflate), ..to(&url) });
    let mut peer = Peer::accept(&listener).await;
    peer.upgrade(&format!("Sec-WebSocket-Extensions: {answer}\r\n")).await;
    assert_eq!(client.connected().await.extensions, answer);
    client.up().await;
    (client, peer)
}

#[tokio::test]
async fn messages_are_deflated_in_one_context() {
    let deflate = Deflate { threshold: 100, ..Deflate::default() };
    let (mut client, mut peer) = agreed(deflate, "permessage-deflate").await;
    let text = "the same words again and again, ".repeat(50);
    let (mut ours, mut theirs) = (Compress::new(Compression::default(), false), Decompress::new(false));
    let mut sizes = Vec::new();
    for _ in 0..3 {
        client.text(&text);
        let received = peer.data_frame().await;
        assert!(received.compressed && received.last);
        sizes.push(received.payload.len());
        assert_eq!(inflated(&mut theirs, &received.payload, text.len()), text.as_bytes());
        peer.send(0xc1, deflated(&mut ours, text.as_bytes())).await;
        assert_eq!(client.message().await, (Kind::Text, text.clone().into()));
    }
    assert!(sizes[1] < sizes[0], "the first is remembered: {sizes:?}");
}

#[tokio::test]
async fn contexts_are_forgotten_if_that_is_agreed_on() {
    let answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    let deflate = Deflate { threshold: 0, ..Deflate::default() };
    let (mut client, mut peer) = agreed(deflate, answer).await;
    let text = "abcabcabc".repeat(40);
    for _ in 0..3 {
        client.text(&text);
        let received = peer.data_frame().await;
        assert_eq!(inflated(&mut Decompress::new(false), &received.payload, text.len()), text.as_bytes());
        let answer = deflated(&mut Compress::new(Compression::default(), false), text.as_bytes());
        peer.send(0xc1, answer).await;
        assert_eq!(client.message().await.1, text);
    }
}

#[tokio::test]
async fn short_ones_and_those_that_are_not_to_be_are_not_compressed() {
    let deflate = Deflate { threshold: 100, ..Deflate::default() };
    let (client, mut peer) = agreed(deflate, "permessage-deflate").await;
    client.text("short");
    let received = peer.data_frame().await;
    assert_eq!((received.compressed, received.payload.as_slice()), (false, &b"short"[..]));
    let message = Message { kind: Kind::Binary, payload: vec![0; 200_000].into(), compress: false, awaited: false };
    client.socket.send([message]);
    let (_, payload, sizes) = peer.message().await;
    assert_eq!((payload.len(), sizes.len()), (200_000, 4));
    client.text(&"x".repeat(100));
    assert!(peer.data_frame().await.compressed);
}

/// Two in a row made another implementation hang.
#[tokio::test]
async fn empty_messages_pass() {
    let deflate = Deflate { threshold: 0, ..Deflate::default() };
    let (mut client, mut peer) = agreed(deflate, "permessage-deflate").await;
    let mut ours = Compress::new(Compression::default(), false);
    client.text("something");
    peer.data_frame().await;
    for _ in 0..3 {
        client.text("");
        assert_eq!(peer.text().await, "");
        // A single byte, as RFC 7692, section 7.2.3.6, has it.
        peer.send(0xc1, [0]).await;
        assert_eq!(client.message().await.1, "");
    }
    peer.send(0xc1, deflated(&mut ours, b"and on")).await;
    assert_eq!(client.message().await.1, "and on");
}

#[tokio::test]
async fn fragments_are_one_stream() {
    let deflate = Deflate { threshold: 0, ..Deflate::default() };
    let (listener, url) = listen().await;
    let mut client = Client::open(Options { deflate: Some(deflate), max_frame: 4096, ..to(&url) });
    let mut peer = Peer::accept(&listener).await;
    peer.upgrade("Sec-WebSocket-Extensions: permessage-deflate\r\n").await;
    client.up().await;
    let payload: Vec<u8> = (0..20_000_u32).flat_map(u32::to_be_bytes).collect();
    client.binary(payload.clone());
    let mut deflated_payload = Vec::new();
    let mut frames = 0;
    loop {
        let received = peer.data_frame().await;
        assert_eq!(received.compressed, frames == 0, "RSV1 on the first frame alone");
        frames += 1;
        deflated_payload.extend(received.payload);
        if received.last {
            break;
        }
    }
    assert!(frames > 10);
    assert!(inflated(&mut Decompress::new(false), &deflated_payload, payload.len()) == payload);

    let answer = deflated(&mut Compress::new(Compression::default(), false), &payload);
    let (one, two) = answer.split_at(100);
    peer.write([frame(0x42, one), frame(0x89, b""), frame(0x80, two)].concat()).await;
    assert!(client.message().await.1 == payload);
}

#[tokio::test]
async fn a_small_window_is_kept_to() {
    let deflate = Deflate { threshold: 0, ..Deflate::default() };
    let (client, mut peer) = agreed(deflate, "permessage-deflate; client_max_window_bits=9").await;
    // What repeats only further back than 512 bytes.
    let half: Vec<u8> = (0..600_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let payload = half.repeat(20);
    client.binary(payload.clone());
    let received = peer.data_frame().await;
    let mut narrow = Decompress::new_with_window_bits(false, 9);
    assert!(inflated(&mut narrow, &received.payload, payload.len()) == payload);
}

/// A megabyte of zeros is a kilobyte on the wire.
#[tokio::test]
async fn the_limit_is_on_what_was_inflated() {
    let (listener, url) = listen().await;
    let mut client = Client::open(Options { deflate: Some(Deflate::default()), max_payload: 100_000, ..to(&url) });
    let mut peer = Peer::accept(&listener).await;
    peer.upgrade("Sec-WebSocket-Extensions: permessage-deflate\r\n").await;
    client.up().await;
    peer.send(0xc2, deflated(&mut Compress::new(Compression::default(), false), &[0; 1 << 20])).await;
    assert_eq!(peer.closed().await, Some(1009));
    assert_eq!(client.over().await.fault.unwrap().code, "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH");
}

#[tokio::test]
async fn what_cannot_be_inflated_is_answered_with_1007() {
    let (mut client, mut peer) = agreed(Deflate::default(), "permessage-deflate").await;
    peer.send(0xc2, [0xff; 20]).await;
    assert_eq!(peer.closed().await, Some(1007));
    assert_eq!(client.over().await.fault.unwrap().code, "Z_DATA_ERROR");
}
