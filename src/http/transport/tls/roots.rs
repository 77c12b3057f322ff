//! The certificates that are trusted.
//!
//! As in OpenSSL, a chain must end at one of them that issued itself. An intermediate among them is not trusted for its
//! own sake: it only helps to build the chain where the server does not send it (Node's `allowPartialTrustChain` is off
//! unless it is asked for).

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, TrustAnchor};

use super::certificate::{Certificate, Issuing, Validity};

#[derive(Default)]
pub struct Roots {
    anchors: Vec<TrustAnchor<'static>>,
    /// What is known of the anchor at the same place; of those that are bundled, nothing.
    known: Vec<Option<Authority>>,
    /// Those that did not issue themselves.
    intermediates: Vec<CertificateDer<'static>>,
}

/// A trusted certificate that issued itself.
#[derive(Debug)]
pub struct Authority {
    pub der: CertificateDer<'static>,
    pub validity: Validity,
    pub issuing: Issuing,
    pub allows_servers: bool,
    pub path_length: Option<u8>,
}

impl Roots {
    /// Mozilla's, as they were when this was built.
    pub fn bundled() -> Self {
        let anchors = webpki_roots::TLS_SERVER_ROOTS.to_vec();
        let known = anchors.iter().map(|_| None).collect();
        Roots { anchors, known, intermediates: Vec::new() }
    }

    /// Those of several files: PEM (any number in one) or DER (one each). What cannot be read is skipped, as Node skips
    /// it in `NODE_EXTRA_CA_CERTS`: one bad certificate must not fail every call to every host.
    pub fn read<'f>(files: impl IntoIterator<Item = &'f [u8]>) -> Self {
        let mut roots = Roots::default();
        files.into_iter().flat_map(certificates).for_each(|certificate| roots.add(certificate));
        roots
    }

    fn add(&mut self, der: CertificateDer<'static>) {
        let Some(certificate) = Certificate::read(&der) else {
            return;
        };
        if !certificate.is_self_issued() {
            self.intermediates.push(der);
            return;
        }
        let Ok(anchor) = webpki::anchor_from_trusted_cert(&der).map(|anchor| anchor.to_owned()) else {
            return;
        };
        let authority = Authority {
            validity: certificate.validity,
            issuing: certificate.issuing(),
            allows_servers: certificate.allows_servers(),
            path_length: certificate.path_length,
            der,
        };
        self.anchors.push(anchor);
        self.known.push(Some(authority));
    }

    pub fn anchors(&self) -> &[TrustAnchor<'static>] {
        &self.anchors
    }

    pub fn intermediates(&self) -> &[CertificateDer<'static>] {
        &self.intermediates
    }

    /// What is known of one of [`anchors`](Roots::anchors).
    pub fn authority(&self, anchor: &TrustAnchor<'_>) -> Option<&Authority> {
        let place = self.anchors.iter().position(|own| std::ptr::eq::<TrustAnchor<'_>>(own, anchor))?;
        self.known[place].as_ref()
    }

    pub fn authorities(&self) -> impl Iterator<Item = &Authority> {
        self.known.iter().flatten()
    }

    pub fn contain(&self, certificate: &CertificateDer<'_>) -> bool {
        self.authorities().any(|authority| authority.der == *certificate)
    }
}

/// Roots that become known when the first exchange over TLS wants them: to ask Node for its own costs a program that
/// speaks plain HTTP more than all else that this package does.
#[derive(Debug, Clone, Default)]
pub struct LateRoots(Arc<OnceLock<Arc<Roots>>>);

impl LateRoots {
    /// Later ones than the first change nothing.
    pub fn settle(&self, roots: Arc<Roots>) {
        let _ = self.0.set(roots);
    }

    pub fn get(&self) -> Option<&Arc<Roots>> {
        self.0.get()
    }
}

/// How many: what they are would be pages.
impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Roots({} and {} intermediates)", self.anchors.len(), self.intermediates.len())
    }
}

/// PEM with any number of certificates, or one in DER.
pub fn certificates(bytes: &[u8]) -> Vec<CertificateDer<'static>> {
    // A SEQUENCE whose length takes two bytes, as that of any certificate does. The first byte alone is also the
    // digit 0, with which text before the first PEM section may begin.
    const DER_CERTIFICATE: [u8; 2] = [0x30, 0x82];
    if bytes.starts_with(&DER_CERTIFICATE) {
        return vec![CertificateDer::from(bytes.to_vec())];
    }
    // The iterator goes on after a section that it could not read.
    CertificateDer::pem_slice_iter(bytes).filter_map(Result::ok).collect()
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

    use super::*;

    fn authority(name: &str) -> CertificateParams {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        params
    }

    #[test]
    fn only_what_issued_itself_is_an_anchor() {
        let root = CertifiedIssuer::self_signed(authority("root"), KeyPair::generate().unwrap()).unwrap();
        let between = authority("between").signed_by(&KeyPair::generate().unwrap(), &root).unwrap();
        let roots = Roots::read([between.pem().as_bytes(), root.pem().as_bytes()]);
        assert_eq!((roots.anchors().len(), roots.intermediates().len()), (1, 1));
        assert!(roots.contain(root.der()) && !roots.contain(between.der()));
        assert_eq!(roots.authority(&roots.anchors()[0]).unwrap().issuing, Issuing::Allowed);
    }

    #[test]
    fn what_is_no_certificate_spoils_none_of_the_others() {
        let (good, other) = (authority("good"), authority("other"));
        let pem = |params: CertificateParams| params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
        let (good, broken) = (pem(good), pem(other));
        let torn = broken.replace("-----END", "----");
        let not_base64 = broken.replace("\nMII", "\n*II");
        let not_a_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(torn != broken && not_base64 != broken);
        // `openssl s_client -showcerts` writes " 0 s:CN = ..." before the first one.
        let mixed = format!("0 s:CN = Test\n{not_base64}\n{not_a_certificate}\n{good}");
        for other in [torn.as_bytes(), b"\x30\x82no", b"\x30\x03no", b""] {
            assert_eq!(Roots::read([other, mixed.as_bytes()]).anchors().len(), 1);
        }
    }

    #[test]
    fn the_bundled_ones_are_there() {
        let roots = Roots::bundled();
        assert!(roots.anchors().len() > 100);
        assert!(roots.authority(&roots.anchors()[7]).is_none());
    }

    #[test]
    fn late_roots_are_settled_once() {
        let late = LateRoots::default();
        assert!(late.get().is_none());
        late.clone().settle(Arc::new(Roots::bundled()));
        late.settle(Arc::default());
        assert!(!late.get().unwrap().anchors().is_empty());
    }
}
