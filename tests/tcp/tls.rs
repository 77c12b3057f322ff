//! TLS: whom it trusts, what it tells, and what it does when it breaks.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;
use unreset::fault::{Delivery, Phase};
use unreset::http::transport::tls::{TlsOptions, Trust};
use unreset::policy::GaveUp;
use unreset::tcp::options::{Options, Tls};

use crate::support::*;

/// A server whose certificate is its own authority.
struct Server {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    pem: String,
}

impl Server {
    async fn start() -> (Self, u16) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        config.alpn_protocols = vec![b"a".to_vec()];
        let (listener, port) = listen().await;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        (Server { listener, acceptor, pem: certificate.pem() }, port)
    }

    async fn accept(&self) -> TlsStream<TcpStream> {
        within(self.acceptor.accept(accept(&self.listener).await)).await.unwrap()
    }
}

fn over_tls(port: u16, trust: Trust, reject_unauthorized: bool) -> Options {
    let tls = Tls {
        options: TlsOptions { trust, ..TlsOptions::default() },
        name: "127.0.0.1".try_into().unwrap(),
        alpn: vec![b"b".to_vec(), b"a".to_vec()],
        reject_unauthorized,
    };
    Options { tls: Some(tls), ..to(port) }
}

fn trusting(server: &Server) -> Trust {
    Trust::only([server.pem.as_bytes()])
}

#[tokio::test]
async fn speaks_and_comes_back() {
    let (server, port) = Server::start().await;
    let mut client = Client::open(over_tls(port, trusting(&server), true));
    client.write("over tls");
    let mut peer = server.accept().await;
    let tls = client.connected().await.tls.unwrap();
    assert_eq!((tls.protocol, tls.alpn.as_deref(), tls.refusal), ("TLSv1.3", Some(&b"a"[..]), None));
    assert!(tls.cipher.starts_with("TLS_") && tls.certificates.len() == 1, "{}", tls.cipher);
    let mut read = [0; 8];
    within(peer.read_exact(&mut read)).await.unwrap();
    assert_eq!(&read, b"over tls");
    within(peer.write_all(b"answer")).await.unwrap();
    assert_eq!(client.read(6).await, b"answer");
    reset(peer.into_inner().0);
    let loss = client.down().await;
    assert_eq!(&*loss.fault.code, "ECONNRESET");
    if cfg!(target_os = "linux") {
        assert_eq!(loss.unacknowledged, Some(0), "it was read, so it was acknowledged");
    }
    let mut peer = server.accept().await;
    client.write("again");
    within(peer.read_exact(&mut read[..5])).await.unwrap();
    assert_eq!(&read[..5], b"again");
}

#[tokio::test]
async fn the_end_is_said_as_tls_says_it() {
    let (server, port) = Server::start().await;
    let mut client = Client::open(over_tls(port, trusting(&server), true));
    client.write("last");
    client.socket.end();
    let mut peer = server.accept().await;
    let mut read = Vec::new();
    within(peer.read_to_end(&mut read)).await.expect("with its goodbye");
    assert_eq!(read, b"last");
    within(peer.shutdown()).await.unwrap();
    assert!(client.over().await.is_none());
}

#[tokio::test]
async fn whom_nobody_trusts_is_not_tried_again() {
    let (server, port) = Server::start().await;
    let mut client = Client::open(over_tls(port, Trust::Bundled, true));
    let accepting = tokio::spawn(async move { server.acceptor.accept(accept(&server.listener).await).await.is_err() });
    let end = client.over().await.unwrap();
    assert_eq!(
        (&*end.fault.code, end.fault.phase, end.fault.delivery),
        ("DEPTH_ZERO_SELF_SIGNED_CERT", Phase::Handshake, Delivery::NotSent)
    );
    assert_eq!(end.gave_up, Some(GaveUp::NotTransient));
    assert!(within(accepting).await.unwrap());
}

#[tokio::test]
async fn whoever_answers_is_spoken_to_where_that_is_wanted_and_what_is_wrong_is_told() {
    let (server, port) = Server::start().await;
    let mut client = Client::open(over_tls(port, Trust::Bundled, false));
    let _peer = server.accept().await;
    assert_eq!(client.connected().await.tls.unwrap().refusal, Some("DEPTH_ZERO_SELF_SIGNED_CERT"));
}

#[tokio::test]
async fn a_reset_during_the_handshake_is_tried_again() {
    let (server, port) = Server::start().await;
    let mut client = Client::open(over_tls(port, trusting(&server), true));
    let mut begun = accept(&server.listener).await;
    read_exactly(&mut begun, 1).await;
    reset(begun);
    let (_, _, fault) = client.waiting().await;
    assert_eq!((&*fault.code, fault.phase, fault.delivery), ("ECONNRESET", Phase::Handshake, Delivery::NotSent));
    let _peer = server.accept().await;
    assert_eq!(client.up().await, None);
}
