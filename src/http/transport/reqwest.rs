//! The transport on reqwest, used as a plain exchange.
//!
//! reqwest brings connections, TLS and HTTP/1.1. Its redirects, retries, timeouts, cookies and decompression
//! are off: the layers above must see every hop, every attempt and the encoded bytes. What reqwest hides and a
//! truthful fault needs is won back beside it:
//!
//! | question | file |
//! |---|---|
//! | had the exchange a connection yet, and how far had that come? | [`connector`], [`resolver`] |
//! | which limit ran out? | [`exchange`] |
//! | was the request body all read, and if not, who is waited for? | [`super::upload`] |
//! | what does the error prove? | [`evidence`] |
//! | had the connection answered before? | [`reuse`] |

mod body;
mod connector;
mod evidence;
mod exchange;
mod lanes;
mod resolver;
mod reuse;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ::http::header::CONTENT_LENGTH;
use ::http::{HeaderValue, Method, StatusCode};
use bytes::Bytes;
use hyper::ext::ReasonPhrase;
use hyper_util::client::legacy::connect::HttpInfo;
use tokio::time::{Instant, timeout};
use url::{Host, Url};

pub use body::ReqwestBody;

use self::connector::Sight;
use self::evidence::Evidence;
use self::exchange::{TimedOut, Watch};
use self::lanes::Lanes;
use self::reuse::{Answered, Ends};
use super::options::{TransportError, TransportOptions};
use super::upload::{self, Progress, SLICE, Upload, UploadFailed};
use super::{Exchange, ExchangeBody, Failure, Limits, Reply, Transport, tls};
use crate::fault::{Delivery, Fault, Phase};
use crate::http::body::BodyStream;

/// Exchanges over reqwest: HTTP/1.1, a pool of connections per origin, TLS by rustls.
pub struct ReqwestTransport {
    lanes: Lanes,
    answered: Arc<Answered>,
}

impl ReqwestTransport {
    /// Makes the clients but opens nothing and starts no thread; needs no runtime yet.
    ///
    /// # Errors
    /// TLS or the HTTP client cannot be set up, which no option causes.
    pub fn new(options: TransportOptions) -> Result<Self, TransportError> {
        let mut tls = tls::config(&options.tls, connector::handshaking)?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(ReqwestTransport { lanes: Lanes::new(tls, options)?, answered: Arc::new(Answered::new()) })
    }
}

impl Transport for ReqwestTransport {
    type Body = ReqwestBody;

    async fn exchange(&self, exchange: Exchange) -> Result<Reply<ReqwestBody>, Failure> {
        let Exchange { method, url, headers, body, connection, mut limits } = exchange;
        let client = self.lanes.pick(connection, &limits).map_err(|error| unusable(&error))?;
        let port = url.port_or_known_default();
        let sight = Sight::new(address_in(&url));

        let mut request = reqwest::Request::new(method, url);
        *request.headers_mut() = headers;
        let body = match body {
            ExchangeBody::Stream { stream, length } if stated_length(&request).or(length) == Some(0) => {
                // Boxed: hardly any exchange comes this way, and all would carry its room.
                Box::pin(expect_nothing(stream, &mut limits)).await?;
                ExchangeBody::Bytes(Bytes::new())
            }
            ExchangeBody::Bytes(bytes) if !bytes.is_empty() && stated_length(&request) == Some(0) => {
                return Err(unsent(&UploadFailed::Length));
            }
            body => body,
        };
        let progress = fill(&mut request, body);

        let watch = Watch::new(client.execute(request), &limits, sight, progress.as_deref());
        let watched = std::pin::pin!(watch);
        match watched.await {
            Ok((Ok(response), _)) if response.status() == StatusCode::SWITCHING_PROTOCOLS => Err(switched()),
            Ok((Ok(response), _)) => Ok(self.reply(response, limits.body)),
            Ok((Err(error), sight)) => {
                let sent_all = progress.is_none_or(|progress| progress.has_finished());
                let evidence = Evidence::of(&error);
                let reused = evidence.ends.is_some_and(|ends| self.answered.forget(ends));
                Err(Failure { fault: evidence.before_answer(sight, port, sent_all), reused })
            }
            Err(timed_out) => Err(Failure { fault: late(timed_out, port), reused: false }),
        }
    }
}

impl ReqwestTransport {
    fn reply(&self, mut response: reqwest::Response, stall: Option<Duration>) -> Reply<ReqwestBody> {
        let ends = response.extensions().get::<HttpInfo>().map(Ends::of);
        if let Some(ends) = ends {
            self.answered.note(ends, response.version(), response.headers());
        }
        let status = response.status();
        let status_text = match response.extensions().get::<ReasonPhrase>() {
            Some(phrase) => Bytes::copy_from_slice(phrase.as_bytes()),
            // hyper keeps the phrase only where it is not the usual one.
            None => Bytes::from_static(status.canonical_reason().unwrap_or_default().as_bytes()),
        };
        let headers = std::mem::take(response.headers_mut());
        let body = ReqwestBody::new(response, stall, ends, Arc::clone(&self.answered));
        Reply { status, status_text, headers, body }
    }
}

