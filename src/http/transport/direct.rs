//! The transport with connections of its own: HTTP/1.1 and HTTP/2 by hyper, everything below them here.
//!
//! A client library hides its connections, and what it hides decides whether a call can be saved: whether a connection had
//! been used before, whether the peer has closed it since, whether a byte of the request left, whether the peer's kernel
//! ever took one. Here all of that is known:
//!
//! | question | file |
//! |---|---|
//! | which connection does an exchange get? | [`pool`], [`origins`]; how long one may have idled: [`keep_alive`] |
//! | how is one made, and to which address? | [`connect`], [`race`], [`addresses`], [`via`]; what it tells meanwhile: [`making`] |
//! | how does a request name its target on it? | [`address`] |
//! | who polls it, and when? | [`connection`], [`shared`], [`body`], [`bare`]; while it idles: [`reaper`] |
//! | what left this process, and what became of it? | [`wire`], [`tcp_info`] |
//! | what does a failure prove? | [`evidence`] |

mod address;
pub(crate) mod addresses;
mod bare;
mod body;
mod connect;
mod connection;
pub(crate) mod evidence;
mod keep_alive;
mod making;
mod origins;
mod outgoing;
mod pool;
pub(crate) mod race;
mod reaper;
mod shared;
pub(crate) mod tcp_info;
mod via;
mod wire;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ::http::header::CONNECTION;
use ::http::{HeaderMap, Request, Response, StatusCode, Version};
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

pub use body::DirectBody;

