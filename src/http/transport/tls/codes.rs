//! rustls' errors under the names that Node gives them.
//!
//! Node's codes are OpenSSL's: `X509_V_ERR_*` for certificates, `ERR_SSL_*` for the protocol. What has no
//! counterpart is `EPROTO`, Node's own catch-all.

use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};

use super::refusal::Refusal;

pub fn code(error: &Error) -> &'static str {
    match error {
        Error::InvalidCertificate(refusal) => certificate(refusal),
        Error::AlertReceived(alert) => received(*alert),
        // The first bytes are not a TLS record: mostly a server that speaks plain HTTP on this port.
        Error::InvalidMessage(_) => "ERR_SSL_WRONG_VERSION_NUMBER",
        Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => "ERR_SSL_UNSUPPORTED_PROTOCOL",
        Error::NoApplicationProtocol => "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL",
        Error::DecryptError => "ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC",
        Error::PeerSentOversizedRecord => "ERR_SSL_DATA_LENGTH_TOO_LONG",
        _ => "EPROTO",
    }
}

fn certificate(refusal: &CertificateError) -> &'static str {
    match refusal {
        CertificateError::Other(other) => {
            other.0.downcast_ref().map_or("CERT_REJECTED", |refusal: &Refusal| refusal.code)
        }
        // The verifier's own refusals are all of the kind above; this is the signature of the handshake.
        CertificateError::BadSignature => "ERR_SSL_BAD_SIGNATURE",
        _ => "CERT_REJECTED",
    }
}

/// The server said why it refuses us.
fn received(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::HandshakeFailure => "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE",
        AlertDescription::ProtocolVersion => "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
        AlertDescription::UnrecognisedName => "ERR_SSL_TLSV1_UNRECOGNIZED_NAME",
        AlertDescription::NoApplicationProtocol => "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL",
        AlertDescription::CertificateRequired => "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
        AlertDescription::BadCertificate => "ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE",
        AlertDescription::CertificateExpired => "ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED",
        AlertDescription::CertificateUnknown => "ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        AlertDescription::UnknownCA => "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA",
        AlertDescription::AccessDenied => "ERR_SSL_TLSV1_ALERT_ACCESS_DENIED",
        AlertDescription::InternalError => "ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR",
        AlertDescription::InsufficientSecurity => "ERR_SSL_TLSV1_ALERT_INSUFFICIENT_SECURITY",
        _ => "EPROTO",
    }
}
