//! What nobody has seen may begin anew.

use bytes::Bytes;
use http::Method;
use unreset::http::call::Call;
use unreset::http::resume::Resume;
use unreset::policy::GaveUp;

use super::support::*;
use crate::support::*;

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
