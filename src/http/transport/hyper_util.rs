//! The transport on hyper-util's client, for what goes through a proxy.
//!
//! hyper-util brings a pool and HTTP/1.1 over the connections that [`dial`] makes. What it hides and a truthful fault
//! needs is won back beside it:
//!
//! | question | file |
//! |---|---|
//! | had the exchange a connection yet, and how far had that come? | [`connector`], [`dial`], [`resolver`] |
//! | which limit ran out? | [`exchange`] |
//! | was the request body all read, and if not, who is waited for? | [`super::upload`] |
//! | what does the error prove? | [`evidence`] |
//! | had the connection answered before? | [`reuse`] |

mod body;
mod connector;
mod dial;
mod evidence;
mod exchange;
mod lanes;
mod request_body;
mod resolver;
mod reuse;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ::http::header::{CONTENT_LENGTH, PROXY_AUTHORIZATION};
use ::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use hyper_util::client::legacy::connect::HttpInfo;
use tokio::time::{Instant, timeout};
use url::{Host, Url};

pub use body::HyperUtilBody;

use self::connector::Sight;
use self::evidence::Evidence;
use self::exchange::{TimedOut, Watch};
use self::lanes::Lanes;
use self::request_body::RequestBody;
use self::reuse::{Answered, Ends};
use super::options::{TransportError, TransportOptions};
use super::proxies::Proxy;
use super::upload::{self, Progress, SLICE, Upload, UploadFailed};
use super::{Exchange, ExchangeBody, Failure, Limits, Reply, Transport, tls};
use crate::fault::{Delivery, Fault, Phase};
use crate::http::body::BodyStream;

/// Exchanges over hyper-util's client: HTTP/1.1, a pool of connections per origin, TLS by rustls.
pub struct HyperUtilTransport {
    lanes: Lanes,
    answered: Arc<Answered>,
    /// Everything goes through it.
    proxy: Option<Proxy>,
}

impl HyperUtilTransport {
    /// Makes the clients but opens nothing and starts no thread; needs no runtime yet.
    ///
    /// # Errors
    /// TLS or the HTTP client cannot be set up, which no option causes.
    pub fn new(options: TransportOptions) -> Result<Self, TransportError> {
        Self::made(options, None)
    }

    /// As [`new`](Self::new), with all exchanges through `proxy`: those with `https` URLs through a tunnel, the others by
    /// naming the whole URL to it.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn through(proxy: Proxy, options: TransportOptions) -> Result<Self, TransportError> {
        Self::made(options, Some(proxy))
    }

    fn made(options: TransportOptions, proxy: Option<Proxy>) -> Result<Self, TransportError> {
        let mut tls = tls::config(&options.extra_roots, || {})?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let lanes = Lanes::new(tls, options, proxy.as_ref()).map_err(TransportError::Proxy)?;
        Ok(HyperUtilTransport { lanes, answered: Arc::new(Answered::new()), proxy })
    }
}

impl Transport for HyperUtilTransport {
    type Body = HyperUtilBody;

    async fn exchange(&self, exchange: Exchange) -> Result<Reply<HyperUtilBody>, Failure> {
        let Exchange { method, url, mut headers, body, connection, mut limits } = exchange;
        let uri = url.as_str().parse::<Uri>().map_err(|_| unsent(Fault::new("ERR_INVALID_URL", CONNECT, NOT_SENT)))?;
        let place = match &self.proxy {
            None => Place::of(&url),
            Some(proxy) => {
                tell_proxy(&mut headers, proxy, &url)?;
                Place::of_proxy(proxy)
            }
        };
        let stated = stated_length(&headers);
        let body = match body {
            ExchangeBody::Stream { stream, length } if stated.or(length) == Some(0) => {
                // Boxed: hardly any exchange comes this way, and all would carry its room.
                Box::pin(expect_nothing(stream, &mut limits)).await?;
                ExchangeBody::Bytes(Bytes::new())
            }
            ExchangeBody::Bytes(bytes) if !bytes.is_empty() && stated == Some(0) => {
                return Err(unsent(UploadFailed::Length.fault(Phase::Send, NOT_SENT)));
            }
            body => body,
        };
        if is_empty(&body) && matches!(method, Method::POST | Method::PUT) {
            // hyper sends no length with an empty body; servers wait, or answer 411, where the method implies one.
            headers.entry(CONTENT_LENGTH).or_insert(HeaderValue::from_static("0"));
        }
        let (body, progress) = outgoing(body, stated);
        let mut request = ::http::Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;

        let responding = self.lanes.pick(connection, &limits).request(request);
        let watch = Watch::new(responding, &limits, Sight::new(place.address), progress.as_deref());
        let watched = std::pin::pin!(watch);
        match watched.await {
            Ok((Ok(response), _)) if response.status() == StatusCode::SWITCHING_PROTOCOLS => Err(switched()),
            Ok((Ok(response), _)) => Ok(self.reply(response, limits.body)),
            Ok((Err(error), sight)) => {
                let sent_all = progress.is_none_or(|progress| progress.has_finished());
                let evidence = Evidence::of(&error);
                let reused = evidence.ends.is_some_and(|ends| self.answered.forget(ends));
                Err(Failure { fault: evidence.before_answer(sight, place.port, sent_all), reused })
            }
            Err(timed_out) => {
                let mut fault = late(timed_out, place.port);
                if self.proxy.is_some() && fault.delivery == NOT_SENT {
                    fault.reason = format!("{} It was to be made through a proxy.", fault.reason).into();
                }
                Err(Failure { fault, reused: false })
            }
        }
    }
}

