//! Through a SOCKS proxy: who sees what, and how faults of the proxy itself are told.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;
use unreset::fault::{Delivery, Ending, Kind, Phase};
use unreset::http::call::{CallError, Client};
use unreset::http::transport::lookup::{Lookup, LookupFailed, LookupFuture};
use unreset::http::transport::options::TransportOptions;
use unreset::http::transport::proxies::{Proxy, ProxyRules};
use unreset::http::transport::routed::Routed;

use super::support::*;
use super::tls::{authority, https, leaf, signed_by, trusting_only};

/// What became of a connection to the proxy, after it was asked for a server.
#[derive(Debug, Clone, Copy)]
enum Then {
    Connect,
    /// Reply with this number.
    Refuse(u8),
    Reset,
    Close,
    /// Before anything is said.
    Greet(&'static [u8]),
}

/// The server that the proxy is asked for, as it is named, and the credentials that come with it.
type Asked = (String, Option<String>);

/// A SOCKS proxy that can say no.
struct Socks {
    server: Server,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Socks {
    /// `then`: what becomes of the first connections, and of all that follow.
    async fn start(first: &'static [Then], then: Then) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        let server = Server::start(move |mut peer| {
            let noted = Arc::clone(&noted);
            let then = first.get(peer.number).copied().unwrap_or(then);
            async move {
                if let Then::Greet(words) = then {
                    peer.write(words).await;
                    return peer.until_closed().await;
                }
                let version = peer.stream.read_u8().await.unwrap();
                let asked =
                    if version == 4 { asked_4(&mut peer.stream).await } else { asked_5(&mut peer.stream).await };
                let Some(asked) = asked else { return };
                noted.lock().unwrap().push(asked.clone());
                match then {
                    Then::Reset => peer.reset(),
                    Then::Refuse(reply) if version == 4 => peer.write([0, reply, 0, 0, 0, 0, 0, 0]).await,
                    Then::Refuse(reply) => peer.write([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]).await,
                    Then::Connect => {
                        // No name here is anybody's but this computer's.
                        let port = asked.0.rsplit(':').next().unwrap().parse().unwrap();
                        let server = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).await;
                        let Ok(mut server) = server else { return };
                        if version == 4 {
                            peer.write([0, 90, 0, 0, 0, 0, 0, 0]).await;
                        } else {
                            peer.write([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await;
                        }
                        // Either end may reset by design.
                        let _ = copy_bidirectional(&mut peer.stream, &mut server).await;
                    }
                    Then::Close | Then::Greet(_) => {}
                }
            }
        })
        .await;
        Socks { server, asked }
    }

    async fn open() -> Self {
        Socks::start(&[], Then::Connect).await
    }

    fn proxy(&self, scheme: &str) -> Proxy {
        Proxy::new(&format!("{scheme}://{}", self.server.address), &[]).unwrap()
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    fn port(&self) -> Option<u16> {
        Some(self.server.address.port())
    }
}

/// RFC 1928 and 1929, after the version. Wants credentials of those who offer them, and takes all but "wrong".
async fn asked_5(stream: &mut TcpStream) -> Option<Asked> {
    let methods = text_of(stream).await;
    let credentials = if methods.contains('\u{2}') {
        stream.write_all(&[5, 2]).await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), 1);
        let (user, password) = (text_of(stream).await, text_of(stream).await);
        let wrong = password == "wrong";
        stream.write_all(&[1, u8::from(wrong)]).await.unwrap();
        if wrong {
            return None;
        }
        Some(format!("{user}:{password}"))
    } else {
        stream.write_all(&[5, 0]).await.unwrap();
        None
    };
    let mut head = [0; 4];
    stream.read_exact(&mut head).await.unwrap();
    let host = match head {
        [5, 1, 0, 1] => IpAddr::from(stream.read_u32().await.unwrap().to_be_bytes()).to_string(),
        [5, 1, 0, 4] => format!("[{}]", IpAddr::from(stream.read_u128().await.unwrap().to_be_bytes())),
        [5, 1, 0, 3] => text_of(stream).await,
        other => panic!("not a request to connect: {other:?}"),
    };
    Some((format!("{host}:{}", stream.read_u16().await.unwrap()), credentials))
}

