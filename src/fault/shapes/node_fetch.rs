//! node-fetch, 2 and 3. A `FetchError` copies `code` and syscall of the error inside, keeps no cause, and says
//! in `type` what kind of failure it is.

use super::{Case, Rule};
use crate::fault::{Delivery, Ending, Fault, Phase};

/// A body that broke off. Whether a `system` error struck before or inside the response is told by the message
/// only.
pub struct BrokenBody;

impl Rule for BrokenBody {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        const IN_BODY: [&str; 3] = [
            "Invalid response body while trying to fetch",
            "Could not create Buffer from response body",
            "Premature close of",
        ];
        let message = is_fetch_error(case).then(|| case.message()).flatten()?;
        if !IN_BODY.iter().any(|prefix| message.starts_with(prefix)) {
            return None;
        }
        let mut fault = match case.code() {
            None => case.fault("ECONNRESET", Phase::Receive, Delivery::Answered),
            Some(code) => case.fault(code.to_owned(), Phase::Receive, Delivery::Answered),
        };
        // Only a failed system call says that it was RST.
        if &*fault.code == "ECONNRESET" && fault.syscall.is_some() {
            fault.ending = Some(Ending::Rst);
        }
        Some(fault)
    }
}

/// A request that node-fetch itself ended, by `type`.
pub struct Refused;

impl Rule for Refused {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        if !is_fetch_error(case) {
            return None;
        }
        let (code, phase, delivery) = match case.link.type_.as_deref()? {
            "max-redirect" => ("ERR_TOO_MANY_REDIRECTS", Phase::Receive, Delivery::Answered),
            "no-redirect" | "unsupported-redirect" => ("ERR_UNEXPECTED_REDIRECT", Phase::Receive, Delivery::Answered),
            "invalid-redirect" => ("ERR_INVALID_REDIRECT", Phase::Receive, Delivery::Answered),
            "max-size" => ("ERR_RESPONSE_TOO_LARGE", Phase::Receive, Delivery::Answered),
            "request-timeout" => ("ETIMEDOUT", Phase::Wait, Delivery::Unknown),
            "body-timeout" => ("ETIMEDOUT", Phase::Receive, Delivery::Answered),
            _ => return None,
        };
        Some(case.fault(code, phase, delivery))
    }
}

fn is_fetch_error(case: &Case<'_>) -> bool {
    case.name() == Some("FetchError")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::evidence::{Evidence, Link};
    use crate::fault::{Kind, classify};

    fn judge(link: Link) -> Fault {
        classify(&Evidence { links: vec![link], ..Evidence::default() })
    }

    fn fetch_error(type_: &str, message: &str) -> Link {
        let name = Some("FetchError".into());
        Link { name, type_: Some(type_.into()), message: Some(message.into()), ..Link::default() }
    }

    #[test]
    fn the_body_is_told_from_the_request() {
        let code = Some("ECONNRESET".to_owned());
        let inside = fetch_error("system", "Invalid response body while trying to fetch http://a/: aborted");
        let fault = judge(Link { code: code.clone(), ..inside });
        assert_eq!((fault.phase, fault.delivery, fault.ending), (Phase::Receive, Delivery::Answered, None));
        let before = fetch_error("system", "request to http://a/ failed, reason: read ECONNRESET");
        let fault = judge(Link { code, syscall: Some("read".into()), ..before });
        assert_eq!((fault.phase, fault.delivery, fault.ending), (Phase::Wait, Delivery::Unknown, Some(Ending::Rst)));
    }

    #[test]
    fn a_premature_close_is_a_reset_even_without_a_code() {
        let no_type = Link {
            type_: None,
            ..fetch_error("", "Premature close of server response while trying to fetch http://a/")
        };
        let fault = judge(no_type);
        assert_eq!((&*fault.code, fault.delivery), ("ECONNRESET", Delivery::Answered));
    }

    #[test]
    fn the_type_names_what_it_refuses() {
        for (type_, code, kind) in [
            ("max-redirect", "ERR_TOO_MANY_REDIRECTS", Kind::Client),
            ("no-redirect", "ERR_UNEXPECTED_REDIRECT", Kind::Client),
            ("max-size", "ERR_RESPONSE_TOO_LARGE", Kind::TooLarge),
            ("request-timeout", "ETIMEDOUT", Kind::Timeout),
        ] {
            let fault = judge(fetch_error(type_, "words"));
            assert_eq!((&*fault.code, fault.kind), (code, kind), "{type_}");
        }
    }
}
