//! The upgrade: what is asked, and what becomes of each answer.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use unreset::fault::{Ending, Kind, Phase};
use unreset::http::transport::proxies::{Proxy, ProxyRules};
use unreset::websocket::event::Event;
use unreset::websocket::extension::Deflate;
use unreset::websocket::handshake::Refusal;
use unreset::websocket::options::Options;
use unreset::websocket::request::Request;

use crate::support::*;

fn asking(url: &str, protocols: &[&str], headers: &[(&str, &str)]) -> Options {
    let protocols = protocols.iter().map(|name| (*name).to_owned()).collect();
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Options { request: Some(Request::new(url, protocols, &headers).unwrap()), ..to(url) }
}

async fn refused(client: &mut Client) -> Refusal {
    client.until(|event| if let Event::Refused(refusal) = event { Some(*refusal) } else { None }).await
}

#[tokio::test]
async fn the_request_says_what_is_wanted() {
    let (listener, url) = listen().await;
    let options = asking(&format!("{url}?q=1"), &["chat", "super"], &[("Origin", "https://o.test"), ("x-a", "b")]);
    let mut client = Client::open(Options { deflate: Some(Deflate::default()), ..options });
    let mut peer = Peer::accept(&listener).await;
    assert!(peer.head.starts_with("GET /path?q=1 HTTP/1.1\r\n"), "{}", peer.head);
    for (name, value) in [
        ("Host", listener.local_addr().unwrap().to_string().as_str()),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Protocol", "chat,super"),
        ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits=15"),
        ("Origin", "https://o.test"),
        ("X-A", "b"),
    ] {
        assert_eq!(peer.header(name), Some(value), "{name}");
    }
    peer.upgrade("Sec-WebSocket-Protocol: super\r\nX-Server: it\r\n").await;
    let connected = client.connected().await;
    assert_eq!((connected.protocol.as_str(), connected.extensions.as_str()), ("super", ""));
    assert!(connected.headers.contains(&("x-server".to_owned(), "it".to_owned())));
}

#[tokio::test]
async fn keys_differ() {
    let (listener, url) = listen().await;
    let (_one, _two) = (Client::open(to(&url)), Client::open(to(&url)));
    let (one, two) = (Peer::accept(&listener).await, Peer::accept(&listener).await);
    assert_ne!(one.header("sec-websocket-key"), two.header("sec-websocket-key"));
}

