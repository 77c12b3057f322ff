//! What is trusted, and how a refusal is named. The codes are those that Node programmers search for.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::crypto::ring::sign::any_supported_type;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ALL_VERSIONS, SupportedProtocolVersion};
use unreset::fault::{Delivery, Fault, Kind, Phase};
use unreset::http::call::Client;
use unreset::http::transport::direct::DirectTransport;
use unreset::http::transport::options::TransportOptions;
use unreset::http::transport::tls::{MinVersion, TlsOptions, Trust};

use crate::support::*;

pub type Authority = CertifiedIssuer<'static, KeyPair>;

pub fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "Test Authority");
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// For 127.0.0.1 unless a test changes it.
pub fn leaf() -> CertificateParams {
    CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap()
}

/// Serves echoes behind `chain`, whose first certificate has `key`.
async fn serving(chain: Vec<CertificateDer<'static>>, key: KeyPair) -> Server {
    serving_over(ALL_VERSIONS, chain, key).await
}

/// The key need not be that of the certificate.
async fn serving_over(
    versions: &[&'static SupportedProtocolVersion],
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
) -> Server {
    let key = any_supported_type(&PrivateKeyDer::try_from(key.serialize_der()).unwrap()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key))));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Server::start(move |peer| {
        let acceptor = acceptor.clone();
        async move {
            let Peer { stream, number, seen, unread } = peer;
            // A client that refuses the certificate ends the handshake.
            if let Ok(stream) = acceptor.accept(stream).await {
                Peer { stream, number, seen, unread }.echo().await;
            }
        }
    })
    .await
}

pub async fn signed_by(authority: &Authority, params: CertificateParams, with_root: bool) -> Server {
    let key = KeyPair::generate().unwrap();
    let leaf = params.signed_by(&key, authority).unwrap();
    let mut chain = vec![leaf.der().clone()];
    if with_root {
        chain.push(authority.der().clone());
    }
    serving(chain, key).await
}

async fn self_signed(params: CertificateParams) -> Server {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    serving(vec![certificate.der().clone()], key).await
}

pub fn https(server: &Server) -> String {
    format!("https://{}/", server.address)
}

fn trusting(authority: &Authority) -> TestClient {
    with_roots(&[authority.pem().as_bytes()])
}

/// The one fault of a POST to `server`: refusals are never retried, and nothing was sent.
async fn refused(client: TestClient, server: &Server) -> Fault {
    let (fault, recovery) = failed(client.call(post(https(server), "secret")).await);
    assert_eq!(
        (fault.kind, fault.phase, fault.delivery),
        (Kind::Tls, Phase::Handshake, Delivery::NotSent),
        "{fault:?}"
    );
    assert!(!fault.transient && recovery.attempts.len() == 1);
    assert!(server.seen().is_empty());
    fault
}

#[tokio::test]
async fn an_authority_that_was_added_is_trusted() {
    let authority = authority();
    let server = signed_by(&authority, leaf(), false).await;
    let client = trusting(&authority);
    assert_eq!(text(client.call(post(https(&server), "secret")).await).await, "secret");
    assert_eq!(text(client.call(post(https(&server), "again")).await).await, "again");
    assert_eq!(server.seen()[1].connection, 0, "connections over TLS are pooled too");
}

pub fn trusting_only(authority: &Authority) -> TlsOptions {
    TlsOptions { trust: Trust::only([authority.pem().as_bytes()]), ..TlsOptions::default() }
}

fn with_roots(files: &[&[u8]]) -> TestClient {
    with_tls(TlsOptions { trust: Trust::only(files.iter().copied()), ..Default::default() })
}

fn with_tls(tls: TlsOptions) -> TestClient {
    Client::new(DirectTransport::new(TransportOptions { tls, ..Default::default() }).unwrap())
}

/// More than one record of TLS, and read without hyper: see `long_bodies.rs`.
#[tokio::test]
async fn a_long_answer_comes_over_either_version() {
    let authority = authority();
    for versions in [&[&TLS12][..], &[&TLS13]] {
        let key = KeyPair::generate().unwrap();
        let certificate = leaf().signed_by(&key, &authority).unwrap();
        let server = serving_over(versions, vec![certificate.der().clone()], key).await;
        let client = trusting(&authority);
        for _ in 0..3 {
            assert!(text(client.call(post(https(&server), long_text())).await).await == long_text());
        }
        assert!(server.seen().iter().all(|seen| seen.connection == 0));
    }
}

#[tokio::test]
async fn roots_are_taken_as_der_too() {
    let authority = authority();
    let server = signed_by(&authority, leaf(), false).await;
    let client = with_roots(&[authority.der()]);
    assert_eq!(text(client.call(post(https(&server), "secret")).await).await, "secret");
}

