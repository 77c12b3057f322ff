//! The options of a client and of a call, as the JavaScript half sends them: checked there, complete, in JSON.

use std::time::Duration;

use http::{HeaderMap, HeaderName};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::pool::PoolOptions;
use super::proxies::WireProxies;
use super::request::latin1_value;
use super::tls::WireTls;
use crate::http::decode::{Decoding, SizeLimit};
use crate::http::resume::{Resume, Start};
use crate::http::transport::Limits;
use crate::http::transport::proxies::ProxyRules;
use crate::{milliseconds, policy};

/// `{ "retry": {...}, "timeout": {...}, "resume": ..., "decoding": {...}, "tls": {...}, "proxies": {...},
/// "pool": {...} }`; what is absent keeps the client's value. Of a call alone: `"readAhead": bytes, "start": {...}`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire<'a> {
    #[serde(borrow)]
    retry: Option<&'a RawValue>,
    timeout: Option<WireTimeouts>,
    resume: Option<WireResume>,
    decoding: Option<WireDecoding>,
    tls: Option<WireTls>,
    proxies: Option<WireProxies>,
    #[serde(default)]
    pool: PoolOptions,
    read_ahead: Option<u32>,
    start: Option<WireStart>,
}

/// See [`Start`]; the headers are pairs of a name and a value, both latin1.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireStart {
    passed: u64,
    length: Option<u64>,
    headers: Vec<(String, String)>,
}

