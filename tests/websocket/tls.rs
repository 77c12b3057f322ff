//! `wss:`, direct and through a proxy's tunnel.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;
use unreset::fault::{Ending, Phase};
use unreset::http::transport::proxies::{Proxy, ProxyRules};
use unreset::http::transport::tls::Trust;
use unreset::policy::GaveUp;
use unreset::websocket::options::Options;

use crate::support::*;

/// A server whose certificate is its own authority.
struct Server {
    acceptor: TlsAcceptor,
    pem: String,
}

impl Server {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Server { acceptor: TlsAcceptor::from(Arc::new(config)), pem: certificate.pem() }
    }

    async fn accept(&self, stream: TcpStream) -> TlsStream<TcpStream> {
        within(self.acceptor.accept(stream)).await.unwrap()
    }

    fn trusted(&self, options: Options) -> Options {
        let mut options = options;
        options.tls.options.trust = Trust::only([self.pem.as_bytes()]);
        options
    }
}

async fn head(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within(stream.read_u8()).await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

async fn upgrade(stream: &mut TlsStream<TcpStream>) {
    let head = head(stream).await;
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-Websocket-Key: ")).unwrap();
    let accept = accept_of(key);
    let answer = format!(
        "HTTP/1.1 101 Ok\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    within(stream.write_all(answer.as_bytes())).await.unwrap();
    within(stream.flush()).await.unwrap();
}

async fn accept_tcp(listener: &TcpListener) -> TcpStream {
    within(listener.accept()).await.unwrap().0
}

#[tokio::test]
async fn speaks_over_tls_and_tells_how_it_broke() {
    let server = Server::new("127.0.0.1");
    let (listener, url) = listen().await;
    let mut client = Client::open(server.trusted(to(&url.replace("ws:", "wss:"))));
    let mut peer = server.accept(accept_tcp(&listener).await).await;
    upgrade(&mut peer).await;
    let connected = client.connected().await;
    let tls = connected.tls.unwrap();
    assert_eq!((tls.protocol, tls.alpn.as_deref()), ("TLSv1.3", Some(&b"http/1.1"[..])));
    assert!(connected.url.starts_with("wss://"));
    client.text("secret");
    client.fates().await;
    let answer = [frame(0x81, b"one"), frame(0x82, &[7; 100_000])].concat();
    within(peer.write_all(&answer)).await.unwrap();
    within(peer.flush()).await.unwrap();
    assert_eq!(client.message().await.1, "one");
    assert_eq!(client.message().await.1.len(), 100_000);
    // Without TLS' own goodbye.
    socket2::SockRef::from(peer.get_ref().0).shutdown(std::net::Shutdown::Both).unwrap();
    assert_eq!(client.down().await.fault.ending, Some(Ending::Fin));
}

#[tokio::test]
async fn who_is_not_trusted_is_not_spoken_to() {
    let server = Server::new("127.0.0.1");
    let (listener, url) = listen().await;
    let mut client = Client::open(to(&url.replace("ws:", "wss:")));
    let stream = accept_tcp(&listener).await;
    assert!(within(server.acceptor.accept(stream)).await.is_err());
    let end = client.over().await;
    let fault = end.fault.unwrap();
    assert_eq!((end.gave_up, fault.phase), (Some(GaveUp::NotTransient), Phase::Handshake));
    assert_eq!(fault.code, "DEPTH_ZERO_SELF_SIGNED_CERT");
}

#[tokio::test]
async fn a_tunnel_leads_to_the_name_that_was_asked_for() {
    let server = Server::new("server.test");
    let (proxy, proxy_url) = listen().await;
    let proxy_url = proxy_url.replace("ws://", "http://").replace("/path", "");
    let rules = ProxyRules::new(None, Some(Proxy::new(&proxy_url, &[]).unwrap()), "");
    let mut client = Client::open(Options { proxies: rules, ..server.trusted(to("wss://server.test/p")) });
    let mut stream = accept_tcp(&proxy).await;
    assert!(head(&mut stream).await.starts_with("CONNECT server.test:443 HTTP/1.1\r\n"));
    within(stream.write_all(b"HTTP/1.1 200 Ok\r\n\r\n")).await.unwrap();
    let mut peer = server.accept(stream).await;
    assert_eq!(peer.get_ref().1.server_name(), Some("server.test"));
    upgrade(&mut peer).await;
    client.up().await;
}
