//! The transport with connections of its own: HTTP/1.1 by hyper, everything below it here.
//!
//! A client library hides its connections, and what it hides decides whether a call can be saved: whether a connection had
//! been used before, whether the peer has closed it since, whether a byte of the request left, whether the peer's kernel
//! ever took one. Here all of that is known:
//!
//! | question | file |
//! |---|---|
//! | which connection does an exchange get? | [`pool`], [`origins`]; how long one may have idled: [`keep_alive`] |
//! | how is one made, and to which address? | [`connect`], [`addresses`] |
//! | who polls it, and when? | [`connection`], [`body`]; while it idles: [`reaper`] |
//! | what left this process, and what became of it? | [`wire`], [`tcp_info`] |
//! | what does a failure prove? | [`evidence`] |

mod addresses;
mod body;
mod connect;
mod connection;
mod evidence;
mod keep_alive;
mod origins;
mod outgoing;
mod pool;
mod reaper;
mod tcp_info;
mod wire;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ::http::header::HOST;
use ::http::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version};
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use url::{Position, Url};

pub use body::DirectBody;

use self::connect::Connector;
use self::connection::{Connection, SendFailed};
use self::origins::{NoHost, Origin, Origins};
use self::outgoing::Outgoing;
use self::pool::Turn;
use self::reaper::Reaper;
use super::options::{TransportError, TransportOptions};
use super::request_body::ReadyBody;
use super::upload::Progress;
use super::watch::{Standing, Watch};
use super::{Connection as Wanted, Exchange, Failure, Reply, Transport, address_in, switched, tls};
use crate::fault::{Delivery, Fault, Phase};

/// How long a connection in the making is waited for that is not needed any more.
const ABANDONED_FOR: Duration = Duration::from_secs(10);

pub struct DirectTransport {
    connector: Arc<Connector>,
    origins: Arc<Origins>,
    reaper: Arc<Reaper>,
    /// The one task of its own. It ends with the transport.
    reaping: OnceLock<AbortHandle>,
}

impl DirectTransport {
    /// Opens nothing and starts no thread; needs no runtime yet.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(options: TransportOptions) -> Result<Self, TransportError> {
        let mut tls = tls::config(&options.extra_roots, || {})?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let reaper = Arc::<Reaper>::default();
        Ok(DirectTransport {
            connector: Arc::new(Connector {
                lookup: options.lookup,
                socket_path: options.socket_path,
                tls: TlsConnector::from(Arc::new(tls)),
            }),
            origins: Arc::new(Origins::new(options.keep_alive, options.connections, Arc::clone(&reaper))),
            reaper,
            reaping: OnceLock::new(),
        })
    }

    async fn answer(
        &self,
        origin: &Arc<Origin>,
        mut request: Request<Outgoing>,
        wanted: Wanted,
        standing: &Arc<Standing>,
        progress: Option<&Progress>,
    ) -> Result<(Response<Incoming>, Box<Connection>), Failure> {
        loop {
            let mut connection = self.connection(origin, wanted, standing).await?;
            standing.has_connection();
            standing.leads_to(connection.peer);
            let written = connection.written();
            if wanted != Wanted::Pooled {
                connection.mark();
            }
            match connection.send(request).await {
                Ok(response) => return Ok((response, connection)),
                // A connection that closed in the moment it was taken. Another one is taken; each attempt of this kind
                // uses one up, and a new one is never handed back.
                Err(SendFailed { unsent: Some(unsent), .. }) if connection.answered => request = unsent,
                Err(SendFailed { error, .. }) => {
                    let sent_all = progress.is_none_or(Progress::has_finished);
                    let written = connection.written() != written;
                    // Boxed: it hardly ever happens, and all exchanges would carry its room.
                    return Err(Box::pin(self.failed(origin, connection, &error, written, sent_all)).await);
                }
            }
        }
    }

    /// A connection for an exchange: one that idles, or a new one, or one that becomes free before that is made.
    async fn connection(
        &self,
        origin: &Arc<Origin>,
        wanted: Wanted,
        standing: &Arc<Standing>,
    ) -> Result<Box<Connection>, Failure> {
        standing.awaits_turn();
        let permit = match origin.pool.turn(wanted).await {
            Turn::Connection(connection) => return Ok(connection),
            Turn::Permit(permit) => permit,
        };
        self.reaping
            .get_or_init(|| tokio::spawn(Arc::clone(&self.reaper).run(Arc::downgrade(&self.origins))).abort_handle());
        let connector = Arc::clone(&self.connector);
        let connecting = connector.connection(Arc::clone(origin), Arc::clone(standing), permit);
        // Boxed: most exchanges find a connection.
        let mut connecting = Box::pin(connecting);
        if wanted == Wanted::Fresh {
            return connecting.await;
        }
        tokio::select! {
            biased;
            made = &mut connecting => made,
            connection = origin.pool.freed() => {
                let pool = Arc::clone(&origin.pool);
                self.reaper.finish(Box::pin(async move {
                    // Nobody is there to be told that it failed; who needs one next will see for itself.
                    if let Ok(Ok(connection)) = timeout(ABANDONED_FOR, connecting).await {
                        pool.give_back(connection);
                    }
                }));
                Ok(connection)
            }
        }
    }

    async fn failed(
        &self,
        origin: &Origin,
        connection: Box<Connection>,
        error: &hyper::Error,
        written: bool,
        sent_all: bool,
    ) -> Failure {
        let mut fault = evidence::before_answer(error, written, sent_all);
        let peer = connection.peer;
        fault.address = peer.map(|peer| peer.ip().to_string());
        fault.port = Some(origin.port);
        let reused = connection.answered;
        if evidence::is_broken_connection(error) {
            if !reused && let Some(peer) = peer {
                origin.pool.suspects().suspect(peer.ip(), Instant::now());
            }
            let idled = connection.idled;
            if fault.delivery == Delivery::Unknown
                && evidence::may_have_come_too_late(error)
                && let Some(wire) = connection.into_wire()
                && wire.was_never_taken().await
            {
                fault.delivery = Delivery::NotSent;
                origin.pool.closed_by_peer(idled);
            }
        }
        Failure { fault, reused }
    }
}

