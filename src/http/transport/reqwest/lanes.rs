//! The reqwest clients behind one transport.
//!
//! reqwest fixes the pool and the connect limit when a client is made, but calls differ: a retry wants a
//! connection that no request has used, and some calls grant more time to connect than is usual. Each such
//! combination is a lane, a client with its own pool. All share one TLS configuration, and with it the sessions
//! that make the next handshake cheap, and the lookups in flight. Lanes that nobody asks for are never made.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::Client;
use rustls::ClientConfig;

use super::connector::Watched;
use super::resolver::Resolver;
use crate::http::transport::options::{TransportError, TransportOptions};
use crate::http::transport::proxies::Proxy;
use crate::http::transport::{Connection, Limits};

/// hyper stops at 100. Node limits the size of all headers (16 KiB) and not their number; of ordinary length, about
/// this many fit in there. Not more, because hyper makes room for all of them before it reads a response: counted
/// with callgrind over one small call, this number costs 2 % of its instructions and 2000 would cost 4 %.
const MAX_RESPONSE_HEADERS: usize = 256;

/// A peer that vanished without a word (power cut, dropped NAT entry) while we wait for it is found after 60 s: 15 s of
/// silence, then three unanswered probes, 15 s apart. Linux sends none while data is unacknowledged.
const KEEPALIVE: Duration = Duration::from_secs(15);
const KEEPALIVE_PROBES: u32 = 3;

pub(super) struct Lanes {
    tls: ClientConfig,
    options: TransportOptions,
    via: Option<Proxy>,
    resolver: Resolver,
    pooled: Client,
    fresh: OnceLock<Client>,
    patient_pooled: OnceLock<Client>,
    patient_fresh: OnceLock<Client>,
}

impl Lanes {
    pub fn new(tls: ClientConfig, options: TransportOptions, via: Option<Proxy>) -> Result<Self, TransportError> {
        let resolver = Resolver { lookup: Arc::clone(&options.lookup), via: via.clone() };
        let usual = Some(options.connect_timeout);
        let pooled = client(tls.clone(), resolver.clone(), &options, via.as_ref(), Connection::Pooled, usual)?;
        Ok(Lanes {
            tls,
            options,
            via,
            resolver,
            pooled,
            fresh: OnceLock::new(),
            patient_pooled: OnceLock::new(),
            patient_fresh: OnceLock::new(),
        })
    }

    /// Each connection serves one exchange.
    pub fn keep_nothing(&self) -> bool {
        self.options.keep_alive.is_none()
    }

    /// The same, but with nothing kept.
    pub fn unpooled(&self) -> Result<Self, TransportError> {
        let options = TransportOptions { keep_alive: None, ..self.options.clone() };
        Lanes::new(self.tls.clone(), options, self.via.clone())
    }

    /// The client for an exchange. The exchange itself watches its connect limit; the lane's own only has to be
    /// no shorter.
    pub fn pick(&self, connection: Connection, limits: &Limits) -> Result<&Client, TransportError> {
        let usual = limits.connect.is_some_and(|limit| limit <= self.options.connect_timeout);
        let lane = match (connection, usual) {
            // What a call must not repeat must not meet a connection that the server is about to close, and reqwest does
            // not tell how long one has been idle.
            (Connection::Pooled, true) => return Ok(&self.pooled),
            (Connection::Fresh | Connection::Recent, true) => &self.fresh,
            (Connection::Pooled, false) => &self.patient_pooled,
            (Connection::Fresh | Connection::Recent, false) => &self.patient_fresh,
        };
        if let Some(client) = lane.get() {
            return Ok(client);
        }
        let made = client(
            self.tls.clone(),
            self.resolver.clone(),
            &self.options,
            self.via.as_ref(),
            connection,
            usual.then_some(self.options.connect_timeout),
        )?;
        Ok(lane.get_or_init(|| made))
    }
}

/// reqwest as a plain exchange: everything that acts on its own is off.
fn client(
    tls: ClientConfig,
    resolver: Resolver,
    options: &TransportOptions,
    via: Option<&Proxy>,
    connection: Connection,
    connect_timeout: Option<Duration>,
) -> Result<Client, TransportError> {
    let builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        // 0, or it would copy each request for the retry that it never makes.
        .retry(reqwest::retry::never().max_retries_per_request(0))
        .referer(false)
        // The environment's proxies too: Node's rule for them is decided above.
        .no_proxy()
        .http1_only()
        .http1_max_headers(MAX_RESPONSE_HEADERS)
        .tls_backend_preconfigured(tls)
        .dns_resolver(resolver)
        .connector_layer(Watched)
        .tcp_nodelay(true)
        .tcp_keepalive(KEEPALIVE)
        .tcp_keepalive_interval(KEEPALIVE)
        .tcp_keepalive_retries(KEEPALIVE_PROBES)
        .pool_idle_timeout(options.keep_alive.map_or(Duration::ZERO, |keep_alive| keep_alive.timeout))
        .pool_max_idle_per_host(match connection {
            Connection::Pooled if options.keep_alive.is_some() => usize::MAX,
            _ => 0,
        });
    // TCP_USER_TIMEOUT would end a live connection whose peer merely stops reading for a while.
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    let builder = builder.tcp_user_timeout(None::<Duration>);
    let builder = match connect_timeout {
        // Told to reqwest as well as watched above it, because hyper-util divides it among a host's addresses:
        // a dead one must leave time for the next.
        Some(limit) => builder.connect_timeout(limit),
        None => builder,
    };
    let builder = match via {
        Some(proxy) => builder.proxy(reqwest::Proxy::all(proxy.url_with_secrets()).map_err(TransportError::Client)?),
        None => builder,
    };
    builder.build().map_err(TransportError::Client)
}