/// SOCKS 4 and 4a, after the version.
async fn asked_4(stream: &mut TcpStream) -> Option<Asked> {
    assert_eq!(stream.read_u8().await.unwrap(), 1);
    let port = stream.read_u16().await.unwrap();
    let address = stream.read_u32().await.unwrap().to_be_bytes();
    assert_eq!(stream.read_u8().await.unwrap(), 0, "no user");
    let named = matches!(address, [0, 0, 0, 1..=255]);
    let host = if named { zero_ended(stream).await } else { IpAddr::from(address).to_string() };
    Some((format!("{host}:{port}"), None))
}

/// A byte of length, and what it counts.
async fn text_of(stream: &mut TcpStream) -> String {
    let mut text = vec![0; stream.read_u8().await.unwrap().into()];
    stream.read_exact(&mut text).await.unwrap();
    String::from_utf8(text).unwrap()
}

async fn zero_ended(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    loop {
        match stream.read_u8().await.unwrap() {
            0 => return String::from_utf8(text).unwrap(),
            byte => text.push(byte),
        }
    }
}

/// Knows the names of one computer, IPv6 first.
struct Known(&'static str);

impl Lookup for Known {
    fn lookup<'a>(&'a self, host: &'a str) -> LookupFuture<'a> {
        let known = host == self.0;
        Box::pin(async move {
            let here = [IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]), IpAddr::from([127, 0, 0, 1])];
            if known { Ok(here.into()) } else { Err(LookupFailed::new(host, "ENOTFOUND")) }
        })
    }
}

fn routed(proxy: Proxy, no_proxy: &str, options: TransportOptions) -> Client<Routed> {
    let proxies = ProxyRules::new(Some(proxy.clone()), Some(proxy), no_proxy);
    Client::new(Routed::new(TransportOptions { proxies, ..options }).unwrap())
}

fn through(proxy: Proxy) -> Client<Routed> {
    routed(proxy, "", TransportOptions { lookup: Arc::new(Known("known.test")), ..TransportOptions::default() })
}

#[tokio::test]
async fn each_scheme_names_the_server_in_its_way() {
    let server = Server::start(Peer::echo).await;
    let port = server.address.port();
    for (scheme, host, asked) in [
        ("socks5", "known.test", "[::1]"),
        ("socks5", "127.0.0.1", "127.0.0.1"),
        ("socks5", "[::1]", "[::1]"),
        ("socks5h", "known.test", "known.test"),
        ("socks5h", "nowhere.test", "nowhere.test"),
        ("socks5h", "127.0.0.1", "127.0.0.1"),
        ("socks4", "known.test", "127.0.0.1"),
        ("socks4a", "nowhere.test", "nowhere.test"),
    ] {
        let proxy = Socks::open().await;
        let client = through(proxy.proxy(scheme));
        assert_eq!(text(client.call(post(format!("http://{host}:{port}/path?q#f"), "over")).await).await, "over");
        let again = client.call(get(format!("http://{host}:{port}/"))).await;
        assert_eq!(text(again).await, "");
        assert_eq!(proxy.asked()[0], (format!("{asked}:{port}"), None), "{scheme} {host}");
        let seen = server.seen();
        let posted = &seen[seen.len() - 2];
        assert_eq!((&*posted.line, posted.header("host")), ("POST /path?q HTTP/1.1", Some(&*format!("{host}:{port}"))));
    }
}

#[tokio::test]
async fn connections_through_the_proxy_are_kept() {
    let server = Server::start(Peer::echo).await;
    let proxy = Socks::open().await;
    let client = through(proxy.proxy("socks5"));
    for _ in 0..3 {
        assert_eq!(text(client.call(get(server.url("/"))).await).await, "");
    }
    assert_eq!(proxy.asked().len(), 1);
    // What must not be repeated does not use one that may be about to close.
    assert_eq!(text(client.call(post(server.url("/"), "once")).await).await, "once");
    assert_eq!(proxy.asked().len(), 2);
    client.close();
    assert_eq!(text(client.call(get(server.url("/"))).await).await, "");
    assert_eq!(text(client.call(get(server.url("/"))).await).await, "");
    assert_eq!(proxy.asked().len(), 4, "a closed client keeps none");
}

