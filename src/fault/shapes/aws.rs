//! AWS SDK for JavaScript 3: an exception of a service carries `$metadata` and says with `$retryable` whether it passes.

use super::{Case, Rule};
use crate::fault::{Fault, Kind};

/// What a service answered.
pub struct Exception;

/// Names that the SDK itself repeats on (its `THROTTLING_ERROR_CODES` and `TRANSIENT_ERROR_CODES`), whatever their status.
const THROTTLING: [&str; 14] = [
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];
const PASSING: [&str; 2] = ["RequestTimeout", "RequestTimeoutException"];

impl Rule for Exception {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        let aws = case.link.aws?;
        // Without a status there was no response: what broke is the cause, or a code of the system's.
        let status = aws.status.filter(|status| (400..600).contains(status))?;
        let mut fault = case.described(Fault::from_status(status, None));
        let named = |names: &[&str]| case.name().is_some_and(|name| names.contains(&name));
        if aws.throttling || named(&THROTTLING) {
            fault.kind = Kind::Throttled;
            fault.transient = true;
            fault = fault.with_reason("The service asks for fewer requests.");
        } else if aws.retryable || named(&PASSING) {
            fault.transient = true;
            fault = fault.with_reason("The service says that the same request may succeed later.");
        }
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::evidence::{Aws, Evidence, Link};
    use crate::fault::{Delivery, classify};

    fn judge(name: &str, aws: Aws) -> Fault {
        let link = Link { name: Some(name.into()), aws: Some(aws), ..Link::default() };
        classify(&Evidence { links: vec![link], ..Evidence::default() })
    }

    #[test]
    fn the_name_says_more_than_the_status() {
        let status = |status| Aws { status: Some(status), ..Aws::default() };
        for (name, aws, code, kind, transient) in [
            ("ThrottlingException", status(400), "HTTP_400", Kind::Throttled, true),
            ("RequestTimeout", status(400), "HTTP_400", Kind::Client, true),
            ("ValidationException", status(400), "HTTP_400", Kind::Client, false),
            ("InternalServerError", status(500), "HTTP_500", Kind::Server, true),
            ("Odd", Aws { retryable: true, ..status(400) }, "HTTP_400", Kind::Client, true),
            ("Odd", Aws { retryable: true, throttling: true, ..status(400) }, "HTTP_400", Kind::Throttled, true),
        ] {
            let fault = judge(name, aws);
            assert_eq!((&*fault.code, fault.kind, fault.transient), (code, kind, transient), "{name}");
            assert_eq!(fault.delivery, Delivery::Answered);
        }
    }

    #[test]
    fn without_a_response_the_error_is_what_broke() {
        let error = Link { aws: Some(Aws::default()), code: Some("ECONNRESET".into()), ..Link::default() };
        let fault = classify(&Evidence { links: vec![error], ..Evidence::default() });
        assert_eq!((fault.kind, fault.delivery), (Kind::Reset, Delivery::Unknown));
    }
}
