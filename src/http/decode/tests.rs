//! Bodies of every coding, cut where it hurts, over a body that arrives as the test says.

use std::collections::VecDeque;
use std::future::Future;
use std::io::Write;
use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use ::http::header::CONTENT_ENCODING;
use ::http::{HeaderMap, HeaderValue, Method, StatusCode};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use super::*;
use crate::fault::{Fault, Kind};
use crate::http::transport::IncomingBody;

/// A text that compresses, but not to nothing.
fn squares() -> Vec<u8> {
    (0..2000_u32).map(|n| format!("{n}: {}\n", n * n % 9973)).collect::<String>().into_bytes()
}

/// [`squares`] by Node's zlib: nothing here makes brotli. Read and not included: the package has the sources only.
static SQUARES_BR: LazyLock<Vec<u8>> =
    LazyLock::new(|| std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/squares.br")).unwrap());

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn bare_deflate(plain: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zstd(plain: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(zstd_safe::compress_bound(plain.len()));
    zstd_safe::compress(&mut encoded, plain, 3).unwrap();
    encoded
}

/// A brotli stream that stores `plain`, of at most 64 KiB, as it is (RFC 7932, section 9.2).
fn stored_brotli(plain: &[u8]) -> Vec<u8> {
    // Window of 16 bits (one bit), not the last (one), length in four nibbles (two), the length less one, stored (one).
    let header = ((plain.len() as u32 - 1) << 4) | (1 << 20);
    [&header.to_le_bytes()[..3], plain, &[0b11]].concat()
}

/// Every coding of the same text.
fn encoded_squares() -> [(&'static str, Vec<u8>); 8] {
    let plain = squares();
    [
        ("gzip", gzip(&plain)),
        ("x-gzip", [gzip(&plain[..1000]), gzip(&[]), gzip(&plain[1000..])].concat()),
        ("deflate", zlib(&plain)),
        ("deflate", bare_deflate(&plain)),
        ("br", SQUARES_BR.to_vec()),
        ("zstd", [zstd(&plain[..1000]), zstd(&plain[1000..])].concat()),
        ("br, gzip", gzip(&SQUARES_BR)),
        ("deflate, zstd, gzip, deflate", bare_deflate(&gzip(&zstd(&zlib(&plain))))),
    ]
}

/// A body in pieces; between two of them nothing is there yet.
struct Pieces {
    pieces: VecDeque<Bytes>,
    end: Option<Fault>,
    arrived: bool,
    polls: usize,
}

impl Pieces {
    fn of(pieces: impl IntoIterator<Item = Bytes>) -> Self {
        Pieces { pieces: pieces.into_iter().collect(), end: None, arrived: false, polls: 0 }
    }
}

impl IncomingBody for Pieces {
    async fn chunk(&mut self) -> Result<Option<Bytes>, Fault> {
        std::future::poll_fn(|cx| self.poll_arrived(cx)).await
    }

    fn poll_arrived(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Fault>> {
        self.polls += 1;
        self.arrived = !self.arrived;
        if self.arrived {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        match (self.pieces.pop_front(), self.end.take()) {
            (Some(piece), end) => {
                self.end = end;
                Poll::Ready(Ok(Some(piece)))
            }
            (None, Some(fault)) => Poll::Ready(Err(fault)),
            (None, None) => Poll::Ready(Ok(None)),
        }
    }

    fn remaining(&self) -> Option<u64> {
        Some(self.pieces.iter().map(|piece| piece.len() as u64).sum())
    }
}

fn opened(encoding: &str, status: u16, body: Pieces, decoding: Decoding) -> Decoded<Pieces> {
    let headers: HeaderMap = [(CONTENT_ENCODING, HeaderValue::from_str(encoding).unwrap())].into_iter().collect();
    let status = StatusCode::from_u16(status).unwrap();
    Decoded::open(body, &Method::GET, status, &headers, decoding).unwrap()
}

fn body(encoding: &str, pieces: impl IntoIterator<Item = Bytes>) -> Decoded<Pieces> {
    opened(encoding, 200, Pieces::of(pieces), Decoding::default())
}

fn limited(encoding: &str, encoded: Vec<u8>, most: u64) -> Decoded<Pieces> {
    let decoding = Decoding { size: SizeLimit::Bytes(most), ..Decoding::default() };
    opened(encoding, 200, Pieces::of([encoded.into()]), decoding)
}

/// Reads by `chunk` to the end or the fault.
fn read(body: &mut Decoded<Pieces>) -> Result<Vec<u8>, Box<Fault>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut read = Vec::new();
        while let Some(chunk) = body.chunk().await? {
            assert!(!chunk.is_empty(), "an empty chunk is no news");
            read.extend_from_slice(&chunk);
        }
        Ok(read)
    })
}

fn decoded(encoding: &str, encoded: impl Into<Bytes>) -> Result<Vec<u8>, Box<Fault>> {
    read(&mut body(encoding, [encoded.into()]))
}

fn code(outcome: Result<Vec<u8>, Box<Fault>>) -> String {
    outcome.expect_err("a fault").code.into_owned()
}

/// Reads by `poll_arrived` alone.
fn polled(body: &mut Decoded<Pieces>) -> Vec<u8> {
    let mut read = Vec::new();
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        match body.poll_arrived(&mut cx) {
            Poll::Ready(Ok(Some(chunk))) => read.extend_from_slice(&chunk),
            Poll::Ready(Ok(None)) => return read,
            Poll::Ready(Err(fault)) => panic!("{fault:?}"),
            Poll::Pending => {}
        }
    }
}

#[test]
fn every_coding_gives_the_text_back() {
    for (encoding, encoded) in encoded_squares() {
        assert!(decoded(encoding, encoded.clone()).unwrap() == squares(), "{encoding}");
        assert!(polled(&mut body(encoding, [encoded.into()])) == squares(), "{encoding}");
    }
    assert_eq!(decoded("br", stored_brotli(b"stored")).unwrap(), b"stored");
}

#[test]
fn byte_by_byte_is_the_same() {
    for (encoding, encoded) in encoded_squares() {
        let bytes = encoded.chunks(1).map(Bytes::copy_from_slice);
        assert!(read(&mut body(encoding, bytes)).unwrap() == squares(), "{encoding}");
    }
}

#[test]
fn a_body_that_ends_early_never_ends_well() {
    for (encoding, encoded) in encoded_squares() {
        let frames = encoding == "x-gzip" || encoding == "zstd";
        for kept in (1..encoded.len()).filter(|kept| kept % 97 == 1 || kept + 12 > encoded.len()) {
            let outcome = decoded(encoding, encoded[..kept].to_vec());
            // Between two members or frames, what is missing cannot be known.
            if frames && outcome.as_ref().is_ok_and(|read| read.len() == 1000) {
                continue;
            }
            let fault = outcome.expect_err(encoding);
            assert_eq!(
                (&*fault.code, fault.kind, fault.transient),
                ("Z_BUF_ERROR", Kind::Protocol, true),
                "{encoding}"
            );
        }
    }
}

#[test]
fn a_part_that_was_asked_for_may_end_anywhere() {
    let encoded = gzip(&squares());
    let half = Bytes::from(encoded).slice(..2000);
    let plain = read(&mut opened("gzip", 206, Pieces::of([half]), Decoding::default())).unwrap();
    assert!(plain.len() > 1000 && squares().starts_with(&plain));
    let garbage = Bytes::from_static(b"from the middle");
    assert_eq!(code(read(&mut opened("gzip", 206, Pieces::of([garbage]), Decoding::default()))), "Z_DATA_ERROR");
}

#[test]
fn damage_is_found_and_named() {
    let damaged = |plain: &[u8], at: usize| {
        let mut encoded = gzip(plain);
        let at = encoded.len() - at;
        encoded[at] ^= 1;
        encoded
    };
    let cases = [
        ("gzip", b"no gzip".to_vec(), "gzip: incorrect header check"),
        ("gzip", damaged(b"checksum", 8), "gzip: incorrect data check"),
        ("gzip", damaged(b"length", 4), "gzip: incorrect length check"),
        ("gzip", [gzip(b"a"), b"garbage".to_vec()].concat(), "gzip: incorrect header check"),
        ("deflate", vec![0x78, 0x9c, 0xff, 0xff, 0, 1], "deflate: invalid block type"),
        ("br", b"hello this is not br".to_vec(), "br: BROTLI_DECODER_ERROR_FORMAT_"),
        ("zstd", b"no zstd".to_vec(), "zstd: Unknown frame descriptor"),
        ("zstd", [zstd(b"a"), b"garbage".to_vec()].concat(), "zstd: Unknown frame descriptor"),
        // A window of 16 MiB.
        ("zstd", vec![0x28, 0xb5, 0x2f, 0xfd, 0, 14 << 3, 1, 0, 0], "zstd: Frame requires too much memory"),
        ("gzip, deflate", zlib(b"no gzip"), "gzip: incorrect header check"),
    ];
    for (encoding, encoded, detail) in cases {
        let fault = decoded(encoding, encoded).expect_err(detail);
        assert_eq!((&*fault.code, fault.kind, fault.transient), ("Z_DATA_ERROR", Kind::Protocol, false), "{detail}");
        assert!(fault.detail.as_deref().unwrap().starts_with(detail), "{detail}: {:?}", fault.detail);
    }
}

#[test]
fn what_the_built_in_fetch_ignores_behind_the_end_is_ignored() {
    for (encoding, mut encoded) in [
        ("deflate", zlib(b"text")),
        ("deflate", bare_deflate(b"text")),
        ("br", stored_brotli(b"text")),
        ("gzip", [gzip(b"text"), vec![0; 3], gzip(b"never seen")].concat()),
    ] {
        encoded.extend_from_slice(b"garbage");
        assert_eq!(decoded(encoding, encoded.clone()).unwrap(), b"text", "{encoding}");
        let bytes = encoded.chunks(1).map(Bytes::copy_from_slice);
        assert_eq!(read(&mut body(encoding, bytes)).unwrap(), b"text", "{encoding}");
    }
}

/// The end may lie in bits that were read with the last of the text, and then no byte is left to tell of it.
#[test]
fn a_text_that_just_fills_a_piece_ends_as_any_other() {
    for size in (4_090..4_100).chain(chain::PIECE - 3..chain::PIECE + 3) {
        let plain = vec![b'a'; size];
        for (encoding, encoded) in in_all_codings(&plain) {
            assert!(decoded(encoding, encoded) == Ok(plain.clone()), "{encoding} {size}");
        }
        for encoded in [zlib(&plain), bare_deflate(&plain)] {
            assert!(decoded("deflate", [encoded, b"garbage".to_vec()].concat()) == Ok(plain.clone()), "{size}");
        }
    }
}

#[test]
fn no_bytes_at_all_decode_to_none() {
    for encoding in ["gzip", "deflate", "br", "zstd", "gzip, br"] {
        assert_eq!(decoded(encoding, Bytes::new()).unwrap(), b"", "{encoding}");
    }
    // But a packed nothing is unpacked, and must be whole.
    assert_eq!(decoded("gzip", gzip(b"")).unwrap(), b"");
    assert_eq!(code(decoded("br, gzip", gzip(&[0b1]))), "Z_BUF_ERROR");
}

#[test]
fn a_fault_of_the_transfer_is_told_as_it_is_and_again() {
    let broken = Fault::of_code("ECONNRESET");
    for encoding in ["gzip", "identity"] {
        let encoded = Bytes::from(gzip(&squares())).slice(..1000);
        let mut body =
            opened(encoding, 200, Pieces { end: Some(broken.clone()), ..Pieces::of([encoded]) }, Decoding::default());
        assert_eq!(*read(&mut body).unwrap_err(), broken);
        if encoding == "gzip" {
            assert_eq!(*read(&mut body).unwrap_err(), broken, "it must not look like an end the next time");
        }
    }
}

#[test]
fn not_decompressed_it_stays_as_it_came() {
    let encoded = gzip(b"text");
    let decoding = Decoding { decompress: false, ..Decoding::default() };
    let mut body = opened("gzip", 200, Pieces::of([encoded.clone().into()]), decoding);
    assert_eq!((body.remaining(), body.whole_limit()), (Some(encoded.len() as u64), None));
    assert_eq!(read(&mut body).unwrap(), encoded);
}

#[test]
fn the_limit_is_on_what_the_caller_gets() {
    let plain = squares();
    let size = plain.len() as u64;
    for (encoding, encoded) in encoded_squares().into_iter().chain([("identity", plain.clone())]) {
        assert!(read(&mut limited(encoding, encoded.clone(), size)).unwrap() == plain, "{encoding}");
        let mut body = limited(encoding, encoded, size - 1);
        let fault = read(&mut body).expect_err(encoding);
        assert_eq!((&*fault.code, fault.kind), ("ERR_RESPONSE_TOO_LARGE", Kind::TooLarge), "{encoding}");
        assert!(fault.reason.contains(&format!("{} bytes", size - 1)), "{}", fault.reason);
        assert_eq!(read(&mut body).unwrap_err(), fault, "it must not look like an end the next time");
    }
}

#[test]
fn a_plain_body_that_says_it_is_too_large_is_not_read() {
    let mut body = limited("identity", squares(), 10);
    assert_eq!(code(read(&mut body)), "ERR_RESPONSE_TOO_LARGE");
    assert_eq!(body.encoded.polls, 0);
}

#[test]
fn only_a_compressed_body_has_a_usual_limit() {
    let whole =
        |encoding, size| opened(encoding, 200, Pieces::of([]), Decoding { size, ..Decoding::default() }).whole_limit();
    assert_eq!(whole("gzip", SizeLimit::Usual), Some(WHOLE));
    assert_eq!(whole("gzip", SizeLimit::None), None);
    assert_eq!(whole("gzip", SizeLimit::Bytes(1)), None);
    assert_eq!(whole("identity", SizeLimit::Usual), None);
}

/// 1 GiB of zeros, packed three times over into a few kibibytes.
fn bomb() -> Vec<u8> {
    let mut inner = GzEncoder::new(Vec::new(), Compression::default());
    let zeros = vec![0; 1024 * 1024];
    for _ in 0..64 {
        inner.write_all(&zeros).unwrap();
    }
    let member = inner.finish().unwrap();
    gzip(&gzip(&member.repeat(16)))
}

#[test]
fn a_bomb_ends_at_the_limit() {
    let bomb = bomb();
    assert!(bomb.len() < 4096, "{}", bomb.len());
    let mut body = limited("gzip, gzip, gzip", bomb, 10_000_000);
    assert_eq!(code(read(&mut body)), "ERR_RESPONSE_TOO_LARGE");
}

/// The bound is time on a network thread; its measure here is what comes of one poll after the other.
#[test]
fn others_get_their_turn_while_a_bomb_goes_off() {
    let mut body = body("gzip, gzip, gzip", [bomb().into()]);
    let mut cx = Context::from_waker(Waker::noop());
    let (mut in_a_row, mut longest, mut total) = (0, 0, 0);
    while total < 32 << 20 {
        match body.poll_arrived(&mut cx) {
            Poll::Ready(Ok(Some(chunk))) => {
                in_a_row += chunk.len();
                total += chunk.len();
            }
            Poll::Ready(other) => panic!("{other:?}"),
            Poll::Pending => in_a_row = 0,
        }
        longest = longest.max(in_a_row);
    }
    assert!(longest <= 256 * 1024 + chain::PIECE, "{longest}");
}

/// Members of nothing: work without a result must not keep others waiting either.
#[test]
fn others_get_their_turn_while_nothing_comes_of_it() {
    let mut body = body("gzip", [gzip(b"").repeat(50_000).into(), Bytes::from(gzip(b"at last"))]);
    let mut cx = Context::from_waker(Waker::noop());
    let mut turns = 0;
    loop {
        match body.poll_arrived(&mut cx) {
            Poll::Pending => turns += 1,
            Poll::Ready(read) => break assert_eq!(read.unwrap().unwrap(), "at last"),
        }
    }
    assert!(turns > 50, "{turns}");
}

#[test]
fn a_dropped_read_loses_nothing() {
    let encoded = gzip(&squares());
    let mut body = body("gzip", encoded.chunks(7).map(Bytes::copy_from_slice));
    let mut cx = Context::from_waker(Waker::noop());
    let mut read = Vec::new();
    loop {
        // Every second poll of the script is in vain: the future is then dropped.
        if let Poll::Ready(chunk) = pin!(body.chunk()).poll(&mut cx) {
            match chunk.unwrap() {
                Some(chunk) => read.extend_from_slice(&chunk),
                None => break,
            }
        }
    }
    assert!(read == squares());
}

fn in_all_codings(plain: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("gzip", gzip(plain)),
        ("deflate", zlib(plain)),
        ("deflate", bare_deflate(plain)),
        ("zstd", zstd(plain)),
        ("gzip, zstd", zstd(&gzip(plain))),
        ("zstd, deflate, gzip", gzip(&zlib(&zstd(plain)))),
    ]
}

mod gzip_members;
mod properties;