#[tokio::test]
async fn an_https_server_is_verified_by_its_own_name() {
    let authority = authority();
    let server = signed_by(&authority, leaf(), false).await;
    let proxy = Socks::open().await;
    let options = TransportOptions { tls: trusting_only(&authority), ..TransportOptions::default() };
    let client = routed(proxy.proxy("socks5h"), "", options);
    assert_eq!(text(client.call(post(https(&server), "over")).await).await, "over");
    assert_eq!(proxy.asked(), [(server.address.to_string(), None)]);

    let client = through(proxy.proxy("socks5h"));
    let (fault, _, attempts) = gave_up(client.call(post(https(&server), "over")).await);
    assert_eq!(
        (&*fault.code, fault.kind, fault.phase),
        ("UNABLE_TO_VERIFY_LEAF_SIGNATURE", Kind::Tls, Phase::Handshake)
    );
    assert_eq!((fault.delivery, fault.port, attempts), (Delivery::NotSent, proxy.port(), 1));
    assert!(!fault.reason.contains("proxy"), "{}", fault.reason);
}

#[tokio::test]
async fn credentials_arrive_as_they_are() {
    let server = Server::start(Peer::echo).await;
    let proxy = Socks::open().await;
    let all: String = (' '..='~').chain("\u{e9}\u{1f511}".chars()).collect();
    let client = through(proxy.proxy("socks5").with_credentials(&all, &all).unwrap());
    assert_eq!(text(client.call(get(server.url("/"))).await).await, "");
    assert_eq!(proxy.asked()[0].1, Some(format!("{all}:{all}")));
}

#[tokio::test]
async fn credentials_that_are_not_accepted_are_not_tried_again() {
    let proxy = Socks::open().await;
    let client = through(proxy.proxy("socks5").with_credentials("c2VjcmV0", "wrong").unwrap());
    let (fault, _, attempts) = gave_up(client.call(get("http://192.0.2.1/")).await);
    assert_eq!((&*fault.code, fault.kind, attempts), ("ERR_PROXY_TUNNEL", Kind::Client, 1));
    assert!(fault.reason.contains("did not accept"), "{}", fault.reason);
    assert!(!format!("{fault:?}").contains("c2VjcmV0"));
}

#[tokio::test]
async fn hosts_without_a_proxy_and_hops_of_a_redirect_are_reached_directly() {
    let server = Server::start(Peer::echo).await;
    let place = server.url("/direct");
    let first = Server::start(move |mut peer| {
        let place = place.clone();
        async move {
            peer.request().await;
            peer.respond_with("307 Temporary Redirect", &format!("location: {place}\r\n"), "").await;
        }
    })
    .await;
    let proxy = Socks::open().await;
    let client = routed(proxy.proxy("socks5"), &server.address.to_string(), TransportOptions::default());
    assert_eq!(text(client.call(post(first.url("/"), "over")).await).await, "over");
    assert_eq!(proxy.asked(), [(first.address.to_string(), None)]);
}

#[tokio::test]
async fn a_proxy_of_each_kind_serves_its_own_scheme() {
    let server = Server::start(Peer::echo).await;
    let tunnels = Server::start(|mut peer| async move {
        peer.request().await;
    })
    .await;
    let socks = Socks::open().await;
    let http = Proxy::new(&tunnels.url(""), &[]).unwrap();
    let proxies = ProxyRules::new(Some(socks.proxy("socks5")), Some(http), "");
    let client = Client::new(Routed::new(TransportOptions { proxies, ..TransportOptions::default() }).unwrap());
    assert_eq!(text(client.call(post(server.url("/"), "over")).await).await, "over");
    gave_up(client.call(get("https://nowhere.test/").retries(0)).await);
    assert_eq!(socks.asked(), [(server.address.to_string(), None)]);
    assert_eq!(tunnels.seen()[0].line, "CONNECT nowhere.test:443 HTTP/1.1");
}

