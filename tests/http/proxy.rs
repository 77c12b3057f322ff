//! Through a proxy: who sees what, and how faults of the proxy itself are told.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use unreset::fault::{Delivery, Ending, Kind, Phase};
use unreset::http::call::{CallError, Client};
use unreset::http::transport::direct::DirectTransport;
use unreset::http::transport::options::TransportOptions;
use unreset::http::transport::proxies::{Proxy, ProxyRules};

use crate::support::*;
use crate::tls::{authority, https, leaf, signed_by, trusting_only};

fn proxied_with(proxy: &str, no_proxy: &str, options: TransportOptions) -> TestClient {
    let secret = ("proxy-authorization".to_owned(), "Basic c2VjcmV0".to_owned());
    let proxy = Proxy::new(proxy, &[secret]).unwrap();
    let proxies = ProxyRules::new(Some(proxy.clone()), Some(proxy), no_proxy);
    Client::new(DirectTransport::new(TransportOptions { proxies, ..options }).unwrap())
}

fn proxied(proxy: &Server) -> TestClient {
    proxied_with(&proxy.url(""), "", TransportOptions::default())
}

/// Answers the first `CONNECT`s as `refuse` says, and makes the tunnels of the others.
async fn tunnels<F, Fut>(times: usize, refuse: F) -> Server
where
    F: Fn(Peer) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    Server::start(move |mut peer| {
        let refuse = refuse.clone();
        async move {
            let Some(asked) = peer.request().await else { return };
            if peer.number < times {
                return refuse(peer).await;
            }
            let authority = asked.line.split(' ').nth(1).unwrap().to_owned();
            let mut server = TcpStream::connect(authority).await.unwrap();
            peer.write("HTTP/1.1 200 Connection established\r\n\r\n").await;
            // Either end may reset by design.
            let _ = copy_bidirectional(&mut peer.stream, &mut server).await;
        }
    })
    .await
}

async fn open_tunnels() -> Server {
    tunnels(0, |_| async {}).await
}

#[tokio::test]
async fn an_http_request_names_its_server_to_the_proxy() {
    let proxy = Server::start(Peer::echo).await;
    let client = proxied(&proxy);
    let posted = post("http://nowhere.test:8080/path?q#f", "over").header("user-agent", "me");
    assert_eq!(text(client.call(posted).await).await, "over");
    assert_eq!(text(client.call(post("http://nowhere.test:8080/", "again")).await).await, "again");
    let seen = proxy.seen();
    assert_eq!(seen[0].line, "POST http://nowhere.test:8080/path?q HTTP/1.1");
    assert_eq!(seen[0].header("host"), Some("nowhere.test:8080"));
    assert_eq!(seen[0].header("proxy-authorization"), Some("Basic c2VjcmV0"));
    assert_eq!(seen[1].connection, 0, "connections to a proxy are pooled too");
}

#[tokio::test]
async fn an_https_request_goes_through_a_tunnel_that_hides_it() {
    let authority = authority();
    let server = signed_by(&authority, leaf(), false).await;
    let proxy = open_tunnels().await;
    let options = TransportOptions { tls: trusting_only(&authority), ..TransportOptions::default() };
    let client = proxied_with(&proxy.url(""), "", options);
    assert_eq!(text(client.call(post(https(&server), "over")).await).await, "over");
    assert_eq!(text(client.call(post(https(&server), "again")).await).await, "again");
    let [asked] = &proxy.seen()[..] else { panic!("one tunnel for both: {:?}", proxy.seen()) };
    assert_eq!(asked.line, format!("CONNECT {} HTTP/1.1", server.address));
    assert_eq!(asked.header("proxy-authorization"), Some("Basic c2VjcmV0"));
    for seen in server.seen() {
        assert_eq!(seen.line, "POST / HTTP/1.1");
        assert_eq!(seen.header("proxy-authorization"), None);
    }
}