impl DirectTransport {
    /// Closes the connections that idle, now and in future: each then serves one exchange. Exchanges under way go on.
    pub fn close(&self) {
        self.origins.close();
    }
}

impl Drop for DirectTransport {
    fn drop(&mut self) {
        if let Some(reaping) = self.reaping.get() {
            reaping.abort();
        }
    }
}

impl Transport for DirectTransport {
    type Body = DirectBody;

    async fn exchange(&self, exchange: Exchange) -> Result<Reply<DirectBody>, Failure> {
        let Exchange { method, url, mut headers, body, connection: wanted, mut limits } = exchange;
        let port = url.port_or_known_default();
        let origin = self.origins.find(&url).map_err(|NoHost| unaddressable())?;
        let standing = Arc::new(Standing::new(address_in(&url)));
        let body = ReadyBody::of(body, &method, &mut headers, &mut limits).await?;
        let (body, progress) = match body {
            ReadyBody::Empty => (Outgoing::Bytes(Bytes::new()), None),
            ReadyBody::Bytes(bytes) => (Outgoing::Bytes(bytes), None),
            ReadyBody::Upload(upload, progress) => (Outgoing::Upload(Box::new(upload)), Some(progress)),
        };
        let request = request(method, &url, headers, body, &origin).ok_or_else(unaddressable)?;

        let answering = self.answer(&origin, request, wanted, &standing, progress.as_deref());
        let watched = std::pin::pin!(Watch::new(answering, &limits, &standing, progress.as_deref()));
        let (mut response, mut connection) = match watched.await {
            Ok(outcome) => outcome?,
            Err(timed_out) => return Err(timed_out.failure(port)),
        };
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(switched());
        }
        connection.answered = true;
        connection.hint = keep_alive::hint(response.headers());
        let status = response.status();
        let status_text = match response.extensions().get::<ReasonPhrase>() {
            Some(phrase) => Bytes::copy_from_slice(phrase.as_bytes()),
            // hyper keeps the phrase only where it is not the usual one.
            None => Bytes::from_static(status.canonical_reason().unwrap_or_default().as_bytes()),
        };
        let headers = std::mem::take(response.headers_mut());
        let sending = progress.as_ref().is_some_and(|progress| !progress.has_finished());
        let pool = Arc::clone(&origin.pool);
        let body = DirectBody::new(response.into_body(), connection, pool, limits.body, origin.port, sending);
        Ok(Reply { status, status_text, headers, body })
    }
}

/// `None`: the standard for URLs allows more than HTTP does.
fn request(
    method: Method,
    url: &Url,
    mut headers: HeaderMap,
    body: Outgoing,
    origin: &Origin,
) -> Option<Request<Outgoing>> {
    headers.entry(HOST).or_insert_with(|| origin.authority.clone());
    let target = Bytes::copy_from_slice(url[Position::BeforePath..Position::AfterQuery].as_bytes());
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.version_mut() = Version::HTTP_11;
    *request.uri_mut() = Uri::from_maybe_shared(target).ok()?;
    *request.headers_mut() = headers;
    Some(request)
}

fn unaddressable() -> Failure {
    Failure { fault: Fault::new("ERR_INVALID_URL", Phase::Connect, Delivery::NotSent), reused: false }
}