#[tokio::test]
async fn whoever_is_trusted_must_have_the_key_of_the_certificate() {
    let everybody = || with_tls(TlsOptions { trust: Trust::Everybody, ..Default::default() });
    let plain = leaf().self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone();
    // Of version 1, whose signatures are not checked by rustls' own means.
    let fixture = include_bytes!("../../__test__/fixtures/version-1.pem");
    let of_version_1 = CertificateDer::pem_slice_iter(fixture).last().unwrap().unwrap();
    let own_key = PrivatePkcs8KeyDer::from_pem_slice(fixture).unwrap();
    for versions in [&[&TLS12][..], &[&TLS13]] {
        for certificate in [&plain, &of_version_1] {
            let server = serving_over(versions, vec![certificate.clone()], KeyPair::generate().unwrap()).await;
            assert_eq!(refused(everybody(), &server).await.code, "ERR_SSL_BAD_SIGNATURE");
        }
        let key = KeyPair::try_from(&own_key).unwrap();
        let server = serving_over(versions, vec![of_version_1.clone()], key).await;
        assert_eq!(text(everybody().call(post(https(&server), "not secret")).await).await, "not secret");
    }
}

#[tokio::test]
async fn tls_1_2_is_refused_where_1_3_is_the_least() {
    let (authority, key) = (authority(), KeyPair::generate().unwrap());
    let certificate = leaf().signed_by(&key, &authority).unwrap();
    let server = serving_over(&[&TLS12], vec![certificate.der().clone()], key).await;
    let with = |min_version| {
        with_tls(TlsOptions { trust: Trust::only([authority.pem().as_bytes()]), min_version, ..Default::default() })
    };
    assert_eq!(text(with(MinVersion::Tls12).call(post(https(&server), "secret")).await).await, "secret");
    let (fault, _) = failed(with(MinVersion::Tls13).call(post(https(&server), "secret")).await);
    assert_eq!(
        (&*fault.code, fault.phase, fault.delivery),
        ("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", Phase::Handshake, Delivery::NotSent)
    );
}

#[tokio::test]
async fn a_chain_is_not_made_of_what_may_not_issue() {
    // A leaf that plays authority is the oldest trick there is.
    let authority = authority();
    let (greedy_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut greedy = leaf();
    greedy.distinguished_name.push(rcgen::DnType::CommonName, "greedy");
    let greedy_certificate = greedy.signed_by(&greedy_key, &authority).unwrap();
    let issuer = Issuer::new(greedy, greedy_key);
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let mut params = leaf();
        params.is_ca = is_ca;
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let chain = vec![certificate.der().clone(), greedy_certificate.der().clone()];
        let server = serving(chain, KeyPair::try_from(key.serialize_der()).unwrap()).await;
        assert_eq!(refused(trusting(&authority), &server).await.code, "INVALID_PURPOSE");
    }
}

#[tokio::test]
async fn a_self_signed_certificate_is_called_that() {
    let mut made_with_openssl_defaults = leaf();
    made_with_openssl_defaults.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    for params in [leaf(), made_with_openssl_defaults] {
        let server = self_signed(params).await;
        assert_eq!(refused(client(), &server).await.code, "DEPTH_ZERO_SELF_SIGNED_CERT");
    }
}

#[tokio::test]
async fn a_certificate_of_nobody_known_is_told_by_what_the_server_sends() {
    let server = signed_by(&authority(), leaf(), false).await;
    assert_eq!(refused(client(), &server).await.code, "UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    let server = signed_by(&authority(), leaf(), true).await;
    assert_eq!(refused(client(), &server).await.code, "SELF_SIGNED_CERT_IN_CHAIN");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_called_that() {
    let authority = authority();
    let params = CertificateParams::new(vec!["other.test".to_owned()]).unwrap();
    let server = signed_by(&authority, params, false).await;
    assert_eq!(refused(trusting(&authority), &server).await.code, "ERR_TLS_CERT_ALTNAME_INVALID");
}

#[tokio::test]
async fn a_certificate_out_of_its_time_is_called_that() {
    let authority = authority();
    let mut expired = leaf();
    expired.not_after = date_time_ymd(2001, 1, 1);
    let server = signed_by(&authority, expired, false).await;
    assert_eq!(refused(trusting(&authority), &server).await.code, "CERT_HAS_EXPIRED");

    let mut early = leaf();
    early.not_before = date_time_ymd(2999, 1, 1);
    early.not_after = date_time_ymd(3000, 1, 1);
    let server = signed_by(&authority, early, false).await;
    assert_eq!(refused(trusting(&authority), &server).await.code, "CERT_NOT_YET_VALID");
}

#[tokio::test]
async fn a_server_that_speaks_plain_http_is_found_out() {
    let server = Server::start(|mut peer| async move {
        peer.more().await;
        peer.respond("400 Bad Request", "").await;
        peer.until_closed().await;
    })
    .await;
    assert_eq!(refused(client(), &server).await.code, "ERR_SSL_WRONG_VERSION_NUMBER");
}

#[tokio::test]
async fn a_handshake_that_is_cut_off_is_a_reset_of_nothing_sent() {
    for end in [Peer::reset as fn(Peer), drop] {
        let server = Server::start(move |mut peer| async move {
            peer.more().await;
            end(peer);
        })
        .await;
        let (fault, _, attempts) = gave_up(client().call(post(https(&server), "secret").retries(1)).await);
        assert_eq!((&*fault.code, fault.kind), ("ECONNRESET", Kind::Reset));
        assert_eq!((fault.phase, fault.delivery, attempts), (Phase::Handshake, Delivery::NotSent, 2));
    }
}
