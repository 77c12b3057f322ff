//! TLS that trusts what Node trusts, and says precisely what it refused.
//!
//! | question | file |
//! |---|---|
//! | what can be chosen? | [`options`] |
//! | which certificates are trusted? | [`roots`] |
//! | does a certificate lead to one of them? | [`chain`], and if not, why: [`issuer`] |
//! | is it for this host? | [`name`] |
//! | who are we? | [`identity`] |
//! | what does Node call it? | [`refusal`], [`codes`] |
//!
//! All of it is asked by the [`verifier`]; [`certificate`] and [`der`] read what webpki does not tell.

mod certificate;
mod chain;
pub(super) mod codes;
mod der;
mod identity;
mod issuer;
mod name;
mod options;
mod refusal;
mod roots;
mod verifier;

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::version::{TLS12, TLS13};

pub use identity::{Identity, IdentityError};
pub use options::{MinVersion, TlsOptions, Trust};
pub use roots::{LateRoots, Roots};

use self::identity::Identities;
use self::verifier::Verifier;
use super::options::TransportError;

/// With ring, without ALPN. `on_hello` is called when a handshake begins.
pub(super) fn config(options: &TlsOptions, on_hello: fn()) -> Result<ClientConfig, TransportError> {
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
