//! Bodies that break: what goes on, and what must not.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use unreset::fault::{Delivery, Fault, Phase};
use unreset::http::call::{Call, Recovery};
use unreset::http::hooks::{Failed, HookFailed, HookFuture, Hooks};
use unreset::http::resume::{RecoveringBody, Resume};
use unreset::http::transport::{IncomingBody, Limits};
use unreset::policy::GaveUp;

use crate::support::*;

const TAG: &str = "etag: \"v1\"\r\n";
const LONG_AGO: &str = "last-modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

/// Bytes of which no two parts are alike.
fn content(length: usize) -> Bytes {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}

#[derive(Clone, Copy)]
enum End {
    Reset,
    Fin,
    Stall,
}

impl End {
    async fn of(self, mut peer: Peer) {
        match self {
            End::Reset => peer.reset(),
            End::Fin => drop(peer),
            End::Stall => peer.until_closed().await,
        }
    }
}

/// A server that honours ranges, and sends `piece` bytes on each connection before it ends it.
async fn breaks_every(piece: usize, content: &Bytes, headers: &'static str, end: End) -> Server {
    let content = content.clone();
    Server::start(move |mut peer| {
        let content = content.clone();
        async move {
            let Some(seen) = peer.request().await else { return };
            let from = offset(&seen);
            let to = content.len().min(from + piece);
            peer.write(head(&seen, content.len(), headers)).await;
            peer.write(&content[from..to]).await;
            if to < content.len() {
                end.of(peer).await;
            } else {
                peer.until_closed().await;
            }
        }
    })
    .await
}

