//! superagent. Statuses come as any error with a response does; its limits on time need a rule.

use super::{Case, Rule};
use crate::fault::{Delivery, Fault, Phase};

/// A limit on time: `ECONNABORTED` with the limit in `timeout`.
pub struct Timeout;

impl Rule for Timeout {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        let own = case.code() == Some("ECONNABORTED") && case.link.timeout.is_some();
        own.then(|| case.fault("ETIMEDOUT", Phase::Wait, Delivery::Unknown))
    }
}

#[cfg(test)]
mod tests {
    use crate::fault::evidence::{Evidence, Link};
    use crate::fault::{Kind, classify};

    #[test]
    fn a_timeout_is_told_from_an_aborted_connection() {
        let aborted = Link { code: Some("ECONNABORTED".into()), ..Link::default() };
        let timeout = Link { timeout: Some(80.0), ..aborted.clone() };
        let kind = |link| classify(&Evidence { links: vec![link], ..Evidence::default() }).kind;
        assert_eq!((kind(aborted), kind(timeout)), (Kind::Reset, Kind::Timeout));
    }
}
