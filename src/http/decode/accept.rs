//! `Accept-Encoding`: which codings a server may use.

use ::http::header::{ACCEPT_ENCODING, RANGE};
use ::http::{HeaderMap, HeaderValue};
use url::Url;

/// What the built-in fetch of Node asks for. In the clear only what every middlebox has known for decades: some have
/// damaged what they did not know (it is why browsers offer br over TLS only).
const PLAIN: HeaderValue = HeaderValue::from_static("gzip, deflate");
const IDENTITY: HeaderValue = HeaderValue::from_static("identity");
const SECURE: HeaderValue = HeaderValue::from_static("br, gzip, deflate, zstd");

/// Makes the headers of a call ready. Returns whether each hop asks for what its scheme allows ([`for_scheme`]).
pub fn prepare(headers: &mut HeaderMap, decompress: bool) -> bool {
    if headers.contains_key(RANGE) {
        // A part of an encoded body decodes to nothing (Fetch standard, "HTTP-network-or-cache fetch", step 18).
        let written: Vec<&[u8]> = headers.get_all(ACCEPT_ENCODING).iter().map(HeaderValue::as_bytes).collect();
        let asked = [written.as_slice(), &[IDENTITY.as_bytes()]].concat().join(&b", "[..]);
        // Header values, joined by what may stand in one, are a header value: the other case does not happen.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_bytes(&asked).unwrap_or(IDENTITY));
        return false;
    }
    decompress && !headers.contains_key(ACCEPT_ENCODING)
}

/// Asks for what may be sent over the scheme of `url`.
pub fn for_scheme(headers: &mut HeaderMap, url: &Url) {
    headers.insert(ACCEPT_ENCODING, if url.scheme() == "https" { SECURE } else { PLAIN });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(given: &[(&'static str, &'static str)], decompress: bool) -> (bool, Option<String>) {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let by_scheme = prepare(&mut headers, decompress);
        let asked = headers.get(ACCEPT_ENCODING).map(|value| value.to_str().unwrap().to_owned());
        (by_scheme, asked)
    }

    #[test]
    fn what_the_caller_asks_for_stays() {
        assert_eq!(prepared(&[], true), (true, None));
        assert_eq!(prepared(&[], false), (false, None));
        assert_eq!(prepared(&[("accept-encoding", "br")], true), (false, Some("br".into())));
        assert_eq!(prepared(&[("accept-encoding", "")], true), (false, Some(String::new())));
    }

    #[test]
    fn a_range_is_asked_for_as_it_is() {
        assert_eq!(prepared(&[("range", "bytes=1-")], true), (false, Some("identity".into())));
        assert_eq!(prepared(&[("range", "bytes=1-")], false), (false, Some("identity".into())));
        let own = [("range", "bytes=1-"), ("accept-encoding", "gzip"), ("accept-encoding", "br")];
        assert_eq!(prepared(&own, true), (false, Some("gzip, br, identity".into())));
    }

    #[test]
    fn each_hop_asks_for_what_its_scheme_allows() {
        let mut headers = HeaderMap::new();
        for (url, asked) in [("http://a.test/", PLAIN), ("https://a.test/", SECURE), ("http://b.test/", PLAIN)] {
            for_scheme(&mut headers, &Url::parse(url).unwrap());
            assert_eq!(headers.get_all(ACCEPT_ENCODING).iter().collect::<Vec<_>>(), [asked]);
        }
    }
}