/// Read without hyper: see `long_bodies.rs`.
#[tokio::test]
async fn a_long_answer_comes_through_it_however_it_is_reached() {
    let authority = authority();
    let server = signed_by(&authority, leaf(), false).await;
    let (plain, tunnels) = (Server::start(Peer::echo).await, open_tunnels().await);
    let tls = signed_by(&authority, leaf(), false).await;
    for (proxy, url) in [
        (plain.url(""), "http://nowhere.test/".to_owned()),
        (https(&tls), "http://nowhere.test/".to_owned()),
        (tunnels.url(""), https(&server)),
    ] {
        let options = TransportOptions { tls: trusting_only(&authority), ..TransportOptions::default() };
        let client = proxied_with(&proxy, "", options);
        for _ in 0..3 {
            assert!(text(client.call(post(url.clone(), long_text())).await).await == long_text());
        }
    }
    for server in [plain, tls, server, tunnels] {
        assert!(server.seen().iter().all(|seen| seen.connection == 0));
    }
}

#[tokio::test]
async fn the_proxy_may_be_reached_over_tls_itself() {
    let authority = authority();
    let proxy = signed_by(&authority, leaf(), false).await;
    let options = TransportOptions { tls: trusting_only(&authority), ..TransportOptions::default() };
    let client = proxied_with(&https(&proxy), "", options);
    assert_eq!(text(client.call(post("http://nowhere.test/", "over")).await).await, "over");
    assert_eq!(proxy.seen()[0].line, "POST http://nowhere.test/ HTTP/1.1");

    let client = proxied_with(&https(&proxy), "", TransportOptions::default());
    let (fault, _, attempts) = gave_up(client.call(post("http://nowhere.test/", "over")).await);
    assert_eq!((&*fault.code, fault.kind), ("UNABLE_TO_VERIFY_LEAF_SIGNATURE", Kind::Tls));
    assert!(fault.reason.starts_with("The proxy could not be reached.") && attempts == 1, "{}", fault.reason);
    assert_eq!(fault.port, Some(proxy.address.port()));
}

#[tokio::test]
async fn each_hop_of_a_redirect_is_routed_anew() {
    let direct = Server::start(Peer::echo).await;
    let place = direct.url("/direct");
    let proxy = Server::start(move |mut peer| {
        let place = place.clone();
        async move {
            peer.request().await;
            peer.respond_with("307 Temporary Redirect", &format!("location: {place}\r\n"), "").await;
        }
    })
    .await;
    let client = proxied_with(&proxy.url(""), "127.0.0.1", TransportOptions::default());
    assert_eq!(text(client.call(post("http://nowhere.test/", "over")).await).await, "over");
    let [seen] = &direct.seen()[..] else { panic!() };
    assert_eq!((&*seen.line, seen.header("proxy-authorization")), ("POST /direct HTTP/1.1", None));
    assert_eq!(proxy.seen().len(), 1);
}

#[tokio::test]
async fn what_a_proxy_refuses_has_not_been_sent() {
    for (status, transient, kind) in [
        (407, false, Kind::Client),
        (403, false, Kind::Client),
        (502, true, Kind::Unreachable),
        (503, true, Kind::Unreachable),
    ] {
        let proxy = tunnels(usize::MAX, move |mut peer| async move {
            peer.respond(&format!("{status} No"), "nothing").await;
        })
        .await;
        let call = post("https://nowhere.test/", "over").retries(1);
        let (fault, _, attempts) = gave_up(proxied(&proxy).call(call).await);
        assert_eq!((&*fault.code, fault.status, fault.kind), ("ERR_PROXY_TUNNEL", Some(status), kind));
        assert_eq!((fault.phase, fault.delivery), (Phase::Handshake, Delivery::NotSent));
        assert_eq!((fault.address.as_deref(), fault.port), (Some("127.0.0.1"), Some(proxy.address.port())));
        assert_eq!((fault.transient, attempts), (transient, if transient { 2 } else { 1 }));
        assert!(!format!("{fault:?}").contains("c2VjcmV0"));
    }
}