#[tokio::test]
async fn a_message_right_behind_the_answer_is_not_lost() {
    let (listener, url) = listen().await;
    let mut client = Client::open(to(&url));
    let mut peer = Peer::accept(&listener).await;
    let accept = peer.accept_key();
    let mut answer = format!(
        "HTTP/1.1 101 Ok\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    )
    .into_bytes();
    answer.extend(frame(0x81, b"at once"));
    answer.extend(&frame(0x81, b"and the rest")[..5]);
    peer.write(answer).await;
    assert_eq!(client.message().await.1, "at once");
    peer.write(&frame(0x81, b"and the rest")[5..]).await;
    assert_eq!(client.message().await.1, "and the rest");
}

/// Each with whether it is worth another try.
#[tokio::test]
async fn what_is_no_answer_is_not_spoken_to() {
    const UPGRADE: &str = "HTTP/1.1 101 Ok\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
    for (answer, code) in [
        (format!("{UPGRADE}\r\n"), "ERR_WS_HANDSHAKE"),
        (format!("{UPGRADE}Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"), "ERR_WS_HANDSHAKE"),
        ("HTTP/1.1 101 Ok\r\nConnection: Upgrade\r\n\r\n".to_owned(), "ERR_WS_HANDSHAKE"),
        ("SSH-2.0-OpenSSH_9.2\r\n".to_owned(), "HPE_INVALID_CONSTANT"),
    ] {
        let (listener, url) = listen().await;
        let mut client = Client::open(to(&url));
        let mut peer = Peer::accept(&listener).await;
        peer.write(&answer).await;
        drop(peer);
        let end = client.over().await;
        let fault = end.fault.unwrap();
        assert_eq!((fault.kind, fault.phase, &*fault.code), (Kind::Protocol, Phase::Handshake, code), "{answer}");
        assert_eq!(end.closure.code, 1006);
    }
}

#[tokio::test]
async fn subprotocols_must_be_agreed_on() {
    for (offered, answer) in [(&[][..], "a"), (&["a"], "b"), (&["a"], "")] {
        let (listener, url) = listen().await;
        let mut client = Client::open(asking(&url, offered, &[]));
        let header = if answer.is_empty() { String::new() } else { format!("Sec-WebSocket-Protocol: {answer}\r\n") };
        Peer::accept(&listener).await.upgrade(&header).await;
        assert_eq!(client.over().await.fault.unwrap().code, "ERR_WS_HANDSHAKE", "{offered:?} {answer}");
    }
}

#[tokio::test]
async fn an_extension_that_was_not_offered_is_refused() {
    let (listener, url) = listen().await;
    let mut client = Client::open(to(&url));
    Peer::accept(&listener).await.upgrade("Sec-WebSocket-Extensions: permessage-deflate\r\n").await;
    assert_eq!(client.over().await.fault.unwrap().code, "ERR_WS_HANDSHAKE");
}

#[tokio::test]
async fn a_refusal_is_told_with_its_body() {
    let (listener, url) = listen().await;
    let mut client = Client::open(to(&url));
    let mut peer = Peer::accept(&listener).await;
    peer.write("HTTP/1.1 401 Go away\r\nContent-Length: 5\r\nWWW-Authenticate: Bearer\r\n\r\nno to").await;
    let refusal = refused(&mut client).await;
    assert_eq!((refusal.status, refusal.phrase.as_str(), refusal.body.as_slice()), (401, "Go away", &b"no to"[..]));
    assert!(refusal.headers.contains(&("www-authenticate".to_owned(), "Bearer".to_owned())));
    let end = client.over().await;
    let fault = end.fault.unwrap();
    assert_eq!((&*fault.code, fault.phase, fault.status), ("HTTP_401", Phase::Handshake, Some(401)));
}

#[tokio::test]
async fn a_refusal_keeps_the_beginning_of_its_body_only() {
    let (listener, url) = listen().await;
    let mut client = Client::open(to(&url));
    let mut peer = Peer::accept(&listener).await;
    peer.write("HTTP/1.1 404 Not Found\r\nContent-Length: 100000\r\n\r\n").await;
    // It may be gone before all is written.
    let _ = tokio::io::AsyncWriteExt::write_all(&mut peer.stream, &[b'x'; 100_000]).await;
    assert_eq!(refused(&mut client).await.body, [b'x'; 64 * 1024]);
}

/// Every status that is retried, and some that are not.
#[tokio::test]
async fn some_refusals_are_worth_another_try() {
    for (status, again) in [
        (408, true),
        (425, true),
        (429, true),
        (500, true),
        (502, true),
        (503, true),
        (504, true),
        (400, false),
        (401, false),
        (403, false),
        (404, false),
        (200, false),
    ] {
        let (listener, url) = listen().await;
        let mut client = Client::open(to(&url));
        Peer::accept(&listener).await.write(format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n")).await;
        assert_eq!(refused(&mut client).await.status, status);
        match client.next().await {
            Event::Waiting { .. } => assert!(again, "{status}"),
            Event::Over(_) => assert!(!again, "{status}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn retry_after_is_obeyed() {
    let (listener, url) = listen().await;
    let mut client = Client::open(to(&url));
    let mut peer = Peer::accept(&listener).await;
    peer.write("HTTP/1.1 503 Later\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n").await;
    let (_, delay, _) = client.waiting().await;
    assert!(delay >= Duration::from_secs(7), "{delay:?}");
}

#[tokio::test]
async fn redirects_are_followed_if_that_is_asked_for() {
    let (listener, url) = listen().await;
    let (elsewhere, there) = listen().await;
    let options = asking(&url, &[], &[("Cookie", "secret"), ("X-Kept", "yes")]);
    let mut client = Client::open(Options { redirects: 2, ..options });
    let location = there.replace("ws://", "http://");
    let mut peer = Peer::accept(&listener).await;
    peer.write(format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")).await;
    let told = client
        .until(|event| if let Event::Redirected { status, url, .. } = event { Some((status, url)) } else { None })
        .await;
    assert_eq!(told, (302, there.clone()));
    let mut peer = Peer::accept(&elsewhere).await;
    assert_eq!((peer.header("cookie"), peer.header("x-kept")), (None, Some("yes")));
    peer.upgrade("").await;
    assert_eq!(client.connected().await.url, there);
}

#[tokio::test]
async fn redirects_have_an_end() {
    for (followed, code) in [(0, "HTTP_301"), (1, "ERR_TOO_MANY_REDIRECTS")] {
        let (listener, url) = listen().await;
        let mut client = Client::open(Options { redirects: followed, ..to(&url) });
        for _ in 0..=followed {
            let mut peer = Peer::accept(&listener).await;
            peer.write("HTTP/1.1 301 Moved\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n").await;
        }
        assert_eq!(client.over().await.fault.unwrap().code, code);
    }
}

#[tokio::test]
async fn an_end_instead_of_an_answer_is_told() {
    for (ending, how) in [(Ending::Fin, Peer::end as fn(Peer)), (Ending::Rst, Peer::reset)] {
        let (listener, url) = listen().await;
        let mut client = Client::open(to(&url));
        how(Peer::accept(&listener).await);
        let (_, _, fault) = client.waiting().await;
        assert_eq!((&*fault.code, fault.phase, fault.ending), ("ECONNRESET", Phase::Handshake, Some(ending)));
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_not_waited_for() {
    let (listener, url) = listen().await;
    let mut client = Client::open(Options { handshake_timeout: Some(Duration::from_millis(300)), ..to(&url) });
    let _silent = Peer::accept(&listener).await;
    let (_, _, fault) = client.waiting().await;
    assert_eq!((&*fault.code, fault.phase), ("ETIMEDOUT", Phase::Handshake));
    assert_eq!(fault.port, Some(listener.local_addr().unwrap().port()));
}

#[tokio::test]
async fn a_proxy_is_asked_for_a_tunnel() {
    let (proxy, proxy_url) = listen().await;
    let headers = [("proxy-authorization".to_owned(), "Basic eDp5".to_owned())];
    let proxy_url = proxy_url.replace("ws://", "http://").replace("/path", "");
    let rules = ProxyRules::new(Some(Proxy::new(&proxy_url, &headers).unwrap()), None, "");
    let mut client = Client::open(Options { proxies: rules, ..to("ws://server.test:81/p") });
    let mut peer = Peer::accept(&proxy).await;
    assert!(peer.head.starts_with("CONNECT server.test:81 HTTP/1.1\r\n"), "{}", peer.head);
    assert_eq!(peer.header("proxy-authorization"), Some("Basic eDp5"));
    peer.write("HTTP/1.1 200 Connection established\r\n\r\n").await;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within(peer.stream.read_u8()).await.unwrap());
    }
    peer.head = String::from_utf8(head).unwrap();
    assert_eq!((peer.header("host"), peer.header("proxy-authorization")), (Some("server.test:81"), None));
    peer.upgrade("").await;
    client.up().await;
    client.text("through");
    assert_eq!(peer.text().await, "through");
}

#[tokio::test]
async fn a_proxy_that_refuses_is_told() {
    let (proxy, proxy_url) = listen().await;
    let proxy_url = proxy_url.replace("ws://", "http://").replace("/path", "");
    let rules = ProxyRules::new(Some(Proxy::new(&proxy_url, &[]).unwrap()), None, "");
    let mut client = Client::open(Options { proxies: rules, ..to("ws://server.test/") });
    Peer::accept(&proxy).await.write("HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n").await;
    let fault = client.over().await.fault.unwrap();
    assert_eq!((&*fault.code, fault.status), ("ERR_PROXY_TUNNEL", Some(407)));
}
