//! The choices a caller has, and the defaults. `docs/policy.md` gives the reason of each.

use std::time::Duration;

use super::{Backoff, BreakerOptions, BudgetOptions, MethodSet};

/// How calls are retried. Made from JavaScript's `retry` object by [`Options::from_json`].
///
/// ```
/// use std::time::Duration;
/// use unreset::policy::Options;
///
/// let patient = Options { retries: 10, within: Duration::from_secs(600), ..Options::default() };
/// assert!(patient.may_retry_status(503));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Attempts after the first one.
    pub retries: u32,
    pub backoff: Backoff,
    /// No new attempt begins later than this after the call began.
    pub within: Duration,
    /// The methods that may be repeated when the server may have acted; `None`: the idempotent ones.
    pub methods: Option<MethodSet>,
    /// The response statuses worth another attempt; `None`: 408 425 429 502 503 504, and 500 for safe methods.
    pub statuses: Option<StatusSet>,
    pub respect_retry_after: bool,
    /// `None`: retries are not budgeted.
    pub budget: Option<BudgetOptions>,
    /// `None`: there is no breaker.
    pub breaker: Option<BreakerOptions>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            retries: 3,
            backoff: Backoff::default(),
            within: Duration::from_secs(60),
            methods: None,
            statuses: None,
            respect_retry_after: true,
            budget: Some(BudgetOptions::default()),
            breaker: None,
        }
    }
}

impl Options {
    /// Could this status be retried for some request? For the hot path: most responses need no further thought.
    /// A `shouldRetry` hook may still want others.
    pub fn may_retry_status(&self, status: u16) -> bool {
        self.retries > 0 && self.lists_status(status)
    }

    /// Is this status worth another attempt, if the request may be repeated?
    pub(super) fn lists_status(&self, status: u16) -> bool {
        match &self.statuses {
            Some(listed) => listed.contains(status),
            None => matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504),
        }
    }
}

/// Response statuses, where the caller lists them. The list replaces the default one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusSet(Box<[u16]>);

impl StatusSet {
    pub fn contains(&self, status: u16) -> bool {
        self.0.contains(&status)
    }
}

impl FromIterator<u16> for StatusSet {
    fn from_iter<I: IntoIterator<Item = u16>>(statuses: I) -> Self {
        Self(statuses.into_iter().collect())
    }
}
