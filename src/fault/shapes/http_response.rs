//! Responses, and errors that stand for one.

use super::{Case, Rule};
use crate::fault::{Fault, RetryAfter};

/// A response itself: fetch's, `http`'s, undici's, axios's, got's.
pub struct Response;

impl Rule for Response {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        let link = case.link;
        if !link.is_response {
            return None;
        }
        Some(fault_of(link.status?, link.retry_after_header.as_deref()))
    }
}

/// An error for a status that the client does not accept (axios, got, ky, superagent, undici's interceptor, API
/// clients): it carries the response, or its status. Other errors may have a number called `status` too, so only
/// the statuses of failures count.
pub struct ErrorWithStatus;

impl Rule for ErrorWithStatus {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        let link = case.link;
        let (status, retry_after) = match &link.response {
            Some(response) if response.status.is_some() => (response.status, response.retry_after_header.as_deref()),
            _ => (link.status, link.retry_after_header.as_deref()),
        };
        let status = status.filter(|status| (400..600).contains(status))?;
        let fault = fault_of(status, retry_after);
        Some(match case.message() {
            Some(message) => fault.with_detail(message),
            None => fault,
        })
    }
}

fn fault_of(status: u16, retry_after: Option<&str>) -> Fault {
    Fault::from_status(status, retry_after.and_then(RetryAfter::parse))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::fault::evidence::{self, Evidence, Link};
    use crate::fault::{Delivery, Kind, classify};

    fn judge(link: Link) -> Fault {
        classify(&Evidence { links: vec![link], ..Evidence::default() })
    }

    #[test]
    fn a_response_is_its_status() {
        let retry_after_header = Some("7".to_owned());
        let fault = judge(Link { is_response: true, status: Some(429), retry_after_header, ..Link::default() });
        assert_eq!((&*fault.code, fault.kind, fault.delivery), ("HTTP_429", Kind::Throttled, Delivery::Answered));
        assert_eq!(fault.retry_after, Some(RetryAfter::Delay(Duration::from_secs(7))));
    }

    #[test]
    fn a_response_that_did_not_fail_is_no_failure() {
        let fault = judge(Link { is_response: true, status: Some(204), ..Link::default() });
        assert_eq!((&*fault.code, fault.kind, fault.transient), ("HTTP_204", Kind::Unknown, false));
    }

    #[test]
    fn an_error_carries_the_status_of_its_response_or_its_own() {
        let response = Some(evidence::Response { status: Some(502), ..evidence::Response::default() });
        assert_eq!(&*judge(Link { response, ..Link::default() }).code, "HTTP_502");
        let fault = judge(Link { status: Some(404), message: Some("no such user".into()), ..Link::default() });
        assert_eq!((&*fault.code, fault.detail.as_deref()), ("HTTP_404", Some("no such user")));
        assert_eq!(judge(Link { status: Some(1), ..Link::default() }).kind, Kind::Unknown);
    }
}