/// Sends half of `content` with `headers`, resets, and answers every further request with `then`.
async fn breaks_and_then<F>(content: &Bytes, headers: &'static str, then: F) -> Server
where
    F: Fn(&Seen) -> Vec<u8> + Send + Sync + 'static,
{
    let (content, then) = (content.clone(), Arc::new(then));
    Server::start(move |mut peer| {
        let (content, then) = (content.clone(), Arc::clone(&then));
        async move {
            if peer.number > 0 {
                while let Some(seen) = peer.request().await {
                    peer.write(then(&seen)).await;
                }
                return;
            }
            let Some(seen) = peer.request().await else { return };
            peer.write(head(&seen, content.len(), headers)).await;
            peer.write(&content[..content.len() / 2]).await;
            peer.reset();
        }
    })
    .await
}

/// The offset that a request asks for.
fn offset(seen: &Seen) -> usize {
    let range = seen.header("range").map(|range| range.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap());
    range.map_or(0, |offset| offset.parse().unwrap())
}

fn head(seen: &Seen, length: usize, headers: &str) -> String {
    match seen.header("range") {
        None => format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n{headers}\r\n"),
        Some(_) => part_head(offset(seen), length - 1, length, headers),
    }
}

fn part_head(first: usize, last: usize, length: usize, headers: &str) -> String {
    let rest = last + 1 - first;
    format!(
        "HTTP/1.1 206 Partial Content\r\ncontent-length: {rest}\r\n\
         content-range: bytes {first}-{last}/{length}\r\n{headers}\r\n"
    )
}

fn message(head: impl Into<String>, body: &[u8]) -> Vec<u8> {
    [head.into().as_bytes(), body].concat()
}

/// Everything of a body, how it ended, and what it took.
async fn collected(outcome: Outcome) -> (Vec<u8>, Result<(), Fault>, Recovery) {
    let answer = outcome.expect("an answer");
    let mut body = answer.body;
    let mut read = Vec::new();
    let end = loop {
        match body.chunk().await {
            Ok(Some(bytes)) => read.extend_from_slice(&bytes),
            Ok(None) => break Ok(()),
            Err(fault) => break Err(fault),
        }
    };
    let recovery = body.news().or(answer.recovery).unwrap_or_default();
    (read, end, recovery)
}

/// The codes of the attempts, `-` for one that is not known to have failed.
fn told(recovery: &Recovery) -> String {
    let code = |fault: &Option<Fault>| fault.as_ref().map_or("-".to_owned(), |fault| fault.code.to_string());
    recovery.attempts.iter().map(|attempt| code(&attempt.fault)).collect::<Vec<_>>().join(" ")
}

fn resume(call: Call, resume: Resume) -> Call {
    Call { resume, ..call }
}

/// A break that stays one: the part that came is right, the fault is that of the break.
async fn refused(call: Call, content: &Bytes) -> Recovery {
    let (read, end, recovery) = collected(client().call(call).await).await;
    let fault = end.expect_err("the body must not end well");
    assert_eq!((&*fault.code, fault.phase, fault.delivery), ("ECONNRESET", Phase::Receive, Delivery::Answered));
    assert_eq!(read, content[..content.len() / 2], "no more, and nothing else, than what came before the break");
    recovery
}

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
async fn attempts_count_anew_as_long_as_bytes_progress() {
    let content = content(3_000_000);
    let server = breaks_every(70_000, &content, TAG, End::Reset).await;
    let (read, ended, recovery) = collected(client().call(get(server.url("/")).retries(1)).await).await;
    assert_eq!((ended, read == content), (Ok(()), true));
    assert_eq!((recovery.resumed, recovery.bytes_refetched, recovery.gave_up), (42, 0, None));
}

#[tokio::test]
async fn what_is_told_of_a_body_that_breaks_for_ever_does_not_grow_for_ever() {
    let content = content(150_000);
    let server = breaks_every(1_000, &content, TAG, End::Fin).await;
    let (read, _, recovery) = collected(client().call(get(server.url("/"))).await).await;
    assert!(read == content);
    assert_eq!((recovery.resumed, recovery.attempts.len()), (149, 100));
}

#[tokio::test]
async fn attempts_without_progress_run_out() {
    let content = content(1_000);
    // Every further connection brings the head and not one byte.
    let server = breaks_and_then(&content, TAG, |seen| head(seen, 1_000, TAG).into_bytes()).await;
    let call = get(server.url("/")).retries(2);
    let limits = Limits { body: Some(Duration::from_millis(50)), ..call.limits };
    let recovery = refused_with(Call { limits, ..call }, &content, "ETIMEDOUT").await;
    assert_eq!(recovery.gave_up, Some(GaveUp::AttemptsExhausted));
    assert_eq!((told(&recovery), server.seen().len()), ("ECONNRESET ETIMEDOUT ETIMEDOUT".into(), 3));
}

async fn refused_with(call: Call, content: &Bytes, code: &str) -> Recovery {
    let (read, end, recovery) = collected(client().call(call).await).await;
    assert_eq!(end.expect_err("the body must not end well").code, code);
    assert_eq!(read, content[..content.len() / 2]);
    recovery
}

#[tokio::test]
async fn an_old_date_identifies_a_body_and_a_recent_one_does_not() {
    const OLD: &str = "last-modified: Sun, 06 Nov 1994 08:49:37 GMT\r\ndate: Sun, 06 Nov 1994 09:49:37 GMT\r\n";
    const RECENT: &str = "last-modified: Sun, 06 Nov 1994 08:49:37 GMT\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    let content = content(1_000);
    let server = breaks_every(500, &content, OLD, End::Reset).await;
    let (read, ended, _) = collected(client().call(get(server.url("/"))).await).await;
    assert_eq!((read == content, ended), (true, Ok(())));
    assert_eq!(server.seen()[1].header("if-range"), Some("Sun, 06 Nov 1994 08:49:37 GMT"));

    let server = breaks_every(500, &content, RECENT, End::Reset).await;
    let recovery = refused(get(server.url("/")), &content).await;
    assert_eq!((recovery.gave_up, server.seen().len()), (Some(GaveUp::NotResumable), 1));
}

#[tokio::test]
async fn without_a_strong_validator_only_trust_goes_on() {
    let content = content(1_000);
    for headers in ["", "etag: W/\"v1\"\r\n", LONG_AGO] {
        let server = breaks_every(500, &content, headers, End::Reset).await;
        let recovery = refused(get(server.url("/")), &content).await;
        assert_eq!((recovery.gave_up, told(&recovery)), (Some(GaveUp::NotResumable), "ECONNRESET".into()));
        assert_eq!(server.seen().len(), 1);

        let server = breaks_every(500, &content, headers, End::Reset).await;
        let call = resume(get(server.url("/")), Resume::Trusting);
        let (read, ended, recovery) = collected(client().call(call).await).await;
        assert_eq!((read == content, ended, recovery.resumed), (true, Ok(()), 1), "{headers}");
        assert_eq!(server.seen()[1].header("if-range"), None, "a weak validator must not stand there");
    }
}

#[tokio::test]
async fn trust_does_not_go_against_what_the_server_says() {
    const WEAK: &str = "etag: W/\"v1\"\r\n";
    let content = content(1_000);
    let rest = content.slice(500..);
    for answer in [
        part_head(500, 999, 1_000, "etag: W/\"v2\"\r\n"),
        part_head(500, 999, 1_000, "etag: W/\"v1\"\r\ncontent-encoding: gzip\r\n"),
        part_head(500, 999, 1_001, WEAK),
        part_head(499, 998, 1_000, WEAK),
        format!("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n{WEAK}\r\n"),
    ] {
        let rest = rest.clone();
        let server = breaks_and_then(&content, WEAK, move |_| message(answer.clone(), &rest)).await;
        let recovery = refused(resume(get(server.url("/")), Resume::Trusting), &content).await;
        assert_eq!((recovery.gave_up, recovery.resumed), (Some(GaveUp::NotResumable), 0));
        assert_eq!(server.seen().len(), 2);
    }
}

#[tokio::test]
async fn another_version_is_never_spliced_on() {
    let content = content(1_000);
    let other = vec![b'x'; 1_000];
    let whole = |headers: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n{headers}\r\n");
    let rest = &other[500..];
    for (answer, code) in [
        // It was changed, so `If-Range` made the server send all of it.
        (message(whole("etag: \"v2\"\r\n"), &other), "ERR_RESUME_CHANGED"),
        (message(whole(""), &other), "ERR_RESUME_CHANGED"),
        (message(whole("etag: W/\"v1\"\r\n"), &other), "ERR_RESUME_CHANGED"),
        (message(whole("etag: \"v1\"\r\ncontent-encoding: gzip\r\n"), &other), "ERR_RESUME_CHANGED"),
        (message("HTTP/1.1 200 OK\r\ncontent-length: 999\r\netag: \"v1\"\r\n\r\n", &other[1..]), "ERR_RESUME_CHANGED"),
        // It was changed, and the server does not know `If-Range`.
        (message(part_head(500, 999, 1_000, "etag: \"v2\"\r\n"), rest), "ERR_RESUME_CHANGED"),
        (message(part_head(500, 999, 1_000, ""), rest), "ERR_RESUME_CHANGED"),
        (message(part_head(500, 999, 1_000, "etag: \"v1\"\r\ncontent-encoding: br\r\n"), rest), "ERR_RESUME_CHANGED"),
        (message(part_head(500, 999, 1_001, TAG), rest), "ERR_RESUME_CHANGED"),
        // It is the same, and not the part that was asked for.
        (message(part_head(499, 998, 1_000, TAG), rest), "ERR_RESUME_RANGE"),
        (message(part_head(501, 999, 1_000, TAG), &rest[1..]), "ERR_RESUME_RANGE"),
        (message(part_head(500, 998, 1_000, TAG).replace("length: 499", "length: 500"), rest), "ERR_RESUME_RANGE"),
        (
            message(format!("HTTP/1.1 206 Partial Content\r\ncontent-length: 500\r\n{TAG}\r\n"), rest),
            "ERR_RESUME_RANGE",
        ),
        (
            message(
                format!("HTTP/1.1 206 Partial Content\r\ncontent-length: 500\r\ncontent-range: 500-999\r\n{TAG}\r\n"),
                rest,
            ),
            "ERR_RESUME_RANGE",
        ),
        (message("HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: /\r\n\r\n", b""), "ERR_RESUME_RANGE"),
        (message("HTTP/1.1 204 No Content\r\n\r\n", b""), "ERR_RESUME_RANGE"),
    ] {
        let shown = String::from_utf8_lossy(&answer[..answer.len().min(120)]).into_owned();
        let server = breaks_and_then(&content, TAG, move |_| answer.clone()).await;
        let recovery = refused(get(server.url("/")), &content).await;
        assert_eq!(
            (told(&recovery), recovery.gave_up),
            (format!("ECONNRESET {code}"), Some(GaveUp::NotResumable)),
            "{shown}"
        );
        assert_eq!((recovery.resumed, server.seen().len()), (0, 2), "{shown}");
    }
}

#[tokio::test]
async fn a_file_that_shrank_or_went_away_is_the_break_that_it_was() {
    let content = content(1_000);
    for status in ["416 Range Not Satisfiable", "404 Not Found", "412 Precondition Failed"] {
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\ncontent-range: bytes */100\r\n\r\n");
        let server = breaks_and_then(&content, TAG, move |_| answer.clone().into_bytes()).await;
        let recovery = refused(get(server.url("/")), &content).await;
        let code = format!("ECONNRESET HTTP_{}", &status[..3]);
        assert_eq!((told(&recovery), recovery.gave_up), (code, Some(GaveUp::NotTransient)));
    }
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
async fn a_part_that_is_longer_than_it_says_is_not_passed_on() {
    let content = content(1_000);
    let server = breaks_and_then(&content, TAG, |_| {
        let head =
            "HTTP/1.1 206 Partial Content\r\ntransfer-encoding: chunked\r\ncontent-range: bytes 500-999/1000\r\n";
        message(format!("{head}{TAG}\r\n"), format!("258\r\n{}\r\n0\r\n\r\n", "x".repeat(600)).as_bytes())
    })
    .await;
    let recovery = refused_with(get(server.url("/")), &content, "ERR_RESUME_RANGE").await;
    assert_eq!(recovery.gave_up, Some(GaveUp::NotTransient));
}

#[tokio::test]
async fn what_the_caller_asked_a_part_of_does_not_go_on() {
    let content = content(1_000);
    let all = content.clone();
    let server = Server::start(move |mut peer| {
        let all = all.clone();
        async move {
            peer.request().await;
            peer.write(part_head(0, 999, 2_000, TAG)).await;
            peer.write(&all[..500]).await;
            peer.reset();
        }
    })
    .await;
    let recovery = refused(get(server.url("/")).header("range", "bytes=0-999"), &content).await;
    assert_eq!((recovery.gave_up, server.seen().len()), (Some(GaveUp::NotResumable), 1));
}

#[tokio::test]
async fn only_the_body_of_a_get_goes_on() {
    let content = content(1_000);
    for method in [Method::POST, Method::PUT] {
        let server = breaks_every(500, &content, TAG, End::Reset).await;
        let recovery = refused(call(method, server.url("/")), &content).await;
        assert_eq!((recovery.gave_up, server.seen().len()), (Some(GaveUp::NotResumable), 1));
    }
}

#[tokio::test]
async fn who_wants_no_retries_or_no_resuming_gets_the_break() {
    let content = content(1_000);
    let server = breaks_every(500, &content, TAG, End::Reset).await;
    let recovery = refused(get(server.url("/")).retries(0), &content).await;
    assert_eq!(recovery.gave_up, Some(GaveUp::AttemptsExhausted));
    let recovery = refused(resume(get(server.url("/")), Resume::Never), &content).await;
    assert_eq!(recovery.gave_up, Some(GaveUp::NotResumable));
    assert_eq!(server.seen().len(), 2);
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

/// As [`collected`], for a consumer that acts on nothing before it has everything.
async fn buffered(outcome: Outcome) -> (Vec<u8>, Result<(), Fault>, Recovery) {
    let mut body = outcome.expect("an answer").body;
    let mut read = Vec::new();
    let end = loop {
        match body.chunk().await {
            Ok(Some(bytes)) => read.extend_from_slice(&bytes),
            Ok(None) => break Ok(()),
            Err(_) if body.start_over() => read.clear(),
            Err(fault) => break Err(fault),
        }
    };
    (read, end, body.news().unwrap_or_default())
}

#[tokio::test]
async fn what_nobody_has_seen_may_begin_anew() {
    const ANY: &str = "content-type: application/json\r\n";
    let content = content(1_000);
    let other = Bytes::from(vec![b'x'; 1_000]);
    for method in [Method::GET, Method::PUT] {
        let answer = message(format!("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n{ANY}\r\n"), &other);
        let server = breaks_and_then(&content, ANY, move |_| answer.clone()).await;
        let call = Call { body: post("", "asked").body, ..call(method, server.url("/")) };
        let (read, ended, recovery) = buffered(client().call(call).await).await;
        assert_eq!((read == other, ended), (true, Ok(())), "all of the second body, nothing of the first");
        assert_eq!((told(&recovery), recovery.resumed, recovery.bytes_refetched), ("ECONNRESET -".into(), 1, 500));
        let seen = server.seen();
        assert_eq!((seen[1].header("range"), &seen[1].body, &seen[1].line), (None, &seen[0].body, &seen[0].line));
    }
}

#[tokio::test]
async fn a_body_that_begins_anew_is_described_as_before() {
    let content = content(1_000);
    const ANY: &str = "content-type: application/json\r\netag: W/\"v1\"\r\n";
    for answer in [
        format!("HTTP/1.1 200 OK\r\ncontent-length: 999\r\n{ANY}\r\n"),
        format!("HTTP/1.1 201 Created\r\ncontent-length: 1000\r\n{ANY}\r\n"),
        "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\ncontent-type: text/html\r\netag: W/\"v1\"\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\ncontent-type: application/json\r\netag: W/\"v2\"\r\n\r\n"
            .to_owned(),
    ] {
        let body = content.clone();
        let server = breaks_and_then(&content, ANY, move |_| message(answer.clone(), &body)).await;
        let (_, ended, recovery) = buffered(client().call(get(server.url("/"))).await).await;
        assert_eq!(ended.expect_err("another body").code, "ECONNRESET");
        assert_eq!((recovery.gave_up, server.seen().len()), (Some(GaveUp::NotResumable), 2));
    }
}

#[tokio::test]
async fn only_what_may_be_repeated_begins_anew() {
    let content = content(1_000);
    let server = breaks_every(500, &content, "", End::Reset).await;
    for (call, reason) in [
        (post(server.url("/"), "charge"), GaveUp::NotIdempotent),
        (call(Method::PUT, server.url("/")).source(Source::of(&["read once"])), GaveUp::NotResumable),
        (get(server.url("/")).retries(0), GaveUp::AttemptsExhausted),
        (resume(get(server.url("/")), Resume::Never), GaveUp::NotResumable),
    ] {
        let (_, ended, recovery) = buffered(client().call(call).await).await;
        assert_eq!((ended.expect_err("no second attempt").code, recovery.gave_up), ("ECONNRESET".into(), Some(reason)));
    }
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn who_trusts_and_has_seen_nothing_begins_anew_where_there_are_no_ranges() {
    let content = content(1_000);
    let all = content.clone();
    let server =
        breaks_and_then(&content, "", move |_| message("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n", &all)).await;
    let (read, ended, recovery) = buffered(client().call(resume(get(server.url("/")), Resume::Trusting)).await).await;
    assert_eq!((read == content, ended), (true, Ok(())));
    assert_eq!((told(&recovery), recovery.resumed), ("ECONNRESET ERR_RESUME_RANGE -".into(), 1));
}

/// Notes what it is told; answers with `verdict`, or fails.
struct Noting {
    told: Mutex<Vec<String>>,
    verdict: Result<Option<bool>, HookFailed>,
}

impl Hooks for Noting {
    fn should_retry<'a>(&'a self, failed: Failed<'a>) -> HookFuture<'a, Option<bool>> {
        let Failed { fault, attempt, .. } = failed;
        self.told.lock().unwrap().push(format!("should {} {} {attempt}", fault.code, fault.phase.as_str()));
        Box::pin(async { self.verdict })
    }

    fn on_retry<'a>(&'a self, failed: Failed<'a>, _: Duration) -> HookFuture<'a, ()> {
        self.told.lock().unwrap().push(format!("on {} {}", failed.fault.code, failed.attempt));
        Box::pin(async { Ok(()) })
    }
}

async fn hooked(
    content: &Bytes,
    verdict: Result<Option<bool>, HookFailed>,
) -> (Option<Fault>, bool, Recovery, Vec<String>) {
    let server = breaks_every(500, content, TAG, End::Reset).await;
    let hooks = Arc::new(Noting { told: Mutex::default(), verdict });
    let call = Call { hooks: Some(hooks.clone()), ..get(server.url("/")) };
    let mut body = client().call(call).await.expect("an answer").body;
    let fault = read_all(&mut body).await.err();
    let told = hooks.told.lock().unwrap().clone();
    (fault, body.hook_failed(), body.news().unwrap(), told)
}

async fn read_all(body: &mut TestBody) -> Result<(), Fault> {
    while body.chunk().await?.is_some() {}
    Ok(())
}

#[tokio::test]
async fn hooks_are_asked_about_a_body_as_about_any_attempt() {
    let content = content(1_000);
    let (fault, failed, recovery, told) = hooked(&content, Ok(None)).await;
    assert_eq!((fault, failed, recovery.resumed), (None, false, 1));
    assert_eq!(told, ["should ECONNRESET receive 1", "on ECONNRESET 1"]);

    let (fault, failed, recovery, told) = hooked(&content, Ok(Some(false))).await;
    assert_eq!((fault.unwrap().code.as_ref(), failed, told.len()), ("ECONNRESET", false, 1));
    assert_eq!(recovery.gave_up, Some(GaveUp::NotTransient));

    let (fault, failed, ..) = hooked(&content, Err(HookFailed)).await;
    assert!(fault.is_some() && failed);
}

#[tokio::test]
async fn nothing_is_resumed_when_the_call_has_had_its_time() {
    let content = content(1_000);
    let server = breaks_every(500, &content, TAG, End::Stall).await;
    let call = get(server.url("/"));
    let limits = Limits { body: Some(Duration::from_millis(100)), ..call.limits };
    let call = Call { limits, total: Some(Duration::from_millis(50)), ..call };
    let recovery = refused_with(call, &content, "ETIMEDOUT").await;
    assert_eq!((recovery.gave_up, server.seen().len()), (Some(GaveUp::OutOfTime), 1));
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
