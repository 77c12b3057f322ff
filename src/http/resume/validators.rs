//! What identifies a body, and whether that is enough to put two parts of it together.
//!
//! Two versions of a file spliced into one is the worst that can come of a download: it has the right length and
//! nobody notices. So a part is added only to what a **strong** validator (RFC 9110, section 8.8.1) says is the same,
//! byte for byte; whoever knows better may say so with [`Resume::Trusting`](super::Resume::Trusting).

use std::time::Duration;

use ::http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, DATE, ETAG, HeaderMap, HeaderName, HeaderValue,
    LAST_MODIFIED,
};

/// How much older than the response a modification must be, or another one could have happened under the same date.
/// RFC 9110, section 8.8.2.2, asks for a second where both dates come from one clock, and for enough to rule out a
/// difference of clocks otherwise, which nobody can know from here. The minute is that of RFC 7232, section 2.2.2.
const SETTLED: Duration = Duration::from_secs(60);

/// What the first response said about its body.
#[derive(Debug, Clone, Default)]
pub(super) struct Validators {
    etag: Option<HeaderValue>,
    last_modified: Option<HeaderValue>,
    date: Option<HeaderValue>,
    /// One coding may stand on each line.
    encoding: Vec<HeaderValue>,
    media_type: Option<HeaderValue>,
    length: Option<HeaderValue>,
    range: Option<HeaderValue>,
}

impl Validators {
    /// A clone of a header's value shares its bytes.
    pub fn of(headers: &HeaderMap) -> Self {
        let value = |name: HeaderName| headers.get(name).cloned();
        Validators {
            etag: value(ETAG),
            last_modified: value(LAST_MODIFIED),
            date: value(DATE),
            encoding: headers.get_all(CONTENT_ENCODING).iter().cloned().collect(),
            media_type: value(CONTENT_TYPE),
            length: value(CONTENT_LENGTH),
            range: value(CONTENT_RANGE),
        }
    }

    /// The strong validator, if there is one: what `If-Range` may carry.
    pub fn strong(&self) -> Option<&HeaderValue> {
        match &self.etag {
            Some(etag) => Some(etag).filter(|etag| is_strong(etag)),
            // A date may be sent only where there is no entity tag at all, not in place of a weak one (RFC 9110,
            // section 13.1.5).
            None => self.last_modified.as_ref().filter(|modified| is_settled(modified, self.date.as_ref())),
        }
    }

    /// Whether another response says in so many words that its body is the same: equal strong validators, one encoding.
    pub fn prove_same(&self, headers: &HeaderMap) -> bool {
        let validator = if self.etag.is_some() { ETAG } else { LAST_MODIFIED };
        self.strong().is_some_and(|strong| headers.get(validator) == Some(strong)) && self.same_encoding(headers)
    }

    /// Whether a 206, which answers a range under `If-Range`, brings a part of the same.
    ///
    /// It must repeat an entity tag, and should leave out the rest of what the client knows already: `Last-Modified` and
    /// `Content-Encoding` (RFC 9110, section 15.3.7). What it leaves out then stands, because the condition held; parts
    /// are combined by the strong validator that they share (15.3.7.3). Not every server keeps to that: some ignore
    /// `If-Range`, some give one entity tag to all encodings of a file and compress no parts. So what is left out is
    /// believed only of a whole that is as long as the first response said (`same_length`), which another version rarely
    /// and another encoding hardly ever is.
    pub fn prove_part(&self, headers: &HeaderMap, same_length: bool) -> bool {
        let Some(strong) = self.strong() else { return false };
        let validator = if self.etag.is_some() {
            headers.get(ETAG) == Some(strong)
        } else {
            match headers.get(LAST_MODIFIED) {
                Some(modified) => modified == strong,
                None => same_length && !headers.contains_key(ETAG),
            }
        };
        validator && (self.same_encoding(headers) || same_length && !headers.contains_key(CONTENT_ENCODING))
    }

    /// Whether another response leaves it possible that its body is the same or a part of it: nothing that both say
    /// of it differs.
    pub fn allow_same(&self, headers: &HeaderMap) -> bool {
        let agrees = |known: &Option<HeaderValue>, name| match (known, headers.get(name)) {
            (Some(known), Some(said)) => known == said,
            _ => true,
        };
        agrees(&self.etag, ETAG) && agrees(&self.last_modified, LAST_MODIFIED) && self.same_encoding(headers)
    }

