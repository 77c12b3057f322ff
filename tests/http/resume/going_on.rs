//! What goes on where it broke.

use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use unreset::http::call::Call;
use unreset::http::transport::{IncomingBody, Limits};

use super::support::*;
use crate::support::*;

#[tokio::test]
async fn a_body_goes_on_where_it_broke() {
    let content = content(100_000);
    for (end, code) in [(End::Reset, "ECONNRESET"), (End::Fin, "ECONNRESET"), (End::Stall, "ETIMEDOUT")] {
        let server = breaks_every(60_000, &content, TAG, end).await;
        let call = get(server.url("/file")).header("accept-encoding", "gzip").header("x-own", "1");
        let limits = Limits { body: Some(Duration::from_millis(100)), ..call.limits };
        let (read, ended, recovery) = collected(client().call(Call { limits, ..call }).await).await;
        assert_eq!(ended, Ok(()));
        assert!(read == content, "{} bytes", read.len());
        assert_eq!((told(&recovery), recovery.resumed, recovery.bytes_refetched), (format!("{code} -"), 1, 0));
        let seen = &server.seen();
        assert_eq!(seen.len(), 2);
        assert_eq!((seen[0].header("range"), seen[0].header("if-range")), (None, None));
        assert_eq!((seen[1].header("range"), seen[1].header("if-range")), (Some("bytes=60000-"), Some("\"v1\"")));
        for name in ["accept-encoding", "x-own"] {
            assert_eq!(seen[1].header(name), seen[0].header(name), "{name}");
        }
    }
}

#[tokio::test]
async fn a_part_need_not_reach_to_the_end() {
    let content = content(1_000);
    let all = content.clone();
    let server = breaks_and_then(&content, TAG, move |seen| {
        let first = offset(seen);
        let last = (first + 199).min(999);
        message(part_head(first, last, 1_000, TAG), &all[first..=last])
    })
    .await;
    let (read, ended, recovery) = collected(client().call(get(server.url("/"))).await).await;
    assert_eq!((read == content, ended, recovery.resumed), (true, Ok(()), 3));
}

#[tokio::test]
async fn a_server_without_ranges_sends_all_of_it_again_and_the_first_part_is_skipped() {
    let content = content(200_000);
    let all = content.clone();
    let server = breaks_and_then(&content, TAG, move |_| {
        message(format!("HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n{TAG}\r\n"), &all)
    })
    .await;
    let (read, ended, recovery) = collected(client().call(get(server.url("/"))).await).await;
    assert_eq!((read == content, ended), (true, Ok(())));
    assert_eq!((recovery.resumed, recovery.bytes_refetched), (1, 100_000));
}

#[tokio::test]
async fn a_server_that_is_busy_for_a_moment_is_asked_again() {
    let content = content(1_000);
    let rest = content.slice(500..);
    let busy = Mutex::new(true);
    let server = breaks_and_then(&content, TAG, move |_| {
        if std::mem::take(&mut *busy.lock().unwrap()) {
            return b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec();
        }
        message(part_head(500, 999, 1_000, TAG), &rest)
    })
    .await;
    let client = client();
    let (read, ended, recovery) = collected(client.call(get(server.url("/"))).await).await;
    assert_eq!((read == content, ended, told(&recovery)), (true, Ok(()), "ECONNRESET HTTP_503 -".into()));
}

#[tokio::test]
async fn a_compressed_body_goes_on_with_its_encoded_bytes() {
    // 100 000 bytes that nothing can compress, in stored blocks, so that the break is in the middle.
    let plain = content(100_000);
    let encoded = Bytes::from(stored_gzip(&plain));
    let server = breaks_every(30_000, &encoded, "etag: \"v1\"\r\ncontent-encoding: gzip\r\n", End::Reset).await;
    let (read, ended, recovery) = collected(client().call(get(server.url("/"))).await).await;
    assert_eq!((read == plain, ended, recovery.resumed), (true, Ok(()), 3));
    let seen = server.seen();
    assert_eq!(seen[1].header("range"), Some("bytes=30000-"));
    assert_eq!(seen[1].header("accept-encoding"), seen[0].header("accept-encoding"));
}

#[tokio::test]
async fn dropping_a_body_ends_its_attempts() {
    let content = content(1_000);
    let (opened, mut dropped) = tokio::sync::mpsc::channel(1);
    let first = content.clone();
    let server = Server::start(move |mut peer| {
        let (first, opened) = (first.clone(), opened.clone());
        async move {
            let Some(seen) = peer.request().await else { return };
            if peer.number > 0 {
                // Silent until the client goes.
                opened.send("asked").await.unwrap();
                peer.until_closed().await;
                opened.send("closed").await.unwrap();
                return;
            }
            peer.write(head(&seen, first.len(), TAG)).await;
            peer.write(&first[..500]).await;
            peer.reset();
        }
    })
    .await;
    let client = client();
    let mut body = client.call(get(server.url("/"))).await.expect("an answer").body;
    assert_eq!(body.chunk().await.unwrap().unwrap().len(), 500);
    // Whoever waits for a chunk may give up waiting, and wait again: the attempt goes on meanwhile.
    for _ in 0..3 {
        let waited = tokio::time::timeout(Duration::from_millis(20), body.chunk()).await;
        assert!(waited.is_err(), "{waited:?}");
    }
    assert_eq!(dropped.recv().await, Some("asked"));
    drop(body);
    assert_eq!(dropped.recv().await, Some("closed"));
    assert_eq!(server.seen().len(), 2);
}

/// A server that keeps to RFC 9110, section 15.3.7, says only what the client does not know yet.
#[tokio::test]
async fn a_part_may_leave_out_what_is_known_already() {
    const DATED: &str = "last-modified: Sun, 06 Nov 1994 08:49:37 GMT\r\ndate: Sun, 06 Nov 1994 09:49:37 GMT\r\n";
    let plain = content(1_000);
    let gzip = Bytes::from(stored_gzip(&plain));
    for (sent, first, further) in
        [(gzip, "etag: \"v1\"\r\ncontent-encoding: gzip\r\n", TAG), (plain.clone(), DATED, "")]
    {
        let (all, length) = (sent.clone(), sent.len());
        let server = breaks_and_then(&sent, first, move |seen| {
            message(part_head(offset(seen), length - 1, length, further), &all[offset(seen)..])
        })
        .await;
        let (read, ended, recovery) = collected(client().call(get(server.url("/"))).await).await;
        assert_eq!((read == plain, ended, recovery.resumed), (true, Ok(()), 1), "{first}");
    }
}

/// RFC 1952 around blocks of RFC 1951, section 3.2.4.
fn stored_gzip(plain: &[u8]) -> Vec<u8> {
    let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = plain.chunks(60_000).peekable();
    while let Some(block) = blocks.next() {
        let length = block.len() as u16;
        gzip.push(u8::from(blocks.peek().is_none()));
        gzip.extend(length.to_le_bytes());
        gzip.extend((!length).to_le_bytes());
        gzip.extend(block);
    }
    gzip.extend(crc32(plain).to_le_bytes());
    gzip.extend((plain.len() as u32).to_le_bytes());
    gzip
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}
