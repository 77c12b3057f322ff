//! Whether a certificate leads to a trusted one.
//!
//! webpki builds the chain and checks what RFC 5280 asks of it. OpenSSL, and so Node, is laxer in some places and stricter
//! in others, and is followed in both:
//!
//! | the server's certificate | webpki | Node | here |
//! |---|---|---|---|
//! | is itself trusted, and issued itself | refuses | accepts | accepted |
//! | is of version 1, or an authority | refuses | accepts | accepted, if a trusted one issued it directly |
//! | leads to an expired root, or to one that is no authority | accepts | refuses | refused |
//! | leads to a trusted intermediate only | accepts | refuses | refused: see [`super::roots`] |
//! | may neither sign nor encrypt, by its key usage | accepts | refuses | refused |

use std::cell::Cell;
use std::ops::RangeInclusive;

use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, RawPublicKeyEntity, VerifiedPath};

use super::certificate::{Certificate, Issuing, Validity};
use super::issuer;
use super::refusal::Refusal;
use super::roots::{Authority, Roots};

/// ring checks no other signatures. To take shorter keys Node has to be told so from version 24 on.
const RSA_BITS: RangeInclusive<usize> = 2048..=8192;

/// What a server sent.
pub struct Presented<'a> {
    pub der: &'a CertificateDer<'a>,
    pub certificate: &'a Certificate<'a>,
    /// The others it sent, in its order.
    pub others: &'a [CertificateDer<'a>],
}

pub fn verify(
    presented: &Presented<'_>,
    roots: &Roots,
    algorithms: &WebPkiSupportedAlgorithms,
    now: UnixTime,
) -> Result<(), Refusal> {
    let certificate = presented.certificate;
    // First, because of several things that are wrong OpenSSL names this one.
    within(certificate.validity, now)?;
    if certificate.is_self_issued() && roots.contain(presented.der) {
        // Nobody else vouches for it.
    } else if certificate.is_version_1() || certificate.is_authority() {
        issued_directly(presented, roots, algorithms, now)?;
    } else {
        by_webpki(presented, roots, algorithms, now)?;
    }
    if !certificate.may_serve() {
        return Err(Refusal::new("INVALID_PURPOSE", "the certificate is not meant for servers"));
    }
    Ok(())
}

/// A key that nothing can be checked with: its signature of the handshake would be called false.
pub fn check_key(certificate: &Certificate<'_>) -> Result<(), Refusal> {
    match certificate.rsa_bits() {
        Some(bits) if !RSA_BITS.contains(&bits) => Err(Refusal::new(
            "CERT_REJECTED",
            format!("its key of {bits} bits is not supported: RSA must have 2048 to 8192"),
        )),
        _ => Ok(()),
    }
}

fn by_webpki(
    presented: &Presented<'_>,
    roots: &Roots,
    algorithms: &WebPkiSupportedAlgorithms,
    now: UnixTime,
) -> Result<(), Refusal> {
    let refused = |error: webpki::Error| issuer::refusal(&error, presented, roots);
    let certificate = EndEntityCert::try_from(presented.der).map_err(refused)?;
    let mut intermediates = presented.others;
    let with_own: Vec<CertificateDer<'_>>;
    if !roots.intermediates().is_empty() {
        with_own = [presented.others, roots.intermediates()].concat();
        intermediates = &with_own;
    }
    // The last chain that was whole and that OpenSSL would not accept.
    let unacceptable = Cell::new(None);
    let accept = |path: &VerifiedPath<'_>| {
        authorities_allow(path, roots, now).map_err(|refusal| {
            unacceptable.set(Some(refusal));
            // Means only: look for another chain.
            webpki::Error::UnknownIssuer
        })
    };
    let usage = KeyUsage::server_auth();
    match certificate.verify_for_usage(algorithms.all, roots.anchors(), intermediates, now, usage, None, Some(&accept))
    {
        Ok(_) => Ok(()),
        Err(error) => Err(unacceptable.take().unwrap_or_else(|| refused(error))),
    }
}

