//! What holds for every `Content-Range`, well written or not.

use proptest::prelude::*;

use super::ContentRange;

fn parsed(text: &[u8]) -> Option<(u64, u64, Option<u64>)> {
    ContentRange::parse(text).map(|ContentRange { first, last, total }| (first, last, total))
}

/// RFC 9110, section 14.4, read from the left byte by byte, in numbers that no header overflows:
/// `range-unit SP first-pos "-" last-pos "/" ( complete-length / "*" )`.
fn read_independently(text: &[u8]) -> Option<(u64, u64, Option<u64>)> {
    fn digits(text: &[u8]) -> Option<(u128, &[u8])> {
        let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = text[..count]
            .iter()
            .fold(0_u128, |number, digit| number.saturating_mul(10).saturating_add(u128::from(digit - b'0')));
        (count > 0).then_some((number, &text[count..]))
    }
    let unit = text.get(..6)?;
    let rest = unit.eq_ignore_ascii_case(b"bytes ").then(|| &text[6..])?;
    let (first, rest) = digits(rest)?;
    let (last, rest) = digits(rest.strip_prefix(b"-")?)?;
    let rest = rest.strip_prefix(b"/")?;
    let total = if rest == b"*" { None } else { Some(digits(rest).filter(|(_, rest)| rest.is_empty())?.0) };
    if last < first || total.is_some_and(|total| last >= total) {
        return None;
    }
    let fits = |number: u128| u64::try_from(number).ok();
    Some((fits(first)?, fits(last)?, total.map(fits).map_or(Some(None), |total| total.map(Some))?))
}

/// Figures of every length, and those at which 64 bits end.
fn figure() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<u8>().prop_map(|number| number.to_string()),
        1 => any::<u64>().prop_map(|number| number.to_string()),
        1 => (0..3_u128).prop_map(|beyond| (u128::from(u64::MAX) - 1 + beyond).to_string()),
        1 => "[0-9]{0,25}",
        1 => "0{1,30}[0-9]{0,3}",
    ]
}

fn header() -> impl Strategy<Value = String> {
    let unit = prop_oneof![6 => "[bB][yY][tT][eE][sS]", 1 => "(byte|items|bytess|)"];
    let space = prop_oneof![8 => Just(" "), 1 => Just(""), 1 => Just("  "), 1 => Just("="), 1 => Just("\t")];
    let total = prop_oneof![3 => figure(), 1 => Just("*".to_owned()), 1 => "(\\*\\*|x|/1|1 | 1|)"];
    let dash = prop_oneof![8 => Just("-"), 1 => Just(""), 1 => Just("--"), 1 => Just(" - ")];
    (unit, space, figure(), dash, figure(), total)
        .prop_map(|(unit, space, first, dash, last, total)| format!("{unit}{space}{first}{dash}{last}/{total}"))
}

proptest! {
    #[test]
    fn every_part_of_a_whole_is_read_as_it_was_written(first in 0..u64::MAX, more: u64, beyond in 1..u64::MAX, known: bool) {
        let last = first.saturating_add(more).min(u64::MAX - 1);
        let total = known.then(|| last.saturating_add(beyond));
        let written = total.map_or_else(|| "*".to_owned(), |total| total.to_string());
        prop_assert_eq!(parsed(format!("bytes {first}-{last}/{written}").as_bytes()), Some((first, last, total)));
    }

    #[test]
    fn any_bytes_are_read_or_refused_alike(value in prop::collection::vec(any::<u8>(), 0..40)) {
        prop_assert_eq!(parsed(&value), read_independently(&value));
    }

    #[test]
    fn a_header_means_what_an_independent_reading_finds(text in header()) {
        prop_assert_eq!(parsed(text.as_bytes()), read_independently(text.as_bytes()), "{}", text);
    }

    #[test]
    fn one_byte_put_in_is_read_or_refused_alike(text in header(), at: prop::sample::Index, byte: u8) {
        let mut bytes = text.into_bytes();
        bytes.insert(at.index(bytes.len() + 1), byte);
        prop_assert_eq!(parsed(&bytes), read_independently(&bytes));
    }
}
