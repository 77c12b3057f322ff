//! The verdict on a server's certificate, in Node's words.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature, verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, SignatureScheme};
use webpki::RawPublicKeyEntity;

use super::certificate::Certificate;
use super::chain::{self, Presented};
use super::name;
use super::options::Trust;
use super::refusal::Refusal;
use super::roots::Roots;

#[derive(Debug)]
pub struct Verifier {
    trusted: Trusted,
    algorithms: WebPkiSupportedAlgorithms,
    on_hello: fn(),
}

#[derive(Debug)]
enum Trusted {
    Roots(Arc<Roots>),
    Later(super::LateRoots),
    Everybody,
}

impl Verifier {
    pub fn new(trust: &Trust, algorithms: WebPkiSupportedAlgorithms, on_hello: fn()) -> Self {
        let trusted = match trust {
            Trust::Bundled => Trusted::Roots(Arc::new(Roots::bundled())),
            Trust::Only(roots) => Trusted::Roots(Arc::clone(roots)),
            Trust::Later(roots) => Trusted::Later(roots.clone()),
            Trust::Everybody => Trusted::Everybody,
        };
        Verifier { trusted, algorithms, on_hello }
    }

    fn judge(&self, presented: &Presented<'_>, server: &ServerName<'_>, now: UnixTime) -> Result<(), Refusal> {
        chain::check_key(presented.certificate)?;
        let roots = match &self.trusted {
            Trusted::Everybody => return Ok(()),
            Trusted::Roots(roots) => roots,
            // Whoever asks for an exchange over TLS waits for them first.
            Trusted::Later(roots) => {
                roots.get().ok_or_else(|| Refusal::new("CERT_UNTRUSTED", "no roots are known yet"))?
            }
        };
        chain::verify(presented, roots, &self.algorithms, now)?;
        if !name::is_for(presented.certificate, server) {
            let names = name::shown(presented.certificate);
            let why = format!("the certificate is for {names} and not for {}", server.to_str());
            return Err(Refusal::new("ERR_TLS_CERT_ALTNAME_INVALID", why));
        }
        Ok(())
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let certificate = &Certificate::read(end_entity)
            .ok_or_else(|| Refusal::new("CERT_REJECTED", "the certificate cannot be read"))?;
        self.judge(&Presented { der: end_entity, certificate, others: intermediates }, server_name, now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match of_version_1(cert) {
            Some(certificate) => self.verify_tls12_signature_by_key(message, &certificate, dss),
            None => verify_tls12_signature(message, cert, dss, &self.algorithms),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match of_version_1(cert) {
            Some(certificate) => {
                verify_tls13_signature_with_raw_key(message, &certificate.public_key(), dss, &self.algorithms)
            }
            None => verify_tls13_signature(message, cert, dss, &self.algorithms),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        // rustls asks for these when it writes the ClientHello.
        (self.on_hello)();
        self.algorithms.supported_schemes()
    }
}

impl Verifier {
    /// As rustls does it with a certificate, which it does not do with a key alone.
    fn verify_tls12_signature_by_key(
        &self,
        message: &[u8],
        certificate: &Certificate<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let public_key = certificate.public_key();
        let key = RawPublicKeyEntity::try_from(&public_key).map_err(|_| CertificateError::BadEncoding)?;
        let offered = self.algorithms.mapping.iter().filter(|(scheme, _)| *scheme == dss.scheme);
        let is_valid = offered
            .flat_map(|(_, algorithms)| *algorithms)
            .any(|algorithm| key.verify_signature(*algorithm, message, dss.signature()).is_ok());
        match is_valid {
            true => Ok(HandshakeSignatureValid::assertion()),
            false => Err(CertificateError::BadSignature.into()),
        }
    }
}

/// webpki, and with it rustls, does not read these.
fn of_version_1<'a>(der: &'a CertificateDer<'_>) -> Option<Certificate<'a>> {
    Certificate::read(der).filter(Certificate::is_version_1)
}
