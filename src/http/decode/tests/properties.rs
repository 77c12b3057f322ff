//! What holds for every body, however it arrives.

use proptest::prelude::*;

use super::*;

fn plain() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..5000),
        (prop::collection::vec(any::<u8>(), 1..50), 1..4000_usize).prop_map(|(unit, times)| unit.repeat(times)),
    ]
}

pub(super) fn cut(bytes: &[u8], at: &[prop::sample::Index]) -> Vec<Bytes> {
    let mut at: Vec<usize> = at.iter().map(|index| index.index(bytes.len() + 1)).collect();
    at.sort_unstable();
    at.push(bytes.len());
    let mut start = 0;
    at.into_iter().map(|end| Bytes::copy_from_slice(&bytes[std::mem::replace(&mut start, end)..end])).collect()
}

proptest! {
    // A quarter of what is usual, however much that is: each case decodes several bodies.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.div_ceil(4)))]

    #[test]
    fn any_split_gives_the_same(plain in plain(), at in prop::collection::vec(any::<prop::sample::Index>(), 0..20)) {
        for (encoding, encoded) in in_all_codings(&plain) {
            prop_assert_eq!(&read(&mut body(encoding, cut(&encoded, &at))).unwrap(), &plain);
        }
    }

    #[test]
    fn any_split_of_brotli_gives_the_same(at in prop::collection::vec(any::<prop::sample::Index>(), 0..40)) {
        prop_assert!(read(&mut body("br", cut(&SQUARES_BR, &at))).unwrap() == squares());
    }

    #[test]
    fn any_damage_ends_in_a_fault_or_in_bytes(
        (flipped, bit) in (any::<prop::sample::Index>(), 0..8_u8),
        at in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        for (encoding, mut encoded) in encoded_squares() {
            let index = flipped.index(encoded.len());
            encoded[index] ^= 1 << bit;
            match read(&mut body(encoding, cut(&encoded, &at))) {
                Err(fault) => prop_assert!(["Z_DATA_ERROR", "Z_BUF_ERROR"].contains(&&*fault.code)),
                // Those with a checksum notice, except where the bit means nothing (a time stamp in the header).
                Ok(read) if encoding.contains("gzip") => prop_assert!(read == squares() || encoding == "x-gzip"),
                Ok(_) => {}
            }
        }
    }

    #[test]
    fn any_garbage_ends(garbage in prop::collection::vec(any::<u8>(), 1..2000)) {
        for encoding in ["gzip", "deflate", "br", "zstd", "br, zstd"] {
            // It must return; what, does not matter.
            let _ = decoded(encoding, garbage.clone());
        }
    }
}
