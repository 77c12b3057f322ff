//! TLS. Certificates and alerts have codes of their own, which the catalogue knows; this is what has none.

use super::{Case, Rule};
use crate::fault::{Delivery, Ending, Fault, Phase};

/// The peer closed during the handshake. Node calls it `ECONNRESET`, and is alone in adding the host, path and
/// local address of the connection it was making. It encrypts nothing before the handshake is complete, so the
/// request has not left.
pub struct InterruptedHandshake;

impl Rule for InterruptedHandshake {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        let interrupted = case.link.tls_connect && case.link.syscall.is_none() && case.code() == Some("ECONNRESET");
        interrupted.then(|| case.fault("ECONNRESET", Phase::Handshake, Delivery::NotSent).with_ending(Ending::Fin))
    }
}

/// `EPROTO` is OpenSSL's, whatever system call Node names with it (until Node 20; later releases give OpenSSL's own
/// code).
pub struct ProtocolError;

impl Rule for ProtocolError {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        let own = case.inner.is_none() && case.code() == Some("EPROTO");
        own.then(|| case.fault("EPROTO", Phase::Handshake, Delivery::Unknown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::classify;
    use crate::fault::evidence::{Evidence, Link};

    #[test]
    fn only_the_handshake_proves_that_nothing_left() {
        let reset = Link { code: Some("ECONNRESET".into()), ..Link::default() };
        let handshake = Link { tls_connect: true, ..reset.clone() };
        let read = Link { syscall: Some("read".into()), ..handshake.clone() };
        let place = |link| {
            let fault = classify(&Evidence { links: vec![link], ..Evidence::default() });
            (fault.phase, fault.delivery)
        };
        assert_eq!(place(handshake), (Phase::Handshake, Delivery::NotSent));
        assert_eq!(place(reset), (Phase::Wait, Delivery::Unknown));
        assert_eq!(place(read), (Phase::Wait, Delivery::Unknown));
    }

    #[test]
    fn eproto_is_not_a_failure_to_write() {
        let link = Link { code: Some("EPROTO".into()), syscall: Some("write".into()), ..Link::default() };
        let fault = classify(&Evidence { links: vec![link], ..Evidence::default() });
        assert_eq!((fault.phase, fault.delivery), (Phase::Handshake, Delivery::Unknown));
    }
}
