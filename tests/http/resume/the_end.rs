//! Where a body ends: not before its last byte, not behind it, and known also when only the end was lost.

use std::sync::{Arc, Mutex};

use unreset::http::call::Call;
use unreset::http::resume::Resume;
use unreset::policy::GaveUp;

use super::hooks::Noting;
use super::support::*;
use crate::support::*;

/// All bytes have come, and the chunk that ends them has not. To ask for what is behind them would bring a 416, which
/// says nothing of the version; the last one once more brings a 206.
#[tokio::test]
async fn a_body_of_which_only_the_end_was_lost_is_complete() {
    let content = content(1_000);
    let all = content.clone();
    let server = chunks_break_and_then(&content, TAG, move |seen| {
        if offset(seen) == 1_000 {
            return b"HTTP/1.1 416 Range Not Satisfiable\r\ncontent-length: 0\r\ncontent-range: bytes */1000\r\n\r\n"
                .to_vec();
        }
        message(head(seen, 1_000, TAG), &all[offset(seen)..])
    })
    .await;
    let (read, ended, recovery) = collected(client().call(get(server.url("/"))).await).await;
    assert_eq!((read == content, ended), (true, Ok(())));
    assert_eq!((recovery.resumed, recovery.bytes_refetched), (1, 1));
    assert_eq!(server.seen()[1].header("range"), Some("bytes=999-"));
}

#[tokio::test]
async fn a_body_of_unknown_length_that_has_more_goes_on_with_it() {
    let content = content(1_000);
    let all = content.clone();
    let server = chunks_break_and_then(&content.slice(..500), TAG, move |seen| {
        message(head(seen, 1_000, TAG), &all[offset(seen)..])
    })
    .await;
    let (read, ended, recovery) = collected(client().call(get(server.url("/"))).await).await;
    assert_eq!((read == content, ended, recovery.bytes_refetched), (true, Ok(()), 1));
}

/// What ends without a length may have been cut off.
#[tokio::test]
async fn a_part_of_a_whole_whose_length_nobody_says_is_no_end() {
    let content = content(1_000);
    for (resume_as, headers) in [(Resume::Validated, TAG), (Resume::Trusting, "")] {
        let all = content.clone();
        let server = chunks_break_and_then(&content.slice(..500), headers, move |_| {
            let head = part_head(499, 999, 1_000, headers).replace("/1000", "/*");
            message(head.replace("content-length: 501", "connection: close"), &all[499..700])
        })
        .await;
        let recovery = refused(resume(get(server.url("/")), resume_as), &content).await;
        assert_eq!((told(&recovery), recovery.resumed), ("ECONNRESET ERR_RESUME_RANGE".into(), 0));
    }
}

#[tokio::test]
async fn a_part_that_is_longer_than_it_says_is_not_passed_on() {
    let content = content(1_000);
    for last in [999, 599] {
        let server = breaks_and_then(&content, TAG, move |_| too_long(last)).await;
        let recovery = refused_with(get(server.url("/")), &content, "ERR_RESUME_RANGE").await;
        assert_eq!(recovery.gave_up, Some(GaveUp::NotTransient));
    }
}

/// 600 bytes from 500 on, said to be those up to `last`.
fn too_long(last: usize) -> Vec<u8> {
    let head = "HTTP/1.1 206 Partial Content\r\ntransfer-encoding: chunked\r\n";
    let head = format!("{head}content-range: bytes 500-{last}/1000\r\n{TAG}\r\n");
    message(head, format!("258\r\n{}\r\n0\r\n\r\n", "x".repeat(600)).as_bytes())
}

/// A hook may insist. What was not passed on is then asked for, not skipped.
#[tokio::test]
async fn after_a_part_that_was_too_long_the_right_one_is_asked_for() {
    let content = content(1_000);
    let (all, first) = (content.clone(), Mutex::new(true));
    let server = breaks_and_then(&content, TAG, move |seen| {
        if std::mem::take(&mut *first.lock().unwrap()) {
            return too_long(999);
        }
        message(head(seen, 1_000, TAG), &all[offset(seen)..])
    })
    .await;
    let insisting = Noting { told: Mutex::default(), verdict: Ok(Some(true)) };
    let call = Call { hooks: Some(Arc::new(insisting)), ..get(server.url("/")) };
    let (read, ended, recovery) = collected(client().call(call).await).await;
    assert_eq!((read == content, ended), (true, Ok(())));
    assert_eq!((told(&recovery), recovery.bytes_refetched), ("ECONNRESET ERR_RESUME_RANGE -".into(), 0));
}
