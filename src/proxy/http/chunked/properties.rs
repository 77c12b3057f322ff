//! A chunked body ends where it was made to end, in however many pieces it comes.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

/// A body as a server may write it: sizes in either case with zeros before them, extensions, trailers.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let extension = prop_oneof![3 => Just(String::new()), 1 => "[ \t]?;[ -~]{0,10}"];
    let chunk = (vec(any::<u8>(), 1..60), 0..4_usize, any::<bool>(), extension.clone());
    let trailer = "[!-9;-~][ -~]{0,12}";
    (vec(chunk, 0..6), "0{1,5}", extension, vec(trailer, 0..3)).prop_map(|(chunks, last, extension, trailers)| {
        let mut body = Vec::new();
        for (data, zeros, capitals, extension) in chunks {
            let size = if capitals { format!("{:X}", data.len()) } else { format!("{:x}", data.len()) };
            body.extend_from_slice(format!("{}{size}{extension}\r\n", "0".repeat(zeros)).as_bytes());
            body.extend_from_slice(&data);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("{last}{extension}\r\n").as_bytes());
        for trailer in trailers {
            body.extend_from_slice(format!("{trailer}\r\n").as_bytes());
        }
        body.extend_from_slice(b"\r\n");
        body
    })
}

/// Reads in pieces; how many bytes were used until the end, a mistake, or all were used, and which of these it was.
fn read_in_pieces(bytes: &[u8], cuts: &[Index]) -> (usize, Result<bool, NotHttp>) {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).chain([bytes.len()]).collect();
    ends.sort_unstable();
    let (mut chunked, mut begin) = (Chunked::START, 0);
    for end in ends {
        match chunked.read(&bytes[begin..end]) {
            Ok((used, true)) => return (begin + used, Ok(true)),
            // Where in the piece the mistake was, nobody asks.
            Err(NotHttp) => return (0, Err(NotHttp)),
            Ok((used, false)) => begin += used,
        }
    }
    (begin, Ok(false))
}

proptest! {
    #[test]
    fn a_body_is_read_to_its_last_byte_and_no_further(body in body(), behind in vec(any::<u8>(), 0..20), cuts in vec(any::<Index>(), 0..8)) {
        let followed = [&body[..], &behind].concat();
        prop_assert_eq!(read_in_pieces(&followed, &cuts), (body.len(), Ok(true)));
        prop_assert_eq!(read_in_pieces(&body[..body.len() - 1], &cuts), (body.len() - 1, Ok(false)), "one byte is missing");
    }

    #[test]
    fn a_damaged_body_is_the_same_in_any_pieces(body in body(), at: Index, byte: u8, cuts in vec(any::<Index>(), 0..8)) {
        let mut damaged = body;
        let at = at.index(damaged.len());
        damaged[at] = byte;
        prop_assert_eq!(read_in_pieces(&damaged, &cuts), read_in_pieces(&damaged, &[]));
    }

    #[test]
    fn any_bytes_are_the_same_in_any_pieces(bytes in vec(prop_oneof![any::<u8>(), b'0'..=b'9', Just(b'\r'), Just(b'\n')], 0..60), cuts in vec(any::<Index>(), 0..8)) {
        prop_assert_eq!(read_in_pieces(&bytes, &cuts), read_in_pieces(&bytes, &[]));
    }

    #[test]
    fn a_size_is_a_number_of_64_bits_or_none(digits in "[0-9A-Fa-f]{1,20}") {
        let mut chunked = Chunked::START;
        let read = chunked.read(format!("{digits}\r\n").as_bytes());
        match u64::from_str_radix(&digits, 16) {
            Ok(size) if digits.len() <= 16 => {
                prop_assert_eq!(read, Ok((digits.len() + 2, false)));
                prop_assert_eq!(chunked, if size == 0 { Chunked::Trailer { empty: true } } else { Chunked::Data(size) });
            }
            _ => prop_assert_eq!(read, Err(NotHttp)),
        }
    }
}
