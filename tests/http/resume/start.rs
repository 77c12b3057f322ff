//! Bodies whose first bytes an earlier call has brought.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use unreset::http::call::{Call, CallError};
use unreset::http::decode::Decoding;
use unreset::http::resume::{Resume, Start};

use super::support::*;
use crate::support::*;

const DATES: &str = "last-modified: Sun, 06 Nov 1994 08:49:37 GMT\r\ndate: Sun, 06 Nov 1994 08:50:37 GMT\r\n";

fn behind(url: String, passed: usize, length: usize, headers: &[(&'static str, &'static str)]) -> Call {
    let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
    let start = Start { passed: passed as u64, length: Some(length as u64), headers: headers.collect::<HeaderMap>() };
    let decoding = Decoding { decompress: false, ..Decoding::default() };
    Call { start: Some(start), decoding, ..get(url) }
}

const TAGGED: &[(&str, &str)] = &[("etag", "\"v1\"")];

async fn fault_of(call: Call) -> String {
    match client().call(call).await {
        Err(CallError::Fault { fault, .. }) => fault.code.to_string(),
        Ok(answer) => format!("status {}", answer.status),
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_rest_comes_and_goes_on_where_it_breaks() {
    let content = content(10_000);
    let server = breaks_every(1_500, &content, TAG, End::Reset).await;
    let answer = client().call(behind(server.url("/"), 4_000, content.len(), TAGGED)).await.unwrap();
    assert!(answer.continues);
    let (read, ended, recovery) = collected(Ok(answer)).await;
    assert_eq!((read == content[4_000..], ended, recovery.resumed, recovery.bytes_refetched), (true, Ok(()), 3, 0));
    let asked = server
        .seen()
        .iter()
        .map(|seen| (offset(seen), seen.header("if-range").unwrap().to_owned()))
        .collect::<Vec<_>>();
    let tagged = |offset| (offset, "\"v1\"".to_owned());
    assert_eq!(asked, [4_000, 5_500, 7_000, 8_500].map(tagged));
}

#[tokio::test]
async fn of_a_body_that_is_all_there_one_byte_is_asked_for_and_none_passed_on() {
    let content = content(1_000);
    let server = breaks_every(1_000, &content, TAG, End::Fin).await;
    let (read, ended, recovery) =
        collected(client().call(behind(server.url("/"), 1_000, content.len(), TAGGED)).await).await;
    assert_eq!((read.len(), ended, recovery.bytes_refetched, offset(&server.seen()[0])), (0, Ok(()), 1, 999));
}

#[tokio::test]
async fn a_server_without_ranges_sends_all_of_it_and_what_is_there_is_skipped() {
    let content = content(1_000);
    let all = content.clone();
    let server = Server::start(move |mut peer| {
        let content = all.clone();
        async move {
            while peer.request().await.is_some() {
                peer.write(message(format!("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n{TAG}\r\n"), &content)).await;
            }
        }
    })
    .await;
    let answer = client().call(behind(server.url("/"), 400, content.len(), TAGGED)).await.unwrap();
    assert!(answer.continues);
    let (read, ended, recovery) = collected(Ok(answer)).await;
    assert_eq!((read == content[400..], ended, recovery.bytes_refetched), (true, Ok(()), 400));
}

#[tokio::test]
async fn another_version_is_refused_and_so_is_one_that_is_shorter() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\netag: \"v2\"\r\n\r\nab",
        "HTTP/1.1 206 Partial Content\r\ncontent-length: 2\r\ncontent-range: bytes 400-401/402\r\netag: \"v2\"\r\n\r\nab",
        "HTTP/1.1 206 Partial Content\r\ncontent-length: 2\r\ncontent-range: bytes 400-401/402\r\netag: \"v1\"\r\n\r\nab",
        "HTTP/1.1 416 Range Not Satisfiable\r\ncontent-length: 0\r\ncontent-range: bytes */2\r\n\r\n",
    ] {
        let server = answers(answer).await;
        assert_eq!(fault_of(behind(server.url("/"), 400, 1_000, TAGGED)).await, "ERR_RESUME_CHANGED", "{answer}");
    }
    let missing = answers("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(fault_of(behind(missing.url("/"), 400, 1_000, TAGGED)).await, "status 404 Not Found");
    let elsewhere = answers(
        "HTTP/1.1 206 Partial Content\r\ncontent-length: 1\r\ncontent-range: bytes 0-0/1000\r\netag: \"v1\"\r\n\r\na",
    )
    .await;
    assert_eq!(fault_of(behind(elsewhere.url("/"), 400, 1_000, TAGGED)).await, "ERR_RESUME_RANGE");
}

#[tokio::test]
async fn what_the_first_response_said_goes_on_to_count() {
    // A 206 may leave out the date that proves it, and it breaks once more.
    let content = content(3_000);
    let server = breaks_every(1_000, &content, "", End::Reset).await;
    let mut lines = DATES.split("\r\n").filter_map(|line| line.split_once(": "));
    let headers = [lines.next().unwrap(), lines.next().unwrap()];
    let (read, ended, recovery) =
        collected(client().call(behind(server.url("/"), 500, content.len(), &headers)).await).await;
    assert_eq!((read == content[500..], ended, recovery.resumed), (true, Ok(()), 2));
    assert!(server.seen().iter().all(|seen| seen.header("if-range") == Some(headers[0].1)));
}

#[tokio::test]
async fn without_a_proof_all_of_it_is_asked_for() {
    let content = content(1_000);
    let server = breaks_every(1_000, &content, TAG, End::Fin).await;
    let weak: &[(&str, &str)] = &[("etag", "W/\"v1\"")];
    let whole = |call: Call, content: Bytes| async move {
        let answer = client().call(call).await.unwrap();
        assert!(!answer.continues);
        assert_eq!(collected(Ok(answer)).await.0, content);
    };
    let here = |headers| behind(server.url("/"), 400, 1_000, headers);
    whole(here(weak), content.clone()).await;
    whole(resume(here(TAGGED), Resume::Never), content.clone()).await;
    whole(Call { decoding: Decoding::default(), ..here(TAGGED) }, content.clone()).await;
    whole(behind(server.url("/"), 0, 1_000, TAGGED), content.clone()).await;
    assert!(server.seen().iter().all(|seen| seen.header("range").is_none()));
    let answer = client().call(resume(here(&[]), Resume::Trusting)).await.unwrap();
    assert!(answer.continues);
}

#[tokio::test]
async fn what_goes_on_does_not_begin_anew() {
    // Nobody has been handed any of it; but what is there is not this call's to void.
    let content = content(1_000);
    let server = breaks_and_then_part(&content).await;
    let answer = client().call(behind(server.url("/"), 400, 1_000, TAGGED)).await.unwrap();
    let (read, ended, _) = buffered(Ok(answer)).await;
    assert_eq!(
        (read, ended.map_err(|fault| fault.code.to_string())),
        (content[400..500].to_vec(), Err("ECONNRESET".into()))
    );
}

/// A part that breaks at 500, and then the file as another version of it.
async fn breaks_and_then_part(content: &Bytes) -> Server {
    let content = content.clone();
    Server::start(move |mut peer| {
        let content = content.clone();
        async move {
            let Some(seen) = peer.request().await else { return };
            if peer.number > 0 {
                peer.write(message("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\netag: \"v2\"\r\n\r\n", &content)).await;
                peer.until_closed().await;
                return;
            }
            peer.write(head(&seen, content.len(), TAG)).await;
            peer.write(&content[400..500]).await;
            peer.reset();
        }
    })
    .await
}

async fn answers(answer: &'static str) -> Server {
    Server::start(move |mut peer| async move {
        while peer.request().await.is_some() {
            peer.write(answer).await;
        }
    })
    .await
}