    /// Whether another response says the same of its body in every respect: good enough to take it in place of one of
    /// which nobody has seen a byte.
    pub fn interchangeable(&self, headers: &HeaderMap) -> bool {
        let other = Validators::of(headers);
        self.etag == other.etag
            && self.last_modified == other.last_modified
            && self.encoding == other.encoding
            && self.media_type == other.media_type
            && self.length == other.length
            && self.range == other.range
    }

    /// The ranges are counted in encoded bytes. Some servers give one entity tag to all encodings of a file.
    fn same_encoding(&self, headers: &HeaderMap) -> bool {
        headers.get_all(CONTENT_ENCODING).iter().eq(&self.encoding)
    }
}

/// RFC 9110, section 8.8.3: quoted, and not marked `W/`. What is not quoted is no entity tag.
fn is_strong(etag: &HeaderValue) -> bool {
    matches!(etag.as_bytes(), [b'"', inner @ .., b'"'] if !inner.contains(&b'"'))
}

fn is_settled(modified: &HeaderValue, date: Option<&HeaderValue>) -> bool {
    let read = |value: &HeaderValue| httpdate::parse_http_date(value.to_str().ok()?).ok();
    let (Some(modified), Some(date)) = (read(modified), date.and_then(read)) else {
        return false;
    };
    date.duration_since(modified).is_ok_and(|age| age >= SETTLED)
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    const MODIFIED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const A_MINUTE_LATER: &str = "Sun, 06 Nov 1994 08:50:37 GMT";

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        pairs.collect()
    }

    fn validators(pairs: &[(&'static str, &'static str)]) -> Validators {
        Validators::of(&headers(pairs))
    }

    fn strong(pairs: &[(&'static str, &'static str)]) -> Option<String> {
        validators(pairs).strong().map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn an_entity_tag_is_strong_unless_it_says_otherwise() {
        assert_eq!(strong(&[("etag", "\"a\"")]).as_deref(), Some("\"a\""));
        assert_eq!(strong(&[("etag", "\"\"")]).as_deref(), Some("\"\""));
        for none in ["W/\"a\"", "w/\"a\"", "a", "\"a", "\"", "", "\"a\"b\"", "\"a\", \"b\""] {
            assert_eq!(strong(&[("etag", none)]), None, "{none}");
        }
    }

    #[test]
    fn a_date_is_strong_when_the_response_came_long_enough_after_it() {
        assert_eq!(strong(&[("last-modified", MODIFIED), ("date", A_MINUTE_LATER)]).as_deref(), Some(MODIFIED));
        for date in ["Sun, 06 Nov 1994 08:50:36 GMT", MODIFIED, "Sun, 06 Nov 1994 08:48:37 GMT", "later", ""] {
            assert_eq!(strong(&[("last-modified", MODIFIED), ("date", date)]), None, "{date}");
        }
        assert_eq!(strong(&[("last-modified", MODIFIED)]), None);
        assert_eq!(strong(&[("last-modified", "yesterday"), ("date", A_MINUTE_LATER)]), None);
    }

    #[test]
    fn a_date_does_not_stand_in_for_a_weak_entity_tag() {
        let both = [("last-modified", MODIFIED), ("date", A_MINUTE_LATER), ("etag", "W/\"a\"")];
        assert_eq!(strong(&both), None);
    }

    #[test]
    fn sameness_is_proved_by_the_strong_validator_and_the_encoding() {
        let tagged = validators(&[("etag", "\"a\""), ("content-encoding", "gzip")]);
        assert!(tagged.prove_same(&headers(&[("etag", "\"a\""), ("content-encoding", "gzip")])));
        for other in [
            &[("etag", "\"b\""), ("content-encoding", "gzip")][..],
            &[("etag", "W/\"a\""), ("content-encoding", "gzip")],
            &[("content-encoding", "gzip")],
            &[("etag", "\"a\"")],
            &[("etag", "\"a\""), ("content-encoding", "br")],
        ] {
            assert!(!tagged.prove_same(&headers(other)), "{other:?}");
        }
        let weak = [("etag", "W/\"a\"")];
        assert!(!validators(&weak).prove_same(&headers(&weak)), "equal, and yet weak");
        let dated = validators(&[("last-modified", MODIFIED), ("date", A_MINUTE_LATER)]);
        assert!(dated.prove_same(&headers(&[("last-modified", MODIFIED)])));
        assert!(!dated.prove_same(&headers(&[("last-modified", A_MINUTE_LATER)])));
        assert!(!dated.prove_same(&headers(&[])));
    }

    #[test]
    fn a_part_may_leave_out_what_the_first_response_said_if_the_whole_is_as_long() {
        let tagged = validators(&[("etag", "\"a\""), ("last-modified", MODIFIED), ("content-encoding", "gzip")]);
        for (part, proved) in [
            (&[("etag", "\"a\""), ("content-encoding", "gzip")][..], [true, true]),
            (&[("etag", "\"a\"")], [true, false]),
            (&[("etag", "\"a\""), ("content-encoding", "br")], [false, false]),
            (&[("etag", "\"b\""), ("content-encoding", "gzip")], [false, false]),
            (&[("content-encoding", "gzip")], [false, false]),
            (&[("last-modified", MODIFIED), ("content-encoding", "gzip")], [false, false]),
            (&[], [false, false]),
        ] {
            assert_eq!([true, false].map(|as_long| tagged.prove_part(&headers(part), as_long)), proved, "{part:?}");
        }
        let dated = validators(&[("last-modified", MODIFIED), ("date", A_MINUTE_LATER)]);
        for (part, proved) in [
            (&[("last-modified", MODIFIED)][..], [true, true]),
            (&[], [true, false]),
            (&[("last-modified", A_MINUTE_LATER)], [false, false]),
            (&[("etag", "\"a\"")], [false, false]),
            (&[("content-encoding", "gzip")], [false, false]),
        ] {
            assert_eq!([true, false].map(|as_long| dated.prove_part(&headers(part), as_long)), proved, "{part:?}");
        }
        let weak = [("etag", "W/\"a\"")];
        assert!(!validators(&weak).prove_part(&headers(&weak), true));
    }

    #[test]
    fn trust_ends_where_the_server_says_that_it_is_something_else() {
        let first = validators(&[("etag", "W/\"a\""), ("last-modified", MODIFIED)]);
        assert!(first.allow_same(&headers(&[])));
        assert!(first.allow_same(&headers(&[("etag", "W/\"a\""), ("last-modified", MODIFIED)])));
        assert!(!first.allow_same(&headers(&[("etag", "W/\"b\"")])));
        assert!(!first.allow_same(&headers(&[("last-modified", A_MINUTE_LATER)])));
        assert!(!first.allow_same(&headers(&[("content-encoding", "gzip")])));
        let mut twice = headers(&[("content-encoding", "gzip")]);
        let once = Validators::of(&twice);
        twice.append(CONTENT_ENCODING, HeaderValue::from_static("br"));
        assert!(once.allow_same(&headers(&[("content-encoding", "gzip")])) && !once.allow_same(&twice));
        assert!(validators(&[]).allow_same(&headers(&[("etag", "\"a\"")])));
    }

    #[test]
    fn one_body_is_taken_for_another_only_if_all_is_said_alike() {
        const ALL: [(&str, &str); 6] = [
            ("etag", "W/\"a\""),
            ("last-modified", MODIFIED),
            ("content-encoding", "gzip"),
            ("content-type", "text/plain"),
            ("content-length", "7"),
            ("content-range", "bytes 0-6/9"),
        ];
        let first = validators(&ALL);
        assert!(first.interchangeable(&headers(&ALL)));
        for (name, _) in ALL {
            let mut fewer = headers(&ALL);
            fewer.remove(name);
            assert!(!first.interchangeable(&fewer), "without {name}");
            let mut other = headers(&ALL);
            other.insert(name, HeaderValue::from_static("other"));
            assert!(!first.interchangeable(&other), "another {name}");
        }
        let mut later = headers(&ALL);
        later.insert(DATE, HeaderValue::from_static(A_MINUTE_LATER));
        assert!(first.interchangeable(&later));
    }
}
