//! TLS that trusts the bundled roots and what the caller adds, and that says precisely what it refused.
//!
//! webpki answers "unknown issuer" where OpenSSL, and so Node, tells a self-signed certificate from a missing
//! intermediate. People search for Node's codes, and the remedies differ, so the chain is looked at once more
//! when it has been refused.

pub(super) mod codes;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};
use webpki::EndEntityCert;

use super::options::TransportError;

/// With ring, trusting the bundled Mozilla roots and `extra_roots`, without ALPN. `on_hello` is called when a handshake
/// begins.
pub(super) fn config(extra_roots: &[Bytes], on_hello: fn()) -> Result<ClientConfig, TransportError> {
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots(extra_roots)), Arc::clone(&provider))
        .build()
        .map_err(TransportError::Verifier)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TransportError::Tls)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier { webpki: verifier, on_hello }))
        .with_no_client_auth();
    Ok(config)
}

/// One bad certificate must not fail every call to every host: what cannot be read is skipped, as Node skips it
/// (with a warning) in `NODE_EXTRA_CA_CERTS`, where these come from.
fn roots(extra: &[Bytes]) -> RootCertStore {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for bytes in extra {
        roots.add_parsable_certificates(certificates(bytes));
    }
    roots
}

/// PEM with any number of certificates, or one in DER.
fn certificates(bytes: &Bytes) -> Vec<CertificateDer<'static>> {
    // A SEQUENCE whose length takes two bytes, as that of any certificate does. The first byte alone is also the
    // digit 0, with which text before the first PEM section may begin.
    const DER_CERTIFICATE: [u8; 2] = [0x30, 0x82];
    if bytes.starts_with(&DER_CERTIFICATE) {
        return vec![CertificateDer::from(bytes.to_vec())];
    }
    // The iterator goes on after a section that it could not read.
    CertificateDer::pem_slice_iter(bytes).filter_map(Result::ok).collect()
}

/// webpki's verdict, with a refusal put in Node's words. Nothing that webpki refuses is accepted here.
#[derive(Debug)]
struct Verifier {
    webpki: Arc<WebPkiServerVerifier>,
    on_hello: fn(),
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now).map_err(|error| {
            match untrusted(&error, end_entity, intermediates) {
                Some(code) => {
                    rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(Untrusted {
                        code,
                        verdict: error,
                    }))))
                }
                None => error,
            }
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.webpki.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.webpki.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        // rustls asks for these when it writes the ClientHello.
        (self.on_hello)();
        self.webpki.supported_verify_schemes()
    }
}

/// A certificate chain that does not lead to a trusted root, and what Node calls that.
#[derive(Debug)]
pub(super) struct Untrusted {
    pub code: &'static str,
    verdict: rustls::Error,
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.verdict.fmt(f)
    }
}

impl std::error::Error for Untrusted {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.verdict)
    }
}

/// Node's code for a refusal that is about the issuer, `None` for one that is about something else.
fn untrusted(
    error: &rustls::Error,
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
) -> Option<&'static str> {
    let rustls::Error::InvalidCertificate(refusal) = error else {
        return None;
    };
    // A self-signed certificate made with OpenSSL's defaults is a CA; webpki refuses it as a server's for that
    // reason, before it looks for an issuer.
    let is_ca = matches!(refusal, CertificateError::Other(OtherError(cause))
        if matches!(cause.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity)));
    if !is_ca && !matches!(refusal, CertificateError::UnknownIssuer) {
        return None;
    }
    if is_self_issued(end_entity) {
        return Some("DEPTH_ZERO_SELF_SIGNED_CERT");
    }
    if is_ca {
        return Some("INVALID_PURPOSE");
    }
    Some(match intermediates {
        // OpenSSL: "unable to verify the first certificate", the usual sign of a server that sends no chain.
        [] => "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        chain if chain.iter().any(is_self_issued) => "SELF_SIGNED_CERT_IN_CHAIN",
        _ => "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    })
}

fn is_self_issued(certificate: &CertificateDer<'_>) -> bool {
    EndEntityCert::try_from(certificate).is_ok_and(|parsed| parsed.issuer() == parsed.subject())
}
