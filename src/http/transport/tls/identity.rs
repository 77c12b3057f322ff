//! What we show a server that asks who we are.

use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, SignatureScheme};

use super::roots::certificates;

/// A certificate with its chain, and the key that belongs to it.
#[derive(Debug, Clone)]
pub struct Identity(Arc<CertifiedKey>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    #[error("there is no certificate in it")]
    NoCertificate,
    #[error("there is no private key in it")]
    NoKey,
    #[error("keys of this kind are not supported")]
    UnsupportedKey,
    #[error("the key is not that of the certificate")]
    OtherKey,
}

impl Identity {
    /// `chain`: PEM, the certificate itself first, then its intermediates; or one certificate in DER. `key`: PEM, not
    /// encrypted, as PKCS #8, PKCS #1 or SEC 1: RSA of 2048 to 4096 bits, P-256, P-384 or Ed25519.
    pub fn read(chain: &[u8], key: &[u8], provider: &CryptoProvider) -> Result<Self, IdentityError> {
        let chain = certificates(chain);
        if chain.is_empty() {
            return Err(IdentityError::NoCertificate);
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| IdentityError::NoKey)?;
        match CertifiedKey::from_der(chain, key, provider) {
            Ok(certified) => Ok(Identity(Arc::new(certified))),
            Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => Err(IdentityError::OtherKey),
            Err(_) => Err(IdentityError::UnsupportedKey),
        }
    }
}

/// The first identity whose key the server can check.
#[derive(Debug)]
pub struct Identities(pub Vec<Identity>);

impl ResolvesClientCert for Identities {
    fn resolve(&self, _authorities: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        // The authorities that the server names are advice: OpenSSL does not go by them either.
        let suits = |identity: &&Identity| identity.0.key.choose_scheme(schemes).is_some();
        self.0.iter().find(suits).map(|identity| Arc::clone(&identity.0))
    }

    fn has_certs(&self) -> bool {
        !self.0.is_empty()
    }
}
