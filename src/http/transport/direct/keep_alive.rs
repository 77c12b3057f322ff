//! How long a connection may idle and still be given a request.
//!
//! A server closes a connection that has idled for some time. A request that leaves in that moment meets a closed door,
//! and whether it was taken is mostly unknown: then it must not be sent again unless it may be repeated. So a connection
//! is left alone some time before its server closes it. When that is, the server says (`Keep-Alive: timeout=N`), or it
//! has been seen, or it must be guessed; and an exchange that must not be repeated guesses more carefully.

use std::time::Duration;

use ::http::{HeaderMap, HeaderName};

use crate::http::transport::options::KeepAlive;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// The server counts from when it sent its answer, and has the request only when it has arrived: besides the round trip,
/// which is known, that allows for a busy machine at either end. Hints are in whole seconds, rounded down by those who
/// give them (Node: `Math.floor`), so half of the shortest is left.
const MARGIN: Duration = Duration::from_secs(1);

/// How long what was seen of a server holds, unless a connection [outlives](Seen::outlived) it. It may have been a restart,
/// which closes all connections, whatever their age.
const REMEMBERED_FOR: Duration = Duration::from_secs(60);

/// `Keep-Alive: timeout=N`, in seconds (draft-thomson-hybi-http-timeout-03, section 2: no standard has it, and servers send
/// it all the same).
pub(super) fn hint(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(KEEP_ALIVE)?.to_str().ok()?;
    let (_, seconds) = value
        .split(',')
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("timeout"))?;
    seconds.trim().trim_matches('"').parse().ok().map(Duration::from_secs)
}

/// How late a server, its timer and the network between may be in closing a connection, over twice the time.
const PUNCTUALITY: Duration = Duration::from_millis(500);

/// What was seen of a server: how soon it closes connections that idle.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The shortest idle time after which it closed one, and when that was seen, as a time since some beginning.
    closes_after: Option<(Duration, Duration)>,
}

impl Seen {
    pub fn closed(&mut self, idle: Duration, now: Duration) {
        let shortest = self.closes_after(now).map_or(idle, |known| known.min(idle));
        self.closes_after = Some((shortest, now));
    }

    /// A connection has idled so long and is still open. Is it much longer, then what closed sooner did so for another
    /// reason.
    pub fn outlived(&mut self, idle: Duration) {
        self.closes_after = self.closes_after.filter(|&(closed_after, _)| closed_after * 2 + PUNCTUALITY >= idle);
    }

    pub fn closes_after(&self, now: Duration) -> Option<Duration> {
        self.closes_after.and_then(|(idle, at)| (now.saturating_sub(at) < REMEMBERED_FOR).then_some(idle))
    }
}

/// What decides about one connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Idle {
    pub hint: Option<Duration>,
    pub seen: Option<Duration>,
    /// One round trip to the server.
    pub rtt: Duration,
}

impl Idle {
    /// The longest idle time after which the connection may be used.
    pub fn bound(self, options: &KeepAlive, guarded: bool) -> Duration {
        let stated = self.hint.map(|hint| (hint - MARGIN.min(hint / 2)).min(options.max_timeout));
        let guessed = if guarded { options.guarded_timeout.min(options.timeout) } else { options.timeout };
        let bound = stated.unwrap_or(guessed);
        // What it did once it may do sooner the next time.
        let bound = self.seen.map_or(bound, |seen| bound.min(seen / 2));
        bound.saturating_sub(self.rtt)
    }
}

#[cfg(test)]
mod tests {
    use ::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const NEAR: Idle = Idle { hint: None, seen: None, rtt: Duration::ZERO };

    fn hint_in(value: &'static str) -> Option<Duration> {
        hint(&[(KEEP_ALIVE, HeaderValue::from_static(value))].into_iter().collect())
    }

