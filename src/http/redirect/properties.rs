//! What holds for every redirect, wherever it leads: nothing goes where it must not.

use ::http::HeaderValue;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const STARTS: [&str; 4] =
    ["http://a.test/dir/page?q#part", "https://a.test:8443/", "http://127.0.0.1:3000/x", "https://[::1]/"];

/// Whatever a server writes: references of every form, and bytes that no header should have.
fn location() -> impl Strategy<Value = Vec<u8>> {
    let scheme = select(vec!["", "http:", "https:", "HTTP:", "ftp:", "javascript:", "data:", "http", ":"]);
    let slashes = select(vec!["", "/", "//", "///", "\\\\", "/\\"]);
    let user = select(vec!["", "", "", "user@", "user:pw@", ":@", "@"]);
    let host = select(vec![
        "",
        "a.test",
        "A.TEST",
        "b.test",
        "127.0.0.1",
        "0x7f.1",
        "[::1]",
        "a..test",
        "xn--",
        "\u{e9}.test",
    ]);
    let port = select(vec!["", "", ":", ":80", ":443", ":8443", ":25", ":6667", ":0", ":65535", ":65536", ":x"]);
    let written =
        (scheme, slashes, user, host, port, "[ -~]{0,12}").prop_map(|(scheme, slashes, user, host, port, rest)| {
            format!("{scheme}{slashes}{user}{host}{port}/{rest}").into_bytes()
        });
    let bytes = prop::collection::vec(prop_oneof![0x20..0x7f_u8, 0x80_u8..], 0..30);
    prop_oneof![4 => written, 1 => "[ -~]{0,30}".prop_map(String::into_bytes), 1 => bytes]
}

/// Scheme, host and port as the address bar would show them; a usual port is none.
fn origin_of(url: &Url) -> (String, String, u16) {
    let usual = if url.scheme() == "https" { 443 } else { 80 };
    (url.scheme().to_owned(), url.host_str().unwrap_or_default().to_owned(), url.port().unwrap_or(usual))
}

fn all_headers() -> HeaderMap {
    let names = FOR_THE_ORIGIN.iter().chain(&ABOUT_THE_BODY).cloned().chain([HeaderName::from_static("x-own")]);
    names.map(|name| (name, HeaderValue::from_static("1"))).collect()
}

proptest! {
    #[test]
    fn a_redirect_leads_to_a_url_that_a_fetch_may_reach_or_nowhere(
        start in select(STARTS.to_vec()),
        location in location(),
        status in select(vec![301_u16, 302, 303, 307, 308]),
        method in select(vec![Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::OPTIONS]),
    ) {
        let from = Url::parse(start).expect("it is one");
        let headers = HeaderMap::from_iter([(LOCATION, HeaderValue::from_bytes(&location).expect("no control characters"))]);
        let status = StatusCode::from_u16(status).expect("it is one");
        match hop(&from, &method, status, &headers) {
            Ok(None) => prop_assert!(false, "there is a Location"),
            Err(fault) => prop_assert!(!fault.transient && ["ERR_INVALID_REDIRECT", bad_port::CODE].contains(&&*fault.code)),
            Ok(Some(hop)) => {
                prop_assert!(matches!(hop.url.scheme(), "http" | "https") && hop.url.host_str().is_some_and(|host| !host.is_empty()));
                prop_assert!(hop.url.username().is_empty() && hop.url.password().is_none());
                prop_assert!(!bad_port::blocks(&hop.url));
                // It is read as it will be written into the next request.
                prop_assert_eq!(&Url::parse(hop.url.as_str()).expect("what was written can be read"), &hop.url);
                prop_assert_eq!(hop.cross_origin, origin_of(&from) != origin_of(&hop.url));
                prop_assert!(!hop.as_get || !matches!(status.as_u16(), 307 | 308));
                prop_assert!(hop.url.fragment().is_some() || from.fragment().is_none());

                let mut sent = all_headers();
                strip(&mut sent, &hop);
                prop_assert!(sent.contains_key("x-own"));
                let keeps = |names: &[HeaderName]| names.iter().filter(|name| sent.contains_key(*name)).count();
                prop_assert_eq!(keeps(&FOR_THE_ORIGIN), if hop.cross_origin { 0 } else { FOR_THE_ORIGIN.len() });
                prop_assert_eq!(keeps(&ABOUT_THE_BODY), if hop.as_get { 0 } else { ABOUT_THE_BODY.len() });
            }
        }
    }

    #[test]
    fn bytes_that_are_no_text_keep_their_values(path in prop::collection::vec(prop_oneof![b'a'..=b'z', 0x80_u8..], 1..20)) {
        let location = [b"/", &path[..]].concat();
        let from = Url::parse("http://a.test/").expect("it is one");
        let headers = HeaderMap::from_iter([(LOCATION, HeaderValue::from_bytes(&location).expect("no control characters"))]);
        let hop = hop(&from, &Method::GET, StatusCode::FOUND, &headers).expect("a path leads on").expect("there is a Location");
        prop_assert_eq!(unescaped(hop.url.path().as_bytes()), location);
    }
}

/// Undoes `%xx`.
fn unescaped(path: &[u8]) -> Vec<u8> {
    let hex = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
    let mut bytes = Vec::new();
    let mut rest = path;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        match (byte, behind) {
            (b'%', [high, low, behind @ ..]) => {
                bytes.extend(hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low));
                rest = behind;
            }
            _ => bytes.push(byte),
        }
    }
    bytes
}
