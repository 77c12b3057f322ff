//! What holds for the validators of every pair of responses.

use std::time::SystemTime;

use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// The last second that the form has a place for: the end of the year 9999.
const LAST_SECOND: u64 = 253_402_300_799;

fn etag() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        select(vec!["\"a\"", "\"b\"", "W/\"a\"", "\"\"", "\"", "a", "w/\"a\"", "\"a\"b\""]).prop_map(|tag| tag.into()),
        "(W/)?\"[!#-~]{0,8}\"?".prop_map(String::into_bytes),
        prop::collection::vec(prop_oneof![Just(b'"'), 0x20..0x7f_u8, 0x80_u8..], 0..8),
    ]
}

fn date() -> impl Strategy<Value = Vec<u8>> {
    let at = |seconds: u64| httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).into_bytes();
    prop_oneof![
        4 => (1_000_000_000..1_000_000_200_u64).prop_map(at),
        1 => (0..=LAST_SECOND).prop_map(at),
        1 => select(vec![&b""[..], b"yesterday", b"Sun, 06 Nov 1994 08:49:37", b"\xff"]).prop_map(|text| text.to_vec()),
    ]
}

/// A response that says some of what one can say of a body.
fn response() -> impl Strategy<Value = HeaderMap> {
    let coding = select(vec![&b"gzip"[..], b"br", b"gzip, br"]).prop_map(|coding| coding.to_vec());
    (of(etag()), of(date()), of(date()), of(coding)).prop_map(|(etag, modified, date, coding)| {
        [(ETAG, etag), (LAST_MODIFIED, modified), (DATE, date), (CONTENT_ENCODING, coding)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, HeaderValue::from_bytes(&value?).ok()?)))
            .collect()
    })
}

/// RFC 9110, section 8.8.3, as it is written: an opaque tag in quotes, without `W/` before it.
fn is_strong_tag(tag: &[u8]) -> bool {
    tag.len() >= 2
        && tag[0] == b'"'
        && tag[tag.len() - 1] == b'"'
        && tag.iter().filter(|byte| **byte == b'"').count() == 2
}

proptest! {
    #[test]
    fn what_goes_into_if_range_is_a_strong_tag_or_else_a_date_where_there_is_no_tag(headers in response()) {
        let validators = Validators::of(&headers);
        match (validators.strong(), headers.get(ETAG)) {
            (strong, Some(etag)) => {
                prop_assert_eq!(strong, Some(etag).filter(|etag| is_strong_tag(etag.as_bytes())));
            }
            (strong, None) => prop_assert!(strong.is_none() || strong == headers.get(LAST_MODIFIED)),
        }
    }

    #[test]
    fn a_date_counts_from_the_sixtieth_second_on(modified in 0..=LAST_SECOND, later in -100..200_i64) {
        let date = modified.saturating_add_signed(later).min(LAST_SECOND);
        let text = |seconds| httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        let value = |seconds| HeaderValue::from_str(&text(seconds)).expect("a date is a header value");
        let headers = HeaderMap::from_iter([(LAST_MODIFIED, value(modified)), (DATE, value(date))]);
        let counts = Validators::of(&headers).strong().is_some();
        prop_assert_eq!(counts, date >= modified + 60);
    }

    #[test]
    fn nothing_is_proved_without_a_strong_validator_that_both_have(first in response(), second in response()) {
        let validators = Validators::of(&first);
        if validators.prove_same(&second) {
            let strong = validators.strong().expect("it proves");
            prop_assert!(second.get(ETAG) == Some(strong) || second.get(LAST_MODIFIED) == Some(strong));
            prop_assert!(first.get_all(CONTENT_ENCODING).iter().eq(second.get_all(CONTENT_ENCODING)));
            // A tag is never proved by a date, nor the other way round.
            prop_assert_eq!(first.contains_key(ETAG), second.get(ETAG) == Some(strong));
        }
    }

    #[test]
    fn a_response_is_the_same_as_itself_in_every_respect(headers in response()) {
        let validators = Validators::of(&headers);
        prop_assert_eq!(validators.prove_same(&headers), validators.strong().is_some());
        prop_assert!(validators.allow_same(&headers) && validators.interchangeable(&headers));
    }

    #[test]
    fn one_that_can_stand_in_for_another_may_also_be_a_part_of_it(first in response(), second in response()) {
        let (first_says, second_says) = (Validators::of(&first), Validators::of(&second));
        prop_assert_eq!(first_says.interchangeable(&second), second_says.interchangeable(&first));
        prop_assert_eq!(first_says.allow_same(&second), second_says.allow_same(&first));
        prop_assert!(!first_says.interchangeable(&second) || first_says.allow_same(&second));
    }
}
