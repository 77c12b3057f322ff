//! What must not be put together: other versions, other parts, other lengths.

use unreset::http::resume::Resume;
use unreset::policy::GaveUp;

use super::support::*;
use crate::support::*;

const LONG_AGO: &str = "last-modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

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
        let refusal = recovery.attempts[1].fault.as_ref().unwrap();
        assert_eq!((refusal.address.as_deref(), refusal.port), (Some("127.0.0.1"), Some(server.address.port())));
    }
}

#[tokio::test]
async fn what_a_part_leaves_out_is_not_guessed_where_nobody_knows_the_length() {
    const PACKED: &str = "etag: \"v1\"\r\ncontent-encoding: gzip\r\n";
    const DATED: &str = "last-modified: Sun, 06 Nov 1994 08:49:37 GMT\r\ndate: Sun, 06 Nov 1994 09:49:37 GMT\r\n";
    let content = content(1_000);
    for (first, further) in [(PACKED, TAG), (DATED, "")] {
        let all = content.clone();
        let server = chunks_break_and_then(&content.slice(..500), first, move |_| {
            message(part_head(499, 999, 1_000, further), &all[499..])
        })
        .await;
        let mut call = get(server.url("/"));
        call.decoding.decompress = false;
        let recovery = refused(call, &content).await;
        assert_eq!((told(&recovery), recovery.resumed), ("ECONNRESET ERR_RESUME_CHANGED".into(), 0));
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
