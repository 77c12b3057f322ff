//! The form in which a request crosses: one string, because each string costs a crossing of its own.
//!
//! `METHOD\n` then `name\n` `value\n` for each header, then an empty line and the URL. Header names and values
//! cannot contain a line feed; the URL, which the caller may have written with anything in it, comes last.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{HeaderValue as Value, Method};

/// More are refused. `HeaderMap` has room for 24 576 names and panics beyond; what is added to them on their way needs
/// some of it. Node's own servers stop at 16 KiB of headers, which is 2 000 at the most.
const MOST_HEADERS: usize = 16_384;

#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    pub method: Method,
    pub headers: HeaderMap,
    pub url: String,
}

/// `None` if the text is not of that form, or has more than [`MOST_HEADERS`]; the JavaScript half checks names and values
/// before.
pub fn parse(text: &str) -> Option<Head> {
    let (method, mut rest) = text.split_once('\n')?;
    let method = Method::from_bytes(method.as_bytes()).ok()?;
    let mut headers = HeaderMap::new();
    loop {
        let (name, after) = rest.split_once('\n')?;
        if name.is_empty() {
            return Some(Head { method, headers, url: after.to_owned() });
        }
        let (value, after) = after.split_once('\n')?;
        if headers.len() == MOST_HEADERS {
            return None;
        }
        headers.append(HeaderName::from_bytes(name.as_bytes()).ok()?, latin1_value(value)?);
        rest = after;
    }
}

/// What the built-in fetch of Node sends unless told otherwise; `accept-encoding` depends on the scheme of each hop, and
/// is added there.
pub fn add_defaults(headers: &mut HeaderMap) {
    const DEFAULTS: [(HeaderName, &str); 4] = [
        (http::header::ACCEPT, "*/*"),
        (http::header::ACCEPT_LANGUAGE, "*"),
        (HeaderName::from_static("sec-fetch-mode"), "cors"),
        (http::header::USER_AGENT, "node"),
    ];
    for (name, value) in DEFAULTS {
        headers.entry(name).or_insert(Value::from_static(value));
    }
}

/// Header values are bytes to HTTP and latin1 to JavaScript (RFC 9110, section 5.5).
pub(super) fn latin1_value(value: &str) -> Option<HeaderValue> {
    if value.is_ascii() {
        return HeaderValue::from_str(value).ok();
    }
    let bytes: Option<Vec<u8>> = value.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect();
    HeaderValue::from_bytes(&bytes?).ok()
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_method_headers_and_a_url_with_line_feeds() {
        let head = parse("POST\nx-a\n1\nx-a\ncaf\u{e9}\n\nhttp://h/\na").unwrap();
        assert_eq!(head.method, Method::POST);
        assert_eq!(head.url, "http://h/\na");
        let values: Vec<_> = head.headers.get_all("x-a").iter().map(HeaderValue::as_bytes).collect();
        assert_eq!(values, [b"1".as_slice(), b"caf\xe9"]);
    }

    #[test]
    fn refuses_what_is_not_of_the_form() {
        for text in
            ["", "GET", "GET\n", "GET\nname\n", "G T\n\nhttp://h", "GET\nbad name\nv\n\nu", "GET\na\n\u{20ac}\n\nu"]
        {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn defaults_do_not_replace_what_the_caller_set() {
        let mut headers = HeaderMap::new();
        headers.insert("accept", HeaderValue::from_static("text/html"));
        add_defaults(&mut headers);
        assert_eq!(headers["accept"], "text/html");
        assert_eq!(headers["user-agent"], "node");
    }
}
