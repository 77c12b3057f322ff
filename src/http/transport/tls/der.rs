//! DER, as far as the few things need it that webpki does not tell of a certificate.
//!
//! Nothing here decides whether a certificate is valid: what cannot be read is refused by whoever asked.

use std::time::Duration;

use rustls::pki_types::UnixTime;

pub const BOOLEAN: u8 = 0x01;
pub const INTEGER: u8 = 0x02;
pub const BIT_STRING: u8 = 0x03;
pub const OCTET_STRING: u8 = 0x04;
pub const OBJECT_IDENTIFIER: u8 = 0x06;
pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The context-specific tag `[number]`, constructed (EXPLICIT, or a SEQUENCE that is IMPLICIT).
pub const fn constructed(number: u8) -> u8 {
    0xa0 | number
}

/// The context-specific tag `[number]` of a primitive value.
pub const fn primitive(number: u8) -> u8 {
    0x80 | number
}

/// What is left of a series of values.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a>(pub &'a [u8]);

/// One value.
#[derive(Debug, Clone, Copy)]
pub struct Element<'a> {
    pub tag: u8,
    pub contents: &'a [u8],
    /// Tag, length and contents.
    pub whole: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn element(&mut self) -> Option<Element<'a>> {
        let (&[tag, first], mut rest) = self.0.split_first_chunk()?;
        let mut length = usize::from(first);
        if first & 0x80 != 0 {
            // The length of the length. A handshake message has at most 2^24 bytes.
            let octets = rest.get(..usize::from(first & 0x7f)).filter(|octets| (1..=3).contains(&octets.len()))?;
            length = octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet));
            rest = &rest[octets.len()..];
        }
        let contents = rest.get(..length)?;
        let header = self.0.len() - rest.len();
        let (whole, after) = self.0.split_at(header + length);
        self.0 = after;
        Some(Element { tag, contents, whole })
    }

    /// The next value, which must be there and have this tag.
    pub fn expect(&mut self, tag: u8) -> Option<Element<'a>> {
        self.element().filter(|element| element.tag == tag)
    }

    /// The next value if it has this tag; otherwise nothing is taken.
    pub fn optional(&mut self, tag: u8) -> Option<Element<'a>> {
        if self.0.first() != Some(&tag) {
            return None;
        }
        self.element()
    }

    pub fn time(&mut self) -> Option<UnixTime> {
        let element = self.element()?;
        let digits = element.contents.strip_suffix(b"Z")?;
        let (year, rest) = match element.tag {
            UTC_TIME => {
                let (year, rest) = number(digits, 2)?;
                // RFC 5280, section 4.1.2.5.1.
                (if year < 50 { 2000 + year } else { 1900 + year }, rest)
            }
            GENERALIZED_TIME => number(digits, 4)?,
            _ => return None,
        };
        let (month, rest) = number(rest, 2)?;
        let (day, rest) = number(rest, 2)?;
        let (hour, rest) = number(rest, 2)?;
        let (minute, rest) = number(rest, 2)?;
        let (second, rest) = number(rest, 2)?;
        let in_range = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 60;
        if !in_range || !rest.is_empty() {
            return None;
        }
        let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
        // A certificate from before 1970 has been valid all the time.
        Some(UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(seconds).unwrap_or(0))))
    }
}

fn number(digits: &[u8], count: usize) -> Option<(i64, &[u8])> {
    let (digits, rest) = digits.split_at_checked(count)?;
    let value = digits
        .iter()
        .try_fold(0, |value, digit| digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0')))?;
    Some((value, rest))
}

/// Days since 1970-01-01 in the Gregorian calendar. Years are counted from March, so that the leap day is the last of one.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    // 719 468 days lie between 0000-03-01 and 1970-01-01; 153 are in any five months that begin with March or August.
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5 + day
        - 1
        - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(tag: u8, text: &str) -> Option<u64> {
        let mut der = vec![tag, text.len() as u8];
        der.extend_from_slice(text.as_bytes());
        Reader(&der).time().map(|time| time.as_secs())
    }

    #[test]
    fn reads_times_of_both_kinds() {
        assert_eq!(seconds(UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(seconds(UTC_TIME, "000229120000Z"), Some(951_825_600));
        assert_eq!(seconds(UTC_TIME, "491231235959Z"), Some(2_524_607_999));
        assert_eq!(seconds(UTC_TIME, "500101000000Z"), Some(0), "1950");
        assert_eq!(seconds(GENERALIZED_TIME, "21000301000000Z"), Some(4_107_542_400));
        assert_eq!(seconds(GENERALIZED_TIME, "99991231235959Z"), Some(253_402_300_799));
    }

    #[test]
    fn reads_nothing_from_what_is_no_time() {
        for text in
            ["7001010000Z", "700101000000", "701301000000Z", "700100000000Z", "70010100000xZ", "700101000000+0100Z"]
        {
            assert_eq!(seconds(UTC_TIME, text), None, "{text}");
        }
        assert_eq!(seconds(INTEGER, "700101000000Z"), None);
    }

    #[test]
    fn reads_lengths_of_every_form_and_nothing_beyond_the_end() {
        let long = [&[SEQUENCE, 0x82, 0x01, 0x00][..], &[7; 256]].concat();
        let element = Reader(&long).element().unwrap();
        assert_eq!((element.contents.len(), element.whole.len()), (256, long.len()));
        for torn in [&long[..259], &[SEQUENCE, 0x82, 0x01], &[SEQUENCE, 0x80], &[SEQUENCE, 2, 0], &[SEQUENCE], &[]] {
            assert!(Reader(torn).element().is_none(), "{torn:?}");
        }
        // A length of 2^32 bytes does not wrap around.
        assert!(Reader(&[SEQUENCE, 0x85, 1, 0, 0, 0, 0]).element().is_none());
    }

    #[test]
    fn an_optional_value_of_another_kind_is_left() {
        let mut reader = Reader(&[INTEGER, 1, 5, BOOLEAN, 1, 0xff]);
        assert!(reader.optional(BOOLEAN).is_none());
        assert_eq!(reader.expect(INTEGER).unwrap().contents, [5]);
        assert_eq!(reader.optional(BOOLEAN).unwrap().contents, [0xff]);
        assert!(reader.is_empty() && reader.optional(BOOLEAN).is_none());
    }
}
