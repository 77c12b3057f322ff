//! `Content-Encoding`: which codings a body was sent in.

use ::http::header::CONTENT_ENCODING;
use ::http::{HeaderMap, Method, StatusCode};

use super::{Decoder, brotli, deflate, fault, gzip, zstd};
use crate::fault::Fault;

/// As many as the built-in fetch takes. Each coding may multiply the work of the next, and nobody needs two.
const MOST: usize = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    fn named(name: &[u8]) -> Option<Self> {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match () {
            // RFC 9110, section 8.4.1.3: the two are one.
            () if is("gzip") || is("x-gzip") => Some(Coding::Gzip),
            () if is("deflate") => Some(Coding::Deflate),
            () if is("br") => Some(Coding::Brotli),
            () if is("zstd") => Some(Coding::Zstd),
            () => None,
        }
    }

    pub fn decoder(self) -> Box<dyn Decoder> {
        match self {
            Coding::Gzip => Box::new(gzip::Gzip::new()),
            Coding::Deflate => Box::new(deflate::Deflate::new()),
            Coding::Brotli => Box::new(brotli::Brotli::new()),
            Coding::Zstd => Box::new(zstd::Zstd::new()),
        }
    }
}

/// The codings of a response, in the order in which they were applied. None if one of them is not known: the body is
/// then handed over as it came, as the built-in fetch does.
///
/// # Errors
/// More than [`MOST`].
pub(super) fn of(method: &Method, status: StatusCode, headers: &HeaderMap) -> Result<Vec<Coding>, Box<Fault>> {
    if !headers.contains_key(CONTENT_ENCODING) || has_null_body(method, status) {
        return Ok(Vec::new());
    }
    let values = headers.get_all(CONTENT_ENCODING);
    let names = || values.iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let count = names().count();
    if count > MOST {
        return Err(fault::too_many(count, MOST));
    }
    Ok(names().map(|name| Coding::named(name.trim_ascii())).collect::<Option<_>>().unwrap_or_default())
}

/// A response that has no body whatever its headers say (Fetch standard, "null body status"; RFC 9110, section 9.3.2).
pub(in crate::http) fn has_null_body(method: &Method, status: StatusCode) -> bool {
    *method == Method::HEAD || status.is_informational() || matches!(status.as_u16(), 204 | 205 | 304)
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use ::http::HeaderValue;

    use super::Coding::{Brotli, Deflate, Gzip, Zstd};
    use super::*;

    fn of_get(values: &[&'static str]) -> Result<Vec<Coding>, Box<Fault>> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_ENCODING, HeaderValue::from_static(value));
        }
        of(&Method::GET, StatusCode::OK, &headers)
    }

    #[test]
    fn names_are_read_in_any_case_and_over_several_headers() {
        assert_eq!(of_get(&[]).unwrap(), []);
        assert_eq!(of_get(&["gzip"]).unwrap(), [Gzip]);
        assert_eq!(of_get(&["X-GZip"]).unwrap(), [Gzip]);
        assert_eq!(of_get(&["deflate,\tBR ", " zstd"]).unwrap(), [Deflate, Brotli, Zstd]);
    }

    #[test]
    fn one_that_is_not_known_leaves_the_body_alone() {
        for values in [&["compress"][..], &["gzip, compress"], &["identity"], &["gzip, identity"], &["gzip,"], &[""]] {
            assert_eq!(of_get(values).unwrap(), [], "{values:?}");
        }
    }

    #[test]
    fn no_more_than_five_are_undone() {
        assert_eq!(of_get(&["gzip,gzip,gzip", "gzip,gzip"]).unwrap().len(), 5);
        let fault = of_get(&["gzip,gzip,gzip", "gzip,x,gzip"]).unwrap_err();
        assert_eq!(fault.code, "ERR_TOO_MANY_CONTENT_ENCODINGS");
    }

    #[test]
    fn responses_without_a_body_have_none_to_decode() {
        let headers: HeaderMap =
            [(CONTENT_ENCODING, HeaderValue::from_static("gzip,gzip,gzip,gzip,gzip,gzip"))].into_iter().collect();
        for status in [101, 204, 205, 304] {
            assert_eq!(of(&Method::GET, StatusCode::from_u16(status).unwrap(), &headers).unwrap(), [], "{status}");
        }
        assert_eq!(of(&Method::HEAD, StatusCode::OK, &headers).unwrap(), []);
        assert!(of(&Method::POST, StatusCode::CREATED, &headers).is_err());
    }
}
