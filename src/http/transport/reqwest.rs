//! The transport on reqwest, used as a plain exchange: for SOCKS proxies.
//!
//! reqwest brings SOCKS, connections, TLS and HTTP/1.1. Its redirects, retries, timeouts, cookies and decompression
//! are off: the layers above must see every hop, every attempt and the encoded bytes. What reqwest hides and a
//! truthful fault needs is won back beside it:
//!
//! | question | file |
//! |---|---|
//! | had the exchange a connection yet, and how far had that come? | [`connector`], [`resolver`] |
//! | which limit ran out? | [`super::watch`] |
//! | was the request body all read, and if not, who is waited for? | [`super::upload`] |
//! | what does the error prove? | [`evidence`] |
//! | had the connection answered before? | [`reuse`] |
//! | where does it lead first? | [`way`] |

mod body;
mod connector;
mod evidence;
mod lanes;
mod resolver;
mod reuse;
mod way;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ::http::StatusCode;
use bytes::Bytes;
use hyper::ext::ReasonPhrase;
use hyper_util::client::legacy::connect::HttpInfo;

pub use body::ReqwestBody;

use self::connector::InSight;
use self::evidence::Evidence;
use self::lanes::Lanes;
use self::reuse::{Answered, Ends};
use self::way::Way;
use super::options::{TransportError, TransportOptions};
use super::proxies::{self, Proxy};
use super::request_body::ReadyBody;
use super::upload::Progress;
use super::watch::{Standing, Watch};
use super::{Connection, Exchange, Failure, Limits, Reply, Transport, switched, tls};
use crate::fault::Delivery;

/// Exchanges over reqwest: HTTP/1.1, a pool of connections per origin, TLS by rustls, perhaps all through a SOCKS proxy.
///
/// Of the options it has no use for `connections`, `http2`, `proxies` and `socket_path`, and of `keep_alive` only for
/// `timeout`: what a server says of its own limit is not read, and an exchange that must not be repeated gets a connection
/// that nobody has used.
pub struct ReqwestTransport {
    via: Option<Proxy>,
    /// Held for one statement. Replaced by [`close`](Transport::close).
    lanes: RwLock<Lanes>,
    answered: Arc<Answered>,
}

impl ReqwestTransport {
    /// Makes the clients but opens nothing and starts no thread; needs no runtime yet.
    ///
    /// # Errors
    /// TLS or the HTTP client cannot be set up, which no option causes.
    pub fn new(options: TransportOptions, via: Option<Proxy>) -> Result<Self, TransportError> {
        let mut tls = tls::config(&options.tls, connector::handshaking)?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let lanes = RwLock::new(Lanes::new(tls, options, via.clone())?);
        Ok(ReqwestTransport { via, lanes, answered: Arc::new(Answered::new()) })
    }

    fn client(&self, connection: Connection, limits: &Limits) -> Result<reqwest::Client, TransportError> {
        // Lanes are replaced whole, so a panic elsewhere cannot have left them half changed.
        let lanes = self.lanes.read().unwrap_or_else(PoisonError::into_inner);
        lanes.pick(connection, limits).cloned()
    }
}

impl Transport for ReqwestTransport {
    type Body = ReqwestBody;

    async fn exchange(&self, exchange: Exchange) -> Result<Reply<ReqwestBody>, Failure> {
        let Exchange { method, url, headers, body, connection, mut limits } = exchange;
        let way = Way { via: self.via.as_ref(), port: url.port_or_known_default() };
        if let Some(fault) = way.barred(&url) {
            return Err(Failure { fault, reused: false });
        }
        let client = self.client(connection, &limits).map_err(|error| error.failure())?;
        let standing = Standing::new(way.next_address(&url));

        let mut request = reqwest::Request::new(method, url);
        *request.headers_mut() = headers;
        let body = ReadyBody::of(body, &request.method().clone(), request.headers_mut(), &mut limits).await?;
        let progress = fill(&mut request, body);

        let in_sight = InSight::new(client.execute(request), &standing);
        let watch = Watch::new(in_sight, &limits, &standing, progress.as_deref());
        let watched = std::pin::pin!(watch);
        match watched.await {
            Ok((Ok(response), _)) if response.status() == StatusCode::SWITCHING_PROTOCOLS => Err(switched()),
            Ok((Ok(response), _)) => Ok(self.reply(response, limits.body)),
            Ok((Err(error), sight)) => {
                let sent_all = progress.is_none_or(|progress| progress.has_finished());
                let evidence = Evidence::of(&error);
                let reused = evidence.ends.is_some_and(|ends| self.answered.forget(ends));
                Err(Failure { fault: evidence.before_answer(sight, &way, sent_all), reused })
            }
            Err(timed_out) => {
                let mut failure = timed_out.failure(way.next_port());
                if self.via.is_some() && failure.fault.delivery == Delivery::NotSent {
                    failure.fault = proxies::not_through_in_time(failure.fault);
                }
                Err(failure)
            }
        }
    }

    /// reqwest closes its idle connections when its clients are dropped, and each exchange holds one until the head of
    /// its response is there: the last of them closes them.
    fn close(&self) {
        let mut lanes = self.lanes.write().unwrap_or_else(PoisonError::into_inner);
        if lanes.keep_nothing() {
            return;
        }
        // The old ones stay if others cannot be made, which no option causes.
        if let Ok(unpooled) = lanes.unpooled() {
            *lanes = unpooled;
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

/// Gives the request its body. The progress of one that takes a while to send is returned.
fn fill(request: &mut reqwest::Request, body: ReadyBody) -> Option<Arc<Progress>> {
    match body {
        ReadyBody::Empty => {}
        ReadyBody::Bytes(bytes) => *request.body_mut() = Some(bytes.into()),
        ReadyBody::Upload(upload, progress) => {
            *request.body_mut() = Some(reqwest::Body::wrap(upload));
            return Some(progress);
        }
    }
    None
}

impl Ends {
    fn of(info: &HttpInfo) -> Self {
        Ends { local: info.local_addr(), remote: info.remote_addr() }
    }
}
