//! The clients of hyper-util behind one transport.
//!
//! The pool and the connect limit are fixed when a client is made, but calls differ: a retry wants a
//! connection that no request has used, and some calls grant more time to connect than is usual. Each such
//! combination is a lane, a client with its own pool. All share one TLS configuration, and with it the sessions
//! that make the next handshake cheap, and the lookups in flight. Lanes that nobody asks for are never made.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ::http::uri::InvalidUri;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;

use super::connector::Connector;
use super::dial::{Dialer, Via};
use super::request_body::RequestBody;
use super::resolver::Resolver;
use crate::http::transport::options::TransportOptions;
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

pub(super) type Lane = Client<Connector, RequestBody>;

pub(super) struct Lanes {
    means: Means,
    pooled: Lane,
    fresh: OnceLock<Lane>,
    patient_pooled: OnceLock<Lane>,
    patient_fresh: OnceLock<Lane>,
}

impl Lanes {
    /// # Errors
    /// The proxy's origin is no URI, which that of no URL is.
    pub fn new(tls: ClientConfig, options: TransportOptions, proxy: Option<&Proxy>) -> Result<Self, InvalidUri> {
        let means = Means::new(tls, options, proxy)?;
        let pooled = means.lane(Connection::Pooled, true);
        Ok(Lanes {
            means,
            pooled,
            fresh: OnceLock::new(),
            patient_pooled: OnceLock::new(),
            patient_fresh: OnceLock::new(),
        })
    }

    /// The client for an exchange. The exchange itself watches its connect limit; the lane's own only has to be
    /// no shorter.
    pub fn pick(&self, connection: Connection, limits: &Limits) -> &Lane {
        let usual = limits.connect.is_some_and(|limit| limit <= self.means.options.connect_timeout);
        let lane = match (connection, usual) {
            // What a call must not repeat must not meet a connection that the server is about to close, and hyper-util
            // does not tell how long one has been idle.
            (Connection::Pooled, true) => return &self.pooled,
            (Connection::Fresh | Connection::Recent, true) => &self.fresh,
            (Connection::Pooled, false) => &self.patient_pooled,
            (Connection::Fresh | Connection::Recent, false) => &self.patient_fresh,
        };
        lane.get_or_init(|| self.means.lane(connection, usual))
    }
}

/// What every lane is made of.
struct Means {
    tls: Arc<ClientConfig>,
    options: TransportOptions,
    resolver: Resolver,
    via: Option<Via>,
}

impl Means {
    fn new(tls: ClientConfig, options: TransportOptions, proxy: Option<&Proxy>) -> Result<Self, InvalidUri> {
        let resolver = Resolver { lookup: Arc::clone(&options.lookup) };
        let via = proxy.map(|proxy| Via::new(proxy, &tls)).transpose()?;
        Ok(Means { tls: Arc::new(tls), options, resolver, via })
    }

    /// `limited`: to the usual time for a connection.
    fn lane(&self, connection: Connection, limited: bool) -> Lane {
        let limit = limited.then_some(self.options.connect_timeout);
        let keep_alive = self.options.keep_alive.filter(|_| connection == Connection::Pooled);
        let dialer = Dialer { tcp: self.tcp(limit), tls: Arc::clone(&self.tls), via: self.via.clone(), limit };
        Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(keep_alive.map_or(Duration::ZERO, |keep_alive| keep_alive.timeout))
            .pool_max_idle_per_host(if keep_alive.is_some() { usize::MAX } else { 0 })
            .http1_max_headers(MAX_RESPONSE_HEADERS)
            .build(Connector::new(dialer))
    }

    /// `TCP_USER_TIMEOUT` stays off: it would end a live connection whose peer merely stops reading for a while.
    fn tcp(&self, limit: Option<Duration>) -> HttpConnector<Resolver> {
        let mut tcp = HttpConnector::new_with_resolver(self.resolver.clone());
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEPALIVE));
        tcp.set_keepalive_interval(Some(KEEPALIVE));
        tcp.set_keepalive_retries(Some(KEEPALIVE_PROBES));
        // Set here as well as watched above, because it is divided among a host's addresses: a dead one must leave time
        // for the next.
        tcp.set_connect_timeout(limit);
        tcp
    }
}