/// Reads a stream that states to have nothing, and makes sure of it. The time that this takes counts.
async fn expect_nothing(stream: BodyStream, limits: &mut Limits) -> Result<(), Failure> {
    let begun = Instant::now();
    let reading = upload::read_nothing(stream);
    let read = match limits.attempt {
        None => reading.await,
        Some(limit) => timeout(limit, reading).await.map_err(|_| {
            let fault = Fault::new("ETIMEDOUT", Phase::Send, Delivery::NotSent)
                .with_reason("The attempt reached its time limit while its request body was read.");
            Failure { fault, reused: false }
        })?,
    };
    read.map_err(|failed| unsent(&failed))?;
    limits.attempt = limits.attempt.map(|limit| limit.saturating_sub(begun.elapsed()));
    Ok(())
}

fn unsent(failed: &UploadFailed) -> Failure {
    Failure { fault: failed.fault(Phase::Send, Delivery::NotSent), reused: false }
}

/// Gives the request its body. The progress of one that takes a while to send is returned.
fn fill(request: &mut reqwest::Request, body: ExchangeBody) -> Option<Arc<Progress>> {
    let states_no_body = matches!(*request.method(), Method::POST | Method::PUT);
    match body {
        ExchangeBody::Stream { stream, length } => {
            let length = stated_length(request).or(length);
            return Some(upload(request, Upload::of_stream(stream, length)));
        }
        ExchangeBody::Bytes(bytes) if !bytes.is_empty() => {
            let actual = bytes.len() as u64;
            let length = stated_length(request).unwrap_or(actual);
            if bytes.len() > SLICE || length != actual {
                return Some(upload(request, Upload::of_bytes(bytes, length)));
            }
            // Few enough to be sent at once.
            *request.body_mut() = Some(bytes.into());
        }
        // hyper sends no length with an empty body; servers wait, or answer 411, where the method implies one.
        ExchangeBody::Bytes(_) | ExchangeBody::Empty if states_no_body => state_empty(request),
        ExchangeBody::Bytes(_) | ExchangeBody::Empty => {}
    }
    None
}

fn upload(request: &mut reqwest::Request, (upload, progress): (Upload, Arc<Progress>)) -> Arc<Progress> {
    *request.body_mut() = Some(reqwest::Body::wrap(upload));
    progress
}

/// What the caller's own `Content-Length` says. hyper believes it, whatever the body has.
fn stated_length(request: &reqwest::Request) -> Option<u64> {
    request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn state_empty(request: &mut reqwest::Request) {
    request.headers_mut().entry(CONTENT_LENGTH).or_insert(HeaderValue::from_static("0"));
}

/// The address that a URL names by itself.
fn address_in(url: &Url) -> Option<SocketAddr> {
    let port = url.port_or_known_default()?;
    match url.host()? {
        Host::Ipv4(address) => Some((address, port).into()),
        Host::Ipv6(address) => Some((address, port).into()),
        Host::Domain(_) => None,
    }
}

fn late(timed_out: TimedOut, port: Option<u16>) -> Fault {
    let mut fault = Fault::new("ETIMEDOUT", timed_out.phase, timed_out.delivery).with_reason(timed_out.reason);
    fault.address = timed_out.peer.map(|peer| peer.ip().to_string());
    fault.port = port;
    fault
}

/// No request asks for it, and what follows is not HTTP.
fn switched() -> Failure {
    let fault = Fault::new("HPE_INVALID_STATUS", Phase::Receive, Delivery::Answered)
        .with_reason("The server switched to another protocol, which the request had not asked for.");
    Failure { fault, reused: false }
}

fn unusable(error: &TransportError) -> Failure {
    let fault = Fault::new("ERR_UNRESET_INTERNAL", Phase::Connect, Delivery::NotSent).with_detail(error.to_string());
    Failure { fault, reused: false }
}

impl Ends {
    fn of(info: &HttpInfo) -> Self {
        Ends { local: info.local_addr(), remote: info.remote_addr() }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn reading_a_body_that_states_nothing_is_a_part_of_the_attempt() {
        const SECOND: Duration = Duration::from_secs(1);
        let slow = |pieces: &'static [&'static str]| {
            let pieces = stream::iter(pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))));
            stream::once(sleep(SECOND)).flat_map(move |()| pieces.clone()).boxed()
        };
        let within = |attempt| Limits { connect: None, headers: None, body: None, attempt };

        let mut limits = within(Some(3 * SECOND));
        assert!(expect_nothing(slow(&["", ""]), &mut limits).await.is_ok());
        assert_eq!(limits.attempt, Some(2 * SECOND));
        for (attempt, pieces, code) in
            [(None, &["", "a"], "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH"), (Some(SECOND / 2), &["", ""], "ETIMEDOUT")]
        {
            let failure = expect_nothing(slow(pieces), &mut within(attempt)).await.unwrap_err();
            assert_eq!((&*failure.fault.code, failure.fault.delivery), (code, Delivery::NotSent));
        }
    }

    #[test]
    fn a_client_that_cannot_be_made_is_our_fault_and_has_sent_nothing() {
        let error = TransportError::Tls(rustls::Error::General("no provider".into()));
        let Failure { fault, reused } = unusable(&error);
        assert_eq!((&*fault.code, fault.delivery, reused), ("ERR_UNRESET_INTERNAL", Delivery::NotSent, false));
        assert_eq!(fault.detail.as_deref(), Some("TLS cannot be configured"));
    }
}