const CONNECT: Phase = Phase::Connect;
const NOT_SENT: Delivery = Delivery::NotSent;

/// Where the connection for an exchange leads.
struct Place {
    /// Where the URL names an IP address.
    address: Option<SocketAddr>,
    port: Option<u16>,
}

impl Place {
    fn of(url: &Url) -> Self {
        let port = url.port_or_known_default();
        Place { address: address(url.host(), port), port }
    }

    fn of_proxy(proxy: &Proxy) -> Self {
        Place { address: address(Some(proxy.host.clone()), Some(proxy.port)), port: Some(proxy.port) }
    }
}

fn address<S>(host: Option<Host<S>>, port: Option<u16>) -> Option<SocketAddr> {
    match host? {
        Host::Ipv4(address) => Some((address, port?).into()),
        Host::Ipv6(address) => Some((address, port?).into()),
        Host::Domain(_) => None,
    }
}

/// What the proxy is told with the request itself. In a tunnel it sees no request: it was told when that was opened.
fn tell_proxy(headers: &mut HeaderMap, proxy: &Proxy, url: &Url) -> Result<(), Failure> {
    if headers.contains_key(PROXY_AUTHORIZATION) {
        // In a tunnel it would be the server that reads the password.
        let fault = Fault::new("ERR_PROXY_INVALID_CONFIG", Phase::Send, NOT_SENT).with_reason(
            "The request has a Proxy-Authorization header. Credentials for a proxy belong into the proxy option, where no \
             server can read them.",
        );
        return Err(unsent(fault));
    }
    if url.scheme() == "http" {
        for name in proxy.headers().keys() {
            // What the caller says of the request itself comes first.
            if !headers.contains_key(name) {
                headers.extend(proxy.headers().get_all(name).iter().map(|value| (name.clone(), value.clone())));
            }
        }
    }
    Ok(())
}

impl HyperUtilTransport {
    fn reply(&self, response: Response<Incoming>, stall: Option<Duration>) -> Reply<HyperUtilBody> {
        let (parts, incoming) = response.into_parts();
        let ends = parts.extensions.get::<HttpInfo>().map(Ends::of);
        if let Some(ends) = ends {
            self.answered.note(ends, parts.version, &parts.headers);
        }
        let status = parts.status;
        let status_text = match parts.extensions.get::<ReasonPhrase>() {
            Some(phrase) => Bytes::copy_from_slice(phrase.as_bytes()),
            // hyper keeps the phrase only where it is not the usual one.
            None => Bytes::from_static(status.canonical_reason().unwrap_or_default().as_bytes()),
        };
        let body = HyperUtilBody::new(incoming, stall, ends, Arc::clone(&self.answered));
        Reply { status, status_text, headers: parts.headers, body }
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
    read.map_err(|failed| unsent(failed.fault(Phase::Send, NOT_SENT)))?;
    limits.attempt = limits.attempt.map(|limit| limit.saturating_sub(begun.elapsed()));
    Ok(())
}

fn unsent(fault: Fault) -> Failure {
    Failure { fault, reused: false }
}

fn is_empty(body: &ExchangeBody) -> bool {
    match body {
        ExchangeBody::Empty => true,
        ExchangeBody::Bytes(bytes) => bytes.is_empty(),
        ExchangeBody::Stream { .. } => false,
    }
}

/// The body for hyper, and the progress of one that takes a while to send.
fn outgoing(body: ExchangeBody, stated: Option<u64>) -> (RequestBody, Option<Arc<Progress>>) {
    let (upload, progress) = match body {
        ExchangeBody::Empty => return (RequestBody::Bytes(Bytes::new()), None),
        ExchangeBody::Stream { stream, length } => Upload::of_stream(stream, stated.or(length)),
        ExchangeBody::Bytes(bytes) => {
            let actual = bytes.len() as u64;
            let length = stated.unwrap_or(actual);
            if bytes.is_empty() || (bytes.len() <= SLICE && length == actual) {
                // Few enough to be sent at once.
                return (RequestBody::Bytes(bytes), None);
            }
            Upload::of_bytes(bytes, length)
        }
    };
    (RequestBody::Upload(upload), Some(progress))
}

/// What the caller's own `Content-Length` says. hyper believes it, whatever the body has.
fn stated_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
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
}
