//! gzip headers with everything that may stand in them (RFC 1952, section 2.3), written by this test and not by a library.

use flate2::Crc;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::properties::cut;
use super::*;

const TEXT: u8 = 1;
const HEADER_CRC: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;

/// What may stand in a member's header.
#[derive(Debug, Clone)]
struct Header {
    is_text: bool,
    has_crc: bool,
    extra: Option<Vec<u8>>,
    name: Option<Vec<u8>>,
    comment: Option<Vec<u8>>,
    /// Time, extra flags, operating system: of no consequence.
    idle: [u8; 6],
}

impl Header {
    fn bytes(&self) -> Vec<u8> {
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let flags = flag(self.is_text, TEXT)
            | flag(self.has_crc, HEADER_CRC)
            | flag(self.extra.is_some(), EXTRA)
            | flag(self.name.is_some(), NAME)
            | flag(self.comment.is_some(), COMMENT);
        let mut bytes = [&[0x1f, 0x8b, 8, flags][..], &self.idle].concat();
        if let Some(extra) = &self.extra {
            bytes.extend_from_slice(&(extra.len() as u16).to_le_bytes());
            bytes.extend_from_slice(extra);
        }
        for text in [&self.name, &self.comment].into_iter().flatten() {
            bytes.extend_from_slice(text);
            bytes.push(0);
        }
        if self.has_crc {
            let sum = checksum(&bytes).to_le_bytes();
            bytes.extend_from_slice(&sum[..2]);
        }
        bytes
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn header() -> impl Strategy<Value = Header> {
    let text = || of(vec(1_u8.., 0..20));
    (any::<bool>(), any::<bool>(), of(vec(any::<u8>(), 0..300)), text(), text(), any::<[u8; 6]>()).prop_map(
        |(is_text, has_crc, extra, name, comment, idle)| Header { is_text, has_crc, extra, name, comment, idle },
    )
}

fn member(header: &Header, plain: &[u8]) -> Vec<u8> {
    let trailer = [checksum(plain).to_le_bytes(), (plain.len() as u32).to_le_bytes()].concat();
    [header.bytes(), bare_deflate(plain), trailer].concat()
}

proptest! {
    #[test]
    fn members_with_any_header_are_read_one_after_the_other(
        members in vec((header(), vec(any::<u8>(), 0..200)), 1..4),
        padding in 0..3_usize,
        at in vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let plain: Vec<u8> = members.iter().flat_map(|(_, plain)| plain.clone()).collect();
        let mut encoded: Vec<u8> = members.iter().flat_map(|(header, plain)| member(header, plain)).collect();
        encoded.extend(std::iter::repeat_n(0, padding));
        prop_assert_eq!(read(&mut body("gzip", cut(&encoded, &at))).unwrap(), plain);
    }

    #[test]
    fn a_header_that_is_none_is_refused(header in header(), reserved in 5..8_u32, plain in vec(any::<u8>(), 0..50)) {
        let whole = member(&header, &plain);
        let refused = |damage: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = whole.clone();
            damage(&mut bytes);
            decoded("gzip", bytes).is_err_and(|fault| fault.code == "Z_DATA_ERROR")
        };
        prop_assert!(refused(&|bytes| bytes[0] ^= 1), "the magic number");
        prop_assert!(refused(&|bytes| bytes[2] = 7), "another method");
        // Section 2.3.1.2: what a reserved flag announces nobody knows how to skip.
        prop_assert!(refused(&|bytes| bytes[3] |= 1 << reserved), "a reserved flag");
        let last = whole.len() - 1;
        prop_assert!(refused(&|bytes| bytes[last] ^= 1), "the length");
        prop_assert!(refused(&|bytes| bytes[last - 4] ^= 1), "the checksum");
        if header.has_crc {
            prop_assert!(refused(&|bytes| bytes[4] ^= 1), "the checksum of the header");
        }
    }

    #[test]
    fn a_member_that_is_cut_off_anywhere_is_not_taken_for_whole(header in header(), plain in vec(any::<u8>(), 0..100), at: prop::sample::Index) {
        let whole = member(&header, &plain);
        let end = 1 + at.index(whole.len() - 1);
        prop_assert_eq!(decoded("gzip", whole[..end].to_vec()).unwrap_err().code, "Z_BUF_ERROR");
    }
}
