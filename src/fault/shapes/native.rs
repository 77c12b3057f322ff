//! What is classified already: our own faults, and the errors that carry one.

use super::{Case, Rule};
use crate::fault::wire::Wire;
use crate::fault::{Delivery, Ending, Fault, Kind, Phase};
use crate::milliseconds;

/// A fault passes as it is, so that classifying twice changes nothing.
pub struct Classified;

impl Rule for Classified {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        let link = case.link;
        let told = Wire {
            code: link.code.as_deref()?.into(),
            kind: Kind::parse(link.kind.as_deref()?)?,
            phase: Phase::parse(link.phase.as_deref()?)?,
            delivery: Delivery::parse(link.delivery.as_deref()?)?,
            transient: link.transient,
            reconnect: link.reconnect,
            reason: link.reason.as_deref().map(Into::into),
            ending: link.ending.as_deref().and_then(Ending::parse),
            errno: link.errno,
            syscall: link.syscall.as_deref().map(Into::into),
            address: link.address.as_deref().map(Into::into),
            port: link.port,
            status: link.status,
            retry_after: link.retry_after.and_then(milliseconds::from_js),
            detail: link.detail.as_deref().map(Into::into),
        };
        Some(told.into())
    }
}

#[cfg(test)]
mod tests {
    use crate::fault::evidence::{Evidence, Link};
    use crate::fault::{Fault, classify};

    #[test]
    fn a_fault_that_crosses_twice_is_the_same() {
        let fault = Fault::with_every_field();
        let link: Link = serde_json::from_str(&fault.to_json()).unwrap();
        assert_eq!(classify(&Evidence { links: vec![link], ..Evidence::default() }), fault);
    }

    #[test]
    fn fields_that_only_look_like_those_of_a_fault_are_ignored() {
        let json = r#"{"code":"EPIPE","kind":"cat","phase":"wait","delivery":"unknown","transient":false}"#;
        let link: Link = serde_json::from_str(json).unwrap();
        assert!(classify(&Evidence { links: vec![link], ..Evidence::default() }).transient);
    }
}
