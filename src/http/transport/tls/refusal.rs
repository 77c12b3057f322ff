//! A certificate that is not accepted, and what Node calls that.

use std::fmt;
use std::sync::Arc;

/// Why, as an error that rustls carries to whoever classifies the handshake's failure.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Refusal {
    /// OpenSSL's `X509_V_ERR_*` without the prefix, or Node's own.
    pub code: &'static str,
    pub why: String,
}

impl Refusal {
    pub fn new(code: &'static str, why: impl Into<String>) -> Self {
        Refusal { code, why: why.into() }
    }
}

/// Which is how rustls shows what it carries.
impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl From<&webpki::Error> for Refusal {
    /// Except for what concerns the issuer, where Node looks closer: see [`super::chain`].
    fn from(error: &webpki::Error) -> Self {
        use webpki::Error;
        let code = match error {
            Error::CertExpired { .. } | Error::InvalidCertValidity => "CERT_HAS_EXPIRED",
            Error::CertNotValidYet { .. } => "CERT_NOT_YET_VALID",
            Error::CertRevoked => "CERT_REVOKED",
            Error::InvalidSignatureForPublicKey | Error::SignatureAlgorithmMismatch => "CERT_SIGNATURE_FAILURE",
            // Of an issuer that is no authority OpenSSL says both, and Node hears what it says last.
            Error::EndEntityUsedAsCa | Error::EmptyEkuExtension | Error::RequiredEkuNotFoundContext(_) => {
                "INVALID_PURPOSE"
            }
            Error::PathLenConstraintViolated => "PATH_LENGTH_EXCEEDED",
            Error::MaximumPathDepthExceeded => "CERT_CHAIN_TOO_LONG",
            Error::UnknownIssuer => "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
            _ => "CERT_REJECTED",
        };
        let why = match error {
            // Which of them would be a page of numbers.
            Error::UnsupportedSignatureAlgorithmContext(_)
            | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
                "a signature is of a kind that is not supported, such as SHA-1 or P-521".to_owned()
            }
            _ => error.to_string(),
        };
        Refusal::new(code, why)
    }
}

impl From<Refusal> for rustls::Error {
    fn from(refusal: Refusal) -> Self {
        let other = rustls::OtherError(Arc::new(refusal));
        rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other))
    }
}
