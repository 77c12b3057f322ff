//! The verdict on a server's certificate, in Node's words.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
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

    fn judge(
        &self,
        roots: &Roots,
        der: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        server: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Refusal> {
        let certificate =
            &Certificate::read(der).ok_or_else(|| Refusal::new("CERT_REJECTED", "the certificate cannot be read"))?;
        chain::verify(&Presented { der, certificate, others }, roots, &self.algorithms, now)?;
        if !name::is_for(certificate, server) {
            let why = format!("the certificate is for {} and not for {}", name::shown(certificate), server.to_str());
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
        let roots = match &self.trusted {
            Trusted::Everybody => return Ok(ServerCertVerified::assertion()),
            Trusted::Roots(roots) => roots,
            // Whoever asks for an exchange over TLS waits for them first.
            Trusted::Later(roots) => roots.get().ok_or_else(|| rustls::Error::General("no roots yet".into()))?,
        };
        self.judge(roots, end_entity, intermediates, server_name, now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match Certificate::read(cert).filter(Certificate::is_version_1) {
            Some(certificate) => self.verify_by_key(message, &certificate, dss),
            None => verify_tls12_signature(message, cert, dss, &self.algorithms),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match Certificate::read(cert).filter(Certificate::is_version_1) {
            Some(certificate) => self.verify_by_key(message, &certificate, dss),
            None => verify_tls13_signature(message, cert, dss, &self.algorithms),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        // rustls asks for these when it writes the ClientHello, and reqwest begins TLS as soon as TCP is
        // connected: nothing else tells where the one ends and the other begins.
        (self.on_hello)();
        self.algorithms.supported_schemes()
    }
}

impl Verifier {
    /// As rustls does it, but for a certificate that webpki does not read.
    fn verify_by_key(
        &self,
        message: &[u8],
        certificate: &Certificate<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let public_key = certificate.public_key();
        let key = RawPublicKeyEntity::try_from(&public_key).map_err(|_| CertificateError::BadEncoding)?;
        let mut offered = self.algorithms.mapping.iter().filter(|(scheme, _)| *scheme == dss.scheme);
        let is_valid = offered.any(|(_, algorithms)| {
            algorithms.iter().any(|it| key.verify_signature(*it, message, dss.signature()).is_ok())
        });
        match is_valid {
            true => Ok(HandshakeSignatureValid::assertion()),
            false => Err(CertificateError::BadSignature.into()),
        }
    }
}