/// Milliseconds; `null` is no limit.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireTimeouts {
    connect: Option<f64>,
    headers: Option<f64>,
    body: Option<f64>,
    attempt: Option<f64>,
    total: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum WireResume {
    Never,
    Validated,
    Trusting,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireDecoding {
    decompress: bool,
    /// `null`: the usual one.
    max_response_size: Option<WireSize>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WireSize {
    Bytes(u64),
    /// `false`: none.
    Limited(bool),
}

#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    pub limits: Limits,
    pub total: Option<Duration>,
}

#[derive(Default)]
pub struct Options {
    pub retry: Option<policy::Options>,
    pub timeouts: Option<Timeouts>,
    pub resume: Option<Resume>,
    pub decoding: Option<Decoding>,
    pub tls: Option<WireTls>,
    pub proxies: Option<ProxyRules>,
    pub pool: PoolOptions,
    /// How much of a body is read before JavaScript asks for it, in bytes.
    pub read_ahead: Option<u32>,
    pub start: Option<Start>,
}

impl Options {
    pub fn parse(json: &str) -> Result<Self, String> {
        let wire: Wire<'_> = serde_json::from_str(json).map_err(|error| error.to_string())?;
        Ok(Options {
            retry: wire.retry.map(|retry| policy::Options::from_json(retry.get())).transpose()?,
            timeouts: wire.timeout.map(Timeouts::try_from).transpose()?,
            resume: wire.resume.map(Resume::from),
            decoding: wire.decoding.map(Decoding::from),
            tls: wire.tls,
            proxies: wire.proxies.map(WireProxies::rules).transpose()?.flatten(),
            pool: wire.pool,
            read_ahead: wire.read_ahead,
            start: wire.start.map(Start::try_from).transpose()?,
        })
    }
}

impl TryFrom<WireTimeouts> for Timeouts {
    type Error = String;

    fn try_from(wire: WireTimeouts) -> Result<Self, String> {
        Ok(Timeouts {
            limits: Limits {
                connect: limit("connect", wire.connect)?,
                headers: limit("headers", wire.headers)?,
                body: limit("body", wire.body)?,
                attempt: limit("attempt", wire.attempt)?,
            },
            total: limit("total", wire.total)?,
        })
    }
}

impl TryFrom<WireStart> for Start {
    type Error = String;

    /// The headers were kept in a file, where anything may have become of them.
    fn try_from(wire: WireStart) -> Result<Self, String> {
        let mut headers = HeaderMap::new();
        for (name, value) in wire.headers {
            let read = HeaderName::from_bytes(name.as_bytes()).ok().zip(latin1_value(&value));
            let (name, value) = read.ok_or_else(|| format!("start.headers: {name:?} is no header"))?;
            headers.append(name, value);
        }
        Ok(Start { passed: wire.passed, length: wire.length, headers })
    }
}

impl From<WireResume> for Resume {
    fn from(wire: WireResume) -> Self {
        match wire {
            WireResume::Never => Resume::Never,
            WireResume::Validated => Resume::Validated,
            WireResume::Trusting => Resume::Trusting,
        }
    }
}

impl From<WireDecoding> for Decoding {
    fn from(wire: WireDecoding) -> Self {
        let size = match wire.max_response_size {
            Some(WireSize::Bytes(bytes)) => SizeLimit::Bytes(bytes),
            Some(WireSize::Limited(false)) => SizeLimit::None,
            Some(WireSize::Limited(true)) | None => SizeLimit::Usual,
        };
        Decoding { decompress: wire.decompress, size }
    }
}

fn limit(name: &str, given: Option<f64>) -> Result<Option<Duration>, String> {
    let read = |given| milliseconds::from_js(given).ok_or_else(|| format!("timeout.{name}: {given} is negative"));
    given.map(read).transpose()
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_timeouts_in_milliseconds_and_null_as_none() {
        let json = r#"{"timeout":{"connect":1500,"headers":null,"body":1,"attempt":null,"total":1e300}}"#;
        let timeouts = Options::parse(json).unwrap().timeouts.unwrap();
        assert_eq!(timeouts.limits.connect, Some(Duration::from_millis(1500)));
        assert_eq!(timeouts.limits.headers, None);
        assert_eq!(timeouts.limits.body, Some(Duration::from_millis(1)));
        assert_eq!(timeouts.total, Some(milliseconds::LONGEST));
    }

    #[test]
    fn a_negative_time_is_not_taken_for_no_limit() {
        let error = Options::parse(r#"{"timeout":{"total":-1}}"#).err().unwrap();
        assert_eq!(error, "timeout.total: -1 is negative");
    }

    #[test]
    fn resume_is_one_of_three() {
        let read = |written: &str| Options::parse(&format!(r#"{{"resume":{written}}}"#)).map(|options| options.resume);
        assert_eq!(read(r#""never""#), Ok(Some(Resume::Never)));
        assert_eq!(read(r#""validated""#), Ok(Some(Resume::Validated)));
        assert_eq!(read(r#""trusting""#), Ok(Some(Resume::Trusting)));
        assert_eq!(Options::parse("{}").map(|options| options.resume), Ok(None));
        assert!(read(r#""always""#).is_err());
    }

    #[test]
    fn a_size_is_a_number_of_bytes_the_usual_one_or_none() {
        let size = |written: &str| {
            let json = format!(r#"{{"decoding":{{"decompress":false,"maxResponseSize":{written}}}}}"#);
            Options::parse(&json).map(|options| options.decoding.unwrap())
        };
        let of = |size| Decoding { decompress: false, size };
        assert_eq!(size("9007199254740991"), Ok(of(SizeLimit::Bytes(9_007_199_254_740_991))));
        assert_eq!(size("null"), Ok(of(SizeLimit::Usual)));
        assert_eq!(size("false"), Ok(of(SizeLimit::None)));
        assert!(size("-1").is_err());
        assert!(Options::parse("{}").unwrap().decoding.is_none());
    }

    #[test]
    fn what_is_there_of_a_body_comes_with_the_headers_of_its_first_response() {
        let start =
            |written: &str| Options::parse(&format!(r#"{{"start":{written}}}"#)).map(|options| options.start.unwrap());
        let read = start(r#"{"passed":7,"length":9,"headers":[["etag","\"caf\u00e9\""]]}"#).unwrap();
        assert_eq!((read.passed, read.length, read.headers["etag"].as_bytes()), (7, Some(9), &b"\"caf\xe9\""[..]));
        for broken in [r#"[["a b","c"]]"#, r#"[["etag","a\nb"]]"#, r#"[["etag","\u20ac"]]"#] {
            assert!(start(&format!(r#"{{"passed":7,"length":null,"headers":{broken}}}"#)).is_err(), "{broken}");
        }
    }

    #[test]
    fn names_what_it_does_not_know() {
        assert!(Options::parse(r#"{"retries":1}"#).err().unwrap().contains("retries"));
    }
}
