//! `Content-Encoding` is read as an independent reading of it does, however it is spread over lines.

use ::http::HeaderValue;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// A member of the list, with the white space that may stand around it.
fn member() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        8 => select(vec!["gzip", "x-gzip", "GZIP", "deflate", "br", "Br", "zstd", "ZStd"]).prop_map(String::from),
        1 => select(vec!["identity", "compress", "x-deflate", "gzip;q=1", "gz ip", ""]).prop_map(String::from),
        1 => "[ -+--~]{0,6}",
    ];
    ("[ \t]{0,2}", name, "[ \t]{0,2}").prop_map(|(before, name, after)| format!("{before}{name}{after}"))
}

/// RFC 9110, section 5.3: lines of one name are one list.
fn read_independently(lines: &[String]) -> Result<Vec<Coding>, ()> {
    let joined = lines.join(",");
    let members: Vec<String> =
        joined.split(',').map(|member| member.trim_matches([' ', '\t']).to_ascii_lowercase()).collect();
    if members.len() > MOST {
        return Err(());
    }
    let known = |member: &String| match member.as_str() {
        "gzip" | "x-gzip" => Some(Coding::Gzip),
        "deflate" => Some(Coding::Deflate),
        "br" => Some(Coding::Brotli),
        "zstd" => Some(Coding::Zstd),
        _ => None,
    };
    Ok(members.iter().map(known).collect::<Option<Vec<_>>>().unwrap_or_default())
}

fn headers_of(lines: &[impl AsRef<[u8]>]) -> HeaderMap {
    let values = lines.iter().map(|line| HeaderValue::from_bytes(line.as_ref()).expect("no control characters"));
    values.map(|value| (CONTENT_ENCODING, value)).collect()
}

proptest! {
    #[test]
    fn a_list_means_the_same_over_however_many_lines(lines in vec(vec(member(), 1..4), 1..4)) {
        let lines: Vec<String> = lines.into_iter().map(|members| members.join(",")).collect();
        let read = of(&Method::GET, StatusCode::OK, &headers_of(&lines)).map_err(|_| ());
        prop_assert_eq!(&read, &read_independently(&lines), "{:?}", lines);
        let joined = [lines.join(",")];
        prop_assert_eq!(read, of(&Method::GET, StatusCode::OK, &headers_of(&joined)).map_err(|_| ()));
    }

    #[test]
    fn any_bytes_are_a_list(lines in vec(vec(prop_oneof![0x20..0x7f_u8, Just(b','), Just(b'\t'), 0x80_u8..], 0..20), 1..4)) {
        let codings = of(&Method::GET, StatusCode::OK, &headers_of(&lines));
        prop_assert!(codings.is_err() || codings.is_ok_and(|codings| codings.len() <= MOST));
    }
}
