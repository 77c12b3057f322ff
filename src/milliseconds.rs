//! Milliseconds: the unit in which JavaScript speaks of time, and the one place that converts them.
//!
//! A JavaScript number can be negative, not a number, or beyond what any clock holds. If each reader had its own
//! answer to that, the same value would be no limit in one option and an error in the next.

use std::time::Duration;

/// `Number.MAX_SAFE_INTEGER` milliseconds, 285 000 years: the longest time that is read, and the longest that is told
/// in whole milliseconds. It can still be added to the reading of a clock, as `Duration::MAX` cannot.
pub const LONGEST: Duration = Duration::from_millis((1 << 53) - 1);

/// `None`: negative or not a number. What is longer than [`LONGEST`] becomes that, as a very long time is not none.
pub fn from_js(milliseconds: f64) -> Option<Duration> {
    if milliseconds.is_nan() || milliseconds < 0.0 {
        return None;
    }
    Some(Duration::try_from_secs_f64(milliseconds / 1000.0).unwrap_or(LONGEST).min(LONGEST))
}

/// Rounded to microseconds: what the digits beyond hold is an artefact of the division.
pub fn to_js(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// Rounded up, so that a timer that is set to it is not early. At most [`LONGEST`].
pub fn to_js_whole(duration: Duration) -> u64 {
    let milliseconds = duration.min(LONGEST).as_nanos().div_ceil(1_000_000);
    // Cannot fail: `LONGEST` is a whole number of milliseconds that fits.
    u64::try_from(milliseconds).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_survive_to_the_microsecond() {
        assert_eq!(from_js(0.0), Some(Duration::ZERO));
        assert_eq!(from_js(12.5), Some(Duration::from_micros(12_500)));
        assert_eq!(from_js(0.001), Some(Duration::from_micros(1)));
        assert_eq!(to_js(Duration::from_micros(12_500)), 12.5);
        assert_eq!(to_js(Duration::from_nanos(1_234_567)), 1.235);
        assert_eq!(to_js(Duration::from_micros(16_100)), 16.1, "not 16.099999999999998");
    }

    #[test]
    fn what_is_no_time_is_none() {
        for none in [-1.0, -f64::MIN_POSITIVE, f64::NEG_INFINITY, f64::NAN] {
            assert_eq!(from_js(none), None, "{none}");
        }
        assert_eq!(from_js(-0.0), Some(Duration::ZERO));
    }

    #[test]
    fn what_is_too_long_is_the_longest_that_crosses() {
        for long in [9_007_199_254_740_992.0, 1e18, 1e300, f64::INFINITY] {
            assert_eq!(from_js(long), Some(LONGEST), "{long}");
        }
        for long in [LONGEST, Duration::MAX] {
            assert_eq!(to_js_whole(long), 9_007_199_254_740_991);
        }
        assert!(std::time::Instant::now().checked_add(LONGEST).is_some());
    }

    #[test]
    fn whole_milliseconds_are_never_early() {
        assert_eq!(to_js_whole(Duration::ZERO), 0);
        assert_eq!(to_js_whole(Duration::from_millis(2)), 2);
        assert_eq!(to_js_whole(Duration::from_nanos(2_000_001)), 3);
    }
}
