//! `Content-Range` (RFC 9110, section 14.4): which part of the whole a 206 brings.
//!
//! Read strictly. A part that is put in the wrong place makes a file that nobody notices to be wrong.

/// `bytes first-last/total`. Nothing else is a part: neither another unit nor the `bytes */total` of a 416.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ContentRange {
    /// Offset of the first byte.
    pub first: u64,
    /// Offset of the last byte, inclusive; not before `first`, and before `total`.
    pub last: u64,
    /// The length of the whole; `None` where the server does not know it (`*`).
    pub total: Option<u64>,
}

impl ContentRange {
    pub fn parse(value: &[u8]) -> Option<Self> {
        let value = std::str::from_utf8(value).ok()?;
        let (unit, range) = value.split_once(' ')?;
        // Range units are compared without regard to case (section 14.1).
        if !unit.eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (range, total) = range.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let total = if total == "*" { None } else { Some(number(total)?) };
        let (first, last) = (number(first)?, number(last)?);
        (first <= last && total.is_none_or(|total| last < total)).then_some(ContentRange { first, last, total })
    }
}

/// Digits only: Rust's own parser would take a sign as well.
fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(u64, u64, Option<u64>)> {
        ContentRange::parse(text.as_bytes()).map(|ContentRange { first, last, total }| (first, last, total))
    }

    #[test]
    fn parts_with_and_without_a_total_are_read() {
        assert_eq!(parsed("bytes 42-1233/1234"), Some((42, 1233, Some(1234))));
        assert_eq!(parsed("Bytes 42-1233/*"), Some((42, 1233, None)));
        assert_eq!(parsed("bytes 0-0/1"), Some((0, 0, Some(1))));
        let last = u64::MAX - 1;
        assert_eq!(parsed(&format!("bytes {last}-{last}/{}", u64::MAX)), Some((last, last, Some(u64::MAX))));
    }

    #[test]
    fn what_is_not_a_part_of_the_whole_is_not_read() {
        for text in [
            "",
            "bytes",
            "bytes ",
            "bytes */1234",
            "bytes 5-4/10",
            "bytes 0-10/10",
            "bytes 0-9",
            "bytes 0-9/",
            "bytes -9/10",
            "bytes 0-/10",
            "bytes=0-9/10",
            "items 0-9/10",
            "bytes 0-9/10,20-29/30",
            "bytes +0-9/10",
            "bytes 0-9/-1",
            "bytes 0 - 9/10",
            "bytes  0-9/10",
            "bytes 0-9/99999999999999999999",
            "bytes 0x0-9/10",
            "0-9/10",
        ] {
            assert_eq!(parsed(text), None, "{text:?}");
        }
        assert_eq!(ContentRange::parse(b"bytes 0-9/1\xff"), None);
    }
}