#[tokio::test]
async fn a_tunnel_that_breaks_while_it_is_made_has_carried_nothing() {
    let ends: [(fn(Peer), Ending); 2] = [(Peer::reset, Ending::Rst), (drop, Ending::Fin)];
    for (end, ending) in ends {
        let proxy = tunnels(usize::MAX, move |peer| async move { end(peer) }).await;
        let call = post("https://nowhere.test/", "over").retries(1);
        let (fault, _, attempts) = gave_up(proxied(&proxy).call(call).await);
        assert_eq!((&*fault.code, fault.ending), ("ERR_PROXY_TUNNEL", Some(ending)));
        assert_eq!((fault.phase, fault.delivery, attempts), (Phase::Handshake, Delivery::NotSent, 2));
        assert_eq!(fault.port, Some(proxy.address.port()));
    }
}

#[tokio::test]
async fn a_post_is_repeated_when_its_tunnel_broke_and_arrives_once() {
    let authority = authority();
    let server = signed_by(&authority, leaf(), false).await;
    let proxy = tunnels(1, |peer| async { peer.reset() }).await;
    let options = TransportOptions { tls: trusting_only(&authority), ..TransportOptions::default() };
    let answer = proxied_with(&proxy.url(""), "", options).call(post(https(&server), "over")).await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.recovery.expect("what it took").attempts.len(), 2);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named() {
    let gone = Server::start(Peer::echo).await.address;
    for url in ["http://nowhere.test/", "https://nowhere.test/"] {
        let client = proxied_with(&format!("http://{gone}"), "", TransportOptions::default());
        let (fault, _, attempts) = gave_up(client.call(post(url, "over").retries(1)).await);
        assert_eq!((&*fault.code, fault.phase), ("ECONNREFUSED", Phase::Connect));
        assert_eq!((fault.delivery, attempts), (Delivery::NotSent, 2));
        assert_eq!((fault.address.as_deref(), fault.port), (Some("127.0.0.1"), Some(gone.port())));
        assert!(fault.reason.starts_with("The proxy could not be reached."), "{}", fault.reason);
    }
}

#[tokio::test]
async fn a_proxy_that_is_silent_is_told_from_a_silent_server() {
    let silent = Server::start(|mut peer| async move { peer.until_closed().await }).await;
    let mut call = get("https://nowhere.test/").retries(0);
    call.limits.connect = Some(std::time::Duration::from_millis(100));
    let (fault, ..) = gave_up(proxied(&silent).call(call).await);
    assert_eq!((&*fault.code, fault.phase, fault.delivery), ("ETIMEDOUT", Phase::Handshake, Delivery::NotSent));
    assert!(fault.reason.contains("through a proxy"), "{}", fault.reason);
    assert_eq!(fault.port, Some(silent.address.port()));
}

#[tokio::test]
async fn a_407_to_a_plain_request_is_an_answer() {
    let proxy = Server::start(|mut peer| async move {
        peer.request().await;
        peer.respond("407 Proxy Authentication Required", "who?").await;
    })
    .await;
    let answer = proxied(&proxy).call(get("http://nowhere.test/")).await.expect("an answer");
    assert_eq!(answer.status, 407);
}

#[tokio::test]
async fn credentials_for_a_proxy_are_not_taken_from_a_request() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let proxy = Server::start(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        async {}
    })
    .await;
    for url in ["http://nowhere.test/", "https://nowhere.test/"] {
        let call = get(url).header("proxy-authorization", "Basic bXkgb3du");
        let Err(CallError::Fault { fault, .. }) = proxied(&proxy).call(call).await else { panic!("no fault") };
        assert_eq!((&*fault.code, fault.delivery), ("ERR_PROXY_INVALID_CONFIG", Delivery::NotSent));
        assert!(!fault.transient && !format!("{fault:?}").contains("bXkgb3du"));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0, "the proxy is not even connected to");
}
