//! When the server wants to be asked again.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// The value of a `Retry-After` header (RFC 9110, section 10.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetryAfter {
    /// A delay from the moment the response arrived.
    Delay(Duration),
    /// A point in wall-clock time.
    At(SystemTime),
}

impl RetryAfter {
    /// Reads a header value: seconds, or a date in any of the three HTTP forms. `None` for anything else, since
    /// a delay that is guessed is worse than the ordinary backoff.
    ///
    /// ```
    /// use std::time::Duration;
    /// use unreset::fault::RetryAfter;
    ///
    /// assert_eq!(RetryAfter::parse(" 120 "), Some(RetryAfter::Delay(Duration::from_secs(120))));
    /// assert_eq!(RetryAfter::parse("soon"), None);
    /// ```
    pub fn parse(value: &str) -> Option<Self> {
        let value = value.trim();
        if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
            // A number too large for 64 bits is still a number: it means "very late", not "no header".
            let seconds = value.parse().unwrap_or(u64::MAX);
            return Some(Self::Delay(Duration::from_secs(seconds)));
        }
        httpdate::parse_http_date(value).ok().map(Self::At)
    }

    /// How long to wait from `now`; zero for a date that has passed.
    pub fn delay_from(self, now: SystemTime) -> Duration {
        match self {
            Self::Delay(delay) => delay,
            Self::At(time) => time.duration_since(now).unwrap_or(Duration::ZERO),
        }
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read() {
        assert_eq!(RetryAfter::parse("0"), Some(RetryAfter::Delay(Duration::ZERO)));
        assert_eq!(
            RetryAfter::parse("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(RetryAfter::At(SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)))
        );
    }

    #[test]
    fn what_is_neither_is_no_wish() {
        for value in ["", "-1", "1.5", "1e3", "+5", "soon", "Sun, 06 Nov"] {
            assert_eq!(RetryAfter::parse(value), None, "{value}");
        }
    }

    #[test]
    fn a_number_beyond_64_bits_means_very_late() {
        let parsed = RetryAfter::parse("99999999999999999999999").unwrap();
        assert_eq!(parsed, RetryAfter::Delay(Duration::from_secs(u64::MAX)));
    }

    #[test]
    fn a_date_counts_from_now_and_never_below_zero() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
        let at = |seconds| RetryAfter::At(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(103).delay_from(now), Duration::from_secs(3));
        assert_eq!(at(97).delay_from(now), Duration::ZERO);
        assert_eq!(RetryAfter::Delay(Duration::from_secs(7)).delay_from(now), Duration::from_secs(7));
    }
}