#[tokio::test]
async fn each_reply_is_told_and_worth_a_retry_or_not() {
    const CLIENT: Kind = Kind::Client;
    const UNREACHABLE: Kind = Kind::Unreachable;
    for (scheme, then, kind, transient, reason) in [
        ("socks5", Then::Refuse(1), UNREACHABLE, true, "(reply 1)"),
        ("socks5", Then::Refuse(2), CLIENT, false, "(reply 2)"),
        ("socks5", Then::Refuse(3), UNREACHABLE, true, "(reply 3)"),
        ("socks5", Then::Refuse(4), UNREACHABLE, true, "(reply 4)"),
        ("socks5", Then::Refuse(5), UNREACHABLE, true, "(reply 5)"),
        ("socks5", Then::Refuse(6), UNREACHABLE, true, "(reply 6)"),
        ("socks5", Then::Refuse(7), CLIENT, false, "(reply 7)"),
        ("socks5", Then::Refuse(8), CLIENT, false, "(reply 8)"),
        ("socks5", Then::Refuse(77), UNREACHABLE, false, "not SOCKS"),
        ("socks5", Then::Greet(b"\x05\xff"), CLIENT, false, "wants credentials"),
        ("socks5", Then::Greet(b"\x05\x02"), CLIENT, false, "not offered"),
        ("socks5", Then::Greet(b"HTTP/1.1 400 Bad Request\r\n\r\n"), UNREACHABLE, false, "not SOCKS"),
        ("socks4", Then::Refuse(91), UNREACHABLE, true, "(reply 91)"),
        ("socks4", Then::Refuse(92), CLIENT, false, "(reply 92)"),
        ("socks4a", Then::Refuse(93), CLIENT, false, "(reply 93)"),
    ] {
        let proxy = Socks::start(&[], then).await;
        let call = post("http://192.0.2.1/", "over").retries(1);
        let (fault, _, attempts) = gave_up(through(proxy.proxy(scheme)).call(call).await);
        assert!(fault.reason.contains(reason), "{then:?}: {}", fault.reason);
        assert_eq!((&*fault.code, fault.kind, fault.status), ("ERR_PROXY_TUNNEL", kind, None), "{then:?}");
        assert_eq!((fault.phase, fault.delivery), (Phase::Handshake, Delivery::NotSent));
        assert_eq!((fault.address.as_deref(), fault.port), (Some("127.0.0.1"), proxy.port()));
        assert_eq!((fault.transient, attempts), (transient, if transient { 2 } else { 1 }), "{then:?}");
    }
}

