//! Redirects, hop by hop.

use http::Method;
use unreset::fault::Kind;
use unreset::http::call::{Call, RedirectMode};

use crate::support::*;

/// Redirects `/from` to `location` with `status`, and echoes everything else.
async fn redirecting(status: &'static str, location: impl Into<String>) -> Server {
    let location = location.into();
    Server::start(move |mut peer| {
        let location = location.clone();
        async move {
            while let Some(seen) = peer.request().await {
                if seen.line.contains(" /from") {
                    peer.respond_with(status, &format!("location: {location}\r\n"), "moved").await;
                } else {
                    peer.respond("200 OK", &String::from_utf8(seen.body).unwrap()).await;
                }
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_redirect_is_followed_over_the_same_connection() {
    let server = redirecting("302 Found", "to?x#y").await;
    let answer = client().call(get(server.url("/from"))).await.unwrap();
    assert!(answer.redirected && answer.recovery.is_none());
    assert_eq!(answer.url, Some(server.url("/to?x")), "without the fragment");
    let seen = server.seen();
    assert_eq!(seen[1].line, "GET /to?x HTTP/1.1");
    assert_eq!(seen[1].connection, 0);
}

#[tokio::test]
async fn see_other_turns_a_post_into_a_get_without_its_body() {
    let server = redirecting("303 See Other", "/to").await;
    let call = post(server.url("/from"), "form").header("content-type", "text/plain");
    assert_eq!(text(client().call(call).await).await, "");
    let seen = server.seen();
    assert_eq!((&*seen[0].body, seen[1].line.as_str()), (&b"form"[..], "GET /to HTTP/1.1"));
    assert_eq!(seen[1].header("content-type"), None);
    assert_eq!(seen[1].header("content-length"), None);
}

#[tokio::test]
async fn a_permanent_redirect_keeps_method_and_body() {
    for status in ["307 Temporary Redirect", "308 Permanent Redirect"] {
        let server = redirecting(status, "/to").await;
        assert_eq!(text(client().call(post(server.url("/from"), "kept")).await).await, "kept");
        assert_eq!(server.seen()[1].line, "POST /to HTTP/1.1");
    }
}

#[tokio::test]
async fn credentials_stay_with_the_origin() {
    let other = Server::start(Peer::echo).await;
    let server = redirecting("302 Found", other.url("/")).await;
    let call = get(server.url("/from"))
        .header("authorization", "secret")
        .header("cookie", "secret")
        .header("proxy-authorization", "secret")
        .header("x-own", "kept");
    client().call(call).await.unwrap();
    let seen = &other.seen()[0];
    for name in ["authorization", "cookie", "proxy-authorization"] {
        assert_eq!(server.seen()[0].header(name), Some("secret"));
        assert_eq!(seen.header(name), None, "{name}");
    }
    assert_eq!(seen.header("x-own"), Some("kept"));
    assert_eq!(seen.header("host"), Some(&*other.address.to_string()));
}

#[tokio::test]
async fn credentials_go_along_within_the_origin() {
    let server = redirecting("302 Found", "/to").await;
    client().call(get(server.url("/from")).header("authorization", "secret")).await.unwrap();
    assert_eq!(server.seen()[1].header("authorization"), Some("secret"));
}

#[tokio::test]
async fn a_loop_ends_after_twenty() {
    let server = redirecting("302 Found", "/from").await;
    let (fault, _) = failed(client().call(get(server.url("/from"))).await);
    assert_eq!((&*fault.code, fault.kind, fault.transient), ("ERR_TOO_MANY_REDIRECTS", Kind::Client, false));
    assert_eq!(server.seen().len(), 21);
}

#[tokio::test]
async fn the_caller_may_want_the_redirect_itself_or_an_error() {
    let server = redirecting("302 Found", "/to").await;
    let manual = Call { redirect: RedirectMode::Manual, ..get(server.url("/from")) };
    let answer = client().call(manual).await.unwrap();
    assert!(answer.status == 302 && !answer.redirected && answer.url.is_none());

    let strict = Call { redirect: RedirectMode::Error, ..get(server.url("/from")) };
    let (fault, _) = failed(client().call(strict).await);
    assert_eq!((&*fault.code, fault.kind), ("ERR_UNEXPECTED_REDIRECT", Kind::Client));
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_call_that_stays_at_its_origin_is_not_led_away() {
    let other = Server::start(Peer::echo).await;
    for (location, follows) in [("/to".to_owned(), true), (other.url("/"), false)] {
        let server = redirecting("302 Found", location).await;
        let answer = client().call(Call { redirect: RedirectMode::WithinOrigin, ..get(server.url("/from")) }).await;
        if follows {
            assert!(answer.unwrap().redirected);
        } else {
            let (fault, _) = failed(answer);
            assert_eq!((&*fault.code, fault.kind), ("ERR_UNEXPECTED_REDIRECT", Kind::Client));
        }
    }
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn a_stream_cannot_follow_where_its_body_must() {
    let server = redirecting("307 Temporary Redirect", "/to").await;
    let stream = call(Method::PUT, server.url("/from")).source(Source::of(&["once"]));
    let (fault, _) = failed(client().call(stream).await);
    assert_eq!((&*fault.code, fault.kind), ("ERR_BODY_NOT_REPLAYABLE", Kind::Client));

    let again = Source { reopens: true, ..Source::of(&["again"]) };
    let reopening = call(Method::PUT, server.url("/from")).source(again);
    assert_eq!(text(client().call(reopening).await).await, "again");
}

#[tokio::test]
async fn an_attempt_after_a_redirect_goes_to_where_it_led() {
    let server = Server::start(|mut peer| async move {
        while let Some(seen) = peer.request().await {
            if seen.line.contains(" /from") {
                peer.respond_with("302 Found", "location: /to\r\n", "").await;
            } else if peer.number == 0 {
                return peer.reset();
            } else {
                peer.respond("200 OK", "there").await;
            }
        }
    })
    .await;
    let answer = client().call(get(server.url("/from"))).await.unwrap();
    assert_eq!((answer.url, answer.recovery.unwrap().attempts.len()), (Some(server.url("/to")), 2));
    let lines: Vec<_> = server.seen().into_iter().map(|seen| seen.line).collect();
    assert_eq!(lines, ["GET /from HTTP/1.1", "GET /to HTTP/1.1", "GET /to HTTP/1.1"]);
}

#[tokio::test]
async fn an_answer_names_its_url_only_if_it_is_another_than_was_written() {
    let server = Server::start(Peer::echo).await;
    let url_of = async |written: String| client().call(get(written)).await.unwrap().url;
    assert_eq!(url_of(server.url("/a?b")).await, None);
    assert_eq!(url_of(server.url("/a#part")).await, Some(server.url("/a")));
    assert_eq!(url_of(format!("http://{}", server.address)).await, Some(server.url("/")));
}
