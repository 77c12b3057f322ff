//! TLS that trusts what Node trusts, and says precisely what it refused.
//!
//! | question | file |
//! |---|---|
//! | what can be chosen? | [`options`] |
//! | which certificates are trusted? | [`roots`] |
//! | does a certificate lead to one of them? | [`chain`], and if not, why: [`issuer`] |
//! | is it for this host? | [`name`] |
//! | who are we? | [`identity`] |
//! | what does Node call it? | [`refusal`], [`codes`]; of a handshake that failed: [`handshake`] |
//!
//! All of it is asked by the [`verifier`]; [`certificate`] and [`der`] read what webpki does not tell.

mod certificate;
mod chain;
pub(super) mod codes;
mod der;
pub(crate) mod handshake;
mod identity;
mod issuer;
mod name;
mod options;
mod refusal;
mod roots;
mod verifier;

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};

pub use identity::{Identity, IdentityError};
pub use options::{MinVersion, TlsOptions, Trust};
pub use roots::{LateRoots, Roots};

use self::identity::Identities;
use self::verifier::Verifier;
use super::options::TransportError;

/// With ring, without ALPN. `on_hello` is called when a handshake begins.
pub(crate) fn config(options: &TlsOptions, on_hello: fn()) -> Result<ClientConfig, TransportError> {
    let provider = ring::default_provider();
    let verifier = Verifier::new(&options.trust, provider.signature_verification_algorithms, on_hello);
    let builder = ClientConfig::builder_with_provider(Arc::new(provider));
    let builder = match options.min_version {
        MinVersion::Tls12 => builder.with_protocol_versions(&[&TLS13, &TLS12]),
        MinVersion::Tls13 => builder.with_protocol_versions(&[&TLS13]),
    };
    let config = builder
        .map_err(TransportError::Tls)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_cert_resolver(Arc::new(Identities(options.identities.clone())));
    Ok(config)
}

/// What is wrong with the certificates of a server, in Node's words, where that is asked after a handshake that accepted
/// whatever came.
pub(crate) fn refusal_of(
    trust: &Trust,
    certificates: &[CertificateDer<'_>],
    name: &ServerName<'_>,
) -> Option<&'static str> {
    let Some((own, others)) = certificates.split_first() else { return Some("CERT_REJECTED") };
    let verifier = Verifier::new(trust, ring::default_provider().signature_verification_algorithms, || {});
    let verdict = verifier.verify_server_cert(own, others, name, &[], UnixTime::now());
    verdict.err().map(|error| codes::code(&error))
}
