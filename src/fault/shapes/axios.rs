//! axios. It copies the code of the error inside and keeps that as `cause`; these are the cases where it has
//! none, or knows more.

use super::{Case, Rule};
use crate::fault::{Delivery, Fault, Phase};

/// Its own limit on time, which it calls `ECONNABORTED` (unless `transitional.clarifyTimeoutError` is set). The
/// `ECONNABORTED` of an operating system comes with a cause.
pub struct Timeout;

impl Rule for Timeout {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        let own = case.link.is_axios_error && case.inner.is_none() && case.code() == Some("ECONNABORTED");
        own.then(|| case.fault("ETIMEDOUT", Phase::Wait, Delivery::Unknown))
    }
}

/// A response that ended early. Either the error carries the response, whose data was never set: axios 1.x reports
/// RST, FIN and a socket that stalled for longer than `timeout` alike, so how it ended is not known. Or it is the
/// error of the socket, and only the request tells that a response had begun.
pub struct BrokenBody;

impl Rule for BrokenBody {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        let link = case.link;
        if !link.is_axios_error {
            return None;
        }
        let incomplete = match &link.response {
            Some(response) => !response.has_data && !is_failure(response.status),
            None => link.request_answered,
        };
        let has_cause = case.inner.is_some();
        // A transform that threw is a cause too, and not one of the network.
        let broke_off = link.response.is_some() && case.children.is_empty() && case.code() == Some("ERR_BAD_RESPONSE");
        (incomplete && (has_cause || broke_off)).then(|| case.broken_body("ECONNRESET"))
    }
}

fn is_failure(status: Option<u16>) -> bool {
    status.is_some_and(|status| status >= 400)
}

#[cfg(test)]
mod tests {
    use crate::fault::evidence::{Evidence, Link, Response};
    use crate::fault::{Delivery, Ending, Fault, Kind, Phase, classify};

    fn axios_error(code: &str) -> Link {
        Link { is_axios_error: true, name: Some("AxiosError".into()), code: Some(code.into()), ..Link::default() }
    }

    fn judge(links: Vec<Link>) -> Fault {
        classify(&Evidence { links, ..Evidence::default() })
    }

    fn response(status: u16, has_data: bool) -> Option<Response> {
        Some(Response { status: Some(status), has_data, ..Response::default() })
    }

    #[test]
    fn its_timeout_is_not_a_broken_connection() {
        assert_eq!(&*judge(vec![axios_error("ECONNABORTED")]).code, "ETIMEDOUT");
        let cause = Link { parent: Some(0), code: Some("ECONNABORTED".into()), errno: Some(-103), ..Link::default() };
        assert_eq!(judge(vec![axios_error("ECONNABORTED"), cause]).kind, Kind::Reset);
    }

    #[test]
    fn a_response_without_data_broke_off() {
        let fault = judge(vec![Link { response: response(200, false), ..axios_error("ERR_BAD_RESPONSE") }]);
        assert_eq!((&*fault.code, fault.phase, fault.delivery), ("ECONNRESET", Phase::Receive, Delivery::Answered));
        assert_eq!(fault.ending, None);
    }

    #[test]
    fn a_broken_response_with_a_cause_keeps_what_the_cause_tells() {
        let cause = Link {
            parent: Some(0),
            code: Some("ECONNRESET".into()),
            errno: Some(-104),
            syscall: Some("read".into()),
            ..Link::default()
        };
        let fault = judge(vec![Link { response: response(200, false), ..axios_error("ECONNRESET") }, cause]);
        assert_eq!(
            (fault.phase, fault.delivery, fault.ending),
            (Phase::Receive, Delivery::Answered, Some(Ending::Rst))
        );
    }

    #[test]
    fn the_request_tells_that_a_response_had_begun() {
        let cause =
            Link { parent: Some(0), code: Some("ECONNRESET".into()), syscall: Some("read".into()), ..Link::default() };
        let place = |request_answered| {
            let error = Link { request_answered, ..axios_error("ECONNRESET") };
            let fault = judge(vec![error, cause.clone()]);
            (fault.phase, fault.delivery)
        };
        assert_eq!(place(true), (Phase::Receive, Delivery::Answered));
        assert_eq!(place(false), (Phase::Wait, Delivery::Unknown));
    }

    #[test]
    fn a_status_that_was_not_wanted_is_not_a_broken_response() {
        let fault = judge(vec![Link { response: response(204, true), ..axios_error("ERR_BAD_RESPONSE") }]);
        assert_eq!((&*fault.code, fault.kind), ("ERR_BAD_RESPONSE", Kind::Protocol));
        let fault = judge(vec![Link { response: response(503, true), ..axios_error("ERR_BAD_RESPONSE") }]);
        assert_eq!(&*fault.code, "HTTP_503");
    }

    #[test]
    fn a_transform_that_threw_is_not_a_broken_response() {
        let cause = Link { parent: Some(0), name: Some("SyntaxError".into()), ..Link::default() };
        let fault = judge(vec![Link { response: response(200, false), ..axios_error("ERR_BAD_RESPONSE") }, cause]);
        assert_eq!((fault.kind, fault.transient), (Kind::Protocol, false));
    }
}