#[tokio::test]
async fn a_post_is_repeated_when_the_proxy_broke_off_and_arrives_once() {
    let authority = authority();
    for secure in [false, true] {
        let plain = Server::start(Peer::echo).await;
        let server = if secure { signed_by(&authority, leaf(), false).await } else { plain };
        let url = if secure { https(&server) } else { server.url("/") };
        let proxy = Socks::start(&[Then::Reset, Then::Close], Then::Connect).await;
        let options = TransportOptions { tls: trusting_only(&authority), ..TransportOptions::default() };
        let answer = routed(proxy.proxy("socks5"), "", options).call(post(url, "over")).await.expect("an answer");
        let attempts = answer.recovery.expect("what it took").attempts;
        let faults: Vec<_> = attempts.iter().filter_map(|attempt| attempt.fault.as_ref()).collect();
        assert_eq!(faults.len(), 2);
        for (fault, ending) in faults.into_iter().zip([Ending::Rst, Ending::Fin]) {
            assert_eq!((&*fault.code, fault.ending), ("ERR_PROXY_TUNNEL", Some(ending)));
            assert_eq!((fault.phase, fault.delivery, fault.port), (Phase::Handshake, Delivery::NotSent, proxy.port()));
        }
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn what_breaks_behind_the_proxy_is_told_as_without_one() {
    let server = Server::start(|mut peer| async move {
        peer.request().await;
        peer.reset();
    })
    .await;
    let proxy = Socks::open().await;
    let (fault, _, attempts) = gave_up(through(proxy.proxy("socks5")).call(post(server.url("/"), "charge")).await);
    assert_eq!((&*fault.code, fault.phase, fault.delivery), ("ECONNRESET", Phase::Wait, Delivery::Unknown));
    assert_eq!((fault.port, attempts, server.seen().len()), (proxy.port(), 1, 1));
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named() {
    let gone = Server::start(Peer::echo).await.address.port();
    for (proxy, code, address) in [
        (format!("socks5://127.0.0.1:{gone}"), "ECONNREFUSED", "127.0.0.1"),
        (format!("socks5h://known.test:{gone}"), "ECONNREFUSED", "127.0.0.1"),
        (format!("socks4a://127.0.0.1:{gone}"), "ECONNREFUSED", "127.0.0.1"),
        (format!("socks5h://gone.test:{gone}"), "ENOTFOUND", "gone.test"),
    ] {
        let client = through(Proxy::new(&proxy, &[]).unwrap());
        let (fault, _, attempts) = gave_up(client.call(post("http://192.0.2.1/", "over").retries(1)).await);
        assert_eq!((&*fault.code, fault.delivery, attempts), (code, Delivery::NotSent, 2), "{proxy}");
        assert!(fault.reason.starts_with("The proxy could not be reached."), "{}", fault.reason);
        let known = fault.address.as_deref();
        assert!(known == Some(address) || proxy.contains("known.test") && known == Some("::1"), "{proxy}: {known:?}");
        assert_eq!(fault.port, Some(gone));
    }
}

#[tokio::test]
async fn a_server_whose_name_we_cannot_resolve_is_not_the_proxys_fault() {
    let proxy = Socks::open().await;
    let call = get("http://nowhere.test:8080/").retries(0);
    let (fault, ..) = gave_up(through(proxy.proxy("socks5")).call(call).await);
    assert_eq!((&*fault.code, fault.phase, fault.delivery), ("ENOTFOUND", Phase::Resolve, Delivery::NotSent));
    assert_eq!((fault.address.as_deref(), fault.port), (Some("nowhere.test"), Some(8080)));
    assert!(!fault.reason.contains("proxy") && proxy.asked().is_empty(), "{}", fault.reason);
}

#[tokio::test]
async fn a_proxy_that_is_silent_or_takes_nobody_has_sent_nothing() {
    let silent = Server::start(|mut peer| async move { peer.until_closed().await }).await;
    let full = FullPort::new();
    for port in [silent.address.port(), full.address.port()] {
        let mut call = get("http://known.test/").retries(0);
        call.limits.connect = Some(Duration::from_millis(150));
        let client = through(Proxy::new(&format!("socks5://127.0.0.1:{port}"), &[]).unwrap());
        let (fault, ..) = gave_up(client.call(call).await);
        assert_eq!((&*fault.code, fault.kind, fault.delivery), ("ETIMEDOUT", Kind::Timeout, Delivery::NotSent));
        assert!(fault.reason.contains("through a proxy"), "{}", fault.reason);
        assert_eq!((fault.address.as_deref(), fault.port), (Some("127.0.0.1"), Some(port)));
    }
}

#[tokio::test]
async fn what_no_proxy_of_its_kind_can_reach_is_refused_at_once() {
    let proxy = Socks::open().await;
    for (scheme, url) in [("socks5", "https://[::1]:8443/"), ("socks4a", "http://[::1]:8080/")] {
        let (fault, _, attempts) = gave_up(through(proxy.proxy(scheme)).call(get(url)).await);
        assert_eq!((&*fault.code, fault.kind, attempts), ("ERR_PROXY_INVALID_CONFIG", Kind::Client, 1));
        assert_eq!(fault.delivery, Delivery::NotSent);
    }
    assert!(proxy.asked().is_empty());
}

#[tokio::test]
async fn credentials_for_a_proxy_are_not_taken_from_a_request() {
    let connected = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connected);
    let proxy = Server::start(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        async {}
    })
    .await;
    let client = through(Proxy::new(&format!("socks5://{}", proxy.address), &[]).unwrap());
    let call = get("http://nowhere.test/").header("proxy-authorization", "Basic bXkgb3du");
    let Err(CallError::Fault { fault, .. }) = client.call(call).await else { panic!("no fault") };
    assert_eq!((&*fault.code, fault.delivery), ("ERR_PROXY_INVALID_CONFIG", Delivery::NotSent));
    assert!(!format!("{fault:?}").contains("bXkgb3du"));
    assert_eq!(connected.load(Ordering::Relaxed), 0, "the proxy is not even connected to");
}
