//! The upgrade: one HTTP request, and whether its answer is what RFC 6455, section 4.1, asks for.
//!
//! hyper sends and parses. What it means is judged here, since a server, or something between, that only looks as if it
//! spoke WebSocket must not be sent a single message.

use std::pin::{Pin, pin};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use http::header::{CONNECTION, LOCATION, RETRY_AFTER, UPGRADE};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use sha1::{Digest, Sha1};

use super::extension::{Agreed, Deflate};
use super::request::Request;
use crate::fault::{Delivery, Fault, Kind, Phase, RetryAfter};
use crate::http::transport::direct::evidence;
use crate::tcp::stream::Stream;

/// As Node reads.
const MAX_HEADERS: usize = 2000;
/// What is kept of the body of a refusal.
const MAX_BODY: usize = 64 * 1024;
/// RFC 6455, section 1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A connection that speaks WebSocket.
pub(super) struct Upgraded {
    pub stream: Stream,
    /// Came right behind the answer.
    pub rest: Bytes,
    pub agreed: Option<Agreed>,
    pub protocol: String,
    /// The header's value.
    pub extensions: String,
    pub headers: Vec<(String, String)>,
}

pub(super) enum NotUpgraded {
    /// A redirect.
    Elsewhere { status: u16, location: String, headers: Vec<(String, String)> },
    /// Any other answer but 101.
    Refused(Box<Refusal>),
    /// None, or one that is wrong.
    Failed(Box<Fault>),
}

#[derive(Debug)]
pub struct Refusal {
    pub status: u16,
    pub phrase: String,
    /// Values hold bytes as characters.
    pub headers: Vec<(String, String)>,
    /// Its beginning.
    pub body: Vec<u8>,
    pub fault: Fault,
}

/// Asks at the other end of `stream`.
pub(super) async fn upgrade(
    stream: Stream,
    request: &Request,
    deflate: Option<&Deflate>,
) -> Result<Upgraded, NotUpgraded> {
    let key = BASE64_STANDARD.encode(fastrand::u128(..).to_ne_bytes());
    let offer = deflate.map(Deflate::offer);
    let asked = request.http(&key, offer.as_deref()).map_err(NotUpgraded::Failed)?;
    let mut builder = http1::Builder::new();
    // Some servers read names as they are usually written.
    builder.title_case_headers(true).max_headers(MAX_HEADERS);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
    // It ends with the upgrade, or with the connection, and must not be polled after that.
    let mut connection = pin!(connection.with_upgrades().fuse());
    let response = over(connection.as_mut(), sender.send_request(asked)).await.map_err(|error| failed(&error))?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refused(response, connection).await);
    }
    let judged = judge(response.headers(), request, &key, deflate);
    let (agreed, protocol) = judged.map_err(|what| NotUpgraded::Failed(Box::new(broken(&what))))?;
    let headers = pairs(response.headers());
    let extensions = joined(response.headers(), "sec-websocket-extensions").unwrap_or_default();
    let upgraded = over(connection, hyper::upgrade::on(response)).await;
    let parts = upgraded.map_err(|error| failed(&error))?.downcast::<TokioIo<Stream>>();
    // It is what was handed to hyper above.
    let parts = parts.map_err(|_| NotUpgraded::Failed(Box::new(broken("the connection was lost"))))?;
    let (stream, rest) = (parts.io.into_inner(), parts.read_buf);
    Ok(Upgraded { stream, rest, agreed, protocol, extensions, headers })
}

/// What `work` comes to while the connection that it is about goes on. When that has ended, so will the work.
async fn over<T>(connection: Pin<&mut impl Future>, work: impl Future<Output = T>) -> T {
    match select(pin!(work), connection).await {
        Either::Left((done, _)) => done,
        Either::Right((_, work)) => work.await,
    }
}

/// The extension and the subprotocol of an answer; the error says what is wrong with it.
fn judge(
    headers: &HeaderMap,
    request: &Request,
    key: &str,
    deflate: Option<&Deflate>,
) -> Result<(Option<Agreed>, String), String> {
    if !has_token(headers, UPGRADE.as_str(), "websocket") {
        return Err("its Upgrade header does not say websocket".to_owned());
    }
    if !has_token(headers, CONNECTION.as_str(), "upgrade") {
        return Err("its Connection header does not say Upgrade".to_owned());
    }
    if headers.get("sec-websocket-accept").map(|value| value.as_bytes().trim_ascii()) != Some(accept(key).as_bytes()) {
        return Err("its Sec-WebSocket-Accept does not belong to the request".to_owned());
    }
    let protocol = joined(headers, "sec-websocket-protocol");
    let protocol = match protocol {
        Some(_) if request.protocols.is_empty() => return Err("it chose a subprotocol and was offered none".to_owned()),
        Some(chosen) if !request.protocols.contains(&chosen) => {
            return Err("it chose a subprotocol that was not offered".to_owned());
        }
        None if !request.protocols.is_empty() => return Err("it chose none of the subprotocols".to_owned()),
        chosen => chosen.unwrap_or_default(),
    };
    let agreed = match (joined(headers, "sec-websocket-extensions"), deflate) {
        (None, _) => None,
        (Some(answer), Some(deflate)) => Some(deflate.accept(&answer)?),
        (Some(_), None) => return Err("it chose an extension and was offered none".to_owned()),
    };
    Ok((agreed, protocol))
}