/// What OpenSSL asks of the authorities in a chain and webpki does not.
fn authorities_allow(path: &VerifiedPath<'_>, roots: &Roots, now: UnixTime) -> Result<(), Refusal> {
    let mut between = 0;
    for intermediate in path.intermediate_certificates() {
        may_issue(Certificate::read(&intermediate.der()).map_or(Issuing::NoAuthority, |read| read.issuing()))?;
        between += usize::from(intermediate.issuer() != intermediate.subject());
    }
    // Of those that are bundled nothing more is known, and they are what they should be.
    let Some(authority) = roots.authority(path.anchor()) else {
        return Ok(());
    };
    acceptable(authority, now)?;
    if authority.path_length.is_some_and(|length| usize::from(length) < between) {
        return Err(Refusal::new("PATH_LENGTH_EXCEEDED", "the chain is longer than its root allows"));
    }
    Ok(())
}

fn acceptable(authority: &Authority, now: UnixTime) -> Result<(), Refusal> {
    within(authority.validity, now)?;
    may_issue(authority.issuing)?;
    if !authority.allows_servers {
        return Err(Refusal::new("INVALID_PURPOSE", "the trusted certificate is not meant for servers"));
    }
    Ok(())
}

fn may_issue(issuing: Issuing) -> Result<(), Refusal> {
    match issuing {
        Issuing::Allowed => Ok(()),
        // OpenSSL says INVALID_CA as well, and Node hears what it says last.
        Issuing::NoAuthority => Err(Refusal::new("INVALID_PURPOSE", "an issuer is no authority")),
        // Node has no name for it and says UNSPECIFIED.
        Issuing::NotAllowed => Err(Refusal::new("INVALID_CA", "an issuer may not sign certificates by its key usage")),
    }
}

/// For a certificate that webpki refuses for its form: without a chain there is little to get wrong.
fn issued_directly(
    presented: &Presented<'_>,
    roots: &Roots,
    algorithms: &WebPkiSupportedAlgorithms,
    now: UnixTime,
) -> Result<(), Refusal> {
    let certificate = presented.certificate;
    let mut refusal = None;
    for authority in roots.authorities() {
        let Some(issuer) = Certificate::read(&authority.der).filter(|issuer| certificate.names_as_issuer(issuer))
        else {
            continue;
        };
        if !is_signed_by(certificate, &issuer, algorithms) {
            refusal = Some(Refusal::new("CERT_SIGNATURE_FAILURE", "the signature is not that of the issuer"));
        } else if certificate.has_unknown_duty || issuer.constrains_names {
            refusal = Some(Refusal::new("CERT_REJECTED", "the certificate is bound by what is not understood"));
        } else {
            match acceptable(authority, now) {
                Ok(()) => return Ok(()),
                Err(unacceptable) => refusal = Some(unacceptable),
            }
        }
    }
    Err(refusal.unwrap_or_else(|| match issuer::missing(presented, roots) {
        Some(refusal) => refusal,
        None => Refusal::new("INVALID_PURPOSE", "an authority is a server only if a trusted one issued it directly"),
    }))
}

fn is_signed_by(
    certificate: &Certificate<'_>,
    issuer: &Certificate<'_>,
    algorithms: &WebPkiSupportedAlgorithms,
) -> bool {
    let (message, signature) = certificate.signature();
    let public_key = issuer.public_key();
    let Ok(key) = RawPublicKeyEntity::try_from(&public_key) else {
        return false;
    };
    algorithms
        .all
        .iter()
        .filter(|algorithm| algorithm.signature_alg_id().as_ref() == certificate.signature_algorithm)
        .any(|algorithm| key.verify_signature(*algorithm, message, signature).is_ok())
}

fn within(validity: Validity, now: UnixTime) -> Result<(), Refusal> {
    let day = |time: UnixTime| {
        httpdate::fmt_http_date(std::time::UNIX_EPOCH + std::time::Duration::from_secs(time.as_secs()))
    };
    if now < validity.not_before {
        return Err(Refusal::new(
            "CERT_NOT_YET_VALID",
            format!("a certificate begins at {}", day(validity.not_before)),
        ));
    }
    if now > validity.not_after {
        return Err(Refusal::new("CERT_HAS_EXPIRED", format!("a certificate ended at {}", day(validity.not_after))));
    }
    Ok(())
}