use self::connect::Connector;
use self::connection::{Connection, SendFailed};
use self::making::Making;
use self::origins::{NoHost, Origin, Origins};
use self::outgoing::Outgoing;
use self::pool::{Taken, Turn};
use self::reaper::Reaper;
use self::shared::Use;
use super::options::{TransportError, TransportOptions};
use super::request_body::ReadyBody;
use super::upload::Progress;
use super::watch::{Standing, Watch};
use super::{Connection as Wanted, Exchange, Failure, Reply, Transport, proxies, switched, tls};
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
        let mut tls = tls::config(&options.tls, || {})?;
        let proxy_tls = TlsConnector::from(proxies::tls(&tls));
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let http1_tls = TlsConnector::from(Arc::new(tls.clone()));
        if options.http2 {
            tls.alpn_protocols.insert(0, b"h2".to_vec());
        }
        let reaper = Arc::<Reaper>::default();
        let origins = Arc::new(Origins::new(&options, Arc::clone(&reaper)));
        Ok(DirectTransport {
            connector: Arc::new(Connector {
                lookup: options.lookup,
                socket_path: options.socket_path,
                tls: TlsConnector::from(Arc::new(tls)),
                http1_tls,
                proxy_tls,
            }),
            origins,
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
    ) -> Result<(Response<Incoming>, Taken), Failure> {
        loop {
            let (failed, known) = match self.connection(origin, wanted, standing).await? {
                Taken::Own(mut connection) => {
                    standing.has_connection();
                    standing.leads_to(connection.peer);
                    let written = connection.written();
                    if wanted != Wanted::Pooled {
                        connection.mark();
                    }
                    address::of_origin(&mut request, origin);
                    match connection.send(request).await {
                        Ok(response) => return Ok((response, Taken::Own(connection))),
                        Err(failed) => {
                            let written = connection.written() != written;
                            (failed, Broken::Own { connection, written })
                        }
                    }
                }
                Taken::Shared(mut shared) => {
                    standing.has_connection();
                    standing.leads_to(shared.connection().peer);
                    address::of_stream(&mut request, origin);
                    match shared.send(request).await {
                        Ok(response) => return Ok((response, Taken::Shared(shared))),
                        Err(failed) => (failed, Broken::Shared(shared)),
                    }
                }
            };
            match failed {
                // A connection that closed in the moment it was taken. Another one is taken; each attempt of this kind
                // uses one up, and a new one is never handed back.
                SendFailed { unsent: Some(unsent), .. } if known.answered() => request = unsent,
                SendFailed { error, unsent } => {
                    let sent = Sent { any: unsent.is_none(), all: progress.is_none_or(Progress::has_finished) };
                    // Boxed: it hardly ever happens, and all exchanges would carry its room.
                    return Err(Box::pin(failed_by(origin, known, &error, sent)).await);
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
    ) -> Result<Taken, Failure> {
        standing.awaits_turn();
        let permit = match origin.pool.turn(wanted).await {
            Turn::Connection(connection) => return Ok(connection),
            Turn::Permit(permit) => permit,
        };
        self.reaping
            .get_or_init(|| tokio::spawn(Arc::clone(&self.reaper).run(Arc::downgrade(&self.origins))).abort_handle());
        let connector = Arc::clone(&self.connector);
        let making = Making::new(standing);
        let connecting = connector.connection(Arc::clone(origin), Arc::clone(&making), permit);
        // Boxed: most exchanges find a connection.
        let mut connecting = Box::pin(connecting);
        if wanted == Wanted::Fresh {
            return connecting.await;
        }
        tokio::select! {
            biased;
            made = &mut connecting => made,
            connection = origin.pool.freed() => {
                making.abandon();
                let pool = Arc::clone(&origin.pool);
                self.reaper.finish(Box::pin(async move {
                    // Nobody is there to be told that it failed; who needs one next will see for itself.
                    if let Ok(Ok(Taken::Own(connection))) = timeout(ABANDONED_FOR, connecting).await {
                        pool.give_back(connection);
                    }
                }));
                Ok(connection)
            }
        }
    }
}

/// The connection of an exchange that has no answer.
enum Broken {
    /// `written`: something of the request, or of what TLS says about it, has left.
    Own {
        connection: Box<Connection>,
        written: bool,
    },
    Shared(Use),
}

/// How much of a request has left, by what hyper says.
#[derive(Clone, Copy)]
struct Sent {
    any: bool,
    all: bool,
}

impl Broken {
    fn answered(&self) -> bool {
        match self {
            Broken::Own { connection, .. } => connection.answered,
            Broken::Shared(shared) => shared.answered(),
        }
    }
}

async fn failed_by(origin: &Origin, broken: Broken, error: &hyper::Error, sent: Sent) -> Failure {
    // Where only its stream has ended, an exchange is none that met a stale connection.
    let reused = broken.answered() && !evidence::is_reset_stream(error);
    let (written, peer) = match &broken {
        Broken::Own { connection, written } => (*written, connection.peer),
        Broken::Shared(shared) => (sent.any, shared.connection().peer),
    };
    let mut fault = evidence::before_answer(error, written, sent.all);
    fault.address = peer.map(|peer| peer.ip().to_string());
    fault.port = Some(origin.next_port());
    if evidence::wants_http1(error) {
        origin.pool.demand_http1();
    }
    if let Broken::Shared(shared) = &broken
        && (evidence::is_broken_connection(error) || evidence::is_going_away(error))
    {
        origin.pool.discard(shared.connection());
    }
    if evidence::is_broken_connection(error) {
        if !reused && let Some(peer) = peer {
            origin.pool.suspects().suspect(peer.ip(), Instant::now());
        }
        if fault.delivery == Delivery::Unknown
            && let Broken::Own { connection, .. } = broken
            && evidence::may_have_come_too_late(error)
        {
            let idled = connection.idled;
            if let Some(wire) = connection.into_wire()
                && wire.was_never_taken().await
            {
                fault.delivery = Delivery::NotSent;
                origin.pool.closed_by_peer(idled);
            }
        }
    }
    Failure { fault, reused }
}

impl Drop for DirectTransport {
    fn drop(&mut self) {
        if let Some(reaping) = self.reaping.get() {
            reaping.abort();
        }
        self.reaper.give_up();
    }
}

impl Transport for DirectTransport {
    type Body = DirectBody;

    async fn exchange(&self, exchange: Exchange) -> Result<Reply<DirectBody>, Failure> {
        let Exchange { method, url, mut headers, body, connection: wanted, mut limits } = exchange;
        let origin = self.origins.find(&url).map_err(|NoHost| unaddressable())?;
        if origin.via.is_some()
            && let Some(fault) = proxies::misplaced_credentials(&headers)
        {
            return Err(Failure { fault, reused: false });
        }
        let standing = Arc::new(Standing::new(origin.next_address()));
        let body = ReadyBody::of(body, &method, &mut headers, &mut limits).await?;
        let (body, progress) = match body {
            ReadyBody::Empty => (Outgoing::Bytes(Bytes::new()), None),
            ReadyBody::Bytes(bytes) => (Outgoing::Bytes(bytes), None),
            ReadyBody::Upload(upload, progress) => (Outgoing::Upload(Box::new(upload)), Some(progress)),
        };
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = address::target(&url).ok_or_else(unaddressable)?;
        // What is produced while it is sent is known to be sent only by hyper.
        let keeps = progress.is_none() && says_nothing_of_closing(&headers);
        *request.headers_mut() = headers;

        let answering = self.answer(&origin, request, wanted, &standing, progress.as_deref());
        let watched = std::pin::pin!(Watch::new(answering, &limits, &standing, progress.as_deref()));
        let (mut response, mut taken) = match watched.await {
            Ok(outcome) => outcome?,
            Err(timed_out) => {
                let mut failure = timed_out.failure(Some(origin.next_port()));
                if origin.via.is_some() && failure.fault.delivery == Delivery::NotSent {
                    failure.fault = proxies::not_through_in_time(failure.fault);
                }
                return Err(failure);
            }
        };
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(switched());
        }
        if let Taken::Own(connection) = &mut taken {
            connection.answered = true;
            connection.hint = keep_alive::hint(response.headers());
        }
        let status = response.status();
        let status_text = match response.extensions().get::<ReasonPhrase>() {
            Some(phrase) => Bytes::copy_from_slice(phrase.as_bytes()),
            // HTTP/2 has none.
            None if response.version() == Version::HTTP_2 => Bytes::new(),
            // hyper keeps the phrase only where it is not the usual one.
            None => Bytes::from_static(status.canonical_reason().unwrap_or_default().as_bytes()),
        };
        let keeps = keeps && response.version() == Version::HTTP_11 && says_nothing_of_closing(response.headers());
        let headers = std::mem::take(response.headers_mut());
        let sending = progress.as_ref().is_some_and(|progress| !progress.has_finished());
        let body = DirectBody::new(response.into_body(), taken, &origin, limits.body, sending, keeps);
        Ok(Reply { status, status_text, headers, body })
    }

    fn close(&self) {
        self.origins.close();
    }
}

/// Of HTTP/1.1, where a connection is kept unless something else is said.
fn says_nothing_of_closing(headers: &HeaderMap) -> bool {
    headers.get_all(CONNECTION).iter().all(|value| value.as_bytes().eq_ignore_ascii_case(b"keep-alive"))
}

fn unaddressable() -> Failure {
    Failure { fault: Fault::new("ERR_INVALID_URL", Phase::Connect, Delivery::NotSent), reused: false }
}
