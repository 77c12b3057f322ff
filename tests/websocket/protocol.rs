//! What a server may not say, and what it may say in an unusual way.

use unreset::fault::Kind as FaultKind;
use unreset::websocket::event::Event;
use unreset::websocket::outbox::Kind;

use crate::support::*;

/// Bytes, and the code that they are answered with, and the name of what is wrong with them.
#[tokio::test]
async fn what_breaks_the_protocol_is_answered_with_its_code() {
    let masked = [&[0x81, 0x85, 1, 2, 3, 4][..], b"hello"].concat();
    let within_message = [frame(0x01, b"begin"), frame(0x81, b"another")].concat();
    for (bytes, code, name) in [
        (masked, 1002, "WS_ERR_UNEXPECTED_MASK"),
        (frame(0xb1, b""), 1002, "WS_ERR_UNEXPECTED_RSV_2_3"),
        (frame(0xc1, b"deflated"), 1002, "WS_ERR_UNEXPECTED_RSV_1"),
        (frame(0xc9, b"ping"), 1002, "WS_ERR_UNEXPECTED_RSV_1"),
        (frame(0x83, b""), 1002, "WS_ERR_INVALID_OPCODE"),
        (frame(0x8b, b""), 1002, "WS_ERR_INVALID_OPCODE"),
        (frame(0x80, b"of nothing"), 1002, "WS_ERR_INVALID_OPCODE"),
        (within_message, 1002, "WS_ERR_INVALID_OPCODE"),
        (frame(0x09, b"begun"), 1002, "WS_ERR_EXPECTED_FIN"),
        (frame(0x89, &[0; 126]), 1002, "WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH"),
        (frame(0x8a, &[0; 126]), 1002, "WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH"),
        (frame(0x88, &[3]), 1002, "WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH"),
        (frame(0x88, &1004_u16.to_be_bytes()), 1002, "WS_ERR_INVALID_CLOSE_CODE"),
        (frame(0x88, &1005_u16.to_be_bytes()), 1002, "WS_ERR_INVALID_CLOSE_CODE"),
        (frame(0x88, &5000_u16.to_be_bytes()), 1002, "WS_ERR_INVALID_CLOSE_CODE"),
        (frame(0x88, b"\x03\xe8\xff"), 1007, "WS_ERR_INVALID_UTF8"),
        (frame(0x81, b"\xc3\x28"), 1007, "WS_ERR_INVALID_UTF8"),
        (frame(0x82, &[0; 1001]), 1009, "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH"),
    ] {
        let (mut client, mut peer, _listener) = connected(|options| options.max_payload = 1000).await;
        peer.send(0x81, "good").await;
        peer.write(&bytes).await;
        assert_eq!(client.message().await.1, "good");
        assert_eq!(peer.closed().await, Some(code), "{name}");
        assert_eq!(peer.rest().await.unwrap(), b"", "{name}: one Close frame");
        drop(peer);
        let end = client.over().await;
        let fault = end.fault.unwrap();
        assert_eq!((&*fault.code, end.closure.code, end.closure.was_clean), (name, 1006, false));
        assert_eq!(fault.kind, if code == 1009 { FaultKind::TooLarge } else { FaultKind::Protocol }, "{name}");
    }
}

#[tokio::test]
async fn every_code_that_a_server_may_close_with_is_told() {
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999] {
        let (mut client, mut peer, _listener) = connected(|_| {}).await;
        peer.close(code, "why").await;
        assert_eq!(peer.closed().await, Some(code));
        drop(peer);
        let loss = client.down().await;
        assert_eq!((loss.closure.code, loss.closure.reason.as_str()), (code, "why"));
        assert_eq!(loss.fault.code, format!("WS_{code}"));
    }
}

#[tokio::test]
async fn fragments_are_put_together_with_pings_between_them() {
    let (mut client, mut peer, _listener) = connected(|_| {}).await;
    // A character cut in two, an empty fragment, a ping within.
    let euro = "\u{20ac}".as_bytes();
    for piece in [frame(0x01, &euro[..1]), frame(0x00, b""), frame(0x89, b"p"), frame(0x80, &euro[1..])] {
        for byte in piece {
            peer.write([byte]).await;
        }
    }
    assert_eq!(client.message().await, (Kind::Text, "\u{20ac}".into()));
    let pong = peer.data_frame().await;
    assert_eq!((pong.opcode, pong.payload.as_slice()), (10, &b"p"[..]));
}

#[tokio::test]
async fn the_limit_is_on_the_message_and_not_on_its_fragments() {
    let (mut client, mut peer, _listener) = connected(|options| options.max_payload = 1000).await;
    peer.send(0x82, [1; 1000]).await;
    assert_eq!(client.message().await.1.len(), 1000);
    peer.write([frame(0x02, &[1; 600]), frame(0x80, &[1; 400])].concat()).await;
    assert_eq!(client.message().await.1.len(), 1000);
    peer.write([frame(0x02, &[1; 600]), frame(0x80, &[1; 401])].concat()).await;
    assert_eq!(peer.closed().await, Some(1009));
}

#[tokio::test]
async fn pings_and_pongs_are_told_and_sent() {
    let (mut client, mut peer, _listener) = connected(|_| {}).await;
    assert!(client.socket.ping("are you there".into()));
    let ping = peer.frame().await;
    assert_eq!((ping.opcode, ping.payload.as_slice()), (9, &b"are you there"[..]));
    peer.send(0x8a, "are you there").await;
    let pong = client.until(|event| if let Event::Pong(payload) = event { Some(payload) } else { None }).await;
    assert_eq!(pong, "are you there");
    assert!(client.socket.pong("unasked".into()));
    assert_eq!(peer.frame().await.opcode, 10);
    peer.send(0x89, "you?").await;
    let ping = client.until(|event| if let Event::Ping(payload) = event { Some(payload) } else { None }).await;
    assert_eq!(ping, "you?");
    assert_eq!(peer.frame().await.payload, b"you?");
}

/// A peer that pings and never reads: its pongs must not pile up.
#[tokio::test]
async fn a_flood_of_pings_comes_to_a_stop() {
    let (client, mut peer, _listener) = connected(|options| options.heartbeat = None).await;
    let pings = frame(0x89, &[0; 100]).repeat(1000);
    let stopped = async {
        let mut sent: usize = 0;
        loop {
            let wrote = tokio::time::timeout(
                std::time::Duration::from_millis(500),
                tokio::io::AsyncWriteExt::write_all(&mut peer.stream, &pings),
            );
            if wrote.await.is_err() {
                return sent;
            }
            sent += pings.len();
            assert!(sent < 100 << 20, "it takes pings without end");
        }
    };
    within(stopped).await;
    drop(client);
}
