//! What is classified already: our own faults, and the errors that carry one.

use std::time::Duration;

use super::{Case, Rule};
use crate::fault::{Delivery, Ending, Fault, Kind, Phase, RetryAfter};

/// A fault passes as it is, so that classifying twice changes nothing.
pub struct Classified;

impl Rule for Classified {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        let link = case.link;
        let kind = Kind::parse(link.kind.as_deref()?)?;
        let phase = Phase::parse(link.phase.as_deref()?)?;
        let delivery = Delivery::parse(link.delivery.as_deref()?)?;
        let known = Fault::new(link.code.clone()?, phase, delivery);
        let reason = link.reason.clone().map_or(known.reason, Into::into);
        Some(Fault {
            kind,
            transient: link.transient.unwrap_or(known.transient),
            reconnect: link.reconnect.unwrap_or(known.reconnect),
            reason,
            ending: link.ending.as_deref().and_then(Ending::parse),
            errno: link.errno,
            syscall: link.syscall.clone().map(Into::into),
            address: link.address.clone(),
            port: link.port,
            status: link.status,
            retry_after: link.retry_after.and_then(milliseconds),
            detail: link.detail.clone(),
            ..known
        })
    }
}

fn milliseconds(value: f64) -> Option<RetryAfter> {
    Duration::try_from_secs_f64(value / 1000.0).ok().map(RetryAfter::Delay)
}

#[cfg(test)]
mod tests {
    use crate::fault::evidence::{Evidence, Link};
    use crate::fault::{Delivery, Ending, Fault, Phase, RetryAfter, classify};

    #[test]
    fn a_fault_that_crosses_twice_is_the_same() {
        let fault = Fault::new("ECONNRESET", Phase::Receive, Delivery::Answered)
            .with_ending(Ending::Rst)
            .with_errno(-104)
            .with_syscall("read")
            .with_address("127.0.0.1")
            .with_port(80)
            .with_status(200)
            .with_retry_after(RetryAfter::Delay(std::time::Duration::from_millis(2500)))
            .with_detail("word for word")
            .with_reason("A reason of its own.");
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
