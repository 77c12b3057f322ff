//! What a WebSocket is made with. Fixed for its life.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;

use super::extension::Deflate;
use super::flow::{Flows, MAX_FRAME};
use super::outbox::{Limits, Resend, WhenFull};
use super::pulse::Heartbeat;
use super::request::Request;
use crate::http::transport::lookup::{Lookup, SystemLookup};
use crate::http::transport::proxies::ProxyRules;
use crate::http::transport::tls::{MinVersion, TlsOptions, Trust};
use crate::tcp::gate::Gate;
use crate::tcp::options::{KEEP_ALIVE, Route};
use crate::tcp::reconnect::Reconnect;

#[derive(Clone)]
pub struct Options {
    /// `None`: the owner is asked before each connection.
    pub request: Option<Request>,
    pub route: Route,
    pub lookup: Arc<dyn Lookup>,
    pub proxies: Option<ProxyRules>,
    pub tls: Tls,
    /// For everything from the lookup to the answer to the upgrade, and once more for the greeting. `None`: no limit but
    /// the system's.
    pub handshake_timeout: Option<Duration>,
    /// How many redirects are followed.
    pub redirects: u32,
    pub deflate: Option<Deflate>,
    /// The caller's `onConnect` has each connection first.
    pub greets: bool,
    pub reconnect: Reconnect,
    /// Close codes that are retried besides the usual ones.
    pub codes: Vec<u16>,
    /// The owner is asked whether there is another connection.
    pub asks: bool,
    /// A connection has proved itself when it has lasted so long.
    pub min_uptime: Duration,
    pub queue: Limits,
    pub resend: Resend,
    pub heartbeat: Option<Heartbeat>,
    /// Bytes of payload. Longer messages leave in several frames.
    pub max_frame: usize,
    /// What large sends do to an endpoint is remembered in this process.
    pub adapts: bool,
    /// Bytes of a message that comes, after inflation.
    pub max_payload: usize,
    /// What a peer has for its answer to a Close frame.
    pub close_timeout: Duration,
    pub no_delay: bool,
    /// Silence after which the peer's kernel is asked whether it is there. `None`: never.
    pub keep_alive: Option<Duration>,
    /// Shared by all sockets of a process.
    pub gate: Arc<Gate>,
    /// Likewise.
    pub flows: Arc<Flows>,
}

#[derive(Debug, Clone)]
pub struct Tls {
    pub options: TlsOptions,
    /// Whom the certificate must be for, and what SNI says, if not the host of the URL.
    pub name: Option<ServerName<'static>>,
    /// Without it whoever answers is spoken to, and what is wrong with the certificate only told.
    pub reject_unauthorized: bool,
}

impl Options {
    /// The usual ones.
    pub fn to(request: Option<Request>) -> Self {
        let tls = TlsOptions { trust: Trust::Bundled, identities: Vec::new(), min_version: MinVersion::Tls12 };
        Options {
            request,
            route: Route::default(),
            lookup: Arc::new(SystemLookup::new()),
            proxies: None,
            tls: Tls { options: tls, name: None, reject_unauthorized: true },
            handshake_timeout: Some(Duration::from_secs(10)),
            redirects: 0,
            deflate: Some(Deflate::default()),
            greets: false,
            reconnect: Reconnect::default(),
            codes: Vec::new(),
            asks: false,
            min_uptime: Duration::from_secs(5),
            queue: Limits { bytes: 1024 * 1024, age: Some(Duration::from_secs(60)), when_full: WhenFull::Refuse },
            resend: Resend::Unsent,
            heartbeat: Some(Heartbeat::default()),
            max_frame: MAX_FRAME,
            adapts: true,
            max_payload: 100 * 1024 * 1024,
            close_timeout: Duration::from_secs(30),
            no_delay: true,
            keep_alive: Some(KEEP_ALIVE),
            gate: Gate::shared(),
            flows: Flows::shared(),
        }
    }
}