fn accept(key: &str) -> String {
    let mut digest = Sha1::new();
    digest.update(key);
    digest.update(GUID);
    BASE64_STANDARD.encode(digest.finalize())
}

async fn refused(
    response: Response<Incoming>,
    connection: impl Future<Output = Result<(), hyper::Error>>,
) -> NotUpgraded {
    let status = response.status();
    let headers = pairs(response.headers());
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    if let (301 | 302 | 303 | 307 | 308, Some(location)) = (status.as_u16(), text(LOCATION)) {
        return NotUpgraded::Elsewhere { status: status.as_u16(), location: location.to_owned(), headers };
    }
    let retry_after = text(RETRY_AFTER).and_then(RetryAfter::parse);
    let phrase = response.extensions().get::<hyper::ext::ReasonPhrase>();
    let phrase = phrase.map(|phrase| String::from_utf8_lossy(phrase.as_bytes()).into_owned());
    let phrase = phrase.unwrap_or_else(|| status.canonical_reason().unwrap_or_default().to_owned());
    let mut fault = Fault::from_status(status.as_u16(), retry_after);
    fault.phase = Phase::Handshake;
    let body = over(pin!(connection), beginning(response.into_body())).await;
    NotUpgraded::Refused(Box::new(Refusal { status: status.as_u16(), phrase, headers, body, fault }))
}

/// As much of a body as is kept, and has come.
async fn beginning(mut body: Incoming) -> Vec<u8> {
    let mut kept = Vec::new();
    while kept.len() < MAX_BODY && !body.is_end_stream() {
        let Some(Ok(frame)) = body.frame().await else { break };
        if let Some(bytes) = frame.data_ref() {
            kept.extend_from_slice(&bytes[..bytes.len().min(MAX_BODY - kept.len())]);
        }
    }
    kept
}

fn has_token(headers: &HeaderMap, name: &str, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|word| word.trim().eq_ignore_ascii_case(token))
}

/// The values of a header, as one; `None`: there is none.
fn joined(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut values = headers.get_all(name).iter().map(|value| text(value.as_bytes()));
    let first = values.next()?;
    Some(values.fold(first, |joined, value| format!("{joined}, {value}")))
}

fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect()
}

/// Each byte one character.
fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn failed(error: &hyper::Error) -> NotUpgraded {
    let mut fault = evidence::before_answer(error, true, true);
    // Of the caller's messages nothing has left.
    (fault.phase, fault.delivery) = (Phase::Handshake, Delivery::NotSent);
    NotUpgraded::Failed(Box::new(fault))
}

fn broken(what: &str) -> Fault {
    let mut fault = Fault::new("ERR_WS_HANDSHAKE", Phase::Handshake, Delivery::NotSent)
        .with_reason(format!("The server's answer to the upgrade is not valid: {what}."));
    (fault.kind, fault.transient) = (Kind::Protocol, false);
    fault
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, http::HeaderValue::from_static(value));
        }
        map
    }

    fn asked(protocols: &[&str]) -> Request {
        Request::new("ws://a.test", protocols.iter().map(|name| (*name).to_owned()).collect(), &[]).unwrap()
    }

    #[test]
    fn the_key_of_the_specification_has_its_answer() {
        assert_eq!(accept(KEY), ACCEPT);
    }

    #[test]
    fn a_proper_answer_is_taken_however_it_is_written() {
        let answer = headers(&[
            ("connection", "keep-alive, upgrade"),
            ("upgrade", "WebSocket"),
            ("sec-websocket-accept", ACCEPT),
            ("sec-websocket-protocol", "b"),
            ("sec-websocket-extensions", "permessage-deflate"),
        ]);
        let (agreed, protocol) = judge(&answer, &asked(&["a", "b"]), KEY, Some(&Deflate::default())).unwrap();
        assert_eq!((agreed.is_some(), protocol.as_str()), (true, "b"));
    }

    #[test]
    fn what_was_not_asked_for_is_refused() {
        const GOOD: [(&str, &str); 3] =
            [("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-accept", ACCEPT)];
        let with = |more: &[(&'static str, &'static str)]| headers(&[&GOOD, more].concat());
        let without = |name: &str| {
            let left: Vec<_> = GOOD.into_iter().filter(|(known, _)| *known != name).collect();
            headers(&left)
        };
        assert!(judge(&with(&[]), &asked(&[]), KEY, None).is_ok());
        for (answer, protocols, what) in [
            (without("connection"), &[][..], "Connection"),
            (without("upgrade"), &[], "Upgrade"),
            (without("sec-websocket-accept"), &[], "Accept"),
            (with(&[("sec-websocket-protocol", "a")]), &[], "offered none"),
            (with(&[("sec-websocket-protocol", "c")]), &["a"], "not offered"),
            (with(&[("sec-websocket-protocol", "a, b")]), &["a", "b"], "not offered"),
            (with(&[]), &["a"], "none of the subprotocols"),
            (with(&[("sec-websocket-extensions", "permessage-deflate")]), &[], "offered none"),
        ] {
            let error = judge(&answer, &asked(protocols), KEY, None).unwrap_err();
            assert!(error.contains(what), "{error}");
        }
        assert!(judge(&with(&[]), &asked(&[]), "bm90IHRoZSBrZXkuLi4uLg==", None).unwrap_err().contains("Accept"));
    }
}
