//! When the server wants to be asked again: the `Retry-After` header (RFC 9110, section 10.2.3).

use std::time::Duration;

use crate::fault::RetryAfter;

/// Reads a header value: seconds, or a date in any of HTTP's three formats. Anything else is no wish at all.
pub fn parse_retry_after(value: &str) -> Option<RetryAfter> {
    let value = value.trim_matches([' ', '\t']);
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a u64 holds still mean "very long", and must not be read as "no wish".
        return Some(RetryAfter::Delay(Duration::from_secs(
            value.parse().unwrap_or(u64::MAX),
        )));
    }
    httpdate::parse_http_date(value).ok().map(RetryAfter::At)
}