    #[test]
    fn the_hint_is_found_among_other_parameters() {
        assert_eq!(hint_in("timeout=5"), Some(5 * SECOND));
        assert_eq!(hint_in("max=100, Timeout = 15"), Some(15 * SECOND));
        assert_eq!(hint_in("timeout=\"7\""), Some(7 * SECOND));
        for none in ["", "timeout", "timeout=", "timeout=-1", "timeout=1.5", "timeout=99999999999999999999", "max=3"] {
            assert_eq!(hint_in(none), None, "{none}");
        }
        assert_eq!(hint(&HeaderMap::new()), None);
    }

    #[test]
    fn a_hint_holds_but_for_a_margin() {
        let options = KeepAlive::default();
        let of = |seconds| Idle { hint: Some(Duration::from_secs(seconds)), ..NEAR };
        for guarded in [false, true] {
            assert_eq!(of(60).bound(&options, guarded), 59 * SECOND);
            assert_eq!(of(1).bound(&options, guarded), SECOND / 2);
            assert_eq!(of(0).bound(&options, guarded), Duration::ZERO);
            assert_eq!(of(u64::MAX).bound(&options, guarded), options.max_timeout);
        }
    }

    #[test]
    fn without_a_hint_what_must_not_be_repeated_is_more_careful() {
        let options = KeepAlive::default();
        assert_eq!(NEAR.bound(&options, false), options.timeout);
        assert_eq!(NEAR.bound(&options, true), options.guarded_timeout);
        let short = KeepAlive { timeout: SECOND / 10, ..options };
        assert_eq!(NEAR.bound(&short, true), SECOND / 10);
    }

    #[test]
    fn what_was_seen_shortens_any_bound_for_a_while() {
        let options = KeepAlive::default();
        let mut seen = Seen::default();
        assert_eq!(seen.closes_after(SECOND), None);
        seen.closed(SECOND, SECOND);
        seen.closed(3 * SECOND, 2 * SECOND);
        assert_eq!(seen.closes_after(3 * SECOND), Some(SECOND), "the shortest counts");
        let idle = Idle { hint: Some(60 * SECOND), seen: seen.closes_after(3 * SECOND), ..NEAR };
        assert_eq!(idle.bound(&options, false), SECOND / 2);
        seen.outlived(2 * SECOND);
        assert_eq!(seen.closes_after(3 * SECOND), Some(SECOND), "it may be late");
        assert_eq!(seen.closes_after(2 * SECOND + REMEMBERED_FOR), None);
        seen.closed(3 * SECOND, 2 * SECOND + REMEMBERED_FOR);
        assert_eq!(seen.closes_after(3 * SECOND + REMEMBERED_FOR), Some(3 * SECOND), "the shorter one is too old");
        seen.outlived(7 * SECOND);
        assert_eq!(seen.closes_after(3 * SECOND + REMEMBERED_FOR), None, "it was a restart");
    }

    proptest! {
        #[test]
        fn no_bound_is_longer_than_any_of_its_reasons(
            hint in proptest::option::of(any::<u64>()), seen in proptest::option::of(any::<u32>()), rtt in any::<u32>(),
            guarded in any::<bool>(),
        ) {
            let options = KeepAlive::default();
            let hint = hint.map(Duration::from_secs);
            let seen = seen.map(|ms| Duration::from_millis(ms.into()));
            let bound = Idle { hint, seen, rtt: Duration::from_micros(rtt.into()) }.bound(&options, guarded);
            prop_assert!(bound <= options.max_timeout.max(options.timeout));
            prop_assert!(hint.is_none_or(|hint| hint.is_zero() || bound < hint));
            prop_assert!(seen.is_none_or(|seen| bound <= seen / 2));
            prop_assert!(hint.is_some() || !guarded || bound <= options.guarded_timeout);
        }

        #[test]
        fn any_header_is_read_without_a_panic(value in proptest::collection::vec(32u8..=255, 0..60)) {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                hint(&[(KEEP_ALIVE, value)].into_iter().collect());
            }
        }
    }
}
