//! How often a body is asked for, and for whom.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::Method;
use unreset::http::call::Call;
use unreset::http::resume::{RecoveringBody, Resume};
use unreset::http::transport::{IncomingBody, Limits};
use unreset::policy::{GaveUp, Now};

use super::support::*;
use crate::support::*;

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
    let content = content(7_000_000);
    let server = breaks_every(66_000, &content, TAG, End::Fin).await;
    let (read, _, recovery) = collected(client().call(get(server.url("/"))).await).await;
    assert!(read == content);
    assert_eq!((recovery.resumed, recovery.attempts.len()), (106, 100));
}

/// It would be possible for ever: each connection brings something.
#[tokio::test]
async fn a_byte_at_a_time_is_no_progress() {
    let content = content(100_000);
    let server = breaks_every(1, &content, TAG, End::Reset).await;
    let (read, ended, recovery) = collected(client().call(get(server.url("/")).retries(3)).await).await;
    assert_eq!(ended.expect_err("too little came").code, "ECONNRESET");
    assert_eq!((read.len(), recovery.gave_up), (4, Some(GaveUp::AttemptsExhausted)));
    assert_eq!(read, content[..4]);
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

#[tokio::test]
async fn what_becomes_of_a_body_is_counted_with_its_call() {
    let content = content(1_000);
    for (headers, recovered, gave_up) in [(TAG, 1, 0), ("", 0, 1)] {
        let whole = content.clone();
        let then = move |seen: &Seen| message(head(seen, 1_000, headers), &whole[offset(seen)..]);
        let server = breaks_and_then(&content, headers, then).await;
        let call = resume(get(server.url("/")), Resume::Validated);
        let policy = Arc::clone(&call.policy);
        let mut answer = client().call(call).await.unwrap();
        while let Ok(Some(_)) = answer.body.chunk().await {}
        answer.body.news();
        answer.body.news();
        let now = Now { monotonic: Duration::ZERO, wall: SystemTime::UNIX_EPOCH };
        let counts = policy.stats(now)[0].1.counts;
        assert_eq!((counts.recovered, counts.gave_up), (recovered, gave_up), "{headers:?}");
    }
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
async fn nothing_is_resumed_when_the_call_has_had_its_time() {
    let content = content(1_000);
    let server = breaks_every(500, &content, TAG, End::Stall).await;
    let call = get(server.url("/"));
    let limits = Limits { body: Some(Duration::from_millis(100)), ..call.limits };
    let call = Call { limits, total: Some(Duration::from_millis(50)), ..call };
    let recovery = refused_with(call, &content, "ETIMEDOUT").await;
    assert_eq!((recovery.gave_up, server.seen().len()), (Some(GaveUp::OutOfTime), 1));
}
