//! Compressed bodies over real connections, and what is asked for.

use http::Method;
use unreset::fault::{Fault, Kind};
use unreset::http::call::Call;
use unreset::http::decode::{Decoding, SizeLimit};
use unreset::http::transport::IncomingBody;
use unreset::policy::GaveUp;

use crate::support::*;

/// "hello " twenty times over, by Node's zlib.
const GZIP: &[u8] =
    &[31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 203, 72, 205, 201, 201, 87, 200, 160, 59, 9, 0, 47, 250, 248, 72, 120, 0, 0, 0];
const ZSTD_BOMB: &[u8] = &zstd_of_zeros::<{ 6 + 4 * 2000 }>();

/// A frame of 128 KiB of zeros for every four bytes (RFC 8878, section 3.1.1.2.2: a block that repeats one byte).
const fn zstd_of_zeros<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut frame = [0; LENGTH];
    let head = [0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3];
    let mut at = 0;
    while at < LENGTH {
        if at < head.len() {
            frame[at] = head[at];
            at += 1;
            continue;
        }
        let last = at + 4 == LENGTH;
        let block = (128 * 1024) << 3 | 1 << 1 | last as u32;
        [frame[at], frame[at + 1], frame[at + 2], frame[at + 3]] = block.to_le_bytes();
        at += 4;
    }
    frame
}

async fn answering(encoding: &'static str, body: &'static [u8]) -> Server {
    Server::start(move |mut peer| async move {
        while peer.request().await.is_some() {
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\ncontent-length: {}\r\n\r\n", body.len());
            peer.write([head.as_bytes(), body].concat()).await;
        }
    })
    .await
}

fn decoding(call: Call, decoding: Decoding) -> Call {
    Call { decoding, ..call }
}

#[tokio::test]
async fn a_compressed_body_arrives_plain_and_its_connection_is_used_again() {
    let server = answering("gzip", GZIP).await;
    let client = client();
    for _ in 0..2 {
        let mut answer = client.call(get(server.url("/"))).await.unwrap();
        assert_eq!(answer.headers()["content-encoding"], "gzip");
        assert_eq!(answer.headers()["content-length"], GZIP.len().to_string());
        assert_eq!(answer.body.remaining(), None);
        assert_eq!(read(&mut answer.body).await.unwrap(), "hello ".repeat(20));
    }
    let seen: Vec<_> = server.seen().iter().map(|seen| seen.connection).collect();
    assert_eq!(seen, [0, 0]);
}

#[tokio::test]
async fn each_hop_asks_for_itself() {
    let target = answering("gzip", GZIP).await;
    let location = format!("location: {}\r\n", target.url("/"));
    let server = Server::start(move |mut peer| {
        let location = location.clone();
        async move {
            peer.request().await;
            peer.respond_with("302 Found", &format!("content-encoding: gzip\r\n{location}"), "not gzip").await;
        }
    })
    .await;
    assert_eq!(text(client().call(get(server.url("/"))).await).await, "hello ".repeat(20));
    let own = get(server.url("/")).header("accept-encoding", "br");
    assert_eq!(text(client().call(own).await).await, "hello ".repeat(20));
    let asked = |server: &Server| -> Vec<_> {
        server.seen().iter().map(|seen| seen.header("accept-encoding").unwrap().to_owned()).collect()
    };
    assert_eq!(asked(&server), ["gzip, deflate", "br"]);
    assert_eq!(asked(&target), ["gzip, deflate", "br"]);
}

#[tokio::test]
async fn a_head_has_nothing_to_decode() {
    let server = Server::start(|mut peer| async move {
        peer.request().await;
        peer.write("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 29\r\n\r\n").await;
    })
    .await;
    assert_eq!(text(client().call(call(Method::HEAD, server.url("/"))).await).await, "");
}

#[tokio::test]
async fn a_connection_that_breaks_inside_a_compressed_body_is_what_it_is() {
    let server = Server::start(|mut peer| async move {
        peer.request().await;
        peer.write(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 29\r\n\r\n").await;
        peer.write(&GZIP[..20]).await;
    })
    .await;
    let fault = read(&mut client().call(get(server.url("/"))).await.unwrap().body).await.unwrap_err();
    assert_eq!((&*fault.code, fault.kind), ("ECONNRESET", Kind::Reset));
}

#[tokio::test]
async fn what_cannot_be_decoded_names_the_server_that_sent_it() {
    for (body, code) in [(b"plain".as_slice(), "Z_DATA_ERROR"), (&GZIP[..20], "Z_BUF_ERROR")] {
        let server = answering("gzip", body).await;
        let fault = read(&mut client().call(get(server.url("/"))).await.unwrap().body).await.unwrap_err();
        assert_eq!(fault.code, code);
        assert_from(&server, &fault);
    }
}

fn assert_from(server: &Server, fault: &Fault) {
    let from = (fault.address.as_deref(), fault.port);
    assert_eq!(from, (Some(&*server.address.ip().to_string()), Some(server.address.port())));
}

#[tokio::test]
async fn a_bomb_costs_no_more_than_its_limit() {
    let server = answering("zstd", ZSTD_BOMB).await;
    let size = SizeLimit::Bytes(1 << 20);
    let call = decoding(get(server.url("/")), Decoding { size, ..Decoding::default() });
    let mut body = client().call(call).await.unwrap().body;
    let mut read = 0;
    let fault = loop {
        match body.chunk().await {
            Ok(chunk) => read += chunk.expect("the limit, not an end").len(),
            Err(fault) => break fault,
        }
    };
    assert_eq!((&*fault.code, fault.kind), ("ERR_RESPONSE_TOO_LARGE", Kind::TooLarge));
    assert_from(&server, &fault);
    assert!(read > 0 && read <= 1 << 20, "{read}");
}

#[tokio::test]
async fn too_many_codings_fail_the_call() {
    let server = answering("gzip, gzip, gzip, gzip, gzip, gzip", GZIP).await;
    let (fault, reason, attempts) = gave_up(client().call(get(server.url("/"))).await);
    assert_eq!((&*fault.code, fault.kind), ("ERR_TOO_MANY_CONTENT_ENCODINGS", Kind::Protocol));
    assert_from(&server, &fault);
    assert_eq!((reason, attempts), (GaveUp::NotTransient, 1));
    let raw = decoding(get(server.url("/")), Decoding { decompress: false, ..Decoding::default() });
    let mut body = client().call(raw).await.unwrap().body;
    assert_eq!(body.chunk().await.unwrap().as_deref(), Some(GZIP));
    assert_eq!(server.seen().last().unwrap().header("accept-encoding"), None);
}
