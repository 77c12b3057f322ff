//! From the header to the wait.

use proptest::prelude::*;

use super::*;

/// The wait that a header leads to, without jitter, when the policy would wait for ever.
fn wait_for(header: &str, now: Now) -> Option<Duration> {
    let fault = Fault::from_status(503, RetryAfter::parse(header));
    let mut retries = begin(Options {
        within: Duration::MAX,
        ..Options::default()
    });
    delay(retries.decide(&fault, request("GET"), None, false, now, &mut Lowest)).ok()
}

#[test]
fn the_three_date_formats_of_http_mean_the_same() {
    let now = Now {
        monotonic: Duration::ZERO,
        wall: SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770),
    };
    for header in [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ] {
        assert_eq!(
            wait_for(header, now),
            Some(Duration::from_secs(7)),
            "{header}"
        );
    }
}

#[test]
fn what_cannot_be_read_leaves_the_backoff() {
    for header in ["", "soon", "-5", "1.5", "Sun, 06 Nov 1994 08:61:37 GMT"] {
        assert_eq!(wait_for(header, at(0)), Some(Duration::ZERO), "{header}");
    }
}

proptest! {
    #[test]
    fn seconds_are_waited_for_to_the_second(asked in 0_u64..1_000_000_000) {
        prop_assert_eq!(wait_for(&asked.to_string(), at(0)), Some(Duration::from_secs(asked)));
    }

    #[test]
    fn a_date_is_waited_for_and_never_missed(date in 0_u64..4_000_000_000, now in 0_u64..4_000_000_000, nanos in 0_u32..1_000_000_000) {
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(date);
        let wall = SystemTime::UNIX_EPOCH + Duration::new(now, nanos);
        let now = Now { monotonic: Duration::ZERO, wall };
        let waited = wait_for(&httpdate::fmt_http_date(date), now).unwrap();
        prop_assert!(wall + waited >= date);
        prop_assert!(waited.is_zero() || wall + waited == date);
    }

    #[test]
    fn no_header_is_a_panic(
        header in prop_oneof![
            ".{0,40}",
            "[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT",
            "(Mon|Sun), (0[0-9]|3[0-9]) (Feb|Dec) (0000|1969|9999|2024) 23:59:(59|60) GMT",
            "[A-Z][a-z]{5}, [0-9]{2}-(Feb|Dec)-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT",
        ],
    ) {
        // Either a wait, or more than fits: what matters is that there is an answer.
        let _ = wait_for(&header, at(0));
    }
}
