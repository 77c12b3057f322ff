//! Where a redirect leads, and what of the request goes there (Fetch standard, HTTP-redirect fetch).
//!
//! Getting this wrong leaks credentials: a header meant for one origin must not follow the redirect to another.

use std::borrow::Cow;

use ::http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_TYPE, COOKIE, HOST,
    HeaderName, LOCATION, PROXY_AUTHORIZATION, TRANSFER_ENCODING,
};
use ::http::{HeaderMap, Method, StatusCode};
use url::Url;

use super::bad_port;
use crate::fault::{Delivery, Fault, Kind, Phase};

/// More than this many are a loop (Fetch standard, HTTP-redirect fetch, step 7).
pub(super) const LIMIT: u32 = 20;

/// Meant for the origin they were sent to.
const FOR_THE_ORIGIN: [HeaderName; 4] = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, HOST];

/// They describe a body, and leave with it (Fetch standard, request-body-header name; the last two are hyper's
/// to write).
const ABOUT_THE_BODY: [HeaderName; 6] =
    [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE, CONTENT_LENGTH, TRANSFER_ENCODING];

/// What the next request differs in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hop {
    pub url: Url,
    /// The body stays behind and the method becomes GET.
    pub as_get: bool,
    pub cross_origin: bool,
}

pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Reads a redirect. `None`: there is no `Location`, so the response is the answer.
pub(super) fn hop(
    from: &Url,
    method: &Method,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<Option<Hop>, Box<Fault>> {
    let Some(location) = headers.get(LOCATION) else {
        return Ok(None);
    };
    let Ok(mut url) = from.join(&readable(location.as_bytes())) else {
        return Err(refused("ERR_INVALID_REDIRECT", "The server redirected to something that is not a URL."));
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused(
            "ERR_INVALID_REDIRECT",
            "The server redirected to a URL that is neither http: nor https:.",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("ERR_INVALID_REDIRECT", "The server redirected to a URL with credentials in it."));
    }
    if bad_port::blocks(&url) {
        return Err(refused(bad_port::CODE, "The server redirected to a port that the Fetch standard blocks."));
    }
    if url.fragment().is_none() {
        url.set_fragment(from.fragment());
    }
    let as_get = match status.as_u16() {
        301 | 302 => *method == Method::POST,
        303 => !matches!(*method, Method::GET | Method::HEAD),
        _ => false,
    };
    let cross_origin = from.origin() != url.origin();
    Ok(Some(Hop { url, as_get, cross_origin }))
}

/// Takes from the headers what must not go along.
pub(super) fn strip(headers: &mut HeaderMap, hop: &Hop) {
    if hop.cross_origin {
        for name in &FOR_THE_ORIGIN {
            headers.remove(name);
        }
    }
    if hop.as_get {
        for name in &ABOUT_THE_BODY {
            headers.remove(name);
        }
    }
}

/// `redirect: 'error'` met a redirect.
pub(super) fn unexpected() -> Box<Fault> {
    refused("ERR_UNEXPECTED_REDIRECT", "The server redirected, and the call asked for an error in that case.")
}

/// A call that is to stay at its origin was led away from it.
pub(super) fn leaves_the_origin() -> Box<Fault> {
    refused(
        "ERR_UNEXPECTED_REDIRECT",
        "The server redirected to another origin, and the call's mode is \"same-origin\".",
    )
}

pub(super) fn too_many() -> Box<Fault> {
    refused("ERR_TOO_MANY_REDIRECTS", "The server redirected more than 20 times; it is most likely a loop.")
}

pub(super) fn body_is_spent() -> Box<Fault> {
    refused(
        "ERR_BODY_NOT_REPLAYABLE",
        "The server redirected a request whose body is a stream, and a stream cannot be sent twice.",
    )
}

fn refused(code: &'static str, reason: &'static str) -> Box<Fault> {
    let mut fault = Fault::new(code, Phase::Receive, Delivery::Answered).with_reason(reason);
    fault.kind = Kind::Client;
    Box::new(fault)
}

/// `Location` is ASCII by RFC 9110, but servers write paths in UTF-8 and in latin1. UTF-8 is read as such; other
/// bytes are escaped as they are, which is what they would be in a link of the same page.
fn readable(location: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(location) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            let mut escaped = String::with_capacity(location.len() + 16);
            for byte in location {
                if byte.is_ascii() {
                    escaped.push(char::from(*byte));
                } else {
                    escaped.push_str(&format!("%{byte:02X}"));
                }
            }
            Cow::Owned(escaped)
        }
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use ::http::HeaderValue;

    use super::*;

    fn to(location: &[u8]) -> Result<Option<Hop>, Box<Fault>> {
        from("http://a.test/dir/page?q#part", &Method::GET, 302, location)
    }

    fn from(url: &str, method: &Method, status: u16, location: &[u8]) -> Result<Option<Hop>, Box<Fault>> {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, HeaderValue::from_bytes(location).unwrap());
        hop(&Url::parse(url).unwrap(), method, StatusCode::from_u16(status).unwrap(), &headers)
    }

    fn url_of(location: &[u8]) -> String {
        to(location).unwrap().unwrap().url.into()
    }

    #[test]
    fn locations_are_relative_to_the_page_and_inherit_its_fragment() {
        assert_eq!(url_of(b"next"), "http://a.test/dir/next#part");
        assert_eq!(url_of(b"/root?x"), "http://a.test/root?x#part");
        assert_eq!(url_of(b"//b.test/"), "http://b.test/#part");
        assert_eq!(url_of(b"https://b.test/#own"), "https://b.test/#own");
        assert_eq!(url_of(b""), "http://a.test/dir/page?q#part");
    }

    #[test]
    fn locations_outside_of_ascii_keep_their_bytes() {
        assert_eq!(url_of("/caf\u{e9}".as_bytes()), "http://a.test/caf%C3%A9#part");
        assert_eq!(url_of(b"/caf\xe9"), "http://a.test/caf%E9#part");
    }

    #[test]
    fn a_redirect_without_a_location_is_an_answer() {
        let url = Url::parse("http://a.test/").unwrap();
        assert_eq!(hop(&url, &Method::GET, StatusCode::FOUND, &HeaderMap::new()), Ok(None));
    }

    #[test]
    fn locations_that_cannot_be_fetched_are_refused() {
        for location in [&b"http://"[..], b"ftp://a.test/", b"javascript:alert(1)", b"http://user:pw@a.test/"] {
            let fault = to(location).unwrap_err();
            assert_eq!((&*fault.code, fault.kind, fault.transient), ("ERR_INVALID_REDIRECT", Kind::Client, false));
        }
    }

    #[test]
    fn only_a_posted_form_and_see_other_become_get() {
        let as_get = |method: &Method, status| from("http://a.test/", method, status, b"/b").unwrap().unwrap().as_get;
        assert!(as_get(&Method::POST, 301) && as_get(&Method::POST, 302) && as_get(&Method::POST, 303));
        assert!(as_get(&Method::PUT, 303) && !as_get(&Method::GET, 303) && !as_get(&Method::HEAD, 303));
        assert!(!as_get(&Method::PUT, 301) && !as_get(&Method::PUT, 302));
        assert!(!as_get(&Method::POST, 307) && !as_get(&Method::POST, 308));
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let crosses = |url, location: &[u8]| from(url, &Method::GET, 302, location).unwrap().unwrap().cross_origin;
        assert!(!crosses("http://a.test/", b"http://a.test:80/x"));
        assert!(crosses("http://a.test/", b"https://a.test/"));
        assert!(crosses("http://a.test/", b"http://a.test:81/"));
        assert!(crosses("http://a.test/", b"http://sub.a.test/"));
    }

    #[test]
    fn credentials_stay_with_their_origin_and_body_headers_with_the_body() {
        let all = || {
            let mut headers = HeaderMap::new();
            for name in FOR_THE_ORIGIN.iter().chain(&ABOUT_THE_BODY) {
                headers.insert(name, HeaderValue::from_static("1"));
            }
            headers.insert("x-own", HeaderValue::from_static("1"));
            headers
        };
        let left = |as_get, cross_origin| {
            let mut headers = all();
            strip(&mut headers, &Hop { url: Url::parse("http://b.test/").unwrap(), as_get, cross_origin });
            headers.len()
        };
        assert_eq!(left(false, false), all().len());
        assert_eq!(left(false, true), ABOUT_THE_BODY.len() + 1);
        assert_eq!(left(true, false), FOR_THE_ORIGIN.len() + 1);
        assert_eq!(left(true, true), 1);
    }
}
