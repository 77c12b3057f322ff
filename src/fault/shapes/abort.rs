//! The caller ended the call, with a signal or by a limit of its own. Told by identity and by name: the codes
//! differ from client to client (20, `ABORT_ERR`, `ERR_CANCELED`, none at all).

use super::{Case, Rule};
use crate::fault::{Delivery, Fault, Kind, Phase};

/// The very value that the caller's signal was aborted with, whatever it looks like and however it is wrapped.
pub struct SignalReason;

impl Rule for SignalReason {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        case.by_signal.then(|| case.fault("ABORT_ERR", Phase::Wait, Delivery::Unknown))
    }
}

/// An `AbortError`. Its cause is the reason that the caller gave and says nothing about the network, so it does
/// not pass through; unless the reason is a limit on time (`AbortSignal.timeout`).
pub struct NamedAbort;

impl Rule for NamedAbort {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        const NAMES: [&str; 2] = ["AbortError", "CanceledError"];
        const CODES: [&str; 5] = ["ABORT_ERR", "ERR_CANCELED", "ERR_ABORTED", "UND_ERR_ABORTED", "UND_ERR_ABORT"];
        let named = case.name().is_some_and(|name| NAMES.contains(&name));
        if !named && !case.code().is_some_and(|code| CODES.contains(&code)) {
            return None;
        }
        if case.children.iter().any(|reason| is_timeout(reason.name.as_deref())) {
            return Some(case.fault("ETIMEDOUT", Phase::Wait, Delivery::Unknown));
        }
        Some(case.fault("ABORT_ERR", Phase::Wait, Delivery::Unknown))
    }
}

/// A `TimeoutError`: that of `AbortSignal.timeout`, of ky, of promise helpers.
pub struct NamedTimeout;

impl Rule for NamedTimeout {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        if !is_timeout(case.name()) {
            return None;
        }
        // A timeout that is known more exactly (its phase) goes before the name.
        let exact = case.inner.clone().filter(|inner| inner.kind == Kind::Timeout);
        exact.or_else(|| Some(case.fault("ETIMEDOUT", Phase::Wait, Delivery::Unknown)))
    }
}

fn is_timeout(name: Option<&str>) -> bool {
    name == Some("TimeoutError")
}

#[cfg(test)]
mod tests {
    use crate::fault::evidence::{Evidence, Link};
    use crate::fault::{Fault, Kind, classify};

    fn named(name: &str) -> Link {
        Link { name: Some(name.into()), ..Link::default() }
    }

    fn judge(links: Vec<Link>) -> Fault {
        classify(&Evidence { links, ..Evidence::default() })
    }

    #[test]
    fn an_abort_is_an_abort_whatever_its_reason() {
        let reset = Link { parent: Some(0), code: Some("ECONNRESET".into()), ..Link::default() };
        let fault = judge(vec![named("AbortError"), reset]);
        assert_eq!((&*fault.code, fault.kind, fault.transient), ("ABORT_ERR", Kind::Aborted, false));
    }

    #[test]
    fn a_limit_on_time_is_a_timeout_however_it_is_wrapped() {
        let inside = Link { parent: Some(0), ..named("TimeoutError") };
        for links in [vec![named("TimeoutError")], vec![named("AbortError"), inside]] {
            let fault = judge(links);
            assert_eq!((&*fault.code, fault.kind), ("ETIMEDOUT", Kind::Timeout));
        }
    }

    #[test]
    fn the_reason_of_the_callers_signal_is_an_abort_even_deep_inside_and_even_if_it_is_a_timeout() {
        let reason = Link { parent: Some(0), signal_reason: true, ..named("TimeoutError") };
        assert_eq!(judge(vec![named("Error"), reason]).kind, Kind::Aborted);
        let text = Link { signal_reason: true, text: true, message: Some("why".into()), ..Link::default() };
        let fault = judge(vec![text]);
        assert_eq!((fault.kind, fault.detail.as_deref()), (Kind::Aborted, Some("why")));
    }
}
