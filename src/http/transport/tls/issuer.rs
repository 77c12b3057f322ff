//! Why no trusted issuer was found, in OpenSSL's words.
//!
//! "Unknown issuer" is all that webpki says where OpenSSL tells a self-signed certificate from a missing intermediate.
//! People search for Node's codes, and the remedies differ, so the chain is looked at once more when it has been refused.

use super::certificate::Certificate;
use super::chain::Presented;
use super::refusal::Refusal;
use super::roots::Roots;

/// As long as OpenSSL follows one.
const LONGEST_CHAIN: usize = 100;

/// webpki's refusal, with what it says of the issuer looked into.
pub fn refusal(error: &webpki::Error, presented: &Presented<'_>, roots: &Roots) -> Refusal {
    use webpki::Error;
    let about_issuer = matches!(error, Error::UnknownIssuer | Error::InvalidSignatureForPublicKey);
    about_issuer.then(|| missing(presented, roots)).flatten().unwrap_or_else(|| Refusal::from(error))
}

/// `None`: there is a trusted issuer, as far as names and key identifiers tell.
pub fn missing(presented: &Presented<'_>, roots: &Roots) -> Option<Refusal> {
    let read = |der| Certificate::read(der);
    let own: Vec<_> = roots.intermediates().iter().filter_map(|der| read(der)).collect();
    let sent: Vec<_> = presented.others.iter().filter_map(|der| read(der)).collect();
    let mut top = presented.certificate;
    let mut length = 1;
    let mut is_own = false;
    while length < LONGEST_CHAIN && !top.is_self_issued() && !is_issued_by_root(top, roots) {
        let issuer = |of: &[Certificate<'_>]| of.iter().position(|issuer| top.names_as_issuer(issuer));
        top = match (issuer(&own), issuer(&sent)) {
            (Some(place), _) => {
                is_own = true;
                &own[place]
            }
            (None, Some(place)) => &sent[place],
            (None, None) => break,
        };
        length += 1;
    }
    if is_issued_by_root(top, roots) {
        return None;
    }
    Some(match (length, top.is_self_issued()) {
        (1, true) => Refusal::new("DEPTH_ZERO_SELF_SIGNED_CERT", "the certificate is self-signed and not trusted"),
        (_, true) => Refusal::new("SELF_SIGNED_CERT_IN_CHAIN", "the root of the chain is not trusted"),
        // The usual sign of a server that sends no chain.
        (1, false) => Refusal::new("UNABLE_TO_VERIFY_LEAF_SIGNATURE", "the issuer is neither sent nor trusted"),
        (_, false) if is_own => {
            Refusal::new("UNABLE_TO_GET_ISSUER_CERT", "the issuer of a trusted intermediate is not trusted")
        }
        (_, false) => Refusal::new("UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "the chain does not lead to a trusted root"),
    })
}

fn is_issued_by_root(certificate: &Certificate<'_>, roots: &Roots) -> bool {
    roots.anchors().iter().any(|anchor| {
        let known = roots.authority(anchor).and_then(|authority| Certificate::read(&authority.der));
        match known {
            Some(root) => certificate.names_as_issuer(&root),
            None => certificate.issuer == anchor.subject.as_ref(),
        }
    })
}
